package lifecycle

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Conversions returns what a trial of a legacy offer can become. It is empty for others.
func Conversions(account *Account, s *Subscription) []partnercenter.Conversion {
	list := []partnercenter.Conversion{}
	item, err := account.Catalog.Find(s.Document.OfferID, account.Country)
	if err != nil || s.Facts.Kind != catalog.License || !isTrue(s.Document.IsTrial) || !isActive(s) {
		return list
	}
	for _, target := range account.Catalog.Targets(item, item.ConversionTargets) {
		list = append(list, partnercenter.Conversion{
			OfferID: s.Document.OfferID, TargetOfferID: target.ID, OrderID: s.Document.OrderID, Quantity: s.Document.Quantity, BillingCycle: target.BillingCycles[0],
			Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeConversion},
		})
	}
	return list
}

// conversionCheck is the conversion of a trial, as the rules check it.
type conversionCheck struct {
	*Subscription
	account  *Account
	request  *partnercenter.Conversion
	settings Settings
	item     *catalog.Item // nil when the catalog does not have it
	target   *catalog.Item
	err      error
}

const nextReadConversions = "Read GET .../conversions for what is possible, and send one of it"

// quantity returns the requested one, or the trial's.
func (c *conversionCheck) quantity() int {
	if q := c.request.Quantity; q != nil && *q != 0 {
		return *q
	}
	return *c.Document.Quantity
}

// cycle returns the requested billing cycle, or the default of the offer.
func (c *conversionCheck) cycle() partnercenter.BillingCycleType {
	switch asked := c.request.BillingCycle.Normalize(); asked {
	case "", partnercenter.BillingCycleTypeUnknown, partnercenter.BillingCycleTypeNone:
		return c.target.BillingCycles[0]
	default:
		return asked
	}
}

// conversionRules apply to conversions of trials of legacy offers.
var conversionRules = []rule[*conversionCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it is no trial of a legacy offer", func(c *conversionCheck) (string, string) {
		return require(c.Facts.Kind == catalog.License && isTrue(c.Document.IsTrial), "Trials in new commerce have .../transitions", "This operation is not supported: subscription %s is no trial of a legacy offer", c.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "another offer or order is named than the trial's", func(c *conversionCheck) (string, string) {
		other := differs(c.request.OfferID, c.Document.OfferID) || differs(c.request.OrderID, c.Document.OrderID)
		return require(!other, nextReadConversions, "Invalid property offerId: the trial is of %s in order %s", c.Document.OfferID, c.Document.OrderID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "no offer to become is named", func(c *conversionCheck) (string, string) {
		return require(ascii.TrimSpace(c.request.TargetOfferID) != "", nextReadConversions, "Invalid property targetOfferId: there is none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidOffer, "the offer is unknown", func(c *conversionCheck) (string, string) {
		return require(c.err == nil, nextReadConversions, "Invalid offer id %s", quote.Text(c.request.TargetOfferID))
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOfferNotEligible, "the trial cannot become the offer", func(c *conversionCheck) (string, string) {
		is := c.item != nil && slices.ContainsFunc(c.account.Catalog.Targets(c.item, c.item.ConversionTargets), func(i *catalog.Item) bool { return i.ID == c.target.ID })
		return require(is && c.target.Purchasable && !c.target.Retired, nextReadConversions, "The offer is not eligible for purchase: the trial cannot become %s", c.target.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the quantity is out of the offer's range", func(c *conversionCheck) (string, string) {
		return quantityRange(c.target, c.quantity())
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeTooManySeats, "the sandbox allows fewer seats", func(c *conversionCheck) (string, string) {
		return sandboxSeats(c.settings, c.target.Kind, c.target.ID, c.quantity())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleUnsupported, "the offer is not sold with the billing cycle", func(c *conversionCheck) (string, string) {
		return require(slices.Contains(c.target.BillingCycles, c.cycle()), "Send one that the offer is sold with, or leave it out", "The billing cycle %s is not one of %s", quote.Text(string(c.cycle())), c.target.ID)
	}},
}

// ConvertTrial decides about making a paid subscription of one of an order's trials. The
// subscription keeps its id and its line. The order has the new billing cycle if the other
// lines are cancelled.
func ConvertTrial(account *Account, o *Order, id string, request *partnercenter.Conversion, settings Settings, now time.Time) (*Order, *partnercenter.ConversionResult, []Event, error) {
	next, s := o.cloneWith(id)
	s.advance(now)
	c := &conversionCheck{Subscription: s, account: account, request: request, settings: settings}
	c.item, _ = account.Catalog.Find(s.Document.OfferID, account.Country)
	c.target, c.err = account.Catalog.Find(ascii.TrimSpace(request.TargetOfferID), account.Country)
	if c.err == nil && !c.target.Kind.Legacy() {
		c.err = errors.New("not a legacy offer")
	}
	arrow, err := move(SubscriptionMachine, string(s.Document.Status.Normalize()), Convert)
	if err == nil {
		err = check(conversionRules, c)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	number, target, cycle := s.Facts.LineItemNumber, c.target, c.cycle()
	result := &partnercenter.ConversionResult{
		SubscriptionID: s.Document.ID, OfferID: s.Document.OfferID, TargetOfferID: target.ID,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeConversionResult},
	}
	line := &next.Document.LineItems[number]
	if line.FriendlyName == c.item.Title {
		line.FriendlyName = target.Title
	}
	links := *itemLinks(target)
	if line.Links != nil {
		links.Subscription, links.ProvisioningStatus = line.Links.Subscription, line.Links.ProvisioningStatus
	}
	line.OfferID, line.Quantity, line.TransactionType, line.RenewsTo, line.Links = target.ID, new(c.quantity()), partnercenter.LineItemTransactionTypeConvert, nil, &links
	line.Pricing = nil
	setPrice(line, priceIn(target, cycle))
	alone := true
	for i := range next.Document.LineItems {
		alone = alone && (i == number || quantity(&next.Document.LineItems[i]) == 0)
	}
	if alone {
		next.Document.BillingCycle = cycle
	}
	if next.Document.TotalPrice != "" || line.Pricing != nil {
		next.Document.TotalPrice = next.total()
	}
	next.touch()

	d := &s.Document
	fresh := newSubscription(account, &next.Document, line, target, d.ParentSubscriptionID, now)
	s.setItem(&fresh.Document)
	d.BillingCycle, d.AutoRenewEnabled, d.RenewalTermDuration, d.Quantity = cycle, fresh.Document.AutoRenewEnabled, nil, new(c.quantity())
	d.EffectiveStartDate, d.CommitmentEndDate = fresh.Document.EffectiveStartDate, fresh.Document.CommitmentEndDate
	s.Facts.TermStart, s.Facts.Seats = time.Time{}, []Seats{{Quantity: c.quantity(), Added: now}}
	next.Facts.Lines[number].Kind, next.Facts.Lines[number].Bought = target.Kind, now
	s.touch()
	next.Changed = append(next.Changed, s)
	return next, result, []Event{{Kind: arrow.Event, SubscriptionID: d.ID, LineItemNumber: number}}, nil
}

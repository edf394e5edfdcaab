package lifecycle

import (
	"crypto/sha256"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// Renewals are terms that began by themselves, each after another, with the same
// conditions. Every one is a purchase.
type Renewals struct {
	// First is the day on which the first of the terms began that these count from, and
	// From and To are the numbers of the first and the last of these. Number 0 begins on
	// that day.
	First        time.Time                      `json:"first"`
	From         int                            `json:"from,omitzero"`
	To           int                            `json:"to,omitzero"`
	Months       int                            `json:"months"` // the length of a term
	TermDuration string                         `json:"termDuration,omitzero"`
	BillingCycle partnercenter.BillingCycleType `json:"billingCycle,omitzero"`
	Quantity     int                            `json:"quantity"`
	Extended     bool                           `json:"extended,omitzero"` // they are extended service terms
}

// start returns the day on which the n-th term begins.
func (r *Renewals) start(n int) time.Time {
	if n == 0 {
		return r.First
	}
	return nthEnd(r.First, r.Months, n).AddDate(0, 0, 1)
}

// maxRenewals is how many changes of renewals a subscription remembers, and how many of
// the last ones have orders that can be seen: ten years of months.
const maxRenewals = 120

// renewUntil notes the renewals up to an instant.
func (s *Subscription) renewUntil(now time.Time) {
	if s.Facts.Since.IsZero() || !s.hasEnd() || !isActive(s) {
		return // what was loaded has its renewals in orders of its own
	}
	d, list := &s.Document, s.Facts.Renewals
	if end := s.nextTerm().Add(-1); end.Before(now) {
		now = end // its last term
	}
	next := Renewals{
		First: s.first(), From: 1, Months: s.termMonths(), TermDuration: d.TermDuration, BillingCycle: d.BillingCycle.Normalize(),
		Quantity: *d.Quantity, Extended: s.Facts.Extended != nil,
	}
	if !s.Facts.TermStart.IsZero() {
		next.From = 0
	}
	if now.Before(next.First) {
		return // the clock was set back to before it
	}
	_, n := endAt(next.First, next.Months, now)
	next.To = n - 1
	last := len(list) - 1
	if last >= 0 && list[last].First.Equal(next.First) {
		next.From = list[last].To + 1
	}
	if next.To < next.From {
		return
	}
	list = slices.Clone(list)
	if last >= 0 && list[last].goesOnWith(next) {
		list[last].To = next.To
	} else {
		list = append(list, next)
	}
	s.Facts.Renewals = list[max(0, len(list)-maxRenewals):]
}

// goesOnWith reports whether others follow with the same conditions.
func (r Renewals) goesOnWith(next Renewals) bool {
	if !r.First.Equal(next.First) || r.To+1 != next.From {
		return false
	}
	r.First, r.From, r.To = next.First, next.From, next.To
	return r == next
}

// renewedBy returns those renewals that are there at an instant: the clock may have been
// set back.
func renewedBy(list []Renewals, now time.Time) []Renewals {
	for len(list) > 0 {
		last := list[len(list)-1]
		if !last.start(last.To).After(now) {
			break
		}
		list = list[: len(list)-1 : len(list)-1]
		if !last.start(last.From).After(now) {
			_, n := endAt(last.First, last.Months, now)
			last.To = n - 1
			list = append(list, last)
		}
	}
	return list
}

// RenewalOrders returns the orders that renewals of the subscription have placed by an
// instant, the last one last. They follow from it and from the order that it was bought
// with, and are not stored.
func (s *Subscription) RenewalOrders(a *Account, bought *partnercenter.Order, now time.Time) []*Order {
	at := slices.IndexFunc(bought.LineItems, func(l partnercenter.OrderLineItem) bool { return ascii.EqualFold(l.SubscriptionID, s.Document.ID) })
	if at < 0 {
		return nil
	}
	var orders []*Order
	for _, r := range slices.Backward(s.asOf(now).Facts.Renewals) {
		for n := r.To; n >= r.From; n-- {
			if len(orders) == maxRenewals {
				break
			}
			orders = append(orders, s.renewalOrder(a, bought, &bought.LineItems[at], &r, n))
		}
	}
	slices.Reverse(orders)
	return orders
}

// NextRenewal returns the earliest instant after which RenewalOrders may have another
// one, zero if there is none.
func (s *Subscription) NextRenewal(now time.Time) time.Time {
	c := s.asOf(now)
	if s.Facts.Since.IsZero() || !c.hasEnd() || !isActive(c) {
		return time.Time{}
	}
	return c.nextTerm()
}

// renewalOrder returns the order that the n-th of some renewals places.
func (s *Subscription) renewalOrder(a *Account, bought *partnercenter.Order, line *partnercenter.OrderLineItem, r *Renewals, n int) *Order {
	start, legacy := r.start(n), s.Facts.Kind.Legacy()
	// The same renewal has the same id whenever it is asked for.
	ids := newIDs(sha256.Sum256([]byte(Key(s.Document.ID) + " renews " + start.Format(time.DateOnly))))
	id := ids.short()
	alternate := id
	switch {
	case legacy:
		id = ids.guid()
		alternate = id
	case s.Facts.Kind != catalog.OnlineService:
		id = ids.long()
	}
	self := "/customers/" + a.CustomerID + "/orders/" + id
	o := &Order{Renewal: true, Subscriptions: []*Subscription{s}, Facts: OrderFacts{Lines: []LineFacts{{Kind: s.Facts.Kind, Bought: start}}}}
	o.Document = partnercenter.Order{
		ID: id, AlternateID: alternate, ReferenceCustomerID: a.CustomerID, BillingCycle: r.BillingCycle,
		CurrencyCode: bought.CurrencyCode, CurrencySymbol: bought.CurrencySymbol,
		CreationDate: dateOf(start, legacy), Status: partnercenter.OrderStatusCompleted,
		TransactionType: partnercenter.OrderTransactionTypeSystemPurchase,
		Links:           &partnercenter.OrderLinks{Self: partnercenter.NewLink(http.MethodGet, self)},
		Attributes:      &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOrder},
	}
	if !legacy {
		o.Document.Links.ProvisioningStatus = partnercenter.NewLink(http.MethodGet, self+"/provisioningstatus")
	}
	renewed := partnercenter.OrderLineItem{
		LineItemNumber: new(0), OfferID: line.OfferID, SubscriptionID: s.Document.ID, TransactionType: "Renew",
		FriendlyName: line.FriendlyName, Quantity: &r.Quantity, PartnerIDOnRecord: line.PartnerIDOnRecord,
		AdditionalPartnerIDsOnRecord: line.AdditionalPartnerIDsOnRecord,
	}
	if line.Links != nil {
		links := *line.Links
		links.ActivationLinks = nil // of the purchase
		renewed.Links = &links
	}
	if r.TermDuration != "" {
		renewed.TermDuration = &r.TermDuration
	}
	if p := line.Pricing; p != nil {
		price := scale(p.Price, bought.BillingCycle, r.BillingCycle)
		if r.Extended {
			price = raise(price, surcharge(a, line.OfferID))
		}
		setPrice(&renewed, price)
	}
	o.Document.LineItems = []partnercenter.OrderLineItem{renewed}
	o.Document.TotalPrice = total(&o.Document)
	return o
}

// Surcharges of the extended service term, in percent.
const (
	surchargeOnMonthly    = 3
	surchargeWithoutTerms = 23 // of what is not sold by the month
)

func surcharge(a *Account, offerID string) int64 {
	if item, err := a.Catalog.Find(offerID, a.Country); err == nil && slices.Contains(item.Terms, "P1M") {
		return surchargeOnMonthly
	}
	return surchargeWithoutTerms
}

// raise adds a percentage to a price.
func raise(price partnercenter.Decimal, percent int64) partnercenter.Decimal {
	amount, err := price.Rat()
	if err != nil {
		return price
	}
	amount.Mul(amount, big.NewRat(100+percent, 100))
	return partnercenter.Decimal(amount.FloatString(fraction(price)))
}

// Renewed reports whether RenewalOrders has any.
func (s *Subscription) Renewed(now time.Time) bool { return len(s.asOf(now).Facts.Renewals) > 0 }

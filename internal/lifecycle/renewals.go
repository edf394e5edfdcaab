package lifecycle

import (
	"cmp"
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
	OfferID      string                         `json:"offerId,omitzero"`  // if it is not the one that was bought
	PromotionID  string                         `json:"promotionId,omitzero"`
	// Began is when a request began the term, zero for one that began by itself.
	Began time.Time          `json:"began,omitzero"`
	Ends  partnercenter.Time `json:"ends,omitzero"` // the date on which the one term ends early
	// Passed is of the one term.
	Passed PassedOn `json:"passed,omitzero"`
}

// PassedOn are seats that a term was charged for and that went on in new subscriptions, and
// what the orders of these charge less for it.
type PassedOn struct {
	Seats  int                   `json:"seats"`
	Credit partnercenter.Decimal `json:"credit"`
}

// start returns the day on which the n-th term begins.
func (r *Renewals) start(n int) time.Time {
	if n == 0 {
		return r.First
	}
	return nthEnd(r.First, r.Months, n).AddDate(0, 0, 1)
}

// end returns the day after the n-th term.
func (r *Renewals) end(n int) time.Time {
	if !r.Ends.IsZero() {
		return customEndDay(r.Ends).AddDate(0, 0, 1)
	}
	return r.start(n + 1)
}

// maxRenewals is how many changes of renewals a subscription remembers, and how many of
// the last ones have orders that can be seen: ten years of months.
const maxRenewals = 120

// renewUntil notes the renewals up to an instant.
func (s *Subscription) renewUntil(now time.Time) {
	if s.Facts.Since.IsZero() || !s.hasEnd() || !isActive(s) {
		return // what was loaded has its renewals in orders of its own
	}
	list := s.Facts.Renewals
	if end := s.nextTerm().Add(-1); end.Before(now) {
		now = end // its last term
	}
	next := s.renewal()
	next.From = 1
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
	s.noteRenewals(next)
}

// renewal returns a term with the present conditions.
func (s *Subscription) renewal() Renewals {
	d := &s.Document
	r := Renewals{
		First: s.first(), Months: s.termMonths(), TermDuration: d.TermDuration, BillingCycle: d.BillingCycle.Normalize(),
		Quantity: *d.Quantity, Extended: s.Facts.Extended != nil, Ends: d.CustomTermEndDate,
	}
	if !r.Extended {
		r.PromotionID = d.PromotionID
	}
	if s.became() {
		r.OfferID = d.OfferID
	}
	return r
}

// noteRenewals adds terms to those that have begun.
func (s *Subscription) noteRenewals(next Renewals) {
	list := slices.Clone(s.Facts.Renewals)
	if last := len(list) - 1; last >= 0 && list[last].goesOnWith(next) {
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
	line, terms := &bought.LineItems[at], s.asOf(now).terms(bought, at)
	list, count := terms[1:], 0
	for _, r := range list {
		count += r.To - r.From + 1
	}
	skip := max(0, count-maxRenewals)
	orders := make([]*Order, 0, count-skip)
	for i := range list {
		r := &list[i]
		n := r.From + min(skip, r.To-r.From+1)
		skip -= n - r.From
		for ; n <= r.To; n++ {
			o := s.renewalOrder(a, bought, line, r, n)
			if n == r.From { // it may have cut the one before short
				before := terms[:i+1]
				seats := min(before[i].seats(), r.Quantity) // that are still there
				o.credit(0, s.unused(a, bought, line, before, r.start(n), seats))
			}
			orders = append(orders, o)
		}
	}
	return orders
}

// NextRenewal returns the earliest instant after which RenewalOrders may have another
// one, zero if there is none.
func (s *Subscription) NextRenewal(now time.Time) time.Time {
	c := s.asOf(now)
	if s.Facts.Since.IsZero() || !c.hasEnd() || !isActive(c) {
		return time.Time{}
	}
	next := c.nextTerm()
	if at, happen := c.nextDated(); happen != nil && at.Before(next) {
		return at
	}
	return next
}

// renewalOrder returns the order that the n-th of some renewals places.
func (s *Subscription) renewalOrder(a *Account, bought *partnercenter.Order, line *partnercenter.OrderLineItem, r *Renewals, n int) *Order {
	start, legacy := r.start(n), s.Facts.Kind.Legacy()
	// The same renewal has the same id whenever it is asked for.
	seed, created, kind := Key(s.Document.ID)+" renews "+start.Format(time.DateOnly), start, partnercenter.LineItemTransactionType("Renew")
	if !r.Began.IsZero() {
		seed, created, kind = seed+" for "+r.TermDuration, r.Began, partnercenter.LineItemTransactionTypeConvert
	}
	ids := newIDs(sha256.Sum256([]byte(seed)))
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
	o := &Order{Renewal: true, Subscriptions: []*Subscription{s}, Facts: OrderFacts{Lines: []LineFacts{{Kind: s.Facts.Kind, Bought: created}}}}
	o.Document = partnercenter.Order{
		ID: id, AlternateID: alternate, ReferenceCustomerID: a.CustomerID, BillingCycle: r.BillingCycle,
		CurrencyCode: bought.CurrencyCode, CurrencySymbol: bought.CurrencySymbol,
		CreationDate: dateOf(created, legacy), Status: partnercenter.OrderStatusCompleted,
		TransactionType: partnercenter.OrderTransactionTypeSystemPurchase,
		Links:           &partnercenter.OrderLinks{Self: partnercenter.NewLink(http.MethodGet, self)},
		Attributes:      &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOrder},
	}
	if !legacy {
		o.Document.Links.ProvisioningStatus = partnercenter.NewLink(http.MethodGet, self+"/provisioningstatus")
	}
	renewed := partnercenter.OrderLineItem{
		LineItemNumber: new(0), OfferID: line.OfferID, SubscriptionID: s.Document.ID, TransactionType: kind,
		FriendlyName: line.FriendlyName, Quantity: &r.Quantity, PartnerIDOnRecord: line.PartnerIDOnRecord,
		AdditionalPartnerIDsOnRecord: line.AdditionalPartnerIDsOnRecord,
	}
	if line.Links != nil {
		links := *line.Links
		links.ActivationLinks = nil // of the purchase
		renewed.Links = &links
	}
	var item *catalog.Item
	if r.OfferID != "" || !r.asBought(bought, line) {
		item, _ = a.Catalog.Find(cmp.Or(r.OfferID, line.OfferID), a.Country)
	}
	if item != nil && bought.CurrencyCode == "" { // it was loaded without prices
		o.Document.CurrencyCode, o.Document.CurrencySymbol = item.CurrencyCode, item.CurrencySymbol
	}
	if r.OfferID != "" {
		renewed.OfferID = r.OfferID
		if item != nil && renewed.Links != nil {
			renewed.FriendlyName = item.Title
			links := itemLinks(item)
			links.Subscription, links.ProvisioningStatus = renewed.Links.Subscription, renewed.Links.ProvisioningStatus
			renewed.Links = links
		}
	}
	if r.TermDuration != "" {
		renewed.TermDuration = &r.TermDuration
	}
	r.price(a, bought, line, item, &renewed)
	renewed.CustomTermEndDate = r.Ends
	prorate(&renewed, r.BillingCycle, start)
	o.Document.LineItems = []partnercenter.OrderLineItem{renewed}
	if r.Quantity == 0 {
		o.Document.Status, o.Facts.Lines[0].Kept = partnercenter.OrderStatusCancelled, r.Passed.Credit
	}
	o.Document.TotalPrice = o.total()
	return o
}

// asBought reports whether the terms are for the conditions of the purchase.
func (r *Renewals) asBought(bought *partnercenter.Order, line *partnercenter.OrderLineItem) bool {
	return !r.Extended && (r.OfferID == "" || ascii.EqualFold(r.OfferID, line.OfferID)) &&
		ascii.EqualFold(r.TermDuration, text(line.TermDuration)) && r.BillingCycle == bought.BillingCycle.Normalize() &&
		r.PromotionID == line.PromotionID
}

// price sets the prices of a renewal. They are those of the purchase, as long as its
// conditions are. Otherwise the list price is converted, and for another item that of the
// catalog; only the promotion of the terms themselves lowers it.
func (r *Renewals) price(a *Account, bought *partnercenter.Order, line *partnercenter.OrderLineItem, item *catalog.Item, renewed *partnercenter.OrderLineItem) {
	p, price := line.Pricing, partnercenter.Decimal("")
	switch {
	case p != nil && r.asBought(bought, line):
		prices := *p
		prices.Price = wholePrice(line)
		prices.ProratedPrice, prices.ExtendedPrice = prices.Price, times(prices.Price, r.Quantity)
		renewed.Pricing, renewed.PromotionID = &prices, line.PromotionID
		return
	case r.OfferID != "" && !ascii.EqualFold(r.OfferID, line.OfferID):
		if item != nil {
			price = priceIn(item, r.BillingCycle)
		}
	case p != nil:
		price = scale(cmp.Or(p.ListPrice, p.Price), bought.BillingCycle, r.BillingCycle)
	case item != nil:
		price = priceIn(item, r.BillingCycle)
	}
	if price != "" {
		if r.Extended {
			price = raise(price, surcharge(a, cmp.Or(r.OfferID, line.OfferID)))
		}
		setPrice(renewed, price)
	}
	if promotion := a.Catalog.Promotion(r.PromotionID); promotion != nil && item != nil && promotion.Discounts(item) != nil {
		discount(renewed, item, promotion)
	}
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

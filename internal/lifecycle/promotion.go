package lifecycle

import (
	"fmt"
	"math/big"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// MaxPromotionItems is how many purchases a question about promotions may have.
const MaxPromotionItems = 500

// purchase is what a promotion may apply to.
type purchase struct {
	item     *catalog.Item
	quantity int
	term     string
	cycle    partnercenter.BillingCycleType
}

// promotionErrors are the reasons why a promotion does not apply to a purchase, in the
// order in which they are listed. One without an item ends the list.
func promotionErrors(account *Account, p *catalog.Promotion, of purchase, now time.Time) []partnercenter.PromotionError {
	errs := []partnercenter.PromotionError{}
	add := func(kind partnercenter.PromotionErrorType, description string, args ...any) *partnercenter.PromotionError {
		errs = append(errs, partnercenter.PromotionError{Type: kind, Description: fmt.Sprintf(description, args...) + "."})
		return &errs[len(errs)-1]
	}
	discount := p.Discounts(of.item)
	if discount == nil || !p.In(account.Country) || !p.Current(now) {
		add(partnercenter.PromotionErrorTypeInvalidPromotion, "%s is no promotion for %s at this time", p.Resource.ID, of.item.ID)
		return errs
	}
	if t := discount.Term; !ascii.EqualFold(t.Duration, of.term) || t.BillingCycle != of.cycle {
		add(partnercenter.PromotionErrorTypeTerm, "%s is for the term %s, billed %s", p.Resource.ID, t.Duration, t.BillingCycle)
	}
	if least, most := max(1, p.MinimumQuantity), p.MaximumQuantity; of.quantity < least || most > 0 && of.quantity > most {
		e := add(partnercenter.PromotionErrorTypeSeatCount, "%d seats are not what %s is for", of.quantity, p.Resource.ID)
		if most == 0 {
			most = of.item.MaximumQuantity
		}
		e.MinimumRequiredSeats, e.MaximumRequiredSeats, e.AvailableSeats = &least, &most, &most
	}
	return errs
}

// PromotionEligibilities returns which promotions apply to a purchase: the one that it
// names, or all that are for its item.
func PromotionEligibilities(account *Account, asked partnercenter.PromotionEligibilities, now time.Time) partnercenter.PromotionEligibilities {
	asked.Eligibilities, asked.Extra = nil, nil
	answer := func(id string, errs ...partnercenter.PromotionError) {
		if errs == nil {
			errs = []partnercenter.PromotionError{}
		}
		asked.Eligibilities = append(asked.Eligibilities, partnercenter.PromotionEligibility{PromotionID: id, IsEligible: new(len(errs) == 0), Errors: errs})
	}
	item, err := account.Catalog.Find(ascii.TrimSpace(asked.CatalogItemID), account.Country)
	if err != nil || item.Kind.Legacy() {
		answer(asked.PromotionID, partnercenter.PromotionError{Type: partnercenter.PromotionErrorTypeInvalidCatalogItemID, Description: "The catalog item is not sold."})
		return asked
	}
	of := purchase{item: item, term: ascii.TrimSpace(asked.TermDuration), cycle: asked.BillingCycle.Normalize()}
	if asked.Quantity != nil {
		of.quantity = *asked.Quantity
	}
	if asked.PromotionID != "" {
		if p := account.Catalog.Promotion(asked.PromotionID); p != nil {
			answer(asked.PromotionID, promotionErrors(account, p, of, now)...)
		} else {
			answer(asked.PromotionID, partnercenter.PromotionError{Type: partnercenter.PromotionErrorTypeInvalidPromotion, Description: "There is no such promotion."})
		}
		return asked
	}
	for _, p := range account.Catalog.Promotions() {
		if p.Discounts(item) != nil && p.In(account.Country) && p.Current(now) {
			answer(p.Resource.ID, promotionErrors(account, p, of, now)...)
		}
	}
	if asked.Eligibilities == nil {
		answer("", partnercenter.PromotionError{Type: partnercenter.PromotionErrorTypeNoneAvailable, Description: "There are no promotions for the catalog item."})
	}
	return asked
}

// cycleToBe returns the billing cycle that the order will have, before all lines are
// looked up.
func (l *lineCheck) cycleToBe() partnercenter.BillingCycleType {
	first := l.item
	for i := range l.Request.LineItems {
		if line := &l.Request.LineItems[i]; line.LineItemNumber == nil && i == 0 || line.LineItemNumber != nil && *line.LineItemNumber == 0 {
			if item, err := l.Catalog.Find(ascii.TrimSpace(line.OfferID), l.Country); err == nil {
				first = item
			}
		}
	}
	p := &placementCheck{Placement: l.Placement, lines: []*lineCheck{{item: first}}}
	return p.cycle()
}

// promotion returns the promotion that applies to a line: the one that it names, or the
// first that applies without being named; nil for none. The error says why the named one
// does not.
func promotion(account *Account, item *catalog.Item, line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, now time.Time) (*catalog.Promotion, string) {
	if item.Kind.Legacy() || len(item.Terms) == 0 {
		return nil, ""
	}
	of := purchase{item: item, quantity: quantity(line), term: item.Term(cycle), cycle: cycle}
	if line.TermDuration != nil {
		of.term = *line.TermDuration
	}
	if id := line.PromotionID; id != "" {
		p := account.Catalog.Promotion(id)
		if p == nil {
			return nil, "there is no such promotion"
		}
		if errs := promotionErrors(account, p, of, now); len(errs) > 0 {
			return nil, errs[0].Description[:len(errs[0].Description)-1]
		}
		return p, ""
	}
	for _, p := range account.Catalog.Promotions() {
		if *p.Resource.Properties.IsAutoApplicable && len(promotionErrors(account, p, of, now)) == 0 {
			return p, ""
		}
	}
	return nil, ""
}

// discount sets the promotion of a line, and its prices to what they are with it. The list
// price stays.
func discount(line *partnercenter.OrderLineItem, item *catalog.Item, p *catalog.Promotion) {
	line.PromotionID = p.Resource.ID
	if line.Pricing == nil {
		return
	}
	prices := *line.Pricing
	price, err := prices.ListPrice.Rat()
	if err != nil {
		return
	}
	for _, policy := range p.Discounts(item).PricingPolicies {
		if off, err := partnercenter.Decimal(policy.Value).Rat(); err == nil {
			price.Mul(price, off.Sub(big.NewRat(1, 1), off))
		}
	}
	reduced := partnercenter.Decimal(price.FloatString(max(minFraction, fraction(prices.ListPrice))))
	prices.DiscountedPrice, prices.ProratedPrice, prices.Price = reduced, reduced, reduced
	prices.ExtendedPrice = times(reduced, quantity(line))
	line.Pricing = &prices
}

// undiscount takes the promotion of a line away. What it costs then is the list price.
func undiscount(line *partnercenter.OrderLineItem) {
	if line.PromotionID == "" {
		return
	}
	line.PromotionID = ""
	if line.Pricing != nil && line.Pricing.ListPrice != "" {
		setPrice(line, line.Pricing.ListPrice)
	}
}

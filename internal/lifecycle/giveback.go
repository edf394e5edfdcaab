package lifecycle

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// No period is charged twice. What a term charges for the days that another one replaces is
// credited in the order of that one, and a term that a request ends is given back.

// terms returns the terms that the subscription was charged for: that of the purchase, in a
// line of its order, and those that began since.
func (s *Subscription) terms(bought *partnercenter.Order, number int) []Renewals {
	line := &bought.LineItems[number]
	purchase := Renewals{
		First: dayOf(s.Document.EffectiveStartDate.Time()), Months: cmp.Or(catalog.TermMonths(text(line.TermDuration)), s.termMonths()),
		BillingCycle: bought.BillingCycle.Normalize(), Quantity: quantity(line), Ends: line.CustomTermEndDate, Passed: s.Facts.Passed,
	}
	return append([]Renewals{purchase}, s.Facts.Renewals...)
}

// seats returns how many seats a term is charged for that did not go on elsewhere.
func (r *Renewals) seats() int { return max(0, r.Quantity-r.Passed.Seats) }

// unused returns what the last of some terms charges for seats, for its days from one on.
func (s *Subscription) unused(a *Account, bought *partnercenter.Order, line *partnercenter.OrderLineItem, terms []Renewals, from time.Time, seats int) *big.Rat {
	was, nothing := &terms[len(terms)-1], new(big.Rat)
	begin, end := was.start(was.To), was.end(was.To)
	if was.Months == 0 || seats == 0 || !from.Before(end) {
		return nothing
	}
	if from.Before(begin) {
		from = begin
	}
	if len(terms) > 1 {
		line = &s.renewalOrder(a, bought, line, was, was.To).Document.LineItems[0]
	}
	if line.Pricing == nil {
		return nothing
	}
	price, err := line.Pricing.Price.Rat()
	if err != nil {
		return nothing
	}
	price.Mul(price, billed(line, was.BillingCycle, begin)).Mul(price, big.NewRat(int64(seats), 1))
	return price.Mul(price, big.NewRat(int64(end.Sub(from)), int64(end.Sub(begin))))
}

// passOn notes that so many seats go on in a new subscription, and returns what its order
// is to charge less: what the present term charges for them from today on. Seats that were
// added during the term, which go first, were not charged for.
func (s *Subscription) passOn(a *Account, bought *partnercenter.Order, n int, now time.Time) *big.Rat {
	number := s.Facts.LineItemNumber
	line, terms := &bought.LineItems[number], s.terms(bought, number)
	last, has := len(terms)-1, *s.Document.Quantity
	charged := terms[last].seats()
	seats := min(has, charged) - min(has-n, charged)
	credit := s.unused(a, bought, line, terms, dayOf(now), seats)
	if credit.Sign() == 0 {
		return credit
	}
	passed := &s.Facts.Passed
	if last > 0 {
		s.splitLast()
		passed = &s.Facts.Renewals[len(s.Facts.Renewals)-1].Passed
	}
	passed.Seats += seats
	passed.Credit = plus(passed.Credit, credit)
	return credit
}

// splitLast makes the last renewal one by itself.
func (s *Subscription) splitLast() {
	list := slices.Clone(s.Facts.Renewals)
	last := &list[len(list)-1]
	if one := *last; one.From < one.To {
		one.From = one.To
		last.To--
		list = append(list, one)
	}
	s.Facts.Renewals = list
}

// giveBack cancels what was charged for the present term of a subscription that a request
// ends, and for those that were cut short for it. Terms that are over stay charged. The
// purchase of a loaded subscription stands for its renewals, too.
func (o *Order) giveBack(s *Subscription, now time.Time) []Event {
	if s.giveBackRenewals(&o.Document, now) {
		return o.cancelLine(s.Facts.LineItemNumber)
	}
	return nil
}

// giveBackRenewals is giveBack for all terms but that of the purchase. It reports whether
// that is to be given back, too.
func (s *Subscription) giveBackRenewals(bought *partnercenter.Order, now time.Time) bool {
	terms := s.terms(bought, s.Facts.LineItemNumber)
	if !s.hasEnd() || s.Facts.Since.IsZero() && len(terms) == 1 {
		return true
	}
	var back []Renewals
	for end := now; len(terms) > 0; { // the present term ends now, others when that cut them short
		last := &terms[len(terms)-1]
		if !end.Before(last.end(last.To)) {
			break
		}
		one := *last
		one.From, one.Quantity = one.To, 0
		end, back = one.start(one.To), append(back, one)
		if last.To--; last.To < last.From {
			terms = terms[:len(terms)-1]
		}
	}
	if len(back) == 0 {
		return false
	}
	slices.Reverse(back)
	terms = append(terms, back...)
	s.Facts.Renewals = terms[1:]
	return terms[0].Quantity == 0
}

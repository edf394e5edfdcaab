package lifecycle

import (
	"cmp"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// A term of an online service can end before its last day: with a calendar month, or with
// another subscription of the customer. The terms after it count from the day after.

// Limits on questions about such dates. Terms of years begin when present ones end.
const (
	maxEndTerm  = 10 * 12 // months
	maxEndStart = 10      // years from now
)

// CustomEnds asks for the dates on which a term can end.
type CustomEnds struct {
	TermDuration string
	Start        partnercenter.Time // the first day of the term; absent for today
	Target       string             // id of the subscription to end with; "" for any
}

// customEndsCheck is such a question, as the rules check it.
type customEndsCheck struct {
	CustomEnds
	account *Account
	now     time.Time
}

// first returns the first day of the term.
func (c *customEndsCheck) first() time.Time {
	if at := c.Start.Time(); !at.IsZero() {
		return dayOf(at)
	}
	return dayOf(c.now)
}

// target returns the subscription to end with, nil if the customer does not have it.
func (c *customEndsCheck) target() *Subscription {
	i := slices.IndexFunc(c.account.Owned, func(s *Subscription) bool { return Key(s.Document.ID) == Key(c.Target) })
	if i < 0 || !c.account.Owned[i].Exists(c.now) {
		return nil
	}
	return c.account.Owned[i]
}

// customEndRules apply to questions about dates.
var customEndRules = []rule[*customEndsCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the term is missing, or none of up to ten years", func(c *customEndsCheck) (string, string) {
		months := catalog.TermMonths(c.TermDuration)
		return require(months > 0 && months <= maxEndTerm, "Send term_duration=P1M, P1Y or P3Y", "Invalid property term_duration: %s", quote.Text(c.TermDuration))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the term is to begin before today, or ten years from now", func(c *customEndsCheck) (string, string) {
		today := dayOf(c.now)
		return require((c.Start.IsZero() || c.Start.Valid()) && !c.first().Before(today) && c.first().Before(today.AddDate(maxEndStart, 0, 0)), "Send a date such as "+today.Format(time.DateOnly)+", or leave TermStartDate out", "Invalid property TermStartDate: %s", quote.Text(c.Start.String()))
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeSubscriptionNotFound, "the customer does not have the subscription to end with", func(c *customEndsCheck) (string, string) {
		return require(c.Target == "" || c.target() != nil, "Send the id of one of the customer's subscriptions, or leave TargetCotermSubscriptionId out", "Subscription %s was not found", quote.Text(c.Target))
	}},
}

// CustomTermEndDates returns the dates on which a term can end, in their order. Owned are
// all subscriptions of the account's customer.
func CustomTermEndDates(account *Account, asked CustomEnds, now time.Time) ([]partnercenter.CustomTermEndDate, error) {
	asked.Target = ascii.TrimSpace(asked.Target)
	c := &customEndsCheck{asked, account, now}
	if err := check(customEndRules, c); err != nil {
		return nil, err
	}
	first, months := c.first(), catalog.TermMonths(c.TermDuration)
	last := nthEnd(first, months, 1)
	owned := account.Owned
	var list []partnercenter.CustomTermEndDate
	if c.Target != "" {
		owned = []*Subscription{c.target()}
	} else {
		for end := endOfMonth(first); !end.After(last); end = endOfMonth(end.AddDate(0, 0, 1)) {
			if end.After(first) {
				list = append(list, customEnd(partnercenter.AllowedCustomTermEndDateTypeCalendarMonth, end))
			}
		}
	}
	ends := map[time.Time][]string{}
	for _, s := range owned {
		if end, aligns := s.alignsAt(now); aligns && end.After(first) && !end.After(last) {
			ends[end] = append(ends[end], s.Document.ID)
		}
	}
	for end, ids := range ends {
		slices.Sort(ids)
		one := customEnd(partnercenter.AllowedCustomTermEndDateTypeSubscription, end)
		one.CotermSubscriptionIDs = ids
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b partnercenter.CustomTermEndDate) int {
		return cmp.Or(a.AllowedCustomTermEndDate.Compare(b.AllowedCustomTermEndDate), cmp.Compare(a.AllowedCustomTermEndDateType, b.AllowedCustomTermEndDateType))
	})
	return list, nil
}

func customEnd(kind partnercenter.AllowedCustomTermEndDateType, day time.Time) partnercenter.CustomTermEndDate {
	return partnercenter.CustomTermEndDate{
		AllowedCustomTermEndDateType: kind, CotermSubscriptionIDs: []string{},
		AllowedCustomTermEndDate: readTime(day.Format(time.DateOnly) + "T00:00:00"), // without a zone, as documented
	}
}

// alignsAt returns the last day of the term of a subscription that others can end with: an
// active one to an online service that is no trial.
func (s *Subscription) alignsAt(now time.Time) (time.Time, bool) {
	if s.Facts.Kind != catalog.OnlineService || isTrue(s.Document.IsTrial) || !s.Exists(now) {
		return time.Time{}, false
	}
	c := s.asOf(now)
	end := c.Document.CommitmentEndDate
	return dayOf(end.Time()), isActive(c) && !end.Time().IsZero() && !end.Never()
}

// endsOnMonth and endsWithOther report whether a day is of one of the kinds of dates.
func endsOnMonth(day time.Time) bool { return day.Equal(endOfMonth(day)) }

func (a *Account) endsWithOther(day, now time.Time) bool {
	return slices.ContainsFunc(a.Owned, func(s *Subscription) bool {
		end, aligns := s.alignsAt(now)
		return aligns && end.Equal(day)
	})
}

// NamesEnd reports whether a line wants its term to end on a date, so that the rules look
// at all subscriptions of the customer.
func NamesEnd(request *partnercenter.Order) bool {
	return slices.ContainsFunc(request.LineItems, func(l partnercenter.OrderLineItem) bool { return !l.CustomTermEndDate.Time().IsZero() })
}

// NextNamesEnd reports whether a change of a subscription wants its next term to end on
// a date.
func NextNamesEnd(request *partnercenter.Subscription) bool {
	named := func(i *partnercenter.SubscriptionInstructions) bool {
		return i != nil && !i.CustomTermEndDate.Time().IsZero()
	}
	return named(request.ScheduledNextTermInstructions) ||
		slices.ContainsFunc(request.ScheduledActions, func(a partnercenter.ScheduledAction) bool { return named(a.Instructions) })
}

// customEndDay returns the day that a date names, in UTC.
func customEndDay(date partnercenter.Time) time.Time { return dayOf(date.Time()) }

// within reports whether a day can be the last one of a term: after its first one, and not
// after what is its last one anyway.
func within(day, first time.Time, months int) bool {
	return day.After(first) && !day.After(nthEnd(first, months, 1))
}

// dayOf returns the midnight at which the day of an instant begins, in UTC.
func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

func endOfMonth(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC)
}

// forgetCustomEnd has the terms count from the day after a term that is over and that
// ended early. It reports whether there was one.
func (s *Subscription) forgetCustomEnd() bool {
	if s.Document.CustomTermEndDate.IsZero() {
		return false
	}
	s.Facts.TermStart, s.Document.CustomTermEndDate = customEndDay(s.Document.CustomTermEndDate).AddDate(0, 0, 1), partnercenter.Time{}
	return true
}

// charges returns how many billing cycles the first term of a line has that begins on a
// day. Of a term that ends early the last one counts by its days. Legacy offers have no
// term.
func charges(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, first time.Time) *big.Rat {
	months, term := catalog.CycleMonths(cycle), catalog.TermMonths(text(line.TermDuration))
	if line.CustomTermEndDate.IsZero() || term == 0 {
		if months == 0 || line.TermDuration == nil {
			return big.NewRat(1, 1)
		}
		return big.NewRat(int64(max(1, term/months)), 1)
	}
	if months == 0 {
		months = term // it is charged once
	}
	next, whole := customEndDay(line.CustomTermEndDate).AddDate(0, 0, 1), 0
	starts := func(n int) time.Time { return nthEnd(first, months, n).AddDate(0, 0, 1) }
	for !starts(whole + 1).After(next) {
		whole++
	}
	days := func(from, to time.Time) int64 { return int64(to.Sub(from) / (24 * time.Hour)) }
	part := big.NewRat(days(starts(whole), next), days(starts(whole), starts(whole+1)))
	return part.Add(part, big.NewRat(int64(whole), 1))
}

// billed returns how many times the price of a line its first term costs. That of a term
// which is shorter than the billing cycle is for the term.
func billed(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, first time.Time) *big.Rat {
	n, once := charges(line, cycle, first), big.NewRat(1, 1)
	if n.Cmp(once) < 0 {
		return once
	}
	return n
}

// prorate sets what a line costs in a first term that ends early, with its first charge.
// What it costs in whole terms stays.
func prorate(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, first time.Time) {
	if line.Pricing == nil || line.CustomTermEndDate.IsZero() {
		return
	}
	prices := *line.Pricing
	amount, err := prices.DiscountedPrice.Rat()
	if err != nil {
		return
	}
	prices.Price = prices.DiscountedPrice
	if share := charges(line, cycle, first); share.Cmp(big.NewRat(1, 1)) < 0 {
		prices.Price = partnercenter.Decimal(amount.Mul(amount, share).FloatString(max(minFraction, fraction(prices.DiscountedPrice))))
	}
	prices.ProratedPrice, prices.ExtendedPrice = prices.Price, times(prices.Price, quantity(line))
	line.Pricing = &prices
}

// wholePrice returns the unit price of a line in terms that do not end early.
func wholePrice(line *partnercenter.OrderLineItem) partnercenter.Decimal {
	if line.CustomTermEndDate.IsZero() {
		return line.Pricing.Price
	}
	return line.Pricing.DiscountedPrice
}

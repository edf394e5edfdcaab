package lifecycle

import (
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// nthEnd returns the last day of the n-th of the periods that begin on a day and have a
// length in months. It counts from that day, not from the previous end, because ends in
// short months come early: what begins on the 31st ends on the 27th of February and on
// the 30th of March.
func nthEnd(first time.Time, months, n int) time.Time {
	month := time.Date(first.Year(), first.Month()+time.Month(n*months), 1, 0, 0, 0, 0, time.UTC)
	days := month.AddDate(0, 1, -1).Day()
	return month.AddDate(0, 0, min(first.Day(), days)-2)
}

// endAt returns the end of the period that an instant is in, or of the first one before
// that. The next period begins at midnight after an end.
func endAt(first time.Time, months int, now time.Time) time.Time {
	now = now.UTC()
	passed := 12*(now.Year()-first.Year()) + int(now.Month()-first.Month())
	n := max(1, passed/months) // never too late: it ends in this month or earlier
	for {
		end := nthEnd(first, months, n)
		if end.Year() > never.Year()-1 {
			return never
		}
		if now.Before(end.AddDate(0, 0, 1)) {
			return end
		}
		n++
	}
}

// termMonths returns the length of a subscription's term, 0 if it has no end.
func (s *Subscription) termMonths() int {
	d := &s.Document
	months := catalog.TermMonths(d.TermDuration)
	switch {
	case s.Facts.Kind == catalog.Usage || s.Facts.Kind == catalog.AzurePlan:
		return 0
	case months > 0:
		return months
	case d.IsTrial != nil && *d.IsTrial:
		return 1
	}
	return 12
}

// renews reports whether another term follows the current one.
func (s *Subscription) renews() bool {
	return isActive(s) && s.Document.AutoRenewEnabled != nil && *s.Document.AutoRenewEnabled
}

// setEnds sets the ends of the term and of the billing cycle that an instant is in.
// The term of a subscription that does not renew stays, and its last billing cycle ends
// with it.
func (s *Subscription) setEnds(now time.Time) {
	d := &s.Document
	first := d.EffectiveStartDate.Time().UTC().Truncate(24 * time.Hour)
	if !s.Facts.TermStart.IsZero() {
		first = s.Facts.TermStart
	}
	end, months := never, s.termMonths()
	switch {
	case months == 0 || first.Year() >= never.Year()-1: // no end, or no start before a purchase order
	case d.CommitmentEndDate.IsZero() || s.renews():
		end = endAt(first, months, now)
	default:
		end = d.CommitmentEndDate.Time()
	}
	d.CommitmentEndDate = firstInstant(end)
	if s.Facts.Kind.Legacy() {
		return
	}
	d.CommitmentEndDateTime = lastSecond(end)
	if end.Year() == never.Year() {
		return
	}
	cycleEnd := end
	if cycle := catalog.CycleMonths(d.BillingCycle); cycle > 0 {
		if at := endAt(first, cycle, now); at.Before(end) {
			cycleEnd = at
		}
	}
	d.BillingCycleEndDate, d.BillingCycleEndDateTime = firstInstant(cycleEnd), lastSecond(cycleEnd)
}

// advance brings a subscription up to date: what was scheduled for the next term, and
// the ends, before a change that stops it from renewing, or makes it renew again. A
// deleted one keeps what it had.
func (s *Subscription) advance(now time.Time) {
	if s.Document.Status.Normalize() != partnercenter.SubscriptionStatusDeleted {
		s.startScheduled(now)
		s.setEnds(now)
	}
}

// startScheduled begins the term that instructions are for, once the one before is over.
// Terms and billing cycles count from it if it has another length.
func (s *Subscription) startScheduled(now time.Time) {
	d := &s.Document
	i, start := d.ScheduledNextTermInstructions, d.CommitmentEndDate.Time().AddDate(0, 0, 1)
	if i == nil || !s.renews() || now.Before(start) {
		return
	}
	months := s.termMonths()
	s.Facts.Seats = slices.Clone(s.Facts.Seats)
	s.setQuantity(*i.Quantity, start)
	d.TermDuration, d.BillingCycle = i.Product.TermDuration, i.Product.BillingCycle
	d.ScheduledNextTermInstructions = nil
	if s.termMonths() != months {
		s.Facts.TermStart = start
	}
	s.touch()
}

// firstInstant and lastSecond return when a day begins and ends.
func firstInstant(day time.Time) partnercenter.Time {
	return readTime(day.Format(time.DateOnly) + "T00:00:00Z")
}

func lastSecond(day time.Time) partnercenter.Time {
	return readTime(day.Format(time.DateOnly) + "T23:59:59Z")
}

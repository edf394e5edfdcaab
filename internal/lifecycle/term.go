package lifecycle

import (
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
// that, and its number from 1 on. The next period begins at midnight after an end.
func endAt(first time.Time, months int, now time.Time) (end time.Time, n int) {
	now = now.UTC()
	passed := 12*(now.Year()-first.Year()) + int(now.Month()-first.Month())
	n = max(1, passed/months) // never too late: it ends in this month or earlier
	for {
		end := nthEnd(first, months, n)
		if end.Year() > never.Year()-1 {
			return never, n
		}
		if now.Before(end.AddDate(0, 0, 1)) {
			return end, n
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

// renews reports whether another term follows the current one: because it is to renew, or
// to become another item, or because it is in an extended service term that is not to be
// cancelled.
func (s *Subscription) renews() bool {
	if !isActive(s) {
		return false
	}
	action := s.plan().action
	return isTrue(s.Document.AutoRenewEnabled) || action == partnercenter.ScheduledActionTypeTransition ||
		s.Facts.Extended != nil && action != partnercenter.ScheduledActionTypeCancel
}

// first returns the day on which the first of the current terms began.
func (s *Subscription) first() time.Time {
	if !s.Facts.TermStart.IsZero() {
		return s.Facts.TermStart
	}
	return dayOf(s.Document.EffectiveStartDate.Time())
}

// hasEnd reports whether the subscription's terms have ends. Those of Azure have none,
// nor has what waits for a purchase order.
func (s *Subscription) hasEnd() bool { return s.termMonths() > 0 && s.first().Year() < never.Year()-1 }

// setEnds sets the ends of the term and of the billing cycle that an instant is in.
// The term of a subscription that does not renew stays, and its last billing cycle ends
// with it.
func (s *Subscription) setEnds(now time.Time) {
	d, end := &s.Document, never
	switch {
	case !s.hasEnd():
	case !d.CustomTermEndDate.IsZero():
		end = customEndDay(d.CustomTermEndDate)
	case d.CommitmentEndDate.IsZero() || s.renews():
		end, _ = endAt(s.first(), s.termMonths(), now)
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
		if at, _ := endAt(s.first(), cycle, now); at.Before(end) {
			cycleEnd = at
		}
	}
	d.BillingCycleEndDate, d.BillingCycleEndDateTime = firstInstant(cycleEnd), lastSecond(cycleEnd)
}

// nextTerm returns when the term after the stored one begins.
func (s *Subscription) nextTerm() time.Time {
	return s.Document.CommitmentEndDate.Time().AddDate(0, 0, 1)
}

// firstInstant and lastSecond return when a day begins and ends.
func firstInstant(day time.Time) partnercenter.Time {
	return readTime(day.Format(time.DateOnly) + "T00:00:00Z")
}

func lastSecond(day time.Time) partnercenter.Time {
	return readTime(day.Format(time.DateOnly) + "T23:59:59Z")
}

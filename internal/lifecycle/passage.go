package lifecycle

import (
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// advance brings a subscription up to date: what time has done to it since it was stored.
// Reads show the result and store nothing; a change is based on it, and stores it. A
// deleted one keeps what it had.
func (s *Subscription) advance(now time.Time) {
	end := s.baseDeleted(now)
	if end.IsZero() {
		s.advanceAlone(now)
		return
	}
	before := end.Add(-1)
	if now.Before(before) {
		before = now // the clock was set back
	}
	if s.advanceAlone(before); !isDeleted(s) {
		s.delete(end)
		s.touch()
	}
}

// advanceAlone is advance for what is no add-on.
func (s *Subscription) advanceAlone(now time.Time) {
	s.Facts.Renewals = renewedBy(s.Facts.Renewals, now)
	for {
		at, happen := s.nextDated()
		if happen == nil || now.Before(at) {
			break
		}
		s.pass(at.Add(-1))
		happen(s, at)
	}
	s.pass(now)
}

// nextDated returns the next of what is scheduled for a date, nil for nothing.
func (s *Subscription) nextDated() (at time.Time, happen func(*Subscription, time.Time)) {
	if s.Document.NextChargeInstructions != nil {
		at, happen = s.Facts.NextCharge, (*Subscription).charge
	}
	if action := s.Facts.ActionAt; !action.IsZero() && (happen == nil || action.Before(at)) {
		at, happen = action, (*Subscription).act
	}
	return at, happen
}

// pass is advance for a time in which nothing but terms end.
func (s *Subscription) pass(now time.Time) {
	for !isDeleted(s) {
		start := s.nextTerm()
		switch over := s.hasEnd() && !s.Document.CommitmentEndDate.IsZero() && !now.Before(start); {
		case over && s.renews() && s.changesNext():
			s.renewUntil(start.Add(-1)) // it may have begun by itself since it was stored
			s.startTerm(start, false)
		case over && s.ages() && s.ends():
			if !s.end(start, now) {
				return
			}
		default:
			s.setEnds(now)
			s.renewUntil(now)
			return
		}
	}
}

// ages reports whether terms of the subscription have ends that matter. One of a loaded
// order stays as it was loaded until a change says that it is to end.
func (s *Subscription) ages() bool { return !s.Facts.Since.IsZero() || s.Facts.Ends }

// ends reports whether the subscription is one that ends with its term: neither renewing
// nor deleted or loaded in another state.
func (s *Subscription) ends() bool {
	return !s.renews() && (isActive(s) || s.Document.Status.Normalize() == partnercenter.SubscriptionStatusSuspended)
}

// changesNext reports whether the term after the stored one is another than that, or
// follows an early end.
func (s *Subscription) changesNext() bool {
	return !s.Document.CustomTermEndDate.IsZero() || s.plan().instructions != nil || s.plan().action != "" || s.Facts.Extended != nil && isTrue(s.Document.AutoRenewEnabled)
}

// startTerm begins a term that was scheduled, or one after an extended service term or an
// early end. Terms and billing cycles count from it if it or the one before it has another
// length, or if it is to begin on a date.
func (s *Subscription) startTerm(start time.Time, dated bool) {
	d, months, p := &s.Document, s.termMonths(), s.plan()
	i, counts := p.instructions, s.forgetCustomEnd() || dated
	if x := s.Facts.Extended; x != nil && (isTrue(d.AutoRenewEnabled) || i != nil || dated) {
		d.TermDuration, d.BillingCycle, s.Facts.Extended, counts = x.TermDuration, x.BillingCycle, nil, true
	}
	if i != nil {
		s.Facts.Seats = slices.Clone(s.Facts.Seats)
		s.setQuantity(*i.Quantity, start)
		if p.becomes != nil || d.TermDuration != i.Product.TermDuration || d.BillingCycle != i.Product.BillingCycle || i.Product.PromotionID != "" {
			d.PromotionID = i.Product.PromotionID // one is for an item, a term and a cycle
		}
		d.TermDuration, d.BillingCycle = i.Product.TermDuration, i.Product.BillingCycle
		if p.becomes != nil {
			s.become(p.becomes, start)
		}
		d.CustomTermEndDate = i.CustomTermEndDate
		counts = counts || !d.CustomTermEndDate.IsZero()
	}
	s.setPlan(schedule{})
	d.CommitmentEndDate = partnercenter.Time{}
	if counts || s.termMonths() != months {
		s.Facts.TermStart = start
	}
	if !d.CustomTermEndDate.IsZero() {
		s.setEnds(start) // it may be over, too
	}
	s.touch()
	if !s.renews() { // it ends with this term, whatever the time is
		s.setEnds(start)
		s.renewUntil(start)
	}
}

// act does what is scheduled for a date.
func (s *Subscription) act(at time.Time) {
	s.Facts.ActionAt = time.Time{}
	switch {
	case !isActive(s):
		s.setPlan(schedule{})
	case s.plan().action == partnercenter.ScheduledActionTypeCancel:
		s.Document.CommitmentEndDate = firstInstant(at.AddDate(0, 0, -1))
	default:
		s.Document.NextChargeInstructions, s.Facts.NextCharge = nil, time.Time{}
		s.startTerm(at, true)
	}
}

// charge makes the change that is scheduled for a charge.
func (s *Subscription) charge(at time.Time) {
	d := &s.Document
	i := d.NextChargeInstructions
	d.NextChargeInstructions, s.Facts.NextCharge = nil, time.Time{}
	if !isActive(s) && d.Status.Normalize() != partnercenter.SubscriptionStatusSuspended {
		return
	}
	s.Facts.Seats = slices.Clone(s.Facts.Seats)
	s.setQuantity(*i.Quantity, at)
	if d.BillingCycle != i.Product.BillingCycle {
		d.BillingCycle, d.PromotionID = i.Product.BillingCycle, ""
	}
	s.touch()
}

// An ending is what becomes of subscriptions that do not renew when their term is over.
// The first that applies is taken.
type ending struct {
	of      string // for docs/lifecycle.md
	applies func(s *Subscription, last time.Time) bool
	// extends says that an extended service term begins.
	extends bool
	// stages follow each other from the end of the term on, and then it is deleted.
	stages []stage
}

// stage is a state for a number of days.
type stage struct {
	status partnercenter.SubscriptionStatus
	reason string // of a suspension
	days   int
}

// The extended service term is for terms that end from one day on, of what was bought
// from another day on.
var (
	extendsBought = time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	extendsEnding = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
)

// endings are the rules about ends of terms.
var endings = []ending{
	{
		"of a legacy offer",
		func(s *Subscription, _ time.Time) bool { return s.Facts.Kind.Legacy() },
		false, []stage{{partnercenter.SubscriptionStatusSuspended, "Expiration", 120}},
	},
	{
		"suspended",
		func(s *Subscription, _ time.Time) bool { return !isActive(s) },
		false, []stage{{partnercenter.SubscriptionStatusDisabled, "", 120}},
	},
	{
		"to be cancelled by `scheduledActions`",
		func(s *Subscription, _ time.Time) bool {
			return s.plan().action == partnercenter.ScheduledActionTypeCancel
		},
		false, []stage{{partnercenter.SubscriptionStatusDisabled, "", 90}},
	},
	{
		"of an online service that is no trial, bought from 2025-04-01 on, in a term that ends on 2026-05-04 or later",
		(*Subscription).extends, true, nil,
	},
	{
		"any other",
		func(*Subscription, time.Time) bool { return true },
		false, []stage{{partnercenter.SubscriptionStatusExpired, "", 30}, {partnercenter.SubscriptionStatusDisabled, "", 90}},
	},
}

// extends reports whether an extended service term can follow a term with this last day.
func (s *Subscription) extends(last time.Time) bool {
	return s.Facts.Kind == catalog.OnlineService && !isTrue(s.Document.IsTrial) &&
		!last.Before(extendsEnding) && !s.Document.EffectiveStartDate.Time().Before(extendsBought)
}

// end is what happens at the end of a term that none of the same kind follows. It reports
// whether another term begins.
func (s *Subscription) end(start, now time.Time) bool {
	d, last := &s.Document, start.AddDate(0, 0, -1)
	e := endings[slices.IndexFunc(endings, func(e ending) bool { return e.applies(s, last) })]
	s.setEnds(start.Add(-1))
	if e.extends {
		s.Facts.Extended = &Extended{TermDuration: d.TermDuration, BillingCycle: d.BillingCycle}
		s.forgetCustomEnd()
		s.Facts.TermStart = start
		d.TermDuration, d.BillingCycle = "P1M", partnercenter.BillingCycleTypeMonthly
		s.setPlan(schedule{})
		d.CommitmentEndDate = partnercenter.Time{}
		s.touch()
		return true
	}
	s.setPlan(schedule{})
	until := start
	for _, stage := range e.stages {
		d.Status, d.SuspensionReasons = stage.status, nil
		if stage.reason != "" {
			d.SuspensionReasons = []string{stage.reason}
		}
		if stage.status != partnercenter.SubscriptionStatusSuspended {
			d.AutoRenewEnabled = new(false) // it was suspended before its end
		}
		s.touch()
		if until = until.AddDate(0, 0, stage.days); now.Before(until) {
			return false
		}
	}
	s.delete(until)
	s.touch()
	return false
}

// resume begins the term that an instant is in, of a subscription that was to end with an
// earlier one.
func (s *Subscription) resume(now time.Time) {
	if !s.hasEnd() || now.Before(s.nextTerm()) {
		return
	}
	s.forgetCustomEnd()
	s.Document.CommitmentEndDate = partnercenter.Time{}
	s.setEnds(now)
	s.renewUntil(now)
}

func isDeleted(s *Subscription) bool {
	return s.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted
}

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
	s.Facts.Renewals = renewedBy(s.Facts.Renewals, now)
	if at := s.Facts.NextCharge; s.Document.NextChargeInstructions != nil && !now.Before(at) {
		s.pass(at.Add(-1))
		s.charge(at)
	}
	s.pass(now)
}

// pass is advance for a time in which nothing but terms end.
func (s *Subscription) pass(now time.Time) {
	for !isDeleted(s) {
		start := s.nextTerm()
		switch over := s.hasEnd() && !s.Document.CommitmentEndDate.IsZero() && !now.Before(start); {
		case over && s.renews() && s.changesNext():
			s.startTerm(start)
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

// changesNext reports whether the term after the stored one is another than that.
func (s *Subscription) changesNext() bool {
	return s.plan().instructions != nil || s.plan().action != "" || s.Facts.Extended != nil && isTrue(s.Document.AutoRenewEnabled)
}

// startTerm begins a term that was scheduled, or one after an extended service term. Terms
// and billing cycles count from it if it has another length.
func (s *Subscription) startTerm(start time.Time) {
	d, months, i := &s.Document, s.termMonths(), s.plan().instructions
	counts := false
	if x := s.Facts.Extended; x != nil && isTrue(d.AutoRenewEnabled) {
		d.TermDuration, d.BillingCycle, s.Facts.Extended, counts = x.TermDuration, x.BillingCycle, nil, true
	}
	if i != nil {
		s.Facts.Seats = slices.Clone(s.Facts.Seats)
		s.setQuantity(*i.Quantity, start)
		d.TermDuration, d.BillingCycle = i.Product.TermDuration, i.Product.BillingCycle
	}
	d.ScheduledNextTermInstructions, d.ScheduledActions, d.CommitmentEndDate = nil, nil, partnercenter.Time{}
	if counts || s.termMonths() != months {
		s.Facts.TermStart = start
	}
	s.touch()
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
	d.BillingCycle = i.Product.BillingCycle
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
		s.Facts.TermStart = start
		d.TermDuration, d.BillingCycle = "P1M", partnercenter.BillingCycleTypeMonthly
		d.ScheduledActions, d.CommitmentEndDate = nil, partnercenter.Time{}
		s.touch()
		return true
	}
	d.ScheduledNextTermInstructions, d.ScheduledActions = nil, nil
	until := start
	for _, stage := range e.stages {
		d.Status, d.SuspensionReasons = stage.status, nil
		if stage.reason != "" {
			d.SuspensionReasons = []string{stage.reason}
		}
		s.touch()
		if until = until.AddDate(0, 0, stage.days); now.Before(until) {
			return false
		}
	}
	s.delete()
	s.touch()
	return false
}

// resume begins the term that an instant is in, of a subscription that was to end with an
// earlier one.
func (s *Subscription) resume(now time.Time) {
	if !s.hasEnd() || now.Before(s.nextTerm()) {
		return
	}
	s.Document.CommitmentEndDate = partnercenter.Time{}
	s.setEnds(now)
	s.renewUntil(now)
}

func isDeleted(s *Subscription) bool {
	return s.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted
}

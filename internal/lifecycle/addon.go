package lifecycle

import (
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// An add-on is of use with its base only, and ends with it: at the request that deletes the
// base, or when time does.

// LinkBases sets the bases of those add-ons whose base is among the subscriptions, too; the
// last one, if it is there more than once. It reports whether that of another add-on is missing.
func LinkBases(list []*Subscription) (missing bool) {
	byID := map[string]*Subscription{}
	for _, s := range list {
		if s.Document.ParentSubscriptionID != "" && len(byID) == 0 {
			for _, other := range list {
				byID[Key(other.Document.ID)] = other
			}
		}
	}
	for _, s := range list {
		parent := s.Document.ParentSubscriptionID
		if parent == "" {
			continue
		}
		// Loaded documents may say that two are add-ons of each other.
		if base := byID[Key(parent)]; base != nil && base.Document.ParentSubscriptionID == "" {
			s.Base = base
		}
		missing = missing || s.Base == nil
	}
	return missing
}

// baseDeleted returns when the base of an add-on was deleted, if it is by now. What a request
// deleted is, even if the clock was set back since.
func (s *Subscription) baseDeleted(now time.Time) time.Time {
	switch {
	case s.Base == nil:
		return time.Time{}
	case isDeleted(s.Base):
		return s.Base.Facts.Deleted
	}
	base := s.Base.asOf(now)
	if at := base.Facts.Deleted; isDeleted(base) && !now.Before(at) {
		return at
	}
	return time.Time{}
}

// deleteAddOns deletes the add-ons of a subscription that a request deletes, as far as its
// order has them, and gives back what they cost. Those of other orders end, too, but stay
// charged.
func (o *Order) deleteAddOns(base *Subscription, now time.Time) (events []Event) {
	for _, s := range o.Subscriptions {
		if !ascii.EqualFold(s.Document.ParentSubscriptionID, base.Document.ID) {
			continue
		}
		s.advanceAlone(now)
		if isDeleted(s) {
			continue
		}
		s.delete(now)
		s.touch()
		o.Changed = append(o.Changed, s)
		events = append(events, Event{Kind: "subscription cancelled", SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber})
		events = append(events, o.giveBack(s, now)...)
	}
	return events
}

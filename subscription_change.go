package partnercenter

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// Change reads the subscription, calls change with it, and sends all of it with what
// change has set, so that nothing is turned off by being left out:
//
//	_, err := pc.Customers.ByID(customer).Subscriptions.ByID(id).Change(ctx,
//		func(s *partnercenter.Subscription) error {
//			s.Quantity = new(25)
//			return nil
//		})
//
// What can be set is what [SubscriptionClient.Patch] can change. AutoRenewEnabled is
// filled in again if change removes it; [Subscription.SetAutoRenew] turns it off. To
// remove what is scheduled, set ScheduledNextTermInstructions, NextChargeInstructions or
// ScheduledActions to nil. If nothing differs afterwards, nothing is sent.
//
// The change is made only if the subscription still is what was read, where it has an
// etag, or, with [IfMatch], what it was when it had that one; otherwise the error is an
// [*Error] with status 400 and code 2055: call Change again. Subscriptions of new commerce
// have no etag in Microsoft's samples, so that there a change of somebody else's between
// reading and sending is overwritten. An error of change is returned as it is. Other
// errors, and the returned state, are those of [SubscriptionClient.Patch].
//
// The id of [WithRequestID] is that of the write. As what is sent depends on what was
// read, repeating Change with an id can be refused as another request: to repeat exactly
// the same write after a crash, save the subscription and use Patch.
func (c *SubscriptionClient) Change(ctx context.Context, change func(*Subscription) error, opts ...PatchOption) (*Subscription, error) {
	if change == nil {
		return nil, errors.New("partnercenter: there is no change: pass a function to Change")
	}
	s, err := c.Get(withoutRequestID(ctx))
	if err != nil {
		return nil, err
	}
	before, err := Marshal(s)
	if err != nil {
		return nil, err
	}
	var renews *bool
	if s.AutoRenewEnabled != nil {
		renews = new(*s.AutoRenewEnabled)
	}
	if a := s.Attributes; len(opts) == 0 && a != nil && a.Etag != nil && *a.Etag != "" {
		opts = []PatchOption{IfMatch(*a.Etag)}
	}
	if err := change(s); err != nil {
		return nil, err
	}
	if s.AutoRenewEnabled == nil {
		s.AutoRenewEnabled = renews
	}
	after, err := Marshal(s)
	if err == nil && bytes.Equal(before, after) {
		return s, nil
	}
	return c.Patch(ctx, s, opts...) // which fails if s cannot be written as JSON
}

// SetAutoRenew says whether the subscription renews when its term ends, and removes what
// is scheduled for then and contradicts that: the service refuses both together.
func (s *Subscription) SetAutoRenew(enabled bool) {
	s.AutoRenewEnabled = &enabled
	kept := slices.DeleteFunc(slices.Clone(s.ScheduledActions), func(a ScheduledAction) bool {
		kind := a.ActionType.Normalize()
		return kind != ScheduledActionTypeTransition && enabled != (kind == ScheduledActionTypeRenew)
	})
	if s.ScheduledActions = kept; len(kept) == 0 {
		s.ScheduledActions = nil
	}
	if !enabled {
		s.ScheduledNextTermInstructions = nil
	}
}

package partnercenter

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// WaitOptions say how [OrderClient.WaitVisible] waits. The zero value waits as
// long as a new order may take to be listed, and some minutes more.
type WaitOptions struct {
	// Timeout is how long to wait. Zero means DefaultWaitTimeout; negative
	// means for as long as the context lets it.
	Timeout time.Duration
	// Interval is the pause after the first look, which grows by half each
	// time, up to MaxInterval. Zero means 5 and 30 seconds: the service counts
	// requests by the minute. Neither may be negative.
	Interval, MaxInterval time.Duration
	// Progress, if not nil, is called before each pause, with the time since
	// the beginning and the pause to come.
	Progress func(waited, pause time.Duration)
}

// WaitVisible waits until the list of the customer's orders has the order, and
// returns it as the list has it. It reads the order by its id first, so that an
// unknown id fails at once, as [OrderClient.Get] does. After the timeout the
// error is [ErrNotVisible]; when the context ends it is the context's.
//
// Nil options mean the defaults.
func (c *OrderClient) WaitVisible(ctx context.Context, opts *WaitOptions) (*Order, error) {
	var o WaitOptions
	if opts != nil {
		o = *opts
	}
	o.Timeout = cmp.Or(o.Timeout, DefaultWaitTimeout)
	o.Interval = cmp.Or(o.Interval, 5*time.Second)
	o.MaxInterval = cmp.Or(o.MaxInterval, 30*time.Second)
	if o.Interval < 0 || o.MaxInterval < 0 {
		return nil, fmt.Errorf("partnercenter: WaitOptions has Interval %s and MaxInterval %s: neither can be negative; zero means the default", o.Interval, o.MaxInterval)
	}
	ctx = withoutRequestID(ctx)
	order, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	list := c.list
	if kind := order.TransactionType.Normalize(); kind != "" && kind != OrderTransactionTypeUserPurchase {
		list = list.asking([]OrdersOption{IncludeSystemPurchases()}) // never listed without
	}
	started := time.Now()
	for pause := o.Interval; ; pause = min(pause+pause/2, o.MaxInterval) {
		listed, err := listed(ctx, list, order.ID)
		if listed != nil || err != nil {
			return listed, err
		}
		waited := time.Since(started)
		if o.Timeout > 0 && waited >= o.Timeout {
			return nil, fmt.Errorf("%w (order %s, after %s)", ErrNotVisible, order.ID, waited.Round(time.Second))
		}
		if o.Timeout > 0 {
			pause = min(pause, o.Timeout-waited)
		}
		if o.Progress != nil {
			o.Progress(waited, pause)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// listed returns an order as the list has it, nil while it does not. Lists
// that are short are looked through all the same: the next look tells.
func listed(ctx context.Context, list resource, id string) (*Order, error) {
	next := linked[Order](ctx, list)
	for {
		page, err := next()
		if page == nil || err != nil {
			return nil, err
		}
		for _, order := range page.Items {
			if order != nil && sameID(order.ID, id) {
				return order, nil
			}
		}
	}
}

// sameID compares ids of orders: GUIDs without case, shorter ones exactly.
func sameID(a, b string) bool {
	const guid = 36
	return a == b || len(a) == guid && len(b) == guid && strings.EqualFold(a, b)
}

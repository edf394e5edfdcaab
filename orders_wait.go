package partnercenter

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// WaitOptions are the options of [OrderClient.WaitVisible]. The zero value
// waits a few minutes longer than a new order may take to be listed.
type WaitOptions struct {
	// Timeout is the maximum wait. Zero means DefaultWaitTimeout; negative
	// means no limit but the context's.
	Timeout time.Duration
	// Interval is the first pause between two requests. It grows by half each
	// time, up to MaxInterval. Zero means 5 seconds, and 30 for MaxInterval.
	// Less than [MinWaitInterval] is an error.
	Interval, MaxInterval time.Duration
	// Progress, if not nil, is called before each pause with the time since the
	// start and the length of the pause.
	Progress func(waited, pause time.Duration)
}

// WaitVisible waits until the list of the customer's orders contains the order,
// and returns it as listed. It reads the order by its id first, so that an
// unknown id fails at once, as for [OrderClient.Get]. After the timeout the
// error is [ErrNotVisible]; if the context ends first, it is the context's.
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
	if o.Interval < MinWaitInterval || o.MaxInterval < MinWaitInterval {
		return nil, fmt.Errorf("partnercenter: WaitOptions has Interval %s and MaxInterval %s: neither can be less than %s; zero means the default", o.Interval, o.MaxInterval, MinWaitInterval)
	}
	ctx = withoutRequestID(ctx)
	order, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	list := c.list
	if kind := order.TransactionType.Normalize(); kind != "" && kind != OrderTransactionTypeUserPurchase {
		list = list.asking([]OrdersOption{IncludeSystemPurchases()}) // not listed otherwise
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

// listed returns an order from the list, nil if it is not there yet. It accepts
// short lists, because the list is read again anyway.
func listed(ctx context.Context, list resource, id string) (*Order, error) {
	next := linked[Order](ctx, list)
	for {
		page, err := next()
		if page == nil || err != nil {
			return nil, err
		}
		for _, order := range page.Items {
			if order != nil && guid.KeyIfGUID(order.ID) == guid.KeyIfGUID(id) {
				return order, nil
			}
		}
	}
}

package server

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// throttleWindow is the period that the documented limits are counted over.
const throttleWindow = time.Minute

// maxThrottleWindows bounds what the throttle remembers, at about 250 bytes a window.
// Only a client that calls for more customers than this within a minute reaches it, and
// then the least recently used count restarts, in the client's favour.
const maxThrottleWindows = 100_000

// Limit says how a call counts towards a partner's rate limits. The zero value does not
// count.
type Limit struct {
	// Resource is the name of the count: orders, subscriptions or customers.
	Resource string
	// PerCustomer counts for each customer of the partner instead of for the partner,
	// so that a partner throttled for one customer still reaches the others.
	PerCustomer bool
	// Write says that the call changes something. Writes weigh more.
	Write bool
}

// The limits of calls. It is documented that there are three counts, which calls belong
// to which, that some are kept by partner and others by partner and customer, and that
// writes are limited sooner; not documented is which are kept how: see
// docs/differences.md.
var (
	uncounted         = Limit{}
	orderRead         = Limit{Resource: "orders"}
	orderWrite        = Limit{Resource: "orders", Write: true}
	subscriptionRead  = Limit{Resource: "subscriptions", PerCustomer: true}
	subscriptionWrite = Limit{Resource: "subscriptions", PerCustomer: true, Write: true}
	customerRead      = Limit{Resource: "customers"}
)

// throttle counts requests in fixed windows, as the gateway in front of the service
// does: it can say exactly when to retry, and refused requests count, too.
//
// Where several servers share a database, it takes blocks of the requests of a window from
// there, and answers them without asking.
//
// https://learn.microsoft.com/partner-center/developer/api-throttling-guidance
type throttle struct {
	limit       int
	writeWeight int
	shared      *store.Store // nil where there is one server

	refused atomic.Uint64 // requests

	mu      sync.Mutex // guards windows and what is in them
	windows *simplelru.LRU[throttleKey, *window]
}

// throttleKey says whose requests are counted; customer is empty where all of the
// partner's are.
type throttleKey struct{ resource, partner, customer string }

type window struct {
	start time.Time
	left  int  // that may still be answered here
	spent bool // there are no more elsewhere

	taking sync.Mutex // held while more are taken from the database
}

// ended reports whether the window has ended, which it also has when the clock was set
// back.
func (w *window) ended(now time.Time) bool {
	elapsed := now.Sub(w.start)
	return elapsed >= throttleWindow || elapsed < 0
}

// newThrottle returns nil for no limit. Shared is the database, if there are other servers.
func newThrottle(perMinute, writeWeight int, shared *store.Store) *throttle {
	if perMinute <= 0 {
		return nil
	}
	windows, _ := simplelru.NewLRU[throttleKey, *window](maxThrottleWindows, nil) // fails only for an invalid size
	return &throttle{limit: perMinute, writeWeight: max(1, writeWeight), shared: shared, windows: windows}
}

// take counts a request. It returns how long to wait if that exceeds the limit.
func (t *throttle) take(ctx context.Context, limit Limit, partner, customer string, now time.Time) (time.Duration, error) {
	key := throttleKey{resource: limit.Resource, partner: partner}
	if limit.PerCustomer && guid.Is(customer) { // anything but a customer id counts for the partner
		key.customer = guid.Key(customer)
	}
	weight := 1
	if limit.Write {
		weight = t.writeWeight
	}
	w, wait, known := t.takeHere(key, weight, now)
	var err error
	if !known {
		w.taking.Lock()
		defer w.taking.Unlock()
		wait, err = t.takeElsewhere(ctx, key, weight, now)
	}
	if wait > 0 {
		t.refused.Add(1)
	}
	return wait, err
}

// takeHere counts a request if that can be done without the database.
func (t *throttle) takeHere(key throttleKey, weight int, now time.Time) (w *window, wait time.Duration, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w = t.window(key, now)
	switch {
	case w.left >= weight:
		w.left -= weight
		return w, 0, true
	case w.spent:
		w.left = 0
		return w, w.start.Add(throttleWindow).Sub(now), true
	}
	return w, 0, false
}

// takeElsewhere takes a block from the database and counts a request.
func (t *throttle) takeElsewhere(ctx context.Context, key throttleKey, weight int, now time.Time) (time.Duration, error) {
	if _, wait, known := t.takeHere(key, weight, now); known { // another request has taken one
		return wait, nil
	}
	taken, start, err := t.shared.TakeRequests(ctx, store.RequestWindow{
		PartnerID: key.partner, CustomerID: key.customer, Resource: key.resource, Limit: t.limit, Length: throttleWindow,
	}, weight, now)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.window(key, now)
	if start.Sub(w.start) > throttleWindow/2 { // the next one, by the clock of another server
		w.left = 0
	}
	w.start = start
	if taken == 0 {
		w.left, w.spent = 0, true
		return w.start.Add(throttleWindow).Sub(now), nil
	}
	w.left += taken - weight
	return 0, nil
}

// window returns the window of a key, which may be a new one.
func (t *throttle) window(key throttleKey, now time.Time) *window {
	t.dropEnded(now)
	w, ok := t.windows.Get(key)
	switch {
	case !ok:
		w = new(window)
		key.customer = strings.Clone(key.customer) // the key would retain the whole path
		t.windows.Add(key, w)
	case !w.ended(now):
		return w
	}
	w.start, w.left, w.spent = now, 0, false
	if t.shared == nil {
		w.left, w.spent = t.limit, true
	}
	return w
}

// forget restarts all windows.
func (t *throttle) forget() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.windows.Purge()
}

// dropEnded drops ended windows. It looks at the least recently used only: those after
// a window that has not ended were used less than a minute ago.
func (t *throttle) dropEnded(now time.Time) {
	for {
		_, oldest, ok := t.windows.GetOldest()
		if !ok || !oldest.ended(now) {
			return
		}
		t.windows.RemoveOldest()
	}
}

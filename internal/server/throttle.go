package server

import (
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/partnercenter-go/partnercenter/internal/guid"
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
// https://learn.microsoft.com/partner-center/developer/api-throttling-guidance
type throttle struct {
	limit       int
	writeWeight int

	mu      sync.Mutex // guards what follows
	windows *simplelru.LRU[throttleKey, *window]
	refused uint64 // requests
}

// throttleKey says whose requests are counted; customer is empty where all of the
// partner's are.
type throttleKey struct{ resource, partner, customer string }

type window struct {
	start time.Time
	count int
}

// ended reports whether the window has ended, which it also has when the clock was set
// back.
func (w *window) ended(now time.Time) bool {
	elapsed := now.Sub(w.start)
	return elapsed >= throttleWindow || elapsed < 0
}

// newThrottle returns nil for no limit.
func newThrottle(perMinute, writeWeight int) *throttle {
	if perMinute <= 0 {
		return nil
	}
	windows, _ := simplelru.NewLRU[throttleKey, *window](maxThrottleWindows, nil) // fails only for an invalid size
	return &throttle{limit: perMinute, writeWeight: max(1, writeWeight), windows: windows}
}

// take counts a request. It returns how long to wait if that exceeds the limit.
func (t *throttle) take(limit Limit, partner, customer string, now time.Time) time.Duration {
	key := throttleKey{resource: limit.Resource, partner: partner}
	if limit.PerCustomer && guid.Is(customer) { // anything but a customer id counts for the partner
		key.customer = guid.Key(customer)
	}
	weight := 1
	if limit.Write {
		weight = t.writeWeight
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropEnded(now)
	w, ok := t.windows.Get(key)
	if !ok {
		w = &window{start: now}
		key.customer = strings.Clone(key.customer) // the key would retain the whole path
		t.windows.Add(key, w)
	} else if w.ended(now) {
		*w = window{start: now}
	}
	w.count += weight
	if w.count <= t.limit {
		return 0
	}
	t.refused++
	return w.start.Add(throttleWindow).Sub(now)
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

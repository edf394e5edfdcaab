package server

import (
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// throttleWindow is the span that the documented limits are counted over.
const throttleWindow = time.Minute

// maxThrottleWindows bounds what the throttle remembers. A window takes about
// 250 bytes. Only who calls for more customers than this within a minute meets
// the bound, and it is in his favour: the customer he left alone for longest
// starts anew.
const maxThrottleWindows = 100_000

// Limit says how a call counts towards the limits of a partner's rate. The zero
// value does not.
type Limit struct {
	// Resource names the count: orders, subscriptions or customers.
	Resource string
	// PerCustomer keeps a count for each customer of the partner instead of one
	// for the partner: who is refused for one customer still reaches the others.
	PerCustomer bool
	// Write says that the call changes something. Writes weigh more.
	Write bool
}

// The limits that calls have. That there are three counts, which calls are on
// one, that some are kept by partner and others by partner and customer, and
// that writes are limited sooner, is documented. Which count is kept how is not:
// see docs/differences.md.
var (
	uncounted         = Limit{}
	orderRead         = Limit{Resource: "orders"}
	orderWrite        = Limit{Resource: "orders", Write: true}
	subscriptionRead  = Limit{Resource: "subscriptions", PerCustomer: true}
	subscriptionWrite = Limit{Resource: "subscriptions", PerCustomer: true, Write: true}
	customerRead      = Limit{Resource: "customers"}
)

// throttle counts requests in fixed windows, as the gateway in front of the
// service does: it can say exactly when to come back, and requests that are
// refused count too.
//
// https://learn.microsoft.com/partner-center/developer/api-throttling-guidance
type throttle struct {
	limit       int
	writeWeight int

	mu      sync.Mutex // guards windows
	windows *simplelru.LRU[throttleKey, *window]
}

// throttleKey is whose requests are counted; customer is empty where all of the
// partner's are.
type throttleKey struct{ resource, partner, customer string }

type window struct {
	start time.Time
	count int
}

// over reports whether a window has ended. A clock that was set back ends it
// too.
func (w *window) ended(now time.Time) bool {
	elapsed := now.Sub(w.start)
	return elapsed >= throttleWindow || elapsed < 0
}

// newThrottle returns nil for no limit.
func newThrottle(perMinute, writeWeight int) *throttle {
	if perMinute <= 0 {
		return nil
	}
	windows, _ := simplelru.NewLRU[throttleKey, *window](maxThrottleWindows, nil) // fails for no size only
	return &throttle{limit: perMinute, writeWeight: max(1, writeWeight), windows: windows}
}

// take counts a request. It returns how long to wait when that is one too many.
func (t *throttle) take(limit Limit, partner, customer string, now time.Time) time.Duration {
	key := throttleKey{resource: limit.Resource, partner: partner}
	if limit.PerCustomer && guid.Is(customer) { // what is no id of a customer is no customer's
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
		key.customer = strings.Clone(key.customer) // it would hold on to the whole path
		t.windows.Add(key, w)
	} else if w.ended(now) {
		*w = window{start: now}
	}
	w.count += weight
	if w.count <= t.limit {
		return 0
	}
	return w.start.Add(throttleWindow).Sub(now)
}

// forget starts all windows anew.
func (t *throttle) forget() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.windows.Purge()
}

// dropEnded forgets windows that have ended. It looks at those used longest ago
// only: whatever is behind one that goes on was used less than a minute ago.
func (t *throttle) dropEnded(now time.Time) {
	for {
		_, oldest, ok := t.windows.GetOldest()
		if !ok || !oldest.ended(now) {
			return
		}
		t.windows.RemoveOldest()
	}
}

package partnercenter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// BudgetClass names requests that the service counts together.
type BudgetClass string

// The classes. Requests for anything else, such as the catalog, are on no
// budget.
const (
	BudgetClassOrders        BudgetClass = "orders"        // orders and carts of customers
	BudgetClassSubscriptions BudgetClass = "subscriptions" // subscriptions of customers, and product upgrades
	BudgetClassCustomers     BudgetClass = "customers"     // customers themselves, and lists of them
)

var budgetClasses = [...]BudgetClass{BudgetClassOrders, BudgetClassSubscriptions, BudgetClassCustomers}

// BudgetOptions are the options of [NewBudget]. The zero value is what the
// service documents.
type BudgetOptions struct {
	// RequestsPerMinute is the rate of each class. Zero and less mean
	// DefaultRequestsPerMinute. Give less when other programs call the service
	// for the same partner.
	RequestsPerMinute int

	// WriteWeight is how many requests a POST, PUT, PATCH or DELETE counts as.
	// Zero and less mean DefaultWriteWeight; more than RequestsPerMinute means as
	// many.
	WriteWeight int

	// OnWait, if not nil, is told before a request waits. It is called by the
	// goroutine that is about to wait, by several at once.
	OnWait func(BudgetWait)
}

// BudgetWait says that a request has to wait for its budget.
type BudgetWait struct {
	Class BudgetClass
	// For is how long it will be at least. It is longer when answers are slow to
	// come, or the service asks to wait meanwhile.
	For time.Duration
	// Waiting is how many requests of the class wait, with this one.
	Waiting           int
	RequestsPerMinute int
	// Throttled says that it is for the service's sake, which refused a request
	// and said when to come back.
	Throttled bool
}

// BudgetError says that a request was not sent, because its context would have
// ended before the budget had room. It is a [context.DeadlineExceeded].
type BudgetError struct{ BudgetWait }

func (e *BudgetError) Error() string {
	reason := fmt.Sprintf("the budget of %d %s requests a minute is spent", e.RequestsPerMinute, e.Class)
	if e.Throttled {
		reason = fmt.Sprintf("the service takes no %s requests for now", e.Class)
	}
	return fmt.Sprintf("partnercenter: %s and the call's deadline comes before the %s that it would wait, with %d waiting: nothing was sent; give the call more time or make fewer calls at once",
		reason, e.For.Round(time.Millisecond), e.Waiting)
}

// Unwrap returns context.DeadlineExceeded.
func (e *BudgetError) Unwrap() error { return context.DeadlineExceeded }

// NonRetriable tells azcore's retries that trying again at once is no use.
func (e *BudgetError) NonRetriable() {}

// Budget keeps requests within the rate that the service allows a partner: it
// makes them wait instead of being refused. Requests of a class are sent in the
// order in which they came.
//
// In no minute, wherever it begins, do more requests of a class reach the
// service than the budget's rate. All tries of a call count. Where the service
// counts for each customer the budget counts for the partner, which is never
// more.
//
// The service has the last word: after a 429 with Retry-After nothing of the
// class is sent until then.
//
// A budget is one partner's. Share it among all clients that sign in to that
// partner, and only those. It is safe for concurrent use.
type Budget struct {
	perMinute, writeWeight int
	onWait                 func(BudgetWait)

	mu     sync.Mutex // guards meters
	meters [len(budgetClasses)]meter
}

// NewBudget returns a budget of which nothing is spent. Nil options mean the
// documented limits.
func NewBudget(opts *BudgetOptions) *Budget {
	var o BudgetOptions
	if opts != nil {
		o = *opts
	}
	if o.RequestsPerMinute <= 0 {
		o.RequestsPerMinute = DefaultRequestsPerMinute
	}
	if o.WriteWeight <= 0 {
		o.WriteWeight = DefaultWriteWeight
	}
	b := &Budget{
		perMinute:   o.RequestsPerMinute,
		writeWeight: min(o.WriteWeight, o.RequestsPerMinute),
		onWait:      o.OnWait,
	}
	for i := range b.meters {
		b.meters[i].limit = b.perMinute
	}
	return b
}

// BudgetState is a class's part of a [Budget] at a moment.
type BudgetState struct {
	Class BudgetClass
	// Remaining is how many requests could be sent at once. A write takes
	// several of them.
	Remaining int
	// Waiting is how many requests wait.
	Waiting int
	// ThrottledUntil is when the service, which refused a request, wants to be
	// asked again. It is zero when it does not say so, or the time has come.
	ThrottledUntil time.Time
}

// Snapshot returns the state of each class.
func (b *Budget) Snapshot() []BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	states := make([]BudgetState, len(b.meters))
	for i := range b.meters {
		m := &b.meters[i]
		m.expire(now)
		states[i] = BudgetState{Class: budgetClasses[i], Remaining: m.limit - m.inFlight - m.spentUnits, Waiting: len(m.queue)}
		if now.Before(m.blocked) {
			states[i].Remaining, states[i].ThrottledUntil = 0, m.blocked
		}
	}
	return states
}

// take waits until units of a class's budget are free, and takes them. Who got
// them calls done.
func (b *Budget) take(ctx context.Context, class, units int) error {
	b.mu.Lock()
	m := &b.meters[class]
	now := time.Now()
	if len(m.queue) == 0 && m.fits(units, now) {
		m.inFlight += units
		b.mu.Unlock()
		return nil
	}
	at := m.earliest(units, now)
	wait := BudgetWait{
		Class: budgetClasses[class], For: at.Sub(now), Waiting: len(m.queue) + 1,
		RequestsPerMinute: b.perMinute, Throttled: now.Before(m.blocked),
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(at) {
		b.mu.Unlock()
		return &BudgetError{wait}
	}
	w := &waiter{units: units, ready: make(chan struct{})}
	m.queue = append(m.queue, w)
	if len(m.queue) == 1 {
		b.grant(class, now)
	}
	b.mu.Unlock()

	if b.onWait != nil {
		b.onWait(wait)
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(m.queue, w); i >= 0 {
		m.queue = slices.Delete(m.queue, i, i+1)
	} else { // granted at the same moment
		m.inFlight -= units
	}
	b.grant(class, time.Now()) // what is behind may need less
	return ctx.Err()
}

// done says that a request which took units was answered, or will not be.
// A positive retryAfter is what the service asks to wait for with a 429.
func (b *Budget) done(class, units int, retryAfter time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &b.meters[class]
	now := time.Now()
	m.done(units, now)
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(m.blocked) {
		m.blocked = until
	}
	b.grant(class, now)
}

// giveBack says that a request which took units was not sent.
func (b *Budget) giveBack(class, units int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meters[class].inFlight -= units
	b.grant(class, time.Now())
}

// grant lets go whom there is room for, and comes back when there is room for
// the next. The caller holds mu.
func (b *Budget) grant(class int, now time.Time) {
	m := &b.meters[class]
	for len(m.queue) > 0 && m.fits(m.queue[0].units, now) {
		m.inFlight += m.queue[0].units
		close(m.queue[0].ready)
		m.queue = slices.Delete(m.queue, 0, 1)
	}
	if len(m.queue) == 0 {
		if m.timer != nil {
			m.timer.Stop()
			m.timer = nil
		}
		return
	}
	at, known := m.room(m.queue[0].units)
	if !known {
		return // the next answer brings us back
	}
	if at.Before(m.blocked) {
		at = m.blocked
	}
	if m.timer != nil {
		m.timer.Stop()
	}
	m.timer = time.AfterFunc(at.Sub(now), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.grant(class, time.Now())
	})
}

// budgetWindow is the span that the service counts requests over, and a little
// more: the service's clock may be the slower one.
const budgetWindow = time.Minute + 50*time.Millisecond

// meter is one class's account of what was sent. It counts a request from the
// moment it is sent until a window after its answer. The service counts it
// somewhere in between, whenever it arrives there; so the requests that count for
// the service at any moment always count here too, however long they travel.
type meter struct {
	limit    int
	inFlight int // units of requests without an answer

	spent      []spending // units of answered requests, oldest first
	forgotten  int        // how many at the front of spent have expired
	spentUnits int        // of the rest

	blocked time.Time // the service takes nothing before
	queue   []*waiter
	timer   *time.Timer // for the first of the queue; nil without one
}

type spending struct {
	free  time.Time // when it stops counting
	units int
}

// waiter is a request that waits.
type waiter struct {
	units int
	at    time.Time     // when it can be sent at the earliest; what earliest found last
	ready chan struct{} // closed when it may be sent
}

// expire forgets what has stopped counting.
func (m *meter) expire(now time.Time) {
	for m.forgotten < len(m.spent) && !now.Before(m.spent[m.forgotten].free) {
		m.spentUnits -= m.spent[m.forgotten].units
		m.forgotten++
	}
	if m.forgotten > len(m.spent)/2 {
		m.spent = slices.Delete(m.spent, 0, m.forgotten)
		m.forgotten = 0
	}
}

// fits reports whether units can be spent now.
func (m *meter) fits(units int, now time.Time) bool {
	m.expire(now)
	return m.inFlight+m.spentUnits+units <= m.limit && !now.Before(m.blocked)
}

// done moves units from those in flight to those that expire.
func (m *meter) done(units int, now time.Time) {
	m.inFlight -= units
	m.spent = append(m.spent, spending{now.Add(budgetWindow), units})
	m.spentUnits += units
}

// room returns when enough has expired for units, if answers that are still to
// come do not matter to that.
func (m *meter) room(units int) (at time.Time, known bool) {
	missing := m.inFlight + m.spentUnits + units - m.limit
	for _, s := range m.spent[m.forgotten:] {
		if missing <= 0 {
			break
		}
		missing -= s.units
		at = s.free
	}
	return at, missing <= 0
}

// earliest returns when units can be spent by one who comes now, after all that
// wait already, if every answer comes at once. It goes through the queue as time
// will: each takes what is free, or waits for what expires next.
func (m *meter) earliest(units int, now time.Time) time.Time {
	at := now
	if at.Before(m.blocked) {
		at = m.blocked
	}
	free, flying := m.limit-m.inFlight-m.spentUnits, m.inFlight
	spent, waiting := m.spent[m.forgotten:], m.queue
	take := func(units int) {
		for free < units {
			var then time.Time
			switch {
			case len(spent) > 0:
				then = spent[0].free
				free += spent[0].units
				spent = spent[1:]
			case flying > 0:
				then = now.Add(budgetWindow)
				free += flying
				flying = 0
			default: // one that waits was sent by then, and answered
				then = waiting[0].at.Add(budgetWindow)
				free += waiting[0].units
				waiting = waiting[1:]
			}
			if at.Before(then) {
				at = then
			}
		}
		free -= units
	}
	for _, w := range m.queue {
		take(w.units)
		w.at = at
	}
	take(units)
	return at
}

// budgetPolicy makes every try of a call wait for the client's budget.
type budgetPolicy struct {
	budget *Budget
	base   string // path of the endpoint, before /v1
}

func (p *budgetPolicy) Do(req *policy.Request) (resp *http.Response, err error) {
	raw := req.Raw()
	class := classify(strings.TrimPrefix(raw.URL.Path, p.base))
	if class < 0 {
		return req.Next()
	}
	units := 1
	if raw.Method != http.MethodGet && raw.Method != http.MethodHead {
		units = p.budget.writeWeight
	}
	if err := p.budget.take(raw.Context(), class, units); err != nil {
		return nil, err
	}
	defer func() {
		if errors.As(err, new(*CredentialError)) {
			p.budget.giveBack(class, units)
			return
		}
		var wait time.Duration
		if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
			wait = RetryAfter(resp.Header, time.Now())
		}
		p.budget.done(class, units, wait)
	}()
	return req.Next()
}

// classify returns the index of the class that a path below the endpoint is in,
// or -1.
func classify(path string) int {
	var segments [4]string // version, customers, id, what of the customer
	copy(segments[:], strings.FieldsFunc(path, func(r rune) bool { return r == '/' }))
	class := BudgetClass("")
	switch strings.ToLower(segments[1]) {
	case "customers":
		switch strings.ToLower(segments[3]) {
		case "":
			class = BudgetClassCustomers
		case "orders", "carts":
			class = BudgetClassOrders
		case "subscriptions":
			class = BudgetClassSubscriptions
		}
	case "subscriptions", "productupgrades":
		class = BudgetClassSubscriptions
	}
	return slices.Index(budgetClasses[:], class)
}

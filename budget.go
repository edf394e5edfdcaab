package partnercenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
)

// BudgetClass names a group of requests that the service counts together.
type BudgetClass string

// The budget classes. Other requests, such as those for the catalog, are not
// limited.
const (
	BudgetClassOrders        BudgetClass = "orders"        // orders and carts of customers
	BudgetClassSubscriptions BudgetClass = "subscriptions" // subscriptions of customers, and product upgrades
	BudgetClassCustomers     BudgetClass = "customers"     // customers themselves, and lists of them
)

var budgetClasses = [...]BudgetClass{BudgetClassOrders, BudgetClassSubscriptions, BudgetClassCustomers}

// BudgetOptions are the options of [NewBudget]. The zero value means the
// documented limits.
type BudgetOptions struct {
	// RequestsPerMinute is the rate for each class. Zero means
	// DefaultRequestsPerMinute, more than a million are a million, and a negative one is
	// an error of [NewClient]. Use a lower rate if other programs call the service for the
	// same partner.
	RequestsPerMinute int

	// WriteWeight is the number of requests that a POST, PUT, PATCH or DELETE
	// counts as. Zero means DefaultWriteWeight, and a negative one is an error of
	// [NewClient]. It is capped at RequestsPerMinute.
	WriteWeight int

	// OnWait, if not nil, is called before a request waits, by the goroutine
	// that is about to wait. It may be called concurrently.
	OnWait func(BudgetWait)
}

// BudgetWait describes a request that has to wait for its budget.
type BudgetWait struct {
	Class BudgetClass
	// For is the minimum wait. It grows if responses are slow or the service
	// asks for a longer wait in the meantime.
	For time.Duration
	// Waiting is the number of requests of the class that are waiting, including
	// this one.
	Waiting           int
	RequestsPerMinute int
	// Throttled reports whether the wait was requested by the service, with a
	// 429 and Retry-After.
	Throttled bool
}

// BudgetError reports that a request was not sent because its context would
// have expired before the budget had room for it, or because the service asked for a
// longer wait than the client's options allow.
type BudgetError struct {
	BudgetWait
	// MaxDelay is ClientOptions.Retry.MaxRetryDelay if the service asked for a longer
	// wait, and zero if the deadline is the reason.
	MaxDelay time.Duration

	until time.Time
}

func (e *BudgetError) Error() string {
	if e.MaxDelay > 0 {
		return fmt.Sprintf("partnercenter: the service is throttling %s requests until %s, longer than the %s of ClientOptions.Retry.MaxRetryDelay: nothing was sent; try again then",
			e.Class, e.until.UTC().Format(time.RFC3339), e.MaxDelay)
	}
	reason := fmt.Sprintf("the budget of %d %s requests a minute is spent", e.RequestsPerMinute, e.Class)
	if e.Throttled {
		reason = fmt.Sprintf("the service is throttling %s requests", e.Class)
	}
	return fmt.Sprintf("partnercenter: %s and the call's deadline is earlier than the %s it would have to wait (%d waiting): nothing was sent; give the call more time or make fewer calls at once",
		reason, e.For.Round(time.Millisecond), e.Waiting)
}

// Unwrap returns [context.DeadlineExceeded] if the deadline is the reason.
func (e *BudgetError) Unwrap() error {
	if e.MaxDelay > 0 {
		return nil
	}
	return context.DeadlineExceeded
}

// NonRetriable marks the error as one that azcore must not retry.
func (e *BudgetError) NonRetriable() {}

// Budget keeps requests within the rate that the service allows a partner by
// delaying those that would exceed it. Requests of a class are sent in the
// order they arrived.
//
// No more requests of a class than the budget's rate reach the service in any
// 60-second window. Every attempt of a call counts. Where the service counts
// requests per customer, the budget counts them per partner, which is stricter.
//
// After a 429 with Retry-After, no request of the class is sent until that time
// has passed. Calls wait for it, unless it is longer than the MaxRetryDelay of their
// client: they fail with a [*BudgetError].
//
// A budget belongs to one partner. Share it among all clients that sign in to
// that partner, and only those. It is safe for concurrent use.
type Budget struct {
	perMinute, writeWeight int
	onWait                 func(BudgetWait)
	err                    error // of the options, for NewClient

	mu     sync.Mutex // guards meters
	meters [len(budgetClasses)]meter
}

// maxRequestsPerMinute is more than a program can send. A budget remembers each request of
// the last minute.
const maxRequestsPerMinute = 1_000_000

// NewBudget returns an unspent budget. Nil options mean the documented limits.
func NewBudget(opts *BudgetOptions) *Budget {
	var o BudgetOptions
	if opts != nil {
		o = *opts
	}
	var err error
	if o.RequestsPerMinute < 0 || o.WriteWeight < 0 {
		err = fmt.Errorf("partnercenter: BudgetOptions has RequestsPerMinute %d and WriteWeight %d: neither can be negative; zero means the default", o.RequestsPerMinute, o.WriteWeight)
	}
	o.RequestsPerMinute = min(cmp.Or(o.RequestsPerMinute, DefaultRequestsPerMinute), maxRequestsPerMinute)
	o.WriteWeight = cmp.Or(o.WriteWeight, DefaultWriteWeight)
	b := &Budget{
		err:         err,
		perMinute:   o.RequestsPerMinute,
		writeWeight: min(o.WriteWeight, o.RequestsPerMinute),
		onWait:      o.OnWait,
	}
	for i := range b.meters {
		b.meters[i].limit = b.perMinute
	}
	return b
}

// BudgetState is a snapshot of one class of a [Budget].
type BudgetState struct {
	Class BudgetClass
	// Remaining is the number of requests that could be sent now. A write
	// counts as several.
	Remaining int
	// Waiting is the number of waiting requests.
	Waiting int
	// ThrottledUntil is the time until which the service asked to send nothing.
	// It is zero if the service did not ask, or that time has passed.
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

// take waits until units of a class's budget are free, and takes them. On
// success the caller must call done or giveBack. It does not wait out a throttling that
// lasts longer than maxDelay.
func (b *Budget) take(ctx context.Context, class, units int, maxDelay time.Duration) error {
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
	if m.blocked.Sub(now) > maxDelay {
		b.mu.Unlock()
		return &BudgetError{wait, maxDelay, m.blocked}
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(at) {
		b.mu.Unlock()
		return &BudgetError{BudgetWait: wait}
	}
	w := &waiter{wait: wait, units: units, maxDelay: maxDelay, ready: make(chan struct{})}
	m.queue = append(m.queue, w)
	if len(m.queue) == 1 {
		b.release(class, now)
	}
	b.mu.Unlock()

	if b.onWait != nil {
		b.onWait(wait)
	}
	select {
	case <-w.ready:
		return w.refused
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(m.queue, w); i >= 0 {
		m.queue = slices.Delete(m.queue, i, i+1)
	} else if w.refused == nil { // granted at the same moment
		m.inFlight -= units
	}
	b.release(class, time.Now()) // the next in the queue may need fewer units
	return ctx.Err()
}

// done records that a request which took units was answered, or failed. A 429 asked to
// send nothing before until, if that is not zero.
func (b *Budget) done(class, units int, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &b.meters[class]
	now := time.Now()
	m.done(units, now)
	if until.After(m.blocked) {
		m.block(until, now)
	}
	b.release(class, now)
}

// giveBack returns the units of a request that was not sent.
func (b *Budget) giveBack(class, units int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meters[class].inFlight -= units
	b.release(class, time.Now())
}

// release releases the waiters that there is room for, and sets a timer for the
// next one. The caller holds mu.
func (b *Budget) release(class int, now time.Time) {
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
		return // the next answer calls release again
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
		b.release(class, time.Now())
	})
}

// budgetWindow is the service's counting window plus a margin, because the
// service's clock may be slower.
const budgetWindow = time.Minute + 50*time.Millisecond

// meter counts the requests of one class. A request counts from the moment it
// is sent until one window after its answer. The service counts it from its
// arrival, which lies in between; so whatever counts for the service counts
// here too, regardless of latency.
type meter struct {
	limit    int
	inFlight int // units of requests without an answer

	spent      []spending // units of answered requests, oldest first
	forgotten  int        // how many at the front of spent have expired
	spentUnits int        // units of the others

	blocked time.Time // the service accepts nothing before
	queue   []*waiter
	timer   *time.Timer // for the head of the queue; nil if there is none
}

type spending struct {
	free  time.Time // when it stops counting
	units int
}

type waiter struct {
	wait     BudgetWait // as it began
	units    int
	maxDelay time.Duration
	earliest time.Time     // as last computed by meter.earliest
	ready    chan struct{} // closed when it may be sent, or is refused
	refused  error
}

// block lets nothing be sent before a time, and refuses those that do not wait so long.
func (m *meter) block(until, now time.Time) {
	m.blocked = until
	delay := until.Sub(now)
	m.queue = slices.DeleteFunc(m.queue, func(w *waiter) bool {
		if delay <= w.maxDelay {
			return false
		}
		w.wait.For, w.wait.Throttled = delay, true
		w.refused = &BudgetError{w.wait, w.maxDelay, until}
		close(w.ready)
		return true
	})
}

// expire removes requests that no longer count.
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

// done moves units from inFlight to spent.
func (m *meter) done(units int, now time.Time) {
	m.inFlight -= units
	m.spent = append(m.spent, spending{now.Add(budgetWindow), units})
	m.spentUnits += units
}

// room returns when enough units will have expired, if that does not depend on
// outstanding answers.
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

// earliest returns when a request that arrives now can spend units, after all
// that are waiting already, assuming immediate answers. It simulates the queue:
// each waiter takes what is free or waits for the next units to expire.
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
			default: // a waiter that was sent and answered by then
				then = waiting[0].earliest.Add(budgetWindow)
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
		w.earliest = at
	}
	take(units)
	return at
}

// budgetPolicy makes every attempt of a call wait for the client's budget.
type budgetPolicy struct {
	budget *Budget
	base   string // escaped path of the endpoint, before /v1

	maxDelay time.Duration // the client's
}

func (p *budgetPolicy) Do(req *policy.Request) (resp *http.Response, err error) {
	raw := req.Raw()
	class := classify(strings.TrimPrefix(raw.URL.EscapedPath(), p.base))
	if class < 0 {
		return req.Next()
	}
	units := 1
	if raw.Method != http.MethodGet && raw.Method != http.MethodHead {
		units = p.budget.writeWeight
	}
	if err := p.budget.take(raw.Context(), class, units, p.maxDelay); err != nil {
		return nil, err
	}
	defer func() {
		if errors.As(err, new(*CredentialError)) {
			p.budget.giveBack(class, units)
			return
		}
		var until time.Time
		if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
			until = retryafter.Until(resp.Header, time.Now())
		}
		p.budget.done(class, units, until)
	}()
	return req.Next()
}

// classify returns the index of the class that a path below the endpoint is in,
// or -1.
func classify(path string) int {
	var segments [4]string // version, customers, id, collection
	copy(segments[:], strings.FieldsFunc(path, func(r rune) bool { return r == '/' }))
	class := BudgetClass("")
	switch ascii.ToLower(segments[1]) {
	case "customers":
		switch ascii.ToLower(segments[3]) {
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

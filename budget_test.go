package partnercenter

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestMeterKeepsTheRate sends requests as a meter allows, with answers that
// take their time and come in any order, and looks at what a service sees: it
// counts each at some moment between its being sent and its answer.
func TestMeterKeepsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type request struct {
			sent, counted time.Time
			units         int
		}
		m := meter{limit: rapid.IntRange(2, 12).Draw(t, "limit")}
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		now := start
		var inFlight, answered []request
		between := func(from, to time.Time) time.Time {
			return from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(t, "counted")))
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				units := rapid.IntRange(1, 2).Draw(t, "units")
				if m.fits(units, now) {
					m.inFlight += units
					inFlight = append(inFlight, request{sent: now, units: units})
				} else if at := m.earliest(units, now); !at.After(now) {
					t.Fatalf("no room for %d units, yet they need not wait", units)
				}
			},
			"answer": func(t *rapid.T) {
				if len(inFlight) == 0 {
					t.Skip("nothing is in flight")
				}
				i := rapid.IntRange(0, len(inFlight)-1).Draw(t, "which")
				r := inFlight[i]
				inFlight = slices.Delete(inFlight, i, i+1)
				r.counted = between(r.sent, now)
				answered = append(answered, r)
				m.done(r.units, now)
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(70*time.Second)).Draw(t, "for")))
			},
			"wait as told": func(t *rapid.T) {
				if at := m.earliest(1, now); len(inFlight) == 0 {
					now = at
					if !m.fits(1, now) {
						t.Fatal("there is no room at the time that was told")
					}
				}
			},
		})
		for _, r := range inFlight {
			r.counted = between(r.sent, now)
			answered = append(answered, r)
		}
		for _, first := range answered {
			sum := 0
			for _, r := range answered {
				if since := r.counted.Sub(first.counted); since >= 0 && since < time.Minute {
					sum += r.units
				}
			}
			if sum > m.limit {
				t.Fatalf("%d units in the minute from %s, the limit is %d", sum, first.counted.Sub(start), m.limit)
			}
		}
		if now = now.Add(budgetWindow); len(inFlight) == 0 && !m.fits(m.limit, now) {
			t.Fatalf("a minute after the last answer %d units are still spent", m.spentUnits)
		}
	})
}

const orders = 0 // index of the class

// spend takes units of the orders' budget for a request that is answered at
// once.
func spend(t *testing.T, b *Budget, units int) {
	t.Helper()
	if err := b.take(t.Context(), orders, units, math.MaxInt64); err != nil {
		t.Error(err)
		return
	}
	b.done(orders, units, time.Time{})
}

// TestBudgetGoesInOrder has more requests than a budget of three has room for.
func TestBudgetGoesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []BudgetWait
		b := NewBudget(&BudgetOptions{RequestsPerMinute: 3, OnWait: func(w BudgetWait) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, w)
		}})
		start := time.Now()
		type event struct {
			who int
			at  time.Duration
		}
		var events []event
		var group sync.WaitGroup
		for who := range 8 {
			group.Go(func() {
				// The fifth and the last are writes.
				units := 1
				if who == 4 || who == 7 {
					units = 2
				}
				spend(t, b, units)
				mu.Lock()
				defer mu.Unlock()
				events = append(events, event{who, time.Since(start)})
			})
			synctest.Wait() // it is in the queue before the next comes
		}
		group.Wait()
		slices.SortFunc(events, func(a, b event) int { return a.who - b.who })
		const w = budgetWindow
		for who, at := range []time.Duration{0, 0, 0, w, w, 2 * w, 2 * w, 3 * w} {
			if events[who].at != at {
				t.Errorf("request %d was sent after %s, want %s", who, events[who].at, at)
			}
		}
		for i, at := range []time.Duration{w, w, 2 * w, 2 * w, 3 * w} {
			want := BudgetWait{Class: BudgetClassOrders, For: at, Waiting: i + 1, RequestsPerMinute: 3}
			if told[i] != want {
				t.Errorf("told %+v, want %+v", told[i], want)
			}
		}
	})
}

// TestBudgetWaitsForAnswers has all of a budget in flight.
func TestBudgetWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(&BudgetOptions{RequestsPerMinute: 1})
		if err := b.take(t.Context(), orders, 1, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, func() { b.done(orders, 1, time.Time{}) })
		start := time.Now()
		spend(t, b, 1)
		if waited := time.Since(start); waited != time.Hour+budgetWindow {
			t.Errorf("waited %s, want a minute from the answer", waited)
		}
	})
}

// TestBudgetEnds ends waits by deadline and by cancellation.
func TestBudgetEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(&BudgetOptions{RequestsPerMinute: 2, WriteWeight: 9})
		if b.writeWeight != 2 {
			t.Errorf("a write weighs %d, more than the budget", b.writeWeight)
		}
		spend(t, b, 1)

		// A deadline that comes too early is missed at once.
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		err := b.take(ctx, orders, 2, math.MaxInt64)
		var missed *BudgetError
		if !errors.As(err, &missed) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Fatalf("%v after %s", err, time.Since(start))
		}
		if missed.Class != BudgetClassOrders || missed.For != budgetWindow || missed.Waiting != 1 {
			t.Errorf("%+v", missed.BudgetWait)
		}
		const text = "partnercenter: the budget of 2 orders requests a minute is spent and the call's deadline is earlier than the 1m0.05s it would have to wait (1 waiting): nothing was sent; give the call more time or make fewer calls at once"
		if err.Error() != text {
			t.Errorf("%q", err)
		}

		// A waiter that gives up releases those behind it.
		ctx, giveUp := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if err := b.take(ctx, orders, 2, math.MaxInt64); !errors.Is(err, context.Canceled) {
				t.Errorf("gave up with %v", err)
			}
		})
		synctest.Wait()
		group.Go(func() {
			spend(t, b, 1)
			if time.Since(start) != time.Second {
				t.Errorf("went after %s", time.Since(start))
			}
		})
		synctest.Wait()
		if s := b.Snapshot()[orders]; s != (BudgetState{Class: BudgetClassOrders, Remaining: 1, Waiting: 2}) {
			t.Errorf("%+v", s)
		}
		time.AfterFunc(time.Second, giveUp)
		group.Wait()
		if s := b.Snapshot()[orders]; s != (BudgetState{Class: BudgetClassOrders}) {
			t.Errorf("%+v", s)
		}
		time.Sleep(2 * time.Minute)
		if s := b.Snapshot()[orders]; s != (BudgetState{Class: BudgetClassOrders, Remaining: 2}) {
			t.Errorf("%+v", s)
		}
	})
}

// TestBudgetForgetsWhoGaveUp checks the estimate for a request after a waiter
// has given up.
func TestBudgetForgetsWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(&BudgetOptions{RequestsPerMinute: 2})
		spend(t, b, 2)
		ctx, giveUp := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = b.take(ctx, orders, 2, math.MaxInt64) })
		synctest.Wait()
		group.Go(func() { spend(t, b, 2) })
		synctest.Wait()
		giveUp()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*budgetWindow+time.Second)
		defer cancel()
		if err := b.take(ctx, orders, 1, math.MaxInt64); err != nil {
			t.Errorf("who gave up still counts: %v", err)
		}
		group.Wait()
	})
}

// TestBudgetLearns refuses a request with room in the budget.
func TestBudgetLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []BudgetWait
		b := NewBudget(&BudgetOptions{OnWait: func(w BudgetWait) { told = append(told, w) }})
		if err := b.take(t.Context(), orders, 1, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		b.done(orders, 1, time.Now().Add(40*time.Second))
		start := time.Now()
		if s := b.Snapshot()[orders]; s != (BudgetState{Class: BudgetClassOrders, ThrottledUntil: start.Add(40 * time.Second)}) {
			t.Errorf("%+v", s)
		}
		if s := b.Snapshot()[1]; s != (BudgetState{Class: BudgetClassSubscriptions, Remaining: DefaultRequestsPerMinute}) {
			t.Errorf("%+v", s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 39*time.Second)
		defer cancel()
		if err := b.take(ctx, orders, 1, math.MaxInt64); err == nil || !strings.Contains(err.Error(), "is throttling orders requests") {
			t.Errorf("%v", err)
		}
		spend(t, b, 1)
		if waited := time.Since(start); waited != 40*time.Second {
			t.Errorf("waited %s", waited)
		}
		want := BudgetWait{Class: BudgetClassOrders, For: 40 * time.Second, Waiting: 1, RequestsPerMinute: DefaultRequestsPerMinute, Throttled: true}
		if len(told) != 1 || told[0] != want {
			t.Errorf("told %+v", told)
		}
	})
}

func TestClassify(t *testing.T) {
	for path, want := range map[string]BudgetClass{
		"/v1/customers":                           BudgetClassCustomers,
		"/v1/customers/a":                         BudgetClassCustomers,
		"/v1/customers/a/":                        BudgetClassCustomers,
		"/v1/customers/a/orders":                  BudgetClassOrders,
		"/v1//Customers/a/ORDERS/b/lineitems/0/x": BudgetClassOrders,
		"/v1/customers/a/carts/b/checkout":        BudgetClassOrders,
		"/v1/customers/a/subscriptions/b":         BudgetClassSubscriptions,
		"/v1/subscriptions/b/provisioningstatus":  BudgetClassSubscriptions,
		"/v1/productupgrades/eligibility":         BudgetClassSubscriptions,
		"/v1/customers/a/products":                "",
		"/v1/customers/a/profiles/billing":        "",
		"/v1/products/x/skus":                     "",
		"/v1/auditrecords":                        "",
		"/webhooks/v1/registration":               "",
		"/v1":                                     "",
		"":                                        "",
	} {
		class := BudgetClass("")
		if i := classify(path); i >= 0 {
			class = budgetClasses[i]
		}
		if class != want {
			t.Errorf("%s is in class %q, want %q", path, class, want)
		}
	}
}

// BenchmarkBudget takes and gives back with room in the budget.
func BenchmarkBudget(b *testing.B) {
	budget := NewBudget(&BudgetOptions{RequestsPerMinute: 1 << 40})
	b.ReportAllocs()
	for b.Loop() {
		if err := budget.take(b.Context(), orders, 1, math.MaxInt64); err != nil {
			b.Fatal(err)
		}
		budget.done(orders, 1, time.Time{})
	}
}

// TestBudgetRefusesWhoWaits throttles a class for longer than those that wait for it
// would, and those only.
func TestBudgetRefusesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(&BudgetOptions{RequestsPerMinute: 1})
		if err := b.take(t.Context(), orders, 1, time.Minute); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		start := time.Now()
		for _, maxDelay := range []time.Duration{time.Minute, math.MaxInt64} {
			group.Go(func() {
				err := b.take(t.Context(), orders, 1, maxDelay)
				refused := new(BudgetError)
				switch took := time.Since(start); {
				case maxDelay == time.Minute && (!errors.As(err, &refused) || refused.For != time.Hour || took != time.Second):
					t.Errorf("%v after %s", err, took)
				case maxDelay > time.Minute && (err != nil || took != time.Hour+time.Second):
					t.Errorf("%v after %s", err, took)
				}
			})
		}
		time.Sleep(time.Second)
		b.done(orders, 1, time.Now().Add(time.Hour))
		group.Wait()
		if state := b.Snapshot()[0]; state.Waiting != 0 {
			t.Errorf("%d wait", state.Waiting)
		}
	})
}

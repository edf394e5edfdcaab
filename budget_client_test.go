package partnercenter_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// direct is a transport that calls a handler, so that time can stand still
// meanwhile.
type direct struct {
	handler http.Handler
	delay   time.Duration // of the answer
	refused atomic.Int64  // answers with 429
	sent    atomic.Int64
}

func (d *direct) Do(req *http.Request) (*http.Response, error) {
	d.sent.Add(1)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, req)
	if w.Code == http.StatusTooManyRequests {
		d.refused.Add(1)
	}
	select {
	case <-time.After(d.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// limitedServer returns a server that takes perMinute requests a minute of a
// bubble's time.
func limitedServer(t *testing.T, perMinute int) (*partnercentertest.Server, *direct) {
	d := new(direct)
	srv := partnercentertest.NewServer(t, partnercentertest.Options{
		RequestsPerMinute: perMinute,
		Wrap: func(h http.Handler) http.Handler {
			d.handler = h
			return h
		},
	})
	return srv, d
}

func limitedClient(t *testing.T, srv *partnercentertest.Server, d *direct, budget *partnercenter.Budget) *partnercenter.Client {
	t.Helper()
	opts := &partnercenter.ClientOptions{Endpoint: srv.URL, Budget: budget}
	opts.Transport = d
	opts.Retry.MaxRetries = -1
	opts.Retry.TryTimeout = 10 * time.Second
	pc, err := partnercenter.NewClient(srv.Credential(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// readOrders lists orders 56 times from 8 goroutines, by turns of clients. It
// returns how many calls failed.
func readOrders(t *testing.T, clients ...*partnercenter.Client) (failed int64) {
	t.Helper()
	var count atomic.Int64
	var group sync.WaitGroup
	for worker := range 8 {
		pc := clients[worker%len(clients)]
		group.Go(func() {
			for range 7 {
				if _, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context()); err != nil {
					count.Add(1)
				}
			}
		})
	}
	group.Wait()
	return count.Load()
}

// TestBudgetKeepsFromRefusal reads more than the server takes, with a budget of
// the server's rate and without one.
func TestBudgetKeepsFromRefusal(t *testing.T) {
	const rate = 10
	for _, delay := range []time.Duration{0, 700 * time.Millisecond} {
		srv, d := limitedServer(t, rate)
		d.delay = delay
		synctest.Test(t, func(t *testing.T) {
			var waits atomic.Int64
			budget := partnercenter.NewBudget(&partnercenter.BudgetOptions{
				RequestsPerMinute: rate,
				OnWait:            func(partnercenter.BudgetWait) { waits.Add(1) },
			})
			start := time.Now()
			failed := readOrders(t, limitedClient(t, srv, d, budget), limitedClient(t, srv, d, budget))
			if failed != 0 || d.refused.Load() != 0 {
				t.Errorf("answers after %s: %d calls failed, %d were refused", delay, failed, d.refused.Load())
			}
			// 56 calls at 10 a minute.
			if took := time.Since(start); took < 5*time.Minute || took > 6*time.Minute || waits.Load() == 0 {
				t.Errorf("it took %s with %d waits", took, waits.Load())
			}
		})
	}
	srv, d := limitedServer(t, rate)
	synctest.Test(t, func(t *testing.T) {
		if failed := readOrders(t, limitedClient(t, srv, d, nil)); failed == 0 {
			t.Error("without a budget nothing was refused")
		}
	})
}

// TestBudgetAfterRefusal shares the partner's rate with a program that keeps to
// no budget.
func TestBudgetAfterRefusal(t *testing.T) {
	const rate = 10
	srv, d := limitedServer(t, rate)
	synctest.Test(t, func(t *testing.T) {
		readOrders(t, limitedClient(t, srv, d, nil))
		d.sent.Store(0)
		budget := partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: rate})
		pc := limitedClient(t, srv, d, budget)
		orders := pc.Customers.ByID(partnercentertest.CustomerID).Orders
		_, err := orders.Get(t.Context())
		var refused *partnercenter.Error
		if !errors.As(err, &refused) || refused.RetryAfter != time.Minute {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var missed *partnercenter.BudgetError
		if _, err := orders.Get(ctx); !errors.As(err, &missed) || missed.For != time.Minute {
			t.Errorf("before the time that the service gave: %v", err)
		}
		if _, err := pc.Customers.ByID(partnercentertest.CustomerID).Get(t.Context()); err != nil {
			t.Errorf("another class: %v", err)
		}
		if n := d.sent.Load(); n != 2 {
			t.Errorf("%d requests were sent, want the refused one and the other class's", n)
		}
		start := time.Now()
		if _, err := orders.Get(t.Context()); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestBudgetCountsTries has a service that is unavailable twice.
func TestBudgetCountsTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		d := &direct{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tries++; tries < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = w.Write([]byte(`{"totalCount":0,"items":[]}`))
		})}
		budget := partnercenter.NewBudget(nil)
		opts := &partnercenter.ClientOptions{Endpoint: "https://partner.test/base", Budget: budget}
		opts.Transport = d
		pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.Customers.ByID(customerID).Orders.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := budget.Snapshot()[0].Remaining; left != partnercenter.DefaultRequestsPerMinute-3 {
			t.Errorf("%d remain after three tries", left)
		}
	})
}

// TestBudgetAndTryTimeout waits longer for the budget than a try may take, and
// for an answer too long.
func TestBudgetAndTryTimeout(t *testing.T) {
	srv, d := limitedServer(t, 0)
	synctest.Test(t, func(t *testing.T) {
		pc := limitedClient(t, srv, d, partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: 1}))
		orders := pc.Customers.ByID(partnercentertest.CustomerID).Orders
		for range 3 {
			if list, err := orders.Get(t.Context()); err != nil || len(list.Items) != 2 {
				t.Fatal(list, err)
			}
		}
		d.delay = time.Hour
		start := time.Now()
		_, err := orders.Get(t.Context())
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 80*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

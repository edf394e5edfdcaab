package partnercenter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// manyCustomers answers for a partner with n customers of one order each, without a
// network, so that tests can run in a bubble of package synctest.
type manyCustomers struct {
	n      int
	orders func(ctx context.Context, customer string) int // the status of the answer
}

func (m manyCustomers) Do(req *http.Request) (*http.Response, error) {
	var body string
	status := http.StatusOK
	if parts := strings.Split(req.URL.Path, "/"); len(parts) > 4 {
		id := parts[3]
		status = m.orders(req.Context(), id)
		body = fmt.Sprintf(`{"totalCount":1,"items":[{"id":"order of %s"}]}`, id)
	} else {
		var items []string
		for i := range m.n {
			items = append(items, fmt.Sprintf(`{"id":"%d"}`, i))
		}
		body = fmt.Sprintf(`{"totalCount":%d,"items":[%s]}`, m.n, strings.Join(items, ","))
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))),
	}, nil
}

func (m manyCustomers) client(t *testing.T) *partnercenter.Client {
	t.Helper()
	opts := &partnercenter.ClientOptions{SkipCredentialChecks: true}
	opts.Transport = m
	opts.Retry.MaxRetries = -1
	pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// TestAllOrdersInOrder answers after random times.
func TestAllOrdersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 8
		var running, most atomic.Int32
		pc := manyCustomers{500, func(context.Context, string) int {
			now := running.Add(1)
			defer running.Add(-1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			time.Sleep(rand.N(time.Second))
			return 200
		}}.client(t)
		next, done := 0, 0
		for o, err := range pc.Orders.All(t.Context(), &partnercenter.AllOrdersOptions{Workers: workers, OnCustomer: func(customer *partnercenter.Customer, err error) {
			if customer.ID != fmt.Sprint(done) || err != nil || next != done+1 {
				t.Errorf("customer %s is done after %d others: %v", customer.ID, done, err)
			}
			done++
		}}) {
			if id := fmt.Sprint(next); err != nil || o.Customer.ID != id || o.Order.ID != "order of "+id {
				t.Fatalf("order %d is %+v, %v", next, o, err)
			}
			next++
		}
		if next != 500 || done != 500 {
			t.Errorf("%d orders of %d customers, want 500", next, done)
		}
		if most.Load() != workers {
			t.Errorf("%d at once, want %d", most.Load(), workers)
		}
	})
}

// TestAllOrdersStops leaves the loop, or cancels, with work under way: nothing must
// go on, which synctest sees.
func TestAllOrdersStops(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int32
			pc := manyCustomers{1000, func(ctx context.Context, _ string) int {
				asked.Add(1)
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				return 200
			}}.client(t)
			var last error
			seen := 0
			for _, err := range pc.Orders.All(ctx, nil) {
				seen++
				if last = err; last != nil {
					break
				}
				if seen == 10 {
					if !cancelled {
						break
					}
					cancel()
				}
			}
			if cancelled && !errors.Is(last, context.Canceled) {
				t.Errorf("the last error is %v", last)
			}
			if asked.Load() > 60 {
				t.Errorf("%d customers were asked about", asked.Load())
			}
		})
	}
}

// TestAllOrdersAgain ranges twice: customers may have come meanwhile, and the first
// list of them may have been cut short.
func TestAllOrdersAgain(t *testing.T) {
	var lists atomic.Int32
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/customers" {
				lists.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	}})
	orders := srv.Client().Orders.All(t.Context(), nil)
	for range 2 {
		for _, err := range orders {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if lists.Load() != 2 {
		t.Errorf("the customers were listed %d times, want once for each range", lists.Load())
	}
}

// TestAllOrdersErrors has every third customer fail.
func TestAllOrdersErrors(t *testing.T) {
	for _, test := range []struct {
		status int
		goesOn bool
	}{
		{400, true}, {403, true}, {404, true}, {500, true}, {401, false}, {429, false}, {503, false},
	} {
		pc := manyCustomers{9, func(_ context.Context, id string) int {
			if id[0]%3 == '2'%3 {
				return test.status
			}
			return 200
		}}.client(t)
		for _, told := range []bool{false, true} {
			var opts partnercenter.AllOrdersOptions
			failed := 0
			if told {
				opts.OnCustomer = func(_ *partnercenter.Customer, err error) {
					if err != nil {
						failed++
					}
				}
			}
			orders := 0
			var last error
			for _, err := range pc.Orders.All(t.Context(), &opts) {
				if last = err; err == nil {
					orders++
				}
			}
			if goesOn := test.goesOn && told; goesOn != (last == nil) || goesOn && (orders != 6 || failed != 3) || !goesOn && orders != 2 {
				t.Errorf("status %d, told %v: %d orders, %d customers failed, then %v", test.status, told, orders, failed, last)
			}
		}
	}
}

// TestAllOrdersOfWrongCustomers has customers without an id, whose orders nobody can list,
// among others.
func TestAllOrdersOfWrongCustomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pc := manyCustomers{0, func(context.Context, string) int { return 200 }}.client(t)
		var failed []string
		orders := 0
		for _, err := range pc.Orders.All(t.Context(), &partnercenter.AllOrdersOptions{
			Customers: []*partnercenter.Customer{{}, nil, {ID: "."}, {ID: "good"}},
			OnCustomer: func(customer *partnercenter.Customer, err error) {
				if err != nil {
					failed = append(failed, customer.ID)
				}
			},
		}) {
			if err != nil {
				t.Fatal(err)
			}
			orders++
		}
		if orders != 1 || strings.Join(failed, ",") != ",,." {
			t.Errorf("%d orders, and %q failed", orders, failed)
		}
		for _, err := range pc.Orders.All(t.Context(), &partnercenter.AllOrdersOptions{Customers: []*partnercenter.Customer{nil}}) {
			if err == nil || !strings.Contains(err.Error(), "set its tenant id") {
				t.Errorf("without OnCustomer: %v", err)
			}
		}
	})
}

// TestAllOrdersOfWrongOptions has options that are wrong for every customer.
func TestAllOrdersOfWrongOptions(t *testing.T) {
	for _, opt := range []partnercenter.OrdersOption{nil, partnercenter.ForIndirectReseller("")} {
		calls := 0
		for _, err := range unsent(t, nil).Orders.All(t.Context(), &partnercenter.AllOrdersOptions{
			Customers: []*partnercenter.Customer{{ID: "a"}, {ID: "b"}}, Options: []partnercenter.OrdersOption{opt},
			OnCustomer: func(customer *partnercenter.Customer, err error) { t.Errorf("customer %s: %v", customer.ID, err) },
		}) {
			if calls++; err == nil {
				t.Errorf("%v is no error", opt)
			}
		}
		if calls != 1 {
			t.Errorf("%d errors, want one", calls)
		}
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
)

func manyCustomers(n int) []*partnercenter.Customer {
	customers := make([]*partnercenter.Customer, n)
	for i := range customers {
		customers[i] = &partnercenter.Customer{ID: fmt.Sprint(i)}
	}
	return customers
}

// TestEachCustomerKeepsOrder answers in random order.
func TestEachCustomerKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 8
		var running, most atomic.Int32
		list := func(_ context.Context, id string) ([]*partnercenter.Order, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			time.Sleep(rand.N(time.Second))
			return []*partnercenter.Order{{ID: id}}, nil
		}
		next := 0
		for answer := range eachCustomer(t.Context(), manyCustomers(500), workers, list) {
			if id := fmt.Sprint(next); answer.err != nil || answer.customer.ID != id || answer.orders[0].ID != id {
				t.Fatalf("answer %d is %+v", next, answer)
			}
			next++
		}
		if next != 500 {
			t.Errorf("%d answers, want 500", next)
		}
		if most.Load() != workers {
			t.Errorf("%d at once, want %d", most.Load(), workers)
		}
	})
}

// TestEachCustomerStops leaves the loop, or cancels, with work under way:
// nothing must go on, which synctest sees.
func TestEachCustomerStops(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int32
			list := func(ctx context.Context, _ string) ([]*partnercenter.Order, error) {
				asked.Add(1)
				select {
				case <-time.After(time.Second):
					return nil, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			var last error
			seen := 0
			for answer := range eachCustomer(ctx, manyCustomers(1000), 4, list) {
				seen++
				last = answer.err
				if last != nil {
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

func TestCustomersOwn(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&partnercenter.Error{StatusCode: 403}, true},
		{&partnercenter.Error{StatusCode: 404}, true},
		{&partnercenter.Error{StatusCode: 500}, true},
		{&partnercenter.ShortAnswerError{}, true},
		{&partnercenter.DecodeError{}, true},
		{&partnercenter.Error{StatusCode: 401}, false},
		{&partnercenter.Error{StatusCode: 429}, false},
		{&partnercenter.Error{StatusCode: 503}, false},
		{&connect.SignInError{}, false},
		{context.Canceled, false},
	} {
		if got := customersOwn(test.err); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

package partnercenter

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
)

// AllOrdersClient reaches the orders of all customers. Get it from [Client.Orders].
type AllOrdersClient struct{ client *Client }

// CustomerOrder is an order with the customer that it belongs to.
type CustomerOrder struct {
	Customer *Customer // as a list of customers has it
	Order    *Order
}

// AllOrdersOptions are the options of [AllOrdersClient.All]. The zero value lists
// the orders that a list of each customer's has by default.
type AllOrdersOptions struct {
	// Customers are those to ask about, by ID. Nil means all of the partner's, which
	// are then listed first.
	Customers []*Customer

	// BillingCycle selects the orders of one billing cycle. Empty means all.
	BillingCycle BillingCycleType

	// Options go along with each list.
	Options []OrdersOption

	// Workers is how many customers are asked about at once, up to [MaxWorkers].
	// Zero means [DefaultWorkers].
	Workers int

	// OnCustomer is called for each customer: with a nil error once all its orders
	// have been yielded, or with the error if they could not be listed. Then none
	// has been yielded, and All goes on with the next customer. It is called by the
	// goroutine that ranges over All. Without OnCustomer the first error ends All.
	OnCustomer func(customer *Customer, err error)
}

// All yields the orders of all customers, customer by customer in the order of their
// list, each customer's as [OrdersClient.All] does. Nil options mean the defaults.
//
// An error that concerns one customer goes to OnCustomer. An error that would meet
// all of them, such as a refused token, ends All, as do the end of ctx and whatever
// keeps the customers from being listed. Set ClientOptions.Budget to stay within the
// service's limits: one budget is for all workers.
func (c *AllOrdersClient) All(ctx context.Context, opts *AllOrdersOptions) iter.Seq2[*CustomerOrder, error] {
	var o AllOrdersOptions
	if opts != nil {
		o = *opts
	}
	if o.Workers == 0 {
		o.Workers = DefaultWorkers
	}
	return func(yield func(*CustomerOrder, error) bool) {
		if o.Workers < 0 || o.Workers > MaxWorkers {
			yield(nil, fmt.Errorf("partnercenter: AllOrdersOptions has Workers %d: use 1 to %d, or zero for the default", o.Workers, MaxWorkers))
			return
		}
		o := o // each range lists the customers anew
		if o.Customers == nil {
			// All at first: a continuation token would expire during a long run.
			for customer, err := range c.client.Customers.All(ctx) {
				if err != nil {
					yield(nil, err)
					return
				}
				o.Customers = append(o.Customers, customer)
			}
		}
		for answer := range c.ofEach(ctx, &o) {
			if answer.err != nil && (o.OnCustomer == nil || !concernsCustomer(answer.err)) {
				yield(nil, answer.err)
				return
			}
			for _, order := range answer.orders {
				if !yield(&CustomerOrder{Customer: answer.customer, Order: order}, nil) {
					return
				}
			}
			if o.OnCustomer != nil {
				o.OnCustomer(answer.customer, answer.err)
			}
		}
	}
}

// customerOrders are the orders of a customer, none with an error.
type customerOrders struct {
	customer *Customer
	orders   []*Order
	err      error
}

func (c *AllOrdersClient) of(ctx context.Context, customer *Customer, o *AllOrdersOptions) customerOrders {
	answer := customerOrders{customer: customer}
	for order, err := range c.client.Customers.ByID(customer.ID).Orders.ByBillingCycleType(o.BillingCycle).All(ctx, o.Options...) {
		if err != nil {
			return customerOrders{customer: customer, err: err}
		}
		answer.orders = append(answer.orders, order)
	}
	return answer
}

// ofEach asks about several customers at once and yields the answers in the order of
// the customers. It runs ahead of a slow customer by a few others only, so that
// memory stays bounded. All workers have ended when it returns.
func (c *AllOrdersClient) ofEach(ctx context.Context, o *AllOrdersOptions) iter.Seq[customerOrders] {
	type job struct {
		customer *Customer
		answer   chan customerOrders
	}
	return func(yield func(customerOrders) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		jobs, ahead := make(chan job), make(chan job, 4*o.Workers)
		workers.Go(func() {
			defer close(ahead)
			defer close(jobs)
			for _, customer := range o.Customers {
				j := job{customer, make(chan customerOrders, 1)}
				select {
				case ahead <- j:
				case <-ctx.Done():
					return
				}
				jobs <- j // a worker takes it, if only to see that ctx is done
			}
		})
		for range o.Workers {
			workers.Go(func() {
				for j := range jobs {
					j.answer <- c.of(ctx, j.customer, o)
				}
			})
		}
		for j := range ahead {
			if !yield(<-j.answer) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(customerOrders{err: err}) // some were not asked about
		}
	}
}

// concernsCustomer reports whether an error is about one customer, so that the others
// can still be asked about.
func concernsCustomer(err error) bool {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer.StatusCode >= 400 && answer.StatusCode <= 500 &&
			!slices.Contains([]int{http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests}, answer.StatusCode)
	}
	return errors.As(err, new(*ShortAnswerError)) || errors.As(err, new(*DecodeError))
}

package partnercenter

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"

	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// AllOrdersClient accesses the orders of all customers. Get it from Client.Orders.
type AllOrdersClient struct{ client *Client }

// CustomerOrder is an order and its customer.
type CustomerOrder struct {
	Customer *Customer // as returned by a list of customers
	Order    *Order
}

// AllOrdersOptions are the options of [AllOrdersClient.All]. The zero value
// lists the orders of all customers that [OrdersClient.All] lists by default.
type AllOrdersOptions struct {
	// Customers are the customers whose orders are listed; only the ID is used. Nil means
	// all customers of the partner, which are then listed first. One that is nil or has no
	// ID is reported as one whose orders cannot be listed.
	Customers []*Customer

	// BillingCycle limits the orders to one billing cycle. Empty means all. An unknown one
	// is left to the service, which refuses it for each customer.
	BillingCycle BillingCycleType

	// Options apply to the list of each customer. A wrong one ends All before anything is
	// sent.
	Options []OrdersOption

	// Workers is the number of customers that are queried concurrently, at most
	// [MaxWorkers]. Zero means [DefaultWorkers].
	Workers int

	// OnCustomer, if not nil, is called for each customer: with a nil error after all its
	// orders have been yielded, or with the error if they could not be listed. In that
	// case none has been yielded, and All continues with the next customer. It is called
	// by the goroutine that ranges over All. Without OnCustomer the first error ends All.
	OnCustomer func(customer *Customer, err error)
}

// All yields the orders of all customers, in the order of the list of customers, and for
// each customer as [OrdersClient.All] does. Nil options mean the defaults.
//
// An error about one customer is passed to OnCustomer. An error that would affect all
// customers, such as a refused token, ends All, as does the end of ctx or a failure to
// list the customers. To stay within the service's limits, set ClientOptions.Budget,
// which all workers share.
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
		// What is wrong with the options concerns every customer.
		if err := o.list(c.client.Customers.ByID("any").Orders).err; err != nil {
			yield(nil, err)
			return
		}
		o := o // each range lists the customers again
		if o.Customers == nil {
			// List all customers first: a continuation token could expire during a
			// long run.
			customers := c.client.Customers
			var err error
			shared, _ := walk.NewRoom(c.client.maxAnswerSize).Share(ctx)
			if o.Customers, err = gathered(customers.path, customers.All(shared)); err != nil {
				yield(nil, err)
				return
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

// customerOrders are the orders of a customer, or an error.
type customerOrders struct {
	customer *Customer
	orders   []*Order
	err      error
}

// list returns the orders of a customer that the options select.
func (o *AllOrdersOptions) list(orders *OrdersClient) resource {
	list := orders.resource
	if o.BillingCycle != "" {
		list = orders.ByBillingCycleType(o.BillingCycle).resource
	}
	return list.asking(o.Options)
}

// customerIDError reports a customer that no call can name.
type customerIDError string

func (e customerIDError) Error() string {
	return fmt.Sprintf("partnercenter: AllOrdersOptions.Customers has a customer with the ID %q: set its tenant id", string(e))
}

func (c *AllOrdersClient) of(ctx context.Context, customer *Customer, o *AllOrdersOptions) customerOrders {
	if customer == nil {
		customer = &Customer{} // for callbacks that read its ID
	}
	answer := customerOrders{customer: customer}
	list := o.list(c.client.Customers.ByID(customer.ID).Orders)
	if list.err != nil { // the id: the rest has been checked
		answer.err = customerIDError(customer.ID)
		return answer
	}
	answer.orders, answer.err = gathered(list.path, readAll[Order](ctx, list))
	return answer
}

// gathered returns all items of a list, or none if it fails or is too large.
func gathered[T any](path string, items iter.Seq2[T, error]) ([]T, error) {
	all, err := walk.Gather(items, walk.MaxItems)
	if full, ok := errors.AsType[*walk.FullError](err); ok {
		err = &LargeListError{path, full.Bytes, full}
	}
	return all, err
}

// ofEach queries customers concurrently and yields the results in the order of the
// customers. It gets only a few customers ahead of a slow one, and not more bytes of their
// answers together than one answer may have, which bounds its memory. Those of a customer
// for whom there was no room are asked for again when it is the customer's turn, with room
// of its own. All workers have ended when it returns.
func (c *AllOrdersClient) ofEach(ctx context.Context, o *AllOrdersOptions) iter.Seq[customerOrders] {
	type job struct {
		customer *Customer
		answer   chan customerOrders
		ctx      context.Context
		share    *walk.Share // of the room that all customers got ahead have together
	}
	return func(yield func(customerOrders) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		jobs, ahead := make(chan job), make(chan job, 4*o.Workers)
		room := walk.NewRoom(c.client.maxAnswerSize)
		workers.Go(func() {
			defer close(ahead)
			defer close(jobs)
			for _, customer := range o.Customers {
				j := job{customer: customer, answer: make(chan customerOrders, 1)}
				j.ctx, j.share = room.Share(ctx)
				select {
				case ahead <- j:
				case <-ctx.Done():
					return
				}
				jobs <- j // workers receive even after ctx is done
			}
		})
		for range o.Workers {
			workers.Go(func() {
				for j := range jobs {
					answer := c.of(j.ctx, j.customer, o)
					if answer.err != nil {
						j.share.Free()
					}
					j.answer <- answer
				}
			})
		}
		for j := range ahead {
			answer := <-j.answer
			if full, ok := errors.AsType[*walk.FullError](answer.err); ok && full.Bytes {
				ctx, _ := walk.NewRoom(c.client.maxAnswerSize).Share(ctx)
				answer = c.of(ctx, j.customer, o)
			}
			if !yield(answer) {
				return
			}
			j.share.Free()
		}
		if err := ctx.Err(); err != nil {
			yield(customerOrders{err: err}) // some customers were not queried
		}
	}
}

// concernsCustomer reports whether an error is about one customer, so that others can
// still be queried.
func concernsCustomer(err error) bool {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer.StatusCode >= 400 && answer.StatusCode <= 500 &&
			!slices.Contains([]int{http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests}, answer.StatusCode)
	}
	return errors.As(err, new(customerIDError)) || errors.As(err, new(*ShortAnswerError)) || errors.As(err, new(*DecodeError)) ||
		errors.As(err, new(*EndlessListError)) || errors.As(err, new(*LargeListError)) || errors.As(err, new(*LargeAnswerError))
}

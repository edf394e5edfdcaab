package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// allCustomers are the flags of orders list that ask about all customers.
type allCustomers struct {
	asked   bool
	workers int
}

// listOrders lists the orders of one customer.
type listOrders func(ctx context.Context, customer string) ([]*partnercenter.Order, error)

// orders are the orders of all customers. The customers are read first: a
// continuation token would grow old over a long run, and without their number
// there is no telling how long it takes.
func (a *allCustomers) orders(ctx context.Context, call *command.Call, list listOrders) iter.Seq2[customerOrder, error] {
	call.Stream = true
	return func(yield func(customerOrder, error) bool) {
		customers, err := command.Collect(call.Client.Customers.All(ctx))
		if err != nil {
			yield(customerOrder{}, err)
			return
		}
		// A bar among lines that scroll by on the same terminal helps nobody.
		if call.Term.StderrTTY && !(call.Scrolls && call.Term.StdoutTTY) {
			call.Term.StartBar("Orders of customers", len(customers))
			defer call.Term.StopBar()
		}
		failed := &partialError{total: len(customers)}
		for answer := range eachCustomer(ctx, customers, a.workers, list) {
			switch {
			case answer.err == nil:
			case customersOwn(answer.err):
				failed.failures = append(failed.failures, answer)
			default:
				yield(customerOrder{}, answer.err)
				return
			}
			for _, order := range answer.orders {
				name := terminal.OrZero(answer.customer.CompanyProfile).CompanyName
				if !yield(customerOrder{customerID: answer.customer.ID, customerName: name, order: order}, nil) {
					return
				}
			}
			call.Term.AdvanceBar()
		}
		call.Term.StopBar()
		if len(failed.failures) > 0 {
			yield(customerOrder{}, &command.Partial{Err: failed})
		}
	}
}

// customerAnswer is the orders of a customer, or why there are none.
type customerAnswer struct {
	customer *partnercenter.Customer
	orders   []*partnercenter.Order
	err      error
}

// eachCustomer asks for the orders of several customers at once and yields
// the answers in the customers' order. It runs ahead of a slow customer by a
// few others only, so that memory stays bounded. All workers have ended when
// it returns.
func eachCustomer(ctx context.Context, customers []*partnercenter.Customer, workers int, list listOrders) iter.Seq[customerAnswer] {
	return func(yield func(customerAnswer) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := make(chan chan customerAnswer, 4*workers)
		var group errgroup.Group
		group.SetLimit(workers)
		go func() {
			defer close(queue)
			for _, customer := range customers {
				slot := make(chan customerAnswer, 1)
				select {
				case queue <- slot:
				case <-ctx.Done():
					return
				}
				group.Go(func() error {
					orders, err := list(ctx, customer.ID)
					slot <- customerAnswer{customer: customer, orders: orders, err: err}
					return nil
				})
			}
		}()
		defer func() {
			cancel()
			for range queue { // until it is closed: no more workers start
			}
			_ = group.Wait() // the workers return no errors
		}()
		for slot := range queue {
			if !yield(<-slot) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(customerAnswer{err: err}) // some were not asked about
		}
	}
}

// customersOwn reports whether an error concerns one customer, so that the
// others can still be asked. Anything else (no token, a service that is down
// or throttles) would meet them all.
func customersOwn(err error) bool {
	var answer *partnercenter.Error
	if errors.As(err, &answer) {
		return answer.StatusCode >= 400 && answer.StatusCode <= 500 &&
			!slices.Contains([]int{http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests}, answer.StatusCode)
	}
	return errors.As(err, new(*partnercenter.ShortAnswerError)) || errors.As(err, new(*partnercenter.DecodeError))
}

// partialError says that the orders of some customers could not be listed.
type partialError struct {
	total    int
	failures []customerAnswer
}

func (e *partialError) Error() string {
	return fmt.Sprintf("the orders of %d of %d customers could not be listed", len(e.failures), e.total)
}

// Explain words it for people.
func (e *partialError) Explain(now time.Time) terminal.Explanation {
	x := terminal.Explanation{
		What: e.Error(),
		Next: "All other orders are listed. Ask about one of these customers with --customer to see the whole error.",
		Code: terminal.ExitError,
	}
	for _, f := range e.failures {
		name := f.customer.ID
		if company := terminal.OrZero(f.customer.CompanyProfile).CompanyName; company != "" {
			name += " (" + company + ")"
		}
		x.Details = append(x.Details, name+": "+terminal.Explain(f.err, now).What)
	}
	return x
}

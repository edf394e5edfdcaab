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

// list prints the orders of all customers. The customers are read first: a
// continuation token would grow old over a long run, and without their number
// there is no telling how long it takes.
func (a *allCustomers) list(ctx context.Context, call *command.Call, p *terminal.Printer[customerOrder], list listOrders) error {
	term := call.Term
	customers, err := command.Collect(call.Client.Customers.All(ctx))
	if err != nil {
		return err
	}
	// A bar among lines that scroll by on the same terminal helps nobody.
	if term.StderrTTY && !(p.Streams() && term.StdoutTTY) {
		term.StartBar("Orders of customers", len(customers))
		defer term.StopBar()
	}
	failed := &partialError{total: len(customers)}
	for answer := range eachCustomer(ctx, customers, a.workers, list) {
		if answer.err != nil {
			if !customersOwn(answer.err) {
				return answer.err
			}
			failed.failures = append(failed.failures, answer)
		}
		for _, order := range answer.orders {
			if err := p.Add(customerOrder{customerID: answer.customer.ID, customerName: terminal.OrZero(answer.customer.CompanyProfile).CompanyName, order: order}); err != nil {
				return err
			}
		}
		term.AdvanceBar()
	}
	term.StopBar()
	if err := p.End(); err != nil {
		return err
	}
	if len(failed.failures) > 0 {
		return failed
	}
	return nil
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

// Explain implements explainer.
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

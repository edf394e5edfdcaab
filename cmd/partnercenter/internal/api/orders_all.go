package api

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// allCustomers holds the flags of orders list for all customers.
type allCustomers struct {
	wanted  bool
	workers int
}

// orders returns the orders of all customers. It lists the customers first, because their
// number is needed to show progress.
func (a *allCustomers) orders(ctx context.Context, call *command.Call, opts partnercenter.AllOrdersOptions) iter.Seq2[customerOrder, error] {
	call.Stream = true
	return func(yield func(customerOrder, error) bool) {
		customers, err := command.Collect(ctx, call.Client.Customers.All)
		if err != nil {
			yield(customerOrder{}, err)
			return
		}
		// A bar would be drawn between lines that scroll on the same terminal.
		if call.Term.StderrTTY && !(call.Scrolls && call.Term.StdoutTTY) {
			call.Term.StartBar("Orders of customers", len(customers))
			defer call.Term.StopBar()
		}
		failed := &partialError{total: len(customers)}
		opts.Customers, opts.Workers = customers, a.workers
		opts.OnCustomer = func(customer *partnercenter.Customer, err error) {
			if err != nil {
				failed.failures = append(failed.failures, customerFailure{customer, err})
			}
			call.Term.AdvanceBar()
		}
		for o, err := range call.Client.Orders.All(ctx, &opts) {
			if err != nil {
				yield(customerOrder{}, err)
				return
			}
			name := terminal.OrZero(o.Customer.CompanyProfile).CompanyName
			if !yield(customerOrder{customerID: o.Customer.ID, customerName: name, order: o.Order}, nil) {
				return
			}
		}
		call.Term.StopBar()
		if len(failed.failures) > 0 {
			yield(customerOrder{}, &command.Partial{Err: failed})
		}
	}
}

// customerFailure is the error of listing a customer's orders.
type customerFailure struct {
	customer *partnercenter.Customer
	err      error
}

// partialError reports that the orders of some customers could not be listed.
type partialError struct {
	total    int
	failures []customerFailure
}

func (e *partialError) Error() string {
	return fmt.Sprintf("the orders of %d of %s could not be listed", len(e.failures), words.Count(e.total, "customer"))
}

// Explain describes the error for the user.
func (e *partialError) Explain(now time.Time) terminal.Explanation {
	x := terminal.Explanation{
		What: e.Error(),
		Next: "All other orders are listed. To see a full error, list the orders of one of these customers with --customer.",
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

package api

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// allCustomers are the flags of orders list that ask about all customers.
type allCustomers struct {
	asked   bool
	workers int
}

// orders are the orders of all customers. The customers are read first, as without
// their number there is no telling how long it takes.
func (a *allCustomers) orders(ctx context.Context, call *command.Call, opts partnercenter.AllOrdersOptions) iter.Seq2[customerOrder, error] {
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

// customerFailure is why the orders of a customer could not be listed.
type customerFailure struct {
	customer *partnercenter.Customer
	err      error
}

// partialError says that the orders of some customers could not be listed.
type partialError struct {
	total    int
	failures []customerFailure
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

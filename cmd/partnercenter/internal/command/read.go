package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// Form returns a command that calls the API through a connection.
type Form func(*connect.Connection) *cobra.Command

// ErrDone is yielded by a list's fetch that has done something other than listing.
var ErrDone = errors.New("done")

// List is the form of commands that print a list of resources.
func List[T any](s Spec, v *terminal.View[T], fetch func(context.Context, *Call) iter.Seq2[T, error]) Form {
	return func(c *connect.Connection) *cobra.Command {
		var output terminal.Output
		cmd := s.command(c.Term, func(ctx context.Context, call *Call) error {
			p, err := terminal.NewPrinter(c.Term, &output, withCustomer(&s, v, call))
			if err != nil {
				return err
			}
			if err := call.open(ctx, c); err != nil {
				return err
			}
			if p.Prints(customerName) {
				if err := call.nameCustomer(ctx); err != nil {
					return call.known(ctx, err)
				}
			}
			call.Scrolls, call.Details = p.Streams(), s.Single && p.Details()
			kept := int64(math.MaxInt64) // what is printed as it comes may have any length
			if p.Sorts() {
				kept = partnercenter.DefaultMaxAnswerSize
			}
			ctx, share := walk.NewRoom(kept).Share(ctx)
			if err = printList(call, p, fetch(ctx, call), share); errors.Is(err, ErrDone) {
				return nil
			}
			if full, ok := errors.AsType[*walk.FullError](err); ok && p.Sorts() {
				return fmt.Errorf("--sort needs the whole list, and %w: leave it out, or select fewer", full)
			}
			return call.known(ctx, err)
		})
		if s.AllowShort {
			cmd.Flags().Bool(allowShort, false, "accept answers with fewer items than their totalCount, instead of failing")
		}
		output.AddFlags(cmd, withCustomer(&s, v, nil).Names(), !s.Single)
		s.completeCustomers(cmd, c)
		return cmd
	}
}

func printList[T any](call *Call, p *terminal.Printer[T], items iter.Seq2[T, error], share *walk.Share) error {
	// A list that fails prints nothing, unless it is one that streams, or too long.
	hold := !call.Stream
	var held []T
	for item, err := range items {
		if partial := new(Partial); errors.As(err, &partial) {
			return cmp.Or(p.PrintAll(held), partial.Err)
		}
		if err != nil {
			return err
		}
		if call.One {
			return p.PrintOne(item)
		}
		if held = append(held, item); p.Full(len(held)) {
			break // before the next page
		}
		if hold && len(held) < terminal.MaxHeld && share.Taken() < terminal.MaxHeldSize {
			continue
		}
		hold = false
		for _, item := range held {
			if err := p.Add(item); err != nil {
				return err
			}
		}
		clear(held)
		held = held[:0]
	}
	return p.PrintAll(held)
}

// Partial is the error of a list that lacks some items. The others are printed.
type Partial struct{ Err error }

func (p *Partial) Error() string { return p.Err.Error() }

// Get is the form of commands that print one resource.
func Get[T any](s Spec, v *terminal.View[T], fetch func(context.Context, *Call) (T, error)) Form {
	s.Single = true
	return List(s, v, func(ctx context.Context, call *Call) iter.Seq2[T, error] {
		call.One = true
		return Item(fetch(ctx, call))
	})
}

// completeCustomers completes the customers on the command line.
func (s *Spec) completeCustomers(cmd *cobra.Command, c *connect.Connection) {
	if s.CustomerArg {
		cmd.ValidArgsFunction = completeCustomer(c)
	}
	if cmd.Flags().Lookup("customer") != nil {
		_ = cmd.RegisterFlagCompletionFunc("customer", completeCustomer(c)) // the flag exists
	}
}

const allowShort = "allow-short"

// open creates the client.
func (c *Call) open(ctx context.Context, conn *connect.Connection) (err error) {
	short, _ := c.Flags.GetBool(allowShort) // false if there is no such flag
	if c.Client, err = conn.Client(short); err != nil {
		return err
	}
	return c.findCustomer(ctx)
}

// findCustomer makes ids of the names of customers on the command line, also where it is
// repeated.
func (c *Call) findCustomer(ctx context.Context) error {
	for _, given := range c.customers() {
		found, err := resolveCustomer(ctx, c.Client, *given)
		if err != nil {
			return err
		}
		if found.ID != *given {
			c.repeatWith(*given, found.ID)
		}
		*given, c.CustomerName = found.ID, terminal.OrZero(found.CompanyProfile).CompanyName
	}
	c.Customer = c.Client.Customers.ByID(c.CustomerID)
	return nil
}

// customers returns where the call has customers.
func (c *Call) customers() []*string {
	if c.spec.CustomerFlag != nil {
		return []*string{c.spec.CustomerFlag}
	}
	return []*string{&c.CustomerID}
}

// repeatWith has messages repeat the command line with the id of the customer that was
// given by name.
func (c *Call) repeatWith(name, id string) {
	args := slices.Clone(c.Term.Args)
	once := c.spec.CustomerArg // the argument, which a flag's value may look like
	for i, word := range args {
		switch {
		case word == "--customer="+name:
			args[i] = "--customer=" + id
		case word == name && i > 0 && (args[i-1] == "--customer" || once && !strings.HasPrefix(args[i-1], "-")):
			args[i], once = id, false
		}
	}
	c.Term.Args = args
}

// nameCustomer looks up the name of the customer, if there is one.
func (c *Call) nameCustomer(ctx context.Context) error {
	if c.CustomerID == "" || c.CustomerName != "" {
		return nil
	}
	customer, err := c.Customer.Get(ctx)
	if err == nil {
		c.CustomerName = terminal.OrZero(customer.CompanyProfile).CompanyName
	}
	return err
}

// known explains the refusal of a customer that the partner does not have.
func (c *Call) known(ctx context.Context, err error) error {
	id := *c.customers()[0]
	if answer := new(partnercenter.Error); !guid.Is(id) || !errors.As(err, &answer) || answer.Code != partnercenter.ErrorCodeNoRelationship {
		return err
	}
	var unknown *unknownCustomer
	if errors.As(noCustomer(ctx, c.Client, id), &unknown) {
		unknown.err = err
		return unknown
	}
	return err
}

// The columns that resources of a customer's have at their end in CSV.
const (
	customerID   = "customerId"
	customerName = "customerName"
)

// CustomerColumns are the names of these columns.
var CustomerColumns = []string{customerID, customerName}

// withCustomer adds them to a view of a customer's resources, unless it has them.
func withCustomer[T any](s *Spec, v *terminal.View[T], call *Call) *terminal.View[T] {
	if !s.Customer || v.CSV == nil || slices.Contains(v.CSV, customerName) {
		return v
	}
	with := *v
	with.CSV = slices.Concat(v.CSV, CustomerColumns)
	with.Columns = slices.Concat(v.Columns, []terminal.Column[T]{
		{Name: customerID, Shown: terminal.Hidden, Kind: terminal.ID, Value: func(T) any { return call.CustomerID }},
		{Name: customerName, Shown: terminal.Hidden, Value: func(T) any { return call.CustomerName }},
	})
	return &with
}

// Collect returns all items of a list, or none if it fails, has more than [walk.MaxItems]
// or its answers together are larger than one may be.
func Collect[T any](ctx context.Context, list func(context.Context) iter.Seq2[T, error]) ([]T, error) {
	ctx, _ = walk.NewRoom(partnercenter.DefaultMaxAnswerSize).Share(ctx)
	all, err := walk.Gather(list(ctx), walk.MaxItems)
	if full, ok := errors.AsType[*walk.FullError](err); ok {
		err = fmt.Errorf("the list is too long to be kept: %w; ask for less at once", full)
	}
	return all, err
}

// Items yields the results of a call, or its error.
func Items[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			yield(*new(T), err)
			return
		}
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Item yields the single result of a call, or its error.
func Item[T any](item T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(item, err) }
}

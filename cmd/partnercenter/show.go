package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// show is a command that prints what a customer has: one thing, or a list.
type show[T any] struct {
	use, short, long, example string
	id                        string // what the argument is; empty: there is none
	view                      view[T]
	flags                     func(*cobra.Command) // adds flags of the command's own
	// One of these is set.
	one func(ctx context.Context, c *partnercenter.CustomerClient, id string) (T, error)
	all func(ctx context.Context, c *partnercenter.CustomerClient, id string) iter.Seq2[T, error]
}

func (s show[T]) command(app *app, c *connection) *cobra.Command {
	var (
		output   outputOptions
		customer string
	)
	args := noArgs
	if s.id != "" {
		args = oneArg(s.id)
	}
	cmd := &cobra.Command{
		Use: s.use, Short: s.short, Long: s.long, Example: s.example,
		Args:              args,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if customer == "" {
				return errWhichCustomer
			}
			p, err := newPrinter(app, &output, s.view)
			if err != nil {
				return err
			}
			pc, err := c.client(app, false)
			if err != nil {
				return err
			}
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			of := pc.Customers.ByID(customer)
			if s.one != nil {
				item, err := s.one(cmd.Context(), of, id)
				if err != nil {
					return err
				}
				return printOne(p, item)
			}
			items, err := collect(s.all(cmd.Context(), of, id))
			if err != nil {
				return err
			}
			for _, item := range items {
				if err := p.add(item); err != nil {
					return err
				}
			}
			return p.end()
		},
	}
	cmd.Flags().SortFlags = false
	addCustomerFlag(cmd, &customer)
	if s.flags != nil {
		s.flags(cmd)
	}
	output.addFlags(cmd)
	return cmd
}

var errWhichCustomer = usageErrorf("whose is it? Give --customer ID")

func addCustomerFlag(cmd *cobra.Command, customer *string) {
	cmd.Flags().StringVar(customer, "customer", "", "the customer's tenant `id`")
	_ = cmd.RegisterFlagCompletionFunc("customer", cobra.NoFileCompletions)
}

// oneLayout is for things that have few facts: the same in every format.
func oneLayout[T any](plural string, columns, csvColumns []string, rows func(T) [][]string) view[T] {
	l := layout[T]{columns: columns, rows: rows}
	return view[T]{
		plural: plural, table: l, wide: l,
		csv:      layout[T]{columns: csvColumns, rows: rows},
		resource: func(item T) any { return item },
	}
}

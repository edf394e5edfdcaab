package command

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// List is a command that prints a list of what the API has.
type List[T any] struct {
	Spec
	View   terminal.View[T]
	ViewOf func() terminal.View[T] // in place of View, when it depends on flags
	Fetch  func(context.Context, *Call) iter.Seq2[T, error]
	// Streams says that items may be printed before the last is known to come.
	Streams bool
	// AllowShort adds the flag that takes incomplete answers.
	AllowShort bool
	// Instead, if set, may do something else than listing. It returns done=false
	// when no flag asks for that.
	Instead func(context.Context, *Call, *terminal.Printer[T]) (done bool, err error)
}

// Command returns the command.
func (l List[T]) Command(c *connect.Connection) *cobra.Command {
	var (
		output     terminal.Output
		allowShort bool
	)
	cmd := l.command(c.Term, func(ctx context.Context, call *Call) error {
		p, err := open(c, call, &output, l.View, l.ViewOf, allowShort)
		if err != nil {
			return err
		}
		if l.Instead != nil {
			if done, err := l.Instead(ctx, call, p); done || err != nil {
				return err
			}
		}
		items := l.Fetch(ctx, call)
		if !l.Streams {
			all, err := Collect(items)
			if err != nil {
				return err
			}
			return p.PrintAll(all)
		}
		for item, err := range items {
			if err != nil {
				return err
			}
			if err := p.Add(item); err != nil {
				return err
			}
		}
		return p.End()
	})
	if l.AllowShort {
		cmd.Flags().BoolVar(&allowShort, "allow-short", false, "take answers that carry fewer items than they count, instead of failing")
	}
	output.AddFlags(cmd)
	return cmd
}

// Get is a command that prints one thing that the API has.
type Get[T any] struct {
	Spec
	View   terminal.View[T]
	ViewOf func() terminal.View[T] // in place of View, when it depends on flags
	Fetch  func(context.Context, *Call) (T, error)
}

// Command returns the command.
func (g Get[T]) Command(c *connect.Connection) *cobra.Command {
	var output terminal.Output
	cmd := g.command(c.Term, func(ctx context.Context, call *Call) error {
		p, err := open(c, call, &output, g.View, g.ViewOf, false)
		if err != nil {
			return err
		}
		return p.PrintOne(g.Fetch(ctx, call))
	})
	output.AddFlags(cmd)
	return cmd
}

// open checks how to print, and makes the client.
func open[T any](c *connect.Connection, call *Call, o *terminal.Output, v terminal.View[T], viewOf func() terminal.View[T], allowShort bool) (*terminal.Printer[T], error) {
	if viewOf != nil {
		v = viewOf()
	}
	p, err := terminal.NewPrinter(c.Term, o, v)
	if err != nil {
		return nil, err
	}
	if call.Client, err = c.Client(allowShort); err != nil {
		return nil, err
	}
	call.Customer = call.Client.Customers.ByID(call.CustomerID)
	return p, nil
}

// Collect gathers what an iterator yields, or nothing when it fails.
func Collect[T any](items iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// Items yields what a call answered at once, or its error.
func Items[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

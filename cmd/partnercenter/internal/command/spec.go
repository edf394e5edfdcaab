// Package command is the forms that a command can have: List and Get read,
// Change changes, Act does anything else. What is common to all, from arguments to
// confirming, is written here once; no command of its own is here.
package command

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Spec is what commands of every form have: what help says of them, and what
// their command line may hold.
type Spec struct {
	Use, Short, Long, Example string
	Aliases                   []string

	Arg       string               // what the one argument is, such as "order id"; empty: it takes none
	Args      cobra.PositionalArgs // for a command that takes another number of them
	Values    []string             // of the argument, for completion
	Flags     func(*cobra.Command) // adds flags of the command's own
	Exclusive [][]string           // flags of which one may be given
	// Customer says that it is about a customer, whom flag --customer names, or
	// that it is about all when flag OrAll is given.
	Customer bool
	OrAll    string
	// CustomerArg says that the argument is that customer.
	CustomerArg bool
	// AllowShort adds the flag by which a list takes incomplete answers.
	AllowShort bool
	// Facts says that it prints facts, in words or as JSON, as -o says. Output are
	// the flags of its group that do, in place of its own.
	Facts  bool
	Output *terminal.TextOrJSON
	// Check refuses what the command line cannot mean, before anything is sent.
	Check func(*Call) error
}

// Call is one run of a command.
type Call struct {
	Term *terminal.Terminal
	Args []string
	Arg  string // the argument, of commands that take one
	// Flags are all of the command, with those of its groups.
	Flags *pflag.FlagSet

	// CustomerID is the customer that it is about.
	CustomerID string
	// Client is of the service that the settings name, and Customer what it has of
	// CustomerID; of commands that call the API.
	Client   *partnercenter.Client
	Customer *partnercenter.CustomerClient

	// A list's fetch may set these: that there is one thing only, which JSON has
	// without a list around it, or that items may be printed before all have come.
	One, Stream bool
	// Scrolls says that the format of a list prints them as they come.
	Scrolls bool

	path       string
	json       bool // see Spec.Facts
	inputTaken bool // standard input holds content
}

// Path is the command's name, after those of the groups that it is in.
func (c *Call) Path() string { return c.path }

// Given reports whether a flag is on the command line.
func (c *Call) Given(flag string) bool { return c.Flags.Changed(flag) }

// command returns the command, with flags that only it has.
func (s *Spec) command(term *terminal.Terminal, run func(context.Context, *Call) error) *cobra.Command {
	call := &Call{Term: term}
	args := s.Args
	switch {
	case args != nil:
	case s.Arg != "":
		args = oneArg(s.Arg)
	default:
		args = noArgs
	}
	cmd := &cobra.Command{
		Use: s.Use, Short: s.Short, Long: s.Long, Example: s.Example, Aliases: s.Aliases, Args: args,
		ValidArgsFunction: cobra.FixedCompletions(s.Values, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			call.path, call.Flags, call.Args = cmd.CommandPath(), cmd.Flags(), args
			if s.Arg != "" {
				call.Arg = args[0]
			}
			if s.CustomerArg {
				call.CustomerID = call.Arg
			}
			if err := s.check(call); err != nil {
				return err
			}
			return run(cmd.Context(), call)
		},
	}
	inOrder(cmd)
	if s.Customer {
		cmd.Flags().StringVar(&call.CustomerID, "customer", "", "the customer's tenant `id`")
	}
	if s.Flags != nil {
		s.Flags(cmd)
	}
	return cmd
}

func (s *Spec) check(call *Call) error {
	for _, flags := range append([][]string{{"output", "json"}, {"customer", s.OrAll}}, s.Exclusive...) {
		if err := exclusive(call.Flags, flags...); err != nil {
			return err
		}
	}
	if s.Customer && call.CustomerID == "" && (s.OrAll == "" || !call.Given(s.OrAll)) {
		if s.OrAll != "" {
			return terminal.Usagef("which customer? Give --customer ID, or --%s", s.OrAll)
		}
		return terminal.Usagef("which customer? Give --customer ID")
	}
	if s.Check == nil {
		return nil
	}
	return s.Check(call)
}

// exclusive refuses more than one of some flags.
func exclusive(given *pflag.FlagSet, flags ...string) error {
	var both []string
	for _, name := range flags {
		if given.Changed(name) {
			both = append(both, "--"+name)
		}
	}
	if len(both) > 1 {
		return terminal.Usagef("%s exclude each other: give one of them", strings.Join(both, " and "))
	}
	return nil
}

// noArgs and oneArg are cobra's with words that say what to do.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return terminal.Usagef("%s takes no arguments, but got %q: its options are flags", cmd.CommandPath(), args[0])
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return terminal.Usagef("%s: the %s is missing", cmd.UseLine(), what)
		case len(args) > 1:
			return terminal.Usagef("%s takes one %s, but got %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// Group returns a command that only holds others.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: UnknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	inOrder(cmd)
	cmd.AddCommand(commands...)
	return cmd
}

// inOrder has help show flags in the order in which they are added.
func inOrder(cmd *cobra.Command) {
	cmd.Flags().SortFlags, cmd.PersistentFlags().SortFlags = false, false
}

// Noun returns the group of commands about a resource, which share a connection.
func Noun(term *terminal.Terminal, name, alias, short string, forms ...Form) *cobra.Command {
	c := connect.New(term)
	cmd := Group(name, short)
	for _, form := range forms {
		cmd.AddCommand(form(c))
	}
	cmd.Aliases = []string{alias}
	c.AddFlags(cmd)
	return cmd
}

// UnknownCommand is the Args of commands that only hold others: an argument
// was meant to be one of those.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(append(names, child.Name()), child.Aliases...)
		}
	}
	return terminal.Usagef("unknown command %q for %q%s", args[0], cmd.CommandPath(), terminal.DidYouMean(args[0], names))
}

// Act is the form of commands that do something and say so in words.
func Act(term *terminal.Terminal, s Spec, run func(context.Context, *Call) error) *cobra.Command {
	output := s.Output
	if s.Facts {
		output = new(terminal.TextOrJSON)
	}
	cmd := s.command(term, func(ctx context.Context, call *Call) (err error) {
		if output != nil {
			if call.json, err = output.WantsJSON(); err != nil {
				return err
			}
		}
		return run(ctx, call)
	})
	if s.Facts {
		output.AddFlags(cmd, cmd.Flags())
	}
	return cmd
}

// JSON reports whether facts are to be printed as JSON.
func (c *Call) JSON() bool { return c.json }

// Tell prints facts as JSON or, unless that is asked for, has words print them.
func (c *Call) Tell(facts any, words func(io.Writer) error) error {
	if c.json {
		return terminal.PrintJSON(c.Term.Stdout, facts)
	}
	return words(c.Term.Stdout)
}

// Say prints a line, which is the answer to who asked.
func (c *Call) Say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.Term.Stdout, format+"\n", args...)
	return err
}

// Package command defines the forms that commands have: List and Get read, Change
// changes, Act does anything else. It contains what commands have in common, from
// arguments to confirmation, but no commands.
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

// Spec is the common part of commands of all forms: their help and their
// command line.
type Spec struct {
	Use, Short, Long, Example string
	Aliases                   []string

	Arg       string               // name of the argument, such as "order id"; empty if there is none
	Args      cobra.PositionalArgs // for a command with another number of arguments
	Values    []string             // of the first argument, for completion
	Flags     func(*cobra.Command) // adds the command's own flags
	Exclusive [][]string           // sets of mutually exclusive flags
	// Customer adds the required flag --customer. With flag OrAll, the command
	// is about all customers instead.
	Customer bool
	OrAll    string
	// CustomerArg reports that the argument is the customer.
	CustomerArg bool
	// CustomerFlag is another flag's value that names a customer, if it is not empty.
	CustomerFlag *string
	// Single reports that the command prints one resource.
	Single bool
	// AllowShort adds the flag that makes a list accept incomplete answers.
	AllowShort bool
	// Facts adds -o for commands that print facts, as text or JSON. Output, if not nil,
	// has the flags of the command's group instead.
	Facts  bool
	Output *terminal.TextOrJSON
	// Check validates the command line before anything is sent.
	Check func(*Call) error
}

// Call is one run of a command.
type Call struct {
	Term *terminal.Terminal
	Args []string
	Arg  string // the argument, if the command takes one
	// Flags are the flags of the command and its groups.
	Flags *pflag.FlagSet

	// CustomerID is the customer that the command is about. It may be a name or a domain
	// until there is a client.
	CustomerID string
	// CustomerName is the customer's name, if it is known.
	CustomerName string
	// Client is the client of the service, and Customer that of CustomerID, for commands
	// that call the API.
	Client   *partnercenter.Client
	Customer *partnercenter.CustomerClient

	// DryRun reports that a change is not made, and Country is the customer's, if it is
	// known, once a change is described.
	DryRun  bool
	Country string

	// A list's fetch may set these: for a single item, which JSON prints without an
	// array, or if items may be printed before all are known.
	One, Stream bool
	// Scrolls reports whether the output format prints items as they arrive.
	Scrolls bool
	// Details reports whether it shows people all that is known of a single item.
	Details bool

	spec       *Spec
	path       string
	output     *terminal.TextOrJSON // see Spec.Facts
	json       bool                 // what it says
	inputTaken bool                 // standard input was used for content
	content    string               // where content came from that cannot be read again
}

// Path is the command's full name.
func (c *Call) Path() string { return c.path }

// Given reports whether a flag is on the command line.
func (c *Call) Given(flag string) bool { return c.Flags.Changed(flag) }

// command returns the command with its own flags.
func (s *Spec) command(term *terminal.Terminal, run func(context.Context, *Call) error) *cobra.Command {
	call := &Call{Term: term, spec: s}
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
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return s.Values, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			call.path, call.Flags, call.Args = cmd.CommandPath(), cmd.Flags(), args
			if s.Arg != "" {
				call.Arg = args[0]
			}
			if s.CustomerArg {
				call.CustomerID = call.Arg
			}
			if err := s.check(cmd, call); err != nil {
				return err
			}
			return run(cmd.Context(), call)
		},
	}
	if cmd.Name() == "list" {
		cmd.Aliases = append(cmd.Aliases, "ls")
	}
	inOrder(cmd)
	if s.Customer {
		cmd.Flags().StringVar(&call.CustomerID, "customer", "", "the `customer`: tenant id, name or domain")
	}
	if s.Flags != nil {
		s.Flags(cmd)
	}
	return cmd
}

func (s *Spec) check(cmd *cobra.Command, call *Call) error {
	for _, flags := range append([][]string{{"output", "json"}, {"jq", "template"}, {"customer", s.OrAll}}, s.Exclusive...) {
		if err := exclusive(call.Flags, flags...); err != nil {
			return err
		}
	}
	for _, given := range call.customers() {
		if *given != "" && strings.TrimSpace(*given) == "" {
			return terminal.Usagef("the customer is blank: give an id, a name or a domain")
		}
	}
	if s.Customer && call.CustomerID == "" && (s.OrAll == "" || !call.Given(s.OrAll)) {
		if s.OrAll != "" {
			return terminal.Usagef("the customer is missing: give --customer, or --%s", s.OrAll)
		}
		return terminal.Usagef("the customer is missing: give --customer with an id, a name or a domain")
	}
	if err := refuseEmpty(cmd); err != nil || s.Check == nil {
		return err
	}
	return s.Check(call)
}

// refuseEmpty fails if one of the command's own flags is given without a text, as with a
// variable that is not set. A flag with a default can be emptied, and those of a
// connection can, to overrule a profile.
func refuseEmpty(cmd *cobra.Command) (err error) {
	own := cmd.LocalNonPersistentFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		mine := own.Lookup(f.Name) != nil || f.Name == "jq" || f.Name == "template"
		if err == nil && mine && f.Value.Type() == "string" && f.DefValue == "" && strings.TrimSpace(f.Value.String()) == "" {
			err = terminal.Usagef("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// exclusive fails if more than one of the flags is given.
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

// noArgs and oneArg are like cobra's, with errors that say what to do.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return terminal.Usagef("%s takes no arguments, but got %q: use flags", cmd.CommandPath(), args[0])
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

// Group returns a command that only contains others.
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

// inOrder makes help show flags in the order in which they were added.
func inOrder(cmd *cobra.Command) {
	cmd.Flags().SortFlags, cmd.PersistentFlags().SortFlags = false, false
}

// ShownFlags returns the flags that help shows with a command, which are all that it has
// but those of a connection, and reports whether it has these. They are the same
// everywhere, and come once.
func ShownFlags(cmd *cobra.Command) (shown *pflag.FlagSet, connects bool) {
	shown = pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = false
	add := func(f *pflag.Flag) {
		if connect.IsConnectionFlag(f) {
			connects = true
		} else {
			shown.AddFlag(f)
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return shown, connects
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

// Alone returns a command of the form that belongs to no group.
func Alone(term *terminal.Terminal, form Form) *cobra.Command {
	c := connect.New(term)
	cmd := form(c)
	c.AddFlags(cmd)
	return cmd
}

// UnknownCommand is the Args function of commands that only contain others. It
// reports an argument as an unknown command.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return terminal.Usagef("unknown command %q for %q%s", args[0], cmd.CommandPath(), terminal.DidYouMean(args[0], Names(cmd)))
}

// Names returns the names of the commands below one, with other names for them.
func Names(cmd *cobra.Command) (names []string) {
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(append(names, child.Name()), child.Aliases...)
		}
	}
	return names
}

// Act is the form of commands that do something and report it as text.
func Act(term *terminal.Terminal, s Spec, run func(context.Context, *Call) error) *cobra.Command {
	output := s.Output
	if s.Facts {
		output = new(terminal.TextOrJSON)
	}
	cmd := s.command(term, func(ctx context.Context, call *Call) (err error) {
		if call.output = output; output != nil {
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

// JSON reports whether to print facts as JSON.
func (c *Call) JSON() bool { return c.json }

// Tell prints facts as JSON if requested, or else calls words.
func (c *Call) Tell(facts any, words func(io.Writer) error) error {
	if c.json {
		return c.output.Print(c.Term.Stdout, facts)
	}
	var b strings.Builder
	if err := words(&b); err != nil {
		return err
	}
	_, err := io.WriteString(c.Term.Stdout, c.Term.Fold(b.String()))
	return err
}

// Say prints a line of output.
func (c *Call) Say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.Term.Stdout, format+"\n", args...)
	return err
}

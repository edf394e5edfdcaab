package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/internal/suggest"
)

// newRootCmd returns the whole command tree.
func newRootCmd(app *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "partnercenter",
		Short: "Microsoft Partner Center from the command line",
		Long: `Customers, their orders and subscriptions, from Microsoft Partner Center or from a local one.

To try it without an account, start a server with "partnercenter serve" and add
--profile local to the other commands.`,
		Version:       readVersion().Version,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true, // run reports them
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(app.stdin)
	root.SetOut(app.stdout)
	root.SetErr(app.stderr)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(strings.NewReplacer(
		// The flags that commands inherit are those of the connection.
		"Global Flags:", "Connection Flags:",
		// Commands that only hold others run to print their help.
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}",
		"Additional help topics:", "Help Topics:",
		"{{rpad .CommandPath .CommandPathPadding}}", "help {{rpad .Name 12}}",
	).Replace(root.UsageTemplate()))

	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Partner Center", []*cobra.Command{newCustomersCmd(app), newOrdersCmd(app), newSubscriptionsCmd(app), newOffersCmd(app), newProductsCmd(app)}},
		{"Signing in", []*cobra.Command{newLoginCmd(app), newLogoutCmd(app), newWhoamiCmd(app), newTokenCmd(app), newDoctorCmd(app)}},
		{"A local Partner Center", []*cobra.Command{newServeCmd(app), newDemoCmd(app), newCACmd(app), newImportCmd(app), newClockCmd(app), newIdentityCmd(app), newReadyzCmd(app)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(newVersionCmd(app))
	root.AddCommand(newHelpTopics()...)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	markStart(app, root)
	return root
}

// newGroupCmd returns a command that only holds others.
func newGroupCmd(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// markStart makes every command note that it started, which tells a wrong
// command line from a command that failed.
func markStart(app *app, cmd *cobra.Command) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			app.started = true
			return inner(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		markStart(app, child)
	}
}

// unknownCommand is the Args of commands that only hold others: an argument
// was meant to be one of those.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(append(names, child.Name()), child.Aliases...)
		}
	}
	return usageErrorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], names))
}

func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return &usageError{text: err.Error()}
	}
	var names []string
	visit := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(visit)
	cmd.InheritedFlags().VisitAll(visit)
	name := unknown.GetSpecifiedName()
	suggestion := suggest.Closest(name, names)
	if suggestion != "" {
		suggestion = "; did you mean --" + suggestion + "?"
	}
	return usageErrorf("unknown flag --%s%s", name, suggestion)
}

// noArgs and oneArg are cobra's with words that say what to do.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageErrorf("%s takes no arguments, but got %q: its options are flags", cmd.CommandPath(), args[0])
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return usageErrorf("%s: the %s is missing", cmd.UseLine(), what)
		case len(args) > 1:
			return usageErrorf("%s takes one %s, but got %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// preRun is a check between the parsing of flags and the running of a command.
type preRun = func(*cobra.Command, []string) error

// exclusive refuses more than one of some flags.
func exclusive(flags ...string) preRun {
	return func(cmd *cobra.Command, _ []string) error {
		var given []string
		for _, name := range flags {
			if cmd.Flags().Changed(name) {
				given = append(given, "--"+name)
			}
		}
		if len(given) > 1 {
			return usageErrorf("%s exclude each other: give one of them", strings.Join(given, " and "))
		}
		return nil
	}
}

func firstOf(checks ...preRun) preRun {
	return func(cmd *cobra.Command, args []string) error {
		for _, check := range checks {
			if err := check(cmd, args); err != nil {
				return err
			}
		}
		return nil
	}
}

// oneOf checks the value of a flag against a fixed list.
func oneOf(flag, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return usageErrorf("--%s %q is unknown: use %s", flag, value, orList(values))
}

func orList(values []string) string {
	if len(values) < 2 {
		return strings.Join(values, "")
	}
	return strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
}

// didYouMean ends a message about an unknown name.
func didYouMean(name string, known []string) string {
	if c := suggest.Closest(name, known); c != "" {
		return fmt.Sprintf("; did you mean %q?", c)
	}
	return ""
}

// registerValues completes a flag with fixed values.
func registerValues(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

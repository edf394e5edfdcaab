package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/api"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/serve"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/signin"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
)

// newRootCmd returns the command tree.
func newRootCmd(term *terminal.Terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "partnercenter",
		Short: "Microsoft Partner Center from the command line",
		Long: `Work with customers, orders and subscriptions in Microsoft Partner Center, or in a local one.

To try it without an account, start a server with "partnercenter serve" and add
--profile local to the other commands.

A flag can be given once, unless its help says that it can be repeated.`,
		Version:       partnercenter.Version,
		Args:          command.UnknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true, // reported by run
		SilenceUsage:  true,
	}
	root.PersistentFlags().CountVarP(&term.Verbose, "verbose", "v", "report each request on standard error; twice, or =2, with headers and bodies, without secrets")
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(term.Stdin)
	root.SetOut(term.Stdout)
	root.SetErr(term.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown := unknownWord(cmd.Root(), term.Args); unknown != nil {
			return unknown
		}
		return terminal.FlagError(cmd, err)
	})
	usage := strings.NewReplacer(
		// Commands that only contain others run to print their help.
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}",
		"Additional help topics:", "Help Topics:",
		"{{rpad .CommandPath .CommandPathPadding}}", "help {{rpad .Name 12}}",
	).Replace(root.UsageTemplate())
	printHelp := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if term.Refused = unknownWord(cmd.Root(), term.Args); term.Refused == nil {
			cmd.SetUsageTemplate(strings.Replace(usage, usageOfFlags, fmt.Sprintf("{{%q}}", flagsHelp(cmd)), 1))
			var help bytes.Buffer
			out := root.OutOrStdout()
			root.SetOut(&help)
			printHelp(cmd, args)
			root.SetOut(out)
			_, _ = io.WriteString(out, term.FoldHelp(help.String())) // run sees the error
		}
	})

	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Partner Center", []*cobra.Command{api.Customers(term), api.Orders(term), api.Carts(term), api.Subscriptions(term), api.Offers(term), api.Products(term), api.Raw(term)}},
		{"Signing in", []*cobra.Command{signin.Login(term), signin.Logout(term), signin.Whoami(term), signin.Token(term), signin.Doctor(term), signin.Config(term)}},
		{"A local Partner Center", []*cobra.Command{serve.Serve(term), serve.Demo(term, api.PrintOrders), serve.CA(term), serve.Import(term), serve.DB(term), control.Clock(term), control.Identity(term), serve.Readyz(term)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(newVersionCmd(term))
	root.AddCommand(newHelpTopics()...)
	root.SetHelpCommand(newHelpCmd())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args, completion.RunE = command.UnknownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		completion.Long += "\n\nbash and zsh do not complete a word that begins with a quote: begin names\nwithout one."
	}
	prepare(term, root)
	return root
}

// plainUsage takes the backquotes out of the usage of flags, which name their values:
// completion shows them as they are.
func plainUsage(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, child := range cmd.Commands() {
		plainUsage(child)
	}
}

// unknownWord returns the error for a word of a command line that was to be a command
// below cmd, whatever flags are around it: an unknown command explains unknown flags.
func unknownWord(cmd *cobra.Command, args []string) error {
	for _, word := range args {
		if strings.HasPrefix(word, "-") {
			continue
		}
		for _, child := range cmd.Commands() {
			if child.Name() == word || child.HasAlias(word) {
				return unknownWord(child, args[slices.Index(args, word)+1:])
			}
		}
		if !cmd.HasAvailableSubCommands() || cmd.Args == nil {
			continue
		}
		// A word that resembles no command may be a flag's value.
		if word == args[0] || suggest.Closest(word, command.Names(cmd)) != "" {
			if err := cmd.Args(cmd, []string{word}); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare makes every command record that it started, which distinguishes usage
// errors from failures, turns off completion with files for flags that are not files,
// and makes flags of one value refuse a second one.
func prepare(term *terminal.Terminal, cmd *cobra.Command) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			term.Started = true
			return inner(cmd, args)
		}
	}
	prepareFlag := func(f *pflag.Flag) {
		if !completes(term.Args) { // cobra parses the flags before a word to complete twice
			terminal.TakeOnce(f)
		}
		terminal.DecimalOnly(f)
		_, known := cmd.GetFlagCompletionFunc(f.Name)
		if what, _ := pflag.UnquoteUsage(f); !known && what != "file" && what != "folder" {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions) // the flag exists
		}
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.LocalFlags().VisitAll(prepareFlag)
	for _, child := range cmd.Commands() {
		prepare(term, child)
	}
}

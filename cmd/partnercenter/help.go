package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/serve"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// newHelpCmd returns the command that prints help. Unlike cobra's, it fails for topics
// that do not exist.
func newHelpCmd() *cobra.Command {
	var man string
	cmd := &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command or topic",
		Long: "Print the help of a command or a topic, or write man pages: of all, or of a command and\nthose below it.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, child := range found.Commands() {
				if child.IsAvailableCommand() || child.IsAdditionalHelpTopicCommand() {
					names = append(names, cobra.CompletionWithDesc(child.Name(), child.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownTopic(found, rest)
			}
			if cmd.Flags().Changed("man") {
				if strings.TrimSpace(man) == "" {
					return terminal.Usagef("--man is empty: name a folder, or leave it out")
				}
				return writeManPages(found, man)
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
	cmd.Flags().StringVar(&man, "man", "", "write man pages into this `folder`")
	return cmd
}

// unknownTopic returns the error for words that are no command or topic below found. It
// suggests near ones, also further below: people ask for "help list".
func unknownTopic(found *cobra.Command, rest []string) error {
	if len(rest) == 0 {
		return command.UnknownCommand(found, rest)
	}
	var names []string
	paths := map[string][]string{} // those nearest to found, by name
	level := []*cobra.Command{found}
	for len(level) > 0 {
		var next []*cobra.Command
		near := map[string][]string{}
		for _, parent := range level {
			for _, child := range parent.Commands() {
				if !child.IsAvailableCommand() && !child.IsAdditionalHelpTopicCommand() {
					continue
				}
				next = append(next, child)
				for _, name := range append(child.Aliases, child.Name()) {
					near[name] = append(near[name], fmt.Sprintf("%q", strings.TrimPrefix(child.CommandPath(), found.CommandPath()+" ")))
				}
			}
		}
		for name, at := range near {
			if paths[name] == nil {
				names, paths[name] = append(names, name), at
			}
		}
		level = next
	}
	slices.Sort(names) // of names that are as near, the first
	hint := ""
	if near := suggest.Closest(rest[0], names); near != "" {
		hint = "; did you mean " + words.Or(paths[near]) + "?"
	}
	return terminal.Usagef("there is no command or topic %q below %q%s", rest[0], found.CommandPath(), hint)
}

// usageOfFlags is the part of cobra's template that flagsHelp replaces.
const usageOfFlags = `{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global Flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}`

// flagsHelp returns what the help of a command says of its flags.
func flagsHelp(cmd *cobra.Command) (text string) {
	flags, connects := command.ShownFlags(cmd)
	if flags.HasAvailableFlags() {
		text = "\n\nFlags:\n" + strings.TrimRight(flags.FlagUsages(), "\n")
	}
	if connects {
		text += "\n\nConnection flags: see \"partnercenter help connection\"."
	}
	return text
}

// newHelpTopics returns the topics of "partnercenter help" that are not commands.
func newHelpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "connection", Short: "Flags of commands that call Partner Center", Long: connectionHelp()},
		{Use: "environment", Short: "Environment variables, profiles and credentials", Long: environmentHelp()},
		{Use: "exit-codes", Short: "Exit codes, for scripts", Long: exitCodesHelp()},
	}
}

func connectionHelp() string {
	noun := command.Noun(new(terminal.Terminal), "noun", "", "")
	return "Commands that call Partner Center share these flags:\n\n" + strings.TrimRight(noun.PersistentFlags().FlagUsages(), "\n") + `

-v or --verbose reports each request on standard error, in a line with its status, how
long it took and its id. -vv or --verbose=2 adds headers and bodies, without secrets.`
}

func exitCodesHelp() string {
	var b strings.Builder
	b.WriteString("Every command exits with one of these codes:\n\n")
	for _, c := range terminal.ExitCodes {
		fmt.Fprintf(&b, "  %3d  %-11s  %s\n", c.Code, c.Name, c.Meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

func environmentHelp() string {
	var b strings.Builder
	b.WriteString("Commands that call Partner Center read these variables:\n\n")
	line := func(name, meaning string) { fmt.Fprintf(&b, "  %-41s  %s\n", name, meaning) }
	for _, s := range connect.SettingList {
		switch {
		case s.Env != "" && s.Flag != "":
			line(s.Env, "as --"+s.Flag)
		case s.Env != "":
			line(s.Env, s.Usage)
		}
	}
	line("PARTNERCENTER_PROFILE", "as --profile, with lower precedence than the variables above")
	line("PARTNERCENTER_CONFIG", "path of the configuration file")
	line(connect.TokenKeyVariable, "key for encrypting sign-ins: 32 bytes in base64")
	line("BROWSER", "command that opens the sign-in page; %s stands for the address")
	line("NO_COLOR", "if set, tables are not coloured")
	b.WriteString("\nCommands that work on databases read these, which keep passwords from the command line:\n\n")
	line("PARTNERCENTER_DB", "as --db")
	line("PARTNERCENTER_DB_DIRECT", "as --db-direct of serve and db migrate")
	line("PARTNERCENTER_READ_DB", "as --read-db of serve")
	line("PARTNERCENTER_FROM, PARTNERCENTER_TO", "as --from and --to of db copy; the latter of db restore, too")
	b.WriteString("\nThey seal secrets in databases with these, 32 bytes in base64 or hexadecimal each:\n\n")
	line(serve.DataKeyVariable, "key that secrets are sealed with")
	line(serve.OldDataKeyVariable, "another that they may be sealed with, while keys change")
	line(serve.DataKeyVariable+"_FILE", "file with the first, in place of it")
	line(serve.OldDataKeyVariable+"_FILE", "file with the other")
	b.WriteString(`
Settings are taken from these sources, in order of precedence: flags, the profile
named by --profile, environment variables, the profile named by PARTNERCENTER_PROFILE
or by defaultProfile in the configuration file, the cloud's defaults.

The configuration file is partnercenter/config.yaml in the user's configuration
folder: ~/.config on Linux, ~/Library/Application Support on macOS, %AppData% on
Windows. It is described in docs/configuration.md. The built-in profile "local" is
the server run by "partnercenter serve".

Commands act as the user who ran "partnercenter login" for the same authority, tenant
and app, or else as the app itself, with its secret or certificate. If the settings do
not name an app, it is the one that a user is signed in to. --as user and --as app
force the choice. "partnercenter whoami" shows who commands act as, and "partnercenter
doctor" finds what is wrong.

Without a sign-in, a client id, and a secret or certificate, Azure's own credentials
are used, in this order: the app in AZURE_TENANT_ID, AZURE_CLIENT_ID and
AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH), a workload identity, the user
of "az login". Managed identities are not tried, because they cannot be registered with
Partner Center.

HTTPS_PROXY, HTTP_PROXY and NO_PROXY set proxies. This machine is always reached
directly.`)
	return b.String()
}

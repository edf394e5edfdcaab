package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// newHelpTopics returns what "partnercenter help" knows besides commands.
func newHelpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "Environment variables, profiles and credentials", Long: environmentHelp()},
		{Use: "exit-codes", Short: "Exit codes, for scripts", Long: exitCodesHelp()},
	}
}

func exitCodesHelp() string {
	var b strings.Builder
	b.WriteString("Every command ends with one of these codes:\n\n")
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
	line("PARTNERCENTER_PROFILE", "as --profile, below the variables above")
	line("PARTNERCENTER_CONFIG", "path of the configuration file")
	line(connect.TokenKeyVariable, "key that sign-ins are encrypted with: 32 bytes in base64")
	line("BROWSER", "command that opens the sign-in page; %s in it is the address")
	line("NO_COLOR", "if not empty, tables are not coloured")
	b.WriteString(`
A setting is taken from the first that has it: a flag, the profile that --profile
names, a variable, the profile that PARTNERCENTER_PROFILE or defaultProfile in the
configuration file names, the cloud.

The configuration file is partnercenter/config.yaml in the user's configuration
folder: ~/.config on Linux, ~/Library/Application Support on macOS, %AppData% on
Windows. docs/configuration.md describes it. Profile "local" is built in: it is
the server that "partnercenter serve" runs.

Who calls: the user who ran "partnercenter login" for the same authority, tenant and
app; else the app itself, with its secret or certificate. Settings that name no app
mean the one that a user is signed in to. --as user and --as app leave no choice.
"partnercenter whoami" says who it is, "partnercenter doctor" what is in the way.

Without a sign-in, a client id, and a secret or certificate, Azure's own credentials
are used: an app in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or
AZURE_CLIENT_CERTIFICATE_PATH), a workload identity, or the user of "az login", in
this order. Managed identities are not looked for, as they cannot be registered
with Partner Center.

HTTPS_PROXY, HTTP_PROXY and NO_PROXY name proxies; this machine is reached
directly.`)
	return b.String()
}

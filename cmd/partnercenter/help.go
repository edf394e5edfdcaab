package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// newHelpTopics returns the topics of "partnercenter help" that are not commands.
func newHelpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "Environment variables, profiles and credentials", Long: environmentHelp()},
		{Use: "exit-codes", Short: "Exit codes, for scripts", Long: exitCodesHelp()},
	}
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

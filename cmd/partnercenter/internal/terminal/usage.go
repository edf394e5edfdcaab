package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
)

// Exit codes, for scripts. They are documented and do not change.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitUsage       = 2
	ExitAuth        = 3
	ExitNotFound    = 4
	ExitThrottled   = 5
	ExitInterrupted = 130 // as in shells for a program ended by Ctrl-C
	ExitNoReader    = 141 // as in shells for a program ended by SIGPIPE
)

// ExitCodes lists the exit codes and their meanings.
var ExitCodes = []struct {
	Code          int
	Name, Meaning string
}{
	{ExitOK, "ok", "the command succeeded"},
	{ExitError, "error", "any other failure: the server is down or answers unexpectedly, some customers failed, or a check found something"},
	{ExitUsage, "usage", "the command line, the environment or the configuration file is wrong; nothing was changed"},
	{ExitAuth, "auth", "credentials are missing or refused (401), or do not allow this (403)"},
	{ExitNotFound, "not found", "the order or customer does not exist (404)"},
	{ExitThrottled, "throttled", "too many requests (429), even after waiting; the message says how long to wait"},
	{ExitInterrupted, "interrupted", "stopped by Ctrl-C or SIGTERM"},
	{ExitNoReader, "no reader", "whoever read the output went away, as head does; nothing is said"},
}

// UsageError is a mistake in the command line or the settings, found before
// anything was changed.
type UsageError struct {
	Text string
	help string // command that explains more; empty means the command's own help
}

func (e *UsageError) Error() string { return e.Text }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{Text: fmt.Sprintf(format, args...)}
}

// Settingsf returns a UsageError for a mistake in the environment or the
// configuration file.
func Settingsf(format string, args ...any) error {
	return &UsageError{Text: fmt.Sprintf(format, args...), help: "partnercenter help environment"}
}

// Explain describes the error for the user.
func (e *UsageError) Explain(time.Time) Explanation {
	return Explanation{What: e.Text, Code: ExitUsage}
}

// FlagError converts cobra's errors about flags.
func FlagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
		twice   *givenTwiceError
	)
	if errors.As(err, &invalid) && errors.As(err, &twice) {
		return Usagef("--%s is %v", invalid.GetFlag().Name, twice)
	}
	if errors.As(err, &invalid) {
		return wrongValue(invalid)
	}
	if !errors.As(err, &unknown) {
		return &UsageError{Text: err.Error()}
	}
	if letters := unknown.GetSpecifiedShortnames(); letters != "" {
		if strings.ContainsAny(letters[:1], "0123456789.") {
			return Usagef("-%s begins with - and is taken for a flag: if it is an argument, write -- before the arguments", letters)
		}
		return &UsageError{Text: err.Error()}
	}
	var names []string
	visit := func(f *pflag.Flag) {
		// A flag that lifts a protection is for those who know it.
		if !slices.Contains([]string{"live", "yes", "force"}, f.Name) {
			names = append(names, f.Name)
		}
	}
	cmd.Flags().VisitAll(visit)
	cmd.InheritedFlags().VisitAll(visit)
	name := unknown.GetSpecifiedName()
	if use := strings.Fields(cmd.Use); len(use) > 1 && use[1] == ascii.ToUpper(name) {
		return Usagef("unknown flag --%s; %s is an argument: %s %s", name, use[1], cmd.CommandPath(), use[1])
	}
	suggestion := suggest.Closest(name, names)
	if suggestion != "" {
		suggestion = "; did you mean --" + suggestion + "?"
	}
	return Usagef("unknown flag --%s%s", name, suggestion)
}

// Choices adds completion with fixed values to a flag.
func Choices(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

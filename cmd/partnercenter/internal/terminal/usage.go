package terminal

import (
	"errors"
	"fmt"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/suggest"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes, for scripts. They are documented and do not change.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitUsage       = 2
	ExitAuth        = 3
	ExitNotFound    = 4
	ExitThrottled   = 5
	ExitInterrupted = 130 // as shells count a program that Ctrl-C ended
)

// ExitCodes are all of them, with what they mean.
var ExitCodes = []struct {
	Code          int
	Name, Meaning string
}{
	{ExitOK, "ok", "the command did all that it was asked to"},
	{ExitError, "error", "anything that has no code of its own: the server is down, answers something else, or some customers failed"},
	{ExitUsage, "usage", "the command line, the environment or the configuration file is wrong; nothing was changed"},
	{ExitAuth, "auth", "credentials are missing or refused (401), or do not allow this (403)"},
	{ExitNotFound, "not found", "there is no such order or customer (404)"},
	{ExitThrottled, "throttled", "too many requests (429), even after waiting; the message says how long to wait"},
	{ExitInterrupted, "interrupted", "stopped by Ctrl-C or SIGTERM"},
}

// UsageError is a mistake of the caller's, found before anything was changed.
type UsageError struct {
	Text string
	help string // command that explains more; empty: the command's own help
}

func (e *UsageError) Error() string { return e.Text }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{Text: fmt.Sprintf(format, args...)}
}

// Settingsf is for mistakes in the environment and configuration files.
func Settingsf(format string, args ...any) error {
	return &UsageError{Text: fmt.Sprintf(format, args...), help: "partnercenter help environment"}
}

// Explain words it for people.
func (e *UsageError) Explain(time.Time) Explanation {
	return Explanation{What: e.Text, Code: ExitUsage}
}

// FlagError words what cobra says of flags.
func FlagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return &UsageError{Text: err.Error()}
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
	return Usagef("unknown flag --%s%s", name, suggestion)
}

// Choices completes a flag with fixed values.
func Choices(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

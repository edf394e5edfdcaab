package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes, for scripts. They are documented and do not change.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitAuth        = 3
	exitNotFound    = 4
	exitThrottled   = 5
	exitInterrupted = 130 // as shells count a program that Ctrl-C ended
)

var exitCodes = []struct {
	code          int
	name, meaning string
}{
	{exitOK, "ok", "the command did all that it was asked to"},
	{exitError, "error", "anything that has no code of its own: the server is down, answers something else, or some customers failed"},
	{exitUsage, "usage", "the command line, the environment or the configuration file is wrong; nothing was changed"},
	{exitAuth, "auth", "credentials are missing or refused (401), or do not allow this (403)"},
	{exitNotFound, "not found", "there is no such order or customer (404)"},
	{exitThrottled, "throttled", "too many requests (429), even after waiting; the message says how long to wait"},
	{exitInterrupted, "interrupted", "stopped by Ctrl-C or SIGTERM"},
}

// usageError is a mistake of the caller's, found before anything was changed.
type usageError struct {
	text string
	help string // command that explains more; empty: the command's own help
}

func (e *usageError) Error() string { return e.text }

func usageErrorf(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// settingsErrorf is for mistakes in the environment and configuration files.
func settingsErrorf(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...), help: "partnercenter help environment"}
}

// Explain implements explainer.
func (e *usageError) Explain(time.Time) explanation {
	return explanation{what: e.text, code: exitUsage}
}

// flagError words what cobra says of flags.
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
	suggestion := closest(name, names)
	if suggestion != "" {
		suggestion = "; did you mean --" + suggestion + "?"
	}
	return usageErrorf("unknown flag --%s%s", name, suggestion)
}

// registerValues completes a flag with fixed values.
func registerValues(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

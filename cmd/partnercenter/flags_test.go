package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestFlagsGivenTwice gives every flag of every command two values. The last one must not
// silently be the one that counts.
func TestFlagsGivenTwice(t *testing.T) {
	values := map[string][2]string{
		"string": {"one", "two"}, "int": {"1", "2"}, "int64": {"1", "2"}, "uint": {"1", "2"}, "duration": {"1s", "2s"}, "bool": {"true", "false"}, "float64": {"1", "2"},
	}
	tried := 0
	for _, cmd := range allCommands(newRootCmd(&terminal.Terminal{})) {
		cmd.InheritedFlags() // which adds them
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, list := f.Value.(pflag.SliceValue); list || f.Value.Type() == "count" || f.Name == "help" || f.Changed {
				return
			}
			value, ok := values[f.Value.Type()]
			if !ok {
				t.Fatalf("%s --%s: no values of type %s", cmd.CommandPath(), f.Name, f.Value.Type())
			}
			first := "--" + f.Name + "=" + value[0]
			if f.Shorthand != "" {
				first = "-" + f.Shorthand + value[0]
			}
			tried++
			err := terminal.FlagError(cmd, cmd.ParseFlags([]string{first, "--" + f.Name + "=" + value[1]}))
			if !strings.HasPrefix(err.Error(), "--"+f.Name+" is given twice") {
				t.Errorf("%s --%s: %v", cmd.CommandPath(), f.Name, err)
			}
		})
	}
	if tried < 100 {
		t.Errorf("only %d flags", tried)
	}
}

// TestSwitchesTakeNoValue looks for switches that help shows with a value.
func TestSwitchesTakeNoValue(t *testing.T) {
	for _, cmd := range allCommands(newRootCmd(&terminal.Terminal{})) {
		if help := flagsHelp(cmd); strings.Contains(help, "[=") || !strings.Contains(help, "-h, --help ") {
			t.Errorf("%s:%s", cmd.CommandPath(), help)
		}
	}
}

// TestHelpNamesVariables looks in the help on the environment for the variables that flags
// name, and at the flags of databases for theirs: addresses have passwords.
func TestHelpNamesVariables(t *testing.T) {
	help := environmentHelp()
	for _, cmd := range allCommands(newRootCmd(&terminal.Terminal{})) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			variable := "PARTNERCENTER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			named := strings.Contains(f.Usage, variable)
			if named && !strings.Contains(help, variable) || !named && (f.Name == "db" || strings.HasSuffix(f.Name, "-db") || strings.HasPrefix(f.Name, "db-")) {
				t.Errorf("%s --%s: %s", cmd.CommandPath(), f.Name, f.Usage)
			}
		})
	}
}

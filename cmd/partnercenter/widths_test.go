package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// fits fails for lines that are wider than a terminal, other than by a word that has no
// room in any line.
func fits(t *testing.T, what, shown string, width int) {
	t.Helper()
	for line := range strings.Lines(shown) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), ` \`)
		last := line[strings.LastIndex(line, " ")+1:]
		if quoted := strings.IndexAny(line, `"'`); quoted >= 0 && strings.HasPrefix(line, "      ") {
			last = line[quoted:] // of a command that goes on
		}
		if got := text.StringWidth(line); got > width && text.StringWidth(last) < width-20 {
			t.Errorf("%s: %d columns on %d: %s", what, got, width, line)
		}
	}
}

// squeezed returns text without what folding adds and takes away.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\\' || r == '#' {
			return -1
		}
		return r
	}, s)
}

// TestHelpFits shows the help of all commands and topics on narrow terminals.
func TestHelpFits(t *testing.T) {
	show := func(width int, words []string) string {
		r := runCLI(t.Context(), t, func(term *terminal.Terminal) { term.StdoutTTY, term.Width = width > 0, width }, words...)
		if r.code != terminal.ExitOK || r.stdout == "" {
			t.Fatalf("%q: %+v", words, r)
		}
		return r.stdout
	}
	term, _, _ := testTerminal(nil)
	err := eachCommand(newRootCmd(term), func(cmd *cobra.Command) error {
		words := append([]string{"help"}, strings.Fields(cmd.CommandPath())[1:]...)
		whole := show(0, words)
		for _, width := range []int{30, 60, 80} {
			shown := show(width, words)
			fits(t, cmd.CommandPath(), shown, width)
			if squeezed(shown) != squeezed(whole) {
				t.Errorf("%s: at %d columns it says something else:\n%s", cmd.CommandPath(), width, shown)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReportsFit shows on narrow terminals what is printed other than tables and details.
func TestReportsFit(t *testing.T) {
	srv := partnercentertest.NewServer(t, partnercentertest.Options{})
	srv.Setenv(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte("profiles:\n  production:\n    scope: https://api.partnercenter.microsoft.com/.default\n    caFile: a/path with blanks that is rather long/and longer than that/ca.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTNERCENTER_CONFIG", config)
	authority := filepath.Dir(startServe(t).CAFile)
	for _, command := range []string{"version", "--help", "whoami", "config list", "doctor", "ca show --ca-dir " + authority} {
		for _, width := range []int{30, 60, 80} {
			r := runCLI(t.Context(), t, func(term *terminal.Terminal) {
				term.StdoutTTY, term.Width, term.Now, term.Getenv = true, width, time.Now, os.Getenv
			}, strings.Fields(command)...)
			if r.code != terminal.ExitOK {
				t.Fatalf("%s: %+v", command, r)
			}
			fits(t, fmt.Sprint(command, " at ", width), r.stdout, width)
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// TestManPages writes the man pages and looks for each command and flag in them.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if r := runCLI(t.Context(), t, nil, "help", "--man", dir); r.code != terminal.ExitOK || r.stderr != "" {
		t.Fatal(r)
	}
	page := func(command string) string {
		text, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(command, " ", "-")+".1"))
		if err != nil {
			t.Error(err)
		}
		return strings.ReplaceAll(string(text), `\-`, "-")
	}
	for _, cmd := range allCommands(newRootCmd(&terminal.Terminal{})) {
		text := page(cmd.CommandPath())
		cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(text, "--"+f.Name) {
				t.Errorf("%s: --%s is not on the page", cmd.CommandPath(), f.Name)
			}
		})
		if strings.Contains(text, "`") {
			t.Errorf("%s: a backquote is on the page", cmd.CommandPath())
		}
	}
	for topic, want := range map[string]string{"": ".SH SEE ALSO", " environment": "PARTNERCENTER_CONFIG", " exit-codes": "throttled", " connection": "--tenant-id"} {
		if !strings.Contains(page("partnercenter"+topic), want) {
			t.Errorf("partnercenter%s: %q is not on the page", topic, want)
		}
	}
}

// TestManPagesAreRead has groff format the pages and report what it does not understand.
func TestManPagesAreRead(t *testing.T) {
	groff := installed.Program(t, "groff")
	dir := t.TempDir()
	if r := runCLI(t.Context(), t, nil, "help", "--man", dir); r.code != terminal.ExitOK {
		t.Fatal(r)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-Tutf8", "-Kutf8", "-ww", "-z"}, pages...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v:\n%s", err, out)
	}
}

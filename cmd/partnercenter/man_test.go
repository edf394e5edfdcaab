package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// TestManPagesOfSome writes the pages of a command and those below it.
func TestManPagesOfSome(t *testing.T) {
	dir := t.TempDir()
	if r := runCLI(t.Context(), t, nil, "help", "clock", "--man", dir); r.code != terminal.ExitOK || r.stderr != "" {
		t.Fatal(r)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 3 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		if !strings.HasPrefix(filepath.Base(page), "partnercenter-clock") {
			t.Errorf("%s is no page of clock", page)
		}
	}
	if r := runCLI(t.Context(), t, nil, "help", "clok", "--man", dir); r.code != terminal.ExitUsage {
		t.Error(r)
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
	lines := regexp.MustCompile(`(?s)^([A-Z-]+\(1\)) +Commands +([A-Z-]+\(1\))\n.*\npartnercenter v[^ ]+ +[A-Z][a-z]{2} 20\d\d +([A-Z-]+\(1\))\n$`)
	for _, page := range pages {
		out, err := exec.CommandContext(t.Context(), groff, "-man", "-Tascii", "-Kutf8", "-P-cbou", "-rLL=80n", "-rLT=80n", page).Output() //nolint:gosec // of this test
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ToUpper(strings.TrimSuffix(filepath.Base(page), ".1")) + "(1)"
		if len(name) > 34 { // there would be no space
			name = strings.TrimPrefix(name, "PARTNERCENTER-")
		}
		if found := lines.FindSubmatch(out); found == nil || string(found[1]) != name || string(found[2]) != name || string(found[3]) != name {
			text := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Errorf("%s begins with %q and ends with %q", filepath.Base(page), text[0], text[len(text)-1])
		}
		for _, want := range map[string][]string{
			"partnercenter-exit-codes.1":         {"\n           0  ok"},
			"partnercenter-subscriptions-list.1": {"\n         subscriptionId, orderId,", "\n         unitType, status,", "\n         partnercenter subscriptions list --customer ID\n"},
		}[filepath.Base(page)] {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s has no %q:\n%s", filepath.Base(page), want, out)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-Tutf8", "-Kutf8", "-ww", "-z"}, pages...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestShortVersion(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "v1.2.3", "v0.1.0-dev": "v0.1.0-dev", "v1.2.3-rc.1+dirty": "v1.2.3-rc.1",
		"v0.0.0-20261130080913-74b0c6a1b2c3+dirty": "v0.0.0",
	} {
		if got := shortVersion(version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

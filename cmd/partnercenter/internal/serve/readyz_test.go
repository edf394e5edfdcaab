package serve

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestReadyzWaits waits for a ready file that may still come, and for no other.
func TestReadyzWaits(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where the file is on a Mac
	local, err := connect.LocalReadyFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(local), 0o700); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "ready.json")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readyz := func(args ...string) string {
		var out bytes.Buffer
		cmd := Readyz(&terminal.Terminal{Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }, Now: time.Now})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append(args, "--wait", "--timeout", "1ms"))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			return err.Error()
		}
		return out.String()
	}
	for _, args := range [][]string{nil, {"--ready-file", empty}, {"--ready-file", empty + ".none"}} {
		if got := readyz(args...); !strings.HasPrefix(got, "not ready after 1ms: there is no local server yet that has written ") || !strings.Contains(got, "one that is starting writes it when it is ready; ") {
			t.Errorf("%q: %s", args, got)
		}
	}
	if err := os.WriteFile(local, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--ready-file", local}} {
		if got := readyz(args...); !strings.HasPrefix(got, local+" is not a server's ready file") {
			t.Errorf("%q: %s", args, got)
		}
	}
}

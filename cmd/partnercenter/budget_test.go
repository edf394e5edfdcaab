package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// interrupting cancels a command when it writes a word.
type interrupting struct {
	bytes.Buffer
	word   string
	cancel context.CancelFunc
}

func (w *interrupting) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(string(p), w.word) {
		w.cancel()
	}
	return n, err
}

// TestBudgetOfCommand asks for more customers' orders than the budget has
// requests.
func TestBudgetOfCommand(t *testing.T) {
	stub := newStub(t, false)
	for _, tty := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		stderr := &interrupting{word: "waiting", cancel: cancel}
		setup := func(term *terminal.Terminal) { term.Stderr, term.StderrTTY = stderr, tty }
		r := runCLI(ctx, t, setup, "orders", "list", "--all-customers", "--workers", "3", "--budget", "2", "--base-url", stub.URL)
		cancel()
		if r.code != terminal.ExitInterrupted {
			t.Errorf("exit code %d: %s", r.code, stderr)
		}
		const line = "waiting 1m0s for the request budget (2 a minute); press Ctrl-C to stop"
		if n := strings.Count(stderr.String(), line); n != 1 {
			t.Errorf("terminal %v: it says %d times %q:\n%s", tty, n, line, stderr)
		}
	}
	r := runCLI(t.Context(), t, nil, "orders", "list", "--all-customers", "--budget", "3", "--base-url", stub.URL)
	if r.code != terminal.ExitOK || r.stderr != "" {
		t.Errorf("within the budget: %+v", r)
	}
}

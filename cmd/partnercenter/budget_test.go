package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// interrupting cancels a command when it writes a word.
type interrupting struct {
	bytes.Buffer
	word   string
	cancel context.CancelFunc
}

func (w *interrupting) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.word) {
		w.cancel()
	}
	return w.Buffer.Write(p)
}

// TestBudgetOfCommand asks for more customers' orders than the budget has
// requests.
func TestBudgetOfCommand(t *testing.T) {
	stub := newStub(t, false)
	for _, terminal := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		stderr := &interrupting{word: "waiting", cancel: cancel}
		setup := func(app *app) { app.stderr, app.stderrTTY = stderr, terminal }
		r := runCLI(ctx, t, setup, "orders", "list", "--all-customers", "--workers", "3", "--budget", "2", "--base-url", stub.URL)
		cancel()
		if r.code != exitInterrupted {
			t.Errorf("exit code %d: %s", r.code, stderr)
		}
		const line = "waiting 1m0s for the request budget (2 a minute); Ctrl-C stops"
		if n := strings.Count(stderr.String(), line); n != 1 {
			t.Errorf("terminal %v: it says %d times %q:\n%s", terminal, n, line, stderr)
		}
	}
	r := runCLI(t.Context(), t, nil, "orders", "list", "--all-customers", "--budget", "3", "--base-url", stub.URL)
	if r.code != exitOK || r.stderr != "" {
		t.Errorf("within the budget: %+v", r)
	}
}

// TestNoteBudget tells of waits one after the other.
func TestNoteBudget(t *testing.T) {
	app, _, stderr := testApp(nil)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	app.now = func() time.Time { return now }
	wait := partnercenter.BudgetWait{Class: partnercenter.BudgetOrders, For: 12400 * time.Millisecond, RequestsPerMinute: 500}
	app.noteBudget(wait)
	app.noteBudget(wait) // another worker's
	wait.For += 500 * time.Millisecond
	app.noteBudget(wait)
	now = now.Add(time.Minute)
	wait.For = time.Second // too short to speak of
	app.noteBudget(wait)
	wait.For, wait.Throttled = 40*time.Second, true
	app.noteBudget(wait)
	app.noteWait(429, 40*time.Second) // the one who was refused
	want := "waiting 12s for the request budget (500 a minute); Ctrl-C stops\nwaiting 40s as the service asked; Ctrl-C stops\n"
	if stderr.String() != want {
		t.Errorf("got\n%s\nwant\n%s", stderr, want)
	}
}

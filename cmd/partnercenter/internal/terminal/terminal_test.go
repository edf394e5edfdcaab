package terminal

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/partnercenter-go/partnercenter"
)

// testTerminal is a Terminal without a tty, in an environment of its own.
func testTerminal() (*Terminal, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &Terminal{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }, Now: time.Now}, &stdout, &stderr
}

// TestBarLeavesNothing counts lines: each that the bar draws is taken back.
func TestBarLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, _, stderr := testTerminal()
		term.StartBar("Orders", 10)
		for range 5 {
			time.Sleep(time.Minute)
			term.AdvanceBar()
		}
		term.Linef("a note")
		time.Sleep(time.Minute)
		term.StopBar()
		drawn := stderr.String()
		if !strings.Contains(drawn, "50.00%") || !strings.Contains(drawn, "ETA 6m0s") {
			t.Errorf("no progress or no ETA in %q", drawn)
		}
		if left := strings.Count(drawn, "\n") - strings.Count(drawn, text.CursorUp.Sprint()); left != 1 || !strings.Contains(drawn, "a note\n") {
			t.Errorf("%d lines are left, want the note alone: %q", left, drawn[max(0, len(drawn)-400):])
		}
	})
}

// TestNoteBudget tells of waits one after the other.
func TestNoteBudget(t *testing.T) {
	term, _, stderr := testTerminal()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	term.Now = func() time.Time { return now }
	wait := partnercenter.BudgetWait{Class: partnercenter.BudgetClassOrders, For: 12400 * time.Millisecond, RequestsPerMinute: 500}
	term.NoteBudget(wait)
	term.NoteBudget(wait) // another worker's
	wait.For += 500 * time.Millisecond
	term.NoteBudget(wait)
	now = now.Add(time.Minute)
	wait.For = time.Second // too short to speak of
	term.NoteBudget(wait)
	wait.For, wait.Throttled = 40*time.Second, true
	term.NoteBudget(wait)
	term.NoteWait(429, "the service", 40*time.Second) // the one who was refused
	want := "waiting 12s for the request budget (500 a minute); press Ctrl-C to stop\nwaiting 40s as the service asked; press Ctrl-C to stop\n"
	if stderr.String() != want {
		t.Errorf("got\n%s\nwant\n%s", stderr, want)
	}
}

// TestBarIsHonest looks at what the bar says of the time left, while the command waits and
// after that.
func TestBarIsHonest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, _, _ := testTerminal()
		term.StartBar("Orders", 10)
		says := func(want string) {
			t.Helper()
			synctest.Wait()
			term.mu.Lock()
			defer term.mu.Unlock()
			if got := term.bar.text; got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
		}
		says("Orders")
		time.Sleep(2 * time.Second)
		term.AdvanceBar()
		says("Orders, ETA 18s")
		term.NoteBudget(partnercenter.BudgetWait{For: time.Minute, RequestsPerMinute: 1})
		says("Orders, waiting")
		time.Sleep(time.Second)
		term.AdvanceBar() // a request that was under way
		says("Orders, waiting")
		time.Sleep(time.Minute)
		term.AdvanceBar()
		says("Orders, ETA 2m27s")
		term.NoteWait(429, "the token authority", 10*time.Second)
		says("Orders, waiting")
		term.StopBar()
	})
}

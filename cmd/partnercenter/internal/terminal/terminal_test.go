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

// screen returns what a terminal shows that was written to: lines that were drawn again
// or taken back are as they were last.
func screen(written string) string {
	var lines []string
	for line := range strings.SplitSeq(written, "\n") {
		if i := strings.LastIndex(line, eraseLine); i >= 0 {
			line = line[i+len(eraseLine):]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestBarLeavesNothing draws the bar at several widths, none of which it exceeds, and
// takes it back.
func TestBarLeavesNothing(t *testing.T) {
	for width, want := range map[int]string{
		0:  "Orders of customers: 5 of 10, ETA 5m0s  ████████████░░░░░░░░░░░░░  5m0s",
		80: "Orders of customers: 5 of 10, ETA 5m0s  ████████████░░░░░░░░░░░░░  5m0s",
		68: "Orders of customers: 5 of 10, ETA 5m0s  ████████████░░░░░░░░░░░░░",
		60: "Orders of customers: 5 of 10, ETA 5m0s",
		30: "5 of 10, ETA 5m0s",
		12: "5 of 10",
		6:  "5 of…",
	} {
		synctest.Test(t, func(t *testing.T) {
			term, _, stderr := testTerminal()
			term.StderrTTY, term.StderrWidth = true, func() int { return width }
			term.StartBar("Orders of customers", 10)
			for range 5 {
				time.Sleep(time.Minute)
				term.AdvanceBar()
			}
			shown := func() string {
				synctest.Wait()
				term.mu.Lock()
				defer term.mu.Unlock()
				return screen(stderr.String())
			}
			if got := shown(); got != want {
				t.Errorf("%d columns: %q, want %q", width, got, want)
			}
			term.Linef("a note")
			if got := shown(); got != "a note\n"+want {
				t.Errorf("%d columns: %q", width, got)
			}
			time.Sleep(time.Minute)
			term.StopBar()
			if got := shown(); got != "a note\n" {
				t.Errorf("%d columns: %q is left", width, got)
			}
			for drawn := range strings.SplitSeq(stderr.String(), eraseLine) {
				if width > 0 && drawn != "a note\n"+want && text.StringWidth(drawn) >= width {
					t.Errorf("%d columns: %q is too long", width, drawn)
				}
			}
		})
	}
}

// TestSetBar moves a bar by more than a step, with another title.
func TestSetBar(t *testing.T) {
	term, _, stderr := testTerminal()
	term.StderrTTY, term.StderrWidth = true, func() int { return 80 }
	term.SetBar("nothing", 1) // there is none
	term.StartBar("Customers", 10)
	term.SetBar("Customers, 5 orders a second", 4)
	term.StopBar()
	if got := stderr.String(); !strings.Contains(got, "Customers: 0 of 10") || !strings.Contains(got, "Customers, 5 orders a second: 4 of 10") || strings.Contains(got, "nothing") {
		t.Errorf("%q", got)
	}
}

// TestNoBarOnDumbTerminals looks for escape sequences where they would be printed as they
// are.
func TestNoBarOnDumbTerminals(t *testing.T) {
	term, _, stderr := testTerminal()
	term.StderrTTY, term.StderrWidth = true, func() int { return 80 }
	term.Getenv = func(name string) string { return map[string]string{"TERM": "dumb"}[name] }
	term.StartBar("Orders", 10)
	term.AdvanceBar()
	term.Linef("a note")
	term.StopBar()
	if got := stderr.String(); got != "a note\n" {
		t.Errorf("%q", got)
	}
}

// TestWaitLinesFit notes waits on terminals of several widths.
func TestWaitLinesFit(t *testing.T) {
	for width, want := range map[int]string{
		120: "429 Too Many Requests: waiting 1m0s as the token authority asks; press Ctrl-C to stop\n",
		80:  "429 Too Many Requests: waiting 1m0s as the token authority asks\n",
		60:  "waiting 1m0s as the token authority asks\n",
		40:  "waiting 1m0s\n",
	} {
		term, _, stderr := testTerminal()
		term.StderrTTY, term.StderrWidth = true, func() int { return width }
		term.NoteWait(429, "the token authority", time.Minute)
		if stderr.String() != want {
			t.Errorf("%d columns: %q, want %q", width, stderr, want)
		}
	}
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
			if got := strings.TrimSuffix(term.bar.title+", "+term.bar.left, ", "); got != want {
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

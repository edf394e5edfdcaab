package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// result is what a command line came to.
type result struct {
	code           int
	stdout, stderr string
}

// testApp is an app without a terminal, in an environment of its own.
func testApp(env map[string]string) (*app, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &app{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return env[name] },
		now:    time.Now,

		openBrowser: func(string) error { return errors.New("there is none") },
	}, &stdout, &stderr
}

// runCLI runs a command line in this process; setup, if not nil, may turn the
// app into one on a terminal.
func runCLI(ctx context.Context, t *testing.T, setup func(*app), args ...string) result {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	app, stdout, stderr := testApp(map[string]string{
		"PARTNERCENTER_TENANT_ID": stubTenant, "PARTNERCENTER_CLIENT_ID": stubClient, "PARTNERCENTER_CLIENT_SECRET": stubSecret,
	})
	if setup != nil {
		setup(app)
	}
	code := run(ctx, app, args)
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

func TestDrawnTable(t *testing.T) {
	stub := newStub(t, false)
	onTerminal := func(app *app) { app.stdoutTTY, app.width = true, 80 }
	r := runCLI(t.Context(), t, onTerminal, "orders", "list", "--customer", "one", "--base-url", stub.URL, "--include-price")
	if r.code != exitOK {
		t.Fatal(r)
	}
	want := "" +
		"╭──────────┬──────────────────────┬───────────┬─────────┬──────────────────┬────────────╮\n" +
		"│ ORDER ID │ CREATED              │ STATUS    │ BILLING │ ITEMS            │      TOTAL │\n" +
		"├──────────┼──────────────────────┼───────────┼─────────┼──────────────────┼────────────┤\n" +
		"│ order-2  │ 2024-05-01T18:00:02Z │ pending   │ monthly │ 5 × one's \"widg… │ 100.10 USD │\n" +
		"│ order-1  │ 2024-05-01T18:00:01Z │ completed │ monthly │ 5 × Gadgets, +1  │ 100.10 USD │\n" +
		"╰──────────┴──────────────────────┴───────────┴─────────┴──────────────────┴────────────╯\n"
	plain := strings.NewReplacer("\x1b[1m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(r.stdout)
	if plain != want {
		t.Errorf("got\n%s\nwant\n%s", plain, want)
	}
	if plain == r.stdout {
		t.Error("no colour on a terminal")
	}
	for name, setup := range map[string]func(*app){
		"NO_COLOR": func(app *app) {
			onTerminal(app)
			getenv := app.getenv
			app.getenv = func(name string) string {
				if name == "NO_COLOR" {
					return "1"
				}
				return getenv(name)
			}
		},
		"pipe": nil,
	} {
		r := runCLI(t.Context(), t, setup, "orders", "list", "--customer", "one", "--base-url", stub.URL)
		if strings.Contains(r.stdout, "\x1b") {
			t.Errorf("%s: colour in\n%s", name, r.stdout)
		}
	}
	r = runCLI(t.Context(), t, nil, "orders", "list", "--customer", "one", "--base-url", stub.URL, "--color", "always")
	if !strings.Contains(r.stdout, "\x1b[33mpending\x1b[0m") {
		t.Errorf("--color always: no colour in\n%s", r.stdout)
	}
}

// TestHostileNames lists an order whose name tries to steer the terminal.
func TestHostileNames(t *testing.T) {
	stub := newStub(t, false)
	for _, format := range formats {
		r := runCLI(t.Context(), t, func(app *app) { app.stdoutTTY = true },
			"orders", "list", "--customer", "hostile", "--base-url", stub.URL, "-o", format, "--color", "never")
		if r.code != exitOK || !strings.Contains(r.stdout, "evil") {
			t.Fatalf("-o %s: %+v", format, r)
		}
		if i := strings.IndexFunc(r.stdout, func(c rune) bool { return c != '\n' && c != '\r' && unsafeRune(c) }); i >= 0 {
			t.Errorf("-o %s lets %q through", format, r.stdout[i:i+4])
		}
	}
}

func TestProgressBar(t *testing.T) {
	stub := newStub(t, false)
	both := func(app *app) { app.stdoutTTY, app.stderrTTY, app.width = true, true, 120 }
	r := runCLI(t.Context(), t, both, "orders", "list", "--all-customers", "--base-url", stub.URL)
	if r.code != exitOK || !strings.Contains(r.stdout, "│ Company three") {
		t.Errorf("%+v", r)
	}
	r = runCLI(t.Context(), t, both, "orders", "list", "--all-customers", "--base-url", stub.URL+"/with-unauthorized")
	if r.code != exitAuth || r.stdout != "" || !strings.HasSuffix(r.stderr, "Partner Center.\n") {
		t.Errorf("%+v", r)
	}
	// Scrolling lines and a bar do not go together, nor do pipes and bars.
	for _, args := range [][]string{{"-o", "jsonl"}, {"-o", "csv"}} {
		r := runCLI(t.Context(), t, both, append(args, "orders", "list", "--all-customers", "--base-url", stub.URL)...)
		if r.stderr != "" {
			t.Errorf("%v: stderr %q", args, r.stderr)
		}
	}
}

// TestBarLeavesNothing counts lines: each that the bar draws is taken back.
func TestBarLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, _, stderr := testApp(nil)
		app.startBar("Orders", 10)
		for range 5 {
			time.Sleep(time.Minute)
			app.advanceBar()
		}
		app.linef("a note")
		time.Sleep(time.Minute)
		app.stopBar()
		drawn := stderr.String()
		if !strings.Contains(drawn, "50.00%") || !strings.Contains(drawn, "ETA: 6m0s") {
			t.Errorf("no progress or no ETA in %q", drawn)
		}
		if left := strings.Count(drawn, "\n") - strings.Count(drawn, text.CursorUp.Sprint()); left != 1 || !strings.Contains(drawn, "a note\n") {
			t.Errorf("%d lines are left, want the note alone: %q", left, drawn[max(0, len(drawn)-400):])
		}
	})
}

func TestInterrupt(t *testing.T) {
	stub := newStub(t, false)
	for _, args := range [][]string{
		{"orders", "list", "--customer", "slow", "--base-url", stub.URL},
		{"orders", "list", "--all-customers", "--base-url", stub.URL + "/with-slow"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-stub.slow
			cancel()
		}()
		r := runCLI(ctx, t, nil, args...)
		if r.code != exitInterrupted || r.stdout != "" || r.stderr != "interrupted\n" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestInterruptedPurchase breaks off an order that is on its way: the message
// must say how to find out what became of it.
func TestInterruptedPurchase(t *testing.T) {
	stub := newStub(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-stub.slow
		cancel()
	}()
	r := runCLI(ctx, t, nil, "orders", "create", "--customer", "slow", "--offer", "x", "--quantity", "1", "--yes", "--base-url", stub.URL)
	if r.code != exitInterrupted || r.stdout != "" || !strings.Contains(r.stderr, "interrupted\n  It is not known") || !strings.Contains(r.stderr, "--yes --base-url "+stub.URL+" --request-id ") {
		t.Errorf("%+v", r)
	}
	// A question that is not answered ends with the interruption, too.
	ctx, cancel = context.WithCancel(t.Context())
	asked, write := io.Pipe()
	defer write.Close()
	onTerminal := func(app *app) { app.stdin, app.stdinTTY = asked, true }
	time.AfterFunc(300*time.Millisecond, cancel)
	r = runCLI(ctx, t, onTerminal, "orders", "create", "--customer", "slow", "--offer", "x", "--quantity", "1", "--base-url", stub.URL)
	if r.code != exitInterrupted || strings.Contains(r.stderr, "not known") {
		t.Errorf("%+v", r)
	}
}

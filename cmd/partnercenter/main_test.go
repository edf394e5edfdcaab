package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// result is the result of a command line.
type result struct {
	code           int
	stdout, stderr string
}

// testTerminal is a Terminal without a tty, in an environment of its own.
func testTerminal(env map[string]string) (*terminal.Terminal, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &terminal.Terminal{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(name string) string { return env[name] },
		Now:    time.Now,

		OpenBrowser: func(string) error { return errors.New("there is none") },
	}, &stdout, &stderr
}

// readFacts reads the ready file of a server.
func readFacts(path string) (facts connect.ReadyFacts, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &facts)
	}
	return facts, err
}

// startServe runs serve in this process, on free ports with a database in memory, if
// none is given, until the test ends. It returns what the ready file says.
func startServe(t *testing.T, args ...string) connect.ReadyFacts {
	t.Helper()
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready.json")
	const freePort = "127.0.0.1:0"
	if !slices.Contains(args, "--db") {
		args = append(args, "--db", ":memory:")
	}
	args = append([]string{
		"serve", "--listen", freePort, "--listen-tls", freePort, "--control", freePort,
		"--ca-dir", filepath.Join(dir, "ca"), "--cache-size", "1MiB", "--ready-file", ready,
	}, args...)
	term, _, log := testTerminal(nil)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, term, args) }()
	var facts connect.ReadyFacts
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != terminal.ExitOK {
			t.Errorf("serve ends with %d: %s", code, log)
		}
		if facts.ClientSecret != "" && strings.Contains(log.String(), facts.ClientSecret) || strings.Contains(log.String(), "Bearer") {
			t.Errorf("a secret is in the log:\n%s", log)
		}
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		if facts, err = readFacts(ready); err == nil {
			return facts
		}
		select {
		case code := <-ended:
			ended <- code
			t.Fatalf("serve ends with %d: %s", code, log)
		default:
		}
	}
	t.Fatal("serve is not ready")
	return facts
}

// TestMemoryOfProcess lets a server set limits of memory in the program, and not in the tests,
// which keep more in their process than one server does, and would do nothing but collect.
func TestMemoryOfProcess(t *testing.T) {
	if !osTerminal(t.Context()).OwnProcess {
		t.Error("the program's servers do not set limits")
	}
	before := debug.SetMemoryLimit(-1)
	startServe(t)
	if limit := debug.SetMemoryLimit(-1); limit != before {
		t.Errorf("the limit of the tests was %d, and is %d", before, limit)
	}
}

// runCLI runs a command line in this process; setup, if not nil, may change its
// Terminal.
func runCLI(ctx context.Context, t *testing.T, setup func(*terminal.Terminal), args ...string) result {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	term, stdout, stderr := testTerminal(map[string]string{
		"PARTNERCENTER_TENANT_ID": stubTenant, "PARTNERCENTER_CLIENT_ID": stubClient, "PARTNERCENTER_CLIENT_SECRET": stubSecret,
	})
	if setup != nil {
		setup(term)
	}
	code := run(ctx, term, args)
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

func TestDrawnTable(t *testing.T) {
	stub := newStub(t, false)
	onTerminal := func(term *terminal.Terminal) { term.StdoutTTY, term.Width = true, 80 }
	r := runCLI(t.Context(), t, onTerminal, "orders", "list", "--customer", "one", "--base-url", stub.URL, "--include-price")
	if r.code != terminal.ExitOK {
		t.Fatal(r)
	}
	want := "" +
		"ORDER ID  CREATED               STATUS     BILLING  ITEMS                  TOTAL\n" +
		"order-2   2024-05-01T18:00:02Z  pending    monthly  5 × one's \"widg…  100.10 USD\n" +
		"order-1   2024-05-01T18:00:01Z  completed  monthly  5 × Gadgets, +1   100.10 USD\n"
	plain := strings.NewReplacer("\x1b[1m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(r.stdout)
	if plain != want {
		t.Errorf("got\n%s\nwant\n%s", plain, want)
	}
	if plain == r.stdout {
		t.Error("no colour on a terminal")
	}
	for name, setup := range map[string]func(*terminal.Terminal){
		"NO_COLOR": func(term *terminal.Terminal) {
			onTerminal(term)
			getenv := term.Getenv
			term.Getenv = func(name string) string {
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

// TestHostileNames lists an order whose name tries to control the terminal.
func TestHostileNames(t *testing.T) {
	stub := newStub(t, false)
	for _, format := range []string{"table", "wide", "json", "jsonl", "csv", "yaml"} {
		r := runCLI(t.Context(), t, func(term *terminal.Terminal) { term.StdoutTTY = true },
			"orders", "list", "--customer", "hostile", "--base-url", stub.URL, "-o", format, "--color", "never")
		if r.code != terminal.ExitOK || !strings.Contains(r.stdout, "evil") {
			t.Fatalf("-o %s: %+v", format, r)
		}
		if i := strings.IndexFunc(r.stdout, func(c rune) bool { return c != '\n' && c != '\r' && !unicode.IsGraphic(c) }); i >= 0 {
			t.Errorf("-o %s lets %q through", format, r.stdout[i:i+4])
		}
	}
}

func TestProgressBar(t *testing.T) {
	stub := newStub(t, false)
	both := func(term *terminal.Terminal) { term.StdoutTTY, term.StderrTTY, term.Width = true, true, 120 }
	r := runCLI(t.Context(), t, both, "orders", "list", "--all-customers", "--base-url", stub.URL)
	if r.code != terminal.ExitOK || !strings.Contains(r.stdout, "\nCompany three ") {
		t.Errorf("%+v", r)
	}
	r = runCLI(t.Context(), t, both, "orders", "list", "--all-customers", "--base-url", stub.URL+"/with-unauthorized")
	if r.code != terminal.ExitAuth || r.stdout != "" || !strings.HasSuffix(r.stderr, "Partner Center.\n") {
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
		if r.code != terminal.ExitInterrupted || r.stdout != "" || r.stderr != "interrupted\n" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestInterruptedPurchase interrupts an order in progress: the message must say
// how to find out whether it was placed.
func TestInterruptedPurchase(t *testing.T) {
	stub := newStub(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-stub.slow
		cancel()
	}()
	r := runCLI(ctx, t, nil, "orders", "create", "--customer", "slow", "--offer", "x", "--quantity", "1", "--yes", "--base-url", stub.URL)
	if r.code != terminal.ExitInterrupted || r.stdout != "" || !strings.Contains(r.stderr, "interrupted\n  It is unknown") || !strings.Contains(r.stderr, "--yes --base-url "+stub.URL+" --request-id ") {
		t.Errorf("%+v", r)
	}
	// An interruption also ends an unanswered question.
	ctx, cancel = context.WithCancel(t.Context())
	asked, write := io.Pipe()
	defer write.Close()
	onTerminal := func(term *terminal.Terminal) { term.Stdin, term.StdinTTY = asked, true }
	time.AfterFunc(300*time.Millisecond, cancel)
	r = runCLI(ctx, t, onTerminal, "orders", "create", "--customer", "slow", "--offer", "x", "--quantity", "1", "--base-url", stub.URL)
	if r.code != terminal.ExitInterrupted || strings.Contains(r.stderr, "It is unknown") {
		t.Errorf("%+v", r)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestVersionIsOne compares what the command says with what the client sends.
func TestVersionIsOne(t *testing.T) {
	stub := newStub(t, false)
	for _, args := range [][]string{
		{"--version"}, {"version"}, {"version", "-o", "json"},
		{"customers", "list", "--base-url", stub.URL, "-vv"},
	} {
		r := runCLI(t.Context(), t, nil, args...)
		if r.code != terminal.ExitOK || !strings.Contains(r.stdout+r.stderr, partnercenter.Version) || !strings.HasPrefix(partnercenter.Version, "v") {
			t.Errorf("%q: %+v, want %s", args, r, partnercenter.Version)
		}
	}
}

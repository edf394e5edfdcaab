package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
)

// program returns the program as users have it. With the race detector, a process takes three
// times the time to start, and five times to serve, and the scripts start a thousand: what
// they do at once is done in this process, too, by tests with runCLI and startServe, or in one
// with the detector, by those with start.
var program = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "partnercenter-built-"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "partnercenter")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// built is the folder of the program, or nothing.
var built string

// withProgram returns a PATH on which the program comes first.
func withProgram(tb testing.TB) string {
	tb.Helper()
	path, err := program()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Dir(path) + string(os.PathListSeparator) + os.Getenv("PATH")
}

// cleaning runs tests, and removes the program.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer func() { _ = os.RemoveAll(built) }() // "" is no folder
	return c.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){"partnercenter": main, "browser": browserMain})
}

// TestScripts runs the command lines in testdata/script. Besides testscript's
// own commands they have:
//
//	exits CODE COMMAND ARGS...	run and expect an exit code
//	awaitslow			wait until the stub holds a request
//	fact NAME FILE MEMBER		set a variable to what a ready file says
//	localstub			let --profile local find the stub
//	waitfile FILE [TEXT]		wait until a file is there, with a text in it
//	person				have the local server's user sit at the browser, and
//					set $LOCAL_TENANT, $LOCAL_CLIENT and $LOCAL_PROXY
//
// Program browser opens a sign-in page and answers what it asks, see
// browserMain.
//
// $LIVE is the base URL of a stub that does not seem to be on this machine; it
// takes HTTPS_PROXY=$LIVE_PROXY and --ca-file live.pem to get there.
//
// $STUB is the stub's base URL, $STUB_ADDRESS its host and port; credentials that it takes are in the
// environment.
func TestScripts(t *testing.T) {
	stub := newStub(t, false)
	live := newStub(t, true)
	proxy := newProxy(t, live.Server)
	path := withProgram(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("PATH", path)
			// With the race detector the browser would sleep a second first.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("STUB", stub.URL)
			env.Setenv("STUB_ADDRESS", strings.TrimPrefix(stub.URL, "http://"))
			env.Setenv("LIVE", "https://example.com") // a name in the certificate
			env.Setenv("LIVE_PROXY", proxy.URL)
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: live.Certificate().Raw})
			if err := os.WriteFile(filepath.Join(env.WorkDir, "live.pem"), ca, 0o600); err != nil {
				return err
			}
			env.Setenv("PARTNERCENTER_BASE_URL", stub.URL)
			env.Setenv("PARTNERCENTER_TENANT_ID", stubTenant)
			env.Setenv("PARTNERCENTER_CLIENT_ID", stubClient)
			env.Setenv("PARTNERCENTER_CLIENT_SECRET", stubSecret)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"awaitslow": func(ts *testscript.TestScript, _ bool, _ []string) {
				select {
				case <-stub.slow:
				case <-time.After(2 * time.Minute):
					ts.Fatalf("no slow request came")
				}
			},
			"waitfile": func(ts *testscript.TestScript, _ bool, args []string) {
				for range 2400 {
					if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && (len(args) < 2 || strings.Contains(string(text), args[1])) {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
				ts.Fatalf("%s did not come", args[0])
			},
			"fact": func(ts *testscript.TestScript, _ bool, args []string) {
				var facts map[string]any
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &facts))
				value, ok := facts[args[2]].(string)
				if !ok {
					ts.Fatalf("%s has no member %s", args[1], args[2])
				}
				ts.Setenv(args[0], value)
			},
			"person": func(ts *testscript.TestScript, _ bool, _ []string) {
				facts, err := readFacts(filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "partnercenter", "local.json"))
				ts.Check(err)
				ts.Setenv("BROWSER", "browser")
				ts.Setenv("BROWSER_CA", facts.CAFile)
				ts.Setenv("BROWSER_USER", facts.UserPrincipalName)
				ts.Setenv("BROWSER_PASSWORD", facts.Password)
				ts.Setenv("LOCAL_TENANT", facts.TenantID)
				ts.Setenv("LOCAL_CLIENT", facts.ClientID)
				ts.Setenv("LOCAL_PROXY", facts.ProxyURL)
				ts.Setenv("BROWSER_LOG", filepath.Join(ts.Getenv("WORK"), "browser.log"))
			},
			"localstub": func(ts *testscript.TestScript, _ bool, _ []string) {
				_, err := connect.ClaimReadyFile(t.Context(), filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "partnercenter", "local.json"), connect.ReadyFacts{
					PID: os.Getpid(), APIURL: stub.URL, TenantID: stubTenant, ClientID: stubClient, ClientSecret: stubSecret,
				})
				ts.Check(err)
			},
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

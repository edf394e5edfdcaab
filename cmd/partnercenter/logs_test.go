//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// process is the program in a process of its own.
type process struct {
	*exec.Cmd
	ended chan struct{}
	dir   string
}

// start starts the program with these outputs. It ends with the test.
func start(t *testing.T, stdout, stderr *os.File, env []string, args ...string) *process {
	t.Helper()
	p := &process{exec.CommandContext(t.Context(), "partnercenter", args...), make(chan struct{}), t.TempDir()}
	p.Env = append(os.Environ(), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir, "TMPDIR="+p.dir, "GORACE=atexit_sleep_ms=0")
	p.Env = append(p.Env, env...)
	p.Stdout, p.Stderr = stdout, stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait() // the state tells
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// startWithLog runs serve with its output and its log in a pipe.
func startWithLog(t *testing.T, out *os.File, args ...string) (*process, connect.ReadyFacts) {
	t.Helper()
	p := start(t, out, out, nil, append([]string{"serve", "--db", ":memory:", "--listen", "127.0.0.1:0", "--listen-tls=", "--control="}, args...)...)
	var facts connect.ReadyFacts
	until(t, "the server is ready", func() (err error) {
		facts, err = readFacts(p.readyFile())
		return err
	})
	return p, facts
}

func (p *process) readyFile() string {
	return filepath.Join(p.dir, "partnercenter", "local.json")
}

// signal asks the process to end.
func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end of the process and returns its exit code.
func (p *process) ends(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Fatalf("%v does not end", p.Args)
	}
	return p.ProcessState.ExitCode()
}

// until waits until try succeeds.
func until(t *testing.T, what string, try func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not so that %s: %v", what, err)
		}
	}
}

// fullPipe returns a pipe that takes no more until somebody reads it, and what is in it.
func fullPipe(t *testing.T) (r, w *os.File, filled int64) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	t.Cleanup(func() { w.Close() })
	for err == nil {
		var n int
		_ = w.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		n, err = w.Write(make([]byte, 4<<10))
		filled += int64(n)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return r, w, filled
}

// ask makes many requests on one connection, each of which makes a long line of the log,
// and fails unless all are answered.
func ask(t *testing.T, address string, requests int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	one := "GET /livez HTTP/1.1\r\nHost: x\r\nMS-RequestId: " + strings.Repeat("\xff", 128) + "\r\nMS-CorrelationId: " + strings.Repeat("\xff", 128) + "\r\n\r\n"
	go func() { _, _ = io.WriteString(conn, strings.Repeat(one, requests)) }()
	answers := bufio.NewReader(conn)
	for i := range requests {
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("after %d requests: %v", i, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("request %d was answered %s", i, resp.Status)
		}
	}
}

// TestServesWithoutReader makes more requests than a log that nobody reads has room for.
// Then somebody reads it: what was dropped is counted. Then the reader goes away.
func TestServesWithoutReader(t *testing.T) {
	r, w, filled := fullPipe(t)
	p, facts := startWithLog(t, w)
	w.Close() // the program has it
	address := strings.TrimPrefix(facts.APIURL, "http://")
	const requests = 8000
	ask(t, address, requests)

	if _, err := io.CopyN(io.Discard, r, filled); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var logged bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewReader(r)
		for {
			line, err := lines.ReadString('\n')
			mu.Lock()
			logged.WriteString(line)
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	dropped := regexp.MustCompile(`log_dropped=(\d+)`)
	asked := requests
	until(t, "every line is there or counted", func() error {
		ask(t, address, 1)
		asked++
		mu.Lock()
		defer mu.Unlock()
		text := logged.String()
		found := dropped.FindStringSubmatch(text)
		if found == nil {
			return errors.New("nothing was dropped")
		}
		n, err := strconv.Atoi(found[1])
		// The last ones are not written yet.
		if lines := strings.Count(text, "msg=request"); err != nil || lines+n < requests || lines+n > asked {
			return fmt.Errorf("%d lines and %d dropped ones of %d", lines, n, asked)
		}
		return nil
	})

	r.Close()
	<-read
	ask(t, address, 100)
	time.Sleep(200 * time.Millisecond) // until the log is written
	ask(t, address, 100)
	p.signal(t)
	if code := p.ends(t, 30*time.Second); code != terminal.ExitOK {
		t.Errorf("it ends with %v", p.ProcessState)
	}
}

// TestStopsWithoutReader stops servers whose output and log nobody reads.
func TestStopsWithoutReader(t *testing.T) {
	t.Run("serve", func(t *testing.T) {
		_, w, _ := fullPipe(t)
		p, facts := startWithLog(t, w)
		ask(t, strings.TrimPrefix(facts.APIURL, "http://"), 1)
		p.signal(t)
		if code := p.ends(t, 30*time.Second); code != terminal.ExitOK {
			t.Errorf("it ends with %v", p.ProcessState)
		}
		if _, err := os.Stat(p.readyFile()); err == nil {
			t.Error("the ready file is still there")
		}
	})
	t.Run("demo", func(t *testing.T) {
		_, w, _ := fullPipe(t)
		p := start(t, w, w, nil, "demo", "--keep")
		until(t, "the demo runs", func() error {
			databases, _ := filepath.Glob(filepath.Join(p.dir, "partnercenter-demo-*", "*.db"))
			if len(databases) == 0 {
				return errors.New("it has no database")
			}
			return nil
		})
		p.signal(t)
		p.ends(t, 30*time.Second)
		if left, _ := filepath.Glob(filepath.Join(p.dir, "partnercenter-demo-*")); len(left) > 0 {
			t.Errorf("it leaves %s", left)
		}
	})
}

// TestSecondSignal stops a server while a request is in progress: the file with the
// secret goes at once, and so does the server at the second signal.
func TestSecondSignal(t *testing.T) {
	_, w, _ := fullPipe(t)
	p, facts := startWithLog(t, w, "--shutdown-grace", "1h")
	held := holdRequest(t, facts)
	defer held.Close()
	p.signal(t)
	until(t, "the ready file is removed", func() error {
		if _, err := os.Stat(p.readyFile()); err == nil {
			return errors.New("it is there")
		}
		return nil
	})
	select {
	case <-p.ended:
		t.Fatal("it does not wait for requests in progress")
	default:
	}
	again := time.NewTicker(sameSignal / 10)
	defer again.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-again.C {
		select {
		case <-p.ended:
			if code := p.ProcessState.ExitCode(); code != terminal.ExitInterrupted {
				t.Errorf("it ends with %v", p.ProcessState)
			}
			p.leavesNothing(t)
			return
		default:
			if time.Now().After(end) {
				t.Fatal("it does not end")
			}
			_ = p.Process.Signal(syscall.SIGTERM) // it may just have ended
		}
	}
}

// TestOneSignalTwice sends a signal as timeout does, to the process and at the same moment
// to its group: the server ends as after one.
func TestOneSignalTwice(t *testing.T) {
	_, w, _ := fullPipe(t)
	p, facts := startWithLog(t, w)
	ask(t, strings.TrimPrefix(facts.APIURL, "http://"), 1)
	p.signal(t)
	// Signals that are pending at the same time are one.
	for range 10 {
		time.Sleep(time.Millisecond)
		_ = p.Process.Signal(syscall.SIGTERM)
	}
	if code := p.ends(t, 30*time.Second); code != terminal.ExitOK {
		t.Errorf("it ends with %v", p.ProcessState)
	}
	p.leavesNothing(t)
}

// leavesNothing fails if the process has left its ready file or a database behind.
func (p *process) leavesNothing(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(p.dir, "partnercenter-memory-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %q, %v", left, err)
	}
	if _, err := os.Stat(p.readyFile()); err == nil {
		t.Error("it leaves the ready file")
	}
}

func TestAwaitSecond(t *testing.T) {
	for _, test := range []struct {
		next  os.Signal
		after time.Duration
		want  bool
	}{
		{syscall.SIGTERM, 0, false},
		{syscall.SIGTERM, sameSignal - 1, false},
		{syscall.SIGTERM, sameSignal, true},
		{os.Interrupt, 0, true},
	} {
		signals := make(chan os.Signal, 2)
		signals <- test.next
		signals <- os.Kill // ends it in any case
		clock := []time.Time{{}, time.Time{}.Add(test.after), {}}
		awaitSecond(syscall.SIGTERM, signals, func() time.Time {
			now := clock[0]
			clock = clock[1:]
			return now
		})
		if second := len(signals) == 1; second != test.want {
			t.Errorf("%v after %v is a second one: %v", test.next, test.after, second)
		}
	}
}

// TestStopsWithUpload stops a server in the middle of an upload: of what has come of it,
// nothing is left.
func TestStopsWithUpload(t *testing.T) {
	_, w, _ := fullPipe(t)
	p, facts := startWithLog(t, w, "--shutdown-grace", "1ms")
	orders := "/v1/customers/" + sampleCustomer + "/orders"
	token := appToken(t, facts)
	answer := postBody(t, facts.APIURL+orders, "application/json", token,
		`{"billingCycle":"one_time","lineItems":[{"lineItemNumber":0,"offerId":"DG7GMGF0D7FV:0003:DG7GMGF0D609","quantity":1}]}`)
	order := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(answer)
	if order == nil {
		t.Fatal(answer)
	}
	upload := beginRequest(t, facts, token, orders+"/"+order[1]+"/attachment", "multipart/form-data; boundary=x")
	defer upload.Close()
	if _, err := io.WriteString(upload, "--x"); err != nil {
		t.Fatal(err)
	}
	p.signal(t)
	p.ends(t, 30*time.Second)
	if left, _ := filepath.Glob(filepath.Join(p.dir, "*.tmp")); len(left) > 0 {
		t.Errorf("it leaves %s", left)
	}
}

// holdRequest makes a request whose body does not come, and returns once the server
// reads it.
func holdRequest(t *testing.T, facts connect.ReadyFacts) net.Conn {
	t.Helper()
	return beginRequest(t, facts, appToken(t, facts), "/v1/customers/"+sampleCustomer+"/orders", "application/json")
}

// beginRequest sends the header of a request, and returns once the server reads its body.
func beginRequest(t *testing.T, facts connect.ReadyFacts, token, path, contentType string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(facts.APIURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Type: %s\r\nContent-Length: 10\r\n\r\n", path, token, contentType)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("the answer begins with %q, %v", line, err)
	}
	return conn
}

// closedPipe returns a pipe that nobody will ever read.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// TestReaderOfCommandGoesAway has nobody read what commands say: a purchase is made
// whatever becomes of its messages, and a list that nobody reads ends without a word.
func TestReaderOfCommandGoesAway(t *testing.T) {
	stub := newStub(t, false)
	env := []string{
		"PARTNERCENTER_BASE_URL=" + stub.URL, "PARTNERCENTER_TENANT_ID=" + stubTenant,
		"PARTNERCENTER_CLIENT_ID=" + stubClient, "PARTNERCENTER_CLIENT_SECRET=" + stubSecret,
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := func(out func(read *os.File) (stdout, stderr *os.File), args ...string) (int, string) {
		t.Helper()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		stdout, stderr := out(w)
		p := start(t, stdout, stderr, env, args...)
		w.Close()
		stop := context.AfterFunc(ctx, func() { r.Close() })
		defer stop()
		text, _ := io.ReadAll(r)
		return p.ends(t, time.Minute), string(text)
	}
	code, stdout := run(func(read *os.File) (*os.File, *os.File) { return read, closedPipe(t) },
		"orders", "create", "--customer", "one", "--offer", "x", "--quantity", "1", "--yes", "-v")
	if code != terminal.ExitOK || !strings.Contains(stdout, "order") {
		t.Errorf("the purchase ends with %d: %s", code, stdout)
	}
	code, stderr := run(func(read *os.File) (*os.File, *os.File) { return closedPipe(t), read },
		"orders", "list", "--customer", "one", "-o", "jsonl")
	if code != terminal.ExitNoReader || stderr != "" {
		t.Errorf("the list ends with %d: %s", code, stderr)
	}
}

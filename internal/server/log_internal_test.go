package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuckLog is a log that takes nothing until it is let go, and fails while it is broken.
type stuckLog struct {
	mu     sync.Mutex
	free   chan struct{}
	broken error
	b      bytes.Buffer
}

func (l *stuckLog) Write(p []byte) (int, error) {
	<-l.free
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, l.broken
	}
	return l.b.Write(p)
}

func (l *stuckLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

// written returns the text once it has want in it.
func (l *stuckLog) written(t *testing.T, want string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		text := l.b.String()
		l.mu.Unlock()
		if strings.Contains(text, want) {
			return text
		}
		if time.Now().After(end) {
			t.Fatalf("the log has no %s", want)
		}
	}
}

// number returns the value of an attribute in a line of either format.
func number(t *testing.T, line, name string) (n int, ok bool) {
	t.Helper()
	_, value, ok := strings.Cut(line, " "+name+"=")
	if !ok {
		if _, value, ok = strings.Cut(line, `"`+name+`":`); !ok {
			return 0, false
		}
	}
	n, err := strconv.Atoi(value[:len(value)-len(strings.TrimLeft(value, "0123456789"))])
	if err != nil {
		t.Fatalf("%s in %q: %v", name, line, err)
	}
	return n, true
}

// TestLogNobodyReads logs more than waits for a log that takes nothing. Nobody waits for
// it, and once it takes lines again, every one is there or counted, in their order.
func TestLogNobodyReads(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			stuck := &stuckLog{free: make(chan struct{})}
			w := NewLogWriter(stuck)
			log := slog.New(slog.NewJSONHandler(w, nil))
			if format == "text" {
				log = slog.New(slog.NewTextHandler(w, nil))
			}
			const lines = 3 * maxLogPending / 10_000
			long := strings.Repeat("x", 10_000)
			for i := range lines {
				log.Info(long, "n", i)
			}
			close(stuck.free)
			log.Info("again")
			stuck.written(t, "log_dropped")
			log.Info("last")
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			log.Info("too late")
			got, dropped, last := 0, 0, -1
			for line := range strings.Lines(stuck.written(t, "last")) {
				got++
				if n, ok := number(t, line, "log_dropped"); ok {
					dropped += n
				}
				if n, ok := number(t, line, "n"); ok {
					if n <= last {
						t.Fatalf("line %d comes after line %d", n, last)
					}
					last = n
				}
			}
			if dropped == 0 || got+dropped != lines+2 {
				t.Errorf("%d lines and %d dropped ones of %d", got, dropped, lines+2)
			}
		})
	}
}

// TestLogThatFails counts what cannot be written, as to a full disk or a pipe whose
// reader is gone.
func TestLogThatFails(t *testing.T) {
	log := &stuckLog{free: make(chan struct{})}
	close(log.free)
	w := NewLogWriter(log)
	log.fail(errors.New("no space left on device"))
	for range 10 {
		fmt.Fprintln(w, `{"msg":"lost"}`)
	}
	for w.dropped.Load() != 10 {
		time.Sleep(time.Millisecond)
	}
	log.fail(nil)
	fmt.Fprintln(w, `{"msg":"written"}`)
	fmt.Fprintln(w, `{"msg":"also"}`)
	w.Close()
	if want := `{"msg":"written","log_dropped":10}` + "\n" + `{"msg":"also"}` + "\n"; log.b.String() != want {
		t.Errorf("the log is %s", log.b.String())
	}
}

// TestOutputThatFails drops what is printed: the text that follows is as it was.
func TestOutputThatFails(t *testing.T) {
	out := &stuckLog{free: make(chan struct{})}
	close(out.free)
	w := NewOutput(out)
	out.fail(errors.New("no space left on device"))
	fmt.Fprintln(w, "lost")
	for w.dropped.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
	out.fail(nil)
	fmt.Fprintln(w, "written")
	w.Close()
	if out.b.String() != "written\n" {
		t.Errorf("%q is printed", out.b.String())
	}
}

// TestServesWithStuckLog logs more requests than wait for a log that takes nothing, and
// stops.
func TestServesWithStuckLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := &stuckLog{free: make(chan struct{})}
		w := NewLogWriter(stuck)
		access := newAccessLog(slog.New(slog.NewTextHandler(w, nil)))
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		for range 20_000 {
			access.add(&call{r: r, requestID: strings.Repeat("\xff", maxEchoed), status: 200})
		}
		begun := time.Now()
		access.lines.close()
		w.Close()
		if took := time.Since(begun); took > closingTime {
			t.Errorf("closing takes %s", took)
		}
		if w.dropped.Load() == 0 {
			t.Error("nothing was dropped")
		}
		close(stuck.free)
	})
}

package serve

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exhausted is a listener of a process without file descriptors.
type exhausted struct {
	net.Listener
	left int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.left--; e.left < 0 {
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

// The log has errors of accepting connections, and does not overflow with them.
func TestAcceptErrorsAreLogged(t *testing.T) {
	var log bytes.Buffer
	l := &local{logger: slog.New(slog.NewTextHandler(&log, nil))}
	listener, err := l.listenAt(t.Context(), "--listen", "http", "127.0.0.1:0", &authOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	w := listener.(*watched)
	now := time.Now()
	w.now = func() time.Time { return now }
	w.Listener = &exhausted{w.Listener, 4}
	server := &http.Server{ReadHeaderTimeout: time.Second}
	if err := server.Serve(w); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "ulimit -n") {
		t.Errorf("%d warnings: %s", n, &log)
	}
	now = now.Add(watchedEvery)
	w.Listener.(*exhausted).left = 1
	_, _ = w.Accept()
	if !strings.Contains(log.String(), "times=4") {
		t.Errorf("the log does not count: %s", &log)
	}
}

package server

import (
	"io"
	"sync"
	"time"
)

const (
	// logDelay is how late a line may be: short enough to watch a log, long
	// enough to spare a busy server a system call a request.
	logDelay = 50 * time.Millisecond
	// logBatch is written without waiting for more.
	logBatch = 64 << 10
	// maxPendingLog is how much waits for a slow disk or terminal before
	// requests wait for it too.
	maxPendingLog = 1 << 20
)

// LogWriter takes log lines and writes them in the background, many at once, so
// that requests do not wait for the log. Close writes what is left.
type LogWriter struct {
	w    io.Writer
	wake chan struct{} // there is something to write, or nothing ever again
	done chan struct{} // closed when the background is over

	mu      sync.Mutex // guards what follows; not held while writing
	written sync.Cond  // pending was taken
	pending []byte
	closed  bool
}

// NewLogWriter returns a LogWriter in front of w.
func NewLogWriter(w io.Writer) *LogWriter {
	l := &LogWriter{w: w, wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.written.L = &l.mu
	go l.run()
	return l
}

// Write takes a log line. After Close it writes the line itself.
func (l *LogWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pending) >= maxPendingLog && !l.closed {
		l.written.Wait()
	}
	if l.closed {
		return l.w.Write(line)
	}
	before := len(l.pending)
	l.pending = append(l.pending, line...)
	switch {
	case before == 0:
		time.AfterFunc(logDelay, l.signal)
	case before < logBatch && len(l.pending) >= logBatch:
		l.signal()
	}
	return len(line), nil
}

func (l *LogWriter) signal() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run writes what gathers until the LogWriter is closed.
func (l *LogWriter) run() {
	defer close(l.done)
	var lines []byte
	for range l.wake {
		l.mu.Lock()
		lines, l.pending = l.pending, lines[:0]
		closed := l.closed
		l.written.Broadcast()
		l.mu.Unlock()
		// A log that cannot be written has nowhere to say so.
		_, _ = l.w.Write(lines)
		if closed {
			return
		}
	}
}

// Close writes what has gathered.
func (l *LogWriter) Close() error {
	l.mu.Lock()
	l.closed = true
	l.written.Broadcast()
	l.mu.Unlock()
	l.signal()
	<-l.done
	return nil
}

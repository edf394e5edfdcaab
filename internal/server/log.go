package server

import (
	"io"
	"time"
)

// logDelay is how late a line may be: short enough to watch a log, long enough
// to spare a busy server a system call a request.
const logDelay = 50 * time.Millisecond

// LogWriter takes log lines and writes them in the background, many at once.
// Close writes what is left.
type LogWriter struct {
	w     io.Writer
	lines *batcher[byte]
}

// NewLogWriter returns a LogWriter in front of w.
func NewLogWriter(w io.Writer) *LogWriter {
	return &LogWriter{w: w, lines: newBatcher(batchLimits{delay: logDelay, batch: 64 << 10, maxPending: 1 << 20}, func(lines []byte) {
		// A log that cannot be written has nowhere to say so.
		_, _ = w.Write(lines)
	})}
}

// Write takes a log line. After Close it writes the line itself.
func (l *LogWriter) Write(line []byte) (int, error) {
	if !l.lines.add(line...) {
		return l.w.Write(line)
	}
	return len(line), nil
}

// Close writes what has gathered.
func (l *LogWriter) Close() error {
	l.lines.close()
	return nil
}

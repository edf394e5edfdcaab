package server

import (
	"io"
	"time"
)

// logDelay is how late a line may be written: short enough to watch a log, long enough
// to save a busy server a system call per request.
const logDelay = 50 * time.Millisecond

// LogWriter takes log lines and writes them in the background, many at a time. Close
// writes the rest.
type LogWriter struct {
	w     io.Writer
	lines *batcher[byte]
}

// NewLogWriter returns a LogWriter that writes to w.
func NewLogWriter(w io.Writer) *LogWriter {
	return &LogWriter{w: w, lines: newBatcher(batchLimits{delay: logDelay, batch: 64 << 10, maxPending: 1 << 20}, func(lines []byte) {
		// There is nowhere to report a log that cannot be written.
		_, _ = w.Write(lines)
	})}
}

// Write queues a log line. After Close it writes the line itself.
func (l *LogWriter) Write(line []byte) (int, error) {
	if !l.lines.add(line...) {
		return l.w.Write(line)
	}
	return len(line), nil
}

// Close writes the queued lines.
func (l *LogWriter) Close() error {
	l.lines.close()
	return nil
}

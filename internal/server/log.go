package server

import (
	"bytes"
	"io"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// logDelay is how late a line may be written: short enough to watch a log, long
	// enough to save a busy server a system call per request.
	logDelay = 50 * time.Millisecond
	// maxLogPending bounds the bytes of lines that wait while the log takes none, as a
	// pipe that nobody reads, or a terminal that was stopped with Ctrl-S. It is some
	// 14,000 requests.
	maxLogPending = 4 << 20
)

// LogWriter takes lines and writes them in the background, many at a time. It never keeps
// those who log or print waiting: lines for which there is no room, and lines that cannot
// be written, are dropped. Close writes the rest.
type LogWriter struct {
	w       io.Writer
	counts  bool // the next line that gets through says how many were dropped
	lines   *batcher[byte]
	dropped atomic.Int64 // lines, since the last one that got through
	lost    atomic.Int64 // lines, since the start
}

// NewLogWriter returns a LogWriter for lines as [log/slog] formats them. After some were
// dropped, the next one has their number as an attribute.
func NewLogWriter(w io.Writer) *LogWriter { return newLogWriter(w, true) }

// NewOutput returns a LogWriter for text that is printed, which gets no attributes.
func NewOutput(w io.Writer) *LogWriter { return newLogWriter(w, false) }

func newLogWriter(w io.Writer, counts bool) *LogWriter {
	l := &LogWriter{w: w, counts: counts}
	l.lines = newBatcher(batchLimits{delay: logDelay, batch: 64 << 10, maxPending: maxLogPending}, l.write)
	return l
}

// Write queues a line. After Close it drops it.
func (l *LogWriter) Write(line []byte) (int, error) {
	if !l.lines.add(line...) {
		l.drop(1)
	}
	return len(line), nil
}

// write writes lines, the first of which says how many were dropped before, if they are
// counted.
func (l *LogWriter) write(lines []byte) {
	if dropped := l.dropped.Load(); l.counts && dropped > 0 {
		end := bytes.IndexByte(lines, '\n') + 1
		if _, err := l.w.Write(withDropped(lines[:end], dropped)); err != nil {
			end = 0
		} else {
			l.dropped.Add(-dropped)
		}
		lines = lines[end:]
	}
	// There is nowhere to report a log that cannot be written.
	if n, err := l.w.Write(lines); err != nil {
		l.drop(int64(bytes.Count(lines[n:], []byte("\n"))))
	}
}

func (l *LogWriter) drop(lines int64) {
	l.dropped.Add(lines)
	l.lost.Add(lines)
}

// Dropped returns how many lines were dropped.
func (l *LogWriter) Dropped() int64 { return l.lost.Load() }

// withDropped adds an attribute to a formatted line.
func withDropped(line []byte, dropped int64) []byte {
	count := strconv.FormatInt(dropped, 10)
	if text, is := bytes.CutSuffix(line, []byte("}\n")); is && line[0] == '{' {
		return append(bytes.Clone(text), `,"log_dropped":`+count+"}\n"...)
	}
	return append(bytes.TrimSuffix(bytes.Clone(line), []byte("\n")), " log_dropped="+count+"\n"...)
}

// Close writes the queued lines, as far as the log takes them in little time.
func (l *LogWriter) Close() error {
	l.lines.close()
	return nil
}

package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// accessLog writes a line a request: ids, route, status and duration, and
// nothing that a client chose but its ids. Lines are formatted in the
// background.
type accessLog struct {
	handler slog.Handler
	lines   *batcher[accessLine]
	// callers holds the handlers that begin lines with what many requests
	// share, so that it is formatted once. There are as many as methods,
	// routes and partners make, which is few. Only the background uses it.
	callers map[accessKey]slog.Handler
}

// accessLine is what a line says.
type accessLine struct {
	accessKey
	at                       time.Time // when the request was over
	duration                 time.Duration
	status, size             int
	requestID, correlationID string
}

// accessKey is what many requests share.
type accessKey struct{ method, pattern, partner string }

func newAccessLog(log *slog.Logger) *accessLog {
	a := &accessLog{handler: log.Handler(), callers: map[accessKey]slog.Handler{}}
	a.lines = newBatcher(batchLimits{delay: logDelay, batch: 256, maxPending: 4096}, a.write)
	return a
}

// add logs a call that is over.
func (a *accessLog) add(c *call) {
	if !a.handler.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	line := accessLine{
		accessKey: accessKey{method: loggedMethod(c.r.Method), pattern: cmp.Or(c.pattern, "none")},
		at:        time.Now(), status: c.status, size: c.size,
		requestID: c.requestID, correlationID: c.correlationID,
	}
	line.duration = line.at.Sub(c.started)

	if c.claims != nil {
		line.partner = c.claims.TenantID
	}
	a.lines.add(line)
}

func (a *accessLog) write(lines []accessLine) {
	for i := range lines {
		line := &lines[i]
		// The record is made by hand: the logger's methods would look up the
		// line of code that calls them, which here says nothing.
		record := slog.NewRecord(line.at, slog.LevelInfo, "request", 0)
		record.AddAttrs(
			slog.Int("status", line.status),
			slog.Duration("duration", line.duration),
			slog.Int("bytes", line.size),
			slog.String("request_id", line.requestID),
			slog.String("correlation_id", line.correlationID),
		)
		// A log that cannot be written has nowhere to say so.
		_ = a.caller(line.accessKey).Handle(context.Background(), record)
	}
}

// caller returns the handler for lines about requests that share key.
func (a *accessLog) caller(key accessKey) slog.Handler {
	h, ok := a.callers[key]
	if !ok {
		attrs := []slog.Attr{slog.String("method", key.method), slog.String("route", key.pattern)}
		if key.partner != "" {
			attrs = append(attrs, slog.String("partner", key.partner))
		}
		h = a.handler.WithAttrs(attrs)
		a.callers[key] = h
	}
	return h
}

// loggedMethod keeps made-up methods out of the log.
func loggedMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

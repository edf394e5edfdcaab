package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// accessLog writes one line per request: ids, route, status and duration. Of what the
// client sent, only ids are logged. Lines are formatted in the background.
type accessLog struct {
	handler slog.Handler
	lines   *batcher[accessLine]
	// callers caches handlers whose lines begin with the attributes that many requests
	// share, so that those are formatted once. There is one for each combination of
	// method, route and partner. Only the background goroutine uses it.
	callers map[accessKey]slog.Handler
}

// accessLine is one line of the log.
type accessLine struct {
	accessKey
	at                       time.Time // when the request ended
	duration                 time.Duration
	status, size             int
	requestID, correlationID string
}

// accessKey is the part of a line that many requests share.
type accessKey struct{ method, pattern, partner string }

func newAccessLog(log *slog.Logger) *accessLog {
	a := &accessLog{handler: log.Handler(), callers: map[accessKey]slog.Handler{}}
	a.lines = newBatcher(batchLimits{delay: logDelay, batch: 256, maxPending: 4096, patient: true}, a.write)
	return a
}

// add logs a finished call.
func (a *accessLog) add(c *call) {
	if !a.handler.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	line := accessLine{
		accessKey: accessKey{method: loggedMethod(c.r.Method), pattern: cmp.Or(c.pattern, noRoute)},
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
		// The record is made by hand: the logger's methods would record the calling
		// line of code, which is meaningless here.
		record := slog.NewRecord(line.at, slog.LevelInfo, "request", 0)
		record.AddAttrs(
			slog.Int("status", line.status),
			slog.Duration("duration", line.duration),
			slog.Int("bytes", line.size),
			slog.String("request_id", line.requestID),
			slog.String("correlation_id", line.correlationID),
		)
		// There is nowhere to report a log that cannot be written.
		_ = a.caller(line.accessKey).Handle(context.Background(), record)
	}
}

// caller returns the handler for lines about requests with this key.
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

// noRoute is the route of requests that have none.
const noRoute = "none"

// loggedMethod keeps invented methods out of the log.
func loggedMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

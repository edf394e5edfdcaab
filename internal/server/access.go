package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// accessLog writes a line a request: ids, route, status and duration, and
// nothing that a client chose but its ids.
type accessLog struct {
	handler slog.Handler
	// callers holds the handlers that begin lines with what many requests
	// share, so that it is formatted once. There are as many as methods,
	// routes and partners make, which is few.
	callers sync.Map // of slog.Handler by accessKey
}

// accessKey is what many requests share.
type accessKey struct{ method, pattern, partner string }

func newAccessLog(log *slog.Logger) *accessLog { return &accessLog{handler: log.Handler()} }

// write logs a call that is over.
func (a *accessLog) write(c *call) {
	ctx := context.Background() // the request's may be over, the line is due all the same
	if !a.handler.Enabled(ctx, slog.LevelInfo) {
		return
	}
	// The record is made by hand: the logger's methods would look up the line
	// of code that calls them, which here says nothing.
	now := time.Now()
	record := slog.NewRecord(now, slog.LevelInfo, "request", 0)
	record.AddAttrs(
		slog.Int("status", c.status),
		slog.Duration("duration", now.Sub(c.started)),
		slog.Int("bytes", c.size),
		slog.String("request_id", c.requestID),
		slog.String("correlation_id", c.correlationID),
	)
	// A log that cannot be written has nowhere to say so.
	_ = a.caller(c).Handle(ctx, record)
}

// caller returns the handler for lines about requests like c.
func (a *accessLog) caller(c *call) slog.Handler {
	key := accessKey{method: loggedMethod(c.r.Method), pattern: c.pattern}
	if key.pattern == "" {
		key.pattern = "none"
	}
	if c.claims != nil {
		key.partner = c.claims.TenantID
	}
	if h, ok := a.callers.Load(key); ok {
		return h.(slog.Handler)
	}
	attrs := []slog.Attr{slog.String("method", key.method), slog.String("route", key.pattern)}
	if key.partner != "" {
		attrs = append(attrs, slog.String("partner", key.partner))
	}
	h, _ := a.callers.LoadOrStore(key, a.handler.WithAttrs(attrs))
	return h.(slog.Handler)
}

// loggedMethod keeps made-up methods out of the log.
func loggedMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

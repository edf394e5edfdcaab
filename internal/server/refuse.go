package server

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/queue"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// maxDescription is the documented limit of a description, in characters.
const maxDescription = 1024

// unavailableRetryAfter is the Retry-After of answers to calls that cannot be served now,
// such as one whose token cannot be checked for lack of keys.
const unavailableRetryAfter = 5 * time.Second

// errorSource is the part of the service that errors name as their source.
const errorSource = "PartnerFD"

// throttled is the gateway's refusal, which has a body of its own.
type throttled struct{ wait time.Duration }

func (t *throttled) Error() string { return "429: try again in " + t.wait.String() }

// refuse answers with an error. Anything but an [apiError] is a bug here: it is logged,
// and the client gets an id to quote.
func (s *Server) refuse(c *call, err error) {
	if limit, ok := errors.AsType[*throttled](err); ok {
		c.writeThrottled(limit)
		return
	}
	if unusable, ok := errors.AsType[*store.UnusableError](err); ok {
		err = errUnusable(unusable, c.r.Method != http.MethodGet && c.r.Method != http.MethodHead)
	}
	if errors.Is(err, queue.ErrFull) {
		err = errOverloaded
	}
	e, ok := errors.AsType[*apiError](c.storeError(err))
	if rule, is := errors.AsType[*lifecycle.Refusal](err); is {
		e = &apiError{status: rule.Status, code: rule.Code, description: rule.Error(), data: rule.Data}
		if rule.Code == partnercenter.ErrorCodeRoleNotGranted {
			e.code = s.config.Edition.needsUser() // the rules ask for no other role
		}
	} else if !ok {
		if c.r.Context().Err() != nil {
			// The client is gone.
			c.status = statusClientGone
			return
		}
		s.config.Logger.LogAttrs(c.r.Context(), slog.LevelError, "request failed", slog.String("error", err.Error()), slog.String("request_id", c.requestID))
		e = &apiError{
			status: http.StatusInternalServerError, code: partnercenter.ErrorCodeUnexpected,
			description: "Unexpected service error. Try again; if it persists, look for request id " + c.requestID + " in the server's log.",
		}
	}
	c.writeError(e)
}

// statusClientGone is what proxies log for a client that hung up.
const statusClientGone = 499

func (c *call) writeError(e *apiError) {
	if c.status != 0 {
		return // the answer has begun and cannot be replaced
	}
	description := []rune(e.description)
	if len(description) > maxDescription {
		description = description[:maxDescription]
	}
	body, err := partnercenter.Marshal(partnercenter.ErrorBody{
		Code: e.code, Description: string(description), Data: append(partnercenter.ErrorData{}, e.data...), Source: errorSource,
	})
	if err != nil {
		body = []byte(`{"code":800003,"description":"Unexpected service error","data":[],"source":"` + errorSource + `"}`)
	}
	switch {
	case e.code == partnercenter.ErrorCodeMFARequired:
		c.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case e.status == http.StatusServiceUnavailable:
		retryafter.Set(c.w.Header(), cmp.Or(e.retryAfter, unavailableRetryAfter))
	case e.status == http.StatusUnauthorized:
		c.w.Header().Set("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:"+c.requestID)
	}
	c.write(e.status, body)
}

// writeThrottled answers as the gateway in front of the service does: without the
// service's headers, and in a body of a different shape.
func (c *call) writeThrottled(t *throttled) {
	seconds := retryafter.Set(c.w.Header(), t.wait)
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	body := []byte(`{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in ` + seconds + ` seconds." }`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.send(http.StatusTooManyRequests, body)
}

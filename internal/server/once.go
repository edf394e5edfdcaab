package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"sync"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// writeResult is the result of a write: the answer and the change.
type writeResult struct {
	status   int
	location string
	body     []byte
	change   *store.Change // nil when there is nothing to change
	events   []lifecycle.Event
}

// maxDecisions is how often a write is decided again because another one intervened
// between reading and writing. Each time one of them succeeds, so only heavy contention
// reaches the limit.
const maxDecisions = 32

// inFlight are the named requests being answered.
type inFlight struct {
	mu   sync.Mutex // guards keys
	keys map[string]struct{}
}

// begin records a request, and reports false if it is running already.
func (r *inFlight) begin(key []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, is := r.keys[string(key)]; is {
		return false
	}
	r.keys[string(key)] = struct{}{}
	return true
}

func (r *inFlight) end(key []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, string(key))
}

// writeOnce performs a write once, however often the request arrives. A write with an
// MS-RequestId has one effect and one answer, which is stored with the effect; a
// repetition must have the same body. It may be at another server at the same time: then
// both decide, and the one that is later has the first's answer. A refusal has no effect and is not stored: a
// repetition is decided again.
//
// Decide is called again when its input has changed in the meantime. It must not have
// side effects.
func (s *Server) writeOnce(c *call, body []byte, decide func(context.Context) (*writeResult, error)) error {
	// A write that has begun is finished: a client that hung up must be able to learn
	// the result of its purchase later.
	ctx := context.WithoutCancel(c.r.Context())
	answer, err := c.idempotencyKey(body)
	if err != nil {
		return err
	}
	if err := c.enter(s.work.writes); err != nil {
		return err
	}
	if answer != nil {
		if !s.inFlight.begin(answer.Key) {
			return errInProgress
		}
		defer s.inFlight.end(answer.Key)
	}
	for attempt := range maxDecisions {
		if attempt > 0 { // the first time hardly any was answered before, and Apply tells
			if done, err := s.answerAgain(ctx, c, answer); done || err != nil {
				return err
			}
		}
		result, err := decide(ctx)
		if err != nil {
			// It may be refused because of what the same request has done at another server.
			if done, err := s.answerAgain(ctx, c, answer); done || err != nil {
				return err
			}
			return err
		}
		if result.change == nil && answer != nil {
			// A write that changes nothing now might change something when repeated.
			result.change = &store.Change{PartnerID: c.claims.TenantID, CustomerID: c.customer}
		}
		if result.change != nil {
			if answer != nil {
				answer.Status, answer.Location, answer.Body = result.status, result.location, result.body
				result.change.Answer = answer
			}
			switch err := s.config.Store.Apply(ctx, result.change); {
			case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrAnswered): // by another server
				continue
			case err != nil:
				return err
			}
			s.logEvents(c, result)
		}
		c.writeLocated(result.status, result.location, result.body)
		return nil
	}
	return errCrowd
}

// idempotencyKey returns the key of the write, nil if the client sent no id.
func (c *call) idempotencyKey(body []byte) (*store.Answer, error) {
	if err := c.checkWriteHeaders(); err != nil {
		return nil, err
	}
	sent := c.r.Header[keyRequestID]
	if len(sent) == 0 || sent[0] == "" {
		return nil, nil
	}
	h := sha256.New()
	for _, part := range append([]string{c.claims.TenantID, ascii.ToLower(sent[0]), c.r.Method, c.pattern}, c.params.values[:c.params.count]...) {
		h.Write([]byte(guid.KeyIfGUID(part)))
		h.Write([]byte{0}) // separates the parts
	}
	digest := sha256.Sum256(body)
	return &store.Answer{Key: h.Sum(nil)[:16], Digest: digest[:16]}, nil
}

// checkWriteHeaders refuses headers that do not say for sure which write it is. Of several,
// servers and proxies take the first, the last or all; an id that is not ASCII has no
// encoding that they agree on.
func (c *call) checkWriteHeaders() error {
	for _, name := range []string{headerRequestID, "If-Match", "Content-Type"} {
		if len(c.r.Header.Values(name)) > 1 {
			return errRepeatedHeader(name)
		}
	}
	sent := c.r.Header[keyRequestID]
	switch {
	case len(sent) == 0:
		return nil
	case len(sent[0]) > maxEchoed:
		return errRequestIDTooLong
	case !ascii.Is(sent[0]):
		return errRequestIDNoASCII
	}
	return nil
}

// answerAgain repeats an earlier answer to a named write, if there is one and the body is
// the same. It reports whether the write is answered.
func (s *Server) answerAgain(ctx context.Context, c *call, answer *store.Answer) (done bool, err error) {
	if answer == nil {
		return false, nil
	}
	before, err := s.config.Store.Answered(ctx, c.claims.TenantID, c.customer, answer.Key)
	if before == nil || err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare(before.Digest, answer.Digest) == 0 {
		return false, errRequestIDUsed(c.requestID)
	}
	c.writeLocated(before.Status, before.Location, before.Body)
	return true, nil
}

// writeLocated writes an answer with an optional Location.
func (c *call) writeLocated(status int, location string, body []byte) {
	if location != "" {
		c.w.Header()["Location"] = []string{location}
	}
	c.write(status, body)
}

// logEvents logs what happened. Ids of orders and subscriptions are not secret, and
// help to find it.
func (s *Server) logEvents(c *call, result *writeResult) {
	for _, event := range result.events {
		attrs := []slog.Attr{
			slog.String("event", string(event.Kind)), slog.String("partner", c.claims.TenantID),
			slog.String("customer", result.change.CustomerID), slog.String("request_id", c.requestID),
		}
		if event.OrderID != "" {
			attrs = append(attrs, slog.String("order", event.OrderID))
		} else if result.change.Order != nil {
			attrs = append(attrs, slog.String("order", result.change.Order.Order.ID))
		}
		if result.change.Cart != nil {
			attrs = append(attrs, slog.String("cart", result.change.Cart.Cart.ID))
		}
		if event.SubscriptionID != "" {
			attrs = append(attrs, slog.String("subscription", event.SubscriptionID))
		}
		s.config.Logger.LogAttrs(context.Background(), slog.LevelInfo, "happened", attrs...)
	}
}

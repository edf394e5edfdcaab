// Package contracttest checks HTTP traffic in tests against the OpenAPI document of
// package contract, and reads the contract's other tables for tests.
//
// A [Checker] stands between a client and a server:
//
//	client := &http.Client{Transport: contracttest.NewChecker(t).Transport(http.DefaultTransport)}
//
// Every answer that passes must have a status, headers and a body that the document
// describes, or the test fails with the operation, the position and what was expected
// there. The traffic is not changed.
//
// The document describes what callers should send and exactly what the server answers;
// the tolerance that the API promises is implemented here: letter case of paths, query
// names, enumerated values and booleans, /v1.0, doubled and trailing slashes, HEAD in
// place of GET.
//
// Only tests import this package.
package contracttest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// Checker fails a test when traffic violates the contract. It may be used concurrently.
// It is silent once its test has ended.
type Checker struct {
	tb  testing.TB
	doc *document

	mu   sync.Mutex
	over bool // the test has ended and accepts no more failures
}

// NewChecker returns a checker that reports to tb. It stops the test if the document
// itself is invalid.
func NewChecker(tb testing.TB) *Checker {
	tb.Helper()
	doc, err := loadDocument()
	if err != nil {
		tb.Fatalf("contract: openapi.yaml is not usable: %v", err)
	}
	c := &Checker{tb: tb, doc: doc}
	tb.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
	})
	return c
}

type badRequestKey struct{}

// BadRequest marks the requests made with the returned context as intentionally wrong:
// they are not checked, but their answers are.
func BadRequest(ctx context.Context) context.Context {
	return context.WithValue(ctx, badRequestKey{}, true)
}

func isBadRequest(ctx context.Context) bool { return ctx.Value(badRequestKey{}) != nil }

// Transport returns a client transport that checks each request and its answer and
// sends through next.
//
// It reads an answer completely before it passes it on; the caller reads the same
// bytes, and the same error if the answer is incomplete. Incomplete answers are not
// checked.
func (c *Checker) Transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		x := exchange{
			method:       cmp.Or(req.Method, http.MethodGet),
			url:          asSent(req.URL),
			request:      canonical(req.Header),
			checkRequest: !isBadRequest(req.Context()),
		}

		if req.Body != nil && req.Body != http.NoBody {
			body, err := io.ReadAll(req.Body)
			req.Body.Close()
			if err != nil {
				return nil, err
			}
			x.requestBody = body
			length := req.ContentLength
			req = req.Clone(req.Context()) // a transport must not modify the caller's request
			req.Body = io.NopCloser(bytes.NewReader(body))
			req.ContentLength = length
		}
		resp, err := next.RoundTrip(req)
		if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Body = io.NopCloser(replay(body, err))
		if err == nil {
			x.status = resp.StatusCode
			x.response = canonical(resp.Header)
			x.responseBody = body
			c.check(x)
		}
		return resp, nil
	})
}

// exchange is one request and its answer, as sent.
type exchange struct {
	method       string
	url          url.URL
	request      http.Header // keys in canonical form
	requestBody  []byte
	checkRequest bool

	status       int
	response     http.Header // keys in canonical form
	responseBody []byte
}

// check reports everything about x that the document does not describe, as one failure.
func (c *Checker) check(x exchange) {
	operation, problems := c.doc.check(x)
	if len(problems) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.tb.Errorf("contract: %s: %s %s answered %d\n\t%s",
		operation, x.method, x.url.RequestURI(), x.status, strings.Join(problems, "\n\t"))
}

// asSent returns the address as it is sent over the network: a client that needs its
// path unchanged sets Opaque.
func asSent(u *url.URL) url.URL {
	if u.Opaque == "" {
		return *u
	}
	sent, err := url.Parse(u.Scheme + ":" + u.Opaque)
	if err != nil {
		return *u // not a valid address; the server says what is wrong with it
	}
	sent.RawQuery = u.RawQuery
	return *sent
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// replay reads body and then, if there is one, the error that ended it.
func replay(body []byte, err error) io.Reader {
	if err == nil {
		return bytes.NewReader(body)
	}
	return io.MultiReader(bytes.NewReader(body), iotest.ErrReader(err))
}

// canonical copies h with every key in canonical form: a handler may have set one
// directly to keep its letter case.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for key, values := range h {
		key = http.CanonicalHeaderKey(key)
		out[key] = append(out[key], values...)
	}
	return out
}

// problems collects what is wrong with an exchange.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

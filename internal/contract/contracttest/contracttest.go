// Package contracttest checks HTTP traffic in tests against the OpenAPI document of
// package contract, and reads the contract's other tables for tests.
//
// A [Checker] stands between a client and a server, on either side:
//
//	client := &http.Client{Transport: contracttest.NewChecker(t).Transport(http.DefaultTransport)}
//	server := httptest.NewServer(contracttest.NewChecker(t).Handler(handler))
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
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
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
// they are not checked, but their answers are. The mark does not travel over the
// network; see [Checker.Handler].
func BadRequest(ctx context.Context) context.Context {
	return context.WithValue(ctx, badRequestKey{}, true)
}

func isBadRequest(ctx context.Context) bool { return ctx.Value(badRequestKey{}) != nil }

// Transport returns a client transport that checks each request and its answer and
// sends through next, or through [http.DefaultTransport] if next is nil.
//
// It reads an answer completely before it passes it on; the caller reads the same
// bytes, and the same error if the answer is incomplete. Incomplete answers are not
// checked.
func (c *Checker) Transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
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

// Handler returns a handler that checks each answer of next.
//
// A request is checked only if it was answered with success, because a handler cannot
// recognize the wrong requests that a test sends intentionally, and refusing those is
// right. Requests whose context carries [BadRequest] are not checked at all. Neither
// are answers that are aborted by a panic or taken over by hijacking.
func (c *Checker) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchange{
			method:       r.Method,
			url:          *r.URL,
			request:      canonical(r.Header),
			checkRequest: !isBadRequest(r.Context()),
		}
		body := &recordedBody{ReadCloser: r.Body}
		if r.Body != nil {
			r = r.WithContext(r.Context()) // a handler must not modify the caller's request
			r.Body = body
		}
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		if rec.hijacked {
			return
		}
		rec.begin(http.StatusOK)
		x.status = rec.status
		x.response = rec.header
		x.responseBody = rec.body.Bytes()
		if rec.status >= 400 {
			x.checkRequest = false
		}
		x.requestBody, x.requestBodyCut = body.read.Bytes(), !body.ended
		c.check(x)
	})
}

// exchange is one request and its answer, as sent.
type exchange struct {
	method         string
	url            url.URL
	request        http.Header // keys in canonical form
	requestBody    []byte
	requestBodyCut bool // requestBody may be incomplete
	checkRequest   bool

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

// recordedBody records what a handler reads of a request.
type recordedBody struct {
	io.ReadCloser
	read  bytes.Buffer
	ended bool
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Write(p[:n])
	b.ended = b.ended || err == io.EOF
	return n, err
}

// recorder passes an answer on and records it.
type recorder struct {
	http.ResponseWriter
	status   int // 0 until the header is written
	header   http.Header
	body     bytes.Buffer
	hijacked bool
}

// begin records the header at this moment, because later changes are not sent.
func (r *recorder) begin(status int) {
	if r.status == 0 {
		r.status = status
		r.header = canonical(r.Header())
	}
}

func (r *recorder) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.begin(http.StatusOK)
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

// Flush, Hijack and Unwrap preserve the capabilities of the wrapped writer.

func (r *recorder) Flush() {
	r.begin(http.StatusOK)
	_ = http.NewResponseController(r.ResponseWriter).Flush()
}

func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	r.hijacked = r.hijacked || err == nil
	return conn, rw, err
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

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

package partnercenter

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// newPipeline assembles the steps that a call goes through, in this order:
// identification and waiting for a write that still runs (once a call), retries
// and, once a try: waiting for the budget, time limit, token, a look at the token,
// keeping count, logging, sending. A token that was fetched before the wait could
// be too old after it.
func newPipeline(cred azcore.TokenCredential, endpoint *url.URL, o *ClientOptions) runtime.Pipeline {
	azure := o.ClientOptions
	// azcore's telemetry would name this client one of Azure's SDKs.
	azure.Telemetry.Disabled = true
	if azure.Transport == nil {
		azure.Transport = newTransport(nil)
	}
	var perTry []policy.Policy
	if o.Budget != nil {
		perTry = append(perTry, &budgetPolicy{budget: o.Budget, base: endpoint.Path})
	}
	if timeout := cmp.Or(azure.Retry.TryTimeout, DefaultTryTimeout); timeout > 0 {
		perTry = append(perTry, tryTimeoutPolicy{timeout})
	}
	azure.Retry.TryTimeout = 0 // azcore's would count the wait for the budget, and files that are read
	perTry = append(perTry, runtime.NewBearerTokenPolicy(cred, o.Scopes, &policy.BearerTokenOptions{
		// A server on this very machine is reached without a network that could
		// listen.
		InsecureAllowCredentialWithHTTP: endpoint.Scheme == "http" && isLoopback(endpoint.Hostname()),
	}))
	if !o.SkipCredentialChecks {
		perTry = append(perTry, newCredentialPolicy(endpoint, o))
	}
	perTry = append(perTry, tryPolicy{})
	return runtime.NewPipeline("partnercenter", Version, runtime.PipelineOptions{
		AllowedHeaders: []string{
			headerRequestID, headerCorrelationID, headerLocale, headerApplication, headerClient,
			headerSDKVersion, "MS-CV", "MS-ServerId", "Retry-After",
		},
		AllowedQueryParameters: []string{
			"billingType", "include_price", "include_system_purchases", "indirect_reseller_id",
			"size", "offset", "seekOperation", "order_id", "mpn_id", "country", "offer_category_id", "targetView", "targetSegment",
			"reservationScope",
		},
		PerCall:  []policy.Policy{newIdentifyPolicy(o), newInProgressPolicy(o.Retry)},
		PerRetry: perTry,
	}, &azure)
}

// newTransport returns the transport of clients that bring none. It follows no
// redirect: the service has none, and a token would travel with one. Nil roots are
// the system's.
func newTransport(roots *x509.CertPool) policy.Transporter {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	transport.MaxIdleConnsPerHost = 16 // calls at once whose connections are kept
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func isLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// identifyPolicy names the caller and the call. It runs once a call, so that
// all retries of a call carry one request id, the service's idempotency key.
type identifyPolicy struct {
	userAgent, locale, application string
}

func newIdentifyPolicy(o *ClientOptions) *identifyPolicy {
	agent := fmt.Sprintf("partnercenter-go/%s (%s; %s)", Version, goruntime.Version(), goruntime.GOOS)
	if o.ApplicationName != "" {
		agent += " " + strings.Join(strings.Fields(o.ApplicationName), "-")
	}
	return &identifyPolicy{userAgent: agent, locale: o.Locale, application: o.ApplicationName}
}

func (p *identifyPolicy) Do(req *policy.Request) (*http.Response, error) {
	h := req.Raw().Header
	setDefault(h, headerRequestID, NewRequestID)
	setDefault(h, headerCorrelationID, NewRequestID)
	h.Set("User-Agent", p.userAgent)
	h.Set(headerLocale, p.locale)
	h.Set(headerContractVersion, "v1")
	h.Set(headerClient, "partnercenter-go")
	h.Set(headerSDKVersion, Version)
	if p.application != "" {
		h.Set(headerApplication, p.application)
	}
	return req.Next()
}

// setDefault leaves alone what the caller set with [WithRequestID] or
// [WithCorrelationID].
func setDefault(h http.Header, key string, value func() string) {
	if h.Get(key) == "" {
		h.Set(key, value())
	}
}

// callState is what the steps of the pipeline know of a call together. A call
// is one goroutine's, so nothing guards it.
type callState struct {
	operation *Operation // nil for an address that is no documented call's
	body      *replay    // nil for a call without one
	write     bool       // it may change something
	tries     int
	open      bool // a try was sent, and no answer said what became of it
}

// lost makes err say that the answer is missing, if that matters.
func (s *callState) lost(req *http.Request, err error) error {
	if !s.write || !s.open || req == nil {
		return err
	}
	u := *req.URL
	u.RawQuery, u.User = "", nil
	return &LostAnswerError{Method: req.Method, URL: u.String(), RequestID: req.Header.Get(headerRequestID), Err: err}
}

// unsettled reports whether an answer that is not a success leaves open what
// became of a write. A refusal for a reason of its own settles the tries
// before it, as all carry one request id; one that nobody looked at the request
// for does not.
func (s *callState) unsettled(e *Error) bool {
	switch {
	case !s.write:
		return false
	case uncertain(e.StatusCode) || inProgress(e.StatusCode, e.Code):
		return true
	}
	return s.open && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusTooManyRequests)
}

// uncertain are the statuses that do not say whether a write was done.
func uncertain(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout
}

// inProgressCodes tell that a call with the same request id is still running.
var inProgressCodes = []ErrorCode{ErrorCodeOrderInProgress, "800064"} // the latter is of carts

func inProgress(status int, code ErrorCode) bool {
	return status == http.StatusConflict && slices.Contains(inProgressCodes, code)
}

// tryPolicy keeps count of the tries of a call, and of what they leave open.
// It stands behind the credential, so that what it sees fail was about to be
// sent.
type tryPolicy struct{}

func (tryPolicy) Do(req *policy.Request) (*http.Response, error) {
	var state *callState
	if !req.OperationValue(&state) {
		return req.Next()
	}
	state.tries++
	if state.body != nil {
		body, err := state.body.begin()
		if err != nil {
			return nil, err
		}
		req.Raw().Body, req.Raw().GetBody = body, state.body.begin
	}
	var sending sending
	resp, err := req.WithContext(sending.trace(req.Raw().Context())).Next()
	if err != nil {
		state.open = state.open || sending.mayHaveSent(err)
		// azcore does not repeat a write whose answer broke off. Ours carry a
		// request id and may be.
		if cause := errors.Unwrap(err); resp != nil && cause != nil && errors.As(err, new(interface{ NonRetriable() })) {
			err = cause
		}
		return resp, err
	}
	if uncertain(resp.StatusCode) {
		state.open = true
	}
	return resp, nil
}

// tryTimeoutPolicy limits how long one try may take, from after the wait for the
// budget until its answer is in memory or, for a file, until it begins.
type tryTimeoutPolicy struct{ timeout time.Duration }

func (p tryTimeoutPolicy) Do(req *policy.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Raw().Context())
	timer := time.AfterFunc(p.timeout, func() { cancel(context.DeadlineExceeded) })
	resp, err := req.WithContext(ctx).Next()
	late := !timer.Stop()
	if err != nil {
		cancel(nil)
		if late {
			// The context was cancelled, which would look like the caller's doing.
			if failed, ok := errors.AsType[*url.Error](err); ok {
				err = &url.Error{Op: failed.Op, URL: failed.URL, Err: context.DeadlineExceeded}
			} else {
				err = context.DeadlineExceeded
			}
			err = fmt.Errorf("partnercenter: no answer within %s, see ClientOptions.Retry.TryTimeout: %w", p.timeout, err)
		}
		return nil, err
	}
	if _, downloaded := resp.Body.(interface{ Bytes() []byte }); downloaded { // azcore's
		cancel(nil)
		return resp, nil
	}
	resp.Body = &cancellingBody{resp.Body, cancel}
	return resp, nil
}

// cancellingBody ends a try when its answer has been read.
type cancellingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *cancellingBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// replay is the body of a call, read from its beginning once a try. net/http may
// go on to read the body of a try that is over, because the answer came early or
// the connection broke. It must then get an error, and not what belongs to the
// next try: the service would be sent a body with holes.
type replay struct {
	mu      sync.Mutex // held while content is read
	content io.ReadSeeker
	current *replayed // nil between tries
}

// begin returns the body for the next try, and ends the last one's.
func (b *replay) begin() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = nil
	if _, err := b.content.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b.current = &replayed{b}
	return b.current, nil
}

// Seek ends the try that reads.
func (b *replay) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = nil
	return b.content.Seek(offset, whence)
}

// Read is there for azcore, which asks for a body that can be read; tries read
// what begin returns.
func (b *replay) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Read(p)
}

// Close leaves the content open, which is the caller's.
func (*replay) Close() error { return nil }

// replayed is the body of one try.
type replayed struct{ body *replay }

var errTryOver = errors.New("partnercenter: this try is over, and another has begun")

func (r *replayed) Read(p []byte) (int, error) {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.body.current != r {
		return 0, errTryOver
	}
	return r.body.content.Read(p)
}

func (*replayed) Close() error { return nil }

// sending is how far a try came on its way to the service.
type sending struct {
	begun atomic.Bool // the transport reports what it does
	wrote atomic.Bool // the request's header
}

func (s *sending) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { s.begun.Store(true) },
		WroteHeaders: func() { s.wrote.Store(true) },
	})
}

// mayHaveSent reports whether a try that failed may have reached the service: no request
// is served without its header. Transports that report nothing are judged by the error.
func (s *sending) mayHaveSent(err error) bool {
	if s.begun.Load() {
		return s.wrote.Load()
	}
	dial := new(net.OpError)
	return !(errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*tls.CertificateVerificationError)))
}

// inProgressPolicy waits for a write that is still running. When the answer to
// a try was lost, the next one can find the first still at work; the service
// then refuses it, with a code that says so, and answers a later one with what
// the first came to. On a first try that answer is the caller's: somebody else
// uses the request id.
type inProgressPolicy struct{ first, longest, patience time.Duration }

// The waits are those of retries, for as long as a service that is slow to
// place an order may take.
func newInProgressPolicy(o policy.RetryOptions) inProgressPolicy {
	p := inProgressPolicy{first: time.Second, longest: 15 * time.Second, patience: 2 * time.Minute}
	if o.RetryDelay > 0 {
		p.first = o.RetryDelay
	}
	if o.MaxRetryDelay > 0 {
		p.longest = min(p.longest, o.MaxRetryDelay)
	}
	return p
}

func (p inProgressPolicy) Do(req *policy.Request) (*http.Response, error) {
	var state *callState
	req.OperationValue(&state)
	resp, err := req.Next()
	if state == nil || !state.write {
		return resp, err
	}
	ctx := req.Raw().Context()
	wait, waited := p.first, time.Duration(0)
	for err == nil && state.tries > 1 && resp.StatusCode == http.StatusConflict && waited < p.patience {
		body, readErr := runtime.Payload(resp)
		var answer ErrorBody
		if readErr != nil || Unmarshal(body, &answer) != nil || !inProgress(resp.StatusCode, answer.Code) {
			break
		}
		wait = min(max(wait, RetryAfter(resp.Header, time.Now())), p.longest)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		waited += wait
		wait *= 2
		resp, err = req.Next()
	}
	return resp, err
}

package partnercenter

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
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

	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
)

// newPipeline assembles the steps of a call in this order: identification and waiting for
// a write in progress (once per call), then retries and, once per attempt, waiting for
// the budget, time limit, getting the token, checking it, counting attempts, logging,
// sending. The token comes after the wait, during which it could expire.
func newPipeline(cred azcore.TokenCredential, endpoint *url.URL, o *ClientOptions) runtime.Pipeline {
	azure := o.ClientOptions
	// azcore's telemetry would identify this client as one of Azure's SDKs.
	azure.Telemetry.Disabled = true
	if azure.Transport == nil {
		azure.Transport = newTransport(nil)
	}
	azure.Transport = boundedTransport{azure.Transport, o.MaxAnswerSize}
	azure.Retry.MaxRetries = min(azure.Retry.MaxRetries, maxRetries)
	perTry := []policy.Policy{retryAfterPolicy{}}
	if o.Budget != nil {
		perTry = append(perTry, &budgetPolicy{budget: o.Budget, base: endpoint.EscapedPath(), maxDelay: maxRetryDelay(o.Retry)})
	}
	if timeout := cmp.Or(azure.Retry.TryTimeout, DefaultTryTimeout); timeout > 0 {
		perTry = append(perTry, tryTimeoutPolicy{timeout})
	}
	if azure.Retry.RetryDelay < 0 { // none: azcore takes it for an overflow, and waits for the longest
		azure.Retry.RetryDelay = 1
	}
	azure.Retry.TryTimeout = 0 // azcore's would count the wait for the budget, and files that are read
	perTry = append(perTry, runtime.NewBearerTokenPolicy(cred, o.Scopes, &policy.BearerTokenOptions{
		// Traffic to a server on this machine does not cross a network.
		InsecureAllowCredentialWithHTTP: endpoint.Scheme == "http" && loopback.IsHost(endpoint.Hostname()),
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

// maxRetries is how many retries a call has at most. azcore would count beyond the
// largest number.
const maxRetries = 1000

// maxHeaderSize is far more than the headers of an answer need, in bytes.
const maxHeaderSize = 1 << 20

// newTransport returns the default transport. It does not follow redirects: the service
// has none, and the token would be sent along. Nil roots mean the system's.
func newTransport(roots *x509.CertPool) policy.Transporter {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	transport.MaxIdleConnsPerHost = 16 // connections kept for concurrent calls
	transport.MaxResponseHeaderBytes = maxHeaderSize
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// identifyPolicy sets the headers that identify the caller and the call. It
// runs once per call, so that retries carry the same request id, the service's
// idempotency key.
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
	setDefault(h, headerLocale, func() string { return p.locale })
	h.Set(headerContractVersion, "v1")
	h.Set(headerClient, "partnercenter-go")
	h.Set(headerSDKVersion, Version)
	if p.application != "" {
		h.Set(headerApplication, p.application)
	}
	if err := checkHeader(h); err != nil {
		return nil, err
	}
	return req.Next()
}

// headerSources say where the values of a request's header come from, in the order in
// which they are checked.
var headerSources = []struct{ header, what, source string }{
	{headerRequestID, "request id", "WithRequestID"},
	{headerCorrelationID, "correlation id", "WithCorrelationID"},
	{headerCustomerUser, "user", "ForCustomerUser"},
	{headerIfMatch, "etag", "IfMatch"},
	{headerContinuationToken, "continuation token", "CustomersQuery, or a link"},
	{headerLocale, "locale", "ClientOptions.Locale"},
	{headerApplication, "application name", "ClientOptions.ApplicationName"},
}

// checkHeader refuses values with control characters. The transport would refuse them as
// well, with an error that does not say that nothing was sent.
func checkHeader(h http.Header) error {
	for _, s := range headerSources {
		if value := h.Get(s.header); !validHeaderValue(value) {
			return &headerError{fmt.Sprintf("the %s %s (%s)", s.what, quote.Text(value), s.source)}
		}
	}
	if !validHeaderValue(h.Get("Authorization")) {
		return &headerError{"the token of the credential"}
	}
	return nil
}

func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// headerError reports a value that no header can have.
type headerError struct{ value string }

func (e *headerError) Error() string {
	return "partnercenter: " + e.value + " contains a control character, such as a line break: nothing was sent; remove it"
}

// NonRetriable marks the error as one that azcore must not retry.
func (*headerError) NonRetriable() {}

// setDefault sets a header unless [WithRequestID], [WithCorrelationID] or a [RawRequest]
// already has.
func setDefault(h http.Header, key string, value func() string) {
	if h.Get(key) == "" {
		h.Set(key, value())
	}
}

// maxRetryDelay returns the longest wait that the service can ask for and get.
func maxRetryDelay(o policy.RetryOptions) time.Duration {
	switch delay := o.MaxRetryDelay; {
	case delay < 0: // as in azcore
		return math.MaxInt64
	default:
		return cmp.Or(delay, time.Minute)
	}
}

// retryAfterPolicy hides from azcore's retries the headers that they would misread. They
// multiply the seconds of Retry-After whether or not a time.Duration holds the product,
// and prefer headers that the service does not send.
type retryAfterPolicy struct{}

func (retryAfterPolicy) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	var state *callState
	if err != nil || !req.OperationValue(&state) {
		return resp, err
	}
	const longest = 100 * 365 * 24 * time.Hour
	state.header = resp.Header
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Retry-After-Ms")
	resp.Header.Del("X-Ms-Retry-After-Ms")
	if RetryAfter(resp.Header, time.Now()) > longest {
		retryafter.Set(resp.Header, longest)
	}
	return resp, nil
}

// callState is the state of a call that the steps of the pipeline share. A call
// runs in one goroutine, so it needs no lock.
type callState struct {
	operation *Operation // nil if it is not a documented call
	body      *replay    // nil for a call without one
	write     bool       // it may change something
	tries     int
	header    http.Header // of the last answer, as it came
	open      bool        // an attempt was sent, and its outcome is unknown
	sent      bool        // the last failed attempt may have been
}

// lost wraps err in a LostAnswerError if the outcome of a write is unknown.
func (s *callState) lost(req *http.Request, err error) error {
	switch {
	case !s.write || req == nil:
		return err
	case !s.open && errors.As(err, new(*url.Error)):
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	case !s.open: // other errors say for themselves what was not done
		return err
	}
	u := *req.URL
	u.RawQuery, u.User = "", nil
	return &LostAnswerError{Method: req.Method, URL: u.String(), RequestID: req.Header.Get(headerRequestID), Err: err}
}

// unsettled reports whether an unsuccessful answer leaves the outcome of a
// write open. A refusal settles earlier attempts too, because they carry the
// same request id, unless it was made before the service looked at the request.
func (s *callState) unsettled(e *Error) bool {
	switch {
	case !s.write:
		return false
	case uncertain(e.StatusCode) || inProgress(e.StatusCode, e.Code):
		return true
	}
	return s.open && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusTooManyRequests)
}

// uncertain reports whether a status leaves open whether a write was done.
func uncertain(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout
}

// inProgressCodes are the codes for a call whose request id is still in progress.
var inProgressCodes = []ErrorCode{ErrorCodeOrderInProgress, ErrorCodeCartBusy}

func inProgress(status int, code ErrorCode) bool {
	return status == http.StatusConflict && slices.Contains(inProgressCodes, code)
}

// tryPolicy counts the attempts of a call and records whether their outcome is
// open. It comes after the credential, so that it only sees attempts that were
// about to be sent.
type tryPolicy struct{}

func (tryPolicy) Do(req *policy.Request) (*http.Response, error) {
	var state *callState
	if !req.OperationValue(&state) {
		return req.Next()
	}
	if err := checkHeader(req.Raw().Header); err != nil { // now with the token
		return nil, err
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
		state.sent = sending.mayHaveSent(err)
		state.open = state.open || state.sent
		// azcore does not retry a write whose answer was cut off. These writes
		// carry a request id, so they can be retried.
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

// tryTimeoutPolicy limits the duration of one attempt, not counting the wait for the
// budget. Of a file that the caller reads, it limits each wait for more of the body.
type tryTimeoutPolicy struct{ timeout time.Duration }

// errLate cancels an attempt that takes too long. A deadline of the caller's is another
// error.
var errLate = fmt.Errorf("partnercenter: too late: %w", context.DeadlineExceeded)

func (p tryTimeoutPolicy) Do(req *policy.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Raw().Context())
	timer := time.AfterFunc(p.timeout, func() { cancel(errLate) })
	resp, err := req.WithContext(ctx).Next()
	late := !timer.Stop()
	if err != nil {
		cancel(nil)
		if late {
			// Do not report the cancellation, as if the caller had cancelled.
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
	resp.Body = &awaitedBody{resp.Body, ctx, cancel, timer, p.timeout, req.Raw()}
	return resp, nil
}

// awaitedBody fails if it has to be waited for too long. The time between reads does
// not count. It cancels the attempt's context when it is closed.
type awaitedBody struct {
	io.ReadCloser
	ctx     context.Context // of the attempt
	cancel  context.CancelCauseFunc
	timer   *time.Timer // cancels ctx
	timeout time.Duration
	req     *http.Request
}

func (b *awaitedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), errLate) {
		err = &url.Error{Op: "Get", URL: b.req.URL.String(), Err: context.DeadlineExceeded}
		err = fmt.Errorf("partnercenter: the rest of the answer did not come: nothing for %s, see ClientOptions.Retry.TryTimeout: %w", b.timeout, err)
	}
	return n, err
}

func (b *awaitedBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// replay is the body of a call, read from its start by each attempt. After an
// early answer or a broken connection, net/http may still be reading the body
// of an attempt that is over. It must then get an error, or it would take data
// from the next attempt, whose body would have gaps.
type replay struct {
	mu      sync.Mutex // held while content is read
	content io.ReadSeeker
	current *replayed // nil between attempts
}

// begin returns the body for the next attempt, and ends that of the previous one.
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

// Seek ends the current attempt's body.
func (b *replay) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = nil
	return b.content.Seek(offset, whence)
}

// Read exists because azcore requires it; attempts read the body that begin
// returns.
func (b *replay) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Read(p)
}

// Close does nothing: the caller closes the content.
func (*replay) Close() error { return nil }

// replayed is the body of one attempt.
type replayed struct{ body *replay }

var errTryOver = errors.New("partnercenter: this attempt is over, and another has begun")

func (r *replayed) Read(p []byte) (int, error) {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.body.current != r {
		return 0, errTryOver
	}
	return r.body.content.Read(p)
}

func (*replayed) Close() error { return nil }

// sending records how much of an attempt was sent.
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

// mayHaveSent reports whether a failed attempt may have reached the service: a request
// is not served without its header. If the transport does not report what it does, the
// error decides.
func (s *sending) mayHaveSent(err error) bool {
	if s.begun.Load() {
		return s.wrote.Load()
	}
	dial := new(net.OpError)
	return !(errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*tls.CertificateVerificationError)))
}

// inProgressPolicy waits for a write that is still in progress. If the answer
// to an attempt was lost, the service may still be working on it and refuses
// the next attempt with one of inProgressCodes; later it returns the answer to
// the first. On a first attempt that refusal is returned to the caller: someone
// else used the request id.
type inProgressPolicy struct{ first, longest, patience time.Duration }

// newInProgressPolicy uses the delays of retries, and waits for as long as
// placing an order may take.
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

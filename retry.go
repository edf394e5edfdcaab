package partnercenter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// callState is what the steps of the pipeline know of a call together. A call
// is one goroutine's, so nothing guards it.
type callState struct {
	operation *Operation // nil for an address that is no documented call's
	body      *replay    // nil for a call without one
	write     bool       // it may change something
	tries     int
	open      bool // a try was sent, and no answer said what became of it
}

// LostAnswerError says that a write was sent and that no answer came back, so
// that it may have had its effect. Repeat it with the same content and
// RequestID ([WithRequestID]) to find out: it is done once in any case.
type LostAnswerError struct {
	Method, URL string // the query is left out
	RequestID   string
	Err         error // what the last try met
}

func (e *LostAnswerError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s was sent, but its answer was lost, so it may have had its effect: %v; repeat it unchanged with request id %s, and it is done once",
		e.Method, e.URL, e.Err, e.RequestID)
}

// Unwrap returns what the last try met.
func (e *LostAnswerError) Unwrap() error { return e.Err }

// Unsettled reports whether a write that ended in err may have had its effect
// all the same: its answer was lost, or unreadable, or said nothing certain. It
// is then safe to repeat the very same call with the same request id
// ([WithRequestID]), and not safe to make a new one.
func Unsettled(err error) bool {
	if answer := new(Error); errors.As(err, &answer) {
		return answer.Unsettled
	}
	unread := new(DecodeError)
	return errors.As(err, new(*LostAnswerError)) || errors.As(err, &unread) && unread.Method != http.MethodGet
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
var inProgressCodes = []ErrorCode{CodeOrderInProgress, "800064"} // the latter is of carts

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
	resp, err := req.Next()
	if err != nil {
		state.open = state.open || !neverSent(err)
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

// neverSent reports errors of the way to the server, before the request is on
// it.
func neverSent(err error) bool {
	dial := new(net.OpError)
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*tls.CertificateVerificationError))
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
		wait = min(max(wait, retryAfter(resp.Header, time.Now())), p.longest)
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

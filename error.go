package partnercenter

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
)

// Errors that calls can return in addition to the error types. Test for them with
// [errors.Is].
var (
	// ErrNotSent reports a change whose request did not reach the service: nothing was
	// changed.
	ErrNotSent = errors.New("partnercenter: the request was not sent")
	// ErrForeignLink reports a link to another host than the client's, or outside of its
	// endpoint's path, where it must not send its token.
	ErrForeignLink = errors.New("partnercenter: the link leads outside of the client's endpoint: it was not followed, to protect the token; check where the answer came from")
	// ErrMethodNotFollowed reports a link with a method other than GET, which would
	// change something.
	ErrMethodNotFollowed = errors.New("partnercenter: the link has a method other than GET and was not followed: use the verb that makes this change, such as Patch")
	// ErrCustomerMissing reports a link that does not name the customer of its
	// resource.
	ErrCustomerMissing = errors.New("partnercenter: the link does not name the customer and was not followed: follow it with CustomerClient.Follow")
	// ErrNotVisible reports that an existing order was not listed in time.
	ErrNotVisible = errors.New("partnercenter: the order exists but is not listed yet: wait longer, or read it by its id")
	// ErrAttachmentTooLarge is returned when reading an attachment beyond
	// MaxAttachmentSize bytes, or ClientOptions.MaxAnswerSize.
	ErrAttachmentTooLarge = errors.New("partnercenter: the attachment is larger than any purchase order: only part of it was read; check where it comes from")
)

// ErrorCategory groups failures by how a caller should react.
type ErrorCategory string

// The categories, one for each status the service documents.
const (
	ErrorCategoryBadInput              ErrorCategory = "bad input"               // 400
	ErrorCategoryUnauthorized          ErrorCategory = "unauthorized"            // 401
	ErrorCategoryForbidden             ErrorCategory = "forbidden"               // 403
	ErrorCategoryNotFound              ErrorCategory = "not found"               // 404
	ErrorCategoryInvalidOperation      ErrorCategory = "invalid operation"       // 405
	ErrorCategoryUnsupportedDataFormat ErrorCategory = "unsupported data format" // 406
	ErrorCategoryRequestTimeout        ErrorCategory = "request timeout"         // 408
	ErrorCategoryAlreadyExists         ErrorCategory = "already exists"          // 409
	ErrorCategoryTooManyRequests       ErrorCategory = "too many requests"       // 429
	ErrorCategoryServerBusy            ErrorCategory = "server busy"             // 503
	ErrorCategoryGatewayTimeout        ErrorCategory = "gateway timeout"         // 504
	ErrorCategoryServerError           ErrorCategory = "server error"            // every other status
)

// advice is a category and what to do next about it.
var advice = map[int]struct {
	category ErrorCategory
	next     string
}{
	http.StatusBadRequest:         {ErrorCategoryBadInput, "correct the request as the description says; repeating it unchanged fails again"},
	http.StatusUnauthorized:       {ErrorCategoryUnauthorized, "get a new token, and check its tenant and audience"},
	http.StatusForbidden:          {ErrorCategoryForbidden, "check that the partner may do this for the customer, and that the app or user has the required role"},
	http.StatusNotFound:           {ErrorCategoryNotFound, "check the id and the address; ids of newer orders are case-sensitive"},
	http.StatusMethodNotAllowed:   {ErrorCategoryInvalidOperation, "use a method named in the Allow header"},
	http.StatusNotAcceptable:      {ErrorCategoryUnsupportedDataFormat, "accept application/json"},
	http.StatusRequestTimeout:     {ErrorCategoryRequestTimeout, "try again with the same request id"},
	http.StatusConflict:           {ErrorCategoryAlreadyExists, "read the resource again before trying once more"},
	http.StatusTooManyRequests:    {ErrorCategoryTooManyRequests, "wait as long as Retry-After says, then try again with fewer calls at once"},
	http.StatusServiceUnavailable: {ErrorCategoryServerBusy, "try again later with the same request id"},
	http.StatusGatewayTimeout:     {ErrorCategoryGatewayTimeout, "try again later with the same request id"},
}

const adviceServerError = "try again with the same request id; if it persists, give the request id and the correlation id to the service's support"

// Error is an unsuccessful answer of the service.
type Error struct {
	StatusCode  int           // HTTP status
	Code        ErrorCode     // the service's code; not unique by itself, see Source
	Description string        // the service's description, or text of the answer
	Source      string        // the part of the service that failed
	Category    ErrorCategory // by status
	NextStep    string        // what to do next
	// RetryAfter is the wait that the service asked for, or zero. One longer than a
	// [time.Duration] holds, 292 years, is cut; the text of the error has its date.
	RetryAfter time.Duration
	// RequestID and CorrelationID identify the call to the service's support.
	RequestID, CorrelationID string
	Method, URL              string    // of the request, without the query
	Body                     ErrorBody // the decoded body; empty if it was not JSON
	// Unsettled reports whether a failed write may have had its effect; see
	// [Unsettled].
	Unsettled bool

	received time.Time
	retryAt  time.Time // zero if the service did not say
	response error     // *azcore.ResponseError, for errors.As
}

// Error returns status, code, description, ids and the next step in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "partnercenter: %s %s: %d %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Code != "" {
		fmt.Fprintf(&b, " (code %s)", e.Code)
	}
	if e.Description != "" {
		fmt.Fprintf(&b, ": %s", strings.TrimRight(e.Description, ". "))
	}
	switch {
	case e.retryAt.Unix()-e.received.Unix() > int64(e.RetryAfter/time.Second)+1: // more than a Duration holds
		fmt.Fprintf(&b, "; retry in %d years, on %s", e.retryAt.Year()-e.received.Year(), e.retryAt.UTC().Format(time.RFC3339))
	case e.RetryAfter > time.Minute:
		fmt.Fprintf(&b, "; retry after %s, on %s", e.RetryAfter, e.retryAt.UTC().Format(time.RFC3339))
	case e.RetryAfter > 0:
		fmt.Fprintf(&b, "; retry after %s", e.RetryAfter)
	}
	fmt.Fprintf(&b, " [request %s, correlation %s]; %s", cmp.Or(e.RequestID, "none"), cmp.Or(e.CorrelationID, "none"), e.NextStep)
	return b.String()
}

// Unwrap returns the answer as an *azcore.ResponseError, for code written for
// Azure's SDKs.
func (e *Error) Unwrap() error { return e.response }

// LostAnswerError reports a write that was sent but not answered, so that it
// may have had its effect. Repeat it with the same content and RequestID
// ([WithRequestID]) to find out; it is done only once in any case.
type LostAnswerError struct {
	Method, URL string // without the query
	RequestID   string
	Err         error // of the last attempt
}

func (e *LostAnswerError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s was sent, but its answer was lost, so it may have had its effect: %v; repeat it unchanged with request id %s; it is done only once",
		e.Method, e.URL, e.Err, e.RequestID)
}

// Unwrap returns the error of the last attempt.
func (e *LostAnswerError) Unwrap() error { return e.Err }

// Unsettled reports whether a write that failed with err may have had its effect: its
// answer was lost, unreadable or inconclusive. If so, repeat exactly the same call with
// the same request id ([WithRequestID]); a new call may have the effect a second time.
// Earlier calls with that id are not considered.
func Unsettled(err error) bool {
	if answer := new(Error); errors.As(err, &answer) {
		return answer.Unsettled
	}
	unread := new(DecodeError)
	return errors.As(err, new(*LostAnswerError)) || errors.As(err, &unread) && unread.Method != http.MethodGet
}

// DecodeError reports a successful answer that is not what the API documents,
// such as another program's web page or a truncated body.
type DecodeError struct {
	Method, URL string
	RequestID   string
	ContentType string
	Description string // the start of the answer, or what it appears to be
	Err         error  // of the decoder
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s did not answer with the API's JSON (%s): %v: %s; check that the base URL is Partner Center's and try again",
		e.Method, e.URL, e.ContentType, shortened(e.Err.Error(), maxDescription), e.Description)
}

// Unwrap returns the decoder's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// ErrorCode is an error code of the service as text, such as "20002", whether
// sent as a number or a string.
type ErrorCode string

// MarshalJSONTo writes digits as a number, as the service does, and anything
// else as a string.
func (c ErrorCode) MarshalJSONTo(enc *jsontext.Encoder) error {
	if _, err := strconv.ParseUint(string(c), 10, 63); err == nil && (c == "0" || c[0] != '0') {
		return enc.WriteValue(jsontext.Value(c))
	}
	return enc.WriteToken(jsontext.String(string(c)))
}

// UnmarshalJSONFrom reads a number or a string.
func (c *ErrorCode) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, c) }

// ErrorData are the details of an error, such as addresses and exception texts.
// Details that are not strings are kept as JSON text.
type ErrorData []string

// UnmarshalJSONFrom reads an array, or a single value of any kind.
func (d *ErrorData) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	values := []jsontext.Value{raw.Clone()}
	switch raw.Kind() {
	case jsontext.KindNull:
		*d = nil
		return nil
	case jsontext.KindBeginArray:
		values = nil
		if err := json.Unmarshal(raw, &values, decodeOptions); err != nil {
			return err
		}
	}
	*d = make(ErrorData, len(values))
	for i, v := range values {
		if v.Kind() != jsontext.KindString || json.Unmarshal(v, &(*d)[i], decodeOptions) != nil {
			(*d)[i] = string(v)
		}
	}
	return nil
}

// ErrorBody is the body of an unsuccessful answer in any of the three
// documented formats: the service's own (code, description, data, source), that
// of the throttling gateway (statusCode, message), and the agreement service's
// (code, message, description, errorName, …).
type ErrorBody struct {
	StatusCode           *int           `json:"statusCode,omitzero"` // gateway
	Code                 ErrorCode      `json:"code,omitzero"`
	Message              string         `json:"message,omitzero"` // gateway, agreement service
	Description          string         `json:"description,omitzero"`
	Data                 ErrorData      `json:"data,omitzero"`
	Source               string         `json:"source,omitzero"`
	ErrorName            string         `json:"errorName,omitzero"`            // agreement service
	IsRetryable          *bool          `json:"isRetryable,omitzero"`          // agreement service
	Parameters           jsontext.Value `json:"parameters,omitzero"`           // agreement service
	ErrorMessageExtended string         `json:"errorMessageExtended,omitzero"` // agreement service
	Extra                jsontext.Value `json:",embed"`
}

type plainErrorBody ErrorBody // ErrorBody without its methods

// MarshalJSON implements [encoding/json.Marshaler].
func (b ErrorBody) MarshalJSON() ([]byte, error) { return Marshal(plainErrorBody(b)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (b *ErrorBody) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainErrorBody)(b)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (b ErrorBody) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainErrorBody(b))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (b *ErrorBody) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainErrorBody)(b))
}

// errorTextLimit bounds the description made from a body that is not JSON:
// enough to recognise a proxy's page, not enough to flood a log.
const errorTextLimit = 200

// newError returns an Error for an answer whose body has been read.
func newError(resp *http.Response, body []byte) *Error {
	received := time.Now()
	e := &Error{
		received:      received,
		retryAt:       retryafter.Until(resp.Header, received),
		StatusCode:    resp.StatusCode,
		Category:      ErrorCategoryServerError,
		NextStep:      adviceServerError,
		RetryAfter:    RetryAfter(resp.Header, received),
		RequestID:     firstValue(resp, headerRequestID),
		CorrelationID: firstValue(resp, headerCorrelationID),
		response:      runtime.NewResponseError(resp),
	}
	if a, ok := advice[resp.StatusCode]; ok {
		e.Category, e.NextStep = a.category, a.next
	} else if resp.StatusCode < http.StatusInternalServerError {
		e.NextStep = "correct the request before sending it again"
	}
	if req := resp.Request; req != nil {
		u := *req.URL
		u.RawQuery, u.User = "", nil
		e.Method, e.URL = req.Method, u.String()
	}
	if err := Unmarshal(body, &e.Body); err == nil {
		e.Code, e.Source = ErrorCode(shortened(string(e.Body.Code), maxName)), shortened(e.Body.Source, maxName)
		e.Description = shortened(cmp.Or(e.Body.Description, e.Body.Message), maxDescription)
	} else {
		e.Body = ErrorBody{}
	}
	if e.Description == "" {
		e.Description = describeText(resp, body)
	}
	switch e.Code {
	case ErrorCodeMFARequired:
		e.NextStep = fixMFA
	case ErrorCodeAudienceRefused:
		e.NextStep = fixAudience
	case ErrorCodeUserRequired:
		e.NextStep = fixUser
	}
	return e
}

// describeText returns a description for a body that is not a documented error.
func describeText(resp *http.Response, body []byte) string {
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(body, []byte("?")))), " ")
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case text == "":
		return ""
	case kind == "text/html" || strings.HasPrefix(text, "<"):
		return "the answer is a web page, not the API: check the base URL and any proxy on the way"
	default:
		return shortened(text, errorTextLimit)
	}
}

// Lengths of what others have written into an error, in bytes: more than the service
// needs, and little enough for a log.
const (
	maxName        = 200
	maxDescription = 4000
)

func shortened(text string, most int) string {
	if len(text) > most {
		return quote.Cut(text, most) + "…"
	}
	return text
}

// firstValue returns an id from the answer's header, or the one that was sent.
// Some answers repeat the id, separated by a comma.
func firstValue(resp *http.Response, header string) string {
	value := resp.Header.Get(header)
	if value == "" && resp.Request != nil {
		value = resp.Request.Header.Get(header)
	}
	value, _, _ = strings.Cut(value, ",")
	return shortened(strings.TrimSpace(value), maxName)
}

// RetryAfter returns the wait that a Retry-After header asks for, in either of
// its forms, or zero.
func RetryAfter(h http.Header, now time.Time) time.Duration { return retryafter.Get(h, now) }

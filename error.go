package partnercenter

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What calls fail with besides the error types, for [errors.Is].
var (
	// ErrForeignLink says that a link leads to another host than the client's. The
	// client never sends its token there.
	ErrForeignLink = errors.New("partnercenter: the link leads to another host than the client's endpoint: it was not followed, to keep the token; check where the answer came from")
	// ErrMethodNotFollowed says that a link names another method than GET, so that
	// following it would change something.
	ErrMethodNotFollowed = errors.New("partnercenter: the link is for another method than GET and was not followed: use the verb that makes this change, such as Patch")
	// ErrCustomerMissing says that a link leaves out whose resource it leads to.
	ErrCustomerMissing = errors.New("partnercenter: the link leaves out the customer and was not followed: follow it with CustomerClient.Follow")
	// ErrNotVisible says that an order that exists was not listed in time.
	ErrNotVisible = errors.New("partnercenter: the order exists but is not listed yet: wait longer, or read it by its id")
	// ErrAttachmentTooLarge is what reading an attachment ends in after
	// MaxAttachmentSize bytes.
	ErrAttachmentTooLarge = errors.New("partnercenter: the attachment is larger than any purchase order: it was read in part; check where it comes from")
)

// ErrorCategory groups failures by what a caller does about them.
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

// advice says what to do next about a category, where the service does not.
var advice = map[int]struct {
	category ErrorCategory
	next     string
}{
	http.StatusBadRequest:         {ErrorCategoryBadInput, "correct the request as the description says; repeating it unchanged fails again"},
	http.StatusUnauthorized:       {ErrorCategoryUnauthorized, "get a new token, and check its tenant and audience"},
	http.StatusForbidden:          {ErrorCategoryForbidden, "check that this partner may do this to this customer, and that the app or user has the role for it"},
	http.StatusNotFound:           {ErrorCategoryNotFound, "check the id and the address; ids of newer orders are case-sensitive"},
	http.StatusMethodNotAllowed:   {ErrorCategoryInvalidOperation, "use a method that the Allow header names"},
	http.StatusNotAcceptable:      {ErrorCategoryUnsupportedDataFormat, "accept application/json"},
	http.StatusRequestTimeout:     {ErrorCategoryRequestTimeout, "try again with the same request id"},
	http.StatusConflict:           {ErrorCategoryAlreadyExists, "read the resource again before trying once more"},
	http.StatusTooManyRequests:    {ErrorCategoryTooManyRequests, "wait as long as Retry-After says, then try again with fewer calls at once"},
	http.StatusServiceUnavailable: {ErrorCategoryServerBusy, "try again later with the same request id"},
	http.StatusGatewayTimeout:     {ErrorCategoryGatewayTimeout, "try again later with the same request id"},
}

const adviceServerError = "try again with the same request id; if it goes on, give the request id and the correlation id to the service's support"

// Error is an answer of the service that is not a success.
type Error struct {
	StatusCode  int           // HTTP status
	Code        ErrorCode     // the service's code; not unique by itself, see Source
	Description string        // the service's words, or the best that the answer has
	Source      string        // the part of the service that refused
	Category    ErrorCategory // by status
	NextStep    string        // what to do about it
	// RetryAfter is how long the service asks to wait; zero when it does not.
	RetryAfter time.Duration
	// RequestID and CorrelationID identify the call to the service's support.
	RequestID, CorrelationID string
	Method, URL              string    // of the request; the query is left out
	Body                     ErrorBody // the decoded body; empty when it was no JSON
	// Unsettled says that a write was refused and may have had its effect all
	// the same; see [Unsettled].
	Unsettled bool

	received time.Time
	response error // *azcore.ResponseError, for callers who know that type
}

// Error gives status, code, description, ids and the next step, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "partnercenter: %s %s: %d %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Code != "" {
		fmt.Fprintf(&b, " (code %s)", e.Code)
	}
	if e.Description != "" {
		fmt.Fprintf(&b, ": %s", strings.TrimRight(e.Description, ". "))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; retry after %s", e.RetryAfter)
		if at := e.received.Add(e.RetryAfter); e.RetryAfter > time.Minute && at.After(e.received) {
			fmt.Fprintf(&b, ", on %s", at.UTC().Format(time.RFC3339))
		}
	}
	fmt.Fprintf(&b, " [request %s, correlation %s]; %s", cmp.Or(e.RequestID, "none"), cmp.Or(e.CorrelationID, "none"), e.NextStep)
	return b.String()
}

// Unwrap returns the answer as an *azcore.ResponseError, so that code written
// for Azure's SDKs finds the type it knows.
func (e *Error) Unwrap() error { return e.response }

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
// ([WithRequestID]), and not safe to make a new one. Earlier calls with that id are
// not considered.
func Unsettled(err error) bool {
	if answer := new(Error); errors.As(err, &answer) {
		return answer.Unsettled
	}
	unread := new(DecodeError)
	return errors.As(err, new(*LostAnswerError)) || errors.As(err, &unread) && unread.Method != http.MethodGet
}

// DecodeError says that an answer of success was not what the API documents:
// another program's web page, or a body that is cut off.
type DecodeError struct {
	Method, URL string
	RequestID   string
	ContentType string
	Description string // the beginning of the answer, or what it seems to be
	Err         error  // what the decoder met
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s answered no JSON of the API (%s): %v: %s; check that the base URL is Partner Center's and try again",
		e.Method, e.URL, e.ContentType, e.Err, e.Description)
}

// Unwrap returns what the decoder met.
func (e *DecodeError) Unwrap() error { return e.Err }

// ErrorCode is the service's code as text, such as "20002", whether it came as
// a number or a string.
type ErrorCode string

// MarshalJSONTo writes digits as a number, as the service's answers do, and
// anything else as a string.
func (c ErrorCode) MarshalJSONTo(enc *jsontext.Encoder) error {
	if _, err := strconv.ParseUint(string(c), 10, 63); err == nil && (c == "0" || c[0] != '0') {
		return enc.WriteValue(jsontext.Value(c))
	}
	return enc.WriteToken(jsontext.String(string(c)))
}

// UnmarshalJSONFrom reads a number or a string.
func (c *ErrorCode) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, c) }

// ErrorData are the details of an error: addresses, exception texts. Details
// that are no strings are kept as their JSON text.
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

// ErrorBody is the body of an answer that is not a success, in any of the
// three documented shapes: the service's own (code, description, data,
// source), the gateway's when it throttles (statusCode, message), and the
// agreement service's (code, message, description, errorName, …).
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
	return json.MarshalEncode(enc, plainErrorBody(b))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (b *ErrorBody) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainErrorBody)(b), decodeOptions)
}

// errorTextLimit bounds how much of a body that is no JSON becomes the
// description: enough to recognise a proxy's page, not enough to flood a log.
const errorTextLimit = 200

// newError makes an Error of an answer whose body has been read.
func newError(resp *http.Response, body []byte) *Error {
	received := time.Now()
	e := &Error{
		received:      received,
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
		e.Code, e.Source = e.Body.Code, e.Body.Source
		e.Description = cmp.Or(e.Body.Description, e.Body.Message)
	} else {
		e.Body = ErrorBody{}
	}
	if e.Description == "" {
		e.Description = describeText(resp, body)
	}
	if e.Code == ErrorCodeMFARequired {
		e.NextStep = fixMFA
	}
	return e
}

// describeText words a body that is not one of the documented errors.
func describeText(resp *http.Response, body []byte) string {
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(body, []byte("?")))), " ")
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case text == "":
		return ""
	case kind == "text/html" || strings.HasPrefix(text, "<"):
		return "the answer is a web page, not the API: check the base URL and any proxy on the way"
	case len(text) > errorTextLimit:
		return text[:errorTextLimit] + "…"
	default:
		return text
	}
}

// firstValue returns the answer's id, or the one that was sent. Some answers
// carry the same id twice, joined by a comma.
func firstValue(resp *http.Response, header string) string {
	value := resp.Header.Get(header)
	if value == "" && resp.Request != nil {
		value = resp.Request.Header.Get(header)
	}
	value, _, _ = strings.Cut(value, ",")
	return strings.TrimSpace(value)
}

// RetryAfter returns how long an answer asks to wait before the next try, in
// either of HTTP's forms; zero when it does not.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(math.MaxInt64/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now).Round(time.Second)
	}
	return 0
}

package issuer

import (
	"fmt"
	"net/http"
	"time"
)

// The codes of Microsoft Entra ID (AADSTS) that this authority answers with.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const (
	codeInternal            = 50000
	codeUnknownInstance     = 50049
	codeNoTenant            = 50059
	codeUnsupportedGrant    = 70003
	codeInvalidScope        = 70011
	codeUnknownTenant       = 90002
	codeNotReady            = 90033
	codeUnknownResource     = 500011
	codeAssertion           = 700027
	codeUnknownClient       = 700016
	codeMissingParameter    = 900144
	codeMethod              = 900561
	codeScopeWithoutDefault = 1002012
	codeWrongSecret         = 7000215
	codeNoCredential        = 7000216
	codeMalformed           = 9002313
	codeRepeatedParameter   = 9000411
)

// failures are the status and the OAuth error (RFC 6749, section 5.2) of each
// code.
var failures = map[int]struct {
	status int
	kind   string
}{
	codeInternal:            {http.StatusInternalServerError, "server_error"},
	codeUnknownInstance:     {http.StatusBadRequest, "invalid_instance"},
	codeNoTenant:            {http.StatusBadRequest, "invalid_request"},
	codeUnsupportedGrant:    {http.StatusBadRequest, "unsupported_grant_type"},
	codeInvalidScope:        {http.StatusBadRequest, "invalid_scope"},
	codeUnknownTenant:       {http.StatusBadRequest, "invalid_request"},
	codeNotReady:            {http.StatusServiceUnavailable, "temporarily_unavailable"},
	codeUnknownResource:     {http.StatusBadRequest, "invalid_resource"},
	codeAssertion:           {http.StatusUnauthorized, "invalid_client"},
	codeUnknownClient:       {http.StatusBadRequest, "unauthorized_client"},
	codeMissingParameter:    {http.StatusBadRequest, "invalid_request"},
	codeMethod:              {http.StatusMethodNotAllowed, "invalid_request"},
	codeScopeWithoutDefault: {http.StatusBadRequest, "invalid_scope"},
	codeWrongSecret:         {http.StatusUnauthorized, "invalid_client"},
	codeNoCredential:        {http.StatusUnauthorized, "invalid_client"},
	codeMalformed:           {http.StatusBadRequest, "invalid_request"},
	codeRepeatedParameter:   {http.StatusBadRequest, "invalid_request"},
}

// failure is an error that the caller of an endpoint gets to see.
type failure struct {
	code   int
	status int
	kind   string
	text   string // ends with what to do next; never holds a secret
}

func (f *failure) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.code, f.text) }

func fail(code int, format string, args ...any) *failure {
	row := failures[code]
	return &failure{code: code, status: row.status, kind: row.kind, text: fmt.Sprintf(format, args...)}
}

// failureBody is the error answer of the OAuth endpoints, in Microsoft's order.
type failureBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

func (f *failure) body(now time.Time, traceID, correlationID string) failureBody {
	timestamp := now.UTC().Format("2006-01-02 15:04:05Z")
	return failureBody{
		Error: f.kind,
		Description: fmt.Sprintf("%v Trace ID: %s Correlation ID: %s Timestamp: %s",
			f, traceID, correlationID, timestamp),
		Codes:         []int{f.code},
		Timestamp:     timestamp,
		TraceID:       traceID,
		CorrelationID: correlationID,
		URI:           fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.code),
	}
}

// isGUID reports whether text is a GUID in its form with four hyphens.
func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		default:
			return false
		}
	}
	return true
}

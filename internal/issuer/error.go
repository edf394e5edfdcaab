package issuer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An errorCode is an error code of Microsoft Entra ID (AADSTS), with its status and its
// OAuth error (RFC 6749, section 5.2, and RFC 8628, section 3.5).
type errorCode struct {
	number, status int
	kind           string
}

// The codes that this authority answers with.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var (
	codeInternal            = errorCode{50000, http.StatusInternalServerError, "server_error"}
	codeWrongReply          = errorCode{50011, http.StatusBadRequest, "invalid_request"}
	codeBadAssertion        = errorCode{50013, http.StatusBadRequest, "invalid_grant"}
	codeWrongTenantUser     = errorCode{50020, http.StatusBadRequest, "invalid_grant"}
	codeUnknownInstance     = errorCode{50049, http.StatusBadRequest, "invalid_instance"}
	codeLocked              = errorCode{50053, http.StatusBadRequest, "invalid_grant"}
	codeUserDisabled        = errorCode{50057, http.StatusBadRequest, "invalid_grant"}
	codeNotSignedIn         = errorCode{50058, http.StatusBadRequest, "login_required"}
	codeNoTenant            = errorCode{50059, http.StatusBadRequest, "invalid_request"}
	codeMFADenied           = errorCode{50074, http.StatusBadRequest, "access_denied"}
	codeMFARequired         = errorCode{50076, http.StatusBadRequest, "invalid_grant"}
	codeFlowExpired         = errorCode{50089, http.StatusBadRequest, "invalid_request"}
	codeWrongPassword       = errorCode{50126, http.StatusBadRequest, "invalid_grant"}
	codeChallengeSize       = errorCode{50147, http.StatusBadRequest, "invalid_request"}
	codeVerifier            = errorCode{50148, http.StatusBadRequest, "invalid_grant"}
	codeGrantRevoked        = errorCode{50173, http.StatusBadRequest, "invalid_grant"}
	codeLoop                = errorCode{50196, http.StatusBadRequest, "invalid_grant"}
	codeCodeRedeemed        = errorCode{54005, http.StatusBadRequest, "invalid_grant"}
	codeNoConsent           = errorCode{65001, http.StatusBadRequest, "invalid_grant"}
	codeConsentDeclined     = errorCode{65004, http.StatusBadRequest, "access_denied"}
	codeBadGrant            = errorCode{70000, http.StatusBadRequest, "invalid_grant"}
	codeUnsupportedGrant    = errorCode{70003, http.StatusBadRequest, "unsupported_grant_type"}
	codeResponseType        = errorCode{70005, http.StatusBadRequest, "unsupported_response_type"}
	codeResponseMode        = errorCode{70007, http.StatusBadRequest, "invalid_request"}
	codeGrantExpired        = errorCode{70008, http.StatusBadRequest, "invalid_grant"}
	codeInvalidScope        = errorCode{70011, http.StatusBadRequest, "invalid_scope"}
	codePending             = errorCode{70016, http.StatusBadRequest, "authorization_pending"}
	codeDeviceDeclined      = errorCode{70017, http.StatusBadRequest, "authorization_declined"}
	codeBadDeviceCode       = errorCode{70018, http.StatusBadRequest, "bad_verification_code"}
	codeDeviceExpired       = errorCode{70019, http.StatusBadRequest, "expired_token"}
	codeUnknownTenant       = errorCode{90002, http.StatusBadRequest, "invalid_request"}
	codeNotReady            = errorCode{90033, http.StatusServiceUnavailable, "temporarily_unavailable"}
	codeThrottled           = errorCode{90055, http.StatusTooManyRequests, "temporarily_unavailable"}
	codeNotPreconsented     = errorCode{90099, http.StatusBadRequest, "invalid_grant"}
	codeWrongUserCode       = errorCode{90119, http.StatusBadRequest, "invalid_request"}
	codeDeviceOver          = errorCode{90120, http.StatusBadRequest, "invalid_request"}
	codeOtherOrigin         = errorCode{165900, http.StatusForbidden, "access_denied"}
	codeIDTokenAssertion    = errorCode{240002, http.StatusBadRequest, "invalid_grant"}
	codeUnknownResource     = errorCode{500011, http.StatusBadRequest, "invalid_resource"}
	codeResourceDisabled    = errorCode{500014, http.StatusBadRequest, "invalid_resource"}
	codeReplyMismatch       = errorCode{500112, http.StatusBadRequest, "invalid_grant"}
	codeAssertionForOther   = errorCode{500131, http.StatusBadRequest, "invalid_grant"}
	codeAssertionExpired    = errorCode{500133, http.StatusBadRequest, "invalid_grant"}
	codeVerifierMismatch    = errorCode{501481, http.StatusBadRequest, "invalid_grant"}
	codeUnknownScope        = errorCode{650053, http.StatusBadRequest, "invalid_scope"}
	codeWrongTenantCode     = errorCode{700005, http.StatusBadRequest, "invalid_grant"}
	codeUnknownClient       = errorCode{700016, http.StatusBadRequest, "unauthorized_client"}
	codeAssertionSubject    = errorCode{700021, http.StatusUnauthorized, "invalid_client"}
	codeTwoResources        = errorCode{700022, http.StatusBadRequest, "invalid_scope"}
	codeAssertionAudience   = errorCode{700023, http.StatusUnauthorized, "invalid_client"}
	codeAssertionTime       = errorCode{700024, http.StatusUnauthorized, "invalid_client"}
	codeAssertion           = errorCode{700027, http.StatusUnauthorized, "invalid_client"}
	codeRefreshExpired      = errorCode{700082, http.StatusBadRequest, "invalid_grant"}
	codeMissingParameter    = errorCode{900144, http.StatusBadRequest, "invalid_request"}
	codeMethod              = errorCode{900561, http.StatusMethodNotAllowed, "invalid_request"}
	codeNoReply             = errorCode{900971, http.StatusBadRequest, "invalid_request"}
	codeResourceAtV2        = errorCode{901002, http.StatusBadRequest, "invalid_request"}
	codeCertificateTime     = errorCode{1000502, http.StatusUnauthorized, "invalid_client"}
	codeScopeWithoutDefault = errorCode{1002012, http.StatusBadRequest, "invalid_scope"}
	codeClientDisabled      = errorCode{7000112, http.StatusBadRequest, "unauthorized_client"}
	codeNoOnBehalfOf        = errorCode{7000114, http.StatusBadRequest, "invalid_grant"}
	codeCertificateRevoked  = errorCode{7000214, http.StatusUnauthorized, "invalid_client"}
	codeWrongSecret         = errorCode{7000215, http.StatusUnauthorized, "invalid_client"}
	codeNoCredential        = errorCode{7000216, http.StatusUnauthorized, "invalid_client"}
	codeNotPublic           = errorCode{7000218, http.StatusUnauthorized, "invalid_client"}
	codeSecretExpired       = errorCode{7000222, http.StatusUnauthorized, "invalid_client"}
	codeRepeatedParameter   = errorCode{9000411, http.StatusBadRequest, "invalid_request"}
	codeMalformed           = errorCode{9002313, http.StatusBadRequest, "invalid_request"}
)

// suberrors tell MSAL whether the user must be asked, and for what.
var suberrors = map[int]string{
	codeMFARequired.number:    "basic_action",
	codeNoConsent.number:      "consent_required",
	codeGrantRevoked.number:   "bad_token",
	codeRefreshExpired.number: "bad_token",
}

// failure is an error that the caller of an endpoint sees.
type failure struct {
	errorCode
	text       string        // ends with what to do next; never contains a secret
	retryAfter time.Duration // zero: not in the answer
}

// keptFailure is a failure as it is kept.
type keptFailure struct {
	Number, Status int
	Kind, Text     string
	RetryAfter     time.Duration
}

// MarshalJSON implements [json.Marshaler].
func (f *failure) MarshalJSON() ([]byte, error) {
	return json.Marshal(keptFailure{f.number, f.status, f.kind, f.text, f.retryAfter})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (f *failure) UnmarshalJSON(data []byte) error {
	var kept keptFailure
	err := json.Unmarshal(data, &kept)
	*f = failure{errorCode{kept.Number, kept.Status, kept.Kind}, kept.Text, kept.RetryAfter}
	return err
}

func (f *failure) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.number, f.text) }

func fail(code errorCode, format string, args ...any) *failure {
	return &failure{errorCode: code, text: fmt.Sprintf(format, args...)}
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
	Suberror      string `json:"suberror,omitempty"`
}

func (f *failure) body(now time.Time, traceID, correlationID string) failureBody {
	return failureBody{
		Error:         f.kind,
		Description:   f.describe(now, traceID, correlationID),
		Codes:         []int{f.number},
		Timestamp:     timestamp(now),
		TraceID:       traceID,
		CorrelationID: correlationID,
		URI:           f.uri(),
		Suberror:      suberrors[f.number],
	}
}

func timestamp(now time.Time) string { return now.UTC().Format("2006-01-02 15:04:05Z") }

// trace identifies a request in the log.
func trace(now time.Time, traceID, correlationID string) []string {
	return []string{"Trace ID: " + traceID, "Correlation ID: " + correlationID, "Timestamp: " + timestamp(now)}
}

// describe returns the error_description of an answer.
func (f *failure) describe(now time.Time, traceID, correlationID string) string {
	return f.Error() + " " + strings.Join(trace(now, traceID, correlationID), " ")
}

func (f *failure) uri() string {
	return fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.number)
}

// kindForApps is the error that the authorize endpoint reports to an app (RFC 6749,
// section 4.1.2.1), which has fewer of them.
func (f *failure) kindForApps() string {
	if f.kind == "invalid_grant" {
		return "access_denied"
	}
	return f.kind
}

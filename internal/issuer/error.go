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
	codeWrongReply          = 50011
	codeBadAssertion        = 50013
	codeWrongTenantUser     = 50020
	codeUnknownInstance     = 50049
	codeLocked              = 50053
	codeUserDisabled        = 50057
	codeNotSignedIn         = 50058
	codeNoTenant            = 50059
	codeMFADenied           = 50074
	codeMFARequired         = 50076
	codeFlowExpired         = 50089
	codeWrongPassword       = 50126
	codeChallengeSize       = 50147
	codeVerifier            = 50148
	codeGrantRevoked        = 50173
	codeLoop                = 50196
	codeCodeRedeemed        = 54005
	codeNoConsent           = 65001
	codeConsentDeclined     = 65004
	codeBadGrant            = 70000
	codeUnsupportedGrant    = 70003
	codeResponseType        = 70005
	codeResponseMode        = 70007
	codeGrantExpired        = 70008
	codeInvalidScope        = 70011
	codePending             = 70016
	codeDeviceDeclined      = 70017
	codeBadDeviceCode       = 70018
	codeDeviceExpired       = 70019
	codeUnknownTenant       = 90002
	codeNotReady            = 90033
	codeThrottled           = 90055
	codeNotPreconsented     = 90099
	codeWrongUserCode       = 90119
	codeDeviceOver          = 90120
	codeIDTokenAssertion    = 240002
	codeUnknownResource     = 500011
	codeResourceDisabled    = 500014
	codeReplyMismatch       = 500112
	codeAssertionForOther   = 500131
	codeAssertionExpired    = 500133
	codeVerifierMismatch    = 501481
	codeUnknownScope        = 650053
	codeWrongTenantCode     = 700005
	codeUnknownClient       = 700016
	codeAssertionSubject    = 700021
	codeTwoResources        = 700022
	codeAssertionAudience   = 700023
	codeAssertionTime       = 700024
	codeAssertion           = 700027
	codeRefreshExpired      = 700082
	codeMissingParameter    = 900144
	codeMethod              = 900561
	codeNoReply             = 900971
	codeResourceAtV2        = 901002
	codeCertificateTime     = 1000502
	codeScopeWithoutDefault = 1002012
	codeClientDisabled      = 7000112
	codeNoOnBehalfOf        = 7000114
	codeCertificateRevoked  = 7000214
	codeWrongSecret         = 7000215
	codeNoCredential        = 7000216
	codeNotPublic           = 7000218
	codeSecretExpired       = 7000222
	codeRepeatedParameter   = 9000411
	codeMalformed           = 9002313
)

// failures are the status and the OAuth error (RFC 6749, section 5.2, and RFC
// 8628, section 3.5) of each code.
var failures = map[int]struct {
	status int
	kind   string
}{
	codeInternal:            {http.StatusInternalServerError, "server_error"},
	codeWrongReply:          {http.StatusBadRequest, "invalid_request"},
	codeBadAssertion:        {http.StatusBadRequest, "invalid_grant"},
	codeWrongTenantUser:     {http.StatusBadRequest, "invalid_grant"},
	codeUnknownInstance:     {http.StatusBadRequest, "invalid_instance"},
	codeLocked:              {http.StatusBadRequest, "invalid_grant"},
	codeUserDisabled:        {http.StatusBadRequest, "invalid_grant"},
	codeNotSignedIn:         {http.StatusBadRequest, "login_required"},
	codeNoTenant:            {http.StatusBadRequest, "invalid_request"},
	codeMFADenied:           {http.StatusBadRequest, "access_denied"},
	codeMFARequired:         {http.StatusBadRequest, "invalid_grant"},
	codeFlowExpired:         {http.StatusBadRequest, "invalid_request"},
	codeWrongPassword:       {http.StatusBadRequest, "invalid_grant"},
	codeChallengeSize:       {http.StatusBadRequest, "invalid_request"},
	codeVerifier:            {http.StatusBadRequest, "invalid_grant"},
	codeGrantRevoked:        {http.StatusBadRequest, "invalid_grant"},
	codeLoop:                {http.StatusBadRequest, "invalid_grant"},
	codeCodeRedeemed:        {http.StatusBadRequest, "invalid_grant"},
	codeNoConsent:           {http.StatusBadRequest, "invalid_grant"},
	codeConsentDeclined:     {http.StatusBadRequest, "access_denied"},
	codeBadGrant:            {http.StatusBadRequest, "invalid_grant"},
	codeUnsupportedGrant:    {http.StatusBadRequest, "unsupported_grant_type"},
	codeResponseType:        {http.StatusBadRequest, "unsupported_response_type"},
	codeResponseMode:        {http.StatusBadRequest, "invalid_request"},
	codeGrantExpired:        {http.StatusBadRequest, "invalid_grant"},
	codeInvalidScope:        {http.StatusBadRequest, "invalid_scope"},
	codePending:             {http.StatusBadRequest, "authorization_pending"},
	codeDeviceDeclined:      {http.StatusBadRequest, "authorization_declined"},
	codeBadDeviceCode:       {http.StatusBadRequest, "bad_verification_code"},
	codeDeviceExpired:       {http.StatusBadRequest, "expired_token"},
	codeUnknownTenant:       {http.StatusBadRequest, "invalid_request"},
	codeNotReady:            {http.StatusServiceUnavailable, "temporarily_unavailable"},
	codeThrottled:           {http.StatusTooManyRequests, "temporarily_unavailable"},
	codeNotPreconsented:     {http.StatusBadRequest, "invalid_grant"},
	codeWrongUserCode:       {http.StatusBadRequest, "invalid_request"},
	codeDeviceOver:          {http.StatusBadRequest, "invalid_request"},
	codeIDTokenAssertion:    {http.StatusBadRequest, "invalid_grant"},
	codeUnknownResource:     {http.StatusBadRequest, "invalid_resource"},
	codeResourceDisabled:    {http.StatusBadRequest, "invalid_resource"},
	codeReplyMismatch:       {http.StatusBadRequest, "invalid_grant"},
	codeAssertionForOther:   {http.StatusBadRequest, "invalid_grant"},
	codeAssertionExpired:    {http.StatusBadRequest, "invalid_grant"},
	codeVerifierMismatch:    {http.StatusBadRequest, "invalid_grant"},
	codeUnknownScope:        {http.StatusBadRequest, "invalid_scope"},
	codeWrongTenantCode:     {http.StatusBadRequest, "invalid_grant"},
	codeUnknownClient:       {http.StatusBadRequest, "unauthorized_client"},
	codeAssertionSubject:    {http.StatusUnauthorized, "invalid_client"},
	codeTwoResources:        {http.StatusBadRequest, "invalid_scope"},
	codeAssertionAudience:   {http.StatusUnauthorized, "invalid_client"},
	codeAssertionTime:       {http.StatusUnauthorized, "invalid_client"},
	codeAssertion:           {http.StatusUnauthorized, "invalid_client"},
	codeRefreshExpired:      {http.StatusBadRequest, "invalid_grant"},
	codeMissingParameter:    {http.StatusBadRequest, "invalid_request"},
	codeMethod:              {http.StatusMethodNotAllowed, "invalid_request"},
	codeNoReply:             {http.StatusBadRequest, "invalid_request"},
	codeResourceAtV2:        {http.StatusBadRequest, "invalid_request"},
	codeCertificateTime:     {http.StatusUnauthorized, "invalid_client"},
	codeScopeWithoutDefault: {http.StatusBadRequest, "invalid_scope"},
	codeClientDisabled:      {http.StatusBadRequest, "unauthorized_client"},
	codeNoOnBehalfOf:        {http.StatusBadRequest, "invalid_grant"},
	codeCertificateRevoked:  {http.StatusUnauthorized, "invalid_client"},
	codeWrongSecret:         {http.StatusUnauthorized, "invalid_client"},
	codeNoCredential:        {http.StatusUnauthorized, "invalid_client"},
	codeNotPublic:           {http.StatusUnauthorized, "invalid_client"},
	codeSecretExpired:       {http.StatusUnauthorized, "invalid_client"},
	codeRepeatedParameter:   {http.StatusBadRequest, "invalid_request"},
	codeMalformed:           {http.StatusBadRequest, "invalid_request"},
}

// suberrors are what MSAL decides by whether a user has to be asked, and what
// for.
var suberrors = map[int]string{
	codeMFARequired:    "basic_action",
	codeNoConsent:      "consent_required",
	codeGrantRevoked:   "bad_token",
	codeRefreshExpired: "bad_token",
}

// failure is an error that the caller of an endpoint gets to see.
type failure struct {
	code       int
	status     int
	kind       string
	text       string        // ends with what to do next; never holds a secret
	retryAfter time.Duration // zero: the answer does not say
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
	Suberror      string `json:"suberror,omitempty"`
}

func (f *failure) body(now time.Time, traceID, correlationID string) failureBody {
	return failureBody{
		Error:         f.kind,
		Description:   f.describe(now, traceID, correlationID),
		Codes:         []int{f.code},
		Timestamp:     timestamp(now),
		TraceID:       traceID,
		CorrelationID: correlationID,
		URI:           f.uri(),
		Suberror:      suberrors[f.code],
	}
}

func timestamp(now time.Time) string { return now.UTC().Format("2006-01-02 15:04:05Z") }

// trace is by what a request is found in the log.
func trace(now time.Time, traceID, correlationID string) string {
	return fmt.Sprintf("Trace ID: %s Correlation ID: %s Timestamp: %s", traceID, correlationID, timestamp(now))
}

// describe is the error_description of an answer.
func (f *failure) describe(now time.Time, traceID, correlationID string) string {
	return f.Error() + " " + trace(now, traceID, correlationID)
}

func (f *failure) uri() string {
	return fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.code)
}

// kindForApps is the error that the authorize endpoint tells an app (RFC 6749,
// section 4.1.2.1), which knows fewer.
func (f *failure) kindForApps() string {
	if f.kind == "invalid_grant" {
		return "access_denied"
	}
	return f.kind
}

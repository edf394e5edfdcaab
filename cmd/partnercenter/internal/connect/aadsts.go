package connect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"

	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// SignInError reports that no token could be obtained.
type SignInError struct {
	Text string // what happened
	Next string // what to do; may have several lines

	code string // of OAuth, if the authority sent one
}

// over reports whether the user has to sign in again.
func (e *SignInError) over() bool {
	return slices.Contains([]string{"invalid_grant", "interaction_required", "consent_required", "login_required"}, e.code)
}

func (e *SignInError) Error() string { return e.Text + "; " + e.Next }

// NonRetriable marks the error as one that azcore must not retry.
func (e *SignInError) NonRetriable() {}

// Explain describes the error for the user.
func (e *SignInError) Explain(time.Time) terminal.Explanation {
	return terminal.Explanation{What: e.Text, Next: e.Next, Code: terminal.ExitAuth}
}

// SignInFailed is the start of messages about a failed sign-in.
const SignInFailed = "signing in failed: "

// aadstsAdvice says what to do about errors of Microsoft's authority, by AADSTS
// number.
//
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var aadstsAdvice = map[int]string{
	// The app.
	7000215: "The secret is wrong. Use its value, not its id; a secret with + or % must be passed unchanged. If it is lost, create a new one.",
	7000222: "The app's secret has expired: create a new one in the app registration, and use it in the settings.",
	7000218: "The app requires a secret or certificate: give one (--client-secret-file, --client-certificate), or allow public client flows in the app registration.",
	700025:  "The app is registered for public clients, which have no secret: sign in with --public-client, or register the redirect URI for the web platform.",
	90023:   "The app is registered for public clients, which have no secret: sign in with --public-client, or register the redirect URI for the web platform.",
	700016:  "The app is unknown in this tenant. Check --client-id and --tenant-id; an app of another tenant must be consented to in this one first.",
	7000112: "The app is disabled: have an administrator enable it in the tenant's enterprise applications.",
	7000229: "The app has no service principal in this tenant: have an administrator consent to it.",
	700027:  "The app registration does not have this certificate: upload it there, or give the right one with --client-certificate. It may also have expired.",
	700024:  "The clocks differ too much for the app's certificate: set this machine's clock, then try again.",
	700023:  "The assertion was made for another authority: check --authority.",
	1000502: "The app's certificate is not valid now: create a new one, upload it to the app registration, and give it with --client-certificate.",
	7000214: "The app's certificate is revoked: create a new one, upload it to the app registration, and give it with --client-certificate.",
	7000216: "The app sent neither a secret nor a certificate: give one with --client-secret-file or --client-certificate.",
	700030:  "The authority does not accept the certificate: create a new one and upload it to the app registration.",
	// The tenant and the cloud.
	90002:  "The tenant does not exist in this cloud. Check --tenant-id and --cloud: each cloud has its own tenants.",
	900023: "The tenant id is neither a GUID nor a domain: check --tenant-id.",
	50059:  "The authority cannot tell which tenant is meant: give --tenant-id.",
	900382: "The app and the tenant belong to different clouds: check --cloud.",
	90051:  "The tenant is in another cloud: check --cloud.",
	50194:  "The app is not registered for users of all tenants: give its own tenant with --tenant-id.",
	// The scope.
	500011:  "The API that the token is for is unknown in the tenant. Check --scope and --cloud; the app must have Partner Center among its API permissions, with consent.",
	500014:  "The API's service principal is disabled in this tenant: have an administrator enable it.",
	650053:  "The API does not have this scope: leave --scope out, or request all scopes with /.default at its end.",
	1002012: "An app must request all its permissions: --scope must end with /.default.",
	70011:   "Check --scope: for Partner Center it is https://api.partnercenter.microsoft.com/.default, unless the cloud has another.",
	650057:  "The app does not list Partner Center among its API permissions: add it in the app registration, then consent to it.",
	28000:   "More than one API was requested: check --scope.",
	// Consent.
	65001: "Nobody has consented to the app yet: sign in with an administrator, or grant admin consent in the app registration.",
	65004: "Consent was declined. Sign in again and accept, or have an administrator consent to the app.",
	90094: "Only an administrator may consent to this app: have one do so, then sign in again.",
	90095: "Only an administrator may consent to this app: have one approve the request, then sign in again.",
	// Users.
	50011:  "The redirect URI is not registered with the app: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	500113: "The app has no redirect URI: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	900971: "The app has no redirect URI: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	50020:  "The user belongs to another tenant: sign in with a user of this partner, or check --tenant-id.",
	50034:  "The user does not exist in this tenant: check the name and --tenant-id.",
	50053:  "The account is locked, or the address is blocked: wait, or have an administrator check the user's sign-ins.",
	50055:  "The password has expired: change it in a browser, then sign in again.",
	50057:  "The user is disabled: have an administrator enable it, or sign in with another.",
	50105:  "The user is not assigned to the app: have an administrator assign it in the tenant's enterprise applications.",
	50126:  "The user name or the password is wrong.",
	50058:  "No user is signed in: sign in again.",
	// Multi-factor authentication and policies.
	50072:  "The user has to set up multi-factor authentication: do so in a browser, then sign in again.",
	50074:  "Partner Center requires multi-factor authentication: sign in again with it.",
	50076:  "Partner Center requires multi-factor authentication: sign in again with it.",
	50078:  "The multi-factor authentication is too old: sign in again.",
	50079:  "The user has to set up multi-factor authentication: do so in a browser, then sign in again.",
	50158:  "A policy of the tenant requires more from the user: sign in again with a browser.",
	53000:  "A policy of the tenant requires a managed device: sign in from one, or ask an administrator.",
	53001:  "A policy of the tenant requires a joined device: sign in from one, or ask an administrator.",
	53003:  "A conditional access policy of the tenant blocks this: ask an administrator; the user's sign-ins show which one.",
	530031: "A policy of the tenant blocks the app: ask an administrator.",
	// Codes and refresh tokens.
	54005:   "The code has already been used: sign in again.",
	70008:   "The code or refresh token has expired: sign in again.",
	70000:   "The authority no longer accepts the refresh token or code: sign in again.",
	70043:   "The tenant's policy limits how long a sign-in lasts: sign in again.",
	700005:  "The code or refresh token belongs to a user of another tenant: check --tenant-id, then sign in again.",
	50089:   "The sign-in took too long: start again.",
	70017:   "The user declined. Sign in again and accept.",
	700082:  "The refresh token was not used for 90 days: sign in again.",
	700084:  "The refresh token has expired: sign in again.",
	501481:  "The code verifier does not belong to the code: sign in again.",
	50173:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	50132:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	50133:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	9002313: "The request is malformed: check --tenant-id, --client-id and --scope for stray characters.",
	70016:   "The code has not been entered yet.",
	70018:   "The code was not entered correctly: sign in again for a new one.",
	70019:   "The code was not entered in time: sign in again for a new one.",
	70020:   "The code was not entered in time: sign in again for a new one.",
	// The authority.
	90033: "The authority is not available now: try again in a few minutes.",
	90036: "The authority has a problem: try again in a few minutes.",
	90055: "The authority is receiving too many requests: wait a few minutes, then try again.",
	50196: "The app signs in too often: wait a few minutes, and reuse tokens until they expire.",
}

var aadstsNumber = regexp.MustCompile(`AADSTS(\d+)`)

// adviceWithoutNumber is advice by OAuth's codes, for authorities that send no
// AADSTS number (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5).
var adviceWithoutNumber = map[string]string{
	"access_denied":           "The sign-in was declined. Sign in again and accept.",
	"expired_token":           "The code was not entered in time: sign in again for a new one.",
	"invalid_client":          "Check the client id and the secret.",
	"unauthorized_client":     "The app is not allowed to sign in this way: check its registration.",
	"temporarily_unavailable": "The authority is not available now: try again in a few minutes.",
}

// OAuthError is an error of a token authority (RFC 6749). Microsoft's
// descriptions begin with an AADSTS number.
type OAuthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Numbers     []int  `json:"error_codes"`
}

// number returns the AADSTS number, or zero.
func (e *OAuthError) number() int {
	if m := aadstsNumber.FindStringSubmatch(e.Description); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	if len(e.Numbers) > 0 {
		return e.Numbers[0]
	}
	return 0
}

// SignInError returns the error with advice. otherwise is the advice for an
// unknown error.
func (e *OAuthError) SignInError(otherwise string) *SignInError {
	text := quote.Cut(cmp.Or(strings.Join(strings.Fields(e.Description), " "), e.Code), maxReason)
	advice, ok := aadstsAdvice[e.number()]
	if !ok {
		advice, ok = adviceWithoutNumber[e.Code]
	}
	if !ok {
		advice = otherwise
	}
	return &SignInError{Text: SignInFailed + text, Next: advice, code: e.Code}
}

// refusedSignIn returns an error for the answer of a token authority.
func refusedSignIn(s *Settings, status int, body []byte) error {
	var answer OAuthError
	advice, text := "Check the tenant, the client and the secret.", ""
	switch {
	case status == http.StatusTooManyRequests:
		advice, text = "Wait a few minutes, then try again.", "too many requests"
	case status >= http.StatusInternalServerError:
		advice, text = "Try again in a few minutes.", "a problem of its own"
	}
	if json.Unmarshal(body, &answer) != nil || answer.Code == "" {
		if text == "" {
			return notAuthority(s.Authority, status)
		}
		return &SignInError{Text: fmt.Sprintf("%s answered %d to a request for a token, %s", s.Authority, status, text), Next: advice}
	}
	err := answer.SignInError(advice)
	if err.code == "invalid_client" {
		err.Next += secretHint(s.ClientSecret)
	}
	err.Next += fmt.Sprintf("\nThe authority is %s.", s.Authority)
	return err
}

// secretHint names blanks around a secret, which nobody sees. Variables get them from files
// and clipboards.
func secretHint(secret string) string {
	switch plain := strings.TrimSpace(secret); {
	case plain == secret:
		return ""
	case strings.TrimRight(secret, "\r\n") == plain:
		return "\nThe secret ends with a newline, which is sent as part of it: remove that, or use --client-secret-file."
	}
	return "\nThe secret begins or ends with blanks, which are sent as part of it: remove them unless they belong there."
}

// notAuthority returns an error for an answer that is not a token authority's.
func notAuthority(authority string, status int) error {
	return &SignInError{
		Text: fmt.Sprintf("%s answered %d to a request for a token, and not in the way a token authority does", authority, status),
		Next: "Check --authority and any proxies; then try again.",
	}
}

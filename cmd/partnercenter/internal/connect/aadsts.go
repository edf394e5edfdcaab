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
)

// SignInError says that there is no token to call the API with.
type SignInError struct {
	Text string // what happened
	Next string // what to do; may have lines

	code string // of OAuth, when the authority gave one
}

// over reports errors that only a new sign-in of the user helps against.
func (e *SignInError) over() bool {
	return slices.Contains([]string{"invalid_grant", "interaction_required", "consent_required", "login_required"}, e.code)
}

func (e *SignInError) Error() string { return e.Text + "; " + e.Next }

// NonRetriable keeps the client's retries from asking again with the same
// credentials.
func (e *SignInError) NonRetriable() {}

// Explain words it for people.
func (e *SignInError) Explain(time.Time) terminal.Explanation {
	return terminal.Explanation{What: e.Text, Next: e.Next, Code: terminal.ExitAuth}
}

// SignInFailed begins what is said when an authority gives no token.
const SignInFailed = "signing in failed: "

// aadstsAdvice says what to do about the errors of Microsoft's authority, by
// the number behind AADSTS.
//
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var aadstsAdvice = map[int]string{
	// The app.
	7000215: "The secret is wrong. Take its value, not its id; one with + or % in it must reach this program as it is. Make a new one if it is lost.",
	7000222: "The app's secret has expired: make a new one in the app registration, and put it into the settings.",
	7000218: "The app has to show a secret or certificate: give one (--client-secret-file, --client-certificate), or allow public client flows in the app registration.",
	700025:  "The app's registration is for public clients, which show no secret: sign in with --public-client, or register the redirect URI for the web platform.",
	90023:   "The app's registration is for public clients, which show no secret: sign in with --public-client, or register the redirect URI for the web platform.",
	700016:  "This tenant knows no such app. Check --client-id and --tenant-id; an app of another tenant must be consented to in this one first.",
	7000112: "The app is disabled: have an administrator enable it in the tenant's enterprise applications.",
	7000229: "The app has no service principal in this tenant: have an administrator consent to it.",
	700027:  "The app's registration does not have this certificate: upload it there, or name the right one with --client-certificate. It may also have expired.",
	700024:  "The clocks are too far apart for the app's certificate: set this machine's clock, then try again.",
	700023:  "The assertion was made for another authority: check --authority.",
	1000502: "The app's certificate is not valid now: make a new one, upload it to the app registration, and name it with --client-certificate.",
	7000214: "The app's certificate is revoked: make a new one, upload it to the app registration, and name it with --client-certificate.",
	7000216: "The app showed neither secret nor certificate: give one with --client-secret-file or --client-certificate.",
	700030:  "The certificate is not acceptable to the authority: make a new one and upload it to the app registration.",
	// The tenant and the cloud.
	90002:  "There is no such tenant here. Check --tenant-id, and --cloud: each cloud has tenants of its own.",
	900023: "The tenant id is neither a GUID nor a domain: check --tenant-id.",
	50059:  "The authority cannot tell which tenant is meant: give --tenant-id.",
	900382: "App and tenant belong to different clouds: check --cloud.",
	90051:  "The tenant is in another cloud: check --cloud.",
	50194:  "The app is not registered for users of any tenant: give its own with --tenant-id.",
	// What is asked for.
	500011:  "The tenant does not know the API that the token is for. Check --scope and --cloud; Partner Center must be among the app's API permissions, and consented to.",
	500014:  "The API's service principal is disabled in this tenant: have an administrator enable it.",
	650053:  "The API has no such scope: leave --scope out, or ask for all with /.default at its end.",
	1002012: "An app asks for everything that it may do: let --scope end with /.default.",
	70011:   "Check --scope: for Partner Center it is https://api.partnercenter.microsoft.com/.default, unless the cloud has another.",
	650057:  "The app does not list Partner Center among its API permissions: add it in the app registration, then consent to it.",
	28000:   "More than one API was asked for: check --scope.",
	// Consent.
	65001: "Nobody has consented to the app yet: sign in with an administrator, or grant admin consent in the app registration.",
	65004: "Consent was declined. Sign in again and accept, or have an administrator consent to the app.",
	90094: "Only an administrator may consent to this app: have one do so, then sign in again.",
	90095: "Only an administrator may consent to this app: have one approve the request, then sign in again.",
	// Users.
	50011:  "The redirect URI is not registered with the app: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	500113: "The app has no redirect URI: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	900971: "The app has no redirect URI: add http://localhost in the app registration (mobile and desktop applications; web for an app with a secret).",
	50020:  "The user belongs to another tenant: sign in with one of this partner's own, or check --tenant-id.",
	50034:  "There is no such user in this tenant: check the name and --tenant-id.",
	50053:  "The account is locked, or the address is blocked: wait, or have an administrator look at the user's sign-ins.",
	50055:  "The password has expired: change it in a browser, then sign in again.",
	50057:  "The user is disabled: have an administrator enable it, or sign in with another.",
	50105:  "The user is not assigned to the app: have an administrator assign it in the tenant's enterprise applications.",
	50126:  "Name or password is wrong.",
	50058:  "Nobody is signed in there: sign in again.",
	// Multi-factor authentication and policies.
	50072:  "The user has to set up multi-factor authentication: do so in a browser, then sign in again.",
	50074:  "Partner Center wants multi-factor authentication: sign in again, and with it.",
	50076:  "Partner Center wants multi-factor authentication: sign in again, and with it.",
	50078:  "The multi-factor authentication is too old: sign in again.",
	50079:  "The user has to set up multi-factor authentication: do so in a browser, then sign in again.",
	50158:  "A policy of the tenant wants more from the user: sign in again with a browser.",
	53000:  "A policy of the tenant wants a managed device: sign in from one, or ask an administrator.",
	53001:  "A policy of the tenant wants a joined device: sign in from one, or ask an administrator.",
	53003:  "A conditional access policy of the tenant blocks this: ask an administrator; the user's sign-ins show which one.",
	530031: "A policy of the tenant blocks the app: ask an administrator.",
	// Codes and refresh tokens.
	54005:   "The code was used before: sign in again.",
	70008:   "The code or refresh token has expired: sign in again.",
	70000:   "The authority no longer takes the refresh token or code: sign in again.",
	70043:   "The tenant's policy limits how long a sign-in lasts: sign in again.",
	700005:  "The code or refresh token is that of a user of another tenant: check --tenant-id, then sign in again.",
	50089:   "The sign-in took too long: start again.",
	70017:   "The user declined. Sign in again and accept.",
	700082:  "The refresh token was not used for 90 days: sign in again.",
	700084:  "The refresh token has reached its end: sign in again.",
	501481:  "The code verifier does not belong to the code: sign in again.",
	50173:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	50132:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	50133:   "The user's password was changed, or the sign-ins were revoked: sign in again.",
	9002313: "The request is not as it should be: check --tenant-id, --client-id and --scope for stray characters.",
	70016:   "The code was not entered yet.",
	70018:   "The code was not entered correctly: sign in again for a new one.",
	70019:   "The code was not entered in time: sign in again for a new one.",
	70020:   "The code was not entered in time: sign in again for a new one.",
	// The authority.
	90033: "The authority is not available now: try again in some minutes.",
	90036: "The authority has a problem of its own: try again in some minutes.",
	90055: "The authority has too many requests: wait some minutes, then try again.",
	50196: "The app signs in too often in too short a time: wait some minutes, and keep tokens until they expire.",
}

var aadstsNumber = regexp.MustCompile(`AADSTS(\d+)`)

// adviceWithoutNumber is for authorities that give OAuth's codes only (RFC 6749,
// sections 4.1.2.1 and 5.2; RFC 8628, section 3.5).
var adviceWithoutNumber = map[string]string{
	"access_denied":           "The sign-in was declined. Sign in again and accept.",
	"expired_token":           "The code was not entered in time: sign in again for a new one.",
	"invalid_client":          "Check client id and secret.",
	"unauthorized_client":     "The app may not sign in this way: check its registration.",
	"temporarily_unavailable": "The authority is not available now: try again in some minutes.",
}

// OAuthError is an error of a token authority (RFC 6749). Microsoft's
// descriptions begin with an AADSTS number.
type OAuthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Numbers     []int  `json:"error_codes"`
}

// number is the AADSTS number, or zero.
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

// SignInError words the error. otherwise is the advice for one that is not
// known.
func (e *OAuthError) SignInError(otherwise string) *SignInError {
	text := cmp.Or(strings.Join(strings.Fields(e.Description), " "), e.Code)
	advice, ok := aadstsAdvice[e.number()]
	if !ok {
		advice, ok = adviceWithoutNumber[e.Code]
	}
	if !ok {
		advice = otherwise
	}
	return &SignInError{Text: SignInFailed + text, Next: advice, code: e.Code}
}

// refusedSignIn makes an error of what a token authority answered.
func refusedSignIn(authority string, status int, body []byte) error {
	var answer OAuthError
	advice := "Check tenant, client and secret."
	text := "and nothing that a token authority says"
	switch {
	case status == http.StatusTooManyRequests:
		advice, text = "Wait some minutes, then try again.", "too many requests"
	case status >= http.StatusInternalServerError:
		advice, text = "Try again in some minutes.", "a problem of its own"
	}
	if json.Unmarshal(body, &answer) != nil || answer.Code == "" {
		if status < http.StatusTooManyRequests {
			advice = "Check --authority, and any proxy on the way; then try again."
		}
		return &SignInError{Text: fmt.Sprintf("%s answered %d to a request for a token, %s", authority, status, text), Next: advice}
	}
	err := answer.SignInError(advice)
	err.Next += fmt.Sprintf("\nThe authority is %s.", authority)
	return err
}

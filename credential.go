package partnercenter

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// CredentialReason classifies why a token cannot be for a call.
type CredentialReason string

// The reasons of a [CredentialError].
const (
	CredentialReasonNeedsUser     CredentialReason = "needs_user" // it is an app's own, and the call wants a user
	CredentialReasonNeedsApp      CredentialReason = "needs_app"  // it has a user, and the call is an app's alone
	CredentialReasonNoMFA         CredentialReason = "no_mfa"     // the user signed in without a second factor
	CredentialReasonNeedsRole     CredentialReason = "needs_role" // the user's roles do not allow the call
	CredentialReasonExpired       CredentialReason = "expired"    // its life is over by this machine's clock
	CredentialReasonWrongAudience CredentialReason = "foreign"    // it is for another API
	CredentialReasonNotYetValid   CredentialReason = "not_yet"    // its life has not begun by this machine's clock
)

// CredentialError says that a token shows, before it is sent, that the service
// would refuse it for this call. Nothing was sent, and it is not tried again.
// ClientOptions.SkipCredentialChecks sends such calls all the same.
//
// https://learn.microsoft.com/partner-center/developer/partner-center-authentication
type CredentialError struct {
	// Operation is the call, such as "customers get-company-profile"; empty for
	// an address that is no documented call's.
	Operation string
	Reason    CredentialReason
	Detail    string     // what was found; it holds nothing of the token's that is secret
	Fix       string     // what to do
	Roles     []UserRole // any of them would do, with CredentialReasonNeedsRole
}

// Error names the call and the reason, and ends with what to do.
func (e *CredentialError) Error() string {
	return "partnercenter: " + cmp.Or(e.Operation, "the call") + " was not sent: " + e.Detail + "; " + e.Fix
}

// NonRetriable keeps retries from asking again with the same credential.
func (e *CredentialError) NonRetriable() {}

const (
	fixUser     = "sign in as a user, with a credential that has one, such as azidentity's device code"
	fixMFA      = "have multi-factor authentication required of the user, and sign in again"
	fixApp      = "sign in as the app itself, with its secret or certificate"
	fixExpired  = "get a new token, and set this machine's clock if it is wrong"
	fixAudience = "ask for the scope of Partner Center, with ClientOptions.Scopes or the cloud's own"
)

// clockTolerance is how far this machine's clock may be off before a token's
// times count.
const clockTolerance = 5 * time.Minute

// credentialPolicy looks at a token before it is sent. What it cannot read, or
// is not sure about, the service decides. It runs once a try, behind the
// credential.
type credentialPolicy struct {
	// microsoft says that the calls go to the cloud's own address. Another
	// service may have a clock and an audience of its own.
	microsoft bool
	resources []string // what tokens may be for there, in their plain form
	now       func() time.Time

	// last is the token that was read last: a client sends one for about an hour.
	last atomic.Pointer[readToken]
}

func newCredentialPolicy(endpoint *url.URL, o *ClientOptions) *credentialPolicy {
	p := &credentialPolicy{now: time.Now}
	name := CloudNameOf(o.Cloud)
	own, err := url.Parse(name.Configuration().Services[ServiceName].Endpoint)
	p.microsoft = err == nil && strings.EqualFold(own.Host, endpoint.Host)
	known := name.Resources()
	for _, scope := range o.Scopes {
		// A scope is a resource and a name, which begins behind the last slash.
		if at := strings.LastIndexByte(scope, '/'); at > 0 {
			known = append(known, scope[:at])
		}
	}
	for _, r := range known {
		p.resources = append(p.resources, plainResource(r))
	}
	return p
}

func plainResource(r string) string { return strings.ToLower(strings.TrimSuffix(r, "/")) }

func (p *credentialPolicy) Do(req *policy.Request) (*http.Response, error) {
	var state *callState
	req.OperationValue(&state)
	claims := p.read(req.Raw().Header.Get("Authorization"))
	if claims == nil {
		return req.Next()
	}
	var operation *Operation
	if state != nil {
		operation = state.operation
	}
	if refused := p.check(claims, operation); refused != nil {
		return nil, refused
	}
	return req.Next()
}

// readToken is what was read of an Authorization header.
type readToken struct {
	header string
	claims *tokenClaims
}

// read returns what a bearer token says of itself, nil if it cannot be read:
// that is the service's business.
func (p *credentialPolicy) read(header string) *tokenClaims {
	if last := p.last.Load(); last != nil && last.header == header {
		return last.claims
	}
	token, _ := strings.CutPrefix(header, "Bearer ")
	claims := parseToken(token)
	p.last.Store(&readToken{header, claims})
	return claims
}

// tokenClaims are the claims that calls are refused for. Nobody has checked the
// token: what they say is used against it only.
type tokenClaims struct {
	Audience          audience   `json:"aud"`
	NotBefore         int64      `json:"nbf"`
	Expires           int64      `json:"exp"`
	IDType            string     `json:"idtyp"`
	AppID             string     `json:"appid"`
	AuthorizedParty   string     `json:"azp"`
	Scope             string     `json:"scp"`
	UPN               string     `json:"upn"`
	UniqueName        string     `json:"unique_name"`
	PreferredUsername string     `json:"preferred_username"`
	AMR               []string   `json:"amr"`
	Roles             []UserRole `json:"roles"`
}

// audience reads an audience; the first, where a token has several.
type audience string

// UnmarshalJSONFrom reads a text or an array.
func (a *audience) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		return json.UnmarshalDecode(dec, (*string)(a))
	}
	var all []string
	if err := json.UnmarshalDecode(dec, &all); err != nil {
		return err
	}
	if len(all) > 0 {
		*a = audience(all[0])
	}
	return nil
}

// maxReadToken is the longest token that is looked at, in bytes.
const maxReadToken = 64 << 10

// parseToken reads the claims of a JWT without checking its signature, nil for
// what is none.
func parseToken(token string) *tokenClaims {
	if len(token) > maxReadToken || strings.Count(token, ".") != 2 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return nil
	}
	claims := new(tokenClaims)
	if json.Unmarshal(payload, claims) != nil {
		return nil
	}
	return claims
}

// isUser reports a token with a user behind it.
func (c *tokenClaims) isUser() bool {
	return c.IDType != "app" && (c.Scope != "" || c.UPN != "" || c.UniqueName != "" || c.PreferredUsername != "")
}

// isApp reports an app's own token: it says so, or names an app and nothing
// that tokens with a user have.
func (c *tokenClaims) isApp() bool {
	return c.IDType == "app" || !c.isUser() && (c.AppID != "" || c.AuthorizedParty != "")
}

// check refuses what the claims show to be in vain. Of several reasons it gives
// the one that comes first for the service.
func (p *credentialPolicy) check(c *tokenClaims, o *Operation) *CredentialError {
	call := ""
	if o != nil {
		call = o.String()
	}
	refuse := func(reason CredentialReason, fix, format string, args ...any) *CredentialError {
		return &CredentialError{Operation: call, Reason: reason, Detail: fmt.Sprintf(format, args...), Fix: fix}
	}
	if p.microsoft {
		now := p.now()
		expires, begins := time.Unix(c.Expires, 0).UTC(), time.Unix(c.NotBefore, 0).UTC()
		switch {
		case c.Expires > 0 && now.After(expires.Add(clockTolerance)):
			return refuse(CredentialReasonExpired, fixExpired, "the token expired at %s, and by this machine's clock it is %s", expires.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		case c.NotBefore > 0 && now.Before(begins.Add(-clockTolerance)):
			return refuse(CredentialReasonNotYetValid, fixExpired, "the token is valid from %s on, and by this machine's clock it is %s", begins.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	switch {
	case p.foreign(string(c.Audience)):
		return refuse(CredentialReasonWrongAudience, fixAudience, "the token is for %s, which is not Partner Center", quoted(string(c.Audience)))
	case c.isUser() && len(c.AMR) > 0 && !slices.Contains(c.AMR, "mfa"):
		return refuse(CredentialReasonNoMFA, fixMFA, "the user signed in without a second factor, which every call with a user asks for")
	case o == nil:
		return nil
	case c.isApp() && !o.TakesApp():
		return refuse(CredentialReasonNeedsUser, fixUser, "the token is an app's own, and the call asks for a signed-in user (App+User)")
	case c.isUser() && !o.TakesUser():
		return refuse(CredentialReasonNeedsApp, fixApp, "the token has a user behind it, and the call takes an app's own only")
	case c.isUser() && c.rolesAreOurs() && !o.Allows(c.Roles...):
		e := refuse(CredentialReasonNeedsRole, "sign in as a user with the role "+orList(o.roles), "the user has the role %s, which does not allow the call", orList(c.Roles))
		e.Roles = o.Roles()
		return e
	}
	return nil
}

// otherAPIs are audiences that tokens have by mistake, wherever they are sent.
// One is Microsoft Graph's id, which newer tokens have for its address.
var otherAPIs = []string{
	"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com",
	"https://management.azure.com", "https://management.core.windows.net",
}

// foreign reports an audience that is certainly another API's. An id may be
// Partner Center's own.
func (p *credentialPolicy) foreign(audience string) bool {
	plain := plainResource(audience)
	switch {
	case slices.Contains(p.resources, plain):
		return false
	case slices.Contains(otherAPIs, plain):
		return true
	}
	return p.microsoft && strings.Contains(plain, "://")
}

// rolesAreOurs reports that the roles claim names a user's roles in Partner
// Center, as a local server's does. Microsoft's tokens have other things in it.
func (c *tokenClaims) rolesAreOurs() bool {
	return len(c.Roles) > 0 && !slices.ContainsFunc(c.Roles, func(r UserRole) bool { return !slices.Contains(userRoles, r) })
}

// orList joins roles for a message.
func orList(roles []UserRole) string {
	var b strings.Builder
	for i, r := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// quoted makes text of a token fit for a message.
func quoted(text string) string {
	const limit = 100
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return fmt.Sprintf("%q", text)
}

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

// CredentialReason says why a token cannot be used for a call.
type CredentialReason string

// The reasons of a [CredentialError].
const (
	CredentialReasonNeedsUser     CredentialReason = "needs_user" // an app-only token, for a call that needs a user
	CredentialReasonNeedsApp      CredentialReason = "needs_app"  // a token with a user, for a call that is app-only
	CredentialReasonNoMFA         CredentialReason = "no_mfa"     // the user signed in without a second factor
	CredentialReasonNeedsRole     CredentialReason = "needs_role" // the user's roles do not allow the call
	CredentialReasonExpired       CredentialReason = "expired"    // expired by this machine's clock
	CredentialReasonWrongAudience CredentialReason = "foreign"    // it is for another API
	CredentialReasonNotYetValid   CredentialReason = "not_yet"    // not valid yet by this machine's clock
)

// CredentialError reports that the service would refuse a call because of its
// token. The call was not sent and is not retried. Set
// ClientOptions.SkipCredentialChecks to send such calls anyway.
//
// https://learn.microsoft.com/partner-center/developer/partner-center-authentication
type CredentialError struct {
	// Operation is the call, such as "customers get-company-profile"; empty if
	// it is not a documented call.
	Operation string
	Reason    CredentialReason
	Detail    string     // what is wrong; contains no secret
	Fix       string     // what to do
	Roles     []UserRole // with CredentialReasonNeedsRole: any of them suffices
}

// Error names the call and the reason, and says what to do.
func (e *CredentialError) Error() string {
	return "partnercenter: " + cmp.Or(e.Operation, "the call") + " was not sent: " + e.Detail + "; " + e.Fix
}

// NonRetriable marks the error as one that azcore must not retry.
func (e *CredentialError) NonRetriable() {}

const (
	fixUser     = "sign in as a user, with a credential that has one, such as azidentity's device code"
	fixMFA      = "require multi-factor authentication of the user, and sign in again"
	fixApp      = "sign in as the app itself, with its secret or certificate"
	fixExpired  = "get a new token, and set this machine's clock if it is wrong"
	fixAudience = "request Partner Center's scope, with ClientOptions.Scopes or the cloud's own"
)

// clockTolerance is the clock skew that checks of a token's times allow for.
const clockTolerance = 5 * time.Minute

// credentialPolicy checks a token before it is sent. It leaves tokens that it
// cannot read or judge to the service. It runs once per attempt, after the
// credential's policy.
type credentialPolicy struct {
	// microsoft reports whether calls go to the cloud's own address. Another
	// service may have its own clock and audience.
	microsoft bool
	resources []string // accepted audiences, in plain form
	now       func() time.Time

	// last caches the most recent token: a client uses one for about an hour.
	last atomic.Pointer[readToken]
}

func newCredentialPolicy(endpoint *url.URL, o *ClientOptions) *credentialPolicy {
	p := &credentialPolicy{now: time.Now}
	name := CloudNameOf(o.Cloud)
	own, err := url.Parse(name.Configuration().Services[ServiceName].Endpoint)
	p.microsoft = err == nil && strings.EqualFold(own.Host, endpoint.Host)
	known := name.Resources()
	for _, scope := range o.Scopes {
		// A scope is a resource, a slash and a name.
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

// readToken is the parsed token of an Authorization header.
type readToken struct {
	header string
	claims *tokenClaims
}

// read returns the claims of a bearer token, nil if it cannot be read.
func (p *credentialPolicy) read(header string) *tokenClaims {
	if last := p.last.Load(); last != nil && last.header == header {
		return last.claims
	}
	token, _ := strings.CutPrefix(header, "Bearer ")
	claims := parseToken(token)
	p.last.Store(&readToken{header, claims})
	return claims
}

// tokenClaims are the claims that calls can be refused for. They are not
// verified, so they are never a reason to allow anything.
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

// audience is a token's audience, the first if there are several.
type audience string

// UnmarshalJSONFrom reads a string or an array.
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

// maxReadToken is the length of the longest token that is parsed, in bytes.
const maxReadToken = 64 << 10

// parseToken returns the claims of a JWT without verifying its signature, or
// nil if it is not a JWT.
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

// isUser reports whether the token has a user.
func (c *tokenClaims) isUser() bool {
	return c.IDType != "app" && (c.Scope != "" || c.UPN != "" || c.UniqueName != "" || c.PreferredUsername != "")
}

// isApp reports whether the token is app-only: it says so, or names an app and
// has no claim about a user.
func (c *tokenClaims) isApp() bool {
	return c.IDType == "app" || !c.isUser() && (c.AppID != "" || c.AuthorizedParty != "")
}

// check refuses calls that the service would refuse for these claims. Of
// several reasons it gives the one that the service checks first.
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
		return refuse(CredentialReasonNoMFA, fixMFA, "the user signed in without a second factor, which every call with a user requires")
	case o == nil:
		return nil
	case c.isApp() && !o.TakesApp():
		return refuse(CredentialReasonNeedsUser, fixUser, "the token is app-only, and the call requires a signed-in user (App+User)")
	case c.isUser() && !o.TakesUser():
		return refuse(CredentialReasonNeedsApp, fixApp, "the token has a user, and the call requires an app-only token")
	case c.isUser() && c.rolesAreOurs() && !o.Allows(c.Roles...):
		e := refuse(CredentialReasonNeedsRole, "sign in as a user with the role "+orList(o.roles), "the user has the role %s, which does not allow the call", orList(c.Roles))
		e.Roles = o.Roles()
		return e
	}
	return nil
}

// otherAPIs are audiences of tokens that are often sent by mistake. One is
// Microsoft Graph's id, which newer tokens have instead of its address.
var otherAPIs = []string{
	"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com",
	"https://management.azure.com", "https://management.core.windows.net",
}

// foreign reports whether an audience certainly belongs to another API. An id
// could be Partner Center's own.
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

// rolesAreOurs reports whether the roles claim names a user's roles in Partner
// Center, as in a local server's tokens. Microsoft's tokens use it differently.
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

// quoted quotes and shortens text of a token for a message.
func quoted(text string) string {
	const limit = 100
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return fmt.Sprintf("%q", text)
}

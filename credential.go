package partnercenter

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/words"
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
	p.microsoft = err == nil && sameHost(own, endpoint)
	known := name.Resources()
	for _, scope := range o.Scopes {
		// A scope is a resource, a slash and a name.
		if slash := strings.LastIndexByte(scope, '/'); slash > 0 {
			known = append(known, scope[:slash])
		}
	}
	for _, r := range known {
		p.resources = append(p.resources, plainResource(r))
	}
	return p
}

func plainResource(r string) string { return ascii.ToLower(strings.TrimSuffix(r, "/")) }

func (p *credentialPolicy) Do(req *policy.Request) (*http.Response, error) {
	var state *callState
	req.OperationValue(&state)
	read := p.read(req.Raw().Header.Get("Authorization"))
	if read == nil {
		return req.Next()
	}
	var operation *Operation
	if state != nil {
		operation = state.operation
	}
	if refused := p.check(read, operation); refused != nil {
		return nil, refused
	}
	return req.Next()
}

// readToken is the parsed token of an Authorization header.
type readToken struct {
	header string
	claims *claims.Claims
}

// read returns the claims of a bearer token, nil if it cannot be read.
func (p *credentialPolicy) read(header string) *claims.Claims {
	if last := p.last.Load(); last != nil && last.header == header {
		return last.claims
	}
	token, _ := strings.CutPrefix(header, "Bearer ")
	read, _ := claims.Read(token)
	p.last.Store(&readToken{header, read})
	return read
}

// isApp reports whether a token is app-only: it says so, or names an app and has no
// claim about a user.
func isApp(c *claims.Claims) bool {
	return c.IDType == "app" || !c.ForUser() && c.ClientID() != ""
}

// check refuses calls that the service would refuse for these claims. Of
// several reasons it gives the one that the service checks first.
func (p *credentialPolicy) check(c *claims.Claims, o *Operation) *CredentialError {
	call := ""
	if o != nil {
		call = o.String()
	}
	refuse := func(reason CredentialReason, fix, format string, args ...any) *CredentialError {
		return &CredentialError{Operation: call, Reason: reason, Detail: fmt.Sprintf(format, args...), Fix: fix}
	}
	if p.microsoft {
		now := p.now()
		expires, begins := claims.Time(c.Expires), claims.Time(c.NotBefore)
		switch {
		case expires.Unix() > 0 && now.After(expires.Add(clockTolerance)):
			return refuse(CredentialReasonExpired, fixExpired, "the token expired at %s, and by this machine's clock it is %s", expires.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		case begins.Unix() > 0 && now.Before(begins.Add(-clockTolerance)):
			return refuse(CredentialReasonNotYetValid, fixExpired, "the token is valid from %s on, and by this machine's clock it is %s", begins.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	audience := ""
	if len(c.Audience) > 0 {
		audience = c.Audience[0]
	}
	roles := claims.RolesOf(c, userRoles)
	switch {
	case p.foreign(audience):
		return refuse(CredentialReasonWrongAudience, fixAudience, "the token is for %s, which is not Partner Center", quote.Text(audience))
	case c.ForUser() && c.WithoutMFA():
		return refuse(CredentialReasonNoMFA, fixMFA, "the user signed in without a second factor, which every call with a user requires")
	case o == nil:
		return nil
	case isApp(c) && !o.TakesApp():
		return refuse(CredentialReasonNeedsUser, fixUser, "the token is app-only, and the call requires a signed-in user (App+User)")
	case c.ForUser() && !o.TakesUser():
		return refuse(CredentialReasonNeedsApp, fixApp, "the token has a user, and the call requires an app-only token")
	case c.ForUser() && len(roles) > 0 && !o.Allows(roles...):
		e := refuse(CredentialReasonNeedsRole, "sign in as a user with the role "+words.Or(o.roles), "the user has the role %s, which does not allow the call", words.Or(roles))
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

package issuer

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// defaultScope ends a scope that stands for everything that an app may do with a
// resource.
const defaultScope = ".default"

// appScheme begins the identifier of an app as an API; the app's client id follows.
const appScheme = "api://"

// accessRequest is the access that a token is requested for.
type accessRequest struct {
	resource string   // audience of the access token, as requested
	scope    string   // of the resource, as in the token; empty means scopeUser
	app      *app     // whose API the resource is; nil for one of Options.Resources
	asked    []string // the scopes of the resource as requested
	openID   bool     // also an id token
	offline  bool     // also a refresh token
}

// key returns the form in which the resource is compared.
func (want *accessRequest) key() string {
	if want.app != nil {
		return appScheme + ascii.ToLower(want.app.ID)
	}
	return apiKey(want.resource)
}

// checkResource checks that a tenant has the app whose API a client requests. To its own
// API it is the consent to the client that decides.
func checkResource(trust *trust, client *app, t *tenant, want *accessRequest) error {
	switch {
	case want.app == nil:
		return nil
	case !ascii.EqualFold(want.app.ID, client.ID) && !trust.has(t, want.app):
		return fail(codeUnknownResource, "Tenant %s has no resource %s. Ask for an API of the tenant, or put the tenant of the API in the URL.", t.id, quote.Text(want.resource))
	case want.app.Disabled:
		return fail(codeResourceDisabled, "The application whose API %s is, is disabled. Have an administrator enable it.", quote.Text(want.resource))
	}
	return nil
}

// checkAccess checks that a tenant has the requested API, and that the client may use it
// for the user or, without one, for itself. The consent may be so new that only another
// server knows it.
func (a *Authority) checkAccess(c *call, client *app, t *tenant, user *User, want *accessRequest) error {
	check := func() error {
		if err := checkResource(c.trust, client, t, want); err != nil {
			return err
		}
		return checkConsent(c.trust, client, t, user, want)
	}
	err := check()
	if next := a.lookAgainIf(err, c.trust); next != nil {
		c.trust = next
		err = check()
	}
	return err
}

// scopes are the parts of a scope parameter.
type scopes struct {
	api             []string // scopes of APIs, as requested
	openID, offline bool
}

func parseScopes(text string) (scopes, error) {
	var s scopes
	for _, scope := range ascii.Fields(text) {
		switch lower := ascii.ToLower(scope); {
		case !isScopeToken(scope):
			return s, fail(codeInvalidScope, "The scope %s has characters that a scope cannot have. Send scope=<URL of the API>/.default.", quote.Text(scope))
		case lower == "openid":
			s.openID = true
		case lower == "offline_access":
			s.offline = true
		case lower == "profile" || lower == "email":
		default:
			s.api = append(s.api, scope)
		}
	}
	return s, nil
}

// isScopeToken checks the characters of one scope (RFC 6749, section 3.3).
func isScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// cutScope splits a scope of an API into resource and permission. A resource may end
// with a slash, which makes two of them.
func cutScope(scope string) (resource, permission string, ok bool) {
	slash := strings.LastIndexByte(scope, '/')
	if slash <= 0 || slash == len(scope)-1 {
		return "", "", false
	}
	return scope[:slash], scope[slash+1:], true
}

// appResource returns the resource in the scope of an app-only request. MSAL adds the
// scopes of OpenID Connect, which are ignored.
func appResource(scope string) (string, error) {
	if ascii.TrimSpace(scope) == "" {
		return "", missing("scope", "Add scope=<URL of the API>/.default; resource belongs to the v1 endpoint.")
	}
	s, err := parseScopes(scope)
	if err != nil {
		return "", err
	}
	if len(s.api) > 1 {
		return "", fail(codeInvalidScope, "The scopes %s and %s ask for two things at once. Send one scope, <URL of the API>/.default, and ask for other tokens separately.", quote.Text(s.api[0]), quote.Text(s.api[1]))
	}
	if len(s.api) == 1 {
		if resource, permission, ok := cutScope(s.api[0]); ok && ascii.EqualFold(permission, defaultScope) {
			return resource, nil
		}
	}
	return "", fail(codeScopeWithoutDefault, "The scope %s is not valid for client credentials. Send scope=<URL of the API>/.default.", quote.Text(scope))
}

// userAccess returns the access that a request for a user's token at the v2.0 endpoint
// asks for. Without a scope of an API, resource is used.
func (a *Authority) userAccess(t *trust, scope, resource string) (*accessRequest, error) {
	s, err := parseScopes(scope)
	if err != nil {
		return nil, err
	}
	want := &accessRequest{resource: resource, asked: s.api, openID: s.openID, offline: s.offline}
	for i, one := range s.api {
		found, permission, ok := cutScope(one)
		if !ok {
			return nil, fail(codeUnknownScope, "The app asked for the scope %s, which is of no API that is known here. Send scope=<URL of the API>/.default or <URL of the API>/user_impersonation.", quote.Text(one))
		}
		if i > 0 && apiKey(found) != apiKey(want.resource) {
			return nil, fail(codeTwoResources, "The scope is of more than one API, %s and %s. Ask for a token of each separately.", quote.Text(want.resource), quote.Text(found))
		}
		want.resource = found
		if ascii.EqualFold(permission, defaultScope) {
			continue
		}
		want.scope = ascii.TrimSpace(want.scope + " " + permission)
	}
	if err := a.resolve(t, want); err != nil {
		return nil, err
	}
	if want.app == nil && want.scope != "" && !ascii.EqualFold(want.scope, scopeUser) {
		return nil, fail(codeUnknownScope, "The app asked for the scope %s, which does not exist on %s. Send %s/user_impersonation.", quote.Text(want.scope), quote.Text(want.resource), want.resource)
	}
	return want, nil
}

// userAccessV1 is userAccess at the v1 endpoint, where the API is a parameter of its
// own and every sign-in gives all kinds of tokens.
func (a *Authority) userAccessV1(t *trust, scope, resource string) (*accessRequest, error) {
	if _, err := parseScopes(scope); err != nil {
		return nil, err
	}
	want := &accessRequest{resource: resource, openID: true, offline: true}
	return want, a.resolve(t, want)
}

// foreignAPIs are other Microsoft APIs that partners' apps request tokens for, to use
// in a customer's tenant, by application id. Nothing here accepts those tokens.
var foreignAPIs = map[string]string{
	"00000003-0000-0000-c000-000000000000": "https://graph.microsoft.com",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": "https://management.azure.com",
}

// wellKnownAPIs are the APIs of Options.Resources by application id. Their addresses in
// the clouds are one API each, and that of the global cloud stands for all.
var wellKnownAPIs = map[string]string{
	token.GraphAppID: "https://graph.windows.net",
	token.APIAppID:   "https://api.partnercenter.microsoft.com",
}

// isForeign reports whether a resource is one of the foreign APIs, by address or id.
func isForeign(resource string) bool {
	return slices.Contains(slices.Collect(maps.Values(foreignAPIs)), apiKey(resource))
}

// apiKey returns the form in which APIs are compared, for consents and for scopes of
// one request: the same for all names of an API.
func apiKey(resource string) string {
	key := token.ResourceKey(resource)
	if id := token.AppOf(key); id != "" {
		return wellKnownAPIs[id]
	}
	return cmp.Or(foreignAPIs[key], key)
}

// ResourceOf returns the URL of one of Microsoft's APIs by its application id.
func ResourceOf(applicationID string) (url string, ok bool) {
	id := ascii.ToLower(applicationID)
	if url, ok = foreignAPIs[id]; !ok {
		url, ok = wellKnownAPIs[id]
	}
	return url, ok
}

// resolve determines whose API is requested. An app is an API under its client id, with
// or without api:// before it.
func (a *Authority) resolve(t *trust, want *accessRequest) error {
	want.resource = cmp.Or(want.resource, a.audience)
	if a.isResource(want.resource) || isForeign(want.resource) {
		return nil
	}
	id := want.resource
	if len(id) > len(appScheme) && ascii.EqualFold(id[:len(appScheme)], appScheme) {
		id = id[len(appScheme):]
	}
	if want.app = t.app(id); want.app == nil {
		return fail(codeUnknownResource, "No resource %s is known here. Ask for the API by its URL, such as %s.", quote.Text(want.resource), a.audience)
	}
	return nil
}

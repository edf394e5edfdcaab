package issuer

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxForm is the largest token request read, in bytes. Real ones have a few
// hundred.
const maxForm = 64 << 10

// grantClientCredentials is the app-only grant.
const grantClientCredentials = "client_credentials"

// defaultScope ends a scope that stands for all that an app may do with a
// resource.
const defaultScope = "/.default"

// tokenAnswerV1 is the answer of the v1 endpoint, whose integers are strings.
type tokenAnswerV1 struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in,string"`
	ExtExpiresIn int64  `json:"ext_expires_in,string"`
	ExpiresOn    int64  `json:"expires_on,string"`
	NotBefore    int64  `json:"not_before,string"`
	Resource     string `json:"resource"`
	AccessToken  string `json:"access_token"`
}

// tokenAnswerV2 is the answer of the v2.0 endpoint.
type tokenAnswerV2 struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	ExtExpiresIn int64  `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
}

// tokenV1 is POST /{tenant}/oauth2/token. The form's resource says which API
// the token is for.
// https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow
func (a *Authority) tokenV1(c *call) (any, error) {
	neverStore(c.w)
	form, err := readTokenForm(c)
	if err != nil {
		return nil, err
	}
	resource := form.Get("resource")
	if resource == "" {
		return nil, missing("resource", "Add resource=<URL of the API>; scope belongs to the v2.0 endpoint.")
	}
	token, err := a.clientCredentials(c, form, resource, V1)
	if err != nil {
		return nil, err
	}
	seconds := int64(token.Lifetime / time.Second)
	return tokenAnswerV1{
		TokenType:    "Bearer",
		ExpiresIn:    seconds,
		ExtExpiresIn: seconds,
		ExpiresOn:    token.Expires.Unix(),
		NotBefore:    token.NotBefore.Unix(),
		Resource:     resource,
		AccessToken:  token.Text,
	}, nil
}

// tokenV2 is POST /{tenant}/oauth2/v2.0/token. The form's scope says which API
// the token is for.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (a *Authority) tokenV2(c *call) (any, error) {
	neverStore(c.w)
	form, err := readTokenForm(c)
	if err != nil {
		return nil, err
	}
	resource, err := appResource(form.Get("scope"))
	if err != nil {
		return nil, err
	}
	token, err := a.clientCredentials(c, form, resource, V2)
	if err != nil {
		return nil, err
	}
	seconds := int64(token.Lifetime / time.Second)
	return tokenAnswerV2{
		TokenType:    "Bearer",
		ExpiresIn:    seconds,
		ExtExpiresIn: seconds,
		AccessToken:  token.Text,
	}, nil
}

// readTokenForm reads the form of a token request and checks its grant type.
func readTokenForm(c *call) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxForm))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		f := fail(codeMalformed, "The request body is larger than %d bytes. Send the documented form fields only.", maxForm)
		f.status = http.StatusRequestEntityTooLarge
		return nil, f
	}
	if err != nil {
		return nil, fail(codeMalformed, "The request body ended early. Send the request again.")
	}
	form, err := parseForm(c.r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	switch grant := form.Get("grant_type"); grant {
	case "":
		return nil, missing("grant_type", "Add grant_type=client_credentials.")
	case grantClientCredentials:
		return form, nil
	default:
		return nil, fail(codeUnsupportedGrant, "The grant type %s is not supported. Send grant_type=client_credentials.", quote(grant))
	}
}

// parseForm reads a form that must have each parameter once (RFC 6749, section
// 3.2). A body without a content type is taken for a form.
func parseForm(contentType string, body []byte) (url.Values, error) {
	if contentType != "" {
		media, _, err := mime.ParseMediaType(contentType)
		// A parameter that cannot be read does not matter: forms are UTF-8.
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || media != "application/x-www-form-urlencoded" {
			return nil, fail(codeMalformed, "The request body is of type %s. Send Content-Type: application/x-www-form-urlencoded, with the parameters as a form.", quote(contentType))
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fail(codeMalformed, "The request body is not a form. Join the parameters with & and percent-encode their values.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, fail(codeRepeatedParameter, "The parameter %s is in the request more than once. Send it once.", quote(name))
		}
	}
	return form, nil
}

func missing(parameter, next string) error {
	return fail(codeMissingParameter, "The request body must contain the parameter '%s'. %s", parameter, next)
}

// appResource returns the resource that the scope of an app-only request names.
// MSAL adds the scopes of OpenID Connect, which have no meaning here.
func appResource(scope string) (string, error) {
	if strings.TrimSpace(scope) == "" {
		return "", missing("scope", "Add scope=<URL of the API>/.default; resource belongs to the v1 endpoint.")
	}
	api := ""
	for _, s := range strings.Fields(scope) {
		switch {
		case !isScopeToken(s):
			return "", fail(codeInvalidScope, "The scope %s has characters that a scope cannot have. Send scope=<URL of the API>/.default.", quote(s))
		case isOpenIDScope(s):
		case api != "":
			return "", fail(codeInvalidScope, "The scopes %s and %s ask for two things at once. Send one scope, <URL of the API>/.default, and ask for other tokens separately.", quote(api), quote(s))
		default:
			api = s
		}
	}
	at := len(api) - len(defaultScope)
	if at <= 0 || !strings.EqualFold(api[at:], defaultScope) {
		return "", fail(codeScopeWithoutDefault, "The scope %s is not valid for client credentials. Send scope=<URL of the API>/.default.", quote(scope))
	}
	return api[:at], nil
}

func isOpenIDScope(s string) bool {
	switch strings.ToLower(s) {
	case "openid", "profile", "email", "offline_access":
		return true
	}
	return false
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

// clientCredentials is the app-only grant: the client's secret for a token that
// speaks for the client itself.
func (a *Authority) clientCredentials(c *call, form url.Values, resource string, v Version) (*Token, error) {
	shown, err := readCredential(c.r, form)
	if err != nil {
		return nil, err
	}
	if isShared(c.tenant) {
		return nil, fail(codeNoTenant, "An app-only token belongs to one tenant, which '%s' does not name. Put the tenant's id or domain in its place in the URL.", strings.ToLower(c.tenant))
	}
	tenant := a.tenant(c.tenant)
	if tenant == nil {
		return nil, unknownTenant(c.tenant)
	}
	client := tenant.client(shown.id)
	if client == nil {
		return nil, fail(codeUnknownClient, "No application %s is registered in tenant %s. Check client_id and the tenant in the URL.", quote(shown.id), tenant.id)
	}
	if err := shown.check(client); err != nil {
		return nil, err
	}
	if !a.resources[resourceKey(resource)] {
		return nil, fail(codeUnknownResource, "No resource %s is known in tenant %s. Ask for the API by its URL, such as %s.", quote(resource), tenant.id, a.audience)
	}
	return a.sign(c.trust, tenant, client, nil, resource, c.base, v)
}

func unknownTenant(name string) *failure {
	return fail(codeUnknownTenant, "Tenant %s does not exist here. Check the tenant's id or domain in the URL.", quote(name))
}

// credential is how a client says who it is.
type credential struct {
	id, secret string
	assertion  bool // it has signed something instead
}

// readCredential takes id and secret from the form or, as RFC 6749 (section
// 2.3.1) also has it, from HTTP Basic, but not from both.
func readCredential(r *http.Request, form url.Values) (credential, error) {
	shown := credential{
		id:        form.Get("client_id"),
		secret:    form.Get("client_secret"),
		assertion: form.Has("client_assertion"),
	}
	if user, password, ok := r.BasicAuth(); ok {
		id, err1 := url.QueryUnescape(user)
		secret, err2 := url.QueryUnescape(password)
		switch {
		case err1 != nil || err2 != nil:
			return credential{}, fail(codeMalformed, "The client's id or secret in the Authorization header cannot be decoded. Percent-encode both before joining them for Basic.")
		case form.Has("client_secret") || shown.assertion:
			return credential{}, fail(codeMalformed, "The client shows one credential in the Authorization header and another in the body. Send only one of the two.")
		case shown.id != "" && !strings.EqualFold(shown.id, id):
			return credential{}, fail(codeMalformed, "The Authorization header and the body name two different clients. Send the client's id once.")
		}
		shown.id, shown.secret = id, secret
	}
	if shown.id == "" {
		return credential{}, missing("client_id", "Add client_id=<application id>.")
	}
	return shown, nil
}

// check compares the secret in a time that tells nothing about it: digests have
// one length.
func (shown credential) check(client *Client) error {
	switch {
	case shown.secret == "" && shown.assertion:
		return fail(codeAssertion, "No certificate is registered for application %s. Send client_secret in place of client_assertion.", client.ID)
	case shown.secret == "":
		return fail(codeNoCredential, "The request does not authenticate application %s. Add client_secret=<secret>.", client.ID)
	}
	got, want := sha256.Sum256([]byte(shown.secret)), sha256.Sum256([]byte(client.Secret))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return fail(codeWrongSecret, "The client secret is wrong for application %s. Send the secret's value, not its id.", client.ID)
	}
	return nil
}

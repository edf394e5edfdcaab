package issuer

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// maxForm is the largest accepted token request, in bytes. Real ones have a few
// hundred, and several thousand with a client assertion or a forwarded token.
const maxForm = 64 << 10

// The grant types of the token endpoints.
const (
	grantTypeClientCredentials = "client_credentials"
	grantTypeCode              = "authorization_code"
	grantTypeRefresh           = "refresh_token"
	grantTypePassword          = "password"
	grantTypeDevice            = "urn:ietf:params:oauth:grant-type:device_code"
	grantDeviceV1              = "device_code"
	grantTypeOnBehalfOf        = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// grantTypes are those in the discovery document.
var grantTypes = []string{grantTypeClientCredentials, grantTypeCode, grantTypeRefresh, grantTypeDevice, grantTypeOnBehalfOf}

// tokenAnswer is the answer of the endpoints.
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"` // users
	ExpiresIn    any    `json:"expires_in"`
	ExtExpiresIn any    `json:"ext_expires_in"`
	ExpiresOn    any    `json:"expires_on,omitempty"` // v1
	NotBefore    any    `json:"not_before,omitempty"` // v1
	Resource     string `json:"resource,omitempty"`   // v1
	AccessToken  string `json:"access_token"`
	userAnswer
}

// integer returns a number for an answer, which v1 endpoints write as text.
func (c *call) integer(n int64) any {
	if c.version == token.V1 {
		return strconv.FormatInt(n, 10)
	}
	return n
}

// userAnswer is the part of an answer that only users' grants have.
type userAnswer struct {
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"` // MSAL's name for the account, on request
}

// tokenRequest is a token request with its form parsed and its client known.
type tokenRequest struct {
	*call
	form   url.Values
	client *app
	proof  token.Proof
	tenant *tenant // that of the path; nil under a shared name
	// assertionID is what the client's assertion is known by, if it has shown one.
	assertionID [sha256.Size]byte
}

// inCustomer reports whether the request is made in a customer's tenant.
func (t *tokenRequest) inCustomer() bool { return t.tenant != nil && t.tenant.customer }

// issued is what a grant gives.
type issued struct {
	Token    *Token
	Resource string
	Scope    string // empty for an app alone
	userAnswer
}

// tokens is POST /{tenant}/oauth2/token, where the form's resource says which
// API the token is for, and POST /{tenant}/oauth2/v2.0/token, where its scope
// does.
// https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
func (a *Authority) tokens(c *call) (any, error) {
	got, err := a.token(c)
	if f, ok := err.(*failure); ok && c.version == token.V1 && f.errorCode == codeMFARequired { //nolint:errorlint // the authority's own, never wrapped
		f.kind = "interaction_required" // this endpoint's name for it
	}
	if err != nil {
		return nil, err
	}
	seconds := c.integer(int64(got.Token.Lifetime / time.Second))
	answer := tokenAnswer{
		TokenType: "Bearer", Scope: got.Scope, ExpiresIn: seconds, ExtExpiresIn: seconds,
		AccessToken: got.Token.Text, userAnswer: got.userAnswer,
	}
	if c.version == token.V1 {
		answer.ExpiresOn, answer.NotBefore = c.integer(got.Token.Expires.Unix()), c.integer(got.Token.NotBefore.Unix())
		answer.Resource = got.Resource
	}
	return answer, nil
}

// token answers a token request: form, client, grant.
func (a *Authority) token(c *call) (*issued, error) {
	neverStore(c.w)
	form, err := a.readForm(c)
	if err != nil {
		return nil, err
	}
	grant := form.Get("grant_type")
	serve := grantTypeHandlers[grant]
	switch {
	case grant == "":
		return nil, missing("grant_type", "Add grant_type=client_credentials for an app alone, or authorization_code, refresh_token or another grant for a user.")
	case serve == nil:
		return nil, fail(codeUnsupportedGrant, "The grant type %s is not supported. Send one of %s.", quote.Text(grant), strings.Join(grantTypes, ", "))
	}
	t := &tokenRequest{call: c, form: form}
	if t.tenant, err = a.findTenant(c, c.tenant); err != nil {
		return nil, err
	}
	shown, err := readCredential(c.r, form)
	if err != nil {
		return nil, err
	}
	if grant == grantTypeClientCredentials && t.tenant == nil {
		return nil, fail(codeNoTenant, "An app-only token belongs to one tenant, which '%s' does not name. Put the tenant's id or domain in its place in the URL.", ascii.ToLower(c.tenant))
	}
	if t.client, err = findApp(c.trust, t.tenant, shown.id); err != nil && !a.findAgain(t, shown.id) {
		return nil, err
	}
	if t.proof, err = a.checkCredential(t, shown, grant != grantTypeClientCredentials); err != nil {
		return nil, err
	}
	if shown.assertion == "" || a.reuse {
		return a.redeem(t, serve)
	}
	return a.once(t, shown.assertion, func() (*issued, error) { return a.redeem(t, serve) })
}

// findAgain looks whether the app of a request is another one by now, and reports whether
// it is.
func (a *Authority) findAgain(t *tokenRequest, clientID string) bool {
	next := a.lookAgain(t.trust)
	if next == nil {
		return false
	}
	app, err := findApp(next, t.tenant, clientID)
	if err != nil {
		return false
	}
	t.trust, t.client = next, app
	return true
}

// redeem answers the grant. One of a code or refresh token is refused after too many
// wrong ones.
func (a *Authority) redeem(t *tokenRequest, serve func(*Authority, *tokenRequest) (*issued, error)) (got *issued, err error) {
	grant := t.form.Get("grant_type")
	switch grant {
	case grantTypeCode, grantTypeRefresh, grantTypeDevice, grantDeviceV1:
	default:
		return serve(a, t)
	}
	err = a.guess(t, guessKind(grant), func() error {
		got, err = serve(a, t)
		return err
	})
	return got, err
}

// grantTypeHandlers answer the grant types.
var grantTypeHandlers = map[string]func(*Authority, *tokenRequest) (*issued, error){
	grantTypeClientCredentials: (*Authority).clientCredentials,
	grantTypeCode:              (*Authority).redeemCode,
	grantTypeRefresh:           (*Authority).refresh,
	grantTypePassword:          (*Authority).password,
	grantTypeDevice:            (*Authority).redeemDevice,
	grantDeviceV1:              (*Authority).redeemDevice,
	grantTypeOnBehalfOf:        (*Authority).onBehalfOf,
}

// findApp finds the app of a request in the tenant of its path, nil for any.
func findApp(t *trust, tenant *tenant, clientID string) (*app, error) {
	found := t.app(clientID)
	switch {
	case found == nil && tenant == nil:
		return nil, fail(codeUnknownClient, "No application %s is registered here. Check client_id.", quote.Text(clientID))
	case found == nil:
		return nil, fail(codeUnknownClient, "No application %s is registered in tenant %s. Check client_id and the tenant in the URL.", quote.Text(clientID), tenant.id)
	case tenant != nil && !found.isFor(tenant):
		return nil, fail(codeUnknownClient, "Application %s is not registered in tenant %s but in another one, and not made for several. Put its own tenant in the URL, or register it here.", quote.Text(clientID), tenant.id)
	case found.Disabled:
		return nil, fail(codeClientDisabled, "Application %s is disabled. Have an administrator enable it.", found.ID)
	}
	return found, nil
}

// readForm reads the form in the body of a request, and waits for the call's turn.
func (a *Authority) readForm(c *call) (url.Values, error) {
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
	if err := a.forms.Enter(c.r.Context()); err != nil {
		return nil, err
	}
	c.turn = a.forms
	return form, nil
}

// parseForm parses a form. A body without a content type is assumed to be one.
func parseForm(contentType string, body []byte) (url.Values, error) {
	if contentType != "" {
		media, _, err := mime.ParseMediaType(contentType)
		// A parameter that cannot be read does not matter: forms are UTF-8.
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || media != "application/x-www-form-urlencoded" {
			return nil, fail(codeMalformed, "The request body is of type %s. Send Content-Type: application/x-www-form-urlencoded, with the parameters as a form.", quote.Text(contentType))
		}
	}
	return parseParameters(string(body))
}

// parseParameters parses a form or a query, which must not repeat a parameter (RFC
// 6749, sections 3.1 and 3.2).
func parseParameters(text string) (url.Values, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, fail(codeMalformed, "The parameters are not a form. Join them with & and percent-encode their values.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, fail(codeRepeatedParameter, "The parameter %s is in the request more than once. Send it once.", quote.Text(name))
		}
	}
	return form, nil
}

func missing(parameter, next string) error {
	return fail(codeMissingParameter, "The request body must contain the parameter '%s'. %s", parameter, next)
}

func unknownTenant(name string) *failure {
	return fail(codeUnknownTenant, "Tenant %s does not exist here. Check the tenant's id or domain in the URL.", quote.Text(name))
}

// clientCredentials implements the app-only grant: the client's secret or certificate
// for a token that speaks for the client itself.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (a *Authority) clientCredentials(t *tokenRequest) (*issued, error) {
	resource := t.form.Get("resource")
	switch {
	case t.version == token.V2:
		var err error
		if resource, err = appResource(t.form.Get("scope")); err != nil {
			return nil, err
		}
	case resource == "":
		return nil, missing("resource", "Add resource=<URL of the API>; scope belongs to the v2.0 endpoint.")
	}
	want := &accessRequest{resource: resource}
	if err := a.resolve(t.trust, want); err != nil {
		return nil, err
	}
	if err := a.checkAccess(t.call, t.client, t.tenant, nil, want); err != nil {
		return nil, err
	}
	return a.issue(t, a.specFor(t, t.tenant, nil, want), want)
}

// specFor returns the content of a token for the requested access, an app's own without
// a subject.
func (a *Authority) specFor(t *tokenRequest, tenant *tenant, subject *signedIn, want *accessRequest) *tokenSpec {
	spec := &tokenSpec{
		tenant: tenant, client: t.client, proof: t.proof, subject: subject,
		resource: want.resource, scope: want.scope, base: t.base, version: t.version,
		distortion: a.distort(tenant, t.client, subject),
	}
	spec.distortion.tell(t.w.Header())
	return spec
}

// issue signs the token.
func (a *Authority) issue(t *tokenRequest, spec *tokenSpec, want *accessRequest) (*issued, error) {
	token, err := a.sign(t.trust, spec)
	if err != nil {
		return nil, err
	}
	got := &issued{Token: token, Resource: want.resource}
	if spec.subject != nil {
		got.Scope = t.scopeAnswer(want)
	}
	return got, nil
}

// accessRequest returns the access that the request asks for; by default that of the
// sign-in.
func (a *Authority) accessRequest(t *tokenRequest, before *Grant) (*accessRequest, error) {
	if t.version == token.V1 {
		return a.userAccessV1(t.trust, t.form.Get("scope"), cmp.Or(t.form.Get("resource"), before.Resource))
	}
	if t.form.Has("resource") && !t.form.Has("scope") {
		return nil, fail(codeResourceAtV2, "The parameter 'resource' belongs to the v1 endpoint. Send scope=<URL of the API>/.default here.")
	}
	scope := t.form.Get("scope")
	if ascii.TrimSpace(scope) == "" {
		scope = before.Scope
	}
	return a.userAccess(t.trust, scope, before.Resource)
}

// userTokens issues tokens for a user who has signed in and consented, in the user's
// tenant or in that of a customer, which has consented for its partners' users: see
// [Authority.PutConsent].
// https://learn.microsoft.com/partner-center/developer/enable-secure-app-model
func (a *Authority) userTokens(t *tokenRequest, tenant *tenant, s *signedIn, want *accessRequest, nonce string) (*issued, error) {
	if t.tenant != nil && !t.tenant.admits(tenant) {
		return nil, wrongTenantUser(s.user, t.tenant)
	}
	if s.user.Disabled {
		return nil, disabledUser(s.user)
	}
	// Under a shared name, the app was found without its tenant.
	if _, err := findApp(t.trust, tenant, t.client.ID); err != nil {
		return nil, err
	}
	if err := a.strikeUser(t.call, t.form.Get("grant_type"), tenant, t.client.ID, s.user); err != nil {
		return nil, err
	}
	at := tenant
	if t.inCustomer() {
		at = t.tenant
	}
	if err := a.checkAccess(t.call, t.client, at, s.user, want); err != nil {
		return nil, err
	}
	spec := a.specFor(t, tenant, s, want)
	spec.tenant = at
	got, err := a.issue(t, spec, want)
	if err != nil {
		return nil, err
	}
	if want.openID {
		if got.IDToken, err = a.signID(t.trust, spec, nonce, ""); err != nil {
			return nil, err
		}
	}
	if t.form.Get("client_info") == "1" {
		got.ClientInfo = clientInfo(s.user, tenant)
	}
	return got, nil
}

// scopeAnswer returns the scope of an answer: at the v2.0 endpoint with the resource
// before it, and with the scopes as requested, including .default. MSAL treats missing
// scopes as declined, and looks up its tokens by scope.
func (t *tokenRequest) scopeAnswer(want *accessRequest) string {
	if t.version == token.V1 {
		return cmp.Or(want.scope, scopeUser)
	}
	var names []string
	for _, name := range ascii.Fields(cmp.Or(want.scope, scopeUser)) {
		names = append(names, want.resource+"/"+name)
	}
	for _, scope := range want.asked {
		if !slices.Contains(names, scope) {
			names = append(names, scope)
		}
	}
	if want.openID {
		names = slices.Insert(names, 0, "openid", "profile")
	}
	if want.offline {
		names = append(names, "offline_access")
	}
	return strings.Join(names, " ")
}

// password implements the resource owner's password grant, which Partner Center does
// not support since it requires a second factor: a user who has one registered must
// sign in with a browser.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc
func (a *Authority) password(t *tokenRequest) (*issued, error) {
	name := t.form.Get("username")
	if name == "" {
		return nil, missing("username", "Add username=<name@domain>.")
	}
	tenant, user, err := a.checkPassword(t.call, t.tenant, name, t.form.Get("password"))
	if err != nil {
		return nil, err
	}
	if user.MFA {
		return nil, fail(codeMFARequired, "User %s must sign in with a second factor, for which this grant has no place. Sign in with a browser or a device code.", quote.Text(user.UserPrincipalName))
	}
	return a.beginGrant(t, a.newGrant(t, tenant.id, user.ObjectID, false, signInRequest{Scope: t.form.Get("scope")}), newLogin(tenant, t.client.ID, user), "")
}

package issuer

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	// codeLifetime is how long an authorization code can be redeemed.
	codeLifetime = 10 * time.Minute
	// maxRequest bounds the part of an authorize request that is kept while the user
	// signs in, in bytes.
	maxRequest = 8 << 10
)

// How the authorize endpoint's answer reaches the app.
const (
	modeQuery    = "query"
	modeFragment = "fragment"
	modeFormPost = "form_post"
)

// signInRequest says who requests a user's sign-in, and for what.
type signInRequest struct {
	version  token.Version
	tenant   string  // as in the path
	customer *tenant // that of the path, if it is a customer's
	clientID string
	scope    string
	resource string
}

// readSignInRequest reads a request for a sign-in from its parameters; client is its
// app. It clones what is kept, which is part of a query or form that may be much longer
// than maxRequest.
func (a *Authority) readSignInRequest(c *call, parameters url.Values) (q signInRequest, client *app, err error) {
	tenant, err := a.findTenant(c, c.tenant)
	switch {
	case err != nil:
		return q, nil, err
	case parameters.Get("client_id") == "":
		return q, nil, missing("client_id", "Add client_id=<application id>.")
	}
	if client, err = findApp(c.trust, tenant, parameters.Get("client_id")); err != nil {
		return q, nil, err
	}
	if tenant != nil && tenant.customer {
		q.customer = tenant
	}
	return signInRequest{
		customer: q.customer, version: c.version, tenant: strings.Clone(c.tenant), clientID: client.ID,
		scope: strings.Clone(parameters.Get("scope")), resource: strings.Clone(parameters.Get("resource")),
	}, client, nil
}

// in returns the tenant that the user signs in to, nil for the user's own.
func (q *signInRequest) in(t *trust) *tenant {
	if q.customer != nil {
		return q.customer
	}
	return t.tenant(q.tenant)
}

// redeemableAt reports whether what the sign-in of a tenant's user gives can be redeemed
// at the endpoint of a tenant.
func (q *signInRequest) redeemableAt(at *tenant, userTenantID string) bool {
	if q.customer != nil {
		userTenantID = q.customer.id
	}
	return at != nil && at.id == userTenantID
}

// accessRequestOf returns the access that is requested.
func (a *Authority) accessRequestOf(t *trust, q *signInRequest) (*accessRequest, error) {
	if q.version == token.V1 {
		return a.userAccessV1(t, q.scope, q.resource)
	}
	return a.userAccess(t, q.scope, "")
}

// authorization is a valid request to the authorize endpoint.
type authorization struct {
	signInRequest
	base         string
	redirect     string
	redirectSent bool // the redirect was in the request, and must be in the one for tokens
	mode         string
	hybrid       bool // it also asks for an id token at once
	state        string
	nonce        string
	challenge    string // of PKCE; empty without
	plain        bool   // the challenge is the verifier itself
	consent      bool   // ask even if consent was given before
	loginHint    string // the name of the user expected to sign in
}

// code is an authorization code that was issued.
type code struct {
	request  *authorization
	login    *login
	made     instant
	grantID  string // once redeemed
	replayed bool   // it was sent again after that
}

// authorize is GET or POST /{tenant}/oauth2/authorize and its v2.0 twin: it starts a
// user's sign-in. Until it is certain that the app may receive the answer, mistakes are
// shown to the user; otherwise a stranger's page could be where this server sends
// people.
// https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
func (a *Authority) authorize(c *call) (any, error) {
	parameters, err := readAuthorizeParameters(c)
	if err != nil {
		return nil, err
	}
	get := func(name string) string { return strings.Clone(parameters.Get(name)) } // as readSignInRequest does
	asked, client, err := a.readSignInRequest(c, parameters)
	if err != nil {
		return nil, err
	}
	r := &authorization{
		signInRequest: asked, base: c.base, redirect: get("redirect_uri"), redirectSent: get("redirect_uri") != "",
		state: get("state"), nonce: get("nonce"), challenge: get("code_challenge"), loginHint: get("login_hint"),
	}
	if r.redirect, err = client.redirectTo(r.redirect); err != nil {
		return nil, err
	}
	err = r.read(parameters)
	if err == nil {
		_, err = a.accessRequestOf(c.trust, &r.signInRequest)
	}
	if err == nil && ascii.EqualFold(get("prompt"), "none") {
		err = fail(codeNotSignedIn, "Nobody is signed in, and prompt=none forbids asking. Send the request again without it.")
	}
	if err != nil {
		return r.refuse(c, a.now(), err)
	}
	return a.beginSignIn(c, &flow{request: r, name: r.loginHint})
}

// readAuthorizeParameters reads the parameters from the query or, for a POST, from the
// form.
func readAuthorizeParameters(c *call) (url.Values, error) {
	if c.r.Method == http.MethodPost {
		return readForm(c)
	}
	return parseParameters(c.r.URL.RawQuery)
}

// read reads the parameters whose mistakes the app is told about.
func (r *authorization) read(parameters url.Values) error {
	get := parameters.Get
	types := ascii.Fields(ascii.ToLower(get("response_type")))
	slices.Sort(types)
	switch strings.Join(types, " ") {
	case "code":
	case "code id_token":
		r.hybrid = true
	case "":
		r.mode = modeQuery
		return missing("response_type", "Add response_type=code, or code id_token.")
	default:
		r.mode = modeFragment
		return fail(codeResponseType, "The response type %s is not supported. Send response_type=code, or code id_token.", quote.Text(get("response_type")))
	}
	r.mode = modeQuery
	if r.hybrid {
		r.mode = modeFragment
	}
	switch mode := ascii.ToLower(get("response_mode")); {
	case mode == "":
	case mode == modeQuery && r.hybrid:
		return fail(codeResponseMode, "The response mode query is not supported together with an id token, which does not belong in logs. Send response_mode=form_post or fragment.")
	case mode == modeFormPost && !isWeb(r.redirect):
		return fail(codeResponseMode, "The response mode form_post needs a redirect URI that begins with http or https; a browser posts to no other. Send response_mode=query or fragment.")
	case mode == modeQuery || mode == modeFragment || mode == modeFormPost:
		r.mode = mode
	default:
		return fail(codeResponseMode, "The response mode %s is not supported. Send query, fragment or form_post.", quote.Text(mode))
	}
	size := 0
	for _, values := range parameters {
		size += len(values[0])
	}
	s, err := parseScopes(r.scope)
	switch {
	case err != nil:
		return err
	case size > maxRequest:
		r.state = ""
		return fail(codeMalformed, "The parameters have %d bytes, and the limit is %d. Keep what state stands for, and send a short name of it.", size, maxRequest)
	case r.version == token.V2 && r.scope == "":
		return missing("scope", "Add scope=<URL of the API>/.default openid offline_access.")
	case r.hybrid && r.version == token.V2 && !s.openID:
		return fail(codeResponseType, "The response type id_token needs the scope openid. Add it to scope.")
	case r.hybrid && r.nonce == "":
		return missing("nonce", "Add nonce=<random text>, and compare it with the id token's.")
	}
	if r.consent = ascii.EqualFold(get("prompt"), "consent") || ascii.EqualFold(get("prompt"), "admin_consent"); r.challenge == "" {
		if get("code_challenge_method") != "" {
			return missing("code_challenge", "Add code_challenge, or leave out code_challenge_method.")
		}
		return nil
	}
	switch method := get("code_challenge_method"); {
	case ascii.EqualFold(method, "plain") || method == "":
		r.plain = true
	case !ascii.EqualFold(method, "S256"):
		return fail(codeMalformed, "The code_challenge_method %s is not supported. Send S256.", quote.Text(method))
	}
	if n := len(r.challenge); n < 43 || n > 128 {
		return fail(codeChallengeSize, "The code_challenge has %d characters; it must have 43 to 128 (RFC 7636). Send the base64url of the verifier's SHA-256.", n)
	}
	return nil
}

// redirectTo returns where the app's answers go: the requested address if it is
// registered, or the only registered one.
func (a *app) redirectTo(asked string) (string, error) {
	if asked == "" {
		if len(a.RedirectURIs) == 1 {
			return a.RedirectURIs[0], nil
		}
		return "", fail(codeNoReply, "The request names no redirect_uri, and application %s has %d registered. Add redirect_uri=<one of them>.", a.ID, len(a.RedirectURIs))
	}
	if slices.ContainsFunc(a.RedirectURIs, func(registered string) bool { return sameRedirect(registered, asked) }) {
		return asked, nil
	}
	return "", fail(codeWrongReply, "The redirect URI %s is not registered for application %s. Register exactly this one, or send one that is registered.", quote.Text(asked), a.ID)
}

// sameRedirect compares redirect URIs exactly, except for the port of a program on the
// user's own machine (RFC 8252, section 7.3).
func sameRedirect(registered, asked string) bool {
	if registered == asked {
		return true
	}
	r, err1 := url.Parse(registered)
	u, err2 := url.Parse(asked)
	if err1 != nil || err2 != nil || r.Scheme != "http" || u.Scheme != "http" || !loopback.IsHost(r.Hostname()) {
		return false
	}
	return u.Hostname() == r.Hostname() && u.User == nil && u.Fragment == "" && !strings.Contains(asked, "#") &&
		cmp.Or(u.EscapedPath(), "/") == cmp.Or(r.EscapedPath(), "/") && u.RawQuery == r.RawQuery
}

// isWeb reports whether an address is a web address, not one that starts an app.
func isWeb(address string) bool {
	scheme, _, _ := strings.Cut(address, ":")
	return ascii.EqualFold(scheme, "http") || ascii.EqualFold(scheme, "https")
}

// refuse tells the app what is wrong.
func (r *authorization) refuse(c *call, now time.Time, err error) (any, error) {
	f, ok := err.(*failure) //nolint:errorlint // the authority's own, never wrapped
	if !ok {
		return nil, err
	}
	return r.answer(url.Values{
		"error":             {f.kindForApps()},
		"error_description": {f.describe(now, c.traceID, c.correlationID)},
		"error_uri":         {f.uri()},
	}), nil
}

// answer sends parameters to the app through the browser.
func (r *authorization) answer(parameters url.Values) any {
	if r.state != "" {
		parameters.Set("state", r.state)
	}
	if r.mode == modeFormPost {
		return &page{name: "post", action: r.redirect, data: pageData{Title: "Back to the application", Action: r.redirect, Fields: parameters}, script: true}
	}
	to, err := url.Parse(r.redirect)
	if err != nil { // registered, but not an address that a browser could open
		return &page{name: "message", status: http.StatusBadRequest, data: pageData{Title: "The address of the application cannot be used"}}
	}
	if r.mode == modeFragment {
		return redirect(strings.TrimSuffix(r.redirect, "#") + "#" + parameters.Encode())
	}
	query := to.Query()
	for name, values := range parameters {
		query[name] = values
	}
	to.RawQuery = query.Encode()
	return redirect(to.String())
}

// finishCode ends the sign-in of f with an authorization code for the app.
func (a *Authority) finishCode(c *call, f *flow, client *app, t *tenant, user *User) (any, error) {
	r := f.request
	text := "1.pc." + randomID() + randomID()
	a.signIns.mu.Lock()
	a.signIns.codes.addOfUser(string(digest(text)), user.ObjectID, &code{request: r, login: f.login, made: a.instant()})
	a.signIns.mu.Unlock()
	answer := url.Values{"code": {text}}
	if r.hybrid {
		if r.customer != nil {
			t = r.customer
		}
		token, err := a.signID(c.trust, &tokenSpec{
			tenant: t, client: client, subject: &signedIn{user: user, mfa: f.login.mfa}, base: r.base, version: r.version,
		}, r.nonce, text)
		if err != nil {
			return nil, err
		}
		answer.Set("id_token", token)
	}
	return r.answer(answer), nil
}

// redeemCode implements the grant of an authorization code.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token
func (a *Authority) redeemCode(t *tokenRequest) (*issued, error) {
	text := t.form.Get("code")
	if text == "" {
		return nil, missing("code", "Add the code that the authorize endpoint has sent.")
	}
	c, g, err := a.takeCode(t, string(digest(text)))
	if err != nil {
		return nil, err
	}
	got, err := a.beginGrant(t, g, c.login, c.request.nonce)
	if err != nil {
		return nil, err
	}
	a.signIns.mu.Lock()
	replayed := c.replayed
	a.signIns.mu.Unlock()
	if replayed {
		return nil, a.codeReplayed(t, c)
	}
	return got, nil
}

// takeCode finds a code that can be redeemed, and begins the grant for it.
func (a *Authority) takeCode(t *tokenRequest, key string) (*code, *Grant, error) {
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	c, ok := a.signIns.codes.get(key)
	if !ok {
		return nil, nil, fail(codeGrantExpired, "The authorization code is not one of this server's, or expired. Have the user sign in again.")
	}
	if c.grantID != "" {
		c.replayed = true
		return nil, nil, a.codeReplayed(t, c)
	}
	if c.made.isOver(codeLifetime, a.instant()) {
		return nil, nil, fail(codeGrantExpired, "The authorization code expired %s after it was issued. Have the user sign in again, and redeem the code at once.", codeLifetime)
	}
	if err := c.check(t); err != nil {
		return nil, nil, err
	}
	g := a.newGrant(t, c.login.tenantID, c.login.user.ObjectID, c.login.mfa, c.request.signInRequest)
	c.grantID, g.SignedIn = g.ID, c.made.shown
	return c, g, nil
}

// codeReplayed revokes the grant of a code and its access tokens: if it is sent twice, it
// was stolen.
func (a *Authority) codeReplayed(t *tokenRequest, c *code) error {
	if known, _ := a.signIns.stolen.ContainsOrAdd(nameOfGrant(c.grantID), struct{}{}); !known {
		a.distrust()
	}
	_, err := a.revokeGrants(t.r.Context(), "its authorization code was sent twice", func(g *Grant) bool { return g.ID == c.grantID })
	if err != nil {
		return err
	}
	return fail(codeCodeRedeemed, "The authorization code was redeemed already, and what it gave is revoked. Have the user sign in again.")
}

// check compares a request for tokens with the request that the code answers.
func (c *code) check(t *tokenRequest) error {
	r := c.request
	if !ascii.EqualFold(r.clientID, t.client.ID) {
		return fail(codeBadGrant, "The authorization code was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	}
	sameShared := t.tenant == nil && ascii.EqualFold(r.tenant, t.call.tenant)
	if !sameShared && !r.redeemableAt(t.tenant, c.login.tenantID) {
		return fail(codeWrongTenantCode, "The authorization code is that of a user of another tenant than %s. Redeem it at the tenant that the user signed in to.", quote.Text(t.call.tenant))
	}
	switch redirect := t.form.Get("redirect_uri"); {
	case redirect == r.redirect:
	case redirect == "" && (!r.redirectSent || t.version == token.V1 && t.proof != token.ProofNone):
		// In its documented form, the v1 endpoint has none.
	case redirect == "":
		return missing("redirect_uri", "Add the redirect_uri of the authorize request.")
	default:
		return fail(codeReplyMismatch, "The redirect URI %s is not that of the authorize request. Send the same one.", quote.Text(redirect))
	}
	verifier := t.form.Get("code_verifier")
	switch {
	case r.challenge == "" && verifier == "":
		return nil
	case r.challenge == "":
		return fail(codeVerifier, "The request has a code_verifier, but the authorize request had no code_challenge: somebody has taken it out on the way. Have the user sign in again.")
	case verifier == "":
		return fail(codeVerifier, "The authorize request had a code_challenge. Add its code_verifier.")
	}
	made := verifier
	if !r.plain {
		sum := sha256.Sum256([]byte(verifier))
		made = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(made), []byte(strings.TrimRight(r.challenge, "="))) != 1 {
		return fail(codeVerifierMismatch, "The code_verifier is not that of the authorize request's code_challenge. Send the verifier that the challenge was made of.")
	}
	return nil
}

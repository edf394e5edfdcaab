package issuer

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
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
	Version  token.Version
	Tenant   string // as in the path
	Customer string // the id of the path's, if it is a customer's
	ClientID string
	Scope    string
	Resource string

	customer *tenant // Customer, as it is now
}

// readSignInRequest reads a request for a sign-in from its parameters; client is its
// app.
func (a *Authority) readSignInRequest(c *call, parameters url.Values) (q signInRequest, client *app, err error) {
	tenant, err := a.findTenant(c, c.tenant)
	switch {
	case err != nil:
		return q, nil, err
	case parameters.Get("client_id") == "":
		return q, nil, missing("client_id", "Add client_id=<application id>.")
	}
	client, err = findApp(c.trust, tenant, parameters.Get("client_id"))
	if next := a.lookAgainIf(err, c.trust); next != nil {
		c.trust = next
		client, err = findApp(c.trust, tenant, parameters.Get("client_id"))
	}
	if err != nil {
		return q, nil, err
	}
	q = signInRequest{
		Version: c.version, Tenant: c.tenant, ClientID: client.ID,
		Scope: parameters.Get("scope"), Resource: parameters.Get("resource"),
	}
	if tenant != nil && tenant.customer {
		q.Customer, q.customer = tenant.id, tenant
	}
	return q, client, nil
}

// in returns the tenant that the user signs in to, nil for the user's own.
func (q *signInRequest) in(t *trust) *tenant {
	if q.customer != nil {
		return q.customer
	}
	return t.tenant(q.Tenant)
}

// redeemableAt reports whether what the sign-in of a tenant's user gives can be redeemed
// at the endpoint of a tenant.
func (q *signInRequest) redeemableAt(at *tenant, userTenantID string) bool {
	if q.Customer != "" {
		userTenantID = q.Customer
	}
	return at != nil && at.id == userTenantID
}

// accessRequestOf returns the access that is requested.
func (a *Authority) accessRequestOf(t *trust, q *signInRequest) (*accessRequest, error) {
	if q.Version == token.V1 {
		return a.userAccessV1(t, q.Scope, q.Resource)
	}
	return a.userAccess(t, q.Scope, "")
}

// authorization is a valid request to the authorize endpoint.
type authorization struct {
	signInRequest
	Base         string
	Redirect     string
	RedirectSent bool // the redirect was in the request, and must be in the one for tokens
	Mode         string
	Hybrid       bool   // it also asks for an id token at once
	State        []byte // any, also what is no UTF-8
	Nonce        string
	Challenge    string // of PKCE; empty without
	Plain        bool   // the challenge is the verifier itself
	Consent      bool   // ask even if consent was given before
	LoginHint    string // the name of the user expected to sign in
}

// code is an authorization code that was issued. It is kept by its digest.
type code struct {
	Request  *authorization
	Flow     string // the sign-in that it comes from
	Made     instant
	GrantID  string // once redeemed
	Replayed bool   // it was sent again after that
}

// authorize is GET or POST /{tenant}/oauth2/authorize and its v2.0 twin: it starts a
// user's sign-in. Until it is certain that the app may receive the answer, mistakes are
// shown to the user; otherwise a stranger's page could be where this server sends
// people.
// https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
func (a *Authority) authorize(c *call) (any, error) {
	parameters, err := a.readAuthorizeParameters(c)
	if err != nil {
		return nil, err
	}
	get := parameters.Get
	asked, client, err := a.readSignInRequest(c, parameters)
	if err != nil {
		return nil, err
	}
	r := &authorization{
		signInRequest: asked, Base: c.base, Redirect: get("redirect_uri"), RedirectSent: get("redirect_uri") != "",
		State: []byte(get("state")), Nonce: get("nonce"), Challenge: get("code_challenge"), LoginHint: get("login_hint"),
	}
	if r.Redirect, err = client.redirectTo(r.Redirect); err != nil {
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
	return a.beginSignIn(c, &flow{Request: r, Name: r.LoginHint})
}

// readAuthorizeParameters reads the parameters from the query or, for a POST, from the
// form.
func (a *Authority) readAuthorizeParameters(c *call) (url.Values, error) {
	if c.r.Method == http.MethodPost {
		return a.readForm(c)
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
		r.Hybrid = true
	case "":
		r.Mode = modeQuery
		return missing("response_type", "Add response_type=code, or code id_token.")
	default:
		r.Mode = modeFragment
		return fail(codeResponseType, "The response type %s is not supported. Send response_type=code, or code id_token.", quote.Text(get("response_type")))
	}
	r.Mode = modeQuery
	if r.Hybrid {
		r.Mode = modeFragment
	}
	switch mode := ascii.ToLower(get("response_mode")); {
	case mode == "":
	case mode == modeQuery && r.Hybrid:
		return fail(codeResponseMode, "The response mode query is not supported together with an id token, which does not belong in logs. Send response_mode=form_post or fragment.")
	case mode == modeFormPost && !isWeb(r.Redirect):
		return fail(codeResponseMode, "The response mode form_post needs a redirect URI that begins with http or https; a browser posts to no other. Send response_mode=query or fragment.")
	case mode == modeQuery || mode == modeFragment || mode == modeFormPost:
		r.Mode = mode
	default:
		return fail(codeResponseMode, "The response mode %s is not supported. Send query, fragment or form_post.", quote.Text(mode))
	}
	size := 0
	for _, values := range parameters {
		size += len(values[0])
	}
	s, err := parseScopes(r.Scope)
	switch {
	case err != nil:
		return err
	case size > maxRequest:
		r.State = nil
		return fail(codeMalformed, "The parameters have %d bytes, and the limit is %d. Keep what state stands for, and send a short name of it.", size, maxRequest)
	case r.Version == token.V2 && r.Scope == "":
		return missing("scope", "Add scope=<URL of the API>/.default openid offline_access.")
	case r.Hybrid && r.Version == token.V2 && !s.openID:
		return fail(codeResponseType, "The response type id_token needs the scope openid. Add it to scope.")
	case r.Hybrid && r.Nonce == "":
		return missing("nonce", "Add nonce=<random text>, and compare it with the id token's.")
	}
	if r.Consent = ascii.EqualFold(get("prompt"), "consent") || ascii.EqualFold(get("prompt"), "admin_consent"); r.Challenge == "" {
		if get("code_challenge_method") != "" {
			return missing("code_challenge", "Add code_challenge, or leave out code_challenge_method.")
		}
		return nil
	}
	switch method := get("code_challenge_method"); {
	case ascii.EqualFold(method, "plain") || method == "":
		r.Plain = true
	case !ascii.EqualFold(method, "S256"):
		return fail(codeMalformed, "The code_challenge_method %s is not supported. Send S256.", quote.Text(method))
	}
	if n := len(r.Challenge); n < 43 || n > 128 {
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
	if len(r.State) > 0 {
		parameters.Set("state", string(r.State))
	}
	if r.Mode == modeFormPost {
		return &page{name: "post", action: r.Redirect, data: pageData{Title: "Back to the application", Action: r.Redirect, Fields: parameters}, script: true}
	}
	to, err := url.Parse(r.Redirect)
	if err != nil { // registered, but not an address that a browser could open
		return &page{name: "message", status: http.StatusBadRequest, data: pageData{Title: "The address of the application cannot be used"}}
	}
	if r.Mode == modeFragment {
		return redirect(strings.TrimSuffix(r.Redirect, "#") + "#" + parameters.Encode())
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
	r := f.Request
	text := "1.pc." + randomID() + randomID()
	record := &Record{Kind: kindCode, ID: codeID(text), Owner: user.ObjectID, Proved: true}
	made := a.instant()
	record.lives(made, signInKept)
	if _, err := a.remember(c.r.Context(), record, &code{Request: r, Flow: f.id, Made: made}); err != nil {
		return nil, err
	}
	answer := url.Values{"code": {text}}
	if r.Hybrid {
		if r.customer != nil {
			t = r.customer
		}
		token, err := a.signID(c.trust, &tokenSpec{
			tenant: t, client: client, subject: &signedIn{user: user, mfa: f.Login.MFA}, base: r.Base, version: r.Version,
		}, r.Nonce, text)
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
	c, l, g, err := a.takeCode(t, codeID(text))
	if err != nil {
		return nil, err
	}
	got, err := a.beginGrant(t, g, l, c.Request.Nonce)
	if err != nil {
		return nil, err
	}
	// Who sends it again meanwhile says so before looking for the grant.
	if _, c, err = recall[code](t.r.Context(), a, kindCode, codeID(text)); err != nil {
		return nil, err
	}
	if c == nil || c.Replayed {
		return nil, a.codeReplayed(t, codeID(text))
	}
	return got, nil
}

// codeID returns what a code is kept by.
func codeID(text string) string { return hex.EncodeToString(digest(text)) }

// takeCode finds a code that can be redeemed, and begins the grant for it.
func (a *Authority) takeCode(t *tokenRequest, id string) (*code, *login, *Grant, error) {
	r, c, err := recall[code](t.r.Context(), a, kindCode, id)
	switch {
	case err != nil:
		return nil, nil, nil, err
	case c == nil:
		return nil, nil, nil, fail(codeGrantExpired, "The authorization code is not one of this server's, or expired. Have the user sign in again.")
	case c.GrantID != "":
		return nil, nil, nil, a.codeReplayed(t, id)
	case c.Made.isOver(codeLifetime, a.instant()):
		return nil, nil, nil, fail(codeGrantExpired, "The authorization code expired %s after it was issued. Have the user sign in again, and redeem the code at once.", codeLifetime)
	}
	l, err := a.loginOf(t.r.Context(), c.Flow)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := c.check(t, l); err != nil {
		return nil, nil, nil, err
	}
	g := a.newGrant(t, l.TenantID, l.UserID, l.MFA, c.Request.signInRequest)
	c.GrantID, g.SignedIn = g.ID, c.Made.Shown
	ok, err := a.remember(t.r.Context(), r, c)
	if err == nil && !ok { // another request was first
		err = a.codeReplayed(t, id)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return c, l, g, nil
}

// codeReplayed revokes the grant of a code and its access tokens: if it is sent twice, it
// was stolen.
func (a *Authority) codeReplayed(t *tokenRequest, id string) error {
	ctx := t.r.Context()
	for {
		r, c, err := recall[code](ctx, a, kindCode, id)
		if err != nil {
			return err
		}
		if c == nil {
			break // there were too many others since
		}
		if !c.Replayed {
			c.Replayed = true
			ok, err := a.remember(ctx, r, c)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		stolen := &Record{Kind: KindStolen, ID: nameOfGrant(c.GrantID), Owner: r.Owner, Proved: true}
		stolen.lives(a.instant(), RefreshLifetime)
		if _, err := a.remember(ctx, stolen, struct{}{}); err != nil {
			return err
		}
		if _, err := a.revokeGrant(ctx, c.GrantID, "its authorization code was sent twice"); err != nil {
			return err
		}
		break
	}
	return fail(codeCodeRedeemed, "The authorization code was redeemed already, and what it gave is revoked. Have the user sign in again.")
}

// check compares a request for tokens with the request that the code answers.
func (c *code) check(t *tokenRequest, l *login) error {
	r := c.Request
	if !ascii.EqualFold(r.ClientID, t.client.ID) {
		return fail(codeBadGrant, "The authorization code was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	}
	sameShared := t.tenant == nil && ascii.EqualFold(r.Tenant, t.call.tenant)
	if !sameShared && !r.redeemableAt(t.tenant, l.TenantID) {
		return fail(codeWrongTenantCode, "The authorization code is that of a user of another tenant than %s. Redeem it at the tenant that the user signed in to.", quote.Text(t.call.tenant))
	}
	switch redirect := t.form.Get("redirect_uri"); {
	case redirect == r.Redirect:
	case redirect == "" && (!r.RedirectSent || t.version == token.V1 && t.proof != token.ProofNone):
		// In its documented form, the v1 endpoint has none.
	case redirect == "":
		return missing("redirect_uri", "Add the redirect_uri of the authorize request.")
	default:
		return fail(codeReplyMismatch, "The redirect URI %s is not that of the authorize request. Send the same one.", quote.Text(redirect))
	}
	verifier := t.form.Get("code_verifier")
	switch {
	case r.Challenge == "" && verifier == "":
		return nil
	case r.Challenge == "":
		return fail(codeVerifier, "The request has a code_verifier, but the authorize request had no code_challenge: somebody has taken it out on the way. Have the user sign in again.")
	case verifier == "":
		return fail(codeVerifier, "The authorize request had a code_challenge. Add its code_verifier.")
	}
	made := verifier
	if !r.Plain {
		sum := sha256.Sum256([]byte(verifier))
		made = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(made), []byte(strings.TrimRight(r.Challenge, "="))) != 1 {
		return fail(codeVerifierMismatch, "The code_verifier is not that of the authorize request's code_challenge. Send the verifier that the challenge was made of.")
	}
	return nil
}

package issuer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"
)

// RefreshLifetime is how long a refresh token is good when it is not used, as at
// Microsoft.
const RefreshLifetime = 90 * 24 * time.Hour

// Grant is what a user's sign-in gave an app: the family of refresh tokens that
// follow one another. Of them only the last one is good.
type Grant struct {
	ID       string    `json:"id"`
	TenantID string    `json:"tenantId"` // of the user
	ClientID string    `json:"clientId"`
	UserID   string    `json:"userId"` // object id
	MFA      bool      `json:"mfa"`
	Resource string    `json:"resource"` // what was asked for first
	Scope    string    `json:"scope"`    // likewise
	SignedIn time.Time `json:"signedIn"`
	Renewed  time.Time `json:"renewed"` // when the last refresh token was issued
	Current  []byte    `json:"current"` // digest of the last refresh token
	// Revoked says why no refresh token of the family is good any more. Empty
	// while one is.
	Revoked string `json:"revoked,omitempty"`
}

// Expires is when the last refresh token ends unless it is used.
func (g *Grant) Expires() time.Time { return g.Renewed.Add(RefreshLifetime) }

// grants are the families of refresh tokens.
type grants struct {
	save func(context.Context, Grant) error

	mu       sync.Mutex // guards the map, and is held while a grant is saved
	families map[string]*Grant
}

func newGrants(known []Grant, save func(context.Context, Grant) error) *grants {
	g := &grants{save: save, families: make(map[string]*Grant, len(known))}
	for _, grant := range known {
		g.families[grant.ID] = &grant
	}
	return g
}

// newGrant begins a family. It is kept from its first refresh token on.
func (a *Authority) newGrant(t *tenant, client *app, s *signedIn, w *wish, scope string) *Grant {
	return &Grant{
		ID: randomID(), TenantID: t.id, ClientID: strings.ToLower(client.ID), UserID: s.user.ObjectID, MFA: s.mfa,
		Resource: w.resource, Scope: scope, SignedIn: a.now(),
	}
}

// renew issues the next refresh token of a family.
func (gs *grants) renew(ctx context.Context, g *Grant, now time.Time) (string, error) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return gs.renewLocked(ctx, g, now)
}

func (gs *grants) renewLocked(ctx context.Context, g *Grant, now time.Time) (string, error) {
	next := *g
	token := refreshPrefix + g.ID + "." + randomID() + randomID()
	next.Current, next.Renewed = digest(token), now
	if err := gs.keep(ctx, next); err != nil {
		return "", err
	}
	*g = next
	gs.prune(now)
	return token, nil
}

// keep saves a grant and remembers it.
func (gs *grants) keep(ctx context.Context, g Grant) error {
	if gs.save != nil {
		// Whoever hangs up now would otherwise leave it open which refresh token
		// is the last.
		if err := gs.save(context.WithoutCancel(ctx), g); err != nil {
			return err
		}
	}
	gs.families[g.ID] = &g
	return nil
}

// prune forgets some families that are over: as many as come, go.
func (gs *grants) prune(now time.Time) {
	looked := 0
	for id, g := range gs.families {
		if now.After(g.Expires()) {
			delete(gs.families, id)
		}
		if looked++; looked == 4 {
			return
		}
	}
}

// refreshPrefix begins refresh tokens, so that people and scanners know them.
const refreshPrefix = "1.pc."

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// redeem finds the family that a refresh token is the last of, and calls use with
// it. A token that was redeemed before has been stolen, or its successor was: the
// family ends.
func (gs *grants) redeem(ctx context.Context, token string, now time.Time, use func(*Grant) error) error {
	id, _, ok := strings.Cut(strings.TrimPrefix(token, refreshPrefix), ".")
	gs.mu.Lock()
	defer gs.mu.Unlock()
	g := gs.families[id]
	if !ok || g == nil {
		return fail(codeBadGrant, "The refresh token is not one of this server's, or its life ended long ago. Have the user sign in again.")
	}
	switch {
	case g.Revoked != "":
		return revokedGrant(g)
	case !now.Before(g.Expires()):
		return fail(codeRefreshExpired, "The refresh token expired: it was issued at %s and not used for 90 days. Have the user sign in again.", g.Renewed.UTC().Format(time.RFC3339))
	case subtle.ConstantTimeCompare(digest(token), g.Current) != 1:
		revoked := *g
		revoked.Revoked = "a refresh token that had been redeemed already was sent again"
		if err := gs.keep(ctx, revoked); err != nil {
			return err
		}
		return revokedGrant(&revoked)
	}
	return use(g)
}

func revokedGrant(g *Grant) error {
	return fail(codeGrantRevoked, "The refresh token is revoked: %s. Have the user sign in again.", g.Revoked)
}

// revoke ends the families that match, and returns how many they were.
func (gs *grants) revoke(ctx context.Context, reason string, match func(*Grant) bool) (n int, err error) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	for _, g := range gs.families {
		if g.Revoked != "" || !match(g) {
			continue
		}
		revoked := *g
		revoked.Revoked = reason
		if err := gs.keep(ctx, revoked); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// list returns the families whose last token has not expired, the latest sign-in
// first.
func (gs *grants) list(now time.Time) []Grant {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	var list []Grant
	for _, g := range gs.families {
		if now.Before(g.Expires()) {
			list = append(list, *g)
		}
	}
	slices.SortFunc(list, func(a, b Grant) int {
		return cmp.Or(b.SignedIn.Compare(a.SignedIn), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Grants returns what users' sign-ins gave apps and has not expired, the latest
// sign-in first.
func (a *Authority) Grants() []Grant { return a.grants.list(a.now()) }

// RevokeGrants ends the grants that match and have not ended, and returns how
// many they were. Apps are told the reason, half a sentence, when they next use a
// refresh token. Access tokens stay good until they expire, as at Microsoft.
func (a *Authority) RevokeGrants(ctx context.Context, reason string, match func(*Grant) bool) (int, error) {
	return a.grants.revoke(ctx, reason, match)
}

func (gs *grants) forget() {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	clear(gs.families)
}

// refresh is the refresh token's grant: tokens for a user who signed in before,
// and the next refresh token.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
func (a *Authority) refresh(t *tokenCall) (got *issued, err error) {
	token := t.form.Get("refresh_token")
	if token == "" {
		return nil, missing("refresh_token", "Add the refresh_token of the last answer.")
	}
	err = a.grants.redeem(t.r.Context(), token, a.now(), func(g *Grant) error {
		got, err = a.continueGrant(t, g)
		return err
	})
	return got, err
}

// continueGrant answers a refresh token that is good. The caller holds the lock
// of the grants.
func (a *Authority) continueGrant(t *tokenCall, g *Grant) (*issued, error) {
	if !strings.EqualFold(g.ClientID, t.client.ID) {
		return nil, fail(codeBadGrant, "The refresh token was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	}
	tenant := t.trust.tenant(g.TenantID)
	if tenant == nil {
		return nil, unknownTenant(g.TenantID)
	}
	if t.customer == "" && t.tenant != nil && t.tenant != tenant {
		return nil, fail(codeWrongTenantUser, "The refresh token is that of a user of tenant %s, who does not exist in tenant %s. Put the user's tenant in the URL.", tenant.id, t.tenant.id)
	}
	user := tenant.userByID(g.UserID)
	if user == nil {
		return nil, fail(codeGrantRevoked, "The user of the refresh token is not there any more. Have another user sign in.")
	}
	w, err := a.wish(t, g)
	if err != nil {
		return nil, err
	}
	s := &signedIn{user: user, mfa: g.MFA}
	var got *issued
	if t.customer != "" {
		got, err = a.customerToken(t, tenant, s, w)
	} else {
		got, err = a.userTokens(t, tenant, s, w, nil, "")
	}
	if err != nil {
		return nil, err
	}
	got.RefreshToken, err = a.grants.renewLocked(t.r.Context(), g, a.now())
	return got, err
}

// customerToken gives an app of a partner, or of a control panel vendor, a token
// for a customer's tenant, on behalf of the partner's user. The customer's
// consent comes from the API: see [Authority.PutConsent].
// https://learn.microsoft.com/partner-center/developer/enable-secure-app-model
func (a *Authority) customerToken(t *tokenCall, partner *tenant, s *signedIn, w *wish) (*issued, error) {
	may, err := a.administers(t.r.Context(), partner.id, t.customer)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, unknownTenant(t.customer)
	}
	if s.user.Disabled {
		return nil, disabledUser(s.user)
	}
	if err := a.strikeUser(t.call, t.form.Get("grant_type"), partner, t.client.ID, s.user); err != nil {
		return nil, err
	}
	if !a.consents.has(party{tenantID: t.customer, clientID: strings.ToLower(t.client.ID)}, w.key()) {
		return nil, fail(codeNotPreconsented, "Application %s has not been authorized to use %s in tenant %s. Consent for the customer with POST /v1/customers/%s/applicationconsents.", t.client.ID, quote(w.resource), t.customer, t.customer)
	}
	token, err := a.sign(t.trust, &order{
		tenant: &tenant{id: t.customer}, client: t.client, proof: t.proof, subject: s,
		resource: w.resource, scope: w.scope, base: t.base, version: t.version,
		distortion: a.distort(t.call, partner, t.client, s),
	})
	if err != nil {
		return nil, err
	}
	return &issued{token: token, resource: w.resource, scope: t.scopeAnswer(w)}, nil
}

// Consent says which APIs an app may use for a user or, without a user, for
// everybody of a tenant.
type Consent struct {
	TenantID, ClientID string
	UserID             string   // object id
	Resources          []string // in the form in which resources are compared
}

// party is who has consented to which app.
type party struct{ tenantID, clientID, userID string }

// consents are what users have consented to.
type consents struct {
	save func(context.Context, Consent) error

	mu    sync.Mutex // guards given, and is held while a consent is saved
	given map[party][]string
}

func newConsents(known []Consent, save func(context.Context, Consent) error) *consents {
	c := &consents{save: save, given: make(map[party][]string, len(known))}
	for _, consent := range known {
		p := party{strings.ToLower(consent.TenantID), strings.ToLower(consent.ClientID), consent.UserID}
		c.given[p] = append(c.given[p], consent.Resources...)
	}
	return c
}

// has reports whether a user, or somebody for the whole tenant, has consented
// that an app uses a resource.
func (c *consents) has(p party, resource string) bool {
	everybody := p
	everybody.userID = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.given[p], resource) || slices.Contains(c.given[everybody], resource)
}

func (c *consents) add(ctx context.Context, p party, resource string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.given[p], resource) {
		return nil
	}
	return c.put(ctx, p, append(slices.Clone(c.given[p]), resource))
}

// put replaces a consent; one to no resources is gone. The caller holds the lock.
func (c *consents) put(ctx context.Context, p party, resources []string) error {
	if c.save != nil {
		if err := c.save(ctx, Consent{TenantID: p.tenantID, ClientID: p.clientID, UserID: p.userID, Resources: resources}); err != nil {
			return err
		}
	}
	if len(resources) == 0 {
		delete(c.given, p)
		return nil
	}
	c.given[p] = resources
	return nil
}

// list returns the consents that match, ordered by tenant, app and user.
func (c *consents) list(match func(Consent) bool) []Consent {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Consent
	for p, resources := range c.given {
		consent := Consent{TenantID: p.tenantID, ClientID: p.clientID, UserID: p.userID, Resources: slices.Clone(resources)}
		if match(consent) {
			list = append(list, consent)
		}
	}
	slices.SortFunc(list, func(a, b Consent) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.UserID, b.UserID))
	})
	return list
}

// Consents returns the consents that match, ordered by tenant, app and user.
func (a *Authority) Consents(match func(Consent) bool) []Consent { return a.consents.list(match) }

// PutConsent makes a consent as if it had been asked for, in place of an earlier
// one of the same user, or of the same tenant as a whole, to the same app. One to
// no resources takes it back.
func (a *Authority) PutConsent(ctx context.Context, c Consent) error {
	resources := make([]string, 0, len(c.Resources))
	for _, r := range c.Resources {
		resources = append(resources, resourceKey(r))
	}
	a.consents.mu.Lock()
	defer a.consents.mu.Unlock()
	return a.consents.put(ctx, party{strings.ToLower(c.TenantID), strings.ToLower(c.ClientID), c.UserID}, resources)
}

func (c *consents) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.given)
}

// mayUse reports whether the client may use the API of w for the user. An app
// needs no consent for its own.
func (a *Authority) mayUse(client *app, t *tenant, user *User, w *wish) bool {
	if w.app != nil && strings.EqualFold(w.app.ID, client.ID) {
		return true
	}
	return client.AdminConsent && client.home == t || a.consents.has(partyOf(client, t, user), w.key())
}

func partyOf(client *app, t *tenant, user *User) party {
	return party{tenantID: t.id, clientID: strings.ToLower(client.ID), userID: user.ObjectID}
}

// onBehalfOf is the grant of a service that was called with a user's token and
// calls another one for that user.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
func (a *Authority) onBehalfOf(t *tokenCall) (*issued, error) {
	assertion := t.form.Get("assertion")
	switch {
	case assertion == "":
		return nil, missing("assertion", "Add the access token that the user's client has sent to this application.")
	case t.form.Get("requested_token_use") != "on_behalf_of":
		return nil, missing("requested_token_use", "Add requested_token_use=on_behalf_of.")
	case t.proof == proofNone:
		return nil, fail(codeNotPublic, "Application %s acts for users of others, so the request must contain 'client_assertion' or 'client_secret'. Add one of the two.", t.client.ID)
	case len(assertion) > maxToken:
		return nil, fail(codeBadAssertion, "The assertion has %d bytes, and the limit is %d. Send the access token as it came.", len(assertion), maxToken)
	}
	claims, err := verify(assertion, t.trust, func(audience string) bool {
		audience = strings.ToLower(audience)
		return strings.TrimPrefix(audience, appScheme) == strings.ToLower(t.client.ID)
	})
	if err == nil {
		err = checkTime(claims, a.now(), a.leeway)
	}
	if refused, ok := err.(*VerifyError); ok { //nolint:errorlint // verify returns no other
		switch refused.Reason {
		case ReasonIDToken:
			return nil, fail(codeIDTokenAssertion, "The assertion is an id token. Send the access token that the user's client has sent to this application.")
		case ReasonAudience:
			return nil, fail(codeAssertionForOther, "The assertion is not meant for application %s: %s. Have the user's client ask for a token for this application, such as scope=%s%s/.default.", t.client.ID, refused.Detail, appScheme, t.client.ID)
		case ReasonExpired, ReasonNotYetValid:
			return nil, fail(codeAssertionExpired, "The assertion is not within its life: %s. Have the user's client get a new token, and compare the clocks.", refused.Detail)
		}
		return nil, fail(codeBadAssertion, "The assertion is refused: %s. Send the access token that the user's client has sent to this application, as it came.", refused.Detail)
	}
	if !claims.HasUser() {
		return nil, fail(codeNoOnBehalfOf, "The assertion is an app's own token, which is on behalf of no user. Send a token that a user has signed in for.")
	}
	tenant := t.trust.tenant(claims.TenantID)
	if t.tenant != nil && t.tenant != tenant {
		return nil, fail(codeWrongTenantUser, "The assertion is that of a user of tenant %s, who does not exist in tenant %s. Put the user's tenant in the URL.", tenant.id, t.tenant.id)
	}
	w, err := a.wish(t, &Grant{})
	if err != nil {
		return nil, err
	}
	s := &signedIn{user: tenant.user(claims.User), mfa: claims.MFA}
	return a.userTokens(t, tenant, s, w, a.newGrant(tenant, t.client, s, w, t.form.Get("scope")), "")
}

// clientInfo is how MSAL learns the name of an account.
func clientInfo(user *User, t *tenant) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"` + user.ObjectID + `","utid":"` + t.id + `"}`))
}

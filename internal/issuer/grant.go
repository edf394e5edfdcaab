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

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// RefreshLifetime is how long an unused refresh token is valid, as at Microsoft.
const RefreshLifetime = 90 * 24 * time.Hour

// Grant is the result of a user's sign-in to an app: a family of refresh tokens, each
// the successor of another. Only the last one is valid.
type Grant struct {
	ID       string    `json:"id"`
	TenantID string    `json:"tenantId"` // of the user
	ClientID string    `json:"clientId"`
	UserID   string    `json:"userId"` // object id
	MFA      bool      `json:"mfa"`
	Resource string    `json:"resource"` // as first requested
	Scope    string    `json:"scope"`    // likewise
	SignedIn time.Time `json:"signedIn"`
	Renewed  time.Time `json:"renewed"` // when the last refresh token was issued
	System   time.Time `json:"system"`  // likewise, by the system's clock
	Current  []byte    `json:"current"` // digest of the last refresh token
	// Revoked says why the family's refresh tokens are no longer valid. Empty while one
	// is.
	Revoked string `json:"revoked,omitempty"`
}

// Expires is when the last refresh token expires unless it is used.
func (g *Grant) Expires() time.Time { return g.Renewed.Add(RefreshLifetime) }

// KeepUntil is until when a family is to be kept, by the clock that people set and by the
// system's: one that is over may be right again once the first is set.
func (g *Grant) KeepUntil() time.Time {
	if g.System.After(g.Renewed) {
		return g.System.Add(RefreshLifetime)
	}
	return g.Expires()
}

// renewed is when the last refresh token was issued, and its life of [RefreshLifetime]
// began.
func (g *Grant) renewed() instant { return instant{shown: g.Renewed, system: g.System} }

// nameOfGrant returns the name that access tokens have of the grant with an id, empty for
// none. It is not the id, with which anybody could have the family revoked by sending a
// refresh token that is made up.
func nameOfGrant(id string) string {
	if id == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(digest("grant " + id)[:16])
}

// grants are the families of refresh tokens.
type grants struct {
	save func(context.Context, Grant) error

	mu       sync.Mutex // guards the map, and is held while a grant is saved
	families map[string]*Grant
}

// newGrants returns the known families. Older versions stored no time by the system's
// clock; those count from now.
func newGrants(known []Grant, save func(context.Context, Grant) error, system time.Time) *grants {
	g := &grants{save: save, families: make(map[string]*Grant, len(known))}
	for _, grant := range known {
		if grant.System.IsZero() {
			grant.System = system
		}
		g.families[grant.ID] = &grant
	}
	return g
}

// newGrant begins a family for the app of t and a user who signed in for q. It is
// stored with its first refresh token.
func (a *Authority) newGrant(t *tokenRequest, tenantID, userID string, mfa bool, q signInRequest) *Grant {
	return &Grant{
		ID: randomID(), TenantID: tenantID, ClientID: ascii.ToLower(t.client.ID), UserID: userID, MFA: mfa,
		Resource: q.resource, Scope: q.scope, SignedIn: a.now(),
	}
}

// beginGrant issues the first tokens of a family, which begins with a login unless the
// request itself shows who the user is.
func (a *Authority) beginGrant(t *tokenRequest, g *Grant, l *login, nonce string) (*issued, error) {
	tenant, user, err := t.trust.userOf(g.TenantID, g.UserID)
	if err != nil {
		return nil, err
	}
	if l != nil {
		if err := l.check(user); err != nil {
			return nil, err
		}
	}
	want, err := a.accessRequest(t, g)
	if err != nil {
		return nil, err
	}
	g.Resource = want.resource
	got, err := a.userTokens(t, tenant, &signedIn{user: user, mfa: g.MFA, grantID: g.ID}, want, nonce)
	if err != nil || !want.offline {
		return got, err
	}
	a.grants.mu.Lock()
	defer a.grants.mu.Unlock()
	if l != nil && l.revoked.Load() != nil { // before the family could be
		return nil, revokedLogin(*l.revoked.Load())
	}
	got.RefreshToken, err = a.grants.renew(t.r.Context(), g, a.instant())
	return got, err
}

// userOf finds a user who signed in, and may have been removed since.
func (d *directory) userOf(tenantID, userID string) (*tenant, *User, error) {
	tenant := d.tenant(tenantID)
	if tenant == nil {
		return nil, nil, unknownTenant(tenantID)
	}
	user := tenant.userByID(userID)
	if user == nil {
		return nil, nil, fail(codeGrantRevoked, "The user who signed in is not there any more. Have another user sign in.")
	}
	return tenant, user, nil
}

// renew issues the next refresh token of a family. The caller holds the lock.
func (gs *grants) renew(ctx context.Context, g *Grant, now instant) (string, error) {
	next := *g
	token := refreshPrefix + g.ID + "." + randomID() + randomID()
	next.Current, next.Renewed, next.System = digest(token), now.shown, now.system
	if err := gs.keep(ctx, next); err != nil {
		return "", err
	}
	*g = next
	gs.prune(now)
	return token, nil
}

// keep saves and remembers a grant.
func (gs *grants) keep(ctx context.Context, g Grant) error {
	if gs.save != nil {
		// Otherwise a client that hangs up now would leave it open which refresh token
		// is the last.
		if err := gs.save(context.WithoutCancel(ctx), g); err != nil {
			return err
		}
	}
	gs.families[g.ID] = &g
	return nil
}

// prune forgets some families that have ended, by both clocks because one may be set back:
// as many as are added.
func (gs *grants) prune(now instant) {
	looked := 0
	for id, g := range gs.families {
		if g.renewed().isOverByBoth(RefreshLifetime, now) {
			delete(gs.families, id)
		}
		if looked++; looked == 4 {
			return
		}
	}
}

// refreshPrefix marks refresh tokens, for people and scanners.
const refreshPrefix = "1.pc."

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// redeem finds the family whose last refresh token this is, and calls use with it. If
// the token was redeemed before, it or its successor was stolen: the family is revoked.
func (gs *grants) redeem(ctx context.Context, token string, now instant, use func(*Grant) error) error {
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
	case g.renewed().isOver(RefreshLifetime, now):
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

// RevokeGrants revokes the matching grants, and returns how many it revoked. Apps are
// told the reason, a clause, when they next use a refresh token. Sign-ins that would
// become such a grant end, too. Access tokens stay valid until they expire, as at
// Microsoft.
func (a *Authority) RevokeGrants(ctx context.Context, reason string, match func(*Grant) bool) (n int, err error) {
	a.signIns.revoke(reason, match)
	return a.revokeGrants(ctx, reason, match)
}

// revokeGrants is RevokeGrants for families alone.
func (a *Authority) revokeGrants(ctx context.Context, reason string, match func(*Grant) bool) (n int, err error) {
	a.grants.mu.Lock()
	defer a.grants.mu.Unlock()
	for _, g := range a.grants.families {
		if g.Revoked != "" || !match(g) {
			continue
		}
		revoked := *g
		revoked.Revoked = reason
		if err := a.grants.keep(ctx, revoked); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Grants returns the grants that have not expired, latest sign-in first.
func (a *Authority) Grants() []Grant {
	a.grants.mu.Lock()
	defer a.grants.mu.Unlock()
	now := a.instant()
	var list []Grant
	for _, g := range a.grants.families {
		if !g.renewed().isOver(RefreshLifetime, now) {
			list = append(list, *g)
		}
	}
	slices.SortFunc(list, func(a, b Grant) int {
		return cmp.Or(b.SignedIn.Compare(a.SignedIn), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (gs *grants) forget() {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	clear(gs.families)
}

// refresh implements the grant of a refresh token: tokens for a user who signed in
// before, and the next refresh token.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
func (a *Authority) refresh(t *tokenRequest) (got *issued, err error) {
	token := t.form.Get("refresh_token")
	if token == "" {
		return nil, missing("refresh_token", "Add the refresh_token of the last answer.")
	}
	err = a.grants.redeem(t.r.Context(), token, a.instant(), func(g *Grant) error {
		got, err = a.continueGrant(t, g)
		return err
	})
	return got, err
}

// continueGrant answers a valid refresh token. The caller holds the lock of the grants.
func (a *Authority) continueGrant(t *tokenRequest, g *Grant) (*issued, error) {
	if !ascii.EqualFold(g.ClientID, t.client.ID) {
		return nil, fail(codeBadGrant, "The refresh token was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	}
	tenant, user, err := t.trust.userOf(g.TenantID, g.UserID)
	if err != nil {
		return nil, err
	}
	want, err := a.accessRequest(t, g)
	if err != nil {
		return nil, err
	}
	got, err := a.userTokens(t, tenant, &signedIn{user: user, mfa: g.MFA, grantID: g.ID}, want, "")
	if err != nil {
		return nil, err
	}
	got.RefreshToken, err = a.grants.renew(t.r.Context(), g, a.instant())
	return got, err
}

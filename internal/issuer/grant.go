package issuer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
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
	// System is likewise, by the system's clock. Older versions stored none; those families
	// count from now.
	System  time.Time `json:"system"`
	Current []byte    `json:"current"` // digest of the last refresh token
	// Revoked says why the family's refresh tokens are no longer valid. Empty while one
	// is.
	Revoked string `json:"revoked,omitempty"`
}

// Expires is when the last refresh token expires unless it is used.
func (g *Grant) Expires() time.Time { return g.Renewed.Add(RefreshLifetime) }

// renewed is when the last refresh token was issued, and its life of [RefreshLifetime]
// began.
func (g *Grant) renewed() instant { return instant{Shown: g.Renewed, System: g.System} }

// nameOfGrant returns the name that access tokens have of the grant with an id, empty for
// none. It is not the id, with which anybody could have the family revoked by sending a
// refresh token that is made up.
func nameOfGrant(id string) string {
	if id == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(digest("grant " + id)[:16])
}

// newGrant begins a family for the app of t and a user who signed in for q. It is
// stored with its first refresh token.
func (a *Authority) newGrant(t *tokenRequest, tenantID, userID string, mfa bool, q signInRequest) *Grant {
	return &Grant{
		ID: randomID(), TenantID: tenantID, ClientID: ascii.ToLower(t.client.ID), UserID: userID, MFA: mfa,
		Resource: q.Resource, Scope: q.Scope, SignedIn: a.now(),
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
	r := &Record{Kind: kindGrant, ID: g.ID, Proved: true}
	if got.RefreshToken, _, err = a.renew(t.r.Context(), r, g); err != nil || l == nil {
		return got, err
	}
	// Whatever has ended the login since did not find the family if it was earlier.
	if err := a.recheck(t.r.Context(), l); err != nil {
		_, revokeErr := a.revokeGrant(t.r.Context(), g.ID, "the sign-in that it comes from was revoked")
		return nil, cmp.Or(revokeErr, err)
	}
	return got, nil
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

// renew issues the next refresh token of a family, unless another request has changed the
// family since it was read.
func (a *Authority) renew(ctx context.Context, r *Record, g *Grant) (token string, ok bool, err error) {
	now := a.instant()
	token = refreshPrefix + g.ID + "." + randomID() + randomID()
	g.Current, g.Renewed, g.System = digest(token), now.Shown, now.System
	ok, err = a.keepGrant(ctx, r, g)
	return token, ok, err
}

// keepGrant stores a family.
func (a *Authority) keepGrant(ctx context.Context, r *Record, g *Grant) (ok bool, err error) {
	r.lives(g.renewed(), RefreshLifetime)
	return a.remember(ctx, r, g)
}

// refreshPrefix marks refresh tokens, for people and scanners.
const refreshPrefix = "1.pc."

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// findGrant returns the family whose last refresh token this is. If the token was redeemed
// before, it or its successor was stolen: the family is revoked.
func (a *Authority) findGrant(ctx context.Context, token string) (*Record, *Grant, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(token, refreshPrefix), ".")
	r, g, err := recall[Grant](ctx, a, kindGrant, id)
	switch {
	case err != nil:
		return nil, nil, err
	case g != nil && g.System.IsZero():
		g.System = a.system()
	}
	switch {
	case g == nil:
		return nil, nil, fail(codeBadGrant, "The refresh token is not one of this server's, or its life ended long ago. Have the user sign in again.")
	case g.Revoked != "":
		return nil, nil, revokedGrant(g)
	case g.renewed().isOver(RefreshLifetime, a.instant()):
		return nil, nil, fail(codeRefreshExpired, "The refresh token expired: it was issued at %s and not used for 90 days. Have the user sign in again.", g.Renewed.UTC().Format(time.RFC3339))
	case subtle.ConstantTimeCompare(digest(token), g.Current) != 1:
		revoked, err := a.revokeGrant(ctx, id, "a refresh token that had been redeemed already was sent again")
		if err == nil {
			err = revokedGrant(revoked)
		}
		return nil, nil, err
	}
	return r, g, nil
}

// revokeGrant revokes a family, if there is one, and returns it. One that is revoked
// already keeps its reason.
func (a *Authority) revokeGrant(ctx context.Context, id, reason string) (*Grant, error) {
	for {
		r, g, err := recall[Grant](ctx, a, kindGrant, id)
		if err != nil || g == nil || g.Revoked != "" {
			return g, err
		}
		g.Revoked = reason
		if ok, err := a.keepGrant(ctx, r, g); ok || err != nil {
			return g, err
		}
		// It was renewed meanwhile.
	}
}

func revokedGrant(g *Grant) error {
	return fail(codeGrantRevoked, "The refresh token is revoked: %s. Have the user sign in again.", g.Revoked)
}

// RevokeGrants revokes the matching grants, and returns how many it revoked. Apps are
// told the reason, a clause, when they next use a refresh token. Sign-ins that would
// become such a grant end, too. Access tokens stay valid until they expire, as at
// Microsoft.
func (a *Authority) RevokeGrants(ctx context.Context, reason string, match func(*Grant) bool) (n int, err error) {
	// Sign-ins first: what becomes of one meanwhile is found below, or looks for this.
	if err := a.revokeLogins(ctx, reason, match); err != nil {
		return 0, err
	}
	records, err := a.keeper.Records(ctx, kindGrant)
	if err != nil {
		return 0, err
	}
	for i := range records {
		g, err := valueOf[Grant](&records[i])
		if err != nil {
			return n, err
		}
		if g.Revoked != "" || !match(g) {
			continue
		}
		revoked, err := a.revokeGrant(ctx, g.ID, reason)
		if err != nil {
			return n, err
		}
		if revoked != nil && revoked.Revoked == reason {
			n++
		}
	}
	return n, nil
}

// Grants returns the grants that have not expired, latest sign-in first.
func (a *Authority) Grants(ctx context.Context) ([]Grant, error) {
	records, err := a.keeper.Records(ctx, kindGrant)
	if err != nil {
		return nil, err
	}
	now := a.instant()
	var list []Grant
	for i := range records {
		g, err := valueOf[Grant](&records[i])
		if err != nil {
			return nil, err
		}
		if g.System.IsZero() {
			g.System = now.System
		}
		if !g.renewed().isOver(RefreshLifetime, now) {
			list = append(list, *g)
		}
	}
	slices.SortFunc(list, func(a, b Grant) int {
		return cmp.Or(b.SignedIn.Compare(a.SignedIn), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// refresh implements the grant of a refresh token: tokens for a user who signed in
// before, and the next refresh token.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
func (a *Authority) refresh(t *tokenRequest) (got *issued, err error) {
	token := t.form.Get("refresh_token")
	if token == "" {
		return nil, missing("refresh_token", "Add the refresh_token of the last answer.")
	}
	for {
		r, g, err := a.findGrant(t.r.Context(), token)
		if err != nil {
			return nil, err
		}
		if got, err = a.continueGrant(t, g); err != nil {
			return nil, err
		}
		var ok bool
		if got.RefreshToken, ok, err = a.renew(t.r.Context(), r, g); ok || err != nil {
			return got, err
		}
		// Another request was first: this token is not the family's last any more.
	}
}

// continueGrant issues the tokens for a valid refresh token, but for the next of those.
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
	return a.userTokens(t, tenant, &signedIn{user: user, mfa: g.MFA, grantID: g.ID}, want, "")
}

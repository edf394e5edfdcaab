package issuer

import (
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Verify checks an access token and returns its claims. An error is a
// [*token.VerifyError], unless what is trusted cannot be read. A token that was verified before costs a map lookup and a look
// at the clock.
func (a *Authority) Verify(text string) (*token.Claims, error) {
	if err := token.CheckSize(text); err != nil {
		return nil, err
	}
	trust, err := a.current()
	if err != nil {
		return nil, err
	}
	claims := a.verified.Recall(text, trust)
	remembered := claims != nil
	if !remembered {
		claims, err = a.verify(text, trust, a.isResource)
		if err != nil && mayBeKnownByNow(err) {
			if next := a.lookAgain(trust); next != nil {
				trust = next
				claims, err = a.verify(text, trust, a.isResource)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if err := token.CheckTime(claims, a.now(), a.leeway); err != nil {
		return nil, err
	}
	if !remembered {
		a.verified.Remember(text, claims, trust)
	}
	return claims, nil
}

// mayBeKnownByNow reports whether another server may have made known what a token is
// refused for.
func mayBeKnownByNow(err error) bool {
	refused, ok := err.(*token.VerifyError) //nolint:errorlint // verify returns no other
	return ok && slices.Contains([]token.Reason{
		token.ReasonUnknownKey, token.ReasonTenant, token.ReasonClient, token.ReasonUser, token.ReasonConsent,
	}, refused.Reason)
}

// verify checks everything but size and time; audience reports which audiences are
// accepted.
func (a *Authority) verify(text string, trust *trust, audience func(string) bool) (*token.Claims, error) {
	parsed, err := token.Parse(text)
	if err != nil {
		return nil, err
	}
	key := trust.key(parsed.KeyID)
	if key == nil {
		return nil, token.Refuse(token.ReasonUnknownKey, "key %s is not one of this server's", quote.Text(parsed.KeyID))
	}
	content, err := parsed.Verify(&key.Private.PublicKey)
	if err != nil {
		return nil, err
	}
	var w tokenPayload
	if err := token.ReadClaims(content, &w); err != nil {
		return nil, err
	}
	if err := w.CheckAccess(); err != nil {
		return nil, err
	}
	if !audience(w.Audience) {
		return nil, token.Refuse(token.ReasonAudience, "its audience is %s", quote.Text(w.Audience))
	}
	user, err := a.checkClaims(&w, trust)
	if err != nil {
		return nil, err
	}
	claims := w.Claims(parsed.KeyID)
	if user != nil {
		// Those that the user has now; the token's are of when it was issued.
		claims.User, claims.Roles = w.User(), user.Roles
	}
	return claims, nil
}

// isResource reports whether an audience is an API that tokens are issued for.
func (a *Authority) isResource(audience string) bool { return a.resources[token.ResourceKey(audience)] }

// checkClaims checks the claims of a token with a valid signature, and returns its user,
// nil for an app's own. It may be old: tenants, clients, users, consents and addresses
// may have changed since.
func (a *Authority) checkClaims(w *tokenPayload, trust *trust) (*User, error) {
	tenant := trust.tenants[w.TenantID]
	if tenant == nil || tenant.id != w.TenantID {
		return nil, token.Refuse(token.ReasonTenant, "tenant %s is not that of a partner here; a customer's does not give access to this API", quote.Text(w.TenantID))
	}
	isOurs := func(base string) bool { return w.Issuer == token.IssuerOf(base, tenant.id, w.Version) }
	if w.Version != token.V1 && w.Version != token.V2 || !slices.ContainsFunc(trust.bases, isOurs) {
		return nil, token.Refuse(token.ReasonIssuer, "version %s of issuer %s is not this server", quote.Text(string(w.Version)), quote.Text(w.Issuer))
	}
	app := trust.appFor(tenant, w.Client())
	if app == nil || app.Disabled {
		return nil, token.Refuse(token.ReasonClient, "client %s is not registered in tenant %s, or disabled", quote.Text(w.Client()), tenant.id)
	}
	var user *User
	if name := w.User(); name != "" {
		// Somebody else may have the name by now.
		if user = tenant.user(name); user == nil || user.Disabled || user.ObjectID != w.ObjectID {
			return nil, token.Refuse(token.ReasonUser, "there is no user %s in tenant %s, or the user is disabled", quote.Text(name), tenant.id)
		}
	}
	if trust.stolen[w.GrantID] {
		return nil, token.Refuse(token.ReasonRevoked, "the authorization code that it was issued for was sent twice")
	}
	if w.GrantID == "" && app.home.is(tenant) {
		return user, nil
	}
	want := &accessRequest{resource: w.Audience}
	if a.resolve(trust, want) != nil || checkConsent(trust, app, tenant, user, want) != nil {
		return nil, token.Refuse(token.ReasonConsent, "nobody in tenant %s has consented, or does any more, that client %s uses %s", tenant.id, app.ID, quote.Text(w.Audience))
	}
	return user, nil
}

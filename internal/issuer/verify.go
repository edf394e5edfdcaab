package issuer

import (
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Verify checks an access token and returns its claims. An error is a
// [*token.VerifyError]. A token that was verified before costs a map lookup and a look
// at the clock.
func (a *Authority) Verify(text string) (*token.Claims, error) {
	if err := token.CheckSize(text); err != nil {
		return nil, err
	}
	trust := a.trust.Load()
	claims := a.verified.Recall(text, trust)
	remembered := claims != nil
	if !remembered {
		var err error
		if claims, err = verify(text, trust, a.isResource); err != nil {
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

// verify checks everything but size and time; audience reports which audiences are
// accepted.
func verify(text string, trust *trust, audience func(string) bool) (*token.Claims, error) {
	parsed, err := token.Parse(text)
	if err != nil {
		return nil, err
	}
	key := trust.key(parsed.KeyID)
	if key == nil {
		return nil, token.Refuse(token.ReasonUnknownKey, "key %s is not one of this server's", quote.Text(parsed.KeyID))
	}
	payload, err := parsed.Verify(&key.Private.PublicKey)
	if err != nil {
		return nil, err
	}
	var w token.Payload
	if err := token.ReadClaims(payload, &w); err != nil {
		return nil, err
	}
	if err := w.CheckAccess(); err != nil {
		return nil, err
	}
	if !audience(w.Audience) {
		return nil, token.Refuse(token.ReasonAudience, "its audience is %s", quote.Text(w.Audience))
	}
	if err := checkClaims(&w, trust); err != nil {
		return nil, err
	}
	claims := w.Claims(parsed.KeyID)
	claims.User, claims.Roles = w.User(), w.Roles
	return claims, nil
}

// isResource reports whether an audience is an API that tokens are issued for.
func (a *Authority) isResource(audience string) bool { return a.resources[token.ResourceKey(audience)] }

// checkClaims checks the claims of a token with a valid signature. It may be old:
// tenants, clients, users and addresses may have changed since.
func checkClaims(w *token.Payload, trust *trust) error {
	tenant := trust.tenants[w.TenantID]
	if tenant == nil || tenant.id != w.TenantID {
		return token.Refuse(token.ReasonTenant, "tenant %s is not that of a partner here; a customer's does not give access to this API", quote.Text(w.TenantID))
	}
	isOurs := func(base string) bool { return w.Issuer == token.IssuerOf(base, tenant.id, w.Version) }
	if w.Version != token.V1 && w.Version != token.V2 || !slices.ContainsFunc(trust.bases, isOurs) {
		return token.Refuse(token.ReasonIssuer, "version %s of issuer %s is not this server", quote.Text(string(w.Version)), quote.Text(w.Issuer))
	}
	if app := trust.appIn(tenant, w.Client()); app == nil || app.Disabled {
		return token.Refuse(token.ReasonClient, "client %s is not registered in tenant %s, or disabled", quote.Text(w.Client()), tenant.id)
	}
	if name := w.User(); name != "" {
		// Somebody else may have the name by now.
		if user := tenant.user(name); user == nil || user.Disabled || user.ObjectID != w.ObjectID {
			return token.Refuse(token.ReasonUser, "there is no user %s in tenant %s, or the user is disabled", quote.Text(name), tenant.id)
		}
	}
	return nil
}

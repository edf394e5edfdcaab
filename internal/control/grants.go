package control

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// scope is whose consents or refresh tokens a control call is about. What is
// empty is anybody's.
type scope struct{ tenantID, clientID, userID string }

func (sc scope) concerns(tenantID, clientID, userID string) bool {
	return (sc.tenantID == "" || strings.EqualFold(sc.tenantID, tenantID)) &&
		(sc.clientID == "" || strings.EqualFold(sc.clientID, clientID)) &&
		(sc.userID == "" || sc.userID == userID)
}

// scopeNames are how a query or a body says a scope.
type scopeNames struct {
	Tenant   string `json:"tenant"`
	ClientID string `json:"clientId"`
	User     string `json:"user"`
}

// findScope finds out who is meant. A tenant may be that of a customer, which is
// known by its id alone.
func findScope(members []member, named scopeNames) (sc scope, err error) {
	sc.tenantID = named.Tenant
	for _, m := range members {
		if m.is(named.Tenant) {
			sc.tenantID = m.partner.TenantID
		}
	}
	if named.ClientID != "" {
		if _, app := findApp(members, named.ClientID); app == nil {
			return sc, refuse("there is no app " + quote.Text(named.ClientID) + "; GET /apps lists them")
		}
		sc.clientID = named.ClientID
	}
	if named.User != "" {
		_, found := findUser(members, named.User)
		if found == nil {
			return sc, refuse("there is no user " + quote.Text(named.User) + "; GET /users lists them")
		}
		sc.userID = found.ObjectID
	}
	return sc, nil
}

// queriedScope reads the scope in the query of a control call.
func (p *Plane) queriedScope(r *http.Request) (members []member, sc scope, err error) {
	query, err := readQuery(r, "tenant", "clientId", "user")
	if err != nil {
		return nil, sc, err
	}
	if members, err = directory(r.Context(), p.config.Store); err != nil {
		return nil, sc, err
	}
	sc, err = findScope(members, scopeNames{query.Get("tenant"), query.Get("clientId"), query.Get("user")})
	return members, sc, err
}

// userName returns the user principal name of an object id, or nothing when the
// user is not there any more.
func userName(members []member, objectID string) string {
	_, user := find(members, func(m *member) []seed.User { return m.users }, func(u seed.User) bool { return u.ObjectID == objectID })
	if user == nil {
		return ""
	}
	return user.UserPrincipalName
}

// appName returns the name of a client id, likewise.
func appName(members []member, clientID string) string {
	if _, app := findApp(members, clientID); app != nil {
		return app.Name
	}
	return ""
}

// Consent is a consent as the control plane shows it.
type Consent struct {
	TenantID  string   `json:"tenantId"`
	ClientID  string   `json:"clientId"`
	App       string   `json:"app,omitempty"`
	User      string   `json:"user,omitempty"`   // absent: everybody of the tenant
	UserID    string   `json:"userId,omitempty"` // likewise
	Resources []string `json:"resources"`
}

// listConsents is GET /consents.
func (p *Plane) listConsents(r *http.Request) (any, error) {
	members, sc, err := p.queriedScope(r)
	if err != nil {
		return nil, err
	}
	list := []Consent{}
	for _, c := range p.consentsOf(sc) {
		list = append(list, Consent{
			TenantID: c.TenantID, ClientID: c.ClientID, App: appName(members, c.ClientID),
			User: userName(members, c.UserID), UserID: c.UserID, Resources: c.Resources,
		})
	}
	return map[string]any{"consents": list}, nil
}

func (p *Plane) consentsOf(sc scope) []issuer.Consent {
	return p.config.Authority.Consents(func(c issuer.Consent) bool { return sc.concerns(c.TenantID, c.ClientID, c.UserID) })
}

// withdrawConsents is DELETE /consents.
func (p *Plane) withdrawConsents(r *http.Request) (any, error) {
	_, sc, err := p.queriedScope(r)
	if err != nil {
		return nil, err
	}
	list := p.consentsOf(sc)
	for _, c := range list {
		c.Resources = nil
		if err := p.config.Authority.PutConsent(r.Context(), c); err != nil {
			return nil, err
		}
	}
	return map[string]int{"withdrawn": len(list)}, nil
}

// Grant is a family of refresh tokens as the control plane shows it: not
// the tokens.
type Grant struct {
	TenantID string    `json:"tenantId"` // of the user
	User     string    `json:"user,omitempty"`
	UserID   string    `json:"userId"`
	ClientID string    `json:"clientId"`
	App      string    `json:"app,omitempty"`
	MFA      bool      `json:"mfa"`
	Resource string    `json:"resource,omitempty"` // asked for first
	Scope    string    `json:"scope,omitempty"`    // likewise
	SignedIn time.Time `json:"signedIn"`
	Renewed  time.Time `json:"renewed"` // when the last refresh token was issued
	Expires  time.Time `json:"expires"` // unless it is used before
	Revoked  string    `json:"revoked,omitempty"`
}

// listGrants is GET /grants.
func (p *Plane) listGrants(r *http.Request) (any, error) {
	members, sc, err := p.queriedScope(r)
	if err != nil {
		return nil, err
	}
	list := []Grant{}
	for _, g := range p.config.Authority.Grants() {
		if !sc.concerns(g.TenantID, g.ClientID, g.UserID) {
			continue
		}
		list = append(list, Grant{
			TenantID: g.TenantID, User: userName(members, g.UserID), UserID: g.UserID,
			ClientID: g.ClientID, App: appName(members, g.ClientID), MFA: g.MFA, Resource: g.Resource, Scope: g.Scope,
			SignedIn: g.SignedIn.UTC(), Renewed: g.Renewed.UTC(), Expires: g.Expires().UTC(), Revoked: g.Revoked,
		})
	}
	return map[string]any{"grants": list}, nil
}

// revokeGrantsCall is POST /grants/revoke.
func (p *Plane) revokeGrantsCall(r *http.Request) (any, error) {
	const example = `{"user": "name@domain"}, {"clientId": "…"}, {"tenant": "…"} or {"all": true}`
	var body struct {
		scopeNames
		All bool `json:"all"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if some := body.Tenant+body.ClientID+body.User != ""; some == body.All {
		return nil, refuse("the body does not say whose refresh tokens to revoke; send " + example)
	}
	members, err := directory(r.Context(), p.config.Store)
	if err != nil {
		return nil, err
	}
	sc, err := findScope(members, body.scopeNames)
	if err != nil {
		return nil, err
	}
	n, err := p.revokeGrants(r.Context(), "an administrator has revoked it", sc)
	return map[string]int{"revoked": n}, err
}

// revokeGrants ends families of refresh tokens, for a reason that apps are told.
func (p *Plane) revokeGrants(ctx context.Context, reason string, sc scope) (int, error) {
	return p.config.Authority.RevokeGrants(ctx, reason, func(g *issuer.Grant) bool { return sc.concerns(g.TenantID, g.ClientID, g.UserID) })
}

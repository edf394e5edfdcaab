package control

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// scope is whose consents or refresh tokens a control call is about. What is
// empty is anybody's.
type scope struct{ tenantID, clientID, userID string }

func (sc scope) concerns(tenantID, clientID, userID string) bool {
	return (sc.tenantID == "" || strings.EqualFold(sc.tenantID, tenantID)) &&
		(sc.clientID == "" || strings.EqualFold(sc.clientID, clientID)) &&
		(sc.userID == "" || sc.userID == userID)
}

// scopeParameters are how a query says a scope.
var scopeParameters = []string{"tenant", "clientId", "user"}

// findScope finds out who is meant. A problem is the caller's. A tenant may be
// that of a customer, which is known by its id alone.
func findScope(members []member, tenant, clientID, user string) (sc scope, problem string) {
	sc.tenantID = tenant
	for _, m := range members {
		if m.is(tenant) {
			sc.tenantID = m.partner.TenantID
		}
	}
	if clientID != "" {
		if _, app := findApp(members, clientID); app == nil {
			return sc, "there is no app " + quote.Text(clientID) + "; GET /apps lists them"
		}
		sc.clientID = clientID
	}
	if user != "" {
		_, found := findUser(members, user)
		if found == nil {
			return sc, "there is no user " + quote.Text(user) + "; GET /users lists them"
		}
		sc.userID = found.ObjectID
	}
	return sc, ""
}

// queriedScope reads the scope in the query of a control call.
func (p *Plane) queriedScope(r *http.Request) (members []member, sc scope, problem string, err error) {
	query, problem := readQuery(r, scopeParameters...)
	if problem != "" {
		return nil, sc, problem, nil
	}
	if members, err = directory(r.Context(), p.store); err != nil {
		return nil, sc, "", err
	}
	sc, problem = findScope(members, query.Get("tenant"), query.Get("clientId"), query.Get("user"))
	return members, sc, problem, nil
}

// userName returns the user principal name of an object id, or nothing when the
// user is not there any more.
func userName(members []member, objectID string) string {
	for _, m := range members {
		for _, u := range m.users {
			if u.ObjectID == objectID {
				return u.UserPrincipalName
			}
		}
	}
	return ""
}

// appName returns the name of a client id, likewise.
func appName(members []member, clientID string) string {
	if _, app := findApp(members, clientID); app != nil {
		return app.Name
	}
	return ""
}

// shownConsent is a consent as the control plane shows it.
type shownConsent struct {
	TenantID  string   `json:"tenantId"`
	ClientID  string   `json:"clientId"`
	App       string   `json:"app,omitempty"`
	User      string   `json:"user,omitempty"`   // absent: everybody of the tenant
	UserID    string   `json:"userId,omitempty"` // likewise
	Resources []string `json:"resources"`
}

// listConsents is GET /consents.
func (p *Plane) listConsents(r *http.Request) (int, any, error) {
	members, sc, problem, err := p.queriedScope(r)
	if err != nil || problem != "" {
		return refuseOr(problem, err)
	}
	list := []shownConsent{}
	for _, c := range p.consentsOf(sc) {
		list = append(list, shownConsent{
			TenantID: c.TenantID, ClientID: c.ClientID, App: appName(members, c.ClientID),
			User: userName(members, c.UserID), UserID: c.UserID, Resources: c.Resources,
		})
	}
	return http.StatusOK, map[string]any{"consents": list}, nil
}

func (p *Plane) consentsOf(sc scope) []issuer.Consent {
	return p.authority.Consents(func(c issuer.Consent) bool { return sc.concerns(c.TenantID, c.ClientID, c.UserID) })
}

// withdrawConsents is DELETE /consents.
func (p *Plane) withdrawConsents(r *http.Request) (int, any, error) {
	_, sc, problem, err := p.queriedScope(r)
	if err != nil || problem != "" {
		return refuseOr(problem, err)
	}
	list := p.consentsOf(sc)
	for _, c := range list {
		c.Resources = nil
		if err := p.authority.PutConsent(r.Context(), c); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, map[string]int{"withdrawn": len(list)}, nil
}

// refuseOr answers a problem of the caller's, or fails.
func refuseOr(problem string, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	return refuse(problem)
}

// shownGrant is a family of refresh tokens as the control plane shows it: not
// the tokens.
type shownGrant struct {
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
func (p *Plane) listGrants(r *http.Request) (int, any, error) {
	members, sc, problem, err := p.queriedScope(r)
	if err != nil || problem != "" {
		return refuseOr(problem, err)
	}
	list := []shownGrant{}
	for _, g := range p.authority.Grants() {
		if !sc.concerns(g.TenantID, g.ClientID, g.UserID) {
			continue
		}
		list = append(list, shownGrant{
			TenantID: g.TenantID, User: userName(members, g.UserID), UserID: g.UserID,
			ClientID: g.ClientID, App: appName(members, g.ClientID), MFA: g.MFA, Resource: g.Resource, Scope: g.Scope,
			SignedIn: g.SignedIn.UTC(), Renewed: g.Renewed.UTC(), Expires: g.Expires().UTC(), Revoked: g.Revoked,
		})
	}
	return http.StatusOK, map[string]any{"grants": list}, nil
}

// revokeGrantsCall is POST /grants/revoke.
func (p *Plane) revokeGrantsCall(r *http.Request) (int, any, error) {
	const example = `{"user": "name@domain"}, {"clientId": "…"}, {"tenant": "…"} or {"all": true}`
	var body struct {
		Tenant   string `json:"tenant"`
		ClientID string `json:"clientId"`
		User     string `json:"user"`
		All      bool   `json:"all"`
	}
	if err := readBody(r, &body, example); err != nil {
		return refuse(err.Error())
	}
	if some := body.Tenant+body.ClientID+body.User != ""; some == body.All {
		return refuse("the body does not say whose refresh tokens to revoke; send " + example)
	}
	members, err := directory(r.Context(), p.store)
	if err != nil {
		return 0, nil, err
	}
	sc, problem := findScope(members, body.Tenant, body.ClientID, body.User)
	if problem != "" {
		return refuse(problem)
	}
	n, err := p.revokeGrants(r.Context(), "an administrator has revoked it", sc)
	return http.StatusOK, map[string]int{"revoked": n}, err
}

// revokeGrants ends families of refresh tokens, for a reason that apps are told.
func (p *Plane) revokeGrants(ctx context.Context, reason string, sc scope) (int, error) {
	return p.authority.RevokeGrants(ctx, reason, func(g *issuer.Grant) bool { return sc.concerns(g.TenantID, g.ClientID, g.UserID) })
}

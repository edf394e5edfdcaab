package control

import (
	"context"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// principalFilter selects consents or refresh tokens. Empty fields match any.
type principalFilter struct{ tenantID, clientID, userID string }

func (filter principalFilter) concerns(tenantID, clientID, userID string) bool {
	return (filter.tenantID == "" || ascii.EqualFold(filter.tenantID, tenantID)) &&
		(filter.clientID == "" || ascii.EqualFold(filter.clientID, clientID)) &&
		(filter.userID == "" || filter.userID == userID)
}

// principalNames are a filter in a query or body.
type principalNames struct {
	Tenant   string `json:"tenant"`
	ClientID string `json:"clientId"`
	User     string `json:"user"`
}

// resolveFilter resolves the names. A tenant may be a customer's, which is known by its
// id only.
func resolveFilter(partners []partnerDirectory, named principalNames) (filter principalFilter, err error) {
	filter.tenantID = named.Tenant
	for _, partner := range partners {
		if partner.isNamed(named.Tenant) {
			filter.tenantID = partner.tenant.TenantID
		}
	}
	if named.ClientID != "" {
		if _, app := findApp(partners, named.ClientID); app == nil {
			return filter, refuse("there is no app " + quote.Text(named.ClientID) + "; GET /apps lists them")
		}
		filter.clientID = named.ClientID
	}
	if named.User != "" {
		_, found := findUser(partners, named.User)
		if found == nil {
			return filter, refuse("there is no user " + quote.Text(named.User) + "; GET /users lists them")
		}
		filter.userID = found.ObjectID
	}
	return filter, nil
}

// queriedFilter reads the filter in the query of a call.
func (p *Plane) queriedFilter(r *http.Request) (partners []partnerDirectory, filter principalFilter, err error) {
	query, err := readQuery(r, "tenant", "clientId", "user")
	if err != nil {
		return nil, filter, err
	}
	if partners, err = directory(r.Context(), p.config.Store); err != nil {
		return nil, filter, err
	}
	filter, err = resolveFilter(partners, principalNames{query.Get("tenant"), query.Get("clientId"), query.Get("user")})
	return partners, filter, err
}

// userName returns the user principal name for an object id, empty if the user no
// longer exists.
func userName(partners []partnerDirectory, objectID string) string {
	_, user := find(partners, func(partner *partnerDirectory) []seed.User { return partner.users }, func(u seed.User) bool { return u.ObjectID == objectID })
	if user == nil {
		return ""
	}
	return user.UserPrincipalName
}

// appName returns the name for a client id, likewise.
func appName(partners []partnerDirectory, clientID string) string {
	if _, app := findApp(partners, clientID); app != nil {
		return app.Name
	}
	return ""
}

// Consent is a consent in the control plane.
type Consent struct {
	TenantID  string   `json:"tenantId"`
	ClientID  string   `json:"clientId"`
	App       string   `json:"app,omitempty"`
	User      string   `json:"user,omitempty"`   // absent: all users of the tenant
	UserID    string   `json:"userId,omitempty"` // likewise
	Resources []string `json:"resources"`        // that it may use for users
	// AppResources are the APIs that the app may use for itself.
	AppResources []string `json:"appResources,omitempty"`
}

// listConsents is GET /consents.
func (p *Plane) listConsents(r *http.Request) (any, error) {
	partners, filter, err := p.queriedFilter(r)
	if err != nil {
		return nil, err
	}
	consents, err := p.consentsOf(filter)
	if err != nil {
		return nil, err
	}
	list := []Consent{}
	for _, c := range consents {
		list = append(list, Consent{
			TenantID: c.TenantID, ClientID: c.ClientID, App: appName(partners, c.ClientID),
			User: userName(partners, c.UserID), UserID: c.UserID, Resources: c.Resources, AppResources: c.AppResources,
		})
	}
	return map[string]any{"consents": list}, nil
}

func (p *Plane) consentsOf(filter principalFilter) ([]issuer.Consent, error) {
	return p.config.Authority.Consents(func(c issuer.Consent) bool { return filter.concerns(c.TenantID, c.ClientID, c.UserID) })
}

// withdrawConsents is DELETE /consents.
func (p *Plane) withdrawConsents(r *http.Request) (any, error) {
	_, filter, err := p.queriedFilter(r)
	if err != nil {
		return nil, err
	}
	list, err := p.consentsOf(filter)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		c.Resources, c.AppResources = nil, nil
		if err := p.config.Authority.PutConsent(r.Context(), c); err != nil {
			return nil, err
		}
	}
	return map[string]int{"withdrawn": len(list)}, nil
}

// Grant is a family of refresh tokens in the control plane, without the tokens.
type Grant struct {
	TenantID string    `json:"tenantId"` // of the user
	User     string    `json:"user,omitempty"`
	UserID   string    `json:"userId"`
	ClientID string    `json:"clientId"`
	App      string    `json:"app,omitempty"`
	MFA      bool      `json:"mfa"`
	Resource string    `json:"resource,omitempty"` // as first requested
	Scope    string    `json:"scope,omitempty"`    // likewise
	SignedIn time.Time `json:"signedIn"`
	Renewed  time.Time `json:"renewed"` // when the last refresh token was issued
	Expires  time.Time `json:"expires"` // unless used before
	Revoked  string    `json:"revoked,omitempty"`
}

// listGrants is GET /grants.
func (p *Plane) listGrants(r *http.Request) (any, error) {
	partners, filter, err := p.queriedFilter(r)
	if err != nil {
		return nil, err
	}
	list := []Grant{}
	grants, err := p.config.Authority.Grants(r.Context())
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if !filter.concerns(g.TenantID, g.ClientID, g.UserID) {
			continue
		}
		list = append(list, Grant{
			TenantID: g.TenantID, User: userName(partners, g.UserID), UserID: g.UserID,
			ClientID: g.ClientID, App: appName(partners, g.ClientID), MFA: g.MFA, Resource: g.Resource, Scope: g.Scope,
			SignedIn: g.SignedIn.UTC(), Renewed: g.Renewed.UTC(), Expires: g.Expires().UTC(), Revoked: g.Revoked,
		})
	}
	return map[string]any{"grants": list}, nil
}

// revokeGrantsCall is POST /grants/revoke.
func (p *Plane) revokeGrantsCall(r *http.Request) (any, error) {
	const example = `{"user": "name@domain"}, {"clientId": "…"}, {"tenant": "…"} or {"all": true}`
	var body struct {
		principalNames
		All bool `json:"all"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if some := body.Tenant+body.ClientID+body.User != ""; some == body.All {
		return nil, refuse("the body does not say whose refresh tokens to revoke; send " + example)
	}
	partners, err := directory(r.Context(), p.config.Store)
	if err != nil {
		return nil, err
	}
	filter, err := resolveFilter(partners, body.principalNames)
	if err != nil {
		return nil, err
	}
	n, err := p.revokeGrants(r.Context(), "an administrator has revoked it", filter)
	return map[string]int{"revoked": n}, err
}

// revokeGrants revokes families of refresh tokens, for a reason that apps are told.
func (p *Plane) revokeGrants(ctx context.Context, reason string, filter principalFilter) (int, error) {
	return p.config.Authority.RevokeGrants(ctx, reason, func(g *issuer.Grant) bool { return filter.concerns(g.TenantID, g.ClientID, g.UserID) })
}

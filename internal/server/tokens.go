package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// tokenOrder is the body of POST /tokens. Everything may be left out.
type tokenOrder struct {
	User     string `json:"user"`     // user principal name; empty for an app-only token
	Tenant   string `json:"tenant"`   // id or domain; default: the user's, or that of the first partner
	ClientID string `json:"clientId"` // default: the tenant's first app
	Version  string `json:"version"`  // 1.0 (the default) or 2.0
	MFA      *bool  `json:"mfa"`      // whether the user showed a second factor; default: whether there is one
}

// controlToken is the answer of POST /tokens.
type controlToken struct {
	AccessToken string   `json:"accessToken"`
	TokenType   string   `json:"tokenType"`
	ExpiresIn   int      `json:"expiresIn"` // seconds
	ExpiresOn   string   `json:"expiresOn"` // by the server's clock
	TenantID    string   `json:"tenantId"`
	ClientID    string   `json:"clientId"`
	User        string   `json:"user,omitempty"`
	Roles       []string `json:"roles,omitempty"`
}

// mintToken gives a token to whoever reaches the control plane. It stands in for
// the sign-in of users, which needs a browser at Microsoft.
func (s *Server) mintToken(r *http.Request) (int, any, error) {
	var order tokenOrder
	if err := readControl(r, &order, `{"user": "name@domain"}, or nothing for an app-only token`); err != nil {
		return badControl(err.Error())
	}
	version := issuer.Version(order.Version)
	if !slices.Contains([]issuer.Version{"", issuer.V1, issuer.V2}, version) {
		return badControl(fmt.Sprintf("version %s is unknown; send 1.0 or 2.0, or leave it out", quote(order.Version)))
	}
	partner, user, problem, err := s.findSubject(r.Context(), order)
	if err != nil {
		return 0, nil, err
	}
	if problem != "" {
		return badControl(problem)
	}
	apps, err := s.store.Apps(r.Context(), partner.TenantID)
	if err != nil {
		return 0, nil, err
	}
	at := slices.IndexFunc(apps, func(a store.App) bool {
		return order.ClientID == "" || strings.EqualFold(a.ClientID, order.ClientID)
	})
	if at < 0 {
		return badControl(fmt.Sprintf("tenant %s has no app %s; %s", partner.TenantID, quote(order.ClientID),
			oneOfThese(apps, func(a store.App) string { return a.ClientID }, "an app")))
	}
	mfa := !user.WithoutMFA
	if order.MFA != nil {
		mfa = *order.MFA
	}
	token, err := s.authority.Mint(issuer.TokenRequest{
		Tenant: partner.TenantID, ClientID: apps[at].ClientID, Version: version,
		Resource: s.cloud.Configuration().Services[partnercenter.ServiceName].Audience,
		User:     user.UserPrincipalName, WithoutMFA: !mfa,
	})
	if err != nil {
		return 0, nil, err
	}
	answer := controlToken{
		AccessToken: token.Text, TokenType: "Bearer",
		ExpiresIn: int(token.Lifetime / time.Second), ExpiresOn: token.Expires.UTC().Format(time.RFC3339),
		TenantID: partner.TenantID, ClientID: apps[at].ClientID, User: user.UserPrincipalName,
	}
	for _, role := range user.Roles {
		answer.Roles = append(answer.Roles, string(role))
	}
	return http.StatusOK, answer, nil
}

// findSubject finds the tenant and the user of a token; no user for an app-only
// one. A problem is the caller's.
func (s *Server) findSubject(ctx context.Context, order tokenOrder) (partner store.Partner, user store.User, problem string, err error) {
	partners, err := s.store.Partners(ctx)
	if err != nil {
		return partner, user, "", err
	}
	if order.Tenant != "" {
		all := partners
		partners = slices.DeleteFunc(slices.Clone(all), func(p store.Partner) bool {
			return !strings.EqualFold(p.TenantID, order.Tenant) && !strings.EqualFold(p.Domain, order.Tenant)
		})
		if len(partners) == 0 {
			return partner, user, fmt.Sprintf("there is no tenant %s; %s", quote(order.Tenant),
				oneOfThese(all, func(p store.Partner) string { return p.Domain }, "a partner")), nil
		}
	}
	if len(partners) == 0 {
		return partner, user, "there is no partner yet; " + oneOfThese[store.Partner](nil, nil, "a partner"), nil
	}
	if order.User == "" {
		return partners[0], user, "", nil
	}
	var known []store.User
	for _, p := range partners {
		users, err := s.store.Users(ctx, p.TenantID)
		if err != nil {
			return partner, user, "", err
		}
		for _, u := range users {
			if strings.EqualFold(u.UserPrincipalName, order.User) {
				return p, u, "", nil
			}
		}
		known = append(known, users...)
	}
	return partner, user, fmt.Sprintf("there is no user %s; %s", quote(order.User),
		oneOfThese(known, func(u store.User) string { return u.UserPrincipalName }, "a user")), nil
}

// maxNamed is how many names an error lists.
const maxNamed = 8

// oneOfThese ends an error about an unknown name.
func oneOfThese[T any](list []T, name func(T) string, what string) string {
	if len(list) == 0 {
		return "add " + what + " to the seed file, and serve it with a new database"
	}
	var names []string
	for _, v := range list[:min(len(list), maxNamed)] {
		names = append(names, name(v))
	}
	text := "send one of " + strings.Join(names, ", ")
	if len(list) > maxNamed {
		text += ", …"
	}
	return text
}

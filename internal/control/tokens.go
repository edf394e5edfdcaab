package control

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// tokenRequest is the body of POST /tokens. All fields are optional.
type tokenRequest struct {
	User     string `json:"user"`     // user principal name; empty for an app-only token
	Tenant   string `json:"tenant"`   // id or domain; default: the user's, or that of the first partner
	ClientID string `json:"clientId"` // default: the tenant's first app
	Version  string `json:"version"`  // 1.0 (the default) or 2.0
	MFA      *bool  `json:"mfa"`      // whether the user showed a second factor; default: whether one is registered
}

// Token is the answer to POST /tokens.
type Token struct {
	AccessToken string   `json:"accessToken"`
	TokenType   string   `json:"tokenType"`
	ExpiresIn   int      `json:"expiresIn"` // seconds
	ExpiresOn   string   `json:"expiresOn"` // by the server's clock
	TenantID    string   `json:"tenantId"`
	ClientID    string   `json:"clientId"`
	User        string   `json:"user,omitempty"`
	Roles       []string `json:"roles,omitempty"`
}

// mintToken issues a token to anybody who reaches the control plane. It replaces the
// sign-in of users, which needs a browser at Microsoft.
func (p *Plane) mintToken(r *http.Request) (any, error) {
	var request tokenRequest
	if err := readBody(r, &request, `{"user": "name@domain"}, or nothing for an app-only token`); err != nil {
		return nil, err
	}
	version := token.Version(request.Version)
	if !slices.Contains([]token.Version{"", token.V1, token.V2}, version) {
		return nil, refuse(fmt.Sprintf("version %s is unknown; send 1.0 or 2.0, or leave it out", quote.Text(request.Version)))
	}
	partner, user, err := p.findSubject(r.Context(), request)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(partner.apps, func(a seed.App) bool {
		return request.ClientID == "" || ascii.EqualFold(a.ClientID, request.ClientID)
	})
	if i < 0 {
		return nil, refuse(fmt.Sprintf("tenant %s has no app %s; %s", partner.tenant.TenantID, quote.Text(request.ClientID),
			oneOfThese(partner.apps, func(a seed.App) string { return a.ClientID }, "an app")))
	}
	mfa := !user.WithoutMFA
	if request.MFA != nil {
		mfa = *request.MFA
	}
	token, err := p.config.Authority.Mint(issuer.MintRequest{
		Tenant: partner.tenant.TenantID, ClientID: partner.apps[i].ClientID, Version: version,
		Resource: p.config.Cloud.Configuration().Services[partnercenter.ServiceName].Audience,
		User:     user.UserPrincipalName, WithoutMFA: !mfa,
	})
	if err != nil {
		return nil, err
	}
	answer := Token{
		AccessToken: token.Text, TokenType: "Bearer",
		ExpiresIn: int(token.Lifetime / time.Second), ExpiresOn: token.Expires.UTC().Format(time.RFC3339),
		TenantID: partner.tenant.TenantID, ClientID: partner.apps[i].ClientID, User: user.UserPrincipalName,
	}
	for _, role := range user.Roles {
		answer.Roles = append(answer.Roles, string(role))
	}
	return answer, nil
}

// findSubject finds the partner and the user of a token; for an app-only token the user
// has no name.
func (p *Plane) findSubject(ctx context.Context, request tokenRequest) (partner *partnerDirectory, user seed.User, err error) {
	partners, err := directory(ctx, p.config.Store)
	switch {
	case err != nil:
	case request.Tenant != "":
		partners, err = findPartner(partners, request.Tenant)
	case len(partners) == 0:
		err = refuse("there is no partner yet; " + addOne("a partner"))
	}
	if err != nil {
		return nil, user, err
	}
	if request.User == "" {
		return &partners[0], user, nil
	}
	if partner, found := findUser(partners, request.User); found != nil {
		return partner, *found, nil
	}
	var known []seed.User
	for _, partner := range partners {
		known = append(known, partner.users...)
	}
	return nil, user, refuse("there is no user " + quote.Text(request.User) + "; " + oneOfThese(known, func(u seed.User) string { return u.UserPrincipalName }, "a user"))
}

// maxNamed is how many names an error lists.
const maxNamed = 8

// oneOfThese ends an error about an unknown name.
func oneOfThese[T any](list []T, name func(T) string, what string) string {
	if len(list) == 0 {
		return addOne(what)
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

// addOne ends an error about something of which there is none.
func addOne(what string) string {
	return "add " + what + " to the seed file, and serve it with a new database"
}

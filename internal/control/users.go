package control

import (
	"context"
	"fmt"
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// User is a user in the control plane.
type User struct {
	TenantID          string                   `json:"tenantId"`
	UserPrincipalName string                   `json:"userPrincipalName"`
	ObjectID          string                   `json:"objectId"`
	Name              string                   `json:"name"`
	Roles             []partnercenter.UserRole `json:"roles"`
	MFA               bool                     `json:"mfa"`
	Disabled          bool                     `json:"disabled"`
	Password          string                   `json:"password"`
}

func newUser(tenant seed.Tenant, u seed.User) User {
	return User{
		TenantID: tenant.TenantID, UserPrincipalName: u.UserPrincipalName, ObjectID: u.ObjectID, Name: u.Name,
		Roles: u.Roles, MFA: !u.WithoutMFA, Disabled: u.Disabled, Password: u.Password,
	}
}

// listUsers is GET /users.
func (p *Plane) listUsers(r *http.Request) (any, error) {
	partners, err := p.queriedPartners(r)
	if err != nil {
		return nil, err
	}
	users := []User{}
	for _, partner := range partners {
		for _, u := range partner.users {
			users = append(users, newUser(partner.tenant, u))
		}
	}
	return map[string]any{"users": users}, nil
}

// changeUser is PATCH /users/{upn}.
func (p *Plane) changeUser(r *http.Request) (any, error) {
	const example = `one or more of {"password": "…", "mfa": false, "disabled": true, "roles": ["sales_agent"]}`
	var change struct {
		Password *string                   `json:"password"`
		MFA      *bool                     `json:"mfa"`
		Disabled *bool                     `json:"disabled"`
		Roles    *[]partnercenter.UserRole `json:"roles"`
	}
	if err := readBody(r, &change, example); err != nil {
		return nil, err
	}
	switch {
	case change.Password == nil && change.MFA == nil && change.Disabled == nil && change.Roles == nil:
		return nil, refuse("the body changes nothing; send " + example)
	case change.Password != nil && (*change.Password == "" || len(*change.Password) > maxCredential):
		return nil, refuse(fmt.Sprintf("the password must have 1 to %d bytes; send another one", maxCredential))
	}
	password, name := "", r.PathValue("upn")
	_, user, err := userKind.changeNamed(p, r, name, func(u *seed.User) error {
		password = u.Password
		assign(&u.Password, change.Password)
		assign(&u.Disabled, change.Disabled)
		assign(&u.Roles, change.Roles)
		if change.MFA != nil {
			u.WithoutMFA = !*change.MFA
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(r.Context())
	if user.Password != password {
		// As at Microsoft: a changed password ends existing sign-ins.
		if _, err := p.revokeGrants(ctx, "the user's password has changed", principalFilter{userID: user.ObjectID}); err != nil {
			return nil, err
		}
	}
	partners, err := directory(ctx, p.config.Store)
	if err != nil {
		return nil, err
	}
	partner, user := findUser(partners, name) // in the stored spelling
	return newUser(partner.tenant, *user), nil
}

package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// controlUser is a user as the control plane shows it.
type controlUser struct {
	TenantID          string                   `json:"tenantId"`
	UserPrincipalName string                   `json:"userPrincipalName"`
	ObjectID          string                   `json:"objectId"`
	Name              string                   `json:"name"`
	Roles             []partnercenter.UserRole `json:"roles"`
	MFA               bool                     `json:"mfa"`
	Disabled          bool                     `json:"disabled"`
	Password          string                   `json:"password"`
}

func newControlUser(partner store.Partner, u store.User) controlUser {
	return controlUser{
		TenantID: partner.TenantID, UserPrincipalName: u.UserPrincipalName, ObjectID: u.ObjectID, Name: u.Name,
		Roles: u.Roles, MFA: !u.WithoutMFA, Disabled: u.Disabled, Password: u.Password,
	}
}

// listUsers is GET /users.
func (s *Server) listUsers(r *http.Request) (int, any, error) {
	members, problem, err := s.queriedMembers(r)
	if err != nil || problem != "" {
		return badControlOr(problem, err)
	}
	users := []controlUser{}
	for _, m := range members {
		for _, u := range m.users {
			users = append(users, newControlUser(m.partner, u))
		}
	}
	return http.StatusOK, map[string]any{"users": users}, nil
}

// changeUser is PATCH /users/{upn}.
func (s *Server) changeUser(r *http.Request) (int, any, error) {
	const example = `one or more of {"password": "…", "mfa": false, "disabled": true, "roles": ["sales_agent"]}`
	var change struct {
		Password *string                   `json:"password"`
		MFA      *bool                     `json:"mfa"`
		Disabled *bool                     `json:"disabled"`
		Roles    *[]partnercenter.UserRole `json:"roles"`
	}
	if err := readControl(r, &change, example); err != nil {
		return badControl(err.Error())
	}
	switch {
	case change.Password == nil && change.MFA == nil && change.Disabled == nil && change.Roles == nil:
		return badControl("the body changes nothing; send " + example)
	case change.Password != nil && (*change.Password == "" || len(*change.Password) > maxCredential):
		return badControl(fmt.Sprintf("the password must have 1 to %d bytes; send another one", maxCredential))
	}
	s.directoryChange.Lock()
	defer s.directoryChange.Unlock()
	members, err := directory(r.Context(), s.store)
	if err != nil {
		return 0, nil, err
	}
	name := r.PathValue("upn")
	m, user := findUser(members, name)
	if user == nil {
		return missingControl("user", name, "/users")
	}
	changed := *user
	assign(&changed.Password, change.Password)
	assign(&changed.Disabled, change.Disabled)
	assign(&changed.Roles, change.Roles)
	if change.MFA != nil {
		changed.WithoutMFA = !*change.MFA
	}
	// Whoever asked may hang up; half a change would be none.
	ctx := context.WithoutCancel(r.Context())
	if err := s.store.PutUser(ctx, m.partner.TenantID, changed); err != nil {
		return refusedByStore(err)
	}
	if err := s.ReloadDirectory(ctx); err != nil {
		return 0, nil, err
	}
	if changed.Password != user.Password {
		// As at Microsoft: whoever knew the old password has no tokens any more.
		if _, err := s.revokeGrants(ctx, "the user's password has changed", scope{userID: user.ObjectID}); err != nil {
			return 0, nil, err
		}
	}
	if members, err = directory(ctx, s.store); err != nil {
		return 0, nil, err
	}
	m, user = findUser(members, name) // as it is stored
	return http.StatusOK, newControlUser(m.partner, *user), nil
}

package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Administrator returns the caller of every call to a server that requires no token: an
// administrator, signed in with a second factor, of the partner whose tenant has this
// id or domain. Empty means the first partner.
func Administrator(ctx context.Context, st *store.Store, tenant string) (*token.Claims, error) {
	partners, err := directory(ctx, st)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(partners, func(m partnerDirectory) bool { return tenant == "" || m.isNamed(tenant) })
	switch {
	case len(partners) == 0:
		return nil, errors.New("the database has no partner to act for: serve a seed file that has one, with a new database")
	case i < 0:
		return nil, fmt.Errorf("the database has no partner %s: its first is %s, %s", quote.Text(tenant), partners[0].tenant.TenantID, partners[0].tenant.Name)
	}
	partner := partners[i].tenant
	claims := &token.Claims{
		Audience: partnercenter.CloudGlobal.Services[partnercenter.ServiceName].Audience,
		TenantID: ascii.ToLower(partner.TenantID), User: "administrator@" + partner.Domain, MFA: true,
	}
	for _, u := range partners[i].users {
		if slices.Contains(u.Roles, partnercenter.UserRoleGlobalAdmin) {
			claims.User, claims.ObjectID = u.UserPrincipalName, u.ObjectID
			break
		}
	}
	for _, role := range partnercenter.UserRoles() {
		claims.Roles = append(claims.Roles, string(role))
	}
	return claims, nil
}

package control

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// EntraOptions configure [NewEntra].
type EntraOptions struct {
	Authority string   // base URL of Microsoft's sign-in service; see entra.Options
	Tenants   []string // ids of the tenants whose tokens are accepted
	// GroupRoles are the roles of the members of a group, by the group's object id.
	// Partner Center's agents are members of groups, and a token has only the groups'
	// ids.
	GroupRoles map[string]partnercenter.UserRole
	// Cloud determines the resources of tokens. Empty means the global one.
	Cloud     partnercenter.CloudName
	BaseURLs  []string          // where requests are sent
	Leeway    time.Duration     // allowed difference of clocks; see entra.Options
	Transport http.RoundTripper // fetches keys; nil means http.DefaultTransport
	Logger    *slog.Logger      // nil logs nothing
}

// NewEntra returns a checker of Microsoft's tokens for the tenants, with the store's
// apps and users. For tenants that are not partners yet it creates partners without
// customers, and returns their ids as made. The caller runs the checker.
func NewEntra(ctx context.Context, st *store.Store, o EntraOptions) (checker *entra.Checker, made []string, err error) {
	if made, err = ensurePartners(ctx, st, o.Tenants); err != nil {
		return nil, nil, fmt.Errorf("the tenants' partners: %w", err)
	}
	partners, err := directory(ctx, st)
	if err != nil {
		return nil, nil, fmt.Errorf("the tenants: %w", err)
	}
	options := entra.Options{
		Authority: o.Authority, BaseURLs: o.BaseURLs, Leeway: o.Leeway, Transport: o.Transport, Logger: o.Logger,
		Roles:     map[string]string{claims.GlobalAdministrator: string(partnercenter.UserRoleGlobalAdmin)},
		Resources: cmp.Or(o.Cloud, partnercenter.CloudNameGlobal).Resources(),
	}
	for id, role := range o.GroupRoles {
		options.Roles[id] = string(role)
	}
	for _, partner := range partners {
		if slices.ContainsFunc(o.Tenants, func(id string) bool { return ascii.EqualFold(id, partner.tenant.TenantID) }) {
			options.Tenants = append(options.Tenants, entraTenant(partner))
		}
	}
	checker, err = entra.New(options)
	return checker, made, err
}

// entraTenant returns a partner as a tenant of the checker.
func entraTenant(partner partnerDirectory) entra.Tenant {
	t := entra.Tenant{ID: partner.tenant.TenantID, Clients: make(map[string]bool)}
	for _, a := range partner.apps {
		t.Clients[a.ClientID] = !a.Disabled
	}
	for _, u := range partner.users {
		user := issuerUser(u)
		t.Users = append(t.Users, entra.User{UserPrincipalName: user.UserPrincipalName, ObjectID: user.ObjectID, Roles: user.Roles, Disabled: user.Disabled})
	}
	return t
}

// ensurePartners makes tenants partners that are not yet.
func ensurePartners(ctx context.Context, st *store.Store, tenants []string) (made []string, err error) {
	partners, err := st.Partners(ctx)
	if err != nil {
		return nil, err
	}
	var data seed.Seed
	for _, id := range tenants {
		if slices.ContainsFunc(partners, func(p seed.Tenant) bool { return ascii.EqualFold(p.TenantID, id) }) {
			continue
		}
		id = ascii.ToLower(id)
		made = append(made, id)
		data.Partners = append(data.Partners, seed.Partner{Tenant: seed.Tenant{TenantID: id, Name: id, Country: defaultCountry}})
	}
	if len(made) == 0 {
		return nil, nil
	}
	_, err = st.Load(ctx, &data)
	return made, err
}

// defaultCountry is the country of a partner that was created for a tenant. A seed file
// can say otherwise.
const defaultCountry = "US"

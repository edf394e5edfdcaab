package control

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// partnerDirectory is a partner with its apps and users.
type partnerDirectory struct {
	tenant seed.Tenant
	apps   []seed.App
	users  []seed.User
}

// isNamed reports whether the partner has this tenant id or domain. Empty matches no
// partner, not even one without a domain.
func (partner *partnerDirectory) isNamed(tenant string) bool {
	return tenant != "" && (ascii.EqualFold(partner.tenant.TenantID, tenant) || ascii.EqualFold(partner.tenant.Domain, tenant))
}

// directory returns all partners of a store with their apps and users.
func directory(ctx context.Context, st *store.Store) ([]partnerDirectory, error) {
	partners, err := st.Partners(ctx)
	if err != nil {
		return nil, err
	}
	members := make([]partnerDirectory, len(partners))
	for i, p := range partners {
		partner := &members[i]
		partner.tenant = p
		if partner.apps, err = st.Apps(ctx, p.TenantID); err != nil {
			return nil, err
		}
		if partner.users, err = st.Users(ctx, p.TenantID); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// findPartner returns the partner with a tenant id or domain, as a list of one.
func findPartner(partners []partnerDirectory, tenant string) ([]partnerDirectory, error) {
	i := slices.IndexFunc(partners, func(partner partnerDirectory) bool { return partner.isNamed(tenant) })
	if i < 0 {
		return nil, refuse("there is no tenant " + quote.Text(tenant) + "; " + oneOfThese(partners, func(partner partnerDirectory) string { return partner.tenant.Domain }, "a partner"))
	}
	return partners[i : i+1], nil
}

// findUser returns a user and its partner, or nil.
func findUser(partners []partnerDirectory, name string) (*partnerDirectory, *seed.User) {
	return find(partners, func(partner *partnerDirectory) []seed.User { return partner.users }, func(u seed.User) bool { return ascii.EqualFold(u.UserPrincipalName, name) })
}

// findApp returns an app and its partner, or nil.
func findApp(partners []partnerDirectory, clientID string) (*partnerDirectory, *seed.App) {
	return find(partners, func(partner *partnerDirectory) []seed.App { return partner.apps }, func(a seed.App) bool { return ascii.EqualFold(a.ClientID, clientID) })
}

// find returns the first item of the partners that meant accepts, and its partner.
func find[T any](partners []partnerDirectory, of func(*partnerDirectory) []T, meant func(T) bool) (*partnerDirectory, *T) {
	for i := range partners {
		partner := &partners[i]
		if i := slices.IndexFunc(of(partner), meant); i >= 0 {
			return partner, &of(partner)[i]
		}
	}
	return nil, nil
}

// maxCredential is the longest password or secret that the control plane accepts, in
// bytes.
const maxCredential = 256

// assign sets a field if the body has it.
func assign[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// readQuery returns the query of a call, and refuses unknown parameters.
func readQuery(r *http.Request, known ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("the query cannot be read; percent-encode its values")
	}
	for name := range query {
		if !slices.Contains(known, name) {
			return nil, refuse("the parameter " + quote.Text(name) + " is unknown; use " + strings.Join(known, ", "))
		}
	}
	return query, nil
}

// queriedPartners returns the partner that a query names by tenant or, without one,
// all.
func (p *Plane) queriedPartners(r *http.Request) ([]partnerDirectory, error) {
	query, err := readQuery(r, "tenant")
	if err != nil {
		return nil, err
	}
	partners, err := directory(r.Context(), p.config.Store)
	if err != nil || query.Get("tenant") == "" {
		return partners, err
	}
	return findPartner(partners, query.Get("tenant"))
}

// notFound answers a call about something that does not exist.
func notFound(what, name, list string) error {
	return &refusal{http.StatusNotFound, "there is no " + what + " " + quote.Text(name) + "; GET " + list + " lists them"}
}

// entityKind is a kind of things that partners have and that can be changed.
type entityKind[T any] struct {
	what, list string // for people, and the path of the list
	find       func(partners []partnerDirectory, name string) (*partnerDirectory, *T)
	name       func(*T) string
	change     func(st *store.Store, ctx context.Context, partnerID, name string, change func(*T) error) error
}

var (
	appKind  = entityKind[seed.App]{"app", "/apps", findApp, func(a *seed.App) string { return a.ClientID }, (*store.Store).ChangeApp}
	userKind = entityKind[seed.User]{"user", "/users", findUser, func(u *seed.User) string { return u.UserPrincipalName }, (*store.Store).ChangeUser}
)

// changeNamed changes the item with a name, unless change fails, and returns it as it is
// then. The caller may hang up; the change must not be partial.
func (k entityKind[T]) changeNamed(p *Plane, r *http.Request, name string, change func(*T) error) (*partnerDirectory, *T, error) {
	partners, err := directory(r.Context(), p.config.Store)
	if err != nil {
		return nil, nil, err
	}
	partner, found := k.find(partners, name)
	if found == nil {
		return nil, nil, notFound(k.what, name, k.list)
	}
	// What was found may have changed since.
	err = k.change(p.config.Store, context.WithoutCancel(r.Context()), partner.tenant.TenantID, k.name(found), func(now *T) error {
		found = now
		return change(now)
	})
	if wrong, ok := errors.AsType[*seed.FieldError](err); ok {
		err = refuse(wrong.Field + " " + wrong.Message)
	}
	return partner, found, err
}

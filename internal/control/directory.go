package control

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// member is a partner with what signs in to its tenant.
type member struct {
	partner seed.Tenant
	apps    []seed.App
	users   []seed.User
}

// is reports whether a tenant's id or domain is that of the partner. Nothing names
// nobody, not even a partner without a domain.
func (m *member) is(tenant string) bool {
	return tenant != "" && (strings.EqualFold(m.partner.TenantID, tenant) || strings.EqualFold(m.partner.Domain, tenant))
}

// directory returns all partners of a store with their apps and users.
func directory(ctx context.Context, st *store.Store) ([]member, error) {
	partners, err := st.Partners(ctx)
	if err != nil {
		return nil, err
	}
	members := make([]member, len(partners))
	for i, p := range partners {
		m := &members[i]
		m.partner = p
		if m.apps, err = st.Apps(ctx, p.TenantID); err != nil {
			return nil, err
		}
		if m.users, err = st.Users(ctx, p.TenantID); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// findMember returns the partner that a tenant's id or domain names, as a list of
// one.
func findMember(members []member, tenant string) ([]member, error) {
	at := slices.IndexFunc(members, func(m member) bool { return m.is(tenant) })
	if at < 0 {
		return nil, refuse("there is no tenant " + quote.Text(tenant) + "; " + oneOfThese(members, func(m member) string { return m.partner.Domain }, "a partner"))
	}
	return members[at : at+1], nil
}

// findUser returns a user and the partner whose user it is, or nil.
func findUser(members []member, name string) (*member, *seed.User) {
	return find(members, func(m *member) []seed.User { return m.users }, func(u seed.User) bool { return strings.EqualFold(u.UserPrincipalName, name) })
}

// findApp returns an app and the partner whose app it is, or nil.
func findApp(members []member, clientID string) (*member, *seed.App) {
	return find(members, func(m *member) []seed.App { return m.apps }, func(a seed.App) bool { return strings.EqualFold(a.ClientID, clientID) })
}

// find returns the first of what partners have that is meant, and the partner.
func find[T any](members []member, of func(*member) []T, meant func(T) bool) (*member, *T) {
	for i := range members {
		m := &members[i]
		if at := slices.IndexFunc(of(m), meant); at >= 0 {
			return m, &of(m)[at]
		}
	}
	return nil, nil
}

// maxCredential is the longest password or secret that the control plane takes,
// in bytes.
const maxCredential = 256

// assign takes over a member of a body that was sent.
func assign[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// ReloadDirectory has the token authority work with the tenants, apps and users
// that the store holds now.
func (p *Plane) ReloadDirectory(ctx context.Context) error {
	tenants, err := tenants(ctx, p.config.Store)
	if err != nil {
		return err
	}
	return p.config.Authority.SetTenants(tenants)
}

// readQuery returns the query of a control call, and refuses one with a parameter
// that the call does not know.
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

// queriedMembers returns the partner that a query names by tenant or, without
// one, all.
func (p *Plane) queriedMembers(r *http.Request) ([]member, error) {
	query, err := readQuery(r, "tenant")
	if err != nil {
		return nil, err
	}
	members, err := directory(r.Context(), p.config.Store)
	if err != nil || query.Get("tenant") == "" {
		return members, err
	}
	return findMember(members, query.Get("tenant"))
}

// missing answers a control call about what is not there.
func missing(what, name, list string) error {
	return &refusal{http.StatusNotFound, "there is no " + what + " " + quote.Text(name) + "; GET " + list + " lists them"}
}

// kind is a kind of things that partners have and that can be changed.
type kind[T any] struct {
	what, list string // for people, and the path that lists them
	find       func(members []member, name string) (*member, *T)
	put        func(st *store.Store, ctx context.Context, partnerID string, v T) error
}

var (
	appKind  = kind[seed.App]{"app", "/apps", findApp, (*store.Store).PutApp}
	userKind = kind[seed.User]{"user", "/users", findUser, (*store.Store).PutUser}
)

// change changes the thing of a name, in the store and in the running authority,
// unless change fails. Whoever asked may hang up; half a change would be none.
func (k kind[T]) change(p *Plane, r *http.Request, name string, change func(*T) error) (*member, *T, error) {
	p.directoryChange.Lock()
	defer p.directoryChange.Unlock()
	members, err := directory(r.Context(), p.config.Store)
	if err != nil {
		return nil, nil, err
	}
	m, found := k.find(members, name)
	if found == nil {
		return nil, nil, missing(k.what, name, k.list)
	}
	if err := change(found); err != nil {
		return nil, nil, err
	}
	ctx := context.WithoutCancel(r.Context())
	if err := k.put(p.config.Store, ctx, m.partner.TenantID, *found); err != nil {
		if wrong, ok := errors.AsType[*seed.FieldError](err); ok {
			return nil, nil, refuse(wrong.Field + " " + wrong.Message)
		}
		return nil, nil, err
	}
	return m, found, p.ReloadDirectory(ctx)
}

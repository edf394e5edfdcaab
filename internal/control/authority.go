package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// AuthorityOptions configure [NewAuthority].
type AuthorityOptions struct {
	BaseURLs []string         // where requests are sent; see issuer.Options
	PageURL  string           // of pages for people; see issuer.Options
	Leeway   time.Duration    // allowed difference of clocks; see issuer.Options
	Lifetime time.Duration    // of tokens; see issuer.Options
	Now      func() time.Time // nil means time.Now
	// Cloud determines the resources of tokens. Empty means the global one.
	Cloud partnercenter.CloudName
	// AllClouds allows tokens for the resources of every cloud.
	AllClouds bool
	// ReuseAssertions accepts a client assertion again; see issuer.Options.
	ReuseAssertions bool
}

// resources are the allowed audiences: those of the cloud first, the first of which is
// the default.
func (o *AuthorityOptions) resources() []string {
	cloud := cmp.Or(o.Cloud, partnercenter.CloudNameGlobal)
	all := cloud.Resources()
	if o.AllClouds {
		for _, other := range partnercenter.CloudNames() {
			all = append(all, other.Resources()...)
		}
	}
	return all
}

// NewAuthority returns the token authority for a store's partners, with the store's
// signing keys. If there are none, it generates the first.
func NewAuthority(ctx context.Context, st *store.Store, o AuthorityOptions) (*issuer.Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := EnsureSigningKey(ctx, st, o.Now(), nil); err != nil {
		return nil, fmt.Errorf("the first signing key: %w", err)
	}
	options := issuer.Options{
		Keeper: newKeeper(st), BaseURLs: o.BaseURLs, PageURL: o.PageURL, Resources: o.resources(),
		Leeway: o.Leeway, Lifetime: o.Lifetime, Now: o.Now, ReuseAssertions: o.ReuseAssertions,
		Customer: func(ctx context.Context, name string) (*issuer.Customer, error) {
			found, err := st.CustomerTenant(ctx, name)
			if found == nil || err != nil {
				return nil, err
			}
			return &issuer.Customer{ID: found.ID, Domain: found.Domain, Partners: found.Partners}, nil
		},
	}
	return issuer.New(options)
}

// FirstKey is a signing key that is generated while other things are done.
type FirstKey struct {
	generated func() (*issuer.Key, error)
}

// MakeFirstKey starts generating a key.
func MakeFirstKey() *FirstKey {
	k := &FirstKey{sync.OnceValues(func() (*issuer.Key, error) { return issuer.GenerateKey(time.Time{}) })}
	go func() { _, _ = k.generated() }()
	return k
}

// key waits for the key. If there is none, it generates one.
func (k *FirstKey) key() (*issuer.Key, error) {
	if k == nil {
		return issuer.GenerateKey(time.Time{})
	}
	return k.generated()
}

// EnsureSigningKey stores the first signing key of a store without a valid one: the one
// given, or one that it generates if that is nil. Of several servers that do, one does.
func EnsureSigningKey(ctx context.Context, st *store.Store, now time.Time, first *FirstKey) error {
	isValid := func(k store.SigningKey) bool { return k.Revoked.IsZero() }
	if keys, err := st.SigningKeys(ctx); err != nil || slices.ContainsFunc(keys, isValid) {
		return err
	}
	_, err := changeSigningKeys(ctx, st, now, func(keys []store.SigningKey) (keyChange, error) {
		return keyChange{add: !slices.ContainsFunc(keys, isValid), first: first}, nil
	})
	return err
}

// keyChange says whether a signing key is added, which signs from then on, and which are
// revoked.
type keyChange struct {
	add    bool
	first  *FirstKey // what to add; nil for a key that is generated then
	revoke []string
}

// errNeedsKey says that a key is to be added that has not been generated.
var errNeedsKey = errors.New("a new signing key is needed")

// changeSigningKeys changes the signing keys of a store, and returns the new one, if any.
func changeSigningKeys(ctx context.Context, st *store.Store, now time.Time, change func([]store.SigningKey) (keyChange, error)) (*store.SigningKey, error) {
	var made *store.SigningKey
	for {
		var c keyChange
		added, err := st.ChangeSigningKeys(ctx, func(keys []store.SigningKey) (_ store.KeyChange, err error) {
			c, err = change(keys)
			switch {
			case err != nil || !c.add:
				return store.KeyChange{Revoke: c.revoke}, err
			case made == nil:
				return store.KeyChange{}, errNeedsKey
			}
			return store.KeyChange{Add: made, Revoke: c.revoke}, nil
		})
		if !errors.Is(err, errNeedsKey) {
			return added, err
		}
		// Nobody waits for it meanwhile.
		key, err := c.first.key()
		if err != nil {
			return nil, err
		}
		pem, err := key.PEM()
		if err != nil {
			return nil, err
		}
		made = &store.SigningKey{ID: key.ID, PEM: pem, Created: now}
	}
}

// tenants returns the partners of a store as tenants of the token authority.
func tenants(ctx context.Context, st *store.Store) ([]issuer.Tenant, error) {
	partners, err := directory(ctx, st)
	if err != nil {
		return nil, err
	}
	list := make([]issuer.Tenant, 0, len(partners))
	for _, partner := range partners {
		t := issuer.Tenant{ID: partner.tenant.TenantID}
		if partner.tenant.Domain != "" {
			t.Domains = []string{partner.tenant.Domain}
		}
		for _, a := range partner.apps {
			client, err := issuerClient(a)
			if err != nil {
				return nil, err
			}
			t.Clients = append(t.Clients, client)
		}
		for _, u := range partner.users {
			t.Users = append(t.Users, issuerUser(u))
		}
		list = append(list, t)
	}
	return list, nil
}

func issuerClient(a seed.App) (issuer.Client, error) {
	c := issuer.Client{
		ID: a.ClientID, Name: a.Name, ObjectID: a.ObjectID, Secrets: []issuer.Secret{{Value: a.Secret}},
		RedirectURIs: a.RedirectURIs, Public: a.Public, MultiTenant: a.MultiTenant, AdminConsent: a.AdminConsent, Disabled: a.Disabled,
	}
	for _, s := range a.Secrets {
		secret := issuer.Secret{Value: s.Value}
		if !s.Expires.IsZero() {
			secret.Expires = new(s.Expires.Time())
		}
		c.Secrets = append(c.Secrets, secret)
	}
	for _, stored := range a.Certificates {
		cert, err := certificate.Parse(stored.PEM)
		if err != nil {
			return c, fmt.Errorf("a certificate of app %s %w", a.ClientID, err)
		}
		c.Certificates = append(c.Certificates, issuer.Certificate{Certificate: cert, Revoked: stored.Revoked})
	}
	return c, nil
}

func issuerUser(u seed.User) issuer.User {
	user := issuer.User{
		UserPrincipalName: u.UserPrincipalName, ObjectID: u.ObjectID, Name: u.Name,
		Password: u.Password, MFA: !u.WithoutMFA, Disabled: u.Disabled,
		Administrator: slices.Contains(u.Roles, partnercenter.UserRoleGlobalAdmin),
	}
	for _, role := range u.Roles {
		user.Roles = append(user.Roles, string(role))
	}
	return user
}

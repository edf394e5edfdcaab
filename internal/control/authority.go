package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
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
	if err := EnsureSigningKey(ctx, st, o.Now()); err != nil {
		return nil, fmt.Errorf("the first signing key: %w", err)
	}
	keys, err := signingKeys(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("the signing keys: %w", err)
	}
	tenants, err := tenants(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("the tenants: %w", err)
	}
	options := issuer.Options{
		Keys: keys, Tenants: tenants, BaseURLs: o.BaseURLs, PageURL: o.PageURL, Resources: o.resources(),
		Leeway: o.Leeway, Lifetime: o.Lifetime, Now: o.Now, ReuseAssertions: o.ReuseAssertions,
		Customer: func(ctx context.Context, name string) (*issuer.Customer, error) {
			found, err := st.CustomerTenant(ctx, name)
			if found == nil || err != nil {
				return nil, err
			}
			return &issuer.Customer{ID: found.ID, Domain: found.Domain, Partners: found.Partners}, nil
		},
	}
	if err := keepSignIns(ctx, st, o.Now, &options); err != nil {
		return nil, fmt.Errorf("the refresh tokens: %w", err)
	}
	return issuer.New(options)
}

// keepSignIns restores consents, refresh tokens and used assertions from the store and
// saves changes to it, so that they survive a restart.
func keepSignIns(ctx context.Context, st *store.Store, now func() time.Time, o *issuer.Options) error {
	if err := st.DeleteExpiredGrants(ctx, now()); err != nil {
		return err
	}
	grants, err := st.Grants(ctx)
	if err != nil {
		return err
	}
	for _, stored := range grants {
		var g issuer.Grant
		if err := json.Unmarshal(stored.Data, &g); err != nil {
			return fmt.Errorf("grant %s: %w (%v)", stored.ID, store.ErrDamaged, err) //nolint:errorlint // it is not that of an answer that was cut off
		}
		o.Grants = append(o.Grants, g)
	}
	if o.Consents, err = storedConsents(ctx, st); err != nil {
		return err
	}
	used, err := st.Assertions(ctx)
	if err != nil {
		return err
	}
	for _, a := range used {
		o.Assertions = append(o.Assertions, issuer.UsedAssertion{ClientID: a.ClientID, ID: a.ID})
	}
	o.SaveAssertion = func(ctx context.Context, a issuer.UsedAssertion, keep int) error {
		return unavailable(st.AddAssertion(ctx, store.Assertion{ClientID: a.ClientID, ID: a.ID}, keep))
	}
	o.SaveGrant = func(ctx context.Context, g issuer.Grant) error {
		data, err := json.Marshal(g)
		if err != nil {
			return err
		}
		return unavailable(st.SaveGrant(ctx, store.Grant{ID: g.ID, TenantID: g.TenantID, Expires: g.KeepUntil(), Data: data}))
	}
	o.SaveConsent = func(ctx context.Context, c issuer.Consent) error {
		if len(c.Resources)+len(c.AppResources) == 0 {
			return unavailable(st.DeleteConsent(ctx, c.TenantID, c.ClientID, c.UserID))
		}
		return unavailable(st.PutConsent(ctx, store.Consent{
			TenantID: c.TenantID, ClientID: c.ClientID, UserID: c.UserID,
			Scope: strings.Join(c.Resources, " "), AppScope: strings.Join(c.AppResources, " "),
		}))
	}
	return nil
}

// storedConsents returns the consents that a store has.
func storedConsents(ctx context.Context, st *store.Store) ([]issuer.Consent, error) {
	stored, err := st.Consents(ctx)
	list := make([]issuer.Consent, 0, len(stored))
	for _, c := range stored {
		list = append(list, issuer.Consent{
			TenantID: c.TenantID, ClientID: c.ClientID, UserID: c.UserID,
			Resources: ascii.Fields(c.Scope), AppResources: ascii.Fields(c.AppScope),
		})
	}
	return list, err
}

// unavailable tells the authority that it is not to blame for an error: nothing can be
// written at the moment.
func unavailable(err error) error {
	if errors.As(err, new(*store.UnusableError)) {
		return fmt.Errorf("%w: %w", issuer.ErrUnavailable, err)
	}
	return err
}

// EnsureSigningKey generates the first signing key of a store without a valid one.
func EnsureSigningKey(ctx context.Context, st *store.Store, now time.Time) error {
	keys, err := signingKeys(ctx, st)
	if err != nil || len(keys) > 0 {
		return err
	}
	_, err = addSigningKey(ctx, st, now)
	return err
}

// signingKeys returns the valid keys, newest first: the first one signs.
func signingKeys(ctx context.Context, st *store.Store) ([]*issuer.Key, error) {
	stored, err := st.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []*issuer.Key
	for _, k := range stored {
		if !k.Revoked.IsZero() {
			continue
		}
		key, err := issuer.ParseKey(k.ID, k.PEM, k.Created)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b *issuer.Key) int { return b.Created.Compare(a.Created) })
	return keys, nil
}

// addSigningKey generates a key that signs from now on. It is the newest even if the
// clock was set back since the last one.
func addSigningKey(ctx context.Context, st *store.Store, now time.Time) (*issuer.Key, error) {
	stored, err := st.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	if len(stored) > 0 && !now.After(stored[0].Created) {
		now = stored[0].Created.Add(time.Microsecond) // the store's resolution
	}
	key, err := issuer.GenerateKey(now)
	if err != nil {
		return nil, err
	}
	pem, err := key.PEM()
	if err != nil {
		return nil, err
	}
	return key, st.AddSigningKey(ctx, store.SigningKey{ID: key.ID, PEM: pem, Created: key.Created})
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

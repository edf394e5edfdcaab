// Package issuer is the token authority: the part of Microsoft Entra ID that clients of
// Partner Center use. It has tenants with their app registrations and users, signs
// users in with a browser or a device code, issues tokens at the v1 and v2.0 token
// endpoints, publishes discovery documents and keys, and checks the tokens that it has
// issued. Package entra checks those of the real one.
//
// An [Authority] stores nothing on disk. Signing keys are made with [GenerateKey],
// stored by the caller as PEM and restored with [ParseKey]; what else lasts, or is shared
// with other servers, is a [Keeper]'s. What a token allows is not decided here.
package issuer

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/queue"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// DefaultLifetime is how long a token is valid, as at Microsoft.
const DefaultLifetime = time.Hour

// Client is an app registration with its service principal in the tenant that lists it.
// ID and ObjectID are required, and a way for the app to authenticate: a secret, a
// certificate, or being public.
type Client struct {
	ID           string // the application (client) id; case-insensitive
	Secrets      []Secret
	Certificates []Certificate
	Name         string // for people, shown when they sign in
	ObjectID     string // the service principal's object id: oid and sub of its tokens
	// RedirectURIs are where the browser may be sent after a sign-in. The port of
	// http://localhost and http://127.0.0.1 is ignored.
	RedirectURIs []string
	Public       bool // it may sign users in without a credential of its own
	MultiTenant  bool // users of other tenants may consent to it
	AdminConsent bool // its tenant's administrator has consented for all users
	Disabled     bool
}

// Secret is a password of an app.
type Secret struct {
	Value   string
	Expires *time.Time // nil: never
}

// Certificate is a certificate whose private key an app authenticates with.
type Certificate struct {
	Certificate *x509.Certificate
	Revoked     bool
}

// User is a user in a tenant. UserPrincipalName and ObjectID are required.
type User struct {
	UserPrincipalName string // name@domain; case-insensitive
	ObjectID          string // oid of the user's tokens
	Name              string
	Roles             []string // what the user may do, in the checker's terms
	Password          string   // empty: the user cannot sign in with one
	MFA               bool     // a second factor is registered, and required
	Administrator     bool     // may consent for the whole tenant
	Disabled          bool
}

// Tenant is a directory: the partner, in Partner Center's terms.
type Tenant struct {
	ID      string   // a GUID
	Domains []string // also name the tenant in paths, in any case
	Clients []Client
	Users   []User
}

// Customer is the tenant of a partner's customer. It has no users and apps of its own:
// those of the partner act in it, once the customer has consented to the app.
type Customer struct {
	ID       string
	Domain   string   // empty: it has none
	Partners []string // ids of the tenants whose users may act in it
}

// Options configures [New]. Keeper, or Keys and Tenants, are required.
type Options struct {
	// Keeper keeps everything. Nil means that the following is known, and that what changes
	// is kept in memory only.
	Keeper Keeper
	// Keys verify tokens; the first one signs them.
	Keys []*Key
	// Tenants are the directories that tokens are issued for.
	Tenants  []Tenant
	Consents []Consent

	// BaseURLs are the addresses that requests may be sent to, such as
	// "https://localhost:8443", and thereby the trusted issuers. The first is used for
	// requests to other addresses. Without any, requests are answered with 503 and
	// tokens are refused until SetBaseURLs is called.
	BaseURLs []string
	// PageURL is where people open pages whose client came to a host of Microsoft's. Empty
	// means the first of BaseURLs that is none, of plain HTTP before TLS.
	PageURL string
	// Resources are the audiences that can be requested and that a token may have, by
	// address or app id. None means token.DefaultResources.
	Resources []string
	// Lifetime of a token, in whole seconds. Zero means DefaultLifetime; negative is an
	// error.
	Lifetime time.Duration
	// Leeway is allowed at both ends of a token's validity. Zero means
	// token.DefaultLeeway, negative means none.
	Leeway time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// System is the clock that nobody sets, for what must end though Now is frozen or set
	// back: limits on guesses, repeated requests, and lives that began in a future which
	// was taken back. Nil means time.Now.
	System func() time.Time

	// Customer finds the tenant of a customer, which is not among Tenants, by id or
	// domain; nil if there is none. The result may change at any time. Nil means that
	// there are no customers.
	Customer func(ctx context.Context, name string) (*Customer, error)
	// ReuseAssertions accepts a client assertion again until it expires, as Microsoft does.
	ReuseAssertions bool
}

// Authority issues and checks tokens. Its methods may be called concurrently.
type Authority struct {
	resources map[string]bool // by token.ResourceKey
	audience  string          // the first resource, Mint's default
	pageURL   string          // Options.PageURL
	lifetime  time.Duration
	leeway    time.Duration
	now       func() time.Time
	system    func() time.Time
	endpoints []*endpoint
	verified  token.Cache[*trust]
	guesses   *guesses
	forms     *queue.Queue // requests with forms
	faults    faults
	keeper    Keeper
	trusted   trusted
	// reuse says that client assertions may give several tokens.
	reuse bool
	added struct { // counts new records by kind
		mu sync.Mutex
		n  map[string]int
	}
	// customer is Options.Customer, never nil.
	customer func(ctx context.Context, name string) (*Customer, error)
}

// directory is Options.Tenants indexed for lookups.
type directory struct {
	tenants     map[string]*tenant // by lower-case id and by each lower-case domain
	apps        map[string]*app    // by lower-case client id
	userTenants map[string]*tenant // by their lower-case user principal names
}

// tenant is a Tenant indexed for lookups, or a Customer.
type tenant struct {
	id    string // lower case
	name  string // a domain or, without any, the id
	users map[string]*User

	customer bool
	partners []string // ids of the tenants whose users may act in a customer's
}

// is reports whether two are one tenant, maybe as it was known at two moments.
func (t *tenant) is(other *tenant) bool { return t.id == other.id && t.customer == other.customer }

// admits reports whether the users of another tenant may act in this one.
func (t *tenant) admits(other *tenant) bool {
	return t.is(other) || slices.Contains(t.partners, other.id)
}

func (t *tenant) user(name string) *User { return t.users[ascii.ToLower(name)] }

func (t *tenant) userByID(objectID string) *User {
	for _, u := range t.users {
		if u.ObjectID == objectID {
			return u
		}
	}
	return nil
}

// app is a Client and the tenant that lists it.
type app struct {
	*Client
	home *tenant
}

// objectIDs is the namespace of object ids, that of OIDs in RFC 9562.
const objectIDs = "\x6b\xa7\xb8\x12\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// objectIDIn returns the object id of the app's service principal in a tenant. Outside
// the app's home tenant it is derived from both names.
func (a *app) objectIDIn(t *tenant) string {
	if t.is(a.home) {
		return a.ObjectID
	}
	return guid.Sum([]byte(objectIDs + t.id + " " + guid.Key(a.ID)))
}

// tenant returns the tenant with an id or domain, or nil.
func (d *directory) tenant(name string) *tenant { return d.tenants[ascii.ToLower(name)] }

// tenantOf returns the tenant of a user, or nil.
func (d *directory) tenantOf(user string) *tenant { return d.userTenants[ascii.ToLower(user)] }

// app returns the app with a client id, or nil.
func (d *directory) app(clientID string) *app { return d.apps[ascii.ToLower(clientID)] }

// appFor returns the app with a client id if it is made for a tenant, or nil.
func (d *directory) appFor(t *tenant, clientID string) *app {
	if app := d.app(clientID); app != nil && app.isFor(t) {
		return app
	}
	return nil
}

// isFor reports whether the app is made for a tenant: its own or, if it is a
// multi-tenant one, any. Whether another tenant has it, consents say, and in a
// customer's nothing else.
func (a *app) isFor(t *tenant) bool { return a.home.is(t) || a.MultiTenant || t.customer }

// Requests with forms wait for each other: each keeps a processor busy for a millisecond or
// more.
const (
	formsByProcessor = 4
	maxWaitingForms  = 256
)

// Forms returns figures of the requests with forms.
func (a *Authority) Forms() queue.Figures { return a.forms.Figures() }

// New returns an authority for the tenants of o, or an error about the first problem
// with o.
func New(o Options) (*Authority, error) {
	bases, err := token.NormalBases(o.BaseURLs)
	if err != nil {
		return nil, err
	}
	if o.Lifetime < 0 || o.Lifetime%time.Second != 0 {
		return nil, fmt.Errorf("issuer: token lifetime %v: give whole seconds, or zero for %v", o.Lifetime, DefaultLifetime)
	}
	a := &Authority{
		resources: make(map[string]bool),
		pageURL:   o.PageURL,
		lifetime:  cmp.Or(o.Lifetime, DefaultLifetime),
		leeway:    max(cmp.Or(o.Leeway, token.DefaultLeeway), 0),
		now:       o.Now,
		system:    o.System,
		verified:  token.NewCache[*trust](token.CacheSize),
		keeper:    o.Keeper,
		forms:     queue.New(formsByProcessor*runtime.GOMAXPROCS(0), maxWaitingForms),
		reuse:     o.ReuseAssertions,
	}
	a.added.n = make(map[string]int)
	if a.now == nil {
		a.now = time.Now
	}
	if a.system == nil {
		a.system = time.Now
	}
	a.guesses = newGuesses(a.system)
	if a.keeper == nil {
		a.keeper = newMemory(Known{Keys: slices.Clone(o.Keys), Tenants: o.Tenants, Consents: o.Consents}, a.instant)
	}
	if len(o.Resources) == 0 {
		o.Resources = token.DefaultResources
	}
	a.audience = o.Resources[0]
	for _, r := range o.Resources {
		a.resources[token.ResourceKey(r)] = true
		if id := token.AppOf(r); id != "" {
			a.resources[id] = true
		}
	}
	if a.customer = o.Customer; a.customer == nil {
		a.customer = func(context.Context, string) (*Customer, error) { return nil, nil }
	}
	a.endpoints = a.makeEndpoints()
	a.trusted.now.Store(&trust{bases: bases})
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	for kind, bound := range bounds {
		if err := a.keeper.TrimRecords(ctx, kind, bound.keep, bound.limit); err != nil {
			return nil, err
		}
	}
	if t, err := a.readTrust(); err != nil {
		return nil, err
	} else if len(t.keys) == 0 {
		return nil, errors.New("issuer: no signing key: make one with GenerateKey")
	}
	return a, nil
}

func indexTenants(list []Tenant) (d directory, err error) {
	if len(list) == 0 {
		return d, errors.New("issuer: no tenants: give at least one, with a client, in Options.Tenants")
	}
	d = directory{tenants: map[string]*tenant{}, apps: map[string]*app{}, userTenants: map[string]*tenant{}}
	for _, t := range list {
		if !guid.Is(t.ID) {
			return d, fmt.Errorf("issuer: tenant id %q is not a GUID: write it as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", t.ID)
		}
		made := &tenant{id: ascii.ToLower(t.ID), name: t.ID, users: make(map[string]*User)}
		if len(t.Domains) > 0 {
			made.name = t.Domains[0]
		}
		for _, name := range append([]string{t.ID}, t.Domains...) {
			name = ascii.ToLower(name)
			if name == "" || isShared(name) {
				return d, fmt.Errorf("issuer: tenant %s: %q cannot name a tenant: give a domain such as contoso.onmicrosoft.com", t.ID, name)
			}
			if other := d.tenants[name]; other != nil {
				return d, fmt.Errorf("issuer: %q names both tenant %s and tenant %s: remove one of the two", name, other.id, made.id)
			}
			d.tenants[name] = made
		}
		for _, c := range t.Clients {
			if c.ID == "" || c.ObjectID == "" || len(c.Secrets) == 0 && len(c.Certificates) == 0 && !c.Public {
				return d, fmt.Errorf("issuer: tenant %s: client %q: ID, ObjectID and a secret or a certificate are all required", t.ID, c.ID)
			}
			if other := d.apps[ascii.ToLower(c.ID)]; other != nil {
				return d, fmt.Errorf("issuer: client %s is listed twice, in tenants %s and %s: remove one of the two", c.ID, other.home.id, t.ID)
			}
			d.apps[ascii.ToLower(c.ID)] = &app{Client: &c, home: made}
		}
		for _, u := range t.Users {
			if u.UserPrincipalName == "" || u.ObjectID == "" {
				return d, fmt.Errorf("issuer: tenant %s: user %q: UserPrincipalName and ObjectID are both required", t.ID, u.UserPrincipalName)
			}
			name := ascii.ToLower(u.UserPrincipalName)
			if other := d.userTenants[name]; other != nil {
				return d, fmt.Errorf("issuer: user %s is listed twice, in tenants %s and %s: remove one of the two", u.UserPrincipalName, other.id, t.ID)
			}
			made.users[name], d.userTenants[name] = &u, made
		}
	}
	return d, nil
}

func checkKeys(keys []*Key) error {
	seen := make(map[string]bool)
	for _, k := range keys {
		if k == nil || k.ID == "" || k.Private == nil {
			return errors.New("issuer: incomplete signing key: make it with GenerateKey or ParseKey")
		}
		if seen[k.ID] {
			return fmt.Errorf("issuer: signing key %s is listed twice: remove one of the two", k.ID)
		}
		seen[k.ID] = true
	}
	return nil
}

// isShared reports whether a path names no specific tenant: clients may use such names
// for discovery, but not for app-only tokens.
func isShared(name string) bool {
	return ascii.EqualFold(name, "common") || ascii.EqualFold(name, "organizations")
}

// findTenant returns the tenant of a path, by id or domain: a partner's, or that of one
// of their customers. It is nil for the shared names. No other place decides which
// tenants exist.
func (a *Authority) findTenant(c *call, name string) (*tenant, error) {
	if isShared(name) {
		return nil, nil
	}
	if found := c.trust.tenant(name); found != nil {
		return found, nil
	}
	customer, err := a.customer(c.r.Context(), name)
	switch {
	case err != nil:
		return nil, err
	case customer == nil:
		return nil, unknownTenant(name)
	}
	found := &tenant{id: ascii.ToLower(customer.ID), name: cmp.Or(customer.Domain, customer.ID), customer: true}
	for _, id := range customer.Partners {
		found.partners = append(found.partners, ascii.ToLower(id))
	}
	return found, nil
}

// CanConsent reports whether a tenant can consent to a client: it is its own, or a
// multi-tenant one of another tenant.
func (a *Authority) CanConsent(tenantID, clientID string) (bool, error) {
	t, err := a.latest()
	if err != nil {
		return false, err
	}
	tenant := t.tenant(tenantID)
	return tenant != nil && t.appFor(tenant, clientID) != nil, nil
}

// ForgetGuesses forgets which passwords, secrets and codes were wrong.
func (a *Authority) ForgetGuesses() { a.guesses.forget() }

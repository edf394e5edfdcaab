// Package entra checks access tokens that Microsoft Entra ID issued, with the keys that
// it publishes. It issues none and stores nothing on disk; what a token allows is not
// decided here.
package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Options configures [New]. Authority and Tenants are required.
type Options struct {
	// Authority is the base URL of the cloud's sign-in service, such as
	// https://login.microsoftonline.com. Keys are fetched from there. Plain HTTP is
	// allowed for this machine only.
	Authority string
	// Tenants are those whose tokens are accepted.
	Tenants []Tenant
	// Roles map Microsoft's ids of roles and groups (the claims wids and groups) to
	// roles in the checker's terms.
	Roles map[string]string
	// Resources are the accepted audiences, by address or app id. None means
	// token.DefaultResources.
	Resources []string
	// BaseURLs are this server's own addresses, for links.
	BaseURLs []string
	// Leeway is allowed at both ends of a token's validity. Zero means
	// token.DefaultLeeway, negative means none.
	Leeway time.Duration
	// Now is the clock that tokens are checked against. Nil means time.Now: Microsoft's
	// tokens follow real time.
	Now func() time.Time
	// Transport fetches the keys. Nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Logger logs what was fetched and what could not be. Nil logs nothing.
	Logger *slog.Logger
}

// Tenant is a directory whose tokens are accepted.
type Tenant struct {
	ID string // a GUID
	// Clients says which clients are enabled, by id in any case. Tokens of others are
	// refused. None accepts all apps of the tenant.
	Clients map[string]bool
	// Users add their roles to their tokens, and disabled ones are refused. A user who
	// is not listed has the roles of Options.Roles only.
	Users []User
}

// User is a member of a tenant.
type User struct {
	UserPrincipalName string // name@domain; compared without regard to case
	ObjectID          string
	Roles             []string // what the user may do, in the caller's words
	Disabled          bool
}

// Checker checks tokens that Microsoft Entra ID issued for some tenants, with the keys
// that it publishes. [Checker.Run] keeps the keys up to date; methods may be called
// concurrently.
type Checker struct {
	authority string // a base URL
	sources   map[string]*source
	resources map[string]bool // by token.ResourceKey: whether a user's token may be for it
	roles     map[string]string
	bases     []string
	leeway    time.Duration
	now       func() time.Time
	verified  token.Cache[*keyRing]
	client    *http.Client
	log       *slog.Logger

	mu   sync.Mutex // held while ring is replaced
	ring atomic.Pointer[keyRing]
}

// New returns a checker without keys, or an error about the first problem with o. It
// sends nothing.
func New(o Options) (*Checker, error) {
	authority, ok := token.NormalBase(o.Authority)
	if !ok {
		return nil, fmt.Errorf("authority %q: give scheme, host and port only, such as https://login.microsoftonline.com", o.Authority)
	}
	if u, err := url.Parse(authority); err != nil || u.Scheme != "https" && !loopback.IsHost(u.Hostname()) {
		return nil, fmt.Errorf("authority %s: keys fetched over plain HTTP could be anybody's: use https", authority)
	}
	if len(o.Tenants) == 0 {
		return nil, errors.New("no tenants: give at least one in Options.Tenants")
	}
	bases, err := token.NormalBases(o.BaseURLs)
	if err != nil {
		return nil, err
	}
	e := &Checker{
		authority: authority,
		sources:   make(map[string]*source),
		resources: make(map[string]bool),
		roles:     make(map[string]string),
		bases:     bases,
		leeway:    max(cmp.Or(o.Leeway, token.DefaultLeeway), 0),
		now:       o.Now,
		verified:  token.NewCache[*keyRing](token.CacheSize),
		client:    newFetchClient(o.Transport),
		log:       o.Logger,
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if len(o.Resources) == 0 {
		o.Resources = token.DefaultResources
	}
	for _, r := range o.Resources {
		// Apps sign in to the API with a graph; a user's token for it is meant for the
		// graph.
		e.resources[token.ResourceKey(r)] = !token.IsGraph(r)
		if id := token.AppOf(r); id != "" {
			e.resources[id] = !token.IsGraph(r)
		}
	}
	for id, role := range o.Roles {
		e.roles[ascii.ToLower(id)] = role
	}
	for _, t := range o.Tenants {
		if !guid.Is(t.ID) {
			return nil, fmt.Errorf("tenant id %q is not a GUID: write it as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", t.ID)
		}
		id := ascii.ToLower(t.ID)
		if e.sources[id] != nil {
			return nil, fmt.Errorf("tenant %s is listed twice: remove one of the two", id)
		}
		e.sources[id] = newSource(e, id, t)
	}
	e.ring.Store(&keyRing{realms: make(map[realmID]*realm)})
	return e, nil
}

// Run fetches the keys of all tenants, and refreshes them when due, until ctx is done.
func (e *Checker) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, s := range e.sources {
		group.Go(func() { s.keepFresh(ctx) })
	}
	group.Wait()
}

// Ready returns an [*UnavailableError] while the keys of a tenant have not been
// fetched, so that its tokens cannot be checked.
func (e *Checker) Ready() error {
	ring := e.ring.Load()
	for _, id := range slices.Sorted(maps.Keys(e.sources)) {
		for _, v := range token.Versions {
			if ring.realm(id, v) == nil {
				return &UnavailableError{Authority: e.authority, TenantID: id}
			}
		}
	}
	return nil
}

// UnavailableError says that a token cannot be checked now, valid or not, because the
// authority's keys are missing. The log says why.
type UnavailableError struct {
	Authority string // a base URL
	TenantID  string // whose keys are missing
}

// Error ends with what to do next.
func (e *UnavailableError) Error() string {
	return "the keys of tenant " + e.TenantID + " could not be fetched from " + e.Authority +
		"; try again in a moment, or see the server's log for what is wrong"
}

// TokenEndpoint is where clients get tokens, with {tenant} in it.
func (e *Checker) TokenEndpoint() string { return e.authority + "/{tenant}/oauth2/v2.0/token" }

// BaseURL returns the base URL that a request was sent to, for links. A Host header
// with an unknown name is not trusted.
func (e *Checker) BaseURL(r *http.Request) string { return token.BaseOf(e.bases, r) }

// authorityPaths are the paths below a tenant where a token authority serves tokens,
// discovery documents and keys.
var authorityPaths = map[string]string{
	"oauth2":      "/{tenant}/oauth2",
	"discovery":   "/{tenant}/discovery",
	".well-known": "/{tenant}/.well-known",
	"v2.0":        "/{tenant}/v2.0",
	"userrealm":   "/{tenant}/userrealm",
}

// Lookup finds the paths of a token authority. The handler says that there is none
// here, and where to find it.
func (e *Checker) Lookup(path string) (pattern string, h http.Handler, ok bool) {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(parts) < 3 {
		return "", nil, false
	}
	pattern, ok = authorityPaths[ascii.ToLower(parts[1])]
	return pattern, http.HandlerFunc(e.serveNotHere), ok
}

func (e *Checker) serveNotHere(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	// An error here is the connection's: nobody is left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{
		"error": "invalid_instance",
		"error_description": "This server issues no tokens: it accepts those of " + e.authority +
			". Get one from " + e.TokenEndpoint() + ".",
	})
}

// Verify checks an access token and returns its claims. An error is a
// [*token.VerifyError], or an [*UnavailableError] if the authority is needed and does
// not answer. A token that was verified before costs a map lookup and a look at the
// clock; one with an unknown key may wait for the authority.
func (e *Checker) Verify(text string) (*token.Claims, error) {
	claims, err := e.verify(text)
	if refused, ok := errors.AsType[*token.VerifyError](err); ok {
		if next := entraNextStep[refused.Reason]; next != "" {
			refused.Next = next
		}
	}
	return claims, err
}

// entraNextStep replaces advice that is worded for the local authority.
var entraNextStep = map[token.Reason]string{
	token.ReasonAlgorithm:  "request a token from Microsoft Entra ID",
	token.ReasonUnknownKey: "request a new token from Microsoft Entra ID",
	token.ReasonSignature:  "request a new token from Microsoft Entra ID",
	token.ReasonAudience:   "request a token for the API",
	token.ReasonIssuer:     "request a token from the authority that this server was started with",
	token.ReasonTenant:     "request a token for another tenant, or start the server with --tenant for this one too",
	token.ReasonClient:     "have the app added to the partner's apps, or enabled, in the seed file",
	token.ReasonUser:       "have the user enabled in the seed file",
}

func (e *Checker) verify(text string) (*token.Claims, error) {
	if err := token.CheckSize(text); err != nil {
		return nil, err
	}
	if claims := e.verified.Recall(text, e.ring.Load()); claims != nil {
		if err := token.CheckTime(claims, e.now(), e.leeway); err != nil {
			return nil, err
		}
		return claims, nil
	}
	parsed, err := token.Parse(text)
	if err != nil {
		return nil, err
	}
	// Nothing of w is trusted before the signature is checked: it only tells which
	// tenant's keys to use. What is wrong in any case is refused before the authority
	// is asked for a key.
	var w entraClaims
	if err := token.ReadClaims(parsed.Unverified(), &w); err != nil {
		return nil, err
	}
	source := e.sources[w.TenantID]
	if source == nil {
		return nil, token.Refuse(token.ReasonTenant, "tenant %s is not one of this server's", quote.Text(w.TenantID))
	}
	if err := e.checkKind(&w); err != nil {
		return nil, err
	}
	claims := w.Claims(parsed.KeyID)
	if err := token.CheckTime(claims, e.now(), e.leeway); err != nil {
		return nil, err
	}
	ring, realm, err := source.keyFor(w.Version, parsed.KeyID)
	if err != nil {
		return nil, err
	}
	if w.Issuer != realm.issuer {
		return nil, token.Refuse(token.ReasonIssuer, "issuer %s is not that of tenant %s", quote.Text(w.Issuer), source.tenant)
	}
	if _, err := parsed.Verify(realm.keys[parsed.KeyID]); err != nil {
		return nil, err
	}
	if err := source.admit(claims, &w); err != nil {
		return nil, err
	}
	e.verified.Remember(text, claims, ring)
	return claims, nil
}

// checkKind refuses tokens that are not for the API, whoever issued them.
func (e *Checker) checkKind(w *entraClaims) error {
	if !slices.Contains(token.Versions, w.Version) {
		return token.Refuse(token.ReasonIssuer, "version %s is not known", quote.Text(string(w.Version)))
	}
	if err := w.CheckAccess(); err != nil {
		return err
	}
	if users, known := e.resources[token.ResourceKey(w.Audience)]; !known || w.hasUser() && !users {
		return token.Refuse(token.ReasonAudience, "its audience is %s", quote.Text(w.Audience))
	}
	return nil
}

// admit looks up the client and the user of a valid token, and completes its claims.
func (s *source) admit(claims *token.Claims, w *entraClaims) error {
	if !s.takesClient(claims.AppID) {
		return token.Refuse(token.ReasonClient, "client %s is not registered for partner %s, or disabled", quote.Text(claims.AppID), s.tenant)
	}
	if !w.hasUser() {
		claims.IDType, claims.MFA, claims.Scope = "app", false, ""
		return nil
	}
	// Only upn is trusted as a name: its domain is the tenant's, while the others may
	// be anything.
	listed := s.user(w.ObjectID, w.UPN)
	if listed != nil && listed.Disabled {
		return token.Refuse(token.ReasonUser, "user %s of partner %s is disabled", quote.Text(listed.UserPrincipalName), s.tenant)
	}
	claims.IDType, claims.User, claims.Roles = "", w.userName(), s.checker.rolesOf(listed, w)
	return nil
}

// entraClaims are the claims of Microsoft's tokens that local ones lack.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type entraClaims struct {
	token.Payload
	DirectoryRoles []string `json:"wids"`   // template ids of the user's roles in the directory
	Groups         []string `json:"groups"` // object ids; absent for users in very many groups
}

// hasUser reports whether the client acts for a user. Microsoft marks app-only tokens
// with idtyp only if the app requests it; but a user's token always has a scope.
func (w *entraClaims) hasUser() bool {
	if ascii.EqualFold(w.IDType, "app") {
		return false
	}
	return w.Scope != "" || w.User() != ""
}

// userName returns the name of the user that the client acts for: guests have no user
// principal name, so their object id is used.
func (w *entraClaims) userName() string {
	return cmp.Or(w.UPN, w.PreferredUsername, w.UniqueName, w.ObjectID)
}

// rolesOf returns the user's roles: those from the list of users, and those that the
// token's ids stand for. The claim roles is different: it has the app's own roles.
func (e *Checker) rolesOf(listed *User, w *entraClaims) []string {
	var roles []string
	if listed != nil {
		roles = slices.Clone(listed.Roles)
	}
	for _, id := range slices.Concat(w.DirectoryRoles, w.Groups) {
		if role := e.roles[ascii.ToLower(id)]; role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

package issuer

import (
	"cmp"
	"context"
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
)

// EntraOptions configures [NewEntra]. Authority and Tenants are required.
type EntraOptions struct {
	// Authority is the base URL of the cloud's sign-in service, such as
	// https://login.microsoftonline.com. Keys are looked up there. Plain HTTP is
	// for this machine only.
	Authority string
	// Tenants are those whose tokens count. A tenant that lists clients takes no
	// other's tokens, one that lists none takes those of all its apps; of a client
	// only ID and Disabled are looked at. Users lend their roles to tokens for
	// them, unless they are disabled; a user that is not listed has the roles of
	// Roles only.
	Tenants []Tenant
	// Roles are what Microsoft's ids of roles and groups (the claims wids and
	// groups) mean in the checker's words.
	Roles map[string]string
	// Resources are the audiences that a token may have, besides the API's app id.
	// None means DefaultResources.
	Resources []string
	// BaseURLs are this server's own addresses, for links; see Options.
	BaseURLs []string
	// Leeway and CacheSize are as in Options.
	Leeway    time.Duration
	CacheSize int
	// Now is the clock that tokens are held against. Nil means time.Now:
	// Microsoft's tokens live by the time of the world.
	Now func() time.Time
	// Transport fetches the keys. Nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Logger is told what was fetched and what could not be. Nil logs nothing.
	Logger *slog.Logger
}

// Entra checks tokens that Microsoft Entra ID issued for some tenants, with the
// keys that it publishes. It issues none. [Entra.Run] keeps the keys fresh;
// methods may be called concurrently.
type Entra struct {
	authority string // a base URL
	sources   map[string]*source
	resources map[string]bool // by resourceKey: whether a user's token may be for it
	roles     map[string]string
	bases     []string
	leeway    time.Duration
	now       func() time.Time
	verified  tokenCache[*keyRing]
	client    *http.Client
	log       *slog.Logger

	mu   sync.Mutex // held while ring is replaced
	ring atomic.Pointer[keyRing]
}

// apiAppID is the API by its app id, which is the audience of 2.0 tokens.
const apiAppID = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"

// isGraph reports whether a resource is the directory graph of a cloud. Apps
// sign in to the API by it; a user's token for it is meant for the graph.
func isGraph(resource string) bool { return strings.HasPrefix(resource, "https://graph.") }

// NewEntra returns a checker that has no keys yet, or an error that names the
// first thing wrong with o. It sends nothing.
func NewEntra(o EntraOptions) (*Entra, error) {
	authority, ok := normalBase(o.Authority)
	if !ok {
		return nil, fmt.Errorf("issuer: authority %q: give scheme, host and port only, such as https://login.microsoftonline.com", o.Authority)
	}
	if u, err := url.Parse(authority); err != nil || u.Scheme != "https" && !isLoopbackHost(u.Hostname()) {
		return nil, fmt.Errorf("issuer: authority %s: keys that came over plain HTTP could be anybody's: use https", authority)
	}
	if len(o.Tenants) == 0 {
		return nil, errors.New("issuer: no tenants: give at least one in EntraOptions.Tenants")
	}
	bases, err := normalBases(o.BaseURLs)
	if err != nil {
		return nil, err
	}
	e := &Entra{
		authority: authority,
		sources:   make(map[string]*source),
		resources: map[string]bool{apiAppID: true},
		roles:     make(map[string]string),
		bases:     bases,
		leeway:    max(cmp.Or(o.Leeway, DefaultLeeway), 0),
		now:       o.Now,
		log:       o.Logger,
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if len(o.Resources) == 0 {
		o.Resources = DefaultResources
	}
	for _, r := range o.Resources {
		e.resources[resourceKey(r)] = !isGraph(r)
	}
	for id, role := range o.Roles {
		e.roles[strings.ToLower(id)] = role
	}
	for _, t := range o.Tenants {
		if !isGUID(t.ID) {
			return nil, fmt.Errorf("issuer: tenant id %q is not a GUID: write it as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", t.ID)
		}
		id := strings.ToLower(t.ID)
		if e.sources[id] != nil {
			return nil, fmt.Errorf("issuer: tenant %s is listed twice: remove one of the two", id)
		}
		e.sources[id] = newSource(e, id, t)
	}
	if e.verified, err = newTokenCache[*keyRing](o.CacheSize); err != nil {
		return nil, err
	}
	e.client = newFetchClient(o.Transport)
	e.ring.Store(&keyRing{})
	return e, nil
}

// Run fetches the keys of all tenants, and again when they are due, until ctx is
// done.
func (e *Entra) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, s := range e.sources {
		group.Go(func() { s.keepFresh(ctx) })
	}
	group.Wait()
}

// Ready returns an [*UnavailableError] while tokens of some tenant cannot be
// checked, because its keys were not fetched yet.
func (e *Entra) Ready() error {
	ring := e.ring.Load()
	for _, id := range slices.Sorted(maps.Keys(e.sources)) {
		for _, v := range versions {
			if ring.realm(id, v) == nil {
				return &UnavailableError{Authority: e.authority, TenantID: id}
			}
		}
	}
	return nil
}

// UnavailableError says that a token cannot be checked now, good or bad: the
// authority does not tell its keys. Why, is in the log.
type UnavailableError struct {
	Authority string // a base URL
	TenantID  string // whose keys are missing
}

// Error ends with what to do next.
func (e *UnavailableError) Error() string {
	return "issuer: the keys of tenant " + e.TenantID + " could not be fetched from " + e.Authority +
		"; try again in a moment, or see the server's log for what is wrong"
}

// TokenEndpoint is where clients get tokens, with {tenant} in it.
func (e *Entra) TokenEndpoint() string { return e.authority + "/{tenant}/oauth2/v2.0/token" }

// BaseURL returns the base URL that a request came to, for links. A Host header
// that names none of the server's is not believed.
func (e *Entra) BaseURL(r *http.Request) string {
	if len(e.bases) == 0 {
		return ""
	}
	return baseOf(e.bases, r)
}

// notHere are the paths below a tenant at which an [Authority] would answer:
// endpoints of tokens, of discovery and of keys.
var notHere = map[string]string{
	"oauth2":      "/{tenant}/oauth2",
	"discovery":   "/{tenant}/discovery",
	".well-known": "/{tenant}/.well-known",
	"v2.0":        "/{tenant}/v2.0",
}

// Lookup finds the paths of a token authority, as [Authority.Lookup] does. The
// handler says that there is none here, and where there is.
func (e *Entra) Lookup(path string) (pattern string, h http.Handler, ok bool) {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(parts) < 3 {
		return "", nil, false
	}
	pattern, ok = notHere[strings.ToLower(parts[1])]
	return pattern, http.HandlerFunc(e.serveNotHere), ok
}

func (e *Entra) serveNotHere(w http.ResponseWriter, _ *http.Request) {
	neverStore(w)
	writeJSON(w, http.StatusNotFound, map[string]string{
		"error": "invalid_instance",
		"error_description": "This server issues no tokens: it takes those of " + e.authority +
			". Get one from " + e.TokenEndpoint() + ".",
	})
}

// Verify checks an access token and returns its claims. An error is a
// [*VerifyError], or an [*UnavailableError] when the authority is needed and
// does not answer. A token that was verified before costs a look into a map and
// at the clock; one of an unknown key may wait for the authority.
func (e *Entra) Verify(token string) (*Claims, error) {
	claims, err := e.verify(token)
	if refused, ok := errors.AsType[*VerifyError](err); ok {
		if next := entraNextStep[refused.Reason]; next != "" {
			refused.Next = next
		}
	}
	return claims, err
}

// entraNextStep replaces what is worded for an authority of our own.
var entraNextStep = map[Reason]string{
	ReasonAlgorithm:  "request a token from Microsoft Entra ID",
	ReasonUnknownKey: "request a new token from Microsoft Entra ID",
	ReasonSignature:  "request a new token from Microsoft Entra ID",
	ReasonAudience:   "request a token for the API; the directory graph's will do for an app alone",
	ReasonIssuer:     "request a token from the authority that this server was started with",
	ReasonTenant:     "request a token for another tenant, or start the server with --tenant for this one too",
	ReasonClient:     "have the app added to the partner's apps, or enabled, in the seed file",
	ReasonUser:       "have the user enabled in the seed file",
}

func (e *Entra) verify(token string) (*Claims, error) {
	if err := checkSize(token); err != nil {
		return nil, err
	}
	if claims := e.verified.recall(token, e.ring.Load()); claims != nil {
		if err := checkTime(claims, e.now(), e.leeway); err != nil {
			return nil, err
		}
		return claims, nil
	}
	parsed, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	// Nothing of w is believed before its signature was checked: it tells which
	// tenant's keys to look among. What is wrong in any case is refused before
	// the authority would be asked about a key.
	var w entraClaims
	if err := readClaims(parsed.jws.UnsafePayloadWithoutVerification(), &w); err != nil {
		return nil, err
	}
	source := e.sources[w.TenantID]
	if source == nil {
		return nil, refuse(ReasonTenant, "tenant %s is not one of this server's", quote(w.TenantID))
	}
	if err := e.checkKind(&w); err != nil {
		return nil, err
	}
	claims := w.claims(parsed.keyID)
	if err := checkTime(claims, e.now(), e.leeway); err != nil {
		return nil, err
	}
	ring, realm, err := source.find(w.Version, parsed.keyID)
	if err != nil {
		return nil, err
	}
	if w.Issuer != realm.issuer {
		return nil, refuse(ReasonIssuer, "issuer %s is not that of tenant %s", quote(w.Issuer), source.tenant)
	}
	if _, err := parsed.verify(realm.keys[parsed.keyID]); err != nil {
		return nil, err
	}
	if err := source.admit(claims, &w); err != nil {
		return nil, err
	}
	e.verified.remember(token, claims, ring)
	return claims, nil
}

// checkKind refuses what is no token for the API, whoever issued it.
func (e *Entra) checkKind(w *entraClaims) error {
	if !slices.Contains(versions, w.Version) {
		return refuse(ReasonIssuer, "version %s is not known", quote(string(w.Version)))
	}
	if err := w.checkAccess(); err != nil {
		return err
	}
	if users, known := e.resources[resourceKey(w.Audience)]; !known || w.hasUser() && !users {
		return refuse(ReasonAudience, "its audience is %s", quote(w.Audience))
	}
	return nil
}

// admit looks up the client and the user of a good token, and completes its
// claims.
func (s *source) admit(claims *Claims, w *entraClaims) error {
	if !s.takesClient(claims.AppID) {
		return refuse(ReasonClient, "client %s is not registered for partner %s, or disabled", quote(claims.AppID), s.tenant)
	}
	if !w.hasUser() {
		claims.IDType, claims.MFA, claims.Scope = "app", false, ""
		return nil
	}
	// Of names only upn counts: it is in a domain of the tenant, while the others
	// are what somebody wrote.
	listed := s.user(w.ObjectID, w.UPN)
	if listed != nil && listed.Disabled {
		return refuse(ReasonUser, "user %s of partner %s is disabled", quote(listed.UserPrincipalName), s.tenant)
	}
	claims.IDType, claims.User, claims.Roles = "", w.userName(), s.entra.rolesOf(listed, w)
	return nil
}

// entraClaims are the claims of Microsoft's tokens that ours do not have.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type entraClaims struct {
	wireClaims
	DirectoryRoles []string `json:"wids"`   // template ids of the user's roles in the directory
	Groups         []string `json:"groups"` // object ids; absent from tokens of users in very many
}

// hasUser reports whether the client acts for a user. Microsoft marks app-only
// tokens by idtyp only where the app asks for it; what a user's token always has
// is a scope.
func (w *entraClaims) hasUser() bool {
	if strings.EqualFold(w.IDType, "app") {
		return false
	}
	return w.Scope != "" || w.user() != ""
}

// userName returns the name of the user that the client acts for: guests have
// no user principal name, and their object id stands for it.
func (w *entraClaims) userName() string {
	return cmp.Or(w.UPN, w.PreferredUsername, w.UniqueName, w.ObjectID)
}

// rolesOf returns the user's roles: those of the list of users, and those that
// the token tells by an id of Microsoft's. The claim roles is no such thing:
// there an app's own roles are.
func (e *Entra) rolesOf(listed *User, w *entraClaims) []string {
	var roles []string
	if listed != nil {
		roles = slices.Clone(listed.Roles)
	}
	for _, id := range slices.Concat(w.DirectoryRoles, w.Groups) {
		if role := e.roles[strings.ToLower(id)]; role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

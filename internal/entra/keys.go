package entra

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	// keysAge is the age at which keys are fetched again. Microsoft publishes a key
	// long before it signs with it.
	keysAge = 24 * time.Hour
	// refetchInterval is the least time between a fetch and one for an unknown key.
	// Anybody can make up key ids.
	refetchInterval = time.Minute
	// maxBackoff is the longest pause between tries while the authority fails.
	maxBackoff = time.Minute
	// fetchTimeout bounds fetching metadata and keys of one version.
	fetchTimeout = 10 * time.Second
	// maxWaiting is how many calls may wait for one tenant's keys.
	maxWaiting = 100
	// maxDocument is the longest accepted metadata or key set. Microsoft's have about
	// twenty kilobytes.
	maxDocument = 1 << 20
	// maxModulus keeps a key from making signature checks slow.
	maxModulus = 8192
)

// keyRing is what tokens are verified with at one moment. It is replaced as a whole and
// never modified.
type keyRing struct {
	realms map[realmID]*realm
}

type realmID struct {
	tenant  string
	version token.Version
}

// realm is the issuer of a tenant's tokens of one version.
type realm struct {
	issuer string
	keys   map[string]*rsa.PublicKey // by key id
}

func (r *keyRing) realm(tenant string, v token.Version) *realm { return r.realms[realmID{tenant, v}] }

func (r *realm) equal(other *realm) bool {
	return other != nil && r.issuer == other.issuer &&
		maps.EqualFunc(r.keys, other.keys, func(a, b *rsa.PublicKey) bool { return a.Equal(b) })
}

// put sets the realm of id. If the keys have not changed, verified tokens stay valid.
func (e *Checker) put(id realmID, r *realm) (changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.ring.Load()
	if r.equal(old.realms[id]) {
		return false
	}
	realms := maps.Clone(old.realms)
	realms[id] = r
	e.ring.Store(&keyRing{realms})
	return true
}

// source is a tenant and the source of its keys.
type source struct {
	checker *Checker
	tenant  string           // lower case
	clients map[string]bool  // by lower-case id: whether enabled; none means any
	users   map[string]*User // by lower-case object id and name

	mu       sync.Mutex
	inFlight chan struct{} // closed when the current fetch is done; nil without one
	waiting  int           // calls that wait for the fetch
	began    time.Time     // when the last fetch began; zero before the first
	failures int           // fetches since the last success
}

func newSource(e *Checker, id string, t Tenant) *source {
	s := &source{checker: e, tenant: id, clients: make(map[string]bool), users: make(map[string]*User)}
	for id, enabled := range t.Clients {
		s.clients[ascii.ToLower(id)] = enabled
	}
	for _, u := range t.Users {
		s.users[ascii.ToLower(u.UserPrincipalName)] = &u
		s.users[ascii.ToLower(u.ObjectID)] = &u
	}
	delete(s.users, "") // an absent claim matches nobody
	return s
}

func (s *source) takesClient(id string) bool {
	return id != "" && (len(s.clients) == 0 || s.clients[ascii.ToLower(id)])
}

// user returns a listed user, or nil. Object ids are never reassigned, so they take
// precedence over names.
func (s *source) user(objectID, name string) *User {
	if u := s.users[ascii.ToLower(objectID)]; u != nil {
		return u
	}
	return s.users[ascii.ToLower(name)]
}

// keepFresh fetches the keys when they are due, until ctx is done.
func (s *source) keepFresh(ctx context.Context) {
	for {
		var wake <-chan time.Time
		var done <-chan struct{}
		if wait := s.untilDue(); wait > 0 {
			wake = time.After(wait)
		} else {
			done = s.fetch()
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-done:
		}
	}
}

// untilDue returns the time until the keys must be fetched, or until a running fetch is
// to be waited for.
func (s *source) untilDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() || s.inFlight != nil {
		return 0
	}
	wait := keysAge
	if s.failures > 0 {
		wait = min(time.Second<<min(s.failures-1, 10), maxBackoff)
	}
	return time.Until(s.began.Add(wait))
}

// keyFor returns the tenant's realm of a version with the key in it, and the ring of
// both. For an unknown key, the authority is asked.
func (s *source) keyFor(v token.Version, keyID string) (*keyRing, *realm, error) {
	ring := s.checker.ring.Load()
	if r := ring.realm(s.tenant, v); r != nil && r.keys[keyID] != nil {
		return ring, r, nil
	}
	asked := s.refresh()
	ring = s.checker.ring.Load()
	r := ring.realm(s.tenant, v)
	switch {
	case r != nil && r.keys[keyID] != nil:
		return ring, r, nil
	case r == nil || !asked:
		return nil, nil, &UnavailableError{Authority: s.checker.authority, TenantID: s.tenant}
	}
	return nil, nil, token.Refuse(token.ReasonUnknownKey, "key %s is not one of tenant %s", quote.Text(keyID), s.tenant)
}

// refresh fetches the keys, or waits for a running fetch, unless they were fetched very
// recently. It reports whether the keys are current.
func (s *source) refresh() bool {
	s.mu.Lock()
	if s.inFlight == nil && !s.began.IsZero() && time.Since(s.began) < refetchInterval {
		defer s.mu.Unlock()
		return s.failures == 0
	}
	if s.waiting >= maxWaiting {
		s.mu.Unlock()
		return false
	}
	s.waiting++
	s.mu.Unlock()
	<-s.fetch()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	return s.failures == 0
}

// fetch starts fetching the keys, unless that is in progress. The channel is closed
// when it is done, within fetchTimeout.
func (s *source) fetch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight == nil {
		flight := make(chan struct{})
		s.inFlight, s.began = flight, time.Now()
		go func() {
			err := s.fetchAll()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.inFlight, s.failures = nil, s.failures+1
			if err == nil {
				s.failures = 0
			}
			close(flight)
		}()
	}
	return s.inFlight
}

// fetchAll fetches the keys of both token.Versions. What cannot be fetched stays as it
// is.
func (s *source) fetchAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	errs := make([]error, len(token.Versions))
	var group sync.WaitGroup
	for i, v := range token.Versions {
		group.Go(func() { errs[i] = s.fetchRealm(ctx, v) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func (s *source) fetchRealm(ctx context.Context, v token.Version) error {
	log := s.checker.log.With(slog.String("authority", s.checker.authority), slog.String("tenant", s.tenant), slog.String("version", string(v)))
	r, err := s.checker.fetchRealm(ctx, s.tenant, v)
	if err != nil {
		effect := "tokens are answered with 503"
		if s.checker.ring.Load().realm(s.tenant, v) != nil {
			effect = "keys fetched before stay in use"
		}
		log.Warn("signing keys cannot be fetched; trying again", slog.String("effect", effect), slog.String("error", err.Error()))
		return err
	}
	if s.checker.put(realmID{s.tenant, v}, r) {
		log.Info("signing keys fetched", slog.Int("keys", len(r.keys)))
	}
	return nil
}

// metadata is the part of an OpenID configuration that is used.
// https://openid.net/specs/openid-connect-discovery-1_0.html
type metadata struct {
	Issuer  string `json:"issuer"`
	KeysURI string `json:"jwks_uri"`
}

// fetchRealm asks the authority for a tenant's issuer and keys. The errors are for the
// server's log.
func (e *Checker) fetchRealm(ctx context.Context, tenant string, v token.Version) (*realm, error) {
	prefix := e.authority + "/" + tenant
	if v == token.V2 {
		prefix += "/v2.0"
	}
	var document metadata
	if err := e.get(ctx, prefix+"/.well-known/openid-configuration", &document); err != nil {
		return nil, err
	}
	if err := e.checkIssuer(document.Issuer, tenant, v); err != nil {
		return nil, err
	}
	if err := e.checkKeysURI(document.KeysURI); err != nil {
		return nil, err
	}
	var set keySet
	if err := e.get(ctx, document.KeysURI, &set); err != nil {
		return nil, err
	}
	keys := set.usable(tenant)
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no key for the tenant's RS256 tokens", document.KeysURI)
	}
	return &realm{issuer: document.Issuer, keys: keys}, nil
}

// checkIssuer refuses metadata of another tenant or another issuer.
func (e *Checker) checkIssuer(issuer, tenant string, v token.Version) error {
	base, path, ok := cutBase(issuer)
	if !ok || !e.isTrusted(base) || base+path != token.IssuerOf(base, tenant, v) {
		return fmt.Errorf("the metadata's issuer %s is not tenant %s at the authority", quote.Text(issuer), tenant)
	}
	return nil
}

// checkKeysURI refuses key sets from other origins.
func (e *Checker) checkKeysURI(uri string) error {
	base, _, ok := cutBase(uri)
	if !ok || !e.isTrusted(base) {
		return fmt.Errorf("the metadata's jwks_uri %s leads away from the authority", quote.Text(uri))
	}
	return nil
}

// isTrusted reports whether a base URL is the authority or one of Microsoft's sign-in
// services, which refer to each other.
func (e *Checker) isTrusted(base string) bool {
	host, isTLS := strings.CutPrefix(base, "https://")
	return base == e.authority || isTLS && cloudhosts.Issues(host)
}

// cutBase splits an absolute URL without user, query and fragment into base URL and
// path, both unchanged.
func cutBase(text string) (base, path string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false
	}
	base = u.Scheme + "://" + u.Host
	path, ok = strings.CutPrefix(text, base)
	return base, path, ok
}

// newFetchClient returns a client that follows no redirects: the origin of keys is
// checked before they are requested.
func newFetchClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get decodes a JSON document. Errors quote nothing from the answer.
func (e *Checker) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := e.client.Do(req)
	if err != nil {
		return err // it names the address
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		next := ""
		switch {
		case resp.StatusCode >= 300 && resp.StatusCode < 400:
			next = "; redirects are not followed"
		case resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusNotFound:
			next = "; check the tenant's id"
		}
		return fmt.Errorf("%s answered %s%s", address, resp.Status, next)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/html" {
		return fmt.Errorf("%s answered with a web page instead of JSON; a proxy on the way may require a sign-in", address)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return fmt.Errorf("%s sent an incomplete answer: %w", address, err)
	}
	if len(body) > maxDocument {
		return fmt.Errorf("%s answered with more than %d bytes", address, maxDocument)
	}
	if json.Unmarshal(body, into) != nil {
		return fmt.Errorf("%s did not answer with the expected JSON", address)
	}
	return nil
}

// keySet is the part of a JSON Web Key Set (RFC 7517) that RSA keys need. A key of an
// unknown kind must not affect the others.
type keySet struct {
	Keys []struct {
		Type      string `json:"kty"`
		ID        string `json:"kid"`
		Use       string `json:"use"`
		Algorithm string `json:"alg"`
		Modulus   string `json:"n"`
		Exponent  string `json:"e"`
		Issuer    string `json:"issuer"` // Microsoft's: whose tokens the key signs
	} `json:"keys"`
}

// usable returns the keys that may sign a tenant's tokens with RS256, by id. The first
// of several with the same id counts.
func (s *keySet) usable(tenant string) map[string]*rsa.PublicKey {
	keys := make(map[string]*rsa.PublicKey)
	for _, k := range s.Keys {
		if k.Type != "RSA" || k.ID == "" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		if k.Issuer != "" && !strings.Contains(k.Issuer, "{tenantid}") && !strings.Contains(k.Issuer, tenant) {
			continue // such as personal accounts
		}
		if key := publicKey(k.Modulus, k.Exponent); key != nil && keys[k.ID] == nil {
			keys[k.ID] = key
		}
	}
	return keys
}

// publicKey returns an RSA key of reasonable size, or nil.
func publicKey(modulus, exponent string) *rsa.PublicKey {
	n, err1 := base64.RawURLEncoding.DecodeString(modulus)
	e, err2 := base64.RawURLEncoding.DecodeString(exponent)
	if err1 != nil || err2 != nil {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	if bits := key.N.BitLen(); bits < token.KeyBits || bits > maxModulus {
		return nil
	}
	exp := new(big.Int).SetBytes(e)
	if exp.BitLen() > 31 || exp.Cmp(big.NewInt(3)) < 0 || exp.Bit(0) == 0 {
		return nil
	}
	key.E = int(exp.Int64())
	return key
}

package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	tenantID    = "a1b2c3d4-0000-4000-8000-00000000000a"
	otherTenant = "a1b2c3d4-0000-4000-8000-00000000000b"
	clientID    = "c0ffee00-0000-4000-8000-000000000001"
	otherClient = "c0ffee00-0000-4000-8000-000000000002"
	objectID    = "0b1ec700-0000-4000-8000-000000000001"
	userID      = "0b1ec700-0000-4000-8000-00000000000a"
	secret      = "s3cr~t+/&=%"
	base        = "http://127.0.0.1:8080"
	baseTLS     = "https://localhost:8443"
	graph       = "https://graph.windows.net"
	api         = "https://api.partnercenter.microsoft.com"
)

var start = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// Making RSA keys is slow: all tests share two.
var (
	key1 = sync.OnceValue(mustKey)
	key2 = sync.OnceValue(mustKey)
)

func mustKey() *Key {
	k, err := GenerateKey(start)
	if err != nil {
		panic(err)
	}
	return k
}

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func options() Options {
	return Options{
		Keys: []*Key{key1()},
		Tenants: []Tenant{
			{ID: tenantID, Domains: []string{"Contoso.onmicrosoft.com"}, Clients: []Client{{ID: clientID, Secrets: []Secret{{Value: secret}}, ObjectID: objectID}},
				Users: []User{{UserPrincipalName: "Ada@Contoso.onmicrosoft.com", ObjectID: userID, Name: "Ada Byron", Roles: []string{"admin_agent"}}}},
			{ID: otherTenant, Clients: []Client{{ID: otherClient, Secrets: []Secret{{Value: "other"}}, ObjectID: "o"}}},
		},
		BaseURLs: []string{base, baseTLS},
		Now:      func() time.Time { return start },
	}
}

func newAuthority(t testing.TB, o Options) *Authority {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mint(t testing.TB, a *Authority, r MintRequest) string {
	t.Helper()
	if r.Tenant == "" {
		r.Tenant, r.ClientID = tenantID, clientID
	}
	token, err := a.Mint(r)
	if err != nil {
		t.Fatal(err)
	}
	return token.Text
}

// get answers one request to a as it would arrive at target.
func get(a *Authority, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return value
}

func TestNewRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no key":              {func(o *Options) { o.Keys = nil }, "GenerateKey"},
		"nil key":             {func(o *Options) { o.Keys = []*Key{nil} }, "GenerateKey"},
		"key twice":           {func(o *Options) { o.Keys = []*Key{key1(), key1()} }, "remove one"},
		"no tenant":           {func(o *Options) { o.Tenants = nil }, "Options.Tenants"},
		"tenant without GUID": {func(o *Options) { o.Tenants[0].ID = "contoso" }, "not a GUID"},
		"tenant twice":        {func(o *Options) { o.Tenants[1].ID = strings.ToUpper(tenantID) }, "remove one"},
		"domain twice":        {func(o *Options) { o.Tenants[1].Domains = []string{"CONTOSO.onmicrosoft.com"} }, "remove one"},
		"domain common":       {func(o *Options) { o.Tenants[1].Domains = []string{"Common"} }, "cannot name a tenant"},
		"client twice": {func(o *Options) {
			o.Tenants[0].Clients = append(o.Tenants[0].Clients, Client{ID: strings.ToUpper(clientID), Secrets: []Secret{{Value: "x"}}, ObjectID: "o"})
		}, "listed twice"},
		"client without secret": {func(o *Options) { o.Tenants[0].Clients[0].Secrets = nil }, "all required"},
		"negative lifetime":     {func(o *Options) { o.Lifetime = -1 }, "whole seconds"},
		"broken lifetime":       {func(o *Options) { o.Lifetime = time.Millisecond }, "whole seconds"},
		"base without scheme":   {func(o *Options) { o.BaseURLs = []string{"localhost:8080"} }, "scheme, host and port"},
		"base with path":        {func(o *Options) { o.BaseURLs = []string{"http://localhost/v1"} }, "scheme, host and port"},
		"base with user":        {func(o *Options) { o.BaseURLs = []string{"http://u@localhost"} }, "scheme, host and port"},
		"base with query":       {func(o *Options) { o.BaseURLs = []string{"http://localhost?x=1"} }, "scheme, host and port"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			test.change(&o)
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New: %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestKeyPEM(t *testing.T) {
	text, err := key1().PEM()
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKey(key1().ID, text, start)
	if err != nil {
		t.Fatal(err)
	}
	if !k.Private.Equal(key1().Private) || k.ID != key1().ID || !k.Created.Equal(start) {
		t.Error("a key did not survive PEM")
	}
	if key1().ID == key2().ID || len(key1().ID) != 43 {
		t.Errorf("ids %q and %q", key1().ID, key2().ID)
	}
	for name, text := range map[string]string{
		"empty":        "",
		"not PEM":      "SECRET",
		"wrong type":   "-----BEGIN RSA PRIVATE KEY-----\nU0VDUkVU\n-----END RSA PRIVATE KEY-----\n",
		"not PKCS#8":   "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n",
		"not RSA":      pkcs8(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"RSA too weak": pkcs8(rsa.GenerateKey(rand.Reader, 1024)),
	} {
		_, err := ParseKey("id", []byte(text), start)
		if err == nil || !strings.HasSuffix(err.Error(), "make a new key") || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseKey("", text, start); err == nil {
		t.Error("a key without an id was accepted")
	}
}

func pkcs8[K any](key K, err error) string {
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestLookup(t *testing.T) {
	a := newAuthority(t, options())
	for path, want := range map[string]string{
		"/contoso.com/oauth2/token":                  "/{tenant}/oauth2/token",
		"/contoso.com/OAuth2/Token/":                 "/{tenant}/oauth2/token",
		"//contoso.com//oauth2///token":              "/{tenant}/oauth2/token",
		"/x/oauth2/V2.0/token":                       "/{tenant}/oauth2/v2.0/token",
		"/x/.well-known/openid-configuration":        "/{tenant}/.well-known/openid-configuration",
		"/x/v2.0/.well-known/OpenID-configuration//": "/{tenant}/v2.0/.well-known/openid-configuration",
		"/x/discovery/keys":                          "/{tenant}/discovery/keys",
		"/x/discovery/v2.0/keys":                     "/{tenant}/discovery/v2.0/keys",
		"/Common/discovery/instance":                 "/common/discovery/instance",
		"/x/discovery/instance":                      "",
		"/oauth2/token":                              "",
		"/":                                          "",
		"":                                           "",
		"/v1/customers":                              "",
		"/v1/customers/x/orders/y":                   "",
		"/a/x/oauth2/token":                          "",
		"/x/oauth2/../oauth2/token":                  "",
		"/x/oauth2/v2.0/token/" + strings.Repeat("more/", 1<<10):   "",
		"/x" + strings.Repeat("/", 1<<10) + "oauth2/token":         "/{tenant}/oauth2/token",
		"/.well-known/openid-configuration":                        "",
		"/x/v2.0/discovery/keys":                                   "",
		"/x/oauth2/v2.0/token?not=a&path=1":                        "",
		"/x/oauth2/v2.0/devicecode/which/is/not/there/at/all/here": "",
	} {
		pattern, h, ok := a.Lookup(path)
		if pattern != want || ok != (want != "") || (h != nil) != ok {
			t.Errorf("Lookup(%.60q) = %q, %v, want %q", path, pattern, ok, want)
		}
	}
	for _, path := range []string{"/contoso.com/OAUTH2/v2.0/token/", "/v1/customers/x/orders/y"} {
		if n := testing.AllocsPerRun(100, func() { a.Lookup(path) }); n > 0 {
			t.Errorf("Lookup(%q) allocates %v times", path, n)
		}
	}
}

func TestServeHTTP(t *testing.T) {
	a := newAuthority(t, options())
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/" + tenantID + "/oauth2/token", 405, "POST"},
		{"OPTIONS", "/" + tenantID + "/oauth2/v2.0/token", 405, "POST"},
		{"POST", "/" + tenantID + "/discovery/keys", 405, "GET, HEAD"},
		{"DELETE", "/common/discovery/instance", 405, "GET, HEAD"},
		{"HEAD", "/" + tenantID + "/discovery/keys", 200, ""},
		{"HEAD", "/common/v2.0/.well-known/openid-configuration", 200, ""},
		{"GET", "/" + tenantID + "/nothing", 404, ""},
	} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if w.Code != test.status || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow %q", test.method, test.path, w.Code, w.Header().Get("Allow"))
		}
		if w.Code == 405 && decode[failureBody](t, w).Codes[0] != codeMethod.number {
			t.Errorf("%s %s: %s", test.method, test.path, w.Body)
		}
	}
}

// Before the listeners are open, the issuer's name is unknown.
func TestNotReady(t *testing.T) {
	o := options()
	o.BaseURLs = nil
	a := newAuthority(t, o)
	if _, err := a.Mint(MintRequest{Tenant: tenantID, ClientID: clientID}); err == nil {
		t.Error("minted without an issuer")
	}
	target := base + "/" + tenantID + "/discovery/keys"
	if w := get(a, target); w.Code != 503 || decode[failureBody](t, w).Error != "temporarily_unavailable" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := a.SetBaseURLs("nonsense"); err == nil {
		t.Error("a base URL without a scheme was accepted")
	}
	if err := a.SetBaseURLs(base); err != nil {
		t.Error(err)
	}
	if w := get(a, target); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	a.RevokeKey(key1().ID)
	w := post(a, "/"+tenantID+"/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "resource": {graph},
	})
	if w.Code != 503 {
		t.Errorf("without a key: %d %s", w.Code, w.Body)
	}
}

func TestDiscovery(t *testing.T) {
	a := newAuthority(t, options())
	for target, want := range map[string]discoveryDocument{
		base + "/" + tenantID + "/v2.0/.well-known/openid-configuration": {
			Issuer:                base + "/" + tenantID + "/v2.0",
			TokenEndpoint:         base + "/" + tenantID + "/oauth2/v2.0/token",
			AuthorizationEndpoint: base + "/" + tenantID + "/oauth2/v2.0/authorize",
			KeysURI:               base + "/" + tenantID + "/discovery/v2.0/keys",
		},
		"https://LOCALHOST:8443/CONTOSO.onmicrosoft.com/.well-known/openid-configuration?": {
			Issuer:                baseTLS + "/" + tenantID + "/",
			TokenEndpoint:         baseTLS + "/" + tenantID + "/oauth2/token",
			AuthorizationEndpoint: baseTLS + "/" + tenantID + "/oauth2/authorize",
			KeysURI:               baseTLS + "/" + tenantID + "/discovery/keys",
		},
		// Neither a foreign host nor a known one with another scheme is reflected.
		"https://evil.example/Common/v2.0/.well-known/openid-configuration": {
			Issuer:                base + "/{tenantid}/v2.0",
			TokenEndpoint:         base + "/common/oauth2/v2.0/token",
			AuthorizationEndpoint: base + "/common/oauth2/v2.0/authorize",
			KeysURI:               base + "/common/discovery/v2.0/keys",
		},
		"http://localhost:8443/organizations/.well-known/openid-configuration": {
			Issuer:                base + "/{tenantid}/",
			TokenEndpoint:         base + "/organizations/oauth2/token",
			AuthorizationEndpoint: base + "/organizations/oauth2/authorize",
			KeysURI:               base + "/organizations/discovery/keys",
		},
	} {
		w := get(a, target)
		got := decode[discoveryDocument](t, w)
		if w.Code != 200 || got.Issuer != want.Issuer || got.TokenEndpoint != want.TokenEndpoint ||
			got.AuthorizationEndpoint != want.AuthorizationEndpoint || got.KeysURI != want.KeysURI {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		if w.Header().Get("Cache-Control") != discoveryAge {
			t.Errorf("%s: Cache-Control %q", target, w.Header().Get("Cache-Control"))
		}
	}
	for _, target := range []string{"/nobody/.well-known/openid-configuration", "/consumers/discovery/keys", "/nobody/v2.0/.well-known/openid-configuration"} {
		w := get(a, target)
		if f := decode[failureBody](t, w); w.Code != 400 || f.Error != "invalid_tenant" || f.Codes[0] != codeUnknownTenant.number {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", target, got)
		}
	}
}

func TestPublicKeys(t *testing.T) {
	a := newAuthority(t, options())
	a.AddKey(key2())
	w := get(a, "/common/discovery/v2.0/keys")
	set := decode[struct{ Keys []map[string]string }](t, w)
	if len(set.Keys) != 2 || set.Keys[0]["kid"] != key2().ID || set.Keys[1]["kid"] != key1().ID {
		t.Fatalf("%s", w.Body)
	}
	for _, k := range set.Keys {
		if k["kty"] != "RSA" || k["use"] != "sig" || k["e"] != "AQAB" || len(k["n"]) != 342 || len(k) != 5 {
			t.Errorf("key %v", k)
		}
	}
}

func TestInstanceDiscovery(t *testing.T) {
	a := newAuthority(t, options())
	for endpoint, want := range map[string]string{
		baseTLS + "/" + tenantID + "/oauth2/v2.0/authorize":        baseTLS + "/" + tenantID + "/v2.0/.well-known/openid-configuration",
		baseTLS + "/contoso.onmicrosoft.com/oauth2/v2.0/authorize": baseTLS + "/" + tenantID + "/v2.0/.well-known/openid-configuration",
		base + "/common/oauth2/authorize":                          base + "/common/v2.0/.well-known/openid-configuration",
		"https://evil.example/" + tenantID + "/oauth2/authorize":   "invalid_instance",
		"https://localhost:8443@evil.example/common/oauth2/x":      "invalid_instance",
		"%zz":                                "invalid_instance",
		baseTLS + "/nobody/oauth2/authorize": "invalid_tenant",
		"":                                   "invalid_request",
	} {
		w := get(a, base+"/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(endpoint))
		got := decode[struct {
			instanceDocument
			failureBody
		}](t, w)
		if got.DiscoveryEndpoint+got.Error != want {
			t.Errorf("%q: %d %s", endpoint, w.Code, w.Body)
		}
		if w.Code == 200 && !strings.Contains(endpoint, got.Metadata[0].PreferredNetwork) {
			t.Errorf("%q: metadata %v", endpoint, got.Metadata)
		}
	}
}

package entra

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

const (
	tenantID      = "a1b2c3d4-0000-4000-8000-00000000000a"
	otherTenant   = "a1b2c3d4-0000-4000-8000-00000000000b"
	clientID      = "c0ffee00-0000-4000-8000-000000000001"
	otherClient   = "c0ffee00-0000-4000-8000-000000000002"
	objectID      = "0b1ec700-0000-4000-8000-000000000001"
	userID        = "0b1ec700-0000-4000-8000-00000000000a"
	graph         = "https://graph.windows.net"
	api           = "https://api.partnercenter.microsoft.com"
	strangeTenant = "a1b2c3d4-0000-4000-8000-00000000000c" // of the authority, but not of the server
	globalAdmins  = "62e90394-69f5-4237-9190-012177145e10"
	adminAgents   = "9e0a95ea-0000-4000-8000-000000000001" // a group of tenantID
)

func entraOptions(f *fakeEntra) Options {
	return Options{
		Authority: "https://login.microsoftonline.com/",
		Tenants: []Tenant{
			{ID: tenantID, Users: []User{{UserPrincipalName: "Ada@Contoso.onmicrosoft.com", ObjectID: strings.ToUpper(userID), Roles: []string{"sales_agent"}}}},
			{ID: otherTenant, Clients: map[string]bool{strings.ToUpper(otherClient): true, objectID: false},
				Users: []User{{UserPrincipalName: "ada@contoso.com", ObjectID: userID, Disabled: true}}},
		},
		Roles:     map[string]string{globalAdmins: "global_admin", strings.ToUpper(adminAgents): "admin_agent"},
		Transport: f,
	}
}

func newEntra(t testing.TB, o Options) *Checker {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// key signs Microsoft's tokens.
type key struct {
	ID      string
	Private *rsa.PrivateKey
}

var (
	key1 = sync.OnceValue(func() *key { return mustKey("first") })
	key2 = sync.OnceValue(func() *key { return mustKey("second") })
)

func mustKey(id string) *key {
	private, err := rsa.GenerateKey(rand.Reader, token.KeyBits)
	if err != nil {
		panic(err)
	}
	return &key{id, private}
}

func forge(header, payload any, k *key) string { return tokentest.Forge(header, payload, k.Private) }

func mustSign(payload string, k *key) string {
	return forge(map[string]any{"alg": "RS256", "kid": k.ID}, json.RawMessage(payload), k)
}

// entraToken returns header and claims of an app-only 1.0 token in Microsoft's form.
func entraToken(k *key) (header, claims map[string]any) {
	now := time.Now()
	return map[string]any{"typ": "JWT", "alg": "RS256", "x5t": k.ID, "kid": k.ID},
		map[string]any{
			"aud": api, "iss": "https://sts.windows.net/" + tenantID + "/",
			"iat": now.Unix() - 300, "nbf": now.Unix() - 300, "exp": now.Unix() + 3600,
			"aio": "E2ZgYJ", "appid": clientID, "appidacr": "1", "idp": "https://sts.windows.net/" + tenantID + "/",
			"oid": objectID, "rh": "0.A", "roles": []string{"global_admin"}, "sub": objectID, "tid": tenantID, "uti": "u", "ver": "1.0",
			"xms_ftd": map[string]any{"a": 1},
		}
}

// merge returns claims with others; nil removes one.
func merge(claims, others map[string]any) map[string]any {
	claims = maps.Clone(claims)
	for name, value := range others {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// v2 are the claims that make a 1.0 token a 2.0 one.
func v2() map[string]any {
	return map[string]any{
		"aud": token.APIAppID, "iss": "https://login.microsoftonline.com/" + tenantID + "/v2.0", "ver": "2.0",
		"appid": nil, "appidacr": nil, "azp": clientID, "azpacr": "1",
	}
}

// forUser are the claims that make a token one for a user.
func forUser() map[string]any {
	return map[string]any{"oid": userID, "scp": "user_impersonation", "upn": "ada@contoso.onmicrosoft.com", "amr": []string{"pwd", "mfa"}, "roles": nil}
}

func reasonOf(t *testing.T, e *Checker, jwt string) token.Reason {
	t.Helper()
	claims, err := e.Verify(jwt)
	if err == nil {
		if claims == nil {
			t.Fatal("neither claims nor an error")
		}
		return ""
	}
	if claims != nil {
		t.Errorf("claims with error %v", err)
	}
	if len(jwt) > 20 && strings.Contains(err.Error(), jwt) || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("error text %q", err)
	}
	if refused, ok := errors.AsType[*token.VerifyError](err); ok {
		return refused.Reason
	}
	if _, ok := errors.AsType[*UnavailableError](err); ok {
		return "unavailable"
	}
	t.Fatalf("error %v", err)
	return ""
}

// TestEntraForged presents invalid tokens to one checker, twice each, over TLS with a
// certificate authority of its own.
func TestEntraForged(t *testing.T) {
	fake := newFakeEntra(key1())
	authority := httptest.NewUnstartedServer(fake)
	authority.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that were opened for nothing
	authority.StartTLS()
	defer authority.Close()
	o := entraOptions(fake)
	o.Authority, o.Transport = authority.URL, authority.Client().Transport
	e := newEntra(t, o)

	header, claims := entraToken(key1())
	jwt := forge(header, claims, key1())
	part := strings.Split(jwt, ".")
	public, err := x509.MarshalPKIXPublicKey(&key1().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte) string {
		input := tokentest.Encode(tokentest.With(header, "alg", "HS256")) + "." + part[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	signed := func(changes ...map[string]any) string {
		c := claims
		for _, change := range changes {
			c = merge(c, change)
		}
		return forge(header, c, key1())
	}
	type m = map[string]any
	now := time.Now().Unix()
	for _, test := range []struct {
		name, jwt string
		want      token.Reason
	}{
		{"1.0, app", jwt, ""},
		{"2.0, app", signed(v2()), ""},
		{"1.0, user", signed(forUser()), ""},
		{"2.0, user", signed(v2(), forUser()), ""},
		{"graph, app", signed(m{"aud": "https://graph.windows.net/"}), ""},
		{"another tenant", signed(m{"tid": otherTenant, "iss": "https://sts.windows.net/" + otherTenant + "/", "appid": otherClient}), ""},
		{"jku is not looked at", forge(merge(header, m{"jku": "https://evil.example/keys", "x5u": "https://evil.example/x"}), claims, key1()), ""},

		{"line break", jwt + "\n", token.ReasonMalformed},
		{"too large", jwt + strings.Repeat("x", token.MaxLength), token.ReasonTooLarge},
		{"claims no object", mustSign("[]", key1()), token.ReasonMalformed},
		{"repeated claim", mustSign(`{"aud":"a","aud":"b"}`, key1()), token.ReasonMalformed},
		{"alg none", tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + part[1] + ".", token.ReasonAlgorithm},
		{"alg PS256", forge(tokentest.With(header, "alg", "PS256"), claims, key1()), token.ReasonAlgorithm},
		{"HS256, public key", hs256(public), token.ReasonAlgorithm},
		{"HS256, modulus", hs256(key1().Private.N.Bytes()), token.ReasonAlgorithm},

		{"another key", forge(tokentest.With(header, "kid", key2().ID), claims, key2()), token.ReasonUnknownKey},
		{"no kid", forge(tokentest.With(header, "kid", nil), claims, key1()), token.ReasonUnknownKey},
		{"kid a path", forge(tokentest.With(header, "kid", "../../common/discovery/keys"), claims, key1()), token.ReasonUnknownKey},
		{"another key under the kid", forge(header, claims, key2()), token.ReasonSignature},
		{"embedded jwk", forge(tokentest.With(header, "jwk", jwkOf(key2())), claims, key2()), token.ReasonMalformed},
		{"changed claims", part[0] + "." + tokentest.Encode(merge(claims, m{"oid": userID})) + "." + part[2], token.ReasonSignature},
		{"no signature", part[0] + "." + part[1] + ".", token.ReasonSignature},
		{"unencoded payload", forge(merge(header, m{"b64": false, "crit": []string{"b64"}}), claims, key1()), token.ReasonSignature},

		{"another API", signed(m{"aud": "https://vault.azure.net"}), token.ReasonAudience},
		{"no audience", signed(m{"aud": nil}), token.ReasonAudience},
		{"graph, user", signed(m{"aud": graph}, forUser()), token.ReasonAudience},
		{"a tenant that is not wanted", signed(m{"tid": strangeTenant, "iss": "https://sts.windows.net/" + strangeTenant + "/"}), token.ReasonTenant},
		{"tenant in capitals", signed(m{"tid": strings.ToUpper(tenantID)}), token.ReasonTenant},
		{"no tenant", signed(m{"tid": nil}), token.ReasonTenant},
		{"a token of one tenant with another's tid", signed(m{"tid": otherTenant, "appid": otherClient}), token.ReasonIssuer},
		{"another tenant's issuer", signed(m{"iss": "https://sts.windows.net/" + otherTenant + "/"}), token.ReasonIssuer},
		{"issuer of another version", signed(m{"iss": "https://login.microsoftonline.com/" + tenantID + "/v2.0"}), token.ReasonIssuer},
		{"issuer without its slash", signed(m{"iss": "https://sts.windows.net/" + tenantID}), token.ReasonIssuer},
		{"issuer the authority's address", signed(m{"iss": authority.URL + "/" + tenantID + "/"}), token.ReasonIssuer},
		{"no issuer", signed(m{"iss": nil}), token.ReasonIssuer},
		{"unknown version", signed(m{"ver": "3.0"}), token.ReasonIssuer},
		{"no version", signed(m{"ver": nil}), token.ReasonIssuer},
		{"no client", signed(m{"appid": nil}), token.ReasonIDToken},
		{"1.0 with azp", signed(m{"appid": nil, "azp": clientID}), token.ReasonClient},
		{"a client that is not listed", signed(m{"tid": otherTenant, "iss": "https://sts.windows.net/" + otherTenant + "/"}), token.ReasonClient},
		{"a client that is not listed, and nobody's signature", forge(header, merge(claims, m{"tid": otherTenant, "iss": "https://sts.windows.net/" + otherTenant + "/"}), key2()), token.ReasonSignature},
		{"a client that is disabled", signed(m{"tid": otherTenant, "iss": "https://sts.windows.net/" + otherTenant + "/", "appid": objectID}), token.ReasonClient},
		{"a user who is disabled", signed(forUser(), m{"tid": otherTenant, "iss": "https://sts.windows.net/" + otherTenant + "/", "appid": otherClient}), token.ReasonUser},
		{"expired", signed(m{"exp": now - 61}), token.ReasonExpired},
		{"expired within the leeway", signed(m{"exp": now - 30}), ""},
		{"not valid yet", signed(m{"nbf": now + 90}), token.ReasonNotYetValid},
		{"no expiry", signed(m{"exp": nil}), token.ReasonExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				if got := reasonOf(t, e, test.jwt); got != test.want {
					t.Errorf("reason %q, want %q", got, test.want)
				}
			}
		})
	}
	if n := fake.requests(strangeTenant + "/.well-known/openid-configuration"); n != 0 {
		t.Errorf("the authority was asked %d times about a tenant that is not wanted", n)
	}
	// Two tenants, two versions: none of these tokens made the checker fetch keys
	// twice.
	if n := fake.requests("/openid-configuration"); n != 4 {
		t.Errorf("%d metadata were fetched, want 4", n)
	}
}

func TestEntraClaims(t *testing.T) {
	e := newEntra(t, entraOptions(newFakeEntra(key1())))
	type m = map[string]any
	for _, test := range []struct {
		name    string
		changes []map[string]any
		user    string
		roles   string
		mfa     bool
	}{
		{"app", nil, "", "", false},
		{"app that says so", []m{{"idtyp": "app"}}, "", "", false},
		{"app that says so, with a scope", []m{forUser(), {"idtyp": "app"}}, "", "", false},
		{"app with a directory role", []m{{"wids": []string{globalAdmins}}}, "", "", false},
		{"user in the list", []m{forUser()}, "ada@contoso.onmicrosoft.com", "sales_agent", true},
		{"user in the list, 2.0", []m{forUser(), v2(), {"upn": nil, "preferred_username": "ada@contoso.com"}}, "ada@contoso.com", "sales_agent", true},
		{"user in the list by name", []m{forUser(), {"oid": objectID}}, "ada@contoso.onmicrosoft.com", "sales_agent", true},
		{"another user of that preferred name", []m{forUser(), v2(), {"oid": objectID, "upn": nil, "preferred_username": "ada@contoso.onmicrosoft.com"}}, "ada@contoso.onmicrosoft.com", "", true},
		{"user with one factor", []m{forUser(), {"amr": []string{"pwd"}}}, "ada@contoso.onmicrosoft.com", "sales_agent", false},
		{"user who is a global administrator", []m{forUser(), {"wids": []string{"other", strings.ToUpper(globalAdmins)}}}, "ada@contoso.onmicrosoft.com", "sales_agent global_admin", true},
		{"user in a group", []m{forUser(), {"oid": objectID, "upn": "eve@contoso.com", "groups": []string{adminAgents, adminAgents}}}, "eve@contoso.com", "admin_agent", true},
		{"guest", []m{forUser(), {"oid": objectID, "upn": nil, "unique_name": "live.com#eve@example.com"}}, "live.com#eve@example.com", "", true},
		{"user without any name", []m{forUser(), {"oid": objectID, "upn": nil}}, objectID, "", true},
		{"user with roles of an app", []m{forUser(), {"oid": objectID, "upn": "eve@contoso.com", "roles": []string{"global_admin"}}}, "eve@contoso.com", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			header, claims := entraToken(key1())
			for _, change := range test.changes {
				claims = merge(claims, change)
			}
			got, err := e.Verify(forge(header, claims, key1()))
			if err != nil {
				t.Fatal(err)
			}
			if got.User != test.user || strings.Join(got.Roles, " ") != test.roles || got.MFA != test.mfa || got.HasUser() != (test.user != "") {
				t.Errorf("user %q, roles %v, second factor %v; want %q, %s, %v", got.User, got.Roles, got.MFA, test.user, test.roles, test.mfa)
			}
			if got.TenantID != tenantID || got.AppID != clientID || (got.IDType == "app") != (test.user == "") {
				t.Errorf("claims %+v", got)
			}
		})
	}
}

func TestNewEntraRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no authority":                           {func(o *Options) { o.Authority = "" }, "scheme, host and port"},
		"authority with a path":                  {func(o *Options) { o.Authority = "https://login.microsoftonline.com/common" }, "scheme, host and port"},
		"plain HTTP":                             {func(o *Options) { o.Authority = "http://login.microsoftonline.com" }, "use https"},
		"plain HTTP, a name like this machine's": {func(o *Options) { o.Authority = "http://localhost.example.com" }, "use https"},
		"no tenant":                              {func(o *Options) { o.Tenants = nil }, "Options.Tenants"},
		"tenant without a GUID":                  {func(o *Options) { o.Tenants[0].ID = "common" }, "not a GUID"},
		"tenant twice":                           {func(o *Options) { o.Tenants[1].ID = strings.ToUpper(tenantID) }, "remove one"},
		"base URL":                               {func(o *Options) { o.BaseURLs = []string{"localhost"} }, "base URL"},
	} {
		o := entraOptions(newFakeEntra())
		test.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

// TestEntraNotHere requests the paths of an authority, and is told where to find it.
func TestEntraNotHere(t *testing.T) {
	e := newEntra(t, entraOptions(newFakeEntra()))
	for path, want := range map[string]string{
		"/common/oauth2/token":                                      "/{tenant}/oauth2",
		"//" + tenantID + "//OAuth2/v2.0/token/":                    "/{tenant}/oauth2",
		"/" + tenantID + "/v2.0/.well-known/openid-configuration":   "/{tenant}/v2.0",
		"/contoso.onmicrosoft.com/.well-known/openid-configuration": "/{tenant}/.well-known",
		"/common/discovery/instance":                                "/{tenant}/discovery",
		"/customers/" + tenantID + "/orders":                        "",
		"/oauth2/token":                                             "",
		"/":                                                         "",
	} {
		pattern, h, ok := e.Lookup(path)
		if pattern != want || ok != (want != "") {
			t.Errorf("%s: pattern %q, %v", path, pattern, ok)
		}
		if !ok {
			continue
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		var body map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		if w.Code != 404 || !strings.Contains(body["error_description"], "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func BenchmarkEntraVerify(b *testing.B) {
	e := newEntra(b, entraOptions(newFakeEntra(key1())))
	header, claims := entraToken(key1())
	jwt := forge(header, claims, key1())
	for b.Loop() {
		if _, err := e.Verify(jwt); err != nil {
			b.Fatal(err)
		}
	}
}

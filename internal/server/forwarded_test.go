package server_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// behind is a server behind proxies.
type behind struct {
	*server.Server
	store     *store.Store
	authority *issuer.Authority
	partner   string
	app       seed.App
}

// newBehind starts servers on one database, each with a listener of its own.
func newBehind(t *testing.T, servers int, config server.Config, own ...string) (all []*behind) {
	t.Helper()
	ctx := t.Context()
	st, err := store.Open(ctx, ":memory:", nil)
	must(t, err)
	t.Cleanup(func() { st.Close() })
	data, err := seed.Sample()
	must(t, err)
	_, err = st.Load(ctx, data)
	must(t, err)
	addSigningKey(t, st)
	apps, err := st.Apps(ctx, data.Partners[0].TenantID)
	must(t, err)
	for i := range servers {
		b := &behind{store: st, partner: data.Partners[0].TenantID, app: apps[0]}
		bases := slices.Concat(config.PublicURLs, []string{"http://127.0.0.1:808" + string(rune('0'+i))}, own)
		page := ""
		if len(config.PublicURLs) > 0 {
			page = config.PublicURLs[0]
		}
		b.authority, err = control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: bases, PageURL: page})
		must(t, err)
		config.Store, config.Authority = st, b.authority
		b.Server, err = server.New(ctx, config)
		must(t, err)
		t.Cleanup(b.Close)
		all = append(all, b)
	}
	return all
}

// forwardedRequest is a request as it arrives from a peer.
func forwardedRequest(method, target, peer, host, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr, r.Host = peer, host
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func (b *behind) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// TestIssuerBehindProxy asks for the issuer through proxies that say much or little, and
// lies to it.
func TestIssuerBehindProxy(t *testing.T) {
	const a, b, plain, c1, c2 = "https://a.test", "https://b.test:9443", "http://a.test", "https://c.test:1", "https://c.test:2"
	s := newBehind(t, 1, server.Config{PublicURLs: []string{a, b, plain, c1, c2}, TrustedProxies: prefixes("10.0.0.0/8", "2001:db8::/32")}, cloudhosts.BaseURLs(443)...)[0]
	const proxy, stranger = "10.1.2.3:999", "192.0.2.1:999"
	from := func(values ...string) []string { return append([]string{"X-Forwarded-For", "192.0.2.9"}, values...) }
	for _, tt := range []struct {
		name, peer, host string
		tls              bool
		headers          []string
		want             string
	}{
		{"https", proxy, "a.test", false, from("X-Forwarded-Proto", "https"), a},
		{"https in capitals", proxy, "A.TEST", false, from("X-Forwarded-Proto", "HTTPS"), a},
		{"http", proxy, "a.test", false, from("X-Forwarded-Proto", "http"), plain},
		{"http over TLS to the server", proxy, "a.test", true, from("X-Forwarded-Proto", "http"), plain},
		{"the second", proxy, "b.test:9443", false, from("X-Forwarded-Proto", "https"), b},
		{"the second without its port", proxy, "b.test", false, from("X-Forwarded-Proto", "https"), b},
		{"the second, with a scheme that it has not", proxy, "b.test:9443", false, from("X-Forwarded-Proto", "http"), b},
		{"the second without a scheme", proxy, "b.test:9443", false, from(), b},
		{"IPv6", "[2001:db8::7]:1", "b.test:9443", false, from(), b},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:1", "b.test:9443", false, from(), b},
		{"the address that the proxy connects to", proxy, "127.0.0.1:8080", false, from("X-Forwarded-Proto", "https"), a},
		{"the same without a scheme", proxy, "127.0.0.1:8080", false, from(), a},
		{"a scheme that is none", proxy, "b.test:9443", false, from("X-Forwarded-Proto", "javascript"), b},
		{"two schemes", proxy, "a.test", false, from("X-Forwarded-Proto", "http, https"), a},
		{"two schemes, the other way round", proxy, "a.test", false, from("X-Forwarded-Proto", "https, http"), a},
		{"a port of two", proxy, "c.test:2", false, from("X-Forwarded-Proto", "https"), c2},
		{"one of two ports, left out", proxy, "c.test", false, from("X-Forwarded-Proto", "https"), c1},
		{"two schemes in two lines", proxy, "a.test", false, from("X-Forwarded-Proto", "http", "X-Forwarded-Proto", "https"), a},
		{"the same twice", proxy, "a.test", false, from("X-Forwarded-Proto", "http , HTTP"), plain},
		{"no address, but a scheme", proxy, "a.test", false, []string{"X-Forwarded-Proto", "http"}, plain},
		{"another host", proxy, "evil.example", false, from("X-Forwarded-Proto", "https"), a},
		{"a host that looks like it", proxy, "b.test.evil.example:9443", false, from(), a},
		{"a host with markup", proxy, `b.test"><script>`, false, from(), a},
		{"headers that are not known", proxy, "127.0.0.1:8080", false, []string{"Forwarded", "host=b.test;proto=https;for=1.2.3.4", "X-Forwarded-Host", "b.test:9443", "X-Forwarded-Proto", "https"}, a},
		{"the same alone", proxy, "127.0.0.1:8080", false, []string{"Forwarded", "host=b.test;proto=https", "X-Forwarded-Host", "b.test:9443"}, "http://127.0.0.1:8080"},
		{"the proxy itself", proxy, "127.0.0.1:8080", false, nil, "http://127.0.0.1:8080"},
		{"a host of Microsoft's", proxy, "login.microsoftonline.com", false, from("X-Forwarded-Proto", "https"), "https://login.microsoftonline.com"},

		{"a stranger's https", stranger, "a.test", false, from("X-Forwarded-Proto", "https"), plain},
		{"a stranger's http", stranger, "a.test", true, from("X-Forwarded-Proto", "http"), a},
		{"a stranger's host", stranger, "evil.example", false, from("X-Forwarded-Host", "b.test"), a},
		{"a stranger at the listener", stranger, "127.0.0.1:8080", false, from("X-Forwarded-Proto", "https"), "http://127.0.0.1:8080"},
		{"no peer", "@", "127.0.0.1:8080", false, from("X-Forwarded-Proto", "https"), "http://127.0.0.1:8080"},
	} {
		for _, path := range []string{"/" + s.partner + "/.well-known/openid-configuration", "/" + s.partner + "/v2.0/.well-known/openid-configuration"} {
			r := forwardedRequest("GET", path, tt.peer, tt.host, "", tt.headers...)
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := s.do(r)
			var document struct {
				Issuer string `json:"issuer"`
			}
			text := w.Body.String()
			must(t, json.Unmarshal(w.Body.Bytes(), &document))
			if !strings.HasPrefix(document.Issuer, tt.want+"/") {
				t.Errorf("%s: issuer %s, want that of %s", tt.name, document.Issuer, tt.want)
			}
			if n := strings.Count(text, tt.want+"/"); n != 6 || strings.Contains(text, "evil") {
				t.Errorf("%s: %s has %d addresses of %s", tt.name, text, n, tt.want)
			}
		}
	}
}

// TestClientBehindProxy locks an address out by what proxies say about it: each case
// sends wrong passwords with the one header, and then one with another that means the
// same, or somebody else.
func TestClientBehindProxy(t *testing.T) {
	s := newBehind(t, 1, server.Config{PublicURLs: []string{"https://pc.test"}, TrustedProxies: prefixes("10.0.0.0/8", "2001:db8:ffff::/48")})[0]
	const proxy = "10.1.2.3:999"
	long := strings.Repeat("10.9.9.9, ", 64)
	form := url.Values{
		"grant_type": {"password"}, "client_id": {s.app.ClientID}, "client_secret": {s.app.Secret}, "resource": {"https://api.partnercenter.microsoft.com"},
		"password": {"wrong"},
	}
	number := 0
	guess := func(peer string, lines []string, user string) bool {
		var headers []string
		for _, line := range lines {
			headers = append(headers, "X-Forwarded-For", line)
		}
		form.Set("username", user)
		w := s.do(forwardedRequest("POST", "/"+s.partner+"/oauth2/token", peer, "pc.test", form.Encode(), headers...))
		return strings.Contains(w.Body.String(), "AADSTS50053")
	}
	for _, tt := range []struct {
		name          string
		peer          string
		lines         []string
		peerOf, other string // a client that is the same, and one that is not, with their own connections
	}{
		{"one", proxy, []string{"192.0.2.1"}, "192.0.2.1:5", "192.0.2.2:5"},
		{"with a port", proxy, []string{"192.0.2.1:4711"}, "192.0.2.1:5", "10.1.2.3:5"},
		{"IPv6", proxy, []string{"2001:db8::1"}, "[2001:db8::9]:5", "[2001:db8:1::1]:5"},
		{"in brackets", proxy, []string{"[2001:db8::1]"}, "[2001:db8::9]:5", "10.1.2.3:5"},
		{"in brackets with a port", proxy, []string{"[2001:db8::1]:4711"}, "[2001:db8::9]:5", "10.1.2.3:5"},
		{"IPv4 in IPv6", proxy, []string{"::ffff:192.0.2.1"}, "192.0.2.1:5", "10.1.2.3:5"},
		{"a lie before it", proxy, []string{"198.51.100.1, 192.0.2.1"}, "192.0.2.1:5", "198.51.100.1:5"},
		{"a lie in an earlier line", proxy, []string{"198.51.100.1", "192.0.2.1"}, "192.0.2.1:5", "198.51.100.1:5"},
		{"garbage before it", proxy, []string{"<script>,, 192.0.2.1"}, "192.0.2.1:5", "10.1.2.3:5"},
		{"two proxies", proxy, []string{"198.51.100.1, 192.0.2.1, 10.7.7.7"}, "192.0.2.1:5", "10.7.7.7:5"},
		{"two proxies in lines", proxy, []string{"192.0.2.1", "2001:db8:ffff::1", "10.7.7.7"}, "192.0.2.1:5", "10.7.7.7:5"},
		{"a trusted one that lies about itself", proxy, []string{"10.7.7.7, 10.8.8.8"}, "10.7.7.7:5", "10.8.8.8:5"},
		{"empty elements", proxy, []string{"", " , 192.0.2.1 , ", ""}, "192.0.2.1:5", "10.1.2.3:5"},
		{"garbage at the end", proxy, []string{"192.0.2.1, unknown"}, "10.1.2.3:5", "192.0.2.1:5"},
		{"garbage behind a proxy", proxy, []string{"192.0.2.1, 1.2.3, 10.7.7.7"}, "10.1.2.3:5", "10.7.7.7:5"},
		{"a name", proxy, []string{"client.example"}, "10.1.2.3:5", "192.0.2.1:5"},
		{"half a bracket", proxy, []string{"[2001:db8::1"}, "10.1.2.3:5", "[2001:db8::1]:5"},
		{"a port that is none", proxy, []string{"192.0.2.1:x"}, "10.1.2.3:5", "192.0.2.1:5"},
		{"nothing", proxy, nil, "10.1.2.3:5", "192.0.2.1:5"},
		{"nothing but commas", proxy, []string{",,,"}, "10.1.2.3:5", "192.0.2.1:5"},
		{"too many proxies", proxy, []string{"192.0.2.1, " + long + "10.9.9.9"}, "10.1.2.3:5", "10.9.9.9:5"},
		{"a long lie", proxy, []string{long + "192.0.2.1"}, "192.0.2.1:5", "10.9.9.9:5"},
		{"a stranger", "203.0.113.1:9", []string{"192.0.2.1"}, "203.0.113.1:5", "192.0.2.1:5"},
		{"a stranger that names a proxy", "203.0.113.1:9", []string{"10.1.2.3"}, "203.0.113.1:5", "10.1.2.3:5"},
		{"this machine is no proxy", "127.0.0.1:9", []string{"192.0.2.1"}, "127.3.3.3:5", "192.0.2.1:5"},
	} {
		number++
		user := "user" + string(rune('a'+number)) + "@contoso.example"
		for range 10 {
			guess(tt.peer, tt.lines, user)
		}
		if !guess(tt.peerOf, nil, user) {
			t.Errorf("%s: %q of %s is not %s", tt.name, tt.lines, tt.peer, tt.peerOf)
		}
		if guess(tt.other, nil, user) {
			t.Errorf("%s: %q of %s is %s, too", tt.name, tt.lines, tt.peer, tt.other)
		}
	}
}

// TestPagesBehindProxy signs in on pages behind a proxy: their cookie is secure, forms of
// other sites are refused, and users are not suggested.
func TestPagesBehindProxy(t *testing.T) {
	s := newBehind(t, 1, server.Config{PublicURLs: []string{"https://pc.test", "http://plain.test"}, TrustedProxies: prefixes("127.0.0.0/8")}, cloudhosts.BaseURLs(443)...)[0]
	const peer = "127.0.0.1:999"
	authorize := "/" + s.partner + "/oauth2/authorize?response_type=code&client_id=" + s.app.ClientID + "&redirect_uri=http://localhost&resource=https://api.partnercenter.microsoft.com"
	for _, tt := range []struct {
		host, scheme string
		secure       bool
	}{{"pc.test", "https", true}, {"127.0.0.1:8080", "https", true}, {"pc.test", "", true}, {"plain.test", "http", false}} {
		headers := []string{"X-Forwarded-For", "127.0.0.1"}
		if tt.scheme != "" {
			headers = append(headers, "X-Forwarded-Proto", tt.scheme)
		}
		w := s.do(forwardedRequest("GET", authorize, peer, tt.host, "", headers...))
		cookies := w.Result().Cookies()
		if w.Code != 200 || len(cookies) != 1 || cookies[0].Secure != tt.secure || strings.HasPrefix(cookies[0].Name, "__Host-") != tt.secure {
			t.Fatalf("%+v: %d %v %s", tt, w.Code, cookies, w.Body)
		}
		if strings.Contains(w.Body.String(), "onmicrosoft.com") {
			t.Errorf("%+v: users are suggested: %s", tt, w.Body)
		}
		_, rest, _ := strings.Cut(w.Body.String(), `name="flow" value="`)
		flow, _, _ := strings.Cut(rest, `"`)
		form := url.Values{"flow": {flow}, "do": {"signin"}, "username": {"nobody"}, "password": {"x"}}.Encode()
		site := "https://pc.test"
		if !tt.secure {
			site = "http://plain.test"
		}
		for origin, refused := range map[string]bool{site: false, "https://evil.example": true, "null": true, "https://pc.test.evil.example": true} {
			r := forwardedRequest("POST", "/common/oauth2/login", peer, tt.host, form, append(headers, "Origin", origin)...)
			r.AddCookie(cookies[0])
			if w := s.do(r); (w.Code == 403) != refused || !refused && w.Code != 302 && w.Code != 303 {
				t.Errorf("%+v: a form of %s: %d %s", tt, origin, w.Code, w.Body)
			}
		}
	}
	// Without TLS or a trusted proxy's word, no cookie is secure.
	w := s.do(forwardedRequest("GET", authorize, "192.0.2.1:1", "pc.test", "", "X-Forwarded-Proto", "https"))
	if cookies := w.Result().Cookies(); len(cookies) != 1 || cookies[0].Secure {
		t.Errorf("a stranger's scheme: %v", cookies)
	}
}

// TestPublicDevicePage has the page for device codes at the public URL, also for clients
// that ask a host of Microsoft's.
func TestPublicDevicePage(t *testing.T) {
	s := newBehind(t, 1, server.Config{PublicURLs: []string{"https://pc.test"}, TrustedProxies: prefixes("10.0.0.0/8")}, cloudhosts.BaseURLs(443)...)[0]
	form := url.Values{"client_id": {s.app.ClientID}, "scope": {"https://api.partnercenter.microsoft.com/.default"}}.Encode()
	for _, host := range []string{"pc.test", "10.0.0.9:8080", "evil.example", "login.microsoftonline.com"} {
		r := forwardedRequest("POST", "/"+s.partner+"/oauth2/v2.0/devicecode", "192.0.2.1:1", host, form)
		r.TLS = &tls.ConnectionState{}
		if w := s.do(r); w.Code != 200 || !strings.Contains(w.Body.String(), `"verification_uri":"https://pc.test/common/oauth2/deviceauth"`) {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
}

// TestTokensOfEveryServer has two servers on one database behind one address: each takes
// the tokens of that, and for its own listener its own.
func TestTokensOfEveryServer(t *testing.T) {
	both := newBehind(t, 2, server.Config{PublicURLs: []string{"https://pc.test"}, TrustedProxies: prefixes("10.0.0.0/8")})
	asked := func(s *behind, host string, headers ...string) string {
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {s.app.ClientID}, "client_secret": {s.app.Secret}, "scope": {"https://api.partnercenter.microsoft.com/.default"},
		}.Encode()
		w := s.do(forwardedRequest("POST", "/"+s.partner+"/oauth2/v2.0/token", "10.0.0.1:1", host, form, headers...))
		var answer struct {
			Token string `json:"access_token"`
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &answer))
		return answer.Token
	}
	status := func(s *behind, token string) int {
		return s.do(forwardedRequest("GET", "/v1/customers?size=1", "10.0.0.1:1", "127.0.0.1:8080", "", "Authorization", "Bearer "+token)).Code
	}
	for i, s := range both {
		minted, err := s.authority.Mint(issuer.MintRequest{Tenant: s.partner, ClientID: s.app.ClientID})
		must(t, err)
		public := []string{minted.Text, asked(s, "pc.test", "X-Forwarded-Proto", "https"), asked(s, "backend", "X-Forwarded-For", "192.0.2.1"), asked(s, "some.name")}
		for _, token := range public {
			for _, at := range both {
				if got := status(at, token); got != 200 {
					t.Errorf("a public token of server %d: %d", i, got)
				}
			}
		}
		own := asked(s, "127.0.0.1:808"+string(rune('0'+i)))
		if here, there := status(s, own), status(both[1-i], own); here != 200 || there != 401 {
			t.Errorf("a token of the listener of server %d: %d there, %d at the other", i, here, there)
		}
	}
}

// TestPublicNameWithoutToken has a server that asks for no token: of names, it answers to
// its public one only.
func TestPublicNameWithoutToken(t *testing.T) {
	s := newBehind(t, 1, server.Config{PublicURLs: []string{"https://pc.localhost:9443"}})[0]
	caller, err := control.Administrator(t.Context(), s.store, s.partner)
	must(t, err)
	config := server.Config{Store: s.store, Authority: s.authority, Caller: caller, PublicURLs: []string{"https://pc.localhost:9443"}}
	open, err := server.New(t.Context(), config)
	must(t, err)
	defer open.Close()
	for host, want := range map[string]int{"pc.localhost:9443": 200, "PC.localhost": 200, "127.0.0.1:8080": 200, "localhost": 200, "evil.localhost": 403, "pc.localhost.evil.example": 403, "evil.example": 403} {
		w := httptest.NewRecorder()
		open.ServeHTTP(w, forwardedRequest("GET", "/v1/customers?size=1", "127.0.0.1:1", host, "", "X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https"))
		if w.Code != want {
			t.Errorf("%s: %d, want %d: %s", host, w.Code, want, w.Body)
		}
	}
}

package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// strangers are addresses that look like registered ones.
var strangers = []string{
	"https://evil.example/signin",
	"https://app.example/signin/",
	"https://app.example/signin/x",
	"https://app.example/",
	"https://app.example",
	"https://app.example/signin?x=1",
	"https://app.example/signin?",
	"https://app.example/signin#x",
	"https://app.example/signin%2f..",
	"https://app.example/%73ignin",
	"https://app.example/SIGNIN",
	"https://APP.example/signin",
	"https://app.example./signin",
	"https://app.example:444/signin",
	"https://app.example:443/signin",
	"http://app.example/signin",
	"https://app.example.evil.example/signin",
	"https://evil-app.example/signin",
	"https://evil.example/app.example/signin",
	"https://app.example@evil.example/signin",
	"https://app.example%40evil.example/signin",
	"https://ada:x@app.example/signin",
	"//app.example/signin",
	"/signin",
	"https:app.example/signin",
	"https:///app.example/signin",
	`https://app.example\@evil.example/signin`,
	`https://evil.example\.app.example/signin`,
	"https://evil.example?https://app.example/signin",
	"https://app.example/./signin",
	"https://app.example//signin",
	"https://app.example/signin\r\nSet-Cookie: x=1",
	"https://app.example/signin ",
	" https://app.example/signin",
	"https://app.example/signin\x00",
	"https://app.example/signin,https://evil.example",
	"javascript:alert(1)",
	"javascript://app.example/%0aalert(1)",
	"data:text/html,<script>alert(1)</script>",
	"http://localhost@evil.example/callback",
	"http://localhost:5000@evil.example/callback",
	"http://localhost.evil.example/callback",
	"http://localhost:80.evil.example/callback",
	`http://localhost\@evil.example/callback`,
	`http://localhost:5000\.evil.example/callback`,
	"http://evil.example#@localhost/callback",
	"http://ada@localhost:5000/callback",
	"http://localhost:5000/callback/x",
	"http://localhost:5000/callback/../../evil",
	"http://localhost:5000/callback%2f..",
	"http://localhost:5000/callback?x=1",
	"http://localhost:5000/callback#x",
	"http://localhost:5000/callback#",
	"http://localhost:x/callback",
	"https://localhost:5000/callback",
	"ftp://localhost:5000/callback",
	"http:localhost/callback",
	"http://127.0.0.1:5000/callback",
	"http://[::1]:5000/callback",
	"http://2130706433/callback",
	"http://localhost%00.evil.example/callback",
}

// TestOpenRedirect requests redirects to strangers, in valid and in refused requests.
func TestOpenRedirect(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	for _, uri := range []string{redirectURI, "http://localhost/callback", "http://localhost:1/callback", otherURI} {
		b := newBrowser(t, a)
		if w := b.do("GET", authorizeURL("/common/oauth2/authorize", "redirect_uri", uri), nil); w.Code != 200 {
			t.Errorf("%s is registered: %d %s", uri, w.Code, w.Body)
		}
	}
	for _, uri := range strangers {
		for _, changes := range [][]string{nil, {"prompt", "none"}, {"response_type", "magic"}, {"response_mode", "form_post", "scope", "\x01"}} {
			w := newBrowser(t, a).do("GET", authorizeURL("/common/oauth2/v2.0/authorize", append(changes, "redirect_uri", uri)...), nil)
			wantErrorPage(t, w, 50011)
		}
		w := newBrowser(t, a).do("GET", base+"/common/oauth2/v2.0/logout?post_logout_redirect_uri="+url.QueryEscape(uri), nil)
		if w.Code != 200 || w.Header().Get("Location") != "" {
			t.Errorf("after a sign-out to %q: %d, Location %q", uri, w.Code, w.Header().Get("Location"))
		}
		// A code goes with the address that it was sent to.
		if uri == strangers[0] {
			code := codeOf(t, a)
			wantRefusal(t, post(a, commonToken, codeForm(code, "redirect_uri", uri)), 400, "invalid_grant", 500112)
		}
	}
}

// wantErrorPage checks an error that is shown to the user because nobody else may be
// told.
func wantErrorPage(t testing.TB, w *httptest.ResponseRecorder, code int) {
	t.Helper()
	checkPageHeaders(t, w)
	body := w.Body.String()
	if w.Code < 400 || !strings.Contains(body, "(AADSTS"+strconv.Itoa(code)+")") {
		t.Errorf("%d, want a page of AADSTS%d: %s", w.Code, code, body)
	}
	body = strings.Replace(body, `<link rel="icon" href="data:,">`, "", 1)
	for _, part := range []string{"<form", "<a ", "<script", "href=", "http-equiv"} {
		if strings.Contains(body, part) {
			t.Errorf("a page of an error that leads elsewhere, %q: %s", part, body)
		}
	}
}

func TestAuthorizeRefusals(t *testing.T) {
	const v1, v2 = "/common/oauth2/authorize", "/common/oauth2/v2.0/authorize"
	const page = "page" // where the app must not be told
	hybrid := func(changes ...string) []string {
		return append([]string{"response_type", "code id_token"}, changes...)
	}
	pkce := func(challenge, method string) []string {
		return []string{"code_challenge", challenge, "code_challenge_method", method}
	}
	for _, test := range []struct {
		name, path string
		changes    []string
		kind       string // of the error that the app gets; or page
		code       int
		mark       string // between the app's address and its answer
	}{
		{"unknown tenant", "/nobody.example/oauth2/v2.0/authorize", nil, page, 90002, ""},
		{"consumers", "/consumers/oauth2/v2.0/authorize", nil, page, 90002, ""},
		{"no client", v2, []string{"client_id", absent}, page, 900144, ""},
		{"unknown client", v2, []string{"client_id", "nobody"}, page, 700016, ""},
		{"client of another tenant", "/" + tenantID + "/oauth2/authorize", []string{"client_id", otherClient}, page, 700016, ""},
		{"disabled client", v1, []string{"client_id", disabledClient}, page, 7000112, ""},
		{"no redirect of two", v2, []string{"redirect_uri", absent}, page, 900971, ""},
		{"app without redirects", v2, []string{"client_id", otherClient, "redirect_uri", absent}, page, 900971, ""},

		{"no response type", v2, []string{"response_type", absent}, "invalid_request", 900144, "?"},
		{"implicit token", v2, []string{"response_type", "token"}, "unsupported_response_type", 70005, "#"},
		{"implicit id token", v1, []string{"response_type", "id_token"}, "unsupported_response_type", 70005, "#"},
		{"code and token", v2, []string{"response_type", "code token"}, "unsupported_response_type", 70005, "#"},
		{"twice a code", v2, []string{"response_type", "code code"}, "unsupported_response_type", 70005, "#"},
		{"id token in the query", v2, hybrid("response_mode", "query"), "invalid_request", 70007, "#"},
		{"id token in the query, v1", v1, hybrid("response_mode", "QUERY"), "invalid_request", 70007, "#"},
		{"unknown mode", v2, []string{"response_mode", "web_message"}, "invalid_request", 70007, "?"},
		{"unknown mode beside an id token", v2, hybrid("response_mode", "x\r\ny"), "invalid_request", 70007, "#"},
		{"no nonce", v2, hybrid("nonce", absent), "invalid_request", 900144, "#"},
		{"no nonce, v1", v1, hybrid("nonce", absent), "invalid_request", 900144, "#"},
		{"id token without openid", v2, hybrid("scope", api+"/.default"), "unsupported_response_type", 70005, "#"},
		{"no scope", v2, []string{"scope", absent}, "invalid_request", 900144, "?"},
		{"scope of an unknown API", v2, []string{"scope", "https://vault.azure.net/.default"}, "invalid_resource", 500011, "?"},
		{"scope of no API", v2, []string{"scope", "Directory.Read.All"}, "invalid_scope", 650053, "?"},
		{"unknown scope", v2, []string{"scope", api + "/Everything"}, "invalid_scope", 650053, "?"},
		{"scopes of two APIs", v2, []string{"scope", api + "/.default " + graph + "/.default"}, "invalid_scope", 700022, "?"},
		{"quoted scope", v2, []string{"scope", `"openid"`}, "invalid_scope", 70011, "?"},
		{"unknown resource", v1, []string{"resource", "https://vault.azure.net"}, "invalid_resource", 500011, "?"},
		{"prompt none", v2, []string{"prompt", "none"}, "login_required", 50058, "?"},
		{"prompt none in a fragment", v2, []string{"prompt", "None", "response_mode", "fragment"}, "login_required", 50058, "#"},
		{"short challenge", v2, pkce(challenge[1:], "S256"), "invalid_request", 50147, "?"},
		{"long challenge", v2, pkce(strings.Repeat("x", 129), "plain"), "invalid_request", 50147, "?"},
		{"unknown challenge method", v2, pkce(challenge, "S512"), "invalid_request", 9002313, "?"},
		{"method without challenge", v2, pkce(absent, "S256"), "invalid_request", 900144, "?"},
		{"state of 8 KiB", v2, []string{"state", strings.Repeat("s", maxRequest)}, "invalid_request", 9002313, "?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuthority(t, crowdOptions(&clock{at: start}))
			target := authorizeURL(test.path, test.changes...)
			w := newBrowser(t, a).do("GET", target, nil)
			if test.kind == page {
				wantErrorPage(t, w, test.code)
				return
			}
			location := w.Header().Get("Location")
			if w.Code != 303 || !strings.HasPrefix(location, redirectURI+test.mark) {
				t.Fatalf("%d, Location %q\n%s", w.Code, location, w.Body)
			}
			checkRedirectHeaders(t, w)
			got := answered(t, w)
			if got.Get("error") != test.kind || !strings.HasPrefix(got.Get("error_description"), "AADSTS"+strconv.Itoa(test.code)+": ") {
				t.Errorf("%v", got)
			}
			if got.Has("code") || got.Has("id_token") || got.Has("access_token") {
				t.Errorf("an error that gives something: %v", got)
			}
			if state := got.Get("state"); state != "st&te" && len(target) < maxRequest {
				t.Errorf("state %q", state)
			}
			// The same in a form.
			if u, _ := url.Parse(target); !strings.Contains(target, "response_mode") {
				form := u.Query()
				form.Set("response_mode", "form_post")
				u.RawQuery = ""
				w := newBrowser(t, a).do("POST", u.String(), form)
				if w.Code == 200 {
					checkPageHeaders(t, w)
				}
				if got := answered(t, w); got.Get("error") != test.kind || got.Has("code") || got.Has("id_token") {
					t.Errorf("posted: %v", got)
				}
			}
		})
	}

	a := newAuthority(t, crowdOptions(&clock{at: start}))
	for _, name := range []string{"state", "redirect_uri", "client_id", "nonce", "code_challenge"} {
		wantErrorPage(t, newBrowser(t, a).do("GET", authorizeURL(v2)+"&"+name+"=x&"+name+"=y", nil), codeRepeatedParameter.number)
	}
	wantErrorPage(t, newBrowser(t, a).do("GET", authorizeURL(v2)+"&x=%zz", nil), codeMalformed.number)
	r := httptest.NewRequest("POST", base+v2, strings.NewReader(`{"client_id":"`+clientID+`"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	wantErrorPage(t, w, codeMalformed.number)
	wantErrorPage(t, newBrowser(t, a).do("POST", base+v2, url.Values{"x": {strings.Repeat("x", maxForm)}}), codeMalformed.number)
	wantErrorPage(t, newBrowser(t, a).do("DELETE", base+v2, nil), codeMethod.number)
}

// TestAppScheme answers an app that the system starts by its own scheme.
func TestAppScheme(t *testing.T) {
	const uri = "msalc0ffee00://auth"
	o := crowdOptions(&clock{at: start})
	o.Tenants[0].Clients[0].RedirectURIs = []string{uri}
	a := newAuthority(t, o)
	for mode, want := range map[string]string{"query": uri + "?code=", "fragment": uri + "#code=", "form_post": uri + "?error="} {
		b := newBrowser(t, a)
		w := b.do("GET", authorizeURL("/common/oauth2/authorize", "redirect_uri", absent, "response_mode", mode, "state", absent), nil)
		if w.Code == 200 {
			w = b.signIn(w)
		}
		if to := w.Header().Get("Location"); !strings.HasPrefix(to, want) {
			t.Errorf("%s: %d, Location %q", mode, w.Code, to)
		}
	}
}

// Without a state none is returned, not even an empty one.
func TestNoState(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	for _, mode := range []string{"query", "fragment", "form_post"} {
		b := newBrowser(t, a)
		got := answered(t, b.signIn(b.do("GET", authorizeURL("/common/oauth2/authorize", "state", absent, "response_mode", mode), nil)))
		if got.Has("state") || !got.Has("code") {
			t.Errorf("%s: %v", mode, got)
		}
	}
}

// TestCodeRefusals redeems codes incorrectly. If a stranger could have sent the
// request, the code stays valid for the app.
func TestCodeRefusals(t *testing.T) {
	sum := sha256.Sum256([]byte(verifier))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
		t.Fatal("verifier and challenge do not match")
	}
	s256 := []string{"code_challenge", challenge, "code_challenge_method", "S256"}
	plain := []string{"code_challenge", verifier, "code_challenge_method", "plain"}
	unnamed := []string{"code_challenge", verifier}
	at := func(tenant string) string { return base + "/" + tenant + "/oauth2/v2.0/token" }
	for _, test := range []struct {
		name      string
		authorize []string
		target    string
		change    []string
		before    func(*Authority, *clock, Options)
		status    int
		kind      string
		code      int
		still     []string // changes with which the code is good afterwards; nil if it is not
	}{
		{"another app", nil, commonToken, []string{"client_id", secondClient, "client_secret", "second"}, nil, 400, "invalid_grant", 70000, []string{}},
		{"a public app", nil, commonToken, []string{"client_id", publicClient, "client_secret", absent}, nil, 400, "invalid_grant", 70000, []string{}},
		{"no secret", nil, commonToken, []string{"client_secret", absent}, nil, 401, "invalid_client", 7000218, []string{}},
		{"a wrong secret", nil, commonToken, []string{"client_secret", "x"}, nil, 401, "invalid_client", 7000215, []string{}},
		{"another address", nil, commonToken, []string{"redirect_uri", otherURI}, nil, 400, "invalid_grant", 500112, []string{}},
		{"another port", nil, commonToken, []string{"redirect_uri", "http://localhost:5001/callback"}, nil, 400, "invalid_grant", 500112, []string{}},
		{"no address", nil, commonToken, []string{"redirect_uri", absent}, nil, 400, "invalid_request", 900144, []string{}},
		{"no code", nil, commonToken, []string{"code", absent}, nil, 400, "invalid_request", 900144, nil},
		{"an unknown code", nil, commonToken, []string{"code", "1.pc.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, nil, 400, "invalid_grant", 70008, nil},
		{"a long code", nil, commonToken, []string{"code", strings.Repeat("x", 60<<10)}, nil, 400, "invalid_grant", 70008, nil},
		{"an old code", nil, commonToken, nil, func(_ *Authority, c *clock, _ Options) { c.set(start.Add(codeLifetime)) }, 400, "invalid_grant", 70008, nil},
		{"common for organizations", nil, at("organizations"), nil, nil, 400, "invalid_grant", 700005, []string{}},
		{"another tenant", []string{"client_id", sharedClient}, at(otherTenant), []string{"client_id", sharedClient, "client_secret", "shared"}, nil, 400, "invalid_grant", 700005, []string{"client_id", sharedClient, "client_secret", "shared"}},
		{"a tenant without the app", nil, at(otherTenant), nil, nil, 400, "unauthorized_client", 700016, []string{}},
		{"an unknown tenant", nil, at("nobody.example"), nil, nil, 400, "invalid_request", 90002, []string{}},
		{"as a refresh token", nil, commonToken, []string{"grant_type", grantTypeRefresh, "refresh_token", "1.pc.x"}, nil, 400, "invalid_grant", 70000, []string{}},

		{"no verifier", s256, commonToken, nil, nil, 400, "invalid_grant", 50148, []string{"code_verifier", verifier}},
		{"an empty verifier", s256, commonToken, []string{"code_verifier", ""}, nil, 400, "invalid_grant", 50148, []string{"code_verifier", verifier}},
		{"a wrong verifier", s256, commonToken, []string{"code_verifier", strings.ToUpper(verifier)}, nil, 400, "invalid_grant", 501481, []string{"code_verifier", verifier}},
		{"the challenge for the verifier", s256, commonToken, []string{"code_verifier", challenge}, nil, 400, "invalid_grant", 501481, []string{"code_verifier", verifier}},
		{"a method with the verifier", s256, commonToken, []string{"code_verifier", challenge, "code_challenge_method", "plain"}, nil, 400, "invalid_grant", 501481, []string{"code_verifier", verifier}},
		{"a hash for the plain verifier", plain, commonToken, []string{"code_verifier", challenge}, nil, 400, "invalid_grant", 501481, []string{"code_verifier", verifier}},
		{"a hash where none is named", unnamed, commonToken, []string{"code_verifier", challenge}, nil, 400, "invalid_grant", 501481, []string{"code_verifier", verifier}},
		{"the challenge was taken out", nil, commonToken, []string{"code_verifier", verifier}, nil, 400, "invalid_grant", 50148, []string{}},

		{"the user is disabled", nil, commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Users[0].Disabled = true
			must(a.SetTenants(o.Tenants))
		}, 400, "invalid_grant", 50057, nil},
		{"the user is gone", nil, commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Users = o.Tenants[0].Users[1:]
			must(a.SetTenants(o.Tenants))
		}, 400, "invalid_grant", 50173, nil},
		{"the app is disabled", nil, commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Clients[0].Disabled = true
			must(a.SetTenants(o.Tenants))
		}, 400, "unauthorized_client", 7000112, nil},
		{"the app is for its own tenant only now", []string{"client_id", sharedClient}, commonToken, []string{"client_id", sharedClient, "client_secret", "shared"}, func(a *Authority, _ *clock, o Options) {
			o.Tenants[1].Clients[1].MultiTenant = false
			must(a.SetTenants(o.Tenants))
		}, 400, "unauthorized_client", 700016, nil},
		{"another API", nil, commonToken, []string{"scope", graph + "/.default"}, nil, 400, "invalid_grant", 65001, nil},
		{"two APIs", nil, commonToken, []string{"scope", graph + "/.default " + api + "/.default"}, nil, 400, "invalid_scope", 700022, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{at: start}
			o := crowdOptions(c)
			a := newAuthority(t, o)
			code := codeOf(t, a, test.authorize...)
			if test.before != nil {
				test.before(a, c, o)
			}
			wantRefusal(t, post(a, test.target, codeForm(code, test.change...)), test.status, test.kind, test.code)
			if test.still != nil {
				wantTokens(t, a, post(a, commonToken, codeForm(code, test.still...)))
			}
		})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestCodeReplay sends a code twice, in sequence and concurrently. Either sender may be
// the thief, so its grant is revoked.
func TestCodeReplay(t *testing.T) {
	refresh := func(a *Authority, token string) *httptest.ResponseRecorder {
		return post(a, commonToken, url.Values{"grant_type": {grantTypeRefresh}, "client_id": {clientID}, "client_secret": {secret}, "refresh_token": {token}})
	}
	t.Run("in turn", func(t *testing.T) {
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		code := codeOf(t, a)
		first := wantTokens(t, a, post(a, commonToken, codeForm(code)))
		second := wantTokens(t, a, refresh(a, first.RefreshToken))
		other := signedInTokens(t, a)
		for range 2 {
			wantRefusal(t, post(a, commonToken, codeForm(code)), 400, "invalid_grant", 54005)
		}
		wantReason(t, a, first.AccessToken, token.ReasonRevoked)
		wantReason(t, a, second.AccessToken, token.ReasonRevoked)
		wantReason(t, a, other.AccessToken, "")
		wantRefusal(t, refresh(a, second.RefreshToken), 400, "invalid_grant", 50173)
		// Other sign-ins of the user go on.
		wantTokens(t, a, refresh(a, signedInTokens(t, a).RefreshToken))
	})
	for range 10 {
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		code := codeOf(t, a)
		answers := make([]*httptest.ResponseRecorder, 16)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = post(a, commonToken, codeForm(code)) })
		}
		wg.Wait()
		winners := 0
		for _, w := range answers {
			if w.Code == 200 {
				winners++
				wantRefusal(t, refresh(a, decodeTokens(t, w).RefreshToken), 400, "invalid_grant", 50173)
				continue
			}
			wantRefusal(t, w, 400, "invalid_grant", 54005)
		}
		// None, when the others came before the first had its answer.
		if winners > 1 {
			t.Fatalf("%d got tokens for one code", winners)
		}
	}
}

// TestSignInMemory begins more sign-ins than are kept, some of them in requests of
// maximum length.
func TestSignInMemory(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	target, err := url.Parse(authorizeURL("/common/oauth2/v2.0/authorize"))
	if err != nil {
		t.Fatal(err)
	}
	authorize := target.Query()
	target.RawQuery = ""
	device := url.Values{"client_id": {clientID}, "scope": {"openid"}}
	begin := func(n int) {
		t.Helper()
		for range n {
			for address, form := range map[string]url.Values{target.String(): authorize, base + "/common/oauth2/v2.0/devicecode": device} {
				if w := post(a, address, form); w.Code != 200 && w.Code != 303 {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		}
	}
	begin(signInsKept + 100)
	if n := len(recordsOf(a, kindFlow)) + len(recordsOf(a, kindDevice)); n != 2*signInsKept {
		t.Errorf("%d sign-ins are kept", n)
	}

	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const long = 256
	filler := strings.Repeat("x", maxForm-4<<10)
	authorize.Set(filler, "") // a name does not count as a value does
	device.Set(filler, "")
	before := heap()
	begin(long)
	login := url.Values{"grant_type": {grantTypePassword}, "client_id": {clientID}, "client_secret": {secret}}
	for i := range long {
		wantRefusal(t, post(a, commonToken, set(login, "username", strconv.Itoa(i)+filler, "password", "x")), 400, "invalid_grant", 50126)
		wantRefusal(t, post(a, commonToken, set(login, "username", strconv.Itoa(i), "password", filler)), 400, "invalid_grant", 50126)
	}
	if grown := heap() - before; grown > long*maxForm/4 {
		t.Errorf("what is kept of %d long requests each holds %d MiB", long, grown>>20)
	}
	runtime.KeepAlive(a)
}

// FuzzRedirect compares addresses with a registered one on this machine: only the port
// may differ.
func FuzzRedirect(f *testing.F) {
	for _, uri := range append([]string{redirectURI, "http://localhost:1/callback"}, strangers...) {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		const registered = "http://localhost/callback"
		if sameRedirect(otherURI, asked) && asked != otherURI {
			t.Fatalf("%q is taken for %s", asked, otherURI)
		}
		if !sameRedirect(registered, asked) {
			return
		}
		u, err := url.Parse(asked)
		if err != nil || u.Scheme != "http" || u.Hostname() != "localhost" || u.EscapedPath() != "/callback" || u.User != nil || u.RawQuery != "" || strings.Contains(asked, "#") {
			t.Fatalf("%q is taken for %s", asked, registered)
		}
		if rest := strings.TrimPrefix(strings.ToLower(asked), "http://localhost"); strings.Trim(strings.TrimSuffix(rest, "?"), ":0123456789") != "/callback" {
			t.Fatalf("%q is taken for %s", asked, registered)
		}
	})
}

// TestCodesEnd checks the lifetime of codes.
func TestCodesEnd(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, crowdOptions(c))
	code := codeOf(t, a)
	c.set(start.Add(codeLifetime - time.Second))
	wantTokens(t, a, post(a, commonToken, codeForm(code)))
}

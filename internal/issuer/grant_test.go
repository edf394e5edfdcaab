package issuer

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

func refreshForm(token string, changes ...string) url.Values {
	return set(url.Values{"grant_type": {grantTypeRefresh}, "client_id": {clientID}, "client_secret": {secret}, "refresh_token": {token}}, changes...)
}

// TestRefreshRefusals sends refresh tokens incorrectly. A stranger's request, or a
// mistake, does not end the family.
func TestRefreshRefusals(t *testing.T) {
	at := func(tenant string) string { return base + "/" + tenant + "/oauth2/v2.0/token" }
	for _, test := range []struct {
		name   string
		target string
		change []string
		before func(*Authority, *clock, Options)
		status int
		kind   string
		code   int
		still  bool // the token stays valid
	}{
		{"another app", commonToken, []string{"client_id", secondClient, "client_secret", "second"}, nil, 400, "invalid_grant", 70000, true},
		{"a public app", commonToken, []string{"client_id", publicClient, "client_secret", absent}, nil, 400, "invalid_grant", 70000, true},
		{"no secret", commonToken, []string{"client_secret", absent}, nil, 401, "invalid_client", 7000218, true},
		{"a wrong secret", commonToken, []string{"client_secret", "x"}, nil, 401, "invalid_client", 7000215, true},
		{"no token", commonToken, []string{"refresh_token", absent}, nil, 400, "invalid_request", 900144, true},
		{"no token of ours", commonToken, []string{"refresh_token", "0.AAAA"}, nil, 400, "invalid_grant", 70000, true},
		{"dots", commonToken, []string{"refresh_token", "1.pc..."}, nil, 400, "invalid_grant", 70000, true},
		{"an oversized token", commonToken, []string{"refresh_token", strings.Repeat("x", 60<<10)}, nil, 400, "invalid_grant", 70000, true},
		{"as a code", commonToken, []string{"grant_type", grantTypeCode, "code", "1.pc.x"}, nil, 400, "invalid_grant", 70008, true},
		{"an unknown tenant", at("nobody.example"), nil, nil, 400, "invalid_request", 90002, true},
		{"a tenant without the app", at(otherTenant), nil, nil, 400, "unauthorized_client", 700016, true},
		{"a customer that is none", at("a1b2c3d4-0000-4000-8000-0000000000ff"), nil, nil, 400, "invalid_request", 90002, true},
		{"an API without consent", commonToken, []string{"scope", graph + "/.default"}, nil, 400, "invalid_grant", 65001, true},
		{"two APIs", commonToken, []string{"scope", graph + "/.default " + api + "/.default"}, nil, 400, "invalid_scope", 700022, true},
		{"an unknown API", commonToken, []string{"scope", "https://vault.azure.net/.default"}, nil, 400, "invalid_resource", 500011, true},
		{"an API of another tenant's app", commonToken, []string{"scope", appScheme + otherClient + "/.default"}, nil, 400, "invalid_resource", 500011, true},
		{"a disabled app's API", commonToken, []string{"scope", appScheme + disabledClient + "/.default"}, nil, 400, "invalid_resource", 500014, true},
		{"not used for 90 days", commonToken, nil, func(_ *Authority, c *clock, _ Options) { c.set(start.Add(RefreshLifetime)) }, 400, "invalid_grant", 700082, false},
		{"the user is disabled", commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Users[0].Disabled = true
			must(a.SetTenants(o.Tenants))
		}, 400, "invalid_grant", 50057, false},
		{"the user is another one", commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Users[0].ObjectID = "another"
			must(a.SetTenants(o.Tenants))
		}, 400, "invalid_grant", 50173, false},
		{"the app is disabled", commonToken, nil, func(a *Authority, _ *clock, o Options) {
			o.Tenants[0].Clients[0].Disabled = true
			must(a.SetTenants(o.Tenants))
		}, 400, "unauthorized_client", 7000112, false},
		{"forgotten", commonToken, nil, func(a *Authority, _ *clock, _ Options) { a.forgetSignIns() }, 400, "invalid_grant", 70000, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{at: start}
			o := crowdOptions(c)
			a := newAuthority(t, o)
			token := signedInTokens(t, a).RefreshToken
			if test.before != nil {
				test.before(a, c, o)
			}
			wantRefusal(t, post(a, test.target, refreshForm(token, test.change...)), test.status, test.kind, test.code)
			if test.still {
				wantTokens(t, a, post(a, commonToken, refreshForm(token)))
			}
		})
	}
	t.Run("a user of another tenant", func(t *testing.T) {
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		shared := []string{"client_id", sharedClient, "client_secret", "shared"}
		code := codeOf(t, a, "client_id", sharedClient)
		token := wantTokens(t, a, post(a, commonToken, codeForm(code, shared...))).RefreshToken
		wantRefusal(t, post(a, at(otherTenant), refreshForm(token, shared...)), 400, "invalid_grant", 50020)
		wantTokens(t, a, post(a, at(tenantID), refreshForm(token, shared...)))
	})
}

// TestRefreshReplay sends a refresh token twice: in sequence, concurrently, and after a
// restart. The family is revoked, whichever came first.
func TestRefreshReplay(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	newTestKeeper(&o)
	restart := func() *Authority { return newAuthority(t, o) }
	a := newAuthority(t, o)
	first := signedInTokens(t, a).RefreshToken
	other := signedInTokens(t, a).RefreshToken
	for _, g := range grantsOf(a) {
		if strings.Contains(string(g.Current), first) || len(g.Current) != 32 {
			t.Error("a refresh token is kept as it is")
		}
	}
	a = restart()
	second := wantTokens(t, a, post(a, commonToken, refreshForm(first))).RefreshToken
	a = restart()
	// Any app's replay counts: the token has leaked.
	wantRefusal(t, post(a, commonToken, refreshForm(first, "client_id", secondClient, "client_secret", "second")), 400, "invalid_grant", 50173)
	for range 2 {
		wantRefusal(t, post(a, commonToken, refreshForm(second)), 400, "invalid_grant", 50173)
		a = restart()
	}

	answers := make([]*httptest.ResponseRecorder, 16)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = post(a, commonToken, refreshForm(other)) })
	}
	wg.Wait()
	winners := 0
	for _, w := range answers {
		if w.Code != 200 {
			wantRefusal(t, w, 400, "invalid_grant", 50173)
			continue
		}
		winners++
		wantRefusal(t, post(a, commonToken, refreshForm(decodeTokens(t, w).RefreshToken)), 400, "invalid_grant", 50173)
	}
	if winners != 1 {
		t.Errorf("%d got tokens for one refresh token", winners)
	}
}

// What cannot be saved does not happen: the previous token stays valid.
func TestRefreshNotSaved(t *testing.T) {
	broken := false
	o := crowdOptions(&clock{at: start})
	newTestKeeper(&o).put = func(Record) error {
		if broken {
			return errors.New("disk full of " + secret)
		}
		return nil
	}
	a := newAuthority(t, o)
	token := signedInTokens(t, a).RefreshToken
	broken = true
	wantRefusal(t, post(a, commonToken, refreshForm(token)), 500, "server_error", 50000)
	broken = false
	wantTokens(t, a, post(a, commonToken, refreshForm(token)))
}

// TestTokensNameNoFamily makes refresh tokens up of what is in an access token, which more
// know than the app. They do not end the user's family.
func TestTokensNameNoFamily(t *testing.T) {
	a := newAuthority(t, signInOptions(&clock{at: start}))
	got := signedInTokens(t, a)
	refresh := func(text string) tokens {
		return redeem(t, a, commonToken, url.Values{"grant_type": {grantTypeRefresh}, "refresh_token": {text}})
	}
	_, payload := parts(t, got.AccessToken)
	for _, claim := range payload {
		if made := refresh(fmt.Sprintf("%s%v.made-up", refreshPrefix, claim)); made.code() != codeBadGrant.number {
			t.Errorf("%v: %+v", claim, made)
		}
	}
	if next := refresh(got.RefreshToken); next.AccessToken == "" {
		t.Errorf("%+v", next)
	}
}

// TestGrantWithoutSystem has a family that an older version stored, without the time by
// the system's clock: what the clock that is set has ended is right again.
func TestGrantWithoutSystem(t *testing.T) {
	c := &clock{at: start}
	o := crowdOptions(c)
	o.System = func() time.Time { return start }
	a := newAuthority(t, o)
	const text = refreshPrefix + "old.x"
	r := &Record{Kind: kindGrant, ID: "old"}
	_, err := a.remember(t.Context(), r, &Grant{ID: "old", Renewed: start, Current: digest(text)})
	must(err)
	for _, test := range []struct {
		at   time.Time
		over bool
	}{{start.AddDate(4, 0, 0), true}, {start, false}, {start.AddDate(-1, 0, 0), false}} {
		c.set(test.at)
		if _, _, err := a.findGrant(t.Context(), text); (err != nil) != test.over {
			t.Errorf("at %v: %v", test.at, err)
		}
		if n := len(grantsOf(a)); (n == 0) != test.over {
			t.Errorf("at %v: %d grants", test.at, n)
		}
	}
}

// TestRefreshRemembersAPI omits the API of a token, at either endpoint.
func TestRefreshRemembersAPI(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	token := signedInTokens(t, a).RefreshToken
	for _, target := range []string{commonToken, base + "/common/oauth2/token", base + "/" + tenantID + "/oauth2/token"} {
		for _, scope := range []string{absent, "openid offline_access"} {
			got := wantTokens(t, a, post(a, target, refreshForm(token, "scope", scope)))
			if _, claims := parts(t, got.AccessToken); claims["aud"] != api {
				t.Errorf("%s, scope %q: %v", target, scope, claims)
			}
			token = got.RefreshToken
		}
	}
}

// TestScopeAnswer pins the scope of answers: MSAL compares it with what it has
// asked for.
func TestScopeAnswer(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	token := signedInTokens(t, a).RefreshToken
	for _, test := range []struct{ target, scope, want string }{
		{commonToken, api + "/.default", api + "/user_impersonation " + api + "/.default"},
		{commonToken, api + "/.default openid profile offline_access", "openid profile " + api + "/user_impersonation " + api + "/.default offline_access"},
		{commonToken, api + "/user_impersonation", api + "/user_impersonation"},
		{commonToken, strings.ToUpper(api) + "/.DEFAULT", strings.ToUpper(api) + "/user_impersonation " + strings.ToUpper(api) + "/.DEFAULT"},
		{commonToken, api + "//.default", api + "//user_impersonation " + api + "//.default"},
		{base + "/common/oauth2/token", "openid", "user_impersonation"},
	} {
		got := wantTokens(t, a, post(a, test.target, refreshForm(token, "scope", test.scope)))
		if got.Scope != test.want {
			t.Errorf("%s: scope %q, want %q", test.scope, got.Scope, test.want)
		}
		token = got.RefreshToken
	}
}

// TestOnBehalfOfRefusals sends assertions that do not prove a user.
func TestOnBehalfOfRefusals(t *testing.T) {
	c := &clock{at: start}
	o := crowdOptions(c)
	o.Consents = []Consent{{TenantID: tenantID, ClientID: clientID, UserID: userID, Resources: []string{api, appScheme + secondClient}}}
	a := newAuthority(t, o)
	assertion := func(resource string) string {
		t.Helper()
		got := decodeTokens(t, post(a, commonToken, refreshForm(signedInTokens(t, a).RefreshToken, "scope", resource+"/.default openid")))
		if got.AccessToken == "" {
			t.Fatalf("%+v", got)
		}
		return got.AccessToken
	}
	good := assertion(appScheme + secondClient)
	header, payload := parts(t, good)
	part := strings.Split(good, ".")
	app := decodeTokens(t, post(a, urlV2, set(formV2(), "scope", appScheme+secondClient+"/.default"))).AccessToken
	if app == "" {
		t.Fatal("no app-only token")
	}
	idToken := signedInTokens(t, a).IDToken
	_, id := parts(t, idToken)
	jwk := map[string]any{"kty": "RSA", "e": "AQAB", "n": "AQAB"}
	form := func(assertion string, changes ...string) url.Values {
		return set(url.Values{
			"grant_type": {grantTypeOnBehalfOf}, "client_id": {secondClient}, "client_secret": {"second"}, "requested_token_use": {"on_behalf_of"},
			"assertion": {assertion}, "scope": {appScheme + secondClient + "/.default"},
		}, changes...)
	}
	for _, test := range []struct {
		name, assertion string
		change          []string
		status          int
		kind            string
		code            int
	}{
		{"without consent", good, []string{"scope", api + "/.default"}, 400, "invalid_grant", 65001},
		{"none", absent, []string{"assertion", absent}, 400, "invalid_request", 900144},
		{"not on behalf of", good, []string{"requested_token_use", absent}, 400, "invalid_request", 900144},
		{"to another app", good, []string{"client_id", clientID, "client_secret", secret}, 400, "invalid_grant", 500131},
		{"to a public app", good, []string{"client_id", publicClient, "client_secret", absent}, 401, "invalid_client", 7000218},
		{"with a wrong secret", good, []string{"client_secret", "x"}, 401, "invalid_client", 7000215},
		{"for the API", assertion(api), nil, 400, "invalid_grant", 500131},
		{"for another app", assertion(appScheme + clientID), nil, 400, "invalid_grant", 500131},
		{"an id token", idToken, nil, 400, "invalid_grant", 240002},
		{"an id token for the app", forge(header, tokentest.With(id, "aud", secondClient), key1()), nil, 400, "invalid_grant", 240002},
		{"an app's own token", app, nil, 400, "invalid_grant", 7000114},
		{"a refresh token", "1.pc.x.y", nil, 400, "invalid_grant", 50013},
		{"no token", "x", nil, 400, "invalid_grant", 50013},
		{"oversized", good + strings.Repeat("x", token.MaxLength), nil, 400, "invalid_grant", 50013},
		{"expired", forge(header, tokentest.With(payload, "exp", start.Add(-5*time.Minute).Unix()), key1()), nil, 400, "invalid_grant", 500133},
		{"not yet valid", forge(header, tokentest.With(payload, "nbf", start.Add(5*time.Minute).Unix()), key1()), nil, 400, "invalid_grant", 500133},
		{"alg none", tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + part[1] + ".", nil, 400, "invalid_grant", 50013},
		{"alg HS256", tokentest.Encode(tokentest.With(header, "alg", "HS256")) + "." + part[1] + "." + part[2], nil, 400, "invalid_grant", 50013},
		{"another key", forge(header, payload, key2()), nil, 400, "invalid_grant", 50013},
		{"another key, named", forge(tokentest.With(header, "kid", key2().ID), payload, key2()), nil, 400, "invalid_grant", 50013},
		{"kid a path", forge(tokentest.With(header, "kid", "../../dev/null"), payload, key1()), nil, 400, "invalid_grant", 50013},
		{"embedded jwk", forge(tokentest.With(header, "jwk", jwk), payload, key2()), nil, 400, "invalid_grant", 50013},
		{"tid of another tenant", forge(header, tokentest.With(payload, "tid", otherTenant), key1()), nil, 400, "invalid_grant", 50013},
		{"another issuer", forge(header, tokentest.With(payload, "iss", "https://evil.example/"+tenantID+"/v2.0"), key1()), nil, 400, "invalid_grant", 50013},
		{"a user out of nowhere", forge(header, tokentest.With(payload, "preferred_username", "x@y"), key1()), nil, 400, "invalid_grant", 50013},
		{"a disabled user", forge(header, tokentest.With(tokentest.With(payload, "preferred_username", danName), "oid", "u3"), key1()), nil, 400, "invalid_grant", 50013},
		{"another user's name", forge(header, tokentest.With(payload, "preferred_username", bobName), key1()), nil, 400, "invalid_grant", 50013},
		{"of an app of another tenant", forge(header, tokentest.With(payload, "azp", otherClient), key1()), nil, 400, "invalid_grant", 50013},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, post(a, commonToken, form(test.assertion, test.change...)), test.status, test.kind, test.code)
		})
	}
	got := decodeTokens(t, post(a, commonToken, form(good)))
	if _, claims := parts(t, got.AccessToken); claims["preferred_username"] != userName || claims["azp"] != secondClient {
		t.Errorf("%+v", got)
	}
}

// TestAPIRefusesOthers presents the API with tokens that were issued for something
// else.
func TestAPIRefusesOthers(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Consents = []Consent{{TenantID: tenantID, ClientID: clientID, UserID: userID, Resources: []string{appScheme + secondClient}}}
	a := newAuthority(t, o)
	first := signedInTokens(t, a)
	wantReason(t, a, first.AccessToken, "")
	wantReason(t, a, first.IDToken, token.ReasonIDToken)
	wantReason(t, a, first.RefreshToken, token.ReasonMalformed)
	other := decodeTokens(t, post(a, commonToken, refreshForm(first.RefreshToken, "scope", appScheme+secondClient+"/.default openid")))
	wantReason(t, a, other.AccessToken, token.ReasonAudience)
	wantReason(t, a, other.IDToken, token.ReasonIDToken)
	// An id token for an app that is called as an API is.
	header, payload := parts(t, first.IDToken)
	wantReason(t, a, forge(header, tokentest.With(payload, "aud", api), key1()), token.ReasonIDToken)
	header, payload = parts(t, first.AccessToken)
	wantReason(t, a, forge(header, tokentest.With(payload, "tid", otherTenant), key1()), token.ReasonIssuer)
	// The name has gone to another user since.
	o.Tenants[0].Users[0].ObjectID = "another"
	must(a.SetTenants(o.Tenants))
	wantReason(t, a, first.AccessToken, token.ReasonUser)
}

// TestSignInsAtOnce is for the race detector, and for deadlocks: users sign in while
// everything changes around them. Some are refused.
func TestSignInsAtOnce(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	a := newAuthority(t, o)
	done := make(chan struct{})
	var users, changes sync.WaitGroup
	var refreshed atomic.Int64
	for i := range 8 {
		users.Go(func() {
			for n := range 20 {
				b := newBrowser(t, a)
				w := b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize", "response_mode", "query"), nil)
				for _, button := range []string{"signin", "approve", "accept"} {
					if strings.Contains(w.Body.String(), `value="`+button+`"`) {
						w = b.press(w, button, url.Values{"username": {userName}, "password": {password}})
					}
				}
				to, err := url.Parse(w.Header().Get("Location"))
				if err != nil {
					t.Error(err)
				}
				code := to.Query().Get("code")
				got := decodeTokens(t, post(a, commonToken, codeForm(code)))
				if n%4 == i%4 {
					post(a, commonToken, codeForm(code)) // a replay
				}
				if got = decodeTokens(t, post(a, commonToken, refreshForm(got.RefreshToken))); got.RefreshToken != "" {
					refreshed.Add(1)
				}
			}
		})
	}
	for _, change := range []func(int){
		func(int) { must(a.SetTenants(o.Tenants)) },
		func(int) { a.AddKey(key2()); a.RevokeKey(key2().ID) },
		func(int) { grantsOf(a) },
		func(i int) {
			_, err := a.RevokeGrants(t.Context(), "a test", func(g *Grant) bool { return i%8 == 0 && g.ID < "C" })
			must(err)
		},
		func(i int) {
			must(a.PutConsent(t.Context(), Consent{TenantID: tenantID, ClientID: secondClient, UserID: userID, Resources: []string{api}[:i%2]}))
		},
		func(i int) {
			if i%50 == 49 {
				a.forgetSignIns()
			}
		},
	} {
		changes.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
					change(i)
				}
			}
		})
	}
	users.Wait()
	close(done)
	changes.Wait()
	if refreshed.Load() == 0 {
		t.Error("nobody came through")
	}
}

// FuzzRefresh sends refresh tokens. Only the one that was issued is valid, and only one
// of its family can end it.
func FuzzRefresh(f *testing.F) {
	a := newAuthority(f, crowdOptions(&clock{at: start}))
	grant := Grant{ID: "family", TenantID: tenantID, ClientID: clientID, UserID: userID, Renewed: start}
	const token = refreshPrefix + "family.the one"
	grant.Current = digest(token)
	for _, text := range []string{token, "", ".", refreshPrefix, refreshPrefix + "family.", "family.x", token + " ", "1.PC.family.x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a.forgetSignIns()
		_, err := a.remember(t.Context(), &Record{Kind: kindGrant, ID: grant.ID}, grant)
		must(err)
		_, found, err := a.findGrant(t.Context(), text)
		used := found != nil
		if used != (text == token) || used != (err == nil) {
			t.Fatalf("%q: used %v, %v", text, used, err)
		}
		if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
			t.Fatalf("the error has the token in it: %v", err)
		}
		ended := grantsOf(a)[0].Revoked != ""
		if ended != (text != token && strings.HasPrefix(strings.TrimPrefix(text, refreshPrefix), "family.")) {
			t.Fatalf("%q: ended %v", text, ended)
		}
	})
}

package issuer

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	password    = "correct horse & battery+staple%"
	redirectURI = "http://localhost:5000/callback"
	userName    = "Ada@Contoso.onmicrosoft.com"
	verifier    = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG-._~"
	challenge   = "s940EuehEK6zsujZcPalJ6fyzKgw1fR7TL1BWl6KCp4"
)

// signInOptions are options with an app that users may sign in to, on a clock
// that the test sets.
func signInOptions(c *clock) Options {
	o := options()
	o.Now, o.System = c.now, c.now
	client := &o.Tenants[0].Clients[0]
	client.RedirectURIs = []string{"http://localhost/callback", "https://app.example/signin"}
	client.Name = "Ada's app"
	user := &o.Tenants[0].Users[0]
	user.Password, user.MFA = password, true
	return o
}

// browser follows pages, redirects and forms as a user's browser does, at the authority
// only.
type browser struct {
	t       testing.TB
	a       http.Handler
	cookies map[string]*http.Cookie
}

func newBrowser(t testing.TB, a http.Handler) *browser {
	return &browser{t: t, a: a, cookies: map[string]*http.Cookie{}}
}

func (b *browser) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.a.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
	if to := w.Header().Get("Location"); strings.HasPrefix(to, "/") {
		return b.do(http.MethodGet, base+to, nil)
	}
	return w
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// fields returns the hidden fields of a page.
func fields(page string) url.Values {
	values := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(page, -1) {
		values.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return values
}

// press presses a button of a page, with what the user has entered.
func (b *browser) press(w *httptest.ResponseRecorder, button string, entered url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	if w.Code != http.StatusOK && w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `value="`+button+`"`) {
		b.t.Fatalf("no page with a button %q: %d\n%s", button, w.Code, w.Body)
	}
	form := fields(w.Body.String())
	form.Set("do", button)
	for name, values := range entered {
		form[name] = values
	}
	return b.do(http.MethodPost, base+"/common/oauth2/login", form)
}

// signIn signs in on the first page with a password and, when asked, a second
// factor and consent.
func (b *browser) signIn(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.t.Helper()
	w = b.press(w, "signin", url.Values{"username": {userName}, "password": {password}})
	for _, button := range []string{"approve", "accept"} {
		if strings.Contains(w.Body.String(), `value="`+button+`"`) {
			w = b.press(w, button, nil)
		}
	}
	return w
}

// authorizeURL returns a request to the authorize endpoint; absent removes a parameter.
func authorizeURL(path string, changes ...string) string {
	values := url.Values{
		"client_id": {clientID}, "redirect_uri": {redirectURI}, "response_type": {"code"},
		"state": {"st&te"}, "nonce": {"n0nce"}, "scope": {api + "/.default openid offline_access"},
	}
	if !strings.Contains(path, "v2.0") {
		values.Set("scope", "openid profile")
		values.Set("resource", api)
	}
	for i := 0; i < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
		if changes[i+1] == absent {
			values.Del(changes[i])
		}
	}
	return base + path + "?" + values.Encode()
}

// answered returns what the app gets at its redirect URI.
func answered(t testing.TB, w *httptest.ResponseRecorder) url.Values {
	t.Helper()
	if w.Code == http.StatusOK && strings.Contains(w.Body.String(), `id="back"`) {
		return fields(w.Body.String())
	}
	if w.Code != http.StatusSeeOther {
		t.Fatalf("no answer to the app: %d\n%s", w.Code, w.Body)
	}
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Fragment != "" {
		values, err := url.ParseQuery(u.EscapedFragment())
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	return u.Query()
}

// tokens is the answer of a token endpoint of either version.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
	Codes        []int  `json:"error_codes"`
	Description  string `json:"error_description"`
}

func redeem(t testing.TB, a *Authority, target string, form url.Values) tokens {
	t.Helper()
	form.Set("client_id", clientID)
	if !form.Has("client_secret") && !form.Has("client_assertion") {
		form.Set("client_secret", secret)
	}
	w := post(a, target, form)
	got := decodeTokens(t, w)
	if (w.Code == http.StatusOK) != (got.Error == "") {
		t.Errorf("status %d with error %q", w.Code, got.Error)
	}
	return got
}

func decodeTokens(t testing.TB, w *httptest.ResponseRecorder) (got tokens) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, w.Body)
	}
	return got
}

func (g tokens) code() int {
	if len(g.Codes) == 0 {
		return 0
	}
	return g.Codes[0]
}

// signedInTokens signs Ada in and returns her first tokens.
func signedInTokens(t testing.TB, a *Authority) tokens {
	t.Helper()
	b := newBrowser(t, a)
	got := answered(t, b.signIn(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil)))
	first := redeem(t, a, base+"/common/oauth2/v2.0/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {got.Get("code")}, "redirect_uri": {redirectURI},
	})
	if first.RefreshToken == "" {
		t.Fatalf("no refresh token: %+v", first)
	}
	return first
}

// TestAuthorizationCode signs in in every way that the endpoint offers.
func TestAuthorizationCode(t *testing.T) {
	for _, path := range []string{"/common/oauth2", "/" + tenantID + "/oauth2", "/contoso.onmicrosoft.com/oauth2/v2.0", "/organizations/oauth2/v2.0"} {
		for _, mode := range []string{"", "query", "fragment", "form_post"} {
			for _, kind := range []string{"code", "code id_token"} {
				if mode == "query" && kind != "code" {
					continue
				}
				t.Run(path+" "+mode+" "+kind, func(t *testing.T) {
					a := newAuthority(t, signInOptions(&clock{at: start}))
					b := newBrowser(t, a)
					changes := []string{"response_type", kind, "response_mode", mode, "code_challenge", challenge, "code_challenge_method", "S256"}
					if mode == "" {
						changes[3] = absent
					}
					w := b.signIn(b.do("GET", authorizeURL(path+"/authorize", changes...), nil))
					if mode == "form_post" != (w.Code == http.StatusOK) {
						t.Errorf("status %d", w.Code)
					}
					if wantFragment := mode == "fragment" || mode == "" && kind != "code"; wantFragment != strings.Contains(w.Header().Get("Location"), "#") {
						t.Errorf("location %s", w.Header().Get("Location"))
					}
					got := answered(t, w)
					if got.Get("state") != "st&te" || got.Get("code") == "" || got.Has("id_token") != (kind != "code") {
						t.Fatalf("answer %v", got)
					}
					if id := got.Get("id_token"); id != "" {
						if _, claims := parts(t, id); claims["nonce"] != "n0nce" || claims["aud"] != clientID || claims["c_hash"] == nil {
							t.Errorf("id token %v", claims)
						}
					}
					form := url.Values{
						"grant_type": {"authorization_code"}, "code": {got.Get("code")}, "redirect_uri": {redirectURI},
						"code_verifier": {verifier}, "client_info": {"1"},
					}
					answer := redeem(t, a, base+path+"/token", form)
					claims, err := a.Verify(answer.AccessToken)
					if err != nil {
						t.Fatalf("%v: %+v", err, answer)
					}
					if claims.User != userName || !claims.MFA || claims.Audience != api || claims.AppID != clientID {
						t.Errorf("claims %+v", claims)
					}
					if answer.RefreshToken == "" || answer.IDToken == "" {
						t.Errorf("answer %+v", answer)
					}
					if _, id := parts(t, answer.IDToken); id["nonce"] != "n0nce" {
						t.Errorf("id token %v", id)
					}
				})
			}
		}
	}
}

// TestRefresh redeems refresh tokens in sequence, up to one that was not used for 90
// days.
func TestRefresh(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, signInOptions(c))
	got, at := signedInTokens(t, a), start
	refresh := func(token string) tokens {
		return redeem(t, a, base+"/common/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "resource": {api}, "scope": {"openid"}})
	}
	for range 3 {
		at = at.Add(RefreshLifetime - time.Second)
		c.set(at)
		next := refresh(got.RefreshToken)
		if next.AccessToken == "" || next.RefreshToken == "" || next.RefreshToken == got.RefreshToken || next.IDToken == "" || next.Scope != "user_impersonation" {
			t.Fatalf("%+v", next)
		}
		if claims, err := a.Verify(next.AccessToken); err != nil || !claims.MFA || claims.User != userName {
			t.Fatalf("%+v, %v", claims, err)
		}
		got = next
	}
	c.set(at.Add(RefreshLifetime))
	if late := refresh(got.RefreshToken); late.code() != 700082 || late.Error != "invalid_grant" {
		t.Errorf("after 90 days: %+v", late)
	}
	c.set(at)
	next := refresh(got.RefreshToken)
	if next.code() != 0 {
		t.Fatalf("back in time: %+v", next)
	}
	if again := refresh(got.RefreshToken); again.code() != 50173 {
		t.Errorf("replayed: %+v", again)
	}
	if last := refresh(next.RefreshToken); last.code() != 50173 {
		t.Errorf("the family lives on after a replay: %+v", last)
	}
}

// TestDeviceCode signs a device in from another one.
func TestDeviceCode(t *testing.T) {
	a := newAuthority(t, signInOptions(&clock{at: start}))
	for _, version := range []string{"oauth2", "oauth2/v2.0"} {
		form := url.Values{"client_id": {clientID}, "scope": {api + "/.default offline_access openid"}}
		grant := grantTypeDevice
		if version == "oauth2" {
			form, grant = url.Values{"client_id": {clientID}, "resource": {api}}, grantDeviceV1
		}
		w := post(a, base+"/common/"+version+"/devicecode", form)
		answer := decode[map[string]any](t, w)
		code, userCode := answer["device_code"].(string), answer["user_code"].(string)
		ask := func() tokens {
			form := url.Values{"grant_type": {grant}, "device_code": {code}}
			if version == "oauth2" {
				form = url.Values{"grant_type": {grant}, "code": {code}, "resource": {api}}
			}
			return redeem(t, a, base+"/common/"+version+"/token", form)
		}
		if got := ask(); got.Error != "authorization_pending" || got.code() != 70016 {
			t.Fatalf("%+v", got)
		}
		b := newBrowser(t, a)
		if w := b.do("POST", base+devicePath, url.Values{"user_code": {"BBBBBBBBB"}}); w.Code != 400 {
			t.Errorf("a wrong code gives %d", w.Code)
		}
		w = b.signIn(b.do("POST", base+devicePath, url.Values{"user_code": {strings.ToLower(userCode[:4] + "-" + userCode[4:])}}))
		if !strings.Contains(w.Body.String(), "You are signed in") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		got := ask()
		if claims, err := a.Verify(got.AccessToken); err != nil || claims.User != userName || got.RefreshToken == "" {
			t.Fatalf("%+v, %v", got, err)
		}
		if again := ask(); again.code() != 70018 {
			t.Errorf("the code is good twice: %+v", again)
		}
	}
}

// TestOnBehalfOf is a service that was called with a user's token and requests one of
// Partner Center's for that user.
func TestOnBehalfOf(t *testing.T) {
	a := newAuthority(t, signInOptions(&clock{at: start}))
	b := newBrowser(t, a)
	got := answered(t, b.signIn(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize", "scope", appScheme+clientID+"/access openid"), nil)))
	first := redeem(t, a, base+"/common/oauth2/v2.0/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {got.Get("code")}, "redirect_uri": {redirectURI},
	})
	if _, err := a.Verify(first.AccessToken); err == nil {
		t.Error("the API takes a token that is meant for an app")
	}
	exchange := func(assertion string) tokens {
		return redeem(t, a, base+"/"+tenantID+"/oauth2/v2.0/token", url.Values{
			"grant_type": {grantTypeOnBehalfOf}, "requested_token_use": {"on_behalf_of"},
			"assertion": {assertion}, "scope": {api + "/.default offline_access"},
		})
	}
	if got := exchange(first.AccessToken); got.code() != 65001 {
		t.Errorf("without consent: %+v", got)
	}
	if got := exchange(first.IDToken); got.code() != 240002 {
		t.Errorf("an id token: %+v", got)
	}
	second := signedInTokens(t, a) // which is a consent too
	if got := exchange(second.AccessToken); got.code() != 500131 {
		t.Errorf("a token for another API: %+v", got)
	}
	middle := exchange(first.AccessToken)
	if claims, err := a.Verify(middle.AccessToken); err != nil || claims.User != userName || !claims.MFA || middle.RefreshToken == "" {
		t.Errorf("%+v, %v, %+v", claims, err, middle)
	}
}

// customers returns an Options.Customer that knows one of tenantID, and one of another
// partner.
func customers(ours, others string) func(context.Context, string) (*Customer, error) {
	return func(_ context.Context, name string) (*Customer, error) {
		switch strings.ToLower(name) {
		case ours, "customer.onmicrosoft.com":
			return &Customer{ID: ours, Domain: "customer.onmicrosoft.com", Partners: []string{strings.ToUpper(tenantID)}}, nil
		case others:
			return &Customer{ID: others, Partners: []string{otherTenant}}, nil
		}
		return nil, nil
	}
}

// TestCustomerToken is what a control panel vendor does in a customer's tenant.
func TestCustomerToken(t *testing.T) {
	const customer, graphID = "d0d0caca-0000-4000-8000-000000000001", "00000003-0000-0000-c000-000000000000"
	o := signInOptions(&clock{at: start})
	const others = "d0d0caca-0000-4000-8000-000000000002"
	o.Customer = customers(customer, others)
	a := newAuthority(t, o)
	got := signedInTokens(t, a)
	ask := func(tenant string) tokens {
		answer := redeem(t, a, base+"/"+tenant+"/oauth2/token", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}, "resource": {"https://graph.microsoft.com"},
		})
		if answer.RefreshToken != "" {
			got = answer
		}
		return answer
	}
	if got := ask(customer); got.code() != 90099 {
		t.Errorf("without consent: %+v", got)
	}
	if got := ask(others); got.code() != 50020 {
		t.Errorf("another's customer: %+v", got)
	}
	if got := ask("d0d0caca-0000-4000-8000-000000000003"); got.code() != 90002 {
		t.Errorf("nobody's customer: %+v", got)
	}
	graph, ok := ResourceOf(graphID)
	if !ok {
		t.Fatal("no Graph")
	}
	consent := Consent{TenantID: customer, ClientID: clientID, Resources: []string{graph}}
	if err := a.PutConsent(t.Context(), consent); err != nil {
		t.Fatal(err)
	}
	answer := ask(customer)
	if _, claims := parts(t, answer.AccessToken); claims["tid"] != customer || claims["aud"] != graph || claims["upn"] != userName {
		t.Errorf("%v", claims)
	}
	if _, err := a.Verify(answer.AccessToken); err == nil {
		t.Error("the API takes a token of another API")
	}
	consent.Resources = nil
	if err := a.PutConsent(t.Context(), consent); err != nil {
		t.Fatal(err)
	}
	if got := ask(customer); got.code() != 90099 {
		t.Errorf("after the consent was taken back: %+v", got)
	}
}

package issuer

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A second app, a public one, a disabled one, and a multi-tenant one of another tenant;
// and more users than Ada.
const (
	secondClient   = "c0ffee00-0000-4000-8000-000000000003"
	publicClient   = "c0ffee00-0000-4000-8000-000000000004"
	disabledClient = "c0ffee00-0000-4000-8000-000000000005"
	sharedClient   = "c0ffee00-0000-4000-8000-000000000006"

	bobName  = "bob@contoso.onmicrosoft.com"  // has no second factor
	danName  = "dan@contoso.onmicrosoft.com"  // is disabled
	eveName  = "eve@fabrikam.onmicrosoft.com" // is of the other tenant
	bobID    = "0b1ec700-0000-4000-8000-00000000000b"
	otherURI = "https://app.example/signin"
)

// crowdOptions are signInOptions with more apps and users.
func crowdOptions(c *clock) Options {
	o := signInOptions(c)
	uris := o.Tenants[0].Clients[0].RedirectURIs
	o.Tenants[0].Clients = append(o.Tenants[0].Clients,
		Client{ID: secondClient, ObjectID: "o3", Secrets: []Secret{{Value: "second"}}, RedirectURIs: uris},
		Client{ID: publicClient, ObjectID: "o4", Public: true, RedirectURIs: uris},
		Client{ID: disabledClient, ObjectID: "o5", Secrets: []Secret{{Value: "disabled"}}, RedirectURIs: uris, Disabled: true},
	)
	o.Tenants[0].Users = append(o.Tenants[0].Users,
		User{UserPrincipalName: bobName, ObjectID: bobID, Password: password},
		User{UserPrincipalName: danName, ObjectID: "u3", Password: password, Disabled: true},
	)
	o.Tenants[1].Domains = []string{"fabrikam.onmicrosoft.com"}
	o.Tenants[1].Clients = append(o.Tenants[1].Clients,
		Client{ID: sharedClient, ObjectID: "o6", Secrets: []Secret{{Value: "shared"}}, RedirectURIs: uris, MultiTenant: true})
	o.Tenants[1].Users = []User{{UserPrincipalName: eveName, ObjectID: "u4", Password: password}}
	return o
}

// set applies changes, name after value, to a form; absent removes one.
func set(form url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == absent {
			form.Del(changes[i])
		}
	}
	return form
}

// wantRefusal checks a refusal of the token endpoint: status, error and number, and
// that it contains neither a token nor a secret.
func wantRefusal(t testing.TB, w *httptest.ResponseRecorder, status int, kind string, code int) {
	t.Helper()
	body := w.Body.String()
	got := decodeTokens(t, w)
	if w.Code != status || got.Error != kind || got.code() != code {
		t.Errorf("%d %s %v, want %d %s %d: %s", w.Code, got.Error, got.Codes, status, kind, code, got.Description)
	}
	if strings.Contains(body, `_token":`) {
		t.Errorf("a refusal with a token: %s", body)
	}
	for _, one := range []string{secret, password, url.QueryEscape(secret), verifier, "eyJ", refreshPrefix} {
		if strings.Contains(body, one) {
			t.Errorf("a refusal that repeats a secret, %q: %s", one, body)
		}
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if (w.Header().Get("WWW-Authenticate") != "") != (status == 401) {
		t.Errorf("status %d with WWW-Authenticate %q", status, w.Header().Get("WWW-Authenticate"))
	}
}

// wantTokens checks that an answer has a token that the API accepts.
func wantTokens(t testing.TB, a *Authority, w *httptest.ResponseRecorder) tokens {
	t.Helper()
	got := decodeTokens(t, w)
	if _, err := a.Verify(got.AccessToken); err != nil || w.Code != 200 {
		t.Fatalf("%v: %d %s", err, w.Code, w.Body)
	}
	return got
}

// codeOf signs Ada in and returns the code that the app gets.
func codeOf(t testing.TB, a *Authority, changes ...string) string {
	t.Helper()
	b := newBrowser(t, a)
	code := answered(t, b.signIn(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize", changes...), nil))).Get("code")
	if code == "" {
		t.Fatal("no code")
	}
	return code
}

// codeForm is the request that redeems a code.
func codeForm(code string, changes ...string) url.Values {
	return set(url.Values{
		"grant_type": {grantTypeCode}, "client_id": {clientID}, "client_secret": {secret}, "code": {code}, "redirect_uri": {redirectURI},
	}, changes...)
}

const commonToken = base + "/common/oauth2/v2.0/token"

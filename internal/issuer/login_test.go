package issuer

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// meanwhile is something that happens to a user, an app or a consent between two steps of
// a sign-in.
type meanwhile struct {
	name string
	do   func(o *Options, a *Authority)
	code string // with which the sign-in, code or device ends
}

// endings end sign-ins, as they do refresh tokens.
func endings(t *testing.T) []meanwhile {
	change := func(f func(*Tenant)) func(*Options, *Authority) {
		return func(o *Options, a *Authority) {
			f(&o.Tenants[0])
			must(a.SetTenants(o.Tenants))
		}
	}
	return []meanwhile{
		{"disabled", change(func(d *Tenant) { d.Users[0].Disabled = true }), "AADSTS50057"},
		{"deleted", change(func(d *Tenant) { d.Users = d.Users[1:] }), "AADSTS50173"},
		{"replaced", change(func(d *Tenant) { d.Users[0].ObjectID = "0b1ec700-0000-4000-8000-0000000000ff" }), "AADSTS50173"},
		{"password changed", change(func(d *Tenant) { d.Users[0].Password = "another" }), "AADSTS50173"},
		{"revoked", func(_ *Options, a *Authority) {
			_, err := a.RevokeGrants(t.Context(), "an administrator has revoked it", func(g *Grant) bool { return g.UserID == userID && g.ClientID == sharedClient })
			must(err)
		}, "AADSTS50173"},
		{"app disabled", func(o *Options, a *Authority) {
			for i := range o.Tenants[1].Clients {
				o.Tenants[1].Clients[i].Disabled = true
			}
			must(a.SetTenants(o.Tenants))
		}, "AADSTS7000112"},
	}
}

// loginOptions has an administrator sign in to another tenant's app.
func loginOptions() Options {
	o := crowdOptions(&clock{at: start})
	o.Tenants[0].Users[0].Administrator = true
	for i := range o.Tenants[1].Clients {
		o.Tenants[1].Clients[i].Public = true
	}
	return o
}

// toConsent goes to the page that asks for consent, of an app or a device.
func toConsent(t *testing.T, a *Authority, ofDevice bool) (b *browser, w *httptest.ResponseRecorder, device string) {
	t.Helper()
	b = newBrowser(t, a)
	if ofDevice {
		var userCode string
		device, userCode = beginDevice(t, a, "client_id", sharedClient)
		w = b.do(http.MethodPost, base+devicePath, url.Values{"user_code": {userCode}})
	} else {
		w = b.do(http.MethodGet, authorizeURL("/common/oauth2/v2.0/authorize", "client_id", sharedClient), nil)
	}
	w = b.press(w, "signin", url.Values{"username": {userName}, "password": {password}})
	return b, b.press(w, "approve", nil), device
}

func wantNoConsent(t *testing.T, a *Authority) {
	t.Helper()
	if got := consentsOf(a, func(Consent) bool { return true }); len(got) > 0 {
		t.Errorf("stored: %+v", got)
	}
}

// TestSignInEndsBeforeConsent ends a sign-in while the user looks at the page that asks
// for consent: nothing is stored.
func TestSignInEndsBeforeConsent(t *testing.T) {
	for _, ending := range endings(t) {
		for _, ofDevice := range []bool{false, true} {
			t.Run(ending.name, func(t *testing.T) {
				o := loginOptions()
				a := newAuthority(t, o)
				b, w, device := toConsent(t, a, ofDevice)
				ending.do(&o, a)
				w = b.press(w, "accept", url.Values{"everybody": {"1"}})
				if w.Code < 400 || !strings.Contains(w.Body.String(), ending.code) {
					t.Errorf("%d, want %s\n%s", w.Code, ending.code, w.Body)
				}
				wantNoConsent(t, a)
				if ofDevice && decodeTokens(t, post(a, commonToken, deviceForm(device, asShared...))).AccessToken != "" {
					t.Error("the device gets tokens")
				}
			})
		}
	}
}

// TestSignInEndsBeforeTokens ends a sign-in between its last page and the app's request
// for tokens.
func TestSignInEndsBeforeTokens(t *testing.T) {
	for _, ending := range endings(t) {
		for _, ofDevice := range []bool{false, true} {
			t.Run(ending.name, func(t *testing.T) {
				o := loginOptions()
				a := newAuthority(t, o)
				b, w, device := toConsent(t, a, ofDevice)
				w = b.press(w, "accept", nil)
				form := deviceForm(device, asShared...)
				if !ofDevice {
					form = codeForm(answered(t, w).Get("code"), asShared...)
				}
				ending.do(&o, a)
				if got := decodeTokens(t, post(a, commonToken, form)); !strings.HasPrefix(got.Description, ending.code+":") {
					t.Errorf("%+v, want %s", got, ending.code)
				}
			})
		}
	}
}

// TestOthersSignIn goes on while others' sign-ins end.
func TestOthersSignIn(t *testing.T) {
	o := loginOptions()
	a := newAuthority(t, o)
	b, w, _ := toConsent(t, a, false)
	_, err := a.RevokeGrants(t.Context(), "an administrator has revoked it", func(g *Grant) bool { return g.UserID != userID || g.ClientID == clientID })
	must(err)
	wantTokens(t, a, post(a, commonToken, codeForm(answered(t, b.press(w, "accept", nil)).Get("code"), asShared...)))
}

// TestSecondFactorIsRequiredNow requires a second factor of somebody who has passed by it,
// and of who consents for everybody.
func TestSecondFactorIsRequiredNow(t *testing.T) {
	for _, now := range []bool{false, true} {
		o := loginOptions()
		o.Tenants[0].Users[0].MFA = false
		a := newAuthority(t, o)
		b := newBrowser(t, a)
		w := b.press(b.do(http.MethodGet, authorizeURL("/common/oauth2/v2.0/authorize", "client_id", sharedClient), nil),
			"signin", url.Values{"username": {userName}, "password": {password}})
		entered := url.Values{"everybody": {"1"}}
		if o.Tenants[0].Users[0].MFA = now; now {
			entered = nil
		}
		must(a.SetTenants(o.Tenants))
		if w := b.press(w, "accept", entered); w.Code != 400 || !strings.Contains(w.Body.String(), "AADSTS50076") {
			t.Errorf("%d\n%s", w.Code, w.Body)
		}
		wantNoConsent(t, a)
	}
}

// TestConfirmingAWithdrawnConsent withdraws the consent while the user looks at the page
// that asks for none.
func TestConfirmingAWithdrawnConsent(t *testing.T) {
	o := loginOptions()
	o.Consents = []Consent{sharedConsent("", []string{api}, nil)}
	a := newAuthority(t, o)
	b, w, device := toConsent(t, a, true)
	if !strings.Contains(w.Body.String(), "Is it you who signs in?") {
		t.Fatal(w.Body)
	}
	must(a.PutConsent(t.Context(), sharedConsent("", nil, nil)))
	if w = b.press(w, "accept", url.Values{"everybody": {"1"}}); !strings.Contains(w.Body.String(), "AADSTS700016") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	wantNoConsent(t, a)
	wantRefusal(t, post(a, commonToken, deviceForm(device, asShared...)), 400, "authorization_pending", 70016)
}

// TestFormsOfOtherSites sends the forms of the pages from those of others: nothing happens.
func TestFormsOfOtherSites(t *testing.T) {
	o := loginOptions()
	a := newAuthority(t, o)
	headers := http.Header{}
	b, w, device := toConsent(t, a, true)
	b.a = withHeaders{a, headers}
	for _, other := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		maps.Copy(headers, other)
		for _, answer := range []*httptest.ResponseRecorder{
			b.press(w, "decline", nil), b.press(w, "accept", nil), b.do(http.MethodPost, base+devicePath, url.Values{"user_code": {"BCDFGHJKL"}}),
		} {
			if answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), "AADSTS165900") {
				t.Errorf("%v: %d\n%s", other, answer.Code, answer.Body)
			}
			checkPageHeaders(t, answer)
		}
		clear(headers)
	}
	wantNoConsent(t, a)
	// An app may send its users with a form.
	headers.Set("Origin", "https://app.example")
	query := authorizeURL("/common/oauth2/v2.0/authorize")
	form, err := url.ParseQuery(query[strings.Index(query, "?")+1:])
	must(err)
	if w := b.do(http.MethodPost, base+"/common/oauth2/v2.0/authorize", form); w.Code != http.StatusOK {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	// The browser names this server.
	headers.Set("Origin", base)
	if w = b.press(w, "accept", nil); !strings.Contains(w.Body.String(), "You are signed in") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	wantTokens(t, a, post(a, commonToken, deviceForm(device, asShared...)))
}

// withHeaders adds headers to requests.
type withHeaders struct {
	http.Handler
	headers http.Header
}

func (h withHeaders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(r.Header, h.headers)
	h.Handler.ServeHTTP(w, r)
}

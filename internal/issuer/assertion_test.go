package issuer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

// TestAssertionGivesOneToken sends client assertions again: the same request within a
// minute gets the token again, as after an answer that was lost, and nothing else does.
func TestAssertionGivesOneToken(t *testing.T) {
	c := &clock{at: start}
	o, certs := certificateOptions(t, c)
	second := &o.Tenants[0].Clients[1]
	second.Certificates = o.Tenants[0].Clients[0].Certificates
	system := &clock{at: start}
	o.System = system.now
	keeper := newTestKeeper(&o)
	a := newAuthority(t, o)
	sign := func(app, jti string) []string {
		now := c.now()
		claims := map[string]any{"aud": urlV2, "iss": app, "sub": app, "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
		if jti != "" {
			claims["jti"] = jti
		}
		return []string{
			"client_id", app, "client_secret", absent, "client_assertion_type", assertionType,
			"client_assertion", assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(certs[0])}, claims, key1().Private),
		}
	}
	form := func(shown []string, changes ...string) url.Values { return set(formV2(), append(shown, changes...)...) }
	replayed := func(w *httptest.ResponseRecorder) {
		t.Helper()
		wantRefusal(t, w, 401, "invalid_client", 700027)
	}
	for _, jti := range []string{"one", ""} {
		c.set(start)
		shown := sign(clientID, jti)
		// What gives no token uses nothing up.
		wantRefusal(t, post(a, urlV2, form(shown, "scope", "https://vault.azure.net/.default")), 400, "invalid_resource", 500011)
		first := wantTokens(t, a, post(a, urlV2, form(shown)))
		c.set(start.Add(59 * time.Second))
		if again := wantTokens(t, a, post(a, urlV2, form(shown))); again.AccessToken != first.AccessToken || again.RefreshToken != first.RefreshToken {
			t.Errorf("%q: another token", jti)
		}
		replayed(post(a, urlV2, form(shown, "scope", api+"/.default")))
		replayed(post(a, urlV1, form(shown, "resource", graph)))
		replayed(post(a, urlV2, form(shown, "claims", "{}")))
		c.set(start.Add(time.Minute))
		replayed(post(a, urlV2, form(shown)))
		c.set(start) // the clock is set back
		replayed(post(a, urlV2, form(shown)))
		c.set(start.Add(15*time.Minute - time.Second)) // as long as it is valid
		replayed(post(a, urlV2, form(shown)))
	}
	c.set(start)
	replayed(post(a, urlV2, form(sign(clientID, "one")))) // the jti counts, not the signature
	wantTokens(t, a, post(a, urlV2, form(sign(secondClient, "one"))))
	shown := sign(clientID, "two")
	first := wantTokens(t, a, post(a, urlV2, form(shown)))
	a = newAuthority(t, o) // after a restart
	if again := wantTokens(t, a, post(a, urlV2, form(shown))); again.AccessToken != first.AccessToken {
		t.Error("another token after a restart")
	}
	for _, r := range recordsOf(a, kindAssertion) {
		if strings.Contains(string(r.Data), "eyJ") || strings.Contains(string(r.Data), first.AccessToken[10:30]) {
			t.Error("a token is kept as it is")
		}
	}
	shown = append(shown, "scope", api+"/.default") // for something else
	replayed(post(a, urlV2, form(shown)))

	// An app's many sign-ins bound what is remembered.
	fill := func(n int, at time.Time) {
		t.Helper()
		for i := range n {
			r := Record{Kind: kindAssertion, ID: fmt.Sprint(at, i), Owner: clientID, Proved: true}
			r.lives(instant{at, at}, longestAssertion)
			if ok, err := keeper.PutRecord(t.Context(), r); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	remembered := func(want int) {
		t.Helper()
		must(keeper.TrimRecords(t.Context(), kindAssertion, bounds[kindAssertion].keep, bounds[kindAssertion].limit))
		if n := len(recordsOf(a, kindAssertion)); n != want {
			t.Errorf("%d are remembered, want %d", n, want)
		}
	}
	before := len(recordsOf(a, kindAssertion))
	fill(assertionsKept+1000, start)
	remembered(before + assertionsKept + 1000)
	replayed(post(a, urlV2, form(shown))) // others do not make room for it
	c.set(start.Add(2 * time.Hour))       // the clock may be set back
	remembered(before + assertionsKept + 1000)
	system.set(start.Add(2 * time.Hour))
	remembered(assertionsKept + 1) // and the other app's
	c.set(start)
	fill(maxAssertionsKept, start.Add(time.Second))
	remembered(maxAssertionsKept)
}

// TestRepeatEnds repeats a request until a minute has passed by either clock.
func TestRepeatEnds(t *testing.T) {
	for name, at := range map[string]func(time.Duration) instant{
		"frozen": func(later time.Duration) instant { return instant{Shown: start, System: start.Add(later)} },
		"set":    func(later time.Duration) instant { return instant{Shown: start.Add(later), System: start} },
	} {
		t.Run(name, func(t *testing.T) {
			c, system := &clock{at: start}, &clock{at: start}
			o, certs := certificateOptions(t, c)
			o.System = system.now
			a := newAuthority(t, o)
			form := assertionForm(certs[0], "x", start)
			wantTokens(t, a, post(a, urlV2, form))
			for _, later := range []time.Duration{repeatWindow - time.Second, repeatWindow} {
				now := at(later)
				c.set(now.Shown)
				system.set(now.System)
				if later < repeatWindow {
					wantTokens(t, a, post(a, urlV2, form))
				}
			}
			wantRefusal(t, post(a, urlV2, form), 401, "invalid_client", 700027)
		})
	}
}

// assertionForm is a request with an assertion that was signed at a time.
func assertionForm(cert *x509.Certificate, jti string, at time.Time) url.Values {
	claims := map[string]any{"aud": urlV2, "iss": clientID, "sub": clientID, "jti": jti, "exp": at.Add(assertionLifetime).Unix()}
	return set(formV2(), "client_secret", absent, "client_assertion_type", assertionType,
		"client_assertion", assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(cert)}, claims, key1().Private))
}

// TestRepeatWithTelemetry repeats a request as MSAL does, which counts its tries in it.
func TestRepeatWithTelemetry(t *testing.T) {
	o, certs := certificateOptions(t, &clock{at: start})
	a := newAuthority(t, o)
	form := assertionForm(certs[0], "x", start)
	first := wantTokens(t, a, post(a, urlV2, set(form, "x-client-current-telemetry", "2|771,2|,", "client-request-id", "1")))
	again := wantTokens(t, a, post(a, urlV2, set(form, "X-client-current-telemetry", "2|772,1|,", "x-client-SKU", "msal.js.node", "client_info", "1")))
	if again.AccessToken != first.AccessToken {
		t.Error("another token")
	}
	wantRefusal(t, post(a, urlV2, set(form, "claims", "{}")), 401, "invalid_client", 700027)
}

// TestReuseAssertions sends one assertion for several things, as MSAL does, to a server
// that takes it until it expires.
func TestReuseAssertions(t *testing.T) {
	c := &clock{at: start}
	o, certs := certificateOptions(t, c)
	form := assertionForm(certs[0], "x", start)
	strict := newAuthority(t, o)
	wantTokens(t, strict, post(strict, urlV2, form))
	if w := post(strict, urlV2, set(form, "scope", api+"/.default")); !strings.Contains(w.Body.String(), "--reuse-assertions") {
		t.Errorf("the refusal does not name the way out: %s", w.Body)
	}
	o.ReuseAssertions = true
	newTestKeeper(&o).put = func(Record) error { return errors.New("nothing is to be saved") }
	a := newAuthority(t, o)
	first := wantTokens(t, a, post(a, urlV2, form))
	if again := wantTokens(t, a, post(a, urlV2, form)); again.AccessToken == first.AccessToken {
		t.Error("the same token")
	}
	c.set(start.Add(assertionLifetime))
	wantTokens(t, a, post(a, urlV2, set(form, "scope", api+"/.default")))
	a.forgetSignIns()
	c.set(start.Add(assertionLifetime + assertionLeeway))
	wantRefusal(t, post(a, urlV2, form), 401, "invalid_client", 700024)
}

// TestAssertionAtOnce sends one assertion many times at once, for two things: one of them
// gets a token, always the same.
func TestAssertionAtOnce(t *testing.T) {
	o, certs := certificateOptions(t, &clock{at: start})
	a := newAuthority(t, o)
	claims := map[string]any{"aud": urlV2, "iss": clientID, "sub": clientID, "jti": "x", "exp": start.Add(10 * time.Minute).Unix()}
	text := assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(certs[0])}, claims, key1().Private)
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for i := range 16 {
		form := set(formV2(), "client_secret", absent, "client_assertion", text, "client_assertion_type", assertionType, "scope", []string{api, graph}[i%2]+"/.default")
		all.Go(func() {
			answer := decodeTokens(t, post(a, urlV2, form))
			mu.Lock()
			defer mu.Unlock()
			got[answer.AccessToken]++
		})
	}
	all.Wait()
	if len(got) != 2 || got[""] != 8 {
		t.Errorf("%d different answers, %d refusals", len(got), got[""])
	}
}

// TestCodeWithAssertionRepeated repeats a request that redeems a code, which is not taken
// for a replay of the code.
func TestCodeWithAssertionRepeated(t *testing.T) {
	o, certs := certificateOptions(t, &clock{at: start})
	a := newAuthority(t, o)
	claims := map[string]any{"aud": commonToken, "iss": clientID, "sub": clientID, "jti": "x", "exp": start.Add(10 * time.Minute).Unix()}
	form := codeForm(codeOf(t, a), "client_secret", absent, "client_assertion_type", assertionType,
		"client_assertion", assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(certs[0])}, claims, key1().Private))
	first := wantTokens(t, a, post(a, commonToken, form))
	again := wantTokens(t, a, post(a, commonToken, form))
	if again.RefreshToken != first.RefreshToken || again.AccessToken != first.AccessToken {
		t.Error("the same request gets other tokens")
	}
	wantTokens(t, a, post(a, commonToken, refreshForm(first.RefreshToken)))
	other := tokentest.With(claims, "jti", "y")
	wantRefusal(t, post(a, commonToken, set(form, "client_assertion", assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(certs[0])}, other, key1().Private))), 400, "invalid_grant", 54005)
}

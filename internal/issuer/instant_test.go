package issuer

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestLivesWithTheClock sets the clock forwards and back: what it ended is right again,
// and what began in a future that was taken back ends by the system's clock.
func TestLivesWithTheClock(t *testing.T) {
	for name, test := range map[string]struct {
		life time.Duration
		// begin returns what begins, as a function that reports whether it is not over.
		begin func(*testing.T, *Authority) func() bool
	}{
		"a sign-in": {signInLifetime, func(t *testing.T, a *Authority) func() bool {
			b := newBrowser(t, a)
			w := b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil)
			flow := "/common/oauth2/login?flow=" + fields(w.Body.String()).Get("flow")
			return func() bool { return b.do("GET", flow, nil).Code == http.StatusOK }
		}},
		"a code": {codeLifetime, func(t *testing.T, a *Authority) func() bool {
			code := codeOf(t, a)
			return func() bool {
				// With a wrong redirect URI it is not used up.
				got := decodeTokens(t, post(a, commonToken, codeForm(code, "redirect_uri", otherURI)))
				return got.code() == codeReplyMismatch.number
			}
		}},
		"a device code": {deviceLifetime, func(t *testing.T, a *Authority) func() bool {
			form := url.Values{"client_id": {clientID}, "scope": {api + "/.default"}}
			d := decode[map[string]any](t, post(a, base+"/common/oauth2/v2.0/devicecode", form))
			return func() bool {
				got := redeem(t, a, commonToken, url.Values{"grant_type": {grantTypeDevice}, "device_code": {d["device_code"].(string)}})
				w := newBrowser(t, a).do("POST", base+devicePath, url.Values{"user_code": {d["user_code"].(string)}})
				if (w.Code == http.StatusOK) != (got.code() == codePending.number) {
					t.Errorf("the device is told %+v, the user %d %s", got, w.Code, w.Body)
				}
				return got.code() == codePending.number
			}
		}},
		"a refresh token": {RefreshLifetime, func(t *testing.T, a *Authority) func() bool {
			text := signedInTokens(t, a).RefreshToken
			return func() bool {
				for range 8 { // each of which forgets some that are over
					signedInTokens(t, a)
				}
				got := redeem(t, a, commonToken, url.Values{"grant_type": {grantTypeRefresh}, "refresh_token": {text}, "scope": {"unknown_scope"}})
				return got.code() != codeRefreshExpired.number && got.code() != codeBadGrant.number
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			shown, system := &clock{at: start}, &clock{at: start}
			o := signInOptions(shown)
			o.System = system.now
			a := newAuthority(t, o)
			lives := test.begin(t, a)
			future := start.AddDate(4, 0, 0)
			for _, step := range []struct {
				name  string
				shown time.Time
				want  bool
			}{
				{"at once", start, true},
				{"before its end", start.Add(test.life - time.Second), true},
				{"at its end", start.Add(test.life), false},
				{"in four years", future, false},
				{"set back", start, true},
				{"a year ago", start.AddDate(-1, 0, 0), true},
			} {
				shown.set(step.shown)
				if got := lives(); got != step.want {
					t.Errorf("%s: %v", step.name, got)
				}
			}
			shown.set(future)
			lives = test.begin(t, a)
			shown.set(start)
			if !lives() {
				t.Error("begun in the future: it is over at once")
			}
			system.set(start.Add(test.life))
			if lives() {
				t.Error("begun in the future: it does not end")
			}
		})
	}
}

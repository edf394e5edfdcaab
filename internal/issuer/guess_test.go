package issuer

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// from is an authority whose requests come from an address.
type from struct {
	*Authority
	address string
}

func (f from) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.RemoteAddr = f.address
	f.Authority.ServeHTTP(w, r)
}

// postFrom posts a form from an address.
func postFrom(a *Authority, address, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	from{a, address}.ServeHTTP(w, r)
	return w
}

const (
	here      = "203.0.113.5:2000"
	elsewhere = "198.51.100.7:2000"
)

// guessing is a kind of guess, at a target, from an address.
type guessing struct {
	limit int
	wrong func(a *Authority, address string) *httptest.ResponseRecorder
	// right is a guess that succeeds, but for the limit.
	right  func(a *Authority, address string) *httptest.ResponseRecorder
	other  func(a *Authority, address string) *httptest.ResponseRecorder // at another target; nil without
	locked string
	resets bool // a right guess in between restarts the count
}

func guessings() map[string]guessing {
	token := func(changes ...string) func(*Authority, string) *httptest.ResponseRecorder {
		return func(a *Authority, address string) *httptest.ResponseRecorder {
			form := url.Values{"grant_type": {grantTypeClientCredentials}, "client_id": {clientID}, "client_secret": {secret}, "scope": {api + "/.default"}}
			return postFrom(a, address, urlV2, set(form, changes...))
		}
	}
	login := func(name, password string) func(*Authority, string) *httptest.ResponseRecorder {
		return token("grant_type", grantTypePassword, "username", name, "password", password, "scope", "openid "+api+"/.default")
	}
	enter := func(code string) func(*Authority, string) *httptest.ResponseRecorder {
		return func(a *Authority, address string) *httptest.ResponseRecorder {
			if code == "" {
				form := url.Values{"client_id": {clientID}, "scope": {api + "/.default"}}
				answer := postFrom(a, address, base+"/common/oauth2/v2.0/devicecode", form).Body.String()
				_, answer, _ = strings.Cut(answer, `"user_code":"`)
				return postFrom(a, address, base+devicePath, url.Values{"user_code": {answer[:userCodeLength]}})
			}
			return postFrom(a, address, base+devicePath, url.Values{"user_code": {code}})
		}
	}
	second := token("client_id", secondClient, "client_secret", "second")
	grant := func(grantType, name, value string) func(*Authority, string) *httptest.ResponseRecorder {
		return token("grant_type", grantType, name, value, "redirect_uri", redirectURI)
	}
	return map[string]guessing{
		"passwords":            {maxWrongPasswords, login(bobName, "x"), login(bobName, password), login(userName, password), "AADSTS50053", true},
		"codes of devices":     {maxWrongUserCodes, enter("BBBBBBBBB"), enter(""), nil, "AADSTS90055", false},
		"secrets":              {maxWrongFromApp, token("client_secret", "x"), token(), second, "AADSTS90055", true},
		"authorization codes":  {maxWrongFromApp, grant(grantTypeCode, "code", "x"), nil, token(), "AADSTS90055", true},
		"refresh tokens":       {maxWrongFromApp, grant(grantTypeRefresh, "refresh_token", "x"), nil, grant(grantTypeCode, "code", "x"), "AADSTS90055", true},
		"codes for devices":    {maxWrongFromApp, grant(grantTypeDevice, "device_code", "x"), nil, second, "AADSTS90055", true},
		"assertions of an app": {maxWrongFromApp, token("client_secret", absent, "client_assertion", "x.y.z", "client_assertion_type", assertionType), nil, second, "AADSTS90055", true},
	}
}

func isLocked(w *httptest.ResponseRecorder, code string) bool {
	return strings.Contains(w.Body.String(), code)
}

// TestGuesses guesses until further guesses are refused: from that address, at that
// target, for a minute of the system's clock, whatever the one shows that is set.
func TestGuesses(t *testing.T) {
	for name, g := range guessings() {
		t.Run(name, func(t *testing.T) {
			shown, system := &clock{at: start}, &clock{at: start}
			o := crowdOptions(shown)
			o.System = system.now
			a := newAuthority(t, o)
			right, again := g.right, g.limit
			if right == nil {
				// A wrong one is answered differently when it is looked at, and counts.
				right, again = g.wrong, g.limit-1
			}
			guess := func(n int) {
				t.Helper()
				for i := range n {
					if w := g.wrong(a, here); isLocked(w, g.locked) {
						t.Fatalf("guess %d is refused: %s", i, w.Body)
					}
				}
			}
			locked := func(when string, want bool) {
				t.Helper()
				w := right(a, here)
				if isLocked(w, g.locked) != want {
					t.Errorf("%s: %d %s", when, w.Code, w.Body)
				}
				if want && w.Header().Get("Retry-After") == "" {
					t.Errorf("%s: no Retry-After", when)
				}
			}
			guess(g.limit - 1)
			if g.resets && g.right != nil {
				locked("one before the limit", false)
				guess(g.limit - 1)
			}
			guess(1)
			locked("after the limit", true)
			if w := right(a, elsewhere); isLocked(w, g.locked) {
				t.Errorf("another address is locked out, too: %s", w.Body)
			}
			if g.other != nil {
				if w := g.other(a, here); isLocked(w, g.locked) {
					t.Errorf("another target is locked, too: %s", w.Body)
				}
			}
			shown.set(start.AddDate(4, 0, 0))
			locked("in four years, at once", true)
			system.set(start.Add(lockout - time.Second))
			locked("within a minute", true)
			system.set(start.Add(lockout))
			locked("a minute later", false)

			// The clock was set ahead when the guesses were wrong, and is set back.
			guess(again)
			locked("in the future", true)
			shown.set(start)
			system.set(start.Add(2 * lockout))
			locked("set back", false)

			// It is frozen, as it has been all the time.
			guess(again)
			locked("frozen", true)
			system.set(start.Add(3 * lockout))
			locked("frozen for a minute", false)
		})
	}
}

// TestLocksNobodyOut guesses at a user's password and an app's secret from many
// addresses: those who know them sign in.
func TestLocksNobodyOut(t *testing.T) {
	for name, g := range guessings() {
		if g.right == nil {
			continue
		}
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		for i := range 5 {
			address := fmt.Sprintf("[2001:db8:0:%x::1]:1", i)
			for range g.limit + 1 {
				g.wrong(a, address)
			}
			if w := g.wrong(a, fmt.Sprintf("[2001:db8:0:%x::ffff]:1", i)); !isLocked(w, g.locked) {
				t.Errorf("%s: a second address of a network has guesses of its own: %s", name, w.Body)
			}
		}
		if w := g.right(a, here); isLocked(w, g.locked) {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}

// TestFullOfGuesses fills the memory for guesses: what is locked stays so.
func TestFullOfGuesses(t *testing.T) {
	system := &clock{at: start}
	g := newGuesses(system.now)
	guess := func(kind guessKind, caller string) time.Duration {
		_, wait := g.try(target{kind: kind, caller: caller, limit: maxWrongPasswords}, func() bool { return false })
		return wait
	}
	for range maxWrongPasswords {
		guess(guessPassword, "guesser")
	}
	for i := range guessesKept + 100 {
		guess(guessPassword, fmt.Sprint(i))
	}
	if guess(guessPassword, "guesser") == 0 || len(g.known) > guessesKept {
		t.Errorf("strangers have unlocked the password; %d are kept", len(g.known))
	}
	system.set(start.Add(lockout))
	guess(guessPassword, "new")
	if len(g.known) != 1 {
		t.Errorf("%d are kept of those that count no more", len(g.known))
	}
}

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

// TestFlood begins sign-ins without end, from one address and from many, with one app and
// several: those of others go on.
func TestFlood(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	device := func(address, client string) map[string]any {
		form := url.Values{"client_id": {client}, "scope": {api + "/.default openid"}}
		return decode[map[string]any](t, postFrom(a, address, base+"/common/oauth2/v2.0/devicecode", form))
	}
	victim := newBrowser(t, from{a, here})
	begun := victim.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil)
	waiting, signedIn := device(here, clientID), device(here, clientID)
	ask := func(d map[string]any) tokens {
		return redeem(t, a, commonToken, url.Values{"grant_type": {grantTypeDevice}, "device_code": {d["device_code"].(string)}})
	}
	enter := func(d map[string]any) *httptest.ResponseRecorder {
		return victim.signIn(victim.do("POST", base+devicePath, url.Values{"user_code": {d["user_code"].(string)}}))
	}
	enter(signedIn)
	// From the address of the flood, but past the password.
	neighbour := newBrowser(t, from{a, elsewhere})
	entered := neighbour.press(neighbour.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil), "signin", url.Values{"username": {userName}, "password": {password}})
	code := codeOf(t, a)

	apps := []string{clientID, secondClient, publicClient}
	for i := range signInsKept + 200 {
		address := elsewhere
		if i%4 == 0 {
			address = fmt.Sprintf("198.51.%d.%d:1", i/256%256, i%256)
		}
		device(address, apps[i%len(apps)])
		newBrowser(t, from{a, address}).do("GET", authorizeURL("/common/oauth2/v2.0/authorize", "client_id", apps[i%len(apps)]), nil)
	}
	if n, m := a.signIns.flows.strangers.n, a.signIns.devices.strangers.n; n != signInsKept || m != signInsKept || len(a.signIns.users) > signInsKept {
		t.Errorf("%d sign-ins, %d devices and %d of their codes are kept", n, m, len(a.signIns.users))
	}

	if got := answered(t, victim.signIn(begun)); got.Get("code") == "" {
		t.Errorf("the sign-in is over: %v", got)
	}
	if got := ask(signedIn); got.AccessToken == "" {
		t.Errorf("the device that the user signed in on: %+v", got)
	}
	enter(waiting)
	if got := ask(waiting); got.AccessToken == "" {
		t.Errorf("the device: %+v", got)
	}
	w := neighbour.press(entered, "approve", nil)
	if strings.Contains(w.Body.String(), `value="accept"`) {
		w = neighbour.press(w, "accept", nil)
	}
	if got := answered(t, w); got.Get("code") == "" {
		t.Errorf("the sign-in past the password: %v", got)
	}
	if w := post(a, commonToken, codeForm(code)); w.Code != 200 {
		t.Errorf("the code: %d %s", w.Code, w.Body)
	}
}

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

// TestYearOneSecret has a secret that expired long ago.
func TestYearOneSecret(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	client := &o.Tenants[0].Clients[0]
	client.Secrets = append(client.Secrets, Secret{Value: "old", Expires: new(time.Time)})
	a := newAuthority(t, o)
	wantRefusal(t, post(a, urlV2, set(formV2(), "client_secret", "old")), 401, "invalid_client", 7000222)
}

func TestTable(t *testing.T) {
	table := newTable[int](4)
	var dropped []int
	table.dropped = func(n int) { dropped = append(dropped, n) }
	for i, caller := range []string{"a", "a", "b", "c", "d", "d", "d", "a"} {
		table.add(fmt.Sprint(i), caller, i)
	}
	// 4 replaces a's first, 5 the older of d's... until each has one, and then the oldest goes.
	if got := fmt.Sprint(dropped); got != "[0 1 4 5]" {
		t.Errorf("%s were dropped", got)
	}
	table.give("2", "e")
	table.remove("3")
	table.remove("none")
	if v, ok := table.get("2"); !ok || v != 2 || len(table.entries) != 3 || len(table.strangers.by) != 2 || len(table.users.by) != 1 {
		t.Errorf("%d %v, %d entries, of %v and %v", v, ok, len(table.entries), table.strangers, table.users)
	}
	// Strangers replace nothing of users, nor users anything of theirs.
	for i := range 9 {
		table.add(fmt.Sprint("s", i), fmt.Sprint("s", i), i)
	}
	table.give("2", "f")
	for i := range 4 {
		table.addOfUser(fmt.Sprint("u", i), "g", i)
	}
	_, kept := table.get("2")
	_, replaced := table.get("u0")
	if _, ok := table.get("s5"); !kept || replaced || !ok || table.strangers.n != 4 || table.users.n != 4 {
		t.Errorf("kept %v, replaced %v, %v, %d and %d entries", kept, !replaced, ok, table.strangers.n, table.users.n)
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

func TestCallerOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::/64", "[2001:db8::ffff:2]:1": "2001:db8::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "127.0.0.1:1": "loopback", "127.250.3.4:1": "loopback", "[::ffff:127.0.0.2]:1": "loopback", "[::1]:1": "loopback", "pipe": "pipe", "": "",
	} {
		if got := callerOf(&http.Request{RemoteAddr: address}); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// TestBlanks has blanks beyond ASCII beside keys, which are not trimmed and separate
// nothing.
func TestBlanks(t *testing.T) {
	a := newAuthority(t, signInOptions(&clock{at: start}))
	for _, blank := range []string{"\u00a0", "\u2003", "\u0085"} {
		wantRefusal(t, post(a, urlV2, set(formV2(), "scope", "openid"+blank+api+"/.default")), 400, "invalid_scope", codeInvalidScope.number)
		b := newBrowser(t, a)
		w := b.press(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil), "signin", url.Values{"username": {userName + blank}, "password": {password}})
		if !strings.Contains(w.Body.String(), `name="password"`) {
			t.Errorf("%q after the name signs in: %s", blank, w.Body)
		}
	}
}

// TestGrantWithoutSystem has a family that an older version stored, without the time by
// the system's clock: what the clock that is set has ended is right again.
func TestGrantWithoutSystem(t *testing.T) {
	gs := newGrants([]Grant{{ID: "old", Renewed: start}}, nil, start)
	future := start.AddDate(4, 0, 0)
	if g := gs.families["old"]; !g.isOver(instant{shown: future, system: start}) {
		t.Error("it does not end")
	}
	gs.prune(instant{shown: future, system: start})
	g := gs.families["old"]
	if g == nil || g.isOver(instant{shown: start, system: start}) || g.isOver(instant{shown: start.AddDate(-1, 0, 0), system: start}) {
		t.Errorf("it is over: %+v", g)
	}
	gs.prune(instant{shown: future, system: start.Add(RefreshLifetime)})
	if len(gs.families) != 0 {
		t.Error("it is kept for ever")
	}
}

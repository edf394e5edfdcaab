package issuer

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

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
	kinds := a.memory().kinds
	if n, m := kinds[kindFlow].strangers.n, kinds[kindDevice].strangers.n; n != signInsKept || m != signInsKept {
		t.Errorf("%d sign-ins and %d devices are kept", n, m)
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

// TestTable fills a table: who has the most entries loses the oldest, and strangers and
// users only those of their own kind.
func TestTable(t *testing.T) {
	table := newTable[int](4)
	for i, caller := range []string{"a", "a", "b", "c", "d", "d", "d", "a"} {
		table.add(fmt.Sprint(i), caller, false, i)
	}
	// 4 and 5 are added when a has the most, two, and replace its own. Then d has the most:
	// 6 and 7 replace d's.
	if got := fmt.Sprint(table.all()); got != "[2 3 6 7]" {
		t.Errorf("%s are left", got)
	}
	table.replace("2", "e", true, 2)
	table.remove("3")
	table.remove("none")
	if v, ok := table.get("2"); !ok || v != 2 || len(table.entries) != 3 || len(table.strangers.by) != 2 || len(table.users.by) != 1 {
		t.Errorf("%d %v, %d entries, of %v and %v", v, ok, len(table.entries), table.strangers, table.users)
	}
	// Strangers replace nothing of users, nor users anything of theirs.
	for i := range 9 {
		table.add(fmt.Sprint("s", i), fmt.Sprint("s", i), false, i)
	}
	table.replace("2", "f", true, 2)
	for i := range 4 {
		table.add(fmt.Sprint("u", i), "g", true, i)
	}
	_, kept := table.get("2")
	_, replaced := table.get("u0")
	if _, ok := table.get("s5"); !kept || replaced || !ok || table.strangers.n != 4 || table.users.n != 4 {
		t.Errorf("kept %v, replaced %v, %v, %d and %d entries", kept, !replaced, ok, table.strangers.n, table.users.n)
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

package issuer

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// beginDevice asks for a device code.
func beginDevice(t *testing.T, a *Authority, changes ...string) (deviceCode, userCode string) {
	t.Helper()
	w := post(a, base+"/common/oauth2/v2.0/devicecode", set(url.Values{"client_id": {clientID}, "scope": {api + "/.default offline_access"}}, changes...))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	answer := decode[deviceAnswer](t, w)
	return answer.DeviceCode, answer.UserCode
}

func deviceForm(code string, changes ...string) url.Values {
	return set(url.Values{"grant_type": {grantTypeDevice}, "client_id": {clientID}, "client_secret": {secret}, "device_code": {code}}, changes...)
}

// TestDeviceRefusals requests tokens for devices incorrectly.
func TestDeviceRefusals(t *testing.T) {
	approve := func(t *testing.T, a *Authority, userCode string) {
		b := newBrowser(t, a)
		if w := b.signIn(b.do("POST", base+devicePath, url.Values{"user_code": {userCode}})); !strings.Contains(w.Body.String(), "You are signed in") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	cancel := func(t *testing.T, a *Authority, userCode string) {
		b := newBrowser(t, a)
		w := b.press(b.do("POST", base+devicePath, url.Values{"user_code": {userCode}}), "cancel", nil)
		if !strings.Contains(w.Body.String(), "You are not signed in") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	for _, test := range []struct {
		name   string
		user   func(*testing.T, *Authority, string)
		later  time.Duration
		target string
		change []string
		status int
		kind   string
		code   int
		still  bool // the code stays valid
	}{
		{"nobody has signed in", nil, 0, commonToken, nil, 400, "authorization_pending", 70016, false},
		{"nobody did in time", nil, deviceLifetime, commonToken, nil, 400, "expired_token", 70019, false},
		{"fetched too late", approve, deviceLifetime, commonToken, nil, 400, "expired_token", 70019, false},
		{"declined", cancel, 0, commonToken, nil, 400, "authorization_declined", 70017, false},
		{"another app", approve, 0, commonToken, []string{"client_id", publicClient, "client_secret", absent}, 400, "invalid_grant", 70000, true},
		{"no secret", approve, 0, commonToken, []string{"client_secret", absent}, 401, "invalid_client", 7000218, true},
		{"no code", approve, 0, commonToken, []string{"device_code", absent}, 400, "invalid_request", 900144, true},
		{"unknown code", approve, 0, commonToken, []string{"device_code", "x"}, 400, "bad_verification_code", 70018, true},
		{"another tenant", approve, 0, base + "/" + otherTenant + "/oauth2/v2.0/token", []string{"client_id", sharedClient, "client_secret", "shared"}, 400, "invalid_grant", 70000, true},
		{"an API without consent", approve, 0, commonToken, []string{"scope", graph + "/.default"}, 400, "invalid_grant", 65001, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{at: start}
			a := newAuthority(t, crowdOptions(c))
			code, userCode := beginDevice(t, a)
			if test.user != nil {
				test.user(t, a, userCode)
			}
			c.set(start.Add(test.later))
			wantRefusal(t, post(a, test.target, deviceForm(code, test.change...)), test.status, test.kind, test.code)
			if test.still {
				wantTokens(t, a, post(a, commonToken, deviceForm(code)))
				wantRefusal(t, post(a, commonToken, deviceForm(code)), 400, "bad_verification_code", 70018)
			}
		})
	}
	t.Run("of a user of another tenant", func(t *testing.T) {
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		code, userCode := beginDevice(t, a, "client_id", sharedClient)
		approve(t, a, userCode)
		shared := []string{"client_id", sharedClient, "client_secret", "shared"}
		wantRefusal(t, post(a, base+"/"+otherTenant+"/oauth2/v2.0/token", deviceForm(code, shared...)), 400, "invalid_grant", 700005)
		wantTokens(t, a, post(a, commonToken, deviceForm(code, shared...)))
	})
	t.Run("by two users", func(t *testing.T) {
		a := newAuthority(t, crowdOptions(&clock{at: start}))
		code, userCode := beginDevice(t, a)
		other := newBrowser(t, a)
		w := other.do("POST", base+devicePath, url.Values{"user_code": {userCode}})
		late := newBrowser(t, a)
		late.signIn(late.do("POST", base+devicePath, url.Values{"user_code": {userCode}}))
		wantErrorPage(t, other.press(w, "cancel", nil), codeDeviceOver.number)
		if w := other.do("POST", base+devicePath, url.Values{"user_code": {userCode}}); w.Code != 400 || !strings.Contains(w.Body.String(), "AADSTS90119") {
			t.Errorf("the code is good for another user: %d %s", w.Code, w.Body)
		}
		wantTokens(t, a, post(a, commonToken, deviceForm(code)))
	})
}

// TestDeviceCodeRefusals requests device codes incorrectly.
func TestDeviceCodeRefusals(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	for _, test := range []struct {
		tenant string
		change []string
		kind   string
		code   int
	}{
		{"nobody.example", nil, "invalid_request", 90002},
		{"common", []string{"client_id", absent}, "invalid_request", 900144},
		{"common", []string{"client_id", "nobody"}, "unauthorized_client", 700016},
		{otherTenant, nil, "unauthorized_client", 700016},
		{"common", []string{"client_id", disabledClient}, "unauthorized_client", 7000112},
		{"common", []string{"scope", absent}, "invalid_request", 900144},
		{"common", []string{"scope", "https://vault.azure.net/.default"}, "invalid_resource", 500011},
		{"common", []string{"scope", strings.Repeat("x ", maxRequest)}, "invalid_request", 9002313},
	} {
		form := set(url.Values{"client_id": {clientID}, "scope": {api + "/.default"}}, test.change...)
		wantRefusal(t, post(a, base+"/"+test.tenant+"/oauth2/v2.0/devicecode", form), 400, test.kind, test.code)
	}
}

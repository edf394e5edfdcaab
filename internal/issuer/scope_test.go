package issuer

import (
	"net/url"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// TestNamesOfAnAPI asks for APIs by all of their names.
func TestNamesOfAnAPI(t *testing.T) {
	a := newAuthority(t, options())
	trust := a.trusted.now.Load()
	for _, names := range [][]string{
		{api, api + "/", "HTTPS://API.PartnerCenter.Microsoft.com", token.APIAppID, "FA3D9A0C-3FB0-42CC-9193-47C7ECD2EDBD", "https://partner.partnercenterapi.microsoftonline.cn"},
		{graph, graph + "/", token.GraphAppID, "https://graph.chinacloudapi.cn", "https://graph.cloudapi.de"},
		{"https://graph.microsoft.com", "00000003-0000-0000-C000-000000000000"},
		{"https://management.azure.com/", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
	} {
		// Consents of older databases are by any name, too.
		consents := newConsents([]Consent{{TenantID: tenantID, ClientID: clientID, Resources: names[len(names)-1:]}})
		for _, name := range names {
			both, err := a.userAccess(trust, name+"/.default "+names[0]+"/user_impersonation", "")
			if err != nil || both.scope != "user_impersonation" {
				t.Errorf("%s and %s: %+v, %v", name, names[0], both, err)
				continue
			}
			want := &accessRequest{resource: name}
			if err := a.resolve(trust, want); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, allowed := consents.look(installation{tenantID, clientID}, &User{}, want.key()); !allowed {
				t.Errorf("a consent to %s is none to %s", names[len(names)-1], name)
			}
			if want.label() == "" || want.label() == name && !isForeign(name) {
				t.Errorf("%s is not named for people", name)
			}
		}
	}
	// A cloud's authority knows its own addresses.
	o := options()
	o.Resources = []string{"https://partner.partnercenterapi.microsoftonline.cn"}
	a = newAuthority(t, o)
	for name, known := range map[string]bool{token.APIAppID: true, token.GraphAppID: false, api: false} {
		if err := a.resolve(a.trusted.now.Load(), &accessRequest{resource: name}); (err == nil) != known {
			t.Errorf("%s: %v", name, err)
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

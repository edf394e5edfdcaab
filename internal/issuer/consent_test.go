package issuer

import (
	"net/url"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// asShared authenticates the multi-tenant app of the other tenant.
var asShared = []string{"client_id", sharedClient, "client_secret", "shared"}

// sharedConsent is a consent of Contoso to the multi-tenant app.
func sharedConsent(userID string, forUsers, forItself []string) Consent {
	return Consent{TenantID: tenantID, ClientID: sharedClient, UserID: userID, Resources: forUsers, AppResources: forItself}
}

// TestAppElsewhereNeedsConsent has a multi-tenant app ask for a token of its own in a
// tenant that is not its own.
func TestAppElsewhereNeedsConsent(t *testing.T) {
	for _, test := range []struct {
		name     string
		consents []Consent
		code     int // zero: it gets a token
	}{
		{"none", nil, 700016},
		{"in another tenant", []Consent{{TenantID: otherTenant, ClientID: sharedClient, Resources: []string{api}, AppResources: []string{api}}}, 700016},
		{"to another app", []Consent{{TenantID: tenantID, ClientID: otherClient, Resources: []string{api}, AppResources: []string{api}}}, 700016},
		{"a user's", []Consent{sharedConsent(userID, []string{api}, nil)}, 65001},
		{"a user's that claims more", []Consent{sharedConsent(userID, []string{api}, []string{api})}, 65001},
		{"for all users, as of before", []Consent{sharedConsent("", []string{api}, nil)}, 65001},
		{"for another API", []Consent{sharedConsent("", []string{api, graph}, []string{graph})}, 65001},
		{"for the app", []Consent{sharedConsent("", nil, []string{token.APIAppID})}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := crowdOptions(&clock{at: start})
			o.Consents = test.consents
			a := newAuthority(t, o)
			v1 := set(formV1(), append(asShared, "resource", api)...)
			v2 := set(formV2(), append(asShared, "scope", api+"/.default")...)
			for target, form := range map[string]url.Values{urlV1: v1, urlV2: v2, base + "/contoso.onmicrosoft.com/oauth2/v2.0/token": v2} {
				w := post(a, target, form)
				switch test.code {
				case 0:
					wantTokens(t, a, w)
				case 700016:
					wantRefusal(t, w, 400, "unauthorized_client", 700016)
				default:
					wantRefusal(t, w, 400, "invalid_grant", test.code)
				}
			}
			if _, err := a.Mint(MintRequest{Tenant: tenantID, ClientID: sharedClient, Resource: api}); (err == nil) != (test.code == 0) {
				t.Errorf("minted: %v", err)
			}
			// At home it needs none.
			wantTokens(t, a, post(a, base+"/"+otherTenant+"/oauth2/v2.0/token", v2))
		})
	}
}

// TestGrantsElsewhereNeedConsent goes through the grants for users without a page where
// they could consent.
func TestGrantsElsewhereNeedConsent(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Tenants[1].Clients[1].Public = true
	a := newAuthority(t, o)
	direct := set(passwordForm(), append(asShared, "username", bobName)...)
	everyone := sharedConsent("", []string{api, appScheme + sharedClient}, nil)
	must(a.PutConsent(t.Context(), everyone))
	code := codeOf(t, a, "client_id", sharedClient)
	device, userCode := beginDevice(t, a, "client_id", sharedClient)
	b := newBrowser(t, a)
	b.signIn(b.do("POST", base+devicePath, url.Values{"user_code": {userCode}}))
	got := wantTokens(t, a, post(a, commonToken, direct))
	forItself := decodeTokens(t, post(a, commonToken, refreshForm(got.RefreshToken, append(asShared, "scope", sharedClient+"/.default")...)))
	if forItself.AccessToken == "" {
		t.Fatalf("%+v", forItself)
	}
	grants := map[string]url.Values{
		"password":   direct,
		"refresh":    refreshForm(forItself.RefreshToken, append(asShared, "scope", api+"/.default")...),
		"for itself": refreshForm(forItself.RefreshToken, append(asShared, "scope", sharedClient+"/.default")...),
		"code":       codeForm(code, asShared...),
		"device":     deviceForm(device, asShared...),
	}
	obo := url.Values{
		"grant_type": {grantTypeOnBehalfOf}, "client_id": {sharedClient}, "client_secret": {"shared"}, "requested_token_use": {"on_behalf_of"},
		"assertion": {forItself.AccessToken}, "scope": {api + "/.default"},
	}
	wantTokens(t, a, post(a, commonToken, obo))
	wantReason(t, a, got.AccessToken, "")

	must(a.PutConsent(t.Context(), sharedConsent("", nil, nil)))
	wantReason(t, a, got.AccessToken, token.ReasonConsent)
	wantRefusal(t, post(a, commonToken, obo), 400, "invalid_grant", 50013)
	for name, form := range grants {
		t.Run(name, func(t *testing.T) {
			wantRefusal(t, post(a, commonToken, form), 400, "unauthorized_client", 700016)
		})
	}
	// The consent of somebody else is none of this user.
	must(a.PutConsent(t.Context(), sharedConsent(userID, []string{api}, nil)))
	wantRefusal(t, post(a, commonToken, direct), 400, "invalid_grant", 65001)
	must(a.PutConsent(t.Context(), sharedConsent("", nil, []string{api})))
	wantRefusal(t, post(a, commonToken, direct), 400, "invalid_grant", 65001)
	wantReason(t, a, got.AccessToken, token.ReasonConsent)
	must(a.PutConsent(t.Context(), everyone))
	wantTokens(t, a, post(a, commonToken, direct))
}

// TestConsentIsRevoked takes back what tokens that are out, and refresh tokens, rest on.
func TestConsentIsRevoked(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Consents = []Consent{sharedConsent("", nil, []string{api})}
	a := newAuthority(t, o)
	first := signedInTokens(t, a)
	second := signedInTokens(t, a)
	appOnly := wantTokens(t, a, post(a, urlV2, set(formV2(), append(asShared, "scope", api+"/.default")...)))
	minted := mint(t, a, MintRequest{Tenant: tenantID, ClientID: clientID, User: userName, Resource: api})
	own := wantTokens(t, a, post(a, urlV2, formV2()))
	for _, c := range consentsOf(a, func(Consent) bool { return true }) {
		c.Resources, c.AppResources = nil, nil
		must(a.PutConsent(t.Context(), c))
	}
	for _, text := range []string{first.AccessToken, second.AccessToken, appOnly.AccessToken} {
		wantReason(t, a, text, token.ReasonConsent)
	}
	wantRefusal(t, post(a, commonToken, refreshForm(first.RefreshToken)), 400, "invalid_grant", 65001)
	wantReason(t, a, own.AccessToken, "") // at home an app needs none
	wantReason(t, a, minted, "")          // nor does who may mint
	must(a.PutConsent(t.Context(), Consent{TenantID: tenantID, ClientID: clientID, UserID: userID, Resources: []string{graph}}))
	wantReason(t, a, first.AccessToken, token.ReasonConsent)
	must(a.PutConsent(t.Context(), Consent{TenantID: tenantID, ClientID: clientID, UserID: userID, Resources: []string{api}}))
	wantReason(t, a, first.AccessToken, "")
	wantTokens(t, a, post(a, commonToken, refreshForm(first.RefreshToken)))
	a.forgetSignIns()
	wantReason(t, a, first.AccessToken, token.ReasonConsent)
}

// TestAdministratorConsents consents for everybody, and thereby for the app.
func TestAdministratorConsents(t *testing.T) {
	form := set(formV2(), append(asShared, "scope", api+"/.default")...)
	for _, administrator := range []bool{false, true} {
		o := crowdOptions(&clock{at: start})
		o.Tenants[0].Users[0].Administrator = administrator
		a := newAuthority(t, o)
		b := newBrowser(t, a)
		w := b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize", "client_id", sharedClient), nil)
		w = b.press(b.press(w, "signin", url.Values{"username": {userName}, "password": {password}}), "approve", nil)
		if strings.Contains(w.Body.String(), "by itself") != administrator {
			t.Errorf("administrator %v: %s", administrator, w.Body)
		}
		answered(t, b.press(w, "accept", url.Values{"everybody": {"1"}}))
		switch w := post(a, urlV2, form); {
		case administrator:
			wantTokens(t, a, w)
		default:
			wantRefusal(t, w, 400, "invalid_grant", 65001)
		}
	}
}

// TestConfirmingIsNoConsent confirms on a page that there is consent already, which the
// user's own would outlive.
func TestConfirmingIsNoConsent(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Consents = []Consent{sharedConsent("", []string{api}, nil)}
	a := newAuthority(t, o)
	_, userCode := beginDevice(t, a, "client_id", sharedClient)
	b := newBrowser(t, a)
	if w := b.signIn(b.do("POST", base+devicePath, url.Values{"user_code": {userCode}})); !strings.Contains(w.Body.String(), "You are signed in") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := consentsOf(a, func(c Consent) bool { return c.UserID != "" }); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestResourceElsewhere asks for the API of another tenant's multi-tenant app, which is
// in the tenant once somebody has consented to it.
func TestResourceElsewhere(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Consents = []Consent{{TenantID: tenantID, ClientID: clientID, UserID: userID, Resources: []string{api, appScheme + sharedClient}}}
	a := newAuthority(t, o)
	first := signedInTokens(t, a)
	form := refreshForm(first.RefreshToken, "scope", appScheme+sharedClient+"/.default")
	wantRefusal(t, post(a, commonToken, form), 400, "invalid_resource", 500011)
	app := set(formV2(), "scope", appScheme+sharedClient+"/.default")
	wantRefusal(t, post(a, urlV2, app), 400, "invalid_resource", 500011)
	must(a.PutConsent(t.Context(), sharedConsent(userID, []string{api}, nil)))
	if got := decodeTokens(t, post(a, commonToken, form)); got.AccessToken == "" {
		t.Errorf("%+v", got)
	}
	if got := decodeTokens(t, post(a, urlV2, app)); got.AccessToken == "" {
		t.Errorf("%+v", got)
	}
}

// TestRolesAreThoseOfNow takes a role away while a token that names it is out.
func TestRolesAreThoseOfNow(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	a := newAuthority(t, o)
	for name, text := range map[string]string{
		"signed in": signedInTokens(t, a).AccessToken,
		"minted":    mint(t, a, MintRequest{Tenant: tenantID, ClientID: clientID, User: userName}),
	} {
		for _, roles := range [][]string{{"admin_agent"}, nil, {"sales_agent"}, {"admin_agent"}} {
			o.Tenants[0].Users[0].Roles = roles
			must(a.SetTenants(o.Tenants))
			for range 2 { // from the cache, too
				claims, err := a.Verify(text)
				must(err)
				if strings.Join(claims.Roles, " ") != strings.Join(roles, " ") {
					t.Errorf("%s: roles %v, want %v", name, claims.Roles, roles)
				}
			}
		}
	}
}

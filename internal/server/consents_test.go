package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const graphID = "00000003-0000-0000-c000-000000000000"

// TestApplicationConsents consents for a customer with the SDK, and withdraws the
// consent.
func TestApplicationConsents(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	consents := srv.UserClient(adminAgent).Customers.ByID(partnercentertest.CustomerID).ApplicationConsents
	want := &partnercenter.ApplicationConsent{
		ApplicationID: srv.ClientID, DisplayName: "Panel",
		ApplicationGrants: []partnercenter.ApplicationGrant{{EnterpriseApplicationID: graphID, Scope: "Directory.Read.All,User.Read"}},
	}
	once := partnercenter.WithRequestID(t.Context(), partnercenter.NewRequestID())
	for range 2 {
		got, err := consents.Create(once, want)
		must(t, err)
		if got.ApplicationID != want.ApplicationID || len(got.ApplicationGrants) != 1 || got.ApplicationGrants[0].Scope != want.ApplicationGrants[0].Scope {
			t.Errorf("%+v", got)
		}
	}
	azure := partnercenter.ApplicationGrant{EnterpriseApplicationID: "797f4846-ba00-4fd7-ba43-dac1f8f63013", Scope: "user_impersonation"}
	upper, both, other := *want, *want, *want
	upper.ApplicationID = strings.ToUpper(want.ApplicationID)
	upper.ApplicationGrants = []partnercenter.ApplicationGrant{{EnterpriseApplicationID: strings.ToUpper(graphID), Scope: "User.Read"}}
	both.ApplicationGrants = append([]partnercenter.ApplicationGrant{azure}, want.ApplicationGrants...)
	other.ApplicationGrants = []partnercenter.ApplicationGrant{azure}
	exists := func(name string, c *partnercenter.ApplicationConsent) {
		t.Helper()
		_, err := consents.Create(t.Context(), c)
		var failed *partnercenter.Error
		if !errors.As(err, &failed) || failed.StatusCode != http.StatusConflict || failed.Description != "Permission entry already exists." {
			t.Errorf("%s: %v", name, err)
		}
	}
	exists("again", want)
	exists("in other letters, with another scope", &upper)
	exists("with another API", &both)
	_, err := consents.Create(t.Context(), &other) // which both has not added
	must(t, err)
	exists("of the other API", &other)
	must(t, consents.ByID(strings.ToUpper(srv.ClientID)).Delete(t.Context()))
	_, err = consents.Create(t.Context(), want)
	must(t, err)
	must(t, consents.ByID(srv.ClientID).Delete(t.Context()))
	err = consents.ByID(srv.ClientID).Delete(t.Context())
	if failed, ok := err.(*partnercenter.Error); !ok || failed.StatusCode != http.StatusNotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

// TestApplicationConsentRefusals sends invalid consents.
func TestApplicationConsentRefusals(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	path := "/v1/customers/" + partnercentertest.CustomerID + "/applicationconsents"
	other := "/v1/customers/00000000-0000-0000-0000-000000000009/applicationconsents"
	grant := `, "applicationGrants": [{"enterpriseApplicationId": "` + graphID + `", "scope": "x"}]}`
	app := `{"ApplicationId": "` + a.ClientID + `"`
	a.run(t, []request{
		{method: http.MethodPost, name: "no body", path: path, status: 400, code: "800002"},
		{method: http.MethodPost, name: "unknown app", path: path, body: `{"applicationId": "00000000-0000-0000-0000-000000000009"` + grant, status: 400, code: "3000"},
		{method: http.MethodPost, name: "no grants", path: path, body: app + `}`, status: 400, code: "3000"},
		{method: http.MethodPost, name: "null grants", path: path, body: app + `, "applicationGrants": [null]}`, status: 400, code: "3000"},
		{method: http.MethodPost, name: "a grant of nothing", path: path, body: app + `, "applicationGrants": [{"scope": "x"}]}`, status: 400, code: "3000"},
		{method: http.MethodPost, name: "no scope", path: path, body: app + `, "applicationGrants": [{"enterpriseApplicationId": "` + graphID + `"}]}`, status: 400, code: "3000"},
		{method: http.MethodPost, name: "no customer of ours", path: other, body: app + grant, status: 403, code: "20002"},
	})
}

// The sample's multi-tenant app, and the partner that did not register it.
const (
	panelApp      = "dbdcba89-16a8-4787-b304-2ebb93aee18b"
	secondPartner = "9e47b0d8-3f1c-4625-a7d9-0c58e2f6b413"
	partnerAPI    = "https://api.partnercenter.microsoft.com"
)

// TestAppOfAnotherPartner is an app that another partner's administrator has not
// consented to, or has: the seed says so.
func TestAppOfAnotherPartner(t *testing.T) {
	sample, err := os.ReadFile("../seed/sample.yaml")
	must(t, err)
	before, after, _ := strings.Cut(string(sample), "  - tenantId: "+secondPartner+"\n")
	before = strings.Replace(before, "clientId: "+panelApp+"\n", "clientId: "+panelApp+"\n        secret: panel\n", 1)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {panelApp}, "client_secret": {"panel"}, "scope": {partnerAPI + "/.default"}}
	for consents, code := range map[string]int{
		"": 700016,
		"    consents: [{clientId: " + panelApp + ", resources: [" + partnerAPI + "]}]\n":    65001,
		"    consents: [{clientId: " + panelApp + ", appResources: [" + partnerAPI + "]}]\n": 0,
	} {
		srv := partnercentertest.NewServer(t, partnercentertest.Options{
			Seed: strings.NewReader(before + "  - tenantId: " + secondPartner + "\n" + consents + after),
		})
		for range 2 { // as seeded, and again after a reset
			resp, err := http.PostForm(srv.URL+"/"+secondPartner+"/oauth2/v2.0/token", form) //nolint:noctx // a test's
			must(t, err)
			var got signInAnswer
			must(t, json.NewDecoder(resp.Body).Decode(&got))
			resp.Body.Close()
			if got.code() != code || (got.AccessToken == "") != (code != 0) {
				t.Errorf("%q: %+v", consents, got)
			}
			if code == 0 {
				if status := statusWith(t, srv.URL+"/v1/customers", got.AccessToken); status != http.StatusOK {
					t.Errorf("the customers of a partner that has consented: %d", status)
				}
			}
			must(t, srv.Reset())
		}
	}
}

// statusWith returns the status of a call with a token.
func statusWith(t *testing.T, address, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestWhatIsTakenBackEndsTokens revokes a consent and takes a role away, while tokens
// are out that have worked.
func TestWhatIsTakenBackEndsTokens(t *testing.T) {
	r := newRunning(t)
	must(t, r.authority.PutConsent(t.Context(), issuer.Consent{TenantID: secondPartner, ClientID: panelApp, AppResources: []string{partnerAPI}}))
	minted, err := r.authority.Mint(issuer.MintRequest{Tenant: secondPartner, ClientID: panelApp, Resource: partnerAPI})
	must(t, err)
	var agent struct{ AccessToken string }
	r.command(t, "POST", "/tokens", `{"user":"admin.agent@contosocsp.onmicrosoft.com"}`, 200, &agent)
	customers := "http://" + r.api + "/v1/customers"
	orders := customers + "/" + seedCustomer + "/orders?include_price=true"
	if got := statusWith(t, customers, minted.Text); got != 200 {
		t.Errorf("with the consent: %d", got)
	}
	if got := statusWith(t, orders, agent.AccessToken); got != 200 {
		t.Errorf("with the role: %d", got)
	}
	r.command(t, "DELETE", "/consents?clientId="+panelApp, "", 200, new(any))
	if got := statusWith(t, customers, minted.Text); got != 401 {
		t.Errorf("without the consent: %d", got)
	}
	r.command(t, "PATCH", "/users/admin.agent@contosocsp.onmicrosoft.com", `{"roles":["helpdesk_agent"]}`, 200, new(any))
	if got := statusWith(t, orders, agent.AccessToken); got != 403 {
		t.Errorf("without the role: %d", got)
	}
}

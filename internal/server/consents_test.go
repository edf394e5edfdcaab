package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
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
	for range 2 {
		got, err := consents.Create(t.Context(), want)
		must(t, err)
		if got.ApplicationID != want.ApplicationID || len(got.ApplicationGrants) != 1 || got.ApplicationGrants[0].Scope != want.ApplicationGrants[0].Scope {
			t.Errorf("%+v", got)
		}
	}
	must(t, consents.ByID(strings.ToUpper(srv.ClientID)).Delete(t.Context()))
	err := consents.ByID(srv.ClientID).Delete(t.Context())
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

package server_test

import (
	"errors"
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

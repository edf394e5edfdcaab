package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// The ids of Partner Center's API and of the directory graph, which name them as
// their addresses do.
const (
	apiAppID   = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	graphAppID = "00000002-0000-0000-c000-000000000000"
)

// appToken gets a token for the app of the server, at either endpoint.
func (a *api) appToken(t *testing.T, endpoint string, form url.Values) string {
	t.Helper()
	form.Set("grant_type", "client_credentials")
	form.Set("client_id", a.ClientID)
	form.Set("client_secret", a.ClientSecret)
	resp, body := a.do(t, request{
		method: http.MethodPost, path: "/" + a.TenantID + endpoint, body: form.Encode(), status: 200,
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": nil},
	})
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v: %s %s", endpoint, form, resp.Status, body)
	}
	return answer.AccessToken
}

// TestEditions calls with tokens for each of the APIs, by address and by id.
func TestEditions(t *testing.T) {
	const refused = partnercenter.ErrorCodeAudienceRefused
	for _, tt := range []struct {
		name          string
		options       partnercentertest.Options
		graph, user   partnercenter.ErrorCode // the refusals of a graph's token, and of an app's where a user is needed
		foreign       partnercenter.ErrorCode // the refusal of a token for another API
		api, graphURL string
	}{
		{"default", partnercentertest.Options{}, "", "900150", "400", "https://api.partnercenter.microsoft.com", "https://graph.windows.net"},
		{"2026", partnercentertest.Options{Edition: partnercentertest.Edition2026}, refused, "900329", refused, "https://api.partnercenter.microsoft.com", "https://graph.windows.net"},
		{"realistic", partnercentertest.Options{Realistic: true}, refused, "900329", refused, "https://api.partnercenter.microsoft.com", "https://graph.windows.net"},
		{"realistic, but legacy", partnercentertest.Options{Realistic: true, Edition: "LEGACY"}, "", "900150", "400", "https://api.partnercenter.microsoft.com", "https://graph.windows.net"},
		{"2026, 21Vianet", partnercentertest.Options{Edition: partnercentertest.Edition2026, Cloud: partnercenter.CloudName21Vianet}, refused, "900329", refused, "https://partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn"},
		{"2026, Germany", partnercentertest.Options{Edition: partnercentertest.Edition2026, Cloud: partnercenter.CloudNameGermany}, refused, "900329", refused, "https://api.partnercenter.microsoft.com", "https://graph.cloudapi.de"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAPI(t, tt.options)
			call := func(what, path, token string, status int, code partnercenter.ErrorCode) {
				t.Helper()
				if code == "" {
					status = 200
				}
				t.Run(what, func(t *testing.T) {
					a.check(t, request{path: path, header: http.Header{"Authorization": {"Bearer " + token}}, status: status, code: code})
				})
			}
			for _, audience := range []string{tt.api, apiAppID} {
				for endpoint, form := range map[string]url.Values{
					"/oauth2/token":      {"resource": {audience}},
					"/oauth2/v2.0/token": {"scope": {audience + "/.default"}},
				} {
					token := a.appToken(t, endpoint, form)
					call(audience+" at "+endpoint, seedOrders, token, 200, "")
					call(audience+" at "+endpoint+" for a user's call", "/v1/customers/"+documented+"/profiles/company", token, 403, tt.user)
				}
			}
			for _, audience := range []string{tt.graphURL, tt.graphURL + "/", strings.ToUpper(tt.graphURL), graphAppID} {
				call(audience, seedOrders, a.appToken(t, "/oauth2/token", url.Values{"resource": {audience}}), 401, tt.graph)
				call(audience+"/.default", seedOrders, a.appToken(t, "/oauth2/v2.0/token", url.Values{"scope": {audience + "/.default"}}), 401, tt.graph)
			}
			call("another API", seedOrders, a.appToken(t, "/oauth2/token", url.Values{"resource": {"https://graph.microsoft.com"}}), 401, tt.foreign)
			call("another API", seedOrders, a.appToken(t, "/oauth2/v2.0/token", url.Values{"scope": {"00000003-0000-0000-c000-000000000000/.default"}}), 401, tt.foreign)
			app := http.Header{"Authorization": {"Bearer " + a.appToken(t, "/oauth2/token", url.Values{"resource": {tt.api}})}}
			if tt.options.Cloud != partnercenter.CloudNameGermany { // which takes no orders
				a.check(t, request{
					method: http.MethodPost, path: ordersOf(documented), header: app, status: 403, code: tt.user,
					body: `{"referenceCustomerId":"` + documented + `",` + linesOf(line(offerE3, 1, `"partnerIdOnRecord":"5081207"`)) + `}`,
				})
			}
			a.check(t, request{path: "/v1/customers?filter=" + url.QueryEscape(`{"Field":"IndirectReseller","Value":"x"}`), header: app, status: 403, code: tt.user})
			// What an edition does not decide.
			withoutMFA, err := a.UserCredentialWithoutMFA(adminAgent).GetToken(t.Context(), tokenOptions)
			must(t, err)
			call("a user without a second factor", seedOrders, withoutMFA.Token, 401, partnercenter.ErrorCodeMFARequired)
			call("no token", seedOrders, "x", 401, "400")
		})
	}
}

package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// calls are requests for each operation of the server whose result depends on the
// token, the role and the cloud only.
func calls(t *testing.T) map[string]request {
	t.Helper()
	parameter := regexp.MustCompile(`\{[^}]+\}`)
	list := map[string]request{}
	for _, route := range server.Routes() {
		path := strings.Replace(route.Pattern, "{customer-tenant-id}", "00000000-0000-0000-0000-000000000001", 1)
		r := request{method: route.Method, path: parameter.ReplaceAllString(path, "1"), invalid: true}
		if r.method != http.MethodGet {
			r.body = "{}"
		}
		for _, o := range route.Operations {
			list[o.String()+" at "+route.Pattern] = r
		}
	}
	ofReseller := list["customers list-by-indirect-reseller at /v1/customers"]
	ofReseller.path += "?filter=" + url.QueryEscape(`{"Field":"IndirectReseller","Value":"x"}`)
	list["customers list-by-indirect-reseller at /v1/customers"] = ofReseller
	// Whether an order is for a reseller, its body says; TestIndirectReseller.
	for name := range list {
		if strings.HasPrefix(name, "orders create-for-indirect-reseller ") {
			delete(list, name)
		}
	}
	return list
}

// TestCredentialOfEveryCall makes each call with the token of an app and of users: with
// each role, with none, and without a second factor. operations.go says what each call
// requires; package published compares it with the documented credentials.
func TestCredentialOfEveryCall(t *testing.T) {
	t.Run("legacy", func(t *testing.T) { credentialOfEveryCall(t, partnercentertest.EditionLegacy, "403/900150") })
	t.Run("2026", func(t *testing.T) { credentialOfEveryCall(t, partnercentertest.Edition2026, "403/900329") })
}

func credentialOfEveryCall(t *testing.T, edition partnercentertest.Edition, needsUser string) {
	a := newAPI(t, partnercentertest.Options{Edition: edition})
	token := func(upn string) string { return a.as(t, upn).token }
	withoutMFA, err := a.UserCredentialWithoutMFA(adminAgent).GetToken(t.Context(), tokenOptions)
	must(t, err)
	principals := []struct {
		name, token string
		role        partnercenter.UserRole
	}{
		{"app", a.token, ""},
		{"global admin", token("global.admin@contosocsp.onmicrosoft.com"), partnercenter.UserRoleGlobalAdmin},
		{"admin agent", token(adminAgent), partnercenter.UserRoleAdminAgent},
		{"sales agent", token("sales.agent@contosocsp.onmicrosoft.com"), partnercenter.UserRoleSalesAgent},
		{"helpdesk agent", token("helpdesk.agent@contosocsp.onmicrosoft.com"), partnercenter.UserRoleHelpdeskAgent},
		{"admin agent without MFA", withoutMFA.Token, partnercenter.UserRoleAdminAgent},
	}
	for name, r := range calls(t) {
		operation, _, _ := strings.Cut(name, " at ")
		area, short, _ := strings.Cut(operation, " ")
		call := partnercenter.OperationNamed(area, short)
		if call == nil {
			t.Fatalf("operations.go does not have %s", operation)
		}
		for _, p := range principals {
			r.header = http.Header{"Authorization": {"Bearer " + p.token}}
			r.status = 400 // or whatever; answers are checked, requests are not
			resp, body := a.do(t, r)
			var answer partnercenter.ErrorBody
			_ = partnercenter.Unmarshal(body, &answer)
			got := fmt.Sprintf("%d/%s", resp.StatusCode, answer.Code)
			want := ""
			switch {
			case p.name == "admin agent without MFA":
				want = "401/900421"
			case p.role == "" && !call.TakesApp():
				want = needsUser
			case p.role != "" && !call.Allows(p.role):
				want = "403/900150"
			}
			if want != "" && got != want || want == "" && (got == "403/900150" || got == "403/900329" || resp.StatusCode == 401) {
				t.Errorf("%s, %s: %s %s, want %s", name, p.name, got, body, want)
			}
			if want != "" && !strings.HasSuffix(answer.Description, "partnercenter login.") {
				t.Errorf("%s, %s: %q does not say what to do", name, p.name, answer.Description)
			}
		}
	}
}

// TestRoles checks who may make some well-known calls.
func TestRoles(t *testing.T) {
	a := newAPI(t)
	as := func(role string) http.Header {
		return http.Header{"Authorization": {"Bearer " + a.as(t, role+"@contosocsp.onmicrosoft.com").token}}
	}
	order, product := orderOf(line(offerE3, 2)), "/v1/products?country=US&targetView=OnlineServices"
	provisioning := subscriptionAt(documented, exampleSubscription) + "/provisioningstatus"
	a.run(t, []request{
		{name: "help desk lists orders", path: seedOrders, header: as("helpdesk.agent"), status: 200},
		{name: "help desk sees prices", path: seedOrders + "?include_price=true", header: as("helpdesk.agent"), status: 403, code: partnercenter.ErrorCodePriceNotGranted, must: []string{"admin_agent"}},
		{name: "help desk sees a price", path: seedOrders + "/" + shortOrder + "?include_price=true", header: as("helpdesk.agent"), status: 403, code: partnercenter.ErrorCodePriceNotGranted},
		{name: "help desk orders", method: http.MethodPost, path: ordersOf(wingtip), body: order, header: as("helpdesk.agent"), status: 403, code: partnercenter.ErrorCodeRoleNotGranted, must: []string{"orders create", "has the role helpdesk_agent", "global_admin, admin_agent or sales_agent"}},
		{name: "help desk browses", path: product, header: as("helpdesk.agent"), status: 403, code: partnercenter.ErrorCodeRoleNotGranted},
		{name: "help desk looks at a profile", path: "/v1/customers/" + documented + "/profiles/company", header: as("helpdesk.agent"), status: 200},
		{name: "sales browses", path: product, header: as("sales.agent"), status: 200},
		{name: "sales sees prices", path: seedOrders + "?include_price=true", header: as("sales.agent"), status: 200},
		{name: "sales orders", method: http.MethodPost, path: ordersOf(wingtip), body: order, header: as("sales.agent"), status: 201},
		{name: "sales looks into the tenant", path: provisioning, header: as("sales.agent"), status: 403, code: partnercenter.ErrorCodeRoleNotGranted},
		{name: "an admin agent does", path: provisioning, header: as("admin.agent"), status: 200},
		{name: "a global admin orders", method: http.MethodPost, path: ordersOf(wingtip), body: order, header: as("global.admin"), status: 201},
	})
}

// TestNoRole is about a user without roles.
func TestNoRole(t *testing.T) {
	seed := strings.Replace(modelSeed, "roles: [admin_agent]", "roles: []", 1)
	a := newAPI(t, partnercentertest.Options{Seed: strings.NewReader(seed)}).as(t, modelUser)
	a.check(t, request{path: "/v1/customers", status: 403, code: partnercenter.ErrorCodeRoleNotGranted, must: []string{"no role"}})
}

// TestSecondFactor checks how the service reports a missing second factor, and how
// clients ask whether there is one.
func TestSecondFactor(t *testing.T) {
	a := newAPI(t)
	withoutMFA, err := a.UserCredentialWithoutMFA(adminAgent).GetToken(t.Context(), tokenOptions)
	must(t, err)
	user := "Bearer " + a.as(t, adminAgent).token
	ask := func(authorization, validate string) http.Header {
		h := http.Header{"Authorization": {authorization}}
		if validate != "" {
			h.Set("ValidateMfa", validate)
		}
		return h
	}
	a.run(t, []request{
		{name: "missing", path: seedOrders, header: ask("Bearer "+withoutMFA.Token, ""), status: 401, code: partnercenter.ErrorCodeMFARequired, headers: map[string]string{"WWW-Authenticate": `^Bearer error="invalid_token"$`, "isMfaCompliant": "^$"}},
		{name: "missing, and asked", path: seedOrders, header: ask("Bearer "+withoutMFA.Token, "true"), status: 401, code: partnercenter.ErrorCodeMFARequired, headers: map[string]string{"isMfaCompliant": "^false$"}},
		{name: "there, and asked", path: seedOrders, header: ask(user, "True"), status: 200, headers: map[string]string{"isMfaCompliant": "^true$"}},
		{name: "there", path: seedOrders, header: ask(user, ""), status: 200, headers: map[string]string{"isMfaCompliant": "^$"}},
		{name: "not asked", path: seedOrders, header: ask(user, "false"), status: 200, headers: map[string]string{"isMfaCompliant": "^$"}},
		{name: "of an app", path: seedOrders, header: ask("Bearer "+a.token, "true"), status: 200, headers: map[string]string{"isMfaCompliant": "^$"}},
	})
}

// TestRefusedCallsCount checks what counts towards the limit: calls that the token does
// not allow do, calls with an invalid token do not.
func TestRefusedCallsCount(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{RequestsPerMinute: 2})
	a.Clock().Freeze()
	withoutMFA, err := a.UserCredentialWithoutMFA(adminAgent).GetToken(t.Context(), tokenOptions)
	must(t, err)
	a.token = a.mint(t)
	status := subscriptionAt(documented, exampleSubscription) + "/provisioningstatus"
	for range 3 {
		a.check(t, request{path: status, header: http.Header{"Authorization": {"Bearer " + withoutMFA.Token}}, status: 401})
	}
	for _, want := range []int{403, 403, 429} {
		a.check(t, request{path: status, status: want})
	}
}

// TestCloudsOfEveryCall makes each call in each cloud.
func TestCloudsOfEveryCall(t *testing.T) {
	for _, cloud := range partnercenter.CloudNames() {
		a := newAPI(t, partnercentertest.Options{Cloud: cloud}).as(t, adminAgent)
		for name, r := range calls(t) {
			operation, _, _ := strings.Cut(name, " at ")
			area, short, _ := strings.Cut(operation, " ")
			if operation == "orders purchase-addon" {
				continue // the body tells: germanyRefusals
			}
			r.status = 400
			resp, body := a.do(t, r)
			var answer partnercenter.ErrorBody
			_ = partnercenter.Unmarshal(body, &answer)
			refused := resp.StatusCode == 400 && answer.Code == partnercenter.ErrorCodeNotInEnvironment && strings.Contains(answer.Description, operation+" is not offered in the "+string(cloud)+" cloud")
			if offered := partnercenter.OperationNamed(area, short).OfferedIn(cloud); refused == offered {
				t.Errorf("%s, %s: offered %v: %d %s", cloud, name, offered, resp.StatusCode, body)
			}
		}
	}
}

// TestResourcesOfClouds asks for tokens of every cloud's resources.
func TestResourcesOfClouds(t *testing.T) {
	for _, cloud := range partnercenter.CloudNames() {
		a := newAPI(t, partnercentertest.Options{Cloud: cloud})
		for _, other := range partnercenter.CloudNames() {
			for _, resource := range other.Resources() {
				form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}, "resource": {resource}}
				want := 200
				if !slices.Contains(cloud.Resources(), resource) {
					want = 400
				}
				resp, body := a.do(t, request{
					method: http.MethodPost, path: "/" + a.TenantID + "/oauth2/token", body: form.Encode(), status: want,
					header: http.Header{"Authorization": nil, "Content-Type": {"application/x-www-form-urlencoded"}},
				})
				if resp.StatusCode != want || want == 400 && !strings.Contains(string(body), "AADSTS500011") {
					t.Errorf("%s, %s: %d %s", cloud, resource, resp.StatusCode, body)
				}
			}
		}
		if _, err := a.Client().Customers.Get(t.Context()); err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
	}
}

const (
	ruleNotSold  = "place an order: the partner's cloud does not sell the item"
	ruleNoAddOns = "buy an add-on: the partner's cloud offers no add-ons to orders"
)

// chinaRefusals are what 21Vianet's cloud does not offer.
func chinaRefusals(t *testing.T, _ *api) []refusal {
	t.Helper()
	order := func(name, item, must string, more ...string) refusal {
		return refusal{rule: ruleNotSold, request: request{name: name, body: orderOf(line(item, 1, more...)), status: 400, code: partnercenter.ErrorCodeNotInEnvironment, must: []string{must, "the 21vianet cloud"}}}
	}
	view := func(view, must string) refusal {
		return refusal{request: request{name: "view " + view, path: "/v1/products?country=US&targetView=" + view, status: 400, code: partnercenter.ErrorCodeNotInEnvironment, must: []string{must, "the 21vianet cloud"}}}
	}
	return []refusal{
		order("legacy Azure", offerAzure, "Azure subscriptions are not offered"),
		order("an Azure plan", itemAzurePlan, "Azure subscriptions are not offered"),
		order("a reservation", itemReservation, "Azure reservations are not offered"),
		order("perpetual software", itemPerpetual, "one-time purchases are not offered"),
		order("software for a term", itemSoftware, "one-time purchases are not offered"),
		view("Azure", "Azure subscriptions are not offered"),
		view("AzureReservationsVM", "Azure reservations are not offered"),
		view("Software", "one-time purchases are not offered"),
		{request: request{name: "a scope", path: "/v1/products/DZH318Z0BQ4B/skus?country=US&reservationScope=AzurePlan", status: 400, code: partnercenter.ErrorCodeNotInEnvironment, must: []string{"Azure reservations"}}},
	}
}

// germanyRefusals are changes that the German cloud does not offer.
func germanyRefusals(t *testing.T, _ *api) []refusal {
	t.Helper()
	addOn := `{` + linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"2b7c40d9-85fe-4d16-a3c0-91f6e7d25b48"`)) + `}`
	return []refusal{
		{request: request{name: "order", body: orderOf(line(offerE3, 1)), status: 400, code: partnercenter.ErrorCodeNotInEnvironment, must: []string{"orders create is not offered in the germany cloud"}}},
		{rule: ruleNoAddOns, request: request{name: "add-on", method: http.MethodPatch, path: orderAt(documented, "6183db3d-6318-4e52-877e-25806e4971be"), body: addOn, status: 400, code: partnercenter.ErrorCodeNotInEnvironment, must: []string{"orders purchase-addon is not offered in the germany cloud"}}},
	}
}

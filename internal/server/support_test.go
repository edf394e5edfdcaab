package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestSupportContact reads the support contact and sends another one, as the .NET client
// does: whole, in PascalCase.
func TestSupportContact(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	path := subscriptionAt(documented, exampleSubscription) + "/supportcontact"
	is := func() *partnercenter.SupportContact {
		return decode[partnercenter.SupportContact](t, a.send(t, http.MethodGet, path, "", 200))
	}
	if c := is(); !strings.EqualFold(c.SupportTenantID, a.TenantID) || c.Name == "" || c.SupportMPNID == "" || c.Links.Self.URI != strings.TrimPrefix(path, "/v1") {
		t.Errorf("at first: %+v", c)
	}
	before := a.subscription(t, documented, exampleSubscription)
	body := `{"SupportTenantId":"2D81C5F6-4E09-4B7A-9F13-A85C70E6B2D4","SupportMpnId":"5081207","Name":"Our helpers","Links":{"Self":{"Uri":"/x","Method":"GET","Headers":[]}},"Attributes":{"Etag":null,"ObjectType":"SupportContact"}}`
	for range 2 {
		a.check(t, request{method: http.MethodPut, path: path, body: body, status: 200, must: []string{`"supportTenantId":"2d81c5f6-4e09-4b7a-9f13-a85c70e6b2d4","supportMpnId":"5081207","name":"Our helpers"`, path[len("/v1"):]}})
	}
	if c := is(); c.Name != "Our helpers" {
		t.Errorf("%+v", c)
	}
	if after := a.subscription(t, documented, exampleSubscription); *after.Attributes.Etag != *before.Attributes.Etag {
		t.Error("the subscription has another etag")
	}
}

// TestAzureEntitlements cancels the Azure subscription of a plan, suspends the plan, and
// makes both active again.
func TestAzureEntitlements(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute})
	a.Clock().Freeze()
	o := a.place(t, documented, line(itemAzurePlan, 1))
	a.Clock().Advance(5 * time.Minute)
	plan := a.subscription(t, documented, a.order(t, documented, o.ID).LineItems[0].SubscriptionID)
	path := subscriptionAt(documented, plan.ID) + "/azureEntitlements"
	one := path + "/" + strings.ToUpper(plan.EntitlementID)
	state := func(want string) {
		t.Helper()
		a.check(t, request{path: path, status: 200, must: []string{`"totalCount":1`, `"status":"` + want + `"`, `"id":"` + plan.EntitlementID + `"`, `"subscriptionId":"` + plan.ID + `"`}})
		a.check(t, request{path: one, status: 200, must: []string{`"status":"` + want + `"`}})
	}
	state("active")
	a.check(t, request{method: http.MethodPost, path: one + "/cancel", body: `{"CancellationReason":"Compromise"}`, status: 200, must: []string{`"status":"active"`}})
	state("active")
	a.Clock().Advance(5 * time.Minute)
	state("inactive")
	a.patchSubscription(t, documented, plan.ID, `{"status":"suspended"}`)
	a.patchSubscription(t, documented, plan.ID, `{"status":"active"}`)
	state("inactive")
	a.check(t, request{method: http.MethodPost, path: one + "/reactivate", status: 200, must: []string{`"status":"inactive"`}})
	a.Clock().Advance(5 * time.Minute)
	state("active")
	a.Clock().Set(a.Clock().Now().Add(-5 * time.Minute))
	state("inactive")
	// Without an active one the plan can be deleted, however old it is.
	a.later(t, 30)
	a.check(t, request{method: http.MethodPost, path: one + "/cancel", body: `{"CancellationReason":"Compromise"}`, status: 200})
	a.Clock().Advance(5 * time.Minute)
	if s := a.patchSubscription(t, documented, plan.ID, `{"status":"deleted"}`); s.Status != partnercenter.SubscriptionStatusDeleted {
		t.Errorf("%+v", s)
	}
	if o := a.order(t, documented, o.ID); o.Status != partnercenter.OrderStatusCancelled || *o.LineItems[0].Quantity != 0 {
		t.Errorf("%+v", o)
	}
	state("inactive")
	a.check(t, request{method: http.MethodPost, path: one + "/reactivate", status: 400, code: partnercenter.ErrorCodeSubscriptionInactive})
}

// TestTransferEligibility lists which subscriptions can be transferred.
func TestTransferEligibility(t *testing.T) {
	a := newAPI(t)
	id := a.buy(t, itemE3, 2).ID
	path := "/v1/customers/" + documented + "/transfersEligibility"
	state := func() partnercenter.TransferEligibility {
		for _, e := range *decode[[]partnercenter.TransferEligibility](t, a.send(t, http.MethodGet, path+"?transferType=DirectToIndirect", "", 200)) {
			if e.ID == id {
				return e
			}
		}
		t.Fatal("the subscription is not listed")
		return partnercenter.TransferEligibility{}
	}
	if e := state(); !*e.IsEligible || e.Reason != "" {
		t.Errorf("%+v", e)
	}
	a.patchSubscription(t, documented, id, `{"status":"suspended"}`)
	if e := state(); *e.IsEligible || !strings.Contains(e.Reason, "suspended") {
		t.Errorf("%+v", e)
	}
	a.check(t, request{path: path, status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"directtoindirect"}})
	a.check(t, request{path: path + "?transferType=sideways", status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"directtoindirect"}})
}

// supportRefusals are refused calls about support contacts and Azure subscriptions.
func supportRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const property = partnercenter.ErrorCodeInvalidProperty
	plan, legacy := a.buy(t, itemAzurePlan, 1), a.buy(t, offerAzure, 1)
	suspended := a.subscription(t, wingtip, a.placed(t, wingtip, line(itemAzurePlan, 1)).LineItems[0].SubscriptionID)
	path := func(s *partnercenter.Subscription) string {
		return "/v1" + s.Links.Self.URI + "/azureentitlements/" + s.EntitlementID
	}
	a.send(t, http.MethodPost, path(suspended)+"/cancel", `{"cancellationReason":"compromise"}`, 200)
	a.patchSubscription(t, wingtip, suspended.ID, `{"status":"suspended"}`)
	contact := func(name, rule string, status int, code partnercenter.ErrorCode, body string) refusal {
		return refusal{rule: "set a support contact: " + rule, request: request{name: "a contact " + name, method: http.MethodPut, path: subscriptionAt(documented, exampleSubscription) + "/supportcontact", body: body, status: status, code: code}}
	}
	const cancel, compromise = "cancel or reactivate an Azure subscription: ", `{"cancellationReason":"compromise"}`
	return []refusal{
		contact("without a name", "an id or the name is missing", 400, property, `{"supportTenantId":"2d81c5f6-4e09-4b7a-9f13-a85c70e6b2d4","supportMpnId":"5081207"}`),
		contact("with a long name", "the name is too long", 400, property, `{"supportTenantId":"2d81c5f6-4e09-4b7a-9f13-a85c70e6b2d4","supportMpnId":"5081207","name":"`+strings.Repeat("x", 501)+`"}`),
		contact("whom nobody knows", "the MPN id is unknown", 404, partnercenter.ErrorCodeMPNUnknown, `{"supportTenantId":"2d81c5f6-4e09-4b7a-9f13-a85c70e6b2d4","supportMpnId":"77","name":"x"}`),
		contact("with another tenant", "the MPN id is neither the partner's nor one of its indirect resellers', or the tenant is another's", 400, partnercenter.ErrorCodeMPNNotReseller, `{"supportTenantId":"d6f7402b-8a3e-4c91-b5d0-19e7f28c6a53","supportMpnId":"5081207","name":"x"}`),
		{rule: "look at Azure subscriptions: it is not an Azure subscription", request: request{name: "entitlements of licences", path: subscriptionAt(documented, exampleSubscription) + "/azureentitlements", status: 400, code: partnercenter.ErrorCodeSubscriptionNotAzure}},
		{rule: "look at an Azure subscription: the subscription has no such Azure subscription", request: request{name: "an unknown entitlement", path: subscriptionAt(documented, plan.ID) + "/azureentitlements/" + legacy.EntitlementID, status: 404, code: partnercenter.ErrorCodeEntitlementNotFound}},
		{rule: cancel + "it is of a legacy offer", request: request{name: "cancel that of a legacy offer", method: http.MethodPost, path: path(legacy) + "/cancel", body: compromise, status: 403, code: partnercenter.ErrorCodeLegacyAzure}},
		{rule: cancel + "it is to be cancelled for another reason than compromise", request: request{name: "cancel for fun", method: http.MethodPost, path: path(plan) + "/cancel", body: `{"cancellationReason":"fun"}`, status: 400, code: partnercenter.ErrorCodeCancellationReason, must: []string{"compromise"}}},
		{rule: cancel + "its plan is not active", request: request{name: "reactivate that of a suspended plan", method: http.MethodPost, path: path(suspended) + "/reactivate", status: 400, code: partnercenter.ErrorCodeSubscriptionInactive}},
		{request: request{name: "delete a plan in use", method: http.MethodPatch, path: subscriptionAt(documented, plan.ID), body: `{"status":"deleted"}`, status: 403, code: partnercenter.ErrorCodePlanInUse, must: []string{plan.EntitlementID, "deleted"}}},
		{rule: "change a subscription: an Azure plan with an active Azure subscription is to be suspended or deleted", request: request{name: "suspend a plan in use", method: http.MethodPatch, path: subscriptionAt(documented, plan.ID), body: `{"status":"suspended"}`, status: 403, code: partnercenter.ErrorCodePlanInUse, must: []string{plan.EntitlementID}}},
	}
}

package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestEntitlements lists what a customer owns of software and reservations.
func TestEntitlements(t *testing.T) {
	a := newAPI(t)
	a.later(t, 0)
	before := decode[partnercenter.Collection[*partnercenter.Entitlement]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/entitlements", "", 200)).TotalCount
	azure := a.buy(t, offerAzure, 1)
	a.send(t, http.MethodPost, subscriptionAt(documented, azure.ID)+"/registrations", "", 202)
	software := a.placed(t, documented, line(itemPerpetual, 3), line(itemSoftware, 2, `"termDuration":"P1Y"`))
	reserved := a.placed(t, documented, line(itemReservation, 1, `"provisioningContext":{"scope":"single","subscriptionId":"`+azure.ID+`","duration":"1Year"}`))
	list := func(query string) []*partnercenter.Entitlement {
		t.Helper()
		return decode[partnercenter.Collection[*partnercenter.Entitlement]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/entitlements"+query, "", 200)).Items
	}
	all := list("")
	at := slices.IndexFunc(all, func(e *partnercenter.Entitlement) bool { return e.ReferenceOrder.ID == reserved.ID })
	if len(all) != before+3 || at < 0 || all[at].EntitlementType != partnercenter.EntitlementTypeReservedInstance || !all[at].ExpiryDate.IsZero() {
		t.Errorf("%d more, reservation %d of %+v", len(all)-before, at, all)
	}
	var kept, term *partnercenter.Entitlement
	for _, e := range list("?entitlementType=Software&showExpiry=true") {
		switch {
		case e.EntitlementType != partnercenter.EntitlementTypeSoftware:
			t.Errorf("%+v", e)
		case e.ReferenceOrder.ID == software.ID && e.ReferenceOrder.LineItemID == "0":
			kept = e
		case e.ReferenceOrder.ID == software.ID:
			term = e
		}
	}
	if kept == nil || *kept.Quantity != 3 || kept.ProductID+":"+kept.SKUID != strings.Join(strings.Split(itemPerpetual, ":")[:2], ":") || kept.QuantityDetails[0].Status != partnercenter.FulfillmentStatusFulfilled || !kept.ExpiryDate.IsZero() {
		t.Errorf("software that is kept: %+v", kept)
	}
	wants := a.Clock().Now().UTC().AddDate(1, 0, 0).Format("2006-01-02") + "T00:00:00Z"
	if term == nil || term.ExpiryDate.String() != wants {
		t.Errorf("software for a term: %+v, want %s", term, wants)
	}
	if r := list("?entitlementtype=reservedinstance&showExpiry=True"); len(r) == 0 || r[0].ExpiryDate.String() != wants {
		t.Errorf("a reservation: %+v", r[0])
	}
	a.patchOrder(t, documented, software.ID, `{"status":"cancelled"}`)
	if n := len(list("")); n != before+1 {
		t.Errorf("%d are left of a cancelled order", n-before-1)
	}
	a.check(t, request{path: "/v1/customers/" + documented + "/entitlements?entitlementType=wisdom", status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"reservedInstance"}})
	a.check(t, request{path: "/v1/customers/" + documented + "/entitlements?showExpiry=perhaps", status: 400, code: partnercenter.ErrorCodeEnumUnparsable, invalid: true})
}

// TestOverage turns overage on and off.
func TestOverage(t *testing.T) {
	a := newAPI(t)
	path := "/v1/customers/" + documented + "/subscriptions/overage"
	a.check(t, request{path: path, status: 200, must: []string{`"totalCount":0,"items":[]`}})
	plan := a.buy(t, itemAzurePlan, 1)
	body := `{"AzureEntitlementId":"` + strings.ToUpper(plan.EntitlementID) + `","PartnerId":null,"Type":"PhoneServices","OverageEnabled":`
	for _, state := range []string{"true", "true", "false"} {
		a.check(t, request{method: http.MethodPut, path: path, body: body + state + `}`, status: 200, must: []string{`"overageEnabled":` + state, `"azureEntitlementId":"` + plan.EntitlementID + `"`}})
		a.check(t, request{path: path, status: 200, must: []string{`"totalCount":1`, `"overageEnabled":` + state, `"uri":"/customers/` + documented + `/subscriptions/overage"`}})
	}
}

// overageRefusals are overages that cannot be turned on.
func overageRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	plan, legacy := a.buy(t, itemAzurePlan, 1), a.buy(t, offerAzure, 1)
	of := func(name, rule string, status int, code partnercenter.ErrorCode, body string) refusal {
		return refusal{rule: "turn overage on or off: " + rule, request: request{name: "overage " + name, method: http.MethodPut, path: "/v1/customers/" + documented + "/subscriptions/overage", body: body, status: status, code: code}}
	}
	const notEligible = "the Azure subscription is not one of an active Azure plan of the customer"
	id := func(id, more string) string {
		return `{"azureEntitlementId":"` + id + `","type":"PhoneServices"` + more + `}`
	}
	return []refusal{
		of("of another type", "the type is not PhoneServices", 400, partnercenter.ErrorCodeEnumUnparsable, `{"azureEntitlementId":"`+plan.EntitlementID+`","type":"Faxes","overageEnabled":true}`),
		of("neither on nor off", "it is said neither to be on nor off", 400, partnercenter.ErrorCodeInvalidProperty, id(plan.EntitlementID, "")),
		of("with a legacy offer", notEligible, 403, partnercenter.ErrorCodeOverageNotEligible, id(legacy.EntitlementID, `,"overageEnabled":true`)),
		of("with nothing", notEligible, 403, partnercenter.ErrorCodeOverageNotEligible, id("", `,"overageEnabled":true`)),
		of("of another partner", "it is another partner's", 403, partnercenter.ErrorCodeOverageElsewhere, id(plan.EntitlementID, `,"overageEnabled":true,"partnerId":"5081207"`)),
	}
}

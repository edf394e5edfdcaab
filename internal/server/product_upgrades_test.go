package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	productUpgradesPath = "/v1/productUpgrades" // as .NET writes it
	upgradeEligibility  = productUpgradesPath + "/eligibility"
)

// upgradeBody is what the .NET client sends.
func upgradeBody(customer string) string {
	return `{"CustomerId":"` + customer + `","ProductFamily":"azure"}`
}

// upgradeAzure upgrades a customer's Azure, and returns the id as the .NET client reads it:
// the second part of Location.
func (a *api) upgradeAzure(t *testing.T, customer, requestID string) string {
	t.Helper()
	r := request{method: http.MethodPost, path: productUpgradesPath, body: upgradeBody(customer), status: 202}
	if requestID != "" {
		r.header = http.Header{"MS-RequestId": {requestID}}
	}
	resp, body := a.do(t, r)
	parts := strings.Split(resp.Header.Get("Location"), "/")
	if resp.StatusCode != 202 || len(body) > 0 || len(parts) != 2 || parts[0] != "productUpgrades" || !guid.Is(parts[1]) {
		t.Fatalf("status %d, Location %q: %s", resp.StatusCode, resp.Header.Get("Location"), body)
	}
	return parts[1]
}

func (a *api) upgradeStatus(t *testing.T, customer, id string) *partnercenter.ProductUpgradesStatus {
	t.Helper()
	return decode[partnercenter.ProductUpgradesStatus](t, a.send(t, http.MethodPost, productUpgradesPath+"/"+id+"/status", upgradeBody(customer), 200))
}

// TestProductUpgrade upgrades a customer with two legacy Azure subscriptions, one of them
// in an order with something else.
func TestProductUpgrade(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute}).as(t, adminAgent)
	a.Clock().Freeze()
	eligible := func() *partnercenter.ProductUpgradesEligibility {
		t.Helper()
		return decode[partnercenter.ProductUpgradesEligibility](t, a.send(t, http.MethodPost, upgradeEligibility, upgradeBody(strings.ToUpper(wingtip)), 200))
	}
	if e := eligible(); *e.IsEligible || e.UpgradeID != "" || !strings.Contains(e.Reason, "no Azure subscriptions") {
		t.Errorf("without Azure: %+v", e)
	}
	alone := a.place(t, wingtip, line(offerAzure, 1, `"friendlyName":"First"`))
	a.Clock().Advance(time.Minute)
	beside := a.place(t, wingtip, line(offerAzure, 1, `"friendlyName":"Second"`), line(offerE3, 5))
	first := a.subscription(t, wingtip, alone.LineItems[0].SubscriptionID)
	second := a.subscription(t, wingtip, beside.LineItems[0].SubscriptionID)
	if e := eligible(); !*e.IsEligible || e.UpgradeID != "" || e.Reason != "" || e.CustomerID != wingtip || e.ProductFamily != "azure" {
		t.Errorf("with Azure: %+v", e)
	}

	const requestID = "5b0f9c52-9d51-4f52-b1b4-0a2e6c1d7f10"
	id := a.upgradeAzure(t, wingtip, requestID)
	if again := a.upgradeAzure(t, wingtip, requestID); again != id {
		t.Errorf("the same request again: %s, not %s", again, id)
	}
	if s := a.upgradeStatus(t, wingtip, id); s.ID != id || s.Status != "InProgress" || len(s.LineItems) != 2 || !s.LineItems[0].UpgradedDate.IsZero() {
		t.Errorf("at first: %+v", s)
	}
	if e := eligible(); *e.IsEligible || e.UpgradeID != id || !strings.Contains(e.Reason, "in progress") {
		t.Errorf("in progress: %+v", e)
	}
	a.Clock().Advance(5 * time.Minute)
	s := a.upgradeStatus(t, wingtip, strings.ToUpper(id))
	product := func(id, name string) *partnercenter.UpgradedProduct {
		return &partnercenter.UpgradedProduct{ID: id, Name: name}
	}
	if l := s.LineItems[0]; s.Status != "Completed" || s.ProductFamily != "azure" || l.Status != "Completed" || l.UpgradedDate.IsZero() ||
		cmp.Diff(product(offerAzure, "Microsoft Azure"), l.SourceProduct)+cmp.Diff(product(itemAzurePlan, "Microsoft Azure plan"), l.TargetProduct) != "" {
		t.Errorf("completed: %+v", s)
	}
	if e := eligible(); *e.IsEligible || e.UpgradeID != id || !strings.Contains(e.Reason, "completed upgrade "+id) {
		t.Errorf("completed: %+v", e)
	}

	// The legacy subscriptions and their lines ended; what was beside them did not.
	for _, old := range []*partnercenter.Subscription{first, second} {
		if s := a.subscription(t, wingtip, old.ID); s.Status != partnercenter.SubscriptionStatusDeleted || s.EntitlementID != "" {
			t.Errorf("legacy: %+v", s)
		}
		a.check(t, request{path: subscriptionAt(wingtip, old.ID) + "/azureentitlements", status: 200, must: []string{`"totalCount":0,"items":[]`}})
	}
	if o := a.order(t, wingtip, alone.ID); o.Status != partnercenter.OrderStatusCancelled {
		t.Errorf("an order of Azure alone: %+v", o)
	}
	if o := a.order(t, wingtip, beside.ID); o.Status != partnercenter.OrderStatusCompleted || *o.LineItems[0].Quantity != 0 || *o.LineItems[1].Quantity != 5 {
		t.Errorf("an order of Azure and licences: %+v", o)
	}
	// One plan has the Azure subscriptions of both.
	plan := a.subscription(t, wingtip, first.EntitlementID)
	if plan.OfferID != itemAzurePlan || plan.Status != partnercenter.SubscriptionStatusActive || plan.FriendlyName != "First" {
		t.Errorf("the plan: %+v", plan)
	}
	orders := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(wingtip), "", 200)).Items
	plans := 0
	for _, o := range orders {
		for _, l := range o.LineItems {
			if l.OfferID == itemAzurePlan {
				plans++
				if l.TransactionType != partnercenter.LineItemTransactionTypeConvert || o.ID != plan.OrderID {
					t.Errorf("its order: %+v", o)
				}
			}
		}
	}
	if plans != 1 {
		t.Errorf("%d plans were ordered", plans)
	}
	entitlements := subscriptionAt(wingtip, plan.ID) + "/azureentitlements"
	state := func(id string) string {
		t.Helper()
		e := decode[partnercenter.AzureEntitlement](t, a.send(t, http.MethodGet, entitlements+"/"+id, "", 200))
		if e.SubscriptionID != plan.ID || !strings.EqualFold(e.ID, id) {
			t.Errorf("%+v", e)
		}
		return e.FriendlyName + " " + e.Status
	}
	if got := state(first.EntitlementID) + ", " + state(strings.ToUpper(second.EntitlementID)); got != "First active, Second active" {
		t.Error(got)
	}
	a.send(t, http.MethodPost, entitlements+"/"+second.EntitlementID+"/cancel", `{"cancellationReason":"compromise"}`, 200)
	a.Clock().Advance(5 * time.Minute)
	if got := state(first.EntitlementID) + ", " + state(second.EntitlementID); got != "First active, Second inactive" {
		t.Error(got)
	}
	a.check(t, request{method: http.MethodPatch, path: subscriptionAt(wingtip, plan.ID), body: `{"status":"suspended"}`, status: 403, code: partnercenter.ErrorCodePlanInUse, must: []string{first.EntitlementID}})
	a.send(t, http.MethodPost, entitlements+"/"+first.EntitlementID+"/cancel", `{"cancellationReason":"compromise"}`, 200)
	a.Clock().Advance(5 * time.Minute)
	a.patchSubscription(t, wingtip, plan.ID, `{"status":"suspended"}`)
}

// TestProductUpgradesAtOnce sends many upgrades of one customer at the same time: one is
// made.
func TestProductUpgradesAtOnce(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	a.place(t, wingtip, line(offerAzure, 1))
	codes := make(chan int, 8)
	for range cap(codes) {
		go func() {
			resp, _ := a.do(t, request{method: http.MethodPost, path: productUpgradesPath, body: upgradeBody(wingtip), status: 0})
			codes <- resp.StatusCode
		}()
	}
	accepted := 0
	for range cap(codes) {
		if code := <-codes; code == 202 {
			accepted++
		} else if code != 400 {
			t.Errorf("status %d", code)
		}
	}
	plans := 0
	for _, s := range decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+wingtip+"/subscriptions", "", 200)).Items {
		if s.OfferID == itemAzurePlan {
			plans++
		}
	}
	if accepted != 1 || plans != 1 {
		t.Errorf("%d were accepted, and there are %d plans", accepted, plans)
	}
}

func upgradeRefusal(name, rule, customer string, status int, code partnercenter.ErrorCode) refusal {
	return refusal{rule: rule, of: customer, request: request{name: "upgrade " + name, method: http.MethodPost, path: productUpgradesPath, body: upgradeBody(customer), status: status, code: code}}
}

// productUpgradeRefusals are upgrades that are not possible.
func productUpgradeRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const up, look = "upgrade products: ", "look at an upgrade of products: "
	suspended := a.placed(t, northwind, line(offerAzure, 1)).LineItems[0].SubscriptionID
	a.patchSubscription(t, northwind, suspended, `{"status":"suspended"}`)
	a.place(t, treyResearch, line(offerAzure, 1))
	a.place(t, treyResearch, line(itemAzurePlan, 1))
	done := a.upgradeAzure(t, fourthCoffee, "")
	named := func(name, rule, body string, status int, code partnercenter.ErrorCode) refusal {
		return refusal{rule: rule, request: request{name: "upgrade " + name, method: http.MethodPost, path: upgradeEligibility, body: body, status: status, code: code}}
	}
	asked := func(name, rule, customer, id string, status int, code partnercenter.ErrorCode) refusal {
		r := upgradeRefusal(name, rule, customer, status, code)
		r.path += "/" + id + "/status"
		return r
	}
	const naming = "name products to upgrade: "
	return []refusal{
		named("nobody", naming+"no customer is named", `{"productFamily":"azure"}`, 400, partnercenter.ErrorCodeInvalidProperty),
		named("somebody by name", naming+"the customer's id is not a GUID", `{"customerId":"wingtip","productFamily":"azure"}`, 400, partnercenter.ErrorCodeInvalidCustomerID),
		named("nothing", naming+"no family is named", `{"customerId":"`+wingtip+`"}`, 400, partnercenter.ErrorCodeInvalidProperty),
		named("another family", naming+"the family is not azure", `{"customerId":"`+wingtip+`","productFamily":"office"}`, 400, partnercenter.ErrorCodeEnumUnparsable),
		named("somebody else's customer", "", upgradeBody("11111111-2222-4333-8444-555555555555"), 403, partnercenter.ErrorCodeNoRelationship),
		upgradeRefusal("a customer without Azure", up+"the customer has no legacy Azure subscriptions", wingtip, 403, partnercenter.ErrorCodeNoAzureToUpgrade),
		upgradeRefusal("a customer with suspended Azure", up+"a legacy Azure subscription is suspended", northwind, 403, partnercenter.ErrorCodeAzureSuspended),
		upgradeRefusal("a customer with a plan", up+"the customer has bought an Azure plan", treyResearch, 403, partnercenter.ErrorCodeUpgradeNotPossible),
		upgradeRefusal("a customer again", up+"the customer's Azure plan is of an upgrade", fourthCoffee, 400, partnercenter.ErrorCodeUpgradeCompleted),
		asked("status without one", look+"the customer has no upgrade", wingtip, done, 404, partnercenter.ErrorCodeUpgradeNotFound),
		asked("status of another", look+"the customer has another upgrade", fourthCoffee, "5b0f9c52-9d51-4f52-b1b4-0a2e6c1d7f10", 400, partnercenter.ErrorCodeUpgradeOfAnother),
	}
}

// upgradingRefusals are upgrades while there is one in progress.
func upgradingRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	a.Clock().Freeze()
	a.upgradeAzure(t, fourthCoffee, "")
	return []refusal{upgradeRefusal("in progress", "upgrade products: an upgrade is in progress", fourthCoffee, 409, partnercenter.ErrorCodeUpgradeInProgress)}
}

// catalogWithoutPlan sells legacy Azure only.
const catalogWithoutPlan = `
format: partnercenter-catalog/1
countries: [{code: US, currency: USD, symbol: $}]
categories: [{id: Enterprise_Key, name: Enterprise, rank: 30}]
offers: [{id: MS-AZR-0145P, name: Microsoft Azure, category: Enterprise_Key, billing: usage, product: {id: 9DEA7946-EC2C-441E-9FFD-E3B275F7E838}}]
`

// noPlanRefusals are upgrades where no Azure plan is sold.
func noPlanRefusals(*testing.T, *api) []refusal {
	return []refusal{upgradeRefusal("without a plan", "upgrade products: no Azure plan is sold in the customer's country", fourthCoffee, 400, partnercenter.ErrorCodeNoAzureInCatalog)}
}

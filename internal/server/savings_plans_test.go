package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// commitment writes what a savings plan commits to.
func commitment(amount, currency, grain string) string {
	return `"purchaseCommitment":{"amount":` + amount + `,"currency":"` + currency + `","grain":"` + grain + `"}`
}

// TestSavingsPlans buys savings plans by cart and by order, of both scopes, and lets them
// renew and end.
func TestSavingsPlans(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	plan := a.buy(t, itemAzurePlan, 1)
	for _, tt := range []struct {
		name, term, cycle, context string
		scope                      partnercenter.SubscriptionScope
		price, total               partnercenter.Decimal
	}{
		{"shared, at once", "P1Y", "one_time", `"scope":"shared","subscriptionId":"` + strings.ToUpper(plan.ID) + `"`, partnercenter.SubscriptionScope{Type: "Shared", SubscriptionID: plan.ID}, "438.00", "438.00"},
		{"for one, by the month", "P3Y", "monthly", `"Scope":"Single","EntitlementId":"` + plan.EntitlementID + `"`, partnercenter.SubscriptionScope{Type: "Single", SubscriptionID: plan.ID, EntitlementID: plan.EntitlementID}, "36.50", "1314.00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := `{"lineItems":[{"id":0,` + cartLine(itemSavingsPlan, 1, `"billingCycle":"`+tt.cycle+`"`, `"termDuration":"`+tt.term+`"`, commitment("0.05", "usd", "hourly"), `"provisioningContext":{`+tt.context+`}`) + `}]}`
			sent := decode[partnercenter.Cart](t, []byte(body)).LineItems[0]
			cart := decode[partnercenter.Cart](t, a.send(t, http.MethodPost, cartsOf(documented), body, 201))
			l := cart.LineItems[0]
			if l.Error != nil || l.Pricing == nil || l.Pricing.Price != tt.price || l.PurchaseCommitment.Amount != sent.PurchaseCommitment.Amount || len(l.ProvisioningContext) != 2 {
				t.Fatalf("%+v, %+v", l, l.Error)
			}
			bought := decode[partnercenter.CartCheckoutResult](t, a.send(t, http.MethodPost, cartsOf(documented)+"/"+cart.ID+"/checkout", "", 201))
			if len(bought.Orders) != 1 {
				t.Fatalf("%+v", bought.OrderErrors)
			}
			o := bought.Orders[0]
			if c := o.LineItems[0].PurchaseCommitment; o.TotalPrice != tt.total || c == nil || c.Amount != "0.05" || c.Currency != "usd" || c.Grain != "hourly" {
				t.Errorf("%s, %+v", o.TotalPrice, c)
			}
			id := a.order(t, documented, o.ID).LineItems[0].SubscriptionID
			s := a.subscription(t, documented, id)
			if len(s.LineItems) != 1 {
				t.Fatalf("%+v", s)
			}
			of := s.LineItems[0]
			if of.Scope.Type != tt.scope.Type || of.Scope.SubscriptionID != tt.scope.SubscriptionID || of.Scope.EntitlementID != tt.scope.EntitlementID ||
				of.PurchaseCommitment.Amount != "0.05" || of.ID == "" || of.FriendlyName != s.FriendlyName || !*of.AutoRenewEnabled || of.Status != "active" {
				t.Errorf("%+v, %+v", of, of.Scope)
			}
			// What changes of the subscription changes in its line.
			a.patchSubscription(t, documented, id, `{"autoRenewEnabled":false,"friendlyName":"less"}`)
			if of = a.subscription(t, documented, id).LineItems[0]; *of.AutoRenewEnabled || of.FriendlyName != "less" {
				t.Errorf("%+v", of)
			}
			a.check(t, request{name: "cancelling", method: http.MethodPatch, path: orderAt(documented, o.ID), body: `{"status":"cancelled"}`, status: 400, code: partnercenter.ErrorCodeOrderNotCancellable, must: []string{"autoRenewEnabled"}})
			a.check(t, request{name: "another cycle", method: http.MethodPatch, path: orderAt(documented, o.ID), body: `{"billingCycle":"` + map[string]string{"one_time": "monthly", "monthly": "one_time"}[tt.cycle] + `"}`, status: 400, code: partnercenter.ErrorCodeCycleUnsupported})
		})
	}
	renewing := a.placed(t, documented, line(itemSavingsPlan, 1, commitment("1.5", "USD", "Hourly"), `"provisioningContext":{"scope":"shared","subscriptionId":"`+plan.ID+`"}`)).LineItems[0].SubscriptionID
	before := a.subscription(t, documented, renewing)
	a.later(t, 366)
	after := a.subscription(t, documented, renewing)
	if !before.CommitmentEndDate.Before(after.CommitmentEndDate) || after.LineItems[0].Status != "active" {
		t.Errorf("%s, then %s", before.CommitmentEndDate, after.CommitmentEndDate)
	}
	renewed := false
	for _, o := range decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+"?include_system_purchases=true&include_price=true", "", 200)).Items {
		if o.LineItems[0].SubscriptionID == renewing && o.TransactionType == partnercenter.OrderTransactionTypeSystemPurchase {
			renewed = o.TotalPrice == "13140.00"
		}
	}
	if !renewed {
		t.Error("it did not renew at its price")
	}
}

package seed

import (
	"errors"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// describing is a seed file whose customer has an order of two lines, and these fields.
func describing(fields string) string {
	return `format: partnercenter-seed/1
partners:
  - tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25
    name: Contoso CSP
    domain: contosocsp.onmicrosoft.com
    mpnId: 5080911
    country: US
    customers:
      - id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42
        companyProfile: {companyName: Wingtip Toys, domain: wingtiptoys.onmicrosoft.com}
        orders:
          - id: c5d80f3a7b21
            billingCycle: monthly
            creationDate: 2024-03-01T09:30:00Z
            lineItems:
              - {offerId: "CFQ7TTC0LH18:0001:CFQ7TTC0K59V", subscriptionId: e2b7a9c4-6f01-4d83-95be-1a4c70d8f362, quantity: 25, partnerIdOnRecord: 5081207}
              - {offerId: "CFQ7TTC0LH18:0001:CFQ7TTC0K59V", subscriptionId: e2b7a9c4-6f01-4d83-95be-1a4c70d8f363, quantity: 0}
` + fields
}

func TestSubscriptionsOfFiles(t *testing.T) {
	s, err := Read("seed", strings.NewReader(describing(`        subscriptions:
          - id: E2B7A9C4-6F01-4D83-95BE-1A4C70D8F362
            Status: Suspended
            later: {new: 1}
            transitions: [{operationId: o, quantity: 3}]
            supportContact: {supportTenantId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94, supportMpnId: 5081207, name: Helpers}
            overageEnabled: true
          - {id: e2b7a9c4-6f01-4d83-95be-1a4c70d8f363}
        carts:
          - {id: 7c000000-0000-4000-8000-00000000000c, lineItems: [{catalogItemId: "CFQ7TTC0LH18:0001:CFQ7TTC0K59V", quantity: 3}]}
`)))
	if err != nil {
		t.Fatal(err)
	}
	c := s.Partners[0].Customers[0]
	first, second := &c.Subscriptions[0], &c.Subscriptions[1].Subscription
	if d := &first.Subscription; d.Status != "suspended" || d.OrderID != "c5d80f3a7b21" || *d.PartnerID != "5081207" || d.OfferID != "CFQ7TTC0LH18:0001:CFQ7TTC0K59V" || *first.Transitions[0].Quantity != 3 {
		t.Errorf("%+v", first)
	}
	if second.Status != "deleted" {
		t.Errorf("of a cancelled line: %+v", second)
	}
	d, err := first.Document()
	if want := `{"later":{"new":1},"transitions":[{"operationId":"o","quantity":3}],"supportContact":{"supportTenantId":"43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94","supportMpnId":"5081207","name":"Helpers"},"overageEnabled":true}`; err != nil || string(d.Extra) != want {
		t.Errorf("%s, %v", d.Extra, err)
	}
	if cart := c.Carts[0]; cart.Status == "" || !cart.CreationTimestamp.IsZero() || cart.Links.Self.URI != "/customers/9d60c2b7-e814-4f35-a0d9-6b31f7c85e42/carts/7c000000-0000-4000-8000-00000000000c" {
		t.Errorf("%+v", cart)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "later") {
		t.Errorf("%q", s.Warnings)
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	const id = "id: e2b7a9c4-6f01-4d83-95be-1a4c70d8f362"
	for name, tt := range map[string]struct{ subscription, path, message string }{
		"of no line":           {"id: 11111111-2222-4333-8444-555555555555", "id", "no line of the customer's orders"},
		"of another order":     {id + ", orderId: c5d80f3a7b22", "orderId", "c5d80f3a7b21 has the subscription"},
		"without an id":        {"quantity: 1", "id", "is missing"},
		"with fewer than none": {id + ", quantity: -1", "quantity", "below zero"},
		"with a schedule":      {id + ", scheduledActions: [{scheduleType: TermEnd, actionType: Cancel}]", "commitmentEndDate", "last day of the term"},
		"with a charge":        {id + ", nextChargeInstructions: {quantity: 3}", "billingCycleEndDate", "the day after it"},
		"with another product": {id + ", commitmentEndDate: 2027-01-01, scheduledNextTermInstructions: {product: {productId: CFQ7TTC0LFLX}}", "scheduledNextTermInstructions", "another product"},
		"with a transition":    {id + ", commitmentEndDate: 2027-01-01, scheduledActions: [{scheduleType: TermEnd, actionType: Transition}]", "scheduledActions", "same product"},
		"with several actions": {id + ", commitmentEndDate: 2027-01-01, scheduledActions: [{actionType: Cancel}, {actionType: Cancel}]", "scheduledActions", "several"},
		"with half a contact":  {id + ", supportContact: {name: x}", "supportContact", "supportMpnId"},
		"with a misspelling":   {id + ", suportContact: {name: x}", "", ""},
	} {
		_, err := Read("seed", strings.NewReader(describing("        subscriptions: [{"+tt.subscription+"}]\n")))
		if tt.message == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var mistakes *yamlfile.Error
		if !errors.As(err, &mistakes) || !strings.HasSuffix(mistakes.Problems[0].Path, "subscriptions[0]."+tt.path) || !strings.Contains(mistakes.Problems[0].Message, tt.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Read("seed", strings.NewReader(describing("        carts: [{id: 7c000000-0000-4000-8000-00000000000c, status: Ordered}]\n")))
	if err == nil || !strings.Contains(err.Error(), "carts[0].status") {
		t.Errorf("a cart that was checked out: %v", err)
	}
}

const (
	describedID   = "e2b7a9c4-6f01-4d83-95be-1a4c70d8f362"
	describedSelf = `"links":{"self":{"uri":"/customers/` + wingtipID + `/subscriptions/` + describedID
	describedJSON = `{"id":"c5d80f3a7b29","referenceCustomerId":"` + wingtipID + `","lineItems":[{"lineItemNumber":0,"offerId":"CFQ7TTC0LH18:0001:CFQ7TTC0K59V","subscriptionId":"` + describedID + `","quantity":3}],"attributes":{"objectType":"Order"}}
{"id":"` + describedID + `","quantity":4,"entitlementId":"7c000000-0000-4000-8000-00000000000d",` + describedSelf + `","method":"GET"}},"attributes":{"objectType":"Subscription"}}
{"supportTenantId":"43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94","supportMpnId":"5081207","name":"Helpers",` + describedSelf + `/supportcontact"}},"attributes":{"objectType":"SupportContact"}}
{"totalCount":1,"items":[{"azureEntitlementId":"7C000000-0000-4000-8000-00000000000D","overageEnabled":false,"links":{"overage":{"uri":"/customers/` + wingtipID + `/subscriptions/overage"}},"attributes":{"objectType":"Overage"}}]}
{"totalCount":1,"items":[{"operationId":"o","fromSubscriptionId":"` + describedID + `","quantity":1,"attributes":{"objectType":"Transition"}}]}
{"id":"7c000000-0000-4000-8000-00000000000c","status":"Active","lineItems":[],"links":{"self":{"uri":"/customers/` + wingtipID + `/carts/7c000000-0000-4000-8000-00000000000c"}},"attributes":{"objectType":"Cart"}}
`
)

// TestImportOfSubscriptions reads what is about a subscription, and a cart.
func TestImportOfSubscriptions(t *testing.T) {
	im, err := importTexts(describedJSON, describedJSON)
	if err != nil {
		t.Fatal(err)
	}
	data, placeholders, err := im.Seed(Tenant{})
	if err != nil || len(placeholders) != 1 {
		t.Fatalf("%v, %v", placeholders, err)
	}
	c := data.Partners[0].Customers[0]
	if len(c.Subscriptions) != 1 || len(c.Carts) != 1 {
		t.Fatalf("%+v", c)
	}
	if s := c.Subscriptions[0]; s.Subscription.OrderID != "c5d80f3a7b29" || s.SupportContact.Name != "Helpers" || *s.OverageEnabled || len(s.Transitions) != 1 {
		t.Errorf("%+v", s)
	}
	lines := strings.SplitAfter(describedJSON, "\n")
	for _, tt := range []struct{ text, message string }{
		{lines[1], "1.json:1: subscription " + describedID + ": no order that was read has it; import the customer's orders in the same command"},
		{lines[0] + lines[2], "1.json:2: support contact of subscription " + describedID + ": the subscription was not read"},
		{lines[0] + lines[3], "1.json:2: items[0]: overage of Azure subscription 7C000000-0000-4000-8000-00000000000D: the subscription was not read"},
		{lines[0] + lines[4], "1.json:2: items[0]: transition o: the subscription was not read"},
	} {
		im, err := importTexts(tt.text)
		if err == nil {
			_, _, err = im.Seed(Tenant{})
		}
		if err == nil || !strings.HasPrefix(err.Error(), tt.message) {
			t.Errorf("%v, want %s", err, tt.message)
		}
	}
	for _, tt := range []struct{ from, to, message string }{
		{`"status":"Active"`, `"status":"Ordered"`, "only carts that are still open"},
		{`"quantity":4`, `"quantity":-4`, "quantity is below zero"},
		{`"quantity":4`, `"scheduledActions":[{"actionType":"Cancel"}]`, "commitmentEndDate is missing"},
		{`"quantity":4`, `"creationDate":"banana"`, "is not a date"},
		{describedSelf, `"links":{"self":{"uri":"/subscriptions/`, "does not say whose it is"},
		{`"id":"` + describedID + `","quantity":4`, `"quantity":4`, "is not a GUID"},
		{`"operationId":"o",`, ``, "as in a request"},
		{`"name":"Helpers"`, `"name":5`, "is no support contact"},
	} {
		if _, err := importTexts(strings.ReplaceAll(describedJSON, tt.from, tt.to)); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%v, want %s", err, tt.message)
		}
	}
}

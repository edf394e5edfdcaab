package published

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// TestCartExamples sends the published carts literally. Each is taken, and answered with
// every member of the published answer.
func TestCartExamples(t *testing.T) {
	a := newAPI(t)
	carts := "/v1/customers/" + documented + "/carts"
	made := func(body []byte) *partnercenter.Cart {
		t.Helper()
		cart := new(partnercenter.Cart)
		if err := partnercenter.Unmarshal(body, cart); err != nil {
			t.Fatal(err)
		}
		return cart
	}
	// asSold is a published cart of a savings plan, for what the catalog sells and the
	// customer has.
	asSold := func(body []byte) []byte {
		placed := new(partnercenter.Order)
		if err := partnercenter.Unmarshal(a.send(t, http.MethodPost, "/v1/customers/"+documented+"/orders", "application/json", `{"lineItems":[{"lineItemNumber":0,"offerId":"DZH318Z0BPS6:0001:DZH318Z0BPQV","quantity":1}]}`, http.StatusCreated), placed); err != nil {
			t.Fatal(err)
		}
		order := new(partnercenter.Order)
		if err := partnercenter.Unmarshal(a.get(t, "/v1/customers/"+documented+"/orders/"+placed.ID), order); err != nil {
			t.Fatal(err)
		}
		return []byte(strings.NewReplacer("DZH318ZEXMP7:0001:DZH318ZEXMP8", "DZH318Z0G8SP:0001:DZH318Z0G9WN", "0a1b2c3d-0000-4000-8000-000000000201", order.LineItems[0].SubscriptionID).Replace(string(body)))
	}
	of2026 := func(name string) []byte { return file(t, filepath.Join("examples-2026", name)) }
	for _, tt := range []struct {
		name     string
		request  []byte
		response []byte
		missing  []string // of the answer, because the items are not in the catalog, or for the reason beside it
	}{
		{"carts-create", example(t, "carts-create.request.json"), example(t, "carts-create.response.json"), nil},
		{"carts-create-addons-new-base", example(t, "carts-create-addons-new-base.request.json"), example(t, "carts-create-addons-new-base.response.json"), nil},
		{"cart-nce-create", of2026("cart-nce-create.request.json"), of2026("cart-nce-create.response.json"), []string{
			"lineItems[].pricing", "lineItems[].promotionId", // unknown items
			"lineItems[].provisioningContext", // which was not sent
		}},
		{"cart-savings-plan", of2026("cart-savings-plan.request.json"), []byte("{}"), nil},
		{"cart-savings-plan of the catalog", asSold(of2026("cart-savings-plan.request.json")), of2026("cart-savings-plan.request.json"), nil},
		{"carts-update", example(t, "carts-update.request.json"), []byte("{}"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, path := http.MethodPost, carts
			if tt.name == "carts-update" {
				before := made(a.send(t, http.MethodPost, carts, "application/json", `{"lineItems":[]}`, http.StatusCreated))
				method, path = http.MethodPut, carts+"/"+before.ID+"/"
			}
			got := a.send(t, method, path, "application/json", string(tt.request), http.StatusCreated)
			cart, sent := made(got), made(tt.request)
			if len(cart.LineItems) != len(sent.LineItems) {
				t.Fatalf("%s", got)
			}
			for i := range sent.LineItems {
				was, is := &sent.LineItems[i], &cart.LineItems[i]
				if is.CatalogItemID != was.CatalogItemID || is.GetQuantity() != was.GetQuantity() || is.BillingCycle != was.BillingCycle.Normalize() ||
					was.TermDuration != "" && is.TermDuration != was.TermDuration || is.FriendlyName != was.FriendlyName || len(is.AddonItems) != len(was.AddonItems) || is.CustomTermEndDate.String() != was.CustomTermEndDate.String() {
					t.Errorf("line %d of %s", i, got)
				}
			}
			have := contracttest.Flatten(t, got)
			for key := range contracttest.Flatten(t, tt.response) {
				left := false
				for _, m := range tt.missing {
					left = left || strings.HasPrefix(key, m)
				}
				if have[key] == nil && have[key+"[]"] == nil && !left {
					t.Errorf("the documented %s is missing in %s", key, got)
				}
			}
			if tt.name == "cart-savings-plan of the catalog" && (cart.LineItems[0].Error != nil || cart.LineItems[0].Pricing == nil) {
				t.Errorf("it cannot be bought: %s", got)
			}
			again := a.get(t, carts+"/"+cart.ID)
			if strings.TrimSpace(string(again)) != strings.TrimSpace(string(got)) {
				t.Errorf("the cart is read as %s", again)
			}
		})
	}
	// What can be bought of the first of them is: its reservations name subscriptions that
	// only the documentation has.
	cart := made(a.send(t, http.MethodPost, carts, "application/json", strings.ReplaceAll(string(example(t, "carts-create.request.json")), "1C461A25-F729-4FA5-AADB-280947DD05E8", "A356AC8C-E310-44F4-BF85-C7F29044AF99"), http.StatusCreated))
	var groups []string
	for _, l := range cart.LineItems {
		if l.Error != nil {
			t.Errorf("line %d: %+v", l.GetID(), l.Error)
		}
		groups = append(groups, l.OrderGroup)
	}
	if got := strings.Join(groups, " "); got != "OMS-0 0 0 0 1 2" {
		t.Errorf("the order groups are %s", got)
	}
	result := new(partnercenter.CartCheckoutResult)
	body := a.send(t, http.MethodPost, carts+"/"+cart.ID+"/checkout", "application/json", `"success"`, http.StatusCreated)
	if err := partnercenter.Unmarshal(body, result); err != nil || len(result.Orders) != 4 || len(result.OrderErrors) != 0 {
		t.Fatalf("%s", body)
	}
	have := contracttest.Flatten(t, body)
	for key := range contracttest.Flatten(t, example(t, "carts-checkout.response.json")) {
		if have[key] == nil && have[key+"[]"] == nil {
			t.Errorf("the documented %s is missing in %s", key, body)
		}
	}
}

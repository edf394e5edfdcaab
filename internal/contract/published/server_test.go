package published

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// documented is the customer that most examples are about.
const (
	documented          = "4d3cf487-70f4-4e1e-9ff1-b2bfce8d9f04"
	exampleOrder        = "cf3b0e37-be0b-4cdd-b584-d1a97d98a922"
	exampleSubscription = "83ef9d05-4169-4ef9-9657-0e86b1eab1de"
	seedOrders          = "/v1/customers/" + partnercentertest.CustomerID + "/orders"
)

func orderAt(customer, id string) string { return "/v1/customers/" + customer + "/orders/" + id }

func subscriptionAt(customer, id string) string {
	return "/v1/customers/" + customer + "/subscriptions/" + id
}

const notOfAzure = "only Azure subscriptions have an entitlement"

// TestExamples sends the requests in the documentation literally, and compares the
// answers with the documented ones: each documented key must be present, with the
// documented value. Exceptions, listed as missing or ours, are intentional.
func TestExamples(t *testing.T) {
	const (
		marketplaceCustomer     = "5921f00a-32c0-4457-aaa1-e8018c650895"
		marketplaceSubscription = "6e7aa601-629e-461b-8933-0898c3cc3c7c"
		softwareCustomer        = "bd59b416-37f9-4d8f-8df3-5750111fc615"
		activationCustomer      = "8c5b65fd-c725-4f50-8d9c-97ec9169fdd0"
		purchaseOrderCustomer   = "71b277b9-9cc1-4fef-a0df-7355006cb52e"
	)
	// The examples of marketplace products are from days on which they could
	// still be cancelled.
	refundable := time.Date(2019, 1, 9, 12, 0, 0, 0, time.UTC)
	subscription := subscriptionAt(documented, exampleSubscription)
	a := newAPI(t)
	for _, tt := range []struct {
		name    string
		method  string // default GET
		path    string
		status  int       // default 200
		at      time.Time // what the clock shows; zero for now
		before  string    // a body to send first
		must    []string
		missing map[string]string
		ours    []string // keys whose values are the sample's
	}{
		{
			name: "orders-create", method: http.MethodPost, path: seedOrders, status: 201,
			ours: []string{"id", "lineItems[].offerId"},
			must: []string{`"billingCycle":"one_time"`, `"currencyCode":"USD"`, `"offerId":"DZH318Z0BQ4B:0047:DZH318Z0DSM8"`, `"friendlyName":"A_sample_Azure_RI"`, `"quantity":1`, `"status":"pending"`, `"/products/DZH318Z0BQ4B/skus/0047?country=US"`},
		},
		{
			name: "orders-patch-addon", method: http.MethodPatch, path: orderAt(documented, exampleOrder),
			ours: []string{"billingCycle", "lineItems[].subscriptionId"},
			must: []string{`"lineItemNumber":0,"offerId":"195416C1-3447-423A-B37B-EE59A99A19C4","subscriptionId":"1C2B75C1-74A5-472A-A729-7F8CEFC477F9"`, `"lineItemNumber":2,"offerId":"2828BE95-46BA-4F91-B2FD-0BEF192ECF60"`, `"friendlyName":"Some friendly name","quantity":2`, `"creationDate":"2017-01-25T14:53:12.093-08:00"`, `"etag":"eyJpZCI6ImNmM2IwZTM3LWJlMGItNGNkZC1iNTg0LWQxYTk3ZDk4YTkyMiIsInZlcnNpb24iOjJ9"`},
		},
		{
			name: "orders-patch-billing-cycle", method: http.MethodPatch, path: orderAt(documented, exampleOrder),
			must: []string{`"billingCycle":"annual"`, `"subscriptionId":"69829602-C219-40FD-A3D5-4150FCA41A19"`, `"subscriptionId":"1C2B75C1-74A5-472A-A729-7F8CEFC477F9"`, `"etag":"eyJpZCI6ImNmM2IwZTM3LWJlMGItNGNkZC1iNTg0LWQxYTk3ZDk4YTkyMiIsInZlcnNpb24iOjJ9"`},
		},
		{
			name: "orders-cancel-sandbox", method: http.MethodPatch, path: orderAt(softwareCustomer, "UKXASSO1dezh3HdxClHxSp5UEFXGbAnt1"),
			ours: []string{"lineItems[].quantity"},
			// The documented answer has still one of it; the rule that a cancelled
			// line has none is documented too.
			must: []string{`"alternateId":"11fc4bdfd47a"`, `"status":"cancelled"`, `"quantity":0`},
		},
		{name: "subscriptions-patch-quantity", method: http.MethodPatch, path: subscription, must: []string{`"quantity":2`, `"friendlyName":"nickname"`, `"autoRenewEnabled":false`, `"status":"active"`}, missing: map[string]string{"links.entitlement": notOfAzure}},
		{name: "subscriptions-suspend", method: http.MethodPatch, path: subscription, must: []string{`"status":"suspended"`, `"quantity":2`}, missing: map[string]string{"links.entitlement": notOfAzure}},
		{name: "subscriptions-reactivate", method: http.MethodPatch, path: subscription, before: `{"quantity":2,"status":"suspended"}`, must: []string{`"status":"active"`, `"quantity":2`}, missing: map[string]string{"links.entitlement": notOfAzure}},
		{name: "subscriptions-nickname", method: http.MethodPatch, path: subscription, must: []string{`"friendlyName":"nickname"`}, missing: map[string]string{"links.entitlement": notOfAzure}, ours: []string{"id"}},
		{name: "subscriptions-autorenew", method: http.MethodPatch, path: subscriptionAt(marketplaceCustomer, marketplaceSubscription), at: refundable, must: []string{`"autoRenewEnabled":false`, `"status":"active"`, `"termDuration":"P1M"`, `"etag":""`}},
		{name: "subscriptions-cancel-marketplace", method: http.MethodPatch, path: subscriptionAt(marketplaceCustomer, marketplaceSubscription), at: refundable, must: []string{`"status":"deleted"`, `"autoRenewEnabled":false`, `"etag":""`}},

		{name: "orders-get-po-upload-complete", path: orderAt(purchaseOrderCustomer, "54be297b70ad"), must: []string{`"status":"po_upload_complete"`, `"billingCycle":"annual"`, `"client":{}`}},
		{name: "orders-provisioningstatus", path: orderAt(purchaseOrderCustomer, "54be297b70ad") + "/provisioningstatus", must: []string{`"status":"fulfilled"`}, ours: []string{"items[].quantityProvisioningInformation[].quantity"}},
		{name: "orders-lineitem-activationlinks", path: orderAt(activationCustomer, "03fb46b3-bf8c-49aa-b908-ca2e93bcc04a") + "/lineitems/0/activationlinks", must: []string{`"totalCount":1,`, `"lineItemNumber":0`, `/orders/03fb46b3-bf8c-49aa-b908-ca2e93bcc04a/lineitems/0/activationlinks"`}},
		{name: "subscriptions-get", path: subscriptionAt(documented, "A356AC8C-E310-44F4-BF85-C7F29044AF99"), must: []string{`"offerId":"MS-AZR-0145P","offerName":"Microsoft Azure","friendlyName":"Microsoft Azure","quantity":1,"unitType":"Usage-based","creationDate":"2016-05-10T07:30:05.427Z","effectiveStartDate":"2016-05-10T00:00:00Z"`, `"commitmentEndDate":"9999-`, `"billingType":"usage"`, `"/offers/MS-AZR-0145P?country=US"`, `"orderId":"B23FDEDD-D6BD-415A-8B71-3624C81C9644"`}},
		{name: "subscriptions-list", path: "/v1/customers/" + documented + "/subscriptions", must: []string{`"totalCount":5,`, `"83ef9d05-4169-4ef9-9657-0e86b1eab1de"`}, ours: []string{"items[].friendlyName"}},
		{name: "subscriptions-list-by-order", path: "/v1/customers/" + documented + "/subscriptions?order_id=6183db3d-6318-4e52-877e-25806e4971be", must: []string{`"totalCount":2,`, `"83ef9d05-4169-4ef9-9657-0e86b1eab1de"`}, missing: map[string]string{"items[].entitlementId": notOfAzure}, ours: []string{"items[].orderId", "items[].autoRenewEnabled"}},
		{name: "subscriptions-addons-list", path: subscriptionAt(documented, "2b7c40d9-85fe-4d16-a3c0-91f6e7d25b48") + "/addons", must: []string{`"totalCount":1,`, `"83ef9d05-4169-4ef9-9657-0e86b1eab1de"`, `"parentSubscriptionId":"2b7c40d9-85fe-4d16-a3c0-91f6e7d25b48"`}, missing: map[string]string{"items[].entitlementId": notOfAzure}, ours: []string{"items[].autoRenewEnabled"}},
		{name: "subscriptions-provisioningstatus", path: subscriptionAt(documented, "1C2B75C1-74A5-472A-A729-7F8CEFC477F9") + "/provisioningstatus", must: []string{`"status":"success","quantity":5,`}, ours: []string{"endDate", "skuId"}},
		{name: "customers-company-profile", path: "/v1/customers/" + documented + "/profiles/company", must: []string{`"tenantId":"4d3cf487-70f4-4e1e-9ff1-b2bfce8d9f04"`, `"uri":"/customers/4d3cf487-70f4-4e1e-9ff1-b2bfce8d9f04/profiles/company"`}, ours: []string{"domain", "companyName", "address.addressLine1", "address.phoneNumber", "email"}},
		{name: "customers-billing-profile", path: "/v1/customers/" + documented + "/profiles/billing", must: []string{`"culture":"en-US"`}, ours: []string{"id", "firstName", "lastName", "email", "companyName", "defaultAddress.addressLine1", "defaultAddress.firstName", "defaultAddress.lastName", "defaultAddress.phoneNumber"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := a.Reset(); err != nil {
				t.Fatal(err)
			}
			if !tt.at.IsZero() {
				a.Clock().Set(tt.at)
			}
			if tt.method == "" {
				tt.method = http.MethodGet
			}
			if tt.status == 0 {
				tt.status = http.StatusOK
			}
			body := ""
			if tt.method != http.MethodGet {
				if tt.before != "" {
					a.send(t, tt.method, tt.path, "application/json", tt.before, http.StatusOK)
				}
				request := example(t, tt.name+".request.json")
				request = bytes.ReplaceAll(request, []byte("<subscriptionID>"), []byte(exampleSubscription))
				if bytes.Contains(request, []byte("<etag>")) {
					var current partnercenter.Subscription
					if err := partnercenter.Unmarshal(a.get(t, subscription), &current); err != nil {
						t.Fatal(err)
					}
					tag := *current.Attributes.Etag
					request = bytes.ReplaceAll(request, []byte("<etag>"), []byte(tag))
				}
				body = string(request)
			}
			got := a.send(t, tt.method, tt.path, "application/json", body, tt.status)
			for _, must := range tt.must {
				if !strings.Contains(string(got), must) {
					t.Errorf("%s is missing in %s", must, got)
				}
			}
			want := example(t, tt.name+".response.json")
			holdValues(t, want, got, tt.ours)
			have, found := contracttest.Flatten(t, got), map[string]bool{}
			for key := range contracttest.Flatten(t, want) {
				is := slices.ContainsFunc([]string{key, key + "[]"}, func(k string) bool { return have[k] != nil })
				if why, left := missing(tt.missing, key); left && is {
					t.Errorf("%s is there, though it should not be: %s", key, why)
				} else if !left && !is {
					t.Errorf("the documented %s is missing in %s", key, got)
				} else if left {
					found[why] = true
				}
			}
			for key, why := range tt.missing {
				if !found[why] {
					t.Errorf("the documentation has no %s", key)
				}
			}
		})
	}
}

// TestPlacedOrder places what the documented order is about, as the sample does
// not have it, and reads it back when it is complete.
func TestPlacedOrder(t *testing.T) {
	a := newAPI(t)
	want := example(t, "orders-get.response.json")
	orders := "/v1/customers/" + documented + "/orders"
	placed := a.send(t, http.MethodPost, orders, "application/json", `{"billingCycle":"one_time","lineItems":[{"lineItemNumber":0,"offerId":"DZH318Z0BQ4Z:002L:DZH318Z0CMNP","friendlyName":"Reserved_VM_Instance_Standard_NC12_AU_East_1_Year","quantity":1,"provisioningContext":{"subscriptionId":"A356AC8C-E310-44F4-BF85-C7F29044AF99","scope":"shared","duration":"1Year"}}]}`, http.StatusCreated)
	var order partnercenter.Order
	if err := partnercenter.Unmarshal(placed, &order); err != nil {
		t.Fatal(err)
	}
	a.Clock().Advance(time.Hour)
	holdValues(t, want, a.get(t, orders+"/"+order.ID), []string{"id", "referenceCustomerId"})
}

// madeHere are members whose values come from a server, a clock or a catalog, or
// for which the documentation prints a placeholder, in most answers.
var madeHere = []string{
	"billingType", "commitmentEndDate", "creationDate", "effectiveStartDate", "entitlementId", "etag", "expiresAt",
	"offerName", "publisherName", "totalCount", "unitType", "uri",
}

// holdValues compares the values of an answer with the documented ones, ignoring case
// and surrounding spaces. Members that only this server has differ.
func holdValues(t *testing.T, documented, answer []byte, ours []string) {
	t.Helper()
	spelt := func(v any) string { return strings.ToLower(strings.TrimSpace(fmt.Sprint(v))) }
	have, differ := contracttest.Flatten(t, answer), map[string]bool{}
	for key, values := range contracttest.Flatten(t, documented) {
		for _, value := range values {
			if _, list := value.([]any); list || have[key] == nil {
				continue
			}
			if slices.ContainsFunc(have[key], func(v any) bool { return spelt(v) == spelt(value) }) {
				continue
			}
			differ[key] = true
			if !slices.Contains(madeHere, key[strings.LastIndex(key, ".")+1:]) && !slices.Contains(ours, key) {
				t.Errorf("%s is %v, documented is %v", key, have[key], value)
			}
		}
	}
	for _, key := range ours {
		if !differ[key] {
			t.Errorf("%s is as documented; take it from what is ours", key)
		}
	}
}

// missing finds the reason why a documented key, or one above it, is absent.
func missing(table map[string]string, key string) (why string, left bool) {
	for prefix, why := range table {
		if key == prefix || strings.HasPrefix(key, prefix+".") || strings.HasPrefix(key, prefix+"[]") {
			return why, true
		}
	}
	return "", false
}

// TestCatalogAnswersAreDocumented sends documented requests and compares the members of
// the answers, and the values that are facts rather than texts.
func TestCatalogAnswersAreDocumented(t *testing.T) {
	a := newAPI(t)
	customer := "/v1/customers/" + partnercentertest.CustomerID
	// What the service says about itself, which ours says in its own words.
	texts := []string{"description", "name", "title", "uri", "links", "locale", "rank", "totalCount", "product", "sku"}
	for _, tt := range []struct{ example, path, item string }{
		{"offers-get.response.json", "/v1/offers/031C9E47-4802-4248-838E-778FB1D2CC05?country=US", ""},
		{"offers-list.response.json", "/v1/offers?country=US", "E60E0348-1710-484B-992A-32B294D4CDE1"},
		{"offercategories-list.response.json", "/v1/offercategories?country=US", "Enterprise_Key"},
		{"products-get.response.json", "/v1/products/DZH318Z0BQ3Q?country=US", ""},
		{"products-list.response.json", "/v1/products?country=US&targetView=Azure", "DZH318Z0BQ3Q"},
		{"skus-list.response.json", "/v1/products/DZH318Z0BQ5S/skus?country=US", "0001"},
		{"availabilities-list.response.json", "/v1/products/DZH318Z0BQ3Q/skus/0001/availabilities?country=US&targetSegment=commercial", "DZH318XZXVNF"},
		{"customer-products-get.response.json", customer + "/products/DZH318Z0BPS6", ""},
		{"customer-products-list.response.json", customer + "/products/9DEA7946-EC2C-441E-9FFD-E3B275F7E838/skus", "MS-AZR-0145P"},
		{"customer-products-list.response.json", customer + "/products/DZH318Z0BPS6/skus", "0001"},
		{"customer-skus-get.response.json", customer + "/products/DZH318Z0BPS6/skus/0001", ""},
	} {
		t.Run(tt.example, func(t *testing.T) {
			var want, got map[string]any
			if err := json.Unmarshal(example(t, tt.example), &want); err != nil {
				t.Fatal(err)
			}
			body := a.get(t, tt.path)
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if tt.item != "" {
				for key := range want {
					if got[key] == nil {
						t.Errorf("the collection lacks %s", key)
					}
				}
				want, got = itemOf(t, want, tt.item), itemOf(t, got, tt.item)
			}
			for key, value := range want {
				switch ours, ok := got[key]; {
				case !ok:
					t.Errorf("%s is missing", key)
				case key == "links":
					for name := range value.(map[string]any) {
						if ours.(map[string]any)[name] == nil {
							t.Errorf("the link %s is missing", name)
						}
					}
				case key == "terms":
					if termsDiffer(value.([]any), ours.([]any)) {
						t.Errorf("%s is %v, documented is %v", key, ours, value)
					}
				case !slices.Contains(texts, key) && !reflect.DeepEqual(withoutTexts(value, texts), withoutTexts(ours, texts)):
					t.Errorf("%s is %v, documented is %v", key, ours, value)
				}
			}
		})
	}
}

// itemOf returns a collection's item by its id.
func itemOf(t *testing.T, collection map[string]any, id string) map[string]any {
	t.Helper()
	for _, item := range collection["items"].([]any) {
		if item := item.(map[string]any); item["id"] == id {
			return item
		}
	}
	t.Fatalf("no item %s", id)
	return nil
}

// withoutTexts takes texts out of an object, and null for an empty list.
func withoutTexts(value any, texts []string) any {
	if value == nil {
		return []any{}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	rest := map[string]any{}
	for key, value := range object {
		if !slices.Contains(texts, key) {
			rest[key] = withoutTexts(value, texts)
		}
	}
	return rest
}

// termsDiffer reports whether terms differ in the members that the documented ones
// have. The later edition adds others.
func termsDiffer(documented, ours []any) (differ bool) {
	for i, term := range documented {
		for key, value := range term.(map[string]any) {
			differ = differ || i >= len(ours) || !reflect.DeepEqual(ours[i].(map[string]any)[key], value)
		}
	}
	return differ || len(ours) != len(documented)
}

// TestInventoryAnswerIsDocumented asks for what the documentation asks for. Only
// the words of the restrictions are ours.
func TestInventoryAnswerIsDocumented(t *testing.T) {
	body := newAPI(t).send(t, http.MethodPost, "/v1/extensions/product/checkinventory?country=US", "application/json", string(example(t, "inventory-check.request.json")), http.StatusOK)
	var want, got []any
	for _, list := range []struct {
		data []byte
		into *[]any
	}{{example(t, "inventory-check.response.json"), &want}, {body, &got}} {
		if err := json.Unmarshal(list.data, list.into); err != nil {
			t.Fatal(err)
		}
		for i := range *list.into {
			for _, restriction := range (*list.into)[i].(map[string]any)["restrictions"].([]any) {
				delete(restriction.(map[string]any), "description")
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

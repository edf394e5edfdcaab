package partnercenter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// examples are the documented payloads that this package's types cover.
var examples = map[string]func() any{
	"orders-list.seed.json":                             newOf[partnercenter.Collection[*partnercenter.Order]],
	"orders-list.response.json":                         newOf[partnercenter.Collection[*partnercenter.Order]],
	"orders-get.response.json":                          newOf[partnercenter.Order],
	"orders-get-po-upload-complete.response.json":       newOf[partnercenter.Order],
	"orders-create.request.json":                        newOf[partnercenter.Order],
	"orders-create.response.json":                       newOf[partnercenter.Order],
	"orders-patch-billing-cycle.request.json":           newOf[partnercenter.Order],
	"orders-patch-billing-cycle.response.json":          newOf[partnercenter.Order],
	"orders-patch-addon.request.json":                   newOf[partnercenter.Order],
	"orders-patch-addon.response.json":                  newOf[partnercenter.Order],
	"orders-cancel-sandbox.request.json":                newOf[partnercenter.Order],
	"orders-cancel-sandbox.response.json":               newOf[partnercenter.Order],
	"orders-provisioningstatus.response.json":           newOf[partnercenter.Collection[*partnercenter.OrderLineItemProvisioningStatus]],
	"orders-lineitem-activationlinks.response.json":     newOf[partnercenter.Collection[*partnercenter.OrderLineItemActivationLink]],
	"orders-attachment-metadata.request.json":           newOf[partnercenter.AttachmentMetadata],
	"orders-attachment-upload.response.json":            newOf[partnercenter.Collection[*partnercenter.OrderAttachment]],
	"subscriptions-list.response.json":                  newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-list-by-order.response.json":         newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-get.response.json":                   newOf[partnercenter.Subscription],
	"subscriptions-addons-list.response.json":           newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-patch-quantity.request.json":         newOf[partnercenter.Subscription],
	"subscriptions-patch-quantity.response.json":        newOf[partnercenter.Subscription],
	"subscriptions-suspend.request.json":                newOf[partnercenter.Subscription],
	"subscriptions-suspend.response.json":               newOf[partnercenter.Subscription],
	"subscriptions-reactivate.request.json":             newOf[partnercenter.Subscription],
	"subscriptions-reactivate.response.json":            newOf[partnercenter.Subscription],
	"subscriptions-autorenew.request.json":              newOf[partnercenter.Subscription],
	"subscriptions-autorenew.response.json":             newOf[partnercenter.Subscription],
	"subscriptions-nickname.request.json":               newOf[partnercenter.Subscription],
	"subscriptions-nickname.response.json":              newOf[partnercenter.Subscription],
	"subscriptions-cancel-marketplace.request.json":     newOf[partnercenter.Subscription],
	"subscriptions-cancel-marketplace.response.json":    newOf[partnercenter.Subscription],
	"subscriptions-provisioningstatus.response.json":    newOf[partnercenter.SubscriptionProvisioningStatus],
	"subscriptions-activate-sandbox.response.json":      newOf[partnercenter.SubscriptionActivationResult],
	"customers-list.response.json":                      newOf[partnercenter.Collection[*partnercenter.Customer]],
	"customers-list-by-indirect-reseller.response.json": newOf[partnercenter.Collection[*partnercenter.Customer]],
	"customers-get.response.json":                       newOf[partnercenter.Customer],
	"customers-create.request.json":                     newOf[partnercenter.Customer],
	"customers-create.response.json":                    newOf[partnercenter.Customer],
	"customers-remove-relationship.request.json":        newOf[partnercenter.Customer],
	"customers-remove-relationship.response.json":       newOf[partnercenter.Customer],
	"customers-company-profile.response.json":           newOf[partnercenter.CustomerCompanyProfile],
	"customers-billing-profile.response.json":           newOf[partnercenter.CustomerBillingProfile],
	"customers-billing-profile-update.request.json":     newOf[partnercenter.CustomerBillingProfile],
	"customers-billing-profile-update.response.json":    newOf[partnercenter.CustomerBillingProfile],
	"customers-relationshiprequest.response.json":       newOf[partnercenter.CustomerRelationshipRequest],
	"relationships-indirect-resellers.response.json":    newOf[partnercenter.Collection[*partnercenter.PartnerRelationship]],
	"paging-index.response.json":                        newOf[partnercenter.Collection[map[string]any]],
	"paging-seek-first-page.response.json":              newOf[partnercenter.Collection[map[string]any]],
	"paging-seek-last-page.response.json":               newOf[partnercenter.Collection[map[string]any]],
	"error-400-2000-both-ids.response.json":             newOf[partnercenter.ErrorBody],
	"error-400-2000-tenant-not-guid.response.json":      newOf[partnercenter.ErrorBody],
	"error-400-2001-no-id.response.json":                newOf[partnercenter.ErrorBody],
	"error-400-2200-mpn-not-migrated.response.json":     newOf[partnercenter.ErrorBody],
	"error-400-2201-region-mismatch.response.json":      newOf[partnercenter.ErrorBody],
	"error-400-2204-no-reseller-account.response.json":  newOf[partnercenter.ErrorBody],
	"error-400-2206-tenant-mpa-unsigned.response.json":  newOf[partnercenter.ErrorBody],
	"error-404-3000-partner-not-found.response.json":    newOf[partnercenter.ErrorBody],
	"error-429-gateway.response.json":                   newOf[partnercenter.ErrorBody],
	"error-600061-agreement-exists.response.json":       newOf[partnercenter.ErrorBody],
	"offers-get.response.json":                          newOf[partnercenter.Offer],
	"offers-list.response.json":                         newOf[partnercenter.Collection[*partnercenter.Offer]],
	"offercategories-list.response.json":                newOf[partnercenter.Collection[*partnercenter.OfferCategory]],
	"products-get.response.json":                        newOf[partnercenter.Product],
	"products-list.response.json":                       newOf[partnercenter.Collection[*partnercenter.Product]],
	"skus-list.response.json":                           newOf[partnercenter.Collection[*partnercenter.SKU]],
	"availabilities-list.response.json":                 newOf[partnercenter.Collection[*partnercenter.Availability]],
	"customer-products-get.response.json":               newOf[partnercenter.Product],
	"customer-products-list.response.json":              newOf[partnercenter.Collection[*partnercenter.SKU]], // SKUs, under a page about products
	"customer-skus-get.response.json":                   newOf[partnercenter.SKU],
	"inventory-check.request.json":                      newOf[partnercenter.InventoryCheckRequest],
	"inventory-check.response.json":                     newOf[[]partnercenter.InventoryItem],
}

func newOf[T any]() any { return new(T) }

// TestExamplesRoundTrip decodes and encodes every documented payload of these
// types, through this package's functions and through encoding/json where the
// type says it works with it. Answers must come back as equal JSON values.
// Payloads printed in PascalCase or with nulls, which is what clients send,
// come back in camelCase and without the nulls.
func TestExamplesRoundTrip(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		t.Run(name, func(t *testing.T) {
			data := contracttest.Example(t, name)
			var want any
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			want = canonical(want)
			value := examples[name]()
			if err := partnercenter.Unmarshal(data, value); err != nil {
				t.Fatal(err)
			}
			encoded, err := partnercenter.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			compareJSON(t, "partnercenter", want, encoded)

			if strings.HasPrefix(name, "orders-attachment-metadata") || strings.Contains(name, "subscriptions-provisioning") || strings.Contains(name, "subscriptions-activate") || strings.Contains(name, "-profile") || strings.Contains(name, "relationshiprequest") || strings.HasPrefix(name, "inventory-") {
				return // types that encoding/json does not know by themselves
			}
			value = examples[name]()
			if err := json.Unmarshal(data, value); err != nil {
				t.Fatal(err)
			}
			if encoded, err = json.Marshal(value); err != nil {
				t.Fatal(err)
			}
			compareJSON(t, "encoding/json", want, encoded)
		})
	}
}

// TestExamplesAreCovered fails when the contract gains a payload of these
// areas that no type here decodes.
func TestExamplesAreCovered(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(contracttest.Dir(t), "examples", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		area, _, _ := strings.Cut(name, "-")
		if slices.Contains([]string{"orders", "customers", "relationships", "error", "paging", "offers", "offercategories", "products", "skus", "availabilities", "customer", "inventory"}, area) && examples[name] == nil {
			t.Errorf("%s has no type", name)
		}
	}
}

func compareJSON(t *testing.T, how string, want any, encoded []byte) {
	t.Helper()
	var got any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatalf("%s wrote no JSON: %v", how, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: the value changed (-documented +encoded):\n%s", how, diff)
	}
}

// canonical takes nulls away and writes PascalCase keys in camelCase.
func canonical(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			if value == nil {
				continue
			}
			if key == "dynamicAttributes" { // any JSON, null included
				out[key] = value
				continue
			}
			if key == "isPartofTender" { // both spellings are documented
				key = "isPartOfTender"
			}
			out[lowerFirst(key)] = canonical(value)
		}
		return out
	}
	return v
}

func lowerFirst(key string) string {
	r := []rune(key)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}

func TestSeedAnswerKeepsFieldOrder(t *testing.T) {
	data := contracttest.Example(t, "orders-list.seed.json")
	var page partnercenter.Collection[*partnercenter.Order]
	if err := partnercenter.Unmarshal(data, &page); err != nil {
		t.Fatal(err)
	}
	got, err := partnercenter.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, data); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownMembersSurvive(t *testing.T) {
	in := `{"id":"x","lineItems":[{"lineItemNumber":0,"new":{"a":[1,2.50]}}],"status":"teleported","links":{"self":{"uri":"/x","rel":"me"},"other":{"uri":"/y"}},"attributes":{"objectType":"Order","x":null},"later":"kept"}`
	var o partnercenter.Order
	if err := partnercenter.Unmarshal([]byte(in), &o); err != nil {
		t.Fatal(err)
	}
	if o.Status != "teleported" || o.Links.Self.URI != "/x" {
		t.Errorf("known members were lost: %+v", o)
	}
	out, err := partnercenter.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != in {
		t.Errorf("got  %s\nwant %s", out, in)
	}
}

func TestTime(t *testing.T) {
	for _, tt := range []struct{ text, instant string }{
		{"2018-03-15T02:17:15.6455674Z", "2018-03-15T02:17:15.6455674Z"},
		{"2018-03-06T17:37:05.253-08:00", "2018-03-07T01:37:05.253Z"},
		{"2018-03-15T22:30:02.085152Z", "2018-03-15T22:30:02.085152Z"},
		{"2017-01-25T14:53:12.09+00:00", "2017-01-25T14:53:12.09Z"},
		{"2017-01-25T14:53:12Z", "2017-01-25T14:53:12Z"},
		{"2017-01-25T14:53:12.123456789Z", "2017-01-25T14:53:12.123456789Z"},
		{"2017-01-25T14:53:12", "2017-01-25T14:53:12Z"},
		{"2017-01-25T14:53:12.5", "2017-01-25T14:53:12.5Z"},
		{"2017-01-25", "2017-01-25T00:00:00Z"},
		{"2015-11-25T06: 41: 12Z", "2015-11-25T06:41:12Z"},
		{"6/1/2017 12:00:00 AM", "2017-06-01T00:00:00Z"},
		{"06/01/2017 00:00:00", "2017-06-01T00:00:00Z"},
		{"9999-12-14T00:00:00Z", "9999-12-14T00:00:00Z"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			want, err := time.Parse(time.RFC3339Nano, tt.instant)
			if err != nil {
				t.Fatal(err)
			}
			var o partnercenter.Order
			in := fmt.Sprintf(`{"creationDate":%q}`, tt.text)
			if err := partnercenter.Unmarshal([]byte(in), &o); err != nil {
				t.Fatal(err)
			}
			if got := o.CreationDate.Time(); !got.Equal(want) {
				t.Errorf("instant %v, want %v", got, want)
			}
			if out, err := partnercenter.Marshal(o); err != nil || string(out) != in {
				t.Errorf("encoded as %s, %v", out, err)
			}
			parsed, err := partnercenter.ParseTime(tt.text)
			if err != nil || !parsed.Equal(o.CreationDate) || parsed.Never() != (want.Year() == 9999) {
				t.Errorf("ParseTime: %v, %v", parsed, err)
			}
		})
	}
	var unset partnercenter.Order
	if err := partnercenter.Unmarshal([]byte(`{"creationDate":"0001-01-01T00:00:00"}`), &unset); err != nil || !unset.CreationDate.Time().IsZero() {
		t.Errorf("the unset date is %v, %v", unset.CreationDate.Time(), err)
	}
	var odd partnercenter.Order
	if err := partnercenter.Unmarshal([]byte(`{"creationDate":"soon"}`), &odd); err != nil || odd.CreationDate.Valid() || odd.CreationDate.String() != "soon" {
		t.Errorf("an unreadable date must not cost the order: %v, %v", odd.CreationDate, err)
	}
	if _, err := partnercenter.ParseTime("soon"); err == nil {
		t.Error("ParseTime took nonsense")
	}
	a, b := partnercenter.TimeOf(time.Date(2018, 3, 6, 17, 37, 5, 253e6, time.FixedZone("", -8*3600))), mustTime(t, "2018-03-07T01:37:05.253Z")
	if a.String() != "2018-03-06T17:37:05.253-08:00" || !a.Equal(b) || a.Before(b) {
		t.Errorf("%v against %v", a, b)
	}
}

func mustTime(t *testing.T, text string) partnercenter.Time {
	t.Helper()
	at, err := partnercenter.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDecimal(t *testing.T) {
	for _, text := range []string{"0", "24606.35", "0.1999968000511991808131", "-4", "1e2", "12345678901234567890.01"} {
		var p partnercenter.Pricing
		in := `{"price":` + text + `}`
		if err := partnercenter.Unmarshal([]byte(in), &p); err != nil {
			t.Fatal(err)
		}
		if out, err := partnercenter.Marshal(p); err != nil || string(out) != in {
			t.Errorf("%s became %s, %v", in, out, err)
		}
		if _, err := p.Price.Rat(); err != nil {
			t.Error(err)
		}
	}
	if partnercenter.Decimal("1.50").Compare("1.5") != 0 || partnercenter.Decimal("2").Compare("10") != -1 || partnercenter.Decimal("").Compare("0") != -1 {
		t.Error("amounts compare by value")
	}
	for _, text := range []string{"", "1/3", "0x10", "1e999999999", "NaN", "1 000", strings.Repeat("9", 100)} {
		if _, err := partnercenter.Decimal(text).Rat(); err == nil {
			t.Errorf("%q is taken for an amount", text)
		}
		if text == "" {
			continue
		}
		if out, err := partnercenter.Marshal(partnercenter.Pricing{Price: partnercenter.Decimal(text)}); err == nil {
			t.Errorf("%q is written as %s", text, out)
		}
	}
}

func TestOpenEnums(t *testing.T) {
	for text, want := range map[string]partnercenter.BillingCycleType{
		`"one_time"`: partnercenter.BillingCycleOneTime, `"OneTime"`: partnercenter.BillingCycleOneTime,
		`"oneTime"`: partnercenter.BillingCycleOneTime, `"onetime"`: partnercenter.BillingCycleOneTime,
		`4`: partnercenter.BillingCycleOneTime, `"4"`: partnercenter.BillingCycleOneTime,
		`"Annual"`: partnercenter.BillingCycleAnnual, `"quarterly"`: "quarterly", `null`: "", `9`: "9",
	} {
		var o partnercenter.Order
		if err := partnercenter.Unmarshal([]byte(`{"billingCycle":`+text+`}`), &o); err != nil {
			t.Fatal(err)
		}
		if got := o.BillingCycle.Normalize(); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
		if known := o.BillingCycle.Known(); known != slices.Contains(partnercenter.BillingCycles(), want) {
			t.Errorf("%s: Known is %v", text, known)
		}
	}
	if got := partnercenter.OrderStatus("Pending").Normalize(); got != partnercenter.OrderStatusPending {
		t.Errorf("Pending is %q", got)
	}
	if partnercenter.OrderStatus("canceled").Normalize() == partnercenter.OrderStatusCancelled {
		t.Error("only the documented spelling of cancelled is one")
	}
}

func TestByteOrderMark(t *testing.T) {
	var o partnercenter.Order
	if err := partnercenter.Unmarshal([]byte("\ufeff{\"id\":\"x\"}"), &o); err != nil || o.ID != "x" {
		t.Errorf("%+v, %v", o, err)
	}
}

func FuzzUnmarshalOrders(f *testing.F) {
	f.Add([]byte(`{"totalCount":1,"items":[{"id":"x","lineItems":[{"quantity":1,"renewsTo":[{"termDuration":"P1M"}]}],"creationDate":"2018-03-15T02:17:15.6455674Z","totalPrice":1.5}]}`))
	f.Add([]byte("\ufeff{\"Items\":[null,{\"BillingCycle\":4}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second partnercenter.Collection[*partnercenter.Order]
		if partnercenter.Unmarshal(data, &first) != nil {
			return
		}
		encoded, err := partnercenter.Marshal(first)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		if err := partnercenter.Unmarshal(encoded, &second); err != nil {
			t.Fatalf("encoded as %s, which cannot be decoded: %v", encoded, err)
		}
		again, err := partnercenter.Marshal(second)
		if err != nil || string(again) != string(encoded) {
			t.Fatalf("%s became %s, %v", encoded, again, err)
		}
	})
}

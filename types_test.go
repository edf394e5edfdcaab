package partnercenter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// payloadTypes are the types of payloads, by the names that the contract's
// document has for them.
var payloadTypes = map[string]func() any{
	"OrderCollection": newOf[partnercenter.Collection[*partnercenter.Order]],
	"Order":           newOf[partnercenter.Order],
	"OrderRequest":    newOf[partnercenter.Order],
	"OrderLineItemProvisioningStatusCollection": newOf[partnercenter.Collection[*partnercenter.OrderLineItemProvisioningStatus]],
	"OrderLineItemActivationLinkCollection":     newOf[partnercenter.Collection[*partnercenter.OrderLineItemActivationLink]],
	"AttachmentMetadata":                        newOf[partnercenter.AttachmentMetadata],
	"OrderAttachmentCollection":                 newOf[partnercenter.Collection[*partnercenter.OrderAttachment]],
	"Cart":                                      newOf[partnercenter.Cart],
	"CartRequest":                               newOf[partnercenter.Cart],
	"CartCheckoutResult":                        newOf[partnercenter.CartCheckoutResult],
	"SubscriptionCollection":                    newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"Subscription":                              newOf[partnercenter.Subscription],
	"SubscriptionRequest":                       newOf[partnercenter.Subscription],
	"SubscriptionProvisioningStatus":            newOf[partnercenter.SubscriptionProvisioningStatus],
	"SubscriptionRegistrationStatus":            newOf[partnercenter.SubscriptionRegistrationStatus],
	"SubscriptionActivationResult":              newOf[partnercenter.SubscriptionActivationResult],
	"TransitionEligibilityCollection":           newOf[partnercenter.Collection[*partnercenter.TransitionEligibility]],
	"TransitionCollection":                      newOf[partnercenter.Collection[*partnercenter.Transition]],
	"Transition":                                newOf[partnercenter.Transition],
	"TransitionRequest":                         newOf[partnercenter.Transition],
	"UpgradeCollection":                         newOf[partnercenter.Collection[*partnercenter.Upgrade]],
	"UpgradeRequest":                            newOf[partnercenter.Upgrade],
	"UpgradeResult":                             newOf[partnercenter.UpgradeResult],
	"ConversionCollection":                      newOf[partnercenter.Collection[*partnercenter.Conversion]],
	"ConversionRequest":                         newOf[partnercenter.Conversion],
	"ConversionResult":                          newOf[partnercenter.ConversionResult],
	"SupportContact":                            newOf[partnercenter.SupportContact],
	"SupportContactRequest":                     newOf[partnercenter.SupportContact],
	"AzureEntitlement":                          newOf[partnercenter.AzureEntitlement],
	"AzureEntitlementCollection":                newOf[partnercenter.Collection[*partnercenter.AzureEntitlement]],
	"AzureEntitlementCancellation":              newOf[partnercenter.AzureEntitlementCancellation],
	"[]TransferEligibility":                     newOf[[]partnercenter.TransferEligibility],
	"Overage":                                   newOf[partnercenter.Overage],
	"OverageRequest":                            newOf[partnercenter.Overage],
	"OverageCollection":                         newOf[partnercenter.Collection[*partnercenter.Overage]],
	"CustomTermEndDateCollection":               newOf[partnercenter.Collection[*partnercenter.CustomTermEndDate]],
	"EntitlementCollection":                     newOf[partnercenter.Collection[*partnercenter.Entitlement]],
	"Promotion":                                 newOf[partnercenter.Promotion],
	"PromotionCollection":                       newOf[partnercenter.Collection[*partnercenter.Promotion]],
	"PromotionEligibilitiesRequest":             newOf[partnercenter.PromotionEligibilitiesRequest],
	"PromotionEligibilitiesCollection":          newOf[partnercenter.Collection[*partnercenter.PromotionEligibilities]],
	"ProductUpgradeRequest":                     newOf[partnercenter.ProductUpgradeRequest],
	"ProductUpgradesEligibility":                newOf[partnercenter.ProductUpgradesEligibility],
	"ProductUpgradesStatus":                     newOf[partnercenter.ProductUpgradesStatus],
	"CustomerCollection":                        newOf[partnercenter.Collection[*partnercenter.Customer]],
	"Customer":                                  newOf[partnercenter.Customer],
	"CustomerCompanyProfile":                    newOf[partnercenter.CustomerCompanyProfile],
	"CustomerBillingProfile":                    newOf[partnercenter.CustomerBillingProfile],
	"CustomerRelationshipRequest":               newOf[partnercenter.CustomerRelationshipRequest],
	"PartnerRelationshipCollection":             newOf[partnercenter.Collection[*partnercenter.PartnerRelationship]],
	"ApplicationConsent":                        newOf[partnercenter.ApplicationConsent],
	"OfferCollection":                           newOf[partnercenter.Collection[*partnercenter.Offer]],
	"Offer":                                     newOf[partnercenter.Offer],
	"OfferCategoryCollection":                   newOf[partnercenter.Collection[*partnercenter.OfferCategory]],
	"ProductCollection":                         newOf[partnercenter.Collection[*partnercenter.Product]],
	"Product":                                   newOf[partnercenter.Product],
	"SkuCollection":                             newOf[partnercenter.Collection[*partnercenter.SKU]],
	"Sku":                                       newOf[partnercenter.SKU],
	"AvailabilityCollection":                    newOf[partnercenter.Collection[*partnercenter.Availability]],
	"Availability":                              newOf[partnercenter.Availability],
	"InventoryCheckRequest":                     newOf[partnercenter.InventoryCheckRequest],
	"[]InventoryItem":                           newOf[[]partnercenter.InventoryItem],
	"Error":                                     newOf[partnercenter.ErrorBody],
	"GatewayError":                              newOf[partnercenter.ErrorBody],
	"AgreementError":                            newOf[partnercenter.ErrorBody],
}

func newOf[T any]() any { return new(T) }

// notByEncodingJSON are the types that encoding/json does not know by
// themselves.
var notByEncodingJSON = []string{
	"AttachmentMetadata", "SubscriptionProvisioningStatus", "SubscriptionRegistrationStatus", "SubscriptionActivationResult",
	"CustomerCompanyProfile", "CustomerBillingProfile", "CustomerRelationshipRequest", "ApplicationConsent", "InventoryCheckRequest", "[]InventoryItem", "Promotion", "PromotionEligibilitiesRequest", "Overage", "OverageRequest",
	"SupportContact", "SupportContactRequest", "AzureEntitlement", "AzureEntitlementCancellation", "[]TransferEligibility",
	"ProductUpgradeRequest", "ProductUpgradesEligibility", "ProductUpgradesStatus",
}

// TestPayloadsRoundTrip decodes and encodes every payload. An equal JSON value
// has to come back, and no payload is empty.
func TestPayloadsRoundTrip(t *testing.T) {
	for _, p := range contracttest.Payloads(t) {
		name, _ := p.Type(t)
		if strings.HasPrefix(name, "TokenResponse") {
			continue // identity libraries read those
		}
		t.Run(p.Name, func(t *testing.T) {
			if payloadTypes[name] == nil {
				t.Fatalf("no type for %s", name)
			}
			value := payloadTypes[name]()
			if err := partnercenter.Unmarshal(p.Data, value); err != nil || reflect.ValueOf(value).Elem().IsZero() {
				t.Errorf("it says nothing (%v)", err)
			}
			contracttest.RoundTrip(t, p.Data, payloadTypes[name], !slices.Contains(notByEncodingJSON, name))
		})
	}
}

// TestPayloadsHaveEveryMember shows that the payloads leave no member of the
// types out.
func TestPayloadsHaveEveryMember(t *testing.T) {
	set := map[string]bool{} // Type.Field, whether any payload has it
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			walk(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			name, _, _ := strings.Cut(v.Type().Name(), "[")
			for i := range v.NumField() {
				field := v.Type().Field(i)
				if !field.IsExported() || field.Name == "Extra" {
					continue
				}
				member, is := name+"."+field.Name, !v.Field(i).IsZero()
				if set[member] = set[member] || is; is {
					walk(v.Field(i))
				}
			}
		}
	}
	for _, p := range contracttest.Payloads(t) {
		name, _ := p.Type(t)
		if payloadTypes[name] == nil || p.Odd {
			continue
		}
		value := payloadTypes[name]()
		if err := partnercenter.Unmarshal(p.Data, value); err != nil {
			t.Fatal(err)
		}
		walk(reflect.ValueOf(value))
	}
	for member, is := range set {
		if !is {
			t.Errorf("no payload has %s; put it into one of internal/contract/testdata", member)
		}
	}
}

func TestSeedAnswerKeepsFieldOrder(t *testing.T) {
	data := contracttest.ReadPayload(t, "orders-list.seed.json")
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
	if partnercenter.Decimal("1.50").Cmp("1.5") != 0 || partnercenter.Decimal("2").Cmp("10") != -1 || partnercenter.Decimal("").Cmp("0") != -1 {
		t.Error("amounts compare by value")
	}
	// Numbers too long to calculate with are kept.
	for _, text := range []string{"1e999999999", "1E-1000", strings.Repeat("9", 100), "0." + strings.Repeat("3", 63)} {
		var o partnercenter.Order
		in := `{"id":"o","totalPrice":` + text + `}`
		if err := partnercenter.Unmarshal([]byte(in), &o); err != nil {
			t.Fatal(err)
		}
		if out, err := partnercenter.Marshal(o); err != nil || string(out) != in {
			t.Errorf("%s became %s, %v", in, out, err)
		}
		if _, err := o.TotalPrice.Rat(); err == nil || !strings.HasPrefix(err.Error(), "partnercenter: ") {
			t.Errorf("%s can be calculated with: %v", text, err)
		}
		if _, err := o.TotalPrice.Add("1"); err == nil || !strings.HasPrefix(err.Error(), "partnercenter: ") {
			t.Errorf("%s + 1: %v", text, err)
		}
		if o.TotalPrice.Cmp("0") != -1 {
			t.Errorf("%s is not below the amounts", text)
		}
	}
	for _, text := range []string{"", "1/3", "0x10", "NaN", "1 000", " 1", "1\n", "+1", "01"} {
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
		`"one_time"`: partnercenter.BillingCycleTypeOneTime, `"OneTime"`: partnercenter.BillingCycleTypeOneTime,
		`"oneTime"`: partnercenter.BillingCycleTypeOneTime, `"onetime"`: partnercenter.BillingCycleTypeOneTime,
		`4`: partnercenter.BillingCycleTypeOneTime, `"4"`: partnercenter.BillingCycleTypeOneTime,
		`"Annual"`: partnercenter.BillingCycleTypeAnnual, `"quarterly"`: "quarterly", `null`: "", `9`: "9",
	} {
		var o partnercenter.Order
		if err := partnercenter.Unmarshal([]byte(`{"billingCycle":`+text+`}`), &o); err != nil {
			t.Fatal(err)
		}
		if got := o.BillingCycle.Normalize(); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
		if known := o.BillingCycle.Known(); known != slices.Contains(partnercenter.BillingCycleTypes(), want) {
			t.Errorf("%s: Known is %v", text, known)
		}
	}
	if got := partnercenter.FilterOperator("10").Normalize(); got != partnercenter.FilterOperatorNotStartsWith {
		t.Errorf("operator 10 is %q", got)
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

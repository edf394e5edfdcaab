package partnercenter_test

import (
	"encoding/json"
	"strings"
	"testing"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
)

// TestEmptyMembersAreKept reads resources with null and empty members, by every way to
// decode, and expects them in what is written again.
func TestEmptyMembersAreKept(t *testing.T) {
	t.Parallel()
	ways := []struct {
		name string
		read func([]byte, any) error
		back func(any) ([]byte, error)
	}{
		{"partnercenter", partnercenter.Unmarshal, partnercenter.Marshal},
		{"encoding/json", json.Unmarshal, json.Marshal},
		{"json v2", func(data []byte, v any) error { return json2.Unmarshal(data, v) }, func(v any) ([]byte, error) { return json2.Marshal(v) }},
	}
	tests := []struct {
		name  string
		value func() any
		text  string
		want  string // if it differs from text
	}{
		{"order", newOf[partnercenter.Order], `{"id":"o","currencyCode":"","creationDate":null,"status":"","totalPrice":null,"links":null}`, ""},
		{"unknown members", newOf[partnercenter.Order], `{"id":"o","alternateId":"","someday":{"a":null},"later":""}`,
			`{"id":"o","someday":{"a":null},"later":"","alternateId":""}`},
		{"lines", newOf[partnercenter.Order], `{"lineItems":[{"offerId":"a"},{"offerId":"","friendlyName":"","pricing":{"listPrice":null},"links":{"sku":null}}]}`, ""},
		{"another case", newOf[partnercenter.Order], `{"ID":"o","Billing_Cycle":"","LineItems":[{"PromotionId":null}]}`,
			`{"id":"o","lineItems":[{"promotionId":null}],"billingCycle":""}`},
		{"list", newOf[partnercenter.Collection[*partnercenter.Order]], `{"totalCount":1,"items":[{"id":"o","transactionType":""}],"links":null}`, ""},
		{"list of nothing", newOf[partnercenter.Collection[*partnercenter.Order]], `{"totalCount":0,"items":null}`, ""},
		{"subscription", newOf[partnercenter.Subscription], `{"id":"s","friendlyName":"","renewalTermDuration":"","scheduledNextTermInstructions":null,"unitType":null}`, ""},
		{"profile", newOf[partnercenter.Customer], `{"id":"c","billingProfile":{"firstName":"","defaultAddress":{"city":"","region":null}}}`, ""},
		{"items that are null", newOf[partnercenter.Order], `{"lineItems":[{"renewsTo":[]}]}`, `{"lineItems":[{"renewsTo":{}}]}`},
		{"renewal of an array", newOf[partnercenter.Order], `{"lineItems":[{"renewsTo":[{"termDuration":""}]},{"renewsTo":[{"termDuration":null,"later":""}]}]}`,
			`{"lineItems":[{"renewsTo":{"termDuration":""}},{"renewsTo":{"termDuration":null,"later":""}}]}`},
		{"one action", newOf[partnercenter.Subscription], `{"scheduledActions":{"effectiveDate":null,"instructions":{"product":{"skuId":""},"quantity":null}}}`,
			`{"scheduledActions":[{"effectiveDate":null,"instructions":{"product":{"skuId":""},"quantity":null}}]}`},
		{"actions", newOf[partnercenter.Subscription], `{"scheduledActions":[{"effectiveDate":null},{"actionType":""}]}`, ""},
		{"error", newOf[partnercenter.ErrorBody], `{"code":"1","description":"","source":null}`, `{"code":1,"description":"","source":null}`},
	}
	for _, test := range tests {
		for _, way := range ways {
			t.Run(test.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				value := test.value()
				if err := way.read([]byte(test.text), value); err != nil {
					t.Fatal(err)
				}
				got, err := way.back(value)
				if err != nil {
					t.Fatal(err)
				}
				want := test.want
				if want == "" {
					want = test.text
				}
				if !equalJSON(t, string(got), want) {
					t.Errorf("%s\nbecame %s\n  want %s", test.text, got, want)
				}
			})
		}
	}
}

// TestEmptyMembersOfConsents are types without methods of their own: package
// partnercenter decodes them.
func TestEmptyMembersOfConsents(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"applicationId":"","displayName":null,"applicationGrants":null}`,
		`{"applicationId":"a","applicationGrants":[{"enterpriseApplicationId":"e","scope":""},{"scope":null}]}`,
		`{"applicationGrants":[]}`,
	} {
		consent := new(partnercenter.ApplicationConsent)
		if err := partnercenter.Unmarshal([]byte(text), consent); err != nil {
			t.Fatal(err)
		}
		if got, err := partnercenter.Marshal(consent); err != nil || !equalJSON(t, string(got), text) {
			t.Errorf("%s became %s, %v", text, got, err)
		}
	}
}

func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	left, right := jsontext.Value(a), jsontext.Value(b)
	if err := left.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	if err := right.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	return string(left) == string(right)
}

// TestSetFieldsOverrideEmptyMembers sets fields that were read as empty.
func TestSetFieldsOverrideEmptyMembers(t *testing.T) {
	t.Parallel()
	list := new(partnercenter.Collection[*partnercenter.Order])
	text := `{"totalCount":1,"items":[{"id":"o","status":"","currencyCode":null,"lineItems":[{"offerId":"","friendlyName":""}]}]}`
	if err := partnercenter.Unmarshal([]byte(text), list); err != nil {
		t.Fatal(err)
	}
	order := list.Items[0]
	order.Status = partnercenter.OrderStatusPending
	order.LineItems[0].OfferID = "a \"quoted\" <offer>"
	const want = `{"totalCount":1,"items":[{"id":"o","status":"pending","currencyCode":null,"lineItems":[{"offerId":"a \"quoted\" <offer>","friendlyName":""}]}]}`
	for name, back := range map[string]func(any) ([]byte, error){
		"partnercenter": partnercenter.Marshal, "encoding/json": json.Marshal,
		"json v2": func(v any) ([]byte, error) { return json2.Marshal(v) },
	} {
		if got, err := back(list); err != nil || !equalJSON(t, string(got), want) {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, want)
		}
	}
	order.Status = ""
	if got, err := partnercenter.Marshal(list); err != nil || !strings.Contains(string(got), `"status":""`) {
		t.Errorf("a field that was taken back: %s, %v", got, err)
	}
	order.Extra = jsontext.Value(`{"id":"another"}`)
	if got, err := partnercenter.Marshal(list); err == nil {
		t.Errorf("an Extra that contradicts a field was written: %s", got)
	}
}

package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

func TestDecodeJSON(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"Id":null,"BillingCycle":"OneTime","LineItems":[{"Quantity":1}],"CreationDate":"0001-01-01T00:00:00"}`,
		`{"lineItems":[{"offerId":"x","unknown":{"a":[1]}}],"later":1}`, " \n{\"lineItems\":null}\n",
	} {
		var order partnercenter.Order
		if err := decodeJSON([]byte(body), &order); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, tt := range []struct{ name, body, code, says string }{
		{"empty", " \n", "800002", "it is empty"},
		{"null", `null`, "800002", "not a JSON object"},
		{"array", `[{}]`, "800002", "not a JSON object"},
		{"text", `"success"`, "800002", "not a JSON object"},
		{"two objects", `{}{}`, "800002", "something follows"},
		{"text after", `{} x`, "800002", "not JSON"},
		{"cut off", `{"lineItems":[{`, "800002", "not JSON"},
		{"trailing comma", "{\n\"a\":1,\n}", "800002", "line 2"},
		{"comment", `{/* */}`, "800002", "not JSON"},
		{"curly quotes", `{“a”:1}`, "800002", "not JSON"},
		{"NaN", `{"totalPrice":NaN}`, "800002", "not JSON"},
		{"infinity", `{"totalPrice":-Infinity}`, "800002", "not JSON"},
		{"invalid UTF-8", "{\"id\":\"\xff\"}", "800002", "UTF-8"},
		{"lone surrogate", `{"id":"\ud800"}`, "800002", "not JSON"},
		{"same key", `{"id":"a","id":"b"}`, "800002", "a key is repeated"},
		{"same unknown key", `{"lineItems":[{"x":1,"x":1}]}`, "800002", "a key is repeated"},
		{"same key in another case", `{"id":"a","Id":"b"}`, "800002", "a key is repeated"},
		{"deep", `{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "800002", "nested more than 64 deep"},
		{"deep and cut off", strings.Repeat(`{"a":`, 100_000), "800002", "nested more than 64 deep"},
		{"folded key", `{"a":[{"\u017ftatus":"ſ"}]}`, "800002", `"ſtatus"`},
		{"folded key as it is", `{"lineItem\u017f":[]}`, "800002", `"lineItemſ"`},
		{"another folded key", "{\"\u212A\":1}", "800002", "letter beyond ASCII"},
		{"object for list", `{"lineItems":{"a":1}}`, "3000", `"lineItems"`},
		{"text for number", `{"lineItems":[{"quantity":"many"}]}`, "3000", `"lineItems/0/quantity"`},
		{"fraction", `{"lineItems":[{"quantity":1.5}]}`, "3000", `"lineItems/0/quantity"`},
		{"too large a number", `{"lineItems":[{"quantity":1e18}]}`, "3000", `"lineItems/0/quantity"`},
		{"number for object", `{"links":5}`, "3000", `"links"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var order partnercenter.Order
			err := decodeJSON([]byte(tt.body), &order)
			var refused *apiError
			if !errors.As(err, &refused) {
				t.Fatalf("error is %v", err)
			}
			if string(refused.code) != tt.code || refused.status != 400 || !strings.Contains(refused.description, tt.says) {
				t.Errorf("%v\nwant code %s and …%s…", refused, tt.code, tt.says)
			}
			if !strings.Contains(refused.description, "To go on, ") {
				t.Errorf("%q does not say what to do", refused.description)
			}
		})
	}
}

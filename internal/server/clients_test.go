package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestClientsChecklist goes through the requirements of real clients (clients.md,
// section 6) that concern these calls, by their numbers. The others are tested
// elsewhere: throttling (8) in throttle_test.go, TLS and HTTP versions (11) in
// listen_test.go.
func TestClientsChecklist(t *testing.T) {
	a := newAPI(t)
	filter := "&filter=" + url.QueryEscape(`{"Field":"CompanyName","Value":"wing","Operator":"starts_with"}`)
	a.run(t, []request{
		{name: "1 doubled slash behind the version", path: "/v1//customers?size=2&seekOperation=Next", status: 200, must: []string{`"totalCount":2,`}},
		{name: "6 no request id", path: seedOrders, status: 200, header: http.Header{"MS-RequestId": nil}, headers: map[string]string{"MS-RequestId": "^.{36}$"}},
		{name: "6 one request id for a list", path: seedOrders, status: 200, header: sharedID, must: []string{`"totalCount":2,`}},
		{name: "6 the same request id for another call", path: seedOrders + "/" + shortOrder, status: 200, header: sharedID, must: []string{`{"id":"` + shortOrder}},
		{name: "7 no contract version", path: seedOrders, status: 200, header: http.Header{"MS-Contract-Version": nil}},
		{name: "7 contract version of Java", path: seedOrders, status: 200, header: http.Header{"MS-Contract-Version": {"v1"}}},
		{name: "9 data is an array, code digits", path: seedOrders + "/nope", status: 404, must: []string{`"code":20000,`, `"data":[]`}},
		{name: "10 no empty 200 for an empty list", path: "/v1/customers?size=0" + strings.Replace(filter, "wing", "nobody", 1), status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "12 include_price=True", path: seedOrders + "?include_price=True", status: 200},
		{name: "12 include_price=False", path: seedOrders + "?billingType=OneTime&include_price=False", status: 200, must: []string{`"totalCount":1,`}},
		{name: "12 include_price=true", path: seedOrders + "?include_price=true", status: 200},
		{name: "12 billingType of .NET", path: seedOrders + "?billingType=OneTime", status: 200, must: []string{`"totalCount":1,`}},
		{name: "12 billingType of Java", path: seedOrders + "?billingType=one_time", status: 200, must: []string{`"totalCount":1,`}},
		{name: "12 billingType of Python", path: seedOrders + "?billingType=oneTime", status: 200, must: []string{`"totalCount":1,`}},
		{name: "12 size=0 with a filter", path: "/v1/customers?size=0" + filter, status: 200, must: []string{"Wingtip Toys"}},
		{name: "12 seek without size and token", path: "/v1/customers?seekOperation=Next", status: 200, mustNot: []string{`"next"`}},
		{name: "12 seek in lower case with size", path: "/v1/customers?size=500&seekOperation=next", status: 200},
		{name: "13 the link of the next page", path: "/v1/customers?size=2", status: 200, must: []string{`"next":{"uri":"/customers?size=2&seekOperation=Next","method":"GET","headers":[{"key":"MS-ContinuationToken","value":"`, `"continuationToken":"`}},
		{name: "14 version 1.0", path: strings.Replace(seedOrders, "/v1/", "/v1.0/", 1), status: 200},
		{name: "15 no user agent", path: seedOrders, status: 200, header: http.Header{"User-Agent": {""}}},
		{name: "15 a content type on GET", path: seedOrders, status: 200, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}},
		{name: "15 lower-case authorization", path: seedOrders, status: 200, header: http.Header{"Authorization": nil, "authorization": {"Bearer " + a.token}}},
	})
	t.Run("3 answers are camelCase, enums snake_case", func(t *testing.T) {
		for _, path := range []string{"/v1/customers", "/v1/customers/" + seedCustomer} {
			_, body := a.do(t, request{path: path, status: 200})
			checkKeys(t, path, body)
		}
		_, body := a.do(t, request{path: "/v1/customers", status: 200})
		var customers partnercenter.Collection[*partnercenter.Customer]
		if err := partnercenter.Unmarshal(body, &customers); err != nil {
			t.Fatal(err)
		}
		for _, c := range customers.Items {
			path := "/v1/customers/" + c.ID + "/orders?include_price=true&include_system_purchases=true"
			_, body := a.do(t, request{path: path, status: 200})
			checkKeys(t, path, body)
		}
	})
}

var sharedID = http.Header{"MS-RequestId": {"65b26053-37d0-4303-9fd1-46ad8012bcb6"}}

var camelCase = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)

// checkKeys refuses keys that a case-sensitive client would not find, and nulls, which
// answers omit.
func checkKeys(t *testing.T, path string, body []byte) {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case nil:
			t.Errorf("%s: a null", path)
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for key, x := range v {
				if !camelCase.MatchString(key) {
					t.Errorf("%s: key %q", path, key)
				}
				walk(x)
			}
		}
	}
	walk(value)
}

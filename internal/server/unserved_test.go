package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// TestUnserved asks for documented calls that the server does not have, in the
// spellings that clients use, with and without a token.
func TestUnserved(t *testing.T) {
	a := newAPI(t)
	none := http.Header{"Authorization": nil}
	for _, r := range []request{
		{method: http.MethodPost, path: "/v1/customers", body: "{}", must: []string{"customers create"}},
		{method: http.MethodPost, path: "/v1/customers", body: "{}", header: none},
		{method: http.MethodDelete, path: "/v1/customers/" + seedCustomer},
		{method: http.MethodPatch, path: "/v1/customers/" + seedCustomer, body: "{}"},
		{path: "/v1/customers/relationshiprequests", must: []string{"relationshiprequests"}},
		{path: "/v1//Customers/RelationshipRequests/"},
		{path: "/v1/customers/" + seedCustomer + "/subscriptions/usagerecords", must: []string{"usagerecords"}},
		{path: "/v1/customers/" + seedCustomer + "/subscriptions/overage"},
		{method: http.MethodPost, path: "/v1/customers/" + seedCustomer + "/carts", body: "{}", must: []string{"carts create"}},
		{method: http.MethodPut, path: "/v1/customers/" + seedCustomer + "/profiles/billing", body: "{}"},
		{path: "/v1/invoices/summary", must: []string{"/v1/invoices/summary"}},
		{path: "/v1/invoices/i", must: []string{"/v1/invoices/{invoice-id}"}},
		{path: "/v1/profiles/mpn", header: none},
	} {
		r.name, r.status, r.code = r.method+" "+r.path, 400, partnercenter.ErrorCodeOperationUnoffered
		t.Run(r.name, func(t *testing.T) { a.check(t, r) })
	}
	resp, _ := a.do(t, request{method: http.MethodHead, path: "/v1/domains/contoso.onmicrosoft.com", status: 400})
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("HEAD of a domain: %s; 404 means that it is free", resp.Status)
	}
	for _, r := range []request{
		{name: "another method", method: http.MethodPut, path: "/v1/customers", body: "{}", status: 405, code: partnercenter.ErrorCodeOperationUnoffered, headers: map[string]string{"Allow": "^GET, HEAD$"}},
		{name: "another method of what has none", method: http.MethodDelete, path: "/v1/invoices/summary", status: 404, code: partnercenter.ErrorCodeNotFound},
		{name: "an id", path: "/v1/customers/" + seedCustomer + "/subscriptions/usage", status: 404, code: "20003"},
	} {
		t.Run(r.name, func(t *testing.T) { a.check(t, r) })
	}
}

// TestEveryOperationIsKnown finds no documented call of the API that is answered as if
// nobody had heard of it.
func TestEveryOperationIsKnown(t *testing.T) {
	a := newAPI(t)
	served := map[string]bool{}
	for _, r := range server.Routes() {
		served[r.Method+" "+r.Pattern] = true
	}
	asked := 0
	for _, o := range partnercenter.Operations() {
		path, _, _ := strings.Cut(o.Path, "?")
		if served[o.Method+" "+path] || !strings.HasPrefix(path, "/v1/") {
			continue
		}
		asked++
		var segments []string
		for segment := range strings.SplitSeq(path, "/") {
			if strings.HasPrefix(segment, "{") {
				segment = seedCustomer
			}
			segments = append(segments, segment)
		}
		resp, body := a.do(t, request{method: o.Method, path: strings.Join(segments, "/"), status: 400})
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "900141") || !strings.Contains(string(body), o.Area) {
			t.Errorf("%s: %s %s", o.String(), resp.Status, body)
		}
	}
	if asked < 20 {
		t.Errorf("only %d calls are not served", asked)
	}
}

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

// TestEveryDocumentedCall makes every documented call, with and without a token and in
// the spellings that clients use: it is served, or refused by name. No call is answered
// as if nobody had heard of it.
func TestEveryDocumentedCall(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	served := map[string]bool{}
	for _, r := range server.Routes() {
		served[r.Method+" "+r.Pattern] = true
	}
	calls := map[string]bool{}
	for _, o := range partnercenter.Operations() {
		path, _, _ := strings.Cut(o.Path, "?")
		calls[o.Method+" "+path] = true
	}
	for _, call := range server.Documented() {
		calls[call[0]+" "+call[1]] = true
	}
	refused := 0
	for call := range calls {
		method, pattern, _ := strings.Cut(call, " ")
		var segments []string
		for segment := range strings.SplitSeq(pattern, "/") {
			if strings.HasPrefix(segment, "{") {
				segment = seedCustomer
			}
			segments = append(segments, segment)
		}
		path := strings.Join(segments, "/")
		methods := []string{method}
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		for _, method := range methods {
			for _, header := range []http.Header{nil, {"Authorization": nil}} {
				for _, path := range []string{path, strings.ToUpper(path) + "/", "/" + path} {
					resp, body := a.do(t, request{method: method, path: path, header: header, status: 400, invalid: true})
					known := served[call] || method == http.MethodHead && served["GET "+pattern]
					text := string(body)
					switch {
					case known && (resp.StatusCode == http.StatusMethodNotAllowed || strings.Contains(text, "900141") && strings.Contains(text, "docs/support-matrix.md")):
						t.Errorf("%s %s is served, and answers %s %s", method, path, resp.Status, text)
					case known:
					case resp.StatusCode != http.StatusBadRequest:
						t.Errorf("%s %s: %s %s", method, path, resp.Status, text)
					case method != http.MethodHead && (!strings.Contains(text, `"code":900141,`) || !strings.Contains(text, pattern)):
						t.Errorf("%s %s does not name the call: %s", method, path, text)
					default:
						refused++
					}
				}
			}
		}
	}
	if refused < 500 {
		t.Errorf("only %d requests were refused", refused)
	}
}

package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestRequestIDsAreASCII sends ids that would be one if they were compared as text: a
// write that cannot be told from another is refused, and has no effect.
func TestRequestIDsAreASCII(t *testing.T) {
	a := newAPI(t)
	body := orderOf(line(offerE3, 1))
	a.writeHeaders(t)
	before := a.holdings(t, documented)
	for _, id := range []string{"commande-\xe9", "commande-\xe8", "commande-é", "\u212Aelvin", "\xff"} {
		header := http.Header{"MS-RequestId": {id}}
		a.check(t, request{method: http.MethodPost, path: ordersOf(documented), header: header, body: body, status: 400, code: "800002", must: []string{"MS-RequestId"}})
		resp, _ := a.do(t, request{path: ordersOf(documented), header: header, invalid: true})
		if got := resp.Header.Get("MS-RequestId"); resp.StatusCode != 200 || got != id {
			t.Errorf("%q: status %d, echoed as %q", id, resp.StatusCode, got)
		}
	}
	if after := a.holdings(t, documented); after != before {
		t.Errorf("something was placed: %s", after)
	}
	_, first := a.do(t, request{method: http.MethodPost, path: ordersOf(documented), header: http.Header{"MS-RequestId": {"Kelvin-1"}}, body: body, invalid: true})
	_, again := a.do(t, request{method: http.MethodPost, path: ordersOf(documented), header: http.Header{"MS-RequestId": {"kELVIN-1"}}, body: body, invalid: true})
	if string(first) != string(again) || !strings.Contains(string(first), `"id":`) {
		t.Errorf("the same id in another case places another order: %s, then %s", first, again)
	}
}

// writeHeaders sends writes of all kinds with headers that do not say for sure which write
// it is.
func (a *api) writeHeaders(t *testing.T) {
	order := a.placed(t, documented, line(offerE3, 1))
	before := a.holdings(t, documented)
	at := subscriptionAt(documented, order.LineItems[0].SubscriptionID)
	consents := "/v1/customers/" + documented + "/applicationconsents"
	user, id := a.as(t, adminAgent), "5f3b0a52-7c1e-4d0e-9d3b-0a8c2f1e6d47"
	for _, w := range []request{
		{name: "an order", method: http.MethodPost, path: ordersOf(documented), body: orderOf(line(offerE3, 1))},
		{name: "a change of one", method: http.MethodPatch, path: orderAt(documented, order.ID), body: `{"billingCycle":"annual"}`},
		upload("an upload", orderAt(documented, order.ID), part{name: "metadata", content: metadata}, part{name: "POFiles", file: "po.pdf", content: "po"}),
		{name: "a change of a subscription", method: http.MethodPatch, path: at, body: `{"quantity":7}`},
		{name: "a registration", method: http.MethodPost, path: at + "/registrations", body: "null"},
		{name: "an activation", method: http.MethodPost, path: at + "/activate"},
		{name: "a consent", method: http.MethodPost, path: consents, body: `{"applicationId":"` + a.ClientID + `","applicationGrants":[{"enterpriseApplicationId":"` + graphID + `","scope":"User.Read"}]}`},
		{name: "the end of one", method: http.MethodDelete, path: consents + "/" + a.ClientID},
	} {
		for name, headers := range map[string][][]string{
			"MS-RequestId": {{"\xe9"}, {"\u212A"}, {strings.Repeat("x", 129)}, {id, id}, {"", id}, {id, ""}, {"", ""}},
			"If-Match":     {{"a", "b"}, {"*", ""}},
			"Content-Type": {{"application/json", "text/plain"}},
		} {
			for _, values := range headers {
				r := w
				r.header = w.header.Clone()
				if r.header == nil {
					r.header = http.Header{}
				}
				if r.header[name] = values; name == "Content-Type" && w.header != nil {
					r.header[name] = append(w.header[name], values...)
				}
				r.status, r.code, r.must, r.invalid = 400, "800002", []string{name}, true
				user.check(t, r)
			}
		}
	}
	if after := a.holdings(t, documented); after != before {
		t.Errorf("something was changed: %s", after)
	}
}

// TestNamesAreASCII requests what differs from names of the API in letters that are the
// same by Unicode's rules, and keys that are no text.
func TestNamesAreASCII(t *testing.T) {
	a := newAPI(t)
	all := string(a.send(t, http.MethodGet, "/v1/Customers", "", 200))
	for _, path := range []string{"/V1/cUSTOMERS", "/v1/customers?%C5%BFize=1"} {
		if _, got := a.do(t, request{path: path, invalid: true}); string(got) != all {
			t.Errorf("%s: %s", path, got)
		}
	}
	filter := "/v1/customers?filter=%7B%22Field%22:%22CompanyName%22,%22Value%22:%22"
	orders := strings.Replace(ordersOf(documented), "/orders", "/order%C5%BF", 1)
	a.run(t, []request{
		{name: "customers", path: "/v1/cu%C5%BFtomers", status: 404, code: "1000"},
		{name: "orders", path: orders, status: 404, code: "1000"},
		{name: "health", path: "/live%E2%84%AA", status: 404, code: "1000"},
		{name: "a cycle", path: ordersOf(documented) + "?billingType=un%E2%84%AAnown", invalid: true, status: 400, code: "900126"},
		{name: "a segment", path: "/v1/customers/%FF", invalid: true, status: 400, code: "800002"},
		{name: "an order's id", path: ordersOf(documented) + "/%E9", invalid: true, status: 400, code: "800002"},
		{name: "a surrogate", path: ordersOf(documented) + "/%ED%A0%80", invalid: true, status: 400, code: "800002"},
		{name: "a query's name", path: "/v1/customers?%FF=1", invalid: true, status: 400, code: "3000"},
		{name: "a query's value", path: "/v1/customers/" + documented + "/subscriptions?order_id=a%E9", invalid: true, status: 400, code: "3000"},
		{name: "a query's NUL", path: "/v1/customers/" + documented + "/subscriptions?order_id=a%00", invalid: true, status: 400, code: "3000"},
		{name: "a filter's NUL", path: filter + "%5Cu0000%22%7D", invalid: true, status: 400, code: "3000"},
		{name: "a filter's surrogate", path: filter + "%5Cud800%22%7D", invalid: true, status: 400, code: "3000"},
		{name: "a filter's byte", path: filter + "%E9%22%7D", invalid: true, status: 400, code: "3000"},
		{name: "an offer", method: http.MethodPost, path: ordersOf(documented), body: orderOf(line("Mſ-AZR-0145P", 1)), status: 400, code: "800004"},
		{name: "an offer's blank", method: http.MethodPost, path: ordersOf(documented), body: orderOf(line(offerE3+"\u00a0", 1)), status: 400, code: "800004"},
		{name: "an offer's surrogate", method: http.MethodPost, path: ordersOf(documented), body: orderOf(`{"lineItemNumber":0,"quantity":1,"offerId":"` + offerE3 + `\ud800"}`), status: 400, code: "800002"},
		{name: "an offer's byte", method: http.MethodPost, path: ordersOf(documented), body: orderOf(`{"lineItemNumber":0,"quantity":1,"offerId":"` + offerE3 + "\xe9" + `"}`), status: 400, code: "800002"},
	})
}

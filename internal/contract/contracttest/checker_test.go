package contracttest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const (
	customerID    = "6f1c2f5e-9a55-4c0e-8a0c-0d4f3f8e2b17"
	ordersPath    = "/v1/customers/" + customerID + "/orders"
	requestID     = "0b9d6f44-5c0a-4c8b-9c39-1f2f0f6f7e60"
	correlationID = "5d1d0f6c-3f4e-4a77-8a6e-2f8c9b0d1e2f"

	link       = `{"uri":"/x","method":"GET","headers":[]}`
	line       = `{"lineItemNumber":0,"offerId":"A:B:C","quantity":1}`
	order      = `{"id":"7d3a1c94be02","referenceCustomerId":"` + customerID + `","billingCycle":"monthly","lineItems":[` + line + `],"creationDate":"2024-05-06T08:12:44.1180253Z","status":"completed","attributes":{"objectType":"Order"}}`
	collection = `{"totalCount":1,"items":[` + order + `],"links":{"self":` + link + `},"attributes":{"objectType":"Collection"}}`
	customer   = `{"id":"` + customerID + `","companyProfile":{"tenantId":"` + customerID + `","domain":"a.test","attributes":{"objectType":"CustomerCompanyProfile"}},"relationshipToPartner":"reseller","attributes":{"objectType":"Customer"}}`
	customers  = `{"totalCount":1,"items":[` + customer + `],"attributes":{"objectType":"Collection"}}`
	oauthError = `{"error":"invalid_client","error_description":"AADSTS7000215: The client secret is wrong.","error_codes":[7000215],"timestamp":"2024-05-06 08:12:44Z","trace_id":"` + correlationID + `","correlation_id":"` + requestID + `"}`
	fault      = `{"code":20000,"description":"There is no such order.","data":[],"source":"PartnerFD"}`
)

// answer is an answer of a fake server.
type answer struct {
	status int
	header http.Header
	body   string
}

func vendorHeaders() http.Header {
	return http.Header{
		"Content-Type":     {"application/json; charset=utf-8"},
		"Ms-Requestid":     {requestID},
		"Ms-Correlationid": {correlationID},
		"Ms-Cv":            {"kR3aV0q1Xb7/Zt9L.0"},
		"Ms-Serverid":      {"202010607"},
		"X-Locale":         {"en-US"},
	}
}

// authorityHeaders are those of the token authority, healthHeaders those of the
// health checks.
func authorityHeaders() http.Header {
	return http.Header{
		"Content-Type":      {"application/json; charset=utf-8"},
		"Cache-Control":     {"no-store"},
		"X-Ms-Request-Id":   {correlationID},
		"Client-Request-Id": {requestID},
	}
}

func healthHeaders() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}
}

func ok(body string) answer { return answer{200, vendorHeaders(), body} }

// with sets headers, or removes those whose value is empty.
func (a answer) with(pairs ...string) answer {
	a.header = maps.Clone(a.header)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			a.header.Del(pairs[i])
		} else {
			a.header.Set(pairs[i], pairs[i+1])
		}
	}
	return a
}

func refusal(status int) answer { return answer{status, vendorHeaders(), fault} }

// ServeHTTP writes the answer.
func (a answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

// RoundTrip gives the answer to a client.
func (a answer) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if req.Body == nil {
		req = req.Clone(req.Context())
		req.Body = http.NoBody
	}
	a.ServeHTTP(rec, req)
	return rec.Result(), nil
}

func request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://partner.test"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer a.b.c")
	req.Header.Set("MS-RequestId", requestID)
	return req
}

func tokenRequest(t *testing.T, path, form string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://login.test"+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req
}

// failed is a test that only records its failures.
type failed struct {
	testing.TB
	mu       sync.Mutex
	messages []string
	cleanups []func()
}

func (f *failed) Helper()          {}
func (f *failed) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failed) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

// exchangeProblems sends req through a checking transport.
func exchangeProblems(t *testing.T, req *http.Request, a answer) []string {
	t.Helper()
	client := &failed{TB: t}
	resp, err := NewChecker(client).Transport(a).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != a.status || (string(got) != a.body) {
		t.Errorf("the transport changed the answer: %d %q %v", resp.StatusCode, got, err)
	}
	return client.messages
}

// expect fails the test unless the exchange is refused with exactly one failure
// that has all of want, or passes when want is empty.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(want) == 0 {
		if got != nil {
			t.Errorf("refused:\n%s", strings.Join(got, "\n"))
		}
		return
	}
	if len(got) != 1 {
		t.Fatalf("got %d failures, expected one with %q:\n%s", len(got), want, strings.Join(got, "\n"))
	}
	for _, w := range want {
		if !strings.Contains(got[0], w) {
			t.Errorf("expected %q in\n%s", w, got[0])
		}
	}
}

// A client that needs its path unchanged keeps the address in Opaque; it is checked
// nevertheless.
func TestOpaqueAddresses(t *testing.T) {
	for query, want := range map[string][]string{"billingType=monthly": nil, "shoeSize=9": {"request query shoeSize: not described"}} {
		req := request(t, http.MethodGet, ordersPath)
		req.URL.Opaque = "//" + req.URL.Host + strings.Replace(ordersPath, "customers", "c%75stomers", 1)
		req.URL.RawQuery = query
		client := &failed{TB: t}
		resp, err := NewChecker(client).Transport(ok(collection)).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		expect(t, client.messages, want...)
	}
}

// Bodies are checked as the API reads them: keys in any case, null for absent.
func TestJSONRequestBodies(t *testing.T) {
	const path = ordersPath + "/7d3a1c94be02"
	for _, tc := range []struct {
		name, body string
		want       []string
	}{
		{"camelCase", `{"billingCycle":"annual","lineItems":[{"lineItemNumber":0,"quantity":1}]}`, nil},
		{"PascalCase with nulls", `{"Id":null,"BillingCycle":"Annual","LineItems":[{"LineItemNumber":0,"Quantity":1,"RenewsTo":null}],"Status":null,"Later":{"x":1}}`, nil},
		{"a number for an enumerated value", `{"billingCycle":2}`, nil},
		{"a byte order mark", "\xef\xbb\xbf{}", nil},
		{"text for a number", `{"LINEITEMS":[{"Quantity":"1"}]}`, []string{"request body /lineItems/0/quantity: value must be an integer"}},
		{"an object for a list", `{"LineItems":{}}`, []string{"request body /lineItems: value must be an array"}},
		{"no JSON", `{`, []string{"request body: not one JSON value"}},
		{"nothing", ``, []string{"request header Content-Type"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := request(t, http.MethodPatch, path)
			req.Body = io.NopCloser(strings.NewReader(tc.body))
			if tc.body != "" {
				req.Header.Set("Content-Type", "application/json; charset=utf-8")
			}
			expect(t, exchangeProblems(t, req, ok(order)), tc.want...)
		})
	}
	for _, body := range []string{"", "null", `"success"`, "{}"} {
		req := request(t, http.MethodPost, "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/subscriptions/DB8C695B-1C3C-4C55-B697-771503DD46BF/activate")
		req.Body = io.NopCloser(strings.NewReader(body))
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		expect(t, exchangeProblems(t, req, ok(`{"subscriptionId":"DB8C695B-1C3C-4C55-B697-771503DD46BF","status":"Success"}`)))
	}
}

func TestBodies(t *testing.T) {
	replaced := func(old, new string) answer { return ok(strings.Replace(collection, old, new, 1)) }
	for _, tc := range []struct {
		name   string
		answer answer
		want   []string
	}{
		{"as described", ok(collection), nil},
		{"empty list", ok(`{"totalCount":0,"items":[],"attributes":{"objectType":"Collection"}}`), nil},
		{"unknown values of open sets", replaced(`"monthly"`, `"every_second_week"`), nil},
		{"object type missing", replaced(`{"objectType":"Order"}`, `{}`),
			[]string{"contract: orders-list: GET " + ordersPath + " answered 200", `response body /items/0/attributes/objectType: property "objectType" is missing`}},
		{"object type of another resource", replaced(`"Order"`, `"Cart"`),
			[]string{`response body /items/0/attributes/objectType: value is not one of the allowed values ["Order"]; got "Cart"`}},
		{"attributes missing", replaced(`,"attributes":{"objectType":"Collection"}`, ``),
			[]string{`response body /attributes: property "attributes" is missing`}},
		{"PascalCase", replaced(`"billingCycle"`, `"BillingCycle"`),
			[]string{`response body /items/0: property "BillingCycle" is unsupported`, `response body /items/0/billingCycle: property "billingCycle" is missing`}},
		{"enum in PascalCase", replaced(`"monthly"`, `"OneTime"`),
			[]string{`response body /items/0/billingCycle: string doesn't match`, `got "OneTime"`}},
		{"null", replaced(`"completed"`, `null`), []string{`response body /items/0/status: Value is not nullable`}},
		{"null in place of an object", replaced(`{"objectType":"Order"}`, `null`), []string{`response body /items/0/attributes`}},
		{"number as text", replaced(`"quantity":1`, `"quantity":"1"`), []string{`response body /items/0/lineItems/0/quantity: value must be an integer`}},
		{"fraction", replaced(`"quantity":1`, `"quantity":1.5`), []string{`response body /items/0/lineItems/0/quantity: value must be an integer`}},
		{"price as text", replaced(`"quantity":1`, `"quantity":1,"pricing":{"price":"9.99"}`),
			[]string{`response body /items/0/lineItems/0/pricing/price: value must be a number`}},
		{"undescribed member", replaced(`"status"`, `"state":"x","status"`), []string{`response body /items/0: property "state" is unsupported`}},
		{"date without zone", replaced(`0253Z`, `0253`), []string{`response body /items/0/creationDate: string doesn't match the format "date-time"`}},
		{"date with nine digits", replaced(`0253Z`, `025300Z`), []string{`response body /items/0/creationDate: string doesn't match`}},
		{"no lines", replaced(`[`+line+`]`, `[]`), []string{`response body /items/0/lineItems: minimum number of items is 1`}},
		{"absolute link", replaced(`"/x"`, `"https://partner.test/x"`), []string{`response body /links/self/uri: string doesn't match`}},
		{"headers of a link missing", replaced(`,"headers":[]`, ``), []string{`response body /links/self/headers: property "headers" is missing`}},
		{"customer that is no GUID", replaced(customerID, `7`), []string{`response body /items/0/referenceCustomerId: string doesn't match`}},
		{"total count missing", replaced(`"totalCount":1,`, ``), []string{`response body /totalCount: property "totalCount" is missing`}},
		{"total count wrong", replaced(`"totalCount":1`, `"totalCount":37`), []string{`response body /totalCount: got 37, expected the number of items, 1`}},
		{"items missing", ok(`{"totalCount":0,"attributes":{"objectType":"Collection"}}`), []string{`response body /items: property "items" is missing`}},
		{"continuation token on a list without pages", replaced(`"totalCount"`, `"continuationToken":"x","totalCount"`), []string{`response body: property "continuationToken" is unsupported`}},
		{"bare array", ok(`[` + order + `]`), []string{`response body: value must be an object`}},
		{"empty", ok(``), []string{`response body: empty, expected JSON`}},
		{"cut off", ok(collection[:40]), []string{`response body: not one JSON value`}},
		{"text after it", ok(collection + `{}`), []string{`response body: not one JSON value`}},
		{"byte order mark", ok("\ufeff" + collection), []string{`response body: not one JSON value`}},
		{"name twice", replaced(`"quantity":1`, `"quantity":1,"quantity":1`), []string{`response body: not one JSON value`, `duplicate`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expect(t, exchangeProblems(t, request(t, "GET", ordersPath), tc.answer), tc.want...)
		})
	}
}

func TestResponseHeaders(t *testing.T) {
	throttled := answer{429, http.Header{"Content-Type": {"application/json"}, "Retry-After": {"12"}}, `{"statusCode":429,"message":"Wait for 12 seconds."}`}
	busy := refusal(503)
	for _, tc := range []struct {
		name   string
		answer answer
		want   []string
	}{
		{"bare content type", ok(collection).with("Content-Type", "application/json"), nil},
		{"headers outside the contract", ok(collection).with("Date", "x", "Vary", "Accept-Encoding"), nil},
		{"request id missing", ok(collection).with("MS-RequestId", ""), []string{"response header MS-RequestId: required but missing"}},
		{"request id of another call", ok(collection).with("MS-RequestId", customerID),
			[]string{`response header MS-RequestId: got "` + customerID + `", expected the request's "` + requestID + `"`}},
		{"request id twice in one", ok(collection).with("MS-RequestId", requestID+","+requestID), []string{"response header MS-RequestId: string doesn't match"}},
		{"correlation id is no GUID", ok(collection).with("MS-CorrelationId", "abc"), []string{`response header MS-CorrelationId: string doesn't match`, `got "abc"`}},
		{"correlation vector", ok(collection).with("MS-CV", "short.0"), []string{"response header MS-CV: string doesn't match"}},
		{"server id missing", ok(collection).with("MS-ServerId", ""), []string{"response header MS-ServerId: required but missing"}},
		{"locale twice in one", ok(collection).with("X-Locale", "en-US,en-US"), []string{"response header X-Locale: string doesn't match"}},
		{"misspelt header", ok(collection).with("MS-Request-Id", requestID), []string{"response header Ms-Request-Id: not described for this answer"}},
		{"not JSON", ok(collection).with("Content-Type", "text/html"), []string{`response header Content-Type: "text/html" is not described; the answer is application/json`}},
		{"no content type", ok(collection).with("Content-Type", ""), []string{"response header Content-Type: sent 0 times"}},
		{"other charset", ok(collection).with("Content-Type", "application/json; charset=utf-16"), []string{"expected no parameter but charset=utf-8"}},
		{"unknown encoding", ok(collection).with("Content-Encoding", "br"), []string{`response header Content-Encoding: got "br"`}},
		{"not gzip", ok(collection).with("Content-Encoding", "gzip"), []string{"response body: not gzip"}},

		{"refused", refusal(404), nil},
		{"path too long", refusal(414), nil},
		{"status not described", refusal(418), []string{"status 418: not described; the operation may answer 200, 400, 401, 403"}},
		{"unauthorized", refusal(401).with("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:1"), nil},
		{"unauthorized without a way", refusal(401), []string{"response header WWW-Authenticate: required but missing"}},
		{"unavailable", busy, nil},
		{"unavailable for a while", busy.with("Retry-After", "3"), nil},
		{"wait that is no number", busy.with("Retry-After", "Mon, 06 May 2024 08:00:00 GMT"), []string{"response header Retry-After: got", "expected integer"}},
		{"throttled", throttled, nil},
		{"throttled for how long", throttled.with("Retry-After", ""), []string{"response header Retry-After: required but missing"}},
		{"throttled with a request id", throttled.with("MS-RequestId", requestID), []string{"response header Ms-Requestid: not described for this answer; it carries Retry-After"}},
		{"throttled as a fault", answer{429, throttled.header, fault}, []string{`response body: property "code" is unsupported`, `response body /statusCode: property "statusCode" is missing`}},
		{"code as text", answer{404, vendorHeaders(), strings.Replace(fault, "20000", `"20000"`, 1)}, []string{"response body /code: value must be an integer"}},
		{"data as object", answer{404, vendorHeaders(), strings.Replace(fault, "[]", `{}`, 1)}, []string{"response body /data: value must be an array"}},
		{"data missing", answer{404, vendorHeaders(), strings.Replace(fault, `"data":[],`, ``, 1)}, []string{`response body /data: property "data" is missing`}},
		{"long description", answer{404, vendorHeaders(), strings.Replace(fault, "There", strings.Repeat("x", 1025), 1)}, []string{"response body /description: maximum string length is 1024"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expect(t, exchangeProblems(t, request(t, "GET", ordersPath), tc.answer), tc.want...)
		})
	}

	t.Run("header given twice", func(t *testing.T) {
		a := ok(collection)
		a.header["Ms-Requestid"] = []string{requestID, requestID}
		expect(t, exchangeProblems(t, request(t, "GET", ordersPath), a), "response header MS-RequestId: sent 2 times")
	})
	t.Run("header written in its own letter case", func(t *testing.T) {
		a := ok(collection).with("MS-RequestId", "")
		a.header["MS-RequestId"] = []string{requestID}
		expect(t, exchangeProblems(t, request(t, "GET", ordersPath), a))
	})
}

func TestRequests(t *testing.T) {
	for _, tc := range []struct {
		name   string
		target string
		header []string
		answer answer
		want   []string
	}{
		{"every parameter", ordersPath + "?billingType=OneTime&include_price=True&include_system_purchases=false&indirect_reseller_id=x",
			[]string{"MS-CorrelationId", correlationID, "X-Locale", "en-US", "MS-Contract-Version", "v1", "MS-PartnerCenter-Application", "a",
				"MS-PartnerCenter-Client", "b", "MS-SdkVersion", "1", "MS-CV", "kR3aV0q1Xb7/Zt9L.0"}, ok(collection), nil},
		{"query names in any case", ordersPath + "?BILLINGTYPE=one_time&Include_Price=FALSE", nil, ok(collection), nil},
		{"paging as clients do it", "/v1//customers?size=0&seekOperation=next", []string{"MS-ContinuationToken", "a,b/c=_"}, ok(customers), nil},
		{"bare question mark", ordersPath + "?", nil, ok(collection), nil},
		{"no ids", ordersPath, []string{"MS-RequestId", ""}, ok(collection), nil},

		{"unknown query", ordersPath + "?billing_type=monthly", nil, ok(collection), []string{"request query billing_type: not described; the operation takes billingType, include_price"}},
		{"flag", ordersPath + "?include_price=1", nil, ok(collection), []string{`request query include_price: got "1", expected boolean`}},
		{"size", "/v1/customers?size=many", nil, ok(customers), []string{`request query size: got "many", expected integer`}},
		{"size below zero", "/v1/customers?size=-1", nil, ok(customers), []string{"request query size: number must be at least 0; got -1"}},
		{"seek", "/v1/customers?seekOperation=Onwards", nil, ok(customers), []string{"request query seekOperation: value is not one of the allowed values"}},
		{"filter", "/v1/customers?filter=CompanyName", nil, ok(customers), []string{"request query filter: string doesn't match"}},
		{"query twice", ordersPath + "?include_price=true&include_price=false", nil, ok(collection), []string{"request query include_price: given more than once"}},
		{"broken query", ordersPath + "?a=%zz", nil, ok(collection), []string{"request query: cannot be read"}},
		{"customer", "/v1/customers/contoso/orders", nil, ok(collection), []string{"request path customer-tenant-id: string doesn't match", `got "contoso"`}},
		{"request id", ordersPath, []string{"MS-RequestId", "1"}, ok(collection), []string{"request header MS-RequestId: string doesn't match"}},
		{"misspelt header", ordersPath, []string{"MS-Request-Id", customerID}, ok(collection), []string{"request header Ms-Request-Id: not described"}},
		{"contract version", ordersPath, []string{"MS-Contract-Version", "v2"}, ok(collection), []string{"request header MS-Contract-Version: value is not one of"}},
		{"no token", ordersPath, []string{"Authorization", ""}, ok(collection), []string{"request header Authorization: expected Bearer and a token"}},
		{"other scheme", ordersPath, []string{"Authorization", "Basic eDp5"}, ok(collection), []string{"request header Authorization: expected Bearer and a token"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := request(t, "GET", tc.target)
			for i := 0; i < len(tc.header); i += 2 {
				if tc.header[i+1] == "" {
					req.Header.Del(tc.header[i])
				} else {
					req.Header.Set(tc.header[i], tc.header[i+1])
				}
			}
			expect(t, exchangeProblems(t, req, tc.answer), tc.want...)
			// The same request, marked, is let through; a wrong answer to it is not.
			marked := req.WithContext(BadRequest(req.Context()))
			expect(t, exchangeProblems(t, marked, tc.answer))
			if len(tc.want) > 0 {
				expect(t, exchangeProblems(t, marked, answer{400, vendorHeaders(), `{}`}), "response body /code", "response body /source")
			}
		})
	}

	t.Run("ids that are no GUIDs", func(t *testing.T) {
		req := request(t, "GET", ordersPath)
		req.Header.Set("MS-RequestId", "call-7")
		req = req.WithContext(BadRequest(req.Context()))
		expect(t, exchangeProblems(t, req, ok(collection).with("MS-RequestId", "call-7"))) // given back
		expect(t, exchangeProblems(t, req, ok(collection)))                                // replaced
		expect(t, exchangeProblems(t, req, ok(collection).with("MS-RequestId", "call-8")), "response header MS-RequestId: string doesn't match")
	})
	t.Run("body on a read", func(t *testing.T) {
		req := request(t, "GET", ordersPath)
		req.Body = io.NopCloser(strings.NewReader("{}"))
		expect(t, exchangeProblems(t, req, ok(collection)), "request body: the operation takes none, got 2 bytes")
	})
}

func TestTokenEndpoints(t *testing.T) {
	noStore := authorityHeaders()
	v1 := `{"token_type":"Bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"1714982400","not_before":"1714978500","resource":"https://graph.windows.net","access_token":"a.b.c"}`
	v2 := `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"a.b.c"}`
	refused := oauthError
	formV1 := "grant_type=client_credentials&resource=https%3A%2F%2Fgraph.windows.net&client_id=x&client_secret=y"
	formV2 := "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.windows.net%2F.default+openid+profile&client_id=x&client_secret=y"
	for _, tc := range []struct {
		name, path, form string
		answer           answer
		want             []string
	}{
		{"v1", "/contoso.test/oauth2/token", formV1, answer{200, noStore, v1}, nil},
		{"v2", "/" + customerID + "/oauth2/v2.0/token?client-request-id=" + requestID, formV2, answer{200, noStore, v2}, nil},
		{"wrong secret", "/contoso.test/oauth2/token", formV1, answer{401, noStore, refused}.with("WWW-Authenticate", `Basic realm="x"`), nil},
		{"wrong secret without a way", "/contoso.test/oauth2/token", formV1, answer{401, noStore, refused}, []string{"response header WWW-Authenticate: required but missing"}},
		{"no trace", "/contoso.test/oauth2/token", formV1, answer{200, noStore, v1}.with("X-MS-Request-Id", ""), []string{"response header X-MS-Request-Id: required but missing"}},
		{"v1 with numbers", "/contoso.test/oauth2/token", formV1, answer{200, noStore, strings.Replace(v1, `"3599"`, `3599`, 1)}, []string{"response body /expires_in: value must be a string"}},
		{"v2 with text", "/contoso.test/oauth2/v2.0/token", formV2, answer{200, noStore, strings.Replace(v2, `3599`, `"3599"`, 1)}, []string{"response body /expires_in: value must be an integer"}},
		{"no token", "/contoso.test/oauth2/v2.0/token", formV2, answer{200, noStore, strings.Replace(v2, `a.b.c`, ``, 1)}, []string{"response body /access_token: minimum string length is 1"}},
		{"cached", "/contoso.test/oauth2/v2.0/token", formV2, answer{200, noStore, v2}.with("Cache-Control", "max-age=60"), []string{"response header Cache-Control: string doesn't match"}},
		{"API's error", "/contoso.test/oauth2/token", formV1, answer{400, noStore, fault}, []string{`response body: property "code" is unsupported`}},
		{"description without code", "/contoso.test/oauth2/token", formV1, answer{400, noStore, strings.Replace(refused, "AADSTS7000215: ", "", 1)}, []string{"response body /error_description: string doesn't match"}},
		{"no grant", "/contoso.test/oauth2/token", "client_id=x", answer{200, noStore, v1}, []string{`request body /grant_type: property "grant_type" is missing`}},
		{"scope of v1 style", "/contoso.test/oauth2/v2.0/token", strings.Replace(formV2, "%2F.default", "", 1), answer{200, noStore, v2}, []string{"request body /scope: string doesn't match"}},
		{"client twice", "/contoso.test/oauth2/token", formV1 + "&client_id=z", answer{200, noStore, v1}, []string{"request body /client_id: given 2 times"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expect(t, exchangeProblems(t, tokenRequest(t, tc.path, tc.form), tc.answer), tc.want...)
		})
	}
	t.Run("JSON in place of a form", func(t *testing.T) {
		req := tokenRequest(t, "/contoso.test/oauth2/token", `{}`)
		req.Header.Set("Content-Type", "application/json")
		expect(t, exchangeProblems(t, req, answer{200, noStore, v1}), `request header Content-Type: "application/json" is not described`)
	})
	t.Run("secrets stay out of messages", func(t *testing.T) {
		got := exchangeProblems(t, tokenRequest(t, "/contoso.test/oauth2/token", formV1), answer{200, noStore, strings.Replace(v1, `"a.b.c"`, `4711`, 1)})
		expect(t, got, "response body /access_token: value must be a string")
		if strings.Contains(got[0], "4711") {
			t.Errorf("the token is in the message:\n%s", got[0])
		}
	})
	t.Run("private key", func(t *testing.T) {
		keys := `{"keys":[{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB","d":"c2VjcmV0"}]}`
		req := request(t, "GET", "/common/discovery/v2.0/keys")
		expect(t, exchangeProblems(t, req, answer{200, authorityHeaders(), keys}), `response body /keys/0: property "d" is unsupported`)
	})
}

func TestPathsAndMethods(t *testing.T) {
	text := http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	for _, tc := range []struct {
		name, method, path string
		answer             answer
		want               []string
	}{
		{"other spelling", "GET", "//V1.0//Customers/" + strings.ToUpper(customerID) + "/ORDERS/", ok(collection), nil},
		{"customer in place of orders", "GET", "/v1/customers/" + customerID, ok(collection), []string{"contract: customers-get:", `property "items" is unsupported`}},
		{"HEAD", "HEAD", ordersPath, ok(""), nil},
		{"HEAD without headers", "HEAD", ordersPath, ok("").with("X-Locale", ""), []string{"orders-list: HEAD", "response header X-Locale: required but missing"}},
		{"HEAD of another type", "HEAD", ordersPath, ok("").with("Content-Type", "text/plain"), []string{"response header Content-Type"}},
		{"method refused", "DELETE", ordersPath, refusal(405).with("Allow", "GET, HEAD"), nil},
		{"method refused without a way", "DELETE", ordersPath, refusal(405), []string{"no operation: DELETE", "response header Allow: required but missing"}},
		{"method served", "DELETE", ordersPath, answer{204, vendorHeaders(), ""}, []string{"status 204: the document has no DELETE for this path"}},
		{"method refused by the token authority", "GET", "/contoso.test/oauth2/token", answer{405, authorityHeaders(), oauthError}.with("Allow", "POST"), nil},
		{"the same without a way", "GET", "/contoso.test/oauth2/token", answer{405, authorityHeaders(), oauthError}, []string{"response header Allow: required but missing"}},
		{"unknown path", "GET", "/v1/nothing", refusal(404), nil},
		{"unknown path before a token is looked at", "GET", "/v1/nothing", refusal(401).with("WWW-Authenticate", "Bearer"), nil},
		{"unknown path as text", "GET", "/v1/nothing", answer{404, text, "404 page not found\n"}, []string{"response header MS-RequestId: required but missing", "response header Content-Type"}},
		{"unknown path served", "GET", "/v1/nothing", ok(`{}`), []string{"status 200: the document does not have this path"}},
		{"redirect", "GET", "/v1/nothing", answer{301, http.Header{}, ""}, []string{"status 301"}},
		{"unknown path outside the API", "GET", "/nothing", refusal(404), nil},
		{"the same as text", "GET", "/nothing", answer{404, text, "404 page not found\n"}, []string{"response header Content-Type"}},
		{"page for people", "GET", "/console/nothing", answer{404, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "<p>Nothing here."}, nil},
		{"console", "GET", "/console/", answer{200, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "<p>Hello."}, nil},
		{"alive", "GET", "/livez", answer{200, healthHeaders(), `{"status":"live"}`}, nil},
		{"not ready", "GET", "/readyz", answer{503, healthHeaders(), `{"status":"database unavailable"}`}, nil},
		{"ready as text", "GET", "/readyz", answer{200, text, "ok"}, []string{"response header Cache-Control", "response header Content-Type"}},
		{"ready and gone", "GET", "/readyz", answer{200, healthHeaders(), `{"status":null}`}, []string{"response body /status: Value is not nullable"}},
		{"teapot", "BREW", ordersPath, refusal(418), []string{"status 418: not described; the document has no BREW for this path"}},
		{"instance", "GET", "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.test%2Fx%2Foauth2%2Fv2.0%2Fauthorize",
			answer{200, authorityHeaders(), `{"tenant_discovery_endpoint":"https://login.test/x","api-version":"1.1","metadata":[{"preferred_network":"login.test","preferred_cache":"login.test","aliases":["login.test"]}]}`}, nil},
		{"instance of nothing", "GET", "/common/discovery/instance", answer{200, authorityHeaders(), `{"tenant_discovery_endpoint":"https://login.test/x","metadata":[]}`}, []string{"request query authorization_endpoint: required but missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expect(t, exchangeProblems(t, request(t, tc.method, tc.path), tc.answer), tc.want...)
		})
	}
}

func TestGzip(t *testing.T) {
	pack := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.String()
	}
	req := request(t, "GET", ordersPath)
	expect(t, exchangeProblems(t, req, ok(pack(collection)).with("Content-Encoding", "gzip")))
	expect(t, exchangeProblems(t, req, ok(pack(`{}`)).with("Content-Encoding", "gzip")), "response body /items")
	expect(t, exchangeProblems(t, req, ok(pack(collection)[:60]).with("Content-Encoding", "gzip")), "response body: broken gzip")
}

// Nothing changes between a real client and a real server: bodies, incomplete answers,
// flushing, a broken connection.
func TestOverTheNetwork(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", ok(collection))
	mux.HandleFunc("/v1/customers", func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), vendorHeaders())
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, customers[:20])
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		w.(http.Flusher).Flush()
		w.Header().Set("MS-ServerId", "") // too late to be sent
		io.WriteString(w, customers[20:])
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/v1/taken", func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		conn.Close()
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client := &http.Client{Transport: NewChecker(t).Transport(http.DefaultTransport)}

	get := func(path string) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer a.b.c")
		req.Header.Set("MS-RequestId", requestID)
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if body, err := get(ordersPath); err != nil || body != collection {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
	all.Wait()
	if body, err := get("/v1/customers"); err != nil || body != customers {
		t.Errorf("flushed: got %q, %v", body, err)
	}
	if body, err := get("/cut"); !errors.Is(err, io.ErrUnexpectedEOF) || body != "half" {
		t.Errorf("cut off: got %q, %v", body, err)
	}
	if _, err := get("/v1/taken"); err == nil {
		t.Error("the hijacked connection answered")
	}
}

// The caller's request keeps its body and a failing transport its error.
func TestTransportLeavesTheRequestAlone(t *testing.T) {
	broken := errors.New("broken")
	req := tokenRequest(t, "/contoso.test/oauth2/token", "grant_type=client_credentials")
	body := req.Body
	next := roundTripper(func(sent *http.Request) (*http.Response, error) {
		got, err := io.ReadAll(sent.Body)
		if err != nil || string(got) != "grant_type=client_credentials" || sent.ContentLength != int64(len(got)) {
			t.Errorf("sent %q of %d bytes, %v", got, sent.ContentLength, err)
		}
		return nil, broken
	})
	if _, err := NewChecker(t).Transport(next).RoundTrip(req); err != broken {
		t.Errorf("got error %v", err)
	}
	if req.Body != body {
		t.Error("the request has another body now")
	}
}

// A call may be answered after its test has ended; failing then would panic.
func TestSilentAfterTheTest(t *testing.T) {
	over := &failed{TB: t}
	checker := NewChecker(over)
	for _, cleanup := range over.cleanups {
		cleanup()
	}
	resp, err := checker.Transport(ok(`{}`)).RoundTrip(request(t, "GET", ordersPath))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	expect(t, over.messages)
}

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/fleet/fleettest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	seedCustomer = partnercentertest.CustomerID
	seedOrders   = "/v1/customers/" + seedCustomer + "/orders"
	shortOrder   = "9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1"
	legacyOrder  = "eeba9d00-7b46-443a-917e-22887a8fc993"
)

// api is the server under test and a token for it. Every answer is checked
// against the contract's document on its way.
type api struct {
	*partnercentertest.Server
	client *http.Client
	user   string // whom the token acts for; empty for the app itself
	token  string
}

// adminAgent is a user of the sample's first partner who may make every call.
const adminAgent = "admin.agent@contosocsp.onmicrosoft.com"

// sample is the server shared by tests without special needs; nil before the first.
// Each gets it in its initial state.
var sample *partnercentertest.Server

func TestMain(m *testing.M) {
	fleettest.Main()
	code := m.Run()
	if sample != nil {
		sample.Close()
	}
	os.Exit(code)
}

// plainly takes answers as they are: compressing each takes a tenth of the time, and TestGzip
// and others look at that.
var plainly = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 2}

// newAPI starts a server with options, or takes the shared one.
func newAPI(t *testing.T, options ...partnercentertest.Options) *api {
	t.Helper()
	srv := sample
	switch {
	case len(options) > 0:
		srv = partnercentertest.NewServer(t, options...)
	case srv != nil:
		must(t, srv.Reset())
	default:
		var err error
		srv, err = partnercentertest.Start(partnercentertest.Options{})
		must(t, err)
		sample = srv
	}
	a := &api{Server: srv, client: &http.Client{
		Transport:     contracttest.NewChecker(t).Transport(plainly),
		CheckRedirect: func(r *http.Request, _ []*http.Request) error { return fmt.Errorf("redirected to %s", r.URL) },
	}}
	a.token = a.mint(t)
	return a
}

func (a *api) mint(t *testing.T) string {
	t.Helper()
	cred := a.Credential()
	if a.user != "" {
		cred = a.UserCredential(a.user)
	}
	token, err := cred.GetToken(t.Context(), tokenOptions)
	if err != nil {
		t.Fatal(err)
	}
	return token.Token
}

// request is one row of a table of requests.
type request struct {
	name    string
	method  string // default GET
	path    string
	header  http.Header // "Authorization": nil sends none
	body    string
	invalid bool // the request breaks the contract on purpose
	status  int
	code    partnercenter.ErrorCode // of an error body
	must    []string                // in the answer
	mustNot []string
	headers map[string]string // regular expressions
}

func (a *api) do(t *testing.T, r request) (*http.Response, []byte) {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	ctx := t.Context()
	if r.invalid || r.status >= 400 {
		ctx = contracttest.BadRequest(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, a.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	// The path goes out as the row has it, not as net/url would write it.
	path, query, _ := strings.Cut(r.path, "?")
	req.URL.Opaque = "//" + req.URL.Host + path
	req.URL.RawQuery = query
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Accept", "application/json")
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for key, values := range r.header {
		delete(req.Header, http.CanonicalHeaderKey(key))
		if values != nil {
			req.Header[key] = values
		}
	}
	client := a.client
	if len(r.body) > 4<<20 { // which takes long to check, and shows nothing that smaller ones do not
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, got
}

func (a *api) run(t *testing.T, table []request) {
	t.Helper()
	for _, r := range table {
		t.Run(r.name, func(t *testing.T) { a.check(t, r) })
	}
}

// check makes a request and looks at its answer.
func (a *api) check(t *testing.T, r request) {
	t.Helper()
	resp, body := a.do(t, r)
	if resp.StatusCode != r.status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, r.status, body)
	}
	if r.code != "" {
		var e partnercenter.ErrorBody
		if err := partnercenter.Unmarshal(body, &e); err != nil || e.Code != r.code {
			t.Errorf("code %s, want %s: %s", e.Code, r.code, body)
		}
		if !strings.HasSuffix(e.Description, ".") || e.Data == nil {
			t.Errorf("the description should end with a sentence on what to do, and data be an array: %s", body)
		}
	}
	for _, must := range r.must {
		if !strings.Contains(string(body), must) {
			t.Errorf("%q is missing in %s", must, body)
		}
	}
	for _, mustNot := range append(r.mustNot, a.token) {
		if strings.Contains(string(body), mustNot) {
			t.Errorf("%q is in %s", mustNot, body)
		}
	}
	for header, pattern := range r.headers {
		if got := strings.Join(resp.Header.Values(header), "|"); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: %q, want %s", header, got, pattern)
		}
	}
}

// TestSeedAnswer compares the list of the documented customer's orders.
func TestSeedAnswer(t *testing.T) {
	_, got := newAPI(t).do(t, request{path: seedOrders, status: 200})
	// Without white space, equal bytes are an equal value with its fields in
	// the same order.
	if diff := cmp.Diff(compact(t, contracttest.ReadPayload(t, "orders-list.seed.json")), compact(t, got)); diff != "" {
		t.Error(diff)
	}
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOrders(t *testing.T) {
	a := newAPI(t)
	other := "/v1/customers/" + foreignCustomer(t) + "/orders"
	a.run(t, []request{
		{name: "list", path: seedOrders, status: 200, must: []string{`"totalCount":2,`, shortOrder, legacyOrder}},
		{name: "upper case path", path: strings.ToUpper(seedOrders), status: 200, must: []string{`"totalCount":2,`, "/customers/" + seedCustomer + "/orders\""}},
		{name: "v1.0", path: strings.Replace(seedOrders, "/v1/", "/v1.0/", 1), status: 200, must: []string{`"totalCount":2,`}},
		{name: "trailing slash", path: seedOrders + "/", status: 200, must: []string{`"totalCount":2,`}},
		{name: "doubled slashes", path: "//v1//customers/" + seedCustomer + "//orders", status: 200, must: []string{`"totalCount":2,`}},
		{name: "escaped letter", path: strings.Replace(seedOrders, "customers", "c%75stomers", 1), status: 200, must: []string{`"totalCount":2,`}},
		{name: "HEAD", method: http.MethodHead, path: seedOrders, status: 200, headers: map[string]string{"Content-Length": `^[1-9]\d{3}$`, "Content-Type": "^application/json; charset=utf-8$"}},

		{name: "billingType one_time", path: seedOrders + "?billingType=one_time", status: 200, must: []string{`"totalCount":1,`, shortOrder}, mustNot: []string{legacyOrder}},
		{name: "billingType OneTime", path: seedOrders + "?billingType=OneTime", status: 200, must: []string{`"totalCount":1,`, shortOrder}},
		{name: "billingType onetime", path: seedOrders + "?billingtype=onetime", status: 200, must: []string{`"totalCount":1,`, shortOrder}},
		{name: "billingType oneTime", path: seedOrders + "?BILLINGTYPE=oneTime", status: 200, must: []string{`"totalCount":1,`, shortOrder}},
		{name: "billingType 4", path: seedOrders + "?billingType=4", status: 200, must: []string{`"totalCount":1,`, shortOrder}},
		{name: "billingType Monthly", path: seedOrders + "?billingType=Monthly&include_price=False", status: 200, must: []string{`"totalCount":1,`, legacyOrder}},
		{name: "billingType annual", path: seedOrders + "?billingType=annual", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "billingType unknown is no filter", path: seedOrders + "?billingType=unknown", status: 200, must: []string{`"totalCount":2,`}},
		{name: "billingType empty is no filter", path: seedOrders + "?billingType=", invalid: true, status: 200, must: []string{`"totalCount":2,`}},
		{name: "billingType banana", path: seedOrders + "?billingType=banana", status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"banana", `"one_time"`, `"monthly"`}},
		{name: "include_price True", path: seedOrders + "?include_price=True", status: 200, must: []string{`"totalCount":2,`}},
		{name: "include_price maybe", path: seedOrders + "?include_price=maybe", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "reseller unknown", path: seedOrders + "?indirect_reseller_id=4d3cf487-70f4-4e1e-9ff1-b2bfce8d9f04", status: 200, must: []string{`"totalCount":0,`}},
		{name: "reseller malformed", path: seedOrders + "?indirect_reseller_id=x", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "duplicate key", path: seedOrders + "?billingType=monthly&billingType=annual", status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"is repeated"}},
		{name: "duplicate key in another case", path: seedOrders + "?billingType=monthly&BillingType=monthly", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "broken query", path: seedOrders + "?billingType=%zz", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "unknown query name", path: seedOrders + "?utm_source=x", status: 200, invalid: true},

		{name: "get", path: seedOrders + "/" + shortOrder, status: 200, must: []string{`{"id":"` + shortOrder}},
		{name: "get by GUID in upper case", path: seedOrders + "/" + strings.ToUpper(legacyOrder), status: 200, must: []string{`{"id":"` + legacyOrder}},
		{name: "get with flags", path: seedOrders + "/" + shortOrder + "?include_price=false", status: 200},
		{name: "short ids are case-sensitive", path: seedOrders + "/" + strings.ToUpper(shortOrder), status: 404, code: partnercenter.ErrorCodeOrderNotFound},
		{name: "unknown order", path: seedOrders + "/nope", status: 404, code: partnercenter.ErrorCodeOrderNotFound, must: []string{"nope"}},
		{name: "order of nobody's customer", path: other + "/" + shortOrder, status: 403, code: partnercenter.ErrorCodeNoRelationship},

		{name: "customer id is no GUID", path: "/v1/customers/contoso/orders", status: 400, code: partnercenter.ErrorCodeInvalidCustomerID},
		{name: "customer id is nearly a GUID", path: "/v1/customers/b0d70a69x4c42-4b27-b17b-91a835d8686a/orders", status: 400, code: partnercenter.ErrorCodeInvalidCustomerID},
		{name: "customer unknown", path: "/v1/customers/00000000-0000-0000-0000-000000000001/orders", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "customer of another partner", path: other, status: 403, code: partnercenter.ErrorCodeNoRelationship},
	})
}

// TestForeignCustomersAreUnknown checks that another partner's customer cannot be
// distinguished from one that does not exist.
func TestForeignCustomersAreUnknown(t *testing.T) {
	a := newAPI(t)
	const nobody = "00000000-0000-0000-0000-000000000001"
	foreign := foreignCustomer(t)
	for _, path := range []string{"/v1/customers/%s", "/v1/customers/%s/orders", "/v1/customers/%s/orders/x", "/v1/customers/%s/orders?billingType=monthly&include_price=true"} {
		_, unknown := a.do(t, request{path: fmt.Sprintf(path, nobody), status: 403})
		_, known := a.do(t, request{path: fmt.Sprintf(path, foreign), status: 403})
		if want := strings.ReplaceAll(string(unknown), nobody, foreign); want != string(known) {
			t.Errorf("%s: the answers differ:\n%s\n%s", path, want, known)
		}
	}
}

// foreignCustomer is a customer of the sample's second partner.
func foreignCustomer(t *testing.T) string {
	t.Helper()
	from, err := seed.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return from.Partners[1].Customers[0].Customer.ID
}

func TestHeaders(t *testing.T) {
	a := newAPI(t)
	const guid = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
	a.run(t, []request{
		{name: "made up", path: seedOrders, status: 200, headers: map[string]string{
			"MS-RequestId": guid, "MS-CorrelationId": guid, "MS-CV": `^[A-Za-z0-9+/]{16}\.0$`,
			"MS-ServerId": `.`, "X-Locale": "^en-US$", "Content-Type": "^application/json; charset=utf-8$",
		}},
		{name: "echoed", path: seedOrders, status: 200, header: http.Header{
			"MS-RequestId": {"65b26053-37d0-4303-9fd1-46ad8012bcb6"}, "ms-correlationid": {"47c36033-af5d-4457-80a4-512c1626fac4"},
			"X-Locale": {"de-DE"}, "MS-CV": {"sF/wRa2ih0CzbABc.0"},
		}, headers: map[string]string{
			"MS-RequestId": "^65b26053-37d0-4303-9fd1-46ad8012bcb6$", "MS-CorrelationId": "^47c36033-af5d-4457-80a4-512c1626fac4$",
			"X-Locale": "^de-DE$", "MS-CV": `^sF/wRa2ih0CzbABc\.0$`,
		}},
		{name: "echoed on errors", path: "/v1/nothing", status: 404, code: partnercenter.ErrorCodeNotFound, header: http.Header{
			"MS-RequestId": {"65b26053-37d0-4303-9fd1-46ad8012bcb6"},
		}, headers: map[string]string{"MS-RequestId": "^65b26053-37d0-4303-9fd1-46ad8012bcb6$", "MS-CorrelationId": guid}},
		{name: "overlong id", path: seedOrders, status: 200, invalid: true, header: http.Header{"MS-RequestId": {strings.Repeat("x", 500)}}, headers: map[string]string{"MS-RequestId": guid}},
		{name: "no user agent, and a type on a GET", path: seedOrders, status: 200, header: http.Header{"User-Agent": {""}, "Content-Type": {"application/json; charset=utf-8"}}},
		{name: "lower-case bearer", path: seedOrders, status: 200, header: http.Header{"Authorization": {"bearer " + a.token}}},
		{name: "lower-case header name", path: seedOrders, status: 200, header: http.Header{"Authorization": nil, "authorization": {"Bearer " + a.token}}},

		{name: "Accept of axios", path: seedOrders, status: 200, header: http.Header{"Accept": {"application/json, text/plain, */*"}}},
		{name: "no Accept", path: seedOrders, status: 200, header: http.Header{"Accept": nil}},
		{name: "Accept any application type", path: seedOrders, status: 200, header: http.Header{"Accept": {"application/*;q=0.5"}}},
		{name: "Accept XML", path: seedOrders, status: 406, header: http.Header{"Accept": {"application/xml"}}, code: partnercenter.ErrorCodeInvalidInput},
		{name: "Accept anything but JSON", path: seedOrders, status: 406, header: http.Header{"Accept": {"application/json;q=0"}}, code: partnercenter.ErrorCodeInvalidInput},

		{name: "POST to the list", method: http.MethodPost, path: "/v1/customers/" + seedCustomer, body: "{}", status: 405, code: partnercenter.ErrorCodeOperationUnoffered, headers: map[string]string{"Allow": "^GET, HEAD$"}},
		{name: "a body on GET", path: seedOrders, body: `{"x":1}`, status: 400, code: partnercenter.ErrorCodeInvalidInput},
		{name: "unknown route", path: "/v1/customers/" + seedCustomer + "/bananas", status: 404, code: partnercenter.ErrorCodeNotFound, must: []string{"bananas"}},
		{name: "root", path: "/", status: 404, code: partnercenter.ErrorCodeNotFound},
		{name: "version alone", path: "/v1", status: 404, code: partnercenter.ErrorCodeNotFound},
		{name: "NUL", path: seedOrders + "/%00", status: 400, code: partnercenter.ErrorCodeInvalidInput},
		{name: "line break", path: seedOrders + "/a%0d%0ab", status: 400, code: partnercenter.ErrorCodeInvalidInput},
		{name: "dots", path: "/v1/customers/../customers", status: 400, code: partnercenter.ErrorCodeInvalidInput},
		{name: "escaped dots", path: "/v1/customers/%2e%2e/customers", status: 400, code: partnercenter.ErrorCodeInvalidInput},
		{name: "escaped slash stays in its segment", path: seedOrders + "/a%2Fb", status: 404, code: partnercenter.ErrorCodeOrderNotFound},
		{name: "overlong path", path: "/v1/" + strings.Repeat("x", 5000), status: 414, code: partnercenter.ErrorCodeInvalidInput},
		{name: "deep path", path: "/v1" + strings.Repeat("/x", 100), status: 404, code: partnercenter.ErrorCodeNotFound},
	})
}

func TestCustomers(t *testing.T) {
	a := newAPI(t)
	filter := func(field, value, operator string) string {
		return "/v1/customers?size=0&filter=" + url.QueryEscape(fmt.Sprintf(`{"Field":%q,"Value":%q,"Operator":%q}`, field, value, operator))
	}
	a.run(t, []request{
		{name: "list", path: "/v1/customers", status: 200, must: []string{seedCustomer, `"relationshipToPartner":"reseller"`}, mustNot: []string{"billingProfile", "continuationToken", `"next"`, foreignCustomer(t)}},
		{name: "size 0 is no limit", path: "/v1/customers?size=0", status: 200, must: []string{seedCustomer}, mustNot: []string{"continuationToken"}},
		{name: "page", path: "/v1/customers?size=2", status: 200, must: []string{`"totalCount":2,`, `"continuationToken":"`, `"next":{"uri":"/customers?size=2&seekOperation=Next","method":"GET","headers":[{"key":"MS-ContinuationToken","value":"`}},
		{name: "seek without a token is everything", path: "/v1/customers?seekOperation=next", status: 200, must: []string{seedCustomer}, mustNot: []string{"continuationToken"}},
		{name: "filter", path: filter("CompanyName", "wing", "starts_with"), status: 200, must: []string{`"totalCount":1,`, "Wingtip Toys"}},
		{name: "filter as Java writes it", path: "/v1/customers?size=0&filter=" + url.QueryEscape(`{"value":"WING","field":"companyname","fieldType":"String","operator":"StartsWith"}`), status: 200, must: []string{"Wingtip Toys"}},
		{name: "filter that nothing matches", path: filter("Domain", "100%", "starts_with"), status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "filter on another field", path: filter("ShoeSize", "9", "equals"), status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"CompanyName"}},
		{name: "filter with another operator", path: filter("Domain", "9", "resembles"), status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"starts_with"}},
		{name: "filter that is no JSON", path: "/v1/customers?filter=%7Bx", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "filter too long", path: filter("Domain", strings.Repeat("x", 3000), "equals"), status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size -1", path: "/v1/customers?size=-1", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size 1e9", path: "/v1/customers?size=1e9", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size a billion", path: "/v1/customers?size=1000000000", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size x", path: "/v1/customers?size=x", status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"whole number"}},
		{name: "offset -1", path: "/v1/customers?offset=-1", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "unknown seek", path: "/v1/customers?seekOperation=sideways", status: 400, code: partnercenter.ErrorCodeEnumUnparsable},
		{name: "forged token", path: "/v1/customers?seekOperation=Next", header: http.Header{"MS-ContinuationToken": {"AQAAAA=="}}, status: 400, code: partnercenter.ErrorCodeBadContinuation},
		{name: "nonsense token", path: "/v1/customers?seekOperation=Next", header: http.Header{"MS-ContinuationToken": {"!!"}}, status: 400, code: partnercenter.ErrorCodeBadContinuation},
		{name: "get", path: "/v1/customers/" + strings.ToUpper(seedCustomer), status: 200, must: []string{`"billingProfile":{`, `"allowDelegatedAccess":`}},
		{name: "get unknown", path: "/v1/customers/00000000-0000-0000-0000-000000000001", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "get malformed", path: "/v1/customers/x", status: 400, code: partnercenter.ErrorCodeInvalidCustomerID},
	})
}

// TestCustomerPages reads all customers in both paging styles and in every
// direction.
func TestCustomerPages(t *testing.T) {
	a := newAPI(t)
	pc := a.Client()
	whole, err := pc.Customers.Get(t.Context())
	if err != nil || len(whole.Items) < 10 || whole.TotalCount != len(whole.Items) {
		t.Fatalf("%v, %v", whole, err)
	}
	want := customerIDs(whole.Items)
	for _, q := range []partnercenter.CustomersQuery{{Size: 3}, {Size: 1}, {Size: len(want)}, {Size: 3, ByOffset: true}, {Size: len(want), ByOffset: true}, {}} {
		var got []*partnercenter.Customer
		for c, err := range pc.Customers.QueryAll(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c)
		}
		if diff := cmp.Diff(want, customerIDs(got)); diff != "" {
			t.Errorf("%+v: %s", q, diff)
		}
	}
	seek := func(operation partnercenter.SeekOperation, token string) *partnercenter.Collection[*partnercenter.Customer] {
		t.Helper()
		page, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Seek: operation, ContinuationToken: token})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	first, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Size: 3})
	if err != nil {
		t.Fatal(err)
	}
	second := seek(partnercenter.SeekOperationNext, first.ContinuationToken)
	for _, tt := range []struct {
		operation partnercenter.SeekOperation
		want      []string
	}{
		{partnercenter.SeekOperationPrevious, want[:3]}, {partnercenter.SeekOperationFirst, want[:3]},
		{partnercenter.SeekOperationNext, want[6:9]}, {"next", want[6:9]}, {partnercenter.SeekOperationLast, want[len(want)-3:]},
	} {
		if diff := cmp.Diff(tt.want, customerIDs(seek(tt.operation, second.ContinuationToken).Items)); diff != "" {
			t.Errorf("%s: %s", tt.operation, diff)
		}
	}
	if last := seek(partnercenter.SeekOperationLast, second.ContinuationToken); last.ContinuationToken != "" || last.Links.Next != nil {
		t.Errorf("something follows the last page: %+v", last.Links)
	}
	// A filter goes along with the token.
	filtered, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Size: 1, Filter: &partnercenter.FieldFilter{
		Field: partnercenter.CustomerSearchFieldDomain, Value: ".onmicrosoft.com", Operator: partnercenter.FilterOperatorSubstring,
	}})
	if err != nil || filtered.ContinuationToken == "" {
		t.Fatal(filtered, err)
	}
	if next := seek(partnercenter.SeekOperationNext, filtered.ContinuationToken); !strings.Contains(next.Items[0].CompanyProfile.Domain, ".onmicrosoft.com") {
		t.Errorf("the filter was lost: %s", next.Items[0].CompanyProfile.Domain)
	}
	// A partner cannot use another's token.
	for i := range first.ContinuationToken {
		forged := first.ContinuationToken[:i] + "A" + first.ContinuationToken[i+1:]
		if forged == first.ContinuationToken || i%7 > 0 {
			continue
		}
		resp, _ := a.do(t, request{path: "/v1/customers?seekOperation=Next", header: http.Header{"MS-ContinuationToken": {forged}}, status: 400})
		if resp.StatusCode != 400 {
			t.Fatalf("a token changed at %d was taken", i)
		}
	}
}

func customerIDs(list []*partnercenter.Customer) []string {
	ids := make([]string, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	return ids
}

// TestRoutesMatchTheSupportMatrix compares what is served with what the matrix
// says.
func TestRoutesMatchTheSupportMatrix(t *testing.T) {
	served, asks := map[string]string{}, map[string]partnercenter.CredentialKind{}
	for _, route := range server.Routes() {
		for _, o := range route.Operations {
			if route.Pattern != o.Path {
				continue // where links lead
			}
			served[o.Area+"/"+o.Name] = route.Method + " " + route.Pattern
			asks[o.Area+"/"+o.Name] = o.Credential
		}
	}
	const token = "POST {authority}/{tenant-id}/oauth2/token"
	for operation, its := range map[string]struct {
		route string
		asks  partnercenter.CredentialKind
	}{ // the issuer's
		"auth/authorize":                {"GET {authority}/common/oauth2/authorize", "user-only"},
		"auth/token-app-only":           {token, partnercenter.CredentialKindApp},
		"auth/token-authorization-code": {token, partnercenter.CredentialKindAppUser},
		"auth/token-refresh":            {token, partnercenter.CredentialKindAppUser},
	} {
		served[operation], asks[operation] = its.route, its.asks
	}
	for _, op := range contracttest.Matrix(t) {
		key := op.Area + "/" + op.Operation
		route, ok := served[key]
		delete(served, key)
		if ok != op.Server {
			t.Errorf("%s: served is %v, but docs/support-matrix.md says %v", key, ok, op.Server)
		}
		if ok && !strings.EqualFold(route, op.Method+" "+op.Path) {
			t.Errorf("%s is served at %s, the matrix says %s %s", key, route, op.Method, op.Path)
		}
		if ok && string(asks[key]) != op.Credential {
			t.Errorf("%s asks for %q, the matrix says %s", key, asks[key], op.Credential)
		}
	}
	for key := range served {
		t.Errorf("%s is served but not in docs/support-matrix.md", key)
	}
}

package contracttest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// Every payload is what the document says that it is. Odd ones are only sent
// like that: nothing the server answers has such a shape.
func TestPayloadsConform(t *testing.T) {
	for _, p := range Payloads(t) {
		t.Run(p.Name, func(t *testing.T) {
			_, schema := p.Type(t)
			if schema == nil || p.Odd && !p.Request {
				return
			}
			if found := Problems(p.Data, schema, p.Request); found != nil {
				t.Error(strings.Join(found, "\n"))
			}
		})
	}
}

// Every call that works has an example of each JSON body that it takes and
// gives.
func TestEveryOperationHasPayloads(t *testing.T) {
	have := map[string]bool{}
	for _, p := range Payloads(t) {
		if !p.Odd {
			have[strings.TrimSuffix(p.Name, ".json")] = true
		}
	}
	works := map[string]bool{}
	for _, op := range Matrix(t) {
		works[op.Area+"-"+op.Operation] = op.SDK || op.Server || op.CLI
	}
	for _, op := range partnercenter.Operations() {
		if name := op.Area + "-" + op.Name; op.Area == "applicationconsents" {
			works[name] = true // of a later edition than the matrix
		}
	}
	operations := described(loaded(t))
	for name, ok := range works {
		op := operations[name]
		switch {
		case !ok:
			continue
		case op == nil:
			t.Errorf("%s works, but the document does not have it", name)
			continue
		}
		if requestSchema(op) != nil && !have[name+".request"] {
			t.Errorf("there is no %s.request.json in internal/contract/testdata", name)
		}
		if responseSchema(op) != nil && !have[name+".response"] {
			t.Errorf("there is no %s.response.json in internal/contract/testdata", name)
		}
	}
}

// Payloads pass whole, not only their bodies, through a checker on either side.
func TestPayloadsPass(t *testing.T) {
	const books = "7e1f5a02-3bd8-4c96-a0e7-58d214b9c3f6"
	for _, tt := range []struct {
		payload string
		method  string
		path    string
		status  int
	}{
		{"orders-list.response.json", "GET", "/v1/customers/" + books + "/orders", 200},
		{"orders-get.response.json", "GET", "/v1/customers/" + books + "/orders/5c7e20b9f41d?include_price=False", 200},
		{"customers-list-by-indirect-reseller.response.json", "GET", "/v1//customers?size=0&filter=%7B%22Field%22:%22IndirectReseller%22%7D", 200},
		{"customers-get.response.json", "GET", "/V1.0/Customers/" + strings.ToUpper(books) + "/", 200},
		{"error.invalid.response.json", "GET", "/v1/customers", 400},
		{"error-gateway.response.json", "GET", "/v1/customers", 429},
		{"auth-token-app-only.response.json", "POST", "/harbourlane.example.com/oauth2/token", 200},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			a := answer{status: tt.status, header: vendorHeaders(), body: string(ReadPayload(t, tt.payload))}
			req := request(t, tt.method, tt.path)
			switch {
			case tt.status == http.StatusTooManyRequests:
				a.header = http.Header{"Content-Type": {"application/json"}, "Retry-After": {"31"}}
			case tt.method == http.MethodPost:
				a.header = authorityHeaders()
				req = tokenRequest(t, tt.path, "grant_type=client_credentials&resource=https%3A%2F%2Fgraph.windows.net&client_id=x&client_secret=y&x-client-SKU=go")
			}
			if got := exchangeProblems(t, req, a); got != nil {
				t.Errorf("refused:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

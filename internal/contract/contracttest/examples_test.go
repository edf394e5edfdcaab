package contracttest

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// examples are the documented payloads of what the document describes, and the
// schema of each. A pattern must match files, so that none goes unnoticed.
var examples = []struct{ pattern, schema string }{
	{"orders-list*.json", "OrderCollection"},
	{"orders-get*.json", "Order"},
	{"orders-create.response.json", "Order"},
	{"orders-patch-*.response.json", "Order"},
	{"orders-cancel-sandbox.response.json", "Order"},
	{"orders-provisioningstatus.response.json", "OrderLineItemProvisioningStatusCollection"},
	{"orders-lineitem-activationlinks.response.json", "OrderLineItemActivationLinkCollection"},
	{"orders-attachment-upload.response.json", "OrderAttachmentCollection"},
	{"orders-create.request.json", "OrderRequest"},
	{"orders-patch-*.request.json", "OrderRequest"},
	{"orders-cancel-sandbox.request.json", "OrderRequest"},
	{"subscriptions-get.response.json", "Subscription"},
	{"subscriptions-autorenew.request.json", "SubscriptionRequest"},
	{"subscriptions-autorenew.response.json", "Subscription"},
	{"subscriptions-cancel-marketplace.request.json", "SubscriptionRequest"},
	{"subscriptions-cancel-marketplace.response.json", "Subscription"},
	{"subscriptions-patch-quantity.request.json", "SubscriptionRequest"},
	{"subscriptions-suspend.request.json", "SubscriptionRequest"},
	{"subscriptions-reactivate.request.json", "SubscriptionRequest"},
	{"subscriptions-nickname.request.json", "SubscriptionRequest"},
	{"subscriptions-provisioningstatus.response.json", "SubscriptionProvisioningStatus"},
	{"subscriptions-activate-sandbox.response.json", "SubscriptionActivationResult"},
	{"customers-list*.json", "CustomerCollection"},
	{"customers-get.response.json", "Customer"},
	{"customers-create.response.json", "Customer"},
	{"customers-company-profile.response.json", "CustomerCompanyProfile"},
	{"customers-relationshiprequest.response.json", "CustomerRelationshipRequest"},
	{"error-40?-*.json", "Error"},
	{"error-429-gateway.response.json", "GatewayError"},
	{"error-600061-agreement-exists.response.json", "AgreementError"},
	{"auth-token-*.response.json", "TokenResponseV1"},
}

// placeholders are texts that the documentation's pages print in place of real
// values, and a value of the right kind.
var placeholders = map[string]string{
	"<guid>": "b44bb1fb-c595-45b0-9e09-d657365580bf",
}

// knownDefects are the payloads that a page shortened or the service would
// write otherwise, with what the schema finds in them.
var knownDefects = map[string][]string{
	// The page leaves out what the line holds.
	"orders-get-po-upload-complete.response.json": {
		`payload /lineItems/0/lineItemNumber: property "lineItemNumber" is missing`,
		`payload /lineItems/0/offerId: property "offerId" is missing`,
		`payload /lineItems/0/quantity: property "quantity" is missing`,
	},
}

func TestDocumentedPayloadsConform(t *testing.T) {
	folder := filepath.Join(Dir(t), "examples")
	for _, example := range examples {
		files, err := filepath.Glob(filepath.Join(folder, example.pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no such payloads in %s (%v)", example.pattern, folder, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for placeholder, value := range placeholders {
					data = bytes.ReplaceAll(data, []byte(placeholder), []byte(value))
				}
				got := payloadProblems(t, data, example.schema)
				if diff := cmp.Diff(knownDefects[filepath.Base(file)], got); diff != "" {
					t.Errorf("as %s (-known +got):\n%s", example.schema, diff)
				}
			})
		}
	}
}

// The documented answers pass whole, not only their bodies, through a checker
// on either side.
func TestDocumentedAnswersPass(t *testing.T) {
	folder := filepath.Join(Dir(t), "examples")
	for _, example := range []struct {
		file   string
		method string
		path   string
		status int
	}{
		{"orders-list.seed.json", "GET", "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/orders", 200},
		{"orders-get.response.json", "GET", "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/orders/YxH1q4KScfvfkJQjgRI8QY1DznnUWZTH1?include_price=False", 200},
		{"customers-list-by-indirect-reseller.response.json", "GET", "/v1//customers?size=0&filter=%7B%22Field%22:%22IndirectReseller%22%7D", 200},
		{"customers-get.response.json", "GET", "/V1.0/Customers/EEBD1B55-5360-4438-A11D-5C06918C3014/", 200},
		{"error-400-2000-tenant-not-guid.response.json", "GET", "/v1/customers", 400},
		{"error-429-gateway.response.json", "GET", "/v1/customers", 429},
		{"auth-token-app-only.response.json", "POST", "/contoso.onmicrosoft.com/oauth2/token", 200},
	} {
		t.Run(example.file, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(folder, example.file))
			if err != nil {
				t.Fatal(err)
			}
			a := answer{status: example.status, header: vendorHeaders(), body: string(body)}
			req := request(t, example.method, example.path)
			switch {
			case example.status == http.StatusTooManyRequests:
				a.header = http.Header{"Content-Type": {"application/json"}, "Retry-After": {"57"}}
			case example.method == http.MethodPost:
				a.header = authorityHeaders()
				req = tokenRequest(t, example.path, "grant_type=client_credentials&resource=https%3A%2F%2Fgraph.windows.net&client_id=x&client_secret=y&x-client-SKU=go")
			}
			if got := exchangeProblems(t, req, a); got != nil {
				t.Errorf("refused:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// Every payload of orders and customers is looked at, or left out by name.
func TestNoPayloadIsForgotten(t *testing.T) {
	leftOut := []string{
		"customers-billing-profile.response.json",        // placeholders for id, etag and links
		"customers-billing-profile-update.response.json", // the same
		"customers-remove-relationship.response.json",    // PascalCase with nulls, which the server never writes
	}
	folder := filepath.Join(Dir(t), "examples")
	for _, area := range []string{"orders", "customers", "error", "auth"} {
		files, err := filepath.Glob(filepath.Join(folder, area+"-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.HasSuffix(name, ".request.json") || slices.Contains(leftOut, name) {
				continue
			}
			if !slices.ContainsFunc(examples, func(e struct{ pattern, schema string }) bool {
				ok, _ := filepath.Match(e.pattern, name)
				return ok
			}) {
				t.Errorf("%s is held against no schema; add it to examples", name)
			}
		}
	}
}

// payloadProblems holds a JSON text against a schema of the document.
func payloadProblems(t *testing.T, data []byte, schema string) []string {
	t.Helper()
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	ref := doc.spec.Components.Schemas[schema]
	if ref == nil {
		t.Fatalf("the document has no schema %s", schema)
	}
	var found problems
	if value, ok := decodeJSON(&found, "payload", data); ok {
		if strings.HasSuffix(schema, "Request") && ref.Value.Type.Is(openapi3.TypeObject) {
			value = asDescribed(value, ref.Value) // bodies are read like this
		}
		checkValue(&found, "payload", value, ref)
	}
	return found
}

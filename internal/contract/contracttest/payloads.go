package contracttest

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// Payload is a file of internal/contract/testdata.
type Payload struct {
	// Name is the name of the file, below the folder: orders-create.request.json.
	Name string
	// Operation is the part of the name that identifies the call: orders-create.
	Operation string
	// Request distinguishes requests from answers.
	Request bool
	// Odd marks a form that the types read and the server accepts, but does not write.
	Odd  bool
	Data []byte
}

// Payloads returns all payloads, sorted by name.
func Payloads(tb testing.TB) []Payload {
	tb.Helper()
	root := payloadFolder(tb)
	var all []Payload
	for _, folder := range []string{"", "odd"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			tb.Fatal(err)
		}
		for _, entry := range entries {
			name, ok := strings.CutSuffix(entry.Name(), ".json")
			if !ok {
				continue
			}
			p := Payload{Name: filepath.ToSlash(filepath.Join(folder, entry.Name())), Odd: folder == "odd"}
			parts := strings.Split(name, ".")
			switch kind := parts[len(parts)-1]; {
			case len(parts) < 2 || kind != "request" && kind != "response" && kind != "seed":
				tb.Fatalf("payload %s: call it area-operation.request.json or .response.json, a variant between dots", p.Name)
			default:
				p.Operation, p.Request = parts[0], kind == "request"
			}
			p.Data = ReadPayload(tb, p.Name)
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Payload) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// ReadPayload returns a payload by name, such as orders-create.request.json.
func ReadPayload(tb testing.TB, name string) []byte {
	tb.Helper()
	return readFile(tb, "internal/contract/testdata/"+name)
}

func payloadFolder(tb testing.TB) string {
	return filepath.Join(installed.ModuleRoot(tb), "internal", "contract", "testdata")
}

// readFile reads a file of the project.
func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(installed.ModuleRoot(tb), filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Type returns the document's name for the type of the payload: Order, OrderCollection,
// []InventoryItem. Its schema is nil if the document has none, because the server does
// not serve the call yet.
func (p Payload) Type(tb testing.TB) (name string, schema *openapi3.SchemaRef) {
	tb.Helper()
	if names, ok := undescribed[p.Operation]; ok {
		if p.Request {
			return names.request, nil
		}
		return names.response, loaded(tb).spec.Components.Schemas[names.response]
	}
	for name, described := range described(loaded(tb)) {
		if name != p.Operation {
			continue
		}
		schema := responseSchema(described)
		if p.Request {
			schema = requestSchema(described)
		}
		if schema == nil {
			tb.Fatalf("payload %s: the document has no JSON for it", p.Name)
		}
		return schemaName(schema), schema
	}
	tb.Fatalf("payload %s: there is no operation %s", p.Name, p.Operation)
	return "", nil
}

// undescribed are payloads of calls that the server does not serve yet, and of every
// call.
var undescribed = map[string]struct{ request, response string }{
	"error":           {"", "Error"},
	"error-gateway":   {"", "GatewayError"},
	"error-agreement": {"", "AgreementError"},

	"customers-create":                      {"Customer", "Customer"},
	"customers-remove-relationship":         {"Customer", "Customer"},
	"customers-update-billing-profile":      {"CustomerBillingProfile", "CustomerBillingProfile"},
	"customers-get-relationship-request":    {"", "CustomerRelationshipRequest"},
	"relationships-list-indirect-resellers": {"", "PartnerRelationshipCollection"},
}

// described returns the documented calls that the document has, by area and name joined
// by a hyphen. Of two that cover one, the one with its name wins.
func described(doc *document) map[string]*openapi3.Operation {
	all := map[string]*openapi3.Operation{}
	for _, item := range doc.spec.Paths.Map() {
		for _, op := range item.Operations() {
			covered, _ := op.Extensions["x-partnercenter-operations"].([]any)
			for _, name := range covered {
				if name := name.(string); all[name] == nil || name == op.OperationID {
					all[name] = op
				}
			}
		}
	}
	return all
}

// requestSchema is nil if no JSON is sent. For an upload it is the schema of the
// metadata.
func requestSchema(op *openapi3.Operation) *openapi3.SchemaRef {
	if op.RequestBody == nil || !op.RequestBody.Value.Required {
		return nil
	}
	if media := op.RequestBody.Value.Content["application/json"]; media != nil {
		return media.Schema
	}
	if media := op.RequestBody.Value.Content["multipart/form-data"]; media != nil {
		return media.Schema.Value.Properties["metadata"]
	}
	return nil
}

// responseSchema is nil if a success has no JSON.
func responseSchema(op *openapi3.Operation) *openapi3.SchemaRef {
	for status, response := range op.Responses.Map() {
		if media := response.Value.Content["application/json"]; media != nil && strings.HasPrefix(status, "2") {
			return media.Schema
		}
	}
	return nil
}

func schemaName(schema *openapi3.SchemaRef) string {
	if schema.Ref == "" && schema.Value.Items != nil {
		return "[]" + schemaName(schema.Value.Items)
	}
	return schema.Ref[strings.LastIndex(schema.Ref, "/")+1:]
}

// Problems checks JSON text against a schema of the document and returns each position
// that does not match. Requests are read as the API does: keys in any case, null as
// absent.
func Problems(data []byte, schema *openapi3.SchemaRef, request bool) []string {
	var found problems
	if request {
		data = bytes.TrimPrefix(data, byteOrderMark)
	}
	if value, ok := decodeJSON(&found, "payload", data); ok {
		if request {
			value = asDescribed(value, schema.Value)
		}
		checkValue(&found, "payload", value, schema)
		checkTotalCount(&found, value)
	}
	return found
}

// Schema returns a schema of the document by name.
func Schema(tb testing.TB, name string) *openapi3.SchemaRef {
	tb.Helper()
	ref := loaded(tb).spec.Components.Schemas[name]
	if ref == nil {
		tb.Fatalf("the document has no schema %s", name)
	}
	return ref
}

func loaded(tb testing.TB) *document {
	tb.Helper()
	doc, err := loadDocument()
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

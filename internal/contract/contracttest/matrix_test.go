package contracttest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

// The matrix names every call, in the order of the table in package
// partnercenter, with its method, path and credential. The token authority's
// are only here.
func TestMatrixHasEveryOperation(t *testing.T) {
	var want, got []Operation
	for _, o := range partnercenter.Operations() {
		want = append(want, Operation{Area: o.Area, Operation: o.Name, Method: o.Method, Path: o.Path, Credential: string(o.Credential)})
	}
	for _, op := range Matrix(t) {
		if op.SDK, op.Server, op.CLI, op.Later = false, false, false, false; op.Area != "auth" {
			got = append(got, op)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/support-matrix.md differs from operations.go (-operations.go +matrix):\n%s", diff)
	}
}

// What the matrix says the server supports is what the document describes.
func TestMatrixAgreesWithTheDocument(t *testing.T) {
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]string{} // documented operation → "METHOD path", the first that has it
	for path, item := range doc.spec.Paths.Map() {
		for method, op := range item.Operations() {
			covered, _ := op.Extensions["x-partnercenter-operations"].([]any)
			for _, name := range covered {
				if name := name.(string); described[name] == "" || name == op.OperationID {
					described[name] = method + " " + path
				}
			}
		}
	}
	for _, op := range Matrix(t) {
		name := op.Area + "-" + op.Operation
		where, ok := described[name]
		delete(described, name)
		if op.Server != ok {
			t.Errorf("%s: the matrix says the server supports it: %v; the document has it: %v", name, op.Server, ok)
		}
		// The documentation names a tenant in some calls of the authority, all in others.
		want := op.Method + " " + strings.NewReplacer("{authority}/{tenant-id}/", "/{tenant}/", "{authority}/common/", "/{tenant}/").Replace(op.Path)
		if ok && where != want {
			t.Errorf("%s: the document has it as %s, the documentation as %s", name, where, want)
		}
	}
	for name, where := range described {
		t.Errorf("%s of %s is no documented operation", name, where)
	}
}

func TestParseMatrix(t *testing.T) {
	const header = "| Area | Operation | Method and path | Credential | SDK | Server | CLI |\n|--|--|--|--|--|--|--|\n"
	got, err := parseMatrix("# Title\n\n| other | table |\n|---|---|\n| a | b |\n\n" + header +
		"| orders | get | `GET /v1/x/{id}` | both | works | not yet | works |\n\nText.\n\n" +
		strings.Replace(header, "Operation", "Later operation", 1) + "| x | list | `GET /v1/x` | app+user | works | works | works |\n")
	want := []Operation{
		{Area: "orders", Operation: "get", Method: "GET", Path: "/v1/x/{id}", Credential: "both", SDK: true, CLI: true},
		{Area: "x", Operation: "list", Method: "GET", Path: "/v1/x", Credential: "app+user", SDK: true, Server: true, CLI: true, Later: true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}

	for _, bad := range []struct{ name, text, err string }{
		{"no table", "# Title\n", "no table with the columns Area"},
		{"unknown status", header + "| orders | get | `GET /v1` | both | works | maybe | works |\n", `line 3: Server is "maybe"`},
		{"missing cell", header + "| orders | get | `GET /v1` | both | works | works |\n", "line 3: 6 cells, expected 7"},
		{"no method", header + "| orders | get | `/v1` | both | works | works | works |\n", "is not a method and path"},
		{"two tables", header + "| orders | get | `GET /v1` | both | works | works | works |\n\n" + header, "a second table"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := parseMatrix(bad.text)
			if err == nil || !strings.Contains(err.Error(), bad.err) {
				t.Errorf("error %v, expected %q in it", err, bad.err)
			}
		})
	}
}

package contracttest

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The matrix names every documented call, in the order of the documentation's
// own table, with its method, path and credential.
func TestMatrixHasEveryDocumentedOperation(t *testing.T) {
	f, err := os.Open(filepath.Join(Dir(t), "operations.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"area", "operation", "method", "path", "query_params", "auth"}; !slices.Equal(rows[0][:6], want) {
		t.Fatalf("operations.csv begins with %q, expected %q", rows[0][:6], want)
	}
	var want []Operation
	for _, r := range rows[1:] {
		want = append(want, Operation{Area: r[0], Operation: r[1], Method: r[2], Path: r[3], Credential: r[5]})
	}
	got := Matrix(t)
	for i := range got {
		got[i].SDK, got[i].Server, got[i].CLI = false, false, false
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/support-matrix.md differs from the documented calls (-documented +matrix):\n%s", diff)
	}
}

// What the matrix says the server does is what the document describes.
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
		"| orders | get | `GET /v1/x/{id}` | both | works | not yet | works |\n\nText.\n")
	want := []Operation{{Area: "orders", Operation: "get", Method: "GET", Path: "/v1/x/{id}", Credential: "both", SDK: true, CLI: true}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}

	for _, bad := range []struct{ name, text, err string }{
		{"no table", "# Title\n", "no table with the columns Area"},
		{"unknown status", header + "| orders | get | `GET /v1` | both | works | maybe | works |\n", `line 3: Server is "maybe"`},
		{"missing cell", header + "| orders | get | `GET /v1` | both | works | works |\n", "line 3: 6 cells, expected 7"},
		{"no method", header + "| orders | get | `/v1` | both | works | works | works |\n", "is no method and path"},
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

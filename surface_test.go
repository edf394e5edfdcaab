package partnercenter_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// surfaceVerbs are the columns of the table in docs/sdk.md, which every resource has by
// the same names. What else a client can do is in the last column.
var surfaceVerbs = []string{"Get", "All", "Query", "QueryAll", "Create", "Patch", "Delete"}

// surfaceRow is a client by the way that leads to it.
type surfaceRow struct {
	path      string
	verbs     map[string]bool // those that do I/O
	selectors []string        // those that return the same client, narrowed
}

var (
	contextType = reflect.TypeFor[context.Context]()
	pkgPath     = reflect.TypeFor[partnercenter.Client]().PkgPath()
)

// isClient reports whether t is a pointer to one of the package's clients.
func isClient(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().PkgPath() == pkgPath &&
		(strings.HasSuffix(t.Elem().Name(), "Client") || strings.HasPrefix(t.Elem().Name(), "CountrySelector["))
}

// surface walks the tree of accessors.
func surface(t reflect.Type, path string) []surfaceRow {
	row := surfaceRow{path: path, verbs: map[string]bool{}}
	var below []surfaceRow
	for m := range t.Methods() {
		switch in := m.Type; {
		case in.NumIn() > 1 && in.In(1) == contextType:
			row.verbs[m.Name] = true
		case in.NumOut() == 1 && in.Out(0) == t:
			row.selectors = append(row.selectors, m.Name)
		case in.NumOut() == 1 && isClient(in.Out(0)):
			below = append(below, surface(in.Out(0), path+"."+m.Name+"()")...)
		}
	}
	for i := range t.Elem().NumField() {
		if f := t.Elem().Field(i); f.IsExported() && isClient(f.Type) {
			below = append(below, surface(f.Type, path+"."+f.Name)...)
		}
	}
	if len(row.verbs) == 0 {
		return below
	}
	return append([]surfaceRow{row}, below...)
}

func surfaceTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| client | %s | others | narrowed by |\n|---|%s---|---|\n", strings.Join(surfaceVerbs, " | "), strings.Repeat(":-:|", len(surfaceVerbs)))
	for _, row := range surface(reflect.TypeFor[*partnercenter.Client](), "pc") {
		fmt.Fprintf(&b, "| `%s` |", row.path)
		for _, verb := range surfaceVerbs {
			mark := ""
			if row.verbs[verb] {
				mark = "x"
			}
			delete(row.verbs, verb)
			fmt.Fprintf(&b, " %s |", mark)
		}
		fmt.Fprintf(&b, " %s | %s |\n", codes(slices.Sorted(maps.Keys(row.verbs))), codes(row.selectors))
	}
	return b.String()
}

// TestSurface keeps the table in docs/sdk.md to what there is, and every list to
// the same verbs.
func TestSurface(t *testing.T) {
	for _, row := range surface(reflect.TypeFor[*partnercenter.Client](), "pc") {
		if row.verbs["All"] && !row.verbs["Get"] && row.path != "pc.Orders" {
			t.Errorf("%s has All and no Get", row.path)
		}
		if row.verbs["Query"] != row.verbs["QueryAll"] {
			t.Errorf("%s has one of Query and QueryAll", row.path)
		}
	}

	path := filepath.Join("docs", "sdk.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- surface:begin -->\n", "<!-- surface:end -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("%s has no %s and %s", path, begin, end)
	}
	want := before + begin + surfaceTable() + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Errorf("%s does not show the clients as they are: run go generate .", path)
	}
}

// TestListsHaveAll finds the methods Get that return a list.
func TestListsHaveAll(t *testing.T) {
	var look func(client reflect.Type)
	look = func(client reflect.Type) {
		get, ok := client.MethodByName("Get")
		if ok && strings.HasPrefix(get.Type.Out(0).Elem().Name(), "Collection[") {
			all, ok := client.MethodByName("All")
			if !ok {
				t.Errorf("%s gets a list and has no All", client)
			} else if got, want := all.Type.NumIn(), get.Type.NumIn(); got != want {
				t.Errorf("%s: All takes %d arguments, Get %d", client, got, want)
			}
		}
		for m := range client.Methods() {
			if m.Type.NumOut() == 1 && isClient(m.Type.Out(0)) && m.Type.Out(0) != client {
				look(m.Type.Out(0))
			}
		}
		for i := range client.Elem().NumField() {
			if f := client.Elem().Field(i); f.IsExported() && isClient(f.Type) {
				look(f.Type)
			}
		}
	}
	look(reflect.TypeFor[*partnercenter.Client]())
}

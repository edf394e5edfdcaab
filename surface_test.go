package partnercenter_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
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
	selectors []string        // those that return the list, limited
}

var (
	contextType = reflect.TypeFor[context.Context]()
	pkgPath     = reflect.TypeFor[partnercenter.Client]().PkgPath()
)

// isClient reports whether t is a pointer to one of the package's clients.
func isClient(t reflect.Type) bool {
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || t.Elem().PkgPath() != pkgPath {
		return false
	}
	name, _, _ := strings.Cut(t.Elem().Name(), "[")
	return strings.HasSuffix(name, "Client") || name == "CountrySelector"
}

// isLimited reports whether t is a list that an accessor limited. It has no ids, and
// nothing but what its list has.
func isLimited(t reflect.Type) bool {
	name, _, _ := strings.Cut(t.Elem().Name(), "[")
	return strings.HasSuffix(name, "ListClient")
}

func hasVerbs(t reflect.Type) bool {
	for m := range t.Methods() {
		if m.Type.NumIn() > 1 && m.Type.In(1) == contextType {
			return true
		}
	}
	return false
}

// surface walks the tree of accessors.
func surface(t reflect.Type, path string) []surfaceRow {
	row := surfaceRow{path: path, verbs: map[string]bool{}}
	var below []surfaceRow
	for m := range t.Methods() {
		switch in := m.Type; {
		case in.NumIn() > 1 && in.In(1) == contextType:
			row.verbs[m.Name] = true
		case in.NumOut() == 1 && isClient(in.Out(0)) && isLimited(in.Out(0)) && hasVerbs(t):
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

// TestSurfaceDocs keeps the table in docs/sdk.md to what there is.
func TestSurfaceDocs(t *testing.T) {
	generated(t, "docs/sdk.md", "surface", surfaceTable())
}

// TestLimitedLists has no list with a limit do what would not heed the limit.
func TestLimitedLists(t *testing.T) {
	found := 0
	for _, client := range clients() {
		if !isLimited(client) {
			continue
		}
		found++
		for m := range client.Methods() {
			verb := m.Type.NumIn() > 1 && m.Type.In(1) == contextType && slices.Contains([]string{"Get", "All", "Query", "QueryAll"}, m.Name)
			if !verb && (m.Type.NumOut() != 1 || m.Type.Out(0) != client) {
				t.Errorf("%s has %s, which does not list", client, m.Name)
			}
		}
	}
	if found != 12 {
		t.Errorf("%d kinds of limited lists, want 12", found)
	}
}

// TestQueryAll has every list that is queried page by page yield all of its pages.
func TestQueryAll(t *testing.T) {
	for _, row := range surface(reflect.TypeFor[*partnercenter.Client](), "pc") {
		if row.verbs["Query"] != row.verbs["QueryAll"] {
			t.Errorf("%s has one of Query and QueryAll", row.path)
		}
	}
}

// TestListsHaveAll finds the methods Get that return a list.
func TestListsHaveAll(t *testing.T) {
	for _, client := range clients() {
		get, ok := client.MethodByName("Get")
		if !ok || !strings.HasPrefix(get.Type.Out(0).Elem().Name(), "Collection[") {
			continue
		}
		all, ok := client.MethodByName("All")
		if !ok {
			t.Errorf("%s gets a list and has no All", client)
		} else if got, want := all.Type.NumIn(), get.Type.NumIn(); got != want {
			t.Errorf("%s: All takes %d arguments, Get %d", client, got, want)
		}
	}
}

// notRead are types of text that only this package makes, so that nobody spells them
// otherwise, and those that have no list of values.
var notRead = map[string]bool{
	"Decimal": true, "ErrorCode": true, "ErrorCategory": true, "BudgetClass": true,
	"CredentialKind": true, "CredentialReason": true,
}

// TestEnums holds the types of text to one form: constants are called by the type and
// the value, and Known and Normalize are there for what is read.
func TestEnums(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	enums, methods, found := map[string]bool{}, map[string]bool{}, 0
	var constants [][2]string // type, name
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv != nil {
					if recv, ok := decl.Recv.List[0].Type.(*ast.Ident); ok {
						methods[recv.Name+"."+decl.Name.Name] = true
					}
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "string" && spec.Name.IsExported() {
							enums[spec.Name.Name] = true
						}
					case *ast.ValueSpec:
						if kind, ok := spec.Type.(*ast.Ident); ok && decl.Tok == token.CONST {
							for _, name := range spec.Names {
								constants = append(constants, [2]string{kind.Name, name.Name})
							}
						}
					}
				}
			}
		}
	}
	for enum := range enums {
		if !notRead[enum] {
			found++
			for _, method := range []string{".Known", ".Normalize"} {
				if !methods[enum+method] {
					t.Errorf("%s has no method %s", enum, method[1:])
				}
			}
		}
	}
	for _, c := range constants {
		if enums[c[0]] && !strings.HasPrefix(c[1], c[0]) {
			t.Errorf("%s is a %s: call it %s…", c[1], c[0], c[0])
		}
	}
	if found < 15 || len(constants) < 100 {
		t.Errorf("only %d types and %d constants", found, len(constants))
	}
}

// TestPackageDocIsShort keeps what go doc prints before the types to two screens.
func TestPackageDocIsShort(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "doc", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(out), "\ntype ")
	if n := strings.Count(before, "\n"); !ok || n > 48 {
		t.Errorf("go doc prints %d lines before the types, want 48 at most", n)
	}
}

// wireTypes are the types of structs that verbs take and return, and those of their parts.
func wireTypes() []reflect.Type {
	var found []reflect.Type
	var look func(reflect.Type)
	look = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			look(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if t.PkgPath() != pkgPath || slices.Contains(found, t) || isClient(reflect.PointerTo(t)) {
			return
		}
		if _, ok := t.FieldByName("Extra"); ok {
			found = append(found, t)
		}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				look(f.Type)
			}
		}
	}
	look(reflect.TypeFor[partnercenter.Error]())
	for _, client := range clients() {
		for m := range client.Methods() {
			if m.Type.NumIn() < 2 || m.Type.In(1) != contextType {
				continue
			}
			for in := range m.Type.Ins() {
				look(in)
			}
			for out := range m.Type.Outs() {
				look(out)
				if out.Kind() == reflect.Func && out.NumIn() == 1 && out.In(0).Kind() == reflect.Func {
					look(out.In(0).In(0)) // of an iterator
				}
			}
		}
	}
	return found
}

// clients are the types of the tree of accessors.
func clients() []reflect.Type {
	var found []reflect.Type
	var look func(reflect.Type)
	look = func(t reflect.Type) {
		if !isClient(t) || slices.Contains(found, t) {
			return
		}
		found = append(found, t)
		for m := range t.Methods() {
			if m.Type.NumOut() == 1 {
				look(m.Type.Out(0))
			}
		}
		for i := range t.Elem().NumField() {
			if f := t.Elem().Field(i); f.IsExported() {
				look(f.Type)
			}
		}
	}
	look(reflect.TypeFor[*partnercenter.Client]())
	return found
}

// TestPointers holds fields to the rule of docs/sdk.md: a part that may be absent is a
// pointer, and so is a number or a boolean; texts, times and elements of lists are values.
func TestPointers(t *testing.T) {
	types := wireTypes()
	for _, wire := range types {
		for i := range wire.NumField() {
			f := wire.Field(i)
			switch kind := f.Type.Kind(); {
			case wire.Name() == "Error" || strings.HasPrefix(wire.Name(), "Collection["):
			case kind == reflect.Struct && f.Type != reflect.TypeFor[partnercenter.Time]():
				t.Errorf("%s.%s is a part, but no pointer", wire.Name(), f.Name)
			case kind == reflect.Int || kind == reflect.Bool || kind == reflect.Float64:
				t.Errorf("%s.%s is a %s, but no pointer", wire.Name(), f.Name, kind)
			case (kind == reflect.Slice || kind == reflect.Map) && f.Type.Elem().Kind() == reflect.Pointer:
				t.Errorf("%s.%s has elements that are pointers", wire.Name(), f.Name)
			case kind == reflect.Pointer && !slices.Contains([]reflect.Kind{reflect.Struct, reflect.Int, reflect.Bool, reflect.String}, f.Type.Elem().Kind()):
				t.Errorf("%s.%s is a %s", wire.Name(), f.Name, f.Type)
			}
		}
	}
	if len(types) < 40 {
		t.Errorf("only %d types", len(types))
	}
}

// TestOptionalNumbersHaveMethods finds fields of type *int whose reader would have to
// check for nil.
func TestOptionalNumbersHaveMethods(t *testing.T) {
	found := 0
	for _, wire := range wireTypes() {
		empty, full := reflect.New(wire), reflect.New(wire)
		for i := range wire.NumField() {
			field := wire.Field(i)
			if field.Type != reflect.TypeFor[*int]() {
				continue
			}
			found++
			full.Elem().Field(i).Set(reflect.ValueOf(new(7 + i)))
			for value, want := range map[reflect.Value]int{empty: 0, full: 7 + i} {
				method := value.MethodByName("Get" + field.Name)
				if !method.IsValid() {
					t.Errorf("%s has no method Get%s", wire.Name(), field.Name)
				} else if got := method.Call(nil)[0].Int(); got != int64(want) {
					t.Errorf("%s.Get%s() = %d, want %d", wire.Name(), field.Name, got, want)
				}
			}
		}
	}
	if found < 19 {
		t.Errorf("only %d optional numbers", found)
	}
}

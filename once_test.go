package partnercenter_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// homes are the only places where commonly needed code may be written.
var homes = []struct {
	what  string
	found func(file string, n ast.Node) bool
	homes []string // folders, with those below them
}{
	{"YAML", imports("go.yaml.in/yaml/v3"), []string{"internal/yamlfile"}},
	{"a problem at a line and column", isProblem, []string{"internal/yamlfile"}},
	{"a suggestion", imports("github.com/agnivade/levenshtein"), []string{"internal/suggest"}},
	{"a check of GUIDs", isGUIDCheck, []string{"internal/guid"}},
	{"a package of GUIDs", imports("github.com/google/uuid"), nil},
	{"a derived GUID", imports("crypto/sha1"), []string{"internal/guid", "internal/certificate"}}, // and thumbprints
	{"quoting", isQuoting, []string{"internal/quote"}},
	{"a check of loopback hosts", isSelector("IsLoopback"), []string{"internal/loopback", "internal/localca", "cmd/partnercenter"}}, // of an IP address
	{"the system's certificate authorities", isSelector("SystemCertPool"), []string{"internal/certificate"}},
	{"the claims of a token", isLiteral(`json:"idtyp`), []string{"internal/claims", "internal/token"}}, // to read; to sign and check
	{"Retry-After", isRetryAfter, []string{"internal/retryafter"}},
	{"the API's app id", isLiteral("fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"), []string{"internal/token"}},
	{"a link of the service's form", isLink, []string{"."}},
}

// TestOnce checks that commonly needed code is written in one place.
func TestOnce(t *testing.T) {
	files := sources(t)
	for _, home := range homes {
		places := map[string][]string{}
		for file, parsed := range files {
			ast.Inspect(parsed.File, func(n ast.Node) bool {
				if n != nil && home.found(file, n) {
					places[path.Dir(file)] = append(places[path.Dir(file)], parsed.at(n))
				}
				return true
			})
		}
		used := map[string]bool{}
		for _, folder := range slices.Sorted(maps.Keys(places)) {
			at := slices.IndexFunc(home.homes, func(home string) bool { return folder == home || strings.HasPrefix(folder, home+"/") })
			if at < 0 {
				t.Errorf("%s: %s is written here too; use what %s has", strings.Join(places[folder], ", "), home.what, strings.Join(home.homes, " or "))
				continue
			}
			used[home.homes[at]] = true
		}
		for _, folder := range home.homes {
			if !used[folder] {
				t.Errorf("%s has no longer %s: take it out of the list, or make the test find it", folder, home.what)
			}
		}
	}
}

// TestOneBillingCycleParser pins that the command line reads billing cycles in
// one place, whatever flag they come by: only one file names cycles, lists them, or has
// functions that return one.
func TestOneBillingCycleParser(t *testing.T) {
	parsers := map[string]bool{}
	for file, parsed := range sources(t) {
		if !strings.HasPrefix(file, "cmd/") {
			continue
		}
		ast.Inspect(parsed.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if strings.HasPrefix(n.Sel.Name, "BillingCycleType") && n.Sel.Name != "BillingCycleType" {
					parsers[file] = true
				}
			case *ast.FuncType:
				if n.Results == nil {
					break
				}
				for _, result := range n.Results.List {
					if s, ok := result.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "BillingCycleType" {
						parsers[file] = true
					}
				}
			}
			return true
		})
	}
	if len(parsers) != 1 {
		t.Errorf("billing cycles are read in %v, want one place", slices.Sorted(maps.Keys(parsers)))
	}
}

func imports(name string) func(string, ast.Node) bool {
	return func(_ string, n ast.Node) bool {
		spec, ok := n.(*ast.ImportSpec)
		return ok && spec.Path.Value == `"`+name+`"`
	}
}

func isLiteral(text string) func(string, ast.Node) bool {
	return func(_ string, n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		return ok && literal.Kind == token.STRING && strings.Contains(literal.Value, text)
	}
}

func isSelector(name string) func(string, ast.Node) bool {
	return func(_ string, n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		return ok && selector.Sel.Name == name
	}
}

// isProblem finds structs with a line and a column, as mistakes in files have.
func isProblem(_ string, n ast.Node) bool {
	s, ok := n.(*ast.StructType)
	if !ok {
		return false
	}
	var names []string
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			names = append(names, strings.ToLower(name.Name))
		}
	}
	return slices.Contains(names, "line") && slices.Contains(names, "column")
}

var guidPattern = regexp.MustCompile(`\{8\}.*\{12\}|a-f[^"]*\{36\}|%x-%x-%x`)

// isGUIDCheck finds regular expressions of GUIDs, their length, and functions
// that are named for them.
func isGUIDCheck(_ string, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BasicLit:
		return n.Kind == token.STRING && guidPattern.MatchString(n.Value) || n.Kind == token.INT && n.Value == "36"
	case *ast.FuncDecl:
		name := strings.ToLower(n.Name.Name)
		return n.Recv == nil && (strings.HasSuffix(name, "guid") || strings.HasSuffix(name, "uuid"))
	}
	return false
}

// isQuoting finds functions that are named for it, and those of package strconv.
func isQuoting(_ string, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return slices.Contains([]string{"quote", "quoted", "quotetext"}, strings.ToLower(n.Name.Name))
	case *ast.SelectorExpr:
		x, ok := n.X.(*ast.Ident)
		return ok && x.Name == "strconv" && strings.HasPrefix(n.Sel.Name, "Quote")
	}
	return false
}

// isRetryAfter finds the header's name where it is not in a sentence. The client lists it
// among those that may be logged.
func isRetryAfter(file string, n ast.Node) bool {
	literal, ok := n.(*ast.BasicLit)
	return ok && file != "pipeline.go" && literal.Value == `"Retry-After"`
}

// isLink finds composite literals of links.
func isLink(_ string, n ast.Node) bool {
	literal, ok := n.(*ast.CompositeLit)
	if !ok || len(literal.Elts) == 0 {
		return false
	}
	switch name := literal.Type.(type) {
	case *ast.Ident:
		return name.Name == "Link"
	case *ast.SelectorExpr:
		return name.Sel.Name == "Link"
	}
	return false
}

type source struct {
	*ast.File
	set *token.FileSet
}

func (s source) at(n ast.Node) string { return s.set.Position(n.Pos()).String() }

// sources are the module's Go files but tests.
func sources(t *testing.T) map[string]source {
	t.Helper()
	files := map[string]source{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		files[filepath.ToSlash(file)] = source{parsed, set}
		return err
	})
	if err != nil || len(files) < 100 {
		t.Fatal(fmt.Errorf("%d files: %w", len(files), err))
	}
	return files
}

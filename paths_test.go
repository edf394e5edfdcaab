package partnercenter_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contractVariable names the folder of the documented payloads. It is written in
// two parts, as nothing but package published may name it.
const contractVariable = "PARTNERCENTER_" + "CONTRACT"

// TestNothingOutsideIsRead keeps the project to itself: no Go file, no script and
// no Makefile names a path outside of the repository, so that everything works
// in a clone that has nothing beside it. Only package published does, and what
// runs on the project's own machines.
func TestNothingOutsideIsRead(t *testing.T) {
	looked := 0
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (file == "internal/contract/published" || file != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules")):
			return filepath.SkipDir
		case entry.IsDir() || entry.Name() != "Makefile" && !slices.Contains([]string{".go", ".sh", ".mjs", ".py"}, filepath.Ext(file)):
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		looked++
		for _, found := range outside(t, file, source) {
			t.Errorf("%s: a clone alone does not have it; put what the test needs into a testdata folder, or the test into internal/contract/published", found)
		}
		return nil
	})
	if err != nil || looked < 100 {
		t.Fatalf("only %d files: %v", looked, err)
	}
}

// outside returns the places of a file that name something outside of the
// repository. The file's path is relative to the root.
func outside(t *testing.T, file string, source []byte) []string {
	t.Helper()
	if !strings.HasSuffix(file, ".go") {
		return outsideOfScript(file, string(source))
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &sourceFile{folder: path.Dir(file), texts: map[string][]ast.Expr{}, packages: map[string]bool{}}
	for _, spec := range parsed.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		local := path.Base(name)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		s.packages[local] = slices.Contains(pathPackages, name)
	}
	ast.Inspect(parsed, s.collect)
	var found []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if named := s.names(n); named != "" {
			found = append(found, fmt.Sprintf("%s names %q", set.Position(n.Pos()), named))
		}
		return true
	})
	return slices.Compact(found)
}

// pathPackages take paths of files.
var pathPackages = []string{"os", "os/exec", "path/filepath", "io/ioutil", "go/parser", "testing/fstest"}

type sourceFile struct {
	folder   string
	texts    map[string][]ast.Expr // what constants and variables are set to
	packages map[string]bool       // names of imports, and whether they take paths
}

func (s *sourceFile) collect(n ast.Node) bool {
	set := func(names []ast.Expr, values []ast.Expr) {
		for i, name := range names {
			if id, ok := name.(*ast.Ident); ok && i < len(values) {
				s.texts[id.Name] = append(s.texts[id.Name], values[i])
			}
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		set(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		var names []ast.Expr
		for _, id := range n.Names {
			names = append(names, id)
		}
		set(names, n.Values)
	}
	return true
}

// names returns what a node names outside of the repository, if anything: where
// files are opened and programs are started, any path that leaves it; elsewhere
// what cannot be meant as anything else.
func (s *sourceFile) names(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(n.Value)
		if n.Kind != token.STRING || err != nil {
			return ""
		}
		if text == contractVariable || ofDeveloper.MatchString(text) {
			return text
		}
		if climbing.MatchString(text) && !attacked.MatchString(text) && s.leaves(text) {
			return text
		}
	case *ast.CallExpr:
		selector, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		if pkg, ok := selector.X.(*ast.Ident); !ok || !s.packages[pkg.Name] {
			return ""
		}
		if selector.Sel.Name == "Join" {
			return s.leaving(n)
		}
		for _, arg := range n.Args {
			if named := s.leaving(arg); named != "" {
				return named
			}
		}
	case *ast.AssignStmt: // cmd.Dir = …
		for i, left := range n.Lhs {
			if selector, ok := left.(*ast.SelectorExpr); ok && selector.Sel.Name == "Dir" && i < len(n.Rhs) {
				return s.leaving(n.Rhs[i])
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Dir" {
			return s.leaving(n.Value)
		}
	}
	return ""
}

var (
	// ofDeveloper are absolute paths that only one machine has.
	ofDeveloper = regexp.MustCompile(`^/(?:home|root|Users|work|mnt|media)/`)
	// climbing are paths to a folder's contents that begin by going up.
	climbing = regexp.MustCompile(`^(?:\.\./)+[\w.-]+/[\w./-]+$`)
	// attacked are what forged names go for.
	attacked = regexp.MustCompile(`(?:/dev/null|/etc/passwd)$`)
	// system are paths that every machine has, and those of which nothing is known.
	system = regexp.MustCompile(`^/(?:dev|proc|sys|bin|usr/bin)(?:/|$)|^/$|^/+\?`)
)

// leaving returns the path that an expression is, if that leaves the repository.
func (s *sourceFile) leaving(e ast.Expr) string {
	for _, p := range s.values(e, 0) {
		if path.IsAbs(p) && !system.MatchString(p) || s.leaves(p) {
			return p
		}
	}
	return ""
}

// leaves reports whether a path leads out of the repository, from the file's
// folder. What is not known when reading the source stands for the root.
func (s *sourceFile) leaves(p string) bool {
	base, rest := s.folder, p
	if after, ok := strings.CutPrefix(p, unknown); ok {
		base, rest = ".", after
	}
	if path.IsAbs(p) {
		return false
	}
	clean := path.Join(base, "./"+rest)
	return clean == ".." || strings.HasPrefix(clean, "../")
}

// unknown stands for a part of a path that only running tells.
const unknown = "?"

// values are the texts that an expression can be, as far as its file says.
func (s *sourceFile) values(e ast.Expr, depth int) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{text}
		}
	case *ast.ParenExpr:
		return s.values(e.X, depth)
	case *ast.Ident:
		var all []string
		for _, value := range s.texts[e.Name] {
			if depth < 4 {
				all = append(all, s.values(value, depth+1)...)
			}
		}
		if all != nil {
			return all
		}
	case *ast.BinaryExpr:
		return combine(s.values(e.X, depth), s.values(e.Y, depth), "")
	case *ast.CallExpr:
		if selector, ok := e.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "Join" && len(e.Args) > 0 {
			all := s.values(e.Args[0], depth)
			for _, arg := range e.Args[1:] {
				all = combine(all, s.values(arg, depth), "/")
			}
			return all
		}
		if selector, ok := e.Fun.(*ast.SelectorExpr); ok && len(e.Args) == 1 && slices.Contains([]string{"Abs", "Clean", "FromSlash"}, selector.Sel.Name) {
			return s.values(e.Args[0], depth)
		}
	}
	return []string{unknown}
}

func combine(heads, tails []string, between string) []string {
	var all []string
	for _, head := range heads {
		for _, tail := range tails {
			all = append(all, head+between+tail)
		}
	}
	return all
}

var (
	ownFolder   = regexp.MustCompile(`\$\(dirname "?\$(?:0|\{BASH_SOURCE\[0\]\})"?\)`)
	scriptPaths = regexp.MustCompile(`(?:[\w.-]+/)*\.\.(?:/[\w.-]+)*`)
)

// outsideOfScript looks at a script's or a Makefile's words. Three dots are Go's.
func outsideOfScript(file, source string) []string {
	var found []string
	s := &sourceFile{folder: path.Dir(file)}
	for i, line := range strings.Split(source, "\n") {
		for _, word := range strings.FieldsFunc(strings.ReplaceAll(ownFolder.ReplaceAllString(line, "."), "...", ""), func(r rune) bool { return strings.ContainsRune(" \t\"'`=:;(),", r) }) {
			for _, p := range scriptPaths.FindAllString(word, -1) {
				if s.leaves(p) {
					found = append(found, fmt.Sprintf("%s:%d names %q", file, i+1, p))
				}
			}
			if ofDeveloper.MatchString(word) || strings.Contains(word, contractVariable) {
				found = append(found, fmt.Sprintf("%s:%d names %q", file, i+1, word))
			}
		}
	}
	return found
}

// TestOutside shows what [outside] finds and what it lets pass.
func TestOutside(t *testing.T) {
	for _, tt := range []struct {
		file, code string
		found      bool
	}{
		{"internal/x/x_test.go", `os.ReadFile("../../../shared/a.json")`, true},
		{"internal/x/x_test.go", `os.ReadFile("../../docs/a.md")`, false},
		{"internal/x/x_test.go", `os.ReadDir("../../..")`, true},
		{"x_test.go", `os.Stat("../shared")`, true},
		{"x_test.go", `os.DirFS("..")`, true},
		{"x_test.go", `os.Stat("testdata/..")`, false},
		{"x_test.go", `os.Open("testdata/../../a")`, true},
		{"internal/x/x_test.go", `filepath.Glob(filepath.Join("..", "..", "..", "a", "*.json"))`, true},
		{"internal/x/x_test.go", `filepath.Glob(filepath.Join("..", "..", "examples", "*.http"))`, false},
		{"internal/x/x_test.go", `filepath.Join(root, "..", "shared")`, true},
		{"internal/x/x_test.go", `filepath.Join(root(), "docs", "..", "go.mod")`, false},
		{"internal/x/x_test.go", `os.Open(root + "/../shared/a")`, true},
		{"internal/x/x_test.go", `os.Open("../../" + name)`, false},
		{"internal/x/x_test.go", `os.Open("../../../" + name)`, true},
		{"internal/x/x_test.go", "const dir = `../../../shared`\n\tos.Open(dir)", true},
		{"internal/x/x_test.go", `dir := filepath.Join("..", "..", ".."); os.Chdir(dir)`, true},
		{"internal/x/x_test.go", `filepath.WalkDir("../../..", nil)`, true},
		{"internal/x/x_test.go", `exec.Command("go", "build", "../../../a")`, true},
		{"internal/x/x_test.go", `exec.Command("go", "build", "../../examples/a")`, false},
		{"internal/x/x_test.go", `exec.Command("/opt/tools/go", "vet")`, true},
		{"internal/x/x_test.go", `exec.Command("/usr/bin/env")`, false},
		{"internal/x/x_test.go", `cmd.Dir = "../../.."`, true},
		{"internal/x/x_test.go", `cmd.Dir = t.TempDir()`, false},
		{"internal/x/x_test.go", `_ = exec.Cmd{Dir: "../../.."}`, true},
		{"internal/x/x_test.go", `os.ReadFile("/etc/hosts")`, true},
		{"internal/x/x_test.go", `os.ReadFile("/proc/self/maps")`, false},
		{"internal/x/x_test.go", `read(t, "../../../shared/contract")`, true},
		{"internal/x/x_test.go", `read(t, "../../docs/a.md")`, false},
		{"internal/x/x_test.go", `read(t, "/home/me/a.json")`, true},
		{"internal/x/x_test.go", `os.Getenv("` + contractVariable + `")`, true},
		{"internal/x/x_test.go", `t.Setenv("` + contractVariable + `", dir)`, true},
		{"internal/x/x_test.go", `get("/v1/customers/../customers")`, false},
		{"internal/x/x_test.go", `forge("kid", "../../../../dev/null")`, false},
		{"internal/x/x_test.go", `upload("../../../etc/passwd")`, false},
		{"x_test.go", `customers.ByID("..")`, false},
		{"x_test.go", `upload("../po.pdf")`, false},
		{"x_test.go", `filepath.Join(t.TempDir(), "a.db")`, false},
		{"Makefile", "test:\n\tgo test ./... && cat ../shared/a", true},
		{"Makefile", "test:\n\t" + contractVariable + "=x go test ./...", true},
		{"tools/a.sh", `cd "$(dirname "$0")/.."`, false},
		{"tools/a.sh", `cd "$(dirname "$0")/../.."`, true},
		{"tools/a.sh", `ls ../docs ./... go/...`, false},
		{"tools/a.sh", `ls /home/me/a`, true},
	} {
		source := tt.code
		if strings.HasSuffix(tt.file, ".go") {
			source = "package x\n\nimport (\n\t\"os\"\n\t\"os/exec\"\n\t\"path/filepath\"\n)\n\nfunc x() {\n\t" + tt.code + "\n}\n"
		}
		if found := outside(t, tt.file, []byte(source)); (found != nil) != tt.found {
			t.Errorf("%s, %s: found %q, want %v", tt.file, tt.code, found, tt.found)
		}
	}
}

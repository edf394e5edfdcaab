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
// runs on the project's own machines. It reads the source, so a path that only
// running puts together is not found: for that, .ci/run tests a lone clone.
func TestNothingOutsideIsRead(t *testing.T) {
	looked := 0
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (file == "internal/contract/published" || file != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules")):
			return filepath.SkipDir
		case entry.IsDir() || entry.Name() != "Makefile" && !slices.Contains([]string{".go", ".sh", ".mjs", ".py", ".txtar"}, filepath.Ext(file)):
			return nil
		}
		if file == "paths_test.go" {
			return nil // has what is refused
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
	s := &sourceFile{folder: path.Dir(file), test: strings.HasSuffix(file, "_test.go"), texts: map[string][]ast.Expr{}, packages: map[string]string{}}
	for _, spec := range parsed.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		local := path.Base(name)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		s.packages[local] = name
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
	test     bool                  // tests, rather than is the program
	texts    map[string][]ast.Expr // what constants and variables are set to
	packages map[string]string     // imports by their names here
}

func (s *sourceFile) collect(n ast.Node) bool {
	set := func(names []ast.Expr, values []ast.Expr) {
		for i, name := range names {
			id, ok := name.(*ast.Ident)
			if ok && i < len(values) && !goesUp(id, values[i]) {
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

// goesUp reports whether a value is the folder above its own variable's, as in a
// loop that looks for go.mod.
func goesUp(id *ast.Ident, value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	of, ok := call.Args[0].(*ast.Ident)
	return ok && of.Name == id.Name
}

// names returns what a node names outside of the repository, if anything: where
// files are opened and programs are started, any path that leaves it; elsewhere
// what cannot be meant as anything else.
func (s *sourceFile) names(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(n.Value)
		if n.Kind != token.STRING || err != nil || text == ".." {
			return "" // two dots say what they mean together with their neighbours
		}
		if text == contractVariable {
			return text
		}
		return s.word(text)
	case *ast.BinaryExpr:
		if n.Op == token.ADD {
			if slices.Contains(s.values(n, 0), contractVariable) {
				return contractVariable
			}
			return s.words(n)
		}
	case *ast.CompositeLit:
		return s.row(n.Elts)
	case *ast.SelectorExpr:
		if n.Sel.Name == "UserHomeDir" || n.Sel.Name == "HomeDir" {
			return n.Sel.Name
		}
	case *ast.CallExpr:
		pkg, name := s.callee(n)
		switch {
		case name == "ByID", pkg == "strings": // ids, and parts of texts
			return ""
		case (name == "Getenv" || name == "LookupEnv") && len(n.Args) == 1:
			if text := s.values(n.Args[0], 0)[0]; text == "HOME" || text == "USERPROFILE" {
				return text
			}
		case name == "Join":
			return s.leaving(n)
		}
		if named := s.row(n.Args); named != "" || !slices.Contains(pathPackages, pkg) {
			return named
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

// callee returns the import path, if any, and the name of what is called.
func (s *sourceFile) callee(call *ast.CallExpr) (pkg, name string) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return "", f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			pkg = s.packages[x.Name]
		}
		return pkg, f.Sel.Name
	}
	return "", ""
}

// row looks at texts that stand side by side, as the parts of one path.
func (s *sourceFile) row(all []ast.Expr) string {
	var parts []string
	for i, e := range all {
		if text := s.values(e, 0)[0]; text != unknown {
			parts = append(parts, text)
			if i < len(all)-1 {
				continue
			}
		}
		if p := strings.Join(parts, "/"); slices.Contains(parts, "..") && s.leaves(p) {
			return p
		}
		parts = nil
	}
	return ""
}

// words returns the first word of what an expression can be that is a path out
// of the repository.
func (s *sourceFile) words(e ast.Expr) string {
	for _, text := range s.values(e, 0) {
		if named := s.word(text); named != "" {
			return named
		}
	}
	return ""
}

// word does so for a text: a path, or a command's line.
func (s *sourceFile) word(text string) string {
	if s.test && ofWindows.MatchString(text) && !unread.MatchString(text) {
		return text
	}
	for _, word := range strings.FieldsFunc(verb.ReplaceAllString(text, unknown), separates) {
		if !unread.MatchString(word) && (s.absolute(word) || s.leaves(word)) {
			return word
		}
	}
	return ""
}

// absolute reports whether a path begins at a folder that not every machine has.
func (s *sourceFile) absolute(p string) bool {
	return ofDeveloper.MatchString(p) || s.test && ofMachine.MatchString(p) && !system.MatchString(p)
}

// separates reports whether a character ends a word in a command's line.
func separates(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`=:;(),&|<>{}", r) }

var (
	// ofDeveloper are absolute paths that only one machine has.
	ofDeveloper = regexp.MustCompile(`^/(?:home|root|Users|work|mnt|media)/.`)
	// ofMachine are those that some have, which a test should not know, though
	// a text of the program may. A path of an address begins otherwise.
	ofMachine = regexp.MustCompile(`^(?:/(?:home|root|Users|work|mnt|media|opt|srv|var|usr|tmp|data)|~|\$HOME|\$\{HOME\})/.`)
	ofWindows = regexp.MustCompile(`(?:^|[\s"'=])[A-Za-z]:[\\/][\w.]`)
	// unread are paths that tests name and nobody opens: what forged names go
	// for, names of uploads, and a folder that the program tells of.
	unread = regexp.MustCompile(`(?:/dev/null|/etc/passwd|^\.\./po\.pdf|^C:\\orders\\PO .*|^/usr/local/share/ca-certificates/)$`)
	// system are paths that every machine has, and those of which nothing is known.
	system = regexp.MustCompile(`^/(?:dev|proc|sys|bin|usr/bin|usr/sbin|usr/lib/postgresql)(?:/|$)|^/$|^/+\?`)
	// verb is what fmt fills in.
	verb = regexp.MustCompile(`%[-+# 0-9.\[\]*]*[a-zA-Z]`)
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
		switch pkg, name := s.callee(e); {
		case name == "Join" && pkg != "strings" && len(e.Args) > 0:
			all := s.values(e.Args[0], depth)
			for _, arg := range e.Args[1:] {
				all = combine(all, s.values(arg, depth), "/")
			}
			return all
		case name == "Sprintf" && len(e.Args) > 0:
			var all []string
			for _, format := range s.values(e.Args[0], depth) {
				all = append(all, verb.ReplaceAllString(format, unknown))
			}
			return all
		case name == "Repeat" && len(e.Args) == 2:
			times := 9 // enough to leave
			if count, ok := e.Args[1].(*ast.BasicLit); ok {
				times, _ = strconv.Atoi(count.Value)
			}
			if text := s.values(e.Args[0], depth)[0]; strings.HasPrefix(text, "..") {
				return []string{strings.Repeat(text, times)}
			}
		case name == "Getwd":
			return []string{"."}
		case name == "Dir" && len(e.Args) == 1:
			return s.above(e.Args[0], depth)
		case len(e.Args) == 1 && slices.Contains([]string{"Abs", "Clean", "FromSlash"}, name):
			return s.values(e.Args[0], depth)
		}
	}
	return []string{unknown}
}

// above are the folders of what an expression can be. Of what is not known, only
// the root's is outside.
func (s *sourceFile) above(e ast.Expr, depth int) []string {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.CallExpr:
		_, name = s.callee(e)
	}
	var all []string
	for _, p := range s.values(e, depth) {
		if p != unknown || strings.HasSuffix(strings.ToLower(name), "root") {
			p += "/.."
		}
		all = append(all, p)
	}
	return all
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
	s := &sourceFile{folder: path.Dir(file), test: path.Ext(file) == ".txtar"}
	for i, line := range strings.Split(source, "\n") {
		for _, word := range strings.FieldsFunc(strings.ReplaceAll(ownFolder.ReplaceAllString(line, "."), "...", ""), separates) {
			for _, p := range scriptPaths.FindAllString(word, -1) {
				if s.leaves(p) {
					found = append(found, fmt.Sprintf("%s:%d names %q", file, i+1, p))
				}
			}
			if s.absolute(word) && !unread.MatchString(word) || strings.Contains(word, contractVariable) {
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
		{"x_test.go", `os.Getenv("PARTNERCENTER_" + "CONTRACT")`, true},
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
		{"internal/x/x_test.go", `read(t, fmt.Sprintf("../../../shared/examples/%s.json", n))`, true},
		{"internal/x/x_test.go", `read(t, fmt.Sprintf("%s/../shared/a.json", root))`, true},
		{"internal/x/x_test.go", `read(t, fmt.Sprintf("../../docs/%s.md", n))`, false},
		{"internal/x/x_test.go", `read(t, filepath.Join(filepath.Dir(root(t)), "shared", "a.json"))`, true},
		{"internal/x/x_test.go", `read(t, filepath.Join(filepath.Dir(file), "a.json"))`, false},
		{"internal/x/x_test.go", `wd, _ := os.Getwd(); read(t, filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(wd))), "a"))`, true},
		{"internal/x/x_test.go", `wd, _ := os.Getwd(); read(t, filepath.Join(filepath.Dir(filepath.Dir(wd)), "go.mod"))`, false},
		{"internal/x/x_test.go", `for dir, _ := os.Getwd(); ; dir = filepath.Dir(dir) { os.Stat(filepath.Join(dir, "go.mod")) }`, false},
		{"internal/x/x_test.go", `read(t, "/opt/contract/orders.json")`, true},
		{"internal/x/x_test.go", `read(t, "/srv/orders.json")`, true},
		{"internal/x/x_test.go", `read(t, "/work/shared/orders.json")`, true},
		{"internal/x/x_test.go", `read(t, "/tmp/orders.json")`, true},
		{"internal/x/x_test.go", `read(t, "C:\\shared\\orders.json")`, true},
		{"internal/x/x_test.go", `read(t, "C:/shared/orders.json")`, true},
		{"internal/x/x_test.go", `get("/v1/customers", "/{tenant}/oauth2/token", "/home", "https://h/home/x")`, false},
		{"internal/x/x_test.go", `exec.Command("sh", "-c", "cat ../../../shared/x")`, true},
		{"internal/x/x_test.go", `exec.Command("sh", "-c", "cd ../../.. && cat shared/x")`, true},
		{"internal/x/x_test.go", `exec.Command("sh", "-c", "cat ../../docs/x")`, false},
		{"internal/x/x_test.go", `exec.Command("go", "-C=../../..", "list")`, true},
		{"internal/x/x_test.go", `run("go", "-C=../..", "list", "./...")`, false},
		{"internal/x/x_test.go", `read(t, "..", "..", "..", "shared")`, true},
		{"internal/x/x_test.go", `read(t, "..", "..", "docs")`, false},
		{"internal/x/x_test.go", `read(t, []string{"..", "..", "..", "shared"}...)`, true},
		{"internal/x/x_test.go", `read(t, path.Join("..", "..", "..", "shared"))`, true},
		{"internal/x/x_test.go", `read(t, strings.Repeat("../", 3)+"shared")`, true},
		{"internal/x/x_test.go", `read(t, strings.Repeat("../", n)+"shared")`, true},
		{"internal/x/x_test.go", `read(t, strings.Repeat("../", 2)+"docs")`, false},
		{"internal/x/x_test.go", `read(t, ".." + "/../../shared")`, true},
		{"internal/x/x_test.go", `home, err := os.UserHomeDir()`, true},
		{"internal/x/x_test.go", `read(t, filepath.Join(os.Getenv("HOME"), "shared"))`, true},
		{"internal/x/x_test.go", `os.Getenv("PATH")`, false},
		{"internal/x/x_test.go", `read(t, os.ExpandEnv("$HOME/shared/a"))`, true},
		{"x_test.go", `read(t, "../shared")`, true},
		{"x_test.go", `read(t, "..", "shared")`, true},
		{"x_test.go", `t.Chdir("..")`, true},
		{"x_test.go", `read(t, "testdata", "..", "go.mod")`, false},
		{"cmd/x/testdata/script/a.txtar", `exec cat ../../../../../shared/a`, true},
		{"cmd/x/testdata/script/a.txtar", `exec cat /opt/contract/a`, true},
		{"cmd/x/testdata/script/a.txtar", "# A file.\nexec partnercenter --out ../a\n-- a.yaml --\nurl: https://h/home/x\npath: /v1/customers", false},
		{"Makefile", "test:\n\tgo test ./... && cat ../shared/a", true},
		{"Makefile", "test:\n\t" + contractVariable + "=x go test ./...", true},
		{"tools/a.sh", `cd "$(dirname "$0")/.."`, false},
		{"tools/a.sh", `cd "$(dirname "$0")/../.."`, true},
		{"tools/a.sh", `ls ../docs ./... go/...`, false},
		{"tools/a.sh", `ls /home/me/a`, true},
	} {
		source := tt.code
		if strings.HasSuffix(tt.file, ".go") {
			source = "package x\n\nimport (\n\t\"os\"\n\t\"os/exec\"\n\t\"path\"\n\t\"path/filepath\"\n\t\"strings\"\n)\n\nfunc x() {\n\t" + tt.code + "\n}\n"
		}
		if found := outside(t, tt.file, []byte(source)); (found != nil) != tt.found {
			t.Errorf("%s, %s: found %q, want %v", tt.file, tt.code, found, tt.found)
		}
	}
}

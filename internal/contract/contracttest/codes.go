package contracttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

var statusInComment = regexp.MustCompile(`^(\d{3})(?:: |$)`)

// Codes returns the statuses and codes from codes.go in the root, written 400/3000.
func Codes(tb testing.TB) map[string]bool {
	tb.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(installed.ModuleRoot(tb), "codes.go"), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		tb.Fatal(err)
	}
	codes := map[string]bool{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			literal, ok := spec.Values[0].(*ast.BasicLit)
			status := statusInComment.FindStringSubmatch(strings.TrimSpace(spec.Comment.Text()))
			if !ok || status == nil {
				tb.Fatalf("codes.go: %s needs a string, and a comment that begins with the status", spec.Names[0])
			}
			code, err := strconv.Unquote(literal.Value)
			if err != nil {
				tb.Fatal(err)
			}
			codes[status[1]+"/"+code] = true
		}
	}
	return codes
}

// CodesThatDoNotOccur returns those from the section with this title in
// docs/differences.md.
func CodesThatDoNotOccur(tb testing.TB) map[string]bool {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(installed.ModuleRoot(tb), "docs", "differences.md"))
	if err != nil {
		tb.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Codes that do not occur\n")
	if !ok {
		tb.Fatal("docs/differences.md has no section on codes that do not occur")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	codes := map[string]bool{}
	for _, m := range regexp.MustCompile(`\b\d{3}/\d+\b`).FindAllString(section, -1) {
		if codes[m] {
			tb.Errorf("docs/differences.md lists %s twice as not occurring", m)
		}
		codes[m] = true
	}
	return codes
}

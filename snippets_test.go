package partnercenter_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// fragmentFile surrounds Go code of a page that is no program of its own. Code
// that is pasted into a function finds these declarations there.
const fragmentFile = `package fragment

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/partnercenter-go/partnercenter"
)

var (
	ctx  context.Context
	cred azcore.TokenCredential
	pc   *partnercenter.Client
	kept *partnercenter.Order // that is to be placed
	err  error

	customerID, orderID, offerID, subscriptionID, requestID string
	tenantID, clientID, clientSecret                        string
)

// The imports count as used.
var (
	_ = azidentity.NewDefaultAzureCredential
	_ = errors.As
	_ = fmt.Println
	_ = log.Fatal
	_ time.Time
)

func fragment() error {
//line %s:%d
%s
%s
return nil
}
`

// TestSnippets compiles the Go code of all pages, each block by itself, in a
// module that imports this one as its users do. The README's are files of their own.
func TestSnippets(t *testing.T) {
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	importer := t.TempDir()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(importer, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(importer, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// With the versions that this module requires nothing has to be looked up.
	text := strings.Replace(string(mod), "module "+module, "module example.com/importer", 1)
	write("go.mod", text+fmt.Sprintf("\nrequire %[1]s v0.0.0\nreplace %[1]s => %[2]q\n", module, dir))
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sum))

	blocks := 0
	for _, name := range pages(t) {
		page := readPage(t, name)
		found := goBlock.FindAllStringSubmatchIndex(page, -1)
		if strings.Count(page, "```go") != len(found) {
			t.Errorf("%s has Go code in a block that does not begin with a line of its own: ```go", name)
		}
		for _, at := range found {
			blocks++
			code, line := page[at[2]:at[3]], 1+strings.Count(page[:at[2]], "\n")
			folder := fmt.Sprintf("block%d/", blocks)
			switch {
			case strings.HasPrefix(code, "package ") && strings.Contains(code, "\n\t\"testing\"\n"):
				write(folder+"page_test.go", fmt.Sprintf("//line %s:%d\n%s", name, line, code))
			case strings.HasPrefix(code, "package "):
				write(folder+"page.go", fmt.Sprintf("//line %s:%d\n%s", name, line, code))
			case name == "README.md":
				t.Errorf("%s:%d: the block does not compile when it is pasted into a file of its own", name, line)
			default:
				write(folder+"page.go", fmt.Sprintf(fragmentFile, name, line, code, used(code)))
			}
		}
	}
	if blocks < 10 {
		t.Fatalf("only %d blocks of Go code", blocks)
	}
	// Listing with what packages export compiles them, and links nothing.
	list := exec.CommandContext(t.Context(), "go", "list", "-mod=mod", "-test", "-export", "./...")
	list.Dir = importer
	list.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off")
	var problems bytes.Buffer
	list.Stderr = &problems
	if err := list.Run(); err != nil {
		t.Errorf("%v\n%s", err, bytes.TrimSpace(problems.Bytes()))
	}
}

// used returns a line that uses the variables which a fragment declares: what is
// left for a reader to do with them.
func used(fragment string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+fragment+"\n}", parser.SkipObjectResolution)
	if err != nil {
		return "" // the compiler says it better
	}
	var b strings.Builder
	for _, statement := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := statement.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, name := range assign.Lhs {
				fmt.Fprintf(&b, "_ = %s\n", name.(*ast.Ident).Name)
			}
		}
	}
	return b.String()
}

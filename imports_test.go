package partnercenter_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const module = "github.com/partnercenter-go/partnercenter"

// rule says what a package may import.
type rule struct {
	ours   []string // of this module, below its path; "" is the root
	others []string // modules of others, or folders of them
	why    string
}

// anything lets a package import any other.
var anything = []string{"*"}

// everywhere is a package that takes the place of functions of package strings, and may
// be imported as that is.
const everywhere = "internal/ascii"

// importTable is the shape of the module. The standard library and [everywhere] are always
// allowed; test files are not looked at.
var importTable = map[string]rule{
	"": {
		ours: []string{"internal/appsecret", "internal/certificate", "internal/claims", "internal/filename", "internal/guid", "internal/loopback", "internal/quote", "internal/rawjson", "internal/retryafter", "internal/textfile", "internal/walk", "internal/words"},
		others: []string{
			"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/Azure/azure-sdk-for-go/sdk/azidentity",
			"github.com/go-json-experiment/json", "github.com/shopspring/decimal",
		},
		why: "programs that import the client link only leaves of this module and little of others",
	},
	"internal/store": {
		ours: []string{"", "internal/caseless", "internal/guid", "internal/private", "internal/rawjson", "internal/seed", "internal/spelling"},
		others: []string{
			"modernc.org/sqlite", "modernc.org/libc", "github.com/jackc/pgx", "github.com/pressly/goose/v3",
			"github.com/go-json-experiment/json", "github.com/klauspost/compress", "golang.org/x/sync", "golang.org/x/sys",
		},
		why: "the store keeps the root's types and knows nothing of HTTP",
	},
	"internal/catalog": {
		ours:   []string{"", "internal/guid", "internal/spelling", "internal/yamlfile"},
		others: []string{"github.com/go-json-experiment/json"},
		why:    "the catalog keeps the root's types and knows nothing of orders",
	},
	"internal/lifecycle": {
		ours: []string{"", "internal/catalog", "internal/guid", "internal/quote", "internal/words"},
		why:  "rules are pure functions of the state, a command and the time",
	},
	"internal/seed": {
		ours:   []string{"", "internal/certificate", "internal/guid", "internal/rawjson", "internal/spelling", "internal/textfile", "internal/words", "internal/yamlfile"},
		others: []string{"github.com/go-json-experiment/json"},
		why:    "seeds keep the root's types and know nothing of databases",
	},
	"internal/appsecret": {
		ours:   []string{"internal/quote"},
		others: []string{"github.com/Azure/azure-sdk-for-go/sdk/azcore"},
		why:    "the client and the command line share it, so it depends on neither",
	},
	everywhere:             {why: "it takes the place of functions of package strings, so every package may use it as it may that"},
	"internal/certificate": {why: "anything that stores or checks the certificates of apps, or trusts more authorities than the system's, may use it"},
	"internal/claims":      {why: "the client and the command line explain tokens with it; checkers of tokens take no more than names from it"},
	"internal/filename": {
		ours: []string{"internal/quote"},
		why:  "the client and what saves files take names with it; it touches no file",
	},
	"internal/guid": {why: "anything that has GUIDs may use it"},
	"internal/yamlfile": {
		ours:   []string{"", "internal/quote", "internal/rawjson", "internal/suggest", "internal/textfile"},
		others: []string{"github.com/go-json-experiment/json", "go.yaml.in/yaml/v3"},
		why:    "it reads files into types that its callers define; of the root it needs the form of dates and amounts",
	},
	"internal/rawjson": {
		others: []string{"github.com/go-json-experiment/json"},
		why:    "anything that reads JSON of a shape it does not know may use it",
	},
	"internal/spelling":   {why: "anything that keeps documents of the API may use it"},
	"internal/quote":      {why: "any message that quotes text from outside may use it"},
	"internal/private":    {why: "anything that keeps secrets in files may use it"},
	"internal/suggest":    {others: []string{"github.com/agnivade/levenshtein"}, why: "anything that reads names may use it"},
	"internal/textfile":   {why: "anything that reads text files may use it"},
	"internal/queue":      {others: []string{"golang.org/x/sync"}, why: "the server and the token authority do so much at a time, and no more"},
	"internal/retryafter": {why: "the client reads the header, the server and the token authority write it"},
	"internal/caseless": {
		others: []string{"golang.org/x/text"},
		why:    "the store and the command line compare names in the same way",
	},
	"internal/walk": {
		ours: []string{"internal/quote"},
		why:  "the client and the command line end walks over pages, and gather lists, with it",
	},
	"internal/words":              {why: "any message that lists names may use it"},
	"internal/clock":              {why: "everything depends on the clock, so it depends on nothing"},
	"internal/issuer/browsertest": {why: "it has only tests"},
	"internal/recent": {
		others: []string{"github.com/puzpuzpuz/xsync/v4"},
		why:    "any cache may use it, so it knows nothing of what is kept; the map is read without a lock and without allocating, which sync.Map is not",
	},
	"internal/token": {
		ours:   []string{"internal/recent"},
		others: []string{"github.com/go-jose/go-jose/v4"},
		why:    "the checkers of tokens share it, so it depends on none of them",
	},
	"internal/token/tokentest": {why: "it is for tests"},
	"internal/entra": {
		ours: []string{"internal/cloudhosts", "internal/guid", "internal/loopback", "internal/quote", "internal/token"},
		why:  "it checks Microsoft's tokens and issues none, so it does not depend on the local authority",
	},
	"internal/issuer": {
		ours:   []string{"internal/certificate", "internal/cloudhosts", "internal/guid", "internal/loopback", "internal/queue", "internal/quote", "internal/retryafter", "internal/token"},
		others: []string{"github.com/go-jose/go-jose/v4"},
		why:    "the token authority knows tenants and keys, not where they are kept",
	},
	"internal/loopback": {why: "it knows names and addresses and nothing else"},
	"internal/control": {
		ours:   []string{"", "internal/certificate", "internal/claims", "internal/clock", "internal/entra", "internal/issuer", "internal/loopback", "internal/quote", "internal/retryafter", "internal/seed", "internal/store", "internal/token", "internal/words"},
		others: []string{"github.com/go-json-experiment/json"},
		why:    "the control plane works on the store, the authority and the clock; it does not reach the API's handlers",
	},
	"internal/cloudhosts": {why: "it is a list, for everything that plays Microsoft's hosts"},
	"internal/keypair":    {ours: []string{"internal/textfile"}, why: "files and certificates need little but the standard library"},
	"internal/localca":    {ours: []string{"internal/private", "internal/textfile"}, why: "certificates need little but the standard library"},
	"internal/proxy": {
		ours:   []string{"internal/cloudhosts"},
		others: []string{"github.com/elazarl/goproxy", "golang.org/x/sync"},
		why:    "the proxy hands connections over and answers no call of the API",
	},
	"internal/server": {
		ours:   []string{"", "internal/catalog", "internal/clock", "internal/cloudhosts", "internal/contract", "internal/entra", "internal/guid", "internal/issuer", "internal/lifecycle", "internal/loopback", "internal/queue", "internal/quote", "internal/rawjson", "internal/recent", "internal/retryafter", "internal/spelling", "internal/store", "internal/token", "internal/words"},
		others: []string{"github.com/go-json-experiment/json", "github.com/hashicorp/golang-lru/v2", "github.com/klauspost/compress", "github.com/puzpuzpuz/xsync/v4", "golang.org/x/sync"},
		why:    "data flows one way: server to store",
	},
	"internal/chaos": {why: "it has only tests"},
	"internal/history": {
		ours:   []string{"", "internal/guid"},
		others: []string{"github.com/anishathalye/porcupine"},
		why:    "it is for tests, and knows a server by what it answers",
	},
	"internal/fleet":           {why: "it is for tests, and says on what partnercentertest runs there"},
	"internal/fleet/fleettest": {ours: anything, others: anything, why: "it is for tests"},
	"internal/ops": {
		ours:   []string{"internal/server", "internal/store"},
		others: []string{"github.com/prometheus/client_golang/prometheus"},
		why:    "it reads figures and adds none: programs that link the server, such as users' tests, do without Prometheus's library",
	},
	"internal/installed": {why: "it is for tests, and looks at the machine only"},
	"internal/postgrestest": {
		others: []string{"github.com/jackc/pgx/v5", "golang.org/x/sys"},
		why:    "it is for tests, and knows PostgreSQL's programs only",
	},
	"internal/contract":              {why: "it is a document"},
	"internal/contract/contracttest": {ours: anything, others: anything, why: "it is for tests"},
	"internal/contract/published":    {why: "it has only tests"},
	"partnercentertest": {
		ours:   []string{"", "internal/catalog", "internal/clock", "internal/control", "internal/fleet", "internal/issuer", "internal/lifecycle", "internal/localca", "internal/seed", "internal/server", "internal/store", "internal/token"},
		others: []string{"github.com/Azure/azure-sdk-for-go/sdk/azcore"},
		why:    "users' tests link the server and no more",
	},
	"tools/bench":        {ours: anything, others: []string{"github.com/getkin/kin-openapi/openapi3", "github.com/jackc/pgx/v5"}, why: "it measures the whole"},
	"tools/ha":           {ours: []string{"internal/guid", "internal/history"}, others: []string{"golang.org/x/sys"}, why: "it runs programs, and knows of the server what clients know"},
	"examples/export":    {ours: []string{""}, why: "it is a program as users write it: it has what they can import"},
	"examples/placeonce": {ours: []string{""}, why: "as `examples/export`"},
	"examples/report":    {ours: []string{""}, why: "as `examples/export`"},
	"examples/clients/go": {
		others: []string{"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/Azure/azure-sdk-for-go/sdk/azidentity"},
		why:    "it is a program that knows Microsoft's service only",
	},
	"cmd/partnercenter/internal/terminal": {
		ours: []string{"", "internal/quote", "internal/suggest", "internal/textfile", "internal/walk", "internal/words", "internal/yamlfile"},
		others: []string{
			"github.com/dustin/go-humanize", "github.com/go-json-experiment/json", "github.com/itchyny/gojq", "github.com/jedib0t/go-pretty/v6", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/text",
		},
		why: "output does not depend on what commands do, only on the root's errors and JSON",
	},
	"cmd/partnercenter/internal/connect": {
		ours: []string{
			"", "cmd/partnercenter/internal/terminal", "internal/appsecret", "internal/certificate", "internal/claims", "internal/guid", "internal/loopback", "internal/private", "internal/quote", "internal/textfile", "internal/words", "internal/yamlfile",
		},
		others: []string{
			"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/Azure/azure-sdk-for-go/sdk/azidentity",
			"github.com/AzureAD/microsoft-authentication-library-for-go/apps", "github.com/gofrs/flock", "github.com/spf13/cobra", "github.com/spf13/pflag",
		},
		why: "reaching a Partner Center depends neither on the calls that are made nor on the local server",
	},
	"cmd/partnercenter/internal/command": {
		ours: []string{"", "cmd/partnercenter/internal/connect", "cmd/partnercenter/internal/terminal", "internal/caseless", "internal/guid", "internal/suggest", "internal/walk", "internal/words", "internal/yamlfile"},
		others: []string{
			"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/go-json-experiment/json", "github.com/spf13/cobra",
			"github.com/spf13/pflag", "golang.org/x/text",
		},
		why: "the forms of commands do not depend on any command",
	},
	"cmd/partnercenter/internal/api": {
		ours:   []string{"", "cmd/partnercenter/internal/command", "cmd/partnercenter/internal/terminal", "internal/guid", "internal/quote", "internal/textfile", "internal/walk", "internal/words"},
		others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/text"},
		why:    "commands reach the API through the client only, whether it is Microsoft's or the local one",
	},
	"cmd/partnercenter/internal/signin": {
		ours: []string{"", "cmd/partnercenter/internal/command", "cmd/partnercenter/internal/connect", "cmd/partnercenter/internal/terminal", "internal/claims", "internal/guid", "internal/token", "internal/words"},
		others: []string{
			"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/AzureAD/microsoft-authentication-library-for-go/apps",
			"github.com/pkg/browser", "github.com/spf13/cobra",
		},
		why: "signing in works the same at Microsoft's authority and the local one; of tokens it knows the API's id",
	},
	"cmd/partnercenter/internal/serve": {
		ours: []string{
			"", "cmd/partnercenter/internal/command", "cmd/partnercenter/internal/connect", "cmd/partnercenter/internal/terminal",
			"internal/catalog", "internal/clock", "internal/cloudhosts", "internal/control", "internal/entra", "internal/guid", "internal/keypair",
			"internal/lifecycle", "internal/localca", "internal/ops", "internal/private", "internal/proxy", "internal/seed", "internal/server", "internal/store", "internal/token", "internal/words",
		},
		others: []string{
			"github.com/dustin/go-humanize", "github.com/gofrs/flock", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sync", "golang.org/x/sys",
			"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "go.opentelemetry.io/otel",
		},
		why: "the server is assembled here, and no other command links it",
	},
	"cmd/partnercenter/internal/control": {
		ours: []string{
			"cmd/partnercenter/internal/command", "cmd/partnercenter/internal/connect", "cmd/partnercenter/internal/terminal",
			"internal/clock", "internal/control", "internal/issuer", "internal/words",
		},
		others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"},
		why:    "a running server is reached over HTTP; the imports only name times and faults",
	},
	"cmd/partnercenter": {
		ours: []string{
			"", "cmd/partnercenter/internal/api", "cmd/partnercenter/internal/command", "cmd/partnercenter/internal/connect",
			"cmd/partnercenter/internal/control", "cmd/partnercenter/internal/serve", "cmd/partnercenter/internal/signin", "cmd/partnercenter/internal/terminal",
			"internal/suggest", "internal/textfile", "internal/words",
		},
		others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
		why:    "the program lists its commands and runs one; what they do is below",
	},
}

// TestImports checks the imports of every package against the table, and the table
// against them: what it allows and nobody does is struck.
func TestImports(t *testing.T) {
	for _, pkg := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, module), "/")
		r, ok := importTable[name]
		if !ok {
			t.Errorf("package %s is not in the import table: add it to imports_test.go with its reason, and run go generate .", pkg.ImportPath)
			continue
		}
		used := map[string]bool{}
		for _, path := range pkg.Imports {
			first, _, _ := strings.Cut(path, "/")
			ours := path == module || strings.HasPrefix(path, module+"/")
			var allowed string
			switch {
			case path == module+"/"+everywhere:
				continue
			case ours:
				allowed = allows(r.ours, strings.TrimPrefix(strings.TrimPrefix(path, module), "/"), false)
			case strings.Contains(first, "."):
				allowed = allows(r.others, path, true)
			default:
				continue // the standard library
			}
			if used[allowed] = true; allowed == none {
				t.Errorf("%s must not import %s: %s", pkg.ImportPath, path, r.why)
			}
		}
		for _, allowed := range slices.Concat(r.ours, r.others) {
			if !used[allowed] && allowed != "*" {
				t.Errorf("%s does not import %s: strike it from its row, and run go generate .", pkg.ImportPath, cmp.Or(allowed, "the root"))
			}
		}
		if pkg.Doc == "" {
			t.Errorf("%s has no package comment: say what lives there and what may not", pkg.ImportPath)
		}
	}
}

// none is no path.
const none = "-"

// allows returns the entry of a list that allows an import, or none.
func allows(list []string, path string, below bool) string {
	for _, allowed := range list {
		if allowed == "*" || allowed == path || below && strings.HasPrefix(path, allowed+"/") {
			return allowed
		}
	}
	return none
}

// pathText is text that begins, or goes on, like a path of the API.
var pathText = regexp.MustCompile(`^/[\w{%]|%[a-z]/`)

// TestOneAddressBuilder keeps the client's addresses in path.go, where ids are
// escaped and refused. The table of operations has patterns of paths.
func TestOneAddressBuilder(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	positions := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "path.go" || name == "operations.go" {
			continue
		}
		file, err := parser.ParseFile(positions, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if n.Sel.Name == "PathEscape" || n.Sel.Name == "JoinPath" {
					t.Errorf("%s: %s: let a resource of path.go put the path together", positions.Position(n.Pos()), n.Sel.Name)
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && pathText.MatchString(text) {
					t.Errorf("%s: %s looks like a path: let a resource of path.go put it together", positions.Position(n.Pos()), n.Value)
				}
			}
			return true
		})
	}
}

// TestModule keeps go.mod free of replacements, which importers do not see.
func TestModule(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if strings.HasPrefix(strings.TrimSpace(line), "replace") {
			t.Errorf("go.mod: %s: importers of this module do not get a replacement; release the change instead", strings.TrimSpace(line))
		}
	}
}

// maxHello is how large a program may be that lists orders with a credential of its own.
// azcore and net/http alone make 9.5 MB. What package azidentity adds is not counted;
// docs/performance.md has both.
const maxHello = 12_000_000

// TestImporterSize keeps importers of the client from linking more than it, and runs the
// program, so that what is measured works.
func TestImporterSize(t *testing.T) {
	program := filepath.Join(t.TempDir(), "hello")
	// The names of this machine's folders are left out: they are not the client's.
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./testdata/hello")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxHello {
		t.Errorf("a program that lists orders with a credential of its own, built for linux/amd64 without cgo, has %d bytes, more than %d: see what it links with go list -deps ./testdata/hello", info.Size(), maxHello)
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return // the program is for another machine
	}
	srv := partnercentertest.NewServer(t)
	access, err := srv.Credential().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{partnercenter.CloudGlobal.Services[partnercenter.ServiceName].Audience + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	hello := exec.CommandContext(t.Context(), program, partnercentertest.CustomerID)
	hello.Env = append(os.Environ(), "BASE_URL="+srv.URL, "TOKEN="+access.Token)
	if out, err := hello.CombinedOutput(); err != nil || strings.Count(string(out), "\n") != 2 {
		t.Errorf("it printed %s, %v, want two orders", out, err)
	}
}

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Imports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

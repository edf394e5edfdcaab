package published

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// TestOperationsAreTheDocumentedOnes compares the table with the documented calls,
// but for the token authority's calls, which are not the API's.
func TestOperationsAreTheDocumentedOnes(t *testing.T) {
	type row struct {
		Area, Name, Method, Path string
		Credential               partnercenter.CredentialKind
	}
	var want, got []row
	for _, r := range table(t, "operations.csv", "area", "operation", "method", "path", "query_params", "auth") {
		if r["area"] != "auth" {
			want = append(want, row{r["area"], r["operation"], r["method"], r["path"], partnercenter.CredentialKind(r["auth"])})
		}
	}
	later := map[string]bool{} // than that list
	for _, row := range contracttest.Matrix(t) {
		later[row.Area+" "+row.Operation] = row.Later
	}
	for _, o := range partnercenter.Operations() {
		if later[o.String()] {
			continue
		}
		got = append(got, row{o.Area, o.Name, o.Method, o.Path, o.Credential})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-documented +table):\n%s", diff)
	}
}

// TestMatrixHasEveryDocumentedCall compares docs/support-matrix.md with the
// documented calls, in their order: method, path and credential.
func TestMatrixHasEveryDocumentedCall(t *testing.T) {
	var want []contracttest.Operation
	for _, r := range table(t, "operations.csv", "area", "operation", "method", "path", "query_params", "auth") {
		want = append(want, contracttest.Operation{Area: r["area"], Operation: r["operation"], Method: r["method"], Path: r["path"], Credential: r["auth"]})
	}
	got := slices.DeleteFunc(contracttest.Matrix(t), func(row contracttest.Operation) bool { return row.Later })
	for i := range got {
		got[i].SDK, got[i].Server, got[i].CLI = false, false, false
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/support-matrix.md differs from the documented calls (-documented +matrix):\n%s", diff)
	}
}

// TestCloudsAreTheDocumentedOnes compares addresses with the table of the
// contract's first section.
func TestCloudsAreTheDocumentedOnes(t *testing.T) {
	text := file(t, "resources.md")
	names := map[string]partnercenter.CloudName{
		"Global": partnercenter.CloudNameGlobal, "21Vianet (China)": partnercenter.CloudName21Vianet,
		"Germany": partnercenter.CloudNameGermany, "US Government": partnercenter.CloudNameUSGovernment,
	}
	var seen []partnercenter.CloudName
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		name, ok := names[cells[0]]
		if !ok || len(cells) != 5 {
			continue
		}
		for i := range cells {
			cell, _, _ := strings.Cut(cells[i], " (")
			if cells[i] = strings.Trim(cell, "`"); cells[i] == "same as Global" {
				cells[i] = "https://api.partnercenter.microsoft.com"
			}
		}
		if cells[4] == "the API base URL" {
			cells[4] = cells[1]
		}
		c := name.Configuration()
		api, graph := c.Services[partnercenter.ServiceName], c.Services[partnercenter.GraphServiceName]
		got := []string{api.Endpoint, strings.TrimSuffix(c.ActiveDirectoryAuthorityHost, "/"), graph.Audience, api.Audience}
		if diff := cmp.Diff(cells[1:], got); diff != "" {
			t.Errorf("%s (-documented +here):\n%s", name, diff)
		}
		if partnercenter.CloudNameOf(c) != name {
			t.Errorf("%s calls itself %q", name, partnercenter.CloudNameOf(c))
		}
		seen = append(seen, name)
	}
	if !slices.Equal(seen, partnercenter.CloudNames()) {
		t.Errorf("the contract has %v", seen)
	}
}

// pageCodes are documented on single pages only, and so not in the contract's
// list of codes.
var pageCodes = []string{
	"403/400030", "403/400036", "404/400013", "404/400018", "404/400019", "400/60012", "400/600061",
	"400/2000", "400/2200", "400/2201", "400/2203", "400/2204", "400/2205", "400/2206",
}

// otherCodes finds codes that a row of the newer list has beside its own, one by one
// and as ranges.
var otherCodes = regexp.MustCompile(`\b(\d{5,6})(?:-(\d{5,6}))?\b`)

// laterCodes are the codes of the newer list.
func laterCodes(t *testing.T) map[string]bool {
	t.Helper()
	codes := map[string]bool{}
	for _, r := range table(t, "error-codes-2026.csv", "status", "code", "meaning_in_our_words") {
		codes[r["status"]+"/"+r["code"]] = true
		for _, m := range otherCodes.FindAllStringSubmatch(r["meaning_in_our_words"], -1) {
			code, _ := strconv.Atoi(m[1])
			last := code
			if m[2] != "" {
				last, _ = strconv.Atoi(m[2])
			}
			for ; code <= last; code++ {
				codes[fmt.Sprintf("%s/%d", r["status"], code)] = true
			}
		}
	}
	return codes
}

// TestCodesAreTheDocumentedOnes shows that every code of either list is in
// codes.go, which other tests provoke, or explained in docs/differences.md, and
// that neither has others; rules of package lifecycle refuse with documented
// ones only.
func TestCodesAreTheDocumentedOnes(t *testing.T) {
	documented := map[string]bool{}
	for _, r := range table(t, "error-codes.csv", "http_status", "code") {
		documented[r["http_status"]+"/"+r["code"]] = true
	}
	for _, code := range pageCodes {
		documented[code] = true
	}
	later := laterCodes(t)
	known, never := contracttest.Codes(t), contracttest.CodesThatDoNotOccur(t)
	// The newer list has some codes with another status.
	moved := func(code string) bool {
		_, number, _ := strings.Cut(code, "/")
		for now := range later {
			if known[now] && strings.HasSuffix(now, "/"+number) {
				return true
			}
		}
		return false
	}
	for code := range documented {
		if !known[code] && !never[code] && !moved(code) {
			t.Errorf("%s is not in codes.go, and docs/differences.md does not say why", code)
		}
	}
	for code := range later {
		if !known[code] && !never[code] {
			t.Errorf("%s of the newer list is not in codes.go, and docs/differences.md does not say why", code)
		}
	}
	for code := range known {
		if !documented[code] && !later[code] {
			t.Errorf("codes.go has %s, which is not documented", code)
		}
	}
	for code := range never {
		if !documented[code] && !later[code] {
			t.Errorf("docs/differences.md says that %s does not occur, which is no documented code", code)
		}
	}
	for _, r := range lifecycle.Rules() {
		if code := fmt.Sprintf("%d/%s", r.Status, r.Code); !documented[code] && !later[code] && !strings.HasPrefix(r.Command, "attach ") {
			t.Errorf("the rule %q refuses with %s, which is not documented", r.Command+": "+r.When, code)
		}
	}
}

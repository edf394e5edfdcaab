package partnercenter_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// TestOperationsAreTheDocumentedOnes compares the table with the contract's,
// but for the token authority's calls, which are not the API's.
func TestOperationsAreTheDocumentedOnes(t *testing.T) {
	type row struct {
		Area, Name, Method, Path string
		Credential               partnercenter.CredentialKind
	}
	var want, got []row
	for _, r := range contractTable(t, "operations.csv") {
		if r["area"] != "auth" {
			want = append(want, row{r["area"], r["operation"], r["method"], r["path"], partnercenter.CredentialKind(r["auth"])})
		}
	}
	for _, o := range partnercenter.Operations() {
		if o.Area == "applicationconsents" {
			continue // of a later edition than the contract's list
		}
		got = append(got, row{o.Area, o.Name, o.Method, o.Path, o.Credential})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-documented +table):\n%s", diff)
	}
}

// contractTable reads one of the contract's CSV files.
func contractTable(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(contracttest.Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// TestCloudsAreTheDocumentedOnes compares addresses with the table of the
// contract's first section.
func TestCloudsAreTheDocumentedOnes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(contracttest.Dir(t), "resources.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]partnercenter.CloudName{
		"Global": partnercenter.NamedGlobal, "21Vianet (China)": partnercenter.Named21Vianet,
		"Germany": partnercenter.NamedGermany, "US Government": partnercenter.NamedUSGovernment,
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
		if partnercenter.NameOfCloud(c) != name {
			t.Errorf("%s calls itself %q", name, partnercenter.NameOfCloud(c))
		}
		seen = append(seen, name)
	}
	if !slices.Equal(seen, partnercenter.CloudNames()) {
		t.Errorf("the contract has %v", seen)
	}
}

// notOffered are the contract's rows of calls that not every cloud has, with
// what they come to: its words are about pages, each of which is some calls.
var notOffered = map[partnercenter.CloudName]string{
	partnercenter.Named21Vianet: `audit get, audit list, audit list-next-page,
		subscriptions get-support-contact, subscriptions update-support-contact,
		subscriptions register, subscriptions get-registration-status,
		subscriptions list-azure-entitlements, productupgrades create, productupgrades check-eligibility, productupgrades get-status`,
	partnercenter.NamedGermany: `orders create, orders create-for-indirect-reseller, orders purchase-addon,
		customers create, customers create-for-indirect-reseller,
		subscriptions register, subscriptions get-registration-status`,
	partnercenter.NamedUSGovernment: `customers get-relationship-request`,
	partnercenter.NamedGlobal:       ``,
}

func TestOperationsOfClouds(t *testing.T) {
	for cloud, text := range notOffered {
		want := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\t' })
		want = slices.DeleteFunc(want, func(s string) bool { return strings.TrimSpace(s) == "" })
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		var got []string
		for _, o := range partnercenter.Operations() {
			if !o.OfferedIn(cloud) {
				got = append(got, o.String())
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", cloud, diff)
		}
	}
	if len(notOffered) != len(partnercenter.CloudNames()) {
		t.Error("a cloud is missing in the test")
	}
}

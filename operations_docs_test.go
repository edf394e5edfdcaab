package partnercenter_test

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// credentialsText is what docs/credentials.md says besides the tables' rows. A
// line {{name}} stands for those.
//
//go:embed testdata/credentials.md
var credentialsText string

// TestCredentialsDocs keeps docs/credentials.md to the tables.
func TestCredentialsDocs(t *testing.T) {
	path := filepath.Join("docs", "credentials.md")
	want := []byte(credentialsDocs(t))
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/credentials.md is not what the tables say: run go generate .")
	}
}

func credentialsDocs(t *testing.T) string {
	t.Helper()
	text := credentialsText
	for name, rows := range map[string]string{"operations": operationRows(), "clouds": cloudRows(), "sales": salesRows()} {
		line := "{{" + name + "}}\n"
		if strings.Count(text, line) != 1 {
			t.Fatalf("testdata/credentials.md wants one line {{%s}}", name)
		}
		text = strings.Replace(text, line, rows, 1)
	}
	return text
}

func operationRows() string {
	var b strings.Builder
	for _, o := range partnercenter.Operations() {
		credential := "`" + string(o.Credential) + "`"
		var may []string
		for _, role := range partnercenter.UserRoles() {
			if o.Allows(role) {
				may = append(may, "yes")
			} else {
				may = append(may, "no")
			}
		}
		var missing []partnercenter.CloudName
		for _, cloud := range partnercenter.CloudNames() {
			if !o.OfferedIn(cloud) {
				missing = append(missing, cloud)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", o.Area, o.Name, credential, strings.Join(may, " | "), codes(missing))
	}
	return b.String()
}

func cloudRows() string {
	var b strings.Builder
	for _, name := range partnercenter.CloudNames() {
		c := name.Configuration()
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` | `%s` |\n", name, c.Services[partnercenter.ServiceName].Endpoint,
			strings.TrimSuffix(c.ActiveDirectoryAuthorityHost, "/"), c.Services[partnercenter.GraphServiceName].Audience)
	}
	return b.String()
}

func salesRows() string {
	var b strings.Builder
	for _, m := range []catalog.Merchandise{catalog.AzureReservations, catalog.OneTimePurchases, catalog.AzureSubscriptions} {
		missing := slices.DeleteFunc(partnercenter.CloudNames(), m.SoldIn)
		fmt.Fprintf(&b, "| %s | %s |\n", m, codes(missing))
	}
	return b.String()
}

func codes[T ~string](list []T) string {
	var quoted []string
	for _, v := range list {
		quoted = append(quoted, "`"+string(v)+"`")
	}
	return strings.Join(quoted, ", ")
}

package published

import (
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// folder is where the published files are.
var folder = os.Getenv("PARTNERCENTER_CONTRACT")

func TestMain(m *testing.M) {
	flag.Parse()
	set := func(name, value string) {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	// Without this log, go test does not keep the result. It would not see that
	// files outside of the module have changed.
	set("test.testlogfile", "")
	if folder == "" {
		fmt.Println("skipped: PARTNERCENTER_CONTRACT names no folder with the documented payloads")
		set("test.run", "^$") // go test then says that there are no tests to run
	}
	os.Exit(m.Run())
}

// TestFolderIsComplete fails when the folder lacks what the tests read.
func TestFolderIsComplete(t *testing.T) {
	for _, name := range []string{"operations.csv", "error-codes.csv", "error-codes-2026.csv", "resources.md"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"examples", "examples-2026"} {
		payloads(t, name)
	}
}

// payloads are the names of the JSON files in a folder of the published ones.
func payloads(t *testing.T, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, name, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no payloads (%v); PARTNERCENTER_CONTRACT should name the folder of the contract", filepath.Join(folder, name), err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// example returns a documented payload by its file name.
func example(t *testing.T, name string) []byte { return file(t, filepath.Join("examples", name)) }

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// table reads one of the CSV files. It has the columns named.
func table(t *testing.T, name string, columns ...string) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(string(file(t, name)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range columns {
		if len(lines) < 2 || !slices.Contains(lines[0], column) {
			t.Fatalf("%s has no column %s, or no rows", name, column)
		}
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

// api is a server with the sample and a token of an admin agent. Its answers are
// checked against the contract's document on their way.
type api struct {
	*partnercentertest.Server
	client *http.Client
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return &api{
		Server: partnercentertest.NewServer(t),
		client: &http.Client{Transport: contracttest.NewChecker(t).Transport(http.DefaultTransport)},
	}
}

// send makes a request with a token of now, and returns the answer.
func (a *api) send(t *testing.T, method, path, contentType, body string, status int) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.UserCredential("admin.agent@contosocsp.onmicrosoft.com").GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://api.partnercenter.microsoft.com/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, answer)
	}
	return answer
}

func (a *api) get(t *testing.T, path string) []byte {
	t.Helper()
	return a.send(t, http.MethodGet, path, "", "", http.StatusOK)
}

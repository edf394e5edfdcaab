package contracttest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of the contract: the facts of the API and the
// documented payloads, which are read where they are and not kept in this
// module. It is the one that PARTNERCENTER_CONTRACT names, else
// ../shared/contract beside the module. A test that needs it fails without it,
// as it would prove nothing, unless PARTNERCENTER_NO_CONTRACT is 1.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("PARTNERCENTER_CONTRACT")
	if dir == "" {
		dir = filepath.Join(moduleRoot(tb), "..", "shared", "contract")
	}
	if _, err := os.Stat(filepath.Join(dir, "examples")); err != nil {
		if os.Getenv("PARTNERCENTER_NO_CONTRACT") == "1" {
			tb.Skipf("left out by PARTNERCENTER_NO_CONTRACT: %v", err)
		}
		tb.Fatalf("the contract's folder is missing: %v; name it in PARTNERCENTER_CONTRACT, or set PARTNERCENTER_NO_CONTRACT=1 to leave out the tests that need it", err)
	}
	return dir
}

// Example returns a documented payload by its file name.
func Example(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(tb), "examples", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// moduleRoot is the folder of go.mod, looked for upwards from the test's own.
func moduleRoot(tb testing.TB) string {
	tb.Helper()
	start, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			tb.Fatalf("no go.mod in %s or above it; run the test from the project", start)
		}
	}
}

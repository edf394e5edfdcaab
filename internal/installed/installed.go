// Package installed finds the external programs that tests run: curl, Python, Node, a
// browser, shells, groff and jq, and the folder of the project. It is for tests only. A missing program
// skips the test, or fails it under `make test`, which installs them first. Nothing
// else decides that.
package installed

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// The oldest Node that the packages of examples/clients/node support.
const nodeMajor, nodeMinor = 20, 18

// Program returns the path of the first of these programs that exists and runs.
func Program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path := running(name); path != "" {
			return path
		}
	}
	Missing(t, "there is no %s", names[0])
	return ""
}

// runs has the results of running programs, by name.
var runs sync.Map

// running returns the path of a program, or nothing if it does not exist or does not
// run, like the placeholders of version managers.
func running(name string) string {
	if path, ok := runs.Load(name); ok {
		return path.(string)
	}
	path, err := exec.LookPath(name)
	if err != nil || exec.Command(path, "--version").Run() != nil { //nolint:gosec,noctx // tests name the program
		path = ""
	}
	runs.Store(name, path)
	return path
}

// Browser returns the path of Chromium, or of a browser based on it.
func Browser(t *testing.T) string {
	t.Helper()
	return Program(t, "chromium", "chromium-browser", "google-chrome")
}

// Node returns the path of a Node that is new enough: the one that `make setup` has put
// into tools/node, or the machine's.
func Node(t *testing.T) string {
	t.Helper()
	node := filepath.Join(ModuleRoot(t), "tools", "node", "node_modules", ".bin", "node")
	if _, err := os.Stat(node); err != nil {
		node = Program(t, "node")
	}
	version, err := exec.CommandContext(t.Context(), node, "--version").Output() //nolint:gosec // as above
	if err != nil {
		Missing(t, "%s does not run: %v", node, err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(version), "v%d.%d", &major, &minor); err != nil {
		t.Fatalf("%s says that it is version %q", node, version)
	}
	if major < nodeMajor || major == nodeMajor && minor < nodeMinor {
		Missing(t, "%s is version %d.%d, and %d.%d is needed", node, major, minor, nodeMajor, nodeMinor)
	}
	return node
}

// Packages returns the folder of the npm packages in a folder's lock file.
func Packages(t *testing.T, folder string) string {
	t.Helper()
	packages, lock := filepath.Join(folder, "node_modules"), filepath.Join(folder, "package-lock.json")
	wanted, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	// make setup leaves a copy of the lock file when it is done.
	if found, err := os.ReadFile(filepath.Join(packages, ".setup-lock.json")); err != nil || !bytes.Equal(found, wanted) {
		Missing(t, "the packages of %s are not there", lock)
	}
	return packages
}

// Missing ends a test that lacks something which `make setup` installs.
func Missing(t *testing.T, format string, args ...any) {
	t.Helper()
	message := fmt.Sprintf(format, args...) + ": run make setup, which installs what tests need"
	if os.Getenv("PARTNERCENTER_TESTS") == "all" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// ModuleRoot returns the folder of go.mod, above the test's own.
func ModuleRoot(tb testing.TB) string {
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

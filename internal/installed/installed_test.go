package installed_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// TestNeeds is run by TestMissing, in another process.
func TestNeeds(t *testing.T) {
	needs := map[string]func(*testing.T){
		"browser":  func(t *testing.T) { installed.Browser(t) },
		"node":     func(t *testing.T) { installed.Node(t) },
		"packages": func(t *testing.T) { installed.Packages(t, ".") },
	}
	if need, ok := needs[os.Getenv("TEST_NEEDS")]; ok {
		need(t)
	}
}

// TestMissing runs tests in a folder and with a path that contain only what is named.
func TestMissing(t *testing.T) {
	const oldNode, newNode = "#!/bin/sh\necho v18.19.0\n", "#!/bin/sh\necho v20.18.0\n"
	for _, test := range []struct {
		name, needs string
		files       map[string]string
		message     string // what is missing, if anything
	}{
		{"no browser", "browser", nil, "there is no chromium"},
		{"another browser", "browser", map[string]string{"bin/google-chrome": newNode}, ""},
		{"no Node", "node", nil, "there is no node"},
		{"old Node", "node", map[string]string{"bin/node": oldNode}, "is version 18.19, and 20.18 is needed"},
		{"broken Node", "node", map[string]string{"bin/node": "#!/bin/sh\nexit 1\n"}, "there is no node"},
		{"new Node", "node", map[string]string{"bin/node": newNode}, ""},
		{"old Node, and npm's", "node", map[string]string{"bin/node": oldNode, "tools/node/node_modules/.bin/node": newNode}, ""},
		{"no packages", "packages", map[string]string{"package-lock.json": "{}"}, "the packages of package-lock.json are not there"},
		{"half of the packages", "packages", map[string]string{"package-lock.json": "{}", "node_modules/axe-core/axe.js": ""}, "the packages of package-lock.json are not there"},
		{"packages of another time", "packages", map[string]string{"package-lock.json": "{}", "node_modules/.setup-lock.json": "{ }"}, "the packages of package-lock.json are not there"},
		{"packages", "packages", map[string]string{"package-lock.json": "{}", "node_modules/.setup-lock.json": "{}"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				path := filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			write("go.mod", "module example\n")
			for name, text := range test.files {
				write(name, text)
			}
			for _, which := range []string{"", "all"} {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNeeds$", "-test.v")
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "TEST_NEEDS="+test.needs, "PARTNERCENTER_TESTS="+which, "PATH="+filepath.Join(dir, "bin"))
				out, err := cmd.CombinedOutput()
				want := "--- SKIP"
				switch {
				case test.message == "":
					want = "--- PASS"
				case which == "all":
					want = "--- FAIL"
				}
				if (err != nil) != (want == "--- FAIL") || !strings.Contains(string(out), want) || !strings.Contains(string(out), test.message) ||
					test.message != "" && !strings.Contains(string(out), "run make setup") {
					t.Errorf("PARTNERCENTER_TESTS=%s: want %s and %q, got %v\n%s", which, want, test.message, err, out)
				}
			}
		})
	}
}

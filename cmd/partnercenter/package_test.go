package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var packages = flag.Bool("packages", false, "build the Debian package and install it into a folder; needs root, dpkg and the network")

// nfpm builds packages. It is the version that goreleaser has in it; see
// tools/lint-deploy.sh.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

// TestPackages builds the packages that .goreleaser.yaml describes, installs the Debian one
// where there is nothing else, runs the server there, and removes it.
func TestPackages(t *testing.T) {
	if !*packages {
		t.Skip("make soak runs it, with -packages")
	}
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = top, append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "partnercenter")
	command("make", "share")
	command("go", "build", "-o", program, "./cmd/partnercenter")
	config := filepath.Join(dir, "nfpm.yaml")
	writePackageConfig(t, filepath.Join(top, ".goreleaser.yaml"), config, program)
	for _, kind := range []string{"deb", "rpm"} {
		command("go", "run", nfpm, "package", "-f", config, "-p", kind, "-t", filepath.Join(dir, "partnercenter."+kind))
	}

	root := filepath.Join(dir, "root")
	for _, folder := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Nothing else is there, also no shell: the package must not need scripts.
	command("dpkg", "--root="+root, "--install", filepath.Join(dir, "partnercenter.deb"))
	installed := command("dpkg", "--root="+root, "--listfiles", "partnercenter")
	for _, name := range []string{
		"usr/bin/partnercenter", "usr/lib/systemd/system/partnercenter.service", "etc/default/partnercenter",
		"usr/share/man/man1/partnercenter-serve.1", "usr/share/bash-completion/completions/partnercenter", "usr/share/doc/partnercenter/copyright",
	} {
		if !strings.Contains(installed, "/"+name+"\n") {
			t.Errorf("the package lacks %s", name)
		}
	}
	if out := command("chroot", root, "/usr/bin/partnercenter", "version"); !strings.HasPrefix(out, "partnercenter v") {
		t.Errorf("version: %s", out)
	}
	if err := os.MkdirAll(filepath.Join(root, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), "chroot", root, "/usr/bin/partnercenter", "serve", "--quiet", "--db", "data/partnercenter.db",
		"--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--ops", "127.0.0.1:0", "--ready-file", "data/ready.json")
	server.Stderr = os.Stderr
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	command("chroot", root, "/usr/bin/partnercenter", "readyz", "--wait", "--ready-file", "data/ready.json")
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}

	command("dpkg", "--root="+root, "--remove", "partnercenter")
	if _, err := os.Stat(filepath.Join(root, "etc/default/partnercenter")); err != nil {
		t.Errorf("removing takes the settings along: %v", err)
	}
	command("dpkg", "--root="+root, "--purge", "partnercenter")
	for _, name := range []string{"etc/default/partnercenter", "usr/bin/partnercenter", "usr/lib/systemd"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "data/partnercenter.db")); err != nil {
		t.Errorf("the database is gone: %v", err)
	}
}

// writePackageConfig writes the part of goreleaser's configuration that describes packages
// as nfpm's own, and adds what goreleaser does.
func writePackageConfig(t *testing.T, from, to, program string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var release struct{ NFPMs []map[string]any }
	if err := yaml.Unmarshal(data, &release); err != nil || len(release.NFPMs) != 1 {
		t.Fatalf("%s: %d packages, %v", from, len(release.NFPMs), err)
	}
	p := release.NFPMs[0]
	p["name"], p["version"], p["arch"], p["platform"] = p["package_name"], "0.1.0", runtime.GOARCH, "linux"
	p["contents"] = append(p["contents"].([]any), map[string]any{"src": program, "dst": p["bindir"].(string) + "/partnercenter", "file_info": map[string]any{"mode": 0o755}})
	for _, member := range []string{"id", "package_name", "formats", "bindir"} {
		delete(p, member)
	}
	if data, err = yaml.Marshal(p); err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestReplacedFiles has every command that puts a file in place of another find something
// else there.
func TestReplacedFiles(t *testing.T) {
	stub := newStub(t, false)
	for kind, mk := range map[string]func(name string) error{
		"a pipe":   func(name string) error { return syscall.Mkfifo(name, 0o600) },
		"a folder": func(name string) error { return os.Mkdir(name, 0o700) },
		"a link to a pipe": func(name string) error {
			return linkTo(name, func(to string) error { return syscall.Mkfifo(to, 0o600) })
		},
		"a link to a folder":     func(name string) error { return linkTo(name, func(to string) error { return os.Mkdir(to, 0o700) }) },
		"a link that leads away": func(name string) error { return os.Symlink(name+".none", name) },
	} {
		for command, args := range map[string][]string{
			"config":   {"config", "set", "one.budget", "1"},
			"download": {"orders", "attachments", "order-1", "--customer", "one", "--download", "a0", "--base-url", stub.URL, "--force", "-O", "FILE"},
			"man":      {"help", "--man", "DIR"},
		} {
			dir := t.TempDir()
			file := filepath.Join(dir, "partnercenter-api.1")
			if err := mk(file); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(file)
			if err != nil {
				t.Fatal(err)
			}
			args = strings.Split(strings.NewReplacer("FILE", file, "DIR", dir).Replace(strings.Join(args, "\n")), "\n")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			r := runCLI(ctx, t, func(term *terminal.Terminal) {
				term.Getenv = func(name string) string {
					return map[string]string{"PARTNERCENTER_CONFIG": configOf(command, file), "PARTNERCENTER_TENANT_ID": stubTenant, "PARTNERCENTER_CLIENT_ID": stubClient, "PARTNERCENTER_CLIENT_SECRET": stubSecret}[name]
				}
			}, args...)
			cancel()
			after, err := os.Lstat(file)
			if err != nil || !os.SameFile(before, after) || r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "is not replaced by a file") {
				t.Errorf("%s, %s: %+v, %v", command, kind, r, err)
			}
			if _, err := os.Lstat(file + ".none"); err == nil {
				t.Errorf("%s, %s: the link's target was made", command, kind)
			}
		}
	}
	dir := t.TempDir()
	foreign := filepath.Join(dir, "partnercenter-api.1")
	writeFile(t, foreign, "my own page\n")
	if r := runCLI(t.Context(), t, nil, "help", "--man", dir); r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "no man page of this program") {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "my own page\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	for range 2 { // those of this program are replaced
		if r := runCLI(t.Context(), t, nil, "help", "--man", dir); r.code != terminal.ExitOK {
			t.Errorf("%+v", r)
		}
	}
	// A link to a regular file stays one.
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	writeFile(t, target, "old")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	r := runCLI(t.Context(), t, nil, "orders", "attachments", "order-1", "--customer", "one", "--download", "a0", "--base-url", stub.URL, "--force", "-O", link)
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 || r.code != terminal.ExitOK {
		t.Errorf("%+v, %v", r, err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "a purchase order\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func configOf(command, file string) string {
	if command == "config" {
		return file
	}
	return ""
}

func linkTo(name string, mk func(string) error) error {
	if err := mk(name + ".target"); err != nil {
		return err
	}
	return os.Symlink(name+".target", name)
}

// TestPipesNobodyWritesTo ends commands that wait for one, where a pipe may be given.
func TestPipesNobodyWritesTo(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	here := []string{"--base-url", "http://127.0.0.1:1", "--tenant-id", stubTenant, "--client-id", stubClient}
	for _, tt := range []struct {
		config string
		args   []string
	}{
		{pipe, []string{"config", "list"}},
		{"", append(here, "token", "--client-secret-file", pipe)},
		{"", append(here, "api", "POST", "/v1/x", "--client-secret", "x", "--dry-run", "-f", pipe)},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		ended := make(chan result, 1)
		go func() {
			ended <- runCLI(ctx, t, func(term *terminal.Terminal) {
				term.Getenv = func(name string) string {
					if name == "PARTNERCENTER_CONFIG" {
						return tt.config
					}
					return ""
				}
			}, tt.args...)
		}()
		select {
		case r := <-ended:
			if r.code != terminal.ExitInterrupted {
				t.Errorf("%q: %+v", tt.args, r)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q does not end", tt.args)
		}
		cancel()
		// The read that was left alone ends, too.
		if w, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			w.Close()
		}
	}
}

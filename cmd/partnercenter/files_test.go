package main

import (
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// utf16LE is what Windows calls Unicode.
func utf16LE(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestFilesOfWindows has every text file that commands read begin with a byte order mark,
// or written in UTF-16.
func TestFilesOfWindows(t *testing.T) {
	stub, secure := newStub(t, false), newStub(t, true)
	authority := newOwnAuthority(t)
	for name, encode := range map[string]func(string) string{
		"byte order mark": func(text string) string { return "\ufeff" + text },
		"UTF-16":          utf16LE,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := func(name, text string) string {
				path := filepath.Join(dir, name)
				writeFile(t, path, encode(text))
				return path
			}
			again := func(path string) string {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, path, encode(string(text)))
				return path
			}
			secret := file("secret.txt", stubSecret+"\r\n")
			ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
			config := file("config.yaml", "profiles:\r\n  windows: {tenantId: "+stubTenant+", clientId: "+stubClient+", clientSecretFile: secret.txt}\r\n")
			order := file("order.json", `{"billingCycle":"monthly","lineItems":[{"offerId":"o","quantity":1}]}`)
			answer := file("customer.json", `{"id":"22222222-2222-2222-2222-222222222222","companyProfile":{"companyName":"Ü","domain":"u.example"},"attributes":{"objectType":"Customer"}}`)
			certificate, _ := newCertificate(t, dir, "app.pem", time.Now().Add(time.Hour))
			again(certificate)
			for _, tt := range []struct {
				env  map[string]string
				code int
				want string
				args []string
			}{
				{map[string]string{}, terminal.ExitOK, stubToken, []string{"token", "--base-url", stub.URL, "--tenant-id", stubTenant, "--client-id", stubClient, "--client-secret-file", secret}},
				{map[string]string{"PARTNERCENTER_CONFIG": config}, terminal.ExitOK, stubToken, []string{"token", "--base-url", stub.URL, "--profile", "windows"}},
				{nil, terminal.ExitOK, stubToken, []string{"token", "--base-url", secure.URL, "--ca-file", ca}},
				{nil, terminal.ExitOK, "monthly", []string{"orders", "create", "--customer", "one", "--base-url", stub.URL, "-f", order, "--dry-run"}},
				{nil, terminal.ExitOK, "1 customer", []string{"import", answer, "--db", filepath.Join(dir, "imported.db")}},
				// The certificate is read; nobody is there to take it.
				{map[string]string{}, terminal.ExitError, "cannot connect", []string{"token", "--base-url", "https://127.0.0.1:1", "--retries", "0", "--tenant-id", stubTenant, "--client-id", stubClient, "--client-certificate", certificate}},
			} {
				setup := func(term *terminal.Terminal) {
					if tt.env != nil {
						term.Getenv = func(name string) string { return tt.env[name] }
					}
				}
				if r := runCLI(t.Context(), t, setup, tt.args...); r.code != tt.code || !strings.Contains(r.stdout+r.stderr, tt.want) {
					t.Errorf("%q: %+v", tt.args, r)
				}
			}

			certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
			authority.write(t, certFile, keyFile, "localhost")
			f := startServe(t, "--tls-cert", again(certFile), "--tls-key", again(keyFile),
				"--seed", file("seed.yaml", "format: partnercenter-seed/1\r\npartners:\r\n  - {tenantId: 11111111-1111-1111-1111-111111111111, name: Ü, domain: a.onmicrosoft.com, mpnId: '1', country: US}\r\n"),
				"--catalog", file("catalog.yaml", "format: partnercenter-catalog/1\r\ncountries: [{code: FR, currency: EUR, symbol: €}]\r\n"))
			if f.TenantID != "11111111-1111-1111-1111-111111111111" {
				t.Errorf("facts %+v", f)
			}
		})
	}
}

// TestEndlessFiles gives every flag and variable of a file that is read whole one that is
// far too large. None is read to its end.
func TestEndlessFiles(t *testing.T) {
	dir := t.TempDir()
	endless := filepath.Join(dir, "endless")
	writeFile(t, endless, "")
	if err := os.Truncate(endless, 1<<40); err != nil { // without content, it takes no space
		t.Skipf("the file system has no such files: %v", err)
	}
	authority := filepath.Join(dir, "endless-ca")
	if err := os.Mkdir(authority, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.pem", "ca-key.pem"} {
		if err := os.Symlink(endless, filepath.Join(authority, name)); err != nil {
			t.Skip(err)
		}
	}
	here := []string{"--base-url", "http://127.0.0.1:1", "--tenant-id", stubTenant, "--client-id", stubClient}
	serve := []string{"serve", "--db", filepath.Join(dir, "new.db"), "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--control", "", "--ready-file", filepath.Join(dir, "ready.json"), "--ca-dir", filepath.Join(dir, "ca")}
	for _, tt := range []struct {
		env  string
		args []string
	}{
		{"PARTNERCENTER_CONFIG", []string{"config", "list"}},
		{"PARTNERCENTER_CONFIG", []string{"token"}},
		{"PARTNERCENTER_CONFIG", []string{"config", "set", "one.budget", "1"}},
		{"", append(here, "token", "--client-secret", "x", "--ca-file", endless)},
		{"", append(here, "token", "--client-secret-file", endless)},
		{"", append(here, "token", "--client-certificate", endless, "--authority", "https://127.0.0.1:1")},
		{"", []string{"whoami", "--token", endless}},
		{"", append(here, "orders", "create", "--customer", "one", "--client-secret", "x", "--dry-run", "-f", endless)},
		{"", append(here, "api", "POST", "/v1/x", "--client-secret", "x", "--dry-run", "-f", endless)},
		{"", []string{"import", endless, "--db", filepath.Join(dir, "imported.db")}},
		{"", []string{"readyz", "--ready-file", endless}},
		{"", append(serve, "--seed", endless)},
		{"", append(serve, "--catalog", endless)},
		{"", append(serve, "--tls-cert", endless, "--tls-key", endless)},
		{"", append(serve[:len(serve)-2:len(serve)-2], "--ca-dir", authority)},
	} {
		setup := func(term *terminal.Terminal) {
			term.Getenv = func(name string) string {
				if name == tt.env {
					return endless
				}
				return ""
			}
		}
		r := runCLI(t.Context(), t, setup, tt.args...)
		limit := strings.Contains(r.stderr, "which is the limit") || strings.Contains(r.stderr, "the file is larger than")
		if r.code == terminal.ExitOK || !limit || !strings.Contains(r.stderr, endless) && !strings.Contains(r.stderr, authority) {
			t.Errorf("%s %q: %+v", tt.env, tt.args, r)
		}
	}
}

// TestFilesAreReadWithLimit looks for other ways to read a whole file.
func TestFilesAreReadWithLimit(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		inside, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"tools", "examples", ".git", filepath.Join("internal", "contract"), filepath.Join("internal", "installed"), filepath.Join("internal", "postgrestest")}, inside):
			return filepath.SkipDir // no parts of the program
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(source), "os.ReadFile(") {
			t.Errorf("%s reads files without limit: use textfile.Read", inside)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSecretWithBlanks names what nobody sees around a secret, when it is refused.
func TestSecretWithBlanks(t *testing.T) {
	for _, tls := range []bool{false, true} {
		stub := newStub(t, tls)
		args := []string{"token", "--base-url", stub.URL}
		if tls {
			ca := filepath.Join(t.TempDir(), "ca.pem")
			writeFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stub.Certificate().Raw})))
			args = append(args, "--ca-file", ca)
		}
		for secret, want := range map[string]string{
			stubSecret + "\n":   "ends with a newline",
			stubSecret + "\r\n": "ends with a newline",
			" " + stubSecret:    "begins or ends with blanks",
			"wrong":             "",
		} {
			r := runCLI(t.Context(), t, func(term *terminal.Terminal) {
				term.Getenv = func(name string) string {
					return map[string]string{"PARTNERCENTER_TENANT_ID": stubTenant, "PARTNERCENTER_CLIENT_ID": stubClient, "PARTNERCENTER_CLIENT_SECRET": secret}[name]
				}
			}, args...)
			if r.code != terminal.ExitAuth || !strings.Contains(r.stderr, want) || want == "" && strings.Contains(r.stderr, "sent as part of it") {
				t.Errorf("%q: %+v", secret, r)
			}
		}
	}
}

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// TestPastedLines runs the lines of curl that serve and demo print, as they are printed,
// while the server is there. Secrets and folders have what shells and forms give a meaning
// to.
func TestPastedLines(t *testing.T) {
	installed.Program(t, "curl")
	dir := filepath.Join(t.TempDir(), "it's a $folder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	seed := filepath.Join(dir, "seed.yaml")
	writeFile(t, seed, `format: partnercenter-seed/1
partners:
  - tenantId: 11111111-1111-1111-1111-111111111111
    name: A
    domain: a.onmicrosoft.com
    mpnId: "1"
    country: US
    apps: [{clientId: 33333333-3333-3333-3333-333333333333, name: app, secret: "a+b=c d&e%20'$HOME\"\\\\`+"`x`"+`;#"}]
    customers: [{id: 22222222-2222-2222-2222-222222222222, companyProfile: {companyName: X, domain: x.onmicrosoft.com}}]
`)
	const free = "127.0.0.1:0"
	serve := []string{"serve", "--db", ":memory:", "--seed", seed, "--control", "", "--ready-file", filepath.Join(dir, "ready.json"), "--ca-dir", filepath.Join(dir, "ca")}
	for name, args := range map[string][]string{
		"demo":           {"demo", "--keep"},
		"serve":          append(serve[:len(serve):len(serve)], "--listen", free, "--listen-tls", ""),
		"serve over TLS": append(serve[:len(serve):len(serve)], "--listen", "", "--listen-tls", free),
		"serve, in fish": append(serve[:len(serve):len(serve)], "--listen", "", "--listen-tls", free),
		"no sign-in":     append(serve[:len(serve):len(serve)], "--listen", free, "--listen-tls", "", "--auth", "none"),
	} {
		t.Run(name, func(t *testing.T) {
			shell := "sh"
			if strings.HasSuffix(name, "fish") {
				shell = installed.Program(t, "fish")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var out []byte
			var failed error
			stdout := &interrupting{word: "Ctrl-C"}
			stdout.cancel = func() { // the lines are all there
				_, lines, _ := strings.Cut(stdout.String(), "The same with curl:\n")
				lines, _, _ = strings.Cut(lines, "\n\n")
				go func() {
					defer cancel()
					out, failed = exec.CommandContext(ctx, shell, "-c", lines).CombinedOutput()
				}()
			}
			r := runCLI(ctx, t, func(term *terminal.Terminal) { term.Stdout = stdout }, args...)
			<-ctx.Done()
			if failed != nil || !strings.HasPrefix(string(out), `{"totalCount":`) || r.code != terminal.ExitOK {
				t.Errorf("%s %v\nfrom\n%s\n%+v", out, failed, stdout, r)
			}
		})
	}
}

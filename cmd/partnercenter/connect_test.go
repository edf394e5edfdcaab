package main

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestSignInOverTLS signs in through package azidentity at an authority whose
// certificate only --ca-file vouches for.
func TestSignInOverTLS(t *testing.T) {
	stub := newStub(t, true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stub.Certificate().Raw})))

	r := runCLI(t.Context(), t, nil, "orders", "list", "--customer", "one", "--base-url", stub.URL, "--ca-file", ca)
	if r.code != terminal.ExitOK || !strings.Contains(r.stdout, "order-1") {
		t.Errorf("%+v", r)
	}
	r = runCLI(t.Context(), t, nil, "token", "--base-url", stub.URL, "--ca-file", ca, "--client-secret", "wrong")
	if r.code != terminal.ExitAuth || !strings.HasPrefix(r.stderr, "error: signing in failed: AADSTS7000215: Invalid client secret provided. Trace ID: t0\n") {
		t.Errorf("wrong secret: %+v", r)
	}
	r = runCLI(t.Context(), t, nil, "token", "--base-url", stub.URL)
	if r.code != terminal.ExitError || !strings.Contains(r.stderr, "the certificate of "+stub.URL+" is not trusted") || !strings.Contains(r.stderr, "--ca-file") {
		t.Errorf("unknown authority: %+v", r)
	}
	r = runCLI(t.Context(), t, nil, "token", "--base-url", "https://127.0.0.1:1", "--ca-file", ca)
	if r.code != terminal.ExitError || !strings.Contains(r.stderr, "cannot connect to https://127.0.0.1:1") {
		t.Errorf("nothing there: %+v", r)
	}
}

// TestAzureEnvironment signs in with Azure's own variables.
func TestAzureEnvironment(t *testing.T) {
	stub := newStub(t, true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stub.Certificate().Raw})))
	t.Setenv("AZURE_TENANT_ID", stubTenant)
	t.Setenv("AZURE_CLIENT_ID", stubClient)
	t.Setenv("AZURE_CLIENT_SECRET", stubSecret)
	noneOfOurs := func(term *terminal.Terminal) { term.Getenv = func(string) string { return "" } }
	r := runCLI(t.Context(), t, noneOfOurs, "token", "--base-url", stub.URL, "--ca-file", ca)
	if r.code != terminal.ExitOK || r.stdout != stubToken+"\n" {
		t.Errorf("%+v", r)
	}
	if err := os.Setenv("AZURE_CLIENT_SECRET", stubSecret+"\n"); err != nil { // undone by t.Setenv
		t.Fatal(err)
	}
	r = runCLI(t.Context(), t, noneOfOurs, "token", "--base-url", stub.URL, "--ca-file", ca)
	if r.code != terminal.ExitAuth || !strings.Contains(r.stderr, "AADSTS7000215") || !strings.Contains(r.stderr, "ends with a newline") {
		t.Errorf("%+v", r)
	}
}

package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestListeners has flags of addresses more than once, and localhost, which has two
// addresses where there is IPv6.
func TestListeners(t *testing.T) {
	f := startServe(t, "--listen", "localhost:0", "--listen-tls", "localhost:0", "--control", "localhost:0", "--proxy", "127.0.0.1:0", "--proxy", "localhost:0")
	if len(f.APIURLs) != 4 || f.APIURL != f.APIURLs[0] || f.APIURLTLS != f.APIURLs[2] || !strings.HasPrefix(f.APIURLs[1], "http://localhost:") {
		t.Fatalf("addresses %+v", f)
	}
	ca, err := os.ReadFile(f.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer client.CloseIdleConnections()
	names := []string{"127.0.0.1", "localhost"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		names = append(names, "::1")
	}
	for _, address := range f.APIURLs {
		at, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if name == "::1" && at.Hostname() == "127.0.0.1" {
				continue
			}
			base := at.Scheme + "://" + net.JoinHostPort(name, at.Port())
			resp, err := client.Get(base + "/" + f.TenantID + "/v2.0/.well-known/openid-configuration")
			if err != nil {
				t.Error(err)
				continue
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !strings.Contains(string(body), `"issuer":"`+base+"/") {
				t.Errorf("%s: %s %v", base, body, err)
			}
		}
	}

	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:9", "--control", "127.0.0.1:9"},
		{"serve", "--listen-tls", "localhost:9", "--listen-tls", "localhost:9"},
	} {
		if r := runCLI(t.Context(), t, nil, args...); r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "is given twice") {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

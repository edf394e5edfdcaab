package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/localca"
)

// TestPublicURL has commands reach a server by its public URL, through a proxy that
// speaks TLS for it.
func TestPublicURL(t *testing.T) {
	const public = "https://pc.test"
	f := startServe(t, "--public-url", public+"/", "--public-url", "https://192.0.2.7:9443", "--public-url", "https://pc.localhost", "--trusted-proxy", "127.0.0.1")
	if want := []string{public, "https://192.0.2.7:9443", "https://pc.localhost"}; !slices.Equal(f.PublicURLs, want) || !strings.HasPrefix(f.APIURL, "http://127.0.0.1:") {
		t.Fatalf("the ready file has %+v", f)
	}
	backend, err := url.Parse(f.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(backend) // and with it the host, as proxies do by default
		r.SetXForwarded()
	}})
	authority, err := localca.OpenPublic(filepath.Dir(f.CAFile), time.Now(), "pc.test")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue(time.Now(), "pc.test")
	if err != nil {
		t.Fatal(err)
	}
	front.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	front.StartTLS()
	defer front.Close()
	way := newProxy(t, front)

	env := []string{
		"HTTPS_PROXY=" + way.URL, "XDG_CONFIG_HOME=" + t.TempDir(), "PARTNERCENTER_BASE_URL=" + public, "PARTNERCENTER_AUTHORITY=" + public, "PARTNERCENTER_CA_FILE=" + f.CAFile,
		"PARTNERCENTER_TENANT_ID=" + f.TenantID, "PARTNERCENTER_CLIENT_ID=" + f.ClientID, "PARTNERCENTER_CLIENT_SECRET=" + f.ClientSecret,
	}
	person := []string{"BROWSER=browser", "BROWSER_CA=" + f.CAFile, "BROWSER_USER=" + f.UserPrincipalName, "BROWSER_PASSWORD=" + f.Password, "BROWSER_LOG=" + filepath.Join(t.TempDir(), "browser.log")}
	for _, tt := range []struct{ args, want string }{
		{"orders list --customer " + sampleCustomer, sampleOrders[0]},
		{"whoami -o json", `"issuer": "` + public + "/" + f.TenantID},
		{"doctor", public},
		{"login", "Signed in as"},
		{"whoami -o json", f.UserPrincipalName},
	} {
		if out, errs, err := runClient(t, f, append(person, env...), "partnercenter", strings.Fields(tt.args)...); err != nil || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: %v %s %s", tt.args, err, out, errs)
		}
	}

	// Who comes to the listener itself is shown a certificate for the name, too.
	pem, err := os.ReadFile(f.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	for _, name := range []string{"pc.test", "pc.localhost", "localhost", ""} {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(f.APIURLTLS, "https://"), &tls.Config{RootCAs: trusted, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conn.Close()
	}

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer client.CloseIdleConnections()
	get := func(address, accept string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if page := get(f.APIURLTLS, "text/html"); !strings.Contains(page, public) {
		t.Errorf("the page at the root: %s", page)
	}
	if document := get(f.APIURLTLS+"/"+f.TenantID+"/.well-known/openid-configuration", "*/*"); !strings.Contains(document, `"issuer":"`+f.APIURLTLS+"/") {
		t.Errorf("the listener's own address: %s", document)
	}
}

// TestPublicURLRefusals starts servers with addresses that nobody could use.
func TestPublicURLRefusals(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--public-url pc.test", "is no base URL: write scheme, host and port"},
		{"--public-url pc.test:8443", "is no base URL"},
		{"--public-url //pc.test", "is no base URL"},
		{"--public-url ftp://pc.test", "is no base URL"},
		{"--public-url javascript:alert(1)", "is no base URL"},
		{"--public-url https://", "is no base URL"},
		{"--public-url https:///x", "is no base URL"},
		{"--public-url https://pc%2etest", "is no base URL"},
		{"--public-url=", "is no base URL"},
		{"--public-url https://pc.test/pc", "needs a name or a port of its own"},
		{"--public-url https://pc.test//", "leave the rest out"},
		{"--public-url https://u:p@pc.test", "leave them out"},
		{"--public-url https://pc.test?a=b", "leave the rest out"},
		{"--public-url https://pc.test?", "leave the rest out"},
		{"--public-url https://pc.test#a", "leave the rest out"},
		{"--public-url https://*.pc.test", "is no host name: write each name on its own"},
		{"--public-url https://pc.test.", "without wildcards and a final dot"},
		{"--public-url https://bücher.test", "as in DNS"},
		{"--public-url https://pc_1.test", "is no host name"},
		{"--public-url https://999.0.0.1", "is no host name"},
		{"--public-url https://pc.test:0", "has no port that clients can use"},
		{"--public-url https://pc.test:", "has no port that clients can use"},
		{"--public-url https://pc.test:65536", "has no port that clients can use"},
		{"--public-url https://0.0.0.0:8443", "is no address that clients can use"},
		{"--public-url https://[::]:8443", "is no address that clients can use"},
		{"--public-url https://[fe80::1%25eth0]", "is no address that clients can use"},
		{"--public-url https://LOGIN.microsoftonline.com", "use --proxy or --microsoft-hosts instead"},
		{"--public-url https://api.partnercenter.microsoft.com.:8443", "use --proxy or --microsoft-hosts instead"},
		{"--public-url https://pc.test --public-url HTTPS://PC.TEST:443/", "is given twice: leave one out"},
		{"--public-url https://pc.test --listen-tls=", "give --listen-tls an address, or name with --trusted-proxy the proxy that does"},
		{"--public-url http://pc.test --listen=", "write https, give --listen an address, or name with --trusted-proxy the proxy that does"},
		{"--public-url https://pc.test --auth none", "leave it out, or choose --auth builtin or entra"},
		{"--trusted-proxy 10.0.0.1 --auth none", "leave it out, or choose --auth builtin or entra"},
		{"--trusted-proxy pc.test", "is no range of addresses: write it like 10.1.2.0/24"},
		{"--trusted-proxy 10.0.0.0/33", "is no range of addresses"},
		{"--trusted-proxy 10.0.0/24", "is no range of addresses"},
		{"--trusted-proxy fe80::1%eth0", "is no range of addresses"},
		{"--trusted-proxy=", "is no range of addresses"},
		{"--trusted-proxy ::ffff:10.0.0.0/104", "write it like 10.1.2.0/24"},
	} {
		// A server that starts all the same ends here, for want of a database.
		args := append([]string{"serve", "--db", filepath.Join(t.TempDir(), "none", "none.db"), "--control="}, strings.Fields(tt.args)...)
		for _, listener := range []string{"--listen", "--listen-tls"} {
			if !slices.Contains(args, listener+"=") {
				args = append(args, listener, "127.0.0.1:0")
			}
		}
		r := runCLI(t.Context(), t, nil, args...)
		if r.code != terminal.ExitUsage || !strings.Contains(r.stderr, tt.want) || strings.Contains(r.stderr, "panic") {
			t.Errorf("%s: %d %s", tt.args, r.code, r.stderr)
		}
	}
}

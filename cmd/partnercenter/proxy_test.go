package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/internal/installed"
)

// startProxied runs a server with a proxy.
func startProxied(t *testing.T, args ...string) connect.ReadyFacts {
	t.Helper()
	return startServe(t, append([]string{"--proxy", "127.0.0.1:0", "--shutdown-grace", "1s"}, args...)...)
}

// sampleCustomer is the customer of the sample data who has orders.
const sampleCustomer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// runClient runs a program that knows nothing but Microsoft's service, with env
// besides an app's id and secret, and returns what it prints.
func runClient(t *testing.T, f connect.ReadyFacts, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	// A variable that is there and empty is not always one that is not there.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(variable), "=")
		return strings.HasSuffix(name, "_PROXY") || strings.HasPrefix(name, "SSL_CERT_") || strings.HasPrefix(name, "NODE_") ||
			name == "CURL_CA_BUNDLE" || strings.HasPrefix(name, "AZURE_")
	})
	cmd.Env = append(cmd.Env, "AZURE_TENANT_ID="+f.TenantID, "AZURE_CLIENT_ID="+f.ClientID, "AZURE_CLIENT_SECRET="+f.ClientSecret,
		"CUSTOMER_ID="+sampleCustomer)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// The ids of the orders that the sample customer has.
var sampleOrders = []string{"9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1", "eeba9d00-7b46-443a-917e-22887a8fc993"}

func wantOrders(t *testing.T, what, printed string) {
	t.Helper()
	for _, id := range sampleOrders {
		if !strings.Contains(printed, id) {
			t.Errorf("%s printed %q, without order %s", what, printed, id)
		}
	}
}

// curl gets a token and the orders with nothing but --proxy and --cacert: in
// every cloud, over HTTP/1.1 and h2.
func TestCurlThroughProxy(t *testing.T) {
	curl := installed.Program(t, "curl")
	f := startProxied(t)
	for _, version := range []string{"--http1.1", "--http2"} {
		for _, cloud := range []struct{ authority, api, resource string }{
			{"login.microsoftonline.com", "api.partnercenter.microsoft.com", "https://graph.windows.net"},
			{"login.windows.net", "api.partnercenter.microsoft.com", "https://api.partnercenter.microsoft.com"},
			{"login.chinacloudapi.cn", "partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn"},
			{"login.partner.microsoftonline.cn", "partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn"},
			{"login.microsoftonline.de", "api.partnercenter.microsoft.com", "https://graph.cloudapi.de"},
			{"login.microsoftonline.us", "api.partnercenter.microsoft.com", "https://graph.windows.net"},
		} {
			reach := []string{"-sS", "--fail", version, "--proxy", f.ProxyURL, "--cacert", f.CAFile}
			answer, stderr, err := runClient(t, f, nil, curl, append(reach,
				"https://"+cloud.authority+"/"+f.TenantID+"/oauth2/v2.0/token",
				"-d", "grant_type=client_credentials", "-d", "scope="+cloud.resource+"/.default",
				"--data-urlencode", "client_id="+f.ClientID, "--data-urlencode", "client_secret="+f.ClientSecret)...)
			var token struct {
				Text string `json:"access_token"`
			}
			if jsonErr := json.Unmarshal([]byte(answer), &token); err != nil || jsonErr != nil || token.Text == "" {
				t.Errorf("%s at %s: no token: %v %v %s", version, cloud.authority, err, jsonErr, stderr)
				continue
			}
			orders, stderr, err := runClient(t, f, nil, curl, append(reach, "-w", "\nover %{http_version}",
				"-H", "Authorization: Bearer "+token.Text,
				"https://"+cloud.api+"/v1/customers/"+sampleCustomer+"/orders")...)
			if err != nil {
				t.Errorf("%s at %s: %v %s", version, cloud.api, err, stderr)
			}
			wantOrders(t, version+" at "+cloud.api, orders)
			if _, over, _ := strings.Cut(orders, "\nover "); "--http"+strings.TrimSuffix(over, ".0") != version {
				t.Errorf("%s at %s was answered over HTTP/%s", version, cloud.api, over)
			}
		}
	}

	// The environment does as well, in one script for all.
	script := filepath.Join("..", "..", "examples", "clients", "curl", "list-orders.sh")
	orders, stderr, err := runClient(t, f, []string{"HTTPS_PROXY=" + f.ProxyURL, "CURL_CA_BUNDLE=" + f.CAFile}, "sh", script)
	if err != nil {
		t.Errorf("%s: %v %s", script, err, stderr)
	}
	wantOrders(t, script, orders)

	// An unknown host is refused, and says why where curl shows it.
	_, stderr, err = runClient(t, f, nil, curl, "-v", "--proxy", f.ProxyURL, "https://example.com/")
	if err == nil || !strings.Contains(stderr, "403 example.com is not one of Microsoft's") || !strings.Contains(stderr, "--proxy-others tunnel") {
		t.Errorf("an unknown host: %v %s", err, stderr)
	}
	// Without the CA file nothing is trusted.
	if _, _, err = runClient(t, f, nil, curl, "-sS", "--proxy", f.ProxyURL, "https://login.microsoftonline.com/"); err == nil {
		t.Error("curl trusts the server by itself")
	}
}

// The TLS listener serves the same hosts to machines that map their names.
func TestCurlWithMappedNames(t *testing.T) {
	curl := installed.Program(t, "curl")
	for name, args := range map[string][]string{
		"with --proxy":           {"--proxy", "127.0.0.1:0"},
		"with --microsoft-hosts": {"--microsoft-hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startServe(t, args...)
			at := strings.TrimPrefix(f.APIURLTLS, "https://")
			for _, host := range []string{"login.microsoftonline.com", "login.microsoftonline.com:" + at[strings.LastIndex(at, ":")+1:]} {
				document, stderr, err := runClient(t, f, nil, curl, "-sS", "--fail", "--cacert", f.CAFile, "--connect-to", "::"+at,
					"https://"+host+"/"+f.TenantID+"/v2.0/.well-known/openid-configuration")
				if err != nil || !strings.Contains(document, `"issuer":"https://`+host+"/"+f.TenantID+`/v2.0"`) {
					t.Errorf("%s: %v %s %s", host, err, stderr, document)
				}
			}
			// Its own names are served as ever, and trusted by the same file.
			if _, stderr, err := runClient(t, f, nil, curl, "-sS", "--fail", "--cacert", f.CAFile, f.APIURLTLS+"/livez"); err != nil {
				t.Errorf("%v %s", err, stderr)
			}
		})
	}
	f := startServe(t)
	_, stderr, err := runClient(t, f, nil, curl, "-sS", "--cacert", f.CAFile, "--connect-to", "::"+strings.TrimPrefix(f.APIURLTLS, "https://"), "https://login.microsoftonline.com/")
	if err == nil || strings.HasSuffix(f.CAFile, "bundle.pem") {
		t.Errorf("Microsoft's hosts are played without being asked for: %v %s, CA file %s", err, stderr, f.CAFile)
	}
}

// MSAL for Node and Azure's identity library, as they come from the registry,
// get tokens through the proxy, and plain fetch lists the orders.
func TestNodeThroughProxy(t *testing.T) {
	node := installed.Node(t)
	dir, err := filepath.Abs(filepath.Join("..", "..", "examples", "clients", "node"))
	if err != nil {
		t.Fatal(err)
	}
	installed.Packages(t, dir)
	f := startProxied(t)
	env := []string{
		"HTTPS_PROXY=" + f.ProxyURL, "NODE_EXTRA_CA_CERTS=" + f.CAFile,
		"NODE_OPTIONS=--require=" + filepath.Join(dir, "env-proxy.cjs"),
	}
	for _, program := range []string{"msal.mjs", "identity.mjs"} {
		printed, stderr, err := runClient(t, f, env, node, filepath.Join(dir, program))
		if err != nil {
			t.Errorf("%s: %v\n%s", program, err, stderr)
		}
		wantOrders(t, program, printed)

		wrong := append([]string{"AZURE_CLIENT_SECRET=wrong"}, env...)
		if _, stderr, err := runClient(t, f, wrong, node, filepath.Join(dir, program)); err == nil || !strings.Contains(stderr, "AADSTS7000215") {
			t.Errorf("%s with a wrong secret: %v\n%s", program, err, stderr)
		}
	}
}

// twoScopes gets tokens for two APIs with a certificate, as MSAL does: with one assertion.
const twoScopes = `
import { ConfidentialClientApplication } from "@azure/msal-node";
const env = process.env;
const app = new ConfidentialClientApplication({ auth: {
  authority: env.AUTHORITY + "/" + env.AZURE_TENANT_ID, knownAuthorities: [new URL(env.AUTHORITY).host], clientId: env.AZURE_CLIENT_ID,
  clientCertificate: { thumbprintSha256: env.THUMBPRINT, privateKey: env.KEY },
} });
for (const api of ["https://api.partnercenter.microsoft.com", "https://graph.windows.net"]) {
  const { accessToken } = await app.acquireTokenByClientCredential({ scopes: [api + "/.default"] });
  console.log(JSON.parse(atob(accessToken.split(".")[1])).aud);
}`

// MSAL for Node uses an assertion again, which a server can be started to take.
func TestNodeReusesAssertion(t *testing.T) {
	node := installed.Node(t)
	dir, err := filepath.Abs(filepath.Join("..", "..", "examples", "clients", "node"))
	if err != nil {
		t.Fatal(err)
	}
	installed.Packages(t, dir)
	file, certificate := newCertificate(t, t.TempDir(), "app.pem", time.Now().Add(time.Hour))
	both, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(certificate))
	t.Chdir(dir) // where its packages are
	for _, reuse := range []bool{false, true} {
		var args []string
		if reuse {
			args = []string{"--reuse-assertions"}
		}
		f := startServe(t, args...)
		body, err := json.Marshal(map[string]string{"pem": certificate})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(f.ControlURL+"/apps/"+f.ClientID+"/certificates", "application/json", bytes.NewReader(body)) //nolint:noctx // it answers at once
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode >= 300 {
			t.Fatal(resp.Status)
		}
		printed, stderr, err := runClient(t, f, []string{
			"NODE_EXTRA_CA_CERTS=" + f.CAFile, "AUTHORITY=" + f.APIURLTLS, "KEY=" + strings.TrimPrefix(string(both), certificate), fmt.Sprintf("THUMBPRINT=%x", sha256.Sum256(block.Bytes)),
		}, node, "--input-type=module", "--eval", twoScopes)
		if want := "https://api.partnercenter.microsoft.com\n"; !strings.HasPrefix(printed, want) {
			t.Errorf("%s%s", printed, stderr)
		}
		switch got := strings.Contains(printed, "https://graph.windows.net"); {
		case reuse && !got:
			t.Errorf("%v: %s%s", err, printed, stderr)
		case !reuse && (got || !strings.Contains(stderr, "AADSTS700027") || !strings.Contains(stderr, "--reuse-assertions")):
			t.Errorf("an assertion gives two tokens, or the refusal does not help: %s%s", printed, stderr)
		}
	}
}

// Python's own library heeds the same variables.
func TestPythonThroughProxy(t *testing.T) {
	python := installed.Program(t, "python3")
	f := startProxied(t)
	printed, stderr, err := runClient(t, f, []string{"HTTPS_PROXY=" + f.ProxyURL, "SSL_CERT_FILE=" + f.CAFile},
		python, filepath.Join("..", "..", "examples", "clients", "python", "list_orders.py"))
	if err != nil {
		t.Errorf("%v\n%s", err, stderr)
	}
	wantOrders(t, "the program", printed)
}

// Azure's identity library for Go asks about the authority before it trusts it;
// no option switches that off here.
func TestGoThroughProxy(t *testing.T) {
	program := filepath.Join(t.TempDir(), "client")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../examples/clients/go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as TestImporterSize has it: most of it is compiled then
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := startProxied(t)
	printed, stderr, err := runClient(t, f, []string{"HTTPS_PROXY=" + f.ProxyURL, "SSL_CERT_FILE=" + f.CAFile}, program)
	if err != nil {
		t.Errorf("%v\n%s", err, stderr)
	}
	wantOrders(t, "the program", printed)
}

// A token does not care which door it came in by.
func TestTokensThroughProxyAndNot(t *testing.T) {
	f := startProxied(t)
	ca, err := os.ReadFile(f.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	proxyURL, err := url.Parse(f.ProxyURL)
	if err != nil {
		t.Fatal(err)
	}
	through := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	direct := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer through.CloseIdleConnections()
	defer direct.CloseIdleConnections()
	doors := []struct {
		client         *http.Client
		authority, api string
	}{
		{through, "https://login.microsoftonline.com", "https://api.partnercenter.microsoft.com"},
		{direct, f.APIURL, f.APIURL},
		{direct, f.APIURLTLS, f.APIURLTLS},
	}
	for _, in := range doors {
		resp, err := in.client.PostForm(in.authority+"/"+f.TenantID+"/oauth2/token", url.Values{
			"grant_type": {"client_credentials"}, "resource": {"https://graph.windows.net"},
			"client_id": {f.ClientID}, "client_secret": {f.ClientSecret},
		})
		if err != nil {
			t.Fatal(err)
		}
		var token struct {
			Text string `json:"access_token"`
		}
		err = json.NewDecoder(resp.Body).Decode(&token)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range doors {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, out.api+"/v1/customers/"+sampleCustomer+"/orders", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token.Text)
			resp, err := out.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("token of %s at %s: %s %s", in.authority, out.api, resp.Status, body)
			}
		}
	}
}

// ownAuthority signs certificates as a company's authority does.
type ownAuthority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newOwnAuthority(t *testing.T) *ownAuthority {
	t.Helper()
	a := new(ownAuthority)
	a.key, a.cert = signed(t, nil, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// signed makes a key and a certificate that a has signed, or that signs itself.
func signed(t *testing.T, a *ownAuthority, template *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// write puts a new certificate for names, and its key, into files.
func (a *ownAuthority) write(t *testing.T, certFile, keyFile string, names ...string) {
	t.Helper()
	key, cert := signed(t, a, &x509.Certificate{DNSNames: names})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		keyFile: {Type: "PRIVATE KEY", Bytes: der}, certFile: {Type: "CERTIFICATE", Bytes: cert.Raw},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A certificate of one's own is shown and, once it is renewed, shown anew; its
// names are addresses of the server.
func TestOwnCertificate(t *testing.T) {
	authority := newOwnAuthority(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	authority.write(t, certFile, keyFile, "pc.example.com", "*.pc.example.com")
	f := startProxied(t, "--tls-cert", certFile, "--tls-key", keyFile)
	if !strings.HasPrefix(f.APIURLTLS, "https://pc.example.com:") || !f.OwnCertificate || !strings.HasSuffix(f.CAFile, "interception-ca.pem") {
		t.Errorf("facts %+v", f)
	}
	at, err := url.Parse(f.APIURLTLS)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.cert)
	shown := func(host string) (serial string) {
		t.Helper()
		c, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", at.Port()), &tls.Config{RootCAs: trusted, ServerName: host})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := shown("pc.example.com")
	if shown("x.pc.example.com") != first {
		t.Error("another certificate for another name of it")
	}
	authority.write(t, certFile, keyFile, "pc.example.com")
	for end := time.Now().Add(2 * time.Minute); shown("pc.example.com") == first; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the renewed certificate is not shown")
		}
	}

	// Tokens name the address that was asked.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", at.Port()))
		},
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(f.APIURLTLS + "/" + f.TenantID + "/v2.0/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if document, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(document), `"issuer":"`+f.APIURLTLS+"/") {
		t.Errorf("%s %v", document, err)
	}
	// The proxy's hosts are signed for by the local authority all the same.
	if out, stderr, err := runClient(t, f, nil, installed.Program(t, "curl"), "-sS", "--fail", "--proxy", f.ProxyURL, "--cacert", f.CAFile, "https://api.partnercenter.microsoft.com/livez"); err != nil {
		t.Errorf("%s %v %s", out, err, stderr)
	}
}

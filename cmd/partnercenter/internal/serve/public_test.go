package serve

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/localca"
)

func TestParsePublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://pc.test": "https://pc.test", "HTTPS://PC.Test:443/": "https://pc.test", "http://pc.test:80": "http://pc.test",
		"https://pc.test:08443": "https://pc.test:8443", "http://pc.test:443": "http://pc.test:443", "https://partnercenter": "https://partnercenter",
		"https://192.0.2.7:9443": "https://192.0.2.7:9443", "https://[2001:DB8:0:0::7]": "https://[2001:db8::7]", "https://[2001:db8::7]:9443": "https://[2001:db8::7]:9443",
		"https://[::ffff:192.0.2.7]": "https://192.0.2.7", "https://xn--bcher-kva.test": "https://xn--bcher-kva.test", "https://localhost:9443": "https://localhost:9443",
	} {
		if got, err := parsePublicURL(text); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestParseProxies(t *testing.T) {
	o := publicOptions{proxies: []string{"10.1.2.3/8", "192.0.2.1", "2001:db8::/32", "2001:db8::1", "::ffff:192.0.2.2"}}
	if err := o.parseProxies(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range o.trusted {
		got = append(got, p.String())
	}
	if want := []string{"10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "2001:db8::1/128", "192.0.2.2/32"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWarnOfPublic warns of proxies that are everybody, and of plain HTTP to elsewhere.
func TestWarnOfPublic(t *testing.T) {
	for _, tt := range []struct {
		o    publicOptions
		want []string
	}{
		{publicOptions{urls: []string{"https://pc.test", "http://localhost:9000"}, proxies: []string{"10.0.0.0/8", "fc00::/7"}}, nil},
		{publicOptions{urls: []string{"http://pc.test"}}, []string{"use https"}},
		{publicOptions{proxies: []string{"0.0.0.0/0", "::/0", "128.0.0.0/1"}}, []string{"addresses=0.0.0.0/0", "addresses=::/0", "addresses=128.0.0.0/1"}},
	} {
		log := new(bytes.Buffer)
		if err := tt.o.parseProxies(); err != nil {
			t.Fatal(err)
		}
		(&local{logger: slog.New(slog.NewTextHandler(log, nil))}).warnOfPublic(&tt.o)
		if n := strings.Count(log.String(), "level=WARN"); n != len(tt.want) {
			t.Errorf("%+v: %d warnings: %s", tt.o, n, log)
		}
		for _, want := range tt.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%+v: no %s in %s", tt.o, want, log)
			}
		}
	}
}

// at is a connection to an address of this machine.
type at struct {
	net.Conn
	address string
}

func (a at) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(a.address), Port: 8443} }

// The TLS listener has a certificate for each public name and address.
func TestCertificateOfPublicURL(t *testing.T) {
	o := &serveOptions{listenTLS: []string{"127.0.0.1:0"}, caDir: filepath.Join(t.TempDir(), "ca"), public: publicOptions{
		urls: []string{"https://pc.test", "https://pc.test:9443", "http://plain.test", "https://192.0.2.7", "https://[2001:db8::7]", "https://pc.localhost", "https://127.0.0.9:8443"},
	}}
	c, err := openCertificates(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, to, want string }{
		{"pc.test", "127.0.0.1", "pc.test"}, {"PC.test", "10.0.0.1", "pc.test"}, {"plain.test", "127.0.0.1", "localhost"}, {"other.test", "10.0.0.1", "localhost"},
		{"pc.localhost", "127.0.0.1", "pc.localhost"}, {"", "127.0.0.1", "127.0.0.9"}, {"", "::1", "127.0.0.1"}, {"localhost", "192.0.2.7", "localhost"},
		{"", "192.0.2.7", "192.0.2.7"}, {"", "2001:db8::7", "2001:db8::7"}, {"", "10.0.0.1", "192.0.2.7"},
	} {
		cert, err := c.get(&tls.ClientHelloInfo{ServerName: tt.name, Conn: at{address: tt.to}})
		if err != nil {
			t.Fatal(err)
		}
		if err := cert.Leaf.VerifyHostname(tt.want); err != nil {
			t.Errorf("%s at %s: %v", tt.name, tt.to, err)
		}
	}
	file, err := c.caFile()
	if err != nil || filepath.Base(file) != localca.BundleFile {
		t.Errorf("the CA file: %s, %v", file, err)
	}
	if found, err := localca.Find(o.caDir); err != nil || len(found) != 4 {
		t.Errorf("authorities: %+v, %v", found, err)
	}
}

// An own certificate has to be for the public name, unless a proxy has another.
func TestOwnCertificateOfPublicURL(t *testing.T) {
	ca, err := localca.OpenPublic(filepath.Join(t.TempDir(), "ca"), time.Now(), "pc.test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now(), "pc.test")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ url, proxy, want string }{
		{"https://pc.test:9443", "", ""},
		{"http://other.test", "", ""},
		{"https://other.test", "", "is for pc.test, and not for other.test: give one that is, or name with --trusted-proxy the proxy that has it"},
		{"https://other.test", "10.0.0.1", ""},
	} {
		o := publicOptions{urls: []string{tt.url}}
		if tt.proxy != "" {
			o.proxies = []string{tt.proxy}
		}
		if err := o.parseProxies(); err != nil {
			t.Fatal(err)
		}
		if err := o.checkCertificate(cert.Leaf); err == nil && tt.want != "" || err != nil && (tt.want == "" || !strings.HasSuffix(err.Error(), tt.want)) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

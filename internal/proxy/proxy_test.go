package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/localca"
)

// start runs a proxy whose connections, taken in, are answered with the host that
// they were for. It returns the proxy's address and what signs for the hosts.
func start(t *testing.T, o Options) (p *Proxy, address *url.URL, trusted *x509.CertPool) {
	t.Helper()
	ca, err := localca.OpenInterception(filepath.Join(t.TempDir(), "ca"), time.Now(), cloudhosts.All()...)
	if err != nil {
		t.Fatal(err)
	}
	p = New(o)
	far := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s over %s", r.Host, r.Proto)
		}),
		TLSConfig: &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return ca.Certificate(time.Now(), HostOf(hello.Conn))
		}},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	go far.ServeTLS(p.Intercepted(), "", "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l, 10*time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		far.Close()
	})
	return p, &url.URL{Scheme: "http", Host: l.Addr().String()}, ca.Pool()
}

func client(t *testing.T, proxy *url.URL, trusted *x509.CertPool, h2 bool) *http.Client {
	transport := &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: h2,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) (status int, body string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func TestHostsAreTakenIn(t *testing.T) {
	_, address, trusted := start(t, Options{})
	for _, h2 := range []bool{false, true} {
		c := client(t, address, trusted, h2)
		want := "HTTP/1.1"
		if h2 {
			want = "HTTP/2.0"
		}
		for _, host := range cloudhosts.All() {
			if _, body := get(t, c, "https://"+host+"/x"); body != host+" over "+want {
				t.Errorf("%s answered %q, want %s", host, body, want)
			}
		}
	}
	// Names are case-insensitive.
	if _, body := get(t, client(t, address, trusted, false), "https://LOGIN.microsoftonline.com"); !strings.EqualFold(body, "login.microsoftonline.com over HTTP/1.1") {
		t.Errorf("answered %q", body)
	}
}

// Others are refused, with advice where every client shows it.
func TestOthersAreRefused(t *testing.T) {
	for _, test := range []struct {
		url    string
		tunnel bool
		want   []string
	}{
		{"https://example.com/", false, []string{"example.com is not one of Microsoft's", "NO_PROXY=example.com", "--proxy-others tunnel"}},
		{"https://x.login.microsoftonline.com/", false, []string{"NO_PROXY=x.login.microsoftonline.com"}},
		{"https://login.microsoftonline.com:8443/", false, []string{"port 443 only, not on port 8443"}},
		{"https://login.microsoftonline.com:8443/", true, []string{"port 443 only, not on port 8443"}},
		{"https://example.com:8443/", true, []string{"tunnels to port 443 only, not to port 8443", "NO_PROXY=example.com"}},
		{"https://127.0.0.1:8081/", true, []string{"tunnels to port 443 only"}},
	} {
		_, address, trusted := start(t, Options{TunnelOthers: test.tunnel})
		_, err := client(t, address, trusted, false).Get(test.url)
		if err == nil {
			t.Errorf("%s: answered", test.url)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", test.url, err, want)
			}
		}
	}

	plain := []struct {
		url    string
		tunnel bool
		want   string
	}{
		{"http://api.partnercenter.microsoft.com/v1/customers", false, "speaks HTTPS only; ask for https://api.partnercenter.microsoft.com"},
		{"http://api.partnercenter.microsoft.com/v1/customers", true, "speaks HTTPS only"},
		{"http://login.windows.net:80/", false, "speaks HTTPS only"},
		{"http://example.com/", false, "NO_PROXY=example.com"},
		{"http://127.0.0.1:8081/clock", false, "NO_PROXY=127.0.0.1"},
		{"http://example.com:8081/clock", true, "port 80 only, not to port 8081"},
	}
	for _, test := range plain {
		_, address, trusted := start(t, Options{TunnelOthers: test.tunnel})
		if status, body := get(t, client(t, address, trusted, false), test.url); status != http.StatusForbidden || !strings.Contains(body, test.want) {
			t.Errorf("%s, tunnel %v: %d %q, want 403 with %q", test.url, test.tunnel, status, body, test.want)
		}
	}
}

// What clients write themselves is sent unchanged.
func raw(t *testing.T, address *url.URL, request string) (*http.Response, net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp, conn
}

func TestOddRequests(t *testing.T) {
	_, address, _ := start(t, Options{TunnelOthers: true})
	for request, want := range map[string]struct {
		status int
		text   string
	}{
		"CONNECT login.microsoftonline.com HTTP/1.1\r\nHost: x\r\n\r\n":                          {http.StatusForbidden, "names no host and port"},
		"CONNECT :443 HTTP/1.1\r\nHost: x\r\n\r\n":                                               {http.StatusForbidden, "names no host and port"},
		"CONNECT " + strings.Repeat("a", 5000) + ":99 HTTP/1.1\r\nHost: x\r\n\r\n":               {http.StatusForbidden, "port 443 only"},
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:8082\r\n\r\n":                                         {http.StatusBadRequest, "this is an HTTP proxy, not the API"},
		"GET https://login.windows.net:8443/common/ HTTP/1.1\r\nHost: login.windows.net\r\n\r\n": {http.StatusForbidden, "port 443 only"},
		// Not CONNECT, but the intention is clear.
		"GET https://login.windows.net/common/ HTTP/1.1\r\nHost: login.windows.net\r\n\r\n":         {http.StatusOK, "login.windows.net over HTTP/1.1"},
		"GET https://Login.windows.net:443/common/ HTTP/1.1\r\nHost: login.windows.net\r\n\r\n":     {http.StatusOK, "ogin.windows.net"},
		"GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n":                            {http.StatusForbidden, "reach a proxy as CONNECT"},
		"GET http://example.com/ HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n": {http.StatusRequestHeaderFieldsTooLarge, ""},
	} {
		resp, _ := raw(t, address, request)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != want.status || !strings.Contains(string(body), want.text) {
			t.Errorf("%.60q: %s %q, want %d %q", request, resp.Status, body, want.status, want.text)
		}
		if len(resp.Status) > 600 {
			t.Errorf("%.60q: a status line of %d bytes", request, len(resp.Status))
		}
	}
}

// Some clients send their hello without waiting for the answer to CONNECT.
func TestHelloBehindConnect(t *testing.T) {
	_, address, trusted := start(t, Options{})
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const host = "login.microsoftonline.com"
	ahead := &eager{Conn: conn, connect: "CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + "\r\n\r\n"}
	ahead.reader = bufio.NewReader(conn)
	c := tls.Client(ahead, &tls.Config{RootCAs: trusted, ServerName: host})
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
}

// eager writes CONNECT and what follows at once, and reads past the answer.
type eager struct {
	net.Conn
	reader  *bufio.Reader
	connect string
	past    bool
}

func (e *eager) Write(p []byte) (int, error) {
	if e.connect == "" {
		return e.Conn.Write(p)
	}
	_, err := e.Conn.Write(append([]byte(e.connect), p...))
	e.connect = ""
	return len(p), err
}

func (e *eager) Read(p []byte) (int, error) {
	if !e.past {
		e.past = true
		if _, err := http.ReadResponse(e.reader, nil); err != nil {
			return 0, err
		}
	}
	return e.reader.Read(p)
}

// elsewhere is a server that the proxy takes for every other host.
func elsewhere(t *testing.T, p *Proxy, secure bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s at %s, %s", r.Method, r.Host, r.Header.Get("Proxy-Authorization"))
	}))
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	p.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return server
}

func TestOthersAreTunnelled(t *testing.T) {
	p, address, _ := start(t, Options{TunnelOthers: true})
	server := elsewhere(t, p, true)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	// The certificate is the far server's own: the tunnel was not intercepted.
	if status, body := get(t, client(t, address, trusted, false), "https://example.com/"); status != http.StatusOK || body != "GET at example.com, " {
		t.Errorf("%d %q", status, body)
	}

	p, address, _ = start(t, Options{TunnelOthers: true})
	elsewhere(t, p, false)
	withPassword := *address
	withPassword.User = url.UserPassword("user", "password")
	if status, body := get(t, client(t, &withPassword, nil, false), "http://example.com/"); status != http.StatusOK || body != "GET at example.com, " {
		t.Errorf("%d %q", status, body)
	}

	p, address, _ = start(t, Options{TunnelOthers: true})
	p.dial = func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }
	if status, body := get(t, client(t, address, nil, false), "http://example.com/"); status != http.StatusBadGateway || !strings.Contains(body, "NO_PROXY=example.com") {
		t.Errorf("%d %q", status, body)
	}
}

// With Microsoft's sign-in, its hosts are tunnelled, and nothing else.
func TestSignInIsTunnelled(t *testing.T) {
	p, address, played := start(t, Options{TunnelSignIn: true})
	server := elsewhere(t, p, true)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	transport := &http.Transport{Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "example.com"}}
	defer transport.CloseIdleConnections()
	if status, body := get(t, &http.Client{Transport: transport}, "https://login.microsoftonline.com/"); status != http.StatusOK || body != "GET at login.microsoftonline.com, " {
		t.Errorf("%d %q", status, body)
	}
	c := client(t, address, played, false)
	if _, body := get(t, c, "https://api.partnercenter.microsoft.com/"); body != "api.partnercenter.microsoft.com over HTTP/1.1" {
		t.Errorf("answered %q", body)
	}
	if _, err := c.Get("https://example.com/"); err == nil || !strings.Contains(err.Error(), "--proxy-others tunnel") {
		t.Errorf("another host: %v", err)
	}
	if status, body := get(t, c, "http://login.microsoftonline.com/"); status != http.StatusForbidden || !strings.Contains(body, "speaks HTTPS only") {
		t.Errorf("%d %q", status, body)
	}
}

// A proxy that stops closes its tunnels, and refuses new ones.
func TestStop(t *testing.T) {
	p := New(Options{TunnelOthers: true})
	server := elsewhere(t, p, true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l, 10*time.Second) }()
	resp, conn := raw(t, &url.URL{Host: l.Addr().String()}, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the tunnel's end: %v", err)
	}
	if c, err := net.Dial("tcp", server.Listener.Addr().String()); err != nil {
		t.Error(err)
	} else if _, err := p.openTunnel(c, nil); err == nil {
		t.Error("opened a tunnel afterwards")
	}
}

func TestConnectionLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, 1)
	for range 2 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			c.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("a second connection beside the first: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	first.Close()
	first.Close() // twice counts once
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	third, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, func() { l.Close() })
	if _, err := l.Accept(); err == nil {
		t.Error("accepted from a closed listener")
	}
}

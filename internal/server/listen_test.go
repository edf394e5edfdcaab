package server_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// inFlight is a server on real listeners, as the program runs it.
type inFlight struct {
	api, tls, control string // addresses
	ca                *localca.CA
	clock             *clock.Clock
	store             *store.Store
	authority         *issuer.Authority
	partner           string
	app               seed.App
	figures           func() server.Figures
	stop              context.CancelFunc
	done              chan error
}

// signingKey is shared by the tests' servers: making one takes longer than
// everything else that starting a server does.
var signingKey = sync.OnceValues(func() (*issuer.Key, error) { return issuer.GenerateKey(time.Now()) })

// addSigningKey has st sign with the shared key.
func addSigningKey(t *testing.T, st *store.Store) {
	t.Helper()
	key, err := signingKey()
	must(t, err)
	text, err := key.PEM()
	must(t, err)
	if err := st.AddSigningKey(t.Context(), store.SigningKey{ID: key.ID, PEM: text, Created: key.Created}); !errors.Is(err, store.ErrKeyExists) {
		must(t, err)
	}
}

func newRunning(t *testing.T) *inFlight {
	t.Helper()
	return newRunningOn(t, ":memory:", partnercenter.CloudNameGlobal, false)
}

// newRunningAs starts a server that emulates a cloud, or all of them.
func newRunningAs(t *testing.T, cloud partnercenter.CloudName, all bool) *inFlight {
	t.Helper()
	return newRunningOn(t, ":memory:", cloud, all)
}

// newRunningOn starts a server on a database. Adjust changes its configuration.
func newRunningOn(t *testing.T, database string, cloud partnercenter.CloudName, all bool, adjust ...func(*server.Config)) *inFlight {
	t.Helper()
	ctx := t.Context()
	clk := clock.New(nil)
	st, err := store.Open(ctx, database, &store.Options{Now: clk.Now})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	data, err := seed.Sample()
	must(t, err)
	_, _, err = st.Fill(ctx, data)
	must(t, err)
	addSigningKey(t, st)
	must(t, control.RestoreClock(ctx, st, clk))
	must(t, st.Join(ctx))
	follow := control.FollowClock(st, clk, slog.New(slog.DiscardHandler))
	r := &inFlight{clock: clk, store: st, partner: data.Partners[0].TenantID, done: make(chan error, 1)}
	apps, err := st.Apps(ctx, r.partner)
	must(t, err)
	r.app = apps[0]

	var l server.Listeners
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		return listener
	}
	l.API, l.APITLS, l.Control = listen(), listen(), listen()
	r.api, r.tls, r.control = l.API.Addr().String(), l.APITLS.Addr().String(), l.Control.Addr().String()
	r.ca, err = localca.Open(filepath.Join(t.TempDir(), "ca"), time.Now())
	must(t, err)
	certificate, err := r.ca.Issue(time.Now(), "localhost", "127.0.0.1")
	must(t, err)
	l.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}

	r.authority, err = control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: []string{"http://" + r.api, "https://" + r.tls}, Now: clk.Now, Cloud: cloud, AllClouds: all})
	must(t, err)
	config := server.Config{Store: st, Authority: r.authority, Clock: clk, Follow: follow, CacheSize: 1 << 20, RequestsPerMinute: 1000, Cloud: cloud, AllClouds: all}
	for _, change := range adjust {
		change(&config)
	}
	srv, err := server.New(ctx, config)
	must(t, err)
	r.figures = srv.Figures
	t.Cleanup(srv.Close)
	l.Plane = control.New(control.Config{Store: st, Authority: r.authority, Clock: clk, Cloud: cloud, Health: srv.Health(), Follow: follow, Forget: srv.Forget}).Handler()
	var serving context.Context
	serving, r.stop = context.WithCancel(context.Background())
	go func() { r.done <- srv.Serve(serving, l, 2*time.Minute) }()
	t.Cleanup(func() {
		r.stop()
		select {
		case <-r.done:
		case <-time.After(time.Minute):
			t.Error("the server did not stop")
		}
	})
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *inFlight) token(t *testing.T) string {
	t.Helper()
	token, err := r.authority.Mint(issuer.MintRequest{Tenant: r.partner, ClientID: r.app.ClientID})
	must(t, err)
	return token.Text
}

func (r *inFlight) get(t *testing.T, client *http.Client, address, token string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	must(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestDateIsByTheClock reads Date while the clock follows the system's, when net/http
// sends it, and once it is set.
func TestDateIsByTheClock(t *testing.T) {
	r := newRunning(t)
	wantDate := func(path string, want time.Time) {
		t.Helper()
		got, err := http.ParseTime(r.get(t, http.DefaultClient, "http://"+r.api+path, r.token(t), nil).Header.Get("Date"))
		if err != nil || got.Sub(want).Abs() > time.Minute {
			t.Errorf("%s: %v %v, want %v", path, got, err, want)
		}
	}
	const call, other = "/v1/customers", "/common/discovery/v2.0/keys"
	wantDate(call, time.Now())
	must(t, r.clock.Advance(24*time.Hour))
	wantDate(call, time.Now().Add(24*time.Hour))
	wantDate(other, time.Now())
}

// TestTLSAndHTTPVersions connects to the server as old and new clients do.
func TestTLSAndHTTPVersions(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	for _, tt := range []struct {
		name    string
		version uint16
		h2      bool
		proto   string
	}{
		{"TLS 1.2, HTTP/1.1, no ALPN", tls.VersionTLS12, false, "HTTP/1.1"},
		{"TLS 1.3, HTTP/1.1", tls.VersionTLS13, false, "HTTP/1.1"},
		{"TLS 1.2, h2", tls.VersionTLS12, true, "HTTP/2.0"},
		{"TLS 1.3, h2", tls.VersionTLS13, true, "HTTP/2.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport := &http.Transport{
				TLSClientConfig:   &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tt.version, MaxVersion: tt.version},
				ForceAttemptHTTP2: tt.h2,
			}
			defer transport.CloseIdleConnections()
			if !tt.h2 {
				transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
			}
			resp := r.get(t, &http.Client{Transport: transport}, "https://"+r.tls+seedOrders, token, nil)
			if resp.StatusCode != 200 || resp.Proto != tt.proto || resp.TLS.Version != tt.version {
				t.Errorf("%s, %s, TLS %x", resp.Status, resp.Proto, resp.TLS.Version)
			}
		})
	}
	if c, err := tls.Dial("tcp", r.tls, &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("TLS 1.1 was taken")
	}
}

func TestGzip(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	plain, err := io.ReadAll(r.get(t, client, "http://"+r.api+seedOrders, token, nil).Body)
	must(t, err)
	for range 4 { // the last answers come from memory
		resp := r.get(t, client, "http://"+r.api+seedOrders, token, http.Header{"Accept-Encoding": {"gzip, deflate, br"}})
		if resp.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Fatalf("headers %v", resp.Header)
		}
		z, err := gzip.NewReader(resp.Body)
		must(t, err)
		got, err := io.ReadAll(z)
		must(t, err)
		if string(got) != string(plain) {
			t.Errorf("got %s", got)
		}
	}
	if resp := r.get(t, client, "http://"+r.api+seedOrders, token, http.Header{"Accept-Encoding": {"gzip;q=0"}}); resp.Header.Get("Content-Encoding") != "" {
		t.Error("compressed, though that was refused")
	}
}

// raw sends text on a connection and returns the answers' bytes.
func (r *inFlight) raw(t *testing.T, text string) *bufio.Reader {
	t.Helper()
	c, err := net.Dial("tcp", r.api)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(2*time.Minute)))
	go io.WriteString(c, text)
	return bufio.NewReader(c)
}

func TestRawRequests(t *testing.T) {
	r := newRunning(t)
	head := "GET " + seedOrders + " HTTP/1.1\r\nHost: " + r.api + "\r\nAuthorization: Bearer " + r.token(t) + "\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
	}{
		{"Expect without a body", head + "Expect: 100-continue\r\n\r\n", 200},
		{"Expect with a body", "POST /" + r.partner + "/oauth2/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 400},
		{"a mebibyte of headers", head + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", 431},
		{"a chunked body on GET", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 400},
		{"HTTP/1.0", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", 200},
		{"no path", "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"broken escape", "GET /v1/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"another method", "BREW /v1/customers HTTP/1.1\r\nHost: x\r\n\r\n", 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader := r.raw(t, tt.request)
			for {
				resp, err := http.ReadResponse(reader, nil)
				must(t, err)
				if resp.StatusCode == 100 {
					continue
				}
				if resp.StatusCode != tt.status {
					body, _ := io.ReadAll(resp.Body)
					t.Errorf("status %d, want %d: %s", resp.StatusCode, tt.status, body)
				}
				return
			}
		})
	}
}

// TestUnsentBodies checks that clients that wait before sending a body are refused at
// once.
func TestUnsentBodies(t *testing.T) {
	r := newRunning(t)
	bearer := "Authorization: Bearer " + r.token(t) + "\r\n"
	for _, tt := range []struct {
		name, address, path, header string
		status                      int
	}{
		{"a call that is not served", r.api, "/v1/customers", bearer, 400},
		{"no token", r.api, seedOrders, "", 401},
		{"a bad token", r.api, seedOrders, "Authorization: Bearer x\r\n", 401},
		{"an unknown path", r.api, "/v1/nothing", bearer, 404},
		{"an upload without a token", r.api, seedOrders + "/" + shortOrder + "/attachment", "", 401},
		{"an upload of another type", r.api, seedOrders + "/" + shortOrder + "/attachment", bearer + "Content-Type: text/plain\r\n", 400},
		{"an unknown tenant", r.api, "/unknown.example/oauth2/token", "", 400},
		{"an unknown page", r.api, "/" + r.partner + "/nothing", "", 404},
		{"an unknown path of the control plane", r.control, "/nothing", "", 404},
		{"another site at the control plane", r.control, "/clock", "Origin: https://other.example\r\n", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", tt.address)
			must(t, err)
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(10*time.Second))) // net/http would wait for 15
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 2\r\n%s\r\n", tt.path, tt.address, tt.header)
			answers := bufio.NewReader(conn)
			resp, err := http.ReadResponse(answers, nil)
			must(t, err)
			if resp.StatusCode == http.StatusContinue { // the body decides
				io.WriteString(conn, "{}")
				resp, err = http.ReadResponse(answers, nil)
				must(t, err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			must(t, err)
			if resp.StatusCode != tt.status {
				t.Errorf("%s: %s", resp.Status, body)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	r := newRunning(t)
	for _, address := range []string{"http://" + r.api, "http://" + r.control} {
		for _, path := range []string{"/livez", "/readyz"} {
			resp := r.get(t, http.DefaultClient, address+path, "", nil)
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), `{"status":"`) {
				t.Errorf("%s%s: %s %s %v", address, path, resp.Status, body, err)
			}
		}
	}
	r.store.Close()
	if resp := r.get(t, http.DefaultClient, "http://"+r.api+"/readyz", "", nil); resp.StatusCode != 503 {
		t.Errorf("without its database the server is %s", resp.Status)
	}
}

// TestShutdownFinishesRequests stops the server while a request is on its way.
func TestShutdownFinishesRequests(t *testing.T) {
	r := newRunning(t)
	c, err := net.Dial("tcp", r.api)
	must(t, err)
	defer c.Close()
	form := "grant_type=client_credentials&resource=https%3A%2F%2Fgraph.windows.net&client_id=" + r.app.ClientID + "&client_secret=" + r.app.Secret
	must(t, c.SetDeadline(time.Now().Add(2*time.Minute)))
	fmt.Fprintf(c, "POST /%s/oauth2/token HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", r.partner, r.api, len(form))
	answers := bufio.NewReader(c)
	resp, err := http.ReadResponse(answers, nil) // the handler waits for the body
	must(t, err)
	if resp.StatusCode != http.StatusContinue {
		t.Fatal(resp.Status)
	}
	r.stop()
	for range 20_000 { // until the server takes no more connections
		more, err := net.Dial("tcp", r.api)
		if err != nil {
			break
		}
		more.Close()
		time.Sleep(5 * time.Millisecond)
	}
	if more, err := net.Dial("tcp", r.api); err == nil {
		more.Close()
		t.Error("the server still takes connections")
	}
	io.WriteString(c, form)
	resp, err = http.ReadResponse(answers, nil)
	must(t, err)
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || err != nil || !strings.Contains(string(body), "access_token") {
		t.Errorf("%s %s %v", resp.Status, body, err)
	}
	if err := <-r.done; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	r.done <- nil // for the cleanup
}

// TestRevokedKeyStopsAtOnce revokes the key of a token that was used before.
func TestRevokedKeyStopsAtOnce(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	status := func() int { return r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil).StatusCode }
	if got := status(); got != 200 {
		t.Fatalf("status %d before", got)
	}
	resp := r.get(t, http.DefaultClient, "http://"+r.control+"/keys", "", nil)
	var keys struct {
		Keys []struct {
			ID      string `json:"id"`
			Revoked string `json:"revoked"`
		} `json:"keys"`
	}
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, partnercenter.Unmarshal(body, &keys))
	if len(keys.Keys) != 1 || strings.Contains(string(body), "PRIVATE") {
		t.Fatalf("keys: %s", body)
	}
	revoke := func(header http.Header) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+r.control+"/keys/"+keys.Keys[0].ID, nil)
		must(t, err)
		req.Header = header
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := revoke(http.Header{"Origin": {"https://evil.example"}}); got != 403 {
		t.Errorf("a web page could revoke a key: %d", got)
	}
	rebound, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.control+"/keys", nil)
	must(t, err)
	rebound.Host = "evil.example"
	rebound.Header.Set("Origin", "http://evil.example")
	resp, err = http.DefaultClient.Do(rebound)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("a page whose name leads here could add a key: %d", resp.StatusCode)
	}
	if got := revoke(http.Header{}); got != 200 {
		t.Fatalf("revoking answers %d", got)
	}
	if got := status(); got != 401 {
		t.Errorf("the token of a revoked key answers %d", got)
	}
	token = r.token(t)
	if got := status(); got != 200 {
		t.Errorf("a token of the new key answers %d", got)
	}
}

// TestListsFollowWrites changes orders behind answers that are kept.
func TestListsFollowWrites(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	count := func() string {
		body, err := io.ReadAll(r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil).Body)
		must(t, err)
		return string(body[:16])
	}
	for range 4 { // the last answers come from memory
		if got := count(); got != `{"totalCount":2,` {
			t.Fatal(got)
		}
	}
	data, err := seed.Sample()
	must(t, err)
	partner := data.Partners[0]
	for _, c := range partner.Customers {
		if c.Customer.ID != seedCustomer {
			continue
		}
		added := c.Orders[0]
		added.ID = "aaaaaaaaaaaa"
		c.Orders = []partnercenter.Order{added}
		partner.Customers = []seed.Customer{c}
		break
	}
	_, err = r.store.Load(t.Context(), &seed.Seed{Partners: []seed.Partner{partner}})
	must(t, err)
	if got := count(); got != `{"totalCount":3,` {
		t.Errorf("after a write the list begins %s", got)
	}
}

// trusting returns a client's TLS configuration that trusts r.
func trusting(r *inFlight) *tls.Config { return &tls.Config{RootCAs: r.ca.Pool()} }

package server_test

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	resets      = flag.Int("resets", 400, "requests to abandon, in TestResetFlood")
	slowClients = flag.Int("slow-clients", 300, "connections to hold, in TestSlowClients")
)

// TestSmuggling sends requests whose end a proxy in front of the server might see
// elsewhere, with another request behind them, which must not be answered. A length
// beside chunks is not among them: net/http drops it, as RFC 9112 allows.
func TestSmuggling(t *testing.T) {
	r := newRunning(t)
	bearer := "Authorization: Bearer " + r.token(t) + "\r\n"
	const hidden = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range []struct{ name, headers, body string }{
		{"two lengths", fmt.Sprintf("Content-Length: 2\r\nContent-Length: %d\r\n", 2+len(hidden)), "{}"},
		{"a blank before the colon", "Content-Length : 2\r\n", "{}"},
		{"a length with a sign", "Content-Length: +2\r\n", "{}"},
		{"a list of lengths", "Content-Length: 2, 2\r\n", "{}"},
		{"another coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"},
		{"chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"},
		{"a chunk's size that is none", "Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"},
		{"a header that goes on in the next line", "X-A: b\r\n Content-Length: 2\r\n", "{}"},
		{"a line feed in a name", "X-A\nContent-Length: 2\r\n", "{}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := r.raw(t, "POST "+seedOrders+" HTTP/1.1\r\nHost: x\r\n"+bearer+tt.headers+"Content-Type: application/json\r\n\r\n"+tt.body+hidden)
			for n := 0; ; n++ {
				resp, err := http.ReadResponse(answers, nil)
				if err != nil {
					if n == 0 {
						t.Fatal(err)
					}
					return // closed after the refusal
				}
				body, err := io.ReadAll(resp.Body)
				must(t, err)
				if resp.StatusCode < 400 {
					t.Fatalf("answer %d is %s: %s", n, resp.Status, body)
				}
			}
		})
	}
}

// TestResetFlood begins and abandons requests on one HTTP/2 connection. Another client
// is answered meanwhile.
func TestResetFlood(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	transport := func() *http.Transport {
		return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	}
	flood, other := transport(), transport()
	defer flood.CloseIdleConnections()
	defer other.CloseIdleConnections()

	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range *resets / 8 {
				ctx, cancel := context.WithCancel(t.Context())
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+r.tls+seedOrders, io.LimitReader(waiting{ctx}, 1<<20))
				if err != nil {
					t.Error(err)
				}
				req.Header.Set("Authorization", "Bearer "+token)
				time.AfterFunc(time.Millisecond, cancel)
				if resp, err := flood.RoundTrip(req); err == nil {
					resp.Body.Close()
				}
				cancel()
			}
		})
	}
	for range 10 {
		resp := r.get(t, &http.Client{Transport: other, Timeout: 30 * time.Second}, "https://"+r.tls+seedOrders, token, nil)
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %v: %s", resp.Status, err, body)
		}
	}
	group.Wait()
}

// waiting is a body that does not come.
type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

// TestSlowClients holds many connections open that never finish a request.
func TestSlowClients(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	for _, start := range []string{
		"", "GET /v1", "GET /v1/customers HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST /" + r.partner + "/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\ngrant_type=",
		"POST " + seedOrders + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
	} {
		for range *slowClients / 5 {
			c, err := net.Dial("tcp", r.api)
			must(t, err)
			t.Cleanup(func() { c.Close() })
			_, err = io.Copy(c, strings.NewReader(start))
			must(t, err)
		}
	}
	client := &http.Client{Timeout: 30 * time.Second}
	for range 10 {
		if resp := r.get(t, client, "http://"+r.api+seedOrders, token, nil); resp.StatusCode != http.StatusOK {
			t.Error(resp.Status)
		}
	}
}

//go:build unix

package server_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/fleet"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// The environment of the server process of TestExactlyOnce, and the header by
// which a request asks it to die.
const (
	onceDatabase  = "PARTNERCENTER_TEST_ONCE_DATABASE"
	onceAddresses = "PARTNERCENTER_TEST_ONCE_ADDRESSES" // the process's own first
	headerKill    = "X-Test-Kill"                       // before, after
)

var purchases = flag.Int("purchases", 200, "how many purchases TestExactlyOnce makes")

const purchasers = 16

// TestExactlyOnceServer is a server process: it serves a database on disk, or in PostgreSQL
// beside another one, until it is killed.
func TestExactlyOnceServer(t *testing.T) {
	path := os.Getenv(onceDatabase)
	if path == "" {
		return // it is a part of TestExactlyOnce
	}
	ctx := context.Background()
	st, err := store.Open(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	addresses := strings.Split(os.Getenv(onceAddresses), ",")
	authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: onceURLs(addresses)})
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(ctx, server.Config{Store: st, Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // it takes a moment
	}
	t.Fatal(http.ListenAndServe(addresses[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get(headerKill) {
		case "before":
			die()
		case "after": // the commit is done, but the client does not learn of it
			api.ServeHTTP(deaf{http.Header{}}, r)
			die()
		}
		api.ServeHTTP(w, r)
	})))
}

// onceURLs are the base URLs of servers.
func onceURLs(addresses []string) []string {
	urls := make([]string, len(addresses))
	for i, address := range addresses {
		urls[i] = "http://" + address
	}
	return urls
}

// deaf discards an answer, so that it never reaches the client.
type deaf struct{ header http.Header }

func (d deaf) Header() http.Header       { return d.header }
func (deaf) Write(p []byte) (int, error) { return len(p), nil }
func (deaf) WriteHeader(int)             {}

// TestExactlyOnce makes purchases on a server that is killed before and after it
// commits, over connections that break, with requests that come twice and out of
// order, and to any of two servers on PostgreSQL. In the end there are as many orders, and each purchase was told of its
// own.
//
// For longer: go test ./internal/server -run TestExactlyOnce -purchases 1000
func TestExactlyOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server a dozen times")
	}
	s := startOnce(t)
	customers := s.customers(t)
	list := make([]*purchase, *purchases)
	for i := range list {
		list[i] = &purchase{
			number: i, id: fmt.Sprintf("%08x-0000-4000-8000-%012x", i, rand.Uint64()&0xffffffffffff),
			path: "/v1/customers/" + customers[i%len(customers)] + "/orders",
			body: fmt.Sprintf(`{"lineItems":[{"lineItemNumber":0,"offerId":"031C9E47-4802-4248-838E-778FB1D2CC05","friendlyName":"purchase %d.","quantity":1}]}`, i),
		}
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	queue := make(chan *purchase, len(list))
	for _, p := range list {
		queue <- p
	}
	close(queue)
	var wait sync.WaitGroup
	for range purchasers {
		wait.Go(func() {
			for p := range queue {
				if err := s.buy(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	if kills := s.kills.Load(); kills < int64(*purchases/50) { // of four times as many
		t.Errorf("the server was killed %d times, which proves little", kills)
	}

	s.await(t)
	// Late repetitions get the first answer, other bodies none.
	for _, p := range list[:min(100, len(list))] {
		status, body, err := s.send(p, p.body, "")
		if err != nil || status != http.StatusCreated || string(body) != p.answer {
			t.Errorf("purchase %d, repeated: %d, %v\n%s\nwant\n%s", p.number, status, err, body, p.answer)
		}
		status, body, err = s.send(p, strings.Replace(p.body, `"quantity":1`, `"quantity":2`, 1), "")
		if err != nil || status != http.StatusConflict || !strings.Contains(string(body), "800002") {
			t.Errorf("purchase %d, with another body: %d, %v\n%s", p.number, status, err, body)
		}
	}
	if len(s.addresses) > 1 {
		time.Sleep(time.Second) // what a server knows of the other's orders is no older
	}
	orders := s.orders(t, customers)
	for _, p := range list {
		switch found := orders[fmt.Sprintf("purchase %d.", p.number)]; {
		case len(found) != 1:
			t.Errorf("purchase %d has the orders %v", p.number, found)
		case !strings.Contains(p.answer, `"id":"`+found[0]+`"`):
			t.Errorf("purchase %d has order %s, and was told %s", p.number, found[0], p.answer)
		}
		delete(orders, fmt.Sprintf("purchase %d.", p.number))
	}
	if len(orders) > 0 {
		t.Errorf("nobody made the purchases %v", orders)
	}
	t.Logf("%d purchases, %d requests, %d kills", *purchases, s.requests.Load(), s.kills.Load())
}

type purchase struct {
	number         int
	id, path, body string
	answer         string
}

// onceServer is a server process, or two, which are restarted when they are killed.
type onceServer struct {
	addresses       []string
	token           string
	client          *http.Client
	kills, requests atomic.Int64
}

func (s *onceServer) address() string { return s.addresses[rand.IntN(len(s.addresses))] }

func startOnce(t *testing.T) *onceServer {
	t.Helper()
	s := &onceServer{client: &http.Client{Timeout: 2 * time.Minute}}
	database, servers := filepath.Join(t.TempDir(), "once.db"), 1
	if fleet.Database != nil {
		var err error
		var drop func() error
		if database, drop, err = fleet.Database(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = drop() })
		servers = fleet.Servers
	}
	for range servers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		s.addresses = append(s.addresses, listener.Addr().String())
	}
	s.token = fillOnce(t, database, s.addresses)

	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	for i := range s.addresses {
		own := append([]string{s.addresses[i]}, slices.Delete(slices.Clone(s.addresses), i, i+1)...)
		over.Go(func() {
			for ctx.Err() == nil {
				cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestExactlyOnceServer$")
				cmd.Env = append(os.Environ(), onceDatabase+"="+database, onceAddresses+"="+strings.Join(own, ","))
				out, err := cmd.CombinedOutput()
				if ctx.Err() != nil {
					return
				}
				var exit *exec.ExitError
				if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !errors.As(err, &exit) || !ok || !status.Signaled() {
					t.Errorf("the server ended by itself: %v\n%s", err, out)
					return
				}
				s.kills.Add(1)
			}
		})
	}
	t.Cleanup(func() { cancel(); over.Wait() })
	return s
}

// fillOnce makes the database and a token for it.
func fillOnce(t *testing.T, database string, addresses []string) string {
	t.Helper()
	ctx := t.Context()
	st, err := store.Open(ctx, database, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	data, err := seed.Sample()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Load(ctx, data); err != nil {
		t.Fatal(err)
	}
	authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: onceURLs(addresses)})
	if err != nil {
		t.Fatal(err)
	}
	partner := data.Partners[0]
	token, err := authority.Mint(issuer.MintRequest{Tenant: partner.TenantID, ClientID: partner.Apps[0].ClientID})
	if err != nil {
		t.Fatal(err)
	}
	return token.Text
}

// buy makes a purchase, in a way that depends on its number, and retries until there is
// an answer.
func (s *onceServer) buy(p *purchase) error {
	deadline := time.Now().Add(5 * time.Minute)
	kill := ""
	switch {
	case p.number%25 == 0:
		kill = "before"
	case p.number%25 == 12:
		kill = "after"
	case p.number%7 == 3:
		s.sendAndHangUp(p)
	case p.number%5 == 1:
		var twin sync.WaitGroup
		twin.Go(func() { _, _, _ = s.send(p, p.body, "") })
		defer twin.Wait()
	}
	for time.Now().Before(deadline) {
		status, body, err := s.send(p, p.body, kill)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			kill = "" // there was a server to kill
		}
		switch {
		case err == nil && status == http.StatusCreated:
			p.answer = string(body)
			return nil
		case err == nil && status == http.StatusConflict && strings.Contains(string(body), "800060"):
			// Its twin, or the request that was hung up on, is still running.
		case err == nil:
			return fmt.Errorf("purchase %d: %d %s", p.number, status, body)
		}
		time.Sleep(time.Duration(1+rand.IntN(20)) * time.Millisecond)
	}
	return fmt.Errorf("purchase %d got no answer", p.number)
}

func (s *onceServer) request(p *purchase, body, kill string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, "http://"+s.address()+p.path, strings.NewReader(body))
	if err != nil {
		panic(err) // the address is one
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("MS-RequestId", p.id)
	if kill != "" {
		req.Header.Set(headerKill, kill)
	}
	return req
}

func (s *onceServer) send(p *purchase, body, kill string) (int, []byte, error) {
	s.requests.Add(1)
	resp, err := s.client.Do(s.request(p, body, kill))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// sendAndHangUp sends a whole request and does not wait for its answer.
func (s *onceServer) sendAndHangUp(p *purchase) {
	s.requests.Add(1)
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		return // it is being started
	}
	defer conn.Close()
	var request bytes.Buffer
	_ = s.request(p, p.body, "").Write(&request)
	_, _ = conn.Write(request.Bytes())
}

// await waits for the servers that were killed last.
func (s *onceServer) await(t *testing.T) {
	t.Helper()
	for _, address := range s.addresses {
		for started := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
				break
			}
			if time.Since(started) > 2*time.Minute {
				t.Fatal("a server does not start")
			}
		}
	}
}

func (s *onceServer) get(t *testing.T, path string, into any) {
	t.Helper()
	for range 6000 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		resp, err := s.client.Do(req)
		if err != nil {
			time.Sleep(20 * time.Millisecond) // it is being started
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s, %v", path, resp.StatusCode, body, err)
		}
		if err := partnercenter.Unmarshal(body, into); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the server does not start")
}

func (s *onceServer) customers(t *testing.T) []string {
	t.Helper()
	var page partnercenter.Collection[*partnercenter.Customer]
	s.get(t, "/v1/customers", &page)
	var ids []string
	for _, c := range page.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

// orders returns the ids of the orders that were placed, by their friendly
// name.
func (s *onceServer) orders(t *testing.T, customers []string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, id := range customers {
		var page partnercenter.Collection[*partnercenter.Order]
		s.get(t, "/v1/customers/"+id+"/orders", &page)
		for _, o := range page.Items {
			if name := o.LineItems[0].FriendlyName; strings.HasPrefix(name, "purchase ") {
				found[name] = append(found[name], o.ID)
			}
		}
	}
	return found
}

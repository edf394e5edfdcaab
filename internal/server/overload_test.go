package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

var overloadFor = flag.Duration("overload", 2*time.Second, "how long TestOverload sends more than the server can answer")

// TestConnectionsAreBounded opens more connections than a server takes. Idle ones make
// room; while all are in use, clients are told to come back.
func TestConnectionsAreBounded(t *testing.T) {
	const most = 8
	r := newRunningOn(t, ":memory:", partnercenter.CloudNameGlobal, false, func(c *server.Config) { c.MaxConnections = most })
	dial := func(request string) *net.TCPConn {
		c, err := net.Dial("tcp", r.api)
		must(t, err)
		t.Cleanup(func() { c.Close() })
		_, err = io.WriteString(c, request)
		must(t, err)
		return c.(*net.TCPConn)
	}
	status := func(c net.Conn) (int, string) {
		must(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		must(t, err)
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	const live = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	idle := make([]*net.TCPConn, 0, most)
	for range most {
		c := dial(live)
		if code, _ := status(c); code != http.StatusOK {
			t.Fatal(code)
		}
		idle = append(idle, c)
	}
	waitUntil(t, func() bool { return r.figures().Connections == most })
	if code, _ := status(dial(live)); code != http.StatusOK {
		t.Errorf("beside %d idle connections: %d", most, code)
	}
	closed := 0 // which one depends on when the server noticed that they were idle
	for limit := time.Now().Add(30 * time.Second); closed == 0 && time.Now().Before(limit); {
		for _, c := range idle {
			must(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
			if _, err := c.Read(make([]byte, 1)); err == io.EOF {
				closed++
			}
		}
	}
	if closed != 1 {
		t.Errorf("%d idle connections were closed", closed)
	}
	if f := r.figures(); f.Closed != 1 || f.TurnedAway != 0 || f.Connections != most {
		t.Errorf("%+v", f)
	}

	// A request that does not end keeps its connection.
	const begun = "POST /x/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant_type="
	busy := make([]*net.TCPConn, 0, most)
	for range most {
		busy = append(busy, dial(begun))
	}
	turnedAway := false
	for limit := time.Now().Add(30 * time.Second); !turnedAway && time.Now().Before(limit); {
		code, wait := status(dial(live)) // takes the place of one whose request has not arrived
		turnedAway = code == http.StatusServiceUnavailable && wait == "1"
		if !turnedAway && code != http.StatusOK {
			t.Fatal(code, wait)
		}
	}
	if f := r.figures(); !turnedAway || f.TurnedAway == 0 || f.Connections > most {
		t.Errorf("beside %d requests: %+v", most, f)
	}
	r.command(t, http.MethodGet, "/clock", "", http.StatusOK, &struct{}{}) // has its own connections
	for _, c := range busy {
		c.Close()
	}
	waitUntil(t, func() bool { return r.figures().Connections < most })
	if code, _ := status(dial(live)); code != http.StatusOK {
		t.Errorf("after all: %d", code)
	}
}

// waitUntil waits until something is so.
func waitUntil(t *testing.T, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(limit) {
			t.Fatal("it did not happen")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestSlowReaders asks for many large answers and reads none of them. Others get small
// ones meanwhile, and large ones once those are gone.
func TestSlowReaders(t *testing.T) {
	r := newRunningOn(t, ":memory:", partnercenter.CloudNameGlobal, false, func(c *server.Config) { c.MaxUnsent, c.RequestsPerMinute = 64<<10, 0 })
	token := r.token(t)
	for range 40 {
		if code, body := r.buy(t, seedOrders, token); code != http.StatusCreated {
			t.Fatal(code, body)
		}
	}
	get := func(path string) (int, string) {
		resp := r.get(t, http.DefaultClient, "http://"+r.api+path, token, nil)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		return resp.StatusCode, string(body)
	}
	if code, body := get(seedOrders); code != http.StatusOK || len(body) < 20<<10 || len(body) > 60<<10 {
		t.Fatalf("%d, and %d bytes", code, len(body))
	}
	var slow []net.Conn
	for range 4 {
		c, err := net.Dial("tcp", r.api)
		must(t, err)
		must(t, c.(*net.TCPConn).SetReadBuffer(4096))
		defer c.Close()
		slow = append(slow, c)
		go func() { // the server stops reading, too
			_, _ = io.Copy(c, strings.NewReader(strings.Repeat("GET "+seedOrders+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n", 1000)))
		}()
	}
	waitUntil(t, func() bool { return r.figures().Unsent > 20<<10 && r.figures().Unread > 0 })
	refused := func() bool { code, _ := get(seedOrders); return code == http.StatusServiceUnavailable }
	waitUntil(t, refused)
	code, body := get(seedOrders)
	if code != http.StatusServiceUnavailable || !strings.Contains(body, "no room") {
		t.Errorf("a large answer beside them: %d %.300s", code, body)
	}
	if code, body := r.buy(t, seedOrders, token); code != http.StatusCreated {
		t.Errorf("a write beside them: %d %s", code, body)
	}
	for _, c := range slow {
		c.Close()
	}
	// The server may still read what they have sent.
	waitUntil(t, func() bool { code, _ := get(seedOrders); return code == http.StatusOK })
	waitUntil(t, func() bool { return r.figures().Unsent == 0 })
}

// TestOverload sends twice as many requests as a server can have in hand, five times for
// longer runs. It refuses what is too much, keeps what it has accepted, and is as before as
// soon as that ends.
func TestOverload(t *testing.T) {
	if testing.Short() {
		t.Skip("it keeps all processors busy")
	}
	var slowest atomic.Int64 // roughly: two that end at once may hide one
	r := newRunningOn(t, filepath.Join(t.TempDir(), "overload.db"), partnercenter.CloudNameGlobal, false,
		func(c *server.Config) {
			c.RequestsPerMinute, c.CacheSize = 0, 0
			c.Observe = func(_ context.Context, o server.Observed) {
				if o.Status < 300 {
					slowest.Store(max(slowest.Load(), int64(o.Duration)))
				}
			}
		})
	token := r.token(t)
	initial := r.orderIDs(t, token)
	before := r.calls(t, token, 32, *overloadFor/2)
	const saturated = 600 // what runs and what waits of a kind
	connections := 2 * saturated
	if *overloadFor > 10*time.Second {
		connections = 5 * saturated
	}
	slowest.Store(0)
	began := time.Now()
	// On a busy machine it takes some time until all of them have begun.
	during := r.calls(t, token, connections, *overloadFor, func(o *outcome) bool { return o.refused > 0 })
	took, each := time.Duration(slowest.Load()), time.Since(began)/time.Duration(max(1, during.answered))
	began = time.Now()
	after := r.calls(t, token, 32, *overloadFor/2)
	t.Logf("before %v\nduring %v, in %s at most at the server\nafter  %v", before, during, took, after)

	if before.refused != 0 || after.refused != 0 || before.failed+during.failed+after.failed != 0 {
		t.Error("calls were refused without need, or failed")
	}
	if during.refused == 0 {
		t.Error("nothing was refused")
	}
	if during.answered == 0 {
		t.Error("nothing was answered")
	}
	// A turn is waited for a second at most. The rest is waiting for processors, which all
	// the clients need as well: as long as it takes to answer what is under way, and not all
	// that the clients ask for.
	if limit := 5*time.Second + 3*saturated*each; took > limit {
		t.Errorf("what was accepted took %s at the server, of at most %s", took, limit)
	}
	if limit := 4*before.p99 + time.Second; after.p99 > limit || after.first.Sub(began) > 2*time.Second {
		t.Errorf("afterwards calls took %s, and the first came after %s", after.p99, after.first.Sub(began))
	}
	found := map[string]int{}
	for _, id := range r.orderIDs(t, token) {
		found[id]++
	}
	placed := slices.Concat(before.placed, during.placed, after.placed)
	for _, id := range placed {
		if found[id] != 1 {
			t.Errorf("order %s is there %d times", id, found[id])
		}
		delete(found, id)
	}
	if len(found) != len(initial) || len(placed) == 0 {
		t.Errorf("%d orders were placed, and %d are there that were not, of %d", len(placed), len(found), len(initial))
	}
}

// orderIDs lists the orders that TestOverload adds to.
func (r *inFlight) orderIDs(t *testing.T, token string) (ids []string) {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	resp := r.get(t, http.DefaultClient, "http://"+r.api+ordersOf(documented), token, nil)
	defer resp.Body.Close()
	must(t, json.NewDecoder(resp.Body).Decode(&list))
	for _, o := range list.Items {
		ids = append(ids, o.ID)
	}
	return ids
}

// buy places an order.
func (r *inFlight) buy(t *testing.T, path, token string) (int, string) {
	t.Helper()
	resp, body := r.send(t, http.MethodPost, path, token, "", anOrder)
	return resp.StatusCode, body
}

// outcome is what became of calls.
type outcome struct {
	answered, refused, failed int
	p99                       time.Duration // of what was answered
	first                     time.Time     // that was answered
	placed                    []string      // orders
}

func (o *outcome) String() string {
	return fmt.Sprintf("%d answered (p99 %s), %d of them orders; %d refused, %d failed", o.answered, o.p99, len(o.placed), o.refused, o.failed)
}

// calls lists orders, and places one every twenty times, over many connections as fast as
// the server answers: for some time, and until all is so, but for a minute at most.
func (r *inFlight) calls(t *testing.T, token string, connections int, duration time.Duration, all ...func(*outcome) bool) *outcome {
	began := time.Now()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	o := new(outcome)
	var (
		mu   sync.Mutex // guards o and took
		took []time.Duration
		wait sync.WaitGroup
	)
	goesOn := func() bool {
		if elapsed := time.Since(began); elapsed < duration || elapsed > time.Minute {
			return elapsed < duration
		}
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(all, func(is func(*outcome) bool) bool { return !is(o) })
	}
	for worker := range connections {
		wait.Go(func() {
			for n := worker; goesOn(); n++ {
				method, path, body, want := http.MethodGet, seedOrders, "", http.StatusOK
				if n%20 == 0 {
					method, path, body, want = http.MethodPost, ordersOf(documented), anOrder, http.StatusCreated
				}
				req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.api+path, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+token)
				if body != "" {
					req.Header.Set("Content-Type", "application/json")
				} else {
					req.Body = http.NoBody
				}
				began := time.Now()
				status, order, err := answerOf(client, req)
				elapsed := time.Since(began)
				mu.Lock()
				switch {
				case err == nil && status == want:
					o.answered++
					if o.first.IsZero() {
						o.first = time.Now()
					}
					took = append(took, elapsed)
					if order != "" && method == http.MethodPost {
						o.placed = append(o.placed, order)
					}
				case err == nil && status == http.StatusServiceUnavailable:
					o.refused++
				default:
					if o.failed++; o.failed < 5 {
						t.Errorf("%s: %d %v", method, status, err)
					}
				}
				mu.Unlock()
				if status == http.StatusServiceUnavailable {
					time.Sleep(10 * time.Millisecond) // of the second that it is told to wait
				}
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	if len(took) > 0 {
		o.p99 = took[len(took)*99/100]
	}
	return o
}

// answerOf sends a request, and returns the id in the answer.
func answerOf(client *http.Client, req *http.Request) (status int, id string, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		return resp.StatusCode, "", fmt.Errorf("a refusal without Retry-After")
	}
	var answer struct{ ID string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, answer.ID, err
}

// TestDownloadsHoldNoTurns asks for a file more often than it is sent at a time, and reads none of
// it. Reads have their turns meanwhile.
func TestDownloadsHoldNoTurns(t *testing.T) {
	r := newRunningOn(t, ":memory:", partnercenter.CloudNameGlobal, false, func(c *server.Config) {
		c.Observe = func(context.Context, server.Observed) {} // has it count
	})
	token := r.token(t)
	order := placeOrder(t, "http://"+r.api, token, needsPO)
	resp, err := http.DefaultClient.Do(streamed(t, "http://"+r.api+order+"/attachment", token, 15<<20, true))
	must(t, err)
	defer resp.Body.Close()
	var uploaded struct {
		Items []struct{ AttachmentID string }
	}
	must(t, json.NewDecoder(resp.Body).Decode(&uploaded))
	if len(uploaded.Items) == 0 {
		t.Fatal(resp.Status)
	}
	for range 12 {
		c, err := net.Dial("tcp", r.api)
		must(t, err)
		defer c.Close()
		must(t, c.(*net.TCPConn).SetReadBuffer(4096))
		_, err = io.WriteString(c, "GET "+order+"/attachment/"+uploaded.Items[0].AttachmentID+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n")
		must(t, err)
	}
	waitUntil(t, func() bool { return r.figures().Running == 12 })
	waitUntil(t, func() bool { return r.figures().Work["reads"].Running == 0 })
}

//go:build unix

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// synchronous starts a primary whose commits wait for a replica, and returns both and the
// address of a filled database.
func synchronous(t *testing.T) (primary, standby *postgrestest.Cluster, address string) {
	t.Helper()
	primary = postgrestest.Dedicated(t, postgrestest.Options{})
	address = primary.NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())
	standby = primary.StartReplica(t)
	execAt(t, primary.AdminURL("postgres"), `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	conn, err := pgx.Connect(t.Context(), primary.AdminURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for started := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var n int
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`).Scan(&n)
		switch {
		case err != nil || time.Since(started) > 30*time.Second:
			t.Fatalf("commits do not wait: %v", err)
		case n > 0:
			return primary, standby, address
		}
	}
}

// A commit that has not reached the replica is not acknowledged, however long it waits, and
// neither is one that was interrupted when somebody asks again.
func TestUnreplicated(t *testing.T) {
	_, standby, address := synchronous(t)
	option := func(name, value string) string {
		return with(t, address, func(_ *url.URL, o url.Values) { o.Set(name, value) })
	}
	s := openTest(t, option("statement_timeout", "300ms"))
	local := openTest(t, option("synchronous_commit", "local"))
	standby.Stop(t)
	interrupted := placed(partnerA, orderless, "00000000000a")
	interrupted.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201}
	apply(t, local, interrupted)

	ended := make(chan string, 3)
	for what, call := range map[string]func() error{
		"an order":  func() error { return s.Apply(t.Context(), placed(partnerA, orderless, "00000000000b")) },
		"a setting": func() error { return s.PutSetting(t.Context(), "x", []byte("y")) },
		"an answer that was given": func() error {
			answer, err := s.Answered(t.Context(), partnerA, orderless, interrupted.Answer.Key)
			if err == nil && answer == nil {
				err = errors.New("there is none")
			}
			return err
		},
	} {
		go func() { ended <- fmt.Sprintf("%s: %v", what, call()) }()
	}
	time.Sleep(time.Second)
	for range len(ended) {
		t.Errorf("without the replica, %s", <-ended)
	}
	standby.Restart(t)
	for range 3 {
		if t.Failed() {
			return
		}
		if what := <-ended; !strings.HasSuffix(what, ": <nil>") {
			t.Errorf("with the replica, %s", what)
		}
	}
}

// cutter stands before a server and cuts connections.
type cutter struct {
	mu      sync.Mutex // guards what follows
	address string
	conns   []net.Conn
}

// newCutter returns one, and the address of a database through it. It loses requests to
// interrupt a statement.
func newCutter(t *testing.T, address string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{address: u.Host}
	t.Cleanup(func() { _ = listener.Close(); c.cut() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go c.pass(conn)
		}
	}()
	return c, with(t, address, func(u *url.URL, _ url.Values) { u.Host = listener.Addr().String() })
}

func (c *cutter) pass(conn net.Conn) {
	defer conn.Close()
	const cancelRequest = 80877102
	first := make([]byte, 8)
	if _, err := io.ReadFull(conn, first); err != nil || binary.BigEndian.Uint32(first[4:]) == cancelRequest {
		return
	}
	c.mu.Lock()
	address := c.address
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	if _, err := server.Write(first); err == nil {
		go func() { _, _ = io.Copy(conn, server) }()
		_, _ = io.Copy(server, conn)
	}
	// The server does not notice while it waits.
}

// lead has new connections lead elsewhere.
func (c *cutter) lead(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.address = u.Host
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// A commit whose connection was cut has its effect later, and lists that were read in
// between are read again.
func TestCutCommit(t *testing.T) {
	_, standby, address := synchronous(t)
	cutter, through := newCutter(t, address)
	s := openTest(t, through)
	standby.Stop(t)
	orders := func() int {
		t.Helper()
		_, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ended := make(chan error)
	go func() { ended <- s.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")) }()
	time.Sleep(300 * time.Millisecond)
	cutter.cut()
	if err := <-ended; !errors.Is(err, ErrUnreachable) {
		t.Fatal(err)
	}
	time.Sleep(2 * pollEvery) // it has looked since
	kept := s.OrdersVersion(partnerA, orderless)
	if n := orders(); n != 0 {
		t.Fatalf("%d orders before the replica has them", n)
	}
	standby.Restart(t)
	for started := time.Now(); orders() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(started) > 30*time.Second {
			t.Fatal("the order does not come")
		}
	}
	time.Sleep(time.Second)
	if s.OrdersVersion(partnerA, orderless) == kept {
		t.Error("the list from before is kept")
	}
}

// A primary that took over, or that lost the end of its log, gives numbers of transactions
// again that were seen before.
func TestNumbersAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		lose func(t *testing.T, primary, standby *postgrestest.Cluster)
	}{
		{"another primary", func(t *testing.T, primary, standby *postgrestest.Cluster) {
			primary.Kill(t)
			standby.Promote(t)
		}},
		{"killed", func(t *testing.T, primary, _ *postgrestest.Cluster) {
			primary.Kill(t)
			primary.Restart(t)
		}},
		{"a connection crashed", func(t *testing.T, primary, _ *postgrestest.Cluster) {
			conn, err := pgx.Connect(t.Context(), primary.AdminURL("postgres"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			var pid int
			if err := conn.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			primary := postgrestest.Dedicated(t, postgrestest.Options{})
			address := primary.NewDatabase(t)
			load(t, openTest(t, address), suiteSeed())
			standby := primary.StartReplica(t)
			second, err := url.Parse(standby.URL(""))
			if err != nil {
				t.Fatal(err)
			}
			both := with(t, address, func(u *url.URL, o url.Values) {
				u.Host += "," + second.Host
				o.Set("target_session_attrs", "read-write")
			})
			a, b := openTest(t, both), openTest(t, both)
			w := b.pg.watcher
			w.deaf.Store(true)
			w.mu.Lock()
			next, err := strconv.Atoi(w.last.next)
			if err != nil {
				t.Fatal(err)
			}
			w.last.next = strconv.Itoa(next + 1000) // which nobody else has seen
			test.lose(t, primary, standby)
			for n := 0; ; n++ {
				err := a.Apply(t.Context(), placed(partnerA, orderless, fmt.Sprintf("%012x", n)))
				if err == nil {
					break
				}
				if n > 300 {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			version := &b.versions[versionSlot(partnerA, orderless)]
			before := version.Load()
			w.mu.Unlock()
			for started := time.Now(); version.Load() == before; time.Sleep(10 * time.Millisecond) {
				if time.Since(started) > 5*time.Second {
					t.Fatal("the other server does not hear of it")
				}
			}
		})
	}
}

// What one replica has is not looked for at another one to which the same address leads.
func TestOtherReplica(t *testing.T) {
	primary := postgrestest.Dedicated(t, postgrestest.Options{})
	address := primary.NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())
	name := databaseOf(t, address)
	standbys := []*postgrestest.Cluster{primary.StartReplica(t), primary.StartReplica(t)}
	proxy, through := newCutter(t, standbys[0].URL(name))
	s := openWith(t, address, &Options{Replica: through})
	n := 0
	for round := range 3 {
		behind := standbys[1-round%2]
		execAt(t, behind.AdminURL(name), `SELECT pg_wal_replay_pause()`)
		apply(t, s, placed(partnerA, orderless, fmt.Sprintf("%012x", n)))
		n++
		for started := time.Now(); !s.pg.replica.has(partnerA, orderless); time.Sleep(time.Millisecond) {
			if time.Since(started) > 30*time.Second {
				t.Fatal("the replica is not used")
			}
		}
		proxy.lead(t, behind.URL(name))
		var wait sync.WaitGroup
		for range 8 { // more than there are connections
			wait.Go(func() {
				for ended := time.Now().Add(2 * replicaEvery); time.Now().Before(ended); {
					_, got, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
					if err != nil || got != n {
						t.Errorf("round %d: %d of %d orders, %v", round, got, n, err)
						return
					}
				}
			})
		}
		wait.Wait()
		execAt(t, behind.AdminURL(name), `SELECT pg_wal_replay_resume()`)
	}
}

// A server starts without its replica, and uses it from when it is there.
func TestLateReplica(t *testing.T) {
	primary := postgrestest.Dedicated(t, postgrestest.Options{})
	address := primary.NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())
	standby := primary.StartReplica(t)
	standby.Stop(t)
	s := openWith(t, address, &Options{Replica: standby.URL(databaseOf(t, address))})
	s.Figures()
	if _, _, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: shared}); err != nil || s.pg.replica.hasAll() {
		t.Errorf("without the replica: %v", err)
	}
	standby.Restart(t)
	for started := time.Now(); !s.pg.replica.hasAll(); time.Sleep(10 * time.Millisecond) {
		if time.Since(started) > 30*time.Second {
			t.Fatal("the replica is not used")
		}
	}
}

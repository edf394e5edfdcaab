package server_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/fleet/fleettest"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// TestOnPostgres runs all other tests again, on two servers and a database in PostgreSQL. To
// run one of them:
//
//	PARTNERCENTER_TEST_ON_POSTGRES=1 go test -count 1 ./internal/server -run TestOrders
func TestOnPostgres(t *testing.T) {
	fleettest.Again(t,
		"TestSlowUploads", "TestSlowDownloads", // count the transfers of a caller that a server has at once
		"TestClockOfAllServers", "TestLimitOfAllServers", "TestFaultsOfOneServer", // use PostgreSQL themselves
	)
}

// eventually waits until something is so, as it is at other servers within a second.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for started := time.Now(); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Since(started) > 2*time.Second { // the machine may be busy
			t.Fatalf("after two seconds: %s", what)
		}
	}
}

// TestClockOfAllServers changes the clock at two servers of a database.
func TestClockOfAllServers(t *testing.T) {
	database := postgrestest.Start(t).NewDatabase(t)
	a, b := newRunningOn(t, database, "", false), newRunningOn(t, database, "", false)
	offset := func(r *inFlight) string {
		var c clockAnswer
		r.command(t, "GET", "/clock", "", 200, &c)
		return c.Offset
	}
	var c clockAnswer
	a.command(t, "POST", "/clock/advance", `{"by":"2d"}`, 200, &c)
	eventually(t, "the other server's clock does not follow", func() bool { return offset(b) == "2d" })
	before := b.store.OrdersVersion(b.partner, seedCustomer)
	b.command(t, "POST", "/clock/freeze", "", 200, &c)
	if c.Was.Offset != "2d" {
		t.Errorf("frozen: %+v, was %+v", c, c.Was)
	}
	eventually(t, "the first server's clock does not follow", func() bool {
		resp := a.get(t, http.DefaultClient, "http://"+a.api+"/v1/customers", a.token(t), nil)
		return resp.StatusCode == 200 && a.clock.State().Frozen
	})
	if b.store.OrdersVersion(b.partner, seedCustomer) == before {
		t.Error("kept answers outlive a change of the clock")
	}
	// None of changes that are made at once is lost.
	at := a.clock.Now()
	var changes sync.WaitGroup
	const times = 10
	for _, r := range []*inFlight{a, b} {
		changes.Go(func() {
			for range times {
				var c clockAnswer
				r.command(t, "POST", "/clock/advance", `{"by":"1h"}`, 200, &c)
			}
		})
	}
	changes.Wait()
	for _, r := range []*inFlight{a, b} {
		eventually(t, "a change is lost", func() bool { offset(r); return r.clock.Now().Equal(at.Add(2 * times * time.Hour)) })
	}
	third := newRunningOn(t, database, "", false)
	if !third.clock.Now().Equal(a.clock.Now()) {
		t.Errorf("a new server's clock shows %v", third.clock.Now())
	}
	b.command(t, "DELETE", "/clock", "", 200, &c)
	for _, r := range []*inFlight{a, third} {
		eventually(t, "a clock does not follow the system's again", func() bool { offset(r); return !r.clock.State().Adjusted })
	}
}

// TestLimitOfAllServers uses up the limit at several servers at once.
func TestLimitOfAllServers(t *testing.T) {
	database := postgrestest.Start(t).NewDatabase(t)
	servers := []*inFlight{newRunningOn(t, database, "", false), newRunningOn(t, database, "", false), newRunningOn(t, database, "", false)}
	var c clockAnswer
	servers[0].command(t, "POST", "/clock/freeze", "", 200, &c)
	const limit = 1000 // of newRunning
	spend := func(servers []*inFlight) int {
		t.Helper()
		var answered atomic.Int64
		var spending sync.WaitGroup
		for _, r := range servers {
			eventually(t, "a clock is not frozen", func() bool { r.command(t, "GET", "/clock", "", 200, &c); return c.Frozen })
			token := r.token(t)
			for range 2 {
				spending.Go(func() {
					for refused := 0; refused < 10; {
						resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil)
						_, _ = io.Copy(io.Discard, resp.Body)
						switch resp.StatusCode {
						case 200:
							answered.Add(1)
						case 429:
							refused++
						default:
							t.Errorf("%s", resp.Status)
							return
						}
					}
				})
			}
		}
		spending.Wait()
		return int(answered.Load())
	}
	if got := spend(servers); got != limit {
		t.Errorf("three servers answered %d requests, want %d", got, limit)
	}
	if got := spend(servers[:1]); got != 0 {
		t.Errorf("%d more were answered", got)
	}
	servers[1].command(t, "POST", "/clock/advance", `{"by":"1s"}`, 200, &c)
	now := servers[1].clock.Now()
	eventually(t, "a clock does not follow", func() bool {
		servers[0].command(t, "GET", "/clock", "", 200, &c)
		return c.Now.Equal(now)
	})
	if got := spend(servers[:1]); got != limit {
		t.Errorf("after the clock was advanced %d requests were answered, want %d", got, limit)
	}
}

// TestFaultsOfOneServer adds a fault to a server that is not, and is, the only one of its
// database.
func TestFaultsOfOneServer(t *testing.T) {
	database := postgrestest.Start(t).NewDatabase(t)
	a := newRunningOn(t, database, "", false)
	list := func() (l struct {
		Faults       []struct{ Fault string }
		OtherServers int
	}) {
		a.command(t, "GET", "/identity/faults", "", 200, &l)
		return l
	}
	const fault = `{"fault":"throttled"}`
	var answer struct{ Fault, Error string }
	t.Run("with another", func(t *testing.T) {
		newRunningOn(t, database, "", false)
		a.command(t, "POST", "/identity/faults", fault, 409, &answer)
		if !strings.Contains(answer.Error, "1 other server of this database") {
			t.Error(answer.Error)
		}
		a.command(t, "POST", "/identity/faults", `{"fault":"key_rollover"}`, 201, &answer)
		if l := list(); l.OtherServers != 1 || len(l.Faults) != 0 {
			t.Errorf("%+v", l)
		}
	})
	a.command(t, "POST", "/identity/faults", fault, 201, &answer)
	if l := list(); l.OtherServers != 0 || len(l.Faults) != 1 {
		t.Errorf("%+v", l)
	}
	newRunningOn(t, database, "", false)
	if l := list(); l.OtherServers != 1 || len(l.Faults) != 1 {
		t.Errorf("%+v", l)
	}
}

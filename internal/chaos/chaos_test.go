//go:build linux

package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/history"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

var long = flag.Bool("long", false, "break everything as often as make chaos does")

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// world is a service with what it depends on, and clients.
type world struct {
	*service
	file    string                // the database, if it is a file
	disk    string                // where it is, if that is a disk of its own
	cluster *postgrestest.Cluster // where it is, if it is no file
	proxy   *proxy                // before it, for the second server alone

	log  *history.Log // of what goes on
	work *work        // likewise
}

// fault is a way to break things.
type fault struct {
	name        string
	short, long int  // how often it strikes
	harmless    bool // every call is answered
	alone       bool // each strike has a history of its own
	// strike breaks something while clients work, and returns when it can be mended, or
	// has been.
	strike func(t *testing.T, w *world)
}

// strikes is how many a history has at most.
func (f *fault) strikes() int {
	if f.alone {
		return 1
	}
	return 10
}

// inflict has a fault strike at a service that clients use, and checks their histories.
func (f *fault) inflict(t *testing.T, w *world) {
	n := f.short
	if *long {
		n = f.long
	}
	started, done, answered, unanswered := time.Now(), 0, 0, 0
	for done < n && !t.Failed() {
		w.log = history.New()
		w.work = w.begin(t, w.log)
		defer w.work.end() // also if the test ends here
		for range min(f.strikes(), n-done) {
			time.Sleep(rand.N(200 * time.Millisecond))
			f.strike(t, w)
			w.heal(t)
			done++
		}
		time.Sleep(50 * time.Millisecond)
		w.work.end()
		report(t, w.work.look(t))
		some, none := w.log.Answers()
		answered, unanswered = answered+some, unanswered+none
	}
	if f.harmless && unanswered > 0 {
		t.Errorf("%d calls have no answer", unanswered)
	}
	t.Logf("struck %d times in %v: %d calls answered, %d not", done, time.Since(started).Round(time.Millisecond), answered, unanswered)
}

// suffer has faults strike, one after the other.
func (w *world) suffer(t *testing.T, faults []fault) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { f.inflict(t, w) })
	}
}

func report(t *testing.T, found []history.Violation) {
	t.Helper()
	for i, v := range found {
		if i == 20 {
			t.Errorf("and %d more", len(found)-i)
			return
		}
		t.Error(v)
	}
}

// everywhere are the faults of servers and clients.
var everywhere = []fault{
	{name: "a server is killed", short: 3, long: 1000, strike: func(_ *testing.T, w *world) { w.any().kill() }},
	{name: "the clock is set", short: 1, long: 50, strike: step},
	{name: "clients are slow", short: 1, long: 20, harmless: true, strike: slow},
	{name: "connections are half-closed", short: 1, long: 20, harmless: true, strike: halfClosed},
	{name: "connections flood a server", short: 1, long: 20, harmless: true, strike: flood},
}

// step sets the clock back and forward, and lets it be the system's again.
func step(t *testing.T, w *world) {
	for _, change := range [][3]string{
		{http.MethodPut, "", `{"now": "` + time.Now().Add(-rand.N(48*time.Hour)).UTC().Format(time.RFC3339) + `"}`},
		{http.MethodPost, "/advance", `{"by": "` + fmt.Sprint(rand.N(72*time.Hour).Round(time.Second)) + `"}`},
		{http.MethodPost, "/freeze", ""},
		{http.MethodDelete, "", ""},
	} {
		if err := w.any().adjust(change[0], change[1], change[2]); err != nil {
			t.Error(err)
		}
		time.Sleep(150 * time.Millisecond)
	}
}

// onPostgres are the faults of a database in PostgreSQL.
var onPostgres = []fault{
	{name: "the database is restarted", short: 1, long: 20, strike: func(t *testing.T, w *world) {
		w.cluster.Restart(t)
	}},
	{name: "the database is killed", short: 1, long: 50, strike: func(t *testing.T, w *world) {
		w.cluster.Kill(t)
		w.cluster.Restart(t)
	}},
	{name: "connections are cut in commits", short: 1, long: 50, strike: func(t *testing.T, w *world) {
		w.proxy.cutWrites.Store(5)
		time.Sleep(200 * time.Millisecond)
		w.proxy.cutWrites.Store(0)
	}},
	{name: "all connections are cut", short: 1, long: 50, strike: func(t *testing.T, w *world) {
		w.proxy.cutAll()
	}},
	{name: "notifications are lost", short: 1, long: 20, strike: func(t *testing.T, w *world) {
		w.proxy.deaf.Store(true)
		time.Sleep(1500 * time.Millisecond)
		w.proxy.deaf.Store(false)
	}},
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	w := &world{file: dir + "/chaos.db"}
	w.service = newService(t, dir, w.file)
	w.suffer(t, append(everywhere, fault{name: "the log is torn", short: 1, long: 200, alone: true, strike: tear}))
}

func TestPostgres(t *testing.T) {
	w := &world{cluster: postgrestest.Dedicated(t, postgrestest.Options{})}
	address := w.cluster.NewDatabase(t) + "&pool_max_conns=8"
	var through string
	w.proxy, through = newProxy(t, address)
	w.service = newService(t, t.TempDir(), address, through)
	w.suffer(t, slices.Concat(everywhere, onPostgres))
}

// TestPromotion kills a primary whose commits wait for a replica, which takes its place and
// gets a replica itself. Servers reach either at one address.
func TestPromotion(t *testing.T) {
	w := &world{cluster: postgrestest.Dedicated(t, postgrestest.Options{})}
	address := w.cluster.NewDatabase(t) + "&pool_max_conns=8"
	conn, err := pgx.Connect(t.Context(), w.cluster.AdminURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close(t.Context())
	replica := w.cluster.StartReplica(t) // with the same settings
	var through string
	w.proxy, through = newProxy(t, address)
	w.service = newService(t, t.TempDir(), through, through)
	w.suffer(t, []fault{{name: "the replica is promoted", short: 1, long: 10, strike: func(t *testing.T, w *world) {
		w.cluster.Kill(t)
		replica.Promote(t)
		w.proxy.aim(t, replica.URL("postgres"))
		w.cluster, replica = replica, replica.StartReplica(t)
	}}})
}

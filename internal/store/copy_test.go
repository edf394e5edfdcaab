package store

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestTables compares the list of tables with the schemas of both dialects.
func TestTables(t *testing.T) {
	var names, shared, ofCustomers []string
	for _, t := range tables {
		names = append(names, t.name)
		if t.owner != ofServers {
			shared = append(shared, t.name)
		}
		if t.owner == ofCustomer {
			ofCustomers = append(ofCustomers, t.name)
		}
	}
	slices.Sort(names)
	slices.Sort(shared)
	for dialect, test := range map[string]struct {
		address, tables string
		want            []string
	}{
		"sqlite": {
			":memory:", `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name`,
			shared,
		},
		"postgres": {
			postgrestest.Start(t).NewDatabase(t), `
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> '` + migrationsTable + `' ORDER BY relname COLLATE "C"`,
			names,
		},
	} {
		t.Run(dialect, func(t *testing.T) {
			s := openTest(t, test.address)
			have, err := queryAll(t.Context(), s, "tables", func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) }, test.tables)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(have, test.want) {
				t.Errorf("the tables are %q, and the list has %q", have, test.want)
			}
		})
	}
	if ofCustomers[0] != "customers" {
		t.Errorf("customers are inserted after %s, which refers to them", ofCustomers[0])
	}
}

// TestTablesSince compares the list with the schema of the first step that has it.
func TestTablesSince(t *testing.T) {
	var want []string
	for _, table := range tables {
		if table.owner != ofServers {
			want = append(want, table.name)
		}
	}
	slices.Sort(want)
	_, db := oldDatabase(t, tablesSince)
	defer db.Close()
	have, err := rowsOf(t.Context(), db, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) },
		`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name`)
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("at step %d the tables are %q, and the list has %q: %v", tablesSince, have, want, err)
	}
}

const formerPartner = "00000000-0000-4000-8000-00000000000f" // without customers

// fillForCopy fills a database with something of everything.
func fillForCopy(t testing.TB, address string, customers, orders int) {
	t.Helper()
	s, err := Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	load(t, s, suiteSeed())
	load(t, s, &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: formerPartner}}}})
	for first := 0; first < customers; first += 1000 { // a million orders do not fit into the memory
		data := bulkSeed(7, 0, 0, "")
		for i := range min(1000, customers-first) {
			c := bulkSeedCustomer(7, first+i, orders, "€\u2028\U0001F600")
			c.Customer.CustomDomains = []string{fmt.Sprint("x", i, ".example"), "y.example"}
			data.Partners[0].Customers = append(data.Partners[0].Customers, c)
		}
		load(t, s, data)
	}
	for i := range 20 {
		c := placed(partnerA, orderless, fmt.Sprintf("0000000000%02d", i))
		c.Answer = &Answer{Key: []byte(fmt.Sprint("\x00\xff", i)), Digest: []byte("digest"), Status: 201, Location: "/x"}
		if i%2 == 0 {
			c.Answer.Body = []byte(`{"id":"x"}`)
		}
		c.Attachments = []Attachment{{ID: fmt.Sprintf("%014x", i), FileName: "a", ContentType: "b", Metadata: "{}", Size: 3, Content: []byte("\x00\x01\xff")}, {ID: fmt.Sprintf("f%013x", i), Metadata: "{}", Content: []byte{}}}
		if err := s.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Apply(t.Context(), newCart(partnerA, orderless)); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		s.AddSigningKey(t.Context(), SigningKey{ID: "k", PEM: []byte("x")}),
		s.PutSetting(t.Context(), "x", []byte("y")),
		s.ChangeConsent(t.Context(), shared, "c", "", func(c *Consent) error { c.Scope = "s"; return nil }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Secret(t.Context(), "x", 8); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if ok, err := s.PutSignIn(t.Context(), SignIn{Kind: "grant", ID: fmt.Sprint(i), System: time.Now().Add(time.Hour), Data: []byte{byte(i)}}, nothing); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
}

// places returns the names of databases that are not there yet, or empty.
func places(t *testing.T) map[string]func() string {
	cluster := postgrestest.Start(t)
	return map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "x.db") },
		"postgres": func() string { return cluster.NewDatabase(t) },
	}
}

// TestCopy copies between all dialects, and back to where it began.
func TestCopy(t *testing.T) {
	places := places(t)
	origin := places["sqlite"]()
	fillForCopy(t, origin, 30, 5)
	from := origin
	var digest [32]byte
	for i, dialect := range []string{"postgres", "postgres", "sqlite", "sqlite"} {
		to := places[dialect]()
		r, err := Copy(t.Context(), from, to, CopyOptions{})
		if err != nil {
			t.Fatalf("to %s: %v", dialect, err)
		}
		if r.Customers != 35 || r.Orders != 176 || i > 0 && r.Digest != digest {
			t.Errorf("copied %+v, want digest %x", r, digest)
		}
		digest, from = r.Digest, to
	}
	// The last one is as good as the first.
	s := openTest(t, from)
	same(t, len(orderIDs(t, s, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(29)})), 5)
	if a, err := s.Answered(t.Context(), partnerA, orderless, []byte("\x00\xff1")); err != nil || a == nil || a.Status != 201 || len(a.Body) != 0 {
		t.Errorf("answer %+v, %v", a, err)
	}
	// What is added next is the last one.
	if ok, err := s.PutSignIn(t.Context(), SignIn{Kind: "grant", ID: "new"}, nothing); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if list, err := s.SignIns(t.Context(), "grant"); err != nil || len(list) != 4 || list[3].ID != "new" {
		t.Errorf("%v, %v", list, err)
	}
}

var (
	copyOrders = flag.Int("copy-orders", 2000, "orders to copy, in TestKilledDuringCopy")
	copyKills  = flag.Int("copy-kills", 3, "how often each copy is killed, in TestKilledDuringCopy")
)

// TestKilledDuringCopy kills copies at random moments, from SQLite to PostgreSQL and back.
// Nobody can open what they leave, and the next one goes on.
func TestKilledDuringCopy(t *testing.T) {
	const child = "PARTNERCENTER_TEST_COPY"
	options := CopyOptions{batchRows: max(50, *copyOrders/20)}
	if ends := os.Getenv(child); ends != "" {
		from, to, _ := strings.Cut(ends, " ")
		fmt.Println("copying")
		if _, err := Copy(context.Background(), from, to, options); err != nil {
			t.Fatal(err)
		}
		fmt.Println("copied")
		time.Sleep(time.Hour) // until killed
	}
	places := places(t)
	origin := places["sqlite"]()
	fillForCopy(t, origin, *copyOrders/10, 10)
	started := time.Now()
	whole, err := Copy(t.Context(), origin, places["postgres"](), options)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(started)
	t.Logf("%d orders took %v", whole.Orders, took)
	from := origin
	for _, dialect := range []string{"postgres", "sqlite"} {
		to := places[dialect]()
		resumed := false
		for round := range *copyKills {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDuringCopy$", fmt.Sprint("-copy-orders=", *copyOrders))
			cmd.Env = append(os.Environ(), child+"="+from+" "+to)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line := make([]byte, 8)
			if _, err := io.ReadFull(out, line); err != nil {
				t.Fatal(err)
			}
			// Together they take about as long as a copy.
			time.Sleep(rand.N(max(2*took/time.Duration(*copyKills), 1)))
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(out)
			_ = cmd.Wait() // killed
			if strings.Contains(string(rest), "FAIL") {
				t.Fatalf("round %d to %s: %s", round, dialect, rest)
			}
			s, err := Open(t.Context(), to, nil)
			switch {
			case err == nil && s.Fresh():
				t.Logf("round %d to %s: killed before it began", round, dialect)
			case err == nil:
				t.Logf("round %d to %s: the copy was complete", round, dialect)
				took /= 2 // the machine is faster than it was
				to, resumed = places[dialect](), false
			case errors.Is(err, ErrCopying):
				resumed = true
			default:
				t.Fatal(err)
			}
			if s != nil {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		started := time.Now()
		r, err := Copy(t.Context(), from, to, options)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("to %s: %d of %d customers were copied before the last run, which took %v", dialect, r.Resumed, r.Customers, time.Since(started))
		if r.Digest != whole.Digest || !resumed && r.Resumed > 0 || r.Again > 0 {
			t.Errorf("to %s: %+v, want digest %x", dialect, r, whole.Digest)
		}
		from = to
	}
}

// interrupted begins a copy and ends it after some customers.
func interrupted(t *testing.T, from, to string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Copy(ctx, from, to, CopyOptions{batchRows: 20, Progress: func(p CopyProgress) {
		if p.Customers >= 5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the copy was not interrupted: %v", err)
	}
	if s, err := Open(t.Context(), to, nil); !errors.Is(err, ErrCopying) {
		t.Fatalf("a half-filled database: %v, %v", s, err)
	}
}

// TestCopyOfChanged changes a database between two runs.
func TestCopyOfChanged(t *testing.T) {
	places := places(t)
	for _, source := range []string{"sqlite", "postgres"} {
		for _, target := range []string{"sqlite", "postgres"} {
			t.Run(source+" to "+target, func(t *testing.T) {
				from, to := places[source](), places[target]()
				fillForCopy(t, from, 30, 5)
				interrupted(t, from, to)
				s, err := Open(t.Context(), from, nil)
				if err != nil {
					t.Fatal(err)
				}
				data := bulkSeed(8, 1, 2, "x") // the first of those that are there, with two more orders
				data.Partners = append(data.Partners, seed.Partner{
					Tenant:    seed.Tenant{TenantID: "00000000-0000-4000-8000-000000000000", Name: "new", Domain: "new.example"},
					Customers: []seed.Customer{{Customer: customer("00000000-0000-4000-8000-000000000001", "New")}},
				})
				load(t, s, data)
				for _, statement := range []string{
					`DELETE FROM subscriptions WHERE customer_id = '` + bulkCustomer(1) + `'`,
					`DELETE FROM orders WHERE customer_id = '` + bulkCustomer(1) + `'`,
					`DELETE FROM customer_domains WHERE customer_id = '` + bulkCustomer(1) + `'`,
					`DELETE FROM customers WHERE customer_id = '` + bulkCustomer(1) + `'`,
					`DELETE FROM partners WHERE partner_id = '` + formerPartner + `'`,
					`DELETE FROM settings WHERE name = 'kept/x'`,
				} {
					if _, err := s.write.Exec(statement); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				r, err := Copy(t.Context(), from, to, CopyOptions{})
				if err != nil {
					t.Fatal(err)
				}
				again, err := Copy(t.Context(), from, places["sqlite"](), CopyOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if r.Resumed < 5 || r.Again != 3 || r.Digest != again.Digest {
					t.Errorf("%+v, and another copy is %+v", r, again)
				}
			})
		}
	}
}

func TestCopyRefuses(t *testing.T) {
	places := places(t)
	full, fullPostgres := places["sqlite"](), places["postgres"]()
	fillForCopy(t, full, 8, 5)
	if _, err := Copy(t.Context(), full, fullPostgres, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	halfPostgres, half := places["postgres"](), places["sqlite"]()
	interrupted(t, full, halfPostgres)
	interrupted(t, full, half)
	old, db := oldDatabase(t, searchKeysVersion)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	newer, newerPostgres := places["sqlite"](), places["postgres"]()
	for address, table := range map[string]string{newer: "goose_db_version", newerPostgres: migrationsTable} {
		s := openTest(t, address)
		if _, err := s.write.Exec(`INSERT INTO ` + table + ` (version_id, is_applied) VALUES (9999, 'true')`); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(full, link); err != nil {
		t.Fatal(err)
	}
	served, servedPostgres := places["sqlite"](), places["postgres"]()
	load(t, openTest(t, served), suiteSeed())
	load(t, openTest(t, servedPostgres), suiteSeed())
	copiedInto, copiedIntoPostgres := places["sqlite"](), places["postgres"]()
	for _, name := range []string{copiedInto, copiedIntoPostgres} {
		end, err := openTarget(t.Context(), name, copyTarget, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer end.close()
	}
	for _, test := range []struct {
		what, from, to string
		want           error
	}{
		{"into itself", full, full, ErrSame},
		{"into itself by a link", full, link, ErrSame},
		{"into itself", fullPostgres, fullPostgres, ErrSame},
		{"into one that is not empty", fullPostgres, full, ErrNotEmpty},
		{"into one that is not empty", full, fullPostgres, ErrNotEmpty},
		{"of nothing", places["sqlite"](), places["sqlite"](), ErrNothing},
		{"of nothing", places["postgres"](), places["sqlite"](), ErrNothing},
		{"of an older one", old, places["sqlite"](), ErrOlder},
		{"into an older one", full, old, ErrOlder},
		{"of a newer one", newer, places["sqlite"](), ErrNewer},
		{"of a newer one", newerPostgres, places["sqlite"](), ErrNewer},
		{"into a newer one", full, newer, ErrNewer},
		{"into a newer one", full, newerPostgres, ErrNewer},
		{"of half a copy", half, places["sqlite"](), ErrCopying},
		{"of half a copy", halfPostgres, places["sqlite"](), ErrCopying},
		{"into half a copy of another", fullPostgres, half, ErrOtherCopy},
		{"into half a copy of another", fullPostgres, halfPostgres, ErrOtherCopy},
		{"of one in use", served, places["sqlite"](), ErrLocked},
		{"of one in use", servedPostgres, places["sqlite"](), ErrServersRun},
		{"into one in use", full, served, ErrLocked},
		{"into one in use", full, servedPostgres, ErrServersRun},
		{"into one that another copies into", full, copiedInto, ErrLocked},
		{"into one that another copies into", full, copiedIntoPostgres, ErrCopyRuns},
		{"into a temporary one", full, ":memory:", ErrTemporary},
		{"of a temporary one", ":memory:", full, ErrTemporary},
		{"into a folder that is not there", full, filepath.Join(t.TempDir(), "no", "x.db"), ErrNoFolder},
		{"into an address that is none", full, "postgres://x:y@127.0.0.1:port/z", ErrAddress},
		{"of a server that is not there", "postgres://x:y@127.0.0.1:1/z?connect_timeout=1", full, ErrUnreachable},
	} {
		_, err := Copy(t.Context(), test.from, test.to, CopyOptions{})
		if !errors.Is(err, test.want) || !errors.As(err, new(*OpenError)) {
			t.Errorf("%s, %s to %s: %v, want %v", test.what, test.from, test.to, err, test.want)
		}
	}
	// What was half filled can still be completed.
	for _, name := range []string{half, halfPostgres} {
		if r, err := Copy(t.Context(), full, name, CopyOptions{}); err != nil || r.Resumed < 5 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// TestCopyOfOldTexts copies what older versions stored, and PostgreSQL does not take.
func TestCopyOfOldTexts(t *testing.T) {
	places := places(t)
	from := places["sqlite"]()
	fillForCopy(t, from, 1, 1)
	change := func(statement string, args ...any) {
		t.Helper()
		s, err := Open(t.Context(), from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.write.Exec(statement, args...); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	change(`UPDATE partners SET name = $1 WHERE partner_id = $2`, "a\x00b", partnerA)
	change(`UPDATE customers SET company_name = $1 WHERE customer_id = $2`, "x\xff", onlyB)
	to := places["postgres"]()
	for range 2 {
		_, err := Copy(t.Context(), from, to, CopyOptions{})
		if e, is := errors.AsType[*TextError](err); !is || e.Table != "partners" || e.Column != "name" || e.IsKey || !slices.Equal(e.Key, []string{partnerA}) {
			t.Errorf("a NUL: %v", err)
		}
	}
	// From file to file they stay as they are.
	if r, err := Copy(t.Context(), from, places["sqlite"](), CopyOptions{ReplaceInvalid: true}); err != nil || r.Replaced != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := Copy(t.Context(), from, to, CopyOptions{ReplaceInvalid: true}); err != nil || r.Replaced != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	partners, err := openTest(t, to).Partners(t.Context())
	if err != nil || !slices.ContainsFunc(partners, func(p seed.Tenant) bool { return p.TenantID == partnerA && p.Name == "a\uFFFDb" }) {
		t.Errorf("%+v, %v", partners, err)
	}
	change(`UPDATE apps SET client_id = $1 WHERE partner_id = $2`, "\xff", partnerA)
	_, err = Copy(t.Context(), from, places["postgres"](), CopyOptions{ReplaceInvalid: true})
	if e, is := errors.AsType[*TextError](err); !is || !e.IsKey {
		t.Errorf("no UTF-8 in a key: %v", err)
	}
	change(`UPDATE apps SET client_id = 'x', public = $1 WHERE partner_id = $2`, int64(1)<<40, partnerA)
	if _, err = Copy(t.Context(), from, places["postgres"](), CopyOptions{ReplaceInvalid: true}); err == nil || !strings.Contains(err.Error(), `table apps has 1099511627776 in column public`) {
		t.Errorf("a large number: %v", err)
	}
}

// TestCopyDiskFull runs out of room, and goes on when there is some.
func TestCopyDiskFull(t *testing.T) {
	places := places(t)
	from, to := places["sqlite"](), places["sqlite"]()
	fillForCopy(t, from, 100, 10)
	c := &copier{CopyOptions: CopyOptions{batchRows: 50}}
	source, err := openSource(t.Context(), from, copySource)
	if err != nil {
		t.Fatal(err)
	}
	c.from, c.origin.From = source, source.name
	schema, err := source.schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.to, err = openTarget(t.Context(), to, copyTarget, source, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := c.to.exec(t.Context(), `PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context(), schema); !errors.Is(err, ErrDiskFull) || !errors.As(err, new(*UnusableError)) || !strings.Contains(err.Error(), to) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(c.to.close(), source.close()); err != nil {
		t.Fatal(err)
	}
	if r, err := Copy(t.Context(), from, to, CopyOptions{}); err != nil || r.Resumed == 0 || r.Orders != 1026 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCopyThroughPooler(t *testing.T) {
	places := places(t)
	from, direct := places["sqlite"](), places["postgres"]()
	fillForCopy(t, from, 1, 1)
	pooler := postgrestest.StartPgBouncer(t, direct)
	if _, err := Copy(t.Context(), from, pooler, CopyOptions{}); !errors.Is(err, ErrPooled) {
		t.Errorf("%v", err)
	}
	if _, _, err := Migrate(t.Context(), pooler, Options{}); !errors.Is(err, ErrPooled) {
		t.Errorf("%v", err)
	}
	if from, to, err := Migrate(t.Context(), pooler, Options{Direct: direct}); err != nil || from != 0 || to == 0 {
		t.Errorf("from step %d to %d, %v", from, to, err)
	}
	if st, err := Inspect(t.Context(), pooler); err != nil || len(st.Pending) != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

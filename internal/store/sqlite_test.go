package store

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

func openTest(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, &Options{Now: func() time.Time { return suiteNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	testStore(t, func(t *testing.T) *Store { return openTest(t, filepath.Join(t.TempDir(), "a b?c%#.db")) })
}

func TestSQLiteInMemory(t *testing.T) {
	testStore(t, func(t *testing.T) *Store { return openTest(t, ":memory:") })
}

func TestMemoryIsPrivateAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	killed := filepath.Join(os.TempDir(), temporaryName+"killed")
	if err := os.Mkdir(killed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(killed, temporaryFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(killed, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}

	a, b := openTest(t, ":memory:"), openTest(t, ":memory:")
	load(t, a, suiteSeed())
	if partners, err := b.Partners(t.Context()); err != nil || len(partners) != 0 || !b.Fresh() {
		t.Errorf("the second database has %v, %v", partners, err)
	}
	left, _ := os.ReadDir(os.TempDir())
	if len(left) != 2 {
		t.Errorf("two databases open, and there are %v", left)
	}
	for _, s := range []*Store{a, b} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ = os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What somebody has put beside a database in memory stays.
func TestMemoryIsAllThatGoes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.TempDir())
	s, err := Open(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.temporary, "keep"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), s.temporary) {
		t.Errorf("it does not say what is left: %v", err)
	}
	if left, err := os.ReadDir(s.temporary); err != nil || len(left) != 1 || left[0].Name() != "keep" {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	load(t, s, suiteSeed())
	secret, err := s.Secret(t.Context(), "x", 8)
	if err != nil {
		t.Fatal(err)
	}
	grant := SignIn{Kind: "grant", ID: "x", Expires: suiteNow.Add(time.Hour), System: suiteNow, Data: []byte("y")}
	if ok, err := s.PutSignIn(t.Context(), grant, nothing); !ok || err != nil {
		t.Fatal(ok, err)
	}
	grant.Revision = 1
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the write-ahead log outlives Close: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // restored from a backup, say
		t.Fatal(err)
	}

	s = openTest(t, path)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if s.Fresh() {
		t.Error("a loaded database is fresh")
	}
	if again, err := s.Secret(t.Context(), "x", 8); err != nil || string(again) != string(secret) {
		t.Errorf("secret %x became %x, %v", secret, again, err)
	}
	grants, err := s.SignIns(t.Context(), "grant")
	if err != nil {
		t.Fatal(err)
	}
	same(t, grants, []SignIn{grant})
	same(t, orderIDs(t, s, OrderQuery{PartnerID: partnerA, CustomerID: shared}), []string{shortOrder, legacyOrder})
}

func TestPragmas(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "test.db"))
	for pragma, want := range map[string]string{
		"application_id": fmt.Sprint(applicationID), "page_size": "32768", "journal_mode": "wal", "synchronous": "2",
		"foreign_keys": "1", "busy_timeout": "10000", "temp_store": "2", "cache_size": "-2048", "query_only": "0",
		"journal_size_limit": fmt.Sprint(walLimit), "mmap_size": fmt.Sprint(0x7fff0000),
	} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("writer: %s is %s, want %s, %v", pragma, got, want, err)
		}
	}
	for pragma, want := range map[string]string{"query_only": "1", "mmap_size": fmt.Sprint(0x7fff0000), "journal_mode": "wal"} {
		var got string
		if err := s.read.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("reader: %s is %s, want %s, %v", pragma, got, want, err)
		}
	}
	if _, err := s.read.Exec(`DELETE FROM partners`); err == nil {
		t.Error("a reader can write")
	}
}

func TestOpenErrors(t *testing.T) {
	// Each case creates what Open then fails on.
	execSQL := func(t *testing.T, path string, statements ...string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	closed := func(t *testing.T, path string) {
		t.Helper()
		s := openTest(t, path)
		load(t, s, bulkSeed(1, 50, 5, "x"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		file   string // in a folder of its own, unless absolute or an address
		make   func(t *testing.T, path string)
		reason error
		text   string // of the error, after the path
	}{
		{"empty", "", nil, ErrNoFolder, "its folder does not exist; give the database a file name"},
		{"folder missing", "no/such/x.db", nil, ErrNoFolder, "its folder does not exist; make the folder "},
		{"folder", "x.db", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ErrIsFolder, "it is a folder; name a file in it, such as "},
		{"parent is a file", "x.db/y.db", func(t *testing.T, path string) {
			if err := os.WriteFile(filepath.Dir(path), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, ErrNotWritable, "make the file and its folder writable for this user or choose another location"},
		{"read-only file system", "/proc/x.db", nil, ErrNotWritable, "make the file and its folder writable for this user or choose another location"},
		{"locked", "x.db", func(t *testing.T, path string) { openTest(t, path) }, ErrLocked,
			fmt.Sprintf("it is in use by another server (process %d); stop that server or choose another file", os.Getpid())},
		{"locked under another name", "link.db", func(t *testing.T, path string) {
			real := filepath.Join(filepath.Dir(path), "x.db")
			openTest(t, real)
			if err := os.Symlink(real, path); err != nil {
				t.Skip(err)
			}
		}, ErrLocked, "it is in use by another server"},
		{"no database", "x.db", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("Dear diary, ", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, ErrNotDatabase, "choose another file"},
		{"another application's", "x.db", func(t *testing.T, path string) {
			execSQL(t, path, "CREATE TABLE bookmarks (url TEXT)")
		}, ErrForeign, "it is the SQLite database of another application; choose another file"},
		{"another application's id", "x.db", func(t *testing.T, path string) {
			execSQL(t, path, "PRAGMA application_id = 12345")
		}, ErrForeign, "it is the SQLite database of another application; choose another file"},
		{"newer", "x.db", func(t *testing.T, path string) {
			closed(t, path)
			execSQL(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, ErrNewer, "it was written by a newer version of partnercenter; install that version or a later one"},
		{"truncated", "x.db", func(t *testing.T, path string) {
			closed(t, path)
			if err := os.Truncate(path, 3*pageSize); err != nil {
				t.Fatal(err)
			}
		}, ErrCorrupt, "restore a backup"},
		{"overwritten", "x.db", func(t *testing.T, path string) {
			closed(t, path)
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte(strings.Repeat("junk", 500)), 100); err != nil {
				t.Fatal(err)
			}
		}, ErrCorrupt, "restore a backup"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.file
			switch {
			case filepath.IsAbs(path) && runtime.GOOS == "windows":
				t.Skip("no such place")
			case path != "" && !filepath.IsAbs(path) && !strings.Contains(path, "://"):
				path = filepath.Join(t.TempDir(), path)
			}
			if test.make != nil {
				test.make(t, path)
			}
			before, _ := os.ReadFile(path)
			s, err := Open(t.Context(), path, nil)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if s != nil {
				t.Error("got a store beside the error")
			}
			var open *OpenError
			if !errors.As(err, &open) || !errors.Is(err, test.reason) {
				t.Fatalf("got %v, want the reason %v", err, test.reason)
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("got the text\n%v, want\n…%s…", err, test.text)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the text gives a password away: %v", err)
			}
			if after, _ := os.ReadFile(path); test.reason != ErrNewer && string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenAfterCreationWasCutShort(t *testing.T) {
	for name, make := range map[string]func(db *sql.DB) error{
		"before the schema": func(db *sql.DB) error {
			_, err := db.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID))
			return err
		},
		"before anything": func(db *sql.DB) error { _, err := db.Exec("PRAGMA user_version = 0; VACUUM"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if err := make(db); err != nil {
				t.Fatal(err)
			}
			db.Close()
			s := openTest(t, path)
			if !s.Fresh() {
				t.Error("not fresh")
			}
			load(t, s, suiteSeed())
		})
	}
}

var loadSize = flag.Int("load", 50, "customers to load, in TestKilledDuringLoad")

// TestKilledDuringLoad kills processes at random moments of a load. The database must
// have nothing or all of it, and the load can be repeated.
func TestKilledDuringLoad(t *testing.T) {
	const child = "PARTNERCENTER_TEST_LOAD"
	customers, orders := *loadSize, 20
	data := func() *seed.Seed { return bulkSeed(1, customers, orders, "x") }
	if path := os.Getenv(child); path != "" {
		s, err := Open(context.Background(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("loading")
		if _, err := s.Load(context.Background(), data()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("loaded")
		time.Sleep(time.Minute) // until killed
	}
	count := func(path string) int {
		t.Helper()
		s, err := Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var n int
		if err := s.read.QueryRow(`SELECT count(*) FROM orders`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if s.Fresh() != (n == 0) {
			t.Errorf("%d orders, and fresh is %v", n, s.Fresh())
		}
		return n
	}
	path := filepath.Join(t.TempDir(), "test.db")
	started := time.Now()
	s := openTest(t, filepath.Join(t.TempDir(), "timing.db"))
	load(t, s, data())
	took := time.Since(started)

	nothing := 0
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDuringLoad$", fmt.Sprint("-load=", *loadSize))
		cmd.Env = append(os.Environ(), child+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 8)
		if _, err := out.Read(line); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(took + took/4))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		switch n := count(path); n {
		case 0:
			nothing++
		case customers * orders:
			t.Logf("round %d: the load was complete", round)
			took /= 2 // the machine is faster than it was
			for _, name := range []string{path, path + "-wal", path + "-shm"} {
				os.Remove(name)
			}
		default:
			t.Fatalf("a killed load left %d of %d orders", n, customers*orders)
		}
	}
	if nothing == 0 {
		t.Error("no load was killed before its end")
	}
	s = openTest(t, path)
	load(t, s, data())
	same(t, len(orderIDs(t, s, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(0)})), orders)
}

// A database of the version before has values in the spellings in which they were
// loaded.
func TestUpgradeToSpellings(t *testing.T) {
	path, db := oldDatabase(t, spellingsVersion-1)
	const (
		old      = `{"id":"o1","billingCycle":"Annual","lineItems":[{"friendlyName":"Annual é","transactionType":"New"},{"transactionType":"Add_Quantity"}],"status":"1","transactionType":"userpurchase","x":1.50}`
		upgraded = `{"id":"o1","billingCycle":"annual","lineItems":[{"transactionType":"New","friendlyName":"Annual é"},{"transactionType":"addQuantity"}],"status":"completed","transactionType":"UserPurchase","x":1.50}`
		unknown  = `{"id":"o2","billingCycle":"Weekly","lineItems":[{"quantity":1}],"status":"11"}`
	)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	exec(`INSERT INTO partners VALUES ('` + partnerA + `', 'A', 'a.example', '1', 'US')`)
	for _, c := range []struct {
		id, relationship string
		active           int // before
	}{{shared, "Reseller", 1}, {former, "5", 1}, {orderless, "0", 0}} {
		doc := `{"id":"` + c.id + `","relationshipToPartner":"` + c.relationship + `"}`
		exec(`INSERT INTO customers (partner_id, customer_id, active, reseller_id, company_name, domain, summary, doc) VALUES ($1, $2, $4, '', '', '', $3, $3)`, partnerA, c.id, doc, c.active)
	}
	const insert = `INSERT INTO orders (partner_id, customer_id, created, order_id, billing_cycle, system, partners_on_record, doc, priced_doc) VALUES ($1, $2, $3, $4, 'annual', 0, '', $5, $6)`
	exec(insert, partnerA, shared, 1, "o1", old, old)
	exec(insert, partnerA, shared, 2, "o2", unknown, nil)
	for i := range 450 { // more than are read at a time
		exec(insert, partnerA, shared, 3+i, fmt.Sprint("many", i), strings.Replace(old, "o1", fmt.Sprint("many", i), 1), nil)
	}
	exec(`INSERT INTO subscriptions (partner_id, customer_id, subscription_id, order_id, entitlement_id, parent_id, mpn_id, offer_id, kind, active, since, loaded, doc, facts)
VALUES ($1, $2, 's1', 'o1', '', '', '', '', '', 1, 0, 0, '{"id":"s1","status":"Active","billingType":"License","billingCycle":"Annual","actions":["Edit"]}', '{}')`, partnerA, shared)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s := openTest(t, path)
	for id, want := range map[string]string{
		"o1": upgraded, "o2": unknown, "many0": strings.Replace(upgraded, "o1", "many0", 1), "many449": strings.Replace(upgraded, "o1", "many449", 1),
	} {
		for _, priced := range []bool{false, true} {
			d, err := s.GetOrder(t.Context(), partnerA, shared, id, priced)
			if err != nil {
				t.Fatal(err)
			}
			same(t, string(d.JSON), want)
		}
	}
	list, err := s.Subscriptions(t.Context(), SubscriptionQuery{PartnerID: partnerA, CustomerID: shared})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d subscriptions, %v", len(list), err)
	}
	same(t, list[0].Subscription, &partnercenter.Subscription{ID: "s1", Status: "active", BillingType: "license", BillingCycle: "annual", Actions: []partnercenter.SubscriptionAction{"edit"}})
	doc, err := s.GetCustomer(t.Context(), partnerA, shared)
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(doc), `{"id":"`+shared+`","relationshipToPartner":"reseller"}`)
	customers, err := s.ListCustomers(t.Context(), nil, CustomerQuery{PartnerID: partnerA})
	if err != nil {
		t.Fatal(err)
	}
	unmentioned := `{"id":"` + orderless + `","relationshipToPartner":"unknown"}`
	same(t, string(customers.Items), string(doc)+","+unmentioned)
}

// Customers of a database of an earlier version are found by any case of their names.
func TestUpgradeToSearchKeys(t *testing.T) {
	path, db := oldDatabase(t, spellingsVersion-1)
	if _, err := db.Exec(`INSERT INTO partners VALUES ('` + partnerA + `', 'A', 'a.example', '1', 'US')`); err != nil {
		t.Fatal(err)
	}
	const doc = `{"id":"` + shared + `","companyProfile":{"companyName":"Straße","domain":"straße.example"},"customDomains":["Gasse.Example"],"relationshipToPartner":"reseller"}`
	if _, err := db.Exec(`INSERT INTO customers (partner_id, customer_id, active, reseller_id, company_name, domain, summary, doc) VALUES ($1, $2, 1, '', 'straße', 'straße.example', $3, $3)`, partnerA, shared, doc); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := openTest(t, path)
	found, err := s.ListCustomers(t.Context(), nil, CustomerQuery{PartnerID: partnerA, Filter: &CustomerFilter{
		Field: partnercenter.CustomerSearchFieldCompanyName, Operator: partnercenter.FilterOperatorStartsWith, Value: "STRASS",
	}})
	if err != nil || found.Count != 1 {
		t.Errorf("%d customers, %v", found.Count, err)
	}
	for domain, found := range map[string]bool{"STRAßE.example": true, "gasse.EXAMPLE": true, "STRASSE.example": false} {
		if tenant, err := s.CustomerTenant(t.Context(), domain); err != nil || found != (tenant != nil && tenant.ID == shared && tenant.Domain == "straße.example") {
			t.Errorf("%s: %v, %v", domain, tenant, err)
		}
	}
}

// Consents of a database of an earlier version give apps nothing for themselves that
// they did not have: in the tenants of customers they did.
func TestUpgradeToAppConsents(t *testing.T) {
	path, db := oldDatabase(t, spellingsVersion-1)
	for _, statement := range []string{
		`INSERT INTO partners VALUES ('` + partnerA + `', 'A', 'a.example', '1', 'US'), ('` + former + `', 'B', 'b.example', '2', 'US')`,
		`INSERT INTO customers (partner_id, customer_id, active, reseller_id, company_name, domain, summary, doc)
VALUES ('` + partnerA + `', '` + shared + `', 1, '', '', '', '{}', '{}'), ('` + partnerA + `', '` + former + `', 1, '', '', '', '{}', '{}')`,
		`INSERT INTO consents (tenant_id, client_id, user_id, scope, created)
VALUES ('` + partnerA + `', 'x', '', 'a', 1), ('` + partnerA + `', 'x', 'u', 'b', 1), ('` + shared + `', 'x', '', 'c d', 1), ('` + former + `', 'x', '', 'e', 1)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	consents, err := openTest(t, path).Consents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range consents {
		got = append(got, c.TenantID+" "+c.UserID+": "+c.Scope+" / "+c.AppScope)
	}
	slices.Sort(got)
	want := []string{partnerA + " : a / ", partnerA + " u: b / ", shared + " : c d / c d", former + " : e / "}
	slices.Sort(want)
	same(t, got, want)
}

// What is stored under keys of Unicode's rules is found under those of package ascii.
func TestUpgradeToASCIIKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s := openTest(t, path)
	c := customer(shared, "")
	c.CompanyProfile.Domain, c.CustomDomains = "one.example", []string{"École.Example", "\u212Aust.example"}
	data := &seed.Seed{Partners: []seed.Partner{{
		Tenant: seed.Tenant{TenantID: partnerA},
		Users: []seed.User{
			{UserPrincipalName: "Émile@a.example", ObjectID: "e", Password: "kept"},
			{UserPrincipalName: "\u212Aarl@a.example", ObjectID: "k", Password: "kept"},
			{UserPrincipalName: "Ada@a.example", ObjectID: "a", Password: "kept"},
		},
		Customers: []seed.Customer{{Customer: c, Orders: []partnercenter.Order{{
			ID: "o1", ReferenceCustomerID: shared, CreationDate: mustTime("2024-01-01T00:00:00Z"),
			LineItems: []partnercenter.OrderLineItem{{OfferID: "Âge", SubscriptionID: orderless}, {OfferID: "other", SubscriptionID: former}},
		}}}},
	}}}
	load(t, s, data)
	undo(t, s, beforeSignIns[:]...)
	for _, statement := range []string{
		`UPDATE users SET upn_key = 'émile@a.example' WHERE object_id = 'e'`,
		`UPDATE users SET upn_key = 'karl@a.example' WHERE object_id = 'k'`,
		`UPDATE customer_domains SET domain = 'école.example' WHERE domain LIKE '%cole%'`,
		`UPDATE customer_domains SET domain = 'kust.example' WHERE domain LIKE '%ust.%'`,
		`UPDATE subscriptions SET offer_id = 'âge' WHERE offer_id <> 'other'`,
		`ALTER TABLE requests DROP COLUMN partner_id`, `ALTER TABLE requests DROP COLUMN customer_id`,
		`DELETE FROM goose_db_version WHERE version_id >= 11`,
	} {
		if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	for i := range data.Partners[0].Users {
		u := data.Partners[0].Users[i]
		u.Password, u.ObjectID = "", "" // kept where the key is found
		if err := s.PutUser(t.Context(), partnerA, u); err != nil {
			t.Fatal(err)
		}
	}
	users, err := s.Users(t.Context(), partnerA)
	if err != nil || len(users) != 3 {
		t.Fatalf("%d users, %v", len(users), err)
	}
	for _, u := range users {
		if u.Password != "kept" {
			t.Errorf("%s was not found", u.UserPrincipalName)
		}
	}
	for domain, found := range map[string]bool{"École.example": true, "école.example": false, "\u212Aust.EXAMPLE": true, "kust.example": false} {
		if tenant, err := s.CustomerTenant(t.Context(), domain); err != nil || (tenant != nil) != found {
			t.Errorf("%s: %v, %v", domain, tenant, err)
		}
	}
	offers, err := queryAll(t.Context(), s, "offers", func(rows *sql.Rows) (offer string, err error) { return offer, rows.Scan(&offer) },
		`SELECT offer_id FROM subscriptions ORDER BY offer_id DESC`)
	if err != nil || fmt.Sprint(offers) != "[Âge other]" {
		t.Errorf("offers %q, %v", offers, err)
	}
}

// A value that its column cannot have is damage.
func TestValueOfAnotherKind(t *testing.T) {
	s := openTest(t, ":memory:")
	var key string
	err := s.wrapError("list keys", s.read.QueryRowContext(t.Context(), `SELECT NULL`).Scan(&key))
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "converting NULL") {
		t.Error(err)
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// withoutLists makes the store answer every list through database/sql.
func withoutLists(t testing.TB, s *Store) *Store {
	t.Helper()
	if err := s.lists.close(); err != nil {
		t.Error(err)
	}
	s.lists = nil
	return s
}

func TestSQLiteWithoutLists(t *testing.T) {
	testStore(t, func(t *testing.T) *Store { return withoutLists(t, openTest(t, ":memory:")) })
}

// randomSeed is like bulkSeed, but its orders have dates that collide, system
// purchases and prices among them, lengths up to several pages, and bytes that
// need care; some customers are gone.
func randomSeed(number uint64) *seed.Seed {
	r := rand.New(rand.NewPCG(number, 2))
	s := bulkSeed(number, 30, 0, "")
	for i := range s.Partners[0].Customers {
		c := &s.Partners[0].Customers[i]
		if r.IntN(8) == 0 {
			c.Customer.RelationshipToPartner = partnercenter.RelationshipToPartnerNone
		}
		for j := range r.IntN(40) {
			o := partnercenter.Order{
				ID: fmt.Sprintf("%x-é-%d", r.Uint32(), j), CreationDate: partnercenter.TimeOf(time.Unix(r.Int64N(4), 0).UTC()),
				CurrencySymbol: "€\x00\u2028" + strings.Repeat("ü", r.IntN(1<<r.IntN(17))),
			}
			if r.IntN(5) == 0 {
				o.TransactionType = partnercenter.OrderTransactionTypeSystemBilling
			}
			if r.IntN(2) == 0 {
				o.TotalPrice = partnercenter.Decimal(fmt.Sprint(r.IntN(1000)))
			}
			c.Orders = append(c.Orders, o)
		}
	}
	return s
}

// Both ways of reading lists must answer the same bytes and errors.
func TestListsAreTheSameEitherWay(t *testing.T) {
	for name, data := range map[string]*seed.Seed{
		"sample": mustSample(t), "suite": suiteSeed(), "random 1": randomSeed(1), "random 2": randomSeed(2),
	} {
		t.Run(name, func(t *testing.T) {
			long := customer(strings.Repeat("İ", maxListKey/2), "Long")
			data.Partners[0].Customers = append(data.Partners[0].Customers,
				seed.Customer{Customer: long, Orders: []partnercenter.Order{{ID: "long"}}})
			s := openTest(t, filepath.Join(t.TempDir(), "test.db"))
			load(t, s, data)
			orders := 0
			for _, p := range data.Partners {
				for _, owner := range data.Partners {
					for _, c := range owner.Customers {
						for _, price := range []bool{false, true} {
							q := OrderQuery{PartnerID: p.TenantID, CustomerID: c.Customer.ID, IncludePrice: price}
							got, n, err := listOrders(t.Context(), s, []byte("x"), q)
							q.PartnerID, q.CustomerID = guid.Key(q.PartnerID), guid.Key(q.CustomerID)
							want := newOrderListing(&q, []byte("x"))
							wantErr := s.listRows(t.Context(), s.listOrders, &want)
							if string(got) != string(want.items) || n != want.count || err != wantErr {
								t.Fatalf("%+v: %d orders, %v, want %d, %v\n%s\n%s", q, n, err, want.count, wantErr, got, want.items)
							}
							orders += n
						}
					}
				}
			}
			if orders == 0 {
				t.Error("there were no orders to compare")
			}
		})
	}
}

func TestListsAllocateNothing(t *testing.T) {
	s := openTest(t, ":memory:")
	load(t, s, bulkSeed(1, 1, 200, "$"))
	q := OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(0)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	buf := make([]byte, 0, 1<<20)
	if n := testing.AllocsPerRun(20, func() {
		if _, n, err := listOrders(ctx, s, buf, q); n != 200 || err != nil {
			t.Error(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A list must not leave a read transaction open, which would keep the write-ahead log
// from being reset and hide later commits.
func TestListsEndTheirTransaction(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "test.db"))
	list := func(partner, customer string) error {
		_, _, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partner, CustomerID: customer})
		return err
	}
	for round := range 10 {
		load(t, s, bulkSeed(1, 2, 3, fmt.Sprint("round ", round)))
		for range 3 * cap(s.lists.idle) {
			docs, _, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(1)})
			if err != nil || strings.Count(string(docs), fmt.Sprint("round ", round)) != 3 {
				t.Fatalf("round %d: %v, %s", round, err, docs)
			}
			fails(t, list(bulkPartner, "x"), ErrNotYours)
		}
		sqlite3.SehInject(1) // a fault while a transaction begins
		if err := list(bulkPartner, bulkCustomer(1)); !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), fmt.Sprintf("disk I/O error (%d)", sqlite3.SQLITE_IOERR_IN_PAGE)) {
			t.Errorf("with a fault: %v", err)
		}
		var busy, left, done int
		if err := s.write.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &left, &done); err != nil || busy != 0 || left != 0 {
			t.Fatalf("checkpoint: busy %d, %d pages left, %v", busy, left, err)
		}
	}
}

func TestListsSurviveChangesAndDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	load(t, s, bulkSeed(1, 2, 200, "x"))
	list := func() error {
		items, n, err := listOrders(t.Context(), s, []byte("kept"), OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(1)})
		if err == nil && n != 200 || err != nil && (n != 0 || string(items) != "kept") {
			t.Errorf("%d orders, %d bytes, %v", n, len(items), err)
		}
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(`ALTER TABLE orders ADD COLUMN later TEXT`); err != nil {
		t.Fatal(err)
	}
	if err := list(); err != nil {
		t.Errorf("after a change of the schema: %v", err)
	}
	if _, err := s.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	junk := make([]byte, pageSize)
	for at := len(good) / 2; at < len(good); at += pageSize {
		if _, err := f.WriteAt(junk, int64(at/pageSize*pageSize)); err != nil {
			t.Fatal(err)
		}
	}
	if err := list(); err == nil || !strings.Contains(err.Error(), "database disk image is malformed (11)") {
		t.Errorf("of a damaged database: %v", err)
	}
	if _, err := f.WriteAt(good, 0); err != nil {
		t.Fatal(err)
	}
	for range cap(s.lists.idle) {
		if err := list(); err != nil {
			t.Errorf("after the repair: %v", err)
		}
	}
}

func TestListsWaitAndClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	load(t, s, bulkSeed(1, 1, 50, "x"))
	q := OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(0)}

	// All connections are in use: the wait ends with the context.
	var taken []*listReader
	for range cap(s.lists.idle) {
		taken = append(taken, <-s.lists.idle)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := listOrders(ctx, s, nil, q); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with no connection idle: %v", err)
	}
	for _, r := range taken {
		s.lists.idle <- r
	}

	// Close is called between many lists. Those after it fail.
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			for {
				_, n, err := listOrders(context.Background(), s, nil, q)
				if err != nil {
					if !strings.Contains(err.Error(), "the database is closed") {
						t.Error(err)
					}
					return
				}
				if n != 50 {
					t.Errorf("%d orders", n)
				}
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	readers.Wait()
	if maps, err := os.ReadFile("/proc/self/maps"); err == nil && strings.Contains(string(maps), path) {
		t.Error("the file is still mapped after Close")
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the write-ahead log outlives Close")
	}
}

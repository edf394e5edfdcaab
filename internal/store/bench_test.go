package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// benchOrders is how many orders each customer of the benchmarks has.
const benchOrders = 10

// benchStore is a database of 2,000 customers, or of as many as
// PARTNERCENTER_BENCH_CUSTOMERS says; 100,000 is the reference size. It is
// made once and kept in the folder for temporary files.
func benchStore(b *testing.B) (s *Store, customers int) {
	customers = 2000
	if n, err := strconv.Atoi(os.Getenv("PARTNERCENTER_BENCH_CUSTOMERS")); err == nil {
		customers = n
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("partnercenter-bench-%d.db", customers))
	s = openTest(b, path)
	if s.Fresh() {
		started := time.Now()
		load(b, s, bulkSeed(1, customers, benchOrders, "$"))
		b.Logf("loaded %d orders in %v", customers*benchOrders, time.Since(started))
	}
	return s, customers
}

// benchList lists the orders of random customers, in as many goroutines as -cpu says.
func benchList(b *testing.B, q OrderQuery, wantOrders int) {
	s, customers := benchStore(b)
	var goroutines atomic.Uint64
	run := func(next func() bool) {
		r := rand.New(rand.NewPCG(goroutines.Add(1), 1))
		var buf []byte
		q := q
		q.PartnerID = bulkPartner
		for next() {
			q.CustomerID = bulkCustomer(r.IntN(customers))
			docs, n, err := s.ListOrders(context.Background(), buf[:0], q)
			if err != nil || n != wantOrders {
				b.Errorf("%d orders, %v", n, err)
				return
			}
			buf = docs
		}
	}
	left := customers // touch every page once
	run(func() bool { left--; return left >= 0 })
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lists/s")
}

func BenchmarkListOrders(b *testing.B) { benchList(b, OrderQuery{}, benchOrders) }
func BenchmarkListOrdersPriced(b *testing.B) {
	benchList(b, OrderQuery{IncludePrice: true}, benchOrders)
}
func BenchmarkListOrdersFiltered(b *testing.B) {
	benchList(b, OrderQuery{BillingCycle: "one_time"}, 0)
}

func BenchmarkGetOrder(b *testing.B) {
	s, customers := benchStore(b)
	type id struct{ customer, order string }
	var ids []id
	for i := range 1000 {
		c := bulkSeedCustomer(1, i%customers, benchOrders, "$")
		ids = append(ids, id{c.Customer.ID, c.Orders[i%benchOrders].ID})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x := ids[i%len(ids)]
		if _, err := s.GetOrder(b.Context(), bulkPartner, x.customer, x.order, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListCustomers(b *testing.B) {
	s, customers := benchStore(b)
	for _, bench := range []struct {
		name string
		q    CustomerQuery
	}{
		{"page", CustomerQuery{Limit: 100}},
		{"last", CustomerQuery{Limit: 100, Last: true}},
		{"all", CustomerQuery{}},
		{"search", CustomerQuery{Limit: 100, Filter: &CustomerFilter{"CompanyName", "starts_with", fmt.Sprint("COMPANY ", customers-1)}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			bench.q.PartnerID = bulkPartner
			for b.Loop() {
				if _, n, _, _, _, err := s.ListCustomers(b.Context(), nil, bench.q); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkLoadOne measures a durable commit: one order changes.
func BenchmarkLoadOne(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "test.db"))
	seed := bulkSeed(1, 1, 1, "x")
	for i := 0; b.Loop(); i++ {
		seed.Partners[0].Customers[0].Orders[0].CurrencySymbol = strconv.Itoa(i)
		load(b, s, seed)
	}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("existing", func(b *testing.B) {
		s, customers := benchStore(b)
		s.Close()
		path := filepath.Join(os.TempDir(), fmt.Sprintf("partnercenter-bench-%d.db", customers))
		for b.Loop() {
			openAndClose(b, path)
		}
	})
	b.Run("new", func(b *testing.B) {
		folder := b.TempDir()
		for i := 0; b.Loop(); i++ {
			openAndClose(b, filepath.Join(folder, fmt.Sprint(i)))
		}
	})
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			openAndClose(b, ":memory:")
		}
	})
}

func openAndClose(b *testing.B, path string) {
	s, err := Open(b.Context(), path, nil)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOrdersVersion(b *testing.B) {
	s := openTest(b, ":memory:")
	customer := bulkCustomer(1)
	b.ReportAllocs()
	for b.Loop() {
		s.OrdersVersion(bulkPartner, customer)
	}
}

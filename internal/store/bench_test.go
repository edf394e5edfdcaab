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

// benchOrders is how many orders each customer of the benchmarks has, unless
// they say otherwise.
const benchOrders = 10

// benchStore is a database of 20,000 orders, or of as many as
// PARTNERCENTER_BENCH_ORDERS says; a million is the reference size. It is made
// once and kept in the folder for temporary files.
func benchStore(b *testing.B, ordersEach int) (s *Store, customers int) {
	total := 20_000
	if n, err := strconv.Atoi(os.Getenv("PARTNERCENTER_BENCH_ORDERS")); err == nil {
		total = n
	}
	customers = max(1, total/ordersEach)
	path := filepath.Join(os.TempDir(), fmt.Sprintf("partnercenter-bench-%dx%d.db", customers, ordersEach))
	s = openTest(b, path)
	if s.Fresh() {
		started := time.Now()
		load(b, s, bulkSeed(1, customers, ordersEach, "$"))
		b.Logf("loaded %d orders in %v", customers*ordersEach, time.Since(started))
	}
	return s, customers
}

// benchList lists the orders of random customers, in as many goroutines as -cpu says.
func benchList(b *testing.B, ordersEach int, q OrderQuery, wantOrders int) {
	s, customers := benchStore(b, ordersEach)
	var goroutines atomic.Uint64
	run := func(next func() bool) {
		r := rand.New(rand.NewPCG(goroutines.Add(1), 1))
		var buf []byte
		q := q
		q.PartnerID = bulkPartner
		for next() {
			q.CustomerID = bulkCustomer(r.IntN(customers))
			docs, n, err := listOrders(context.Background(), s, buf[:0], q)
			if err != nil || n != wantOrders {
				b.Errorf("%d orders, %v", n, err)
				return
			}
			buf = docs
		}
	}
	left := 2 * customers // touch nearly every page once
	run(func() bool { left--; return left >= 0 })
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lists/s")
}

func BenchmarkListOrders(b *testing.B) {
	for _, n := range []int{2, benchOrders, 200} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchList(b, n, OrderQuery{}, n) })
	}
}

func BenchmarkListOrdersPriced(b *testing.B) {
	benchList(b, benchOrders, OrderQuery{IncludePrice: true}, benchOrders)
}

func BenchmarkListOrdersFiltered(b *testing.B) {
	benchList(b, benchOrders, OrderQuery{BillingCycle: "one_time"}, 0)
}

func BenchmarkGetOrder(b *testing.B) {
	s, customers := benchStore(b, benchOrders)
	type id struct{ customer, order string }
	var ids []id
	for i := range 1000 {
		c := bulkSeedCustomer(1, i%customers, benchOrders, "$")
		ids = append(ids, id{c.Customer.ID, c.Orders[i%benchOrders].ID})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x := ids[i%len(ids)]
		if _, err := getOrder(b.Context(), s, bulkPartner, x.customer, x.order, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListCustomers(b *testing.B) {
	s, customers := benchStore(b, benchOrders)
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
				if list, err := s.ListCustomers(b.Context(), nil, bench.q); err != nil || list.Count == 0 {
					b.Fatal(list.Count, err)
				}
			}
		})
	}
}

// BenchmarkLoadOne measures a durable commit: one order changes.
func BenchmarkLoadOne(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "test.db"))
	data := bulkSeed(1, 1, 1, "x")
	for i := 0; b.Loop(); i++ {
		data.Partners[0].Customers[0].Orders[0].CurrencySymbol = strconv.Itoa(i)
		load(b, s, data)
	}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("existing", func(b *testing.B) {
		s, customers := benchStore(b, benchOrders)
		s.Close()
		path := filepath.Join(os.TempDir(), fmt.Sprintf("partnercenter-bench-%dx%d.db", customers, benchOrders))
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

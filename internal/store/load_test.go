package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestLoadsAgree loads seeds with customers, orders and subscriptions that are there twice,
// or were there before, into both dialects, which must then have the same.
func TestLoadsAgree(t *testing.T) {
	cluster := postgrestest.Start(t)
	for number := range uint64(5) {
		r := rand.New(rand.NewPCG(number, 1))
		names := [2]string{filepath.Join(t.TempDir(), "x.db"), cluster.NewDatabase(t)}
		var stores [2]*Store
		for i, name := range names {
			s, err := Open(t.Context(), name, &Options{Now: func() time.Time { return suiteNow }})
			if err != nil {
				t.Fatal(err)
			}
			stores[i] = s
		}
		for round := range 3 {
			data := repetitiveSeed(r)
			var results [2]LoadResult
			for i, s := range stores {
				results[i] = load(t, s, data)
			}
			if results[0] != results[1] {
				t.Errorf("seed %d, round %d: SQLite %+v, PostgreSQL %+v", number, round, results[0], results[1])
			}
		}
		var digests [2][32]byte
		for i, s := range stores {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := Copy(t.Context(), names[i], filepath.Join(t.TempDir(), "x.db"), CopyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			digests[i] = r.Digest
		}
		if digests[0] != digests[1] {
			_, err := Copy(t.Context(), names[0], names[1], CopyOptions{})
			t.Fatalf("seed %d: the databases differ (%v)", number, err)
		}
	}
}

func repetitiveSeed(r *rand.Rand) *seed.Seed {
	data := new(seed.Seed)
	for _, id := range []string{partnerA, partnerB} {
		p := seed.Partner{Tenant: seed.Tenant{TenantID: id}}
		for range r.IntN(12) {
			n := r.IntN(6)
			c := seed.Customer{Customer: customer(bulkCustomer(n), fmt.Sprint("company ", r.IntN(3)))}
			for range r.IntN(3) {
				c.Customer.CustomDomains = append(c.Customer.CustomDomains, fmt.Sprint("x", r.IntN(3), ".example"))
			}
			switch r.IntN(4) {
			case 0:
				c.AgreementAccepted = new(r.IntN(2) == 0)
			case 1:
				c.Placeholder = true
			}
			for range r.IntN(8) {
				o := partnercenter.Order{ID: fmt.Sprintf("%012x", r.IntN(6)), CreationDate: mustTime(fmt.Sprintf("2024-04-%02d", 1+r.IntN(3)))}
				for range r.IntN(3) {
					o.LineItems = append(o.LineItems, partnercenter.OrderLineItem{SubscriptionID: fmt.Sprintf("5ab5c819-0000-4000-8000-%012x", r.IntN(8)), OfferID: "o"})
				}
				if r.IntN(3) == 0 {
					o.TotalPrice = "1.5"
				}
				c.Orders = append(c.Orders, o)
			}
			p.Customers = append(p.Customers, c)
		}
		data.Partners = append(data.Partners, p)
	}
	return data
}

func BenchmarkLoad(b *testing.B) {
	data := bulkSeed(1, 2000, 10, "x")
	for name, open := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(b.TempDir(), "x.db") },
		"postgres": func() string { return postgrestest.Start(b).NewDatabase(b) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := openTest(b, open())
				b.StartTimer()
				load(b, s, data)
			}
			b.ReportMetric(float64(b.N)*20000/b.Elapsed().Seconds(), "orders/s")
		})
		b.Run(name+" again", func(b *testing.B) {
			s := openTest(b, open())
			load(b, s, data)
			for b.Loop() {
				load(b, s, data)
			}
			b.ReportMetric(float64(b.N)*20000/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// Lists that share trips are those that were asked for.
func TestSharedTrips(t *testing.T) {
	s := openTest(t, postgrestest.Start(t).NewDatabase(t))
	load(t, s, suiteSeed())
	asked := []OrderQuery{
		{PartnerID: partnerA, CustomerID: shared},
		{PartnerID: partnerB, CustomerID: shared},
		{PartnerID: partnerA, CustomerID: orderless},
		{PartnerID: partnerA, CustomerID: shared, IncludePrice: true},
		{PartnerID: partnerB, CustomerID: orderless}, // not its own
	}
	answer := func(q OrderQuery) string {
		items, count, err := listOrders(t.Context(), s, nil, q)
		return fmt.Sprintf("%d %s %v", count, items, err)
	}
	want := make([]string, len(asked))
	for i, q := range asked {
		want[i] = answer(q)
	}
	trips := s.pg.primary.Stat().AcquireCount()
	const callers, calls = 64, 50
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			for i := range calls {
				i = (i + caller) % len(asked)
				if got := answer(asked[i]); got != want[i] {
					t.Errorf("%+v: %s, want %s", asked[i], got, want[i])
					return
				}
			}
		})
	}
	wait.Wait()
	if trips = s.pg.primary.Stat().AcquireCount() - trips; trips > callers*calls*3/4 {
		t.Errorf("%d trips for %d lists", trips, callers*calls)
	}
	if p := &s.pg.primary.lists; p.underWay != 0 || len(p.waiting) != 0 {
		t.Errorf("%d trips are under way, and %d lists wait", p.underWay, len(p.waiting))
	}
}

// A list that the database refuses does not refuse those that share its trip.
func TestSharedTripRefused(t *testing.T) {
	s := openTest(t, postgrestest.Start(t).NewDatabase(t))
	load(t, s, suiteSeed())
	var calls []*sharedRead
	var counts [4]int
	for i, customer := range []string{shared, "no text: \xff", orderless, shared} {
		calls = append(calls, &sharedRead{args: []string{partnerA, customer}, err: errUnread, row: func([][]byte) error {
			counts[i]++
			return nil
		}})
	}
	s.pg.primary.lists.trip(t.Context(), calls)
	for i, call := range calls {
		if refused := i == 1; refused != (call.err != nil) {
			t.Errorf("customer %q: %v", call.args[1], call.err)
		}
	}
	if counts[0] == 0 || counts[3] != counts[0] {
		t.Errorf("lists of %d and %d orders", counts[0], counts[3])
	}
}

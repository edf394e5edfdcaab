package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The readers have the file mapped once, whatever is written and however it grows.
func TestOneMapping(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	const customers = 40
	for mark := range 3 {
		load(t, s, bulkSeed(1, customers<<mark, 10, fmt.Sprint(mark)))
		if _, err := s.write.Exec(`PRAGMA wal_checkpoint`); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 4 * cap(s.lists.idle) {
			wait.Go(func() {
				for i := range customers << mark {
					list, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(i)})
					if n != 10 || err != nil || strings.Count(string(list), fmt.Sprintf(`"currencySymbol":"%d"`, mark)) != 10 {
						t.Errorf("%d orders, %v: %.100s", n, err, list)
						return
					}
				}
			})
		}
		wait.Wait()
	}
	s.lists.pages.ahead.Wait()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	// SQLite maps no more than the file has, for the connections of package sql.
	whole := 0
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(strings.TrimSpace(line), path) && to-from >= segmentSize {
			whole++
		}
	}
	if whole != 1 {
		t.Errorf("the file is mapped %d times\n%s", whole, maps)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if m := s.lists.pages; m.page(info.Size()-2*pageSize, pageSize) == 0 || m.page(info.Size(), pageSize) != 0 {
		t.Error("what the file has is mapped, and nothing else should be")
	}
}

// What may not be mapped is read.
func TestMappedInPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	const customers = 100
	for _, size := range []int64{-1, pageSize, 5*pageSize + 1, 0} {
		s, err := Open(t.Context(), path, &Options{MmapSize: size})
		if err != nil {
			t.Fatal(err)
		}
		load(t, s, bulkSeed(1, customers, 10, "$"))
		for i := range customers {
			if _, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(i)}); n != 10 || err != nil {
				t.Errorf("%d mapped: %d orders, %v", size, n, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What the system has in memory only in part is mapped in part.
func TestResidentRuns(t *testing.T) {
	var got []string
	for from, to := range residentRuns([]byte{1, 3, 0, 2, 1, 0, 0, 1}) {
		got = append(got, fmt.Sprint(from, "-", to))
	}
	if want := []string{"0-2", "4-5", "7-8"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

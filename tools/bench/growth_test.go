package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGrowthCustomers(t *testing.T) {
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		orders, ids := 0, map[string]bool{}
		for _, c := range growthCustomers(size) {
			orders += c.orders
			ids[c.id] = true
		}
		if orders != size {
			t.Errorf("customers of a database of %d orders have %d", size, orders)
		}
		want := growthBuyers + growthCount(size, 10)
		for _, list := range growthLists {
			want += growthCount(size, list)
		}
		if len(ids) != want {
			t.Errorf("in a database of %d orders, %d customers have %d ids", size, want, len(ids))
		}
	}
}

func TestWriteBetween(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	const page = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeBetween(file, "x", "\nnew\n\n"); err != nil {
		t.Fatal(err)
	}
	if err := writeBetween(file, "y", "new"); err == nil {
		t.Error("there is nothing to write between, and no error")
	}
	got, err := os.ReadFile(file)
	if want := "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n"; err != nil || string(got) != want {
		t.Errorf("the page is %q, %v, want %q", got, err, want)
	}
}

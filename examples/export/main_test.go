package main

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

func TestExport(t *testing.T) {
	var busy, unreachable atomic.Bool
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			orders := strings.HasSuffix(r.URL.Path, "/orders")
			switch {
			case orders && busy.CompareAndSwap(true, false): // once, and the client tries again
				w.Header().Set("Retry-After-Ms", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			case orders && unreachable.Load() && strings.Contains(r.URL.Path, partnercentertest.CustomerID):
				w.WriteHeader(http.StatusNotFound)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}})
	srv.Setenv(t)
	name := filepath.Join(t.TempDir(), "orders.csv")

	busy.Store(true)
	all := exported(t, name, 0)
	if busy.Load() || ordersOf(all, partnercentertest.CustomerID) != 2 || len(all) < 100 {
		t.Fatalf("%d rows, %d of them of a customer with two orders", len(all), ordersOf(all, partnercentertest.CustomerID))
	}
	unreachable.Store(true)
	if some := exported(t, name, 1); ordersOf(some, partnercentertest.CustomerID) != 0 || len(some) != len(all)-2 {
		t.Errorf("%d rows without a customer, %d with", len(some), len(all))
	}

	before, _ := os.ReadFile(name)
	t.Setenv("PARTNERCENTER_CLIENT_SECRET", "wrong")
	if _, err := run(t.Context(), []string{"-o", name}); err == nil {
		t.Error("no error without a sign-in")
	}
	after, _ := os.ReadFile(name)
	files, _ := os.ReadDir(filepath.Dir(name))
	if string(after) != string(before) || len(files) != 1 {
		t.Errorf("a run that failed changed the file, or left another: %v", files)
	}
}

// exported runs the program and returns the rows of the file.
func exported(t *testing.T, name string, leftOut int) [][]string {
	t.Helper()
	got, err := run(t.Context(), []string{"-o", name})
	if err != nil || got != leftOut {
		t.Fatalf("%d customers left out, %v; want %d", got, err, leftOut)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func ordersOf(rows [][]string, customerID string) (n int) {
	for _, row := range rows {
		if row[0] == customerID {
			n++
		}
	}
	return n
}

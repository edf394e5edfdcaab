package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestMain is the program itself in the process that TestPlaceOnce kills.
func TestMain(m *testing.M) {
	if os.Getenv("PLACEONCE_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestPlaceOnce kills the program after the server has placed its order and before
// the answer, and runs it again.
func TestPlaceOnce(t *testing.T) {
	var calls atomic.Int32
	placed := make(chan struct{})
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/orders") || calls.Add(1) > 1 {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			close(placed)
			<-r.Context().Done() // the program is dead
		})
	}})
	srv.Setenv(t)
	orders := srv.Client().Customers.ByID(partnercentertest.CustomerID).Orders
	before, err := orders.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "order.json")
	args := []string{"-file", file, "-customer", partnercentertest.CustomerID, "-offer", "031C9E47-4802-4248-838E-778FB1D2CC05"}

	program := exec.CommandContext(t.Context(), os.Args[0], args...)
	program.Env = append(os.Environ(), "PLACEONCE_PROGRAM=1")
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	died := make(chan error, 1)
	go func() { died <- program.Wait() }()
	select {
	case <-placed:
	case err := <-died:
		t.Fatalf("the program ended before it placed an order: %v", err)
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-died

	var id, again bytes.Buffer
	if err := run(t.Context(), args, &id); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), args, &again); err != nil || id.String() != again.String() {
		t.Errorf("printed %q and then %q, %v", id.String(), again.String(), err)
	}
	if err := run(t.Context(), append(args, "-quantity", "7"), &again); err == nil || !strings.Contains(err.Error(), "another order") {
		t.Errorf("another order with the same file: %v", err)
	}
	after, err := orders.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(after.Items) - len(before.Items); n != 1 {
		t.Errorf("%d orders were placed, want 1", n)
	}
	if _, err := orders.ByID(strings.TrimSpace(id.String())).Get(t.Context()); err != nil {
		t.Error(err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls, want one by the program that was killed and one after it", n)
	}
}

// TestRefused has an order refused: the file stays, as only its owner knows whether
// something else is to be ordered instead.
func TestRefused(t *testing.T) {
	partnercentertest.NewServer(t).Setenv(t)
	file := filepath.Join(t.TempDir(), "order.json")
	args := []string{"-file", file, "-customer", partnercentertest.CustomerID, "-offer", "none"}
	for _, want := range []string{"nothing was ordered", "run the command again"} {
		if err := run(t.Context(), args, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

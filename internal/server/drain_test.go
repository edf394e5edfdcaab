package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// TestTellsOfShutdown asks for readiness while a shutdown waits for a request.
func TestTellsOfShutdown(t *testing.T) {
	st, err := store.Open(t.Context(), ":memory:", nil)
	must(t, err)
	defer st.Close()
	began, end := make(chan struct{}), make(chan struct{})
	srv, err := server.New(t.Context(), server.Config{Store: st, Trace: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(began)
			<-end
			h.ServeHTTP(w, r)
		})
	}})
	must(t, err)
	defer srv.Close()
	listen := func() net.Listener {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		must(t, err)
		return l
	}
	l := server.Listeners{API: listen(), Ops: listen(), Figures: srv.Health()}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l, time.Minute) }()

	get := func(l net.Listener, path string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+path, http.NoBody)
		if err != nil {
			return 0
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Log(err)
			return 0
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	if status := get(l.Ops, "/readyz"); status != http.StatusOK {
		t.Fatal(status)
	}
	answered := make(chan int, 1)
	go func() { answered <- get(l.API, "/livez") }()
	<-began
	stop()
	status := 0
	for limit := time.Now().Add(10 * time.Second); status != http.StatusServiceUnavailable && time.Now().Before(limit); {
		if status = get(l.Ops, "/readyz"); status != http.StatusOK && status != http.StatusServiceUnavailable {
			break
		}
	}
	if status != http.StatusServiceUnavailable {
		t.Errorf("readiness is %d while the server shuts down", status)
	}
	close(end)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request that was under way: %d", status)
	}
	must(t, <-done)
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Ops.Addr().String()); err == nil {
		conn.Close()
		t.Error("the listener of figures is open after the shutdown")
	}
}

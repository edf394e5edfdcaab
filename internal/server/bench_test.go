package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/ops"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// discard takes an answer and keeps nothing of it.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkListAgain measures what the server itself spends on a cached list: route,
// token, headers and access log, without net/http.
func BenchmarkListAgain(b *testing.B) { benchmarkListAgain(b, nil) }

// BenchmarkListAgainObserved measures the same with figures for Prometheus.
func BenchmarkListAgainObserved(b *testing.B) {
	benchmarkListAgain(b, ops.New(ops.Build{}).Observe)
}

func benchmarkListAgain(b *testing.B, observe func(context.Context, server.Observed)) {
	ctx := b.Context()
	st, err := store.Open(ctx, ":memory:", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	data, err := seed.Sample()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := st.Load(ctx, data); err != nil {
		b.Fatal(err)
	}
	authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: []string{"http://127.0.0.1:8080"}})
	if err != nil {
		b.Fatal(err)
	}
	logs := server.NewLogWriter(io.Discard)
	defer logs.Close()
	srv, err := server.New(ctx, server.Config{
		Store: st, Authority: authority, CacheSize: 1 << 20, Logger: slog.New(slog.NewTextHandler(logs, nil)), Observe: observe,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Close()
	token, err := authority.Mint(issuer.MintRequest{Tenant: data.Partners[0].TenantID, ClientID: data.Partners[0].Apps[0].ClientID})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, seedOrders, nil)
	r.Header.Set("Authorization", "Bearer "+token.Text)
	r.Header.Set("Accept", "application/json")
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		srv.ServeHTTP(w, r)
	}
	if w.header.Get("Content-Type") == "" {
		b.Fatal("there were no answers")
	}
}

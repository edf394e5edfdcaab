//go:build unix

package server

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// benchTokens are how many tokens of apps, and how many of users, are in use at
// once. Together they are nearly as many as are remembered, and far more than
// the processor's caches hold.
const benchTokens = 2_000

// BenchmarkAuthenticate measures what a token that was seen before costs a request: the
// header, the token, and whether its bearer may make the call. tools/bench runs it and
// compares it with its limit. The limit is on processor time (cpu-ns/op), because wall
// time includes other programs.
func BenchmarkAuthenticate(b *testing.B) {
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
	authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: []string{"https://127.0.0.1:8443"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(ctx, Config{Store: st, Authority: authority})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	path, err := splitPath(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/orders"}})
	if err != nil {
		b.Fatal(err)
	}
	route := s.routes.find(path, new(params)).route(http.MethodGet)

	partner := data.Partners[0]
	kinds := []struct {
		name, user string
		requests   []*http.Request
	}{{name: "app"}, {name: "user", user: "admin.agent@contosocsp.onmicrosoft.com"}}
	admit := func(c *call, r *http.Request) error {
		c.r, c.claims = r, nil
		if err := s.authenticate(c); err != nil {
			return err
		}
		return s.permit(c, route)
	}
	for i := range kinds {
		kind := &kinds[i]
		for range benchTokens {
			token, err := authority.Mint(issuer.MintRequest{
				Tenant: partner.TenantID, ClientID: partner.Apps[0].ClientID, User: kind.user, Version: token.V2,
			})
			if err != nil {
				b.Fatal(err)
			}
			r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + token.Text}}}
			if err := admit(new(call), r); err != nil { // its first use
				b.Fatal(err)
			}
			kind.requests = append(kind.requests, r)
		}
		rand.Shuffle(benchTokens, func(i, j int) {
			kind.requests[i], kind.requests[j] = kind.requests[j], kind.requests[i]
		})
	}
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			defer reportProcessorTime(b, processorTime(b))
			c := new(call)
			for i := 0; b.Loop(); i++ {
				if err := admit(c, kind.requests[i%benchTokens]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(kind.name+", in parallel", func(b *testing.B) {
			b.ReportAllocs()
			defer reportProcessorTime(b, processorTime(b))
			var start atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				c := new(call)
				for i := int(start.Add(benchTokens / 7)); pb.Next(); i++ {
					if err := admit(c, kind.requests[i%benchTokens]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func reportProcessorTime(b *testing.B, before time.Duration) {
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

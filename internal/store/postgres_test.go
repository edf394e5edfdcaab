package store

import (
	"errors"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestPostgres(t *testing.T) {
	cluster := postgrestest.Start(t)
	testStore(t, func(t *testing.T) *Store { return openTest(t, cluster.NewDatabase(t)) })
}

// What one server writes, the others know within a second.
func TestServersTellEachOther(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a := openTest(t, address)
	load(t, a, suiteSeed())
	b := openTest(t, address)
	type versions struct{ list, identity, settings uint64 }
	read := func() versions {
		return versions{b.OrdersVersion(partnerA, orderless), b.SharedVersion(Identity), b.SharedVersion(Settings)}
	}
	for _, test := range []struct {
		name    string
		write   func() error
		changes func(before, after versions) bool
	}{
		{
			"an order", func() error { return a.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")) },
			func(x, y versions) bool { return x.list != y.list && x.identity == y.identity && x.settings == y.settings },
		},
		{
			"a key", func() error { return a.AddSigningKey(t.Context(), SigningKey{ID: "k", PEM: []byte("x")}) },
			func(x, y versions) bool { return x.list == y.list && x.identity != y.identity && x.settings == y.settings },
		},
		{
			"a setting", func() error { return a.PutSetting(t.Context(), "x", []byte("y")) },
			func(x, y versions) bool { return x.list == y.list && x.identity == y.identity && x.settings != y.settings },
		},
		{
			"everything", func() error { return a.Reset(t.Context(), suiteSeed()) },
			func(x, y versions) bool { return x.list != y.list && x.identity != y.identity && x.settings == y.settings },
		},
	} {
		before := read()
		if err := test.write(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for started := time.Now(); !test.changes(before, read()); {
			if time.Since(started) > time.Second && read().list>>63 == 0 {
				t.Fatalf("%s: %v is %v after a second", test.name, before, read())
			}
			time.Sleep(time.Millisecond)
		}
	}
	// Both place an order under one request id: one of them is told that the other has.
	first, second := placed(partnerA, orderless, "00000000000b"), placed(partnerA, orderless, "00000000000c")
	for _, c := range []*Change{first, second} {
		c.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201}
	}
	done := make(chan error, 2)
	go func() { done <- a.Apply(t.Context(), first) }()
	go func() { done <- b.Apply(t.Context(), second) }()
	if x, y := <-done, <-done; (x == nil) == (y == nil) || !errors.Is(errors.Join(x, y), ErrAnswered) {
		t.Errorf("%v, %v", x, y)
	}
}

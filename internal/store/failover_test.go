//go:build unix

package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// synchronous starts a primary whose commits wait for a replica, and returns both and the
// address of a filled database.
func synchronous(t *testing.T) (primary, standby *postgrestest.Cluster, address string) {
	t.Helper()
	primary = postgrestest.Dedicated(t, postgrestest.Options{})
	address = primary.NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())
	standby = primary.StartReplica(t)
	execAt(t, primary.AdminURL("postgres"), `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	conn, err := pgx.Connect(t.Context(), primary.AdminURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for started := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var n int
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`).Scan(&n)
		switch {
		case err != nil || time.Since(started) > 30*time.Second:
			t.Fatalf("commits do not wait: %v", err)
		case n > 0:
			return primary, standby, address
		}
	}
}

// A commit that has not reached the replica is not acknowledged, however long it waits, and
// neither is one that was interrupted when somebody asks again.
func TestUnreplicated(t *testing.T) {
	_, standby, address := synchronous(t)
	option := func(name, value string) string {
		return with(t, address, func(_ *url.URL, o url.Values) { o.Set(name, value) })
	}
	s := openTest(t, option("statement_timeout", "300ms"))
	local := openTest(t, option("synchronous_commit", "local"))
	standby.Stop(t)
	interrupted := placed(partnerA, orderless, "00000000000a")
	interrupted.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201}
	apply(t, local, interrupted)

	ended := make(chan string, 3)
	for what, call := range map[string]func() error{
		"an order":  func() error { return s.Apply(t.Context(), placed(partnerA, orderless, "00000000000b")) },
		"a setting": func() error { return s.PutSetting(t.Context(), "x", []byte("y")) },
		"an answer that was given": func() error {
			answer, err := s.Answered(t.Context(), partnerA, orderless, interrupted.Answer.Key)
			if err == nil && answer == nil {
				err = errors.New("there is none")
			}
			return err
		},
	} {
		go func() { ended <- fmt.Sprintf("%s: %v", what, call()) }()
	}
	time.Sleep(time.Second)
	for range len(ended) {
		t.Errorf("without the replica, %s", <-ended)
	}
	standby.Restart(t)
	for range 3 {
		if t.Failed() {
			return
		}
		if what := <-ended; !strings.HasSuffix(what, ": <nil>") {
			t.Errorf("with the replica, %s", what)
		}
	}
}

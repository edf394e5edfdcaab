package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fill makes SQLite believe that the disk is full, and returns a function that makes
// room again.
func fill(t *testing.T, s *Store) (empty func()) {
	t.Helper()
	var pages int
	if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		var got int
		if err := s.write.QueryRow(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(&got); err != nil || got != pages {
			t.Fatal(got, err)
		}
	}
	limit(pages)
	return func() { limit(1 << 30) }
}

// large is an order that needs new pages.
func large(id string) *Change {
	c := placed(partnerA, orderless, id)
	c.Order.Facts = []byte(`"` + strings.Repeat("x", 10*pageSize) + `"`)
	return c
}

func TestDiskFull(t *testing.T) {
	var log bytes.Buffer
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	load(t, s, suiteSeed())
	empty := fill(t, s)

	full := func(what string, err error) {
		t.Helper()
		if !errors.As(err, new(*UnusableError)) || !errors.Is(err, ErrDiskFull) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var wait sync.WaitGroup
	for n := range 20 {
		wait.Go(func() { full("an order", s.Apply(t.Context(), large(fmt.Sprintf("%012x", n)))) })
	}
	wait.Wait()
	full("readiness", s.Ping(t.Context()))
	full("a setting", s.PutSetting(t.Context(), "x", make([]byte, 10*pageSize)))
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), ErrDiskFull.Error()) {
		t.Errorf("%d errors in the log:\n%s", n, &log)
	}
	// What remains of the disk may do for a small write, which proves nothing.
	if err := s.PutSetting(t.Context(), "x", []byte("x")); err != nil {
		t.Error(err)
	}
	full("an order", s.Apply(t.Context(), large("00000000000a")))
	full("readiness", s.Ping(t.Context()))

	empty()
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	apply(t, s, large("00000000000a"))
	if !strings.Contains(log.String(), "can be written again") {
		t.Errorf("the log has no end of it:\n%s", &log)
	}
}

// Readiness tries a write when the last one is old, one for all who ask.
func TestPingWrites(t *testing.T) {
	s := openTest(t, ":memory:")
	load(t, s, suiteSeed())
	now := time.Now()
	s.system = func() time.Time { return now }
	writes := func() (n int) {
		t.Helper()
		if err := s.write.QueryRow(`SELECT total_changes()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	ping := func() {
		t.Helper()
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
	before := writes()
	ping()
	if n := writes() - before; n != 0 {
		t.Errorf("%d writes right after one", n)
	}
	now = now.Add(probeAge)
	started, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		// Keeps the probe waiting until all have asked.
		if err := s.inTx(t.Context(), alone, func(*tx) error {
			close(started)
			<-release
			return errors.New("no")
		}); err == nil {
			t.Error("it was written")
		}
	})
	<-started
	for range 50 {
		wait.Go(ping)
	}
	for range 10_000 {
		if s.write.Stats().WaitCount > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	close(release)
	wait.Wait()
	if n := writes() - before; n < 1 || n > 5 {
		t.Errorf("%d writes of 50 probes", n)
	}
	// The clock of the system goes, too.
	now = now.Add(-time.Hour)
	ping()
}

func TestQuickCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path)
	load(t, s, bulkSeed(1, 20, 20, "$"))
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, 6*pageSize, strings.Repeat("junk", 20))
	s = openTest(t, path)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{"check": s.Check(t.Context()), "readiness": s.Ping(t.Context())} {
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// While the write-ahead log is cut off or overwritten, what cannot be read is an error
// that says so, and readiness has it until everything can be read again.
func TestLogDamaged(t *testing.T) {
	for name, damage := range map[string]func(path string, size int64) error{
		"cut off": func(path string, _ int64) error { return os.Truncate(path, 0) },
		"overwritten": func(path string, size int64) error {
			return os.WriteFile(path, bytes.Repeat([]byte{0xff}, int(size)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			s := openTest(t, path)
			load(t, s, suiteSeed())
			apply(t, s, placed(partnerA, orderless, "00000000000a"))
			read := func() error {
				_, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
				return err
			}
			kept, err := os.ReadFile(path + "-wal")
			if err := errors.Join(err, damage(path+"-wal", int64(len(kept)))); err != nil {
				t.Fatal(err)
			}
			_, _, list := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
			for what, err := range map[string]error{"a read": read(), "a list": list, "readiness": s.Ping(t.Context())} {
				if !errors.As(err, new(*UnusableError)) || !errors.Is(err, ErrDisk) && !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := os.WriteFile(path+"-wal", kept, 0o600); err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{"readiness": s.Ping(t.Context()), "a read": read()} {
				if err != nil {
					t.Errorf("once it is back, %s: %v", what, err)
				}
			}
			apply(t, s, placed(partnerA, orderless, "00000000000b"))
		})
	}
}

// What is stored and cannot be decoded is damaged. It is not the end of an answer.
func TestDamagedLists(t *testing.T) {
	s := openTest(t, ":memory:")
	load(t, s, suiteSeed())
	for _, column := range []string{"secrets", "certificates", "redirect_uris"} {
		if _, err := s.write.Exec(`UPDATE apps SET ` + column + ` = '[{'`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apps(t.Context(), partnerA); !errors.Is(err, ErrDamaged) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", column, err)
		}
	}
}

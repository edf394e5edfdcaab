package store

import (
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestOtherServers(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a := openTest(t, address)
	others := func(want int) {
		t.Helper()
		if n, err := a.OtherServers(t.Context()); n != want || err != nil {
			t.Errorf("%d other servers, want %d; %v", n, want, err)
		}
	}
	join := func(s *Store) {
		t.Helper()
		if err := s.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	exec := func(statement string) {
		t.Helper()
		if _, err := a.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	join(a)
	b := openTest(t, address) // as an import does
	others(0)
	join(b)
	others(1)
	exec(`INSERT INTO servers (server, beat) VALUES ('killed', clock_timestamp() - interval '6 s'), ('living', clock_timestamp() - interval '2 s')`)
	others(2)
	exec(`UPDATE servers SET beat = beat - interval '1 minute'`)
	for started := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if n, err := a.OtherServers(t.Context()); n == 1 && err == nil {
			break
		} else if time.Since(started) > 4*time.Second {
			t.Fatalf("a server says that it is there too seldom: %d, %v", n, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	others(0)

	memory := openTest(t, ":memory:")
	join(memory)
	if n, err := memory.OtherServers(t.Context()); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestTakeRequests(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a, b := openTest(t, address), openTest(t, address)
	window := RequestWindow{PartnerID: partnerA, Resource: "orders", Limit: 500, Length: time.Minute}
	now := suiteNow
	take := func(s *Store, some int) (int, time.Time) {
		t.Helper()
		n, start, err := s.TakeRequests(t.Context(), window, some, now)
		if err != nil {
			t.Fatal(err)
		}
		return n, start
	}
	// All are given, and never more, in blocks that become smaller.
	total, last, blocks := 0, 1000, 0
	for ; ; blocks++ {
		n, start := take([]*Store{a, b}[blocks%2], 1)
		if n > last || n > window.Limit/20 || !start.Equal(suiteNow) {
			t.Errorf("%d after %d, of a window that began at %v", n, last, start)
		}
		if n == 0 {
			break
		}
		total, last = total+n, n
	}
	if total != window.Limit || blocks > 120 {
		t.Errorf("%d requests in %d blocks", total, blocks)
	}
	// Other windows are not those.
	window.Resource, window.Limit = "customers", 4
	for _, step := range []struct {
		after      time.Duration
		some, want int
		began      time.Duration // of the window, after suiteNow, for the server that asks
	}{
		{0, 2, 2, 0},
		{-time.Second, 1, 1, -time.Second}, // a clock that is behind
		{59 * time.Second, 2, 0, 0},        // too many: nobody gets the last one
		{59 * time.Second, 1, 0, 0},
		{60 * time.Second, 4, 4, 60 * time.Second},
		{time.Hour, 3, 3, time.Hour},
		{0, 3, 3, 0}, // set back
	} {
		now = suiteNow.Add(step.after)
		if n, start := take(a, step.some); n != step.want || !start.Equal(suiteNow.Add(step.began)) {
			t.Errorf("%v: %d at %v are %d, of a window that began at %v", step, step.some, now, n, start)
		}
	}
	// A change of the clock begins new ones, and is refused as a whole.
	if err := a.ChangeClock(t.Context(), "clock", func([]byte) ([]byte, error) { return nil, ErrConflict }); err == nil {
		t.Error("a change that fails is made")
	}
	if n, _ := take(b, 2); n != 0 {
		t.Errorf("%d after a change that failed", n)
	}
	if err := a.ChangeClock(t.Context(), "clock", func([]byte) ([]byte, error) { return []byte("x"), nil }); err != nil {
		t.Fatal(err)
	}
	if n, _ := take(b, 2); n != 2 {
		t.Errorf("%d after a change", n)
	}
}

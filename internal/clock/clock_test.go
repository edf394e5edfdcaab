package clock

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// system is a system clock that tests move.
type system struct{ passed atomic.Int64 }

func (s *system) now() time.Time       { return start.Add(time.Duration(s.passed.Load())) }
func (s *system) pass(d time.Duration) { s.passed.Add(int64(d)) }
func newTest() (c *Clock, sys *system) { sys = new(system); return New(sys.now), sys }
func shows(t *testing.T, c *Clock, want time.Time) {
	t.Helper()
	if got := c.Now(); !got.Equal(want) {
		t.Errorf("the clock shows %v, want %v", got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestClock(t *testing.T) {
	c, sys := newTest()
	shows(t, c, start)
	sys.pass(time.Second)
	shows(t, c, start.Add(time.Second))
	if s := c.State(); s.Adjusted || s.Frozen || s.Offset != (Step{}) || !s.Now.Equal(s.System) {
		t.Errorf("a clock that nobody changed: %+v", s)
	}

	to := time.Date(2031, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	must(t, c.Set(to))
	sys.pass(time.Minute)
	shows(t, c, to.Add(time.Minute))
	must(t, c.Advance(36*time.Hour))
	shows(t, c, to.Add(36*time.Hour+time.Minute))
	if s := c.State(); !s.Adjusted || s.Frozen || s.Offset != (Step{Duration: s.Now.Sub(s.System)}) || s.Now.Location() != time.UTC {
		t.Errorf("after an advance: %+v", s)
	}

	back := start.AddDate(-20, 0, 0)
	must(t, c.Set(back))
	c.Freeze()
	sys.pass(time.Hour)
	shows(t, c, back)
	c.Freeze()
	must(t, c.Advance(time.Hour))
	shows(t, c, back.Add(time.Hour))
	must(t, c.Set(back))
	sys.pass(time.Hour)
	shows(t, c, back)
	if s := c.State(); !s.Frozen || !s.Now.Equal(back) {
		t.Errorf("frozen: %+v", s)
	}

	c.Resume()
	sys.pass(time.Hour)
	shows(t, c, back.Add(time.Hour))
	c.Resume() // changes nothing
	shows(t, c, back.Add(time.Hour))

	c.Reset()
	shows(t, c, sys.now())
	if s := c.State(); s.Adjusted {
		t.Errorf("after a reset: %+v", s)
	}
}

func TestUnadjustedIsTheSystems(t *testing.T) {
	c := New(nil)
	before := time.Now()
	now := c.Now()
	if now.Before(before) || time.Since(now) < 0 || time.Since(now) > time.Minute {
		t.Errorf("the clock shows %v at %v", now, before)
	}
	c.Resume()
	if c.State().Adjusted {
		t.Error("resuming a clock that runs adjusted it")
	}
}

func TestRefusals(t *testing.T) {
	c, _ := newTest()
	must(t, c.Set(start.AddDate(1, 0, 0)))
	for name, test := range map[string]struct {
		err  error
		want error
	}{
		"backwards":           {c.Advance(-1), ErrBackwards},
		"year 0":              {c.Set(time.Date(0, 12, 31, 23, 59, 59, 999999999, time.UTC)), ErrOutOfRange},
		"year 1":              {c.Set(time.Time{}), ErrOutOfRange},
		"1600":                {c.Set(time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)), ErrOutOfRange},
		"the first second":    {c.Set(time.Unix(0, 0)), ErrOutOfRange},
		"1979 elsewhere":      {c.Set(time.Date(1980, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))), ErrOutOfRange},
		"year 9001":           {c.Set(time.Date(9001, 1, 1, 0, 0, 0, 0, time.UTC)), ErrOutOfRange},
		"year 9999":           {c.Set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)), ErrOutOfRange},
		"year 10000":          {c.Set(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), ErrOutOfRange},
		"advance too far":     {c.AdvanceBy(Step{Months: 12 * 7000}), ErrOutOfRange},
		"advance out of ints": {c.AdvanceBy(Step{Months: math.MaxInt}), ErrOutOfRange},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", name, test.err, test.want)
		}
	}
	shows(t, c, start.AddDate(1, 0, 0))
}

// TestEnds runs the clock at both ends of time, which are further from the system's
// than a duration reaches.
func TestEnds(t *testing.T) {
	c, sys := newTest()
	must(t, c.Set(earliest))
	sys.pass(time.Hour)
	shows(t, c, earliest.Add(time.Hour))
	must(t, c.Set(latest))
	sys.pass(time.Hour)
	shows(t, c, latest)
	if err := c.Advance(time.Second); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("past the end: %v", err)
	}
	other := New(sys.now)
	must(t, other.Restore(c.Save()))
	shows(t, other, latest)
	sys.pass(-24 * time.Hour)
	must(t, c.Set(earliest))
	sys.pass(-time.Hour)
	shows(t, c, earliest)
}

// TestOffset adds the offset to the system's clock, also where no duration is long enough.
func TestOffset(t *testing.T) {
	for _, at := range []time.Time{
		start, start.AddDate(0, 0, 1), start.AddDate(-30, 0, 0), start.AddDate(291, 0, 0), start.AddDate(293, 0, 0),
		start.AddDate(293, 0, -1), start.AddDate(6000, 7, 3).Add(time.Hour), latest,
	} {
		for _, system := range []time.Time{start, time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)} {
			c := New(func() time.Time { return system })
			must(t, c.Set(at))
			offset := c.State().Offset
			read, err := ParseStep(offset.String())
			if err != nil || read != offset {
				t.Errorf("%s: %+v is written %s and read as %+v, %v", at, offset, offset, read, err)
			}
			if got := offset.from(system); !got.Equal(at) {
				t.Errorf("%s and %s are %s", system, offset, got)
			}
		}
	}
	if got := stepBetween(latest, earliest).String(); got != "-7020y364d23h59m59s" {
		t.Errorf("from the end to the beginning: %s", got)
	}
	if got := (Step{Months: 14, Duration: day}).String(); got != "1y2mo1d" {
		t.Error(got)
	}
}

// TestEarlierSettings restores settings from before the clock had limits.
func TestEarlierSettings(t *testing.T) {
	for saved, want := range map[string]time.Time{
		`{"at":"0001-01-01T00:00:00Z","since":"2026-01-01T00:00:00Z","frozen":true}`: earliest,
		`{"at":"9999-12-31T00:00:00Z","since":"2026-01-01T00:00:00Z","frozen":true}`: latest,
	} {
		c, _ := newTest()
		must(t, c.Restore([]byte(saved)))
		shows(t, c, want)
	}
}

func TestOnChange(t *testing.T) {
	c, _ := newTest()
	var seen []time.Time
	c.OnChange(func() { seen = append(seen, c.Now()) })
	must(t, c.Set(start.AddDate(1, 0, 0)))
	must(t, c.Advance(time.Hour))
	c.Freeze()
	c.Resume()
	c.Reset()
	must(t, c.Restore([]byte(`{"at":"2030-01-01T00:00:00Z","since":"2026-03-01T12:00:00Z"}`)))
	if len(seen) != 6 || !seen[1].Equal(start.AddDate(1, 0, 0).Add(time.Hour)) || !seen[5].Equal(c.Now()) {
		t.Errorf("told at %v", seen)
	}
	c.Resume()
	if err := c.Advance(-1); err == nil || len(seen) != 6 {
		t.Errorf("told of nothing: %v, %v", seen, err)
	}
}

// TestSave restores a clock a day later, in another process.
func TestSave(t *testing.T) {
	for name, change := range map[string]func(*Clock) error{
		"never changed": func(*Clock) error { return nil },
		"set":           func(c *Clock) error { return c.Set(start.AddDate(-3, 0, 0)) },
		"advanced":      func(c *Clock) error { return c.Advance(90 * time.Minute) },
		"frozen":        func(c *Clock) error { c.Freeze(); return nil },
		"reset":         func(c *Clock) error { c.Freeze(); c.Reset(); return nil },
	} {
		c, sys := newTest()
		must(t, change(c))
		again := New(sys.now)
		must(t, again.Set(start.AddDate(50, 0, 0))) // Restore replaces what is there
		must(t, again.Restore(c.Save()))
		sys.pass(day)
		if a, b := c.State(), again.State(); a != b {
			t.Errorf("%s: %+v was restored as %+v", name, a, b)
		}
	}
	c, _ := newTest()
	must(t, c.Set(start.AddDate(1, 0, 0)))
	for _, bad := range []string{"x", "{}", `{"at":"2030-01-01T00:00:00Z"}`, `{"at":"tomorrow"}`, `{"since":"2026-03-01T12:00:00Z","at":"0000-01-01T00:00:00Z"}`} {
		if err := c.Restore([]byte(bad)); !errors.Is(err, ErrSaved) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	shows(t, c, start.AddDate(1, 0, 0))
}

// TestConcurrency advances the clock from many goroutines while others read it.
func TestConcurrency(t *testing.T) {
	c, _ := newTest()
	var told int // guarded by the clock, which calls its observers one at a time
	c.OnChange(func() { told++ })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if err := c.Advance(time.Second); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			last := c.Now()
			for range 1000 {
				now := c.Now()
				if now.Before(last) {
					t.Errorf("%v after %v", now, last)
					return
				}
				last = now
				c.State()
				c.Save()
			}
		})
	}
	wg.Wait()
	shows(t, c, start.Add(800*time.Second))
	if told != 800 {
		t.Errorf("told of %d changes", told)
	}
}

func TestNowDoesNotAllocate(t *testing.T) {
	c, _ := newTest()
	for _, change := range []func(){func() {}, func() { must(t, c.Set(start)) }, c.Freeze} {
		change()
		if n := testing.AllocsPerRun(100, func() { c.Now() }); n != 0 {
			t.Errorf("%v allocations: %+v", n, c.State())
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-03-01T12:00:00Z":          start,
		"2026-03-01T13:00:00.000+01:00": start,
		"2026-03-01":                    start.Add(-12 * time.Hour),
		"9000-12-31T23:59:59Z":          latest,
	} {
		if got, err := ParseTime(text); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "now", "12:00", "2026-02-30", "10000-01-01T00:00:00Z", "2026-03-01 12:00"} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "7d": 7 * day, "1d12h": 36 * time.Hour, "-1d12h": -36 * time.Hour, "0s": 0,
		"1d1s": day + time.Second, "106751d": 106751 * day,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if got := FormatDuration(want); got != text {
			t.Errorf("%v is written %q, want %q", want, got, text)
		}
	}
	for text, want := range map[string]time.Duration{"90m": 90 * time.Minute, "0d": 0, "0": 0, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-", "7", "7 d", "1.5d", "d7", "1d-1h", "1d+1h", "--1d", "1d2d", "1w", "P1D", "99999999999999999999d", "106752d", "106751d24h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	if got := FormatDuration(math.MinInt64); got != "-106751d23h47m17s" && got != "-106751d23h47m16s" {
		t.Errorf("the longest is written %q", got)
	}
}

func TestSteps(t *testing.T) {
	january := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"1mo": "2027-02-28T12:00:00Z", "13mo": "2028-02-29T12:00:00Z", "1y": "2028-01-31T12:00:00Z",
		"2y1mo1d12h": "2029-03-02T00:00:00Z", "0mo": "2027-01-31T12:00:00Z", "15m": "2027-01-31T12:15:00Z", "7d": "2027-02-07T12:00:00Z",
	} {
		step, err := ParseStep(text)
		if err != nil || step.Backwards() {
			t.Errorf("%s: %+v, %v", text, step, err)
		}
		if got := step.from(january).Format(time.RFC3339); got != want {
			t.Errorf("%s is to %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"-1d", "-2y", "-1mo1d"} {
		if step, err := ParseStep(text); err != nil || !step.Backwards() {
			t.Errorf("%s: %+v, %v", text, step, err)
		}
	}
	for _, text := range []string{"", "y", "1mo1y", "1y-1d", "1y-", "1yy", "1.5y", "1Y", "99999y"} {
		if step, err := ParseStep(text); err == nil {
			t.Errorf("%q is taken for %+v", text, step)
		}
	}
	c, _ := newTest()
	if err := c.AdvanceBy(Step{Months: -1}); !errors.Is(err, ErrBackwards) {
		t.Errorf("a month back: %v", err)
	}
	if err := c.AdvanceBy(Step{Months: 12 * 9000}); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("9000 years: %v", err)
	}
}

func BenchmarkNow(b *testing.B) {
	for _, bench := range []struct {
		name   string
		change func(*Clock)
	}{
		{"unadjusted", func(*Clock) {}},
		{"set", func(c *Clock) { _ = c.Set(start) }},
		{"frozen", (*Clock).Freeze},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := New(nil)
			bench.change(c)
			b.ReportAllocs()
			for b.Loop() {
				c.Now()
			}
		})
	}
	b.Run("time.Now", func(b *testing.B) {
		for b.Loop() {
			time.Now()
		}
	})
}

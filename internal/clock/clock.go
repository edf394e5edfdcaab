// Package clock is the one clock for everything that depends on time. It follows the
// system's clock until it is set, advanced or frozen. How its setting is saved, and who
// may change it, is not decided here.
package clock

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time. Its methods may be called concurrently, and Now neither blocks
// nor allocates: it is called for every request.
type Clock struct {
	system  func() time.Time
	real    bool                    // system is time.Now
	setting atomic.Pointer[setting] // nil: the system's

	mu       sync.Mutex // guards changes of setting, and onChange
	onChange []func()
}

// setting is how the clock differs from the system's. It is replaced, never modified.
// Save encodes it as JSON.
type setting struct {
	At     time.Time `json:"at"`     // what the clock showed
	Since  time.Time `json:"since"`  // when the system's clock showed this
	Frozen bool      `json:"frozen"` // the clock stays at At
}

// The clock shows no instant that stands for "none" or "never" elsewhere, the zero of Go,
// of Unix and of the API and the API's year 9999, and none that is computed from it does.
var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9000, 12, 31, 23, 59, 59, 0, time.UTC)
)

var (
	// ErrOutOfRange says that the clock cannot show an instant.
	ErrOutOfRange = errors.New("the clock shows the years 1980 to 9000; choose a time between them")
	// ErrBackwards says that an advance was negative.
	ErrBackwards = errors.New("the clock advances forwards only; to go back, set it")
	// ErrSaved says that a saved setting cannot be read.
	ErrSaved = errors.New("the saved setting of the clock is not one that this program wrote")
)

// New returns a clock that follows system, which is the system's clock in this
// package's documentation. Nil means [time.Now].
func New(system func() time.Time) *Clock {
	if system == nil {
		return &Clock{system: time.Now, real: true}
	}
	return &Clock{system: system}
}

// Now returns the time. Unless the clock was changed, it is the system's.
func (c *Clock) Now() time.Time { return c.setting.Load().now(c.system) }

func (s *setting) now(system func() time.Time) time.Time {
	switch {
	case s == nil:
		return system()
	case s.Frozen:
		return s.At
	}
	now := s.At.Add(system().Sub(s.Since))
	switch {
	case now.After(latest):
		return latest
	case now.Before(earliest): // the system's was set back
		return earliest
	}
	return now
}

// IsReal reports whether the clock shows what [time.Now] does.
func (c *Clock) IsReal() bool { return c.real && c.setting.Load() == nil }

// State is what a clock shows at one instant.
type State struct {
	Now      time.Time // in UTC
	System   time.Time // the system's clock, in UTC
	Offset   Step      // from System to Now
	Frozen   bool
	Adjusted bool // it was set, advanced or frozen, and not reset since
}

// State returns the state of the clock.
func (c *Clock) State() State {
	s, system := c.setting.Load(), c.system().UTC().Round(0)
	now := s.now(func() time.Time { return system }).UTC()
	return State{
		Now: now, System: system, Offset: stepBetween(system, now),
		Frozen: s != nil && s.Frozen, Adjusted: s != nil,
	}
}

// Set makes the clock show t, which may be in the past. A frozen clock stays frozen. It
// fails with [ErrOutOfRange].
func (c *Clock) Set(t time.Time) error {
	return c.change(func(_ time.Time, frozen bool) (time.Time, bool, bool) { return t, frozen, true })
}

// Advance moves the clock forward by d; a frozen clock stays frozen. It fails with
// [ErrBackwards] and [ErrOutOfRange].
func (c *Clock) Advance(d time.Duration) error { return c.AdvanceBy(Step{Duration: d}) }

// AdvanceBy is like Advance, for a step that may follow the calendar.
func (c *Clock) AdvanceBy(s Step) error {
	switch {
	case s.Backwards():
		return ErrBackwards
	case s.Months > maxMonths:
		return ErrOutOfRange
	}
	return c.change(func(now time.Time, frozen bool) (time.Time, bool, bool) { return s.from(now), frozen, true })
}

// Freeze stops the clock. It does not affect a frozen one.
func (c *Clock) Freeze() {
	// The current time is in range.
	_ = c.change(func(now time.Time, _ bool) (time.Time, bool, bool) { return now, true, true })
}

// Resume lets a frozen clock continue from its time. It does not affect a running one.
func (c *Clock) Resume() {
	_ = c.change(func(now time.Time, frozen bool) (time.Time, bool, bool) { return now, false, frozen })
}

// change replaces the setting by the result of to, and calls the observers, unless to
// reports that nothing changes.
func (c *Clock) change(to func(now time.Time, frozen bool) (at time.Time, freeze, do bool)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.setting.Load()
	// Without the monotonic reading, which does not survive the process: the clock must
	// run after a restart as it would have without one.
	since := c.system().UTC().Round(0)
	at, freeze, do := to(old.now(func() time.Time { return since }), old != nil && old.Frozen)
	switch {
	case !do:
		return nil
	case at.Before(earliest) || at.After(latest):
		return ErrOutOfRange
	}
	c.replace(&setting{At: at.UTC(), Since: since, Frozen: freeze})
	return nil
}

// replace requires mu to be held.
func (c *Clock) replace(s *setting) {
	c.setting.Store(s)
	for _, changed := range c.onChange {
		changed()
	}
}

// Reset makes the clock follow the system's again.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.setting.Load() != nil {
		c.replace(nil)
	}
}

// OnChange registers a function that is called whenever the clock was set, advanced,
// frozen, resumed, reset or restored: after the new time is visible, and before the
// method that changed it returns. It must not change the clock itself.
func (c *Clock) OnChange(changed func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onChange = append(c.onChange, changed)
}

// Save returns the setting for Restore, or nil if the clock follows the system's.
func (c *Clock) Save() []byte {
	s := c.setting.Load()
	if s == nil {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		panic("clock: " + err.Error()) // dates in range have a JSON form
	}
	return data
}

// Restore restores a setting that Save returned. The clock shows what it would show if
// it had kept running, or the nearest time that it can. It fails with [ErrSaved] without
// a change.
func (c *Clock) Restore(data []byte) error {
	if len(data) == 0 {
		c.Reset()
		return nil
	}
	var s setting
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%w: %v", ErrSaved, err) //nolint:errorlint // it is not that of an answer that was cut off
	}
	if s.Since.IsZero() || s.At.Year() < 1 {
		return ErrSaved
	}
	if s.At.Before(earliest) { // earlier versions had no such limits
		s.At = earliest
	} else if s.At.After(latest) {
		s.At = latest
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replace(&s)
	return nil
}

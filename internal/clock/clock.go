// Package clock is the one clock that everything which depends on time reads.
// It follows the system's clock until somebody sets, advances or freezes it.
// How its setting is kept over a restart, and who may change it, is not decided
// here.
package clock

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time. Its methods may be called concurrently, and Now neither
// waits nor allocates: it is asked with every request.
type Clock struct {
	system  func() time.Time
	setting atomic.Pointer[setting] // nil: as the system's

	mu       sync.Mutex // guards changes of setting, and onChange
	onChange []func()
}

// setting is how the clock differs from the system's. It is never changed, only
// replaced. Save writes it as JSON.
type setting struct {
	At     time.Time `json:"at"`     // what the clock showed
	Since  time.Time `json:"since"`  // when the system's showed this
	Frozen bool      `json:"frozen"` // it shows At for ever
}

// The clock shows the years that a date of the API can have.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

var (
	// ErrOutOfRange says that the clock cannot show an instant.
	ErrOutOfRange = errors.New("the clock shows the years 1 to 9999; choose a time between them")
	// ErrBackwards says that an advance was negative.
	ErrBackwards = errors.New("the clock advances forwards only; to go back, set it")
	// ErrSaved says that a saved setting cannot be read.
	ErrSaved = errors.New("the saved setting of the clock is not one that this program wrote")
)

// New returns a clock that follows system, which stands for the system's clock
// in all that is said here. Nil means [time.Now].
func New(system func() time.Time) *Clock {
	if system == nil {
		system = time.Now
	}
	return &Clock{system: system}
}

// Now returns the time. A clock that nobody changed returns the system's.
func (c *Clock) Now() time.Time { return c.setting.Load().now(c.system) }

func (s *setting) now(system func() time.Time) time.Time {
	switch {
	case s == nil:
		return system()
	case s.Frozen:
		return s.At
	}
	now := s.At.Add(system().Sub(s.Since))
	if now.After(latest) {
		return latest
	}
	return now
}

// State is what a clock shows at one instant.
type State struct {
	Now      time.Time     // in UTC
	System   time.Time     // what the system's clock shows, in UTC
	Offset   time.Duration // Now less System; at most the 292 years of the type
	Frozen   bool
	Adjusted bool // it was set, advanced or frozen, and not reset since
}

// State returns what the clock shows.
func (c *Clock) State() State {
	s, system := c.setting.Load(), c.system().UTC().Round(0)
	now := s.now(func() time.Time { return system }).UTC()
	return State{
		Now: now, System: system, Offset: now.Sub(system),
		Frozen: s != nil && s.Frozen, Adjusted: s != nil,
	}
}

// Set makes the clock show t, which may lie in the past. A frozen clock stays
// frozen. It fails with [ErrOutOfRange].
func (c *Clock) Set(t time.Time) error {
	return c.change(func(_ time.Time, frozen bool) (time.Time, bool, bool) { return t, frozen, true })
}

// Advance makes the clock show a time that is d later; a frozen clock stays
// frozen. It fails with [ErrBackwards] and [ErrOutOfRange].
func (c *Clock) Advance(d time.Duration) error {
	if d < 0 {
		return ErrBackwards
	}
	return c.change(func(now time.Time, frozen bool) (time.Time, bool, bool) { return now.Add(d), frozen, true })
}

// Freeze stops the clock. One that is frozen stays as it is.
func (c *Clock) Freeze() {
	// An instant that the clock shows already is in range.
	_ = c.change(func(now time.Time, _ bool) (time.Time, bool, bool) { return now, true, true })
}

// Resume lets a frozen clock run on from the instant that it was frozen at. One
// that runs goes on as it does.
func (c *Clock) Resume() {
	_ = c.change(func(now time.Time, frozen bool) (time.Time, bool, bool) { return now, false, frozen })
}

// change replaces the setting by what to returns for it, and tells, unless to
// does not want it to.
func (c *Clock) change(to func(now time.Time, frozen bool) (at time.Time, freeze, do bool)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.setting.Load()
	// Without the monotonic reading, which does not outlive the process: the
	// clock shall run after a restart as it would have without.
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

// replace is for those who hold mu.
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

// OnChange has changed called whenever the clock was set, advanced, frozen,
// resumed, reset or restored: after the new time shows, and before the method
// that changed it returns. It must not change the clock itself.
func (c *Clock) OnChange(changed func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onChange = append(c.onChange, changed)
}

// Save returns the setting for Restore, or nil when the clock follows the
// system's.
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

// Restore takes a setting that Save returned. The clock shows what it would
// show had it gone on running since. It fails with [ErrSaved], and changes
// nothing then.
func (c *Clock) Restore(data []byte) error {
	if len(data) == 0 {
		c.Reset()
		return nil
	}
	var s setting
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.Since.IsZero() || s.At.Before(earliest) || s.At.After(latest) {
		return ErrSaved
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replace(&s)
	return nil
}

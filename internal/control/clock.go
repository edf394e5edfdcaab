package control

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// settingClock is the name of the clock's setting in the store.
const settingClock = "clock"

// RestoreClock restores the setting of a clock from the store.
func RestoreClock(ctx context.Context, st *store.Store, c *clock.Clock) error {
	saved, err := st.Setting(ctx, settingClock)
	if err != nil {
		return err
	}
	if err := c.Restore(saved); err != nil {
		return fmt.Errorf("the clock that the database holds: %w; serve it with the program that wrote it, or take another database", err)
	}
	return nil
}

// FollowClock returns a function that has a clock show what those of other servers with the
// store do, once one of them was changed. It returns nil if there can be none. The function
// may be called concurrently, and costs little where nothing was changed.
func FollowClock(st *store.Store, c *clock.Clock, log *slog.Logger) func(context.Context) {
	if !st.IsShared() {
		return nil
	}
	f := &follower{store: st, clock: c, log: log}
	f.seen.Store(^uint64(0))
	return f.follow
}

// follower follows the clocks of other servers.
type follower struct {
	store *store.Store
	clock *clock.Clock
	log   *slog.Logger

	seen   atomic.Uint64 // the version of what the clock shows
	mu     sync.Mutex    // guards failed, and is held while the clock is restored
	failed time.Time
}

// apartFollows is the time between attempts to read a setting that cannot be read.
const apartFollows = time.Second

func (f *follower) follow(ctx context.Context) {
	if f.store.SharedVersion(store.Settings) == f.seen.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	version := f.store.SharedVersion(store.Settings)
	if version == f.seen.Load() || time.Since(f.failed) < apartFollows {
		return
	}
	saved, err := f.store.Setting(context.WithoutCancel(ctx), settingClock)
	if err == nil && !bytes.Equal(saved, f.clock.Save()) {
		err = f.clock.Restore(saved)
	}
	if err != nil {
		f.failed = time.Now()
		f.log.Error("the clock does not follow those of other servers", "error", err)
		return
	}
	f.seen.Store(version)
}

// Reset restores the state after the store was filled with the seed: see
// [store.Store.Reset]. The clock follows the system's again.
func (p *Plane) Reset(ctx context.Context, data *seed.Seed) error {
	p.clockChange.Lock()
	defer p.clockChange.Unlock()
	if err := p.config.Store.Reset(ctx, data); err != nil {
		return err
	}
	if p.config.Authority != nil {
		p.config.Authority.ForgetGuesses()
		p.config.Authority.ClearFaults()
	}
	if err := p.config.Store.ChangeClock(ctx, settingClock, func([]byte) ([]byte, error) { return nil, nil }); err != nil {
		return err
	}
	p.config.Clock.Reset()
	p.config.Forget() // even if the clock was never changed
	return nil
}

// Clock is the clock in the control plane.
type Clock struct {
	Now       time.Time `json:"now"`
	SystemNow time.Time `json:"systemNow"`
	Offset    string    `json:"offset"` // from the system's clock, in the form of advance
	Frozen    bool      `json:"frozen"`
	Adjusted  bool      `json:"adjusted"`      // it does not follow the system's clock
	Was       *Clock    `json:"was,omitempty"` // before the call
}

func newClock(s clock.State) *Clock {
	return &Clock{
		Now: s.Now, SystemNow: s.System, Offset: s.Offset.String(), Frozen: s.Frozen, Adjusted: s.Adjusted,
	}
}

func (p *Plane) showClock(*http.Request) (any, error) {
	return newClock(p.config.Clock.State()), nil
}

func (p *Plane) setClock(r *http.Request) (any, error) {
	const example = `{"now": "2026-03-01T09:30:00Z"}`
	var body struct {
		Now string `json:"now"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	return changeClockBy(p, r, body.Now, "what to set the clock to; send "+example, clock.ParseTime, p.config.Clock.Set)
}

func (p *Plane) advanceClock(r *http.Request) (any, error) {
	const example = `{"by": "15m"}`
	var body struct {
		By string `json:"by"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	return changeClockBy(p, r, body.By, "how far to advance the clock; send "+example, clock.ParseStep, p.config.Clock.AdvanceBy)
}

// changeClockBy changes the clock by a value in the body.
func changeClockBy[T any](p *Plane, r *http.Request, text, missing string, parse func(string) (T, error), change func(T) error) (any, error) {
	if text == "" {
		return nil, refuse("the body does not say " + missing)
	}
	by, err := parse(text)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return p.changeClock(r, func() error { return change(by) })
}

// changesClock makes a handler of a change that always succeeds.
func (p *Plane) changesClock(change func()) handlerFunc {
	return func(r *http.Request) (any, error) {
		return p.changeClock(r, func() error { change(); return nil })
	}
}

// changeClock changes the clock and saves it, so that it survives a restart, and other
// servers follow. If it cannot be saved, it is not changed: it would jump at the next start.
func (p *Plane) changeClock(r *http.Request, change func() error) (any, error) {
	p.clockChange.Lock()
	defer p.clockChange.Unlock()
	c := p.config.Clock
	saved := c.Save()
	var was clock.State
	// The caller may hang up; the change must not be partial.
	err := p.config.Store.ChangeClock(context.WithoutCancel(r.Context()), settingClock, func(before []byte) ([]byte, error) {
		// Another server may have changed it.
		if p.config.Follow != nil && !bytes.Equal(before, saved) {
			if err := c.Restore(before); err != nil {
				return nil, err
			}
		}
		was = c.State()
		if err := change(); err != nil {
			return nil, refuse(err.Error())
		}
		return c.Save(), nil
	})
	if err != nil {
		if !bytes.Equal(saved, c.Save()) {
			_ = c.Restore(saved) // Save wrote it
		}
		return nil, err
	}
	answer := newClock(c.State())
	answer.Was = newClock(was)
	return answer, nil
}

package control

import (
	"context"
	"fmt"
	"net/http"
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
	if err := p.config.Store.PutSetting(ctx, settingClock, nil); err != nil {
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

// changeClock changes the clock and saves it, so that it survives a restart. If it
// cannot be saved, it is not changed: it would jump at the next start.
func (p *Plane) changeClock(r *http.Request, change func() error) (any, error) {
	p.clockChange.Lock()
	defer p.clockChange.Unlock()
	was, saved := p.config.Clock.State(), p.config.Clock.Save()
	if err := change(); err != nil {
		return nil, refuse(err.Error())
	}
	// The caller may hang up; the change must not be partial.
	if err := p.config.Store.PutSetting(context.WithoutCancel(r.Context()), settingClock, p.config.Clock.Save()); err != nil {
		_ = p.config.Clock.Restore(saved) // Save wrote it
		return nil, err
	}
	answer := newClock(p.config.Clock.State())
	answer.Was = newClock(was)
	return answer, nil
}

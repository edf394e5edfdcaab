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

// settingClock is the name that the clock's setting has in the store.
const settingClock = "clock"

// RestoreClock sets a clock as the control plane left it when the store was
// served last.
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

// Reset makes a server as it was when its store was filled with the seed: see
// [store.Store.Reset]. The clock follows the system's again.
func (p *Plane) Reset(ctx context.Context, data *seed.Seed) error {
	p.clockChange.Lock()
	defer p.clockChange.Unlock()
	p.directoryChange.Lock()
	defer p.directoryChange.Unlock()
	if err := p.store.Reset(ctx, data); err != nil {
		return err
	}
	if p.authority != nil {
		if err := p.ReloadDirectory(ctx); err != nil {
			return err
		}
		p.authority.ForgetSignIns()
		p.authority.ClearFaults()
	}
	if err := p.store.PutSetting(ctx, settingClock, nil); err != nil {
		return err
	}
	p.clock.Reset()
	p.forget() // also when the clock was never changed
	return nil
}

// shownClock is the clock as the control plane shows it.
type shownClock struct {
	Now       time.Time   `json:"now"`
	SystemNow time.Time   `json:"systemNow"`
	Offset    string      `json:"offset"` // from the system's clock, as advance takes it
	Frozen    bool        `json:"frozen"`
	Adjusted  bool        `json:"adjusted"`      // it does not just follow the system's clock
	Was       *shownClock `json:"was,omitempty"` // before the call
}

func newShownClock(s clock.State) *shownClock {
	return &shownClock{
		Now: s.Now, SystemNow: s.System, Offset: clock.FormatDuration(s.Offset), Frozen: s.Frozen, Adjusted: s.Adjusted,
	}
}

func (p *Plane) showClock(*http.Request) (any, error) {
	return newShownClock(p.clock.State()), nil
}

func (p *Plane) setClock(r *http.Request) (any, error) {
	const example = `{"now": "2026-03-01T09:30:00Z"}`
	var body struct {
		Now string `json:"now"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if body.Now == "" {
		return nil, refuse("the body does not say what to set the clock to; send " + example)
	}
	to, err := clock.ParseTime(body.Now)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return p.changeClock(r, func() error { return p.clock.Set(to) })
}

func (p *Plane) advanceClock(r *http.Request) (any, error) {
	const example = `{"by": "15m"}`
	var body struct {
		By string `json:"by"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if body.By == "" {
		return nil, refuse("the body does not say how far to advance the clock; send " + example)
	}
	by, err := clock.ParseDuration(body.By)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return p.changeClock(r, func() error { return p.clock.Advance(by) })
}

func (p *Plane) freezeClock(r *http.Request) (any, error) {
	return p.changeClock(r, func() error { p.clock.Freeze(); return nil })
}

func (p *Plane) resumeClock(r *http.Request) (any, error) {
	return p.changeClock(r, func() error { p.clock.Resume(); return nil })
}

func (p *Plane) resetClock(r *http.Request) (any, error) {
	return p.changeClock(r, func() error { p.clock.Reset(); return nil })
}

// changeClock changes the clock and saves it, so that it survives a restart. A
// clock that cannot be saved stays as it was: it would jump at the next start.
func (p *Plane) changeClock(r *http.Request, change func() error) (any, error) {
	p.clockChange.Lock()
	defer p.clockChange.Unlock()
	was, saved := p.clock.State(), p.clock.Save()
	if err := change(); err != nil {
		return nil, refuse(err.Error())
	}
	// Whoever asked may hang up; half a change would be none.
	if err := p.store.PutSetting(context.WithoutCancel(r.Context()), settingClock, p.clock.Save()); err != nil {
		_ = p.clock.Restore(saved) // Save wrote it
		return nil, err
	}
	answer := newShownClock(p.clock.State())
	answer.Was = newShownClock(was)
	return answer, nil
}

package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
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

// forgetTime drops what was worked out or counted by the clock as it was.
func (s *Server) forgetTime() {
	s.store.RaiseAllVersions() // kept answers show what their time let them
	s.throttle.forget()
}

// Reset makes the server as it was when its store was filled with the seed: see
// [store.Store.Reset]. The clock follows the system's again.
func (s *Server) Reset(ctx context.Context, seed *store.Seed) error {
	s.clockChange.Lock()
	defer s.clockChange.Unlock()
	s.directoryChange.Lock()
	defer s.directoryChange.Unlock()
	if err := s.store.Reset(ctx, seed); err != nil {
		return err
	}
	if s.authority != nil {
		if err := s.ReloadDirectory(ctx); err != nil {
			return err
		}
		s.authority.ForgetSignIns()
		s.authority.ClearFaults()
	}
	if err := s.store.PutSetting(ctx, settingClock, nil); err != nil {
		return err
	}
	s.clock.Reset()
	s.forgetTime() // also when the clock was never changed
	return nil
}

// controlClock is the clock as the control plane shows it.
type controlClock struct {
	Now       time.Time     `json:"now"`
	SystemNow time.Time     `json:"systemNow"`
	Offset    string        `json:"offset"` // from the system's clock, as advance takes it
	Frozen    bool          `json:"frozen"`
	Adjusted  bool          `json:"adjusted"`      // it does not just follow the system's clock
	Was       *controlClock `json:"was,omitempty"` // before the call
}

func newControlClock(s clock.State) *controlClock {
	return &controlClock{
		Now: s.Now, SystemNow: s.System, Offset: clock.FormatDuration(s.Offset), Frozen: s.Frozen, Adjusted: s.Adjusted,
	}
}

func (s *Server) showClock(*http.Request) (int, any, error) {
	return http.StatusOK, newControlClock(s.clock.State()), nil
}

func (s *Server) setClock(r *http.Request) (int, any, error) {
	const example = `{"now": "2026-03-01T09:30:00Z"}`
	var body struct {
		Now string `json:"now"`
	}
	if err := readControl(r, &body, example); err != nil {
		return badControl(err.Error())
	}
	if body.Now == "" {
		return badControl("the body does not say what to set the clock to; send " + example)
	}
	to, err := clock.ParseTime(body.Now)
	if err != nil {
		return badControl(err.Error())
	}
	return s.changeClock(r, func() error { return s.clock.Set(to) })
}

func (s *Server) advanceClock(r *http.Request) (int, any, error) {
	const example = `{"by": "15m"}`
	var body struct {
		By string `json:"by"`
	}
	if err := readControl(r, &body, example); err != nil {
		return badControl(err.Error())
	}
	if body.By == "" {
		return badControl("the body does not say how far to advance the clock; send " + example)
	}
	by, err := clock.ParseDuration(body.By)
	if err != nil {
		return badControl(err.Error())
	}
	return s.changeClock(r, func() error { return s.clock.Advance(by) })
}

func (s *Server) freezeClock(r *http.Request) (int, any, error) {
	return s.changeClock(r, func() error { s.clock.Freeze(); return nil })
}

func (s *Server) resumeClock(r *http.Request) (int, any, error) {
	return s.changeClock(r, func() error { s.clock.Resume(); return nil })
}

func (s *Server) resetClock(r *http.Request) (int, any, error) {
	return s.changeClock(r, func() error { s.clock.Reset(); return nil })
}

// changeClock changes the clock and saves it, so that it survives a restart. A
// clock that cannot be saved stays as it was: it would jump at the next start.
func (s *Server) changeClock(r *http.Request, change func() error) (int, any, error) {
	s.clockChange.Lock()
	defer s.clockChange.Unlock()
	was, saved := s.clock.State(), s.clock.Save()
	if err := change(); err != nil {
		return badControl(err.Error())
	}
	// Whoever asked may hang up; half a change would be none.
	if err := s.store.PutSetting(context.WithoutCancel(r.Context()), settingClock, s.clock.Save()); err != nil {
		_ = s.clock.Restore(saved) // Save wrote it
		return 0, nil, err
	}
	answer := newControlClock(s.clock.State())
	answer.Was = newControlClock(was)
	return http.StatusOK, answer, nil
}

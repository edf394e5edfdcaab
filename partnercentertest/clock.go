package partnercentertest

import (
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
)

// Clock is a server's clock: what everything that depends on time reads, from
// the life of tokens to the windows of cancellation. Its methods may be called
// concurrently, also while the server answers.
type Clock struct{ clock *clock.Clock }

// Clock returns the server's clock.
func (s *Server) Clock() *Clock { return &Clock{s.clock} }

// Now returns the time.
func (c *Clock) Now() time.Time { return c.clock.Now() }

// Set makes the clock show t, which may lie in the past. A frozen clock stays
// frozen. Set panics unless t is in the years 1 to 9999.
func (c *Clock) Set(t time.Time) { must(c.clock.Set(t)) }

// Advance makes the clock show a time that is d later, so that tests need not
// wait. A frozen clock stays frozen. Advance panics when d is negative.
func (c *Clock) Advance(d time.Duration) { must(c.clock.Advance(d)) }

// Freeze stops the clock.
func (c *Clock) Freeze() { c.clock.Freeze() }

// Resume lets a frozen clock run on from the instant that it was frozen at.
func (c *Clock) Resume() { c.clock.Resume() }

// must panics: there is no way to go on that a test could mean.
func must(err error) {
	if err != nil {
		panic("partnercentertest: " + err.Error())
	}
}

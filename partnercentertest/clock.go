package partnercentertest

import (
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
)

// Clock is a server's clock, which everything that depends on time uses, from
// token lifetimes to cancellation windows. It is safe for concurrent use, even
// while the server answers requests.
type Clock struct{ clock *clock.Clock }

// Clock returns the server's clock.
func (s *Server) Clock() *Clock { return &Clock{s.clock} }

// Now returns the time.
func (c *Clock) Now() time.Time { return c.clock.Now() }

// Set sets the clock to t, which may be in the past. A frozen clock stays
// frozen. Set panics unless t is in the years 1980 to 9000.
func (c *Clock) Set(t time.Time) { must(c.clock.Set(t)) }

// Advance moves the clock forward by d. A frozen clock stays frozen. Advance
// panics if d is negative.
func (c *Clock) Advance(d time.Duration) { must(c.clock.Advance(d)) }

// Freeze stops the clock.
func (c *Clock) Freeze() { c.clock.Freeze() }

// Resume starts a frozen clock from the time at which it was frozen.
func (c *Clock) Resume() { c.clock.Resume() }

// must panics if err is not nil, because a test cannot continue.
func must(err error) {
	if err != nil {
		panic("partnercentertest: " + err.Error())
	}
}

package issuer

import "time"

// instant is one moment on two clocks: the one that people set, and the system's.
type instant struct{ Shown, System time.Time }

// instant returns the time now.
func (a *Authority) instant() instant { return instant{Shown: a.now(), System: a.system()} }

// age returns how long before now an instant was, on the clock that people set. If that
// has been set back from it since, the system's clock says how long ago it was: nothing
// lives longer for having begun in a future that was taken back.
func (i instant) age(now instant) time.Duration {
	if now.Shown.Before(i.Shown) {
		return now.System.Sub(i.System)
	}
	return now.Shown.Sub(i.Shown)
}

// isOver reports whether a life that began at an instant has ended.
func (i instant) isOver(life time.Duration, now instant) bool { return i.age(now) >= life }

// isOverByEither is isOver for what is to end although the clock that people set is
// frozen: it does by the system's, too.
func (i instant) isOverByEither(life time.Duration, now instant) bool {
	return i.isOver(life, now) || now.System.Sub(i.System) >= life
}

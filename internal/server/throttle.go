package server

import (
	"sync"
	"time"
)

// throttleWindow is the span that the documented limits are counted over.
const throttleWindow = time.Minute

// throttle counts a partner's requests in fixed windows, as the gateway in
// front of the service does: it can say exactly when to come back, and requests
// that are refused count too.
//
// https://learn.microsoft.com/partner-center/developer/api-throttling-guidance
type throttle struct {
	limit int

	mu      sync.Mutex // guards windows
	windows map[throttleKey]window
}

type throttleKey struct{ partner, area string }

type window struct {
	start time.Time
	count int
}

// newThrottle returns nil for no limit.
func newThrottle(perMinute int) *throttle {
	if perMinute <= 0 {
		return nil
	}
	return &throttle{limit: perMinute, windows: map[throttleKey]window{}}
}

// take counts a request. It returns how long to wait when that is one too
// many. There are as many windows as partners, which are few.
func (t *throttle) take(partner, area string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := throttleKey{partner, area}
	w := t.windows[key]
	// A clock that was set back starts a new window too.
	if elapsed := now.Sub(w.start); elapsed >= throttleWindow || elapsed < 0 {
		w = window{start: now}
	}
	w.count++
	t.windows[key] = w
	if w.count <= t.limit {
		return 0
	}
	return w.start.Add(throttleWindow).Sub(now)
}

// forget starts all windows anew.
func (t *throttle) forget() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.windows)
}

// Package retryafter reads and writes the header Retry-After.
package retryafter

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

const header = "Retry-After"

// Get returns the wait that the header asks for, in either of its forms, or zero.
func Get(h http.Header, now time.Time) time.Duration {
	value := h.Get(header)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(math.MaxInt64/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now).Round(time.Second)
	}
	return 0
}

// Set asks for a wait, in whole seconds, which it returns. No wait sets nothing.
func Set(h http.Header, wait time.Duration) (seconds string) {
	if wait > 0 {
		seconds = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		h.Set(header, seconds)
	}
	return seconds
}

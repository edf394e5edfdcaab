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

// longest is the longest wait in whole seconds.
const longest = math.MaxInt64 / time.Second * time.Second

// end is the last second that has a usual date.
var end = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// Until returns the time until which the header asks to wait, in either of its forms, or
// the zero time. It is at most the end of the year 9999, which can be further off than a
// [time.Duration] holds.
func Until(h http.Header, now time.Time) time.Time {
	value := h.Get(header)
	if seconds, err := strconv.ParseUint(value, 10, 64); seconds > 0 && (err == nil || errors.Is(err, strconv.ErrRange)) {
		if left := end.Unix() - now.Unix(); seconds < uint64(max(left, 0)) {
			return time.Unix(now.Unix()+int64(seconds), int64(now.Nanosecond()))
		}
		return end
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at
	}
	return time.Time{}
}

// Get returns the wait that the header asks for, or zero. One longer than a
// [time.Duration] holds is cut.
func Get(h http.Header, now time.Time) time.Duration {
	until := Until(h, now)
	if until.IsZero() {
		return 0
	}
	return min(until.Sub(now), longest).Round(time.Second)
}

// Set asks for a wait, in whole seconds, which it returns. No wait sets nothing.
func Set(h http.Header, wait time.Duration) (seconds string) {
	if wait > 0 {
		seconds = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		h.Set(header, seconds)
	}
	return seconds
}

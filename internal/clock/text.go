package clock

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// ParseTime parses the time that a clock is set to: RFC 3339, or a date alone, which
// means its beginning in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time; write it like 2026-03-01T09:30:00Z or 2026-03-01", text)
}

// ParseDuration parses the duration that a clock is advanced by, in the form of
// [time.ParseDuration], with whole days before it or alone: "15m", "7d", "1d12h". A day
// has 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is not a duration; write it like 15m, 36h, 7d or 1d12h", text)
	sign, rest := time.Duration(1), text
	if after, negative := strings.CutPrefix(text, "-"); negative {
		sign, rest = -1, after
	}
	days, hours, hasDays := strings.Cut(rest, "d")
	if !hasDays {
		days, hours = "0", rest
	}
	n, err := strconv.ParseUint(days, 10, 63)
	if err != nil {
		return 0, wrong
	}
	if n > uint64(math.MaxInt64/day) {
		return 0, fmt.Errorf("%q is longer than the 292 years that a duration can have; set the clock instead", text)
	}
	d := time.Duration(n) * day
	if hours != "" || !hasDays {
		part, err := time.ParseDuration(hours)
		if err != nil || strings.ContainsAny(hours[:1], "+-") || d > math.MaxInt64-part {
			return 0, wrong
		}
		d += part
	}
	return sign * d, nil
}

// FormatDuration formats a duration for [ParseDuration], in whole seconds: "7d",
// "1d12h", "-15m", "0s".
func FormatDuration(d time.Duration) string {
	d = d.Round(time.Second)
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		n := d / unit.length
		d -= n * unit.length
		if n != 0 {
			fmt.Fprintf(&b, "%d%s", max(n, -n), unit.name)
		}
	}
	return b.String()
}

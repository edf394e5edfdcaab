package clock

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errTooLong = errors.New("longer than the 292 years that a duration can have; set the clock instead")

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

// Step is how far a clock is advanced: by months of the calendar, then by a duration.
type Step struct {
	Months   int
	Duration time.Duration
}

// Backwards reports whether the step is negative.
func (s Step) Backwards() bool { return s.Months < 0 || s.Duration < 0 }

// from returns the time a step after t. Months keep the day, or end on their last one.
func (s Step) from(t time.Time) time.Time {
	to := t.AddDate(0, s.Months, 0)
	if to.Day() != t.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to.Add(s.Duration)
}

// stepBetween returns the step from one time to another, by years only if it is longer
// than a duration can be.
func stepBetween(from, to time.Time) Step {
	if d := to.Sub(from); d != math.MaxInt64 && d != math.MinInt64 {
		return Step{Duration: d}
	}
	if to.Before(from) {
		back := stepBetween(to, from)
		return Step{Months: -back.Months, Duration: -back.Duration}
	}
	s := Step{Months: 12 * (to.Year() - from.Year())}
	if s.from(from).After(to) {
		s.Months -= 12
	}
	s.Duration = to.Sub(s.from(from))
	return s
}

// String formats a step for [ParseStep], in whole seconds: "7d", "-15m", "425y3d".
func (s Step) String() string {
	text := FormatDuration(s.Duration)
	if s.Months == 0 {
		return text
	}
	if s.Backwards() {
		back := Step{Months: -s.Months, Duration: -s.Duration}
		return "-" + back.String()
	}
	var months string
	if n := s.Months / 12; n != 0 {
		months = fmt.Sprintf("%dy", n)
	}
	if n := s.Months % 12; n != 0 {
		months += fmt.Sprintf("%dmo", n)
	}
	if text == "0s" {
		return months
	}
	return months + text
}

// maxMonths is more than there are between the years that a clock shows.
const maxMonths = 12 * 10000

var calendarStep = regexp.MustCompile(`^(-?)(?:(\d{1,5})y)?(?:(\d{1,6})mo)?(.*)$`)

// ParseStep parses the step that a clock is advanced by: years (y) and months (mo) of
// the calendar, and what [ParseDuration] takes, in this order: "2y", "3mo", "1y6mo12h".
func ParseStep(text string) (Step, error) {
	parts := calendarStep.FindStringSubmatch(text)
	if parts == nil || parts[2]+parts[3] == "" {
		d, err := ParseDuration(text)
		if err != nil && !errors.Is(err, errTooLong) {
			err = notStep(text)
		}
		return Step{Duration: d}, err
	}
	years, _ := strconv.Atoi(parts[2]) // digits, or none
	months, _ := strconv.Atoi(parts[3])
	s := Step{Months: 12*years + months}
	if rest := parts[4]; rest != "" {
		d, err := ParseDuration(rest)
		if err != nil || strings.HasPrefix(rest, "-") {
			return Step{}, notStep(text)
		}
		s.Duration = d
	}
	if s.Months > maxMonths {
		return Step{}, ErrOutOfRange
	}
	if parts[1] == "-" {
		s.Months, s.Duration = -s.Months, -s.Duration
	}
	return s, nil
}

func notStep(text string) error {
	return fmt.Errorf("%q is not a duration; write it like 15m, 36h, 7d, 1d12h, 3mo or 2y", text)
}

// ParseDuration parses a duration in the form of
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
		return 0, fmt.Errorf("%q: %w", text, errTooLong)
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

package partnercenter

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is a date of the API. It keeps the text it was read from and writes it
// back unchanged, because the service mixes shapes within one answer: none to
// seven fraction digits, "Z", "+00:00" or a real offset such as "-08:00".
//
// The zero value means no date and is left out when encoding. Times compare as
// instants with [Time.Compare] and [Time.Equal]; == compares text.
type Time struct{ text string }

// timeLayout has the service's seven fraction digits at most.
const timeLayout = "2006-01-02T15:04:05.9999999Z07:00"

// timeLayouts are all documented shapes. Those without a zone mean UTC.
var timeLayouts = []string{
	time.RFC3339Nano, // any number of fraction digits is read
	"2006-01-02T15:04:05",
	"2006-01-02",
	"1/2/2006 3:04:05 PM",
	"1/2/2006 15:04:05",
}

// TimeOf returns t as the service writes newer dates: up to seven fraction
// digits and the offset of t. The zero time gives the zero Time.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{text: t.Format(timeLayout)}
}

// ParseTime reads any documented shape of a date: RFC 3339 with any number of
// fraction digits, the same without a zone (UTC), a plain date, and the month
// first forms of audit queries. Blanks inside the time, as some documented
// answers have them ("06: 41: 12Z"), are skipped.
func ParseTime(text string) (Time, error) {
	t := Time{text: text}
	if _, err := t.parse(); err != nil {
		return Time{}, err
	}
	return t, nil
}

func (t Time) parse() (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, t.text); err == nil {
		return at, nil
	}
	text := strings.TrimSpace(t.text)
	if date, clock, ok := strings.Cut(text, "T"); ok {
		text = strings.ReplaceAll(date, " ", "") + "T" + strings.ReplaceAll(clock, " ", "")
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("partnercenter: %q is no date in a documented shape; an example of one is 2018-03-15T02:17:15.6455674Z", t.text)
}

// Time returns the instant, in the offset that was written. It is the zero
// time when t is absent, the "unset" date 0001-01-01, or unreadable; use
// [Time.Valid] or [ParseTime] to tell these apart.
func (t Time) Time() time.Time {
	if t.text == "" {
		return time.Time{}
	}
	at, err := t.parse()
	if err != nil || at.Year() == 1 {
		return time.Time{}
	}
	return at
}

// Valid reports whether t holds a date in a documented shape.
func (t Time) Valid() bool {
	_, err := t.parse()
	return err == nil
}

// Never reports whether t is the service's "no end": a date in year 9999.
func (t Time) Never() bool { return t.Time().Year() == 9999 }

// IsZero reports whether there is no date at all. Encoding leaves such a Time
// out.
func (t Time) IsZero() bool { return t.text == "" }

// String returns the text that was read or will be written.
func (t Time) String() string { return t.text }

// Compare orders instants like [time.Time.Compare]: -1 when t is before u, 0
// when they are the same instant, +1 when it is after. Absent and unset dates
// come first.
func (t Time) Compare(u Time) int { return t.Time().Compare(u.Time()) }

// Equal reports whether t and u are the same instant, however written.
func (t Time) Equal(u Time) bool { return t.Compare(u) == 0 }

// Before reports whether t is an earlier instant than u.
func (t Time) Before(u Time) bool { return t.Compare(u) < 0 }

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It keeps text it cannot
// read, so that one odd date does not cost the answer around it.
func (t *Time) UnmarshalText(text []byte) error {
	t.text = string(text)
	return nil
}

// UnmarshalJSONFrom reads a JSON string; null is no date.
func (t *Time) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, &t.text) }

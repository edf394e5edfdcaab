package partnercenter

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is a date of the API. It keeps its original text and writes it back
// unchanged, because the service mixes formats within one answer: zero to seven
// fraction digits, and "Z", "+00:00" or an actual offset such as "-08:00".
//
// The zero value means no date and is omitted when encoding. Times compare as
// instants with [Time.Compare] and [Time.Equal]; == compares text.
type Time struct{ text string }

// timeLayout has up to seven fraction digits, as the service does.
const timeLayout = "2006-01-02T15:04:05.9999999Z07:00"

// timeLayouts are all documented formats. Those without a zone are in UTC.
var timeLayouts = []string{
	time.RFC3339Nano, // parses any number of fraction digits
	"2006-01-02T15:04:05",
	"2006-01-02",
	"1/2/2006 3:04:05 PM",
	"1/2/2006 15:04:05",
}

// TimeOf returns t in the service's newer format, with up to seven fraction
// digits and the offset of t. For the zero time it returns the zero Time.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{text: t.Format(timeLayout)}
}

// ParseTime parses any documented format of a date: RFC 3339 with any number of
// fraction digits, the same without a zone (UTC), a date alone, and the
// month-first formats of audit queries. It skips spaces within the time ("06:
// 41: 12Z"), which some documented answers have.
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
	return time.Time{}, fmt.Errorf("partnercenter: %q is not a date in a documented format; write it like 2018-03-15T02:17:15.6455674Z", t.text)
}

// Time returns the instant, in its original offset. It is the zero time if t is
// absent, malformed or the "unset" date 0001-01-01; use [Time.Valid] or
// [ParseTime] to distinguish these.
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

// Valid reports whether t is a date in a documented format.
func (t Time) Valid() bool {
	_, err := t.parse()
	return err == nil
}

// Never reports whether t stands for "no end", a date in year 9999.
func (t Time) Never() bool { return t.Time().Year() == 9999 }

// IsZero reports whether t is absent. Encoding omits such a Time.
func (t Time) IsZero() bool { return t.text == "" }

// String returns the text of t.
func (t Time) String() string { return t.text }

// Compare compares instants like [time.Time.Compare]: it returns -1 if t is
// before u, 0 if they are the same instant, +1 if t is after u. Absent and
// unset dates come first.
func (t Time) Compare(u Time) int { return t.Time().Compare(u.Time()) }

// Equal reports whether t and u are the same instant, even if written differently.
func (t Time) Equal(u Time) bool { return t.Compare(u) == 0 }

// Before reports whether t is an earlier instant than u.
func (t Time) Before(u Time) bool { return t.Compare(u) < 0 }

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It keeps malformed text,
// so that one malformed date does not invalidate the whole answer.
func (t *Time) UnmarshalText(text []byte) error {
	t.text = string(text)
	return nil
}

// UnmarshalJSONFrom reads a JSON string; null means no date.
func (t *Time) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, &t.text) }

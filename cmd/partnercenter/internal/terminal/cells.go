package terminal

import (
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/partnercenter-go/partnercenter"
)

// cell formats a column's value for people.
func cell(value any) string {
	if at, ok := value.(partnercenter.Time); ok {
		if at.Never() {
			return never
		}
		return ShortTime(at)
	}
	return exactCell(value)
}

// exactCell formats a column's value for programs.
func exactCell(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case partnercenter.Time:
		return ExactTime(value)
	case *int:
		return Number(value)
	case *bool:
		return YesNo(value)
	}
	return fmt.Sprint(value)
}

// Number formats a number for a cell, as an empty string if it is absent.
func Number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// ShortTime formats a time for reading and sorting: in UTC, to the second.
func ShortTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339) }

// ExactTime formats a time for programs: in UTC, with all digits.
func ExactTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339Nano) }

// formatTime returns text that is not a date unchanged.
func formatTime(t partnercenter.Time, layout string) string {
	switch at := t.Time(); {
	case !at.IsZero():
		return at.UTC().Format(layout)
	case t.Valid():
		return "" // the service's "unset"
	default:
		return t.String()
	}
}

// never is shown for a date that stands for no end.
const never = "never"

// TimeInWords formats a time in words, and how far from now it is.
func TimeInWords(t partnercenter.Time, now time.Time) string {
	at := t.Time()
	switch {
	case t.Never():
		return never
	case at.IsZero():
		return formatTime(t, "")
	}
	return at.UTC().Format("2 January 2006 15:04 UTC") + " (" + humanize.RelTime(at, now, "ago", "from now") + ")"
}

// YesNo formats a flag for a cell, as an empty string if it is absent.
func YesNo(flag *bool) string {
	switch {
	case flag == nil:
		return ""
	case *flag:
		return "yes"
	}
	return "no"
}

// OrZero returns *p, or the zero value if p is nil.
func OrZero[T any](p *T) T {
	if p == nil {
		p = new(T)
	}
	return *p
}

package terminal

import (
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

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

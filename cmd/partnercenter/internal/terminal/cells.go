package terminal

import (
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// Number is how a number stands in a cell; one that is absent stands for nothing.
func Number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// ShortTime is for reading and sorting: UTC, to the second.
func ShortTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339) }

// ExactTime is for programs: UTC, with all digits.
func ExactTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339Nano) }

// formatTime leaves text that is no date as it is.
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

// YesNo is how a flag stands in a cell; one that is absent stands for nothing.
func YesNo(flag *bool) string {
	switch {
	case flag == nil:
		return ""
	case *flag:
		return "yes"
	}
	return "no"
}

// OrZero is what a pointer leads to, or nothing.
func OrZero[T any](p *T) T {
	if p == nil {
		p = new(T)
	}
	return *p
}

// Texts are the values of an enum as flags and cells have them.
func Texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

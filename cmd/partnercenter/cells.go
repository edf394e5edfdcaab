package main

import (
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// shortTime is for reading and sorting: UTC, to the second.
func shortTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339) }

// exactTime is for programs: UTC, with all digits.
func exactTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339Nano) }

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

// yesNo is how a flag stands in a cell; one that is absent stands for nothing.
func yesNo(flag *bool) string {
	switch {
	case flag == nil:
		return ""
	case *flag:
		return "yes"
	}
	return "no"
}

// orZero is what a pointer leads to, or nothing.
func orZero[T any](p *T) T {
	if p == nil {
		p = new(T)
	}
	return *p
}

// texts are the values of an enum as flags and cells have them.
func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

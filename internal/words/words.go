// Package words puts names, such as the values of enums, into messages.
package words

import (
	"strconv"
	"strings"
)

// Texts returns values as strings.
func Texts[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return texts
}

// Join joins values with commas.
func Join[T ~string](values []T) string { return strings.Join(Texts(values), ", ") }

// Or joins values with commas and "or".
func Or[T ~string](values []T) string { return join(values, " or ") }

// And joins values with commas and "and".
func And[T ~string](values []T) string { return join(values, " and ") }

func join[T ~string](values []T, last string) string {
	if len(values) < 2 {
		return Join(values)
	}
	return Join(values[:len(values)-1]) + last + string(values[len(values)-1])
}

// Count says how many things there are: "1 customer", "2 customers".
func Count[N int | int64](n N, one string) string {
	text := strconv.FormatInt(int64(n), 10) + " " + one
	if n != 1 {
		text += "s"
	}
	return text
}

// Package ascii folds the case of keys and ids, of the letters A to Z and of no others, and
// takes them out of the blanks around them.
//
// Unicode's rules are for text. By them the Kelvin sign is k, ſ is s when case is folded,
// and what is not valid UTF-8 becomes one and the same character, so that two ids may
// become one, and no-break spaces are blanks. Here every other byte stays what it is. The
// functions are named for those of package strings whose place they take.
package ascii

import (
	"strings"
	"unicode/utf8"
)

// Is reports whether s has ASCII characters only.
func Is(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// EqualFold reports whether s and t are the same but for the case of A to Z. Copies of the
// loop at every use would make importers of the client larger; so would those of turn.
//
//go:noinline
func EqualFold(s, t string) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range len(s) {
		if s[i] != t[i] && turned(s[i], 'A') != turned(t[i], 'A') {
			return false
		}
	}
	return true
}

// ToLower returns s with A to Z in lower case. It is s itself where it has none.
func ToLower(s string) string { return turn(s, 'A') }

// ToUpper returns s with a to z in upper case. It is s itself where it has none.
func ToUpper(s string) string { return turn(s, 'a') }

// turn changes the case of the 26 letters from first on.
//
//go:noinline
func turn(s string, first byte) string {
	for i := range len(s) {
		if s[i]-first < 26 {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				b[j] = turned(b[j], first)
			}
			return string(b)
		}
	}
	return s
}

func turned(c, first byte) byte {
	if c-first < 26 {
		return c ^ ('a' - 'A')
	}
	return c
}

const blanks = " \t\n\v\f\r"

// TrimSpace returns s without blanks at its ends.
func TrimSpace(s string) string { return strings.Trim(s, blanks) }

// Fields returns what blanks separate in s.
func Fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(blanks, r) })
}

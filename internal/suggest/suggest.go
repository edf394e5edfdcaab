// Package suggest finds the name that was probably meant by an unknown one.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Closest returns the known name that name is probably a misspelling or the beginning of,
// in any case, or nothing.
func Closest(name string, known []string) string {
	best, distance := "", max(len(name)/3, 1)+1
	for _, k := range known {
		if len(name)-len(k) >= distance || len(k)-len(name) >= distance {
			continue // free, however long the name is
		}
		if d := changes(strings.ToLower(name), strings.ToLower(k)); d < distance && (d == 0 || max(len(name), len(k))-d > 1) {
			best, distance = k, d
		}
	}
	if best == "" && len(name) >= 3 {
		for _, k := range known {
			if len(k) > len(name) && strings.HasPrefix(strings.ToLower(k), strings.ToLower(name)) {
				return k
			}
		}
	}
	return best
}

// changes returns how many characters were changed between two names. Two in the wrong
// order are one change, in names of more than three: of fewer, too little is left.
func changes(a, b string) int {
	d := levenshtein.ComputeDistance(a, b)
	if d == 2 && len(a) == len(b) && len(a) > 3 {
		at := 0
		for a[at] == b[at] {
			at++
		}
		if a[at] == b[at+1] && a[at+1] == b[at] {
			return 1
		}
	}
	return d
}

// Package suggest finds the name that was probably meant by an unknown one.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Closest returns the known name that name is probably a misspelling or the beginning of,
// in any case, or nothing.
func Closest(name string, known []string) string {
	best, distance := "", len(name)/3+2
	if len(name) <= 3 {
		distance = 2 // two changes leave nothing of it
	}
	for _, k := range known {
		if len(name)-len(k) >= distance || len(k)-len(name) >= distance {
			continue // free, however long the name is
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
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

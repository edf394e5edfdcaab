// Package suggest finds the name that was probably meant by an unknown one.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Closest returns the known name that name is probably a misspelling of, in any case,
// or nothing.
func Closest(name string, known []string) string {
	best, distance := "", len(name)/3+2
	for _, k := range known {
		if len(name)-len(k) >= distance || len(k)-len(name) >= distance {
			continue // free, however long the name is
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// Package suggest finds what somebody meant who wrote a name that does not
// exist.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Closest returns the known name that is a slip of the pen away from name, in
// any case, or nothing.
func Closest(name string, known []string) string {
	best, distance := "", len(name)/3+2
	for _, k := range known {
		if len(name)-len(k) >= distance || len(k)-len(name) >= distance {
			continue // which costs nothing, however long the name is
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

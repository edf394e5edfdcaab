package partnercentertest

import (
	"fmt"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// Edition is an edition of the service's rules about tokens, as in partnercenter
// serve --edition. docs/credentials.md has the differences.
type Edition string

// The editions.
const (
	// EditionLegacy accepts tokens for the directory graph. An app-only token where
	// a user is needed is 403 with code 900150.
	EditionLegacy Edition = "legacy"
	// Edition2026 refuses tokens for any other API than Partner Center's with 401 and
	// code 900420, and an app-only token where a user is needed with 403 and code
	// 900329.
	Edition2026 Edition = "2026"
)

// Normalize returns the constant that e spells, or e unchanged.
func (e Edition) Normalize() Edition {
	for _, known := range server.Editions() {
		if ascii.EqualFold(string(e), string(known)) {
			return Edition(known)
		}
	}
	return e
}

// Known reports whether e spells an edition.
func (e Edition) Known() bool { return server.Edition(e.Normalize()).Known() }

// edition returns the edition that the options select.
func (o *Options) edition() (server.Edition, error) {
	switch {
	case o.Edition.Known():
		return server.Edition(o.Edition.Normalize()), nil
	case o.Edition != "":
		return "", fmt.Errorf("edition %q is unknown: use EditionLegacy or Edition2026", o.Edition)
	case o.Realistic:
		return server.Edition2026, nil
	}
	return server.EditionLegacy, nil
}

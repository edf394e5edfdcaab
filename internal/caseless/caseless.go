// Package caseless compares text as people do who search by it.
package caseless

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Key returns the form in which text is compared: with Unicode's full case folding, by
// which "Straße" is "STRASSE", and with accents in one of their forms.
func Key(text string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(text)))
}

// Package caseless compares text as people do who search by it.
package caseless

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// dottedI is the capital of i in Turkish. Full folding keeps its dot apart, by which
// "İstanbul" were not "istanbul".
const dottedI = "İ"

// Key returns the form in which text is compared: with Unicode's full case folding, by
// which "Straße" is "STRASSE", and with accents in one of their forms.
func Key(text string) string {
	text = strings.ReplaceAll(norm.NFC.String(text), dottedI, "i")
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(text)))
}

// Package quote makes text from outside safe for messages and logs.
package quote

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// most is how much of a text is shown, in bytes.
const most = 200

// Text returns text in quotes, on one line, without characters unsafe for terminals,
// and shortened.
func Text(text string) string {
	if len(text) > most {
		end := text[len(text)-most/2:]
		for len(end) > 0 && !utf8.RuneStart(end[0]) {
			end = end[1:]
		}
		text = Cut(text, most/2) + " ... " + end
	}
	return strconv.QuoteToGraphic(strings.ToValidUTF8(text, "?"))
}

// Cut returns at most the first n bytes of text. It does not cut inside a character.
func Cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// Package quote makes text from outside safe for messages and logs.
package quote

import (
	"strconv"
	"strings"
)

// most is how much of a text is shown, in bytes.
const most = 200

// Text returns text in quotes, on one line, without characters unsafe for terminals,
// and shortened.
func Text(text string) string {
	if len(text) > most {
		text = text[:most/2] + " ... " + text[len(text)-most/2:]
	}
	return strconv.QuoteToGraphic(strings.ToValidUTF8(text, "?"))
}

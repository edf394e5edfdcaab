package quote

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `""`,
		"Söhne \U0001F9F8":       `"Söhne ` + "\U0001F9F8" + `"`,
		"a\r\nb\x1b[31m\u2028":   `"a\r\nb\x1b[31m\u2028"`,
		"a\xff":                  `"a?"`,
		`"`:                      `"\""`,
		strings.Repeat("x", 200): `"` + strings.Repeat("x", 200) + `"`,
		strings.Repeat("x", 150) + strings.Repeat("y", 1<<20): `"` + strings.Repeat("x", 100) + " ... " + strings.Repeat("y", 100) + `"`,
		strings.Repeat("é", 200) + "x":                        `"` + strings.Repeat("é", 50) + " ... " + strings.Repeat("é", 49) + `x"`,
		"x" + strings.Repeat("é", 200):                        `"x` + strings.Repeat("é", 49) + " ... " + strings.Repeat("é", 50) + `"`,
	} {
		if got := Text(text); got != want {
			t.Errorf("%.20q: %s, want %s", text, got, want)
		}
	}
}

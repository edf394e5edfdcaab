package terminal

import (
	"os/exec"
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 90 * time.Second: "1 minute", 119 * time.Minute: "1 hour", 50 * time.Hour: "2 days", 59 * time.Second: "59 seconds",
	} {
		if got := InWords(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		"plain": "plain", "two words": "'two words'", "it's": `'it'\''s'`, "Zürich": "'Zürich'",
		"a\tb\nc": `$'a\tb\nc'`, "it's\n\\": `$'it\'s\n\\'`, "\x1b[0m": `$'\x1b[0m'`, "\u200bx": `$'\xe2\x80\x8bx'`, "\xff": `$'\xff'`,
	} {
		quoted := ShellQuote(word)
		if quoted != want {
			t.Errorf("%q: %s, want %s", word, quoted, want)
		}
		if out, err := exec.Command("bash", "-c", "printf %s "+quoted).Output(); err == nil && string(out) != word {
			t.Errorf("bash reads %s as %q", quoted, out)
		}
	}
}

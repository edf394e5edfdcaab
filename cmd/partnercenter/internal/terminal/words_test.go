package terminal

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/installed"
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
	words := map[string]string{
		"plain": "plain", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "Zürich": "'Zürich'", "$HOME `x` !1": "'$HOME `x` !1'",
		`a\\b\`: `'a'\\\\'b'\\`, `'`: `\'`, `x\y z's`: `'x'\\'y z'\''s'`,
		"a\tb\nc": `"$(printf 'a\tb\nc')"`, "it's\n\\ \"!50%": `"$(printf 'it\047s\n\134 "\04150%%')"`, "\x1b[0m": `"$(printf '\033[0m')"`,
		"\u200bx": `"$(printf '\342\200\213x')"`, "\xff": `"$(printf '\377')"`, "a\n\n": "\"$(printf 'a')\"'\n\n'",
	}
	for word, want := range words {
		if quoted := ShellQuote(word); quoted != want {
			t.Errorf("%q: %s, want %s", word, quoted, want)
		}
	}
	for name, options := range map[string][]string{"sh": nil, "bash": {"--norc", "--noprofile"}, "zsh": {"-f"}, "fish": {"--no-config"}} {
		t.Run(name, func(t *testing.T) {
			shell := "sh" // every system has it, and not every one's tells its version
			if name != shell {
				shell = installed.Program(t, name)
			}
			var script, want strings.Builder
			for word := range words {
				fmt.Fprintf(&script, "printf '<%%s>' %s\n", ShellQuote(word))
				fmt.Fprintf(&want, "<%s>", word)
			}
			out, err := exec.CommandContext(t.Context(), shell, append(options, "-c", script.String())...).CombinedOutput() //nolint:gosec // what is quoted here
			if string(out) != want.String() {
				t.Errorf("%v: it reads %q, want %q", err, out, want.String())
			}
		})
	}
}

func TestPowerShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		`files\a-b\ca.crt`: `files\a-b\ca.crt`, `my files\ca.crt`: `'my files\ca.crt'`, "": "''",
		`it's`: `'it''s'`, "it\u2019s": "'it\u2019\u2019s'", `$env:HOME`: `'$env:HOME'`, "a`b;c": "'a`b;c'", "a,b": "'a,b'", "@a": "'@a'", "-a": "'-a'", "Zürich": "'Zürich'",
		"a\n'$b`": "\"a$([char]::ConvertFromUtf32(10))'`$b``\"",
	} {
		if quoted := PowerShellQuote(word); quoted != want {
			t.Errorf("%q: %s, want %s", word, quoted, want)
		}
	}
}

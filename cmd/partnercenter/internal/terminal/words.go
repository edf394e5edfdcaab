package terminal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// OneOf checks that the value of a flag is one of values.
func OneOf(flag, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return Usagef("--%s %q is unknown: use %s", flag, value, words.Or(values))
}

// DidYouMean returns a suggestion for the end of a message about an unknown name.
func DidYouMean(name string, known []string) string {
	if c := suggest.Closest(name, known); c != "" {
		return fmt.Sprintf("; did you mean %q?", c)
	}
	return ""
}

// Wrap joins names into indented lines.
func Wrap(names []string, width int) string {
	var b strings.Builder
	column := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		switch {
		case i == 0 || column+1+len(name) > width:
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("  " + name)
			column = 2 + len(name)
		default:
			b.WriteString(" " + name)
			column += 1 + len(name)
		}
	}
	return b.String()
}

// UpperFirst returns s with its first letter in upper case.
func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return ascii.ToUpper(s[:1]) + s[1:]
}

// At formats a time and its distance from now.
func At(t, now time.Time) string {
	d := t.Sub(now)
	if d < 0 {
		return fmt.Sprintf("%s, %s ago", t.UTC().Format(time.RFC3339), InWords(-d))
	}
	return fmt.Sprintf("%s, in %s", t.UTC().Format(time.RFC3339), InWords(d))
}

// InWords formats a duration, rounded down to its largest unit.
func InWords(d time.Duration) string {
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch n := int64(d / unit.size); {
		case n == 1:
			return "1 " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "less than a second"
}

// DescribeClock describes the state of a clock.
func DescribeClock(frozen, adjusted bool, offset string) string {
	behind, isBehind := strings.CutPrefix(offset, "-")
	switch {
	case frozen:
		return "frozen at this time until the clock is changed or resumed"
	case !adjusted:
		return "the system's clock"
	case isBehind:
		return "running, " + behind + " behind the system's clock"
	case offset == "0s":
		return "running, less than a second from the system's clock"
	}
	return "running, " + offset + " ahead of the system's clock"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ShellQuote quotes text as one word of a command for sh, bash, zsh and fish. Characters
// that a terminal does not show as they are, such as line ends, are escaped.
func ShellQuote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	if strings.ContainsFunc(word, unsafeRune) || !utf8.ValidString(word) {
		return printedWord(word)
	}
	var b strings.Builder
	open := false
	for _, r := range word {
		// fish gives backslashes in quotes a meaning.
		if special := r == '\'' || r == '\\'; special == open {
			b.WriteByte('\'')
			open = !open
		}
		if !open {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	switch {
	case word == "":
		return "''"
	case open:
		b.WriteByte('\'')
	}
	return b.String()
}

// printedWord returns a word that printf writes. Substitution takes away the line ends at
// the end, which follow as they are.
func printedWord(word string) string {
	text := strings.TrimRight(word, "\n")
	var b strings.Builder
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '%':
			b.WriteString(`%%`)
		case strings.ContainsRune("'\\!", r), unsafeRune(r), r == utf8.RuneError && size == 1:
			for _, c := range []byte(rest[:size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
		rest = rest[size:]
	}
	printed := `"$(printf '` + b.String() + `')"`
	if ends := word[len(text):]; ends != "" {
		printed += "'" + ends + "'"
	}
	return printed
}

var plainPowerShell = regexp.MustCompile(`^[A-Za-z0-9_./:\\][A-Za-z0-9_./:\\-]*$`)

// PowerShellQuote quotes text as one word of a command for PowerShell.
func PowerShellQuote(word string) string {
	switch {
	case plainPowerShell.MatchString(word):
		return word
	case !strings.ContainsFunc(word, unsafeRune):
		return "'" + powerShellQuotes.Replace(word) + "'"
	}
	var b strings.Builder
	for _, r := range word {
		switch {
		case unsafeRune(r):
			fmt.Fprintf(&b, "$([char]::ConvertFromUtf32(%d))", r)
		case strings.ContainsRune("\"$`\u201c\u201d\u201e", r):
			b.WriteString("`" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// powerShellQuotes doubles single quotes: PowerShell takes typographic ones for such.
var powerShellQuotes = strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b")

// unsafeRune reports whether r is not graphic: a control character, or a format
// character that reorders or hides text.
func unsafeRune(r rune) bool { return !unicode.IsGraphic(r) }

// Sanitize escapes unsafe characters. Answers contain text by strangers, which
// could control the terminal. Tabs and line ends become blanks: they break columns, but
// also occur in harmless text.
func Sanitize(s string) string {
	return escape(lineBreaks.Replace(strings.ToValidUTF8(s, "\uFFFD")), unsafeRune)
}

var lineBreaks = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// unsafeInCSV reports whether r is unsafe in a quoted cell, which may have several lines.
func unsafeInCSV(r rune) bool { return r != '\n' && r != '\r' && unsafeRune(r) }

// joiner makes one sign of two, of emoji or of the letters of Indic scripts.
const joiner = '\u200d'

// joins reports whether the character at i is a joiner where it is of use. Elsewhere it
// hides a difference.
func joins[T string | []byte](s T, i int, r rune) bool {
	if r != joiner {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(string(s[max(0, i-utf8.UTFMax):i]))
	after, _ := utf8.DecodeRuneInString(string(s[i+utf8.RuneLen(r) : min(len(s), i+utf8.RuneLen(r)+utf8.UTFMax)]))
	return before != utf8.RuneError && after != utf8.RuneError && unicode.In(before, unicode.So, unicode.Sk, unicode.Mn) && unicode.In(after, unicode.So, unicode.Lo)
}

// escape escapes characters as JSON does.
func escape(s string, unsafe func(rune) bool) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case !unsafe(r) || joins(s, i, r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

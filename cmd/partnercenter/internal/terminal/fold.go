package terminal

import (
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// foldAtLeast is the least width of a column that is folded: one that would be narrower
// begins in a line of its own.
const foldAtLeast = 20

// fold divides text into lines of at most width columns, behind blanks. Words that do not
// fit, such as paths and ids, stay whole to be copied. Between wide characters, whose
// scripts have no blanks, it divides as well.
func fold(value string, width int) []string {
	var lines []string
	start, column := 0, 0
	for at := 0; at < len(value); {
		size := wordLength(value[at:])
		word := value[at : at+size]
		if needs := text.StringWidth(strings.TrimRight(word, " ")); column > 0 && column+needs > width && needs <= width {
			lines = append(lines, strings.TrimRight(value[start:at], " "))
			start, column = at, 0
		}
		column += text.StringWidth(word)
		at += size
	}
	return append(lines, value[start:])
}

// lastCommand matches a command at the end of a text, which people copy.
var lastCommand = regexp.MustCompile(`(?:^|: )(partnercenter (?:[^.(]|\.[^ ])*)$`)

// foldText is fold for text that may end with a command, which begins in a line of its own
// and is continued behind backslashes. A command in quotes stays whole.
func foldText(value string, width int) []string {
	if text.StringWidth(value) <= width {
		return []string{value}
	}
	if at := lastCommand.FindStringSubmatchIndex(value); at != nil {
		var lines []string
		if at[2] > 0 {
			lines = foldText(strings.TrimRight(value[:at[2]], " "), width)
		}
		return append(lines, foldCommandWords(value[at[2]:], width)...)
	}
	const unbroken = "\u00a0"
	if strings.Contains(value, unbroken) {
		return fold(value, width)
	}
	value = quotedCommand.ReplaceAllStringFunc(value, func(command string) string { return strings.ReplaceAll(command, " ", unbroken) })
	lines := fold(value, width)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], unbroken, " ")
	}
	return lines
}

var quotedCommand = regexp.MustCompile(`'partnercenter [^']*'|"partnercenter [^"]*"`)

// foldCommandWords folds a command behind backslashes.
func foldCommandWords(command string, width int) []string {
	if text.StringWidth(command) <= width {
		return []string{command}
	}
	lines := foldWords(command, width-len(` \`))
	for i := range lines[:len(lines)-1] {
		lines[i] += ` \`
	}
	return lines
}

// wordLength returns the length of the word at the beginning of text, with the blanks
// around it.
func wordLength(s string) int {
	var last rune // that has a width
	begun, joined := false, false
	for i, r := range s {
		columns := text.StringWidth(string(r))
		if begun && !joined && r != ' ' && columns > 0 && (last == ' ' || columns > 1 || text.StringWidth(string(last)) > 1) {
			return i
		}
		begun = begun || r != ' '
		if joined = r == joiner; columns > 0 {
			last = r
		}
	}
	return len(s)
}

// Fold fits the lines of a report into the width of the terminal. What does not fit goes
// on below the last column of its line.
func (t *Terminal) Fold(report string) string {
	if !t.folds() {
		return report
	}
	var b strings.Builder
	for line := range strings.Lines(report) {
		foldLine(&b, strings.TrimSuffix(line, "\n"), t.Width)
	}
	return b.String()
}

func (t *Terminal) folds() bool { return t.StdoutTTY && t.Width >= foldAtLeast }

// columnGap ends a column of a line.
var columnGap = regexp.MustCompile(`\S {2,}`)

func foldLine(b *strings.Builder, line string, width int) {
	if text.StringWidth(line) <= width {
		b.WriteString(line + "\n")
		return
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	prefix, value := line[:indent], line[indent:]
	if gaps := columnGap.FindAllStringIndex(line, -1); gaps != nil {
		end := gaps[len(gaps)-1][1]
		if used := text.StringWidth(line[:end]); used <= width-max(foldAtLeast, widest(line[end:])) {
			indent, prefix, value = used, line[:end], line[end:]
		} else {
			foldLine(b, strings.TrimRight(line[:end], " "), width)
			indent += 4
			prefix, value = strings.Repeat(" ", indent), line[end:]
		}
	}
	for _, part := range fold(value, width-indent) {
		b.WriteString(prefix + part + "\n")
		prefix = strings.Repeat(" ", indent)
	}
}

// widest returns the width of the widest word of text.
func widest(s string) (columns int) {
	for word := range strings.FieldsSeq(s) {
		columns = max(columns, text.StringWidth(word))
	}
	return columns
}

// FoldHelp fits the help of a command into the width of the terminal: it fills paragraphs
// anew, and continues commands, which people copy, behind a backslash.
func (t *Terminal) FoldHelp(help string) string {
	if !t.folds() {
		return help
	}
	var (
		b         strings.Builder
		paragraph []string
		section   string // its heading
	)
	fill := func() {
		if slices.ContainsFunc(paragraph, func(line string) bool { return text.StringWidth(line) > t.Width }) {
			for i := range paragraph[1:] {
				paragraph[i+1] = strings.TrimLeft(paragraph[i+1], " ")
			}
			paragraph = []string{strings.Join(paragraph, " ")}
		}
		for _, line := range paragraph {
			foldLine(&b, line, t.Width)
		}
		paragraph = nil
	}
	for line := range strings.Lines(help) {
		line = strings.TrimSuffix(line, "\n")
		indented := strings.HasPrefix(line, " ")
		if line != "" && !indented {
			section = line
		}
		// Of indented lines, only lists are known to go on in the next one.
		if n := len(paragraph); n > 0 && (strings.HasPrefix(paragraph[n-1], " ") != indented || indented && !strings.HasSuffix(paragraph[n-1], ",")) {
			fill()
		}
		switch {
		case indented && section != "Usage:" && (section == "Examples:" || strings.HasPrefix(strings.TrimLeft(line, " "), "partnercenter ")):
			fill()
			foldCommand(&b, line, t.Width)
		case line == "" || columnGap.MatchString(line):
			fill()
			foldLine(&b, line, t.Width)
		default:
			paragraph = append(paragraph, line)
		}
	}
	fill()
	return b.String()
}

// foldCommand folds a command with its comment.
func foldCommand(b *strings.Builder, line string, width int) {
	if text.StringWidth(line) <= width {
		b.WriteString(line + "\n")
		return
	}
	command, comment, _ := strings.Cut(line, "   # ")
	indent := strings.Repeat(" ", len(command)-len(strings.TrimLeft(command, " ")))
	const further = "    " // continued lines
	prefix := indent
	for _, part := range foldCommandWords(strings.TrimSpace(command), width-len(indent+further)) {
		b.WriteString(prefix + part + "\n")
		prefix = indent + further
	}
	if comment != "" {
		for _, part := range fold(comment, width-len(indent)-len("# ")) {
			b.WriteString(indent + "# " + part + "\n")
		}
	}
}

// foldWords is fold for a shell's words, which have blanks in quotes.
func foldWords(command string, width int) []string {
	var lines []string
	line, word := "", ""
	var quote rune
	end := func() {
		if line != "" && text.StringWidth(line+" "+word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
		word = ""
	}
	for _, r := range command {
		switch {
		case r == ' ' && quote == 0:
			end()
			continue
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		}
		word += string(r)
	}
	end()
	return append(lines, line)
}

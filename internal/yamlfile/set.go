package yamlfile

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// ErrNotMapping says that a file has something other than an object on the way to a
// value.
var ErrNotMapping = errors.New("there is something other than an object on the way to the value")

// ErrForm says that a value is written in a way that Set does not change.
var ErrForm = errors.New("it is written in a form that only an editor can change")

// Set returns the text of a file with a value set, or removed if it is empty. The path are
// the names of the fields that lead to it. Objects on the way are added, and removed when
// they are empty. Everything else is kept as it is, byte for byte.
func Set(data []byte, path []string, value string) ([]byte, error) {
	wanted, err := topObject(data)
	if err != nil {
		return nil, err
	}
	before, _ := topObject(data)
	if err := set(wanted, path, value); err != nil || same(before, wanted) {
		return data, err
	}
	e := newEdit(string(data))
	e.set(before, path, value)
	after := []byte(e.text)
	// The library gives no ends of values. What it reads from the new text decides whether
	// they were found.
	if got, err := topObject(after); err != nil || !same(got, wanted) {
		return nil, ErrForm
	}
	return after, nil
}

// topObject returns the object that a file consists of, which is empty if the file is.
func topObject(data []byte) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || isNull(document.Content[0]) && document.Content[0].Value == "" {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	return document.Content[0], nil
}

// same reports whether two nodes mean the same.
func same(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.ShortTag() == b.ShortTag() && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, same)
}

// member returns the index of the name of a member, whose value follows, or -1.
func member(object *yaml.Node, name string) int {
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// vacant reports whether there may as well be an object instead.
func vacant(n *yaml.Node) bool {
	return isNull(n) || n.Kind == yaml.ScalarNode && n.Value == "" || n.Kind == yaml.MappingNode && len(n.Content) == 0
}

// set is Set on nodes.
func set(object *yaml.Node, path []string, value string) error {
	if object.Kind != yaml.MappingNode {
		return ErrNotMapping
	}
	at := member(object, path[0])
	if at < 0 {
		if value == "" {
			return nil
		}
		at = len(object.Content)
		object.Content = append(object.Content, stringNode(path[0]), &yaml.Node{Kind: yaml.MappingNode})
	}
	below := object.Content[at+1]
	switch {
	case len(path) > 1 && value == "" && vacant(below):
		return nil
	case len(path) > 1:
		if vacant(below) {
			*below = yaml.Node{Kind: yaml.MappingNode}
		}
		if err := set(below, path[1:], value); err != nil || len(below.Content) > 0 {
			return err
		}
	case value != "":
		object.Content[at+1] = stringNode(value)
		return nil
	}
	object.Content = slices.Delete(object.Content, at, at+2)
	return nil
}

func stringNode(text string) *yaml.Node {
	node := new(yaml.Node)
	node.SetString(text)
	return node
}

// edit is one change of a text. Offsets in it are those before the change.
type edit struct {
	text    string
	lines   []int // where they begin
	lineEnd string
}

func newEdit(text string) *edit {
	e := &edit{text: text, lines: []int{0}, lineEnd: "\n"}
	if strings.Contains(text, "\r\n") {
		e.lineEnd = "\r\n"
	}
	for i, r := range text {
		switch r {
		case '\r':
			if strings.HasPrefix(text[i:], "\r\n") {
				continue
			}
			fallthrough
		case '\n', '\u0085', '\u2028', '\u2029': // where YAML ends lines
			e.lines = append(e.lines, i+utf8.RuneLen(r))
		}
	}
	return e
}

// replace puts other text in place of that between two offsets, if they are in order.
func (e *edit) replace(from, to int, text string) {
	if 0 <= from && from <= to && to <= len(e.text) {
		e.text = e.text[:from] + text + e.text[to:]
	}
}

// between returns the text between two offsets, if they are in order.
func (e *edit) between(from, to int) string {
	from, to = max(0, from), min(to, len(e.text))
	return e.text[min(from, to):to]
}

// after returns the text after an offset.
func (e *edit) after(at int) string { return e.between(at, len(e.text)) }

// line returns the offset of a line.
func (e *edit) line(number int) int { return e.lines[min(number, len(e.lines))-1] }

// set changes the text for a value of the object, as set does for nodes.
func (e *edit) set(object *yaml.Node, path []string, value string) {
	at := member(object, path[0])
	if at < 0 {
		e.add(object, path, value)
		return
	}
	key, below := object.Content[at], object.Content[at+1]
	switch {
	case value == "":
		e.remove(object, path)
	case len(path) == 1:
		e.change(key, below, value)
	case vacant(below):
		e.fill(object, key, below, path[1:], value)
	default:
		e.set(below, path[1:], value)
	}
}

// change writes a value in place of that of a key.
func (e *edit) change(key, old *yaml.Node, value string) {
	from, to := e.extent(key, old)
	text := scalarText(value, old)
	if from == to {
		text = " " + text
	}
	e.replace(from, to, text)
}

// scalarText returns a value in the style of the one before it.
func scalarText(value string, old *yaml.Node) string {
	node := stringNode(value)
	node.Style = old.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle)
	if strings.ContainsFunc(value, unicode.IsControl) {
		node.Style = yaml.DoubleQuotedStyle
	}
	text, _ := yaml.Marshal(node) // of a string
	return strings.TrimSuffix(string(text), "\n")
}

// isFlow reports whether an object is written in braces.
func (e *edit) isFlow(object *yaml.Node) bool { return object.Style&yaml.FlowStyle != 0 }

// add adds a value to an object that has no such member.
func (e *edit) add(object *yaml.Node, path []string, value string) {
	n := len(object.Content)
	switch {
	case e.isFlow(object):
		at := e.start(object) + 1
		before := e.start(object) // the bracket or comma before the last member
		if n > 0 {
			_, at = e.extent(object.Content[n-2], object.Content[n-1])
			if n > 2 {
				_, before = e.extent(object.Content[n-4], object.Content[n-3])
				before += strings.IndexByte(e.after(before), ',')
			}
			separator := e.between(before+1, e.start(object.Content[n-2]))
			if strings.TrimSpace(separator) != "" || n == 2 && separator == "" {
				separator = " "
			}
			e.replace(at, at, ","+separator+inBraces(path, value))
			return
		}
		e.replace(at, at, inBraces(path, value))
	case n == 0: // the file has no content
		// A comment above it is about the file, not about the value.
		for text := e.text; text != "" && !strings.HasSuffix(e.text, e.lineEnd+e.lineEnd); {
			e.text += e.lineEnd
		}
		e.text += e.below(0, path, value) + e.lineEnd
	default:
		_, last := e.extent(object.Content[n-2], object.Content[n-1])
		end := e.lineEndAt(last)
		e.replace(end, end, e.lineEnd+e.below(object.Content[0].Column-1, path, value))
	}
}

// fill gives a vacant member its first content.
func (e *edit) fill(object, key, vacant *yaml.Node, path []string, value string) {
	from, to := e.extent(key, vacant)
	if e.isFlow(object) {
		text := "{" + inBraces(path, value) + "}"
		if from == to {
			text = " " + text
		}
		e.replace(from, to, text)
		return
	}
	end := e.lineEndAt(to)
	rest := e.between(to, end)
	if from < to {
		from = len(strings.TrimRight(e.between(0, from), " "))
	}
	e.replace(from, end, rest+e.lineEnd+e.below(key.Column-1+e.indent(), path, value))
}

// below returns lines with a value and the objects around it.
func (e *edit) below(indent int, path []string, value string) string {
	lines := make([]string, len(path))
	for i, name := range path {
		lines[i] = strings.Repeat(" ", indent+i*e.indent()) + scalarText(name, new(yaml.Node)) + ":"
	}
	return strings.Join(lines, e.lineEnd) + " " + scalarText(value, new(yaml.Node))
}

// indent returns by how much the file indents.
func (e *edit) indent() int {
	outer := 0
	for _, start := range e.lines {
		line := e.after(start)
		text := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(text); {
		case text == "" || strings.ContainsAny(text[:1], "#\r\n"):
		case indent > outer:
			return indent - outer
		default:
			outer = indent
		}
	}
	return 2
}

// inBraces returns a member for an object in braces.
func inBraces(path []string, value string) string {
	text := jsonText(value)
	for i, name := range slices.Backward(path) {
		text = jsonText(name) + ": " + text
		if i > 0 {
			text = "{" + text + "}"
		}
	}
	return text
}

func jsonText(text string) string {
	var b bytes.Buffer
	writeText(&b, text)
	return b.String()
}

// remove removes a value, and the objects around it that have nothing else. Comments on
// lines of their own stay.
func (e *edit) remove(object *yaml.Node, path []string) {
	outer, depth := object, 0 // the outermost of which something is left
	for i, inner := 0, object; i < len(path)-1; i++ {
		inner = inner.Content[member(inner, path[i])+1]
		if len(inner.Content) > 2 {
			outer, depth = inner, i+1
		}
	}
	path = path[depth:]
	if e.isFlow(outer) {
		e.removeFromBraces(outer, member(outer, path[0]))
		return
	}
	var cuts [][2]int // whole lines, from the outermost
	for {
		at := member(outer, path[0])
		key, value := outer.Content[at], outer.Content[at+1]
		_, to := e.extent(key, value)
		end := e.lineEndAt(to)
		block := value.Kind == yaml.MappingNode && !e.isFlow(value)
		if block {
			end = e.lineEndAt(e.afterColon(key))
		}
		from := e.line(key.Line)
		for _, lineEnd := range []string{"\r", "\n"} {
			if strings.HasPrefix(e.after(end), lineEnd) {
				end++
			}
		}
		cuts = append(cuts, [2]int{from, end})
		if !block {
			break
		}
		outer, path = value, path[1:]
	}
	for _, cut := range slices.Backward(cuts) {
		e.replace(cut[0], cut[1], "")
	}
}

func (e *edit) removeFromBraces(object *yaml.Node, at int) {
	_, end := e.extent(object.Content[at], object.Content[at+1])
	switch {
	case at+2 < len(object.Content):
		e.replace(e.start(object.Content[at]), e.start(object.Content[at+2]), "")
	case at > 0:
		_, before := e.extent(object.Content[at-2], object.Content[at-1])
		e.replace(before, end, "")
	default:
		e.replace(e.start(object.Content[at]), end, "")
	}
}

// start returns the offset of a node.
func (e *edit) start(n *yaml.Node) int {
	at := e.line(n.Line)
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(e.after(at))
		at += size
	}
	return at
}

// lineEndAt returns the end of the line at an offset.
func (e *edit) lineEndAt(at int) int {
	if i := strings.IndexAny(e.after(at), "\r\n\u0085\u2028\u2029"); i >= 0 {
		return at + i
	}
	return len(e.text)
}

// afterColon returns the offset after a key's colon.
func (e *edit) afterColon(key *yaml.Node) int {
	_, at := e.scalar(key)
	return at + strings.IndexByte(e.after(at), ':') + 1
}

// extent returns where a key's value begins and ends. One that is not there is empty and
// after the colon.
func (e *edit) extent(key, value *yaml.Node) (from, to int) {
	switch {
	case value.Kind == yaml.ScalarNode && value.Style == 0 && value.Value == "" && value.Anchor == "":
		from = e.afterColon(key)
		return from, from
	case value.Kind != yaml.MappingNode:
		return e.scalar(value)
	}
	from = e.start(value)
	to = from + 1
	if n := len(value.Content); n > 0 {
		_, to = e.extent(value.Content[n-2], value.Content[n-1])
	}
	if e.isFlow(value) {
		for to < len(e.text) && e.text[to] != '}' {
			if e.text[to] == '#' {
				to = e.lineEndAt(to)
			} else {
				to++
			}
		}
		to++
	}
	return from, min(to, len(e.text))
}

// scalar returns where a value that is no object begins and ends.
func (e *edit) scalar(n *yaml.Node) (from, to int) {
	from = e.start(n)
	to = from
	for to < len(e.text) && strings.IndexByte("&!", e.text[to]) >= 0 { // an anchor or a tag
		to += strings.IndexFunc(e.after(to)+" ", unicode.IsSpace)
		to += len(e.after(to)) - len(strings.TrimLeftFunc(e.after(to), unicode.IsSpace))
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for to++; to < len(e.text) && e.text[to] != '"'; to++ {
			if e.text[to] == '\\' {
				to++
			}
		}
		to++
	case n.Style&yaml.SingleQuotedStyle != 0:
		for to++; to < len(e.text); to++ {
			if e.text[to] != '\'' {
				continue
			}
			if !strings.HasPrefix(e.after(to), "''") {
				break
			}
			to++
		}
		to++
	default:
		// Lines of one value are joined by blanks.
		for word := range strings.FieldsSeq(n.Value) {
			to += strings.Index(e.after(to), word) + len(word)
		}
	}
	return from, min(to, len(e.text))
}

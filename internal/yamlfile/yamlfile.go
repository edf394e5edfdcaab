// Package yamlfile reads files in YAML, or in JSON, that people write: strictly, with
// the line of each mistake and what was probably meant. It knows nothing about the
// content.
package yamlfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// maxProblems is how many mistakes are reported at once: more than are usually fixed
// before the next try.
const maxProblems = 10

// Error lists the mistakes in a file, in the order of their lines.
type Error struct {
	File     string
	Problems []Problem // at most ten
	Omitted  int       // how many more there are
}

// Problem is one mistake in a file.
type Problem struct {
	Line, Column int    // from 1
	Path         string // partners[0].customers[3].id; empty for the file as a whole
	Message      string // what is wrong and what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.in(e.File))
	}
	if e.Omitted > 0 {
		fmt.Fprintf(&b, "\nand %d more; correct these first", e.Omitted)
	}
	return b.String()
}

// in returns the problem as a line of text.
func (p Problem) in(file string) string {
	where := fmt.Sprintf("%s:%d:%d: ", file, p.Line, p.Column)
	if p.Path != "" {
		where += p.Path + ": "
	}
	return where + p.Message
}

// Format is a kind of file, which its first line names.
type Format struct {
	Name string // the value of the format field
	// Limit bounds the memory for a file, in bytes.
	Limit int64
	// Enums are the types of text of which a file may have known values only, in any
	// spelling, with these values for messages. The types are [Enum]s.
	Enums map[reflect.Type][]string
	// Open are further such types, of which a file may have other values as well. Those
	// are warned of, and so are unknown fields of the API's objects; the names of fields
	// of these are read in any case.
	Open map[reflect.Type][]string
}

// Enum is a value of a type of text that has a set of values.
type Enum interface{ Known() bool }

// Read decodes a file into a struct, as [File.Decode] does. The name is for messages
// only. The error is an [*Error] if there is nothing to decode; mistakes in the content
// are recorded in the file, for [File.Err] to return after the caller's own checks.
func (k *Format) Read(name string, r io.Reader, into any) (*File, error) {
	data, err := ReadAll(name, r, k.Limit)
	if err != nil {
		return nil, err
	}
	f, err := Parse(name, data)
	if err != nil {
		return nil, err
	}
	f.enums, f.open = k.Enums, k.Open
	switch format := f.Root.Field("format"); {
	case !f.Root.Given():
		f.Problem(f.Root, "the file is empty; its first line should be format: %s", k.Name)
	case !f.Root.IsObject():
		f.Problem(f.Root, "a file of this format has the fields %s, this file is %s",
			strings.Join(f.fieldsOf(reflect.TypeOf(into).Elem()).names, ", "), describe(f.Root.node))
	case !format.Given() || isNull(format.node):
		f.Problem(format, "is missing; the first line of the file is format: %s", k.Name)
	case format.node.Value != k.Name:
		f.Problem(format, "this program reads %s, not %q; write that, or use the program version that the file was written for", k.Name, format.node.Value)
	default:
		f.Decode(f.Root, into)
		return f, nil
	}
	return nil, f.Err()
}

// ReadAll reads a whole file of at most limit bytes.
func ReadAll(name string, r io.Reader, limit int64) ([]byte, error) {
	data, err := textfile.ReadFrom(r, name, limit)
	switch {
	case errors.Is(err, textfile.ErrTooLarge):
		return nil, fmt.Errorf("%s: the file is larger than %d MiB; split it into several files, or take out what nobody needs", name, limit>>20)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// File is a document with the mistakes found so far.
type File struct {
	Root     Position // not given when the file is empty
	name     string
	problems []Problem
	omitted  int
	warnings []Problem
	warned   int
	// incomplete says that Decode left something out that the API's decoders keep.
	incomplete bool
	enums      map[reflect.Type][]string
	open       map[reflect.Type][]string
	fields     map[reflect.Type]*fields
}

// Parse parses the one document in data. The error is an [*Error].
func Parse(name string, data []byte) (*File, error) {
	top := Position{near: &yaml.Node{Line: 1, Column: 1}}
	f := &File{Root: top, name: name, fields: map[reflect.Type]*fields{}}
	data, err := textfile.Decode(data)
	if err != nil {
		f.Problem(top, "the file %v", err)
		return nil, f.Err()
	}
	if before := validPart(data); len(before) < len(data) {
		f.Problem(at(before), "the byte %#x is not UTF-8, as in files in Latin-1 or Windows-1252: save the file as UTF-8", data[len(before)])
		return nil, f.Err()
	}
	dec := yaml.NewDecoder(bytes.NewReader(yamlEscapes(data)))
	var doc, second yaml.Node
	err = dec.Decode(&doc)
	if err == nil {
		if len(doc.Content) > 0 && !isNull(doc.Content[0]) {
			f.Root.node, f.Root.near = doc.Content[0], doc.Content[0]
		}
		if err = dec.Decode(&second); err == nil {
			f.Problem(Position{near: &second}, "a second document begins here; put everything into one document")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		f.syntax(data, err)
	}
	return f, f.Err()
}

// validPart returns the beginning of data that is UTF-8.
func validPart(data []byte) []byte {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return data[:i]
		}
		i += size
	}
	return data
}

// at returns the position behind a part of a file.
func at(before []byte) Position {
	return Position{near: &yaml.Node{Line: bytes.Count(before, []byte("\n")) + 1, Column: len(before) - bytes.LastIndexByte(before, '\n')}}
}

// yamlLine finds the line in messages of package yaml, which has no type for it.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// syntax reports that data is not YAML. The lines of package yaml are imprecise; for a
// file that is meant to be JSON there are better ones.
func (f *File) syntax(data []byte, err error) {
	if jsonStart.Match(data) {
		dec := jsontext.NewDecoder(bytes.NewReader(data))
		_, jsonErr := dec.ReadValue()
		var syntactic *jsontext.SyntacticError
		if errors.As(jsonErr, &syntactic) {
			f.Problem(at(data[:min(int(syntactic.ByteOffset), len(data))]),
				"not JSON: %v; look for a missing quote, comma or bracket here", syntactic.Err)
			return
		}
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1])
	f.Problem(Position{near: &yaml.Node{Line: max(line, 1), Column: 1}},
		"not YAML: %s; look near this line for a missing quote, colon or bracket, or wrong indentation", m[2])
}

var (
	// jsonStart matches the beginning of a file that is meant to be JSON.
	jsonStart = regexp.MustCompile(`^\s*\{\s*"`)
	// jsonEscape matches one escape of a JSON string, a surrogate pair as one.
	jsonEscape = regexp.MustCompile(`(?i)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|(?s:.))`)
)

// yamlEscapes rewrites the two escapes of JSON that package yaml does not support: the
// surrogate pair, which many programs write for emoji, and the slash.
func yamlEscapes(data []byte) []byte {
	if !jsonStart.Match(data) {
		return data
	}
	return jsonEscape.ReplaceAllFunc(data, func(escape []byte) []byte {
		switch {
		case len(escape) > 2:
			high, _ := strconv.ParseUint(string(escape[2:6]), 16, 32)
			low, _ := strconv.ParseUint(string(escape[8:12]), 16, 32)
			return fmt.Appendf(nil, `\U%08X`, 0x10000+(high-0xd800)<<10+(low-0xdc00))
		case escape[1] == '/':
			return []byte("/")
		}
		return escape
	})
}

// Problem records a mistake.
func (f *File) Problem(at Position, format string, args ...any) {
	if len(f.problems) == maxProblems {
		f.omitted++
		return
	}
	f.problems = append(f.problems, at.problem(format, args...))
}

// warn records what is probably a mistake.
func (f *File) warn(at Position, format string, args ...any) {
	if f.warned++; f.warned <= maxProblems {
		f.warnings = append(f.warnings, at.problem(format, args...))
	}
}

// Incomplete reports whether the file has something in the API's objects that Decode left
// out and the API's decoders keep: unknown fields and empty texts. [File.JSON] has it.
func (f *File) Incomplete() bool { return f.incomplete }

// Warnings returns what is probably a mistake, a line for each of the first ten.
func (f *File) Warnings() []string {
	var list []string
	for _, w := range f.warnings {
		list = append(list, w.in(f.name))
	}
	if more := f.warned - len(f.warnings); more > 0 {
		list = append(list, fmt.Sprintf("%s: and %d more", f.name, more))
	}
	return list
}

// Err returns the recorded mistakes as an [*Error], or nil. Warnings are among them: what
// is missing may be misspelt.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	all := slices.Concat(f.problems, f.warnings)
	most := min(len(all), maxProblems)
	omitted := f.omitted + f.warned - len(f.warnings) + len(all) - most
	all = all[:most]
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return &Error{File: f.name, Problems: all, Omitted: omitted}
}

// Required reports a field of an object that is absent or empty.
func (f *File) Required(p Position, name, meaning string) {
	if field := p.Field(name); field.Empty() {
		f.Problem(field, "is missing; it is %s", meaning)
	}
}

// Expected warns of a field of an object that is absent or empty.
func (f *File) Expected(p Position, name, meaning string) {
	if field := p.Field(name); field.Empty() {
		f.warn(field, "is missing; it is %s", meaning)
	}
}

// Unique reports a value whose key was used before. Empty keys are ignored.
func (f *File) Unique(lines map[string]int, p Position, key string) {
	if key == "" {
		return
	}
	if line, twice := lines[key]; twice {
		f.Problem(p, "%s is already in line %d; use it once", p.node.Value, line)
		return
	}
	lines[key] = p.Line()
}

// AddressPart reports an id that cannot be part of an address.
func (f *File) AddressPart(p Position, id string) {
	if strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		f.Problem(p, "%q cannot be part of an address; use letters, digits, - and _", id)
	}
}

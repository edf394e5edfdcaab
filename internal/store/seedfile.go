package store

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// SeedFormat is what the format field of a seed file says.
const SeedFormat = "partnercenter-seed/1"

const (
	// maxFileSize bounds the memory that one seed or import file may cost.
	maxFileSize = 256 << 20
	// maxProblems is how many problems of a seed file are reported at once:
	// more than one reads before running the command again.
	maxProblems = 10
)

//go:embed sample/sample.yaml
var sampleSeed []byte

// SampleSeed returns the sample data: two made-up partners, their customers
// and orders.
func SampleSeed() (*Seed, error) {
	return ReadSeed("sample.yaml", bytes.NewReader(sampleSeed))
}

// ReadSeed reads a seed file as docs/seed-format.md describes it, in YAML or
// JSON, and fills in what the format lets a writer leave out. The name is for
// messages only. A file with mistakes gives a *[SeedError].
func ReadSeed(name string, r io.Reader) (*Seed, error) {
	data, err := readLimited(name, r, maxFileSize)
	if err != nil {
		return nil, err
	}
	d := &seedDecoder{fields: map[reflect.Type]*seedFields{}}
	var file struct {
		Format string `json:"format"`
		Seed   `json:",embed"`
	}
	if root, ok := d.parse(data); ok && d.format(root) {
		d.decode(root, reflect.ValueOf(&file).Elem())
		d.seed(root, &file.Seed)
	}
	if len(d.problems) > 0 {
		return nil, d.error(name)
	}
	return &file.Seed, nil
}

// SeedError lists the mistakes in a seed file, in the order of their lines.
type SeedError struct {
	File     string
	Problems []Problem // at most ten
	Omitted  int       // how many more there are
}

// Problem is one mistake in a seed file.
type Problem struct {
	Line, Column int    // from 1
	Path         string // partners[0].customers[3].id; empty for the file as a whole
	Message      string // what is wrong and what to do
}

func (e *SeedError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, p.Line, p.Column)
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.Omitted > 0 {
		fmt.Fprintf(&b, "\nand %d more; mend these first", e.Omitted)
	}
	return b.String()
}

// readLimited reads a whole file of at most limit bytes.
func readLimited(name string, r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: the file is larger than %d MiB; split it into several files", name, limit>>20)
	}
	return data, nil
}

// parse returns the document in data as a tree that knows its lines.
func (d *seedDecoder) parse(data []byte) (place, bool) {
	dec := yaml.NewDecoder(bytes.NewReader(yamlEscapes(data)))
	var doc, second yaml.Node
	top := place{near: &yaml.Node{Line: 1, Column: 1}}
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF), err == nil && (len(doc.Content) == 0 || isNull(doc.Content[0])):
		d.problem(top, "the file is empty; its first line should be format: %s", SeedFormat)
		return place{}, false
	case err != nil:
		d.syntax(data, err)
		return place{}, false
	}
	root := place{node: doc.Content[0], near: doc.Content[0]}
	if root.node.Kind != yaml.MappingNode {
		d.problem(root, "a seed file has the fields format and partners, this file is %s", describeNode(root.node))
		return place{}, false
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		d.problem(place{near: &second}, "a second document begins here; a seed file is one document, put all partners in its partners list")
		return place{}, false
	case !errors.Is(err, io.EOF):
		d.syntax(data, err)
		return place{}, false
	}
	return root, true
}

// yamlLine finds the line in the messages of package yaml, which has no type
// for it.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// syntax reports that data is not YAML. The lines of package yaml are rough;
// for a file that is meant to be JSON there are better ones.
func (d *seedDecoder) syntax(data []byte, err error) {
	if jsonStart.Match(data) {
		dec := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, byteOrderMark)))
		_, jsonErr := dec.ReadValue()
		var syntactic *jsontext.SyntacticError
		if errors.As(jsonErr, &syntactic) {
			before := data[:min(int(syntactic.ByteOffset), len(data))]
			line := bytes.Count(before, []byte("\n")) + 1
			column := len(before) - bytes.LastIndexByte(before, '\n')
			d.problem(place{near: &yaml.Node{Line: line, Column: column}},
				"not JSON: %v; look for a missing quote, comma or bracket here", syntactic.Err)
			return
		}
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1])
	d.problem(place{near: &yaml.Node{Line: max(line, 1), Column: 1}},
		"not YAML: %s; look near this line for a missing quote, colon or bracket, or wrong indentation", m[2])
}

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	// jsonStart is how a seed file begins that is meant to be JSON.
	jsonStart = regexp.MustCompile(`^\x{feff}?\s*\{\s*"`)
	// jsonEscape matches one escape of a JSON string, a surrogate pair as one.
	jsonEscape = regexp.MustCompile(`(?i)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|(?s:.))`)
)

// yamlEscapes rewrites the two escapes of JSON that package yaml does not
// read: the surrogate pair, which many writers use for emoji, and the slash.
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

// format checks the format field, which decides how the rest is read.
func (d *seedDecoder) format(root place) bool {
	f := root.field("format")
	switch {
	case f.node == nil || isNull(f.node):
		d.problem(f, "is missing; the first line of a seed file is format: %s", SeedFormat)
	case f.node.Value != SeedFormat:
		d.problem(f, "this program reads %s, not %q; write that, or use the program that the file was written for", SeedFormat, f.node.Value)
	default:
		return true
	}
	return false
}

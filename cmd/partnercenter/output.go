package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
)

// The formats of -o.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatJSONL = "jsonl"
	formatCSV   = "csv"

	formatText = "text" // of what is no resource
)

var formats = []string{formatTable, formatWide, formatJSON, formatJSONL, formatCSV}

// outputOptions are the flags of commands that print resources.
type outputOptions struct {
	format string
	json   bool
	color  string
}

func (o *outputOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.format, "output", "o", formatTable, "`format`: table, wide, json, jsonl or csv")
	f.BoolVar(&o.json, "json", false, "same as -o json")
	f.StringVar(&o.color, "color", "auto", "colour tables: `when` is auto (on a terminal, unless NO_COLOR is set), always or never")
	registerValues(cmd, "output", formats...)
	registerValues(cmd, "color", "auto", "always", "never")
}

// textOrJSON are the flags of commands that print something else than resources.
type textOrJSON struct {
	format string
	json   bool
}

func (o *textOrJSON) addFlags(cmd *cobra.Command, f *pflag.FlagSet) {
	f.StringVarP(&o.format, "output", "o", formatText, "`format`: text or json")
	f.BoolVar(&o.json, "json", false, "same as -o json")
	registerValues(cmd, "output", formatText, formatJSON)
}

// wantsJSON checks the flags, and reports which of the two it is.
func (o *textOrJSON) wantsJSON() (bool, error) {
	if o.json {
		return true, nil
	}
	return o.format == formatJSON, oneOf("output", o.format, formatText, formatJSON)
}

// outputHelp ends the help of commands that print lists.
func outputHelp(csvColumns []string) string {
	return `

On a terminal the table is drawn and fitted to its width. Elsewhere it is one
line a row with tabs between the columns, below a line with their names; -o wide
has more columns. -o json prints the service's own JSON as an array, fields that
this program does not know included; -o jsonl the same with one item a line.

-o csv (RFC 4180) always has these columns; later versions may add some at the
end. Values are as the service has them: a spreadsheet may take one that begins
with = for a formula.

` + wrap(csvColumns, 78)
}

// wrap joins names in indented lines.
func wrap(names []string, width int) string {
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

// layout is the columns of a format, and the rows that an item takes.
type layout[T any] struct {
	columns []string
	rows    func(T) [][]string
	// gives are the columns that are shortened when a terminal is too narrow.
	gives []int
}

// view is how items of a kind are printed.
type view[T any] struct {
	plural           string // names the items when there are none
	table, wide, csv layout[T]
	resource         func(T) any // what JSON formats print
}

// printer prints items in the chosen format: at once where a format allows it,
// at the end where all must be known first.
type printer[T any] struct {
	app    *app
	view   view[T]
	format string
	color  bool

	count     int
	rows      [][]string        // gathered for a table
	documents []json.RawMessage // gathered for one JSON document
	csv       *csv.Writer
}

// newPrinter checks the flags; it prints nothing yet.
func newPrinter[T any](app *app, o *outputOptions, v view[T]) (*printer[T], error) {
	if o.json {
		o.format = formatJSON
	}
	if err := oneOf("output", o.format, formats...); err != nil {
		return nil, err
	}
	if err := oneOf("color", o.color, "auto", "always", "never"); err != nil {
		return nil, err
	}
	p := &printer[T]{app: app, view: v, format: o.format}
	p.color = o.color == "always" ||
		o.color == "auto" && app.stdoutTTY && app.getenv("NO_COLOR") == "" && app.getenv("TERM") != "dumb"
	return p, nil
}

// streams reports whether items are printed as they are added.
func (p *printer[T]) streams() bool { return p.format == formatJSONL || p.format == formatCSV }

func (p *printer[T]) add(item T) error {
	p.count++
	switch p.format {
	case formatTable:
		p.rows = append(p.rows, p.view.table.rows(item)...)
	case formatWide:
		p.rows = append(p.rows, p.view.wide.rows(item)...)
	case formatCSV:
		return p.addCSV(item)
	default:
		data, err := marshal(p.view.resource(item))
		if err != nil {
			return err
		}
		if p.format == formatJSONL {
			_, err = p.app.stdout.Write(append(data, '\n'))
			return err
		}
		p.documents = append(p.documents, data)
	}
	return nil
}

func (p *printer[T]) addCSV(item T) error {
	if err := p.startCSV(); err != nil {
		return err
	}
	for _, row := range p.view.csv.rows(item) {
		if p.app.stdoutTTY {
			row = sanitizeAll(row)
		}
		if err := p.csv.Write(row); err != nil {
			return err
		}
	}
	// Whole items, so that a reader of an interrupted command has no half one.
	p.csv.Flush()
	return p.csv.Error()
}

func (p *printer[T]) startCSV() error {
	if p.csv != nil {
		return nil
	}
	p.csv = csv.NewWriter(p.app.stdout)
	p.csv.UseCRLF = true // RFC 4180, section 2
	return p.csv.Write(p.view.csv.columns)
}

// end prints what was gathered, or says that there was nothing.
func (p *printer[T]) end() error {
	switch p.format {
	case formatTable, formatWide:
		if p.count == 0 {
			p.app.linef("no %s", p.view.plural)
			return nil
		}
		if p.format == formatWide {
			return p.writeTable(p.view.wide.columns, nil)
		}
		return p.writeTable(p.view.table.columns, p.view.table.gives)
	case formatJSON:
		array := append([]byte{'['}, bytes.Join(rawBytes(p.documents), []byte{','})...)
		return writeIndented(p.app.stdout, append(array, ']'))
	case formatCSV:
		if err := p.startCSV(); err != nil {
			return err
		}
		p.csv.Flush()
		return p.csv.Error()
	}
	return nil
}

func rawBytes(documents []json.RawMessage) [][]byte {
	all := make([][]byte, len(documents))
	for i, d := range documents {
		all[i] = d
	}
	return all
}

// printOne prints a single item: in JSON formats itself, not a list of it.
func printOne[T any](p *printer[T], item T) error {
	if p.format == formatJSON {
		return printJSON(p.app.stdout, p.view.resource(item))
	}
	if err := p.add(item); err != nil {
		return err
	}
	return p.end()
}

// marshal encodes as the API does, with everything escaped that could steer a
// terminal. JSON itself escapes only the control characters of ASCII.
func marshal(v any) ([]byte, error) {
	data, err := partnercenter.Marshal(v)
	if err != nil {
		return nil, err
	}
	if !bytes.ContainsFunc(data, unsafeRune) {
		return data, nil
	}
	safe := make([]byte, 0, len(data))
	for len(data) > 0 {
		// Such characters stand inside strings only.
		r, size := utf8.DecodeRune(data)
		if unsafeRune(r) {
			for _, unit := range utf16.AppendRune(nil, r) {
				safe = fmt.Appendf(safe, `\u%04x`, unit)
			}
		} else {
			safe = append(safe, data[:size]...)
		}
		data = data[size:]
	}
	return safe, nil
}

// printJSON prints a value as one JSON document.
func printJSON(w io.Writer, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return writeIndented(w, data)
}

// writeIndented changes white space only: members keep their order and numbers
// their digits.
func writeIndented(w io.Writer, data []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// unsafeRune reports what does not show as itself: control characters, and
// format characters that reorder or hide text.
func unsafeRune(r rune) bool { return !unicode.IsGraphic(r) }

// sanitize shows such characters by their numbers. What the service answers
// is in part written by strangers, and a terminal obeys it.
func sanitize(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, unsafeRune) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unsafeRune(r):
			b.WriteRune(r)
		case r == '\t' || r == '\n' || r == '\r':
			b.WriteByte(' ') // they break columns, but lie in honest text too
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func sanitizeAll(row []string) []string {
	safe := make([]string, len(row))
	for i, cell := range row {
		safe[i] = sanitize(cell)
	}
	return safe
}

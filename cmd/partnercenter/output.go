package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
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

// layout is the columns of a format, and what stands in them.
type layout[T any] struct {
	columns []string
	row     func(T) []string
	rows    func(T) [][]string // in place of row, of an item that may take several
	// gives are the columns that are shortened when a terminal is too narrow.
	gives []int
}

func (l *layout[T]) of(item T) [][]string {
	if l.rows != nil {
		return l.rows(item)
	}
	return [][]string{l.row(item)}
}

// view is how items of a kind are printed.
type view[T any] struct {
	plural      string // names the items when there are none
	table, wide layout[T]
	csv         layout[T]   // its columns are documented: add at the end only
	resource    func(T) any // what JSON formats print; nil: the item
}

func (v *view[T]) document(item T) any {
	if v.resource == nil {
		return item
	}
	return v.resource(item)
}

// oneLayout is for things that have few facts: the same in every format.
func oneLayout[T any](plural string, columns, csvColumns []string, row func(T) []string, gives ...int) view[T] {
	l := layout[T]{columns: columns, row: row, gives: gives}
	return view[T]{plural: plural, table: l, wide: l, csv: layout[T]{columns: csvColumns, row: row}}
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
		p.rows = append(p.rows, p.view.table.of(item)...)
	case formatWide:
		p.rows = append(p.rows, p.view.wide.of(item)...)
	case formatCSV:
		return p.addCSV(item)
	default:
		data, err := marshal(p.view.document(item))
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
	for _, row := range p.view.csv.of(item) {
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

// all prints a whole list.
func (p *printer[T]) all(items []T) error {
	for _, item := range items {
		if err := p.add(item); err != nil {
			return err
		}
	}
	return p.end()
}

// one prints a single item, unless there was an error in getting it. In JSON
// formats it is itself, not a list of it.
func (p *printer[T]) one(item T, err error) error {
	switch {
	case err != nil:
		return err
	case p.format == formatJSON:
		return printJSON(p.app.stdout, p.view.document(item))
	}
	return p.all([]T{item})
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

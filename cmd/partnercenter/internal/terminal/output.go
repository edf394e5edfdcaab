package terminal

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
	FormatTable = "table"
	formatWide  = "wide"
	FormatJSON  = "json"
	FormatJSONL = "jsonl"
	formatCSV   = "csv"

	formatText = "text" // for output other than resources
)

var formats = []string{FormatTable, formatWide, FormatJSON, FormatJSONL, formatCSV}

// Output holds the flags of commands that print resources.
type Output struct {
	Format string
	json   bool
	Color  string
}

// AddFlags adds the flags.
func (o *Output) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.Format, "output", "o", FormatTable, "`format`: table, wide, json, jsonl or csv")
	f.BoolVar(&o.json, "json", false, "same as -o json")
	f.StringVar(&o.Color, "color", "auto", "`when` to colour tables: auto (on a terminal, unless NO_COLOR is set), always or never")
	Choices(cmd, "output", formats...)
	Choices(cmd, "color", "auto", "always", "never")
}

// TextOrJSON holds the flags of commands that print something other than resources.
type TextOrJSON struct {
	format string
	json   bool
}

// AddFlags adds the flags to a flag set of the command.
func (o *TextOrJSON) AddFlags(cmd *cobra.Command, f *pflag.FlagSet) {
	f.StringVarP(&o.format, "output", "o", formatText, "`format`: text or json")
	f.BoolVar(&o.json, "json", false, "same as -o json")
	Choices(cmd, "output", formatText, FormatJSON)
}

// WantsJSON checks the flags, and reports whether the format is JSON.
func (o *TextOrJSON) WantsJSON() (bool, error) {
	if o.json {
		return true, nil
	}
	return o.format == FormatJSON, OneOf("output", o.format, formatText, FormatJSON)
}

// OutputHelp returns the end of the help of commands that print lists.
func OutputHelp(csvColumns []string) string {
	return `

On a terminal, tables are fitted to its width. Elsewhere columns are separated by
tabs, and the first line has their names. -o wide has more columns. -o json prints
the service's JSON as an array, including fields that this program does not know;
-o jsonl prints one item per line.

-o csv (RFC 4180) always has the columns below; later versions may append more.
Values are those of the service: a spreadsheet may take one that begins with = for a
formula.

` + Wrap(csvColumns, 78)
}

// Layout describes the columns of a format and their cells.
type Layout[T any] struct {
	Columns []string
	Row     func(T) []string
	Rows    func(T) [][]string // instead of Row, for items with several rows
	// Gives are the columns that are shortened if a terminal is too narrow.
	Gives []int
}

func (l *Layout[T]) of(item T) [][]string {
	if l.Rows != nil {
		return l.Rows(item)
	}
	return [][]string{l.Row(item)}
}

// View describes how items of a type are printed.
type View[T any] struct {
	Plural      string // name of the items, for when there are none
	Table, Wide Layout[T]
	CSV         Layout[T]   // its columns are documented: append only
	Resource    func(T) any // what JSON formats print; nil means the item
}

func (v *View[T]) document(item T) any {
	if v.Resource == nil {
		return item
	}
	return v.Resource(item)
}

// NewView returns a view of items with one row each. gives are the columns of
// tables that are shortened on narrow terminals.
func NewView[T any](plural string, table, wide, csv []string, row func(T) (table, wide, csv []string), gives ...int) *View[T] {
	return &View[T]{
		Plural: plural,
		Table:  Layout[T]{Columns: table, Gives: gives, Row: func(item T) []string { cells, _, _ := row(item); return cells }},
		Wide:   Layout[T]{Columns: wide, Row: func(item T) []string { _, cells, _ := row(item); return cells }},
		CSV:    Layout[T]{Columns: csv, Row: func(item T) []string { _, _, cells := row(item); return cells }},
	}
}

// OneLayout returns a view with the same cells in every format.
func OneLayout[T any](plural string, columns, csvColumns []string, row func(T) []string, gives ...int) *View[T] {
	l := Layout[T]{Columns: columns, Row: row, Gives: gives}
	return &View[T]{Plural: plural, Table: l, Wide: l, CSV: Layout[T]{Columns: csvColumns, Row: row}}
}

// Printer prints items in the selected format, immediately if the format allows
// that, or else at the end.
type Printer[T any] struct {
	term   *Terminal
	view   *View[T]
	Format string
	color  bool

	count     int
	rows      [][]string // collected for a table
	documents [][]byte   // collected for one JSON document
	csv       *csv.Writer
}

// NewPrinter returns a Printer for the flags. It prints nothing.
func NewPrinter[T any](term *Terminal, o *Output, v *View[T]) (*Printer[T], error) {
	if o.json {
		o.Format = FormatJSON
	}
	if err := OneOf("output", o.Format, formats...); err != nil {
		return nil, err
	}
	if err := OneOf("color", o.Color, "auto", "always", "never"); err != nil {
		return nil, err
	}
	p := &Printer[T]{term: term, view: v, Format: o.Format}
	p.color = o.Color == "always" ||
		o.Color == "auto" && term.StdoutTTY && term.Getenv("NO_COLOR") == "" && term.Getenv("TERM") != "dumb"
	return p, nil
}

// Streams reports whether items are printed as they are added.
func (p *Printer[T]) Streams() bool { return p.Format == FormatJSONL || p.Format == formatCSV }

// Add prints an item, or keeps it until End.
func (p *Printer[T]) Add(item T) error {
	p.count++
	switch p.Format {
	case FormatTable:
		p.rows = append(p.rows, p.view.Table.of(item)...)
	case formatWide:
		p.rows = append(p.rows, p.view.Wide.of(item)...)
	case formatCSV:
		return p.addCSV(item)
	default:
		data, err := marshal(p.view.document(item))
		if err != nil {
			return err
		}
		if p.Format == FormatJSONL {
			_, err = p.term.Stdout.Write(append(data, '\n'))
			return err
		}
		p.documents = append(p.documents, data)
	}
	return nil
}

func (p *Printer[T]) addCSV(item T) error {
	if err := p.startCSV(); err != nil {
		return err
	}
	for _, row := range p.view.CSV.of(item) {
		if p.term.StdoutTTY {
			row = sanitizeAll(row)
		}
		if err := p.csv.Write(row); err != nil {
			return err
		}
	}
	// Flush whole items, so that an interrupted command does not print parts of
	// one.
	p.csv.Flush()
	return p.csv.Error()
}

func (p *Printer[T]) startCSV() error {
	if p.csv != nil {
		return nil
	}
	p.csv = csv.NewWriter(p.term.Stdout)
	p.csv.UseCRLF = true // RFC 4180, section 2
	return p.csv.Write(p.view.CSV.Columns)
}

// End prints the collected items, or reports that there are none.
func (p *Printer[T]) End() error {
	switch p.Format {
	case FormatTable, formatWide:
		if p.count == 0 {
			p.term.Linef("no %s", p.view.Plural)
			return nil
		}
		if p.Format == formatWide {
			return p.writeTable(p.view.Wide.Columns, nil)
		}
		return p.writeTable(p.view.Table.Columns, p.view.Table.Gives)
	case FormatJSON:
		array := append([]byte{'['}, bytes.Join(p.documents, []byte{','})...)
		return writeIndented(p.term.Stdout, append(array, ']'))
	case formatCSV:
		if err := p.startCSV(); err != nil {
			return err
		}
		p.csv.Flush()
		return p.csv.Error()
	}
	return nil
}

// PrintAll prints a whole list.
func (p *Printer[T]) PrintAll(items []T) error {
	for _, item := range items {
		if err := p.Add(item); err != nil {
			return err
		}
	}
	return p.End()
}

// PrintOne prints a single item. In JSON it is not in an array.
func (p *Printer[T]) PrintOne(item T) error {
	if p.Format == FormatJSON {
		return PrintJSON(p.term.Stdout, p.view.document(item))
	}
	return p.PrintAll([]T{item})
}

// marshal encodes v as the API does, and escapes all control characters that
// could affect a terminal. JSON requires that for those of ASCII only.
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
		// Such characters only occur in strings.
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

// PrintJSON prints a value as one JSON document.
func PrintJSON(w io.Writer, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return writeIndented(w, data)
}

// writeIndented only changes white space: members keep their order and numbers
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

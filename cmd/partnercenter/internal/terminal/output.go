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

	formatText = "text" // of what is no resource
)

var formats = []string{FormatTable, formatWide, FormatJSON, FormatJSONL, formatCSV}

// Output are the flags of commands that print resources.
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
	f.StringVar(&o.Color, "color", "auto", "colour tables: `when` is auto (on a terminal, unless NO_COLOR is set), always or never")
	Choices(cmd, "output", formats...)
	Choices(cmd, "color", "auto", "always", "never")
}

// TextOrJSON are the flags of commands that print something else than resources.
type TextOrJSON struct {
	format string
	json   bool
}

// AddFlags adds the flags to a command, or to a group by its persistent ones.
func (o *TextOrJSON) AddFlags(cmd *cobra.Command, f *pflag.FlagSet) {
	f.StringVarP(&o.format, "output", "o", formatText, "`format`: text or json")
	f.BoolVar(&o.json, "json", false, "same as -o json")
	Choices(cmd, "output", formatText, FormatJSON)
}

// WantsJSON checks the flags, and reports which of the two it is.
func (o *TextOrJSON) WantsJSON() (bool, error) {
	if o.json {
		return true, nil
	}
	return o.format == FormatJSON, OneOf("output", o.format, formatText, FormatJSON)
}

// OutputHelp ends the help of commands that print lists.
func OutputHelp(csvColumns []string) string {
	return `

On a terminal the table is drawn and fitted to its width. Elsewhere it is one
line a row with tabs between the columns, below a line with their names; -o wide
has more columns. -o json prints the service's own JSON as an array, fields that
this program does not know included; -o jsonl the same with one item a line.

-o csv (RFC 4180) always has these columns; later versions may add some at the
end. Values are as the service has them: a spreadsheet may take one that begins
with = for a formula.

` + Wrap(csvColumns, 78)
}

// Layout is the columns of a format, and what stands in them.
type Layout[T any] struct {
	Columns []string
	Row     func(T) []string
	Rows    func(T) [][]string // in place of row, of an item that may take several
	// Gives are the columns that are shortened when a terminal is too narrow.
	Gives []int
}

func (l *Layout[T]) of(item T) [][]string {
	if l.Rows != nil {
		return l.Rows(item)
	}
	return [][]string{l.Row(item)}
}

// View is how items of a kind are printed.
type View[T any] struct {
	Plural      string // names the items when there are none
	Table, Wide Layout[T]
	CSV         Layout[T]   // its columns are documented: add at the end only
	Resource    func(T) any // what JSON formats print; nil: the item
}

func (v *View[T]) document(item T) any {
	if v.Resource == nil {
		return item
	}
	return v.Resource(item)
}

// NewView returns the view of things that take a row each, of which the columns
// that give are shortened in tables on narrow terminals.
func NewView[T any](plural string, table, wide, csv []string, row func(T) (table, wide, csv []string), gives ...int) *View[T] {
	return &View[T]{
		Plural: plural,
		Table:  Layout[T]{Columns: table, Gives: gives, Row: func(item T) []string { cells, _, _ := row(item); return cells }},
		Wide:   Layout[T]{Columns: wide, Row: func(item T) []string { _, cells, _ := row(item); return cells }},
		CSV:    Layout[T]{Columns: csv, Row: func(item T) []string { _, _, cells := row(item); return cells }},
	}
}

// OneLayout is for things that have few facts: the same in every format.
func OneLayout[T any](plural string, columns, csvColumns []string, row func(T) []string, gives ...int) *View[T] {
	l := Layout[T]{Columns: columns, Row: row, Gives: gives}
	return &View[T]{Plural: plural, Table: l, Wide: l, CSV: Layout[T]{Columns: csvColumns, Row: row}}
}

// Printer prints items in the chosen format: at once where a format allows it,
// at the end where all must be known first.
type Printer[T any] struct {
	app    *Terminal
	view   *View[T]
	Format string
	color  bool

	count     int
	rows      [][]string // gathered for a table
	documents [][]byte   // gathered for one JSON document
	csv       *csv.Writer
}

// NewPrinter checks the flags; it prints nothing yet.
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
	p := &Printer[T]{app: term, view: v, Format: o.Format}
	p.color = o.Color == "always" ||
		o.Color == "auto" && term.StdoutTTY && term.Getenv("NO_COLOR") == "" && term.Getenv("TERM") != "dumb"
	return p, nil
}

// Streams reports whether items are printed as they are added.
func (p *Printer[T]) Streams() bool { return p.Format == FormatJSONL || p.Format == formatCSV }

// Add prints an item, or keeps it until End where all must be known first.
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
			_, err = p.app.Stdout.Write(append(data, '\n'))
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
		if p.app.StdoutTTY {
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

func (p *Printer[T]) startCSV() error {
	if p.csv != nil {
		return nil
	}
	p.csv = csv.NewWriter(p.app.Stdout)
	p.csv.UseCRLF = true // RFC 4180, section 2
	return p.csv.Write(p.view.CSV.Columns)
}

// End prints what was gathered, or says that there was nothing.
func (p *Printer[T]) End() error {
	switch p.Format {
	case FormatTable, formatWide:
		if p.count == 0 {
			p.app.Linef("no %s", p.view.Plural)
			return nil
		}
		if p.Format == formatWide {
			return p.writeTable(p.view.Wide.Columns, nil)
		}
		return p.writeTable(p.view.Table.Columns, p.view.Table.Gives)
	case FormatJSON:
		array := append([]byte{'['}, bytes.Join(p.documents, []byte{','})...)
		return writeIndented(p.app.Stdout, append(array, ']'))
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

// PrintOne prints a single item, unless there was an error in getting it. In JSON
// formats it is itself, not a list of it.
func (p *Printer[T]) PrintOne(item T, err error) error {
	switch {
	case err != nil:
		return err
	case p.Format == FormatJSON:
		return PrintJSON(p.app.Stdout, p.view.document(item))
	}
	return p.PrintAll([]T{item})
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

// PrintJSON prints a value as one JSON document.
func PrintJSON(w io.Writer, v any) error {
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

package terminal

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// The formats of -o.
const (
	FormatTable = "table"
	formatWide  = "wide"
	FormatJSON  = "json"
	FormatJSONL = "jsonl"
	formatCSV   = "csv"
	formatYAML  = "yaml"

	formatText = "text" // for output other than resources
)

var formats = []string{FormatTable, formatWide, FormatJSON, FormatJSONL, formatCSV, formatYAML}

// Output holds the flags of commands that print resources.
type Output struct {
	Format string
	Color  string
	documentFlags
	columns, sort    string
	limit            int
	noHeaders, excel bool
}

// AddFlags adds the flags for a view's columns, for a list also those that select and
// order items.
func (o *Output) AddFlags(cmd *cobra.Command, columns []string, list bool) {
	f := cmd.Flags()
	f.StringVarP(&o.Format, "output", "o", FormatTable, "`format`: table, wide, json, jsonl, csv or yaml")
	o.addFlags(f)
	f.StringVar(&o.columns, "columns", "", "columns of tables and CSV, by `names` with commas: those of -o csv")
	f.BoolVar(&o.noHeaders, "no-headers", false, "leave out the names of columns")
	f.BoolVar(&o.excel, "excel", false, "CSV for Excel: with a byte order mark, and formulas as text")
	if list {
		f.StringVar(&o.sort, "sort", "", "sort by this `column`, of those of --columns; in reverse with a - before it")
		f.IntVar(&o.limit, "limit", 0, "print at most `N` items; 0 means all")
	}
	f.StringVar(&o.Color, "color", "auto", "`when` to colour tables: auto (on a terminal, unless NO_COLOR is set), always or never")
	Choices(cmd, "output", formats...)
	Choices(cmd, "color", "auto", "always", "never")
	completeAfter(cmd, "columns", ",", columns)
	if list {
		completeAfter(cmd, "sort", "-", columns)
	}
}

// completeAfter completes names in a flag, also after the last separator.
func completeAfter(cmd *cobra.Command, flag, separator string, names []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		kept := start[:strings.LastIndex(start, separator)+1]
		completions := make([]cobra.Completion, len(names))
		for i, name := range names {
			completions[i] = kept + name
		}
		return completions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}) // the flag exists
}

// resolve checks the flags.
func (o *Output) resolve() (err error) {
	if o.excel && o.Format == FormatTable && !o.json {
		o.Format = formatCSV
	}
	if o.Format, err = o.documentFlags.resolve(o.Format, FormatTable); err != nil {
		return err
	}
	asTable := o.Format == FormatTable || o.Format == formatWide || o.Format == formatCSV
	switch {
	case !slices.Contains(formats, o.Format):
		return OneOf("output", o.Format, formats...)
	case o.excel && o.Format != formatCSV:
		return Usagef("--excel is for -o csv, not for -o %s", o.Format)
	case o.columns != "" && !asTable:
		return Usagef("--columns is for tables and CSV: with -o %s use --jq or --template", o.Format)
	case o.noHeaders && !asTable:
		return Usagef("--no-headers is for tables and CSV, not for -o %s", o.Format)
	case o.limit < 0:
		return Usagef("--limit %d is negative: 0 means all", o.limit)
	}
	return OneOf("color", o.Color, "auto", "always", "never")
}

// OutputHelp returns the end of the help of commands that print lists.
func OutputHelp(csvColumns []string) string {
	return `

On a terminal, tables are fitted to its width, from 40 columns on: columns are left out,
and ids and dates shortened. Elsewhere columns are separated by tabs. -o wide has all
columns, and whole values. -o json prints the service's JSON as an array, including
fields that this program does not know, -o yaml the same as YAML, and -o jsonl one item
per line.

-o csv (RFC 4180) always has the columns below; later versions may append more.
Values are those of the service: a spreadsheet may take one that begins with = for a
formula, unless it is written with --excel.

` + Wrap(csvColumns, 78)
}

// Shown says where a column is, unless --columns names it.
type Shown int

// The places of columns.
const (
	InTables  Shown = iota
	OnlyWide        // with -o wide
	OnlyTable       // without -o wide
	Hidden
)

// Kind says how a column is shortened and painted.
type Kind int

// The kinds of columns.
const (
	Text Kind = iota
	ID
	State
	Amount // with its currency
	Whole  // is to be copied: never shortened, and left out after all others
)

// Column is a column of a list.
type Column[T any] struct {
	Name   string // in CSV, and for --columns and --sort
	Header string // in tables; by default the name in words
	Shown  Shown
	// Rank orders the columns that narrow terminals leave out: the highest first. A
	// column of rank 0 stays.
	Rank int
	Kind Kind
	// PerRow reports that the column differs between the rows of an item.
	PerRow bool
	// Value is text, an enum, a number, a flag, a date, an amount or nil.
	Value func(T) any
}

// View describes how items of a type are printed.
type View[T any] struct {
	Plural  string // name of the items, for when there are none
	Columns []Column[T]
	// CSV are the names of the columns of CSV, in order. They are documented: append
	// only. By default they are those of all columns.
	CSV []string
	// Rows splits an item where a column is asked for that differs between its parts.
	Rows     func(T) []T
	Resource func(T) any                        // what JSON formats print; nil means the item
	Detail   func(item T, now time.Time) []Fact // what is printed of a single item; nil means all columns
}

// CSVColumns returns the names of the columns of CSV.
func (v *View[T]) CSVColumns() []string {
	if v.CSV != nil {
		return v.CSV
	}
	return v.Names()
}

// Names returns the names of all columns.
func (v *View[T]) Names() []string {
	names := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		names[i] = c.Name
	}
	return names
}

func (v *View[T]) document(item T) any {
	if v.Resource == nil {
		return item
	}
	return v.Resource(item)
}

// column returns a column by its name, in any case.
func (v *View[T]) column(flag, name string) (Column[T], error) {
	var names []string
	for _, c := range v.Columns {
		if ascii.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Column[T]{}, Usagef("--%s: there is no column %q%s; there are %s", flag, name, DidYouMean(name, names), strings.Join(names, ", "))
}

// columns returns the columns of a format.
func (v *View[T]) columns(o *Output) (columns []Column[T], err error) {
	names := v.CSVColumns()
	if o.columns != "" {
		names = strings.Split(o.columns, ",")
	} else if o.Format != formatCSV {
		for _, c := range v.Columns {
			if c.Shown == InTables || c.Shown == OnlyWide && o.Format == formatWide || c.Shown == OnlyTable && o.Format == FormatTable {
				columns = append(columns, c)
			}
		}
		return columns, nil
	}
	for _, name := range names {
		c, err := v.column("columns", strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// header returns a column's header: its name in capitals, in words.
func (c *Column[T]) header() string {
	if c.Header != "" {
		return c.Header
	}
	var words strings.Builder
	for i, r := range c.Name {
		if i > 0 && unicode.IsUpper(r) {
			words.WriteByte(' ')
		}
		words.WriteRune(unicode.ToUpper(r))
	}
	return words.String()
}

// Printer prints items in the selected format, immediately if the format allows
// that, or else at the end.
type Printer[T any] struct {
	*Output
	term    *Terminal
	view    *View[T]
	columns []Column[T]
	order   *Column[T] // to sort by, with backwards
	back    bool
	split   bool // whether items have a row for each of their parts
	color   bool

	count     int
	waiting   []T          // to be sorted
	table     *tableWriter // of tables
	documents [][]byte     // collected for one JSON document
	size      int          // of the collected ones, in bytes
	begun     int          // how many of them were printed before
	csv       *csv.Writer
}

// NewPrinter returns a Printer for the flags. It prints nothing.
func NewPrinter[T any](term *Terminal, o *Output, v *View[T]) (*Printer[T], error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	p := &Printer[T]{Output: o, term: term, view: v}
	var err error
	if p.columns, err = v.columns(o); err != nil {
		return nil, err
	}
	p.split = v.Rows != nil && slices.ContainsFunc(p.columns, func(c Column[T]) bool { return c.PerRow })
	if o.sort != "" {
		name, back := strings.CutPrefix(o.sort, "-")
		c, err := v.column("sort", name)
		if err != nil {
			return nil, err
		}
		p.order, p.back = &c, back
	}
	p.color = o.Color == "always" ||
		o.Color == "auto" && term.StdoutTTY && term.Getenv("NO_COLOR") == "" && !term.dumb()
	return p, nil
}

// Sorts reports whether items are kept until there is the last.
func (p *Printer[T]) Sorts() bool { return p.order != nil }

// Streams reports whether items are printed as they are added.
func (p *Printer[T]) Streams() bool {
	return p.order == nil && (p.Format == FormatJSONL || p.Format == formatCSV || p.Format == formatYAML)
}

// Prints reports whether a column is printed or sorted by.
func (p *Printer[T]) Prints(name string) bool {
	return !p.Documents() && slices.ContainsFunc(p.columns, func(c Column[T]) bool { return c.Name == name }) ||
		p.order != nil && p.order.Name == name
}

// Full reports whether no more items are printed after these and n more.
func (p *Printer[T]) Full(n int) bool {
	return p.limit > 0 && p.order == nil && p.count+n >= p.limit
}

// Add prints an item, or keeps it until End.
func (p *Printer[T]) Add(item T) error {
	if p.order != nil {
		if len(p.waiting) == walk.MaxItems {
			return fmt.Errorf("--sort needs the whole list, and it has more than %d items: leave it out, or select fewer", walk.MaxItems)
		}
		p.waiting = append(p.waiting, item)
		return nil
	}
	if p.Full(0) {
		return nil
	}
	return p.emit(item)
}

func (p *Printer[T]) emit(item T) error {
	p.count++
	switch p.Format {
	case FormatTable, formatWide:
		return p.addRows(item)
	case formatCSV:
		return p.addCSV(item)
	}
	data, err := marshal(p.view.document(item))
	if err != nil {
		return err
	}
	switch p.Format {
	case FormatJSONL:
		return p.print(p.term.Stdout, data, FormatJSONL)
	case formatYAML: // sequences after each other are one
		return p.print(p.term.Stdout, slices.Concat([]byte{'['}, data, []byte{']'}), formatYAML)
	}
	p.documents, p.size = append(p.documents, data), p.size+len(data)
	switch {
	case p.query == nil && p.text == nil:
		if len(p.documents) >= MaxHeld || p.size >= MaxHeldSize {
			return p.printDocuments()
		}
	case len(p.documents) > walk.MaxItems:
		return fmt.Errorf("--jq and --template read the whole list, and it has more than %d items: use them with -o jsonl, an item at a time", walk.MaxItems)
	case p.size > partnercenter.DefaultMaxAnswerSize:
		return fmt.Errorf("--jq and --template read the whole list, and it has more than %d bytes: use them with -o jsonl, an item at a time", partnercenter.DefaultMaxAnswerSize)
	}
	return nil
}

const (
	// MaxHeld is how many items of a list are held back, so that one which fails prints
	// nothing. A longer list is printed as it comes, as it may not fit into memory.
	MaxHeld = 10_000
	// MaxHeldSize is how many bytes they may have.
	MaxHeldSize = 64 << 20
)

// printDocuments prints the collected part of a JSON document.
func (p *Printer[T]) printDocuments() error {
	b := bufio.NewWriter(p.term.Stdout)
	for _, document := range p.documents {
		b.WriteByte("[,"[min(p.begun, 1)])
		b.WriteString("\n  ")
		indent(b, document, 1)
		p.begun++
	}
	clear(p.documents)
	p.documents, p.size = p.documents[:0], 0
	return b.Flush()
}

// endDocuments prints the rest of a JSON document.
func (p *Printer[T]) endDocuments() error {
	switch {
	case p.query != nil || p.text != nil:
		array := slices.Concat([]byte{'['}, bytes.Join(p.documents, []byte{','}), []byte{']'})
		return p.print(p.term.Stdout, array, p.Format)
	case p.begun+len(p.documents) == 0:
		_, err := io.WriteString(p.term.Stdout, "[]\n")
		return err
	}
	if err := p.printDocuments(); err != nil {
		return err
	}
	_, err := io.WriteString(p.term.Stdout, "\n]\n")
	return err
}

// rows returns the items of the rows of an item.
func (p *Printer[T]) rows(item T) []T {
	if p.split {
		return p.view.Rows(item)
	}
	return []T{item}
}

func (p *Printer[T]) addRows(item T) error {
	if p.table == nil {
		p.table = newTable(p.term, p.color, p.Format == formatWide, !p.noHeaders)
		for i := range p.columns {
			p.table.addColumn(p.columns[i].header(), p.columns[i].Kind, p.columns[i].Rank)
		}
	}
	for _, row := range p.rows(item) {
		values := make([]any, len(p.columns))
		for i := range p.columns {
			values[i] = p.columns[i].Value(row)
		}
		if err := p.table.add(values); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer[T]) addCSV(item T) error {
	if err := p.startCSV(); err != nil {
		return err
	}
	for _, row := range p.rows(item) {
		cells := make([]string, len(p.columns))
		for i, c := range p.columns {
			value := c.Value(row)
			cells[i] = escape(exactCell(value), unsafeInCSV)
			if _, isText := value.(string); p.term.StdoutTTY {
				cells[i] = Sanitize(cells[i])
			} else if isText && p.excel && beginsFormula(cells[i]) {
				cells[i] = "'" + cells[i]
			}
		}
		if err := p.csv.Write(cells); err != nil {
			return err
		}
	}
	// Flush whole items, so that an interrupted command does not print parts of
	// one.
	p.csv.Flush()
	return p.csv.Error()
}

// beginsFormula reports whether a spreadsheet may take a cell for a formula: some skip
// white space before it, and some read the wide forms of the characters. A tab is escaped.
func beginsFormula(text string) bool {
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	return strings.HasPrefix(text, "\r") || strings.HasPrefix(text, "\n") ||
		trimmed != "" && strings.ContainsAny(width.Narrow.String(trimmed)[:1], "=+-@")
}

func (p *Printer[T]) startCSV() error {
	if p.csv != nil {
		return nil
	}
	if p.excel {
		if _, err := p.term.Stdout.Write([]byte("\xef\xbb\xbf")); err != nil {
			return err
		}
	}
	p.csv = csv.NewWriter(p.term.Stdout)
	p.csv.UseCRLF = true // RFC 4180, section 2
	if p.noHeaders {
		return nil
	}
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = c.Name
	}
	return p.csv.Write(names)
}

// End prints the collected items, or reports that there are none.
func (p *Printer[T]) End() error {
	if err := p.printSorted(); err != nil {
		return err
	}
	switch p.Format {
	case FormatTable, formatWide:
		if p.count == 0 {
			p.term.Linef("no %s", p.view.Plural)
			return nil
		}
		return p.table.end()
	case formatYAML:
		if p.count == 0 {
			return p.print(p.term.Stdout, []byte("[]"), formatYAML)
		}
	case FormatJSON:
		return p.endDocuments()
	case formatCSV:
		if err := p.startCSV(); err != nil {
			return err
		}
		p.csv.Flush()
		return p.csv.Error()
	}
	return nil
}

func (p *Printer[T]) printSorted() error {
	if p.order == nil {
		return nil
	}
	slices.SortStableFunc(p.waiting, func(a, b T) int {
		order := compareValues(p.order.Value(a), p.order.Value(b))
		if p.back {
			order = -order
		}
		return order
	})
	if p.limit > 0 {
		p.waiting = p.waiting[:min(p.limit, len(p.waiting))]
	}
	for _, item := range p.waiting {
		if err := p.emit(item); err != nil {
			return err
		}
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

// PrintOne prints a single item. In JSON it is not in an array, and in place of a table
// of one row there are its details.
func (p *Printer[T]) PrintOne(item T) error {
	switch {
	case p.Documents():
		return p.PrintDocument(p.view.document(item))
	case !p.Details():
		return p.PrintAll([]T{item})
	}
	return p.printDetail(item)
}

// Details reports whether a single item is printed in detail, for people.
func (p *Printer[T]) Details() bool {
	return !p.Documents() && p.Format != formatCSV && p.Output.columns == ""
}

// Documents reports whether the format is one of those of JSON.
func (p *Printer[T]) Documents() bool {
	return p.Format == FormatJSON || p.Format == FormatJSONL || p.Format == formatYAML
}

// PrintDocument prints a value in such a format.
func (p *Printer[T]) PrintDocument(v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return p.print(p.term.Stdout, data, p.Format)
}

// compareValues orders values of columns: amounts, numbers and dates by value, absent
// ones first.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case partnercenter.Time:
		return a.Compare(b.(partnercenter.Time))
	case *int:
		b := b.(*int)
		if a == nil || b == nil {
			return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
		}
		return cmp.Compare(*a, *b)
	case partnercenter.Decimal:
		return a.Cmp(b.(partnercenter.Decimal))
	}
	return strings.Compare(strings.ToLower(cell(a)), strings.ToLower(cell(b)))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

package terminal

import (
	"bufio"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/partnercenter-go/partnercenter"
)

// tableWriter draws a table on a terminal, or writes cells separated by tabs. The first
// rows decide how wide the columns of a terminal are; later ones are written as they
// come, so that a long list does not have to fit into memory.
type tableWriter struct {
	term          *Terminal
	color, whole  bool // whole: whatever the width
	headers       bool
	columns       []tableColumn
	rows          [][]string // until the layout is known
	laidOut       bool
	out           *bufio.Writer
	separator     string
	beyondMeasure bool // there are more rows than decide
}

type tableColumn struct {
	header    string
	kind      Kind
	rank      int
	isDate    bool
	left      bool // left out
	width     int
	shortened int // to this number of characters, if it is not 0
}

// measured is how many rows decide the widths.
const measured = 1000

func newTable(term *Terminal, color, whole, headers bool) *tableWriter {
	t := &tableWriter{term: term, color: color, whole: whole, headers: headers, out: bufio.NewWriter(term.Stdout), separator: "  "}
	if !term.StdoutTTY {
		t.separator = "\t"
	}
	return t
}

func (t *tableWriter) addColumn(header string, kind Kind, rank int) {
	t.columns = append(t.columns, tableColumn{header: header, kind: kind, rank: rank})
}

// add adds a row of values.
func (t *tableWriter) add(values []any) error {
	row := make([]string, len(values))
	for i, value := range values {
		row[i] = Sanitize(cell(value))
		switch value.(type) {
		case partnercenter.Time:
			t.columns[i].isDate = true
		case *int, partnercenter.Decimal:
			t.columns[i].kind = Amount
		}
	}
	if t.laidOut {
		return t.write(row)
	}
	if len(t.rows) < measured {
		t.rows = append(t.rows, row)
		return nil
	}
	t.beyondMeasure = true
	if err := t.layOut(); err != nil {
		return err
	}
	return t.write(row)
}

// end writes what was not yet written.
func (t *tableWriter) end() error {
	if err := t.layOut(); err != nil {
		return err
	}
	return t.out.Flush()
}

// layOut decides the widths of the columns and writes the rows so far.
func (t *tableWriter) layOut() error {
	if t.laidOut {
		return nil
	}
	t.laidOut = true
	if t.term.StdoutTTY {
		t.term.StopBar() // it would be drawn between the rows
	}
	for i := range t.columns {
		t.measure(i)
	}
	if t.term.StdoutTTY && !t.whole && t.term.Width > 0 {
		t.fit()
	}
	if t.headers {
		if err := t.writeHeader(); err != nil {
			return err
		}
	}
	for _, row := range t.rows {
		if err := t.write(row); err != nil {
			return err
		}
	}
	t.rows = nil
	return nil
}

func (t *tableWriter) measure(i int) {
	c := &t.columns[i]
	c.width = 0
	if t.headers {
		c.width = text.StringWidth(c.header)
	}
	for _, row := range t.rows {
		c.width = max(c.width, text.StringWidth(c.shorten(row[i])))
	}
}

// shorten returns a cell as it is shown.
func (c *tableColumn) shorten(cell string) string {
	switch {
	case c.shortened == 0:
	case c.isDate:
		return strings.ReplaceAll(cell[:min(c.shortened, len(cell))], "T", " ")
	case c.kind == ID && len(cell) > c.shortened+1:
		return cell[:c.shortened] + "…"
	}
	return cell
}

// The widths to which columns of text are shortened: first a little, and as much as it
// takes once columns are left out.
const (
	comfortable = 16
	narrow      = 8
)

// fit makes the table as wide as the terminal: it shortens text, dates and ids, leaves
// columns out by rank, and then shortens text further.
func (t *tableWriter) fit() {
	t.shortenText(comfortable)
	for i := range t.columns {
		if t.excess() > 0 && t.columns[i].isDate {
			t.shortenDates(i)
		}
	}
	for i := range t.columns {
		if t.excess() > 0 && t.columns[i].kind == ID {
			t.shortenIDs(i)
		}
	}
	var left []int
	for t.excess() > 0 {
		out := -1
		for i, c := range t.columns {
			if !c.left && c.rank > 0 && (out < 0 || c.leaves() > t.columns[out].leaves()) {
				out = i
			}
		}
		if out < 0 {
			break
		}
		t.columns[out].left = true
		left = append(left, out)
	}
	if slices.ContainsFunc(t.columns, func(c tableColumn) bool { return c.kind == Whole }) {
		for _, i := range slices.Backward(left) { // wide ones may leave room for others
			t.columns[i].left = false
			t.columns[i].left = t.excess() > 0
		}
	}
	t.shortenText(narrow)
	t.widenText()
}

// excess returns by how much the table is too wide.
func (t *tableWriter) excess() int {
	excess := -len(t.separator) - t.term.Width
	for _, c := range t.columns {
		if !c.left {
			excess += c.width + len(t.separator)
		}
	}
	return excess
}

// leaves orders the columns that are left out: the greatest first.
func (c *tableColumn) leaves() int {
	if c.kind == Whole {
		return c.rank - maxRank
	}
	return c.rank
}

// maxRank is more than any rank.
const maxRank = 1000

func (c *tableColumn) isText() bool { return c.kind == Text && !c.isDate }

// shortenText shortens the widest columns of text, none below least.
func (t *tableWriter) shortenText(least int) {
	for t.excess() > 0 {
		widest := -1
		for i, c := range t.columns {
			if !c.left && c.isText() && c.width > least && (widest < 0 || c.width > t.columns[widest].width) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.columns[widest].width--
	}
}

// widenText gives the space that is left to the columns of text that were shortened.
func (t *tableWriter) widenText() {
	for i := range t.columns {
		c := &t.columns[i]
		if c.left || !c.isText() {
			continue
		}
		given := c.width
		t.measure(i)
		c.width = max(given, min(c.width, given-min(0, t.excess()-c.width+given)))
	}
}

// shortenDates leaves out the time of day, or its seconds, where dates stay different.
func (t *tableWriter) shortenDates(i int) {
	for _, length := range []int{len("2006-01-02"), len("2006-01-02T15:04")} {
		if t.shortenTo(i, length) {
			return
		}
	}
}

const (
	shortID = 8
	// moreOfID is how many more characters of ids a table shows that has more rows than
	// decide: those to come are not known.
	moreOfID = 4
)

// shortenIDs shortens ids to what tells them apart.
func (t *tableWriter) shortenIDs(i int) {
	for length := shortID; length+1 < t.columns[i].width; length++ {
		if !t.shortenTo(i, length) {
			continue
		}
		if t.beyondMeasure {
			t.shortenTo(i, length+moreOfID)
		}
		return
	}
}

// shortenTo shortens a column's cells to a number of characters if different ones stay
// different.
func (t *tableWriter) shortenTo(i, length int) bool {
	c := &t.columns[i]
	c.shortened = length
	whole := map[string]string{}
	for _, row := range t.rows {
		short := c.shorten(row[i])
		if known, ok := whole[short]; ok && known != row[i] {
			c.shortened = 0
			return false
		}
		whole[short] = row[i]
	}
	t.measure(i)
	return true
}

func (t *tableWriter) writeHeader() error {
	header := make([]string, len(t.columns))
	for i, c := range t.columns {
		header[i] = c.header
	}
	return t.writeCells(header, func(_ int, cell string) string {
		if t.color {
			return bold(cell)
		}
		return cell
	})
}

func (t *tableWriter) write(row []string) error {
	for i := range t.columns {
		row[i] = t.columns[i].shorten(row[i])
	}
	return t.writeCells(row, func(i int, cell string) string {
		if t.color && t.columns[i].kind == State {
			return paint(cell)
		}
		return cell
	})
}

func (t *tableWriter) writeCells(row []string, painted func(int, string) string) error {
	first, spaces := true, 0
	for i, c := range t.columns {
		if c.left {
			continue
		}
		if !first && !t.term.StdoutTTY {
			t.out.WriteString(t.separator)
		} else if !first {
			spaces += len(t.separator)
		}
		first = false
		shown := row[i]
		before, after := 0, 0
		if t.term.StdoutTTY {
			if c.isText() && t.term.Width > 0 && !t.whole {
				shown = text.Snip(shown, c.width, "…")
			}
			after = max(0, c.width-text.StringWidth(shown))
			if c.kind == Amount {
				before, after = after, 0
			}
		}
		if shown != "" { // blanks are written before text only, not at the end of a line
			t.out.WriteString(strings.Repeat(" ", spaces+before) + painted(i, shown))
			spaces, before = 0, 0
		}
		spaces += before + after
	}
	return t.out.WriteByte('\n')
}

func bold(s string) string { return "\x1b[1m" + s + "\x1b[0m" }

// paint colours the states of resources.
func paint(state string) string {
	var color string
	switch partnercenter.OrderStatus(state).Normalize() {
	case partnercenter.OrderStatusCompleted, partnercenter.OrderStatusPOUploadComplete, "active":
		color = "\x1b[32m"
	case partnercenter.OrderStatusPending, partnercenter.OrderStatusPendingReview, partnercenter.OrderStatusPendingPOUpload, partnercenter.OrderStatusSuspended:
		color = "\x1b[33m"
	case partnercenter.OrderStatusCancelled, partnercenter.OrderStatusError, partnercenter.OrderStatusPOReviewRejected, "deleted", "expired", "disabled":
		color = "\x1b[31m"
	default:
		return state
	}
	return color + state + "\x1b[0m"
}

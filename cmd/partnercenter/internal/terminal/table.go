package terminal

import (
	"bufio"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/partnercenter-go/partnercenter"
)

// writeTable draws the rows on a terminal, or writes them separated by tabs.
// The columns in gives are shortened to fit, in that order.
func (p *Printer[T]) writeTable(columns []string, gives []int) error {
	for i, row := range p.rows {
		p.rows[i] = sanitizeAll(row)
	}
	if p.color {
		text.EnableColors()
	} else {
		text.DisableColors()
	}
	if !p.term.StdoutTTY {
		return p.writePlain(columns)
	}
	t := table.NewWriter()
	t.SetOutputMirror(p.term.Stdout)
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Color.Header = text.Colors{text.Bold}
	t.AppendHeader(tableRow(columns))
	for _, row := range p.rows {
		t.AppendRow(tableRow(row))
	}
	widths := p.fit(columns, gives)
	var configs []table.ColumnConfig
	for i, name := range columns {
		config := table.ColumnConfig{Number: i + 1}
		if name == ColumnTotal || name == ColumnQuantity {
			config.Align, config.AlignHeader = text.AlignRight, text.AlignRight
		}
		if name == ColumnStatus {
			config.Transformer = func(v any) string { return paint(name, v.(string)) }
		}
		if slices.Contains(gives, i) {
			config.WidthMax = widths[i]
			config.WidthMaxEnforcer = func(cell string, width int) string { return text.Snip(cell, width, "…") }
		}
		configs = append(configs, config)
	}
	t.SetColumnConfigs(configs)
	t.Render()
	return nil
}

// Columns with special formatting.
const (
	ColumnStatus   = "STATUS"
	ColumnTotal    = "TOTAL"
	ColumnQuantity = "QUANTITY"
)

// minimumWidth is the minimum width of a shortened column.
const minimumWidth = 16

// fit returns the widths of the columns, with those in gives shortened until
// the table fits the terminal.
func (p *Printer[T]) fit(columns []string, gives []int) []int {
	widths := make([]int, len(columns))
	excess := 1 - p.term.Width // the border on the left
	for i, name := range columns {
		widths[i] = text.StringWidth(name)
		for _, row := range p.rows {
			widths[i] = max(widths[i], text.StringWidth(row[i]))
		}
		excess += widths[i] + 3 // padding, and the border on the right
	}
	if p.term.Width == 0 {
		return widths
	}
	for _, i := range gives {
		if cut := min(excess, widths[i]-minimumWidth); cut > 0 {
			widths[i] -= cut
			excess -= cut
		}
	}
	return widths
}

func (p *Printer[T]) writePlain(columns []string) error {
	w := bufio.NewWriter(p.term.Stdout)
	w.WriteString(text.Bold.Sprint(strings.Join(columns, "\t")) + "\n")
	for _, row := range p.rows {
		for i, cell := range row {
			if i > 0 {
				w.WriteByte('\t')
			}
			w.WriteString(paint(columns[i], cell))
		}
		w.WriteByte('\n')
	}
	return w.Flush()
}

// paint colours the states of orders.
func paint(column, cell string) string {
	if column != ColumnStatus {
		return cell
	}
	switch partnercenter.OrderStatus(cell).Normalize() {
	case partnercenter.OrderStatusCompleted, partnercenter.OrderStatusPOUploadComplete:
		return text.FgGreen.Sprint(cell)
	case partnercenter.OrderStatusPending, partnercenter.OrderStatusPendingPOUpload:
		return text.FgYellow.Sprint(cell)
	case partnercenter.OrderStatusCancelled:
		return text.FgRed.Sprint(cell)
	}
	return cell
}

func tableRow(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = cell
	}
	return row
}

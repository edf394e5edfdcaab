package terminal

import (
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Fact is a line of the details of an item. Without a name it goes on with the one
// before.
type Fact struct{ Name, Value string }

// Facts collects facts, without empty ones.
type Facts []Fact

// Add adds a fact unless its value is empty.
func (f *Facts) Add(name, value string) {
	if value != "" {
		*f = append(*f, Fact{name, value})
	}
}

func (p *Printer[T]) printDetail(item T) error {
	var facts Facts
	if p.view.Detail != nil {
		facts = p.view.Detail(item, p.term.ServiceNow())
	} else {
		for _, row := range p.view.allRows(item) {
			for i := range p.view.Columns {
				c := &p.view.Columns[i]
				if c.Shown != OnlyTable {
					facts.Add(ascii.ToLower(c.header()), cell(c.Value(row)))
				}
			}
		}
	}
	width := 0
	for _, fact := range facts {
		width = max(width, len(fact.Name))
	}
	var b strings.Builder
	for _, fact := range facts {
		value := Sanitize(fact.Value)
		if !p.term.StdoutTTY {
			b.WriteString(fact.Name + "\t" + value + "\n")
			continue
		}
		name := fact.Name
		indent, room := width+2, p.term.Width-width-2
		switch {
		case p.term.Width == 0 || p.Format == formatWide:
			room = len(value)
		case room < foldAtLeast:
			if name != "" {
				b.WriteString(name + "\n")
			}
			name, indent, room = "", 2, p.term.Width-2
		}
		for _, line := range foldText(value, room) {
			b.WriteString(name + strings.Repeat(" ", indent-len(name)) + p.paint(fact.Name, line) + "\n")
			name = ""
		}
	}
	_, err := p.term.Stdout.Write([]byte(b.String()))
	return err
}

// allRows returns the rows of an item.
func (v *View[T]) allRows(item T) []T {
	if v.Rows == nil {
		return []T{item}
	}
	return v.Rows(item)
}

func (p *Printer[T]) paint(name, value string) string {
	if p.color && name == "status" {
		return paint(value)
	}
	return value
}

package terminal

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

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
		room := p.term.Width - width - 2
		if p.term.Width == 0 || p.Format == formatWide {
			room = 0
		}
		for _, line := range fold(value, room) {
			b.WriteString(name + strings.Repeat(" ", width-len(name)+2) + p.paint(fact.Name, line) + "\n")
			name = ""
		}
	}
	_, err := p.term.Stdout.Write([]byte(b.String()))
	return err
}

// foldAtLeast is the least width to which a value is folded.
const foldAtLeast = 20

// fold divides a value into lines of at most width columns, if that is enough for any:
// behind blanks, or behind the slashes of addresses.
func fold(value string, width int) []string {
	if width < foldAtLeast {
		return []string{value}
	}
	var lines []string
	for text.StringWidth(value) > width {
		head := text.Trim(value, width)
		if at := strings.LastIndexAny(head, " /?"); at > 0 {
			head = head[:at+1]
		}
		lines = append(lines, strings.TrimRight(head, " "))
		value = value[len(head):]
	}
	return append(lines, value)
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

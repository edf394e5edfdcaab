package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter"
)

func TestSanitize(t *testing.T) {
	for text, want := range map[string]string{
		"Ümläut 株式会社 № 5":   "Ümläut 株式会社 № 5",
		"no\u00a0break":     "no\u00a0break",
		"a\tb\r\nc":         "a b  c",
		"\x1b[31mred\x1b[0": `\u001b[31mred\u001b[0`,
		"\u009b31m":         `\u009b31m`,
		"bad\xffutf8":       "bad\ufffdutf8",
		"\u202etxt.exe":     `\u202etxt.exe`,
		"👩🏽\u200d⚕\ufe0f 🏳\ufe0f\u200d🌈 क्\u200dष": "👩🏽\u200d⚕\ufe0f 🏳\ufe0f\u200d🌈 क्\u200dष",
		"a\u200db\u200d 👩\u200d":                   `a\u200db\u200d 👩\u200d`,
		"\x00\x07\x7f":                             `\u0000\u0007\u007f`,
	} {
		if got := Sanitize(text); got != want {
			t.Errorf("sanitize(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestMarshalKeepsTheValue escapes without changing what the JSON says.
func TestMarshalKeepsTheValue(t *testing.T) {
	order := partnercenter.Order{ID: "a\u009b\u202e\U000e0001\x1b\"é", LineItems: []partnercenter.OrderLineItem{{Quantity: new(0)}}}
	data, err := marshal(&order)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(string(data), unsafeRune) {
		t.Errorf("%q can steer a terminal", data)
	}
	var got struct{ ID string }
	if err := json.Unmarshal(data, &got); err != nil || got.ID != order.ID {
		t.Errorf("%v: %q is read as %q", err, data, got.ID)
	}
}

func TestBeginsFormula(t *testing.T) {
	for text, want := range map[string]bool{
		"=1": true, "+1": true, "-1": true, "@x": true, "\n=1": true, " =1": true, "\u00a0=1": true, "＝1": true, "＋1": true, "－1": true, "＠x": true,
		"\rx": true, "\nx": true, escape("\t=1", unsafeInCSV): false,
		"": false, "a=1": false, "é": false, "株式": false, "Ｘ": false, " ": false,
	} {
		if got := beginsFormula(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

// Values that people copy are whole or not there, and what fits besides them stays.
func TestWholeColumns(t *testing.T) {
	const password = "aG5FtHS2tnKgC_ixExV-O0auZ2SlKmL9g00YPGfG"
	for width, want := range map[int]string{
		40:  "USER                            MFA\nlong.user.name@contoso.example  yes\n",
		60:  "USER                            NAME                     MFA\nlong.user.name@contoso.example  Somebody with quite so…  yes\n",
		80:  "USER                            MFA  PASSWORD\nlong.user.name@contoso.example  yes  " + password + "\n",
		200: "USER                            NAME                           MFA  PASSWORD\nlong.user.name@contoso.example  Somebody with quite some name  yes  " + password + "\n",
	} {
		term, stdout, _ := testTerminal()
		term.StdoutTTY, term.Width = true, width
		table := newTable(term, false, false, true)
		for i, c := range []tableColumn{{header: "USER", kind: Whole}, {header: "NAME"}, {header: "MFA"}, {header: "PASSWORD", kind: Whole}} {
			table.addColumn(c.header, c.kind, i)
		}
		if err := errors.Join(table.add([]any{"long.user.name@contoso.example", "Somebody with quite some name", "yes", password}), table.end()); err != nil {
			t.Fatal(err)
		}
		if stdout.String() != want {
			t.Errorf("%d columns:\n%swant\n%s", width, stdout, want)
		}
	}
}

// Ids of a list that is longer than what decides the widths are shortened as well.
func TestManyIDs(t *testing.T) {
	term, stdout, _ := testTerminal()
	term.StdoutTTY, term.Width = true, 40
	table := newTable(term, false, false, true)
	table.addColumn("ID", ID, 0)
	table.addColumn("TEXT", Text, 0)
	for i := range measured + 2 {
		if err := table.add([]any{fmt.Sprintf("%08x-4c42-4b27-b17b-91a835d8686a", i), "some text that takes room"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.end(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(stdout.String(), "\n")
	if first, last := lines[1], lines[measured+2]; first != "00000000-4c4…  some text that takes room" || last != "000003e9-4c4…  some text that takes room" {
		t.Errorf("%q, %q", first, last)
	}
}

func TestCSVEscapes(t *testing.T) {
	term, stdout, _ := testTerminal()
	p, err := NewPrinter(term, &Output{Format: formatCSV, Color: "never"}, &View[string]{Columns: []Column[string]{{Name: "text", Value: func(s string) any { return s }}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.PrintAll([]string{"a\u202eb\u2066c\x1bd\u200be", "one\ttwo\nthree", "é"}); err != nil {
		t.Fatal(err)
	}
	if want := "text\r\na\\u202eb\\u2066c\\u001bd\\u200be\r\n\"one\\ttwo\r\nthree\"\r\né\r\n"; stdout.String() != want {
		t.Errorf("%q", stdout)
	}
}

// The error of a query does not repeat all of the JSON.
func TestQueryErrorsAreShort(t *testing.T) {
	for _, query := range []string{"error", "halt_error", ".a.b"} {
		d := documentFlags{jq: query}
		if _, err := d.resolve(FormatJSON, FormatJSON); err != nil {
			t.Fatal(err)
		}
		err := d.print(io.Discard, []byte(`{"a": "`+strings.Repeat("é", 5000)+`"}`), FormatJSON)
		if err == nil || len(err.Error()) > 300 || !utf8.ValidString(err.Error()) || !strings.Contains(err.Error(), "compare it with -o json") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

package terminal

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	for value, want := range map[string]string{
		"":                              "",
		"short":                         "short",
		"one two three":                 "one two|three",
		"self: /customers/1/orders/2":   "self: /customers/1/orders/2",
		"/customers/1/orders/2 is here": "/customers/1/orders/2|is here",
		"a  b":                          "a  b",
		"株式会社コントソ":                      "株式会社コ|ントソ",
		"A 株式会社 B":                      "A 株式会社|B",
		"ends with a blank ":            "ends with|a blank ",
	} {
		if got := strings.Join(fold(value, 10), "|"); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestFoldReport(t *testing.T) {
	const report = "ok       settings  the cloud, the base URL, and the app\n\nproduction.caFile:\n/etc/partnercenter/ca.pem\n"
	for width, want := range map[int]string{
		0:  report,
		40: "ok       settings  the cloud, the base\n                   URL, and the app\n\nproduction.caFile:\n/etc/partnercenter/ca.pem\n",
		30: "ok       settings\n    the cloud, the base URL,\n    and the app\n\nproduction.caFile:\n/etc/partnercenter/ca.pem\n",
		80: report,
	} {
		term, _, _ := testTerminal()
		term.StdoutTTY, term.Width = true, width
		if got := term.Fold(report); got != want {
			t.Errorf("%d columns: %s", width, got)
		}
	}
}

func TestFoldHelp(t *testing.T) {
	term, _, _ := testTerminal()
	term.StdoutTTY, term.Width = true, 40
	got := term.FoldHelp(`Show an order with its lines and with
what can be done with it until when.

Usage:
  partnercenter orders get ORDER --customer ID [flags]

Examples:
  partnercenter orders get ORDER --jq '.a b c d e f g'   # then look at it

Flags:
      --columns names   columns of tables and CSV
`)
	const want = `Show an order with its lines and with
what can be done with it until when.

Usage:
  partnercenter orders get ORDER
  --customer ID [flags]

Examples:
  partnercenter orders get ORDER \
      --jq '.a b c d e f g'
  # then look at it

Flags:
      --columns names
          columns of tables and CSV
`
	if got != want {
		t.Error(got)
	}
	term.Width = 30
	if got := term.FoldHelp("Show an order with its lines\nand with what can be done with it.\n\n  customerId, orderId, status,\n  billing\n  offer, total, currencyCode, price\n"); got != "Show an order with its lines\nand with what can be done with\nit.\n\n  customerId, orderId, status,\n  billing\n  offer, total, currencyCode,\n  price\n" {
		t.Errorf("%q", got)
	}
}

// Details have room for their values on any terminal.
func TestNarrowDetails(t *testing.T) {
	view := &View[int]{Columns: []Column[int]{
		{Name: "relationshipToPartner", Value: func(int) any { return "a reseller of the partner" }},
		{Name: "links", Value: func(int) any { return "self: /customers/b0d70a69-4c42-4b27-b17b-91a835d8686a" }},
	}}
	for width, want := range map[int]string{
		26: "relationship to partner\n  a reseller of the\n  partner\nlinks\n  self: /customers/b0d70a69-4c42-4b27-b17b-91a835d8686a\n",
		46: "relationship to partner  a reseller of the\n                         partner\nlinks                    self: /customers/b0d70a69-4c42-4b27-b17b-91a835d8686a\n",
	} {
		term, stdout, _ := testTerminal()
		term.StdoutTTY, term.Width = true, width
		p, err := NewPrinter(term, &Output{Format: FormatTable, Color: "never"}, view)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.PrintOne(1); err != nil || stdout.String() != want {
			t.Errorf("%d columns, %v:\n%s", width, err, stdout)
		}
	}
}

// TestParagraphs writes an error to a narrow terminal: nothing is wider, but what is
// copied.
func TestParagraphs(t *testing.T) {
	term, _, stderr := testTerminal()
	term.StderrTTY, term.StderrWidth = true, func() int { return 44 }
	term.Paragraph("error: ", `there is no "partnercenter serve" with /a/very/long/path/that/stays/as/it/is/local.json: start one with: partnercenter serve --ready-file 'a file' --listen 127.0.0.1:0`)
	term.Paragraph("  customer     ", "Contoso (b0d70a69-4c42-4b27-b17b-91a835d8686a)")
	term.Paragraph("  /a/member/with/a/long/name ", "a value of some words")
	term.Next("It is unknown.\n  partnercenter orders create --customer contoso --yes\n")
	want := `error: there is no "partnercenter serve"
       with /a/very/long/path/that/stays/as/it/is/local.json:
       start one with:
       partnercenter serve --ready-file \
       'a file' --listen 127.0.0.1:0
  customer     Contoso (b0d70a69-4c42-4b27-b17b-91a835d8686a)
  /a/member/with/a/long/name
    a value of some words
  It is unknown.
    partnercenter orders create --customer \
    contoso --yes
`
	if got := stderr.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	stderr.Reset()
	term.StderrWidth = func() int { return 39 }
	term.Paragraph("  ", "not folded: the terminal is too narrow for it")
	if want := "  not folded: the terminal is too narrow for it\n"; stderr.String() != want {
		t.Errorf("%q, want %q", stderr, want)
	}
}

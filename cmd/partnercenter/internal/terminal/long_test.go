package terminal

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// numbered is an item of long lists.
type numbered struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

var numberedView = &View[numbered]{
	Plural: "items",
	Columns: []Column[numbered]{
		{Name: "id", Kind: ID, Value: func(n numbered) any { return n.ID }},
		{Name: "text", Value: func(n numbered) any { return n.Text }},
	},
}

// printLong prints a list item by item, and returns what the heap held most of.
func printLong(t *testing.T, out io.Writer, o *Output, n int, onTerminal bool) (most uint64, err error) {
	t.Helper()
	o.Color = "never"
	if o.Format == "" {
		o.Format = FormatTable
	}
	term := &Terminal{Stdout: out, Stderr: io.Discard, StdoutTTY: onTerminal, Width: 80, Now: time.Now, Getenv: func(string) string { return "" }}
	p, err := NewPrinter(term, o, numberedView)
	if err != nil {
		t.Fatal(err)
	}
	var stats runtime.MemStats
	for i := range n {
		if err := p.Add(numbered{i, strings.Repeat("x", 100)}); err != nil {
			return most, err
		}
		if i%20_000 == 19_999 {
			runtime.GC()
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapAlloc)
		}
	}
	return most, p.End()
}

// TestLongLists prints more items than fit into the memory that it allows.
func TestLongLists(t *testing.T) {
	for name, o := range map[string]Output{
		"table": {}, "wide": {Format: formatWide}, "csv": {Format: formatCSV}, "excel": {excel: true}, "jsonl": {Format: FormatJSONL},
		"json": {Format: FormatJSON}, "yaml": {Format: formatYAML},
		"jq by item": {Format: FormatJSONL, documentFlags: documentFlags{jq: ".id"}}, "template by item": {Format: FormatJSONL, documentFlags: documentFlags{template: "{{.id}}"}},
	} {
		n := 60_000
		if slices.Contains([]string{"yaml", "jq by item", "template by item"}, name) {
			n = 20_000 // they take longer
		}
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most, err := printLong(t, io.Discard, &o, n, name == "table")
		if grown := int64(most) - int64(before.HeapAlloc); err != nil || grown > 6<<20 {
			t.Errorf("%s: %d items took %d MiB, %v", name, n, grown>>20, err)
		}
	}
}

// TestLongDocuments compares documents that were printed in parts with whole ones.
func TestLongDocuments(t *testing.T) {
	for _, format := range []string{FormatJSON, formatYAML} {
		for _, n := range []int{0, 1, MaxHeld, MaxHeld + 1} {
			items := make([]numbered, n)
			for i := range items {
				items[i] = numbered{i, strings.Repeat("x", 100)}
			}
			array, err := marshal(items)
			if err != nil {
				t.Fatal(err)
			}
			var got, want bytes.Buffer
			if err := new(documentFlags).print(&want, array, format); err != nil {
				t.Fatal(err)
			}
			if _, err := printLong(t, &got, &Output{Format: format}, n, false); err != nil || got.String() != want.String() {
				t.Errorf("%d items as %s differ, %v: %.200s, want %.200s", n, format, err, got.String(), want.String())
			}
		}
	}
}

// TestTooLongLists has the flags that need a whole list refuse one that has no end.
func TestTooLongLists(t *testing.T) {
	for flag, o := range map[string]Output{"--sort": {sort: "id"}, "--jq": {documentFlags: documentFlags{jq: "length"}}} {
		term := &Terminal{Stdout: io.Discard, Stderr: io.Discard, Now: time.Now, Getenv: func(string) string { return "" }}
		o.Color, o.Format = "auto", FormatTable
		p, err := NewPrinter(term, &o, &View[int]{Columns: []Column[int]{{Name: "id", Value: func(n int) any { return n }}}})
		if err != nil {
			t.Fatal(err)
		}
		p.waiting, p.documents = make([]int, walk.MaxItems-1), make([][]byte, walk.MaxItems-1)
		if err := p.Add(1); err != nil {
			t.Errorf("%s: %v", flag, err)
		}
		if err := p.Add(2); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestIndent writes lines as the standard library does, but as they come.
func TestIndent(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, ` [ ] `, `{"a":{}}`, `[[],{},[[]],"x",-1.50,null]`, `{"a" : [1,2 , {"b":"c\\\"]","d":[]}], "e":"\u00e9,{" }`, `"x"`, `12`, `[{"a":[{"b":[[1]]}]}]`,
	} {
		var want, got bytes.Buffer
		if err := json.Indent(&want, []byte(strings.TrimSpace(text)), "", "  "); err != nil {
			t.Fatal(err)
		}
		if err := writeIndented(&got, []byte(text)); err != nil || got.String() != want.String()+"\n" {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", text, got.String(), want.String(), err)
		}
	}
	deep := []byte(strings.Repeat("[", 100) + strings.Repeat("1,", 50_000) + "1" + strings.Repeat("]", 100))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := writeIndented(io.Discard, deep)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err != nil || grown > 1<<20 {
		t.Errorf("%d bytes were allocated, %v", grown, err)
	}
}

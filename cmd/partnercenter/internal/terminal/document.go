package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// documentFlags are the flags of commands that can print JSON.
type documentFlags struct {
	json         bool
	jq, template string

	query *gojq.Code
	text  *template.Template
}

func (d *documentFlags) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&d.json, "json", false, "same as -o json")
	f.StringVar(&d.jq, "jq", "", "print what this jq `expression` makes of the JSON; text without quotes")
	f.StringVar(&d.template, "template", "", "print the JSON with this Go `template`; it has the functions json and join")
}

// resolve checks the flags and returns the format, in place of the default for commands
// with one of these flags.
func (d *documentFlags) resolve(format, byDefault string) (string, error) {
	if d.json || (d.jq != "" || d.template != "") && format == byDefault {
		format = FormatJSON
	}
	var err error
	switch {
	case d.jq != "":
		var parsed *gojq.Query
		if parsed, err = gojq.Parse(d.jq); err == nil {
			d.query, err = gojq.Compile(parsed)
		}
		if err != nil {
			return "", Usagef("--jq %s: %v", ShellQuote(d.jq), err)
		}
	case d.template != "":
		functions := template.FuncMap{"json": jsonCell, "join": join}
		if d.text, err = template.New("--template").Funcs(functions).Option("missingkey=error").Parse(d.template); err != nil {
			return "", Usagef("--template: %v", err)
		}
	default:
		return format, nil
	}
	if format != FormatJSON && format != FormatJSONL {
		return "", Usagef("--jq and --template read JSON: leave out -o %s, or use -o json or -o jsonl", format)
	}
	return format, nil
}

// print prints a JSON document in the format: json, jsonl or yaml.
func (d *documentFlags) print(w io.Writer, data []byte, format string) error {
	switch {
	case d.query != nil:
		return runQuery(w, d.query, data)
	case d.text != nil:
		v, err := decodeNumbers(data)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := d.text.Execute(&b, v); err != nil {
			return fmt.Errorf("%w; compare it with -o json", err)
		}
		if b.Len() > 0 && !bytes.HasSuffix(b.Bytes(), []byte("\n")) {
			b.WriteByte('\n')
		}
		_, err = w.Write(b.Bytes())
		return err
	case format == formatYAML:
		text, err := yamlfile.FromJSON(data, unsafeRune)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case format == FormatJSONL:
		_, err := w.Write(append(data, '\n'))
		return err
	}
	return writeIndented(w, data)
}

// decodeNumbers decodes JSON with the digits of numbers.
func decodeNumbers(data []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

func runQuery(w io.Writer, query *gojq.Code, data []byte) error {
	v, err := decodeNumbers(data)
	if err != nil {
		return err
	}
	results := query.Run(v)
	for {
		result, more := results.Next()
		if !more {
			return nil
		}
		if err, failed := result.(error); failed {
			if halt := (*gojq.HaltError)(nil); errors.As(err, &halt) && halt.Value() == nil {
				return nil
			}
			return fmt.Errorf("--jq: %s; compare it with -o json", shortened(err.Error()))
		}
		line, isText := result.(string)
		if isText {
			line = escape(line, func(r rune) bool { return r != '\n' && r != '\t' && unsafeRune(r) })
		} else {
			encoded, err := gojq.Marshal(result)
			if err != nil {
				return err
			}
			line = string(escapeUnsafe(encoded))
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
}

// maxQueryError is how many bytes of an error of a query are shown: its text may be all of
// the JSON.
const maxQueryError = 200

func shortened(text string) string {
	if cut := quote.Cut(text, maxQueryError); cut != text {
		return cut + "…"
	}
	return text
}

func jsonCell(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(escapeUnsafe(data)), err
}

func join(separator string, list []any) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, separator)
}

// marshal encodes v as the API does, and escapes all control characters that
// could affect a terminal. JSON requires that for those of ASCII only.
func marshal(v any) ([]byte, error) {
	data, err := partnercenter.Marshal(v)
	return escapeUnsafe(data), err
}

// escapeUnsafe escapes the unsafe characters in JSON, which only occur in strings.
func escapeUnsafe(data []byte) []byte {
	if !bytes.ContainsFunc(data, unsafeRune) {
		return data
	}
	safe := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if unsafeRune(r) && !joins(data, i, r) {
			for _, unit := range utf16.AppendRune(nil, r) {
				safe = fmt.Appendf(safe, `\u%04x`, unit)
			}
		} else {
			safe = append(safe, data[i:i+size]...)
		}
		i += size
	}
	return safe
}

// writeIndented writes JSON that is valid in lines. It only changes white space: members
// keep their order and numbers their digits. Nothing is kept in memory, as indentation can
// make the text of a deep value very much longer.
func writeIndented(w io.Writer, data []byte) error {
	b := bufio.NewWriter(w)
	indent(b, data, 0)
	b.WriteByte('\n')
	return b.Flush()
}

// indent writes JSON as it is to be at a depth. The error is that of the writer's Flush.
func indent(w *bufio.Writer, data []byte, depth int) {
	newline := func() {
		w.WriteByte('\n')
		for range depth {
			w.WriteString("  ")
		}
	}
	opened := false // the last character was a bracket, and has nothing behind it yet
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			continue
		}
		closes := c == '}' || c == ']'
		if closes {
			depth--
		}
		if opened != closes { // the first of what is in brackets, or the end after the last
			newline()
		}
		opened = false
		switch c {
		case '{', '[':
			w.WriteByte(c)
			depth++
			opened = true
		case ',':
			w.WriteByte(c)
			newline()
		case ':':
			w.WriteString(": ")
		case '"':
			start := i
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			_, _ = w.Write(data[start : i+1])
		default:
			w.WriteByte(c)
		}
	}
}

// Document holds the flags of commands that only print JSON.
type Document struct {
	format string
	documentFlags
}

// AddFlags adds the flags to a command.
func (o *Document) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.format, "output", "o", FormatJSON, "`format`: json, jsonl or yaml")
	o.addFlags(f)
	Choices(cmd, "output", FormatJSON, FormatJSONL, formatYAML)
}

// Check checks the flags.
func (o *Document) Check() (err error) {
	if o.format, err = o.resolve(o.format, FormatJSON); err != nil {
		return err
	}
	return OneOf("output", o.format, FormatJSON, FormatJSONL, formatYAML)
}

// Print prints JSON as the flags say. Other content is written as it is, but not to a
// terminal, which it could control.
func (o *Document) Print(term *Terminal, data []byte, contentType string) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) == 0:
		return nil
	case !json.Valid(data) && term.StdoutTTY:
		return fmt.Errorf("the answer is not JSON (%s): to see it, write it to a file with > FILE", contentType)
	case !json.Valid(data):
		_, err := term.Stdout.Write(data)
		return err
	case o.format == FormatJSONL:
		return o.printItems(term, data)
	}
	return o.print(term.Stdout, escapeUnsafe(data), o.format)
}

// printItems prints the items of an array in a line each, or all else in one.
func (o *Document) printItems(term *Terminal, data []byte) error {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		return o.PrintLine(term, data)
	}
	return EachItem(data, func(item []byte) error { return o.PrintLine(term, item) })
}

// Lines reports whether items of lists are printed in a line each, with PrintLine.
func (o *Document) Lines() bool { return o.format == FormatJSONL }

// PrintLine prints a JSON value in a line.
func (o *Document) PrintLine(term *Terminal, item []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, item); err != nil {
		return err
	}
	return o.print(term.Stdout, escapeUnsafe(line.Bytes()), FormatJSONL)
}

// EachItem calls do for the items of a JSON array. It does not keep them: small ones would
// take many times the memory of their text.
func EachItem(array []byte, do func(item []byte) error) error {
	dec := json.NewDecoder(bytes.NewReader(array))
	if _, err := dec.Token(); err != nil { // the bracket
		return err
	}
	for dec.More() {
		var item json.RawMessage
		if err := dec.Decode(&item); err != nil {
			return err
		}
		if err := do(item); err != nil {
			return err
		}
	}
	return nil
}

// TextOrJSON holds the flags of commands that print something other than resources.
type TextOrJSON struct {
	format string
	documentFlags
}

// AddFlags adds the flags to a flag set of the command.
func (o *TextOrJSON) AddFlags(cmd *cobra.Command, f *pflag.FlagSet) {
	f.StringVarP(&o.format, "output", "o", formatText, "`format`: text, json or yaml")
	o.addFlags(f)
	Choices(cmd, "output", formatText, FormatJSON, formatYAML)
}

// WantsJSON checks the flags, and reports whether to print a document: see [TextOrJSON.Print].
func (o *TextOrJSON) WantsJSON() (bool, error) {
	format, err := o.resolve(o.format, formatText)
	if err != nil {
		return false, err
	}
	o.format = format
	return format != formatText, OneOf("output", format, formatText, FormatJSON, formatYAML)
}

// Print prints a value as the flags say.
func (o *TextOrJSON) Print(w io.Writer, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return o.print(w, data, o.format)
}

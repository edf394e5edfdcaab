package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
)

// maxContent bounds what -f reads: the service takes far less.
const maxContent = 8 << 20

// FileFlag adds flag -f for what it holds.
func FileFlag(cmd *cobra.Command, file *string, what string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "`file` with "+what+" in JSON or YAML; - for standard input")
}

// ReadContent reads a resource in JSON or YAML from a file, or from standard
// input for "-". Keys are taken in any case. What the resource's type does not
// know is sent all the same, as the service may; a warning says what was
// probably meant.
func (c *Call) ReadContent(name string, v any) error {
	c.inputTaken = name == "-"
	data, err := c.Term.ReadFile(name, maxContent)
	if err != nil {
		return terminal.Usagef("-f %s cannot be read: %v", name, err)
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 {
		return terminal.Usagef("-f %s is empty: write the resource in JSON or YAML", name)
	} else if !json.Valid(trimmed) {
		jsonErr := json.Unmarshal(trimmed, new(any))
		if text, err = yamlToJSON(trimmed, reflect.TypeOf(v).Elem()); err != nil {
			if trimmed[0] == '{' {
				err = jsonErr // who begins like this wrote JSON
			}
			return terminal.Usagef("-f %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
		}
	}
	if err := partnercenter.Unmarshal(text, v); err != nil {
		return terminal.Usagef("-f %s: %s", name, undecoded(err))
	}
	warnUnknown(c.Term, reflect.ValueOf(v).Elem(), "")
	return nil
}

// undecoded says what keeps a resource from being read, in the words of the
// file rather than of Go.
func undecoded(err error) string {
	if wrong := (*json2.SemanticError)(nil); errors.As(err, &wrong) && wrong.JSONPointer != "" {
		return fmt.Sprintf("the value at %q has the wrong type or size: write one of the documented type", strings.TrimPrefix(string(wrong.JSONPointer), "/"))
	}
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Sprintf("duplicate key at %q: write each key once", strings.TrimPrefix(string(syntax.JSONPointer), "/"))
	}
	return err.Error()
}

// yamlToJSON writes a YAML document as JSON for a type. It works on nodes, and
// not on values, so that numbers keep their digits and texts such as 007 or
// 1.10 are not taken for numbers where the type wants a text.
func yamlToJSON(data []byte, t reflect.Type) ([]byte, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); err == nil {
		return nil, fmt.Errorf("there is a second document: one call has one resource")
	}
	var b bytes.Buffer
	err := writeNode(&b, document.Content[0], t)
	return b.Bytes(), err
}

func writeNode(b *bytes.Buffer, node *yaml.Node, t reflect.Type) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch node.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
				return fmt.Errorf("line %d: a key is a plain text", key.Line)
			}
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, key.Value)
			b.WriteByte(':')
			if err := writeNode(b, node.Content[i+1], memberType(t, key.Value)); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		var item reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			item = t.Elem()
		}
		b.WriteByte('[')
		for i, child := range node.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeNode(b, child, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case yaml.ScalarNode:
		writeScalar(b, node, t)
	default:
		return fmt.Errorf("line %d: anchors and aliases are not taken: write it out", node.Line)
	}
	return nil
}

var decimalType = reflect.TypeFor[partnercenter.Decimal]()

func writeScalar(b *bytes.Buffer, node *yaml.Node, t reflect.Type) {
	text := t != nil && t.Kind() == reflect.String && t != decimalType
	switch {
	case node.Tag == "!!null":
		b.WriteString("null")
	case node.Tag == "!!bool" && !text:
		b.WriteString(strings.ToLower(node.Value))
	case (node.Tag == "!!int" || node.Tag == "!!float") && !text && json.Valid([]byte(node.Value)):
		b.WriteString(node.Value)
	default:
		writeText(b, node.Value)
	}
}

func writeText(b *bytes.Buffer, text string) {
	quoted, _ := jsontext.AppendQuote(nil, text) // invalid UTF-8 becomes U+FFFD
	b.Write(quoted)
}

// memberType returns the type of a member of a struct or map type, nil when it
// is not known.
func memberType(t reflect.Type, key string) reflect.Type {
	switch {
	case t == nil:
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if strings.EqualFold(memberName(t.Field(i)), key) {
				return t.Field(i).Type
			}
		}
	}
	return nil
}

func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// warnUnknown says which members a resource's type does not know. Decoding
// left them in Extra.
func warnUnknown(term *terminal.Terminal, v reflect.Value, at string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			warnUnknown(term, v.Elem(), at)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[jsontext.Value]() {
			return
		}
		for i := range v.Len() {
			warnUnknown(term, v.Index(i), fmt.Sprintf("%s[%d]", at, i))
		}
	case reflect.Struct:
		var known []string
		t := v.Type()
		for i := range t.NumField() {
			if name := memberName(t.Field(i)); name != "" {
				known = append(known, name)
				warnUnknown(term, v.Field(i), strings.TrimPrefix(at+"."+name, "."))
			}
		}
		extra, ok := t.FieldByName("Extra")
		if !ok {
			return
		}
		var unknown map[string]jsontext.Value
		value, _ := v.FieldByIndex(extra.Index).Interface().(jsontext.Value)
		if len(value) == 0 || partnercenter.Unmarshal(value, &unknown) != nil {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(unknown)) {
			term.Linef("warning: %s is not known and sent as it is%s", strings.TrimPrefix(at+"."+name, "."), terminal.DidYouMean(name, known))
		}
	}
}

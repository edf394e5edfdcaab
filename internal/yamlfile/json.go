package yamlfile

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// JSON returns the content at p as JSON for a type, whose fields may be spelled in any
// case. It works on nodes, not on values, so that numbers keep their digits and texts
// such as 007 or 1.10 are not taken for numbers where the type needs text; without a
// type, what looks like a number is one. Fields that the type lacks are kept, except
// those named. Mistakes are recorded in the file.
func (f *File) JSON(p Position, t reflect.Type, except ...string) jsontext.Value {
	var b bytes.Buffer
	f.writeJSON(&b, p, t, except...)
	return b.Bytes()
}

func (f *File) writeJSON(b *bytes.Buffer, p Position, t reflect.Type, except ...string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch p.node.Kind {
	case yaml.MappingNode:
		separator := byte('{')
		f.Members(p, func(name string, key, value Position) {
			if key.node.ShortTag() == "!!merge" {
				f.Problem(key, "merge keys are not read; write the fields out")
			}
			if slices.ContainsFunc(except, func(other string) bool { return ascii.EqualFold(other, name) }) {
				return
			}
			b.WriteByte(separator)
			separator = ','
			writeText(b, name)
			b.WriteByte(':')
			f.writeJSON(b, value, memberType(t, name))
		})
		if separator == '{' {
			b.WriteByte('{')
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		item := t
		if t != nil && t.Kind() == reflect.Slice {
			item = t.Elem()
		}
		b.WriteByte('[')
		for i := range p.node.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			f.writeJSON(b, p.Item(i), item)
		}
		b.WriteByte(']')
	case yaml.ScalarNode:
		writeScalar(b, p.node, t)
	default:
		f.Problem(p, "aliases are not read; write the value out")
		b.WriteString("null")
	}
}

func writeScalar(b *bytes.Buffer, n *yaml.Node, t reflect.Type) {
	text := t != nil && t.Kind() == reflect.String && t != decimalType
	number, err := strconv.Atoi(n.Value)
	switch tag := n.ShortTag(); {
	case tag == "!!int" && err == nil && t != nil && t.Kind() == reflect.Int:
		b.WriteString(strconv.Itoa(number))
	case tag == "!!null":
		b.WriteString("null")
	case tag == "!!bool" && !text:
		b.WriteString(ascii.ToLower(n.Value))
	case (tag == "!!int" || tag == "!!float") && !text && jsontext.Value(n.Value).IsValid():
		b.WriteString(n.Value)
	default:
		writeText(b, n.Value)
	}
}

func writeText(b *bytes.Buffer, text string) {
	quoted, _ := jsontext.AppendQuote(nil, text) // invalid UTF-8 becomes U+FFFD
	b.Write(quoted)
}

// memberType returns the type of a member of a struct or map type, nil if it is
// unknown.
func memberType(t reflect.Type, key string) reflect.Type {
	switch {
	case t == nil:
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); ascii.EqualFold(name, key) {
				return t.Field(i).Type
			}
		}
	}
	return nil
}

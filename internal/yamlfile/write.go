package yamlfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// FromJSON returns a JSON document as YAML: members keep their order and numbers their
// digits. Characters that escaped reports are escaped, also where YAML would not.
func FromJSON(data []byte, escaped func(rune) bool) ([]byte, error) {
	node, err := nodeOf(jsontext.NewDecoder(bytes.NewReader(data)), escaped)
	if err != nil {
		return nil, err
	}
	var b, text bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(node); err != nil {
		return nil, err
	}
	for _, r := range b.String() {
		if r != '\n' && escaped(r) { // in double quotes only
			fmt.Fprintf(&text, `\U%08x`, r)
		} else {
			text.WriteRune(r)
		}
	}
	return text.Bytes(), nil
}

func nodeOf(dec *jsontext.Decoder, escaped func(rune) bool) (*yaml.Node, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode}
	switch kind := token.Kind(); kind {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		node.Kind = yaml.MappingNode
		if kind == jsontext.KindBeginArray {
			node.Kind = yaml.SequenceNode
		}
		for dec.PeekKind() != jsontext.KindEndObject && dec.PeekKind() != jsontext.KindEndArray {
			child, err := nodeOf(dec, escaped)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		if len(node.Content) == 0 {
			node.Style = yaml.FlowStyle
		}
		_, err = dec.ReadToken()
		return node, err
	case jsontext.KindString:
		node.SetString(token.String())
		if strings.ContainsFunc(node.Value, escaped) {
			node.Style = yaml.DoubleQuotedStyle
		}
	case jsontext.KindNull:
		node.Tag, node.Value = "!!null", "null"
	case jsontext.KindTrue, jsontext.KindFalse:
		node.Tag, node.Value = "!!bool", token.String()
	default:
		node.Tag, node.Value = "!!float", token.String()
		if !strings.ContainsAny(node.Value, ".eE") {
			node.Tag = "!!int"
		}
	}
	return node, nil
}

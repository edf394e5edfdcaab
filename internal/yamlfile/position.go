package yamlfile

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Position is a position in a file: of something in it, or of something missing.
type Position struct {
	node *yaml.Node // nil when absent
	near *yaml.Node // node, or the closest one around it
	path string
}

// Field returns the position of a field of p, whose name may be in any case.
func (p Position) Field(name string) Position {
	f := Position{near: p.near, path: p.below(name)}
	if !p.IsObject() {
		return f
	}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if key := p.node.Content[i]; key.Kind == yaml.ScalarNode && ascii.EqualFold(key.Value, name) {
			f.node, f.near = p.node.Content[i+1], p.node.Content[i+1]
			break
		}
	}
	return f
}

func (p Position) below(name string) string {
	if p.path == "" {
		return name
	}
	return p.path + "." + name
}

// Item returns the position of element i of the list at p.
func (p Position) Item(i int) Position {
	it := Position{near: p.near, path: p.path + "[" + strconv.Itoa(i) + "]"}
	if p.IsList() && i < len(p.node.Content) {
		it.node, it.near = p.node.Content[i], p.node.Content[i]
	}
	return it
}

func (p Position) problem(format string, args ...any) Problem {
	return Problem{Line: p.near.Line, Column: p.near.Column, Path: p.path, Message: fmt.Sprintf(format, args...)}
}

// Given reports whether the file has something at p, even null.
func (p Position) Given() bool { return p.node != nil }

// Empty reports whether the file omits p, or has null or "" there.
func (p Position) Empty() bool {
	text, ok := p.Text()
	return p.node == nil || isNull(p.node) || ok && text == ""
}

// IsObject reports whether there is an object at p.
func (p Position) IsObject() bool { return p.node != nil && p.node.Kind == yaml.MappingNode }

// IsList reports whether there is a list at p.
func (p Position) IsList() bool { return p.node != nil && p.node.Kind == yaml.SequenceNode }

// Text returns the plain value at p unchanged, if there is one.
func (p Position) Text() (text string, ok bool) {
	if p.node == nil || p.node.Kind != yaml.ScalarNode || isNull(p.node) {
		return "", false
	}
	return p.node.Value, true
}

// Line returns the line of p, from 1.
func (p Position) Line() int { return p.near.Line }

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describe names what is at n, for messages.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!binary":
		return "binary data"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	default:
		return fmt.Sprintf("the text %.40q", n.Value)
	}
}

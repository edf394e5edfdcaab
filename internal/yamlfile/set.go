package yamlfile

import (
	"bytes"
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// ErrNotMapping says that a file has something other than an object on the way to a
// value.
var ErrNotMapping = errors.New("there is something other than an object on the way to the value")

// Set returns the text of a file with a value set, or removed if it is empty. The path are
// the names of the fields that lead to it. Objects on the way are added, and removed when
// they are empty. Comments are kept.
func Set(data []byte, path []string, value string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if document.Kind == 0 {
		// A file of comments only has no node to keep them.
		document = yaml.Node{Kind: yaml.DocumentNode, HeadComment: string(bytes.TrimSpace(data))}
	}
	if len(document.Content) == 0 || isNull(document.Content[0]) {
		document.Content = []*yaml.Node{{Kind: yaml.MappingNode}}
	}
	if err := set(document.Content[0], path, value); err != nil {
		return nil, err
	}
	if root := document.Content[0]; len(root.Content) == 0 && document.HeadComment+root.HeadComment == "" {
		return nil, nil
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := enc.Encode(&document)
	return b.Bytes(), err
}

func set(object *yaml.Node, path []string, value string) error {
	if object.Kind != yaml.MappingNode {
		return ErrNotMapping
	}
	at := 0 // of a name; its value follows
	for at < len(object.Content) && object.Content[at].Value != path[0] {
		at += 2
	}
	if at >= len(object.Content) {
		if value == "" {
			return nil
		}
		key := new(yaml.Node)
		key.SetString(path[0])
		object.Content = append(object.Content, key, &yaml.Node{Kind: yaml.MappingNode})
		object.Style &^= yaml.FlowStyle // that of an empty one
	}
	below := object.Content[at+1]
	if len(path) > 1 {
		if isNull(below) {
			*below = yaml.Node{Kind: yaml.MappingNode, LineComment: below.LineComment}
		}
		if err := set(below, path[1:], value); err != nil {
			return err
		}
		if value != "" || len(below.Content) > 0 {
			return nil
		}
	} else if value != "" {
		comments := *below
		*below = yaml.Node{HeadComment: comments.HeadComment, LineComment: comments.LineComment, FootComment: comments.FootComment}
		below.SetString(value)
		return nil
	}
	object.Content = slices.Delete(object.Content, at, at+2)
	return nil
}

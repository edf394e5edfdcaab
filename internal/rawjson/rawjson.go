// Package rawjson reads and rewrites JSON text without decoding its values.
package rawjson

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Each calls f with the members of an object, or with the elements of an array, whose
// name is empty. An element is only valid until f returns.
func Each(value jsontext.Value, f func(name string, element jsontext.Value) error) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	start, err := dec.ReadToken()
	if err != nil {
		return err
	}
	inObject := start.Kind() == jsontext.KindBeginObject
	for {
		switch dec.PeekKind() {
		case jsontext.KindEndObject, jsontext.KindEndArray:
			_, err := dec.ReadToken() // an error for the wrong bracket
			return err
		}
		name := ""
		if inObject {
			token, err := dec.ReadToken()
			if err != nil {
				return err
			}
			name = token.String()
		}
		element, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := f(name, element); err != nil {
			return err
		}
	}
}

// Filter returns value with only those members of its objects, at any depth, that keep
// says to. To keep, repeated is whether the object has had that name before.
func Filter(value jsontext.Value, keep func(name string, repeated bool, element jsontext.Value) (bool, error)) (jsontext.Value, error) {
	return filter(nil, value, keep)
}

func filter(dst []byte, value jsontext.Value, keep func(string, bool, jsontext.Value) (bool, error)) ([]byte, error) {
	kind := value.Kind()
	inObject := kind == jsontext.KindBeginObject
	if !inObject && kind != jsontext.KindBeginArray {
		return append(dst, value...), nil
	}
	dst = append(dst, byte(kind))
	start, seen := len(dst), map[string]bool{}
	err := Each(value, func(name string, element jsontext.Value) error {
		if inObject {
			ok, err := keep(name, seen[name], element)
			if !ok || err != nil {
				return err
			}
			seen[name] = true
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		var err error
		if inObject {
			if dst, err = jsontext.AppendQuote(dst, name); err != nil {
				return err
			}
			dst = append(dst, ':')
		}
		dst, err = filter(dst, element, keep)
		return err
	})
	return append(dst, byte(kind)+('}'-'{')), err // the bracket that closes kind
}

// WithoutNulls returns value without the members that are null, at any depth. Elements
// of arrays stay.
func WithoutNulls(value jsontext.Value) (jsontext.Value, error) {
	if !bytes.Contains(value, []byte("null")) {
		return value, nil
	}
	return Filter(value, func(_ string, _ bool, element jsontext.Value) (bool, error) {
		return element.Kind() != jsontext.KindNull, nil
	})
}

// FoldedName returns a member's name, at any depth, with one of the two letters beyond
// ASCII that are s and k when case is ignored, ſ and the Kelvin sign: decoding would take
// it for another name. It is empty if there is none, or if value is not JSON.
func FoldedName(value jsontext.Value) string {
	if !bytes.ContainsAny(value, folded+`\`) {
		return ""
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		kind, length := dec.StackIndex(dec.StackDepth())
		if kind == jsontext.KindBeginObject && length%2 == 1 && IsFolded(token.String()) {
			return token.String()
		}
	}
}

const folded = "ſ\u212A"

// IsFolded reports whether a name has one of the letters of [FoldedName].
func IsFolded(name string) bool { return strings.ContainsAny(name, folded) }

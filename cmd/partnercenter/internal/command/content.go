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
	"unicode/utf8"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// maxContent bounds the size of content: the service accepts far less.
const maxContent = 8 << 20

// FileFlag adds flag -f, for a file with the named content.
func FileFlag(cmd *cobra.Command, file *string, what string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "`file` with "+what+" in JSON or YAML; - for standard input")
}

// ReadContent reads a resource in JSON or YAML from a file, or from standard
// input for "-". The case of keys is ignored. Members that the resource's type
// does not have are kept, because the service may know them, with a warning
// that suggests similar names.
func (c *Call) ReadContent(name string, v any) error {
	c.inputTaken = name == "-" || name == "/dev/stdin" || name == "/dev/fd/0"
	switch {
	case c.inputTaken:
		c.content = "standard input"
	case strings.HasPrefix(name, "/dev/fd/"), strings.HasPrefix(name, "/proc/"):
		c.content = name
	}
	text, err := c.Term.ReadFile(name, maxContent)
	if err != nil {
		return terminal.Usagef("-f %s cannot be read: %v", name, err)
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 {
		return terminal.Usagef("-f %s is empty: write the resource in JSON or YAML", name)
	} else if !json.Valid(trimmed) || !utf8.Valid(trimmed) {
		f, err := yamlfile.Parse(name, text)
		if err == nil && f.Root.Given() {
			text = f.JSON(f.Root, reflect.TypeOf(v).Elem())
			err = f.Err()
		}
		if err != nil {
			return terminal.Usagef("-f %v", err)
		}
	}
	if err := partnercenter.Unmarshal(text, v); err != nil {
		return terminal.Usagef("-f %s: %s", name, undecoded(err))
	}
	warnUnknown(c.Term, reflect.ValueOf(v).Elem(), "")
	return nil
}

// ReadJSON reads any content in JSON or YAML, as ReadContent does.
func (c *Call) ReadJSON(name string) ([]byte, error) {
	var value jsontext.Value
	err := c.ReadContent(name, &value)
	return value, err
}

// undecoded describes a decoding error in terms of the file rather than of Go.
func undecoded(err error) string {
	if wrong := (*json2.SemanticError)(nil); errors.As(err, &wrong) && wrong.JSONPointer != "" {
		return fmt.Sprintf("the value at %q has the wrong type or size: use the documented type", strings.TrimPrefix(string(wrong.JSONPointer), "/"))
	}
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Sprintf("duplicate key at %q: write each key once", strings.TrimPrefix(string(syntax.JSONPointer), "/"))
	}
	return err.Error()
}

func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// warnUnknown warns of members that a resource's type does not have, which
// decoding left in Extra.
func warnUnknown(term *terminal.Terminal, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			warnUnknown(term, v.Elem(), path)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[jsontext.Value]() {
			return
		}
		for i := range v.Len() {
			warnUnknown(term, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Struct:
		var known []string
		t := v.Type()
		for i := range t.NumField() {
			if name := memberName(t.Field(i)); name != "" {
				known = append(known, name)
				warnUnknown(term, v.Field(i), strings.TrimPrefix(path+"."+name, "."))
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
			if slices.Contains(known, name) {
				continue // empty, which the field cannot say
			}
			term.Linef("warning: %s is unknown and sent unchanged%s", strings.TrimPrefix(path+"."+name, "."), terminal.DidYouMean(name, known))
		}
	}
}

package contracttest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// RoundTrip decodes a payload into the result of newValue and encodes it again, through
// package partnercenter and, for types that support it, through encoding/json. The
// result must be an equal JSON value. Where several forms exist, it is the one that is
// written: keys in camelCase, enums as text.
func RoundTrip(t *testing.T, data []byte, newValue func() any, encodingJSON bool) {
	t.Helper()
	plain := bytes.TrimPrefix(data, byteOrderMark)
	var want any
	if err := json.Unmarshal(plain, &want); err != nil {
		t.Fatal(err)
	}
	want = asWritten(want, memberNames(t))
	compare := func(how string, encoded []byte, err error) {
		t.Helper()
		var got any
		if err == nil {
			err = json.Unmarshal(encoded, &got)
		}
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the value changed (-payload +encoded):\n%s", how, diff)
		}
	}
	value := newValue()
	if err := partnercenter.Unmarshal(data, value); err != nil {
		t.Fatal(err)
	}
	encoded, err := partnercenter.Marshal(value)
	compare("partnercenter", encoded, err)
	if !encodingJSON {
		return
	}
	value = newValue()
	if err := json.Unmarshal(plain, value); err != nil {
		t.Fatal(err)
	}
	encoded, err = json.Marshal(value)
	compare("encoding/json", encoded, err)
}

// memberNames returns the names of all members in the document, by lower-case name.
func memberNames(tb testing.TB) map[string]string {
	names := map[string]string{}
	for _, schema := range loaded(tb).spec.Components.Schemas {
		for name := range schema.Value.Properties {
			names[ascii.ToLower(name)] = name
		}
	}
	return names
}

// asWritten converts keys and values to the form in which they are
// written.
func asWritten(v any, names map[string]string) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = asWritten(v[i], names)
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			if name, ok := names[ascii.ToLower(key)]; ok {
				key = name
			}
			if key != "dynamicAttributes" && key != "parameters" && key != "provisioningContext" { // these have any names
				value = oneShape(key, asWritten(value, names))
			}
			out[key] = value
		}
		return out
	}
	return v
}

// oneShape converts a member with several forms to the one that is written.
func oneShape(key string, value any) any {
	text, isText := value.(string)
	number, isNumber := value.(float64)
	list, isList := value.([]any)
	switch {
	case (key == "billingCycle" || key == "status") && isNumber:
		return strconv.FormatFloat(number, 'f', -1, 64)
	case key == "code" && isText:
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			return number
		}
	case key == "renewsTo" && isList && len(list) == 0:
		return map[string]any{}
	case key == "renewsTo" && isList:
		return list[0]
	case key == "data" && isText:
		return []any{text}
	case key == "data" && value != nil && !isList:
		compact, err := json.Marshal(value)
		if err == nil {
			return []any{string(compact)}
		}
	}
	return value
}

package partnercenter

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
)

// A resource is often read, changed in one place and written back whole. Members that
// are null or an empty text where the field has no such value would be missing then, so
// they are kept in Extra, under the field's name.

// isEmpty reports whether a member's value is one that a field may not hold.
func isEmpty(value jsontext.Value) bool {
	return value.Kind() == jsontext.KindNull || string(value) == `""`
}

// keepEmpty adds to the Extra of v, and of what it contains, the members of the JSON
// value that v was decoded from which are empty and whose fields encoding omits.
func keepEmpty(v reflect.Value, value jsontext.Value) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Slice && value.Kind() == jsontext.KindBeginArray && mayHoldMembers(v.Type().Elem()):
		i := -1
		return rawjson.Each(value, func(_ string, element jsontext.Value) error {
			i++
			return keepEmpty(v.Index(i), element)
		})
	case v.Kind() == reflect.Struct && value.Kind() == jsontext.KindBeginObject:
		return keepEmptyMembers(v, value)
	// Some members are a list or its only item.
	case v.Kind() == reflect.Slice && value.Kind() == jsontext.KindBeginObject && v.Len() == 1:
		return keepEmpty(v.Index(0), value)
	case v.Kind() == reflect.Struct && value.Kind() == jsontext.KindBeginArray:
		first := true
		return rawjson.Each(value, func(_ string, element jsontext.Value) error {
			if !first {
				return nil
			}
			first = false
			return keepEmpty(v, element)
		})
	}
	return nil
}

func keepEmptyMembers(v reflect.Value, object jsontext.Value) error {
	members := membersOf(v.Type())
	var empty []byte
	err := rawjson.Each(object, func(name string, value jsontext.Value) error {
		m, ok := members[name]
		if !ok {
			m, ok = members[foldedName(name)]
		}
		switch {
		case !ok:
		case !isEmpty(value):
			return keepEmpty(v.Field(m.index), value)
		case m.omitted && v.Field(m.index).IsZero():
			empty = append(append(empty, ','), `"`+m.name+`":`...)
			empty = append(empty, value...)
		}
		return nil
	})
	extra := v.FieldByName("Extra")
	if err != nil || len(empty) == 0 || !extra.IsValid() || extra.Type() != reflect.TypeFor[jsontext.Value]() {
		return err
	}
	kept := bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(extra.Bytes()), []byte("}")))
	if len(kept) <= len("{") {
		kept, empty = []byte("{"), empty[len(","):]
	}
	extra.SetBytes(slices.Concat(kept, empty, []byte("}")))
	return nil
}

// member is a field of a struct as JSON has it.
type member struct {
	name    string
	index   int
	omitted bool // when it is zero
}

var knownMembers sync.Map // reflect.Type to map[string]member

// membersOf returns a struct's members by their names, as they are and folded.
func membersOf(t reflect.Type) map[string]member {
	if known, ok := knownMembers.Load(t); ok {
		return known.(map[string]member)
	}
	members := map[string]member{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || !t.Field(i).IsExported() {
			continue
		}
		m := member{name, i, strings.Contains(options, "omit")}
		members[name], members[foldedName(name)] = m, m
	}
	knownMembers.Store(t, members)
	return members
}

// foldedName folds the spellings of a name together that decoding takes for one.
func foldedName(name string) string { return ascii.ToLower(nameSeparators.Replace(name)) }

var nameSeparators = strings.NewReplacer("_", "", "-", "")

func mayHoldMembers(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Interface
}

// withoutOverridden returns the JSON value without those empty members whose names came
// before in their object: fields come before Extra. Any other repeated name is an error.
func withoutOverridden(value jsontext.Value) (jsontext.Value, error) {
	return rawjson.Filter(value, func(name string, repeated bool, element jsontext.Value) (bool, error) {
		if repeated && !isEmpty(element) {
			return false, fmt.Errorf("partnercenter: %w %q: a field has one value, and Extra another", jsontext.ErrDuplicateName, name)
		}
		return !repeated, nil
	})
}

// Package spelling writes the API's enumerated values in one way. Clients and saved
// answers spell them in several: annual, Annual and 2. It also finds dates in no
// documented spelling.
package spelling

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Normalize replaces every enumerated value in what v points to by its constant, where
// it spells a documented one. Other values stay as they are.
func Normalize(v any) { normalize(reflect.ValueOf(v)) }

func normalize(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			normalize(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() || field.Anonymous && field.Type.Kind() == reflect.Struct {
				normalize(v.Field(i))
			}
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.Pointer, reflect.Struct, reflect.String:
			for i := range v.Len() {
				normalize(v.Index(i))
			}
		}
	case reflect.String:
		if method := normalizer(v.Type()); method.IsValid() && v.Len() > 0 {
			v.Set(method.Call([]reflect.Value{v})[0])
		}
	}
}

// normalizers are the methods Normalize of types of text, the zero value for those
// without one.
var normalizers sync.Map

func normalizer(t reflect.Type) reflect.Value {
	if known, ok := normalizers.Load(t); ok {
		return known.(reflect.Value)
	}
	method, _ := t.MethodByName("Normalize")
	normalizers.Store(t, method.Func)
	return method.Func
}

// date is a date of the API, kept as it is written.
type date interface {
	IsZero() bool
	Valid() bool
	String() string
}

// UnreadableDate returns where a date in what v points to cannot be read, such as
// lineItems[0].customTermEndDate, and its text. Both are empty if there is none.
func UnreadableDate(v any) (path, text string) { return unreadableDate(reflect.ValueOf(v), "") }

func unreadableDate(v reflect.Value, path string) (at, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return unreadableDate(v.Elem(), path)
		}
	case reflect.Struct:
		if v.CanInterface() {
			if d, ok := v.Interface().(date); ok {
				if d.IsZero() || d.Valid() {
					return "", ""
				}
				return path, d.String()
			}
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			below := path
			if !field.Anonymous {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				below = strings.TrimPrefix(path+"."+name, ".")
			}
			if field.IsExported() || field.Anonymous {
				if at, text = unreadableDate(v.Field(i), below); text != "" {
					return at, text
				}
			}
		}
	case reflect.Slice:
		if kind := v.Type().Elem().Kind(); kind == reflect.Pointer || kind == reflect.Struct {
			for i := range v.Len() {
				if at, text = unreadableDate(v.Index(i), path+"["+strconv.Itoa(i)+"]"); text != "" {
					return at, text
				}
			}
		}
	}
	return "", ""
}

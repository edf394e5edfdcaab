// Package spelling writes the API's enumerated values in one way. Clients and saved
// answers spell them in several: annual, Annual and 2.
package spelling

import (
	"reflect"
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

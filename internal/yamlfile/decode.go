package yamlfile

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
	"github.com/partnercenter-go/partnercenter/internal/suggest"
)

var (
	timeType    = reflect.TypeFor[partnercenter.Time]()
	decimalType = reflect.TypeFor[partnercenter.Decimal]()
	jsonType    = reflect.TypeFor[jsontext.Value]()
)

// Decode sets what into points to from the file's content at p, by the json tags of the
// types. Null leaves a value unchanged. Unlike the API's decoders it is strict: an
// unknown field is a mistake, see [Format] for exceptions. Mistakes are recorded in the
// file.
//
// A tag seed:"not x" is for a field x with the opposite meaning in the file.
func (f *File) Decode(p Position, into any) { f.decode(p, reflect.ValueOf(into).Elem()) }

func (f *File) decode(p Position, v reflect.Value) {
	switch {
	case p.node.Kind == yaml.AliasNode:
		f.Problem(p, "aliases are not read; write the value out")
	case v.Type() == jsonType:
		v.SetBytes(f.JSON(p, nil))
	case isNull(p.node):
	case v.Type() == timeType:
		f.time(p, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.decode(p, v.Elem())
	case v.Kind() == reflect.Struct && f.open != nil && p.IsList() && takesList(v.Type()):
		if first := p.Item(0); first.Given() {
			f.decode(first, v)
		}
	case v.Kind() == reflect.Struct:
		f.object(p, v)
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		f.Members(p, func(name string, _, value Position) {
			member := reflect.New(v.Type().Elem()).Elem()
			f.decode(value, member)
			v.SetMapIndex(reflect.ValueOf(name), member)
		})
	case v.Kind() == reflect.Slice:
		if f.kind(p, yaml.SequenceNode, "a list") {
			f.list(p, v)
		}
	default:
		f.scalar(p, v)
	}
}

func (f *File) object(p Position, v reflect.Value) {
	fields := f.fieldsOf(v.Type())
	f.Members(p, func(name string, key, value Position) {
		index, ok := fields.index[name]
		if !ok && f.open != nil && fields.open {
			if at := slices.IndexFunc(fields.names, func(n string) bool { return ascii.EqualFold(n, name) }); at >= 0 {
				name = fields.names[at]
				index, ok = fields.index[name], true
				f.incomplete = true // another field may have the same name in another case
			} else {
				if rawjson.IsFolded(name) {
					f.Problem(key, "has a letter beyond ASCII that would be taken for s or k; write the field as documented")
					return
				}
				f.kept(key, "is not documented", name, fields.names)
				f.incomplete = true
				return
			}
		}
		if !ok {
			f.unknown(key, name, fields.names)
			return
		}
		field := v.FieldByIndex(index)
		if text, ok := value.Text(); ok && text == "" && field.Kind() == reflect.String {
			f.incomplete = true
		}
		f.decode(value, field)
		if fields.negated[name] && !isNull(value.node) {
			field.SetBool(!field.Bool())
		}
	})
}

// KnownMembers does what Members does, and records fields that are not known.
func (f *File) KnownMembers(p Position, known []string, yield func(name string, key, value Position)) {
	f.Members(p, func(name string, key, value Position) {
		if !slices.Contains(known, name) {
			f.unknown(key, name, known)
			return
		}
		yield(name, key, value)
	})
}

// Members calls yield for each field of the object at p, with the positions of its name
// and of its value. It records a missing object and repeated fields.
func (f *File) Members(p Position, yield func(name string, key, value Position)) {
	if !f.kind(p, yaml.MappingNode, "an object") {
		return
	}
	lines := make(map[string]int, len(p.node.Content)/2)
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		node, value := p.node.Content[i], p.node.Content[i+1]
		key := Position{node: node, near: node, path: p.path}
		if node.Kind != yaml.ScalarNode {
			f.Problem(key, "a field name is plain text, this is %s", describe(node))
			continue
		}
		key.path = p.below(node.Value)
		if line, twice := lines[node.Value]; twice {
			f.Problem(key, "is given twice, here and in line %d; keep one of them", line)
			continue
		}
		lines[node.Value] = node.Line
		yield(node.Value, key, Position{node: value, near: value, path: key.path})
	}
}

// unknown reports an unknown field with suggestions.
func (f *File) unknown(key Position, name string, known []string) {
	if best := suggest.Closest(name, known); best != "" {
		f.Problem(key, "unknown field; did you mean %s?", best)
		return
	}
	f.Problem(key, "unknown field; the fields here are %s", strings.Join(known, ", "))
}

// kept warns of something unknown that is kept.
func (f *File) kept(p Position, what, text string, known []string) {
	if best := suggest.Closest(text, known); best != "" {
		f.warn(p, "%s, and is kept; did you mean %s?", what, best)
		return
	}
	f.warn(p, "%s, and is kept; documented are %s", what, strings.Join(known, ", "))
}

// takesList reports whether the API has objects of a type as lists of one, too.
func takesList(t reflect.Type) bool {
	return partnercenter.Unmarshal([]byte("[{}]"), reflect.New(t).Interface()) == nil
}

func (f *File) list(p Position, v reflect.Value) {
	n := len(p.node.Content)
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if it := p.Item(i); isNull(it.node) {
			f.Problem(it, "is empty; fill it in or remove it")
		} else {
			f.decode(it, v.Index(i))
		}
	}
}

func (f *File) scalar(p Position, v reflect.Value) {
	text := p.node.Value
	tag := p.node.ShortTag()
	switch v.Kind() {
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if p.node.Kind != yaml.ScalarNode || tag != "!!int" || err != nil {
			f.Problem(p, "needs a whole number such as 5, this is %s", describe(p.node))
		}
		v.SetInt(int64(n))
	case reflect.Bool:
		if p.node.Kind != yaml.ScalarNode || tag != "!!bool" {
			f.Problem(p, "needs true or false, this is %s", describe(p.node))
		}
		v.SetBool(ascii.EqualFold(text, "true"))
	default:
		// Numbers, dates and booleans are taken as text, so that an unquoted 2023-03-15
		// or 007 means what it looks like.
		if !f.kind(p, yaml.ScalarNode, "text") {
			return
		}
		v.SetString(text)
		f.checkText(p, v, text)
	}
}

// checkText checks texts that have a grammar or a set of values.
func (f *File) checkText(p Position, v reflect.Value, text string) {
	if v.Type() == decimalType {
		if _, err := partnercenter.Decimal(text).Rat(); err != nil {
			f.Problem(p, "%q is not an amount; write a decimal number such as 24606.35", text)
		}
		return
	}
	if known, ok := f.enums[v.Type()]; ok && text != "" && !v.Interface().(Enum).Known() {
		f.Problem(p, "%q is not known here; use one of %s", text, strings.Join(known, ", "))
	}
	if known, ok := f.open[v.Type()]; ok && text != "" && !v.Interface().(Enum).Known() {
		f.kept(p, quote.Text(text)+" is not documented", text, known)
	}
}

func (f *File) time(p Position, v reflect.Value) {
	if !f.kind(p, yaml.ScalarNode, "a date") {
		return
	}
	t, err := partnercenter.ParseTime(p.node.Value)
	if err != nil {
		f.Problem(p, "%q is not a date; write one such as 2023-03-15T02:17:15.6455674Z", p.node.Value)
	}
	v.Set(reflect.ValueOf(t))
}

func (f *File) kind(p Position, want yaml.Kind, name string) bool {
	if p.node.Kind == want && p.node.ShortTag() != "!!binary" {
		return true
	}
	f.Problem(p, "needs %s, this is %s", name, describe(p.node))
	return false
}

// fields are the fields of a struct type by their names in a file.
type fields struct {
	names []string // in the order of the type
	index map[string][]int
	// negated are those with the opposite meaning in the file.
	negated map[string]bool
	// open says that the type keeps unknown ones.
	open bool
}

// fieldsOf returns the fields of a struct type. An embedded struct's fields count as
// its own, unless it has one with the same name itself; files do not have the API
// types' map of unknown members.
func (f *File) fieldsOf(t reflect.Type) *fields {
	if known, ok := f.fields[t]; ok {
		return known
	}
	of := &fields{index: map[string][]int{}, negated: map[string]bool{}}
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		opposite, negated := strings.CutPrefix(sf.Tag.Get("seed"), "not ")
		if negated {
			name = opposite
		}
		switch {
		case options == "embed" && sf.Type.Kind() == reflect.Struct:
			inner := f.fieldsOf(sf.Type)
			of.open = of.open || inner.open
			for _, n := range inner.names {
				if of.index[n] == nil {
					of.add(n, append([]int{i}, inner.index[n]...), inner.negated[n])
				}
			}
		case options == "embed":
			of.open = true
		case name != "" && name != "-":
			of.add(name, []int{i}, negated)
		}
	}
	f.fields[t] = of
	return of
}

func (of *fields) add(name string, index []int, negated bool) {
	if of.index[name] == nil {
		of.names = append(of.names, name)
	}
	of.index[name], of.negated[name] = index, negated
}

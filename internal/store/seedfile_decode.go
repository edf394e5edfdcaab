package store

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
)

// seedDecoder fills Go values from YAML nodes by the json tags of their types
// and collects every mistake with its line. Unlike the decoders of the API it
// is strict: a field nobody reads is a mistake of the writer.
type seedDecoder struct {
	problems []Problem
	omitted  int
	fields   map[reflect.Type]*seedFields
}

// seedFields are the fields of a struct type by their names in a file.
type seedFields struct {
	names []string // in the order of the type
	index map[string][]int
	// negated are those that say the opposite of the Go field; see [Seed].
	negated map[string]bool
}

// place is a position in a seed file: a node, or where one is missing.
type place struct {
	node *yaml.Node // nil when absent
	near *yaml.Node // node, or the closest one around it
	path string
}

// field returns the place of a field of p; its node is nil when absent.
func (p place) field(name string) place {
	f := place{near: p.near, path: name}
	if p.path != "" {
		f.path = p.path + "." + name
	}
	if p.node == nil || p.node.Kind != yaml.MappingNode {
		return f
	}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if key := p.node.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name {
			f.node, f.near = p.node.Content[i+1], p.node.Content[i+1]
			break
		}
	}
	return f
}

// item returns the place of element i of the list at p.
func (p place) item(i int) place {
	it := place{near: p.near, path: p.path + "[" + strconv.Itoa(i) + "]"}
	if p.node != nil && p.node.Kind == yaml.SequenceNode && i < len(p.node.Content) {
		it.node, it.near = p.node.Content[i], p.node.Content[i]
	}
	return it
}

// given reports whether the file says something at p, be it null.
func (p place) given() bool { return p.node != nil }

// empty reports whether the file leaves p out, or says null or "" there.
func (p place) empty() bool {
	return p.node == nil || isNull(p.node) || p.node.Kind == yaml.ScalarNode && p.node.Value == ""
}

func (d *seedDecoder) problem(at place, format string, args ...any) {
	if len(d.problems) == maxProblems {
		d.omitted++
		return
	}
	d.problems = append(d.problems, Problem{
		Line: at.near.Line, Column: at.near.Column, Path: at.path, Message: fmt.Sprintf(format, args...),
	})
}

func (d *seedDecoder) error(file string) *SeedError {
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &SeedError{File: file, Problems: d.problems, Omitted: d.omitted}
}

var (
	timeType    = reflect.TypeFor[partnercenter.Time]()
	decimalType = reflect.TypeFor[partnercenter.Decimal]()
)

// seedEnums are the values that a seed file may use where the API's enums are
// open. "unknown" is not among them: it means "the default" in a request, and
// nothing in an answer.
var seedEnums = map[reflect.Type][]string{
	reflect.TypeFor[partnercenter.BillingCycleType](): spellings(partnercenter.BillingCycles()[1:]...),
	reflect.TypeFor[partnercenter.OrderStatus](): spellings(
		partnercenter.OrderStatusCompleted, partnercenter.OrderStatusPending, partnercenter.OrderStatusCancelled,
		partnercenter.OrderStatusPendingPOUpload, partnercenter.OrderStatusPOUploadComplete),
	reflect.TypeFor[partnercenter.OrderTransactionType](): spellings(
		partnercenter.OrderTransactionUserPurchase, partnercenter.OrderTransactionSystemPurchase,
		partnercenter.OrderTransactionSystemBilling),
	reflect.TypeFor[partnercenter.LineItemTransactionType](): {
		"New", "renew", "addQuantity", "removeQuantity", "cancel", "convert", "customerCredit"},
	reflect.TypeFor[partnercenter.RelationshipToPartner](): spellings(
		partnercenter.RelationshipNone, partnercenter.RelationshipReseller, partnercenter.RelationshipAdvisor,
		partnercenter.RelationshipSyndication, partnercenter.RelationshipMicrosoftSupport),
	reflect.TypeFor[partnercenter.UserRole](): spellings(partnercenter.UserRoles()...),
}

func spellings[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

// decode sets v to what the file says at p. Null leaves v as it is.
func (d *seedDecoder) decode(p place, v reflect.Value) {
	switch {
	case p.node.Kind == yaml.AliasNode:
		d.problem(p, "aliases are not read; write the value out")
	case isNull(p.node):
	case v.Type() == timeType:
		d.time(p, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(p, v.Elem())
	case v.Kind() == reflect.Struct:
		if d.kind(p, yaml.MappingNode, "an object") {
			d.object(p, v)
		}
	case v.Kind() == reflect.Map:
		if d.kind(p, yaml.MappingNode, "an object") {
			d.textMap(p, v)
		}
	case v.Kind() == reflect.Slice:
		if d.kind(p, yaml.SequenceNode, "a list") {
			d.list(p, v)
		}
	default:
		d.scalar(p, v)
	}
}

func (d *seedDecoder) object(p place, v reflect.Value) {
	fields := d.fieldsOf(v.Type())
	d.keys(p, func(name string, key, value place) {
		if index, ok := fields.index[name]; ok {
			field := v.FieldByIndex(index)
			d.decode(value, field)
			if fields.negated[name] && !isNull(value.node) {
				field.SetBool(!field.Bool())
			}
		} else {
			d.problem(key, "unknown field; %s", suggestField(name, fields.names))
		}
	})
}

// textMap reads an object of texts, such as a provisioning context.
func (d *seedDecoder) textMap(p place, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.keys(p, func(name string, _, value place) {
		text := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, text)
		v.SetMapIndex(reflect.ValueOf(name), text)
	})
}

// keys calls yield for each field of the object at p, with the places of its
// name and of its value, and reports fields that are given twice.
func (d *seedDecoder) keys(p place, yield func(name string, key, value place)) {
	lines := make(map[string]int, len(p.node.Content)/2)
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		node, value := p.node.Content[i], p.node.Content[i+1]
		key := place{node: node, near: node, path: p.path}
		if node.Kind != yaml.ScalarNode {
			d.problem(key, "a field name is plain text, this is %s", describeNode(node))
			continue
		}
		key.path = p.path + "." + node.Value
		if p.path == "" {
			key.path = node.Value
		}
		if line, twice := lines[node.Value]; twice {
			d.problem(key, "is given twice, here and in line %d; keep one of them", line)
			continue
		}
		lines[node.Value] = node.Line
		yield(node.Value, key, place{node: value, near: value, path: key.path})
	}
}

func (d *seedDecoder) list(p place, v reflect.Value) {
	n := len(p.node.Content)
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if it := p.item(i); isNull(it.node) {
			d.problem(it, "is empty; fill it in or remove it")
		} else {
			d.decode(it, v.Index(i))
		}
	}
}

func (d *seedDecoder) scalar(p place, v reflect.Value) {
	text := p.node.Value
	tag := p.node.ShortTag()
	switch v.Kind() {
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if p.node.Kind != yaml.ScalarNode || tag != "!!int" || err != nil {
			d.problem(p, "needs a whole number such as 5, this is %s", describeNode(p.node))
		}
		v.SetInt(int64(n))
	case reflect.Bool:
		if p.node.Kind != yaml.ScalarNode || tag != "!!bool" {
			d.problem(p, "needs true or false, this is %s", describeNode(p.node))
		}
		v.SetBool(strings.EqualFold(text, "true"))
	default:
		// Numbers, dates and booleans are text as they stand, so that an
		// unquoted 2023-03-15 or 007 means what it looks like.
		if !d.kind(p, yaml.ScalarNode, "text") {
			return
		}
		v.SetString(text)
		d.checkText(p, v.Type(), text)
	}
}

// checkText checks the texts that have a grammar or a set of values.
func (d *seedDecoder) checkText(p place, t reflect.Type, text string) {
	if t == decimalType {
		if _, err := partnercenter.Decimal(text).Rat(); err != nil {
			d.problem(p, "%q is no amount; write a decimal number such as 24606.35", text)
		}
		return
	}
	allowed, closed := seedEnums[t]
	if !closed || text == "" {
		return
	}
	if !slices.ContainsFunc(allowed, func(a string) bool { return foldEnum(a) == foldEnum(text) }) {
		d.problem(p, "%q is not known here; use one of %s", text, strings.Join(allowed, ", "))
	}
}

// foldEnum is the form in which the spellings of an enum's value are compared.
func foldEnum(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

func (d *seedDecoder) time(p place, v reflect.Value) {
	if !d.kind(p, yaml.ScalarNode, "a date") {
		return
	}
	t, err := partnercenter.ParseTime(p.node.Value)
	if err != nil {
		d.problem(p, "%q is no date; write one such as 2023-03-15T02:17:15.6455674Z", p.node.Value)
	}
	v.Set(reflect.ValueOf(t))
}

func (d *seedDecoder) kind(p place, want yaml.Kind, name string) bool {
	if p.node.Kind == want && p.node.ShortTag() != "!!binary" {
		return true
	}
	d.problem(p, "needs %s, this is %s", name, describeNode(p.node))
	return false
}

// fieldsOf returns the fields of a struct type. An embedded struct's fields
// count as its own; the bag of members unknown to the API's types does not
// exist in seed files.
func (d *seedDecoder) fieldsOf(t reflect.Type) *seedFields {
	if f, ok := d.fields[t]; ok {
		return f
	}
	f := &seedFields{index: map[string][]int{}, negated: map[string]bool{}}
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		opposite, negated := strings.CutPrefix(sf.Tag.Get("seed"), "not ")
		if negated {
			name = opposite
		}
		switch {
		case options == "embed" && sf.Type.Kind() == reflect.Struct:
			inner := d.fieldsOf(sf.Type)
			for _, n := range inner.names {
				f.names = append(f.names, n)
				f.index[n] = append([]int{i}, inner.index[n]...)
				f.negated[n] = inner.negated[n]
			}
		case name != "" && name != "-":
			f.names = append(f.names, name)
			f.index[name] = []int{i}
			f.negated[name] = negated
		}
	}
	d.fields[t] = f
	return f
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describeNode names what stands at n, for messages.
func describeNode(n *yaml.Node) string {
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

// suggestField helps a writer who got the name of a field wrong.
func suggestField(name string, known []string) string {
	best, distance := "", 3 // two slips at most
	for _, k := range known {
		if len(name) > len(k)+2 {
			continue
		}
		if n := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); n < distance {
			best, distance = k, n
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "the fields here are " + strings.Join(known, ", ")
}

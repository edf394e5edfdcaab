package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
)

// Format is what the format field of a catalog file says.
const Format = "partnercenter-catalog/1"

const (
	// maxFileSize bounds the memory that a file may cost.
	maxFileSize = 64 << 20
	// maxProblems is how many mistakes are reported at once: more than one
	// reads before trying again.
	maxProblems = 10
)

// The types below are what stands in a file: the API's resources, and beside
// their fields what the rules of ordering need to know. docs/catalog-format.md
// describes them.
type (
	apiOffer        partnercenter.Offer
	apiProduct      partnercenter.Product
	apiSKU          partnercenter.SKU
	apiAvailability partnercenter.Availability
)

type fileCountry struct {
	Code     string                `json:"code"`
	Currency string                `json:"currency"`
	Symbol   string                `json:"symbol"`
	Rate     partnercenter.Decimal `json:"rate"`   // of the currency, for one of the prices' currency
	Digits   *int                  `json:"digits"` // after the point of a price
}

type fileOffer struct {
	apiOffer              `json:",embed"`
	Category              string                      `json:"category"` // id
	Countries             []string                    `json:"countries"`
	Segment               partnercenter.TargetSegment `json:"segment"`
	PurchasePrerequisites []string                    `json:"purchasePrerequisites"`
	Price                 partnercenter.Decimal       `json:"price"`
	Retired               bool                        `json:"retired"`
}

type fileProduct struct {
	apiProduct       `json:",embed"`
	Kind             Kind                           `json:"kind"`
	ReservationScope partnercenter.ReservationScope `json:"reservationScope"`
	SKUs             []fileSKU                      `json:"skus"`
}

type fileSKU struct {
	apiSKU             `json:",embed"`
	NeedsPurchaseOrder bool                                 `json:"needsPurchaseOrder"`
	PrerequisiteSKUs   []string                             `json:"prerequisiteSkus"` // product:sku
	Restrictions       []partnercenter.InventoryRestriction `json:"restrictions"`
	Limit              int                                  `json:"limit"`
	Retired            bool                                 `json:"retired"`
	Availabilities     []fileAvailability                   `json:"availabilities"`
}

type fileAvailability struct {
	apiAvailability `json:",embed"`
	Countries       []string              `json:"countries"`
	Price           partnercenter.Decimal `json:"price"`
}

// Read reads a catalog file as docs/catalog-format.md describes it, in YAML or
// JSON. The name is for messages only. A file with mistakes gives a
// *[FileError].
func Read(name string, r io.Reader) (*Catalog, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("%s: the file is larger than %d MiB; take out what nobody orders", name, maxFileSize>>20)
	}
	rd := &reader{fields: map[reflect.Type][]fileField{}}
	if root := rd.parse(data); root != nil {
		rd.read(root)
	}
	if len(rd.problems) > 0 {
		return nil, rd.error(name)
	}
	return rd.build(), nil
}

// FileError lists the mistakes in a catalog file, in the order of their lines.
type FileError struct {
	File     string
	Problems []Problem // at most ten
	Omitted  int       // how many more there are
}

// Problem is one mistake in a catalog file.
type Problem struct {
	Line, Column int    // from 1
	Path         string // products[0].skus[1].id; empty for the file as a whole
	Message      string // what is wrong and what to do
}

func (e *FileError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, p.Line, p.Column)
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.Omitted > 0 {
		fmt.Fprintf(&b, "\nand %d more; mend these first", e.Omitted)
	}
	return b.String()
}

// reader reads a file: first what stands in it, then what follows from that.
// Both collect mistakes, to report them together.
type reader struct {
	countries  []fileCountry
	categories []partnercenter.OfferCategory
	offers     []fileOffer
	products   []fileProduct

	problems []Problem
	omitted  int
	fields   map[reflect.Type][]fileField
}

func (r *reader) problem(at place, format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.omitted++
		return
	}
	r.problems = append(r.problems, Problem{at.node.Line, at.node.Column, at.path, fmt.Sprintf(format, args...)})
}

func (r *reader) error(file string) *FileError {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &FileError{File: file, Problems: r.problems, Omitted: r.omitted}
}

// place is a position in a file. Where something is missing, the node is the
// closest one around it.
type place struct {
	node *yaml.Node
	path string
}

// field returns the place of a field of p, and of p itself when it is missing.
func (p place) field(name string) place {
	f := place{node: p.node, path: name}
	if p.path != "" {
		f.path = p.path + "." + name
	}
	if value := child(p.node, name); value != nil {
		f.node = value
	}
	return f
}

// item returns the place of element i of the list at p.
func (p place) item(i int) place {
	it := place{node: p.node, path: p.path + "[" + strconv.Itoa(i) + "]"}
	if p.node.Kind == yaml.SequenceNode && i < len(p.node.Content) {
		it.node = p.node.Content[i]
	}
	return it
}

// child returns the value of a field of an object, nil when there is none.
func child(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// yamlLine finds the line in the messages of package yaml, which has no type
// for it.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// parse returns the document in data, nil when there is none to read.
func (r *reader) parse(data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	top := place{node: &yaml.Node{Line: 1, Column: 1}}
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if err == nil {
		if err = dec.Decode(&second); err == nil {
			r.problem(place{node: &second}, "a second document begins here; a catalog is one document")
			return nil
		}
	} else if errors.Is(err, io.EOF) {
		r.problem(top, "the file is empty; its first line should be format: %s", Format)
		return nil
	}
	if !errors.Is(err, io.EOF) {
		m := yamlLine.FindStringSubmatch(err.Error())
		line, _ := strconv.Atoi(m[1])
		r.problem(place{node: &yaml.Node{Line: max(line, 1), Column: 1}},
			"not YAML: %s; look near this line for a missing quote, colon or bracket, or wrong indentation", m[2])
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		r.problem(place{node: root}, "a catalog file has the fields format, countries, categories, offers and products, this file is %s", describe(root))
		return nil
	}
	at := place{node: root}
	format := at.field("format")
	switch {
	case child(root, "format") == nil:
		r.problem(format, "is missing; the first line of a catalog file is format: %s", Format)
		return nil
	case format.node.Value != Format:
		r.problem(format, "this program reads %s, not %q; write that, or use the program that the file was written for", Format, format.node.Value)
		return nil
	}
	return root
}

// read decodes the lists of a file, element by element, and checks them.
func (r *reader) read(root *yaml.Node) {
	lists := []string{"format", "countries", "categories", "offers", "products"}
	lines := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		at := place{node: key, path: key.Value}
		if line, twice := lines[key.Value]; twice {
			r.problem(at, "is given twice, here and in line %d; keep one of them", line)
		}
		lines[key.Value] = key.Line
		if !slices.Contains(lists, key.Value) {
			r.problem(at, "unknown field; %s", suggest(key.Value, lists))
		}
	}
	at := place{node: root}
	r.countries = decodeList[fileCountry](r, at.field("countries"))
	r.categories = decodeList[partnercenter.OfferCategory](r, at.field("categories"))
	r.offers = decodeList[fileOffer](r, at.field("offers"))
	r.products = decodeList[fileProduct](r, at.field("products"))
	if len(r.problems) == 0 {
		r.check(at)
	}
}

// decodeList decodes the list at a place. An element with a mistake is left
// empty: one mistake each is reported.
func decodeList[T any](r *reader, at place) []T {
	switch {
	case at.node.Kind == yaml.MappingNode && child(at.node, at.path) == nil || at.node.ShortTag() == "!!null":
		return nil // left out; check says where that matters
	case at.node.Kind != yaml.SequenceNode:
		r.problem(at, "needs a list, this is %s", describe(at.node))
		return nil
	}
	list := make([]T, len(at.node.Content))
	for i := range list {
		r.decode(at.item(i), &list[i])
	}
	return list
}

// decode decodes what stands at a place. Going through JSON gives the file the
// names, types and strictness of the API's own resources.
func (r *reader) decode(at place, into any) {
	var b bytes.Buffer
	enc := jsontext.NewEncoder(&b, jsontext.AllowDuplicateNames(true))
	if odd := writeNode(enc, at.node); odd != nil {
		r.problem(place{node: odd, path: at.path}, "%s cannot stand here; write the value out", describe(odd))
		return
	}
	if r.unknownFields(at, reflect.TypeOf(into)) {
		return
	}
	err := json.Unmarshal(b.Bytes(), into)
	if err == nil {
		return
	}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		where := at.follow(semantic.JSONPointer)
		r.problem(where, "needs %s, this is %s", describeType(semantic.GoType), describe(where.node))
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		r.problem(at.follow(syntactic.JSONPointer), "is given twice; keep one of them")
	default:
		r.problem(at, "cannot be read: %v; compare it with docs/catalog-format.md", err)
	}
}

// unknownFields reports the fields below a place that a type does not have. The
// API's types keep such fields; in a file they are slips.
func (r *reader) unknownFields(at place, t reflect.Type) (found bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && at.node.Kind == yaml.SequenceNode:
		for i := range at.node.Content {
			found = r.unknownFields(at.item(i), t.Elem()) || found
		}
	case t.Kind() == reflect.Struct && at.node.Kind == yaml.MappingNode:
		fields := r.fieldsOf(t)
		for i := 0; i+1 < len(at.node.Content); i += 2 {
			key := at.node.Content[i]
			where := at.field(key.Value)
			if j := slices.IndexFunc(fields, func(f fileField) bool { return f.name == key.Value }); j >= 0 {
				where.node = at.node.Content[i+1]
				found = r.unknownFields(where, fields[j].typ) || found
				continue
			}
			names := make([]string, len(fields))
			for j, f := range fields {
				names[j] = f.name
			}
			r.problem(place{node: key, path: where.path}, "unknown field; %s", suggest(key.Value, names))
			found = true
		}
	}
	return found
}

// fileField is a field of a type by its name in a file.
type fileField struct {
	name string
	typ  reflect.Type
}

// fieldsOf returns the fields of a type, with those of embedded types that it
// does not have itself.
func (r *reader) fieldsOf(t reflect.Type) []fileField {
	if fields, ok := r.fields[t]; ok {
		return fields
	}
	var fields []fileField
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		known := slices.ContainsFunc(fields, func(f fileField) bool { return f.name == name })
		if name == "" || options == "embed" || known {
			continue
		}
		fields = append(fields, fileField{name, f.Type})
	}
	r.fields[t] = fields
	return fields
}

// follow returns the place that a pointer below p leads to.
func (p place) follow(pointer jsontext.Pointer) place {
	for token := range pointer.Tokens() {
		if i, err := strconv.Atoi(token); err == nil && p.node.Kind == yaml.SequenceNode {
			p = p.item(i)
		} else {
			p = p.field(token)
		}
	}
	return p
}

// writeNode writes a node as JSON. It returns the first node that has no form
// in JSON, or nil.
func writeNode(enc *jsontext.Encoder, n *yaml.Node) (odd *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		if enc.WriteToken(jsontext.BeginObject) != nil {
			return n
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || enc.WriteToken(jsontext.String(key.Value)) != nil {
				return key
			}
			if odd := writeNode(enc, n.Content[i+1]); odd != nil {
				return odd
			}
		}
		_ = enc.WriteToken(jsontext.EndObject)
	case yaml.SequenceNode:
		if enc.WriteToken(jsontext.BeginArray) != nil {
			return n
		}
		for _, item := range n.Content {
			if odd := writeNode(enc, item); odd != nil {
				return odd
			}
		}
		_ = enc.WriteToken(jsontext.EndArray)
	case yaml.ScalarNode:
		if enc.WriteValue(scalar(n)) != nil {
			return n
		}
	default:
		return n
	}
	return nil
}

// scalar returns a plain value as JSON. What is a number in YAML only is the
// text that it looks like: an unquoted 0047 is the id of a SKU.
func scalar(n *yaml.Node) jsontext.Value {
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return jsontext.Value("null")
	case tag == "!!bool":
		return jsontext.Value(strings.ToLower(n.Value))
	case (tag == "!!int" || tag == "!!float") && jsontext.Value(n.Value).IsValid():
		return jsontext.Value(n.Value)
	}
	text, err := jsontext.AppendQuote(nil, n.Value)
	if err != nil {
		return nil // which no encoder takes
	}
	return text
}

// describe names what stands at a node, for messages.
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
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	}
	return fmt.Sprintf("the text %.40q", n.Value)
}

// describeType names what a field takes, for messages.
func describeType(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return "another value"
	case t == reflect.TypeFor[partnercenter.Decimal]():
		return "a decimal number such as 12.50"
	}
	switch t.Kind() {
	case reflect.Int:
		return "a whole number such as 5"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text, in quotes if it looks like a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// suggest helps a writer who got a name wrong.
func suggest(name string, known []string) string {
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

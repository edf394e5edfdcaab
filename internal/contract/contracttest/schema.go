package contracttest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// decodeJSON decodes exactly one JSON value: a byte order mark, text after the value, a
// repeated name and invalid UTF-8 are errors.
func decodeJSON(found *problems, where string, data []byte) (any, bool) {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		if len(data) == 0 {
			found.add("%s: empty, expected JSON", where)
		} else {
			found.add("%s: not one JSON value: %v", where, err)
		}
		return nil, false
	}
	return value, true
}

// checkText checks a value that is written as text: a segment, a query value or a
// header.
func checkText(found *problems, where, text string, schema *openapi3.SchemaRef) {
	var value any = text
	var err error
	switch s := schema.Value; {
	case s.Type.Is(openapi3.TypeBoolean):
		value, err = strconv.ParseBool(ascii.ToLower(text)) // clients write True and true
		if err == nil && len(text) < 4 {
			err = errors.New("neither true nor false") // ParseBool also accepts 1 and t
		}
	case s.Type.Is(openapi3.TypeInteger):
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		value = float64(n)
	default:
		for _, allowed := range s.Enum {
			if a, ok := allowed.(string); ok && ascii.EqualFold(a, text) {
				value = a
			}
		}
	}
	if err != nil {
		found.add("%s: got %q, expected %s", where, text, strings.Join(schema.Value.Type.Slice(), " or "))
		return
	}
	checkValue(found, where, value, schema)
}

// checkValue checks a decoded value and adds a problem for each position that does not
// match.
func checkValue(found *problems, where string, value any, schema *openapi3.SchemaRef, options ...openapi3.SchemaValidationOption) {
	err := schema.Value.VisitJSON(value, append(options, openapi3.MultiErrors())...)
	for _, f := range failures(err) {
		found.add("%s", strings.TrimSpace(where+" "+f.pointer)+": "+f.text)
	}
}

// failure is a position in a value that does not match its schema.
type failure struct{ pointer, text string }

// failures flattens a validator's error, which nests like the schemas, into the
// positions that are wrong, in document order and without duplicates.
func failures(err error) []failure {
	var all []failure
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case nil:
		case openapi3.MultiError:
			for _, inner := range e {
				walk(inner)
			}
		case *openapi3.SchemaError:
			if inner := (openapi3.MultiError{}); e.SchemaField == "allOf" && e.Origin != nil && errors.As(e.Origin, &inner) {
				walk(inner)
				return
			}
			all = append(all, failure{pointer(e.JSONPointer()), e.Reason + shown(e)})
		default:
			all = append(all, failure{text: err.Error()})
		}
	}
	walk(err)
	slices.SortStableFunc(all, func(a, b failure) int { return strings.Compare(a.pointer, b.pointer) })
	return slices.Compact(all)
}

// pointer returns a JSON pointer, empty for the whole value.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// shown returns a failing value for a message, if it is short and not secret.
func shown(e *openapi3.SchemaError) string {
	tokens := e.JSONPointer()
	if len(tokens) > 0 {
		name := ascii.ToLower(tokens[len(tokens)-1])
		if strings.Contains(name, "token") || strings.Contains(name, "secret") || strings.Contains(name, "password") {
			return ""
		}
	}
	switch v := e.Value.(type) {
	case string:
		if len(v) > 100 {
			v = v[:100] + "…"
		}
		return fmt.Sprintf("; got %q", v)
	case float64, bool:
		return fmt.Sprintf("; got %v", v)
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

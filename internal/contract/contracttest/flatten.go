package contracttest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Flatten returns the values of a JSON document by their paths, in which list
// indexes are left out and keys are camelCase. Nulls are absent.
func Flatten(tb testing.TB, data []byte) map[string][]any {
	tb.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		tb.Fatalf("%v: %s", err, data)
	}
	out := map[string][]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case nil:
			return
		case []any:
			for _, x := range v {
				walk(path+"[]", x)
			}
		case map[string]any:
			for key, x := range v {
				walk(strings.TrimPrefix(path+"."+ascii.ToLower(key[:1])+key[1:], "."), x)
			}
			return
		}
		out[path] = append(out[path], v)
	}
	walk("", value)
	return out
}

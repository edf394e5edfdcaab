package rawjson_test

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/rawjson"
)

func TestWithoutNulls(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":"null"}`: `{"a":"null"}`,
		`{"a":null}`:   `{}`,
		` { "a" : null , "b" : [ null , { "c" : null , "d" : 1e400 } ] , "\u0065" : { "f" : "\u00e9 \"null\"" } } `: `{"b":[null,{"d":1e400}],"e":{"f":"\u00e9 \"null\""}}`,
		`[null]`: `[null]`,
		`null`:   `null`,
	} {
		if got, err := rawjson.WithoutNulls([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{`{"a":null`, `{"a":null,}`, `{null}`, `[null}`} {
		if got, err := rawjson.WithoutNulls([]byte(text)); err == nil {
			t.Errorf("%s: %s, want an error", text, got)
		}
	}
}

func TestFoldedName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"status":"\u017f","a":["ſ",{"b":"\u212A"}]}`: "",
		`{"\u017ftatus":1}`:                            "ſtatus",
		`{"a":[{"b":1},{"c":"x","K":{}}]}`:             "\u212A",
		`{"é":"\\u017f"}`:                              "",
		`["ſ"]`:                                        "",
		`{"a":`:                                        "",
	} {
		if got := rawjson.FoldedName([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

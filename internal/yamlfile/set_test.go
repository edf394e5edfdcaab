package yamlfile_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

func TestSet(t *testing.T) {
	const file = "# mine\ndefault: a # the usual\nprofiles:\n  # for tests\n  a:\n    url: http://x # here\n    id: \"007\"\n"
	for _, tt := range []struct {
		name, file string
		path       []string
		value      string
		want       string
	}{
		{"an empty file", "", []string{"profiles", "a", "url"}, "u", "profiles:\n  a:\n    url: u\n"},
		{"comments only", "# mine\n", []string{"default"}, "a", "# mine\n\ndefault: a\n"},
		{"a value with a comment", file, []string{"profiles", "a", "url"}, "http://y",
			"# mine\ndefault: a # the usual\nprofiles:\n  # for tests\n  a:\n    url: http://y # here\n    id: \"007\"\n"},
		{"another object", file, []string{"profiles", "b", "id"}, "true",
			"# mine\ndefault: a # the usual\nprofiles:\n  # for tests\n  a:\n    url: http://x # here\n    id: \"007\"\n  b:\n    id: \"true\"\n"},
		{"one less", file, []string{"profiles", "a", "id"}, "", "# mine\ndefault: a # the usual\nprofiles:\n  # for tests\n  a:\n    url: http://x # here\n"},
		{"the last of its object", "p:\n  a:\n    x: 1\nq: 1\n", []string{"p", "a", "x"}, "", "q: 1\n"},
		{"the last", "p: 1\n", []string{"p"}, "", ""},
		{"nothing to remove", "p: 1\n", []string{"q", "r"}, "", "p: 1\n"},
		{"null on the way", "p:\n", []string{"p", "x"}, "1", "p:\n  x: \"1\"\n"},
		{"a value with a name's text", "a: p\np: 2\n", []string{"p"}, "x", "a: p\np: x\n"},
		{"JSON", `{"p": {"x": "1"}}`, []string{"p", "x"}, "2", `{"p": {"x": "2"}}`},
		{"another member of JSON", `{"p": {"x":"1"}}`, []string{"p", "y"}, "2", `{"p": {"x":"1", "y": "2"}}`},
		{"another object of JSON", "{\n\t\"p\": {\n\t\t\"x\": \"1\"\n\t}\n}\n", []string{"q", "y"}, "é\n", "{\n\t\"p\": {\n\t\t\"x\": \"1\"\n\t},\n\t\"q\": {\"y\": \"é\\n\"}\n}\n"},
		{"the last but one of JSON", `{"p": {"x": "1", "y": "}"}}`, []string{"p", "x"}, "", `{"p": {"y": "}"}}`},
		{"the last of JSON", `{"p": {"x": "1", "y": "}"}, "q": 1}`, []string{"p", "y"}, "", `{"p": {"x": "1"}, "q": 1}`},
		{"an object of JSON", `{"p": {"x": {"y": 1}}, "q": 1}`, []string{"p", "x", "y"}, "", `{"q": 1}`},
		{"all of JSON", `{"p": {"x": {"y": 1}}}`, []string{"p", "x", "y"}, "", `{}`},
		{"empty JSON", `{}`, []string{"p", "x"}, "1", `{"p": {"x": "1"}}`},
		{"nothing in JSON", `{"p": null, "q": {}}`, []string{"p", "x"}, "1", `{"p": {"x": "1"}, "q": {}}`},
		{"braces in a block", "p:\n  a: {x: 1, y: '2'} # both\n", []string{"p", "a", "z"}, "a, b", "p:\n  a: {x: 1, y: '2', \"z\": \"a, b\"} # both\n"},
		{"empty braces in a block", "p: {} # none\nq: 1\n", []string{"p", "a", "x"}, "1", "p: # none\n  a:\n    x: \"1\"\nq: 1\n"},
		{"blank lines and other indentation", "\n# mine\n\np:\n\n    a:   # one\n        x:   1   # here\n\n\n    b: {y: 2}\n\n# the end\n", []string{"p", "c", "x"}, "3",
			"\n# mine\n\np:\n\n    a:   # one\n        x:   1   # here\n\n\n    b: {y: 2}\n    c:\n        x: \"3\"\n\n# the end\n"},
		{"a value among blank lines", "p:\n\n    a:   # one\n        x:   1   # here\n\n\n    b: {y: 2}\n", []string{"p", "a", "x"}, "3",
			"p:\n\n    a:   # one\n        x:   \"3\"   # here\n\n\n    b: {y: 2}\n"},
		{"an object with comments", "p:\n  # one\n  a: # here\n    # its x\n    x: 1 # gone\n\n  b:\n    x: 1\n", []string{"p", "a", "x"}, "", "p:\n  # one\n    # its x\n\n  b:\n    x: 1\n"},
		{"line ends of Windows", "p:\r\n  a:\r\n    x: 1\r\n\r\nq: 1", []string{"p", "a", "y"}, "2", "p:\r\n  a:\r\n    x: 1\r\n    y: \"2\"\r\n\r\nq: 1"},
		{"no last line end", "p:\r\n  x: 1\r\nq: 1", []string{"r"}, "a", "p:\r\n  x: 1\r\nq: 1\r\nr: a"},
		{"the style of quotes", "p: 'it''s' # a\nq: \"\\\"\" # b\n", []string{"p"}, "it's", "p: 'it''s' # a\nq: \"\\\"\" # b\n"},
		{"single quotes", "p: 'it''s # no' # a\nq: 1\n", []string{"p"}, "it's one", "p: 'it''s one' # a\nq: 1\n"},
		{"double quotes", "p: \"\\\" # no\" # a\nq: 1\n", []string{"p"}, "x", "p: \"x\" # a\nq: 1\n"},
		{"no value", "p: # a\nq:\n", []string{"q"}, "x", "p: # a\nq: x\n"},
		{"no value, with a comment", "p: # a\nq:\n", []string{"p"}, "x", "p: x # a\nq:\n"},
		{"several lines", "p: a\n  b\n  c # no\nq: 1\n", []string{"p"}, "x", "p: x # no\nq: 1\n"},
		{"a block of lines", "p: |\n  a\n  b\nq: 1\n", []string{"p"}, "x", "p: x\nq: 1\n"},
		{"an anchor and a tag", "p: &x !!str 007\nq: 1\n", []string{"p"}, "x", "p: x\nq: 1\n"},
		{"names in quotes", "'p: 1': {\"q\": 1}\n\"r\": 2\n", []string{"r"}, "x", "'p: 1': {\"q\": 1}\n\"r\": x\n"},
		{"wide characters", "ü: {ü: ü, 😀: 😀} # ü\n", []string{"ü", "😀"}, "x", "ü: {ü: ü, 😀: x} # ü\n"},
		{"a list", "p: [1, {a: b}] # all\nq:\n- 1\nr: 1\n", []string{"r"}, "x", "p: [1, {a: b}] # all\nq:\n- 1\nr: x\n"},
		{"a text with a line end", "p: 1\n", []string{"p"}, "a\nb", "p: \"a\\nb\"\n"},
	} {
		got, err := yamlfile.Set([]byte(tt.file), tt.path, tt.value)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", tt.name, err, got, tt.want)
		}
	}
	if _, err := yamlfile.Set([]byte("p: 1\n"), []string{"p", "x"}, "1"); !errors.Is(err, yamlfile.ErrNotMapping) {
		t.Errorf("text on the way: %v", err)
	}
}

// FuzzSet checks that any file is changed as asked, or not at all.
func FuzzSet(f *testing.F) {
	for _, file := range []string{
		"# mine\np:\n  a: # here\n    x: 1\n\n  b: {y: 'it''s'}\n", `{"p": {"a": {"x": "1"}}}`, "p: {}", "p: &a !!str |\n  x\n  y\n", "p:\r\n\r\n  a: \"\\\"\"", "? p\n: a: b\n",
	} {
		f.Add(file, "p", "a", "x", "y")
	}
	f.Fuzz(func(t *testing.T, file, first, second, third, value string) {
		if !utf8.ValidString(first + " " + second + " " + third + " " + value) {
			return
		}
		for _, path := range [][]string{{first}, {first, second}, {first, second, third}} {
			got, err := yamlfile.Set([]byte(file), path, value)
			if err != nil {
				continue
			}
			parsed, err := yamlfile.Parse("got", got)
			if err != nil {
				continue // also before: Set leaves several documents to the caller
			}
			at := parsed.Root
			for _, name := range path {
				around := at
				at = yamlfile.Position{}
				if around.Given() {
					parsed.Members(around, func(known string, _, value yamlfile.Position) {
						if known == name {
							at = value
						}
					})
				}
			}
			if text, _ := at.Text(); value != "" && text != value {
				t.Errorf("%q: %q is %q, want %q", file, got, text, value)
			}
			if bare, err := yamlfile.Set(got, path, ""); err == nil && len(bare) > len(got) {
				t.Errorf("%q grew to %q", got, bare)
			}
		}
	})
}

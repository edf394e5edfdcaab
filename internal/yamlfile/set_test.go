package yamlfile_test

import (
	"errors"
	"testing"

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
		{"JSON", `{"p": {"x": "1"}}`, []string{"p", "x"}, "2", "{\"p\": {\"x\": \"2\"}}\n"},
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

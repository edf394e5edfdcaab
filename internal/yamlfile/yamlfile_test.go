package yamlfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

type color string

func (c color) Known() bool { return strings.EqualFold(string(c), "LightBlue") || c == "red" }

type base struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Absent bool   `json:"-" seed:"not present"`
}

type item struct {
	base  `json:",embed"`
	ID    partnercenter.Decimal `json:"id"` // instead of the embedded one
	Count *int                  `json:"count"`
	Color color                 `json:"color"`
	Texts map[string]string     `json:"texts"`
}

type content struct {
	Format string `json:"format"`
	Items  []item `json:"items"`
}

var format = Format{Name: "test/1", Limit: 1 << 20, Enums: map[reflect.Type][]string{reflect.TypeFor[color](): {"light_blue", "red"}}}

func TestRead(t *testing.T) {
	var got content
	f, err := format.Read("t.yaml", strings.NewReader("format: test/1\nitems:\n"+
		"  - {id: 1.50, name: 007, present: false, count: 3, color: LightBlue, texts: {a: yes, b: }}\n"+
		"  - {present: true, count: }\n"), &got)
	if err != nil || f.Err() != nil {
		t.Fatal(err, f.Err())
	}
	want := content{"test/1", []item{
		{base: base{Name: "007", Absent: true}, ID: "1.50", Count: new(3), Color: "LightBlue", Texts: map[string]string{"a": "yes", "b": ""}},
		{},
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(item{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	const head = "format: test/1\n"
	for text, want := range map[string]string{
		"":                                  "t.yaml:1:1: the file is empty; its first line should be format: test/1",
		"null":                              "t.yaml:1:1: the file is empty; its first line should be format: test/1",
		"x":                                 `t.yaml:1:1: a file of this format has the fields format, items, this file is the text "x"`,
		"items: []":                         "t.yaml:1:1: format: is missing; the first line of the file is format: test/1",
		"format: test/2":                    `t.yaml:1:9: format: this program reads test/1, not "test/2"; write that, or use the program version that the file was written for`,
		head + "---\na: b":                  "t.yaml:2:1: a second document begins here; put everything into one document",
		head + "items: [":                   "t.yaml:2:1: not YAML: did not find expected node content; look near this line for a missing quote, colon or bracket, or wrong indentation",
		head + "items:\n- name: caf\xe9\n":  "t.yaml:3:12: the byte 0xe9 is not UTF-8, as in files in Latin-1 or Windows-1252: save the file as UTF-8",
		"{\"format\": 1,\n\"a\": \"\xfc\"}": "t.yaml:2:7: the byte 0xfc is not UTF-8, as in files in Latin-1 or Windows-1252: save the file as UTF-8",
		"{\"format\": 1,\n]":                "t.yaml:2:1: not JSON: invalid character ']' at start of string (expecting '\"'); look for a missing quote, comma or bracket here",
		head + "itmes: []":                  "t.yaml:2:1: itmes: unknown field; did you mean items?",
		head + "items: [{color: green}]":    `t.yaml:2:17: items[0].color: "green" is not known here; use one of light_blue, red`,
		head + "items: [{colour: red, id: x, count: 1.5, color: [], color: red}]": "t.yaml:2:10: items[0].colour: unknown field; did you mean color?\n" +
			`t.yaml:2:27: items[0].id: "x" is not an amount; write a decimal number such as 24606.35` + "\n" +
			"t.yaml:2:37: items[0].count: needs a whole number such as 5, this is the number 1.5\n" +
			"t.yaml:2:49: items[0].color: needs text, this is a list\n" +
			"t.yaml:2:53: items[0].color: is given twice, here and in line 2; keep one of them",
		head + "items: [" + strings.Repeat("x,", 12) + "]": strings.Repeat(`t.yaml:2:10: items[N]: needs an object, this is the text "x"`+"\n", 10) + "and 2 more; correct these first",
	} {
		f, err := format.Read("t.yaml", strings.NewReader(text), new(content))
		if err == nil {
			err = f.Err()
		}
		var all *Error
		if !errors.As(err, &all) {
			t.Fatalf("%s: error is %v", text, err)
		}
		if all.Omitted > 0 { // which are all alike
			for i := range all.Problems {
				all.Problems[i].Path, all.Problems[i].Column = "items[N]", 10
			}
		}
		if err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

// TestChecks tests the checks for callers.
func TestChecks(t *testing.T) {
	f, err := Parse("t.yaml", []byte("a: x/y\nb: X\nc: ''\nd: ~\ne: [1]\n"))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		p := f.Root.Field(name)
		text, _ := p.Text()
		f.Required(f.Root, name, "needed")
		f.Unique(lines, p, strings.ToLower(strings.TrimSuffix(text, "/y")))
		f.AddressPart(p, text)
	}
	f.Problem(f.Root.Field("e").Item(0).Field("x"), "is there")
	const want = `t.yaml:1:1: f: is missing; it is needed
t.yaml:1:4: a: "x/y" cannot be part of an address; use letters, digits, - and _
t.yaml:2:4: b: X is already in line 1; use it once
t.yaml:3:4: c: is missing; it is needed
t.yaml:4:4: d: is missing; it is needed
t.yaml:5:5: e[0].x: is there`
	if err := f.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		"{}": `{}`,
		"ID: 1.50\nNAME: 007\nCount: 7\nother: {n: 1.50, o: 007, t: TRUE, x: , l: [.5, a: b]}\ntexts: {a: 1}\nname: true": `{"ID":1.50,"NAME":"007","Count":7,"other":{"n":1.50,"o":"007","t":true,"x":null,"l":[".5",{"a":"b"}]},"texts":{"a":"1"},"name":"true"}`,
	} {
		f, err := Parse("t.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		type flat struct {
			ID    partnercenter.Decimal `json:"id"`
			Name  string                `json:"NAME"`
			Count *int                  `json:"count"`
			Texts map[string]string     `json:"texts"`
		}
		if got := f.JSON(f.Root, reflect.TypeFor[*flat]()); string(got) != want || f.Err() != nil {
			t.Errorf("got %s, %v\nwant %s", got, f.Err(), want)
		}
	}
	f, err := Parse("t.yaml", []byte("a: &a {b: 1, b: 2}\nc: *a\n<<: {d: 1}\n? [x]\n: y\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.JSON(f.Root, nil)
	const want = `t.yaml:1:14: a.b: is given twice, here and in line 1; keep one of them
t.yaml:2:4: c: aliases are not read; write the value out
t.yaml:3:1: <<: merge keys are not read; write the fields out
t.yaml:4:3: a field name is plain text, this is a list`
	if err := f.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestReadAll(t *testing.T) {
	if _, err := ReadAll("big.yaml", strings.NewReader(strings.Repeat("x", 2<<20)), 2<<20); err != nil {
		t.Error(err)
	}
	_, err := ReadAll("big.yaml", strings.NewReader(strings.Repeat("x", 2<<20+1)), 2<<20)
	if want := "big.yaml: the file is larger than 2 MiB; split it into several files, or take out what nobody needs"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

package store

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/partnercenter-go/partnercenter"
)

func isJSONObject(text []byte) bool {
	return len(text) > 0 && text[0] == '{' && jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true))
}

// Documents as they are stored are plain.
func TestPlainDocuments(t *testing.T) {
	for _, o := range bulkSeedCustomer(1, 1, 3, "USD").Orders {
		doc, err := partnercenter.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if !isPlainObject(doc) {
			t.Errorf("%s is not plain", doc)
		}
	}
}

// Whatever is plain is JSON, also when a byte of it is damaged or the rest is missing.
func TestPlainObjects(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, maxPlainDepth/2)
	for text, want := range map[string]bool{
		`{}`: true, `{"a":1}`: true, `{"a":0,"":[],"c":[{},[1,"x"],null,true,false]}`: true,
		`{"a":"` + strings.Repeat("b", 100) + `"}`:                           true,
		`{"12345678":"1234567","1234567":"123456789"}`:                       true,
		deep + `[` + strings.Repeat(`]}`, maxPlainDepth/2):                   false,
		deep[:len(deep)-1] + `1` + strings.Repeat(`]}`, maxPlainDepth/2)[1:]: true,
		``: false, `[]`: false, `{"a":-1}`: false, `{"a":1.5}`: false, `{"a":"\n"}`: false, `{"ä":1}`: false, ` {}`: false,
		`{"a":01}`: false, `{} `: false, `{}{}`: false, `{"a"}`: false, `{"a":}`: false, `{"a":1,}`: false, `{"a":[1,]}`: false,
		`{"a":[1}]`: false, `{"a":tru}`: false, `{1:2}`: false, `{"a" :1}`: false, `{"a":1`: false, `{"a":1:2}`: false, `{,}`: false,
	} {
		if got := isPlainObject([]byte(text)); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
		for i := range text {
			for c := range 256 {
				damaged := []byte(text)
				damaged[i] = byte(c)
				if isPlainObject(damaged) && !isJSONObject(damaged) {
					t.Errorf("%q is taken for JSON", damaged)
				}
			}
			if isPlainObject([]byte(text[:i])) && !isJSONObject([]byte(text[:i])) {
				t.Errorf("%q is taken for JSON", text[:i])
			}
		}
	}
}

func FuzzPlainObject(f *testing.F) {
	f.Add([]byte(`{"id":"12345678","lines":[{"quantity":10,"links":{}},null,true,false,[]],"etag":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if isPlainObject(text) && !isJSONObject(text) {
			t.Errorf("%q is taken for JSON", text)
		}
	})
}

func BenchmarkIsObject(b *testing.B) {
	doc, err := partnercenter.Marshal(bulkSeedCustomer(1, 1, 1, "USD").Orders[0])
	if err != nil {
		b.Fatal(err)
	}
	for name, is := range map[string]func([]byte) bool{"plain": isPlainObject, "decoder": isJSONObject} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if !is(doc) {
					b.Fatal("no object")
				}
			}
		})
	}
}

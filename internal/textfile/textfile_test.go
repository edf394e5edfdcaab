package textfile

import (
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct{ name, data, want, problem string }{
		{name: "empty"},
		{name: "UTF-8", data: "gehe+im=\n", want: "gehe+im=\n"},
		{name: "a byte order mark", data: "\xef\xbb\xbfsecret\r\n", want: "secret\r\n"},
		{name: "only one mark", data: "\xef\xbb\xbf\xef\xbb\xbfx", want: "\ufeffx"},
		{name: "UTF-16, little-endian", data: "\xff\xfes\x00\xfc\x00\x3d\xd8\x00\xde", want: "sü😀"},
		{name: "UTF-16, big-endian", data: "\xfe\xff\x00s\x00\xfc", want: "sü"},
		{name: "half a character", data: "\xff\xfes\x00x", problem: "save it as UTF-8"},
		{name: "unmarked, little-endian", data: "s\x00e\x00", problem: "save it as UTF-8"},
		{name: "unmarked, big-endian", data: "\x00s\x00e", problem: "save it as UTF-8"},
		{name: "PFX", data: "\x30\x82\x00\x01\x02\x00", want: "\x30\x82\x00\x01\x02\x00"},
		{name: "Latin-1", data: "s\xfc", want: "s\xfc"},
	} {
		got, err := Decode([]byte(tt.data))
		switch {
		case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("%s: error %v", tt.name, err)
		case tt.problem == "" && (err != nil || string(got) != tt.want):
			t.Errorf("%s: %q, %v", tt.name, got, err)
		case tt.problem == "" && string(Encode(got, []byte(tt.data))) != tt.data:
			t.Errorf("%s: encoded again, it is %q", tt.name, Encode(got, []byte(tt.data)))
		}
	}
}

package textfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadLimit reads as much as is allowed and a byte more, also of what has no size. Of a
// file that is too large nothing is read.
func TestReadLimit(t *testing.T) {
	const limit = 4
	name := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		content string
		from    int64 // where reading begins
		want    string
	}{
		{content: "", want: ""},
		{content: "1234", want: "1234"},
		{content: "12345", from: 1, want: "2345"},
		{content: "12", from: 3, want: ""},
		{content: "12345"},
		{content: "123456", from: 1},
	} {
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Seek(tt.from, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		tooLarge := int64(len(tt.content))-tt.from > limit
		for _, r := range []io.Reader{f, strings.NewReader(tt.content[min(tt.from, int64(len(tt.content))):])} {
			got, err := ReadFrom(r, "it", limit)
			if errors.Is(err, ErrTooLarge) != tooLarge || string(got) != tt.want {
				t.Errorf("%q from %d: %q, %v", tt.content, tt.from, got, err)
			}
		}
		if at, err := f.Seek(0, io.SeekCurrent); err != nil || tooLarge && at != tt.from {
			t.Errorf("%q was read to %d, %v", tt.content, at, err)
		}
	}
}

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

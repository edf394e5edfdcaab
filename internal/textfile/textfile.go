// Package textfile reads the small files that people write, with a limit, and decodes and
// encodes text of any editor: Windows' write a byte order mark or UTF-16.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf16"
	"unicode/utf8"
)

// errUnmarked continues a sentence that begins with the file's name.
var errUnmarked = errors.New("is UTF-16 without a byte order mark: save it as UTF-8")

// Small is far more bytes than configuration, keys and certificates need. A wrong file or
// a device may have any number of them.
const Small = 8 << 20

// Read returns the content of a file of at most limit bytes, as it is. Errors name the
// file.
func Read(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadFrom(f, file, limit)
}

// ReadText returns the content of a small text file, decoded. Errors name the file.
func ReadText(file string) ([]byte, error) {
	data, err := Read(file, Small)
	if err != nil {
		return nil, err
	}
	if data, err = Decode(data); err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	return data, nil
}

// ErrTooLarge ends the error for a file with more bytes than may be read.
var ErrTooLarge = errors.New("which is the limit")

// ReadFrom is like Read, for an open file by any name.
func ReadFrom(r io.Reader, name string, limit int64) ([]byte, error) {
	var data []byte
	tooLarge := left(r) > limit
	if !tooLarge {
		var err error
		if data, err = io.ReadAll(io.LimitReader(r, limit+1)); err != nil {
			return nil, err
		}
		tooLarge = int64(len(data)) > limit
	}
	if tooLarge {
		return nil, fmt.Errorf("%s has more than %d bytes, %w", name, limit, ErrTooLarge)
	}
	return data, nil
}

// left returns how many bytes of a file are still to be read, or 0 if that shows only as it
// is read.
func left(r io.Reader) int64 {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return info.Size() - at
}

// CheckReplaceable fails if there is something else than a regular file by a name: writing
// a new file and renaming it would put that in place of a device, a pipe or a link.
func CheckReplaceable(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	what := "a device or something else that is no regular file"
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeSymlink != 0:
		what = "a link"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return fmt.Errorf("%s is %s, and is not replaced by a file: name another file", name, what)
}

// Decode returns the content of a text file without its byte order mark, in UTF-8 if the
// mark is that of UTF-16. Anything else, which may be binary, is returned as it is. The
// error continues a sentence that begins with the file's name, and quotes nothing.
func Decode(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:], nil
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return decode16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decode16(data[2:], binary.BigEndian)
	case len(data) >= 4 && len(data)%2 == 0 && (wide(data[0], data[1]) && wide(data[2], data[3]) || wide(data[1], data[0]) && wide(data[3], data[2])):
		return nil, errUnmarked
	}
	return data, nil
}

// wide reports whether two bytes are an ASCII character in UTF-16.
func wide(low, high byte) bool { return high == 0 && low != 0 && low < utf8.RuneSelf }

func decode16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, errors.New("is UTF-16 that ends within a character: save it as UTF-8")
	}
	text := make([]byte, 0, len(data)/2)
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	for _, r := range utf16.Decode(units) {
		text = utf8.AppendRune(text, r)
	}
	return text, nil
}

// Encode returns UTF-8 text in the encoding of a text file, with its byte order mark: it
// undoes Decode.
func Encode(text, file []byte) []byte {
	var order binary.AppendByteOrder
	switch {
	case bytes.HasPrefix(file, []byte("\xef\xbb\xbf")):
		return append(file[:3:3], text...)
	case bytes.HasPrefix(file, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(file, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return text
	}
	encoded := file[:2:2]
	for _, unit := range utf16.Encode([]rune(string(text))) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return encoded
}

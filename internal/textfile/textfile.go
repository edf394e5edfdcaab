// Package textfile decodes and encodes text files of any editor: Windows' write a byte order mark
// or UTF-16.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// errUnmarked continues a sentence that begins with the file's name.
var errUnmarked = errors.New("is UTF-16 without a byte order mark: save it as UTF-8")

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

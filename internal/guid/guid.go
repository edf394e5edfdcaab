// Package guid checks, compares and makes GUIDs. Everything may use it, so it uses
// nothing but the standard library and package ascii.
package guid

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Len is the length of a GUID as text.
const Len = 36

// Is reports whether s has the form of a GUID with four hyphens, in any case.
func Is(s string) bool {
	if len(s) != Len {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// Key returns the form in which GUIDs, which are case-insensitive, are compared and
// looked up.
func Key(id string) string { return ascii.ToLower(id) }

// KeyIfGUID is [Key] for an id that may not be a GUID: others, such as the short ids of
// orders, are case-sensitive.
func KeyIfGUID(id string) string {
	if Is(id) {
		return Key(id)
	}
	return id
}

// New returns a random GUID, version 4 of RFC 9562.
func New() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return Of(b)
}

// Of returns the GUID, version 4, of random bits.
func Of(random [16]byte) string {
	var text [Len]byte
	return string(Append(text[:0], random))
}

// Append appends [Of] to dst.
func Append(dst []byte, random [16]byte) []byte { return format(dst, random, 4) }

// Derived makes a GUID from names, in any case: the same names give the same GUID.
func Derived(names ...string) string {
	return Sum([]byte(ascii.ToLower(strings.Join(names, "/"))))
}

// Sum makes a GUID from data, version 5.
func Sum(data []byte) string {
	sum := sha1.Sum(data)
	return string(format(nil, [16]byte(sum[:16]), 5))
}

func format(dst []byte, b [16]byte, version byte) []byte {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	dst = hex.AppendEncode(dst, b[:4])
	for _, part := range [][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), part)
	}
	return dst
}

package store

import (
	"encoding/binary"
	"math/bits"
)

// maxPlainDepth is how deep objects and arrays are nested in plain documents, at most.
const maxPlainDepth = 64

// isPlainObject reports whether a text is surely a JSON object in UTF-8: of ASCII, with
// neither escapes nor numbers other than integers. Most documents are, and are looked at
// twice as fast as by a decoder, which decides about the others.
func isPlainObject(text []byte) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	var open uint64 // the containers that are open, the innermost last: 1 for an object
	depth, i := 0, 0
	for {
		// A value begins at i.
		if i >= len(text) {
			return false
		}
		switch c := text[i]; c {
		case '{', '[':
			if depth == maxPlainDepth {
				return false
			}
			depth++
			i++
			isObject := c == '{'
			open = open<<1 | uint64(boolToInt(isObject))
			if i < len(text) && text[i] == c+2 { // it is empty
				break
			}
			if isObject {
				if i = plainName(text, i); i < 0 {
					return false
				}
			}
			continue
		case '"':
			if i = plainString(text, i); i < 0 {
				return false
			}
		case 't':
			if len(text)-i < 4 || string(text[i:i+4]) != "true" {
				return false
			}
			i += 4
		case 'f':
			if len(text)-i < 5 || string(text[i:i+5]) != "false" {
				return false
			}
			i += 5
		case 'n':
			if len(text)-i < 4 || string(text[i:i+4]) != "null" {
				return false
			}
			i += 4
		case '0':
			i++
		default:
			if c < '1' || c > '9' {
				return false
			}
			for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			}
		}
		// A value has ended before i, or an empty container ends there.
		for {
			if i >= len(text) {
				return false
			}
			c, isObject := text[i], open&1 == 1
			i++
			if c == ',' {
				if isObject {
					if i = plainName(text, i); i < 0 {
						return false
					}
				}
				break
			}
			if isObject && c != '}' || !isObject && c != ']' {
				return false
			}
			open >>= 1
			if depth--; depth == 0 {
				return i == len(text)
			}
		}
	}
}

// plainName returns where a name and its colon end that begin at i, or -1.
func plainName(text []byte, i int) int {
	if i >= len(text) || text[i] != '"' {
		return -1
	}
	if i = plainString(text, i); i < 0 || i >= len(text) || text[i] != ':' {
		return -1
	}
	return i + 1
}

// plainString returns where a string ends that begins at i, or -1.
func plainString(text []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i++
	// Eight bytes at a time. The lowest marked byte is right; those above it may not be.
	for len(text)-i >= 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, escape := w^('"'*ones), w^('\\'*ones)
		special := ((quote-ones)&^quote | (escape-ones)&^escape | (w-' '*ones)&^w | w) & tops
		if special != 0 {
			i += bits.TrailingZeros64(special) / 8
			if text[i] != '"' {
				return -1
			}
			return i + 1
		}
		i += 8
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < ' ' || c >= 0x80 || c == '\\':
			return -1
		}
	}
	return -1
}

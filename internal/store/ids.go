package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/caseless"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// idKey returns the key of what has a GUID as its id.
func idKey(id string) string { return guid.Key(validText(id)) }

// orderKey returns the key of an order: GUIDs of legacy orders are case-insensitive,
// short ids are not.
func orderKey(id string) string { return guid.KeyIfGUID(validText(id)) }

// fold returns the form in which case-insensitive ids and names are stored and compared.
func fold(id string) string { return ascii.ToLower(validText(id)) }

// searchKey folds text that people search by: in any case, with accents in either form. A
// NUL would end the text in SQL functions, and PostgreSQL does not accept it.
func searchKey(s string) string {
	return caseless.Key(validText(s))
}

// validText replaces what PostgreSQL does not take as text: NUL, and what is no UTF-8.
func validText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// validArgs makes the texts valid that a statement writes.
func validArgs(args []any) []any {
	for i, arg := range args {
		if text, is := arg.(string); is {
			args[i] = validText(text)
		}
	}
	return args
}

// newSecret returns 40 random characters that are safe in URLs.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

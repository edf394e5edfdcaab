package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/caseless"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// orderKey returns the key of an order: GUIDs of legacy orders are case-insensitive,
// short ids are not.
func orderKey(id string) string { return guid.KeyIfGUID(id) }

// fold returns the form in which case-insensitive ids and names are stored and compared.
func fold(id string) string { return ascii.ToLower(id) }

// searchKey folds text that people search by: in any case, with accents in either form. A
// NUL would end the text in SQL functions, and PostgreSQL does not accept it.
func searchKey(s string) string {
	return caseless.Key(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
}

// newSecret returns 40 random characters that are safe in URLs.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/caseless"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// orderKey returns the key of an order: GUIDs of legacy orders are case-insensitive,
// short ids are not.
func orderKey(id string) string { return guid.KeyIfGUID(id) }

// fold returns the form in which case-insensitive text is stored and compared. A NUL
// would end the text in SQL functions, and PostgreSQL does not accept it.
func fold(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
}

// searchKey folds text that people search by: in any case, with accents in either form.
func searchKey(s string) string { return caseless.Key(fold(s)) }

// newSecret returns 40 random characters that are safe in URLs.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

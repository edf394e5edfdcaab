package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// orderKey is the key of an order: GUIDs of legacy orders compare without
// case, short ids exactly.
func orderKey(id string) string { return guid.KeyIfGUID(id) }

// fold is how text is stored and looked for where case does not matter. A NUL
// would end the text in SQL functions, and PostgreSQL takes none.
func fold(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
}

// newSecret returns 40 random characters that are safe in addresses.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// guidKey is the key of a tenant, an app or any other thing named by a GUID:
// those compare without case.
func guidKey(id string) string { return strings.ToLower(id) }

// orderKey is the key of an order: GUIDs of legacy orders compare without
// case, short ids exactly.
func orderKey(id string) string {
	if guidLike(id) {
		return guidKey(id)
	}
	return id
}

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

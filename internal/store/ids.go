package store

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
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

// newGUID returns a random GUID (version 4).
func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newSecret returns 40 random characters that are safe in addresses.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

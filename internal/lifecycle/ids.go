package lifecycle

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// Seed is the randomness of one command: who gives it decides about the ids
// that the command makes, so that rules stay pure functions.
type Seed [32]byte

// ids makes ids of a seed.
type ids struct{ source *rand.ChaCha8 }

func newIDs(seed Seed) ids { return ids{rand.NewChaCha8(seed)} }

// fill never fails, as the source says.
func (g ids) fill(b []byte) { _, _ = g.source.Read(b) }

// guid returns a GUID (version 4) in lower case.
func (g ids) guid() string {
	var b [16]byte
	g.fill(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return formatGUID(b[:])
}

// long returns an id as the orders of catalog items have: 32 characters of
// URL-safe base64 and a 1.
func (g ids) long() string {
	var b [24]byte
	g.fill(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]) + "1"
}

// short returns 12 hex digits, the id of newer commerce's orders.
func (g ids) short() string {
	var b [6]byte
	g.fill(b[:])
	return hex.EncodeToString(b[:])
}

func formatGUID(b []byte) string {
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// derivedGUID makes a GUID of names (RFC 9562, version 5): the same names give
// the same GUID.
func derivedGUID(names ...string) string {
	sum := sha1.Sum([]byte(strings.ToLower(strings.Join(names, "/"))))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return formatGUID(sum[:16])
}

// isGUID reports whether s has the form of a GUID, in any case.
func isGUID(s string) bool {
	if len(s) != 36 {
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

// etag is the documented one of an order or subscription.
func etag(id string, version int) string {
	text := `{"id":"` + strings.ToLower(id) + `","version":` + strconv.Itoa(version) + `}`
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// version reads the version of an etag. Etags that came with loaded data may
// be anything; they count as the first.
func version(tag string) int {
	data, err := base64.StdEncoding.DecodeString(tag)
	if err != nil {
		return 1
	}
	var v struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(data, &v) != nil || v.Version < 1 {
		return 1
	}
	return v.Version
}

// stale reports whether a caller's etag is not the stored one: that of the
// If-Match header if there is one, else that of the body. Who sends none
// overwrites what he has not seen, and so does anybody where nothing is
// stored.
func stale(stored *string, ifMatch string, sent *string) bool {
	if stored == nil || *stored == "" {
		return false
	}
	tag := strings.TrimSpace(ifMatch)
	if tag == "*" {
		return false
	}
	if tag = strings.Trim(strings.TrimPrefix(tag, "W/"), `"`); tag == "" {
		if sent == nil || *sent == "" {
			return false
		}
		tag = strings.Trim(*sent, `"`)
	}
	return tag != strings.Trim(*stored, `"`) // loaded ones may have quotes
}

func errStale(what string) error {
	return &Refusal{
		Status: 400, Code: partnercenter.CodeEtagStale,
		Problem: fmt.Sprintf("Etag is no longer valid: the %s was changed since it was read", what),
		Next:    "Read it again and send the change with its new etag",
	}
}

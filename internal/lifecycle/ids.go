package lifecycle

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Entropy is the randomness of one command. The caller provides it, and so determines
// the ids that the command generates, which keeps the rules pure.
type Entropy [32]byte

// ids generates ids.
type ids struct{ source *rand.ChaCha8 }

func newIDs(entropy Entropy) ids { return ids{rand.NewChaCha8(entropy)} }

// fill never fails; the source is documented not to.
func (g ids) fill(b []byte) { _, _ = g.source.Read(b) }

// guid returns a GUID (version 4) in lower case.
func (g ids) guid() string {
	var b [16]byte
	g.fill(b[:])
	return guid.Of(b)
}

// long returns an id in the form of orders of catalog items: 32 characters of URL-safe
// base64 and a 1.
func (g ids) long() string {
	var b [24]byte
	g.fill(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]) + "1"
}

// short returns 12 hex digits, the id of orders in new commerce.
func (g ids) short() string {
	var b [6]byte
	g.fill(b[:])
	return hex.EncodeToString(b[:])
}

// etag returns the etag of an order or subscription in its documented form.
func etag(id string, version int) string {
	text := `{"id":"` + ascii.ToLower(id) + `","version":` + strconv.Itoa(version) + `}`
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// version reads the version of an etag. Etags of loaded data may be anything; they
// count as the first version.
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

// stale reports whether a caller's etag differs from the stored one: that of the
// If-Match header or, without one, that of the body. Callers that send none overwrite
// changes that they have not seen, and so do all where nothing is stored.
func stale(stored *string, ifMatch string, sent *string) bool {
	if stored == nil || *stored == "" {
		return false
	}
	tag := ascii.TrimSpace(ifMatch)
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

// checkEtag refuses a change with a stale etag.
func checkEtag(what string, stored *partnercenter.ResourceAttributes, ifMatch string, sent *partnercenter.ResourceAttributes) error {
	if !stale(etagOf(stored), ifMatch, etagOf(sent)) {
		return nil
	}
	return refuse(http.StatusBadRequest, partnercenter.ErrorCodeEtagStale, "Read it again and send the change with its new etag",
		"Etag is no longer valid: the %s was changed since it was read", what)
}

// sentVersion reports whether a caller that is not stale named the stored version, which
// "*" or no etag at all do not. Where no etag is stored, there is one version only.
func sentVersion(stored *partnercenter.ResourceAttributes, ifMatch string, sent *partnercenter.ResourceAttributes) bool {
	tag := etagOf(stored)
	if tag == nil || *tag == "" {
		return true
	}
	if ascii.TrimSpace(ifMatch) == "*" {
		ifMatch = ""
	}
	if named := etagOf(sent); ifMatch == "" && (named == nil || *named == "") {
		return false
	}
	return !stale(tag, ifMatch, etagOf(sent))
}

func etagOf(a *partnercenter.ResourceAttributes) *string {
	if a == nil {
		return nil
	}
	return a.Etag
}

// Package walk ends walks over the pages of a list that would not end by themselves, and
// bounds what is kept of lists.
package walk

import (
	"crypto/sha256"
	"fmt"

	"github.com/partnercenter-go/partnercenter/internal/quote"
)

const (
	// maxEmpty is how many pages in a row may have no items. Filters make some.
	maxEmpty = 2
	// maxLink is far more bytes than the link to a page needs, with its token.
	maxLink = 32 << 10
)

// Walk remembers the pages of one list, in 16 bytes each.
type Walk struct {
	seen  map[[16]byte]struct{}
	empty int // pages without items, in a row
}

// From returns a walk that begins at an address, with a continuation token or none.
func From(address, token string) *Walk {
	w := &Walk{}
	w.visit(address, token)
	return w
}

// visit reports whether a page is a new one. Where there are tokens, they tell pages
// apart: the address may be the same for all of them, and a new address does not make an
// old token a new one.
func (w *Walk) visit(address, token string) bool {
	page := "address " + address
	if token != "" {
		page = "token " + token
	}
	hash := sha256.Sum256([]byte(page))
	key := [16]byte(hash[:16])
	if _, known := w.seen[key]; known {
		return false
	}
	if w.seen == nil {
		w.seen = map[[16]byte]struct{}{}
	}
	w.seen[key] = struct{}{}
	return true
}

// Next notes a page with a number of items, and the address and continuation token of
// the page after it. The error says why that must not be got.
func (w *Walk) Next(items int, address, token string) error {
	if w.empty++; items > 0 {
		w.empty = 0
	}
	shown := quote.Text(address)
	if token != "" {
		shown += " with continuation token " + quote.Text(token)
	}
	switch {
	case len(address)+len(token) > maxLink:
		return fmt.Errorf("the link to the next page, %s, has %d bytes", shown, len(address)+len(token))
	case w.empty > maxEmpty:
		return fmt.Errorf("%d pages in a row have no items, and the next one is %s", w.empty, shown)
	case !w.visit(address, token):
		return fmt.Errorf("the next page, %s, is one that came before", shown)
	}
	return nil
}

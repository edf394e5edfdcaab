package token

import (
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/recent"
)

// CacheSize is the number of verified tokens that a checker caches: about 6 MB when
// full.
const CacheSize = 4096

// Cache remembers tokens that passed every check but those of time, which are repeated
// on each call. Trust is an immutable value that they were verified under, replaced as
// a whole: under another one a token is verified again. The zero value remembers
// nothing.
type Cache[Trust comparable] struct {
	tokens *recent.Cache[string, verifiedToken[Trust]]
}

type verifiedToken[Trust comparable] struct {
	claims *Claims
	trust  Trust
}

// NewCache returns a cache for this many tokens, at least one.
func NewCache[Trust comparable](size int) Cache[Trust] {
	return Cache[Trust]{recent.New[string, verifiedToken[Trust]](int64(size))}
}

// Recall returns the claims of a token that was verified under trust, or nil.
func (c Cache[Trust]) Recall(token string, trust Trust) *Claims {
	if c.tokens == nil {
		return nil
	}
	if known, ok := c.tokens.Get(token); ok && known.trust == trust {
		return known.claims
	}
	return nil
}

// Remember stores the claims of a token that was verified under trust.
func (c Cache[Trust]) Remember(token string, claims *Claims, trust Trust) {
	if c.tokens != nil {
		// A clone, because token is usually part of a longer header.
		c.tokens.Put(strings.Clone(token), verifiedToken[Trust]{claims: claims, trust: trust}, 1)
	}
}

// Len returns the number of tokens remembered.
func (c Cache[Trust]) Len() int {
	if c.tokens == nil {
		return 0
	}
	n, _ := c.tokens.Cost()
	return n
}

package issuer

import (
	"cmp"
	"fmt"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
)

// tokenCache remembers tokens that passed every check but those of time, which
// are made anew on each call. Trust is what they were verified under, an
// immutable value that is replaced as a whole: under another one a token is
// verified again. The zero value remembers nothing.
type tokenCache[Trust comparable] struct {
	tokens *lru.Cache[string, verifiedToken[Trust]]
}

type verifiedToken[Trust comparable] struct {
	claims *Claims
	trust  Trust
}

// newTokenCache returns a cache for so many tokens: zero means DefaultCacheSize,
// negative means none.
func newTokenCache[Trust comparable](size int) (tokenCache[Trust], error) {
	if size < 0 {
		return tokenCache[Trust]{}, nil
	}
	tokens, err := lru.New[string, verifiedToken[Trust]](cmp.Or(size, DefaultCacheSize))
	if err != nil {
		return tokenCache[Trust]{}, fmt.Errorf("issuer: token cache: %w", err)
	}
	return tokenCache[Trust]{tokens}, nil
}

// recall returns the claims of a token that was verified under trust, or nil.
func (c tokenCache[Trust]) recall(token string, trust Trust) *Claims {
	if c.tokens == nil {
		return nil
	}
	if known, ok := c.tokens.Get(token); ok && known.trust == trust {
		return known.claims
	}
	return nil
}

func (c tokenCache[Trust]) remember(token string, claims *Claims, trust Trust) {
	if c.tokens != nil {
		// A clone, because token is usually a part of a longer header.
		c.tokens.Add(strings.Clone(token), verifiedToken[Trust]{claims: claims, trust: trust})
	}
}

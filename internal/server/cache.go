package server

import (
	"bytes"
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// answerKey is what a list answer depends on besides the stored orders. Ids
// are in lower case.
type answerKey struct {
	partner, customer, cycle, reseller string
	price, system                      bool
}

// cachedAnswer is an answer and the version of the customer's orders that it
// was made from.
type cachedAnswer struct {
	version uint64
	body    []byte
}

// answerOverhead is about what an entry costs besides its body: key strings,
// list element and map slot.
const answerOverhead = 400

// answerCache keeps the list answers used last, up to a number of bytes. An
// entry is good as long as its version is the store's.
type answerCache struct {
	limit int64

	mu   sync.Mutex // guards what follows
	lru  *simplelru.LRU[answerKey, cachedAnswer]
	used int64
}

func newAnswerCache(limit int64) *answerCache {
	a := &answerCache{limit: limit}
	// Bytes are what bounds the cache; the count of entries is left open.
	a.lru, _ = simplelru.NewLRU(math.MaxInt, func(_ answerKey, e cachedAnswer) { a.used -= e.cost() })
	return a
}

func (e cachedAnswer) cost() int64 { return int64(cap(e.body)) + answerOverhead }

func (a *answerCache) get(key answerKey, version uint64) ([]byte, bool) {
	if a.limit <= 0 {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.lru.Get(key)
	if !ok {
		return nil, false
	}
	if e.version != version {
		a.lru.Remove(key)
		return nil, false
	}
	return e.body, true
}

// put keeps a copy of body, and drops the answers used longest ago to make
// room. An answer that would take an eighth of the cache is not kept.
func (a *answerCache) put(key answerKey, version uint64, body []byte) {
	if int64(len(body)) > a.limit/8 {
		return
	}
	e := cachedAnswer{version: version, body: bytes.Clone(body)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lru.Remove(key) // so that the old entry's cost is taken off
	a.lru.Add(key, e)
	a.used += e.cost()
	for a.used > a.limit {
		a.lru.RemoveOldest()
	}
}

package server

import (
	"bytes"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// answerKey is what a list answer depends on besides the stored orders. Ids
// are in lower case.
type listKey struct {
	partner, customer, cycle, reseller string
	price, system                      bool
}

// cachedAnswer is an answer and the version of the customer's orders that it
// was made from.
type cachedList struct {
	version uint64
	until   time.Time // when time alone makes it another one; zero for never
	body    []byte
}

// answerOverhead is about what an entry costs besides its body: key strings,
// list element and map slot.
const listOverhead = 400

// answerCache keeps the list answers used last, up to a number of bytes. An
// entry is good as long as its version is the store's.
//
// A large answer is kept from the second time on that it is made: it would drive
// out many others and cost a copy, and whoever reads all customers' orders once,
// as reports do, has no use for it.
type listCache struct {
	limit    int64
	hashSeed maphash.Seed
	asked    [askedSlots]atomic.Uint32 // marks of the keys asked for before

	mu   sync.Mutex // guards what follows
	lru  *simplelru.LRU[listKey, cachedList]
	used int64
}

func newListCache(limit int64) *listCache {
	a := &listCache{limit: limit, hashSeed: maphash.MakeSeed()}
	// Bytes are what bounds the cache; the count of entries is left open.
	a.lru, _ = simplelru.NewLRU(math.MaxInt, func(_ listKey, e cachedList) { a.used -= e.cost() })
	return a
}

func (e cachedList) cost() int64 { return int64(cap(e.body)) + listOverhead }

// get returns the answer kept under a key, if it is of this version and its time
// is not over.
func (a *listCache) get(key listKey, version uint64, now func() time.Time) ([]byte, bool) {
	if a.limit <= 0 {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.look(key)
	if !ok {
		return nil, false
	}
	if e.version != version || !e.until.IsZero() && !now().Before(e.until) {
		a.lru.Remove(key)
		return nil, false
	}
	return e.body, true
}

// look finds an entry. Only every eighth time, on average, is that noted as use:
// it tells often used entries from others as well, and reordering the list
// costs as much as finding the entry.
func (a *listCache) look(key listKey) (cachedList, bool) {
	if rand.Uint32()%8 == 0 {
		return a.lru.Get(key)
	}
	return a.lru.Peek(key)
}

// largeShare is which part of the cache makes an answer a large one.
const largeShare = 1024

// askedSlots is how many keys are remembered as asked for, about. One that is
// forgotten early is only kept a little later.
const askedSlots = 1 << 16

// askedBefore reports whether the key was asked for not long ago, and remembers
// that it is now.
func (a *listCache) askedBefore(key listKey) bool {
	h := maphash.Comparable(a.hashSeed, key)
	mark := uint32(h>>32) | 1 // zero is nobody's
	return a.asked[h%askedSlots].Swap(mark) == mark
}

// put keeps a copy of body, and drops the answers used longest ago to make
// room. A large answer is kept if its key was asked for before; one that would
// take an eighth of the cache is not kept at all.
func (a *listCache) put(key listKey, version uint64, until time.Time, body []byte) {
	size := int64(len(body))
	if size > a.limit/8 || size > a.limit/largeShare && !a.askedBefore(key) {
		return
	}
	e := cachedList{version: version, until: until, body: bytes.Clone(body)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lru.Remove(key) // so that the old entry's cost is taken off
	a.lru.Add(key, e)
	a.used += e.cost()
	for a.used > a.limit {
		a.lru.RemoveOldest()
	}
}

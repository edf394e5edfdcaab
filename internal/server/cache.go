package server

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/partnercenter-go/partnercenter/internal/recent"
)

// listKey is what a list depends on besides the stored orders. Ids are in lower case.
type listKey struct {
	partner, customer, cycle, reseller string
	price, system                      bool
}

// cachedList is an answer with the version of the customer's orders that it was made
// from.
type cachedList struct {
	version uint64
	until   time.Time // when it expires by time alone; zero for never
	body    []byte
}

// listOverhead is roughly the cost of an entry besides its body: key strings,
// entry and map slot.
const listOverhead = 400

// listCache keeps recently used lists, up to a number of bytes. An entry is valid while
// its version is the store's.
//
// A large list is cached only when it is requested a second time: it would evict many
// others and costs a copy, and a client that reads the orders of every customer once,
// as reports do, gains nothing from it.
type listCache struct {
	limit    int64
	hashSeed maphash.Seed
	asked    [askedSlots]atomic.Uint32 // marks of recently requested keys
	lists    *recent.Cache[listKey, cachedList]

	// These count without making processors wait for each other.
	hits, misses *xsync.Counter
}

func newListCache(limit int64) *listCache {
	return &listCache{
		limit: limit, hashSeed: maphash.MakeSeed(), lists: recent.New[listKey, cachedList](limit),
		hits: xsync.NewCounter(), misses: xsync.NewCounter(),
	}
}

func (e cachedList) cost() int64 { return int64(cap(e.body)) + listOverhead }

// get returns the answer under a key if it has this version and has not expired.
func (a *listCache) get(key listKey, version uint64, now func() time.Time) ([]byte, bool) {
	if a.limit <= 0 {
		return nil, false
	}
	e, ok := a.lists.Get(key)
	if ok && (e.version != version || !e.until.IsZero() && !now().Before(e.until)) {
		a.lists.Delete(key)
		ok = false
	}
	if !ok {
		a.misses.Inc()
		return nil, false
	}
	a.hits.Inc()
	return e.body, true
}

// largeShare is the fraction of the cache that makes an answer large.
const largeShare = 1024

// askedSlots is roughly how many requested keys are remembered. One that is forgotten
// is only cached a little later.
const askedSlots = 1 << 16

// askedBefore reports whether the key was requested recently, and remembers that it was
// requested now.
func (a *listCache) askedBefore(key listKey) bool {
	h := maphash.Comparable(a.hashSeed, key)
	mark := uint32(h>>32) | 1 // zero marks an empty slot
	return a.asked[h%askedSlots].Swap(mark) == mark
}

// put caches a copy of body, and evicts answers that were not used recently to make room.
// A large answer is cached if its key was requested before; one that would take an eighth
// of the cache never is.
func (a *listCache) put(key listKey, version uint64, until time.Time, body []byte) {
	size := int64(len(body))
	if size > a.limit/8 || size > a.limit/largeShare && !a.askedBefore(key) {
		return
	}
	e := cachedList{version: version, until: until, body: bytes.Clone(body)}
	a.lists.Put(key, e, e.cost())
}

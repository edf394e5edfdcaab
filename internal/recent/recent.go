// Package recent keeps values that were used recently, up to a limit. It is for caches that
// every request reads: reading takes no lock, and writes to memory only when it is the first
// use of a value for some time.
package recent

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"
)

// Cache keeps values by their keys. Its methods may be called at the same time.
//
// Values are evicted in the order they came, but for those that were used meanwhile: these
// go back to the end.
type Cache[K comparable, V any] struct {
	limit   int64
	entries *xsync.Map[K, *entry[K, V]] // those of queue

	mu    sync.Mutex // guards what follows
	queue *list.List // of *entry[K, V]; the first is evicted next
	cost  int64
}

type entry[K comparable, V any] struct {
	key   K
	value V
	cost  int64
	place *list.Element // in queue
	used  atomic.Bool   // since it went to the end of queue
}

// New returns a cache of values that together cost no more than a limit.
func New[K comparable, V any](limit int64) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, entries: xsync.NewMap[K, *entry[K, V]](), queue: list.New()}
}

// Get returns the value of a key, if it is kept.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	e, ok := c.entries.Load(key)
	if !ok {
		return value, false
	}
	if !e.used.Load() { // reading alone leaves it in the caches of all processors
		e.used.Store(true)
	}
	return e.value, true
}

// Put keeps a value, instead of another one of the key, and evicts others to make room. If
// it costs more than the limit, it is not kept.
func (c *Cache[K, V]) Put(key K, value V, cost int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries.Load(key); ok {
		c.remove(old)
	}
	if cost > c.limit {
		return
	}
	for c.cost+cost > c.limit {
		if e := c.queue.Front().Value.(*entry[K, V]); e.used.Swap(false) {
			c.queue.MoveToBack(e.place)
		} else {
			c.remove(e)
		}
	}
	e := &entry[K, V]{key: key, value: value, cost: cost}
	e.place = c.queue.PushBack(e)
	c.cost += cost
	c.entries.Store(key, e)
}

// Delete forgets the value of a key.
func (c *Cache[K, V]) Delete(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries.Load(key); ok {
		c.remove(e)
	}
}

func (c *Cache[K, V]) remove(e *entry[K, V]) {
	c.queue.Remove(e.place)
	c.cost -= e.cost
	c.entries.Delete(e.key)
}

// Cost returns how many values are kept, and what they cost together.
func (c *Cache[K, V]) Cost() (values int, cost int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.Len(), c.cost
}

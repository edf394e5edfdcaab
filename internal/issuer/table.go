package issuer

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/loopback"
)

// table keeps a bounded number of entries that anybody can have it make, such as
// sign-ins in progress, and as many of users who have entered their password. When one
// kind is full, the caller or user with the most of it loses the oldest: who fills it
// replaces their own, or others that have as few. It is not safe for concurrent use.
type table[V any] struct {
	size             int
	entries          map[string]*tableEntry[V]
	strangers, users share[V]
	added            uint64
}

// share are the entries of one kind.
type share[V any] struct {
	n  int
	by map[string][]*tableEntry[V] // by caller or user, oldest first, never empty
}

type tableEntry[V any] struct {
	key, owner string
	share      *share[V]
	number     uint64 // counts the entries of the table
	value      V
}

func newTable[V any](size int) *table[V] {
	t := &table[V]{size: size}
	t.clear()
	return t
}

func (t *table[V]) clear() {
	t.entries = make(map[string]*tableEntry[V])
	for _, of := range []*share[V]{&t.strangers, &t.users} {
		*of = share[V]{by: make(map[string][]*tableEntry[V])}
	}
}

func (t *table[V]) get(key string) (value V, ok bool) {
	e, ok := t.entries[key]
	if ok {
		value = e.value
	}
	return value, ok
}

// add adds an entry for a caller or, proved, for a user who has signed in. It replaces one
// with the same key.
func (t *table[V]) add(key, owner string, proved bool, value V) {
	to := &t.strangers
	if proved {
		to = &t.users
	}
	t.remove(key)
	for to.n >= t.size {
		t.remove(to.by[to.greediest()][0].key)
	}
	t.added++
	e := &tableEntry[V]{key, owner, to, t.added, value}
	t.entries[key], to.by[owner] = e, append(to.by[owner], e)
	to.n++
}

// greediest returns who has the most entries and, of several, the one with the oldest.
func (s *share[V]) greediest() (owner string) {
	var most []*tableEntry[V]
	for name, entries := range s.by {
		if len(entries) > len(most) || len(entries) == len(most) && entries[0].number < most[0].number {
			owner, most = name, entries
		}
	}
	return owner
}

// replace changes an entry, which may become a user's.
func (t *table[V]) replace(key, owner string, proved bool, value V) {
	if e := t.entries[key]; e.owner != owner || (e.share == &t.users) != proved {
		t.add(key, owner, proved, value)
	} else {
		e.value = value
	}
}

// all returns the values, oldest first.
func (t *table[V]) all() []V {
	entries := slices.SortedFunc(maps.Values(t.entries), func(a, b *tableEntry[V]) int { return cmp.Compare(a.number, b.number) })
	list := make([]V, len(entries))
	for i, e := range entries {
		list[i] = e.value
	}
	return list
}

func (t *table[V]) remove(key string) {
	e := t.entries[key]
	if e == nil {
		return
	}
	delete(t.entries, key)
	e.share.n--
	of := e.share.by[e.owner]
	if len(of) == 1 {
		delete(e.share.by, e.owner)
		return
	}
	at, _ := slices.BinarySearchFunc(of, e.number, func(e *tableEntry[V], number uint64) int { return cmp.Compare(e.number, number) })
	e.share.by[e.owner] = slices.Delete(of, at, at+1)
}

// callerOf returns who sends a request, for limits: its address or, because one line has
// more of IPv6's than can be counted, its network. This machine, all of whose millions of
// addresses any of its programs can use, is one.
func callerOf(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := from.Addr().Unmap().WithZone("")
	if loopback.IsAddress(address) {
		return "loopback"
	}
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

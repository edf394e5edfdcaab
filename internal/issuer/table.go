package issuer

import (
	"cmp"
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
	dropped          func(V) // called for what is replaced; may be nil
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

// add adds an entry for a caller. It replaces one with the same key.
func (t *table[V]) add(key, caller string, value V) { t.addTo(&t.strangers, key, caller, value) }

// addOfUser adds an entry for a user who has signed in.
func (t *table[V]) addOfUser(key, userID string, value V) { t.addTo(&t.users, key, userID, value) }

func (t *table[V]) addTo(to *share[V], key, owner string, value V) {
	t.remove(key)
	for to.n >= t.size {
		oldest := to.by[to.greediest()][0]
		t.remove(oldest.key)
		if t.dropped != nil {
			t.dropped(oldest.value)
		}
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

// give makes an entry that of a user who has signed in.
func (t *table[V]) give(key, userID string) {
	if e := t.entries[key]; e != nil && (e.share != &t.users || e.owner != userID) {
		t.addOfUser(key, userID, e.value)
	}
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

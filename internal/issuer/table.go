package issuer

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
)

// table keeps a bounded number of entries that anybody can have it make, such as
// sign-ins in progress. When it is full, the caller with the most entries loses the
// oldest one: who fills it replaces their own. It is not safe for concurrent use.
type table[V any] struct {
	size    int
	entries map[string]*tableEntry[V]
	callers map[string][]*tableEntry[V] // oldest first, never empty
	added   uint64
	dropped func(V) // called for what is replaced; may be nil
}

type tableEntry[V any] struct {
	key, caller string
	number      uint64 // counts the entries of the table
	value       V
}

func newTable[V any](size int) *table[V] {
	t := &table[V]{size: size}
	t.clear()
	return t
}

func (t *table[V]) len() int { return len(t.entries) }

func (t *table[V]) clear() {
	t.entries, t.callers = make(map[string]*tableEntry[V]), make(map[string][]*tableEntry[V])
}

func (t *table[V]) get(key string) (value V, ok bool) {
	e, ok := t.entries[key]
	if ok {
		value = e.value
	}
	return value, ok
}

// add adds an entry for a caller. It replaces one with the same key.
func (t *table[V]) add(key, caller string, value V) {
	t.remove(key)
	for len(t.entries) >= t.size {
		oldest := t.callers[t.greediest()][0]
		t.remove(oldest.key)
		if t.dropped != nil {
			t.dropped(oldest.value)
		}
	}
	t.added++
	e := &tableEntry[V]{key, caller, t.added, value}
	t.entries[key], t.callers[caller] = e, append(t.callers[caller], e)
}

// greediest returns the caller with the most entries and, of several, the one with the
// oldest.
func (t *table[V]) greediest() (caller string) {
	var most []*tableEntry[V]
	for name, entries := range t.callers {
		if len(entries) > len(most) || len(entries) == len(most) && entries[0].number < most[0].number {
			caller, most = name, entries
		}
	}
	return caller
}

// give makes an entry another caller's.
func (t *table[V]) give(key, caller string) {
	if e := t.entries[key]; e != nil && e.caller != caller {
		t.add(key, caller, e.value)
	}
}

func (t *table[V]) remove(key string) {
	e := t.entries[key]
	if e == nil {
		return
	}
	delete(t.entries, key)
	of := t.callers[e.caller]
	if len(of) == 1 {
		delete(t.callers, e.caller)
		return
	}
	at, _ := slices.BinarySearchFunc(of, e.number, func(e *tableEntry[V], number uint64) int { return cmp.Compare(e.number, number) })
	t.callers[e.caller] = slices.Delete(of, at, at+1)
}

// callerOf returns who sends a request, for limits: its address or, because one line has
// more of IPv6's than can be counted, its network.
func callerOf(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := from.Addr().Unmap().WithZone("")
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

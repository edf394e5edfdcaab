package store

import (
	"math/bits"
	"time"
)

// versionSlots is the number of counters that customers share. More would make fewer
// caches discard a list too early, and cost 8 bytes each.
const versionSlots = 4096

// OrdersVersion returns a number that changes with every commit that changes the
// customer's lists of orders, for caches: read the version, then the clock and the
// list, and cache the list under that version. It may also change when another
// customer's orders do. Ids are case-insensitive, and the call neither blocks nor
// allocates.
func (s *Store) OrdersVersion(partnerID, customerID string) uint64 {
	if s.isUnsure() {
		return 1<<63 | s.unknown.Add(1) // of no kept list
	}
	return s.versions[versionSlot(partnerID, customerID)].Load()
}

// Shared are kinds of what servers keep in memory and that is of no customer.
type Shared int

// The kinds, and all of them.
const (
	Identity Shared = 1 << iota // partners, their apps and users, consents, signing keys
	Settings                    // what PutSetting stores

	sharedKinds        = iota
	nothing     Shared = 0
	everything         = Identity | Settings
)

// SharedVersion returns a number that changes with every commit, of any server, that
// changes something of a kind: read the version, then the database, and keep what was
// read until the version changes. The call neither blocks nor allocates.
func (s *Store) SharedVersion(kind Shared) uint64 {
	if s.isUnsure() {
		return 1<<63 | s.unknown.Add(1)
	}
	return s.shared[bits.TrailingZeros(uint(kind))].Load()
}

// IsShared reports whether other servers may change the database, too: a version may
// change a moment later than what it stands for.
func (s *Store) IsShared() bool { return s.pg != nil }

// isUnsure reports whether other servers may have changed what this one has not read
// yet.
func (s *Store) isUnsure() bool {
	return s.pg != nil && time.Since(s.opened).Nanoseconds()-s.checked.Load() > trusted.Nanoseconds()
}

// changes are what a transaction changes that servers keep: lists of customers, and
// what is shared.
type changes struct {
	slots  [versionSlots]bool
	all    bool
	shared Shared
}

// noteOwn is called when this server has committed.
func (s *Store) noteOwn(c *changes) {
	if s.pg != nil && s.pg.replica != nil {
		s.pg.replica.noteOwn(c)
		s.pg.watcher.poke()
	}
	s.bumpVersions(c)
}

// add adds other changes.
func (t *changes) add(c *changes) {
	t.all, t.shared = t.all || c.all, t.shared|c.shared
	for i := range t.slots {
		t.slots[i] = t.slots[i] || c.slots[i]
	}
}

func (t *changes) customer(partnerID, customerID string) {
	t.slots[versionSlot(partnerID, customerID)] = true
}

// bumpVersions changes the versions of what was changed.
func (s *Store) bumpVersions(t *changes) {
	for i := range s.shared {
		if t.shared&(1<<i) != 0 {
			s.shared[i].Add(1)
		}
	}
	for i := range s.versions {
		if t.all || t.slots[i] {
			s.versions[i].Add(1)
		}
	}
}

// BumpAllVersions changes every [Store.OrdersVersion]: lists may have changed although
// nothing was written, as when the clock was set.
func (s *Store) BumpAllVersions() {
	for i := range s.versions {
		s.versions[i].Add(1)
	}
}

// versionSlot returns the counter of a customer: a hash (FNV-1a) of the ids in lower
// case.
func versionSlot(partnerID, customerID string) int {
	h := uint64(14695981039346656037)
	for _, id := range [...]string{partnerID, customerID} {
		for i := range len(id) {
			c := id[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	return int(h % versionSlots)
}

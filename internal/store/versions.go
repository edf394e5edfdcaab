package store

import "time"

// versionSlots is the number of counters that customers share. More would make fewer
// caches discard a list too early, and cost 8 bytes each.
const versionSlots = 4096

// OrdersVersion returns a number that changes with every commit that changes the
// customer's lists of orders, for caches: read the version, then the clock and the
// list, and cache the list under that version. It may also change when another
// customer's orders do. Ids are case-insensitive, and the call neither blocks nor
// allocates.
func (s *Store) OrdersVersion(partnerID, customerID string) uint64 {
	if s.pg != nil && time.Since(s.opened).Nanoseconds()-s.checked.Load() > trusted.Nanoseconds() {
		return 1<<63 | s.unknown.Add(1) // of no kept list
	}
	return s.versions[versionSlot(partnerID, customerID)].Load()
}

// changedCustomers are the customers whose lists a transaction changes.
type changedCustomers struct {
	slots [versionSlots]bool
	all   bool
}

func (t *changedCustomers) customer(partnerID, customerID string) {
	t.slots[versionSlot(partnerID, customerID)] = true
}

// bumpVersions changes the [Store.OrdersVersion] of customers.
func (s *Store) bumpVersions(t *changedCustomers) {
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

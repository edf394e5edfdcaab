package store

import "testing"

func testFigures(t *testing.T, s *Store) {
	before := s.Figures().Batches
	if err := s.Apply(t.Context(), &Change{PartnerID: partnerA, CustomerID: shared, Answer: &Answer{Key: []byte("figures"), Digest: []byte("d"), Status: 200}}); err != nil {
		t.Fatal(err)
	}
	f := s.Figures()
	if f.Batches.Commits != before.Commits+1 || f.Batches.Changes != before.Changes+1 || f.Batches.UpTo[0] != before.UpTo[0]+1 || f.Queue != 0 {
		t.Errorf("one change was written: %+v after %+v", f, before)
	}
	for _, pool := range f.Pools {
		if pool.Max < 1 || pool.InUse+pool.Idle > pool.Max {
			t.Errorf("pool %+v", pool)
		}
	}
	if isFile := s.pg == nil; len(f.Pools) == 0 || isFile != (f.FileBytes > 0) || isFile != (f.LogBytes > 0) {
		t.Errorf("figures %+v", f)
	}
}

func TestBatchFigures(t *testing.T) {
	var c batchCounts
	for _, changes := range []int{1, 1, 2, 3, 4, 5, 200, maxBatch} {
		c.add(changes)
	}
	f := c.figures()
	if want := [batchSizes]uint64{2, 3, 5, 6, 6, 6, 6, 6, 8}; f.UpTo != want || f.Commits != 8 || f.Changes != 216+maxBatch {
		t.Errorf("got %+v, want %v", f, want)
	}
	if f.Size(0) != 1 || f.Size(batchSizes-1) != maxBatch {
		t.Errorf("sizes from %d to %d", f.Size(0), f.Size(batchSizes-1))
	}
}

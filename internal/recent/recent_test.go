package recent

import (
	"sync"
	"testing"
)

func TestCache(t *testing.T) {
	c := New[int, string](10)
	has := func(key int) bool { _, ok := c.Get(key); return ok }
	for key := range 10 {
		c.Put(key, "old", 1)
	}
	c.Put(3, "new", 1)
	if value, _ := c.Get(3); value != "new" {
		t.Errorf("the value is %q after another one was put", value)
	}
	has(0)
	c.Put(10, "", 2)
	if !has(0) || !has(3) || !has(10) || has(1) {
		t.Errorf("kept 0: %v, 3: %v, 10: %v, 1: %v; want those that were used, and the new one", has(0), has(3), has(10), has(1))
	}
	for key := range 11 { // all of them are used, and go back to the end
		has(key)
	}
	if c.Put(11, "", 1); !has(11) {
		t.Error("there was no room while all others were in use")
	}
	if c.Put(11, "", 11); has(11) {
		t.Error("a value is kept that costs more than the limit, or the one before it")
	}
	if c.Put(12, "", 10); !has(12) || has(0) {
		t.Error("a value that costs as much as the limit is not kept alone")
	}
	c.Delete(0)
	if values, cost := c.Cost(); values != 1 || cost != 10 {
		t.Errorf("%d values of cost %d, want one of 10", values, cost)
	}
	c.Delete(12)
	if values, cost := c.Cost(); values != 0 || cost != 0 || has(12) {
		t.Errorf("%d values of cost %d, want none", values, cost)
	}
}

// What came last stays longest: a cache that is full takes what is asked for next.
func TestFullCacheTakesNewValues(t *testing.T) {
	const limit = 100
	c := New[int, bool](limit)
	for key := range 3 * limit {
		c.Put(key, true, 1)
	}
	for key := range 3 * limit {
		if _, ok := c.Get(key); ok != (key >= 2*limit) {
			t.Errorf("%d of %d values, kept: %v", key, 3*limit, ok)
		}
	}
}

// However it is used at once, no value is of another key, and the limit holds.
func TestAtOnce(t *testing.T) {
	const keys, limit = 100, 50
	c := New[int, int](limit)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 20_000 {
				key := (i*7 + worker*13) % keys
				if value, ok := c.Get(key); ok && value%keys != key {
					t.Errorf("%d has the value %d", key, value)
					return
				}
				if i%3 == 0 {
					c.Put(key, i*keys+key, int64(1+i%4))
				}
				if _, cost := c.Cost(); cost > limit {
					t.Errorf("the values cost %d", cost)
					return
				}
			}
		})
	}
	wait.Wait()
	values, kept := 0, int64(0)
	c.entries.Range(func(key int, e *entry[int, int]) bool {
		values, kept = values+1, kept+e.cost
		if e.place.Value != e || e.key != key {
			t.Errorf("%d is not in its place", key)
		}
		return true
	})
	if n, cost := c.Cost(); n != values || cost != kept {
		t.Errorf("%d values of cost %d can be found, of %d and %d", values, kept, n, cost)
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	c := New[string, int](1)
	c.Put("key", 1, 1)
	if n := testing.AllocsPerRun(100, func() { c.Get("key") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

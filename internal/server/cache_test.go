package server

import (
	"fmt"
	"testing"
	"time"
)

func TestAnswerCache(t *testing.T) {
	a := newListCache(10 * (640 + listOverhead)) // ten answers
	key := func(n int) listKey { return listKey{partner: "p", customer: fmt.Sprint(n)} }
	body := make([]byte, 640) // what the allocator gives for it, too
	put := func(n int, version uint64) {
		a.put(key(n), version, time.Time{}, body)
		a.put(key(n), version, time.Time{}, body)
	}
	has := func(n int, version uint64) bool {
		_, ok := a.get(key(n), version, time.Now)
		return ok
	}

	if a.put(key(0), 1, time.Time{}, body); has(0, 1) {
		t.Error("a large answer was kept the first time it was made")
	}
	if put(1, 1); !has(1, 1) {
		t.Error("an answer was not kept the second time it was made")
	}
	body[0] = 'x'
	if kept, _ := a.get(key(1), 1, time.Now); kept[0] == 'x' {
		t.Error("the answer kept is its maker's buffer")
	}
	if has(1, 2) {
		t.Error("an answer outlived its version")
	}
	if has(1, 1) {
		t.Error("a stale answer came back")
	}

	// Ten answers fit; the one used longest ago goes first.
	for n := range 10 {
		put(n, 1)
	}
	for range 200 { // use is noted now and then
		has(0, 1)
	}
	put(10, 1)
	if !has(0, 1) || has(1, 1) || !has(10, 1) {
		t.Errorf("kept 0: %v, 1: %v, 10: %v", has(0, 1), has(1, 1), has(10, 1))
	}
	for range 3 { // the same answer again takes no more room
		put(10, 1)
	}
	if n, used := a.lists.Cost(); used > a.limit || used != int64(n)*(640+listOverhead) {
		t.Errorf("%d bytes in %d answers, at most %d", used, n, a.limit)
	}

	body = make([]byte, 2000)
	if put(11, 1); has(11, 1) {
		t.Error("one answer took more than an eighth of the cache")
	}
	roomy := newListCache(1 << 20)
	roomy.put(key(1), 1, time.Time{}, make([]byte, 1000))
	if _, ok := roomy.get(key(1), 1, time.Now); !ok {
		t.Error("a small answer was not kept the first time it was made")
	}
	none := newListCache(0)
	none.put(key(1), 1, time.Time{}, nil)
	none.put(key(1), 1, time.Time{}, nil)
	if _, ok := none.get(key(1), 1, time.Now); ok {
		t.Error("a cache of no size kept something")
	}
}

package walk

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestNext(t *testing.T) {
	w := From("/a", "")
	for _, step := range []struct {
		items          int
		address, token string
		want           string // of the error; empty for none
	}{
		{1, "/b", "", ""},
		{0, "/b", "1", ""},
		{0, "/c", "", ""},
		{1, "/d", "", ""}, // the pages without items are no longer in a row
		{0, "/e", "", ""},
		{0, "/f", "", ""},
		{0, "/g", "", `3 pages in a row have no items, and the next one is "/g"`},
		{1, "/b", "2", ""}, // one address for all tokens
		{1, "/i", "1", `the next page, "/i" with continuation token "1", is one that came before`},
		{1, "/b", "", `the next page, "/b", is one that came before`},
		{1, "/a", "", `the next page, "/a", is one that came before`},
		{1, "/h", strings.Repeat("x", maxLink), "has 32770 bytes"},
	} {
		if err := w.Next(step.items, step.address, step.token); (err == nil) != (step.want == "") || err != nil && (!strings.Contains(err.Error(), step.want) || len(err.Error()) > 1000) {
			t.Errorf("%+v: %v", step, err)
		}
	}
}

// TestLongWalk remembers many pages in little memory, whatever their links.
func TestLongWalk(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w, long := From("", ""), strings.Repeat("x", 1000)
	for i := range 50_000 {
		if err := w.Next(1, fmt.Sprint(long, i), ""); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("50,000 pages take %d bytes", grown)
	}
	runtime.KeepAlive(w)
}

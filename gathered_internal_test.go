package partnercenter

import (
	"errors"
	"strings"
	"testing"
)

// TestGathered has a list go on beyond what is kept in memory.
func TestGathered(t *testing.T) {
	read := 0
	endless := func(yield func(int, error) bool) {
		for yield(read, nil) {
			read++
		}
	}
	if _, err := gathered("/customers", endless, 3); !errors.As(err, new(*EndlessListError)) || !strings.Contains(err.Error(), "/customers") || read != 3 {
		t.Errorf("%v after %d items", err, read)
	}
	three := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) && yield(3, nil) }
	if all, err := gathered("/customers", three, 3); err != nil || len(all) != 3 {
		t.Errorf("%v, %v", all, err)
	}
}

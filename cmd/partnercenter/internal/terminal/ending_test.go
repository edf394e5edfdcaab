package terminal

import (
	"sync/atomic"
	"testing"
)

// TestEndAtOnce does what was not forgotten.
func TestEndAtOnce(t *testing.T) {
	term, _, _ := testTerminal()
	var done atomic.Int32
	for n := range int32(3) {
		forget := term.AtOnce(func() { done.Add(1 << n) })
		if n == 1 {
			forget()
			forget() // once more changes nothing
		}
	}
	term.EndAtOnce()
	if got := done.Load(); got != 0b101 {
		t.Errorf("%b", got)
	}
}

package terminal

import (
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 90 * time.Second: "1 minute", 119 * time.Minute: "1 hour", 50 * time.Hour: "2 days", 59 * time.Second: "59 seconds",
	} {
		if got := InWords(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

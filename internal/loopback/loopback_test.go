package loopback

import "testing"

func TestIsHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.250.3.4": true, "::1": true, "[::1]": true, "::ffff:127.0.0.2": true,
		"": false, "localhost.": false, "192.0.2.1": false, "::ffff:192.0.2.1": false, "127.0.0.1.example": false, "127.1": false, "::1%lo": false,
	} {
		if got := IsHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

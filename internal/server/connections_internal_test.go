package server

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestLongestIdleMakesRoom has connections that have been idle for different times, and
// one that is in use.
func TestLongestIdleMakesRoom(t *testing.T) {
	all := newConnections(3)
	dial := func(idle int64) (*connection, net.Conn) {
		server, client := net.Pipe()
		t.Cleanup(func() { client.Close() })
		c := &connection{Conn: server, all: all}
		if !all.add(c) {
			t.Fatal("there is no room")
		}
		c.idle.Store(idle)
		return c, client
	}
	isClosed := func(c net.Conn) bool {
		c.SetDeadline(time.Now().Add(time.Second))
		_, err := c.Write([]byte("x"))
		return err == io.ErrClosedPipe
	}
	dial(0)
	_, longest := dial(1)
	dial(2)
	last, _ := dial(3)
	if !isClosed(longest) || all.count() != 3 || all.closed.Load() != 1 {
		t.Errorf("of connections idle since 1 and 2 not the first was closed; %d are open", all.count())
	}
	dial(0)
	last.idle.Store(0)
	if all.add(&connection{}) {
		t.Error("a connection in use made room")
	}
}

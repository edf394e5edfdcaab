package server

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connections bounds the connections of listeners. One too many takes the place of the
// one that has been idle for longest. If all are in use, it is told to come back.
type connections struct {
	most   int           // 0 for no limit
	closed atomic.Uint64 // idle ones, for others
	turned atomic.Uint64 // those that were told to come back

	mu   sync.Mutex // guards open
	open map[*connection]struct{}

	farewells chan struct{} // has an element for each connection that is told to come back
}

// maxFarewells is how many connections are told so at a time. More are closed.
const maxFarewells = 64

func newConnections(most int) *connections {
	return &connections{most: most, open: map[*connection]struct{}{}, farewells: make(chan struct{}, maxFarewells)}
}

// count returns how many are open.
func (s *connections) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// connection is one of connections.
type connection struct {
	net.Conn
	all    *connections
	idle   atomic.Int64 // since when, in nanoseconds; 0 while it is in use
	joined joined       // of the request that is answered
}

func (c *connection) Close() error {
	c.all.remove(c)
	return c.Conn.Close()
}

// note notes whether a connection is in use. It is for [http.Server].
func (s *connections) note(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, ok := conn.(*connection)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		c.idle.Store(0)
	case http.StateIdle:
		c.idle.Store(time.Now().UnixNano())
	}
}

func (s *connections) remove(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// add makes room for a connection, and reports whether there is any.
func (s *connections) add(c *connection) bool {
	// A client that says nothing is idle.
	c.idle.Store(time.Now().UnixNano())
	s.mu.Lock()
	var longest *connection
	full := s.most > 0 && len(s.open) >= s.most
	if full {
		var since int64
		for other := range s.open {
			if idle := other.idle.Load(); idle != 0 && (longest == nil || idle < since) {
				longest, since = other, idle
			}
		}
		if longest == nil {
			s.mu.Unlock()
			return false
		}
		delete(s.open, longest)
	}
	s.open[c] = struct{}{}
	s.mu.Unlock()
	if longest != nil {
		s.closed.Add(1)
		longest.Conn.Close()
	}
	return true
}

// limited is a listener whose connections are bounded.
type limited struct {
	net.Listener
	all *connections
	tls bool
}

// limit bounds the connections of a listener.
func (s *connections) limit(l net.Listener, tls bool) net.Listener { return &limited{l, s, tls} }

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: conn, all: l.all}
		if l.all.add(c) {
			return c, nil
		}
		l.all.turned.Add(1)
		select {
		case l.all.farewells <- struct{}{}:
			go func() {
				defer func() { <-l.all.farewells }()
				turnAway(conn, l.tls)
			}()
		default:
			conn.Close()
		}
	}
}

// turnedAway is the answer to whatever a client asks for that no connection is left for.
const turnedAway = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// turnAway tells a client to come back. It reads what the client sends, as otherwise the
// system might throw the answer away.
func turnAway(conn net.Conn, isTLS bool) {
	defer conn.Close()
	if isTLS {
		return // a handshake costs more than an answer
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, turnedAway); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, conn, maxHeaderBytes)
	}
}

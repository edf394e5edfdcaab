package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
)

// intercepted is a connection that a client believes to be to host.
type intercepted struct {
	net.Conn
	host string
}

// HostOf returns the host that a connection from [Proxy.Intercepted] is for, in lower
// case; it is empty for other connections.
func HostOf(c net.Conn) string {
	if c, ok := c.(*intercepted); ok {
		return c.host
	}
	return ""
}

// connListener is a listener for existing connections.
type connListener struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newConnListener() *connListener {
	return &connListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// put waits until c is accepted. It closes c if the listener is closed.
func (h *connListener) put(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

func (h *connListener) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *connListener) Close() error {
	h.close.Do(func() { close(h.done) })
	return nil
}

// Addr is a placeholder: there is no socket.
func (h *connListener) Addr() net.Addr { return &net.UnixAddr{Net: "proxy", Name: "intercepted"} }

// dialInward connects to an intercepted host, within the process: there is no
// certificate to check.
func (p *Proxy) dialInward(ctx context.Context, _, address string) (net.Conn, error) {
	host := cloudhosts.Name(address)
	near, far := net.Pipe()
	go p.intercepted.put(&intercepted{Conn: far, host: host})
	c := tls.Client(near, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // both ends are here
	if err := c.HandshakeContext(ctx); err != nil {
		near.Close()
		return nil, err
	}
	return c, nil
}

// hijacker hands over a connection together with what was read ahead.
type hijacker struct {
	http.ResponseWriter
	http.Hijacker
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.Hijacker.Hijack()
	if err != nil || rw.Reader.Buffered() == 0 {
		return conn, rw, err
	}
	ahead := &bufferedConn{Conn: conn, reader: io.MultiReader(io.LimitReader(rw.Reader, int64(rw.Reader.Buffered())), conn)}
	return ahead, bufio.NewReadWriter(bufio.NewReader(ahead), rw.Writer), nil
}

// bufferedConn is a connection that begins with what was read already.
type bufferedConn struct {
	net.Conn
	reader io.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
func (c *bufferedConn) CloseRead() error           { return closeHalf(c.Conn, false) }
func (c *bufferedConn) CloseWrite() error          { return closeHalf(c.Conn, true) }

// closeHalf closes one direction of a TCP connection, so that the answer to what was
// sent last still arrives.
func closeHalf(c net.Conn, write bool) error {
	half, ok := c.(interface {
		CloseRead() error
		CloseWrite() error
	})
	switch {
	case !ok:
		return c.Close()
	case write:
		return half.CloseWrite()
	}
	return half.CloseRead()
}

// limitConnections returns l with at most n connections open at a time.
func limitConnections(l net.Listener, n int64) net.Listener {
	ctx, stop := context.WithCancel(context.Background())
	return &limitedListener{Listener: l, room: semaphore.NewWeighted(n), ctx: ctx, stop: stop}
}

type limitedListener struct {
	net.Listener
	room *semaphore.Weighted
	ctx  context.Context // done when the listener is closed
	stop context.CancelFunc
}

func (l *limitedListener) Accept() (net.Conn, error) {
	if l.room.Acquire(l.ctx, 1) != nil {
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		l.room.Release(1)
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { l.room.Release(1) })}, nil
}

func (l *limitedListener) Close() error {
	l.stop()
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

func (c *limitedConn) CloseRead() error  { return closeHalf(c.Conn, false) }
func (c *limitedConn) CloseWrite() error { return closeHalf(c.Conn, true) }

// farEnd is the far end of a tunnel. All traffic of the tunnel is read from it or
// written to it, so its deadline alone ends an idle tunnel.
type farEnd struct {
	net.Conn
	proxy *Proxy
}

func (p *Proxy) openTunnel(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	end := &farEnd{Conn: c, proxy: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tunnels == nil {
		c.Close()
		return nil, net.ErrClosed
	}
	p.tunnels[end] = struct{}{}
	return end, nil
}

// closeTunnels closes the remaining tunnels when the proxy stops. Requests in progress
// within a tunnel are not visible.
func (p *Proxy) closeTunnels() {
	p.inward.CloseIdleConnections()
	p.mu.Lock()
	defer p.mu.Unlock()
	for end := range p.tunnels {
		end.Conn.Close()
	}
	p.tunnels = nil
}

func (e *farEnd) Read(b []byte) (int, error) {
	if err := e.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return e.Conn.Read(b)
}

func (e *farEnd) Write(b []byte) (int, error) {
	if err := e.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return e.Conn.Write(b)
}

func (e *farEnd) CloseRead() error  { return closeHalf(e.Conn, false) }
func (e *farEnd) CloseWrite() error { return closeHalf(e.Conn, true) }

func (e *farEnd) Close() error {
	e.proxy.mu.Lock()
	delete(e.proxy.tunnels, e)
	e.proxy.mu.Unlock()
	return e.Conn.Close()
}

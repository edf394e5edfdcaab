//go:build linux

package chaos

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/history"
)

// proxy is between servers and PostgreSQL. It hands bytes over until it is told to do harm.
type proxy struct {
	listener net.Listener
	target   atomic.Value // the address of PostgreSQL

	cutWrites atomic.Int64 // so many of the next writes lose their connection
	deaf      atomic.Bool  // notifications are lost

	mu    sync.Mutex // guards what follows
	conns map[net.Conn]bool
}

// newProxy starts a proxy before a database, and returns its address for servers.
func newProxy(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, conns: map[net.Conn]bool{}}
	u := p.aim(t, database)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			go p.handle(conn)
		}
	}()
	t.Cleanup(func() { l.Close(); p.cutAll() })
	u.Host = l.Addr().String()
	return p, u.String()
}

// aim has the proxy reach a database from now on.
func (p *proxy) aim(t *testing.T, database string) *url.URL {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p.target.Store(u.Host)
	p.cutAll()
	return u
}

// cutAll ends all connections.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
}

func (p *proxy) handle(client net.Conn) {
	database, err := net.Dial("tcp", p.target.Load().(string))
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[database] = true, true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.forward(database, client); database.Close() })
	both.Go(func() { p.back(client, database); client.Close() })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, database)
	p.mu.Unlock()
}

// forward hands over what the client sends. A write comes at once, with its commit. It may be
// cut off: before it arrives, within, or before its answer comes, which is known to nobody
// when it is committed.
func (p *proxy) forward(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte(history.Prefix)) && p.cutWrites.Load() > 0 && p.cutWrites.Add(-1) >= 0 {
			from.Close()
			time.Sleep(rand.N(50 * time.Millisecond))
			_, _ = to.Write(buffer[:[]int{0, rand.IntN(n), n}[rand.IntN(3)]])
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// back hands over what the database sends, message by message.
func (p *proxy) back(to, from net.Conn) {
	var header [5]byte // type and length, which counts itself
	for {
		if _, err := io.ReadFull(from, header[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(from, message); err != nil {
			return
		}
		const notification = 'A'
		if header[0] == notification && p.deaf.Load() {
			continue
		}
		if _, err := to.Write(append(header[:], message...)); err != nil {
			return
		}
	}
}

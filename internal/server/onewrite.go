package server

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// net/http sends an answer that is larger than its buffer in two writes: the buffer, full,
// and the rest. Each of them is a call of the system, a segment of TCP, and wakes up the
// client. Here they are one.

// writeBuffer is the size of net/http's buffer.
const writeBuffer = 4 << 10

// beginnings are buffers for beginnings of answers.
var beginnings = sync.Pool{New: func() any { return new([writeBuffer]byte) }}

// joined is what a connection has of an answer whose rest follows.
type joined struct {
	begins bool               // the next write is the beginning
	held   int                // bytes of it
	buffer *[writeBuffer]byte // has them; nil if no answer is joined
	parts  [2][]byte
}

// Write keeps the beginning of an answer until the rest comes, see [connection.join].
func (c *connection) Write(p []byte) (int, error) {
	j := &c.joined
	switch {
	case j.buffer == nil:
		return c.Conn.Write(p)
	case j.begins && len(p) <= len(j.buffer):
		j.begins, j.held = false, copy(j.buffer[:], p)
		return len(p), nil
	}
	held := j.held
	j.parts = [2][]byte{j.buffer[:held], p}
	both := net.Buffers(j.parts[:])
	n, err := both.WriteTo(c.Conn)
	j.parts = [2][]byte{}
	j.end()
	return max(int(n)-held, 0), err
}

func (j *joined) end() {
	beginnings.Put(j.buffer)
	j.begins, j.held, j.buffer = false, 0, nil
}

// join has the first write wait for the second one. Then [connection.part] has to be
// called: there may be none.
func (c *connection) join() {
	c.joined.begins, c.joined.buffer = true, beginnings.Get().(*[writeBuffer]byte)
}

// part ends what join began.
func (c *connection) part() {
	j := &c.joined
	if j.buffer == nil {
		return
	}
	// An error is that of the next write, too.
	_, _ = c.Conn.Write(j.buffer[:j.held])
	j.end()
}

// connectionKey is the context's key of a request's connection.
type connectionKey struct{}

// withConnection is for [http.Server].
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*connection); ok { // without TLS
		return context.WithValue(ctx, connectionKey{}, c)
	}
	return ctx
}

// writeBody writes a body in as few writes as possible. A write that fails means that the
// client is gone, which net/http notices.
func (c *call) writeBody(body []byte) {
	conn, plain := c.r.Context().Value(connectionKey{}).(*connection)
	if !plain || len(body) <= writeBuffer || c.r.Method == http.MethodHead {
		_, _ = c.w.Write(body)
		return
	}
	conn.join()
	defer conn.part()
	_, _ = c.w.Write(body)
}

package server

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/queue"
)

// work bounds what the server does at a time, by kind. Kept lists, and what is in memory
// otherwise, are not waited for. More is done at a time than there are connections to the
// database, since reads and writes share trips and commits.
type work struct {
	reads, writes *queue.Queue
	unsent        unsent
}

func newWork(maxUnsent int64) *work {
	processors := runtime.GOMAXPROCS(0)
	return &work{
		reads:  queue.New(16*processors, maxWaiting),
		writes: queue.New(64*processors, maxWaiting),
		unsent: unsent{limit: maxUnsent},
	}
}

// maxWaiting is how much work of a kind waits: what takes a fraction of a second on the
// slowest machine.
const maxWaiting = 512

// overloadedRetryAfter is the Retry-After of calls that there is no room for.
const overloadedRetryAfter = time.Second

// enter waits for the call's turn. It ends when the answer begins: clients are not waited
// for.
func (c *call) enter(q *queue.Queue) error {
	if err := q.Enter(c.r.Context()); err != nil {
		return err
	}
	c.turn = q
	return nil
}

// leave ends the call's turn, if it has one.
func (c *call) leave() {
	if c.turn != nil {
		c.turn.Leave()
		c.turn = nil
	}
}

// unsent bounds the answers that wait for their readers.
type unsent struct {
	limit   int64 // 0 for none
	bytes   atomic.Int64
	refused atomic.Uint64
}

// smallAnswer is the size of answers that are not counted: the number of connections
// bounds these.
const smallAnswer = 16 << 10

// add counts an answer that is about to be sent. It reports false if there is no room for
// it, but for the answer to a write, which has happened, and for one that is alone.
func (u *unsent) add(method string, size int) bool {
	isRead := method == http.MethodGet || method == http.MethodHead
	if now := u.bytes.Add(int64(size)); u.limit > 0 && now > u.limit && now > int64(size) && isRead {
		u.bytes.Add(-int64(size))
		u.refused.Add(1)
		return false
	}
	return true
}

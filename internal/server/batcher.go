package server

import (
	"sync"
	"time"
)

// A batcher collects items and writes them in the background, many at a time, so that
// requests do not wait for the log.
type batcher[T any] struct {
	limits batchLimits
	write  func([]T)
	wake   chan struct{} // there is something to write, or the batcher was closed
	done   chan struct{} // closed when the background goroutine has ended

	mu      sync.Mutex // guards what follows; not held while writing
	written sync.Cond  // pending was taken
	pending []T
	closed  bool
}

// batchLimits control when a batcher writes.
type batchLimits struct {
	delay      time.Duration // the longest that an item waits
	batch      int           // write at once when this many wait
	maxPending int           // there is room for so many
	patient    bool          // callers wait for room: writing takes no time but the processor's
}

// closingTime bounds how long the items still queued may take to be written when a
// batcher is closed. A log that somebody reads takes them at once.
const closingTime = 2 * time.Second

func newBatcher[T any](limits batchLimits, write func([]T)) *batcher[T] {
	b := &batcher[T]{limits: limits, write: write, wake: make(chan struct{}, 1), done: make(chan struct{})}
	b.written.L = &b.mu
	go b.run()
	return b
}

// add queues items. It reports false, and queues none, when there is no room for them,
// because what was queued before is not being written, and once the batcher is closed.
func (b *batcher[T]) add(items ...T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.limits.patient && len(b.pending) >= b.limits.maxPending && !b.closed {
		b.written.Wait()
	}
	before := len(b.pending)
	if b.closed || before+len(items) > b.limits.maxPending {
		return false
	}
	b.pending = append(b.pending, items...)
	switch {
	case before == 0:
		time.AfterFunc(b.limits.delay, b.signal)
	case before < b.limits.batch && len(b.pending) >= b.limits.batch:
		b.signal()
	}
	return true
}

func (b *batcher[T]) signal() {
	select {
	case b.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run writes queued items until the batcher is closed.
func (b *batcher[T]) run() {
	defer close(b.done)
	var items []T
	for range b.wake {
		b.mu.Lock()
		clear(items) // release what was written
		items, b.pending = b.pending, items[:0]
		closed := b.closed
		b.written.Broadcast()
		b.mu.Unlock()
		if len(items) > 0 {
			b.write(items)
		}
		if closed {
			return
		}
	}
}

// close writes the items still queued, as far as that is possible in closingTime.
func (b *batcher[T]) close() {
	b.mu.Lock()
	b.closed = true
	b.written.Broadcast()
	b.mu.Unlock()
	b.signal()
	select {
	case <-b.done:
	case <-time.After(closingTime):
	}
}

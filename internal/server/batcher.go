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
	maxPending int           // callers block while this many wait
}

func newBatcher[T any](limits batchLimits, write func([]T)) *batcher[T] {
	b := &batcher[T]{limits: limits, write: write, wake: make(chan struct{}, 1), done: make(chan struct{})}
	b.written.L = &b.mu
	go b.run()
	return b
}

// add queues items. It reports false, and queues none, once the batcher is closed.
func (b *batcher[T]) add(items ...T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) >= b.limits.maxPending && !b.closed {
		b.written.Wait()
	}
	if b.closed {
		return false
	}
	before := len(b.pending)
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
		b.write(items)
		if closed {
			return
		}
	}
}

// close writes the items still queued.
func (b *batcher[T]) close() {
	b.mu.Lock()
	b.closed = true
	b.written.Broadcast()
	b.mu.Unlock()
	b.signal()
	<-b.done
}

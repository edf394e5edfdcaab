package server

import (
	"sync"
	"time"
)

// A batcher takes items and has them written in the background, many at once,
// so that requests do not wait for the log.
type batcher[T any] struct {
	limits batchLimits
	write  func([]T)
	wake   chan struct{} // there is something to write, or nothing ever again
	done   chan struct{} // closed when the background is over

	mu      sync.Mutex // guards what follows; not held while writing
	written sync.Cond  // pending was taken
	pending []T
	closed  bool
}

// batchLimits say when a batcher writes.
type batchLimits struct {
	delay      time.Duration // how late an item may be
	batch      int           // this many are written without waiting for more
	maxPending int           // this many wait before those who bring more wait too
}

func newBatcher[T any](limits batchLimits, write func([]T)) *batcher[T] {
	b := &batcher[T]{limits: limits, write: write, wake: make(chan struct{}, 1), done: make(chan struct{})}
	b.written.L = &b.mu
	go b.run()
	return b
}

// add takes items. It reports false, and takes none, once the batcher is
// closed.
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

// run writes what gathers until the batcher is closed.
func (b *batcher[T]) run() {
	defer close(b.done)
	var items []T
	for range b.wake {
		b.mu.Lock()
		clear(items) // so that nothing written is held on to
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

// close writes what has gathered.
func (b *batcher[T]) close() {
	b.mu.Lock()
	b.closed = true
	b.written.Broadcast()
	b.mu.Unlock()
	b.signal()
	<-b.done
}

// Package queue bounds how much work of one kind is done at a time, how much waits for it,
// and how long. What is beyond that is refused at once: a server that takes everything
// keeps no promise about any of it.
package queue

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// patience is how long work waits for its turn. Most clients give up after a minute, and
// repeat what they have waited for.
const patience = time.Second

// ErrFull says that work was refused because too much waits already, or has waited too
// long. Nothing of it was begun.
var ErrFull = errors.New("the server has too much to do")

// Queue is the work of one kind. Its methods may be called at the same time.
type Queue struct {
	turns   *semaphore.Weighted // first come, first served
	most    int64               // that wait
	running atomic.Int64
	waiting atomic.Int64
	refused atomic.Uint64
}

// New returns a queue of which some work is done at a time, and some waits.
func New(running, waiting int) *Queue {
	return &Queue{turns: semaphore.NewWeighted(int64(running)), most: int64(waiting)}
}

// Enter waits for a turn, which Leave ends. It fails with ErrFull, or as ctx does.
func (q *Queue) Enter(ctx context.Context) error {
	if !q.turns.TryAcquire(1) {
		if err := q.wait(ctx); err != nil {
			return err
		}
	}
	q.running.Add(1)
	return nil
}

func (q *Queue) wait(ctx context.Context) error {
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > q.most {
		q.refused.Add(1)
		return ErrFull
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := q.turns.Acquire(patient, 1)
	if err != nil && ctx.Err() == nil {
		q.refused.Add(1)
		return ErrFull
	}
	return err
}

// Leave ends a turn.
func (q *Queue) Leave() {
	q.running.Add(-1)
	q.turns.Release(1)
}

// Figures are what a queue counts.
type Figures struct {
	Running, Waiting int64
	Refused          uint64
}

// Figures returns the figures of now.
func (q *Queue) Figures() Figures {
	return Figures{q.running.Load(), min(q.waiting.Load(), q.most), q.refused.Load()}
}

package queue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const running, waiting = 2, 3
		q := New(running, waiting)
		for range running {
			if err := q.Enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		results := make(chan error, waiting)
		for range waiting {
			go func() { results <- q.Enter(t.Context()) }()
		}
		synctest.Wait()
		if f := q.Figures(); f != (Figures{running, waiting, 0}) {
			t.Errorf("%+v", f)
		}
		began := time.Now()
		if err := q.Enter(t.Context()); !errors.Is(err, ErrFull) || time.Since(began) != 0 {
			t.Errorf("one more than may wait: %v, after %s", err, time.Since(began))
		}
		q.Leave()
		if err := <-results; err != nil || time.Since(began) != 0 {
			t.Errorf("one that waited has no turn: %v", err)
		}
		for range waiting - 1 {
			if err := <-results; !errors.Is(err, ErrFull) || time.Since(began) != patience {
				t.Errorf("one that waited too long: %v, after %s", err, time.Since(began))
			}
		}
		if f := q.Figures(); f != (Figures{running, 0, waiting}) {
			t.Errorf("%+v", f)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Enter(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("one whose client is gone: %v", err)
		}
		q.Leave()
		q.Leave()
		if err := q.Enter(t.Context()); err != nil {
			t.Errorf("after all turns: %v", err)
		}
		if f := q.Figures(); f != (Figures{1, 0, waiting}) {
			t.Errorf("%+v", f)
		}
	})
}

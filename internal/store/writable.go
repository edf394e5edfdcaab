package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// The reasons of an [UnwritableError], besides ErrNotWritable and ErrLocked.
var (
	ErrDiskFull = errors.New("there is no room on the disk")
	ErrFileGone = errors.New("its file was removed or replaced")
)

// UnwritableError says why nothing can be written to a database at the moment, and what
// to do about it. The write that failed left nothing behind. Match the reason with
// [errors.Is] and one of the Err variables.
type UnwritableError struct {
	Reason error
	Cause  error
	Next   string // what to do next
}

func (e *UnwritableError) Error() string {
	return fmt.Sprintf("the database cannot be written: %v (%v); %s", e.Reason, e.Cause, e.Next)
}

func (e *UnwritableError) Unwrap() []error { return []error{e.Reason, e.Cause} }

// probeAge is how long a write is proof that the database can be written.
const probeAge = 10 * time.Second

// lastWrite is how the last write of a database went.
type lastWrite struct {
	log    *slog.Logger
	now    func() time.Time // of the system: the store's clock can be set
	probes singleflight.Group

	mu     sync.Mutex       // guards what follows
	done   time.Time        // when the last one was committed
	failed *UnwritableError // why the last one was not, nil if it was
}

// note notes how a write went. Only those errors count that the next write would have,
// too. The log has when such errors begin and end, rather than each of them.
func (w *lastWrite) note(err error) {
	unwritable, is := errors.AsType[*UnwritableError](err)
	if err != nil && !is {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.failed
	w.failed = unwritable
	switch {
	case unwritable == nil:
		w.done = w.now()
		if before != nil {
			w.log.Info("the database can be written again")
		}
	case before == nil || before.Reason != unwritable.Reason: //nolint:errorlint // one of the Err variables
		w.log.Error("nothing can be written: requests that change something are refused until it can", "error", err)
	}
}

// state reports whether the last write failed, and else whether it was recent.
func (w *lastWrite) state() (failed, recent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed != nil, w.failed == nil && w.now().Sub(w.done) < probeAge
}

// Ping reports whether the database can be read and written. The last write tells, if it
// was recent; otherwise one is tried, one for all who ask. A write that takes long, such
// as a load, counts as proof.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM partners`).Scan(&n); err != nil {
		return fmt.Errorf("store: the database cannot be read: %w", err)
	}
	if s.file != nil {
		if err := s.file.check(); err != nil {
			return wrapError("ping", err)
		}
	}
	if damage := s.damage.Load(); damage != nil {
		return *damage
	}
	failed, recent := s.last.state()
	if recent {
		return nil
	}
	tried := s.last.probes.DoChan("", func() (any, error) {
		// It goes on when the one who asked is gone, and tells the next.
		return nil, s.tryWrite(context.WithoutCancel(ctx), failed)
	})
	select {
	case result := <-tried:
		return wrapError("ping", result.Err)
	case <-ctx.Done():
		if !failed && s.write.Stats().InUse > 0 {
			return nil
		}
		return fmt.Errorf("store: the database cannot be written: %w", ctx.Err())
	}
}

// Sizes of the values that tryWrite writes. A write that failed for want of room is only
// proved wrong by one that needs as much as a request does: where there is room for a
// page, there need not be for a dozen.
const (
	smallProbe = 1
	largeProbe = 512 << 10
)

// tryWrite writes something. After a write that failed it is much at first.
func (s *Store) tryWrite(ctx context.Context, afterFailure bool) error {
	sizes := []int{smallProbe}
	if afterFailure {
		sizes = []int{largeProbe, smallProbe}
	}
	for _, size := range sizes {
		if err := s.inTx(ctx, func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				settingProbe, make([]byte, size))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

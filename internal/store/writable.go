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

// The reasons of an [UnwritableError], besides ErrNotWritable, ErrLocked and ErrCorrupt.
var (
	ErrDiskFull = errors.New("there is no room on the disk")
	ErrFileGone = errors.New("its file was removed or replaced")
	ErrDisk     = errors.New("its file cannot be read or written")
)

// UnwritableError says why a database cannot be written, or read, at the moment, and what
// to do about it. A write that failed left nothing behind. Match the reason with
// [errors.Is] and one of the Err variables.
type UnwritableError struct {
	Reason error
	Cause  error
	Next   string // what to do next
}

func (e *UnwritableError) Error() string {
	return fmt.Sprintf("%s (%v); %s", e.Problem(), e.Cause, e.Next)
}

// Problem says what is wrong, without the cause, which may name files.
func (e *UnwritableError) Problem() string { return "the database cannot be used: " + e.Reason.Error() }

// RetryAfter is when to repeat what failed with an [UnwritableError]: somebody has to
// make room first, or the like.
const RetryAfter = 10 * time.Second

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
	unread *UnwritableError // why something could not be read, nil if everything can be
}

// noteRead notes why a read failed, or nil once the whole database was read. What other
// reads find proves nothing: they may find their pages in memory.
func (w *lastWrite) noteRead(err error) {
	unreadable, is := errors.AsType[*UnwritableError](err)
	if err != nil && !is {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch before := w.unread; {
	case unreadable == nil && before != nil:
		w.log.Info("the database can be read again")
	case unreadable != nil && before == nil:
		w.log.Error("the database cannot be read: the server is not ready until it can", "error", err)
	}
	w.unread = unreadable
}

// readFailed returns why something could not be read.
func (w *lastWrite) readFailed() *UnwritableError {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unread
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
	if s.file != nil {
		if err := s.file.check(); err != nil {
			return s.wrapError("ping", err)
		}
		if why := s.last.readFailed(); why != nil {
			if err := s.pingRead(ctx, why); err != nil {
				return err
			}
		}
	}
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM partners`).Scan(&n); err != nil {
		return s.wrapError("the database cannot be read", err)
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
		return s.wrapError("ping", result.Err)
	case <-ctx.Done():
		if !failed && s.write.Stats().InUse > 0 {
			return nil
		}
		return fmt.Errorf("store: the database cannot be written: %w", ctx.Err())
	}
}

// pingRead reports whether everything can be read again, after a read that failed for a
// reason. It is tried once for all who ask.
func (s *Store) pingRead(ctx context.Context, why *UnwritableError) error {
	tried := s.last.probes.DoChan("read", func() (any, error) {
		err := unwritable(s.tryRead(context.WithoutCancel(ctx)))
		if err == nil {
			s.last.noteRead(nil)
		}
		return nil, err
	})
	select {
	case result := <-tried:
		if result.Err != nil {
			return s.wrapError("ping", result.Err)
		}
		return nil
	case <-ctx.Done(): // a large database
		return s.wrapError("ping", why)
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

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// The reasons of an [UnusableError], besides ErrNotWritable, ErrLocked and ErrCorrupt.
var (
	ErrDiskFull = errors.New("there is no room on the disk")
	ErrFileGone = errors.New("its file was removed or replaced")
	ErrDisk     = errors.New("its file cannot be read or written")
)

// UnusableError says why a database cannot be written, or read, at the moment, and what
// to do about it. A write that failed left nothing behind, unless the reason is
// [ErrUnreachable]: the answer may have been lost. Match the reason with [errors.Is] and
// one of the Err variables.
type UnusableError struct {
	Reason error
	Cause  error
	Next   string // what to do next
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("%s (%v); %s", e.Problem(), e.Cause, e.Next)
}

// Problem says what is wrong, without the cause, which may name files.
func (e *UnusableError) Problem() string { return "the database cannot be used: " + e.Reason.Error() }

// RetryAfter is when to repeat what failed with an [UnusableError]: somebody has to
// make room first, or the like.
const RetryAfter = 10 * time.Second

func (e *UnusableError) Unwrap() []error { return []error{e.Reason, e.Cause} }

// probeAge is how long a write is proof that the database can be written.
const probeAge = 10 * time.Second

// health is whether a database can be read and written, as far as is known.
type health struct {
	log    *slog.Logger
	probes singleflight.Group

	// distrusted is why whatever is read may be wrong or old, also where nothing seems to be:
	// a search of the whole file found damage, or the primary became a replica.
	distrusted atomic.Pointer[UnusableError]

	mu     sync.Mutex     // guards what follows
	done   time.Time      // when the last write was committed
	failed *UnusableError // why the last write was not, nil if it was
	unread *UnusableError // why something could not be read, nil if everything can be
}

// noteRead notes why a read failed, or nil once the whole database was read. What other
// reads find proves nothing: they may find their pages in memory.
func (h *health) noteRead(err error) {
	unreadable, is := errors.AsType[*UnusableError](err)
	if err != nil && !is {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch before := h.unread; {
	case unreadable == nil && before != nil:
		h.log.Info("the database can be read again")
	case unreadable != nil && before == nil:
		h.log.Error("the database cannot be read: the server is not ready until it can", "error", err)
	}
	h.unread = unreadable
	if unreadable == nil {
		h.distrusted.Store(nil)
	}
}

// noteSearch notes what a search of the whole file found.
func (h *health) noteSearch(err error) {
	if found, is := errors.AsType[*UnusableError](err); is && errors.Is(found, ErrCorrupt) {
		h.distrusted.Store(found)
	}
}

// distrust notes why nothing that is read may be relied upon, until the whole database can
// be read.
func (h *health) distrust(why *UnusableError) {
	h.noteRead(why)
	h.distrusted.Store(why)
}

// Distrusted returns an [*UnusableError] if nothing that is read may be relied upon: a search
// of the whole database found damage, or its server is a replica now and another one may
// have what it lacks. It costs next to nothing.
func (s *Store) Distrusted() error {
	if why := s.health.distrusted.Load(); why != nil {
		return why
	}
	return nil
}

// readFailed returns why something could not be read.
func (h *health) readFailed() *UnusableError {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unread
}

// noteWrite notes how a write went, and when by the system's clock. Only those errors count that the next write would have,
// too. The log has when such errors begin and end, rather than each of them.
func (h *health) noteWrite(err error, now time.Time) {
	unusable, is := errors.AsType[*UnusableError](err)
	if err != nil && !is {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.failed
	h.failed = unusable
	switch {
	case unusable == nil:
		h.done = now
		if before != nil {
			h.log.Info("the database can be written again")
		}
	case before == nil || before.Reason != unusable.Reason: //nolint:errorlint // one of the Err variables
		h.log.Error("nothing can be written: requests that change something are refused until it can", "error", err)
	}
}

// lastWrite reports whether the last write failed, and else whether it was recent.
func (h *health) lastWrite(now time.Time) (failed, recent bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed != nil, h.failed == nil && now.Sub(h.done) < probeAge
}

// Ping reports whether the database can be read and written. The last write tells, if it
// was recent; otherwise one is tried, one for all who ask. A write that takes long, such
// as a load, counts as proof.
func (s *Store) Ping(ctx context.Context) error {
	if s.file != nil {
		if err := s.file.check(); err != nil {
			return s.wrapError("ping", err)
		}
		if why := s.health.readFailed(); why != nil {
			if err := s.pingRead(ctx, why); err != nil {
				return err
			}
		}
	}
	if err := s.Distrusted(); err != nil && s.pg != nil {
		return s.wrapError("ping", err)
	}
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM partners`).Scan(&n); err != nil {
		return s.wrapError("the database cannot be read", err)
	}
	if s.pg != nil {
		// Another server may have sealed it with a key that this one does not have.
		if err := s.seals.read(ctx, s.read); err != nil {
			return s.wrapError("ping", err)
		}
	}
	failed, recent := s.health.lastWrite(s.system())
	if recent {
		return nil
	}
	tried := s.health.probes.DoChan("", func() (any, error) {
		// It goes on when the one who asked is gone, and tells the next.
		return nil, s.tryWrite(context.WithoutCancel(ctx), failed)
	})
	select {
	case result := <-tried:
		if s.isBusy(result.Err) {
			return nil
		}
		return s.wrapError("ping", result.Err)
	case <-ctx.Done():
		if !failed && s.write.Stats().InUse > 0 {
			return nil
		}
		return fmt.Errorf("store: the database cannot be written: %w", ctx.Err())
	}
}

// isBusy reports whether a write failed because of what somebody else does, at any
// server. That proves that the database can be written.
func (s *Store) isBusy(err error) bool {
	return s.pg != nil && (errors.Is(err, ErrLocked) || errors.Is(err, ErrManyConnections) || isSealed(err))
}

// noteWrite notes how a write went.
func (s *Store) noteWrite(err error) {
	if !s.isBusy(err) {
		s.health.noteWrite(err, s.system())
	}
}

// pingRead reports whether everything can be read again, after a read that failed for a
// reason. It is tried once for all who ask.
func (s *Store) pingRead(ctx context.Context, why *UnusableError) error {
	tried := s.health.probes.DoChan("read", func() (any, error) {
		err := unusable(s.tryRead(context.WithoutCancel(ctx)))
		if err == nil {
			s.health.noteRead(nil)
		}
		s.health.noteSearch(err)
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
		if err := s.inTx(ctx, among, func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				settingProbe, make([]byte, size))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

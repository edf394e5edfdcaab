package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Files on their way to or from a client are in temporary files: a slow client takes
// disk space, one small buffer and a transfer of its own, and keeps nobody else waiting.
const (
	// maxTransfers bounds the uploads of one caller at a time, and likewise its
	// downloads. Further ones of the same caller wait, as many as maxWaitingTransfers.
	maxTransfers        = 8
	maxWaitingTransfers = 64
	// transferChunk is the buffer of a transfer, and how much of an upload has to come
	// in chunkTimeout: no network that is of use to anybody is that slow.
	transferChunk = 32 << 10
	chunkTimeout  = 15 * time.Second
	// fileRoom bounds the bytes of files in memory at a time, while they are read from or
	// written to the database, which waits for no client. Collecting and writing those of
	// an upload takes as much again. Others wait.
	fileRoom = 2 * maxUpload
)

// shares hands out the transfers of each caller.
type shares struct {
	mu      sync.Mutex // guards callers, and the counts in it
	callers map[caller]*share
}

// caller is whose transfers are counted together: a user of an app, or the app itself.
type caller struct{ partner, app, user string }

type share struct {
	turns chan struct{} // has an element for each transfer
	used  int           // transfers, and those waiting
}

func newShares() *shares { return &shares{callers: map[caller]*share{}} }

// take waits for one of the caller's transfers. The result gives it back.
func (s *shares) take(ctx context.Context, c *call) (giveBack func(), err error) {
	who := caller{c.claims.TenantID, c.claims.AppID, c.claims.User}
	s.mu.Lock()
	own := s.callers[who]
	if own == nil {
		own = &share{turns: make(chan struct{}, maxTransfers)}
		s.callers[who] = own
	}
	if own.used >= maxTransfers+maxWaitingTransfers {
		s.mu.Unlock()
		return nil, errBusy(c.r.Context())
	}
	own.used++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if own.used--; own.used == 0 {
			delete(s.callers, who)
		}
	}
	select {
	case own.turns <- struct{}{}:
		return func() { <-own.turns; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, errBusy(c.r.Context())
	}
}

// spool is a temporary file that is gone once it is closed, also when the process is
// killed, where files can be removed while they are open.
type spool struct {
	*os.File
	removed bool
}

// newSpool makes a temporary file.
func (s *Server) newSpool() (*spool, error) {
	f, err := os.CreateTemp(s.config.TempDir, "partnercenter-*.tmp")
	if err != nil {
		return nil, spoolError(err)
	}
	return &spool{f, os.Remove(f.Name()) == nil}, nil
}

func (s *spool) Close() {
	s.File.Close()
	if !s.removed {
		os.Remove(s.Name())
	}
}

// spoolError words the error of a temporary file.
func spoolError(err error) error {
	if store.IsDiskFull(err) {
		return errNoSpace
	}
	return err
}

// receive copies a body to dst. Each chunk has its own time, and the whole has until
// deadline. It returns the body's size.
func (c *call) receive(dst io.Writer, body io.Reader, deadline time.Time) (size int64, err error) {
	control, buffer := http.NewResponseController(c.w), make([]byte, transferChunk)
	// A writer without deadlines has none to set. What follows the body is waited for
	// to notice that a client is gone, which is not to fail for lack of time.
	defer func() { _ = control.SetReadDeadline(deadline) }()
	for chunk := 0; ; {
		if chunk <= 0 {
			next := time.Now().Add(chunkTimeout)
			if next.After(deadline) {
				next = deadline
			}
			_ = control.SetReadDeadline(next)
			chunk = transferChunk
		}
		n, err := body.Read(buffer)
		chunk, size = chunk-n, size+int64(n)
		if _, err := dst.Write(buffer[:n]); err != nil {
			return size, spoolError(err)
		}
		switch {
		case errors.Is(err, io.EOF):
			return size, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.w.Header()["Connection"] = []string{"close"}
			return size, errSlowUpload
		case err != nil:
			return size, uploadError(err)
		}
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// checkWork is how long a slow check works before it rests, 31 times as long.
	checkWork = time.Millisecond
	checkRest = 31 * checkWork
	// checkSteps is how many steps are less work.
	checkSteps = 20
)

// slowCheck does what quickCheck does, and rests most of the time: it runs after the start,
// when others are waiting. It has a connection of its own, and maps nothing.
func (s *Store) slowCheck(ctx context.Context) (err error) {
	r := &listReader{tls: libc.NewTLS()}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := s.file.unmoved(func() error { return r.open(s.file.path, 0, nil) }); err != nil {
		return err
	}
	worked := time.Now()
	progress := func(*libc.TLS, uintptr) int32 {
		if time.Since(worked) < checkWork {
			return 0
		}
		rest := time.NewTimer(checkRest)
		defer rest.Stop()
		select {
		case <-ctx.Done():
			return 1 // interrupts it
		case <-rest.C:
			worked = time.Now()
			return 0
		}
	}
	defer runtime.KeepAlive(progress) // SQLite has its address only
	sqlite3.Xsqlite3_progress_handler(r.tls, r.db, checkSteps, *(*uintptr)(unsafe.Pointer(&progress)), 0)
	found, err := r.text("PRAGMA quick_check(1)")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && found != "ok":
		err = &listError{found, sqlite3.SQLITE_CORRUPT}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.file.path, err)
	}
	return nil
}

// text returns the first column of the first row of a query.
func (r *listReader) text(query string) (text string, err error) {
	stmt := (*uintptr)(pointer(r.block))
	if err := r.withText(query, func(sql uintptr) int32 {
		return sqlite3.Xsqlite3_prepare_v2(r.tls, r.db, sql, -1, r.block, 0)
	}); err != nil {
		return "", err
	}
	defer sqlite3.Xsqlite3_finalize(r.tls, *stmt)
	if rc := sqlite3.Xsqlite3_step(r.tls, *stmt); rc != sqlite3.SQLITE_ROW {
		return "", r.error(rc)
	}
	return libc.GoString(sqlite3.Xsqlite3_column_text(r.tls, *stmt, 0)), nil
}

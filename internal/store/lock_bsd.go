//go:build unix && !linux && !darwin

package store

import "golang.org/x/sys/unix"

// These systems have locks of the process only, and others would get in SQLite's way. The
// process keeps them as long as SQLite has the file open.
const (
	setLock = unix.F_SETLK
	getLock = unix.F_GETLK
)

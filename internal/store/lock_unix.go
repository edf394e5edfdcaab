//go:build unix

package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow makes opening a file fail if its name is a symbolic link.
const noFollow = syscall.O_NOFOLLOW

// lock locks the file for as long as it is open, and reports whether that was possible.
// If not, it returns the process that has locked it, 0 if that is unknown: the length of
// the lock tells it.
//
// Such a lock belongs to the open file, and not to the process as SQLite's do: it is not
// lost when SQLite closes the file.
func lock(f *os.File) (taken bool, pid int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, 0, err
	}
	at := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockStart, Len: int64(os.Getpid())}
	var result error
	var inUse bool
	err = raw.Control(func(fd uintptr) {
		result = unix.FcntlFlock(fd, setLock, &at)
		if inUse = errors.Is(result, unix.EAGAIN) || errors.Is(result, unix.EACCES); inUse {
			// Zero: up to the end, wherever that is.
			holder := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockStart}
			if unix.FcntlFlock(fd, getLock, &holder) == nil && holder.Type != unix.F_UNLCK {
				pid = int(holder.Len)
			}
		}
	})
	switch {
	case err != nil:
		return false, 0, err
	case inUse:
		return false, pid, nil
	}
	return result == nil, 0, result
}

// linksOf returns the number of names that a file has.
func linksOf(_ string, info fs.FileInfo) (uint64, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 1, nil
	}
	return uint64(stat.Nlink), nil //nolint:unconvert // it has other types on other systems
}

package store

import (
	"errors"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow is not needed: SQLite has the file open by its own name, and nobody can put
// another one in its place meanwhile.
const noFollow = 0

// lock locks the file for as long as it is open, and reports whether that was possible.
// Which process has locked it instead is not known. Nobody else can read or write what is
// locked.
func lock(f *os.File) (taken bool, pid int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, 0, err
	}
	var result error
	err = raw.Control(func(fd uintptr) {
		result = windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
			&windows.Overlapped{Offset: lockStart & math.MaxUint32, OffsetHigh: lockStart >> 32})
	})
	switch {
	case err != nil:
		return false, 0, err
	case errors.Is(result, windows.ERROR_LOCK_VIOLATION):
		return false, 0, nil
	}
	return result == nil, 0, result
}

// linksOf returns the number of names that a file has.
func linksOf(path string, _ fs.FileInfo) (uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var info windows.ByHandleFileInformation
	var result error
	if err := raw.Control(func(fd uintptr) {
		result = windows.GetFileInformationByHandle(windows.Handle(fd), &info)
	}); err != nil {
		return 0, err
	}
	return uint64(info.NumberOfLinks), result
}

package store

import (
	"errors"
	"slices"
	"syscall"
)

// IsDiskFull reports whether a file could not be written, or made, for lack of room.
func IsDiskFull(err error) bool {
	return slices.ContainsFunc(diskFull, func(code syscall.Errno) bool { return errors.Is(err, code) })
}

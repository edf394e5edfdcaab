package store

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// ENOSPC is not the system's, but this package's own for what SQLite says.
var diskFull = []syscall.Errno{
	windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED, syscall.ENOSPC,
}

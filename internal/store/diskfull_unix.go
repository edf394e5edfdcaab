//go:build unix

package store

import "syscall"

var diskFull = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}

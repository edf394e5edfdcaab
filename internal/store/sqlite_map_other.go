//go:build !linux

package store

import "os"

// fileMap is for Linux. Elsewhere SQLite maps the file, for each connection.
type fileMap struct{}

func newFileMap(*os.File, int64) *fileMap { return nil }

func (*fileMap) use(uintptr, uintptr) {}

func (*fileMap) close() error { return nil }

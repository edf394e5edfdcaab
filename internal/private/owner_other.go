//go:build !unix

package private

import "io/fs"

// ownerOf knows no owner here: access control lists decide who may do what.
func ownerOf(fs.FileInfo) (uid int, ok bool) { return 0, false }

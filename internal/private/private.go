// Package private checks that files and folders are one user's own: that nobody else can
// read or replace what is in them. On Windows, where access control lists decide that,
// it finds nothing.
package private

import (
	"fmt"
	"io/fs"
	"runtime"
)

// IsOpen reports whether the mode of a file lets other users read or change it.
func IsOpen(info fs.FileInfo) bool { return grants(info, 0o077) }

// IsWritable reports whether the mode of a file lets other users change it.
func IsWritable(info fs.FileInfo) bool { return grants(info, 0o022) }

func grants(info fs.FileInfo, bits fs.FileMode) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&bits != 0
}

// ForeignOwner returns the id of the owner of a file, and whether it is another user than
// the given one and root, who can do anything anyway.
func ForeignOwner(info fs.FileInfo, user int) (owner int, foreign bool) {
	owner, known := ownerOf(info)
	return owner, known && owner != user && owner != 0
}

// CheckFolder refuses a folder in which a user other than the given one and root could
// replace what is in it.
func CheckFolder(dir string, info fs.FileInfo, user int, what string) error {
	if owner, foreign := ForeignOwner(info, user); foreign {
		return fmt.Errorf("folder %s belongs to another user (uid %d, this is %d), who could replace %s in it; give a folder of your own, or have it given to you with: chown %d %s",
			dir, owner, user, what, user, dir)
	}
	if IsWritable(info) {
		return fmt.Errorf("folder %s can be changed by other users (mode %04o), who could replace %s in it; run: chmod go-w %s (on a file system that keeps permissions)", dir, info.Mode().Perm(), what, dir)
	}
	return nil
}

package connect

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// readPrivateFile reads a file, and fails if other users could read or change it.
func readPrivateFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if owner, foreign := private.ForeignOwner(info, os.Geteuid()); foreign {
		return nil, terminal.Settingsf("%s contains secrets, and belongs to another user (uid %d), who can change it: remove it, and sign in again", path, owner)
	}
	if private.IsOpen(info) {
		return nil, terminal.Settingsf("%s contains secrets, and other users can read or change it: run chmod 600 on it, and sign in again if they may have done so", path)
	}
	data, err := textfile.ReadFrom(f, path, limit)
	if errors.Is(err, textfile.ErrTooLarge) {
		err = terminal.Settingsf("%s is too large to be a file of this program: remove it, then run partnercenter login again", path)
	}
	return data, err
}

// Missing reports whether an error says that a file does not exist, which includes that
// what should be its folder is none.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// writePrivateFile atomically writes a file that only its owner can read, and
// syncs it to disk. It replaces regular files only, and links, whose targets stay.
func writePrivateFile(path string, data []byte) (err error) {
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		if err := textfile.CheckReplaceable(path); err != nil {
			return terminal.Usagef("%v", err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // creates the file with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

package private

import (
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
)

// folder is a folder's information with another mode.
type folder struct {
	fs.FileInfo
	mode fs.FileMode
}

func (f folder) Mode() fs.FileMode { return f.mode }

func TestCheckFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("owner and mode do not show access on Windows")
	}
	dir := t.TempDir()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := ownerOf(info)
	if !ok {
		t.Fatal("no owner")
	}
	for name, test := range map[string]struct {
		mode fs.FileMode
		user int
		want string // empty: accepted
	}{
		"one's own":            {fs.ModeDir | 0o700, owner, ""},
		"readable by others":   {fs.ModeDir | 0o755, owner, ""},
		"group can change it":  {fs.ModeDir | 0o770, owner, "chmod go-w " + dir},
		"others can change it": {fs.ModeDir | 0o703, owner, "chmod go-w " + dir},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckFolder(dir, folder{info, test.mode}, test.user, "it")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	// Root's folder is acceptable for everybody: root can do anything anyway.
	if err := CheckFolder(dir, folder{info, fs.ModeDir | 0o700}, owner+1, "it"); (err == nil) != (owner == 0) {
		t.Errorf("folder of user %d for user %d: %v", owner, owner+1, err)
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A second server must not open the database under any name, in this process or in
// another one.
func TestOneProcessPerFile(t *testing.T) {
	const child = "PARTNERCENTER_TEST_OPEN"
	if path := os.Getenv(child); path != "" {
		s, err := Open(context.Background(), path, nil)
		if err == nil {
			s.Close()
		}
		fmt.Println(err)
		os.Exit(0)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "x.db")
	s := openTest(t, path)
	load(t, s, suiteSeed())
	// Earlier versions locked a file beside it, which anyone could remove.
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a lock file: %v", err)
	}
	for _, link := range []struct {
		name string
		make func(name string) error
	}{
		{"hard.db", func(name string) error { return os.Link(path, name) }},
		{"soft.db", func(name string) error { return os.Symlink(path, name) }},
		{"folder", func(name string) error { return os.Symlink(folder, name) }},
	} {
		if err := link.make(filepath.Join(folder, link.name)); err != nil {
			t.Log(err)
		}
	}
	for name, want := range map[string]error{
		"x.db": ErrLocked, "soft.db": ErrLocked, "folder/x.db": ErrLocked, "../" + filepath.Base(folder) + "/x.db": ErrLocked,
		"hard.db": ErrManyNames,
	} {
		name := folder + "/" + name
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if want == ErrLocked { // a file with two names is refused in any case
			os.Remove(filepath.Join(folder, "hard.db"))
		}
		if other, err := Open(t.Context(), name, nil); err == nil {
			other.Close()
			t.Errorf("%s was opened a second time", name)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestOneProcessPerFile$")
		cmd.Env = append(os.Environ(), child+"="+name)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if text := string(out); !strings.Contains(text, want.Error()) {
			t.Errorf("another process opens %s: %s", name, text)
		} else if want == ErrLocked && runtime.GOOS != "windows" && !strings.Contains(text, fmt.Sprintf("(process %d)", os.Getpid())) {
			t.Errorf("it is not told who has %s open: %s", name, text)
		}
	}
	// SQLite's own locks are still there: they would be lost with a descriptor of the
	// file that was closed.
	locks, err := os.ReadFile("/proc/locks")
	if err == nil && !regexp.MustCompile(fmt.Sprintf(`POSIX +ADVISORY +READ +%d \S+ 1073741826 `, os.Getpid())).Match(locks) {
		t.Errorf("SQLite has lost its locks:\n%s", locks)
	}
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
}

// Each name would have a write-ahead log of its own.
func TestHardLinkIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "y.db")
	if err := os.Link(path, other); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{path, other} {
		if s, err := Open(t.Context(), name, nil); !errors.Is(err, ErrManyNames) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				s.Close()
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	openTest(t, other)
}

// A server whose files were removed or replaced acknowledges nothing.
func TestFileGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be removed")
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		for name, attack := range map[string]func(file string) error{
			"removed": os.Remove,
			"moved":   func(file string) error { return os.Rename(file, file+".away") },
			"replaced": func(file string) error {
				data, err := os.ReadFile(file)
				return errors.Join(err, os.WriteFile(file+".new", data, 0o600), os.Rename(file+".new", file))
			},
			"linked": func(file string) error {
				return errors.Join(os.Rename(file, file+".away"), os.Symlink(file+".away", file))
			},
		} {
			t.Run(name+suffix, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "x.db")
				s := openTest(t, path)
				load(t, s, suiteSeed())
				if err := s.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := attack(path + suffix); err != nil {
					t.Fatal(err)
				}
				for what, err := range map[string]error{
					"an order":  s.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")),
					"a grant":   s.SaveGrant(t.Context(), Grant{ID: "x", TenantID: partnerA, Expires: suiteNow}),
					"readiness": s.Ping(t.Context()),
				} {
					if !errors.As(err, new(*UnwritableError)) || !errors.Is(err, ErrFileGone) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if name == "moved" {
					if err := os.Rename(path+suffix+".away", path+suffix); err != nil {
						t.Fatal(err)
					}
					apply(t, s, placed(partnerA, orderless, "00000000000a"))
					if err := s.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// What is not a database of this program is left exactly as it is, with what is beside
// it.
func TestLookBeforeTouching(t *testing.T) {
	write := func(t *testing.T, name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(t *testing.T, to, name string) {
		t.Helper()
		if err := os.Symlink(to, name); err != nil {
			t.Skip(err)
		}
	}
	foreign := func(t *testing.T, path string) {
		s := openTest(t, path)
		for _, statement := range []string{"PRAGMA application_id = 7", "CREATE TABLE notes (text)"} {
			if _, err := s.write.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		make   func(t *testing.T, path string)
		reason error
	}{
		"notes":      {func(t *testing.T, path string) { write(t, path, strings.Repeat("notes\n", 50)) }, ErrNotDatabase},
		"a word":     {func(t *testing.T, path string) { write(t, path, "hi") }, ErrNotDatabase},
		"its start":  {func(t *testing.T, path string) { write(t, path, sqliteMagic) }, ErrNotDatabase},
		"a foreign":  {foreign, ErrForeign},
		"a link":     {func(t *testing.T, path string) { write(t, path+".txt", "notes\n"); link(t, path+".txt", path) }, ErrNotDatabase},
		"into space": {func(t *testing.T, path string) { link(t, path+".txt", path) }, ErrBrokenLink},
		"a device":   {func(t *testing.T, path string) { link(t, os.DevNull, path) }, ErrNotFile},
		"a log elsewhere": {func(t *testing.T, path string) {
			write(t, path+".txt", "notes\n")
			link(t, path+".txt", path+"-wal")
		}, ErrNotFile},
		"an index elsewhere":  {func(t *testing.T, path string) { link(t, path+".txt", path+"-shm") }, ErrNotFile},
		"a journal elsewhere": {func(t *testing.T, path string) { link(t, path+".txt", path+"-journal") }, ErrNotFile},
		"a log with two names": {func(t *testing.T, path string) {
			write(t, path+".txt", "notes\n")
			hardLink(t, path+".txt", path+"-wal")
		}, ErrManyNames},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "x.db")
			test.make(t, path)
			before := listing(t, folder)
			s, err := Open(t.Context(), path, nil)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, test.reason) {
				t.Errorf("%v, want %v", err, test.reason)
			}
			if after := listing(t, folder); after != before {
				t.Errorf("before:\n%safter:\n%s", before, after)
			}
		})
	}
	if info, err := os.Stat(os.DevNull); err == nil && runtime.GOOS == "linux" && info.Mode().Perm() != 0o666 {
		t.Errorf("%s has mode %v", os.DevNull, info.Mode())
	}
}

// A database whose creation was killed has everything in its write-ahead log.
func TestCreationKilled(t *testing.T) {
	from := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, from)
	load(t, s, suiteSeed())
	to := filepath.Join(t.TempDir(), "x.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(from + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix == "" && applicationOf(data) != 0 {
			t.Fatal("SQLite has moved the log into the file already")
		}
		if err := os.WriteFile(to+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s := openTest(t, to); s.Fresh() {
		t.Error("the load is lost")
	}
}

func TestAbandonedLinks(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	victim := t.TempDir()
	if err := os.WriteFile(filepath.Join(victim, temporaryFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	planted := filepath.Join(os.TempDir(), temporaryName+"x")
	if err := os.Symlink(victim, planted); err != nil {
		t.Skip(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(victim, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	openTest(t, ":memory:")
	for _, name := range []string{planted, filepath.Join(victim, temporaryFile)} {
		if _, err := os.Lstat(name); err != nil {
			t.Error(err)
		}
	}
}

func hardLink(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Link(from, to); err != nil {
		t.Skip(err)
	}
}

// listing describes all files of a folder.
func listing(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(name) // not of a link into space
		fmt.Fprintf(&text, "%s %v %v %.200q\n", entry.Name(), info.Mode(), info.ModTime(), data)
	}
	return text.String()
}

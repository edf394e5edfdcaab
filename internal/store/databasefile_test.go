package store

import (
	"bytes"
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
	"syscall"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
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
	for _, tt := range []struct {
		name string
		want error
	}{
		{"hard.db", ErrManyNames}, // first, as a file with two names is refused by either
		{"x.db", ErrLocked},
		{"soft.db", ErrLocked},
		{"folder/x.db", ErrLocked},
		{"../" + filepath.Base(folder) + "/x.db", ErrLocked},
	} {
		name, want := folder+"/"+tt.name, tt.want
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if want == ErrLocked {
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
				_, granted := s.PutSignIn(t.Context(), SignIn{Kind: "grant", ID: "x"}, nothing)
				for what, err := range map[string]error{
					"an order":  s.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")),
					"a grant":   granted,
					"readiness": s.Ping(t.Context()),
				} {
					if !errors.As(err, new(*UnusableError)) || !errors.Is(err, ErrFileGone) {
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

// Readers that are opened while another database has the name read nothing of it, and
// closing changes nothing there.
func TestReadersKeepToTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be moved")
	}
	folder := t.TempDir()
	path, foreign, away := filepath.Join(folder, "x.db"), filepath.Join(folder, "y.db"), filepath.Join(folder, "away.db")
	other := openTest(t, foreign)
	load(t, other, bulkSeed(1, 2, 1, "foreign"))
	s := openTest(t, path)
	load(t, s, suiteSeed())
	rename := func(from, to string) {
		t.Helper()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Rename(from+suffix, to+suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	copied := func(from, to string) {
		t.Helper()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			data, err := os.ReadFile(from + suffix)
			if err := errors.Join(err, os.WriteFile(to+suffix, data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// readers returns how many of all connections read the database, and closes none.
	readers := func() (reading int) {
		t.Helper()
		for range s.read.Stats().MaxOpenConnections {
			conn, err := s.read.Conn(t.Context())
			if err != nil {
				if !errors.As(err, new(*UnusableError)) || !errors.Is(err, ErrFileGone) {
					t.Errorf("a reader: %v", err)
				}
				continue
			}
			defer conn.Close()
			var found bool
			if err := conn.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM partners WHERE partner_id = $1)`, partnerA).Scan(&found); err != nil || !found {
				t.Errorf("a reader has another database: %v", err)
				continue
			}
			reading++
		}
		return reading
	}
	rename(path, away)
	copied(foreign, path)
	if n := readers(); n == 0 || n == s.read.Stats().MaxOpenConnections {
		t.Errorf("%d connections read", n)
	}
	before := listing(t, folder)
	if _, err := s.Users(t.Context(), partnerA); err != nil {
		t.Errorf("a connection that was open: %v", err)
	}
	if after := listing(t, folder); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	rename(path, foreign+".kept")
	kept, err := os.ReadFile(foreign + ".kept-wal")
	if err != nil || len(kept) == 0 {
		t.Fatal(err)
	}
	rename(away, path)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if n := readers(); n != s.read.Stats().MaxOpenConnections {
		t.Errorf("once it is back, %d connections read", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadFile(foreign + ".kept-wal"); err != nil || !bytes.Equal(left, kept) {
		t.Errorf("the other database's log has changed: %v", err)
	}
}

// A database that was cut off is called damaged, whatever SQLite misses first.
func TestCutOff(t *testing.T) {
	for _, pages := range []int64{1, 2, 3, 5, 8} {
		path := filepath.Join(t.TempDir(), "x.db")
		s := openTest(t, path)
		load(t, s, suiteSeed())
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, pages*pageSize); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, nil)
		if err == nil {
			err = s.Check(t.Context())
			s.Close()
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d pages: %v", pages, err)
		}
	}
}

// The table of migrations seems not to be there when it cannot be read.
func TestMigrationsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path)
	var page int64
	if err := s.write.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'goose_db_version'`).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, (page-1)*pageSize, strings.Repeat("junk", 20))
	s, err := Open(t.Context(), path, nil)
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// What ends a start is called by its name.
func TestOpenReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path)
	for _, test := range []struct{ err, want error }{
		{s.sqliteOpenError(t.Context(), path, &listError{"full", sqlite3.SQLITE_FULL}), ErrDiskFull},
		{s.sqliteOpenError(t.Context(), path, &listError{"no index", sqlite3.SQLITE_IOERR_SHMSIZE}), ErrDiskFull},
		{s.sqliteOpenError(t.Context(), path, &listError{"broken", sqlite3.SQLITE_IOERR_READ}), ErrNotWritable},
		{notWritable(path, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOSPC}), ErrDiskFull},
		{notWritable(path, &fs.PathError{Op: "open", Path: path, Err: syscall.EMFILE}), ErrNoDescriptors},
		{notWritable(path, fs.ErrPermission), ErrNotWritable},
	} {
		if !errors.Is(test.err, test.want) || test.want != ErrNotWritable && strings.Contains(test.err.Error(), "writable for this user") {
			t.Errorf("%v, want %v", test.err, test.want)
		}
	}
}

// A journal of a database that was being created has nothing in it.
func TestCreationKilledEarly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	for suffix, content := range map[string]string{"": "", "-journal": strings.Repeat("\x00", 512)} {
		if err := os.WriteFile(path+suffix, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openTest(t, path)
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
		"a log without a database":     {func(t *testing.T, path string) { write(t, path+"-wal", "notes\n") }, ErrLeftovers},
		"an index without a database":  {func(t *testing.T, path string) { write(t, path+"-shm", "notes\n") }, ErrLeftovers},
		"a journal without a database": {func(t *testing.T, path string) { write(t, path+"-journal", "notes\n") }, ErrLeftovers},
		"a log of an empty database": {func(t *testing.T, path string) {
			write(t, path, "")
			write(t, path+"-wal", "notes\n")
		}, ErrLeftovers},
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

// Folders that only have such a name stay, and so does what somebody has put in one.
func TestAbandonedFolders(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.TempDir())
	folder := func(name string, mode fs.FileMode, files ...string) string {
		t.Helper()
		path := filepath.Join(os.TempDir(), temporaryName+name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.WriteFile(filepath.Join(path, file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		hourAgo := time.Now().Add(-time.Hour)
		if err := errors.Join(os.Chmod(path, mode), os.Chtimes(path, hourAgo, hourAgo)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	abandoned := folder("1", 0o700, temporaryFile, temporaryFile+"-wal", temporaryFile+"-shm")
	kept := []string{folder("plant", 0o700, temporaryFile, "keep"), folder("empty", 0o700)}
	if runtime.GOOS != "windows" {
		kept = append(kept, folder("open", 0o755, temporaryFile))
	}
	openTest(t, ":memory:")
	if _, err := os.Lstat(abandoned); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", abandoned, err)
	}
	for _, path := range kept {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(filepath.Join(kept[0], "keep")); err != nil {
		t.Error(err)
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

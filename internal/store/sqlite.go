package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as this program's: "PCOR".
const applicationID = 0x50434f52

const (
	// pageSize is chosen so that an order with prices and several lines fits into a
	// page: a row longer than a quarter of a page spills into a page of its own. With 8
	// KiB all orders with prices do, which makes the database three times as big and
	// lists less than half as fast. The cost is a tenth of the rate of small commits,
	// which write whole pages.
	pageSize = 32768
	// cacheKiB is the anonymous memory that a connection may fill. Mapped pages bypass
	// the cache; it is for changed pages and the write-ahead log.
	cacheKiB = 2048
	// walLimit is what remains of the write-ahead log after a big load.
	walLimit = 64 << 20
	// busyTimeout bounds waits between connections. The store's own seldom wait, as
	// there is one writer and readers do not block it; other programs may access the
	// file.
	busyTimeout = 10 * time.Second
)

// durable and throwaway say when SQLite waits for the disk.
const (
	durable   = "FULL" // at every commit
	throwaway = "OFF"  // never: the data is lost after a crash anyway
)

// openSQLite opens the database file at path.
func (s *Store) openSQLite(ctx context.Context, path string, o Options, synchronous string) error {
	path, err := sqlitePath(path)
	if err != nil {
		return err
	}
	var isNew bool
	if s.file, isNew, err = openDatabaseFile(path); err != nil {
		return err
	}
	s.release = s.file.close
	if err := s.connectSQLite(ctx, path, o, synchronous, isNew); err != nil {
		return sqliteOpenError(path, err)
	}
	return s.file.pin()
}

func (s *Store) connectSQLite(ctx context.Context, path string, o Options, synchronous string, isNew bool) (err error) {
	readers := o.Readers
	if readers <= 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	mmap := cmp.Or(o.MmapSize, math.MaxInt64) // SQLite lowers it to its own limit
	if s.write, err = openPool(path, 1, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {synchronous},
		"_txlock":       {"immediate"},
		"_pragma":       commonPragmas(mmap, "page_size("+strconv.Itoa(pageSize)+")", "journal_size_limit("+strconv.Itoa(walLimit)+")"),
	}); err != nil {
		return err
	}
	if isNew {
		// First of all, so that a database is recognized even if its creation is
		// interrupted.
		if _, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	if err := migrate(ctx, s.write, goose.DialectSQLite3, "sqlite"); err != nil {
		return err
	}
	if s.read, err = openPool(path, readers, url.Values{
		"_query_only": {"1"},
		"_pragma":     commonPragmas(mmap),
	}); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	s.lists, err = openSQLiteLists(path, mmap, readers)
	return err
}

// openPool returns a pool of up to n connections, which stay open.
func openPool(path string, n int, settings url.Values) (*sql.DB, error) {
	settings.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10)) // the driver applies it first
	settings.Set("_foreign_keys", "1")
	settings.Set("_defensive", "1")
	settings.Set("_dqs", "0")
	settings.Set("_error_rc", "1") // no stale texts in errors
	settings.Set("mode", "rw")     // the file exists, with the right mode
	db, err := sql.Open("sqlite", sqliteURI(path, settings))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

func commonPragmas(mmap int64, more ...string) []string {
	return append(more,
		"mmap_size("+strconv.FormatInt(max(mmap, 0), 10)+")",
		"cache_size(-"+strconv.Itoa(cacheKiB)+")",
		"temp_store(memory)")
}

func sqliteURI(path string, settings url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String()
}

// sqlitePath returns the path of a database file without symbolic links, and checks that
// a database can be there. A link to the file is followed now, and none later.
func sqlitePath(path string) (string, error) {
	if path == "" {
		return "", &OpenError{Path: `""`, Reason: ErrNoFolder, Next: "give the database a file name, such as partnercenter.db"}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", &OpenError{Path: path, Reason: ErrNoFolder, Cause: err, Next: "give its absolute path"}
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if errors.Is(err, fs.ErrNotExist) {
		return "", &OpenError{Path: path, Reason: ErrNoFolder, Next: "make the folder " + filepath.Dir(abs) + " or choose another location"}
	}
	if err != nil {
		return "", &OpenError{Path: path, Reason: ErrNoFolder, Cause: err, Next: "check the permissions of the folders above it or choose another location"}
	}
	abs = filepath.Join(folder, filepath.Base(abs))
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	if info, err := os.Stat(abs); err == nil && info.IsDir() {
		return "", &OpenError{Path: path, Reason: ErrIsFolder, Next: "name a file in it, such as " + filepath.Join(path, "partnercenter.db")}
	}
	return abs, nil
}

func notWritable(path string, cause error) error {
	return &OpenError{
		Path: path, Reason: ErrNotWritable, Cause: cause,
		Next: "make the file and its folder writable for this user or choose another location",
	}
}

// sqliteOpenError determines what is wrong with a file.
func sqliteOpenError(path string, err error) error {
	var code *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNewer):
		return &OpenError{Path: path, Reason: ErrNewer, Next: "install that version or a later one, or choose another file"}
	case !errors.As(err, &code):
		return fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	switch code.Code() & 0xff { // the other bits give details
	case sqlite3.SQLITE_NOTADB:
		return &OpenError{Path: path, Reason: ErrNotDatabase, Cause: err, Next: "choose another file; a new one is made if it does not exist"}
	case sqlite3.SQLITE_CORRUPT:
		return &OpenError{Path: path, Reason: ErrCorrupt, Cause: err, Next: "restore a backup, or try SQLite's command .recover on a copy"}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return notWritable(path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &OpenError{Path: path, Reason: ErrLocked, Cause: err, Next: "close the program that has it open or choose another file"}
	}
	return fmt.Errorf("cannot open the database %s: %w", path, err)
}

// unwritable returns an [*UnwritableError] for an error that says that SQLite cannot
// write, and the error itself otherwise.
func unwritable(err error) error {
	code, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	e := &UnwritableError{Cause: err}
	switch code.Code() & 0xff { // the other bits give details
	case sqlite3.SQLITE_FULL:
		e.Reason, e.Next = ErrDiskFull, "make room where the database is"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
		e.Reason, e.Next = ErrNotWritable, "look at the disk that the database is on, at its quotas, and at the permissions of the files"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		e.Reason, e.Next = ErrLocked, "close the program that has it open"
	default:
		return err
	}
	return e
}

// Check looks for damage in the whole file, which takes seconds for each gigabyte. If
// there is any, it fails with ErrCorrupt, and so does [Store.Ping] from then on.
func (s *Store) Check(ctx context.Context) error {
	var found string
	err := s.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found)
	if code, ok := errors.AsType[*sqlite.Error](err); ok && (code.Code()&0xff == sqlite3.SQLITE_CORRUPT || code.Code()&0xff == sqlite3.SQLITE_NOTADB) {
		found = err.Error()
	} else if err != nil {
		return wrapError("check", err)
	}
	if found == "ok" {
		return nil
	}
	err = fmt.Errorf("store: the database %s: %w (%s); stop the server, and restore a backup, or try SQLite's command .recover on a copy", s.file.path, ErrCorrupt, found)
	s.damage.Store(&err)
	return err
}

// temporaryName is the prefix of folders of temporary databases.
const temporaryName = "partnercenter-memory-"

// temporaryFile is the database in such a folder.
const temporaryFile = "partnercenter.db"

// openTemporary opens a database that is deleted with the Store: a private file that is
// never synced to disk. SQLite's own memory databases have no write-ahead log, so that
// a reader would wait for every writer.
func (s *Store) openTemporary(ctx context.Context, o Options) error {
	removeAbandoned()
	folder, err := os.MkdirTemp("", temporaryName) // mode 0700
	if err != nil {
		return &OpenError{
			Path: ":memory:", Reason: ErrNotWritable, Cause: err,
			Next: "make the folder for temporary files writable, or name another one in the environment (TMPDIR; TMP on Windows)",
		}
	}
	err = s.openSQLite(ctx, filepath.Join(folder, temporaryFile), o, throwaway)
	unlock := s.release
	s.release = func() error {
		var err error
		if unlock != nil {
			err = unlock()
		}
		return errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// removeAbandoned removes temporary databases of killed processes. Recent ones are left
// alone: their lock may not have been taken yet.
func removeAbandoned() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryName+"*"))
	for _, folder := range folders {
		// Others can write in the folder for temporary files: no link is followed.
		info, err := os.Lstat(folder)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if lockAbandoned(filepath.Join(folder, temporaryFile)) {
			_ = os.RemoveAll(folder)
		}
	}
}

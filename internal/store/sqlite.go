package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/partnercenter-go/partnercenter/internal/private"
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
	if err := s.connectSQLite(ctx, o, synchronous, isNew); err != nil {
		return s.sqliteOpenError(ctx, path, err)
	}
	return s.file.pin()
}

func (s *Store) connectSQLite(ctx context.Context, o Options, synchronous string, isNew bool) (err error) {
	readers := o.Readers
	if readers <= 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	mmap := cmp.Or(o.MmapSize, math.MaxInt64) // SQLite lowers it to its own limit
	if s.write, err = openPool(s.file, 1, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {synchronous},
		"_txlock":       {"immediate"},
		"_pragma":       commonPragmas(mmap, "page_size("+strconv.Itoa(pageSize)+")", "journal_size_limit("+strconv.Itoa(walLimit)+")"),
	}); err != nil {
		return err
	}
	if err := s.openSeals(ctx, s.write); err != nil {
		return err
	}
	if isNew {
		// First of all, so that a database is recognized even if its creation is
		// interrupted.
		if _, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
		// The steps of a schema need not each be on the disk: what is lost is done again,
		// as the log is synced before anything of it is written into the file.
		if synchronous == durable {
			if err := s.syncWrites(ctx, "NORMAL"); err != nil {
				return err
			}
		}
	}
	if err := s.checkSchema(ctx, s.write); err != nil {
		return err
	}
	if s.taken, err = migrateSQLite(ctx, s.write, latest); err != nil {
		return err
	}
	if isNew {
		if err := s.syncWrites(ctx, synchronous); err != nil {
			return err
		}
	}
	if s.read, err = openReaders(s.file, mmap, readers); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	s.lists, err = openSQLiteLists(s.file, mmap, readers)
	return err
}

// syncWrites sets when the writing connection waits for the disk.
func (s *Store) syncWrites(ctx context.Context, synchronous string) error {
	_, err := s.write.ExecContext(ctx, "PRAGMA synchronous = "+synchronous)
	return err
}

// migrateSQLite brings the schema up to a step. The caller holds the lock on the file.
func migrateSQLite(ctx context.Context, db *sql.DB, step int64) (taken int, err error) {
	p, err := sqliteMigrations(db)
	if err != nil {
		return 0, err
	}
	return migrate(ctx, p, step)
}

func sqliteMigrations(db *sql.DB) (*goose.Provider, error) {
	return newMigrations(db, goose.DialectSQLite3, "sqlite", goose.WithGoMigrations(
		goose.NewGoMigration(spellingsVersion, &goose.GoFunc{RunTx: normalizeSpellings}, nil),
		goose.NewGoMigration(searchKeysVersion, &goose.GoFunc{RunTx: renewSearchKeys}, nil)))
}

// openPool returns a pool of up to n connections, which stay open.
func openPool(file *databaseFile, n int, settings url.Values) (*sql.DB, error) {
	settings.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10)) // the driver applies it first
	settings.Set("_foreign_keys", "1")
	settings.Set("_defensive", "1")
	settings.Set("_dqs", "0")
	settings.Set("_error_rc", "1") // no stale texts in errors
	settings.Set("mode", "rw")     // the file exists, with the right mode
	base, err := sqlite.NewConnector(sqliteURI(file.path, settings))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector{base, file})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// connector opens the connections of a pool. SQLite opens files by their names, also long
// after the start: the names must still be those of the locked file.
type connector struct {
	driver.Connector
	file *databaseFile
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	var conn driver.Conn
	err := c.file.unmoved(func() (err error) {
		conn, err = c.Connector.Connect(ctx)
		return err
	})
	if err != nil && conn != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, err
}

// openReaders returns a pool of up to n connections that only read.
func openReaders(file *databaseFile, mmap int64, n int) (*sql.DB, error) {
	return openPool(file, n, url.Values{
		"_query_only": {"1"},
		"_pragma":     commonPragmas(mmap),
	})
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

// notWritable says why a file cannot be opened, as far as the system's error tells.
func notWritable(path string, cause error) error {
	e := &OpenError{
		Path: path, Reason: ErrNotWritable, Cause: cause,
		Next: "make the file and its folder writable for this user or choose another location",
	}
	switch {
	case IsDiskFull(cause):
		e.Reason, e.Next = ErrDiskFull, "make room there, or choose another location"
	case errors.Is(cause, syscall.EMFILE), errors.Is(cause, syscall.ENFILE):
		e.Reason, e.Next = ErrNoDescriptors, "allow more (ulimit -n), or close what has them open"
	}
	return e
}

// mostFiles is more than the files that SQLite closes when it fails to open one of them.
const mostFiles = 8

// openMany returns the system's error if no more files can be opened. SQLite does not
// tell its reason.
func openMany(path string) error {
	for range mostFiles {
		// Not the database: closing it would drop SQLite's locks.
		f, err := os.Open(filepath.Dir(path))
		if err != nil {
			return err
		}
		defer f.Close()
	}
	return nil
}

// sqliteOpenError determines what is wrong with a file.
func (s *Store) sqliteOpenError(ctx context.Context, path string, err error) error {
	var code coded
	switch {
	case errors.As(err, new(*UnusableError)), errors.As(err, new(*OpenError)):
		return err
	case errors.Is(err, ErrNewer):
		return &OpenError{Path: path, Reason: ErrNewer, Next: "install that version or a later one, or choose another file"}
	case !errors.As(err, &code):
		return fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	damaged := &OpenError{Path: path, Reason: ErrCorrupt, Cause: err, Next: restore}
	if noRoom(code.Code()) {
		return notWritable(path, fmt.Errorf("%w: %w", syscall.ENOSPC, err))
	}
	switch code.Code() & 0xff { // the other bits give details
	case sqlite3.SQLITE_NOTADB:
		return &OpenError{Path: path, Reason: ErrNotDatabase, Cause: err, Next: "choose another file; a new one is made if it does not exist"}
	case sqlite3.SQLITE_CORRUPT:
		return damaged
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
		if many := openMany(path); many != nil {
			err = fmt.Errorf("%w: %w", many, err)
		}
		return notWritable(path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &OpenError{Path: path, Reason: ErrLocked, Cause: err, Next: "close the program that has it open or choose another file"}
	}
	// Of a file that was cut off, tables may seem to be missing or to be there twice.
	if errors.Is(unusable(s.quickCheck(ctx, s.write)), ErrCorrupt) {
		return damaged
	}
	return fmt.Errorf("cannot open the database %s: %w", path, err)
}

// noRoom reports whether a code says that the disk is full. For the index of the
// write-ahead log SQLite has one of its own.
func noRoom(code int) bool {
	return code&0xff == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_SHMSIZE
}

// coded is an error of SQLite, from the driver or a [listReader].
type coded interface {
	error
	Code() int
}

// restore is what to do about damage.
const restore = "restore a backup, or try SQLite's command .recover on a copy"

// unusable returns an [*UnusableError] for an error that says that SQLite cannot use
// its files, and the error itself otherwise.
func unusable(err error) error {
	if errors.As(err, new(*UnusableError)) {
		return err
	}
	// A value that its column cannot have: package sql has no type for this error.
	if err != nil && strings.Contains(err.Error(), "sql: Scan error on column") {
		return &UnusableError{Reason: ErrCorrupt, Cause: err, Next: "stop the server, and " + restore}
	}
	code, ok := errors.AsType[coded](err)
	if !ok {
		if e := postgresUnusable(err); e != nil {
			return e
		}
		return err
	}
	e := &UnusableError{Cause: err}
	if noRoom(code.Code()) {
		e.Reason, e.Next = ErrDiskFull, "make room where the database is"
		return e
	}
	switch code.Code() & 0xff { // the other bits give details
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		e.Reason, e.Next = ErrCorrupt, "stop the server, and "+restore
	case sqlite3.SQLITE_IOERR:
		e.Reason, e.Next = ErrDisk, "look at the disk that the database is on; if somebody has changed the file or its -wal, stop the server and restore a backup"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		e.Reason, e.Next = ErrNotWritable, "look at the disk that the database is on, at its quotas, and at the permissions of the files"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		e.Reason, e.Next = ErrLocked, "close the program that has it open"
	default:
		return err
	}
	return e
}

// Check looks for damage in the whole file, with a thirtieth of a processor: it takes half
// a minute for each gigabyte. If there is any, it fails with ErrCorrupt, and so do
// [Store.Ping] and [Store.Damaged] until there is none.
// The files of PostgreSQL are its server's to check.
func (s *Store) Check(ctx context.Context) error {
	if s.file == nil {
		return nil
	}
	err := s.wrapError("check", s.slowCheck(ctx))
	s.health.noteSearch(err)
	return err
}

// quickCheck fails with SQLite's error for damage, which may be the first that it finds.
func (s *Store) quickCheck(ctx context.Context, db *sql.DB) error {
	var found string
	err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found)
	if err == nil && found != "ok" {
		err = &listError{found, sqlite3.SQLITE_CORRUPT}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.file.path, err)
	}
	return nil
}

// tryRead reads the whole database. No connection keeps what it has in its cache, which
// may be wrong.
func (s *Store) tryRead(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, `PRAGMA shrink_memory`); err != nil {
		return err
	}
	s.lists.forgetPages()
	s.read.SetMaxIdleConns(0)
	s.read.SetMaxIdleConns(s.read.Stats().MaxOpenConnections)
	db, err := openReaders(s.file, 0, 1)
	if err != nil {
		return err
	}
	defer db.Close()
	return s.quickCheck(ctx, db)
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
	s.temporary = folder
	err = s.openSQLite(ctx, filepath.Join(folder, temporaryFile), o, throwaway)
	unlock := s.release
	s.release = func() error {
		var err error
		if unlock != nil {
			err = unlock()
		}
		return errors.Join(err, removeTemporary(folder))
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
		_, foreign := private.ForeignOwner(info, os.Geteuid())
		if foreign || private.IsOpen(info) || !isTemporary(folder) {
			continue
		}
		if lockAbandoned(filepath.Join(folder, temporaryFile)) {
			_ = removeTemporary(folder)
		}
	}
}

// temporaryFiles are the names of all files of a temporary database.
func temporaryFiles() []string {
	names := []string{temporaryFile}
	for _, suffix := range besideSuffixes {
		names = append(names, temporaryFile+suffix)
	}
	return names
}

// isTemporary reports whether a folder has the files of a temporary database and nothing
// else.
func isTemporary(folder string) bool {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !slices.Contains(temporaryFiles(), entry.Name()) {
			return false
		}
	}
	return err == nil
}

// removeTemporary removes a folder with the files of a temporary database, and nothing
// that somebody has put beside them.
func removeTemporary(folder string) error {
	for _, name := range append(temporaryFiles(), "") { // the folder last
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Abandon removes the files of a database in ":memory:" at once, as far as the system
// allows. It is for a process that ends without [Store.Close].
func (s *Store) Abandon() {
	if s.temporary != "" {
		_ = removeTemporary(s.temporary)
	}
}

const forgetCartsSQL = `
DELETE FROM carts WHERE partner_id = $1 AND customer_id = $2 AND doc ->> '$.expirationTimestamp' < $3`

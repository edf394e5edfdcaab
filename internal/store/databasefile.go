package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"sync"
)

// databaseFile is the file of a database, open and locked. The lock keeps other
// processes away under whatever name they open it: SQLite would allow several, but
// caches rely on there being one. It is on bytes far beyond those that SQLite locks.
//
// It is opened before SQLite opens the file and closed after SQLite has closed it. A
// process that closes any descriptor of a file loses its POSIX locks on it, those of
// SQLite, too.
type databaseFile struct {
	path   string
	file   *os.File
	info   fs.FileInfo
	pinned []pinnedFile // see pin
}

// pinnedFile is a file as it was when the database was opened.
type pinnedFile struct {
	name string
	info fs.FileInfo
}

// held are the database files of this process. None of them is opened again.
var held struct {
	mu    sync.Mutex // guards files
	files []*databaseFile
}

// lockStart is the first locked byte. SQLite locks none beyond 1 GiB.
//
// https://www.sqlite.org/fileformat.html#the_lock_byte_page
const lockStart = math.MaxInt64 / 2

// besideSuffixes name the files that SQLite keeps beside a database.
var besideSuffixes = []string{"-wal", "-shm", "-journal"}

// openDatabaseFile opens and locks the file at path, which has no symbolic link in it,
// or creates it. It reports whether the database is still empty. Whatever is not a
// database of this program is left as it is.
func openDatabaseFile(path string) (_ *databaseFile, empty bool, err error) {
	held.mu.Lock()
	defer held.mu.Unlock()
	info, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, notWritable(path, err)
	}
	isNew := err != nil || info.Mode().IsRegular() && info.Size() == 0
	for _, suffix := range besideSuffixes {
		if err := checkBeside(path+suffix, isNew); err != nil {
			return nil, false, err
		}
	}
	d, err := openUnlessHeld(path, info)
	if err != nil {
		return nil, false, err
	}
	if empty, err = d.claim(); err != nil {
		return nil, false, errors.Join(err, d.file.Close())
	}
	held.files = append(held.files, d)
	return d, empty, nil
}

// checkBeside refuses a file beside the database that SQLite would write through, a link
// to another one, and one beside a new database, which SQLite would remove.
func checkBeside(path string, isNew bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return notWritable(path, err)
	case !info.Mode().IsRegular():
		return &OpenError{Path: path, Reason: ErrNotFile, Next: "move it away, or choose another database"}
	}
	links, err := linksOf(path, info)
	switch {
	case err != nil:
		return err
	case links > 1:
		return &OpenError{Path: path, Reason: ErrManyNames, Next: "move it away, or choose another database"}
	case isNew && info.Size() > 0 && !beganEmpty(path):
		return &OpenError{
			Path: path, Reason: ErrLeftovers,
			Next: "put the database back that it belongs to, whose last changes may be in it, or move it away, or choose another database",
		}
	}
	return nil
}

// Places in a rollback journal.
const (
	journalMagic  = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	journalPages  = 16 // the database's number of pages before
	journalLength = 28
)

// beganEmpty reports whether a file is the rollback journal of a database that was being
// created, and has nothing in it.
func beganEmpty(path string) bool {
	if !strings.HasSuffix(path, "-journal") {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := readHead(f, journalLength)
	if err != nil || len(head) < journalLength {
		return false
	}
	magic := string(head[:len(journalMagic)])
	return (magic == journalMagic || magic == strings.Repeat("\x00", len(journalMagic))) &&
		binary.BigEndian.Uint32(head[journalPages:]) == 0
}

// openUnlessHeld opens the file, which is what was found under its name, or creates it if
// that is nil.
func openUnlessHeld(path string, info fs.FileInfo) (*databaseFile, error) {
	flags := os.O_RDWR | noFollow
	switch {
	case info == nil:
		flags |= os.O_CREATE | os.O_EXCL
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &OpenError{Path: path, Reason: ErrBrokenLink, Next: "remove the link, or name the file itself"}
	case !info.Mode().IsRegular():
		return nil, &OpenError{Path: path, Reason: ErrNotFile, Next: "choose another file; a new one is made if it does not exist"}
	}
	for _, d := range held.files {
		if os.SameFile(d.info, info) {
			return nil, locked(path, os.Getpid())
		}
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, notWritable(path, err)
	}
	opened, err := file.Stat()
	if err != nil || info != nil && !os.SameFile(info, opened) {
		// Closing it takes no locks of SQLite along: those files are in held.
		return nil, errors.Join(notWritable(path, err), file.Close())
	}
	return &databaseFile{path: path, file: file, info: opened, pinned: []pinnedFile{{path, opened}}}, nil
}

// claim locks the file, once it is known to be this program's, and makes it inaccessible
// to other users, as it contains secrets; SQLite gives its -wal and -shm files the same
// mode.
func (d *databaseFile) claim() (empty bool, err error) {
	links, err := linksOf(d.path, d.info)
	if err != nil {
		return false, notWritable(d.path, err)
	}
	if links > 1 {
		// SQLite would keep a write-ahead log for each name.
		return false, &OpenError{
			Path: d.path, Reason: ErrManyNames,
			Next: "remove its other names (hard links), or copy the file and open the copy",
		}
	}
	if empty, err = d.inspect(); err != nil {
		return false, err
	}
	switch taken, pid, err := lock(d.file); {
	case err != nil:
		return false, notWritable(d.path, err)
	case !taken:
		return false, locked(d.path, pid)
	}
	if d.info.Mode().Perm()&0o077 != 0 {
		if err := d.file.Chmod(0o600); err != nil {
			return false, notWritable(d.path, err)
		}
	}
	return empty, nil
}

func locked(path string, pid int) error {
	return &OpenError{Path: path, Reason: ErrLocked, PID: pid, Next: "stop that server or choose another file"}
}

// Places in a database file and in a write-ahead log.
//
// https://www.sqlite.org/fileformat.html
const (
	sqliteMagic    = "SQLite format 3\x00"
	atApplication  = 68      // the application's id
	atSchema       = 100     // the first page's tree, which is that of the schema
	atSchemaCells  = 103     // the number of tables and indexes
	headLength     = 105     // with all of them
	emptyLeaf      = 0x0d    // a tree of one page
	walFirstFrame  = 32      // the number of its page
	walFirstPage   = 32 + 24 // the page itself
	walFirstLength = walFirstPage + headLength
)

// inspect fails unless the file is empty or a database of this program. SQLite is not
// asked, as it would write files beside the database, and merge another program's
// write-ahead log. It reports whether the database is still empty.
func (d *databaseFile) inspect() (empty bool, err error) {
	head, err := readHead(d.file, headLength)
	if err != nil {
		return false, notWritable(d.path, err)
	}
	switch {
	case len(head) == 0:
		return true, nil
	case len(head) < headLength || !bytes.HasPrefix(head, []byte(sqliteMagic)):
		return false, &OpenError{Path: d.path, Reason: ErrNotDatabase, Next: "choose another file; a new one is made if it does not exist"}
	case applicationOf(head) == applicationID:
		return false, nil
	}
	foreign := &OpenError{Path: d.path, Reason: ErrForeign, Next: "choose another file"}
	if applicationOf(head) != 0 || head[atSchema] != emptyLeaf || binary.BigEndian.Uint16(head[atSchemaCells:]) != 0 {
		return false, foreign
	}
	// A database with nothing in it. Perhaps its creation was cut short, and everything
	// is in the write-ahead log, which begins with the first page and its id.
	log, err := os.Open(d.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, notWritable(d.path, err)
	}
	defer log.Close()
	first, err := readHead(log, walFirstLength)
	switch {
	case err != nil:
		return false, notWritable(d.path, err)
	case len(first) < walFirstLength:
		return true, nil
	case binary.BigEndian.Uint32(first[walFirstFrame:]) == 1 && applicationOf(first[walFirstPage:]) == applicationID:
		return false, nil
	}
	return false, foreign
}

// readHead reads up to n bytes of the start of a file.
func readHead(f *os.File, n int) ([]byte, error) {
	head := make([]byte, n)
	n, err := f.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

func applicationOf(page []byte) uint32 { return binary.BigEndian.Uint32(page[atApplication:]) }

// pin remembers the files of the database, now that SQLite has opened all of them. It
// keeps them until it closes the last one.
func (d *databaseFile) pin() error {
	for _, suffix := range besideSuffixes {
		info, err := os.Lstat(d.path + suffix)
		switch {
		case err == nil:
			d.pinned = append(d.pinned, pinnedFile{d.path + suffix, info})
		case !errors.Is(err, fs.ErrNotExist):
			return notWritable(d.path, err)
		}
	}
	return nil
}

// check fails if the database's files are not under their names any more. SQLite would
// go on writing to files that nobody finds again.
func (d *databaseFile) check() error {
	for _, p := range d.pinned {
		info, err := os.Lstat(p.name)
		if err == nil && os.SameFile(p.info, info) {
			continue
		}
		if err == nil {
			err = errors.New("there is another file in its place")
		}
		return &UnusableError{
			Reason: ErrFileGone, Cause: fmt.Errorf("%s: %w", p.name, err),
			Next: "put the file back, or stop the server and start it again",
		}
	}
	return nil
}

// unmoved runs open, which opens a file of the database by its name, and fails unless that
// was the file which is locked.
func (d *databaseFile) unmoved(open func() error) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := open(); err != nil {
		return err
	}
	return d.check()
}

// close releases the lock. SQLite must have closed the file.
func (d *databaseFile) close() error {
	held.mu.Lock()
	defer held.mu.Unlock()
	for i := range held.files {
		if held.files[i] == d {
			held.files = append(held.files[:i], held.files[i+1:]...)
			break
		}
	}
	return d.file.Close()
}

// lockAbandoned reports whether the file is there, and no process has it open.
func lockAbandoned(path string) bool {
	held.mu.Lock()
	defer held.mu.Unlock()
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	d, err := openUnlessHeld(path, info)
	if err != nil {
		return false
	}
	defer d.file.Close()
	taken, _, err := lock(d.file)
	return err == nil && taken
}

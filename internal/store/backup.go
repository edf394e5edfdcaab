package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

var backupSource = access{program: "partnercenter db backup", beside: true, oldest: tablesSince}

// BackupOptions configure [Backup].
type BackupOptions struct {
	Program  string             // and its version, for people
	Progress func(CopyProgress) // if not nil, is called from time to time; calls do not overlap

	wrap func(io.Writer) io.Writer // the file; for tests
}

// BackupResult is what a backup has.
type BackupResult struct {
	Database                    string    // of which it is, without a password
	Made                        time.Time // the moment
	Step                        int64     // of the schema
	Size                        int64     // bytes
	Partners, Customers, Orders int
	// Digest is that of a [Copy] of the same data.
	Digest [sha256.Size]byte
}

// The reasons of a [BackupError], besides ErrNothing, ErrDiskFull, ErrNotWritable and
// ErrNotFile.
var (
	ErrBackupThere   = errors.New("there is a file with this name")
	ErrNotBackup     = errors.New("it is no backup made by partnercenter")
	ErrNewerBackup   = errors.New("it was made by a newer version of partnercenter")
	ErrBackupCut     = errors.New("it ends too early")
	ErrBackupDamaged = errors.New("it is damaged")
)

// BackupError says why a backup cannot be written or read, and what to do about it.
type BackupError struct {
	File   string
	Reason error
	Cause  error  // may be nil
	Next   string // what to do next
}

func (e *BackupError) Error() string {
	text := fmt.Sprintf("backup %s: %v", e.File, e.Reason)
	if e.Cause != nil {
		text += fmt.Sprintf(" (%v)", e.Cause)
	}
	return text + "; " + e.Next
}

func (e *BackupError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

// backupThere is the error for a name that is taken.
func backupThere(file string) error {
	return &BackupError{File: file, Reason: ErrBackupThere, Next: "choose another name: backups replace no file"}
}

// notKept words why a backup could not be written. Nothing is left of it.
func notKept(file string, err error) error {
	e := &BackupError{File: file, Reason: ErrNotWritable, Cause: err, Next: "make the folder writable for this user, or choose another one; nothing was kept"}
	switch {
	case IsDiskFull(err):
		e.Reason, e.Next = ErrDiskFull, "make room there, or choose another folder; nothing was kept"
	case errors.Is(err, fs.ErrNotExist):
		e.Next = "make the folder " + filepath.Dir(file) + ", or choose another one"
	}
	return e
}

// Backup writes everything that is in a database at one moment into a new file. Servers may
// use the database meanwhile. The file has its name once it is complete and on the disk.
func Backup(ctx context.Context, database, file string, o BackupOptions) (_ *BackupResult, err error) {
	if _, err := os.Lstat(file); err == nil {
		return nil, backupThere(file)
	}
	e, err := openSource(ctx, database, backupSource)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	part, err := os.CreateTemp(filepath.Dir(file), ".partnercenter-*") // mode 0600
	if err != nil {
		return nil, notKept(file, err)
	}
	defer os.Remove(part.Name()) // gone, or another name of the file
	r, err := e.backup(ctx, part, o)
	written, is := errors.AsType[*writeError](err)
	if err == nil {
		if err = part.Sync(); err != nil {
			written, is = &writeError{err}, true
		}
	}
	if closed := part.Close(); err == nil && closed != nil {
		err, written, is = closed, &writeError{closed}, true
	}
	switch {
	case is:
		return nil, notKept(file, written.error)
	case err != nil:
		return nil, err
	}
	if err := nameFile(part.Name(), file); err != nil {
		return nil, err
	}
	return r, nil
}

// nameFile gives a complete file its name, and no other file loses it.
func nameFile(part, file string) error {
	err := os.Link(part, file)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without hard links
		var f *os.File
		if f, err = os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			if err = errors.Join(f.Close(), os.Rename(part, file)); err != nil {
				_ = os.Remove(file) // the empty one
			}
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return backupThere(file)
	case err != nil:
		return notKept(file, err)
	}
	if folder, err := os.Open(filepath.Dir(file)); err == nil {
		_ = folder.Sync() // not every system can
		_ = folder.Close()
	}
	return nil
}

// BackupTo does what [Backup] does, and writes to w, which nobody can take back.
func BackupTo(ctx context.Context, database string, w io.Writer, o BackupOptions) (_ *BackupResult, err error) {
	e, err := openSource(ctx, database, backupSource)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	return e.backup(ctx, w, o)
}

// writeError is an error in writing a backup, and none of the database.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

// backup writes what is in a database.
func (e *copyEnd) backup(ctx context.Context, to io.Writer, o BackupOptions) (*BackupResult, error) {
	if o.wrap != nil {
		to = o.wrap(to)
	}
	r := &BackupResult{Database: e.name, Made: time.Now().UTC().Truncate(time.Millisecond), Step: e.at}
	schema, err := e.schema(ctx)
	if err != nil {
		return nil, err
	}
	if r.Partners, err = e.count(ctx, "partners"); err != nil {
		return nil, err
	}
	if r.Customers, err = e.count(ctx, "customers"); err != nil {
		return nil, err
	}
	header := backupHeader{Made: r.Made, Program: o.Program, Database: "SQLite", Step: r.Step, Partners: r.Partners, Customers: r.Customers}
	if e.postgres {
		header.Database = "PostgreSQL"
	}
	var id [16]byte
	rand.Read(id[:]) // never fails
	header.ID = hex.EncodeToString(id[:])
	for _, t := range schema {
		header.Tables = append(header.Tables, backupTable{Name: t.name, OfCustomer: t.owner == ofCustomer, Key: t.key, Columns: t.columns})
	}
	w, err := newBackupWriter(to, &header)
	if err != nil {
		return nil, err
	}
	blocks := make(chan block, 2)
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(blocks)
		p := &packer{ctx: within, to: blocks, schema: schema}
		if err := e.packAll(within, p, r, o.Progress); err != nil {
			return err
		}
		return p.flush()
	})
	group.Go(func() error {
		for b := range blocks {
			if err := w.write(b.kind, b.plain); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, cmp.Or(ctx.Err(), err) // an arbitrary error follows from the first
	}
	if err := w.end(&backupEnd{Customers: r.Customers, Orders: r.Orders, Digest: hex.EncodeToString(r.Digest[:])}); err != nil {
		return nil, err
	}
	r.Size = w.size
	return r, nil
}

// packAll passes all rows on, and makes the digest of everything, as copies do.
func (e *copyEnd) packAll(ctx context.Context, p *packer, r *BackupResult, progress func(CopyProgress)) error {
	c := &copier{CopyOptions: CopyOptions{Progress: progress}, digest: sha256.New()}
	c.progress.Of = r.Customers
	var ofCustomers []*copiedTable
	var numbers []int
	var sums [][]byte
	for i, t := range p.schema {
		if t.owner == ofCustomer {
			ofCustomers, numbers = append(ofCustomers, t), append(numbers, i)
			continue
		}
		sum, err := e.packTable(ctx, p, i)
		if err != nil {
			return err
		}
		sums = append(sums, sum)
	}
	m, err := e.customers(ctx, ofCustomers, nil, nil)
	if err != nil {
		return err
	}
	defer m.close()
	var d digester
	for {
		at, row, key, err := m.next()
		if err != nil {
			return err
		}
		var complete *customerDigest
		if row == nil {
			complete = d.end()
		} else {
			complete = d.add(ofCustomers[at], row, key)
		}
		if complete != nil {
			c.progress.Orders = c.result.Orders
			c.count(complete)
		}
		if row == nil {
			break
		}
		if err := p.add(blockCustomers, numbers[at], row); err != nil {
			return err
		}
	}
	for _, sum := range sums {
		_, _ = c.digest.Write(sum)
	}
	r.Customers, r.Orders = c.result.Customers, c.result.Orders
	c.digest.Sum(r.Digest[:0])
	return nil
}

// packTable passes on the rows of a table that belong to no customer.
func (e *copyEnd) packTable(ctx context.Context, p *packer, number int) ([]byte, error) {
	t := p.schema[number]
	rows, err := e.rows(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	h, buf := sha256.New(), []byte(nil)
	for {
		row, err := rows.next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			return h.Sum(nil), nil
		}
		buf = hashRow(h, buf, t, row)
		if err := p.add(blockShared, number, row); err != nil {
			return nil, err
		}
	}
}

// Restore writes what a backup has into a new or empty database. Like a [Copy] it can be
// interrupted, and goes on when it is repeated; no server opens the database until it is
// complete. What is stored is read again, and compared with the backup.
func Restore(ctx context.Context, file, to string, options CopyOptions) (*BackupResult, CopyResult, error) {
	b, err := openBackup(ctx, file)
	if err != nil {
		return nil, CopyResult{}, err
	}
	defer b.close()
	last, err := lastStep(IsPostgres(to))
	if err != nil {
		return nil, CopyResult{}, err
	}
	if b.header.Step > last {
		return nil, CopyResult{}, b.refuse(ErrNewerBackup, fmt.Errorf("by %s, whose schema is at step %d; this program knows %d", b.header.Program, b.header.Step, last), "install that version or a later one")
	}
	made, err := b.result()
	if err != nil {
		return nil, CopyResult{}, err
	}
	c := newCopier(options, b)
	c.origin = copyState{From: b.name, Backup: b.header.ID}
	c.progress.Of = b.header.Customers
	as := access{program: "partnercenter db restore", writes: true, creates: true, oldest: b.header.Step}
	if c.to, err = openTarget(ctx, to, as, nil, c.Logger); err != nil {
		return nil, CopyResult{}, err
	}
	made.Database = c.to.name
	err = errors.Join(c.restore(ctx, b, made, last), c.to.close())
	if ctx.Err() != nil {
		err = ctx.Err() // an arbitrary error follows from it
	}
	return made, c.result, err
}

// restore loads the backup at its own step of the schema, and then brings that up to date.
func (c *copier) restore(ctx context.Context, b *backupFile, made *BackupResult, last int64) error {
	state, err := c.to.readState(ctx)
	switch {
	case err != nil:
		return err
	case state != nil && !state.isOf(&c.origin):
		return c.to.otherCopy(state)
	case state != nil && state.Loaded != nil:
		c.result = *state.Loaded
	case c.to.at != b.header.Step:
		return c.to.refuse(ErrOtherStep, fmt.Sprintf("that of the backup is at step %d: choose a database without tables, such as a new file or a new schema", b.header.Step))
	default:
		if err := c.fill(ctx, b.schema()); err != nil {
			return err
		}
		if !c.ReplaceInvalid && c.result.Digest != made.Digest {
			return b.refuse(ErrBackupDamaged, errors.New("its digest is another one"), nextBackup)
		}
		if b.header.Step < last {
			c.state.Loaded = &c.result
			if err := c.to.inTx(ctx, func() error { return c.to.writeState(ctx, &c.state) }); err != nil {
				return err
			}
		}
	}
	if err := c.to.toStep(ctx, last); err != nil {
		return err
	}
	return c.to.end(ctx)
}

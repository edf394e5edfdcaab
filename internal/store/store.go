// Package store keeps partners, customers and orders in a database and returns them as
// the JSON documents that the API sends.
//
// Documents are encoded once, when they are written. Reads return the stored bytes;
// columns exist only for what is filtered, sorted or joined. Every query is by partner,
// and a customer of another partner is treated exactly like one that does not exist.
//
// Statements work in every SQL dialect; what must differ is in one file per dialect and
// in its migrations.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrNotYours says that the partner has no relationship with the customer: it is
	// another partner's, a former one, or unknown.
	ErrNotYours = errors.New("the partner has no such customer; check the customer id and the relationship")
	// ErrOrderNotFound says that the customer has no such order.
	ErrOrderNotFound = errors.New("the customer has no such order; check the order id, short ones including their case")
	// ErrFilter says that customers cannot be searched by the field or operator of a
	// [CustomerFilter].
	ErrFilter = errors.New("customers cannot be searched like this; use one of the documented fields and operators")
	// ErrKeyExists says that there already is a signing key with this id.
	ErrKeyExists = errors.New("there is a signing key with this id already; use another id")
	// ErrAppNotFound says that the partner has no app with this client id.
	ErrAppNotFound = errors.New("the partner has no such app; list the apps for their client ids")
	// ErrUserNotFound says that the partner has no user with this name.
	ErrUserNotFound = errors.New("the partner has no such user; list the users for their names")
	// ErrPartnerNotFound says that no partner has this tenant id.
	ErrPartnerNotFound = errors.New("there is no such partner; list the partners for their tenant ids")
)

// Store is a database of partners, customers and orders. Its methods may be
// called concurrently.
type Store struct {
	name  string  // for people; without a password
	read  *sql.DB // read-only
	write *sql.DB // one connection
	now   func() time.Time
	// system is the clock that nobody sets. What is deleted for its age must be old by
	// it, too: the other one may be set back.
	system func() time.Time
	fresh  atomic.Bool

	// versions counts changes by customer; see OrdersVersion.
	versions [versionSlots]atomic.Uint64
	opened   time.Time
	shared   [sharedKinds]atomic.Uint64 // see SharedVersion
	// checked is when the versions were last compared with the database, in nanoseconds
	// since opened; unknown counts those that were asked for too long after.
	checked atomic.Int64
	unknown atomic.Uint64

	listOrders, getOrder, getCustomer, getAccount, getAnswer, getSubscriptions, getOrderOf statement // on read

	addOrder, changeOrder, putSubscription, putAnswer statement // on write

	taken int // steps of the schema that were taken to open it

	// closing guards jobs, which is nil once the store closes.
	closing   sync.RWMutex
	jobs      chan *job
	writing   sync.WaitGroup // those that take from jobs
	commits   atomic.Uint64
	madeCarts atomic.Uint64 // of this process; see forgetCartsEvery
	batches   batchCounts

	blocks     atomic.Uint64 // of requests taken; see TakeRequests
	oldAnswers bool          // there may be answers of which nobody knows whose they are

	health health
	seals  seals

	lists *sqliteLists  // nil for dialects without it
	file  *databaseFile // nil for dialects without it
	pg    *postgres     // nil for dialects without it

	temporary string // the folder of a database that is deleted with the Store

	// release releases what the dialect holds besides connections. It is called last.
	release func() error
}

// Options configure [Open]. Nil means the defaults.
type Options struct {
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// MmapSize is how many bytes of a SQLite file are memory-mapped. 0 means as many as
	// SQLite can, 2 GiB; negative means none, for file systems that do not support
	// mapped files.
	MmapSize int64
	// Readers is the number of concurrent reads. 0 means twice the number of
	// processors, at least 4; for PostgreSQL what the address says (pool_max_conns), or
	// four times, at least 16.
	Readers int
	// Direct is the address of a database in PostgreSQL without the pooler that is
	// before it. Empty means that there is none, or that it is not needed: without it
	// the schema is not brought up to date, and what other servers write is looked for
	// four times a second.
	Direct string
	// Replica is the address of a streaming replica, which lists are read from. Empty
	// means none.
	Replica string
	// Keys are what secrets are sealed with. Without one they are stored as they are.
	Keys DataKeys
	// Logger is told when the database cannot be read or written any more, and when it
	// can be again. Nil logs nothing.
	Logger *slog.Logger
}

// Open opens the database at path and brings its schema up to date. A file that does
// not exist is created; its folder must exist. The path ":memory:" means a private
// database that is deleted by [Store.Close].
//
// If a database cannot be used, the error is an [*OpenError].
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	o := Options{}
	if opts != nil {
		o = *opts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{
		name: path, now: o.Now, system: time.Now, opened: time.Now(),
		health: health{log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler))},
	}
	s.seals.set(o.Keys)
	var err error
	switch {
	case IsPostgres(path):
		err = s.openPostgres(ctx, path, o)
	case path == ":memory:":
		err = s.openTemporary(ctx, o)
	default:
		err = s.openSQLite(ctx, path, o, durable)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare prepares the statements, once the schema is up to date.
func (s *Store) prepare(ctx context.Context) error {
	var loaded bool
	if err := s.read.QueryRowContext(ctx, isLoadedSQL, settingLoaded).Scan(&loaded); err != nil {
		return err
	}
	s.fresh.Store(!loaded)
	if err := s.checkCopied(ctx, s.read); err != nil {
		return err
	}
	if err := s.sealAll(ctx); err != nil {
		return err
	}
	s.oldAnswers = s.pg == nil // finding out would take longer than looking for one each time
	if s.pg != nil {
		if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM requests WHERE partner_id = '' AND customer_id = '')`).Scan(&s.oldAnswers); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		db    *sql.DB
		stmt  *statement
		query string
	}{
		{s.read, &s.listOrders, listOrdersSQL},
		{s.read, &s.getOrder, getOrderSQL},
		{s.read, &s.getCustomer, getCustomerSQL},
		{s.read, &s.getAccount, getAccountSQL},
		{s.read, &s.getAnswer, getAnswerSQL},
		{s.read, &s.getSubscriptions, subscriptionsSQL},
		{s.read, &s.getOrderOf, orderOfSQL},
		{s.write, &s.addOrder, addOrderSQL},
		{s.write, &s.changeOrder, changeOrderSQL},
		{s.write, &s.putSubscription, putSubscriptionSQL},
		{s.write, &s.putAnswer, putAnswerSQL},
	} {
		*p.stmt = statement{db: p.db, query: p.query}
		if s.pg != nil {
			continue // its connections prepare what they are asked, where that can be done
		}
		var err error
		if p.stmt.prepared, err = p.db.PrepareContext(ctx, p.query); err != nil { //nolint:sqlclosecheck // closed with the pool
			return err
		}
	}
	jobs := make(chan *job, maxBatch)
	s.jobs = jobs
	// One commit at a time, of what came during the last one. Two would be smaller, and take
	// more of the processors than waiting for the disk leaves idle.
	s.writing.Go(func() { s.writeJobs(jobs) })
	return nil
}

// Name returns the name of the database, which has no secret.
func (s *Store) Name() string {
	if s.pg != nil {
		return s.pg.name
	}
	return s.name
}

// Close waits for reads and writes to finish, and closes the database.
func (s *Store) Close() error {
	var errs []error
	s.closing.Lock()
	if s.jobs != nil {
		close(s.jobs)
		s.jobs = nil
		s.closing.Unlock()
		s.writing.Wait()
	} else {
		s.closing.Unlock()
	}
	if s.lists != nil {
		errs = append(errs, s.lists.close())
	}
	if s.pg != nil {
		errs = append(errs, s.pg.stop())
	}
	// The writer is closed last: SQLite merges the write-ahead log into the database
	// when the last connection closes, which readers cannot do.
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.release != nil {
		errs = append(errs, s.release())
		s.release = nil
	}
	return errors.Join(errs...)
}

// Fresh reports whether nothing was ever loaded: the database was just created, or its
// creation was interrupted before a load. It becomes false with the first [Store.Load],
// even of nothing.
func (s *Store) Fresh() bool { return s.fresh.Load() }

// statement is a statement that is run often.
type statement struct {
	db       *sql.DB
	query    string
	prepared *sql.Stmt // nil where the driver does it
}

func (s statement) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	if s.prepared == nil {
		return s.db.QueryContext(ctx, s.query, args...)
	}
	return s.prepared.QueryContext(ctx, args...)
}

func (s statement) QueryRowContext(ctx context.Context, args ...any) *sql.Row {
	if s.prepared == nil {
		return s.db.QueryRowContext(ctx, s.query, args...)
	}
	return s.prepared.QueryRowContext(ctx, args...)
}

// tx is a write transaction. Everything it writes has the same instant.
type tx struct {
	*sql.Tx
	conn *sql.Conn
	ctx  context.Context
	now  time.Time
	// changed is what servers keep that it changes.
	changed changes
	pg      bool // the driver prepares what is run often, where that can be done
	seals   *seals
	asked   bool // what the database is sealed with
}

// alone and among say which other transactions may run beside one, where a database has
// several writers. The one of a single statement needs nothing that stays the same
// between two.
type company bool

const (
	alone company = false
	among company = true
)

// inTx runs fn in a write transaction and commits it unless fn fails. If nothing can be
// written, it fails with an [*UnusableError].
func (s *Store) inTx(ctx context.Context, others company, fn func(*tx) error) error {
	err := unusable(s.runTx(ctx, others, fn))
	s.noteWrite(err)
	if s.pg != nil {
		s.pg.noteRole(err)
	}
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrDisk) {
		s.health.noteRead(err) // a write that succeeds next does not prove it wrong
	}
	return err
}

func (s *Store) runTx(ctx context.Context, others company, fn func(*tx) error) error {
	conn, t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer func() { _ = t.Rollback() }() // no effect after a commit
	tx := &tx{Tx: t, conn: conn, ctx: ctx, now: s.now(), pg: s.pg != nil, seals: &s.seals}
	if tx.pg {
		if err := tx.lock(others); err != nil {
			return err
		}
	}
	if err := fn(tx); err != nil {
		// When ctx ends, the transaction is rolled back, and fn failed with an
		// arbitrary error.
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	if s.file != nil {
		if err := s.file.check(); err != nil {
			return err
		}
	}
	if s.pg != nil {
		if err := s.pg.announce(tx); err != nil {
			return err
		}
	}
	err = t.Commit()
	if err != nil && s.pg != nil {
		s.pg.watcher.disown()
	}
	// After the commit, and before the caller hears of it. A list that was read in
	// between is kept under the old number and soon discarded. An error of the database
	// may come after the commit, too.
	s.noteOwn(&tx.changed)
	if err == nil && s.pg != nil {
		s.pg.notify(ctx, tx)
	}
	return err
}

// begin begins a transaction, in another connection if one turns out to be broken.
func (s *Store) begin(ctx context.Context) (*sql.Conn, *sql.Tx, error) {
	var options *sql.TxOptions
	if s.pg != nil {
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	for tries := 1; ; tries++ {
		conn, err := s.write.Conn(ctx)
		if err != nil {
			return nil, nil, err
		}
		t, err := conn.BeginTx(ctx, options)
		if err == nil {
			return conn, t, nil
		}
		_ = conn.Close()
		if !errors.Is(err, driver.ErrBadConn) || tries == 3 {
			return nil, nil, err
		}
	}
}

// transact does what inTx does, and adds what to errors.
func (s *Store) transact(ctx context.Context, what string, fn func(*tx) error) error {
	return s.wrapError(what, s.inTx(ctx, alone, fn))
}

// execute runs a transaction of one statement. It fails with unchanged, if not nil,
// when the statement changes nothing.
func (s *Store) execute(ctx context.Context, what string, unchanged error, query string, args ...any) error {
	return s.executeShared(ctx, nothing, what, unchanged, query, args...)
}

// executeShared does what execute does, for what servers keep.
func (s *Store) executeShared(ctx context.Context, kind Shared, what string, unchanged error, query string, args ...any) error {
	return s.wrapError(what, s.inTx(ctx, among, func(tx *tx) error {
		tx.changed.shared |= kind
		changed, err := tx.exec(query, args...)
		if err == nil && !changed {
			return unchanged
		}
		return err
	}))
}

// wrapError adds what failed to an error, if there is one. It notes failures of the
// database, and returns them as an [*UnusableError].
func (s *Store) wrapError(what string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.As(err, new(*UnusableError)) { // writes have noted theirs
		err = unusable(err)
		if !s.isBusy(err) {
			s.health.noteRead(err)
		}
	}
	return fmt.Errorf("store: %s: %w", what, err)
}

// exec runs a statement and reports whether it changed anything.
func (t *tx) exec(query string, args ...any) (changed bool, err error) {
	return changedBy(t.ExecContext(t.ctx, query, validArgs(args)...))
}

// execPrepared does what exec does, for a prepared statement.
func (t *tx) execPrepared(s statement, args ...any) (changed bool, err error) {
	if s.prepared == nil {
		return t.exec(s.query, args...)
	}
	return changedBy(t.StmtContext(t.ctx, s.prepared).ExecContext(t.ctx, validArgs(args)...)) //nolint:sqlclosecheck // closed with the transaction
}

// changedBy reports whether a statement changed anything.
func changedBy(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// queryAll returns the rows of a query, each converted by scan.
func queryAll[T any](ctx context.Context, s *Store, what string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	list, err := rowsOf(ctx, s.read, scan, query, args...)
	return list, s.wrapError(what, err)
}

// rowsOf does what queryAll does, in a transaction or outside.
func rowsOf[T any](ctx context.Context, in interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := in.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return scanAll(rows, scan)
}

// scanAll returns rows, each converted by scan, and closes them.
func scanAll[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// customerError words the error of a query that returns no row if the partner has no
// such customer.
func (s *Store) customerError(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotYours
	}
	return s.wrapError(what, err)
}

// upsert returns a statement that inserts a row or, if a different one with the key
// exists, replaces the rest of it. Its parameters are the key and the rest.
func upsert(table string, key, rest []string) string {
	places, sets := make([]string, len(key)+len(rest)), make([]string, len(rest))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	for i, column := range rest {
		sets[i] = column + " = excluded." + column
	}
	return fmt.Sprintf("INSERT INTO %[1]s (%[2]s, %[3]s) VALUES (%[4]s) ON CONFLICT (%[2]s) DO UPDATE SET %[5]s\nWHERE (%[1]s.%[6]s) <> (excluded.%[7]s)",
		table, strings.Join(key, ", "), strings.Join(rest, ", "), strings.Join(places, ", "), strings.Join(sets, ", "),
		strings.Join(rest, ", "+table+"."), strings.Join(rest, ", excluded."))
}

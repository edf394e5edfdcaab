package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// copyEnd is a database that is read as a whole, or written. Unless it is opened beside
// servers, nobody else writes it meanwhile.
type copyEnd struct {
	name     string
	postgres bool
	access
	db       *sql.DB
	conn     *sql.Conn // holds the locks; writes
	file     *databaseFile
	snapshot string // of PostgreSQL: what is read is of one moment

	at      int64                                       // the step of the schema
	toStep  func(ctx context.Context, step int64) error // brings it up to another one
	inserts map[string]*sql.Stmt                        // of SQLite

	source *copyEnd // what is copied into it, if that is a database
	seals  *seals   // nil: secrets are read and written as they are stored
}

// access is what a database is opened for.
type access struct {
	program string // what it calls itself to PostgreSQL
	beside  bool   // servers may use the database meanwhile
	writes  bool
	creates bool // it may be there or not, and if it is, without a schema
	// oldest is the first step of the schema that will do, and the one that a new database
	// gets. 0 is the last one.
	oldest int64
}

var (
	copySource = access{program: "partnercenter db copy"}
	copyTarget = access{program: "partnercenter db copy", writes: true, creates: true}
)

// openSource opens a database to read it as it is at one moment.
func openSource(ctx context.Context, name string, as access) (_ *copyEnd, err error) {
	e := &copyEnd{name: name, postgres: IsPostgres(name), access: as}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.postgres {
		err = e.openPostgres(ctx, nil)
	} else {
		err = e.openSQLite(ctx)
	}
	if err != nil {
		return nil, err
	}
	if state, err := e.readState(ctx); err != nil || state != nil {
		return nil, cmp.Or(err, e.refuse(ErrCopying, "go on with that copy first"))
	}
	return e, e.begin(ctx)
}

// begin has what is read from now on be of one moment.
func (e *copyEnd) begin(ctx context.Context) error {
	if e.postgres {
		if err := e.exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
			return err
		}
		return e.wrap(e.conn.QueryRowContext(ctx, `SELECT pg_export_snapshot()`).Scan(&e.snapshot))
	}
	if err := e.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	_, err := e.count(ctx, "partners") // the first read chooses the moment
	return err
}

// openTarget opens or creates the database to copy into, and makes its schema. The source
// is nil unless it is a database.
func openTarget(ctx context.Context, name string, as access, source *copyEnd, log *slog.Logger) (_ *copyEnd, err error) {
	e := &copyEnd{name: name, postgres: IsPostgres(name), access: as, inserts: map[string]*sql.Stmt{}, source: source}
	if e.postgres {
		err = e.openPostgres(ctx, log)
	} else {
		err = e.openSQLite(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *copyEnd) refuse(reason error, next string) error {
	return &OpenError{Path: e.name, Reason: reason, Next: next}
}

func (e *copyEnd) openSQLite(ctx context.Context) error {
	if e.name == ":memory:" {
		return e.refuse(ErrTemporary, "name a file")
	}
	path, err := sqlitePath(e.name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); !e.creates && errors.Is(err, fs.ErrNotExist) {
		return e.refuse(ErrNothing, "check the name of the database")
	}
	e.name = path
	if e.beside {
		return e.openBeside(ctx)
	}
	var isNew bool
	if e.file, isNew, err = openDatabaseFile(path); err != nil {
		return err
	}
	settings := url.Values{
		"_journal_mode": {"WAL"},
		// What a copy wrote may be lost in a crash of the system, but not half of it.
		"_synchronous": {"NORMAL"},
		"_txlock":      {"immediate"},
		"_pragma":      commonPragmas(math.MaxInt64, "page_size("+strconv.Itoa(pageSize)+")", "journal_size_limit("+strconv.Itoa(walLimit)+")"),
	}
	switch {
	case !e.creates && e.writes:
		settings.Set("_synchronous", durable)
	case !e.writes:
		settings = url.Values{"_query_only": {"1"}, "_pragma": commonPragmas(math.MaxInt64)}
	}
	if e.db, err = openPool(e.file, 2, settings); err != nil {
		return err
	}
	if err := e.connectSQLite(ctx, isNew); err != nil {
		return (&Store{file: e.file, write: e.db}).sqliteOpenError(ctx, path, err)
	}
	return nil
}

// openBeside opens a file without the lock that keeps servers away, to read it.
func (e *copyEnd) openBeside(ctx context.Context) error {
	file, _, err := openDatabaseFile(e.name)
	if err == nil { // it is this program's, and a server may start meanwhile
		err = file.close()
	}
	if err != nil && !errors.Is(err, ErrLocked) {
		return err
	}
	// The last connection of a file merges the log, so that it must be able to write.
	if e.db, err = openBeside(e.name, url.Values{"mode": {"rw"}, "_pragma": commonPragmas(math.MaxInt64)}); err != nil {
		return err
	}
	if err := e.connectSQLite(ctx, false); err != nil {
		return (&Store{file: &databaseFile{path: e.name}, write: e.db}).sqliteOpenError(ctx, e.name, err)
	}
	return nil
}

func (e *copyEnd) connectSQLite(ctx context.Context, isNew bool) (err error) {
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return err
	}
	if e.creates && isNew {
		if _, err := e.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	e.toStep = func(ctx context.Context, step int64) error {
		_, err := migrateSQLite(ctx, e.db, step)
		return err
	}
	if err := e.migrate(ctx); err != nil {
		return err
	}
	for _, pragma := range []string{
		"temp_store = file",                     // for the order of answers, which may be big
		"foreign_keys = off",                    // they were checked in the database that is copied
		"cache_size = -" + strconv.Itoa(64<<10), // KiB
	} {
		if err := e.exec(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	return nil
}

func (e *copyEnd) openPostgres(ctx context.Context, log *slog.Logger) error {
	config, name, err := parsePostgres(e.name)
	if err != nil {
		return err
	}
	e.name = name
	server, err := examine(ctx, config)
	if err == nil && !e.beside {
		err = server.mustBePrimary()
	}
	if err != nil {
		return postgresOpenError(name, err)
	}
	if server.pooled {
		return e.refuse(ErrPooled, "give the address of the server itself")
	}
	if server.schema != "public" && !strings.Contains(e.name, "search_path") { // it is the user's
		separator := "?"
		if strings.Contains(e.name, separator) {
			separator = "&"
		}
		e.name += separator + "search_path=" + url.QueryEscape(server.schema)
	}
	c := config.ConnConfig.Copy()
	configure(c, false)
	c.RuntimeParams["application_name"] = e.program
	for _, timeout := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		c.RuntimeParams[timeout] = "0"
	}
	c.RuntimeParams["work_mem"] = "64MB"
	if e.creates {
		// What a copy wrote may be lost in a crash of the system, but not half of it.
		c.RuntimeParams["synchronous_commit"] = "off"
	}
	e.db = stdlib.OpenDB(*c)
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return postgresOpenError(name, err)
	}
	if !e.beside {
		if err := e.lock(ctx); err != nil {
			return postgresOpenError(name, err)
		}
	}
	e.toStep = func(ctx context.Context, step int64) error {
		err := (&Store{pg: &postgres{log: log}}).migratePostgres(ctx, config.ConnConfig, server.schema, true, step)
		if err != nil {
			err = postgresOpenError(name, err)
		}
		return err
	}
	return e.migrate(ctx)
}

// migrate makes the schema of a target that has none. What has a schema of another step
// than those that are good is refused.
func (e *copyEnd) migrate(ctx context.Context) error {
	have, want, err := e.step(ctx)
	if err != nil {
		return err
	}
	oldest := cmp.Or(e.oldest, want)
	e.at = cmp.Or(have, oldest)
	switch {
	case have > want:
		return e.refuse(ErrNewer, "install that version or a later one, or choose another database")
	case have == 0 && !e.creates:
		return e.refuse(ErrNothing, "check the name of the database")
	case have == 0:
		return e.toStep(ctx, oldest)
	case have < oldest && !e.creates:
		return e.refuse(ErrOlder, "bring it up to date first, with: partnercenter db migrate --db "+e.name)
	case have < oldest:
		return e.refuse(ErrOlder, "choose an empty database to copy into")
	}
	return nil
}

// lock keeps other copies, and servers that write, away from the database, for as long as
// the connection lasts. Servers that came through a pooler wait in vain.
func (e *copyEnd) lock(ctx context.Context) error {
	for started := time.Now(); ; {
		err := e.tryLock(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrCopyRuns) && !errors.Is(err, ErrServersRun) || time.Since(started) > endsWithin {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return e.exec(ctx, `SELECT pg_advisory_lock($1, hashtext(current_schema()))`, lockWrites)
}

// endsWithin is after what time PostgreSQL has noticed that a program has ended.
const endsWithin = time.Second

func (e *copyEnd) tryLock(ctx context.Context) error {
	var locked bool
	if err := e.conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`, lockCopy).Scan(&locked); err != nil {
		return err
	}
	if !locked {
		return e.lockedBy(ctx)
	}
	var servers int
	var where sql.NullString
	if err := e.conn.QueryRowContext(ctx, connectedSQL).Scan(&servers, &where); err != nil {
		return err
	}
	if servers > 0 {
		return reason(ErrServersRun, fmt.Errorf("with %d connections, from %s", servers, where.String), "stop them first")
	}
	return nil
}

// lockedBy says which copy has locked the database.
func (e *copyEnd) lockedBy(ctx context.Context) error {
	if e.source != nil && e.source.postgres {
		var pid int
		var itself bool
		err := e.source.conn.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid)
		if err == nil {
			err = e.conn.QueryRowContext(ctx, `
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND pid = $2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`, lockCopy, pid).Scan(&itself)
		}
		if err != nil || itself {
			return cmp.Or(err, reason(ErrSame, nil, "name another database to copy into"))
		}
	}
	return reason(ErrCopyRuns, nil, "wait for its end")
}

// connectedSQL counts the connections of servers, and lists where they are.
const connectedSQL = `
SELECT count(*), string_agg(DISTINCT coalesce(host(client_addr), 'this machine'), ', ') FROM pg_stat_activity
WHERE ` + isServerSQL

func (e *copyEnd) exec(ctx context.Context, query string, args ...any) error {
	_, err := e.conn.ExecContext(ctx, query, args...)
	return e.wrap(err)
}

// wrap adds the database to its error.
func (e *copyEnd) wrap(err error) error {
	if err == nil || errors.As(err, new(*OpenError)) {
		return err
	}
	return fmt.Errorf("database %s: %w", e.name, unusable(err))
}

// inTx runs fn in a transaction.
func (e *copyEnd) inTx(ctx context.Context, fn func() error) error {
	if err := e.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	if err := fn(); err != nil {
		_ = e.exec(context.WithoutCancel(ctx), `ROLLBACK`)
		return err
	}
	return e.exec(ctx, `COMMIT`)
}

func (e *copyEnd) close() error {
	var errs []error
	for _, stmt := range e.inserts {
		errs = append(errs, stmt.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.db != nil {
		errs = append(errs, e.db.Close())
	}
	if e.file != nil {
		errs = append(errs, e.file.close())
	}
	return errors.Join(errs...)
}

// step returns the last step of the schema, and the last one that is known. It is 0 for a
// database without a schema.
func (e *copyEnd) step(ctx context.Context) (have, want int64, err error) {
	want, err = lastStep(e.postgres)
	if err != nil {
		return 0, 0, err
	}
	exists, steps := `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`, `SELECT max(version_id) FROM goose_db_version`
	if e.postgres {
		exists = `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = '` + migrationsTable + `'`
		steps = `SELECT max(version_id) FROM ` + migrationsTable
	}
	var n int
	if err := e.conn.QueryRowContext(ctx, exists).Scan(&n); err != nil || n == 0 {
		return 0, want, e.wrap(err)
	}
	return have, want, e.wrap(e.conn.QueryRowContext(ctx, steps).Scan(&have))
}

// column is a column of a table.
type column struct {
	name     string
	kind     string // as the database calls its type
	nullable bool
	identity bool // PostgreSQL numbers it
}

// columns returns the columns of a table by their names.
func (e *copyEnd) columns(ctx context.Context, t table) ([]column, error) {
	query := `SELECT name, lower(type), "notnull" = 0, 0 FROM pragma_table_info($1)`
	if e.postgres {
		query = `SELECT attname, format_type(atttypid, NULL), NOT attnotnull, attidentity <> '' FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`
	}
	rows, err := e.conn.QueryContext(ctx, query, t.name)
	if err != nil {
		return nil, e.wrap(err)
	}
	defer rows.Close()
	var list []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.nullable, &c.identity); err != nil {
			return nil, e.wrap(err)
		}
		if c.name != t.rowID {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return list, e.wrap(rows.Err())
}

// schema returns the tables of what is copied.
func (e *copyEnd) schema(ctx context.Context) (list []*copiedTable, err error) {
	for _, t := range tables {
		if t.owner == ofServers {
			continue
		}
		copied, err := e.copied(ctx, t)
		if err != nil {
			return nil, err
		}
		list = append(list, copied)
	}
	return list, nil
}

// copied returns a table as the database has it.
func (e *copyEnd) copied(ctx context.Context, t table) (*copiedTable, error) {
	columns, err := e.columns(ctx, t)
	if err != nil {
		return nil, err
	}
	copied := &copiedTable{table: t}
	for _, column := range columns {
		copied.columns = append(copied.columns, column.name)
		copied.kinds = append(copied.kinds, column.kind)
		copied.nullable = append(copied.nullable, column.nullable)
		if column.identity {
			copied.identity = column.name
		}
	}
	for _, name := range t.key {
		copied.at = append(copied.at, slices.Index(copied.columns, name))
	}
	return copied, nil
}

// count returns the number of rows of a table.
func (e *copyEnd) count(ctx context.Context, table string) (n int, err error) {
	err = e.conn.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n)
	return n, e.wrap(err)
}

// insert adds rows to a table.
func (e *copyEnd) insert(ctx context.Context, t *copiedTable, rows [][]any) error {
	if !e.postgres {
		return e.wrap(e.insertSQLite(ctx, t, rows))
	}
	return e.wrap(e.conn.Raw(func(conn any) error {
		_, err := conn.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(rows))
		return err
	}))
}

// rowsAtOnce is how many rows a statement inserts into SQLite.
const rowsAtOnce = 32

func (e *copyEnd) insertSQLite(ctx context.Context, t *copiedTable, rows [][]any) error {
	for len(rows) > 0 {
		n := 1
		if len(rows) >= rowsAtOnce {
			n = rowsAtOnce
		}
		args := make([]any, 0, n*len(t.columns))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		query := fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", t.name, strings.Join(t.columns, ", "), //nolint:gosec // of names in the schema
			strings.TrimSuffix(strings.Repeat("(?"+strings.Repeat(", ?", len(t.columns)-1)+"), ", n), ", "))
		stmt := e.inserts[query]
		if stmt == nil {
			var err error
			if stmt, err = e.conn.PrepareContext(ctx, query); err != nil {
				return err
			}
			e.inserts[query] = stmt
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

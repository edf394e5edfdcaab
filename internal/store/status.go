package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// Status is what is known of a database.
type Status struct {
	Database string  `json:"database"` // without a password
	Kind     string  `json:"kind"`     // SQLite or PostgreSQL
	Version  string  `json:"version"`  // of that
	Replica  bool    `json:"replica"`
	Step     int64   `json:"step"`    // of the schema; 0 if there is none
	Known    int64   `json:"known"`   // the last step that this program knows
	Pending  []int64 `json:"pending"` // steps that are to be taken
	Size     int64   `json:"size"`    // bytes
	// Tables are those of the schema, if it is there.
	Tables []TableStatus `json:"tables"`
	// Servers have the database open, unless they come through a pooler.
	Servers []ServerStatus `json:"servers"`
	// Sealed is the id of the data key that secrets are sealed with, if they are.
	Sealed string `json:"sealed,omitempty"`
	// Copy is nil unless a copy into the database has not ended.
	Copy *CopyStatus `json:"copy"`
}

// TableStatus is how big a table is.
type TableStatus struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	// Exact says that the rows were counted. Otherwise the number is PostgreSQL's
	// estimate; in SQLite there are more.
	Exact bool  `json:"exact"`
	Size  int64 `json:"size,omitempty"` // in PostgreSQL, with indexes
}

// ServerStatus are servers that have a database open: the process for a file, the
// machines that are connected to PostgreSQL.
type ServerStatus struct {
	PID         int        `json:"pid,omitempty"`
	Address     string     `json:"address,omitempty"` // empty for a local socket
	Connections int        `json:"connections,omitempty"`
	Since       *time.Time `json:"since,omitempty"`
}

// CopyStatus is a copy that has not ended.
type CopyStatus struct {
	From      string    `json:"from"`
	Started   time.Time `json:"started"`
	Customers int       `json:"customers"` // that are copied
}

// countUpTo is how many rows are counted.
const countUpTo = 1_000_000

// Inspect looks at a database, which may be in use, and changes nothing.
func Inspect(ctx context.Context, name string) (_ *Status, err error) {
	e := &copyEnd{name: name, postgres: IsPostgres(name)}
	defer func() { err = errors.Join(err, e.close()) }()
	st := &Status{Kind: "SQLite", Pending: []int64{}, Tables: []TableStatus{}, Servers: []ServerStatus{}}
	if e.postgres {
		st.Kind = "PostgreSQL"
		err = e.inspectPostgres(ctx, st)
	} else {
		err = e.inspectSQLite(ctx, st)
	}
	if err != nil {
		return nil, err
	}
	st.Database = e.name
	if st.Step, st.Known, err = e.step(ctx); err != nil {
		return nil, err
	}
	steps, err := stepsOf(e.postgres)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if s.Version > st.Step {
			st.Pending = append(st.Pending, s.Version)
		}
	}
	if st.Step == 0 {
		return st, nil
	}
	state, err := e.readState(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := readSeal(ctx, e.conn)
	if err != nil {
		return nil, e.wrap(err)
	}
	st.Sealed = sealedBy(stored)
	if state != nil {
		st.Copy = &CopyStatus{From: state.From, Started: state.Started, Customers: state.Customers}
	}
	for _, t := range tables {
		if t.owner == ofServers {
			continue
		}
		status, err := e.inspectTable(ctx, t.name)
		if err != nil {
			return nil, err
		}
		if status != nil {
			st.Tables = append(st.Tables, *status)
		}
	}
	return st, nil
}

func (e *copyEnd) inspectSQLite(ctx context.Context, st *Status) error {
	if e.name == ":memory:" {
		return e.refuse(ErrTemporary, "name a file")
	}
	path, err := sqlitePath(e.name)
	if err != nil {
		return err
	}
	e.name = path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return e.refuse(ErrNothing, "check the name of the database")
	}
	e.file, _, err = openDatabaseFile(path)
	switch used, is := errors.AsType[*OpenError](err); {
	case err == nil:
		e.db, err = openReaders(e.file, 0, 1)
	case is && errors.Is(err, ErrLocked):
		// Its caches are only about what it writes itself: reading beside it does no harm.
		st.Servers = append(st.Servers, ServerStatus{PID: used.PID})
		e.db, err = openBeside(path, url.Values{"mode": {"ro"}})
	}
	if err != nil {
		return err
	}
	for _, suffix := range append([]string{""}, besideSuffixes...) {
		if info, err := os.Stat(path + suffix); err == nil {
			st.Size += info.Size()
		}
	}
	if e.conn, err = e.db.Conn(ctx); err == nil {
		err = e.conn.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&st.Version)
	}
	if err != nil {
		return (&Store{file: e.file, write: e.db}).sqliteOpenError(ctx, path, err)
	}
	return nil
}

// openBeside opens a file that another process may have open, to read it.
func openBeside(path string, settings url.Values) (*sql.DB, error) {
	settings.Set("_query_only", "1")
	settings.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	c, err := sqlite.NewConnector(sqliteURI(path, settings))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

func (e *copyEnd) inspectPostgres(ctx context.Context, st *Status) error {
	config, name, err := parsePostgres(e.name)
	if err != nil {
		return err
	}
	e.name = name
	server, err := examine(ctx, config)
	if err != nil {
		return postgresOpenError(name, err)
	}
	c := config.ConnConfig.Copy()
	configure(c, server.pooled)
	if !server.pooled {
		c.RuntimeParams["application_name"] = "partnercenter db status"
	}
	e.db = stdlib.OpenDB(*c)
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return postgresOpenError(name, err)
	}
	st.Replica = server.replica
	if err := e.conn.QueryRowContext(ctx, `SELECT current_setting('server_version'), pg_database_size(current_database())`).Scan(&st.Version, &st.Size); err != nil {
		return e.wrap(err)
	}
	rows, err := e.conn.QueryContext(ctx, `
SELECT coalesce(host(client_addr), ''), count(*), min(backend_start) FROM pg_stat_activity
WHERE `+isServerSQL+` GROUP BY 1 ORDER BY 1`)
	if err != nil {
		return e.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s ServerStatus
		if err := rows.Scan(&s.Address, &s.Connections, &s.Since); err != nil {
			return e.wrap(err)
		}
		st.Servers = append(st.Servers, s)
	}
	return e.wrap(rows.Err())
}

// inspectTable returns nil for a table that an older schema does not have.
func (e *copyEnd) inspectTable(ctx context.Context, name string) (*TableStatus, error) {
	st := &TableStatus{Name: name}
	if e.postgres {
		var known bool
		err := e.conn.QueryRowContext(ctx, `
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint, coalesce(sum(reltuples), 0)::bigint, coalesce(bool_and(reltuples >= 0), false)
FROM pg_class
WHERE relkind = 'r' AND (relname = $1::text AND relnamespace = current_schema()::regnamespace
    OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(quote_ident(current_schema()) || '.' || $1::text)))`, name).Scan(&st.Size, &st.Rows, &known)
		if err != nil {
			return nil, e.wrap(err)
		}
		if known && st.Rows > countUpTo {
			return st, nil
		}
	}
	exists := `SELECT count(*) > 0 FROM sqlite_schema WHERE name = $1`
	if e.postgres {
		exists = hasTableSQL
	}
	var is bool
	if err := e.conn.QueryRowContext(ctx, exists, name).Scan(&is); err != nil || !is {
		return nil, e.wrap(err)
	}
	if err := e.conn.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+name+` LIMIT $1) t`, countUpTo+1).Scan(&st.Rows); err != nil {
		return nil, e.wrap(err)
	}
	st.Exact = st.Rows <= countUpTo
	st.Rows = min(st.Rows, countUpTo)
	return st, nil
}

// Migrate brings the schema of a database up to date, and returns its step before and
// after. They are the same if another program did it meanwhile.
func Migrate(ctx context.Context, name string, options Options) (from, to int64, err error) {
	before, err := Inspect(ctx, name)
	switch {
	case err == nil:
		from = before.Step
	case !errors.Is(err, ErrNothing):
		return 0, 0, err
	}
	s, err := Open(ctx, name, &options)
	othersDid := false
	if s != nil {
		othersDid = s.taken == 0
		err = s.Close()
	}
	to, stepErr := lastStep(IsPostgres(name))
	if errors.Is(err, ErrCopying) && from == to { // a copy is not ended by it, and a restore comes first
		err = nil
	}
	if err = cmp.Or(err, stepErr); err != nil {
		return 0, 0, err
	}
	if othersDid {
		from = to
	}
	return from, to, nil
}

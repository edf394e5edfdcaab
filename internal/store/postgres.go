package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// IsPostgres reports whether a database's name is the address of one in PostgreSQL.
func IsPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// oldestPostgres is the oldest version of PostgreSQL that is tested. A variable for
// tests.
var oldestPostgres = 15

// postgresSettings are set for every connection to the server itself. A pooler between
// would refuse them, or set them for others, too. What the address says comes first.
var postgresSettings = map[string]string{
	"application_name":                    serverProgram,
	"statement_timeout":                   "60s",
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "60s",
	// Statements name the customer, so that each execution touches one partition of
	// the plan for all. Planning takes longer than executing.
	"plan_cache_mode": "force_generic_plan",
	"jit":             "off",
}

// callTimeout bounds a call to a database that does not answer.
const callTimeout = 30 * time.Second

// postgres is what the Store has besides connections of package sql.
type postgres struct {
	name    string // without the password
	primary *sharedPool
	log     *slog.Logger

	watcher *watcher
	replica *replica // nil if there is none
}

// openPostgres opens the database at an address.
func (s *Store) openPostgres(ctx context.Context, address string, o Options) error {
	config, name, err := parsePostgres(address)
	if err != nil {
		return err
	}
	s.pg = &postgres{name: name, log: s.health.log, watcher: newWatcher(s)}
	if err := s.connectPostgres(ctx, config, o); err != nil {
		return postgresOpenError(name, err)
	}
	return nil
}

// parsePostgres reads the address of a database, and what libpq's environment and files
// add to it. The name it returns has no secret.
func parsePostgres(address string) (*pgxpool.Config, string, error) {
	const unknown = "postgres://…"
	// A password with characters that mean something else in addresses would be taken for
	// other parts, which are shown and looked up.
	if u, err := url.Parse(address); err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") || strings.Contains(address, "#") {
		return nil, "", &OpenError{
			Path: unknown, Reason: ErrAddress,
			Next: "write it as postgres://user:password@host:port/database, with % encoding in the password (%40 for @, %2F for /, %23 for #, %3F for ?), or keep the password in a file (PGPASSFILE)",
		}
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The error itself repeats the address.
		return nil, "", &OpenError{
			Path: unknown, Reason: ErrAddress, Cause: addressError(err),
			Next: "check the options behind the question mark, and the environment (PGSERVICE, PGSSLMODE and others of PostgreSQL's programs); sslmode is disable, allow, prefer, require, verify-ca or verify-full",
		}
	}
	c := config.ConnConfig
	for _, name := range []string{"gssencmode", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"} {
		delete(c.RuntimeParams, name) // of PostgreSQL's own library, and no settings of the server
	}
	for option := range c.RuntimeParams {
		if strings.HasPrefix(option, "pool.") { // PostgreSQL takes any name with a dot for a setting of somebody's
			return nil, "", &OpenError{
				Path: unknown, Reason: ErrAddress, Cause: fmt.Errorf("%q is no option", option),
				Next: "write " + strings.Replace(option, ".", "_", 1),
			}
		}
	}
	c.RuntimeParams["client_encoding"] = "UTF8"
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	name := url.URL{Scheme: "postgres", User: url.User(c.User), Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Path: "/" + c.Database}
	query := url.Values{}
	if strings.HasPrefix(c.Host, "/") { // a folder of sockets
		name.Host = ""
		query.Set("host", c.Host)
	}
	for _, option := range []string{"search_path", "options"} { // which choose a schema
		if value, is := c.RuntimeParams[option]; is {
			query.Set(option, value)
		}
	}
	name.RawQuery = strings.ReplaceAll(query.Encode(), "%2F", "/")
	return config, name.String(), nil
}

func (s *Store) connectPostgres(ctx context.Context, config *pgxpool.Config, o Options) error {
	server, err := examine(ctx, config)
	if err == nil {
		err = server.mustBePrimary()
	}
	if err != nil {
		return err
	}
	direct := config.Copy()
	if o.Direct != "" {
		if direct, err = s.openDirect(ctx, o.Direct, server); err != nil {
			return err
		}
	}
	configure(config.ConnConfig, server.pooled)
	if err := limitPool(config, server, o.Readers); err != nil {
		return err
	}
	// Connections of the pool prepare statements, which need the schema.
	isDirect := o.Direct != "" || !server.pooled
	if err := s.migratePostgres(ctx, direct.ConnConfig, server.schema, isDirect, latest); err != nil {
		return err
	}
	if s.pg.primary, err = newSharedPool(ctx, config, server.pooled, nil); err != nil {
		return err
	}
	s.release = func() error {
		s.pg.primary.Close()
		return nil
	}
	s.read = stdlib.OpenDBFromPool(s.pg.primary.Pool)
	s.write = s.read
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if o.Replica != "" {
		if err := s.openReplica(ctx, o, server); err != nil {
			return err
		}
	}
	if isDirect {
		configure(direct.ConnConfig, false)
	} else {
		direct = nil
		s.pg.log.Info("without direct connections, what other servers write is looked for four times a second (--db-direct)")
	}
	return s.watch(ctx, direct)
}

// openDirect returns the configuration of connections that go around a pooler.
func (s *Store) openDirect(ctx context.Context, address string, server *postgresServer) (*pgxpool.Config, error) {
	config, name, err := parsePostgres(address)
	if err != nil {
		return nil, err
	}
	direct, err := examine(ctx, config)
	switch {
	case err != nil:
		return nil, postgresOpenError(name, err)
	case direct.replica:
		return nil, &OpenError{Path: name, Reason: ErrReplica, Next: "give the primary's own address: a replica tells nobody of changes"}
	case direct.pooled:
		return nil, &OpenError{Path: name, Reason: ErrPooled, Next: "give the address of the server itself"}
	case direct.system != server.system || direct.database != server.database || direct.schema != server.schema:
		return nil, &OpenError{Path: name, Reason: ErrOtherDatabase, Cause: fmt.Errorf("the other address is %s", s.pg.name), Next: "give both addresses the same database, and the same search_path"}
	}
	configure(config.ConnConfig, false)
	return config, nil
}

// addressError returns what an error of pgx says is wrong with an address, without the address,
// which may have a password.
func addressError(err error) error {
	_, what, found := strings.Cut(err.Error(), "`: ")
	if !found || strings.Contains(what, "`") {
		return cmp.Or(errors.Unwrap(err), errors.New("an option has a value that it cannot have"))
	}
	return errors.New(wrongValue.ReplaceAllString(strings.TrimPrefix(what, "failed to "), "$1: $2"))
}

// wrongValue matches what pgx says of an option's value.
var wrongValue = regexp.MustCompile(`^(?:cannot parse|invalid) (\w+) \((?:strconv\.\w+: |time: )?(.*)\)$`)

// limitPool sets how many connections a pool has: what the address says, or readers if
// it is not 0, or what should be enough.
func limitPool(config *pgxpool.Config, server *postgresServer, readers int) error {
	// The address may name a service, whose file has it.
	parsed, err := pgconn.ParseConfig(config.ConnString())
	if err != nil {
		return err
	}
	_, given := parsed.RuntimeParams["pool_max_conns"]
	switch {
	case readers > 0:
		config.MaxConns = int32(min(readers, math.MaxInt16))
	case !given:
		config.MaxConns = int32(max(16, 4*runtime.GOMAXPROCS(0)))
	}
	switch {
	case given && config.MaxConns < fewestConnections:
		return reason(ErrAddress, fmt.Errorf("pool_max_conns is %d", config.MaxConns),
			fmt.Sprintf("allow %d connections at least: one call may need several", fewestConnections))
	case int(config.MaxConns) < server.connections: // another one hears of changes
		return nil
	case given:
		return reason(ErrManyConnections,
			fmt.Errorf("pool_max_conns is %d, and the server allows %d, one of them to hear of changes", config.MaxConns, server.connections),
			"lower pool_max_conns in the address, or raise max_connections of the server, or the CONNECTION LIMIT of the user or the database")
	case server.connections <= fewestConnections && readers == 0:
		return reason(ErrManyConnections, fmt.Errorf("the server allows %d", server.connections),
			fmt.Sprintf("allow %d connections at least (max_connections of the server, CONNECTION LIMIT of the user and the database)", fewestConnections+1))
	}
	config.MaxConns = int32(max(server.connections-1, 1))
	return nil
}

// fewestConnections is how many a pool must have: what goes on within a transaction may
// read outside of it.
const fewestConnections = 4

// postgresServer is what a server says about itself and the database.
type postgresServer struct {
	version          int    // of PostgreSQL
	system, database string // identify both
	schema           string
	connections      int // how many it allows us
	replica          bool
	pooled           bool // it is behind a pooler
}

// examine asks a server about itself, in a connection of its own.
func examine(ctx context.Context, config *pgxpool.Config) (*postgresServer, error) {
	c := config.ConnConfig.Copy()
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	s := new(postgresServer)
	var pid int64
	var schema sql.NullString
	var encoding string
	err = conn.QueryRow(ctx, `
SELECT current_setting('server_version_num')::integer / 10000, pg_backend_pid(), pg_is_in_recovery(), current_database(), current_schema(),
    least(current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user AND NOT rolsuper),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())),
    current_setting('server_encoding')`).
		Scan(&s.version, &pid, &s.replica, &s.database, &schema, &s.connections, &encoding)
	if err != nil {
		return nil, err
	}
	// Not everybody may ask.
	if err := conn.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&s.system); err != nil && conn.IsClosed() {
		return nil, err
	}
	// A pooler gives its clients keys of its own to cancel their queries.
	s.schema, s.pooled = schema.String, uint32(pid) != conn.PgConn().PID()
	switch {
	case s.version < oldestPostgres:
		return nil, reason(ErrOldServer, fmt.Errorf("it is version %d, and %d is needed", s.version, oldestPostgres), "update the server, or choose another one")
	case encoding != "UTF8":
		return nil, reason(ErrEncoding, fmt.Errorf("it is %s", encoding), "create the database with ENCODING 'UTF8' TEMPLATE template0")
	case !schema.Valid:
		return nil, reason(ErrNoSchema, nil, "create a schema, or name one that is there with the option search_path")
	}
	var foreign bool
	err = conn.QueryRow(ctx, `
SELECT count(*) FILTER (WHERE relname = '`+migrationsTable+`') = 0 AND count(*) > 0
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')`).Scan(&foreign)
	if err == nil && foreign {
		err = reason(ErrForeignSchema, fmt.Errorf("the schema %q has tables", s.schema), "choose an empty database, or name another schema with the option search_path")
	}
	return s, err
}

func (s *postgresServer) mustBePrimary() error {
	if s.replica {
		return reason(ErrReplica, nil, nextPrimary)
	}
	return nil
}

// configure sets up connections to a server, or to a pooler before it. A pooler gives
// each transaction another connection of the server, so that nothing can be kept there:
// statements have no names, and what is known of them is kept here.
func configure(config *pgx.ConnConfig, pooled bool) {
	if pooled {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		return
	}
	for name, value := range postgresSettings {
		if _, is := config.RuntimeParams[name]; !is {
			config.RuntimeParams[name] = value
		}
	}
	if name := config.RuntimeParams["application_name"]; name != serverProgram && !strings.HasPrefix(name, serverProgram+" (") {
		config.RuntimeParams["application_name"] = serverProgram + " (" + name + ")"
	}
}

// hasTableSQL asks whether the schema has a table, whatever others on the search path have.
const hasTableSQL = `SELECT to_regclass(quote_ident(current_schema()) || '.' || $1) IS NOT NULL`

// serverProgram is the name of servers' connections, with that of the address behind it.
const serverProgram = "partnercenter"

// isServerSQL is a condition on connections.
const isServerSQL = `datname = current_database() AND (application_name = '` + serverProgram + `' OR application_name LIKE '` + serverProgram + ` (%')`

// migrationsTable has the steps that a database has taken.
const migrationsTable = "partnercenter_migrations"

// migratePostgres brings the schema up to a step, if nobody else does. That needs direct
// connections.
func (s *Store) migratePostgres(ctx context.Context, config *pgx.ConnConfig, schema string, isDirect bool, step int64) error {
	config = config.Copy()
	configure(config, !isDirect)
	options := []goose.ProviderOption{goose.WithTableName(migrationsTable)}
	if isDirect {
		// Steps take as long as they take, and wait as long for others'.
		for _, name := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
			config.RuntimeParams[name] = "0"
		}
		options = append(options, goose.WithSessionLocker(&migrationLock{log: s.pg.log, schema: schema}))
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	if step == latest {
		if err := s.checkSchema(ctx, db); err != nil {
			return err
		}
		if err := s.openSeals(ctx, db); err != nil {
			return err
		}
	}
	p, err := newMigrations(db, goose.DialectPostgres, "postgres", options...)
	if err != nil {
		return err
	}
	if !isDirect {
		have, want, err := p.GetVersions(ctx)
		if err == nil && have < want {
			err = reason(ErrPooled, fmt.Errorf("the schema is at step %d, and %d is needed", have, want), "give the address of the server itself, too (--db-direct), or use it with partnercenter db migrate")
		}
		if err != nil || have == want {
			return err
		}
	}
	s.taken, err = migrate(ctx, p, step)
	return err
}

// migrationLock is a lock of the database that a connection holds. It says so when it
// waits.
type migrationLock struct {
	log    *slog.Logger
	schema string
}

// Keys of advisory locks: this one and the hash of the schema's name.
const (
	lockMigration = 0x50434f52 + iota // "PCOR"
	lockWrites
	lockCopy
)

func (l *migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var got bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, hashtext($2))`, lockMigration, l.schema).Scan(&got); err != nil || got {
		return err
	}
	l.log.Info("another server is bringing the database up to date: waiting for it")
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, lockMigration, l.schema)
	return err
}

func (l *migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1, hashtext($2))`, lockMigration, l.schema)
	return err
}

// lockWritesSQL keeps transactions of several statements alone, as the only writer of
// SQLite does, and lets others run beside each other. It ends with the transaction.
var lockWritesSQL = map[company]string{
	alone: fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d, hashtext(current_schema()))`, lockWrites),
	among: fmt.Sprintf(`SELECT pg_advisory_xact_lock_shared(%d, hashtext(current_schema()))`, lockWrites),
}

func (t *tx) lock(others company) error {
	_, err := t.ExecContext(t.ctx, lockWritesSQL[others])
	return err
}

// noteRole leaves connections to a primary that has become a replica: of several hosts
// another one may be it now.
func (p *postgres) noteRole(err error) {
	if errors.Is(err, ErrReplica) {
		p.primary.Reset()
	}
}

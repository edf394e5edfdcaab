package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/url"
	"regexp"
	"runtime"
	"slices"
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

// replicatedSQL returns when all that was committed before has the replicas that commits
// wait for, as it is a commit that does.
const replicatedSQL = `SELECT pg_logical_emit_message(true, 'partnercenter', '')`

// writeChangesPostgres does what [Store.writeChanges] does, in two trips to the database: one to
// look, one to write. It locks what it looks at, in the same order as every other
// server.
func (s *Store) writeChangesPostgres(batch []*job) error {
	err := unusable(s.tryChangesPostgres(batch))
	s.noteWrite(err)
	s.pg.noteRole(err)
	return err
}

func (s *Store) tryChangesPostgres(batch []*job) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	conn, err := s.pg.primary.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer func() {
		if err != nil && !conn.Conn().IsClosed() {
			_, _ = conn.Exec(ctx, `ROLLBACK`)
		}
	}()
	look := s.lookAt(batch)
	if err := conn.SendBatch(ctx, look).Close(); err != nil {
		return err
	}
	lists, committed := new(changes), false
	err = conn.SendBatch(ctx, s.writeOf(batch, lists, &committed)).Close()
	// An error of the connection may have come after the commit, or before it.
	if err != nil && !committed {
		s.pg.watcher.disown()
	}
	s.noteOwn(lists)
	if committed { // only the notification failed
		return nil
	}
	return err
}

// lookAt returns the statements that lock and read what a batch of changes depends on.
func (s *Store) lookAt(batch []*job) *pgx.Batch {
	b := new(pgx.Batch)
	b.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	b.Queue(lockWritesSQL[among])
	partners, customers := map[string]bool{}, map[[2]string]bool{}
	for _, j := range batch {
		j.err = nil
		if j.Held != nil {
			partners[j.partner] = true
		}
		if j.Held != nil || slices.ContainsFunc(j.orders, func(o orderJob) bool { return !o.isNew }) || j.Cart != nil && !j.Cart.New {
			customers[[2]string{j.partner, j.customer}] = true
		}
	}
	for _, partner := range slices.Sorted(maps.Keys(partners)) {
		b.Queue(`SELECT 1 FROM partners WHERE partner_id = $1 FOR NO KEY UPDATE`, partner)
	}
	for _, key := range slices.SortedFunc(maps.Keys(customers), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		b.Queue(`SELECT 1 FROM customers WHERE partner_id = $1 AND customer_id = $2 FOR NO KEY UPDATE`, key[0], key[1])
	}
	for _, j := range batch {
		for i := range j.orders {
			o := &j.orders[i]
			if o.isNew {
				continue
			}
			b.Queue(getRevisionSQL, j.partner, j.customer, o.key).Query(func(rows pgx.Rows) error {
				revision, err := pgx.CollectOneRow(rows, pgx.RowTo[int64])
				if o.conflicts(revision, err) {
					j.err, err = ErrConflict, nil
				}
				return err
			})
		}
		if j.Cart != nil && !j.Cart.New {
			b.Queue(getCartRevisionSQL, j.cart[:3]...).Query(func(rows pgx.Rows) error {
				revision, err := pgx.CollectOneRow(rows, pgx.RowTo[int64])
				if errors.Is(err, pgx.ErrNoRows) || err == nil && revision != j.Cart.Revision {
					j.err, err = ErrConflict, nil
				}
				return err
			})
		}
		if h := j.Held; h != nil {
			now := &Holdings{ByKind: map[string]int{}, ByOffer: map[string]int{}}
			counts := holdingCounts(j.partner, j.customer, slices.Collect(maps.Keys(h.ByKind)), slices.Collect(maps.Keys(h.ByOffer)))
			for i, count := range counts {
				b.Queue(count.query, count.args...).QueryRow(func(row pgx.Row) error {
					var n int
					if err := row.Scan(&n); err != nil {
						return err
					}
					count.set(now, n)
					if i == len(counts)-1 && !now.equal(h) {
						j.err = ErrConflict
					}
					return nil
				})
			}
		}
	}
	answered := slices.DeleteFunc(slices.Clone(batch), func(j *job) bool { return j.Answer == nil })
	slices.SortFunc(answered, func(a, b *job) int { return slices.Compare(a.Answer.Key, b.Answer.Key) })
	for _, j := range answered {
		b.Queue(putAnswerSQL, validArgs(s.answerArgs(j))...).Exec(func(tag pgconn.CommandTag) error {
			j.kept = tag.RowsAffected() > 0
			if !j.kept {
				j.err = ErrAnswered
			}
			return nil
		})
	}
	return b
}

// forgetCartsPostgresSQL finds the text that the document has first, before the lines: as JSON
// PostgreSQL does not take every document.
const forgetCartsPostgresSQL = `
DELETE FROM carts WHERE partner_id = $1 AND customer_id = $2 AND substring(doc FROM '"expirationTimestamp":"([^"]*)"') COLLATE "C" < $3`

// writeOf returns the statements that write the changes of a batch that are not refused.
// It adds the customers to lists whose lists they change.
func (s *Store) writeOf(batch []*job, lists *changes, committed *bool) *pgx.Batch {
	b := new(pgx.Batch)
	for _, j := range batch {
		if j.err != nil {
			if j.kept { // refused for something else
				b.Queue(`DELETE FROM requests WHERE partner_id = $1 AND customer_id = $2 AND key = $3`, j.partner, j.customer, j.Answer.Key)
			}
			continue
		}
		lists.customer(j.partner, j.customer)
		for i := range j.orders {
			query := changeOrderSQL
			if j.orders[i].isNew {
				query = addOrderSQL
			}
			b.Queue(query, validArgs(j.orders[i].args)...)
		}
		if j.Cart != nil {
			b.Queue(j.Cart.writeSQL(), validArgs(j.cart)...)
		}
		if s.forgetsCarts(j) {
			b.Queue(forgetCartsPostgresSQL, validArgs(s.forgetCartsArgs(j))...)
		}
		for _, args := range j.subscriptions {
			b.Queue(putSubscriptionSQL, validArgs(args)...)
		}
		for i := range j.Attachments {
			b.Queue(putAttachmentSQL, validArgs(attachmentArgs(j, &j.Attachments[i]))...)
		}
	}
	if !lists.none() {
		b.Queue(announceSQL, s.pg.watcher.own.Load(), lists.encode(), int(lists.shared))
	}
	if s.commits.Add(1)%forgetEvery == 0 {
		now := s.system()
		b.Queue(`DELETE FROM requests WHERE made < $1 OR made > $2`, toMicros(now.Add(-answersKept)), toMicros(now.Add(answersKept)))
	}
	b.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		*committed = tag.String() == "COMMIT"
		return nil
	})
	if !lists.none() {
		// Within the transaction it would make others wait with theirs for the disk.
		b.Queue(notifySQL)
	}
	return b
}

// apart returns how many of the first changes can be written in one transaction: looking
// at one of them must not depend on the writing of another.
func apart(jobs []*job) int {
	customers, partners := map[[2]string]bool{}, map[string]bool{}
	for i, j := range jobs {
		key := [2]string{j.partner, j.customer}
		if customers[key] || j.Held != nil && partners[j.partner] {
			return i
		}
		customers[key], partners[j.partner] = true, true
	}
	return len(jobs)
}

// noteRole leaves connections to a primary that has become a replica: of several hosts
// another one may be it now.
func (p *postgres) noteRole(err error) {
	if errors.Is(err, ErrReplica) {
		p.primary.Reset()
	}
}

// reason returns an error that says why a database cannot be opened.
func reason(why, cause error, next string) error {
	return &OpenError{Reason: why, Cause: cause, Next: next}
}

// postgresOpenError determines why a database cannot be opened.
func postgresOpenError(name string, err error) error {
	if e, is := errors.AsType[*OpenError](err); is {
		e.Path = cmp.Or(e.Path, name)
		return e
	}
	e := &OpenError{Path: name, Cause: err}
	if errors.Is(err, ErrNewer) {
		e.Reason, e.Cause, e.Next = ErrNewer, nil, "install that version or a later one, or choose another database"
		return e
	}
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case strings.Contains(err.Error(), "read only connection"), strings.Contains(err.Error(), "server is in standby mode"):
			e.Reason, e.Next = ErrReplica, nextPrimary
		case strings.Contains(err.Error(), "server is not in hot standby mode"), strings.Contains(err.Error(), "server is not in standby mode"), strings.Contains(err.Error(), "read write connection"):
			e.Reason, e.Next = ErrAddress, "leave target_session_attrs out, or give read-write: what is written needs the primary"
		case strings.Contains(err.Error(), "server refused TLS connection"):
			e.Reason, e.Next = ErrNoTLS, "turn TLS on at the server, or allow a connection without it: sslmode=prefer, or disable on a network that nobody else uses"
		case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
			e.Reason, e.Next = ErrTLS, "check sslmode and sslrootcert in the address"
		case errors.As(err, new(*pgconn.ConnectError)), errors.As(err, new(net.Error)):
			e.Reason, e.Next = ErrUnreachable, "check host and port, and that the server runs and accepts connections from here"
		default:
			return fmt.Errorf("cannot open the database %s: %w; %s", name, err, nextOptions)
		}
		return e
	}
	switch pg.Code {
	case "28P01", "28000":
		if strings.Contains(pg.Message, "no encryption") {
			e.Reason, e.Next = ErrRefused, "if the server wants TLS, give sslmode=require in the address, or verify-full with sslrootcert"
			return e
		}
		e.Reason, e.Next = ErrRefused, "check user and password in the address, PGPASSFILE or PGPASSWORD, and the server's pg_hba.conf"
	case "3D000":
		e.Reason, e.Next = ErrNoDatabase, "create it (CREATE DATABASE), or check its name"
	case "42501":
		if strings.Contains(pg.Message, "parameter") {
			e.Reason, e.Next = ErrAddress, nextOptions
			return e
		}
		e.Reason, e.Next = ErrNotPermitted, "let the user create tables (GRANT CREATE ON SCHEMA …), or bring the database up to date as another one"
	case "08P01":
		// PgBouncer has this code for all that it says.
		if !strings.Contains(pg.Message, "parameter") {
			e.Reason, e.Next = ErrUnreachable, "look whether the database server behind the pooler runs"
			return e
		}
		fallthrough
	case "42704", "22023", "55P02":
		e.Reason, e.Next = ErrAddress, nextOptions
	case "53300":
		e.Reason, e.Next = ErrManyConnections, "lower pool_max_conns in the addresses, or raise max_connections of the server"
	default:
		if u, is := errors.AsType[*UnusableError](unusable(err)); is {
			e.Reason, e.Next = u.Reason, u.Next
			return e
		}
		return fmt.Errorf("cannot open the database %s: %w; look at the log of its server", name, err)
	}
	return e
}

// What to do next.
const (
	nextOptions = "check the options behind the question mark, and the environment (PGOPTIONS, PGSERVICE)"
	nextPrimary = "give the address of the primary, or of several hosts with target_session_attrs=read-write; a replica can be read with --read-db"
)

// becameReplica returns the error for a primary that is one no more.
func becameReplica(cause error) *UnusableError {
	return &UnusableError{
		Reason: ErrReplica, Cause: cause,
		Next: "give the address of the primary, or of several hosts with target_session_attrs=read-write",
	}
}

// postgresUnusable returns why the server did not do what it was asked, if it would not
// do the next either, and nil otherwise.
func postgresUnusable(err error) *UnusableError {
	e := &UnusableError{Cause: err}
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		if errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) || pgconn.Timeout(err) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) {
			e.Reason, e.Next = ErrUnreachable, "look whether the database server runs, and at the network"
			return e
		}
		return nil
	}
	switch {
	case pg.Code == "53100":
		e.Reason, e.Next = ErrDiskFull, "make room where the database is"
	case pg.Code == "25006", strings.Contains(pg.Message, "during recovery"):
		return becameReplica(err)
	case strings.HasPrefix(pg.Code, "57P0"), strings.HasPrefix(pg.Code, "08"):
		e.Reason, e.Next = ErrUnreachable, "look whether the database server runs"
	case pg.Code == "53300":
		e.Reason, e.Next = ErrManyConnections, "lower pool_max_conns in the addresses, or raise max_connections of the server"
	case pg.Code == "55P03", pg.Code == "57014", pg.Code == "40P01":
		e.Reason, e.Next = ErrLocked, "wait for what is being loaded, or look at the locks in the database"
	case strings.HasPrefix(pg.Code, "XX00"):
		e.Reason, e.Next = ErrCorrupt, "stop the servers, and restore a backup"
	case strings.HasPrefix(pg.Code, "58"):
		e.Reason, e.Next = ErrDisk, "look at the log and the disk of the database server"
	default:
		return nil
	}
	return e
}

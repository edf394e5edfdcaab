package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestPostgres(t *testing.T) {
	cluster := postgrestest.Start(t)
	testStore(t, func(t *testing.T) *Store { return openTest(t, cluster.NewDatabase(t)) })
}

func TestPgBouncer(t *testing.T) {
	cluster := postgrestest.Start(t)
	testStore(t, func(t *testing.T) *Store {
		direct := cluster.NewDatabase(t)
		return openWith(t, postgrestest.StartPgBouncer(t, direct), &Options{Direct: direct})
	})
}

// Without direct connections the schema must be there, and what others write is looked
// for.
func TestPgBouncerAlone(t *testing.T) {
	direct := postgrestest.Start(t).NewDatabase(t)
	pooler := postgrestest.StartPgBouncer(t, direct)
	if s, err := Open(t.Context(), pooler, nil); !errors.Is(err, ErrPooled) || !strings.Contains(err.Error(), "--db-direct") {
		t.Fatalf("%v, %v", s, err)
	}
	a := openTest(t, direct)
	load(t, a, suiteSeed())
	b := openTest(t, pooler)
	before := b.OrdersVersion(partnerA, orderless)
	apply(t, a, placed(partnerA, orderless, "00000000000a"))
	for started := time.Now(); b.OrdersVersion(partnerA, orderless) == before; time.Sleep(time.Millisecond) {
		if time.Since(started) > 10*time.Second {
			t.Fatal("it does not hear of an order")
		}
	}
	for name, address := range map[string]string{"a pooler": pooler, "another database": postgrestest.Start(t).NewDatabase(t)} {
		if s, err := Open(t.Context(), pooler, &Options{Direct: address}); !errors.Is(err, ErrPooled) && !errors.Is(err, ErrOtherDatabase) {
			t.Errorf("%s in place of a direct connection: %v, %v", name, s, err)
		}
	}
}

// openWith opens a database at suiteNow.
func openWith(t testing.TB, address string, o *Options) *Store {
	t.Helper()
	o.Now = func() time.Time { return suiteNow }
	s, err := Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// execAt runs statements in a database.
func execAt(t testing.TB, address string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also at the end of a test
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// with returns an address with other options.
func with(t testing.TB, address string, change func(u *url.URL, options url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	options := u.Query()
	change(u, options)
	u.RawQuery = options.Encode()
	return u.String()
}

// What one server writes, the others know within a second.
func TestServersTellEachOther(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a := openTest(t, address)
	load(t, a, suiteSeed())
	b := openTest(t, address)
	type versions struct{ list, identity, settings uint64 }
	read := func() versions {
		return versions{b.OrdersVersion(partnerA, orderless), b.SharedVersion(Identity), b.SharedVersion(Settings)}
	}
	for _, test := range []struct {
		name    string
		write   func() error
		changes func(before, after versions) bool
	}{
		{
			"an order", func() error { return a.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")) },
			func(x, y versions) bool {
				return x.list != y.list && x.identity == y.identity && x.settings == y.settings
			},
		},
		{
			"a key", func() error { return a.AddSigningKey(t.Context(), SigningKey{ID: "k", PEM: []byte("x")}) },
			func(x, y versions) bool {
				return x.list == y.list && x.identity != y.identity && x.settings == y.settings
			},
		},
		{
			"a setting", func() error { return a.PutSetting(t.Context(), "x", []byte("y")) },
			func(x, y versions) bool {
				return x.list == y.list && x.identity == y.identity && x.settings != y.settings
			},
		},
		{
			"everything", func() error { return a.Reset(t.Context(), suiteSeed()) },
			func(x, y versions) bool {
				return x.list != y.list && x.identity != y.identity && x.settings == y.settings
			},
		},
	} {
		before := read()
		if err := test.write(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for started := time.Now(); !test.changes(before, read()); {
			if time.Since(started) > 10*time.Second {
				t.Fatalf("%s: %v is %v", test.name, before, read())
			}
			time.Sleep(time.Millisecond)
		}
	}
	// Both place an order under one request id: one of them is told that the other has.
	first, second := placed(partnerA, orderless, "00000000000b"), placed(partnerA, orderless, "00000000000c")
	for _, c := range []*Change{first, second} {
		c.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201}
	}
	done := make(chan error, 2)
	go func() { done <- a.Apply(t.Context(), first) }()
	go func() { done <- b.Apply(t.Context(), second) }()
	if x, y := <-done, <-done; (x == nil) == (y == nil) || !errors.Is(errors.Join(x, y), ErrAnswered) {
		t.Errorf("%v, %v", x, y)
	}
}

// Who gets the answer to a write of another server again sees what it changed, before
// this server has read of it.
func TestAnsweredElsewhere(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a, b := openTest(t, address), openTest(t, address)
	load(t, a, suiteSeed())
	b.pg.watcher.mu.Lock() // it does not look
	defer b.pg.watcher.mu.Unlock()
	change := placed(partnerA, orderless, "00000000000b")
	change.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201}
	before := b.OrdersVersion(partnerA, orderless)
	apply(t, a, change)
	if answer, err := b.Answered(t.Context(), partnerA, orderless, change.Answer.Key); err != nil || answer == nil {
		t.Fatal(answer, err)
	}
	if b.OrdersVersion(partnerA, orderless) == before {
		t.Error("a list that was kept before stands for what there is")
	}
}

// Transactions are seen whose number is before that of others that have been seen.
func TestLateCommit(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	s := openTest(t, address)
	load(t, s, suiteSeed())
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	look := func() {
		t.Helper()
		if err := s.pg.watcher.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var c changes
	c.customer(partnerA, orderless)
	for range 3 { // also the second time that rows are looked for
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), announceSQL, []byte("other"), c.encode(), 0); err != nil {
			t.Fatal(err)
		}
		apply(t, s, placed(partnerA, shared, guid.New()[24:]))
		look()
		look()
		before := s.OrdersVersion(partnerA, orderless)
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		look()
		after := s.OrdersVersion(partnerA, orderless)
		look()
		if again := s.OrdersVersion(partnerA, orderless); after != before+1 || again != after {
			t.Errorf("versions %d, %d, %d", before, after, again)
		}
	}
	// Rows that everybody has read are deleted.
	for range 6 {
		s.pg.watcher.mu.Lock()
		s.pg.watcher.last.at = s.pg.watcher.last.at.Add(-forgotten / 4)
		for i := range s.pg.watcher.past {
			s.pg.watcher.past[i].at = s.pg.watcher.past[i].at.Add(-forgotten / 3)
		}
		s.pg.watcher.mu.Unlock()
		look()
	}
	var left int
	if err := s.read.QueryRow(`SELECT count(*) FROM changes`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

// A list that is kept under its version is never older than a second, whatever happens to
// notifications, connections and the goroutine that reads what others changed.
func TestStaleness(t *testing.T) {
	cluster := postgrestest.Start(t)
	kill := func(t *testing.T, address, which string) {
		execAt(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'partnercenter (b)' AND pid <> pg_backend_pid() AND query `+which)
	}
	for _, test := range []struct {
		name    string
		prepare func(b *Store)
		disturb func(t *testing.T, address string, b *Store)
	}{
		{"as it should be", nil, nil},
		{"notifications are lost", func(b *Store) { b.pg.watcher.deaf.Store(true) }, nil},
		{"the listener's connection dies", nil, func(t *testing.T, address string, _ *Store) { kill(t, address, "LIKE 'LISTEN%'") }},
		{"every connection dies", nil, func(t *testing.T, address string, _ *Store) { kill(t, address, "IS NOT NULL") }},
		{"nobody looks", nil, func(_ *testing.T, _ string, b *Store) {
			b.pg.watcher.deaf.Store(true)
			b.pg.watcher.mu.Lock()
			time.AfterFunc(2*time.Second, b.pg.watcher.mu.Unlock)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address := cluster.NewDatabase(t)
			a := openTest(t, address)
			load(t, a, suiteSeed())
			b := openTest(t, with(t, address, func(_ *url.URL, o url.Values) { o.Set("application_name", "b") }))
			if test.prepare != nil {
				test.prepare(b)
			}
			const patience = 3 * time.Second
			var mu sync.Mutex
			var acknowledged []time.Time // of orders, in their order
			var wait sync.WaitGroup
			ended := time.Now().Add(patience)
			wait.Go(func() {
				for n := 0; time.Now().Before(ended); n++ {
					if err := a.Apply(t.Context(), placed(partnerA, orderless, fmt.Sprintf("%012x", n))); err != nil {
						t.Errorf("order %d: %v", n, err)
						return
					}
					mu.Lock()
					acknowledged = append(acknowledged, time.Now())
					mu.Unlock()
					time.Sleep(10 * time.Millisecond)
				}
			})
			if test.disturb != nil {
				wait.Go(func() {
					time.Sleep(patience / 6)
					test.disturb(t, address, b)
				})
			}
			var version uint64
			kept, read, served := -1, 0, 0
			var oldest time.Duration
			for time.Now().Before(ended) {
				began := time.Now()
				v := b.OrdersVersion(partnerA, orderless)
				if v != version || kept < 0 {
					_, n, err := listOrders(t.Context(), b, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
					if errors.As(err, new(*UnusableError)) {
						continue // said so, rather than old
					}
					if err != nil {
						t.Fatal(err)
					}
					kept, version = n, v
					read++
				}
				served++
				mu.Lock()
				if kept < len(acknowledged) {
					oldest = max(oldest, began.Sub(acknowledged[kept]))
				}
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
			wait.Wait()
			t.Logf("%d orders, %d lists, %d of them read: the oldest lacked an order of %v before", len(acknowledged), served, read, oldest)
			if oldest > time.Second || len(acknowledged) < 10 || served < 100 {
				t.Errorf("%d orders, %d lists, the oldest lacked an order of %v before", len(acknowledged), served, oldest)
			}
		})
	}
}

// tracer records statements with their arguments.
type tracer struct {
	mu         sync.Mutex
	statements map[string][]any
}

func (r *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.note(data.SQL, data.Args)
	return ctx
}
func (r *tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (r *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (r *tracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.note(data.SQL, data.Args)
}
func (r *tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (r *tracer) note(statement string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements[statement] = args
}

// Statements about a customer touch the partitions of that customer, and no others.
func TestPartitions(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())

	config, name, err := parsePostgres(address)
	if err != nil {
		t.Fatal(err)
	}
	traced := &tracer{statements: map[string][]any{}}
	config.ConnConfig.Tracer = traced
	s := &Store{now: time.Now, system: time.Now, opened: time.Now(), health: health{log: slog.New(slog.DiscardHandler)}}
	s.pg = &postgres{name: name, log: s.health.log, watcher: newWatcher(s)}
	if err := s.connectPostgres(t.Context(), config, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	// Everything that calls about one customer do.
	ctx := t.Context()
	change := placed(partnerA, orderless, "00000000000a")
	change.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201, Body: []byte(`{}`)}
	change.Attachments = []Attachment{{ID: "0123456789abcd", FileName: "a.pdf", ContentType: "application/pdf", Content: []byte("x"), Metadata: "{}"}}
	apply(t, s, change)
	record, subscriptions, err := s.OrderRecord(ctx, partnerA, orderless, "00000000000a")
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.CountHoldings(ctx, partnerA, orderless, nil, []string{"offer"})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, &Change{PartnerID: partnerA, CustomerID: orderless, Order: record, Subscriptions: subscriptions, Held: held})
	apply(t, s, newCart(partnerA, orderless))
	cart, err := s.Cart(ctx, partnerA, orderless, cartID)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, bought(cart, placed(partnerA, orderless, "00000000000c")))
	refused := placed(partnerA, orderless, "00000000000b")
	refused.Answer = &Answer{Key: []byte("fedcba9876543210"), Digest: []byte("digest"), Status: 201}
	refused.Held = &Holdings{Customers: -1}
	fails(t, s.Apply(ctx, refused), ErrConflict)
	q := OrderQuery{PartnerID: partnerA, CustomerID: orderless}
	filtered := q
	filtered.BillingCycle = "monthly"
	for _, err := range []error{
		second(s.ListOrders(ctx, nil, filtered)),
		second(s.GetOrder(ctx, partnerA, orderless, "00000000000a", true)),
		second(s.GetCustomer(ctx, partnerA, orderless)),
		second(s.Account(ctx, partnerA, orderless)),
		second(s.Answered(ctx, partnerA, orderless, change.Answer.Key)),
		second(s.Attachments(ctx, partnerA, orderless, "00000000000a")),
		second(s.GetAttachment(ctx, partnerA, orderless, "00000000000a", "0123456789abcd")),
		second(s.OrderRecords(ctx, partnerA, orderless)),
		second(s.OrderOf(ctx, partnerA, orderless, subscriptions[0].ID)),
		second(s.Subscriptions(ctx, SubscriptionQuery{PartnerID: partnerA, CustomerID: shared})), // derived from loaded orders
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, shared := range sharedSQL { // run without the tracer's knowledge
		args := []any{partnerA, orderless}
		if strings.Contains(shared.sql, "$3") {
			args = append(args, cartID)
		}
		traced.note(shared.sql, args)
	}

	conn, err := s.pg.primary.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	conn.Conn().Config() // the plans are those of this connection's settings
	table := regexp.MustCompile(`\b(orders|subscriptions|attachments|carts|requests)\b`)
	partition := regexp.MustCompile(`\bon (orders|subscriptions|attachments|carts|requests)_(\d+)\b`)
	looked := map[string]bool{}
	traced.mu.Lock()
	statements := traced.statements
	traced.statements = map[string][]any{}
	traced.mu.Unlock()
	for statement, args := range statements {
		verb := strings.ToUpper(strings.Fields(statement)[0])
		if !table.MatchString(statement) || !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, verb) {
			continue
		}
		if strings.Contains(statement, "'' AND customer_id = ''") { // at the start
			continue
		}
		rows, err := conn.Query(ctx, "EXPLAIN "+statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		touched := map[string][]string{}
		for _, found := range partition.FindAllStringSubmatch(strings.Join(plan, "\n"), -1) {
			if !slices.Contains(touched[found[1]], found[2]) {
				touched[found[1]] = append(touched[found[1]], found[2])
			}
			looked[found[1]] = true
		}
		for name, partitions := range touched {
			if len(partitions) > 1 {
				t.Errorf("%s\ntouches %s %v:\n%s", statement, name, partitions, strings.Join(plan, "\n"))
			}
		}
		if len(touched) == 0 && verb != "INSERT" { // rows find their partition by themselves
			t.Errorf("%s\nnames no partition:\n%s", statement, strings.Join(plan, "\n"))
		}
	}
	if len(looked) != 5 || len(statements) < 15 {
		t.Errorf("only %d statements, about %v", len(statements), looked)
	}
}

func second[T any](_ T, err error) error { return err }

func TestPostgresErrors(t *testing.T) {
	cluster := postgrestest.Start(t)
	address := cluster.NewDatabase(t)
	set := func(name, value string) func(*testing.T) *Options {
		return func(t *testing.T) *Options {
			return &Options{Direct: with(t, address, func(_ *url.URL, o url.Values) { o.Set(name, value) })}
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	for _, test := range []struct {
		name    string
		address func(t *testing.T) *Options // Direct is the address
		reason  error
		next    string
	}{
		{"password", func(t *testing.T) *Options {
			return &Options{Direct: with(t, address, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(u.User.Username(), "secret-and-wrong") })}
		}, ErrRefused, "PGPASSFILE"},
		{"database", func(t *testing.T) *Options {
			return &Options{Direct: with(t, address, func(u *url.URL, _ url.Values) { u.Path = "/nowhere" })}
		}, ErrNoDatabase, "CREATE DATABASE"},
		{"option", set("statement_timeuot", "1s"), ErrAddress, "options"},
		{"value of an option", set("statement_timeout", "soon"), ErrAddress, "options"},
		{"sslmode", set("sslmode", "requires"), ErrAddress, "sslmode"},
		{"what is no number", set("pool_max_conns", "many"), ErrAddress, "pool_max_conns"},
		{"a duration without a unit", set("pool_max_conn_lifetime", "1"), ErrAddress, "pool_max_conn_lifetime"},
		{"a time to connect", set("connect_timeout", "x"), ErrAddress, "connect_timeout"},
		{"TLS", set("sslmode", "require"), ErrNoTLS, "sslmode=prefer"},
		{"port", func(t *testing.T) *Options {
			_ = free.Close()
			return &Options{Direct: with(t, address, func(u *url.URL, _ url.Values) { u.Host = free.Addr().String() })}
		}, ErrUnreachable, "host and port"},
		{"number of connections", set("pool_max_conns", "100000"), ErrManyConnections, "pool_max_conns"},
		{"number of a user's connections", func(t *testing.T) *Options {
			execAt(t, cluster.AdminURL(databaseOf(t, address)), `DROP ROLE IF EXISTS narrow`, `CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 8`)
			t.Cleanup(func() { execAt(t, cluster.AdminURL(databaseOf(t, address)), `DROP ROLE narrow`) })
			return &Options{Direct: with(t, address, func(u *url.URL, o url.Values) {
				u.User = url.UserPassword("narrow", "narrow")
				o.Set("pool_max_conns", "20")
			})}
		}, ErrManyConnections, "CONNECTION LIMIT"},
		{"a setting of the server's start", set("max_connections", "5"), ErrAddress, "options"},
		{"a setting of the administrator", set("lc_messages", "de_DE"), ErrAddress, "options"},
		{"a dot in an option", set("pool.max_conns", "9"), ErrAddress, "pool_max_conns"},
		{"a replica is asked for", set("target_session_attrs", "standby"), ErrAddress, "target_session_attrs"},
		{"too few connections", set("pool_max_conns", "1"), ErrAddress, "4 connections"},
		{"an @ in the password", func(t *testing.T) *Options {
			return &Options{Direct: "postgres://u:top@secret-and-wrong/word@127.0.0.1/x"}
		}, ErrAddress, "%40"},
		{"a # in the password", func(t *testing.T) *Options {
			return &Options{Direct: "postgres://u:p@ss#secret-and-wrong?x@127.0.0.1/x"}
		}, ErrAddress, "%23"},
		{"a / in the password", func(t *testing.T) *Options {
			return &Options{Direct: "postgres://u:secret-and-wrong/word@127.0.0.1/x"}
		}, ErrAddress, "%2F"},
		{"value of a client's option", set("connect_timeout", "soon"), ErrAddress, "options"},
		{"service", set("service", "nowhere"), ErrAddress, "PGSERVICE"},
		{"schema", set("search_path", "elsewhere"), ErrNoSchema, "search_path"},
		{"rights", func(t *testing.T) *Options {
			execAt(t, cluster.AdminURL(databaseOf(t, address)), `DROP ROLE IF EXISTS poor`, `CREATE ROLE poor LOGIN PASSWORD 'poor'`)
			t.Cleanup(func() { execAt(t, cluster.AdminURL(databaseOf(t, address)), `DROP ROLE poor`) })
			return &Options{Direct: with(t, address, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("poor", "poor") })}
		}, ErrNotPermitted, "GRANT CREATE"},
		{"another application's", func(t *testing.T) *Options {
			other := cluster.NewDatabase(t)
			execAt(t, other, `CREATE TABLE invoices (number integer)`)
			return &Options{Direct: other}
		}, ErrForeignSchema, "empty database"},
		{"old server", func(t *testing.T) *Options {
			oldestPostgres += 100
			t.Cleanup(func() { oldestPostgres -= 100 })
			return &Options{Direct: address}
		}, ErrOldServer, "update the server"},
		{"encoding", func(t *testing.T) *Options {
			execAt(t, address, `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`)
			t.Cleanup(func() { execAt(t, address, `DROP DATABASE latin`) })
			return &Options{Direct: with(t, address, func(u *url.URL, _ url.Values) { u.Path = "/latin" })}
		}, ErrEncoding, "UTF8"},
		{"newer", func(t *testing.T) *Options {
			newer := cluster.NewDatabase(t)
			if err := openTest(t, newer).Close(); err != nil {
				t.Fatal(err)
			}
			execAt(t, newer, `INSERT INTO `+migrationsTable+` (version_id, is_applied) VALUES (9999, true)`)
			return &Options{Direct: newer}
		}, ErrNewer, "later one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Open(t.Context(), test.address(t).Direct, nil)
			if err == nil {
				t.Fatal("it is open", s.Close())
			}
			open, is := errors.AsType[*OpenError](err)
			if !is || !errors.Is(err, test.reason) || !strings.Contains(err.Error(), test.next) {
				t.Errorf("%v", err)
			}
			if is && (strings.Contains(err.Error(), "secret-and-wrong") || open.Next == "" || open.Path == "") {
				t.Errorf("%q, %q, %q", err, open.Path, open.Next)
			}
		})
	}
}

func databaseOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// Options of PostgreSQL's own library are no settings of the server.
func TestPostgresOptions(t *testing.T) {
	address := with(t, postgrestest.Start(t).NewDatabase(t), func(_ *url.URL, o url.Values) {
		for name, value := range map[string]string{
			"gssencmode": "disable", "keepalives": "1", "keepalives_idle": "30", "target_session_attrs": "any", "pool_max_conns": "4", "pool_min_conns": "4", "work_mem": "8MB",
		} {
			o.Set(name, value)
		}
	})
	s := openTest(t, address)
	load(t, s, suiteSeed())
	if name := s.Name(); !strings.Contains(name, "partnercenter@") || strings.Contains(name, ":"+passwordOf(t, address)) {
		t.Errorf("it is called %q", name)
	}
	if known, err := s.ResellersByMPN(t.Context(), partnerA, []string{"a\x00", "\xff", "4847383"}); err != nil || len(known) != 1 {
		t.Errorf("%v, %v", known, err)
	}
}

// The schema is the first one of the search path, whatever the others have. Servers are
// found there under any name, and errors tell which schema it is.
func TestSearchPath(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	execAt(t, address, `CREATE SCHEMA first`, `CREATE TABLE settings (theirs integer)`)
	address = with(t, address, func(_ *url.URL, o url.Values) {
		o.Set("search_path", "first,public")
		o.Set("application_name", "shop")
	})
	s := openTest(t, address)
	load(t, s, suiteSeed())
	if name := s.Name(); !strings.Contains(name, "search_path=first") {
		t.Errorf("it is called %q", name)
	}
	status, err := Inspect(t.Context(), address)
	if err != nil || len(status.Servers) != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := Copy(t.Context(), address, filepath.Join(t.TempDir(), "copy.db"), CopyOptions{}); !errors.Is(err, ErrServersRun) {
		t.Error(err)
	}
}

func passwordOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return password
}

// A connection that breaks off during a call is a database that cannot be reached.
func TestBrokenConnections(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	s := openTest(t, address)
	load(t, s, suiteSeed())
	ended := time.Now().Add(time.Second)
	var wait sync.WaitGroup
	var failed atomic.Int64
	for i := range 8 {
		wait.Go(func() {
			for n := 0; time.Now().Before(ended); n++ {
				_, _, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: shared})
				if i%2 == 0 {
					err = s.Apply(t.Context(), placed(partnerA, orderless, fmt.Sprintf("%012x", i<<32+n)))
				}
				if err != nil {
					failed.Add(1)
				}
				if err != nil && !errors.As(err, new(*UnusableError)) {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	for time.Now().Before(ended) {
		execAt(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	}
	wait.Wait()
	if failed.Load() == 0 {
		t.Error("no call failed")
	}
}

// The lists of a replica are those of the primary.
func TestReplica(t *testing.T) {
	primary := postgrestest.Dedicated(t, postgrestest.Options{})
	address := primary.NewDatabase(t)
	load(t, openTest(t, address), suiteSeed())
	standby := primary.StartReplica(t)
	name := databaseOf(t, address)
	s := openWith(t, address, &Options{Replica: standby.URL(name)})
	list := func() int {
		t.Helper()
		_, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually := func(what string, is func() bool) {
		t.Helper()
		for started := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Since(started) > 30*time.Second {
				t.Fatalf("not %s", what)
			}
		}
	}
	used := func() bool { return s.pg.replica.has(partnerA, orderless) }
	n := 0
	for range 50 {
		apply(t, s, placed(partnerA, orderless, fmt.Sprintf("%012x", n)))
		n++
		if got := list(); got != n {
			t.Fatalf("%d of %d orders right after the last was placed", got, n)
		}
	}
	eventually("used", used)
	eventually("used for customers", s.pg.replica.hasAll)
	execAt(t, standby.AdminURL(name), `SELECT pg_wal_replay_pause()`)
	execAt(t, primary.AdminURL(name), `UPDATE customers SET summary = '{"at":"primary"}'`, `UPDATE orders SET doc = '{"at":"primary"}'`)
	everything := OrderQuery{PartnerID: partnerA, CustomerID: orderless, IncludeSystemPurchases: true}
	filtered, err1 := s.ListOrders(t.Context(), nil, everything)
	customers, err2 := s.ListCustomers(t.Context(), nil, CustomerQuery{PartnerID: partnerA})
	if err := errors.Join(err1, err2); err != nil || strings.Contains(string(filtered.Items)+string(customers.Items), "primary") {
		t.Errorf("read from the primary, %v", err)
	}
	execAt(t, standby.AdminURL(name), `SELECT pg_wal_replay_resume()`)
	if got := list(); got != n {
		t.Errorf("%d of %d orders at the replica", got, n)
	}

	// One that stands still has what was written before, and nothing else is read there.
	execAt(t, standby.AdminURL(name), `SELECT pg_wal_replay_pause()`)
	apply(t, s, placed(partnerA, orderless, fmt.Sprintf("%012x", n)))
	n++
	for range 30 {
		if got := list(); got != n {
			t.Fatalf("%d of %d orders while the replica stands still", got, n)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !s.pg.replica.has(partnerA, former) || used() {
		t.Error("it is not used for what it has, or for what it has not")
	}
	execAt(t, standby.AdminURL(name), `SELECT pg_wal_replay_resume()`)
	eventually("used again", used)

	// One that is gone, or becomes a primary, is not read.
	standby.Promote(t)
	eventually("left alone", func() bool { return !used() })
	standby.Stop(t)
	apply(t, s, placed(partnerA, orderless, fmt.Sprintf("%012x", n)))
	n++
	if got := list(); got != n {
		t.Errorf("%d of %d orders without the replica", got, n)
	}
}

func TestReplicaErrors(t *testing.T) {
	primary := postgrestest.Dedicated(t, postgrestest.Options{})
	address := primary.NewDatabase(t)
	if err := openTest(t, address).Close(); err != nil {
		t.Fatal(err)
	}
	standby := primary.StartReplica(t).URL(databaseOf(t, address))
	other := postgrestest.Start(t).NewDatabase(t)
	for _, test := range []struct {
		name, db, replica string
		reason            error
		next              string
	}{
		{"the primary's address is a replica's", standby, "", ErrReplica, "--read-db"},
		{"a primary is asked for", with(t, standby, func(_ *url.URL, o url.Values) { o.Set("target_session_attrs", "read-write") }), "", ErrReplica, "--read-db"},
		{"the replica's address is a primary's", address, address, ErrNoReplica, "--read-db"},
		{"of another server", address, other, ErrOtherDatabase, "--read-db"},
	} {
		s, err := Open(t.Context(), test.db, &Options{Replica: test.replica})
		if err == nil {
			t.Fatal(test.name, s.Close())
		}
		if !errors.Is(err, test.reason) || !strings.Contains(err.Error(), test.next) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// It can be read as a whole, and nothing else.
	if r, err := Backup(t.Context(), standby, filepath.Join(t.TempDir(), "x"), BackupOptions{}); err != nil || r.Step == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := Check(t.Context(), standby, CheckOptions{}); err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Check(t.Context(), standby, CheckOptions{Repair: true}); !errors.Is(err, ErrReplica) {
		t.Error(err)
	}
}

// A primary that has become a replica is told from one that is away, and what was not
// written is not acknowledged.
func TestLostPrimary(t *testing.T) {
	primary := postgrestest.Dedicated(t, postgrestest.Options{})
	address := primary.NewDatabase(t)
	s := openTest(t, address)
	load(t, s, suiteSeed())
	apply(t, s, placed(partnerA, orderless, "000000000001"))
	for i, test := range []struct {
		name   string
		damage func(testing.TB)
		mend   func(testing.TB)
		reason error
	}{
		{"killed", primary.Kill, primary.Restart, ErrUnreachable},
		{"stopped", primary.Stop, primary.Restart, ErrUnreachable},
		{"demoted", primary.Demote, primary.Promote, ErrReplica},
	} {
		test.damage(t)
		if errors.Is(test.reason, ErrReplica) { // also if nothing is written
			for started := time.Now(); !errors.Is(s.Distrusted(), ErrReplica); time.Sleep(10 * time.Millisecond) {
				if time.Since(started) > 10*time.Second {
					t.Fatalf("%s: what it has is served, which may be old: %v", test.name, s.Distrusted())
				}
			}
			if err := s.Ping(t.Context()); !errors.Is(err, ErrReplica) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		order := placed(partnerA, orderless, "00000000001"+strconv.Itoa(i))
		err := s.Apply(t.Context(), order)
		if !errors.As(err, new(*UnusableError)) {
			t.Errorf("%s: %v", test.name, err)
		}
		// Each connection that was open says at first that the server is going away.
		for started := time.Now(); !errors.Is(err, test.reason); {
			if err = s.Apply(t.Context(), order); err == nil || time.Since(started) > 10*time.Second {
				t.Errorf("%s, then: %v", test.name, err)
				break
			}
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Errorf("%s: it is ready", test.name)
		}
		test.mend(t)
		for started := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			if err = s.Apply(t.Context(), order); err == nil {
				break
			}
			if time.Since(started) > 30*time.Second {
				t.Fatalf("%s: not mended: %v", test.name, err)
			}
		}
		for started := time.Now(); ; time.Sleep(10 * time.Millisecond) { // until somebody has looked
			if err = errors.Join(s.Ping(t.Context()), s.Distrusted()); err == nil {
				break
			}
			if time.Since(started) > 10*time.Second {
				t.Fatalf("%s: it is not ready: %v", test.name, err)
			}
		}
	}
}

// Servers that start at once on an empty database make one schema. One that waits for
// another says so.
func TestMigrateAtOnce(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1, hashtext(current_schema()))`, lockMigration); err != nil {
		t.Fatal(err)
	}
	const servers = 4
	var wait sync.WaitGroup
	var waiting, made atomic.Int64
	for range servers {
		wait.Go(func() {
			from, to, err := Migrate(t.Context(), address, Options{Logger: slog.New(countLogs{&waiting})})
			if err != nil {
				t.Error(err)
			}
			if from != to {
				made.Add(1)
			}
		})
	}
	for started := time.Now(); waiting.Load() < servers; time.Sleep(10 * time.Millisecond) {
		if time.Since(started) > 30*time.Second {
			t.Fatalf("%d of %d servers say that they wait", waiting.Load(), servers)
		}
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock($1, hashtext(current_schema()))`, lockMigration); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Errorf("%d of %d say that they made the schema", made.Load(), servers)
	}
}

// While something is loaded at one server, all others are ready, and writes there wait
// or are refused.
func TestReadyDuringLoad(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	a := openTest(t, address)
	load(t, a, suiteSeed())
	b := openTest(t, with(t, address, func(_ *url.URL, o url.Values) { o.Set("lock_timeout", "50ms") }))
	b.system = func() time.Time { return time.Now().Add(time.Hour) } // no write was recent
	if err := a.transact(t.Context(), "load", func(*tx) error {
		if err := b.Ping(t.Context()); err != nil {
			t.Errorf("not ready: %v", err)
		}
		if err := b.Apply(t.Context(), placed(partnerA, orderless, "00000000000a")); !errors.Is(err, ErrLocked) {
			t.Errorf("an order during a load: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	apply(t, b, placed(partnerA, orderless, "00000000000a"))
}

// countLogs counts records.
type countLogs struct{ n *atomic.Int64 }

func (countLogs) Enabled(context.Context, slog.Level) bool    { return true }
func (c countLogs) Handle(context.Context, slog.Record) error { c.n.Add(1); return nil }
func (c countLogs) WithAttrs([]slog.Attr) slog.Handler        { return c }
func (c countLogs) WithGroup(string) slog.Handler             { return c }

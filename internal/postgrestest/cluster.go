// Package postgrestest gives tests PostgreSQL servers and databases of their own. It is
// for tests only.
//
// The servers are private: they listen on a loopback port, keep everything in a temporary
// folder, and are gone after the process, however that ends.
package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// patience is how long anything may take before a test gives up.
const patience = 2 * time.Minute

// The roles of a private cluster. Databases belong to one that may do no more than users
// can be expected to allow.
const (
	superuser = "postgres"
	owner     = "partnercenter"
)

// Cluster is a PostgreSQL server. Its methods may be called at the same time.
type Cluster struct {
	base  *url.URL // of the owner
	admin *url.URL // of the superuser

	server    *server // nil if it is not ours
	dedicated bool    // to one test
}

// Options are what a private cluster has that others have not.
type Options struct {
	// Durable makes it wait for the disk, as those of users do and tests need not.
	Durable bool

	// Settings go into postgresql.conf, after this package's.
	Settings map[string]string
}

// Shared returns the cluster that the tests of this process share: a private one, or the
// server that PARTNERCENTER_TEST_POSTGRES names. Tests must leave its settings and roles as
// they are.
var Shared = sync.OnceValues(func() (*Cluster, error) {
	if address := os.Getenv("PARTNERCENTER_TEST_POSTGRES"); address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return nil, errors.New("PARTNERCENTER_TEST_POSTGRES is not a URL such as postgres://user:password@host:port/database")
		}
		return &Cluster{base: u, admin: u}, nil
	}
	return start(Options{})
})

// Start returns [Shared].
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := Shared()
	if err != nil {
		tb.Fatalf("no PostgreSQL to test with: %v", err)
	}
	return c
}

// Dedicated starts a private cluster for one test, which may do with it what it likes.
func Dedicated(tb testing.TB, options Options) *Cluster {
	tb.Helper()
	c, err := start(options)
	if err != nil {
		tb.Fatalf("no PostgreSQL to test with: %v", err)
	}
	c.dedicate(tb)
	return c
}

// New starts a private cluster for a program that is no test, and has to close it.
func New(options Options) (*Cluster, error) {
	c, err := start(options)
	if err != nil {
		return nil, err
	}
	c.dedicated = true
	return c, nil
}

// Close ends a cluster of New and removes it.
func (c *Cluster) Close() error { return c.server.close() }

// Data returns the folder with the data of a private cluster.
func (c *Cluster) Data() string { return c.server.data() }

// Process returns the process of a private cluster, the parent of those that serve its
// connections.
func (c *Cluster) Process() int {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.server.process.pid
}

// Copy makes a database that is a copy of another, of template0 for an empty one, in place of
// one that has the name, and returns its URL.
func (c *Cluster) Copy(from, to string) (string, error) {
	err := c.drop(to)
	if err == nil {
		err = c.exec(c.base, "CREATE DATABASE "+to+" TEMPLATE "+from+" STRATEGY file_copy")
	}
	return c.URL(to), err
}

func start(options Options) (*Cluster, error) {
	s, err := newServer(options)
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	c := &Cluster{server: s}
	if err = s.initialize(password); err == nil {
		if err = s.firstStart(); err == nil {
			c.base, c.admin = s.url(owner, password), s.url(superuser, password)
			err = c.exec(c.admin, "CREATE ROLE "+owner+" LOGIN CREATEDB PASSWORD '"+password+"'")
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return c, nil
}

// dedicate gives a cluster to a test, at whose end it is removed.
func (c *Cluster) dedicate(tb testing.TB) {
	c.dedicated = true
	tb.Cleanup(func() {
		if err := c.server.close(); err != nil {
			tb.Errorf("removing a PostgreSQL server: %v", err)
		}
	})
}

// must ends a test that does to a cluster what works with its own only, or fails.
func (c *Cluster) must(tb testing.TB, what string, do func() error) {
	tb.Helper()
	if !c.dedicated {
		tb.Fatalf("%s: other tests need this cluster; take one from Dedicated", what)
	}
	if err := do(); err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
}

// Stop stops a dedicated cluster as administrators do: it ends its connections and writes
// everything.
func (c *Cluster) Stop(tb testing.TB) {
	tb.Helper()
	c.must(tb, "stopping PostgreSQL", func() error { return c.server.stop("INT") })
}

// Kill kills a dedicated cluster, which recovers when it is restarted.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	c.must(tb, "killing PostgreSQL", func() error { return c.server.stop("KILL") })
}

// Restart starts a dedicated cluster again, at the same address. If it still runs, it is
// stopped first.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	c.must(tb, "restarting PostgreSQL", func() error {
		return errors.Join(c.server.stop("INT"), c.server.start())
	})
}

// Demote restarts a dedicated cluster as a replica that has lost its primary.
func (c *Cluster) Demote(tb testing.TB) {
	tb.Helper()
	c.must(tb, "demoting PostgreSQL", func() error {
		return errors.Join(c.server.stop("INT"), c.server.write("standby.signal", ""), c.server.start())
	})
}

// Promote makes a replica a primary, and returns when it takes writes.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	c.must(tb, "promoting PostgreSQL", func() error {
		return c.server.run("pg_ctl", "promote", "--silent", "-D", c.server.data())
	})
}

// StartReplica starts a streaming replica of a dedicated cluster. It follows; nothing waits
// for it. The primary keeps what it needs while it is stopped.
func (c *Cluster) StartReplica(tb testing.TB) *Cluster {
	tb.Helper()
	var replica *Cluster
	c.must(tb, "starting a replica", func() error {
		s, err := newServer(c.server.options)
		if err != nil {
			return err
		}
		replica = &Cluster{server: s}
		replica.dedicate(tb)
		slot := "replica_" + ascii.ToLower(rand.Text())
		err = s.run("pg_basebackup", "-D", s.data(), "--no-sync", "--checkpoint=fast", "--write-recovery-conf",
			"--create-slot", "--slot="+slot, "--dbname="+c.admin.String())
		if err != nil {
			return err
		}
		if err := s.firstStart(); err != nil {
			return err
		}
		password, _ := c.admin.User.Password()
		replica.base, replica.admin = s.url(owner, password), s.url(superuser, password)
		return nil
	})
	return replica
}

// URL returns the address of a database, for the role that owns those of NewDatabase.
func (c *Cluster) URL(database string) string { return withDatabase(c.base, database) }

// AdminURL returns the address of a database for the superuser.
func (c *Cluster) AdminURL(database string) string { return withDatabase(c.admin, database) }

func withDatabase(u *url.URL, name string) string {
	named := *u
	named.Path = "/" + name
	return named.String()
}

// NewDatabase returns the URL of a new, empty database. It is dropped at the end of the
// test, with the connections to it.
func (c *Cluster) NewDatabase(tb testing.TB) string {
	tb.Helper()
	address, drop, err := c.newDatabase("template0")
	if err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	tb.Cleanup(func() {
		if c.dedicated {
			return // it is removed as a whole, and may have been stopped
		}
		if err := drop(); err != nil {
			tb.Errorf("dropping a database: %v", err)
		}
	})
	return address
}

// newDatabase returns the URL of a copy of a database, and what drops it.
func (c *Cluster) newDatabase(template string) (address string, drop func() error, err error) {
	name := "test_" + ascii.ToLower(rand.Text())
	// Copying files takes half of what it takes to log their pages.
	err = c.exec(c.base, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
	return withDatabase(c.base, name), func() error { return c.drop(name) }, err
}

// drop removes a database with the connections to it. Only a superuser may end those of
// the server itself, which vacuums when it likes.
func (c *Cluster) drop(name string) error {
	return c.exec(c.admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// Template returns a function that makes copies of a database, and functions that drop
// them. The database is prepared when the first is made; nothing may be connected to it
// then. It is there as long as the cluster.
func (c *Cluster) Template(prepare func(address string) error) func() (address string, drop func() error, err error) {
	template := sync.OnceValues(func() (string, error) {
		address, _, err := c.newDatabase("template0")
		if err == nil {
			err = prepare(address)
		}
		return address, err
	})
	return func() (string, func() error, error) {
		address, err := template()
		if err != nil {
			return "", nil, err
		}
		u, err := url.Parse(address)
		if err != nil {
			return "", nil, err
		}
		return c.newDatabase(strings.TrimPrefix(u.Path, "/"))
	}
}

// exec executes a statement, in the database of the URL.
func (c *Cluster) exec(u *url.URL, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

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
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

	server *server // nil if it is not ours
}

// Options are what a private cluster has that others have not.
type Options struct {
	// Durable makes it wait for the disk, as those of users do and tests need not.
	Durable bool

	// Settings go into postgresql.conf, after this package's.
	Settings map[string]string
}

var shared = sync.OnceValues(func() (*Cluster, error) {
	if address := os.Getenv("PARTNERCENTER_TEST_POSTGRES"); address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return nil, errors.New("PARTNERCENTER_TEST_POSTGRES is not a URL such as postgres://user:password@host:port/database")
		}
		return &Cluster{base: u, admin: u}, nil
	}
	return start(Options{})
})

// Start returns the cluster that the tests of this process share: a private one, or the
// server that PARTNERCENTER_TEST_POSTGRES names. Tests must leave its settings and roles as
// they are.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := shared()
	if err != nil {
		tb.Fatalf("no PostgreSQL to test with: %v", err)
	}
	return c
}

// Dedicated starts a private cluster for one test, which may stop it, kill it and change
// its settings.
func Dedicated(tb testing.TB, options Options) *Cluster {
	tb.Helper()
	c, err := start(options)
	if err != nil {
		tb.Fatalf("no PostgreSQL to test with: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.server.close(); err != nil {
			tb.Errorf("stopping PostgreSQL: %v", err)
		}
	})
	return c
}

func start(options Options) (*Cluster, error) {
	s, err := newServer()
	if err != nil {
		return nil, err
	}
	c, err := s.fill(options)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return c, nil
}

// fill makes a cluster in the server's folder and starts it.
func (s *server) fill(options Options) (*Cluster, error) {
	password := rand.Text()
	if err := s.initialize(options, password); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	c := s.cluster(password)
	err := c.exec(
		"CREATE ROLE " + owner + " LOGIN CREATEDB PASSWORD '" + password + "'",
	)
	return c, err
}

// cluster returns the cluster that the server serves.
func (s *server) cluster(password string) *Cluster {
	address := func(role string) *url.URL {
		return &url.URL{
			Scheme: "postgres", User: url.UserPassword(role, password), Host: s.address(), Path: "/postgres", RawQuery: "sslmode=disable",
		}
	}
	return &Cluster{base: address(owner), admin: address(superuser), server: s}
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
	name := "test_" + strings.ToLower(rand.Text())
	if err := c.create(name); err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	tb.Cleanup(func() {
		if c.server != nil && !c.server.runs() {
			return // stopped by the test, and removed after it
		}
		if err := c.execAs(c.base, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("dropping a database: %v", err)
		}
	})
	return c.URL(name)
}

func (c *Cluster) create(name string) error {
	return c.execAs(c.base, "CREATE DATABASE "+name+" TEMPLATE template0")
}

// exec executes statements as the superuser.
func (c *Cluster) exec(statements ...string) error { return c.execAs(c.admin, statements...) }

func (c *Cluster) execAs(u *url.URL, statements ...string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%.40s…: %w", statement, err)
		}
	}
	return nil
}

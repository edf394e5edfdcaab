package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// servingPostgres is a server on a database in PostgreSQL.
type servingPostgres struct {
	connect.ReadyFacts
	printed string // all that it printed and logged
}

// oneCLI is held by who calls runCLI beside others: it changes the environment.
var oneCLI sync.Mutex

// servePostgres starts a server by the arguments and the environment, and stops it when it
// is ready. It has an order placed in between.
func servePostgres(t *testing.T, env map[string]string, meet *sync.WaitGroup, args ...string) (s servingPostgres) {
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready.json")
	const freePort = "127.0.0.1:0"
	term, stdout, stderr := testTerminal(env)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, term, append([]string{
			"serve", "--listen", freePort, "--listen-tls", "", "--control", freePort, "--ca-dir", filepath.Join(dir, "ca"),
			"--cache-size", "1MiB", "--ready-file", ready,
		}, args...))
	}()
	defer func() {
		stop()
		if code := <-ended; code != terminal.ExitOK {
			t.Errorf("serve ends with %d", code)
		}
		s.printed = stdout.String() + stderr.String()
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var err error
		if s.ReadyFacts, err = readFacts(ready); err == nil {
			break
		}
		if time.Now().After(end) || len(ended) > 0 {
			t.Errorf("serve does not become ready: %s", stderr)
			meet.Done()
			return s
		}
	}
	file, err := os.ReadFile(ready)
	if err != nil || strings.Contains(string(file), "postgres") {
		t.Errorf("the ready file names the database: %v %s", err, file)
	}
	meet.Done()
	meet.Wait()
	// Another server may have made the key and the secret.
	oneCLI.Lock()
	defer oneCLI.Unlock()
	r := runCLI(t.Context(), t, nil, "orders", "list", "--customer", "b0d70a69-4c42-4b27-b17b-91a835d8686a", "--json", "--base-url", s.APIURL,
		"--tenant-id", s.TenantID, "--client-id", s.ClientID, "--client-secret", s.ClientSecret)
	if r.code != terminal.ExitOK || !strings.Contains(r.stdout, "9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1") {
		t.Errorf("orders list: %v", r)
	}
	return s
}

// TestServePostgres starts two servers at once on an empty database.
func TestServePostgres(t *testing.T) {
	cluster := postgrestest.Start(t)
	address, err := url.Parse(cluster.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := address.User.Password()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var both, done sync.WaitGroup
	both.Add(2)
	var servers [2]servingPostgres
	for i := range servers {
		done.Go(func() {
			if i == 0 {
				servers[i] = servePostgres(t, nil, &both, "--db", address.String())
			} else {
				servers[i] = servePostgres(t, map[string]string{"PARTNERCENTER_DB": address.String()}, &both)
			}
		})
	}
	done.Wait()
	filled := 0
	for _, s := range servers {
		filled += strings.Count(s.printed, "(new: 32 customers, 133 orders)")
		if password != "" && strings.Contains(s.printed, password) {
			t.Errorf("the password is in\n%s", s.printed)
		}
		if want := "postgres://" + address.User.Username() + "@" + address.Host + address.Path; !strings.Contains(s.printed, want) {
			t.Errorf("%s is not in\n%s", want, s.printed)
		}
	}
	if a, b := servers[0], servers[1]; filled != 1 || a.ClientSecret != b.ClientSecret || a.ClientSecret == "" || a.Password != b.Password {
		t.Errorf("%d filled the database, and they print %v and %v", filled, a.ReadyFacts, b.ReadyFacts)
	}

	t.Run("import", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "customer.json")
		writeFile(t, file, `{"id":"c0000000-0000-4000-8000-0000000000c9","companyProfile":{"companyName":"Imported"},"attributes":{"objectType":"Customer"}}`)
		r := runCLI(t.Context(), t, nil, "import", file, "--db", address.String())
		if r.code != terminal.ExitOK || !strings.Contains(r.stdout+r.stderr, "are in postgres://"+address.User.Username()+"@"+address.Host) || password != "" && strings.Contains(r.stdout+r.stderr, password) {
			t.Errorf("%v", r)
		}
	})
}

// TestServePostgresLikeOthers names a database as PostgreSQL's programs let people do.
func TestServePostgresLikeOthers(t *testing.T) {
	address, err := url.Parse(postgrestest.Start(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	password, _ := address.User.Password()
	dir := t.TempDir()
	passwords, services := filepath.Join(dir, "pgpass"), filepath.Join(dir, "services")
	writeFile(t, passwords, strings.Join([]string{address.Hostname(), address.Port(), "*", address.User.Username(), password}, ":")+"\n")
	writeFile(t, services, "[partnercenter]\nhost="+address.Hostname()+"\nport="+address.Port()+"\ndbname="+strings.TrimPrefix(address.Path, "/")+"\nuser="+address.User.Username()+"\nsslmode=disable\n")
	t.Setenv("PGPASSFILE", passwords)
	t.Setenv("PGSERVICEFILE", services)
	for _, way := range []struct{ name, service, db string }{
		{"a file of passwords", "", "postgres://" + address.User.Username() + "@" + address.Host + address.Path + "?" + address.RawQuery},
		{"a service in the address", "", "postgres://?service=partnercenter"},
		{"a service in the environment", "partnercenter", "postgres://"},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Setenv("PGSERVICE", way.service)
			var one sync.WaitGroup
			one.Add(1)
			if s := servePostgres(t, nil, &one, "--db", way.db); strings.Contains(s.printed, password) {
				t.Errorf("the password is in\n%s", s.printed)
			}
		})
	}
}

// TestDatabasesAreNotShown gives addresses with mistakes. Nothing repeats their passwords.
func TestDatabasesAreNotShown(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct{ db, want string }{
		{"postgres://name:hunter2@127.0.0.1:1/database", "cannot be reached"},
		{"postgres://name:hunter2@127.0.0.1:1/database?sslmode=maybe", "sslmode"},
		{"postgres://name:hunter2@127.0.0.1:port/database", "postgres://user:password@host"},
		{"postgres://name:hunter2%zz@127.0.0.1/database", "postgres://user:password@host"},
		{"mysql://name:hunter2@127.0.0.1/database", "not one of PostgreSQL"},
		{"Postgres://name:hunter2@127.0.0.1/database", "not one of PostgreSQL"},
		{"postgres:/name:hunter2@127.0.0.1/database", "not one of PostgreSQL"},
		{" PostgreSQL:name:hunter2@127.0.0.1/database", "not one of PostgreSQL"},
		{"host=127.0.0.1 password=hunter2", "list of settings"},
	} {
		writeFile(t, "answer.json", `{"id":"c0000000-0000-4000-8000-0000000000c9","companyProfile":{}}`)
		for _, args := range [][]string{
			{"serve", "--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--ready-file", "ready.json"}, {"import", "answer.json"},
		} {
			fromVariable := func(term *terminal.Terminal) {
				term.Getenv = func(name string) string { return map[string]string{"PARTNERCENTER_DB": test.db}[name] }
			}
			for _, r := range []result{
				runCLI(t.Context(), t, nil, append(args[:len(args):len(args)], "--db", test.db)...),
				runCLI(t.Context(), t, fromVariable, args...),
			} {
				if r.code == terminal.ExitOK || !strings.Contains(r.stderr, test.want) || strings.Contains(r.stdout+r.stderr, "hunter2") {
					t.Errorf("%s %s: %v", args[0], test.db, r)
				}
			}
		}
	}
	for _, args := range [][]string{
		{"--db-direct", "hunter2"}, {"--read-db", "postgres://name:hunter2@127.0.0.1/database"},
		{"--db", "postgres://name@127.0.0.1:1/database", "--read-db", "postgres://name:hunter2@127.0.0.1:port/database"},
		{"--db", "postgres://name@127.0.0.1:1/database", "--db-direct", "postgres://name:hunter2@127.0.0.1:port/database"},
	} {
		r := runCLI(t.Context(), t, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--ready-file", "ready.json"}, args...)...)
		if r.code == terminal.ExitOK || strings.Contains(r.stdout+r.stderr, "hunter2") {
			t.Errorf("%s: %v", args, r)
		}
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) != 1 {
		t.Errorf("there are files: %v %v", files, err)
	}
}

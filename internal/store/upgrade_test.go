package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// recorded returns a file in testdata/upgrade, decompressed.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "upgrade", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A database of an older version whose upgrade ends at any moment, by itself or because the
// process is killed, is as after an upgrade without that once it is opened again.
// TestUpgrade of the program compares what is answered then.
func TestKilledDuringUpgrade(t *testing.T) {
	const child = "PARTNERCENTER_TEST_UPGRADE"
	if address := os.Getenv(child); address != "" {
		fmt.Println("opening")
		s, err := Open(context.Background(), address, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("opened")
		_ = s.Close()
		return
	}
	for _, tt := range []struct {
		name      string
		postgres  bool
		killed    int  // how often
		stepwise  bool // stop after each step, too
		passwords bool // users get random ones on the way
	}{
		{name: "01-init.sqlite", killed: 3, passwords: true},
		{name: "03-users.sqlite", killed: 3, stepwise: true, passwords: true},
		{name: "08-search-keys.sqlite", killed: 2},
		{name: "12-postgres.sql", postgres: true, killed: 2, stepwise: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			content := recorded(t, tt.name)
			old := func() string {
				if tt.postgres {
					return restoreDump(t, content)
				}
				path := filepath.Join(t.TempDir(), "old.db")
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			started := time.Now()
			want := contentOf(t, old(), tt.passwords)
			took := time.Since(started)
			check := func(when, address string) {
				t.Helper()
				if diff := cmp.Diff(want, contentOf(t, address, tt.passwords)); diff != "" {
					t.Errorf("%s, the database is not as after an upgrade in one go (-want +got):\n%s", when, diff)
				}
			}
			if tt.stepwise {
				for _, step := range stepsAfter(t, old(), tt.postgres) {
					address := old()
					migrateTo(t, address, tt.postgres, step)
					check(fmt.Sprintf("stopped after step %d", step), address)
				}
			}
			for range tt.killed {
				address, after := old(), rand.N(took)
				killWhileOpening(t, child+"="+address, after)
				check(fmt.Sprintf("killed after %v", after), address)
			}
		})
	}
}

// killWhileOpening has this test open the database that a variable names in another process,
// which it kills soon after it begins.
func killWhileOpening(t *testing.T, variable string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDuringUpgrade$")
	cmd.Env = append(os.Environ(), variable)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "opening\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()
}

func restoreDump(t *testing.T, dump []byte) (address string) {
	t.Helper()
	address = postgrestest.Start(t).NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.PgConn().Exec(t.Context(), string(dump)).ReadAll(); err != nil {
		t.Fatal(err)
	}
	return address
}

// migrationsOf returns the steps of a database, which is open until the test ends.
func migrationsOf(t *testing.T, address string, postgres bool) (*goose.Provider, *sql.DB) {
	t.Helper()
	db, err := sql.Open("sqlite", address)
	if postgres {
		var config *pgx.ConnConfig
		if config, err = pgx.ParseConfig(address); err == nil {
			db = stdlib.OpenDB(*config)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := sqliteMigrations(db)
	if postgres {
		p, err = newMigrations(db, goose.DialectPostgres, "postgres", goose.WithTableName(migrationsTable))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, db
}

func stepsAfter(t *testing.T, address string, postgres bool) (steps []int64) {
	t.Helper()
	p, db := migrationsOf(t, address, postgres)
	defer db.Close()
	have, last, err := p.GetVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.ListSources() {
		if s.Version > have && s.Version < last {
			steps = append(steps, s.Version)
		}
	}
	if len(steps) == 0 {
		t.Fatal("there is nothing to upgrade")
	}
	return steps
}

func migrateTo(t *testing.T, address string, postgres bool, step int64) {
	t.Helper()
	p, db := migrationsOf(t, address, postgres)
	defer db.Close()
	if _, err := p.UpTo(t.Context(), step); err != nil {
		t.Fatal(err)
	}
}

// contentOf opens a database and returns all its rows, by table.
func contentOf(t *testing.T, address string, withoutPasswords bool) map[string][]string {
	t.Helper()
	s, err := Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	content := map[string][]string{}
	for _, table := range tables {
		if table.owner == ofServers {
			continue
		}
		rows, err := s.read.QueryContext(t.Context(), `SELECT * FROM `+table.name+` ORDER BY `+strings.Join(table.key, ", "))
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row := make([]any, len(columns))
			places := make([]any, len(columns))
			for i := range row {
				places[i] = &row[i]
			}
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			for i, name := range columns {
				if name == "password" && withoutPasswords {
					row[i] = len(row[i].(string))
				}
			}
			content[table.name] = append(content[table.name], fmt.Sprintf("%q", row))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	if len(content["orders"]) == 0 {
		t.Error("the database has no orders")
	}
	return content
}

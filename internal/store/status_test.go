package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

func TestInspect(t *testing.T) {
	for dialect, place := range places(t) {
		t.Run(dialect, func(t *testing.T) {
			name := place()
			if dialect == "sqlite" {
				if _, err := Inspect(t.Context(), name); !errors.Is(err, ErrNothing) {
					t.Errorf("a file that is not there: %v", err)
				}
				if err := os.WriteFile(name, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			known, err := lastStep(IsPostgres(name))
			if err != nil {
				t.Fatal(err)
			}
			st, err := Inspect(t.Context(), name)
			if err != nil || st.Step != 0 || len(st.Pending) == 0 || st.Pending[len(st.Pending)-1] != known || len(st.Tables) != 0 {
				t.Errorf("an empty one: %+v, %v", st, err)
			}
			from, to, err := Migrate(t.Context(), name, Options{})
			if err != nil || from != 0 || to != known {
				t.Errorf("from step %d to %d, %v", from, to, err)
			}
			if from, to, err = Migrate(t.Context(), name, Options{}); err != nil || from != to {
				t.Errorf("from step %d to %d, %v", from, to, err)
			}
			s, err := Open(t.Context(), name, nil)
			if err != nil {
				t.Fatal(err)
			}
			load(t, s, suiteSeed())
			st, err = Inspect(t.Context(), name) // in use
			if err != nil || st.Step != known || len(st.Pending) != 0 || len(st.Servers) != 1 || st.Size == 0 || st.Version == "" || st.Copy != nil {
				t.Errorf("one in use: %+v, %v", st, err)
			}
			i := slices.IndexFunc(st.Tables, func(t TableStatus) bool { return t.Name == "orders" })
			if i < 0 || st.Tables[i].Rows != 6 || !st.Tables[i].Exact {
				t.Errorf("tables %+v", st.Tables)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			half := place()
			full := filepath.Join(t.TempDir(), "full.db")
			fillForCopy(t, full, 8, 5)
			interrupted(t, full, half)
			if st, err = Inspect(t.Context(), half); err != nil || st.Copy == nil || st.Copy.From != full || st.Copy.Customers < 5 {
				t.Errorf("half a copy: %+v, %v", st, err)
			}
			if _, _, err := Migrate(t.Context(), half, Options{}); err != nil {
				t.Errorf("half a copy: %v", err)
			}
		})
	}
}

// schemaSQL describes a schema of PostgreSQL.
const schemaSQL = `
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') || ' ' ||
    coalesce(collation_name, '') || ' ' || coalesce(identity_generation, '') FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT 'table ' || relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') || ' ' || coalesce(pg_get_expr(relpartbound, oid), '')
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
ORDER BY 1`

func schemaOf(t *testing.T, address string) (schema []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), schemaSQL)
	if err != nil {
		t.Fatal(err)
	}
	schema, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func runDDL(t *testing.T, address, before, target string) {
	t.Helper()
	ddl, err := DDL(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), before+ddl, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v in\n%s", err, ddl)
	}
}

// TestDDL holds the statements against what migrations make.
func TestDDL(t *testing.T) {
	cluster := postgrestest.Start(t)
	migrated := cluster.NewDatabase(t)
	if err := openTest(t, migrated).Close(); err != nil {
		t.Fatal(err)
	}
	want := schemaOf(t, migrated)

	made := cluster.NewDatabase(t)
	runDDL(t, made, "", "postgres")
	same(t, schemaOf(t, made), want)
	fillForCopy(t, made, 1, 1)

	// Citus is not here: its functions note what they were called for.
	distributed := cluster.NewDatabase(t)
	runDDL(t, distributed, `
CREATE SCHEMA citus;
CREATE TABLE citus.calls (call text);
CREATE FUNCTION create_reference_table(name text) RETURNS void AS $$ INSERT INTO citus.calls VALUES ('reference ' || name) $$ LANGUAGE sql;
CREATE FUNCTION create_distributed_table(name text, by text, colocate_with text DEFAULT 'default') RETURNS void AS $$
    INSERT INTO citus.calls VALUES ('distributed ' || name || ' by ' || by || ' with ' || colocate_with) $$ LANGUAGE sql;
`, "citus")
	partition := func(line string) bool {
		for n := range 8 {
			if strings.Contains(line, "s_"+string(rune('0'+n))) {
				return true
			}
		}
		return false
	}
	have := schemaOf(t, distributed)
	options := map[string]string{}
	for _, line := range want {
		if name, rest, is := strings.Cut(strings.TrimPrefix(line, "table "), "_0 r "); is && strings.HasPrefix(line, "table ") {
			options[name], _, _ = strings.Cut(rest, " FOR VALUES")
		}
	}
	plain := func(lines []string) (list []string) {
		for _, line := range lines {
			if partition(line) {
				continue
			}
			line = strings.ReplaceAll(line, " ON ONLY ", " ON ")
			if kind, name, is := strings.Cut(line, " "); is && kind == "table" {
				name, rest, _ := strings.Cut(name, " ")
				switch {
				case strings.HasPrefix(rest, "p "):
					line = "table " + name + " r " + options[name] + " "
				case strings.HasPrefix(rest, "I "):
					line = "table " + name + " i" + rest[1:]
				}
			}
			list = append(list, strings.TrimRight(line, " "))
		}
		slices.Sort(list)
		return list
	}
	same(t, plain(have), plain(want))
	s := openTest(t, distributed)
	calls, err := queryAll(t.Context(), s, "calls", func(rows *sql.Rows) (call string, err error) { return call, rows.Scan(&call) }, `SELECT call FROM citus.calls`)
	if err != nil {
		t.Fatal(err)
	}
	var wantCalls []string
	for _, t := range tables {
		switch {
		case t.owner == ofAll:
			wantCalls = append(wantCalls, "reference "+t.name)
		case t.name == "customers":
			wantCalls = append(wantCalls, "distributed customers by customer_id with default")
		case t.owner == ofCustomer:
			wantCalls = append(wantCalls, "distributed "+t.name+" by customer_id with customers")
		}
	}
	same(t, calls, wantCalls)
	load(t, s, suiteSeed())

	path := filepath.Join(t.TempDir(), "made.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	ddl, err := DDL(t.Context(), "sqlite")
	if err == nil {
		_, err = db.Exec(ddl)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	st, err := Inspect(t.Context(), path)
	if err != nil || len(st.Pending) != 0 || len(st.Tables) == 0 {
		t.Errorf("%+v, %v", st, err)
	}
	fillForCopy(t, path, 1, 1)
}

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// TestDB moves a database to PostgreSQL and back.
func TestDB(t *testing.T) {
	dir := t.TempDir()
	address, err := url.Parse(postgrestest.Start(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := address.User.Password()
	name := "postgres://" + address.User.Username() + "@" + address.Host + address.Path
	file, back, orders := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db"), filepath.Join(dir, "orders.json")
	writeFile(t, orders, `{"items":[{"id":"54be297b70ad","referenceCustomerId":"0f6cb3c9-3f4b-4b0e-8f5c-9d1d7c7a5b11","lineItems":[{"lineItemNumber":0,"offerId":"x","quantity":1}]}]}`)
	do := func(code int, env map[string]string, want string, args ...string) string {
		t.Helper()
		r := runCLI(t.Context(), t, func(term *terminal.Terminal) { term.Getenv = func(name string) string { return env[name] } }, args...)
		if r.code != code || !regexp.MustCompile(want).MatchString(r.stdout+r.stderr) {
			t.Errorf("%q: %v, want %d and %s", args, r, code, want)
		}
		if password != "" && strings.Contains(r.stdout+r.stderr, password) {
			t.Errorf("%q prints the password: %v", args, r)
		}
		return r.stdout
	}
	do(terminal.ExitOK, nil, `\nSchema +none yet: a server, or partnercenter db migrate, makes it\n`, "db", "status", "--db", address.String())
	do(terminal.ExitError, nil, regexp.QuoteMeta(name)+": it is empty; check the name", "db", "copy", "--from", address.String(), "--to", back)
	do(terminal.ExitOK, nil, "1 customer and 1 order", "import", "--db", file, orders)
	to := map[string]string{"PARTNERCENTER_TO": address.String()}
	first := do(terminal.ExitOK, to, `^1 customer and 1 order are copied; both databases have the digest [0-9a-f]{64}\n$`, "db", "copy", "--from", file)
	do(terminal.ExitError, to, `it is not empty \(.*\); choose an empty database to copy into`, "db", "copy", "--from", file)
	second := do(terminal.ExitOK, nil, "are copied", "db", "copy", "--from", address.String(), "--to", back)
	if first != second {
		t.Errorf("there it is %s, and back %s", first, second)
	}
	do(terminal.ExitOK, nil, `PostgreSQL 1[5-9][^\n]*\nSchema +step \d+, up to date\nSize .*\n(.*\n)* +orders +1 \(`, "db", "status", "--db", address.String())
	do(terminal.ExitOK, nil, `SQLite 3[^\n]*\nSchema +step \d+, up to date\nSize .*\nRows +settings +\d+\n(.*\n)* +orders +1\n`, "db", "status", "--db", back)
	var st store.Status
	text := do(terminal.ExitOK, map[string]string{"PARTNERCENTER_DB": address.String()}, "", "db", "status", "-o", "json")
	if err := json.Unmarshal([]byte(text), &st); err != nil || st.Database != name || st.Step != st.Known || st.Copy != nil {
		t.Errorf("%s: %+v, %v", text, st, err)
	}
	do(terminal.ExitOK, nil, "^the schema of "+regexp.QuoteMeta(name)+` is up to date, at step \d+\n$`, "db", "migrate", "--db", address.String())
	do(terminal.ExitOK, nil, `^the schema of \S+c\.db is new, and is at step \d+\n$`, "db", "migrate", "--db", filepath.Join(dir, "c.db"))
	do(terminal.ExitError, nil, `c-not\.db: there is none; check the name`, "db", "status", "--db", filepath.Join(dir, "c-not.db"))
	do(terminal.ExitUsage, nil, `give --to with a file`, "db", "copy", "--from", file)
	do(terminal.ExitUsage, nil, `--to is an address, but not one of PostgreSQL`, "db", "copy", "--from", file, "--to", "mysql://x:"+password+"@y")
	do(terminal.ExitUsage, nil, `use postgres, citus or sqlite`, "db", "ddl", "--for", "oracle")
	for _, target := range store.DDLTargets {
		do(terminal.ExitOK, nil, `CREATE TABLE orders \(`, "db", "ddl", "--for", target)
	}
}

// TestDBBackup backs databases up, restores and checks them.
func TestDBBackup(t *testing.T) {
	dir := t.TempDir()
	address := postgrestest.Start(t).NewDatabase(t)
	file, orders, backup := filepath.Join(dir, "a.db"), filepath.Join(dir, "orders.json"), filepath.Join(dir, "a.backup")
	writeFile(t, orders, `{"items":[{"id":"54be297b70ad","referenceCustomerId":"0f6cb3c9-3f4b-4b0e-8f5c-9d1d7c7a5b11","lineItems":[{"lineItemNumber":0,"offerId":"x","quantity":1}]}]}`)
	do := func(code int, setup func(*terminal.Terminal), want string, args ...string) string {
		t.Helper()
		r := runCLI(t.Context(), t, setup, args...)
		if r.code != code || !regexp.MustCompile(want).MatchString(r.stdout+r.stderr) {
			t.Errorf("%q: %v, want %d and %s", args, r, code, want)
		}
		return r.stdout
	}
	do(terminal.ExitOK, nil, "1 customer and 1 order", "import", "--db", file, orders)
	t.Chdir(dir)
	do(terminal.ExitOK, nil, `^partnercenter-\d{8}-\d{6}\.backup has 1 partner, 1 customer and 1 order of \S+a\.db \(\d\.\d KiB\); its digest is [0-9a-f]{64}\n$`, "db", "backup", "--db", file)
	var made, restored struct {
		File, Digest string
		Orders       int
		Size         int64
	}
	if err := json.Unmarshal([]byte(do(terminal.ExitOK, nil, "", "db", "backup", "--db", file, "--to", backup, "-o", "json")), &made); err != nil || made.File != backup || made.Orders != 1 || made.Size == 0 {
		t.Errorf("%+v, %v", made, err)
	}
	do(terminal.ExitError, nil, `a\.backup: there is a file with this name; choose another name`, "db", "backup", "--db", file, "--to", backup)
	do(terminal.ExitError, nil, `no: it cannot be written \(.*\); make the folder`, "db", "backup", "--db", file, "--to", filepath.Join(dir, "no", "no"))
	do(terminal.ExitUsage, nil, `with --to - the backup is on standard output`, "db", "backup", "--db", file, "--to", "-", "-o", "json")
	do(terminal.ExitUsage, func(term *terminal.Terminal) { term.StdoutTTY = true }, `nothing for a terminal`, "db", "backup", "--db", file, "--to", "-")
	piped := filepath.Join(dir, "piped.backup")
	writeFile(t, piped, do(terminal.ExitOK, nil, `the backup has 1 partner, 1 customer and 1 order of`, "db", "backup", "--db", file, "--to", "-"))

	to := func(term *terminal.Terminal) {
		term.Getenv = func(name string) string { return map[string]string{"PARTNERCENTER_TO": address}[name] }
	}
	if err := json.Unmarshal([]byte(do(terminal.ExitOK, to, "", "db", "restore", "--from", piped, "-o", "json")), &restored); err != nil || restored.Digest != made.Digest {
		t.Errorf("%+v, %v", restored, err)
	}
	do(terminal.ExitError, to, `it is not empty \(.*\); choose an empty database`, "db", "restore", "--from", backup)
	do(terminal.ExitOK, nil, `^\S+c\.db has 1 partner, 1 customer and 1 order, as they were at \S+Z; its digest is that of the backup, `+made.Digest+`\n$`, "db", "restore", "--from", backup, "--to", "c.db")
	do(terminal.ExitUsage, nil, `the backup is missing: give --from`, "db", "restore", "--to", "d.db")
	do(terminal.ExitUsage, nil, `the database is missing: give --to`, "db", "restore", "--from", backup)
	do(terminal.ExitError, nil, `orders\.json: it is no backup made by partnercenter; name a file`, "db", "restore", "--from", orders, "--to", "d.db")
	do(terminal.ExitError, nil, `no\.backup: there is none; check its name`, "db", "restore", "--from", "no.backup", "--to", "d.db")

	for _, name := range []string{"c.db", address} {
		do(terminal.ExitOK, nil, `^nothing is wrong in \S+, with 1 customer and 1 order at \S+Z\n$`, "db", "check", "--db", name)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "c.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{`UPDATE customers SET company_name = 'x'`, `UPDATE orders SET revision = -1`} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	const wrong = `KIND\tPARTNER\tCUSTOMER\tORDER\tREPAIR\tWHAT IS WRONG\ncolumn\t\S+\t0f6cb3c9-\S+\t\t%s\tcolumns of the customer are not as its document says: company_name\nrevision\t\S+\t0f6cb3c9-\S+\t54be297b70ad\tnone\tthe revision of the order is -1\n`
	do(terminal.ExitError, nil, fmt.Sprintf(wrong, "possible")+`(.*\n)*error: 2 findings in the database \S+c.db; 1 can be repaired: stop the servers`, "db", "check", "--db", "c.db")
	do(terminal.ExitError, nil, fmt.Sprintf(wrong, "done")+`(.*\n)*error: 1 finding in the database \S+c.db; restore a backup`, "db", "check", "--db", "c.db", "--repair")
	if text := do(terminal.ExitError, nil, "", "db", "check", "--db", "c.db", "-o", "json"); !strings.Contains(text, `"what": "the revision of the order is -1"`) {
		t.Error(text)
	}
}

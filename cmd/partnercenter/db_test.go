package main

import (
	"encoding/json"
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
	do(terminal.ExitOK, nil, `\nSchema +new: a server, or partnercenter db migrate, takes steps \d+ to \d+\n`, "db", "status", "--db", address.String())
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

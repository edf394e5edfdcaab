package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestDataKeys gives keys for secrets in databases in all ways, right and wrong.
func TestDataKeys(t *testing.T) {
	dir := t.TempDir()
	key, other := bytes.Repeat([]byte{0xfb}, 32), bytes.Repeat([]byte{2}, 32)
	file := filepath.Join(dir, "data.key")
	writeFile(t, file, base64.StdEncoding.EncodeToString(key)+"\n")
	writeFile(t, filepath.Join(dir, "lines.key"), "one\ntwo\n")
	run := func(env map[string]string, args ...string) result {
		t.Helper()
		return runCLI(t.Context(), t, func(term *terminal.Terminal) {
			term.Getenv = func(name string) string { return env[name] }
		}, args...)
	}
	const variable, old = "PARTNERCENTER_DATA_KEY", "PARTNERCENTER_DATA_KEY_OLD"
	database := filepath.Join(dir, "sealed.db")

	for _, tt := range []struct {
		env  map[string]string
		says string
	}{
		{map[string]string{variable: "hunter2"}, `PARTNERCENTER_DATA_KEY has no data key: it needs 32 random bytes in base64 or hexadecimal, as from "openssl rand -base64 32"`},
		{map[string]string{variable: base64.StdEncoding.EncodeToString(key[:31])}, "PARTNERCENTER_DATA_KEY has no data key"},
		{map[string]string{old: hex.EncodeToString(key) + "00"}, "PARTNERCENTER_DATA_KEY_OLD has no data key"},
		{map[string]string{variable: "x", variable + "_FILE": file}, "PARTNERCENTER_DATA_KEY and PARTNERCENTER_DATA_KEY_FILE are both set"},
		{map[string]string{variable + "_FILE": filepath.Join(dir, "none.key")}, "none.key"},
		{map[string]string{variable + "_FILE": filepath.Join(dir, "lines.key")}, "exactly one line"},
		{map[string]string{old + "_FILE": filepath.Join(dir, "lines.key")}, "PARTNERCENTER_DATA_KEY_OLD_FILE"},
	} {
		for _, args := range [][]string{
			{"serve", "--db", database, "--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--ready-file", filepath.Join(dir, "ready.json")},
			{"db", "migrate", "--db", database}, {"db", "copy", "--from", database, "--to", database + "2"}, {"import", file, "--db", database},
		} {
			if args[0] == "import" {
				writeFile(t, filepath.Join(dir, "orders.json"), `{"totalCount":0,"items":[],"attributes":{"objectType":"Collection"}}`)
				args[1] = filepath.Join(dir, "orders.json")
			}
			r := run(tt.env, args...)
			if r.code != terminal.ExitUsage || !strings.Contains(r.stderr, tt.says) || strings.Contains(r.stderr, "hunter2") {
				t.Errorf("%s with %v: %+v", args, tt.env, r)
			}
		}
	}
	if _, err := os.Stat(database); err == nil {
		t.Error("there is a database")
	}

	var id string
	for _, env := range []map[string]string{
		{variable: base64.StdEncoding.EncodeToString(key)},
		{variable: base64.RawURLEncoding.EncodeToString(key)},
		{variable: strings.ToUpper(hex.EncodeToString(key))},
		{variable + "_FILE": file},
		{old: hex.EncodeToString(key)},
	} {
		if r := run(env, "db", "migrate", "--db", database); r.code != 0 {
			t.Fatalf("with %v: %+v", env, r)
		}
		r := run(nil, "db", "status", "--db", database)
		_, after, _ := strings.Cut(r.stdout, "Secrets   sealed with data key ")
		if now, _, _ := strings.Cut(after, "\n"); len(now) != 16 || id != "" && now != id {
			t.Fatalf("with %v, the status is %s", env, r.stdout)
		} else {
			id = now
		}
	}

	for _, args := range [][]string{
		{"serve", "--db", database, "--listen", "127.0.0.1:0", "--listen-tls", "", "--control", "", "--ready-file", filepath.Join(dir, "ready.json")},
		{"db", "migrate", "--db", database}, {"db", "copy", "--from", database, "--to", database + "2"},
		{"import", filepath.Join(dir, "orders.json"), "--db", database},
	} {
		r := run(nil, args...)
		if r.code != terminal.ExitError || !strings.Contains(r.stderr, "its secrets are sealed, and there is no data key (the id of the key is "+id+"); give the key in PARTNERCENTER_DATA_KEY") {
			t.Errorf("%s without the key: %+v", args, r)
		}
		r = run(map[string]string{variable: hex.EncodeToString(other)}, args...)
		if r.code != terminal.ExitError || !strings.Contains(r.stderr, "its secrets are sealed with another data key (its id is "+id) {
			t.Errorf("%s with another key: %+v", args, r)
		}
	}
	if r := run(map[string]string{variable: hex.EncodeToString(other), old: hex.EncodeToString(key)}, "db", "copy", "--from", database, "--to", database+"2"); r.code != 0 {
		t.Fatalf("the copy: %+v", r)
	}
	if r := run(nil, "db", "status", "--db", database+"2", "-o", "json"); !strings.Contains(r.stdout, `"sealed"`) || strings.Contains(r.stdout, id) {
		t.Errorf("the copy: %s", r.stdout)
	}
}

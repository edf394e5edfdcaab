package store

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// backUp makes a backup of a database.
func backUp(t testing.TB, database string) (file string, r *BackupResult) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "x.backup")
	r, err := Backup(t.Context(), database, file, BackupOptions{Program: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return file, r
}

// TestBackup backs up databases that are in use, and restores them in either dialect.
func TestBackup(t *testing.T) {
	places := places(t)
	origin := places["sqlite"]()
	fillForCopy(t, origin, 30, 5)
	copied, err := Copy(t.Context(), origin, places["sqlite"](), CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	from := origin
	for _, dialect := range []string{"postgres", "postgres", "sqlite", "sqlite"} {
		server := openTest(t, from)
		file, r := backUp(t, from)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if r.Digest != copied.Digest || r.Customers != copied.Customers || r.Orders != copied.Orders || r.Partners != 4 {
			t.Errorf("of %s: %+v, want %+v", from, r, copied)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != r.Size {
			t.Errorf("%v, %v, want %d bytes", info, err, r.Size)
		}
		to := places[dialect]()
		made, restored, err := Restore(t.Context(), file, to, CopyOptions{})
		if err != nil {
			t.Fatalf("to %s: %v", dialect, err)
		}
		if restored.Digest != copied.Digest || restored.Orders != copied.Orders || made.Digest != copied.Digest || !made.Made.Equal(r.Made) {
			t.Errorf("to %s: %+v, %+v, want %+v", dialect, made, restored, copied)
		}
		if _, err := Backup(t.Context(), from, file, BackupOptions{}); !errors.Is(err, ErrBackupThere) {
			t.Errorf("over another one: %v", err)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) != 1 {
			t.Errorf("%q, %v", left, err)
		}
		from = to
	}
	var b bytes.Buffer
	if r, err := BackupTo(t.Context(), from, &b, BackupOptions{}); err != nil || r.Digest != copied.Digest || int64(b.Len()) != r.Size {
		t.Errorf("%+v, %v", r, err)
	}
	if ok, err := openTest(t, from).PutSignIn(t.Context(), SignIn{Kind: "grant", ID: "new"}, nothing); !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestBackupDuringWrites has a server write all the time. What it writes at once is in the
// backup or not, as a whole, and nothing is there without what was written before it.
func TestBackupDuringWrites(t *testing.T) {
	places := places(t)
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			from := places[dialect]()
			fillForCopy(t, from, 100, 5)
			s := openTest(t, from)
			var done atomic.Bool
			var written atomic.Int64
			ended := make(chan error, 1)
			go func() {
				for i := 0; ; i++ {
					c := placed(partnerA, []string{orderless, shared}[i%2], fmt.Sprintf("%012d", 1000+i))
					c.Answer = &Answer{Key: fmt.Appendf(nil, "writer %09d", i), Digest: []byte("digest"), Status: 201}
					if err := s.Apply(context.Background(), c); err != nil || done.Load() {
						ended <- err
						return
					}
					written.Add(1)
				}
			}()
			for written.Load() < 10 {
				time.Sleep(time.Millisecond)
			}
			before := written.Load()
			file, r := backUp(t, from)
			after := written.Load()
			done.Store(true)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			to := places["sqlite"]()
			if _, _, err := Restore(t.Context(), file, to, CopyOptions{}); err != nil {
				t.Fatal(err)
			}
			var answers, last, orders int
			err := openTest(t, to).read.QueryRow(`
SELECT count(*), max(CAST(substr(CAST(key AS TEXT), 8) AS INTEGER)) + 1, (SELECT count(*) FROM orders WHERE order_id >= '000000001000' AND order_id < '000000999999')
FROM requests WHERE CAST(key AS TEXT) LIKE 'writer %'`).Scan(&answers, &last, &orders)
			if err != nil || answers != last || orders != answers || int64(answers) < before {
				t.Errorf("%d answers up to %d, and %d orders, after %d: %v", answers, last, orders, before, err)
			}
			t.Logf("of %d orders when it began and %d when it ended the backup has %d; %+v", before, after, orders, r.Made)
		})
	}
}

// TestDamagedBackup cuts a backup at every length, and changes every byte.
func TestDamagedBackup(t *testing.T) {
	places := places(t)
	from := places["sqlite"]()
	fillForCopy(t, from, 1, 1)
	file, _ := backUp(t, from)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.backup")
	try := func(what string, data []byte, want ...error) {
		t.Helper()
		if err := os.WriteFile(bad, data, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := openBackup(t.Context(), bad)
		if err == nil {
			b.close()
		}
		if !errors.As(err, new(*BackupError)) || !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	for n := 0; n < len(whole); n++ {
		try(fmt.Sprint("the first bytes, ", n), whole[:n], ErrBackupCut, ErrNotBackup)
		changed := bytes.Clone(whole)
		changed[n] ^= 1 << (n % 8)
		try(fmt.Sprint("changed byte ", n), changed, ErrBackupDamaged, ErrNotBackup, ErrNewerBackup, ErrBackupCut)
		if n > 200 {
			n += 97 // some will do
		}
	}
	try("cut", whole[:len(whole)-1], ErrBackupCut)
	try("more", append(bytes.Clone(whole), 0), ErrBackupDamaged)
	try("twice", append(bytes.Clone(whole), whole...), ErrBackupDamaged)
	try("of the future", bytes.Replace(whole, []byte("format 1\n"), []byte("format 2\n"), 1), ErrNewerBackup)
	try("a database", []byte(sqliteMagic+strings.Repeat("x", 1000)), ErrNotBackup)
	if _, err := openBackup(t.Context(), bad+"-not"); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := openBackup(t.Context(), filepath.Dir(bad)); !errors.Is(err, ErrNotFile) {
		t.Error(err)
	}
	// Nothing is made for a damaged one.
	to := places["sqlite"]()
	if _, _, err := Restore(t.Context(), bad, to, CopyOptions{}); err == nil {
		t.Error("restored")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("there is a database")
	}
}

// TestForgedBackup has what no backup has, with checksums that are right.
func TestForgedBackup(t *testing.T) {
	good := backupTable{Name: "customers", OfCustomer: true, Key: []string{"partner_id", "customer_id"}, Columns: []string{"customer_id", "partner_id"}}
	for what, test := range map[string]struct {
		table backupTable
		rows  string
		step  int64
		want  error
	}{
		"a newer schema":      {good, "", 9999, ErrNewerBackup},
		"an old schema":       {good, "", 1, ErrBackupDamaged},
		"no name":             {backupTable{Name: "x; DROP TABLE orders", Key: []string{"a"}, Columns: []string{"a"}}, "", 14, ErrBackupDamaged},
		"no column":           {backupTable{Name: "x", Key: []string{"a"}, Columns: []string{"a", "b)"}}, "", 14, ErrBackupDamaged},
		"no key":              {backupTable{Name: "x", Columns: []string{"a"}}, "", 14, ErrBackupDamaged},
		"a key of others":     {backupTable{Name: "x", OfCustomer: true, Key: []string{"a"}, Columns: []string{"a"}}, "", 14, ErrBackupDamaged},
		"an unknown table":    {good, "\x01\x00", 14, ErrBackupDamaged},
		"an unknown value":    {good, "\x00\x09", 14, ErrBackupDamaged},
		"a text that is cut":  {good, "\x00\x02\x7fx", 14, ErrBackupDamaged},
		"a number that is":    {good, "\x00\x01\x80", 14, ErrBackupDamaged},
		"a row that is":       {good, "\x00\x02\x01x", 14, ErrBackupDamaged},
		"a number in the key": {good, "\x00\x02\x01x\x01\x02", 14, ErrBackupDamaged},
	} {
		var b bytes.Buffer
		w, err := newBackupWriter(&b, &backupHeader{ID: "x", Step: test.step, Tables: []backupTable{test.table}})
		if err != nil {
			t.Fatal(err)
		}
		if test.rows != "" {
			if err := w.write(blockCustomers, []byte(test.rows)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.end(&backupEnd{Digest: strings.Repeat("00", 32)}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "forged.backup")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if test.rows == "" {
			if _, _, err := Restore(t.Context(), file, filepath.Join(t.TempDir(), "x.db"), CopyOptions{}); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		o, err := openBackup(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := o.customers(t.Context(), o.schema(), nil, nil)
		if err == nil {
			_, _, _, err = rows.next()
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", what, err)
		}
		o.close()
	}
	// Tables that a database does not have.
	var b bytes.Buffer
	w, err := newBackupWriter(&b, &backupHeader{ID: "x", Step: 14, Tables: []backupTable{good}})
	if err == nil {
		err = w.end(&backupEnd{Digest: strings.Repeat("00", 32)})
	}
	file := filepath.Join(t.TempDir(), "forged.backup")
	if err = errors.Join(err, os.WriteFile(file, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Restore(t.Context(), file, filepath.Join(t.TempDir(), "x.db"), CopyOptions{}); err == nil || !strings.Contains(err.Error(), "table customers") {
		t.Errorf("other tables: %v", err)
	}
}

// limitedWriter has room for so many bytes.
type limitedWriter struct {
	io.Writer
	left int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return w.Writer.Write(p)
}

// TestBackupFails leaves nothing of a backup that fails.
func TestBackupFails(t *testing.T) {
	places := places(t)
	from := places["sqlite"]()
	fillForCopy(t, from, 300, 10)
	folder := t.TempDir()
	file := filepath.Join(folder, "x.backup")
	ctx, cancel := context.WithCancel(t.Context())
	for what, test := range map[string]struct {
		database, file string
		options        BackupOptions
		want           error
	}{
		"a full disk":     {from, file, BackupOptions{wrap: func(w io.Writer) io.Writer { return &limitedWriter{w, 100_000} }}, ErrDiskFull},
		"an interruption": {from, file, BackupOptions{Progress: func(CopyProgress) { cancel() }}, context.Canceled},
		"no folder":       {from, filepath.Join(folder, "no", "x"), BackupOptions{}, ErrNotWritable},
		"no database":     {places["sqlite"](), file, BackupOptions{}, ErrNothing},
		"an empty one":    {places["postgres"](), file, BackupOptions{}, ErrNothing},
		"a temporary one": {":memory:", file, BackupOptions{}, ErrTemporary},
	} {
		within := t.Context()
		if what == "an interruption" {
			within = ctx
		}
		_, err := Backup(within, test.database, test.file, test.options)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", what, left, err)
		}
	}
	half := places["sqlite"]()
	interrupted(t, from, half)
	if _, err := Backup(t.Context(), half, file, BackupOptions{}); !errors.Is(err, ErrCopying) {
		t.Errorf("half a copy: %v", err)
	}
	old, db := oldDatabase(t, searchKeysVersion)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), old, file, BackupOptions{}); !errors.Is(err, ErrOlder) {
		t.Errorf("an old one: %v", err)
	}
	if _, err := openTest(t, from).Partners(t.Context()); err != nil {
		t.Error(err)
	}
}

// interruptedRestore begins to restore a backup and ends it after some customers.
func interruptedRestore(t *testing.T, file, to string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := Restore(ctx, file, to, CopyOptions{batchRows: 20, Progress: func(p CopyProgress) {
		if p.Customers >= 5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("it was not interrupted: %v", err)
	}
	s, err := Open(t.Context(), to, nil)
	if !errors.Is(err, ErrCopying) || !strings.Contains(err.Error(), "partnercenter db restore --from "+file+" --to ") {
		t.Fatalf("a half-filled database: %v, %v", s, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	places := places(t)
	full := places["sqlite"]()
	fillForCopy(t, full, 8, 5)
	file, made := backUp(t, full)
	other, _ := backUp(t, full)
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			half, served, unserved, halfCopy := places[dialect](), places[dialect](), places[dialect](), places[dialect]()
			interruptedRestore(t, file, half)
			interrupted(t, full, halfCopy)
			openTest(t, served)
			inUse, notEmpty := ErrServersRun, ErrNotEmpty
			if dialect == "sqlite" {
				inUse = ErrLocked
			}
			fillForCopy(t, unserved, 1, 1)
			for what, test := range map[string]struct {
				to   string
				want error
			}{
				"into one in use":              {served, inUse},
				"into one that is not empty":   {unserved, notEmpty},
				"into half a copy":             {halfCopy, ErrOtherCopy},
				"into half of another restore": {half, ErrOtherCopy},
			} {
				if _, _, err := Restore(t.Context(), other, test.to, CopyOptions{}); !errors.Is(err, test.want) {
					t.Errorf("%s: %v, want %v", what, err, test.want)
				}
			}
			if _, err := Copy(t.Context(), full, half, CopyOptions{}); !errors.Is(err, ErrOtherCopy) {
				t.Errorf("a copy into half a restore: %v", err)
			}
			// What was half restored can still be completed, from a file that was moved.
			moved := filepath.Join(t.TempDir(), "moved.backup")
			if err := os.Link(file, moved); err != nil {
				t.Fatal(err)
			}
			if _, r, err := Restore(t.Context(), moved, half, CopyOptions{}); err != nil || r.Resumed < 5 || r.Again > 0 || r.Digest != made.Digest {
				t.Errorf("%+v, %v", r, err)
			}
			openTest(t, half)
		})
	}
}

// TestRestoreOlder restores backups of an older step of the schema.
func TestRestoreOlder(t *testing.T) {
	places := places(t)
	for _, from := range []string{"sqlite", "postgres"} {
		name := places[from]()
		fillForCopy(t, name, 20, 2)
		s, err := Open(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		statements := []string{`DROP TABLE carts`, `DELETE FROM goose_db_version WHERE version_id > 13`}
		if from == "postgres" {
			statements = []string{`DROP TABLE carts`, `DROP TABLE windows`, `DROP TABLE servers`, `DELETE FROM ` + migrationsTable + ` WHERE version_id > 13`}
		}
		conn, err := s.write.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		_ = conn.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// The program of then knew of no carts.
		now, oldest := tables, backupSource.oldest
		tables, backupSource.oldest = slices.DeleteFunc(slices.Clone(tables), func(t table) bool { return t.name == "carts" }), 13
		file, made := backUp(t, name)
		tables, backupSource.oldest = now, oldest
		if made.Step != 13 {
			t.Fatalf("%+v", made)
		}
		for _, dialect := range []string{"sqlite", "postgres"} {
			to := places[dialect]()
			interruptedRestore(t, file, to)
			if from == dialect { // and once more after it was compared
				b, err := openBackup(t.Context(), file)
				if err != nil {
					t.Fatal(err)
				}
				c := newCopier(CopyOptions{}, b)
				c.origin = copyState{From: b.name, Backup: b.header.ID}
				if c.to, err = openTarget(t.Context(), to, access{writes: true, creates: true, oldest: 13}, nil, c.Logger); err != nil {
					t.Fatal(err)
				}
				c.to.toStep = func(context.Context, int64) error { return context.Canceled }
				if err := c.restore(t.Context(), b, made, 14); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if err := c.to.close(); err != nil {
					t.Fatal(err)
				}
				b.close()
			}
			if s, err := Open(t.Context(), to, nil); !errors.Is(err, ErrCopying) {
				t.Fatalf("half a restore: %v, %v", s, err)
			}
			if _, _, err := Migrate(t.Context(), to, Options{}); !errors.Is(err, ErrCopying) {
				t.Fatal(err)
			}
			_, r, err := Restore(t.Context(), file, to, CopyOptions{})
			if err != nil || r.Digest != made.Digest {
				t.Errorf("from %s to %s: %+v, %v", from, dialect, r, err)
			}
			if st, err := Inspect(t.Context(), to); err != nil || st.Step != st.Known || st.Copy != nil {
				t.Errorf("%+v, %v", st, err)
			}
			openTest(t, to)
		}
		// A database with tables of the last step is another one.
		for _, dialect := range []string{"sqlite", "postgres"} {
			to := places[dialect]()
			if _, _, err := Migrate(t.Context(), to, Options{}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := Restore(t.Context(), file, to, CopyOptions{}); !errors.Is(err, ErrOtherStep) {
				t.Error(err)
			}
		}
	}
}

var backupOrders = flag.Int("backup-orders", 2000, "orders to back up, in TestKilledDuringRestore")

// TestKilledDuringRestore kills restores at random moments. Nobody can open what they
// leave, and the next one goes on. It says how many orders a second go where.
func TestKilledDuringRestore(t *testing.T) {
	const child = "PARTNERCENTER_TEST_RESTORE"
	options := CopyOptions{batchRows: max(50, *backupOrders/20)}
	if ends := os.Getenv(child); ends != "" {
		file, to, _ := strings.Cut(ends, " ")
		fmt.Println("restoring")
		if _, _, err := Restore(context.Background(), file, to, options); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // until killed
	}
	places := places(t)
	rate := func(what string, from time.Time, orders int) time.Duration {
		took := time.Since(from)
		t.Logf("%s: %d orders in %v, %.0f a second", what, orders, took.Round(time.Millisecond), float64(orders)/took.Seconds())
		return took
	}
	from := places["sqlite"]()
	fillForCopy(t, from, *backupOrders/10, 10)
	for _, dialect := range []string{"postgres", "sqlite"} {
		started := time.Now()
		file, made := backUp(t, from)
		rate("backup before "+dialect, started, made.Orders)
		t.Logf("%d bytes, %d an order", made.Size, made.Size/int64(made.Orders))
		started = time.Now()
		if _, _, err := Restore(t.Context(), file, places[dialect](), CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		took := rate("restore to "+dialect, started, made.Orders)
		to := places[dialect]()
		for round := range 3 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDuringRestore$", fmt.Sprint("-backup-orders=", *backupOrders))
			cmd.Env = append(os.Environ(), child+"="+file+" "+to)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(took * time.Duration(round+1) / 5)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(out)
			_ = cmd.Wait() // killed
			if strings.Contains(string(rest), "FAIL") {
				t.Fatalf("round %d to %s: %s", round, dialect, rest)
			}
			switch s, err := Open(t.Context(), to, nil); {
			case errors.Is(err, ErrCopying):
			case err == nil && s.Fresh(), err == nil && round > 0:
				t.Logf("round %d to %s: it had not begun, or was complete", round, dialect)
				to = places[dialect]()
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			default:
				t.Fatal(err)
			}
		}
		if _, r, err := Restore(t.Context(), file, to, options); err != nil || r.Digest != made.Digest {
			t.Errorf("to %s: %+v, %v", dialect, r, err)
		}
		started = time.Now()
		if r, err := Check(t.Context(), to, CheckOptions{}); err != nil || len(r.Findings) > 0 || r.Orders != made.Orders {
			t.Errorf("to %s: %+v, %v", dialect, r, err)
		}
		rate("check of "+dialect, started, made.Orders)
		from = to
	}
}

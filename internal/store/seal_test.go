package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, DataKeySize) }

func openSealed(t *testing.T, name string, keys DataKeys) *Store {
	t.Helper()
	s, err := Open(t.Context(), name, &Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// theSecrets are those that fillSecrets stores, as texts.
var theSecrets = []string{"first-app-secret", "second-app-secret", "the-user-password", "the-signing-key", "the-sign-in"}

// secretSeed has a partner with secrets.
func secretSeed() *seed.Seed {
	return &seed.Seed{Partners: []seed.Partner{{
		Tenant: seed.Tenant{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
		Apps:   []seed.App{{ClientID: shared, Name: "app", Secret: theSecrets[0], Secrets: []seed.AppSecret{{Value: theSecrets[1]}}}},
		Users:  []seed.User{{UserPrincipalName: "Ada@a.example", Name: "Ada", Password: theSecrets[2]}},
	}}}
}

// fillSecrets stores one of everything that is sealed.
func fillSecrets(t *testing.T, s *Store) {
	t.Helper()
	load(t, s, secretSeed())
	if err := s.AddSigningKey(t.Context(), SigningKey{ID: "k1", PEM: []byte(theSecrets[3])}); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if ok, err := s.PutSignIn(t.Context(), SignIn{Kind: "flow", ID: "f1", Expires: later, System: later, Data: []byte(theSecrets[4])}, nothing); err != nil || !ok {
		t.Fatalf("the sign-in is stored: %v, %v", ok, err)
	}
	if _, err := s.Secret(t.Context(), "tokens", 32); err != nil {
		t.Fatal(err)
	}
}

// secretsOf returns what a Store says the secrets are.
func secretsOf(t *testing.T, s *Store) (texts []string, err error) {
	t.Helper()
	apps, err1 := s.Apps(t.Context(), partnerA)
	users, err2 := s.Users(t.Context(), partnerA)
	keys, err3 := s.SigningKeys(t.Context())
	signIn, err4 := s.SignIn(t.Context(), "flow", "f1")
	all, err5 := s.SignIns(t.Context(), "flow")
	random, err6 := s.Secret(t.Context(), "tokens", 32)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	if len(random) != 32 || len(all) != 1 || !bytes.Equal(all[0].Data, signIn.Data) {
		t.Errorf("a secret of %d bytes, and sign-ins %v", len(random), all)
	}
	return []string{apps[0].Secret, apps[0].Secrets[0].Value, users[0].Password, string(keys[0].PEM), string(signIn.Data)}, nil
}

func mustHaveSecrets(t *testing.T, s *Store) {
	t.Helper()
	texts, err := secretsOf(t, s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, texts, theSecrets)
}

// storedSecrets returns all values of sealed columns, as they are stored.
func storedSecrets(t *testing.T, s *Store) (values []string) {
	t.Helper()
	for _, c := range sealedColumns {
		rows, err := s.read.QueryContext(t.Context(), fmt.Sprintf(`SELECT %s FROM %s WHERE %s LIKE '%s%%'`, c.column, c.table, c.key[0], c.prefix))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		before := len(values)
		for rows.Next() {
			var value string
			if err := rows.Scan(&value); err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		if err := rows.Err(); err != nil || len(values) == before {
			t.Fatalf("%s has %d values: %v", c.table, len(values)-before, err)
		}
	}
	return values
}

func mustBeSealed(t *testing.T, s *Store, key []byte) {
	t.Helper()
	for _, value := range storedSecrets(t, s) {
		same(t, sealedBy(value), newDataKey(key).id)
	}
}

// onBoth runs a test on an empty database of each dialect.
func onBoth(t *testing.T, test func(t *testing.T, name string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "sealed.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgrestest.Start(t).NewDatabase(t)) })
}

// What is stored without a key is sealed when there is one, and what comes later, too. The
// next key replaces the one before.
func TestSealed(t *testing.T) {
	onBoth(t, func(t *testing.T, name string) {
		s := openSealed(t, name, DataKeys{})
		fillSecrets(t, s)
		for _, value := range storedSecrets(t, s) {
			same(t, sealedBy(value), "")
		}
		s.Close()

		var log bytes.Buffer
		s, err := Open(t.Context(), name, &Options{Keys: DataKeys{Seal: testKey(1)}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if id := newDataKey(testKey(1)).id; !strings.Contains(log.String(), "secrets in the database are sealed") || !strings.Contains(log.String(), "values=6 key="+id) {
			t.Errorf("the log has %s", &log)
		}
		mustBeSealed(t, s, testKey(1))
		mustHaveSecrets(t, s)
		// What is loaded again has not changed.
		before := storedSecrets(t, s)
		if result := load(t, s, secretSeed()); result.Changed != 0 {
			t.Errorf("loaded again, %d rows have changed", result.Changed)
		}
		same(t, storedSecrets(t, s), before)
		// What is new is sealed.
		if err := s.ChangeApp(t.Context(), partnerA, shared, func(a *seed.App) error { a.Name = "other name"; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeSigningKeys(t.Context(), func([]SigningKey) (KeyChange, error) {
			return KeyChange{Add: &SigningKey{ID: "k2", PEM: []byte(theSecrets[3])}}, nil
		}); err != nil {
			t.Fatal(err)
		}
		mustBeSealed(t, s, testKey(1))
		mustHaveSecrets(t, s)
		status, err := Inspect(t.Context(), name)
		if err != nil || status.Sealed != newDataKey(testKey(1)).id {
			t.Errorf("the status is %+v, %v", status, err)
		}
		s.Close()

		s = openSealed(t, name, DataKeys{Seal: testKey(2), Other: testKey(1)})
		mustBeSealed(t, s, testKey(2))
		mustHaveSecrets(t, s)
		s.Close()
		s = openSealed(t, name, DataKeys{Seal: testKey(2)})
		mustHaveSecrets(t, s)
		s.Close()
		// A key that is only known seals nothing anew.
		s = openSealed(t, name, DataKeys{Other: testKey(2)})
		mustHaveSecrets(t, s)
		if err := s.AddSigningKey(t.Context(), SigningKey{ID: "k3", PEM: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		mustBeSealed(t, s, testKey(2))
	})
}

// No database is opened without its key, and nothing is written to it.
func TestSealedNeedsItsKey(t *testing.T) {
	onBoth(t, func(t *testing.T, name string) {
		s := openSealed(t, name, DataKeys{Seal: testKey(1)})
		fillSecrets(t, s)
		stored := storedSecrets(t, s)
		s.Close()
		var file []byte
		if !IsPostgres(name) {
			var err error
			if file, err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
		id := newDataKey(testKey(1)).id
		for _, tt := range []struct {
			keys   DataKeys
			reason error
			says   []string
		}{
			{DataKeys{}, ErrSealed, []string{id, "PARTNERCENTER_DATA_KEY"}},
			{DataKeys{Seal: testKey(2)}, ErrOtherKey, []string{id, newDataKey(testKey(2)).id, "PARTNERCENTER_DATA_KEY_OLD"}},
			{DataKeys{Seal: testKey(2), Other: testKey(3)}, ErrOtherKey, []string{id, newDataKey(testKey(3)).id}},
		} {
			open := map[string]func() error{
				"Open": func() error {
					_, err := Open(t.Context(), name, &Options{Keys: tt.keys})
					return err
				},
				"Copy": func() error {
					to := filepath.Join(t.TempDir(), "copy.db")
					_, err := Copy(t.Context(), name, to, CopyOptions{Keys: tt.keys})
					if _, there := os.Stat(to); there == nil {
						t.Error("the copy is begun")
					}
					return err
				},
			}
			for what, do := range open {
				err := do()
				var e *OpenError
				if !errors.As(err, &e) || !errors.Is(err, tt.reason) {
					t.Fatalf("%s fails with %v", what, err)
				}
				for _, text := range tt.says {
					if !strings.Contains(err.Error(), text) {
						t.Errorf("%s fails with %q, without %q", what, err, text)
					}
				}
			}
		}
		if file != nil {
			after, err := os.ReadFile(name)
			if err != nil || !bytes.Equal(file, after) {
				t.Errorf("the file has changed: %v", err)
			}
		}
		s = openSealed(t, name, DataKeys{Seal: testKey(1)})
		same(t, storedSecrets(t, s), stored)
		mustHaveSecrets(t, s)
	})
}

// A sealed value is good in its place only, and nothing that is not sealed is taken for it.
func TestSealedStaysInItsPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, name string) {
		s := openSealed(t, name, DataKeys{Seal: testKey(1)})
		fillSecrets(t, s)
		if err := s.PutUser(t.Context(), partnerA, seed.User{UserPrincipalName: "eve@a.example", Name: "Eve", Password: "hers"}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ name, change, undo string }{
			{"another user's", `UPDATE users SET password = (SELECT password FROM users WHERE upn_key LIKE 'eve%') WHERE upn_key LIKE 'ada%'`, "users"},
			{"another column's", `UPDATE users SET password = (SELECT secret FROM apps) WHERE upn_key LIKE 'ada%'`, "users"},
			{"plain", `UPDATE users SET password = 'guess' WHERE upn_key LIKE 'ada%'`, "users"},
			{"changed", `UPDATE users SET password = replace(password, substr(password, 60, 4), 'AAAA') WHERE upn_key LIKE 'ada%'`, "users"},
			{"cut off", `UPDATE users SET password = substr(password, 1, 40) WHERE upn_key LIKE 'ada%'`, "users"},
			{"empty", `UPDATE users SET password = '' WHERE upn_key LIKE 'ada%'`, "users"},
		} {
			if _, err := s.write.ExecContext(t.Context(), tt.change); err != nil {
				t.Fatal(err)
			}
			if users, err := s.Users(t.Context(), partnerA); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "ada@a.example") {
				t.Errorf("%s: %v, %v", tt.name, users, err)
			}
		}
	})
}

// Without the setting that says what a database is sealed with, nothing that is not sealed is
// taken for it.
func TestSealIsNotRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, name string) {
		s := openSealed(t, name, DataKeys{Seal: testKey(1)})
		fillSecrets(t, s)
		for _, change := range []string{`DELETE FROM settings WHERE name = 'sealed'`, `UPDATE users SET password = 'guess'`} {
			if _, err := s.write.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		if s, err := Open(t.Context(), name, &Options{Keys: DataKeys{Seal: testKey(1)}}); !errors.Is(err, ErrDamaged) {
			t.Errorf("opened: %v, %v", s, err)
		}
	})
}

// Nothing in the files of a database is left of secrets that were not sealed.
func TestNothingUnsealedIsLeft(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sealed.db")
	s := openSealed(t, name, DataKeys{})
	fillSecrets(t, s)
	s.Close()
	leaked := func() (texts []string) {
		files, err := filepath.Glob(name + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range theSecrets {
				if bytes.Contains(content, []byte(text)) && !slices.Contains(texts, text) {
					texts = append(texts, text)
				}
			}
		}
		slices.Sort(texts)
		return texts
	}
	same(t, leaked(), slices.Sorted(slices.Values(theSecrets)))
	s = openSealed(t, name, DataKeys{Seal: testKey(1)})
	if texts := leaked(); texts != nil {
		t.Errorf("there still is %q", texts)
	}
	mustHaveSecrets(t, s)
}

// Of several servers that begin with a key, one seals. One that runs without it, or with
// the one before, refuses to go on until it has it.
func TestServersShareSeal(t *testing.T) {
	name := postgrestest.Start(t).NewDatabase(t)
	plain := openSealed(t, name, DataKeys{})
	fillSecrets(t, plain)
	ready := openSealed(t, name, DataKeys{Other: testKey(1)}) // before all others have the key
	mustHaveSecrets(t, ready)

	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s, err := Open(context.Background(), name, &Options{Keys: DataKeys{Seal: testKey(1)}})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			mustHaveSecrets(t, s)
		})
	}
	group.Wait()
	mustBeSealed(t, plain, testKey(1))
	later := time.Now().Add(time.Hour)
	put := func(s *Store, id string) error {
		_, err := s.PutSignIn(t.Context(), SignIn{Kind: "flow", ID: id, Expires: later, System: later, Data: []byte("x")}, nothing)
		return err
	}
	refuses := func(s *Store, reason error) {
		t.Helper()
		_, err := secretsOf(t, s)
		for _, err := range []error{err, put(s, "f2"), s.AddSigningKey(t.Context(), SigningKey{ID: "k9", PEM: []byte("x")}), s.PutUser(t.Context(), partnerA, seed.User{UserPrincipalName: "b@a.example", Name: "B"}), s.Ping(t.Context())} {
			var unusable *UnusableError
			if !errors.As(err, &unusable) || !errors.Is(err, reason) {
				t.Errorf("a server without the key: %v", err)
			}
		}
	}
	refuses(plain, ErrSealed)
	mustBeSealed(t, plain, testKey(1))

	// The server that knew the key goes on, and seals.
	mustHaveSecrets(t, ready)
	if err := put(ready, "f3"); err != nil {
		t.Fatal(err)
	}
	mustBeSealed(t, plain, testKey(1))
	if err := ready.Ping(t.Context()); err != nil {
		t.Error(err)
	}

	// The same with the next key.
	old := openSealed(t, name, DataKeys{Seal: testKey(1)})
	both := openSealed(t, name, DataKeys{Seal: testKey(1), Other: testKey(2)})
	next := openSealed(t, name, DataKeys{Seal: testKey(2), Other: testKey(1)})
	refuses(old, ErrOtherKey)
	if err := put(both, "f4"); err != nil {
		t.Fatal(err)
	}
	mustBeSealed(t, next, testKey(2))
}

// A copy has secrets sealed with its own key, whatever those of the original are sealed with.
func TestCopySealed(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		from, to                 []byte // what original and copy are sealed with
		keys                     DataKeys
		fromPostgres, toPostgres bool
	}{
		{name: "sealed", to: testKey(1), keys: DataKeys{Seal: testKey(1)}},
		{name: "unsealed", from: testKey(1), keys: DataKeys{Other: testKey(1)}},
		{name: "sealed again", from: testKey(1), to: testKey(1), keys: DataKeys{Seal: testKey(1)}},
		{name: "with another key", from: testKey(1), to: testKey(2), keys: DataKeys{Seal: testKey(2), Other: testKey(1)}, toPostgres: true},
		{name: "and back", from: testKey(1), to: testKey(2), keys: DataKeys{Seal: testKey(2), Other: testKey(1)}, fromPostgres: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "to.db")
			if tt.fromPostgres {
				from = postgrestest.Start(t).NewDatabase(t)
			}
			if tt.toPostgres {
				to = postgrestest.Start(t).NewDatabase(t)
			}
			s := openSealed(t, from, DataKeys{Seal: tt.from})
			fillSecrets(t, s)
			s.Close()
			result, err := Copy(t.Context(), from, to, CopyOptions{Keys: tt.keys})
			if err != nil {
				t.Fatal(err)
			}
			again, err := Copy(t.Context(), from, filepath.Join(t.TempDir(), "again.db"), CopyOptions{Keys: DataKeys{Other: tt.from}})
			if err != nil || again.Digest != result.Digest {
				t.Errorf("a copy that is not sealed has another digest: %v", err)
			}
			s = openSealed(t, to, DataKeys{Other: tt.to})
			for _, value := range storedSecrets(t, s) {
				if tt.to == nil {
					same(t, sealedBy(value), "")
				} else {
					same(t, sealedBy(value), newDataKey(tt.to).id)
				}
			}
			mustHaveSecrets(t, s)
		})
	}
}

// A backup has secrets as they are stored, and what is restored of it needs their key.
func TestBackupSealed(t *testing.T) {
	places := places(t)
	keys := DataKeys{Seal: testKey(1)}
	from := places["sqlite"]()
	s := openSealed(t, from, keys)
	fillSecrets(t, s)
	want, err := secretsOf(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []string{"postgres", "sqlite"} {
		file, made := backUp(t, from)
		to := places[dialect]()
		if _, r, err := Restore(t.Context(), file, to, CopyOptions{}); err != nil || r.Digest != made.Digest {
			t.Fatalf("%s: %+v, of %+v, %v", dialect, r, made, err)
		}
		if s, err := Open(t.Context(), to, nil); !errors.Is(err, ErrSealed) {
			t.Fatalf("%s without the key: %v, %v", dialect, s, err)
		}
		got, err := secretsOf(t, openSealed(t, to, keys))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, of %v, %v", dialect, got, want, err)
		}
		from = to
	}
}

// Where nothing is sealed, no secret looks as if it was.
func TestNoSecretLooksSealed(t *testing.T) {
	s := openTest(t, ":memory:")
	load(t, s, secretSeed())
	err := s.PutUser(t.Context(), partnerA, seed.User{UserPrincipalName: "b@a.example", Name: "B", Password: newDataKey(testKey(1)).seal(sealedPlace, "x")})
	if err == nil || !strings.Contains(err.Error(), "use another") {
		t.Errorf("stored: %v", err)
	}
}

// Sealed values of this version are opened by every later one.
func TestSealedFormat(t *testing.T) {
	const stored = "sealed:1:f5f0fe19242afedf:7ReyRHolv+R2MaaUftMYGF/kT+aFkSZMg2rRdEE5e8OkDVYJbvthZdHzmIeoXTPXBxK8jtiIvpb3bvumPA"
	key := newDataKey([]byte("0123456789abcdef0123456789abcdef"))
	p := at("users", "password", partnerA, "ada@a.example")
	value, ok := key.open(p, stored)
	if !ok || value != "the-user-password" {
		t.Errorf("%q, %v; now it is %s", value, ok, key.seal(p, "the-user-password"))
	}
	if diff := cmp.Diff(key.seal(p, "x"), key.seal(p, "x")); diff == "" {
		t.Error("sealed twice, a value is the same")
	}
}

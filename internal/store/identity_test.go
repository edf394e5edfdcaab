package store

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

const suiteApp = "aaaaaaaa-0000-4000-8000-0000000000aa"

// testCertificate is one that apps may have; nobody keeps its key.
var testCertificate = sync.OnceValue(func() string {
	key, err1 := rsa.GenerateKey(rand.Reader, 2048)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: suiteNow, NotAfter: suiteNow.AddDate(1, 0, 0)}
	der, err2 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
})

func testPutApp(t *testing.T, s *Store) {
	ctx := t.Context()
	get := func() seed.App {
		t.Helper()
		apps, err := s.Apps(ctx, partnerA)
		if err != nil || len(apps) != 1 {
			t.Fatalf("apps %+v, %v", apps, err)
		}
		return apps[0]
	}
	made := get()
	for _, change := range []func(*seed.App){
		func(a *seed.App) { a.Name = "other" },
		func(a *seed.App) { a.Secret = "a+b%20c&d" },
		func(a *seed.App) { a.Secrets = []seed.AppSecret{{Value: "old"}, {Value: "new"}} },
		func(a *seed.App) {
			a.Secrets = []seed.AppSecret{{Value: "old", Expires: mustTime("2025-01-01")}, {Value: "new"}}
		},
		func(a *seed.App) { a.Certificates = []seed.AppCertificate{{PEM: testCertificate()}} },
		func(a *seed.App) { a.Certificates = []seed.AppCertificate{{PEM: testCertificate(), Revoked: true}} },
		func(a *seed.App) { a.RedirectURIs = []string{"http://localhost", "urn:ietf:wg:oauth:2.0:oob"} },
		func(a *seed.App) { a.Public = true },
		func(a *seed.App) { a.MultiTenant = true },
		func(a *seed.App) { a.AdminConsent = true },
		func(a *seed.App) { a.Disabled = true },
		func(a *seed.App) { a.Secrets, a.Certificates, a.RedirectURIs = nil, nil, nil },
	} {
		want := get()
		change(&want)
		if err := s.PutApp(ctx, strings.ToUpper(partnerA), want); err != nil {
			t.Fatal(err)
		}
		same(t, get(), want)
	}
	if err := s.PutApp(ctx, partnerA, seed.App{ClientID: strings.ToUpper(suiteApp), Name: "bare"}); err != nil {
		t.Fatal(err)
	}
	same(t, get(), seed.App{ClientID: suiteApp, ObjectID: made.ObjectID, Name: "bare", Secret: "a+b%20c&d"})

	// Each field by itself is a change that a load sees.
	data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}, Apps: []seed.App{get()}}}}
	load(t, s, data)
	for _, change := range []func(*seed.App){
		func(a *seed.App) { a.Secrets = []seed.AppSecret{{Value: "new"}} },
		func(a *seed.App) { a.Certificates = []seed.AppCertificate{{PEM: testCertificate()}} },
		func(a *seed.App) { a.RedirectURIs = []string{"http://localhost"} },
		func(a *seed.App) { a.Public = true }, func(a *seed.App) { a.MultiTenant = true },
		func(a *seed.App) { a.AdminConsent = true }, func(a *seed.App) { a.Disabled = true },
	} {
		change(&data.Partners[0].Apps[0])
		if first, again := load(t, s, data).Changed, load(t, s, data).Changed; first != 1 || again != 0 {
			t.Errorf("%+v: %d changes, then %d", data.Partners[0].Apps[0], first, again)
		}
		same(t, get(), data.Partners[0].Apps[0])
	}

	before := get()
	fails(t, s.PutApp(ctx, shared, seed.App{ClientID: suiteApp}), ErrPartnerNotFound)
	for _, tt := range []struct {
		partner string
		app     seed.App
		field   string
	}{
		{partnerA, seed.App{}, "clientId"},
		{partnerB, seed.App{ClientID: suiteApp}, "clientId"},
		{partnerA, seed.App{ClientID: suiteApp, Secrets: []seed.AppSecret{{Value: "x"}, {}}}, "secrets[1].value"},
		{partnerA, seed.App{ClientID: suiteApp, Secrets: []seed.AppSecret{{Value: "x", Expires: mustTime("0001-01-01")}}}, "secrets[0].expires"},
		{partnerA, seed.App{ClientID: suiteApp, Certificates: []seed.AppCertificate{{}}}, "certificates[0].pem"},
		{partnerA, seed.App{ClientID: suiteApp, RedirectURIs: []string{"http://localhost", "/"}}, "redirectUris[1]"},
		{partnerA, seed.App{ClientID: suiteApp, RedirectURIs: make([]string, 257)}, "redirectUris"},
	} {
		err := s.PutApp(ctx, tt.partner, tt.app)
		var field *seed.FieldError
		if !errors.As(err, &field) || field.Field != tt.field {
			t.Errorf("%+v: error is %v, want one about %s", tt.app, err, tt.field)
		}
	}
	same(t, get(), before)
}

func testPutUser(t *testing.T, s *Store) {
	ctx := t.Context()
	get := func() seed.User {
		t.Helper()
		users, err := s.Users(ctx, partnerA)
		if err != nil || len(users) != 1 {
			t.Fatalf("users %+v, %v", users, err)
		}
		return users[0]
	}
	if err := s.PutUser(ctx, partnerA, seed.User{UserPrincipalName: "ada@a.example"}); err != nil {
		t.Fatal(err)
	}
	made := get()
	if len(made.Password) != 40 || !guid.Is(made.ObjectID) || made.WithoutMFA {
		t.Errorf("made %+v", made)
	}
	for _, change := range []func(*seed.User){
		func(u *seed.User) { u.Name = "Ada" },
		func(u *seed.User) { u.Password = "correct horse" },
		func(u *seed.User) { u.WithoutMFA = true },
		func(u *seed.User) { u.Disabled = true },
		func(u *seed.User) {
			u.Roles = []partnercenter.UserRole{partnercenter.UserRoleAdminAgent, partnercenter.UserRoleHelpdeskAgent}
		},
	} {
		want := get()
		change(&want)
		if err := s.PutUser(ctx, strings.ToUpper(partnerA), want); err != nil {
			t.Fatal(err)
		}
		same(t, get(), want)
		// Each field by itself is a change that a load sees.
		change(&made)
		data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA, Name: "A"}, Users: []seed.User{made}}}}
		load(t, s, data)
		if n := load(t, s, data).Changed; n != 0 {
			t.Errorf("%d changes by the same seed", n)
		}
		same(t, get(), made)
	}
	if err := s.PutUser(ctx, partnerA, seed.User{UserPrincipalName: "ADA@a.example"}); err != nil {
		t.Fatal(err)
	}
	same(t, get(), seed.User{UserPrincipalName: "ADA@a.example", ObjectID: made.ObjectID, Password: "correct horse"})

	before := get()
	fails(t, s.PutUser(ctx, shared, seed.User{UserPrincipalName: "ada@c.example"}), ErrPartnerNotFound)
	for _, tt := range []struct {
		partner string
		user    seed.User
		field   string
	}{
		{partnerA, seed.User{}, "userPrincipalName"},
		{partnerA, seed.User{UserPrincipalName: "ada"}, "userPrincipalName"},
		{partnerB, seed.User{UserPrincipalName: "Ada@a.example"}, "userPrincipalName"},
		{partnerA, seed.User{UserPrincipalName: "ada@a.example", Roles: []partnercenter.UserRole{partnercenter.UserRoleAdminAgent, "owner"}}, "roles[1]"},
	} {
		err := s.PutUser(ctx, tt.partner, tt.user)
		var field *seed.FieldError
		if !errors.As(err, &field) || field.Field != tt.field {
			t.Errorf("%+v: error is %v, want one about %s", tt.user, err, tt.field)
		}
	}
	same(t, get(), before)

	// Names that only Unicode's rules make the same are others'.
	names := []string{"\u212Aarl@a.example", "karl@a.example", "École@a.example", "école@a.example"}
	for _, name := range names {
		if err := s.PutUser(ctx, partnerA, seed.User{UserPrincipalName: name, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if users, err := s.Users(ctx, partnerA); err != nil || len(users) != 1+len(names) {
		t.Errorf("%d users, %v: %+v", len(users), err, users)
	}
}

func testConsents(t *testing.T, s *Store) {
	ctx := t.Context()
	is := func(want ...Consent) {
		t.Helper()
		got, err := s.Consents(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
	}
	put := func(c Consent) {
		t.Helper()
		if err := s.ChangeConsent(ctx, c.TenantID, c.ClientID, c.UserID, func(to *Consent) error {
			to.Scope, to.AppScope, to.Created = c.Scope, c.AppScope, c.Created
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	is()
	const ada = "eeeeeeee-0000-4000-8000-00000000000e"
	earlier := suiteNow.Add(-time.Hour)
	put(Consent{TenantID: strings.ToUpper(partnerA), ClientID: strings.ToUpper(suiteApp), UserID: strings.ToUpper(ada), Scope: "a", Created: earlier})
	put(Consent{TenantID: partnerA, ClientID: suiteApp, Scope: "a b"})
	put(Consent{TenantID: shared, ClientID: suiteApp, Scope: "c", AppScope: "e f"}) // a customer's
	all := Consent{TenantID: partnerA, ClientID: suiteApp, Scope: "a b", Created: suiteNow}
	hers := Consent{TenantID: partnerA, ClientID: suiteApp, UserID: ada, Scope: "a", Created: earlier}
	customers := Consent{TenantID: shared, ClientID: suiteApp, Scope: "c", AppScope: "e f", Created: suiteNow}
	is(all, hers, customers)

	put(Consent{TenantID: partnerA, ClientID: suiteApp, UserID: ada, Scope: "d"})
	hers.Scope, hers.Created = "d", suiteNow
	is(all, hers, customers)

	remove := func(userID string, left ...Consent) {
		t.Helper()
		for range 2 {
			put(Consent{TenantID: strings.ToUpper(partnerA), ClientID: strings.ToUpper(suiteApp), UserID: userID})
			is(left...)
		}
	}
	remove("", hers, customers)
	remove(strings.ToUpper(ada), customers)

	// A seed states an administrator's consent, again and again.
	data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
		Consents: []seed.Consent{{ClientID: strings.ToUpper(suiteApp), Resources: []string{"a", "b"}, AppResources: []string{"c"}}}}}}
	seeded := Consent{TenantID: partnerA, ClientID: suiteApp, Scope: "a b", AppScope: "c", Created: suiteNow}
	for range 2 {
		load(t, s, data)
		is(seeded, customers)
	}
	if got, err := s.Load(ctx, data); err != nil || got.Changed != 0 {
		t.Errorf("loaded again: %+v, %v", got, err)
	}
	data.Partners[0].Consents[0].AppResources = nil
	load(t, s, data)
	seeded.AppScope = ""
	is(seeded, customers)
	data.Partners[0].Consents[0].ClientID = ""
	if _, err := s.Load(ctx, data); err == nil || !strings.Contains(err.Error(), "give it one") {
		t.Errorf("a consent to no app: %v", err)
	}
}

// Of consents that are given at once, none is lost, and a change that fails changes
// nothing.
func testConsentChanges(t *testing.T, s *Store) {
	add := func(resource string) error {
		return s.ChangeConsent(t.Context(), partnerA, suiteApp, "", func(c *Consent) error {
			c.Scope = strings.TrimSpace(c.Scope + " " + resource)
			return nil
		})
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := add(fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	refused := errors.New("refused")
	before := s.SharedVersion(Identity)
	fails(t, s.ChangeConsent(t.Context(), partnerA, suiteApp, "", func(c *Consent) error {
		c.Scope = "x"
		return refused
	}), refused)
	if s.SharedVersion(Identity) != before {
		t.Error("a change that failed changed the version")
	}
	if got, err := s.Consents(t.Context()); err != nil || len(got) != 1 || len(strings.Fields(got[0].Scope)) != 8 {
		t.Errorf("%+v, %v", got, err)
	}
}

func testSignIns(t *testing.T, s *Store) {
	ctx := t.Context()
	get := func(kind, id string) *SignIn {
		t.Helper()
		r, err := s.SignIn(ctx, kind, id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	put := func(r SignIn, want bool) {
		t.Helper()
		if ok, err := s.PutSignIn(ctx, r, nothing); err != nil || ok != want {
			t.Fatalf("put %+v: %v, %v", r, ok, err)
		}
	}
	ada := SignIn{Kind: "code", ID: "a", Owner: "ada", Proved: true, Expires: suiteNow, System: suiteNow.Add(time.Minute), Data: []byte("{}\x00")}
	if got := get("code", "a"); got != nil {
		t.Errorf("got %+v before it is there", got)
	}
	put(ada, true)
	put(ada, false) // it is there
	put(SignIn{Kind: "device", ID: "a"}, true)
	put(SignIn{Kind: "code", ID: "A"}, true)
	ada.Revision = 1
	same(t, *get("code", "a"), ada)
	next := ada
	next.Owner, next.Proved, next.Expires, next.System, next.Data = "bob", false, suiteNow.Add(time.Hour), suiteNow, nil
	put(next, true)
	put(ada, false) // somebody was first
	next.Revision = 2
	same(t, *get("code", "a"), next)
	list, err := s.SignIns(ctx, "code")
	if err != nil || len(list) != 2 || list[0].ID != "a" || list[1].ID != "A" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, step := range []struct {
		r    SignIn
		want bool
	}{{ada, false}, {next, true}, {next, false}} {
		if ok, err := s.DeleteSignIn(ctx, step.r); err != nil || ok != step.want {
			t.Errorf("delete %+v: %v, %v", step.r, ok, err)
		}
	}
	before := s.SharedVersion(Identity)
	put(SignIn{Kind: "x", ID: "1"}, true)
	if s.SharedVersion(Identity) != before {
		t.Error("what nobody shares changed the version")
	}
	if ok, err := s.PutSignIn(ctx, SignIn{Kind: "x", ID: "2"}, Identity); !ok || err != nil || s.SharedVersion(Identity) == before {
		t.Errorf("%v, %v, and the version is %d", ok, err, s.SharedVersion(Identity))
	}

	// One of many is the first.
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			ok, err := s.PutSignIn(ctx, SignIn{Kind: "race", ID: "x", Data: []byte{byte(i)}}, nothing)
			if err != nil {
				t.Error(err)
			}
			if ok {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d were the first", firsts.Load())
	}
}

// testTrimSignIns fills kinds, and looks at what is left.
func testTrimSignIns(t *testing.T, s *Store) {
	over, live := suiteNow, suiteNow.Add(time.Second)
	s.system = func() time.Time { return suiteNow }
	for i, test := range []struct {
		name        string
		keep, limit int
		put         []SignIn
		want        string
	}{
		{"few", 0, 3, []SignIn{{ID: "a", System: live}, {ID: "b", System: live}}, "a b"},
		{"expired by one clock", 0, 3, []SignIn{{ID: "a", Expires: live, System: over}, {ID: "b", Expires: over, System: live}, {ID: "c", Expires: over, System: over}}, "a b"},
		{"expired, and kept", 2, 9, []SignIn{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d", Owner: "x"}, {ID: "e", Owner: "x", System: live}}, "b c d e"},
		{"expired, of any number", 0, 0, []SignIn{{ID: "a"}, {ID: "b", System: live}, {ID: "c", Expires: live}}, "b c"},
		{"too many", 0, 2, []SignIn{{ID: "a", System: live}, {ID: "b", System: live}, {ID: "c", System: live}}, "b c"},
		{"the greediest", 0, 3, []SignIn{
			{ID: "a", Owner: "x", System: live}, {ID: "b", Owner: "y", System: live}, {ID: "c", Owner: "y", System: live},
			{ID: "d", Owner: "y", System: live}, {ID: "e", Owner: "y", System: live},
		}, "a d e"},
		{"the proved", 0, 1, []SignIn{
			{ID: "a", Owner: "x", Proved: true, System: live}, {ID: "b", Owner: "x", System: live}, {ID: "c", Owner: "y", System: live}, {ID: "d", Owner: "y", System: live},
		}, "a d"},
	} {
		kind := fmt.Sprint(i)
		for _, r := range test.put {
			r.Kind = kind
			if ok, err := s.PutSignIn(t.Context(), r, nothing); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := s.TrimSignIns(t.Context(), kind, test.keep, test.limit); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		left, err := s.SignIns(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range left {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%s: %s is left, want %s", test.name, got, test.want)
		}
	}
}

// Changes of apps and users by several at once are all there afterwards.
func testChangesOfPartners(t *testing.T, s *Store) {
	ctx := t.Context()
	if err := s.PutUser(ctx, partnerA, seed.User{UserPrincipalName: "Ada@a.example"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err1 := s.ChangeApp(ctx, strings.ToUpper(partnerA), strings.ToUpper(suiteApp), func(a *seed.App) error {
				a.Secrets = append(a.Secrets, seed.AppSecret{Value: fmt.Sprint("secret ", i)})
				return nil
			})
			err2 := s.ChangeUser(ctx, partnerA, "ADA@a.example", func(u *seed.User) error {
				u.Name += "x"
				return nil
			})
			if err := errors.Join(err1, err2); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	apps, err1 := s.Apps(ctx, partnerA)
	users, err2 := s.Users(ctx, partnerA)
	if err := errors.Join(err1, err2); err != nil || len(apps[0].Secrets) != 8 || users[0].Name != "xxxxxxxx" || users[0].UserPrincipalName != "Ada@a.example" {
		t.Errorf("%+v, %+v, %v", apps, users, err)
	}
	refused := errors.New("refused")
	fails(t, s.ChangeApp(ctx, partnerA, suiteApp, func(a *seed.App) error { a.Name = "y"; return refused }), refused)
	fails(t, s.ChangeUser(ctx, partnerA, "ada@a.example", func(u *seed.User) error { u.Name = "y"; return refused }), refused)
	fails(t, s.ChangeApp(ctx, partnerB, suiteApp, func(*seed.App) error { return nil }), ErrAppNotFound)
	fails(t, s.ChangeUser(ctx, partnerB, "ada@a.example", func(*seed.User) error { return nil }), ErrUserNotFound)
	fails(t, s.ChangeApp(ctx, shared, suiteApp, func(*seed.App) error { return nil }), ErrPartnerNotFound)
	if again, err := s.Apps(ctx, partnerA); err != nil || again[0].Name == "y" {
		t.Errorf("%+v, %v", again, err)
	}
	// A seed cannot take either from another partner.
	for _, p := range []seed.Partner{
		{Apps: []seed.App{{ClientID: strings.ToUpper(suiteApp)}}},
		{Users: []seed.User{{UserPrincipalName: "ADA@a.example"}}},
	} {
		p.Tenant = seed.Tenant{TenantID: partnerB}
		var field *seed.FieldError
		if _, err := s.Load(ctx, &seed.Seed{Partners: []seed.Partner{p}}); !errors.As(err, &field) {
			t.Errorf("%+v was taken: %v", p, err)
		}
	}
}

// Of several that fill a new database, one does.
func testFill(t *testing.T, s *Store) {
	var fills atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			result, filled, err := s.Fill(t.Context(), suiteSeed())
			if err != nil || filled != (result.Partners > 0) {
				t.Errorf("%+v, %v, %v", result, filled, err)
			}
			if filled {
				fills.Add(1)
			}
		})
	}
	wg.Wait()
	if fills.Load() != 1 || s.Fresh() {
		t.Errorf("filled %d times", fills.Load())
	}
}

// beforeSignIns returns a database to the schema of step 12.
var beforeSignIns = [...]string{
	`DROP TABLE carts`, `DROP TABLE sign_ins`, `DROP INDEX apps_by_id`, `DROP INDEX users_by_name`,
	`CREATE TABLE grants (grant_id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, expires INTEGER NOT NULL, data BLOB NOT NULL) STRICT`,
	`CREATE TABLE assertions (use_no INTEGER PRIMARY KEY, client_id TEXT NOT NULL, assertion_id BLOB NOT NULL) STRICT`,
	`DELETE FROM goose_db_version WHERE version_id > 12`,
}

func undo(t *testing.T, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// What was remembered of sign-ins by the last version still is.
func TestUpgradeToSignIns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s := openTest(t, path)
	undo(t, s, beforeSignIns[:]...)
	undo(t, s,
		`INSERT INTO grants VALUES ('Family', '`+partnerA+`', 5000000, CAST('{}' AS BLOB))`,
		`INSERT INTO assertions (client_id, assertion_id) VALUES ('`+suiteApp+`', x'0aff'), ('`+suiteApp+`', x'0aff')`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	grant, err := s.SignIn(t.Context(), "grant", "Family")
	if err != nil {
		t.Fatal(err)
	}
	same(t, *grant, SignIn{Kind: "grant", ID: "Family", Revision: 1, Proved: true, Expires: time.Unix(5, 0).UTC(), System: time.Unix(5, 0).UTC(), Data: []byte("{}")})
	used, err := s.SignIn(t.Context(), "assertion", suiteApp+" 0aff")
	if err != nil || used == nil || used.Owner != suiteApp || time.Until(used.System) < 30*time.Minute {
		t.Errorf("%+v, %v", used, err)
	}
}

// oldDatabase makes a database with the schema of an earlier version.
func oldDatabase(t *testing.T, version int64) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "old.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		t.Fatal(err)
	}
	return path, db
}

// What signs in to a database of the last version still does after the upgrade, and its
// users have passwords.
func TestUpgradeToIdentity(t *testing.T) {
	path, db := oldDatabase(t, 3)
	for _, statement := range []string{
		`INSERT INTO partners VALUES ('` + partnerA + `', 'A', 'a.example', '1', 'US')`,
		`INSERT INTO apps VALUES ('` + partnerA + `', '` + suiteApp + `', 'o', 'app', 'given')`,
		`INSERT INTO users VALUES ('` + partnerA + `', 'ada@a.example', 'Ada@a.example', 'o', 'Ada', 'admin_agent')`,
		`INSERT INTO users VALUES ('` + partnerA + `', 'bob@a.example', 'bob@a.example', 'p', 'Bob', '')`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s := openTest(t, path)
	apps, err := s.Apps(t.Context(), partnerA)
	if err != nil {
		t.Fatal(err)
	}
	same(t, apps, []seed.App{{ClientID: suiteApp, ObjectID: "o", Name: "app", Secret: "given"}})
	users, err := s.Users(t.Context(), partnerA)
	if err != nil || len(users) != 2 || len(users[0].Password) != 40 || len(users[1].Password) != 40 || users[0].Password == users[1].Password {
		t.Fatalf("users %+v, %v", users, err)
	}
	same(t, users[0], seed.User{UserPrincipalName: "Ada@a.example", ObjectID: "o", Name: "Ada", Roles: []partnercenter.UserRole{partnercenter.UserRoleAdminAgent}, Password: users[0].Password})
}

// The sample has somebody for each way that a sign-in goes. The app that serve
// prints, the first by name, signs users in without a secret; no secret and no
// password is known before the first start.
func TestSampleHasEverySignIn(t *testing.T) {
	sample := mustSample(t)
	s := openTest(t, ":memory:")
	load(t, s, sample)
	for _, p := range sample.Partners {
		apps, err := s.Apps(t.Context(), p.TenantID)
		if err != nil {
			t.Fatal(err)
		}
		if a := apps[0]; a.ClientID != p.Apps[0].ClientID || !a.Public || a.MultiTenant || a.AdminConsent || !slices.Contains(a.RedirectURIs, "http://localhost") {
			t.Errorf("the first app of %s is %+v", p.Name, a)
		}
		for _, a := range p.Apps {
			if a.Secret != "" || len(a.Secrets) > 0 {
				t.Errorf("everybody knows the secret of app %s", a.Name)
			}
		}
		for _, u := range p.Users {
			if u.Password != "" {
				t.Errorf("everybody knows the password of user %s", u.UserPrincipalName)
			}
		}
	}
	contoso := sample.Partners[0]
	for name, ok := range map[string]bool{
		"a confidential app for every tenant": slices.ContainsFunc(contoso.Apps, func(a seed.App) bool { return a.MultiTenant && !a.Public && len(a.RedirectURIs) > 0 }),
		"an admin agent without MFA": slices.ContainsFunc(contoso.Users, func(u seed.User) bool {
			return u.WithoutMFA && !u.Disabled && slices.Contains(u.Roles, partnercenter.UserRoleAdminAgent)
		}),
		"a disabled user": slices.ContainsFunc(contoso.Users, func(u seed.User) bool { return u.Disabled }),
	} {
		if !ok {
			t.Errorf("the first partner has not %s", name)
		}
	}
}

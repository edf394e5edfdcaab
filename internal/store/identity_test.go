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
		if err := s.PutConsent(ctx, c); err != nil {
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
			if err := s.DeleteConsent(ctx, strings.ToUpper(partnerA), strings.ToUpper(suiteApp), userID); err != nil {
				t.Fatal(err)
			}
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

func testAssertions(t *testing.T, s *Store) {
	other := Assertion{ClientID: "eeeeeeee-0000-4000-8000-00000000000e", ID: []byte{9}}
	var want []Assertion
	for i := range 5 {
		a := Assertion{ClientID: suiteApp, ID: []byte{byte(i)}}
		want = append(want, a)
		a.ClientID = strings.ToUpper(a.ClientID)
		if err := errors.Join(s.AddAssertion(t.Context(), a, 3), s.AddAssertion(t.Context(), other, 1)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Assertions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, append(want[2:], other))
}

func testGrants(t *testing.T, s *Store) {
	ctx := t.Context()
	is := func(want ...Grant) {
		t.Helper()
		got, err := s.Grants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
	}
	save := func(g Grant) {
		t.Helper()
		if err := s.SaveGrant(ctx, g); err != nil {
			t.Fatal(err)
		}
	}
	is()
	soon := Grant{ID: "b", TenantID: partnerA, Expires: suiteNow.Add(time.Second), Data: []byte("{}\x00")}
	late := Grant{ID: "B", TenantID: partnerB, Expires: suiteNow.Add(90 * 24 * time.Hour)}
	save(Grant{ID: "B", TenantID: strings.ToUpper(partnerB), Expires: late.Expires})
	save(soon)
	save(Grant{ID: "over", Expires: suiteNow})
	is(soon, late)

	soon.Data, soon.Expires = []byte("used"), soon.Expires.Add(time.Second)
	save(soon)
	is(soon, late)

	count := func() (n int) {
		t.Helper()
		if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM grants`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		now  time.Time
		left int
	}{{suiteNow.Add(-time.Second), 3}, {suiteNow, 2}, {soon.Expires, 1}} {
		if err := s.DeleteExpiredGrants(ctx, step.now); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != step.left {
			t.Errorf("%d grants are left at %v, want %d", n, step.now, step.left)
		}
	}
	is(late)

	// The clock may be set back from where it has expired.
	s.now = func() time.Time { return suiteNow.AddDate(100, 0, 0) }
	s.system = func() time.Time { return suiteNow }
	if err := s.DeleteExpiredGrants(ctx, s.now()); err != nil {
		t.Fatal(err)
	}
	is(late)
	s.now = func() time.Time { return suiteNow }

	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := s.SaveGrant(ctx, Grant{ID: fmt.Sprint(i), Expires: late.Expires}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := count(); n != 21 {
		t.Errorf("%d grants, want 21", n)
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

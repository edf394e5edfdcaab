package store

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

const suiteApp = "aaaaaaaa-0000-4000-8000-0000000000aa"

// certificateOf returns a certificate of the key, in PEM.
func certificateOf(t testing.TB, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "billing sync"},
		NotBefore: suiteNow, NotAfter: suiteNow.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pemBlock("CERTIFICATE", der)
}

func pemBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// aCertificate is one that apps may have; nobody keeps its key.
var aCertificate string

func testCertificate(t testing.TB) string {
	t.Helper()
	if aCertificate == "" {
		aCertificate = certificateOf(t, rsaKey(t, 2048))
	}
	return aCertificate
}

func testPutApp(t *testing.T, s *Store) {
	ctx := t.Context()
	get := func() App {
		t.Helper()
		apps, err := s.Apps(ctx, partnerA)
		if err != nil || len(apps) != 1 {
			t.Fatalf("apps %+v, %v", apps, err)
		}
		return apps[0]
	}
	made := get()
	for _, change := range []func(*App){
		func(a *App) { a.Name = "other" },
		func(a *App) { a.Secret = "a+b%20c&d" },
		func(a *App) { a.Secrets = []AppSecret{{Value: "old"}, {Value: "new"}} },
		func(a *App) { a.Secrets = []AppSecret{{"old", mustTime("2025-01-01")}, {Value: "new"}} },
		func(a *App) { a.Certificates = []AppCertificate{{PEM: testCertificate(t)}} },
		func(a *App) { a.Certificates = []AppCertificate{{testCertificate(t), true}} },
		func(a *App) { a.RedirectURIs = []string{"http://localhost", outOfBand} },
		func(a *App) { a.Public = true },
		func(a *App) { a.MultiTenant = true },
		func(a *App) { a.AdminConsent = true },
		func(a *App) { a.Disabled = true },
		func(a *App) { a.Secrets, a.Certificates, a.RedirectURIs = nil, nil, nil },
	} {
		want := get()
		change(&want)
		if err := s.PutApp(ctx, strings.ToUpper(partnerA), want); err != nil {
			t.Fatal(err)
		}
		same(t, get(), want)
	}
	if err := s.PutApp(ctx, partnerA, App{ClientID: strings.ToUpper(suiteApp), Name: "bare"}); err != nil {
		t.Fatal(err)
	}
	same(t, get(), App{ClientID: suiteApp, ObjectID: made.ObjectID, Name: "bare", Secret: "a+b%20c&d"})

	// Each field by itself is a change that a load sees.
	seed := &Seed{Partners: []SeedPartner{{Partner: Partner{TenantID: partnerA}, Apps: []App{get()}}}}
	load(t, s, seed)
	for _, change := range []func(*App){
		func(a *App) { a.Secrets = []AppSecret{{Value: "new"}} },
		func(a *App) { a.Certificates = []AppCertificate{{PEM: testCertificate(t)}} },
		func(a *App) { a.RedirectURIs = []string{"http://localhost"} },
		func(a *App) { a.Public = true }, func(a *App) { a.MultiTenant = true },
		func(a *App) { a.AdminConsent = true }, func(a *App) { a.Disabled = true },
	} {
		change(&seed.Partners[0].Apps[0])
		if first, again := load(t, s, seed).Changed, load(t, s, seed).Changed; first != 1 || again != 0 {
			t.Errorf("%+v: %d changes, then %d", seed.Partners[0].Apps[0], first, again)
		}
		same(t, get(), seed.Partners[0].Apps[0])
	}

	before := get()
	fails(t, s.PutApp(ctx, shared, App{ClientID: suiteApp}), ErrPartnerNotFound)
	for _, tt := range []struct {
		partner string
		app     App
		field   string
	}{
		{partnerA, App{}, "clientId"},
		{partnerB, App{ClientID: suiteApp}, "clientId"},
		{partnerA, App{ClientID: suiteApp, Secrets: []AppSecret{{Value: "x"}, {}}}, "secrets[1].value"},
		{partnerA, App{ClientID: suiteApp, Secrets: []AppSecret{{"x", mustTime("0001-01-01")}}}, "secrets[0].expires"},
		{partnerA, App{ClientID: suiteApp, Certificates: []AppCertificate{{}}}, "certificates[0].pem"},
		{partnerA, App{ClientID: suiteApp, RedirectURIs: []string{"http://localhost", "/"}}, "redirectUris[1]"},
		{partnerA, App{ClientID: suiteApp, RedirectURIs: make([]string, 257)}, "redirectUris"},
	} {
		err := s.PutApp(ctx, tt.partner, tt.app)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != tt.field {
			t.Errorf("%+v: error is %v, want one about %s", tt.app, err, tt.field)
		}
	}
	same(t, get(), before)
}

func testPutUser(t *testing.T, s *Store) {
	ctx := t.Context()
	get := func() User {
		t.Helper()
		users, err := s.Users(ctx, partnerA)
		if err != nil || len(users) != 1 {
			t.Fatalf("users %+v, %v", users, err)
		}
		return users[0]
	}
	if err := s.PutUser(ctx, partnerA, User{UserPrincipalName: "ada@a.example"}); err != nil {
		t.Fatal(err)
	}
	made := get()
	if len(made.Password) != 40 || !guid.Is(made.ObjectID) || made.WithoutMFA {
		t.Errorf("made %+v", made)
	}
	for _, change := range []func(*User){
		func(u *User) { u.Name = "Ada" },
		func(u *User) { u.Password = "correct horse" },
		func(u *User) { u.WithoutMFA = true },
		func(u *User) { u.Disabled = true },
		func(u *User) {
			u.Roles = []partnercenter.UserRole{partnercenter.RoleAdminAgent, partnercenter.RoleHelpdeskAgent}
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
		seed := &Seed{Partners: []SeedPartner{{Partner: Partner{TenantID: partnerA, Name: "A"}, Users: []User{made}}}}
		load(t, s, seed)
		if n := load(t, s, seed).Changed; n != 0 {
			t.Errorf("%d changes by the same seed", n)
		}
		same(t, get(), made)
	}
	if err := s.PutUser(ctx, partnerA, User{UserPrincipalName: "ADA@a.example"}); err != nil {
		t.Fatal(err)
	}
	same(t, get(), User{UserPrincipalName: "ADA@a.example", ObjectID: made.ObjectID, Password: "correct horse"})

	before := get()
	fails(t, s.PutUser(ctx, shared, User{UserPrincipalName: "ada@c.example"}), ErrPartnerNotFound)
	for _, tt := range []struct {
		partner string
		user    User
		field   string
	}{
		{partnerA, User{}, "userPrincipalName"},
		{partnerA, User{UserPrincipalName: "ada"}, "userPrincipalName"},
		{partnerB, User{UserPrincipalName: "Ada@a.example"}, "userPrincipalName"},
		{partnerA, User{UserPrincipalName: "ada@a.example", Roles: []partnercenter.UserRole{partnercenter.RoleAdminAgent, "owner"}}, "roles[1]"},
	} {
		err := s.PutUser(ctx, tt.partner, tt.user)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != tt.field {
			t.Errorf("%+v: error is %v, want one about %s", tt.user, err, tt.field)
		}
	}
	same(t, get(), before)
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
	put(Consent{TenantID: shared, ClientID: suiteApp, Scope: "c"}) // a customer's
	all := Consent{TenantID: partnerA, ClientID: suiteApp, Scope: "a b", Created: suiteNow}
	hers := Consent{TenantID: partnerA, ClientID: suiteApp, UserID: ada, Scope: "a", Created: earlier}
	customers := Consent{TenantID: shared, ClientID: suiteApp, Scope: "c", Created: suiteNow}
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

// What signs in to a database of the last version signs in to it after the
// upgrade, and its users have passwords.
func TestUpgradeToIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
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
	if _, err := p.UpTo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
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
	same(t, apps, []App{{ClientID: suiteApp, ObjectID: "o", Name: "app", Secret: "given"}})
	users, err := s.Users(t.Context(), partnerA)
	if err != nil || len(users) != 2 || len(users[0].Password) != 40 || len(users[1].Password) != 40 || users[0].Password == users[1].Password {
		t.Fatalf("users %+v, %v", users, err)
	}
	same(t, users[0], User{UserPrincipalName: "Ada@a.example", ObjectID: "o", Name: "Ada", Roles: []partnercenter.UserRole{partnercenter.RoleAdminAgent}, Password: users[0].Password})
}

func TestRedirectURIs(t *testing.T) {
	for _, uri := range []string{
		"https://app.example.com/callback", "https://app.example.com", "https://app.example.com:8443/a?b=c%20d",
		"http://localhost", "http://localhost:5000/signin", "http://127.0.0.1:8400",
		"msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth", "com.example.app://callback/path", "urn:ietf:wg:oauth:2.0:oob",
		"https://app.example.com/" + strings.Repeat("a", 232),
	} {
		if problem := redirectURIProblem(uri); problem != "" {
			t.Errorf("%s: %s", uri, problem)
		}
	}
	for uri, want := range map[string]string{
		"":                              "is empty; write one such as https://app.example.com/callback",
		"/callback":                     "is no absolute address",
		"//app.example.com":             "is no absolute address",
		"app.example.com/callback":      "is no absolute address",
		"localhost:5000":                "is no absolute address",
		"urn:ietf:wg:oauth:2.0:oob:x":   "is no absolute address",
		"https:app.example.com":         "is no absolute address",
		"https:///callback":             "has no host",
		"https://:443/":                 "has no host",
		"https://a.example.com:x":       "is no absolute address",
		"https://a.example.com/%zz":     "is no absolute address",
		"https://a.example.com/#":       "has a fragment",
		"https://*.example.com":         "has a wildcard",
		"https://a.example.com/a b":     "percent-encode them",
		"https://a.example.com\\@b.c":   "percent-encode them",
		"https://bücher.example":        "in their xn-- form",
		"https://a.example.com\r\nX: y": "percent-encode them",
		"https://ada:x@a.example.com":   `"https://ada:xxxxx@a.example.com" has a user name before its host`,
		"https://localhost@a.example":   "has a user name before its host",
		"http://a.example.com":          "use https, or http to localhost",
		"http://localhost.example.com":  "use https, or http to localhost",
		"http://127.0.0.2":              "use https, or http to localhost",
		"http://[::1]":                  "use https, or http to localhost",
		"javascript://a/%0aalert(1)":    "would be acted on by the browser",
		"JavaScript://a/%0aalert(1)":    "would be acted on by the browser",
		"data://text/html,x":            "would be acted on by the browser",
		"file:///etc/passwd":            "would be acted on by the browser",
		"https://app.example.com/" + strings.Repeat("a", 233): "is 257 bytes long, at most 256 are allowed",
	} {
		if problem := redirectURIProblem(uri); !strings.Contains(problem, want) {
			t.Errorf("%s: problem is %q, want …%s…", uri, problem, want)
		}
	}
}

func TestCertificates(t *testing.T) {
	if c, problem := parseCertificate("subject=CN = billing sync\n" + testCertificate(t)); problem != "" || c.Subject.CommonName != "billing sync" {
		t.Errorf("certificate %v, problem %q", c, problem)
	}
	key, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no PEM":         {"MIIC", "is no PEM text; paste the certificate from -----BEGIN CERTIFICATE-----"},
		"cut off":        {testCertificate(t)[:200], "is no PEM text"},
		"a key":          {pemBlock("PRIVATE KEY", key), "holds a private key, which is the app's alone; leave only the block CERTIFICATE"},
		"a key before":   {pemBlock("RSA PRIVATE KEY", key) + testCertificate(t), "holds a private key"},
		"a key after":    {testCertificate(t) + pemBlock("PRIVATE KEY", key), "holds a private key"},
		"a request":      {pemBlock("CERTIFICATE REQUEST", key), `holds a block "CERTIFICATE REQUEST"; give the block CERTIFICATE`},
		"a chain":        {testCertificate(t) + testCertificate(t), "goes on after the first certificate"},
		"no certificate": {pemBlock("CERTIFICATE", key), "cannot be read as a certificate"},
		"another kind":   {certificateOf(t, ecKey(t)), "has a key of the kind ECDSA; make a certificate with an RSA key"},
		"a short key":    {certificateOf(t, rsaKey(t, 1024)), "has an RSA key of 1024 bits; make one of 2048 bits or more"},
	} {
		if c, problem := parseCertificate(tt.text); c != nil || !strings.Contains(problem, tt.want) {
			t.Errorf("%s: problem is %q, want …%s…", name, problem, tt.want)
		}
	}
}

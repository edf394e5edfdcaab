package control_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

const (
	base      = "http://127.0.0.1:8080"
	tokenURL  = base + "/common/oauth2/v2.0/token"
	back      = "https://app.example/back"
	api       = "https://api.partnercenter.microsoft.com"
	tenant    = "a0000000-0000-4000-8000-00000000000a"
	client    = "c0000000-0000-4000-8000-00000000000c"
	secret    = "the secret"
	ada       = "ada@contoso.example"
	password  = "the password"
	ownTenant = base + "/" + tenant + "/oauth2/v2.0/token"
)

// within is how soon a server knows what another has changed.
const within = time.Second

// server is one of the servers of a database.
type server struct {
	authority *issuer.Authority
	plane     http.Handler
	store     *store.Store
}

func newServer(t *testing.T, st *store.Store) *server {
	t.Helper()
	authority, err := control.NewAuthority(t.Context(), st, control.AuthorityOptions{BaseURLs: []string{base}})
	if err != nil {
		t.Fatal(err)
	}
	plane := control.New(control.Config{Store: st, Authority: authority, Clock: clock.New(nil), Health: http.NotFoundHandler(), Forget: func() {}})
	return &server{authority, plane.Handler(), st}
}

func (s *server) do(method, target string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.authority.ServeHTTP(w, r)
	return w
}

// tokens is an answer of the token endpoint.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Codes        []int  `json:"error_codes"`
	DeviceCode   string `json:"device_code"`
	UserCode     string `json:"user_code"`
}

func (s *server) tokens(target string, form url.Values) (got tokens) {
	w := s.do(http.MethodPost, target, form)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		got.Codes = []int{w.Code}
	}
	return got
}

func (got tokens) is(t *testing.T, what string, code int) tokens {
	t.Helper()
	if code == 0 && got.AccessToken == "" || code != 0 && (len(got.Codes) != 1 || got.Codes[0] != code) {
		t.Errorf("%s: %v, want %d", what, got.Codes, code)
	}
	return got
}

// call calls the control plane.
func (s *server) call(t *testing.T, method, path, body string, into any) int {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	s.plane.ServeHTTP(w, r)
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code > 299 {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	return w.Code
}

func form(grant string, more ...string) url.Values {
	f := url.Values{"grant_type": {grant}, "client_id": {client}, "client_secret": {secret}}
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
		if more[i+1] == "" {
			f.Del(more[i])
		}
	}
	return f
}

func ownForm() url.Values { return form("client_credentials", "scope", api+"/.default") }

func codeForm(code string) url.Values {
	return form("authorization_code", "code", code, "redirect_uri", back, "scope", api+"/.default offline_access")
}

func refreshForm(token string) url.Values { return form("refresh_token", "refresh_token", token) }

// database is a database with servers, of which any takes any request.
type database struct {
	t    *testing.T
	open func() *store.Store // for one more server
	a, b *server
}

// onEach runs a test with two servers of one database: of PostgreSQL, and two of one
// process for SQLite.
func onEach(t *testing.T, test func(*testing.T, *database)) {
	run := func(open func(t *testing.T) func() *store.Store) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			d := &database{t: t, open: open(t)}
			first := d.open()
			if _, _, err := first.Fill(t.Context(), world()); err != nil {
				t.Fatal(err)
			}
			d.a, d.b = newServer(t, first), newServer(t, d.open())
			test(t, d)
		}
	}
	t.Run("PostgreSQL", run(func(t *testing.T) func() *store.Store {
		address := postgrestest.Start(t).NewDatabase(t)
		return func() *store.Store { return openStore(t, address) }
	}))
	t.Run("SQLite", run(func(t *testing.T) func() *store.Store {
		st := openStore(t, ":memory:")
		return func() *store.Store { return st }
	}))
}

func openStore(t *testing.T, address string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func world() *seed.Seed {
	return &seed.Seed{Partners: []seed.Partner{{
		Tenant: seed.Tenant{TenantID: tenant, Name: "Contoso", Domain: "contoso.example", Country: "US"},
		Apps:   []seed.App{{ClientID: client, Name: "app", Secret: secret, RedirectURIs: []string{back}, Public: true}},
		Users: []seed.User{
			{UserPrincipalName: ada, Password: password, WithoutMFA: true, Roles: []partnercenter.UserRole{partnercenter.UserRoleAdminAgent}},
			{UserPrincipalName: "bob@contoso.example", Password: password, WithoutMFA: true},
		},
	}}}
}

// any returns one of the servers.
func (d *database) any() *server { return []*server{d.a, d.b}[mathrand.IntN(2)] }

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// browser signs in at random servers.
type browser struct {
	d       *database
	cookies []*http.Cookie
}

func (b *browser) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	w := b.d.any().do(method, target, form, b.cookies...)
	b.cookies = append(b.cookies, w.Result().Cookies()...)
	if to := w.Header().Get("Location"); strings.HasPrefix(to, "/") {
		return b.do(http.MethodGet, base+to, nil)
	}
	return w
}

// pressed is the form of a page with a button pressed.
func pressed(w *httptest.ResponseRecorder, button string) url.Values {
	f := url.Values{"do": {button}, "username": {ada}, "password": {password}}
	for _, m := range hidden.FindAllStringSubmatch(w.Body.String(), -1) {
		f.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return f
}

func (b *browser) press(w *httptest.ResponseRecorder, button string) *httptest.ResponseRecorder {
	b.d.t.Helper()
	if !strings.Contains(w.Body.String(), `value="`+button+`"`) {
		b.d.t.Fatalf("no button %s: %d %s", button, w.Code, w.Body)
	}
	return b.do(http.MethodPost, base+"/common/oauth2/login", pressed(w, button))
}

// toConsent signs in up to the last page.
func (b *browser) toConsent() *httptest.ResponseRecorder {
	q := url.Values{"client_id": {client}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {api + "/.default offline_access"}, "prompt": {"consent"}, "state": {"s"}}
	return b.press(b.do(http.MethodGet, base+"/common/oauth2/v2.0/authorize?"+q.Encode(), nil), "signin")
}

func codeIn(w *httptest.ResponseRecorder) string {
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		return ""
	}
	return to.Query().Get("code")
}

// code signs Ada in.
func (d *database) code() string {
	d.t.Helper()
	b := &browser{d: d}
	code := codeIn(b.press(b.toConsent(), "accept"))
	if code == "" {
		d.t.Fatal("no code")
	}
	return code
}

// soon waits until a server knows what another has changed.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > within {
			t.Fatalf("%s: not after %v", what, within)
		}
	}
}

func verifies(s *server, token string) bool {
	_, err := s.authority.Verify(token)
	return err == nil
}

// atOnce does something at both servers at the same time.
func (d *database) atOnce(n int, do func(*server)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do([]*server{d.a, d.b}[i%2]) })
	}
	wg.Wait()
}

func TestServersShareKeys(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		old := d.a.tokens(ownTenant, ownForm()).is(t, "a token", 0).AccessToken
		var keys struct{ Keys []control.Key }
		d.b.call(t, "GET", "/keys", "", &keys)
		if len(keys.Keys) != 1 || !verifies(d.b, old) {
			t.Fatalf("%+v", keys)
		}
		for range 5 { // the other knows a key at once
			var key control.Key
			d.a.call(t, "POST", "/keys", "", &key)
			if w := d.b.do(http.MethodGet, base+"/common/discovery/keys", nil); !strings.Contains(w.Body.String(), key.ID) {
				t.Errorf("a new key is not published: %s", w.Body)
			}
			if token := d.a.tokens(ownTenant, ownForm()).AccessToken; !verifies(d.b, token) {
				t.Error("a token of a new key is refused")
			}
		}
		if !verifies(d.a, old) {
			t.Error("a token of the old key is refused")
		}
		d.b.call(t, "DELETE", "/keys/"+keys.Keys[0].ID, "", &struct{}{})
		soon(t, "a revoked key", func() bool { return !verifies(d.a, old) && !verifies(d.b, old) })

		// Both revoke all that there are, one by one: one always remains, at both the same.
		d.a.call(t, "GET", "/keys", "", &keys)
		d.atOnce(2, func(s *server) {
			for _, k := range keys.Keys {
				s.call(t, "DELETE", "/keys/"+k.ID, "", nil)
			}
		})
		signs := func(s *server) string {
			token, _, _ := strings.Cut(s.tokens(ownTenant, ownForm()).AccessToken, ".")
			header, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil {
				t.Fatal(err)
			}
			return string(header)
		}
		soon(t, "one key", func() bool { return signs(d.a) != "" && signs(d.a) == signs(d.b) })
		d.b.call(t, "GET", "/keys", "", &keys)
		valid := 0
		for _, k := range keys.Keys {
			if k.Revoked == nil {
				valid++
			}
		}
		if valid == 0 {
			t.Errorf("no key is left: %+v", keys)
		}
	})
}

func TestServersShareAppsAndUsers(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		// Secrets that both add at once are all there, and good at both at once.
		values := make(chan string, 8)
		d.atOnce(8, func(s *server) {
			var added control.Secret
			s.call(t, "POST", "/apps/"+client+"/secrets", "", &added)
			values <- added.Value
		})
		close(values)
		for value := range values {
			d.any().tokens(ownTenant, form("client_credentials", "scope", api+"/.default", "client_secret", value)).is(t, "a new secret", 0)
		}
		var apps struct{ Apps []control.App }
		d.a.call(t, "GET", "/apps", "", &apps)
		d.a.call(t, "DELETE", "/apps/"+client+"/secrets/"+apps.Apps[0].Secrets[0].ID, "", &struct{}{})
		soon(t, "a deleted secret", func() bool { return d.b.tokens(ownTenant, ownForm()).AccessToken == "" })

		ropc := func(s *server, password string) tokens {
			return s.tokens(tokenURL, form("password", "client_secret", "", "username", ada, "password", password, "scope", api+"/.default offline_access"))
		}
		b := &browser{d: d}
		b.press(b.toConsent(), "accept")
		first := ropc(d.b, password).is(t, "a password", 0)
		d.a.call(t, "PATCH", "/users/"+ada, `{"password": "another"}`, &struct{}{})
		ropc(d.b, "another").is(t, "a new password", 0)
		soon(t, "an old password", func() bool { return ropc(d.b, password).AccessToken == "" })
		d.b.tokens(tokenURL, refreshForm(first.RefreshToken)).is(t, "a family of the old password", 7000215) // the secret is deleted
		d.b.tokens(tokenURL, form("refresh_token", "client_secret", "", "refresh_token", first.RefreshToken)).is(t, "a family of the old password", 50173)
		if !verifies(d.b, first.AccessToken) {
			t.Error("access tokens outlive a password")
		}
		d.b.call(t, "PATCH", "/users/"+ada, `{"disabled": true}`, &struct{}{})
		soon(t, "a disabled user", func() bool { return !verifies(d.a, first.AccessToken) })
	})
}

func TestServersShareFamilies(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		first := d.a.tokens(tokenURL, codeForm(d.code())).is(t, "a code", 0)
		second := d.b.tokens(tokenURL, refreshForm(first.RefreshToken)).is(t, "the other renews", 0)
		d.a.tokens(tokenURL, refreshForm(first.RefreshToken)).is(t, "a token sent again", 50173)
		d.b.tokens(tokenURL, refreshForm(second.RefreshToken)).is(t, "its successor", 50173)

		// Of many who send one at once, one gets the next; and the family ends.
		one := d.b.tokens(tokenURL, codeForm(d.code())).is(t, "a code", 0)
		var mu sync.Mutex
		var won []string
		d.atOnce(8, func(s *server) {
			if got := s.tokens(tokenURL, refreshForm(one.RefreshToken)); got.RefreshToken != "" {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, got.RefreshToken)
			}
		})
		if len(won) != 1 {
			t.Fatalf("%d got tokens", len(won))
		}
		d.any().tokens(tokenURL, refreshForm(won[0])).is(t, "after a replay", 50173)

		// Nobody's renewal takes back another's revocation.
		for range 10 {
			family := d.a.tokens(tokenURL, codeForm(d.code())).is(t, "a code", 0)
			last := make(chan string, 1)
			go func() {
				token := family.RefreshToken
				for {
					got := d.b.tokens(tokenURL, refreshForm(token))
					if got.RefreshToken == "" {
						break
					}
					token = got.RefreshToken
				}
				last <- token
			}()
			d.a.call(t, "POST", "/grants/revoke", `{"user": "`+ada+`"}`, &struct{}{})
			d.any().tokens(tokenURL, refreshForm(<-last)).is(t, "after a revocation", 50173)
		}
		var grants struct{ Grants []control.Grant }
		d.b.call(t, "GET", "/grants", "", &grants)
		for _, g := range grants.Grants {
			if g.Revoked == "" {
				t.Errorf("%+v", g)
			}
		}
		if len(grants.Grants) != 12 {
			t.Errorf("%d families", len(grants.Grants))
		}
	})
}

func TestServersShareCodes(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		code := d.code()
		got := d.a.tokens(tokenURL, codeForm(code)).is(t, "a code", 0)
		d.b.tokens(tokenURL, codeForm(code)).is(t, "a code sent again", 54005)
		soon(t, "the token of a stolen code", func() bool { return !verifies(d.a, got.AccessToken) && !verifies(d.b, got.AccessToken) })
		d.a.tokens(tokenURL, refreshForm(got.RefreshToken)).is(t, "its family", 50173)
		if later := newServer(t, d.open()); verifies(later, got.AccessToken) {
			t.Error("a server that was started since takes it")
		}

		// At once: at most one gets tokens, which are worth nothing.
		for range 5 {
			code := d.code()
			var mu sync.Mutex
			var won []tokens
			d.atOnce(6, func(s *server) {
				if got := s.tokens(tokenURL, codeForm(code)); got.AccessToken != "" {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, got)
				}
			})
			if len(won) > 1 {
				t.Fatalf("%d got tokens for one code", len(won))
			}
			for _, got := range won {
				soon(t, "its token", func() bool { return !verifies(d.a, got.AccessToken) && !verifies(d.b, got.AccessToken) })
				d.any().tokens(tokenURL, refreshForm(got.RefreshToken)).is(t, "its family", 50173)
			}
		}
	})
}

func TestServersShareDevices(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		ask := func(s *server, code string) tokens {
			return s.tokens(tokenURL, form("urn:ietf:params:oauth:grant-type:device_code", "client_secret", "", "device_code", code))
		}
		for _, button := range []string{"accept", "cancel"} {
			device := d.a.tokens(base+"/common/oauth2/v2.0/devicecode", url.Values{"client_id": {client}, "scope": {api + "/.default offline_access"}})
			ask(d.b, device.DeviceCode).is(t, "a device that waits", 70016)
			b := &browser{d: d}
			w := b.press(b.do(http.MethodPost, base+"/common/oauth2/deviceauth", url.Values{"user_code": {device.UserCode}}), "signin")
			b.press(w, button)
			var got sync.Map
			d.atOnce(6, func(s *server) {
				answer := ask(s, device.DeviceCode)
				got.Store(fmt.Sprint(answer.AccessToken != "", answer.Codes), true)
			})
			want := map[string]string{"accept": "true []", "cancel": "false [70017]"}[button]
			if _, is := got.Load(want); !is {
				t.Errorf("%s: nobody got %s", button, want)
			}
			ask(d.a, device.DeviceCode).is(t, "once more", 70018)
			if w := b.do(http.MethodPost, base+"/common/oauth2/deviceauth", url.Values{"user_code": {device.UserCode}}); w.Code != http.StatusBadRequest {
				t.Errorf("its user code: %d", w.Code)
			}
		}
	})
}

// The last button is pressed at both servers at once, twice each: one press counts, and
// the others of it have the same answer.
func TestServersShareSignIns(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		for range 5 {
			b := &browser{d: d}
			w := b.toConsent()
			var mu sync.Mutex
			answers := map[string]int{}
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					button := []string{"accept", "decline"}[i/2%2]
					w := []*server{d.a, d.b}[i%2].do(http.MethodPost, base+"/common/oauth2/login", pressed(w, button), b.cookies...)
					mu.Lock()
					defer mu.Unlock()
					to := w.Header().Get("Location")
					if strings.Contains(to, "error=") {
						to = "declined"
					}
					answers[to]++
				})
			}
			wg.Wait()
			if len(answers) != 2 || answers[""] != 4 {
				t.Errorf("answers %v", answers)
			}
		}
		// An administrator ends sign-ins at all servers.
		b := &browser{d: d}
		w := b.toConsent()
		d.a.call(t, "POST", "/grants/revoke", `{"all": true}`, &struct{}{})
		if w := b.press(w, "accept"); !strings.Contains(w.Body.String(), "AADSTS50173") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		// So does a password, between the last page and the tokens.
		code := d.code()
		d.a.call(t, "PATCH", "/users/"+ada, `{"password": "another"}`, &struct{}{})
		d.b.tokens(tokenURL, codeForm(code)).is(t, "a code of an old password", 50173)
	})
}

func TestServersShareConsents(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		var added, refused sync.Map
		var n int
		var mu sync.Mutex
		d.atOnce(8, func(s *server) {
			mu.Lock()
			n++
			mine := fmt.Sprintf("https://%d.example", n)
			mu.Unlock()
			c := issuer.Consent{TenantID: tenant, ClientID: client, UserID: ""}
			c.Resources = []string{mine}
			if err := s.authority.AddConsent(t.Context(), c); err != nil {
				t.Error(err)
			}
			c.Resources = []string{"https://same.example"}
			switch err := s.authority.AddConsent(t.Context(), c); {
			case err == nil:
				added.Store(mine, true)
			case errors.Is(err, issuer.ErrConsentExists):
				refused.Store(mine, true)
			default:
				t.Error(err)
			}
		})
		count := func(m *sync.Map) (n int) {
			m.Range(func(any, any) bool { n++; return true })
			return n
		}
		if count(&added) != 1 || count(&refused) != 7 {
			t.Errorf("added %d times, refused %d times", count(&added), count(&refused))
		}
		for _, s := range []*server{d.a, d.b} { // at once
			list, err := s.authority.Consents(func(issuer.Consent) bool { return true })
			if err != nil || len(list) != 1 || len(list[0].Resources) != 9 {
				t.Errorf("%+v, %v", list, err)
			}
		}
		code := d.code() // with a consent of the user's own
		got := d.b.tokens(tokenURL, codeForm(code)).is(t, "a code", 0)
		d.a.call(t, "DELETE", "/consents", "", &struct{}{})
		soon(t, "a withdrawn consent", func() bool { return !verifies(d.b, got.AccessToken) })
	})
}

// assertion signs a client assertion with the key of a certificate.
func assertion(key *rsa.PrivateKey, der []byte, jti string) string {
	encode := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	sum := sha256.Sum256(der)
	now := time.Now().Unix()
	text := encode(map[string]any{"alg": "RS256", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}) + "." +
		encode(map[string]any{"aud": ownTenant, "iss": client, "sub": client, "jti": jti, "nbf": now, "exp": now + 300})
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestServersShareAssertions(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))})
	onEach(t, func(t *testing.T, d *database) {
		d.a.call(t, "POST", "/apps/"+client+"/certificates", string(body), &struct{}{})
		with := func(f url.Values, jti string) url.Values {
			f.Del("client_secret")
			f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			f.Set("client_assertion", assertion(key, der, jti))
			return f
		}
		own := with(ownForm(), "one")
		got := d.b.tokens(ownTenant, own).is(t, "a certificate that the other server was given", 0)
		if again := d.a.tokens(ownTenant, own).is(t, "the same request", 0); again.AccessToken != got.AccessToken {
			t.Error("another token")
		}
		other := with(ownForm(), "one")
		other.Set("scope", "https://graph.windows.net/.default")
		d.a.tokens(ownTenant, other).is(t, "another request", 700027)
		newServer(t, d.open()).tokens(ownTenant, other).is(t, "a server that was started since", 700027)

		// At once, for an app's own tokens and with a code, which is not replayed by that.
		for i, f := range []url.Values{ownForm(), codeForm(d.code())} {
			f = with(f, fmt.Sprint("many ", i))
			var seen sync.Map
			d.atOnce(8, func(s *server) {
				seen.Store(s.tokens(ownTenant, f).is(t, "at once", 0).AccessToken, true)
			})
			n := 0
			seen.Range(func(token, _ any) bool {
				n++
				if !verifies(d.b, token.(string)) {
					t.Error("a token that is refused")
				}
				return true
			})
			if n != 1 {
				t.Errorf("%d tokens for one assertion", n)
			}
		}
		// What fails uses nothing up.
		wrong := with(codeForm("wrong"), "wrong")
		d.a.tokens(ownTenant, wrong).is(t, "a wrong code", 70008)
		wrong.Set("code", d.code())
		d.b.tokens(ownTenant, wrong).is(t, "the right one", 0)
	})
}

// Two servers are started at once with a new database: it is filled once, with one key.
func TestServersStartAtOnce(t *testing.T) {
	address := postgrestest.Start(t).NewDatabase(t)
	stores := []*store.Store{openStore(t, address), openStore(t, address)}
	var wg sync.WaitGroup
	servers := make([]*server, len(stores))
	for i, st := range stores {
		wg.Go(func() {
			data := world()
			data.Partners[0].Apps[0].Secret = "" // made at random
			if _, _, err := st.Fill(t.Context(), data); err != nil {
				t.Error(err)
				return
			}
			servers[i] = newServer(t, st)
		})
	}
	wg.Wait()
	keys, err := stores[0].SigningKeys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	apps, err := stores[0].Apps(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		got := s.tokens(ownTenant, form("client_credentials", "scope", api+"/.default", "client_secret", apps[0].Secret)).is(t, "the secret", 0)
		if !verifies(servers[0], got.AccessToken) || !verifies(servers[1], got.AccessToken) {
			t.Error("the other refuses a token")
		}
	}
}

// A database that cannot be read has no token taken: who knows what was revoked?
func TestServerWithoutDatabase(t *testing.T) {
	cluster := postgrestest.Dedicated(t, postgrestest.Options{})
	st := openStore(t, cluster.NewDatabase(t))
	if _, _, err := st.Fill(t.Context(), world()); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, st)
	token := s.tokens(ownTenant, ownForm()).is(t, "a token", 0).AccessToken
	cluster.Stop(t)
	soon(t, "the loss", func() bool { return !verifies(s, token) })
	if _, err := s.authority.Verify(token); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if w := s.do(http.MethodPost, ownTenant, ownForm()); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	cluster.Restart(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !verifies(s, token) {
		if ctx.Err() != nil {
			t.Fatal("it is refused for ever")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

package browsertest

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

const (
	tenantID = "a1b2c3d4-0000-4000-8000-00000000000a"
	clientID = "c0ffee00-0000-4000-8000-000000000001"
	domain   = "contoso.example"
	appName  = `Ada's <b>app</b>`
	api      = "https://api.partnercenter.microsoft.com"

	ada      = "ada@" + domain // an administrator with a second factor
	bob      = "bob@" + domain // neither
	eve      = "eve@" + domain // who has left
	password = `correct "horse" & battery+%`

	// otherHost is a name of this machine that does not say so, as companies give
	// their servers.
	otherHost = "partnercenter.example"

	customScheme = "ada-app://signed-in"

	verifier  = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG-._~"
	challenge = "s940EuehEK6zsujZcPalJ6fyzKgw1fR7TL1BWl6KCp4"
)

// Making a key is slow: all tests share one.
var signingKey = sync.OnceValues(func() (*issuer.Key, error) { return issuer.GenerateKey(time.Now()) })

// world is an authority with a few users and an app that they sign in to.
type world struct {
	t         *testing.T
	authority *issuer.Authority
	url, tls  string // of the authority
	app       string // URL of the app, at another site than the authority

	mu   sync.Mutex // guards what follows
	got  []answer
	held chan struct{} // see holdNext
}

// answer is what the app got.
type answer struct {
	method   string
	values   url.Values
	fragment bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	w.authority, err = issuer.New(issuer.Options{
		Keys: []*issuer.Key{key},
		Tenants: []issuer.Tenant{{
			ID: tenantID, Domains: []string{domain},
			Clients: []issuer.Client{{
				ID: clientID, ObjectID: "0b1ec700-0000-4000-8000-000000000001", Name: appName, Public: true,
				RedirectURIs: []string{"http://localhost/callback", "http://localhost/moved", customScheme},
			}},
			Users: []issuer.User{
				{UserPrincipalName: ada, ObjectID: "0b1ec700-0000-4000-8000-00000000000a", Name: "Ada Byron", Password: password, MFA: true, Administrator: true},
				{UserPrincipalName: bob, ObjectID: "0b1ec700-0000-4000-8000-00000000000b", Name: "Bob Boole", Password: password},
				{UserPrincipalName: eve, ObjectID: "0b1ec700-0000-4000-8000-00000000000e", Name: "Eve Noether", Password: password, Disabled: true},
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	plain, tls := httptest.NewServer(http.HandlerFunc(w.serveAuthority)), httptest.NewTLSServer(w.authority)
	app := httptest.NewServer(http.HandlerFunc(w.serveApp))
	t.Cleanup(func() {
		plain.Close()
		tls.Close()
		app.Close()
	})
	w.url, w.tls = plain.URL, tls.URL
	if err := w.authority.SetBaseURLs(w.url, w.tls); err != nil {
		t.Fatal(err)
	}
	w.app = strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
	return w
}

// serveAuthority is the authority, slow when the test wants it to be.
func (w *world) serveAuthority(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	held := w.held
	w.held = nil
	w.mu.Unlock()
	if held == nil {
		w.authority.ServeHTTP(rw, r)
		return
	}
	w.authority.ServeHTTP(httptest.NewRecorder(), r)
	close(held)
	<-r.Context().Done()
}

// holdNext makes the authority withhold its next answer. The channel is closed once
// there is one.
func (w *world) holdNext() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = make(chan struct{})
	return w.held
}

// serveApp is the app: it records what it receives. A script forwards what is in a
// fragment. /moved redirects to a page at another site, as apps with several hosts do.
func (w *world) serveApp(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	got := answer{method: r.Method, values: r.URL.Query()}
	if r.Method == http.MethodPost {
		got.values, _ = url.ParseQuery(string(body))
	}
	switch r.URL.Path {
	case "/fragment":
		got.fragment = true
	case "/moved":
		http.Redirect(rw, r, strings.Replace(w.app, "localhost", "127.0.0.1", 1)+"/home", http.StatusFound)
	case "/home":
		writeApp(rw, "Home", "")
		return
	default:
		writeApp(rw, "The app", `if (location.hash) fetch("/fragment?" + location.hash.slice(1)).then(() => document.querySelector("h1").textContent = "The app has read it")`)
	}
	if len(got.values) > 0 {
		w.mu.Lock()
		w.got = append(w.got, got)
		w.mu.Unlock()
	}
}

func writeApp(w http.ResponseWriter, title, script string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>%[1]s</title><link rel="icon" href="data:,"><h1>%[1]s</h1><script>%[2]s</script>`, html.EscapeString(title), script)
}

// elsewhere returns a URL of the authority under its other name.
func elsewhere(address string) string { return strings.Replace(address, "127.0.0.1", otherHost, 1) }

// answers are what the app has got so far.
func (w *world) answers() []answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]answer(nil), w.got...)
}

// onlyAnswer is what the app has got, once.
func (w *world) onlyAnswer() answer {
	w.t.Helper()
	got := w.answers()
	if len(got) != 1 {
		w.t.Fatalf("the app got %d answers: %v", len(got), got)
	}
	return got[0]
}

// authorize returns the address that starts a sign-in; a change to "" removes a
// parameter.
func (w *world) authorize(changes ...string) string { return w.authorizeAt(w.url, changes...) }

func (w *world) authorizeAt(base string, changes ...string) string {
	values := url.Values{
		"client_id": {clientID}, "redirect_uri": {w.app + "/callback"}, "response_type": {"code"},
		"state": {`st&te "1"`}, "nonce": {"n0nce"}, "scope": {api + "/.default openid offline_access"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			values.Del(changes[i])
		}
	}
	return base + "/common/oauth2/v2.0/authorize?" + values.Encode()
}

// tokens are the answer of the token endpoint.
type tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// post sends a form to the authority as an app does, without the browser.
func post[T any](w *world, path string, form url.Values) T {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var value T
	if err := json.NewDecoder(response.Body).Decode(&value); err != nil {
		w.t.Fatal(err)
	}
	return value
}

// redeem gets tokens for an answer with a code, and checks whose they are.
func (w *world) redeem(got answer, user string, mfa bool) {
	w.t.Helper()
	if got.values.Get("state") != `st&te "1"` {
		w.t.Errorf("state %q", got.values.Get("state"))
	}
	w.check(w.exchange(got), user, mfa)
}

// exchange gets tokens for an answer with a code.
func (w *world) exchange(got answer) tokens {
	w.t.Helper()
	return post[tokens](w, "/common/oauth2/v2.0/token", url.Values{
		"client_id": {clientID}, "grant_type": {"authorization_code"}, "code": {got.values.Get("code")},
		"redirect_uri": {w.app + "/callback"}, "code_verifier": {verifier},
	})
}

func (w *world) check(got tokens, user string, mfa bool) {
	w.t.Helper()
	claims, err := w.authority.Verify(got.AccessToken)
	if err != nil {
		w.t.Fatalf("%v: %+v", err, got)
	}
	if claims.User != user || claims.MFA != mfa || claims.Audience != api || got.IDToken == "" {
		w.t.Errorf("claims %+v", claims)
	}
}

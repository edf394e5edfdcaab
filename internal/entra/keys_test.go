package entra

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

// fakeEntra answers as Microsoft's authority does. Tests change its answers.
type fakeEntra struct {
	mu     sync.Mutex
	keys   []any                                                  // JSON Web Keys
	change func(tenant string, v token.Version, document *openID) // nil changes nothing
	serve  http.HandlerFunc                                       // answers everything, if not nil
	asked  map[string]int                                         // requests, by path
}

type openID struct {
	Issuer  string `json:"issuer"`
	KeysURI string `json:"jwks_uri"`
	Token   string `json:"token_endpoint"`
}

func newFakeEntra(keys ...*key) *fakeEntra {
	f := &fakeEntra{asked: make(map[string]int)}
	f.publish(keys...)
	return f
}

// publish sets the published keys.
func (f *fakeEntra) publish(keys ...*key) {
	var list []any
	for _, k := range keys {
		list = append(list, jwkOf(k))
	}
	f.set(func() { f.keys = list })
}

func (f *fakeEntra) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// requests counts the requests to paths with a suffix.
func (f *fakeEntra) requests(suffix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, count := range f.asked {
		if strings.HasSuffix(path, suffix) {
			n += count
		}
	}
	return n
}

func jwkOf(k *key) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "kid": k.ID, "x5t": k.ID, "e": "AQAB",
		"n":   base64.RawURLEncoding.EncodeToString(k.Private.N.Bytes()),
		"x5c": []string{"not looked at"}, "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
	}
}

func (f *fakeEntra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	keys, change, serve := slices.Clone(f.keys), f.change, f.serve
	f.mu.Unlock()
	if serve != nil {
		serve(w, r)
		return
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	root := scheme + "://" + r.Host
	tenant, rest, _ := strings.Cut(r.URL.Path[1:], "/")
	var document openID
	switch rest {
	case ".well-known/openid-configuration":
		document = openID{Issuer: "https://sts.windows.net/" + tenant + "/", KeysURI: root + "/common/discovery/keys"}
		if change != nil {
			change(tenant, token.V1, &document)
		}
		writeJSON(w, 200, document)
	case "v2.0/.well-known/openid-configuration":
		document = openID{Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", KeysURI: root + "/" + tenant + "/discovery/v2.0/keys"}
		if change != nil {
			change(tenant, token.V2, &document)
		}
		writeJSON(w, 200, document)
	case "discovery/keys", "discovery/v2.0/keys":
		writeJSON(w, 200, map[string]any{"keys": keys})
	default:
		http.NotFound(w, r)
	}
}

// RoundTrip makes f stand for any host, instantly and without a network.
func (f *fakeEntra) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// TestEntraRollover signs with a key that the authority did not publish before, and
// withdraws the old one.
func TestEntraRollover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeEntra(key1())
		e := newEntra(t, entraOptions(fake))
		sign := func(k *key) string { h, c := entraToken(k); return forge(h, c, k) }
		old := sign(key1())
		if got := reasonOf(t, e, old); got != "" {
			t.Fatalf("first token: %s", got)
		}
		first, _ := e.Verify(old)
		if again, _ := e.Verify(strings.Clone(old)); again != first {
			t.Error("the token was verified twice")
		}
		fake.publish(key2(), key1())
		time.Sleep(refetchInterval)
		if got := reasonOf(t, e, sign(key2())); got != "" {
			t.Errorf("token of the new key: %s", got)
		}
		if got := reasonOf(t, e, old); got != "" {
			t.Errorf("token of the old key: %s", got)
		}
		fake.publish(key2())
		stop := run(t, e)
		defer stop()
		time.Sleep(keysAge)
		synctest.Wait()
		if got := reasonOf(t, e, sign(key1())); got != token.ReasonUnknownKey {
			t.Errorf("token of a key that was withdrawn: %q", got)
		}
		if got := reasonOf(t, e, sign(key2())); got != "" {
			t.Errorf("token of the key that was not: %s", got)
		}
	})
}

// run keeps e fresh until stop is called.
func run(t *testing.T, e *Checker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { e.Run(ctx) })
	return func() { cancel(); group.Wait() }
}

// TestEntraRevokes withdraws a key whose token is cached.
func TestEntraRevokes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeEntra(key1())
		e := newEntra(t, entraOptions(fake))
		stop := run(t, e)
		defer stop()
		synctest.Wait() // for all tenants' keys
		header, claims := entraToken(key1())
		jwt := forge(header, tokentest.With(claims, "exp", time.Now().Add(72*time.Hour).Unix()), key1())
		before, err := e.Verify(jwt)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(keysAge + time.Second)
		synctest.Wait()
		if fake.requests("/keys") < 8 {
			t.Fatal("the keys were not fetched again")
		}
		if after, _ := e.Verify(jwt); after != before {
			t.Error("the same keys, fetched again, had a token verified again")
		}
		fake.publish(key2())
		time.Sleep(keysAge)
		synctest.Wait()
		if got := reasonOf(t, e, jwt); got != token.ReasonUnknownKey {
			t.Errorf("a remembered token of a key that was withdrawn: %q", got)
		}
	})
}

// TestEntraUnknownKeys presents many made-up key ids. The authority must not be asked
// for each.
func TestEntraUnknownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeEntra(key1())
		e := newEntra(t, entraOptions(fake))
		var junk atomic.Int64
		show := func() token.Reason {
			header, claims := entraToken(key1())
			return reasonOf(t, e, forge(tokentest.With(header, "kid", fmt.Sprint("junk", junk.Add(1))), claims, key1()))
		}
		for range 100 {
			if got := show(); got != token.ReasonUnknownKey {
				t.Fatalf("reason %q", got)
			}
		}
		want := func(n int) {
			t.Helper()
			if got := fake.requests(tenantID + "/.well-known/openid-configuration"); got != n {
				t.Errorf("asked %d times, want %d", got, n)
			}
		}
		want(1)
		time.Sleep(refetchInterval - 1)
		show()
		want(1)
		time.Sleep(time.Nanosecond)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() { show() })
		}
		group.Wait()
		want(2)
		if n := fake.requests(otherTenant + "/.well-known/openid-configuration"); n != 0 {
			t.Errorf("the authority was asked %d times about another tenant", n)
		}
	})
}

// TestEntraOutage makes the authority unavailable before and after its keys are
// fetched.
func TestEntraOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeEntra(key1())
		down := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) }
		fake.set(func() { fake.serve = down })
		var log bytes.Buffer
		o := entraOptions(fake)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		e := newEntra(t, o)
		stop := run(t, e)
		header, claims := entraToken(key1())
		claims["exp"] = time.Now().Add(96 * time.Hour).Unix()
		jwt := forge(header, claims, key1())
		for range 3 {
			if got := reasonOf(t, e, jwt); got != "unavailable" {
				t.Fatalf("without keys: %q", got)
			}
		}
		if err := e.Ready(); err == nil || !strings.Contains(err.Error(), tenantID) {
			t.Errorf("ready without keys: %v", err)
		}
		// One, two, four seconds apart, and so on, up to a minute.
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := fake.requests(tenantID + "/.well-known/openid-configuration"); n < 12 || n > 17 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		fake.set(func() { fake.serve = nil })
		time.Sleep(maxBackoff)
		synctest.Wait()
		if got := reasonOf(t, e, jwt); got != "" {
			t.Fatalf("after the outage: %q", got)
		}
		if err := e.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		fake.set(func() { fake.serve = down })
		time.Sleep(2 * keysAge)
		synctest.Wait()
		if got := reasonOf(t, e, jwt); got != "" {
			t.Errorf("in the second outage: %q", got)
		}
		fresh := forge(header, tokentest.With(claims, "uti", "another"), key1())
		if got := reasonOf(t, e, fresh); got != "" {
			t.Errorf("a token that was not seen before: %q", got)
		}
		if got := reasonOf(t, e, forge(tokentest.With(header, "kid", key2().ID), claims, key2())); got != "unavailable" {
			t.Errorf("a key that nobody can be asked about: %q", got)
		}
		if err := e.Ready(); err != nil {
			t.Errorf("not ready with old keys: %v", err)
		}
		stop()
		for _, want := range []string{"answered 502", "tokens are answered with 503", "keys fetched before stay in use", "signing keys fetched"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q", want)
			}
		}
	})
}

// TestEntraBadAuthority gives answers of the authority that must not be trusted.
func TestEntraBadAuthority(t *testing.T) {
	type key = map[string]any
	document := func(change func(*openID)) func(*fakeEntra) {
		return func(f *fakeEntra) {
			f.change = func(_ string, _ token.Version, d *openID) { change(d) }
		}
	}
	keys := func(list ...any) func(*fakeEntra) { return func(f *fakeEntra) { f.keys = list } }
	serve := func(h http.HandlerFunc) func(*fakeEntra) { return func(f *fakeEntra) { f.serve = h } }
	good := jwkOf(key1())
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	ec := key{"kty": "EC", "crv": "P-256", "kid": key1().ID, "x": text(curve.X.Bytes()), "y": text(curve.Y.Bytes())} //nolint:staticcheck // the shape is what matters
	for _, test := range []struct {
		name  string
		setUp func(*fakeEntra)
		log   string // empty: the keys are taken
	}{
		{"as it should be", func(*fakeEntra) {}, ""},
		{"keys of kinds to come", keys(key{"kty": "AKP", "kid": "x"}, ec, nil, good), ""},
		{"key of all tenants and one of personal accounts", keys(good, merge(jwkOf(key2()), key{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"})), ""},

		{"HTML", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>Sign in to the proxy</html>")
		}), "web page"},
		{"HTML that says it is JSON", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "<html>")
		}), "not answer with the expected JSON"},
		{"nothing", serve(func(http.ResponseWriter, *http.Request) {}), "not answer with the expected JSON"},
		{"an unknown tenant", serve(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 400, key{"error": "invalid_tenant", "error_description": "AADSTS90002"})
		}), "check the tenant's id"},
		{"redirect", serve(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		}), "redirects are not followed"},
		{"huge", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.Repeat([]byte(" "), maxDocument+1))
		}), "more than"},
		{"slow", serve(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "deadline exceeded"},
		{"issuer of another tenant", document(func(d *openID) { d.Issuer = strings.Replace(d.Issuer, tenantID, otherTenant, 1) }), "is not tenant"},
		{"issuer of any tenant", document(func(d *openID) { d.Issuer = strings.Replace(d.Issuer, tenantID, "{tenantid}", 1) }), "is not tenant"},
		{"issuer of somebody else", document(func(d *openID) { d.Issuer = strings.Replace(d.Issuer, "https://", "https://evil.example/", 1) }), "is not tenant"},
		{"issuer with a password", document(func(d *openID) { d.Issuer = strings.Replace(d.Issuer, "https://", "https://x@", 1) }), "is not tenant"},
		{"issuer over plain HTTP", document(func(d *openID) { d.Issuer = strings.Replace(d.Issuer, "https:", "http:", 1) }), "is not tenant"},
		{"issuer of the other version", document(func(d *openID) {
			if before, ok := strings.CutSuffix(d.Issuer, "v2.0"); ok {
				d.Issuer = before
			} else {
				d.Issuer += "v2.0"
			}
		}), "is not tenant"},
		{"no issuer", document(func(d *openID) { d.Issuer = "" }), "is not tenant"},
		{"keys elsewhere", document(func(d *openID) { d.KeysURI = "https://evil.example/common/discovery/keys" }), "leads away"},
		{"keys over plain HTTP", document(func(d *openID) { d.KeysURI = strings.Replace(d.KeysURI, "https:", "http:", 1) }), "leads away"},
		{"keys at another port", document(func(d *openID) { d.KeysURI = strings.Replace(d.KeysURI, ".com", ".com:8443", 1) }), "leads away"},
		{"keys in a file", document(func(d *openID) { d.KeysURI = "file:///etc/passwd" }), "leads away"},
		{"no keys", keys(), "no key"},
		{"keys of another use", keys(merge(good, key{"use": "enc"})), "no key"},
		{"keys of another algorithm", keys(merge(good, key{"alg": "PS256"})), "no key"},
		{"weak key", keys(merge(good, key{"n": text(weak.N.Bytes())})), "no key"},
		{"enormous key", keys(merge(good, key{"n": text(bytes.Repeat([]byte{255}, 2000))})), "no key"},
		{"even exponent", keys(merge(good, key{"e": "BA"})), "no key"},
		{"exponent one", keys(merge(good, key{"e": "AQ"})), "no key"},
		{"keys of personal accounts only", keys(merge(good, key{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"})), "no key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := newFakeEntra(key1())
				test.setUp(fake)
				var log bytes.Buffer
				o := entraOptions(fake)
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
				e := newEntra(t, o)
				header, claims := entraToken(key1())
				want := token.Reason("unavailable")
				if test.log == "" {
					want = ""
				}
				began := time.Now()
				if got := reasonOf(t, e, forge(header, claims, key1())); got != want {
					t.Errorf("reason %q, want %q", got, want)
				}
				if took := time.Since(began); took > fetchTimeout {
					t.Errorf("it took %v", took)
				}
				if !strings.Contains(log.String(), test.log) {
					t.Errorf("the log does not say %q: %s", test.log, &log)
				}
				if test.log != "" && strings.Contains(log.String(), "Sign in to the proxy") {
					t.Errorf("the log quotes what was answered: %s", &log)
				}
			})
		})
	}
}

// TestEntraWaiting has more calls come than may wait for an authority that does
// not answer.
func TestEntraWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeEntra(key1())
		fake.serve = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		e := newEntra(t, entraOptions(fake))
		header, claims := entraToken(key1())
		jwt := forge(header, claims, key1())
		var group sync.WaitGroup
		for range maxWaiting {
			group.Go(func() { reasonOf(t, e, jwt) })
		}
		synctest.Wait()
		began := time.Now()
		if got := reasonOf(t, e, jwt); got != "unavailable" || time.Since(began) != 0 {
			t.Errorf("reason %q after %v", got, time.Since(began))
		}
		group.Wait()
		if n := fake.requests(tenantID + "/.well-known/openid-configuration"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// transportFunc is a transport without a network.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func answers(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// TestPace asks as often as MSAL does, and looks at when it is sent.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		began := time.Now()
		s := &service{}
		s.options.Retry.MaxRetries = -1
		s.options.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, time.Since(began))
			kind := "authorization_pending"
			if len(sent) == 2 {
				kind = "slow_down"
			}
			return answers(r, http.StatusBadRequest, `{"error":"`+kind+`"}`), nil
		})
		client := newAuthorityClient(s)
		client.pace(5 * time.Second)
		for range 4 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://authority.example/token", strings.NewReader("a=b"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Contains(body, []byte("error")) {
				t.Errorf("MSAL would read %q, %v", body, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}
		for i, at := range sent {
			if at != want[i] {
				t.Errorf("request %d was sent after %s, want %s", i, at, want[i])
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://authority.example/token", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the waiting", err)
		}
	})
}

func TestSeal(t *testing.T) {
	key := bytes.Repeat([]byte{7}, tokenKeySize)
	one, two := seal([]byte("secret"), key), seal([]byte("secret"), key)
	if bytes.Equal(one, two) {
		t.Error("the same nonce twice")
	}
	if plain, ok := openSealed(one, key); !ok || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, ok)
	}
	other := bytes.Repeat([]byte{8}, tokenKeySize)
	for i := range one {
		changed := bytes.Clone(one)
		changed[i] ^= 1
		if _, ok := openSealed(changed, key); ok {
			t.Fatalf("byte %d can be changed", i)
		}
		if _, ok := openSealed(one[:i], key); ok {
			t.Fatalf("it can be cut to %d bytes", i)
		}
	}
	if _, ok := openSealed(one, other); ok {
		t.Error("another key opens it")
	}
}

// TestClearWithoutFile removes a key that is left of an earlier file, as it would be
// in the way of the next sign-in if it were no good.
func TestClearWithoutFile(t *testing.T) {
	store := &tokenStore{path: filepath.Join(t.TempDir(), "tokens.bin")}
	writeFile(t, store.keyPath(), "no key")
	for range 2 {
		if removed, err := store.clear(t.Context()); removed || err != nil {
			t.Errorf("removed %v, %v", removed, err)
		}
		if isThere(store.keyPath()) {
			t.Error("the key is still there")
		}
	}
}

func TestDecodeTokenKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xff}, tokenKeySize/2) // + and / in base64
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key) + "\n",
	} {
		if got, err := decodeTokenKey(text); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "short", base64.StdEncoding.EncodeToString(key[1:]), base64.StdEncoding.EncodeToString(append(key, 1)), "!" + base64.StdEncoding.EncodeToString(key)} {
		if _, err := decodeTokenKey(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
}

// TestFindSignIn looks for sign-ins with settings that name more or less.
func TestFindSignIn(t *testing.T) {
	all := []*signIn{
		{Authority: "https://a", Tenant: "contoso.example", TenantID: "T1", ClientID: "C1", Username: "ann"},
		{Authority: "https://a", Tenant: "t2", TenantID: "T2", ClientID: "C1", Username: "bob"},
		{Authority: "https://b", TenantID: "T1", ClientID: "C1", Username: "cem"},
	}
	for _, test := range []struct {
		name, authority, tenant, client string
		want                            string // empty for none
		ambiguous                       bool
	}{
		{"all named", "https://a/", "t1", "c1", "ann", false},
		{"by domain", "https://A", "Contoso.example", "C1", "ann", false},
		{"by tenant", "https://a", "T2", "", "bob", false},
		{"no tenant", "https://a", "", "C1", "", true},
		{"only one there", "https://b", "", "", "cem", false},
		{"another app", "https://a", "T1", "C2", "", false},
		{"another tenant", "https://a", "T3", "C1", "", false},
		{"another authority", "https://c", "T1", "C1", "", false},
	} {
		got, err := findSignIn(all, &settings{authority: test.authority, tenantID: test.tenant, clientID: test.client})
		switch {
		case test.ambiguous:
			if refused := new(signInError); !errors.As(err, &refused) || !strings.Contains(refused.next, "--tenant-id") {
				t.Errorf("%s: %v, %v", test.name, got, err)
			}
		case err != nil, got == nil && test.want != "", got != nil && got.Username != test.want:
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}

// TestIDToken refuses id tokens of other sign-ins.
func TestIDToken(t *testing.T) {
	s := &service{settings: settings{clientID: "App"}}
	good := map[string]any{"aud": "app", "nonce": "n"}
	if err := checkIDToken(unsignedToken(good), s, "n"); err != nil {
		t.Error(err)
	}
	for name, claims := range map[string]map[string]any{
		"another nonce": {"aud": "app", "nonce": "m"}, "no nonce": {"aud": "app"},
		"another app": {"aud": "other", "nonce": "n"}, "two apps": {"aud": []string{"app", "other"}, "nonce": "n"}, "no app": {"nonce": "n"},
	} {
		if err := checkIDToken(unsignedToken(claims), s, "n"); !errors.As(err, new(*signInError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkIDToken("", s, "n"); !errors.As(err, new(*signInError)) {
		t.Errorf("none: %v", err)
	}
}

func TestReadClaims(t *testing.T) {
	for _, token := range []string{"", "a.b", "a.b.c", "a." + base64.RawURLEncoding.EncodeToString([]byte("null")) + ".c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":{}}`)) + ".c"} {
		if claims, ok := readClaims(token); ok {
			t.Errorf("%q: %+v", token, claims)
		}
	}
	c, ok := readClaims(unsignedToken(map[string]any{"aud": []string{"a", "b"}, "exp": 1.5e9, "wids": []string{globalAdministrator}, "upn": "ann", "name": "\x1b[31mAnn"}))
	if !ok || len(c.Audience) != 2 || unixTime(c.Expires).Year() != 2017 || strings.Join(c.roles(), " ") != "global_admin" || !c.forUser() || c.withoutMFA() {
		t.Errorf("%+v", c)
	}
	var out bytes.Buffer
	if err := newIdentity(c, "", time.Now()).print(&out, time.Now()); err != nil || strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("%v: %q", err, out.String())
	}
}

// TestMSALErrors words what MSAL's errors would quote.
func TestMSALErrors(t *testing.T) {
	secret := "a-refresh-token"
	ctx, cancel := context.WithCancel(t.Context())
	if err := explainMSAL(ctx, "https://a", errors.New("problem\nwith "+secret)); strings.Contains(err.Error(), secret) || !errors.As(err, new(*signInError)) {
		t.Error(err)
	}
	if err := explainMSAL(ctx, "https://a", &signInError{text: "as it is"}); err.Error() != "as it is; " {
		t.Error(err)
	}
	cancel()
	if err := explainMSAL(ctx, "https://a", errors.New("late")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 90 * time.Second: "1 minute", 119 * time.Minute: "1 hour", 50 * time.Hour: "2 days", 59 * time.Second: "59 seconds",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

// TestOpenBrowser starts what the variable BROWSER names.
func TestOpenBrowser(t *testing.T) {
	for command, ok := range map[string]bool{"true": true, "true --url=%s": true, "no-such-browser": false} {
		err := openBrowser(func(string) string { return command }, "https://example.com/?a=b&c=d")
		if (err == nil) != ok {
			t.Errorf("%s: %v", command, err)
		}
	}
}

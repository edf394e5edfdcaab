package issuer

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// parts decodes header and payload of a token.
func parts(t testing.TB, token string) (header, payload map[string]any) {
	t.Helper()
	for i, into := range []*map[string]any{&header, &payload} {
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// forge makes a token by hand, signed with RS256 whatever its header says.
func forge(header, payload any, k *Key) string {
	input := encode(header) + "." + encode(payload)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.Private, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// with returns m with a member set, or removed if value is nil.
func with(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	m[name] = value
	if value == nil {
		delete(m, name)
	}
	return m
}

func wantReason(t *testing.T, a *Authority, token string, want Reason) {
	t.Helper()
	claims, err := a.Verify(token)
	var refused *VerifyError
	switch {
	case want == "":
		if err != nil || claims == nil {
			t.Errorf("refused: %v", err)
		}
	case !errors.As(err, &refused) || claims != nil:
		t.Errorf("claims %v, error %v, want %s", claims, err, want)
	case refused.Reason != want:
		t.Errorf("refused for %s (%v), want %s", refused.Reason, err, want)
	case !strings.HasSuffix(err.Error(), nextStep[want]) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 600:
		t.Errorf("error text %q", err)
	case len(token) > 100 && strings.Contains(err.Error(), token):
		t.Errorf("error has the token in it: %q", err)
	}
}

func TestVerifyForged(t *testing.T) {
	a := newAuthority(t, options())
	token := mint(t, a, TokenRequest{})
	header, payload := parts(t, token)
	part := strings.Split(token, ".")
	public, err := x509.MarshalPKIXPublicKey(&key1().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte) string {
		input := encode(with(header, "alg", "HS256")) + "." + part[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	jwk := map[string]any{
		"kty": "RSA", "e": "AQAB", "kid": key1().ID,
		"n": base64.RawURLEncoding.EncodeToString(key2().Private.N.Bytes()),
	}
	attackers := with(header, "kid", key2().ID)
	for _, test := range []struct {
		name, token string
		want        Reason
	}{
		{"as minted", token, ""},
		{"made by hand", forge(header, payload, key1()), ""},
		{"without typ", forge(with(header, "typ", nil), payload, key1()), ""},

		{"empty", "", ReasonMalformed},
		{"one part", part[0], ReasonMalformed},
		{"two parts", part[0] + "." + part[1], ReasonMalformed},
		{"four parts", token + ".x", ReasonMalformed},
		{"dots", "..", ReasonAlgorithm},
		{"with Bearer", "Bearer " + token, ReasonMalformed},
		{"line break", token + "\n", ReasonMalformed},
		{"line break inside", part[0] + "." + part[1] + ".\r\n" + part[2], ReasonMalformed},
		{"padded", token + "=", ReasonMalformed},
		{"spare bits set", token[:len(token)-1] + nextLetter(token[len(token)-1]), ReasonMalformed},
		{"standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(token) + "+", ReasonMalformed},
		{"header not JSON", "eHg." + part[1] + "." + part[2], ReasonMalformed},
		{"header an array", encode([]string{"alg", "RS256"}) + "." + part[1] + "." + part[2], ReasonMalformed},
		{"JSON serialization", `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`, ReasonMalformed},
		{"payload not JSON", mustSign("x", key1()), ReasonMalformed},
		{"payload an array", mustSign("[]", key1()), ReasonMalformed},
		{"repeated claim", mustSign(`{"aud":"a","aud":"b"}`, key1()), ReasonMalformed},
		{"too large", token + strings.Repeat("x", maxToken), ReasonTooLarge},

		{"alg none", encode(with(header, "alg", "none")) + "." + part[1] + ".", ReasonAlgorithm},
		{"alg None", encode(with(header, "alg", "None")) + "." + part[1] + "." + part[2], ReasonAlgorithm},
		{"alg absent", encode(with(header, "alg", nil)) + "." + part[1] + "." + part[2], ReasonAlgorithm},
		{"alg empty", encode(with(header, "alg", "")) + "." + part[1] + "." + part[2], ReasonAlgorithm},
		{"alg RS512", forge(with(header, "alg", "RS512"), payload, key1()), ReasonAlgorithm},
		{"alg PS256", forge(with(header, "alg", "PS256"), payload, key1()), ReasonAlgorithm},
		{"HS256, public key as DER", hs256(public), ReasonAlgorithm},
		{"HS256, public key as PEM", hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), ReasonAlgorithm},
		{"HS256, modulus", hs256(key1().Private.N.Bytes()), ReasonAlgorithm},

		{"another key", forge(attackers, payload, key2()), ReasonUnknownKey},
		{"embedded jwk", forge(with(attackers, "jwk", with(jwk, "kid", key2().ID)), payload, key2()), ReasonUnknownKey},
		{"no kid", forge(with(header, "kid", nil), payload, key1()), ReasonUnknownKey},
		{"kid a path", forge(with(header, "kid", "../../../../dev/null"), payload, key1()), ReasonUnknownKey},
		{"kid a URL", forge(with(header, "kid", "https://evil.example/keys"), payload, key1()), ReasonUnknownKey},
		{"kid SQL", forge(with(header, "kid", "x' UNION SELECT 'a"), payload, key1()), ReasonUnknownKey},
		{"kid with line breaks", forge(with(header, "kid", "a\r\nb\x00"), payload, key1()), ReasonUnknownKey},
		{"kid long", forge(with(header, "kid", strings.Repeat("k", 4<<10)), payload, key1()), ReasonUnknownKey},
		{"kid and a space", forge(with(header, "kid", key1().ID+" "), payload, key1()), ReasonUnknownKey},
		{"kid a number", forge(with(header, "kid", 1), payload, key1()), ReasonMalformed},

		{"another key under our kid", forge(header, payload, key2()), ReasonSignature},
		{"embedded jwk under our kid", forge(with(header, "jwk", jwk), payload, key2()), ReasonSignature},
		{"jku under our kid", forge(with(with(header, "jku", "https://evil.example/keys"), "x5u", "https://evil.example/x"), payload, key2()), ReasonSignature},
		{"jwk ignored", forge(with(header, "jwk", jwk), payload, key1()), ""},
		{"unknown critical header", forge(with(with(header, "crit", []string{"magic"}), "magic", true), payload, key1()), ReasonSignature},
		{"changed payload", part[0] + "." + encode(with(payload, "tid", otherTenant)) + "." + part[2], ReasonSignature},
		{"no signature", part[0] + "." + part[1] + ".", ReasonSignature},
		{"short signature", part[0] + "." + part[1] + ".AAAA", ReasonSignature},

		{"another audience", forge(header, with(payload, "aud", "https://vault.azure.net"), key1()), ReasonAudience},
		{"no audience", forge(header, with(payload, "aud", nil), key1()), ReasonAudience},
		{"list of audiences", forge(header, with(payload, "aud", []string{graph, api}), key1()), ReasonMalformed},
		{"unknown tenant", forge(header, with(payload, "tid", "a1b2c3d4-0000-4000-8000-00000000000f"), key1()), ReasonTenant},
		{"tenant a domain", forge(header, with(payload, "tid", "contoso.onmicrosoft.com"), key1()), ReasonTenant},
		{"no tenant", forge(header, with(payload, "tid", nil), key1()), ReasonTenant},
		{"issuer of another tenant", forge(header, with(payload, "iss", base+"/"+otherTenant+"/"), key1()), ReasonIssuer},
		{"issuer of another version", forge(header, with(payload, "iss", base+"/"+tenantID+"/v2.0"), key1()), ReasonIssuer},
		{"another host", forge(header, with(payload, "iss", "https://sts.windows.net/"+tenantID+"/"), key1()), ReasonIssuer},
		{"no issuer", forge(header, with(payload, "iss", nil), key1()), ReasonIssuer},
		{"unknown version", forge(header, with(payload, "ver", "3.0"), key1()), ReasonIssuer},
		{"v2 with a v1 issuer", forge(header, with(payload, "ver", "2.0"), key1()), ReasonIssuer},
		{"another tenant's client", forge(header, with(payload, "appid", otherClient), key1()), ReasonClient},
		{"no client", forge(header, with(payload, "appid", nil), key1()), ReasonIDToken},
		{"v1 with azp", forge(header, with(with(payload, "azp", clientID), "appid", nil), key1()), ReasonClient},
		{"a user out of nowhere", forge(header, with(payload, "upn", "eve@contoso.onmicrosoft.com"), key1()), ReasonUser},
		{"no expiry", forge(header, with(payload, "exp", nil), key1()), ReasonExpired},
		{"expiry as text", forge(header, with(payload, "exp", "2030"), key1()), ReasonMalformed},
		{"expiry beyond numbers", forge(header, with(payload, "exp", 1e300), key1()), ReasonMalformed},
		{"start beyond time", forge(header, with(payload, "nbf", int64(1<<62)), key1()), ReasonNotYetValid},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantReason(t, a, test.token, test.want)
			wantReason(t, a, test.token, test.want) // a second time, past the cache
		})
	}
}

// nextLetter returns a base64url character that differs in the last bit.
func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func mustSign(payload string, k *Key) string {
	token, err := k.sign([]byte(payload))
	if err != nil {
		panic(err)
	}
	return token
}

func TestVerifyTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		leeway time.Duration
		after  time.Duration // since issue
		want   Reason
	}{
		{"now", 0, 0, ""},
		{"last second", 0, time.Hour + 59*time.Second, ""},
		{"past leeway", 0, time.Hour + time.Minute, ReasonExpired},
		{"before, within leeway", 0, -6 * time.Minute, ""},
		{"before leeway", 0, -6*time.Minute - time.Second, ReasonNotYetValid},
		{"no leeway, last second", -1, time.Hour - time.Second, ""},
		{"no leeway, expired", -1, time.Hour, ReasonExpired},
		{"no leeway, first second", -1, -5 * time.Minute, ""},
		{"no leeway, early", -1, -5*time.Minute - 1, ReasonNotYetValid},
		{"long leeway", time.Hour, 2*time.Hour - 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{at: start}
			o := options()
			o.Now, o.Leeway = c.now, test.leeway
			a := newAuthority(t, o)
			token := mint(t, a, TokenRequest{})
			c.set(start.Add(test.after))
			wantReason(t, a, token, test.want)
			// The same when the token has been remembered in between.
			c.set(start)
			wantReason(t, a, token, "")
			c.set(start.Add(test.after))
			wantReason(t, a, token, test.want)
		})
	}
}

func TestVerifyRemembers(t *testing.T) {
	a := newAuthority(t, options())
	token := mint(t, a, TokenRequest{})
	first, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := a.Verify("Bearer " + token); again != nil {
		t.Error("a prefix was ignored")
	}
	if again, _ := a.Verify(strings.Clone(token)); again != first {
		t.Error("the token was verified twice")
	}
	a.Verify(token + "x")
	a.Verify(forge(map[string]any{"alg": "RS256"}, nil, key2()))
	if n := a.verified.tokens.Len(); n != 1 {
		t.Errorf("%d tokens remembered, want the one good", n)
	}

	o := options()
	o.CacheSize = 2
	a = newAuthority(t, o)
	for range 5 {
		wantReason(t, a, mint(t, a, TokenRequest{}), "")
	}
	if n := a.verified.tokens.Len(); n != 2 {
		t.Errorf("%d tokens remembered, want 2", n)
	}
	o.CacheSize = -1
	a = newAuthority(t, o)
	token = mint(t, a, TokenRequest{})
	wantReason(t, a, token, "")
	wantReason(t, a, token, "")
}

func TestVerifyKeyRotation(t *testing.T) {
	a := newAuthority(t, options())
	old := mint(t, a, TokenRequest{})
	a.AddKey(key2())
	recent := mint(t, a, TokenRequest{})
	wantReason(t, a, old, "")
	wantReason(t, a, recent, "")
	if header, _ := parts(t, recent); header["kid"] != key2().ID {
		t.Errorf("signed by %v, want the key added last", header["kid"])
	}
	if !a.RevokeKey(key1().ID) || a.RevokeKey(key1().ID) || a.RevokeKey("x") {
		t.Error("RevokeKey told the wrong thing")
	}
	wantReason(t, a, old, ReasonUnknownKey)
	wantReason(t, a, recent, "")
	// Another key under a known id does not inherit the trust.
	a.AddKey(&Key{ID: key2().ID, Private: key1().Private})
	wantReason(t, a, recent, ReasonSignature)
	a.RevokeKey(key2().ID)
	if _, err := a.Mint(TokenRequest{Tenant: tenantID, ClientID: clientID}); !errors.Is(err, errNoKey) {
		t.Errorf("Mint without a key: %v", err)
	}
}

func TestVerifyBaseURLs(t *testing.T) {
	a := newAuthority(t, options())
	v1, v2 := mint(t, a, TokenRequest{BaseURL: "HTTPS://localhost:8443/"}), mint(t, a, TokenRequest{Version: V2})
	wantReason(t, a, v1, "")
	wantReason(t, a, v2, "")
	if err := a.SetBaseURLs("https://LOCALHOST:8443", "http://[::1]:80"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, a, v1, "")
	wantReason(t, a, v2, ReasonIssuer)
	claims, err := a.Verify(mint(t, a, TokenRequest{BaseURL: "http://[::1]"}))
	if err != nil || claims.Issuer != "http://[::1]/"+tenantID+"/" {
		t.Errorf("claims %+v, %v", claims, err)
	}
}

// Tokens outlive a restart, and what they rest on may not.
func TestVerifyAfterRestart(t *testing.T) {
	token := mint(t, newAuthority(t, options()), TokenRequest{})
	for name, test := range map[string]struct {
		change func(*Options)
		want   Reason
	}{
		"same":                {func(*Options) {}, ""},
		"key still there":     {func(o *Options) { o.Keys = []*Key{key2(), key1()} }, ""},
		"key gone":            {func(o *Options) { o.Keys = []*Key{key2()} }, ReasonUnknownKey},
		"client gone":         {func(o *Options) { o.Tenants[0].Clients = nil }, ReasonClient},
		"users gone":          {func(o *Options) { o.Tenants[0].Users = nil }, ""},
		"tenant gone":         {func(o *Options) { o.Tenants = o.Tenants[1:] }, ReasonTenant},
		"audience gone":       {func(o *Options) { o.Resources = []string{api} }, ReasonAudience},
		"address gone":        {func(o *Options) { o.BaseURLs = []string{baseTLS} }, ReasonIssuer},
		"no address yet":      {func(o *Options) { o.BaseURLs = nil }, ReasonIssuer},
		"audience with slash": {func(o *Options) { o.Resources = []string{strings.ToUpper(graph) + "/"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			test.change(&o)
			wantReason(t, newAuthority(t, o), token, test.want)
		})
	}
}

func TestMintRefuses(t *testing.T) {
	a := newAuthority(t, options())
	for name, r := range map[string]TokenRequest{
		"tenant":          {Tenant: "nobody", ClientID: clientID},
		"client":          {Tenant: tenantID, ClientID: otherClient},
		"resource":        {Tenant: tenantID, ClientID: clientID, Resource: "https://vault.azure.net"},
		"base URL":        {Tenant: tenantID, ClientID: clientID, BaseURL: "https://evil.example"},
		"base URL broken": {Tenant: tenantID, ClientID: clientID, BaseURL: "evil"},
		"unknown version": {Tenant: tenantID, ClientID: clientID, Version: "3.0"},
	} {
		if token, err := a.Mint(r); err == nil || token != nil {
			t.Errorf("wrong %s: %v, %v", name, token, err)
		}
	}
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	a := newAuthority(t, options())
	token := mint(t, a, TokenRequest{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, err := a.Verify(token); err != nil {
					t.Error(err)
				}
				get(a, "/common/discovery/keys")
			}
		})
	}
	for range 20 {
		a.AddKey(key2())
		if err := a.SetBaseURLs(base, baseTLS); err != nil {
			t.Error(err)
		}
		a.RevokeKey(key2().ID)
	}
	wg.Wait()
}

// FuzzVerify is best run with -fuzzminimizetime=10x: tokens are long, and
// cutting each interesting one down takes a minute.
func FuzzVerify(f *testing.F) {
	o := options()
	// Workers make keys of their own; a common id leads them all to the signature.
	o.Keys = []*Key{{ID: "fuzz", Private: key1().Private}}
	a := newAuthority(f, o)
	token := mint(f, a, TokenRequest{})
	header, payload := parts(f, token)
	f.Add(token)
	f.Add(token[:len(token)-1])
	f.Add(forge(header, payload, key2()))
	f.Add(forge(with(header, "jwk", map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}), payload, key2()))
	f.Add(encode(with(header, "alg", "none")) + "." + encode(payload) + ".")
	f.Add(encode(with(header, "x5c", []string{"AAAA"})) + "." + encode(payload) + ".AAAA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := a.Verify(text)
		if err == nil {
			if text != token {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		refused, ok := err.(*VerifyError)
		if !ok || claims != nil || nextStep[refused.Reason] == "" {
			t.Fatalf("%v, %#v", claims, err)
		}
		if len(text) > 100 && strings.Contains(err.Error(), text) {
			t.Fatalf("error has the token in it: %v", err)
		}
	})
}

func BenchmarkVerifyRemembered(b *testing.B) {
	o := options()
	o.Now = nil
	a := newAuthority(b, o)
	token := mint(b, a, TokenRequest{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyRememberedParallel(b *testing.B) {
	o := options()
	o.Now = nil
	a := newAuthority(b, o)
	token := mint(b, a, TokenRequest{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.Verify(token); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyFirst(b *testing.B) {
	o := options()
	o.CacheSize = -1
	a := newAuthority(b, o)
	token := mint(b, a, TokenRequest{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMint(b *testing.B) {
	a := newAuthority(b, options())
	for b.Loop() {
		mint(b, a, TokenRequest{})
	}
}

func BenchmarkLookup(b *testing.B) {
	a := newAuthority(b, options())
	b.ReportAllocs()
	for b.Loop() {
		a.Lookup("/" + tenantID + "/oauth2/v2.0/token")
	}
}

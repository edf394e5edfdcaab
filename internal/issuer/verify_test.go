package issuer

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

// parts decodes header and payload of a token.
func parts(t testing.TB, jwt string) (header, payload map[string]any) {
	t.Helper()
	for i, into := range []*map[string]any{&header, &payload} {
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

// forge makes a token by hand, signed with RS256 whatever its header says.
func forge(header, payload any, k *Key) string { return tokentest.Forge(header, payload, k.Private) }

func wantReason(t *testing.T, a *Authority, jwt string, want token.Reason) {
	t.Helper()
	claims, err := a.Verify(jwt)
	var refused *token.VerifyError
	switch {
	case want == "":
		if err != nil || claims == nil {
			t.Errorf("refused: %v", err)
		}
	case !errors.As(err, &refused) || claims != nil:
		t.Errorf("claims %v, error %v, want %s", claims, err, want)
	case refused.Reason != want:
		t.Errorf("refused for %s (%v), want %s", refused.Reason, err, want)
	case refused.Next == "" || !strings.HasSuffix(err.Error(), refused.Next) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 600:
		t.Errorf("error text %q", err)
	case len(jwt) > 100 && strings.Contains(err.Error(), jwt):
		t.Errorf("error has the token in it: %q", err)
	}
}

func TestVerifyForged(t *testing.T) {
	a := newAuthority(t, options())
	jwt := mint(t, a, MintRequest{})
	header, payload := parts(t, jwt)
	part := strings.Split(jwt, ".")
	public, err := x509.MarshalPKIXPublicKey(&key1().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte) string {
		input := tokentest.Encode(tokentest.With(header, "alg", "HS256")) + "." + part[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	jwk := map[string]any{
		"kty": "RSA", "e": "AQAB", "kid": key1().ID,
		"n": base64.RawURLEncoding.EncodeToString(key2().Private.N.Bytes()),
	}
	attackers := tokentest.With(header, "kid", key2().ID)
	for _, test := range []struct {
		name, jwt string
		want      token.Reason
	}{
		{"as minted", jwt, ""},
		{"made by hand", forge(header, payload, key1()), ""},
		{"without typ", forge(tokentest.With(header, "typ", nil), payload, key1()), ""},

		{"empty", "", token.ReasonMalformed},
		{"one part", part[0], token.ReasonMalformed},
		{"two parts", part[0] + "." + part[1], token.ReasonMalformed},
		{"four parts", jwt + ".x", token.ReasonMalformed},
		{"dots", "..", token.ReasonAlgorithm},
		{"with Bearer", "Bearer " + jwt, token.ReasonMalformed},
		{"line break", jwt + "\n", token.ReasonMalformed},
		{"line break inside", part[0] + "." + part[1] + ".\r\n" + part[2], token.ReasonMalformed},
		{"padded", jwt + "=", token.ReasonMalformed},
		{"spare bits set", jwt[:len(jwt)-1] + nextLetter(jwt[len(jwt)-1]), token.ReasonMalformed},
		{"standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(jwt) + "+", token.ReasonMalformed},
		{"header not JSON", "eHg." + part[1] + "." + part[2], token.ReasonMalformed},
		{"header an array", tokentest.Encode([]string{"alg", "RS256"}) + "." + part[1] + "." + part[2], token.ReasonMalformed},
		{"JSON serialization", `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`, token.ReasonMalformed},
		{"payload not JSON", mustSign("x", key1()), token.ReasonMalformed},
		{"payload an array", mustSign("[]", key1()), token.ReasonMalformed},
		{"repeated claim", mustSign(`{"aud":"a","aud":"b"}`, key1()), token.ReasonMalformed},
		{"too large", jwt + strings.Repeat("x", token.MaxLength), token.ReasonTooLarge},

		{"alg none", tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + part[1] + ".", token.ReasonAlgorithm},
		{"alg None", tokentest.Encode(tokentest.With(header, "alg", "None")) + "." + part[1] + "." + part[2], token.ReasonAlgorithm},
		{"alg absent", tokentest.Encode(tokentest.With(header, "alg", nil)) + "." + part[1] + "." + part[2], token.ReasonAlgorithm},
		{"alg empty", tokentest.Encode(tokentest.With(header, "alg", "")) + "." + part[1] + "." + part[2], token.ReasonAlgorithm},
		{"alg RS512", forge(tokentest.With(header, "alg", "RS512"), payload, key1()), token.ReasonAlgorithm},
		{"alg PS256", forge(tokentest.With(header, "alg", "PS256"), payload, key1()), token.ReasonAlgorithm},
		{"HS256, public key as DER", hs256(public), token.ReasonAlgorithm},
		{"HS256, public key as PEM", hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), token.ReasonAlgorithm},
		{"HS256, modulus", hs256(key1().Private.N.Bytes()), token.ReasonAlgorithm},

		{"another key", forge(attackers, payload, key2()), token.ReasonUnknownKey},
		{"embedded jwk", forge(tokentest.With(attackers, "jwk", tokentest.With(jwk, "kid", key2().ID)), payload, key2()), token.ReasonUnknownKey},
		{"no kid", forge(tokentest.With(header, "kid", nil), payload, key1()), token.ReasonUnknownKey},
		{"kid a path", forge(tokentest.With(header, "kid", "../../../../dev/null"), payload, key1()), token.ReasonUnknownKey},
		{"kid a URL", forge(tokentest.With(header, "kid", "https://evil.example/keys"), payload, key1()), token.ReasonUnknownKey},
		{"kid SQL", forge(tokentest.With(header, "kid", "x' UNION SELECT 'a"), payload, key1()), token.ReasonUnknownKey},
		{"kid with line breaks", forge(tokentest.With(header, "kid", "a\r\nb\x00"), payload, key1()), token.ReasonUnknownKey},
		{"kid long", forge(tokentest.With(header, "kid", strings.Repeat("k", 4<<10)), payload, key1()), token.ReasonUnknownKey},
		{"kid and a space", forge(tokentest.With(header, "kid", key1().ID+" "), payload, key1()), token.ReasonUnknownKey},
		{"kid a number", forge(tokentest.With(header, "kid", 1), payload, key1()), token.ReasonMalformed},

		{"another key under our kid", forge(header, payload, key2()), token.ReasonSignature},
		{"embedded jwk under our kid", forge(tokentest.With(header, "jwk", jwk), payload, key2()), token.ReasonSignature},
		{"jku under our kid", forge(tokentest.With(tokentest.With(header, "jku", "https://evil.example/keys"), "x5u", "https://evil.example/x"), payload, key2()), token.ReasonSignature},
		{"jwk ignored", forge(tokentest.With(header, "jwk", jwk), payload, key1()), ""},
		{"unknown critical header", forge(tokentest.With(tokentest.With(header, "crit", []string{"magic"}), "magic", true), payload, key1()), token.ReasonSignature},
		{"changed payload", part[0] + "." + tokentest.Encode(tokentest.With(payload, "tid", otherTenant)) + "." + part[2], token.ReasonSignature},
		{"no signature", part[0] + "." + part[1] + ".", token.ReasonSignature},
		{"short signature", part[0] + "." + part[1] + ".AAAA", token.ReasonSignature},

		{"another audience", forge(header, tokentest.With(payload, "aud", "https://vault.azure.net"), key1()), token.ReasonAudience},
		{"no audience", forge(header, tokentest.With(payload, "aud", nil), key1()), token.ReasonAudience},
		{"list of audiences", forge(header, tokentest.With(payload, "aud", []string{graph, api}), key1()), token.ReasonMalformed},
		{"unknown tenant", forge(header, tokentest.With(payload, "tid", "a1b2c3d4-0000-4000-8000-00000000000f"), key1()), token.ReasonTenant},
		{"tenant a domain", forge(header, tokentest.With(payload, "tid", "contoso.onmicrosoft.com"), key1()), token.ReasonTenant},
		{"no tenant", forge(header, tokentest.With(payload, "tid", nil), key1()), token.ReasonTenant},
		{"issuer of another tenant", forge(header, tokentest.With(payload, "iss", base+"/"+otherTenant+"/"), key1()), token.ReasonIssuer},
		{"issuer of another version", forge(header, tokentest.With(payload, "iss", base+"/"+tenantID+"/v2.0"), key1()), token.ReasonIssuer},
		{"another host", forge(header, tokentest.With(payload, "iss", "https://sts.windows.net/"+tenantID+"/"), key1()), token.ReasonIssuer},
		{"no issuer", forge(header, tokentest.With(payload, "iss", nil), key1()), token.ReasonIssuer},
		{"unknown version", forge(header, tokentest.With(payload, "ver", "3.0"), key1()), token.ReasonIssuer},
		{"v2 with a v1 issuer", forge(header, tokentest.With(payload, "ver", "2.0"), key1()), token.ReasonIssuer},
		{"another tenant's client", forge(header, tokentest.With(payload, "appid", otherClient), key1()), token.ReasonClient},
		{"no client", forge(header, tokentest.With(payload, "appid", nil), key1()), token.ReasonIDToken},
		{"v1 with azp", forge(header, tokentest.With(tokentest.With(payload, "azp", clientID), "appid", nil), key1()), token.ReasonClient},
		{"a user out of nowhere", forge(header, tokentest.With(payload, "upn", "eve@contoso.onmicrosoft.com"), key1()), token.ReasonUser},
		{"no expiry", forge(header, tokentest.With(payload, "exp", nil), key1()), token.ReasonExpired},
		{"expiry as text", forge(header, tokentest.With(payload, "exp", "2030"), key1()), token.ReasonMalformed},
		{"expiry beyond numbers", forge(header, tokentest.With(payload, "exp", 1e300), key1()), token.ReasonMalformed},
		{"start beyond time", forge(header, tokentest.With(payload, "nbf", int64(1<<62)), key1()), token.ReasonNotYetValid},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantReason(t, a, test.jwt, test.want)
			wantReason(t, a, test.jwt, test.want) // a second time, past the cache
		})
	}
}

// nextLetter returns a base64url character that differs in the last bit.
func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func mustSign(payload string, k *Key) string {
	jwt, err := k.sign([]byte(payload))
	if err != nil {
		panic(err)
	}
	return jwt
}

func TestVerifyTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		leeway time.Duration
		after  time.Duration // since issue
		want   token.Reason
	}{
		{"now", 0, 0, ""},
		{"last second", 0, time.Hour + 59*time.Second, ""},
		{"past leeway", 0, time.Hour + time.Minute, token.ReasonExpired},
		{"before, within leeway", 0, -6 * time.Minute, ""},
		{"before leeway", 0, -6*time.Minute - time.Second, token.ReasonNotYetValid},
		{"no leeway, last second", -1, time.Hour - time.Second, ""},
		{"no leeway, expired", -1, time.Hour, token.ReasonExpired},
		{"no leeway, first second", -1, -5 * time.Minute, ""},
		{"no leeway, early", -1, -5*time.Minute - 1, token.ReasonNotYetValid},
		{"long leeway", time.Hour, 2*time.Hour - 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{at: start}
			o := options()
			o.Now, o.Leeway = c.now, test.leeway
			a := newAuthority(t, o)
			jwt := mint(t, a, MintRequest{})
			c.set(start.Add(test.after))
			wantReason(t, a, jwt, test.want)
			// The same when the token has been remembered in between.
			c.set(start)
			wantReason(t, a, jwt, "")
			c.set(start.Add(test.after))
			wantReason(t, a, jwt, test.want)
		})
	}
}

func TestVerifyRemembers(t *testing.T) {
	a := newAuthority(t, options())
	jwt := mint(t, a, MintRequest{})
	first, err := a.Verify(jwt)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := a.Verify("Bearer " + jwt); again != nil {
		t.Error("a prefix was ignored")
	}
	if again, _ := a.Verify(strings.Clone(jwt)); again != first {
		t.Error("the token was verified twice")
	}
	a.Verify(jwt + "x")
	a.Verify(forge(map[string]any{"alg": "RS256"}, nil, key2()))
	if n := a.verified.Len(); n != 1 {
		t.Errorf("%d tokens remembered, want the one good", n)
	}

	a = newAuthority(t, options())
	a.verified = token.NewCache[*trust](2)
	for range 5 {
		wantReason(t, a, mint(t, a, MintRequest{}), "")
	}
	if n := a.verified.Len(); n != 2 {
		t.Errorf("%d tokens remembered, want 2", n)
	}
	a.verified = token.Cache[*trust]{}
	jwt = mint(t, a, MintRequest{})
	wantReason(t, a, jwt, "")
	wantReason(t, a, jwt, "")
}

func TestVerifyKeyRotation(t *testing.T) {
	a := newAuthority(t, options())
	old := mint(t, a, MintRequest{})
	a.AddKey(key2())
	recent := mint(t, a, MintRequest{})
	wantReason(t, a, old, "")
	wantReason(t, a, recent, "")
	if header, _ := parts(t, recent); header["kid"] != key2().ID {
		t.Errorf("signed by %v, want the key added last", header["kid"])
	}
	if !a.RevokeKey(key1().ID) || a.RevokeKey(key1().ID) || a.RevokeKey("x") {
		t.Error("RevokeKey told the wrong thing")
	}
	wantReason(t, a, old, token.ReasonUnknownKey)
	wantReason(t, a, recent, "")
	// Another key under a known id does not inherit the trust.
	a.AddKey(&Key{ID: key2().ID, Private: key1().Private})
	wantReason(t, a, recent, token.ReasonSignature)
	a.RevokeKey(key2().ID)
	if _, err := a.Mint(MintRequest{Tenant: tenantID, ClientID: clientID}); !errors.Is(err, errNoKey) {
		t.Errorf("Mint without a key: %v", err)
	}
}

func TestVerifyBaseURLs(t *testing.T) {
	a := newAuthority(t, options())
	v1, v2 := mint(t, a, MintRequest{BaseURL: "HTTPS://localhost:8443/"}), mint(t, a, MintRequest{Version: token.V2})
	wantReason(t, a, v1, "")
	wantReason(t, a, v2, "")
	if err := a.SetBaseURLs("https://LOCALHOST:8443", "http://[::1]:80"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, a, v1, "")
	wantReason(t, a, v2, token.ReasonIssuer)
	claims, err := a.Verify(mint(t, a, MintRequest{BaseURL: "http://[::1]"}))
	if err != nil || claims.Issuer != "http://[::1]/"+tenantID+"/" {
		t.Errorf("claims %+v, %v", claims, err)
	}
}

// Tokens survive a restart, but what they depend on may not.
func TestVerifyAfterRestart(t *testing.T) {
	jwt := mint(t, newAuthority(t, options()), MintRequest{})
	for name, test := range map[string]struct {
		change func(*Options)
		want   token.Reason
	}{
		"same":                {func(*Options) {}, ""},
		"key still there":     {func(o *Options) { o.Keys = []*Key{key2(), key1()} }, ""},
		"key gone":            {func(o *Options) { o.Keys = []*Key{key2()} }, token.ReasonUnknownKey},
		"client gone":         {func(o *Options) { o.Tenants[0].Clients = nil }, token.ReasonClient},
		"users gone":          {func(o *Options) { o.Tenants[0].Users = nil }, ""},
		"tenant gone":         {func(o *Options) { o.Tenants = o.Tenants[1:] }, token.ReasonTenant},
		"audience gone":       {func(o *Options) { o.Resources = []string{graph} }, token.ReasonAudience},
		"address gone":        {func(o *Options) { o.BaseURLs = []string{baseTLS} }, token.ReasonIssuer},
		"no address yet":      {func(o *Options) { o.BaseURLs = nil }, token.ReasonIssuer},
		"audience with slash": {func(o *Options) { o.Resources = []string{strings.ToUpper(api) + "/"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			test.change(&o)
			wantReason(t, newAuthority(t, o), jwt, test.want)
		})
	}
}

func TestMintRefuses(t *testing.T) {
	a := newAuthority(t, options())
	for name, r := range map[string]MintRequest{
		"tenant":          {Tenant: "nobody", ClientID: clientID},
		"client":          {Tenant: tenantID, ClientID: otherClient},
		"resource":        {Tenant: tenantID, ClientID: clientID, Resource: "https://vault.azure.net"},
		"base URL":        {Tenant: tenantID, ClientID: clientID, BaseURL: "https://evil.example"},
		"base URL broken": {Tenant: tenantID, ClientID: clientID, BaseURL: "evil"},
		"unknown version": {Tenant: tenantID, ClientID: clientID, Version: "3.0"},
	} {
		if jwt, err := a.Mint(r); err == nil || jwt != nil {
			t.Errorf("wrong %s: %v, %v", name, jwt, err)
		}
	}
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	a := newAuthority(t, options())
	jwt := mint(t, a, MintRequest{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, err := a.Verify(jwt); err != nil {
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
	jwt := mint(f, a, MintRequest{})
	header, payload := parts(f, jwt)
	f.Add(jwt)
	f.Add(jwt[:len(jwt)-1])
	f.Add(forge(header, payload, key2()))
	f.Add(forge(tokentest.With(header, "jwk", map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}), payload, key2()))
	f.Add(tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + tokentest.Encode(payload) + ".")
	f.Add(tokentest.Encode(tokentest.With(header, "x5c", []string{"AAAA"})) + "." + tokentest.Encode(payload) + ".AAAA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := a.Verify(text)
		if err == nil {
			if text != jwt {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		refused, ok := err.(*token.VerifyError)
		if !ok || claims != nil || refused.Next == "" {
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
	jwt := mint(b, a, MintRequest{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(jwt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyRememberedParallel(b *testing.B) {
	o := options()
	o.Now = nil
	a := newAuthority(b, o)
	jwt := mint(b, a, MintRequest{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.Verify(jwt); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyFirst(b *testing.B) {
	a := newAuthority(b, options())
	a.verified = token.Cache[*trust]{}
	jwt := mint(b, a, MintRequest{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(jwt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMint(b *testing.B) {
	a := newAuthority(b, options())
	for b.Loop() {
		mint(b, a, MintRequest{})
	}
}

func BenchmarkLookup(b *testing.B) {
	a := newAuthority(b, options())
	b.ReportAllocs()
	for b.Loop() {
		a.Lookup("/" + tenantID + "/oauth2/v2.0/token")
	}
}

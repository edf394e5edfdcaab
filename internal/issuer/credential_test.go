package issuer

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a thumbprint that certificates are named by
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/token/tokentest"
)

// testCertificate makes a certificate of a key, valid for a year around start.
func testCertificate(t testing.TB, key *rsa.PrivateKey, serial int64, from time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "app"},
		NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// certificateOptions are options whose first app has five certificates: a good
// one and a second, a revoked, an expired and a future one.
func certificateOptions(t testing.TB, c *clock) (o Options, certs []*x509.Certificate) {
	t.Helper()
	o = crowdOptions(c)
	recently := start.AddDate(0, -1, 0)
	for i, from := range []time.Time{recently, recently, recently, start.AddDate(-2, 0, 0), start.AddDate(0, 0, 1)} {
		key := key1().Private
		if i == 1 {
			key = key2().Private
		}
		cert := testCertificate(t, key, int64(i+1), from)
		certs = append(certs, cert)
		o.Tenants[0].Clients[0].Certificates = append(o.Tenants[0].Clients[0].Certificates, Certificate{Certificate: cert, Revoked: i == 2})
	}
	return o, certs
}

func thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// thumbprint1 is the thumbprint by SHA-1.
func thumbprint1(cert *x509.Certificate) string {
	sum := sha1.Sum(cert.Raw) //nolint:gosec // x5t is one
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// assert makes a client assertion by hand. Its header determines the signature, unless
// it names an unknown algorithm.
func assert(header, claims map[string]any, key *rsa.PrivateKey) string {
	input := tokentest.Encode(header) + "." + tokentest.Encode(claims)
	sum := sha256.Sum256([]byte(input))
	var signature []byte
	var err error
	if header["alg"] == "PS256" {
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	}
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestClientAssertion presents every kind of assertion: those of real clients, and
// forged ones.
func TestClientAssertion(t *testing.T) {
	o, certs := certificateOptions(t, &clock{at: start})
	a := newAuthority(t, o)
	cert := certs[0]
	key, other := key1().Private, key2().Private
	sum1, sum256 := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) //nolint:gosec // as above
	b64 := base64.RawURLEncoding.EncodeToString
	header := map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": b64(sum256[:])}
	rs256 := map[string]any{"alg": "RS256", "typ": "JWT", "x5t": b64(sum1[:])}
	claims := map[string]any{
		"aud": urlV2, "iss": clientID, "sub": clientID, "jti": "x",
		"nbf": start.Unix(), "iat": start.Unix(), "exp": start.Add(10 * time.Minute).Unix(),
	}
	n := 0
	signed := func(h, c map[string]any) string { // with a jti of its own
		n++
		return assert(h, tokentest.With(c, "jti", fmt.Sprint("id ", n)), key)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte) string {
		input := tokentest.Encode(tokentest.With(header, "alg", "HS256")) + "." + tokentest.Encode(claims)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + b64(mac.Sum(nil))
	}
	attackers := testCertificate(t, other, 99, start.AddDate(0, -1, 0))
	jwk := map[string]any{"kty": "RSA", "e": "AQAB", "n": b64(other.N.Bytes()), "kid": thumbprint(cert)}
	x5c := []string{base64.StdEncoding.EncodeToString(attackers.Raw)}
	part := strings.Split(signed(header, claims), ".")
	const ok, invalid = 0, "invalid_client"
	for _, test := range []struct {
		name, assertion string
		code            int
	}{
		{"PS256 and x5t#S256", signed(header, claims), ok},
		{"RS256 and x5t", signed(rs256, claims), ok},
		{"x5t in hex", signed(tokentest.With(rs256, "x5t", strings.ToUpper(hex.EncodeToString(sum1[:]))), claims), ok},
		{"x5t in plain base64", signed(tokentest.With(rs256, "x5t", base64.StdEncoding.EncodeToString(sum1[:])), claims), ok},
		{"x5t#S256 in plain base64", signed(tokentest.With(header, "x5t#S256", base64.StdEncoding.EncodeToString(sum256[:])), claims), ok},
		{"kid", signed(tokentest.With(tokentest.With(rs256, "x5t", nil), "kid", strings.ToUpper(hex.EncodeToString(sum1[:]))), claims), ok},
		{"the certificate beside its thumbprint", signed(tokentest.With(header, "x5c", []string{base64.StdEncoding.EncodeToString(cert.Raw)}), claims), ok},
		{"a stranger's certificate beside our thumbprint and key", signed(tokentest.With(header, "x5c", x5c), claims), ok},
		{"the second certificate", assert(tokentest.With(header, "x5t#S256", thumbprint(certs[1])), claims, other), ok},
		{"aud of v1", signed(header, tokentest.With(claims, "aud", urlV1)), ok},
		{"aud at another address of the server", signed(header, tokentest.With(claims, "aud", baseTLS+"/"+tenantID+"/oauth2/v2.0/token")), ok},
		{"aud by domain", signed(header, tokentest.With(claims, "aud", base+"/CONTOSO.onmicrosoft.com/oauth2/v2.0/token")), ok},
		{"aud the issuer", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"/v2.0")), ok},
		{"aud the issuer of v1", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"/")), ok},
		{"aud a list", signed(header, tokentest.With(claims, "aud", []string{"x", urlV2})), ok},
		{"five minutes behind", signed(header, tokentest.With(tokentest.With(claims, "exp", start.Add(-5*time.Minute+time.Second).Unix()), "nbf", nil)), ok},
		{"five minutes ahead", signed(header, tokentest.With(claims, "nbf", start.Add(5*time.Minute).Unix())), ok},
		{"fractions of seconds", signed(header, tokentest.With(claims, "exp", float64(start.Unix())+600.5)), ok},
		{"upper-case names", signed(header, tokentest.With(tokentest.With(claims, "iss", strings.ToUpper(clientID)), "sub", strings.ToUpper(clientID))), ok},

		{"no JWT", "x.y.z", 700027},
		{"two parts", part[0] + "." + part[1], 700027},
		{"no signature", part[0] + "." + part[1] + ".", 700027},
		{"short signature", part[0] + "." + part[1] + ".AAAA", 700027},
		{"padded", signed(header, claims) + "=", 700027},
		{"changed", part[0] + "." + tokentest.Encode(tokentest.With(claims, "jti", "y")) + "." + part[2], 700027},
		{"oversized", signed(header, tokentest.With(claims, "x", strings.Repeat("x", token.MaxLength))), 700027},
		{"alg none", tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + part[1] + ".", 700027},
		{"alg absent", tokentest.Encode(tokentest.With(header, "alg", nil)) + "." + part[1] + "." + part[2], 700027},
		{"alg RS512", signed(tokentest.With(header, "alg", "RS512"), claims), 700027},
		{"alg ES256", signed(tokentest.With(header, "alg", "ES256"), claims), 700027},
		{"PS256 called RS256", tokentest.Encode(tokentest.With(header, "alg", "RS256")) + "." + part[1] + "." + part[2], 700027},
		{"HS256 with the certificate", hs256(cert.Raw), 700027},
		{"HS256 with the certificate as PEM", hs256(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})), 700027},
		{"HS256 with the public key", hs256(public), 700027},
		{"HS256 with the secret", hs256([]byte(secret)), 700027},
		{"signed by another key", assert(header, claims, other), 700027},
		{"signed for another certificate of the app", assert(tokentest.With(header, "x5t#S256", thumbprint(certs[1])), claims, key), 700027},
		{"embedded jwk", assert(tokentest.With(header, "jwk", jwk), claims, other), 700027},
		{"embedded jwk alone", assert(tokentest.With(tokentest.With(header, "x5t#S256", nil), "jwk", jwk), claims, other), 700027},
		{"embedded x5c", assert(tokentest.With(header, "x5c", x5c), claims, other), 700027},
		{"embedded x5c alone", assert(tokentest.With(tokentest.With(header, "x5t#S256", nil), "x5c", x5c), claims, other), 700027},
		{"jku", assert(tokentest.With(tokentest.With(header, "x5t#S256", nil), "jku", "https://evil.example/keys"), claims, other), 700027},
		{"x5u", assert(tokentest.With(header, "x5u", "https://evil.example/cert"), claims, other), 700027},
		{"no thumbprint", signed(tokentest.With(header, "x5t#S256", nil), claims), 700027},
		{"unknown thumbprint", assert(tokentest.With(header, "x5t#S256", thumbprint(attackers)), claims, other), 700027},
		{"x5t unlike x5t#S256", signed(tokentest.With(header, "x5t#S256", thumbprint(attackers)), claims), 700027},
		{"x5t of another certificate", signed(tokentest.With(header, "x5t", thumbprint1(certs[1])), claims), 700027},
		{"kid of another certificate", signed(tokentest.With(header, "kid", thumbprint1(certs[1])), claims), 700027},
		{"kid a name", signed(tokentest.With(header, "kid", "key-1"), claims), ok},
		{"x5t a number", signed(tokentest.With(header, "x5t#S256", 1), claims), 700027},
		{"kid a path", signed(tokentest.With(tokentest.With(header, "x5t#S256", nil), "kid", "../../../dev/null"), claims), 700027},
		{"kid SQL", signed(tokentest.With(tokentest.With(header, "x5t#S256", nil), "kid", "x' OR '1'='1"), claims), 700027},
		{"kid a URL", signed(tokentest.With(tokentest.With(header, "x5t#S256", nil), "kid", "https://evil.example/k"), claims), 700027},
		{"kid long", signed(tokentest.With(tokentest.With(header, "x5t#S256", nil), "kid", strings.Repeat("k", 8<<10)), claims), 700027},
		{"kid with line breaks", signed(tokentest.With(tokentest.With(header, "x5t#S256", nil), "kid", "a\r\nb\x00"), claims), 700027},
		{"unknown critical header", signed(tokentest.With(tokentest.With(header, "crit", []string{"magic"}), "magic", true), claims), 700027},
		{"unencoded payload", signed(tokentest.With(tokentest.With(header, "crit", []string{"b64"}), "b64", false), claims), 700027},
		{"claims an array", part[0] + "." + tokentest.Encode([]string{"x"}) + "." + part[2], 700027},
		{"exp text", signed(header, tokentest.With(claims, "exp", "soon")), 700027},
		{"the signing key of this server for a token", mustSign(`{"aud":"`+urlV2+`","iss":"`+clientID+`","sub":"`+clientID+`","exp":4000000000}`, key2()), 700027},

		{"iss of another app", signed(header, tokentest.With(claims, "iss", secondClient)), 700021},
		{"sub of another app", signed(header, tokentest.With(claims, "sub", secondClient)), 700021},
		{"no iss", signed(header, tokentest.With(claims, "iss", nil)), 700021},
		{"no sub", signed(header, tokentest.With(claims, "sub", nil)), 700021},
		{"no aud", signed(header, tokentest.With(claims, "aud", nil)), 700023},
		{"aud of another tenant", signed(header, tokentest.With(claims, "aud", base+"/"+otherTenant+"/oauth2/v2.0/token")), 700023},
		{"aud common", signed(header, tokentest.With(claims, "aud", commonToken)), 700023},
		{"aud another host", signed(header, tokentest.With(claims, "aud", "https://evil.example/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud a host like ours", signed(header, tokentest.With(claims, "aud", base+"@evil.example/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud the authorize endpoint", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"/oauth2/v2.0/authorize")), 700023},
		{"aud with a user", signed(header, tokentest.With(claims, "aud", "http://x@127.0.0.1:8080/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud with a password", signed(header, tokentest.With(claims, "aud", "http://x:y@127.0.0.1:8080/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud without a port", signed(header, tokentest.With(claims, "aud", "http://127.0.0.1/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud of another port", signed(header, tokentest.With(claims, "aud", "http://127.0.0.1:80808/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud of another scheme", signed(header, tokentest.With(claims, "aud", "https://127.0.0.1:8080/"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud in other letters", signed(header, tokentest.With(claims, "aud", strings.ToUpper(urlV2))), 700023},
		{"aud with an upper-case path", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"/OAuth2/v2.0/token")), 700023},
		{"aud with a query", signed(header, tokentest.With(claims, "aud", urlV2+"?x=1")), 700023},
		{"aud with an empty query", signed(header, tokentest.With(claims, "aud", urlV2+"?")), 700023},
		{"aud with a fragment", signed(header, tokentest.With(claims, "aud", urlV2+"#x")), 700023},
		{"aud the issuer of v1 without its final slash", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID)), 700023},
		{"aud with a final slash", signed(header, tokentest.With(claims, "aud", urlV2+"/")), 700023},
		{"aud with doubled slashes", signed(header, tokentest.With(claims, "aud", base+"//"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud with dots", signed(header, tokentest.With(claims, "aud", base+"/x/../"+tenantID+"/oauth2/v2.0/token")), 700023},
		{"aud with escapes", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"/oauth2%2Fv2.0/token")), 700023},
		{"aud with a backslash", signed(header, tokentest.With(claims, "aud", base+"/"+tenantID+"\\oauth2/v2.0/token")), 700023},
		{"aud with a blank", signed(header, tokentest.With(claims, "aud", urlV2+" ")), 700023},
		{"aud the API", signed(header, tokentest.With(claims, "aud", api)), 700023},
		{"aud an empty list", signed(header, tokentest.With(claims, "aud", []string{})), 700023},
		{"expired", signed(header, tokentest.With(claims, "exp", start.Add(-5*time.Minute).Unix())), 700024},
		{"no exp", signed(header, tokentest.With(claims, "exp", nil)), 700024},
		{"exp zero", signed(header, tokentest.With(claims, "exp", 0)), 700024},
		{"exp long ago", signed(header, tokentest.With(claims, "exp", -1e300)), 700024},
		{"not yet valid", signed(header, tokentest.With(claims, "nbf", start.Add(5*time.Minute+time.Second).Unix())), 700024},
		{"nbf beyond time", signed(header, tokentest.With(claims, "nbf", 1e300)), 700024},
		{"for more than ten minutes", signed(header, tokentest.With(claims, "exp", start.Add(10*time.Minute+time.Second).Unix())), 700024},
		{"for more than ten minutes from iat", signed(header, tokentest.With(tokentest.With(claims, "nbf", nil), "iat", start.Add(-time.Second).Unix())), 700024},
		{"for more than ten minutes from nbf", signed(header, tokentest.With(tokentest.With(claims, "iat", nil), "nbf", start.Add(-time.Second).Unix())), 700024},
		{"for ten minutes from nbf, rounded up", signed(header, tokentest.With(claims, "iat", start.Add(-time.Second).Unix())), ok},
		{"for more than ten minutes from 1970", signed(header, tokentest.With(tokentest.With(claims, "iat", nil), "nbf", 0)), 700024},
		{"for more than ten minutes from now", signed(header, tokentest.With(tokentest.With(tokentest.With(claims, "nbf", nil), "iat", nil), "exp", start.Add(15*time.Minute+time.Second).Unix())), 700024},
		{"until 36812", signed(header, tokentest.With(tokentest.With(tokentest.With(claims, "nbf", nil), "iat", nil), "exp", 1<<40)), 700024},
		{"until the end of time", signed(header, tokentest.With(tokentest.With(tokentest.With(claims, "nbf", nil), "iat", nil), "exp", 1e300)), 700024},
		{"issued later", signed(header, tokentest.With(claims, "iat", start.Add(5*time.Minute+time.Second).Unix())), 700024},
		{"jti of no text", assert(header, tokentest.With(claims, "jti", "a\ufffd"), key), 700027},
		{"jti a number", assert(header, tokentest.With(claims, "jti", 1), key), 700027},
		{"a revoked certificate", signed(tokentest.With(header, "x5t#S256", thumbprint(certs[2])), claims), 7000214},
		{"an expired certificate", signed(tokentest.With(header, "x5t#S256", thumbprint(certs[3])), claims), 1000502},
		{"a certificate of tomorrow", signed(tokentest.With(header, "x5t#S256", thumbprint(certs[4])), claims), 1000502},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := set(formV2(), "client_secret", absent, "client_assertion", test.assertion, "client_assertion_type", assertionType)
			w := post(a, urlV2, form)
			if test.code == ok {
				got := wantTokens(t, a, w)
				if _, claims := parts(t, got.AccessToken); claims["azpacr"] != "2" {
					t.Errorf("claims %v", claims)
				}
				return
			}
			wantRefusal(t, w, 401, invalid, test.code)
			if len(w.Body.String()) > 2000 {
				t.Errorf("a refusal of %d bytes", w.Body.Len())
			}
		})
	}

	good := signed(header, claims)
	asAssertion := []string{"client_secret", absent, "client_assertion", good, "client_assertion_type", assertionType}
	for _, test := range []struct {
		name, target string
		form         url.Values
		status       int
		kind         string
		code         int
	}{
		{"another app's assertion", urlV2, set(formV2(), append(asAssertion, "client_id", secondClient)...), 401, invalid, 700027},
		{"another tenant's endpoint", base + "/" + otherTenant + "/oauth2/v2.0/token", set(formV2(), append(asAssertion, "client_id", sharedClient)...), 401, invalid, 700027},
		{"another type", urlV2, set(formV2(), append(asAssertion, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")...), 400, "invalid_request", 900144},
		{"with a secret too", urlV2, set(formV2(), append(asAssertion, "client_secret", secret)...), 400, "invalid_request", 9002313},
		{"twice", urlV2, func() url.Values {
			form := set(formV2(), asAssertion...)
			form.Add("client_assertion", good)
			return form
		}(), 400, "invalid_request", 9000411},
		{"for nobody", urlV2, set(formV2(), append(asAssertion, "client_id", absent)...), 400, "invalid_request", 900144},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, post(a, test.target, test.form), test.status, test.kind, test.code)
		})
	}

	// Users' grants accept assertions, too, including at the shared names.
	shared := signed(header, tokentest.With(claims, "aud", commonToken))
	code := codeOf(t, a)
	wantRefusal(t, post(a, commonToken, codeForm(code, asAssertion...)), 401, invalid, 700023)
	wantTokens(t, a, post(a, commonToken, codeForm(code, append(asAssertion, "client_assertion", shared)...)))
}

// TestCustomerAssertion is an app that authenticates with a certificate at the endpoint
// of a customer's tenant, which is not this server's.
func TestCustomerAssertion(t *testing.T) {
	const customer, another = "d0d0caca-0000-4000-8000-000000000001", "d0d0caca-0000-4000-8000-000000000002"
	o, certs := certificateOptions(t, &clock{at: start})
	o.Customer = customers(customer, another)
	o.Consents = []Consent{{TenantID: customer, ClientID: clientID, Resources: []string{"https://graph.microsoft.com"}}}
	a := newAuthority(t, o)
	refresh := signedInTokens(t, a).RefreshToken
	at := func(tenant string) string { return base + "/" + tenant + "/oauth2/v2.0/token" }
	form := func(aud string) url.Values {
		claims := map[string]any{"aud": aud, "iss": clientID, "sub": clientID, "exp": start.Add(time.Minute).Unix()}
		return refreshForm(refresh, "scope", "https://graph.microsoft.com/.default", "client_secret", absent, "client_assertion_type", assertionType,
			"client_assertion", assert(map[string]any{"alg": "PS256", "x5t#S256": thumbprint(certs[0])}, claims, key1().Private))
	}
	for _, aud := range []string{at(another), at("common"), at(tenantID), "https://evil.example/" + customer} {
		wantRefusal(t, post(a, at(customer), form(aud)), 401, "invalid_client", 700023)
	}
	got := decodeTokens(t, post(a, at(customer), form(at(customer))))
	if got.AccessToken == "" {
		t.Fatalf("%+v", got)
	}
	if _, claims := parts(t, got.AccessToken); claims["tid"] != customer {
		t.Errorf("claims %v", claims)
	}
	wantReason(t, a, got.AccessToken, token.ReasonAudience)
}

// TestSecrets sends secrets with all kinds of characters, in the body and in the
// header, and expired ones.
func TestSecrets(t *testing.T) {
	c := &clock{at: start}
	o := crowdOptions(c)
	client := &o.Tenants[0].Clients[0]
	odd := []string{"a+b", "50%", "%41", "a b", "a&b=c", `"quoted"`, "ümlaut", "a%2Bb", "+", "colon:colon", "tilde~", "s3cr~t+/&=%"}
	client.Secrets = nil
	for _, value := range odd {
		client.Secrets = append(client.Secrets, Secret{Value: value})
	}
	client.Secrets = append(client.Secrets, Secret{Value: "old", Expires: new(start)}, Secret{Value: "new", Expires: new(start.Add(time.Second))})
	a := newAuthority(t, o)
	basic := func(value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", urlV1, strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "resource": {graph}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(value))
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w
	}
	body := func(value string) *httptest.ResponseRecorder {
		return post(a, urlV1, set(formV1(), "client_secret", value))
	}
	for _, value := range append(odd, "new") {
		wantTokens(t, a, body(value))
		wantTokens(t, a, basic(value))
	}
	for _, value := range []string{"A+B", "a+b ", "a+b\x00", "a", "Old", "new\n", strings.Repeat("x", 32<<10)} {
		wantRefusal(t, body(value), 401, "invalid_client", 7000215)
		wantRefusal(t, basic(value), 401, "invalid_client", 7000215)
	}
	wantRefusal(t, body("old"), 401, "invalid_client", 7000222)
	wantRefusal(t, basic("old"), 401, "invalid_client", 7000222)
	c.set(start.Add(time.Second))
	wantRefusal(t, body("new"), 401, "invalid_client", 7000222)
}

// TestYearOneSecret has a secret that expired long ago.
func TestYearOneSecret(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	client := &o.Tenants[0].Clients[0]
	client.Secrets = append(client.Secrets, Secret{Value: "old", Expires: new(time.Time)})
	a := newAuthority(t, o)
	wantRefusal(t, post(a, urlV2, set(formV2(), "client_secret", "old")), 401, "invalid_client", 7000222)
}

// FuzzClientAssertion parses assertions. Only the one that the app has signed is valid.
func FuzzClientAssertion(f *testing.F) {
	o := crowdOptions(&clock{at: start})
	// Workers generate their own keys, so none matches the seeds'; the header leads
	// them to the signature nevertheless.
	cert := &x509.Certificate{Raw: []byte("fuzz"), PublicKey: &key1().Private.PublicKey, NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}
	o.Tenants[0].Clients[0].Certificates = []Certificate{{Certificate: cert}}
	a := newAuthority(f, o)
	header := map[string]any{"alg": "RS256", "x5t#S256": thumbprint(cert)}
	claims := map[string]any{"aud": urlV2, "iss": clientID, "sub": clientID, "exp": start.Add(time.Minute).Unix()}
	good := assert(header, claims, key1().Private)
	f.Add(good)
	f.Add(assert(tokentest.With(header, "alg", "PS256"), claims, key2().Private))
	f.Add(tokentest.Encode(tokentest.With(header, "alg", "none")) + "." + tokentest.Encode(claims) + ".")
	f.Add(tokentest.Encode(tokentest.With(header, "x5c", []string{"AAAA"})) + "." + tokentest.Encode(claims) + ".AAAA")
	f.Add(tokentest.Encode(tokentest.With(header, "jwk", map[string]any{"kty": "oct", "k": "AAAA"})) + "." + tokentest.Encode(claims) + ".AAAA")
	f.Add(tokentest.Encode(map[string]any{"alg": "RS256", "kid": "../../dev/null"}) + "." + tokentest.Encode(claims) + ".AAAA")
	trust := a.trusted.now.Load()
	t := &tokenRequest{call: &call{trust: trust}, tenant: trust.tenant(tenantID), client: trust.app(clientID)}
	f.Fuzz(func(tt *testing.T, text string) {
		err := a.checkAssertion(t, text)
		if err == nil {
			if text != good {
				tt.Fatalf("accepted %q", text)
			}
			return
		}
		refused, ok := err.(*failure)
		if !ok || refused.kind != "invalid_client" || len(refused.text) > 1000 {
			tt.Fatalf("%#v", err)
		}
		if len(text) > 100 && strings.Contains(refused.text, text) {
			tt.Fatalf("the error has the assertion in it: %v", err)
		}
	})
}

// FuzzScopes reads the scopes of requests for users' tokens.
func FuzzScopes(f *testing.F) {
	a := newAuthority(f, crowdOptions(&clock{at: start}))
	for _, scope := range []string{
		"", " ", "openid", "openid profile offline_access " + api + "/.default", api + "//.default", api + "/user_impersonation",
		appScheme + clientID + "/access " + appScheme + clientID + "/.default", clientID + "/.default", "/.default", "//", api + "/", `"x"`, "API://" + clientID + "/x",
		graph + "/.default " + api + "/.default", "\x00", "ü/.default",
	} {
		f.Add(scope, "")
		f.Add(scope, api)
	}
	trust := a.trusted.now.Load()
	f.Fuzz(func(t *testing.T, scope, resource string) {
		want, err := a.userAccess(trust, scope, resource)
		if err != nil {
			if _, ok := err.(*failure); !ok || want != nil {
				t.Fatalf("%v, %#v", want, err)
			}
			return
		}
		if want.app == nil && !a.isResource(want.resource) && !isForeign(want.resource) {
			t.Fatalf("scope %q names resource %q", scope, want.resource)
		}
		if want.app == nil && want.scope != "" && !strings.EqualFold(want.scope, scopeUser) {
			t.Fatalf("scope %q gives %q on %q", scope, want.scope, want.resource)
		}
		for _, one := range want.asked {
			if !isScopeToken(one) || !strings.HasPrefix(token.ResourceKey(one), want.key()) && want.app == nil {
				t.Fatalf("scope %q asks for %q", scope, one)
			}
		}
	})
}

package issuer

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// assertionType says that a client_assertion is a JWT (RFC 7523).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// assertionLeeway is how far the clock of an assertion's signer may differ.
	assertionLeeway = 5 * time.Minute
	// assertionLifetime is the longest life of an assertion, that of Microsoft's libraries.
	assertionLifetime = 10 * time.Minute
)

// credential is how a client authenticates.
type credential struct {
	id, secret, assertion string
}

// readCredential reads id and secret from the form or from HTTP Basic (RFC 6749,
// section 2.3.1), but not from both.
func readCredential(r *http.Request, form url.Values) (credential, error) {
	shown := credential{
		id:        form.Get("client_id"),
		secret:    form.Get("client_secret"),
		assertion: form.Get("client_assertion"),
	}
	if user, password, ok := r.BasicAuth(); ok {
		id, err1 := url.QueryUnescape(user)
		secret, err2 := url.QueryUnescape(password)
		switch {
		case err1 != nil || err2 != nil:
			return credential{}, fail(codeMalformed, "The client's id or secret in the Authorization header cannot be decoded. Percent-encode both before joining them for Basic.")
		case form.Has("client_secret") || shown.assertion != "":
			return credential{}, fail(codeMalformed, "The client shows one credential in the Authorization header and another in the body. Send only one of the two.")
		case shown.id != "" && !ascii.EqualFold(shown.id, id):
			return credential{}, fail(codeMalformed, "The Authorization header and the body name two different clients. Send the client's id once.")
		}
		shown.id, shown.secret = id, secret
	}
	switch {
	case shown.id == "":
		return credential{}, missing("client_id", "Add client_id=<application id>.")
	case shown.secret != "" && shown.assertion != "":
		return credential{}, fail(codeMalformed, "The request has both client_secret and client_assertion. Send only one of the two.")
	case shown.assertion != "" && form.Get("client_assertion_type") != assertionType:
		return credential{}, missing("client_assertion_type", "Add client_assertion_type="+assertionType+".")
	}
	return shown, nil
}

// checkCredential checks the credential of the request's client. A public client needs
// none to request a user's token.
func (a *Authority) checkCredential(t *tokenRequest, shown credential, forUser bool) (token.Proof, error) {
	switch {
	case shown.assertion != "":
		return token.ProofCertificate, a.guess(t, guessAssertion, func() error { return a.checkAssertion(t, shown.assertion) })
	case shown.secret != "":
		return token.ProofSecret, a.checkSecret(t, shown.secret)
	case forUser && t.client.Public:
		return token.ProofNone, nil
	case forUser:
		return "", fail(codeNotPublic, "Application %s is not public, so the request must contain 'client_assertion' or 'client_secret'. Add one of the two, or register the application as public.", t.client.ID)
	}
	return "", fail(codeNoCredential, "The request does not authenticate application %s. Add client_secret=<secret>, or client_assertion with a certificate's signature.", t.client.ID)
}

// checkSecret compares secrets in constant time: digests have one length.
func (a *Authority) checkSecret(t *tokenRequest, shown string) error {
	got := sha256.Sum256([]byte(shown))
	find := func() int {
		return slices.IndexFunc(t.client.Secrets, func(s Secret) bool {
			want := sha256.Sum256([]byte(s.Value))
			return subtle.ConstantTimeCompare(got[:], want[:]) == 1
		})
	}
	found := find()
	if found < 0 && a.findAgain(t, t.client.ID) {
		found = find()
	}
	client := t.client
	_, wait := a.guesses.try(t.target(guessSecret), func() bool { return found >= 0 })
	switch {
	case wait > 0:
		return t.tooManyGuesses(wait)
	case found < 0:
		return fail(codeWrongSecret, "The client secret is wrong for application %s. Send the secret's value, not its id; in a form + is %%2B and %% is %%25.", client.ID)
	}
	if expires := client.Secrets[found].Expires; expires != nil && !a.now().Before(*expires) {
		return fail(codeSecretExpired, "The client secret of application %s expired at %s. Register a new one, and send that.", client.ID, expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// assertionClaims are a client's claims about itself.
type assertionClaims struct {
	Audience  audiences `json:"aud"`
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	ID        string    `json:"jti"`
	Expires   float64   `json:"exp"`
	NotBefore *float64  `json:"nbf"`
	IssuedAt  *float64  `json:"iat"`
}

// audiences decodes an aud claim, which is one string or a list of them.
type audiences []string

func (a *audiences) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// checkAssertion checks a JWT that the request's client has signed with the private key
// of one of its certificates. Certificates and keys within the assertion prove nothing.
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func (a *Authority) checkAssertion(t *tokenRequest, assertion string) error {
	id := t.client.ID
	if len(assertion) > token.MaxLength || !token.IsCanonical(assertion) {
		return fail(codeAssertion, "The client assertion of application %s is no signed JWT. Send three parts in base64url with dots between them, of at most %d bytes.", id, token.MaxLength)
	}
	jws, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if _, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return fail(codeAssertion, "The client assertion of application %s is signed in another way than RS256 and PS256. Sign it with one of the two.", id)
	}
	if err != nil {
		return fail(codeAssertion, "The header of the client assertion of application %s cannot be read. Send a JWT with alg, typ and x5t.", id)
	}
	certificate, err := t.client.certificate(jws.Signatures[0].Protected)
	if err != nil && a.findAgain(t, id) {
		certificate, err = t.client.certificate(jws.Signatures[0].Protected)
	}
	if err != nil {
		return err
	}
	now := a.now()
	if cert := certificate.Certificate; now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return fail(codeCertificateTime, "The certificate of application %s is valid from %s to %s only. Register one that is valid now.", id, cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339))
	}
	payload, err := jws.Verify(certificate.Certificate.PublicKey.(*rsa.PublicKey))
	if err != nil {
		return fail(codeAssertion, "The signature of the client assertion of application %s does not match its content. Sign with the private key of the certificate that its header names.", id)
	}
	var claims assertionClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return fail(codeAssertion, "The claims of the client assertion of application %s cannot be read. Send aud, iss, sub and exp.", id)
	}
	if strings.ContainsRune(claims.ID, utf8.RuneError) {
		return fail(codeAssertion, "The jti of the client assertion of application %s has a character that is not valid, so that others would be the same. Send a GUID.", id)
	}
	if err := claims.check(t, now); err != nil {
		return err
	}
	t.assertionID = sha256.Sum256([]byte("jwt " + assertion))
	if claims.ID != "" {
		t.assertionID = sha256.Sum256([]byte("jti " + claims.ID))
	}
	return nil
}

// certificate finds the certificate that the header of an assertion names by its
// thumbprint, SHA-1 (x5t) or SHA-256 (x5t#S256). Some clients send the thumbprint as
// kid; beside another one it may be any name but another certificate's.
func (a *app) certificate(header jose.Header) (*Certificate, error) {
	text := func(name string) string {
		value, _ := header.ExtraHeaders[jose.HeaderKey(name)].(string)
		return value
	}
	x5t, x5tS256, kid := plainThumbprint(text("x5t")), plainThumbprint(text("x5t#S256")), plainThumbprint(header.KeyID)
	if x5t == "" && x5tS256 == "" && kid == "" {
		return nil, fail(codeAssertion, "The header of the client assertion of application %s names no certificate. Add x5t#S256 or x5t, the certificate's thumbprint.", a.ID)
	}
	var found *Certificate
	for i := range a.Certificates {
		c := &a.Certificates[i]
		sum1, sum256 := certificate.Thumbprints(c.Certificate)
		names1, names256 := thumbprints(sum1[:]), thumbprints(sum256[:])
		byKID := slices.Contains(append(names1, names256...), kid)
		switch {
		case x5tS256 != "" && !slices.Contains(names256, x5tS256), x5t != "" && !slices.Contains(names1, x5t), x5tS256+x5t == "" && !byKID:
			if byKID {
				return nil, fail(codeAssertion, "The header of the client assertion of application %s names two certificates. Leave out kid, or make it the thumbprint of the one that signs.", a.ID)
			}
		case found == nil:
			found = c
		}
	}
	switch {
	case found == nil:
		return nil, fail(codeAssertion, "No certificate of application %s has the thumbprint in the client assertion. Register the certificate, or sign with a registered one.", a.ID)
	case found.Revoked:
		return nil, fail(codeCertificateRevoked, "The certificate of application %s is revoked. Register another one, and sign with that.", a.ID)
	}
	return found, nil
}

// plainThumbprint removes the differences between base64 and base64url: MSAL for Go
// sends the former.
func plainThumbprint(text string) string {
	return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
}

// thumbprints returns the spellings of a thumbprint.
func thumbprints(sum []byte) []string {
	lower := hex.EncodeToString(sum)
	return []string{base64.RawURLEncoding.EncodeToString(sum), lower, ascii.ToUpper(lower)}
}

func (c *assertionClaims) check(t *tokenRequest, now time.Time) error {
	id := t.client.ID
	switch {
	case !ascii.EqualFold(c.Issuer, id) || !ascii.EqualFold(c.Subject, id):
		return fail(codeAssertionSubject, "The client assertion is issued by %s for %s, but client_id is %s. Make all three the application's id.", quote.Text(c.Issuer), quote.Text(c.Subject), id)
	case !slices.ContainsFunc(c.Audience, t.isOwnAddress):
		return fail(codeAssertionAudience, "The client assertion of application %s is meant for %s, which is not this endpoint. Make aud the URL that the request is sent to.", id, quote.Text(strings.Join(c.Audience, " ")))
	}
	expires := unixTime(c.Expires)
	if c.Expires == 0 || !now.Before(expires.Add(assertionLeeway)) {
		return fail(codeAssertionTime, "The client assertion of application %s is expired, or says not when it expires. Sign a new one, and compare the clocks: here it is %s.", id, now.UTC().Format(time.RFC3339))
	}
	var begun time.Time
	for _, begins := range []*float64{c.NotBefore, c.IssuedAt} {
		if begins == nil {
			continue
		}
		if now.Add(assertionLeeway).Before(unixTime(*begins)) {
			return fail(codeAssertionTime, "The client assertion of application %s is not valid yet. Compare the clocks: here it is %s.", id, now.UTC().Format(time.RFC3339))
		}
		if at := unixTime(*begins); at.After(begun) {
			begun = at // MSAL for Node rounds one of the two up, from which it counts
		}
	}
	if begun.IsZero() {
		begun = now.Add(assertionLeeway) // by the signer's clock, at the latest
	}
	if expires.After(begun.Add(assertionLifetime)) {
		return fail(codeAssertionTime, "The client assertion of application %s lives for more than %d minutes. Sign one for each request, with an exp soon after iat.", id, int(assertionLifetime/time.Minute))
	}
	return nil
}

// unixTime converts a NumericDate (RFC 7519, section 2). Years beyond those of tokens
// mean for ever.
func unixTime(seconds float64) time.Time {
	const forever = 1 << 40
	return time.Unix(int64(min(max(seconds, 0), forever)), 0)
}

// isOwnAddress reports whether an audience is the tenant's token endpoint, of either
// version, or its issuer. It is compared as it is, but for the case of the tenant's
// name: what a URL can have besides is nowhere in these addresses.
func (t *tokenRequest) isOwnAddress(audience string) bool {
	for _, base := range t.trust.bases {
		path, ok := strings.CutPrefix(audience, base+"/")
		if !ok {
			continue
		}
		name, rest, ok := strings.Cut(path, "/")
		if !ok {
			return false
		}
		switch rest {
		case "oauth2/token", "oauth2/v2.0/token", "v2.0", "":
		default:
			return false
		}
		switch {
		case t.tenant == nil:
			return isShared(name)
		case t.tenant.customer:
			return ascii.EqualFold(name, t.tenant.id) || ascii.EqualFold(name, t.tenant.name)
		}
		found := t.trust.tenant(name)
		return found != nil && found.is(t.tenant)
	}
	return false
}

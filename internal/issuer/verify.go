package issuer

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// maxToken is the longest token looked at, in bytes: Microsoft's have one to
// three thousand.
const maxToken = 16 << 10

// Reason classifies why a token was refused.
type Reason string

// The reasons of a [VerifyError].
const (
	ReasonTooLarge    Reason = "tooLarge"    // longer than 16 KiB
	ReasonMalformed   Reason = "malformed"   // not a JWT in its one proper spelling
	ReasonAlgorithm   Reason = "algorithm"   // signed in another way than RS256, or not at all
	ReasonUnknownKey  Reason = "unknownKey"  // signed with a key that is not, or no longer, trusted
	ReasonSignature   Reason = "signature"   // the signature does not belong to the content
	ReasonExpired     Reason = "expired"     // its life is over
	ReasonNotYetValid Reason = "notYetValid" // its life has not begun
	ReasonIDToken     Reason = "idToken"     // for an app to know its user by, not for an API
	ReasonAudience    Reason = "audience"    // meant for another API
	ReasonIssuer      Reason = "issuer"      // from an issuer that is not one of the base URLs
	ReasonTenant      Reason = "tenant"      // of a tenant that is not registered
	ReasonClient      Reason = "client"      // of a client that is not, or no longer, registered or enabled
	ReasonUser        Reason = "user"        // for a user that is not, or no longer, there or enabled
)

// nextStep is what the caller of the API can do about each reason.
var nextStep = map[Reason]string{
	ReasonTooLarge:    "send the access_token as the token endpoint returned it",
	ReasonMalformed:   "send the access_token as the token endpoint returned it",
	ReasonAlgorithm:   "request a token from this server's token endpoint",
	ReasonUnknownKey:  "request a new token from this server's token endpoint",
	ReasonSignature:   "request a new token from this server's token endpoint",
	ReasonExpired:     "request a new token",
	ReasonNotYetValid: "compare the clocks of client and server, or wait",
	ReasonIDToken:     "send the access_token of the answer, not its id_token",
	ReasonAudience:    "request a token for this API",
	ReasonIssuer:      "request a token at an address that this server answers at",
	ReasonTenant:      "request a token for a tenant of this server",
	ReasonClient:      "register or enable the client again, then request a new token",
	ReasonUser:        "request a token for an enabled user of this server",
}

// VerifyError says why [Authority.Verify] or [Entra.Verify] refused a token.
// Neither its text nor its fields contain the token.
type VerifyError struct {
	Reason Reason
	Detail string // what was found, in words
	Next   string // what the caller can do
}

// Error gives reason and detail, and ends with what to do next.
func (e *VerifyError) Error() string {
	return "issuer: token refused (" + string(e.Reason) + "): " + e.Detail + "; " + e.Next
}

func refuse(reason Reason, format string, args ...any) error {
	return &VerifyError{Reason: reason, Detail: fmt.Sprintf(format, args...), Next: nextStep[reason]}
}

// Claims are what a verified token says. They are shared between calls and must
// not be changed.
type Claims struct {
	Audience  string
	Issuer    string
	TenantID  string // the partner; lower case
	AppID     string // the client: appid or azp
	ObjectID  string
	Subject   string
	IDType    string   // "app" in app-only tokens
	User      string   // user principal name of whom the client acts for; empty in app-only tokens
	Roles     []string // the user's
	MFA       bool     // the user signed in with a second factor
	Scope     string   // what the client may do for the user; empty in app-only tokens
	TokenID   string   // uti: unique to the token, fit for logs
	Version   string   // "1.0" or "2.0"
	KeyID     string
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
}

// HasUser reports whether the client acts for a user and not for itself.
func (c *Claims) HasUser() bool { return c.User != "" }

// Verify checks an access token and returns its claims. An error is a
// [*VerifyError]. A token that was verified before costs a look into a map and
// at the clock.
func (a *Authority) Verify(token string) (*Claims, error) {
	if err := checkSize(token); err != nil {
		return nil, err
	}
	trust := a.trust.Load()
	claims := a.verified.recall(token, trust)
	remembered := claims != nil
	if !remembered {
		var err error
		if claims, err = verify(token, trust, a.isResource); err != nil {
			return nil, err
		}
	}
	if err := checkTime(claims, a.now(), a.leeway); err != nil {
		return nil, err
	}
	if !remembered {
		a.verified.remember(token, claims, trust)
	}
	return claims, nil
}

func checkSize(token string) error {
	if len(token) > maxToken {
		return refuse(ReasonTooLarge, "it has %d bytes, and the limit is %d", len(token), maxToken)
	}
	return nil
}

// checkTime refuses a token before and after its life.
func checkTime(c *Claims, now time.Time, leeway time.Duration) error {
	if !now.Before(c.Expires.Add(leeway)) {
		return refuse(ReasonExpired, "it expired at %s", c.Expires.Format(time.RFC3339))
	}
	if now.Add(leeway).Before(c.NotBefore) {
		return refuse(ReasonNotYetValid, "it becomes valid at %s", c.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// verify checks everything but size and time; audience says whom a token may be
// meant for.
func verify(token string, trust *trust, audience func(string) bool) (*Claims, error) {
	parsed, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	key := trust.key(parsed.keyID)
	if key == nil {
		return nil, refuse(ReasonUnknownKey, "key %s is not one of this server's", quote(parsed.keyID))
	}
	payload, err := parsed.verify(&key.Private.PublicKey)
	if err != nil {
		return nil, err
	}
	var w wireClaims
	if err := readClaims(payload, &w); err != nil {
		return nil, err
	}
	if err := w.checkAccess(); err != nil {
		return nil, err
	}
	if !audience(w.Audience) {
		return nil, refuse(ReasonAudience, "its audience is %s", quote(w.Audience))
	}
	if err := checkClaims(&w, trust); err != nil {
		return nil, err
	}
	claims := w.claims(parsed.keyID)
	claims.User, claims.Roles = w.user(), w.Roles
	return claims, nil
}

// parsedToken is a token of which only the form is known to be right.
type parsedToken struct {
	jws   *jose.JSONWebSignature
	keyID string // whatever the header says
}

// parseToken reads a token without believing it. Of the header only the id of
// the key is looked at: keys and addresses of keys in it (jwk, jku, x5u) are
// what a forger would put there.
func parseToken(token string) (parsedToken, error) {
	if !isCanonical(token) {
		return parsedToken{}, refuse(ReasonMalformed, "it is not three parts in base64url with dots between them")
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if _, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return parsedToken{}, refuse(ReasonAlgorithm, "it is not signed with RS256")
	}
	if err != nil {
		return parsedToken{}, refuse(ReasonMalformed, "its header cannot be read")
	}
	return parsedToken{jws: jws, keyID: jws.Signatures[0].Protected.KeyID}, nil
}

// verify returns the payload if key signed it.
func (p parsedToken) verify(key *rsa.PublicKey) ([]byte, error) {
	payload, err := p.jws.Verify(key)
	if err != nil {
		return nil, refuse(ReasonSignature, "its signature does not match its content")
	}
	return payload, nil
}

// readClaims decodes a payload into a wireClaims or what embeds one.
func readClaims(payload []byte, into any) error {
	if err := json.Unmarshal(payload, into); err != nil {
		return refuse(ReasonMalformed, "its claims cannot be read")
	}
	return nil
}

// checkAccess tells access tokens from id tokens.
func (w *wireClaims) checkAccess() error {
	if w.AppID == "" && w.AuthorizedParty == "" {
		return refuse(ReasonIDToken, "it names no client, as id tokens do")
	}
	return nil
}

// claims are what w says, but for the user, of whom each issuer has its own way
// to tell.
func (w *wireClaims) claims(keyID string) *Claims {
	return &Claims{
		Audience:  w.Audience,
		Issuer:    w.Issuer,
		TenantID:  w.TenantID,
		AppID:     w.appID(),
		ObjectID:  w.ObjectID,
		Subject:   w.Subject,
		IDType:    w.IDType,
		MFA:       slices.Contains(w.AMR, amrMFA),
		Scope:     w.Scope,
		TokenID:   w.TokenID,
		Version:   string(w.Version),
		KeyID:     keyID,
		IssuedAt:  time.Unix(w.IssuedAt, 0).UTC(),
		NotBefore: time.Unix(w.NotBefore, 0).UTC(),
		Expires:   time.Unix(w.Expires, 0).UTC(),
	}
}

// appID returns the client under the name that it has in the token's version.
func (w *wireClaims) appID() string {
	if w.Version == V2 {
		return w.AuthorizedParty
	}
	return w.AppID
}

// user returns whom the client acts for, likewise.
func (w *wireClaims) user() string {
	if w.Version == V2 {
		return w.PreferredUsername
	}
	return w.UPN
}

// isResource reports whether an audience is an API that tokens are issued for.
func (a *Authority) isResource(audience string) bool { return a.resources[resourceKey(audience)] }

// checkClaims checks the claims of a token whose signature is right. It may be
// an old one: tenants, clients, users and addresses can have changed since.
func checkClaims(w *wireClaims, trust *trust) error {
	tenant := trust.tenants[w.TenantID]
	if tenant == nil || tenant.id != w.TenantID {
		return refuse(ReasonTenant, "tenant %s is not registered", quote(w.TenantID))
	}
	isOurs := func(base string) bool { return w.Issuer == issuerOf(base, tenant.id, w.Version) }
	if w.Version != V1 && w.Version != V2 || !slices.ContainsFunc(trust.bases, isOurs) {
		return refuse(ReasonIssuer, "version %s of issuer %s is not this server", quote(string(w.Version)), quote(w.Issuer))
	}
	if app := trust.app(tenant, w.appID()); app == nil || app.Disabled {
		return refuse(ReasonClient, "client %s is not registered in tenant %s, or disabled", quote(w.appID()), tenant.id)
	}
	if name := w.user(); name != "" {
		// Another one may have the name by now.
		if user := tenant.user(name); user == nil || user.Disabled || user.ObjectID != w.ObjectID {
			return refuse(ReasonUser, "there is no user %s in tenant %s, or the user is disabled", quote(name), tenant.id)
		}
	}
	return nil
}

// isCanonical reports whether token is three base64url parts in their one
// proper spelling. Decoders skip line breaks and the spare bits of a last
// character; a token with thousands of valid spellings could flush the cache.
func isCanonical(token string) bool {
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, "\r\n") {
		return false
	}
	strict := base64.RawURLEncoding.Strict()
	for part := range strings.SplitSeq(token, ".") {
		if _, err := strict.DecodeString(part); err != nil {
			return false
		}
	}
	return true
}

// quote makes text from outside fit for a message or a log: quoted, on one line
// and not long.
func quote(text string) string {
	const limit = 100
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return fmt.Sprintf("%q", text)
}

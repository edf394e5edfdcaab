// Package token is what the checkers of access tokens share, whoever issued them: the
// claims, parsing tokens without trusting them, the reasons to refuse one, the cache of
// verified tokens, and the addresses and resources in tokens. Packages issuer and entra
// decide who may sign tokens, and for whom.
package token

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

// MaxLength is the longest accepted token, in bytes: Microsoft's have one to three
// thousand.
const MaxLength = 16 << 10

// Reason classifies why a token was refused.
type Reason string

// The reasons of a [VerifyError].
const (
	ReasonTooLarge    Reason = "tooLarge"    // longer than 16 KiB
	ReasonMalformed   Reason = "malformed"   // not a JWT in its only valid encoding
	ReasonAlgorithm   Reason = "algorithm"   // signed in another way than RS256, or not at all
	ReasonUnknownKey  Reason = "unknownKey"  // signed with a key that is not, or no longer, trusted
	ReasonSignature   Reason = "signature"   // the signature does not match the content
	ReasonExpired     Reason = "expired"     // its validity has ended
	ReasonNotYetValid Reason = "notYetValid" // its validity has not begun
	ReasonIDToken     Reason = "idToken"     // for an app to identify its user, not for an API
	ReasonAudience    Reason = "audience"    // meant for another API
	ReasonIssuer      Reason = "issuer"      // issued by none of the base URLs
	ReasonTenant      Reason = "tenant"      // in a tenant that is not registered
	ReasonClient      Reason = "client"      // to a client that is not, or no longer, registered or enabled
	ReasonUser        Reason = "user"        // for a user that does not, or no longer, exist or is disabled
	ReasonConsent     Reason = "consent"     // to a client that the tenant or the user has not, or no longer, consented to
	ReasonRevoked     Reason = "revoked"     // from a sign-in that somebody else may have taken over
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
	ReasonTenant:      "request a token for a partner's tenant",
	ReasonClient:      "register or enable the client again, then request a new token",
	ReasonUser:        "request a token for an enabled user of this server",
	ReasonRevoked:     "have the user sign in again",
	ReasonConsent:     "have the user or an administrator consent to the client, then request a new token",
}

// VerifyError says why a token was refused. It never contains the token.
type VerifyError struct {
	Reason Reason
	Detail string // what was found, in words
	Next   string // what the caller can do
}

// Error returns reason and detail, and ends with what to do next.
func (e *VerifyError) Error() string {
	return "token refused (" + string(e.Reason) + "): " + e.Detail + "; " + e.Next
}

// Refuse returns a [*VerifyError] with the usual next step.
func Refuse(reason Reason, format string, args ...any) error {
	return &VerifyError{Reason: reason, Detail: fmt.Sprintf(format, args...), Next: nextStep[reason]}
}

// Claims are the claims of a verified token. They are shared between calls and must not
// be modified.
type Claims struct {
	Audience  string
	Issuer    string
	TenantID  string // the partner; lower case
	AppID     string // the client: appid or azp
	ObjectID  string
	Subject   string
	IDType    string   // "app" in app-only tokens
	User      string   // user principal name of the user that the client acts for; empty in app-only tokens
	Roles     []string // the user's
	MFA       bool     // the user signed in with a second factor
	Scope     string   // what the client may do for the user; empty in app-only tokens
	TokenID   string   // uti: unique, and safe to log
	Version   string   // "1.0" or "2.0"
	KeyID     string
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
}

// HasUser reports whether the client acts for a user, not for itself.
func (c *Claims) HasUser() bool { return c.User != "" }

// CheckSize refuses a token longer than [MaxLength].
func CheckSize(token string) error {
	if len(token) > MaxLength {
		return Refuse(ReasonTooLarge, "it has %d bytes, and the limit is %d", len(token), MaxLength)
	}
	return nil
}

// CheckTime refuses a token before and after its validity.
func CheckTime(c *Claims, now time.Time, leeway time.Duration) error {
	if !now.Before(c.Expires.Add(leeway)) {
		return Refuse(ReasonExpired, "it expired at %s", c.Expires.Format(time.RFC3339))
	}
	if now.Add(leeway).Before(c.NotBefore) {
		return Refuse(ReasonNotYetValid, "it becomes valid at %s", c.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// Parsed is a well-formed token that has not been verified.
type Parsed struct {
	KeyID string // as claimed by the header
	jws   *jose.JSONWebSignature
}

// Parse parses a token without trusting it. Of the header only the key id is used: keys
// and addresses of keys in it (jwk, jku, x5u) would be the forger's.
func Parse(token string) (Parsed, error) {
	if !IsCanonical(token) {
		return Parsed{}, Refuse(ReasonMalformed, "it is not three parts in base64url with dots between them")
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if _, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return Parsed{}, Refuse(ReasonAlgorithm, "it is not signed with RS256")
	}
	if err != nil {
		return Parsed{}, Refuse(ReasonMalformed, "its header cannot be read")
	}
	return Parsed{jws: jws, KeyID: jws.Signatures[0].Protected.KeyID}, nil
}

// Verify returns the payload if key signed it.
func (p Parsed) Verify(key *rsa.PublicKey) ([]byte, error) {
	payload, err := p.jws.Verify(key)
	if err != nil {
		return nil, Refuse(ReasonSignature, "its signature does not match its content")
	}
	return payload, nil
}

// Unverified returns the payload, which anybody may have written.
func (p Parsed) Unverified() []byte { return p.jws.UnsafePayloadWithoutVerification() }

// ReadClaims decodes a payload into a Payload or a type that embeds one.
func ReadClaims(payload []byte, into any) error {
	if err := json.Unmarshal(payload, into); err != nil {
		return Refuse(ReasonMalformed, "its claims cannot be read")
	}
	return nil
}

// CheckAccess refuses id tokens.
func (w *Payload) CheckAccess() error {
	if w.AppID == "" && w.AuthorizedParty == "" {
		return Refuse(ReasonIDToken, "it names no client, as id tokens do")
	}
	return nil
}

// Claims returns what w says, but for the user, of whom each issuer has its own way
// to tell.
func (w *Payload) Claims(keyID string) *Claims {
	return &Claims{
		Audience:  w.Audience,
		Issuer:    w.Issuer,
		TenantID:  w.TenantID,
		AppID:     w.Client(),
		ObjectID:  w.ObjectID,
		Subject:   w.Subject,
		IDType:    w.IDType,
		MFA:       slices.Contains(w.AMR, MethodMFA),
		Scope:     w.Scope,
		TokenID:   w.TokenID,
		Version:   string(w.Version),
		KeyID:     keyID,
		IssuedAt:  time.Unix(w.IssuedAt, 0).UTC(),
		NotBefore: time.Unix(w.NotBefore, 0).UTC(),
		Expires:   time.Unix(w.Expires, 0).UTC(),
	}
}

// Client returns the client under the name that it has in the token's version.
func (w *Payload) Client() string {
	if w.Version == V2 {
		return w.AuthorizedParty
	}
	return w.AppID
}

// User returns whom the client acts for, likewise.
func (w *Payload) User() string {
	if w.Version == V2 {
		return w.PreferredUsername
	}
	return w.UPN
}

// IsCanonical reports whether token is three base64url parts in their one
// proper spelling. Decoders skip line breaks and the spare bits of a last
// character; a token with thousands of valid spellings could flush the cache.
func IsCanonical(token string) bool {
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

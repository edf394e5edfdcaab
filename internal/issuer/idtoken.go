package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// idClaims are the claims of an id token, which tells an app who has signed in.
// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
type idClaims struct {
	Audience          string        `json:"aud"` // the app
	Issuer            string        `json:"iss"`
	IssuedAt          int64         `json:"iat"`
	NotBefore         int64         `json:"nbf"`
	Expires           int64         `json:"exp"`
	AMR               []string      `json:"amr,omitempty"`    // v1
	CodeHash          string        `json:"c_hash,omitempty"` // with an authorization code
	Name              string        `json:"name,omitempty"`
	Nonce             string        `json:"nonce,omitempty"`
	ObjectID          string        `json:"oid"`
	PreferredUsername string        `json:"preferred_username,omitempty"` // v2
	Subject           string        `json:"sub"`
	TenantID          string        `json:"tid"`
	UniqueName        string        `json:"unique_name,omitempty"` // v1
	UPN               string        `json:"upn,omitempty"`         // v1
	TokenID           string        `json:"uti"`
	Version           token.Version `json:"ver"`
}

// signID mints an id token to go with an access token of the same spec, or with an
// authorization code.
func (a *Authority) signID(trust *trust, spec *tokenSpec, nonce, code string) (string, error) {
	if len(trust.keys) == 0 {
		return "", errNoKey
	}
	subject := spec.distortion.subject(spec.subject)
	user := subject.user
	notBefore, expires := spec.distortion.validity(a.now().Truncate(time.Second), a.lifetime)
	claims := idClaims{
		Audience:  spec.client.ID,
		Issuer:    token.IssuerOf(spec.base, spec.tenant.id, spec.version),
		IssuedAt:  notBefore.Unix(),
		NotBefore: notBefore.Unix(),
		Expires:   expires.Unix(),
		Name:      user.Name,
		Nonce:     nonce,
		ObjectID:  user.ObjectID,
		Subject:   pairwiseSubject(spec.tenant, spec.client, user),
		TenantID:  spec.tenant.id,
		TokenID:   randomID(),
		Version:   spec.version,
	}
	if spec.version == token.V2 {
		claims.PreferredUsername = user.UserPrincipalName
	} else {
		claims.AMR, claims.UPN, claims.UniqueName = subject.methods(), user.UserPrincipalName, user.UserPrincipalName
	}
	if code != "" {
		// The left half of the hash (OpenID Connect Core, section 3.3.2.11).
		sum := sha256.Sum256([]byte(code))
		claims.CodeHash = base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("issuer: encode claims: %w", err)
	}
	return trust.keys[0].sign(payload)
}

// clientInfo tells MSAL the name of an account.
func clientInfo(user *User, t *tenant) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"` + user.ObjectID + `","utid":"` + t.id + `"}`))
}

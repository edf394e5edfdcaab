// Package claims reads what access tokens say about themselves. It verifies nothing,
// so what it returns is for explaining tokens and for refusing calls, never for
// allowing one: package token is for that. The client links it, so it uses nothing but
// the standard library.
package claims

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Claims are the claims of an access token, or of an id token, that are looked at.
//
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Claims struct {
	Audience   oneOrMany   `json:"aud"`
	Issuer     string      `json:"iss"`
	NotBefore  json.Number `json:"nbf"` // see [Time]
	Expires    json.Number `json:"exp"`
	Nonce      string      `json:"nonce"` // of id tokens
	TenantID   string      `json:"tid"`
	ObjectID   string      `json:"oid"`
	Version    string      `json:"ver"`
	AppID      string      `json:"appid"` // version 1.0
	Party      string      `json:"azp"`   // version 2.0
	IDType     string      `json:"idtyp"`
	Scope      string      `json:"scp"`
	Roles      []string    `json:"roles"`
	Methods    []string    `json:"amr"`
	Name       string      `json:"name"`
	UPN        string      `json:"upn"`
	UniqueName string      `json:"unique_name"`
	Username   string      `json:"preferred_username"`
	// DirectoryRoles are ids of roles in the tenant's directory.
	DirectoryRoles []string `json:"wids"`
}

// oneOrMany is a string or a list of strings, as RFC 7519 allows for an audience.
type oneOrMany []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

// maxLength is the length of the longest token that is read, in bytes.
const maxLength = 64 << 10

// Read decodes a JSON Web Token without verifying its signature; ok is false for
// anything else.
func Read(token string) (claims *Claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(token) > maxLength || len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims == nil {
		return nil, false
	}
	return claims, true
}

// ForUser reports whether the token has a user.
func (c *Claims) ForUser() bool {
	return c.IDType != "app" && (c.Scope != "" || c.User() != "")
}

// ClientID returns the app that the token was issued to.
func (c *Claims) ClientID() string { return cmp.Or(c.AppID, c.Party) }

// User returns the user's sign-in name, empty if there is no user.
func (c *Claims) User() string { return cmp.Or(c.UPN, c.Username, c.UniqueName) }

// WithoutMFA reports whether the user is known to have signed in with one
// factor only.
func (c *Claims) WithoutMFA() bool {
	return len(c.Methods) > 0 && !slices.Contains(c.Methods, "mfa")
}

// GlobalAdministrator is the template id of the directory role, which is the same in
// every tenant.
// https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
const GlobalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// AllRoles returns the roles in the token. Microsoft's tokens have directory
// roles only; a user's roles in Partner Center depend on groups, which the
// service looks up.
func (c *Claims) AllRoles() []string {
	roles := slices.Clone(c.Roles)
	if slices.Contains(c.DirectoryRoles, GlobalAdministrator) && !slices.Contains(roles, "global_admin") {
		roles = append(roles, "global_admin")
	}
	return roles
}

// RolesOf returns the user's roles in Partner Center, which a local server's tokens
// have. Microsoft's do not; a roles claim with others than the known ones means
// something else.
func RolesOf[R ~string](c *Claims, known []R) []R {
	var roles []R
	for _, name := range c.Roles {
		if !slices.Contains(known, R(name)) {
			return nil
		}
		roles = append(roles, R(name))
	}
	return roles
}

// Time returns the time of a claim, zero if it is absent.
func Time(n json.Number) time.Time {
	seconds, err := n.Float64()
	if err != nil || n == "" {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

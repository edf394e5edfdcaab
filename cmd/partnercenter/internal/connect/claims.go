package connect

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"

	"github.com/partnercenter-go/partnercenter"
)

// Claims are the claims of an access token that commands use. They are not
// verified, which is up to the API.
//
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Claims struct {
	Audience   oneOrMany   `json:"aud"`
	Issuer     string      `json:"iss"`
	NotBefore  json.Number `json:"nbf"`
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

// ReadClaims decodes a JSON Web Token; ok is false for anything else.
func ReadClaims(token string) (claims *Claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
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

// globalAdministrator is the id of the role in all directories.
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// AllRoles returns the roles in the token. Microsoft's tokens have directory
// roles only; a user's roles in Partner Center depend on groups, which the
// service looks up.
func (c *Claims) AllRoles() []string {
	roles := slices.Clone(c.Roles)
	if slices.Contains(c.DirectoryRoles, globalAdministrator) && !slices.Contains(roles, "global_admin") {
		roles = append(roles, "global_admin")
	}
	return roles
}

// PartnerRoles returns the user's roles in Partner Center, which a local
// server's tokens have. Microsoft's do not; a roles claim with other names
// means something else.
func (c *Claims) PartnerRoles() []partnercenter.UserRole {
	var roles []partnercenter.UserRole
	for _, name := range c.Roles {
		role := partnercenter.UserRole(name)
		if !slices.Contains(partnercenter.UserRoles(), role) {
			return nil
		}
		roles = append(roles, role)
	}
	return roles
}

// UnixTime returns the time of a claim, zero if it is absent.
func UnixTime(n json.Number) time.Time {
	seconds, err := n.Float64()
	if err != nil || n == "" {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// KnownAudience describes an audience. ok reports whether Partner Center
// accepts it, which it does for the graph's from apps only.
func KnownAudience(audience string) (what string, graph, ok bool) {
	audience = strings.TrimRight(audience, "/")
	if strings.EqualFold(audience, token.APIAppID) {
		return "Partner Center", false, true
	}
	for _, cloud := range partnercenter.CloudNames() {
		services := cloud.Configuration().Services
		switch {
		case strings.EqualFold(audience, services[partnercenter.ServiceName].Audience):
			return "Partner Center", false, true
		case strings.EqualFold(audience, services[partnercenter.GraphServiceName].Audience):
			return "the directory graph, which Partner Center accepts from apps", true, true
		}
	}
	return "not an audience of Partner Center", false, false
}

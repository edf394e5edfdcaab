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

// Claims are what an access token says of itself, as far as it matters
// here. Nothing is verified: that is for those who the token is shown to.
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

// oneOrMany is a text or a list of texts, as RFC 7519 lets an audience be.
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

// ForUser reports whether an app acts for a user with the token.
func (c *Claims) ForUser() bool {
	return c.IDType != "app" && (c.Scope != "" || c.User() != "")
}

// ClientID is the app that the token was given to.
func (c *Claims) ClientID() string { return cmp.Or(c.AppID, c.Party) }

// User is the name that the user signs in with, empty without one.
func (c *Claims) User() string { return cmp.Or(c.UPN, c.Username, c.UniqueName) }

// WithoutMFA reports that the user showed one factor only. A token that does not
// say how the user signed in leaves it open.
func (c *Claims) WithoutMFA() bool {
	return len(c.Methods) > 0 && !slices.Contains(c.Methods, "mfa")
}

// globalAdministrator is the role's id in every directory.
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// AllRoles returns the roles that the token names. Microsoft's tokens have those
// of the directory only; what a user may do in Partner Center itself is a
// matter of groups, which the service looks up.
func (c *Claims) AllRoles() []string {
	roles := slices.Clone(c.Roles)
	if slices.Contains(c.DirectoryRoles, globalAdministrator) && !slices.Contains(roles, "global_admin") {
		roles = append(roles, "global_admin")
	}
	return roles
}

// PartnerRoles are the user's roles in Partner Center, as a local server's
// tokens have them. Microsoft's leave them to the service; a roles claim with
// other names in it is about something else.
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

// UnixTime is the time of a claim, zero for one that is not there.
func UnixTime(n json.Number) time.Time {
	seconds, err := n.Float64()
	if err != nil || n == "" {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// KnownAudience says what an audience is; ok is false for none that Partner
// Center takes. The graph's it takes from apps only.
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
			return "the directory graph, which Partner Center takes from apps", true, true
		}
	}
	return "no audience of Partner Center", false, false
}

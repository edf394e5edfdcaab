package token

// Version is the version of an access token, which follows from the endpoint that
// issued it.
type Version string

// The versions of access tokens, as in their ver claim.
const (
	V1 Version = "1.0"
	V2 Version = "2.0"
)

// Versions are all versions.
var Versions = []Version{V1, V2}

// Payload has the claims of an access token in Microsoft's order. Those of users are
// absent from app-only tokens.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Payload struct {
	Audience          string   `json:"aud"`
	Issuer            string   `json:"iss"`
	IssuedAt          int64    `json:"iat"`
	NotBefore         int64    `json:"nbf"`
	Expires           int64    `json:"exp"`
	ACR               string   `json:"acr,omitempty"`      // v1, users; "1": the user signed in here
	AMR               []string `json:"amr,omitempty"`      // users: how they signed in
	AppID             string   `json:"appid,omitempty"`    // v1
	AppIDACR          Proof    `json:"appidacr,omitempty"` // v1
	AuthorizedParty   string   `json:"azp,omitempty"`      // v2: the client
	AZPACR            Proof    `json:"azpacr,omitempty"`   // v2: as appidacr
	IdentityIssuer    string   `json:"idp,omitempty"`      // v1, app-only
	IDType            string   `json:"idtyp,omitempty"`    // app-only
	Name              string   `json:"name,omitempty"`     // users
	ObjectID          string   `json:"oid"`
	PreferredUsername string   `json:"preferred_username,omitempty"` // v2, users
	Roles             []string `json:"roles,omitempty"`              // users
	Scope             string   `json:"scp,omitempty"`                // users
	Subject           string   `json:"sub"`
	TenantID          string   `json:"tid"`
	UniqueName        string   `json:"unique_name,omitempty"` // v1, users
	UPN               string   `json:"upn,omitempty"`         // v1, users
	TokenID           string   `json:"uti"`
	Version           Version  `json:"ver"`
}

// How a user signed in, in an amr claim (RFC 8176).
const (
	MethodPassword = "pwd"
	MethodMFA      = "mfa"
)

// Proof is how a client authenticated: the value of an appidacr or azpacr claim.
type Proof string

// The proofs, weakest first.
const (
	ProofNone        Proof = "0" // a public client
	ProofSecret      Proof = "1"
	ProofCertificate Proof = "2"
)

// IssuerOf returns the iss claim of a tenant's tokens.
func IssuerOf(base, tenantID string, v Version) string {
	if v == V2 {
		return base + "/" + tenantID + "/v2.0"
	}
	return base + "/" + tenantID + "/"
}

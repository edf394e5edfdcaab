package store

import "github.com/partnercenter-go/partnercenter"

// Seed is what a database is filled with: partners and all that is theirs.
// The tags are the names of the fields in a seed file; docs/seed-format.md
// describes it. A tag seed:"not x" is of a field x that says the opposite there,
// because it is true when absent.
type Seed struct {
	Partners []SeedPartner `json:"partners"`
}

// SeedPartner is a Cloud Solution Provider partner: a tenant with its app
// registrations, its users, its indirect resellers, its customers and their
// orders.
type SeedPartner struct {
	Partner           `json:",embed"`
	Apps              []App              `json:"apps"`
	Users             []User             `json:"users"`
	IndirectResellers []IndirectReseller `json:"indirectResellers"`
	Customers         []SeedCustomer     `json:"customers"`
}

// SeedCustomer is a customer with its orders. The customer's
// AssociatedPartnerID names its indirect reseller, if it has one.
type SeedCustomer struct {
	Customer partnercenter.Customer `json:",embed"`
	Orders   []partnercenter.Order  `json:"orders"`
	// AgreementAccepted says whether the customer agreement is confirmed, which
	// some items ask for. Nil leaves it as it is; for a new customer it is.
	AgreementAccepted *bool `json:"agreementAccepted"`
	// Placeholder says that only the customer's orders named it: what the
	// database knows of the customer already is better than this.
	Placeholder bool `json:"-"`
}

// Partner is a partner's tenant.
type Partner struct {
	TenantID string `json:"tenantId"` // GUID
	Name     string `json:"name"`
	Domain   string `json:"domain"`  // contoso.onmicrosoft.com; names the tenant in token requests too
	MPNID    string `json:"mpnId"`   // digits
	Country  string `json:"country"` // ISO 3166 alpha-2
}

// App is an app registration in a partner's tenant.
type App struct {
	ClientID string `json:"clientId"` // GUID
	ObjectID string `json:"objectId"` // GUID of its service principal
	Name     string `json:"name"`
	// Secret is kept as it is: the server shows it to its owner, and the
	// database holds the signing keys beside it anyway. It never expires.
	Secret string `json:"secret"`
	// Secrets are good besides Secret, so that one can follow another.
	Secrets []AppSecret `json:"secrets"`
	// Certificates are what the app may sign client assertions with.
	Certificates []AppCertificate `json:"certificates"`
	// RedirectURIs are where sign-ins may end: https, http to this machine by
	// the name localhost or 127.0.0.1, or a scheme of the app's own. At most
	// 256, of at most 256 bytes.
	RedirectURIs []string `json:"redirectUris"`
	// Public says that the app may sign users in without a credential of its
	// own, as native apps do and the device code grant.
	Public bool `json:"public"`
	// MultiTenant says that users of other partners may sign in to the app.
	MultiTenant bool `json:"multiTenant"`
	// AdminConsent says that an administrator consented to what the app asks
	// for, for everybody of its own tenant. Other consents are [Consent].
	AdminConsent bool `json:"adminConsent"`
	// Disabled says that neither the app nor anybody through it may sign in.
	Disabled bool `json:"disabled"`
}

// AppSecret is a secret that an app signs in with.
type AppSecret struct {
	Value   string             `json:"value"`
	Expires partnercenter.Time `json:"expires,omitzero"` // absent: never
}

// AppCertificate is a certificate that an app signs in with.
type AppCertificate struct {
	PEM     string `json:"pem"` // one CERTIFICATE block, with an RSA key of 2048 bits at least
	Revoked bool   `json:"revoked"`
}

// User is somebody who signs in to a partner's tenant.
type User struct {
	UserPrincipalName string                   `json:"userPrincipalName"` // name@domain; compared without regard to case
	ObjectID          string                   `json:"objectId"`          // GUID
	Name              string                   `json:"name"`
	Roles             []partnercenter.UserRole `json:"roles"`
	// Password is kept as it is, for the reasons that [App] keeps its secret.
	Password string `json:"password"`
	// WithoutMFA says that the user has no second factor. A seed file says it
	// the other way round, with mfa: false.
	WithoutMFA bool `json:"-" seed:"not mfa"`
	// Disabled says that the user may not sign in.
	Disabled bool `json:"disabled"`
}

// IndirectReseller is a reseller that buys for customers through the partner.
type IndirectReseller struct {
	TenantID string `json:"tenantId"` // GUID
	Name     string `json:"name"`
	MPNID    string `json:"mpnId"`    // digits
	Location string `json:"location"` // ISO 3166 alpha-2
}

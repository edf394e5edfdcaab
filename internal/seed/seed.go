// Package seed has the data that databases are filled with: its types and their checks,
// seed files, the sample data and saved answers of the API. The store imports it, never
// the reverse.
package seed

// Seed is the data that a database is filled with: partners and all that belongs to them.
// The tags are the names of the fields in a seed file, described in
// docs/seed-format.md. A tag seed:"not x" is for a field x with the opposite meaning in
// the file, because it is true when absent.
type Seed struct {
	Partners []Partner `json:"partners"`
	// Warnings are about what a seed file has and the API does not document, such as a
	// misspelt field: a line each.
	Warnings []string `json:"-"`
}

// Partner is a Cloud Solution Provider partner: a tenant with its app registrations,
// users, indirect resellers, customers and their orders.
type Partner struct {
	Tenant            `json:",embed"`
	Apps              []App              `json:"apps"`
	Users             []User             `json:"users"`
	IndirectResellers []IndirectReseller `json:"indirectResellers"`
	Customers         []Customer         `json:"customers"`
	Consents          []Consent          `json:"consents"`
}

// Tenant is a partner's directory.
type Tenant struct {
	TenantID string `json:"tenantId"` // GUID
	Name     string `json:"name"`
	Domain   string `json:"domain"`  // contoso.onmicrosoft.com; also names the tenant in token requests
	MPNID    string `json:"mpnId"`   // digits
	Country  string `json:"country"` // ISO 3166 alpha-2
}

// IndirectReseller is a reseller that buys for customers through the partner.
type IndirectReseller struct {
	TenantID string `json:"tenantId"` // GUID
	Name     string `json:"name"`
	MPNID    string `json:"mpnId"`    // digits
	Location string `json:"location"` // ISO 3166 alpha-2
}

// FieldError says that an app or a user cannot be stored because of a field.
type FieldError struct {
	Field   string // as in a seed file: redirectUris[2]
	Message string // what is wrong and what to do
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

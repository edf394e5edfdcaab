package partnercenter

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Customer is a customer of the partner. A list carries the id, the brief
// company profile and the relationship; [CustomerClient.Get] answers the rest.
//
// https://learn.microsoft.com/partner-center/developer/customer-resources
type Customer struct {
	ID                    string                  `json:"id,omitzero"` // tenant id
	CommerceID            string                  `json:"commerceId,omitzero"`
	CompanyProfile        *CustomerCompanyProfile `json:"companyProfile,omitzero"`
	BillingProfile        *CustomerBillingProfile `json:"billingProfile,omitzero"`
	RelationshipToPartner RelationshipToPartner   `json:"relationshipToPartner,omitzero"`
	AllowDelegatedAccess  *bool                   `json:"allowDelegatedAccess,omitzero"`
	// UserCredentials are only in the answer to the creation of a customer.
	UserCredentials *UserCredentials `json:"userCredentials,omitzero"`
	CustomDomains   []string         `json:"customDomains,omitzero"`
	// AssociatedPartnerID is the tenant id of the customer's indirect reseller.
	AssociatedPartnerID string              `json:"associatedPartnerId,omitzero"`
	Links               *ResourceLinks      `json:"links,omitzero"`
	Attributes          *ResourceAttributes `json:"attributes,omitzero"`
	Extra               jsontext.Value      `json:",embed"`
}

// UserCredentials are the first administrator's, made with a new customer.
type UserCredentials struct {
	UserName string         `json:"userName,omitzero"`
	Password string         `json:"password,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// CustomerCompanyProfile is what the directory knows of a customer.
type CustomerCompanyProfile struct {
	TenantID                       string              `json:"tenantId,omitzero"`
	Domain                         string              `json:"domain,omitzero"`
	CompanyName                    string              `json:"companyName,omitzero"`
	Address                        *Address            `json:"address,omitzero"`
	Email                          string              `json:"email,omitzero"`
	OrganizationRegistrationNumber string              `json:"organizationRegistrationNumber,omitzero"`
	Links                          *ResourceLinks      `json:"links,omitzero"`
	Attributes                     *ResourceAttributes `json:"attributes,omitzero"`
	Extra                          jsontext.Value      `json:",embed"`
}

// CustomerBillingProfile is where and how a customer is billed. Its etag is a
// signed 64-bit number as text.
type CustomerBillingProfile struct {
	ID             string              `json:"id,omitzero"`
	FirstName      string              `json:"firstName,omitzero"`
	LastName       string              `json:"lastName,omitzero"`
	Email          string              `json:"email,omitzero"`
	Culture        string              `json:"culture,omitzero"`  // en-US
	Language       string              `json:"language,omitzero"` // two letters
	CompanyName    string              `json:"companyName,omitzero"`
	DefaultAddress *Address            `json:"defaultAddress,omitzero"`
	Links          *ResourceLinks      `json:"links,omitzero"`
	Attributes     *ResourceAttributes `json:"attributes,omitzero"`
	Extra          jsontext.Value      `json:",embed"`
}

// Address is a postal address with a contact.
type Address struct {
	Country      string `json:"country,omitzero"` // ISO 3166 alpha-2
	Region       string `json:"region,omitzero"`
	City         string `json:"city,omitzero"`
	State        string `json:"state,omitzero"`
	AddressLine1 string `json:"addressLine1,omitzero"`
	AddressLine2 string `json:"addressLine2,omitzero"`
	PostalCode   string `json:"postalCode,omitzero"`
	FirstName    string `json:"firstName,omitzero"`
	MiddleName   string `json:"middleName,omitzero"`
	LastName     string `json:"lastName,omitzero"`
	// PhoneNumber is answered as the empty text by some calls, which is not
	// absence.
	PhoneNumber *string        `json:"phoneNumber,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// CustomerRelationshipRequest holds the address of the page on which a
// customer accepts the partner as reseller.
type CustomerRelationshipRequest struct {
	URL        string              `json:"url,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// PartnerRelationship is the partner's relationship to another partner, such
// as an indirect reseller.
type PartnerRelationship struct {
	ID               string              `json:"id,omitzero"` // tenant id of the other partner
	Name             string              `json:"name,omitzero"`
	RelationshipType string              `json:"relationshipType,omitzero"` // is_indirect_cloud_solution_provider_of, …
	State            string              `json:"state,omitzero"`
	MPNID            string              `json:"mpnId,omitzero"`    // digits
	Location         string              `json:"location,omitzero"` // country
	Attributes       *ResourceAttributes `json:"attributes,omitzero"`
	Extra            jsontext.Value      `json:",embed"`
}

type plainCustomer Customer // Customer without its methods

// MarshalJSON implements [encoding/json.Marshaler].
func (c Customer) MarshalJSON() ([]byte, error) { return Marshal(plainCustomer(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *Customer) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainCustomer)(c)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c Customer) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainCustomer(c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Customer) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainCustomer)(c), decodeOptions)
}

package partnercenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// Customer is a customer of the partner. A list has only the id, the
// relationship and a short company profile; [CustomerClient.Get] returns
// everything.
//
// https://learn.microsoft.com/partner-center/developer/customer-resources
type Customer struct {
	ID                    string                  `json:"id,omitzero"` // tenant id
	CommerceID            string                  `json:"commerceId,omitzero"`
	CompanyProfile        *CustomerCompanyProfile `json:"companyProfile,omitzero"`
	BillingProfile        *CustomerBillingProfile `json:"billingProfile,omitzero"`
	RelationshipToPartner RelationshipToPartner   `json:"relationshipToPartner,omitzero"`
	AllowDelegatedAccess  *bool                   `json:"allowDelegatedAccess,omitzero"`
	// UserCredentials is only set in the answer to the creation of a customer.
	UserCredentials *UserCredentials `json:"userCredentials,omitzero"`
	CustomDomains   []string         `json:"customDomains,omitzero"`
	// AssociatedPartnerID is the tenant id of the customer's indirect reseller.
	AssociatedPartnerID string              `json:"associatedPartnerId,omitzero"`
	Links               *ResourceLinks      `json:"links,omitzero"`
	Attributes          *ResourceAttributes `json:"attributes,omitzero"`
	Extra               jsontext.Value      `json:",embed"`
}

// UserCredentials are those of a new customer's first administrator.
type UserCredentials struct {
	UserName string         `json:"userName,omitzero"`
	Password string         `json:"password,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// CustomerCompanyProfile is a customer's entry in the directory.
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

// CustomerBillingProfile says where and how a customer is billed. Its etag is a
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
	// PhoneNumber is an empty string, rather than absent, in some answers.
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
	ID               string                  `json:"id,omitzero"` // tenant id of the other partner
	Name             string                  `json:"name,omitzero"`
	RelationshipType PartnerRelationshipType `json:"relationshipType,omitzero"`
	State            string                  `json:"state,omitzero"`
	MPNID            string                  `json:"mpnId,omitzero"`    // digits
	Location         string                  `json:"location,omitzero"` // country
	Attributes       *ResourceAttributes     `json:"attributes,omitzero"`
	Extra            jsontext.Value          `json:",embed"`
}

type plainCustomer Customer // Customer without its methods

// MarshalJSON implements [encoding/json.Marshaler].
func (c Customer) MarshalJSON() ([]byte, error) { return Marshal(plainCustomer(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *Customer) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainCustomer)(c)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c Customer) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainCustomer(c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Customer) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainCustomer)(c))
}

// CustomersClient accesses the partner's customers. Get it from
// Client.Customers.
type CustomersClient struct{ resource }

// CustomersQuery selects customers. The zero value selects all, in one answer.
type CustomersQuery struct {
	// Size is the maximum number of customers in an answer. Zero means no limit
	// in [CustomersClient.Query], and DefaultPageSize in
	// [CustomersClient.QueryAll].
	Size int
	// Filter, if not nil, selects customers.
	Filter *FieldFilter
	// Offset is the number of customers to skip, for paging by size and offset.
	Offset int
	// ByOffset makes [CustomersClient.QueryAll] page by size and offset rather
	// than by continuation token. It can miss or repeat customers that are
	// added or removed in the meantime; tokens do not. Query returns one page and
	// refuses it.
	ByOffset bool
	// Seek and ContinuationToken continue an earlier query. The token includes
	// its size and filter; leave Size, Filter and Offset zero.
	Seek              SeekOperation
	ContinuationToken string
}

// FieldFilter compares a field of a resource with a value, ignoring case.
type FieldFilter struct {
	Field    CustomerSearchField `json:"Field"`
	Value    string              `json:"Value"`
	Operator FilterOperator      `json:"Operator"`
}

// ByID selects a customer by its tenant id.
func (c *CustomersClient) ByID(id string) *CustomerClient {
	customer := c.id("customer id", id)
	profiles := customer.name("profiles")
	return &CustomerClient{
		Orders:        &OrdersClient{customer.name("orders")},
		Carts:         &CartsClient{customer.name("carts")},
		Subscriptions: &SubscriptionsClient{customer.name("subscriptions")},
		Profiles: &ProfilesClient{
			Company: &CompanyProfileClient{profiles.name("company")},
			Billing: &BillingProfileClient{profiles.name("billing")},
		},
		Offers:                 &CustomerOffersClient{offers{customer.name("offers")}},
		OfferCategories:        &OfferCategoriesClient{customer.name("offercategories")},
		Products:               &ProductsClient{customer.name("products")},
		ApplicationConsents:    &ApplicationConsentsClient{customer.name("applicationconsents")},
		PromotionEligibilities: &PromotionEligibilitiesClient{customer.name("promotioneligibilities")},
		Entitlements:           &EntitlementsClient{customer.name("entitlements")},
		TransferEligibility:    &TransferEligibilityClient{customer.name("transferseligibility")},
		resource:               customer,
	}
}

// Get returns all customers in one answer. Prefer [CustomersClient.All], which
// pages, if there are many.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-customers
func (c *CustomersClient) Get(ctx context.Context) (*Collection[*Customer], error) {
	return c.Query(ctx, CustomersQuery{})
}

// All yields all customers, page by page. It ends with a [*ShortAnswerError] if
// an answer has fewer items than its totalCount, unless
// ClientOptions.AllowShortAnswers is set. It stops after an error.
func (c *CustomersClient) All(ctx context.Context) iter.Seq2[*Customer, error] {
	return c.QueryAll(ctx, CustomersQuery{})
}

// Query returns one page of the customers that q selects. Its
// ContinuationToken, if any, gets the next page with SeekOperationNext.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-customers-filtered-by-a-search-field
func (c *CustomersClient) Query(ctx context.Context, q CustomersQuery) (*Collection[*Customer], error) {
	if q.ByOffset {
		return nil, errors.New("partnercenter: ByOffset is for QueryAll: to get one page by offset, set Size and Offset")
	}
	return c.page(ctx, q)
}

func (c *CustomersClient) page(ctx context.Context, q CustomersQuery) (*Collection[*Customer], error) {
	selected, header, err := q.of(c.resource)
	if err != nil {
		return nil, err
	}
	return exchange[Collection[*Customer]](ctx, selected, request{method: http.MethodGet, header: header})
}

// QueryAll yields all customers that q selects, page by page, with the checks
// of [CustomersClient.All].
func (c *CustomersClient) QueryAll(ctx context.Context, q CustomersQuery) iter.Seq2[*Customer, error] {
	if q.ContinuationToken == "" {
		q.Size = min(cmp.Or(q.Size, DefaultPageSize), DefaultPageSize) // no page is larger
	}
	return paged(c.resource, func() fetch[Customer] { return c.fetchAll(ctx, q) })
}

// fetchAll pages through the customers that q selects, by token or by offset.
func (c *CustomersClient) fetchAll(ctx context.Context, q CustomersQuery) fetch[Customer] {
	done, byToken := false, !q.ByOffset
	first := "" // customer of the page before
	pages := walk.From("", q.ContinuationToken)
	return func() (*Collection[*Customer], error) {
		if done {
			return nil, nil
		}
		page, err := c.page(ctx, q)
		if err != nil {
			return nil, err
		}
		token := page.ContinuationToken
		if token == "" && page.Links != nil {
			token = continuation(page.Links.Next)
		}
		switch {
		case q.ByOffset:
			// The service may answer smaller pages than it is asked for, so that only an
			// empty one is the last. One with more items comes from a service that
			// ignores the size and answers everything.
			done = len(page.Items) == 0 || len(page.Items) > q.Size
			switch repeated := !done && page.Items[0].ID == first; {
			case repeated && byToken: // so its page without a token was the last
				return nil, nil
			case repeated:
				return nil, fmt.Errorf("partnercenter: the page from customer %d on begins with the same customer %s as the one before: the service ignores offsets, and the list would never end; page by continuation token", q.Offset, quote.Text(first))
			}
		case token != "":
			if err := pages.Next(len(page.Items), "", token); err != nil {
				return nil, &EndlessListError{c.path, err}
			}
			q = CustomersQuery{Seek: SeekOperationNext, ContinuationToken: token}
		default:
			// A first page that is full, and without a token, may come from a service that
			// has none.
			done = q.ContinuationToken != "" || len(page.Items) != q.Size
			q.ByOffset, q.Seek = true, ""
		}
		if !done && q.ByOffset {
			q.Offset, first = q.Offset+len(page.Items), page.Items[0].ID
		}
		return page, nil
	}
}

// of returns the address of the customers that q selects, and the header to request
// them with.
func (q CustomersQuery) of(customers resource) (resource, http.Header, error) {
	if q.Size < 0 || q.Offset < 0 {
		return customers, nil, fmt.Errorf("partnercenter: size %d, offset %d: neither may be negative; zero means no limit and no offset", q.Size, q.Offset)
	}
	if q.ByOffset && (q.Seek != "" || q.ContinuationToken != "") {
		return customers, nil, errors.New("partnercenter: ByOffset pages without Seek and ContinuationToken: leave them empty, or leave ByOffset out")
	}
	header := http.Header{}
	if q.ContinuationToken != "" {
		header.Set(headerContinuationToken, q.ContinuationToken)
	}
	selected := customers.with("size", number(q.Size)).with("offset", number(q.Offset)).with("seekOperation", string(q.Seek))
	if q.Filter == nil {
		return selected, header, nil
	}
	filter, err := json.Marshal(q.Filter, encodeOptions)
	if err != nil {
		return customers, nil, fmt.Errorf("partnercenter: the filter cannot be written as JSON: %w", err)
	}
	// Microsoft's clients send the size with every filter, zero for none.
	return selected.with("filter", string(filter)).with("size", strconv.Itoa(q.Size)), header, nil
}

// CustomerClient accesses a customer. Get it from [CustomersClient.ByID].
type CustomerClient struct {
	// Orders are the customer's orders.
	Orders *OrdersClient
	// Carts are what the customer is about to buy.
	Carts *CartsClient
	// Subscriptions are the customer's subscriptions.
	Subscriptions *SubscriptionsClient
	// Profiles say who the customer is and how it is billed.
	Profiles *ProfilesClient
	// Offers, OfferCategories and Products are those that the customer can buy.
	Offers          *CustomerOffersClient
	OfferCategories *OfferCategoriesClient
	Products        *ProductsClient
	// ApplicationConsents are the customer's consents to applications, such as a
	// control panel vendor's.
	ApplicationConsents *ApplicationConsentsClient
	// PromotionEligibilities says which promotions apply to what the customer buys.
	PromotionEligibilities *PromotionEligibilitiesClient
	// Entitlements are the software and reservations that the customer owns.
	Entitlements *EntitlementsClient
	// TransferEligibility is which subscriptions can be transferred to another partner.
	TransferEligibility *TransferEligibilityClient

	resource
}

// Get returns the customer with its billing profile.
//
// The error is an [*Error] with status 400 and code 900118 for an id that is
// not a GUID, and 403 and code 20002 if the partner has no such customer,
// whether it exists or not.
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-by-id
func (c *CustomerClient) Get(ctx context.Context) (*Customer, error) {
	return read[Customer](ctx, c.resource)
}

// ProfilesClient accesses the profiles of a customer. Get one from
// CustomerClient.Profiles.
type ProfilesClient struct {
	Company *CompanyProfileClient // the customer's entry in the directory
	Billing *BillingProfileClient // where and how it is billed
}

// CompanyProfileClient accesses a customer's company profile. Get one from
// ProfilesClient.Company.
type CompanyProfileClient struct{ resource }

// Get returns the company profile. It requires a token with a user.
//
// The error is as for [CustomerClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-s-company-profile
func (c *CompanyProfileClient) Get(ctx context.Context) (*CustomerCompanyProfile, error) {
	return read[CustomerCompanyProfile](ctx, c.resource)
}

// BillingProfileClient accesses a customer's billing profile. Get one from
// ProfilesClient.Billing.
type BillingProfileClient struct{ resource }

// Get returns the billing profile.
//
// The error is as for [CustomerClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-s-billing-profile
func (c *BillingProfileClient) Get(ctx context.Context) (*CustomerBillingProfile, error) {
	return read[CustomerBillingProfile](ctx, c.resource)
}

// ApplicationConsent allows an application, usually a control panel vendor's,
// to act in a customer's tenant on behalf of the partner's users.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
type ApplicationConsent struct {
	ApplicationID     string             `json:"applicationId,omitzero"` // of the app that is consented to
	DisplayName       string             `json:"displayName,omitzero"`
	ApplicationGrants []ApplicationGrant `json:"applicationGrants,omitzero"` // at least one
	Extra             jsontext.Value     `json:",embed"`
}

// ApplicationGrant is an API that an application may use in a customer's tenant.
type ApplicationGrant struct {
	EnterpriseApplicationID string         `json:"enterpriseApplicationId,omitzero"` // application id of the API
	Scope                   string         `json:"scope,omitzero"`                   // permissions, separated by commas
	Extra                   jsontext.Value `json:",embed"`
}

// ApplicationConsentsClient accesses the consents of a customer to
// applications. Get one from CustomerClient.ApplicationConsents.
type ApplicationConsentsClient struct{ resource }

// Create consents, on behalf of the customer, to an application's use of some
// APIs. It requires a token with a user who is an admin agent.
//
// The error is an [*Error] with status 409 and the description "Permission entry
// already exists." if the application has a consent to one of the APIs: it has what
// was asked for, or Delete withdraws the earlier consent.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
func (c *ApplicationConsentsClient) Create(ctx context.Context, consent *ApplicationConsent) (*ApplicationConsent, error) {
	return exchange[ApplicationConsent](ctx, c.resource, request{method: http.MethodPost, in: consent})
}

// ByID selects the consent to an application by its client id.
func (c *ApplicationConsentsClient) ByID(applicationID string) *ApplicationConsentClient {
	return &ApplicationConsentClient{c.id("application id", applicationID)}
}

// ApplicationConsentClient accesses the consent of a customer to an
// application. Get one from [ApplicationConsentsClient.ByID].
type ApplicationConsentClient struct{ resource }

// Delete revokes the consent. It requires a token with a user who is an admin
// agent.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
func (c *ApplicationConsentClient) Delete(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, status: http.StatusNoContent}, nil)
	return err
}

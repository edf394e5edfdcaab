package partnercenter

import "context"

// ProfilesClient reaches the profiles of one customer. Get it from
// [CustomerClient.Profiles].
type ProfilesClient struct {
	Company *CompanyProfileClient // what the directory knows of the customer
	Billing *BillingProfileClient // where and how it is billed
}

func newProfilesClient(c *Client, customerID string) *ProfilesClient {
	p := customerPath(customerID).name("profiles")
	return &ProfilesClient{
		Company: &CompanyProfileClient{c, p.name("company")},
		Billing: &BillingProfileClient{c, p.name("billing")},
	}
}

// CompanyProfileClient reaches a customer's company profile. Get it from
// [ProfilesClient].
type CompanyProfileClient struct {
	client *Client
	path   path
}

// Get returns the company profile. It needs a user in the token.
//
// The error is as for [CustomerClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-s-company-profile
func (c *CompanyProfileClient) Get(ctx context.Context) (*CustomerCompanyProfile, error) {
	return read[CustomerCompanyProfile](ctx, c.client, c.path, nil)
}

// BillingProfileClient reaches a customer's billing profile. Get it from
// [ProfilesClient].
type BillingProfileClient struct {
	client *Client
	path   path
}

// Get returns the billing profile.
//
// The error is as for [CustomerClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-customer-s-billing-profile
func (c *BillingProfileClient) Get(ctx context.Context) (*CustomerBillingProfile, error) {
	return read[CustomerBillingProfile](ctx, c.client, c.path, nil)
}

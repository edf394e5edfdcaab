package partnercenter

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// ApplicationConsent says that an application, usually a control panel vendor's,
// may act in a customer's tenant on behalf of the partner's users.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
type ApplicationConsent struct {
	ApplicationID     string              `json:"applicationId,omitempty"` // of the app that gets the consent
	DisplayName       string              `json:"displayName,omitempty"`
	ApplicationGrants []*ApplicationGrant `json:"applicationGrants,omitempty"` // at least one
	Extra             jsontext.Value      `json:",embed"`
}

// ApplicationGrant is an API that an application may use in a customer's tenant.
type ApplicationGrant struct {
	EnterpriseApplicationID string         `json:"enterpriseApplicationId,omitempty"` // application id of the API
	Scope                   string         `json:"scope,omitempty"`                   // permissions, with commas between
	Extra                   jsontext.Value `json:",embed"`
}

// ApplicationConsentsClient reaches the consents of one customer to
// applications. Get it from [CustomerClient.ApplicationConsents].
type ApplicationConsentsClient struct {
	client     *Client
	customerID string
}

func (c *ApplicationConsentsClient) path() path {
	return customerPath(c.customerID).name("applicationconsents")
}

// Create consents for the customer that an application uses some APIs, in place
// of an earlier consent to it. It needs a user in the token, an admin agent.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
func (c *ApplicationConsentsClient) Create(ctx context.Context, consent *ApplicationConsent) (*ApplicationConsent, error) {
	return write[ApplicationConsent](ctx, c.client, http.MethodPost, c.path(), nil, consent)
}

// ByID reaches the consent to one application by its client id.
func (c *ApplicationConsentsClient) ByID(applicationID string) *ApplicationConsentClient {
	return &ApplicationConsentClient{client: c.client, path: c.path().id("application id", applicationID)}
}

// ApplicationConsentClient reaches the consent of a customer to one application.
// Get it from [ApplicationConsentsClient.ByID].
type ApplicationConsentClient struct {
	client *Client
	path   path
}

// Delete takes the consent back. It needs a user in the token, an admin agent.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
func (c *ApplicationConsentClient) Delete(ctx context.Context) error {
	if c.path.err != nil {
		return c.path.err
	}
	return c.client.send(ctx, http.MethodDelete, c.client.url(c.path.text, nil), nil, nil, nil)
}

package partnercenter

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// SubscriptionsClient reaches the subscriptions of one customer. Get it from
// [CustomerClient.Subscriptions].
type SubscriptionsClient struct {
	client     *Client
	customerID string
	query      url.Values // what narrows them; nil: all
}

// ByOrder narrows the subscriptions to those that an order made. The empty id
// means all.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-subscriptions-by-order
func (c *SubscriptionsClient) ByOrder(orderID string) *SubscriptionsClient {
	return c.narrowed("order_id", orderID)
}

// ByPartner narrows the subscriptions to those of an indirect reseller, by its
// MPN id. The empty id means all.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-subscriptions-by-partner
func (c *SubscriptionsClient) ByPartner(mpnID string) *SubscriptionsClient {
	return c.narrowed("mpn_id", mpnID)
}

// narrowed returns the subscriptions by one thing: the service takes no two.
func (c *SubscriptionsClient) narrowed(name, value string) *SubscriptionsClient {
	narrowed := &SubscriptionsClient{client: c.client, customerID: c.customerID}
	if value != "" {
		narrowed.query = url.Values{name: {value}}
	}
	return narrowed
}

// Get returns the customer's subscriptions.
//
// The error is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-subscriptions
func (c *SubscriptionsClient) Get(ctx context.Context) (*Collection[*Subscription], error) {
	return read[Collection[*Subscription]](ctx, c.client, c.path(), c.query)
}

// All yields the subscriptions that Get returns, with the checks of
// [OrdersClient.All].
func (c *SubscriptionsClient) All(ctx context.Context) iter.Seq2[*Subscription, error] {
	return readAll[Subscription](ctx, c.client, c.path(), c.query)
}

func (c *SubscriptionsClient) path() path { return customerPath(c.customerID).name("subscriptions") }

// ByID reaches one subscription.
func (c *SubscriptionsClient) ByID(id string) *SubscriptionClient {
	p := c.path().id("subscription id", id)
	return &SubscriptionClient{
		AddOns:             &AddOnsClient{c.client, p.name("addons")},
		ProvisioningStatus: &SubscriptionProvisioningStatusClient{c.client, p.name("provisioningstatus")},
		Registrations:      &RegistrationsClient{c.client, p.name("registrations")},
		RegistrationStatus: &RegistrationStatusClient{c.client, p.name("registrationstatus")},
		ActivationLinks:    &ActivationLinksClient{c.client, p.name("activationlinks")},
		client:             c.client,
		path:               p,
	}
}

// SubscriptionClient reaches one subscription of a customer. Get it from
// [SubscriptionsClient.ByID].
type SubscriptionClient struct {
	// AddOns are the subscriptions bought under this one.
	AddOns *AddOnsClient
	// ProvisioningStatus tells how far the service has come with it.
	ProvisioningStatus *SubscriptionProvisioningStatusClient
	// Registrations register an Azure subscription for reservations.
	Registrations *RegistrationsClient
	// RegistrationStatus tells how far that is.
	RegistrationStatus *RegistrationStatusClient
	// ActivationLinks lead to the page that activates a marketplace purchase.
	ActivationLinks *ActivationLinksClient

	client *Client
	path   path
}

// Get returns the subscription.
//
// The error is an [*Error] with status 404 and code 20003 for an unknown
// subscription; customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-subscription-by-id
func (c *SubscriptionClient) Get(ctx context.Context) (*Subscription, error) {
	return read[Subscription](ctx, c.client, c.path, nil)
}

// Patch changes the subscription and returns it as it then is. Get it, change
// its Quantity, Status, FriendlyName or AutoRenewEnabled, and send the whole
// back: status suspended suspends, active reactivates, deleted cancels a
// marketplace subscription. The service may take a change to do it later (202);
// what is returned then is the subscription as it is meanwhile.
//
// The subscription's etag goes along as it is; with a stale one the error is an
// [*Error] with status 400 and code 2055. Read it again, and decide again.
// Other codes are, with 400: 2002 for a quantity out of range, 2001 and 800091
// for a suspended subscription, 2011 for a deleted one, 800090 for a quantity
// that cannot go down, 800093 for one that does not renew, 2054 for a billing
// cycle, which [OrderClient.Patch] changes; 409 and 27009 for an add-on whose
// base is not active; and those of [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/change-the-quantity-of-a-subscription
// https://learn.microsoft.com/partner-center/developer/suspend-a-subscription
// https://learn.microsoft.com/partner-center/developer/reactivate-a-suspended-a-subscription
// https://learn.microsoft.com/partner-center/developer/update-the-nickname-for-a-subscription
// https://learn.microsoft.com/partner-center/developer/update-autorenew-for-an-azure-marketplace-subscription
// https://learn.microsoft.com/partner-center/developer/cancel-an-azure-marketplace-subscription
func (c *SubscriptionClient) Patch(ctx context.Context, subscription *Subscription, opts ...PatchOption) (*Subscription, error) {
	changed, err := write[Subscription](ctx, c.client, http.MethodPatch, c.path, patchHeader(opts), subscription)
	if err == nil && changed.ID == "" {
		return c.Get(withoutRequestID(ctx))
	}
	return changed, err
}

// Activate activates a subscription to a marketplace product in a sandbox,
// where there is no publisher's page to do so.
//
// The error is an [*Error] with status 400 and code 900127 outside a sandbox,
// 800041 for a subscription that is active, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/activate-sandbox-subscription-azure-marketplace-products
func (c *SubscriptionClient) Activate(ctx context.Context) (*SubscriptionActivationResult, error) {
	return write[SubscriptionActivationResult](ctx, c.client, http.MethodPost, c.path.name("activate"), nil, nil)
}

// AddOnsClient reaches the add-ons of a subscription. Get it from
// [SubscriptionClient.AddOns].
type AddOnsClient struct {
	client *Client
	path   path
}

// Get returns the add-ons, which are subscriptions of their own.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-add-ons-for-a-subscription
func (c *AddOnsClient) Get(ctx context.Context) (*Collection[*Subscription], error) {
	return read[Collection[*Subscription]](ctx, c.client, c.path, nil)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *AddOnsClient) All(ctx context.Context) iter.Seq2[*Subscription, error] {
	return readAll[Subscription](ctx, c.client, c.path, nil)
}

// SubscriptionProvisioningStatusClient reaches the provisioning status of a
// subscription. Get it from [SubscriptionClient.ProvisioningStatus].
type SubscriptionProvisioningStatusClient struct {
	client *Client
	path   path
}

// Get returns how far the service has come with the subscription. It is
// pending while licences change. It needs a user in the token.
//
// The error is an [*Error] with status 404 and code 800007 for a subscription
// that is not provisioned, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-provisioning-status
func (c *SubscriptionProvisioningStatusClient) Get(ctx context.Context) (*SubscriptionProvisioningStatus, error) {
	return read[SubscriptionProvisioningStatus](ctx, c.client, c.path, nil)
}

// RegistrationsClient registers a subscription. Get it from
// [SubscriptionClient.Registrations].
type RegistrationsClient struct {
	client *Client
	path   path
}

// Create registers an Azure subscription, so that reservations can be bought
// for it. The service does so later; the link that is returned leads to a
// [*SubscriptionRegistrationStatus], for [CustomerClient.Follow] or
// [SubscriptionClient.RegistrationStatus].
//
// The error is an [*Error] with status 400 and code 800011 for what is no Azure
// subscription, 800012 for one that is not active, and as for
// [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/register-a-subscription
func (c *RegistrationsClient) Create(ctx context.Context) (*Link, error) {
	if c.path.err != nil {
		return nil, c.path.err
	}
	header, err := c.client.sendBody(ctx, http.MethodPost, c.client.url(c.path.text, nil), nil, "", nil, nil, nil)
	if err != nil {
		return nil, err
	}
	return &Link{URI: header.Get("Location"), Method: http.MethodGet}, nil
}

// RegistrationStatusClient reaches the registration status of a subscription.
// Get it from [SubscriptionClient.RegistrationStatus].
type RegistrationStatusClient struct {
	client *Client
	path   path
}

// Get returns whether the subscription is registered, or on its way.
//
// The error is as for [RegistrationsClient.Create].
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-registration-status
func (c *RegistrationStatusClient) Get(ctx context.Context) (*SubscriptionRegistrationStatus, error) {
	return read[SubscriptionRegistrationStatus](ctx, c.client, c.path, nil)
}

package partnercenter

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// OrdersClient reaches the orders of one customer. Get it from
// [CustomerClient.Orders].
type OrdersClient struct {
	client       *Client
	customerID   string
	billingCycle BillingCycleType // empty: all
}

// OrdersOption narrows or widens what a call on orders answers.
type OrdersOption func(url.Values)

// IncludePrice asks for prices: Order.TotalPrice and OrderLineItem.Pricing.
// Without the right to see them the service answers 403, code 800043.
func IncludePrice() OrdersOption {
	return func(q url.Values) { q.Set("include_price", "true") }
}

// IncludeSystemPurchases asks a list for the orders that the service placed
// itself (SystemPurchase, SystemBilling), which it leaves out by default.
func IncludeSystemPurchases() OrdersOption {
	return func(q url.Values) { q.Set("include_system_purchases", "true") }
}

// ForIndirectReseller asks a list for the orders placed for one indirect
// reseller only, by its tenant id.
func ForIndirectReseller(id string) OrdersOption {
	return func(q url.Values) { q.Set("indirect_reseller_id", id) }
}

// ByBillingCycle narrows the orders to those of one billing cycle. The empty
// cycle means all.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-orders-by-customer-and-billing-cycle-type
func (c *OrdersClient) ByBillingCycle(cycle BillingCycleType) *OrdersClient {
	narrowed := *c
	narrowed.billingCycle = cycle
	return &narrowed
}

// ByID reaches one order. Ids of newer orders are case-sensitive.
func (c *OrdersClient) ByID(id string) *OrderClient {
	p := customerPath(c.customerID).name("orders").id("order id", id)
	return &OrderClient{
		ProvisioningStatus: &OrderProvisioningStatusClient{c.client, p.name("provisioningstatus")},
		ActivationLinks:    &ActivationLinksClient{c.client, p.name("activationlinks")},
		LineItems:          &OrderLineItemsClient{c.client, p},
		Attachments:        &AttachmentsClient{c.client, p},
		client:             c.client, customerID: c.customerID, id: id, path: p,
	}
}

// Get returns all of the customer's orders, newest first. A new order takes up
// to 15 minutes to show here; [OrderClient.Get] has it at once.
//
// The error is an [*Error] with status 400 and code 900118 for an id that is
// no GUID, and 403 and code 20002 for a customer that is not this partner's,
// whether it exists or not.
//
// https://learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders
func (c *OrdersClient) Get(ctx context.Context, opts ...OrdersOption) (*Collection[*Order], error) {
	address, err := c.address(opts)
	if err != nil {
		return nil, err
	}
	page := new(Collection[*Order])
	if err := c.client.get(ctx, address, nil, page); err != nil {
		return nil, err
	}
	return page, nil
}

// All yields the orders that [OrdersClient.Get] returns, following next pages
// if the service gives any. It checks that each answer carries the items it
// counts and ends with a [*ShortAnswerError] where one does not, unless
// ClientOptions.AllowShortAnswers is set. After an error it yields nothing.
func (c *OrdersClient) All(ctx context.Context, opts ...OrdersOption) iter.Seq2[*Order, error] {
	return paged(c.client, "/customers/"+c.customerID+"/orders", func() fetch[Order] {
		return linked(ctx, c.client, func() (*Collection[*Order], error) { return c.Get(ctx, opts...) })
	})
}

func (c *OrdersClient) address(opts []OrdersOption) (string, error) {
	customer, err := segment("customer id", c.customerID)
	if err != nil {
		return "", err
	}
	query := url.Values{}
	if c.billingCycle != "" {
		query.Set("billingType", string(c.billingCycle.Normalize()))
	}
	for _, opt := range opts {
		opt(query)
	}
	return c.client.url("/customers/"+customer+"/orders", query), nil
}

// CreateOption adds to the request that places an order.
type CreateOption func(http.Header)

// ForCustomerUser names the customer's user, by its user principal name, that
// the order is placed for and that gets a licence.
func ForCustomerUser(upn string) CreateOption {
	return func(h http.Header) { h.Set(headerCustomerUser, upn) }
}

// Create places an order. It takes at least one line item; the lines are
// numbered from 0, without gaps. The answer is the order as the service has
// it: completed with its subscriptions for legacy offers, pending for items of
// the newer catalog. It can be read by its id at once, and takes up to 15
// minutes to be listed ([OrderClient.WaitVisible]).
//
// An order for an indirect reseller's customer names the customer in
// ReferenceCustomerID and the reseller in each line's PartnerIDOnRecord; it
// needs a user in the token.
//
// A retry never places a second order, as it carries the first try's request
// id. When the error leaves open what happened ([Unsettled]), repeat the call
// with the same order and request id ([WithRequestID]).
//
// The error is an [*Error]. Among its codes are, with status 400: 800071 for
// wrong line numbers, 800004 for an unknown offer, 2002 and 800017 for a
// quantity out of range, 800070 for an offer that is not sold in the customer's
// country; 403: 13605 for a missing customer agreement, 800020 and 2091 for
// what cannot be bought, 800066 and 800067 for a sandbox that is full; 404 and
// 800015 for an unknown reseller; 409 and 800060 while a call with the same
// request id is under way. Customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/create-an-order
func (c *OrdersClient) Create(ctx context.Context, order *Order, opts ...CreateOption) (*Order, error) {
	header := http.Header{}
	for _, opt := range opts {
		opt(header)
	}
	return write[Order](ctx, c.client, http.MethodPost, customerPath(c.customerID).name("orders"), header, order)
}

// OrderClient reaches one order of a customer. Get it from
// [OrdersClient.ByID].
type OrderClient struct {
	// ProvisioningStatus tells how far the service has come with each line.
	ProvisioningStatus *OrderProvisioningStatusClient
	// ActivationLinks lead to the pages that activate marketplace purchases,
	// one for each line that needs it.
	ActivationLinks *ActivationLinksClient
	// LineItems are the order's lines.
	LineItems *OrderLineItemsClient
	// Attachments are purchase orders and tenders that belong to the order.
	Attachments *AttachmentsClient

	client     *Client
	customerID string
	id         string
	path       path
}

// Get returns the order. Of the options only [IncludePrice] has an effect.
//
// The error is an [*Error] with status 404 and code 20000 for an unknown
// order; customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-order-by-id
func (c *OrderClient) Get(ctx context.Context, opts ...OrdersOption) (*Order, error) {
	query := url.Values{}
	for _, opt := range opts {
		opt(query)
	}
	return read[Order](ctx, c.client, c.path, query)
}

// PatchOption adds to the request that changes a resource.
type PatchOption func(http.Header)

// IfMatch makes the change only if the resource still has this etag, as
// ResourceAttributes.Etag has it. It comes before the etag in the body.
func IfMatch(etag string) PatchOption {
	if !strings.HasPrefix(etag, `"`) {
		etag = `"` + etag + `"`
	}
	return func(h http.Header) { h.Set(headerIfMatch, etag) }
}

// patchHeader collects options.
func patchHeader(opts []PatchOption) http.Header {
	header := http.Header{}
	for _, opt := range opts {
		opt(header)
	}
	return header
}

// Patch changes the order and returns it as it then is. What the order passed
// in says decides what happens:
//
//   - Another BillingCycle, with ReferenceCustomerID and the lines' OfferID,
//     SubscriptionID and Quantity, changes how the whole order is billed.
//   - A line with a ParentSubscriptionID buys an add-on; the service appends
//     the line. Send the new line alone.
//   - Status cancelled cancels; [OrderClient.Cancel] does that.
//
// Lines are matched by subscription and offer: their numbers are those of the
// request, from 0. The order's etag goes along as it is; with a stale one the
// error is an [*Error] with status 400 and code 2055. Read the order again, and
// decide again. Other codes are 6000, 6001, 800072 and 800085 (400) for a
// billing cycle that cannot be changed, 800029 (400) for an add-on that does not
// belong to its parent, 800014 (409) while another change is under way, and
// those of [OrdersClient.Create] and [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/change-the-billing-cycle-of-a-subscription
// https://learn.microsoft.com/partner-center/developer/purchase-an-add-on-to-a-subscription
func (c *OrderClient) Patch(ctx context.Context, order *Order, opts ...PatchOption) (*Order, error) {
	return write[Order](ctx, c.client, http.MethodPatch, c.path, patchHeader(opts), order)
}

// Cancel cancels lines of the order by their numbers, or all of it when none
// is named, and returns the order as it then is. A cancelled line has quantity
// 0; the order is cancelled when all its lines are. To name a line the service
// wants its offer, so the order is read first when lines are named.
//
// Software can be cancelled within its window; reservations and marketplace
// purchases only in a sandbox. The error is an [*Error] with status 400 and
// code 800061 for what cannot be cancelled, 800063 for an order whose
// subscriptions can be suspended instead, 900117 after the window; 403 and
// 800019 outside a sandbox, 800077 for subscriptions that [SubscriptionClient.Patch]
// cancels; and as for [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/cancel-software-purchases
// https://learn.microsoft.com/partner-center/developer/cancel-an-order-from-the-integration-sandbox
func (c *OrderClient) Cancel(ctx context.Context, lines ...int) (*Order, error) {
	// The etag is left out on purpose: repeated with its request id, the call
	// must have the body that it had.
	cancelled := &Order{ID: c.id, Status: OrderStatusCancelled}
	if len(lines) > 0 {
		order, err := c.Get(withoutRequestID(ctx))
		if err != nil {
			return nil, err
		}
		if cancelled.LineItems, err = namedLines(order, lines); err != nil {
			return nil, err
		}
	}
	return c.Patch(ctx, cancelled)
}

// namedLines returns what names lines of an order to the service.
func namedLines(order *Order, numbers []int) ([]OrderLineItem, error) {
	var named []OrderLineItem
	for _, number := range numbers {
		i := slices.IndexFunc(order.LineItems, func(l OrderLineItem) bool {
			return l.LineItemNumber != nil && *l.LineItemNumber == number
		})
		if i < 0 {
			return nil, fmt.Errorf("partnercenter: order %s has no line %d: its lines are numbered from 0 to %d; nothing was cancelled", order.ID, number, len(order.LineItems)-1)
		}
		line := order.LineItems[i]
		named = append(named, OrderLineItem{LineItemNumber: line.LineItemNumber, OfferID: line.OfferID, SubscriptionID: line.SubscriptionID})
	}
	return named, nil
}

// OrderProvisioningStatusClient reaches the provisioning status of an order.
// Get it from [OrderClient.ProvisioningStatus].
type OrderProvisioningStatusClient struct {
	client *Client
	path   path
}

// Get returns how far the service has come with each line of the order.
//
// The error is an [*Error] with status 404 and code 800007 for an order that
// is not provisioned, such as one of legacy offers, and as for
// [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-order-provisioning-status
func (c *OrderProvisioningStatusClient) Get(ctx context.Context) (*Collection[*OrderLineItemProvisioningStatus], error) {
	return read[Collection[*OrderLineItemProvisioningStatus]](ctx, c.client, c.path, nil)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *OrderProvisioningStatusClient) All(ctx context.Context) iter.Seq2[*OrderLineItemProvisioningStatus, error] {
	return readAll[OrderLineItemProvisioningStatus](ctx, c.client, c.path, nil)
}

// OrderLineItemsClient reaches the lines of an order. Get it from
// [OrderClient.LineItems].
type OrderLineItemsClient struct {
	client *Client
	order  path
}

// ByNumber reaches one line by its number, which counts from 0.
func (c *OrderLineItemsClient) ByNumber(number int) *OrderLineItemClient {
	p := c.order.name("lineitems").id("line item number", strconv.Itoa(number)).name("activationlinks")
	return &OrderLineItemClient{ActivationLinks: &ActivationLinksClient{c.client, p}}
}

// OrderLineItemClient reaches one line of an order. Get it from
// [OrderLineItemsClient.ByNumber].
type OrderLineItemClient struct {
	// ActivationLinks lead to the pages that activate the line's purchase.
	ActivationLinks *ActivationLinksClient
}

// ActivationLinksClient reaches the activation links of an order, a line or a
// subscription.
type ActivationLinksClient struct {
	client *Client
	path   path
}

// Get returns links to the publishers' pages on which marketplace purchases
// are activated. They lead to other hosts, for the customer's browser; in a
// sandbox they lead nowhere, and [SubscriptionClient.Activate] activates.
//
// https://learn.microsoft.com/partner-center/developer/get-activation-link-by-order-line-item
func (c *ActivationLinksClient) Get(ctx context.Context) (*Collection[*OrderLineItemActivationLink], error) {
	return read[Collection[*OrderLineItemActivationLink]](ctx, c.client, c.path, nil)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *ActivationLinksClient) All(ctx context.Context) iter.Seq2[*OrderLineItemActivationLink, error] {
	return readAll[OrderLineItemActivationLink](ctx, c.client, c.path, nil)
}

package partnercenter

import (
	"context"
	"iter"
	"net/url"
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
	return &OrderClient{client: c.client, customerID: c.customerID, id: id}
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

// OrderClient reaches one order of a customer. Get it from
// [OrdersClient.ByID].
type OrderClient struct {
	client     *Client
	customerID string
	id         string
}

// Get returns the order. Of the options only [IncludePrice] has an effect.
//
// The error is an [*Error] with status 404 and code 20000 for an unknown
// order; customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-order-by-id
func (c *OrderClient) Get(ctx context.Context, opts ...OrdersOption) (*Order, error) {
	customer, err := segment("customer id", c.customerID)
	if err != nil {
		return nil, err
	}
	id, err := segment("order id", c.id)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for _, opt := range opts {
		opt(query)
	}
	order := new(Order)
	if err := c.client.get(ctx, c.client.url("/customers/"+customer+"/orders/"+id, query), nil, order); err != nil {
		return nil, err
	}
	return order, nil
}

package partnercenter

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Order is an order of a customer.
//
// https://learn.microsoft.com/partner-center/developer/order-resources
type Order struct {
	// ID is a GUID for legacy orders (compare ignoring case), or else a short
	// case-sensitive string.
	ID string `json:"id,omitzero"`
	// AlternateID is 12 hex digits for newer orders, and the ID for legacy ones.
	AlternateID         string           `json:"alternateId,omitzero"`
	ReferenceCustomerID string           `json:"referenceCustomerId,omitzero"` // the customer's tenant id
	BillingCycle        BillingCycleType `json:"billingCycle,omitzero"`
	CurrencyCode        string           `json:"currencyCode,omitzero"` // ISO 4217; absent from older answers
	CurrencySymbol      string           `json:"currencySymbol,omitzero"`
	LineItems           []OrderLineItem  `json:"lineItems,omitzero"`
	CreationDate        Time             `json:"creationDate,omitzero"`
	Status              OrderStatus      `json:"status,omitzero"` // absent from older answers
	// TransactionType says who placed the order. It is absent from older answers.
	TransactionType OrderTransactionType `json:"transactionType,omitzero"`
	// TotalPrice is in CurrencyCode, for whole terms. It is only set with
	// [IncludePrice], and in answers to new orders of new commerce.
	TotalPrice                         Decimal             `json:"totalPrice,omitzero"`
	PartnerOnRecordAttestationAccepted *bool               `json:"partnerOnRecordAttestationAccepted,omitzero"`
	Links                              *OrderLinks         `json:"links,omitzero"`
	Client                             *OrderClientInfo    `json:"client,omitzero"`
	Attributes                         *ResourceAttributes `json:"attributes,omitzero"`
	Extra                              jsontext.Value      `json:",embed"`
}

// OrderLineItem is one item of an [Order].
//
// https://learn.microsoft.com/partner-center/developer/order-resources#orderlineitem
type OrderLineItem struct {
	// LineItemNumber counts from 0 within the order. In a PATCH it counts the
	// lines of the request, not those of the stored order.
	LineItemNumber *int `json:"lineItemNumber,omitzero"`
	// ProvisioningContext has a value for each of the SKU's provisioning
	// variables, such as subscriptionId, scope and duration.
	ProvisioningContext map[string]string `json:"provisioningContext,omitzero"`
	// OfferID is a legacy offer id or a catalog item id
	// (product:sku:availability).
	OfferID string `json:"offerId,omitzero"`
	// SubscriptionID is set at once for legacy offers, and absent while a newer
	// order is pending.
	SubscriptionID string `json:"subscriptionId,omitzero"`
	// ParentSubscriptionID is the base subscription of a new add-on; PATCH
	// only.
	ParentSubscriptionID string `json:"parentSubscriptionId,omitzero"`
	// TermDuration is P1M, P1Y or P3Y. For perpetual software it is an empty
	// string rather than absent.
	TermDuration    *string                 `json:"termDuration,omitzero"`
	TransactionType LineItemTransactionType `json:"transactionType,omitzero"`
	FriendlyName    string                  `json:"friendlyName,omitzero"` // default: title of the offer or SKU
	Quantity        *int                    `json:"quantity,omitzero"`     // 0 after the line is cancelled
	// PartnerIDOnRecord is the MPN id of an indirect reseller.
	PartnerIDOnRecord            string   `json:"partnerIdOnRecord,omitzero"`
	AdditionalPartnerIDsOnRecord []string `json:"additionalPartnerIdsOnRecord,omitzero"`
	// RenewsTo is the term that follows a trial.
	RenewsTo            *RenewsTo `json:"renewsTo,omitzero"`
	PromotionID         string    `json:"promotionId,omitzero"`
	CustomTermEndDate   Time      `json:"customTermEndDate,omitzero"`
	AttestationAccepted *bool     `json:"attestationAccepted,omitzero"`
	// PurchaseCommitment is what a savings plan commits to.
	PurchaseCommitment *PurchaseCommitment `json:"purchaseCommitment,omitzero"`
	// Pricing is only set as Order.TotalPrice is.
	Pricing    *Pricing            `json:"pricing,omitzero"`
	Links      *OrderLineItemLinks `json:"links,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// RenewsTo is the term that follows a trial: P1M or P1Y.
type RenewsTo struct {
	TermDuration string         `json:"termDuration,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

// plainRenewsTo is RenewsTo without its methods.
type plainRenewsTo RenewsTo

// UnmarshalJSONFrom reads an object, or an array of one as in the
// documentation's tables. Of a longer array, which is not documented, it reads
// the first.
func (r *RenewsTo) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		return json.UnmarshalDecode(dec, (*plainRenewsTo)(r))
	}
	var list []plainRenewsTo
	if err := json.UnmarshalDecode(dec, &list); err != nil {
		return err
	}
	*r = RenewsTo{}
	if len(list) > 0 {
		*r = RenewsTo(list[0])
	}
	return nil
}

// PurchaseCommitment is what a savings plan commits to spend.
type PurchaseCommitment struct {
	Amount   Decimal        `json:"amount,omitzero"`
	Currency string         `json:"currency,omitzero"`
	Grain    string         `json:"grain,omitzero"` // hourly
	Extra    jsontext.Value `json:",embed"`
}

// Pricing is the price of a line item in the order's currency.
type Pricing struct {
	ListPrice       Decimal        `json:"listPrice,omitzero"`
	DiscountedPrice Decimal        `json:"discountedPrice,omitzero"`
	ProratedPrice   Decimal        `json:"proratedPrice,omitzero"`
	Price           Decimal        `json:"price,omitzero"`         // per unit, as charged
	ExtendedPrice   Decimal        `json:"extendedPrice,omitzero"` // price times quantity
	Extra           jsontext.Value `json:",embed"`
}

// OrderLinks are the links of an [Order].
type OrderLinks struct {
	ProvisioningStatus *Link          `json:"provisioningStatus,omitzero"` // newer orders
	Self               *Link          `json:"self,omitzero"`
	PatchOperation     *Link          `json:"patchOperation,omitzero"`
	Extra              jsontext.Value `json:",embed"`
}

// OrderLineItemLinks are the links of an [OrderLineItem].
type OrderLineItemLinks struct {
	Subscription *Link `json:"subscription,omitzero"` // once it exists
	Product      *Link `json:"product,omitzero"`
	SKU          *Link `json:"sku,omitzero"`
	Availability *Link `json:"availability,omitzero"`
	// ProvisioningStatus is that of the subscription. In samples its address
	// does not name the customer.
	ProvisioningStatus *Link          `json:"provisioningStatus,omitzero"`
	ActivationLinks    *Link          `json:"activationLinks,omitzero"` // marketplace items
	Extra              jsontext.Value `json:",embed"`
}

// OrderClientInfo says where an order was placed from. It may be empty.
type OrderClientInfo struct {
	MarketplaceCountry string         `json:"marketplaceCountry,omitzero"`
	DeviceFamily       string         `json:"deviceFamily,omitzero"`
	Name               string         `json:"name,omitzero"`
	Extra              jsontext.Value `json:",embed"`
}

// OrderLineItemProvisioningStatus is the provisioning status of a line item.
//
// https://learn.microsoft.com/partner-center/developer/get-order-provisioning-status
type OrderLineItemProvisioningStatus struct {
	LineItemNumber *int `json:"lineItemNumber,omitzero"`
	// OrderLineItemID is undocumented and equals LineItemNumber.
	OrderLineItemID                 *int                         `json:"orderLineItemId,omitzero"`
	Status                          FulfillmentStatus            `json:"status,omitzero"`
	QuantityProvisioningInformation []QuantityProvisioningStatus `json:"quantityProvisioningInformation,omitzero"`
	Extra                           jsontext.Value               `json:",embed"`
}

// QuantityProvisioningStatus is the share of a line's quantity in one state.
type QuantityProvisioningStatus struct {
	Quantity *int              `json:"quantity,omitzero"`
	Status   FulfillmentStatus `json:"status,omitzero"`
	Extra    jsontext.Value    `json:",embed"`
}

// OrderLineItemActivationLink links to the publisher's page for activating a
// marketplace purchase.
//
// https://learn.microsoft.com/partner-center/developer/get-activation-link-by-order-line-item
type OrderLineItemActivationLink struct {
	LineItemNumber *int           `json:"lineItemNumber,omitzero"`
	Link           *Link          `json:"link,omitzero"`
	Extra          jsontext.Value `json:",embed"`
}

type (
	plainOrder         Order         // Order without its methods
	plainOrderLineItem OrderLineItem // OrderLineItem without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (o Order) MarshalJSON() ([]byte, error) { return Marshal(plainOrder(o)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (o *Order) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainOrder)(o)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (o Order) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainOrder(o))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (o *Order) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainOrder)(o))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (l OrderLineItem) MarshalJSON() ([]byte, error) { return Marshal(plainOrderLineItem(l)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (l *OrderLineItem) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainOrderLineItem)(l))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (l OrderLineItem) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainOrderLineItem(l))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (l *OrderLineItem) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainOrderLineItem)(l))
}

// OrdersClient accesses the orders of a customer. Get one from
// CustomerClient.Orders.
type OrdersClient struct{ resource }

// OrdersOption is an option of the calls that list orders.
type OrdersOption interface{ ofOrders() option }

// OrderOption is an option of [OrderClient.Get].
type OrderOption interface{ ofOrder() option }

// PriceOption is an [OrdersOption] and an [OrderOption].
type PriceOption interface {
	OrdersOption
	OrderOption
}

type priceOption struct{}

func (priceOption) ofOrder() option    { return option{name: "include_price", value: "true"} }
func (o priceOption) ofOrders() option { return o.ofOrder() }

type ordersOption struct{ option }

func (o ordersOption) ofOrders() option { return o.option }

// IncludePrice requests prices: Order.TotalPrice and OrderLineItem.Pricing.
// Without the right to see them the error is an [*Error] with status 403 and
// code 800043.
func IncludePrice() PriceOption { return priceOption{} }

// IncludeSystemPurchases includes the orders that the service itself placed
// (SystemPurchase, SystemBilling), which lists omit by default.
func IncludeSystemPurchases() OrdersOption {
	return ordersOption{option{name: "include_system_purchases", value: "true"}}
}

// ForIndirectReseller limits a list to the orders placed for an indirect
// reseller, by its tenant id.
func ForIndirectReseller(id string) OrdersOption {
	return ordersOption{option{"indirect_reseller_id", id, "indirect reseller's id", "ForIndirectReseller"}}
}

// ByBillingCycleType limits the list to the orders with a billing cycle.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-orders-by-customer-and-billing-cycle-type
func (c *OrdersClient) ByBillingCycleType(cycle BillingCycleType) *OrderListClient {
	return &OrderListClient{c.option(option{"billingType", string(cycle.Normalize()), "billing cycle", "ByBillingCycleType"})}
}

// ByID selects an order. Ids of newer orders are case-sensitive.
func (c *OrdersClient) ByID(id string) *OrderClient {
	order := c.id("order id", id)
	return &OrderClient{
		ProvisioningStatus: &OrderProvisioningStatusClient{order.name("provisioningstatus")},
		ActivationLinks:    &ActivationLinksClient{order.name("activationlinks")},
		LineItems:          &OrderLineItemsClient{order},
		Attachments:        &AttachmentsClient{order},
		resource:           order, orderID: id, list: c.resource,
	}
}

// Get returns all orders of the customer, newest first. A new order takes up to
// 15 minutes to appear; [OrderClient.Get] returns it at once.
//
// The error is an [*Error] with status 400 and code 900118 for an id that is
// not a GUID, and 403 and code 20002 if the partner has no such customer,
// whether it exists or not.
//
// https://learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders
func (c *OrdersClient) Get(ctx context.Context, opts ...OrdersOption) (*Collection[*Order], error) {
	return readList[Order](ctx, c.asking(opts))
}

// All yields the orders that [OrdersClient.Get] returns, following links to
// next pages, if any. It ends with a [*ShortAnswerError] if an answer has fewer
// items than its totalCount, unless ClientOptions.AllowShortAnswers is set. It
// stops after an error.
func (c *OrdersClient) All(ctx context.Context, opts ...OrdersOption) iter.Seq2[*Order, error] {
	return readAll[Order](ctx, c.asking(opts))
}

// OrderListClient accesses a customer's orders with a billing cycle. Get one from
// [OrdersClient.ByBillingCycleType].
type OrderListClient struct{ resource }

// Get returns the orders with the billing cycle, as [OrdersClient.Get] does.
func (c *OrderListClient) Get(ctx context.Context, opts ...OrdersOption) (*Collection[*Order], error) {
	return readList[Order](ctx, c.asking(opts))
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *OrderListClient) All(ctx context.Context, opts ...OrdersOption) iter.Seq2[*Order, error] {
	return readAll[Order](ctx, c.asking(opts))
}

// asking returns the resource with the options added to its query.
func (r resource) asking(opts []OrdersOption) resource {
	for _, opt := range opts {
		if opt == nil {
			return r.failed(errors.New("partnercenter: an option is nil: use IncludePrice, IncludeSystemPurchases or ForIndirectReseller"))
		}
		r = r.option(opt.ofOrders())
	}
	return r
}

// OrderCreateOption is an option of [OrdersClient.Create].
type OrderCreateOption struct{ option }

// ForCustomerUser sets the user of the customer, by user principal name, for
// whom the order is placed and who gets a licence.
func ForCustomerUser(upn string) OrderCreateOption {
	return OrderCreateOption{option{headerCustomerUser, upn, "user", "ForCustomerUser"}}
}

// Create places an order and returns it as stored by the service: completed,
// with subscriptions, for legacy offers, and pending for items of the newer
// catalog. It needs at least one line item; lines are numbered from 0, without
// gaps. The order can be read by its id at once, and takes up to 15 minutes to
// be listed ([OrderClient.WaitVisible]).
//
// An order for an indirect reseller's customer names the customer in
// ReferenceCustomerID and the reseller in each line's PartnerIDOnRecord. It
// requires a token with a user.
//
// Retries never place a second order, because they carry the same request id.
// If the error leaves the outcome open ([Unsettled]), repeat the call with the
// same order and request id ([WithRequestID]).
//
// The error is an [*Error]. Among its codes are, with status 400: 800071 for
// wrong line numbers, 800004 for an unknown offer, 2002 and 800017 for a
// quantity out of range, 800070 for an offer that is not sold in the customer's
// country; 403: 13605 for a missing customer agreement, 800020 and 2091 for an
// item that cannot be bought, 800066 and 800067 for a full sandbox; 404: 800015
// for an unknown reseller; 409: 800060 while a call with the same request id is
// in progress. Errors about the customer are those of [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/create-an-order
func (c *OrdersClient) Create(ctx context.Context, order *Order, opts ...OrderCreateOption) (*Order, error) {
	header, err := headerOf(opts, "ForCustomerUser")
	if err != nil {
		return nil, err
	}
	return exchange[Order](ctx, c.resource, request{method: http.MethodPost, header: header, in: order})
}

// OrderClient accesses an order of a customer. Get one from
// [OrdersClient.ByID].
type OrderClient struct {
	// ProvisioningStatus is the provisioning status of each line item.
	ProvisioningStatus *OrderProvisioningStatusClient
	// ActivationLinks are links to the pages for activating marketplace
	// purchases, one for each line item that needs it.
	ActivationLinks *ActivationLinksClient
	// LineItems are the order's line items.
	LineItems *OrderLineItemsClient
	// Attachments are the purchase orders and tenders of the order.
	Attachments *AttachmentsClient

	resource
	orderID string
	list    resource // of the customer's orders
}

// Get returns the order.
//
// The error is an [*Error] with status 404 and code 20000 for an unknown order.
// Errors about the customer are those of [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-order-by-id
func (c *OrderClient) Get(ctx context.Context, opts ...OrderOption) (*Order, error) {
	order := c.resource
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("partnercenter: an option is nil: use IncludePrice")
		}
		order = order.option(opt.ofOrder())
	}
	return read[Order](ctx, order)
}

// PatchOption is an option of the calls that change a resource.
type PatchOption struct{ option }

// IfMatch makes the change only if the resource still has this etag, as in
// ResourceAttributes.Etag, with or without quotes, or weak (W/"…"). It takes precedence
// over the etag in the body.
func IfMatch(etag string) PatchOption {
	if etag != "" && etag != "*" && !strings.HasPrefix(etag, `"`) && !strings.HasPrefix(etag, `W/"`) {
		etag = `"` + etag + `"`
	}
	return PatchOption{option{headerIfMatch, etag, "etag", "IfMatch"}}
}

// Patch changes the order and returns its new state. What it does depends on
// the order passed in:
//
//   - A new BillingCycle, with ReferenceCustomerID and the lines' OfferID,
//     SubscriptionID and Quantity, changes the billing cycle of the whole order.
//   - A line with a ParentSubscriptionID buys an add-on. Send only the new line;
//     the service appends it.
//   - Status cancelled cancels the order; use [OrderClient.Cancel].
//
// Lines are matched by subscription and offer; their numbers count from 0
// within the request. The order's etag is sent unchanged. If it is stale the
// error is an [*Error] with status 400 and code 2055: read the order again
// before repeating the change. Other codes are 6000, 6001, 800072 and 800085
// (400) for a billing cycle that cannot be changed, 800029 (400) for an add-on
// that does not belong to its parent, 800014 (409) while another change is in
// progress, and those of [OrdersClient.Create] and [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/change-the-billing-cycle-of-a-subscription
// https://learn.microsoft.com/partner-center/developer/purchase-an-add-on-to-a-subscription
func (c *OrderClient) Patch(ctx context.Context, order *Order, opts ...PatchOption) (*Order, error) {
	header, err := headerOf(opts, "IfMatch")
	if err != nil {
		return nil, err
	}
	return exchange[Order](ctx, c.resource, request{method: http.MethodPatch, header: header, in: order})
}

// Cancel cancels lines of the order by their numbers, or the whole order if
// none is given, and returns its new state. A cancelled line has quantity 0;
// the order is cancelled when all its lines are. The service identifies lines
// by their offers, so Cancel reads the order first if lines are given.
//
// Software can be cancelled within a time limit, reservations and marketplace purchases
// only in a sandbox. The error is an [*Error] with status 400 and code 800061 for an
// order that cannot be cancelled, 800063 for one whose subscriptions can be suspended
// instead, 900117 after the time limit; 403: 800019 outside a sandbox, 800077 for
// subscriptions that [SubscriptionClient.Patch] cancels; and as for [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/cancel-software-purchases
// https://learn.microsoft.com/partner-center/developer/cancel-an-order-from-the-integration-sandbox
func (c *OrderClient) Cancel(ctx context.Context, lines ...int) (*Order, error) {
	// There is no etag: repeated with its request id, the call must have the
	// same body.
	cancelled := &Order{ID: c.orderID, Status: OrderStatusCancelled}
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

// namedLines returns lines of an order as the service identifies them.
func namedLines(order *Order, numbers []int) ([]OrderLineItem, error) {
	var named []OrderLineItem
	for _, number := range numbers {
		i := slices.IndexFunc(order.LineItems, func(l OrderLineItem) bool {
			return l.LineItemNumber != nil && *l.LineItemNumber == number
		})
		if i < 0 {
			return nil, fmt.Errorf("partnercenter: order %s has no line %d: its lines are numbered 0 to %d; nothing was cancelled", order.ID, number, len(order.LineItems)-1)
		}
		line := order.LineItems[i]
		named = append(named, OrderLineItem{LineItemNumber: line.LineItemNumber, OfferID: line.OfferID, SubscriptionID: line.SubscriptionID})
	}
	return named, nil
}

// OrderProvisioningStatusClient accesses the provisioning status of an order.
// Get one from OrderClient.ProvisioningStatus.
type OrderProvisioningStatusClient struct{ resource }

// Get returns the provisioning status of each line item of the order.
//
// The error is an [*Error] with status 404 and code 800007 for an order that
// is not provisioned, such as one of legacy offers, and as for
// [OrderClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-order-provisioning-status
func (c *OrderProvisioningStatusClient) Get(ctx context.Context) (*Collection[*OrderLineItemProvisioningStatus], error) {
	return readList[OrderLineItemProvisioningStatus](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *OrderProvisioningStatusClient) All(ctx context.Context) iter.Seq2[*OrderLineItemProvisioningStatus, error] {
	return readAll[OrderLineItemProvisioningStatus](ctx, c.resource)
}

// OrderLineItemsClient accesses the line items of an order. Get one from
// OrderClient.LineItems.
type OrderLineItemsClient struct{ order resource }

// ByID selects a line item by its number, which counts from 0.
func (c *OrderLineItemsClient) ByID(number int) *OrderLineItemClient {
	line := c.order.name("lineitems").id("line item number", strconv.Itoa(number))
	return &OrderLineItemClient{ActivationLinks: &ActivationLinksClient{line.name("activationlinks")}}
}

// OrderLineItemClient accesses a line item of an order. Get one from
// [OrderLineItemsClient.ByID].
type OrderLineItemClient struct {
	// ActivationLinks are links to the pages for activating the purchase.
	ActivationLinks *ActivationLinksClient
}

// ActivationLinksClient accesses the activation links of an order, a line item
// or a subscription.
type ActivationLinksClient struct{ resource }

// Get returns links to the publishers' pages for activating marketplace
// purchases. They lead to other hosts and are for the customer's browser. In a
// sandbox they do not work; use [SubscriptionClient.Activate].
//
// https://learn.microsoft.com/partner-center/developer/get-activation-link-by-order-line-item
func (c *ActivationLinksClient) Get(ctx context.Context) (*Collection[*OrderLineItemActivationLink], error) {
	return readList[OrderLineItemActivationLink](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *ActivationLinksClient) All(ctx context.Context) iter.Seq2[*OrderLineItemActivationLink, error] {
	return readAll[OrderLineItemActivationLink](ctx, c.resource)
}

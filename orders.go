package partnercenter

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
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
	// ID is a GUID for legacy orders (compare without case), else a short,
	// case-sensitive text.
	ID string `json:"id,omitzero"`
	// AlternateID is 12 hex digits for newer orders and the ID for legacy ones.
	AlternateID         string           `json:"alternateId,omitzero"`
	ReferenceCustomerID string           `json:"referenceCustomerId,omitzero"` // the customer's tenant id
	BillingCycle        BillingCycleType `json:"billingCycle,omitzero"`
	CurrencyCode        string           `json:"currencyCode,omitzero"` // ISO 4217; missing on old answers
	CurrencySymbol      string           `json:"currencySymbol,omitzero"`
	LineItems           []OrderLineItem  `json:"lineItems,omitzero"`
	CreationDate        Time             `json:"creationDate,omitzero"`
	Status              OrderStatus      `json:"status,omitzero"` // missing on old answers
	// TransactionType says who placed the order; missing on older answers.
	TransactionType OrderTransactionType `json:"transactionType,omitzero"`
	// TotalPrice is in CurrencyCode, and only there when asked for with
	// [IncludePrice].
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
	// LineItemNumber counts from 0 within the order. In a PATCH it numbers the
	// lines of the request, not those of the stored order.
	LineItemNumber *int `json:"lineItemNumber,omitzero"`
	// ProvisioningContext holds what the SKU's provisioning variables ask for,
	// such as subscriptionId, scope and duration.
	ProvisioningContext map[string]string `json:"provisioningContext,omitzero"`
	// OfferID is a legacy offer id or a catalog item id
	// (product:sku:availability).
	OfferID string `json:"offerId,omitzero"`
	// SubscriptionID is there at once for legacy offers and absent while a
	// newer order is pending.
	SubscriptionID string `json:"subscriptionId,omitzero"`
	// ParentSubscriptionID is the base that an add-on is bought under; PATCH
	// only.
	ParentSubscriptionID string `json:"parentSubscriptionId,omitzero"`
	// TermDuration is P1M, P1Y or P3Y. Perpetual software answers the empty
	// text, which is not absence.
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
	// Pricing is only there when asked for with [IncludePrice].
	Pricing    *Pricing            `json:"pricing,omitzero"`
	Links      *OrderLineItemLinks `json:"links,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// RenewsTo is the term a trial is renewed to: P1M or P1Y.
type RenewsTo struct {
	TermDuration string         `json:"termDuration,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

// plainRenewsTo is RenewsTo without its methods.
type plainRenewsTo RenewsTo

// UnmarshalJSONFrom reads an object or, as the documentation's tables have it,
// an array of one; of a longer array, which nothing documents, the first.
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
	// ProvisioningStatus of the subscription. Samples leave the customer out
	// of its address.
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

// OrderLineItemProvisioningStatus is how far the service has come with a line.
//
// https://learn.microsoft.com/partner-center/developer/get-order-provisioning-status
type OrderLineItemProvisioningStatus struct {
	LineItemNumber *int `json:"lineItemNumber,omitzero"`
	// OrderLineItemID is undocumented and carries the same number.
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

// OrderLineItemActivationLink leads to the publisher's page that activates a
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
	return json.MarshalEncode(enc, plainOrder(o))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (o *Order) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainOrder)(o), decodeOptions)
}

// MarshalJSON implements [encoding/json.Marshaler].
func (l OrderLineItem) MarshalJSON() ([]byte, error) { return Marshal(plainOrderLineItem(l)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (l *OrderLineItem) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainOrderLineItem)(l))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (l OrderLineItem) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainOrderLineItem(l))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (l *OrderLineItem) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainOrderLineItem)(l), decodeOptions)
}

// OrdersClient reaches the orders of one customer. Get it from
// [CustomerClient.Orders].
type OrdersClient struct{ resource }

// OrdersOption is an option of the calls that list orders.
type OrdersOption interface{ addToOrders(url.Values) }

// OrderOption is an option of [OrderClient.Get].
type OrderOption interface{ addToOrder(url.Values) }

// PriceOption is an [OrdersOption] and an [OrderOption].
type PriceOption interface {
	OrdersOption
	OrderOption
}

type priceOption struct{}

func (priceOption) addToOrder(q url.Values)    { q.Set("include_price", "true") }
func (o priceOption) addToOrders(q url.Values) { o.addToOrder(q) }

type ordersOption struct{ name, value string }

func (o ordersOption) addToOrders(q url.Values) { q.Set(o.name, o.value) }

// IncludePrice asks for prices: Order.TotalPrice and OrderLineItem.Pricing.
// Without the right to see them the service answers 403, code 800043.
func IncludePrice() PriceOption { return priceOption{} }

// IncludeSystemPurchases asks a list for the orders that the service placed
// itself (SystemPurchase, SystemBilling), which it leaves out by default.
func IncludeSystemPurchases() OrdersOption {
	return ordersOption{"include_system_purchases", "true"}
}

// ForIndirectReseller asks a list for the orders placed for one indirect
// reseller only, by its tenant id.
func ForIndirectReseller(id string) OrdersOption {
	return ordersOption{"indirect_reseller_id", id}
}

// ByBillingCycleType narrows the orders to those of one billing cycle. The empty
// cycle means all.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-orders-by-customer-and-billing-cycle-type
func (c *OrdersClient) ByBillingCycleType(cycle BillingCycleType) *OrdersClient {
	return &OrdersClient{c.with("billingType", string(cycle.Normalize()))}
}

// ByID reaches one order. Ids of newer orders are case-sensitive.
func (c *OrdersClient) ByID(id string) *OrderClient {
	order := c.id("order id", id)
	return &OrderClient{
		ProvisioningStatus: &OrderProvisioningStatusClient{order.name("provisioningstatus")},
		ActivationLinks:    &ActivationLinksClient{order.name("activationlinks")},
		LineItems:          &OrderLineItemsClient{order},
		Attachments:        &AttachmentsClient{order},
		resource:           order, orderID: id, list: c.whole(),
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
	return readList[Order](ctx, c.asking(opts))
}

// All yields the orders that [OrdersClient.Get] returns, following next pages
// if the service gives any. It checks that each answer carries the items it
// counts and ends with a [*ShortAnswerError] where one does not, unless
// ClientOptions.AllowShortAnswers is set. After an error it yields nothing.
func (c *OrdersClient) All(ctx context.Context, opts ...OrdersOption) iter.Seq2[*Order, error] {
	return readAll[Order](ctx, c.asking(opts))
}

// asking adds options to what is asked for.
func (r resource) asking(opts []OrdersOption) resource {
	query := url.Values{}
	maps.Copy(query, r.query)
	for _, opt := range opts {
		opt.addToOrders(query)
	}
	r.query = query
	return r
}

// OrderCreateOption is an option of [OrdersClient.Create].
type OrderCreateOption headerField

// ForCustomerUser names the customer's user, by its user principal name, that
// the order is placed for and that gets a licence.
func ForCustomerUser(upn string) OrderCreateOption {
	return OrderCreateOption{headerCustomerUser, upn}
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
func (c *OrdersClient) Create(ctx context.Context, order *Order, opts ...OrderCreateOption) (*Order, error) {
	return write[Order](ctx, c.whole(), http.MethodPost, order, headerOf(opts))
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

	resource
	orderID string
	list    resource // of the customer's orders
}

// Get returns the order.
//
// The error is an [*Error] with status 404 and code 20000 for an unknown
// order; customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-order-by-id
func (c *OrderClient) Get(ctx context.Context, opts ...OrderOption) (*Order, error) {
	query := url.Values{}
	for _, opt := range opts {
		opt.addToOrder(query)
	}
	order := c.resource
	order.query = query
	return read[Order](ctx, order)
}

// PatchOption is an option of the calls that change a resource.
type PatchOption headerField

// IfMatch makes the change only if the resource still has this etag, as
// ResourceAttributes.Etag has it. It comes before the etag in the body.
func IfMatch(etag string) PatchOption {
	if !strings.HasPrefix(etag, `"`) {
		etag = `"` + etag + `"`
	}
	return PatchOption{headerIfMatch, etag}
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
	return write[Order](ctx, c.resource, http.MethodPatch, order, headerOf(opts))
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
type OrderProvisioningStatusClient struct{ resource }

// Get returns how far the service has come with each line of the order.
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

// OrderLineItemsClient reaches the lines of an order. Get it from
// [OrderClient.LineItems].
type OrderLineItemsClient struct{ order resource }

// ByID reaches one line by its number, which counts from 0.
func (c *OrderLineItemsClient) ByID(number int) *OrderLineItemClient {
	line := c.order.name("lineitems").id("line item number", strconv.Itoa(number))
	return &OrderLineItemClient{ActivationLinks: &ActivationLinksClient{line.name("activationlinks")}}
}

// OrderLineItemClient reaches one line of an order. Get it from
// [OrderLineItemsClient.ByID].
type OrderLineItemClient struct {
	// ActivationLinks lead to the pages that activate the line's purchase.
	ActivationLinks *ActivationLinksClient
}

// ActivationLinksClient reaches the activation links of an order, a line or a
// subscription.
type ActivationLinksClient struct{ resource }

// Get returns links to the publishers' pages on which marketplace purchases
// are activated. They lead to other hosts, for the customer's browser; in a
// sandbox they lead nowhere, and [SubscriptionClient.Activate] activates.
//
// https://learn.microsoft.com/partner-center/developer/get-activation-link-by-order-line-item
func (c *ActivationLinksClient) Get(ctx context.Context) (*Collection[*OrderLineItemActivationLink], error) {
	return readList[OrderLineItemActivationLink](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *ActivationLinksClient) All(ctx context.Context) iter.Seq2[*OrderLineItemActivationLink, error] {
	return readAll[OrderLineItemActivationLink](ctx, c.resource)
}

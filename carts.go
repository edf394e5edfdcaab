package partnercenter

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Cart is what a customer is about to buy. Checking it out places an order for each of
// its order groups. A cart can be changed and checked out until ExpirationTimestamp, seven
// days after its creation.
//
// https://learn.microsoft.com/partner-center/developer/cart-resources
type Cart struct {
	ID                    string     `json:"id,omitzero"` // a GUID
	CreationTimestamp     Time       `json:"creationTimestamp,omitzero"`
	LastModifiedTimestamp Time       `json:"lastModifiedTimestamp,omitzero"`
	ExpirationTimestamp   Time       `json:"expirationTimestamp,omitzero"`
	LastModifiedUser      string     `json:"lastModifiedUser,omitzero"` // object id of a user or an app
	Status                CartStatus `json:"status,omitzero"`           // set by the service
	// LineItems are replaced as a whole by [CartClient.Put].
	LineItems                          []CartLineItem      `json:"lineItems,omitzero"`
	PartnerOnRecordAttestationAccepted *bool               `json:"partnerOnRecordAttestationAccepted,omitzero"`
	Links                              *ResourceLinks      `json:"links,omitzero"`
	Attributes                         *ResourceAttributes `json:"attributes,omitzero"`
	Extra                              jsontext.Value      `json:",embed"`
}

// CartLineItem is one item of a [Cart].
//
// https://learn.microsoft.com/partner-center/developer/cart-resources#cartlineitem
type CartLineItem struct {
	// ID counts from 0 over all lines of the cart, add-ons after their base.
	ID *int `json:"id,omitzero"`
	// CatalogItemID is a legacy offer id or a catalog item id
	// (product:sku:availability).
	CatalogItemID string           `json:"catalogItemId,omitzero"`
	FriendlyName  string           `json:"friendlyName,omitzero"` // default: title of the offer or SKU
	Quantity      *int             `json:"quantity,omitzero"`
	CurrencyCode  string           `json:"currencyCode,omitzero"` // ISO 4217; set by the service
	BillingCycle  BillingCycleType `json:"billingCycle,omitzero"`
	TermDuration  string           `json:"termDuration,omitzero"` // P1M, P1Y or P3Y
	// PromotionID is set by the service if a promotion applies by itself.
	PromotionID string `json:"promotionId,omitzero"`
	// CustomTermEndDate is when the first term ends, for terms that end together.
	CustomTermEndDate   Time              `json:"customTermEndDate,omitzero"`
	AttestationAccepted *bool             `json:"attestationAccepted,omitzero"`
	Participants        []CartParticipant `json:"participants,omitzero"`
	// ProvisioningContext has a value for each of the SKU's provisioning variables
	// and, for an add-on to what the customer has, parentSubscriptionId.
	ProvisioningContext map[string]string `json:"provisioningContext,omitzero"`
	// OrderGroup is the same for lines that are ordered together. Set by the service.
	OrderGroup     string `json:"orderGroup,omitzero"`
	PurchaseSystem string `json:"purchaseSystem,omitzero"`
	// AddonItems are add-ons of a legacy offer, which are bought under its new
	// subscription. Add-ons of newer items are lines of their own.
	AddonItems []CartLineItem `json:"addonItems,omitzero"`
	// RenewsTo is the term that follows a trial.
	RenewsTo *RenewsTo `json:"renewsTo,omitzero"`
	// PurchaseCommitment is what a savings plan commits to.
	PurchaseCommitment *PurchaseCommitment `json:"purchaseCommitment,omitzero"`
	// Pricing is set by the service, in CurrencyCode.
	Pricing *Pricing `json:"pricing,omitzero"`
	// Error says why the line cannot be ordered as it is.
	Error *CartError     `json:"error,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// CartParticipant is a partner that takes part in a purchase.
type CartParticipant struct {
	Key   ParticipantType `json:"key,omitzero"`
	Value string          `json:"value,omitzero"` // an MPN id
	Extra jsontext.Value  `json:",embed"`
}

// CartError says what is wrong with a line of a cart. It comes in a successful answer.
//
// https://learn.microsoft.com/partner-center/developer/cart-resources#carterror
type CartError struct {
	ErrorCode             CartErrorCode         `json:"errorCode,omitzero"`
	ErrorDescription      string                `json:"errorDescription,omitzero"`
	AdditionalInformation *CartErrorInformation `json:"additionalInformation,omitzero"`
	Extra                 jsontext.Value        `json:",embed"`
}

// CartErrorInformation are the numbers of a [CartError] about a limit: what can still be
// bought of the item, and what was bought.
type CartErrorInformation struct {
	AvailableQuantity *int           `json:"availableQuantity,omitzero"`
	PurchasedQuantity *int           `json:"purchasedQuantity,omitzero"`
	Extra             jsontext.Value `json:",embed"`
}

// CartCheckoutResult is what checking out a cart came to.
//
// https://learn.microsoft.com/partner-center/developer/cart-resources#cartcheckoutresult
type CartCheckoutResult struct {
	Orders []Order `json:"orders,omitzero"`
	// OrderErrors are the order groups that were not ordered. Checking the cart out
	// again tries those again, and no others.
	OrderErrors []OrderError   `json:"orderErrors,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// OrderError says why an order group of a cart was not ordered.
type OrderError struct {
	OrderGroupID string         `json:"orderGroupId,omitzero"` // CartLineItem.OrderGroup
	Code         ErrorCode      `json:"code,omitzero"`
	Description  string         `json:"description,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

type (
	plainCart               Cart               // Cart without its methods
	plainCartCheckoutResult CartCheckoutResult // CartCheckoutResult without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (c Cart) MarshalJSON() ([]byte, error) { return Marshal(plainCart(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *Cart) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainCart)(c)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c Cart) MarshalJSONTo(enc *jsontext.Encoder) error { return encode(enc, plainCart(c)) }

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Cart) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return decode(dec, (*plainCart)(c)) }

// MarshalJSON implements [encoding/json.Marshaler].
func (r CartCheckoutResult) MarshalJSON() ([]byte, error) {
	return Marshal(plainCartCheckoutResult(r))
}

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *CartCheckoutResult) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainCartCheckoutResult)(r))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (r CartCheckoutResult) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainCartCheckoutResult(r))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2. Where nothing was
// ordered, answers may leave the list of orders out.
func (r *CartCheckoutResult) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	err := decode(dec, (*plainCartCheckoutResult)(r))
	if err == nil && r.Orders == nil && r.OrderErrors != nil {
		r.Orders = []Order{}
	}
	return err
}

// CartsClient accesses the carts of a customer, which are found by their ids only. Get
// one from CustomerClient.Carts.
type CartsClient struct{ resource }

// ByID selects a cart.
func (c *CartsClient) ByID(id string) *CartClient {
	return &CartClient{c.id("cart id", id)}
}

// Create makes a cart and returns it with what the service adds: the ids and the order
// groups of its lines, their prices, and in CartLineItem.Error what is wrong with them. It
// buys nothing.
//
// The error is an [*Error]. Among its codes are, with status 400: 3000 for a cart without
// lines, 800002 for one with too many, 900126 for an unknown billing cycle, and 900169 for
// a currency in which nothing is sold. Errors about the customer are those of
// [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/create-a-cart
func (c *CartsClient) Create(ctx context.Context, cart *Cart) (*Cart, error) {
	return exchange[Cart](ctx, c.resource, request{method: http.MethodPost, in: cart})
}

// CartClient accesses a cart of a customer. Get one from [CartsClient.ByID].
type CartClient struct{ resource }

// Get returns the cart.
//
// The error is an [*Error] with status 404 and code 800008 for a cart that is unknown or
// has expired. Errors about the customer are those of [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/cart-resources
func (c *CartClient) Get(ctx context.Context) (*Cart, error) {
	return read[Cart](ctx, c.resource)
}

// Put replaces the lines of the cart and returns it as [CartsClient.Create] does. Send
// the whole cart, as Get returns it, with its changes: a line that is left out is removed.
// What the service sets is not changed, not even by a cart that has it.
//
// The error is an [*Error] with status 400 and code 800009 for a cart that was ordered
// already, 409 and code 800064 while the cart is being checked out, and as for
// [CartClient.Get] and [CartsClient.Create].
//
// https://learn.microsoft.com/partner-center/developer/update-a-cart
func (c *CartClient) Put(ctx context.Context, cart *Cart) (*Cart, error) {
	return exchange[Cart](ctx, c.resource, request{method: http.MethodPut, in: cart})
}

// CheckOut buys what is in the cart: it places an order for each order group. Groups
// that cannot be ordered are in OrderErrors of the result, which is no error of CheckOut.
//
// A cart is bought once. Checking it out again, in any way, returns the first result, and
// tries again what was not ordered. That is how to go on after an error that leaves the
// outcome open ([Unsettled]).
//
// The error is an [*Error] with status 400 and code 800009 for a cart without lines or
// with a line that has an error, 404 and code 400019 for an item that is no longer sold
// under its id, 409 and code 800064 while the cart is being checked out or changed, and as
// for [CartClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/checkout-a-cart
func (c *CartClient) CheckOut(ctx context.Context, opts ...OrderCreateOption) (*CartCheckoutResult, error) {
	header, err := headerOf(opts, "ForCustomerUser")
	if err != nil {
		return nil, err
	}
	checkout := c.name("checkout")
	return exchange[CartCheckoutResult](ctx, checkout, request{method: http.MethodPost, header: header})
}

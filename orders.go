package partnercenter

import (
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
	Status                          string                       `json:"status,omitzero"` // Fulfilled, Unfulfilled, PrefulfillmentPending, in any case
	QuantityProvisioningInformation []QuantityProvisioningStatus `json:"quantityProvisioningInformation,omitzero"`
	Extra                           jsontext.Value               `json:",embed"`
}

// QuantityProvisioningStatus is the share of a line's quantity in one state.
type QuantityProvisioningStatus struct {
	Quantity *int           `json:"quantity,omitzero"`
	Status   string         `json:"status,omitzero"`
	Extra    jsontext.Value `json:",embed"`
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

// AttachmentMetadata describes the purchase order that is attached to an
// order; it is the "metadata" part of the upload.
type AttachmentMetadata struct {
	IsPartOfTender *bool          `json:"isPartOfTender,omitzero"` // samples also write isPartofTender
	CustomerPrice  string         `json:"customerPrice,omitzero"`  // decimal text
	Currency       string         `json:"currency,omitzero"`       // ISO 4217
	FxRate         string         `json:"fxRate,omitzero"`         // decimal text
	TenderLink     string         `json:"tenderLink,omitzero"`
	Extra          jsontext.Value `json:",embed"`
}

// OrderAttachment is a file attached to an order.
type OrderAttachment struct {
	AttachmentID   string         `json:"attachmentId,omitzero"` // 14 hex digits
	FileName       string         `json:"fileName,omitzero"`
	SizeInKB       *int           `json:"sizeInKB,omitzero"`
	AttachmentType string         `json:"attachmentType,omitzero"` // POAttachment, TenderAttachment
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

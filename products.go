package partnercenter

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Product is a product of the catalog. What can be ordered is an
// [Availability] of one of its SKUs.
//
// https://learn.microsoft.com/partner-center/developer/product-resources
type Product struct {
	ID                  string               `json:"id,omitzero"`
	Title               string               `json:"title,omitzero"`
	Description         string               `json:"description,omitzero"`
	ProductType         *ItemType            `json:"productType,omitzero"`
	IsMicrosoftProduct  *bool                `json:"isMicrosoftProduct,omitzero"`
	PublisherName       string               `json:"publisherName,omitzero"`
	Links               *ProductLinks        `json:"links,omitzero"`
	LocalizedAttributes []LocalizedAttribute `json:"localizedAttributes,omitzero"` // undocumented
	Extra               jsontext.Value       `json:",embed"`
}

// ItemType is the type of a [Product]. Azure with the sub-type SaaS is a
// product of the commercial marketplace.
type ItemType struct {
	ID          string         `json:"id,omitzero"`
	DisplayName string         `json:"displayName,omitzero"`
	SubType     *ItemType      `json:"subType,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// LocalizedAttribute is a text of a [Product] in the caller's language.
type LocalizedAttribute struct {
	Key   string         `json:"key,omitzero"`
	Value string         `json:"value,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// ProductLinks are the links of a [Product].
type ProductLinks struct {
	SKUs  *Link          `json:"skus,omitzero"`
	Self  *Link          `json:"self,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// SKU is a stock keeping unit: one form of a [Product] that is sold.
//
// https://learn.microsoft.com/partner-center/developer/product-resources#sku
type SKU struct {
	ID          string `json:"id,omitzero"` // unique inside the product only
	ProductID   string `json:"productId,omitzero"`
	Title       string `json:"title,omitzero"`
	Description string `json:"description,omitzero"`
	// MinimumQuantity and MaximumQuantity are the limits of a line.
	MinimumQuantity        *int               `json:"minimumQuantity,omitzero"`
	MaximumQuantity        *int               `json:"maximumQuantity,omitzero"`
	IsTrial                *bool              `json:"isTrial,omitzero"`
	SupportedBillingCycles []BillingCycleType `json:"supportedBillingCycles,omitzero"`
	// PurchasePrerequisites are what has to be done before an order:
	// InventoryCheck, AzureSubscriptionRegistration,
	// MicrosoftCustomerAgreement, MicrosoftCloudAgreement.
	PurchasePrerequisites []string `json:"purchasePrerequisites,omitzero"`
	// InventoryVariables are the keys that the context of an inventory check
	// has to have: CustomerId, AzureSubscriptionId, ArmRegionName.
	InventoryVariables []string `json:"inventoryVariables,omitzero"`
	// ProvisioningVariables are the keys that a line's provisioning context
	// has to have: Scope, SubscriptionId, Duration.
	ProvisioningVariables []string `json:"provisioningVariables,omitzero"`
	Actions               []string `json:"actions,omitzero"` // undocumented: Refund
	// DynamicAttributes differ from product to product; their values are any
	// JSON. [SKU.DynamicAttribute] reads plain ones.
	DynamicAttributes map[string]jsontext.Value `json:"dynamicAttributes,omitzero"`
	Links             *SKULinks                 `json:"links,omitzero"`
	Extra             jsontext.Value            `json:",embed"`
}

// DynamicAttribute returns a dynamic attribute as text: that of a string, else
// the JSON as it stands. It is empty when there is none of that name.
func (s *SKU) DynamicAttribute(name string) string {
	value := s.DynamicAttributes[name]
	if value.Kind() != jsontext.KindString {
		return string(value)
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return string(value)
	}
	return string(text)
}

// SKULinks are the links of a [SKU].
type SKULinks struct {
	Availabilities *Link          `json:"availabilities,omitzero"`
	Self           *Link          `json:"self,omitzero"`
	Extra          jsontext.Value `json:",embed"`
}

// Availability is a [SKU] as it is sold in a country and to a segment. Its
// CatalogItemID is what an order's or a cart's line names.
//
// https://learn.microsoft.com/partner-center/developer/product-resources#availability
type Availability struct {
	ID        string `json:"id,omitzero"` // changes now and then: do not store it
	ProductID string `json:"productId,omitzero"`
	SKUID     string `json:"skuId,omitzero"`
	// CatalogItemID is product:sku:availability. It is as short-lived as ID.
	CatalogItemID   string        `json:"catalogItemId,omitzero"`
	DefaultCurrency *CurrencyInfo `json:"defaultCurrency,omitzero"`
	Segment         TargetSegment `json:"segment,omitzero"`
	Country         string        `json:"country,omitzero"` // ISO 3166 alpha-2
	IsPurchasable   *bool         `json:"isPurchasable,omitzero"`
	IsRenewable     *bool         `json:"isRenewable,omitzero"`
	// RenewalInstructions and IncludedQuantityOptions came later and are not
	// described further.
	RenewalInstructions     jsontext.Value     `json:"renewalInstructions,omitzero"`
	IncludedQuantityOptions jsontext.Value     `json:"includedQuantityOptions,omitzero"`
	Terms                   []AvailabilityTerm `json:"terms,omitzero"`
	Product                 *Product           `json:"product,omitzero"` // may be empty
	SKU                     *SKU               `json:"sku,omitzero"`     // may be empty
	Links                   *ResourceLinks     `json:"links,omitzero"`
	Extra                   jsontext.Value     `json:",embed"`
}

// CurrencyInfo is a currency.
type CurrencyInfo struct {
	Code   string         `json:"code,omitzero"` // ISO 4217
	Symbol string         `json:"symbol,omitzero"`
	Extra  jsontext.Value `json:",embed"`
}

// AvailabilityTerm is a time that an [Availability] is sold for.
type AvailabilityTerm struct {
	Duration    string         `json:"duration"` // P1M, P1Y, P3Y; empty for ever
	Description string         `json:"description,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// TargetView selects the products of a list.
type TargetView string

// The documented views.
const (
	TargetViewAzure                     TargetView = "Azure"
	TargetViewAzureReservations         TargetView = "AzureReservations"
	TargetViewAzureReservationsVM       TargetView = "AzureReservationsVM"
	TargetViewAzureReservationsSQL      TargetView = "AzureReservationsSQL"
	TargetViewAzureReservationsCosmosDB TargetView = "AzureReservationsCosmosDb"
	TargetViewMicrosoftAzure            TargetView = "MicrosoftAzure" // usage: the legacy offer and the Azure plan
	TargetViewOnlineServices            TargetView = "OnlineServices" // those of other publishers too
	TargetViewSoftware                  TargetView = "Software"
	TargetViewSoftwareSUSELinux         TargetView = "SoftwareSUSELinux"
	TargetViewSoftwarePerpetual         TargetView = "SoftwarePerpetual"
	TargetViewSoftwareSubscriptions     TargetView = "SoftwareSubscriptions"
)

var targetViews = []TargetView{
	TargetViewAzure, TargetViewAzureReservations, TargetViewAzureReservationsVM, TargetViewAzureReservationsSQL,
	TargetViewAzureReservationsCosmosDB, TargetViewMicrosoftAzure, TargetViewOnlineServices, TargetViewSoftware,
	TargetViewSoftwareSUSELinux, TargetViewSoftwarePerpetual, TargetViewSoftwareSubscriptions,
}

// TargetViews returns the documented views.
func TargetViews() []TargetView { return append([]TargetView(nil), targetViews...) }

// Normalize returns the constant that v spells, or v unchanged.
func (v TargetView) Normalize() TargetView { return normalize(v, targetViews) }

// TargetSegment is a group of customers that prices and products are made for.
type TargetSegment string

// The documented segments.
const (
	TargetSegmentCommercial TargetSegment = "commercial"
	TargetSegmentEducation  TargetSegment = "education"
	TargetSegmentGovernment TargetSegment = "government"
	TargetSegmentNonprofit  TargetSegment = "nonprofit"
)

var targetSegments = []TargetSegment{
	TargetSegmentCommercial, TargetSegmentEducation, TargetSegmentGovernment, TargetSegmentNonprofit,
}

// TargetSegments returns the documented segments.
func TargetSegments() []TargetSegment { return append([]TargetSegment(nil), targetSegments...) }

// Normalize returns the constant that s spells, or s unchanged.
func (s TargetSegment) Normalize() TargetSegment { return normalize(s, targetSegments) }

// ReservationScope selects Azure reservations by what they are bought under.
type ReservationScope string

// ReservationScopeAzurePlan selects the reservations for Azure plans. Without
// a scope the service lists those for legacy Azure subscriptions.
const ReservationScopeAzurePlan ReservationScope = "AzurePlan"

// InventoryCheckRequest asks whether SKUs can be bought now.
//
// https://learn.microsoft.com/partner-center/developer/check-inventory
type InventoryCheckRequest struct {
	TargetItems []InventoryItem `json:"targetItems,omitzero"`
	// InventoryContext holds what the SKUs' inventory variables ask for:
	// customerId, azureSubscriptionId, armRegionName. Keys are read in any
	// case.
	InventoryContext map[string]string `json:"inventoryContext,omitzero"`
	Extra            jsontext.Value    `json:",embed"`
}

// InventoryItem is a SKU whose stock is asked for, and the answer.
type InventoryItem struct {
	ProductID string `json:"productId,omitzero"`
	SKUID     string `json:"skuId,omitzero"` // empty in a request asks for all of the product's
	// IsRestricted and Restrictions are in answers only.
	IsRestricted *bool                  `json:"isRestricted,omitzero"`
	Restrictions []InventoryRestriction `json:"restrictions,omitzero"` // empty when the SKU can be bought
	Extra        jsontext.Value         `json:",embed"`
}

// InventoryRestriction says why a SKU cannot be bought.
type InventoryRestriction struct {
	ReasonCode  string            `json:"reasonCode,omitzero"` // such as NotAvailableForSubscription
	Description string            `json:"description,omitzero"`
	Properties  map[string]string `json:"properties,omitzero"`
	Extra       jsontext.Value    `json:",embed"`
}

type (
	plainProduct      Product      // Product without its methods
	plainSKU          SKU          // SKU without its methods
	plainAvailability Availability // Availability without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (p Product) MarshalJSON() ([]byte, error) { return Marshal(plainProduct(p)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (p *Product) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainProduct)(p)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (p Product) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainProduct(p))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (p *Product) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainProduct)(p), decodeOptions)
}

// MarshalJSON implements [encoding/json.Marshaler].
func (s SKU) MarshalJSON() ([]byte, error) { return Marshal(plainSKU(s)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (s *SKU) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainSKU)(s)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (s SKU) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainSKU(s))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (s *SKU) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainSKU)(s), decodeOptions)
}

// MarshalJSON implements [encoding/json.Marshaler].
func (a Availability) MarshalJSON() ([]byte, error) { return Marshal(plainAvailability(a)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (a *Availability) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainAvailability)(a))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (a Availability) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainAvailability(a))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (a *Availability) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainAvailability)(a), decodeOptions)
}

package partnercenter

import (
	"context"
	"iter"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Product is a product of the catalog. An order names an [Availability] of one
// of its SKUs.
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

// LocalizedAttribute is a localized text of a [Product].
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

// SKU is a stock keeping unit, a form in which a [Product] is sold.
//
// https://learn.microsoft.com/partner-center/developer/product-resources#sku
type SKU struct {
	ID          string `json:"id,omitzero"` // unique within the product only
	ProductID   string `json:"productId,omitzero"`
	Title       string `json:"title,omitzero"`
	Description string `json:"description,omitzero"`
	// MinimumQuantity and MaximumQuantity are the limits of a line.
	MinimumQuantity        *int               `json:"minimumQuantity,omitzero"`
	MaximumQuantity        *int               `json:"maximumQuantity,omitzero"`
	IsTrial                *bool              `json:"isTrial,omitzero"`
	SupportedBillingCycles []BillingCycleType `json:"supportedBillingCycles,omitzero"`
	// PurchasePrerequisites are the conditions for an order: InventoryCheck,
	// AzureSubscriptionRegistration, MicrosoftCustomerAgreement,
	// MicrosoftCloudAgreement.
	PurchasePrerequisites []string `json:"purchasePrerequisites,omitzero"`
	// InventoryVariables are the required keys of an inventory check's context:
	// CustomerId, AzureSubscriptionId, ArmRegionName.
	InventoryVariables []string `json:"inventoryVariables,omitzero"`
	// ProvisioningVariables are the required keys of a line's provisioning
	// context: Scope, SubscriptionId, Duration.
	ProvisioningVariables []string `json:"provisioningVariables,omitzero"`
	Actions               []string `json:"actions,omitzero"` // undocumented: Refund
	// AttestationProperties say what the customer has to attest to buy it.
	AttestationProperties *AttestationProperties `json:"attestationProperties,omitzero"`
	// DynamicAttributes vary by product. Their values are arbitrary JSON;
	// [SKU.DynamicAttribute] returns them as text.
	DynamicAttributes map[string]jsontext.Value `json:"dynamicAttributes,omitzero"`
	Links             *SKULinks                 `json:"links,omitzero"`
	Extra             jsontext.Value            `json:",embed"`
}

// AttestationProperties are what a customer has to attest to buy something.
type AttestationProperties struct {
	AttestationType    string         `json:"attestationType,omitzero"`
	EnforceAttestation *bool          `json:"enforceAttestation,omitzero"` // lines must accept it
	Extra              jsontext.Value `json:",embed"`
}

// DynamicAttribute returns a dynamic attribute: the text of a string, or the
// JSON of any other value. It is empty if there is no such attribute.
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

// Availability is the terms on which a [SKU] is sold in a country and to a
// segment. A line of an order or cart names its CatalogItemID.
//
// https://learn.microsoft.com/partner-center/developer/product-resources#availability
type Availability struct {
	ID        string `json:"id,omitzero"` // changes over time: do not store it
	ProductID string `json:"productId,omitzero"`
	SKUID     string `json:"skuId,omitzero"`
	// CatalogItemID is product:sku:availability. It changes with ID.
	CatalogItemID   string        `json:"catalogItemId,omitzero"`
	DefaultCurrency *CurrencyInfo `json:"defaultCurrency,omitzero"`
	Segment         TargetSegment `json:"segment,omitzero"`
	Country         string        `json:"country,omitzero"` // ISO 3166 alpha-2
	IsPurchasable   *bool         `json:"isPurchasable,omitzero"`
	IsRenewable     *bool         `json:"isRenewable,omitzero"`
	// RenewalInstructions say what the Terms renew to.
	RenewalInstructions []RenewalInstruction `json:"renewalInstructions,omitzero"`
	// IncludedQuantityOptions are newer and undocumented. Microsoft's samples read units and
	// a description of each.
	IncludedQuantityOptions jsontext.Value `json:"includedQuantityOptions,omitzero"`
	// Terms are those that it is sold for, one for each duration and billing cycle.
	Terms   []AvailabilityTerm `json:"terms,omitzero"`
	Product *Product           `json:"product,omitzero"` // may be empty
	SKU     *SKU               `json:"sku,omitzero"`     // may be empty
	Links   *ResourceLinks     `json:"links,omitzero"`
	Extra   jsontext.Value     `json:",embed"`
}

// CurrencyInfo is a currency.
type CurrencyInfo struct {
	Code   string         `json:"code,omitzero"` // ISO 4217
	Symbol string         `json:"symbol,omitzero"`
	Extra  jsontext.Value `json:",embed"`
}

// AvailabilityTerm is a term for which an [Availability] is sold, and how often
// it is billed.
type AvailabilityTerm struct {
	ID           string           `json:"id,omitzero"`
	Duration     string           `json:"duration"` // P1M, P1Y, P3Y; empty if perpetual
	Description  string           `json:"description,omitzero"`
	BillingCycle BillingCycleType `json:"billingCycle,omitzero"` // spelled Monthly, Annual
	// CancellationPolicies say what is refunded; absent if nothing is.
	CancellationPolicies []CancellationPolicy `json:"cancellationPolicies,omitzero"`
	Extra                jsontext.Value       `json:",embed"`
}

// CancellationPolicy says what is refunded when a purchase is cancelled.
type CancellationPolicy struct {
	RefundOptions []CancellationRefundOption `json:"refundOptions,omitzero"`
	Extra         jsontext.Value             `json:",embed"`
}

// CancellationRefundOption is a refund that is given for some time after the
// purchase.
type CancellationRefundOption struct {
	SequenceID   *int           `json:"sequenceId,omitzero"` // position among the options
	Type         RefundType     `json:"type,omitzero"`
	ExpiresAfter string         `json:"expiresAfter,omitzero"` // ISO 8601: P1D; absent if never
	Extra        jsontext.Value `json:",embed"`
}

// RenewalInstruction says what some terms of an [Availability] renew to.
type RenewalInstruction struct {
	ApplicableTermIDs []string        `json:"applicableTermIds,omitzero"`
	RenewalOptions    []RenewalOption `json:"renewalOptions,omitzero"`
	Extra             jsontext.Value  `json:",embed"`
}

// RenewalOption is a SKU to renew to.
type RenewalOption struct {
	RenewToID       string         `json:"renewToId,omitzero"` // product:sku
	IsAutoRenewable *bool          `json:"isAutoRenewable,omitzero"`
	Extra           jsontext.Value `json:",embed"`
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
	TargetViewMicrosoftAzure            TargetView = "MicrosoftAzure" // usage-based: the legacy offer and the Azure plan
	TargetViewOnlineServices            TargetView = "OnlineServices" // including those of other publishers
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

// Known reports whether v spells a documented value.
func (v TargetView) Known() bool { return isKnown(v, targetViews) }

// TargetSegment is a group of customers with its own products and prices.
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

// Known reports whether s spells a documented value.
func (s TargetSegment) Known() bool { return isKnown(s, targetSegments) }

// ReservationScope selects Azure reservations by the kind of subscription that they
// are bought under.
type ReservationScope string

// ReservationScopeAzurePlan selects reservations for Azure plans. Without a
// scope the service lists those for legacy Azure subscriptions.
const ReservationScopeAzurePlan ReservationScope = "AzurePlan"

var reservationScopes = []ReservationScope{ReservationScopeAzurePlan}

// Normalize returns the constant that s spells, or s unchanged.
func (s ReservationScope) Normalize() ReservationScope { return normalize(s, reservationScopes) }

// Known reports whether s spells a documented value.
func (s ReservationScope) Known() bool { return isKnown(s, reservationScopes) }

// InventoryCheckRequest asks whether SKUs can be bought now.
//
// https://learn.microsoft.com/partner-center/developer/check-inventory
type InventoryCheckRequest struct {
	TargetItems []InventoryItem `json:"targetItems,omitzero"`
	// InventoryContext has a value for each of the SKUs' inventory variables:
	// customerId, azureSubscriptionId, armRegionName. The case of keys is
	// ignored.
	InventoryContext map[string]string `json:"inventoryContext,omitzero"`
	Extra            jsontext.Value    `json:",embed"`
}

// InventoryItem is a SKU to check, and in answers its inventory.
type InventoryItem struct {
	ProductID string `json:"productId,omitzero"`
	SKUID     string `json:"skuId,omitzero"` // in a request, empty means all SKUs of the product
	// IsRestricted and Restrictions are only set in answers.
	IsRestricted *bool                  `json:"isRestricted,omitzero"`
	Restrictions []InventoryRestriction `json:"restrictions,omitzero"` // empty if the SKU can be bought
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
	return encode(enc, plainProduct(p))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (p *Product) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainProduct)(p))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (s SKU) MarshalJSON() ([]byte, error) { return Marshal(plainSKU(s)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (s *SKU) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainSKU)(s)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (s SKU) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainSKU(s))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (s *SKU) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainSKU)(s))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (a Availability) MarshalJSON() ([]byte, error) { return Marshal(plainAvailability(a)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (a *Availability) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainAvailability)(a))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (a Availability) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainAvailability(a))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (a *Availability) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainAvailability)(a))
}

// CatalogListClient accesses a limited list of products, SKUs or availabilities. Get one
// from [ProductsClient.ByTargetView], or from ByTargetSegment or ByReservationScope, which
// can be combined.
type CatalogListClient[T any] struct{ resource }

// ByTargetSegment limits the list to what is sold to a segment.
func (c *CatalogListClient[T]) ByTargetSegment(segment TargetSegment) *CatalogListClient[T] {
	return &CatalogListClient[T]{c.option(option{"targetSegment", string(segment.Normalize()), "target segment", "ByTargetSegment"})}
}

// ByReservationScope selects reservations by scope.
func (c *CatalogListClient[T]) ByReservationScope(scope ReservationScope) *CatalogListClient[T] {
	return &CatalogListClient[T]{c.option(option{"reservationScope", string(scope), "reservation scope", "ByReservationScope"})}
}

// Get returns the list.
//
// The error for products is an [*Error] with status 403: code 400036 for a view and 400030
// for a segment that is not allowed, 2030 for a country in which the partner does not
// sell. Errors about the customer are those of [OrdersClient.Get]. For SKUs and
// availabilities it is as for [SKUsClient.Get] and [AvailabilitiesClient.Get].
func (c *CatalogListClient[T]) Get(ctx context.Context) (*Collection[*T], error) {
	return readList[T](ctx, c.resource)
}

// All yields what Get returns, following links to next pages, if any, with the checks of
// [CustomersClient.All].
func (c *CatalogListClient[T]) All(ctx context.Context) iter.Seq2[*T, error] {
	return readAll[T](ctx, c.resource)
}

// ProductsClient accesses the products of a country, or those that a customer
// can buy. Get one from Client.Products or CustomerClient.Products.
type ProductsClient struct{ resource }

// ByTargetView selects a list of products; every list is of one view.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-products
func (c *ProductsClient) ByTargetView(view TargetView) *CatalogListClient[Product] {
	return &CatalogListClient[Product]{c.option(option{"targetView", string(view.Normalize()), "target view", "ByTargetView"})}
}

// ByID selects a product. The case of the id is ignored.
func (c *ProductsClient) ByID(id string) *ProductClient {
	product := c.id("product id", id)
	return &ProductClient{SKUs: &SKUsClient{product.name("skus")}, resource: product}
}

// ProductClient accesses a product. Get one from [ProductsClient.ByID].
type ProductClient struct {
	// SKUs are the product's SKUs.
	SKUs *SKUsClient

	resource
}

// Get returns the product. The error is an [*Error] with status 404 and code
// 400013 if it is unknown or not sold in the country.
//
// https://learn.microsoft.com/partner-center/developer/get-a-product-by-id
func (c *ProductClient) Get(ctx context.Context) (*Product, error) {
	return read[Product](ctx, c.resource)
}

// SKUsClient accesses the SKUs of a product. Get one from ProductClient.SKUs.
type SKUsClient struct{ resource }

// ByTargetSegment limits the list to the SKUs sold to a segment.
func (c *SKUsClient) ByTargetSegment(segment TargetSegment) *CatalogListClient[SKU] {
	return c.list().ByTargetSegment(segment)
}

// ByReservationScope selects reservations by scope.
func (c *SKUsClient) ByReservationScope(scope ReservationScope) *CatalogListClient[SKU] {
	return c.list().ByReservationScope(scope)
}

func (c *SKUsClient) list() *CatalogListClient[SKU] { return &CatalogListClient[SKU]{c.resource} }

// ByID selects a SKU. Ids are unique within the product only.
func (c *SKUsClient) ByID(id string) *SKUClient {
	sku := c.id("SKU id", id)
	return &SKUClient{Availabilities: &AvailabilitiesClient{sku.name("availabilities")}, resource: sku}
}

// Get returns the product's SKUs. Errors about the product are those of
// [ProductClient.Get], about the segment those of
// [CatalogListClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-skus-for-a-product
func (c *SKUsClient) Get(ctx context.Context) (*Collection[*SKU], error) {
	return readList[SKU](ctx, c.resource)
}

// All yields the SKUs that [SKUsClient.Get] returns, following links to next
// pages, if any, with the checks of [CustomersClient.All].
func (c *SKUsClient) All(ctx context.Context) iter.Seq2[*SKU, error] {
	return readAll[SKU](ctx, c.resource)
}

// SKUClient accesses a SKU. Get one from [SKUsClient.ByID].
type SKUClient struct {
	// Availabilities are the SKU's availabilities.
	Availabilities *AvailabilitiesClient

	resource
}

// Get returns the SKU. The error is an [*Error] with status 404: code 400013
// for an unknown product, 400018 for an unknown SKU.
//
// https://learn.microsoft.com/partner-center/developer/get-a-sku-by-id
func (c *SKUClient) Get(ctx context.Context) (*SKU, error) {
	return read[SKU](ctx, c.resource)
}

// AvailabilitiesClient accesses the availabilities of a SKU. Get one from
// SKUClient.Availabilities.
type AvailabilitiesClient struct{ resource }

// ByTargetSegment limits the list to the availabilities sold to a segment.
func (c *AvailabilitiesClient) ByTargetSegment(segment TargetSegment) *CatalogListClient[Availability] {
	return c.list().ByTargetSegment(segment)
}

// ByReservationScope selects reservations by scope.
func (c *AvailabilitiesClient) ByReservationScope(scope ReservationScope) *CatalogListClient[Availability] {
	return c.list().ByReservationScope(scope)
}

func (c *AvailabilitiesClient) list() *CatalogListClient[Availability] {
	return &CatalogListClient[Availability]{c.resource}
}

// ByID selects an availability.
func (c *AvailabilitiesClient) ByID(id string) *AvailabilityClient {
	return &AvailabilityClient{c.id("availability id", id)}
}

// Get returns the SKU's availabilities; orders name their CatalogItemID. Errors
// about the SKU are those of [SKUClient.Get], about the segment those of
// [CatalogListClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-availabilities-for-a-sku
func (c *AvailabilitiesClient) Get(ctx context.Context) (*Collection[*Availability], error) {
	return readList[Availability](ctx, c.resource)
}

// All yields the availabilities that [AvailabilitiesClient.Get] returns,
// following links to next pages, if any, with the checks of
// [CustomersClient.All].
func (c *AvailabilitiesClient) All(ctx context.Context) iter.Seq2[*Availability, error] {
	return readAll[Availability](ctx, c.resource)
}

// AvailabilityClient accesses an availability. Get one from
// [AvailabilitiesClient.ByID].
type AvailabilityClient struct{ resource }

// Get returns the availability. The error is an [*Error] with status 404 and
// code 400019 if it is unknown. Errors about the SKU are those of
// [SKUClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-availability-by-id
func (c *AvailabilityClient) Get(ctx context.Context) (*Availability, error) {
	return read[Availability](ctx, c.resource)
}

// ExtensionsClient groups calls that do not belong to a resource. Get it from
// Client.Extensions.
type ExtensionsClient struct {
	Product *CountrySelector[*ProductExtensionsClient]
}

// ProductExtensionsClient groups calls about products in a country. Get one
// from Client.Extensions.Product.
type ProductExtensionsClient struct{ resource }

// CheckInventory reports which of the requested SKUs can be bought now. An item
// without a SKU requests all SKUs of its product. Unknown SKUs are omitted.
//
// The error is an [*Error] with status 400 and code 3000 for a request without
// items, or with a context that lacks one of the SKUs' inventory variables.
//
// https://learn.microsoft.com/partner-center/developer/check-inventory
func (c *ProductExtensionsClient) CheckInventory(ctx context.Context, check *InventoryCheckRequest) ([]InventoryItem, error) {
	items, err := exchange[[]InventoryItem](ctx, c.name("checkinventory"), request{method: http.MethodPost, in: check})
	if err != nil {
		return nil, err
	}
	return *items, nil
}

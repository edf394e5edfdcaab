package partnercenter

import (
	"context"
	"iter"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Promotion is a discount on catalog items of new commerce, for some time.
//
// https://learn.microsoft.com/partner-center/developer/product-promotion-resources
type Promotion struct {
	ID          string               `json:"id,omitzero"` // product:sku:id
	Name        string               `json:"name,omitzero"`
	Description string               `json:"description,omitzero"`
	StartDate   Time                 `json:"startDate,omitzero"`
	EndDate     Time                 `json:"endDate,omitzero"`
	Properties  *PromotionProperties `json:"properties,omitzero"`
	// RequiredProducts are what it is a discount on, and how much.
	RequiredProducts []PromotionProduct `json:"requiredProducts,omitzero"`
	Extra            jsontext.Value     `json:",embed"`
}

// PromotionProperties are more about a [Promotion].
type PromotionProperties struct {
	// IsAutoApplicable says that it applies to purchases that do not name it.
	IsAutoApplicable *bool          `json:"isAutoApplicable,omitzero"`
	Extra            jsontext.Value `json:",embed"`
}

// PromotionProduct is a SKU that a [Promotion] is for, and the discount.
type PromotionProduct struct {
	ProductID       string          `json:"productId,omitzero"`
	SKUID           string          `json:"skuId,omitzero"`
	Term            *PromotionTerm  `json:"term,omitzero"`
	PricingPolicies []PricingPolicy `json:"pricingPolicies,omitzero"`
	Extra           jsontext.Value  `json:",embed"`
}

// PromotionTerm is the term and the billing cycle that a [Promotion] is for.
type PromotionTerm struct {
	Duration     string           `json:"duration,omitzero"` // P1M, P1Y, P3Y
	BillingCycle BillingCycleType `json:"billingCycle,omitzero"`
	Extra        jsontext.Value   `json:",embed"`
}

// PricingPolicy is the discount of a [Promotion].
type PricingPolicy struct {
	PolicyType PricingPolicyType `json:"policyType,omitzero"`
	Value      string            `json:"value,omitzero"` // of PercentDiscount: 0.05 is 5 %
	Extra      jsontext.Value    `json:",embed"`
}

// PricingPolicyType is how a [PricingPolicy] changes a price.
type PricingPolicyType string

// PricingPolicyTypePercentDiscount is the documented type.
const PricingPolicyTypePercentDiscount PricingPolicyType = "PercentDiscount"

var pricingPolicyTypes = []PricingPolicyType{PricingPolicyTypePercentDiscount}

// Normalize returns the constant that t spells, or t unchanged.
func (t PricingPolicyType) Normalize() PricingPolicyType { return normalize(t, pricingPolicyTypes) }

// Known reports whether t spells a documented value.
func (t PricingPolicyType) Known() bool { return isKnown(t, pricingPolicyTypes) }

// PromotionEligibilitiesRequest asks which promotions apply to purchases.
//
// https://learn.microsoft.com/partner-center/developer/post-promotion-eligibilities
type PromotionEligibilitiesRequest struct {
	Items []PromotionEligibilities `json:"items,omitzero"`
	Extra jsontext.Value           `json:",embed"`
}

// PromotionEligibilities is a purchase, and in answers which promotions apply to it.
type PromotionEligibilities struct {
	ID            *int             `json:"id,omitzero"`            // the caller's number
	CatalogItemID string           `json:"catalogItemId,omitzero"` // product:sku:availability
	Quantity      *int             `json:"quantity,omitzero"`
	TermDuration  string           `json:"termDuration,omitzero"` // P1M, P1Y, P3Y
	BillingCycle  BillingCycleType `json:"billingCycle,omitzero"`
	PromotionID   string           `json:"promotionId,omitzero"` // in a request, empty means all promotions
	// Eligibilities are only set in answers.
	Eligibilities []PromotionEligibility `json:"eligibilities,omitzero"`
	Extra         jsontext.Value         `json:",embed"`
}

// PromotionEligibility says whether a promotion applies to a purchase.
type PromotionEligibility struct {
	PromotionID string           `json:"promotionId,omitzero"`
	IsEligible  *bool            `json:"isEligible,omitzero"`
	Errors      []PromotionError `json:"errors,omitzero"` // the reasons if it does not
	Extra       jsontext.Value   `json:",embed"`
}

// PromotionError is a reason why a promotion does not apply.
type PromotionError struct {
	Type        PromotionErrorType `json:"type,omitzero"`
	Description string             `json:"description,omitzero"`
	// MinimumRequiredSeats, MaximumRequiredSeats and AvailableSeats are of type SeatCount.
	MinimumRequiredSeats *int           `json:"minimumRequiredSeats,omitzero"`
	MaximumRequiredSeats *int           `json:"maximumRequiredSeats,omitzero"`
	AvailableSeats       *int           `json:"availableSeats,omitzero"`
	Extra                jsontext.Value `json:",embed"`
}

// PromotionErrorType is the kind of a [PromotionError].
type PromotionErrorType string

// The documented types.
const (
	PromotionErrorTypeInvalidCatalogItemID     PromotionErrorType = "InvalidCatalogItemId"
	PromotionErrorTypeInvalidPromotion         PromotionErrorType = "InvalidPromotion"
	PromotionErrorTypePrerequisiteOwnership    PromotionErrorType = "PrerequisiteProductOwnership"
	PromotionErrorTypeRedemptionLimit          PromotionErrorType = "RedemptionLimit"
	PromotionErrorTypeSeatCount                PromotionErrorType = "SeatCount"
	PromotionErrorTypeOfferPurchasedPreviously PromotionErrorType = "OfferPurchasedPreviously"
	PromotionErrorTypeTerm                     PromotionErrorType = "Term"
	PromotionErrorTypeNoneAvailable            PromotionErrorType = "NoPromotionsAvailable"
)

var promotionErrorTypes = []PromotionErrorType{
	PromotionErrorTypeInvalidCatalogItemID, PromotionErrorTypeInvalidPromotion, PromotionErrorTypePrerequisiteOwnership, PromotionErrorTypeRedemptionLimit,
	PromotionErrorTypeSeatCount, PromotionErrorTypeOfferPurchasedPreviously, PromotionErrorTypeTerm, PromotionErrorTypeNoneAvailable,
}

// PromotionErrorTypes returns the documented types.
func PromotionErrorTypes() []PromotionErrorType { return slices.Clone(promotionErrorTypes) }

// Normalize returns the constant that t spells, or t unchanged.
func (t PromotionErrorType) Normalize() PromotionErrorType { return normalize(t, promotionErrorTypes) }

// Known reports whether t spells a documented value.
func (t PromotionErrorType) Known() bool { return isKnown(t, promotionErrorTypes) }

// PromotionsClient accesses the promotions of a country. Get one from
// Client.ProductPromotions.
type PromotionsClient struct{ resource }

// BySegment limits the list to the promotions for a segment.
func (c *PromotionsClient) BySegment(segment TargetSegment) *PromotionListClient {
	return &PromotionListClient{c.option(option{"segment", string(segment.Normalize()), "segment", "BySegment"})}
}

// ByID selects a promotion. The case of the id is ignored.
func (c *PromotionsClient) ByID(id string) *PromotionClient {
	return &PromotionClient{c.id("promotion id", id)}
}

// Get returns the promotions that can be used now.
//
// The error is an [*Error] with status 403 and code 2030 for a country in which the
// partner does not sell.
//
// https://learn.microsoft.com/partner-center/developer/get-product-promotions
func (c *PromotionsClient) Get(ctx context.Context) (*Collection[*Promotion], error) {
	return readList[Promotion](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *PromotionsClient) All(ctx context.Context) iter.Seq2[*Promotion, error] {
	return readAll[Promotion](ctx, c.resource)
}

// PromotionListClient accesses the promotions for a segment. Get one from
// [PromotionsClient.BySegment].
type PromotionListClient struct{ resource }

// Get returns the list. The error is as for [PromotionsClient.Get], and has code 400030
// for a segment that is not allowed.
func (c *PromotionListClient) Get(ctx context.Context) (*Collection[*Promotion], error) {
	return readList[Promotion](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *PromotionListClient) All(ctx context.Context) iter.Seq2[*Promotion, error] {
	return readAll[Promotion](ctx, c.resource)
}

// PromotionClient accesses a promotion. Get one from [PromotionsClient.ByID].
type PromotionClient struct{ resource }

// Get returns the promotion, also one that is over or yet to come. The error is an
// [*Error] with status 404 and code 1000 if it is unknown.
//
// https://learn.microsoft.com/partner-center/developer/get-product-promotion-by-id
func (c *PromotionClient) Get(ctx context.Context) (*Promotion, error) {
	return read[Promotion](ctx, c.resource)
}

// PromotionEligibilitiesClient asks which promotions apply to purchases of a customer. Get
// one from CustomerClient.PromotionEligibilities.
type PromotionEligibilitiesClient struct{ resource }

// Check returns, for each purchase, which promotions apply to it: the one that it names,
// or all of the item.
//
// The error is an [*Error] with status 400 and code 3000 for a request without items, and
// as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/post-promotion-eligibilities
func (c *PromotionEligibilitiesClient) Check(ctx context.Context, r *PromotionEligibilitiesRequest) (*Collection[*PromotionEligibilities], error) {
	return exchange[Collection[*PromotionEligibilities]](ctx, c.resource, request{method: http.MethodPost, in: r})
}

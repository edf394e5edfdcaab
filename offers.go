package partnercenter

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Offer is a legacy offer: what an order's line names by one id, and what
// becomes a subscription.
//
// https://learn.microsoft.com/partner-center/developer/offer-resources
type Offer struct {
	// ID is a GUID for most offers; Azure's is MS-AZR-0145P. Compare without
	// case.
	ID          string `json:"id,omitzero"`
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// MinimumQuantity and MaximumQuantity are the limits of a line.
	MinimumQuantity *int           `json:"minimumQuantity,omitzero"`
	MaximumQuantity *int           `json:"maximumQuantity,omitzero"`
	Rank            *int           `json:"rank,omitzero"` // offers are shown in this order
	URI             string         `json:"uri,omitzero"`
	Locale          string         `json:"locale,omitzero"`  // of the texts, such as en-us, in any case
	Country         string         `json:"country,omitzero"` // ISO 3166 alpha-2
	Category        *OfferCategory `json:"category,omitzero"`
	// LimitUnitOfMeasure says what Limit counts: None, Concurrent or LifeTime.
	LimitUnitOfMeasure string `json:"limitUnitOfMeasure,omitzero"`
	// Limit is how many subscriptions of the offer a customer may have.
	Limit *int `json:"limit,omitzero"`
	// PrerequisiteOffers are the bases that an add-on is bought under.
	PrerequisiteOffers     []string            `json:"prerequisiteOffers,omitzero"`
	IsAddOn                *bool               `json:"isAddOn,omitzero"`
	HasAddOns              *bool               `json:"hasAddOns,omitzero"`
	IsAvailableForPurchase *bool               `json:"isAvailableForPurchase,omitzero"`
	Billing                BillingType         `json:"billing,omitzero"`
	SupportedBillingCycles []BillingCycleType  `json:"supportedBillingCycles,omitzero"`
	IsAutoRenewable        *bool               `json:"isAutoRenewable,omitzero"`
	IsInternal             *bool               `json:"isInternal,omitzero"`
	PartnerQualifications  []string            `json:"partnerQualifications,omitzero"`
	UpgradeTargetOffers    []string            `json:"upgradeTargetOffers,omitzero"`    // offers that a subscription can be upgraded to
	ConversionTargetOffers []string            `json:"conversionTargetOffers,omitzero"` // offers that a trial can be converted to
	ReselleeQualifications []string            `json:"reselleeQualifications,omitzero"`
	ResellerQualifications []string            `json:"resellerQualifications,omitzero"`
	SalesGroupID           string              `json:"salesGroupId,omitzero"` // offers of different groups are ordered apart
	Product                *OfferProduct       `json:"product,omitzero"`
	UnitType               string              `json:"unitType,omitzero"` // Licenses, Usage-based
	IsTrial                *bool               `json:"isTrial,omitzero"`
	Links                  *OfferLinks         `json:"links,omitzero"`
	Attributes             *ResourceAttributes `json:"attributes,omitzero"`
	Extra                  jsontext.Value      `json:",embed"`
}

// OfferProduct is the product that an [Offer] sells.
type OfferProduct struct {
	ID    string         `json:"id,omitzero"` // GUID
	Name  string         `json:"name,omitzero"`
	Unit  string         `json:"unit,omitzero"` // Licenses, Usage-based
	Extra jsontext.Value `json:",embed"`
}

// OfferLinks are the links of an [Offer].
type OfferLinks struct {
	// LearnMore leads to a web page, not into the API; its URI may be missing.
	LearnMore *Link          `json:"learnMore,omitzero"`
	Self      *Link          `json:"self,omitzero"`
	Next      *Link          `json:"next,omitzero"`
	Previous  *Link          `json:"previous,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// OfferCategory is a group of offers, such as those for small businesses.
//
// https://learn.microsoft.com/partner-center/developer/offer-resources#offercategory
type OfferCategory struct {
	ID         string              `json:"id,omitzero"` // such as SmallBusiness_Key
	Name       string              `json:"name,omitzero"`
	Rank       *int                `json:"rank,omitzero"` // categories are shown in this order
	Locale     string              `json:"locale,omitzero"`
	Country    string              `json:"country,omitzero"`
	Links      *ResourceLinks      `json:"links,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// BillingType is what an offer is billed by.
type BillingType string

// The documented billing types.
const (
	BillingTypeNone    BillingType = "none"
	BillingTypeUsage   BillingType = "usage"
	BillingTypeLicense BillingType = "license"
)

var billingTypes = []BillingType{BillingTypeNone, BillingTypeUsage, BillingTypeLicense}

// Normalize returns the constant that b spells, or b unchanged.
func (b BillingType) Normalize() BillingType { return normalize(b, billingTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (b *BillingType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, b) }

type (
	plainOffer         Offer         // Offer without its methods
	plainOfferCategory OfferCategory // OfferCategory without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (o Offer) MarshalJSON() ([]byte, error) { return Marshal(plainOffer(o)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (o *Offer) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainOffer)(o)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (o Offer) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainOffer(o))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (o *Offer) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainOffer)(o), decodeOptions)
}

// MarshalJSON implements [encoding/json.Marshaler].
func (c OfferCategory) MarshalJSON() ([]byte, error) { return Marshal(plainOfferCategory(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *OfferCategory) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainOfferCategory)(c))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c OfferCategory) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainOfferCategory(c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *OfferCategory) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainOfferCategory)(c), decodeOptions)
}

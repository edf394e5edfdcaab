package partnercenter

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Offer is a legacy offer, which a line of an order names by a single id.
//
// https://learn.microsoft.com/partner-center/developer/offer-resources
type Offer struct {
	// ID is a GUID for most offers; Azure's is MS-AZR-0145P. Compare ignoring
	// case.
	ID          string `json:"id,omitzero"`
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// MinimumQuantity and MaximumQuantity are the limits of a line.
	MinimumQuantity *int           `json:"minimumQuantity,omitzero"`
	MaximumQuantity *int           `json:"maximumQuantity,omitzero"`
	Rank            *int           `json:"rank,omitzero"` // offers are shown in this order
	URI             string         `json:"uri,omitzero"`
	Locale          string         `json:"locale,omitzero"`  // of the texts, such as en-us; its case varies
	Country         string         `json:"country,omitzero"` // ISO 3166 alpha-2
	Category        *OfferCategory `json:"category,omitzero"`
	// LimitUnitOfMeasure is the unit of Limit: None, Concurrent or LifeTime.
	LimitUnitOfMeasure string `json:"limitUnitOfMeasure,omitzero"`
	// Limit is the number of subscriptions of the offer that a customer may have.
	Limit *int `json:"limit,omitzero"`
	// PrerequisiteOffers are the base offers of an add-on.
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
	SalesGroupID           string              `json:"salesGroupId,omitzero"` // offers of different groups need separate orders
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
	// LearnMore links to a web page rather than the API. Its URI may be missing.
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

// BillingType says what an offer is billed by.
type BillingType string

// The documented billing types.
const (
	BillingTypeNone    BillingType = "none"
	BillingTypeUsage   BillingType = "usage"
	BillingTypeLicense BillingType = "license"
	BillingTypeBenefit BillingType = "benefit" // came with new commerce; older clients do not know it
)

var billingTypes = []BillingType{BillingTypeNone, BillingTypeUsage, BillingTypeLicense, BillingTypeBenefit}

// Normalize returns the constant that b spells, or b unchanged.
func (b BillingType) Normalize() BillingType { return normalize(b, billingTypes) }

// Known reports whether b spells a documented value.
func (b BillingType) Known() bool { return isKnown(b, billingTypes) }

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
	return encode(enc, plainOffer(o))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (o *Offer) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainOffer)(o))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (c OfferCategory) MarshalJSON() ([]byte, error) { return Marshal(plainOfferCategory(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *OfferCategory) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainOfferCategory)(c))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c OfferCategory) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainOfferCategory(c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *OfferCategory) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainOfferCategory)(c))
}

// CountrySelector selects a country for clients of the catalog.
type CountrySelector[T any] struct {
	sold resource // in no country
	of   func(resource) T
}

// sold returns a selector for the resource below fixed segments.
func sold[T any](c *Client, segments string, of func(resource) T) *CountrySelector[T] {
	return &CountrySelector[T]{resource{client: c}.name(segments), of}
}

// ByCountry selects a country by its ISO 3166 alpha-2 code.
func (s *CountrySelector[T]) ByCountry(country string) T {
	return s.of(s.sold.in(country))
}

// OffersQuery selects a page of offers. The zero value selects all offers.
type OffersQuery struct {
	Size   int // maximum number of offers; zero means no limit
	Offset int // number of offers to skip
}

// offers is a list of offers.
type offers struct{ resource }

// Query returns the page of the offers that q selects.
func (o offers) Query(ctx context.Context, q OffersQuery) (*Collection[*Offer], error) {
	return readList[Offer](ctx, o.page(q))
}

// All yields the offers page by page, with the checks of [CustomersClient.All].
func (o offers) All(ctx context.Context) iter.Seq2[*Offer, error] {
	return o.QueryAll(ctx, OffersQuery{})
}

// QueryAll yields all offers from q.Offset on, in pages of q.Size, with the
// checks of [CustomersClient.All]. A zero Size, and a larger one, means
// [DefaultPageSize]. After a first page that is full and links none, it goes on by offset.
func (o offers) QueryAll(ctx context.Context, q OffersQuery) iter.Seq2[*Offer, error] {
	q.Size = min(cmp.Or(q.Size, DefaultPageSize), DefaultPageSize) // no page is larger
	return paged(o.page(q), func() fetch[Offer] { return o.fetchAll(ctx, q) })
}

// fetchAll follows next pages. A first page that is full, and without a next one, may
// come from a service that links none: it pages by offset.
func (o offers) fetchAll(ctx context.Context, q OffersQuery) fetch[Offer] {
	next := linked[Offer](ctx, o.page(q))
	linksNone, before := true, "" // the first offer of the page before
	return func() (*Collection[*Offer], error) {
		page, err := next()
		switch {
		case err != nil || page == nil:
			return nil, err
		case len(page.Items) > 0 && page.Items[0].ID == before: // whatever the offset
			return nil, nil
		}
		linksNone = linksNone && len(page.Items) == q.Size && (page.Links == nil || page.Links.Next == nil)
		if linksNone {
			q.Offset, before = q.Offset+q.Size, page.Items[0].ID
			next = func() (*Collection[*Offer], error) { return readList[Offer](ctx, o.page(q)) }
		} else if before != "" {
			next = func() (*Collection[*Offer], error) { return nil, nil }
		}
		return page, nil
	}
}

func (o offers) page(q OffersQuery) resource {
	if (q.Size < 0 || q.Offset < 0) && o.err == nil {
		o.err = fmt.Errorf("partnercenter: size %d, offset %d: neither can be negative; zero means no limit and no offset", q.Size, q.Offset)
	}
	return o.with("size", number(q.Size)).with("offset", number(q.Offset))
}

// inCategory returns the offers of a category.
func (o offers) inCategory(id string) *OfferListClient {
	return &OfferListClient{offers{o.option(option{"offer_category_id", id, "category id", "ByCategory"})}}
}

// OfferListClient accesses the legacy offers of a category. Get one from
// [OffersClient.ByCategory] or [CustomerOffersClient.ByCategory].
type OfferListClient struct{ offers }

// Get returns the offers of the category in one answer, by rank. Errors are those of the
// list without the category.
func (c *OfferListClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// OffersClient accesses the legacy offers of a country. Get one from
// Client.Offers.
type OffersClient struct{ offers }

// ByCategory limits the list to the offers of a category.
func (c *OffersClient) ByCategory(id string) *OfferListClient { return c.inCategory(id) }

// ByID selects an offer. The case of the id is ignored.
func (c *OffersClient) ByID(id string) *OfferClient {
	offer := c.id("offer id", id)
	return &OfferClient{AddOns: &OfferAddOnsClient{offers{offer.name("addons")}}, resource: offer}
}

// Get returns the offers in one answer, by rank.
//
// The error is an [*Error] with status 400 and code 3000 for an invalid country
// or category, and 403 and code 2030 for a country in which the partner does
// not sell.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offers-for-a-market
func (c *OffersClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// CustomerOffersClient accesses the legacy offers that a customer can buy. Get
// one from CustomerClient.Offers.
type CustomerOffersClient struct{ offers }

// ByCategory limits the list to the offers of a category.
func (c *CustomerOffersClient) ByCategory(id string) *OfferListClient { return c.inCategory(id) }

// Get returns the offers in the customer's country in one answer, by rank.
// Errors about the customer are those of [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offers-for-a-market
func (c *CustomerOffersClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// OfferClient accesses an offer. Get one from [OffersClient.ByID].
type OfferClient struct {
	// AddOns are the add-ons of the offer.
	AddOns *OfferAddOnsClient

	resource
}

// Get returns the offer.
//
// The error is an [*Error] with status 400: code 800004 for an unknown offer,
// 2100 for an item of the products catalog, 800070 for an offer that is not
// sold in the country.
//
// https://learn.microsoft.com/partner-center/developer/get-an-offer-by-id
func (c *OfferClient) Get(ctx context.Context) (*Offer, error) {
	return read[Offer](ctx, c.resource)
}

// OfferAddOnsClient accesses the add-ons of an offer. Get one from
// OfferClient.AddOns.
type OfferAddOnsClient struct{ offers }

// Get returns the add-ons in one answer, by rank. Errors are those of
// [OfferClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-add-ons-for-an-offer
func (c *OfferAddOnsClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// OfferCategoriesClient accesses the categories of offers. Get one from
// Client.OfferCategories or CustomerClient.OfferCategories.
type OfferCategoriesClient struct{ resource }

// Get returns the categories, by rank. Errors about the country are those of
// [OffersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offer-categories-by-market
func (c *OfferCategoriesClient) Get(ctx context.Context) (*Collection[*OfferCategory], error) {
	return readList[OfferCategory](ctx, c.resource)
}

// All yields the categories that [OfferCategoriesClient.Get] returns, with the
// checks of [CustomersClient.All].
func (c *OfferCategoriesClient) All(ctx context.Context) iter.Seq2[*OfferCategory, error] {
	return readAll[OfferCategory](ctx, c.resource)
}

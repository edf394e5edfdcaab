package partnercenter

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strconv"
)

// CountrySelector reaches what is sold in a country.
type CountrySelector[T any] struct{ of func(country string) T }

// ByCountry reaches what is sold in a country, by its two letters.
func (s *CountrySelector[T]) ByCountry(country string) T { return s.of(country) }

// market is where a call looks at the catalog: a country, or a customer's.
type market struct {
	client      *Client
	forCustomer bool
	customerID  string
	country     string // unless it is for a customer
}

// address returns the address of an escaped path in the market. It adds the
// country to the query.
func (m market) address(path string, query url.Values) (string, error) {
	if m.forCustomer {
		customer, err := segment("customer id", m.customerID)
		if err != nil {
			return "", err
		}
		return m.client.url("/customers/"+customer+path, query), nil
	}
	if m.country == "" {
		return "", errors.New("partnercenter: the country is empty: pass its two letters, such as US, to ByCountry")
	}
	query.Set("country", m.country)
	return m.client.url(path, query), nil
}

// getFrom reads one resource of a market.
func getFrom[T any](ctx context.Context, m market, path string, query url.Values) (*T, error) {
	address, err := m.address(path, query)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := m.client.get(ctx, address, nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// OffersClient reaches the legacy offers of a country. Get it from
// Client.Offers.
type OffersClient struct{ list offerList }

// CustomerOffersClient reaches the legacy offers that a customer can buy. Get
// it from CustomerClient.Offers.
type CustomerOffersClient struct{ list offerList }

// OffersQuery selects a page of offers. The zero value selects all.
type OffersQuery struct {
	Size   int // how many at most; zero means no limit
	Offset int // how many to skip
}

// offerList is a list of offers, by category or not.
type offerList struct {
	market
	path     string
	category string // empty: all
}

func (l offerList) query(ctx context.Context, q OffersQuery) (*Collection[*Offer], error) {
	query := url.Values{}
	if l.category != "" {
		query.Set("offer_category_id", l.category)
	}
	if q.Size != 0 {
		query.Set("size", strconv.Itoa(q.Size))
	}
	if q.Offset != 0 {
		query.Set("offset", strconv.Itoa(q.Offset))
	}
	return getFrom[Collection[*Offer]](ctx, l.market, l.path, query)
}

func (l offerList) all(ctx context.Context) iter.Seq2[*Offer, error] {
	return paged(l.client, l.path, func() fetch[Offer] {
		return linked(ctx, l.client, func() (*Collection[*Offer], error) {
			return l.query(ctx, OffersQuery{Size: DefaultPageSize})
		})
	})
}

// ByCategory narrows the offers to those of one category, by its id. The empty
// id means all.
func (c *OffersClient) ByCategory(id string) *OffersClient {
	narrowed := *c
	narrowed.list.category = id
	return &narrowed
}

// ByID reaches one offer, by its id in any case.
func (c *OffersClient) ByID(id string) *OfferClient {
	return &OfferClient{
		AddOns: &OfferAddOnsClient{market: c.list.market, id: id},
		market: c.list.market,
		id:     id,
	}
}

// Get returns the offers in one answer, by rank.
//
// The error is an [*Error] with status 400 and code 3000 for what is no country
// or category, and 403 and code 2030 for a country that nothing is sold in.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offers-for-a-market
func (c *OffersClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// Query returns one page of the offers that [OffersClient.Get] returns.
func (c *OffersClient) Query(ctx context.Context, q OffersQuery) (*Collection[*Offer], error) {
	return c.list.query(ctx, q)
}

// All yields the offers page by page, with the checks of [CustomersClient.All].
func (c *OffersClient) All(ctx context.Context) iter.Seq2[*Offer, error] { return c.list.all(ctx) }

// ByCategory narrows the offers to those of one category, by its id. The empty
// id means all.
func (c *CustomerOffersClient) ByCategory(id string) *CustomerOffersClient {
	narrowed := *c
	narrowed.list.category = id
	return &narrowed
}

// Get returns the offers of the customer's country in one answer, by rank.
// Customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offers-for-a-market
func (c *CustomerOffersClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// Query returns one page of the offers that [CustomerOffersClient.Get] returns.
func (c *CustomerOffersClient) Query(ctx context.Context, q OffersQuery) (*Collection[*Offer], error) {
	return c.list.query(ctx, q)
}

// All yields the offers page by page, with the checks of [CustomersClient.All].
func (c *CustomerOffersClient) All(ctx context.Context) iter.Seq2[*Offer, error] {
	return c.list.all(ctx)
}

// OfferClient reaches one offer. Get it from [OffersClient.ByID].
type OfferClient struct {
	// AddOns are the offers that can be bought under this one.
	AddOns *OfferAddOnsClient

	market
	id string
}

// Get returns the offer.
//
// The error is an [*Error] with status 400: code 800004 for an unknown offer,
// 2100 for an item of the products catalog, 800070 for an offer that is not
// sold in the country.
//
// https://learn.microsoft.com/partner-center/developer/get-an-offer-by-id
func (c *OfferClient) Get(ctx context.Context) (*Offer, error) {
	id, err := segment("offer id", c.id)
	if err != nil {
		return nil, err
	}
	return getFrom[Offer](ctx, c.market, "/offers/"+id, url.Values{})
}

// OfferAddOnsClient reaches the add-ons of an offer. Get it from
// OfferClient.AddOns.
type OfferAddOnsClient struct {
	market
	id string
}

// Get returns the add-ons in one answer, by rank. Offers fail as they do for
// [OfferClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-add-ons-for-an-offer
func (c *OfferAddOnsClient) Get(ctx context.Context) (*Collection[*Offer], error) {
	return c.Query(ctx, OffersQuery{})
}

// Query returns one page of the add-ons.
func (c *OfferAddOnsClient) Query(ctx context.Context, q OffersQuery) (*Collection[*Offer], error) {
	list, err := c.list()
	if err != nil {
		return nil, err
	}
	return list.query(ctx, q)
}

// All yields the add-ons page by page, with the checks of
// [CustomersClient.All].
func (c *OfferAddOnsClient) All(ctx context.Context) iter.Seq2[*Offer, error] {
	list, err := c.list()
	if err != nil {
		return func(yield func(*Offer, error) bool) { yield(nil, err) }
	}
	return list.all(ctx)
}

func (c *OfferAddOnsClient) list() (offerList, error) {
	id, err := segment("offer id", c.id)
	return offerList{market: c.market, path: "/offers/" + id + "/addons"}, err
}

// OfferCategoriesClient reaches the categories of offers. Get it from
// Client.OfferCategories or CustomerClient.OfferCategories.
type OfferCategoriesClient struct{ market }

// Get returns the categories, by rank. Countries fail as they do for
// [OffersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-offer-categories-by-market
func (c *OfferCategoriesClient) Get(ctx context.Context) (*Collection[*OfferCategory], error) {
	return getFrom[Collection[*OfferCategory]](ctx, c.market, "/offercategories", url.Values{})
}

// All yields the categories that [OfferCategoriesClient.Get] returns, with the
// checks of [CustomersClient.All].
func (c *OfferCategoriesClient) All(ctx context.Context) iter.Seq2[*OfferCategory, error] {
	return paged(c.client, "/offercategories", func() fetch[OfferCategory] {
		return linked(ctx, c.client, func() (*Collection[*OfferCategory], error) { return c.Get(ctx) })
	})
}

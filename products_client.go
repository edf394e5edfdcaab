package partnercenter

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
)

// selection narrows lists of the catalog.
type selection struct {
	segment TargetSegment
	scope   ReservationScope
}

func (s selection) query() url.Values {
	query := url.Values{}
	if s.segment != "" {
		query.Set("targetSegment", string(s.segment.Normalize()))
	}
	if s.scope != "" {
		query.Set("reservationScope", string(s.scope))
	}
	return query
}

// ProductsClient reaches the products of a country or those that a customer can
// buy. Get it from Client.Products or CustomerClient.Products.
type ProductsClient struct {
	market
	selection
	view TargetView
}

// ByTargetView selects the products of a view. A list needs one.
func (c *ProductsClient) ByTargetView(view TargetView) *ProductsClient {
	narrowed := *c
	narrowed.view = view
	return &narrowed
}

// ByTargetSegment narrows the products to those sold to a segment. The empty
// segment means all.
func (c *ProductsClient) ByTargetSegment(segment TargetSegment) *ProductsClient {
	narrowed := *c
	narrowed.segment = segment
	return &narrowed
}

// ByReservationScope selects reservations by what they are bought under. The
// empty scope selects those for legacy Azure subscriptions.
func (c *ProductsClient) ByReservationScope(scope ReservationScope) *ProductsClient {
	narrowed := *c
	narrowed.scope = scope
	return &narrowed
}

// ByID reaches one product, by its id in any case.
func (c *ProductsClient) ByID(id string) *ProductClient {
	return &ProductClient{
		SKUs:   &SKUsClient{market: c.market, productID: id},
		market: c.market,
		id:     id,
	}
}

// Get returns the products of the view.
//
// The error is an [*Error] with status 403: code 400036 for a view and 400030
// for a segment that is not allowed, 2030 for a country that nothing is sold
// in. Customers fail as they do for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-products
func (c *ProductsClient) Get(ctx context.Context) (*Collection[*Product], error) {
	if c.view == "" {
		return nil, errors.New("partnercenter: the target view is empty: pass one, such as TargetViewOnlineServices, to ByTargetView")
	}
	query := c.query()
	query.Set("targetView", string(c.view.Normalize()))
	return getFrom[Collection[*Product]](ctx, c.market, "/products", query)
}

// All yields the products that [ProductsClient.Get] returns, following next
// pages if the service gives any, with the checks of [CustomersClient.All].
func (c *ProductsClient) All(ctx context.Context) iter.Seq2[*Product, error] {
	return paged(c.client, "/products", func() fetch[Product] {
		return linked(ctx, c.client, func() (*Collection[*Product], error) { return c.Get(ctx) })
	})
}

// ProductClient reaches one product. Get it from [ProductsClient.ByID].
type ProductClient struct {
	// SKUs are the forms that the product is sold in.
	SKUs *SKUsClient

	market
	id string
}

// Get returns the product. The error is an [*Error] with status 404 and code
// 400013 for one that is unknown or not sold in the country.
//
// https://learn.microsoft.com/partner-center/developer/get-a-product-by-id
func (c *ProductClient) Get(ctx context.Context) (*Product, error) {
	path, err := productPath(c.id)
	if err != nil {
		return nil, err
	}
	return getFrom[Product](ctx, c.market, path, url.Values{})
}

func productPath(id string) (string, error) {
	id, err := segment("product id", id)
	return "/products/" + id, err
}

// SKUsClient reaches the SKUs of a product. Get it from ProductClient.SKUs.
type SKUsClient struct {
	market
	selection
	productID string
}

// ByTargetSegment narrows the SKUs to those sold to a segment. The empty
// segment means all.
func (c *SKUsClient) ByTargetSegment(segment TargetSegment) *SKUsClient {
	narrowed := *c
	narrowed.segment = segment
	return &narrowed
}

// ByReservationScope selects reservations by what they are bought under.
func (c *SKUsClient) ByReservationScope(scope ReservationScope) *SKUsClient {
	narrowed := *c
	narrowed.scope = scope
	return &narrowed
}

// ByID reaches one SKU. Ids are unique inside the product only.
func (c *SKUsClient) ByID(id string) *SKUClient {
	return &SKUClient{
		Availabilities: &AvailabilitiesClient{market: c.market, productID: c.productID, skuID: id},
		market:         c.market,
		productID:      c.productID,
		id:             id,
	}
}

// Get returns the product's SKUs. Products fail as they do for
// [ProductClient.Get], segments as they do for [ProductsClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-skus-for-a-product
func (c *SKUsClient) Get(ctx context.Context) (*Collection[*SKU], error) {
	path, err := productPath(c.productID)
	if err != nil {
		return nil, err
	}
	return getFrom[Collection[*SKU]](ctx, c.market, path+"/skus", c.query())
}

// All yields the SKUs that [SKUsClient.Get] returns, following next pages if
// the service gives any, with the checks of [CustomersClient.All].
func (c *SKUsClient) All(ctx context.Context) iter.Seq2[*SKU, error] {
	return paged(c.client, "/products/"+c.productID+"/skus", func() fetch[SKU] {
		return linked(ctx, c.client, func() (*Collection[*SKU], error) { return c.Get(ctx) })
	})
}

// SKUClient reaches one SKU. Get it from [SKUsClient.ByID].
type SKUClient struct {
	// Availabilities are what can be ordered of the SKU.
	Availabilities *AvailabilitiesClient

	market
	productID, id string
}

// Get returns the SKU. The error is an [*Error] with status 404: code 400013
// for an unknown product, 400018 for an unknown SKU.
//
// https://learn.microsoft.com/partner-center/developer/get-a-sku-by-id
func (c *SKUClient) Get(ctx context.Context) (*SKU, error) {
	path, err := skuPath(c.productID, c.id)
	if err != nil {
		return nil, err
	}
	return getFrom[SKU](ctx, c.market, path, url.Values{})
}

func skuPath(productID, id string) (string, error) {
	product, err := productPath(productID)
	if err != nil {
		return "", err
	}
	id, err = segment("SKU id", id)
	return product + "/skus/" + id, err
}

// AvailabilitiesClient reaches the availabilities of a SKU. Get it from
// SKUClient.Availabilities.
type AvailabilitiesClient struct {
	market
	selection
	productID, skuID string
}

// ByTargetSegment narrows the availabilities to those for a segment. The empty
// segment means all.
func (c *AvailabilitiesClient) ByTargetSegment(segment TargetSegment) *AvailabilitiesClient {
	narrowed := *c
	narrowed.segment = segment
	return &narrowed
}

// ByReservationScope selects reservations by what they are bought under.
func (c *AvailabilitiesClient) ByReservationScope(scope ReservationScope) *AvailabilitiesClient {
	narrowed := *c
	narrowed.scope = scope
	return &narrowed
}

// ByID reaches one availability.
func (c *AvailabilitiesClient) ByID(id string) *AvailabilityClient {
	return &AvailabilityClient{market: c.market, productID: c.productID, skuID: c.skuID, id: id}
}

// Get returns the SKU's availabilities; their CatalogItemID is what an order
// names. SKUs fail as they do for [SKUClient.Get], segments as they do for
// [ProductsClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-availabilities-for-a-sku
func (c *AvailabilitiesClient) Get(ctx context.Context) (*Collection[*Availability], error) {
	path, err := skuPath(c.productID, c.skuID)
	if err != nil {
		return nil, err
	}
	return getFrom[Collection[*Availability]](ctx, c.market, path+"/availabilities", c.query())
}

// All yields the availabilities that [AvailabilitiesClient.Get] returns,
// following next pages if the service gives any, with the checks of
// [CustomersClient.All].
func (c *AvailabilitiesClient) All(ctx context.Context) iter.Seq2[*Availability, error] {
	return paged(c.client, "/products/"+c.productID+"/skus/"+c.skuID+"/availabilities", func() fetch[Availability] {
		return linked(ctx, c.client, func() (*Collection[*Availability], error) { return c.Get(ctx) })
	})
}

// AvailabilityClient reaches one availability. Get it from
// [AvailabilitiesClient.ByID].
type AvailabilityClient struct {
	market
	productID, skuID, id string
}

// Get returns the availability. The error is an [*Error] with status 404 and
// code 400019 for an unknown one; SKUs fail as they do for [SKUClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-an-availability-by-id
func (c *AvailabilityClient) Get(ctx context.Context) (*Availability, error) {
	path, err := skuPath(c.productID, c.skuID)
	if err != nil {
		return nil, err
	}
	id, err := segment("availability id", c.id)
	if err != nil {
		return nil, err
	}
	return getFrom[Availability](ctx, c.market, path+"/availabilities/"+id, url.Values{})
}

// ExtensionsClient reaches calls that belong to no resource. Get it from
// Client.Extensions.
type ExtensionsClient struct {
	Product *CountrySelector[*ProductExtensionsClient]
}

// ProductExtensionsClient reaches the calls about products in a country. Get it
// from Client.Extensions.Product.
type ProductExtensionsClient struct{ market }

// CheckInventory returns which SKUs can be bought now: those of the request, or
// all of a product that it names without a SKU. SKUs that are unknown are left
// out.
//
// The error is an [*Error] with status 400 and code 3000 for a request without
// items, or without what the SKUs' inventory variables ask for.
//
// https://learn.microsoft.com/partner-center/developer/check-inventory
func (c *ProductExtensionsClient) CheckInventory(ctx context.Context, request InventoryCheckRequest) ([]InventoryItem, error) {
	address, err := c.address("/extensions/product/checkinventory", url.Values{})
	if err != nil {
		return nil, err
	}
	var items []InventoryItem
	if err := c.client.send(ctx, http.MethodPost, address, nil, request, &items); err != nil {
		return nil, err
	}
	return items, nil
}

package server

import (
	"slices"
	"strconv"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// listProducts answers with the products of a view in a country.
func (s *Server) listProducts(c *call, sold salesCountry) (any, error) {
	value := c.query["targetview"]
	if value == "" {
		return nil, errBadQuery("targetView is missing", "send one of "+words.Join(partnercenter.TargetViews()))
	}
	view := partnercenter.TargetView(value).Normalize()
	if !slices.Contains(partnercenter.TargetViews(), view) {
		return nil, errView(value)
	}
	if err := s.checkSold(c, catalog.MerchandiseOf(view)); err != nil {
		return nil, err
	}
	selected, err := s.selection(c)
	if err != nil {
		return nil, err
	}
	selected.View = view
	return collection(s.config.Catalog.Products(sold.code, selected), sold.selected("/products", selected)), nil
}

// getProduct answers with one product.
func (s *Server) getProduct(c *call, sold salesCountry) (any, error) {
	if _, err := s.selection(c); err != nil {
		return nil, err
	}
	return s.config.Catalog.Product(c.param("product-id"), sold.code)
}

// listSKUs answers with the SKUs of a product.
func (s *Server) listSKUs(c *call, sold salesCountry) (any, error) {
	selected, err := s.selection(c)
	if err != nil {
		return nil, err
	}
	product, err := s.config.Catalog.Product(c.param("product-id"), sold.code)
	if err != nil {
		return nil, err
	}
	skus, err := s.config.Catalog.SKUs(c.param("product-id"), sold.code, selected)
	if err != nil {
		return nil, err
	}
	return collection(skus, sold.selected("/products/"+product.ID+"/skus", selected)), nil
}

// getSKU answers with one SKU.
func (s *Server) getSKU(c *call, sold salesCountry) (any, error) {
	if _, err := s.selection(c); err != nil {
		return nil, err
	}
	return s.config.Catalog.SKU(c.param("product-id"), c.param("sku-id"), sold.code)
}

// listAvailabilities answers with the availabilities of a SKU.
func (s *Server) listAvailabilities(c *call, sold salesCountry) (any, error) {
	selected, err := s.selection(c)
	if err != nil {
		return nil, err
	}
	sku, err := s.config.Catalog.SKU(c.param("product-id"), c.param("sku-id"), sold.code)
	if err != nil {
		return nil, err
	}
	availabilities, err := s.config.Catalog.Availabilities(c.param("product-id"), c.param("sku-id"), sold.code, selected)
	if err != nil {
		return nil, err
	}
	return collection(availabilities, sold.selected("/products/"+sku.ProductID+"/skus/"+sku.ID+"/availabilities", selected)), nil
}

// getAvailability answers with one availability.
func (s *Server) getAvailability(c *call, sold salesCountry) (any, error) {
	return s.config.Catalog.Availability(c.param("product-id"), c.param("sku-id"), c.param("availability-id"), sold.code)
}

// checkInventory answers with the restricted SKUs among those in the body: a bare
// array, as this call does not answer with a collection.
func (s *Server) checkInventory(c *call, sold salesCountry) (any, error) {
	_, request, err := readJSON[partnercenter.InventoryCheckRequest](c)
	if err != nil {
		return nil, err
	}
	if len(request.TargetItems) == 0 {
		return nil, errBadQuery("targetItems is missing or empty", "send the products or SKUs to check, such as [{\"productId\":\"DZH318Z0BQ3P\"}]")
	}
	for i, item := range request.TargetItems {
		if item.ProductID == "" {
			return nil, errBadQuery("targetItems["+strconv.Itoa(i)+"] has no productId", "send the product to check")
		}
	}
	given := make(map[string]bool, len(request.InventoryContext))
	for key, value := range request.InventoryContext {
		folded := ascii.ToLower(key)
		if given[folded] {
			return nil, errBadQuery("inventoryContext has "+quote.Text(key)+" twice, in different cases", "send it once")
		}
		given[folded] = value != ""
	}
	// Stock is the same in every region, which published clients leave out.
	given["armregionname"] = true
	for _, variable := range s.config.Catalog.InventoryVariables(request.TargetItems) {
		if !given[ascii.ToLower(variable)] {
			return nil, errBadQuery("inventoryContext has no "+variable+", which the SKUs' inventoryVariables require", "send it")
		}
	}
	return s.config.Catalog.CheckInventory(sold.code, request.TargetItems), nil
}

package server

import (
	"slices"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// listProducts answers the products of a view in a market.
func (s *Server) listProducts(c *call, m market) error {
	value := c.query["targetview"]
	if value == "" {
		return errBadQuery("targetView is missing", "send one of "+names(partnercenter.TargetViews()))
	}
	view := partnercenter.TargetView(value).Normalize()
	if !slices.Contains(partnercenter.TargetViews(), view) {
		return errView(value)
	}
	if err := s.sold(c, view.Merchandise()); err != nil {
		return err
	}
	selected, err := s.selection(c)
	if err != nil {
		return err
	}
	selected.View = view
	return c.writeJSON(collection(s.catalog.Products(m.country, selected), m.address("/products",
		"targetView", string(view), "targetSegment", string(selected.Segment), "reservationScope", string(selected.Scope))))
}

// getProduct answers one product.
func (s *Server) getProduct(c *call, m market) error {
	if _, err := s.selection(c); err != nil {
		return err
	}
	product, err := s.catalog.Product(c.param("product-id"), m.country)
	if err != nil {
		return err
	}
	return c.writeJSON(product)
}

// listSKUs answers the SKUs of a product.
func (s *Server) listSKUs(c *call, m market) error {
	selected, err := s.selection(c)
	if err != nil {
		return err
	}
	product, err := s.catalog.Product(c.param("product-id"), m.country)
	if err != nil {
		return err
	}
	skus, err := s.catalog.SKUs(c.param("product-id"), m.country, selected)
	if err != nil {
		return err
	}
	return c.writeJSON(collection(skus, m.address("/products/"+product.ID+"/skus",
		"targetSegment", string(selected.Segment), "reservationScope", string(selected.Scope))))
}

// getSKU answers one SKU.
func (s *Server) getSKU(c *call, m market) error {
	if _, err := s.selection(c); err != nil {
		return err
	}
	sku, err := s.catalog.SKU(c.param("product-id"), c.param("sku-id"), m.country)
	if err != nil {
		return err
	}
	return c.writeJSON(sku)
}

// listAvailabilities answers the availabilities of a SKU.
func (s *Server) listAvailabilities(c *call, m market) error {
	selected, err := s.selection(c)
	if err != nil {
		return err
	}
	sku, err := s.catalog.SKU(c.param("product-id"), c.param("sku-id"), m.country)
	if err != nil {
		return err
	}
	availabilities, err := s.catalog.Availabilities(c.param("product-id"), c.param("sku-id"), m.country, selected)
	if err != nil {
		return err
	}
	return c.writeJSON(collection(availabilities, m.address("/products/"+sku.ProductID+"/skus/"+sku.ID+"/availabilities",
		"targetSegment", string(selected.Segment), "reservationScope", string(selected.Scope))))
}

// getAvailability answers one availability.
func (s *Server) getAvailability(c *call, m market) error {
	availability, err := s.catalog.Availability(c.param("product-id"), c.param("sku-id"), c.param("availability-id"), m.country)
	if err != nil {
		return err
	}
	return c.writeJSON(availability)
}

// checkInventory answers which of the SKUs in the body are restricted: a bare
// array, as this call's answer is no collection.
func (s *Server) checkInventory(c *call, m market) error {
	var request partnercenter.InventoryCheckRequest
	if err := c.readJSON(&request); err != nil {
		return err
	}
	if len(request.TargetItems) == 0 {
		return errBadQuery("targetItems is missing or empty", "send the products or SKUs to check, such as [{\"productId\":\"DZH318Z0BQ3P\"}]")
	}
	for i, item := range request.TargetItems {
		if item.ProductID == "" {
			return errBadQuery("targetItems["+strconv.Itoa(i)+"] has no productId", "send the product to check")
		}
	}
	given := make(map[string]bool, len(request.InventoryContext))
	for key, value := range request.InventoryContext {
		folded := strings.ToLower(key)
		if given[folded] {
			return errBadQuery("inventoryContext has "+quote.Text(key)+" twice, in different cases", "send it once")
		}
		given[folded] = value != ""
	}
	for _, variable := range s.catalog.InventoryVariables(request.TargetItems) {
		if !given[strings.ToLower(variable)] {
			return errBadQuery("inventoryContext has no "+variable+", which the SKUs' inventoryVariables ask for", "send it")
		}
	}
	return c.writeJSON(s.catalog.CheckInventory(m.country, request.TargetItems))
}

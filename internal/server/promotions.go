package server

import (
	"fmt"
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// listPromotions answers with the promotions that can be used now in a country.
func (s *Server) listPromotions(c *call, sold salesCountry) (any, error) {
	var segment partnercenter.TargetSegment
	if value := c.query["segment"]; value != "" {
		if segment = partnercenter.TargetSegment(value).Normalize(); !slices.Contains(partnercenter.TargetSegments(), segment) {
			return nil, errSegment(value)
		}
	}
	items := []*partnercenter.Promotion{}
	for _, p := range s.config.Catalog.Promotions() {
		if p.In(sold.code) && p.Current(s.now()) && (segment == "" || p.Segment == segment) {
			items = append(items, &p.Resource)
		}
	}
	return collection(items, sold.address("/productpromotions", "segment", string(segment))), nil
}

// getPromotion answers with one promotion.
func (s *Server) getPromotion(c *call, sold salesCountry) (any, error) {
	p := s.config.Catalog.Promotion(c.param("promotion-id"))
	if p == nil || !p.In(sold.code) {
		return nil, errPromotionNotFound(c.param("promotion-id"))
	}
	return &p.Resource, nil
}

// checkPromotions answers which promotions apply to purchases.
func (s *Server) checkPromotions(c *call) error {
	_, request, err := readJSON[partnercenter.PromotionEligibilitiesRequest](c)
	if err != nil {
		return err
	}
	if len(request.Items) == 0 {
		return errBadQuery("items is missing or empty", "send the purchases to look at")
	}
	if n := len(request.Items); n > lifecycle.MaxPromotionItems {
		return errBadQuery(fmt.Sprintf("items has %d purchases, and the limit is %d", n, lifecycle.MaxPromotionItems), "send fewer at once")
	}
	account, err := s.account(c.r.Context(), c)
	if err != nil {
		return err
	}
	list := make([]partnercenter.PromotionEligibilities, len(request.Items))
	for i, item := range request.Items {
		list[i] = lifecycle.PromotionEligibilities(account, item, s.now())
		if list[i].ID == nil {
			list[i].ID = &i
		}
	}
	return c.writeJSON(collection(list, ""))
}

package server

import (
	"strconv"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// maxOffers is more than any catalog's number of offers.
const maxOffers = 1_000_000

// listOffers answers with the offers of a country, all or a category's, a page or
// everything.
func (s *Server) listOffers(c *call, sold salesCountry) (any, error) {
	category := c.query["offer_category_id"]
	if category != "" && !s.config.Catalog.HasCategory(category) {
		return nil, errBadQuery("offer_category_id="+quote.Text(category)+" is not a category", "send an id that GET /v1/offercategories lists, or leave it out")
	}
	return c.answerOffers(sold, s.config.Catalog.Offers(sold.code, category), "/offers", category)
}

// listOfferAddOns answers with the add-ons of an offer.
func (s *Server) listOfferAddOns(c *call, sold salesCountry) (any, error) {
	addOns, err := s.config.Catalog.AddOns(c.param("offer-id"), sold.code)
	if err != nil {
		return nil, err
	}
	offer, err := s.config.Catalog.Offer(c.param("offer-id"), sold.code)
	if err != nil {
		return nil, err
	}
	return c.answerOffers(sold, addOns, "/offers/"+offer.ID+"/addons", "")
}

// answerOffers answers with the page that the query asks for.
func (c *call) answerOffers(sold salesCountry, offers []*partnercenter.Offer, path, category string) (any, error) {
	size, err := c.query.number("size", maxPageSize)
	if err != nil {
		return nil, err
	}
	offset, err := c.query.number("offset", maxOffers)
	if err != nil {
		return nil, err
	}
	address := func(offset int) string {
		return sold.address(path, "offer_category_id", category, "offset", formatCount(offset), "size", formatCount(size))
	}
	rest := offers[min(offset, len(offers)):]
	page := rest
	if size > 0 {
		page = rest[:min(size, len(rest))]
	}
	answer := collection(page, address(offset))
	if len(page) < len(rest) {
		answer.Links.Next = partnercenter.NewLink("GET", address(offset+size))
	}
	if offset > 0 && size > 0 {
		answer.Links.Previous = partnercenter.NewLink("GET", address(max(offset-size, 0)))
	}
	return answer, nil
}

// formatCount formats a number; zero is empty.
func formatCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// getOffer answers with one offer.
func (s *Server) getOffer(c *call, sold salesCountry) (any, error) {
	return s.config.Catalog.Offer(c.param("offer-id"), sold.code)
}

// listOfferCategories answers with the categories of offers. Like the documented
// answer, it has no links.
func (s *Server) listOfferCategories(c *call, sold salesCountry) (any, error) {
	return collection(s.config.Catalog.Categories(sold.code), ""), nil
}

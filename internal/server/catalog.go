package server

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// salesCountry is where a call reads the catalog: a country, or the country of a customer.
type salesCountry struct {
	code   string // as the catalog spells it
	prefix string // of the call's address: /customers/{id}, or empty
}

// A catalogHandler answers a call about the catalog of a country.
type catalogHandler func(*Server, *call, salesCountry) (any, error)

// inCountry makes a handler for the country in the query.
func inCountry(h catalogHandler) func(*Server, *call) error {
	return func(s *Server, c *call) error {
		if c.query["country"] == "" {
			return errBadQuery("country is missing", "send the country to buy in, such as country=US")
		}
		country, err := s.country(c.query["country"])
		if err != nil {
			return err
		}
		return s.answerCatalog(c, h, salesCountry{code: country})
	}
}

// inCountryOrOwn makes a handler for the country in the query or, without one, for the
// partner's: links of legacy orders name a SKU and no country.
func inCountryOrOwn(h catalogHandler) func(*Server, *call) error {
	named := inCountry(h)
	return func(s *Server, c *call) error {
		if c.query["country"] != "" {
			return named(s, c)
		}
		country, err := s.partnerCountry(c)
		if err != nil {
			return err
		}
		if country, err = s.country(country); err != nil {
			return err
		}
		return s.answerCatalog(c, h, salesCountry{code: country})
	}
}

// forCustomer makes a handler for the country of the customer in the path.
func forCustomer(h catalogHandler) func(*Server, *call) error {
	return func(s *Server, c *call) error {
		account, err := s.config.Store.Account(c.r.Context(), c.claims.TenantID, c.customer)
		if err != nil {
			return err
		}
		country, err := s.country(account.Country)
		if err != nil {
			return err
		}
		return s.answerCatalog(c, h, salesCountry{code: country, prefix: "/customers/" + c.customer})
	}
}

// answerCatalog writes the answer of a handler, and words the catalog's errors.
func (s *Server) answerCatalog(c *call, h catalogHandler, sold salesCountry) error {
	value, err := h(s, c, sold)
	if err != nil {
		return s.catalogError(c, err, sold.code)
	}
	return c.writeJSON(value)
}

// country returns a country as the catalog spells it.
func (s *Server) country(code string) (string, error) {
	if len(code) != 2 || strings.Trim(ascii.ToUpper(code), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", errBadQuery("country="+quote.Text(code)+" is not a country", "send its two letters, such as US")
	}
	country, ok := s.config.Catalog.Country(code)
	if !ok {
		return "", errCountry(code, s.config.Catalog.Countries())
	}
	return country, nil
}

// partnerCountry returns the country of the partner.
func (s *Server) partnerCountry(c *call) (string, error) {
	partners, err := s.config.Store.Partners(c.r.Context())
	if err != nil {
		return "", err
	}
	for _, p := range partners {
		if ascii.EqualFold(p.TenantID, c.claims.TenantID) {
			return p.Country, nil
		}
	}
	return "", errors.New("the partner of a valid token is not in the database")
}

// selection reads the parameters that filter a list of the catalog.
func (s *Server) selection(c *call) (catalog.Selection, error) {
	var selected catalog.Selection
	if value := c.query["targetsegment"]; value != "" {
		segment := partnercenter.TargetSegment(value).Normalize()
		if !slices.Contains(partnercenter.TargetSegments(), segment) {
			return selected, errSegment(value)
		}
		selected.Segment = segment
	}
	if value := c.query["reservationscope"]; value != "" {
		if !ascii.EqualFold(value, string(partnercenter.ReservationScopeAzurePlan)) {
			return selected, errEnum("reservationScope", value, []string{string(partnercenter.ReservationScopeAzurePlan)})
		}
		selected.Scope = partnercenter.ReservationScopeAzurePlan
		return selected, s.checkSold(c, catalog.AzureReservations)
	}
	return selected, nil
}

// selected is the address of a filtered list.
func (sold salesCountry) selected(path string, s catalog.Selection) string {
	return sold.address(path, "targetView", string(s.View), "targetSegment", string(s.Segment), "reservationScope", string(s.Scope))
}

// address is the address of a list of the country with the given parameters, in this
// order.
func (sold salesCountry) address(path string, parameters ...string) string {
	var query []string
	if sold.prefix == "" {
		query = append(query, "country="+sold.code)
	}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query = append(query, parameters[i]+"="+url.QueryEscape(parameters[i+1]))
		}
	}
	if len(query) == 0 {
		return sold.prefix + path
	}
	return sold.prefix + path + "?" + strings.Join(query, "&")
}

// Package catalog has what can be bought: legacy offers and their categories, products
// with their SKUs and availabilities, by country. It is read from a file at start and
// does not change afterwards. Package lifecycle decides who may buy what, and how.
package catalog

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Catalog is a set of offers and products. It is immutable, and safe for
// concurrent use.
type Catalog struct {
	countries  []country // in the order of the file
	categories []partnercenter.OfferCategory
	offers     []*offer // by rank, then in the order of the file
	products   []*product
	promotions []*Promotion // in the order of the file

	// The keys of the maps are folded: see [fold].
	countryIndex map[string]int
	offerIndex   map[string]*offer
	productIndex map[string]*product
	items        map[string]*availability // by the id in an order's line
}

// country is where something is sold, in one currency.
type country struct {
	code, currency, symbol string
}

// offer is a legacy offer. It is also a SKU of its product.
type offer struct {
	resource partnercenter.Offer // without country-specific fields
	sku      *sku
}

// product is a product of either commerce.
type product struct {
	resource partnercenter.Product // without links
	kind     Kind
	scope    partnercenter.ReservationScope // that its reservations are limited to
	skus     []*sku
	skuIndex map[string]*sku
}

// sku is a form in which a product is sold.
type sku struct {
	resource            partnercenter.SKU // without links
	product             *product
	retired             bool
	restrictions        []partnercenter.InventoryRestriction
	availabilities      []*availability
	availabilitiesIndex map[string]*availability
}

// availability is how a SKU is sold to a segment, in some countries or all.
type availability struct {
	resource  partnercenter.Availability // without country-specific fields
	sku       *sku
	countries []string                // nil for all
	prices    []partnercenter.Decimal // by index of country; nil without a price
	item      Item                    // without country-specific fields
}

//go:embed sample.yaml
var sampleFile []byte

// Reading takes some milliseconds, which a process with many servers, such as a test,
// spends once.
var sample = sync.OnceValues(func() (*Catalog, error) { return Read("sample.yaml", bytes.NewReader(sampleFile)) })

// Sample returns the catalog of the sample data.
func Sample() (*Catalog, error) { return sample() }

// fold returns an id in the form of the indexes. Most ids are in upper case, for which
// this costs nothing.
func fold(id string) string { return ascii.ToUpper(id) }

// Find returns the item with an id from an order's line, in any case, as it is sold in
// a country. The error is one of ErrUnknownOffer, ErrUnknownProduct, ErrUnknownSKU,
// ErrUnknownAvailability and ErrNotInCountry. Retired and unsold items are found, too.
func (c *Catalog) Find(id, country string) (*Item, error) {
	a, ok := c.items[fold(id)]
	if !ok {
		return nil, c.unknown(id)
	}
	i, ok := c.countryIndex[fold(country)]
	if !ok || !a.soldIn(c.countries[i].code) {
		return nil, ErrNotInCountry
	}
	item := a.item
	sold := &c.countries[i]
	item.Country, item.CurrencyCode, item.CurrencySymbol = sold.code, sold.currency, sold.symbol
	if a.prices != nil {
		item.Price = a.prices[i]
	}
	return &item, nil
}

// Targets returns the items that one can become, of those in a list of its own: as they
// are sold in its country and, if they are, to its segment. What is not sold there is
// left out.
func (c *Catalog) Targets(of *Item, ids []string) []*Item {
	var list []*Item
	for _, id := range ids {
		if a := c.target(of, id); a != "" {
			item, _ := c.Find(a, of.Country)
			list = append(list, item)
		}
	}
	return list
}

// OfKind returns the first item of the products of a kind that is for sale in a country, nil
// if there is none.
func (c *Catalog) OfKind(kind Kind, country string) *Item {
	for _, p := range c.products {
		if p.kind != kind {
			continue
		}
		for _, k := range p.skus {
			for _, a := range k.availabilities {
				if item, err := c.Find(a.item.ID, country); err == nil && item.Purchasable && !item.Retired {
					return item
				}
			}
		}
	}
	return nil
}

// target returns the id in an order's line of a target, empty if it is not sold.
func (c *Catalog) target(of *Item, id string) string {
	product, skuID, isSKU := strings.Cut(id, ":")
	if !isSKU {
		if _, err := c.Find(id, of.Country); err != nil {
			return ""
		}
		return id
	}
	k, err := c.sku(product, skuID, of.Country)
	if err != nil {
		return ""
	}
	segment := partnercenter.TargetSegmentCommercial
	if own := c.items[fold(of.ID)]; own != nil {
		segment = own.resource.Segment
	}
	for _, a := range k.availabilities {
		if a.resource.Segment == segment && a.soldIn(of.Country) {
			return a.item.ID
		}
	}
	return ""
}

// unknown determines which part of an id is unknown.
func (c *Catalog) unknown(id string) error {
	part := strings.Split(fold(id), ":")
	if len(part) == 1 {
		return ErrUnknownOffer
	}
	p, ok := c.productIndex[part[0]]
	if !ok {
		return ErrUnknownProduct
	}
	if _, ok := p.skuIndex[part[1]]; !ok {
		return ErrUnknownSKU
	}
	return ErrUnknownAvailability
}

// IsProduct reports whether an id begins with that of a product other than a legacy
// offer's: a catalog item, a SKU or the product itself.
func (c *Catalog) IsProduct(id string) bool {
	id, _, _ = strings.Cut(fold(id), ":")
	p, ok := c.productIndex[id]
	return ok && !p.kind.Legacy()
}

// Countries returns the countries that the catalog has prices for, sorted.
func (c *Catalog) Countries() []string {
	codes := make([]string, len(c.countries))
	for i, country := range c.countries {
		codes[i] = country.code
	}
	slices.Sort(codes)
	return codes
}

// Country returns a country as the catalog spells it, and whether it exists.
func (c *Catalog) Country(code string) (string, bool) {
	i, ok := c.countryIndex[fold(code)]
	if !ok {
		return "", false
	}
	return c.countries[i].code, true
}

// Currency returns the currency of a country, such as USD and $. Both are empty for an
// unknown country.
func (c *Catalog) Currency(country string) (code, symbol string) {
	i, ok := c.countryIndex[fold(country)]
	if !ok {
		return "", ""
	}
	return c.countries[i].currency, c.countries[i].symbol
}

// HasCurrency reports whether something is sold in a currency, in any case.
func (c *Catalog) HasCurrency(code string) bool {
	return slices.ContainsFunc(c.countries, func(country country) bool { return ascii.EqualFold(country.currency, code) })
}

// soldIn reports whether the availability is sold in a country.
func (a *availability) soldIn(country string) bool {
	return a.countries == nil || slices.Contains(a.countries, country)
}

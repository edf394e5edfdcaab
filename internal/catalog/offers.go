package catalog

import (
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Categories returns the categories of offers, with links for a country.
func (c *Catalog) Categories(country string) []*partnercenter.OfferCategory {
	list := make([]*partnercenter.OfferCategory, len(c.categories))
	for i := range c.categories {
		list[i] = categoryIn(&c.categories[i], country)
	}
	return list
}

func categoryIn(category *partnercenter.OfferCategory, country string) *partnercenter.OfferCategory {
	shown := *category
	shown.Country = country
	return &shown
}

// HasCategory reports whether there is a category with this id, in any case.
func (c *Catalog) HasCategory(id string) bool {
	return slices.ContainsFunc(c.categories, func(category partnercenter.OfferCategory) bool { return ascii.EqualFold(category.ID, id) })
}

// Offers returns the offers that are listed in a country, by rank: all, or those of a
// category.
func (c *Catalog) Offers(country, category string) []*partnercenter.Offer {
	return c.listOffers(country, func(o *partnercenter.Offer) bool {
		return category == "" || ascii.EqualFold(o.Category.ID, category)
	})
}

// AddOns returns the offers that can be bought under an offer in a country. The error
// is one of [Catalog.Offer].
func (c *Catalog) AddOns(id, country string) ([]*partnercenter.Offer, error) {
	if _, err := c.Offer(id, country); err != nil {
		return nil, err
	}
	return c.listOffers(country, func(o *partnercenter.Offer) bool {
		return slices.ContainsFunc(o.PrerequisiteOffers, func(base string) bool { return ascii.EqualFold(base, id) })
	}), nil
}

func (c *Catalog) listOffers(country string, selected func(*partnercenter.Offer) bool) []*partnercenter.Offer {
	list := []*partnercenter.Offer{}
	for _, o := range c.offers {
		if !o.sku.retired && o.sku.availabilities[0].soldIn(country) && selected(&o.resource) {
			list = append(list, o.in(country))
		}
	}
	return list
}

// Offer returns an offer as it is sold in a country, including offers that are no
// longer listed, as subscriptions link to them. The error is ErrUnknownOffer or
// ErrNotInCountry.
func (c *Catalog) Offer(id, country string) (*partnercenter.Offer, error) {
	o, ok := c.offerIndex[fold(id)]
	if !ok {
		return nil, ErrUnknownOffer
	}
	if !o.sku.availabilities[0].soldIn(country) {
		return nil, ErrNotInCountry
	}
	return o.in(country), nil
}

// in returns the offer with its country-specific fields.
func (o *offer) in(country string) *partnercenter.Offer {
	shown := o.resource
	shown.Country = country
	shown.Category = categoryIn(shown.Category, country)
	var links partnercenter.OfferLinks
	if shown.Links != nil {
		links = *shown.Links
	}
	links.Self = getLink("/offers/"+shown.ID, country)
	shown.Links = &links
	return &shown
}

// getLink returns a link to a resource in a country.
func getLink(path, country string) *partnercenter.Link {
	return partnercenter.NewLink("GET", path+"?country="+country)
}

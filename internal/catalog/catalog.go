// Package catalog holds what can be bought: legacy offers and their
// categories, products with their SKUs and availabilities, by country. It is
// read from a file at start and does not change afterwards. Who may buy what,
// and how, is for package lifecycle to say.
package catalog

// Catalog is a set of offers and products. It is immutable, and safe for
// concurrent use.
type Catalog struct{}

// Find returns the item that an order's line names by id, in any case, as it is
// sold in a country. The error is one of ErrUnknownOffer, ErrUnknownProduct,
// ErrUnknownSKU, ErrUnknownAvailability and ErrNotInCountry.
func (c *Catalog) Find(id, country string) (*Item, error) {
	return nil, ErrUnknownOffer
}

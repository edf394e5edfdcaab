package catalog

import (
	"io"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// Format is the value of a catalog file's format field.
const Format = "partnercenter-catalog/1"

// The types below are the content of a file: the API's resources and, in addition to
// their fields, what the rules of ordering need to know. docs/catalog-format.md
// describes them.
type (
	apiOffer        partnercenter.Offer
	apiProduct      partnercenter.Product
	apiSKU          partnercenter.SKU
	apiAvailability partnercenter.Availability
)

type fileCountry struct {
	Code     string                `json:"code"`
	Currency string                `json:"currency"`
	Symbol   string                `json:"symbol"`
	Rate     partnercenter.Decimal `json:"rate"`   // of the currency, per unit of the prices' currency
	Digits   *int                  `json:"digits"` // decimals of a price
}

type fileOffer struct {
	apiOffer              `json:",embed"`
	Category              string                      `json:"category"` // id
	Countries             []string                    `json:"countries"`
	Segment               partnercenter.TargetSegment `json:"segment"`
	PurchasePrerequisites []string                    `json:"purchasePrerequisites"`
	Price                 partnercenter.Decimal       `json:"price"`
	Retired               bool                        `json:"retired"`
}

type fileProduct struct {
	apiProduct       `json:",embed"`
	Kind             Kind                           `json:"kind"`
	ReservationScope partnercenter.ReservationScope `json:"reservationScope"`
	SKUs             []fileSKU                      `json:"skus"`
}

type fileSKU struct {
	apiSKU             `json:",embed"`
	NeedsPurchaseOrder bool                                 `json:"needsPurchaseOrder"`
	PrerequisiteSKUs   []string                             `json:"prerequisiteSkus"` // product:sku
	Restrictions       []partnercenter.InventoryRestriction `json:"restrictions"`
	TransitionTargets  []string                             `json:"transitionTargets"` // product:sku
	Limit              int                                  `json:"limit"`
	Retired            bool                                 `json:"retired"`
	Availabilities     []fileAvailability                   `json:"availabilities"`
}

type fileAvailability struct {
	apiAvailability `json:",embed"`
	Countries       []string              `json:"countries"`
	Price           partnercenter.Decimal `json:"price"`
}

// format describes catalog files.
var format = yamlfile.Format{Name: Format, Limit: 64 << 20}

// Read reads a catalog file, in YAML or JSON, as described in docs/catalog-format.md.
// Enumerated values come in their normal spelling. The name is for messages only. A file
// with mistakes gives a *[yamlfile.Error].
func Read(name string, r io.Reader) (*Catalog, error) {
	var c contents
	f, err := format.Read(name, r, &c)
	if err != nil {
		return nil, err
	}
	if f.Err() == nil {
		(&checker{f, &c}).check(f.Root)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	spelling.Normalize(&c)
	return c.build(), nil
}

// contents is the content of a file.
type contents struct {
	Format     string                        `json:"format"`
	Countries  []fileCountry                 `json:"countries"`
	Categories []partnercenter.OfferCategory `json:"categories"`
	Offers     []fileOffer                   `json:"offers"`
	Products   []fileProduct                 `json:"products"`
	Promotions []filePromotion               `json:"promotions"`
}

package catalog

import (
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Selection filters a list of products, SKUs or availabilities. The zero value selects
// everything except reservations for Azure plans only.
type Selection struct {
	View    partnercenter.TargetView    // "" for all
	Segment partnercenter.TargetSegment // "" for all
	Scope   partnercenter.ReservationScope
}

// views say what each view selects: kinds and, if it names one, a sub-type.
var views = map[partnercenter.TargetView]struct {
	kinds   []Kind
	subType string
}{
	partnercenter.TargetViewAzure:                     {kinds: []Kind{Usage, AzurePlan, Reservation, SavingsPlan}},
	partnercenter.TargetViewAzureReservations:         {kinds: []Kind{Reservation}},
	partnercenter.TargetViewAzureReservationsVM:       {kinds: []Kind{Reservation}, subType: "VirtualMachines"},
	partnercenter.TargetViewAzureReservationsSQL:      {kinds: []Kind{Reservation}, subType: "SqlDatabases"},
	partnercenter.TargetViewAzureReservationsCosmosDB: {kinds: []Kind{Reservation}, subType: "CosmosDb"},
	partnercenter.TargetViewMicrosoftAzure:            {kinds: []Kind{Usage, AzurePlan}},
	partnercenter.TargetViewOnlineServices:            {kinds: []Kind{License, OnlineService, Marketplace}},
	partnercenter.TargetViewSoftware:                  {kinds: []Kind{PerpetualSoftware, SoftwareSubscription}},
	partnercenter.TargetViewSoftwareSUSELinux:         {kinds: []Kind{PerpetualSoftware, SoftwareSubscription}, subType: "SUSELinux"},
	partnercenter.TargetViewSoftwarePerpetual:         {kinds: []Kind{PerpetualSoftware}},
	partnercenter.TargetViewSoftwareSubscriptions:     {kinds: []Kind{SoftwareSubscription}},
}

// selects reports whether a product is in the selection's view and scope.
func (s Selection) selects(p *product) bool {
	if s.Scope == "" && p.scope != "" {
		return false
	}
	if s.View == "" {
		return true
	}
	view, ok := views[s.View]
	if !ok || !slices.Contains(view.kinds, p.kind) {
		return false
	}
	t := p.resource.ProductType
	return view.subType == "" || t.SubType != nil && ascii.EqualFold(t.SubType.ID, view.subType)
}

// selectsAvailability reports whether an availability is sold in a country to the
// selection's segment.
func (s Selection) selectsAvailability(a *availability, country string) bool {
	return a.soldIn(country) && (s.Segment == "" || a.resource.Segment == s.Segment)
}

// lists reports whether a SKU is listed in a country.
func (s Selection) lists(k *sku, country string) bool {
	return !k.retired && slices.ContainsFunc(k.availabilities, func(a *availability) bool { return s.selectsAvailability(a, country) })
}

// Products returns the products that have a listed SKU in a country, including those of
// legacy offers.
func (c *Catalog) Products(country string, s Selection) []*partnercenter.Product {
	list := []*partnercenter.Product{}
	for _, p := range c.products {
		if s.selects(p) && slices.ContainsFunc(p.skus, func(k *sku) bool { return s.lists(k, country) }) {
			list = append(list, p.in(country))
		}
	}
	return list
}

// Product returns a product as it is sold in a country, listed or not. A legacy offer's
// product has the offers as SKUs. The error is ErrUnknownProduct, also for a product
// that is not sold there.
func (c *Catalog) Product(id, country string) (*partnercenter.Product, error) {
	p, err := c.product(id, country)
	if err != nil {
		return nil, err
	}
	return p.in(country), nil
}

func (c *Catalog) product(id, country string) (*product, error) {
	p, ok := c.productIndex[fold(id)]
	if !ok || !slices.ContainsFunc(p.skus, func(k *sku) bool { return k.soldIn(country) }) {
		return nil, ErrUnknownProduct
	}
	return p, nil
}

// SKUs returns the SKUs of a product that are listed in a country. The view of the
// selection is ignored. The error is one of [Catalog.Product].
func (c *Catalog) SKUs(productID, country string, s Selection) ([]*partnercenter.SKU, error) {
	p, err := c.product(productID, country)
	if err != nil {
		return nil, err
	}
	list := []*partnercenter.SKU{}
	for _, k := range p.skus {
		if s.lists(k, country) {
			list = append(list, k.in(country))
		}
	}
	return list, nil
}

// SKU returns a SKU as it is sold in a country, listed or not. The error is one of
// [Catalog.Product], or ErrUnknownSKU.
func (c *Catalog) SKU(productID, id, country string) (*partnercenter.SKU, error) {
	k, err := c.sku(productID, id, country)
	if err != nil {
		return nil, err
	}
	return k.in(country), nil
}

func (c *Catalog) sku(productID, id, country string) (*sku, error) {
	p, err := c.product(productID, country)
	if err != nil {
		return nil, err
	}
	k, ok := p.skuIndex[fold(id)]
	if !ok || !k.soldIn(country) {
		return nil, ErrUnknownSKU
	}
	return k, nil
}

// soldIn reports whether the SKU has an availability in a country.
func (k *sku) soldIn(country string) bool {
	return slices.ContainsFunc(k.availabilities, func(a *availability) bool { return a.soldIn(country) })
}

// Availabilities returns the availabilities of a SKU in a country. The view of the
// selection is ignored. The error is one of [Catalog.SKU].
func (c *Catalog) Availabilities(productID, skuID, country string, s Selection) ([]*partnercenter.Availability, error) {
	k, err := c.sku(productID, skuID, country)
	if err != nil {
		return nil, err
	}
	list := []*partnercenter.Availability{}
	for _, a := range k.availabilities {
		if s.selectsAvailability(a, country) {
			list = append(list, c.availabilityIn(a, country))
		}
	}
	return list, nil
}

// Availability returns an availability as it is sold in a country. The error is one of
// [Catalog.SKU], or ErrUnknownAvailability.
func (c *Catalog) Availability(productID, skuID, id, country string) (*partnercenter.Availability, error) {
	k, err := c.sku(productID, skuID, country)
	if err != nil {
		return nil, err
	}
	a, ok := k.availabilitiesIndex[fold(id)]
	if !ok || !a.soldIn(country) {
		return nil, ErrUnknownAvailability
	}
	return c.availabilityIn(a, country), nil
}

// in returns the product with its links in a country.
func (p *product) in(country string) *partnercenter.Product {
	shown := p.resource
	self := "/products/" + shown.ID
	shown.Links = &partnercenter.ProductLinks{SKUs: getLink(self+"/skus", country), Self: getLink(self, country)}
	return &shown
}

// in returns the SKU with its links in a country.
func (k *sku) in(country string) *partnercenter.SKU {
	shown := k.resource
	self := "/products/" + shown.ProductID + "/skus/" + shown.ID
	shown.Links = &partnercenter.SKULinks{Availabilities: getLink(self+"/availabilities", country), Self: getLink(self, country)}
	return &shown
}

// availabilityIn returns an availability with its country-specific fields, its product
// and its SKU.
func (c *Catalog) availabilityIn(a *availability, country string) *partnercenter.Availability {
	shown := a.resource
	code, symbol := c.Currency(country)
	shown.Country, shown.DefaultCurrency = country, &partnercenter.CurrencyInfo{Code: code, Symbol: symbol}
	shown.Product, shown.SKU = a.sku.product.in(country), a.sku.in(country)
	shown.Links = &partnercenter.ResourceLinks{
		Self: getLink("/products/"+shown.ProductID+"/skus/"+shown.SKUID+"/availabilities/"+shown.ID, country),
	}
	return &shown
}

// CheckInventory returns which SKUs are restricted in a country. An item without a SKU
// stands for all of the product's. What the catalog does not have in the country is
// omitted.
func (c *Catalog) CheckInventory(country string, items []partnercenter.InventoryItem) []partnercenter.InventoryItem {
	checked := []partnercenter.InventoryItem{}
	for _, k := range c.inventory(items) {
		if !k.soldIn(country) {
			continue
		}
		restrictions := k.restrictions
		if restrictions == nil {
			restrictions = []partnercenter.InventoryRestriction{}
		}
		checked = append(checked, partnercenter.InventoryItem{
			ProductID: k.resource.ProductID, SKUID: k.resource.ID,
			IsRestricted: new(len(restrictions) > 0), Restrictions: restrictions,
		})
	}
	return checked
}

// InventoryVariables returns the variables that the context of an inventory check needs
// for the items' SKUs.
func (c *Catalog) InventoryVariables(items []partnercenter.InventoryItem) []string {
	var variables []string
	for _, k := range c.inventory(items) {
		for _, variable := range k.resource.InventoryVariables {
			if !slices.Contains(variables, variable) {
				variables = append(variables, variable)
			}
		}
	}
	return variables
}

// inventory returns the SKUs of items, each once.
func (c *Catalog) inventory(items []partnercenter.InventoryItem) []*sku {
	var list []*sku
	for _, item := range items {
		p, ok := c.productIndex[fold(item.ProductID)]
		if !ok {
			continue
		}
		for _, k := range p.skus {
			if (item.SKUID == "" || ascii.EqualFold(item.SKUID, k.resource.ID)) && !slices.Contains(list, k) {
				list = append(list, k)
			}
		}
	}
	return list
}

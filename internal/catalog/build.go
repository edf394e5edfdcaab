package catalog

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
)

const (
	locale = "en-us" // of the texts, as in documented answers
	// offerURIPrefix is the prefix of an offer's undocumented uri, which is the same
	// for all partners.
	offerURIPrefix = "/3c95518e-8c37-41e3-9627-0ca339200f53/Offers/"
	// maxLicenses is the maximum quantity of a legacy offer in a line, unless the file
	// says otherwise.
	maxLicenses = 10_000_000
)

// build builds the catalog from a valid file, and fills in defaults.
func (f *contents) build() *Catalog {
	c := &Catalog{
		countryIndex: make(map[string]int, len(f.Countries)),
		offerIndex:   make(map[string]*offer, len(f.Offers)),
		productIndex: make(map[string]*product, len(f.Products)),
		items:        map[string]*availability{},
	}
	for i, entry := range f.Countries {
		c.countries = append(c.countries, country{code: fold(entry.Code), currency: entry.Currency, symbol: entry.Symbol})
		c.countryIndex[fold(entry.Code)] = i
	}
	categories := map[string]*partnercenter.OfferCategory{}
	for i := range f.Categories {
		category := f.Categories[i]
		category.Rank = orElse(category.Rank, i)
		category.Locale = cmp.Or(category.Locale, locale)
		category.Attributes = &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOfferCategory}
		c.categories = append(c.categories, category)
		categories[fold(category.ID)] = &category
	}
	bases := map[string]bool{} // what add-ons are bought under
	for i := range f.Offers {
		for _, id := range f.Offers[i].PrerequisiteOffers {
			bases[fold(id)] = true
		}
	}
	for i := range f.Products {
		for j := range f.Products[i].SKUs {
			for _, id := range f.Products[i].SKUs[j].PrerequisiteSKUs {
				bases[fold(id)] = true
			}
		}
	}
	for i := range f.Products {
		c.addProduct(&f.Products[i], bases, f.Countries)
	}
	for i := range f.Offers {
		c.addOffer(&f.Offers[i], i, categories, bases, f.Countries)
	}
	for i := range f.Promotions {
		c.addPromotion(&f.Promotions[i])
	}
	slices.SortStableFunc(c.categories, func(a, b partnercenter.OfferCategory) int { return cmp.Compare(*a.Rank, *b.Rank) })
	slices.SortStableFunc(c.offers, func(a, b *offer) int { return cmp.Compare(*a.resource.Rank, *b.resource.Rank) })
	return c
}

// orElse returns a pointer to the value of p, or to a default.
func orElse[T any](p *T, value T) *T {
	if p == nil {
		return &value
	}
	return p
}

// list makes a nil list an empty one, which is encoded as [].
func list(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

func (c *Catalog) addOffer(f *fileOffer, number int, categories map[string]*partnercenter.OfferCategory, bases map[string]bool, countries []fileCountry) {
	o := partnercenter.Offer(f.apiOffer)
	usage := o.Billing == partnercenter.BillingTypeUsage
	o.Description = cmp.Or(o.Description, o.Name)
	o.MinimumQuantity = orElse(o.MinimumQuantity, 1)
	o.Rank = orElse(o.Rank, number)
	o.URI = cmp.Or(o.URI, offerURIPrefix+o.ID)
	o.Locale = cmp.Or(o.Locale, locale)
	o.Category = categories[fold(f.Category)]
	o.LimitUnitOfMeasure = cmp.Or(o.LimitUnitOfMeasure, "None")
	o.Limit = orElse(o.Limit, 0)
	o.PrerequisiteOffers = list(o.PrerequisiteOffers)
	o.IsAddOn = orElse(o.IsAddOn, len(o.PrerequisiteOffers) > 0)
	o.HasAddOns = new(bases[fold(o.ID)])
	o.IsAvailableForPurchase = orElse(o.IsAvailableForPurchase, true)
	o.IsTrial = orElse(o.IsTrial, false)
	o.IsAutoRenewable = orElse(o.IsAutoRenewable, !usage && !*o.IsTrial)
	o.UpgradeTargetOffers = list(o.UpgradeTargetOffers)
	o.ConversionTargetOffers = list(o.ConversionTargetOffers)
	o.ReselleeQualifications = list(o.ReselleeQualifications)
	o.ResellerQualifications = list(o.ResellerQualifications)
	kind := License
	if usage {
		kind = Usage
		o.Billing, o.UnitType = partnercenter.BillingTypeUsage, cmp.Or(o.UnitType, "Usage-based")
		o.MaximumQuantity = orElse(o.MaximumQuantity, 1)
	} else {
		o.Billing, o.UnitType = partnercenter.BillingTypeLicense, cmp.Or(o.UnitType, "Licenses")
		o.MaximumQuantity = orElse(o.MaximumQuantity, maxLicenses)
	}
	switch {
	case o.SupportedBillingCycles != nil:
	case usage:
		o.SupportedBillingCycles = []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeMonthly}
	case *o.IsTrial:
		o.SupportedBillingCycles = []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeNone}
	default:
		o.SupportedBillingCycles = []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeMonthly, partnercenter.BillingCycleTypeAnnual}
	}
	o.Product.Name = cmp.Or(o.Product.Name, o.Name)
	o.Product.Unit = cmp.Or(o.Product.Unit, o.UnitType)
	o.Attributes = &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOffer}
	if f.PurchasePrerequisites == nil {
		f.PurchasePrerequisites = []string{"MicrosoftCloudAgreement"}
	}

	p := c.productIndex[fold(o.Product.ID)]
	if p == nil {
		p = &product{
			kind: kind, skuIndex: map[string]*sku{},
			resource: partnercenter.Product{
				ID: o.Product.ID, Title: o.Product.Name, Description: o.Description, ProductType: legacyType(kind),
				IsMicrosoftProduct: new(true), PublisherName: "Microsoft",
			},
		}
		c.productIndex[fold(o.Product.ID)] = p
		c.products = append(c.products, p)
	}
	s := &sku{
		product: p, retired: f.Retired, availabilitiesIndex: map[string]*availability{},
		resource: partnercenter.SKU{
			ID: o.ID, ProductID: o.Product.ID, Title: o.Name, Description: o.Description,
			MinimumQuantity: o.MinimumQuantity, MaximumQuantity: o.MaximumQuantity, IsTrial: o.IsTrial,
			SupportedBillingCycles: o.SupportedBillingCycles, PurchasePrerequisites: f.PurchasePrerequisites,
			Actions: []string{"Refund"}, DynamicAttributes: legacyAttributes(&o),
		},
	}
	p.skus, p.skuIndex[fold(o.ID)] = append(p.skus, s), s
	a := &availability{
		sku: s, countries: folded(f.Countries), prices: prices(f.Price, countries),
		resource: partnercenter.Availability{
			// A legacy offer has no availabilities; the one that represents it has the
			// offer's id, which orders use.
			ID: o.ID, CatalogItemID: o.ID, ProductID: o.Product.ID, SKUID: o.ID,
			Segment: cmp.Or(f.Segment, partnercenter.TargetSegmentCommercial), IsPurchasable: new(*o.IsAvailableForPurchase && !f.Retired),
			IsRenewable: o.IsAutoRenewable, Terms: []partnercenter.AvailabilityTerm{},
		},
	}
	a.item = Item{
		ID: o.ID, Kind: kind, Title: o.Name, ProductID: o.Product.ID, SKUID: o.ID,
		MinimumQuantity: *o.MinimumQuantity, MaximumQuantity: *o.MaximumQuantity, Limit: *o.Limit,
		BillingCycles: o.SupportedBillingCycles, Trial: *o.IsTrial, AutoRenewable: *o.IsAutoRenewable,
		Purchasable: *o.IsAvailableForPurchase, Retired: f.Retired, AddOn: *o.IsAddOn, HasAddOns: *o.HasAddOns,
		Prerequisites: o.PrerequisiteOffers, PurchasePrerequisites: f.PurchasePrerequisites,
		UpgradeTargets: o.UpgradeTargetOffers, ConversionTargets: o.ConversionTargetOffers,
		UnitType: o.UnitType, BillingType: o.Billing, PublisherName: "Microsoft", Microsoft: true, SalesGroup: o.SalesGroupID,
	}
	o.IsAvailableForPurchase = a.resource.IsPurchasable
	c.addAvailability(a)
	entry := &offer{resource: o, sku: s}
	c.offers, c.offerIndex[fold(o.ID)] = append(c.offers, entry), entry
}

// legacyType returns the type of a legacy offer's product.
func legacyType(kind Kind) *partnercenter.ItemType {
	if kind == Usage {
		return itemType("Azure", "Azure")
	}
	return itemType("OnlineServices", "")
}

func itemType(id, sub string) *partnercenter.ItemType {
	t := &partnercenter.ItemType{ID: id, DisplayName: id}
	if sub != "" {
		t.SubType = &partnercenter.ItemType{ID: sub, DisplayName: sub}
	}
	return t
}

// legacyAttributes returns the dynamic attributes that hold an offer's own fields in
// its SKU.
func legacyAttributes(o *partnercenter.Offer) map[string]jsontext.Value {
	return attributes(map[string]any{
		"isMicrosoftProduct": true, "billingType": o.Billing, "category": o.Category.Name, "rank": o.Rank,
		"isAddon": o.IsAddOn, "hasAddOns": o.HasAddOns, "prerequisiteSkus": o.PrerequisiteOffers,
		"isAutoRenewable": o.IsAutoRenewable, "upgradeTargetOffers": o.UpgradeTargetOffers,
		"conversionTargetOffers": o.ConversionTargetOffers, "unitType": o.UnitType,
		"limitUnitOfMeasure": o.LimitUnitOfMeasure, "limit": o.Limit,
		"reselleeQualifications": o.ReselleeQualifications, "resellerQualifications": o.ResellerQualifications,
	})
}

func attributes(values map[string]any) map[string]jsontext.Value {
	encoded := make(map[string]jsontext.Value, len(values))
	for name, value := range values {
		text, err := partnercenter.Marshal(value)
		if err != nil {
			continue // texts, numbers and lists of texts always encode
		}
		encoded[name] = text
	}
	return encoded
}

func (c *Catalog) addProduct(f *fileProduct, bases map[string]bool, countries []fileCountry) {
	common := kinds[f.Kind]
	p := &product{resource: partnercenter.Product(f.apiProduct), kind: f.Kind, scope: f.ReservationScope, skuIndex: map[string]*sku{}}
	res := &p.resource
	res.Description = cmp.Or(res.Description, res.Title)
	res.ProductType = cmp.Or(res.ProductType, common.productType)
	for t := res.ProductType; t != nil; t = t.SubType {
		t.DisplayName = cmp.Or(t.DisplayName, t.ID)
	}
	res.IsMicrosoftProduct = orElse(res.IsMicrosoftProduct, f.Kind != Marketplace)
	res.PublisherName = cmp.Or(res.PublisherName, "Microsoft")
	c.products, c.productIndex[fold(res.ID)] = append(c.products, p), p
	for i := range f.SKUs {
		c.addSKU(p, &f.SKUs[i], bases, countries)
	}
}

func (c *Catalog) addSKU(p *product, f *fileSKU, bases map[string]bool, countries []fileCountry) {
	common := kinds[p.kind]
	s := &sku{resource: partnercenter.SKU(f.apiSKU), product: p, retired: f.Retired, restrictions: f.Restrictions, availabilitiesIndex: map[string]*availability{}}
	res := &s.resource
	res.ProductID = p.resource.ID
	res.Title = cmp.Or(res.Title, p.resource.Title)
	res.Description = cmp.Or(res.Description, res.Title)
	res.MinimumQuantity = orElse(res.MinimumQuantity, 1)
	res.MaximumQuantity = orElse(res.MaximumQuantity, max(common.maximum, *res.MinimumQuantity))
	res.IsTrial = orElse(res.IsTrial, false)
	switch {
	case res.SupportedBillingCycles != nil:
	case *res.IsTrial:
		res.SupportedBillingCycles = []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeNone}
	default:
		res.SupportedBillingCycles = common.cycles
	}
	if res.PurchasePrerequisites == nil {
		res.PurchasePrerequisites = list(common.prerequisites)
	}
	if res.ProvisioningVariables == nil {
		res.ProvisioningVariables = common.provisioning
	}
	addOn, hasAddOns := len(f.PrerequisiteSKUs) > 0, bases[fold(res.ProductID+":"+res.ID)]
	given := res.DynamicAttributes
	res.DynamicAttributes = map[string]jsontext.Value{}
	if p.kind == OnlineService {
		res.DynamicAttributes = attributes(map[string]any{
			"isMicrosoftProduct": p.resource.IsMicrosoftProduct, "isAddon": addOn, "hasAddOns": hasAddOns,
			"prerequisiteSkus": list(f.PrerequisiteSKUs), "upgradeTargetOffers": list(f.TransitionTargets), "unitType": common.unit,
		})
	}
	for name, value := range given {
		res.DynamicAttributes[name] = value
	}
	p.skus, p.skuIndex[fold(res.ID)] = append(p.skus, s), s
	for i := range f.Availabilities {
		a := newAvailability(s, &f.Availabilities[i], countries)
		a.item.AddOn, a.item.HasAddOns, a.item.Prerequisites = addOn, hasAddOns, f.PrerequisiteSKUs
		a.item.Limit, a.item.NeedsPurchaseOrder, a.item.UpgradeTargets = f.Limit, f.NeedsPurchaseOrder, f.TransitionTargets
		if asks := res.AttestationProperties; asks != nil && asks.EnforceAttestation != nil {
			a.item.NeedsAttestation = *asks.EnforceAttestation
		}
		c.addAvailability(a)
	}
}

func newAvailability(s *sku, f *fileAvailability, countries []fileCountry) *availability {
	p := s.product
	common := kinds[p.kind]
	a := &availability{resource: partnercenter.Availability(f.apiAvailability), sku: s, countries: folded(f.Countries), prices: prices(f.Price, countries)}
	res := &a.resource
	res.ProductID, res.SKUID = p.resource.ID, s.resource.ID
	res.CatalogItemID = res.ProductID + ":" + res.SKUID + ":" + res.ID
	res.Segment = cmp.Or(res.Segment, partnercenter.TargetSegmentCommercial)
	purchasable := *orElse(res.IsPurchasable, true)
	res.IsPurchasable = new(purchasable && !s.retired)
	res.IsRenewable = orElse(res.IsRenewable, common.renewable && !*s.resource.IsTrial)
	terms := a.sellTerms()
	a.item = Item{
		ID: res.CatalogItemID, Kind: p.kind, Title: s.resource.Title,
		ProductID: res.ProductID, SKUID: res.SKUID, AvailabilityID: res.ID,
		MinimumQuantity: *s.resource.MinimumQuantity, MaximumQuantity: *s.resource.MaximumQuantity,
		BillingCycles: s.resource.SupportedBillingCycles, Terms: terms,
		Trial: *s.resource.IsTrial, AutoRenewable: *res.IsRenewable, Purchasable: purchasable, Retired: s.retired,
		PurchasePrerequisites: s.resource.PurchasePrerequisites, ProvisioningVariables: s.resource.ProvisioningVariables,
		OutOfStock: len(s.restrictions) > 0, UnitType: common.unit, BillingType: common.billing,
		PublisherName: p.resource.PublisherName, Microsoft: *p.resource.IsMicrosoftProduct,
	}
	return a
}

func (c *Catalog) addAvailability(a *availability) {
	s := a.sku
	s.availabilities, s.availabilitiesIndex[fold(a.resource.ID)] = append(s.availabilities, a), a
	c.items[fold(a.item.ID)] = a
}

func folded(ids []string) []string {
	if ids == nil {
		return nil
	}
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = fold(id)
	}
	return list
}

// prices returns a price in the currency of each country.
func prices(price partnercenter.Decimal, countries []fileCountry) []partnercenter.Decimal {
	amount, err := price.Rat()
	if err != nil {
		return nil // there is none
	}
	list := make([]partnercenter.Decimal, len(countries))
	for i, entry := range countries {
		rate, err := entry.Rate.Rat()
		if err != nil {
			rate = big.NewRat(1, 1)
		}
		list[i] = partnercenter.Decimal(new(big.Rat).Mul(amount, rate).FloatString(*orElse(entry.Digits, 2)))
	}
	return list
}

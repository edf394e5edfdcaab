package catalog

import (
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// kinds are the kinds of catalog items with their defaults.
var kinds = map[Kind]struct {
	productType   *partnercenter.ItemType
	maximum       int
	cycles        []partnercenter.BillingCycleType
	prerequisites []string // of the purchase
	provisioning  []string
	terms         []string
	renewable     bool
	refunded      bool // when it is cancelled in time
	unit          string
	billing       partnercenter.BillingType
}{
	OnlineService: {
		productType: itemType("OnlineServicesNCE", ""), maximum: 10_000,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeMonthly, partnercenter.BillingCycleTypeAnnual},
		prerequisites: []string{"MicrosoftCustomerAgreement"},
		terms:         []string{"P1M", "P1Y", "P3Y"}, renewable: true, refunded: true, unit: "Licenses", billing: partnercenter.BillingTypeLicense,
	},
	AzurePlan: {
		productType: itemType("Azure", "Azure"), maximum: 1,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeOneTime},
		prerequisites: []string{"MicrosoftCustomerAgreement"},
		terms:         []string{""}, unit: "Usage-based", billing: partnercenter.BillingTypeUsage,
	},
	Reservation: {
		productType: itemType("Azure", "VirtualMachines"), maximum: 999_999_999,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeOneTime},
		prerequisites: []string{"AzureSubscriptionRegistration", "InventoryCheck"},
		provisioning:  []string{"Scope", "SubscriptionId"},
		terms:         []string{"P1Y"}, unit: "none", billing: partnercenter.BillingTypeNone,
	},
	SavingsPlan: {
		productType: itemType("Azure", "SavingsPlan"), maximum: 1,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeOneTime, partnercenter.BillingCycleTypeMonthly},
		prerequisites: []string{"MicrosoftCustomerAgreement"},
		provisioning:  []string{"Scope"},
		terms:         []string{"P1Y", "P3Y"}, renewable: true, unit: "none", billing: partnercenter.BillingTypeNone,
	},
	PerpetualSoftware: {
		productType: itemType("Software", "Perpetual"), maximum: 999_999_999,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeOneTime},
		terms:  []string{""}, refunded: true, unit: "none", billing: partnercenter.BillingTypeNone,
	},
	SoftwareSubscription: {
		productType: itemType("Software", "Subscription"), maximum: 999_999_999,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeOneTime},
		terms:  []string{"P1Y", "P3Y"}, renewable: true, refunded: true, unit: "Licenses", billing: partnercenter.BillingTypeLicense,
	},
	Marketplace: {
		productType: itemType("Azure", "SaaS"), maximum: 10_000,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeMonthly, partnercenter.BillingCycleTypeAnnual},
		terms:  []string{"P1M", "P1Y"}, renewable: true, refunded: true, unit: "Licenses", billing: partnercenter.BillingTypeLicense,
	},
}

// kindNames are the kinds that a product may have, for messages.
var kindNames = []string{
	string(OnlineService), string(AzurePlan), string(Reservation), string(SavingsPlan),
	string(PerpetualSoftware), string(SoftwareSubscription), string(Marketplace),
}

// names are the names that a file defines, for checking references. Values are line
// numbers.
type names struct{ countries, categories, offers, products, skus map[string]int }

// checker checks the contents of a file.
type checker struct {
	*yamlfile.File
	*contents
}

// check checks what the types alone do not express.
func (c *checker) check(root yamlfile.Position) {
	n := names{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	countries := root.Field("countries")
	if len(c.Countries) == 0 {
		c.Problem(countries, "is missing; list the countries with their currencies, such as {code: US, currency: USD, symbol: $}")
		return
	}
	for i, entry := range c.Countries {
		at := countries.Item(i)
		c.Required(at, "code", "two letters, such as US")
		c.Required(at, "currency", "three letters, such as USD")
		c.Required(at, "symbol", "what stands before an amount, such as $")
		c.Unique(n.countries, at.Field("code"), fold(entry.Code))
		if rate, err := entry.Rate.Rat(); entry.Rate != "" && (err != nil || rate.Sign() <= 0) {
			c.Problem(at.Field("rate"), "is not above zero; write how much of the currency one unit of the prices' currency is")
		}
		if d := entry.Digits; d != nil && (*d < 0 || *d > 4) {
			c.Problem(at.Field("digits"), "is not from 0 to 4; write how many digits a price has after its point")
		}
	}
	for i, category := range c.Categories {
		at := root.Field("categories").Item(i)
		c.Required(at, "id", "such as SmallBusiness_Key")
		c.Required(at, "name", "what the category is called")
		c.Unique(n.categories, at.Field("id"), fold(category.ID))
	}
	for i := range c.Offers {
		c.offer(root.Field("offers").Item(i), &c.Offers[i], &n)
	}
	for i := range c.Products {
		c.product(root.Field("products").Item(i), &c.Products[i], &n)
	}
	promotions := map[string]int{}
	for i := range c.Promotions {
		c.promotion(root.Field("promotions").Item(i), &c.Promotions[i], &n, promotions)
	}
	c.references(root, &n)
}

func (c *checker) offer(at yamlfile.Position, o *fileOffer, n *names) {
	c.Required(at, "id", "a GUID, or such as MS-AZR-0145P")
	c.Required(at, "name", "what the offer is called")
	c.Required(at, "category", "the id of a category")
	c.AddressPart(at.Field("id"), o.ID)
	c.Unique(n.offers, at.Field("id"), fold(o.ID))
	if o.Product == nil || o.Product.ID == "" {
		c.Problem(at.Field("product"), "is missing; write the product's id, such as product: {id: f245ecc8-75af-4f8e-b61f-27d8114de5f3}")
	} else {
		c.AddressPart(at.Field("product"), o.Product.ID)
	}
	if b := o.Billing.Normalize(); b != "" && b != partnercenter.BillingTypeLicense && b != partnercenter.BillingTypeUsage {
		c.Problem(at.Field("billing"), "%q is not known here; use license or usage", o.Billing)
	}
	c.checkSales(at, o.Countries, o.Segment, n)
	c.cycles(at.Field("supportedBillingCycles"), o.SupportedBillingCycles)
	c.quantities(at, o.MinimumQuantity, o.MaximumQuantity)
}

func (c *checker) product(at yamlfile.Position, p *fileProduct, n *names) {
	c.Required(at, "id", "such as DZH318Z0BQ4B")
	c.Required(at, "title", "what the product is called")
	c.AddressPart(at.Field("id"), p.ID)
	c.Unique(n.products, at.Field("id"), fold(p.ID))
	if _, ok := kinds[p.Kind]; !ok {
		c.Problem(at.Field("kind"), "%q is not known here; use one of %s", p.Kind, strings.Join(kindNames, ", "))
	}
	if p.Kind == Marketplace {
		c.Required(at, "publisherName", "the company that sells the product")
	}
	if s := p.ReservationScope; s != "" && s != partnercenter.ReservationScopeAzurePlan {
		c.Problem(at.Field("reservationScope"), "%q is not known here; use AzurePlan, or leave it out", s)
	}
	if len(p.SKUs) == 0 {
		c.Problem(at.Field("skus"), "is missing; a product has at least one SKU")
	}
	skus := map[string]int{}
	for i := range p.SKUs {
		at, s := at.Field("skus").Item(i), &p.SKUs[i]
		c.Required(at, "id", "such as 0001")
		c.AddressPart(at.Field("id"), s.ID)
		c.Unique(skus, at.Field("id"), fold(s.ID))
		n.skus[fold(p.ID+":"+s.ID)] = at.Line()
		c.cycles(at.Field("supportedBillingCycles"), s.SupportedBillingCycles)
		c.quantities(at, s.MinimumQuantity, s.MaximumQuantity)
		for j, restriction := range s.Restrictions {
			if restriction.ReasonCode == "" {
				c.Problem(at.Field("restrictions").Item(j).Field("reasonCode"), "is missing; it is such as NotAvailableForSubscription")
			}
		}
		if len(s.Availabilities) == 0 {
			c.Problem(at.Field("availabilities"), "is missing; a SKU has at least one availability")
		}
		availabilities := map[string]int{}
		for j := range s.Availabilities {
			at, a := at.Field("availabilities").Item(j), &s.Availabilities[j]
			c.Required(at, "id", "such as DZH318Z0DSPL")
			c.AddressPart(at.Field("id"), a.ID)
			c.Unique(availabilities, at.Field("id"), fold(a.ID))
			c.checkSales(at, a.Countries, a.Segment, n)
			c.terms(at, p.Kind, s, a)
		}
	}
}

// references checks that references refer to existing items.
func (c *checker) references(root yamlfile.Position, n *names) {
	for i := range c.Offers {
		at, o := root.Field("offers").Item(i), &c.Offers[i]
		if _, ok := n.categories[fold(o.Category)]; !ok && o.Category != "" {
			c.Problem(at.Field("category"), "%q is not one of the categories; add it there or correct the id", o.Category)
		}
		c.checkKnown(at.Field("prerequisiteOffers"), o.PrerequisiteOffers, n.offers, "offers")
		c.checkKnown(at.Field("upgradeTargetOffers"), o.UpgradeTargetOffers, n.offers, "offers")
		c.checkKnown(at.Field("conversionTargetOffers"), o.ConversionTargetOffers, n.offers, "offers")
		if o.Product == nil {
			continue
		}
		if line, twice := n.products[fold(o.Product.ID)]; twice {
			c.Problem(at.Field("product"), "%s stands under products in line %d; an offer's product has an id of its own", o.Product.ID, line)
		}
	}
	for i := range c.Products {
		for j := range c.Products[i].SKUs {
			at, s := root.Field("products").Item(i).Field("skus").Item(j), &c.Products[i].SKUs[j]
			c.checkKnown(at.Field("prerequisiteSkus"), s.PrerequisiteSKUs, n.skus, "SKUs, as product:sku")
			c.checkKnown(at.Field("transitionTargets"), s.TransitionTargets, n.skus, "SKUs, as product:sku")
			if s.TransitionTargets != nil && c.Products[i].Kind != OnlineService {
				c.Problem(at.Field("transitionTargets"), "is for online services only; leave it out")
			}
		}
	}
}

// checkKnown reports the unknown ids of a list.
func (c *checker) checkKnown(at yamlfile.Position, ids []string, lines map[string]int, what string) {
	for i, id := range ids {
		if _, ok := lines[fold(id)]; !ok {
			c.Problem(at.Item(i), "%q is not one of the file's %s; add it there or correct the id", id, what)
		}
	}
}

// checkSales checks where and to whom something is sold.
func (c *checker) checkSales(at yamlfile.Position, countries []string, segment partnercenter.TargetSegment, n *names) {
	c.checkKnown(at.Field("countries"), countries, n.countries, "countries")
	if countries != nil && len(countries) == 0 {
		c.Problem(at.Field("countries"), "is empty; name a country, or leave it out for all")
	}
	if segment != "" && !slices.Contains(partnercenter.TargetSegments(), segment.Normalize()) {
		c.Problem(at.Field("segment"), "%q is not known here; use commercial, education, government or nonprofit", segment)
	}
}

func (c *checker) cycles(at yamlfile.Position, cycles []partnercenter.BillingCycleType) {
	for i, cycle := range cycles {
		if !cycle.Known() || cycle.Normalize() == partnercenter.BillingCycleTypeUnknown {
			c.Problem(at.Item(i), "%q is not known here; use monthly, annual, none, one_time, biennial or triennial", cycle)
		}
	}
}

// terms checks that each term of an availability can be billed, and is only what the
// file says of it.
func (c *checker) terms(at yamlfile.Position, kind Kind, s *fileSKU, a *fileAvailability) {
	if a.RenewalInstructions != nil {
		c.Problem(at.Field("renewalInstructions"), "follows from isRenewable; leave it out")
	}
	cycles := s.SupportedBillingCycles
	if cycles == nil {
		cycles = kinds[kind].cycles
	}
	billable := func(duration string) bool {
		return len(cycles) == 0 || slices.ContainsFunc(cycles, func(cycle partnercenter.BillingCycleType) bool { return Billable(duration, cycle) })
	}
	if terms := kinds[kind].terms; a.Terms == nil && len(terms) > 0 && !slices.ContainsFunc(terms, billable) {
		c.Problem(at.Field("terms"), "is missing; write one that is as long as a billing cycle of the SKU")
	}
	for i := range a.Terms {
		at, term := at.Field("terms").Item(i), &a.Terms[i]
		switch {
		case term.ID != "":
			c.Problem(at.Field("id"), "follows from the item; leave it out")
		case term.BillingCycle != "":
			c.Problem(at.Field("billingCycle"), "follows from the SKU; leave it out, and write supportedBillingCycles there")
		case !billable(term.Duration):
			c.Problem(at.Field("duration"), "%q is shorter than the SKU's billing cycles; write a longer term", term.Duration)
		}
	}
}

func (c *checker) quantities(at yamlfile.Position, minimum, maximum *int) {
	switch {
	case minimum != nil && *minimum < 1:
		c.Problem(at.Field("minimumQuantity"), "is below 1; write at least 1")
	case minimum != nil && maximum != nil && *maximum < *minimum:
		c.Problem(at.Field("maximumQuantity"), "is below minimumQuantity; write at least that many")
	}
}

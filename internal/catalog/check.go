package catalog

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
)

// kinds are the kinds of catalog items, with what they have in common unless a
// file says otherwise.
var kinds = map[Kind]struct {
	productType   [2]string // id and sub-type
	maximum       int
	cycles        []partnercenter.BillingCycleType
	prerequisites []string // of the purchase
	provisioning  []string
	terms         []string
	renewable     bool
	unit, billing string
}{
	OnlineService: {
		productType: [2]string{"OnlineServicesNCE"}, maximum: 10_000,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleMonthly, partnercenter.BillingCycleAnnual},
		prerequisites: []string{"MicrosoftCustomerAgreement"},
		terms:         []string{"P1M", "P1Y", "P3Y"}, renewable: true, unit: "Licenses", billing: "license",
	},
	AzurePlan: {
		productType: [2]string{"Azure", "Azure"}, maximum: 1,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleOneTime},
		prerequisites: []string{"MicrosoftCustomerAgreement"},
		terms:         []string{""}, unit: "Usage-based", billing: "usage",
	},
	Reservation: {
		productType: [2]string{"Azure", "VirtualMachines"}, maximum: 999_999_999,
		cycles:        []partnercenter.BillingCycleType{partnercenter.BillingCycleOneTime},
		prerequisites: []string{"AzureSubscriptionRegistration", "InventoryCheck"},
		provisioning:  []string{"Scope", "SubscriptionId"},
		terms:         []string{"P1Y"}, unit: "none", billing: "none",
	},
	PerpetualSoftware: {
		productType: [2]string{"Software", "Perpetual"}, maximum: 999_999_999,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleOneTime},
		terms:  []string{""}, unit: "none", billing: "none",
	},
	SoftwareSubscription: {
		productType: [2]string{"Software", "Subscription"}, maximum: 999_999_999,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleOneTime},
		terms:  []string{"P1Y", "P3Y"}, renewable: true, unit: "Licenses", billing: "license",
	},
	Marketplace: {
		productType: [2]string{"Azure", "SaaS"}, maximum: 10_000,
		cycles: []partnercenter.BillingCycleType{partnercenter.BillingCycleMonthly, partnercenter.BillingCycleAnnual},
		terms:  []string{"P1M", "P1Y"}, renewable: true, unit: "Licenses", billing: "license",
	},
}

// kindNames are the kinds that a product may have, for messages.
var kindNames = []string{
	string(OnlineService), string(AzurePlan), string(Reservation),
	string(PerpetualSoftware), string(SoftwareSubscription), string(Marketplace),
}

// names are what a file defines, for checking what it refers to. Values are the
// lines.
type names struct{ countries, categories, offers, products, skus map[string]int }

// check checks what the types alone do not say.
func (r *reader) check(root place) {
	n := names{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	countries := root.field("countries")
	if len(r.countries) == 0 {
		r.problem(countries, "is missing; list the countries with their currencies, such as {code: US, currency: USD, symbol: $}")
		return
	}
	for i, market := range r.countries {
		at := countries.item(i)
		r.required(at, "code", "two letters, such as US")
		r.required(at, "currency", "three letters, such as USD")
		r.required(at, "symbol", "what stands before an amount, such as $")
		r.unique(n.countries, at.field("code"), fold(market.Code))
		if rate, err := market.Rate.Rat(); market.Rate != "" && (err != nil || rate.Sign() <= 0) {
			r.problem(at.field("rate"), "is not above zero; write how much of the currency one of the prices' is")
		}
		if d := market.Digits; d != nil && (*d < 0 || *d > 4) {
			r.problem(at.field("digits"), "is not from 0 to 4; write how many digits a price has after its point")
		}
	}
	for i, category := range r.categories {
		at := root.field("categories").item(i)
		r.required(at, "id", "such as SmallBusiness_Key")
		r.required(at, "name", "what the category is called")
		r.unique(n.categories, at.field("id"), fold(category.ID))
	}
	for i := range r.offers {
		r.offer(root.field("offers").item(i), &r.offers[i], &n)
	}
	for i := range r.products {
		r.product(root.field("products").item(i), &r.products[i], &n)
	}
	r.references(root, &n)
}

func (r *reader) offer(at place, o *fileOffer, n *names) {
	r.required(at, "id", "a GUID, or such as MS-AZR-0145P")
	r.required(at, "name", "what the offer is called")
	r.required(at, "category", "the id of a category")
	r.idText(at.field("id"), o.ID)
	r.unique(n.offers, at.field("id"), fold(o.ID))
	if o.Product == nil || o.Product.ID == "" {
		r.problem(at.field("product"), "is missing; write the product's id, such as product: {id: f245ecc8-75af-4f8e-b61f-27d8114de5f3}")
	} else {
		r.idText(at.field("product"), o.Product.ID)
	}
	if b := o.Billing.Normalize(); b != "" && b != partnercenter.BillingTypeLicense && b != partnercenter.BillingTypeUsage {
		r.problem(at.field("billing"), "%q is not known here; use license or usage", o.Billing)
	}
	r.sold(at, o.Countries, o.Segment, n)
	r.cycles(at.field("supportedBillingCycles"), o.SupportedBillingCycles)
	r.quantities(at, o.MinimumQuantity, o.MaximumQuantity)
}

func (r *reader) product(at place, p *fileProduct, n *names) {
	r.required(at, "id", "such as DZH318Z0BQ4B")
	r.required(at, "title", "what the product is called")
	r.idText(at.field("id"), p.ID)
	r.unique(n.products, at.field("id"), fold(p.ID))
	if _, ok := kinds[p.Kind]; !ok {
		r.problem(at.field("kind"), "%q is not known here; use one of %s", p.Kind, strings.Join(kindNames, ", "))
	}
	if p.Kind == Marketplace {
		r.required(at, "publisherName", "the company that sells the product")
	}
	if s := p.ReservationScope; s != "" && s != partnercenter.ReservationScopeAzurePlan {
		r.problem(at.field("reservationScope"), "%q is not known here; use AzurePlan, or leave it out", s)
	}
	if len(p.SKUs) == 0 {
		r.problem(at.field("skus"), "is missing; a product has at least one SKU")
	}
	skus := map[string]int{}
	for i := range p.SKUs {
		at, s := at.field("skus").item(i), &p.SKUs[i]
		r.required(at, "id", "such as 0001")
		r.idText(at.field("id"), s.ID)
		r.unique(skus, at.field("id"), fold(s.ID))
		n.skus[fold(p.ID+":"+s.ID)] = at.node.Line
		r.cycles(at.field("supportedBillingCycles"), s.SupportedBillingCycles)
		r.quantities(at, s.MinimumQuantity, s.MaximumQuantity)
		for j, restriction := range s.Restrictions {
			if restriction.ReasonCode == "" {
				r.problem(at.field("restrictions").item(j).field("reasonCode"), "is missing; it is such as NotAvailableForSubscription")
			}
		}
		if len(s.Availabilities) == 0 {
			r.problem(at.field("availabilities"), "is missing; a SKU has at least one availability")
		}
		availabilities := map[string]int{}
		for j := range s.Availabilities {
			at, a := at.field("availabilities").item(j), &s.Availabilities[j]
			r.required(at, "id", "such as DZH318Z0DSPL")
			r.idText(at.field("id"), a.ID)
			r.unique(availabilities, at.field("id"), fold(a.ID))
			r.sold(at, a.Countries, a.Segment, n)
		}
	}
}

// references checks that what items refer to is there.
func (r *reader) references(root place, n *names) {
	for i := range r.offers {
		at, o := root.field("offers").item(i), &r.offers[i]
		if _, ok := n.categories[fold(o.Category)]; !ok && o.Category != "" {
			r.problem(at.field("category"), "%q is none of the categories; add it there or correct the id", o.Category)
		}
		r.known(at.field("prerequisiteOffers"), o.PrerequisiteOffers, n.offers, "offers")
		r.known(at.field("upgradeTargetOffers"), o.UpgradeTargetOffers, n.offers, "offers")
		r.known(at.field("conversionTargetOffers"), o.ConversionTargetOffers, n.offers, "offers")
		if o.Product == nil {
			continue
		}
		if line, twice := n.products[fold(o.Product.ID)]; twice {
			r.problem(at.field("product"), "%s stands under products in line %d; an offer's product has an id of its own", o.Product.ID, line)
		}
	}
	for i := range r.products {
		for j := range r.products[i].SKUs {
			at := root.field("products").item(i).field("skus").item(j).field("prerequisiteSkus")
			r.known(at, r.products[i].SKUs[j].PrerequisiteSKUs, n.skus, "SKUs, as product:sku")
		}
	}
}

// required reports a field of an object that is absent or empty.
func (r *reader) required(at place, name, meaning string) {
	if value := child(at.node, name); value == nil || value.ShortTag() == "!!null" || value.Kind == yaml.ScalarNode && value.Value == "" {
		r.problem(at.field(name), "is missing; it is %s", meaning)
	}
}

// idText reports an id that cannot be a part of an address or of an item's id.
func (r *reader) idText(at place, id string) {
	if strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		r.problem(at, "%q does not fit into an address; use letters, digits, - and _", id)
	}
}

// unique reports a key that was used before.
func (r *reader) unique(lines map[string]int, at place, key string) {
	if key == "" {
		return
	}
	if line, twice := lines[key]; twice {
		r.problem(at, "%s stands in line %d already; use it once", at.node.Value, line)
		return
	}
	lines[key] = at.node.Line
}

// known reports the ids of a list that stand nowhere.
func (r *reader) known(at place, ids []string, lines map[string]int, what string) {
	for i, id := range ids {
		if _, ok := lines[fold(id)]; !ok {
			r.problem(at.item(i), "%q is none of the file's %s; add it there or correct the id", id, what)
		}
	}
}

// sold checks where and to whom something is sold.
func (r *reader) sold(at place, countries []string, segment partnercenter.TargetSegment, n *names) {
	r.known(at.field("countries"), countries, n.countries, "countries")
	if countries != nil && len(countries) == 0 {
		r.problem(at.field("countries"), "is empty; name a country, or leave it out for all")
	}
	if segment != "" && !slices.Contains(partnercenter.TargetSegments(), segment.Normalize()) {
		r.problem(at.field("segment"), "%q is not known here; use commercial, education, government or nonprofit", segment)
	}
}

func (r *reader) cycles(at place, cycles []partnercenter.BillingCycleType) {
	for i, cycle := range cycles {
		if !cycle.Known() || cycle.Normalize() == partnercenter.BillingCycleUnknown {
			r.problem(at.item(i), "%q is not known here; use monthly, annual, none, one_time, biennial or triennial", cycle)
		}
	}
}

func (r *reader) quantities(at place, minimum, maximum *int) {
	switch {
	case minimum != nil && *minimum < 1:
		r.problem(at.field("minimumQuantity"), "is below 1; nobody orders none")
	case minimum != nil && maximum != nil && *maximum < *minimum:
		r.problem(at.field("maximumQuantity"), "is below minimumQuantity; nothing could be ordered")
	}
}

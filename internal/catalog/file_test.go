package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// head is the beginning of a catalog file; what follows begins in line 6.
const head = `format: partnercenter-catalog/1
countries:
  - {code: US, currency: USD, symbol: $}
  - {code: DE, currency: EUR, symbol: €, rate: 0.9}
categories: [{id: C, name: C}]
`

// offerLine is an offer with the required fields, and more.
func offerLine(more string) string {
	return "offers:\n  - {id: o1, name: O, category: c, product: {id: p1}" + more + "}\n"
}

// productLines is a product; its SKU is in line 7, its availability in line 8.
func productLines(product, sku, availability string) string {
	return "products:\n  - {id: P, kind: online_service, title: P" + product + ", skus: [{id: 0001" + sku + ", \n     availabilities: [{id: A" + availability + "}]}]}\n"
}

func mustRead(t *testing.T, text string) *Catalog {
	t.Helper()
	c, err := Read("test.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Enumerated values come in their normal spelling, as those of seeds do.
func TestReadNormalizes(t *testing.T) {
	c := mustRead(t, head+offerLine(", billing: License, segment: Commercial, supportedBillingCycles: [Monthly], attributes: {objectType: offer}")+
		productLines("", ", supportedBillingCycles: [OneTime, 2]", ", segment: Education, terms: [{duration: P1Y}]"))
	offer, err := c.Offer("O1", "US")
	if err != nil {
		t.Fatal(err)
	}
	if offer.Billing != "license" || offer.SupportedBillingCycles[0] != "monthly" || offer.Attributes.ObjectType != "Offer" {
		t.Errorf("billing %s, cycles %s, type %s", offer.Billing, offer.SupportedBillingCycles, offer.Attributes.ObjectType)
	}
	sku, err := c.SKU("P", "0001", "US")
	if err != nil {
		t.Fatal(err)
	}
	if got := sku.SupportedBillingCycles; len(got) != 2 || got[0] != "one_time" || got[1] != "annual" {
		t.Errorf("cycles %s", got)
	}
}

func TestReadFillsIn(t *testing.T) {
	c := mustRead(t, head+offerLine(", price: 10")+productLines("", "", ", price: 1.005"))
	offer, err := c.Offer("O1", "DE")
	if err != nil {
		t.Fatal(err)
	}
	got, err := partnercenter.Marshal(offer)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"o1","name":"O","description":"O","minimumQuantity":1,"maximumQuantity":10000000,"rank":0,` +
		`"uri":"/3c95518e-8c37-41e3-9627-0ca339200f53/Offers/o1","locale":"en-us","country":"DE",` +
		`"category":{"id":"C","name":"C","rank":0,"locale":"en-us","country":"DE","attributes":{"objectType":"OfferCategory"}},` +
		`"limitUnitOfMeasure":"None","limit":0,"prerequisiteOffers":[],"isAddOn":false,"hasAddOns":false,"isAvailableForPurchase":true,` +
		`"billing":"license","supportedBillingCycles":["monthly","annual"],"isAutoRenewable":true,"upgradeTargetOffers":[],` +
		`"conversionTargetOffers":[],"reselleeQualifications":[],"resellerQualifications":[],"product":{"id":"p1","name":"O","unit":"Licenses"},` +
		`"unitType":"Licenses","isTrial":false,"links":{"self":{"uri":"/offers/o1?country=DE","method":"GET","headers":[]}},"attributes":{"objectType":"Offer"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for id, price := range map[string]partnercenter.Decimal{"o1": "9.00", "p:0001:a": "0.90"} {
		item, err := c.Find(id, "de")
		if err != nil || item.Price != price || item.CurrencyCode != "EUR" {
			t.Errorf("%s: %+v, %v", id, item, err)
		}
	}
}

// TestReadTexts checks that text needs no quotes, as in seed files.
func TestReadTexts(t *testing.T) {
	c := mustRead(t, head+offerLine(", description: 12, unitType: 1.10"))
	offer, err := c.Offer("o1", "US")
	if err != nil || offer.Description != "12" || offer.UnitType != "1.10" {
		t.Errorf("%+v, %v", offer, err)
	}
}

func TestReadJSON(t *testing.T) {
	c := mustRead(t, `{"format":"partnercenter-catalog/1","countries":[{"code":"us","currency":"USD","symbol":"$"}],"products":[{"id":"P","kind":"perpetual_software","title":"T","skus":[{"id":"0002","dynamicAttributes":{"n":1.50,"x":null},"availabilities":[{"id":"A"}]}]}]}`)
	sku, err := c.SKU("P", "0002", "US")
	if err != nil || string(sku.DynamicAttributes["n"]) != "1.50" || string(sku.DynamicAttributes["x"]) != "null" {
		t.Errorf("%+v, %v", sku, err)
	}
	if got := c.Countries(); len(got) != 1 || got[0] != "US" {
		t.Errorf("countries %v", got)
	}
}

// TestAnswersDoNotShare checks that modifying an answer does not modify the catalog.
func TestAnswersDoNotShare(t *testing.T) {
	c := mustRead(t, head+offerLine("")+productLines("", "", ""))
	offer, err := c.Offer("o1", "US")
	if err != nil {
		t.Fatal(err)
	}
	offer.Country, offer.Category.Name, offer.Links.Self = "XX", "X", nil
	item, err := c.Find("o1", "US")
	if err != nil {
		t.Fatal(err)
	}
	item.Title, item.Country = "X", "XX"
	offer, _ = c.Offer("o1", "US")
	item, _ = c.Find("o1", "US")
	if offer.Country != "US" || offer.Category.Name != "C" || offer.Links.Self == nil || item.Title != "O" || item.Country != "US" {
		t.Errorf("%+v, %+v", offer, item)
	}
}

func TestReadProblems(t *testing.T) {
	for _, tt := range []struct {
		name, file    string
		line          int
		path, message string
	}{
		{"empty", "", 1, "", "the file is empty"},
		{"no YAML", "format: [", 1, "", "not YAML"},
		{"a list", "[]", 1, "", "this file is a list"},
		{"no format", "offers: []\n", 1, "format", "is missing"},
		{"a seed file", "format: partnercenter-seed/1\n", 1, "format", `this program reads partnercenter-catalog/1, not "partnercenter-seed/1"`},
		{"two documents", "format: partnercenter-catalog/1\n---\nformat: x\n", 2, "", "a second document"},
		{"no countries", "format: partnercenter-catalog/1\noffers: []\n", 1, "countries", "is missing"},
		{"unknown list", head + "ofers: []\n", 6, "ofers", "did you mean offers?"},
		{"list twice", head + "categories: []\n", 6, "categories", "given twice, here and in line 5"},
		{"no list", head + "offers: many\n", 6, "offers", `needs a list, this is the text "many"`},
		{"unknown field", head + offerLine(", maximunQuantity: 5"), 7, "offers[0].maximunQuantity", "did you mean maximumQuantity?"},
		{"unknown field deep", head + productLines("", "", ", trms: []"), 8, "products[0].skus[0].availabilities[0].trms", "did you mean terms?"},
		{"field twice", head + offerLine(", price: 1, price: 2"), 7, "offers[0].price", "given twice, here and in line 7"},
		{"text for a number", head + offerLine(", rank: high"), 7, "offers[0].rank", `needs a whole number such as 5, this is the text "high"`},
		{"number too large", head + offerLine(", rank: 1e40"), 7, "offers[0].rank", "needs a whole number"},
		{"text for a flag", head + offerLine(", isTrial: 1"), 7, "offers[0].isTrial", "needs true or false, this is the number 1"},
		{"text for an amount", head + offerLine(", price: cheap"), 7, "offers[0].price", `"cheap" is not an amount; write a decimal number such as`},
		{"list for a text", head + offerLine(", description: [12]"), 7, "offers[0].description", "needs text, this is a list"},
		{"nothing in a list", head + offerLine(", prerequisiteOffers: [~, o1]"), 7, "offers[0].prerequisiteOffers[0]", "is empty; fill it in or remove it"},
		{"object for a list", head + offerLine(", prerequisiteOffers: {}"), 7, "offers[0].prerequisiteOffers", "needs a list, this is an object"},
		{"alias", head + "offers: [&a {id: x}, *a]\n", 6, "offers[1]", "aliases are not read; write the value out"},
		{"no name", head + "offers:\n  - {id: o1, category: C, product: {id: p1}}\n", 7, "offers[0].name", "is missing; it is what the offer is called"},
		{"null name", head + "offers:\n  - {id: o1, name: , category: C, product: {id: p1}}\n", 7, "offers[0].name", "is missing"},
		{"no product", head + "offers:\n  - {id: o1, name: O, category: C}\n", 7, "offers[0].product", "is missing"},
		{"odd id", head + "offers:\n  - {id: o:1, name: O, category: C, product: {id: p1}}\n", 7, "offers[0].id", "cannot be part of an address"},
		{"id twice", head + offerLine("") + "  - {id: O1, name: O, category: C, product: {id: p1}}\n", 8, "offers[1].id", "O1 is already in line 7"},
		{"unknown category", head + "offers:\n  - {id: o1, name: O, category: X, product: {id: p1}}\n", 7, "offers[0].category", `"X" is not one of the categories`},
		{"unknown billing", head + offerLine(", billing: barter"), 7, "offers[0].billing", "use license or usage"},
		{"unknown country", head + offerLine(", countries: [US, XX]"), 7, "offers[0].countries[1]", `"XX" is not one of the file's countries`},
		{"nowhere", head + offerLine(", countries: []"), 7, "offers[0].countries", "leave it out for all"},
		{"unknown segment", head + offerLine(", segment: x"), 7, "offers[0].segment", "use commercial"},
		{"unknown cycle", head + offerLine(", supportedBillingCycles: [weekly]"), 7, "offers[0].supportedBillingCycles[0]", "use monthly"},
		{"unknown prerequisite", head + offerLine(", prerequisiteOffers: [o2]"), 7, "offers[0].prerequisiteOffers[0]", `"o2" is not one of the file's offers`},
		{"unknown upgrade", head + offerLine(", upgradeTargetOffers: [o2]"), 7, "offers[0].upgradeTargetOffers[0]", "not one of the file's offers"},
		{"minimum 0", head + offerLine(", minimumQuantity: 0"), 7, "offers[0].minimumQuantity", "is below 1"},
		{"maximum below minimum", head + offerLine(", minimumQuantity: 5, maximumQuantity: 4"), 7, "offers[0].maximumQuantity", "is below minimumQuantity"},
		{"unknown kind", head + strings.Replace(productLines("", "", ""), "online_service", "pets", 1), 7, "products[0].kind", "use one of online_service"},
		{"marketplace without a publisher", head + strings.Replace(productLines("", "", ""), "online_service", "marketplace", 1), 7, "products[0].publisherName", "is missing"},
		{"unknown scope", head + productLines(", reservationScope: x", "", ""), 7, "products[0].reservationScope", "use AzurePlan"},
		{"no SKU", head + "products:\n  - {id: P, kind: azure_plan, title: P}\n", 7, "products[0].skus", "at least one SKU"},
		{"no availability", head + "products:\n  - {id: P, kind: azure_plan, title: P, skus: [{id: '1'}]}\n", 7, "products[0].skus[0].availabilities", "at least one availability"},
		{"unknown base", head + productLines("", ", prerequisiteSkus: ['X:1']", ""), 7, "products[0].skus[0].prerequisiteSkus[0]", "SKUs, as product:sku"},
		{"unknown target", head + productLines("", ", transitionTargets: ['X:1']", ""), 7, "products[0].skus[0].transitionTargets[0]", "SKUs, as product:sku"},
		{"targets of software", head + strings.Replace(productLines("", ", transitionTargets: []", ""), "online_service", "perpetual_software", 1), 7, "products[0].skus[0].transitionTargets", "online services only"},
		{"promotion of nothing", head + "promotions:\n  - {id: P, name: P, startDate: 2026-01-01}\n", 7, "promotions[0].requiredProducts", "is missing"},
		{"promotion without a start", head + productLines("", "", "") + "promotions:\n  - {id: P, name: P, requiredProducts: [{productId: P, skuId: '0001', term: {duration: P1Y, billingCycle: annual}, pricingPolicies: [{policyType: PercentDiscount, value: '0.1'}]}]}\n", 10, "promotions[0].startDate", "when the promotion begins"},
		{"promotion of what is not there", head + "promotions:\n  - {id: P, name: P, startDate: 2026-01-01, requiredProducts: [{productId: X, skuId: '1', term: {duration: P1Y, billingCycle: annual}, pricingPolicies: [{policyType: PercentDiscount, value: '0.1'}]}]}\n", 7, "promotions[0].requiredProducts[0].productId", "not one of the file's products"},
		{"more than the price", head + productLines("", "", "") + "promotions:\n  - {id: P, name: P, startDate: 2026-01-01, requiredProducts: [{productId: P, skuId: '0001', term: {duration: P1Y, billingCycle: annual}, pricingPolicies: [{policyType: PercentDiscount, value: '1.1'}]}]}\n", 10, "promotions[0].requiredProducts[0].pricingPolicies[0]", "no discount"},
		{"restriction without a reason", head + productLines("", ", restrictions: [{}]", ""), 7, "products[0].skus[0].restrictions[0].reasonCode", "is missing"},
		{"term with an id", head + productLines("", "", ", terms: [{duration: P1Y, id: x}]"), 8, "products[0].skus[0].availabilities[0].terms[0].id", "leave it out"},
		{"term with a cycle", head + productLines("", "", ", terms: [{duration: P1Y, billingCycle: Annual}]"), 8, "products[0].skus[0].availabilities[0].terms[0].billingCycle", "supportedBillingCycles"},
		{"term that is too short", head + productLines("", ", supportedBillingCycles: [annual]", ", terms: [{duration: P1M}]"), 8, "products[0].skus[0].availabilities[0].terms[0].duration", `"P1M" is shorter`},
		{"cycle beyond the terms", head + strings.Replace(productLines(", publisherName: P", ", supportedBillingCycles: [triennial]", ""), "online_service", "marketplace", 1), 8, "products[0].skus[0].availabilities[0].terms", "as long as a billing cycle"},
		{"renewals", head + productLines("", "", ", renewalInstructions: []"), 8, "products[0].skus[0].availabilities[0].renewalInstructions", "leave it out"},
		{"product of an offer", head + offerLine("") + strings.Replace(productLines("", "", ""), "{id: P,", "{id: P1,", 1), 7, "offers[0].product", "stands under products in line 9"},
		{"rate 0", strings.Replace(head, "rate: 0.9", "rate: 0", 1), 4, "countries[1].rate", "is not above zero"},
		{"digits", strings.Replace(head, "rate: 0.9", "digits: 9", 1), 4, "countries[1].digits", "is not from 0 to 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("test.yaml", strings.NewReader(tt.file))
			var fileErr *yamlfile.Error
			if !errors.As(err, &fileErr) {
				t.Fatalf("error is %v, want a *yamlfile.Error", err)
			}
			if len(fileErr.Problems) != 1 {
				t.Fatalf("want one problem, have\n%v", err)
			}
			p := fileErr.Problems[0]
			if p.Line != tt.line || p.Path != tt.path || !strings.Contains(p.Message, tt.message) || p.Column < 1 {
				t.Errorf("error is %v\nwant line %d, path %s, …%s…", err, tt.line, tt.path, tt.message)
			}
		})
	}
}

func TestReadReportsProblemsTogether(t *testing.T) {
	_, err := Read("test.yaml", strings.NewReader(head+"offers:\n"+strings.Repeat("  - {id: o, nme: x}\n", 12)))
	var fileErr *yamlfile.Error
	if !errors.As(err, &fileErr) || len(fileErr.Problems) != 10 || fileErr.Omitted != 2 {
		t.Fatalf("error is %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if want := "test.yaml:7:13: offers[0].nme: unknown field; did you mean name?"; lines[0] != want {
		t.Errorf("the first line is\n%s\nwant\n%s", lines[0], want)
	}
	if want := "and 2 more; correct these first"; lines[10] != want {
		t.Errorf("the last line is %q, want %q", lines[10], want)
	}
}

// The example of the documentation is a catalog.
func TestCatalogFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/catalog-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	if !ok {
		t.Fatal("docs/catalog-format.md has no YAML example")
	}
	if n := len(mustRead(t, example).items); n != 4 {
		t.Errorf("%d items", n)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"", "{}", head, head + offerLine(", price: 1e-9"), head + productLines("", "", ", terms: [{duration: x}]"),
		head + "offers: [&a {id: x}, *a]\n? [x]\n: y\n", head + "products: [{skus: [{availabilities: [{}]}]}]\n", "format: !!binary x\n---\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Read("fuzz.yaml", bytes.NewReader(data))
		var fileErr *yamlfile.Error
		if err != nil {
			if !errors.As(err, &fileErr) || len(fileErr.Problems) == 0 {
				t.Fatalf("error without a problem: %v", err)
			}
			return
		}
		for _, country := range c.Countries() {
			for _, v := range []any{c.Offers(country, ""), c.Products(country, Selection{}), c.Categories(country)} {
				if data, err := partnercenter.Marshal(v); err != nil || !json.Valid(data) {
					t.Fatalf("cannot be answered: %v %s", err, data)
				}
			}
			for id := range c.items {
				if _, err := c.Find(id, country); err != nil && !errors.Is(err, ErrNotInCountry) {
					t.Fatal(fmt.Errorf("%s in %s: %w", id, country, err))
				}
			}
		}
	})
}

// TestTerms has a term for each duration and billing cycle that go together.
func TestTerms(t *testing.T) {
	for _, test := range []struct {
		name, sku, availability, kind string
		terms                         []string // duration, cycle and description
		durations                     []string
		refunded, renews              bool
	}{
		{"an online service", "", "", "online_service", []string{"P1M Monthly 1 Month", "P1Y Monthly 1 Year", "P1Y Annual 1 Year", "P3Y Monthly 3 Years", "P3Y Annual 3 Years"}, []string{"P1M", "P1Y", "P3Y"}, true, true},
		{"what the file says", ", supportedBillingCycles: [Annual, triennial]", ", terms: [{duration: P3Y, description: Prepaid}, {duration: P1Y}]", "online_service", []string{"P3Y Annual Prepaid", "P3Y Triennial Prepaid", "P1Y Annual 1 Year"}, []string{"P3Y", "P1Y"}, true, true},
		{"yearly only", ", supportedBillingCycles: [annual]", ", isRenewable: false", "online_service", []string{"P1Y Annual 1 Year", "P3Y Annual 3 Years"}, []string{"P1Y", "P3Y"}, true, false},
		{"a trial", ", isTrial: true", ", terms: [{duration: P1M}]", "online_service", []string{"P1M None 1 Month"}, []string{"P1M"}, true, false},
		{"software", "", "", "software_subscription", []string{"P1Y OneTime 1 Year", "P3Y OneTime 3 Years"}, []string{"P1Y", "P3Y"}, true, true},
		{"for good", "", "", "perpetual_software", []string{" OneTime No end"}, []string{""}, true, false},
		{"a reservation", "", "", "reservation", []string{"P1Y OneTime 1 Year"}, []string{"P1Y"}, false, false},
		{"an Azure plan", "", "", "azure_plan", []string{" OneTime No end"}, []string{""}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := mustRead(t, head+strings.Replace(productLines("", test.sku, test.availability), "online_service", test.kind, 1))
			a, err := c.Availability("p", "0001", "a", "DE")
			if err != nil {
				t.Fatal(err)
			}
			var terms, ids []string
			for _, term := range a.Terms {
				terms, ids = append(terms, term.Duration+" "+string(term.BillingCycle)+" "+term.Description), append(ids, term.ID)
				if (len(term.CancellationPolicies) > 0) != test.refunded {
					t.Errorf("policies %+v", term.CancellationPolicies)
				} else if test.refunded {
					if o := term.CancellationPolicies[0].RefundOptions[0]; *o.SequenceID != 0 || o.Type != partnercenter.RefundTypeFull || o.ExpiresAfter != "P7D" {
						t.Errorf("policies %+v", term.CancellationPolicies)
					}
				}
			}
			if !slices.Equal(terms, test.terms) {
				t.Errorf("terms %q", terms)
			}
			slices.Sort(ids)
			if len(slices.Compact(ids)) != len(terms) || len(ids[0]) != 12 {
				t.Errorf("ids %q", ids)
			}
			if (len(a.RenewalInstructions) == len(terms)) != test.renews || !test.renews && a.RenewalInstructions != nil {
				t.Errorf("renewals %+v", a.RenewalInstructions)
			}
			for i, r := range a.RenewalInstructions {
				if r.ApplicableTermIDs[0] != a.Terms[i].ID || r.RenewalOptions[0].RenewToID != "P:0001" || !*r.RenewalOptions[0].IsAutoRenewable {
					t.Errorf("renewal %+v", r)
				}
			}
			item, err := c.Find("P:0001:A", "US")
			if err != nil || !slices.Equal(item.Terms, test.durations) {
				t.Errorf("durations %q, %v", item.Terms, err)
			}
			if again, err := c.Availability("p", "0001", "a", "US"); err != nil || again.Terms[0].ID != a.Terms[0].ID {
				t.Errorf("another id in another country: %v", err)
			}
		})
	}
	for text, want := range map[string]int{"P1M": 1, "p1y": 12, "P3Y": 36, "P18M": 18, "": 0, "P7D": 0, "PM": 0, "P-1M": 0, "P9999Y": 0} {
		if got := TermMonths(text); got != want {
			t.Errorf("%q has %d months", text, got)
		}
	}
}

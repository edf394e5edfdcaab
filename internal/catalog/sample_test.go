package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// resolve looks up the target of a link below the version root.
func resolve(c *Catalog, uri string) error {
	path, query, _ := strings.Cut(strings.TrimPrefix(uri, "/v1"), "?")
	country := "US"
	for parameter := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(parameter, "country="); ok {
			country = value
		}
	}
	part := append(strings.Split(strings.Trim(path, "/"), "/"), make([]string, 6)...)
	var err error
	switch {
	case part[0] == "offers":
		_, err = c.Offer(part[1], country)
	case part[5] != "":
		_, err = c.Availability(part[1], part[3], part[5], country)
	case part[3] != "":
		_, err = c.SKU(part[1], part[3], country)
	default:
		_, err = c.Product(part[1], country)
	}
	return err
}

// TestSampleHasWhatTheSeedNames looks up every order line of the sample data in its
// customer's country, and each of its links into the catalog.
func TestSampleHasWhatTheSeedNames(t *testing.T) {
	c := mustSample(t)
	from, err := seed.Sample()
	if err != nil {
		t.Fatal(err)
	}
	for _, partner := range from.Partners {
		if _, ok := c.Country(partner.Country); !ok {
			t.Errorf("nothing is sold in %s, where %s is", partner.Country, partner.Name)
		}
		for _, customer := range partner.Customers {
			country := partner.Country
			if a := customer.Customer.CompanyProfile.Address; a != nil && a.Country != "" {
				country = a.Country
			}
			for _, order := range customer.Orders {
				for _, line := range order.LineItems {
					item, err := c.Find(line.OfferID, country)
					if err != nil {
						t.Errorf("order %s names %s in %s: %v", order.ID, line.OfferID, country, err)
						continue
					}
					if order.CurrencyCode != "" && order.CurrencyCode != item.CurrencyCode {
						t.Errorf("order %s is in %s, %s has %s", order.ID, order.CurrencyCode, country, item.CurrencyCode)
					}
					if line.Links == nil {
						continue
					}
					for _, link := range []*partnercenter.Link{line.Links.Product, line.Links.SKU, line.Links.Availability} {
						if link == nil {
							continue
						}
						if err := resolve(c, link.URI); err != nil {
							t.Errorf("order %s links to %s: %v", order.ID, link.URI, err)
						}
					}
				}
			}
		}
	}
}

// TestSampleHasEveryKind checks that the sample has what tests of ordering need.
func TestSampleHasEveryKind(t *testing.T) {
	c := mustSample(t)
	for _, tt := range []struct {
		what string
		is   func(*Item) bool
	}{
		{"seats", func(i *Item) bool { return i.Kind == License && !i.Trial && !i.AddOn }},
		{"a legacy trial", func(i *Item) bool {
			return i.Kind == License && i.Trial && i.Limit == 1 && slices.Equal(i.BillingCycles, []partnercenter.BillingCycleType{"none"})
		}},
		{"a legacy add-on", func(i *Item) bool { return i.Kind == License && i.AddOn && len(i.Prerequisites) > 0 }},
		{"Azure by use", func(i *Item) bool { return i.Kind == Usage && i.BillingType == "usage" && i.UnitType == "Usage-based" }},
		{"an Azure plan", func(i *Item) bool { return i.Kind == AzurePlan && i.Needs("MicrosoftCustomerAgreement") }},
		{"a reservation with all variables", func(i *Item) bool { return i.Kind == Reservation && len(i.ProvisioningVariables) == 3 }},
		{"a savings plan", func(i *Item) bool {
			return i.Kind == SavingsPlan && i.Price == "" && slices.Equal(i.Terms, []string{"P1Y", "P3Y"}) && slices.Equal(i.ProvisioningVariables, []string{"Scope"})
		}},
		{"perpetual software", func(i *Item) bool { return i.Kind == PerpetualSoftware && slices.Equal(i.Terms, []string{""}) }},
		{"a software subscription", func(i *Item) bool { return i.Kind == SoftwareSubscription && slices.Contains(i.Terms, "P3Y") }},
		{"monthly and annual marketplace items", func(i *Item) bool {
			return i.Kind == Marketplace && !i.Microsoft && slices.Equal(i.Terms, []string{"P1M", "P1Y"})
		}},
		{"a base with terms", func(i *Item) bool {
			return i.Kind == OnlineService && i.HasAddOns && slices.Equal(i.Terms, []string{"P1M", "P1Y", "P3Y"})
		}},
		{"an add-on", func(i *Item) bool { return i.Kind == OnlineService && i.AddOn && len(i.Prerequisites) > 0 }},
		{"a need for a purchase order", func(i *Item) bool { return i.NeedsPurchaseOrder }},
		{"a need for an attestation", func(i *Item) bool { return i.NeedsAttestation }},
		{"a retired offer", func(i *Item) bool { return i.Kind == License && i.Retired }},
		{"a retired SKU", func(i *Item) bool { return i.Kind == OnlineService && i.Retired }},
		{"one that is not sold", func(i *Item) bool { return !i.Purchasable && !i.Retired }},
		{"a large minimum", func(i *Item) bool { return i.MinimumQuantity > 25 }},
		{"one out of stock", func(i *Item) bool { return i.OutOfStock }},
		{"another sales group", func(i *Item) bool { return i.SalesGroup != "" }},
		{"a price", func(i *Item) bool { return i.Price.Cmp("0") > 0 && i.CurrencySymbol == "$" }},
	} {
		if !slices.ContainsFunc(all(t, c, "US"), tt.is) {
			t.Errorf("the sample lacks %s", tt.what)
		}
	}
	if len(all(t, c, "US")) <= len(all(t, c, "DE")) {
		t.Error("nothing is sold in the US only")
	}
	for _, i := range all(t, c, "JP") {
		if i.CurrencyCode != "JPY" || strings.Contains(string(i.Price), ".") {
			t.Errorf("%s costs %s %s", i.ID, i.Price, i.CurrencyCode)
		}
	}
}

// all returns the items that are sold in a country.
func all(t *testing.T, c *Catalog, country string) []*Item {
	t.Helper()
	var items []*Item
	for id := range c.items {
		if item, err := c.Find(id, country); err == nil {
			items = append(items, item)
		}
	}
	return items
}

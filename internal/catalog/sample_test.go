package catalog

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// resolve looks for what a link below the version root names.
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

// TestSampleHasWhatTheExamplesName looks for every offer, product and catalog
// item in the documented payloads: ids by their names, links, and parts of
// resources.
func TestSampleHasWhatTheExamplesName(t *testing.T) {
	c := mustSample(t)
	files, err := filepath.Glob(filepath.Join(contracttest.Dir(t), "examples", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if json.Unmarshal(data, &value) != nil {
			continue // not every example is meant to be JSON
		}
		check := func(what string, err error) {
			found++
			if err != nil {
				t.Errorf("%s names %s: %v", filepath.Base(file), what, err)
			}
		}
		var walk func(any)
		walk = func(value any) {
			if list, ok := value.([]any); ok {
				for _, item := range list {
					walk(item)
				}
			}
			object, ok := value.(map[string]any)
			if !ok {
				return
			}
			text := map[string]string{}
			for key, value := range object {
				walk(value)
				if value, ok := value.(string); ok {
					text[strings.ToLower(key)] = value
				}
			}
			for _, key := range []string{"offerid", "catalogitemid"} {
				if id := text[key]; id != "" {
					_, err := c.Find(id, "US")
					check(id, err)
				}
			}
			uri := text["uri"]
			switch {
			case strings.Contains(uri, "/products/all/"): // one product of all would be no address
			case strings.HasPrefix(uri, "/products/"), strings.HasPrefix(uri, "/offers/"), strings.HasPrefix(uri, "/v1/offers/"):
				check(uri, resolve(c, uri))
			case strings.Contains(uri, "/Offers/"):
				_, err := c.Offer(text["id"], "US")
				check(text["id"], err)
			}
			product, sku := text["productid"], text["skuid"]
			switch {
			case product == "":
			case sku != "":
				_, err := c.SKU(product, sku, "US")
				check(product+":"+sku, err)
			case text["id"] != "":
				_, err := c.SKU(product, text["id"], "US")
				check(product+":"+text["id"], err)
			default:
				_, err := c.Product(product, "US")
				check(product, err)
			}
		}
		walk(value)
	}
	if found < 60 {
		t.Errorf("only %d items were found in the examples", found)
	}
}

// TestSampleHasWhatTheSeedNames looks for every order line of the sample data,
// where its customer is, and for every link of it into the catalog.
func TestSampleHasWhatTheSeedNames(t *testing.T) {
	c := mustSample(t)
	seed, err := store.SampleSeed()
	if err != nil {
		t.Fatal(err)
	}
	for _, partner := range seed.Partners {
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

// TestSampleHasEveryKind pins what tests of ordering need to be there.
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
		{"a retired offer", func(i *Item) bool { return i.Kind == License && i.Retired }},
		{"a retired SKU", func(i *Item) bool { return i.Kind == OnlineService && i.Retired }},
		{"one that is not sold", func(i *Item) bool { return !i.Purchasable && !i.Retired }},
		{"a large minimum", func(i *Item) bool { return i.MinimumQuantity > 25 }},
		{"one out of stock", func(i *Item) bool { return i.OutOfStock }},
		{"another sales group", func(i *Item) bool { return i.SalesGroup != "" }},
		{"a price", func(i *Item) bool { return i.Price.Compare("0") > 0 && i.CurrencySymbol == "$" }},
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

// all are the items that are sold in a country.
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

package partnercenter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestCatalogRequestsOnTheWire pins the address of every call.
func TestCatalogRequestsOnTheWire(t *testing.T) {
	ctx := t.Context()
	s := newStub(t, answerJSON(anyAnswer))
	pc := s.client(t, nil)
	us, customer := pc.Products.ByCountry("US"), pc.Customers.ByID(customerID)
	for want, call := range map[string]func() (any, error){
		"/v1/offers?country=US":                       func() (any, error) { return pc.Offers.ByCountry("US").Get(ctx) },
		"/v1/offers?country=US&offer_category_id=a+b": func() (any, error) { return pc.Offers.ByCountry("US").ByCategory("a b").Get(ctx) },
		"/v1/offers?country=US&offset=80&size=40": func() (any, error) {
			return pc.Offers.ByCountry("US").Query(ctx, partnercenter.OffersQuery{Size: 40, Offset: 80})
		},
		"/v1/offers/a%2Fb?country=US":                      func() (any, error) { return pc.Offers.ByCountry("US").ByID("a/b").Get(ctx) },
		"/v1/offers/x/addons?country=US":                   func() (any, error) { return pc.Offers.ByCountry("US").ByID("x").AddOns.Get(ctx) },
		"/v1/offercategories?country=US":                   func() (any, error) { return pc.OfferCategories.ByCountry("US").Get(ctx) },
		"/v1/customers/" + customerID + "/offers":          func() (any, error) { return customer.Offers.Get(ctx) },
		"/v1/customers/" + customerID + "/offercategories": func() (any, error) { return customer.OfferCategories.Get(ctx) },
		"/v1/customers/" + customerID + "/offers?offer_category_id=c&size=2": func() (any, error) {
			return customer.Offers.ByCategory("c").Query(ctx, partnercenter.OffersQuery{Size: 2})
		},
		"/v1/products?country=US&targetView=AzureReservationsVM": func() (any, error) { return us.ByTargetView("azurereservationsvm").Get(ctx) },
		"/v1/products?country=US&reservationScope=AzurePlan&targetSegment=education&targetView=Azure": func() (any, error) {
			return us.ByTargetView(partnercenter.TargetViewAzure).ByTargetSegment("Education").ByReservationScope(partnercenter.ReservationScopeAzurePlan).Get(ctx)
		},
		"/v1/products/P?country=US":                                  func() (any, error) { return us.ByID("P").Get(ctx) },
		"/v1/products/P/skus?country=US&targetSegment=commercial":    func() (any, error) { return us.ByID("P").SKUs.ByTargetSegment("commercial").Get(ctx) },
		"/v1/products/P/skus/1?country=US":                           func() (any, error) { return us.ByID("P").SKUs.ByID("1").Get(ctx) },
		"/v1/products/P/skus/1/availabilities?country=US":            func() (any, error) { return us.ByID("P").SKUs.ByID("1").Availabilities.Get(ctx) },
		"/v1/products/P/skus/1/availabilities/A?country=US":          func() (any, error) { return us.ByID("P").SKUs.ByID("1").Availabilities.ByID("A").Get(ctx) },
		"/v1/customers/" + customerID + "/products?targetView=Azure": func() (any, error) { return customer.Products.ByTargetView("Azure").Get(ctx) },
		"/v1/customers/" + customerID + "/products/P/skus/1/availabilities/A": func() (any, error) {
			return customer.Products.ByID("P").SKUs.ByID("1").Availabilities.ByID("A").Get(ctx)
		},
	} {
		s.requests = nil
		if _, err := call(); err != nil {
			t.Errorf("%s: %v", want, err)
		} else if got := s.requests[0].URL.RequestURI(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for name, call := range map[string]func() error{
		"no country":  func() error { _, err := pc.Offers.ByCountry("").Get(ctx); return err },
		"no offer":    func() error { _, err := pc.Offers.ByCountry("US").ByID("").Get(ctx); return err },
		"no base":     func() error { _, err := collectAll(pc.Offers.ByCountry("US").ByID("").AddOns.All(ctx)); return err },
		"no product":  func() error { _, err := us.ByID("").SKUs.Get(ctx); return err },
		"climbing":    func() error { _, err := us.ByID("P").SKUs.ByID("..").Get(ctx); return err },
		"no customer": func() error { _, err := pc.Customers.ByID("").Offers.Get(ctx); return err },
		"no inventory": func() error {
			_, err := pc.Extensions.Product.ByCountry("").CheckInventory(ctx, &partnercenter.InventoryCheckRequest{})
			return err
		},
	} {
		s.requests = nil
		if err := call(); err == nil || len(s.requests) > 0 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.requests))
		}
	}
}

func TestCheckInventoryOnTheWire(t *testing.T) {
	var body []byte
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answerJSON("\ufeff"+`[{"productId":"P","skuId":"1","isRestricted":true,"restrictions":[{"reasonCode":"R","new":1}]}]`)(w, r)
	})
	items, err := s.client(t, nil).Extensions.Product.ByCountry("DE").CheckInventory(t.Context(), &partnercenter.InventoryCheckRequest{
		TargetItems: []partnercenter.InventoryItem{{ProductID: "P"}}, InventoryContext: map[string]string{"customerId": "c"},
	})
	if err != nil || len(items) != 1 || !*items[0].IsRestricted || items[0].Restrictions[0].ReasonCode != "R" {
		t.Fatal(items, err)
	}
	if r := s.requests[0]; r.Method != http.MethodPost || r.URL.RequestURI() != "/v1/extensions/product/checkinventory?country=DE" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	if want := `{"targetItems":[{"productId":"P"}],"inventoryContext":{"customerId":"c"}}`; string(body) != want {
		t.Errorf("sent %s, want %s", body, want)
	}
}

// TestCatalogAgainstTheServer goes from a list to an availability, in a country
// and for a customer.
func TestCatalogAgainstTheServer(t *testing.T) {
	ctx := t.Context()
	srv := partnercentertest.NewServer(t)
	pc := srv.Client()
	whole, err := pc.Offers.ByCountry("US").Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	offers, err := collectAll(pc.Offers.ByCountry("us").All(ctx))
	if err != nil || len(offers) != len(whole.Items) {
		t.Fatalf("%d offers, want %d: %v", len(offers), len(whole.Items), err)
	}
	page, err := pc.Customers.ByID(sample).Offers.Query(ctx, partnercenter.OffersQuery{Size: 3, Offset: 2})
	if err != nil || page.Links.Next == nil {
		t.Fatal(page, err)
	}
	if diff := cmp.Diff(offerIDs(whole.Items[2:5]), offerIDs(page.Items)); diff != "" {
		t.Error(diff)
	}
	for _, products := range []*partnercenter.ProductsClient{pc.Products.ByCountry("US"), pc.Customers.ByID(sample).Products} {
		items := 0
		for product, err := range products.ByTargetView(partnercenter.TargetViewOnlineServices).All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			for sku, err := range products.ByID(product.ID).SKUs.All(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				for availability, err := range products.ByID(product.ID).SKUs.ByID(sku.ID).Availabilities.All(ctx) {
					if err != nil {
						t.Fatal(err)
					}
					items++
					again, err := products.ByID(product.ID).SKUs.ByID(sku.ID).Availabilities.ByID(availability.ID).Get(ctx)
					if err != nil || again.CatalogItemID != availability.CatalogItemID {
						t.Errorf("%s: %+v, %v", availability.CatalogItemID, again, err)
					}
				}
			}
		}
		if items < 30 {
			t.Errorf("only %d items", items)
		}
	}
	sku, err := pc.Products.ByCountry("US").ByID("DZH318Z0BQ5S").SKUs.ByID("0001").Get(ctx)
	if err != nil || sku.DynamicAttribute("armRegionName") != "westus2" || sku.DynamicAttribute("nothing") != "" {
		t.Errorf("%+v, %v", sku, err)
	}
	offer, err := pc.Customers.ByID(sample).OfferCategories.Get(ctx)
	if err != nil || len(offer.Items) != 4 {
		t.Error(offer, err)
	}
	var refused *partnercenter.Error
	_, err = pc.Offers.ByCountry("US").ByID("DZH318Z0BQ4B").Get(ctx)
	if !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeWrongCatalog || refused.StatusCode != 400 {
		t.Error(err)
	}
	_, err = pc.Products.ByCountry("US").ByID("x").Get(ctx)
	if !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeProductNotFound || refused.StatusCode != 404 {
		t.Error(err)
	}
}

func TestOwnCatalog(t *testing.T) {
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Catalog: strings.NewReader(`
format: partnercenter-catalog/1
countries: [{code: US, currency: USD, symbol: $}]
categories: [{id: all, name: All}]
offers: [{id: support, name: Support hours, category: all, product: {id: p}}]
`)})
	offers, err := collectAll(srv.Client().Offers.ByCountry("US").All(t.Context()))
	if err != nil || len(offers) != 1 || offers[0].Name != "Support hours" {
		t.Error(offers, err)
	}
	if _, err := partnercentertest.Start(partnercentertest.Options{Catalog: strings.NewReader("format: x")}); err == nil {
		t.Error("a catalog with a mistake is taken")
	}
}

func offerIDs(offers []*partnercenter.Offer) []string {
	ids := make([]string, len(offers))
	for i, o := range offers {
		ids[i] = o.ID
	}
	return ids
}

func collectAll[T any](items iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range items {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

// List the add-ons of an offer.
func ExampleOfferAddOnsClient_Get() {
	pc, done := startServer()
	defer done()

	addOns, err := pc.Offers.ByCountry("US").ByID("195416C1-3447-423A-B37B-EE59A99A19C4").AddOns.Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, offer := range addOns.Items {
		fmt.Println(offer.ID, offer.Name)
	}
	// Output:
	// 2828BE95-46BA-4F91-B2FD-0BEF192ECF60 Exchange Online Archiving for Exchange Online
}

// Get the catalog item id for an order.
func ExampleAvailabilitiesClient_Get() {
	pc, done := startServer()
	defer done()

	product := pc.Customers.ByID(sample).Products.ByID("CFQ7TTC0LCHC")
	availabilities, err := product.SKUs.ByID("0002").Availabilities.Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range availabilities.Items {
		fmt.Println(a.CatalogItemID, a.DefaultCurrency.Code)
	}
	// Output:
	// CFQ7TTC0LCHC:0002:CFQ7TTC0KD84 USD
}

// List the software sold in a country.
func ExampleCatalogListClient_All() {
	pc, done := startServer()
	defer done()

	software := pc.Products.ByCountry("DE").ByTargetView(partnercenter.TargetViewSoftwareSubscriptions)
	for product, err := range software.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(product.ID, product.Title)
	}
	// Output:
	// DG7GMGF0F19K SQL Server Standard
	// DG7GMGF0F1SL SUSE Linux Enterprise Server
}

// Check whether a reservation can be bought now.
func ExampleProductExtensionsClient_CheckInventory() {
	pc, done := startServer()
	defer done()

	items, err := pc.Extensions.Product.ByCountry("US").CheckInventory(context.Background(), &partnercenter.InventoryCheckRequest{
		TargetItems: []partnercenter.InventoryItem{{ProductID: "DZH318Z0BQ3P", SKUID: "0039"}},
		InventoryContext: map[string]string{
			"customerId": sample, "azureSubscriptionId": "3a231fbe-37fe-4410-93fd-730d3d5d4c75", "armRegionName": "japanwest",
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range items {
		fmt.Println(item.SKUID, *item.IsRestricted, item.Restrictions[0].ReasonCode)
	}
	// Output:
	// 0039 true NotAvailableForSubscription
}

package store

import (
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// testDescribed loads documents of subscriptions and a cart, with new orders and after
// them, and again.
func testDescribed(t *testing.T, s *Store) {
	const customer, made, azure = "cccccccc-0000-4000-8000-0000000000d1", "dddddddd-0000-4000-8000-0000000000d1", "dddddddd-0000-4000-8000-0000000000d2"
	data := func(change func(c *seed.Customer)) *seed.Seed {
		c := seed.Customer{
			Customer: partnercenter.Customer{ID: customer, CompanyProfile: &partnercenter.CustomerCompanyProfile{CompanyName: "Described"}},
			Orders: []partnercenter.Order{{ID: "0000000000d1", LineItems: []partnercenter.OrderLineItem{
				{OfferID: "A:1:B", SubscriptionID: made, Quantity: new(3), PartnerIDOnRecord: "5"}, {OfferID: "DZH318Z0BPS6:0001:X", SubscriptionID: azure},
			}}},
			Subscriptions: []seed.Subscription{
				{Subscription: partnercenter.Subscription{ID: made, OrderID: "0000000000d1", OfferID: "A:1:B", Quantity: new(4), PartnerID: new("6"), Status: "suspended"}, SubscriptionMore: seed.SubscriptionMore{OverageEnabled: new(true)}},
				{Subscription: partnercenter.Subscription{ID: azure, OrderID: "0000000000d1", OfferID: "DZH318Z0BPS6:0001:X", Status: "deleted"}},
			},
			Carts: []partnercenter.Cart{{ID: cartID, LineItems: []partnercenter.CartLineItem{{CatalogItemID: "A:1:B"}}}},
		}
		if change != nil {
			change(&c)
		}
		return &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"}, Customers: []seed.Customer{c}}}}
	}
	read := func() []SubscriptionRecord {
		t.Helper()
		list, err := s.Subscriptions(t.Context(), SubscriptionQuery{PartnerID: partnerA, CustomerID: customer})
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list
	}
	check := func() {
		t.Helper()
		list := read()
		for _, r := range list {
			if r.Subscription == nil || len(r.Facts) > 0 || r.Order == nil || r.Order != list[0].Order {
				t.Errorf("%+v", r)
			}
		}
		same(t, *list[0].Subscription.Quantity, 4)
		same(t, string(list[0].Subscription.Extra), `{"overageEnabled":true}`)
		same(t, []bool{list[0].Active, list[1].Active}, []bool{true, false})
	}
	r := load(t, s, data(nil))
	same(t, []int{r.Subscriptions, r.Carts, r.Changed}, []int{2, 1, 4})
	check()
	same(t, load(t, s, data(nil)).Changed, 0)
	check()
	// An order that replaces another is described again.
	same(t, load(t, s, data(func(c *seed.Customer) { c.Orders[0].CurrencyCode = "USD" })).Changed, 3)
	check()
	same(t, load(t, s, data(func(c *seed.Customer) {
		c.Orders[0].CurrencyCode = "USD"
		c.Subscriptions[0].Subscription.Quantity = new(5)
	})).Changed, 1)
	same(t, *read()[0].Subscription.Quantity, 5)
	for mpn, n := range map[string]int{"5": 0, "6": 1} {
		list, err := s.Subscriptions(t.Context(), SubscriptionQuery{PartnerID: partnerA, CustomerID: customer, MPNID: mpn})
		same(t, err, nil)
		same(t, len(list), n)
	}

	cart, err := s.Cart(t.Context(), partnerA, customer, cartID)
	if err != nil || string(cart.Facts) != loadedCart || !cart.Cart.CreationTimestamp.Time().Equal(suiteNow) || !cart.Cart.ExpirationTimestamp.Time().Equal(suiteNow.AddDate(0, 0, 7)) {
		t.Fatalf("%+v, %v", cart, err)
	}
	cart.Cart.LineItems[0].FriendlyName, cart.Facts = "changed", []byte(`{}`)
	apply(t, s, &Change{PartnerID: partnerA, CustomerID: customer, Cart: cart})
	load(t, s, data(nil))
	if cart, err = s.Cart(t.Context(), partnerA, customer, cartID); err != nil || cart.Cart.LineItems[0].FriendlyName != "changed" {
		t.Errorf("%+v, %v", cart, err)
	}
}

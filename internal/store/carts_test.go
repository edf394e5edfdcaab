package store

import (
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

const cartID = "7C000000-0000-4000-8000-00000000000C"

// newCart is a new cart of a customer.
func newCart(partnerID, customerID string) *Change {
	return &Change{PartnerID: partnerID, CustomerID: customerID, Cart: &CartRecord{
		New: true, Facts: []byte(`{}`),
		Cart: &partnercenter.Cart{ID: cartID, ExpirationTimestamp: mustTime("2024-05-07T10:00:00Z"), LineItems: []partnercenter.CartLineItem{{CatalogItemID: "A:1:B", Pricing: &partnercenter.Pricing{Price: "5.00"}}}},
	}}
}

// bought is a cart with the order that its checkout places.
func bought(r *CartRecord, order *Change) *Change {
	c := &Change{PartnerID: order.PartnerID, CustomerID: order.CustomerID, Cart: r, More: []OrderChange{{Order: order.Order, New: true}}, Subscriptions: order.Subscriptions}
	r.Cart.Status, r.Facts = partnercenter.CartStatusOrdered, []byte(`{"ordered":["0"],"orders":[{"id":"`+order.Order.Order.ID+`"}]}`)
	return c
}

func testCarts(t *testing.T, s *Store) {
	read := func() *CartRecord {
		t.Helper()
		r, err := s.Cart(t.Context(), strings.ToUpper(partnerA), orderless, strings.ToLower(cartID))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	apply(t, s, newCart(strings.ToUpper(partnerA), strings.ToUpper(orderless)))
	first, second := read(), read()
	same(t, first.Cart.LineItems[0].Pricing.Price, partnercenter.Decimal("5.00"))
	same(t, string(first.Facts), `{}`)
	first.Cart.LineItems[0].FriendlyName = "changed"
	apply(t, s, &Change{PartnerID: partnerA, CustomerID: orderless, Cart: first})
	fails(t, s.Apply(t.Context(), &Change{PartnerID: partnerA, CustomerID: orderless, Cart: second}), ErrConflict)
	same(t, read().Cart.LineItems[0].FriendlyName, "changed")

	// Of two checkouts, one places the order.
	one, other := bought(read(), placed(partnerA, orderless, "00000000000a")), bought(read(), placed(partnerA, orderless, "00000000000b"))
	one.More = append(one.More, OrderChange{Order: placed(partnerA, orderless, "00000000000c").Order, New: true})
	apply(t, s, one)
	fails(t, s.Apply(t.Context(), other), ErrConflict)
	same(t, read().Cart.Status, partnercenter.CartStatusOrdered)
	_, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	same(t, err, nil)
	same(t, n, 2)

	_, err = s.Cart(t.Context(), partnerA, orderless, "7c000000-0000-4000-8000-00000000000d")
	fails(t, err, ErrCartNotFound)

	// Carts whose time has long been over are deleted with the customer's next ones.
	aged := func(last string, days int) string {
		t.Helper()
		c := newCart(partnerA, orderless)
		c.Cart.Cart.ID = cartID[:len(cartID)-1] + last
		c.Cart.Cart.LineItems[0].FriendlyName = "a\x00b" // which PostgreSQL does not take for JSON
		c.Cart.Cart.ExpirationTimestamp = partnercenter.TimeOf(suiteNow.AddDate(0, 0, -days))
		apply(t, s, c)
		return c.Cart.Cart.ID
	}
	gone, kept := aged("1", 31), aged("2", 29)
	s.madeCarts.Store(forgetCartsEvery - 1)
	aged("3", 0)
	_, err = s.Cart(t.Context(), partnerA, orderless, gone)
	fails(t, err, ErrCartNotFound)
	_, err = s.Cart(t.Context(), partnerA, orderless, kept)
	same(t, err, nil)

	_, err = s.Cart(t.Context(), partnerA, shared, cartID)
	fails(t, err, ErrCartNotFound)
	_, err = s.Cart(t.Context(), partnerB, orderless, cartID)
	fails(t, err, ErrNotYours)
	if err := s.Apply(t.Context(), newCart(partnerA, onlyB)); err == nil {
		t.Error("a cart went to another partner's customer")
	}
	unknown := newCart(partnerA, orderless)
	unknown.Cart.New, unknown.Cart.Cart.ID = false, "7c000000-0000-4000-8000-00000000000e"
	fails(t, s.Apply(t.Context(), unknown), ErrConflict)
}

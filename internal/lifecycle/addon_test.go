package lifecycle

import (
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestAddOnsEndWithBase deletes bases by a request and by time, in the order of their add-on
// and in another one.
func TestAddOnsEndWithBase(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	settings := Settings{CancelWithin: cancelWithin}
	base, _, err := PlaceOrder(a, Placement{Request: request(line(serviceE3, 4)), Entropy: Entropy{1}}, settings, day("2026-06-01"))
	if err != nil {
		t.Fatal(err)
	}
	id := base.Subscriptions[0].Document.ID
	addOn := line(serviceAddOn, 3)
	addOn.ParentSubscriptionID = id
	together, _, err := PatchOrder(a, base, Patch{Request: request(addOn), Entropy: Entropy{2}}, settings, day("2026-06-02"))
	if err != nil {
		t.Fatal(err)
	}
	a.Subscriptions[Key(id)] = base.Subscriptions[0]
	apart, _, err := PlaceOrder(a, Placement{Request: request(addOn), Entropy: Entropy{3}}, settings, day("2026-06-02"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(o *Order, r sub, at string) *Order {
		t.Helper()
		o, _, err := UpdateSubscription(a, o, id, Update{Request: &r}, settings, day(at))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	check := func(name string, s *Subscription, at string, status partnercenter.SubscriptionStatus, orders int) {
		t.Helper()
		if d := s.At(settings, day(at)); d.Status != status || *d.AutoRenewEnabled != (status == "active") {
			t.Errorf("%s: on %s it is %s, renews %t", name, at, d.Status, *d.AutoRenewEnabled)
		}
		bought := &together.Document
		if s.Document.OrderID == apart.Document.ID {
			bought = &apart.Document
		}
		if n := len(s.RenewalOrders(a, bought, day("2028-01-01"))); n != orders {
			t.Errorf("%s: %d orders, want %d", name, n, orders)
		}
	}

	gone := change(together, sub{Status: "deleted"}, "2026-06-03")
	if d := &gone.Document; d.Status != "cancelled" || *d.LineItems[1].Quantity != 0 || d.TotalPrice != "0.00" || len(gone.Changed) != 2 {
		t.Errorf("the order is %s, %+v in total %s, and %d subscriptions changed", d.Status, d.LineItems[1], d.TotalPrice, len(gone.Changed))
	}
	check("by a request", gone.Subscriptions[1], "2026-06-03", "deleted", 0)
	other := apart.Subscriptions[0]
	LinkBases([]*Subscription{gone.Subscriptions[0], other})
	check("by a request, in another order", other, "2026-06-03", "deleted", 0)
	check("by a request, in another order, with the clock set back", other, "2026-06-02", "deleted", 0)

	// The base ends with June, and is deleted 90 days later. The add-on renews until then.
	ends := change(together, sub{ScheduledActions: action("Cancel", nil)}, "2026-06-03")
	LinkBases([]*Subscription{ends.Subscriptions[0], other})
	for name, s := range map[string]*Subscription{"by time": ends.Subscriptions[1], "by time, in another order": other} {
		check(name, s, "2026-09-28", "active", 3)
		check(name, s, "2026-09-29", "deleted", 3)
		check(name, s, "2026-06-10", "active", 3)
	}
	if n := *ends.Document.LineItems[1].Quantity; n != 3 {
		t.Errorf("time gives back an add-on: %d seats", n)
	}
	// Loaded documents can say anything.
	x, y := &Subscription{Document: sub{ID: "x", ParentSubscriptionID: "y"}}, &Subscription{Document: sub{ID: "y", ParentSubscriptionID: "x"}}
	if LinkBases([]*Subscription{x, y}); x.Base != nil || y.Base != nil {
		t.Error("two add-ons of each other have bases")
	}
}

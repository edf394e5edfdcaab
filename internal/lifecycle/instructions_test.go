package lifecycle

import (
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestScheduledTerm schedules a change, which takes place when the term ends, and removes
// it in each way.
func TestScheduledTerm(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	var o *Order
	var id string
	buy := func() {
		l := line(service, 4)
		o, _, _ = PlaceOrder(a, Placement{Request: request(l)}, Settings{}, day("2027-01-31"))
		id = o.Subscriptions[0].Document.ID
	}
	change := func(at string, request *sub) error {
		t.Helper()
		next, _, err := UpdateSubscription(a, o, id, Update{Request: request}, Settings{}, day(at))
		if err == nil {
			o = next
		}
		return err
	}
	shown := func(at string) *sub { return o.Subscription(id).At(Settings{}, day(at)) }
	yearly := func() *partnercenter.SubscriptionInstructions {
		return &partnercenter.SubscriptionInstructions{
			Product:  &partnercenter.InstructedProduct{BillingCycle: "Annual", TermDuration: "p1y"},
			Quantity: new(3),
		}
	}
	schedule := func() {
		t.Helper()
		if err := change("2027-02-10", &sub{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: yearly()}); err != nil {
			t.Fatal(err)
		}
	}

	buy()
	schedule()
	before := shown("2027-02-27")
	if i := before.ScheduledNextTermInstructions; i == nil || *before.Quantity != 4 || before.TermDuration != "P1M" || *i.Quantity != 3 || i.Product.ProductID+":"+i.Product.SKUID+":"+i.Product.AvailabilityID != service {
		t.Errorf("before the end: %+v", before)
	}
	after := shown("2027-02-28")
	if after.ScheduledNextTermInstructions != nil || *after.Quantity != 3 || after.TermDuration != "P1Y" || after.BillingCycle != "annual" || !*after.AutoRenewEnabled {
		t.Errorf("after the end: %+v", after)
	}
	if got := ends(o.Subscription(id), day("2027-02-28")); got != both("2028-02-27", "2028-02-27") {
		t.Errorf("it ends %v", got)
	}
	if got := ends(o.Subscription(id), day("2028-02-28")); got != both("2029-02-27", "2029-02-27") {
		t.Errorf("it then ends %v", got)
	}
	if s := o.Subscription(id); s.ProvisioningStatus(day("2027-02-28")).Quantity == nil || *s.ProvisioningStatus(day("2027-02-28")).Quantity != 3 || *s.Document.Quantity != 4 {
		t.Error("the answers of other times changed")
	}
	// Who read it before the end is stale.
	refused(t, change("2027-03-01", before), partnercenter.ErrorCodeEtagStale)
	if err := change("2027-03-01", after); err != nil {
		t.Error(err)
	}
	// Another change finds the new term, and is stored with it.
	if err := change("2027-03-01", &sub{Quantity: new(5), AutoRenewEnabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if s := o.Subscription(id); *s.Document.Quantity != 5 || s.Document.TermDuration != "P1Y" || s.Document.ScheduledNextTermInstructions != nil || len(s.Facts.Seats) != 2 {
		t.Errorf("%+v, %+v", s.Document, s.Facts)
	}

	for name, request := range map[string]*sub{
		"left out":       {AutoRenewEnabled: new(true)},
		"no renewal":     {AutoRenewEnabled: new(false), ScheduledNextTermInstructions: yearly()},
		"nothing at all": {},
		"more at once":   {Quantity: new(6), AutoRenewEnabled: new(true), ScheduledNextTermInstructions: yearly()},
		"suspended":      {Status: "suspended", AutoRenewEnabled: new(true), ScheduledNextTermInstructions: yearly()},
		"deleted":        {Status: "deleted"},
	} {
		buy()
		schedule()
		if err := change("2027-02-11", request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := shown("2027-02-11").ScheduledNextTermInstructions; got != nil {
			t.Errorf("%s: %+v is still scheduled", name, got)
		}
	}
	// Sent back whole, it stays.
	buy()
	schedule()
	if err := change("2027-02-11", shown("2027-02-11")); err != nil || shown("2027-02-11").ScheduledNextTermInstructions == nil {
		t.Errorf("sent back: %v", err)
	}
	// An order's change of cycle in the new term is based on it.
	if next, _, err := PatchOrder(a, o, Patch{Request: &partnercenter.Order{BillingCycle: "annual"}}, Settings{}, day("2027-03-01")); err == nil {
		if d := next.Subscription(id).Document; d.TermDuration != "P1Y" || d.ScheduledNextTermInstructions != nil {
			t.Errorf("%+v", d)
		}
	}
}

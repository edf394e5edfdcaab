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

// TestCyclesOfChangedTerms changes the billing cycle of orders whose subscriptions have
// another term than was bought, or are to have one.
func TestCyclesOfChangedTerms(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	var o *Order
	buy := func(term string) {
		l := line(service, 4)
		l.TermDuration = &term
		r := request(l)
		r.BillingCycle = "monthly"
		var err error
		if o, _, err = PlaceOrder(a, Placement{Request: r}, Settings{}, day("2027-01-31")); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(at string) *sub { return o.Subscriptions[0].At(Settings{}, day(at)) }
	update := func(at string, request *sub) {
		t.Helper()
		next, _, err := UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: request}, Settings{}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		o = next
	}
	schedule := func(term string, cycle partnercenter.BillingCycleType) {
		t.Helper()
		update("2027-02-10", &sub{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{
			Product: &partnercenter.InstructedProduct{TermDuration: term, BillingCycle: cycle}, Quantity: new(7),
		}})
	}
	patch := func(at string, request *partnercenter.Order) error {
		next, _, err := PatchOrder(a, o, Patch{Request: request}, Settings{}, day(at))
		if err == nil {
			o = next
		}
		return err
	}
	has := func(at, term string, cycle partnercenter.BillingCycleType, scheduled bool) {
		t.Helper()
		s := shown(at)
		if s.TermDuration != term || s.BillingCycle != cycle || (s.ScheduledNextTermInstructions != nil) != scheduled {
			t.Errorf("on %s: term %s, cycle %s, %+v", at, s.TermDuration, s.BillingCycle, s.ScheduledNextTermInstructions)
		}
	}
	annual, monthly := &partnercenter.Order{BillingCycle: "annual"}, &partnercenter.Order{BillingCycle: "monthly"}

	// A change of cycle removes what is scheduled.
	buy("P1Y")
	schedule("", "")
	read := shown("2027-02-11")
	refused(t, patch("2027-02-12", annual), "")
	has("2027-02-12", "P1Y", "annual", false)
	has("2028-03-01", "P1Y", "annual", false)
	// The subscription that was read before is sent back: its instructions are wanted,
	// the cycle in them is not.
	update("2027-02-13", read)
	has("2027-02-13", "P1Y", "annual", true)
	has("2028-03-01", "P1Y", "annual", false)
	if n := *shown("2028-03-01").Quantity; n != 7 {
		t.Errorf("%d seats", n)
	}

	// The present term decides about cycles, not the one that was bought.
	buy("P1Y")
	update("2027-02-10", &sub{}) // it is extended by the month
	refused(t, patch("2028-02-01", annual), partnercenter.ErrorCodeCycleUnsupported)
	has("2028-02-01", "P1M", "monthly", false)
	buy("P1M")
	refused(t, patch("2027-02-01", annual), partnercenter.ErrorCodeCycleUnsupported)
	schedule("P1Y", "annual")
	// The order has the cycle that was bought: to name it is a change, to send the order
	// back is none.
	echo := o.Document
	refused(t, patch("2027-03-01", &echo), "")
	has("2027-03-01", "P1Y", "annual", false)
	refused(t, patch("2027-03-01", monthly), "")
	has("2027-03-01", "P1Y", "monthly", false)
	refused(t, patch("2027-03-02", annual), "")
	has("2027-03-02", "P1Y", "annual", false)
	if o.Document.BillingCycle != "annual" {
		t.Errorf("the order is billed %s", o.Document.BillingCycle)
	}
}

// TestEndsOfScheduledTerms counts ends from the start of the subscription as long as terms
// have one length, whatever else changes with one.
func TestEndsOfScheduledTerms(t *testing.T) {
	a := account(t)
	type instructions = partnercenter.SubscriptionInstructions
	for name, test := range map[string]struct {
		scheduled *instructions
		ends      map[string][4]string
	}{
		"nothing": {nil, map[string][4]string{
			"2027-03-01": both("2027-03-30", "2027-03-30"), "2027-04-01": both("2027-04-29", "2027-04-29"), "2027-05-01": both("2027-05-30", "2027-05-30"),
		}},
		"a quantity": {&instructions{Quantity: new(7)}, map[string][4]string{
			"2027-03-01": both("2027-03-30", "2027-03-30"), "2027-04-01": both("2027-04-29", "2027-04-29"), "2027-05-01": both("2027-05-30", "2027-05-30"),
		}},
		"a term": {&instructions{Product: &partnercenter.InstructedProduct{TermDuration: "P1Y"}}, map[string][4]string{
			"2027-03-01": both("2028-02-27", "2027-03-27"), "2027-04-01": both("2028-02-27", "2027-04-27"), "2028-05-01": both("2029-02-27", "2028-05-27"),
		}},
	} {
		l := line(service, 4)
		l.TermDuration = new("P1M")
		o, _, err := PlaceOrder(a, Placement{Request: request(l)}, Settings{}, day("2027-01-31"))
		if err != nil {
			t.Fatal(err)
		}
		change := &partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: test.scheduled}
		if o, _, err = UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: change}, Settings{}, day("2027-02-10")); err != nil {
			t.Fatal(err)
		}
		for at, want := range test.ends {
			if got := ends(o.Subscriptions[0], day(at)); got != want {
				t.Errorf("%s, on %s: %v, want %v", name, at, got, want)
			}
		}
	}
}

// TestShorterTerms has no term follow a longer one, but after an extended service term and a
// trial any.
func TestShorterTerms(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	to := func(term string) *partnercenter.SubscriptionInstructions {
		return &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{TermDuration: term, BillingCycle: "monthly"}}
	}
	renews := new(true)
	for _, test := range []struct {
		name, term string
		extended   bool
		request    sub
		code       partnercenter.ErrorCode
	}{
		{"by instructions", "P1Y", false, sub{AutoRenewEnabled: renews, ScheduledNextTermInstructions: to("P1M")}, partnercenter.ErrorCodeTermShorter},
		{"by renewalTermDuration", "P3Y", false, sub{AutoRenewEnabled: renews, RenewalTermDuration: new("p1y")}, partnercenter.ErrorCodeTermShorter},
		{"by an action", "P1Y", false, sub{AutoRenewEnabled: renews, ScheduledActions: action("RenewToNewTerm", to("P1M"))}, partnercenter.ErrorCodeTermShorter},
		{"on a date", "P1Y", false, sub{AutoRenewEnabled: renews, ScheduledActions: dated("RenewToNewTerm", "2027-05-07", to("P1M"))}, partnercenter.ErrorCodeTermShorter},
		{"than the one that begins at once", "P1M", false, sub{AutoRenewEnabled: renews, TermDuration: "P3Y", ScheduledNextTermInstructions: to("P1Y")}, partnercenter.ErrorCodeTermShorter},
		{"not", "P1Y", false, sub{AutoRenewEnabled: renews, ScheduledNextTermInstructions: to("P1Y")}, ""},
		{"after an extension, the term before", "P1Y", true, sub{AutoRenewEnabled: renews}, ""},
		{"after an extension, a longer one", "P1Y", true, sub{AutoRenewEnabled: renews, ScheduledNextTermInstructions: to("P3Y")}, ""},
		{"after an extension, a month", "P1Y", true, sub{AutoRenewEnabled: renews, ScheduledNextTermInstructions: to("P1M")}, ""},
	} {
		o := buy(t, a, day("2026-05-10"), 4, test.term, "monthly", "")
		id, at := o.Subscriptions[0].Document.ID, day("2027-05-05")
		var err error
		if test.term == "P1M" {
			at = day("2026-05-12")
		}
		if test.extended {
			at = day("2027-06-20")
			if o, _, err = UpdateSubscription(a, o, id, Update{Request: &sub{}}, Settings{}, day("2026-05-11")); err != nil {
				t.Fatal(err)
			}
		}
		o, _, err = UpdateSubscription(a, o, id, Update{Request: &test.request}, Settings{}, at)
		refused(t, err, test.code)
		if err == nil && !*o.Subscription(id).At(Settings{}, day("2027-08-01")).AutoRenewEnabled {
			t.Errorf("%s: it does not renew", test.name)
		}
	}
	o, _, err := PlaceOrder(a, Placement{Request: request(line(trial, 1))}, Settings{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	becomes := &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{ProductID: "CFQ7TTC0LCHC", SKUID: "0002", TermDuration: "P1M"}}
	_, _, err = UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: &sub{ScheduledActions: action("Transition", becomes)}}, Settings{}, noon)
	refused(t, err, "")
}

// TestFewerSeatsWithCharge returns seats with a charge only where the term that is running
// by then ends with it.
func TestFewerSeatsWithCharge(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	renews := new(true)
	fewer := &partnercenter.SubscriptionInstructions{Quantity: new(1)}
	for _, test := range []struct {
		name    string
		changes []sub
		code    partnercenter.ErrorCode
		seats   int // after the charge
	}{
		{"the term ends with it", []sub{{AutoRenewEnabled: renews, NextChargeInstructions: fewer}}, "", 1},
		{"another begins on a date before", []sub{
			{AutoRenewEnabled: renews, ScheduledActions: dated("RenewToNewTerm", "2026-06-16", nil)},
			{AutoRenewEnabled: renews, ScheduledActions: dated("RenewToNewTerm", "2026-06-16", nil), NextChargeInstructions: fewer},
		}, partnercenter.ErrorCodeQuantityNotDecreasable, 4},
		{"another is to begin on a date before, after it was scheduled", []sub{
			{AutoRenewEnabled: renews, NextChargeInstructions: fewer},
			{AutoRenewEnabled: renews, NextChargeInstructions: fewer, ScheduledActions: dated("RenewToNewTerm", "2026-06-16", nil)},
		}, partnercenter.ErrorCodeQuantityNotDecreasable, 1},
		{"the date is given up", []sub{
			{AutoRenewEnabled: renews, ScheduledActions: dated("RenewToNewTerm", "2026-06-16", nil)},
			{AutoRenewEnabled: renews, NextChargeInstructions: fewer},
		}, "", 1},
		{"a longer one begins at once", []sub{{AutoRenewEnabled: renews, TermDuration: "P1Y", NextChargeInstructions: fewer}}, partnercenter.ErrorCodeQuantityNotDecreasable, 4},
	} {
		o := buy(t, a, day("2026-06-01"), 4, "P1M", "monthly", "")
		id := o.Subscriptions[0].Document.ID
		for i, request := range test.changes {
			next, _, err := UpdateSubscription(a, o, id, Update{Request: &request}, Settings{CancelWithin: cancelWithin}, day("2026-06-10"))
			want := partnercenter.ErrorCode("")
			if i == len(test.changes)-1 {
				want = test.code
			}
			if refused(t, err, want); err == nil {
				o = next
			}
		}
		if n := *o.Subscription(id).At(Settings{}, day("2026-07-01")).Quantity; n != test.seats {
			t.Errorf("%s: %d seats", test.name, n)
		}
	}
}

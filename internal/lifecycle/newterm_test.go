package lifecycle

import (
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

const enterprise = "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN" // what service can become

// TestBecoming has a subscription become one to another item: with its next term, on a date
// and as a trial. It shows in the subscription, in its history and in its orders.
func TestBecoming(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	to := func(ids ...string) *partnercenter.SubscriptionInstructions {
		return &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{ProductID: ids[0], SKUID: ids[1], TermDuration: "P1Y", BillingCycle: "annual"}}
	}
	for name, test := range map[string]struct {
		offer, becomes string
		request        sub
		at, ends       string
		transaction    partnercenter.LineItemTransactionType
		price, total   partnercenter.Decimal
	}{
		// Exchange at 4.00 a month becomes E3 at 36.00.
		"by instructions": {service, enterprise, sub{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: to("cfq7ttc0lflx", "0001")}, "2026-07-01", "2027-06-30", "Renew", "432.00", "1728.00"},
		"by an action":    {service, enterprise, sub{AutoRenewEnabled: new(true), ScheduledActions: action("RenewToNewTerm", to("CFQ7TTC0LFLX", "0001"))}, "2026-07-01", "2027-06-30", "Renew", "432.00", "1728.00"},
		"by a transition": {service, enterprise, sub{AutoRenewEnabled: new(true), ScheduledActions: action("Transition", to("CFQ7TTC0LFLX", "0001"))}, "2026-07-01", "2027-06-30", "Renew", "432.00", "1728.00"},
		// Of 30 days that cost 16.00 together, 15 are left.
		"on a date":             {service, enterprise, sub{AutoRenewEnabled: new(true), ScheduledActions: dated("Transition", "2026-06-16", to("CFQ7TTC0LFLX", "0001"))}, "2026-06-16", "2027-06-15", "Renew", "432.00", "1720.00"},
		"a trial, when it ends": {trial, "CFQ7TTC0LCHC:0002:CFQ7TTC0KD84", sub{ScheduledActions: action("Transition", to("CFQ7TTC0LCHC", "0002"))}, "2026-07-01", "2027-06-30", "Renew", "264.00", "1056.00"},
	} {
		l := line(test.offer, 4)
		l.TermDuration = new("P1M")
		o, _, err := PlaceOrder(a, Placement{Request: request(l), Entropy: Entropy{5}}, Settings{}, day("2026-06-01"))
		if err != nil {
			t.Fatal(name, err)
		}
		id := o.Subscriptions[0].Document.ID
		bought := o.Document
		if o, _, err = UpdateSubscription(a, o, id, Update{Request: &test.request}, Settings{}, day("2026-06-02")); err != nil {
			t.Fatal(name, err)
		}
		at := day(test.at)
		// Sent back as it was read, it is the same.
		read := o.Subscription(id).At(Settings{}, day("2026-06-03"))
		if _, events, err := UpdateSubscription(a, o, id, Update{Request: read}, Settings{}, day("2026-06-03")); err != nil || len(events) > 0 {
			t.Errorf("%s: sent back: %v, %v", name, events, err)
		}
		s := o.Subscription(id)
		before, after := s.At(Settings{}, at.Add(-1)), s.At(Settings{}, at)
		if before.OfferID != test.offer || len(s.TransitionsAt("", at.Add(-1))) != 0 {
			t.Errorf("%s: before: %+v", name, before)
		}
		if after.OfferID != test.becomes || after.Links.Product.URI == before.Links.Product.URI && test.offer != trial || after.Links.Self.URI != before.Links.Self.URI || after.FriendlyName == before.FriendlyName ||
			after.TermDuration != "P1Y" || after.BillingCycle != "annual" || *after.Quantity != 4 || after.CommitmentEndDate.Time().Format(time.DateOnly) != test.ends ||
			*after.IsTrial || !*after.AutoRenewEnabled || after.ScheduledActions != nil || after.ScheduledNextTermInstructions != nil {
			t.Errorf("%s: after: %+v", name, after)
		}
		history := s.TransitionsAt("", at)
		if len(history) != 1 || history[0].FromCatalogItemID != test.offer || history[0].ToCatalogItemID != test.becomes || history[0].ToSubscriptionID != id || len(history[0].Events) != 2 || !history[0].Events[1].Timestamp.Time().Equal(at) {
			t.Errorf("%s: history: %+v", name, history)
		}
		if next := s.NextRenewal(day("2026-06-03")); !next.Equal(at) {
			t.Errorf("%s: the next order is at %s", name, next)
		}
		orders := s.RenewalOrders(a, &bought, at.AddDate(1, 0, 0))
		if len(orders) != 2 {
			t.Fatalf("%s: %d orders", name, len(orders))
		}
		first, second := &orders[0].Document, &orders[1].Document
		line := &first.LineItems[0]
		if line.OfferID != test.becomes || line.TransactionType != test.transaction || line.Pricing.Price != test.price || first.TotalPrice != test.total || !first.CreationDate.Time().Equal(at) || line.FriendlyName != after.OfferName || line.Links.Subscription == nil || first.ID == second.ID {
			t.Errorf("%s: its order: %+v, %+v, in total %s", name, line, line.Pricing, first.TotalPrice)
		}
		if full, _ := test.price.Mul("4"); second.TotalPrice != full || second.LineItems[0].OfferID != test.becomes {
			t.Errorf("%s: the order after it: %+v", name, second)
		}
		// A change after it stores what time did, once.
		later, _, err := UpdateSubscription(a, o, id, Update{Request: &sub{AutoRenewEnabled: new(true), Quantity: new(9)}}, Settings{}, at)
		if err != nil || len(later.Subscription(id).TransitionsAt("", at)) != 1 || later.Subscription(id).Document.OfferID != test.becomes {
			t.Errorf("%s: changed later: %v", name, err)
		}
	}
}

// TestTermAtOnce has the order of a term that a request begins: with the price of its item,
// less what is left of the term before.
func TestTermAtOnce(t *testing.T) {
	a := account(t)
	buy := func(at, offer, term string, n int, cycle partnercenter.BillingCycleType) *Order {
		l := line(offer, n)
		l.TermDuration = &term
		r := request(l)
		r.BillingCycle = cycle
		o, _, err := PlaceOrder(a, Placement{Request: r, Entropy: Entropy{6}}, Settings{CancelWithin: cancelWithin}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	change := func(o *Order, at time.Time, r partnercenter.Subscription) *Order {
		next, _, err := UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: &r}, Settings{CancelWithin: cancelWithin}, at)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	type term struct {
		created, term string
		kind          partnercenter.LineItemTransactionType
		total         partnercenter.Decimal
	}
	check := func(name string, o *Order, at string, want ...term) {
		t.Helper()
		list := o.Subscriptions[0].RenewalOrders(a, &o.Document, day(at))
		ids := map[string]bool{}
		for i, r := range list {
			d := &r.Document
			ids[d.ID] = true
			if got := (term{d.CreationDate.Time().Format("2006-01-02T15"), *d.LineItems[0].TermDuration, d.LineItems[0].TransactionType, d.TotalPrice}); i >= len(want) || got != want[i] {
				t.Errorf("%s: order %d is %v, want %v", name, i, got, want)
			}
		}
		if len(ids) != len(want) {
			t.Errorf("%s: %d orders, want %d", name, len(ids), len(want))
		}
	}
	renew := new(true)
	noon := day("2026-07-16").Add(12 * time.Hour)

	// Of 31 days that cost 4 × 4.00, 16 are left; a year costs 12 times as much.
	o := change(buy("2026-06-01", service, "P1M", 4, "monthly"), noon, partnercenter.Subscription{AutoRenewEnabled: renew, TermDuration: "P1Y"})
	check("a year instead of a month", o, "2027-07-16", term{"2026-07-01T00", "P1M", "Renew", "16.00"}, term{"2026-07-16T12", "P1Y", "convert", "183.74"}, term{"2027-07-16T00", "P1Y", "Renew", "192.00"})
	// The same day again: all of it is credited, for the seats that it was for.
	o = change(o, noon.Add(time.Hour), partnercenter.Subscription{AutoRenewEnabled: renew, TermDuration: "P3Y", Quantity: new(6)})
	check("three years instead of a year", o, "2026-07-17", term{"2026-07-01T00", "P1M", "Renew", "16.00"}, term{"2026-07-16T12", "P1Y", "convert", "183.74"}, term{"2026-07-16T13", "P3Y", "convert", "672.00"})
	// The first term is credited, too, and at the time of purchase all of it.
	o = change(buy("2026-06-01", service, "P1M", 4, "monthly"), day("2026-06-01").Add(time.Hour), partnercenter.Subscription{AutoRenewEnabled: renew, TermDuration: "P1Y", BillingCycle: "annual"})
	check("the first day", o, "2026-06-02", term{"2026-06-01T01", "P1Y", "convert", "176.00"})

	// Seats stay refundable for as long as they were.
	s := o.Subscriptions[0].At(Settings{CancelWithin: cancelWithin}, day("2026-06-07"))
	if r := s.RefundableQuantity; r == nil || *r.TotalQuantity != 4 || !s.CancellationAllowedUntilDate.Time().Equal(day("2026-06-01").Add(cancelWithin)) {
		t.Errorf("refundable: %+v until %s", r, s.CancellationAllowedUntilDate)
	}

	// Visio has a promotion for a year that is paid at once: 15 % off, applied by itself.
	const visio = "CFQ7TTC0HD32:0002:CFQ7TTC0K6ZC"
	o = change(buy("2026-06-01", visio, "P1M", 2, "monthly"), day("2026-06-01"), partnercenter.Subscription{AutoRenewEnabled: renew, TermDuration: "P1Y", BillingCycle: "annual"})
	if id := o.Subscriptions[0].Document.PromotionID; id != "39NFJQT1VS2P:0001:39NFJQT1VS2Y" {
		t.Errorf("promotion %q", id)
	}
	check("with a promotion", o, "2027-06-01", term{"2026-06-01T00", "P1Y", "convert", "276.00"}, term{"2027-06-01T00", "P1Y", "Renew", "306.00"})
	// It goes with its term.
	o = change(o, day("2026-06-02"), partnercenter.Subscription{AutoRenewEnabled: renew, ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{BillingCycle: "monthly"}}})
	check("without it any more", o, "2027-06-01", term{"2026-06-01T00", "P1Y", "convert", "276.00"}, term{"2027-06-01T00", "P1Y", "Renew", "360.00"})
	if id := o.Subscriptions[0].At(Settings{}, day("2027-06-01")).PromotionID; id != "" {
		t.Errorf("promotion %q", id)
	}
}

// What is scheduled goes when the subscription is suspended or cancelled, also when it is
// sent back with that.
func TestStopsWhatIsScheduled(t *testing.T) {
	a := account(t)
	for name, actions := range map[string]partnercenter.ScheduledActions{
		"an end":           action("Cancel", nil),
		"an extension":     action("RenewToExtendedServiceTerm", nil),
		"an end on a date": dated("Cancel", "2026-06-16", nil),
	} {
		for _, status := range []partnercenter.SubscriptionStatus{"suspended", "deleted"} {
			o, _, err := PlaceOrder(a, Placement{Request: request(line(service, 4)), Entropy: Entropy{5}}, Settings{}, day("2026-06-01"))
			if err != nil {
				t.Fatal(err)
			}
			id := o.Subscriptions[0].Document.ID
			if o, _, err = UpdateSubscription(a, o, id, Update{Request: &partnercenter.Subscription{ScheduledActions: actions}}, Settings{}, day("2026-06-02")); err != nil {
				t.Fatal(name, err)
			}
			whole := o.Subscription(id).At(Settings{}, day("2026-06-03"))
			whole.Status = status
			if o, _, err = UpdateSubscription(a, o, id, Update{Request: whole}, Settings{}, day("2026-06-03")); err != nil {
				t.Errorf("%s, %s: %v", name, status, err)
				continue
			}
			if s := o.Subscription(id).At(Settings{}, day("2026-06-04")); s.Status != status || s.ScheduledActions != nil {
				t.Errorf("%s, %s: %s, %+v", name, status, s.Status, s.ScheduledActions)
			}
		}
	}
}

// The extended service term of what a subscription became costs more, too.
func TestExtendedAfterBecoming(t *testing.T) {
	a := account(t)
	o, _, err := PlaceOrder(a, Placement{Request: request(line(service, 4)), Entropy: Entropy{5}}, Settings{}, day("2026-06-01"))
	if err != nil {
		t.Fatal(err)
	}
	id, bought := o.Subscriptions[0].Document.ID, o.Document
	change := partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{
		Product: &partnercenter.InstructedProduct{ProductID: "CFQ7TTC0LFLX", SKUID: "0001"},
	}}
	if o, _, err = UpdateSubscription(a, o, id, Update{Request: &change}, Settings{}, day("2026-06-02")); err != nil {
		t.Fatal(err)
	}
	began := o.Subscription(id).NextRenewal(day("2026-06-02"))
	if o, _, err = UpdateSubscription(a, o, id, Update{Request: &partnercenter.Subscription{}}, Settings{}, began.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	s := o.Subscription(id)
	orders := s.RenewalOrders(a, &bought, s.NextRenewal(began.AddDate(0, 0, 1)))
	if len(orders) != 2 {
		t.Fatalf("%d orders", len(orders))
	}
	for i, want := range []partnercenter.Decimal{"36.00", "37.08"} {
		if got := orders[i].Document.LineItems[0]; got.Pricing.Price != want || got.OfferID != enterprise {
			t.Errorf("order %d: %s of %s, want %s", i, got.Pricing.Price, got.OfferID, want)
		}
	}
}

// A promotion is for a billing cycle, too, and goes with it.
func TestPromotionGoesWithCycle(t *testing.T) {
	a := account(t)
	const visio = "CFQ7TTC0HD32:0002:CFQ7TTC0K6ZC"
	l := line(visio, 2)
	l.TermDuration = new("P1Y")
	r := request(l)
	r.BillingCycle = "annual"
	bought, _, err := PlaceOrder(a, Placement{Request: r, Entropy: Entropy{6}}, Settings{}, day("2026-06-01"))
	if err != nil {
		t.Fatal(err)
	}
	id := bought.Subscriptions[0].Document.ID
	patch := func(o *Order, cycle partnercenter.BillingCycleType) *Order {
		o, _, err := PatchOrder(a, o, Patch{Request: &partnercenter.Order{BillingCycle: cycle}}, Settings{}, day("2026-06-02"))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	has := func(what string, o *Order, promotion string, total, renewal partnercenter.Decimal) {
		t.Helper()
		later := o.Subscription(id).RenewalOrders(a, &o.Document, day("2027-06-01"))
		if p := o.Subscription(id).At(Settings{}, day("2026-06-03")).PromotionID; p != promotion || o.Document.LineItems[0].PromotionID != promotion || o.Document.TotalPrice != total ||
			len(later) != 1 || later[0].Document.LineItems[0].PromotionID != promotion || later[0].Document.TotalPrice != renewal {
			t.Errorf("%s: promotion %q, %+v, in total %s", what, p, o.Document.LineItems[0], o.Document.TotalPrice)
		}
	}
	// 180.00 a year for a seat, 15 % off if it is paid at once.
	has("by the year", bought, "39NFJQT1VS2P:0001:39NFJQT1VS2Y", "306.00", "306.00")
	monthly := patch(bought, "monthly")
	has("by the month", monthly, "", "360.00", "360.00")
	has("by the year again", patch(monthly, "annual"), "", "360.00", "360.00")

	// With the next charge it goes from the subscription, and does not come back with a cycle.
	cycle := func(o *Order, cycle partnercenter.BillingCycleType, at string) *Order {
		o, _, err := UpdateSubscription(a, o, id, Update{Request: &partnercenter.Subscription{AutoRenewEnabled: new(true), NextChargeInstructions: &partnercenter.SubscriptionInstructions{
			Product: &partnercenter.InstructedProduct{BillingCycle: cycle},
		}}}, Settings{}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	back := cycle(cycle(bought, "monthly", "2026-06-02"), "annual", "2027-06-02")
	orders := back.Subscription(id).RenewalOrders(a, &back.Document, day("2028-06-01"))
	for i, want := range []partnercenter.Decimal{"360.00", "360.00"} {
		if d := &orders[i].Document; d.TotalPrice != want || d.LineItems[0].PromotionID != "" {
			t.Errorf("renewal %d: %s with %q, want %s", i, d.TotalPrice, d.LineItems[0].PromotionID, want)
		}
	}
}

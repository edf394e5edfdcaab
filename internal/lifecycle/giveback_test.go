package lifecycle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// chargesOf returns the orders of a subscription with what they charge: day, status, seats and
// total, the one that it was bought with first.
func chargesOf(a *Account, o *Order, id, at string) string {
	orders := append([]*Order{o}, o.Subscription(id).RenewalOrders(a, &o.Document, day(at))...)
	var list []string
	for _, o := range orders {
		d := &o.Document
		list = append(list, fmt.Sprintf("%s %s %d %s", d.CreationDate.Time().UTC().Format("01-02"), d.Status, *d.LineItems[0].Quantity, d.TotalPrice))
	}
	return strings.Join(list, ", ")
}

// TestGiveBack ends subscriptions by a request and by time: what the present term costs is
// given back, with the terms that were cut short for it.
func TestGiveBack(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	yearly := &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{TermDuration: "P1Y"}}
	for name, test := range map[string]struct {
		bought, ends string // the first term
		changes      []change
		any          bool // deleted at any age
		deleted      string
		want         string
	}{
		"in its first term": {bought: "2026-06-01", deleted: "2026-06-04", want: "06-01 cancelled 0 0.00"},
		"in a term that began at once": {bought: "2026-06-01", changes: []change{{"2026-06-03", sub{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, ""}},
			deleted: "2026-06-04", want: "06-01 cancelled 0 0.00, 06-03 cancelled 0 0.00"},
		"in the second that began at once": {bought: "2026-06-01", changes: []change{
			{"2026-06-03", sub{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, ""}, {"2026-06-04", sub{AutoRenewEnabled: new(true), TermDuration: "P3Y"}, ""},
		}, deleted: "2026-06-04", want: "06-01 cancelled 0 0.00, 06-03 cancelled 0 0.00, 06-04 cancelled 0 0.00"},
		"in a term that began on a date": {bought: "2026-06-01", changes: []change{{"2026-06-02", sub{AutoRenewEnabled: new(true), ScheduledActions: dated("RenewToNewTerm", "2026-06-03", yearly)}, ""}},
			deleted: "2026-06-04", want: "06-01 cancelled 0 0.00, 06-03 cancelled 0 0.00"},
		// Of the month 3 days were paid, which are over.
		"after a short first term": {bought: "2026-06-28", ends: "2026-06-30", deleted: "2026-07-02", want: "06-28 completed 4 1.60, 07-01 cancelled 0 0.00"},
		"after a short first term that was the last": {bought: "2026-06-28", ends: "2026-06-30", changes: []change{{"2026-06-29", sub{ScheduledActions: action("Cancel", nil)}, ""}},
			deleted: "2026-07-02", want: "06-28 completed 4 1.60"},
		"in a term that began by itself": {bought: "2026-06-01", any: true, deleted: "2026-08-20", want: "06-01 completed 4 16.00, 07-01 completed 4 16.00, 08-01 cancelled 0 0.00"},
		"in a term that cut one short which began by itself": {bought: "2026-06-01", changes: []change{{"2026-08-16", sub{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, ""}},
			any: true, deleted: "2026-08-20", want: "06-01 completed 4 16.00, 07-01 completed 4 16.00, 08-01 cancelled 0 0.00, 08-16 cancelled 0 0.00"},
		"after a term that cut one short": {bought: "2026-06-01", changes: []change{{"2026-06-16", sub{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, ""}},
			any: true, deleted: "2027-06-20", want: "06-01 completed 4 16.00, 06-16 completed 4 184.00, 06-16 cancelled 0 0.00"},
		"by time": {bought: "2026-06-01", changes: []change{{"2026-06-16", sub{TermDuration: "P1Y", ScheduledActions: action("Cancel", nil)}, ""}},
			want: "06-01 completed 4 16.00, 06-16 completed 4 184.00"},
	} {
		settings := Settings{CancelWithin: cancelWithin}
		if test.any {
			settings.CancelWithin = 0
		}
		o, err := buyOrNot(a, day(test.bought), 4, "P1M", "monthly", test.ends)
		if err != nil {
			t.Fatal(name, err)
		}
		id := o.Subscriptions[0].Document.ID
		if test.deleted != "" {
			test.changes = append(test.changes, change{test.deleted, sub{Status: "deleted"}, ""})
		}
		for _, c := range test.changes {
			if o, _, err = UpdateSubscription(a, o, id, Update{Request: &c.request}, settings, day(c.at)); err != nil {
				t.Fatal(name, err)
			}
		}
		if got := chargesOf(a, o, id, "2029-01-01"); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if s := o.Subscription(id).At(settings, day("2029-01-01")); s.Status != "deleted" {
			t.Errorf("%s: it is %s", name, s.Status)
		}
	}
}

// TestMovedSeatsAreChargedOnce moves seats to new subscriptions, in parts and again. Exchange
// costs 48.00 a year, E3 432.00 and E5 684.00 for each seat, and 15 of 30 days are left.
func TestMovedSeatsAreChargedOnce(t *testing.T) {
	a := account(t)
	bought := buy(t, a, day("2026-06-01"), 10, "P1M", "monthly", "")
	entropy := byte(20)
	move := func(o *Order, to string, n int, at string) Moved {
		t.Helper()
		entropy++
		moved, _, _, err := TransitionSubscription(a, o, o.Subscriptions[0].Document.ID, TransitionCommand{
			Request: &partnercenter.Transition{ToCatalogItemID: to, Quantity: &n, TransitionType: "transition_only", TermDuration: "P1Y"}, Entropy: Entropy{entropy},
		}, Settings{CancelWithin: cancelWithin}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		return moved
	}
	change := func(o *Order, r partnercenter.Subscription, at string) *Order {
		t.Helper()
		next, _, err := UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: &r}, Settings{CancelWithin: cancelWithin}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	check := func(what string, o *Order, at, want string) {
		t.Helper()
		if got := chargesOf(a, o, o.Subscriptions[0].Document.ID, at); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}

	// 4 seats for 15 days cost 8.00.
	some := move(bought, serviceE3, 4, "2026-06-16")
	check("a part", some.From, "2026-06-16", "06-01 completed 10 40.00")
	check("a part moves", some.To, "2026-06-16", "06-16 completed 4 1720.00")
	// Another billing cycle keeps what is credited.
	yearly, _, err := PatchOrder(a, some.To, Patch{Request: &partnercenter.Order{BillingCycle: "annual"}}, Settings{}, day("2026-06-17"))
	if err != nil {
		t.Fatal(err)
	}
	check("a part, by the year", yearly, "2026-06-17", "06-16 completed 4 1720.00")
	// Its cancellation gives back all that it charged.
	check("a part is cancelled", change(some.To, partnercenter.Subscription{Status: "deleted"}, "2026-06-17"), "2026-06-17", "06-16 cancelled 0 0.00")
	// What goes on from there goes on with the credit.
	again := move(some.To, serviceE5, 4, "2026-06-17")
	check("the part moves on", again.From, "2026-06-17", "06-16 cancelled 0 0.00")
	check("the part moves on", again.To, "2026-06-17", "06-17 completed 4 2728.00")

	// Seats that are added were not charged for, and are the first to go.
	more := change(some.From, partnercenter.Subscription{AutoRenewEnabled: new(true), Quantity: new(10)}, "2026-06-16")
	added := move(more, serviceE3, 4, "2026-06-16")
	check("seats that were added", added.To, "2026-06-16", "06-16 completed 4 1728.00")
	// A longer term credits those that stay: 16.00 - 4.00 × 2, 6 × 4.00 × 12 - 12.00.
	longer := change(more, partnercenter.Subscription{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, "2026-06-16")
	check("a longer term after it", longer, "2026-06-16", "06-01 completed 10 40.00, 06-16 completed 10 468.00")

	// The rest goes like the others.
	rest := move(some.From, serviceE3, 6, "2026-06-16")
	check("the rest", rest.From, "2026-06-16", "06-01 completed 10 40.00")
	check("the rest moves", rest.To, "2026-06-16", "06-16 completed 6 2580.00")
	// Within its week all is given back, but for what others were credited.
	whole := move(bought, serviceE3, 10, "2026-06-08")
	check("all in a week", whole.From, "2026-06-08", "06-01 cancelled 0 0.00")
	check("all move in a week", whole.To, "2026-06-08", "06-08 completed 10 4320.00")
	part := move(bought, serviceE3, 4, "2026-06-07")
	others := move(part.From, serviceE3, 6, "2026-06-07")
	check("a part in a week", part.To, "2026-06-07", "06-07 completed 4 1715.20")
	check("the rest in a week", others.From, "2026-06-07", "06-01 cancelled 0 12.80")
	check("the rest moves in a week", others.To, "2026-06-07", "06-07 completed 6 2592.00")
	// What moves into a subscription that is there stays charged where it was.
	there := whole.To
	into, _, _, err := TransitionSubscription(a, bought, bought.Subscriptions[0].Document.ID, TransitionCommand{
		Request: &partnercenter.Transition{ToCatalogItemID: serviceE3, ToSubscriptionID: there.Subscriptions[0].Document.ID, Quantity: new(10), TransitionType: "transition_only"}, Into: there,
	}, Settings{CancelWithin: cancelWithin}, day("2026-06-16"))
	if err != nil {
		t.Fatal(err)
	}
	check("all into another one", into.From, "2026-06-16", "06-01 completed 10 40.00")
	check("all moved into it", into.To, "2026-06-16", "06-08 completed 10 4320.00")

	// In a later term it is that one: of its 31 days that cost 40.00, 16 are left.
	later := move(bought, serviceE3, 4, "2026-07-16")
	check("a part of the second term", later.From, "2026-08-01", "06-01 completed 10 40.00, 07-01 completed 10 40.00, 08-01 completed 6 24.00")
	check("a part of the second term moves", later.To, "2026-07-16", "07-16 completed 4 1719.74")
	all := move(later.From, serviceE3, 6, "2026-07-17")
	check("the rest of the second term", all.From, "2026-08-01", "06-01 completed 10 40.00, 07-01 completed 10 40.00")
	check("the rest of the second term moves", all.To, "2026-07-17", "07-17 completed 6 2580.39")
}

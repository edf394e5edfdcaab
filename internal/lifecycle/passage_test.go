package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

// A story is a subscription over time: what is changed when, and what it looks like when.
type story struct {
	name        string
	offer, term string
	bought      string
	changes     []change
	looks       []look
	renewals    string // up to the last look
}

type change struct {
	at      string
	request partnercenter.Subscription
	code    partnercenter.ErrorCode // of a refusal
}

// look is status, reasons, term, cycle, seats, the end of the term and the version of the
// etag.
type look struct{ at, want string }

func action(a partnercenter.ScheduledActionType, i *partnercenter.SubscriptionInstructions) partnercenter.ScheduledActions {
	return partnercenter.ScheduledActions{{ScheduleType: "termEnd", ActionType: a, Instructions: i}}
}

var stories = []story{
	{name: "renews", offer: service, term: "P1Y", bought: "2026-03-01", looks: []look{
		{"2027-02-28", "active P1Y monthly 4 2027-02-28 v1"},
		{"2027-03-01", "active P1Y monthly 4 2028-02-29 v1"},
		{"2029-03-01", "active P1Y monthly 4 2030-02-28 v1"},
	}, renewals: "2027-03-01 4×P1Y, 2028-03-01 4×P1Y, 2029-03-01 4×P1Y"},
	{name: "is extended", offer: service, term: "P1Y", bought: "2026-03-01", changes: []change{
		{"2026-05-01", partnercenter.Subscription{AutoRenewEnabled: new(false)}, ""},
	}, looks: []look{
		{"2027-02-28", "active P1Y monthly 4 2027-02-28 v2"},
		{"2027-03-01", "active P1M monthly 4 2027-03-31 v3"},
		{"2027-05-15", "active P1M monthly 4 2027-05-31 v3"},
	}, renewals: "2027-03-01 4×P1M+, 2027-04-01 4×P1M+, 2027-05-01 4×P1M+"},
	{name: "is extended as is scheduled, and renewed", offer: service, term: "P1Y", bought: "2026-03-01", changes: []change{
		{"2026-05-01", partnercenter.Subscription{AutoRenewEnabled: new(false), ScheduledActions: action("RenewToExtendedServiceTerm", nil)}, ""},
		{"2027-04-10", partnercenter.Subscription{AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{
		{"2027-04-30", "active P1M monthly 4 2027-04-30 v4"},
		{"2027-05-01", "active P1Y monthly 4 2028-04-30 v5"},
		{"2028-05-01", "active P1Y monthly 4 2029-04-30 v5"},
	}, renewals: "2027-03-01 4×P1M+, 2027-04-01 4×P1M+, 2027-05-01 4×P1Y, 2028-05-01 4×P1Y"},
	{name: "is extended, and again", offer: service, term: "P1Y", bought: "2026-03-01", changes: []change{
		{"2026-05-01", partnercenter.Subscription{}, ""},
		{"2027-03-10", partnercenter.Subscription{AutoRenewEnabled: new(false), ScheduledActions: action("RenewToExtendedServiceTerm", nil)}, ""},
	}, looks: []look{
		{"2027-03-31", "active P1M monthly 4 2027-03-31 v4"},
		{"2027-04-01", "active P1M monthly 4 2027-04-30 v5"},
		{"2027-05-01", "active P1M monthly 4 2027-05-31 v5"},
	}, renewals: "2027-03-01 4×P1M+, 2027-04-01 4×P1M+, 2027-05-01 4×P1M+"},
	{name: "is cancelled after an extension", offer: service, term: "P1Y", bought: "2026-03-01", changes: []change{
		{"2026-05-01", partnercenter.Subscription{}, ""},
		{"2027-04-10", partnercenter.Subscription{AutoRenewEnabled: new(false), ScheduledActions: action("Cancel", nil)}, ""},
	}, looks: []look{
		{"2027-04-30", "active P1M monthly 4 2027-04-30 v4"},
		{"2027-05-01", "disabled P1M monthly 4 2027-04-30 v5"},
		{"2027-07-30", "deleted P1M monthly 4 2027-04-30 v6"},
	}, renewals: "2027-03-01 4×P1M+, 2027-04-01 4×P1M+"},
	{name: "is to be cancelled", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{ScheduledActions: action("Cancel", nil)}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-07-01", "disabled P1M monthly 4 2026-06-30 v3"},
		{"2026-09-28", "disabled P1M monthly 4 2026-06-30 v3"},
		{"2026-09-29", "deleted P1M monthly 4 2026-06-30 v4"},
	}},
	{name: "is not to be cancelled any more", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{ScheduledActions: action("Cancel", nil)}, ""},
		{"2026-06-03", partnercenter.Subscription{AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{{"2026-07-01", "active P1M monthly 4 2026-07-31 v3"}}, renewals: "2026-07-01 4×P1M"},
	{name: "renews to another term by an action", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledActions: action("RenewToNewTerm", &partnercenter.SubscriptionInstructions{
			Quantity: new(9), Product: &partnercenter.InstructedProduct{TermDuration: "P1Y", BillingCycle: "Annual"},
		})}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-07-01", "active P1Y annual 9 2027-06-30 v3"},
		{"2027-07-01", "active P1Y annual 9 2028-06-30 v3"},
	}, renewals: "2026-07-01 9×P1Y, 2027-07-01 9×P1Y"},
	{name: "ended before there were extensions", offer: service, term: "P1M", bought: "2026-03-01", changes: []change{
		{"2026-03-02", partnercenter.Subscription{}, ""},
		{"2026-04-10", partnercenter.Subscription{FriendlyName: "mine"}, "900280"},
		{"2026-04-10", partnercenter.Subscription{Status: "suspended"}, "900280"},
		{"2026-05-10", partnercenter.Subscription{Status: "active"}, "900279"},
	}, looks: []look{
		{"2026-03-31", "active P1M monthly 4 2026-03-31 v2"},
		{"2026-04-01", "expired P1M monthly 4 2026-03-31 v3"},
		{"2026-04-30", "expired P1M monthly 4 2026-03-31 v3"},
		{"2026-05-01", "disabled P1M monthly 4 2026-03-31 v4"},
		{"2026-07-29", "disabled P1M monthly 4 2026-03-31 v4"},
		{"2026-07-30", "deleted P1M monthly 4 2026-03-31 v5"},
		{"2036-07-30", "deleted P1M monthly 4 2026-03-31 v5"},
	}},
	{name: "is reactivated after its end", offer: service, term: "P1M", bought: "2026-03-01", changes: []change{
		{"2026-03-02", partnercenter.Subscription{}, ""},
		{"2026-04-10", partnercenter.Subscription{Status: "active", AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{
		{"2026-04-10", "active P1M monthly 4 2026-04-30 v4"},
		{"2026-05-01", "active P1M monthly 4 2026-05-31 v4"},
	}, renewals: "2026-04-01 4×P1M, 2026-05-01 4×P1M"},
	{name: "is suspended to the end", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{Status: "suspended", AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{
		{"2026-06-30", "suspended [PartnerInitiated] P1M monthly 4 2026-06-30 v2"},
		{"2026-07-01", "disabled P1M monthly 4 2026-06-30 v3"},
		{"2026-10-28", "disabled P1M monthly 4 2026-06-30 v3"},
		{"2026-10-29", "deleted P1M monthly 4 2026-06-30 v4"},
	}},
	{name: "is a trial", offer: trial, bought: "2026-06-01", looks: []look{
		{"2026-07-01", "expired P1M none 4 2026-06-30 v2"},
		{"2026-07-31", "disabled P1M none 4 2026-06-30 v3"},
	}},
	{name: "is software", offer: software, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{}, ""},
		{"2026-06-03", partnercenter.Subscription{ScheduledActions: action("RenewToExtendedServiceTerm", nil)}, "900141"},
	}, looks: []look{
		{"2027-05-31", "active P1Y one_time 4 2027-05-31 v2"},
		{"2027-06-01", "expired P1Y one_time 4 2027-05-31 v3"},
	}},
	{name: "is of a legacy offer", offer: licence, bought: "2026-06-01", changes: []change{
		{"2026-06-02", partnercenter.Subscription{ID: "", AutoRenewEnabled: new(false)}, ""},
		{"2027-08-02", partnercenter.Subscription{Status: "active"}, ""},
	}, looks: []look{
		{"2027-06-01", "suspended [Expiration]  monthly 4 2027-05-31 v3"},
		{"2027-08-02", "active  monthly 4 2028-05-31 v4"},
		{"2028-06-01", "suspended [Expiration]  monthly 4 2028-05-31 v5"},
		{"2028-09-28", "suspended [Expiration]  monthly 4 2028-05-31 v5"},
		{"2028-09-29", "deleted  monthly 4 2028-05-31 v6"},
	}, renewals: "2027-06-01 4×"},
	{name: "has fewer seats in the next term", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), Quantity: new(6)}, ""},
		{"2026-06-21", partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(1)}}, ""},
		{"2026-08-20", partnercenter.Subscription{AutoRenewEnabled: new(true), Quantity: new(3)}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1M monthly 6 2026-06-30 v3"},
		{"2026-08-01", "active P1M monthly 1 2026-08-31 v4"},
		{"2026-09-01", "active P1M monthly 3 2026-09-30 v5"},
	}, renewals: "2026-07-01 1×P1M, 2026-08-01 1×P1M, 2026-09-01 3×P1M"},
	{name: "has more seats with the next charge", offer: service, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), NextChargeInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(1)}}, "800090"},
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), NextChargeInstructions: &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{TermDuration: "P3Y"}}}, "900141"},
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), NextChargeInstructions: &partnercenter.SubscriptionInstructions{
			Quantity: new(7), Product: &partnercenter.InstructedProduct{BillingCycle: "annual"},
		}}, ""},
		{"2026-06-21", partnercenter.Subscription{Status: "suspended", AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{
		{"2026-06-30", "suspended [PartnerInitiated] P1Y monthly 4 2027-05-31 v3"},
		{"2026-07-01", "suspended [PartnerInitiated] P1Y annual 7 2027-05-31 v4"},
	}},
	{name: "has a longer term at once", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(1)}, NextChargeInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(9)}}, ""},
		{"2026-06-21", partnercenter.Subscription{AutoRenewEnabled: new(true), TermDuration: "p1y", BillingCycle: "Annual"}, ""},
		{"2026-06-22", partnercenter.Subscription{AutoRenewEnabled: new(true), TermDuration: "P1M"}, "800122"},
	}, looks: []look{
		{"2026-06-20", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-06-21", "active P1Y annual 4 2027-06-20 v3"},
		{"2027-06-21", "active P1Y annual 4 2028-06-20 v3"},
	}, renewals: "2026-06-21 4×P1Y, 2027-06-21 4×P1Y"},
	{name: "has longer terms at once, twice a day and then none", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-07-21", partnercenter.Subscription{TermDuration: "P1Y"}, ""},
		{"2026-07-21", partnercenter.Subscription{TermDuration: "P3Y", Quantity: new(5), ScheduledActions: action("Cancel", nil)}, ""},
	}, looks: []look{
		{"2026-07-20", "active P1M monthly 4 2026-07-31 v1"},
		{"2026-07-21", "active P3Y monthly 5 2029-07-20 v3"},
		{"2029-07-21", "disabled P3Y monthly 5 2029-07-20 v4"},
	}, renewals: "2026-07-01 4×P1M, 2026-07-21 4×P1Y, 2026-07-21 5×P3Y"},
	{name: "leaves its extension at once", offer: service, term: "P1Y", bought: "2026-03-01", changes: []change{
		{"2026-05-01", partnercenter.Subscription{}, ""},
		{"2027-03-10", partnercenter.Subscription{AutoRenewEnabled: new(true), TermDuration: "P1Y"}, ""},
	}, looks: []look{
		{"2027-03-09", "active P1M monthly 4 2027-03-31 v3"},
		{"2027-03-10", "active P1Y monthly 4 2028-03-09 v4"},
		{"2028-03-10", "active P1Y monthly 4 2029-03-09 v4"},
	}, renewals: "2027-03-01 4×P1M+, 2027-03-10 4×P1Y, 2028-03-10 4×P1Y"},
	{name: "renews to another term by renewalTermDuration", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), RenewalTermDuration: new("P3Y")}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-07-01", "active P3Y monthly 4 2029-06-30 v3"},
	}, renewals: "2026-07-01 4×P3Y"},
	{name: "is cancelled on a date", offer: service, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-10", partnercenter.Subscription{ScheduledActions: dated("Cancel", "2026-06-20", nil)}, ""},
	}, looks: []look{
		{"2026-06-19", "active P1Y monthly 4 2027-05-31 v2"},
		{"2026-06-20", "disabled P1Y monthly 4 2026-06-19 v3"},
		{"2026-09-17", "disabled P1Y monthly 4 2026-06-19 v3"},
		{"2026-09-18", "deleted P1Y monthly 4 2026-06-19 v4"},
	}},
	{name: "is not cancelled on a date any more", offer: service, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-10", partnercenter.Subscription{ScheduledActions: dated("Cancel", "2026-06-20", nil)}, ""},
		{"2026-06-11", partnercenter.Subscription{AutoRenewEnabled: new(true)}, ""},
	}, looks: []look{{"2026-06-20", "active P1Y monthly 4 2027-05-31 v3"}}},
	{name: "is suspended before a date", offer: service, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-10", partnercenter.Subscription{ScheduledActions: dated("Cancel", "2026-06-20", nil)}, ""},
		{"2026-06-11", partnercenter.Subscription{Status: "suspended", ScheduledActions: dated("Cancel", "2026-06-21", nil)}, "3000"},
		{"2026-06-11", partnercenter.Subscription{Status: "suspended", ScheduledActions: dated("Cancel", "2026-06-20", nil)}, ""},
	}, looks: []look{{"2026-06-20", "suspended [PartnerInitiated] P1Y monthly 4 2027-05-31 v3"}}},
	{name: "begins another term on a date", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-10", partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledActions: dated("RenewToNewTerm", "2026-06-20", &partnercenter.SubscriptionInstructions{Quantity: new(6), Product: &partnercenter.InstructedProduct{TermDuration: "P1Y"}})}, ""},
	}, looks: []look{
		{"2026-06-19", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-06-20", "active P1Y monthly 6 2027-06-19 v3"},
		{"2027-06-20", "active P1Y monthly 6 2028-06-19 v3"},
	}, renewals: "2026-06-20 6×P1Y, 2027-06-20 6×P1Y"},
	{name: "begins the same term again on a date, after a charge", offer: service, term: "P1Y", bought: "2026-06-01", changes: []change{
		{"2026-06-10", partnercenter.Subscription{AutoRenewEnabled: new(true), ScheduledActions: dated("RenewToNewTerm", "2026-07-20", nil), NextChargeInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(7)}}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1Y monthly 4 2027-05-31 v2"},
		{"2026-07-01", "active P1Y monthly 7 2027-05-31 v3"},
		{"2026-07-20", "active P1Y monthly 7 2027-07-19 v4"},
	}, renewals: "2026-07-20 7×P1Y"},
	{name: "becomes another item without a renewal, and ends", offer: service, term: "P1M", bought: "2026-03-01", changes: []change{
		{"2026-03-02", partnercenter.Subscription{ScheduledActions: action("Transition", &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{ProductID: "CFQ7TTC0LFLX", SKUID: "0001", TermDuration: "P1Y"}})}, ""},
	}, looks: []look{
		{"2026-03-31", "active P1M monthly 4 2026-03-31 v2"},
		{"2026-04-01", "active P1Y monthly 4 2027-03-31 v3"},
		{"2027-04-01", "active P1M monthly 4 2027-04-30 v4"},
	}, renewals: "2026-04-01 4×P1Y, 2027-04-01 4×P1M+"},
	{name: "has fewer seats with the next charge, which renews it", offer: service, term: "P1M", bought: "2026-06-01", changes: []change{
		{"2026-06-20", partnercenter.Subscription{AutoRenewEnabled: new(true), NextChargeInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(1)}}, ""},
	}, looks: []look{
		{"2026-06-30", "active P1M monthly 4 2026-06-30 v2"},
		{"2026-08-01", "active P1M monthly 1 2026-08-31 v3"},
	}, renewals: "2026-07-01 1×P1M, 2026-08-01 1×P1M"},
}

// dated is an action on a date.
func dated(a partnercenter.ScheduledActionType, at string, i *partnercenter.SubscriptionInstructions) partnercenter.ScheduledActions {
	return partnercenter.ScheduledActions{{ScheduleType: "customDate", ActionType: a, EffectiveDate: firstInstant(day(at)), Instructions: i}}
}

// TestPassage follows stories over time, forwards and backwards.
func TestPassage(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			a := account(t)
			l := line(s.offer, 4)
			if s.term != "" {
				l.TermDuration = &s.term
			}
			r := request(l)
			if s.offer == service {
				r.BillingCycle = "monthly"
			}
			o, _, err := PlaceOrder(a, Placement{Request: r, Entropy: Entropy{1}}, Settings{CancelWithin: cancelWithin}, day(s.bought))
			if err != nil {
				t.Fatal(err)
			}
			id := o.Subscriptions[0].Document.ID
			shown := func(at time.Time) string {
				d := o.Subscription(id).At(Settings{}, at)
				reasons := ""
				if len(d.SuspensionReasons) > 0 {
					reasons = fmt.Sprint(d.SuspensionReasons) + " "
				}
				return fmt.Sprintf("%s %s%s %s %d %s v%d", d.Status, reasons, d.TermDuration, d.BillingCycle, *d.Quantity, d.CommitmentEndDate.Time().Format(time.DateOnly), version(*d.Attributes.Etag))
			}
			changes := s.changes
			until := func(at string) {
				for len(changes) > 0 && changes[0].at <= at {
					c := changes[0]
					changes = changes[1:]
					next, _, err := UpdateSubscription(a, o, id, Update{Request: &c.request}, Settings{CancelWithin: cancelWithin}, day(c.at))
					refused(t, err, c.code)
					if err == nil {
						o = next
					}
				}
			}
			for _, look := range s.looks {
				until(look.at)
				if got := shown(day(look.at)); got != look.want {
					t.Errorf("on %s: %s, want %s", look.at, got, look.want)
				}
			}
			last := s.looks[len(s.looks)-1].at
			var renewals []string
			for _, r := range o.Subscription(id).asOf(day(last)).Facts.Renewals {
				for n := r.From; n <= r.To; n++ {
					mark := ""
					if r.Extended {
						mark = "+"
					}
					renewals = append(renewals, fmt.Sprintf("%s %d×%s%s", r.start(n).Format(time.DateOnly), r.Quantity, r.TermDuration, mark))
				}
			}
			if got := strings.Join(renewals, ", "); got != s.renewals {
				t.Errorf("renewals %s, want %s", got, s.renewals)
			}
			// What time alone did, it undoes.
			stored := o.clone()
			for _, look := range slices.Backward(s.looks) {
				if len(s.changes) == 0 || look.at >= s.changes[len(s.changes)-1].at {
					if got := shown(day(look.at)); got != look.want {
						t.Errorf("back on %s: %s, want %s", look.at, got, look.want)
					}
				}
			}
			if diff := cmp.Diff(stored.Subscriptions, o.clone().Subscriptions); diff != "" {
				t.Error("looking at it changed it:", diff)
			}
			checkSeats(t, o.Subscription(id).asOf(day(last)))
		})
	}
}

// TestPassageOfLoaded has subscriptions of loaded orders stay until a change says that they
// end, from then on.
func TestPassageOfLoaded(t *testing.T) {
	a := account(t)
	for name, test := range map[string]struct {
		change partnercenter.Subscription
		later  map[string]string
	}{
		"renamed":   {partnercenter.Subscription{FriendlyName: "ours"}, map[string]string{"2027-05-01": "active 2028-01-14", "2036-05-01": "active 2037-01-14"}},
		"ends":      {partnercenter.Subscription{AutoRenewEnabled: new(false)}, map[string]string{"2027-01-14": "active 2027-01-14", "2027-01-15": "suspended 2027-01-14", "2027-05-15": "deleted 2027-01-14"}},
		"suspended": {partnercenter.Subscription{Status: "suspended"}, map[string]string{"2027-01-14": "suspended 2027-01-14", "2027-05-15": "deleted 2027-01-14"}},
	} {
		l := line(licence, 3)
		l.SubscriptionID = "0a1b2c3d-0000-4000-8000-000000000201"
		loaded := Restore(a, partnercenter.Order{ID: "0a1b2c3d-0000-4000-8000-000000000301", CreationDate: firstInstant(day("2019-01-15")), LineItems: request(l).LineItems}, nil, nil, nil)
		o, _, err := UpdateSubscription(a, loaded, l.SubscriptionID, Update{Request: &test.change}, Settings{}, day("2026-03-01"))
		if err != nil {
			t.Fatal(name, err)
		}
		for at, want := range test.later {
			d := o.Subscriptions[0].At(Settings{}, day(at))
			if got := string(d.Status) + " " + d.CommitmentEndDate.Time().Format(time.DateOnly); got != want {
				t.Errorf("%s: on %s it is %s, want %s", name, at, got, want)
			}
			if n := len(o.Subscriptions[0].RenewalOrders(a, &o.Document, day(at))); n != 0 {
				t.Errorf("%s: %d renewals place orders", name, n)
			}
		}
	}
}

// What has ended by itself does not say that it renews.
func TestEndedDoesNotRenew(t *testing.T) {
	a := account(t)
	for name, test := range map[string]struct {
		request partnercenter.Subscription
		status  partnercenter.SubscriptionStatus
	}{
		"suspended": {partnercenter.Subscription{Status: "suspended", AutoRenewEnabled: new(true)}, "disabled"},
		"cancelled": {partnercenter.Subscription{ScheduledActions: action("Cancel", nil)}, "disabled"},
	} {
		o := buy(t, a, day("2026-06-01"), 4, "P1M", "monthly", "")
		id := o.Subscriptions[0].Document.ID
		o, _, err := UpdateSubscription(a, o, id, Update{Request: &test.request}, Settings{}, day("2026-06-02"))
		if err != nil {
			t.Fatal(name, err)
		}
		before, after := o.Subscription(id).At(Settings{}, day("2026-06-30")), o.Subscription(id).At(Settings{}, day("2026-07-01"))
		if after.Status != test.status || *after.AutoRenewEnabled || *before.AutoRenewEnabled != (name == "suspended") {
			t.Errorf("%s: %s, renews %t and before %t", name, after.Status, *after.AutoRenewEnabled, *before.AutoRenewEnabled)
		}
	}
}

// A term that a request begins at once has an order, of what was loaded, too. What follows
// it by itself has none.
func TestTermAtOnceOfLoaded(t *testing.T) {
	a := account(t)
	for name, test := range map[string]struct {
		price         partnercenter.Decimal
		created, want string
	}{
		// 48.00 a year for a seat, of which half a month is left.
		"with prices":    {"4.00", "2026-05-20", "2026-06-05 convert P3Y 3 426.19 USD"},
		"without prices": {"", "2026-05-20", "2026-06-05 convert P3Y 3 432.00 USD"},
		"of long ago":    {"4.00", "2024-05-20", "2026-06-05 convert P3Y 3 432.00 USD"},
	} {
		l := line(service, 3)
		l.SubscriptionID, l.TermDuration = "0a1b2c3d-0000-4000-8000-000000000201", new("P1M")
		d := partnercenter.Order{ID: "a0b1c2d3e4f5", CreationDate: firstInstant(day(test.created)), BillingCycle: "monthly"}
		if setPrice(&l, test.price); test.price != "" {
			d.CurrencyCode = "USD"
		}
		d.LineItems = request(l).LineItems
		o, _, err := UpdateSubscription(a, Restore(a, d, nil, nil, nil), l.SubscriptionID, Update{Request: &partnercenter.Subscription{AutoRenewEnabled: new(true), TermDuration: "P3Y"}}, Settings{}, day("2026-06-05"))
		if err != nil {
			t.Fatal(name, err)
		}
		orders := o.Subscriptions[0].RenewalOrders(a, &o.Document, day("2036-01-01"))
		if len(orders) != 1 {
			t.Fatalf("%s: %d orders", name, len(orders))
		}
		placed := &orders[0].Document
		line := &placed.LineItems[0]
		if got := fmt.Sprintf("%s %s %s %d %s %s", placed.CreationDate.Time().Format(time.DateOnly), line.TransactionType, *line.TermDuration, *line.Quantity, placed.TotalPrice, placed.CurrencyCode); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// checkSeats checks that every seat was bought, and no period is charged twice.
func checkSeats(t *testing.T, s *Subscription) {
	t.Helper()
	sum := 0
	for _, seats := range s.Facts.Seats {
		sum += seats.Quantity
		if seats.Quantity < 1 {
			t.Errorf("%d seats were added", seats.Quantity)
		}
	}
	if sum != *s.Document.Quantity {
		t.Errorf("%d seats, of which %d were added", *s.Document.Quantity, sum)
	}
	var last time.Time
	for _, r := range s.Facts.Renewals {
		for n := r.From; n <= r.To; n++ {
			// Only a term that others count from can cut one short, which is credited.
			if start := r.start(n); start.Before(last) && n > 0 {
				t.Errorf("the term from %s begins before the last one ends, %s", start, last)
			}
			last = nthEnd(r.First, r.Months, n+1).AddDate(0, 0, 1)
		}
	}
}

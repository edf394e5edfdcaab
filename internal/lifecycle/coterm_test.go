package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// on parses a date of a request.
func on(date string) partnercenter.Time { return readTime(date + "T00:00:00") }

// buy places an order of online services at an instant.
func buy(t *testing.T, a *Account, now time.Time, quantity int, term string, cycle partnercenter.BillingCycleType, ends string) *Order {
	t.Helper()
	o, err := buyOrNot(a, now, quantity, term, cycle, ends)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func buyOrNot(a *Account, now time.Time, quantity int, term string, cycle partnercenter.BillingCycleType, ends string) (*Order, error) {
	l := line(service, quantity)
	l.TermDuration = &term
	if ends != "" {
		l.CustomTermEndDate = readTime(ends)
	}
	r := request(l)
	r.BillingCycle = cycle
	o, _, err := PlaceOrder(a, Placement{Request: r, Entropy: Entropy{byte(len(a.Owned) + 1)}}, Settings{}, now)
	return o, err
}

// endsOf lists dates as type, date and number of subscriptions.
func endsOf(t *testing.T, a *Account, asked CustomEnds, now time.Time) string {
	t.Helper()
	list, err := CustomTermEndDates(a, asked, now)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, d := range list {
		text := strings.TrimSuffix(d.AllowedCustomTermEndDate.String(), "T00:00:00")
		if d.AllowedCustomTermEndDateType == partnercenter.AllowedCustomTermEndDateTypeSubscription {
			text += "=" + strings.Repeat("s", len(d.CotermSubscriptionIDs))
		}
		said = append(said, text)
	}
	return strings.Join(said, " ")
}

// TestCustomTermEndDates lists dates by month and by subscription, and takes those and no
// others.
func TestCustomTermEndDates(t *testing.T) {
	a := account(t)
	own := func(o *Order) *Subscription {
		a.Owned = append(a.Owned, o.Subscriptions...)
		return o.Subscriptions[0]
	}
	month := own(buy(t, a, day("2026-03-15"), 1, "P1M", "monthly", "")) // to the 14th of each month
	own(buy(t, a, day("2026-03-15"), 1, "P1M", "monthly", ""))
	year := own(buy(t, a, day("2026-03-31"), 1, "P1Y", "annual", "")) // to 2027-03-30
	own(place(t, a, Settings{}, line(trial, 25)))                     // trials do not count, nor does software
	own(place(t, a, Settings{}, line(software, 1)))
	now := day("2026-04-01").Add(12 * time.Hour)
	for _, tt := range []struct {
		asked CustomEnds
		want  string
	}{
		{CustomEnds{TermDuration: "P1M"}, "2026-04-14=ss 2026-04-30"},
		{CustomEnds{TermDuration: "p1m", Start: on("2026-04-15")}, "2026-04-30"},
		{CustomEnds{TermDuration: "P1M", Start: on("2026-04-14")}, "2026-04-30"}, // a term has two days
		{CustomEnds{TermDuration: "P1M", Start: on("2027-01-31")}, ""},           // to the 27th of February
		{CustomEnds{TermDuration: "P1Y"}, "2026-04-14=ss 2026-04-30 2026-05-31 2026-06-30 2026-07-31 2026-08-31 2026-09-30 2026-10-31 2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-30=s 2027-03-31"},
		{CustomEnds{TermDuration: "P1Y", Target: strings.ToUpper(year.Document.ID)}, "2027-03-30=s"},
		{CustomEnds{TermDuration: "P1M", Target: year.Document.ID}, ""},
	} {
		if got := endsOf(t, a, tt.asked, now); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.asked, got, tt.want)
		}
	}
	// Every date that is offered is taken, in any form, and the day before and after is not.
	list, err := CustomTermEndDates(a, CustomEnds{TermDuration: "P1Y"}, now)
	if err != nil {
		t.Fatal(err)
	}
	offered := map[string]bool{}
	for _, d := range list {
		offered[d.AllowedCustomTermEndDate.String()[:10]] = true
	}
	for at := day("2026-03-30"); at.Before(day("2027-05-01")); at = at.AddDate(0, 0, 1) {
		date := at.Format(time.DateOnly)
		var want partnercenter.ErrorCode
		switch late := at.Day() >= 28; {
		case offered[date]:
		case at.Before(day("2026-04-02")), at.After(day("2027-03-31")), late:
			want = partnercenter.ErrorCodeCustomEndOutsideTerm
		default:
			want = partnercenter.ErrorCodeCustomEndUnaligned
		}
		for _, form := range []string{"T00:00:00", "T23:59:59Z", "T16:00:00-07:00"} {
			_, err := buyOrNot(a, now, 1, "P1Y", "annual", date+form)
			if refused(t, err, want); t.Failed() {
				t.Fatal(date, form)
			}
		}
	}
	// When they do not renew, they still end; when they are suspended, nothing ends with them.
	month.Document.AutoRenewEnabled = new(false)
	year.Document.Status = partnercenter.SubscriptionStatusSuspended
	if got := endsOf(t, a, CustomEnds{TermDuration: "P1M"}, now); got != "2026-04-14=ss 2026-04-30" {
		t.Error(got)
	}
	if got := endsOf(t, a, CustomEnds{TermDuration: "P1Y", Target: year.Document.ID}, now); got != "" {
		t.Error(got)
	}
	for _, tt := range []struct {
		line partnercenter.OrderLineItem
		code partnercenter.ErrorCode
	}{
		{line(software, 1), partnercenter.ErrorCodeCustomEndNotOffered},
		{line(licence, 1), partnercenter.ErrorCodeCustomEndNotOffered},
		{line(trial, 25), partnercenter.ErrorCodeCustomEndMismatch},
	} {
		tt.line.CustomTermEndDate = on("2026-04-30")
		_, _, err := PlaceOrder(a, Placement{Request: request(tt.line)}, Settings{}, now)
		refused(t, err, tt.code)
	}
}

// TestCustomEnds has terms that end early, what they cost, and the whole terms after them.
func TestCustomEnds(t *testing.T) {
	a := account(t)
	other := buy(t, a, day("2026-02-16"), 1, "P1M", "monthly", "") // to the 15th
	a.Owned = other.Subscriptions
	for _, tt := range []struct {
		name, term, ends            string
		cycle                       partnercenter.BillingCycleType
		first, next                 string // ends of terms
		cycleEnd                    string // of the billing cycle in which the first term ends
		price, together, renewed, n partnercenter.Decimal
	}{
		{"a year, paid at once", "P1Y", "2026-12-31", "annual", "2026-12-31", "2027-12-31", "2026-12-31", "40.24", "120.72", "48.00", "144.00"},
		{"a year, by the month", "P1Y", "2026-12-31", "monthly", "2026-12-31", "2027-12-31", "2026-12-31", "4.00", "120.00", "4.00", "144.00"},
		{"a month", "P1M", "2026-03-15", "monthly", "2026-03-15", "2026-04-15", "2026-03-15", "1.94", "5.82", "4.00", "12.00"},
		{"the whole month", "P1M", "2026-03-31", "monthly", "2026-03-31", "2026-04-30", "2026-03-31", "4.00", "12.00", "4.00", "12.00"},
		{"three years, by the year", "P3Y", "2028-06-30", "annual", "2028-06-30", "2031-06-30", "2028-06-30", "48.00", "336.13", "48.00", "432.00"},
	} {
		now := noon
		o := buy(t, a, now, 3, tt.term, tt.cycle, tt.ends+"T00:00:00")
		s, l := o.Subscriptions[0], o.Document.LineItems[0]
		full := l.Pricing.DiscountedPrice
		if l.CustomTermEndDate.String() != tt.ends+"T00:00:00" || l.Pricing.Price != tt.price || l.Pricing.ProratedPrice != tt.price || l.Pricing.ExtendedPrice != times(tt.price, 3) ||
			l.Pricing.ListPrice != full || full != tt.renewed || o.Document.TotalPrice != tt.together {
			t.Errorf("%s: %+v, in total %s", tt.name, l.Pricing, o.Document.TotalPrice)
		}
		at := func(now time.Time) string { return s.At(Settings{}, now).CommitmentEndDateTime.String()[:10] }
		last := day(tt.first)
		if got := at(now); got != tt.first {
			t.Errorf("%s: it ends on %s", tt.name, got)
		}
		if got := s.At(Settings{}, last).BillingCycleEndDate.String()[:10]; got != tt.cycleEnd {
			t.Errorf("%s: the billing cycle ends on %s", tt.name, got)
		}
		next := last.AddDate(0, 0, 1)
		if got := s.At(Settings{}, next); got.CommitmentEndDate.String()[:10] != tt.next || !got.CustomTermEndDate.IsZero() || s.At(Settings{}, next.Add(-1)).CustomTermEndDate.IsZero() {
			t.Errorf("%s: the next term ends on %s, and has %s", tt.name, got.CommitmentEndDate, got.CustomTermEndDate)
		}
		if at(now) != tt.first {
			t.Errorf("%s: reading changes it", tt.name)
		}
		if s.NextRenewal(now) != next || s.Renewed(next.Add(-1)) {
			t.Errorf("%s: it renews on %s", tt.name, s.NextRenewal(now))
		}
		orders := s.RenewalOrders(a, &o.Document, next)
		if len(orders) != 1 {
			t.Fatalf("%s: %d renewals", tt.name, len(orders))
		}
		if d := orders[0].Document; !d.CreationDate.Time().Equal(next) || d.LineItems[0].Pricing.Price != tt.renewed || d.TotalPrice != tt.n || !d.LineItems[0].CustomTermEndDate.IsZero() {
			t.Errorf("%s: renewed by %+v, %+v, in total %s", tt.name, d.CreationDate, d.LineItems[0].Pricing, d.TotalPrice)
		}
		// Stored in a later term, it is what it is by time alone.
		later := next.AddDate(0, 0, 3)
		o, _, err := UpdateSubscription(a, o, s.Document.ID, Update{Request: &partnercenter.Subscription{FriendlyName: "n", AutoRenewEnabled: new(true)}}, Settings{}, later)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Subscriptions[0]; got.At(Settings{}, later).CommitmentEndDate != s.At(Settings{}, later).CommitmentEndDate || len(got.RenewalOrders(a, &o.Document, later)) != 1 {
			t.Errorf("%s: stored, it ends on %s", tt.name, got.Document.CommitmentEndDate)
		}
	}
}

// TestCustomEndsOfNextTerms schedules terms that end early.
func TestCustomEndsOfNextTerms(t *testing.T) {
	a := account(t)
	o := buy(t, a, noon, 3, "P1M", "monthly", "") // to 2026-03-31
	s := o.Subscriptions[0]
	a.Owned = o.Subscriptions
	change := func(o *Order, d partnercenter.Subscription, code partnercenter.ErrorCode) *Order {
		t.Helper()
		d.AutoRenewEnabled = new(true)
		next, _, err := UpdateSubscription(a, o, s.Document.ID, Update{Request: &d}, Settings{}, noon)
		if refused(t, err, code); err != nil {
			return o
		}
		return next
	}
	year := func(ends string) *partnercenter.SubscriptionInstructions {
		return &partnercenter.SubscriptionInstructions{CustomTermEndDate: on(ends), Product: &partnercenter.InstructedProduct{TermDuration: "P1Y", BillingCycle: "annual"}}
	}
	const mismatch = partnercenter.ErrorCodeCustomEndMismatch
	for _, ends := range []string{"2026-03-31", "2026-04-01", "2026-12-30", "2027-04-30"} {
		change(o, partnercenter.Subscription{ScheduledNextTermInstructions: year(ends)}, mismatch)
	}
	change(o, partnercenter.Subscription{CustomTermEndDate: on("2026-03-15")}, mismatch)
	change(o, partnercenter.Subscription{NextChargeInstructions: &partnercenter.SubscriptionInstructions{CustomTermEndDate: on("2026-04-30")}}, mismatch)
	o = change(o, partnercenter.Subscription{ScheduledNextTermInstructions: year("2026-12-31")}, "")
	s = o.Subscriptions[0]
	// Sent back as it was read, it stays.
	if again := change(o, *s.At(Settings{}, noon), ""); again != o {
		t.Error("sent back, it changes")
	}
	for _, tt := range []struct{ now, want string }{
		{"2026-03-31", "2026-03-31"}, {"2026-04-01", "2026-12-31"}, {"2026-12-31", "2026-12-31"}, {"2027-01-01", "2027-12-31"}, {"2026-03-02", "2026-03-31"}, {"2029-06-01", "2029-12-31"},
	} {
		if got := s.At(Settings{}, day(tt.now)).CommitmentEndDate.String()[:10]; got != tt.want {
			t.Errorf("on %s it ends on %s, want %s", tt.now, got, tt.want)
		}
	}
	orders := s.RenewalOrders(a, &o.Document, day("2027-01-01"))
	if len(orders) != 2 {
		t.Fatalf("%d renewals", len(orders))
	}
	for i, want := range []struct{ price, total partnercenter.Decimal }{{"36.16", "108.48"}, {"48.00", "144.00"}} {
		if d := orders[i].Document; d.LineItems[0].Pricing.Price != want.price || d.TotalPrice != want.total || d.LineItems[0].CustomTermEndDate.IsZero() != (i == 1) {
			t.Errorf("renewal %d: %+v, in total %s", i, d.LineItems[0].Pricing, d.TotalPrice)
		}
	}
	// A term that does not renew ends early for good.
	ended := buy(t, a, noon, 1, "P1Y", "annual", "2026-04-30T00:00:00")
	ended, _, err := UpdateSubscription(a, ended, ended.Subscriptions[0].Document.ID, Update{Request: &partnercenter.Subscription{AutoRenewEnabled: new(false)}}, Settings{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if d := ended.Subscriptions[0].At(Settings{}, day("2026-05-01")); d.Status != partnercenter.SubscriptionStatusExpired || d.CommitmentEndDate.String()[:10] != "2026-04-30" {
		t.Errorf("%s, to %s", d.Status, d.CommitmentEndDate)
	}
	back, _, err := UpdateSubscription(a, ended, ended.Subscriptions[0].Document.ID, Update{Request: &partnercenter.Subscription{Status: "active", AutoRenewEnabled: new(true)}}, Settings{}, day("2026-05-10"))
	if err != nil {
		t.Fatal(err)
	}
	if d := back.Subscriptions[0].At(Settings{}, day("2026-05-10")); d.CommitmentEndDate.String()[:10] != "2027-04-30" || !d.CustomTermEndDate.IsZero() {
		t.Errorf("reactivated, it ends on %s", d.CommitmentEndDate)
	}
	// One that may be extended is.
	extended := buy(t, a, noon, 1, "P1Y", "annual", "2026-05-31T00:00:00")
	extended, _, err = UpdateSubscription(a, extended, extended.Subscriptions[0].Document.ID, Update{Request: &partnercenter.Subscription{AutoRenewEnabled: new(false)}}, Settings{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if d := extended.Subscriptions[0].At(Settings{}, day("2026-06-01")); d.Status != "active" || d.TermDuration != "P1M" || d.CommitmentEndDate.String()[:10] != "2026-06-30" {
		t.Errorf("extended: %s, %s to %s", d.Status, d.TermDuration, d.CommitmentEndDate)
	}
}

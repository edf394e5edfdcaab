package lifecycle

import (
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

func day(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestEnds has the ends of consecutive periods.
func TestEnds(t *testing.T) {
	for _, test := range []struct {
		first  string
		months int
		ends   []string
	}{
		{"2027-01-31", 1, []string{"2027-02-27", "2027-03-30", "2027-04-29", "2027-05-30"}},
		{"2027-01-30", 1, []string{"2027-02-27", "2027-03-29", "2027-04-29"}},
		{"2027-01-29", 1, []string{"2027-02-27", "2027-03-28", "2027-04-28"}},
		{"2027-01-28", 1, []string{"2027-02-27", "2027-03-27"}},
		{"2028-01-31", 1, []string{"2028-02-28", "2028-03-30"}}, // a leap year
		{"2028-01-29", 1, []string{"2028-02-28", "2028-03-28"}},
		{"2026-12-31", 1, []string{"2027-01-30", "2027-02-27", "2027-03-30"}},
		{"2027-01-01", 1, []string{"2027-01-31", "2027-02-28", "2027-03-31"}},
		{"2026-11-29", 12, []string{"2027-11-28", "2028-11-28"}},
		{"2028-02-29", 12, []string{"2029-02-27", "2030-02-27", "2031-02-27", "2032-02-28"}},
		{"2028-02-29", 36, []string{"2031-02-27", "2034-02-27"}},
		{"2026-12-31", 36, []string{"2029-12-30"}},
	} {
		first := day(test.first)
		for n, end := range test.ends {
			if got := nthEnd(first, test.months, n+1).Format(time.DateOnly); got != end {
				t.Errorf("end %d of %d months from %s is %s, want %s", n+1, test.months, test.first, got, end)
			}
			last := day(end).AddDate(0, 0, 1).Add(-1)
			if got, number := endAt(first, test.months, last); got.Format(time.DateOnly) != end || number != n+1 {
				t.Errorf("%s is in the period until %s, want %s", last, got, end)
			}
			if got, _ := endAt(first, test.months, last.Add(1)); !got.Equal(nthEnd(first, test.months, n+2)) {
				t.Errorf("%s is in the period until %s, want the next one", last.Add(1), got)
			}
		}
	}
	// Each instant is in exactly one period, wherever they begin.
	for offset := range 800 {
		first := day("2027-01-01").AddDate(0, 0, offset)
		for _, months := range []int{1, 12, 36} {
			for n := 1; n < 60; n++ {
				end := nthEnd(first, months, n)
				last, _ := endAt(first, months, end.AddDate(0, 0, 1).Add(-1))
				begun, _ := endAt(first, months, nthEnd(first, months, n-1).AddDate(0, 0, 1))
				if last != end || begun != end {
					t.Fatalf("%d months from %s: the one until %s has other instants", months, first, end)
				}
			}
		}
	}
	if got, n := endAt(day("2027-01-31"), 1, day("2000-01-01")); n != 1 || got != day("2027-02-27") {
		t.Errorf("before its start it ends on %s", got)
	}
	if got, _ := endAt(day("2027-01-31"), 36, day("9999-06-01")); got != never {
		t.Errorf("at the end of time it ends on %s", got)
	}
}

// ends are those of a subscription at an instant, as date and time.
func ends(s *Subscription, now time.Time) [4]string {
	d := s.At(Settings{}, now)
	return [4]string{d.CommitmentEndDate.String(), d.CommitmentEndDateTime.String(), d.BillingCycleEndDate.String(), d.BillingCycleEndDateTime.String()}
}

// both returns the end of a term and of a billing cycle as members have them.
func both(term, cycle string) [4]string {
	return [4]string{term + "T00:00:00Z", term + "T23:59:59Z", cycle + "T00:00:00Z", cycle + "T23:59:59Z"}
}

// TestTermEnds follows a subscription over its terms and billing cycles.
func TestTermEnds(t *testing.T) {
	a := account(t)
	buy := func(at string, cycle partnercenter.BillingCycleType, offer, term string) *Order {
		l := line(offer, 1)
		if term != "" {
			l.TermDuration = &term
		}
		r := request(l)
		r.BillingCycle = cycle
		o, _, err := PlaceOrder(a, Placement{Request: r}, Settings{}, day(at).Add(17*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	check := func(s *Subscription, at string, want [4]string) {
		t.Helper()
		if got := ends(s, day(at).Add(23*time.Hour+59*time.Minute)); got != want {
			t.Errorf("on %s: %v, want %v", at, got, want)
		}
	}
	monthly := buy("2027-01-31", "", service, "P1M").Subscriptions[0]
	check(monthly, "2027-01-31", both("2027-02-27", "2027-02-27"))
	check(monthly, "2027-02-27", both("2027-02-27", "2027-02-27"))
	check(monthly, "2027-02-28", both("2027-03-30", "2027-03-30"))
	check(monthly, "2027-03-30", both("2027-03-30", "2027-03-30"))
	check(monthly, "2027-03-31", both("2027-04-29", "2027-04-29"))
	check(monthly, "2026-01-01", both("2027-02-27", "2027-02-27")) // a clock that was set back

	yearly := buy("2026-11-29", "annual", service, "P1Y").Subscriptions[0]
	check(yearly, "2026-11-29", both("2027-11-28", "2027-11-28"))
	check(yearly, "2027-11-28", both("2027-11-28", "2027-11-28"))
	check(yearly, "2027-11-29", both("2028-11-28", "2028-11-28"))

	inMonths := buy("2027-08-31", "monthly", service, "P1Y").Subscriptions[0]
	check(inMonths, "2027-08-31", both("2028-08-30", "2027-09-29"))
	check(inMonths, "2028-02-28", both("2028-08-30", "2028-02-28"))
	check(inMonths, "2028-02-29", both("2028-08-30", "2028-03-30"))
	check(inMonths, "2028-08-31", both("2029-08-30", "2028-09-29"))

	inYears := buy("2028-02-29", "annual", service, "P3Y").Subscriptions[0]
	check(inYears, "2028-02-29", both("2031-02-27", "2029-02-27"))
	check(inYears, "2030-12-31", both("2031-02-27", "2031-02-27"))

	once := buy("2026-12-31", "one_time", software, "P1Y").Subscriptions[0]
	check(once, "2027-06-01", both("2027-12-30", "2027-12-30"))

	trial := buy("2027-01-31", "", trial, "").Subscriptions[0]
	check(trial, "2027-06-01", both("2027-02-27", "2027-02-27")) // trials do not renew

	azure := buy("2027-01-31", "", plan, "").Subscriptions[0]
	check(azure, "2027-06-01", [4]string{"9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "", ""})

	legacy := buy("2027-01-31", "", licence, "").Subscriptions[0]
	check(legacy, "2027-06-01", [4]string{"2028-01-30T00:00:00Z", "", "", ""}) // the others are of new commerce
	check(legacy, "2028-01-31", [4]string{"2029-01-30T00:00:00Z", "", "", ""})
	if got := legacy.ProvisioningStatus(day("2028-01-31")).EndDate.String(); got != "2029-01-30T00:00:00Z" {
		t.Errorf("the provisioning status has the end %s", got)
	}
}

// TestTermEndsAfterChanges has ends that stay when a subscription stops renewing.
func TestTermEndsAfterChanges(t *testing.T) {
	a := account(t)
	l := line(service, 2)
	o, _, err := PlaceOrder(a, Placement{Request: request(l)}, Settings{}, day("2027-01-31"))
	if err != nil {
		t.Fatal(err)
	}
	id := o.Subscriptions[0].Document.ID
	update := func(at string, change *partnercenter.Subscription) *Subscription {
		t.Helper()
		next, _, err := UpdateSubscription(a, o, id, Update{Request: change}, Settings{}, day(at))
		if err != nil {
			t.Fatal(err)
		}
		o = next
		return o.Subscriptions[0]
	}
	s := update("2027-03-05", &partnercenter.Subscription{AutoRenewEnabled: new(false)})
	for at, want := range map[string]string{"2027-03-05": "2027-03-30", "2027-03-31": "2027-04-29", "2030-01-01": "2030-01-30"} { // it is extended
		if got := ends(s, day(at)); got != both(want, want) {
			t.Errorf("on %s, not renewing: %v", at, got)
		}
	}
	s = update("2027-03-06", &partnercenter.Subscription{AutoRenewEnabled: new(true)})
	if got := ends(s, day("2027-04-05")); got != both("2027-04-29", "2027-04-29") {
		t.Errorf("renewing again: %v", got)
	}
	s = update("2027-05-05", &partnercenter.Subscription{Status: "suspended", AutoRenewEnabled: new(true)})
	if got := ends(s, day("2027-08-05")); got != both("2027-05-30", "2027-05-30") {
		t.Errorf("suspended: %v", got)
	}
	s = update("2027-05-25", &partnercenter.Subscription{Status: "active", AutoRenewEnabled: new(true)})
	if got := ends(s, day("2027-08-05")); got != both("2027-08-30", "2027-08-30") {
		t.Errorf("reactivated: %v", got)
	}
	s = update("2027-09-05", &partnercenter.Subscription{Status: "deleted"})
	if got := ends(s, day("2028-08-05")); got != both("2027-09-29", "2027-09-29") {
		t.Errorf("deleted: %v", got)
	}
}

func termOf(line *partnercenter.OrderLineItem) string {
	if line.TermDuration == nil {
		return ""
	}
	return *line.TermDuration
}

// TestPrices has totals over whole terms, whatever the billing cycle.
func TestPrices(t *testing.T) {
	a := account(t)
	for _, test := range []struct {
		name, offer, term, cycle string
		price, extended, total   partnercenter.Decimal
		bought                   string // the term
	}{
		{"a month", service, "P1M", "", "4.00", "12.00", "12.00", "P1M"},
		{"a year, monthly", service, "P1Y", "monthly", "4.00", "12.00", "144.00", "P1Y"},
		{"a year, yearly", service, "P1Y", "annual", "48.00", "144.00", "144.00", "P1Y"},
		{"three years, monthly", service, "P3Y", "", "4.00", "12.00", "432.00", "P3Y"},
		{"three years, yearly", service, "p3y", "annual", "48.00", "144.00", "432.00", "P3Y"},
		{"yearly, without a term", service, "", "annual", "48.00", "144.00", "144.00", "P1Y"},
		{"sold yearly only", "DZH318Z0BXWC:0003:DZH318Z0BMY1", "", "", "590.00", "1770.00", "1770.00", "P1Y"},
		{"once", software, "", "", "350.00", "1050.00", "1050.00", "P1Y"},
		{"a legacy offer", licence, "", "monthly", "20.00", "60.00", "60.00", ""},
		{"a legacy offer, yearly", licence, "", "annual", "240.00", "720.00", "720.00", ""},
	} {
		l := line(test.offer, 3)
		if test.term != "" {
			l.TermDuration = &test.term
		}
		r := request(l)
		r.BillingCycle = partnercenter.BillingCycleType(test.cycle)
		o, _, err := PlaceOrder(a, Placement{Request: r}, Settings{}, noon)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		bought := &o.Document.LineItems[0]
		if p := bought.Pricing; p.Price != test.price || p.ListPrice != test.price || p.ExtendedPrice != test.extended || o.Document.TotalPrice != test.total || termOf(bought) != test.bought {
			t.Errorf("%s: %+v, in total %s, for %q", test.name, p, o.Document.TotalPrice, termOf(bought))
		}
	}
	monthly := line(service, 1)
	monthly.TermDuration = new("P1M")
	_, _, err := PlaceOrder(a, Placement{Request: &partnercenter.Order{BillingCycle: "annual", LineItems: request(monthly).LineItems}}, Settings{}, noon)
	refused(t, err, partnercenter.ErrorCodeCycleUnsupported)

	// Another cycle, and less of it.
	first, second := line(service, 2), line(service, 3)
	first.TermDuration, second.TermDuration = new("P1Y"), new("P1Y")
	o := place(t, a, Settings{}, first, second)
	patch := func(request *partnercenter.Order) *partnercenter.Order {
		t.Helper()
		next, _, err := PatchOrder(a, o, Patch{Request: request}, Settings{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		o = next
		return &next.Document
	}
	if d := patch(&partnercenter.Order{BillingCycle: "annual"}); d.LineItems[1].Pricing.Price != "48.00" || d.LineItems[1].Pricing.ExtendedPrice != "144.00" || d.TotalPrice != "240.00" {
		t.Errorf("yearly: %+v, in total %s", d.LineItems[1].Pricing, d.TotalPrice)
	}
	next, _, err := UpdateSubscription(a, o, o.Subscriptions[0].Document.ID, Update{Request: &partnercenter.Subscription{Status: "deleted"}}, Settings{}, noon)
	if err != nil || next.Document.TotalPrice != "144.00" {
		t.Errorf("one line less: %s, %v", next.Document.TotalPrice, err)
	}
	if d := patch(&partnercenter.Order{BillingCycle: "monthly"}); d.LineItems[1].Pricing.Price != "4.00" || d.LineItems[1].Pricing.ExtendedPrice != "12.00" || d.TotalPrice != "240.00" {
		t.Errorf("monthly again: %+v, in total %s", d.LineItems[1].Pricing, d.TotalPrice)
	}
}

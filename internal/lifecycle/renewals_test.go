package lifecycle

import (
	"regexp"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// TestRenewalOrders has the orders that renewals place, and their prices.
func TestRenewalOrders(t *testing.T) {
	a := account(t)
	for _, test := range []struct {
		name, offer, term string
		cycle             partnercenter.BillingCycleType
		stops             bool // does not renew
		id                string
		prices, totals    []partnercenter.Decimal
	}{
		{"by the month", service, "P1M", "monthly", false, `^[0-9a-f]{12}$`, []partnercenter.Decimal{"4.00", "4.00"}, []partnercenter.Decimal{"12.00", "12.00"}},
		{"by the year", service, "P1Y", "annual", false, `^[0-9a-f]{12}$`, []partnercenter.Decimal{"48.00", "48.00"}, []partnercenter.Decimal{"144.00", "144.00"}},
		{"for a year, by the month", service, "P1Y", "monthly", false, `^[0-9a-f]{12}$`, []partnercenter.Decimal{"4.00"}, []partnercenter.Decimal{"144.00"}},
		{"extended", service, "P1Y", "annual", true, `^[0-9a-f]{12}$`, []partnercenter.Decimal{"4.12"}, []partnercenter.Decimal{"12.36"}},
		{"software", software, "P1Y", "", false, `^[A-Za-z0-9_-]{32}1$`, []partnercenter.Decimal{"350.00"}, []partnercenter.Decimal{"1050.00"}},
		{"licences", licence, "", "monthly", false, `^[0-9a-f]{8}-`, []partnercenter.Decimal{"20.00"}, []partnercenter.Decimal{"60.00"}},
	} {
		l := line(test.offer, 3)
		if test.term != "" {
			l.TermDuration = &test.term
		}
		r := request(l)
		r.BillingCycle = test.cycle
		o, _, err := PlaceOrder(a, Placement{Request: r, Entropy: Entropy{3}}, Settings{}, noon)
		if err != nil {
			t.Fatal(test.name, err)
		}
		id := o.Subscriptions[0].Document.ID
		if test.stops {
			if o, _, err = UpdateSubscription(a, o, id, Update{Request: &partnercenter.Subscription{}}, Settings{}, noon); err != nil {
				t.Fatal(err)
			}
		}
		s, at := o.Subscriptions[0], noon
		if next := s.NextRenewal(at); len(s.RenewalOrders(a, &o.Document, next.Add(-1))) != 0 || s.Renewed(next.Add(-1)) {
			t.Errorf("%s: it is renewed before %s", test.name, next)
		}
		ids := map[string]bool{}
		for n := range test.prices {
			at = s.NextRenewal(at)
			list := s.RenewalOrders(a, &o.Document, at)
			if len(list) != n+1 || !s.Renewed(at) {
				t.Fatalf("%s: %d orders by %s", test.name, len(list), at)
			}
			d := &list[n].Document
			ids[d.ID] = true
			if !regexp.MustCompile(test.id).MatchString(d.ID) || d.ID == o.Document.ID || len(ids) != n+1 || !d.CreationDate.Time().Equal(at) || d.Status != "completed" || d.TransactionType != "SystemPurchase" {
				t.Errorf("%s: %+v", test.name, d)
			}
			if line := d.LineItems[0]; line.Pricing.Price != test.prices[n] || d.TotalPrice != test.totals[n] || *line.Quantity != 3 || line.SubscriptionID != id {
				t.Errorf("%s: %+v, price %v, in total %s", test.name, line, line.Pricing, d.TotalPrice)
			}
			_, _, err := PatchOrder(a, list[n], Patch{Request: &partnercenter.Order{Status: "cancelled"}}, Settings{}, at)
			refused(t, err, partnercenter.ErrorCodeOrderUnprocessable)
		}
	}
	// The clock may go far.
	o := place(t, a, Settings{}, line(service, 1))
	if list := o.Subscriptions[0].RenewalOrders(a, &o.Document, time.Date(8999, 1, 1, 0, 0, 0, 0, time.UTC)); len(list) != maxRenewals || list[maxRenewals-1].Document.CreationDate.Time().Year() != 8999 {
		t.Errorf("%d renewals by the year 8999", len(list))
	}
}

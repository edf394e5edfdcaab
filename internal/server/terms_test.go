package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestEndsByTheClock advances the clock over the ends of terms.
func TestEndsByTheClock(t *testing.T) {
	a := newAPI(t)
	a.user = adminAgent // a provisioning status needs one
	clock := a.Clock()
	at := func(date string) {
		t.Helper()
		to, err := time.Parse(time.RFC3339, date)
		if err != nil {
			t.Fatal(err)
		}
		clock.Set(to)
		clock.Freeze()
		a.token = a.mint(t)
	}
	at("2026-11-29T09:00:00Z")
	yearly := a.placed(t, documented, line(itemE3, 1, `"termDuration":"P1Y"`)).LineItems[0].SubscriptionID
	at("2027-01-31T12:00:00Z")
	monthly := a.placed(t, documented, line(itemE3, 1, `"termDuration":"P1M"`)).LineItems[0].SubscriptionID

	check := func(id, end, cycleEnd string) {
		t.Helper()
		a.check(t, request{path: subscriptionAt(documented, id), status: 200, must: []string{
			`"commitmentEndDate":"` + end + `T00:00:00Z","commitmentEndDateTime":"` + end + `T23:59:59Z"`,
			`"billingCycleEndDate":"` + cycleEnd + `T00:00:00Z","billingCycleEndDateTime":"` + cycleEnd + `T23:59:59Z"`,
		}})
		list := decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/subscriptions", "", 200))
		for _, s := range list.Items {
			if s.ID == id && s.CommitmentEndDate.String() != end+"T00:00:00Z" {
				t.Errorf("the list has %s", s.CommitmentEndDate)
			}
		}
	}
	check(yearly, "2027-11-28", "2027-02-27") // the 29th of February is not in 2027
	check(monthly, "2027-02-27", "2027-02-27")
	at("2027-02-28T00:00:00Z")
	check(monthly, "2027-03-30", "2027-03-30")
	at("2027-03-31T00:00:00Z")
	check(monthly, "2027-04-29", "2027-04-29")
	check(yearly, "2027-11-28", "2027-04-28")
	if s := a.patchSubscription(t, documented, monthly, `{"autoRenewEnabled":false}`); s.CommitmentEndDate.String() != "2027-04-29T00:00:00Z" {
		t.Errorf("not renewing, it ends on %s", s.CommitmentEndDate)
	}
	at("2028-11-29T00:00:00Z")
	check(monthly, "2028-11-29", "2028-11-29") // an extended service term
	check(yearly, "2029-11-28", "2028-12-28")
	a.check(t, request{path: subscriptionAt(documented, yearly) + "/provisioningstatus", status: 200, must: []string{`"endDate":"2029-11-28T00:00:00Z"`}})
}

// TestPricesOfPlacement shows prices in answers to new commerce's orders, to those who
// may see them.
func TestPricesOfPlacement(t *testing.T) {
	for _, test := range []struct {
		name, body string
		options    partnercentertest.Options
		must       string // empty for no prices
	}{
		{"a year, monthly", `{"billingCycle":"monthly",` + linesOf(line(itemE3, 2, `"termDuration":"P1Y"`)) + `}`, partnercentertest.Options{}, `"extendedPrice":72.00}`},
		{"a year, yearly", `{"billingCycle":"annual",` + linesOf(line(itemE3, 2)) + `}`, partnercentertest.Options{}, `"extendedPrice":864.00}`},
		{"a legacy offer", orderOf(line(offerE3, 2)), partnercentertest.Options{}, ""},
		{"without the right", orderOf(line(itemE3, 2)), partnercentertest.Options{NoPriceAccess: true}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAPI(t, test.options)
			r := request{method: http.MethodPost, path: ordersOf(documented), body: test.body, header: http.Header{"MS-RequestId": {"7d7d3f3c-6a24-4f5b-9d6e-0c8f5a6f7b10"}}, status: 201}
			if r.mustNot = []string{"totalPrice", "pricing"}; test.must != "" {
				r.must, r.mustNot = []string{test.must, `"totalPrice":864.00`}, nil
			}
			a.check(t, r)
			a.check(t, r) // again, as a retry sends it
			r = request{path: ordersOf(documented), status: 200, mustNot: []string{"totalPrice"}}
			a.check(t, r)
		})
	}
}

package server

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestThrottleCounts takes requests one after the other from a throttle that
// lets ten through, writes counting three.
func TestThrottleCounts(t *testing.T) {
	const one, two = "11111111-1111-1111-1111-11111111111a", "22222222-2222-2222-2222-222222222222"
	type step struct {
		limit    Limit
		partner  string
		customer string
		times    int
		at       time.Duration // since noon
		wait     time.Duration // of the last
	}
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"reads", []step{{orderRead, "p", one, 10, 0, 0}, {orderRead, "p", one, 1, 0, time.Minute}}},
		{"writes weigh more", []step{{orderWrite, "p", one, 3, 0, 0}, {orderRead, "p", one, 1, 0, 0}, {orderWrite, "p", one, 1, time.Second, 59 * time.Second}}},
		{"a refused write counts", []step{{orderRead, "p", one, 8, 0, 0}, {orderWrite, "p", one, 1, 0, time.Minute}, {orderRead, "p", one, 1, 0, time.Minute}}},
		{"the window ends", []step{{orderRead, "p", one, 11, 0, time.Minute}, {orderRead, "p", one, 1, 59 * time.Second, time.Second}, {orderRead, "p", one, 10, time.Minute, 0}}},
		{"the clock is set back", []step{{orderRead, "p", one, 11, 0, time.Minute}, {orderRead, "p", one, 10, -time.Hour, 0}}},
		{"the clock is set forward", []step{{orderRead, "p", one, 11, 0, time.Minute}, {orderRead, "p", one, 10, time.Hour, 0}}},
		{"partners apart", []step{{orderRead, "p", one, 11, 0, time.Minute}, {orderRead, "q", one, 10, 0, 0}}},
		{"resources apart", []step{{orderRead, "p", one, 11, 0, time.Minute}, {customerRead, "p", one, 10, 0, 0}, {subscriptionRead, "p", one, 10, 0, 0}}},
		{"orders of all customers together", []step{{orderRead, "p", one, 6, 0, 0}, {orderRead, "p", two, 5, 0, time.Minute}}},
		{"subscriptions of customers apart", []step{{subscriptionWrite, "p", one, 4, 0, time.Minute}, {subscriptionRead, "p", two, 10, 0, 0}, {subscriptionRead, "p", one, 1, 0, time.Minute}}},
		{"one customer in two cases", []step{{subscriptionRead, "p", one, 10, 0, 0}, {subscriptionRead, "p", "11111111-1111-1111-1111-11111111111A", 1, 0, time.Minute}}},
		{"what is no customer is one", []step{{subscriptionRead, "p", "x", 6, 0, 0}, {subscriptionRead, "p", "y", 5, 0, time.Minute}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			throttle := newThrottle(10, 3, nil)
			for i, s := range test.steps {
				var wait time.Duration
				for range s.times {
					wait = takeOne(t, throttle, s.limit, s.partner, s.customer, noon.Add(s.at))
				}
				if wait != s.wait {
					t.Errorf("step %d: wait %s, want %s", i, wait, s.wait)
				}
			}
		})
	}
}

func takeOne(t *testing.T, throttle *throttle, limit Limit, partner, customer string, now time.Time) time.Duration {
	t.Helper()
	wait, err := throttle.take(t.Context(), limit, partner, customer, now)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// TestThrottleForgets calls for more customers than the throttle remembers at
// once, and for one of them a minute later.
func TestThrottleForgets(t *testing.T) {
	throttle := newThrottle(2, 1, nil)
	customer := func(n int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012x", n) }
	const customers = maxThrottleWindows + 1000
	for n := range customers {
		takeOne(t, throttle, subscriptionRead, "p", customer(n), noon.Add(time.Duration(n)*time.Microsecond))
	}
	if n := throttle.windows.Len(); n != maxThrottleWindows {
		t.Errorf("%d windows, want at most %d", n, maxThrottleWindows)
	}
	if takeOne(t, throttle, subscriptionRead, "p", customer(customers-1), noon.Add(time.Second)) != 0 ||
		takeOne(t, throttle, subscriptionRead, "p", customer(customers-1), noon.Add(time.Second)) == 0 {
		t.Error("a customer asked for last is not remembered")
	}
	takeOne(t, throttle, subscriptionRead, "p", customer(0), noon.Add(2*time.Minute))
	if n := throttle.windows.Len(); n != 1 {
		t.Errorf("%d windows a minute later, want 1", n)
	}
}

// TestLimits compares the limits of the routes with the documented ones.
func TestLimits(t *testing.T) {
	enforced := map[string]Limit{
		"orders list":                            orderRead,
		"orders list-by-billing-type":            orderRead,
		"orders get":                             orderRead,
		"orders create":                          orderWrite,
		"orders create-for-indirect-reseller":    orderWrite,
		"orders update-billing-cycle":            orderWrite,
		"orders purchase-addon":                  orderWrite,
		"orders cancel-sandbox-order":            orderWrite,
		"orders cancel-software-purchase":        orderWrite,
		"orders get-provisioning-status":         orderRead,
		"carts create":                           orderWrite,
		"carts create-with-addons-new-base":      orderWrite,
		"carts create-with-addons-existing-base": orderWrite,
		"carts update":                           orderWrite,
		"carts checkout":                         orderWrite,
		"subscriptions list":                     subscriptionRead,
		"subscriptions list-by-order":            subscriptionRead,
		"subscriptions list-by-partner":          subscriptionRead,
		"subscriptions get":                      subscriptionRead,
		"subscriptions update-quantity":          subscriptionWrite,
		"subscriptions suspend":                  subscriptionWrite,
		"subscriptions reactivate":               subscriptionWrite,
		"subscriptions update-autorenew":         subscriptionWrite,
		"subscriptions update-nickname":          subscriptionWrite,
		"subscriptions cancel":                   subscriptionWrite,
		"subscriptions list-addons":              subscriptionRead,
		"subscriptions register":                 subscriptionWrite,
		"subscriptions get-registration-status":  subscriptionRead,
		// The table's row for the order's status leads to the page of this one.
		"subscriptions get-provisioning-status": subscriptionRead,
		"subscriptions list-upgrades":           subscriptionRead,
		"subscriptions upgrade":                 subscriptionWrite,
		"subscriptions list-conversions":        subscriptionRead,
		"subscriptions convert-trial":           subscriptionWrite,
		"subscriptions list-azure-entitlements": subscriptionRead,
		"productupgrades create":                subscriptionWrite,
		"productupgrades check-eligibility":     subscriptionRead,
		"productupgrades get-status":            subscriptionRead,
		"customers get":                         customerRead,
	}
	for _, route := range Routes() {
		for _, operation := range route.Operations {
			name := operation.String()
			if want := enforced[name]; route.Limit != want {
				t.Errorf("%s has limit %+v, want %+v", name, route.Limit, want)
			}
		}
	}
}

func BenchmarkThrottle(b *testing.B) {
	throttle := newThrottle(1<<60, 2, nil)
	b.ReportAllocs()
	for b.Loop() {
		if wait, err := throttle.take(b.Context(), orderRead, "p", "11111111-1111-1111-1111-11111111111a", noon); wait != 0 || err != nil {
			b.Fatal(wait, err)
		}
	}
}

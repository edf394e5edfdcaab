package store

import (
	"fmt"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestUpgradeOfEnds corrects ends and totals in a database of the version before.
func TestUpgradeOfEnds(t *testing.T) {
	path, db := oldDatabase(t, 4)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO partners VALUES (?, 'A', 'a.example', '1', 'US')`, partnerA)
	exec(`INSERT INTO customers (partner_id, customer_id, active, reseller_id, company_name, domain, summary, doc) VALUES (?, ?, 1, '', '', '', '{}', '{}')`, partnerA, orderless)

	const none = "no"
	subscriptions := []struct{ name, kind, members, start, was, end, cycle string }{
		{"on the 31st", "online_service", `"billingCycle":"monthly","termDuration":"P1M"`, "2027-01-31", "2027-03-03", "2027-02-27", "2027-02-27"},
		{"renewed several times since", "online_service", `"billingCycle":"monthly","autoRenewEnabled":true,"termDuration":"P1M"`, "2024-01-31", "2024-03-02", "2024-02-28", "2024-02-28"},
		{"a year in months", "online_service", `"status":"deleted","billingCycle":"monthly","termDuration":"P1Y"`, "2026-11-29", "2027-11-29", "2027-11-28", "2026-12-28"},
		{"three years, yearly", "online_service", `"billingCycle":"annual","termDuration":"P3Y"`, "2028-02-29", "2031-03-01", "2031-02-27", "2029-02-27"},
		{"a longer cycle", "marketplace", `"billingCycle":"annual","termDuration":"P1M"`, "2026-12-31", "2027-01-31", "2027-01-30", "2027-01-30"},
		{"once", "software_subscription", `"billingCycle":"one_time","termDuration":"P1Y"`, "2026-12-31", "2027-12-31", "2027-12-30", "2027-12-30"},
		{"a trial without a term", "online_service", `"billingCycle":"none","isTrial":true`, "2027-01-31", "2027-03-03", "2027-02-27", "2027-02-27"},
		{"a legacy offer", "license", `"billingCycle":"monthly"`, "2028-02-29", "2029-03-01", "2029-02-27", none},
		{"Azure", "usage", `"billingCycle":"monthly"`, "2028-02-29", "9999-12-31", "9999-12-31", none},
		{"an Azure plan", "azure_plan", `"billingCycle":"one_time"`, "2028-02-29", "9999-12-31", "9999-12-31", none},
		{"not started", "online_service", `"billingCycle":"monthly","termDuration":"P1M"`, "9999-12-31", "9999-12-31", "9999-12-31", none},
	}
	id := func(i int) string { return fmt.Sprintf("5ab5c819-0000-4000-8000-%012x", i) }
	for i, s := range subscriptions {
		doc := fmt.Sprintf(`{"id":%q,"effectiveStartDate":"%sT00:00:00Z","commitmentEndDate":"%sT00:00:00Z",%s,"later":1.50}`, id(i), s.start, s.was, s.members)
		exec(`INSERT INTO subscriptions VALUES (?, ?, ?, 'o', '', '', '', '', ?, 1, 0, 0, ?, '{}')`, partnerA, orderless, id(i), s.kind, doc)
	}
	exec(`INSERT INTO subscriptions VALUES (?, ?, ?, 'o', '', '', '', '', '', 1, 0, 1, NULL, NULL)`, partnerA, orderless, id(99)) // follows from its order

	orders := []struct{ name, cycle, lines, facts, was, total string }{
		{"a year in months", "monthly", `{"termDuration":"P1Y","pricing":{"extendedPrice":12.10}},{"termDuration":"P1M","pricing":{"extendedPrice":0.3}},{"quantity":0}`, `{}`, "12.40", "145.50"},
		{"three years, yearly", "annual", `{"termDuration":"P3Y","pricing":{"extendedPrice":48.0005}}`, `{}`, "48.0005", "144.0015"},
		{"much", "monthly", `{"termDuration":"P3Y","pricing":{"extendedPrice":12303999987697}}`, `{}`, "12303999987697.00", "442943999557092.00"},
		{"a month", "monthly", `{"termDuration":"P1M","pricing":{"extendedPrice":12.10}}`, `{}`, "12.10", "12.10"},
		{"once", "one_time", `{"termDuration":"P3Y","pricing":{"extendedPrice":12.10}}`, `{}`, "12.10", "12.10"},
		{"a legacy offer", "annual", `{"pricing":{"extendedPrice":12.10}}`, `{}`, "12.10", "12.10"},
		{"loaded", "monthly", `{"termDuration":"P1Y","pricing":{"extendedPrice":12.10}}`, "", "99.00", "99.00"},
	}
	for i, o := range orders {
		doc := fmt.Sprintf(`{"id":"o%d","lineItems":[%s],"totalPrice":%s}`, i, o.lines, o.was)
		exec(`INSERT INTO orders (partner_id, customer_id, created, order_id, billing_cycle, system, partners_on_record, doc, priced_doc, facts) VALUES (?, ?, 1, ?, ?, 0, '', '{}', ?, nullif(?, ''))`,
			partnerA, orderless, fmt.Sprint("o", i), o.cycle, doc, o.facts)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s := openTest(t, path)
	for i, want := range subscriptions {
		t.Run(want.name, func(t *testing.T) {
			var doc string
			if err := s.read.QueryRowContext(t.Context(), `SELECT doc FROM subscriptions WHERE subscription_id = $1`, id(i)).Scan(&doc); err != nil {
				t.Fatal(err)
			}
			var d partnercenter.Subscription
			if err := partnercenter.Unmarshal([]byte(doc), &d); err != nil {
				t.Fatal(err)
			}
			same(t, d.CommitmentEndDate.String(), want.end+"T00:00:00Z")
			same(t, string(d.Extra), `{"later":1.50}`)
			got := [3]string{d.CommitmentEndDateTime.String(), d.BillingCycleEndDate.String(), d.BillingCycleEndDateTime.String()}
			if want.cycle == none {
				same(t, got, [3]string{})
			} else {
				same(t, got, [3]string{want.end + "T23:59:59Z", want.cycle + "T00:00:00Z", want.cycle + "T23:59:59Z"})
			}
		})
	}
	for i, want := range orders {
		t.Run("order of "+want.name, func(t *testing.T) {
			o, err := s.GetOrder(t.Context(), partnerA, orderless, fmt.Sprint("o", i), true)
			if err != nil {
				t.Fatal(err)
			}
			same(t, string(o.JSON), fmt.Sprintf(`{"id":"o%d","lineItems":[%s],"totalPrice":%s}`, i, want.lines, want.total))
		})
	}
}

package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

var confirmedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRefunds(t *testing.T) {
	refund := func(kind partnercenter.RefundType, after string) []partnercenter.CancellationPolicy {
		return []partnercenter.CancellationPolicy{{RefundOptions: []partnercenter.CancellationRefundOption{{Type: kind, ExpiresAfter: after}}}}
	}
	a := &partnercenter.Availability{Terms: []partnercenter.AvailabilityTerm{
		{Duration: "P1Y", BillingCycle: "Monthly", CancellationPolicies: refund(partnercenter.RefundTypeFull, "P7D")},
		{Duration: "P1Y", BillingCycle: "Annual", CancellationPolicies: refund(partnercenter.RefundTypePartial, "")},
		{Duration: "P1M", BillingCycle: "Monthly", CancellationPolicies: refund(partnercenter.RefundTypeFull, "PT1H")},
		{Duration: "P3Y", BillingCycle: "Annual"},
	}}
	const week = "until 8 March 2026 12:00 UTC, 7 days after buying, with a full refund"
	for _, tt := range []struct {
		term  *string
		cycle partnercenter.BillingCycleType
		want  string
	}{
		{new("P1Y"), partnercenter.BillingCycleTypeMonthly, week},
		{new("P1Y"), "", week + "; partial refund, at any time"},
		{new("P1M"), "", "full refund, for PT1H after buying"},
		{new("P3Y"), "", "not possible: nothing is refunded"},
	} {
		line := &partnercenter.OrderLineItem{TermDuration: tt.term}
		if got := (item{availability: a}).refunds(line, tt.cycle, confirmedAt, confirmedAt); got != tt.want {
			t.Errorf("%s %s: %q, want %q", *tt.term, tt.cycle, got, tt.want)
		}
	}
	line := &partnercenter.OrderLineItem{TermDuration: new("P1Y")}
	if got, want := (item{availability: a}).refunds(line, "monthly", confirmedAt, confirmedAt.AddDate(0, 0, 8)), "no longer: it was "+week; got != want {
		t.Errorf("after it: %q, want %q", got, want)
	}
}

// TestTerms looks for terms that an item is not sold for, and for the only one.
func TestTerms(t *testing.T) {
	several := []partnercenter.AvailabilityTerm{{Duration: "P1Y", BillingCycle: "Monthly"}, {Duration: "P1Y", BillingCycle: "Annual"}, {Duration: "P1M", BillingCycle: "Monthly"}}
	perpetual := []partnercenter.AvailabilityTerm{{BillingCycle: "OneTime"}}
	for _, tt := range []struct {
		terms   []partnercenter.AvailabilityTerm
		term    *string
		cycle   partnercenter.BillingCycleType
		only    string
		refused string
	}{
		{terms: several},
		{terms: several, cycle: partnercenter.BillingCycleTypeAnnual, only: "P1Y"},
		{terms: several, term: new("p1y")},
		{terms: several, term: new("P3Y"), refused: "a:b:c is not sold with term P3Y: use one of P1Y billed monthly, P1Y billed annual, P1M billed monthly"},
		{terms: several, term: new("P1M"), cycle: partnercenter.BillingCycleTypeAnnual,
			refused: "a:b:c is not sold with term P1M and billing cycle annual: use one of P1Y billed monthly, P1Y billed annual, P1M billed monthly"},
		{terms: perpetual},
		{terms: perpetual, term: new("")},
		{terms: perpetual, term: new("P1Y"), refused: "a:b:c is not sold with term P1Y: use one of no term billed one_time"},
		{term: new("P1Y")},
	} {
		i, line := item{availability: &partnercenter.Availability{Terms: tt.terms}}, &partnercenter.OrderLineItem{OfferID: "a:b:c", TermDuration: tt.term}
		refused := ""
		if err := i.checkTerm(line, tt.cycle); err != nil {
			refused = err.Error()
		} else if only := i.onlyTerm(line, tt.cycle); only != tt.only {
			t.Errorf("%s %s: only %q, want %q", terminal.OrZero(tt.term), tt.cycle, only, tt.only)
		}
		if refused != tt.refused {
			t.Errorf("%s %s: %q, want %q", terminal.OrZero(tt.term), tt.cycle, refused, tt.refused)
		}
	}
}

// TestFuture describes what can be done with subscriptions until when.
func TestFuture(t *testing.T) {
	subscription := func(json string) *partnercenter.Subscription {
		s := new(partnercenter.Subscription)
		if err := partnercenter.Unmarshal([]byte(json), s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range []struct {
		name, json string
		want       terminal.Facts
	}{
		{"new, and renewed", `{"status":"active","autoRenewEnabled":true,"commitmentEndDate":"2027-02-28T00:00:00Z","commitmentEndDateTime":"2027-02-28T23:59:59Z",
			"renewalTermDuration":"P1M","billingCycleEndDateTime":"2026-03-31T23:59:59Z","cancellationAllowedUntilDate":"2026-03-08T11:00:00Z",
			"refundableQuantity":{"totalQuantity":5,"details":[{"quantity":3,"allowedUntilDateTime":"2026-03-08T11:00:00Z"},{"quantity":2,"allowedUntilDateTime":"2026-02-08T11:00:00Z"}]},
			"actions":["edit","cancel"]}`, terminal.Facts{
			{Name: "renews", Value: "28 February 2027 23:59 UTC (1 year from now), for 1 month"},
			{Name: "next charge", Value: "after 31 March 2026 23:59 UTC (1 month from now)"},
			{Name: "cancel until", Value: "8 March 2026 11:00 UTC (6 days from now)"},
			{Name: "reduce by", Value: "3 until 8 March 2026 11:00 UTC (6 days from now)"},
			{Name: "can be", Value: "edit, cancel"},
		}},
		{"in its last cycle", `{"status":"active","autoRenewEnabled":false,"commitmentEndDateTime":"2026-03-31T23:59:59Z","billingCycleEndDateTime":"2026-03-31T23:59:59Z",
			"cancellationAllowedUntilDate":"2026-02-22T12:00:00Z"}`, terminal.Facts{
			{Name: "ends", Value: "31 March 2026 23:59 UTC (1 month from now)"},
			{Name: "cancel until", Value: "no longer: it was 22 February 2026 12:00 UTC (1 week ago)"},
		}},
		{"with seats that were added", `{"status":"active","quantity":8,"cancellationAllowedUntilDate":"2026-03-08T11:00:00Z",
			"refundableQuantity":{"totalQuantity":3,"details":[{"quantity":3,"allowedUntilDateTime":"2026-03-08T11:00:00Z"}]}}`, terminal.Facts{
			{Name: "cancel until", Value: "no longer: it can be reduced only"},
			{Name: "reduce by", Value: "3 until 8 March 2026 11:00 UTC (6 days from now)"},
		}},
		{"all of whose seats are new", `{"status":"active","quantity":8,"cancellationAllowedUntilDate":"2026-03-08T11:00:00Z",
			"refundableQuantity":{"totalQuantity":8,"details":[{"quantity":5,"allowedUntilDateTime":"2026-03-05T11:00:00Z"},{"quantity":3,"allowedUntilDateTime":"2026-03-08T11:00:00Z"}]}}`, terminal.Facts{
			{Name: "cancel until", Value: "5 March 2026 11:00 UTC (3 days from now)"},
			{Name: "reduce by", Value: "5 until 5 March 2026 11:00 UTC (3 days from now), 3 until 8 March 2026 11:00 UTC (6 days from now)"},
		}},
		{"of a legacy offer", `{"status":"suspended","autoRenewEnabled":true,"commitmentEndDate":"2026-03-31T00:00:00Z","refundOptions":[{"type":"Full","expiresAt":"2026-03-02T12:00:00Z"}]}`, terminal.Facts{
			{Name: "renews", Value: "31 March 2026 00:00 UTC (4 weeks from now)"},
			{Name: "refund", Value: "full until 2 March 2026 12:00 UTC (1 day from now)"},
		}},
		{"without dates", `{"status":"active"}`, nil},
	} {
		var got terminal.Facts
		describeFuture(&got, subscription(tt.json), confirmedAt)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

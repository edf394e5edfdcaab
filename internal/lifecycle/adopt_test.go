package lifecycle

import (
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// TestAdopt rebuilds a subscription from its line and a loaded document.
func TestAdopt(t *testing.T) {
	a := account(t)
	until := noon.AddDate(0, 0, 3)
	document := &partnercenter.Subscription{
		ID: "A", Quantity: new(7), FriendlyName: "Named", AutoRenewEnabled: new(true), EffectiveStartDate: firstInstant(noon.AddDate(0, -2, 0)),
		BillingCycleEndDate: firstInstant(noon.AddDate(0, 0, 20)), CommitmentEndDate: firstInstant(noon.AddDate(0, 10, -1)),
		RefundableQuantity:            &partnercenter.RefundableQuantity{Details: []partnercenter.RefundableDetail{{Quantity: new(2), AllowedUntil: dateOf(until, false)}}},
		NextChargeInstructions:        &partnercenter.SubscriptionInstructions{Quantity: new(9)},
		ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{ProductID: "another"}},
		Extra:                         []byte(`{"later":{"new":1.50},"transitions":[{"operationId":"o"}],"supportContact":{"supportMpnId":"5"},"overageEnabled":false,"a":2}`),
	}
	o := Restore(a, partnercenter.Order{BillingCycle: partnercenter.BillingCycleTypeMonthly, CreationDate: dateOf(noon.AddDate(-1, 0, 0), false), LineItems: []partnercenter.OrderLineItem{
		{OfferID: service, SubscriptionID: "a", Quantity: new(3), TermDuration: new("P1Y")},
	}}, nil, nil, []*partnercenter.Subscription{document})
	s := o.Subscriptions[0]
	d, f := &s.Document, &s.Facts
	if *d.Quantity != 7 || d.FriendlyName != "Named" || d.TermDuration != "P1Y" || d.Status != partnercenter.SubscriptionStatusActive || d.RefundableQuantity != nil {
		t.Errorf("%+v", d)
	}
	if got, want := string(d.Extra), `{"a":2,"later":{"new":1.50}}`; got != want {
		t.Errorf("other members: %s, want %s", got, want)
	}
	if len(f.Transitions) != 1 || f.Support.MPNID != "5" || *f.Overage || !f.Ends {
		t.Errorf("%+v", f)
	}
	if len(f.Seats) != 2 || f.Seats[0].Quantity != 5 || f.Seats[1].Quantity != 2 || !f.Seats[1].Added.Equal(until.Add(-Realistic().CancelWithin)) {
		t.Errorf("seats: %+v", f.Seats)
	}
	if i := d.NextChargeInstructions; *i.Quantity != 9 || i.Product.TermDuration != "P1Y" || !f.NextCharge.Equal(noon.AddDate(0, 0, 21).Truncate(24*time.Hour)) {
		t.Errorf("the next charge: %+v at %v", i, f.NextCharge)
	}
	if d.ScheduledNextTermInstructions != nil {
		t.Errorf("another product: %+v", d.ScheduledNextTermInstructions)
	}
	if document.Extra == nil || document.RefundableQuantity == nil {
		t.Error("what was loaded has changed")
	}
	if later := s.At(Realistic(), noon.AddDate(0, 1, 0)); *later.Quantity != 9 {
		t.Errorf("after the charge: %+v", later)
	}
}

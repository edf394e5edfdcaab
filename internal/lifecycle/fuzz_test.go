package lifecycle

import (
	"errors"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// odd are orders that are hard to change: loaded ones that lack almost everything, and
// those with changes in progress.
func odd(t testing.TB, a *Account) []*Order {
	t.Helper()
	realistic := Realistic()
	withAddOn := line(licenceAddOn, 1)
	licences := place(t, a, realistic, line(licence, 3), line(licence, 4))
	withAddOn.ParentSubscriptionID = licences.Document.LineItems[0].SubscriptionID
	licences, _, err := PatchOrder(a, licences, Patch{Request: request(withAddOn), Entropy: Entropy{2}}, realistic, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range licences.Subscriptions {
		a.Subscriptions[Key(s.Document.ID)] = s
	}
	return []*Order{
		licences,
		place(t, a, realistic, line(service, 3)),
		place(t, a, Settings{}, line(software, 3), line(perpetual, 1)),
		place(t, a, realistic, line(withFile, 3), line(software, 1)),
		place(t, a, Settings{}, line(marketplace, 3)),
		Restore(a, partnercenter.Order{}, nil, nil, nil),
		Restore(a, partnercenter.Order{ID: "x", Status: "cancelled", LineItems: []partnercenter.OrderLineItem{{}, {OfferID: licence, SubscriptionID: "a"}, {OfferID: service, SubscriptionID: "a"}, {OfferID: software}}}, nil, nil, nil),
		Restore(a, partnercenter.Order{LineItems: []partnercenter.OrderLineItem{{OfferID: "x:y:z", SubscriptionID: "b", Quantity: new(0)}, {OfferID: marketplace, SubscriptionID: "c"}}}, &OrderFacts{}, nil, nil),
		Restore(a, partnercenter.Order{LineItems: []partnercenter.OrderLineItem{
			{OfferID: service, SubscriptionID: "a", Quantity: new(3)}, {OfferID: licence, SubscriptionID: "b"}, {OfferID: service, SubscriptionID: "c"},
		}}, nil, nil, []*partnercenter.Subscription{
			{ID: "A", Quantity: new(2), NextChargeInstructions: &partnercenter.SubscriptionInstructions{Quantity: new(1)}, ScheduledNextTermInstructions: &partnercenter.SubscriptionInstructions{}},
			{ID: "b", ScheduledActions: partnercenter.ScheduledActions{{}}, Extra: []byte(`{"transitions":[{}],"supportContact":{},"later":1}`)},
			{ID: "c", Status: "teleported", Quantity: new(0), ScheduledActions: partnercenter.ScheduledActions{{ScheduleType: "TermEnd", ActionType: "RenewToNewTerm", Instructions: &partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{}}}}},
		}),
	}
}

// sound fails unless an order made by the rules is complete.
func sound(t *testing.T, o *Order, now time.Time) {
	t.Helper()
	if len(o.Facts.Lines) != len(o.Document.LineItems) {
		t.Fatalf("%d facts of %d lines", len(o.Facts.Lines), len(o.Document.LineItems))
	}
	for _, at := range []time.Time{{}, now, now.AddDate(1, 0, 0)} {
		if _, err := partnercenter.Marshal(o.At(at)); err != nil {
			t.Fatal(err)
		}
		_, _ = o.ProvisioningStatus(at)
		o.ActivationLinks("/", at)
		for _, s := range o.Subscriptions {
			s.At(Realistic(), at)
			s.ProvisioningStatus(noon)
			s.RegistrationStatus(at)
		}
	}
}

// refusedOrSound fails unless a decision is one or the other.
func refusedOrSound(t *testing.T, o *Order, err error, now time.Time) {
	t.Helper()
	var r *Refusal
	switch {
	case err == nil:
		sound(t, o, now)
	case !errors.As(err, &r) || r.Status < 400 || r.Code == "" || r.Problem == "" || r.Next == "":
		t.Fatalf("%#v", err)
	}
}

// FuzzOrders places and changes orders with any body that is an order.
func FuzzOrders(f *testing.F) {
	a := account(f)
	orders := odd(f, a)
	for _, o := range orders {
		data, err := partnercenter.Marshal(&o.Document)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "", uint8(0))
	}
	for _, body := range []string{
		`{}`, `{"lineItems":[{}]}`, `{"lineItems":[{"quantity":null,"offerId":"` + licence + `"}]}`, `{"status":"cancelled","lineItems":[{"lineItemNumber":-1}]}`,
		`{"lineItems":[{"offerId":"` + licence + `","quantity":2,"lineItemNumber":0}],"billingCycle":"annual"}`, `{"billingCycle":"Annual","attributes":null,"links":{}}`,
		`{"lineItems":[{"offerId":"` + reservation + `","quantity":2,"provisioningContext":{"scope":"single","SubscriptionId":"a","":"x"}}]}`,
		`{"lineItems":[{"offerId":"` + serviceAddOn + `","quantity":2,"parentSubscriptionId":"a"}]}`, `{"lineItems":[{"offerId":"a:b"},{"offerId":":::"}]}`,
	} {
		f.Add([]byte(body), "x", uint8(7))
	}
	f.Fuzz(func(t *testing.T, body []byte, ifMatch string, days uint8) {
		var sent partnercenter.Order
		if partnercenter.Unmarshal(body, &sent) != nil {
			return
		}
		now := noon.AddDate(0, 0, int(days))
		for _, settings := range []Settings{{}, Instant(), Realistic()} {
			o, _, err := PlaceOrder(a, Placement{Request: &sent, HasUser: days%2 == 0}, settings, now)
			refusedOrSound(t, o, err, now)
			for _, before := range orders {
				o, _, err := PatchOrder(a, before, Patch{Request: &sent, IfMatch: ifMatch}, settings, now)
				refusedOrSound(t, o, err, now)
			}
		}
	})
}

// FuzzSubscriptions changes subscriptions with any body that is one.
func FuzzSubscriptions(f *testing.F) {
	a := account(f)
	orders := odd(f, a)
	for _, o := range orders {
		for _, s := range o.Subscriptions {
			data, err := partnercenter.Marshal(&s.Document)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "", uint8(0))
		}
	}
	for _, body := range []string{`{}`, `{"quantity":1}`, `{"quantity":-9223372036854775808}`, `{"status":"Deleted"}`, `{"status":"suspended","quantity":9}`, `{"autoRenewEnabled":true}`} {
		f.Add([]byte(body), "*", uint8(8))
	}
	f.Fuzz(func(t *testing.T, body []byte, ifMatch string, days uint8) {
		var sent partnercenter.Subscription
		if partnercenter.Unmarshal(body, &sent) != nil {
			return
		}
		now := noon.AddDate(0, 0, int(days))
		for _, settings := range []Settings{{}, Instant(), Realistic()} {
			for _, before := range orders {
				for _, s := range before.Subscriptions {
					o, _, err := UpdateSubscription(a, before, s.Document.ID, Update{Request: &sent, IfMatch: ifMatch}, settings, now)
					refusedOrSound(t, o, err, now)
				}
			}
		}
	})
}

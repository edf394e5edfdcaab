package lifecycle

import (
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

const (
	trialLicence = "D92B7A35-0C64-4B18-8E21-F3A6507CD914"
	paidLicence  = "6C0E8B57-3D41-4F7A-A5D9-28B3C94F1E60"
	serviceE3    = "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN"
	serviceE5    = "CFQ7TTC0LFLZ:0002:CFQ7TTC0K7TR"
)

// loaded is an order as a seed has it.
func loaded(a *Account, cycle partnercenter.BillingCycleType, lines ...partnercenter.OrderLineItem) *Order {
	for i := range lines {
		lines[i].LineItemNumber = new(i)
		lines[i].SubscriptionID = []string{"1b0a2c3d-0000-4000-8000-000000000001", "1b0a2c3d-0000-4000-8000-000000000002"}[i]
	}
	return Restore(a, partnercenter.Order{ID: "5a4b3c2d-0000-4000-8000-000000000001", BillingCycle: cycle, LineItems: lines, CreationDate: dateOf(noon.AddDate(0, 0, -1), true)}, nil, nil, nil)
}

// TestConvertBesideAnother converts a trial in an order with another one: the order
// keeps its billing cycle until the last is converted.
func TestConvertBesideAnother(t *testing.T) {
	a := account(t)
	o := loaded(a, partnercenter.BillingCycleTypeNone, line(trialLicence, 5), line(trialLicence, 7))
	for i, want := range []partnercenter.BillingCycleType{partnercenter.BillingCycleTypeNone, partnercenter.BillingCycleTypeNone} {
		id := o.Document.LineItems[i].SubscriptionID
		next, result, events, err := ConvertTrial(a, o, id, &partnercenter.Conversion{TargetOfferID: paidLicence}, Settings{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		s := next.Subscription(id)
		if len(events) != 1 || result.SubscriptionID != id || s.Document.BillingCycle != partnercenter.BillingCycleTypeMonthly || s.Document.CommitmentEndDate.String() != "2027-02-28T00:00:00Z" {
			t.Errorf("%+v", s.Document)
		}
		if next.Document.BillingCycle != want {
			t.Errorf("the order is billed %s, want %s", next.Document.BillingCycle, want)
		}
		if o.Subscription(id).Document.OfferID != trialLicence {
			t.Error("the input changed")
		}
		o = next
	}
}

// TestMovedSeats shows that seats are neither lost nor made, whatever the transition.
func TestMovedSeats(t *testing.T) {
	for _, n := range []int{1, 4, 10} {
		a := account(t)
		from := place(t, a, Settings{}, line(serviceE3, 10))
		id := from.Subscriptions[0].Document.ID
		moved, transition, _, err := TransitionSubscription(a, from, id, TransitionCommand{
			Request: &partnercenter.Transition{ToCatalogItemID: serviceE5, Quantity: &n, TransitionType: "Transition_Only"}, Entropy: Entropy{9},
		}, Settings{ProvisioningTime: time.Hour}, noon)
		if err != nil {
			t.Fatal(err)
		}
		left := *moved.From.Subscription(id).Document.Quantity
		if moved.From.Subscription(id).Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted {
			left = 0
		}
		if there := *moved.To.Subscriptions[0].Document.Quantity; left+there != 10 || there != n || !moved.New {
			t.Errorf("%d of 10 seats: %d left, %d there", n, left, there)
		}
		sum := 0
		for _, seats := range moved.From.Subscription(id).Facts.Seats {
			sum += seats.Quantity
		}
		if left > 0 && sum != left {
			t.Errorf("%d seats of which %d have a purchase", left, sum)
		}
		if *from.Subscriptions[0].Document.Quantity != 10 || len(from.Subscriptions[0].Facts.Transitions) != 0 {
			t.Error("the input changed")
		}
		history := moved.From.Subscription(id).TransitionsAt("", noon)
		later := moved.From.Subscription(id).TransitionsAt(transition.OperationID, noon.Add(time.Hour))
		if len(history) != 1 || len(history[0].Events) != 1 || len(later[0].Events) != 2 {
			t.Errorf("%+v, then %+v", history, later)
		}
	}
}

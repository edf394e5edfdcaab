package partnercenter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestChangeOfASubscription changes a subscription in new commerce that has all that a
// change turns off by leaving it out.
func TestChangeOfASubscription(t *testing.T) {
	ctx := t.Context()
	customer := partnercentertest.NewServer(t).Client().Customers.ByID(partnercentertest.CustomerID)
	order, err := customer.Orders.Create(ctx, &partnercenter.Order{
		BillingCycle: partnercenter.BillingCycleTypeMonthly,
		LineItems:    []partnercenter.OrderLineItem{{OfferID: "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", Quantity: new(5), TermDuration: new("P1Y")}},
	})
	if err == nil {
		order, err = customer.Orders.ByID(order.ID).Get(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	client := customer.Subscriptions.ByID(order.LineItems[0].SubscriptionID)
	change := func(set func(s *partnercenter.Subscription)) *partnercenter.Subscription {
		t.Helper()
		s, err := client.Change(ctx, func(s *partnercenter.Subscription) error {
			set(s)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	scheduled := change(func(s *partnercenter.Subscription) {
		s.ScheduledNextTermInstructions = &partnercenter.SubscriptionInstructions{Quantity: new(8)}
		s.NextChargeInstructions = &partnercenter.SubscriptionInstructions{Quantity: new(7)}
	})
	for name, set := range map[string]func(s *partnercenter.Subscription){
		"a name":                         func(s *partnercenter.Subscription) { s.FriendlyName = "Kept" },
		"a name, without autoRenew":      func(s *partnercenter.Subscription) { s.FriendlyName, s.AutoRenewEnabled = "Kept again", nil },
		"nothing":                        func(*partnercenter.Subscription) {},
		"nothing, by removing autoRenew": func(s *partnercenter.Subscription) { s.AutoRenewEnabled = nil },
	} {
		got := change(set)
		if diff := cmp.Diff(scheduled.ScheduledNextTermInstructions, got.ScheduledNextTermInstructions); diff != "" || !*got.AutoRenewEnabled || got.NextChargeInstructions == nil {
			t.Errorf("%s: renews %v, with the next charge %v, next term %s", name, *got.AutoRenewEnabled, got.NextChargeInstructions, diff)
		}
	}
	if got := change(func(s *partnercenter.Subscription) { s.NextChargeInstructions = nil }); got.NextChargeInstructions != nil || got.ScheduledNextTermInstructions == nil {
		t.Errorf("the instructions for the next charge were removed: %+v", got)
	}
	got := change(func(s *partnercenter.Subscription) {
		s.SetAutoRenew(false)
		s.ScheduledActions = partnercenter.ScheduledActions{{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: partnercenter.ScheduledActionTypeCancel}}
	})
	if *got.AutoRenewEnabled || got.ScheduledNextTermInstructions != nil || len(got.ScheduledActions) != 1 {
		t.Errorf("it is to be cancelled: %+v", got)
	}
	if got := change(func(s *partnercenter.Subscription) { s.SetAutoRenew(true) }); !*got.AutoRenewEnabled || len(got.ScheduledActions) != 0 {
		t.Errorf("it renews again: %+v", got)
	}
	// The same as a raw PATCH loses the renewal.
	if got, err := client.Patch(ctx, &partnercenter.Subscription{FriendlyName: "Alone"}); err != nil || *got.AutoRenewEnabled {
		t.Errorf("a raw PATCH: %+v, %v", got, err)
	}

	// Between reading and sending, somebody else changes it.
	var refused *partnercenter.Error
	_, err = client.Change(ctx, func(s *partnercenter.Subscription) error {
		change(func(s *partnercenter.Subscription) { s.FriendlyName = "Theirs" })
		s.FriendlyName = "Mine"
		return nil
	})
	if !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeEtagStale {
		t.Errorf("changed in between: %v", err)
	}
	_, err = client.Change(ctx, func(s *partnercenter.Subscription) error {
		s.FriendlyName = "Mine"
		return nil
	}, partnercenter.IfMatch(*scheduled.Attributes.Etag))
	if !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeEtagStale {
		t.Errorf("with an old etag: %v", err)
	}
	if now, err := client.Get(ctx); err != nil || now.FriendlyName != "Theirs" {
		t.Errorf("%+v, %v", now, err)
	}
	mistake := errors.New("not today")
	if _, err := client.Change(ctx, func(*partnercenter.Subscription) error { return mistake }); !errors.Is(err, mistake) {
		t.Error(err)
	}
	if _, err := client.Change(ctx, nil); err == nil || !strings.Contains(err.Error(), "pass a function") {
		t.Error(err)
	}
}

// TestChangeOnTheWire shows what is sent, where there is an etag and where there is none.
func TestChangeOnTheWire(t *testing.T) {
	for _, etag := range []string{"", `"e1"`} {
		read := `{"id":"s","quantity":3,"status":"active","autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":2},"scheduledActions":[{"actionType":"RenewToNewTerm"}],"later":{"new":1},"attributes":{"objectType":"Subscription"}}`
		if etag != "" {
			read = strings.Replace(read, `"attributes":{`, `"attributes":{"etag":"\"e1\"",`, 1)
		}
		rec := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, read)
		})
		ctx := partnercenter.WithRequestID(t.Context(), "0b1f3c5d-1111-4222-8333-444455556666")
		client := rec.client(t, nil).Customers.ByID(customerID).Subscriptions.ByID("s")
		if _, err := client.Change(ctx, func(s *partnercenter.Subscription) error {
			s.Quantity = new(4)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Change(ctx, func(*partnercenter.Subscription) error { return nil }); err != nil {
			t.Fatal(err)
		}
		calls := rec.seen()
		if len(calls) != 3 || calls[1].method != http.MethodPatch || calls[2].method != http.MethodGet {
			t.Fatalf("%+v", calls)
		}
		var want, sent any
		if err := errors.Join(json.Unmarshal([]byte(strings.Replace(read, `"quantity":3`, `"quantity":4`, 1)), &want), json.Unmarshal([]byte(calls[1].body), &sent)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, sent); diff != "" || calls[1].header.Get("If-Match") != etag {
			t.Errorf("with If-Match %q: %s", calls[1].header.Get("If-Match"), diff)
		}
		if calls[1].requestID != "0b1f3c5d-1111-4222-8333-444455556666" || calls[0].requestID == calls[1].requestID {
			t.Errorf("request ids %s and %s", calls[0].requestID, calls[1].requestID)
		}
	}
}

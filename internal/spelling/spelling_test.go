package spelling_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
)

func TestNormalize(t *testing.T) {
	const in = `{"id":"Annual","billingCycle":"Annual","lineItems":[{"transactionType":"add quantity","friendlyName":"New"},{"transactionType":"1"}],"status":"10","transactionType":"teleported","attributes":{"objectType":"ORDER"},"new":"Annual"}`
	const want = `{"id":"Annual","billingCycle":"annual","lineItems":[{"transactionType":"addQuantity","friendlyName":"New"},{"transactionType":"renew"}],"status":"error","transactionType":"teleported","attributes":{"objectType":"Order"},"new":"Annual"}`
	var orders partnercenter.Collection[*partnercenter.Order]
	if err := partnercenter.Unmarshal([]byte(`{"items":[null,`+in+`]}`), &orders); err != nil {
		t.Fatal(err)
	}
	spelling.Normalize(&orders)
	got, err := partnercenter.Marshal(orders.Items[1])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	actions := partnercenter.Subscription{Actions: []partnercenter.SubscriptionAction{"Edit", "1", "sing"}}
	spelling.Normalize(&actions)
	if diff := cmp.Diff([]partnercenter.SubscriptionAction{"edit", "cancel", "sing"}, actions.Actions); diff != "" {
		t.Error(diff)
	}
}

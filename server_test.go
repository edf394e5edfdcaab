package partnercenter_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const legacyOffer = "031C9E47-4802-4248-838E-778FB1D2CC05"

func orderOf(quantity int) *partnercenter.Order {
	return &partnercenter.Order{
		ReferenceCustomerID: partnercentertest.CustomerID,
		LineItems:           []partnercenter.OrderLineItem{{LineItemNumber: new(0), OfferID: legacyOffer, Quantity: &quantity}},
	}
}

// TestAnswersLostAfterTheCommit places orders at a real server that does its
// work and then loses every first answer: each call has one effect.
func TestAnswersLostAfterTheCommit(t *testing.T) {
	var writes atomic.Int64
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet || writes.Add(1)%2 == 0 {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			hangUp(w)
		})
	}})
	opts := &partnercenter.ClientOptions{Endpoint: srv.URL}
	opts.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: time.Second}
	pc, err := partnercenter.NewClient(srv.Credential(), opts)
	if err != nil {
		t.Fatal(err)
	}
	customer := pc.Customers.ByID(partnercentertest.CustomerID)
	before, err := customer.Orders.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for range 5 {
		order, err := customer.Orders.Create(t.Context(), orderOf(3))
		if err != nil {
			t.Fatal(err)
		}
		ids[order.ID] = true
		if listed, err := customer.Orders.ByID(order.ID).WaitVisible(t.Context(), nil); err != nil || listed.ID != order.ID {
			t.Errorf("%v, %v", listed, err)
		}
	}
	after, err := customer.Orders.Get(t.Context())
	if err != nil || len(ids) != 5 || len(after.Items)-len(before.Items) != 5 {
		t.Errorf("%d ids, %d orders more, want 5 of each: %v", len(ids), len(after.Items)-len(before.Items), err)
	}
}

// adminAgent is a user of the sample data who may make every call.
const adminAgent = "admin.agent@contosocsp.onmicrosoft.com"

// TestLifeOfASubscription goes from an order to a changed subscription, by the
// links of the answers.
func TestLifeOfASubscription(t *testing.T) {
	ctx := t.Context()
	customer := partnercentertest.NewServer(t).UserClient(adminAgent).Customers.ByID(partnercentertest.CustomerID)
	order, err := customer.Orders.Create(ctx, orderOf(3))
	if err != nil {
		t.Fatal(err)
	}
	line := order.LineItems[0]
	var subscription partnercenter.Subscription
	if err := customer.Follow(ctx, line.Links.Subscription, &subscription); err != nil || !strings.EqualFold(subscription.ID, line.SubscriptionID) {
		t.Fatalf("%+v, %v", subscription, err)
	}
	made, err := customer.Subscriptions.ByOrder(order.ID).Get(ctx)
	if err != nil || len(made.Items) != 1 || made.Items[0].ID != subscription.ID {
		t.Errorf("%+v, %v", made, err)
	}
	client := customer.Subscriptions.ByID(subscription.ID)
	stale := subscription
	subscription.Quantity = new(8)
	changed, err := client.Patch(ctx, &subscription)
	if err != nil || *changed.Quantity != 8 {
		t.Fatalf("%+v, %v", changed, err)
	}
	var refused *partnercenter.Error
	stale.Quantity = new(2)
	if _, err := client.Patch(ctx, &stale); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeEtagStale || partnercenter.Unsettled(err) {
		t.Errorf("a stale etag: %v", err)
	}
	if _, err := client.Patch(ctx, changed, partnercenter.IfMatch(*stale.Attributes.Etag)); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeEtagStale {
		t.Errorf("a stale If-Match: %v", err)
	}
	if _, err := client.AddOns.Get(ctx); err != nil {
		t.Error(err)
	}
	if _, err := client.ProvisioningStatus.Get(ctx); err != nil && !errors.As(err, &refused) {
		t.Error(err)
	}
	if order, err = customer.Orders.ByID(order.ID).Get(ctx); err != nil {
		t.Fatal(err)
	}
	order.BillingCycle = partnercenter.BillingCycleTypeAnnual
	if order, err = customer.Orders.ByID(order.ID).Patch(ctx, order); err != nil || order.BillingCycle.Normalize() != partnercenter.BillingCycleTypeAnnual {
		t.Errorf("%+v, %v", order, err)
	}
	if _, err := customer.Orders.ByID(order.ID).Cancel(ctx, 0); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeSuspendInstead {
		t.Errorf("cancelling an online service by its order: %v", err)
	}
	if profile, err := customer.Profiles.Company.Get(ctx); err != nil || profile.Domain == "" {
		t.Errorf("%+v, %v", profile, err)
	}
	if profile, err := customer.Profiles.Billing.Get(ctx); err != nil || profile.Culture == "" {
		t.Errorf("%+v, %v", profile, err)
	}
}

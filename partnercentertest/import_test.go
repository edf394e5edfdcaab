package partnercentertest_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	fabrikam  = "33333333-3333-4333-8333-333333333333"
	itemE3    = "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN"
	itemE5    = "CFQ7TTC0LFLZ:0002:CFQ7TTC0K7TR"
	itemPlan  = "DZH318Z0BPS6:0001:DZH318Z0BPQV"
	mineAgent = "agent@mine.onmicrosoft.com"
)

// ownSeed is a partner with a customer, of whom more can be said.
func ownSeed(more string) io.Reader {
	return strings.NewReader(`
format: partnercenter-seed/1
partners:
  - tenantId: 11111111-1111-1111-1111-111111111111
    name: Mine
    domain: mine.onmicrosoft.com
    mpnId: "1"
    country: US
    apps: [{clientId: 22222222-2222-2222-2222-222222222222, name: tests}]
    users: [{userPrincipalName: ` + mineAgent + `, name: Agent, roles: [admin_agent]}]
    indirectResellers: [{tenantId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94, name: First Up, mpnId: 5081207, location: US}]
    customers:
      - id: ` + fabrikam + `
        companyProfile: {companyName: Fabrikam, domain: fabrikam.onmicrosoft.com, address: {country: US}}
` + more)
}

// TestImport has a server answer what another one has answered: orders, subscriptions with
// all that is scheduled and was done, and a cart. Time then does the same to both.
func TestImport(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	from := partnercentertest.NewServer(t, partnercentertest.Options{Seed: ownSeed("")})
	to := partnercentertest.NewServer(t, partnercentertest.Options{Seed: ownSeed("")})
	setClocks := func() {
		for _, srv := range []*partnercentertest.Server{from, to} {
			srv.Clock().Freeze()
			srv.Clock().Set(now)
		}
	}
	setClocks()
	ctx := t.Context()
	pc := from.UserClient(mineAgent)
	customer := pc.Customers.ByID(fabrikam)
	buy := func(item string, n int) *partnercenter.SubscriptionClient {
		t.Helper()
		o := &partnercenter.Order{LineItems: []partnercenter.OrderLineItem{{OfferID: item, Quantity: &n}}}
		if strings.HasPrefix(item, "CFQ") {
			o.BillingCycle, o.LineItems[0].TermDuration = partnercenter.BillingCycleTypeMonthly, new("P1Y")
		}
		o, err := customer.Orders.Create(ctx, o)
		if err == nil {
			o, err = customer.Orders.ByID(o.ID).Get(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		return customer.Subscriptions.ByID(o.LineItems[0].SubscriptionID)
	}
	change := func(c *partnercenter.SubscriptionClient, set func(*partnercenter.Subscription)) *partnercenter.Subscription {
		t.Helper()
		s, err := c.Change(ctx, func(s *partnercenter.Subscription) error { set(s); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	scheduled, moved, ending, suspended, plan := buy(itemE3, 10), buy(itemE3, 6), buy(itemE5, 3), buy(itemE5, 4), buy(itemPlan, 1)
	now = now.AddDate(0, 0, 9)
	setClocks()
	change(scheduled, func(s *partnercenter.Subscription) { s.Quantity = new(14) })
	change(scheduled, func(s *partnercenter.Subscription) {
		s.FriendlyName = "Scheduled"
		s.ScheduledNextTermInstructions = &partnercenter.SubscriptionInstructions{Quantity: new(5)}
		s.NextChargeInstructions = &partnercenter.SubscriptionInstructions{Quantity: new(20)}
	})
	change(ending, func(s *partnercenter.Subscription) {
		s.SetAutoRenew(false)
		s.ScheduledActions = partnercenter.ScheduledActions{{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: partnercenter.ScheduledActionTypeCancel}}
	})
	change(suspended, func(s *partnercenter.Subscription) { s.Status = partnercenter.SubscriptionStatusSuspended })
	if _, err := moved.Transitions.Create(ctx, &partnercenter.Transition{ToCatalogItemID: itemE5, Quantity: new(2), TransitionType: partnercenter.TransitionTypeOnly}); err != nil {
		t.Fatal(err)
	}
	contact := &partnercenter.SupportContact{SupportTenantID: "43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94", SupportMPNID: "5081207", Name: "Helpers"}
	if _, err := scheduled.SupportContact.Put(ctx, contact); err != nil {
		t.Fatal(err)
	}
	azure, err := plan.Get(ctx)
	if err == nil {
		_, err = customer.Subscriptions.Overage().Put(ctx, &partnercenter.Overage{AzureEntitlementID: azure.EntitlementID, Type: partnercenter.OverageTypePhoneServices, OverageEnabled: new(true)})
	}
	if err != nil {
		t.Fatal(err)
	}
	cart, err := customer.Carts.Create(ctx, &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{{CatalogItemID: itemE3, Quantity: new(2), TermDuration: "P1Y", Participants: []partnercenter.CartParticipant{{Key: partnercenter.ParticipantTypeTransactionReseller, Value: "5081207"}}}}})
	if err != nil {
		t.Fatal(err)
	}

	base := "customers/" + fabrikam
	paths := []string{base + "/orders?include_price=true", base + "/subscriptions", base + "/subscriptions/overage", base + "/carts/" + cart.ID}
	list, err := customer.Subscriptions.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Items {
		one := base + "/subscriptions/" + s.ID
		paths = append(paths, one, one+"/transitions", one+"/supportcontact")
	}
	read := func(srv *partnercentertest.Server, path string) string {
		t.Helper()
		answer, err := srv.UserClient(mineAgent).Do(ctx, &partnercenter.RawRequest{Method: http.MethodGet, URI: path})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return string(answer.Body)
	}
	var answers []io.Reader
	for _, path := range paths {
		answers = append(answers, bytes.NewReader([]byte(read(from, path))))
	}
	if err := to.Import(answers...); err != nil {
		t.Fatal(err)
	}
	same := func(when string, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if diff := cmp.Diff(read(from, path), read(to, path)); diff != "" {
				t.Errorf("%s: %s (-there +here): %s", when, path, diff)
			}
		}
	}
	same("at once", paths...)
	now = now.AddDate(0, 0, 6)
	setClocks()
	same("a week later", paths[1:4]...)
	result, err := to.UserClient(mineAgent).Customers.ByID(fabrikam).Carts.ByID(cart.ID).CheckOut(ctx)
	if err != nil || len(result.Orders) != 1 || result.Orders[0].LineItems[0].PartnerIDOnRecord != "5081207" {
		t.Errorf("checkout: %+v, %v", result, err)
	}
	// The first has another subscription now, which the other one has not.
	for _, months := range []int{1, 12, 18} {
		now = time.Date(2026, 9, 20, 10, 0, 0, 0, time.UTC).AddDate(0, months, 0)
		setClocks()
		for _, s := range list.Items {
			same(now.Format(time.DateOnly), base+"/subscriptions/"+s.ID)
		}
	}

	// Nothing is half imported.
	if err := to.Import(strings.NewReader(`{"id":"7c000000-0000-4000-8000-00000000000c","attributes":{"objectType":"Cart"}}`)); err == nil {
		t.Error("a cart of nobody was imported")
	}
}

// TestSeedOfSubscriptions has seed files say what is scheduled for a subscription, and what
// is in a cart.
func TestSeedOfSubscriptions(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Now: func() time.Time { return now }, Seed: ownSeed(`
        orders:
          - id: c5d80f3a7b21
            billingCycle: monthly
            currencyCode: USD
            creationDate: 2026-03-10T09:30:00Z
            status: completed
            lineItems:
              - {offerId: "` + itemE3 + `", subscriptionId: e2b7a9c4-6f01-4d83-95be-1a4c70d8f362, termDuration: P1Y, quantity: 25}
        subscriptions:
          - id: e2b7a9c4-6f01-4d83-95be-1a4c70d8f362
            quantity: 30
            friendlyName: Grown
            autoRenewEnabled: true
            commitmentEndDate: 2027-03-09
            scheduledNextTermInstructions: {quantity: 12}
            supportContact: {supportTenantId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94, supportMpnId: 5081207, name: Helpers}
        carts:
          - id: 7c000000-0000-4000-8000-00000000000c
            lineItems:
              - {catalogItemId: "` + itemE5 + `", quantity: 2, billingCycle: annual, termDuration: P1Y}
`)})
	ctx := t.Context()
	customer := srv.UserClient(mineAgent).Customers.ByID(fabrikam)
	one := customer.Subscriptions.ByID("e2b7a9c4-6f01-4d83-95be-1a4c70d8f362")
	s, err := one.Get(ctx)
	if err != nil || *s.Quantity != 30 || s.FriendlyName != "Grown" || s.OrderID != "c5d80f3a7b21" || s.ScheduledNextTermInstructions.Product.TermDuration != "P1Y" || s.EffectiveStartDate.String() != "2026-03-10T00:00:00Z" {
		t.Errorf("%+v, %v", s, err)
	}
	if contact, err := one.SupportContact.Get(ctx); err != nil || contact.Name != "Helpers" {
		t.Errorf("%+v, %v", contact, err)
	}
	cart, err := customer.Carts.ByID("7c000000-0000-4000-8000-00000000000c").Get(ctx)
	if err != nil || cart.LineItems[0].Pricing == nil || cart.LineItems[0].OrderGroup == "" || !cart.ExpirationTimestamp.Time().Equal(now.AddDate(0, 0, 7)) {
		t.Errorf("%+v, %v", cart, err)
	}
	if result, err := customer.Carts.ByID(cart.ID).CheckOut(ctx); err != nil || len(result.Orders) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	// A change of it makes it one that is stored as it is.
	if _, err := one.Change(ctx, func(s *partnercenter.Subscription) error { s.FriendlyName = "Changed"; return nil }); err != nil {
		t.Error(err)
	}
	srv.Clock().Set(now.AddDate(0, 8, 0))
	if s, err = one.Get(ctx); err != nil || *s.Quantity != 12 || s.ScheduledNextTermInstructions != nil || s.FriendlyName != "Changed" {
		t.Errorf("in the next term: %+v, %v", s, err)
	}
	if err := srv.Reset(); err != nil {
		t.Fatal(err)
	}
	if s, err = one.Get(ctx); err != nil || s.FriendlyName != "Grown" || *s.Quantity != 30 {
		t.Errorf("after a reset: %+v, %v", s, err)
	}
}

// TestSampleCart checks out the cart of the sample, again after a reset.
func TestSampleCart(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	cart := srv.Client().Customers.ByID(partnercentertest.CustomerID).Carts.ByID(partnercentertest.CartID)
	for range 2 {
		read, err := cart.Get(t.Context())
		if err != nil || read.Status != partnercenter.CartStatusActive || read.LineItems[0].Error != nil || read.LineItems[0].Pricing == nil {
			t.Fatalf("%+v, %v", read, err)
		}
		if result, err := cart.CheckOut(t.Context()); err != nil || len(result.Orders) != 1 {
			t.Errorf("%+v, %v", result, err)
		}
		if err := srv.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	itemE5       = "CFQ7TTC0LFLZ:0002:CFQ7TTC0K7TR"
	itemBasic    = "CFQ7TTC0LH18:0001:CFQ7TTC0K59V"       // at most 300
	itemStandard = "CFQ7TTC0LDPB:0001:CFQ7TTC0K3WX"       // at most 300
	itemPremium  = "CFQ7TTC0LCHC:0002:CFQ7TTC0KD84"       // at most 300
	itemLots     = "CFQ7TTC0LQ3M:0001:CFQ7TTC0KF1L"       // at least 50
	itemOffice   = "CFQ7TTC0LF8S:0002:CFQ7TTC0KB3Q"       // becomes itemAttested
	offerPaid    = "6C0E8B57-3D41-4F7A-A5D9-28B3C94F1E60" // what offerTrial becomes
)

// buy places an order of one line, and returns its subscription.
func (a *api) buy(t *testing.T, item string, n int, more ...string) *partnercenter.Subscription {
	t.Helper()
	return a.subscription(t, documented, a.placed(t, documented, line(item, n, more...)).LineItems[0].SubscriptionID)
}

// later lets days pass on a frozen clock.
func (a *api) later(t *testing.T, days int) {
	t.Helper()
	a.Clock().Freeze()
	a.Clock().Advance(time.Duration(days) * 24 * time.Hour)
	a.token = a.mint(t)
}

// transitionTo is what the .NET client sends: the whole resource, with nulls.
func transitionTo(item string, n int, into string) string {
	to := "null"
	if into != "" {
		to = `"` + into + `"`
	}
	return fmt.Sprintf(`{"OperationId":null,"FromCatalogItemId":null,"FromSubscriptionId":null,"ToCatalogItemId":%q,"ToSubscriptionId":%s,"Quantity":%d,"TermDuration":null,"BillingCycle":null,"TransitionType":"transition_only","PromotionId":null,"Events":null,"Attributes":{"ObjectType":"Transition"}}`, item, to, n)
}

// nextTerm schedules an item for the next term.
func nextTerm(item string) string {
	p := strings.Split(item, ":")
	return fmt.Sprintf(`{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"productId":%q,"skuId":%q,"availabilityId":%q}}}`, p[0], p[1], p[2])
}

func (a *api) transition(t *testing.T, id, body string) *partnercenter.Transition {
	t.Helper()
	return decode[partnercenter.Transition](t, a.send(t, http.MethodPost, subscriptionAt(documented, id)+"/transitions", body, 200))
}

// TestTransition moves some seats to a new subscription, then the others, with which the
// source and its order end.
func TestTransition(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute})
	a.Clock().Freeze()
	o := a.place(t, documented, line(itemE3, 10, `"termDuration":"P1Y"`))
	a.Clock().Advance(5 * time.Minute)
	id := a.order(t, documented, o.ID).LineItems[0].SubscriptionID
	path := subscriptionAt(documented, id)

	list := decode[partnercenter.Collection[*partnercenter.TransitionEligibility]](t, a.send(t, http.MethodGet, path+"/transitionEligibilities", "", 200))
	if len(list.Items) != 1 || list.Items[0].CatalogItemID != itemE5 || *list.Items[0].Quantity != 10 || !*list.Items[0].Eligibilities[0].IsEligible || list.Items[0].Eligibilities[0].TransitionType != partnercenter.TransitionTypeOnly || *list.Items[0].Eligibilities[1].IsEligible {
		t.Errorf("%+v", list.Items)
	}
	some := a.transition(t, id, transitionTo(itemE5, 4, ""))
	if some.FromSubscriptionID != id || some.FromCatalogItemID != itemE3 || some.TermDuration != "P1Y" || some.BillingCycle != partnercenter.BillingCycleTypeMonthly || *some.Quantity != 4 || len(some.Events) != 1 || some.Events[0].Status != partnercenter.TransitionEventStatusStarted {
		t.Errorf("%+v", some)
	}
	if s := a.subscription(t, documented, id); *s.Quantity != 6 || s.Status != partnercenter.SubscriptionStatusActive {
		t.Errorf("the source: %+v", s)
	}
	history := path + "/transitions"
	a.check(t, request{path: history + "?operationId=" + some.OperationID, status: 200, must: []string{`"totalCount":1`, `"Started"`}, mustNot: []string{`"Completed"`}})
	a.check(t, request{path: subscriptionAt(documented, some.ToSubscriptionID), status: 404, code: partnercenter.ErrorCodeSubscriptionNotFound})
	a.Clock().Advance(5 * time.Minute)
	a.check(t, request{path: history, status: 200, must: []string{`"totalCount":1`, `"Started"`, `"Completed"`}})
	a.check(t, request{path: history + "?operationId=" + id, status: 200, must: []string{`"totalCount":0`}})
	target := a.subscription(t, documented, some.ToSubscriptionID)
	if *target.Quantity != 4 || target.OfferID != itemE5 || target.TermDuration != "P1Y" {
		t.Errorf("the target: %+v", target)
	}
	if placed := a.order(t, documented, target.OrderID); placed.LineItems[0].TransactionType != partnercenter.LineItemTransactionTypeConvert || placed.TransactionType != partnercenter.OrderTransactionTypeUserPurchase {
		t.Errorf("its order: %+v", placed)
	}

	// All that are left, twice with one id: the source ends once.
	orders := func() int {
		return decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented), "", 200)).TotalCount
	}
	before := orders()
	r := request{method: http.MethodPost, path: history, body: transitionTo(itemE5, 6, ""), status: 200, header: http.Header{"MS-RequestId": {"0c1f4d0e-53c5-4f0e-8a5a-0a4f0d3d9b11"}}}
	_, first := a.do(t, r)
	_, second := a.do(t, r)
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("the same request again: %s", diff)
	}
	if more := orders() - before; more != 1 {
		t.Errorf("%d orders were placed", more)
	}
	if s := a.subscription(t, documented, id); s.Status != partnercenter.SubscriptionStatusDeleted || *s.AutoRenewEnabled {
		t.Errorf("the source: %+v", s)
	}
	if o := a.order(t, documented, o.ID); o.Status != partnercenter.OrderStatusCancelled || *o.LineItems[0].Quantity != 0 {
		t.Errorf("its order: %+v", o)
	}
	a.check(t, request{path: history, status: 200, must: []string{`"totalCount":2`}})
}

// TestTransitionInto moves seats into a subscription that is there, of another order and
// of the same one.
func TestTransitionInto(t *testing.T) {
	for _, together := range []bool{false, true} {
		a := newAPI(t)
		a.later(t, 0)
		var from, into string
		if together {
			o := a.placed(t, documented, line(itemE3, 5, `"termDuration":"P1Y"`), line(itemE5, 7, `"termDuration":"P1Y"`))
			from, into = o.LineItems[0].SubscriptionID, o.LineItems[1].SubscriptionID
		} else {
			from, into = a.buy(t, itemE3, 5, `"termDuration":"P1Y"`).ID, a.buy(t, itemE5, 7, `"termDuration":"P1Y"`).ID
		}
		list := func() []partnercenter.TransitionSubscriptionEligibility {
			items := decode[partnercenter.Collection[*partnercenter.TransitionEligibility]](t, a.send(t, http.MethodGet, subscriptionAt(documented, from)+"/transitioneligibilities?eligibilityType=Immediate", "", 200)).Items
			return slices.DeleteFunc(items[0].SubscriptionEligibilities, func(e partnercenter.TransitionSubscriptionEligibility) bool { return e.SubscriptionID != into })
		}
		if e := list(); len(e) != 1 || *e[0].IsEligible || e[0].Errors[0].Code != "2" {
			t.Errorf("within its first week: %+v", e)
		}
		a.later(t, 8)
		if e := list(); len(e) != 1 || !*e[0].IsEligible || e[0].SubscriptionTermDuration != "P1Y" {
			t.Errorf("after its first week: %+v", e)
		}
		tr := a.transition(t, from, transitionTo(itemE5, 5, strings.ToUpper(into)))
		if tr.ToSubscriptionID != into || len(tr.Events) != 1 {
			t.Errorf("%+v", tr)
		}
		if s := a.subscription(t, documented, into); *s.Quantity != 12 {
			t.Errorf("%d seats", *s.Quantity)
		}
		s := a.subscription(t, documented, from)
		if s.Status != partnercenter.SubscriptionStatusDeleted {
			t.Errorf("the source is %s", s.Status)
		}
		// Nothing else charges for the seats.
		if o := a.order(t, documented, s.OrderID); o.Status != partnercenter.OrderStatusCompleted || *o.LineItems[0].Quantity != 5 {
			t.Errorf("its order: %+v", o)
		}
		if s = a.patchSubscription(t, documented, into, `{"quantity":7,"autoRenewEnabled":true}`); *s.Quantity != 7 {
			t.Errorf("what was added can be returned: %d", *s.Quantity)
		}
	}
}

// TestTransitionsAtOnce moves more seats at the same time than there are: to new
// subscriptions and into one that is there. None is lost or made.
func TestTransitionsAtOnce(t *testing.T) {
	a := newAPI(t)
	a.later(t, 0)
	into := a.buy(t, itemE5, 1, `"termDuration":"P3Y"`).ID
	a.later(t, 8)
	from := a.buy(t, itemE3, 10, `"termDuration":"P1Y"`).ID
	var wait sync.WaitGroup
	var moved atomic.Int64
	for i := range 16 {
		wait.Go(func() {
			to := ""
			if i%2 == 0 {
				to = into
			}
			resp, body := a.do(t, request{method: http.MethodPost, path: subscriptionAt(documented, from) + "/transitions", body: transitionTo(itemE5, 2, to), status: 400})
			switch code := decode[partnercenter.ErrorBody](t, body).Code; {
			case resp.StatusCode == http.StatusOK:
				moved.Add(2)
			case code != partnercenter.ErrorCodeQuantityOutOfRange && code != partnercenter.ErrorCodeSubscriptionDeleted:
				t.Errorf("%s: %s", resp.Status, body)
			}
		})
	}
	wait.Wait()
	seats := 0
	for _, s := range decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/subscriptions", "", 200)).Items {
		if s.OfferID == itemE5 {
			seats += *s.Quantity
		}
	}
	if s := a.subscription(t, documented, from); moved.Load() != 10 || seats != 11 || s.Status != partnercenter.SubscriptionStatusDeleted {
		t.Errorf("%d seats moved, %d are there, and the source is %s", moved.Load(), seats, s.Status)
	}
}

// TestTrialTransition makes a paid subscription of a trial in new commerce.
func TestTrialTransition(t *testing.T) {
	a := newAPI(t)
	trial := a.buy(t, itemTrial, 9)
	list := decode[partnercenter.Collection[*partnercenter.TransitionEligibility]](t, a.send(t, http.MethodGet, subscriptionAt(documented, trial.ID)+"/transitioneligibilities", "", 200))
	if len(list.Items) != 1 || list.Items[0].CatalogItemID != itemPremium || len(list.Items[0].SubscriptionEligibilities) != 0 {
		t.Errorf("%+v", list.Items)
	}
	tr := a.transition(t, trial.ID, `{"toCatalogItemId":"`+itemPremium+`","quantity":9,"transitionType":"transition_only","termDuration":"P1Y","billingCycle":"Annual"}`)
	paid := a.subscription(t, documented, tr.ToSubscriptionID)
	if *paid.IsTrial || !*paid.AutoRenewEnabled || paid.BillingCycle != partnercenter.BillingCycleTypeAnnual || *paid.Quantity != 9 {
		t.Errorf("%+v", paid)
	}
	scheduled := a.buy(t, itemE3, 5)
	a.check(t, request{path: subscriptionAt(documented, scheduled.ID) + "/transitioneligibilities?eligibilityType=scheduled", status: 200, must: []string{`"isEligible":true`, `"subscriptionEligibilities":[]`}})
	a.check(t, request{path: subscriptionAt(documented, scheduled.ID) + "/transitioneligibilities?eligibilityType=never", status: 400, code: partnercenter.ErrorCodeEnumUnparsable, must: []string{"immediate", "scheduled"}})
	for _, none := range []string{a.buy(t, offerE3, 1).ID, a.buy(t, itemMarketplace, 1).ID, a.buy(t, itemE5, 1).ID} {
		a.check(t, request{path: subscriptionAt(documented, none) + "/transitioneligibilities", status: 200, must: []string{`"totalCount":0,"items":[]`}})
	}
}

// TestAttestedTransition moves seats to what needs an attestation.
func TestAttestedTransition(t *testing.T) {
	a := newAPI(t)
	from := a.buy(t, itemOffice, 5)
	tr := a.transition(t, from.ID, `{"toCatalogItemId":"`+itemAttested+`","quantity":2,"transitionType":"transition_only","AttestationAccepted":true}`)
	o := a.order(t, documented, a.subscription(t, documented, tr.ToSubscriptionID).OrderID)
	if l := o.LineItems[0]; l.OfferID != itemAttested || l.AttestationAccepted == nil || !*l.AttestationAccepted {
		t.Errorf("%+v", l)
	}
}

// TestScheduledTransition has a subscription become another item by the clock, with its
// order and its history, and back.
func TestScheduledTransition(t *testing.T) {
	a := newAPI(t)
	a.later(t, 0)
	from := a.buy(t, itemE3, 5, `"termDuration":"P1M"`)
	path := subscriptionAt(documented, from.ID)
	body := `{"autoRenewEnabled":true,"scheduledActions":{"scheduleType":"TermEnd","actionType":"Transition","instructions":{"quantity":7,"product":{"productId":"CFQ7TTC0LFLZ","skuId":"0002","termDuration":"P1Y","billingCycle":"Annual"}}}}`
	scheduled := a.patchSubscription(t, documented, from.ID, body)
	if p := scheduled.ScheduledActions[0].Instructions.Product; scheduled.OfferID != itemE3 || p.AvailabilityID != "CFQ7TTC0K7TR" || p.BillingCycle != partnercenter.BillingCycleTypeAnnual {
		t.Errorf("%+v", p)
	}
	const system = "?include_system_purchases=true&include_price=true"
	count := func() int {
		return decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+system, "", 200)).TotalCount
	}
	before := count()
	a.later(t, 32)
	s := a.subscription(t, documented, from.ID)
	if s.OfferID != itemE5 || *s.Quantity != 7 || s.TermDuration != "P1Y" || s.ScheduledActions != nil {
		t.Errorf("%+v", s)
	}
	a.check(t, request{path: path + "/transitions", status: 200, must: []string{`"totalCount":1`, `"Completed"`, `"toSubscriptionId":"` + from.ID + `"`}})
	if list := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+system, "", 200)); list.TotalCount != before+1 || list.Items[0].LineItems[0].OfferID != itemE5 || list.Items[0].TotalPrice != "4788.00" {
		t.Errorf("%+v", list.Items[0])
	}
	a.Clock().Set(a.Clock().Now().AddDate(0, 0, -32))
	a.token = a.mint(t)
	a.check(t, request{path: path, status: 200, must: []string{`"offerId":"` + itemE3 + `"`, `"Transition"`}})
	a.check(t, request{path: path + "/transitions", status: 200, must: []string{`"totalCount":0`}})
	if n := count(); n != before {
		t.Errorf("%d orders, back from the future", n-before)
	}
}

// TestChargedOnce has seats that move, and terms that are cut short, charged for once, and
// nothing for what is given back.
func TestChargedOnce(t *testing.T) {
	a := newAPI(t)
	a.later(t, 0)
	charges := func(id string) (list []string) {
		t.Helper()
		all := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+"?include_system_purchases=true&include_price=true", "", 200))
		for _, o := range slices.Backward(all.Items) {
			if l := o.LineItems[0]; strings.EqualFold(l.SubscriptionID, id) {
				list = append(list, fmt.Sprintf("%s %d %s", o.Status, *l.Quantity, o.TotalPrice))
			}
		}
		return list
	}
	check := func(what, id string, want ...string) {
		t.Helper()
		if got := charges(id); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	// A seat of E3 costs 432.00 a year, one of E5 684.00.
	from := a.buy(t, itemE3, 10, `"termDuration":"P1Y"`).ID
	moved := decode[partnercenter.Transition](t, a.send(t, http.MethodPost, subscriptionAt(documented, from)+"/transitions", transitionTo(itemE5, 4, ""), 200)).ToSubscriptionID
	check("moved from", from, "completed 10 4320.00")
	check("moved to", moved, "completed 4 1008.00")
	a.patchOrder(t, documented, a.subscription(t, documented, moved).OrderID, `{"billingCycle":"annual"}`)
	check("moved to, and billed by the year", moved, "completed 4 1008.00")
	rest := decode[partnercenter.Transition](t, a.send(t, http.MethodPost, subscriptionAt(documented, from)+"/transitions", transitionTo(itemE5, 6, ""), 200)).ToSubscriptionID
	check("all moved from", from, "cancelled 0 1728.00")
	check("the rest moved to", rest, "completed 6 4104.00")

	short := a.buy(t, itemE3, 2, `"termDuration":"P1M"`).ID
	a.Clock().Advance(time.Minute) // lists are in the order of time
	a.patchSubscription(t, documented, short, `{"autoRenewEnabled":true,"termDuration":"P1Y"}`)
	check("a term at once", short, "completed 2 72.00", "completed 2 792.00")
	a.patchSubscription(t, documented, short, `{"status":"deleted"}`)
	check("a term at once, given back", short, "cancelled 0 0.00", "cancelled 0 0.00")
}

// TestUpgrade upgrades as the .NET client does: it sends back what it read.
func TestUpgrade(t *testing.T) {
	a := newAPI(t)
	from := a.buy(t, offerE1, 6)
	path := subscriptionAt(documented, from.ID) + "/upgrades"
	list := decode[partnercenter.Collection[*partnercenter.Upgrade]](t, a.send(t, http.MethodGet, path, "", 200))
	if len(list.Items) != 1 || list.Items[0].TargetOffer.ID != offerE3 || !*list.Items[0].IsEligible || list.Items[0].UpgradeType != partnercenter.UpgradeTypeOnly || *list.Items[0].Quantity != 6 {
		t.Fatalf("%+v", list.Items)
	}
	body, err := partnercenter.Marshal(list.Items[0])
	if err != nil {
		t.Fatal(err)
	}
	answer := a.send(t, http.MethodPost, path, string(body), 200)
	for _, must := range []string{`"upgradeType":1`, `"upgradeErrors":[]`, `"licenseErrors":[]`, `"sourceSubscriptionId":"` + from.ID + `"`} {
		if !strings.Contains(string(answer), must) {
			t.Errorf("%s is not in %s", must, answer)
		}
	}
	result := decode[partnercenter.UpgradeResult](t, answer)
	to := a.subscription(t, documented, result.TargetSubscriptionID)
	if to.OfferID != offerE3 || *to.Quantity != 6 || to.BillingCycle != from.BillingCycle || to.Status != partnercenter.SubscriptionStatusActive {
		t.Errorf("%+v", to)
	}
	if s := a.subscription(t, documented, from.ID); s.Status != partnercenter.SubscriptionStatusDeleted {
		t.Errorf("the source is %s", s.Status)
	}
	if o := a.order(t, documented, from.OrderID); o.Status != partnercenter.OrderStatusCancelled {
		t.Errorf("its order is %s", o.Status)
	}
	// Clients ask for every subscription.
	for _, none := range []string{a.buy(t, offerAzure, 1).ID, a.buy(t, itemE3, 1).ID, to.ID, from.ID} {
		a.check(t, request{path: subscriptionAt(documented, none) + "/upgrades", status: 200, must: []string{`"totalCount":0,"items":[]`}})
	}
	suspended := a.buy(t, offerE1, 2)
	a.patchSubscription(t, documented, suspended.ID, `{"status":"suspended"}`)
	a.check(t, request{path: subscriptionAt(documented, suspended.ID) + "/upgrades", status: 200, must: []string{`"isEligible":false`, `"upgradeErrors":[{"code":2,`}})
}

// TestConversion converts a trial as the .NET client does.
func TestConversion(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	o := a.placed(t, documented, line(offerTrial, 25))
	id := o.LineItems[0].SubscriptionID
	path := subscriptionAt(documented, id) + "/conversions"
	list := decode[partnercenter.Collection[*partnercenter.Conversion]](t, a.send(t, http.MethodGet, path, "", 200))
	if len(list.Items) != 1 || list.Items[0].TargetOfferID != offerPaid || list.Items[0].OrderID != o.ID || *list.Items[0].Quantity != 25 {
		t.Fatalf("%+v", list.Items)
	}
	body := fmt.Sprintf(`{"OfferId":%q,"TargetOfferId":%q,"OrderId":%q,"Quantity":7,"BillingCycle":"annual","Attributes":{"ObjectType":"Conversion"}}`, offerTrial, offerPaid, o.ID)
	a.check(t, request{method: http.MethodPost, path: path, body: body, status: 200, must: []string{`"subscriptionId":"` + id + `"`, `"targetOfferId":"` + offerPaid + `"`}, mustNot: []string{`"error"`}})
	s := a.subscription(t, documented, id)
	if *s.IsTrial || !*s.AutoRenewEnabled || *s.Quantity != 7 || s.OfferID != offerPaid || s.OrderID != o.ID || s.BillingCycle != partnercenter.BillingCycleTypeAnnual {
		t.Errorf("%+v", s)
	}
	after := decode[partnercenter.Order](t, a.send(t, http.MethodGet, orderAt(documented, o.ID)+"?include_price=true", "", 200))
	l := after.LineItems[0]
	if l.OfferID != offerPaid || *l.Quantity != 7 || l.SubscriptionID != id || l.TransactionType != partnercenter.LineItemTransactionTypeConvert || l.Pricing == nil || *after.Attributes.Etag == *o.Attributes.Etag {
		t.Errorf("%+v", l)
	}
	if after.BillingCycle != partnercenter.BillingCycleTypeAnnual {
		t.Errorf("the order is billed %s", after.BillingCycle)
	}
	a.check(t, request{path: path, status: 200, must: []string{`"totalCount":0,"items":[]`}})
	if s = a.patchSubscription(t, documented, id, `{"quantity":9}`); *s.Quantity != 9 {
		t.Errorf("%d seats", *s.Quantity)
	}
}

// movingRefusals are transitions, upgrades and conversions that are refused.
func movingRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const property, unoffered = partnercenter.ErrorCodeInvalidProperty, partnercenter.ErrorCodeOperationUnoffered
	a.later(t, 0)
	year, month := `"termDuration":"P1Y"`, `"termDuration":"P1M"`
	buy := func(item string, n int, more ...string) string { return a.buy(t, item, n, more...).ID }
	intoMonth, intoYear, intoThree, intoSuspended := buy(itemE5, 2, month), buy(itemE5, 2, year), buy(itemE5, 2, `"termDuration":"P3Y"`), buy(itemE5, 2, `"termDuration":"P3Y"`)
	a.patchSubscription(t, documented, intoSuspended, `{"status":"suspended"}`)
	standardMany, premiumMany := buy(itemStandard, 200, `"termDuration":"P1M"`), buy(itemPremium, 200, `"termDuration":"P1M"`)
	a.later(t, 8)
	from, monthly, legacy, suspended, deleted := buy(itemE3, 5, year), buy(itemE3, 5, month), buy(offerE1, 5), buy(itemE3, 5), buy(itemE3, 5)
	a.patchSubscription(t, documented, suspended, `{"status":"suspended"}`)
	a.patchSubscription(t, documented, deleted, `{"status":"deleted"}`)
	fresh, lots := buy(itemE5, 2, `"termDuration":"P3Y"`), buy(itemLots, 60)
	withAddOn := buy(itemE3, 5)
	a.patchOrder(t, documented, a.subscription(t, documented, withAddOn).OrderID, `{`+linesOf(line(itemArchiving, 1, `"parentSubscriptionId":"`+withAddOn+`"`))+`}`)
	legacyWithAddOn := buy(offerE1, 5)
	a.patchOrder(t, documented, a.subscription(t, documented, legacyWithAddOn).OrderID, `{`+linesOf(line("C94271D8-B431-4A25-A3C5-A57737A1C909", 1, `"parentSubscriptionId":"`+legacyWithAddOn+`"`))+`}`)
	legacySuspended, legacyDeleted, trial := buy(offerE1, 2), buy(offerE1, 2), buy(offerTrial, 25)
	a.patchSubscription(t, documented, legacySuspended, `{"status":"suspended"}`)
	a.send(t, http.MethodPost, subscriptionAt(documented, legacyDeleted)+"/upgrades", `{"targetOffer":{"id":"`+offerE3+`"}}`, 200)

	at := func(what, command string) func(name, rule, id string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		return func(name, rule, id string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
			if !strings.Contains(rule, ": ") {
				rule = command + ": " + rule
			}
			return refusal{rule: rule, request: request{name: what + ": " + name, method: http.MethodPost, path: subscriptionAt(documented, id) + "/" + what, body: body, status: status, code: code, must: must}}
		}
	}
	of, up, cv := at("transitions", "transition a subscription"), at("upgrades", "upgrade a subscription"), at("conversions", "convert a trial")
	sch := func(name, rule, id string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		return refusal{rule: "change a subscription: " + rule, request: request{name: "schedule: " + name, method: http.MethodPatch, path: subscriptionAt(documented, id), body: body, status: status, code: code, must: must}}
	}
	office, onlineTrial, tomorrow := buy(itemOffice, 5), buy(itemTrial, 9), a.Clock().Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)+"T00:00:00Z"
	to := func(item, more string) string {
		return `{"toCatalogItemId":"` + item + `","quantity":2,"transitionType":"transition_only"` + more + `}`
	}
	target := func(offer, more string) string { return `{"targetOffer":{"id":"` + offer + `"}` + more + `}` }
	paid := func(more string) string { return `{"targetOfferId":"` + offerPaid + `"` + more + `}` }
	return []refusal{
		of("of a suspended subscription", "transition subscription: it is suspended", suspended, 400, partnercenter.ErrorCodeSuspendedNoUpdate, to(itemE5, "")),
		of("of a deleted subscription", "transition subscription: it is deleted", deleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, to(itemE5, "")),
		of("of a legacy offer", "it is not of an online service in new commerce", legacy, 400, unoffered, to(itemE5, ""), "upgrades"),
		of("without a type", "the type is missing", from, 400, property, `{"toCatalogItemId":"`+itemE5+`","quantity":2}`),
		of("of another type", "the type is unknown text", from, 400, partnercenter.ErrorCodeEnumUnparsable, `{"toCatalogItemId":"`+itemE5+`","quantity":2,"transitionType":"teleport"}`, "teleport"),
		of("with licences", "licences of users are to move, too", from, 400, unoffered, `{"toCatalogItemId":"`+itemE5+`","quantity":2,"transitionType":"Transition_With_License_Transfer"}`),
		of("to nothing", "no item is named", from, 400, property, to(" ", "")),
		of("to an unknown product", "the product is unknown", from, 404, partnercenter.ErrorCodeProductNotFound, to("CFQ7TTC0XXXX:0001:CFQ7TTC0XXXX", "")),
		of("to an unknown SKU", "the SKU is unknown", from, 404, partnercenter.ErrorCodeSKUNotFound, to("CFQ7TTC0LFLZ:0009:CFQ7TTC0K7TR", "")),
		of("to an unknown availability", "the availability is unknown", from, 404, partnercenter.ErrorCodeAvailabilityUnknown, to("CFQ7TTC0LFLZ:0002:CFQ7TTC0XXXX", "")),
		of("to what it cannot become", "it cannot become the item", from, 403, partnercenter.ErrorCodeItemNotEligible, to(itemBasic, ""), "transitioneligibilities"),
		of("to a legacy offer", "it cannot become the item", from, 403, partnercenter.ErrorCodeItemNotEligible, to(offerE3, "")),
		of("of no seats", "there is no quantity, or it is below one", from, 400, property, transitionTo(itemE5, 0, "")),
		of("of fewer than no seats", "there is no quantity, or it is below one", from, 400, property, transitionTo(itemE5, -1, "")),
		of("of too many seats", "more seats are to move than there are", from, 400, partnercenter.ErrorCodeQuantityOutOfRange, transitionTo(itemE5, 6, ""), "at most 5"),
		of("so that few stay", "too few seats are to stay", lots, 400, partnercenter.ErrorCodeQuantityOutOfRange, transitionTo(itemE3, 11, ""), "49"),
		of("with add-ons", "it has add-ons", withAddOn, 400, unoffered, to(itemE5, "")),
		sch("with add-ons", "another item is scheduled for what has add-ons", withAddOn, 400, unoffered, nextTerm(itemE5)),
		sch("without an attestation", "the scheduled item needs an attestation", office, 400, partnercenter.ErrorCodeAttestationMissing, nextTerm(itemAttested), "attestationAccepted"),
		sch("to what it cannot become", "it cannot become the scheduled item", from, 403, partnercenter.ErrorCodeItemNotEligible, nextTerm(itemBasic), "transitioneligibilities"),
		sch("of a trial, for fewer seats", "a term that begins on a date has fewer seats", onlineTrial, 400, partnercenter.ErrorCodeQuantityNotDecreasable, `{"scheduledActions":[{"scheduleType":"CustomDate","actionType":"Transition","effectiveDate":"`+tomorrow+`","instructions":{"quantity":2,"product":{"productId":"CFQ7TTC0LCHC","skuId":"0002"}}}]}`),
		of("without an attestation", "place an order: the item needs an attestation, which the line does not accept", office, 400, partnercenter.ErrorCodeAttestationMissing, to(itemAttested, `,"attestationAccepted":false`)),
		of("into itself", "the subscription to move the seats into is itself", from, 400, partnercenter.ErrorCodeTargetIsSource, transitionTo(itemE5, 2, strings.ToUpper(from))),
		of("into an unknown one", "the customer does not have the subscription to move the seats into", from, 400, partnercenter.ErrorCodeTargetUnusable, transitionTo(itemE5, 2, "1b0a2c3d-0000-4000-8000-000000000000")),
		of("into what is no id", "the customer does not have the subscription to move the seats into", from, 400, partnercenter.ErrorCodeTargetUnusable, transitionTo(itemE5, 2, "banana")),
		of("into one of another item", "the subscription to move the seats into is of another item", from, 400, partnercenter.ErrorCodeTargetMismatch, transitionTo(itemE5, 2, monthly)),
		of("into a suspended one", "the subscription to move the seats into is not active", from, 400, partnercenter.ErrorCodeTargetInactive, transitionTo(itemE5, 2, intoSuspended)),
		of("into a fresh one", "the subscription to move the seats into can still be cancelled", from, 400, partnercenter.ErrorCodeTargetUnusable, transitionTo(itemE5, 2, fresh)),
		of("into a shorter one", "the subscription to move the seats into has a shorter term", from, 400, partnercenter.ErrorCodeTermShorter, transitionTo(itemE5, 2, intoMonth)),
		of("into one that ends earlier", "the subscription to move the seats into ends before the source", from, 400, partnercenter.ErrorCodeTargetMismatch, transitionTo(itemE5, 2, intoYear)),
		of("into one with another term", "a promotion is named for a subscription that is there, or another term or billing cycle than its own", from, 400, property, to(itemE5, `,"toSubscriptionId":"`+intoThree+`","termDuration":"P1Y"`)),
		of("into one with another cycle", "a promotion is named for a subscription that is there, or another term or billing cycle than its own", from, 400, property, to(itemE5, `,"toSubscriptionId":"`+intoThree+`","billingCycle":"annual"`)),
		of("into one with a promotion", "a promotion is named for a subscription that is there, or another term or billing cycle than its own", from, 400, property, to(itemE5, `,"toSubscriptionId":"`+intoThree+`","promotionId":"39NFJQT1VS3P:0001:39NFJQT1VS3Y"`)),
		of("into one without room", "the subscription to move the seats into would have too many", standardMany, 400, partnercenter.ErrorCodeQuantityUnavailable, transitionTo(itemPremium, 200, premiumMany)),
		of("for a term that is not sold", "the item is not sold for the term", from, 400, partnercenter.ErrorCodeNextTermInvalid, to(itemE5, `,"termDuration":"P9Y"`), "P3Y"),
		of("for a shorter term", "the term is shorter than that of the subscription", from, 400, partnercenter.ErrorCodeTermShorter, to(itemE5, `,"termDuration":"P1M"`)),
		of("billed otherwise", "the item is not sold with the billing cycle", from, 400, partnercenter.ErrorCodeNextCycleInvalid, to(itemE5, `,"billingCycle":"triennial"`)),
		of("billed beyond the term", "the billing cycle is longer than the term", monthly, 400, partnercenter.ErrorCodeNextCycleTooLong, to(itemE5, `,"termDuration":"P1M","billingCycle":"annual"`)),
		of("with a promotion", "place an order: a promotion is named that does not apply", from, 400, partnercenter.ErrorCodePromotionInvalid, to(itemE5, `,"promotionId":"39NFJQT1AAAA:0001:39NFJQT1AAAB"`)),

		up("of a suspended subscription", "upgrade subscription: it is suspended", legacySuspended, 400, partnercenter.ErrorCodeSubscriptionSuspended, target(offerE3, "")),
		up("of a deleted subscription", "upgrade subscription: it is deleted", legacyDeleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, target(offerE3, "")),
		up("of an online service", "it is not to a legacy offer with seats", from, 400, unoffered, target(offerE3, ""), "transitions"),
		up("to nothing", "no offer is named", legacy, 400, property, `{}`),
		up("of another type", "the type is unknown text", legacy, 400, partnercenter.ErrorCodeEnumUnparsable, target(offerE3, `,"upgradeType":"teleport"`)),
		up("with licences", "licences of users are to move, too", legacy, 400, unoffered, target(offerE3, `,"upgradeType":2`)),
		up("to an unknown offer", "the offer is unknown", legacy, 400, partnercenter.ErrorCodeInvalidOffer, target("no-such-offer", "")),
		up("to what it cannot become", "it cannot be upgraded to the offer", legacy, 403, partnercenter.ErrorCodeOfferNotEligible, target(offerExchange, "")),
		up("of some seats", "only some of the seats are to move, or more than there are", legacy, 400, property, target(offerE3, `,"quantity":3`), "5"),
		up("with add-ons", "it has add-ons", legacyWithAddOn, 400, unoffered, target(offerE3, "")),

		cv("of a suspended subscription", "convert subscription: it is suspended", legacySuspended, 400, partnercenter.ErrorCodeSubscriptionSuspended, paid("")),
		cv("of a deleted subscription", "convert subscription: it is deleted", legacyDeleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, paid("")),
		cv("of what is paid for", "it is no trial of a legacy offer", legacy, 400, unoffered, paid("")),
		cv("of another offer", "another offer or order is named than the trial's", trial, 400, property, paid(`,"offerId":"`+offerE3+`"`)),
		cv("to nothing", "no offer to become is named", trial, 400, property, `{}`),
		cv("to an unknown offer", "the offer is unknown", trial, 400, partnercenter.ErrorCodeInvalidOffer, `{"targetOfferId":"no-such-offer"}`),
		cv("to an item", "the offer is unknown", trial, 400, partnercenter.ErrorCodeInvalidOffer, `{"targetOfferId":"`+itemE3+`"}`),
		cv("to what it cannot become", "the trial cannot become the offer", trial, 403, partnercenter.ErrorCodeOfferNotEligible, `{"targetOfferId":"`+offerE3+`"}`),
		cv("for too many seats", "the quantity is out of the offer's range", trial, 400, partnercenter.ErrorCodeQuantityOutOfRange, paid(`,"quantity":10000001`)),
		cv("for fewer than no seats", "the quantity is out of the offer's range", trial, 400, partnercenter.ErrorCodeQuantityOutOfRange, paid(`,"quantity":-1`)),
		cv("billed otherwise", "the offer is not sold with the billing cycle", trial, 400, partnercenter.ErrorCodeCycleUnsupported, paid(`,"billingCycle":"triennial"`)),
	}
}

// oftenRefusals are those of a subscription with many transitions. They are apart, as each
// refusal has all of a customer's subscriptions read.
func oftenRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	often := a.buy(t, itemE3, 200).ID
	for range 100 {
		a.transition(t, often, transitionTo(itemE5, 1, ""))
	}
	return []refusal{
		{rule: "transition a subscription: there were 100 transitions of it", request: request{name: "too often", method: http.MethodPost, path: subscriptionAt(documented, often) + "/transitions", body: transitionTo(itemE5, 1, ""), status: 400, code: partnercenter.ErrorCodeChangedTooOften}},
		{rule: "change a subscription: another item is scheduled after 100 transitions", request: request{name: "scheduled", method: http.MethodPatch, path: subscriptionAt(documented, often), body: nextTerm(itemE5), status: 400, code: partnercenter.ErrorCodeChangedTooOften}},
	}
}

// crampedRefusals are those of a sandbox with few seats, in which purchases take time.
func crampedRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const nobody = "bd59b416-37f9-4d8f-8df3-5750111fc615" // has no subscriptions
	a.Clock().Freeze()
	ready := func(item string, n int) string {
		t.Helper()
		o := a.place(t, nobody, line(item, n, `"termDuration":"P1Y"`))
		a.Clock().Advance(5 * time.Minute)
		return a.order(t, nobody, o.ID).LineItems[0].SubscriptionID
	}
	from, into := ready(itemE3, 20), ready(itemE5, 20)
	trial := a.placed(t, nobody, line(offerTrial, 25)).LineItems[0].SubscriptionID
	a.later(t, 8)
	// Who knows ids already asks too early.
	start := a.Clock().Now()
	early, target := ready(itemE3, 2), ready(itemE5, 2)
	a.Clock().Set(start)
	return []refusal{
		{of: nobody, rule: "transition a subscription: it is being provisioned", request: request{name: "too early", method: http.MethodPost, path: subscriptionAt(nobody, early) + "/transitions", body: transitionTo(itemE5, 2, ""), status: 409, code: partnercenter.ErrorCodeSubscriptionNotReady}},
		{of: nobody, rule: "transition a subscription: the subscription to move the seats into is being provisioned", request: request{name: "into one too early", method: http.MethodPost, path: subscriptionAt(nobody, from) + "/transitions", body: transitionTo(itemE5, 2, target), status: 400, code: partnercenter.ErrorCodeTargetNotReady}},
		{of: nobody, rule: "transition a subscription: the sandbox allows fewer seats in the subscription to move them into", request: request{name: "into a full one", method: http.MethodPost, path: subscriptionAt(nobody, from) + "/transitions", body: transitionTo(itemE5, 6, into), status: 403, code: partnercenter.ErrorCodeSeatsBeyondLimit}},
		{of: nobody, rule: "convert a trial: the sandbox allows fewer seats", request: request{name: "for too many seats", method: http.MethodPost, path: subscriptionAt(nobody, trial) + "/conversions", body: `{"targetOfferId":"` + offerPaid + `","quantity":26}`, status: 403, code: partnercenter.ErrorCodeTooManySeats}},
	}
}

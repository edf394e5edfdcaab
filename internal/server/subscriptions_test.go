package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestSubscriptions lists and reads subscriptions in every way.
func TestSubscriptions(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	list := "/v1/customers/" + documented + "/subscriptions"
	azure := a.subscription(t, documented, "A356AC8C-E310-44F4-BF85-C7F29044AF99")
	a.run(t, []request{
		{name: "all", path: list, status: 200, must: []string{`"totalCount":5,`, `"links":{"self":{"uri":"/customers/` + documented + `/subscriptions"`}},
		{name: "of an order", path: list + "?order_id=CF3B0E37-be0b-4cdd-b584-d1a97d98a922", status: 200, must: []string{`"totalCount":2,`, "1C2B75C1", "69829602"}},
		{name: "of an order with a long id", path: "/v1/customers/5921f00a-32c0-4457-aaa1-e8018c650895/subscriptions?Order_ID=ImxjLNL4_fOc-2KoyOxGTZcrlIquzls11", status: 200, must: []string{`"totalCount":1,`}},
		{name: "long ids are case-sensitive", path: "/v1/customers/5921f00a-32c0-4457-aaa1-e8018c650895/subscriptions?order_id=imxjLNL4_fOc-2KoyOxGTZcrlIquzls11", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "of no order, as a sample of .NET asks", path: list + "?order_id=Some%20order%20Id", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "of no reseller", path: list + "?mpn_id=5081207", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "by entitlement", path: subscriptionAt(documented, azure.EntitlementID), status: 200, invalid: true},
		{name: "in upper case", path: subscriptionAt(documented, strings.ToUpper(exampleSubscription)), status: 200, must: []string{`"id":"` + exampleSubscription + `"`}},
		{name: "no add-ons", path: subscriptionAt(documented, exampleSubscription) + "/addons", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "of a customer without any", path: "/v1/customers/bd59b416-37f9-4d8f-8df3-5750111fc615/subscriptions", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "provisioning", path: subscriptionAt(documented, exampleSubscription) + "/provisioningstatus", status: 200, must: []string{`"status":"success"`, `"objectType":"SubscriptionProvisioningStatus"`}},
		{name: "provisioning without a customer", path: "/v1/subscriptions/" + strings.ToUpper(exampleSubscription) + "/provisioningstatus", status: 200, must: []string{`"status":"success"`}},
		{name: "not registered", path: subscriptionAt(documented, exampleSubscription) + "/registrationstatus", status: 200, must: []string{`"status":"notRegistered"`}},
		{name: "registered", path: subscriptionAt(documented, azure.ID) + "/registrationstatus", status: 200, must: []string{`"status":"registered"`}},
		{name: "activation links of licences", path: subscriptionAt(documented, exampleSubscription) + "/activationlinks", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "activation links", path: subscriptionAt("8c5b65fd-c725-4f50-8d9c-97ec9169fdd0", "87363db7-39ab-dd25-d371-94340aaa2f97") + "/activationlinks", status: 200, must: []string{`"totalCount":1,`, "/activation/87363db7-39ab-dd25-d371-94340aaa2f97"}},
	})
	_, body := a.do(t, request{path: list, status: 200})
	checkKeys(t, list, body)
	all := decode[partnercenter.Collection[*partnercenter.Subscription]](t, body)
	if !slices.IsSortedFunc(all.Items, func(a, b *partnercenter.Subscription) int { return a.CreationDate.Compare(b.CreationDate) }) {
		t.Error("the oldest is not first")
	}
	for _, s := range all.Items {
		want := a.subscription(t, documented, s.ID)
		want.RefundableQuantity = nil // lists are without
		if diff := cmp.Diff(want, s); diff != "" {
			t.Errorf("%s differs from the list's:\n%s", s.ID, diff)
		}
	}
}

// TestRegistration registers an Azure subscription, and buys a reservation for
// it.
func TestRegistration(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute})
	id := a.place(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID
	path := subscriptionAt(documented, id)
	location := "^/customers/" + documented + "/subscriptions/" + id + "/registrationstatus$"
	empty := map[string]string{"Location": location, "Content-Length": "^0$", "Content-Type": "^$"}
	for _, body := range []string{"null", "", `"success"`, "{}"} {
		a.check(t, request{method: http.MethodPost, path: path + "/registrations", body: body, status: 202, headers: empty})
		a.check(t, request{path: path + "/registrationstatus", status: 200, must: []string{`"status":"registering"`}})
	}
	a.Clock().Advance(5 * time.Minute)
	a.check(t, request{path: path + "/registrationstatus", status: 200, must: []string{`"status":"registered"`}})
	a.check(t, request{method: http.MethodPost, path: path + "/registrations", body: "null", status: 202, headers: empty})
	a.place(t, documented, line(itemReservation, 1, `"provisioningContext":{"scope":"single","subscriptionId":"`+id+`","duration":"1Year"}`))
}

// TestActivation activates a marketplace subscription, whose seats cannot change
// before.
func TestActivation(t *testing.T) {
	for _, body := range []string{"null", "", `"success"`, "{}"} {
		a := newAPI(t)
		id := a.placed(t, documented, line(itemMarketplace, 2)).LineItems[0].SubscriptionID
		a.check(t, request{method: http.MethodPost, path: subscriptionAt(documented, id) + "/activate", body: body, status: 200, must: []string{`{"subscriptionId":"` + id + `","status":"Success"}`}})
		if s := a.patchSubscription(t, documented, id, `{"quantity":3}`); *s.Quantity != 3 {
			t.Errorf("%d seats", *s.Quantity)
		}
	}
}

// TestSubscriptionChanges makes each change, and checks the subscription's order.
func TestSubscriptionChanges(t *testing.T) {
	a := newAPI(t)
	o := a.placed(t, documented, line(itemE3, 10))
	id := o.LineItems[0].SubscriptionID
	for _, tt := range []struct {
		body  string
		right func(*partnercenter.Subscription) bool
	}{
		{`{"quantity":15,"autoRenewEnabled":true}`, func(s *partnercenter.Subscription) bool { return *s.Quantity == 15 && *s.AutoRenewEnabled }},
		{`{"quantity":12,"autoRenewEnabled":true}`, func(s *partnercenter.Subscription) bool { return *s.Quantity == 12 && *s.AutoRenewEnabled }},
		{`{"friendlyName":"seats of the branch office"}`, func(s *partnercenter.Subscription) bool {
			return s.FriendlyName == "seats of the branch office" && !*s.AutoRenewEnabled // which it leaves out
		}},
		{`{"AutoRenewEnabled":true}`, func(s *partnercenter.Subscription) bool { return *s.AutoRenewEnabled }},
		{`{"autoRenewEnabled":false}`, func(s *partnercenter.Subscription) bool { return !*s.AutoRenewEnabled }},
		{`{"AutoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":9}}`, func(s *partnercenter.Subscription) bool {
			return *s.ScheduledNextTermInstructions.Quantity == 9 && s.ScheduledNextTermInstructions.Product.ProductID == "CFQ7TTC0LFLX"
		}},
		{`{"AutoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"productId":"CFQ7TTC0LFLX","skuId":"0001","availabilityId":"CFQ7TTC0K8QN","billingCycle":"Annual","termDuration":"p1y"}}}`, func(s *partnercenter.Subscription) bool {
			i := s.ScheduledNextTermInstructions
			return *i.Quantity == 12 && i.Product.BillingCycle == "annual" && i.Product.TermDuration == "P1Y"
		}},
		{`{"AutoRenewEnabled":true}`, func(s *partnercenter.Subscription) bool {
			return *s.AutoRenewEnabled && s.ScheduledNextTermInstructions == nil
		}},
		{`{"status":"Suspended"}`, func(s *partnercenter.Subscription) bool {
			return s.Status == partnercenter.SubscriptionStatusSuspended && len(s.SuspensionReasons) == 1
		}},
		{`{"Status":"active"}`, func(s *partnercenter.Subscription) bool {
			return s.Status == partnercenter.SubscriptionStatusActive && s.SuspensionReasons == nil
		}},
		{`{"status":"deleted"}`, func(s *partnercenter.Subscription) bool {
			return s.Status == partnercenter.SubscriptionStatusDeleted && !*s.AutoRenewEnabled
		}},
	} {
		before := a.subscription(t, documented, id)
		s := a.patchSubscription(t, documented, id, tt.body)
		if !tt.right(s) {
			t.Errorf("%s: %+v", tt.body, s)
		}
		if *s.Attributes.Etag == *before.Attributes.Etag {
			t.Errorf("%s: the etag stays", tt.body)
		}
		if diff := cmp.Diff(s, a.subscription(t, documented, id)); diff != "" {
			t.Errorf("%s: reading it again: %s", tt.body, diff)
		}
	}
	if o = a.order(t, documented, o.ID); o.Status != partnercenter.OrderStatusCancelled || *o.LineItems[0].Quantity != 0 {
		t.Errorf("after its last subscription the order is %s with %d", o.Status, *o.LineItems[0].Quantity)
	}
	if got := string(a.send(t, http.MethodGet, "/v1/customers/"+documented+"/subscriptions", "", 200)); !strings.Contains(got, id) {
		t.Error("a deleted subscription is not listed")
	}
}

// TestScheduledChange schedules a change as the published sample does: within the whole
// subscription. It takes place after the term, without another request.
func TestScheduledChange(t *testing.T) {
	a := newAPI(t)
	a.Clock().Freeze()
	id := a.placed(t, documented, line(itemE3, 15, `"termDuration":"P1Y"`)).LineItems[0].SubscriptionID
	path := subscriptionAt(documented, id)
	body := string(a.send(t, http.MethodGet, path, "", 200))
	body = setMember(t, body, "scheduledNextTermInstructions", `{"product":{"productId":"CFQ7TTC0LFLX","skuId":"0001","availabilityId":"CFQ7TTC0K8QN","billingCycle":"Annual","termDuration":"P1Y"},"quantity":12}`)
	before := a.patchSubscription(t, documented, id, body)
	if *before.Quantity != 15 || before.BillingCycle != partnercenter.BillingCycleTypeMonthly {
		t.Errorf("it changed at once: %+v", before)
	}
	a.Clock().Set(before.CommitmentEndDateTime.Time())
	a.token = a.mint(t)
	if s := a.subscription(t, documented, id); *s.Quantity != 15 || s.ScheduledNextTermInstructions == nil {
		t.Errorf("it changed too early: %+v", s)
	}
	a.Clock().Advance(time.Second)
	s := a.subscription(t, documented, id)
	if *s.Quantity != 12 || s.BillingCycle != partnercenter.BillingCycleTypeAnnual || s.ScheduledNextTermInstructions != nil || !s.CommitmentEndDate.Time().After(before.CommitmentEndDate.Time()) {
		t.Errorf("it did not change: %+v", s)
	}
	if s = a.patchSubscription(t, documented, id, `{"friendlyName":"ours","autoRenewEnabled":true}`); *s.Quantity != 12 || s.FriendlyName != "ours" {
		t.Errorf("%+v", s)
	}
}

// TestDeleteSoftware deletes subscriptions to software within a week, which cancels their
// orders.
func TestDeleteSoftware(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{Production: true})
	o, late := a.placed(t, documented, line(itemSoftware, 2)), a.placed(t, documented, line(itemSoftware, 1))
	if s := a.patchSubscription(t, documented, o.LineItems[0].SubscriptionID, `{"status":"deleted"}`); s.Status != partnercenter.SubscriptionStatusDeleted {
		t.Errorf("%+v", s)
	}
	if o = a.order(t, documented, o.ID); o.Status != partnercenter.OrderStatusCancelled || *o.LineItems[0].Quantity != 0 {
		t.Errorf("%+v", o)
	}
	a.later(t, 8)
	a.check(t, request{name: "after the week", method: http.MethodPatch, path: subscriptionAt(documented, late.LineItems[0].SubscriptionID), body: `{"status":"deleted"}`, status: 400, code: partnercenter.ErrorCodeCancelWindowOver})
}

// TestSeatWindows returns seats; each added quantity has a week of its own.
func TestSeatWindows(t *testing.T) {
	a := newAPI(t)
	a.Clock().Freeze()
	id := a.placed(t, documented, line(itemE3, 10)).LineItems[0].SubscriptionID
	day := func(n int) {
		t.Helper()
		a.Clock().Advance(time.Duration(n) * 24 * time.Hour)
		a.token = a.mint(t)
	}
	seats := func(n int) { t.Helper(); a.patchSubscription(t, documented, id, fmt.Sprintf(`{"quantity":%d}`, n)) }
	tooFew := func(n int) {
		t.Helper()
		a.refuse(t, []refusal{{rule: "change a subscription: more seats are returned than were added within the window", request: request{
			name: fmt.Sprint("down to ", n), method: http.MethodPatch, path: subscriptionAt(documented, id), body: fmt.Sprintf(`{"quantity":%d}`, n), status: 400, code: partnercenter.ErrorCodeQuantityNotDecreasable,
		}}})
	}
	refundable := func(want int) {
		t.Helper()
		got := 0
		if r := a.subscription(t, documented, id).RefundableQuantity; r != nil {
			got = *r.TotalQuantity
		}
		if got != want {
			t.Errorf("%d seats can be given back, want %d", got, want)
		}
	}
	seats(13) // 3 more on day 0
	day(5)
	seats(20) // 7 more on day 5
	refundable(20)
	day(2)
	refundable(20) // the last moment of the first week
	day(1)
	refundable(7)
	tooFew(12)
	seats(15)
	refundable(2)
	tooFew(12)
	seats(13)
	refundable(0)
	tooFew(12)
	seats(14)
	day(7)
	refundable(1)
	day(1)
	refundable(0)
	tooFew(13)
	a.refuse(t, []refusal{{rule: "change a subscription: its cancellation window is over: 7 days", request: request{
		name: "delete", method: http.MethodPatch, path: subscriptionAt(documented, id), body: `{"status":"deleted"}`, status: 400, code: partnercenter.ErrorCodeCancelWindowOver, must: []string{"7-day"},
	}}})
	// Seats of legacy offers have no window.
	legacy := a.placed(t, documented, line(offerE3, 10)).LineItems[0].SubscriptionID
	day(400)
	if s := a.patchSubscription(t, documented, legacy, `{"quantity":1}`); *s.Quantity != 1 || s.RefundableQuantity != nil {
		t.Errorf("%+v", s)
	}
}

// subscriptionRefusals are changes of subscriptions that no setting allows.
func subscriptionRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const property = partnercenter.ErrorCodeInvalidProperty
	buy := func(item string, n int) string {
		return a.placed(t, documented, line(item, n)).LineItems[0].SubscriptionID
	}
	legacy, online, azure, software, marketplace := buy(offerE3, 5), buy(itemE3, 5), buy(offerAzure, 1), buy(itemSoftware, 2), buy(itemMarketplace, 2)
	savings := a.placed(t, documented, line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"shared","subscriptionId":"`+buy(itemAzurePlan, 1)+`"}`)).LineItems[0].SubscriptionID
	activated := buy(itemMarketplace, 2)
	a.send(t, http.MethodPost, subscriptionAt(documented, activated)+"/activate", "", 200)
	trial, onlineTrial := buy(offerTrial, 5), buy(itemTrial, 5)
	yearly := a.placed(t, documented, line(itemE3, 5, `"termDuration":"P1Y"`)).LineItems[0].SubscriptionID
	inAWeek := a.Clock().Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly) + "T00:00:00Z"
	suspendedLegacy, suspendedOnline, suspendedAzure := buy(offerE3, 5), buy(itemE3, 5), buy(offerAzure, 1)
	for _, id := range []string{suspendedLegacy, suspendedOnline, suspendedAzure} {
		a.patchSubscription(t, documented, id, `{"status":"suspended"}`)
	}
	deleted := buy(itemE3, 5)
	a.patchSubscription(t, documented, deleted, `{"status":"deleted"}`)
	// An add-on of a base that is suspended after it.
	base := a.placed(t, documented, line(offerE3, 5))
	parent := base.LineItems[0].SubscriptionID
	child := a.patchOrder(t, documented, base.ID, `{`+linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+parent+`"`))+`}`).LineItems[1].SubscriptionID
	for _, id := range []string{child, parent} {
		a.patchSubscription(t, documented, id, `{"status":"suspended"}`)
	}
	of := func(name, rule, id string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		if rule != "" {
			rule = "change a subscription: " + rule
		}
		return refusal{rule: rule, request: request{name: name, method: http.MethodPatch, path: subscriptionAt(documented, id), body: body, status: status, code: code, must: must}}
	}
	post := func(name, rule, id, what string, code partnercenter.ErrorCode) refusal {
		return refusal{rule: rule, request: request{name: name, method: http.MethodPost, path: subscriptionAt(documented, id) + what, body: "null", status: 400, code: code}}
	}
	withRule := func(r refusal, rule string) refusal { r.rule = rule; return r }
	const noSeats = "the quantity of something without seats is to change"
	list := []refusal{
		of("another subscription's id", "the body's id is another subscription's", legacy, 400, property, `{"id":"`+online+`","quantity":7}`),
		of("a billing cycle", "the billing cycle is to change", legacy, 400, partnercenter.ErrorCodeCycleNotHere, `{"billingCycle":"Annual"}`, "PATCH", "orders"),
		of("a partner", "the partner on record is to change", legacy, 400, partnercenter.ErrorCodePartnerNotUpdatable, `{"partnerId":"5081207"}`, "5081207"),
		of("the term of a trial", "the term of a trial is to change", onlineTrial, 400, partnercenter.ErrorCodeNoTermForTrial, `{"termDuration":"P1Y"}`),
		of("a term that is not sold", "the term is to become one that the item is not sold for", online, 400, partnercenter.ErrorCodeTermInvalid, `{"termDuration":"P9Y"}`, "P9Y"),
		of("a term of licences", "", legacy, 400, partnercenter.ErrorCodeTermInvalid, `{"termDuration":"P1Y"}`),
		of("a longer term of software", "the term of anything but an online service is to change at once", software, 400, partnercenter.ErrorCodeOperationUnoffered, `{"termDuration":"P3Y"}`, "scheduledNextTermInstructions"),
		of("a longer term of a marketplace product", "", activated, 400, partnercenter.ErrorCodeOperationUnoffered, `{"termDuration":"P1Y"}`),
		of("a shorter term", "the term is to become shorter at once", yearly, 400, partnercenter.ErrorCodeTermDecreased, `{"termDuration":"P1M"}`, "order"),
		of("a term of what is suspended", "the term is to change of what is not active, or together with the status", suspendedOnline, 400, partnercenter.ErrorCodeSuspendedNoUpdate, `{"termDuration":"P1Y"}`),
		of("a term and a suspension", "", online, 400, partnercenter.ErrorCodeSuspendedNoUpdate, `{"termDuration":"P1Y","status":"suspended"}`),
		of("a term with a cycle that is not sold", "the item is not sold with the new term's billing cycle, or that is longer than the term", online, 400, partnercenter.ErrorCodeNextCycleInvalid, `{"termDuration":"P1Y","billingCycle":"one_time"}`),
		of("a term with a promotion that is not for it", "", online, 400, partnercenter.ErrorCodePromotionInvalid, `{"termDuration":"P1Y","promotionId":"39NFJQT1AAAA:0001:39NFJQT1AAAB"}`),
		of("two next terms", "renewalTermDuration is not the term of the instructions beside it", online, 400, property, `{"autoRenewEnabled":true,"renewalTermDuration":"P3Y","scheduledNextTermInstructions":{"product":{"termDuration":"P1Y"}}}`, "P3Y"),
		of("a term to renew to that is not sold", "", online, 400, partnercenter.ErrorCodeNextTermInvalid, `{"autoRenewEnabled":true,"renewalTermDuration":"P9Y"}`, "P9Y"),
		of("a term to renew to without a renewal", "", online, 400, property, `{"renewalTermDuration":"P3Y"}`, "autoRenewEnabled"),
		of("two actions at the end", "several actions are scheduled", online, 400, property, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel"},{"scheduleType":"TermEnd","actionType":"Cancel"}]}`, "scheduledActions"),
		of("an unknown action", "the type of a scheduled action or of its schedule is unknown text", online, 400, partnercenter.ErrorCodeEnumUnparsable, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Dance"}]}`, "Dance"),
		of("an action of no time", "", online, 400, partnercenter.ErrorCodeEnumUnparsable, `{"scheduledActions":{"actionType":"Cancel"}}`),
		of("an end on a date that is over", "the date of an action is missing, over, or not within the term", online, 400, property, `{"scheduledActions":[{"scheduleType":"CustomDate","actionType":"Cancel","effectiveDate":"2020-07-31T00:00:00Z"}]}`, "effectiveDate"),
		of("an end on a date after the term", "", online, 400, property, `{"scheduledActions":[{"scheduleType":"CustomDate","actionType":"Cancel","effectiveDate":"2999-07-31T00:00:00Z"}]}`),
		of("an end on no date", "", online, 400, property, `{"scheduledActions":[{"scheduleType":"CustomDate","actionType":"Cancel"}]}`),
		of("an extended term on a date", "an extended service term is to begin on a date", online, 400, partnercenter.ErrorCodeOperationUnoffered, `{"scheduledActions":[{"scheduleType":"CustomDate","actionType":"RenewToExtendedServiceTerm","effectiveDate":"2999-07-31T00:00:00Z"}]}`, "TermEnd"),
		of("a transition to nothing", "a transition names no other item", online, 400, property, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Transition"}]}`, "transitioneligibilities"),
		of("a transition to itself", "", online, 400, property, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Transition","instructions":{"quantity":7}}]}`),
		of("a shorter term on a date", "the next term is shorter than the present one", yearly, 400, partnercenter.ErrorCodeTermShorter, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"CustomDate","actionType":"RenewToNewTerm","effectiveDate":"`+inAWeek+`","instructions":{"product":{"termDuration":"P1M"}}}]}`),
		of("a shorter next term", "", yearly, 400, partnercenter.ErrorCodeTermShorter, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"termDuration":"P1M","billingCycle":"monthly"}}}`, "P1Y"),
		of("a shorter term at the end", "", yearly, 400, partnercenter.ErrorCodeTermShorter, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"RenewToNewTerm","instructions":{"product":{"termDuration":"P1M","billingCycle":"monthly"}}}]}`),
		of("a shorter term to renew to", "", yearly, 400, partnercenter.ErrorCodeTermShorter, `{"autoRenewEnabled":true,"renewalTermDuration":"P1M"}`),
		of("fewer seats on a date", "a term that begins on a date has fewer seats", online, 400, partnercenter.ErrorCodeQuantityNotDecreasable, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"CustomDate","actionType":"RenewToNewTerm","effectiveDate":"`+inAWeek+`","instructions":{"quantity":3}}]}`),
		of("an action at another end", "an action's effectiveDate is not the end of the term", online, 400, property, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel","effectiveDate":"2020-01-31T00:00:00Z"}]}`, "effectiveDate"),
		of("an action for licences", "an action is scheduled for anything but online services and software, or an extended service term where there is none", legacy, 400, partnercenter.ErrorCodeOperationUnoffered, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel"}]}`),
		of("an extended term of software", "", software, 400, partnercenter.ErrorCodeOperationUnoffered, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"RenewToExtendedServiceTerm"}]}`, "extended"),
		of("a renewal that is not enabled", "a renewal is scheduled without autoRenewEnabled, an end with it, or any action for what is not active", online, 400, property, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"RenewToNewTerm"}]}`, "autoRenewEnabled"),
		of("an end of what renews", "", online, 400, property, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel"}]}`),
		of("an end of what is suspended", "", suspendedOnline, 400, property, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel"}]}`),
		of("an end with instructions", "an end has instructions", online, 400, property, `{"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Cancel","instructions":{"quantity":3}}]}`),
		of("a renewal to a term that is not sold", "", online, 400, partnercenter.ErrorCodeNextTermInvalid, `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"RenewToNewTerm","instructions":{"product":{"termDuration":"P9Y"}}}]}`),
		of("the next charge of licences", "the next charge of anything but online services and software is to change, or its product or term", legacy, 400, partnercenter.ErrorCodeOperationUnoffered, `{"nextChargeInstructions":{"quantity":3}}`),
		of("a charge after the last", "the next charge is to change of what has none", online, 400, property, `{"nextChargeInstructions":{"quantity":7}}`, "autoRenewEnabled"),
		of("a charge with a cycle that is not sold", "the item is not sold with the next charge's billing cycle", online, 400, partnercenter.ErrorCodeNextCycleInvalid, `{"autoRenewEnabled":true,"nextChargeInstructions":{"product":{"billingCycle":"OneTime"}}}`),
		of("a charge for more than the term", "the term is shorter than the next charge's billing cycle", online, 400, partnercenter.ErrorCodeNextCycleTooLong, `{"autoRenewEnabled":true,"nextChargeInstructions":{"product":{"billingCycle":"Annual"}}}`),
		of("a charge for too many seats", "the next charge's quantity is out of the item's range", online, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"autoRenewEnabled":true,"nextChargeInstructions":{"quantity":2000000}}`),
		of("a charge for fewer seats", "seats are to be returned with a charge within the term", yearly, 400, partnercenter.ErrorCodeQuantityNotDecreasable, `{"autoRenewEnabled":true,"nextChargeInstructions":{"quantity":3}}`),
		of("an end", "the present term is to end on another date, at once or with the next charge", online, 400, partnercenter.ErrorCodeCustomEndMismatch, `{"customTermEndDate":"2027-07-31T00:00:00Z"}`),
		of("an end with the next charge", "", online, 400, partnercenter.ErrorCodeCustomEndMismatch, `{"autoRenewEnabled":true,"nextChargeInstructions":{"customTermEndDate":"2027-07-31T00:00:00"}}`),
		of("an end of the next term", "the next term is to end on a date that is not offered", online, 400, partnercenter.ErrorCodeCustomEndMismatch, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"customTermEndDate":"2097-07-31T00:00:00"}}`, "TermStartDate"),
		of("an end of the next term of software", "the next term of something else than an online service is to end on another date", software, 400, partnercenter.ErrorCodeCustomEndNotOffered, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"customTermEndDate":"2027-07-31T00:00:00"}}`),
		of("the next term of licences", "a change of anything but online services and software is scheduled", legacy, 400, partnercenter.ErrorCodeOperationUnoffered, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":3}}`),
		of("the next term of a marketplace product", "", activated, 400, partnercenter.ErrorCodeOperationUnoffered, `{"scheduledNextTermInstructions":{"quantity":3}}`),
		of("another product", "it cannot become the scheduled item", online, 403, partnercenter.ErrorCodeItemNotEligible, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"productId":"CFQ7TTC0HL73","skuId":"0001","availabilityId":"CFQ7TTC0KA7H"}}}`, "CFQ7TTC0HL73"),
		of("a promotion in the next term", "a promotion is named that does not apply, or for anything but a term", online, 400, partnercenter.ErrorCodePromotionInvalid, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"promotionId":"x"}}}`),
		of("the next term of what does not renew", "a change is scheduled of what does not renew", online, 400, property, `{"scheduledNextTermInstructions":{"quantity":3}}`, "autoRenewEnabled"),
		of("the next term of what is suspended", "", suspendedOnline, 400, property, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":3}}`),
		of("a next term that is not sold", "the next term is one that the item is not sold for", online, 400, partnercenter.ErrorCodeNextTermInvalid, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"termDuration":"P9Y"}}}`, "P9Y"),
		of("a next cycle that is not sold", "the item is not sold with the next term's billing cycle", online, 400, partnercenter.ErrorCodeNextCycleInvalid, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"billingCycle":"one_time"}}}`),
		of("a next cycle that is longer than the term", "the next term is shorter than its billing cycle", online, 400, partnercenter.ErrorCodeNextCycleTooLong, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"product":{"billingCycle":"annual"}}}`),
		of("seats that the next term does not have", "the next term's quantity is out of the item's range", online, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":2000000}}`),
		of("a long nickname", "the nickname is too long", legacy, 400, property, `{"friendlyName":"`+strings.Repeat("x", 501)+`"}`, "501"),
		of("seats of a suspended subscription", "the quantity of a suspended legacy subscription is to change", suspendedLegacy, 400, partnercenter.ErrorCodeSubscriptionSuspended, `{"quantity":6}`),
		of("seats of a suspended online service", "the quantity of a suspended subscription in new commerce is to change", suspendedOnline, 400, partnercenter.ErrorCodeSuspendedNoUpdate, `{"quantity":6}`),
		of("seats of Azure", noSeats, azure, 400, partnercenter.ErrorCodeQuantityNotUpdatable, `{"quantity":6}`),
		of("seats of software", "", software, 400, partnercenter.ErrorCodeQuantityNotUpdatable, `{"quantity":6}`),
		of("seats before activation", "the quantity of a marketplace subscription is to change before its activation", marketplace, 400, partnercenter.ErrorCodeSubscriptionNotActivated, `{"quantity":6}`, "activat"),
		of("more seats than there are", "the quantity is out of the item's range", legacy, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"quantity":2000000000}`),
		of("less than no seats", "", legacy, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"quantity":-1}`),
		of("more seats than a trial has", "", trial, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"quantity":26}`),
		of("more seats than a product has", "", activated, 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"quantity":1001}`, "1000"),
		of("quantity 1e18", "", legacy, 400, property, `{"quantity":1e18}`),
		of("a trial that renews", "auto-renewal is to be enabled, and the item has none", trial, 400, partnercenter.ErrorCodeAutoRenewNotEligible, `{"autoRenewEnabled":true}`),
		of("Azure that renews", "", azure, 400, partnercenter.ErrorCodeAutoRenewNotEligible, `{"autoRenewEnabled":true}`),
		of("an expired one", "the status cannot be requested", legacy, 400, partnercenter.ErrorCodeEnumUnparsable, `{"status":"expired"}`, "expired"),
		of("an unknown status", "", legacy, 400, partnercenter.ErrorCodeEnumUnparsable, `{"status":"paused"}`, "paused"),
		of("suspend a savings plan", "a savings plan is to be suspended or deleted", savings, 400, partnercenter.ErrorCodeStatusNotUpdatable, `{"status":"suspended"}`, "autoRenewEnabled"),
		of("delete a savings plan", "", savings, 400, partnercenter.ErrorCodeStatusNotUpdatable, `{"status":"deleted"}`),
		of("two savings plans", "", savings, 400, partnercenter.ErrorCodeQuantityNotUpdatable, `{"quantity":2}`),
		of("suspend a marketplace product", "a marketplace subscription is to be suspended", marketplace, 400, partnercenter.ErrorCodeStatusNotUpdatable, `{"status":"suspended"}`, "deleted"),
		of("delete licences", "a legacy subscription is to be deleted", legacy, 400, partnercenter.ErrorCodeStatusChangeUnsupported, `{"status":"deleted"}`, "Suspend"),
		of("delete legacy Azure", "", azure, 400, partnercenter.ErrorCodeStatusChangeUnsupported, `{"status":"deleted"}`),
		of("reactivate an add-on before its base", "an add-on of an inactive parent is to be reactivated", child, 409, partnercenter.ErrorCodeParentInactive, `{"status":"active"}`),
		withRule(of("rename a deleted one", "", deleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, `{"friendlyName":"gone"}`), "change subscription: it is deleted"),
		withRule(of("suspend a deleted one", "", deleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, `{"status":"suspended"}`), "suspend subscription: it is deleted"),
		withRule(of("reactivate a deleted one", "", deleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, `{"status":"active"}`), "reactivate subscription: it is deleted"),
		withRule(of("delete a deleted one", "", deleted, 400, partnercenter.ErrorCodeSubscriptionDeleted, `{"status":"deleted"}`), "delete subscription: it is deleted"),
		post("register licences", "register a subscription: it is not an Azure subscription", legacy, "/registrations", partnercenter.ErrorCodeSubscriptionNotAzure),
		post("register a suspended one", "register a subscription: it is not active", suspendedAzure, "/registrations", partnercenter.ErrorCodeSubscriptionInactive),
		post("activate licences", "activate a subscription: it is not of a marketplace product", legacy, "/activate", partnercenter.ErrorCodeOperationUnoffered),
		post("activate twice", "activate a subscription: it is already activated", activated, "/activate", partnercenter.ErrorCodeAlreadyActivated),
		of("a subscription of nobody", "", "00000000-0000-0000-0000-000000000001", 404, partnercenter.ErrorCodeSubscriptionNotFound, `{"quantity":6}`),
		of("no GUID", "", "x", 404, partnercenter.ErrorCodeSubscriptionNotFound, `{"quantity":6}`),
	}
	for _, what := range []string{"", "/registrations", "/activate"} {
		other := post("another customer's subscription"+what, "", legacy, what, partnercenter.ErrorCodeSubscriptionNotFound)
		other.path, other.status = subscriptionAt(wingtip, legacy)+what, 404
		stranger := post("a stranger's subscription"+what, "", legacy, what, partnercenter.ErrorCodeNoRelationship)
		stranger.path, stranger.status = subscriptionAt(foreignCustomer(t), legacy)+what, 403
		if what == "" {
			other.method, other.body, stranger.method, stranger.body = http.MethodPatch, `{"quantity":6}`, http.MethodPatch, `{"quantity":6}`
		}
		list = append(list, other, stranger)
	}
	return list
}

// overRefusals are changes of subscriptions whose terms are over.
func overRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	buy := func(customer string, days int) string {
		id := a.placed(t, customer, line(itemTrial, 5)).LineItems[0].SubscriptionID
		a.Clock().Advance(time.Duration(days) * 24 * time.Hour)
		a.token = a.mint(t)
		return subscriptionAt(customer, id)
	}
	a.placed(t, documented, line(itemE3, 1, `"termDuration":"P1M"`))
	disabled, expired := buy(documented, 31), buy(wingtip, 35)
	renewal := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+"?include_system_purchases=true", "", 200)).Items[0]
	a.send(t, http.MethodGet, "/v1"+renewal.Links.ProvisioningStatus.URI, "", 200)
	const now, more = partnercenter.ErrorCodeNoUpdatesNow, partnercenter.ErrorCodeNoMoreUpdates
	of := func(rule, path, body string, code partnercenter.ErrorCode) refusal {
		return refusal{rule: rule, request: request{name: rule, method: http.MethodPatch, path: path, body: body, status: 400, code: code}}
	}
	list := []refusal{
		of("change an order: a renewal placed it", orderAt(documented, renewal.ID), `{"status":"cancelled"}`, partnercenter.ErrorCodeOrderUnprocessable),
		of("change subscription: it is expired", expired, `{"quantity":6}`, now),
		of("suspend subscription: it is expired", expired, `{"status":"suspended"}`, now),
		of("change subscription: it is disabled", disabled, `{"friendlyName":"gone"}`, more),
		of("suspend subscription: it is disabled", disabled, `{"status":"suspended"}`, more),
		of("reactivate subscription: it is disabled", disabled, `{"status":"active"}`, more),
	}
	for command, body := range map[string]string{
		"transition": transitionTo(itemE5, 2, ""),
		"upgrade":    `{"targetOffer":{"id":"` + offerE3 + `"}}`,
		"convert":    `{"targetOfferId":"` + offerPaid + `"}`,
	} {
		what := map[string]string{"transition": "/transitions", "upgrade": "/upgrades", "convert": "/conversions"}[command]
		for _, r := range []refusal{
			of(command+" subscription: it is expired", expired+what, body, now), of(command+" subscription: it is disabled", disabled+what, body, more),
		} {
			r.method = http.MethodPost
			list = append(list, r)
		}
	}
	return list
}

// provisioningRefusals are changes before provisioning.
func provisioningRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	a.Clock().Freeze()
	start := a.Clock().Now()
	azure := a.placed(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID
	base := a.placed(t, documented, line(offerE3, 2)).LineItems[0].SubscriptionID
	a.send(t, http.MethodPost, subscriptionAt(documented, azure)+"/registrations", "null", 202)
	early := a.place(t, documented, line(itemE3, 2))
	a.Clock().Advance(5 * time.Minute)
	known := a.order(t, documented, early.ID).LineItems[0].SubscriptionID
	a.send(t, http.MethodGet, subscriptionAt(documented, known), "", 200)
	a.Clock().Set(start) // who knows its id already asks too early again
	two := a.place(t, documented, line(itemPerpetual, 2), line(itemSoftware, 1))
	of := func(name, rule string, status int, code partnercenter.ErrorCode, body string) refusal {
		return refusal{rule: rule, request: request{name: name, method: http.MethodPatch, path: orderAt(documented, two.ID), body: body, status: status, code: code, must: []string{"provision"}}}
	}
	return []refusal{
		{rule: "change a subscription: it is being provisioned", request: request{name: "a subscription too early", method: http.MethodPatch, path: subscriptionAt(documented, known), body: `{"quantity":3}`, status: 409, code: partnercenter.ErrorCodeSubscriptionNotReady}},
		{request: request{name: "reading it too early", path: subscriptionAt(documented, known), status: 404, code: partnercenter.ErrorCodeSubscriptionNotFound}},
		{rule: "place an order: the Azure subscription's registration is not complete", request: request{name: "a reservation too early", method: http.MethodPost, path: ordersOf(documented), body: orderOf(line(itemReservation, 1, `"provisioningContext":{"scope":"single","subscriptionId":"`+azure+`","duration":"1Year"}`)), status: 400, code: partnercenter.ErrorCodeSubscriptionNotEnabled}},
		of("an add-on too early", "buy an add-on in order: it is pending", 409, partnercenter.ErrorCodePendingAdjustment, `{`+linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+base+`"`))+`}`),
		of("cancel too early", "cancel order: it is pending", 409, partnercenter.ErrorCodePendingAdjustment, `{"status":"cancelled"}`),
		of("cancel a line too early", "cancel lines of order: it is pending", 409, partnercenter.ErrorCodePendingAdjustment, `{"status":"cancelled","lineItems":[{"lineItemNumber":1,"offerId":"`+itemSoftware+`"}]}`),
		of("a cycle too early", "change the billing cycle of order: it is pending", 400, partnercenter.ErrorCodeSyncStateNotCompleted, `{"billingCycle":"annual"}`),
	}
}

// TestCycleLeavesSubscription sends a subscription back that was read before its order's
// billing cycle changed.
func TestCycleLeavesSubscription(t *testing.T) {
	for name, lines := range map[string]string{"a legacy offer": line(offerE3, 2), "new commerce": line(itemE3, 2, `"termDuration":"P1Y"`), "without etags": line(itemMarketplace, 2, `"termDuration":"P1Y"`)} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			o := a.placed(t, documented, lines)
			id := o.LineItems[0].SubscriptionID
			read := string(a.send(t, http.MethodGet, subscriptionAt(documented, id), "", 200))
			a.patchOrder(t, documented, o.ID, `{"billingCycle":"annual"}`)
			renamed := strings.Replace(read, `"friendlyName":"`, `"friendlyName":"our `, 1)
			s := a.patchSubscription(t, documented, id, renamed)
			if !strings.HasPrefix(s.FriendlyName, "our ") || s.BillingCycle != partnercenter.BillingCycleTypeAnnual {
				t.Errorf("subscription %+v", s)
			}
			code := partnercenter.ErrorCodeEtagStale
			if *s.Attributes.Etag == "" {
				code = partnercenter.ErrorCodeCycleNotHere
			}
			a.check(t, request{method: http.MethodPatch, path: subscriptionAt(documented, id), body: read, status: 400, code: code})
			a.check(t, request{method: http.MethodPatch, path: subscriptionAt(documented, id), body: `{"billingCycle":"triennial"}`, status: 400, code: partnercenter.ErrorCodeCycleNotHere})
		})
	}
}

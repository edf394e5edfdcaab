package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestClientsPlace places the same order in the form of each published client
// (clients.md, section 2.2).
func TestClientsPlace(t *testing.T) {
	a := newAPI(t)
	const (
		dotNetLine = `{"LineItemNumber":0,"ProvisioningContext":null,"OfferId":"` + offerE3 + `","SubscriptionId":null,"ParentSubscriptionId":null,"TermDuration":null,"TransactionType":null,"FriendlyName":"seats","Quantity":2,"PartnerIdOnRecord":null,"AdditionalPartnerIdsOnRecord":null,"RenewsTo":null,"PromotionId":null,"CustomTermEndDate":%s,"AttestationAccepted":null,"Pricing":null,"Links":null,"Attributes":{"ObjectType":"OrderLineItem"}}`
		dotNet     = `{"Id":null,"AlternateId":null,"ReferenceCustomerId":"` + documented + `","BillingCycle":"unknown","CurrencyCode":null,"CurrencySymbol":null,"LineItems":[` + dotNetLine + `],"CreationDate":%s,"Status":null,"TransactionType":null,"TotalPrice":null,"PartnerOnRecordAttestationAccepted":null,"Links":null,"Client":null,"Attributes":{"ObjectType":"Order"}}`
	)
	zero := `"0001-01-01T00:00:00"`
	utf8 := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	var want map[string][]any
	for _, r := range []request{
		{name: ".NET", body: fmt.Sprintf(dotNet, "null", "null"), header: http.Header{"User-Agent": {""}}},
		{name: ".NET with zero dates", body: fmt.Sprintf(dotNet, zero, zero)},
		{name: ".NET on behalf of a user", body: fmt.Sprintf(dotNet, "null", "null"), header: http.Header{"x-ms-customeruser-upn": {"ada@customer.example.com"}}},
		{name: "Open .NET", body: `{"ReferenceCustomerId":"` + documented + `","BillingCycle":"Unknown","LineItems":[{"LineItemNumber":0,"OfferId":"` + offerE3 + `","FriendlyName":"seats","Quantity":2,"ProvisioningContext":{},"Attributes":{"ObjectType":"OrderLineItem"}}],"Attributes":{"ObjectType":"Order"}}`},
		{name: "Java", body: `{"referenceCustomerId":"` + documented + `","billingCycle":"monthly","lineItems":[{"lineItemNumber":0,"offerId":"` + offerE3 + `","friendlyName":"seats","quantity":2,"attributes":{"objectType":"OrderLineItem"}}],"totalPrice":0.0,"attributes":{"objectType":"Order"}}`, header: utf8},
		{name: "Node", body: `{"lineItems":[{"offerId":"` + offerE3 + `","friendlyName":"seats","quantity":2,"lineItemNumber":0}],"billingCycle":"monthly"}`},
		{name: "Python", body: `{"lineItems":[{"lineItemNumber":0,"offerId":"` + offerE3 + `","friendlyName":"seats","quantity":2}]}`, header: utf8},
		{name: "with a byte order mark", body: "\xef\xbb\xbf" + orderOf(line(offerE3, 2, `"friendlyName":"seats"`))},
	} {
		t.Run(r.name, func(t *testing.T) {
			r.method, r.path, r.status = http.MethodPost, ordersOf(documented), 201
			resp, body := a.do(t, r)
			if resp.StatusCode != r.status {
				t.Fatalf("%s: %s", resp.Status, body)
			}
			got := contracttest.Flatten(t, body)
			for _, own := range []string{"id", "alternateId", "creationDate", "attributes.etag", "lineItems[].subscriptionId", "links.self.uri", "links.patchOperation.uri", "lineItems[].links.subscription.uri", "lineItems[].links.provisioningStatus.uri", "lineItems[]", "lineItems"} {
				if got[own] == nil && own != "lineItems[]" {
					t.Errorf("no %s in %s", own, body)
				}
				delete(got, own)
			}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("another order than .NET's: %s", diff)
			}
		})
	}
}

// sentBack are the forms in which clients write what they read.
var sentBack = map[string]func(v any) any{
	".NET": func(v any) any {
		return rewrite(v, func(key string, v any) (string, any) {
			if m, ok := v.(map[string]any); ok && m["OfferId"] != nil {
				fill(m, "ProvisioningContext", "ParentSubscriptionId", "TermDuration", "PartnerIdOnRecord", "RenewsTo", "PromotionId", "CustomTermEndDate", "Pricing")
			} else if ok && m["ReferenceCustomerId"] != nil || ok && m["OrderId"] != nil {
				fill(m, "AlternateId", "CurrencySymbol", "Status", "TotalPrice", "ParentSubscriptionId", "PartnerId", "SuspensionReasons", "Actions", "RenewalTermDuration", "RefundOptions")
			}
			return strings.ToUpper(key[:1]) + key[1:], inZone(v, "2006-01-02T15:04:05.9999999+00:00")
		})
	},
	"Open .NET": func(v any) any {
		return rewrite(v, func(key string, v any) (string, any) {
			if text, ok := v.(string); ok && (key == "billingCycle" || key == "status" || key == "billingType") {
				v = pascal(text)
			}
			if m, ok := v.(map[string]any); ok && m["OfferId"] != nil {
				m["ProvisioningContext"] = map[string]any{}
			}
			return strings.ToUpper(key[:1]) + key[1:], inZone(v, "2006-01-02T15:04:05.999Z")
		})
	},
	"Java": func(v any) any {
		v.(map[string]any)["totalPrice"] = 0.0
		return rewrite(v, func(key string, v any) (string, any) { return key, inZone(v, "2006-01-02T15:04:05.000Z") })
	},
	"Python": func(v any) any {
		return rewrite(v, func(key string, v any) (string, any) {
			if key == "links" {
				v = map[string]any{"self": map[string]any{}}
			}
			return key, inZone(v, "2006-01-02T15:04:05.999999Z")
		})
	},
}

// rewrite copies a JSON document with other keys and values; the innermost
// come first.
func rewrite(v any, change func(key string, v any) (string, any)) any {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case []any:
			list := make([]any, len(v))
			for i := range v {
				_, list[i] = change("item", walk(v[i]))
			}
			return list
		case map[string]any:
			m := map[string]any{}
			for key, x := range v {
				key, x := change(key, walk(x))
				m[key] = x
			}
			return m
		}
		return v
	}
	_, v = change("document", walk(v))
	return v
}

// fill adds absent members.
func fill(m map[string]any, names ...string) {
	for _, name := range names {
		if _, ok := m[name]; !ok {
			m[name] = nil
		}
	}
}

// inZone writes a date in UTC; other values stay.
func inZone(v any, layout string) any {
	text, ok := v.(string)
	if !ok || len(text) < len("2006-01-02T15:04:05") || text[4] != '-' {
		return v
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return v
	}
	return at.UTC().Format(layout)
}

func pascal(text string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(text, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// TestSentBack reads every order and subscription of the sample data, and of each kind
// that can be ordered, and sends it back as clients do, which must change nothing.
func TestSentBack(t *testing.T) {
	a := newAPI(t)
	for _, l := range []string{
		line(offerE3, 2), line(offerTrial, 2), line(itemE3, 2), line(itemAzurePlan, 1), line(itemPerpetual, 2), line(itemSoftware, 1), line(itemMarketplace, 1), line(itemPurchaseOrder, 1),
		line(itemReservation, 1, `"provisioningContext":{"scope":"shared","subscriptionId":"A356AC8C-E310-44F4-BF85-C7F29044AF99","duration":"1Year"}`),
	} {
		a.place(t, documented, l)
	}
	for _, item := range []string{itemMarketplace, itemSoftware} {
		gone := a.placed(t, documented, line(item, 2))
		a.patchOrder(t, documented, gone.ID, `{"status":"cancelled"}`)
	}
	suspended := a.placed(t, documented, line(offerE3, 2)).LineItems[0].SubscriptionID
	a.patchSubscription(t, documented, suspended, `{"status":"suspended","autoRenewEnabled":false}`)

	customers := decode[partnercenter.Collection[*partnercenter.Customer]](t, a.send(t, http.MethodGet, "/v1/customers", "", 200))
	sent := 0
	for _, c := range customers.Items {
		before := a.holdings(t, c.ID)
		for list, item := range map[string]func(string, string) string{
			ordersOf(c.ID) + "?include_system_purchases=true": orderAt,
			"/v1/customers/" + c.ID + "/subscriptions":        subscriptionAt,
		} {
			var all struct{ Items []map[string]any }
			if err := json.Unmarshal(a.send(t, http.MethodGet, list, "", 200), &all); err != nil {
				t.Fatal(err)
			}
			for _, m := range all.Items {
				path := item(c.ID, m["id"].(string))
				want := string(a.send(t, http.MethodGet, path, "", 200))
				for client, write := range sentBack {
					var document any
					if err := json.Unmarshal([]byte(want), &document); err != nil {
						t.Fatal(err)
					}
					body, err := json.Marshal(write(document))
					if err != nil {
						t.Fatal(err)
					}
					resp, got := a.do(t, request{method: http.MethodPatch, path: path, body: string(body), status: 200})
					if resp.StatusCode != http.StatusOK || string(got) != want {
						t.Errorf("%s sends back %s:\n%s\n%s: %s", client, path, body, resp.Status, got)
					}
					sent++
				}
			}
		}
		if after := a.holdings(t, c.ID); after != before {
			t.Errorf("customer %s has something else now", c.ID)
		}
	}
	if sent < 1000 {
		t.Errorf("only %d documents were sent back", sent)
	}
}

// TestClientsChange makes changes as the published clients do: within the whole
// resource, or in an object made for the change, which includes default values
// (clients.md, sections 2.2 and 2.4).
func TestClientsChange(t *testing.T) {
	a := newAPI(t)
	buy := func() (string, *partnercenter.Subscription) {
		id := a.placed(t, documented, line(offerE3, 7, `"friendlyName":"seats"`)).LineItems[0].SubscriptionID
		return id, a.subscription(t, documented, id)
	}
	const fresh = `{"Id":null,"OfferId":null,"EntitlementId":null,"OfferName":null,"FriendlyName":null,"Quantity":%s,"UnitType":null,"ParentSubscriptionId":null,"CreationDate":"0001-01-01T00:00:00","EffectiveStartDate":"0001-01-01T00:00:00","CommitmentEndDate":"0001-01-01T00:00:00","Status":"%s","AutoRenewEnabled":false,"IsTrial":false,"BillingType":"none","BillingCycle":"unknown","HasPurchasableAddons":false,"IsMicrosoftProduct":false,"PublisherName":null,"Actions":null,"PartnerId":null,"SuspensionReasons":null,"ContractType":"subscription","RefundOptions":null,"Links":null,"OrderId":null,"TermDuration":null,"RenewalTermDuration":null,"Attributes":{"Etag":null,"ObjectType":"Subscription"}}`
	for name, body := range map[string]string{
		"an object made for it":               fmt.Sprintf(fresh, "0", "suspended"),
		"an object with an id made for it":    strings.Replace(fmt.Sprintf(fresh, "0", "suspended"), `"Id":null`, `"Id":"%s"`, 1),
		"an object with a quantity":           fmt.Sprintf(fresh, "7", "suspended"),
		"an object of Java":                   `{"quantity":0,"status":"suspended","autoRenewEnabled":false,"isTrial":false,"billingCycle":"unknown"}`,
		"few words":                           `{"status":"suspended"}`,
		"a whole subscription with another's": "",
	} {
		id, before := buy()
		if body == "" {
			whole := *before
			whole.Status = partnercenter.SubscriptionStatusSuspended
			data, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			body = string(data)
		}
		got := a.patchSubscription(t, documented, id, strings.Replace(body, "%s", id, 1))
		want := *before
		want.Status, want.SuspensionReasons, want.Attributes = partnercenter.SubscriptionStatusSuspended, got.SuspensionReasons, got.Attributes
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if *got.Attributes.Etag == *before.Attributes.Etag {
			t.Errorf("%s: the etag stays", name)
		}
	}

	// An object made for a change cannot disable renewal by accident; a whole
	// subscription and a minimal body can on purpose.
	for name, body := range map[string]string{
		"whole": `{"Id":"%s","Quantity":7,"AutoRenewEnabled":false,"Status":"active"}`, "few words": `{"AutoRenewEnabled":false}`,
	} {
		id, _ := buy()
		if s := a.patchSubscription(t, documented, id, strings.Replace(body, "%s", id, 1)); *s.AutoRenewEnabled {
			t.Errorf("%s: it still renews", name)
		}
	}

	// The sample that buys an add-on: an order made for it, with the number 0.
	o := a.placed(t, documented, line(offerE3, 7))
	body := `{"Id":null,"ReferenceCustomerId":"` + documented + `","BillingCycle":"unknown","CurrencyCode":null,"LineItems":[{"LineItemNumber":0,"OfferId":"` + offerArchiving + `","SubscriptionId":null,"ParentSubscriptionId":"` + o.LineItems[0].SubscriptionID + `","FriendlyName":"archive","Quantity":3}],"CreationDate":"0001-01-01T00:00:00","Status":null,"Attributes":{"Etag":null,"ObjectType":"Order"}}`
	next := a.patchOrder(t, documented, o.ID, body)
	if len(next.LineItems) != 2 || next.LineItems[1].FriendlyName != "archive" || next.BillingCycle != o.BillingCycle || *next.LineItems[0].Quantity != 7 {
		t.Errorf("%+v", next)
	}
	// A whole order with another cycle, and with the add-on already in it.
	whole := *next
	whole.BillingCycle = "Annual"
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	if o = a.patchOrder(t, documented, o.ID, string(data)); o.BillingCycle != partnercenter.BillingCycleTypeAnnual || len(o.LineItems) != 2 {
		t.Errorf("%+v", o)
	}
	for _, l := range o.LineItems {
		if s := a.subscription(t, documented, l.SubscriptionID); s.BillingCycle != partnercenter.BillingCycleTypeAnnual {
			t.Errorf("subscription of %s is billed %s", l.OfferID, s.BillingCycle)
		}
	}
}

// TestRequestIDs checks when two writes are the same.
func TestRequestIDs(t *testing.T) {
	a := newAPI(t)
	body := orderOf(line(offerE3, 2))
	count := func() int {
		return decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented), "", 200)).TotalCount
	}
	before := count()
	write := func(method, path, body string, header http.Header, status int) string {
		t.Helper()
		resp, got := a.do(t, request{method: method, path: path, body: body, header: header, status: status})
		if resp.StatusCode != status {
			t.Fatalf("%s %s: %s: %s", method, path, resp.Status, got)
		}
		return string(got)
	}
	post := func(header http.Header) string {
		t.Helper()
		return write(http.MethodPost, ordersOf(documented), body, header, 201)
	}
	if one, other := post(nil), post(nil); one == other || count() != before+2 {
		t.Error("two orders without an id are one")
	}
	// A scoped object of .NET has one id for all its calls.
	write(http.MethodGet, ordersOf(documented), "", sharedID, 200)
	first := post(sharedID)
	upper := http.Header{"MS-RequestId": {"65B26053-37D0-4303-9FD1-46AD8012BCB6"}}
	if post(sharedID) != first || post(upper) != first || count() != before+3 {
		t.Error("a repeated order was placed again")
	}
	o := decode[partnercenter.Order](t, []byte(first))
	at := orderAt(documented, o.ID)
	yearly := write(http.MethodPatch, at, `{"billingCycle":"annual"}`, sharedID, 200)
	if !strings.Contains(yearly, `"billingCycle":"annual"`) {
		t.Errorf("a change under the order's id: %s", yearly)
	}
	subscription := subscriptionAt(documented, o.LineItems[0].SubscriptionID)
	renamed := write(http.MethodPatch, subscription, `{"friendlyName":"once"}`, sharedID, 200)
	a.patchSubscription(t, documented, o.LineItems[0].SubscriptionID, `{"friendlyName":"twice"}`)
	if again := write(http.MethodPatch, subscription, `{"friendlyName":"once"}`, sharedID, 200); again != renamed {
		t.Errorf("the repetition answers %s", again)
	}
	if s := a.subscription(t, documented, o.LineItems[0].SubscriptionID); s.FriendlyName != "twice" {
		t.Errorf("the repetition took effect: it is called %s", s.FriendlyName)
	}
	// The same id for another customer is another write.
	if other := write(http.MethodPost, ordersOf(wingtip), body, sharedID, 201); other == first {
		t.Error("another customer's order is the first's")
	}
	// A refusal is not stored: the id can be used again.
	id := http.Header{"MS-RequestId": {"0a0ba0f1-5d2c-4d0f-9a6e-0f7d4f6f2d11"}}
	write(http.MethodPatch, subscription, `{"quantity":-5}`, id, 400)
	write(http.MethodPatch, subscription, `{"quantity":5}`, id, 200)
}

// An order that was listed stays listed when the clock goes back and it is changed, and its
// subscription is there.
func TestListedBefore(t *testing.T) {
	for name, lag := range map[string]time.Duration{"at once": 0, "later": 15 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, partnercentertest.Options{OrderLag: lag}).as(t, adminAgent)
			list := func() int {
				t.Helper()
				return decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented), "", 200)).TotalCount
			}
			before := list()
			o := a.place(t, documented, line(offerE3, 2))
			a.Clock().Advance(lag)
			a.patchOrder(t, documented, o.ID, `{"billingCycle":"annual"}`)
			a.Clock().Set(time.Now().Add(-30 * time.Second)) // no more than tokens bear
			a.patchOrder(t, documented, o.ID, `{"billingCycle":"monthly"}`)
			if n := list(); n != before+1 {
				t.Errorf("%d orders are listed of %d", n, before+1)
			}
			a.subscription(t, documented, o.LineItems[0].SubscriptionID)
		})
	}
}

// TestOrderLag places orders that appear in lists later than they can be read.
func TestOrderLag(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{OrderLag: 15 * time.Minute, ProvisioningTime: 5 * time.Minute}).as(t, adminAgent)
	a.Clock().Freeze()
	listed := func(query string) (total int, ids string) {
		t.Helper()
		list := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(documented)+query, "", 200))
		if list.TotalCount != len(list.Items) {
			t.Errorf("totalCount %d of %d items", list.TotalCount, len(list.Items))
		}
		for _, o := range list.Items {
			ids += o.ID + " "
		}
		return list.TotalCount, ids
	}
	before, _ := listed("")
	legacy := a.place(t, documented, line(offerE3, 2))
	newer := a.place(t, documented, line(itemE3, 2))
	a.order(t, documented, legacy.ID)
	if o := a.order(t, documented, newer.ID); o.Status != partnercenter.OrderStatusPending || o.LineItems[0].SubscriptionID != "" || o.LineItems[0].Links.Subscription != nil {
		t.Errorf("%+v", o)
	}
	provisioning := func(status string) {
		t.Helper()
		a.check(t, request{path: orderAt(documented, newer.ID) + "/provisioningstatus", status: 200, must: []string{`"totalCount":1,`, `"status":"` + status + `"`}})
	}
	subscriptions := func() int {
		t.Helper()
		return decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/subscriptions?order_id="+newer.ID, "", 200)).TotalCount
	}
	provisioning("prefulfillmentPending")
	if n := subscriptions(); n != 0 {
		t.Errorf("%d subscriptions while the order is pending", n)
	}
	// A change of an order that is not listed yet does not list it.
	a.patchOrder(t, documented, legacy.ID, `{"billingCycle":"annual"}`)
	for _, step := range []struct {
		advance     time.Duration
		visible     int
		provisioned bool
	}{
		{0, 0, false}, {5*time.Minute - time.Microsecond, 0, false}, {time.Microsecond, 0, true}, {10*time.Minute - time.Microsecond, 0, true}, {time.Microsecond, 2, true},
	} {
		a.Clock().Advance(step.advance)
		if n, ids := listed(""); n != before+step.visible || strings.Contains(ids, newer.ID) != (step.visible > 0) {
			t.Errorf("%s: %d orders are listed, want %d", step.advance, n, before+step.visible)
		}
		if n, _ := listed("?billingType=annual"); n != step.visible/2 {
			t.Errorf("%s: %d yearly orders are listed", step.advance, n)
		}
		o := a.order(t, documented, newer.ID)
		if got := o.Status == partnercenter.OrderStatusCompleted && o.LineItems[0].SubscriptionID != ""; got != step.provisioned || (subscriptions() == 1) != got {
			t.Errorf("%s: provisioned is %v", step.advance, got)
		}
		if step.provisioned {
			provisioning("fulfilled")
			a.subscription(t, documented, o.LineItems[0].SubscriptionID)
		}
	}
	// A purchase order may take any time.
	waiting := a.place(t, documented, line(itemPurchaseOrder, 1))
	a.Clock().Advance(30 * 24 * time.Hour)
	a.token = a.mint(t)
	a.check(t, request{path: orderAt(documented, waiting.ID) + "/provisioningstatus", status: 200, must: []string{`"status":"unfulfilled"`}})
	if o := a.order(t, documented, waiting.ID); o.Status != partnercenter.OrderStatusPendingPOUpload {
		t.Errorf("it is %s", o.Status)
	}
}

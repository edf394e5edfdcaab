package server_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestOrderKinds places an order of each kind and checks what the documentation says
// about its id, status, dates, etag, links and subscriptions.
func TestOrderKinds(t *testing.T) {
	a := newAPI(t)
	const azure = `"provisioningContext":{"scope":"shared","subscriptionId":"A356AC8C-E310-44F4-BF85-C7F29044AF99","duration":"1Year"}`
	guid := `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	for _, tt := range []struct {
		name, line   string
		id, date     string
		cycle        string
		first, later string // status as answered to POST and to GET
		subscription bool
		mustNot      []string
	}{
		{"legacy offer", line(offerE3, 3), guid, `\.\d{3}-08:00`, "monthly", "completed", "completed", true, []string{`"product":`, `"availability":`}},
		{"trial", line(offerTrial, 25), guid, `\.\d{3}-08:00`, "none", "completed", "completed", true, nil},
		{"Azure by use", line(offerAzure, 1), guid, `\.\d{3}-08:00`, "monthly", "completed", "completed", true, nil},
		{"online service", line(itemE3, 3), `[0-9a-f]{12}`, `\.\d{7}Z`, "monthly", "pending", "completed", true, []string{`"etag"`}},
		{"Azure plan", line(itemAzurePlan, 1), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "one_time", "pending", "completed", true, []string{`"etag"`}},
		{"reservation", line(itemReservation, 1, azure), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "one_time", "pending", "completed", false, []string{`"etag"`, "provisioningContext"}},
		{"perpetual software", line(itemPerpetual, 2), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "one_time", "pending", "completed", false, []string{`"etag"`}},
		{"software subscription", line(itemSoftware, 2, `"termDuration":"P3Y"`), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "one_time", "pending", "completed", true, []string{`"etag"`}},
		{"marketplace", line(itemMarketplace, 2), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "monthly", "pending", "completed", true, []string{`"etag"`}},
		{"needs a purchase order", line(itemPurchaseOrder, 1), `[A-Za-z0-9_-]{32}1`, `\.\d{7}Z`, "one_time", "pending_po_upload", "pending_po_upload", false, []string{`"etag"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, body := a.do(t, request{method: http.MethodPost, path: ordersOf(documented), body: orderOf(tt.line), status: 201})
			checkKeys(t, tt.name, body)
			placed := decode[partnercenter.Order](t, body)
			match(t, "id", placed.ID, "^"+tt.id+"$")
			match(t, "creationDate", placed.CreationDate.String(), tt.date+"$")
			got := a.send(t, http.MethodGet, orderAt(documented, placed.ID), "", 200)
			o := decode[partnercenter.Order](t, got)
			if string(placed.Status) != tt.first || string(o.Status) != tt.later {
				t.Errorf("status %s, then %s", placed.Status, o.Status)
			}
			if string(o.BillingCycle) != tt.cycle || o.CurrencyCode != "USD" || o.CurrencySymbol != "$" || o.ReferenceCustomerID != documented || o.TransactionType != partnercenter.OrderTransactionTypeUserPurchase {
				t.Errorf("%s", got)
			}
			legacy := tt.id == guid
			if has := o.Attributes.Etag != nil; has != legacy {
				t.Errorf("an etag: %v", has)
			}
			if legacy != (o.AlternateID == o.ID) && len(o.ID) != 12 {
				t.Errorf("alternate id %s of %s", o.AlternateID, o.ID)
			}
			if has := o.Links.ProvisioningStatus != nil; has == legacy {
				t.Errorf("a link to the provisioning status: %v", has)
			}
			l := o.LineItems[0]
			if *l.LineItemNumber != 0 || (l.SubscriptionID != "") != tt.subscription || (l.Links.Subscription != nil) != tt.subscription {
				t.Errorf("%s", got)
			}
			if !legacy && (placed.LineItems[0].SubscriptionID != "" || l.Links.Availability == nil || l.Links.Product == nil) {
				t.Errorf("%s\n%s", body, got)
			}
			if l.FriendlyName == "" {
				t.Error("no title where there is no friendly name")
			}
			for _, mustNot := range tt.mustNot {
				if strings.Contains(string(got), mustNot) {
					t.Errorf("%s is in %s", mustNot, got)
				}
			}
			if strings.Contains(string(got), "pricing") || legacy && placed.TotalPrice != "" {
				t.Errorf("prices that nobody asked for: %s\n%s", body, got)
			}
			priced := decode[partnercenter.Order](t, a.send(t, http.MethodGet, orderAt(documented, placed.ID)+"?include_price=true", "", 200))
			byUse := strings.HasPrefix(tt.name, "Azure")
			if p := priced.LineItems[0].Pricing; byUse && p != nil {
				t.Errorf("a price of what is billed by use: %+v", p)
			} else if !byUse && (p == nil || p.ExtendedPrice.Cmp(priced.TotalPrice) != 0) {
				t.Errorf("prices: %+v, in total %s", p, priced.TotalPrice)
			}
			if diff := cmp.Diff(priced.LineItems[0].Pricing, placed.LineItems[0].Pricing); !legacy && (diff != "" || placed.TotalPrice != priced.TotalPrice) {
				t.Errorf("the answer to the placement has other prices: %s, in total %s", diff, placed.TotalPrice)
			}
			if tt.subscription {
				s := a.subscription(t, documented, l.SubscriptionID)
				if s.OrderID != o.ID || !strings.EqualFold(s.OfferID, l.OfferID) || *s.Quantity != *l.Quantity || s.Status != partnercenter.SubscriptionStatusActive {
					t.Errorf("subscription %+v", s)
				}
			}
		})
	}
}

// TestOrderLines places orders whose lines stand in another order than their
// numbers, and without numbers.
func TestOrderLines(t *testing.T) {
	a := newAPI(t)
	offers := func(o *partnercenter.Order) (list []string) {
		for i, l := range o.LineItems {
			if *l.LineItemNumber != i {
				t.Errorf("line %d has number %d", i, *l.LineItemNumber)
			}
			list = append(list, l.OfferID)
		}
		return list
	}
	for name, body := range map[string]string{
		"in order":          orderOf(line(offerE3, 1), line(offerExchange, 2)),
		"in another order":  `{"LineItems":[{"LineItemNumber":1,"OfferId":"` + offerExchange + `","Quantity":2},{"LineItemNumber":0,"OfferId":"` + offerE3 + `","Quantity":1}]}`,
		"without numbers":   `{"lineItems":[{` + line(offerE3, 1) + `},{` + line(offerExchange, 2) + `}]}`,
		"ids in lower case": orderOf(line(strings.ToLower(offerE3), 1), line(strings.ToLower(offerExchange), 2)),
	} {
		o := decode[partnercenter.Order](t, a.send(t, http.MethodPost, ordersOf(documented), body, 201))
		if diff := cmp.Diff([]string{offerE3, offerExchange}, offers(o)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestBillingCycleSpellings places orders with every spelling of a cycle.
func TestBillingCycleSpellings(t *testing.T) {
	a := newAPI(t)
	for spelled, want := range map[string]string{
		`"annual"`: "annual", `"Annual"`: "annual", `2`: "annual", `"ANNUAL"`: "annual", `"monthly"`: "monthly",
		`"unknown"`: "monthly", `"Unknown"`: "monthly", `0`: "monthly", `null`: "monthly", `""`: "monthly",
	} {
		body := `{"billingCycle":` + spelled + `,` + linesOf(line(offerE3, 1)) + `}`
		if o := decode[partnercenter.Order](t, a.send(t, http.MethodPost, ordersOf(documented), body, 201)); string(o.BillingCycle) != want {
			t.Errorf("%s became %s", spelled, o.BillingCycle)
		}
	}
}

// TestNulls sends members that are null, known and unknown, in requests of every kind:
// they count as absent, and no answer has one.
func TestNulls(t *testing.T) {
	a := newAPI(t)
	order := a.place(t, documented, line(offerE3, 3, `"partnerIdOnRecord":null,"renewsTo":null,"later":null`))
	subscription := order.LineItems[0].SubscriptionID
	a.send(t, http.MethodPatch, orderAt(documented, order.ID), `{"id":null,"status":null,"billingCycle":"annual","later":null,"lineItems":null}`, 200)
	a.send(t, http.MethodPatch, subscriptionAt(documented, subscription), `{"friendlyName":"named","quantity":null,"suspensionReasons":null,"later":null}`, 200)
	for _, path := range []string{ordersOf(documented), orderAt(documented, order.ID), subscriptionAt(documented, subscription)} {
		if got := a.send(t, http.MethodGet, path, "", 200); strings.Contains(string(got), "null") {
			t.Errorf("%s has a null: %s", path, got)
		}
	}
	if got := a.subscription(t, documented, subscription); got.BillingCycle != "annual" || got.FriendlyName != "named" {
		t.Errorf("billing cycle %s, name %s", got.BillingCycle, got.FriendlyName)
	}
}

// TestAddOn buys add-ons by changing an order, in both commerces.
func TestAddOn(t *testing.T) {
	a := newAPI(t)
	for _, items := range [][2]string{{offerE3, offerArchiving}, {itemE3, itemArchiving}} {
		o := a.placed(t, documented, line(items[0], 5))
		base := o.LineItems[0].SubscriptionID
		next := a.patchOrder(t, documented, o.ID, `{"lineItems":[{"lineItemNumber":0,`+line(items[1], 2, `"parentSubscriptionId":"`+base+`"`)+`}]}`)
		if len(next.LineItems) != 2 || *next.LineItems[1].LineItemNumber != 1 || next.CreationDate.String() != o.CreationDate.String() {
			t.Fatalf("%+v", next)
		}
		if diff := cmp.Diff(o.LineItems[0], next.LineItems[0]); diff != "" {
			t.Error(diff)
		}
		if o.Attributes.Etag != nil && *next.Attributes.Etag == *o.Attributes.Etag {
			t.Error("the etag stays")
		}
		addOn := a.order(t, documented, o.ID).LineItems[1].SubscriptionID
		if s := a.subscription(t, documented, addOn); s.ParentSubscriptionID != base || s.OrderID != o.ID {
			t.Errorf("%+v", s)
		}
		list := decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, subscriptionAt(documented, strings.ToUpper(base))+"/addons", "", 200))
		if list.TotalCount != 1 || len(list.Items) != 1 || list.Items[0].ID != addOn {
			t.Errorf("add-ons: %+v", list)
		}
	}
}

// TestCancelSoftware cancels lines of a software order one after the other.
func TestCancelSoftware(t *testing.T) {
	for name, options := range map[string]partnercentertest.Options{"sandbox": {}, "production": {Production: true}} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, options).as(t, adminAgent)
			o := a.placed(t, documented, line(itemPerpetual, 2), line("DG7GMGF0DWM3:0002:DG7GMGF0DT1M", 4), line(itemSoftware, 3))
			quantities := func(o *partnercenter.Order) (list []int) {
				for _, l := range o.LineItems {
					list = append(list, *l.Quantity)
				}
				return list
			}
			o = a.patchOrder(t, documented, o.ID, `{"id":"`+o.ID+`","status":"cancelled","lineItems":[{"lineItemNumber":1,"offerId":"DG7GMGF0DWM3:0002:DG7GMGF0DT1M"}]}`)
			if diff := cmp.Diff([]int{2, 0, 3}, quantities(o)); diff != "" || o.Status != partnercenter.OrderStatusCompleted {
				t.Errorf("status %s, %s", o.Status, diff)
			}
			priced := decode[partnercenter.Order](t, a.send(t, http.MethodGet, orderAt(documented, o.ID)+"?include_price=true", "", 200))
			if want := "4290.00"; string(priced.TotalPrice) != want { // 2 of 18 and 3 of 1418
				t.Errorf("the rest costs %s, want %s", priced.TotalPrice, want)
			}
			software := o.LineItems[2].SubscriptionID
			o = a.patchOrder(t, documented, o.ID, `{"status":"cancelled"}`)
			if diff := cmp.Diff([]int{0, 0, 0}, quantities(o)); diff != "" || o.Status != partnercenter.OrderStatusCancelled {
				t.Errorf("status %s, %s", o.Status, diff)
			}
			if s := a.subscription(t, documented, software); s.Status != partnercenter.SubscriptionStatusDeleted {
				t.Errorf("the subscription is %s", s.Status)
			}
			got := string(a.send(t, http.MethodGet, orderAt(documented, o.ID)+"/provisioningstatus", "", 200))
			if strings.Count(got, `"status":"cancelled"`) != 6 {
				t.Error(got)
			}
		})
	}
}

// TestActivationLinks follows an order of marketplace products through its
// activation.
func TestActivationLinks(t *testing.T) {
	a := newAPI(t)
	o := a.placed(t, documented, line(itemMarketplace, 2), line("DZH318Z0C0WF:0002:DZH318Z0BP6C", 1))
	order := orderAt(documented, o.ID)
	list := decode[partnercenter.Collection[partnercenter.OrderLineItemActivationLink]](t, a.send(t, http.MethodGet, order+"/activationlinks", "", 200))
	if list.TotalCount != 2 || len(list.Items) != 2 || *list.Items[1].LineItemNumber != 1 || !strings.HasPrefix(list.Items[1].Link.URI, a.URL) {
		t.Fatalf("%+v", list)
	}
	page, err := http.Get(list.Items[1].Link.URI)
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if page.StatusCode != http.StatusOK {
		t.Errorf("the link leads to %s", page.Status)
	}
	one := decode[partnercenter.Collection[partnercenter.OrderLineItemActivationLink]](t, a.send(t, http.MethodGet, order+"/lineitems/1/activationlinks", "", 200))
	if diff := cmp.Diff(list.Items[1:], one.Items); diff != "" {
		t.Error(diff)
	}
	if other := string(a.send(t, http.MethodGet, orderAt(documented, exampleOrder)+"/activationlinks", "", 200)); !strings.Contains(other, `"totalCount":0,"items":[]`) {
		t.Errorf("links of licences: %s", other)
	}
}

// atOnce sends a request concurrently and counts the statuses and codes of the answers.
func (a *api) atOnce(t *testing.T, n int, r request) map[string]int {
	t.Helper()
	r.invalid = true // some of them are
	results := make(chan string, n)
	for range n {
		go func() {
			resp, got := a.do(t, r)
			var e partnercenter.ErrorBody
			if err := partnercenter.Unmarshal(got, &e); err != nil {
				t.Error(err)
			}
			results <- strings.TrimSuffix(fmt.Sprintf("%d/%s", resp.StatusCode, e.Code), "/")
		}()
	}
	counts := map[string]int{}
	for range n {
		counts[<-results]++
	}
	return counts
}

// TestTwoAtOnce concurrently sends what only one may do: one succeeds.
func TestTwoAtOnce(t *testing.T) {
	const sides = 8
	a := newAPI(t)
	software := a.placed(t, documented, line(itemPerpetual, 2))
	marketplace := a.placed(t, documented, line(itemMarketplace, 2)).LineItems[0].SubscriptionID
	licences := a.placed(t, documented, line(offerE3, 2))
	seats := licences.LineItems[0].SubscriptionID
	etag := *a.subscription(t, documented, seats).Attributes.Etag
	sandbox := newAPI(t, partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6, Seed: strings.NewReader(sandboxSeed(2))})
	for range 4 {
		sandbox.place(t, sandboxCustomer(0), line(offerE3, 1))
	}
	for _, tt := range []struct {
		a       *api
		r       request
		success int
		refusal string
	}{
		{a, request{name: "cancel an order", method: http.MethodPatch, path: orderAt(documented, software.ID), body: `{"status":"cancelled"}`}, 200, "400/800061"},
		{a, request{name: "cancel a subscription", method: http.MethodPatch, path: subscriptionAt(documented, marketplace), body: `{"status":"deleted"}`}, 200, "400/2011"},
		{a, request{name: "change what was read", method: http.MethodPatch, path: subscriptionAt(documented, seats), body: `{"quantity":3,"attributes":{"etag":"` + etag + `"}}`}, 200, "400/2055"},
		{a, request{name: "change the order that was read", method: http.MethodPatch, path: orderAt(documented, licences.ID), body: `{"billingCycle":"annual","attributes":{"etag":"` + *licences.Attributes.Etag + `"}}`}, 200, "400/2055"},
		{a, request{name: "the only trial", method: http.MethodPost, path: ordersOf(documented), body: orderOf(line(offerTrial, 1))}, 201, "400/27006"},
		{sandbox, request{name: "the fifth subscription", method: http.MethodPost, path: ordersOf(sandboxCustomer(0)), body: orderOf(line(offerE3, 1))}, 201, "403/800066"},
	} {
		if diff := cmp.Diff(map[string]int{fmt.Sprint(tt.success): 1, tt.refusal: sides - 1}, tt.a.atOnce(t, sides, tt.r)); diff != "" {
			t.Errorf("%s: %s", tt.r.name, diff)
		}
	}
}

// TestNoUpdateIsLost changes an order concurrently; each change adds something.
func TestNoUpdateIsLost(t *testing.T) {
	const sides = 16
	a := newAPI(t)
	o := a.placed(t, documented, line(offerE3, 5))
	addOn := `{` + linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+o.LineItems[0].SubscriptionID+`"`)) + `}`
	got := a.atOnce(t, sides, request{method: http.MethodPatch, path: orderAt(documented, o.ID), body: addOn})
	if diff := cmp.Diff(map[string]int{"200": sides}, got); diff != "" {
		t.Fatal(diff)
	}
	o = a.order(t, documented, o.ID)
	seen := map[string]bool{}
	for i, l := range o.LineItems {
		if *l.LineItemNumber != i || seen[l.SubscriptionID] {
			t.Errorf("line %d has number %d and subscription %s", i, *l.LineItemNumber, l.SubscriptionID)
		}
		seen[l.SubscriptionID] = true
	}
	if len(o.LineItems) != 1+sides {
		t.Errorf("%d lines, want %d", len(o.LineItems), 1+sides)
	}
	want := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":"%s","version":%d}`, o.ID, 1+sides))
	if *o.Attributes.Etag != want {
		t.Errorf("the etag is %s, want %s", *o.Attributes.Etag, want)
	}
}

// TestOfferLimit cannot be circumvented with spaces.
func TestOfferLimit(t *testing.T) {
	a := newAPI(t)
	a.place(t, wingtip, line(offerTrial, 1))
	a.check(t, request{method: http.MethodPost, path: ordersOf(wingtip), body: orderOf(line(offerTrial+" ", 1)), status: 400, code: partnercenter.ErrorCodeOfferLimit})
}

// TestTrialTerm writes what follows a trial as an object and as a list of one.
func TestTrialTerm(t *testing.T) {
	a := newAPI(t)
	for i, renewsTo := range []string{`{"termDuration":"P1Y"}`, `[{"termDuration":"P1Y"}]`} {
		customer := []string{documented, wingtip}[i]
		_, body := a.do(t, request{method: http.MethodPost, path: ordersOf(customer), body: orderOf(line("CFQ7TTC0LCHC:0005:CFQ7TTC0KJ2M", 1, `"renewsTo":`+renewsTo)), status: 201})
		if !strings.Contains(string(body), `"renewsTo":{"termDuration":"P1Y"}`) || !strings.Contains(string(body), `"billingCycle":"none"`) {
			t.Errorf("%s: %s", renewsTo, body)
		}
	}
}

// TestEtags checks which of two etags counts, and that none is reused.
func TestEtags(t *testing.T) {
	a := newAPI(t)
	o := a.placed(t, documented, line(offerE3, 2))
	s := o.LineItems[0].SubscriptionID
	for _, tt := range []struct {
		path         string
		first, later string // changes that take turns
	}{
		{orderAt(documented, o.ID), `"billingCycle":"annual"`, `"billingCycle":"monthly"`},
		{subscriptionAt(documented, s), `"friendlyName":"one"`, `"friendlyName":"two"`},
	} {
		etag := func() string {
			return *decode[partnercenter.Order](t, a.send(t, http.MethodGet, tt.path, "", 200)).Attributes.Etag
		}
		turn := 0
		seen := map[string]bool{etag(): true}
		stale := etag()
		change := func(ifMatch, body string) request {
			turn++
			next := []string{tt.first, tt.later}[(turn+1)%2]
			r := request{method: http.MethodPatch, path: tt.path, body: `{` + next + body + `}`, header: http.Header{}, status: 200}
			if ifMatch != "" {
				r.header.Set("If-Match", ifMatch)
			}
			return r
		}
		in := func(etag string) string { return `,"Attributes":{"Etag":"` + etag + `","ObjectType":"x"}` }
		works := func(name string, r request) {
			t.Helper()
			t.Run(name, func(t *testing.T) { a.check(t, r) })
			if e := etag(); seen[e] {
				t.Errorf("%s: etag %s came before", name, e)
			} else {
				seen[e] = true
			}
		}
		fails := func(name string, r request) {
			t.Helper()
			turn--
			r.status, r.code, r.must = 400, partnercenter.ErrorCodeEtagStale, []string{"Read it again"}
			before := a.holdings(t, documented)
			t.Run(name, func(t *testing.T) { a.check(t, r) })
			if a.holdings(t, documented) != before {
				t.Errorf("%s: something changed", name)
			}
			noteRefusal(400, partnercenter.ErrorCodeEtagStale, "")
		}
		works("none", change("", ""))
		works("empty in the body", change("", in("")))
		works("in the body", change("", in(etag())))
		works("quoted header", change(`"`+etag()+`"`, ""))
		works("bare header", change(etag(), ""))
		works("weak header", change(`W/"`+etag()+`"`, ""))
		works("any", change("*", in(stale)))
		works("header before body", change(`"`+etag()+`"`, in(stale)))
		fails("stale in the body", change("", in(stale)))
		fails("stale header", change(`"`+stale+`"`, ""))
		fails("stale header before good body", change(`"`+stale+`"`, in(etag())))
		fails("no etag at all", change(`"x"`, ""))
	}
}

// TestIndirectReseller orders for a reseller, which an app alone cannot do.
func TestIndirectReseller(t *testing.T) {
	a := newAPI(t)
	user := a.as(t, "admin.agent@contosocsp.onmicrosoft.com")
	body := `{"ReferenceCustomerId":"` + documented + `","BillingCycle":"unknown",` + linesOf(line(offerE3, 1, `"partnerIdOnRecord":"5081207"`), line(offerExchange, 1)) + `}`
	o := decode[partnercenter.Order](t, user.send(t, http.MethodPost, ordersOf(documented), body, 201))
	if o.BillingCycle != partnercenter.BillingCycleTypeMonthly || o.LineItems[0].PartnerIDOnRecord != "5081207" || o.LineItems[1].PartnerIDOnRecord != "" {
		t.Errorf("%+v", o)
	}
	list := decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+documented+"/subscriptions?mpn_id=5081207", "", 200))
	if list.TotalCount != 1 || *list.Items[0].PartnerID != "5081207" || list.Items[0].OrderID != o.ID {
		t.Errorf("%+v", list)
	}
	if got := string(a.send(t, http.MethodGet, ordersOf(documented)+"?indirect_reseller_id=5081207", "", 200)); !strings.Contains(got, o.ID) || !strings.Contains(got, `"totalCount":1,`) {
		t.Error(got)
	}
	// The SDK, with a user behind the token and without.
	order := &partnercenter.Order{ReferenceCustomerID: documented, LineItems: []partnercenter.OrderLineItem{
		{LineItemNumber: new(0), OfferID: offerE3, Quantity: new(1), PartnerIDOnRecord: "5081207"},
	}}
	if _, err := a.UserClient("sales.agent@contosocsp.onmicrosoft.com").Customers.ByID(documented).Orders.Create(t.Context(), order); err != nil {
		t.Error(err)
	}
	var refused *partnercenter.CredentialError
	if _, err := a.Client().Customers.ByID(documented).Orders.Create(t.Context(), order); !errors.As(err, &refused) || refused.Reason != partnercenter.CredentialReasonNeedsUser {
		t.Errorf("an app of its own: %v", err)
	}
	a.refuse(t, []refusal{
		{rule: "place an order: a line has an indirect reseller's MPN id, but the token has no user", request: request{name: "an app of its own", body: body, status: 403, code: partnercenter.ErrorCodeRoleNotGranted, must: []string{"App+User"}}},
	})
	user.refuse(t, []refusal{
		{rule: "place an order: an order for an indirect reseller has no referenceCustomerId", request: request{name: "no customer in the body", body: orderOf(line(offerE3, 1, `"partnerIdOnRecord":"5081207"`)), status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"referenceCustomerId"}}},
		{rule: "place an order: the partner on record is the indirect provider itself", request: request{name: "the provider's own MPN id", body: strings.ReplaceAll(body, "5081207", "5080911"), status: 404, code: partnercenter.ErrorCodeMPNIsProvider, must: []string{"5080911"}}},
		{rule: "place an order: the MPN id is unknown", request: request{name: "an MPN id of nobody", body: strings.ReplaceAll(body, "5081207", "1234567"), status: 404, code: partnercenter.ErrorCodeMPNUnknown, must: []string{"1234567"}}},
		{rule: "place an order: the MPN id is not an indirect reseller's", request: request{name: "another provider's MPN id", body: strings.ReplaceAll(body, "5081207", "5080977"), status: 400, code: partnercenter.ErrorCodeMPNNotReseller, must: []string{"5080977"}}},
		{request: request{name: "an additional partner of nobody", body: strings.ReplaceAll(body, `"partnerIdOnRecord":"5081207"`, `"partnerIdOnRecord":"5081207","additionalPartnerIdsOnRecord":["7654321"]`), status: 404, code: partnercenter.ErrorCodeMPNUnknown, must: []string{"7654321"}}},
	})
}

// placeRefusals are orders that no setting allows.
func placeRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	unregistered := a.placed(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID
	suspended := a.placed(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID
	a.patchSubscription(t, documented, suspended, `{"status":"suspended"}`)
	base := a.placed(t, documented, line(offerE3, 2)).LineItems[0].SubscriptionID
	a.patchSubscription(t, documented, base, `{"status":"suspended"}`)
	a.place(t, documented, line(offerTrial, 1))
	const (
		austria = "7046ad9e-f51b-4b38-92c7-c0e83d6f15a4"
		azure   = "A356AC8C-E310-44F4-BF85-C7F29044AF99"
	)
	reservation := func(item, subscription string, more ...string) string {
		context := append([]string{`"SCOPE":"Shared"`, `"subscriptionid":"` + subscription + `"`, `"duration":"1Year"`}, more...)
		return orderOf(line(item, 1, `"provisioningContext":{`+strings.Join(context, ",")+`}`))
	}
	of := func(name, rule string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		if rule != "" {
			rule = "place an order: " + rule
		}
		return refusal{rule: rule, request: request{name: name, body: body, status: status, code: code, must: must}}
	}
	const (
		property = partnercenter.ErrorCodeInvalidProperty
		numbers  = "line item numbers have gaps or repeats"
		legacy   = "the quantity of a legacy offer is out of its range"
		seats    = "the quantity of a catalog item is out of its range"
		addOn    = "an add-on has no parent or one of another offer, or something else has a parent"
		together = "legacy offers and catalog items, or offers of different sales groups, are ordered together"
		cycle    = "an item is not sold with the billing cycle"
	)
	two := func(first, second string) string {
		return `{"lineItems":[{"lineItemNumber":` + first + `,` + line(offerE3, 1) + `},{"lineItemNumber":` + second + `,` + line(offerExchange, 1) + `}]}`
	}
	var many []string
	for range 501 {
		many = append(many, line(offerE3, 1))
	}
	list := []refusal{
		of("no lines", "there are no line items", 400, property, `{}`, "lineItems"),
		of("lines null", "", 400, property, `{"lineItems":null}`, "lineItems"),
		of("lines empty", "", 400, property, `{"lineItems":[]}`, "lineItems"),
		of("501 lines", "there are more than 500 line items", 400, partnercenter.ErrorCodeInvalidInput, orderOf(many...), "501"),
		of("line numbers from 1", numbers, 400, partnercenter.ErrorCodeLineNumbers, two("1", "2"), "from 0 to 1, not 2"),
		of("line numbers with a gap", "", 400, partnercenter.ErrorCodeLineNumbers, two("0", "2"), "not 2"),
		of("a line number twice", "", 400, partnercenter.ErrorCodeLineNumbers, two("0", "0"), "more than once"),
		of("a line number below zero", "", 400, partnercenter.ErrorCodeLineNumbers, two("-1", "0"), "not -1"),
		of("one line without a number", "", 400, partnercenter.ErrorCodeLineNumbers, two("0", "null"), "1 of 2"),
		of("another customer's id", "referenceCustomerId is another customer's", 400, property, `{"referenceCustomerId":"`+wingtip+`",`+linesOf(line(offerE3, 1))+`}`, "referenceCustomerId"),
		of("unknown cycle", "the billing cycle is unknown text", 400, partnercenter.ErrorCodeEnumUnparsable, `{"billingCycle":"weekly",`+linesOf(line(offerE3, 1))+`}`, "weekly", "monthly"),
		of("another currency", "the currency is not the customer's", 400, property, `{"currencyCode":"EUR",`+linesOf(line(offerE3, 1))+`}`, "EUR", "USD"),
		of("no offer", "a line has no offerId", 400, property, `{"lineItems":[{"lineItemNumber":0,"quantity":1}]}`, "offerId"),
		of("blank offer", "", 400, property, orderOf(line("  ", 1)), "offerId"),
		of("unknown product", "the product is unknown", 404, partnercenter.ErrorCodeProductNotFound, orderOf(line("CFQ7TTC0NONE:0001:CFQ7TTC0K8QN", 1)), "CFQ7TTC0NONE"),
		of("unknown SKU", "the SKU is unknown", 404, partnercenter.ErrorCodeSKUNotFound, orderOf(line("CFQ7TTC0LFLX:9999:CFQ7TTC0K8QN", 1)), "9999"),
		of("unknown availability", "the availability is unknown", 404, partnercenter.ErrorCodeAvailabilityUnknown, orderOf(line("CFQ7TTC0LFLX:0001:CFQ7TTC0NONE", 1)), "CFQ7TTC0NONE"),
		of("unknown offer", "the offer is unknown", 400, partnercenter.ErrorCodeInvalidOffer, orderOf(line("00000000-0000-0000-0000-000000000001", 1))),
		of("no offer at all", "", 400, partnercenter.ErrorCodeInvalidOffer, orderOf(line("everything", 1))),
		of("the second line is bad", "", 400, partnercenter.ErrorCodeInvalidOffer, orderOf(line(offerE3, 1), line("everything", 1)), "Line 1"),
		of("retired offer", "the item is no longer sold", 403, partnercenter.ErrorCodeOfferRetired, orderOf(line(offerRetired, 1))),
		of("retired item", "", 403, partnercenter.ErrorCodeOfferRetired, orderOf(line(itemRetired, 1))),
		of("offer that is not sold", "the legacy offer cannot be bought", 403, partnercenter.ErrorCodeOfferNotEligible, orderOf(line(offerNotSold, 1))),
		of("item that is not sold", "the catalog item cannot be bought", 403, partnercenter.ErrorCodeItemNotEligible, orderOf(line(itemNotSold, 1))),
		of("no quantity", "a line has no quantity", 400, property, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`"}]}`, "quantity"),
		of("quantity 0", legacy, 400, partnercenter.ErrorCodeQuantityOutOfRange, orderOf(line(offerE3, 0))),
		of("quantity below zero", "", 400, partnercenter.ErrorCodeQuantityOutOfRange, orderOf(line(offerE3, -1))),
		of("quantity over the maximum", "", 400, partnercenter.ErrorCodeQuantityOutOfRange, orderOf(line(offerE3, 2_000_000_000))),
		of("quantity under the minimum", "", 400, partnercenter.ErrorCodeQuantityOutOfRange, orderOf(line("5D3A9F17-C028-4B6E-9714-E2F08B56D3A1", 49)), "50"),
		of("quantity 0 of an item", seats, 400, partnercenter.ErrorCodeQuantityUnavailable, orderOf(line(itemE3, 0))),
		of("quantity over an item's maximum", "", 400, partnercenter.ErrorCodeQuantityUnavailable, orderOf(line(itemMarketplace, 1001)), "1000"),
		of("quantity 1e18", "", 400, property, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`","quantity":1e18}]}`, "quantity"),
		of("quantity of 19 digits", "", 400, partnercenter.ErrorCodeQuantityOutOfRange, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`","quantity":1000000000000000000}]}`),
		of("quantity of 40 digits", "", 400, property, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`","quantity":1000000000000000000000000000000000000000}]}`, "quantity"),
		of("quantity 1.5", "", 400, property, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`","quantity":1.5}]}`, "quantity"),
		of("quantity as text", "", 400, property, `{"lineItems":[{"lineItemNumber":0,"offerId":"`+offerE3+`","quantity":"many"}]}`, "quantity"),
		of("another term", "the item is not sold for the term", 403, partnercenter.ErrorCodeTermUnavailable, orderOf(line(itemSoftware, 1, `"termDuration":"P1M"`)), "P1M", "P1Y"),
		of("a term of an offer", "", 403, partnercenter.ErrorCodeTermUnavailable, orderOf(line(offerE3, 1, `"termDuration":"P1Y"`))),
		of("no attestation", "the item needs an attestation, which the line does not accept", 400, partnercenter.ErrorCodeAttestationMissing, orderOf(line(itemAttested, 1, `"attestationAccepted":false`)), "attestationProperties"),
		of("a promotion", "a promotion is named that does not apply", 400, partnercenter.ErrorCodePromotionInvalid, orderOf(line(itemE3, 1, `"promotionId":"39NFJQT1PFPB:0001:39NFJQT1Q5KL"`))),
		of("licences that renew to a term", "something else than a trial renews to another term, or a trial to an unknown one", 400, property, orderOf(line(offerE3, 1, `"renewsTo":{"termDuration":"P1Y"}`)), "no trial"),
		of("a trial that renews for ever", "", 400, property, orderOf(line(itemTrial, 1, `"renewsTo":{"termDuration":"P9Y"}`)), "P9Y"),
		of("software until a date", "the term of something else than an online service is to end on another date", 400, partnercenter.ErrorCodeCustomEndNotOffered, orderOf(line(itemSoftware, 1, `"customTermEndDate":"2027-07-31T00:00:00"`))),
		of("a trial until a date", "the term of a trial, or of what waits for a purchase order, is to end on another date", 400, partnercenter.ErrorCodeCustomEndMismatch, orderOf(line(itemTrial, 1, `"customTermEndDate":"2027-07-31T00:00:00"`)), "2027-07-31"),
		of("an online service until years later", "a custom term end date is not within the first term, or is a 28th, 29th or 30th on which neither the month ends nor a subscription", 400, partnercenter.ErrorCodeCustomEndOutsideTerm, orderOf(line(itemE3, 1, `"customTermEndDate":"2097-07-31T00:00:00"`)), "2097-07-31", "customTermEndDates"),
		of("an online service until a 29th", "", 400, partnercenter.ErrorCodeCustomEndOutsideTerm, orderOf(line(itemE3, 1, `"termDuration":"P1Y"`, `"customTermEndDate":"`+notice(a, 29)+`"`))),
		of("an online service until nothing ends", "neither a month nor a subscription ends on the custom term end date", 400, partnercenter.ErrorCodeCustomEndUnaligned, orderOf(line(itemE3, 1, `"termDuration":"P1Y"`, `"customTermEndDate":"`+notice(a, 13)+`"`)), "No subscription"),
		of("a commitment to seats", "a savings plan has no purchaseCommitment, or something else has one", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemE3, 1, `"purchaseCommitment":{"amount":0.05,"currency":"usd","grain":"hourly"}`))),
		of("a savings plan of nothing", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, `"provisioningContext":{"scope":"shared"}`))),
		of("a savings plan without a scope", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"subscriptionId":"`+azure+`"}`)), "scope"),
		of("two savings plans", "", 400, partnercenter.ErrorCodeQuantityUnavailable, orderOf(line(itemSavingsPlan, 2, commitment("0.05", "usd", "hourly")))),
		of("a savings plan of zero", "a savings plan's amount is not above 0 and up to 1000000, written with up to four decimals and no exponent", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0", "usd", "hourly")))),
		of("a savings plan of less", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("-0.05", "usd", "hourly")))),
		of("a savings plan of too much", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("1000000.01", "usd", "hourly")))),
		of("a savings plan of too little", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.00001", "usd", "hourly")))),
		of("a savings plan of 1e-05", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("1e-05", "usd", "hourly")))),
		of("a savings plan of 5E-2", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("5E-2", "usd", "hourly")))),
		of("a savings plan of five decimals", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.05000", "usd", "hourly")))),
		of("a daily savings plan", "a savings plan's grain is not hourly, or its currency not the customer's", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "daily"))), "hourly"),
		of("a savings plan in yen", "", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "jpy", "hourly"))), "USD"),
		of("a savings plan for no use", "a savings plan does not say what it is for: subscriptionId with the scope shared, entitlementId with single", 400, partnercenter.ErrorCodeSavingsPlanInput, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"single","subscriptionId":"`+azure+`"}`)), "entitlementId"),
		of("a savings plan for a resource group", "", 400, partnercenter.ErrorCodeEnumUnparsable, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"Resource group","entitlementId":"`+azure+`"}`)), "single or shared"),
		of("a savings plan for a resource group that is named", "", 400, partnercenter.ErrorCodeEnumUnparsable, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"resourceGroup","subscriptionId":"`+azure+`","resourceGroupId":"x"}`)), "single or shared"),
		of("a savings plan for a management group", "", 400, partnercenter.ErrorCodeEnumUnparsable, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"managementGroup","managementGroupId":"x"}`)), "single or shared"),
		of("a savings plan for another's plan", "", 400, partnercenter.ErrorCodeSubscriptionInvalid, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"shared","subscriptionId":"3D5ECED6-1151-44C7-AEE6-70A4BB725600"}`))),
		of("a savings plan for legacy Azure", "", 400, partnercenter.ErrorCodeSubscriptionNotAzure, orderOf(line(itemSavingsPlan, 1, commitment("0.05", "usd", "hourly"), `"provisioningContext":{"scope":"shared","subscriptionId":"`+azure+`"}`))),
		of("a name of 501 bytes", "a line's friendly name is too long", 400, partnercenter.ErrorCodeInvalidProperty, orderOf(line(offerE3, 1, `"friendlyName":"`+strings.Repeat("n", 501)+`"`)), "501"),
		of("an add-on alone", addOn, 400, partnercenter.ErrorCodeAddOnUnrelated, orderOf(line(offerArchiving, 1)), "parentSubscriptionId"),
		of("an add-on of nothing", "", 400, partnercenter.ErrorCodeAddOnUnrelated, orderOf(line(offerArchiving, 1, `"parentSubscriptionId":"00000000-0000-0000-0000-000000000001"`))),
		of("an add-on of another offer", "", 400, partnercenter.ErrorCodeAddOnUnrelated, orderOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+azure+`"`))),
		of("a parent of a base", "", 400, partnercenter.ErrorCodeAddOnUnrelated, orderOf(line(offerE3, 1, `"parentSubscriptionId":"1C2B75C1-74A5-472A-A729-7F8CEFC477F9"`)), "not an add-on"),
		of("an add-on of a suspended base", "the parent of an add-on is not active", 409, partnercenter.ErrorCodeParentInactive, orderOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+base+`"`))),
		of("no provisioning context", "a provisioning variable is missing", 400, property, orderOf(line(itemReservation, 1)), "scope"),
		of("no duration", "", 400, property, orderOf(line(itemReservation, 1, `"provisioningContext":{"scope":"single","subscriptionId":"`+azure+`"}`)), "duration"),
		of("unknown scope", "the scope is neither single nor shared", 400, partnercenter.ErrorCodeEnumUnparsable, strings.Replace(reservation(itemReservation, azure), "Shared", "Both", 1), "Both"),
		of("a reservation for no subscription", "the customer has no subscription that a reservation or a savings plan is for", 400, partnercenter.ErrorCodeSubscriptionInvalid, reservation(itemReservation, "3D5ECED6-1151-44C7-AEE6-70A4BB725666")),
		of("a reservation for licences", "the subscription is not an Azure subscription, or that of a savings plan no Azure plan", 400, partnercenter.ErrorCodeSubscriptionNotAzure, reservation(itemReservation, "1C2B75C1-74A5-472A-A729-7F8CEFC477F9")),
		of("a reservation for a suspended subscription", "the Azure subscription is not active", 400, partnercenter.ErrorCodeSubscriptionInactive, reservation(itemReservation, suspended)),
		of("a reservation without registration", "the Azure subscription is not registered", 400, partnercenter.ErrorCodeSubscriptionNotRegistered, reservation(itemReservation, unregistered), "registrations"),
		of("a full region", "an inventory check finds the item restricted", 400, partnercenter.ErrorCodeOutOfInventory, reservation(itemFull, azure)),
		of("a second trial", "the customer has as many subscriptions of the offer as it may", 400, partnercenter.ErrorCodeOfferLimit, orderOf(line(offerTrial, 1))),
		of("offers and items", together, 400, partnercenter.ErrorCodeOrderUnprocessable, orderOf(line(offerE3, 1), line(itemE3, 1))),
		of("two sales groups", "", 400, partnercenter.ErrorCodeOrderUnprocessable, orderOf(line(offerE3, 1), line(offerInternal, 1)), "sales group"),
		of("one-time licences", cycle, 400, partnercenter.ErrorCodeCycleUnsupported, `{"billingCycle":"one_time",`+linesOf(line(offerE3, 1))+`}`),
		of("a yearly bill of a month", "a term is shorter than the billing cycle", 400, partnercenter.ErrorCodeCycleUnsupported, `{"billingCycle":"annual",`+linesOf(line(itemE3, 1, `"termDuration":"P1M"`))+`}`, "P1M"),
		of("monthly software", "", 400, partnercenter.ErrorCodeCycleUnsupported, `{"billingCycle":"monthly",`+linesOf(line(itemPerpetual, 1))+`}`),
	}
	abroad := of("not sold in the country", "the item is not sold in the customer's country", 400, partnercenter.ErrorCodeOfferNotInCountry, orderOf(line(offerInTheUS, 1)), "AT")
	abroad.of = austria
	return append(list, abroad)
}

// changeRefusals are changes of orders that no setting allows.
func changeRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	const property = partnercenter.ErrorCodeInvalidProperty
	legacy := a.placed(t, documented, line(offerE3, 2), line(offerExchange, 1))
	e3 := legacy.LineItems[0].SubscriptionID
	inactive := a.placed(t, documented, line(offerE3, 2))
	a.patchSubscription(t, documented, inactive.LineItems[0].SubscriptionID, `{"status":"suspended"}`)
	trial := a.placed(t, documented, line(offerTrial, 2))
	monthly := a.placed(t, documented, line(itemE3, 1, `"termDuration":"P1M"`))
	plan := a.placed(t, documented, line(itemAzurePlan, 1))
	cancelled := a.placed(t, documented, line(itemPerpetual, 2), line(itemSoftware, 1))
	a.patchOrder(t, documented, cancelled.ID, `{"status":"cancelled"}`)
	cancelledLicences := a.placed(t, documented, line(itemMarketplace, 1))
	a.patchOrder(t, documented, cancelledLicences.ID, `{"status":"cancelled"}`)
	partly := a.placed(t, documented, line(itemPerpetual, 2), line(itemSoftware, 1))
	a.patchOrder(t, documented, partly.ID, `{"status":"cancelled","lineItems":[{"lineItemNumber":0,"offerId":"`+itemPerpetual+`"}]}`)
	waiting := a.placed(t, documented, line(itemPurchaseOrder, 1))
	const uploaded, uploader = "54be297b70ad", "71b277b9-9cc1-4fef-a0df-7355006cb52e"
	of := func(name, rule string, o *partnercenter.Order, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		return refusal{rule: rule, request: request{name: name, method: http.MethodPatch, path: orderAt(documented, o.ID), body: body, status: status, code: code, must: must}}
	}
	archiving := func(parent string) string {
		return `{` + linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+parent+`"`)) + `}`
	}
	var many []string
	for range 501 {
		many = append(many, line(offerE3, 1))
	}
	var addOns []string
	for range 500 {
		addOns = append(addOns, line(offerArchiving, 1, `"parentSubscriptionId":"`+e3+`"`))
	}
	const (
		cancel  = `{"status":"cancelled"}`
		annual  = `{"billingCycle":"annual"}`
		quarter = "change the billing cycle: an item of the order is a trial, Azure, a savings plan, one-time, has another term than a year, or is not sold with the cycle"
	)
	list := []refusal{
		of("501 lines", "change an order: there are more than 500 line items", legacy, 400, partnercenter.ErrorCodeInvalidInput, orderOf(many...), "501"),
		of("another order's id", "change an order: the body's id is another order's", legacy, 400, property, `{"id":"`+exampleOrder+`","status":"cancelled"}`),
		of("another customer's id", "change an order: referenceCustomerId is another customer's", legacy, 400, property, `{"referenceCustomerId":"`+wingtip+`","billingCycle":"annual"}`),
		of("unknown cycle", "change an order: the billing cycle is unknown text", legacy, 400, partnercenter.ErrorCodeEnumUnparsable, `{"billingCycle":"weekly"}`, "weekly"),
		of("canceled with one l", "change an order: the status is neither the order's nor cancelled", cancelledLicences, 400, partnercenter.ErrorCodeEnumUnparsable, `{"status":"canceled"}`, "canceled"),
		of("another quantity", "change nothing else of an order: the quantity or friendly name of a line is to change", legacy, 400, property, `{`+linesOf(line(offerE3, 3))+`}`, "PATCH", "/subscriptions/", "from 2 to 3"),
		of("another name", "", legacy, 400, property, `{`+linesOf(line(offerE3, 2, `"friendlyName":"ours"`))+`}`, "PATCH", "/subscriptions/"),
		of("another quantity of what has no subscription", "", partly, 400, property, `{"lineItems":[{"offerId":"`+itemPerpetual+`","quantity":3}]}`, "Place another order"),
		of("a term", "change nothing else of an order: a term, partner, promotion or other condition of a line is to change", legacy, 400, property, `{`+linesOf(line(offerE3, 2, `"termDuration":"P1Y"`))+`}`, "termDuration"),
		of("a currency", "change nothing else of an order: the currency is to change", legacy, 400, property, `{"currencyCode":"EUR"}`, "EUR"),
		of("an attestation", "change nothing else of an order: the attestation is to change", legacy, 400, property, `{"partnerOnRecordAttestationAccepted":true}`, "partnerOnRecordAttestationAccepted"),
		of("an add-on in another currency", "buy an add-on: the currency is to change", legacy, 400, property, `{"currencyCode":"EUR",`+linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+e3+`"`))+`}`, "EUR"),
		of("a status that it had before", "change nothing else of an order: the status is to be another one than cancelled", legacy, 400, partnercenter.ErrorCodeEnumUnparsable, `{"status":"pending"}`, "pending"),
		of("a subscription that is not in the order", "", legacy, 400, property, `{`+linesOf(line(offerE3, 2, `"subscriptionId":"1C2B75C1-74A5-472A-A729-7F8CEFC477F9"`))+`}`, "not in the order"),
		of("an offer that is not in the order", "", legacy, 400, property, `{`+linesOf(line(offerInternal, 2))+`}`, "not in the order"),
		of("a line number that is not in the order", "", legacy, 400, property, `{"status":"cancelled","lineItems":[{"lineItemNumber":7}]}`, "not in the order"),
		of("an add-on and a cycle at once", "", legacy, 400, partnercenter.ErrorCodeOrderUnprocessable, `{"billingCycle":"annual",`+linesOf(line(offerArchiving, 1, `"parentSubscriptionId":"`+e3+`"`))+`}`, "one change at a time"),
		of("more add-ons than an order has room for", "buy an add-on: the order would have more than 500 line items", legacy, 400, partnercenter.ErrorCodeOrderUnprocessable, `{`+linesOf(addOns...)+`}`, "another order"),
		of("an add-on of another order's subscription", "buy an add-on: the parent is not a subscription of the order", legacy, 400, partnercenter.ErrorCodeAddOnUnrelated, archiving("1C2B75C1-74A5-472A-A729-7F8CEFC477F9")),
		of("an add-on without a parent", "", legacy, 400, partnercenter.ErrorCodeAddOnUnrelated, `{`+linesOf(line(offerArchiving, 1))+`}`),
		of("an add-on of the wrong base", "", trial, 400, partnercenter.ErrorCodeAddOnUnrelated, archiving(trial.LineItems[0].SubscriptionID)),
		of("an add-on of a suspended base", "", inactive, 409, partnercenter.ErrorCodeParentInactive, archiving(inactive.LineItems[0].SubscriptionID)),
		of("no add-on under a parent", "", legacy, 400, partnercenter.ErrorCodeAddOnUnrelated, `{`+linesOf(line(offerE3, 1, `"parentSubscriptionId":"`+e3+`"`))+`}`),
		of("an unknown add-on", "", legacy, 400, partnercenter.ErrorCodeInvalidOffer, `{`+linesOf(line("everything", 1, `"parentSubscriptionId":"`+e3+`"`))+`}`),
		of("none of an add-on", "", legacy, 400, partnercenter.ErrorCodeQuantityOutOfRange, strings.Replace(archiving(e3), `"quantity":1`, `"quantity":0`, 1)),
		of("cycle of a suspended subscription", "change the billing cycle: a subscription of the order is not active", inactive, 400, partnercenter.ErrorCodeCycleInactive, annual),
		of("cycle of a trial", quarter, trial, 400, partnercenter.ErrorCodeCycleUnsupported, annual),
		of("cycle of a monthly term", "", monthly, 400, partnercenter.ErrorCodeCycleUnsupported, annual),
		of("cycle of an Azure plan", "", plan, 400, partnercenter.ErrorCodeCycleUnsupported, annual),
		of("one-time licences", "", legacy, 400, partnercenter.ErrorCodeCycleUnsupported, `{"billingCycle":"one_time"}`),
		of("cancel licences", "cancel a line: it buys a legacy offer or an online service", legacy, 400, partnercenter.ErrorCodeSuspendInstead, cancel, "subscriptions/"),
		of("cancel an online service", "", monthly, 400, partnercenter.ErrorCodeSuspendInstead, cancel),
		of("cancel an Azure plan", "cancel a line: it is an Azure plan, a savings plan or of unknown kind", plan, 400, partnercenter.ErrorCodeOrderNotCancellable, cancel),
		of("cancel again", "cancel order: it is cancelled", cancelled, 400, partnercenter.ErrorCodeOrderNotCancellable, cancel),
		of("cancel a line again", "", partly, 400, partnercenter.ErrorCodeOrderNotCancellable, `{"status":"cancelled","lineItems":[{"lineItemNumber":0,"offerId":"`+itemPerpetual+`"}]}`, "cancelled already"),
		of("a cycle of a cancelled order", "change the billing cycle of order: it is cancelled", cancelledLicences, 400, partnercenter.ErrorCodeCycleInactive, annual),
		of("an add-on in a cancelled order", "buy an add-on in order: it is cancelled", cancelled, 400, partnercenter.ErrorCodeOrderUnprocessable, archiving(e3)),
		of("change a cancelled order", "change order: it is cancelled", cancelled, 400, partnercenter.ErrorCodeOrderUnprocessable, `{"referenceCustomerId":"`+documented+`",`+linesOf(line(itemPerpetual, 5))+`}`),
		of("an add-on before the purchase order", "buy an add-on in order: it is pending_po_upload", waiting, 409, partnercenter.ErrorCodePendingAdjustment, archiving(e3)),
		of("a cycle before the purchase order", "change the billing cycle of order: it is pending_po_upload", waiting, 400, partnercenter.ErrorCodeSyncStateNotCompleted, annual),
		of("an order of nobody", "", &partnercenter.Order{ID: "nope"}, 404, partnercenter.ErrorCodeOrderNotFound, cancel, "nope"),
	}
	upload := func(name, rule string, status int, code partnercenter.ErrorCode, body string) refusal {
		r := of(name, rule, &partnercenter.Order{}, status, code, body)
		r.of, r.path = uploader, orderAt(uploader, uploaded)
		return r
	}
	other := of("another customer's order", "", legacy, 404, partnercenter.ErrorCodeOrderNotFound, cancel)
	other.path = orderAt(wingtip, legacy.ID)
	stranger := of("another partner's customer", "", legacy, 403, partnercenter.ErrorCodeNoRelationship, cancel)
	stranger.path = orderAt(foreignCustomer(t), legacy.ID)
	nobody := of("no customer id", "", legacy, 400, partnercenter.ErrorCodeInvalidCustomerID, cancel)
	nobody.path = orderAt("contoso", legacy.ID)
	return append(list,
		upload("an add-on after the purchase order", "buy an add-on in order: it is po_upload_complete", 409, partnercenter.ErrorCodePendingAdjustment, archiving(e3)),
		upload("a cycle after the purchase order", "change the billing cycle of order: it is po_upload_complete", 400, partnercenter.ErrorCodeSyncStateNotCompleted, `{"billingCycle":"monthly"}`),
		other, stranger, nobody,
	)
}

// readRefusals read what does not exist.
func readRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	software := a.placed(t, documented, line(itemPerpetual, 1))
	of := func(name, path string, status int, code partnercenter.ErrorCode) refusal {
		return refusal{request: request{name: name, path: path, status: status, code: code}}
	}
	order := orderAt(documented, software.ID)
	nobody := subscriptionAt(documented, "00000000-0000-0000-0000-000000000001")
	list := []refusal{
		of("provisioning of licences", orderAt(documented, exampleOrder)+"/provisioningstatus", 404, partnercenter.ErrorCodeProvisioningUnknown),
		of("provisioning of no order", ordersOf(documented)+"/nope/provisioningstatus", 404, partnercenter.ErrorCodeOrderNotFound),
		of("activation links of no order", ordersOf(documented)+"/nope/activationlinks", 404, partnercenter.ErrorCodeOrderNotFound),
		of("activation links of another customer's order", orderAt(wingtip, software.ID)+"/activationlinks", 404, partnercenter.ErrorCodeOrderNotFound),
		of("no such line", order+"/lineitems/1/activationlinks", 404, partnercenter.ErrorCodeNotFound),
		of("a line that is no number", order+"/lineitems/x/activationlinks", 404, partnercenter.ErrorCodeNotFound),
		of("a line below zero", order+"/lineitems/-1/activationlinks", 404, partnercenter.ErrorCodeNotFound),
		of("a line with a zero in front", order+"/lineitems/00/activationlinks", 404, partnercenter.ErrorCodeNotFound),
		of("no such subscription", nobody, 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("a subscription that is no GUID", subscriptionAt(documented, "x"), 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("another customer's subscription", subscriptionAt(wingtip, exampleSubscription), 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("provisioning of another customer's subscription", subscriptionAt(wingtip, exampleSubscription)+"/provisioningstatus", 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("provisioning without a customer", "/v1/subscriptions/00000000-0000-0000-0000-000000000001/provisioningstatus", 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("provisioning of no GUID", "/v1/subscriptions/x/provisioningstatus", 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("a subscription of another partner's customer", subscriptionAt(foreignCustomer(t), "21db03b0-2661-4cff-bc2a-c2c9c3ff2c06"), 403, partnercenter.ErrorCodeNoRelationship),
		of("another partner's subscription without a customer", "/v1/subscriptions/21db03b0-2661-4cff-bc2a-c2c9c3ff2c06/provisioningstatus", 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("subscriptions of no customer", "/v1/customers/x/subscriptions", 400, partnercenter.ErrorCodeInvalidCustomerID),
		of("company profile of a stranger", "/v1/customers/"+foreignCustomer(t)+"/profiles/company", 403, partnercenter.ErrorCodeNoRelationship),
		of("a billing profile that nobody filled in", "/v1/customers/7046ad9e-f51b-4b38-92c7-c0e83d6f15a4/profiles/billing", 404, partnercenter.ErrorCodeNotFound),
		of("billing profile of a stranger", "/v1/customers/"+foreignCustomer(t)+"/profiles/billing", 403, partnercenter.ErrorCodeNoRelationship),
	}
	for _, what := range []string{"/addons", "/provisioningstatus", "/registrationstatus", "/activationlinks"} {
		list = append(list, of("no such subscription"+what, nobody+what, 404, partnercenter.ErrorCodeSubscriptionNotFound))
	}
	for _, r := range []request{
		{name: "PUT an order", method: http.MethodPut, path: order},
		{name: "DELETE an order", method: http.MethodDelete, path: order},
		{name: "POST an order's id", method: http.MethodPost, path: order},
		{name: "GET registrations", path: subscriptionAt(documented, exampleSubscription) + "/registrations"},
		{name: "GET activate", path: subscriptionAt(documented, exampleSubscription) + "/activate"},
		{name: "POST a subscription", method: http.MethodPost, path: "/v1/customers/" + documented + "/subscriptions"},
		{name: "DELETE a billing profile", method: http.MethodDelete, path: "/v1/customers/" + documented + "/profiles/billing"},
	} {
		r.status, r.code, r.headers = 405, partnercenter.ErrorCodeOperationUnoffered, map[string]string{"Allow": "[A-Z]"}
		list = append(list, refusal{request: r})
	}
	return list
}

// bodyRefusals are bodies that are not JSON, or too large, sent to each call that takes
// one.
func bodyRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	legacy := a.placed(t, documented, line(offerE3, 2))
	unreadable := map[string]string{
		"cut off":                    `{"lineItems":[{"offerId":"x"`,
		"NaN":                        `{"quantity":NaN}`,
		"infinity":                   `{"quantity":1e400}x`,
		"a trailing comma":           `{"status":"cancelled",}`,
		"curly quotes":               `{“status”:“cancelled”}`,
		"a comment":                  `{/* all */"status":"cancelled"}`,
		"two objects":                `{"status":"cancelled"}{}`,
		"invalid UTF-8":              "{\"friendlyName\":\"\xff\"}",
		"a key twice":                `{"status":"cancelled","status":"active"}`,
		"a key twice in two cases":   `{"Status":"cancelled","status":"active"}`,
		"an unknown key twice":       `{"x":1,"x":2}`,
		"1000 deep":                  `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
		"100,000 deep and no end":    strings.Repeat(`{"x":`, 100_000),
		"null":                       `null`,
		"an array":                   `[{}]`,
		"text":                       `"success"`,
		"nothing but space":          "  \n",
		"a byte order mark and then": "\xef\xbb\xbf",
	}
	wrongTypes := map[string]string{
		"lineItems is an object": `{"lineItems":{}}`,
		"attributes is text":     `{"attributes":"x"}`,
		"links is a number":      `{"links":5}`,
		"id is an object":        `{"id":{}}`,
	}
	var lines strings.Builder
	for i := range 100_000 {
		if i > 0 {
			lines.WriteByte(',')
		}
		fmt.Fprintf(&lines, `{"lineItemNumber":%d,"offerId":"%s","quantity":1}`, i, offerE3)
	}
	huge := map[string]string{
		"2 MiB":         `{"status":"cancelled","x":"` + strings.Repeat("x", 2<<20) + `"}`,
		"100,000 lines": `{"lineItems":[` + lines.String() + `]}`,
	}
	var list []refusal
	for _, call := range []request{
		{name: "POST order", method: http.MethodPost, path: ordersOf(documented)},
		{name: "PATCH order", method: http.MethodPatch, path: orderAt(documented, legacy.ID)},
		{name: "PATCH subscription", method: http.MethodPatch, path: subscriptionAt(documented, legacy.LineItems[0].SubscriptionID)},
	} {
		add := func(bodies map[string]string, status int, code partnercenter.ErrorCode, only string) {
			for name, body := range bodies {
				if !strings.Contains(call.name, only) {
					continue
				}
				r := call
				r.name, r.body, r.status, r.code = call.name+" with "+name, body, status, code
				r.mustNot = []string{"json:", "jsontext", "Go "}
				list = append(list, refusal{request: r})
			}
		}
		add(unreadable, 400, partnercenter.ErrorCodeInvalidInput, "")
		add(wrongTypes, 400, partnercenter.ErrorCodeInvalidProperty, "order")
		add(map[string]string{"quantity is text": `{"quantity":"x"}`, "a fraction": `{"quantity":1.5}`, "1e18": `{"quantity":1e18}`, "autoRenewEnabled is text": `{"autoRenewEnabled":"yes"}`}, 400, partnercenter.ErrorCodeInvalidProperty, "subscription")
		add(huge, 413, partnercenter.ErrorCodeInvalidInput, "")
		empty := call
		empty.name, empty.status, empty.code = call.name+" without a body", 400, partnercenter.ErrorCodeInvalidInput
		list = append(list, refusal{request: empty})
	}
	return list
}

// onceRefusals reuse a request id for something else.
func onceRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	id := http.Header{"MS-RequestId": {"6b2b0bb2-6d7d-4f38-a9a3-64cc77b9e2e3"}}
	first := request{method: http.MethodPost, path: ordersOf(documented), body: orderOf(line(offerE3, 2)), header: id, status: 201}
	_, placed := a.do(t, first)
	if _, again := a.do(t, first); string(again) != string(placed) {
		t.Errorf("the repetition answers %s, not %s", again, placed)
	}
	other := first
	other.name, other.body, other.status, other.code = "another body under the id", orderOf(line(offerE3, 3)), 409, partnercenter.ErrorCodeInvalidInput
	long := first
	long.name, long.header, long.status, long.code = "an id without end", http.Header{"MS-RequestId": {strings.Repeat("x", 200)}}, 400, partnercenter.ErrorCodeInvalidInput
	return []refusal{{request: other}, {request: long}}
}

// tokenRefusals are writes without the right token.
func tokenRefusals(*testing.T, *api) []refusal {
	return []refusal{
		{request: request{name: "no token", body: orderOf(line(offerE3, 2)), header: http.Header{"Authorization": nil}, status: 401, code: partnercenter.ErrorCodeTokenMissing}},
		{request: request{name: "bad token", body: orderOf(line(offerE3, 2)), header: http.Header{"Authorization": {"Bearer x"}}, status: 401, code: partnercenter.ErrorCodeAccessDenied}},
	}
}

// productionRefusals need a sandbox.
func productionRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	marketplace := a.placed(t, documented, line(itemMarketplace, 1))
	reservation := a.placed(t, documented, line(itemReservation, 1, `"provisioningContext":{"scope":"single","subscriptionId":"A356AC8C-E310-44F4-BF85-C7F29044AF99","duration":"1Year"}`))
	patch := func(name, rule string, o *partnercenter.Order, status int, code partnercenter.ErrorCode) refusal {
		return refusal{rule: rule, request: request{name: name, method: http.MethodPatch, path: orderAt(documented, o.ID), body: `{"status":"cancelled"}`, status: status, code: code}}
	}
	return []refusal{
		patch("cancel a marketplace order", "cancel a line: it is marketplace SaaS in production", marketplace, 403, partnercenter.ErrorCodeSaaSNotByOrder),
		patch("cancel a reservation", "cancel a line: it is a reservation in production", reservation, 403, partnercenter.ErrorCodeNotInProduction),
		{rule: "activate a subscription: the account is not a sandbox", request: request{name: "activate", method: http.MethodPost, path: subscriptionAt(documented, marketplace.LineItems[0].SubscriptionID) + "/activate", status: 400, code: partnercenter.ErrorCodeNotInEnvironment}},
	}
}

// windowRefusals come too late.
func windowRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	software := a.placed(t, documented, line(itemPerpetual, 1))
	a.Clock().Advance(60*24*time.Hour + time.Second)
	a.token = a.mint(t)
	return []refusal{{rule: "cancel a line: its cancellation window is over: 7 days for software, 60 days in a sandbox", request: request{
		name: "cancel after 60 days", method: http.MethodPatch, path: orderAt(documented, software.ID), body: `{"status":"cancelled"}`, status: 400, code: partnercenter.ErrorCodeCancelWindowOver, must: []string{"60-day"},
	}}}
}

func match(t *testing.T, what, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.Errorf("%s is %q, want %s", what, got, pattern)
	}
}

// What time has deleted takes no place in a sandbox, however many lines the next order has.
func TestSandboxForgetsWhatEnded(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6, Seed: strings.NewReader(sandboxSeed(3))})
	customer := sandboxCustomer(1)
	monthly := a.place(t, customer, line(itemE3, 1, `"termDuration":"P1M"`))
	a.place(t, customer, line(offerE3, 1), line(offerE1, 1))
	a.place(t, customer, line(offerE1, 1))
	a.Clock().Advance(time.Hour) // it is provisioned
	ends := subscriptionAt(customer, a.order(t, customer, monthly.ID).LineItems[0].SubscriptionID)
	a.send(t, http.MethodPatch, ends, `{"scheduledActions":{"scheduleType":"TermEnd","actionType":"Cancel"}}`, http.StatusOK)
	a.Clock().Advance(6 * 30 * 24 * time.Hour)
	a.token = a.mint(t)
	a.place(t, customer, line(offerE3, 1), line(offerE1, 1))
}

package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// What the tests of carts buy besides.
const (
	offerE1         = "91FD106F-4B2C-4938-95AC-F54F74E9A239"
	offerConference = "C94271D8-B431-4A25-A3C5-A57737A1C909" // add-on of E1
	offerProtection = "43FCE491-76D1-4BCC-B709-8A288786DBAE" // likewise
	itemAttested    = "CFQ7TTC0LN5R:0001:CFQ7TTC0KN7D"
	itemNV12        = "DZH318Z0BQ36:004G:DZH318Z08C0S" // a reservation

	azureSubscription = "A356AC8C-E310-44F4-BF85-C7F29044AF99" // of the documented customer
	week              = 7 * 24 * time.Hour
)

func cartsOf(customer string) string { return "/v1/customers/" + customer + "/carts" }

func cartAt(customer, id string) string { return cartsOf(customer) + "/" + id }

// cartLine writes a line of a cart without its id.
func cartLine(item string, quantity int, more ...string) string {
	return fmt.Sprintf(`"catalogItemId":%q,"quantity":%d`, item, quantity) + strings.Join(append([]string{""}, more...), ",")
}

// cartOf writes a cart.
func cartOf(lines ...string) string {
	braced := make([]string, len(lines))
	for i, l := range lines {
		braced[i] = "{" + l + "}"
	}
	return `{"lineItems":[` + strings.Join(braced, ",") + `]}`
}

// cart makes a cart.
func (a *api) cart(t *testing.T, customer, body string) *partnercenter.Cart {
	t.Helper()
	return decode[partnercenter.Cart](t, a.send(t, http.MethodPost, cartsOf(customer), body, http.StatusCreated))
}

// checkOut checks a cart out.
func (a *api) checkOut(t *testing.T, customer, id string) *partnercenter.CartCheckoutResult {
	t.Helper()
	return decode[partnercenter.CartCheckoutResult](t, a.send(t, http.MethodPost, cartAt(customer, id)+"/checkout", "", http.StatusCreated))
}

// listed counts the orders of a customer.
func (a *api) listed(t *testing.T, customer string) int {
	t.Helper()
	return decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(customer), "", http.StatusOK)).TotalCount
}

// TestCart has a cart made, read, changed, and bought once however often it is checked
// out.
func TestCart(t *testing.T) {
	a := newAPI(t)
	before := a.listed(t, documented)
	cart := a.cart(t, documented, cartOf(
		cartLine(itemE3, 12, `"friendlyName":"seats"`, `"billingCycle":"monthly"`, `"termDuration":"P1Y"`),
		cartLine(itemMarketplace, 2, `"billingCycle":"monthly"`),
		cartLine(itemPerpetual, 1, `"billingCycle":"OneTime"`),
	))
	if !guid.Is(cart.ID) || cart.Status != partnercenter.CartStatusActive || cart.Links.Self.URI != "/customers/"+documented+"/carts/"+cart.ID || cart.Attributes.ObjectType != partnercenter.ObjectTypeCart {
		t.Errorf("%+v", cart)
	}
	if got := cart.ExpirationTimestamp.Time().Sub(cart.CreationTimestamp.Time()); got != week {
		t.Errorf("the cart lives for %s", got)
	}
	var said []string
	for _, l := range cart.LineItems {
		said = append(said, fmt.Sprintf("%d %s %s %s %s", *l.ID, l.OrderGroup, l.BillingCycle, l.TermDuration, l.CurrencyCode))
		if l.Pricing == nil || l.Error != nil || l.AddonItems != nil {
			t.Errorf("line %d: %+v", *l.ID, l)
		}
	}
	if diff := cmp.Diff([]string{"0 0 monthly P1Y USD", "1 1 monthly P1M USD", "2 2 one_time  USD"}, said); diff != "" {
		t.Error(diff)
	}
	read := a.send(t, http.MethodGet, cartAt(documented, strings.ToUpper(cart.ID)), "", http.StatusOK)
	if got := decode[partnercenter.Cart](t, read); !cmp.Equal(got.LineItems, cart.LineItems, cmp.Comparer(func(a, b partnercenter.Time) bool { return a.String() == b.String() })) {
		t.Errorf("another cart is read: %s", read)
	}

	changed := decode[partnercenter.Cart](t, a.send(t, http.MethodPut, cartAt(documented, cart.ID), cartOf(cartLine(itemE3, 3, `"termDuration":"P1Y"`), cartLine(itemPerpetual, 1)), http.StatusCreated))
	if changed.ID != cart.ID || len(changed.LineItems) != 2 || *changed.LineItems[0].Quantity != 3 ||
		changed.CreationTimestamp.String() != cart.CreationTimestamp.String() || changed.ExpirationTimestamp.String() != cart.ExpirationTimestamp.String() {
		t.Errorf("%+v", changed)
	}

	first := a.send(t, http.MethodPost, cartAt(documented, cart.ID)+"/checkout", `"success"`, http.StatusCreated)
	result := decode[partnercenter.CartCheckoutResult](t, first)
	if len(result.Orders) != 2 || result.OrderErrors == nil || len(result.OrderErrors) != 0 {
		t.Fatalf("%s", first)
	}
	service, software := result.Orders[0], result.Orders[1]
	if service.TotalPrice != "1296.00" || service.LineItems[0].Pricing.ExtendedPrice != "108.00" || *service.LineItems[0].TermDuration != "P1Y" || service.Status != partnercenter.OrderStatusPending || len(service.ID) != 12 {
		t.Errorf("%s", first)
	}
	if software.BillingCycle != partnercenter.BillingCycleTypeOneTime || software.LineItems[0].OfferID != itemPerpetual {
		t.Errorf("%s", first)
	}
	for _, body := range []string{"", `"success"`, "{}", "null"} {
		if again := a.send(t, http.MethodPost, cartAt(documented, cart.ID)+"/checkout", body, http.StatusCreated); string(again) != string(first) {
			t.Errorf("checked out again with %s: %s\n%s", body, again, first)
		}
	}
	if n := a.listed(t, documented); n != before+2 {
		t.Errorf("%d orders were placed", n-before)
	}
	for _, o := range result.Orders {
		a.order(t, documented, o.ID)
	}
	ordered := decode[partnercenter.Cart](t, a.send(t, http.MethodGet, cartAt(documented, cart.ID), "", http.StatusOK))
	if ordered.Status != partnercenter.CartStatusOrdered || !strings.Contains(string(first), service.ID) {
		t.Errorf("%+v", ordered)
	}
}

// TestCartAddOns buys add-ons: of legacy offers with their base or for what the customer
// has, of new commerce beside their base or for what the customer has.
func TestCartAddOns(t *testing.T) {
	a := newAPI(t)
	nested := `"addonItems":[{` + cartLine(offerConference, 2, `"billingCycle":"monthly"`) + `},{` + cartLine(offerProtection, 3) + `}]`
	cart := a.cart(t, documented, cartOf(cartLine(offerE1, 3, `"billingCycle":"monthly"`, nested), cartLine(itemArchiving, 2, `"billingCycle":"annual"`), cartLine(itemE3, 5)))
	if l := cart.LineItems[0]; *l.AddonItems[1].ID != 2 || l.AddonItems[1].OrderGroup != "OMS-0" || l.OrderGroup != "OMS-0" || *cart.LineItems[1].ID != 3 || cart.LineItems[1].OrderGroup != "0" || cart.LineItems[2].OrderGroup != "1" {
		t.Errorf("%+v", cart.LineItems)
	}
	result := a.checkOut(t, documented, cart.ID)
	if len(result.Orders) != 3 || len(result.OrderErrors) != 0 {
		t.Fatalf("%+v", result)
	}
	o := result.Orders[0]
	if len(o.LineItems) != 3 || o.LineItems[0].Pricing != nil {
		t.Fatalf("%+v", o)
	}
	base := o.LineItems[0].SubscriptionID
	for _, l := range o.LineItems[1:] {
		if s := a.subscription(t, documented, l.SubscriptionID); s.ParentSubscriptionID != base || s.OrderID != o.ID {
			t.Errorf("%+v", s)
		}
	}
	addOns := decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, subscriptionAt(documented, base)+"/addons", "", http.StatusOK))
	if len(addOns.Items) != 2 {
		t.Errorf("%+v", addOns)
	}

	under := `"provisioningContext":{"ParentSubscriptionId":"` + strings.ToUpper(base) + `"}`
	later := a.cart(t, documented, cartOf(cartLine(offerConference, 1, under)))
	if got := later.LineItems[0].ProvisioningContext; got["parentSubscriptionId"] != strings.ToUpper(base) {
		t.Errorf("%v", got)
	}
	if o := a.checkOut(t, documented, later.ID).Orders[0]; a.subscription(t, documented, o.LineItems[0].SubscriptionID).ParentSubscriptionID == "" {
		t.Errorf("%+v", o)
	}
	// The base is there now, so the add-on can be alone.
	alone := a.cart(t, documented, cartOf(cartLine(itemArchiving, 1)))
	if e := alone.LineItems[0].Error; e != nil {
		t.Fatalf("%+v", e)
	}
	if r := a.checkOut(t, documented, alone.ID); len(r.Orders) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestCartClients sends carts in the form of each published client (clients.md, section
// 7), and looks at what that reads of the answers.
func TestCartClients(t *testing.T) {
	a := newAPI(t)
	dotNetLine := `{"Id":0,"CatalogItemId":"` + itemE3 + `","FriendlyName":null,"Quantity":1,"CurrencyCode":"USD","BillingCycle":"monthly","TermDuration":"P1M","PromotionId":null,"Participants":null,"ProvisioningContext":null,"OrderGroup":null,"PurchaseSystem":null,"AddonItems":null,"RenewsTo":null,"Error":null,"CustomTermEndDate":null,"AttestationAccepted":null}`
	dotNet := `{"Id":null,"CreationTimestamp":null,"LastModifiedTimestamp":null,"ExpirationTimestamp":"0001-01-01T00:00:00","LastModifiedUser":null,"LineItems":[` + dotNetLine + `],"Status":null,"PartnerOnRecordAttestationAccepted":null,"Attributes":{"ObjectType":"Cart"}}`
	base := a.placed(t, documented, line(offerE1, 1)).LineItems[0].SubscriptionID
	for _, tt := range []struct {
		name, body string
		check      func(t *testing.T, raw string, cart *partnercenter.Cart)
	}{
		{".NET", dotNet, func(t *testing.T, raw string, cart *partnercenter.Cart) {
			if l := cart.LineItems[0]; strings.Contains(raw, "addonItems") || l.OrderGroup != "0" || *l.Quantity != 1 || l.CurrencyCode != "USD" {
				t.Error(raw)
			}
		}},
		{".NET, four lines", strings.Replace(dotNet, dotNetLine, dotNetLine+","+dotNetLine+","+dotNetLine+","+strings.Replace(dotNetLine, `"Quantity":1`, `"Quantity":7`, 1), 1), func(t *testing.T, raw string, cart *partnercenter.Cart) {
			if len(cart.LineItems) != 4 || *cart.LineItems[3].Quantity != 7 || *cart.LineItems[3].ID != 3 {
				t.Error(raw)
			}
		}},
		{".NET, an add-on to what is there", strings.NewReplacer(itemE3, offerConference, `"ProvisioningContext":null`, `"ProvisioningContext":{"ParentSubscriptionId":"`+base+`"}`, `"TermDuration":"P1M"`, `"TermDuration":null`).Replace(dotNet), func(t *testing.T, raw string, cart *partnercenter.Cart) {
			if cart.LineItems[0].ProvisioningContext["parentSubscriptionId"] != base || strings.Contains(raw, "ParentSubscriptionId") {
				t.Error(raw)
			}
		}},
		{".NET, with add-ons", `{"Id":null,"LineItems":[{"Id":0,"CatalogItemId":"` + offerE1 + `","FriendlyName":"Myofferpurchase","Quantity":3,"BillingCycle":"monthly","AddonItems":[{"Id":1,"CatalogItemId":"` + offerConference + `","Quantity":2,"BillingCycle":"monthly","AddonItems":null},{"Id":2,"CatalogItemId":"` + offerProtection + `","Quantity":3,"BillingCycle":"monthly","AddonItems":null}]}],"Attributes":{"ObjectType":"Cart"}}`, func(t *testing.T, raw string, cart *partnercenter.Cart) {
			l := cart.LineItems[0]
			if len(l.AddonItems) != 2 || *l.AddonItems[0].ID != 1 || l.AddonItems[0].OrderGroup != l.OrderGroup || l.AddonItems[1].CatalogItemID != offerProtection || strings.Count(raw, "addonItems") != 1 {
				t.Error(raw)
			}
		}},
		{"Open", `{"ExpirationTimestamp":"0001-01-01T00:00:00Z","LineItems":[{"Id":0,"CatalogItemId":"` + itemE3 + `","Quantity":1,"BillingCycle":"Monthly","TermDuration":"P1M","ProvisioningContext":{}}],"Attributes":{"ObjectType":"Cart"}}`, func(t *testing.T, raw string, cart *partnercenter.Cart) {
			if cart.LineItems[0].BillingCycle != "monthly" || cart.LineItems[0].ProvisioningContext == nil {
				t.Error(raw)
			}
		}},
		{"Java", `{"attributes":{"objectType":"Cart"},"lineItems":[{"billingCycle":"one_time","catalogItemId":"` + itemPerpetual + `","friendlyName":"Myofferpurchase","id":0,"quantity":1}]}`, func(t *testing.T, raw string, cart *partnercenter.Cart) {
			if cart.LineItems[0].FriendlyName != "Myofferpurchase" || cart.LineItems[0].BillingCycle != "one_time" {
				t.Error(raw)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := a.send(t, http.MethodPost, cartsOf(documented), tt.body, http.StatusCreated)
			cart := decode[partnercenter.Cart](t, raw)
			for _, l := range cart.LineItems {
				if l.Error != nil {
					t.Errorf("%+v", l.Error)
				}
			}
			tt.check(t, string(raw), cart)
			for client, form := range map[string]func(any) any{".NET": sentBack[".NET"], "Open .NET": sentBack["Open .NET"], "Python": sentBack["Python"]} {
				var v any
				if err := json.Unmarshal(raw, &v); err != nil {
					t.Fatal(err)
				}
				whole, err := json.Marshal(form(v))
				if err != nil {
					t.Fatal(err)
				}
				put := a.send(t, http.MethodPut, cartAt(documented, cart.ID)+"/", string(whole), http.StatusCreated)
				if strings.Contains(tt.name, "there") && client == "Open .NET" {
					continue // which leaves the context out
				}
				got, want := contracttest.Flatten(t, put), contracttest.Flatten(t, raw)
				for _, own := range []string{"lastModifiedTimestamp", "lineItems", "lineItems[]", "lineItems[].addonItems", "lineItems[].addonItems[]"} {
					delete(got, own)
					delete(want, own)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("sent back by %s: %s", client, diff)
				}
			}
			result := a.send(t, http.MethodPost, cartAt(documented, cart.ID)+"/checkout", `"success"`, http.StatusCreated)
			bought := decode[partnercenter.CartCheckoutResult](t, result)
			if len(bought.Orders) != 1 || bought.Orders[0].ID == "" || bought.Orders[0].CreationDate.IsZero() || !strings.Contains(string(result), `"orderErrors":[]`) {
				t.Errorf("%s", result)
			}
		})
	}
}

// TestCartExpires has the time of carts end, and come back with the clock.
func TestCartExpires(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{})
	a.Clock().Freeze() // the windows of what was bought end at the same time
	ordered, kept := a.cart(t, documented, cartOf(cartLine(itemE3, 1))), a.cart(t, documented, cartOf(cartLine(itemE3, 1)))
	first := a.checkOut(t, documented, ordered.ID)
	for range 2 {
		a.Clock().Set(kept.ExpirationTimestamp.Time().Add(-time.Second))
		a.token = a.mint(t)
		a.send(t, http.MethodGet, cartAt(documented, kept.ID), "", http.StatusOK)
		if again := a.checkOut(t, documented, ordered.ID); again.Orders[0].ID != first.Orders[0].ID {
			t.Errorf("%+v", again)
		}
		a.Clock().Set(kept.ExpirationTimestamp.Time())
		a.token = a.mint(t)
		for _, id := range []string{kept.ID, ordered.ID} {
			a.refuse(t, []refusal{
				{request: request{name: "read", method: http.MethodGet, path: cartAt(documented, id), status: 404, code: partnercenter.ErrorCodeCartNotFound}},
				{rule: "change a cart: it has expired", request: request{name: "change", method: http.MethodPut, path: cartAt(documented, id), body: cartOf(cartLine(itemE3, 1)), status: 404, code: partnercenter.ErrorCodeCartNotFound}},
				{rule: "check out a cart: it has expired", request: request{name: "check out", method: http.MethodPost, path: cartAt(documented, id) + "/checkout", status: 404, code: partnercenter.ErrorCodeCartNotFound}},
			})
		}
	}
	a.Clock().Set(kept.CreationTimestamp.Time())
	a.token = a.mint(t)
	if r := a.checkOut(t, documented, kept.ID); len(r.Orders) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestCartAtOnce checks a cart out many times at once, to any server: there is one order,
// and everybody is told of it, or that the cart is busy.
func TestCartAtOnce(t *testing.T) {
	a := newAPI(t)
	before := a.listed(t, documented)
	const carts, sides = 6, 8
	for range carts {
		cart := a.cart(t, documented, cartOf(cartLine(offerE3, 1), cartLine(itemE3, 1)))
		counts := a.atOnce(t, sides, request{method: http.MethodPost, path: cartAt(documented, cart.ID) + "/checkout", body: `"success"`, status: http.StatusConflict})
		if counts["201"] == 0 || counts["201"]+counts["409/800064"] != sides {
			t.Errorf("%v", counts)
		}
		if r := a.checkOut(t, documented, cart.ID); len(r.Orders) != 2 {
			t.Errorf("%+v", r)
		}
	}
	if placed := a.listed(t, documented) - before; placed != 2*carts {
		t.Errorf("%d carts of two groups placed %d orders", carts, placed)
	}
}

// TestCartInPart checks a cart out of which one group cannot be ordered. That one is tried
// again, and nothing is ordered twice.
func TestCartInPart(t *testing.T) {
	a := newAPI(t)
	base := a.placed(t, documented, line(offerE1, 1)).LineItems[0].SubscriptionID
	at := subscriptionAt(documented, base)
	under := `"provisioningContext":{"parentSubscriptionId":"` + base + `"}`
	cart := a.cart(t, documented, cartOf(cartLine(offerConference, 1, under), cartLine(itemE3, 1), cartLine(itemArchiving, 1, `"billingCycle":"annual"`)))
	a.patchSubscription(t, documented, base, `{"status":"suspended"}`)
	before := a.listed(t, documented)
	first := a.checkOut(t, documented, cart.ID)
	if len(first.Orders) != 2 || len(first.OrderErrors) != 1 || first.OrderErrors[0].OrderGroupID != "OMS-0" || first.OrderErrors[0].Code != partnercenter.ErrorCodeParentInactive {
		t.Fatalf("%+v", first)
	}
	if again := a.checkOut(t, documented, cart.ID); !slices.EqualFunc(first.Orders, again.Orders, func(a, b partnercenter.Order) bool { return a.ID == b.ID }) || len(again.OrderErrors) != 1 {
		t.Errorf("%+v", again)
	}
	got := decode[partnercenter.Cart](t, a.send(t, http.MethodGet, cartAt(documented, cart.ID), "", http.StatusOK))
	if got.Status != partnercenter.CartStatusActive {
		t.Errorf("the cart is %s", got.Status)
	}
	a.check(t, request{method: http.MethodPut, path: cartAt(documented, cart.ID), body: cartOf(cartLine(itemE3, 1)), status: 400, code: partnercenter.ErrorCodeCartItems, must: []string{"Check it out again"}})
	a.send(t, http.MethodPatch, at, `{"status":"active"}`, http.StatusOK)
	last := a.checkOut(t, documented, cart.ID)
	if len(last.Orders) != 3 || len(last.OrderErrors) != 0 || last.Orders[0].ID != first.Orders[0].ID {
		t.Errorf("%+v", last)
	}
	if n := a.listed(t, documented); n != before+3 {
		t.Errorf("%d orders were placed", n-before)
	}
}

// TestCartOfNothing checks a cart out of which nothing can be ordered: it stays as it is,
// and can be changed.
func TestCartOfNothing(t *testing.T) {
	a := newAPI(t)
	base := a.placed(t, documented, line(offerE1, 1)).LineItems[0].SubscriptionID
	cart := a.cart(t, documented, cartOf(cartLine(offerConference, 1, `"provisioningContext":{"parentSubscriptionId":"`+base+`"}`)))
	a.patchSubscription(t, documented, base, `{"status":"suspended"}`)
	before := a.holdings(t, documented)
	if r := a.checkOut(t, documented, cart.ID); r.Orders == nil || len(r.Orders) != 0 || len(r.OrderErrors) != 1 {
		t.Errorf("%+v", r)
	}
	if a.holdings(t, documented) != before {
		t.Error("something was bought")
	}
	a.send(t, http.MethodPut, cartAt(documented, cart.ID), cartOf(cartLine(itemE3, 1)), http.StatusCreated)
	if r := a.checkOut(t, documented, cart.ID); len(r.Orders) != 1 || len(r.OrderErrors) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestCartErrors has each error of lines of carts.
func TestCartErrors(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	azure := func(id string) string {
		return `"provisioningContext":{"scope":"shared","subscriptionId":"` + id + `","duration":"1Year"}`
	}
	fresh := a.placed(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID // not registered
	sandbox := newAPI(t, partnercentertest.Options{Realistic: true, RequestsPerMinute: 1e6, Seed: strings.NewReader(sandboxSeed(3))})
	enabling := newAPI(t, partnercentertest.Options{ProvisioningTime: 5 * time.Minute})
	enabling.place(t, documented, line(offerAzure, 1))
	bare := enabling.subscriptionOf(t, documented, offerAzure)
	enabling.send(t, http.MethodPost, subscriptionAt(documented, bare)+"/registrations", "", http.StatusAccepted)
	participants := func(list ...string) string {
		var all []string
		for _, p := range list {
			key, value, _ := strings.Cut(p, " ")
			all = append(all, `{"key":"`+key+`","value":"`+value+`"}`)
		}
		return `"participants":[` + strings.Join(all, ",") + `]`
	}
	seen := map[partnercenter.CartErrorCode]bool{}
	for _, tt := range []struct {
		name string
		a    *api
		of   string
		line string
		want partnercenter.CartErrorCode
	}{
		{"a line billed otherwise than its base", a, "", cartLine(offerE1, 1, `"billingCycle":"monthly"`, `"addonItems":[{`+cartLine(offerConference, 1, `"billingCycle":"annual"`)+`}]`), partnercenter.CartErrorCodeBillingPlanNotSupported},
		{"another currency", a, "", cartLine(itemE3, 1, `"currencyCode":"EUR"`), partnercenter.CartErrorCodeCurrencyNotSupported},
		{"an unknown product", a, "", cartLine("CFQ7TTCEXMP1:0001:CFQ7TTCEXMP2", 1), partnercenter.CartErrorCodeCatalogItemIDNotValid},
		{"an unknown offer", a, "", cartLine(guid.New(), 1), partnercenter.CartErrorCodeCatalogItemIDNotValid},
		{"an item that is not sold", a, "", cartLine(itemNotSold, 1), partnercenter.CartErrorCodeCatalogItemIDNotValid},
		{"a retired item", a, "", cartLine(itemRetired, 1), partnercenter.CartErrorCodeCatalogItemIDNotValid},
		{"a retired offer", a, "", cartLine(offerRetired, 1), partnercenter.CartErrorCodeLegacyOfferNotEligible},
		{"an offer that is not sold", a, "", cartLine(offerNotSold, 1), partnercenter.CartErrorCodeLegacyOfferNotEligible},
		{"a full region", a, "", cartLine(itemFull, 1, azure(azureSubscription)), partnercenter.CartErrorCodeInventoryNotAvailable},
		{"no partner's id", a, "", cartLine(itemE3, 1, participants("transaction_reseller 9999999")), partnercenter.CartErrorCodeParticipantsNotSupported},
		{"two first resellers", a, "", cartLine(itemE3, 1, participants("transaction_reseller 5081207", "TransactionReseller 5081207")), partnercenter.CartErrorCodeParticipantsNotSupported},
		{"a consumption reseller", a, "", cartLine(itemE3, 1, participants("consumption_reseller 5081207")), partnercenter.CartErrorCodeParticipantsNotSupported},
		{"another's subscription", a, "", cartLine(itemNV12, 1, azure(guid.New())), partnercenter.CartErrorCodeSubscriptionNotValid},
		{"no Azure subscription", a, "", cartLine(itemNV12, 1, azure(exampleSubscription)), partnercenter.CartErrorCodeSubscriptionNotValid},
		{"not registered", a, "", cartLine(itemNV12, 1, azure(fresh)), partnercenter.CartErrorCodeSubscriptionNotRegistered},
		{"registered, but not yet", enabling, "", cartLine(itemNV12, 1, azure(bare)), partnercenter.CartErrorCodeSubscriptionNotEnabled},
		{"too much for a sandbox", sandbox, sandboxCustomer(0), cartLine(itemE3, 26), partnercenter.CartErrorCodeSandboxLimitExceeded},
		{"nothing", a, "", cartLine(itemE3, 0), partnercenter.CartErrorCodeInvalidInput},
		{"less than nothing", a, "", cartLine(itemE3, -3), partnercenter.CartErrorCodeInvalidInput},
		{"no quantity", a, "", `"catalogItemId":"` + itemE3 + `"`, partnercenter.CartErrorCodeInvalidInput},
		{"no item", a, "", `"quantity":1`, partnercenter.CartErrorCodeInvalidInput},
		{"no context", a, "", cartLine(itemReservation, 1), partnercenter.CartErrorCodeInvalidInput},
		{"a savings plan's commitment", a, "", cartLine(itemE3, 1, `"purchaseCommitment":{"amount":0.05,"grain":"hourly","currency":"usd"}`), partnercenter.CartErrorCodeInvalidInput},
		{"no attestation", a, "", cartLine(itemAttested, 1), partnercenter.CartErrorCodeAttestationNotAccepted},
		{"another cycle", a, "", cartLine(itemPerpetual, 1, `"billingCycle":"monthly"`), partnercenter.CartErrorCodeBillingPlanNotSupported},
		{"another term", a, "", cartLine(itemSoftware, 1, `"termDuration":"P1M"`), partnercenter.CartErrorCodeBillingPlanNotSupported},
		{"a cycle longer than the term", a, "", cartLine(itemE3, 1, `"billingCycle":"annual"`, `"termDuration":"P1M"`), partnercenter.CartErrorCodeBillingPlanNotSupported},
		{"a promotion", a, "", cartLine(itemE3, 1, `"promotionId":"39NFJQT1AAAA:0001:39NFJQT1AAAB"`), partnercenter.CartErrorCodeInvalidPromotionID},
		{"too many", a, "", cartLine(itemMarketplace, 1001), partnercenter.CartErrorCodeMaxSeatsExceeded},
		{"software ends on a date", a, "", cartLine(itemSoftware, 1, `"customTermEndDate":"2030-07-31T00:00:00"`), partnercenter.CartErrorCodeCustomEndProductInvalid},
		{"a date that is not offered", a, "", cartLine(itemE3, 1, `"customTermEndDate":"2030-07-30T00:00:00"`), partnercenter.CartErrorCodeCustomEndInvalid},
		{"an add-on without a base", sandbox, sandboxCustomer(1), cartLine(itemArchiving, 1), partnercenter.CartErrorCodeBaseSeatsNotMet},
		{"an add-on under something else", a, "", cartLine(offerE3, 1, `"addonItems":[{`+cartLine(offerConference, 1)+`}]`), partnercenter.CartErrorCodeBaseSeatsNotMet},
		{"no seats of an add-on", a, "", cartLine(offerE1, 1, `"addonItems":[{`+cartLine(offerConference, 0)+`}]`), partnercenter.CartErrorCodeMinimumAddOnSeatsNotMet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.of == "" {
				tt.of = documented
			}
			before := tt.a.holdings(t, tt.of)
			cart := tt.a.cart(t, tt.of, cartOf(tt.line))
			l := cart.LineItems[0]
			if len(l.AddonItems) > 0 {
				l = l.AddonItems[0]
			}
			if l.Error == nil || l.Error.ErrorCode != tt.want || !strings.HasSuffix(l.Error.ErrorDescription, ".") {
				t.Fatalf("%+v", l.Error)
			}
			if tt.want == partnercenter.CartErrorCodeMaxSeatsExceeded && (l.Error.AdditionalInformation == nil || *l.Error.AdditionalInformation.AvailableQuantity != 1000) {
				t.Errorf("%+v", l.Error.AdditionalInformation)
			}
			seen[tt.want] = true
			switch tt.name { // the rules that only lines of carts have
			case "two first resellers":
				noteRefusal(400, partnercenter.ErrorCodeMPNNotReseller, "make a cart: a line has two transaction resellers, more than five others, or a consumption reseller")
			case "a line billed otherwise than its base":
				noteRefusal(400, partnercenter.ErrorCodeCycleUnsupported, "make a cart: an add-on is billed otherwise than its base")
			}
			tt.a.check(t, request{method: http.MethodPost, path: cartAt(tt.of, cart.ID) + "/checkout", status: 400, code: partnercenter.ErrorCodeCartItems, must: []string{string(tt.want)}})
			if tt.a.holdings(t, tt.of) != before {
				t.Error("something was bought")
			}
		})
	}
	a.place(t, wingtip, line(offerTrial, 1))
	if e := a.cart(t, wingtip, cartOf(cartLine(offerTrial, 1))).LineItems[0].Error; e == nil || e.ErrorCode != partnercenter.CartErrorCodeQuotaNotAvailable {
		t.Errorf("a second trial: %+v", e)
	}
	seen[partnercenter.CartErrorCodeQuotaNotAvailable] = true
	china := newAPI(t, partnercentertest.Options{Cloud: partnercenter.CloudName21Vianet})
	if e := china.cart(t, documented, cartOf(cartLine(itemNV12, 1, azure(azureSubscription)))).LineItems[0].Error; e == nil || e.ErrorCode != partnercenter.CartErrorCodeUnableToProcess {
		t.Errorf("what a cloud does not sell: %+v", e)
	}
	seen[partnercenter.CartErrorCodeUnableToProcess] = true
	var codes []string
	for n := 10000; n < 10020; n++ {
		if c := partnercenter.CartErrorCode(fmt.Sprint(n)).Normalize(); c.Known() && !seen[c] {
			codes = append(codes, string(c))
		}
	}
	if len(codes) > 0 {
		t.Errorf("no test has %q", codes)
	}
	if slices.Contains(slices.Collect(maps.Keys(seen)), partnercenter.CartErrorCodeUnknown) {
		t.Error("unknown occurs")
	}
}

// subscriptionOf returns the customer's newest subscription of an offer.
func (a *api) subscriptionOf(t *testing.T, customer, offer string) string {
	t.Helper()
	list := decode[partnercenter.Collection[*partnercenter.Subscription]](t, a.send(t, http.MethodGet, "/v1/customers/"+customer+"/subscriptions", "", http.StatusOK))
	id := ""
	for _, s := range list.Items {
		if strings.EqualFold(s.OfferID, offer) {
			id = s.ID
		}
	}
	return id
}

// TestCartPromotion has a promotion apply by itself, as long as it does: it goes away with a
// quantity that it is not for, although the whole cart is sent back.
func TestCartPromotion(t *testing.T) {
	a := newAPI(t)
	body := cartOf(cartLine("CFQ7TTC0HD32:0002:CFQ7TTC0K6ZC", 2, `"billingCycle":"annual"`, `"termDuration":"P1Y"`))
	raw := a.send(t, http.MethodPost, cartsOf(documented), body, http.StatusCreated)
	cart := decode[partnercenter.Cart](t, raw)
	const visio = "39NFJQT1VS2P:0001:39NFJQT1VS2Y"
	if l := cart.LineItems[0]; l.PromotionID != visio || l.Pricing.ListPrice != "180.00" || l.Pricing.ExtendedPrice != "306.00" || l.Error != nil {
		t.Errorf("%s", raw)
	}
	many := strings.Replace(string(raw), `"quantity":2`, `"quantity":21`, 1)
	if l := decode[partnercenter.Cart](t, a.send(t, http.MethodPut, cartAt(documented, cart.ID), many, http.StatusCreated)).LineItems[0]; l.PromotionID != "" || l.Error != nil || l.Pricing.Price != "180.00" {
		t.Errorf("%+v", l)
	}
	a.send(t, http.MethodPut, cartAt(documented, cart.ID), string(raw), http.StatusCreated)
	a.send(t, http.MethodPut, cartAt(documented, cart.ID), body, http.StatusCreated)
	if l := a.checkOut(t, documented, cart.ID).Orders[0].LineItems[0]; l.PromotionID != visio || l.Pricing.ExtendedPrice != "306.00" {
		t.Errorf("%+v", l)
	}
}

// TestCartPrices has carts and orders of those who may not see prices come without.
func TestCartPrices(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{NoPriceAccess: true})
	body := cartOf(cartLine(itemE3, 1), cartLine(offerE1, 1, `"addonItems":[{`+cartLine(offerConference, 1)+`}]`))
	raw := a.send(t, http.MethodPost, cartsOf(documented), body, http.StatusCreated)
	cart := decode[partnercenter.Cart](t, raw)
	for _, answer := range [][]byte{
		raw, a.send(t, http.MethodGet, cartAt(documented, cart.ID), "", http.StatusOK),
		a.send(t, http.MethodPut, cartAt(documented, cart.ID), body, http.StatusCreated),
		a.send(t, http.MethodPost, cartAt(documented, cart.ID)+"/checkout", "", http.StatusCreated),
	} {
		if strings.Contains(strings.ToLower(string(answer)), "pric") {
			t.Errorf("%s", answer)
		}
	}
}

// cartRefusals are of carts as a whole.
func cartRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	of := func(name, rule string, status int, code partnercenter.ErrorCode, body string, must ...string) refusal {
		r := refusal{request: request{name: name, method: http.MethodPost, path: cartsOf(documented), body: body, invalid: true, status: status, code: code, must: must}}
		if rule != "" {
			r.rule = "make a cart: " + rule
		}
		return r
	}
	to := func(method, suffix string, cart *partnercenter.Cart, r refusal, rule string) refusal {
		r.method, r.path, r.rule = method, cartAt(documented, cart.ID)+suffix, rule
		return r
	}
	ordered := a.cart(t, documented, cartOf(cartLine(itemE3, 1)))
	a.checkOut(t, documented, ordered.ID)
	empty, wrong := a.cart(t, documented, cartOf()), a.cart(t, documented, cartOf(cartLine(itemE3, 1), cartLine(itemPerpetual, 0)))
	unknown := &partnercenter.Cart{ID: guid.New()}
	huge := make([]string, 10_000)
	for i := range huge {
		huge[i] = cartLine(itemE3, 1)
	}
	deep := cartLine(offerE1, 1, `"addonItems":[{`+cartLine(offerConference, 1, `"addonItems":[{`+cartLine(offerProtection, 1)+`}]`)+`}]`)
	list := []refusal{
		of("no lines", "it says nothing of line items; an empty list makes an empty cart", 400, partnercenter.ErrorCodeInvalidProperty, `{}`),
		of("lines that are null", "", 400, partnercenter.ErrorCodeInvalidProperty, `{"lineItems":null}`),
		of("10,000 lines", "there are more than 500 line items, with add-ons", 400, partnercenter.ErrorCodeInvalidInput, cartOf(huge...), "10000", "500"),
		of("add-ons of add-ons", "an add-on has add-ons", 400, partnercenter.ErrorCodeInvalidProperty, cartOf(deep)),
		of("an unknown cycle", "the billing cycle of a line is unknown text", 400, partnercenter.ErrorCodeEnumUnparsable, cartOf(cartLine(itemE3, 1, `"billingCycle":"weekly"`)), "weekly"),
		of("an unknown part", "a participant has an unknown part", 400, partnercenter.ErrorCodeEnumUnparsable, cartOf(cartLine(itemE3, 1, `"participants":[{"key":"friend","value":"1"}]`)), "friend"),
		of("a variable twice", "a provisioning variable is there twice, in different case", 400, partnercenter.ErrorCodeInvalidProperty, cartOf(cartLine(itemReservation, 1, `"provisioningContext":{"scope":"single","Scope":"shared"}`))),
		of("no currency", "nothing is sold in the currency of a line", 400, partnercenter.ErrorCodeCurrencyNotOffered, cartOf(cartLine(itemE3, 1, `"currencyCode":"XAU"`)), "XAU"),
		to(http.MethodPut, "", ordered, of("a change of what was ordered", "", 400, partnercenter.ErrorCodeCartItems, cartOf(cartLine(itemE3, 2))), "change a cart: some of it was ordered"),
		to(http.MethodPost, "/checkout", empty, of("nothing to check out", "", 400, partnercenter.ErrorCodeCartItems, ""), "check out a cart: it has no line items"),
		to(http.MethodPost, "/checkout", wrong, of("a wrong line", "", 400, partnercenter.ErrorCodeCartItems, ""), "check out a cart: a line has an error"),
		to(http.MethodPost, "/checkout", empty, of("a body", "", 400, partnercenter.ErrorCodeInvalidInput, `{"quantity":3}`), ""),
		to(http.MethodPost, "/checkout", empty, of("text that is no JSON", "", 400, partnercenter.ErrorCodeInvalidInput, `success`), ""),
		to(http.MethodPost, "/checkout", unknown, of("an unknown cart", "", 404, partnercenter.ErrorCodeCartNotFound, ""), ""),
		to(http.MethodPut, "", unknown, of("a change of an unknown cart", "", 404, partnercenter.ErrorCodeCartNotFound, cartOf()), ""),
		to(http.MethodGet, "", unknown, of("reading an unknown cart", "", 404, partnercenter.ErrorCodeCartNotFound, ""), ""),
	}
	return list
}

// TestCartGone checks out carts whose items are not in the catalog that the server was
// started with last.
func TestCartGone(t *testing.T) {
	sold := func(product, sku, availability string) *catalog.Catalog {
		c, err := catalog.Read("catalog", strings.NewReader(fmt.Sprintf(`
format: partnercenter-catalog/1
countries: [{code: US, currency: USD, symbol: $}]
products:
  - {id: %s, kind: online_service, title: Seats, skus: [{id: %q, availabilities: [{id: %s, price: 1}]}]}
`, product, sku, availability)))
		must(t, err)
		return c
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	account := &lifecycle.Account{CustomerID: documented, Country: "US", AgreementAccepted: true, Catalog: sold("P", "0001", "A")}
	request := &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{{CatalogItemID: "P:0001:A", Quantity: new(1)}}}
	cart, _, err := lifecycle.CreateCart(account, lifecycle.CartCommand{Request: request}, lifecycle.Settings{}, now)
	must(t, err)
	for _, tt := range []struct {
		catalog *catalog.Catalog
		code    partnercenter.ErrorCode
		rule    string
	}{
		{sold("Q", "0001", "A"), partnercenter.ErrorCodeProductNotFound, "a product is no longer there"},
		{sold("P", "0002", "A"), partnercenter.ErrorCodeSKUNotFound, "a SKU is no longer there"},
		{sold("P", "0001", "B"), partnercenter.ErrorCodeAvailabilityUnknown, "an availability is no longer there"},
	} {
		other := *account
		other.Catalog = tt.catalog
		_, err := lifecycle.CheckOut(&other, cart, lifecycle.Checkout{}, lifecycle.Settings{}, now)
		refused := new(lifecycle.Refusal)
		if !errors.As(err, &refused) || refused.Status != http.StatusNotFound || refused.Code != tt.code {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		noteRefusal(refused.Status, refused.Code, "check out a cart: "+tt.rule)
	}
	if b, err := lifecycle.CheckOut(account, cart, lifecycle.Checkout{}, lifecycle.Settings{}, now); err != nil || b.Cart == nil || len(b.Orders) != 1 || len(b.Result.Orders) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
}

// Microsoft's samples buy the first availability of these products, and run as they are.
func TestSamplesCarts(t *testing.T) {
	a := newAPI(t)
	a.send(t, http.MethodPost, "/v1/customers/"+documented+"/subscriptions/"+azureSubscription+"/registrations", "", http.StatusAccepted)
	first := func(id string) *partnercenter.Availability {
		t.Helper()
		skus := "/v1/products/" + id + "/skus"
		sku := decode[partnercenter.Collection[*partnercenter.SKU]](t, a.send(t, http.MethodGet, skus+"?country=US&targetSegment=commercial", "", http.StatusOK)).Items[0]
		return decode[partnercenter.Collection[*partnercenter.Availability]](t, a.send(t, http.MethodGet, skus+"/"+sku.ID+"/availabilities?country=US&targetSegment=commercial", "", http.StatusOK)).Items[0]
	}
	line := func(id string, more ...string) string {
		t.Helper()
		f := first(id)
		if len(f.Terms) > 0 {
			more = append(more, fmt.Sprintf(`"termDuration":%q`, f.Terms[0].Duration))
		}
		return cartLine(f.CatalogItemID, *f.SKU.MinimumQuantity, append(more, fmt.Sprintf(`"billingCycle":%q`, f.SKU.SupportedBillingCycles[0]))...)
	}
	const usd = `"currencyCode":"USD"`
	context := fmt.Sprintf(`"provisioningContext":{"subscriptionId":%q,"scope":"shared"}`, azureSubscription)
	for _, lines := range [][]string{
		{
			cartLine("MS-AZR-0145P", 1, `"billingCycle":"monthly"`, usd), line("DG7GMGF0DVT9"),
			line("DZH318Z0C1F2", usd), line("DZH318Z0BZ17", usd, context),
		},
		{line("DZH318Z0BWR1", usd, context)},
	} {
		cart := a.cart(t, documented, cartOf(lines...))
		for _, l := range cart.LineItems {
			if l.Error != nil {
				t.Errorf("%s: %+v", l.CatalogItemID, l.Error)
			}
		}
		got, bought := a.checkOut(t, documented, cart.ID), 0
		for _, o := range got.Orders {
			bought += len(o.LineItems)
		}
		if bought != len(lines) || len(got.OrderErrors) != 0 {
			t.Errorf("%d of %d lines were bought: %+v", bought, len(lines), got.OrderErrors)
		}
	}
	if options := string(first("DZH318Z0BWR1").IncludedQuantityOptions); !strings.Contains(options, `"units"`) || !strings.Contains(options, `"description"`) {
		t.Errorf("included quantities: %s", options)
	}
}

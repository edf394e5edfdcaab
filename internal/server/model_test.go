package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// modelSeed is a partner with customers without purchases, and another partner.
const modelSeed = `
format: partnercenter-seed/1
partners:
  - tenantId: 0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25
    name: One
    domain: one.onmicrosoft.com
    mpnId: "5080911"
    country: US
    apps: [{clientId: 7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8, name: tests}]
    users: [{userPrincipalName: ada@one.onmicrosoft.com, name: Ada, roles: [admin_agent]}]
    indirectResellers: [{tenantId: 43e8b6f2-91d0-4a7c-b5e3-0c7f28d61a94, name: Reseller, mpnId: "5081207", location: US}]
    customers:
      - id: 9d60c2b7-e814-4f35-a0d9-6b31f7c85e42
        companyProfile: {companyName: Dollars, domain: dollars.onmicrosoft.com}
      - id: 1f0e2d3c-4b5a-4697-8878-695a4b3c2d1e
        companyProfile: {companyName: Yen, domain: yen.onmicrosoft.com, address: {country: JP}}
  - tenantId: 5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d
    name: Other
    domain: other.onmicrosoft.com
    mpnId: "6000001"
    country: US
`

// modelUser is the user of the first.
const modelUser = "ada@one.onmicrosoft.com"

var modelCustomers = []modelCustomer{
	{"9d60c2b7-e814-4f35-a0d9-6b31f7c85e42", "US"},
	{"1f0e2d3c-4b5a-4697-8878-695a4b3c2d1e", "JP"},
}

type modelCustomer struct{ id, country string }

// modelStart is when every play begins. The clock is frozen, so that the model and the
// server see the same instant.
var modelStart = time.Date(2026, 3, 1, 12, 0, 0, 123456700, time.UTC)

// twin is a server and its rules.
type twin struct {
	srv      *partnercentertest.Server
	settings lifecycle.Settings
	catalog  *catalog.Catalog
	client   *http.Client
	app      azcore.TokenCredential
	user     azcore.TokenCredential
}

// play is one run of random commands on a server and on its model: the orders in
// package lifecycle. The model takes random values, the ids, from the server's answers.
type play struct {
	*twin
	*rapid.T

	now      time.Time
	commands int // so far: the model's own seed
	orders   []*modelOrder
	carts    []*modelCart
	answered []answered

	due map[modelCustomer]bool // who is to be looked at

	shown    map[string]bool      // ids of orders that lists have shown
	versions map[string]*version  // by id of order or subscription
	followed map[string]bool      // links of subscriptions that were looked into
	states   map[string]string    // by machine and id
	ended    map[string]time.Time // when requests ended subscriptions, by id
	wrote    time.Time            // when something was last written
	rewound  bool                 // the clock was set back
}

// modelOrder is an order of the model.
type modelOrder struct {
	*lifecycle.Order
	customer modelCustomer
}

// answered is a write that had an effect, and the answer to it.
type answered struct {
	at                      time.Time
	customer                modelCustomer
	method, path, requestID string
	contentType             string
	body                    []byte
	user                    bool
	status                  int
	answer                  []byte
}

// version is the newest etag of something, and what it looked like with it.
type version struct {
	number int
	doc    []byte
}

// call sends a request, as the app or as a user of it.
func (p *play) call(method, path string, body []byte, user bool, header map[string]string) (status int, answer []byte) {
	p.Helper()
	cred := p.app
	if user {
		cred = p.user
	}
	token, err := cred.GetToken(p.Context(), tokenOptions)
	if err != nil {
		p.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.Context(), method, p.srv.URL+"/v1"+path, bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Token)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return resp.StatusCode, answer
}

// get reads a resource that must exist.
func (p *play) get(path string, into any) []byte {
	p.Helper()
	status, answer := p.call(http.MethodGet, path, nil, false, nil)
	if status != http.StatusOK {
		p.Fatalf("GET %s: %d %s", path, status, answer)
	}
	p.decode(answer, into)
	return answer
}

func (p *play) decode(data []byte, into any) {
	p.Helper()
	if err := partnercenter.Unmarshal(data, into); err != nil {
		p.Fatalf("%v: %s", err, data)
	}
}

func (p *play) encode(value any) []byte {
	p.Helper()
	data, err := partnercenter.Marshal(value)
	if err != nil {
		p.Fatal(err)
	}
	return data
}

// same compares a document of the server with the model's.
func (p *play) same(what string, got, want []byte) {
	p.Helper()
	if bytes.Equal(got, want) {
		return
	}
	var g, w any
	_, _ = json.Unmarshal(got, &g), json.Unmarshal(want, &w)
	p.Fatalf("%s: the server (+) and the lifecycle (-) differ at %v:\n%s\nserver:    %s\nlifecycle: %s", what, p.now, cmp.Diff(w, g), got, want)
}

// write sends a write to the server and the model.
type write struct {
	method, path string
	body         any
	user         bool
	ifMatch      string
	contentType  string // empty: the body is to be encoded as JSON
	// decide is the model's decision: the order as it is then, or an error.
	decide func(now time.Time, entropy lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error)
	// before is the order that is changed; nil when one is placed.
	before   *modelOrder
	customer modelCustomer
	status   int // of success
	// answer is the model's answer; nil when it is not to be compared.
	answer func(o *lifecycle.Order) any
}

// do compares the decisions of server and model about a write.
func (p *play) do(w write) {
	p.Helper()
	body, raw := w.body.([]byte)
	if !raw {
		body = p.encode(w.body)
	}
	requestID := guid.New()
	p.due[w.customer], p.wrote = true, p.now
	header := map[string]string{"MS-RequestId": requestID}
	if w.ifMatch != "" {
		header["If-Match"] = w.ifMatch
	}
	if w.contentType != "" {
		header["Content-Type"] = w.contentType
	}
	status, answer := p.call(w.method, w.path, body, w.user, header)
	p.Logf("%v: %s %s %s: %d", p.now, w.method, w.path, body, status)

	var state []byte
	if w.before != nil {
		state = p.state(w.before.Order)
	}
	p.commands++
	next, events, err := w.decide(p.now, lifecycle.Entropy{byte(p.commands), byte(p.commands >> 8), 1})
	if w.before != nil && !bytes.Equal(state, p.state(w.before.Order)) {
		p.Fatalf("the lifecycle changed its input\nfrom %s\nto   %s", state, p.state(w.before.Order))
	}
	if err != nil {
		refusal, ok := err.(*lifecycle.Refusal)
		var got partnercenter.ErrorBody
		p.decode(answer, &got)
		if !ok || status != refusal.Status || got.Code != refusal.Code {
			p.Fatalf("%s %s %s:\nserver:    %d %s\nlifecycle: %v", w.method, w.path, body, status, answer, err)
		}
		return
	}
	if status != w.status {
		p.Fatalf("%s %s %s: the server answers %d %s, the lifecycle allows it", w.method, w.path, body, status, answer)
	}
	o := w.before
	if o == nil {
		o = &modelOrder{customer: w.customer}
		p.orders = append(p.orders, o)
	}
	o.Order = next
	if id := (partnercenter.Order{}); w.before == nil {
		p.decode(answer, &id)
		p.adopt(o, &id)
	} else if len(events) > 0 {
		p.learn(o)
	}
	o.Changed = nil
	if w.answer != nil {
		p.same(w.method+" "+w.path+" "+string(body), answer, p.encode(w.answer(o.Order)))
	}
	if len(events) > 0 {
		p.answered = append(p.answered, answered{p.now, w.customer, w.method, w.path, requestID, w.contentType, body, w.user, status, answer})
	}
}

// state is all of an order, to compare.
func (p *play) state(o *lifecycle.Order) []byte {
	data := p.encode(&o.Document)
	data = append(data, p.encode(&o.Facts)...)
	for _, s := range o.Subscriptions {
		data = append(append(data, p.encode(&s.Document)...), p.encode(&s.Facts)...)
	}
	return data
}

// learn updates the model with what the server shows by now: the ids of an order's
// subscriptions appear with their provisioning.
func (p *play) learn(o *modelOrder) {
	p.Helper()
	var got partnercenter.Order
	p.get("/customers/"+o.customer.id+"/orders/"+o.Document.ID, &got)
	p.adopt(o, &got)
	for _, s := range o.Subscriptions {
		if s.Document.EntitlementID == "" || p.now.Before(s.Facts.Since) {
			continue
		}
		var sub partnercenter.Subscription
		p.get("/customers/"+o.customer.id+"/subscriptions/"+s.Document.ID, &sub)
		if s.Document.EntitlementID != sub.EntitlementID {
			p.rename(o, map[string]string{s.Document.EntitlementID: sub.EntitlementID})
		}
	}
}

// adopt takes over the ids of an answer.
func (p *play) adopt(o *modelOrder, got *partnercenter.Order) {
	p.Helper()
	ids := map[string]string{o.Document.ID: got.ID, o.Document.AlternateID: got.AlternateID}
	if len(got.LineItems) != len(o.Document.LineItems) {
		p.Fatalf("order %s has %d lines, want %d", got.ID, len(got.LineItems), len(o.Document.LineItems))
	}
	for i := range got.LineItems {
		if id := got.LineItems[i].SubscriptionID; id != "" {
			ids[o.Document.LineItems[i].SubscriptionID] = id
		}
	}
	for from, to := range ids {
		if from == to {
			delete(ids, from)
		}
	}
	if len(ids) > 0 {
		p.rename(o, ids)
	}
}

// rename gives an order of the model and its subscriptions other ids, wherever
// they stand.
func (p *play) rename(o *modelOrder, ids map[string]string) {
	var pairs []string
	for from, to := range ids {
		if from != "" {
			pairs = append(pairs, from, to)
		}
	}
	replacer := strings.NewReplacer(pairs...)
	retag := func(a *partnercenter.ResourceAttributes) {
		if a != nil && a.Etag != nil {
			plain, _ := base64.StdEncoding.DecodeString(*a.Etag)
			*a.Etag = base64.StdEncoding.EncodeToString([]byte(replacer.Replace(string(plain))))
		}
	}
	next := &lifecycle.Order{Facts: o.Facts}
	p.decode([]byte(replacer.Replace(string(p.encode(&o.Document)))), &next.Document)
	retag(next.Document.Attributes)
	for _, s := range o.Subscriptions {
		c := &lifecycle.Subscription{Facts: s.Facts}
		p.decode([]byte(replacer.Replace(string(p.encode(&s.Document)))), &c.Document)
		retag(c.Document.Attributes)
		for i := range c.Document.LineItems { // of a savings plan
			c.Document.LineItems[i].ID = guid.Derived("line", c.Document.ID)
		}
		next.Subscriptions = append(next.Subscriptions, c)
	}
	o.Order = next
}

// account is what the rules look at, as the model knows it.
func (p *play) account(c modelCustomer) *lifecycle.Account {
	a := &lifecycle.Account{
		PartnerID: p.srv.TenantID, MPNID: "5080911", CustomerID: c.id, Country: c.country, AgreementAccepted: true, Catalog: p.catalog,
		MPN: map[string]bool{"5081207": true, "5080911": false, "6000001": false}, Subscriptions: map[string]*lifecycle.Subscription{},
		Held: lifecycle.Holdings{Customers: len(modelCustomers), OfOffer: map[string]int{}},
	}
	p.link(c)
	for _, o := range p.orders {
		for _, s := range o.Subscriptions {
			mine, alive := o.customer == c, s.At(p.settings, p.now).Status != partnercenter.SubscriptionStatusDeleted
			if mine {
				a.Owned = append(a.Owned, s)
				a.Subscriptions[lifecycle.Key(s.Document.ID)] = s
				if id := s.Document.EntitlementID; id != "" {
					a.Subscriptions[lifecycle.Key(id)] = s
				}
			}
			switch {
			case !alive:
				continue
			case s.Facts.Kind == catalog.Usage:
				a.Held.AzureSubs++
			case s.Facts.Kind == catalog.AzurePlan:
				a.Held.AzurePlans++
			}
			if mine {
				a.Held.Subscriptions++
				a.Held.OfOffer[lifecycle.Key(s.Document.OfferID)]++
			}
		}
	}
	return a
}

// link links the add-ons of a customer with their bases, in whatever order they are.
func (p *play) link(c modelCustomer) {
	var list []*lifecycle.Subscription
	for _, o := range p.orders {
		if o.customer == c {
			list = append(list, o.Subscriptions...)
		}
	}
	lifecycle.LinkBases(list)
}

// plain returns an order without prices.
func plain(o *partnercenter.Order) *partnercenter.Order {
	o, _ = store.WithoutPrices(o)
	return o
}

// asPlaced returns the answer to the placement of an order, with prices in new commerce.
func asPlaced(o *lifecycle.Order) *partnercenter.Order {
	if o.Legacy() {
		return plain(o.AsPlaced())
	}
	return o.AsPlaced()
}

// check compares everything that the server shows of the customers affected by the last
// command with the model, and checks the invariants.
func (p *play) check() {
	for _, c := range modelCustomers {
		if p.due[c] {
			p.checkCustomer(c)
		}
	}
	clear(p.due)
}

func (p *play) checkCustomer(c modelCustomer) {
	p.Helper()
	p.link(c)
	orders := "/customers/" + c.id + "/orders"
	docs := map[string][]byte{}
	lineOf := map[string]*partnercenter.OrderLineItem{}
	orderOf := map[string]*modelOrder{}
	visible := 0
	for _, o := range p.orders {
		if o.customer != c {
			continue
		}
		p.learn(o)
		var got partnercenter.Order
		doc := p.get(orders+"/"+o.Document.ID+"?include_price=true", &got)
		p.same("order", doc, p.encode(o.At(p.now)))
		docs[got.ID] = doc
		p.checkOrder(&got, o.Facts.Lines)
		p.checkMove(lifecycle.OrderMachine, got.ID, string(got.Status))
		p.checkVersion(got.ID, got.Attributes.Etag, doc)
		for i := range got.LineItems {
			line := &got.LineItems[i]
			id := line.SubscriptionID
			if id == "" {
				continue
			}
			if lineOf[id] != nil {
				p.Fatalf("subscription %s is of two lines", id)
			}
			lineOf[id], orderOf[id] = line, o
			p.checkLink(line, &got)
		}
		if !p.now.Before(o.Facts.Visible) {
			visible++
		} else if p.shown[got.ID] {
			p.Fatalf("order %s was shown before its time", got.ID)
		}
	}

	var list struct {
		TotalCount int               `json:"totalCount"`
		Items      []json.RawMessage `json:"items"`
	}
	status, answer := p.call(http.MethodGet, orders+"?include_price=true", nil, false, nil)
	if err := json.Unmarshal(answer, &list); status != http.StatusOK || err != nil {
		p.Fatalf("list: %d %s", status, answer)
	}
	if list.TotalCount != len(list.Items) || len(list.Items) != visible {
		p.Fatalf("%d items, totalCount %d, %d are visible at %v", len(list.Items), list.TotalCount, visible, p.now)
	}
	last := time.Time{}
	listed := map[string]bool{}
	for i, item := range list.Items {
		var o partnercenter.Order
		p.decode(item, &o)
		p.same("order in list", item, docs[o.ID])
		if created := o.CreationDate.Time(); i > 0 && created.After(last) {
			p.Fatalf("order %s of %v is behind one of %v", o.ID, created, last)
		} else {
			last = created
		}
		listed[o.ID], p.shown[o.ID] = true, true
	}
	for id := range docs {
		if p.shown[id] && !listed[id] {
			p.Fatalf("order %s is not listed any more", id)
		}
	}

	p.checkRenewals(c, list.Items)

	var subscriptions partnercenter.Collection[partnercenter.Subscription]
	p.get("/customers/"+c.id+"/subscriptions", &subscriptions)
	if subscriptions.TotalCount != len(subscriptions.Items) || len(subscriptions.Items) != len(lineOf) {
		p.Fatalf("%d subscriptions, totalCount %d, of %d lines at %v", len(subscriptions.Items), subscriptions.TotalCount, len(lineOf), p.now)
	}
	for i := range subscriptions.Items {
		s := &subscriptions.Items[i]
		line, o := lineOf[s.ID], orderOf[s.ID]
		if line == nil || s.OrderID != o.Document.ID {
			p.Fatalf("subscription %s is of order %s and no line", s.ID, s.OrderID)
		}
		want := o.Subscription(s.ID).At(p.settings, p.now)
		want.RefundableQuantity = nil
		p.same("subscription in list", p.encode(s), p.encode(want))
		// Who deletes one cancels the lines of terms that are not over; what time deletes
		// leaves them.
		stays := o.Subscription(s.ID)
		if gone := stays.Document.Status == partnercenter.SubscriptionStatusDeleted; !gone && *line.Quantity == 0 || gone && s.Status != stays.Document.Status {
			p.Fatalf("subscription %s is %s, its line has quantity %d", s.ID, s.Status, *line.Quantity)
		} else if gone {
			p.checkGivenBack(o, stays)
		}
		bought := 0
		for _, seats := range stays.Facts.Seats {
			bought += seats.Quantity
		}
		if bought != *stays.Document.Quantity {
			p.Fatalf("subscription %s has %d seats, and %d were bought", s.ID, *stays.Document.Quantity, bought)
		}
		p.checkMove(lifecycle.SubscriptionMachine, s.ID, string(s.Status))
		if *s.Quantity < 1 {
			p.Fatalf("subscription %s has quantity %d", s.ID, *s.Quantity)
		}
		// A version is what the ends of terms and the order leave alone.
		stored, id := *s, s.ID
		stored.RefundableQuantity, stored.RefundOptions, stored.CancellationAllowedUntilDate = nil, nil, partnercenter.Time{}
		stored.CommitmentEndDate, stored.CommitmentEndDateTime, stored.BillingCycleEndDate, stored.BillingCycleEndDateTime = partnercenter.Time{}, partnercenter.Time{}, partnercenter.Time{}, partnercenter.Time{}
		stored.BillingCycle = ""
		if s.Status == partnercenter.SubscriptionStatusDeleted {
			id += ", deleted" // by itself, or by its order in the same version
		}
		p.checkVersion(id, s.Attributes.Etag, p.encode(&stored))
	}
}

// creditedIn reports whether an order costs less than its line, or nothing at all.
func creditedIn(o *partnercenter.Order) bool {
	line := &o.LineItems[0]
	if line.Pricing == nil {
		return true
	}
	full, _ := line.Pricing.ExtendedPrice.Rat()
	total, _ := o.TotalPrice.Rat()
	if cycle := catalog.CycleMonths(o.BillingCycle); cycle > 0 && line.TermDuration != nil {
		full.Mul(full, big.NewRat(int64(max(1, catalog.TermMonths(*line.TermDuration)/cycle)), 1))
	}
	return total.Sign() == 0 || total.Cmp(full) < 0
}

// checkRenewals compares the orders that renewals placed with the model's. They are in the
// list that has them only, among the others.
func (p *play) checkRenewals(c modelCustomer, listed []json.RawMessage) {
	p.Helper()
	orders := "/customers/" + c.id + "/orders"
	want := map[string][]byte{}
	for _, o := range p.orders {
		for _, s := range o.Subscriptions {
			if o.customer != c {
				continue
			}
			var last, before time.Time
			for _, r := range s.RenewalOrders(p.account(c), &o.Document, p.now) {
				d := &r.Document
				want[d.ID] = p.encode(d)
				// A term that cuts another one short is cheaper by what is left of that.
				at, asked := d.CreationDate.Time(), d.LineItems[0].TransactionType == partnercenter.LineItemTransactionTypeConvert
				cancelled := d.Status == partnercenter.OrderStatusCancelled
				if at.Before(before) || !at.After(last) && !asked && !cancelled && !creditedIn(d) || at.After(p.now) && !asked {
					p.Fatalf("subscription %s renews at %s, after %s, and it is %s: %s", s.Document.ID, at, last, p.now, want[d.ID])
				}
				before = at
				last = chargedUntil(s, &d.LineItems[0], d.CreationDate.Time())
			}
		}
	}
	var all struct{ Items []json.RawMessage }
	status, answer := p.call(http.MethodGet, orders+"?include_price=true&include_system_purchases=true", nil, false, nil)
	if err := json.Unmarshal(answer, &all); status != http.StatusOK || err != nil {
		p.Fatalf("list: %d %s", status, answer)
	}
	if len(all.Items) != len(listed)+len(want) {
		p.Fatalf("%d items, of %d orders and %d renewals", len(all.Items), len(listed), len(want))
	}
	looked := false
	for _, item := range all.Items {
		var o partnercenter.Order
		p.decode(item, &o)
		doc := want[o.ID]
		if doc == nil {
			p.same("order among renewals", item, listed[0])
			listed = listed[1:]
			continue
		}
		p.same("renewal in list", item, doc)
		if !looked {
			looked = true
			p.same("renewal", p.get(orders+"/"+o.ID+"?include_price=true", new(partnercenter.Order)), doc)
		}
	}
}

// chargedUntil returns a time shortly before the end of a term that a line is for.
func chargedUntil(s *lifecycle.Subscription, line *partnercenter.OrderLineItem, start time.Time) time.Time {
	months := 12
	switch {
	case !line.CustomTermEndDate.IsZero():
		return line.CustomTermEndDate.Time()
	case line.TermDuration != nil:
		months = catalog.TermMonths(*line.TermDuration)
	case *s.Document.IsTrial:
		months = 1
	}
	return start.AddDate(0, months, -4) // months differ
}

// checkGivenBack checks that a subscription which a request has ended is charged for no term
// that was not over, but for seats that went on elsewhere.
func (p *play) checkGivenBack(o *modelOrder, s *lifecycle.Subscription) {
	p.Helper()
	id := s.Document.ID
	if p.ended[id].IsZero() {
		p.ended[id] = p.now
	}
	check := func(d *partnercenter.Order, line *partnercenter.OrderLineItem, start time.Time, passed int) {
		if until := chargedUntil(s, line, start); *line.Quantity > passed && until.After(p.ended[id]) {
			p.Fatalf("subscription %s ended at %s, and is charged until %s: %s", id, p.ended[id], until, p.encode(d))
		}
	}
	line := &o.Document.LineItems[s.Facts.LineItemNumber]
	check(&o.Document, line, s.Document.EffectiveStartDate.Time(), s.Facts.Passed.Seats)
	passed := 0 // of any renewal
	for _, r := range s.Facts.Renewals {
		passed += r.Passed.Seats
	}
	orders := s.RenewalOrders(p.account(o.customer), &o.Document, p.now)
	for _, r := range orders {
		check(&r.Document, &r.Document.LineItems[0], r.Document.CreationDate.Time(), passed)
	}
}

// checkMove checks that every changed state follows an arrow of its machine.
func (p *play) checkMove(machine, id, to string) {
	p.Helper()
	key := machine + " " + id
	from := p.states[key]
	p.states[key] = to
	if from == "" && to != "" && leads(machine, "", string(partnercenter.SubscriptionStatusActive)) && leads(machine, string(partnercenter.SubscriptionStatusActive), to) {
		return // it is seen for the first time, after years
	}
	if from != to && !(from == "" && p.rewound) && !leads(machine, from, to) {
		p.Fatalf("%s is %s and was %q: no arrow leads there", key, to, from)
	}
}

// leads reports whether an arrow leads from a state to another, or several by time alone.
func leads(machine, from, to string) bool {
	return slices.ContainsFunc(lifecycle.Transitions(), func(t lifecycle.Transition) bool {
		return t.Machine == machine && t.From == from && t.Code == "" && (t.To == to || t.Command == lifecycle.Lapse && leads(machine, t.To, to))
	})
}

// checkOrder checks the invariants of an order.
func (p *play) checkOrder(o *partnercenter.Order, facts []lifecycle.LineFacts) {
	p.Helper()
	left, sum, priced, shorter := 0, new(big.Rat), false, false
	for i := range o.LineItems {
		line := &o.LineItems[i]
		if line.LineItemNumber == nil || *line.LineItemNumber != i {
			p.Fatalf("line %d of order %s has number %v", i, o.ID, line.LineItemNumber)
		}
		item, err := p.catalog.Find(line.OfferID, "US")
		if err != nil || line.Quantity == nil || *line.Quantity < 0 || item.MaximumQuantity > 0 && *line.Quantity > item.MaximumQuantity {
			p.Fatalf("line %d of order %s has quantity %v of %+v, %v", i, o.ID, line.Quantity, item, err)
		}
		if *line.Quantity > 0 {
			left++
		}
		if line.Pricing == nil {
			continue
		}
		priced = true
		price, err := line.Pricing.Price.Rat()
		if err != nil {
			p.Fatal(err)
		}
		extended, err := line.Pricing.ExtendedPrice.Rat()
		if err != nil {
			p.Fatal(err)
		}
		if price.Mul(price, big.NewRat(int64(*line.Quantity), 1)).Cmp(extended) != 0 {
			p.Fatalf("line %d of order %s: %d times %s is not %s", i, o.ID, *line.Quantity, line.Pricing.Price, line.Pricing.ExtendedPrice)
		}
		cycles := 1
		if term := line.TermDuration; term != nil && catalog.CycleMonths(o.BillingCycle) > 0 {
			cycles = catalog.TermMonths(*term) / catalog.CycleMonths(o.BillingCycle)
		}
		shorter = shorter || !line.CustomTermEndDate.IsZero() // and its term costs less
		extended.Mul(extended, big.NewRat(int64(cycles), 1))
		if credit, err := facts[i].Credit.Rat(); err == nil {
			extended.Sub(extended, credit)
		}
		if extended.Sign() < 0 {
			extended.SetInt64(0)
		}
		if kept, err := facts[i].Kept.Rat(); err == nil {
			extended.Add(extended, kept)
		}
		sum.Add(sum, extended)
	}
	total, err := o.TotalPrice.Rat()
	if priced && (err != nil || total.Cmp(sum) > 0 || total.Cmp(sum) < 0 && !shorter) || !priced && o.TotalPrice != "" {
		p.Fatalf("order %s: the total is %s, that of the lines' terms %s", o.ID, o.TotalPrice, sum.FloatString(4))
	}
	if is := o.Status == partnercenter.OrderStatusCancelled; is != (left == 0) {
		p.Fatalf("order %s is %s with %d lines left", o.ID, o.Status, left)
	}
}

// checkLink follows a line's link to its subscription, once.
func (p *play) checkLink(line *partnercenter.OrderLineItem, o *partnercenter.Order) {
	p.Helper()
	if p.followed[line.SubscriptionID] {
		return
	}
	p.followed[line.SubscriptionID] = true
	if line.Links == nil || line.Links.Subscription == nil {
		p.Fatalf("line %d of order %s has a subscription and no link to it", *line.LineItemNumber, o.ID)
	}
	var s partnercenter.Subscription
	p.get(line.Links.Subscription.URI, &s)
	if s.ID != line.SubscriptionID || s.OrderID != o.ID || s.OfferID != line.OfferID {
		p.Fatalf("line %d of order %s leads to subscription %s to %s of order %s", *line.LineItemNumber, o.ID, s.ID, s.OfferID, s.OrderID)
	}
}

// checkVersion checks that documents with the same etag are equal, and that others have
// a newer etag.
func (p *play) checkVersion(id string, etag *string, doc []byte) {
	p.Helper()
	if etag == nil || *etag == "" {
		return
	}
	number := etagVersion(*etag)
	last := p.versions[id]
	switch {
	case number < 1:
		p.Fatalf("%s has etag %s", id, *etag)
	case last == nil:
	case number < last.number:
		p.Fatalf("%s has version %d after %d", id, number, last.number)
	case number == last.number && !bytes.Equal(doc, last.doc):
		p.Fatalf("%s has version %d twice:\n%s\n%s", id, number, last.doc, doc)
	}
	p.versions[id] = &version{number, slices.Clone(doc)}
}

// etagVersion returns the version in an etag, 0 without one.
func etagVersion(etag string) int {
	plain, err := base64.StdEncoding.DecodeString(etag)
	if err != nil {
		return 0
	}
	var tag struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(plain, &tag) != nil {
		return 0
	}
	return tag.Version
}

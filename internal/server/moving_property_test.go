package server_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// movement is a call that moves seats, for the server and for the model.
type movement struct {
	what   string // the end of the path
	body   any
	decide func(a *lifecycle.Account, into *lifecycle.Order, entropy lifecycle.Entropy) (lifecycle.Moved, []lifecycle.Event, error)
	into   string // a subscription to move them into
	target func(answer []byte) string
}

// move compares the decisions of server and model about moving seats of a subscription.
func (p *play) move(o *modelOrder, id string, m movement) {
	p.Helper()
	path, body, requestID := "/customers/"+o.customer.id+"/subscriptions/"+id+"/"+m.what, p.encode(m.body), guid.New()
	p.due[o.customer] = true
	status, answer := p.call(http.MethodPost, path, body, false, map[string]string{"MS-RequestId": requestID})
	p.Logf("%v: POST %s %s: %d", p.now, path, body, status)
	var into *modelOrder
	for _, other := range p.orders {
		if m.into != "" && other != o && other.customer == o.customer && other.Subscription(m.into) != nil {
			into = other
		}
	}
	var intoOrder *lifecycle.Order
	if into != nil {
		intoOrder = into.Order
	}
	p.commands++
	moved, events, err := m.decide(p.account(o.customer), intoOrder, lifecycle.Entropy{byte(p.commands), byte(p.commands >> 8), 2})
	if err != nil {
		refusal, ok := err.(*lifecycle.Refusal)
		var got partnercenter.ErrorBody
		p.decode(answer, &got)
		if !ok || status != refusal.Status || got.Code != refusal.Code {
			p.Fatalf("POST %s %s:\nserver:    %d %s\nlifecycle: %v", path, body, status, answer, err)
		}
		return
	}
	if status != http.StatusOK || len(events) == 0 {
		p.Fatalf("POST %s %s: the server answers %d %s, the lifecycle allows it with %v", path, body, status, answer, events)
	}
	o.Order, o.Changed = moved.From, nil
	switch {
	case moved.New:
		placed := &modelOrder{Order: moved.To, customer: o.customer}
		placed.Changed = nil
		var s partnercenter.Subscription
		p.get("/customers/"+o.customer.id+"/subscriptions/"+m.target(answer), &s)
		var got partnercenter.Order
		p.get("/customers/"+o.customer.id+"/orders/"+s.OrderID, &got)
		p.adopt(placed, &got)
		p.orders = append(p.orders, placed)
	case moved.To != nil:
		into.Order, into.Changed = moved.To, nil
	}
	p.answered = append(p.answered, answered{p.now, o.customer, http.MethodPost, path, requestID, "", body, false, status, answer})
}

// somewhere is an item that a subscription can become, and rarely any other.
func (p *play) somewhere(o *modelOrder, s *lifecycle.Subscription) string {
	ids := []string{"", "CFQ7TTC0LFLZ:0002:CFQ7TTC0K7TR", "796B6B5F-613C-4E24-A17C-EBA730D49C02", "no-such-offer"}
	item, err := p.catalog.Find(s.Document.OfferID, o.customer.country)
	if err == nil && !p.rarely("any item", 8) {
		for _, target := range p.catalog.Targets(item, item.UpgradeTargets) {
			ids = []string{target.ID, strings.ToLower(target.ID)}
		}
	}
	return pick(p, "target", ids...)
}

// transition moves seats of an online service.
func (p *play) transition() {
	if p.settings.ProvisioningTime > 0 {
		p.Skip("what is placed is not shown at once")
	}
	o, s, _ := p.subscription(catalog.OnlineService)
	request := &partnercenter.Transition{
		ToCatalogItemID: p.somewhere(o, s), Quantity: p.quantity(), TransitionType: pick(p, "type", partnercenter.TransitionTypeOnly, "Transition_Only", "transition_with_license_transfer", ""),
	}
	if !p.rarely("odd type", 4) {
		request.TransitionType = partnercenter.TransitionTypeOnly
	}
	if p.rarely("all", 2) {
		request.Quantity = s.Document.Quantity
	}
	if p.rarely("into", 3) {
		request.ToSubscriptionID = p.anySubscription(o.customer)
	}
	if p.rarely("term", 4) {
		request.TermDuration = pick(p, "term", "P1M", "p1y", "P3Y", "P9Y")
	}
	if p.rarely("cycle", 4) {
		request.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeMonthly, "Annual", partnercenter.BillingCycleTypeTriennial)
	}
	id := s.Document.ID
	p.move(o, id, movement{what: "transitions", body: request, into: request.ToSubscriptionID,
		decide: func(a *lifecycle.Account, into *lifecycle.Order, entropy lifecycle.Entropy) (lifecycle.Moved, []lifecycle.Event, error) {
			var sent partnercenter.Transition
			p.decode(p.encode(request), &sent)
			moved, _, events, err := lifecycle.TransitionSubscription(a, o.Order, id, lifecycle.TransitionCommand{Request: &sent, Into: into, Entropy: entropy}, p.settings, p.now)
			return moved, events, err
		},
		target: func(answer []byte) string {
			var t partnercenter.Transition
			p.decode(answer, &t)
			return t.ToSubscriptionID
		},
	})
}

// upgrade upgrades a legacy offer.
func (p *play) upgrade() {
	if p.settings.ProvisioningTime > 0 {
		p.Skip("what is placed is not shown at once")
	}
	o, s, _ := p.subscription(catalog.License)
	request := &partnercenter.Upgrade{TargetOffer: &partnercenter.Offer{ID: p.somewhere(o, s)}, UpgradeType: pick(p, "type", "", partnercenter.UpgradeTypeOnly, "1", "2")}
	if p.rarely("quantity", 3) {
		request.Quantity = pick(p, "quantity", s.Document.Quantity, new(0), new(1))
	}
	id := s.Document.ID
	p.move(o, id, movement{what: "upgrades", body: request,
		decide: func(a *lifecycle.Account, _ *lifecycle.Order, entropy lifecycle.Entropy) (lifecycle.Moved, []lifecycle.Event, error) {
			var sent partnercenter.Upgrade
			p.decode(p.encode(request), &sent)
			moved, _, events, err := lifecycle.UpgradeSubscription(a, o.Order, id, &sent, entropy, p.settings, p.now)
			return moved, events, err
		},
		target: func(answer []byte) string {
			var r partnercenter.UpgradeResult
			p.decode(answer, &r)
			return r.TargetSubscriptionID
		},
	})
}

// convert makes a paid subscription of a trial.
func (p *play) convert() {
	o, s, _ := p.subscription(catalog.License)
	request := &partnercenter.Conversion{TargetOfferID: pick(p, "target", "6C0E8B57-3D41-4F7A-A5D9-28B3C94F1E60", "6c0e8b57-3d41-4f7a-a5d9-28b3c94f1e60", "", "796B6B5F-613C-4E24-A17C-EBA730D49C02")}
	if p.rarely("quantity", 2) {
		request.Quantity = p.quantity()
	}
	if p.rarely("cycle", 2) {
		request.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeAnnual, "none", partnercenter.BillingCycleTypeTriennial)
	}
	id := s.Document.ID
	p.do(write{
		method: http.MethodPost, path: "/customers/" + o.customer.id + "/subscriptions/" + id + "/conversions", body: request, user: true,
		before: o, customer: o.customer, status: http.StatusOK,
		decide: func(now time.Time, _ lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			var sent partnercenter.Conversion
			p.decode(p.encode(request), &sent)
			next, _, events, err := lifecycle.ConvertTrial(p.account(o.customer), o.Order, id, &sent, p.settings, now)
			return next, events, err
		},
	})
}

// upgradeAzure makes an Azure plan of a customer's legacy Azure.
func (p *play) upgradeAzure() {
	if p.settings.ProvisioningTime > 0 {
		p.Skip("what is placed is not shown at once")
	}
	c := p.customer()
	request := &partnercenter.ProductUpgradeRequest{CustomerID: pick(p, "customer id", c.id, strings.ToUpper(c.id)), ProductFamily: "Azure"}
	if p.rarely("odd family", 8) {
		request.ProductFamily = pick(p, "family", "", partnercenter.ProductFamily("office"))
	}
	a, body := p.account(c), p.encode(request)
	var from []*modelOrder
	var orders []*lifecycle.Order
	ids, _ := lifecycle.ProductUpgradeNeeds(a, p.now)
	for _, id := range ids {
		for _, o := range p.orders {
			if o.customer == c && o.Document.ID == id {
				from, orders = append(from, o), append(orders, o.Order)
			}
		}
	}
	p.commands++
	p.due[c] = true
	_, err := lifecycle.CheckProductUpgrade(request)
	var done *lifecycle.UpgradedProducts
	if err == nil {
		done, _, err = lifecycle.UpgradeProducts(a, orders, request, lifecycle.Entropy{byte(p.commands), byte(p.commands >> 8), 3}, p.settings, p.now)
	}
	possible, eligibility := p.call(http.MethodPost, "/productupgrades/eligibility", body, true, nil)
	status, answer := p.call(http.MethodPost, "/productupgrades", body, true, nil)
	p.Logf("%v: POST /productupgrades %s: %d", p.now, body, status)
	if p.refused("POST /productupgrades", status, answer, err) {
		return
	}
	var said partnercenter.ProductUpgradesEligibility
	if p.decode(eligibility, &said); possible != http.StatusOK || !*said.IsEligible || status != http.StatusAccepted {
		p.Fatalf("POST /productupgrades: %d %s, after %d %s", status, answer, possible, eligibility)
	}
	for i, o := range from {
		o.Order, o.Changed = done.From[i], nil
	}
	placed := &modelOrder{Order: done.To, customer: c}
	placed.Changed = nil
	var list partnercenter.Collection[*partnercenter.Subscription]
	p.get("/customers/"+c.id+"/subscriptions", &list)
	for _, s := range list.Items {
		if s.EntitlementID == done.To.Subscriptions[0].Document.EntitlementID && s.Status != partnercenter.SubscriptionStatusDeleted {
			var got partnercenter.Order
			p.get("/customers/"+c.id+"/orders/"+s.OrderID, &got)
			p.adopt(placed, &got)
			placed.Subscriptions[0].Facts.Upgrade.ID = guid.Derived("product upgrade", s.ID)
			p.orders = append(p.orders, placed)
			return
		}
	}
	p.Fatalf("no Azure plan has the Azure subscription %s", done.To.Subscriptions[0].Document.EntitlementID)
}

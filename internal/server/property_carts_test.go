package server_test

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// modelCart is a cart of the model.
type modelCart struct {
	*lifecycle.Cart
	customer modelCustomer
	result   []byte // of the checkout that ordered all of it; nil before
}

// cartRequest draws the lines of a cart.
func (p *play) cartRequest(c modelCustomer) *partnercenter.Cart {
	request := &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{}}
	line := func(family, offer string) partnercenter.CartLineItem {
		l := p.line(c, family, offer)
		line := partnercenter.CartLineItem{CatalogItemID: offer, Quantity: l.Quantity, FriendlyName: l.FriendlyName, ProvisioningContext: l.ProvisioningContext, CustomTermEndDate: l.CustomTermEndDate, PurchaseCommitment: l.PurchaseCommitment}
		if l.TermDuration != nil {
			line.TermDuration = *l.TermDuration
		}
		if p.rarely("cycle", 3) {
			line.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeMonthly, partnercenter.BillingCycleTypeAnnual, "OneTime", "Unknown", "weekly")
		}
		if p.rarely("partner on record", 8) {
			line.Participants = []partnercenter.CartParticipant{{Key: pick[partnercenter.ParticipantType](p, "part", "TransactionReseller", "additional_transaction_reseller", "consumption_reseller"), Value: pick(p, "MPN id", "5081207", "5080911", "77")}}
		}
		return line
	}
	for range p.choose("lines", 4) {
		family := pick(p, "family", familyNames...)
		l := line(family, pick(p, "offer", families[family]...))
		if family == "licences" && p.rarely("add-ons", 2) {
			l.AddonItems = append(l.AddonItems, line("", pick(p, "add-on", addOns...)))
		}
		request.LineItems = append(request.LineItems, l)
	}
	if p.rarely("an add-on by itself", 4) {
		l := line("", pick(p, "add-on", addOns...))
		if id := p.anySubscription(c); id != "" {
			l.ProvisioningContext = map[string]string{"ParentSubscriptionId": id}
		}
		request.LineItems = append(request.LineItems, l)
	}
	if p.rarely("ids", 3) {
		for i := range request.LineItems {
			request.LineItems[i].ID = new(i)
		}
	}
	return request
}

// refused compares a refusal of the server with that of the rules, and reports whether
// there is one.
func (p *play) refused(what string, status int, answer []byte, err error) bool {
	p.Helper()
	if err == nil {
		if status >= http.StatusBadRequest {
			p.Fatalf("%s: the server answers %d %s, the lifecycle allows it", what, status, answer)
		}
		return false
	}
	var got partnercenter.ErrorBody
	p.decode(answer, &got)
	if refusal, ok := err.(*lifecycle.Refusal); !ok || status != refusal.Status || got.Code != refusal.Code {
		p.Fatalf("%s:\nserver:    %d %s\nlifecycle: %v", what, status, answer, err)
	}
	return true
}

// writeCart sends a cart to be made, or to replace the lines of another.
func (p *play) writeCart() {
	c, method, path := p.customer(), http.MethodPost, ""
	var before *modelCart
	if len(p.carts) > 0 && p.rarely("change", 3) {
		before = pick(p, "cart", p.carts...)
		c, method, path = before.customer, http.MethodPut, "/"+before.Document.ID
	}
	request := p.cartRequest(c)
	var sent partnercenter.Cart
	p.decode(p.encode(request), &sent)
	p.commands++
	command := lifecycle.CartCommand{Request: &sent, Entropy: lifecycle.Entropy{byte(p.commands), byte(p.commands >> 8), 2}}
	var next *lifecycle.Cart
	var err error
	if before == nil {
		next, _, err = lifecycle.CreateCart(p.account(c), command, p.settings, p.now)
	} else {
		next, _, err = lifecycle.UpdateCart(p.account(c), before.Cart, command, p.settings, p.now)
	}
	p.due[c] = true
	status, answer := p.call(method, "/customers/"+c.id+"/carts"+path, p.encode(request), false, nil)
	p.Logf("%v: %s cart %s: %d", p.now, method, p.encode(request), status)
	if p.refused(method+" cart", status, answer, err) {
		return
	}
	var got partnercenter.Cart
	p.decode(answer, &got)
	d := &next.Document
	d.ID, d.Links, d.LastModifiedUser = got.ID, got.Links, got.LastModifiedUser
	p.same("cart", answer, p.encode(d))
	if before == nil {
		before = &modelCart{customer: c}
		p.carts = append(p.carts, before)
	}
	before.Cart = next
}

// checkOut buys a cart, mostly one that was not bought yet.
func (p *play) checkOut() {
	if len(p.carts) == 0 {
		p.Skip("there is no cart")
	}
	k := p.carts[len(p.carts)-1]
	if p.rarely("any cart", 2) {
		k = pick(p, "cart", p.carts...)
	}
	for _, o := range p.orders {
		if o.customer == k.customer {
			p.learn(o)
		}
	}
	user := !p.rarely("app only", 3)
	p.commands++
	bought, err := lifecycle.CheckOut(p.account(k.customer), k.Cart, lifecycle.Checkout{HasUser: user, Entropy: lifecycle.Entropy{byte(p.commands), byte(p.commands >> 8), 3}}, p.settings, p.now)
	p.due[k.customer] = true
	status, answer := p.call(http.MethodPost, "/customers/"+k.customer.id+"/carts/"+k.Document.ID+"/checkout", []byte(`"success"`), user, nil)
	p.Logf("%v: check out %s: %d %s", p.now, k.Document.ID, status, answer)
	if p.refused("checkout", status, answer, err) {
		return
	}
	var got partnercenter.CartCheckoutResult
	p.decode(answer, &got)
	if len(got.Orders) != len(bought.Result.Orders) {
		p.Fatalf("the server has %d orders, the lifecycle %d: %s", len(got.Orders), len(bought.Result.Orders), answer)
	}
	p.same("errors of a checkout", p.encode(got.OrderErrors), p.encode(bought.Result.OrderErrors))
	if k.result != nil {
		p.same("a second checkout", answer, k.result)
	}
	next := bought.Cart
	if next == nil {
		return
	}
	first := len(got.Orders) - len(bought.Orders)
	for i, placed := range bought.Orders {
		o := &modelOrder{customer: k.customer, Order: placed}
		p.orders = append(p.orders, o)
		p.adopt(o, &got.Orders[first+i])
		o.Changed = nil
		p.same("order of a checkout", p.encode(&got.Orders[first+i]), p.encode(asPlaced(o.Order)))
	}
	next.Facts.Orders = got.Orders // by the ids that the server gave
	k.Cart = next
	if next.Document.Status == partnercenter.CartStatusOrdered {
		k.result = answer
	}
	var shown partnercenter.Cart
	p.same("cart", p.get("/customers/"+k.customer.id+"/carts/"+k.Document.ID, &shown), p.encode(&next.Document))
}

package server

import (
	"context"
	crand "crypto/rand"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// createOrder places an order. The answer has prices if it is of new commerce and the
// caller may see them.
func (s *Server) createOrder(c *call) error {
	body, request, err := readJSON[partnercenter.Order](c)
	if err != nil {
		return err
	}
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		account, err := s.account(ctx, c)
		if err != nil {
			return nil, err
		}
		held, err := s.loadReferenced(ctx, account, request)
		if err != nil {
			return nil, err
		}
		o, events, err := lifecycle.PlaceOrder(account, lifecycle.Placement{Request: request, HasUser: c.claims.HasUser(), Entropy: newEntropy()}, s.rulesOf(c), s.now())
		if err != nil {
			return nil, err
		}
		answer := o.AsPlaced()
		if o.Legacy() || s.checkPriceAccess(c) != nil {
			answer = withoutPrices(answer)
		}
		return s.orderEffect(c, decision{order: o, held: held}, writeResult{status: http.StatusCreated, events: events}, answer)
	})
}

// patchOrder changes an order: cancels it, buys an add-on, or changes its billing
// cycle.
func (s *Server) patchOrder(c *call) error {
	body, request, err := readJSON[partnercenter.Order](c)
	if err != nil {
		return err
	}
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		found, err := s.order(ctx, c, c.param("order-id"))
		if err != nil {
			return nil, err
		}
		held, err := s.loadReferenced(ctx, found.account, request)
		if err != nil {
			return nil, err
		}
		now := s.now()
		next, events, err := lifecycle.PatchOrder(found.account, found.order, lifecycle.Patch{Request: request, IfMatch: c.r.Header.Get("If-Match"), Entropy: newEntropy()}, s.rulesOf(c), now)
		if err != nil {
			return nil, err
		}
		return s.orderEffect(c, decision{order: next, record: found.record, held: held}, writeResult{status: http.StatusOK, events: events}, withoutPrices(next.At(now)))
	})
}

func newEntropy() (entropy lifecycle.Entropy) {
	crand.Read(entropy[:]) // never fails
	return entropy
}

// account reads the partner and the customer that an order depends on.
func (s *Server) account(ctx context.Context, c *call) (*lifecycle.Account, error) {
	stored, err := s.config.Store.Account(ctx, c.claims.TenantID, c.customer)
	if err != nil {
		return nil, err
	}
	return &lifecycle.Account{
		PartnerID: c.claims.TenantID, MPNID: stored.MPNID, CustomerID: c.customer, Country: stored.Country,
		AgreementAccepted: stored.Agreement, Catalog: s.config.Catalog,
	}, nil
}

// loadReferenced adds to an account what the rules look up for a request. The holdings
// are nil where no limit applies.
func (s *Server) loadReferenced(ctx context.Context, a *lifecycle.Account, request *partnercenter.Order) (held *store.Holdings, err error) {
	subscriptions, mpnIDs := lifecycle.ReferencedIDs(request)
	if len(mpnIDs) > 0 {
		if a.MPN, err = s.config.Store.ResellersByMPN(ctx, a.PartnerID, mpnIDs); err != nil {
			return nil, err
		}
	}
	for _, id := range subscriptions {
		list, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: a.PartnerID, CustomerID: a.CustomerID, ID: id})
		if err != nil {
			return nil, err
		}
		for i := range list {
			if a.Subscriptions == nil {
				a.Subscriptions = map[string]*lifecycle.Subscription{}
			}
			if a.Subscriptions[id], err = restoreSubscription(a, &list[i]); err != nil {
				return nil, err
			}
		}
	}
	if lifecycle.NamesEnd(request) {
		if a.Owned, err = s.allSubscriptions(ctx, a); err != nil {
			return nil, err
		}
	}
	return s.countHoldings(ctx, a, request)
}

// countHoldings counts what limits are about, if any apply to the request.
func (s *Server) countHoldings(ctx context.Context, a *lifecycle.Account, request *partnercenter.Order) (*store.Holdings, error) {
	if len(request.LineItems) > lifecycle.MaxLines {
		return nil, nil // it is refused in any case
	}
	var offers []string
	for i := range request.LineItems {
		item, err := s.config.Catalog.Find(ascii.TrimSpace(request.LineItems[i].OfferID), a.Country)
		if err == nil && item.Limit > 0 && !slices.Contains(offers, item.ID) {
			offers = append(offers, item.ID)
		}
	}
	limited := s.config.Rules.Sandbox && (s.config.Rules.MaxCustomers > 0 || s.config.Rules.MaxSubscriptions > 0 || s.config.Rules.MaxAzurePlans > 0)
	if len(offers) == 0 && !limited {
		return nil, nil
	}
	kinds := []string{string(catalog.Usage), string(catalog.AzurePlan)} // which have no end
	h, err := s.config.Store.CountHoldings(ctx, a.PartnerID, a.CustomerID, kinds, offers)
	if err != nil {
		return nil, err
	}
	a.Held = lifecycle.Holdings{
		Customers: h.Customers, Subscriptions: h.Subscriptions,
		AzureSubs: h.ByKind[string(catalog.Usage)], AzurePlans: h.ByKind[string(catalog.AzurePlan)], OfOffer: h.ByOffer,
	}
	// What time has deleted is counted, too, until that matters.
	most := s.config.Rules.MaxSubscriptions
	full := limited && most > 0 && h.Subscriptions+len(request.LineItems) > most
	for _, n := range h.ByOffer {
		full = full || n > 0
	}
	if full {
		a.Held.Subscriptions, a.Held.OfOffer, err = s.countAlive(ctx, a)
	}
	return h, err
}

// countAlive counts the customer's subscriptions that are not deleted by now, in all and
// by offer.
func (s *Server) countAlive(ctx context.Context, a *lifecycle.Account) (all int, byOffer map[string]int, err error) {
	stored, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: a.PartnerID, CustomerID: a.CustomerID})
	if err != nil {
		return 0, nil, err
	}
	stored = slices.DeleteFunc(stored, func(r store.SubscriptionRecord) bool { return !r.Active })
	list, err := restoreSubscriptions(a, stored)
	if err == nil {
		err = s.addBases(ctx, a, list)
	}
	byOffer = map[string]int{}
	for _, x := range list {
		if d := x.At(s.config.Rules, s.now()); d.Status.Normalize() != partnercenter.SubscriptionStatusDeleted {
			all++
			byOffer[lifecycle.Key(d.OfferID)]++
		}
	}
	return all, byOffer, err
}

// foundOrder is an order to change, with what the change depends on.
type foundOrder struct {
	order   *lifecycle.Order
	record  *store.OrderRecord // nil for one that a renewal placed
	account *lifecycle.Account
}

// order reads an order of the customer.
func (s *Server) order(ctx context.Context, c *call, orderID string) (*foundOrder, error) {
	account, err := s.account(ctx, c)
	if err != nil {
		return nil, err
	}
	record, stored, err := s.config.Store.OrderRecord(ctx, c.claims.TenantID, c.customer, orderID)
	if errors.Is(err, store.ErrOrderNotFound) {
		o, err := s.renewal(ctx, account, orderID)
		return &foundOrder{order: o, account: account}, err
	}
	if err != nil {
		return nil, err
	}
	o, err := restoreOrder(account, record.Order, record.Facts, stored)
	if err == nil {
		err = s.addBases(ctx, account, o.Subscriptions)
	}
	return &foundOrder{o, record, account}, err
}

// restoreOrder rebuilds an order from its stored parts.
func restoreOrder(a *lifecycle.Account, document *partnercenter.Order, facts []byte, stored []store.SubscriptionRecord) (*lifecycle.Order, error) {
	var f *lifecycle.OrderFacts
	if facts != nil {
		f = new(lifecycle.OrderFacts)
		if err := json.Unmarshal(facts, f); err != nil {
			return nil, err
		}
	}
	// Those without facts are derived from their lines, and from documents that were loaded.
	var loaded []*partnercenter.Subscription
	for i := range stored {
		if r := &stored[i]; r.Subscription != nil && !isWhole(r) {
			loaded = append(loaded, r.Subscription)
		}
	}
	stored = slices.DeleteFunc(slices.Clone(stored), func(r store.SubscriptionRecord) bool { return !isWhole(&r) })
	subscriptions, err := restoreSubscriptions(a, stored)
	if err != nil {
		return nil, err
	}
	return lifecycle.Restore(a, *document, f, subscriptions, loaded), nil
}

// isWhole reports whether a subscription is stored as it is, and does not follow from its
// order.
func isWhole(r *store.SubscriptionRecord) bool { return r.Subscription != nil && len(r.Facts) > 0 }

// restoreSubscription rebuilds a subscription from its stored parts. It is nil if its
// order no longer has the line.
func restoreSubscription(a *lifecycle.Account, r *store.SubscriptionRecord) (*lifecycle.Subscription, error) {
	list, err := restoreSubscriptions(a, []store.SubscriptionRecord{*r})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// allSubscriptions reads all subscriptions of an account's customer.
func (s *Server) allSubscriptions(ctx context.Context, a *lifecycle.Account) ([]*lifecycle.Subscription, error) {
	stored, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: a.PartnerID, CustomerID: a.CustomerID})
	if err != nil {
		return nil, err
	}
	list, err := restoreSubscriptions(a, stored)
	if err == nil {
		lifecycle.LinkBases(list)
	}
	return list, err
}

// addBases links add-ons with their bases, and reads those that are not among the
// subscriptions.
func (s *Server) addBases(ctx context.Context, a *lifecycle.Account, list []*lifecycle.Subscription) error {
	if !lifecycle.LinkBases(list) {
		return nil
	}
	missing := map[string]bool{}
	q := store.SubscriptionQuery{PartnerID: a.PartnerID, CustomerID: a.CustomerID}
	for _, x := range list {
		if x.Document.ParentSubscriptionID != "" && x.Base == nil {
			q.ID = lifecycle.Key(x.Document.ParentSubscriptionID)
			missing[q.ID] = true
		}
	}
	if len(missing) > 1 {
		q.ID = "" // one trip for all
	}
	stored, err := s.config.Store.Subscriptions(ctx, q)
	if err != nil {
		return err
	}
	bases, err := restoreSubscriptions(a, stored)
	if err != nil {
		return err
	}
	lifecycle.LinkBases(slices.Concat(bases, list)) // which prefers those of the list
	return nil
}

// restoreSubscriptions rebuilds many subscriptions, and each order that they are
// derived from once.
func restoreSubscriptions(a *lifecycle.Account, stored []store.SubscriptionRecord) ([]*lifecycle.Subscription, error) {
	orders := map[*partnercenter.Order]*lifecycle.Order{}
	described := map[*partnercenter.Order][]store.SubscriptionRecord{} // with documents that were loaded
	for i := range stored {
		if r := &stored[i]; r.Subscription != nil && !isWhole(r) {
			described[r.Order] = append(described[r.Order], *r)
		}
	}
	var list []*lifecycle.Subscription
	for i := range stored {
		r := &stored[i]
		if isWhole(r) {
			x := &lifecycle.Subscription{Document: *r.Subscription}
			if err := json.Unmarshal(r.Facts, &x.Facts); err != nil {
				return nil, err
			}
			list = append(list, x)
			continue
		}
		o := orders[r.Order]
		if o == nil {
			var err error
			if o, err = restoreOrder(a, r.Order, r.OrderFacts, described[r.Order]); err != nil {
				return nil, err
			}
			orders[r.Order] = o
		}
		if x := o.Subscription(r.ID); x != nil {
			list = append(list, x)
		}
	}
	return list, nil
}

// decision is what was decided about an order.
type decision struct {
	order  *lifecycle.Order
	record *store.OrderRecord // what it replaces; nil for a new order
	held   *store.Holdings    // what a limit was compared with; nil where none applies
}

// orderEffect completes the result of a decision. Without events there is nothing to
// write.
func (s *Server) orderEffect(c *call, d decision, e writeResult, answer any) (_ *writeResult, err error) {
	if answer != nil {
		if e.body, err = partnercenter.Marshal(answer); err != nil {
			return nil, err
		}
	}
	if len(e.events) == 0 {
		return &e, nil
	}
	e.change, err = s.orderChange(c, d)
	return &e, err
}

// withoutPrices returns an order as it is answered to those who change it.
func withoutPrices(o *partnercenter.Order) *partnercenter.Order {
	plain, _ := store.WithoutPrices(o)
	return plain
}

// orderChange returns what to store after a decision.
func (s *Server) orderChange(c *call, d decision) (*store.Change, error) {
	o := d.order
	facts, err := json.Marshal(o.Facts)
	if err != nil {
		return nil, err
	}
	now := s.now()
	change := &store.Change{
		PartnerID: c.claims.TenantID, CustomerID: c.customer, New: d.record == nil, Held: d.held,
		Order: &store.OrderRecord{Order: &o.Document, Facts: facts, Visible: zeroIfPast(o.Facts.Visible, now), Settled: zeroIfPast(o.Settled(), now)},
	}
	if d.record != nil {
		// An order that was listed stays listed when the clock goes back.
		change.Order.Visible, change.Order.Revision = zeroIfPast(d.record.Visible, now), d.record.Revision
	}
	for _, x := range o.Changed {
		facts, err := json.Marshal(x.Facts)
		if err != nil {
			return nil, err
		}
		change.Subscriptions = append(change.Subscriptions, store.SubscriptionRecord{
			ID: x.Document.ID, OrderID: o.Document.ID, Subscription: &x.Document, Facts: facts, Kind: string(x.Facts.Kind),
			Active: x.Document.Status.Normalize() != partnercenter.SubscriptionStatusDeleted, Since: x.Facts.Since,
		})
	}
	return change, nil
}

// zeroIfPast drops instants that have passed, so that nothing needs to compare them to
// the clock.
func zeroIfPast(t, now time.Time) time.Time {
	if !t.After(now) {
		return time.Time{}
	}
	return t
}

// getProvisioningStatus answers with the provisioning status of an order's lines.
func (s *Server) getProvisioningStatus(c *call) error {
	return s.aboutOrder(c, func(o *lifecycle.Order, self string) (any, error) {
		list, err := o.ProvisioningStatus(s.now())
		return collection(list, ""), err
	})
}

// getOrderActivationLinks answers with the activation links of an order's lines.
func (s *Server) getOrderActivationLinks(c *call) error {
	return s.aboutOrder(c, func(o *lifecycle.Order, self string) (any, error) {
		return collection(o.ActivationLinks(s.activationBase(c), s.now()), self+"/activationlinks"), nil
	})
}

// getLineActivationLinks answers with the activation link of one line.
func (s *Server) getLineActivationLinks(c *call) error {
	return s.aboutOrder(c, func(o *lifecycle.Order, self string) (any, error) {
		number := c.param("line-item-number")
		list := []partnercenter.OrderLineItemActivationLink{}
		if !o.HasLine(number) {
			return nil, errLineNotFound(number)
		}
		for _, l := range o.ActivationLinks(s.activationBase(c), s.now()) {
			if lineNumber(l.LineItemNumber) == number {
				list = append(list, l)
			}
		}
		return collection(list, self+"/lineitems/"+number+"/activationlinks"), nil
	})
}

// aboutOrder answers with something derived from an order.
func (s *Server) aboutOrder(c *call, answer func(o *lifecycle.Order, self string) (any, error)) error {
	found, err := s.order(c.r.Context(), c, c.param("order-id"))
	if err != nil {
		return err
	}
	value, err := answer(found.order, "/customers/"+c.customer+"/orders/"+found.order.Document.ID)
	if err != nil {
		return err
	}
	return c.writeJSON(value)
}

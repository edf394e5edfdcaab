package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// renewals returns the orders that renewals of a customer's subscriptions have placed by
// now, and when there may be others.
func (s *Server) renewals(ctx context.Context, a *lifecycle.Account) (orders []*lifecycle.Order, until time.Time, err error) {
	stored, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: a.PartnerID, CustomerID: a.CustomerID})
	if err != nil {
		return nil, until, err
	}
	// Those derived from lines have no renewals.
	stored = slices.DeleteFunc(stored, func(r store.SubscriptionRecord) bool { return r.Subscription == nil })
	list, err := restoreSubscriptions(a, stored)
	if err == nil {
		err = s.addBases(ctx, a, list)
	}
	if err != nil {
		return nil, until, err
	}
	now, bought := s.now(), map[string]*partnercenter.Order{}
	for _, x := range list {
		if next := x.NextRenewal(now); until.IsZero() || !next.IsZero() && next.Before(until) {
			until = next
		}
		if !x.Renewed(now) {
			continue
		}
		id := x.Document.OrderID
		if bought[id] == nil {
			doc, err := s.config.Store.GetOrder(ctx, a.PartnerID, a.CustomerID, id, true)
			if err != nil {
				return nil, until, err
			}
			bought[id] = new(partnercenter.Order)
			if err := partnercenter.Unmarshal(doc.JSON, bought[id]); err != nil {
				return nil, until, err
			}
		}
		orders = append(orders, x.RenewalOrders(a, bought[id], now)...)
	}
	return orders, until, nil
}

// addRenewals adds to a list the orders that renewals have placed.
func (s *Server) addRenewals(c *call, q *store.OrderQuery) error {
	ctx := c.r.Context()
	account, err := s.account(ctx, c)
	if err != nil {
		return err
	}
	orders, until, err := s.renewals(ctx, account)
	if err != nil {
		return err
	}
	mpn := q.IndirectReseller
	if len(orders) > 0 && mpn != "" {
		resellers, err := s.config.Store.IndirectResellers(ctx, account.PartnerID)
		if err != nil {
			return err
		}
		for i := range resellers {
			if ascii.EqualFold(resellers[i].TenantID, mpn) {
				mpn = resellers[i].MPNID
				break
			}
		}
	}
	cycle := q.BillingCycle.Normalize()
	for _, o := range orders {
		d := &o.Document
		if cycle != "" && d.BillingCycle.Normalize() != cycle || mpn != "" && !ascii.EqualFold(ascii.TrimSpace(d.LineItems[0].PartnerIDOnRecord), mpn) {
			continue
		}
		if !q.IncludePrice {
			d = withoutPrices(d)
		}
		body, err := partnercenter.Marshal(d)
		if err != nil {
			return err
		}
		q.Derived = append(q.Derived, store.DerivedOrder{Created: d.CreationDate.Time(), ID: d.ID, JSON: body})
	}
	slices.SortFunc(q.Derived, func(a, b store.DerivedOrder) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(guid.KeyIfGUID(b.ID), guid.KeyIfGUID(a.ID)))
	})
	q.DerivedUntil = until
	return nil
}

// renewal returns the order with an id that a renewal has placed. It fails with
// [store.ErrOrderNotFound].
func (s *Server) renewal(ctx context.Context, a *lifecycle.Account, orderID string) (*lifecycle.Order, error) {
	orders, _, err := s.renewals(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		if guid.KeyIfGUID(o.Document.ID) == guid.KeyIfGUID(orderID) {
			return o, nil
		}
	}
	return nil, store.ErrOrderNotFound
}

// getRenewal answers with an order that a renewal has placed.
func (s *Server) getRenewal(c *call, orderID string, includePrice bool) error {
	ctx := c.r.Context()
	account, err := s.account(ctx, c)
	if err != nil {
		return err
	}
	o, err := s.renewal(ctx, account, orderID)
	if err != nil {
		return err
	}
	d := &o.Document
	if !includePrice {
		d = withoutPrices(d)
	}
	body, err := partnercenter.Marshal(d)
	if err != nil {
		return err
	}
	c.write(http.StatusOK, body)
	return nil
}

package server

import (
	"context"
	"net/http"
	"strconv"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// listEntitlements answers with the software and reservations that a customer owns.
func (s *Server) listEntitlements(c *call) error {
	kind := partnercenter.EntitlementType(c.query["entitlementtype"]).Normalize()
	if kind != "" && !kind.Known() {
		return errEnum("entitlementType", string(kind), words.Texts(partnercenter.EntitlementTypes()))
	}
	expiry := false
	if value := c.query["showexpiry"]; value != "" {
		var err error
		if expiry, err = strconv.ParseBool(ascii.ToLower(value)); err != nil {
			return errEnum("showExpiry", value, []string{"true", "false"})
		}
	}
	ctx := c.r.Context()
	account, err := s.account(ctx, c)
	if err != nil {
		return err
	}
	records, err := s.config.Store.OrderRecords(ctx, c.claims.TenantID, c.customer)
	if err != nil {
		return err
	}
	stored, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: c.claims.TenantID, CustomerID: c.customer})
	if err != nil {
		return err
	}
	byOrder := map[string][]store.SubscriptionRecord{}
	for _, r := range stored {
		byOrder[r.OrderID] = append(byOrder[r.OrderID], r)
	}
	list, now := []partnercenter.Entitlement{}, s.now()
	for _, r := range records {
		if now.Before(r.Visible) {
			continue
		}
		o, err := restoreOrder(account, r.Order, r.Facts, byOrder[r.Key])
		if err != nil {
			return err
		}
		list = append(list, o.EntitlementsOf(kind, expiry, now)...)
	}
	return c.writeJSON(collection(list, ""))
}

// getOverage answers with the overages that were set for a customer.
func (s *Server) getOverage(c *call) error {
	account, err := s.account(c.r.Context(), c)
	if err != nil {
		return err
	}
	list, err := s.allSubscriptions(c.r.Context(), account)
	if err != nil {
		return err
	}
	items := []*partnercenter.Overage{}
	for _, x := range list {
		if overage := x.Overage(account); overage != nil && x.Exists(s.now()) {
			items = append(items, overage)
		}
	}
	return c.writeJSON(collection(items, ""))
}

// putOverage turns overage on or off.
func (s *Server) putOverage(c *call) error {
	body, request, err := readJSON[partnercenter.Overage](c)
	if err != nil {
		return err
	}
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		account, err := s.account(ctx, c)
		if err == nil {
			err = s.addSubscriptions(ctx, account)
		}
		if err != nil {
			return nil, err
		}
		var o *lifecycle.Order
		var record *store.OrderRecord
		id := lifecycle.OveragePlan(account, request.AzureEntitlementID)
		if id != "" {
			orderID, err := s.config.Store.OrderOf(ctx, c.claims.TenantID, c.customer, id)
			if err != nil {
				return nil, err
			}
			found, err := s.order(ctx, c, orderID)
			if err != nil {
				return nil, err
			}
			o, record = found.order, found.record
		}
		next, events, err := lifecycle.SetOverage(account, o, id, request)
		if err != nil {
			return nil, err
		}
		return s.orderEffect(c, decision{order: next, record: record}, writeResult{status: http.StatusOK, events: events}, next.Subscription(id).Overage(account))
	})
}

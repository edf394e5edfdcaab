package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// readProductUpgrade reads a request about upgrading products. The customer is in the body.
func (c *call) readProductUpgrade() (body []byte, request *partnercenter.ProductUpgradeRequest, err error) {
	body, request, err = readJSON[partnercenter.ProductUpgradeRequest](c)
	if err != nil {
		return nil, nil, err
	}
	id, err := lifecycle.CheckProductUpgrade(request)
	c.customer = guid.Key(id)
	return body, request, err
}

// productUpgrade is what a decision about an upgrade of products depends on.
type productUpgrade struct {
	account *lifecycle.Account
	from    []*foundOrder // of the subscriptions that it replaces
	held    *store.Holdings
}

func (s *Server) productUpgrade(ctx context.Context, c *call) (*productUpgrade, error) {
	account, err := s.account(ctx, c)
	if err == nil {
		err = s.addSubscriptions(ctx, account)
	}
	if err != nil {
		return nil, err
	}
	u := &productUpgrade{account: account}
	ids, placed := lifecycle.ProductUpgradeNeeds(account, s.now())
	for _, id := range ids {
		found, err := s.order(ctx, c, id)
		if err != nil {
			return nil, err
		}
		u.from = append(u.from, found)
	}
	u.held, err = s.loadReferenced(ctx, account, placed)
	return u, err
}

func (u *productUpgrade) orders() []*lifecycle.Order {
	list := make([]*lifecycle.Order, len(u.from))
	for i, found := range u.from {
		list[i] = found.order
	}
	return list
}

// createProductUpgrade makes an Azure plan of the legacy Azure subscriptions of a customer.
// All their orders change together.
func (s *Server) createProductUpgrade(c *call) error {
	body, request, err := c.readProductUpgrade()
	if err != nil {
		return err
	}
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		u, err := s.productUpgrade(ctx, c)
		if err != nil {
			return nil, err
		}
		done, events, err := lifecycle.UpgradeProducts(u.account, u.orders(), request, newEntropy(), s.rulesOf(c), s.now())
		if err != nil {
			return nil, err
		}
		change, err := s.orderChange(c, decision{order: done.To, held: u.held})
		if err != nil {
			return nil, err
		}
		for i, o := range done.From {
			other, err := s.orderChange(c, decision{order: o, record: u.from[i].record})
			if err != nil {
				return nil, err
			}
			change.More = append(change.More, store.OrderChange{Order: other.Order})
			change.Subscriptions = slices.Concat(change.Subscriptions, other.Subscriptions)
		}
		// Relative and without a slash: published clients take what is between the first two.
		return &writeResult{status: http.StatusAccepted, location: "productUpgrades/" + done.ID, change: change, events: events}, nil
	})
}

// checkProductUpgrade answers whether the products of a customer can be upgraded.
func (s *Server) checkProductUpgrade(c *call) error {
	_, request, err := c.readProductUpgrade()
	if err != nil {
		return err
	}
	u, err := s.productUpgrade(c.r.Context(), c)
	if err != nil {
		return err
	}
	return c.writeJSON(lifecycle.ProductUpgradeEligibility(u.account, u.orders(), request, s.rulesOf(c), s.now()))
}

// getProductUpgradeStatus answers how far an upgrade is. It is a read, though a POST.
func (s *Server) getProductUpgradeStatus(c *call) error {
	_, request, err := c.readProductUpgrade()
	if err != nil {
		return err
	}
	account, err := s.account(c.r.Context(), c)
	if err == nil {
		err = s.addSubscriptions(c.r.Context(), account)
	}
	if err != nil {
		return err
	}
	status, err := lifecycle.ProductUpgradeStatus(account, c.param("upgrade-id"), request, s.now())
	if err != nil {
		return err
	}
	return c.writeJSON(status)
}

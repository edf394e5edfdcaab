package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// collection is a list as an answer has it. An empty self omits the links.
func collection[T any](items []T, self string) *partnercenter.Collection[T] {
	if items == nil {
		items = []T{}
	}
	list := &partnercenter.Collection[T]{
		TotalCount: len(items), Items: items,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCollection},
	}
	if self != "" {
		list.Links = &partnercenter.ResourceLinks{Self: partnercenter.NewLink(http.MethodGet, self)}
	}
	return list
}

// writeJSON answers with a value.
func (c *call) writeJSON(value any) error {
	body, err := partnercenter.Marshal(value)
	if err != nil {
		return err
	}
	c.write(http.StatusOK, body)
	return nil
}

// listSubscriptions answers with a customer's subscriptions: all, those of an order, or
// those of an indirect reseller.
func (s *Server) listSubscriptions(c *call) error {
	orderID, mpnID := c.query["order_id"], c.query["mpn_id"]
	query := url.Values{}
	for name, value := range map[string]string{"order_id": orderID, "mpn_id": mpnID} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return s.answerSubscriptions(c, store.SubscriptionQuery{OrderID: orderID, MPNID: mpnID}, query, func(*lifecycle.Subscription) bool { return true })
}

// listAddOns answers with the add-ons of a subscription.
func (s *Server) listAddOns(c *call) error {
	base, err := s.subscription(c)
	if err != nil {
		return err
	}
	return s.answerSubscriptions(c, store.SubscriptionQuery{}, nil, func(x *lifecycle.Subscription) bool {
		return ascii.EqualFold(x.Document.ParentSubscriptionID, base.Document.ID)
	})
}

// answerSubscriptions answers with those subscriptions of a customer that exist by now.
func (s *Server) answerSubscriptions(c *call, q store.SubscriptionQuery, query url.Values, keep func(*lifecycle.Subscription) bool) error {
	account, err := s.account(c.r.Context(), c)
	if err != nil {
		return err
	}
	q.PartnerID, q.CustomerID = c.claims.TenantID, c.customer
	stored, err := s.config.Store.Subscriptions(c.r.Context(), q)
	if err != nil {
		return err
	}
	list, err := restoreSubscriptions(account, stored)
	if err == nil {
		err = s.addBases(c.r.Context(), account, list)
	}
	if err != nil {
		return err
	}
	now := s.now()
	items := []*partnercenter.Subscription{}
	for _, x := range list {
		if x.Exists(now) && keep(x) {
			item := x.At(s.config.Rules, now)
			item.RefundableQuantity = nil // a single subscription has it
			items = append(items, item)
		}
	}
	slices.SortStableFunc(items, func(a, b *partnercenter.Subscription) int { return a.CreationDate.Compare(b.CreationDate) })
	self := strings.TrimPrefix(c.pattern, "/v1")
	self = strings.ReplaceAll(self, "{customer-tenant-id}", c.customer)
	self = strings.ReplaceAll(self, "{subscription-id}", ascii.ToLower(c.param("subscription-id")))
	if len(query) > 0 {
		self += "?" + query.Encode()
	}
	return c.writeJSON(collection(items, self))
}

// subscription reads the subscription in the path. Before it is provisioned, it is not
// found.
func (s *Server) subscription(c *call) (*lifecycle.Subscription, error) {
	ctx, id := c.r.Context(), c.param("subscription-id")
	account, err := s.account(ctx, c)
	if err != nil {
		return nil, err
	}
	if !guid.Is(id) {
		return nil, errSubscriptionNotFound(id)
	}
	stored, err := s.config.Store.Subscriptions(ctx, store.SubscriptionQuery{PartnerID: c.claims.TenantID, CustomerID: c.customer, ID: id})
	if err != nil {
		return nil, err
	}
	for i := range stored {
		x, err := restoreSubscription(account, &stored[i])
		if err != nil {
			return nil, err
		}
		if x != nil && x.Exists(s.now()) {
			return x, s.addBases(ctx, account, []*lifecycle.Subscription{x})
		}
	}
	return nil, errSubscriptionNotFound(id)
}

// aboutSubscription answers with something derived from the subscription in the path.
func (s *Server) aboutSubscription(c *call, answer func(*lifecycle.Subscription) any) error {
	x, err := s.subscription(c)
	if err != nil {
		return err
	}
	return c.writeJSON(answer(x))
}

// getSubscription answers with one subscription.
func (s *Server) getSubscription(c *call) error {
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any { return x.At(s.config.Rules, s.now()) })
}

// getSubscriptionProvisioning answers with the provisioning status of a subscription.
func (s *Server) getSubscriptionProvisioning(c *call) error {
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any { return x.ProvisioningStatus(s.now()) })
}

// getSubscriptionProvisioningWithoutCustomer does the same at a path without the
// customer, which links in documented orders omit.
func (s *Server) getSubscriptionProvisioningWithoutCustomer(c *call) (err error) {
	if c.customer, err = s.config.Store.CustomerOf(c.r.Context(), c.claims.TenantID, c.param("subscription-id")); err != nil {
		return err
	}
	return s.getSubscriptionProvisioning(c)
}

// getRegistrationStatus answers whether a subscription is registered for reservations.
func (s *Server) getRegistrationStatus(c *call) error {
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any { return x.RegistrationStatus(s.now()) })
}

// getSubscriptionActivationLinks answers with the activation link of a marketplace
// subscription.
func (s *Server) getSubscriptionActivationLinks(c *call) error {
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any {
		return collection(x.ActivationLink(s.activationBase(c)), "/customers/"+c.customer+"/subscriptions/"+x.Document.ID+"/activationlinks")
	})
}

// patchSubscription changes a subscription.
func (s *Server) patchSubscription(c *call) error {
	body, request, err := readJSON[partnercenter.Subscription](c)
	if err != nil {
		return err
	}
	update := lifecycle.Update{Request: request, IfMatch: c.r.Header.Get("If-Match")}
	return s.changeSubscription(c, body, func(ctx context.Context, a *lifecycle.Account, o *lifecycle.Order, id string) (*lifecycle.Order, []lifecycle.Event, error) {
		if lifecycle.NamesItem(request) || lifecycle.NextNamesEnd(request) {
			if err := s.addSubscriptions(ctx, a); err != nil {
				return nil, nil, err
			}
		}
		return lifecycle.UpdateSubscription(a, o, id, update, s.config.Rules, s.now())
	}, func(x *lifecycle.Subscription) (int, string, any) {
		return http.StatusOK, "", x.At(s.config.Rules, s.now())
	})
}

// registerSubscription registers an Azure subscription for reservations. Any body is
// accepted, or none: clients send null.
func (s *Server) registerSubscription(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	return s.changeSubscription(c, body, func(_ context.Context, _ *lifecycle.Account, o *lifecycle.Order, id string) (*lifecycle.Order, []lifecycle.Event, error) {
		return lifecycle.Register(o, id, s.config.Rules, s.now())
	}, func(x *lifecycle.Subscription) (int, string, any) {
		// Without a body: published clients fail on one.
		return http.StatusAccepted, "/customers/" + c.customer + "/subscriptions/" + x.Document.ID + "/registrationstatus", nil
	})
}

// activateSubscription replaces a visit to the publisher's page.
func (s *Server) activateSubscription(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	return s.changeSubscription(c, body, func(_ context.Context, _ *lifecycle.Account, o *lifecycle.Order, id string) (*lifecycle.Order, []lifecycle.Event, error) {
		return lifecycle.Activate(o, id, s.config.Rules)
	}, func(x *lifecycle.Subscription) (int, string, any) {
		return http.StatusOK, "", partnercenter.SubscriptionActivationResult{SubscriptionID: x.Document.ID, Status: "Success"}
	})
}

// changeSubscription decides about the subscription in the path, whose order changes
// with it.
func (s *Server) changeSubscription(c *call, body []byte,
	decide func(context.Context, *lifecycle.Account, *lifecycle.Order, string) (*lifecycle.Order, []lifecycle.Event, error),
	answer func(*lifecycle.Subscription) (status int, location string, value any),
) error {
	id := c.param("subscription-id")
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		orderID, err := s.config.Store.OrderOf(ctx, c.claims.TenantID, c.customer, id)
		if err != nil {
			return nil, err
		}
		found, err := s.order(ctx, c, orderID)
		if err != nil {
			return nil, err
		}
		o, account := found.order, found.account
		if x := o.Subscription(id); x == nil {
			return nil, errSubscriptionNotFound(id)
		}
		next, events, err := decide(ctx, account, o, id)
		if err != nil {
			return nil, err
		}
		status, location, value := answer(next.Subscription(id))
		return s.orderEffect(c, decision{order: next, record: found.record}, writeResult{status: status, location: location, events: events}, value)
	})
}

func lineNumber(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

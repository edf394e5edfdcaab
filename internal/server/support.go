package server

import (
	"context"
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// supporters returns who can support the partner's customers, the partner first.
func (s *Server) supporters(ctx context.Context, c *call) ([]lifecycle.Supporter, error) {
	partners, err := s.config.Store.Partners(ctx)
	if err != nil {
		return nil, err
	}
	var list []lifecycle.Supporter
	for _, p := range partners {
		if ascii.EqualFold(p.TenantID, c.claims.TenantID) {
			list = append(list, lifecycle.Supporter{TenantID: p.TenantID, MPNID: p.MPNID, Name: p.Name})
		}
	}
	resellers, err := s.config.Store.IndirectResellers(ctx, c.claims.TenantID)
	if err != nil {
		return nil, err
	}
	for _, r := range resellers {
		list = append(list, lifecycle.Supporter{TenantID: r.TenantID, MPNID: r.MPNID, Name: r.Name})
	}
	return list, nil
}

// getSupportContact answers with the support contact of a subscription.
func (s *Server) getSupportContact(c *call) error {
	list, err := s.supporters(c.r.Context(), c)
	if err != nil {
		return err
	}
	return s.aboutSubscription(c, func(x *lifecycle.Subscription) any { return x.SupportContact(c.customer, list[0]) })
}

// putSupportContact sets the support contact of a subscription.
func (s *Server) putSupportContact(c *call) error {
	body, request, err := readJSON[partnercenter.SupportContact](c)
	if err != nil {
		return err
	}
	list, err := s.supporters(c.r.Context(), c)
	if err != nil {
		return err
	}
	known, err := s.config.Store.ResellersByMPN(c.r.Context(), c.claims.TenantID, []string{ascii.TrimSpace(request.SupportMPNID)})
	if err != nil {
		return err
	}
	return s.changeSubscription(c, body, func(_ context.Context, a *lifecycle.Account, o *lifecycle.Order, id string) (*lifecycle.Order, []lifecycle.Event, error) {
		a.MPN = known
		return lifecycle.SetSupportContact(a, o, id, request, list)
	}, func(x *lifecycle.Subscription) (int, string, any) {
		return http.StatusOK, "", x.SupportContact(c.customer, list[0])
	})
}

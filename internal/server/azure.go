package server

import (
	"context"
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// listAzureEntitlements answers with the Azure subscriptions of a subscription to Azure.
func (s *Server) listAzureEntitlements(c *call) error {
	x, err := s.subscription(c)
	if err != nil {
		return err
	}
	list, err := x.Entitlements(s.now())
	if err != nil {
		return err
	}
	return c.writeJSON(collection(list, ""))
}

// getAzureEntitlement answers with one of them.
func (s *Server) getAzureEntitlement(c *call) error {
	x, err := s.subscription(c)
	if err != nil {
		return err
	}
	one, err := x.Entitlement(c.param("entitlement-id"), s.now())
	if err != nil {
		return err
	}
	return c.writeJSON(one)
}

// cancelAzureEntitlement cancels an Azure subscription.
func (s *Server) cancelAzureEntitlement(c *call) error {
	body, request, err := readJSON[partnercenter.AzureEntitlementCancellation](c)
	if err != nil {
		return err
	}
	return s.switchEntitlement(c, body, request)
}

// reactivateAzureEntitlement makes one active again. Any body is accepted, or none.
func (s *Server) reactivateAzureEntitlement(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	return s.switchEntitlement(c, body, nil)
}

func (s *Server) switchEntitlement(c *call, body []byte, request *partnercenter.AzureEntitlementCancellation) error {
	id := c.param("entitlement-id")
	return s.changeSubscription(c, body, func(_ context.Context, _ *lifecycle.Account, o *lifecycle.Order, subscription string) (*lifecycle.Order, []lifecycle.Event, error) {
		return lifecycle.SwitchEntitlement(o, subscription, id, request, s.config.Rules, s.now())
	}, func(x *lifecycle.Subscription) (int, string, any) {
		one, _ := x.Entitlement(id, s.now()) // it was just found
		return http.StatusOK, "", one
	})
}

// listTransferEligibility answers, in a bare array, which of a customer's subscriptions
// can be transferred to another partner.
func (s *Server) listTransferEligibility(c *call) error {
	value, known := c.query["transfertype"], []string{string(partnercenter.TransferTypeDirectToIndirect)}
	if value == "" {
		return errBadQuery("transferType is missing", "send "+known[0])
	}
	if !partnercenter.TransferType(value).Known() {
		return errEnum("transferType", value, known)
	}
	account, err := s.account(c.r.Context(), c)
	if err != nil {
		return err
	}
	list, err := s.allSubscriptions(c.r.Context(), account)
	if err != nil {
		return err
	}
	answer := []partnercenter.TransferEligibility{}
	for _, x := range list {
		if x.Exists(s.now()) {
			answer = append(answer, x.TransferEligibility(s.now()))
		}
	}
	return c.writeJSON(answer)
}

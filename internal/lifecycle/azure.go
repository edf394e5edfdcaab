package lifecycle

import (
	"cmp"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// The states of an Azure subscription.
const (
	entitlementActive   = "active"
	entitlementInactive = "inactive"
)

// EntitlementChange is the newest change of the state of a subscription's Azure
// subscription.
type EntitlementChange struct {
	Active bool      `json:"active,omitzero"`
	At     time.Time `json:"at"` // when it takes effect
}

// entitlementStatus returns the state of the Azure subscription at an instant: what it
// was before a change is the opposite.
func (s *Subscription) entitlementStatus(now time.Time) string {
	c := s.Facts.Entitlement
	if !isActive(s) || c != nil && c.Active == now.Before(c.At) {
		return entitlementInactive
	}
	return entitlementActive
}

// azureRules apply to the Azure subscriptions of a subscription.
var azureRules = []rule[*Subscription]{
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotAzure, "it is not an Azure subscription", func(s *Subscription) (string, string) {
		return require(isAzure(s.Facts.Kind), "Name a subscription to Azure", "This subscription is not a valid Azure subscription: %s", s.Document.ID)
	}},
}

// Entitlements returns the Azure subscriptions of a subscription to Azure: one.
func (s *Subscription) Entitlements(now time.Time) ([]partnercenter.AzureEntitlement, error) {
	if err := check(azureRules, s); err != nil {
		return nil, err
	}
	return []partnercenter.AzureEntitlement{{
		ID: s.Document.EntitlementID, FriendlyName: cmp.Or(s.Document.FriendlyName, s.Document.OfferName), Status: s.entitlementStatus(now), SubscriptionID: s.Document.ID,
	}}, nil
}

// Entitlement returns one of them.
func (s *Subscription) Entitlement(id string, now time.Time) (*partnercenter.AzureEntitlement, error) {
	list, err := s.Entitlements(now)
	if err != nil {
		return nil, err
	}
	e := &entitlementCheck{Subscription: s, id: id}
	if err := check(entitlementRules, e); err != nil {
		return nil, err
	}
	return &list[0], nil
}

// entitlementCheck is an Azure subscription of a subscription, as the rules check it.
type entitlementCheck struct {
	*Subscription
	id      string
	request *partnercenter.AzureEntitlementCancellation // nil to make it active again
}

// reason returns why it is to be cancelled.
func (e *entitlementCheck) reason() string {
	if e.request == nil {
		return ""
	}
	return ascii.TrimSpace(e.request.CancellationReason)
}

// entitlementRules apply to one of the Azure subscriptions of a subscription.
var entitlementRules = []rule[*entitlementCheck]{
	{http.StatusNotFound, partnercenter.ErrorCodeEntitlementNotFound, "the subscription has no such Azure subscription", func(e *entitlementCheck) (string, string) {
		return require(ascii.EqualFold(e.id, e.Document.EntitlementID), "List GET .../azureentitlements for their ids", "The entitlement %s of subscription %s is not found", quote.Text(e.id), e.Document.ID)
	}},
}

// switchRules apply to cancelling one, and to making it active again.
var switchRules = []rule[*entitlementCheck]{
	{http.StatusForbidden, partnercenter.ErrorCodeLegacyAzure, "it is of a legacy offer", func(e *entitlementCheck) (string, string) {
		return require(e.Facts.Kind == catalog.AzurePlan, "Suspend or reactivate the subscription itself", "Legacy Azure subscriptions are not allowed here: %s", e.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCancellationReason, "it is to be cancelled for another reason than compromise", func(e *entitlementCheck) (string, string) {
		return require(e.request == nil || ascii.EqualFold(e.reason(), partnercenter.CancellationReasonCompromise), "Send compromise", "The cancellation reason %s is not valid", quote.Text(e.reason()))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionInactive, "its plan is not active", func(e *entitlementCheck) (string, string) {
		return require(isActive(e.Subscription), "Reactivate the plan first", "This subscription is not an active subscription: %s", e.Document.ID)
	}},
}

// SwitchEntitlement decides about cancelling an Azure subscription of an Azure plan, or,
// without a cancellation, about making it active again. That takes as long as a purchase.
func SwitchEntitlement(o *Order, id, entitlementID string, cancellation *partnercenter.AzureEntitlementCancellation, settings Settings, now time.Time) (*Order, []Event, error) {
	next, s := o.cloneWith(id)
	e := &entitlementCheck{Subscription: s, id: entitlementID, request: cancellation}
	for _, rules := range []func() error{
		func() error { return check(azureRules, s) }, func() error { return check(entitlementRules, e) }, func() error { return check(switchRules, e) },
	} {
		if err := rules(); err != nil {
			return nil, nil, err
		}
	}
	active := cancellation == nil
	if c := s.Facts.Entitlement; c == nil && active || c != nil && c.Active == active {
		return o, nil, nil
	}
	s.Facts.Entitlement = &EntitlementChange{Active: active, At: later(now, settings.ProvisioningTime)}
	next.Changed = append(next.Changed, s)
	kind := EventKind("Azure subscription cancelled")
	if active {
		kind = "Azure subscription reactivated"
	}
	return next, []Event{{Kind: kind, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, nil
}

// planRules apply to changes of an Azure plan, beside those of every subscription.
var planRules = []rule[*updateCheck]{
	{http.StatusForbidden, partnercenter.ErrorCodePlanInUse, "an Azure plan with an active Azure subscription is to be suspended", func(u *updateCheck) (string, string) {
		busy := u.Facts.Kind == catalog.AzurePlan && u.status == partnercenter.SubscriptionStatusSuspended && u.entitlementStatus(u.now) == entitlementActive
		return require(!busy, "Cancel it first, with POST .../azureentitlements/{id}/cancel", "Azure plan %s cannot be moved to suspended state: its Azure subscription %s is active", u.Document.ID, u.Document.EntitlementID)
	}},
}

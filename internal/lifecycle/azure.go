package lifecycle

import (
	"cmp"
	"net/http"
	"slices"
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

// MovedEntitlement is an Azure subscription that an Azure plan has beside its own, from a
// subscription to a legacy offer that was upgraded.
type MovedEntitlement struct {
	ID           string             `json:"id"`
	FriendlyName string             `json:"friendlyName,omitzero"`
	Change       *EntitlementChange `json:"change,omitzero"`
}

// entitlement is an Azure subscription of a subscription, and where its newest change is
// kept.
type entitlement struct {
	id, name string
	change   **EntitlementChange
}

// entitlements returns the Azure subscriptions of a subscription to Azure, its own first.
// One that was upgraded has none.
func (s *Subscription) entitlements() (list []entitlement) {
	if id := s.Document.EntitlementID; id != "" {
		list = append(list, entitlement{id, cmp.Or(s.Document.FriendlyName, s.Document.OfferName), &s.Facts.Entitlement})
	}
	for i := range s.Facts.Moved {
		m := &s.Facts.Moved[i]
		list = append(list, entitlement{m.ID, m.FriendlyName, &m.Change})
	}
	return list
}

// entitlement returns one of them, nil if there is none with the id.
func (s *Subscription) entitlement(id string) *entitlement {
	for _, e := range s.entitlements() {
		if ascii.EqualFold(e.id, ascii.TrimSpace(id)) {
			return &e
		}
	}
	return nil
}

// entitlementStatus returns the state of an Azure subscription at an instant: what it was
// before a change is the opposite.
func (s *Subscription) entitlementStatus(e *entitlement, now time.Time) string {
	c := *e.change
	if !isActive(s) || c != nil && c.Active == now.Before(c.At) {
		return entitlementInactive
	}
	return entitlementActive
}

// activeEntitlement returns the id of the first active Azure subscription, empty if none
// is active.
func (s *Subscription) activeEntitlement(now time.Time) string {
	for _, e := range s.entitlements() {
		if s.entitlementStatus(&e, now) == entitlementActive {
			return e.id
		}
	}
	return ""
}

// azureRules apply to the Azure subscriptions of a subscription.
var azureRules = []rule[*Subscription]{
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotAzure, "it is not an Azure subscription", func(s *Subscription) (string, string) {
		return require(isAzure(s.Facts.Kind), "Name a subscription to Azure", "This subscription is not a valid Azure subscription: %s", s.Document.ID)
	}},
}

// Entitlements returns the Azure subscriptions of a subscription to Azure.
func (s *Subscription) Entitlements(now time.Time) ([]partnercenter.AzureEntitlement, error) {
	if err := check(azureRules, s); err != nil {
		return nil, err
	}
	list := []partnercenter.AzureEntitlement{}
	for _, e := range s.entitlements() {
		list = append(list, partnercenter.AzureEntitlement{ID: e.id, FriendlyName: e.name, Status: s.entitlementStatus(&e, now), SubscriptionID: s.Document.ID})
	}
	return list, nil
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
	i := slices.IndexFunc(list, func(e partnercenter.AzureEntitlement) bool { return ascii.EqualFold(e.ID, ascii.TrimSpace(id)) })
	return &list[i], nil
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
		return require(e.entitlement(e.id) != nil, "List GET .../azureentitlements for their ids", "The entitlement %s of subscription %s is not found", quote.Text(e.id), e.Document.ID)
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
	change := s.entitlement(entitlementID).change
	if c := *change; c == nil && active || c != nil && c.Active == active {
		return o, nil, nil
	}
	*change = &EntitlementChange{Active: active, At: later(now, settings.ProvisioningTime)}
	next.Changed = append(next.Changed, s)
	kind := EventKind("Azure subscription cancelled")
	if active {
		kind = "Azure subscription reactivated"
	}
	return next, []Event{{Kind: kind, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, nil
}

// planRules apply to changes of an Azure plan, beside those of every subscription.
var planRules = []rule[*updateCheck]{
	{http.StatusForbidden, partnercenter.ErrorCodePlanInUse, "an Azure plan with an active Azure subscription is to be suspended or deleted", func(u *updateCheck) (string, string) {
		busy := u.Facts.Kind == catalog.AzurePlan && (u.status == partnercenter.SubscriptionStatusSuspended || u.status == partnercenter.SubscriptionStatusDeleted)
		id := u.activeEntitlement(u.now)
		return require(!busy || id == "", "Cancel it first, with POST .../azureentitlements/{id}/cancel", "Azure plan %s cannot be moved to %s state: its Azure subscription %s is active", u.Document.ID, u.status, id)
	}},
}

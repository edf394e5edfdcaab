package partnercenter

import (
	"context"
	"iter"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Overage says whether calling beyond what a customer's plans include is paid by use, with
// an Azure subscription.
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-overage
type Overage struct {
	AzureEntitlementID string              `json:"azureEntitlementId,omitzero"` // GUID: the Azure subscription that pays
	PartnerID          string              `json:"partnerId,omitzero"`          // MPN id of the partner
	Type               OverageType         `json:"type,omitzero"`
	OverageEnabled     *bool               `json:"overageEnabled,omitzero"`
	Links              *OverageLinks       `json:"links,omitzero"`
	Attributes         *ResourceAttributes `json:"attributes,omitzero"`
	Extra              jsontext.Value      `json:",embed"`
}

// OverageLinks are the links of an [Overage].
type OverageLinks struct {
	Overage *Link          `json:"overage,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// OverageType is what an [Overage] is for.
type OverageType string

// OverageTypePhoneServices is the documented type: calls.
const OverageTypePhoneServices OverageType = "PhoneServices"

var overageTypes = []OverageType{OverageTypePhoneServices}

// Normalize returns the constant that t spells, or t unchanged.
func (t OverageType) Normalize() OverageType { return normalize(t, overageTypes) }

// Known reports whether t spells a documented value.
func (t OverageType) Known() bool { return isKnown(t, overageTypes) }

// OverageClient accesses the overage of a customer. Get one from
// [SubscriptionsClient.Overage].
type OverageClient struct{ resource }

// Get returns the overages that were set, at most one for each Azure subscription.
//
// The error is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-overage
func (c *OverageClient) Get(ctx context.Context) (*Collection[*Overage], error) {
	return readList[Overage](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *OverageClient) All(ctx context.Context) iter.Seq2[*Overage, error] {
	return readAll[Overage](ctx, c.resource)
}

// Put turns the overage of an Azure subscription on or off.
//
// The error is an [*Error] with status 403 and code 800114 if the Azure subscription is
// not one of an active Azure plan of the customer, and 800115 if it is another partner's.
//
// https://learn.microsoft.com/partner-center/developer/manage-overage
func (c *OverageClient) Put(ctx context.Context, overage *Overage) (*Overage, error) {
	return exchange[Overage](ctx, c.resource, request{method: http.MethodPut, in: overage})
}

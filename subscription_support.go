package partnercenter

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// SupportContact is who supports the customer of a subscription: the partner, or one of
// its indirect resellers.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources#supportcontact
type SupportContact struct {
	SupportTenantID string              `json:"supportTenantId,omitzero"` // GUID
	SupportMPNID    string              `json:"supportMpnId,omitzero"`
	Name            string              `json:"name,omitzero"`
	Links           *ResourceLinks      `json:"links,omitzero"`
	Attributes      *ResourceAttributes `json:"attributes,omitzero"`
	Extra           jsontext.Value      `json:",embed"`
}

// SupportContactClient accesses the support contact of a subscription. Get one from
// SubscriptionClient.SupportContact. Its calls require a token with a user, and are not
// offered in the 21Vianet cloud.
type SupportContactClient struct{ resource }

// Get returns the support contact, which is the partner unless another one was set.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-subscription-s-support-contact
func (c *SupportContactClient) Get(ctx context.Context) (*SupportContact, error) {
	return read[SupportContact](ctx, c.resource)
}

// Put sets the support contact: the partner, or one of its indirect resellers, by tenant
// id, MPN id and name.
//
// The error is an [*Error] with status 404 and code 800015 for an unknown MPN id, 400 and
// code 800016 for one that is not an indirect reseller's or has another tenant, and as for
// [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/update-a-subscription-s-support-contact
func (c *SupportContactClient) Put(ctx context.Context, contact *SupportContact) (*SupportContact, error) {
	return exchange[SupportContact](ctx, c.resource, request{method: http.MethodPut, in: contact})
}

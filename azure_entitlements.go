package partnercenter

import (
	"context"
	"iter"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// AzureEntitlement is an Azure subscription that belongs to an Azure plan, or to a
// subscription to a legacy offer of Azure.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources#azureentitlement
type AzureEntitlement struct {
	ID             string         `json:"id,omitzero"` // GUID: the id of the Azure subscription
	FriendlyName   string         `json:"friendlyName,omitzero"`
	Status         string         `json:"status,omitzero"`         // active, inactive
	SubscriptionID string         `json:"subscriptionId,omitzero"` // of the plan
	Extra          jsontext.Value `json:",embed"`
}

// AzureEntitlementCancellation says why an [AzureEntitlement] is cancelled.
type AzureEntitlementCancellation struct {
	CancellationReason string         `json:"cancellationReason,omitzero"` // compromise
	Extra              jsontext.Value `json:",embed"`
}

// CancellationReasonCompromise is the documented reason to cancel an Azure entitlement.
const CancellationReasonCompromise = "compromise"

// AzureEntitlementsClient accesses the Azure subscriptions of a subscription to Azure.
// Get one from SubscriptionClient.AzureEntitlements. Its calls are not offered in the
// 21Vianet cloud.
type AzureEntitlementsClient struct{ resource }

// Get returns the Azure subscriptions.
//
// The error is an [*Error] with status 400 and code 800011 if the subscription is not an
// Azure one, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-azure-entitlements
func (c *AzureEntitlementsClient) Get(ctx context.Context) (*Collection[*AzureEntitlement], error) {
	return readList[AzureEntitlement](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *AzureEntitlementsClient) All(ctx context.Context) iter.Seq2[*AzureEntitlement, error] {
	return readAll[AzureEntitlement](ctx, c.resource)
}

// ByID selects an Azure subscription.
func (c *AzureEntitlementsClient) ByID(id string) *AzureEntitlementClient {
	return &AzureEntitlementClient{c.id("entitlement id", id)}
}

// AzureEntitlementClient accesses an Azure subscription of an Azure plan. Get one from
// [AzureEntitlementsClient.ByID].
type AzureEntitlementClient struct{ resource }

// Get returns the Azure subscription.
//
// The error is an [*Error] with status 404 and code 800111 if the plan has none with this
// id, and as for [AzureEntitlementsClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-azure-entitlement
func (c *AzureEntitlementClient) Get(ctx context.Context) (*AzureEntitlement, error) {
	return read[AzureEntitlement](ctx, c.resource)
}

// Cancel cancels the Azure subscription, for [CancellationReasonCompromise]. The service
// does so within about ten minutes.
//
// The error is an [*Error] with status 400 and code 900307 for another reason, 403 and
// code 800112 for a subscription to a legacy offer, and as for Get.
//
// https://learn.microsoft.com/partner-center/developer/cancel-an-azure-entitlement
func (c *AzureEntitlementClient) Cancel(ctx context.Context, cancellation *AzureEntitlementCancellation) (*AzureEntitlement, error) {
	return exchange[AzureEntitlement](ctx, c.name("cancel"), request{method: http.MethodPost, in: cancellation})
}

// Reactivate makes a cancelled Azure subscription active again. The service does so
// within about ten minutes.
//
// The error is as for Cancel.
//
// https://learn.microsoft.com/partner-center/developer/reactivate-an-azure-entitlement
func (c *AzureEntitlementClient) Reactivate(ctx context.Context) (*AzureEntitlement, error) {
	return exchange[AzureEntitlement](ctx, c.name("reactivate"), request{method: http.MethodPost})
}

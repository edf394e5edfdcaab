package partnercenter

import (
	"context"
	"iter"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Subscription is a subscription of a customer, bought with a line of an order.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources
type Subscription struct {
	ID string `json:"id,omitzero"` // GUID; compare ignoring case
	// EntitlementID is the id of an Azure subscription.
	EntitlementID string `json:"entitlementId,omitzero"`
	OfferID       string `json:"offerId,omitzero"` // a legacy offer id or a catalog item id
	OfferName     string `json:"offerName,omitzero"`
	FriendlyName  string `json:"friendlyName,omitzero"` // the nickname; can be changed
	// ProductType is OnlineServicesNCE, Software or Azure; new commerce only.
	ProductType *ItemType `json:"productType,omitzero"`
	Quantity    *int      `json:"quantity,omitzero"` // can be changed
	UnitType    string    `json:"unitType,omitzero"` // Licenses, License(s), Usage-based, none
	// ParentSubscriptionID is the base subscription of an add-on.
	ParentSubscriptionID string `json:"parentSubscriptionId,omitzero"`
	CreationDate         Time   `json:"creationDate,omitzero"`
	EffectiveStartDate   Time   `json:"effectiveStartDate,omitzero"`
	// CommitmentEndDate is the last day of the term; it is in year 9999 if there
	// is none.
	CommitmentEndDate Time `json:"commitmentEndDate,omitzero"`
	// CommitmentEndDateTime is the last second of that day, and the next two are
	// the same for the billing cycle; new commerce only.
	CommitmentEndDateTime   Time               `json:"commitmentEndDateTime,omitzero"`
	BillingCycleEndDate     Time               `json:"billingCycleEndDate,omitzero"`
	BillingCycleEndDateTime Time               `json:"billingCycleEndDateTime,omitzero"`
	Status                  SubscriptionStatus `json:"status,omitzero"`           // can be changed
	AutoRenewEnabled        *bool              `json:"autoRenewEnabled,omitzero"` // can be changed
	IsTrial                 *bool              `json:"isTrial,omitzero"`
	BillingType             BillingType        `json:"billingType,omitzero"`
	// BillingCycle can be changed with [OrderClient.Patch] of the order.
	BillingCycle         BillingCycleType     `json:"billingCycle,omitzero"`
	HasPurchasableAddons *bool                `json:"hasPurchasableAddons,omitzero"`
	IsMicrosoftProduct   *bool                `json:"isMicrosoftProduct,omitzero"`
	PublisherName        string               `json:"publisherName,omitzero"`
	Actions              []SubscriptionAction `json:"actions,omitzero"`
	// PartnerID is the MPN id of the indirect reseller. In some answers it is
	// an empty string rather than absent.
	PartnerID         *string        `json:"partnerId,omitzero"`
	SuspensionReasons []string       `json:"suspensionReasons,omitzero"`
	ContractType      ContractType   `json:"contractType,omitzero"`
	RefundOptions     []RefundOption `json:"refundOptions,omitzero"`
	TermDuration      string         `json:"termDuration,omitzero"` // P1M, P1Y, P3Y
	// RenewalTermDuration is the term after this one; can be changed. In answers of new commerce it is
	// an empty string rather than absent when it is not set.
	RenewalTermDuration *string `json:"renewalTermDuration,omitzero"`
	// CancellationAllowedUntilDate is when the last seats stop being
	// refundable; new commerce only.
	CancellationAllowedUntilDate Time               `json:"cancellationAllowedUntilDate,omitzero"`
	Links                        *SubscriptionLinks `json:"links,omitzero"`
	OrderID                      string             `json:"orderId,omitzero"`
	// RefundableQuantity says how many seats can be refunded, and until when;
	// new commerce only.
	RefundableQuantity *RefundableQuantity `json:"refundableQuantity,omitzero"`
	CustomTermEndDate  Time                `json:"customTermEndDate,omitzero"` // of a term that ends early: see [CustomTermEndDate]
	PromotionID        string              `json:"promotionId,omitzero"`       // product:sku:id
	AttentionNeeded    *bool               `json:"attentionNeeded,omitzero"`
	ActionTaken        *bool               `json:"actionTaken,omitzero"`
	ConsumptionType    string              `json:"consumptionType,omitzero"` // overage: calling that is paid by use
	// MigratedFromSubscriptionID is the id of the legacy subscription that this one
	// replaces.
	MigratedFromSubscriptionID string `json:"migratedFromSubscriptionId,omitzero"`
	ProductOrderID             string `json:"productOrderId,omitzero"`
	// ScheduledNextTermInstructions is what changes when the term ends; can be changed.
	// A change without it removes what is there.
	ScheduledNextTermInstructions *SubscriptionInstructions `json:"scheduledNextTermInstructions,omitzero"`
	// NextChargeInstructions is what changes with the next charge; can be changed.
	NextChargeInstructions *SubscriptionInstructions `json:"nextChargeInstructions,omitzero"`
	// ScheduledActions is what happens when the term ends, or on a date; can be changed.
	ScheduledActions ScheduledActions `json:"scheduledActions,omitzero"`
	// LineItems say what a savings plan is for. Others have none.
	LineItems  []SubscriptionLineItem `json:"lineItems,omitzero"`
	Attributes *ResourceAttributes    `json:"attributes,omitzero"`
	Extra      jsontext.Value         `json:",embed"`
}

// SubscriptionLineItem is what a savings plan is for.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources
type SubscriptionLineItem struct {
	ID                 string              `json:"id,omitzero"`
	FriendlyName       string              `json:"friendlyName,omitzero"`
	Scope              *SubscriptionScope  `json:"scope,omitzero"`
	AutoRenewEnabled   *bool               `json:"autoRenewEnabled,omitzero"`
	Status             SubscriptionStatus  `json:"status,omitzero"`
	PurchaseCommitment *PurchaseCommitment `json:"purchaseCommitment,omitzero"`
	Extra              jsontext.Value      `json:",embed"`
}

// SubscriptionScope is the use of Azure that a savings plan is for.
type SubscriptionScope struct {
	Type              SubscriptionScopeType `json:"type,omitzero"`
	SubscriptionID    string                `json:"subscriptionId,omitzero"` // of the Azure plan
	EntitlementID     string                `json:"entitlementId,omitzero"`  // of the Azure subscription
	ManagementGroupID string                `json:"managementGroupId,omitzero"`
	ResourceGroupID   string                `json:"resourceGroupId,omitzero"`
	Extra             jsontext.Value        `json:",embed"`
}

// SubscriptionScopeType is the kind of a [SubscriptionScope].
type SubscriptionScopeType string

// The documented kinds.
const (
	SubscriptionScopeTypeSingle          SubscriptionScopeType = "Single"
	SubscriptionScopeTypeShared          SubscriptionScopeType = "Shared"
	SubscriptionScopeTypeResourceGroup   SubscriptionScopeType = "Resource group"
	SubscriptionScopeTypeManagementGroup SubscriptionScopeType = "Management group"
)

var subscriptionScopeTypes = []SubscriptionScopeType{
	SubscriptionScopeTypeSingle, SubscriptionScopeTypeShared, SubscriptionScopeTypeResourceGroup, SubscriptionScopeTypeManagementGroup,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t SubscriptionScopeType) Normalize() SubscriptionScopeType {
	return normalize(t, subscriptionScopeTypes)
}

// Known reports whether t spells a documented value.
func (t SubscriptionScopeType) Known() bool { return isKnown(t, subscriptionScopeTypes) }

// SubscriptionStatus is the state of a subscription.
type SubscriptionStatus string

// The documented states. Expired and disabled are newer; older clients do not
// know them.
const (
	SubscriptionStatusNone      SubscriptionStatus = "none"
	SubscriptionStatusActive    SubscriptionStatus = "active"
	SubscriptionStatusSuspended SubscriptionStatus = "suspended"
	SubscriptionStatusDeleted   SubscriptionStatus = "deleted"
	SubscriptionStatusExpired   SubscriptionStatus = "expired"
	SubscriptionStatusPending   SubscriptionStatus = "pending"
	SubscriptionStatusDisabled  SubscriptionStatus = "disabled"
)

var subscriptionStatuses = []SubscriptionStatus{
	SubscriptionStatusNone, SubscriptionStatusActive, SubscriptionStatusSuspended, SubscriptionStatusDeleted,
	SubscriptionStatusExpired, SubscriptionStatusPending, SubscriptionStatusDisabled,
}

// SubscriptionStatuses returns the documented states in the order of their numbers.
func SubscriptionStatuses() []SubscriptionStatus { return slices.Clone(subscriptionStatuses) }

// Normalize returns the constant that s spells, or s unchanged.
func (s SubscriptionStatus) Normalize() SubscriptionStatus {
	return normalize(s, subscriptionStatuses)
}

// Known reports whether s spells a documented value.
func (s SubscriptionStatus) Known() bool { return isKnown(s, subscriptionStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *SubscriptionStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, s)
}

// SubscriptionInstructions are what a [Subscription] is to become.
type SubscriptionInstructions struct {
	Product           *InstructedProduct `json:"product,omitzero"`
	Quantity          *int               `json:"quantity,omitzero"`
	CustomTermEndDate Time               `json:"customTermEndDate,omitzero"` // one of [CustomTermEndDate]
	Extra             jsontext.Value     `json:",embed"`
}

// InstructedProduct is what a subscription is to be one of.
type InstructedProduct struct {
	ProductID      string           `json:"productId,omitzero"`
	SKUID          string           `json:"skuId,omitzero"`
	AvailabilityID string           `json:"availabilityId,omitzero"`
	BillingCycle   BillingCycleType `json:"billingCycle,omitzero"`
	TermDuration   string           `json:"termDuration,omitzero"` // P1M, P1Y, P3Y
	PromotionID    string           `json:"promotionId,omitzero"`
	Extra          jsontext.Value   `json:",embed"`
}

// ScheduledAction is what happens to a [Subscription] at the end of a term.
type ScheduledAction struct {
	ScheduleType  ScheduleType              `json:"scheduleType,omitzero"`
	ActionType    ScheduledActionType       `json:"actionType,omitzero"`
	EffectiveDate Time                      `json:"effectiveDate,omitzero"`
	Instructions  *SubscriptionInstructions `json:"instructions,omitzero"`
	Extra         jsontext.Value            `json:",embed"`
}

// ScheduledActions are the actions that are scheduled for a [Subscription].
type ScheduledActions []ScheduledAction

// UnmarshalJSONFrom reads an array, or a single action.
func (s *ScheduledActions) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return json.UnmarshalDecode(dec, (*[]ScheduledAction)(s))
	}
	*s = make(ScheduledActions, 1)
	return json.UnmarshalDecode(dec, &(*s)[0])
}

// RefundOption says what is refunded if a subscription is cancelled in time.
type RefundOption struct {
	Type RefundType `json:"type,omitzero"`
	// ExpiresAt is when the option ends; absent if never.
	ExpiresAt Time           `json:"expiresAt,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// RefundableQuantity says how many of a subscription's seats can be refunded.
type RefundableQuantity struct {
	TotalQuantity *int               `json:"totalQuantity,omitzero"`
	Details       []RefundableDetail `json:"details,omitzero"`
	Extra         jsontext.Value     `json:",embed"`
}

// RefundableDetail is a number of seats that were added together.
type RefundableDetail struct {
	Quantity     *int           `json:"quantity,omitzero"`
	AllowedUntil Time           `json:"allowedUntilDateTime,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

// SubscriptionLinks are the links of a [Subscription].
type SubscriptionLinks struct {
	Offer              *Link          `json:"offer,omitzero"`
	Entitlement        *Link          `json:"entitlement,omitzero"`
	ParentSubscription *Link          `json:"parentSubscription,omitzero"`
	Product            *Link          `json:"product,omitzero"`
	SKU                *Link          `json:"sku,omitzero"`
	Availability       *Link          `json:"availability,omitzero"`
	ActivationLinks    *Link          `json:"activationLinks,omitzero"`
	Self               *Link          `json:"self,omitzero"`
	Next               *Link          `json:"next,omitzero"`
	Previous           *Link          `json:"previous,omitzero"`
	Extra              jsontext.Value `json:",embed"`
}

// SubscriptionProvisioningStatus is the provisioning status of a subscription.
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-provisioning-status
type SubscriptionProvisioningStatus struct {
	SKUID      string              `json:"skuId,omitzero"` // GUID
	Status     ProvisioningStatus  `json:"status,omitzero"`
	Quantity   *int                `json:"quantity,omitzero"`
	EndDate    Time                `json:"endDate,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// SubscriptionRegistrationStatus says whether an Azure subscription is
// registered for the purchase of reservations.
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-registration-status
type SubscriptionRegistrationStatus struct {
	SubscriptionID string              `json:"subscriptionId,omitzero"`
	Status         RegistrationStatus  `json:"status,omitzero"`
	Attributes     *ResourceAttributes `json:"attributes,omitzero"`
	Extra          jsontext.Value      `json:",embed"`
}

// SubscriptionActivationResult is the result of activating a sandbox
// subscription to a marketplace product.
//
// https://learn.microsoft.com/partner-center/developer/activate-sandbox-subscription-azure-marketplace-products
type SubscriptionActivationResult struct {
	SubscriptionID string         `json:"subscriptionId,omitzero"`
	Status         string         `json:"status,omitzero"` // Success
	Extra          jsontext.Value `json:",embed"`
}

// plainSubscription is Subscription without its methods.
type plainSubscription Subscription

// MarshalJSON implements [encoding/json.Marshaler].
func (s Subscription) MarshalJSON() ([]byte, error) { return Marshal(plainSubscription(s)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (s *Subscription) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainSubscription)(s))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (s Subscription) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainSubscription(s))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (s *Subscription) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainSubscription)(s))
}

// SubscriptionsClient accesses the subscriptions of a customer. Get one from
// CustomerClient.Subscriptions.
type SubscriptionsClient struct{ resource }

// ByOrder limits the list to the subscriptions of an order.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-subscriptions-by-order
func (c *SubscriptionsClient) ByOrder(orderID string) *SubscriptionListClient {
	return &SubscriptionListClient{c.option(option{"order_id", orderID, "order id", "ByOrder"})}
}

// ByPartner limits the list to the subscriptions of an indirect reseller, by MPN id.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-subscriptions-by-partner
func (c *SubscriptionsClient) ByPartner(mpnID string) *SubscriptionListClient {
	return &SubscriptionListClient{c.option(option{"mpn_id", mpnID, "MPN id", "ByPartner"})}
}

// Get returns the customer's subscriptions.
//
// The error is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-subscriptions
func (c *SubscriptionsClient) Get(ctx context.Context) (*Collection[*Subscription], error) {
	return readList[Subscription](ctx, c.resource)
}

// All yields the subscriptions that Get returns, with the checks of
// [OrdersClient.All].
func (c *SubscriptionsClient) All(ctx context.Context) iter.Seq2[*Subscription, error] {
	return readAll[Subscription](ctx, c.resource)
}

// CustomTermEndDates selects the dates on which the first term of a purchase can end.
func (c *SubscriptionsClient) CustomTermEndDates() *CustomTermEndDatesClient {
	return &CustomTermEndDatesClient{c.name("customtermenddates")}
}

// Overage selects whether calls are paid by use.
func (c *SubscriptionsClient) Overage() *OverageClient { return &OverageClient{c.name("overage")} }

// ByID selects a subscription.
func (c *SubscriptionsClient) ByID(id string) *SubscriptionClient {
	subscription := c.id("subscription id", id)
	return &SubscriptionClient{
		AddOns:             &AddOnsClient{subscription.name("addons")},
		ProvisioningStatus: &SubscriptionProvisioningStatusClient{subscription.name("provisioningstatus")},
		Registrations:      &RegistrationsClient{subscription.name("registrations")},
		RegistrationStatus: &RegistrationStatusClient{subscription.name("registrationstatus")},
		ActivationLinks:    &ActivationLinksClient{subscription.name("activationlinks")},

		TransitionEligibilities: &TransitionEligibilitiesClient{subscription.name("transitioneligibilities")},
		Transitions:             &TransitionsClient{subscription.name("transitions")},
		Upgrades:                &UpgradesClient{subscription.name("upgrades")},
		Conversions:             &ConversionsClient{subscription.name("conversions")},
		SupportContact:          &SupportContactClient{subscription.name("supportcontact")},
		AzureEntitlements:       &AzureEntitlementsClient{subscription.name("azureentitlements")},

		resource: subscription,
	}
}

// SubscriptionListClient accesses the subscriptions of an order or of an indirect
// reseller. Get one from [SubscriptionsClient.ByOrder] or [SubscriptionsClient.ByPartner];
// the service does not combine the two.
type SubscriptionListClient struct{ resource }

// Get returns the subscriptions. The error is as for [SubscriptionsClient.Get].
func (c *SubscriptionListClient) Get(ctx context.Context) (*Collection[*Subscription], error) {
	return readList[Subscription](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *SubscriptionListClient) All(ctx context.Context) iter.Seq2[*Subscription, error] {
	return readAll[Subscription](ctx, c.resource)
}

// SubscriptionClient accesses a subscription of a customer. Get one from
// [SubscriptionsClient.ByID].
type SubscriptionClient struct {
	// AddOns are the subscription's add-ons.
	AddOns *AddOnsClient
	// ProvisioningStatus is the subscription's provisioning status.
	ProvisioningStatus *SubscriptionProvisioningStatusClient
	// Registrations registers an Azure subscription for reservations.
	Registrations *RegistrationsClient
	// RegistrationStatus is the status of the registration.
	RegistrationStatus *RegistrationStatusClient
	// ActivationLinks are links to the page for activating a marketplace purchase.
	ActivationLinks *ActivationLinksClient

	// TransitionEligibilities are what a subscription in new commerce can become.
	TransitionEligibilities *TransitionEligibilitiesClient
	// Transitions move its seats to another catalog item.
	Transitions *TransitionsClient
	// Upgrades move the seats of a legacy offer to another one.
	Upgrades *UpgradesClient
	// Conversions make a paid subscription of a trial of a legacy offer.
	Conversions *ConversionsClient
	// SupportContact is who supports the customer.
	SupportContact *SupportContactClient
	// AzureEntitlements are the Azure subscriptions of an Azure plan.
	AzureEntitlements *AzureEntitlementsClient

	resource
}

// Get returns the subscription.
//
// The error is an [*Error] with status 404 and code 20003 for an unknown
// subscription. Errors about the customer are those of [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-subscription-by-id
func (c *SubscriptionClient) Get(ctx context.Context) (*Subscription, error) {
	return read[Subscription](ctx, c.resource)
}

// Patch sends a subscription as it is, and returns its new state. Prefer
// [SubscriptionClient.Change], which leaves nothing out.
//
// In new commerce a PATCH turns off what it leaves out: one without AutoRenewEnabled ends
// the renewal, and one without ScheduledNextTermInstructions, NextChargeInstructions or
// ScheduledActions removes them. So send all of a subscription that was read, with another
// Quantity, Status, FriendlyName or AutoRenewEnabled, or another schedule: status suspended
// suspends, active reactivates, deleted cancels a marketplace subscription, or one of new
// commerce or to software, within a week, and an Azure plan without an active Azure
// subscription at any time. A longer TermDuration begins at once, with BillingCycle, and
// removes what is scheduled. The service may accept a change and apply it later (202); Patch
// then returns the current state.
//
// The subscription's etag is sent unchanged. If it is stale the error is an
// [*Error] with status 400 and code 2055: read the subscription again before
// repeating the change. Other codes with status 400 are 2002 for a quantity out
// of range, 2001 and 800091 for a suspended subscription, 2011 for a deleted
// one, 800090 for a quantity that cannot decrease, 800093 for a subscription
// that cannot renew, 800121 and 800122 for a term that is not sold or shorter,
// 900267 for a next term that is shorter than the present one, 900268 to 900270
// for one that is not sold, 900279 and 900280 for a
// term that is over, 2054 for a billing cycle, which [OrderClient.Patch]
// changes; with status 409, 27009 for an add-on whose base is not active; with
// status 403, 900115 for an Azure plan with an active Azure subscription, and
// 800020 for an item that the subscription cannot become; and those of
// [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/change-the-quantity-of-a-subscription
// https://learn.microsoft.com/partner-center/developer/suspend-a-subscription
// https://learn.microsoft.com/partner-center/developer/reactivate-a-suspended-a-subscription
// https://learn.microsoft.com/partner-center/developer/update-the-nickname-for-a-subscription
// https://learn.microsoft.com/partner-center/developer/update-autorenew-for-an-azure-marketplace-subscription
// https://learn.microsoft.com/partner-center/developer/cancel-an-azure-marketplace-subscription
func (c *SubscriptionClient) Patch(ctx context.Context, subscription *Subscription, opts ...PatchOption) (*Subscription, error) {
	header, err := headerOf(opts, "IfMatch")
	if err != nil {
		return nil, err
	}
	changed, err := exchange[Subscription](ctx, c.resource, request{method: http.MethodPatch, header: header, in: subscription, later: true})
	if err == nil && changed.ID == "" {
		return c.Get(withoutRequestID(ctx))
	}
	return changed, err
}

// Activate activates a subscription to a marketplace product in a sandbox,
// where there is no publisher's page for it.
//
// The error is an [*Error] with status 400 and code 900127 outside a sandbox,
// 800041 for an active subscription, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/activate-sandbox-subscription-azure-marketplace-products
func (c *SubscriptionClient) Activate(ctx context.Context) (*SubscriptionActivationResult, error) {
	return exchange[SubscriptionActivationResult](ctx, c.name("activate"), request{method: http.MethodPost})
}

// AddOnsClient accesses the add-ons of a subscription. Get one from
// SubscriptionClient.AddOns.
type AddOnsClient struct{ resource }

// Get returns the add-ons, which are subscriptions themselves.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-add-ons-for-a-subscription
func (c *AddOnsClient) Get(ctx context.Context) (*Collection[*Subscription], error) {
	return readList[Subscription](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *AddOnsClient) All(ctx context.Context) iter.Seq2[*Subscription, error] {
	return readAll[Subscription](ctx, c.resource)
}

// SubscriptionProvisioningStatusClient accesses the provisioning status of a
// subscription. Get one from SubscriptionClient.ProvisioningStatus.
type SubscriptionProvisioningStatusClient struct{ resource }

// Get returns the provisioning status, which is pending while licences change.
// It requires a token with a user.
//
// The error is an [*Error] with status 404 and code 800007 for a subscription
// that is not provisioned, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-provisioning-status
func (c *SubscriptionProvisioningStatusClient) Get(ctx context.Context) (*SubscriptionProvisioningStatus, error) {
	return read[SubscriptionProvisioningStatus](ctx, c.resource)
}

// RegistrationsClient registers a subscription. Get one from
// SubscriptionClient.Registrations.
type RegistrationsClient struct{ resource }

// Create registers an Azure subscription, so that reservations can be bought
// for it. The service does so asynchronously. The returned link leads to the
// [SubscriptionRegistrationStatus]: pass it to [CustomerClient.Follow], or use
// SubscriptionClient.RegistrationStatus.
//
// The error is an [*Error] with status 400 and code 800011 if it is not an
// Azure subscription, 800012 if it is not active, and as for
// [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/register-a-subscription
func (c *RegistrationsClient) Create(ctx context.Context) (*Link, error) {
	header, err := c.call(ctx, request{method: http.MethodPost, status: http.StatusAccepted}, nil)
	if err != nil {
		return nil, err
	}
	return &Link{URI: header.Get("Location"), Method: http.MethodGet}, nil
}

// RegistrationStatusClient accesses the registration status of a subscription.
// Get one from SubscriptionClient.RegistrationStatus.
type RegistrationStatusClient struct{ resource }

// Get returns the registration status of the subscription.
//
// The error is as for [RegistrationsClient.Create].
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-registration-status
func (c *RegistrationStatusClient) Get(ctx context.Context) (*SubscriptionRegistrationStatus, error) {
	return read[SubscriptionRegistrationStatus](ctx, c.resource)
}

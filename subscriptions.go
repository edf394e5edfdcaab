package partnercenter

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Subscription is what a line of an order gives the customer, for a time.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources
type Subscription struct {
	ID string `json:"id,omitzero"` // GUID; compare without case
	// EntitlementID is the id of an Azure subscription.
	EntitlementID string `json:"entitlementId,omitzero"`
	OfferID       string `json:"offerId,omitzero"` // a legacy offer id or a catalog item id
	OfferName     string `json:"offerName,omitzero"`
	FriendlyName  string `json:"friendlyName,omitzero"` // the nickname; can be changed
	Quantity      *int   `json:"quantity,omitzero"`     // can be changed
	UnitType      string `json:"unitType,omitzero"`     // Licenses, License(s), Usage-based, none
	// ParentSubscriptionID is the base of an add-on.
	ParentSubscriptionID string `json:"parentSubscriptionId,omitzero"`
	CreationDate         Time   `json:"creationDate,omitzero"`
	EffectiveStartDate   Time   `json:"effectiveStartDate,omitzero"`
	// CommitmentEndDate is when the term ends; in year 9999 when it does not.
	CommitmentEndDate Time               `json:"commitmentEndDate,omitzero"`
	Status            SubscriptionStatus `json:"status,omitzero"`           // can be changed
	AutoRenewEnabled  *bool              `json:"autoRenewEnabled,omitzero"` // can be changed
	IsTrial           *bool              `json:"isTrial,omitzero"`
	BillingType       string             `json:"billingType,omitzero"` // none, usage, license
	// BillingCycle is changed through the order, with [OrderClient.Patch].
	BillingCycle         BillingCycleType `json:"billingCycle,omitzero"`
	HasPurchasableAddons *bool            `json:"hasPurchasableAddons,omitzero"`
	IsMicrosoftProduct   *bool            `json:"isMicrosoftProduct,omitzero"`
	PublisherName        string           `json:"publisherName,omitzero"`
	Actions              []string         `json:"actions,omitzero"` // edit, cancel
	// PartnerID is the MPN id of the indirect reseller. Some answers have the
	// empty text, which is not absence.
	PartnerID           *string        `json:"partnerId,omitzero"`
	SuspensionReasons   []string       `json:"suspensionReasons,omitzero"`
	ContractType        string         `json:"contractType,omitzero"` // subscription, productKey, redemptionCode
	RefundOptions       []RefundOption `json:"refundOptions,omitzero"`
	TermDuration        string         `json:"termDuration,omitzero"`        // P1M, P1Y, P3Y
	RenewalTermDuration string         `json:"renewalTermDuration,omitzero"` // of the term after this one
	// CancellationAllowedUntilDate is when the last seats stop being
	// refundable; newer commerce only.
	CancellationAllowedUntilDate Time               `json:"cancellationAllowedUntilDate,omitzero"`
	Links                        *SubscriptionLinks `json:"links,omitzero"`
	OrderID                      string             `json:"orderId,omitzero"`
	// RefundableQuantity tells how many seats can be given back until when;
	// newer commerce only.
	RefundableQuantity *RefundableQuantity `json:"refundableQuantity,omitzero"`
	Attributes         *ResourceAttributes `json:"attributes,omitzero"`
	Extra              jsontext.Value      `json:",embed"`
}

// SubscriptionStatus is the state of a subscription.
type SubscriptionStatus string

// The documented states. Expired and disabled came later; older clients do not
// know them.
const (
	SubscriptionNone      SubscriptionStatus = "none"
	SubscriptionActive    SubscriptionStatus = "active"
	SubscriptionSuspended SubscriptionStatus = "suspended"
	SubscriptionDeleted   SubscriptionStatus = "deleted"
	SubscriptionPending   SubscriptionStatus = "pending"
	SubscriptionExpired   SubscriptionStatus = "expired"
	SubscriptionDisabled  SubscriptionStatus = "disabled"
)

var subscriptionStatuses = []SubscriptionStatus{
	SubscriptionNone, SubscriptionActive, SubscriptionSuspended, SubscriptionDeleted,
	SubscriptionPending, SubscriptionExpired, SubscriptionDisabled,
}

// Normalize returns the constant that s spells, or s unchanged.
func (s SubscriptionStatus) Normalize() SubscriptionStatus {
	return normalize(s, subscriptionStatuses)
}

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *SubscriptionStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, s)
}

// RefundOption says what comes back when a subscription is cancelled in time.
type RefundOption struct {
	Type string `json:"type,omitzero"` // Full, Partial
	// ExpiresAt is when the option ends. Absent means never.
	ExpiresAt Time           `json:"expiresAt,omitzero"`
	Extra     jsontext.Value `json:",embed"`
}

// RefundableQuantity is how many of a subscription's seats can be given back.
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

// SubscriptionProvisioningStatus is how far the service has come with a
// subscription.
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-provisioning-status
type SubscriptionProvisioningStatus struct {
	SKUID      string              `json:"skuId,omitzero"`  // GUID
	Status     string              `json:"status,omitzero"` // success, pending, failed
	Quantity   *int                `json:"quantity,omitzero"`
	EndDate    Time                `json:"endDate,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// SubscriptionRegistrationStatus says whether an Azure subscription may be
// named when buying reservations.
//
// https://learn.microsoft.com/partner-center/developer/get-subscription-registration-status
type SubscriptionRegistrationStatus struct {
	SubscriptionID string              `json:"subscriptionId,omitzero"`
	Status         string              `json:"status,omitzero"` // registered, registering, notRegistered, in any case
	Attributes     *ResourceAttributes `json:"attributes,omitzero"`
	Extra          jsontext.Value      `json:",embed"`
}

// SubscriptionActivationResult is the answer to the activation of a sandbox
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
	return json.MarshalEncode(enc, plainSubscription(s))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (s *Subscription) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainSubscription)(s), decodeOptions)
}

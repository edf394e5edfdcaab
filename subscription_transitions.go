package partnercenter

import (
	"context"
	"iter"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// TransitionEligibility says whether a subscription in new commerce can become one to
// another catalog item: an upgrade, or what follows a trial.
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-transition-eligibilities
type TransitionEligibility struct {
	CatalogItemID string `json:"catalogItemId,omitzero"` // product:sku:availability
	OperationID   string `json:"operationId,omitzero"`   // GUID
	Title         string `json:"title,omitzero"`
	Description   string `json:"description,omitzero"`
	Quantity      *int   `json:"quantity,omitzero"` // how many seats at most
	// Eligibilities are those of the types of transitions to a new subscription.
	Eligibilities []TransitionTypeEligibility `json:"eligibilities,omitzero"`
	// SubscriptionEligibilities are those of the customer's subscriptions to the item,
	// which the seats can move into. They are empty for trials, and for what is
	// scheduled.
	SubscriptionEligibilities []TransitionSubscriptionEligibility `json:"subscriptionEligibilities,omitzero"`
	Extra                     jsontext.Value                      `json:",embed"`
}

// TransitionTypeEligibility says whether a type of transition is possible.
type TransitionTypeEligibility struct {
	IsEligible     *bool             `json:"isEligible,omitzero"`
	TransitionType TransitionType    `json:"transitionType,omitzero"`
	Errors         []TransitionError `json:"errors,omitzero"` // the reasons if it is not
	Extra          jsontext.Value    `json:",embed"`
}

// TransitionSubscriptionEligibility says whether a transition into a subscription is
// possible.
type TransitionSubscriptionEligibility struct {
	IsEligible               *bool            `json:"isEligible,omitzero"`
	SubscriptionID           string           `json:"subscriptionId,omitzero"`
	SubscriptionFriendlyName string           `json:"subscriptionFriendlyName,omitzero"`
	SubscriptionTermDuration string           `json:"subscriptionTermDuration,omitzero"`
	SubscriptionBillingCycle BillingCycleType `json:"subscriptionBillingCycle,omitzero"`
	// Errors are the reasons if it is not. Their codes are their own: 1 it is not
	// active, 2 it can still be cancelled, 3 its term is shorter, 4 it ends earlier.
	Errors []TransitionError `json:"errors,omitzero"`
	Extra  jsontext.Value    `json:",embed"`
}

// Transition moves seats of a subscription in new commerce to another catalog item.
//
// https://learn.microsoft.com/partner-center/developer/transition-a-subscription
type Transition struct {
	OperationID        string `json:"operationId,omitzero"`        // GUID; set by the service
	FromCatalogItemID  string `json:"fromCatalogItemId,omitzero"`  // set by the service
	FromSubscriptionID string `json:"fromSubscriptionId,omitzero"` // set by the service
	ToCatalogItemID    string `json:"toCatalogItemId,omitzero"`    // product:sku:availability
	// ToSubscriptionID is the subscription to move the seats into. In a request, empty
	// means a new one.
	ToSubscriptionID string           `json:"toSubscriptionId,omitzero"`
	Quantity         *int             `json:"quantity,omitzero"`
	TransitionType   TransitionType   `json:"transitionType,omitzero"`
	TermDuration     string           `json:"termDuration,omitzero"` // P1M, P1Y, P3Y
	BillingCycle     BillingCycleType `json:"billingCycle,omitzero"`
	PromotionID      string           `json:"promotionId,omitzero"` // product:sku:id
	// AttestationAccepted says, for a new subscription, that the customer has attested what
	// the SKU asks for; see [OrderLineItem]. Its page does not have it.
	AttestationAccepted *bool `json:"attestationAccepted,omitzero"`
	// Events are what happened so far, oldest first. Set by the service.
	Events     []TransitionEvent   `json:"events,omitzero"`
	Attributes *ResourceAttributes `json:"attributes,omitzero"`
	Extra      jsontext.Value      `json:",embed"`
}

// TransitionEvent is a step of a [Transition].
type TransitionEvent struct {
	Name      TransitionEventName   `json:"name,omitzero"`
	Status    TransitionEventStatus `json:"status,omitzero"`
	Timestamp Time                  `json:"timestamp,omitzero"`
	Errors    []TransitionError     `json:"errors,omitzero"`
	Extra     jsontext.Value        `json:",embed"`
}

// TransitionType says what moves with the seats of a [Transition].
type TransitionType string

// The documented types.
const (
	TransitionTypeOnly                TransitionType = "transition_only"                  // nothing else
	TransitionTypeWithLicenseTransfer TransitionType = "transition_with_license_transfer" // the users' licences
)

var transitionTypes = []TransitionType{TransitionTypeOnly, TransitionTypeWithLicenseTransfer}

// TransitionTypes returns the documented types.
func TransitionTypes() []TransitionType { return slices.Clone(transitionTypes) }

// Normalize returns the constant that t spells, or t unchanged.
func (t TransitionType) Normalize() TransitionType { return normalize(t, transitionTypes) }

// Known reports whether t spells a documented value.
func (t TransitionType) Known() bool { return isKnown(t, transitionTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *TransitionType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

// TransitionEventName names a step of a [Transition].
type TransitionEventName string

// The documented steps.
const (
	TransitionEventNameConversion          TransitionEventName = "Conversion"
	TransitionEventNameLicenseReassignment TransitionEventName = "LicenseReassignment"
)

var transitionEventNames = []TransitionEventName{TransitionEventNameConversion, TransitionEventNameLicenseReassignment}

// Normalize returns the constant that n spells, or n unchanged.
func (n TransitionEventName) Normalize() TransitionEventName {
	return normalize(n, transitionEventNames)
}

// Known reports whether n spells a documented value.
func (n TransitionEventName) Known() bool { return isKnown(n, transitionEventNames) }

// TransitionEventStatus is the state of a step of a [Transition].
type TransitionEventStatus string

// The documented states.
const (
	TransitionEventStatusStarted   TransitionEventStatus = "Started"
	TransitionEventStatusCompleted TransitionEventStatus = "Completed"
	TransitionEventStatusFailed    TransitionEventStatus = "Failed"
)

var transitionEventStatuses = []TransitionEventStatus{TransitionEventStatusStarted, TransitionEventStatusCompleted, TransitionEventStatusFailed}

// Normalize returns the constant that s spells, or s unchanged.
func (s TransitionEventStatus) Normalize() TransitionEventStatus {
	return normalize(s, transitionEventStatuses)
}

// Known reports whether s spells a documented value.
func (s TransitionEventStatus) Known() bool { return isKnown(s, transitionEventStatuses) }

// EligibilityType says when a transition is to take place.
type EligibilityType string

// The documented types.
const (
	EligibilityTypeImmediate EligibilityType = "immediate" // the default
	EligibilityTypeScheduled EligibilityType = "scheduled" // when the term ends
)

var eligibilityTypes = []EligibilityType{EligibilityTypeImmediate, EligibilityTypeScheduled}

// EligibilityTypes returns the documented types.
func EligibilityTypes() []EligibilityType { return slices.Clone(eligibilityTypes) }

// Normalize returns the constant that t spells, or t unchanged.
func (t EligibilityType) Normalize() EligibilityType { return normalize(t, eligibilityTypes) }

// Known reports whether t spells a documented value.
func (t EligibilityType) Known() bool { return isKnown(t, eligibilityTypes) }

// plainTransition is Transition without its methods.
type plainTransition Transition

// MarshalJSON implements [encoding/json.Marshaler].
func (t Transition) MarshalJSON() ([]byte, error) { return Marshal(plainTransition(t)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (t *Transition) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainTransition)(t)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (t Transition) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainTransition(t))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (t *Transition) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainTransition)(t))
}

// TransitionEligibilitiesClient accesses what a subscription in new commerce can become.
// Get one from SubscriptionClient.TransitionEligibilities.
type TransitionEligibilitiesClient struct{ resource }

// ByType limits the list to transitions at once, which is the default, or when the term
// ends.
func (c *TransitionEligibilitiesClient) ByType(t EligibilityType) *TransitionEligibilityListClient {
	return &TransitionEligibilityListClient{c.option(option{"eligibilityType", string(t.Normalize()), "eligibility type", "ByType"})}
}

// Get returns the catalog items that the subscription can become at once, also those
// that it cannot become for now. It is empty for a subscription without any.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-transition-eligibilities
func (c *TransitionEligibilitiesClient) Get(ctx context.Context) (*Collection[*TransitionEligibility], error) {
	return readList[TransitionEligibility](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *TransitionEligibilitiesClient) All(ctx context.Context) iter.Seq2[*TransitionEligibility, error] {
	return readAll[TransitionEligibility](ctx, c.resource)
}

// TransitionEligibilityListClient accesses what a subscription can become at a time. Get
// one from [TransitionEligibilitiesClient.ByType].
type TransitionEligibilityListClient struct{ resource }

// Get returns the list. The error is as for [TransitionEligibilitiesClient.Get].
func (c *TransitionEligibilityListClient) Get(ctx context.Context) (*Collection[*TransitionEligibility], error) {
	return readList[TransitionEligibility](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *TransitionEligibilityListClient) All(ctx context.Context) iter.Seq2[*TransitionEligibility, error] {
	return readAll[TransitionEligibility](ctx, c.resource)
}

// TransitionsClient accesses the transitions of a subscription. Get one from
// SubscriptionClient.Transitions.
type TransitionsClient struct{ resource }

// ByOperation limits the list to the transition with an operation id.
func (c *TransitionsClient) ByOperation(operationID string) *TransitionListClient {
	return &TransitionListClient{c.option(option{"operationId", operationID, "operation id", "ByOperation"})}
}

// Get returns the transitions of the subscription, oldest first, with what happened so
// far.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-transition-history
func (c *TransitionsClient) Get(ctx context.Context) (*Collection[*Transition], error) {
	return readList[Transition](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *TransitionsClient) All(ctx context.Context) iter.Seq2[*Transition, error] {
	return readAll[Transition](ctx, c.resource)
}

// Create moves seats of the subscription to another catalog item: to that of
// ToCatalogItemID, as many as Quantity, by TransitionType, and without ToSubscriptionID
// to a new subscription, for TermDuration and BillingCycle. With all its seats, the
// subscription ends. The service completes it later: see Events of Get.
//
// The error is an [*Error] with status 400 and code 900258 to 900261 or 900236 for a
// subscription that the seats cannot move into, 900267 to 900270 for a term or a billing
// cycle that is not possible, 2002 for more seats than there are, and with 403 and code
// 800020 for an item that the subscription cannot become; others are those of
// [OrdersClient.Create] and [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/transition-a-subscription
func (c *TransitionsClient) Create(ctx context.Context, transition *Transition) (*Transition, error) {
	return exchange[Transition](ctx, c.resource, request{method: http.MethodPost, in: transition})
}

// TransitionListClient accesses one of the transitions of a subscription, as a list. Get
// one from [TransitionsClient.ByOperation].
type TransitionListClient struct{ resource }

// Get returns the list. The error is as for [TransitionsClient.Get].
func (c *TransitionListClient) Get(ctx context.Context) (*Collection[*Transition], error) {
	return readList[Transition](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *TransitionListClient) All(ctx context.Context) iter.Seq2[*Transition, error] {
	return readAll[Transition](ctx, c.resource)
}

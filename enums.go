package partnercenter

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Enums are open: a value keeps the spelling it was read with, and unknown
// values survive a round trip. Normalize returns the constant for a spelling;
// compare normalized values.

// enumKey folds the spellings of one enum value together: OneTime, one_time,
// onetime and "One time".
func enumKey(s string) string { return ascii.ToLower(enumSeparators.Replace(s)) }

var enumSeparators = strings.NewReplacer("_", "", " ", "", "\t", "")

// normalize returns the constant among known that v spells, or v unchanged.
// Numbers, which some clients send, are indexes into known.
func normalize[T ~string](v T, known []T) T {
	key := enumKey(string(v))
	if n, err := strconv.ParseUint(key, 10, 8); err == nil && n < uint64(len(known)) {
		return known[n]
	}
	for _, k := range known {
		if enumKey(string(k)) == key {
			return k
		}
	}
	return v
}

// isKnown reports whether v spells one of known.
func isKnown[T ~string](v T, known []T) bool { return slices.Contains(known, normalize(v, known)) }

// BillingCycleType is how often an order is billed.
type BillingCycleType string

// The documented billing cycles. Triennial and biennial came with new
// commerce; older clients do not know them.
const (
	BillingCycleTypeUnknown   BillingCycleType = "unknown" // in requests: the default of the item
	BillingCycleTypeMonthly   BillingCycleType = "monthly"
	BillingCycleTypeAnnual    BillingCycleType = "annual"
	BillingCycleTypeNone      BillingCycleType = "none" // trials
	BillingCycleTypeOneTime   BillingCycleType = "one_time"
	BillingCycleTypeTriennial BillingCycleType = "triennial"
	BillingCycleTypeBiennial  BillingCycleType = "biennial"
)

// billingCycles are in the order of their documented numbers.
var billingCycles = []BillingCycleType{
	BillingCycleTypeUnknown, BillingCycleTypeMonthly, BillingCycleTypeAnnual, BillingCycleTypeNone,
	BillingCycleTypeOneTime, BillingCycleTypeTriennial, BillingCycleTypeBiennial,
}

// BillingCycleTypes returns the documented billing cycles in the order of their
// numbers.
func BillingCycleTypes() []BillingCycleType { return slices.Clone(billingCycles) }

// Normalize returns the constant that b spells: one_time for OneTime, oneTime,
// onetime and 4. It returns an unknown value unchanged.
func (b BillingCycleType) Normalize() BillingCycleType { return normalize(b, billingCycles) }

// Known reports whether b spells a documented billing cycle.
func (b BillingCycleType) Known() bool { return isKnown(b, billingCycles) }

// UnmarshalJSONFrom reads a string in any spelling, or the documented number.
func (b *BillingCycleType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, b)
}

// OrderStatus is the state of an order.
type OrderStatus string

// The documented order states, in the order of their numbers. Suspended and those after
// cancelled, but for the two of purchase orders, came in 2023; older clients do not know
// them.
const (
	OrderStatusUnknown          OrderStatus = "unknown"
	OrderStatusCompleted        OrderStatus = "completed"
	OrderStatusPending          OrderStatus = "pending"
	OrderStatusCancelled        OrderStatus = "cancelled"
	OrderStatusSuspended        OrderStatus = "suspended"
	OrderStatusPendingReview    OrderStatus = "pending_review" // documents may be asked for
	OrderStatusPendingPOUpload  OrderStatus = "pending_po_upload"
	OrderStatusPOUploadComplete OrderStatus = "po_upload_complete"
	OrderStatusPOReviewRejected OrderStatus = "po_review_rejected"
	OrderStatusPartialSuccess   OrderStatus = "partial_success" // some subscriptions failed
	OrderStatusError            OrderStatus = "error"
)

var orderStatuses = []OrderStatus{
	OrderStatusUnknown, OrderStatusCompleted, OrderStatusPending, OrderStatusCancelled, OrderStatusSuspended,
	OrderStatusPendingReview, OrderStatusPendingPOUpload, OrderStatusPOUploadComplete, OrderStatusPOReviewRejected,
	OrderStatusPartialSuccess, OrderStatusError,
}

// OrderStatuses returns the documented order states in the order of their numbers.
func OrderStatuses() []OrderStatus { return slices.Clone(orderStatuses) }

// Normalize returns the constant that s spells, or s unchanged.
func (s OrderStatus) Normalize() OrderStatus { return normalize(s, orderStatuses) }

// Known reports whether s spells a documented value.
func (s OrderStatus) Known() bool { return isKnown(s, orderStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *OrderStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, s) }

// OrderTransactionType says who placed an order.
type OrderTransactionType string

// The documented kinds of order. The service leaves system purchases and
// system billing out of lists unless asked with [IncludeSystemPurchases].
const (
	OrderTransactionTypeUserPurchase   OrderTransactionType = "UserPurchase"
	OrderTransactionTypeSystemPurchase OrderTransactionType = "SystemPurchase"
	OrderTransactionTypeSystemBilling  OrderTransactionType = "SystemBilling"
)

var orderTransactionTypes = []OrderTransactionType{
	OrderTransactionTypeUserPurchase, OrderTransactionTypeSystemPurchase, OrderTransactionTypeSystemBilling,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t OrderTransactionType) Normalize() OrderTransactionType {
	return normalize(t, orderTransactionTypes)
}

// Known reports whether t spells a documented value.
func (t OrderTransactionType) Known() bool { return isKnown(t, orderTransactionTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *OrderTransactionType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

// LineItemTransactionType says what happened to a line item.
type LineItemTransactionType string

// The documented transactions.
const (
	LineItemTransactionTypeNew            LineItemTransactionType = "New" // spelled new in tables of the documentation
	LineItemTransactionTypeRenew          LineItemTransactionType = "renew"
	LineItemTransactionTypeAddQuantity    LineItemTransactionType = "addQuantity"
	LineItemTransactionTypeRemoveQuantity LineItemTransactionType = "removeQuantity"
	LineItemTransactionTypeCancel         LineItemTransactionType = "cancel"
	LineItemTransactionTypeConvert        LineItemTransactionType = "convert"
	LineItemTransactionTypeCustomerCredit LineItemTransactionType = "customerCredit"
)

var lineItemTransactionTypes = []LineItemTransactionType{
	LineItemTransactionTypeNew, LineItemTransactionTypeRenew, LineItemTransactionTypeAddQuantity, LineItemTransactionTypeRemoveQuantity, LineItemTransactionTypeCancel, LineItemTransactionTypeConvert, LineItemTransactionTypeCustomerCredit,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t LineItemTransactionType) Normalize() LineItemTransactionType {
	return normalize(t, lineItemTransactionTypes)
}

// Known reports whether t spells a documented value.
func (t LineItemTransactionType) Known() bool { return isKnown(t, lineItemTransactionTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *LineItemTransactionType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

// RelationshipToPartner is a customer's relationship to the partner.
type RelationshipToPartner string

// The documented relationships. None ends the relationship; unknown says nothing about it.
const (
	RelationshipToPartnerUnknown          RelationshipToPartner = "unknown"
	RelationshipToPartnerReseller         RelationshipToPartner = "reseller"
	RelationshipToPartnerAdvisor          RelationshipToPartner = "advisor"
	RelationshipToPartnerSyndication      RelationshipToPartner = "syndication"
	RelationshipToPartnerMicrosoftSupport RelationshipToPartner = "microsoft_support"
	RelationshipToPartnerNone             RelationshipToPartner = "none"
)

var relationshipsToPartner = []RelationshipToPartner{
	RelationshipToPartnerUnknown, RelationshipToPartnerReseller, RelationshipToPartnerAdvisor, RelationshipToPartnerSyndication,
	RelationshipToPartnerMicrosoftSupport, RelationshipToPartnerNone,
}

// Normalize returns the constant that r spells, or r unchanged.
func (r RelationshipToPartner) Normalize() RelationshipToPartner {
	return normalize(r, relationshipsToPartner)
}

// Known reports whether r spells a documented value.
func (r RelationshipToPartner) Known() bool { return isKnown(r, relationshipsToPartner) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (r *RelationshipToPartner) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, r)
}

// ObjectType names the type of a resource in its attributes.
type ObjectType string

// The object types of the resources in this package.
const (
	ObjectTypeCollection             ObjectType = "Collection"
	ObjectTypeOrder                  ObjectType = "Order"
	ObjectTypeOrderLineItem          ObjectType = "OrderLineItem"
	ObjectTypeCart                   ObjectType = "Cart"
	ObjectTypeCustomer               ObjectType = "Customer"
	ObjectTypeCustomerCompanyProfile ObjectType = "CustomerCompanyProfile"
	ObjectTypeCustomerBillingProfile ObjectType = "CustomerBillingProfile"

	ObjectTypeOffer         ObjectType = "Offer"
	ObjectTypeOfferCategory ObjectType = "OfferCategory"

	ObjectTypeSubscription                   ObjectType = "Subscription"
	ObjectTypeSubscriptionProvisioningStatus ObjectType = "SubscriptionProvisioningStatus"
	ObjectTypeSubscriptionRegistrationStatus ObjectType = "SubscriptionRegistrationStatus"

	ObjectTypeTransition       ObjectType = "Transition"
	ObjectTypeUpgrade          ObjectType = "Upgrade"
	ObjectTypeUpgradeResult    ObjectType = "UpgradeResult"
	ObjectTypeConversion       ObjectType = "Conversion"
	ObjectTypeConversionResult ObjectType = "ConversionResult"
	ObjectTypeSupportContact   ObjectType = "SupportContact"
	ObjectTypeOverage          ObjectType = "Overage"
)

var objectTypes = []ObjectType{
	ObjectTypeCollection, ObjectTypeOrder, ObjectTypeOrderLineItem, ObjectTypeCart, ObjectTypeCustomer, ObjectTypeCustomerCompanyProfile,
	ObjectTypeCustomerBillingProfile, ObjectTypeOffer, ObjectTypeOfferCategory, ObjectTypeSubscription,
	ObjectTypeSubscriptionProvisioningStatus, ObjectTypeSubscriptionRegistrationStatus,
	ObjectTypeTransition, ObjectTypeUpgrade, ObjectTypeUpgradeResult, ObjectTypeConversion, ObjectTypeConversionResult,
	ObjectTypeSupportContact, ObjectTypeOverage,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t ObjectType) Normalize() ObjectType { return normalize(t, objectTypes) }

// Known reports whether t spells the type of a resource in this package.
func (t ObjectType) Known() bool { return isKnown(t, objectTypes) }

// SeekOperation is a movement in a collection that is paged by continuation
// token.
type SeekOperation string

// The documented seek operations.
const (
	SeekOperationNext      SeekOperation = "Next"
	SeekOperationPrevious  SeekOperation = "Previous"
	SeekOperationFirst     SeekOperation = "First"
	SeekOperationLast      SeekOperation = "Last"
	SeekOperationPageIndex SeekOperation = "PageIndex"
)

var seekOperations = []SeekOperation{SeekOperationNext, SeekOperationPrevious, SeekOperationFirst, SeekOperationLast, SeekOperationPageIndex}

// Normalize returns the constant that s spells, or s unchanged.
func (s SeekOperation) Normalize() SeekOperation { return normalize(s, seekOperations) }

// Known reports whether s spells a documented value.
func (s SeekOperation) Known() bool { return isKnown(s, seekOperations) }

// FilterOperator compares a field with a value in a [FieldFilter].
type FilterOperator string

// The documented operators. Customers are searched with FilterOperatorStartsWith.
const (
	FilterOperatorEquals              FilterOperator = "equals"
	FilterOperatorNotEquals           FilterOperator = "not_equals"
	FilterOperatorGreaterThan         FilterOperator = "greater_than"
	FilterOperatorGreaterThanOrEquals FilterOperator = "greater_than_or_equals"
	FilterOperatorLessThan            FilterOperator = "less_than"
	FilterOperatorLessThanOrEquals    FilterOperator = "less_than_or_equals"
	FilterOperatorSubstring           FilterOperator = "substring"
	FilterOperatorAnd                 FilterOperator = "and"
	FilterOperatorOr                  FilterOperator = "or"
	FilterOperatorStartsWith          FilterOperator = "starts_with"
	FilterOperatorNotStartsWith       FilterOperator = "not_starts_with"
)

var filterOperators = []FilterOperator{
	FilterOperatorEquals, FilterOperatorNotEquals, FilterOperatorGreaterThan, FilterOperatorGreaterThanOrEquals, FilterOperatorLessThan,
	FilterOperatorLessThanOrEquals, FilterOperatorSubstring, FilterOperatorAnd, FilterOperatorOr, FilterOperatorStartsWith, FilterOperatorNotStartsWith,
}

// Normalize returns the constant that o spells, or o unchanged.
func (o FilterOperator) Normalize() FilterOperator { return normalize(o, filterOperators) }

// Known reports whether o spells a documented value.
func (o FilterOperator) Known() bool { return isKnown(o, filterOperators) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (o *FilterOperator) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, o)
}

// CustomerSearchField is a field that customers can be searched by.
type CustomerSearchField string

// The documented search fields. The values of the last two are tenant ids.
const (
	CustomerSearchFieldCompanyName                   CustomerSearchField = "CompanyName"
	CustomerSearchFieldDomain                        CustomerSearchField = "Domain"
	CustomerSearchFieldIndirectReseller              CustomerSearchField = "IndirectReseller"
	CustomerSearchFieldIndirectCloudSolutionProvider CustomerSearchField = "IndirectCloudSolutionProvider"
)

var customerSearchFields = []CustomerSearchField{
	CustomerSearchFieldCompanyName, CustomerSearchFieldDomain,
	CustomerSearchFieldIndirectReseller, CustomerSearchFieldIndirectCloudSolutionProvider,
}

// Normalize returns the constant that f spells, or f unchanged.
func (f CustomerSearchField) Normalize() CustomerSearchField {
	return normalize(f, customerSearchFields)
}

// Known reports whether f spells a documented value.
func (f CustomerSearchField) Known() bool { return isKnown(f, customerSearchFields) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (f *CustomerSearchField) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, f)
}

// FulfillmentStatus is the state of a line item, or of part of its quantity.
type FulfillmentStatus string

// The documented states.
const (
	FulfillmentStatusFulfilled             FulfillmentStatus = "Fulfilled"
	FulfillmentStatusUnfulfilled           FulfillmentStatus = "Unfulfilled"
	FulfillmentStatusPrefulfillmentPending FulfillmentStatus = "PrefulfillmentPending"
)

var fulfillmentStatuses = []FulfillmentStatus{
	FulfillmentStatusFulfilled, FulfillmentStatusUnfulfilled, FulfillmentStatusPrefulfillmentPending,
}

// Normalize returns the constant that s spells, or s unchanged.
func (s FulfillmentStatus) Normalize() FulfillmentStatus { return normalize(s, fulfillmentStatuses) }

// Known reports whether s spells a documented value.
func (s FulfillmentStatus) Known() bool { return isKnown(s, fulfillmentStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *FulfillmentStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, s)
}

// ProvisioningStatus is the state of a subscription's provisioning.
type ProvisioningStatus string

// The documented states.
const (
	ProvisioningStatusNone    ProvisioningStatus = "none" // not set
	ProvisioningStatusSuccess ProvisioningStatus = "success"
	ProvisioningStatusPending ProvisioningStatus = "pending"
	ProvisioningStatusFailed  ProvisioningStatus = "failed"
)

var provisioningStatuses = []ProvisioningStatus{
	ProvisioningStatusNone, ProvisioningStatusSuccess, ProvisioningStatusPending, ProvisioningStatusFailed,
}

// Normalize returns the constant that s spells, or s unchanged.
func (s ProvisioningStatus) Normalize() ProvisioningStatus { return normalize(s, provisioningStatuses) }

// Known reports whether s spells a documented value.
func (s ProvisioningStatus) Known() bool { return isKnown(s, provisioningStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *ProvisioningStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, s)
}

// RegistrationStatus is the state of an Azure subscription's registration.
type RegistrationStatus string

// The documented states.
const (
	RegistrationStatusRegistered    RegistrationStatus = "registered"
	RegistrationStatusRegistering   RegistrationStatus = "registering"
	RegistrationStatusNotRegistered RegistrationStatus = "notRegistered"
)

var registrationStatuses = []RegistrationStatus{
	RegistrationStatusRegistered, RegistrationStatusRegistering, RegistrationStatusNotRegistered,
}

// Normalize returns the constant that s spells, or s unchanged.
func (s RegistrationStatus) Normalize() RegistrationStatus { return normalize(s, registrationStatuses) }

// Known reports whether s spells a documented value.
func (s RegistrationStatus) Known() bool { return isKnown(s, registrationStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *RegistrationStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, s)
}

// ContractType is the kind of contract that a subscription was bought under.
type ContractType string

// The documented contracts.
const (
	ContractTypeSubscription   ContractType = "subscription"
	ContractTypeProductKey     ContractType = "productKey"
	ContractTypeRedemptionCode ContractType = "redemptionCode"
)

var contractTypes = []ContractType{
	ContractTypeSubscription, ContractTypeProductKey, ContractTypeRedemptionCode,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t ContractType) Normalize() ContractType { return normalize(t, contractTypes) }

// Known reports whether t spells a documented value.
func (t ContractType) Known() bool { return isKnown(t, contractTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *ContractType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, t) }

// SubscriptionAction is an action that a subscription allows.
type SubscriptionAction string

// The documented actions.
const (
	SubscriptionActionEdit   SubscriptionAction = "edit"
	SubscriptionActionCancel SubscriptionAction = "cancel"
)

var subscriptionActions = []SubscriptionAction{
	SubscriptionActionEdit, SubscriptionActionCancel,
}

// Normalize returns the constant that a spells, or a unchanged.
func (a SubscriptionAction) Normalize() SubscriptionAction { return normalize(a, subscriptionActions) }

// Known reports whether a spells a documented value.
func (a SubscriptionAction) Known() bool { return isKnown(a, subscriptionActions) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (a *SubscriptionAction) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, a)
}

// ScheduleType says when a [ScheduledAction] happens.
type ScheduleType string

// The documented times.
const (
	ScheduleTypeTermEnd    ScheduleType = "TermEnd"
	ScheduleTypeCustomDate ScheduleType = "CustomDate"
)

var scheduleTypes = []ScheduleType{ScheduleTypeTermEnd, ScheduleTypeCustomDate}

// Normalize returns the constant that t spells, or t unchanged.
func (t ScheduleType) Normalize() ScheduleType { return normalize(t, scheduleTypes) }

// Known reports whether t spells a documented value.
func (t ScheduleType) Known() bool { return isKnown(t, scheduleTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *ScheduleType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, t) }

// ScheduledActionType says what a [ScheduledAction] does.
type ScheduledActionType string

// The documented actions.
const (
	ScheduledActionTypeCancel        ScheduledActionType = "Cancel"
	ScheduledActionTypeRenew         ScheduledActionType = "RenewToNewTerm"
	ScheduledActionTypeRenewExtended ScheduledActionType = "RenewToExtendedServiceTerm"
	ScheduledActionTypeTransition    ScheduledActionType = "Transition"
)

var scheduledActionTypes = []ScheduledActionType{
	ScheduledActionTypeCancel, ScheduledActionTypeRenew, ScheduledActionTypeRenewExtended, ScheduledActionTypeTransition,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t ScheduledActionType) Normalize() ScheduledActionType {
	return normalize(t, scheduledActionTypes)
}

// Known reports whether t spells a documented value.
func (t ScheduledActionType) Known() bool { return isKnown(t, scheduledActionTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *ScheduledActionType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

// RefundType says how much of a cancelled subscription is refunded.
type RefundType string

// The documented refunds.
const (
	RefundTypeFull    RefundType = "Full"
	RefundTypePartial RefundType = "Partial"
)

var refundTypes = []RefundType{
	RefundTypeFull, RefundTypePartial,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t RefundType) Normalize() RefundType { return normalize(t, refundTypes) }

// Known reports whether t spells a documented value.
func (t RefundType) Known() bool { return isKnown(t, refundTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *RefundType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, t) }

// AttachmentType is the kind of a file attached to an order.
type AttachmentType string

// The documented types.
const (
	AttachmentTypePurchaseOrder AttachmentType = "POAttachment"
	AttachmentTypeTender        AttachmentType = "TenderAttachment"
)

var attachmentTypes = []AttachmentType{
	AttachmentTypePurchaseOrder, AttachmentTypeTender,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t AttachmentType) Normalize() AttachmentType { return normalize(t, attachmentTypes) }

// Known reports whether t spells a documented value.
func (t AttachmentType) Known() bool { return isKnown(t, attachmentTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *AttachmentType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, t) }

// PartnerRelationshipType is what a partner is to another one.
type PartnerRelationshipType string

// The documented relationships.
const (
	PartnerRelationshipTypeIsIndirectResellerOf              PartnerRelationshipType = "is_indirect_reseller_of"
	PartnerRelationshipTypeIsIndirectCloudSolutionProviderOf PartnerRelationshipType = "is_indirect_cloud_solution_provider_of"
)

var partnerRelationshipTypes = []PartnerRelationshipType{
	PartnerRelationshipTypeIsIndirectResellerOf, PartnerRelationshipTypeIsIndirectCloudSolutionProviderOf,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t PartnerRelationshipType) Normalize() PartnerRelationshipType {
	return normalize(t, partnerRelationshipTypes)
}

// Known reports whether t spells a documented value.
func (t PartnerRelationshipType) Known() bool { return isKnown(t, partnerRelationshipTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *PartnerRelationshipType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

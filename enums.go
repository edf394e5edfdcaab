package partnercenter

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The enums below are open: a value keeps the spelling it was read with,
// unknown values survive a round trip, and Normalize gives the constant that a
// spelling stands for. Compare normalized values.

// enumKey folds the spellings of one enum value together: OneTime, one_time
// and onetime.
func enumKey(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "_", ""))
}

// normalize returns the constant among known that v spells, or v unchanged.
// Numbers, which some writers send, index known.
func normalize[T ~string](v T, known []T) T {
	key := enumKey(string(v))
	if len(key) == 1 && key[0] >= '0' && key[0] <= '9' && int(key[0]-'0') < len(known) {
		return known[key[0]-'0']
	}
	for _, k := range known {
		if enumKey(string(k)) == key {
			return k
		}
	}
	return v
}

// BillingCycleType is how often an order is billed.
type BillingCycleType string

// The documented billing cycles. Triennial and biennial came with new
// commerce; older clients do not know them.
const (
	BillingCycleUnknown   BillingCycleType = "unknown" // in requests: the default of the item
	BillingCycleMonthly   BillingCycleType = "monthly"
	BillingCycleAnnual    BillingCycleType = "annual"
	BillingCycleNone      BillingCycleType = "none" // trials
	BillingCycleOneTime   BillingCycleType = "one_time"
	BillingCycleTriennial BillingCycleType = "triennial"
	BillingCycleBiennial  BillingCycleType = "biennial"
)

// billingCycles stand in the order of their documented numbers.
var billingCycles = []BillingCycleType{
	BillingCycleUnknown, BillingCycleMonthly, BillingCycleAnnual, BillingCycleNone,
	BillingCycleOneTime, BillingCycleTriennial, BillingCycleBiennial,
}

// BillingCycles returns the documented billing cycles in the order of their
// numbers.
func BillingCycles() []BillingCycleType { return append([]BillingCycleType(nil), billingCycles...) }

// Normalize returns the constant that b spells: one_time for OneTime, oneTime,
// onetime and 4. It returns an unknown value unchanged.
func (b BillingCycleType) Normalize() BillingCycleType { return normalize(b, billingCycles) }

// Known reports whether b spells a documented billing cycle.
func (b BillingCycleType) Known() bool { return slices.Contains(billingCycles, b.Normalize()) }

// UnmarshalJSONFrom reads a string in any spelling, or the documented number.
func (b *BillingCycleType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, b)
}

// OrderStatus is the state of an order.
type OrderStatus string

// The documented order states.
const (
	OrderStatusUnknown          OrderStatus = "unknown"
	OrderStatusCompleted        OrderStatus = "completed"
	OrderStatusPending          OrderStatus = "pending"
	OrderStatusCancelled        OrderStatus = "cancelled"
	OrderStatusPendingPOUpload  OrderStatus = "pending_po_upload"
	OrderStatusPOUploadComplete OrderStatus = "po_upload_complete"
)

var orderStatuses = []OrderStatus{
	OrderStatusUnknown, OrderStatusCompleted, OrderStatusPending, OrderStatusCancelled,
	OrderStatusPendingPOUpload, OrderStatusPOUploadComplete,
}

// Normalize returns the constant that s spells, or s unchanged.
func (s OrderStatus) Normalize() OrderStatus { return normalize(s, orderStatuses) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (s *OrderStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, s) }

// OrderTransactionType says who placed an order.
type OrderTransactionType string

// The documented kinds of order. The service leaves system purchases and
// system billing out of lists unless asked with [IncludeSystemPurchases].
const (
	OrderTransactionUserPurchase   OrderTransactionType = "UserPurchase"
	OrderTransactionSystemPurchase OrderTransactionType = "SystemPurchase"
	OrderTransactionSystemBilling  OrderTransactionType = "SystemBilling"
)

var orderTransactionTypes = []OrderTransactionType{
	OrderTransactionUserPurchase, OrderTransactionSystemPurchase, OrderTransactionSystemBilling,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t OrderTransactionType) Normalize() OrderTransactionType {
	return normalize(t, orderTransactionTypes)
}

// LineItemTransactionType says what a line item did: "New", "renew",
// "addQuantity", "removeQuantity", "cancel", "convert" or "customerCredit".
// The service's samples write "New" where its tables say "new"; compare
// without regard to case.
type LineItemTransactionType string

// RelationshipToPartner is a customer's relationship to the partner.
type RelationshipToPartner string

// The documented relationships.
const (
	RelationshipNone             RelationshipToPartner = "none"
	RelationshipReseller         RelationshipToPartner = "reseller"
	RelationshipAdvisor          RelationshipToPartner = "advisor"
	RelationshipSyndication      RelationshipToPartner = "syndication"
	RelationshipMicrosoftSupport RelationshipToPartner = "microsoft_support"
)

// ObjectType names the type of a resource in its attributes.
type ObjectType string

// The object types of the resources in this package.
const (
	ObjectTypeCollection             ObjectType = "Collection"
	ObjectTypeOrder                  ObjectType = "Order"
	ObjectTypeOrderLineItem          ObjectType = "OrderLineItem"
	ObjectTypeCustomer               ObjectType = "Customer"
	ObjectTypeCustomerCompanyProfile ObjectType = "CustomerCompanyProfile"
	ObjectTypeCustomerBillingProfile ObjectType = "CustomerBillingProfile"

	ObjectTypeOffer         ObjectType = "Offer"
	ObjectTypeOfferCategory ObjectType = "OfferCategory"

	ObjectTypeSubscription                   ObjectType = "Subscription"
	ObjectTypeSubscriptionProvisioningStatus ObjectType = "SubscriptionProvisioningStatus"
	ObjectTypeSubscriptionRegistrationStatus ObjectType = "SubscriptionRegistrationStatus"
)

// SeekOperation moves through a collection that is paged by continuation
// token.
type SeekOperation string

// The documented seek operations.
const (
	SeekNext      SeekOperation = "Next"
	SeekPrevious  SeekOperation = "Previous"
	SeekFirst     SeekOperation = "First"
	SeekLast      SeekOperation = "Last"
	SeekPageIndex SeekOperation = "PageIndex"
)

var seekOperations = []SeekOperation{SeekNext, SeekPrevious, SeekFirst, SeekLast, SeekPageIndex}

// Normalize returns the constant that s spells, or s unchanged.
func (s SeekOperation) Normalize() SeekOperation { return normalize(s, seekOperations) }

// FilterOperator compares a field with a value in a [FieldFilter].
type FilterOperator string

// The documented operators. Customers are searched with FilterStartsWith.
const (
	FilterEquals              FilterOperator = "equals"
	FilterNotEquals           FilterOperator = "not_equals"
	FilterGreaterThan         FilterOperator = "greater_than"
	FilterGreaterThanOrEquals FilterOperator = "greater_than_or_equals"
	FilterLessThan            FilterOperator = "less_than"
	FilterLessThanOrEquals    FilterOperator = "less_than_or_equals"
	FilterSubstring           FilterOperator = "substring"
	FilterAnd                 FilterOperator = "and"
	FilterOr                  FilterOperator = "or"
	FilterStartsWith          FilterOperator = "starts_with"
	FilterNotStartsWith       FilterOperator = "not_starts_with"
)

var filterOperators = []FilterOperator{
	FilterEquals, FilterNotEquals, FilterGreaterThan, FilterGreaterThanOrEquals, FilterLessThan,
	FilterLessThanOrEquals, FilterSubstring, FilterAnd, FilterOr, FilterStartsWith, FilterNotStartsWith,
}

// Normalize returns the constant that o spells, or o unchanged.
func (o FilterOperator) Normalize() FilterOperator { return normalize(o, filterOperators) }

// CustomerSearchField is a field that customers can be searched by.
type CustomerSearchField string

// The documented search fields. The values of the last two are tenant ids.
const (
	CustomerSearchCompanyName                   CustomerSearchField = "CompanyName"
	CustomerSearchDomain                        CustomerSearchField = "Domain"
	CustomerSearchIndirectReseller              CustomerSearchField = "IndirectReseller"
	CustomerSearchIndirectCloudSolutionProvider CustomerSearchField = "IndirectCloudSolutionProvider"
)

var customerSearchFields = []CustomerSearchField{
	CustomerSearchCompanyName, CustomerSearchDomain,
	CustomerSearchIndirectReseller, CustomerSearchIndirectCloudSolutionProvider,
}

// Normalize returns the constant that f spells, or f unchanged.
func (f CustomerSearchField) Normalize() CustomerSearchField {
	return normalize(f, customerSearchFields)
}

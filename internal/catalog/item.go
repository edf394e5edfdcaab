package catalog

import (
	"errors"
	"slices"

	"github.com/partnercenter-go/partnercenter"
)

// Kind is what a line of an order buys. It decides which rules hold: how an
// order's id looks, whether a line has a subscription, who may cancel it.
type Kind string

// The kinds of items. The first two are legacy offers, the others catalog
// items (product:sku:availability).
const (
	License              Kind = "license"               // legacy: seats of an online service
	Usage                Kind = "usage"                 // legacy: Azure, billed by use
	OnlineService        Kind = "online_service"        // new commerce: seats of an online service
	AzurePlan            Kind = "azure_plan"            // billed by use
	Reservation          Kind = "reservation"           // Azure capacity, paid once
	PerpetualSoftware    Kind = "perpetual_software"    // bought once, kept forever
	SoftwareSubscription Kind = "software_subscription" // for a term
	Marketplace          Kind = "marketplace"           // of a publisher other than Microsoft
)

// Legacy reports whether items of this kind are offers rather than catalog
// items.
func (k Kind) Legacy() bool { return k == License || k == Usage }

// Item is what one line of an order can buy in one country: a legacy offer, or
// the availability of a SKU. It is all that the rules of ordering look at. Who
// gets one must not change it.
type Item struct {
	ID    string // as the catalog spells it: an offer id or product:sku:availability
	Kind  Kind
	Title string // of the offer or SKU: the friendly name of a line that has none

	// Where the item stands in the catalog. Those of a legacy offer are the
	// id of its product and its own id; it has no availability.
	ProductID, SKUID, AvailabilityID string
	Country                          string // ISO 3166 alpha-2

	MinimumQuantity, MaximumQuantity int
	// Limit is how many subscriptions of the offer a customer may have; 0 for
	// any number.
	Limit int

	// BillingCycleTypes are those that the item can be bought with, normalized; the
	// first one is the default.
	BillingCycles []partnercenter.BillingCycleType
	// Terms are the durations that the item can be bought for, such as P1Y;
	// the first one is the default. Perpetual software has the one term "",
	// legacy offers have none.
	Terms []string

	Trial         bool
	AutoRenewable bool
	// Purchasable is false for items that are listed but not sold.
	Purchasable bool
	// Retired is true for items that were sold once and are listed no more.
	Retired bool

	AddOn     bool
	HasAddOns bool
	// Prerequisites are the items that an add-on is bought under: offer ids, or
	// product:sku of catalog items. Any one will do.
	Prerequisites []string

	// PurchasePrerequisites are the documented names of what must be done
	// before: InventoryCheck, AzureSubscriptionRegistration,
	// MicrosoftCustomerAgreement, MicrosoftCloudAgreement.
	PurchasePrerequisites []string
	// ProvisioningVariables are the keys that a line's provisioningContext
	// must have: Scope, SubscriptionId, Duration.
	ProvisioningVariables []string
	// NeedsPurchaseOrder says that an order waits for an attached purchase
	// order.
	NeedsPurchaseOrder bool
	// OutOfStock says that an inventory check finds the item restricted.
	OutOfStock bool

	Price          partnercenter.Decimal // for one, a billing cycle; "" when the catalog has none
	CurrencyCode   string                // of the country, ISO 4217
	CurrencySymbol string

	UnitType      string // Licenses, Usage-based, none
	BillingType   partnercenter.BillingType
	PublisherName string
	Microsoft     bool
	// SalesGroup names the offers that can be ordered together; "" is a group
	// too.
	SalesGroup string
}

// Needs reports whether a purchase prerequisite is asked for.
func (i *Item) Needs(prerequisite string) bool {
	return slices.Contains(i.PurchasePrerequisites, prerequisite)
}

// Why an id is no item that can be looked at in a country.
var (
	ErrUnknownOffer        = errors.New("no such offer")
	ErrUnknownProduct      = errors.New("no such product")
	ErrUnknownSKU          = errors.New("no such SKU of the product")
	ErrUnknownAvailability = errors.New("no such availability of the SKU")
	ErrNotInCountry        = errors.New("not available in the country")
)

package catalog

import (
	"errors"
	"slices"

	"github.com/partnercenter-go/partnercenter"
)

// Kind is the kind of item that a line of an order buys. It decides which rules apply:
// the form of an order's id, whether a line has a subscription, who may cancel it.
type Kind string

// The kinds of items. The first two are legacy offers, the others catalog items
// (product:sku:availability).
const (
	License              Kind = "license"               // legacy: seats of an online service
	Usage                Kind = "usage"                 // legacy: Azure, billed by use
	OnlineService        Kind = "online_service"        // new commerce: seats of an online service
	AzurePlan            Kind = "azure_plan"            // billed by usage
	Reservation          Kind = "reservation"           // Azure capacity, paid once
	SavingsPlan          Kind = "savings_plan"          // use of Azure, committed to by the hour
	PerpetualSoftware    Kind = "perpetual_software"    // bought once, kept forever
	SoftwareSubscription Kind = "software_subscription" // for a term
	Marketplace          Kind = "marketplace"           // of a publisher other than Microsoft
)

// Legacy reports whether items of this kind are offers, not catalog items.
func (k Kind) Legacy() bool { return k == License || k == Usage }

// Item is what one line of an order can buy in one country: a legacy offer, or the
// availability of a SKU. It has everything that the rules of ordering need. It must not
// be modified.
type Item struct {
	ID    string // as the catalog spells it: an offer id or product:sku:availability
	Kind  Kind
	Title string // of the offer or SKU: the default friendly name of a line

	// The position of the item in the catalog. A legacy offer has its product's id and
	// its own id, and no availability.
	ProductID, SKUID, AvailabilityID string
	Country                          string // ISO 3166 alpha-2

	MinimumQuantity, MaximumQuantity int
	// Limit is how many subscriptions of the offer a customer may have; 0 means any
	// number.
	Limit int

	// BillingCycles are those that the item can be bought with, normalized; the first
	// one is the default.
	BillingCycles []partnercenter.BillingCycleType
	// Terms are the durations that the item can be bought for, such as P1Y; the first
	// one is the default. Perpetual software has the one term "", legacy offers have
	// none.
	Terms []string

	Trial         bool
	AutoRenewable bool
	// Purchasable is false for items that are listed but not sold.
	Purchasable bool
	// Retired is true for items that were once sold and are no longer listed.
	Retired bool

	AddOn     bool
	HasAddOns bool
	// Prerequisites are the items that an add-on can be bought under: offer ids, or
	// product:sku of catalog items. Any one suffices.
	Prerequisites []string

	// UpgradeTargets are what a subscription can become while it runs: offer ids, or
	// product:sku of catalog items. ConversionTargets are what a trial of a legacy offer
	// can become. [Catalog.Targets] finds both.
	UpgradeTargets, ConversionTargets []string

	// PurchasePrerequisites are the documented names of what must be done before the
	// purchase: InventoryCheck, AzureSubscriptionRegistration,
	// MicrosoftCustomerAgreement, MicrosoftCloudAgreement.
	PurchasePrerequisites []string
	// ProvisioningVariables are the keys that a line's provisioningContext must have:
	// Scope, SubscriptionId, Duration. A savings plan's also depend on the scope.
	ProvisioningVariables []string
	// NeedsPurchaseOrder says that an order waits for an attached purchase order.
	NeedsPurchaseOrder bool
	// NeedsAttestation says that a line has to accept an attestation.
	NeedsAttestation bool
	// OutOfStock says that an inventory check finds the item restricted.
	OutOfStock bool

	Price          partnercenter.Decimal // per unit and billing cycle; "" if the catalog has none
	CurrencyCode   string                // of the country, ISO 4217
	CurrencySymbol string

	UnitType      string // Licenses, Usage-based, none
	BillingType   partnercenter.BillingType
	PublisherName string
	Microsoft     bool
	// SalesGroup groups the offers that can be ordered together; "" is a group, too.
	SalesGroup string
}

// Needs reports whether a purchase prerequisite is required.
func (i *Item) Needs(prerequisite string) bool {
	return slices.Contains(i.PurchasePrerequisites, prerequisite)
}

// The reasons why an item is not available in a country.
var (
	ErrUnknownOffer        = errors.New("no such offer")
	ErrUnknownProduct      = errors.New("no such product")
	ErrUnknownSKU          = errors.New("no such SKU of the product")
	ErrUnknownAvailability = errors.New("no such availability of the SKU")
	ErrNotInCountry        = errors.New("not available in the country")
)

package server

import (
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// Route is a method and a path of the API that this server serves.
type Route struct {
	// Operations share the method and the path. A call is refused for its cloud,
	// credential or role if all of them refuse it; what only some refuse is left to the
	// handler, which knows which one is meant.
	Operations []*partnercenter.Operation
	// Method and Pattern are the operations' own, unless the route is at another path.
	Method, Pattern string
	// Limit is how the call counts towards the vendor's limits.
	Limit Limit
	// Binary says that a success is not JSON, whatever the request accepts.
	Binary bool

	// takesTurns says that a read takes its turn itself, if it needs one.
	takesTurns bool
	handle     func(*Server, *call) error
}

// newRoute makes a route of an area's operations.
func newRoute(area string, limit Limit, handle func(*Server, *call) error, names ...string) Route {
	r := Route{Limit: limit, handle: handle}
	for _, name := range names {
		o := partnercenter.OperationNamed(area, name)
		if o == nil {
			panic("server: unknown operation " + area + " " + name)
		}
		r.Operations = append(r.Operations, o)
	}
	first := r.Operations[0]
	for _, o := range r.Operations {
		if o.Method != first.Method || o.Path != first.Path {
			panic("server: operations " + first.String() + " and " + o.String() + " do not share a route: they differ in method or path")
		}
	}
	r.Method, r.Pattern = first.Method, first.Path
	return r
}

// servedAt moves the route to a path that is not an operation's.
func (r Route) servedAt(pattern string) Route {
	r.Pattern = pattern
	return r
}

// withBinaryAnswer marks that a success is not JSON.
func (r Route) withBinaryAnswer() Route {
	r.Binary = true
	return r
}

// takingTurns marks a read that takes its turn itself, if it needs one.
func (r Route) takingTurns() Route {
	r.takesTurns = true
	return r
}

// ofCustomer reports whether the route is below a customer, whose id is its first
// parameter.
func (r *Route) ofCustomer() bool {
	return strings.HasPrefix(r.Pattern, "/v1/customers/{customer-tenant-id}")
}

// Routes returns the routes of the API that a server serves. The table of operations
// says what each requires.
func Routes() []Route {
	return []Route{
		newRoute("orders", orderRead, (*Server).listOrders, "list", "list-by-billing-type").takingTurns(),
		newRoute("orders", orderRead, (*Server).getOrder, "get"),
		newRoute("orders", orderWrite, (*Server).createOrder, "create", "create-for-indirect-reseller"),
		newRoute("orders", orderWrite, (*Server).patchOrder, "update-billing-cycle", "purchase-addon", "cancel-sandbox-order", "cancel-software-purchase"),
		newRoute("orders", orderRead, (*Server).getProvisioningStatus, "get-provisioning-status"),
		newRoute("orders", uncounted, (*Server).getOrderActivationLinks, "get-order-activation-links"),
		newRoute("orders", uncounted, (*Server).getLineActivationLinks, "get-lineitem-activation-links"),
		newRoute("orders", uncounted, (*Server).uploadAttachments, "upload-attachments"),
		newRoute("orders", uncounted, (*Server).listAttachments, "list-attachments"),
		newRoute("orders", uncounted, (*Server).downloadAttachment, "download-attachment").withBinaryAnswer().takingTurns(),

		newRoute("carts", orderWrite, (*Server).createCart, "create", "create-with-addons-new-base", "create-with-addons-existing-base"),
		newRoute("carts", uncounted, (*Server).getCart, "get"),
		newRoute("carts", orderWrite, (*Server).updateCart, "update"),
		newRoute("carts", orderWrite, (*Server).checkOutCart, "checkout"),

		newRoute("subscriptions", subscriptionRead, (*Server).listSubscriptions, "list", "list-by-order", "list-by-partner"),
		newRoute("subscriptions", subscriptionRead, (*Server).getSubscription, "get"),
		newRoute("subscriptions", subscriptionWrite, (*Server).patchSubscription, "update-quantity", "suspend", "reactivate", "update-autorenew", "update-nickname", "cancel"),
		newRoute("subscriptions", subscriptionRead, (*Server).listAddOns, "list-addons"),
		newRoute("subscriptions", subscriptionRead, (*Server).getSubscriptionProvisioning, "get-provisioning-status"),
		// Not an operation of its own: links of documented orders point here.
		newRoute("subscriptions", subscriptionRead, (*Server).getSubscriptionProvisioningWithoutCustomer, "get-provisioning-status").servedAt("/v1/subscriptions/{subscription-id}/provisioningstatus"),
		newRoute("subscriptions", subscriptionWrite, (*Server).registerSubscription, "register"),
		newRoute("subscriptions", subscriptionRead, (*Server).getRegistrationStatus, "get-registration-status"),
		newRoute("subscriptions", uncounted, (*Server).getSubscriptionActivationLinks, "get-activation-links"),
		newRoute("subscriptions", uncounted, (*Server).activateSubscription, "activate-sandbox"),
		newRoute("subscriptions", uncounted, (*Server).listTransitionEligibilities, "list-transition-eligibilities"),
		newRoute("subscriptions", uncounted, (*Server).listTransitions, "list-transitions"),
		newRoute("subscriptions", uncounted, (*Server).createTransition, "create-transition"),
		newRoute("subscriptions", subscriptionRead, (*Server).listUpgrades, "list-upgrades"),
		newRoute("subscriptions", subscriptionWrite, (*Server).createUpgrade, "upgrade"),
		newRoute("subscriptions", subscriptionRead, (*Server).listConversions, "list-conversions"),
		newRoute("subscriptions", subscriptionWrite, (*Server).createConversion, "convert-trial"),
		newRoute("subscriptions", uncounted, (*Server).getSupportContact, "get-support-contact"),
		newRoute("subscriptions", uncounted, (*Server).putSupportContact, "update-support-contact"),
		newRoute("subscriptions", subscriptionRead, (*Server).listAzureEntitlements, "list-azure-entitlements"),
		newRoute("subscriptions", uncounted, (*Server).getAzureEntitlement, "get-azure-entitlement"),
		newRoute("subscriptions", uncounted, (*Server).cancelAzureEntitlement, "cancel-azure-entitlement"),
		newRoute("subscriptions", uncounted, (*Server).reactivateAzureEntitlement, "reactivate-azure-entitlement"),
		newRoute("subscriptions", uncounted, (*Server).getOverage, "get-overage"),
		newRoute("subscriptions", uncounted, (*Server).putOverage, "set-overage"),
		newRoute("subscriptions", uncounted, (*Server).listCustomTermEndDates, "list-custom-term-end-dates"),
		newRoute("promotions", uncounted, inCountry((*Server).listPromotions), "list"),
		newRoute("promotions", uncounted, inCountry((*Server).getPromotion), "get"),
		newRoute("promotions", uncounted, (*Server).checkPromotions, "check-eligibilities"),
		newRoute("entitlements", uncounted, (*Server).listEntitlements, "list"),
		newRoute("subscriptions", uncounted, (*Server).listTransferEligibility, "list-transfer-eligibility"),

		newRoute("productupgrades", subscriptionWrite, (*Server).createProductUpgrade, "create"),
		newRoute("productupgrades", subscriptionRead, (*Server).checkProductUpgrade, "check-eligibility"),
		newRoute("productupgrades", subscriptionRead, (*Server).getProductUpgradeStatus, "get-status"),

		newRoute("customers", uncounted, (*Server).listCustomers, "list", "list-next-page", "search", "list-by-indirect-reseller"),
		newRoute("customers", customerRead, (*Server).getCustomer, "get"),
		newRoute("customers", uncounted, (*Server).getCompanyProfile, "get-company-profile"),
		newRoute("customers", uncounted, (*Server).getBillingProfile, "get-billing-profile"),

		newRoute("applicationconsents", uncounted, (*Server).createApplicationConsent, "create"),
		newRoute("applicationconsents", uncounted, (*Server).deleteApplicationConsent, "delete"),

		newRoute("catalog", uncounted, inCountry((*Server).listOffers), "list-offers"),
		newRoute("catalog", uncounted, inCountryOrOwn((*Server).getOffer), "get-offer"),
		newRoute("catalog", uncounted, inCountry((*Server).listOfferAddOns), "list-offer-addons"),
		newRoute("catalog", uncounted, inCountry((*Server).listOfferCategories), "list-offer-categories"),
		newRoute("catalog", uncounted, inCountry((*Server).listProducts), "list-products"),
		newRoute("catalog", uncounted, inCountryOrOwn((*Server).getProduct), "get-product"),
		newRoute("catalog", uncounted, inCountry((*Server).listSKUs), "list-skus"),
		newRoute("catalog", uncounted, inCountryOrOwn((*Server).getSKU), "get-sku"),
		newRoute("catalog", uncounted, inCountry((*Server).listAvailabilities), "list-availabilities"),
		newRoute("catalog", uncounted, inCountryOrOwn((*Server).getAvailability), "get-availability"),
		newRoute("catalog", uncounted, forCustomer((*Server).listOffers), "list-customer-offers"),
		newRoute("catalog", uncounted, forCustomer((*Server).listOfferCategories), "list-customer-offer-categories"),
		newRoute("catalog", uncounted, forCustomer((*Server).listProducts), "list-customer-products"),
		newRoute("catalog", uncounted, forCustomer((*Server).getProduct), "get-customer-product"),
		newRoute("catalog", uncounted, forCustomer((*Server).listSKUs), "list-customer-skus"),
		newRoute("catalog", uncounted, forCustomer((*Server).getSKU), "get-customer-sku"),
		newRoute("catalog", uncounted, forCustomer((*Server).listAvailabilities), "list-customer-availabilities"),
		newRoute("catalog", uncounted, forCustomer((*Server).getAvailability), "get-customer-availability"),
		newRoute("catalog", uncounted, inCountry((*Server).checkInventory), "check-inventory"),
	}
}

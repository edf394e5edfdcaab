package server

import (
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// Route is a method and a path of the API that this server answers.
type Route struct {
	// Operations are those that share the method and the path. A call is refused
	// for its cloud, credential or role when it is in vain for all of them; what
	// only some refuse is for the handler, which knows which one is meant.
	Operations []*partnercenter.Operation
	// Method and Pattern are the operations' own, unless the route is at another
	// path.
	Method, Pattern string
	// Limit is how the call counts towards the vendor's limits.
	Limit Limit
	// Binary says that a success is no JSON, whatever the request accepts.
	Binary bool

	handle func(*Server, *call) error
}

// serve makes a route of operations of an area.
func serve(area string, limit Limit, handle func(*Server, *call) error, names ...string) Route {
	r := Route{Limit: limit, handle: handle}
	for _, name := range names {
		o := partnercenter.OperationNamed(area, name)
		if o == nil {
			panic("server: there is no operation " + area + " " + name)
		}
		r.Operations = append(r.Operations, o)
	}
	first := r.Operations[0]
	for _, o := range r.Operations {
		if o.Method != first.Method || o.Path != first.Path {
			panic("server: operations " + first.String() + " and " + o.String() + " are no route: they differ in method or path")
		}
	}
	r.Method, r.Pattern = first.Method, first.Path
	return r
}

// at has the route served at a path that is no operation's.
func (r Route) at(pattern string) Route {
	r.Pattern = pattern
	return r
}

// binary says that a success is no JSON.
func (r Route) binary() Route {
	r.Binary = true
	return r
}

// ofCustomer reports whether the route is below a customer, whose id is then its
// first parameter.
func (r *Route) ofCustomer() bool {
	return strings.HasPrefix(r.Pattern, "/v1/customers/{customer-tenant-id}")
}

// Routes returns the calls of the API that a server answers. What each asks for
// is in the table of operations.
func Routes() []Route {
	return []Route{
		serve("orders", orderRead, (*Server).listOrders, "list", "list-by-billing-type"),
		serve("orders", orderRead, (*Server).getOrder, "get"),
		serve("orders", orderWrite, (*Server).createOrder, "create", "create-for-indirect-reseller"),
		serve("orders", orderWrite, (*Server).patchOrder, "update-billing-cycle", "purchase-addon", "cancel-sandbox-order", "cancel-software-purchase"),
		serve("orders", orderRead, (*Server).getProvisioningStatus, "get-provisioning-status"),
		serve("orders", uncounted, (*Server).getOrderActivationLinks, "get-order-activation-links"),
		serve("orders", uncounted, (*Server).getLineActivationLinks, "get-lineitem-activation-links"),
		serve("orders", uncounted, (*Server).uploadAttachments, "upload-attachments"),
		serve("orders", uncounted, (*Server).listAttachments, "list-attachments"),
		serve("orders", uncounted, (*Server).downloadAttachment, "download-attachment").binary(),

		serve("subscriptions", subscriptionRead, (*Server).listSubscriptions, "list", "list-by-order", "list-by-partner"),
		serve("subscriptions", subscriptionRead, (*Server).getSubscription, "get"),
		serve("subscriptions", subscriptionWrite, (*Server).patchSubscription, "update-quantity", "suspend", "reactivate", "update-autorenew", "update-nickname", "cancel"),
		serve("subscriptions", subscriptionRead, (*Server).listAddOns, "list-addons"),
		serve("subscriptions", subscriptionRead, (*Server).getSubscriptionProvisioning, "get-provisioning-status"),
		// No operation of its own: where links of documented orders lead.
		serve("subscriptions", subscriptionRead, (*Server).getStraySubscriptionProvisioning, "get-provisioning-status").at("/v1/subscriptions/{subscription-id}/provisioningstatus"),
		serve("subscriptions", subscriptionWrite, (*Server).registerSubscription, "register"),
		serve("subscriptions", subscriptionRead, (*Server).getRegistrationStatus, "get-registration-status"),
		serve("subscriptions", uncounted, (*Server).getSubscriptionActivationLinks, "get-activation-links"),
		serve("subscriptions", uncounted, (*Server).activateSubscription, "activate-sandbox"),

		serve("customers", uncounted, (*Server).listCustomers, "list", "list-next-page", "search", "list-by-indirect-reseller"),
		serve("customers", customerRead, (*Server).getCustomer, "get"),
		serve("customers", uncounted, (*Server).getCompanyProfile, "get-company-profile"),
		serve("customers", uncounted, (*Server).getBillingProfile, "get-billing-profile"),

		serve("applicationconsents", uncounted, (*Server).createApplicationConsent, "create"),
		serve("applicationconsents", uncounted, (*Server).deleteApplicationConsent, "delete"),

		serve("catalog", uncounted, inCountry((*Server).listOffers), "list-offers"),
		serve("catalog", uncounted, inCountryOrOwn((*Server).getOffer), "get-offer"),
		serve("catalog", uncounted, inCountry((*Server).listOfferAddOns), "list-offer-addons"),
		serve("catalog", uncounted, inCountry((*Server).listOfferCategories), "list-offer-categories"),
		serve("catalog", uncounted, inCountry((*Server).listProducts), "list-products"),
		serve("catalog", uncounted, inCountryOrOwn((*Server).getProduct), "get-product"),
		serve("catalog", uncounted, inCountry((*Server).listSKUs), "list-skus"),
		serve("catalog", uncounted, inCountryOrOwn((*Server).getSKU), "get-sku"),
		serve("catalog", uncounted, inCountry((*Server).listAvailabilities), "list-availabilities"),
		serve("catalog", uncounted, inCountryOrOwn((*Server).getAvailability), "get-availability"),
		serve("catalog", uncounted, forCustomer((*Server).listOffers), "list-customer-offers"),
		serve("catalog", uncounted, forCustomer((*Server).listOfferCategories), "list-customer-offer-categories"),
		serve("catalog", uncounted, forCustomer((*Server).listProducts), "list-customer-products"),
		serve("catalog", uncounted, forCustomer((*Server).getProduct), "get-customer-product"),
		serve("catalog", uncounted, forCustomer((*Server).listSKUs), "list-customer-skus"),
		serve("catalog", uncounted, forCustomer((*Server).getSKU), "get-customer-sku"),
		serve("catalog", uncounted, forCustomer((*Server).listAvailabilities), "list-customer-availabilities"),
		serve("catalog", uncounted, forCustomer((*Server).getAvailability), "get-customer-availability"),
		serve("catalog", uncounted, inCountry((*Server).checkInventory), "check-inventory"),
	}
}

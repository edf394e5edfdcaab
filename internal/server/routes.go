package server

import (
	"net/http"
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// Route is one call of the API.
type Route struct {
	// Area and Operations name what the route serves as the contract's list of
	// operations does: one path can serve several operations.
	Area       string
	Operations []string
	// SameAs names the operation of the area that a route without one of its own
	// is like.
	SameAs  string
	Method  string
	Pattern string
	// Limit is how the call counts towards the vendor's limits.
	Limit Limit
	// Binary says that a success is no JSON, whatever the request accepts.
	Binary bool

	asks   []*partnercenter.Operation // by resolve
	handle func(*Server, *call) error
}

// ofCustomer reports whether the route is below a customer, whose id is then its
// first parameter.
func (r *Route) ofCustomer() bool {
	return strings.HasPrefix(r.Pattern, "/v1/customers/{customer-tenant-id}")
}

// apiRoutes are all calls of the API that this server answers.
func apiRoutes() []Route {
	routes := routeTable()
	for i := range routes {
		routes[i].resolve()
	}
	return routes
}

func routeTable() []Route {
	return []Route{
		{
			Area: "orders", Operations: []string{"list", "list-by-billing-type"}, Limit: orderRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders", handle: (*Server).listOrders,
		},
		{
			Area: "orders", Operations: []string{"get"}, Limit: orderRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}", handle: (*Server).getOrder,
		},
		{
			Area: "orders", Operations: []string{"create", "create-for-indirect-reseller"}, Limit: orderWrite,
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/orders", handle: (*Server).createOrder,
		},
		{
			Area: "orders", Operations: []string{"update-billing-cycle", "purchase-addon", "cancel-sandbox-order", "cancel-software-purchase"}, Limit: orderWrite,
			Method: http.MethodPatch, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}", handle: (*Server).patchOrder,
		},
		{
			Area: "orders", Operations: []string{"get-provisioning-status"}, Limit: orderRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/provisioningstatus", handle: (*Server).getProvisioningStatus,
		},
		{
			Area: "orders", Operations: []string{"get-order-activation-links"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/activationlinks", handle: (*Server).getOrderActivationLinks,
		},
		{
			Area: "orders", Operations: []string{"get-lineitem-activation-links"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/lineitems/{line-item-number}/activationlinks", handle: (*Server).getLineActivationLinks,
		},
		{
			Area: "orders", Operations: []string{"upload-attachments"},
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/attachment", handle: (*Server).uploadAttachments,
		},
		{
			Area: "orders", Operations: []string{"list-attachments"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/attachments", handle: (*Server).listAttachments,
		},
		{
			Area: "orders", Operations: []string{"download-attachment"}, Binary: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}/attachment/{attachment-id}", handle: (*Server).downloadAttachment,
		},
		{
			Area: "subscriptions", Operations: []string{"list", "list-by-order", "list-by-partner"}, Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions", handle: (*Server).listSubscriptions,
		},
		{
			Area: "subscriptions", Operations: []string{"get"}, Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}", handle: (*Server).getSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"update-quantity", "suspend", "reactivate", "update-autorenew", "update-nickname", "cancel"}, Limit: subscriptionWrite,
			Method: http.MethodPatch, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}", handle: (*Server).patchSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"list-addons"}, Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/addons", handle: (*Server).listAddOns,
		},
		{
			Area: "subscriptions", Operations: []string{"get-provisioning-status"}, Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/provisioningstatus", handle: (*Server).getSubscriptionProvisioning,
		},
		{
			// No operation of its own: where links of documented orders lead.
			Area: "subscriptions", SameAs: "get-provisioning-status", Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/subscriptions/{subscription-id}/provisioningstatus", handle: (*Server).getStraySubscriptionProvisioning,
		},
		{
			Area: "subscriptions", Operations: []string{"register"}, Limit: subscriptionWrite,
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/registrations", handle: (*Server).registerSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"get-registration-status"}, Limit: subscriptionRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/registrationstatus", handle: (*Server).getRegistrationStatus,
		},
		{
			Area: "subscriptions", Operations: []string{"get-activation-links"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/activationlinks", handle: (*Server).getSubscriptionActivationLinks,
		},
		{
			Area: "subscriptions", Operations: []string{"activate-sandbox"},
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/activate", handle: (*Server).activateSubscription,
		},
		{
			Area: "customers", Operations: []string{"list", "list-next-page", "search", "list-by-indirect-reseller"},
			Method: http.MethodGet, Pattern: "/v1/customers", handle: (*Server).listCustomers,
		},
		{
			Area: "customers", Operations: []string{"get"}, Limit: customerRead,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}", handle: (*Server).getCustomer,
		},
		{
			Area: "customers", Operations: []string{"get-company-profile"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/profiles/company", handle: (*Server).getCompanyProfile,
		},
		{
			Area: "customers", Operations: []string{"get-billing-profile"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/profiles/billing", handle: (*Server).getBillingProfile,
		},
		{
			Area: "applicationconsents", SameAs: "create",
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/applicationconsents", handle: (*Server).createApplicationConsent,
		},
		{
			Area: "applicationconsents", SameAs: "delete",
			Method: http.MethodDelete, Pattern: "/v1/customers/{customer-tenant-id}/applicationconsents/{application-id}", handle: (*Server).deleteApplicationConsent,
		},
		catalogRoute("list-offers", "/offers", inCountry((*Server).listOffers)),
		catalogRoute("get-offer", "/offers/{offer-id}", inCountryOrOwn((*Server).getOffer)),
		catalogRoute("list-offer-addons", "/offers/{offer-id}/addons", inCountry((*Server).listOfferAddOns)),
		catalogRoute("list-offer-categories", "/offercategories", inCountry((*Server).listOfferCategories)),
		catalogRoute("list-products", "/products", inCountry((*Server).listProducts)),
		catalogRoute("get-product", "/products/{product-id}", inCountryOrOwn((*Server).getProduct)),
		catalogRoute("list-skus", "/products/{product-id}/skus", inCountry((*Server).listSKUs)),
		catalogRoute("get-sku", "/products/{product-id}/skus/{sku-id}", inCountryOrOwn((*Server).getSKU)),
		catalogRoute("list-availabilities", "/products/{product-id}/skus/{sku-id}/availabilities", inCountry((*Server).listAvailabilities)),
		catalogRoute("get-availability", "/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", inCountryOrOwn((*Server).getAvailability)),
		catalogRoute("list-customer-offers", customerPrefix+"/offers", forCustomer((*Server).listOffers)),
		catalogRoute("list-customer-offer-categories", customerPrefix+"/offercategories", forCustomer((*Server).listOfferCategories)),
		catalogRoute("list-customer-products", customerPrefix+"/products", forCustomer((*Server).listProducts)),
		catalogRoute("get-customer-product", customerPrefix+"/products/{product-id}", forCustomer((*Server).getProduct)),
		catalogRoute("list-customer-skus", customerPrefix+"/products/{product-id}/skus", forCustomer((*Server).listSKUs)),
		catalogRoute("get-customer-sku", customerPrefix+"/products/{product-id}/skus/{sku-id}", forCustomer((*Server).getSKU)),
		catalogRoute("list-customer-availabilities", customerPrefix+"/products/{product-id}/skus/{sku-id}/availabilities", forCustomer((*Server).listAvailabilities)),
		catalogRoute("get-customer-availability", customerPrefix+"/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", forCustomer((*Server).getAvailability)),
		{
			Area: "catalog", Operations: []string{"check-inventory"},
			Method: http.MethodPost, Pattern: "/v1/extensions/product/checkinventory", handle: inCountry((*Server).checkInventory),
		},
	}
}

const customerPrefix = "/customers/{customer-tenant-id}"

// catalogRoute is a call that reads the catalog.
func catalogRoute(operation, path string, handle func(*Server, *call) error) Route {
	return Route{
		Area: "catalog", Operations: []string{operation},
		Method: http.MethodGet, Pattern: "/v1" + path, handle: handle,
	}
}

// Routes returns the calls of the API that a server answers.
func Routes() []Route { return apiRoutes() }

package server

import "net/http"

// Route is one call of the API.
type Route struct {
	// Area and Operations name what the route serves as the contract's list of
	// operations does: one path can serve several operations.
	Area       string
	Operations []string
	Method     string
	Pattern    string
	// Throttled says that the vendor limits the call's rate.
	Throttled bool

	handle func(*Server, *call) error
}

// apiRoutes are all calls of the API that this server answers.
func apiRoutes() []Route {
	return []Route{
		{
			Area: "orders", Operations: []string{"list", "list-by-billing-type"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders", handle: (*Server).listOrders,
		},
		{
			Area: "orders", Operations: []string{"get"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}", handle: (*Server).getOrder,
		},
		{
			Area: "orders", Operations: []string{"create", "create-for-indirect-reseller"}, Throttled: true,
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/orders", handle: (*Server).createOrder,
		},
		{
			Area: "orders", Operations: []string{"update-billing-cycle", "purchase-addon", "cancel-sandbox-order", "cancel-software-purchase"}, Throttled: true,
			Method: http.MethodPatch, Pattern: "/v1/customers/{customer-tenant-id}/orders/{order-id}", handle: (*Server).patchOrder,
		},
		{
			Area: "orders", Operations: []string{"get-provisioning-status"}, Throttled: true,
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
			Area: "subscriptions", Operations: []string{"list", "list-by-order", "list-by-partner"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions", handle: (*Server).listSubscriptions,
		},
		{
			Area: "subscriptions", Operations: []string{"get"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}", handle: (*Server).getSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"update-quantity", "suspend", "reactivate", "update-autorenew", "update-nickname", "cancel"}, Throttled: true,
			Method: http.MethodPatch, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}", handle: (*Server).patchSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"list-addons"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/addons", handle: (*Server).listAddOns,
		},
		{
			Area: "subscriptions", Operations: []string{"get-provisioning-status"},
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/provisioningstatus", handle: (*Server).getSubscriptionProvisioning,
		},
		{
			// No operation of its own: where links of documented orders lead.
			Area: "subscriptions", Method: http.MethodGet, Pattern: "/v1/subscriptions/{subscription-id}/provisioningstatus", handle: (*Server).getStraySubscriptionProvisioning,
		},
		{
			Area: "subscriptions", Operations: []string{"register"}, Throttled: true,
			Method: http.MethodPost, Pattern: "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/registrations", handle: (*Server).registerSubscription,
		},
		{
			Area: "subscriptions", Operations: []string{"get-registration-status"}, Throttled: true,
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
			Area: "customers", Operations: []string{"get"}, Throttled: true,
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
	}
}

// Routes returns the calls of the API that a server answers.
func Routes() []Route { return apiRoutes() }

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
			Area: "customers", Operations: []string{"list", "list-next-page", "search", "list-by-indirect-reseller"},
			Method: http.MethodGet, Pattern: "/v1/customers", handle: (*Server).listCustomers,
		},
		{
			Area: "customers", Operations: []string{"get"}, Throttled: true,
			Method: http.MethodGet, Pattern: "/v1/customers/{customer-tenant-id}", handle: (*Server).getCustomer,
		},
	}
}

// Routes returns the calls of the API that a server answers.
func Routes() []Route { return apiRoutes() }

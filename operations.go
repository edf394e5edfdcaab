package partnercenter

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// CredentialKind says which kind of token a call takes.
type CredentialKind string

// The kinds of credentials, as the service's documentation calls them.
const (
	CredentialKindApp     CredentialKind = "app"      // an app-only token
	CredentialKindAppUser CredentialKind = "app+user" // a token with a signed-in user
	CredentialKindBoth    CredentialKind = "both"     // either
)

// UserRole is a role of a partner's user in Partner Center.
//
// https://learn.microsoft.com/partner-center/account-settings/permissions-overview
type UserRole string

// The roles that calls of this API require.
const (
	UserRoleGlobalAdmin   UserRole = "global_admin"
	UserRoleAdminAgent    UserRole = "admin_agent"
	UserRoleSalesAgent    UserRole = "sales_agent"
	UserRoleHelpdeskAgent UserRole = "helpdesk_agent"
)

var userRoles = []UserRole{UserRoleGlobalAdmin, UserRoleAdminAgent, UserRoleSalesAgent, UserRoleHelpdeskAgent}

// UserRoles returns all roles.
func UserRoles() []UserRole { return slices.Clone(userRoles) }

// Normalize returns the constant that r spells, or r unchanged.
func (r UserRole) Normalize() UserRole { return normalize(r, userRoles) }

// Known reports whether r spells a documented role.
func (r UserRole) Known() bool { return isKnown(r, userRoles) }

// Roles by what they may do. A global admin may do everything. If the
// documentation of roles differs from that of a call, or neither says, the
// stricter reading applies: a helpdesk agent reads customers and corrects their
// profiles, but does not sell or see prices.
var (
	everybody = userRoles
	sellers   = []UserRole{UserRoleGlobalAdmin, UserRoleAdminAgent, UserRoleSalesAgent}
	// Calls that act in the customer's tenant need delegated admin rights,
	// which sales agents do not have.
	delegated = []UserRole{UserRoleGlobalAdmin, UserRoleAdminAgent, UserRoleHelpdeskAgent}
	admins    = []UserRole{UserRoleGlobalAdmin, UserRoleAdminAgent}
)

// overlap reports whether the sets share a role. A server calls it for each
// request; with slices.ContainsFunc the roles would escape to the heap.
func overlap(roles, allowed []UserRole) bool {
	for _, r := range roles {
		if slices.Contains(allowed, r) {
			return true
		}
	}
	return false
}

// Operation is a documented call of the API and its requirements. Operations
// can share a method and a path; the body or the query then tells them apart.
type Operation struct {
	// Area and Name identify the operation, such as orders and create.
	Area, Name string
	// Method and Path are those of the request. Parameters of the path are
	// written as {name}.
	Method, Path string
	// Credential is the documented kind of token.
	Credential CredentialKind

	roles []UserRole
	notIn []CloudName
}

// String returns the area and the name, such as "orders create".
func (o *Operation) String() string { return o.Area + " " + o.Name }

// TakesApp reports whether the call takes an app-only token.
func (o *Operation) TakesApp() bool { return o.Credential != CredentialKindAppUser }

// TakesUser reports whether the call takes a token with a user.
func (o *Operation) TakesUser() bool { return o.Credential != CredentialKindApp }

// Roles returns the roles that allow the call; one suffices.
func (o *Operation) Roles() []UserRole { return slices.Clone(o.roles) }

// Allows reports whether the roles of a user allow the call.
func (o *Operation) Allows(roles ...UserRole) bool { return overlap(roles, o.roles) }

// OfferedIn reports whether the call is offered in a cloud. The cloud may still
// not sell some products; see [NotOfferedError].
func (o *Operation) OfferedIn(cloud CloudName) bool { return !slices.Contains(o.notIn, cloud) }

// Operations returns all documented calls in the order of the documentation,
// including those that this package does not implement.
func Operations() []Operation { return slices.Clone(operations) }

// OperationNamed returns the documented call with the area and name, or nil if
// there is none, for programs that ask beforehand what a call requires.
func OperationNamed(area, name string) *Operation {
	i := slices.IndexFunc(operations, func(o Operation) bool { return o.Area == area && o.Name == name })
	if i < 0 {
		return nil
	}
	o := operations[i]
	return &o
}

const (
	customerPattern     = "/v1/customers/{customer-tenant-id}"
	orderPattern        = customerPattern + "/orders/{order-id}"
	subscriptionPattern = customerPattern + "/subscriptions/{subscription-id}"
)

func op(area, name, method, path string, credential CredentialKind, roles []UserRole, notIn ...CloudName) Operation {
	return Operation{Area: area, Name: name, Method: method, Path: path, Credential: credential, roles: roles, notIn: notIn}
}

// operations are all documented calls, with the clouds that do not offer them.
// For products that a cloud does not sell, see notSold.
var operations = []Operation{
	op("orders", "list", http.MethodGet, customerPattern+"/orders", CredentialKindBoth, everybody),
	op("orders", "list-by-billing-type", http.MethodGet, customerPattern+"/orders", CredentialKindBoth, everybody),
	op("orders", "get", http.MethodGet, orderPattern, CredentialKindBoth, everybody),
	op("orders", "create", http.MethodPost, customerPattern+"/orders", CredentialKindBoth, sellers, CloudNameGermany),
	op("orders", "create-for-indirect-reseller", http.MethodPost, customerPattern+"/orders", CredentialKindAppUser, sellers, CloudNameGermany),
	op("orders", "update-billing-cycle", http.MethodPatch, orderPattern, CredentialKindBoth, sellers),
	op("orders", "purchase-addon", http.MethodPatch, orderPattern, CredentialKindBoth, sellers, CloudNameGermany),
	op("orders", "cancel-sandbox-order", http.MethodPatch, orderPattern, CredentialKindBoth, sellers),
	op("orders", "cancel-software-purchase", http.MethodPatch, orderPattern, CredentialKindBoth, sellers),
	op("orders", "get-provisioning-status", http.MethodGet, orderPattern+"/provisioningstatus", CredentialKindAppUser, everybody),
	op("orders", "get-lineitem-activation-links", http.MethodGet, orderPattern+"/lineitems/{line-item-number}/activationlinks", CredentialKindBoth, everybody),
	op("orders", "get-order-activation-links", http.MethodGet, orderPattern+"/activationlinks", CredentialKindBoth, everybody),
	op("orders", "upload-attachments", http.MethodPost, orderPattern+"/attachment", CredentialKindBoth, sellers),
	op("orders", "list-attachments", http.MethodGet, orderPattern+"/attachments", CredentialKindBoth, everybody),
	op("orders", "download-attachment", http.MethodGet, orderPattern+"/attachment/{attachment-id}", CredentialKindBoth, everybody),

	op("carts", "create", http.MethodPost, customerPattern+"/carts", CredentialKindBoth, sellers),
	op("carts", "create-with-addons-new-base", http.MethodPost, customerPattern+"/carts", CredentialKindBoth, sellers),
	op("carts", "create-with-addons-existing-base", http.MethodPost, customerPattern+"/carts", CredentialKindBoth, sellers),
	op("carts", "get", http.MethodGet, customerPattern+"/carts/{cart-id}", CredentialKindBoth, everybody),
	op("carts", "update", http.MethodPut, customerPattern+"/carts/{cart-id}", CredentialKindBoth, sellers),
	op("carts", "checkout", http.MethodPost, customerPattern+"/carts/{cart-id}/checkout", CredentialKindBoth, sellers),

	op("catalog", "list-offers", http.MethodGet, "/v1/offers", CredentialKindBoth, sellers),
	op("catalog", "get-offer", http.MethodGet, "/v1/offers/{offer-id}", CredentialKindBoth, sellers),
	op("catalog", "list-offer-addons", http.MethodGet, "/v1/offers/{offer-id}/addons", CredentialKindBoth, sellers),
	op("catalog", "list-offer-categories", http.MethodGet, "/v1/offercategories", CredentialKindBoth, sellers),
	op("catalog", "list-customer-offers", http.MethodGet, customerPattern+"/offers", CredentialKindBoth, sellers),
	op("catalog", "list-customer-offer-categories", http.MethodGet, customerPattern+"/offercategories", CredentialKindBoth, sellers),
	op("catalog", "list-products", http.MethodGet, "/v1/products", CredentialKindBoth, sellers),
	op("catalog", "get-product", http.MethodGet, "/v1/products/{product-id}", CredentialKindBoth, sellers),
	op("catalog", "list-skus", http.MethodGet, "/v1/products/{product-id}/skus", CredentialKindBoth, sellers),
	op("catalog", "get-sku", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}", CredentialKindBoth, sellers),
	op("catalog", "list-availabilities", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}/availabilities", CredentialKindBoth, sellers),
	op("catalog", "get-availability", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", CredentialKindBoth, sellers),
	op("catalog", "list-customer-products", http.MethodGet, customerPattern+"/products", CredentialKindBoth, sellers),
	op("catalog", "get-customer-product", http.MethodGet, customerPattern+"/products/{product-id}", CredentialKindBoth, sellers),
	op("catalog", "list-customer-skus", http.MethodGet, customerPattern+"/products/{product-id}/skus", CredentialKindBoth, sellers),
	op("catalog", "get-customer-sku", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}", CredentialKindBoth, sellers),
	op("catalog", "list-customer-availabilities", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}/availabilities", CredentialKindBoth, sellers),
	op("catalog", "get-customer-availability", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", CredentialKindBoth, sellers),
	op("catalog", "check-inventory", http.MethodPost, "/v1/extensions/product/checkinventory", CredentialKindBoth, sellers),

	op("subscriptions", "list", http.MethodGet, customerPattern+"/subscriptions", CredentialKindBoth, everybody),
	op("subscriptions", "list-by-order", http.MethodGet, customerPattern+"/subscriptions", CredentialKindBoth, everybody),
	op("subscriptions", "list-by-partner", http.MethodGet, customerPattern+"/subscriptions", CredentialKindBoth, everybody),
	op("subscriptions", "get", http.MethodGet, subscriptionPattern, CredentialKindBoth, everybody),
	op("subscriptions", "update-quantity", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "suspend", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "reactivate", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "update-autorenew", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "update-nickname", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "cancel", http.MethodPatch, subscriptionPattern, CredentialKindBoth, sellers),
	op("subscriptions", "list-addons", http.MethodGet, subscriptionPattern+"/addons", CredentialKindBoth, everybody),
	op("subscriptions", "get-provisioning-status", http.MethodGet, subscriptionPattern+"/provisioningstatus", CredentialKindAppUser, delegated),
	op("subscriptions", "register", http.MethodPost, subscriptionPattern+"/registrations", CredentialKindBoth, sellers, CloudName21Vianet, CloudNameGermany),
	op("subscriptions", "get-registration-status", http.MethodGet, subscriptionPattern+"/registrationstatus", CredentialKindBoth, everybody, CloudName21Vianet, CloudNameGermany),
	op("subscriptions", "list-upgrades", http.MethodGet, subscriptionPattern+"/upgrades", CredentialKindBoth, everybody),
	op("subscriptions", "upgrade", http.MethodPost, subscriptionPattern+"/upgrades", CredentialKindBoth, sellers),
	op("subscriptions", "list-transition-eligibilities", http.MethodGet, subscriptionPattern+"/transitioneligibilities", CredentialKindBoth, everybody),
	op("subscriptions", "list-transitions", http.MethodGet, subscriptionPattern+"/transitions", CredentialKindBoth, everybody),
	op("subscriptions", "create-transition", http.MethodPost, subscriptionPattern+"/transitions", CredentialKindBoth, sellers),
	op("subscriptions", "list-conversions", http.MethodGet, subscriptionPattern+"/conversions", CredentialKindAppUser, everybody),
	op("subscriptions", "convert-trial", http.MethodPost, subscriptionPattern+"/conversions", CredentialKindAppUser, sellers),
	op("subscriptions", "get-activation-links", http.MethodGet, subscriptionPattern+"/activationlinks", CredentialKindBoth, everybody),
	op("subscriptions", "activate-sandbox", http.MethodPost, subscriptionPattern+"/activate", CredentialKindBoth, sellers),
	op("subscriptions", "get-support-contact", http.MethodGet, subscriptionPattern+"/supportcontact", CredentialKindAppUser, everybody, CloudName21Vianet),
	op("subscriptions", "update-support-contact", http.MethodPut, subscriptionPattern+"/supportcontact", CredentialKindAppUser, sellers, CloudName21Vianet),
	op("subscriptions", "list-azure-entitlements", http.MethodGet, subscriptionPattern+"/azureentitlements", CredentialKindBoth, everybody, CloudName21Vianet),
	op("subscriptions", "list-transfer-eligibility", http.MethodGet, customerPattern+"/transferseligibility", CredentialKindBoth, everybody),

	op("productupgrades", "create", http.MethodPost, "/v1/productupgrades", CredentialKindAppUser, sellers, CloudName21Vianet),
	op("productupgrades", "check-eligibility", http.MethodPost, "/v1/productupgrades/eligibility", CredentialKindAppUser, sellers, CloudName21Vianet),
	op("productupgrades", "get-status", http.MethodPost, "/v1/productupgrades/{upgrade-id}/status", CredentialKindAppUser, sellers, CloudName21Vianet),

	op("customers", "list", http.MethodGet, "/v1/customers", CredentialKindBoth, everybody),
	op("customers", "list-next-page", http.MethodGet, "/v1/customers", CredentialKindBoth, everybody),
	op("customers", "search", http.MethodGet, "/v1/customers", CredentialKindBoth, everybody),
	op("customers", "list-by-indirect-reseller", http.MethodGet, "/v1/customers", CredentialKindAppUser, everybody),
	op("customers", "get", http.MethodGet, customerPattern, CredentialKindBoth, everybody),
	op("customers", "create", http.MethodPost, "/v1/customers", CredentialKindBoth, sellers, CloudNameGermany),
	op("customers", "create-for-indirect-reseller", http.MethodPost, "/v1/customers", CredentialKindAppUser, sellers, CloudNameGermany),
	op("customers", "delete-sandbox", http.MethodDelete, customerPattern, CredentialKindBoth, admins),
	op("customers", "remove-relationship", http.MethodPatch, customerPattern, CredentialKindAppUser, admins),
	op("customers", "get-company-profile", http.MethodGet, customerPattern+"/profiles/company", CredentialKindAppUser, everybody),
	op("customers", "get-billing-profile", http.MethodGet, customerPattern+"/profiles/billing", CredentialKindBoth, everybody),
	op("customers", "update-billing-profile", http.MethodPut, customerPattern+"/profiles/billing", CredentialKindBoth, everybody),
	op("customers", "get-relationship-request", http.MethodGet, "/v1/customers/relationshiprequests", CredentialKindAppUser, sellers, CloudNameUSGovernment),

	op("audit", "list", http.MethodGet, "/v1/auditrecords", CredentialKindBoth, admins, CloudName21Vianet),
	op("audit", "list-next-page", http.MethodGet, "/v1/auditrecords", CredentialKindBoth, admins, CloudName21Vianet),
	op("audit", "get", http.MethodGet, "/auditactivity/v1/auditrecords/{audit-id}", CredentialKindBoth, admins, CloudName21Vianet),

	op("webhooks", "list-events", http.MethodGet, "/webhooks/v1/registration/events", CredentialKindBoth, admins),
	op("webhooks", "register", http.MethodPost, "/webhooks/v1/registration", CredentialKindBoth, admins),
	op("webhooks", "get-registration", http.MethodGet, "/webhooks/v1/registration", CredentialKindBoth, admins),
	op("webhooks", "update-registration", http.MethodPut, "/webhooks/v1/registration", CredentialKindBoth, admins),
	op("webhooks", "send-validation-event", http.MethodPost, "/webhooks/v1/registration/validationevents", CredentialKindBoth, admins),
	op("webhooks", "get-validation-event", http.MethodGet, "/webhooks/v1/registration/validationevents/{correlation-id}", CredentialKindBoth, admins),

	op("relationships", "list-indirect-resellers", http.MethodGet, "/v1/relationships", CredentialKindAppUser, sellers),
	op("relationships", "list-indirect-providers", http.MethodGet, "/v1/relationships", CredentialKindAppUser, sellers),
	op("relationships", "list-of-customer", http.MethodGet, customerPattern+"/relationships", CredentialKindAppUser, everybody),

	// Documented with the secure application model rather than with the others.
	op("applicationconsents", "create", http.MethodPost, customerPattern+"/applicationconsents", CredentialKindAppUser, admins),
	op("applicationconsents", "delete", http.MethodDelete, customerPattern+"/applicationconsents/{application-id}", CredentialKindAppUser, admins),

	// Of later editions.
	op("subscriptions", "get-azure-entitlement", http.MethodGet, subscriptionPattern+"/azureentitlements/{entitlement-id}", CredentialKindBoth, everybody, CloudName21Vianet),
	op("subscriptions", "cancel-azure-entitlement", http.MethodPost, subscriptionPattern+"/azureentitlements/{entitlement-id}/cancel", CredentialKindBoth, sellers, CloudName21Vianet),
	op("subscriptions", "reactivate-azure-entitlement", http.MethodPost, subscriptionPattern+"/azureentitlements/{entitlement-id}/reactivate", CredentialKindBoth, sellers, CloudName21Vianet),
	op("subscriptions", "get-overage", http.MethodGet, customerPattern+"/subscriptions/overage", CredentialKindBoth, everybody, CloudName21Vianet),
	op("subscriptions", "set-overage", http.MethodPut, customerPattern+"/subscriptions/overage", CredentialKindBoth, sellers, CloudName21Vianet),
	op("subscriptions", "list-custom-term-end-dates", http.MethodGet, customerPattern+"/subscriptions/customtermenddates", CredentialKindBoth, everybody),
	op("promotions", "list", http.MethodGet, "/v1/productpromotions", CredentialKindBoth, sellers),
	op("promotions", "get", http.MethodGet, "/v1/productpromotions/{promotion-id}", CredentialKindBoth, sellers),
	op("promotions", "check-eligibilities", http.MethodPost, customerPattern+"/promotioneligibilities", CredentialKindBoth, sellers),
	op("entitlements", "list", http.MethodGet, customerPattern+"/entitlements", CredentialKindBoth, everybody, CloudName21Vianet),
}

// endpointKey is the method of a call and the number of segments of its path.
type endpointKey struct {
	method   string
	segments int
}

// operationsByEndpoint indexes operations, so that a lookup does not scan them all.
var operationsByEndpoint = sync.OnceValue(func() map[endpointKey][]*Operation {
	index := map[endpointKey][]*Operation{}
	for i := range operations {
		o := &operations[i]
		key := endpointKey{o.Method, strings.Count(o.Path, "/")}
		index[key] = append(index[key], o)
	}
	return index
})

// operationsAt returns the documented calls that share a method and a path,
// which is escaped and begins with /v1, /webhooks or /auditactivity. Fixed
// segments take precedence over parameters.
func operationsAt(method, path string) []*Operation {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var found []*Operation
	best := -1
	for _, o := range operationsByEndpoint()[endpointKey{method, len(segments)}] {
		fixed, ok := matchPattern(o.Path, segments)
		switch {
		case !ok || fixed < best:
		case fixed > best:
			best, found = fixed, []*Operation{o}
		default:
			found = append(found, o)
		}
	}
	return found
}

// matchPattern reports whether a path matches a pattern with the same number of
// segments, and how many of these are fixed.
func matchPattern(pattern string, segments []string) (fixed int, ok bool) {
	i := 0
	for part := range strings.SplitSeq(pattern[1:], "/") {
		if !strings.HasPrefix(part, "{") {
			if !ascii.EqualFold(part, segments[i]) {
				return 0, false
			}
			fixed++
		}
		i++
	}
	return fixed, true
}

// operation returns the operation of a request, nil if it is not a documented call.
func (c *Client) operation(req *http.Request, in any) *Operation {
	path := strings.TrimPrefix(req.URL.EscapedPath(), c.endpoint.EscapedPath())
	return operationOf(req.Method, path, req.URL.RawQuery, in)
}

// operationOf returns the operation of a request, nil if it is not a documented
// call, such as a link to another part of the service. If operations share the
// path, it selects by the query or the resource that is sent.
func operationOf(method, path, query string, in any) *Operation {
	found := operationsAt(method, path)
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	name := ""
	switch in := in.(type) {
	case *Order:
		name = orderOperation(method, in)
	case *Subscription:
		name = subscriptionOperation(in)
	case nil:
		values, _ := url.ParseQuery(query) // malformed parts are ignored
		name = listOperation(values)
	}
	for _, o := range found {
		if o.Name == name {
			return o
		}
	}
	return found[0]
}

// orderOperation returns the name of the operation that sends the order.
func orderOperation(method string, order *Order) string {
	if order == nil {
		return ""
	}
	reseller, addOn := false, false
	for i := range order.LineItems {
		reseller = reseller || strings.TrimSpace(order.LineItems[i].PartnerIDOnRecord) != ""
		addOn = addOn || order.LineItems[i].buysAddOn()
	}
	switch {
	case method == http.MethodPost && reseller:
		return "create-for-indirect-reseller"
	case method == http.MethodPost:
		return "create"
	case order.Status.Normalize() == OrderStatusCancelled:
		return "cancel-software-purchase"
	case addOn:
		return "purchase-addon"
	}
	return "update-billing-cycle"
}

// buysAddOn reports whether the line buys an add-on, and so is not in the order
// yet.
func (l *OrderLineItem) buysAddOn() bool {
	return l.ParentSubscriptionID != "" && l.SubscriptionID == ""
}

// subscriptionOperation returns the name of the operation that sends the
// subscription. All of them have the same requirements; the name is for
// messages only.
func subscriptionOperation(s *Subscription) string {
	if s == nil {
		return ""
	}
	switch s.Status.Normalize() {
	case SubscriptionStatusSuspended:
		return "suspend"
	case SubscriptionStatusDeleted:
		return "cancel"
	}
	return "update-quantity"
}

// listOperation returns the name of the operation that lists with the query.
func listOperation(query url.Values) string {
	switch {
	case query.Has("order_id"):
		return "list-by-order"
	case query.Has("mpn_id"):
		return "list-by-partner"
	case query.Has("billingType"):
		return "list-by-billing-type"
	case query.Has("seekOperation"):
		return "list-next-page"
	case query.Has("filter"):
		var filter FieldFilter
		if Unmarshal([]byte(query.Get("filter")), &filter) == nil && filter.Field.Normalize() == CustomerSearchFieldIndirectReseller {
			return "list-by-indirect-reseller"
		}
		return "search"
	}
	return ""
}

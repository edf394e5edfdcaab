package partnercenter

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// CredentialKind says whose token a call takes.
type CredentialKind string

// The kinds of credentials, in the words of the service's documentation.
const (
	CredentialApp     CredentialKind = "app"      // an app's own token
	CredentialAppUser CredentialKind = "app+user" // a token with a signed-in user behind it
	CredentialBoth    CredentialKind = "both"     // either
)

// UserRole is what a partner's user may do in Partner Center.
//
// https://learn.microsoft.com/partner-center/account-settings/permissions-overview
type UserRole string

// The roles of a partner's users that the calls of this API ask for.
const (
	RoleGlobalAdmin   UserRole = "global_admin"
	RoleAdminAgent    UserRole = "admin_agent"
	RoleSalesAgent    UserRole = "sales_agent"
	RoleHelpdeskAgent UserRole = "helpdesk_agent"
)

var userRoles = []UserRole{RoleGlobalAdmin, RoleAdminAgent, RoleSalesAgent, RoleHelpdeskAgent}

// UserRoles returns all roles.
func UserRoles() []UserRole { return slices.Clone(userRoles) }

// Normalize returns the constant that r spells, or r unchanged.
func (r UserRole) Normalize() UserRole { return normalize(r, userRoles) }

// Known reports whether r spells a documented role.
func (r UserRole) Known() bool { return isKnown(r, userRoles) }

// Who may do what. A global admin has all rights. Where the documentation of
// roles and that of single pages differ, or both are silent, this is the
// narrower reading: a help desk looks at a customer and corrects who it is, and
// neither sells nor sees prices.
var (
	everybody = userRoles
	sellers   = []UserRole{RoleGlobalAdmin, RoleAdminAgent, RoleSalesAgent}
	// Calls that act inside the customer's own tenant need its delegation, which
	// agents of sales do not have.
	delegated = []UserRole{RoleGlobalAdmin, RoleAdminAgent, RoleHelpdeskAgent}
	admins    = []UserRole{RoleGlobalAdmin, RoleAdminAgent}
)

// overlap is a loop, as a server asks for each request: functions of package
// slices would have the roles escape to the heap.
func overlap(roles, allowed []UserRole) bool {
	for _, r := range roles {
		if slices.Contains(allowed, r) {
			return true
		}
	}
	return false
}

// Operation is a documented call of the API and what it asks for. Several can
// share a method and a path: the body or the query tells which one is meant.
type Operation struct {
	// Area and Name identify it: orders, create.
	Area, Name string
	// Method and Path are where it is. Parameters of the path are written
	// {name}.
	Method, Path string
	// Credential is whose token the documentation asks for.
	Credential CredentialKind

	roles []UserRole
	notIn []CloudName
}

// String returns area and name, such as "orders create".
func (o *Operation) String() string { return o.Area + " " + o.Name }

// TakesApp reports whether an app's own token does.
func (o *Operation) TakesApp() bool { return o.Credential != CredentialAppUser }

// TakesUser reports whether a token with a user behind it does.
func (o *Operation) TakesUser() bool { return o.Credential != CredentialApp }

// Roles returns the roles whose users may make the call; one is enough.
func (o *Operation) Roles() []UserRole { return slices.Clone(o.roles) }

// Allows reports whether a user with these roles may make the call.
func (o *Operation) Allows(roles ...UserRole) bool { return overlap(roles, o.roles) }

// OfferedIn reports whether a cloud has the call. What it can be used for may
// still differ, see [NotOfferedError].
func (o *Operation) OfferedIn(cloud CloudName) bool { return !slices.Contains(o.notIn, cloud) }

// Operations returns the documented calls in the documentation's order, those
// that this package has no method for included.
func Operations() []Operation { return slices.Clone(operations) }

// OperationNamed returns a documented call by its area and name, nil if there
// is none.
func OperationNamed(area, name string) *Operation {
	at := slices.IndexFunc(operations, func(o Operation) bool { return o.Area == area && o.Name == name })
	if at < 0 {
		return nil
	}
	o := operations[at]
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

// operations are all documented calls. What a cloud does not offer because of
// what is bought, and not because of the call, is in the table notSold.
var operations = []Operation{
	op("orders", "list", http.MethodGet, customerPattern+"/orders", CredentialBoth, everybody),
	op("orders", "list-by-billing-type", http.MethodGet, customerPattern+"/orders", CredentialBoth, everybody),
	op("orders", "get", http.MethodGet, orderPattern, CredentialBoth, everybody),
	op("orders", "create", http.MethodPost, customerPattern+"/orders", CredentialBoth, sellers, NamedGermany),
	op("orders", "create-for-indirect-reseller", http.MethodPost, customerPattern+"/orders", CredentialAppUser, sellers, NamedGermany),
	op("orders", "update-billing-cycle", http.MethodPatch, orderPattern, CredentialBoth, sellers),
	op("orders", "purchase-addon", http.MethodPatch, orderPattern, CredentialBoth, sellers, NamedGermany),
	op("orders", "cancel-sandbox-order", http.MethodPatch, orderPattern, CredentialBoth, sellers),
	op("orders", "cancel-software-purchase", http.MethodPatch, orderPattern, CredentialBoth, sellers),
	op("orders", "get-provisioning-status", http.MethodGet, orderPattern+"/provisioningstatus", CredentialAppUser, everybody),
	op("orders", "get-lineitem-activation-links", http.MethodGet, orderPattern+"/lineitems/{line-item-number}/activationlinks", CredentialBoth, everybody),
	op("orders", "get-order-activation-links", http.MethodGet, orderPattern+"/activationlinks", CredentialBoth, everybody),
	op("orders", "upload-attachments", http.MethodPost, orderPattern+"/attachment", CredentialBoth, sellers),
	op("orders", "list-attachments", http.MethodGet, orderPattern+"/attachments", CredentialBoth, everybody),
	op("orders", "download-attachment", http.MethodGet, orderPattern+"/attachment/{attachment-id}", CredentialBoth, everybody),

	op("carts", "create", http.MethodPost, customerPattern+"/carts", CredentialBoth, sellers),
	op("carts", "create-with-addons-new-base", http.MethodPost, customerPattern+"/carts", CredentialBoth, sellers),
	op("carts", "create-with-addons-existing-base", http.MethodPost, customerPattern+"/carts", CredentialBoth, sellers),
	op("carts", "get", http.MethodGet, customerPattern+"/carts/{cart-id}", CredentialBoth, everybody),
	op("carts", "update", http.MethodPut, customerPattern+"/carts/{cart-id}", CredentialBoth, sellers),
	op("carts", "checkout", http.MethodPost, customerPattern+"/carts/{cart-id}/checkout", CredentialBoth, sellers),

	op("catalog", "list-offers", http.MethodGet, "/v1/offers", CredentialBoth, sellers),
	op("catalog", "get-offer", http.MethodGet, "/v1/offers/{offer-id}", CredentialBoth, sellers),
	op("catalog", "list-offer-addons", http.MethodGet, "/v1/offers/{offer-id}/addons", CredentialBoth, sellers),
	op("catalog", "list-offer-categories", http.MethodGet, "/v1/offercategories", CredentialBoth, sellers),
	op("catalog", "list-customer-offers", http.MethodGet, customerPattern+"/offers", CredentialBoth, sellers),
	op("catalog", "list-customer-offer-categories", http.MethodGet, customerPattern+"/offercategories", CredentialBoth, sellers),
	op("catalog", "list-products", http.MethodGet, "/v1/products", CredentialBoth, sellers),
	op("catalog", "get-product", http.MethodGet, "/v1/products/{product-id}", CredentialBoth, sellers),
	op("catalog", "list-skus", http.MethodGet, "/v1/products/{product-id}/skus", CredentialBoth, sellers),
	op("catalog", "get-sku", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}", CredentialBoth, sellers),
	op("catalog", "list-availabilities", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}/availabilities", CredentialBoth, sellers),
	op("catalog", "get-availability", http.MethodGet, "/v1/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", CredentialBoth, sellers),
	op("catalog", "list-customer-products", http.MethodGet, customerPattern+"/products", CredentialBoth, sellers),
	op("catalog", "get-customer-product", http.MethodGet, customerPattern+"/products/{product-id}", CredentialBoth, sellers),
	op("catalog", "list-customer-skus", http.MethodGet, customerPattern+"/products/{product-id}/skus", CredentialBoth, sellers),
	op("catalog", "get-customer-sku", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}", CredentialBoth, sellers),
	op("catalog", "list-customer-availabilities", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}/availabilities", CredentialBoth, sellers),
	op("catalog", "get-customer-availability", http.MethodGet, customerPattern+"/products/{product-id}/skus/{sku-id}/availabilities/{availability-id}", CredentialBoth, sellers),
	op("catalog", "check-inventory", http.MethodPost, "/v1/extensions/product/checkinventory", CredentialBoth, sellers),

	op("subscriptions", "list", http.MethodGet, customerPattern+"/subscriptions", CredentialBoth, everybody),
	op("subscriptions", "list-by-order", http.MethodGet, customerPattern+"/subscriptions", CredentialBoth, everybody),
	op("subscriptions", "list-by-partner", http.MethodGet, customerPattern+"/subscriptions", CredentialBoth, everybody),
	op("subscriptions", "get", http.MethodGet, subscriptionPattern, CredentialBoth, everybody),
	op("subscriptions", "update-quantity", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "suspend", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "reactivate", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "update-autorenew", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "update-nickname", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "cancel", http.MethodPatch, subscriptionPattern, CredentialBoth, sellers),
	op("subscriptions", "list-addons", http.MethodGet, subscriptionPattern+"/addons", CredentialBoth, everybody),
	op("subscriptions", "get-provisioning-status", http.MethodGet, subscriptionPattern+"/provisioningstatus", CredentialAppUser, delegated),
	op("subscriptions", "register", http.MethodPost, subscriptionPattern+"/registrations", CredentialBoth, sellers, Named21Vianet, NamedGermany),
	op("subscriptions", "get-registration-status", http.MethodGet, subscriptionPattern+"/registrationstatus", CredentialBoth, everybody, Named21Vianet, NamedGermany),
	op("subscriptions", "list-upgrades", http.MethodGet, subscriptionPattern+"/upgrades", CredentialBoth, everybody),
	op("subscriptions", "upgrade", http.MethodPost, subscriptionPattern+"/upgrades", CredentialBoth, sellers),
	op("subscriptions", "list-transition-eligibilities", http.MethodGet, subscriptionPattern+"/transitioneligibilities", CredentialBoth, everybody),
	op("subscriptions", "list-transitions", http.MethodGet, subscriptionPattern+"/transitions", CredentialBoth, everybody),
	op("subscriptions", "create-transition", http.MethodPost, subscriptionPattern+"/transitions", CredentialBoth, sellers),
	op("subscriptions", "list-conversions", http.MethodGet, subscriptionPattern+"/conversions", CredentialAppUser, everybody),
	op("subscriptions", "convert-trial", http.MethodPost, subscriptionPattern+"/conversions", CredentialAppUser, sellers),
	op("subscriptions", "get-activation-links", http.MethodGet, subscriptionPattern+"/activationlinks", CredentialBoth, everybody),
	op("subscriptions", "activate-sandbox", http.MethodPost, subscriptionPattern+"/activate", CredentialBoth, sellers),
	op("subscriptions", "get-support-contact", http.MethodGet, subscriptionPattern+"/supportcontact", CredentialAppUser, everybody, Named21Vianet),
	op("subscriptions", "update-support-contact", http.MethodPut, subscriptionPattern+"/supportcontact", CredentialAppUser, sellers, Named21Vianet),
	op("subscriptions", "list-azure-entitlements", http.MethodGet, subscriptionPattern+"/azureentitlements", CredentialBoth, everybody, Named21Vianet),
	op("subscriptions", "list-transfer-eligibility", http.MethodGet, customerPattern+"/transferseligibility", CredentialBoth, everybody),

	op("productupgrades", "create", http.MethodPost, "/v1/productupgrades", CredentialAppUser, sellers, Named21Vianet),
	op("productupgrades", "check-eligibility", http.MethodPost, "/v1/productupgrades/eligibility", CredentialAppUser, sellers, Named21Vianet),
	op("productupgrades", "get-status", http.MethodPost, "/v1/productupgrades/{upgrade-id}/status", CredentialAppUser, sellers, Named21Vianet),

	op("customers", "list", http.MethodGet, "/v1/customers", CredentialBoth, everybody),
	op("customers", "list-next-page", http.MethodGet, "/v1/customers", CredentialBoth, everybody),
	op("customers", "search", http.MethodGet, "/v1/customers", CredentialBoth, everybody),
	op("customers", "list-by-indirect-reseller", http.MethodGet, "/v1/customers", CredentialAppUser, everybody),
	op("customers", "get", http.MethodGet, customerPattern, CredentialBoth, everybody),
	op("customers", "create", http.MethodPost, "/v1/customers", CredentialBoth, sellers, NamedGermany),
	op("customers", "create-for-indirect-reseller", http.MethodPost, "/v1/customers", CredentialAppUser, sellers, NamedGermany),
	op("customers", "delete-sandbox", http.MethodDelete, customerPattern, CredentialBoth, admins),
	op("customers", "remove-relationship", http.MethodPatch, customerPattern, CredentialAppUser, admins),
	op("customers", "get-company-profile", http.MethodGet, customerPattern+"/profiles/company", CredentialAppUser, everybody),
	op("customers", "get-billing-profile", http.MethodGet, customerPattern+"/profiles/billing", CredentialBoth, everybody),
	op("customers", "update-billing-profile", http.MethodPut, customerPattern+"/profiles/billing", CredentialBoth, everybody),
	op("customers", "get-relationship-request", http.MethodGet, "/v1/customers/relationshiprequests", CredentialAppUser, sellers, NamedUSGovernment),

	op("audit", "list", http.MethodGet, "/v1/auditrecords", CredentialBoth, admins, Named21Vianet),
	op("audit", "list-next-page", http.MethodGet, "/v1/auditrecords", CredentialBoth, admins, Named21Vianet),
	op("audit", "get", http.MethodGet, "/auditactivity/v1/auditrecords/{audit-id}", CredentialBoth, admins, Named21Vianet),

	op("webhooks", "list-events", http.MethodGet, "/webhooks/v1/registration/events", CredentialBoth, admins),
	op("webhooks", "register", http.MethodPost, "/webhooks/v1/registration", CredentialBoth, admins),
	op("webhooks", "get-registration", http.MethodGet, "/webhooks/v1/registration", CredentialBoth, admins),
	op("webhooks", "update-registration", http.MethodPut, "/webhooks/v1/registration", CredentialBoth, admins),
	op("webhooks", "send-validation-event", http.MethodPost, "/webhooks/v1/registration/validationevents", CredentialBoth, admins),
	op("webhooks", "get-validation-event", http.MethodGet, "/webhooks/v1/registration/validationevents/{correlation-id}", CredentialBoth, admins),

	op("relationships", "list-indirect-resellers", http.MethodGet, "/v1/relationships", CredentialAppUser, sellers),
	op("relationships", "list-indirect-providers", http.MethodGet, "/v1/relationships", CredentialAppUser, sellers),
	op("relationships", "list-of-customer", http.MethodGet, customerPattern+"/relationships", CredentialAppUser, everybody),

	// Documented beside the secure application model rather than with the others.
	op("applicationconsents", "create", http.MethodPost, customerPattern+"/applicationconsents", CredentialAppUser, admins),
	op("applicationconsents", "delete", http.MethodDelete, customerPattern+"/applicationconsents/{application-id}", CredentialAppUser, admins),
}

// endpointKey is what a method and a path with a number of segments have in
// common.
type endpointKey struct {
	method   string
	segments int
}

// operationsByEndpoint finds calls by their path without looking at all.
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
// segments win over parameters.
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

// matchPattern reports whether a path is one of a pattern with as many
// segments, and how many of those the pattern fixes.
func matchPattern(pattern string, segments []string) (fixed int, ok bool) {
	i := 0
	for part := range strings.SplitSeq(pattern[1:], "/") {
		if !strings.HasPrefix(part, "{") {
			if !strings.EqualFold(part, segments[i]) {
				return 0, false
			}
			fixed++
		}
		i++
	}
	return fixed, true
}

// operation returns the documented call that a request is, nil if it is none.
func (c *Client) operation(req *http.Request, in any) *Operation {
	path := strings.TrimPrefix(req.URL.EscapedPath(), c.endpoint.Path)
	return operationOf(req.Method, path, req.URL.RawQuery, in)
}

// operationOf returns the documented call that a request is, nil for one that
// is none, such as the address of a link that leads elsewhere. Where several
// share the path, the query or what is sent tells.
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
		values, _ := url.ParseQuery(query) // what cannot be read says nothing
		name = listOperation(values)
	}
	for _, o := range found {
		if o.Name == name {
			return o
		}
	}
	return found[0]
}

// orderOperation is what an order that is sent asks for.
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

// buysAddOn reports a line that is not in the order yet.
func (l *OrderLineItem) buysAddOn() bool {
	return l.ParentSubscriptionID != "" && l.SubscriptionID == ""
}

// subscriptionOperation is what a subscription that is sent asks for. All such
// calls ask for the same, so that this is for people to read.
func subscriptionOperation(s *Subscription) string {
	if s == nil {
		return ""
	}
	switch s.Status.Normalize() {
	case SubscriptionSuspended:
		return "suspend"
	case SubscriptionDeleted:
		return "cancel"
	}
	return "update-quantity"
}

// listOperation is which list a query asks for.
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
		if Unmarshal([]byte(query.Get("filter")), &filter) == nil && filter.Field.Normalize() == CustomerSearchIndirectReseller {
			return "list-by-indirect-reseller"
		}
		return "search"
	}
	return ""
}

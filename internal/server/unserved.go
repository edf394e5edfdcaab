package server

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// A documented call that is not served is refused with status 400: published clients
// repeat 405, 412, 429 and every 5xx without end, and take 404 to a HEAD for a domain
// that is free.

// documented are calls besides those in the table of operations, by method and path.
var documented = []struct{ method, path string }{
	{"GET", "/v1/customers/{customer-tenant-id}/subscriptions/usagerecords"},
	{"GET", "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/usagerecords/resources"},
	{"POST", "/v1/customers/{customer-tenant-id}/subscriptions/{subscription-id}/azureentitlements/{entitlement-id}"},
	{"POST", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/validate"},
	{"POST", "/v1/customers/{customer-tenant-id}/migrations/newcommerce"},
	{"GET", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/events"},
	{"GET", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/{migration-id}"},
	{"POST", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules"},
	{"GET", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules"},
	{"PUT", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules"},
	{"GET", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules/{schedule-id}"},
	{"PUT", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules/{schedule-id}"},
	{"POST", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules/{schedule-id}"},
	{"POST", "/v1/customers/{customer-tenant-id}/migrations/newcommerce/schedules/{schedule-id}/cancel"},
	{"GET", "/v1/migrations/newcommerce"},
	{"GET", "/v1/migrations/newcommerce/schedules"},
	{"GET", "/v1/customers/{customer-tenant-id}/organization"},
	{"GET", "/v1/customers/{customer-tenant-id}/customdomains"},
	{"GET", "/v1/customers/{customer-tenant-id}/validationstatus"},
	{"GET", "/v1/agreements"},
	{"GET", "/v1/customers/{customer-tenant-id}/agreements"},
	{"POST", "/v1/customers/{customer-tenant-id}/agreements"},
	{"GET", "/v1/customers/{customer-tenant-id}/directsignedmicrosoftcustomeragreementstatus"},
	{"GET", "/v1/agreementtemplates/{template-id}/document"},
	{"GET", "/v1/compliance/{program}/agreementstatus"},
	{"GET", "/v1/partners/customeragreementrecords"},
	{"POST", "/v1/createbulkreattestation"},
	{"POST", "/v1/attestations/enhanced"},
	{"HEAD", "/v1/domains/{domain}"},
	{"POST", "/v1/validations/address"},
	{"GET", "/v1/customers/{customer-tenant-id}/qualifications"},
	{"POST", "/v1/customers/{customer-tenant-id}/qualifications"},
	{"GET", "/v1/profiles/organization"},
	{"GET", "/v1/profiles/mpn"},
	{"GET", "/v1/profiles/billing"},
	{"GET", "/v1/profiles/legalbusiness"},
	{"GET", "/v1/profiles/support"},
	{"POST", "/v1/sandboxindirectreseller"},
	{"GET", "/v1/fraudevents"},
	{"POST", "/v1/fraudevents/subscription/{subscription-id}/status"},
	{"GET", "/v1/customers/{customer-tenant-id}/users"},
	{"POST", "/v1/customers/{customer-tenant-id}/users"},
	{"GET", "/v1/customers/{customer-tenant-id}/users/{user-id}"},
	{"PATCH", "/v1/customers/{customer-tenant-id}/users/{user-id}"},
	{"DELETE", "/v1/customers/{customer-tenant-id}/users/{user-id}"},
	{"PATCH", "/v1/customers/{customer-tenant-id}/users/{user-id}/resetpassword"},
	{"GET", "/v1/customers/{customer-tenant-id}/users/{user-id}/directoryroles"},
	{"GET", "/v1/customers/{customer-tenant-id}/directoryroles"},
	{"GET", "/v1/customers/{customer-tenant-id}/directoryroles/{role-id}/usermembers"},
	{"POST", "/v1/customers/{customer-tenant-id}/directoryroles/{role-id}/usermembers"},
	{"DELETE", "/v1/customers/{customer-tenant-id}/directoryroles/{role-id}/usermembers/{user-id}"},
	{"GET", "/v1/customers/{customer-tenant-id}/users/{user-id}/licenses"},
	{"POST", "/v1/customers/{customer-tenant-id}/users/{user-id}/licenseupdates"},
	{"GET", "/v1/customers/{customer-tenant-id}/subscribedskus"},
	{"GET", "/v1/partnerrequests"},
	{"GET", "/v1/applicationmfaadoptionstatus"},
	{"GET", "/v1/invoices"},
	{"GET", "/v1/invoices/summary"},
	{"GET", "/v1/invoices/summaries"},
	{"GET", "/v1/invoices/unbilled/lineitems"},
	{"GET", "/v1/invoices/{invoice-id}"},
	{"GET", "/v1/invoices/{invoice-id}/documents/statement"},
	{"GET", "/v1/invoices/{invoice-id}/receipts/{receipt-id}/documents/statement"},
	{"GET", "/v1/invoices/{invoice-id}/lineitems"},
	// Some pages print another method than their samples use.
	{"POST", "/v1/customers/{customer-tenant-id}/products"},
	{"POST", "/v1/customers/{customer-tenant-id}/products/{product-id}/skus"},
	{"POST", "/v1/customers/{customer-tenant-id}/products/{product-id}/skus/{sku-id}/availabilities"},
	{"POST", "/v1/customers/{customer-tenant-id}/products/{product-id}/skus/{sku-id}"},
	// Beside the API's version root.
	{"POST", "/v3/generatetoken"},
	{"POST", "/generatetoken"},
	{"GET", "/accountenrollments/v1/accountexternalresourcekeys"},
	{"GET", "/engagements/v1/referrals"},
	{"GET", "/engagements/v1/referrals/{referral-id}"},
}

// addUnserved adds the documented calls that no route answers. They are found like
// routes, so that a fixed segment of theirs is not taken for an id.
func (r *router) addUnserved() {
	add := func(method, pattern, name string) (added bool) {
		pattern, _, _ = strings.Cut(pattern, "?")
		n := r.root.descend(pattern)
		served := func(known Route) bool { return known.Method == method }
		if slices.ContainsFunc(n.routes, served) || slices.ContainsFunc(n.unserved, func(u unserved) bool { return u.method == method }) {
			return false
		}
		n.pattern = cmp.Or(n.pattern, pattern)
		n.unserved = append(n.unserved, unserved{method, name})
		return true
	}
	for _, o := range partnercenter.Operations() {
		add(o.Method, o.Path, o.String()+" ("+o.Method+" "+o.Path+")")
	}
	for _, call := range documented {
		if name := call.method + " " + call.path; !add(call.method, call.path, name) {
			panic("server: " + name + " is in the table of operations or served: take it out of documented")
		}
	}
}

// unserved is a documented call that has no route.
type unserved struct{ method, name string }

// refuseUnserved refuses a documented call that is not served.
func (n *node) refuseUnserved(method string) error {
	for _, u := range n.unserved {
		if u.method == method || u.method == http.MethodGet && method == http.MethodHead {
			return errUnserved(u.name)
		}
	}
	return nil
}

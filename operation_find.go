package partnercenter

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
)

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

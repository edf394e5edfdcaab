package partnercenter

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// NotOfferedError says that a call, or what it is to buy or to look for, is not
// offered in the client's cloud. Nothing was sent.
type NotOfferedError struct {
	Operation string      // the call, such as "orders create"
	What      Merchandise // what the cloud does not sell; empty when it is the call itself
	Cloud     CloudName
}

// Error names the call and the cloud, and ends with what to do.
func (e *NotOfferedError) Error() string {
	what := e.Operation + " is not offered in"
	if e.What != "" {
		what = fmt.Sprintf("%s is about %s, which are not sold in", e.Operation, e.What)
	}
	return "partnercenter: " + what + " " + e.Cloud.Title() + ": nothing was sent; leave it out for partners of this cloud, or sign in to another with ClientOptions.Cloud"
}

// operation returns the documented call that a request is, nil if it is none.
func (c *Client) operation(req *http.Request, in any) *Operation {
	path := strings.TrimPrefix(req.URL.EscapedPath(), c.endpoint.Path)
	return operationOf(req.Method, path, req.URL.RawQuery, in)
}

// offered refuses what the client's cloud does not have. Only what the request
// itself shows is refused: what an id stands for is the catalog's to know.
func (c *Client) offered(o *Operation, req *http.Request, in any) error {
	if o == nil || c.cloud == "" {
		return nil
	}
	if !o.OfferedIn(c.cloud) {
		return &NotOfferedError{Operation: o.String(), Cloud: c.cloud}
	}
	for _, m := range merchandise(o, req, in) {
		if !c.cloud.Sells(m) {
			return &NotOfferedError{Operation: o.String(), What: m, Cloud: c.cloud}
		}
	}
	return nil
}

// merchandise is what a request shows to buy, or to look for in the catalog.
func merchandise(o *Operation, req *http.Request, in any) []Merchandise {
	switch {
	case o.Area == "orders":
		if order, ok := in.(*Order); ok && order != nil {
			return ordered(order, o.Method == http.MethodPost)
		}
	case o.Area == "catalog" && req.URL.RawQuery != "":
		return sought(req.URL.Query())
	}
	return nil
}

// ordered is what an order buys, or what is bought with a change of one: the
// other lines are there already.
func ordered(order *Order, placed bool) []Merchandise {
	var list []Merchandise
	for i := range order.LineItems {
		line := &order.LineItems[i]
		if !placed && !line.buysAddOn() {
			continue
		}
		if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(line.OfferID)), legacyAzure) {
			list = append(list, AzureSubscriptions)
		}
		for key := range line.ProvisioningContext {
			// Only reservations have a scope and a duration.
			if strings.EqualFold(key, "scope") || strings.EqualFold(key, "duration") {
				list = append(list, AzureReservations)
				break
			}
		}
	}
	if placed && order.BillingCycle.Normalize() == BillingCycleOneTime {
		list = append(list, OneTimePurchases)
	}
	return list
}

// legacyAzure is how the ids of legacy offers of Azure begin, which are no
// GUIDs.
const legacyAzure = "MS-AZR-"

// sought is what a query looks for in the catalog.
func sought(query url.Values) []Merchandise {
	list := TargetView(query.Get("targetView")).Merchandise()
	if query.Has("reservationScope") {
		list = append(list, AzureReservations)
	}
	return list
}

// Merchandise returns what the products of a view are that not every cloud
// sells. It is empty for views that have other products as well.
func (v TargetView) Merchandise() []Merchandise {
	switch v.Normalize() {
	case TargetViewAzureReservations, TargetViewAzureReservationsVM, TargetViewAzureReservationsSQL, TargetViewAzureReservationsCosmosDB:
		return []Merchandise{AzureReservations}
	case TargetViewAzure, TargetViewMicrosoftAzure:
		return []Merchandise{AzureSubscriptions}
	case TargetViewSoftware, TargetViewSoftwareSUSELinux, TargetViewSoftwarePerpetual, TargetViewSoftwareSubscriptions:
		return []Merchandise{OneTimePurchases}
	}
	return nil
}

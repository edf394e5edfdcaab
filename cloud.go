package partnercenter

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// Entries of a [cloud.Configuration]'s Services.
const (
	// ServiceName is Partner Center's entry in a [cloud.Configuration]'s Services.
	ServiceName cloud.ServiceName = "partnercenter"

	// GraphServiceName is the directory graph's entry in the Services of the
	// clouds below. Its Audience is what the documentation asks app-only tokens
	// for; set ClientOptions.Scopes to that audience followed by "/.default" where
	// a tenant's set-up needs it.
	GraphServiceName cloud.ServiceName = "graph"
)

// The clouds that offer Partner Center. The two sovereign clouds other than
// 21Vianet sign in elsewhere but share the global API host.
//
// https://learn.microsoft.com/partner-center/developer/partner-center-rest-urls
var (
	CloudGlobal = newCloud(CloudNameGlobal, "https://login.microsoftonline.com/", globalAPI, globalGraph)
	// Cloud21Vianet is operated in China.
	Cloud21Vianet     = newCloud(CloudName21Vianet, "https://login.chinacloudapi.cn/", "https://partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn")
	CloudGermany      = newCloud(CloudNameGermany, "https://login.microsoftonline.de/", globalAPI, "https://graph.cloudapi.de")
	CloudUSGovernment = newCloud(CloudNameUSGovernment, "https://login.microsoftonline.us/", globalAPI, globalGraph)
)

const (
	globalAPI   = "https://api.partnercenter.microsoft.com"
	globalGraph = "https://graph.windows.net"
)

// cloudNameEntry is where a cloud keeps its name among its services: it goes
// along when somebody copies the cloud and changes an address, and addresses
// alone do not tell all clouds apart.
const cloudNameEntry cloud.ServiceName = "partnercenter.cloud"

// newCloud names the API's own base URL as the audience: the documentation
// asks for it with a user, and the service takes it from an app as well.
func newCloud(name CloudName, authority, api, graph string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			ServiceName:      {Audience: api, Endpoint: api},
			GraphServiceName: {Audience: graph, Endpoint: graph},
			cloudNameEntry:   {Audience: string(name)},
		},
	}
}

// CloudName names one of the clouds.
type CloudName string

// The names of the clouds.
const (
	CloudNameGlobal       CloudName = "global"
	CloudName21Vianet     CloudName = "21vianet"
	CloudNameGermany      CloudName = "germany"
	CloudNameUSGovernment CloudName = "us-government"
)

// CloudNames returns the names of all clouds, the global one first.
func CloudNames() []CloudName {
	return []CloudName{CloudNameGlobal, CloudName21Vianet, CloudNameGermany, CloudNameUSGovernment}
}

// Normalize returns the constant that n spells, or n unchanged.
func (n CloudName) Normalize() CloudName {
	for _, name := range CloudNames() {
		if strings.EqualFold(string(n), string(name)) {
			return name
		}
	}
	return n
}

// Known reports whether n spells the name of a cloud.
func (n CloudName) Known() bool { return slices.Contains(CloudNames(), n.Normalize()) }

// CloudNameOf returns which of this package's clouds a configuration is, or is
// a copy of, whatever addresses were changed in it. It is empty for others.
func CloudNameOf(c cloud.Configuration) CloudName {
	return CloudName(c.Services[cloudNameEntry].Audience)
}

// Configuration returns the cloud of that name, and the empty configuration for
// a name that there is not.
func (n CloudName) Configuration() cloud.Configuration {
	switch n {
	case CloudNameGlobal:
		return CloudGlobal
	case CloudName21Vianet:
		return Cloud21Vianet
	case CloudNameGermany:
		return CloudGermany
	case CloudNameUSGovernment:
		return CloudUSGovernment
	}
	return cloud.Configuration{}
}

// Resources returns what tokens of the cloud may be for: Partner Center, and
// the directory graph, which the documentation asks app-only tokens for.
func (n CloudName) Resources() []string {
	services := n.Configuration().Services
	if services == nil {
		return nil
	}
	return []string{services[GraphServiceName].Audience, services[ServiceName].Audience}
}

// What not every cloud sells, as far as a request can show it. A server's catalog
// knows more, see package catalog.
const (
	azureReservations  = "Azure reservations"
	azureSubscriptions = "Azure subscriptions"
	oneTimePurchases   = "one-time purchases" // software, besides reservations
)

// notSold are the clouds that do not sell something.
var notSold = map[string][]CloudName{
	azureReservations:  {CloudName21Vianet, CloudNameGermany},
	azureSubscriptions: {CloudName21Vianet},
	oneTimePurchases:   {CloudName21Vianet, CloudNameGermany},
}

// NotOfferedError says that a call, or what it is to buy or to look for, is not
// offered in the client's cloud. Nothing was sent.
type NotOfferedError struct {
	Operation string // the call, such as "orders create"
	What      string // what the cloud does not sell; empty when it is the call itself
	Cloud     CloudName
}

// Error names the call and the cloud, and ends with what to do.
func (e *NotOfferedError) Error() string {
	what := e.Operation + " is not offered in"
	if e.What != "" {
		what = fmt.Sprintf("%s is about %s, which are not sold in", e.Operation, e.What)
	}
	return fmt.Sprintf("partnercenter: %s the %s cloud", what, e.Cloud) + ": nothing was sent; leave it out for partners of this cloud, or sign in to another with ClientOptions.Cloud"
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
	for _, what := range wanted(o, req, in) {
		if slices.Contains(notSold[what], c.cloud) {
			return &NotOfferedError{Operation: o.String(), What: what, Cloud: c.cloud}
		}
	}
	return nil
}

// wanted is what a request shows to buy, or to look for in the catalog.
func wanted(o *Operation, req *http.Request, in any) []string {
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
func ordered(order *Order, placed bool) []string {
	var list []string
	for i := range order.LineItems {
		line := &order.LineItems[i]
		if !placed && !line.buysAddOn() {
			continue
		}
		if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(line.OfferID)), legacyAzure) {
			list = append(list, azureSubscriptions)
		}
		for key := range line.ProvisioningContext {
			// Only reservations have a scope and a duration.
			if strings.EqualFold(key, "scope") || strings.EqualFold(key, "duration") {
				list = append(list, azureReservations)
				break
			}
		}
	}
	if placed && order.BillingCycle.Normalize() == BillingCycleTypeOneTime {
		list = append(list, oneTimePurchases)
	}
	return list
}

// legacyAzure is how the ids of legacy offers of Azure begin, which are no
// GUIDs.
const legacyAzure = "MS-AZR-"

// sought is what a query looks for in the catalog. Views that have other products
// as well say nothing.
func sought(query url.Values) []string {
	var list []string
	switch TargetView(query.Get("targetView")).Normalize() {
	case TargetViewAzureReservations, TargetViewAzureReservationsVM, TargetViewAzureReservationsSQL, TargetViewAzureReservationsCosmosDB:
		list = append(list, azureReservations)
	case TargetViewAzure, TargetViewMicrosoftAzure:
		list = append(list, azureSubscriptions)
	case TargetViewSoftware, TargetViewSoftwareSUSELinux, TargetViewSoftwarePerpetual, TargetViewSoftwareSubscriptions:
		list = append(list, oneTimePurchases)
	}
	if query.Has("reservationScope") {
		list = append(list, azureReservations)
	}
	return list
}

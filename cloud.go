package partnercenter

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// ServiceName is Partner Center's entry in a [cloud.Configuration]'s Services.
const ServiceName cloud.ServiceName = "partnercenter"

// GraphServiceName is the directory graph's entry in the Services of the
// clouds below. Its Audience is what the documentation asks app-only tokens
// for; set ClientOptions.Scopes to that audience followed by "/.default" where
// a tenant's set-up needs it.
const GraphServiceName cloud.ServiceName = "graph"

// The clouds that offer Partner Center. The two sovereign clouds other than
// 21Vianet sign in elsewhere but share the global API host.
//
// https://learn.microsoft.com/partner-center/developer/partner-center-rest-urls
var (
	CloudGlobal = newCloud(NamedGlobal, "https://login.microsoftonline.com/", globalAPI, globalGraph)
	// Cloud21Vianet is operated in China.
	Cloud21Vianet     = newCloud(Named21Vianet, "https://login.chinacloudapi.cn/", "https://partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn")
	CloudGermany      = newCloud(NamedGermany, "https://login.microsoftonline.de/", globalAPI, "https://graph.cloudapi.de")
	CloudUSGovernment = newCloud(NamedUSGovernment, "https://login.microsoftonline.us/", globalAPI, globalGraph)
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
	NamedGlobal       CloudName = "global"
	Named21Vianet     CloudName = "21vianet"
	NamedGermany      CloudName = "germany"
	NamedUSGovernment CloudName = "us-government"
)

// CloudNames returns the names of all clouds, the global one first.
func CloudNames() []CloudName {
	return []CloudName{NamedGlobal, Named21Vianet, NamedGermany, NamedUSGovernment}
}

// NameOfCloud returns which of this package's clouds a configuration is, or is
// a copy of, whatever addresses were changed in it. It is empty for others.
func NameOfCloud(c cloud.Configuration) CloudName {
	return CloudName(c.Services[cloudNameEntry].Audience)
}

// Configuration returns the cloud of that name, and the empty configuration for
// a name that there is not.
func (n CloudName) Configuration() cloud.Configuration {
	switch n {
	case NamedGlobal:
		return CloudGlobal
	case Named21Vianet:
		return Cloud21Vianet
	case NamedGermany:
		return CloudGermany
	case NamedUSGovernment:
		return CloudUSGovernment
	}
	return cloud.Configuration{}
}

var cloudTitles = map[CloudName]string{
	NamedGlobal:       "Microsoft's global cloud",
	Named21Vianet:     "the cloud operated by 21Vianet",
	NamedGermany:      "Microsoft Cloud Germany",
	NamedUSGovernment: "Microsoft Cloud for US Government",
}

// Title returns what people call the cloud, for messages.
func (n CloudName) Title() string { return cmp.Or(cloudTitles[n], "cloud "+string(n)) }

// Resources returns what tokens of the cloud may be for: Partner Center, and
// the directory graph, which the documentation asks app-only tokens for.
func (n CloudName) Resources() []string {
	services := n.Configuration().Services
	if services == nil {
		return nil
	}
	return []string{services[GraphServiceName].Audience, services[ServiceName].Audience}
}

// Merchandise is a kind of thing to buy that not every cloud sells.
type Merchandise string

// What not every cloud sells.
const (
	AzureReservations  Merchandise = "Azure reservations"
	AzureSubscriptions Merchandise = "Azure subscriptions"
	OneTimePurchases   Merchandise = "one-time purchases" // software, besides reservations
)

// notSold are the clouds that do not sell something.
var notSold = map[Merchandise][]CloudName{
	AzureReservations:  {Named21Vianet, NamedGermany},
	AzureSubscriptions: {Named21Vianet},
	OneTimePurchases:   {Named21Vianet, NamedGermany},
}

// Sells reports whether something can be bought in the cloud.
func (n CloudName) Sells(m Merchandise) bool { return !slices.Contains(notSold[m], n) }

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

package partnercenter

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Entries of a [cloud.Configuration]'s Services.
const (
	// ServiceName is Partner Center's entry in a [cloud.Configuration]'s Services.
	ServiceName cloud.ServiceName = "partnercenter"

	// GraphServiceName is the directory graph's entry in the Services of the clouds
	// below. Its Audience was the documented one for app-only tokens until August 2025;
	// for a service that still takes it, set ClientOptions.Scopes to it followed by
	// "/.default".
	GraphServiceName cloud.ServiceName = "graph"
)

// The clouds that offer Partner Center. The sovereign clouds other than
// 21Vianet have sign-in hosts of their own but share the global API host.
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

// cloudNameEntry is the entry of a cloud's Services that holds its name. It
// survives a copy with a changed address, and addresses alone do not
// distinguish all clouds.
const cloudNameEntry cloud.ServiceName = "partnercenter.cloud"

// newCloud uses the API's base URL as the audience: it is the documented one
// for tokens with a user, and the service accepts it from an app as well.
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
		if ascii.EqualFold(string(n), string(name)) {
			return name
		}
	}
	return n
}

// Known reports whether n spells the name of a cloud.
func (n CloudName) Known() bool { return slices.Contains(CloudNames(), n.Normalize()) }

// CloudNameOf returns the name of the cloud that a configuration is, or is a
// modified copy of. It is empty for other configurations.
func CloudNameOf(c cloud.Configuration) CloudName {
	return CloudName(c.Services[cloudNameEntry].Audience)
}

// Configuration returns the cloud of that name, or the empty configuration for
// an unknown name.
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

// Resources returns the audiences that tokens of the cloud may have: Partner
// Center, and the directory graph, which the service took from apps until
// August 2025.
func (n CloudName) Resources() []string {
	services := n.Configuration().Services
	if services == nil {
		return nil
	}
	return []string{services[ServiceName].Audience, services[GraphServiceName].Audience}
}

// Products that some clouds do not sell, where a request shows them. The
// server's package catalog knows more.
const (
	azureReservations  = "Azure reservations"
	azureSubscriptions = "Azure subscriptions"
	oneTimePurchases   = "one-time purchases" // software and reservations
)

// notSold maps products to the clouds that do not sell them.
var notSold = map[string][]CloudName{
	azureReservations:  {CloudName21Vianet, CloudNameGermany},
	azureSubscriptions: {CloudName21Vianet},
	oneTimePurchases:   {CloudName21Vianet, CloudNameGermany},
}

// NotOfferedError reports that a call, or the product it is about, is not
// offered in the client's cloud. Nothing was sent.
type NotOfferedError struct {
	Operation string // the call, such as "orders create"
	What      string // the product; empty if the call itself is not offered
	Cloud     CloudName
}

// Error names the call and the cloud, and says what to do.
func (e *NotOfferedError) Error() string {
	what := e.Operation + " is not offered in"
	if e.What != "" {
		what = fmt.Sprintf("%s is about %s, which are not sold in", e.Operation, e.What)
	}
	return fmt.Sprintf("partnercenter: %s the %s cloud", what, e.Cloud) + ": nothing was sent; leave it out for partners of this cloud, or sign in to another with ClientOptions.Cloud"
}

// offered refuses calls that the client's cloud does not offer. It judges by
// the request alone; it cannot know which product an id stands for.
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

// wanted returns the kind of product that a request buys or looks for in the
// catalog.
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

// ordered returns the kind of product that an order, or a change of an order,
// buys. In a change, existing lines do not count.
func ordered(order *Order, placed bool) []string {
	var list []string
	for i := range order.LineItems {
		line := &order.LineItems[i]
		if !placed && !line.buysAddOn() {
			continue
		}
		if strings.HasPrefix(ascii.ToUpper(strings.TrimSpace(line.OfferID)), legacyAzure) {
			list = append(list, azureSubscriptions)
		}
		for key := range line.ProvisioningContext {
			// Only reservations have a scope and a duration.
			if ascii.EqualFold(key, "scope") || ascii.EqualFold(key, "duration") {
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

// legacyAzure is the prefix of the ids of legacy Azure offers, which are not
// GUIDs.
const legacyAzure = "MS-AZR-"

// sought returns the kind of product that a catalog query looks for. Views that
// mix it with other products do not count.
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

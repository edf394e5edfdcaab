package partnercenter

import (
	"slices"

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

// Title returns what people call the cloud, for messages.
func (n CloudName) Title() string {
	switch n {
	case NamedGlobal:
		return "Microsoft's global cloud"
	case Named21Vianet:
		return "the cloud operated by 21Vianet"
	case NamedGermany:
		return "Microsoft Cloud Germany"
	case NamedUSGovernment:
		return "Microsoft Cloud for US Government"
	}
	return "cloud " + string(n)
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

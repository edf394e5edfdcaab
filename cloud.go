package partnercenter

import "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

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
	CloudGlobal = newCloud("https://login.microsoftonline.com/", globalAPI, globalGraph)
	// Cloud21Vianet is operated in China.
	Cloud21Vianet     = newCloud("https://login.chinacloudapi.cn/", "https://partner.partnercenterapi.microsoftonline.cn", "https://graph.chinacloudapi.cn")
	CloudGermany      = newCloud("https://login.microsoftonline.de/", globalAPI, "https://graph.cloudapi.de")
	CloudUSGovernment = newCloud("https://login.microsoftonline.us/", globalAPI, globalGraph)
)

const (
	globalAPI   = "https://api.partnercenter.microsoft.com"
	globalGraph = "https://graph.windows.net"
)

// newCloud names the API's own base URL as the audience: the documentation
// asks for it with a user, and the service takes it from an app as well.
func newCloud(authority, api, graph string) cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			ServiceName:      {Audience: api, Endpoint: api},
			GraphServiceName: {Audience: graph, Endpoint: graph},
		},
	}
}

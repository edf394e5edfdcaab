package connect

import (
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// KnownAudience describes an audience. ok reports whether Partner Center
// accepts it, which it does for the graph's from apps only.
func KnownAudience(audience string) (what string, graph, ok bool) {
	audience = strings.TrimRight(audience, "/")
	if strings.EqualFold(audience, token.APIAppID) {
		return "Partner Center", false, true
	}
	for _, cloud := range partnercenter.CloudNames() {
		services := cloud.Configuration().Services
		switch {
		case strings.EqualFold(audience, services[partnercenter.ServiceName].Audience):
			return "Partner Center", false, true
		case strings.EqualFold(audience, services[partnercenter.GraphServiceName].Audience):
			return "the directory graph, which Partner Center accepts from apps", true, true
		}
	}
	return "not an audience of Partner Center", false, false
}

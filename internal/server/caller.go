package server

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// refuseWebPages keeps pages in a user's browser from calling an API that asks for no
// token: requests that a browser marks as such, and requests under a host name that
// points to this machine by its owner's choice. Nobody can do that with the hosts of
// Microsoft's API.
func refuseWebPages(r *http.Request) error {
	if loopback.IsFromOtherOrigin(r) {
		return errWebPage("comes from another site's page")
	}
	if host := loopback.Host(r); !loopback.IsLocalhostOrAddress(host) && cloudhosts.RoleOf(host) != cloudhosts.API {
		return errWebPage("is for the host " + quote.Text(host))
	}
	return nil
}

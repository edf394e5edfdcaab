package server

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// crossOrigin tells requests of other sites' pages by what browsers say of them.
var crossOrigin = http.NewCrossOriginProtection()

// refuseWebPages keeps the pages in a user's browser from calling an API that
// asks for no token: those that a browser marks, and those that give this
// machine a name of theirs. The hosts of Microsoft's API are nobody's to give.
func refuseWebPages(r *http.Request) error {
	if err := crossOrigin.Check(r); err != nil {
		return errWebPage("comes from another site's page")
	}
	if host := loopback.Host(r); !loopback.IsLocalhostOrAddress(host) && cloudhosts.RoleOf(host) != cloudhosts.API {
		return errWebPage("is for the host " + quote.Text(host))
	}
	return nil
}

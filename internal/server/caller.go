package server

import (
	"net/http"
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// refuseWebPages keeps pages in a user's browser from calling an API that asks for no
// token: requests that a browser marks as such, and requests under a host name that
// points to this machine by its owner's choice. Nobody can do that with the hosts of
// Microsoft's API, and nobody else with the server's public names.
func (s *Server) refuseWebPages(r *http.Request) error {
	if loopback.IsFromOtherOrigin(r) {
		return errWebPage("comes from another site's page")
	}
	host := loopback.Host(r)
	isOwn := func(u publicURL) bool { return ascii.EqualFold(u.name, host) }
	if !loopback.IsLocalhostOrAddress(host) && cloudhosts.RoleOf(host) != cloudhosts.API && !slices.ContainsFunc(s.public, isOwn) {
		return errWebPage("is for the host " + quote.Text(host))
	}
	return nil
}

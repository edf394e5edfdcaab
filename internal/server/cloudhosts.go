package server

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
)

// hostRole returns what a request's host serves when it came to one of
// Microsoft's, through a proxy or by a name that was mapped to this machine. At
// the server's own addresses everything is served. Microsoft's hosts speak TLS
// only, so that nobody is asked who calls over plain HTTP.
func hostRole(r *http.Request) cloudhosts.Role {
	if r.TLS == nil {
		return cloudhosts.Other
	}
	return cloudhosts.RoleOf(r.Host)
}

package server

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
)

// hostRole returns the role of the host that a request was sent to, if it is one of
// Microsoft's, reached through a proxy or by a name mapped to this machine. The
// server's own addresses serve everything. Microsoft's hosts speak TLS only, so plain
// HTTP is always the server's own.
func hostRole(r *http.Request) cloudhosts.Role {
	if r.TLS == nil {
		return cloudhosts.Other
	}
	return cloudhosts.RoleOf(r.Host)
}

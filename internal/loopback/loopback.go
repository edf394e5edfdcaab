// Package loopback tells this machine from others by how it is called.
package loopback

import (
	"net"
	"net/http"
	"strings"
)

// IsHost reports whether a host, without a port, is this machine: localhost or
// a loopback address.
func IsHost(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Host returns the host that a request calls the server by, without the port.
func Host(r *http.Request) string {
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		return name
	}
	return r.Host
}

// IsLocalhostOrAddress reports whether a host is localhost or an address. The owner of any
// other name can have it lead to this machine, and so make a web page of theirs
// look like one of ours.
func IsLocalhostOrAddress(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// Package loopback recognizes this machine by its names and addresses, and requests that
// web pages make a browser on it send.
package loopback

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// IsHost reports whether a host, without a port, is this machine: localhost or a
// loopback address.
func IsHost(host string) bool {
	address, _ := netip.AddrFromSlice(net.ParseIP(strings.Trim(host, "[]")))
	return ascii.EqualFold(host, "localhost") || IsAddress(address)
}

// IsAddress reports whether an address is a loopback one.
func IsAddress(address netip.Addr) bool { return address.IsLoopback() }

// Host returns the host that a request was sent to, without the port.
func Host(r *http.Request) string { return Name(r.Host) }

// Name returns the name or address in a host that may have a port.
func Name(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

var crossOrigin = http.NewCrossOriginProtection()

// IsFromOtherOrigin reports whether a browser says that a page of another origin makes
// it send the request, whatever the method: a read has an effect in logs and limits, and
// its answer is what some hole in a browser would leak. A request that a person types,
// and one without a browser's headers, are from nowhere.
func IsFromOtherOrigin(r *http.Request) bool {
	asChange := *r
	asChange.Method = http.MethodPost // reads pass the check
	return crossOrigin.Check(&asChange) != nil
}

// IsLocalhostOrAddress reports whether a host is localhost or an address. The owner of
// any other name can make it resolve to this machine, and so make a web page look like
// one of this server's.
func IsLocalhostOrAddress(host string) bool {
	return ascii.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// Package cloudhosts has the names of Microsoft's hosts that clients of Partner Center
// use, for sign-in and for the API, in all four clouds. It is the only place that lists
// them, for everything that emulates these hosts on this machine (certificates, proxy,
// token authority, API).
package cloudhosts

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Authority is a token authority, which has several names for historical reasons: a
// token that was obtained at one of them is valid at the others.
type Authority struct {
	Cloud            string   // the cloud's name in the client's package
	PreferredNetwork string   // the name that clients should connect to
	PreferredCache   string   // the name that clients store tokens under
	Hosts            []string // all of its names
}

// Authorities returns the token authorities of the clouds, as Microsoft's own
// instance discovery groups them.
//
// https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
func Authorities() []Authority {
	return []Authority{
		{ // global; the oldest name is the one in existing caches
			Cloud: "global", PreferredNetwork: "login.microsoftonline.com", PreferredCache: "login.windows.net",
			Hosts: []string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"},
		},
		{ // 21Vianet
			Cloud: "21vianet", PreferredNetwork: "login.partner.microsoftonline.cn", PreferredCache: "login.partner.microsoftonline.cn",
			Hosts: []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"},
		},
		{ // Germany
			Cloud: "germany", PreferredNetwork: "login.microsoftonline.de", PreferredCache: "login.microsoftonline.de",
			Hosts: []string{"login.microsoftonline.de"},
		},
		{ // US Government
			Cloud: "us-government", PreferredNetwork: "login.microsoftonline.us", PreferredCache: "login.microsoftonline.us",
			Hosts: []string{"login.microsoftonline.us", "login.usgovcloudapi.net"},
		},
	}
}

// The hosts by what they serve. They are computed once, because every request over TLS
// looks up its host.
var (
	authorities = Authorities()
	signIn      = signInHosts()
	api         = []string{
		"api.partnercenter.microsoft.com",             // global, Germany, US Government
		"partner.partnercenterapi.microsoftonline.cn", // 21Vianet
	}
)

func signInHosts() (hosts []string) {
	for _, a := range authorities {
		hosts = append(hosts, a.Hosts...)
	}
	return hosts
}

// issuers are hosts that tokens name as their issuer, in clouds whose sign-in hosts
// have other names. Clients do not connect to them, so they are not emulated.
var issuers = []string{"sts.chinacloudapi.cn", "sts.microsoftonline.de"}

// Issues reports whether Microsoft issues tokens at a host from an issuer or an address
// of keys. It must be spelled as Microsoft does: without a port, in lower case.
func Issues(host string) bool { return slices.Contains(signIn, host) || slices.Contains(issuers, host) }

// All returns every host, those of the API first.
func All() []string { return slices.Concat(api, signIn) }

// BaseURLs returns the addresses by which clients know the hosts. A port is that of a
// listener which the hosts are mapped to; 443 and 0 add none.
func BaseURLs(port int) []string {
	urls := make([]string, 0, len(api)+len(signIn))
	for _, host := range All() {
		if port != 0 && port != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(port))
		}
		urls = append(urls, "https://"+host)
	}
	return urls
}

// Role is what a host serves.
type Role int

// The roles of hosts.
const (
	Other  Role = iota // not one of Microsoft's listed here
	API                // the API, but no token authority
	SignIn             // a token authority, but no API
)

// RoleOf returns the role of the host in a Host header, a TLS server name or an
// address, in any case and with or without a port.
func RoleOf(host string) Role {
	host = Name(host)
	switch {
	case slices.Contains(signIn, host):
		return SignIn
	case slices.Contains(api, host):
		return API
	}
	return Other
}

// CloudAt returns the cloud of a sign-in host, empty for other hosts.
func CloudAt(host string) string {
	host = Name(host)
	for _, a := range authorities {
		if slices.Contains(a.Hosts, host) {
			return a.Cloud
		}
	}
	return ""
}

// Name returns the name in host, which may have a port, in the form in which names are
// compared. It is called for every request over TLS, and does not allocate for a name
// that already has this form.
func Name(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	return ascii.ToLower(strings.TrimSuffix(host, "."))
}

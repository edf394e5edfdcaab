package server

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
)

// maxHops is more proxies than a request passes: whoever sends longer lists wants them
// read.
const maxHops = 32

// asSent returns a request as its client sent it, if a trusted proxy passes it on: with
// the client's address, and with the scheme and host of the public URL that the client
// used. Everything behind it looks at these only. The headers stay, as a sign that the
// request has passed a proxy. Those of others, Forwarded and X-Forwarded-Host are ignored.
func (s *Server) asSent(r *http.Request) *http.Request {
	if len(s.config.TrustedProxies) == 0 {
		return r
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !s.trusts(from.Addr()) {
		return r
	}
	hops, schemes := r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"]
	if len(hops) == 0 && len(schemes) == 0 {
		return r // the proxy's own, such as a check of its health
	}
	sent := *r
	if client := s.clientOf(hops); client.IsValid() {
		sent.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	scheme := schemeOf(schemes)
	// Nobody but clients has the names of Microsoft's hosts.
	if len(s.public) > 0 && cloudhosts.RoleOf(r.Host) == cloudhosts.Other {
		used := s.publicURL(scheme, r.Host)
		scheme, sent.Host = used.scheme, used.host
	}
	switch {
	case scheme == "http":
		sent.TLS = nil
	case scheme == "https" && r.TLS == nil:
		sent.TLS = &tls.ConnectionState{}
	}
	return &sent
}

// trusts reports whether the headers of a proxy count.
func (s *Server) trusts(proxy netip.Addr) bool {
	proxy = proxy.Unmap().WithZone("")
	return slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(proxy) })
}

// clientOf returns the client in the headers of a trusted proxy: each proxy adds at the
// end whom the request comes from, so it is the last one that is no trusted proxy or, if
// all are, the first. It is the zero address if that cannot be read.
func (s *Server) clientOf(headers []string) (client netip.Addr) {
	hops := 0
	for _, header := range slices.Backward(headers) {
		for more := true; more; {
			var text string
			at := strings.LastIndexByte(header, ',')
			more = at >= 0
			header, text = header[:max(at, 0)], header[at+1:]
			if text = ascii.TrimSpace(text); text == "" {
				continue
			}
			hop, ok := addressOf(text)
			if hops++; !ok || hops > maxHops {
				return netip.Addr{}
			}
			if client = hop; !s.trusts(hop) {
				return client
			}
		}
	}
	return client
}

// addressOf reads an address as proxies write them: with or without a port, and those of
// IPv6 with or without brackets.
func addressOf(text string) (netip.Addr, bool) {
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text += ":0"
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		with, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		address = with.Addr()
	}
	return address.Unmap().WithZone(""), true
}

// schemeOf returns the scheme in the headers of a trusted proxy, empty if they have
// another, or several: it is not known which proxy adds to them and which replaces them.
func schemeOf(headers []string) (scheme string) {
	for _, header := range headers {
		for text := range strings.SplitSeq(header, ",") {
			text = ascii.ToLower(ascii.TrimSpace(text))
			if text != "http" && text != "https" || scheme != "" && scheme != text {
				return ""
			}
			scheme = text
		}
	}
	return scheme
}

// publicURL is where clients reach the server through proxies.
type publicURL struct{ scheme, host, name string } // host: the name with its port

// newPublicURLs splits normalized base URLs.
func newPublicURLs(bases []string) (all []publicURL) {
	for _, base := range bases {
		scheme, host, _ := strings.Cut(base, "://")
		all = append(all, publicURL{scheme, host, loopback.Name(host)})
	}
	return all
}

// publicURL returns the one that the client of a trusted proxy used: with the host that
// the proxy sends or, as some leave out the port, with its name, and of several with the
// scheme. Others send the host that they connect to, which says nothing: then it is the
// first.
func (s *Server) publicURL(scheme, host string) publicURL {
	best, most := s.public[0], 0
	for _, u := range s.public {
		var fits int
		switch {
		case ascii.EqualFold(u.host, host):
			fits = 4
		case ascii.EqualFold(u.name, loopback.Name(host)):
			fits = 2
		default:
			continue
		}
		if u.scheme == scheme {
			fits++
		}
		if fits > most {
			best, most = u, fits
		}
	}
	return best
}

package serve

import (
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/keypair"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// publicOptions are the flags of serve about where others reach it.
type publicOptions struct {
	urls    []string // normalized by check
	proxies []string
	trusted []netip.Prefix // proxies
}

func (o *publicOptions) addFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.urls, "public-url", nil, "base `URL` where clients reach the server, through a proxy or by another name than its listeners', such as https://partnercenter.example.com, can be repeated; the first is for requests to unknown names")
	f.StringArrayVar(&o.proxies, "trusted-proxy", nil, "`addresses` of proxies, such as 10.1.2.0/24, whose X-Forwarded-For and X-Forwarded-Proto count, can be repeated (default: none)")
}

// checkPublic normalizes --public-url and --trusted-proxy, and fails for what nobody
// could use.
func (o *serveOptions) checkPublic() error {
	if err := o.public.parseProxies(); err != nil {
		return err
	}
	if o.auth.mode == authNone && len(o.public.trusted) > 0 {
		return terminal.Usagef("--auth none does not authenticate callers, so it is for this machine only, and --trusted-proxy lets others in: leave it out, or choose --auth builtin or entra")
	}
	for i, text := range o.public.urls {
		base, err := parsePublicURL(text)
		switch {
		case err != nil:
			return err
		case slices.Contains(o.public.urls[:i], base):
			return terminal.Usagef("--public-url %s is given twice: leave one out", base)
		}
		secure, listeners := strings.HasPrefix(base, "https:"), o.listen
		if secure {
			listeners = o.listenTLS
		}
		switch {
		case o.auth.mode == authNone && !localca.IsLocal(hostOf(base)):
			return terminal.Usagef("--auth none does not authenticate callers, so it is for this machine only, and --public-url %s is for others: leave it out, or choose --auth builtin or entra", base)
		case len(listeners) > 0 || len(o.public.trusted) > 0:
		case secure:
			return terminal.Usagef("--public-url %s cannot be served, because no listener speaks TLS: give --listen-tls an address, or name with --trusted-proxy the proxy that does", base)
		default:
			return terminal.Usagef("--public-url %s cannot be served, because no listener speaks plain HTTP: write https, give --listen an address, or name with --trusted-proxy the proxy that does", base)
		}
		o.public.urls[i] = base
	}
	return nil
}

// parsePublicURL returns a public URL in the form of token.NormalBase.
func parsePublicURL(text string) (string, error) {
	const like = "like https://partnercenter.example.com"
	if strings.Contains(text, "@") { // not repeated
		return "", terminal.Usagef("--public-url has a user or a password: leave them out, %s", like)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", terminal.Usagef("--public-url %q is no base URL: write scheme, host and port, %s or https://192.0.2.1:8443", text, like)
	}
	if strings.TrimSuffix(u.Path, "/") != "" || strings.ContainsAny(text, "?#") {
		return "", terminal.Usagef("--public-url %q has more than scheme, host and port: leave the rest out; the server answers at the root of a name, so behind a proxy it needs a name or a port of its own", text)
	}
	host := u.Hostname()
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	switch {
	case cloudhosts.RoleOf(strings.TrimRight(host, ".")) != cloudhosts.Other:
		return "", terminal.Usagef("--public-url %s is a host of Microsoft's: to answer for these, use --proxy or --microsoft-hosts instead", text)
	case isAddress && (address.IsUnspecified() || address.IsMulticast() || address.Zone() != ""):
		return "", terminal.Usagef("--public-url %s is no address that clients can use: write the name or address of this machine, or of the proxy", text)
	case !isAddress && !localca.IsName(host):
		return "", terminal.Usagef("--public-url %q: %q is no host name: write each name on its own, %s, without wildcards and a final dot, and names beyond ASCII as in DNS (xn--…)", text, host, like)
	}
	if isAddress {
		host = address.Unmap().String()
	}
	if _, port, found := strings.Cut(u.Host[strings.LastIndexByte(u.Host, ']')+1:], ":"); found {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return "", terminal.Usagef("--public-url %q has no port that clients can use: write one from 1 to 65535, or leave out the colon", text)
		}
		host = net.JoinHostPort(host, strconv.FormatUint(number, 10))
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	base, _ := token.NormalBase(u.Scheme + "://" + host)
	return base, nil
}

func (o *publicOptions) parseProxies() error {
	o.trusted = nil
	for _, text := range o.proxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil || address.Zone() != "" {
				return terminal.Usagef("--trusted-proxy %q is no range of addresses: write it like 10.1.2.0/24, or one address like 10.1.2.3", text)
			}
			network = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
		}
		if network.Addr().Is4In6() {
			return terminal.Usagef("--trusted-proxy %q is a range of IPv4 in the form of IPv6: write it like 10.1.2.0/24", text)
		}
		o.trusted = append(o.trusted, network.Masked())
	}
	return nil
}

// hostOf returns the name or address in a public URL.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// secureHosts returns the hosts of the public URLs over TLS.
func (o *publicOptions) secureHosts() (hosts []string) {
	for _, base := range o.urls {
		if host := hostOf(base); strings.HasPrefix(base, "https:") && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// checkCertificate fails for a public URL whose clients would refuse the listener's own
// certificate. A trusted proxy has another.
func (o *publicOptions) checkCertificate(leaf *x509.Certificate) error {
	for _, host := range o.secureHosts() {
		if leaf.VerifyHostname(host) != nil && len(o.trusted) == 0 {
			return terminal.Usagef("--public-url: the certificate of --tls-cert is for %s, and not for %s: give one that is, or name with --trusted-proxy the proxy that has it", strings.Join(keypair.Names(leaf), ", "), host)
		}
	}
	return nil
}

// anybody is the size of the widest range that anyone has to themselves, in bits: that
// of IPv6's local addresses.
const anybody = 7

// warnOfPublic warns of what --public-url and --trusted-proxy let happen.
func (l *local) warnOfPublic(o *publicOptions) {
	for _, base := range o.urls {
		if strings.HasPrefix(base, "http:") && !connect.IsLoopback(base) {
			l.logger.Warn("secrets and tokens are sent in the clear to the public URL, where many clients, partnercenter's too, refuse to send them: use https", "url", base)
		}
	}
	for _, network := range o.trusted {
		if network.Bits() < anybody {
			l.logger.Warn("anybody is a trusted proxy, and can pass for any client, so that limits on guesses do not hold: name the addresses of the proxies alone", "flag", "--trusted-proxy", "addresses", network.String())
		}
	}
}

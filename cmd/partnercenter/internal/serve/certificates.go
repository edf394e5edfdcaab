package serve

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/keypair"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/proxy"
)

// certificates selects the certificates for TLS connections.
type certificates struct {
	own       *keypair.Files         // nil if none was given
	local     *localca.CA            // for names of this machine; nil if own is used, or there is no TLS listener
	names     []string               // that local signs for
	public    map[string]*localca.CA // for other names and addresses of the server's, in lower case
	microsoft *localca.CA            // for Microsoft's hosts; nil if they are not emulated
	log       *slog.Logger
	warned    sync.Once // to warn once of a request for a host of Microsoft's
}

// caFolder returns the folder of the certificate authorities.
func caFolder(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	state, err := connect.StateDir()
	if err != nil {
		return "", fmt.Errorf("certificate authority: %w; or name a folder with --ca-dir", err)
	}
	return filepath.Join(state, "ca"), nil
}

// caError says where the folder of an error of package localca is from.
func caError(err error, flag string) error {
	text := strings.TrimPrefix(err.Error(), "localca: ")
	if flag == "" {
		return fmt.Errorf("certificate authority: %s; or name another folder than this user's with --ca-dir", text)
	}
	return fmt.Errorf("certificate authority (--ca-dir): %s", text)
}

// openCertificates prepares what the flags require: the user's certificate or
// the local authority, and the authority for Microsoft's hosts.
func openCertificates(o *serveOptions, log *slog.Logger) (*certificates, error) {
	c := &certificates{log: log, names: []string{"localhost", "127.0.0.1", "::1"}, public: make(map[string]*localca.CA)}
	if o.tlsCert != "" {
		own, err := keypair.Load(o.tlsCert, o.tlsKey, time.Now, log)
		if err != nil {
			return nil, terminal.Usagef("--tls-cert and --tls-key: %v", err)
		}
		if err := o.public.checkCertificate(own.Certificate().Leaf); err != nil {
			return nil, err
		}
		c.own = own
	}
	dir, err := caFolder(o.caDir)
	if err != nil {
		return nil, err
	}
	if len(o.listenTLS) > 0 && c.own == nil {
		if c.local, err = localca.Open(dir, time.Now()); err != nil {
			return nil, caError(err, o.caDir)
		}
		for _, host := range o.public.secureHosts() {
			if localca.IsLocal(host) {
				if !slices.Contains(c.names, host) {
					c.names = append(c.names, host)
				}
			} else if c.public[host], err = localca.OpenPublic(dir, time.Now(), host); err != nil {
				return nil, caError(err, o.caDir)
			}
		}
	}
	if o.playsMicrosoft() {
		if c.microsoft, err = localca.OpenInterception(dir, time.Now(), cloudhosts.All()...); err != nil {
			return nil, caError(err, o.caDir)
		}
	}
	return c, nil
}

// checkTLS fails if only one of several related flags is given.
func (o *serveOptions) checkTLS() error {
	switch {
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return terminal.Usagef("--tls-cert and --tls-key go together: give both, or neither for a certificate of the local authority")
	case o.tlsCert != "" && len(o.listenTLS) == 0:
		return terminal.Usagef("--tls-cert is for the TLS listener, which is turned off: give --listen-tls an address")
	case o.microsoftHosts && len(o.listenTLS) == 0 && len(o.proxy) == 0:
		return terminal.Usagef("--microsoft-hosts requires a TLS listener or a proxy: give --listen-tls or --proxy an address")
	}
	if err := terminal.OneOf("proxy-others", o.proxyOthers, othersRefused, othersTunnelled); err != nil {
		return err
	}
	if o.proxyOthers != othersRefused && len(o.proxy) == 0 {
		return terminal.Usagef("--proxy-others is for the proxy, which is turned off: give --proxy an address")
	}
	return nil
}

// The values of --proxy-others.
const (
	othersRefused   = "refuse"
	othersTunnelled = "tunnel"
)

// playsMicrosoft reports whether the server answers for Microsoft's hosts.
func (o *serveOptions) playsMicrosoft() bool { return o.microsoftHosts || len(o.proxy) > 0 }

// playsSignIn reports whether the server also answers for the sign-in hosts,
// which it does not if Microsoft issues the tokens.
func (o *serveOptions) playsSignIn() bool { return o.playsMicrosoft() && o.auth.mode != authEntra }

// config returns the TLS settings of the listeners.
func (c *certificates) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// get selects the certificate for a client by the host that the client
// requested from the proxy, or named in its ClientHello.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := cmp.Or(proxy.HostOf(hello.Conn), cloudhosts.Name(hello.ServerName))
	if cloudhosts.RoleOf(host) != cloudhosts.Other {
		if c.microsoft != nil {
			return c.microsoft.Certificate(time.Now(), host)
		}
		c.warned.Do(func() {
			c.log.Warn("a client requested a host of Microsoft's, and gets a certificate that it will refuse: to answer for these hosts, start with --microsoft-hosts", "host", host)
		})
	}
	if c.own != nil {
		return c.own.Certificate(), nil
	}
	if host, ca := c.publicFor(host, hello); ca != nil {
		return ca.Certificate(time.Now(), host)
	}
	return c.local.Certificate(time.Now(), c.names...)
}

// publicFor returns the name or address of the server that a client means, and its
// authority, nil for a name of this machine. Clients do not name addresses: who names
// nothing and comes from elsewhere means one.
func (c *certificates) publicFor(name string, hello *tls.ClientHelloInfo) (host string, ca *localca.CA) {
	if name != "" || len(c.public) == 0 || hello.Conn == nil {
		return name, c.public[name]
	}
	at, ok := hello.Conn.LocalAddr().(*net.TCPAddr)
	if !ok || at.IP.IsLoopback() {
		return "", nil
	}
	if ca = c.public[at.IP.String()]; ca != nil {
		return at.IP.String(), ca
	}
	for _, host := range slices.Sorted(maps.Keys(c.public)) { // another one is translated to that of the listener
		if net.ParseIP(host) != nil {
			return host, c.public[host]
		}
	}
	return "", nil
}

// caFile returns the file of the authorities for clients to trust, empty if the
// user's own certificate is used.
func (c *certificates) caFile() (string, error) {
	var all []*localca.CA
	if c.local != nil {
		all = append(all, c.local)
	}
	for _, host := range slices.Sorted(maps.Keys(c.public)) {
		all = append(all, c.public[host])
	}
	if c.microsoft != nil {
		all = append(all, c.microsoft)
	}
	switch len(all) {
	case 0:
		return "", nil
	case 1:
		return all[0].CertFile(), nil
	}
	return localca.WriteBundle(all...)
}

// reachableAt returns the TLS listener's URLs under the names in its
// certificate, and the preferred one.
func (c *certificates) reachableAt(listener string) (best string, all []string) {
	parsed, err := url.Parse(listener)
	if c.own == nil || err != nil {
		return listener, nil
	}
	leaf := c.own.Certificate().Leaf
	for _, name := range keypair.Names(leaf) {
		if !strings.Contains(name, "*") {
			all = append(all, "https://"+net.JoinHostPort(name, parsed.Port()))
		}
	}
	if leaf.VerifyHostname(parsed.Hostname()) == nil || len(all) == 0 {
		return listener, all
	}
	return all[0], all
}

// secureURLs returns additional addresses at which requests may arrive over
// TLS.
func (l *local) secureURLs() []string {
	var urls []string
	if l.certificates == nil {
		return nil
	}
	for _, listener := range l.tlsURLs {
		_, named := l.certificates.reachableAt(listener)
		urls = append(urls, named...)
	}
	if l.certificates.microsoft == nil {
		return urls
	}
	urls = append(urls, cloudhosts.BaseURLs(443)...)
	for _, listener := range l.tlsURLs {
		if parsed, err := url.Parse(listener); err == nil {
			// For clients that map the names to this machine, but not the port.
			port, _ := strconv.Atoi(parsed.Port())
			urls = append(urls, cloudhosts.BaseURLs(port)...)
		}
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

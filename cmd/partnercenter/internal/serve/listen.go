package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/proxy"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// checkAddresses drops the empty address that turns a listener off, and fails for
// addresses that are given twice.
func (o *serveOptions) checkAddresses() error {
	given := map[string]string{}
	for _, flag := range []struct {
		name      string
		addresses *[]string
	}{{"--listen", &o.listen}, {"--listen-tls", &o.listenTLS}, {"--control", &o.control}, {"--proxy", &o.proxy}, {"--ops", &o.ops}} {
		if slices.Contains(*flag.addresses, "") {
			if len(*flag.addresses) > 1 {
				return terminal.Usagef("%s is empty beside other addresses: alone that turns it off; leave out the one or the others", flag.name)
			}
			*flag.addresses = nil
		}
		for _, address := range *flag.addresses {
			for other, first := range given {
				if address == other && !strings.HasSuffix(address, ":0") {
					return terminal.Usagef("%s %s is given twice, also with %s: give each listener an address of its own", flag.name, address, first)
				}
				if covers(address, other) || covers(other, address) {
					return terminal.Usagef("%s %s and %s %s are the same port of the same address: give each listener a port of its own", first, other, flag.name, address)
				}
			}
			given[address] = flag.name
		}
	}
	return nil
}

// covers reports whether a listener at an address has those of the other one, too.
func covers(address, other string) bool {
	host, port, err := net.SplitHostPort(address)
	host2, port2, err2 := net.SplitHostPort(other)
	if err != nil || err2 != nil || port != port2 || port == "0" {
		return false
	}
	switch ip := net.ParseIP(host2); {
	case host == "" || host == "::":
		return true
	case host == "0.0.0.0":
		return ip == nil || ip.To4() != nil
	case ascii.EqualFold(host, "localhost"):
		return ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.Equal(net.IPv6loopback)
	}
	return false
}

// listen opens the listeners.
func (l *local) listen(ctx context.Context, o *serveOptions) (err error) {
	l.facts.PID = os.Getpid()
	for _, listening := range []struct {
		flag, scheme string
		addresses    []string
		listener     *net.Listener
		urls         *[]string
	}{
		{"--listen", "http", o.listen, &l.listeners.API, &l.urls},
		{"--control", "http", o.control, &l.listeners.Control, &l.controlURLs},
		{"--listen-tls", "https", o.listenTLS, &l.listeners.APITLS, &l.tlsURLs},
		{"--proxy", "http", o.proxy, &l.proxyListener, &l.proxyURLs},
		{"--ops", "http", o.ops, &l.listeners.Ops, &l.opsURLs},
	} {
		var all []net.Listener
		for _, address := range listening.addresses {
			opened, url, err := l.listenOn(ctx, listening.flag, listening.scheme, address, &o.auth)
			all = append(all, opened...)
			if err != nil {
				closeAll(all)
				return err
			}
			*listening.urls = append(*listening.urls, url)
		}
		*listening.listener = join(all)
	}
	if l.listeners.API == nil && l.listeners.APITLS == nil {
		return terminal.Usagef("there is no listener: give --listen or --listen-tls an address")
	}
	f := &l.facts
	f.APIURL, f.ControlURL, f.ProxyURL, f.OpsURL = first(l.urls), first(l.controlURLs), first(l.proxyURLs), first(l.opsURLs)
	f.APIURLs = l.urls
	f.PublicURLs, f.proxied = o.public.urls, len(o.public.urls) > 0 && len(o.public.trusted) > 0
	l.warnOfPublic(&o.public)
	if l.listeners.APITLS == nil && l.proxyListener == nil {
		return nil
	}
	if l.certificates, err = openCertificates(o, l.logger); err != nil {
		return err
	}
	l.listeners.TLS = l.certificates.config()
	if f.CAFile, err = l.certificates.caFile(); err != nil {
		return err
	}
	for _, listener := range l.tlsURLs {
		best, _ := l.certificates.reachableAt(listener)
		f.APIURLs = append(f.APIURLs, best)
	}
	f.APIURLTLS = first(f.APIURLs[len(l.urls):])
	f.OwnCertificate = l.listeners.APITLS != nil && l.certificates.own != nil
	if l.proxyListener != nil {
		l.proxy = proxy.New(proxy.Options{TunnelOthers: o.proxyOthers == othersTunnelled, TunnelSignIn: !o.playsSignIn(), Logger: l.logger})
		l.listeners.Intercepted = l.proxy.Intercepted()
	}
	return nil
}

// shown returns the listeners for the page at the server's root.
func (l *local) shown() (all []server.Listener) {
	for _, kind := range []struct {
		name string
		urls []string
	}{{"Public", l.facts.PublicURLs}, {"API", l.urls}, {"API over TLS", l.facts.APIURLs[len(l.urls):]}, {"Control plane", l.controlURLs}, {"Proxy", l.proxyURLs}, {"Health and figures", l.opsURLs}} {
		for _, address := range kind.urls {
			all = append(all, server.Listener{Name: kind.name, URL: address})
		}
	}
	return all
}

// first returns the first text, empty if there is none.
func first(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// portTries bounds the search for a port that is free at both addresses of localhost.
const portTries = 20

// listenOn listens on an address, and returns the URL by which to show it. The name
// localhost has two addresses: clients use the one or the other.
func (l *local) listenOn(ctx context.Context, flag, scheme, address string, auth *authOptions) ([]net.Listener, string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !ascii.EqualFold(host, "localhost") {
		listener, err := l.listenAt(ctx, flag, scheme, address, auth)
		if err != nil {
			return nil, "", err
		}
		return []net.Listener{listener}, scheme + "://" + reachable(listener.Addr().(*net.TCPAddr)), nil
	}
	for try := 1; ; try++ {
		four, err := l.listenAt(ctx, flag, scheme, net.JoinHostPort("127.0.0.1", port), auth)
		if err != nil {
			return nil, "", err
		}
		both := []net.Listener{four}
		chosen := strconv.Itoa(four.Addr().(*net.TCPAddr).Port)
		six, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("::1", chosen))
		switch {
		case err == nil:
			both = append(both, l.watch(six))
		case terminal.AddressInUse(err):
			closeAll(both)
			if port == chosen || try == portTries {
				return nil, "", inUse(net.JoinHostPort("::1", chosen), flag)
			}
			continue
		}
		// Otherwise this machine has no IPv6.
		return both, scheme + "://" + net.JoinHostPort("localhost", chosen), nil
	}
}

func inUse(address, flag string) error {
	return fmt.Errorf("address %s is in use, perhaps by another server: stop that one, or choose another address with %s (port 0 selects a free one)", address, flag)
}

func (l *local) listenAt(ctx context.Context, flag, scheme, address string, auth *authOptions) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case terminal.AddressInUse(err):
		return nil, inUse(address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user is not allowed to listen on %s: choose a port of 1024 or higher with %s", address, flag)
	case err != nil:
		return nil, terminal.Usagef("cannot listen on %q: %v; write the address like 127.0.0.1:8080 in %s", address, err, flag)
	}
	at := listener.Addr().(*net.TCPAddr)
	if flag == "--ops" { // no data and no secrets, and never there by default
		return l.watch(listener), nil
	}
	if err := auth.checkListener(flag, scheme, at, l.logger); err != nil {
		listener.Close()
		return nil, err
	}
	if !at.IP.IsLoopback() {
		can := "can try to sign in"
		switch flag {
		case "--control":
			can = "can get tokens and set the clock"
		case "--proxy":
			can = "can use it as a proxy"
		}
		l.logger.Warn("listening beyond this machine: anyone who reaches the address "+can, "flag", flag, "address", at.String())
	}
	return l.watch(listener), nil
}

// reachable returns an address for clients on this machine, which the
// unspecified address is not.
func reachable(at *net.TCPAddr) string {
	if at.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(at.Port))
	}
	return at.String()
}

// baseURLs returns the addresses at which requests may arrive: those given, and
// this machine's other names for the same.
func baseURLs(urls ...string) []string {
	names := []string{"127.0.0.1", "localhost", "::1"}
	var all []string
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			continue
		}
		all = append(all, text)
		if slices.Contains(names, u.Hostname()) {
			for _, name := range names {
				all = append(all, u.Scheme+"://"+net.JoinHostPort(name, u.Port()))
			}
		}
	}
	return all
}

// watched is a listener whose errors are in the log: a server that has run out of file
// descriptors accepts nobody, and does not look busy otherwise.
type watched struct {
	net.Listener
	logger *slog.Logger
	now    func() time.Time

	mu     sync.Mutex // guards what follows
	logged time.Time  // when an error was last logged
	since  int        // errors since then
}

func (l *local) watch(listener net.Listener) *watched {
	return &watched{Listener: listener, logger: l.logger, now: time.Now}
}

// watchedEvery is how often errors are logged. Servers try again many times a second.
const watchedEvery = 10 * time.Second

// Accept returns the next connection.
func (w *watched) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		w.warn(err)
	}
	return conn, err
}

func (w *watched) warn(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since++
	if now := w.now(); w.logged.IsZero() || now.Sub(w.logged) >= watchedEvery {
		w.logger.Warn("connections cannot be accepted: close some, or allow more open files (ulimit -n)",
			"address", w.Addr().String(), "error", err, "times", w.since)
		w.logged, w.since = now, 0
	}
}

// joined is several listeners as one.
type joined struct {
	net.Listener // the first
	all          []net.Listener
	accepted     chan accepted
	closed       chan struct{}
	close        func()
}

type accepted struct {
	conn net.Conn
	err  error
}

// join returns the listeners as one, nil for none.
func join(all []net.Listener) net.Listener {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	j := &joined{Listener: all[0], all: all, accepted: make(chan accepted), closed: make(chan struct{})}
	j.close = sync.OnceFunc(func() { close(j.closed) })
	for _, l := range all {
		go j.acceptFrom(l)
	}
	return j
}

func (j *joined) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case j.accepted <- accepted{conn, err}:
		case <-j.closed:
			if conn != nil {
				conn.Close()
			}
			return
		}
	}
}

// Accept returns the next connection of any listener.
func (j *joined) Accept() (net.Conn, error) {
	select {
	case a := <-j.accepted:
		return a.conn, a.err
	case <-j.closed:
		return nil, net.ErrClosed
	}
}

// Close closes all listeners.
func (j *joined) Close() error {
	j.close()
	closeAll(j.all)
	return nil
}

func closeAll(all []net.Listener) {
	for _, l := range all {
		l.Close()
	}
}

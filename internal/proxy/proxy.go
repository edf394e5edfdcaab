// Package proxy is an HTTP forward proxy that intercepts connections to Microsoft's
// hosts. It passes them on, as a listener, to the server that emulates those hosts, and
// refuses or tunnels all others. It has no certificates and serves no request of the
// API.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/elazarl/goproxy"

	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
)

const (
	readHeaderTimeout = 15 * time.Second
	// idleTimeout ends idle connections and tunnels.
	idleTimeout    = 2 * time.Minute
	dialTimeout    = 15 * time.Second
	maxHeaderBytes = 32 << 10
	// maxConnections bounds the files that clients keep open. The next connection waits
	// until one of them is closed.
	maxConnections = 1000
)

// httpsPort is the only port of HTTPS hosts. CONNECT to any other would turn the proxy into a way around firewalls, and to other services on its machine.
const httpsPort = "443"

// Options configure [New].
type Options struct {
	// TunnelOthers lets clients reach hosts that are not intercepted, on the ports of
	// HTTP and HTTPS. Without it they are refused.
	TunnelOthers bool
	// TunnelSignIn lets clients reach Microsoft's own sign-in hosts, for a server that
	// accepts their tokens.
	TunnelSignIn bool
	Logger       *slog.Logger // nil logs nothing
}

// Proxy is a forward proxy. [Proxy.Serve] runs it.
type Proxy struct {
	tunnelOthers bool
	tunnelSignIn bool
	log          *slog.Logger
	handler      *goproxy.ProxyHttpServer
	intercepted  *connListener
	dial         func(ctx context.Context, network, address string) (net.Conn, error)
	inward       *http.Transport // to intercepted

	mu      sync.Mutex           // guards tunnels
	tunnels map[*farEnd]struct{} // nil once the proxy has stopped
}

// New returns a proxy for the hosts of package cloudhosts.
func New(o Options) *Proxy {
	p := &Proxy{
		tunnelOthers: o.TunnelOthers, tunnelSignIn: o.TunnelSignIn, log: o.Logger,
		handler: goproxy.NewProxyHttpServer(), intercepted: newConnListener(),
		dial:    (&net.Dialer{Timeout: dialTimeout}).DialContext,
		tunnels: make(map[*farEnd]struct{}),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.inward = &http.Transport{DialTLSContext: p.dialInward, DisableCompression: true, IdleConnTimeout: idleTimeout}
	// A proxy from the environment would often be this one: users who export
	// HTTPS_PROXY for their clients start the server in the same shell.
	p.handler.Tr = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return p.dial(ctx, network, address)
		},
		ResponseHeaderTimeout: idleTimeout, IdleConnTimeout: idleTimeout,
	}
	p.handler.ConnectDial = nil
	p.handler.ConnectDialWithReq = func(r *http.Request, network, address string) (net.Conn, error) {
		return p.openTunnel(p.dial(r.Context(), network, address))
	}
	p.handler.KeepAcceptEncoding = true
	p.handler.Logger = debugLog{p.log}
	p.handler.NonproxyHandler = http.HandlerFunc(notAProxyRequest)
	p.handler.OnRequest().HandleConnectFunc(p.connect)
	p.handler.OnRequest().DoFunc(p.forward)
	p.handler.OnResponse().DoFunc(unreachable)
	return p
}

// Intercepted returns the listener for connections to Microsoft's hosts. They begin
// with a TLS handshake; [HostOf] returns the host.
func (p *Proxy) Intercepted() net.Listener { return p.intercepted }

// Serve serves on l until ctx is done. It then waits for requests in flight, for at
// most grace, closes the tunnels and returns nil. Intercepted connections belong to
// those who accepted them.
func (p *Proxy) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(p.answer),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		err := server.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		p.closeTunnels()
		stopped <- err
	})
	err := server.Serve(limitConnections(l, maxConnections))
	if !stop() {
		return <-stopped
	}
	p.closeTunnels()
	return err
}

// answer preserves what a client sent after CONNECT without waiting for the answer:
// goproxy hands over the bare connection, without what was read ahead.
func (p *Proxy) answer(w http.ResponseWriter, r *http.Request) {
	if h, ok := w.(http.Hijacker); ok && r.Method == http.MethodConnect {
		w = &hijacker{ResponseWriter: w, Hijacker: h}
	}
	p.handler.ServeHTTP(w, r)
}

// intercepts reports whether connections to a host are intercepted.
func (p *Proxy) intercepts(host string) bool {
	switch cloudhosts.RoleOf(host) {
	case cloudhosts.API:
		return true
	case cloudhosts.SignIn:
		return !p.tunnelSignIn
	}
	return false
}

// tunnelsTo reports whether connections to a host are tunnelled.
func (p *Proxy) tunnelsTo(host string) bool {
	return p.tunnelOthers || p.tunnelSignIn && cloudhosts.RoleOf(host) == cloudhosts.SignIn
}

// connect decides about a CONNECT.
func (p *Proxy) connect(address string, c *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return p.refuse(c, fmt.Sprintf("CONNECT %q names no host and port; write both, as in CONNECT login.microsoftonline.com:443", clean(address)))
	}
	known := p.intercepts(host)
	switch {
	case known && port == httpsPort:
		return &goproxy.ConnectAction{Action: goproxy.ConnectHijack, Hijack: p.intercept}, address
	case known:
		return p.refuse(c, wrongPort(host, port))
	case !p.tunnelsTo(host):
		return p.refuse(c, notTakenIn(host))
	case port != httpsPort:
		return p.refuse(c, fmt.Sprintf("this proxy tunnels to port 443 only, not to port %s of %s; keep that host from the proxy with NO_PROXY=%s", clean(port), clean(host), clean(host)))
	}
	p.log.Debug("proxy: tunnel", "host", clean(host))
	return goproxy.OkConnect, address
}

func wrongPort(host, port string) string {
	return fmt.Sprintf("this proxy answers for %s on port 443 only, not on port %s; ask for https://%s without a port", clean(host), clean(port), clean(host))
}

// notTakenIn says why a host is refused, and what to do.
func notTakenIn(host string) string {
	return fmt.Sprintf("%s is not one of Microsoft's sign-in and API hosts, which are all that this proxy answers for; keep it from the proxy with NO_PROXY=%s, or start the server with --proxy-others tunnel", clean(host), clean(host))
}

// refuse answers a CONNECT. The reason is in the status line as well as in the body:
// most clients show nothing else.
func (p *Proxy) refuse(c *goproxy.ProxyCtx, why string) (*goproxy.ConnectAction, string) {
	p.log.Info("proxy: refused", "reason", why)
	c.Resp = refusal(c.Req, why) //nolint:bodyclose // it is in memory
	c.Resp.Status = why
	return goproxy.RejectConnect, ""
}

func refusal(r *http.Request, why string) *http.Response {
	resp := goproxy.NewResponse(r, "text/plain; charset=utf-8", http.StatusForbidden, "partnercenter: "+why+"\n")
	resp.TransferEncoding = nil // the request's
	return resp
}

// intercept intercepts a connection to one of Microsoft's hosts.
func (p *Proxy) intercept(r *http.Request, client net.Conn, _ *goproxy.ProxyCtx) {
	if err := client.SetWriteDeadline(time.Now().Add(readHeaderTimeout)); err == nil {
		_, err = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		if err == nil && client.SetWriteDeadline(time.Time{}) == nil {
			p.log.Debug("proxy: taken in", "host", cloudhosts.Name(r.URL.Host))
			p.intercepted.put(&intercepted{Conn: client, host: cloudhosts.Name(r.URL.Host)})
			return
		}
	}
	client.Close()
}

// forward decides about a request with an absolute URL. It is over plain HTTP, or for
// HTTPS without CONNECT, as axios sent them for years, which is forwarded to
// intercepted hosts nevertheless.
func (p *Proxy) forward(r *http.Request, c *goproxy.ProxyCtx) (*http.Request, *http.Response) {
	var why string
	host := r.URL.Hostname()
	known := p.intercepts(host)
	switch {
	case known && r.URL.Scheme == "https" && (r.URL.Port() == "" || r.URL.Port() == httpsPort):
		c.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
			return p.inward.RoundTrip(r)
		})
		return r, nil
	case known && r.URL.Scheme == "https":
		why = wrongPort(host, r.URL.Port())
	case known || p.tunnelSignIn && cloudhosts.RoleOf(host) == cloudhosts.SignIn:
		why = fmt.Sprintf("%s speaks HTTPS only; ask for https://%s, which reaches a proxy as CONNECT", clean(host), clean(host))
	case !p.tunnelOthers:
		why = notTakenIn(host)
	case r.URL.Scheme != "http":
		why = fmt.Sprintf("%s URLs reach a proxy as CONNECT; tell the client so, or keep %s from the proxy with NO_PROXY=%s", clean(r.URL.Scheme), clean(host), clean(host))
	case r.URL.Port() != "" && r.URL.Port() != "80":
		why = fmt.Sprintf("this proxy forwards to port 80 only, not to port %s of %s; keep that host from the proxy with NO_PROXY=%s", clean(r.URL.Port()), clean(host), clean(host))
	default:
		return r, nil
	}
	p.log.Info("proxy: refused", "reason", why)
	return r, refusal(r, why)
}

// unreachable answers for a host that a request could not be forwarded to.
func unreachable(resp *http.Response, c *goproxy.ProxyCtx) *http.Response {
	if resp != nil || c.Error == nil {
		return resp
	}
	why := fmt.Sprintf("partnercenter: %s cannot be reached from here; look whether it is up, or keep it from the proxy with NO_PROXY=%s\n", clean(c.Req.URL.Hostname()), clean(c.Req.URL.Hostname()))
	return goproxy.NewResponse(c.Req, "text/plain; charset=utf-8", http.StatusBadGateway, why)
}

// notAProxyRequest answers clients that mistake the proxy for the API.
func notAProxyRequest(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "partnercenter: this is an HTTP proxy, not the API; set HTTPS_PROXY to this address, or call the API at the address that the server printed for it", http.StatusBadRequest)
}

// clean makes text of a request safe for a status line and a log: it keeps letters,
// digits and the other characters of host names and addresses, up to a limit.
func clean(text string) string {
	const limit = 100
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".-_:[]", r):
			return r
		}
		return '?'
	}, text)
}

// debugLog receives goproxy's messages about broken connections.
type debugLog struct{ log *slog.Logger }

func (l debugLog) Printf(format string, args ...any) {
	l.log.Debug("proxy: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

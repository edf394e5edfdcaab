package signin

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// reached is the result of a request to a host.
type reached struct {
	host  string
	proxy string // without its password; empty if there is none

	mu    sync.Mutex // guards phase, which goroutines of the connection set
	phase string     // the last phase of the request

	err      error
	status   int
	header   http.Header
	body     []byte
	tls      *tls.ConnectionState
	answered time.Time // when the answer was created, by this machine's clock
	took     time.Duration
}

// reach sends a request without credentials over the same transport as all others.
func reach(ctx context.Context, s *connect.Service, address string, timeout time.Duration) *reached {
	r := &reached{host: hostOf(address)}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, r.trace()), http.MethodGet, address, nil)
	if err != nil {
		r.err = err
		return r
	}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		r.proxy = proxy.Redacted()
	}
	began := time.Now()
	resp, err := s.Options.Transport.Do(req)
	if err != nil {
		r.err = err
		return r
	}
	defer resp.Body.Close()
	r.took = max(time.Since(began).Round(time.Millisecond), time.Millisecond)
	r.answered = began.Add(r.took / 2)
	r.status, r.header, r.tls = resp.StatusCode, resp.Header, resp.TLS
	r.body, r.err = io.ReadAll(io.LimitReader(resp.Body, connect.MaxTokenAnswer))
	return r
}

func (r *reached) trace() *httptrace.ClientTrace {
	set := func(phase string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.phase = phase
	}
	return &httptrace.ClientTrace{
		DNSStart:          func(info httptrace.DNSStartInfo) { set("looking up " + info.Host) },
		ConnectStart:      func(_, address string) { set("connecting to " + address) },
		TLSHandshakeStart: func() { set("the TLS handshake") },
		WroteRequest:      func(httptrace.WroteRequestInfo) { set("waiting for the answer") },
	}
}

func (r *reached) statusText() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)))
}

// outcome returns the step's outcome. flag is the one that sets the host.
func (r *reached) outcome(flag string) outcome {
	via := ""
	if r.proxy != "" {
		via = ", through proxy " + r.proxy
	}
	if r.err != nil {
		what, fix := r.explain(flag)
		return isFailed(fix, "%s%s", what, via)
	}
	if r.tls == nil {
		return isOK("%s answers in %s over plain HTTP%s", r.host, r.took, via)
	}
	return isOK("%s answers in %s over %s, certificate by %s%s", r.host, r.took, tls.VersionName(r.tls.Version), issuerOf(r.tls), via)
}

// issuerOf returns the name of the authority that issued a server's certificate.
func issuerOf(state *tls.ConnectionState) string {
	if len(state.PeerCertificates) == 0 {
		return "nobody"
	}
	return nameOf(state.PeerCertificates[0].Issuer)
}

// nameOf returns a readable name of a certificate authority.
func nameOf(authority pkix.Name) string {
	organization := strings.Join(authority.Organization, ", ")
	switch {
	case authority.CommonName == "":
		return organization
	case organization == "":
		return authority.CommonName
	}
	return fmt.Sprintf("%s (%s)", authority.CommonName, organization)
}

// explain returns why there is no answer, and what to do.
func (r *reached) explain(flag string) (what, fix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var (
		dns      *net.DNSError
		untested *tls.CertificateVerificationError
	)
	switch err := r.err; {
	case errors.As(err, &untested):
		by := "nobody"
		if len(untested.UnverifiedCertificates) > 0 {
			by = nameOf(untested.UnverifiedCertificates[0].Issuer)
		}
		return fmt.Sprintf("TLS: the certificate of %s, by %s, is not trusted: %v", r.host, by, untested.Err),
			"For your own server, give its certificate authority with --ca-file. A company's proxy that inspects TLS has one too: ask for its file."
	case errors.As(err, &dns):
		return fmt.Sprintf("DNS: name %s not found: %s", dns.Name, dns.Err),
			"Check " + flag + ", --cloud, the proxy variables and this machine's DNS."
	case terminal.ConnectionRefused(err) && terminal.RefusingProxy(err) != "":
		return "connection: refused by the proxy: nothing listens there", terminal.NextProxy
	case terminal.ConnectionRefused(err):
		return "connection: " + r.host + " refuses it: nothing listens there",
			"Check " + flag + ". If it is a local server, start it with: partnercenter serve"
	case isTimeout(err):
		return fmt.Sprintf("no answer from %s in time, while %s", r.host, r.phase),
			"A firewall may drop packets, or a proxy may be required (HTTPS_PROXY). --timeout extends the wait."
	case errors.As(err, new(tls.RecordHeaderError)):
		return "TLS: " + r.host + " does not speak it", "Check " + flag + ": the port may be for plain HTTP."
	}
	return fmt.Sprintf("%s cannot be reached, while %s: %v", r.host, r.phase, terminal.Innermost(r.err)),
		"Check " + flag + ", the network and the proxy variables (HTTPS_PROXY, NO_PROXY)."
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

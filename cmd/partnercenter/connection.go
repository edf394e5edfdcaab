package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
)

// connection is the flags that commands which call Partner Center share.
type connection struct {
	profile string
	flags   settings
	timeout time.Duration
	retries int
	verbose bool
}

func (c *connection) addFlags(app *app, cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.SortFlags = false
	f.StringVar(&c.profile, "profile", "", "`name` of a profile in the configuration file, or local: the server that \"partnercenter serve\" runs")
	for _, s := range settingList {
		if s.flag != "" {
			f.StringVar(s.field(&c.flags), s.flag, "", s.usage)
		}
	}
	f.DurationVar(&c.timeout, "timeout", time.Minute, "how long to wait for an answer, each time it is asked for; 0 for ever")
	f.IntVar(&c.retries, "retries", 3, "how often to ask again when the service is busy or the network fails")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "log requests and answers, without secrets, to standard error")
	registerValues(cmd, "cloud", cloudNames()...)
	registerValues(cmd, "as", asUser, asApp)
	_ = cmd.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names := []cobra.Completion{localProfile}
		if config, err := loadConfig(app); err == nil {
			names = append(names, config.names()...)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

func cloudNames() []string {
	var names []string
	for _, c := range partnercenter.CloudNames() {
		names = append(names, string(c))
	}
	return names
}

// cloudNamed returns the name of a cloud that a flag or setting has; the global
// one's for none.
func cloudNamed(flag, name string) (partnercenter.CloudName, error) {
	if name == "" {
		return partnercenter.NamedGlobal, nil
	}
	for _, c := range partnercenter.CloudNames() {
		if strings.EqualFold(string(c), name) {
			return c, nil
		}
	}
	return "", oneOf(flag, name, cloudNames()...)
}

// service is a Partner Center to call: what the settings come down to.
type service struct {
	settings
	scopes            []string
	requestsPerMinute int // zero for no budget
	options           azcore.ClientOptions
	cred              azcore.TokenCredential
	way               signInWay // of cred
}

// service reads the settings and chooses the credential. It sends nothing.
func (c *connection) service(app *app) (*service, error) {
	s, err := c.unsignedService(app)
	if err != nil {
		return nil, err
	}
	s.cred, err = newCredential(app, s)
	return s, err
}

// unsignedService is service without a credential.
func (c *connection) unsignedService(app *app) (*service, error) {
	switch {
	case c.timeout < 0:
		return nil, usageErrorf("--timeout %s is negative: 0 waits for ever", c.timeout)
	case c.retries < 0:
		return nil, usageErrorf("--retries %d is negative: 0 asks once", c.retries)
	}
	resolved, err := c.resolve(app)
	if err != nil {
		return nil, err
	}
	s := &service{settings: resolved}
	if s.as != "" {
		if err := oneOf("as", s.as, asUser, asApp); err != nil {
			return nil, err
		}
	}
	cloud, err := cloudNamed("cloud", s.cloud)
	if err != nil {
		return nil, err
	}
	s.options.Cloud = cloud.Configuration()
	if s.baseURL == "" {
		s.baseURL = s.options.Cloud.Services[partnercenter.ServiceName].Endpoint
	}
	if err := checkURL("base URL", s.baseURL); err != nil {
		return nil, err
	}
	if s.authority == "" {
		s.authority = s.options.Cloud.ActiveDirectoryAuthorityHost
		// Whatever serves the API on this machine, Microsoft's authority does
		// not know its clients.
		if isLoopback(s.baseURL) {
			s.authority = s.baseURL
		}
	}
	if err := checkURL("authority", s.authority); err != nil {
		return nil, err
	}
	s.options.Cloud.ActiveDirectoryAuthorityHost = s.authority
	if s.requestsPerMinute, err = s.budgetRate(); err != nil {
		return nil, err
	}
	s.scopes = []string{s.scope}
	if s.scope == "" {
		s.scopes[0] = s.options.Cloud.Services[partnercenter.ServiceName].Audience + "/.default"
	}
	if s.options.Transport, err = newTransport(s.caFile); err != nil {
		return nil, err
	}
	s.options.Retry = c.retryOptions()
	if c.verbose {
		logRequests(app)
	}
	return s, nil
}

// client returns a client of the service that the flags and settings name.
func (c *connection) client(app *app, allowShort bool) (*partnercenter.Client, error) {
	s, err := c.service(app)
	if err != nil {
		return nil, err
	}
	return c.newClient(app, s, allowShort)
}

// newClient returns a client of a service whose calls go through the policies
// first.
func (c *connection) newClient(app *app, s *service, allowShort bool, policies ...policy.Policy) (*partnercenter.Client, error) {
	opts := &partnercenter.ClientOptions{
		ClientOptions: s.options, Endpoint: s.baseURL, Scopes: s.scopes,
		ApplicationName: "partnercenter-cli", AllowShortAnswers: allowShort,
	}
	if s.requestsPerMinute > 0 {
		opts.Budget = partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: s.requestsPerMinute, OnWait: app.noteBudget})
	}
	if user, ok := s.cred.(*userCredential); ok {
		opts.PerCallPolicies = append(opts.PerCallPolicies, renewPolicy{user})
	}
	opts.PerCallPolicies = append(opts.PerCallPolicies, policies...)
	opts.PerRetryPolicies = append(opts.PerRetryPolicies, &waitNotePolicy{app: app, retries: c.retries})
	return partnercenter.NewClient(s.cred, opts)
}

// maxRetryDelay is the longest wait that is sat out. Documented limits count a
// minute; who is asked to wait longer is better told so.
const maxRetryDelay = time.Minute

func (c *connection) retryOptions() policy.RetryOptions {
	retries := c.retries
	if retries == 0 {
		retries = -1 // azcore takes 0 for its default
	}
	return policy.RetryOptions{
		MaxRetries:    int32(min(retries, 1000)),
		MaxRetryDelay: maxRetryDelay,
		TryTimeout:    c.timeout,
		ShouldRetry: func(resp *http.Response, err error) bool {
			if err != nil {
				return !permanent(err)
			}
			return runtime.HasStatusCode(resp, http.StatusRequestTimeout, http.StatusTooManyRequests,
				http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
		},
	}
}

// permanent reports errors that a second try meets again: somebody is waiting
// at the terminal to hear of a mistake.
func permanent(err error) bool {
	var dns *net.DNSError
	return connectionRefused(err) || errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, &dns) && dns.IsNotFound
}

// checkURL refuses base URLs that a token or a secret must not be sent to.
func checkURL(what, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return usageErrorf("%s %q is no base URL: write it like https://api.partnercenter.microsoft.com", what, text)
	}
	if u.Scheme == "http" && !isLoopback(text) {
		return usageErrorf("%s %s is plain HTTP, on which anyone on the way could read the credentials: use https; plain HTTP is for this machine only", what, text)
	}
	return nil
}

func isLoopback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && loopback.IsHost(u.Hostname())
}

// newTransport returns an HTTP client that trusts the certificate authorities
// of a file, if one is named, besides the system's. It follows no redirect: the
// API has none, and one would carry a secret or a token to who knows where.
func newTransport(caFile string) (policy.Transporter, error) {
	transport, err := newRoundTripper(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func newRoundTripper(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = maxWorkers
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, usageErrorf("the certificate authorities cannot be read: %v", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil { // a system without any
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usageErrorf("%s holds no certificate in PEM form: name the file that \"partnercenter serve\" prints, or your own authority's", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

// logRequests writes azcore's log, which leaves out headers and queries that
// are not known to be harmless, to stderr.
func logRequests(app *app) {
	azlog.SetEvents(azlog.EventRequest, azlog.EventResponse, azlog.EventRetryPolicy, azidentity.EventAuthentication)
	azlog.SetListener(func(event azlog.Event, message string) {
		for line := range strings.Lines(message) {
			if strings.TrimSpace(line) != "" {
				app.linef("%s: %s", strings.ToLower(string(event)), line)
			}
		}
	})
}

// waitNotePolicy says on stderr that the service asked to wait and that the
// command does, once a try.
type waitNotePolicy struct {
	app     *app
	retries int
}

type tryCount int

func (p *waitNotePolicy) Do(req *policy.Request) (*http.Response, error) {
	var tries tryCount
	req.OperationValue(&tries)
	tries++
	req.SetOperationValue(tries)
	resp, err := req.Next()
	if err != nil || int(tries) > p.retries ||
		!slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, resp.StatusCode) {
		return resp, err
	}
	if wait := partnercenter.RetryAfter(resp.Header, p.app.now()); wait > 0 && wait <= maxRetryDelay {
		p.app.noteWait(resp.StatusCode, wait)
	}
	return resp, err
}

// noteWait says that the service asked to wait.
func (a *app) noteWait(status int, wait time.Duration) {
	a.noteOnce(wait, "%d %s: waiting %s as the service asks; Ctrl-C stops", status, http.StatusText(status), wait)
}

// noteBudget says that a request waits for its budget. Of a wait that is over at
// once there is nothing to say.
func (a *app) noteBudget(w partnercenter.BudgetWait) {
	wait := w.For.Round(time.Second)
	switch {
	case w.For <= time.Second:
	case w.Throttled:
		a.noteOnce(w.For, "waiting %s as the service asked; Ctrl-C stops", wait)
	default:
		a.noteOnce(w.For, "waiting %s for the request budget (%d a minute); Ctrl-C stops", wait, w.RequestsPerMinute)
	}
}

// noteOnce speaks once for all workers that wait for about the same moment.
func (a *app) noteOnce(wait time.Duration, format string, args ...any) {
	until := a.now().Add(wait)
	a.mu.Lock()
	known := !until.After(a.wait.Add(time.Second))
	if !known {
		a.wait = until
	}
	a.mu.Unlock()
	if !known {
		a.linef(format, args...)
	}
}

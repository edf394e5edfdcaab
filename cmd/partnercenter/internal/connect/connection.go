// Package connect provides access to a Partner Center: settings and their sources,
// credentials and signed-in users, and clients of the API and of a local server's control
// plane. It makes no calls for commands.
package connect

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Connection holds the flags shared by commands that call Partner Center.
type Connection struct {
	Term    *terminal.Terminal
	Profile string
	Flags   Settings
	Timeout time.Duration
	Retries int
}

// New returns a Connection. Its flags have to be added to a command.
func New(term *terminal.Terminal) *Connection { return &Connection{Term: term} }

// AddFlags adds the flags to a command and its subcommands.
func (c *Connection) AddFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&c.Profile, "profile", "", "`name` of a profile in the configuration file, or local for the server run by \"partnercenter serve\"")
	for _, s := range SettingList {
		if s.Flag != "" {
			f.StringVar(s.field(&c.Flags), s.Flag, "", s.Usage)
		}
	}
	f.DurationVar(&c.Timeout, "timeout", time.Minute, "maximum wait for an answer, for each attempt; 0 for no limit")
	f.IntVar(&c.Retries, "retries", 3, "number of retries if the service is busy or the network fails")
	for _, name := range append(settingFlags(), "profile", "timeout", "retries") {
		_ = f.SetAnnotation(name, connectionFlag, nil) // the flag exists
	}
	terminal.Choices(cmd, "cloud", CloudNames()...)
	terminal.Choices(cmd, "as", asUser, AsApp)
	_ = cmd.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names := []cobra.Completion{LocalProfile}
		if config, err := LoadConfig(c.Term); err == nil {
			names = append(names, config.Names()...)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

const connectionFlag = "connection"

func settingFlags() (names []string) {
	for _, s := range SettingList {
		if s.Flag != "" {
			names = append(names, s.Flag)
		}
	}
	return names
}

// IsConnectionFlag reports whether a flag is one of those that AddFlags adds, which help
// shows in one place.
func IsConnectionFlag(f *pflag.Flag) bool {
	_, ok := f.Annotations[connectionFlag]
	return ok
}

// CloudNames returns the names of clouds as accepted by flags.
func CloudNames() []string { return words.Texts(partnercenter.CloudNames()) }

// CloudNamed parses the name of a cloud. An empty name means the global cloud.
func CloudNamed(flag, name string) (partnercenter.CloudName, error) {
	if name == "" {
		return partnercenter.CloudNameGlobal, nil
	}
	if c := partnercenter.CloudName(name); c.Known() {
		return c.Normalize(), nil
	}
	return "", terminal.OneOf(flag, name, CloudNames()...)
}

// Service describes a Partner Center to call, according to the settings.
type Service struct {
	Settings
	Scopes            []string
	RequestsPerMinute int   // zero for no budget
	MaxAnswerSize     int64 // zero for the default
	Options           azcore.ClientOptions
	Cred              azcore.TokenCredential
	Way               Way // of cred
}

// Service reads the settings and selects the credential. It sends nothing.
func (c *Connection) Service() (*Service, error) {
	s, err := c.UnsignedService()
	if err != nil {
		return nil, err
	}
	s.Cred, err = NewCredential(c.Term, s)
	return s, err
}

// UnsignedService is like Service, without a credential.
func (c *Connection) UnsignedService() (*Service, error) {
	switch {
	case c.Timeout < 0:
		return nil, terminal.Usagef("--timeout %s is negative: 0 means no limit", c.Timeout)
	case c.Retries < 0:
		return nil, terminal.Usagef("--retries %d is negative: 0 means no retries", c.Retries)
	}
	resolved, err := c.resolve()
	if err != nil {
		return nil, err
	}
	s := &Service{Settings: resolved}
	if s.As != "" {
		if err := terminal.OneOf("as", s.As, asUser, AsApp); err != nil {
			return nil, err
		}
	}
	cloud, err := CloudNamed("cloud", s.cloud)
	if err != nil {
		return nil, err
	}
	s.Options.Cloud = cloud.Configuration()
	s.BaseURL = cmp.Or(s.BaseURL, s.Options.Cloud.Services[partnercenter.ServiceName].Endpoint)
	if err := checkURL("base URL", s.BaseURL); err != nil {
		return nil, err
	}
	if s.Authority == "" {
		s.Authority = s.Options.Cloud.ActiveDirectoryAuthorityHost
		// Microsoft's authority does not know the clients of a server on this
		// machine.
		if IsLoopback(s.BaseURL) {
			s.Authority = s.BaseURL
		}
	}
	if err := checkURL("authority", s.Authority); err != nil {
		return nil, err
	}
	s.Options.Cloud.ActiveDirectoryAuthorityHost = s.Authority
	if s.RequestsPerMinute, err = s.budgetRate(); err != nil {
		return nil, err
	}
	if s.MaxAnswerSize, err = s.answerSize(); err != nil {
		return nil, err
	}
	s.Scopes = []string{cmp.Or(s.scope, s.Options.Cloud.Services[partnercenter.ServiceName].Audience+"/.default")}
	if s.Options.Transport, err = NewTransport(s.CAFile); err != nil {
		return nil, err
	}
	s.Options.Retry = c.retryOptions()
	// The token authority's clients use these options; NewClient replaces this.
	s.Options.PerRetryPolicies = []policy.Policy{&waitNotePolicy{term: c.Term, who: "the token authority", retries: c.Retries}}
	s.Options.Transport = Logged(c.Term, s.Options.Transport)
	return s, nil
}

// Client returns a client of the service given by the flags and settings.
func (c *Connection) Client(allowShort bool) (*partnercenter.Client, error) {
	s, err := c.Service()
	if err != nil {
		return nil, err
	}
	return c.NewClient(s, allowShort)
}

// NewClient returns a client of the service. The policies run first for each
// call.
func (c *Connection) NewClient(s *Service, allowShort bool, policies ...policy.Policy) (*partnercenter.Client, error) {
	opts := &partnercenter.ClientOptions{
		ClientOptions: s.Options, Endpoint: s.BaseURL, Scopes: s.Scopes,
		ApplicationName: "partnercenter-cli", AllowShortAnswers: allowShort,
		MaxAnswerSize: s.MaxAnswerSize,
	}
	if s.RequestsPerMinute > 0 {
		opts.Budget = partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: s.RequestsPerMinute, OnWait: c.Term.NoteBudget})
	}
	if user, ok := s.Cred.(*UserCredential); ok {
		opts.PerCallPolicies = append(opts.PerCallPolicies, renewPolicy{user})
	}
	opts.PerCallPolicies = append(opts.PerCallPolicies, policies...)
	opts.PerRetryPolicies = []policy.Policy{&waitNotePolicy{term: c.Term, who: "the service", retries: c.Retries}, timePolicy{c.Term}}
	return partnercenter.NewClient(s.Cred, opts)
}

// maxRetryDelay is the longest wait before a retry. Documented limits are per
// minute; a longer wait is reported to the user instead.
const maxRetryDelay = time.Minute

func (c *Connection) retryOptions() policy.RetryOptions {
	// azcore and the client use their defaults for 0.
	retries, timeout := cmp.Or(c.Retries, -1), cmp.Or(c.Timeout, -1)
	return policy.RetryOptions{
		MaxRetries:    int32(min(retries, 1000)),
		MaxRetryDelay: maxRetryDelay,
		TryTimeout:    timeout,
		ShouldRetry: func(resp *http.Response, err error) bool {
			if err != nil {
				return !permanent(err)
			}
			return runtime.HasStatusCode(resp, http.StatusRequestTimeout, http.StatusTooManyRequests,
				http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
		},
	}
}

// permanent reports whether a retry would fail in the same way, so that the
// user learns of a mistake at once.
func permanent(err error) bool {
	var dns *net.DNSError
	return terminal.ConnectionRefused(err) || errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, &dns) && dns.IsNotFound
}

// checkURL fails for base URLs to which a token or a secret must not be sent.
func checkURL(what, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return terminal.Usagef("%s %q is not a base URL: write it like https://api.partnercenter.microsoft.com", what, text)
	}
	if u.Scheme == "http" && !IsLoopback(text) {
		return terminal.Usagef("%s %s is plain HTTP, which exposes the credentials: use https; plain HTTP is allowed for this machine only", what, text)
	}
	return nil
}

// IsLoopback reports whether a URL refers to this machine.
func IsLoopback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && loopback.IsHost(u.Hostname())
}

// NewTransport returns an HTTP client that trusts the system's certificate
// authorities and those in the file, if any. It does not follow redirects: the
// API has none, and they could send a secret or a token elsewhere.
func NewTransport(caFile string) (policy.Transporter, error) {
	transport, err := NewRoundTripper(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// MaxConnections is the number of idle connections kept per host.
const MaxConnections = 32

// maxHeader is far more than the headers of an answer need, in bytes.
const maxHeader = 1 << 20

// NewRoundTripper returns the transport of NewTransport.
func NewRoundTripper(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = MaxConnections
	transport.MaxResponseHeaderBytes = maxHeader
	if caFile != "" {
		pem, err := textfile.ReadText(caFile)
		if err != nil {
			return nil, terminal.Usagef("the certificate authorities cannot be read: %v", err)
		}
		pool, ok := certificate.WithSystem(pem)
		if !ok {
			return nil, terminal.Usagef("%s does not contain a PEM certificate: give the file that \"partnercenter serve\" prints, or that of your own authority", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

// Answer is the answer to a request outside the API. At most a megabyte of its body is
// read, far more than tokens need.
type Answer struct {
	Status     string
	StatusCode int
	Body       []byte
}

// Ask sends a request outside the API, and waits for its answer until the timeout; zero
// or less waits without limit. If the body is cut off, it returns both an answer and an
// error.
func Ask(transport policy.Transporter, req *http.Request, timeout time.Duration) (*Answer, error) {
	if timeout > 0 {
		ctx, cancel := context.WithTimeout(req.Context(), timeout)
		defer cancel()
		req = req.WithContext(ctx)
	}
	resp, err := transport.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxTokenAnswer))
	return &Answer{resp.Status, resp.StatusCode, body}, err
}

// timePolicy notes the time that answers have.
type timePolicy struct{ term *terminal.Terminal }

func (p timePolicy) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err == nil {
		if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			p.term.NoteServiceTime(at)
		}
	}
	return resp, err
}

// waitNotePolicy reports on stderr, once per attempt, that the command waits as it was
// asked to.
type waitNotePolicy struct {
	term    *terminal.Terminal
	who     string // asked
	retries int
}

type tryCount int

func (p *waitNotePolicy) Do(req *policy.Request) (*http.Response, error) {
	var tries tryCount
	req.OperationValue(&tries)
	tries++
	req.SetOperationValue(tries)
	resp, err := req.Next()
	if err == nil && tries > 1 && resp.StatusCode == http.StatusConflict {
		// The client waits for a write that it has sent before.
		var answer partnercenter.ErrorBody
		if body, err := runtime.Payload(resp); err == nil && partnercenter.Unmarshal(body, &answer) == nil && answer.Code == partnercenter.ErrorCodeOrderInProgress {
			p.term.NoteInProgress()
		}
	}
	if err != nil || int(tries) > p.retries ||
		!slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, resp.StatusCode) {
		return resp, err
	}
	if wait := partnercenter.RetryAfter(resp.Header, p.term.Now()); wait > 0 && wait <= maxRetryDelay {
		p.term.NoteWait(resp.StatusCode, p.who, wait)
	}
	return resp, err
}

package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/appsecret"
)

// Way describes how a command signs in.
type Way struct {
	Name string // user, secret, certificate or azure
	Text string
}

// NewCredential selects the credential: the user who signed in for the app in
// the settings, that app itself or, if the settings name neither, Azure's own
// credentials.
func NewCredential(term *terminal.Terminal, s *Service) (azcore.TokenCredential, error) {
	if s.As != AsApp {
		store, err := NewTokenStore(term)
		if err != nil && !errors.Is(err, ErrNoStateDir) {
			return nil, err
		}
		var signIns []*SignIn
		if store != nil { // without a folder no user is signed in
			if signIns, err = store.load(); err != nil {
				return nil, err
			}
		}
		user, err := FindSignIn(signIns, &s.Settings)
		switch {
		case err != nil:
			return nil, err
		case user != nil:
			return newUserCredential(s, store, user)
		case s.As == asUser:
			return nil, &SignInError{
				Text: fmt.Sprintf("no user is signed in to %s for these settings", s.Authority),
				Next: "Sign in with: partnercenter login\nOr leave out --as user (PARTNERCENTER_AS, or as in the profile) to act as the app.",
			}
		}
	}
	if s.ClientID == "" && s.ClientSecret == "" && s.ClientCertificate == "" {
		s.Way = Way{"azure", "Azure's own credentials: AZURE_ variables, a workload identity, or az login"}
		return newAzureCredential(s)
	}
	return newAppCredential(term, s)
}

// newAppCredential returns the credential of the app in the settings.
func newAppCredential(term *terminal.Terminal, s *Service) (azcore.TokenCredential, error) {
	shown := s.ClientSecret + s.ClientCertificate
	for _, need := range []struct{ value, what, how string }{
		{s.TenantID, "tenant id", "--tenant-id or PARTNERCENTER_TENANT_ID"},
		{s.ClientID, "client id", "--client-id or PARTNERCENTER_CLIENT_ID"},
		{shown, "client secret", "--client-secret-file, PARTNERCENTER_CLIENT_SECRET or --client-certificate"},
	} {
		if need.value == "" {
			return nil, &SignInError{
				Text: fmt.Sprintf("the credentials are incomplete: the %s is missing", need.what),
				Next: fmt.Sprintf("Give it with %s, or add it to the profile.\nA user can sign in instead, with: partnercenter login", need.how),
			}
		}
	}
	plain := strings.HasPrefix(s.Authority, "http://")
	switch {
	case s.ClientCertificate != "" && plain:
		return nil, terminal.Settingsf("authority %s is plain HTTP, which does not support certificates: give the authority's TLS address with --authority", s.Authority)
	case s.ClientCertificate != "":
		return newCertificateCredential(term, s)
	}
	s.Way = Way{"secret", "the app's secret"}
	if plain {
		// Package azidentity refuses plain HTTP, even to this machine.
		return newLoopbackCredential(s), nil
	}
	return newCredentialOf(s, func(options azcore.ClientOptions, foreign bool) (azcore.TokenCredential, error) {
		return azidentity.NewClientSecretCredential(s.TenantID, s.ClientID, s.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign})
	})
}

func newCertificateCredential(term *terminal.Terminal, s *Service) (azcore.TokenCredential, error) {
	certificate, err := readAppCertificate(s.ClientCertificate, s.clientCertificatePassword)
	if err != nil {
		return nil, err
	}
	if err := certificate.checkTime(s.ClientCertificate, term.Now()); err != nil {
		return nil, err
	}
	s.Way = Way{"certificate", "the app's certificate, which expires on " + certificate.own().NotAfter.UTC().Format(time.DateOnly)}
	return newCredentialOf(s, func(options azcore.ClientOptions, foreign bool) (azcore.TokenCredential, error) {
		return azidentity.NewClientCertificateCredential(s.TenantID, s.ClientID, certificate.chain, certificate.key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign})
	})
}

// newUserCredential returns the credential of a signed-in user.
func newUserCredential(s *Service, store *TokenStore, user *SignIn) (azcore.TokenCredential, error) {
	if !user.Public && s.ClientSecret == "" && s.ClientCertificate == "" {
		return nil, &SignInError{
			Text: fmt.Sprintf("%s signed in through app %s with its secret or certificate, which is missing now", user.Who(), user.ClientID),
			Next: "Give it with --client-secret-file, PARTNERCENTER_CLIENT_SECRET or --client-certificate, or add it to the profile.",
		}
	}
	s.Way = Way{"user", fmt.Sprintf("partnercenter login, on %s, through app %s", user.At.UTC().Format(time.RFC3339), user.ClientID)}
	// Use the values of the sign-in: the settings may lack some, or have a
	// domain instead of the tenant's id.
	own := *s
	own.TenantID, own.ClientID = user.Tenant, user.ClientID
	s.TenantID, s.ClientID = user.TenantID, user.ClientID
	return &UserCredential{service: &own, store: store, User: user}, nil
}

// MicrosoftAuthority reports whether the URL is the authority of one of the clouds.
func MicrosoftAuthority(authority string) bool {
	u, err := url.Parse(authority)
	return err == nil && slices.ContainsFunc(partnercenter.CloudNames(), func(c partnercenter.CloudName) bool {
		return c.Configuration().ActiveDirectoryAuthorityHost == "https://"+u.Host+"/"
	})
}

// newAzureCredential returns Azure's own credentials: the AZURE_ variables of
// an app, a workload identity, or the user of "az login". Unlike azidentity's
// default it does not try a managed identity, which is slow to fail outside
// Azure and cannot be registered with Partner Center, or tools that take
// seconds to start.
func newAzureCredential(s *Service) (azcore.TokenCredential, error) {
	own := *s
	own.ClientSecret = os.Getenv("AZURE_CLIENT_SECRET") // which azidentity reads; for advice when it is refused
	return newCredentialOf(&own, func(options azcore.ClientOptions, foreign bool) (azcore.TokenCredential, error) {
		var chain []azcore.TokenCredential
		if cred, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
			chain = append(chain, cred)
		}
		if cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
			chain = append(chain, cred)
		}
		if _, err := exec.LookPath("az"); err == nil {
			if cred, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: s.TenantID}); err == nil {
				chain = append(chain, cred)
			}
		}
		if len(chain) == 0 {
			return nil, errMissingCredentials
		}
		return azidentity.NewChainedTokenCredential(chain, nil)
	})
}

// newCredentialOf returns a credential of package azidentity with a rememberingTransport.
// For a foreign authority, one that is not Microsoft's, it disables instance discovery.
func newCredentialOf(s *Service, inner func(options azcore.ClientOptions, foreign bool) (azcore.TokenCredential, error)) (azcore.TokenCredential, error) {
	c := &credential{transport: &rememberingTransport{next: appsecret.Transport{Next: s.Options.Transport}, authority: s.Authority}, settings: &s.Settings}
	options := s.Options
	options.Transport = c.transport
	var err error
	if c.inner, err = inner(options, !MicrosoftAuthority(s.Authority)); err != nil && !errors.As(err, new(*SignInError)) {
		return nil, terminal.Usagef("%v", err)
	}
	return c, err
}

var errMissingCredentials = &SignInError{
	Text: "there are no credentials to sign in with",
	Next: `Give them in one of these ways:
  "partnercenter login", to sign in as a user
  --profile local, for a server run by "partnercenter serve", or a profile of your configuration file
  PARTNERCENTER_TENANT_ID, PARTNERCENTER_CLIENT_ID and PARTNERCENTER_CLIENT_SECRET, or the flags of the same names
  Azure's own AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or "az login"
Run 'partnercenter help environment' for more.`,
}

// credential shortens the errors of package azidentity.
type credential struct {
	inner     azcore.TokenCredential
	transport *rememberingTransport
	settings  *Settings
}

func (c *credential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.inner.GetToken(ctx, opts)
	switch failed := new(azidentity.AuthenticationFailedError); {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return token, ctx.Err()
	case errors.As(err, &failed) && failed.RawResponse != nil:
		body, _ := runtime.Payload(failed.RawResponse)
		return token, refusedSignIn(c.settings, failed.RawResponse.StatusCode, body)
	case c.transport.err() != nil:
		return token, c.transport.err()
	case !errors.As(err, &failed):
		// No source had credentials.
		return token, errMissingCredentials
	}
	// Keep only the reason; the rest of the message is for developers.
	text, _, _ := strings.Cut(err.Error(), ". To troubleshoot")
	if _, attempts, ok := strings.Cut(text, "Attempted credentials:"); ok {
		text = attempts
	}
	return token, &SignInError{
		Text: SignInFailed + strings.Join(strings.Fields(text), " "),
		Next: "Check the credentials, then try again. 'partnercenter help environment' lists their sources.",
	}
}

// rememberingTransport keeps the last network error, which package azidentity
// returns as text only, and the last answer that is not JSON, which it would
// quote.
type rememberingTransport struct {
	next      policy.Transporter
	authority string

	mu   sync.Mutex // guards last
	last error
}

func (t *rememberingTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.Do(req)
	last := err
	if err == nil && resp.StatusCode == http.StatusOK {
		if body, err := runtime.Payload(resp); err == nil && !json.Valid(body) {
			last = notAuthority(t.authority, resp.StatusCode)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = last
	return resp, err
}

func (t *rememberingTransport) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// loopbackCredential gets tokens from an authority on this machine over plain HTTP.
type loopbackCredential struct {
	appsecret.Credential
	settings *Settings
}

func newLoopbackCredential(s *Service) *loopbackCredential {
	return &loopbackCredential{appsecret.Credential{
		Authority: s.Authority, TenantID: s.TenantID, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
		Transport: NewAuthorityClient(s), // which has the time limit
	}, &s.Settings}
}

// GetToken implements [azcore.TokenCredential].
func (c *loopbackCredential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.Credential.GetToken(ctx, opts)
	if refused := new(appsecret.Refused); errors.As(err, &refused) {
		err = refusedSignIn(c.settings, refused.StatusCode, refused.Body)
	}
	return token, err
}

// NewLoopbackClient returns a client of the server on this machine with these
// facts.
func NewLoopbackClient(f ReadyFacts, application string) (*partnercenter.Client, error) {
	s := &Service{Settings: Settings{
		BaseURL: f.APIURL, Authority: f.APIURL, TenantID: f.TenantID, ClientID: f.ClientID, ClientSecret: f.ClientSecret,
	}}
	s.Options.Retry.TryTimeout = partnercenter.DefaultTryTimeout
	var err error
	if s.Options.Transport, err = NewTransport(""); err != nil {
		return nil, err
	}
	opts := &partnercenter.ClientOptions{ClientOptions: s.Options, Endpoint: f.APIURL, ApplicationName: application}
	return partnercenter.NewClient(newLoopbackCredential(s), opts)
}

// MaxTokenAnswer is far more than any token needs.
const MaxTokenAnswer = 1 << 20

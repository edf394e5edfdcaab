package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
)

// signInWay is how a command signs in, for people.
type signInWay struct {
	name string // user, secret, certificate or azure
	text string
}

// newCredential chooses how to sign in: as the user who signed in for the app
// of the settings, as that app itself or, where the settings name neither, with
// what Azure's tools left in the environment.
func newCredential(term *terminal.Terminal, s *service) (azcore.TokenCredential, error) {
	if s.as != asApp {
		store, err := newTokenStore(term)
		if err != nil && !errors.Is(err, errNoStateDir) {
			return nil, err
		}
		var signIns []*signIn
		if store != nil { // without a folder nobody is signed in
			if signIns, err = store.load(); err != nil {
				return nil, err
			}
		}
		user, err := findSignIn(signIns, &s.settings)
		switch {
		case err != nil:
			return nil, err
		case user != nil:
			return newUserCredential(s, store, user)
		case s.as == asUser:
			return nil, &signInError{
				text: fmt.Sprintf("nobody is signed in to %s for these settings", s.authority),
				next: "Sign in with: partnercenter login\nOr leave out --as user (PARTNERCENTER_AS, as in the profile) to act as the app.",
			}
		}
	}
	if s.clientID == "" && s.clientSecret == "" && s.clientCertificate == "" {
		s.way = signInWay{"azure", "Azure's own credentials: AZURE_ variables, a workload identity, or az login"}
		return newAzureCredential(s)
	}
	return newAppCredential(term, s)
}

// newAppCredential signs in as the app of the settings.
func newAppCredential(term *terminal.Terminal, s *service) (azcore.TokenCredential, error) {
	shown := s.clientSecret + s.clientCertificate
	for _, need := range []struct{ value, what, how string }{
		{s.tenantID, "tenant id", "--tenant-id or PARTNERCENTER_TENANT_ID"},
		{s.clientID, "client id", "--client-id or PARTNERCENTER_CLIENT_ID"},
		{shown, "client secret", "--client-secret-file, PARTNERCENTER_CLIENT_SECRET or --client-certificate"},
	} {
		if need.value == "" {
			return nil, &signInError{
				text: fmt.Sprintf("the credentials are incomplete: the %s is missing", need.what),
				next: fmt.Sprintf("Give it with %s, or add it to the profile.\nA user can sign in instead, with: partnercenter login", need.how),
			}
		}
	}
	s.way = signInWay{"secret", "the app's secret"}
	plain := strings.HasPrefix(s.authority, "http://")
	if s.clientCertificate != "" {
		if plain {
			return nil, terminal.Settingsf("authority %s is plain HTTP, at which no certificate signs in: name the authority's TLS address with --authority", s.authority)
		}
		return newCertificateCredential(term, s)
	}
	if plain {
		// Package azidentity refuses plain HTTP, also to this very machine.
		return newLoopbackCredential(s), nil
	}
	transport := newRememberingTransport(s)
	options := &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.options,
		// Microsoft vouches for its own authorities only.
		DisableInstanceDiscovery: !microsoftAuthority(s.authority),
	}
	options.Transport = transport
	inner, err := azidentity.NewClientSecretCredential(s.tenantID, s.clientID, s.clientSecret, options)
	if err != nil {
		return nil, terminal.Usagef("%v", err)
	}
	return &credential{inner: inner, transport: transport, authority: s.authority}, nil
}

func newCertificateCredential(term *terminal.Terminal, s *service) (azcore.TokenCredential, error) {
	certificate, err := readAppCertificate(s.clientCertificate, s.clientCertificatePassword)
	if err != nil {
		return nil, err
	}
	if err := certificate.checkTime(s.clientCertificate, term.Now()); err != nil {
		return nil, err
	}
	s.way = signInWay{"certificate", "the app's certificate, which expires on " + certificate.own().NotAfter.UTC().Format(time.DateOnly)}
	transport := newRememberingTransport(s)
	options := &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: s.options, DisableInstanceDiscovery: !microsoftAuthority(s.authority),
	}
	options.Transport = transport
	inner, err := azidentity.NewClientCertificateCredential(s.tenantID, s.clientID, certificate.chain, certificate.key, options)
	if err != nil {
		return nil, terminal.Usagef("%v", err)
	}
	return &credential{inner: inner, transport: transport, authority: s.authority}, nil
}

// newUserCredential signs in as a user who has signed in before.
func newUserCredential(s *service, store *tokenStore, user *signIn) (azcore.TokenCredential, error) {
	if !user.Public && s.clientSecret == "" && s.clientCertificate == "" {
		return nil, &signInError{
			text: fmt.Sprintf("%s signed in through app %s with its secret or certificate, which is missing now", user.who(), user.ClientID),
			next: "Give it with --client-secret-file, PARTNERCENTER_CLIENT_SECRET or --client-certificate, or add it to the profile.",
		}
	}
	s.way = signInWay{"user", fmt.Sprintf("partnercenter login, on %s, through app %s", user.At.UTC().Format(time.RFC3339), user.ClientID)}
	// What the user signed in with counts: the settings may name less, or a
	// domain in place of the tenant's id.
	own := *s
	own.tenantID, own.clientID = user.Tenant, user.ClientID
	s.tenantID, s.clientID = user.TenantID, user.ClientID
	return &userCredential{service: &own, store: store, user: user}, nil
}

func microsoftAuthority(authority string) bool {
	u, err := url.Parse(authority)
	return err == nil && slices.ContainsFunc(partnercenter.CloudNames(), func(c partnercenter.CloudName) bool {
		return c.Configuration().ActiveDirectoryAuthorityHost == "https://"+u.Host+"/"
	})
}

// newAzureCredential signs in as Azure's tools do: with the AZURE_ variables
// of an app, a workload identity, or the user of "az login". Unlike
// azidentity's default it does not look for a managed identity, which takes
// long to be missed outside Azure and cannot be registered with Partner
// Center, nor for shells that take seconds to start.
func newAzureCredential(s *service) (azcore.TokenCredential, error) {
	options := s.options
	transport := newRememberingTransport(s)
	options.Transport = transport
	foreign := !microsoftAuthority(s.authority)
	var chain []azcore.TokenCredential
	if cred, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
		chain = append(chain, cred)
	}
	if cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
		chain = append(chain, cred)
	}
	if _, err := exec.LookPath("az"); err == nil {
		if cred, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: s.tenantID}); err == nil {
			chain = append(chain, cred)
		}
	}
	if len(chain) == 0 {
		return nil, errMissingCredentials
	}
	inner, err := azidentity.NewChainedTokenCredential(chain, nil)
	if err != nil {
		return nil, err
	}
	return &credential{inner: inner, transport: transport, authority: s.authority}, nil
}

var errMissingCredentials = &signInError{
	text: "there are no credentials to sign in with",
	next: `Give them in one of these ways:
  "partnercenter login", to sign in as a user
  --profile local, for a server that "partnercenter serve" runs, or a profile of your configuration file
  PARTNERCENTER_TENANT_ID, PARTNERCENTER_CLIENT_ID and PARTNERCENTER_CLIENT_SECRET, or the flags of the same names
  Azure's own AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or "az login"
Run 'partnercenter help environment' for more.`,
}

// credential words the errors of package azidentity, which are long.
type credential struct {
	inner     azcore.TokenCredential
	transport *rememberingTransport
	authority string
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
		return token, refusedSignIn(c.authority, failed.RawResponse.StatusCode, body)
	case c.transport.err() != nil:
		return token, c.transport.err()
	case !errors.As(err, &failed):
		// No source had anything to sign in with.
		return token, errMissingCredentials
	}
	// Only the reason is left of the message, which is for developers.
	text, _, _ := strings.Cut(err.Error(), ". To troubleshoot")
	if _, attempts, ok := strings.Cut(text, "Attempted credentials:"); ok {
		text = attempts
	}
	return token, &signInError{
		text: signInFailed + strings.Join(strings.Fields(text), " "),
		next: "Check the credentials, then try again. 'partnercenter help environment' says where they come from.",
	}
}

// rememberingTransport keeps the last error of the network, of which package
// azidentity passes on nothing but text, and the last answer that is not JSON,
// which it would quote.
type rememberingTransport struct {
	next      policy.Transporter
	authority string

	mu   sync.Mutex // guards last
	last error
}

func newRememberingTransport(s *service) *rememberingTransport {
	return &rememberingTransport{next: s.options.Transport, authority: s.authority}
}

func (t *rememberingTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.Do(req)
	last := err
	if err == nil && resp.StatusCode == http.StatusOK {
		if body, err := runtime.Payload(resp); err == nil && !json.Valid(body) {
			last = refusedSignIn(t.authority, resp.StatusCode, nil)
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

// loopbackCredential asks an authority on this machine for tokens, over plain
// HTTP.
type loopbackCredential struct {
	authority, address     string
	clientID, clientSecret string
	transport              policy.Transporter
	timeout                time.Duration // 0: none

	mu    sync.Mutex // guards token
	token azcore.AccessToken
}

func newLoopbackCredential(s *service) *loopbackCredential {
	return &loopbackCredential{
		authority: s.authority,
		address:   strings.TrimRight(s.authority, "/") + "/" + url.PathEscape(s.tenantID) + "/oauth2/v2.0/token",
		clientID:  s.clientID, clientSecret: s.clientSecret,
		transport: s.options.Transport, timeout: s.options.Retry.TryTimeout,
	}
}

// newLoopbackClient returns a client of the server on this machine that has told
// the facts.
func newLoopbackClient(f readyFacts, application string) (*partnercenter.Client, error) {
	s := &service{settings: settings{
		baseURL: f.APIURL, authority: f.APIURL, tenantID: f.TenantID, clientID: f.ClientID, clientSecret: f.ClientSecret,
	}}
	var err error
	if s.options.Transport, err = newTransport(""); err != nil {
		return nil, err
	}
	opts := &partnercenter.ClientOptions{ClientOptions: s.options, Endpoint: f.APIURL, ApplicationName: application}
	return partnercenter.NewClient(newLoopbackCredential(s), opts)
}

// refreshBefore is how long before its end a token is replaced, as package
// azidentity does.
const refreshBefore = 5 * time.Minute

// maxTokenAnswer is far beyond any token.
const maxTokenAnswer = 1 << 20

func (c *loopbackCredential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Until(c.token.ExpiresOn) > refreshBefore {
		return c.token, nil
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(opts.Scopes, " ")},
		"client_id": {c.clientID}, "client_secret": {c.clientSecret},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, strings.NewReader(form.Encode()))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := time.Now()
	resp, err := c.transport.Do(req)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	var answer struct {
		Token     string      `json:"access_token"`
		ExpiresIn json.Number `json:"expires_in"` // a number or, on older endpoints, a text
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return azcore.AccessToken{}, refusedSignIn(c.authority, resp.StatusCode, body)
	}
	seconds, err := answer.ExpiresIn.Int64()
	if err != nil {
		return azcore.AccessToken{}, refusedSignIn(c.authority, resp.StatusCode, nil)
	}
	c.token = azcore.AccessToken{Token: answer.Token, ExpiresOn: asked.Add(time.Duration(seconds) * time.Second)}
	return c.token, nil
}

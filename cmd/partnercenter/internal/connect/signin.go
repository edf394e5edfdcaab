package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/appsecret"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// SignIn is a user's sign-in with "partnercenter login". There is one for each
// authority, tenant and app.
type SignIn struct {
	Authority string         `json:"authority"` // as returned by NormalAuthority
	Tenant    string         `json:"tenant"`    // from the settings; may be empty
	TenantID  string         `json:"tenantId"`  // the user's, from the id token
	ClientID  string         `json:"clientId"`
	Public    bool           `json:"public"` // the app used neither secret nor certificate
	Username  string         `json:"username"`
	Name      string         `json:"name"`
	At        time.Time      `json:"at"`
	Account   public.Account `json:"account"`
	// Cache is MSAL's cache, including the refresh token.
	Cache json.RawMessage `json:"cache"`
}

// NormalAuthority normalizes the base URL of an authority.
func NormalAuthority(authority string) string {
	return ascii.ToLower(strings.TrimRight(authority, "/"))
}

// serves reports whether the sign-in matches the settings. Settings that are
// not set match anything.
func (i *SignIn) serves(s *Settings) bool {
	return i.Authority == NormalAuthority(s.Authority) &&
		(s.ClientID == "" || ascii.EqualFold(s.ClientID, i.ClientID)) &&
		(s.TenantID == "" || ascii.EqualFold(s.TenantID, i.Tenant) || ascii.EqualFold(s.TenantID, i.TenantID))
}

// Same reports whether i and other are for the same authority, tenant and app.
func (i *SignIn) Same(other *SignIn) bool {
	return i.Authority == other.Authority && ascii.EqualFold(i.ClientID, other.ClientID) && ascii.EqualFold(i.TenantID, other.TenantID)
}

// Who returns the user's name for display.
func (i *SignIn) Who() string {
	if i.Name == "" {
		return i.Username
	}
	return fmt.Sprintf("%s (%s)", i.Name, i.Username)
}

// FindSignIn returns the sign-in for the settings, or nil.
func FindSignIn(signIns []*SignIn, s *Settings) (*SignIn, error) {
	var found []*SignIn
	for _, i := range signIns {
		if i.serves(s) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	var names []string
	for _, i := range found {
		names = append(names, fmt.Sprintf("%s in tenant %s with app %s", i.Who(), i.TenantID, i.ClientID))
	}
	return nil, &SignInError{
		Text: "more than one user is signed in for these settings: " + strings.Join(names, "; "),
		Next: "Select one with --tenant-id and --client-id.",
	}
}

// UserApp is an app that a user signs in to, with the MSAL client for its type.
type UserApp interface {
	// CodeURL returns the address of the sign-in page, without state, nonce and
	// code challenge.
	CodeURL(ctx context.Context, redirect string, scopes []string) (string, error)
	Redeem(ctx context.Context, code, redirect, verifier string, scopes []string) (public.AuthResult, error)
	silent(ctx context.Context, account public.Account, scopes []string) (public.AuthResult, error)
}

// PublicApp is an app without secret or certificate.
type PublicApp struct {
	public.Client
	id string
}

// confidentialApp is an app with a secret or a certificate.
type confidentialApp struct {
	confidential.Client
	id string
}

// anyOrganization stands for the user's own tenant in URLs, if the settings do
// not name one.
const anyOrganization = "organizations"

// NewPublicApp returns the app in the settings, without its secret. Here and
// below, instance discovery is disabled: the user chooses the authority, and
// discovery would cost each command a request.
func NewPublicApp(s *Service, kept *MSALCache, client *AuthorityClient) (*PublicApp, error) {
	app, err := public.New(s.ClientID, public.WithAuthority(tenantAuthority(s)), public.WithCache(kept),
		public.WithHTTPClient(client), public.WithInstanceDiscovery(false))
	return &PublicApp{app, s.ClientID}, err
}

// newConfidentialApp returns the app in the settings, with its secret or
// certificate.
func newConfidentialApp(s *Service, kept *MSALCache, client *AuthorityClient) (*confidentialApp, error) {
	var shown confidential.Credential
	var err error
	if s.ClientCertificate != "" {
		var certificate *appCertificate
		if certificate, err = readAppCertificate(s.ClientCertificate, s.clientCertificatePassword); err != nil {
			return nil, err
		}
		shown, err = confidential.NewCredFromCert(certificate.chain, certificate.key)
	} else {
		shown, err = confidential.NewCredFromSecret(s.ClientSecret)
	}
	if err != nil {
		return nil, terminal.Usagef("%v", err)
	}
	app, err := confidential.New(tenantAuthority(s), s.ClientID, shown, confidential.WithCache(kept),
		confidential.WithHTTPClient(client), confidential.WithInstanceDiscovery(false))
	return &confidentialApp{app, s.ClientID}, err
}

// NewUserApp returns the app in the settings, as a public or a confidential
// one.
func NewUserApp(s *Service, asPublic bool, kept *MSALCache) (UserApp, error) {
	client := NewAuthorityClient(s)
	var app UserApp
	var err error
	if asPublic {
		app, err = NewPublicApp(s, kept, client)
	} else {
		app, err = newConfidentialApp(s, kept, client)
	}
	if err != nil && !errors.As(err, new(*terminal.UsageError)) {
		err = terminal.Settingsf("%s, tenant %q and app %q do not form a valid sign-in address: %v", s.Authority, s.TenantID, s.ClientID, err)
	}
	return app, err
}

func tenantAuthority(s *Service) string {
	return strings.TrimRight(s.Authority, "/") + "/" + url.PathEscape(cmp.Or(s.TenantID, anyOrganization))
}

// DiscoveryURL returns the address of the authority's metadata for a tenant, given by id
// or domain. An empty tenant means any organization.
func (s *Service) DiscoveryURL(tenant string) string {
	return strings.TrimRight(s.Authority, "/") + "/" + url.PathEscape(cmp.Or(tenant, anyOrganization)) + "/v2.0/.well-known/openid-configuration"
}

// CodeURL implements UserApp.
func (a *PublicApp) CodeURL(ctx context.Context, redirect string, scopes []string) (string, error) {
	return a.AuthCodeURL(ctx, a.id, redirect, scopes)
}

// Redeem implements UserApp.
func (a *PublicApp) Redeem(ctx context.Context, code, redirect, verifier string, scopes []string) (public.AuthResult, error) {
	return a.AcquireTokenByAuthCode(ctx, code, redirect, scopes, public.WithChallenge(verifier))
}

func (a *PublicApp) silent(ctx context.Context, account public.Account, scopes []string) (public.AuthResult, error) {
	return a.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(account))
}

func (a *confidentialApp) CodeURL(ctx context.Context, redirect string, scopes []string) (string, error) {
	return a.AuthCodeURL(ctx, a.id, redirect, scopes)
}

func (a *confidentialApp) Redeem(ctx context.Context, code, redirect, verifier string, scopes []string) (public.AuthResult, error) {
	return a.AcquireTokenByAuthCode(ctx, code, redirect, scopes, confidential.WithChallenge(verifier))
}

func (a *confidentialApp) silent(ctx context.Context, account public.Account, scopes []string) (public.AuthResult, error) {
	return a.AcquireTokenSilent(ctx, scopes, confidential.WithSilentAccount(account))
}

// MSALCache holds MSAL's cache for one sign-in.
type MSALCache struct {
	Data    []byte
	changed bool
}

// Replace implements cache.ExportReplace.
func (c *MSALCache) Replace(_ context.Context, into cache.Unmarshaler, _ cache.ReplaceHints) error {
	if len(c.Data) == 0 {
		return nil
	}
	return into.Unmarshal(c.Data)
}

// Export implements cache.ExportReplace.
func (c *MSALCache) Export(_ context.Context, from cache.Marshaler, _ cache.ExportHints) (err error) {
	c.Data, err = from.Marshal()
	c.changed = err == nil
	return err
}

// forgetAccessTokens removes the access tokens. MSAL has no call for it, but
// all of Microsoft's libraries share the format. If it changes, the old token
// is used and refused again.
func (c *MSALCache) forgetAccessTokens() {
	var content map[string]json.RawMessage
	if json.Unmarshal(c.Data, &content) != nil {
		return
	}
	delete(content, "AccessToken")
	if data, err := json.Marshal(content); err == nil {
		c.Data = data
	}
}

// UserCredential is the credential of a signed-in user.
type UserCredential struct {
	service *Service
	store   *TokenStore
	User    *SignIn // as of the start of the command

	mu      sync.Mutex // guards the rest
	fresh   bool       // the last token came from the authority, not from the file
	last    string     // the last token returned
	refused string     // a token from the file that the API refused; empty if none
}

// GetToken returns the token in the file if it is valid for a few more minutes,
// or else gets a new one with the refresh token.
func (c *UserCredential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (token azcore.AccessToken, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.store.Change(ctx, func(signIns []*SignIn) ([]*SignIn, error) {
		i := slices.IndexFunc(signIns, c.User.Same)
		if i < 0 {
			return nil, &SignInError{Text: c.User.Who() + " has been signed out in the meantime", Next: "Sign in again: partnercenter login"}
		}
		kept := &MSALCache{Data: signIns[i].Cache}
		if c.refused != "" && bytes.Contains(kept.Data, []byte(c.refused)) { // otherwise another process has replaced it
			kept.forgetAccessTokens()
		}
		app, err := NewUserApp(c.service, signIns[i].Public, kept)
		if err != nil {
			return nil, err
		}
		result, err := app.silent(ctx, signIns[i].Account, opts.Scopes)
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		token = azcore.AccessToken{Token: result.AccessToken, ExpiresOn: result.ExpiresOn, RefreshOn: result.Metadata.RefreshOn}
		c.fresh, c.last, c.refused = result.Metadata.TokenSource == public.TokenSourceIdentityProvider, result.AccessToken, ""
		if !kept.changed {
			return nil, nil
		}
		signIns[i].Cache = kept.Data
		return signIns, nil
	})
	return token, err
}

// refuse records that the API refused a token, and reports whether the next one
// will be different.
func (c *UserCredential) refuse(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token == c.last && !c.fresh {
		c.refused = token
	}
	return c.refused != "" || token != c.last
}

// explain returns an error that explains why there is no token.
func (c *UserCredential) explain(ctx context.Context, err error) error {
	err = ExplainMSAL(ctx, &c.service.Settings, err)
	refused := new(SignInError)
	if !errors.As(err, &refused) || !refused.over() {
		return err
	}
	next := refused.Next + "\nSign in again: partnercenter login"
	if c.service.ClientSecret != "" || c.service.ClientCertificate != "" {
		next += "\nOr act as the app, without a user: --as app, or partnercenter logout."
	}
	return &SignInError{
		Text: fmt.Sprintf("the sign-in of %s has ended: %s", c.User.Who(), strings.TrimPrefix(refused.Text, SignInFailed)),
		Next: next, code: refused.code,
	}
}

// renewPolicy repeats a call with a new token if the API refused the one from
// the file. Tokens can become invalid early: sessions are revoked, or a local
// server's clock is changed.
type renewPolicy struct{ cred *UserCredential }

func (p renewPolicy) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized || resp.Request == nil {
		return resp, err
	}
	token, _ := strings.CutPrefix(resp.Request.Header.Get("Authorization"), "Bearer ")
	if !p.cred.refuse(token) {
		return resp, nil
	}
	runtime.Drain(resp)
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	return req.Next()
}

// AuthorityClient is the HTTP client that MSAL uses: the pipeline of Azure's
// SDKs, for its retries, time limits and logs without secrets.
type AuthorityClient struct {
	pipeline runtime.Pipeline

	mu       sync.Mutex    // guards the rest
	interval time.Duration // between requests; zero for none
	last     time.Time
}

// NewAuthorityClient returns the client for the authority of a service.
func NewAuthorityClient(s *Service) *AuthorityClient {
	options := s.Options
	options.Telemetry.Disabled = true // MSAL sends its own
	options.Transport = appsecret.Transport{Next: options.Transport}
	return &AuthorityClient{pipeline: runtime.NewPipeline("partnercenter-cli", "", runtime.PipelineOptions{}, &options)}
}

// slowDownBy is added to the interval if the authority answers slow_down (RFC
// 8628, section 3.5).
const slowDownBy = 5 * time.Second

// PollUnit is the unit of authorities' intervals. Tests use a shorter one.
var PollUnit = time.Second

// Pace sets the minimum interval between requests. MSAL does not keep the
// authority's.
func (c *AuthorityClient) Pace(interval time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interval, c.last = max(interval, PollUnit), time.Now()
}

// await waits until the next request may be sent.
func (c *AuthorityClient) await(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interval == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(c.last.Add(c.interval))):
		c.last = time.Now()
		return nil
	}
}

// heed increases the interval if the authority asks for it.
func (c *AuthorityClient) heed(resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interval == 0 || resp.StatusCode != http.StatusBadRequest {
		return
	}
	var answer OAuthError
	if body, err := runtime.Payload(resp); err == nil && json.Unmarshal(body, &answer) == nil && answer.Code == "slow_down" {
		c.interval += slowDownBy
	}
}

// Do sends a request of MSAL.
func (c *AuthorityClient) Do(r *http.Request) (*http.Response, error) {
	req, err := runtime.NewRequest(r.Context(), r.Method, r.URL.String())
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Raw().Header[name] = values
	}
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(body)), r.Header.Get("Content-Type")); err != nil {
			return nil, err
		}
	}
	if err := c.await(r.Context()); err != nil {
		return nil, err
	}
	resp, err := c.pipeline.Do(req)
	if err == nil {
		c.heed(resp)
	}
	return resp, err
}

// CloseIdleConnections is required by MSAL.
func (*AuthorityClient) CloseIdleConnections() {}

// ExplainMSAL converts errors of MSAL, which are long and quote malformed
// answers.
func ExplainMSAL(ctx context.Context, s *Settings, err error) error {
	var (
		call    msalerrors.CallErr
		unread  msalerrors.InvalidJsonErr
		address *url.Error
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, new(*SignInError)), errors.As(err, new(*terminal.UsageError)):
		return err
	case errors.As(err, &call) && call.Resp != nil:
		body, _ := io.ReadAll(io.LimitReader(call.Resp.Body, MaxTokenAnswer))
		return refusedSignIn(s, call.Resp.StatusCode, body)
	case errors.As(err, &unread):
		return notAuthority(s.Authority, http.StatusOK)
	case errors.As(err, &address), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return &SignInError{Text: SignInFailed + text, Next: "Sign in again: partnercenter login. 'partnercenter doctor' checks each step."}
}

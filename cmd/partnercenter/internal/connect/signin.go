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

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// SignIn is a user who signed in with "partnercenter login". There is one for
// an authority, a tenant and an app.
type SignIn struct {
	Authority string         `json:"authority"` // as normalAuthority writes it
	Tenant    string         `json:"tenant"`    // as the settings had it; may be empty
	TenantID  string         `json:"tenantId"`  // the user's, as the id token has it
	ClientID  string         `json:"clientId"`
	Public    bool           `json:"public"` // the app showed neither secret nor certificate
	Username  string         `json:"username"`
	Name      string         `json:"name"`
	At        time.Time      `json:"at"`
	Account   public.Account `json:"account"`
	// Cache is what MSAL keeps, refresh token and all.
	Cache json.RawMessage `json:"cache"`
}

// NormalAuthority writes the base URL of an authority in one way.
func NormalAuthority(authority string) string {
	return strings.ToLower(strings.TrimRight(authority, "/"))
}

// serves reports whether the sign-in is for what the settings name. What they
// leave out may be anything.
func (i *SignIn) serves(s *Settings) bool {
	return i.Authority == NormalAuthority(s.Authority) &&
		(s.ClientID == "" || strings.EqualFold(s.ClientID, i.ClientID)) &&
		(s.TenantID == "" || strings.EqualFold(s.TenantID, i.Tenant) || strings.EqualFold(s.TenantID, i.TenantID))
}

// Same reports whether other took the place of i.
func (i *SignIn) Same(other *SignIn) bool {
	return i.Authority == other.Authority && strings.EqualFold(i.ClientID, other.ClientID) && strings.EqualFold(i.TenantID, other.TenantID)
}

// Who names the user for people.
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
		Next: "Say which is meant with --tenant-id and --client-id.",
	}
}

// UserApp is an app through which a user signs in: of MSAL's two clients the
// one that it takes.
type UserApp interface {
	// CodeURL returns where the user signs in, without what guards the answer.
	CodeURL(ctx context.Context, redirect string, scopes []string) (string, error)
	Redeem(ctx context.Context, code, redirect, verifier string, scopes []string) (public.AuthResult, error)
	silent(ctx context.Context, account public.Account, scopes []string) (public.AuthResult, error)
}

// PublicApp shows nothing but its id: an app on people's machines.
type PublicApp struct {
	public.Client
	id string
}

// confidentialApp has a secret or a certificate.
type confidentialApp struct {
	confidential.Client
	id string
}

// anyOrganization takes the tenant's place in URLs where the settings name
// none: the user's own is meant.
const anyOrganization = "organizations"

// NewPublicApp returns the app of the settings as one without a secret. Whether
// there is such an authority Microsoft is not asked, here and below: it is the
// user's choice, and the question would cost every command a request.
func NewPublicApp(s *Service, kept *MSALCache, client *AuthorityClient) (*PublicApp, error) {
	app, err := public.New(s.ClientID, public.WithAuthority(tenantAuthority(s)), public.WithCache(kept),
		public.WithHTTPClient(client), public.WithInstanceDiscovery(false))
	return &PublicApp{app, s.ClientID}, err
}

// newConfidentialApp returns the app of the settings with what it shows.
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

// NewUserApp returns the app of the settings, as a public one or as one that
// shows a secret or certificate.
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
		err = terminal.Settingsf("%s, tenant %q and app %q do not make an address to sign in at: %v", s.Authority, s.TenantID, s.ClientID, err)
	}
	return app, err
}

func tenantAuthority(s *Service) string {
	return strings.TrimRight(s.Authority, "/") + "/" + url.PathEscape(cmp.Or(s.TenantID, anyOrganization))
}

// DiscoveryURL is where the authority describes itself for a tenant, named by id or
// domain; for none, any organization.
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

// MSALCache holds what MSAL keeps of one sign-in.
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

// forgetAccessTokens leaves the refresh token only. MSAL has no call for it, but
// the format is the same for all of Microsoft's libraries; should it change, the
// old token is tried again, and refused again.
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

// UserCredential gives tokens of a signed-in user.
type UserCredential struct {
	service *Service
	store   *TokenStore
	User    *SignIn // as it was when the command started

	mu      sync.Mutex // guards the rest
	fresh   bool       // the last token came from the authority, not out of the file
	last    string     // the last token given
	refused string     // a token out of the file that the API refused; empty for none
}

// GetToken returns the token of the file while it is good for some minutes, and
// else gets a new one for the refresh token.
func (c *UserCredential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (token azcore.AccessToken, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.store.Change(ctx, func(signIns []*SignIn) ([]*SignIn, error) {
		at := slices.IndexFunc(signIns, c.User.Same)
		if at < 0 {
			return nil, &SignInError{Text: c.User.Who() + " has been signed out meanwhile", Next: "Sign in again: partnercenter login"}
		}
		kept := &MSALCache{Data: signIns[at].Cache}
		if c.refused != "" && bytes.Contains(kept.Data, []byte(c.refused)) { // else another process was faster
			kept.forgetAccessTokens()
		}
		app, err := NewUserApp(c.service, signIns[at].Public, kept)
		if err != nil {
			return nil, err
		}
		result, err := app.silent(ctx, signIns[at].Account, opts.Scopes)
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		token = azcore.AccessToken{Token: result.AccessToken, ExpiresOn: result.ExpiresOn, RefreshOn: result.Metadata.RefreshOn}
		c.fresh, c.last, c.refused = result.Metadata.TokenSource == public.TokenSourceIdentityProvider, result.AccessToken, ""
		if !kept.changed {
			return nil, nil
		}
		signIns[at].Cache = kept.Data
		return signIns, nil
	})
	return token, err
}

// refuse tells the credential that the API refused a token, and reports whether
// the next one will be another.
func (c *UserCredential) refuse(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token == c.last && !c.fresh {
		c.refused = token
	}
	return c.refused != "" || token != c.last
}

// explain words why there is no token.
func (c *UserCredential) explain(ctx context.Context, err error) error {
	err = ExplainMSAL(ctx, c.service.Authority, err)
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

// renewPolicy repeats a call that the API refused with a token out of the file,
// with a new one. Tokens can end before their time: the user's sessions are
// revoked, or a local server's clock is set.
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

// AuthorityClient is what MSAL calls the authority with: the pipeline of Azure's
// SDKs, for its retries, time limits and logs without secrets.
type AuthorityClient struct {
	pipeline runtime.Pipeline

	mu       sync.Mutex    // guards the rest
	interval time.Duration // between requests; zero for none
	last     time.Time
}

// NewAuthorityClient returns the client for a service's authority.
func NewAuthorityClient(s *Service) *AuthorityClient {
	options := s.Options
	options.Telemetry.Disabled = true // MSAL names itself
	return &AuthorityClient{pipeline: runtime.NewPipeline("partnercenter-cli", "", runtime.PipelineOptions{}, &options)}
}

// slowDownBy is added to the interval when the authority says slow_down (RFC
// 8628, section 3.5).
const slowDownBy = 5 * time.Second

// PollUnit is what authorities count intervals in; tests have less time.
var PollUnit = time.Second

// Pace keeps an interval between requests from now on: MSAL asks for a device
// code's token as often as it likes.
func (c *AuthorityClient) Pace(interval time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interval, c.last = max(interval, PollUnit), time.Now()
}

// await waits for the next request's turn.
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

// heed slows down if the authority says so.
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

// Do sends what MSAL asks for.
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

// CloseIdleConnections is what MSAL wants of a client besides.
func (*AuthorityClient) CloseIdleConnections() {}

// ExplainMSAL makes an error of ours of one of MSAL's, which are long and quote
// what they could not read.
func ExplainMSAL(ctx context.Context, authority string, err error) error {
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
		return refusedSignIn(authority, call.Resp.StatusCode, body)
	case errors.As(err, &unread):
		return refusedSignIn(authority, http.StatusOK, nil)
	case errors.As(err, &address), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return &SignInError{Text: SignInFailed + text, Next: "Sign in again: partnercenter login. 'partnercenter doctor' tries each step."}
}

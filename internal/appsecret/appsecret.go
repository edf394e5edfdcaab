// Package appsecret gets an app's tokens by its secret from an authority on this machine
// over plain HTTP, which package azidentity refuses.
package appsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Credential is an [azcore.TokenCredential]. It keeps the token until shortly before its
// expiry.
type Credential struct {
	Authority, TenantID, ClientID, ClientSecret string
	Transport                                   policy.Transporter
	Timeout                                     time.Duration // 0: none

	mu    sync.Mutex // guards token
	token azcore.AccessToken
}

// Refused is an answer of the authority without a token.
type Refused struct {
	Authority  string
	StatusCode int
	Body       []byte
}

func (r *Refused) Error() string {
	var answer struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	text := "not in the way a token authority does; check its address"
	if json.Unmarshal(r.Body, &answer) == nil && answer.Code != "" {
		text = quote.Cut(answer.Code+": "+answer.Description, maxReason)
	}
	return fmt.Sprintf("%s answered %d to a request for a token, %s", r.Authority, r.StatusCode, text)
}

// NonRetriable marks the error as one that azcore must not retry.
func (*Refused) NonRetriable() {}

// refreshBefore is how long before its expiry a token is replaced, as in package
// azidentity.
const refreshBefore = 5 * time.Minute

// maxReason is how much of an authority's reason is shown, in bytes.
const maxReason = 4000

// maxAnswer is far more than any token needs.
const maxAnswer = 1 << 20

// Transport leaves out what is too much of an authority's answers, for package azidentity,
// which reads them whole.
type Transport struct{ Next policy.Transporter }

// Do sends a request.
func (t Transport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.Next.Do(req)
	if err == nil && resp.Body != nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// GetToken implements [azcore.TokenCredential].
func (c *Credential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Until(c.token.ExpiresOn) > refreshBefore {
		return c.token, nil
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	address := strings.TrimRight(c.Authority, "/") + "/" + url.PathEscape(c.TenantID) + "/oauth2/v2.0/token"
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(opts.Scopes, " ")},
		"client_id": {c.ClientID}, "client_secret": {c.ClientSecret},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := time.Now()
	resp, err := Transport{c.Transport}.Do(req)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	refused := &Refused{c.Authority, resp.StatusCode, body}
	var answer struct {
		Token     string      `json:"access_token"`
		ExpiresIn json.Number `json:"expires_in"` // a number or, at older endpoints, a string
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return azcore.AccessToken{}, refused
	}
	seconds, err := answer.ExpiresIn.Int64()
	if err != nil {
		return azcore.AccessToken{}, refused
	}
	c.token = azcore.AccessToken{Token: answer.Token, ExpiresOn: asked.Add(time.Duration(seconds) * time.Second)}
	return c.token, nil
}

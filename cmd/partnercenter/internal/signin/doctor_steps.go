package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// doctorTimeout is the default timeout of doctor, short because someone is
// watching.
const doctorTimeout = 20 * time.Second

// maxClockSkew is the difference between clocks that Microsoft's authority
// tolerates in assertions, and APIs in tokens.
const maxClockSkew = 5 * time.Minute

func (d *doctor) checkConfiguration(context.Context) outcome {
	config, err := connect.LoadConfig(d.term)
	if errors.Is(err, connect.ErrNoStateDir) {
		return isOK("there is none: %v; flags and variables are used", err)
	}
	if err != nil {
		return d.failedWith(err)
	}
	if _, err := os.Stat(config.Path); connect.Missing(err) {
		return isOK("there is none at %s; flags, variables and built-in values are used", config.Path)
	}
	return isOK("%s, profiles: %s", config.Path, cmp.Or(strings.Join(config.Names(), ", "), "none"))
}

func (d *doctor) checkSettings(context.Context) outcome {
	s, err := d.connection.UnsignedService()
	if err != nil {
		return d.failedWith(err)
	}
	d.service = s
	text := fmt.Sprintf("API %s, authority %s", s.BaseURL, s.Authority)
	if s.TenantID != "" {
		text += ", tenant " + s.TenantID
	}
	if s.ClientID != "" {
		text += ", app " + s.ClientID
	}
	if proxies := proxyVariables(d.term.Getenv); proxies != "" {
		text += "; " + proxies
	}
	return isOK("%s", text)
}

// proxyVariables lists the variables that set proxies, without passwords.
func proxyVariables(getenv func(string) string) string {
	var set []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		switch {
		case err == nil && u.User != nil:
			value = u.Redacted()
		case strings.Contains(value, "@"): // may be a password, without a scheme
			value = "(not shown)"
		}
		set = append(set, name+"="+value)
	}
	return strings.Join(set, ", ")
}

func (d *doctor) checkCredentials(context.Context) outcome {
	if d.service == nil {
		return isSkipped("the settings are not complete")
	}
	cred, err := connect.NewCredential(d.term, d.service)
	if err != nil {
		return d.failedWith(err)
	}
	d.cred, d.service.Cred = cred, cred
	if user, ok := cred.(*connect.UserCredential); ok {
		return isOK("user %s: %s", user.User.Who(), d.service.Way.Text)
	}
	return isOK("%s", d.service.Way.Text)
}

func (d *doctor) reachAuthority(ctx context.Context) outcome {
	if d.service == nil {
		return isSkipped("the settings are not complete")
	}
	d.authority = reach(ctx, d.service, d.service.DiscoveryURL(d.service.TenantID), d.connection.Timeout)
	return d.authority.outcome("--authority")
}

// checkDiscovery checks the authority's metadata for the tenant (OpenID Connect
// Discovery 1.0).
func (d *doctor) checkDiscovery(context.Context) outcome {
	r := d.authority
	if r == nil || r.err != nil {
		return isSkipped("the authority was not reached")
	}
	var document struct {
		Issuer string `json:"issuer"`
		Token  string `json:"token_endpoint"`
	}
	var refused connect.OAuthError
	switch {
	case r.status == http.StatusOK && json.Unmarshal(r.body, &document) == nil && document.Issuer != "" && document.Token != "":
	case json.Unmarshal(r.body, &refused) == nil && refused.Code != "":
		e := refused.SignInError("Check --tenant-id and --authority.")
		return isFailed(e.Next, "%s: %s", r.statusText(), strings.TrimPrefix(e.Text, connect.SignInFailed))
	case r.status == http.StatusTooManyRequests:
		return isFailed("Wait a few minutes, then try again.", "the authority is receiving too many requests (%s)", r.statusText())
	case r.status >= http.StatusInternalServerError:
		return isFailed("Try again in a few minutes. If it is your own server, check its log.", "the authority has a problem (%s)", r.statusText())
	case r.status >= 300 && r.status < 400:
		return isFailed("Check --authority, and whether a guest network requires a sign-in: open any page in a browser.",
			"the authority redirects elsewhere (%s, to %s)", r.statusText(), hostOf(r.header.Get("Location")))
	default:
		return isFailed("Check --authority, and whether a proxy or a guest network answers instead: open any page in a browser.",
			"the answer is not from a token authority (%s, %s)", r.statusText(), cmp.Or(r.header.Get("Content-Type"), "no content type"))
	}
	// Authorities know tenants of other clouds, and refer to their authority.
	if is, other := cloudOfHost(hostOf(document.Token)); other && hostOf(document.Token) != hostOf(d.service.Authority) && connect.MicrosoftAuthority(d.service.Authority) {
		return isFailed("Add --cloud "+is+", or cloud: "+is+" to the profile.", "the tenant is in cloud %s, whose authority is %s", is, hostOf(document.Token))
	}
	return isOK("issuer %s", document.Issuer)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an unknown host"
	}
	return ascii.ToLower(u.Host)
}

// cloudOfHost returns the cloud whose authority is at the host.
func cloudOfHost(host string) (name string, ok bool) {
	for _, cloud := range partnercenter.CloudNames() {
		if hostOf(cloud.Configuration().ActiveDirectoryAuthorityHost) == host {
			return string(cloud), true
		}
	}
	return "", false
}

func (d *doctor) reachAPI(ctx context.Context) outcome {
	if d.service == nil {
		return isSkipped("the settings are not complete")
	}
	d.api = reach(ctx, d.service, strings.TrimRight(d.service.BaseURL, "/")+"/", d.connection.Timeout)
	return d.api.outcome("--base-url")
}

// checkClock compares this machine's clock with the Date header of answers, which
// is in whole seconds.
func (d *doctor) checkClock(context.Context) outcome {
	for _, r := range []*reached{d.authority, d.api} {
		if r == nil || r.err != nil {
			continue
		}
		date, err := http.ParseTime(r.header.Get("Date"))
		if err != nil {
			continue
		}
		skew := date.Sub(r.answered)
		switch {
		case skew >= maxClockSkew:
			return isFailed("Set this machine's clock and synchronize it (NTP): tokens would not be valid yet.", "this machine's clock is %s behind that of %s", terminal.InWords(skew), r.host)
		case -skew >= maxClockSkew:
			return isFailed("Set this machine's clock and synchronize it (NTP): tokens would appear to be expired.", "this machine's clock is %s ahead of that of %s", terminal.InWords(-skew), r.host)
		}
		return isOK("within %s of that of %s", terminal.InWords(skew.Abs().Round(time.Second)+time.Second), r.host)
	}
	return isSkipped("no answer had the time")
}

func (d *doctor) getToken(ctx context.Context) outcome {
	switch {
	case d.cred == nil:
		return isSkipped("there are no credentials")
	case d.authority.err != nil:
		return isSkipped("the authority was not reached")
	}
	token, err := d.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: d.service.Scopes})
	if err != nil {
		return d.failedWith(err)
	}
	d.token = &token
	return isOK("valid until %s", terminal.At(token.ExpiresOn, d.term.Now()))
}

// checkClaims checks the claims that the API checks.
func (d *doctor) checkClaims(context.Context) outcome {
	if d.token == nil {
		return isSkipped("there is no token")
	}
	c, ok := claims.Read(d.token.Token)
	if !ok {
		return isSkipped("the token cannot be decoded")
	}
	d.claims = c
	audience := strings.Join(c.Audience, ", ")
	_, graph, known := knownAudience(audience)
	scope := d.service.Options.Cloud.Services[partnercenter.ServiceName].Audience + "/.default"
	switch wanted := d.service.TenantID; {
	case !known:
		return isFailed("Request "+scope+" with --scope, or leave --scope out.", "the token is for %s, which is not Partner Center", audience)
	case graph && c.ForUser():
		return isFailed("Request "+scope+" with --scope, or leave --scope out.", "the token is for %s, which Partner Center accepted from apps, not from users", audience)
	case guid.Is(wanted) && !ascii.EqualFold(wanted, c.TenantID):
		return isFailed("Check --tenant-id.", "the token is for tenant %s, but the settings have %s", c.TenantID, wanted)
	case c.ForUser() && c.WithoutMFA():
		return isFailed("Sign in again with multi-factor authentication: partnercenter login\nIf the page does not ask for it, have an administrator require it for this user.",
			"user %s signed in without multi-factor authentication, which Partner Center requires", c.User())
	}
	text := "for " + audience
	if graph {
		text += ", which Microsoft's service accepted until August 2025 (now: " + scope + ")"
	}
	text += ", app-only: calls that require a user are refused"
	if c.ForUser() {
		text = fmt.Sprintf("for %s, user %s", audience, c.User())
		if len(c.Methods) > 0 {
			text += " with multi-factor authentication"
		}
	}
	if roles := c.AllRoles(); len(roles) > 0 {
		text += ", roles " + strings.Join(roles, ", ")
	}
	return isOK("%s", text)
}

// callAPI requests one customer, which every credential allows.
func (d *doctor) callAPI(ctx context.Context) outcome {
	switch {
	case d.token == nil:
		return isSkipped("there is no token")
	case d.api.err != nil:
		return isSkipped("the API's host was not reached")
	}
	s := *d.service
	s.RequestsPerMinute = 0 // one request does not need a budget
	pc, err := d.connection.NewClient(&s, false)
	if err != nil {
		return d.failedWith(err)
	}
	began := d.term.Now()
	page, err := pc.Customers.Query(ctx, partnercenter.CustomersQuery{Size: 1})
	took := max(d.term.Now().Sub(began).Round(time.Millisecond), time.Millisecond)
	answer := new(partnercenter.Error)
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusTooManyRequests:
		d.throttled = d.failedWith(err)
		return isOK("answered in %s, but refused the request as one too many", took)
	case err != nil:
		d.throttled = isSkipped("the call failed for another reason")
		if o, ok := d.tokenOutOfTime(answer); ok {
			return o
		}
		return d.failedWith(err)
	}
	d.throttled = isOK("not reached")
	if len(page.Items) == 0 {
		return isOK("answered in %s; the partner has no customers", took)
	}
	return isOK("answered in %s with a customer", took)
}

// tokenOutOfTime reports whether the token's times explain a refusal. It is
// called last, because a local server's clock may be set to another time.
func (d *doctor) tokenOutOfTime(answer *partnercenter.Error) (outcome, bool) {
	if d.claims == nil || answer.StatusCode != http.StatusUnauthorized {
		return outcome{}, false
	}
	now, begins, ends := d.term.Now(), claims.Time(d.claims.NotBefore), claims.Time(d.claims.Expires)
	if ends.IsZero() || !now.Before(begins) && now.Before(ends) {
		return outcome{}, false
	}
	return isFailed("The clocks of the authority and the API differ: correct them. For a local server, see: partnercenter clock show",
		"the API refuses the token, which is valid from %s to %s; by this machine's clock it is %s",
		begins.Format(time.RFC3339), ends.Format(time.RFC3339), now.UTC().Format(time.RFC3339)), true
}

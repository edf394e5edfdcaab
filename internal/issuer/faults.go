package issuer

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// FaultKind is a kind of fault that the authority injects on request.
type FaultKind string

// The kinds of faults. Those of the first group strike before the request is examined.
const (
	FaultThrottled          FaultKind = "throttled"
	FaultUnavailable        FaultKind = "unavailable"
	FaultHTML               FaultKind = "html"    // a page instead of an answer
	FaultTimeout            FaultKind = "timeout" // no answer, then a closed connection
	FaultTenantUnknown      FaultKind = "tenant_unknown"
	FaultAppUnknown         FaultKind = "app_unknown"
	FaultAppDisabled        FaultKind = "app_disabled"
	FaultSecretWrong        FaultKind = "secret_wrong"
	FaultSecretExpired      FaultKind = "secret_expired"
	FaultCertificateRevoked FaultKind = "certificate_revoked"

	// These strike when the tokens' user is known.
	FaultMFARequired     FaultKind = "mfa_required"
	FaultConsentMissing  FaultKind = "consent_missing"
	FaultRefreshRevoked  FaultKind = "refresh_revoked"
	FaultRefreshTooOld   FaultKind = "refresh_too_old"
	FaultAccountDisabled FaultKind = "account_disabled"
	FaultUserLocked      FaultKind = "user_locked"
	FaultLoopDetected    FaultKind = "loop_detected"

	// These issue a token that the API refuses.
	FaultMFAClaimMissing FaultKind = "mfa_claim_missing"
	FaultWrongAudience   FaultKind = "wrong_audience"
	FaultClockSkew       FaultKind = "clock_skew"
)

// The endpoints that a fault can strike.
const (
	atToken      = "token"
	atAuthorize  = "authorize"
	atDeviceCode = "devicecode"
	atDiscovery  = "discovery"
)

// stage is when a fault strikes.
type stage int

const (
	beforeAll stage = iota
	onceUserKnown
	onToken
)

// passwordPage stands among the grant types for the page where users enter their
// passwords.
const passwordPage = "page"

// Which requests faults of users strike.
var (
	// silentGrantTypes do not involve the user, so the user cannot provide what is
	// missing.
	silentGrantTypes = []string{grantTypeRefresh, grantTypeOnBehalfOf, grantTypePassword}
	userGrants       = append([]string{grantTypeCode, grantTypeDevice, grantDeviceV1}, silentGrantTypes...)
)

// faultTraits describe a kind of fault. In the text, {app}, {tenant} and {user} stand
// for the target.
type faultTraits struct {
	stage      stage
	endpoints  []string // before all: where it can strike
	grantTypes []string // once the user is known: which requests it strikes
	code       errorCode
	text       string
}

var (
	anywhere  = []string{atToken, atAuthorize, atDeviceCode, atDiscovery}
	whereApps = []string{atToken, atAuthorize, atDeviceCode}
	tokenOnly = []string{atToken}
)

var faultTable = map[FaultKind]faultTraits{
	FaultThrottled:   {endpoints: anywhere, code: codeThrottled, text: "There are too many requests. Keep tokens until they expire, and send the request again after as many seconds as Retry-After says."},
	FaultUnavailable: {endpoints: anywhere, code: codeNotReady, text: "A transient error has occurred. Try again in a moment."},
	FaultHTML:        {endpoints: anywhere},
	FaultTimeout:     {endpoints: anywhere},
	FaultTenantUnknown: {
		endpoints: anywhere, code: codeUnknownTenant,
		text: "Tenant {tenant} does not exist here. Check the tenant's id or domain in the URL.",
	},
	FaultAppUnknown: {
		endpoints: whereApps, code: codeUnknownClient,
		text: "No application {app} is registered in tenant {tenant}. Check client_id and the tenant in the URL.",
	},
	FaultAppDisabled:        {endpoints: whereApps, code: codeClientDisabled, text: "Application {app} is disabled. Have an administrator enable it."},
	FaultSecretWrong:        {endpoints: tokenOnly, code: codeWrongSecret, text: "The client secret is wrong for application {app}. Send the secret's value, not its id; in a form + is %2B and % is %25."},
	FaultSecretExpired:      {endpoints: tokenOnly, code: codeSecretExpired, text: "The client secret of application {app} expired. Register a new one, and send that."},
	FaultCertificateRevoked: {endpoints: tokenOnly, code: codeCertificateRevoked, text: "The certificate of application {app} is revoked. Register another one, and sign with that."},
	FaultMFARequired: {
		stage: onceUserKnown, grantTypes: silentGrantTypes, code: codeMFARequired,
		text: "User {user} must sign in with a second factor, as an administrator has changed what is asked for. Send the user through the authorize endpoint.",
	},
	FaultConsentMissing: {
		stage: onceUserKnown, grantTypes: silentGrantTypes, code: codeNoConsent,
		text: "Neither the user nor an administrator has consented to application {app}. Send the user through the authorize endpoint to consent.",
	},
	FaultRefreshRevoked: {
		stage: onceUserKnown, grantTypes: []string{grantTypeRefresh}, code: codeGrantRevoked,
		text: "The refresh token is revoked, for the user's password may have changed. Have the user sign in again.",
	},
	FaultRefreshTooOld: {
		stage: onceUserKnown, grantTypes: []string{grantTypeRefresh}, code: codeRefreshExpired,
		text: "The refresh token expired, because it was not used for 90 days. Have the user sign in again.",
	},
	FaultAccountDisabled: {
		stage: onceUserKnown, grantTypes: append([]string{passwordPage}, userGrants...), code: codeUserDisabled,
		text: "The account of user {user} is disabled. Have an administrator enable it, or sign in as another user.",
	},
	FaultUserLocked: {
		stage: onceUserKnown, grantTypes: []string{passwordPage, grantTypePassword}, code: codeLocked,
		text: "The account of user {user} is locked, because the password was wrong too often. Wait, then try again.",
	},
	FaultLoopDetected: {
		stage: onceUserKnown, grantTypes: userGrants, code: codeLoop,
		text: "Application {app} has sent the same request too often, as if it were in a loop. Keep tokens until they expire, and stop after an error.",
	},
	FaultMFAClaimMissing: {stage: onToken},
	FaultWrongAudience:   {stage: onToken},
	FaultClockSkew:       {stage: onToken},
}

// FaultKinds returns the kinds of faults, sorted by name.
func FaultKinds() []string {
	var kinds []string
	for kind := range faultTable {
		kinds = append(kinds, string(kind))
	}
	slices.Sort(kinds)
	return kinds
}

const (
	// maxFaults bounds what a script that never clears its faults leaves behind.
	maxFaults = 100
	// maxSilence is how long a request may stay unanswered: less than net/http allows.
	maxSilence = 2 * time.Minute
	// maxSkew keeps the times in tokens within what checkers can compute.
	maxSkew = 365 * 24 * time.Hour

	defaultRetryAfter = time.Minute // as at Microsoft
	defaultSilence    = 30 * time.Second
	defaultSkew       = 5 * time.Minute
	defaultAudience   = "https://graph.microsoft.com"
)

// Fault is a fault to inject. Kind is required; other empty fields match any request.
type Fault struct {
	Kind     FaultKind
	Tenant   string // id or domain: the user's or, without one, the URL's
	ClientID string
	User     string // user principal name; for kinds that know the user
	Times    int    // how often it strikes; zero: until removed

	// Endpoint is where it strikes: token, authorize, devicecode or discovery. Empty
	// means token. Faults that know the user strike at token, and some on the page
	// where users enter their passwords.
	Endpoint string
	// RetryAfter is the value of that header for throttled and unavailable. Zero means
	// a minute for throttled, and no header for unavailable.
	RetryAfter time.Duration
	// Plain makes throttled answer in plain text, as Microsoft does to apps that
	// request app-only tokens too often.
	Plain bool
	// Status is the status of html's page. Zero means 502.
	Status int
	// For is how long timeout waits before it closes the connection. Zero means 30
	// seconds; the maximum is two minutes.
	For time.Duration
	// By is the offset of clock_skew's clock: tokens become valid this much later than
	// now or, if it is negative, have expired this long ago. Zero means five minutes.
	By time.Duration
	// Audience is the audience of wrong_audience's tokens. Empty means Microsoft Graph.
	Audience string
}

// ActiveFault is a fault that was added.
type ActiveFault struct {
	Fault
	ID     string
	Struck int
}

// Spent reports whether the fault has struck as often as it may.
func (f *ActiveFault) Spent() bool { return f.Times > 0 && f.Struck >= f.Times }

// faults are the faults that were added, oldest first. The oldest that matches strikes.
type faults struct {
	mu    sync.Mutex // guards the other fields
	list  []*activeFault
	added int // numbers the next one
}

// activeFault is a fault with a signal for the requests that it keeps waiting.
type activeFault struct {
	ActiveFault
	removed chan struct{} // closed when the fault is removed
}

// AddFault injects a fault from now on, until it is spent or removed. An error says
// what is wrong with f and what to do.
func (a *Authority) AddFault(f Fault) (ActiveFault, error) {
	if err := a.completeFault(&f); err != nil {
		return ActiveFault{}, err
	}
	a.faults.mu.Lock()
	defer a.faults.mu.Unlock()
	if len(a.faults.list) >= maxFaults {
		return ActiveFault{}, fmt.Errorf("there are %d faults already; remove some first", maxFaults)
	}
	a.faults.added++
	s := &activeFault{ActiveFault{Fault: f, ID: "f" + strconv.Itoa(a.faults.added)}, make(chan struct{})}
	a.faults.list = append(a.faults.list, s)
	return s.ActiveFault, nil
}

// Faults returns the faults that were added and not removed, oldest first.
func (a *Authority) Faults() []ActiveFault {
	a.faults.mu.Lock()
	defer a.faults.mu.Unlock()
	list := make([]ActiveFault, len(a.faults.list))
	for i, s := range a.faults.list {
		list[i] = s.ActiveFault
	}
	return list
}

// RemoveFault ends a fault and reports whether it existed. Requests that it keeps
// waiting are aborted.
func (a *Authority) RemoveFault(id string) bool {
	return a.faults.remove(func(s *activeFault) bool { return s.ID == id }) > 0
}

// ClearFaults ends all faults, and returns their number.
func (a *Authority) ClearFaults() int {
	return a.faults.remove(func(*activeFault) bool { return true })
}

func (fs *faults) remove(match func(*activeFault) bool) int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	before := len(fs.list)
	fs.list = slices.DeleteFunc(fs.list, func(s *activeFault) bool {
		if !match(s) {
			return false
		}
		close(s.removed)
		return true
	})
	return before - len(fs.list)
}

// completeFault checks a fault and fills in defaults.
func (a *Authority) completeFault(f *Fault) error {
	traits, known := faultTable[f.Kind]
	if !known {
		return fmt.Errorf("there is no fault %s; use one of %s", quote.Text(string(f.Kind)), strings.Join(FaultKinds(), ", "))
	}
	if f.Times < 0 {
		return fmt.Errorf("a fault cannot strike %d times; use a positive number, or leave it out to keep the fault until it is removed", f.Times)
	}
	if err := f.checkOptions(); err != nil {
		return err
	}
	if traits.stage == beforeAll {
		if f.User != "" {
			return fmt.Errorf("%s strikes before it is known who signs in; leave out the user, or name the tenant or the app", f.Kind)
		}
		f.Endpoint = ascii.ToLower(cmp.Or(f.Endpoint, atToken))
		if !slices.Contains(traits.endpoints, f.Endpoint) {
			return fmt.Errorf("%s cannot strike at %s; use one of %s", f.Kind, quote.Text(f.Endpoint), strings.Join(traits.endpoints, ", "))
		}
	} else if f.Endpoint != "" {
		return fmt.Errorf("%s strikes where tokens are issued; leave out the endpoint", f.Kind)
	}
	if f.Endpoint == atDiscovery && f.ClientID != "" {
		return errors.New("requests for discovery documents name no app; leave out the app, or the endpoint")
	}
	switch f.Kind {
	case FaultThrottled:
		f.RetryAfter = cmp.Or(f.RetryAfter, defaultRetryAfter)
	case FaultHTML:
		f.Status = cmp.Or(f.Status, http.StatusBadGateway)
	case FaultTimeout:
		f.For = cmp.Or(f.For, defaultSilence)
	case FaultClockSkew:
		f.By = cmp.Or(f.By, defaultSkew)
	case FaultWrongAudience:
		f.Audience = cmp.Or(f.Audience, defaultAudience)
		if a.isResource(f.Audience) {
			return fmt.Errorf("audience %s is one that this API accepts; name another one, or none", quote.Text(f.Audience))
		}
	}
	t, err := a.current()
	if err != nil {
		return err
	}
	return f.resolveNames(t)
}

// checkOptions refuses options of other kinds, and meaningless values.
func (f *Fault) checkOptions() error {
	for _, option := range []struct {
		name  string
		given bool
		of    []FaultKind
	}{
		{"retryAfter", f.RetryAfter != 0, []FaultKind{FaultThrottled, FaultUnavailable}},
		{"plain", f.Plain, []FaultKind{FaultThrottled}},
		{"status", f.Status != 0, []FaultKind{FaultHTML}},
		{"for", f.For != 0, []FaultKind{FaultTimeout}},
		{"by", f.By != 0, []FaultKind{FaultClockSkew}},
		{"audience", f.Audience != "", []FaultKind{FaultWrongAudience}},
	} {
		if option.given && !slices.Contains(option.of, f.Kind) {
			return fmt.Errorf("%s has no %s; leave it out", f.Kind, option.name)
		}
	}
	switch {
	case f.RetryAfter < 0 || f.RetryAfter%time.Second != 0 || f.RetryAfter > 24*time.Hour:
		return fmt.Errorf("retryAfter %v is not a valid wait; use whole seconds up to a day", f.RetryAfter)
	case f.Status != 0 && f.Status != http.StatusOK && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("a page cannot have status %d; use 200, or one from 400 to 599", f.Status)
	case f.For < 0 || f.For > maxSilence:
		return fmt.Errorf("a timeout of %v is too long; use up to %v", f.For, maxSilence)
	case f.By.Abs() > maxSkew || f.By%time.Second != 0:
		return fmt.Errorf("a clock skew of %v is not possible; use whole seconds up to a year", f.By)
	}
	return nil
}

// resolveNames checks that the fault's targets exist, and replaces names by their
// registered spelling.
func (f *Fault) resolveNames(t *trust) error {
	var tenant *tenant
	if f.Tenant != "" {
		if tenant = t.tenant(f.Tenant); tenant == nil {
			return fmt.Errorf("there is no tenant %s; GET /users lists them", quote.Text(f.Tenant))
		}
		f.Tenant = tenant.id
	}
	if f.ClientID != "" {
		app := t.app(f.ClientID)
		if app == nil {
			return fmt.Errorf("there is no app %s; GET /apps lists them", quote.Text(f.ClientID))
		}
		f.ClientID = app.ID
	}
	if f.User != "" {
		home := t.tenantOf(f.User)
		switch {
		case home == nil:
			return fmt.Errorf("there is no user %s; GET /users lists them", quote.Text(f.User))
		case tenant != nil && tenant != home:
			return fmt.Errorf("user %s is not in tenant %s; leave out one of the two", quote.Text(f.User), tenant.id)
		}
		f.User = home.user(f.User).UserPrincipalName
	}
	return nil
}

package issuer

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
)

// faultTarget is what a fault may strike, as far as it is known.
type faultTarget struct {
	tenant   *tenant
	clientID string
	user     *User
}

func (f *Fault) concerns(v faultTarget) bool {
	return (f.Tenant == "" || v.tenant != nil && v.tenant.id == f.Tenant) &&
		(f.ClientID == "" || ascii.EqualFold(v.clientID, f.ClientID)) &&
		(f.User == "" || v.user != nil && ascii.EqualFold(v.user.UserPrincipalName, f.User))
}

// strike finds the oldest fault that concerns v and fits, and counts it.
func (fs *faults) strike(v faultTarget, fits func(*Fault, faultTraits) bool) *activeFault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, s := range fs.list {
		if !s.Spent() && s.concerns(v) && fits(&s.Fault, faultTable[s.Kind]) {
			s.Struck++
			return s
		}
	}
	return nil
}

// anyAt reports whether any fault may strike at a stage.
func (fs *faults) anyAt(wanted stage) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.ContainsFunc(fs.list, func(s *activeFault) bool { return faultTable[s.Kind].stage == wanted && !s.Spent() })
}

// faultHeader names the fault that struck, for people who wonder.
const faultHeader = "X-Partnercenter-Fault"

// failure returns the error that the fault's target gets.
func (s *activeFault) failure(tenant string, v faultTarget) *failure {
	traits := faultTable[s.Kind]
	user := ""
	if v.user != nil {
		user = v.user.UserPrincipalName
	}
	f := fail(traits.code, "%s", strings.NewReplacer("{app}", quote.Text(v.clientID), "{tenant}", quote.Text(tenant), "{user}", quote.Text(user)).Replace(traits.text))
	f.retryAfter = s.RetryAfter
	return f
}

// strikeRequest applies faults to a request before it is examined. The answer is nil if
// none struck.
func (a *Authority) strikeRequest(c *call, endpoint string) (any, error) {
	if endpoint == "" || !a.faults.anyAt(beforeAll) {
		return nil, nil
	}
	shown := c.peek()
	v := faultTarget{tenant: c.trust.tenant(c.tenant), clientID: shown.id}
	if app := c.trust.app(shown.id); isShared(c.tenant) && app != nil {
		v.tenant = app.home
	}
	struck := a.faults.strike(v, func(f *Fault, traits faultTraits) bool {
		switch f.Kind {
		case FaultSecretWrong, FaultSecretExpired:
			if shown.secret == "" {
				return false
			}
		case FaultCertificateRevoked:
			if shown.assertion == "" {
				return false
			}
		}
		return traits.stage == beforeAll && f.Endpoint == endpoint
	})
	if struck == nil {
		return nil, nil
	}
	c.w.Header().Set(faultHeader, struck.ID)
	switch {
	case struck.Kind == FaultTimeout:
		struck.silence(c.r.Context())
		panic(http.ErrAbortHandler) // net/http aborts the connection
	case struck.Kind == FaultHTML:
		return &page{name: "message", status: struck.Status, data: pageData{
			Title: "The sign-in service cannot be reached",
			Text:  "Something between you and the sign-in service answers in its place. Try again in a moment.",
		}}, nil
	case struck.Plain:
		return &textAnswer{status: http.StatusTooManyRequests, retryAfter: struck.RetryAfter, text: "Too Many Requests"}, nil
	}
	f := struck.failure(c.tenant, v)
	if endpoint == atDiscovery && f.errorCode == codeUnknownTenant {
		f.kind = discoveryNoTenant
	}
	return nil, f
}

// silence waits for the duration of a timeout, unless the fault or the caller goes away
// first.
func (s *activeFault) silence(ctx context.Context) {
	select {
	case <-time.After(s.For):
	case <-s.removed:
	case <-ctx.Done():
	}
}

// peek returns the credential in a request, and leaves the body unread for the
// endpoint, which also refuses what cannot be read.
func (c *call) peek() credential {
	parameters := c.r.URL.Query()
	if c.r.Method == http.MethodPost {
		// An error recurs when the rest is read.
		head, _ := io.ReadAll(io.LimitReader(c.r.Body, maxForm))
		c.r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), c.r.Body), c.r.Body}
		parameters, _ = url.ParseQuery(string(head))
	}
	shown := credential{id: parameters.Get("client_id"), secret: parameters.Get("client_secret"), assertion: parameters.Get("client_assertion")}
	if user, password, ok := c.r.BasicAuth(); ok {
		shown.id, _ = url.QueryUnescape(user)
		shown.secret = password
	}
	return shown
}

// strikeUser applies faults to a user's tokens, or to the password that a user enters.
func (a *Authority) strikeUser(c *call, grant string, tenant *tenant, client string, user *User) error {
	v := faultTarget{tenant, client, user}
	struck := a.faults.strike(v, func(_ *Fault, traits faultTraits) bool {
		return traits.stage == onceUserKnown && slices.Contains(traits.grantTypes, grant)
	})
	if struck == nil {
		return nil
	}
	c.w.Header().Set(faultHeader, struck.ID)
	return struck.failure(tenant.id, v)
}

// distortion is how tokens differ from what they should be.
type distortion struct {
	faults     []string      // ids of those that struck
	skew       time.Duration // of the clock
	audience   string        // empty: the right one
	withoutMFA bool
}

// distort applies faults to the tokens of one answer.
func (a *Authority) distort(tenant *tenant, client *app, subject *signedIn) (d distortion) {
	v := faultTarget{tenant: tenant, clientID: client.ID}
	if subject != nil {
		v.user = subject.user
	}
	for _, kind := range []FaultKind{FaultClockSkew, FaultWrongAudience, FaultMFAClaimMissing} {
		if kind == FaultMFAClaimMissing && (subject == nil || !subject.mfa) {
			continue // there is nothing to remove
		}
		struck := a.faults.strike(v, func(f *Fault, _ faultTraits) bool { return f.Kind == kind })
		if struck == nil {
			continue
		}
		d.faults = append(d.faults, struck.ID)
		switch kind {
		case FaultClockSkew:
			d.skew = struck.By
		case FaultWrongAudience:
			d.audience = struck.Audience
		case FaultMFAClaimMissing:
			d.withoutMFA = true
		}
	}
	return d
}

// tell names the faults in the header of an answer.
func (d *distortion) tell(h http.Header) {
	if len(d.faults) > 0 {
		h.Set(faultHeader, strings.Join(d.faults, " "))
	}
	if d.skew != 0 {
		// The Date of an answer is the system clock's, as in any answer.
		h.Set("Date", time.Now().Add(d.skew).UTC().Format(http.TimeFormat))
	}
}

// validity returns the validity period of a token issued now.
func (d *distortion) validity(now time.Time, lifetime time.Duration) (notBefore, expires time.Time) {
	switch {
	case d.skew > 0:
		return now.Add(d.skew), now.Add(d.skew + lifetime)
	case d.skew < 0:
		expires = now.Add(d.skew)
		return expires.Add(-lifetime - backdate), expires
	}
	return now.Add(-backdate), now.Add(lifetime)
}

// subject returns how a user has signed in, according to the tokens.
func (d *distortion) subject(s *signedIn) *signedIn {
	if s == nil || !d.withoutMFA {
		return s
	}
	return &signedIn{user: s.user}
}

// textAnswer is an answer in plain text.
type textAnswer struct {
	status     int
	retryAfter time.Duration
	text       string
}

func (p *textAnswer) write(w http.ResponseWriter) {
	neverStore(w)
	retryafter.Set(w.Header(), p.retryAfter)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.text)
}

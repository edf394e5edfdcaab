package issuer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	// signInLifetime is how long a user may take to sign in.
	signInLifetime = 15 * time.Minute
	// signInKept is how long a sign-in is remembered, with what it has given: longer than
	// any of it can be used, to tell when somebody tries.
	signInKept = 24 * time.Hour
	// signInsKept bounds how many sign-ins in progress are remembered, and again those of
	// users who have entered their password; see Keeper.TrimRecords.
	signInsKept = 4096

	// doublePress is how long a second press of the final button gets the answer to the
	// first, which the browser has dropped.
	doublePress = 5 * time.Second
	// maxSuggestions bounds the names that the page suggests; a longer list does not
	// help.
	maxSuggestions = 50

	// maxUserName is the longest accepted user name, in bytes: that of an email
	// address.
	maxUserName = 320
)

// step is what a sign-in waits for.
type step int

const (
	stepPassword step = iota
	stepMFA
	stepConsent // or, for a device whose app has consent, confirmation that it is the right device
)

// flow is a sign-in in progress, for an app that waits for a redirect or for a device.
type flow struct {
	Request *authorization // nil for a device
	// Device is the user's code of the device, and DeviceRequest what it requests.
	Device        string
	DeviceRequest signInRequest
	Browser       []byte // digest of the cookie of the browser that began it
	Began         instant
	Step          step
	Name          string // who signs in
	Login         *login // from the password on
	// Confirms says that there is nothing left to consent to, so that the last page asks
	// only whether it is the right user. Accepting it stores no consent.
	Confirms bool
	Problem  *failure // the mistake in the last entry

	Button  string    // pressed to end it; empty while in progress
	Ended   time.Time // by the system's clock
	Outcome []byte    // an outcome, sealed with the cookie; nil while it is found out

	id     string
	record *Record
	cookie string
}

// outcome is how a sign-in ended.
type outcome struct {
	To           redirect
	Page, Action string
	Status       int
	Script       bool
	Data         pageData
	Failure      *failure
}

func outcomeOf(answer any, err error) *outcome {
	switch answer := answer.(type) {
	case *page:
		return &outcome{Page: answer.name, Action: answer.action, Status: answer.status, Script: answer.script, Data: answer.data}
	case redirect:
		return &outcome{To: answer}
	}
	f, ok := err.(*failure) //nolint:errorlint // the authority's own, never wrapped
	if !ok {
		f = flowOver()
	}
	return &outcome{Failure: f}
}

func (o *outcome) answer() (any, error) {
	switch {
	case o.Failure != nil:
		return nil, o.Failure
	case o.Page != "":
		return &page{name: o.Page, action: o.Action, status: o.Status, script: o.Script, data: o.Data}, nil
	}
	return o.To, nil
}

func flowOver() *failure {
	return fail(codeFlowExpired, "This sign-in is over, or took too long. Go back to the application, and sign in again.")
}

// address is the address of the page for the sign-in's step. Forms redirect to it, so
// that going back and reloading do not resubmit a form.
func (f *flow) address() redirect { return redirect("/common/oauth2/login?flow=" + f.id) }

// signInRequest returns which app the user signs in to, and what it requests.
func (f *flow) signInRequest() *signInRequest {
	if f.Request != nil {
		return &f.Request.signInRequest
	}
	return &f.DeviceRequest
}

// browserCookie returns the name of the cookie that ties a sign-in to the browser that
// began it: a stranger's link cannot be finished in another one. Browsers do not let
// plain HTTP overwrite a secure cookie, so each has its own.
func browserCookie(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-partnercenter-signin"
	}
	return "partnercenter-signin"
}

// beginSignIn shows the first page of a sign-in.
func (a *Authority) beginSignIn(c *call, f *flow) (any, error) {
	cookie, err := c.r.Cookie(browserCookie(c.r))
	if err != nil || len(cookie.Value) != 2*len(randomID()) {
		cookie = &http.Cookie{ //nolint:gosec // it is secure with TLS; on this machine there may be none
			Name: browserCookie(c.r), Value: randomID() + randomID(), Path: "/",
			HttpOnly: true, Secure: c.r.TLS != nil, SameSite: http.SameSiteLaxMode,
		}
		http.SetCookie(c.w, cookie)
	}
	f.id, f.Browser, f.Began = randomID(), digest(cookie.Value), a.instant()
	f.record = &Record{Kind: kindFlow, ID: f.id, Owner: callerOf(c.r) + " " + f.signInRequest().ClientID}
	f.record.lives(f.Began, signInKept)
	if _, err := a.remember(c.r.Context(), f.record, f); err != nil {
		return nil, err
	}
	if c.r.Method == http.MethodPost {
		return f.address(), nil
	}
	return a.showStep(c, f)
}

// checkOwnForm refuses a form that a page of another origin has sent.
func checkOwnForm(c *call) error {
	if c.r.Method == http.MethodPost && loopback.IsFromOtherOrigin(c.r) {
		return fail(codeOtherOrigin, "A page of another site has sent this form. Go back to the application, and sign in on the pages of this server.")
	}
	return nil
}

// signIn is GET and POST /{tenant}/oauth2/login: the current page of a sign-in, and
// what the user enters on it.
func (a *Authority) signIn(c *call) (any, error) {
	if err := checkOwnForm(c); err != nil {
		return nil, err
	}
	parameters, err := a.readAuthorizeParameters(c)
	if err != nil {
		return nil, err
	}
	f, err := a.findFlow(c, parameters.Get("flow"))
	if err != nil {
		return nil, err
	}
	button, pressed := parameters.Get("do"), c.r.Method == http.MethodPost
	switch {
	case f.Button == "" && pressed:
		return a.takeStep(c, f, formEntry{
			button: button, name: parameters.Get("username"), password: parameters.Get("password"), everybody: parameters.Get("everybody") != "",
		})
	case f.Button == "":
		return a.showStep(c, f)
	case pressed:
		return a.repeatLast(c, f, button)
	}
	return &page{name: "message", data: pageData{Title: "This sign-in is over", Text: "Go back to the application. To sign in once more, begin there."}}, nil
}

// findFlow returns a sign-in of the browser that sends a request.
func (a *Authority) findFlow(c *call, id string) (*flow, error) {
	r, f, err := recall[flow](c.r.Context(), a, kindFlow, id)
	if err != nil {
		return nil, err
	}
	if f == nil || f.Began.isOver(signInLifetime, a.instant()) {
		return nil, flowOver()
	}
	cookie, err := c.r.Cookie(browserCookie(c.r))
	if err != nil {
		return nil, fail(codeFlowExpired, "The browser sent no cookie. Allow cookies for this site, go back to the application, and sign in again.")
	}
	if subtle.ConstantTimeCompare(digest(cookie.Value), f.Browser) != 1 {
		return nil, fail(codeFlowExpired, "This sign-in was begun in another browser. Go back to the application, and sign in again.")
	}
	f.id, f.record, f.cookie = id, r, cookie.Value
	if q := f.signInRequest(); q.Customer != "" {
		if q.customer, err = a.findTenant(c, q.Customer); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// takeStep takes the next step of a sign-in. Of two that are taken at once, at the same
// server or not, the first counts.
func (a *Authority) takeStep(c *call, f *flow, e formEntry) (any, error) {
	// A second press makes the browser abandon the first request.
	c.r = c.r.WithContext(context.WithoutCancel(c.r.Context()))
	f.Problem = nil
	finish, failed := a.advance(c, f, e)
	if failed != nil {
		var ok bool
		if f.Problem, ok = failed.(*failure); ok && f.Step == stepPassword { //nolint:errorlint // the authority's own, never wrapped
			failed = nil
		} else {
			f.Problem = nil
		}
	}
	if finish != nil {
		f.Button, f.Ended = e.button, a.system()
	}
	ok, err := a.remember(c.r.Context(), f.record, f)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		if f, err = a.findFlow(c, f.id); err != nil {
			return nil, err
		}
		if f.Button != "" {
			return a.repeatLast(c, f, e.button)
		}
		return f.address(), nil
	case failed != nil:
		return nil, failed
	case finish == nil:
		return f.address(), nil
	}
	answer, failed := finish()
	_ = a.keepOutcome(c, f, outcomeOf(answer, failed)) // who presses again is told that it is over
	return answer, failed
}

// keepOutcome keeps how a sign-in ended, for those who press the button again.
func (a *Authority) keepOutcome(c *call, f *flow, o *outcome) error {
	for {
		var err error
		if f.Outcome, err = seal(f.cookie+f.id, o); err != nil {
			return err
		}
		if ok, err := a.remember(c.r.Context(), f.record, f); ok || err != nil {
			return err
		}
		// Its login was revoked meanwhile, or there were too many other sign-ins.
		r, now, err := recall[flow](c.r.Context(), a, kindFlow, f.id)
		if now == nil || err != nil {
			return err
		}
		now.id, now.record, now.cookie = f.id, r, f.cookie
		f = now
	}
}

// outcomeLook is how often it is looked for the outcome of a sign-in that is ending.
const outcomeLook = 10 * time.Millisecond

// repeatLast answers a second press of the final button as the first, whose answer the
// browser has dropped.
func (a *Authority) repeatLast(c *call, f *flow, button string) (any, error) {
	for began := time.Now(); ; {
		if button != f.Button || a.system().Sub(f.Ended) >= doublePress || time.Since(began) >= doublePress {
			return nil, flowOver()
		}
		if f.Outcome != nil {
			var o outcome
			if err := unseal(f.cookie+f.id, f.Outcome, &o); err != nil {
				return nil, err
			}
			return o.answer()
		}
		select {
		case <-c.r.Context().Done():
			return nil, c.r.Context().Err()
		case <-time.After(outcomeLook):
		}
		var err error
		if f, err = a.findFlow(c, f.id); err != nil {
			return nil, err
		}
	}
}

// formEntry is what a user has entered on a page.
type formEntry struct {
	button         string
	name, password string
	everybody      bool
}

// advance takes the next step of a sign-in. After the last one, it returns how to end
// the sign-in. A failure at the first step is shown on its page; any other error ends
// the call.
func (a *Authority) advance(c *call, f *flow, e formEntry) (finish func() (any, error), err error) {
	decline := func(code errorCode, text string) (func() (any, error), error) {
		return func() (any, error) { return a.declineSignIn(c, f, fail(code, "%s", text)) }, nil
	}
	switch {
	case e.button == "cancel" && f.Step != stepConsent:
		return decline(codeConsentDeclined, "The user has cancelled the sign-in. Ask again when the user wants to.")
	case e.button == "other":
		f.Step, f.Name, f.Login = stepPassword, "", nil
		return nil, nil
	case e.button == "signin":
		// On a page from the browser's history, too: another name is another user.
		f.Step, f.Name, f.Login = stepPassword, ascii.TrimSpace(e.name), nil
		if len(f.Name) > maxUserName {
			f.Name = ""
		}
		tenant, user, err := a.checkPassword(c, f.signInRequest().in(c.trust), f.Name, e.password)
		if err == nil {
			_, err = findApp(c.trust, tenant, f.signInRequest().ClientID)
		}
		if err == nil {
			err = a.strikeUser(c, passwordPage, tenant, f.signInRequest().ClientID, user)
		}
		if err != nil {
			return nil, err
		}
		f.record.Owner, f.record.Proved = user.ObjectID, true
		f.Login = newLogin(tenant, f.signInRequest().ClientID, user)
		f.Step = stepConsent
		if user.MFA {
			f.Step = stepMFA
		}
	case f.Step == stepMFA && e.button == "approve":
		f.Login.MFA, f.Step = true, stepConsent
	case f.Step == stepMFA && e.button == "deny":
		return decline(codeMFADenied, "The user did not approve the sign-in on the second factor. Sign in again.")
	case f.Step == stepConsent && e.button == "accept":
		return func() (any, error) { return a.acceptSignIn(c, f, e.everybody) }, nil
	case f.Step == stepConsent && (e.button == "decline" || e.button == "cancel"):
		return decline(codeConsentDeclined, "The user declined to consent. Ask again when the user wants to.")
	default:
		// A page from the browser's history: show the current one again.
		return nil, nil
	}
	if f.Step == stepConsent {
		p, err := a.parties(c, f)
		if err != nil {
			return nil, err
		}
		f.Confirms = consented(c.trust, f, p)
		// A user who was sent a device's code by a stranger sees whose it is.
		if f.Confirms && f.Request != nil {
			return func() (any, error) { return a.finishSignIn(c, f) }, nil
		}
	}
	return nil, nil
}

// consented reports whether there is nothing left to consent to. A customer's consent is
// not the user's to give.
func consented(t *trust, f *flow, p parties) bool {
	return f.signInRequest().customer != nil ||
		(f.Request == nil || !f.Request.Consent) && checkConsent(t, p.client, p.tenant, p.user, p.access) == nil
}

// parties are the participants of a sign-in, and its subject.
type parties struct {
	tenant *tenant
	user   *User
	client *app
	access *accessRequest
}

// parties finds them as they are now. Every step after the password begins with it:
// people and apps may have been removed or disabled since.
func (a *Authority) parties(c *call, f *flow) (p parties, err error) {
	if p.tenant, p.user, err = c.trust.userOf(f.Login.TenantID, f.Login.UserID); err != nil {
		return p, err
	}
	if err = f.Login.check(p.user); err != nil {
		return p, err
	}
	if p.user.MFA && !f.Login.MFA {
		return p, fail(codeMFARequired, "User %s must sign in with a second factor now. Sign in again.", quote.Text(p.user.UserPrincipalName))
	}
	if p.client, err = findApp(c.trust, p.tenant, f.signInRequest().ClientID); err != nil {
		return p, err
	}
	if p.access, err = a.accessRequestOf(c.trust, f.signInRequest()); err == nil {
		err = checkResource(c.trust, p.client, p.tenant, p.access)
	}
	if customer := f.signInRequest().customer; customer != nil && err == nil {
		err = a.checkAccess(c, p.client, customer, p.user, p.access)
	}
	return p, err
}

// acceptSignIn stores the user's consent and finishes.
func (a *Authority) acceptSignIn(c *call, f *flow, everybody bool) (any, error) {
	p, err := a.parties(c, f)
	if err != nil {
		return nil, err
	}
	if f.Confirms {
		if f.signInRequest().customer == nil { // parties has looked at a customer's consent
			if err := a.checkAccess(c, p.client, p.tenant, p.user, p.access); err != nil {
				return nil, err
			}
		}
		return a.finishSignIn(c, f)
	}
	userID := p.user.ObjectID
	if everybody && p.user.Administrator {
		if !f.Login.MFA { // what the API asks of every caller
			return nil, fail(codeMFARequired, "User %s must sign in with a second factor to consent for everybody. Register one, or consent for the user alone.", quote.Text(p.user.UserPrincipalName))
		}
		userID = ""
	}
	if err := a.consent(c.r.Context(), installationOf(p.client, p.tenant), userID, p.access.key()); err != nil {
		return nil, err
	}
	if c.trust, err = a.current(); err != nil {
		return nil, err
	}
	return a.finishSignIn(c, f)
}

// finishSignIn gives the app what it waits for.
func (a *Authority) finishSignIn(c *call, f *flow) (any, error) {
	p, err := a.parties(c, f)
	if err != nil {
		return nil, err
	}
	if f.Request == nil {
		return a.finishDevice(c, f, p.client, p.user)
	}
	return a.finishCode(c, f, p.client, p.tenant, p.user)
}

// declineSignIn tells the app that the user declined.
func (a *Authority) declineSignIn(c *call, f *flow, why *failure) (any, error) {
	if f.Request == nil {
		return a.declineDevice(c, f)
	}
	return f.Request.refuse(c, a.now(), why)
}

// showStep shows the page for a sign-in's step, with the mistake in the last entry.
func (a *Authority) showStep(c *call, f *flow) (any, error) {
	d := pageData{Flow: f.id, User: f.Name}
	if f.Request == nil {
		d.Device, d.Code = true, f.Device
	}
	if f.Problem != nil {
		d.complain(f.Problem)
	}
	client := c.trust.app(f.signInRequest().ClientID)
	if client == nil {
		return nil, fail(codeUnknownClient, "The application is not there any more. Go back to it, and sign in again.")
	}
	d.App = client.label()
	p := &page{name: "password", data: d}
	if f.Request != nil {
		p.action = f.Request.Redirect
	}
	switch f.Step {
	case stepPassword:
		p.data.Title = "Sign in"
		if f.Problem != nil {
			p.status = http.StatusBadRequest
		}
		if onThisMachine(c.r) {
			p.data.Users = c.trust.suggestions(f.signInRequest().in(c.trust), client)
		}
	case stepMFA:
		p.name, p.data.Title = "mfa", "Approve the sign-in"
	case stepConsent:
		between, err := a.parties(c, f)
		if err != nil {
			return nil, err
		}
		p.name, p.data.Title = "consent", "Allow access?"
		p.data.Resource, p.data.Publisher = between.access.label(), between.client.home.name
		p.data.Administrator, p.data.Tenant = between.user.Administrator, between.tenant.name
		p.data.Offline = between.access.offline
		customer := f.signInRequest().customer
		if customer != nil {
			p.data.Tenant = customer.name
		}
		if f.Confirms {
			p.name, p.data.Title = "confirm", "Is it you who signs in?"
		}
	}
	return p, nil
}

// onThisMachine reports whether a request comes directly from a browser on this
// machine, not from elsewhere through a proxy.
func onThisMachine(r *http.Request) bool {
	base, err := url.Parse("http://" + r.Host)
	if err != nil || !loopback.IsHost(base.Hostname()) {
		return false
	}
	for _, of := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"} { // a proxy
		if r.Header.Get(of) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && loopback.IsHost(host)
}

// suggestions returns the names of users who may sign in to an app, in a tenant or, if
// it is nil, in any. They are for those who run the server on their own machine:
// elsewhere user names are not revealed.
func (d *directory) suggestions(in *tenant, client *app) []string {
	var names []string
	for name, t := range d.userTenants {
		if user := t.user(name); user.Password != "" && (in == nil || in.admits(t)) && (client.MultiTenant || t.is(client.home)) {
			names = append(names, user.UserPrincipalName)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxSuggestions)]
}

// label is the app's name for people.
func (a *app) label() string { return cmp.Or(a.Name, a.ID) }

// label is the resource's name for people.
func (want *accessRequest) label() string {
	switch {
	case want.app != nil:
		return want.app.label()
	case token.AppOf(want.resource) == token.APIAppID:
		return "Microsoft Partner Center (" + want.resource + ")"
	case token.IsGraph(want.resource) || isForeign(want.resource) && strings.Contains(want.key(), "graph"):
		return "the directory (" + want.resource + ")"
	}
	return want.resource
}

// checkPassword finds the user with a name and password, in a tenant or, if it is nil,
// in any.
func (a *Authority) checkPassword(c *call, in *tenant, name, password string) (*tenant, *User, error) {
	if len(name) > maxUserName {
		return nil, nil, wrongPassword()
	}
	of := target{kind: guessStranger, caller: callerOf(c.r), name: ascii.ToLower(name), limit: maxWrongPasswords}
	got := sha256.Sum256([]byte(password))
	var tenant *tenant
	var user *User
	right := func() bool {
		want := [sha256.Size]byte{}
		if tenant = c.trust.tenantOf(name); tenant != nil {
			of.kind = guessPassword
			if user = tenant.user(name); user.Password != "" {
				want = sha256.Sum256([]byte(user.Password))
			}
		}
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && user != nil
	}
	matches := right()
	if !matches {
		if next := a.lookAgain(c.trust); next != nil {
			c.trust = next
			matches = right()
		}
	}
	ok, wait := a.guesses.try(of, func() bool { return matches })
	switch {
	case wait > 0:
		f := fail(codeLocked, "The account is locked for a minute for sign-ins from here, because the password was wrong %d times in a row. Wait, then try again.", of.limit)
		f.retryAfter = wait
		return nil, nil, f
	case !ok:
		return nil, nil, wrongPassword()
	case user.Disabled:
		return nil, nil, disabledUser(user)
	case in != nil && !in.admits(tenant):
		return nil, nil, wrongTenantUser(user, in)
	}
	return tenant, user, nil
}

func wrongPassword() error {
	return fail(codeWrongPassword, "The user name or the password is wrong. Check both; the control plane's GET /users lists the users of this server.")
}

func wrongTenantUser(user *User, t *tenant) error {
	return fail(codeWrongTenantUser, "User %s does not exist in tenant %s. Sign in as one of its users, or put the user's own tenant in the URL.", quote.Text(user.UserPrincipalName), t.name)
}

func disabledUser(user *User) error {
	return fail(codeUserDisabled, "The account of user %s is disabled. Have an administrator enable it, or sign in as another user.", quote.Text(user.UserPrincipalName))
}

// signOut is GET /{tenant}/oauth2/logout and its v2.0 twin. No session outlives its
// tokens here, so there is nothing to end.
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request
func (a *Authority) signOut(c *call) (any, error) {
	if to := c.r.URL.Query().Get("post_logout_redirect_uri"); to != "" {
		for _, app := range c.trust.apps {
			if back, err := app.redirectTo(to); err == nil {
				return redirect(back), nil
			}
		}
	}
	return &page{name: "message", data: pageData{Title: "You are signed out", Text: "You can close this page."}}, nil
}

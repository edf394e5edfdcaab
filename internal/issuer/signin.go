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
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	// signInLifetime is how long a user may take to sign in.
	signInLifetime = 15 * time.Minute
	// signInsKept bounds the memory for sign-ins in progress, and again for those of users
	// who have entered their password; see table.
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

// signIns are the sign-ins in progress.
type signIns struct {
	mu      sync.Mutex // guards what follows
	flows   *table[*flow]
	codes   *table[*code]      // by digest
	devices *table[*device]    // by the digest of the device code
	users   map[string]*device // those that wait, by user code

	// stolen are the names of the grants whose code was sent twice, which takes a user.
	stolen *lru.Cache[string, struct{}]
}

func newSignIns() *signIns {
	s := &signIns{
		flows: newTable[*flow](signInsKept), codes: newTable[*code](signInsKept),
		devices: newTable[*device](signInsKept), users: make(map[string]*device),
	}
	s.devices.dropped = func(d *device) { delete(s.users, d.userCode) }
	var err error
	if s.stolen, err = lru.New[string, struct{}](signInsKept); err != nil {
		panic("issuer: " + err.Error()) // it fails only for sizes below one
	}
	return s
}

func (s *signIns) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flows.clear()
	s.codes.clear()
	s.devices.clear()
	clear(s.users)
	s.stolen.Purge()
}

// step is what a sign-in waits for.
type step int

const (
	stepPassword step = iota
	stepMFA
	stepConsent // or, for a device whose app has consent, confirmation that it is the right device
)

// flow is a sign-in in progress, for an app that waits for a redirect or for a device.
type flow struct {
	id      string
	request *authorization // nil for a device
	device  *device
	browser [sha256.Size]byte // digest of the cookie of the browser that began it
	began   instant
	step    step
	name    string // who signs in
	login   *login // from the password on
	// confirms says that there is nothing left to consent to, so that the last page asks
	// only whether it is the right user. Accepting it stores no consent.
	confirms bool
	problem  *failure // the mistake in the last entry

	finish func() (any, error) // how the sign-in ended; nil while in progress
	button string              // pressed to end it
	ended  time.Time           // by the system's clock
}

// address is the address of the page for the sign-in's step. Forms redirect to it, so
// that going back and reloading do not resubmit a form.
func (f *flow) address() redirect { return redirect("/common/oauth2/login?flow=" + f.id) }

// signInRequest returns which app the user signs in to, and what it requests.
func (f *flow) signInRequest() *signInRequest {
	if f.request != nil {
		return &f.request.signInRequest
	}
	return &f.device.signInRequest
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
	f.id, f.browser, f.began = randomID(), sha256.Sum256([]byte(cookie.Value)), a.instant()
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	a.signIns.flows.add(f.id, callerOf(c.r)+" "+f.signInRequest().clientID, f)
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
	parameters, err := readAuthorizeParameters(c)
	if err != nil {
		return nil, err
	}
	got, finish, err := a.takeStep(c, parameters)
	if finish == nil || err != nil {
		return got, err
	}
	return finish()
}

// takeStep finds the sign-in that a form belongs to and takes its next step, under one
// lock: of two that submit the last form at once, one finishes. Finish itself runs
// without the lock.
func (a *Authority) takeStep(c *call, parameters url.Values) (got any, finish func() (any, error), err error) {
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	over := fail(codeFlowExpired, "This sign-in is over, or took too long. Go back to the application, and sign in again.")
	f, ok := a.signIns.flows.get(parameters.Get("flow"))
	if !ok || f.began.isOver(signInLifetime, a.instant()) {
		return nil, nil, over
	}
	cookie, err := c.r.Cookie(browserCookie(c.r))
	if err != nil {
		return nil, nil, fail(codeFlowExpired, "The browser sent no cookie. Allow cookies for this site, go back to the application, and sign in again.")
	}
	if sum := sha256.Sum256([]byte(cookie.Value)); subtle.ConstantTimeCompare(sum[:], f.browser[:]) != 1 {
		return nil, nil, fail(codeFlowExpired, "This sign-in was begun in another browser. Go back to the application, and sign in again.")
	}
	button := parameters.Get("do")
	switch pressed := c.r.Method == http.MethodPost; {
	case f.finish == nil && !pressed:
		got, err = a.showStep(c, f)
		return got, nil, err
	case f.finish == nil:
	case !pressed:
		return &page{name: "message", data: pageData{Title: "This sign-in is over", Text: "Go back to the application. To sign in once more, begin there."}}, nil, nil
	case button == f.button && a.system().Sub(f.ended) < doublePress:
		return nil, f.finish, nil
	default:
		return nil, nil, over
	}
	f.problem = nil
	finish, err = a.advance(c, f, formEntry{
		button: button, name: parameters.Get("username"), password: parameters.Get("password"), everybody: parameters.Get("everybody") != "",
	})
	if err != nil {
		f.problem, ok = err.(*failure) //nolint:errorlint // the authority's own, never wrapped
		if !ok || f.step != stepPassword {
			return nil, nil, err
		}
	}
	if finish == nil {
		return f.address(), nil, nil
	}
	f.finish, f.button, f.ended = sync.OnceValues(finish), strings.Clone(button), a.system()
	return nil, f.finish, nil
}

// formEntry is what a user has entered on a page.
type formEntry struct {
	button         string
	name, password string
	everybody      bool
}

// advance takes the next step of a sign-in. After the last one, it returns how to end
// the sign-in. A failure at the first step is shown on its page; any other error ends
// the call. The caller holds the lock.
func (a *Authority) advance(c *call, f *flow, e formEntry) (finish func() (any, error), err error) {
	decline := func(code errorCode, text string) (func() (any, error), error) {
		return func() (any, error) { return a.declineSignIn(c, f, fail(code, "%s", text)) }, nil
	}
	switch {
	case e.button == "cancel" && f.step != stepConsent:
		return decline(codeConsentDeclined, "The user has cancelled the sign-in. Ask again when the user wants to.")
	case e.button == "other":
		f.step, f.name, f.login = stepPassword, "", nil
		return nil, nil
	case e.button == "signin":
		// On a page from the browser's history, too: another name is another user.
		f.step, f.name, f.login = stepPassword, strings.Clone(ascii.TrimSpace(e.name)), nil
		if len(f.name) > maxUserName {
			f.name = ""
		}
		tenant, user, err := a.checkPassword(c, f.signInRequest().in(c.trust), f.name, e.password)
		if err == nil {
			_, err = findApp(c.trust, tenant, f.signInRequest().clientID)
		}
		if err == nil {
			err = a.strikeUser(c, passwordPage, tenant, f.signInRequest().clientID, user)
		}
		if err != nil {
			return nil, err
		}
		a.signIns.flows.give(f.id, user.ObjectID)
		f.login = &login{tenantID: tenant.id, clientID: f.signInRequest().clientID, user: user}
		f.step = stepConsent
		if user.MFA {
			f.step = stepMFA
		}
	case f.step == stepMFA && e.button == "approve":
		f.login.mfa, f.step = true, stepConsent
	case f.step == stepMFA && e.button == "deny":
		return decline(codeMFADenied, "The user did not approve the sign-in on the second factor. Sign in again.")
	case f.step == stepConsent && e.button == "accept":
		return func() (any, error) { return a.acceptSignIn(c, f, e.everybody) }, nil
	case f.step == stepConsent && (e.button == "decline" || e.button == "cancel"):
		return decline(codeConsentDeclined, "The user declined to consent. Ask again when the user wants to.")
	default:
		// A page from the browser's history: show the current one again.
		return nil, nil
	}
	if f.step == stepConsent {
		p, err := a.parties(c.trust, f)
		if err != nil {
			return nil, err
		}
		f.confirms = a.consented(f, p)
		// A user who was sent a device's code by a stranger sees whose it is.
		if f.confirms && f.device == nil {
			return func() (any, error) { return a.finishSignIn(c, f) }, nil
		}
	}
	return nil, nil
}

// consented reports whether there is nothing left to consent to. A customer's consent is
// not the user's to give.
func (a *Authority) consented(f *flow, p parties) bool {
	return f.signInRequest().customer != nil ||
		(f.request == nil || !f.request.consent) && a.checkConsent(p.client, p.tenant, p.user, p.access) == nil
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
func (a *Authority) parties(t *trust, f *flow) (p parties, err error) {
	if p.tenant, p.user, err = t.userOf(f.login.tenantID, f.login.user.ObjectID); err != nil {
		return p, err
	}
	if err = f.login.check(p.user); err != nil {
		return p, err
	}
	if p.user.MFA && !f.login.mfa {
		return p, fail(codeMFARequired, "User %s must sign in with a second factor now. Sign in again.", quote.Text(p.user.UserPrincipalName))
	}
	if p.client, err = findApp(t, p.tenant, f.signInRequest().clientID); err != nil {
		return p, err
	}
	if p.access, err = a.accessRequestOf(t, f.signInRequest()); err == nil {
		err = a.checkResource(p.client, p.tenant, p.access)
	}
	if customer := f.signInRequest().customer; customer != nil && err == nil {
		err = a.checkConsent(p.client, customer, p.user, p.access)
	}
	return p, err
}

// acceptSignIn stores the user's consent and finishes.
func (a *Authority) acceptSignIn(c *call, f *flow, everybody bool) (any, error) {
	p, err := a.parties(c.trust, f)
	if err != nil {
		return nil, err
	}
	if f.confirms {
		if f.signInRequest().customer == nil { // parties has looked at a customer's consent
			if err := a.checkConsent(p.client, p.tenant, p.user, p.access); err != nil {
				return nil, err
			}
		}
		return a.finishSignIn(c, f)
	}
	userID := p.user.ObjectID
	if everybody && p.user.Administrator {
		if !f.login.mfa { // what the API asks of every caller
			return nil, fail(codeMFARequired, "User %s must sign in with a second factor to consent for everybody. Register one, or consent for the user alone.", quote.Text(p.user.UserPrincipalName))
		}
		userID = ""
	}
	// A second press makes the browser abandon the first request.
	if err := a.consents.add(context.WithoutCancel(c.r.Context()), installationOf(p.client, p.tenant), userID, p.access.key()); err != nil {
		return nil, err
	}
	return a.finishSignIn(c, f)
}

// finishSignIn gives the app what it waits for.
func (a *Authority) finishSignIn(c *call, f *flow) (any, error) {
	p, err := a.parties(c.trust, f)
	if err != nil {
		return nil, err
	}
	if f.device != nil {
		return a.finishDevice(f, p.client, p.user)
	}
	return a.finishCode(c, f, p.client, p.tenant, p.user)
}

// declineSignIn tells the app that the user declined.
func (a *Authority) declineSignIn(c *call, f *flow, why *failure) (any, error) {
	if f.device != nil {
		return a.declineDevice(f)
	}
	return f.request.refuse(c, a.now(), why)
}

// showStep shows the page for a sign-in's step, with the mistake in the last entry. The
// caller holds the lock.
func (a *Authority) showStep(c *call, f *flow) (any, error) {
	d := pageData{Flow: f.id, User: f.name}
	if f.device != nil {
		d.Device, d.Code = true, f.device.userCode
	}
	if f.problem != nil {
		d.complain(f.problem)
	}
	client := c.trust.app(f.signInRequest().clientID)
	if client == nil {
		return nil, fail(codeUnknownClient, "The application is not there any more. Go back to it, and sign in again.")
	}
	d.App = client.label()
	p := &page{name: "password", data: d}
	if f.request != nil {
		p.action = f.request.redirect
	}
	switch f.step {
	case stepPassword:
		p.data.Title = "Sign in"
		if f.problem != nil {
			p.status = http.StatusBadRequest
		}
		if onThisMachine(c.r) {
			p.data.Users = c.trust.suggestions(f.signInRequest().in(c.trust), client)
		}
	case stepMFA:
		p.name, p.data.Title = "mfa", "Approve the sign-in"
	case stepConsent:
		between, err := a.parties(c.trust, f)
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
		if f.confirms {
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
		if user := t.user(name); user.Password != "" && (in == nil || in.admits(t)) && (client.MultiTenant || t == client.home) {
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
	var user *User
	want := [sha256.Size]byte{}
	tenant := c.trust.tenantOf(name)
	if tenant != nil {
		of.kind = guessPassword
		if user = tenant.user(name); user.Password != "" {
			want = sha256.Sum256([]byte(user.Password))
		}
	}
	got := sha256.Sum256([]byte(password))
	ok, wait := a.guesses.try(of, func() bool {
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && user != nil
	})
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

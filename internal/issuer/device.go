package issuer

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	deviceLifetime = 15 * time.Minute
	deviceInterval = 5 * time.Second // how often a device should ask

	// userCodeLetters are not mistaken for one another, and spell no words.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 9
)

// devicePath is where users enter their codes.
const devicePath = "/common/oauth2/deviceauth"

// device is a device that waits for a user to sign in elsewhere.
type device struct {
	signInRequest
	key      string // digest of the device code
	userCode string
	made     instant
	done     bool // approved or declined, as follows
	declined bool
	login    *login
}

// deviceAnswer is the answer of the endpoints (RFC 8628, section 3.2).
type deviceAnswer struct {
	UserCode   string `json:"user_code"`
	DeviceCode string `json:"device_code"`
	PageV1     string `json:"verification_url,omitempty"`
	Page       string `json:"verification_uri,omitempty"` // v2
	ExpiresIn  any    `json:"expires_in"`
	Interval   any    `json:"interval"`
	Message    string `json:"message"`
}

// deviceCode is POST /{tenant}/oauth2/devicecode and its v2.0 twin.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
func (a *Authority) deviceCode(c *call) (any, error) {
	neverStore(c.w)
	form, err := readForm(c)
	if err != nil {
		return nil, err
	}
	asked, _, err := a.readSignInRequest(c, form)
	if err != nil {
		return nil, err
	}
	if c.version == token.V2 && asked.scope == "" {
		return nil, missing("scope", "Add scope=<URL of the API>/.default offline_access.")
	}
	if len(asked.scope)+len(asked.resource) > maxRequest {
		return nil, fail(codeMalformed, "The scope is longer than %d bytes. Ask for one API at a time.", maxRequest)
	}
	d := &device{signInRequest: asked, userCode: newUserCode(), made: a.instant()}
	if _, err := a.accessRequestOf(c.trust, &d.signInRequest); err != nil {
		return nil, err
	}
	page := a.pageBase(c.trust, c.base) + devicePath
	answer := deviceAnswer{
		UserCode: d.userCode, DeviceCode: randomID() + randomID(), Page: page,
		ExpiresIn: c.integer(int64(deviceLifetime / time.Second)), Interval: c.integer(int64(deviceInterval / time.Second)),
		Message: "To sign in, open the page " + page + " in a web browser and enter the code " + d.userCode + ".",
	}
	if c.version == token.V1 {
		answer.Page, answer.PageV1 = "", page
	}
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	d.key = string(digest(answer.DeviceCode))
	a.signIns.devices.add(d.key, callerOf(c.r)+" "+d.clientID, d)
	a.signIns.users[d.userCode] = d
	return answer, nil
}

func newUserCode() string {
	random := make([]byte, 4*userCodeLength)
	rand.Read(random) // never fails
	var code strings.Builder
	for _, b := range random {
		// Bytes beyond the last multiple would make some letters more likely.
		if n := len(userCodeLetters); int(b) < 256/n*n && code.Len() < userCodeLength {
			code.WriteByte(userCodeLetters[int(b)%n])
		}
	}
	if code.Len() < userCodeLength {
		return newUserCode()
	}
	return code.String()
}

// enterCode is GET and POST /common/oauth2/deviceauth: where users enter the code of
// the device they want to sign in on.
func (a *Authority) enterCode(c *call) (any, error) {
	if err := checkOwnForm(c); err != nil {
		return nil, err
	}
	p := &page{name: "code", data: pageData{Title: "Enter the code"}}
	form, err := readAuthorizeParameters(c)
	if err != nil {
		return nil, err
	}
	entered := ascii.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, form.Get("user_code")))
	if entered == "" || c.r.Method != http.MethodPost {
		p.data.Code = entered
		return p, nil
	}
	a.signIns.mu.Lock()
	d := a.signIns.users[entered]
	ok, wait := a.guesses.try(target{kind: guessUserCode, caller: callerOf(c.r), limit: maxWrongUserCodes}, func() bool {
		return d != nil && !d.made.isOver(deviceLifetime, a.instant())
	})
	a.signIns.mu.Unlock()
	if wait > 0 {
		return nil, tooManyGuesses("too many wrong codes were entered", wait)
	}
	if !ok {
		p.data.Code = form.Get("user_code")
		p.data.complain(fail(codeWrongUserCode, "No device waits with this code. Check it, or have the device show a new one."))
		p.status = http.StatusBadRequest
		return p, nil
	}
	return a.beginSignIn(c, &flow{device: d})
}

// finishDevice lets the device get its tokens.
func (a *Authority) finishDevice(f *flow, client *app, user *User) (any, error) {
	return a.endDevice(f.device, func(d *device) {
		d.login = f.login
		a.signIns.devices.give(d.key, user.ObjectID)
	},
		"You are signed in", "You are signed in to "+client.label()+" on the device. You can close this page.")
}

// declineDevice tells the device that the user declined.
func (a *Authority) declineDevice(f *flow) (any, error) {
	return a.endDevice(f.device, func(d *device) { d.declined = true },
		"You are not signed in", "The device gets no access. You can close this page.")
}

// endDevice ends a device's wait, for the first of two sign-ins with one code.
func (a *Authority) endDevice(d *device, end func(*device), title, text string) (any, error) {
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	if d.done {
		return nil, fail(codeDeviceOver, "The sign-in of this device is over already. Have the device show a new code.")
	}
	d.done = true
	end(d)
	delete(a.signIns.users, d.userCode)
	return &page{name: "message", data: pageData{Title: title, Text: text}}, nil
}

// redeemDevice implements the grant of a device code, which a device requests
// repeatedly until the user has signed in.
func (a *Authority) redeemDevice(t *tokenRequest) (*issued, error) {
	text := cmp.Or(t.form.Get("device_code"), t.form.Get("code")) // at the v2.0 endpoint and at the v1
	if text == "" {
		return nil, missing("device_code", "Add the device_code that the devicecode endpoint has answered.")
	}
	l, g, err := a.takeDevice(t, string(digest(text)))
	if err != nil {
		return nil, err
	}
	return a.beginGrant(t, g, l, "")
}

// takeDevice finds a device whose user has signed in, and begins the grant for it. It
// gives tokens once.
func (a *Authority) takeDevice(t *tokenRequest, key string) (*login, *Grant, error) {
	a.signIns.mu.Lock()
	defer a.signIns.mu.Unlock()
	d, ok := a.signIns.devices.get(key)
	switch {
	case !ok:
		return nil, nil, fail(codeBadDeviceCode, "The device code is not one of this server's, or was redeemed already. Ask for a new one.")
	case !ascii.EqualFold(d.clientID, t.client.ID):
		return nil, nil, fail(codeBadGrant, "The device code was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	case d.made.isOver(deviceLifetime, a.instant()):
		return nil, nil, fail(codeDeviceExpired, "The device code expired %s after it was issued. Ask for a new one.", deviceLifetime)
	case !d.done:
		return nil, nil, fail(codePending, "The user has not signed in yet. Ask again in %d seconds.", int(deviceInterval/time.Second))
	case d.declined:
		a.signIns.devices.remove(key)
		return nil, nil, fail(codeDeviceDeclined, "The user declined to sign in. Ask for a new code when the user wants to.")
	case (t.tenant != nil || d.customer != nil) && !d.redeemableAt(t.tenant, d.login.tenantID):
		return nil, nil, fail(codeWrongTenantCode, "The user has signed in to another tenant than %s. Redeem the device code at the tenant that it was asked for at.", quote.Text(t.call.tenant))
	}
	a.signIns.devices.remove(key)
	return d.login, a.newGrant(t, d.login.tenantID, d.login.user.ObjectID, d.login.mfa, d.signInRequest), nil
}

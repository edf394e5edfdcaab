package issuer

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
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

// device is a device that waits for a user to sign in elsewhere. It is kept by the code
// that the user enters, with which the code of the device begins.
type device struct {
	signInRequest
	Code     []byte // digest of the device's
	Made     instant
	Done     bool // approved or declined, as follows
	Declined bool
	Flow     string // the sign-in that approved it
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
	form, err := a.readForm(c)
	if err != nil {
		return nil, err
	}
	asked, _, err := a.readSignInRequest(c, form)
	if err != nil {
		return nil, err
	}
	if c.version == token.V2 && asked.Scope == "" {
		return nil, missing("scope", "Add scope=<URL of the API>/.default offline_access.")
	}
	if len(asked.Scope)+len(asked.Resource) > maxRequest {
		return nil, fail(codeMalformed, "The scope is longer than %d bytes. Ask for one API at a time.", maxRequest)
	}
	if _, err := a.accessRequestOf(c.trust, &asked); err != nil {
		return nil, err
	}
	userCode, deviceCode, err := a.newDevice(c, asked)
	if err != nil {
		return nil, err
	}
	page := a.pageBase(c.trust, c.base) + devicePath
	answer := deviceAnswer{
		UserCode: userCode, DeviceCode: deviceCode, Page: page,
		ExpiresIn: c.integer(int64(deviceLifetime / time.Second)), Interval: c.integer(int64(deviceInterval / time.Second)),
		Message: "To sign in, open the page " + page + " in a web browser and enter the code " + userCode + ".",
	}
	if c.version == token.V1 {
		answer.Page, answer.PageV1 = "", page
	}
	return answer, nil
}

// newDevice keeps a device, and returns its codes.
func (a *Authority) newDevice(c *call, asked signInRequest) (userCode, deviceCode string, err error) {
	for ok := false; !ok; { // another device may have the code
		userCode = newUserCode()
		deviceCode = userCode + randomID() + randomID()
		r := &Record{Kind: kindDevice, ID: userCode, Owner: callerOf(c.r) + " " + asked.ClientID}
		d := &device{signInRequest: asked, Code: digest(deviceCode), Made: a.instant()}
		r.lives(d.Made, signInKept)
		if ok, err = a.remember(c.r.Context(), r, d); err != nil {
			return "", "", err
		}
	}
	return userCode, deviceCode, nil
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
	form, err := a.readAuthorizeParameters(c)
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
	_, d, err := recall[device](c.r.Context(), a, kindDevice, entered)
	if err != nil {
		return nil, err
	}
	ok, wait := a.guesses.try(target{kind: guessUserCode, caller: callerOf(c.r), limit: maxWrongUserCodes}, func() bool {
		return d != nil && !d.Done && !d.Made.isOver(deviceLifetime, a.instant())
	})
	if wait > 0 {
		return nil, tooManyGuesses("too many wrong codes were entered", wait)
	}
	if !ok {
		p.data.Code = form.Get("user_code")
		p.data.complain(fail(codeWrongUserCode, "No device waits with this code. Check it, or have the device show a new one."))
		p.status = http.StatusBadRequest
		return p, nil
	}
	return a.beginSignIn(c, &flow{Device: entered, DeviceRequest: d.signInRequest})
}

// finishDevice lets the device get its tokens.
func (a *Authority) finishDevice(c *call, f *flow, client *app, user *User) (any, error) {
	return a.endDevice(c, f, func(r *Record, d *device) {
		d.Flow, r.Owner, r.Proved = f.id, user.ObjectID, true
	},
		"You are signed in", "You are signed in to "+client.label()+" on the device. You can close this page.")
}

// declineDevice tells the device that the user declined.
func (a *Authority) declineDevice(c *call, f *flow) (any, error) {
	return a.endDevice(c, f, func(_ *Record, d *device) { d.Declined = true },
		"You are not signed in", "The device gets no access. You can close this page.")
}

// endDevice ends a device's wait, for the first of two sign-ins with one code.
func (a *Authority) endDevice(c *call, f *flow, end func(*Record, *device), title, text string) (any, error) {
	r, d, err := recall[device](c.r.Context(), a, kindDevice, f.Device)
	if err != nil {
		return nil, err
	}
	ok := d != nil && !d.Done
	if ok {
		d.Done = true
		end(r, d)
		if ok, err = a.remember(c.r.Context(), r, d); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, fail(codeDeviceOver, "The sign-in of this device is over already. Have the device show a new code.")
	}
	return &page{name: "message", data: pageData{Title: title, Text: text}}, nil
}

// redeemDevice implements the grant of a device code, which a device requests
// repeatedly until the user has signed in.
func (a *Authority) redeemDevice(t *tokenRequest) (*issued, error) {
	text := cmp.Or(t.form.Get("device_code"), t.form.Get("code")) // at the v2.0 endpoint and at the v1
	if text == "" {
		return nil, missing("device_code", "Add the device_code that the devicecode endpoint has answered.")
	}
	l, g, err := a.takeDevice(t, text)
	if err != nil {
		return nil, err
	}
	return a.beginGrant(t, g, l, "")
}

// takeDevice finds a device whose user has signed in, and begins the grant for it. It
// gives tokens once.
func (a *Authority) takeDevice(t *tokenRequest, text string) (*login, *Grant, error) {
	r, d, err := recall[device](t.r.Context(), a, kindDevice, text[:min(len(text), userCodeLength)])
	if err != nil {
		return nil, nil, err
	}
	unknown := fail(codeBadDeviceCode, "The device code is not one of this server's, or was redeemed already. Ask for a new one.")
	switch {
	case d == nil || subtle.ConstantTimeCompare(digest(text), d.Code) != 1:
		return nil, nil, unknown
	case !ascii.EqualFold(d.ClientID, t.client.ID):
		return nil, nil, fail(codeBadGrant, "The device code was issued to another application than %s. Send it with the client_id that it was issued to.", t.client.ID)
	case d.Made.isOver(deviceLifetime, a.instant()):
		return nil, nil, fail(codeDeviceExpired, "The device code expired %s after it was issued. Ask for a new one.", deviceLifetime)
	case !d.Done:
		return nil, nil, fail(codePending, "The user has not signed in yet. Ask again in %d seconds.", int(deviceInterval/time.Second))
	}
	var l *login
	if !d.Declined {
		if l, err = a.loginOf(t.r.Context(), d.Flow); err != nil {
			return nil, nil, err
		}
		if (t.tenant != nil || d.Customer != "") && !d.redeemableAt(t.tenant, l.TenantID) {
			return nil, nil, fail(codeWrongTenantCode, "The user has signed in to another tenant than %s. Redeem the device code at the tenant that it was asked for at.", quote.Text(t.call.tenant))
		}
	}
	ok, err := a.keeper.DeleteRecord(context.WithoutCancel(t.r.Context()), *r)
	switch {
	case err != nil:
		return nil, nil, err
	case !ok: // another request was first
		return nil, nil, unknown
	case d.Declined:
		return nil, nil, fail(codeDeviceDeclined, "The user declined to sign in. Ask for a new code when the user wants to.")
	}
	return l, a.newGrant(t, l.TenantID, l.UserID, l.MFA, d.signInRequest), nil
}

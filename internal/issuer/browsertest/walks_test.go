package browsertest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// wantError checks that the app was told of an error.
func (w *world) wantError(kind string, code int) {
	w.t.Helper()
	got := w.onlyAnswer().values
	if got.Get("error") != kind || !strings.HasPrefix(got.Get("error_description"), fmt.Sprintf("AADSTS%d: ", code)) || got.Get("state") == "" || got.Has("code") {
		w.t.Errorf("the app got %v", got)
	}
}

// TestAuthorizationCode signs in with every response mode.
func TestAuthorizationCode(t *testing.T) {
	for _, test := range []struct {
		mode, kind string
		method     string
		fragment   bool
	}{
		{"query", "code", http.MethodGet, false},
		{"fragment", "code", http.MethodGet, true},
		{"form_post", "code", http.MethodPost, false},
		{"form_post", "code id_token", http.MethodPost, false},
		{"fragment", "code id_token", http.MethodGet, true},
	} {
		t.Run(test.mode+" "+test.kind, func(t *testing.T) {
			w, b := newWorld(t), openTab(t)
			b.open(w.authorize("response_mode", test.mode, "response_type", test.kind))
			b.signIn(bob, password)
			b.see("Allow access?")
			b.press("Accept")
			if test.fragment {
				b.see("The app has read it")
			} else {
				b.see("The app")
			}
			got := w.onlyAnswer()
			if got.method != test.method || got.fragment != test.fragment || got.values.Has("id_token") != (test.kind != "code") {
				t.Errorf("the app got %+v", got)
			}
			w.redeem(got, bob, false)
		})
	}
}

// TestPostedRequest begins with a form that the app posts, at which browsers send
// no cookie.
func TestPostedRequest(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.app + "/")
	b.see("The app")
	eval[any](b, fmt.Sprintf(`(() => {
		const form = document.createElement("form"), to = new URL(%q);
		form.method = "post";
		form.action = to.origin + to.pathname;
		for (const [name, value] of to.searchParams) {
			const input = document.createElement("input");
			input.type = "hidden";
			input.name = name;
			input.value = value;
			form.append(input);
		}
		form.append(document.createElement("button"));
		form.lastChild.append("Begin");
		document.body.append(form);
	})()`, w.authorize()))
	b.press("Begin")
	b.signIn(bob, password)
	b.see("Allow access?")
	b.do(chromedp.Reload()) // sends nothing again
	b.see("Allow access?")
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)
}

func TestWrongPassword(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(bob, "wrong")
	b.seeProblem("wrong")
	b.forgiveStatus(http.StatusBadRequest)
	if got := eval[[]string](b, `["username", "password"].map(id => document.getElementById(id).value)`); got[0] != bob || got[1] != "" {
		t.Errorf("the fields have %q", got)
	}
	b.do(chromedp.Reload())
	b.seeProblem("wrong")
	b.forgiveStatus(http.StatusBadRequest)
	b.signIn(eve, password)
	b.seeProblem("disabled")
	b.forgiveStatus(http.StatusBadRequest)
	b.signIn(" "+strings.ToUpper(bob)+" ", password)
	b.see("Allow access?")
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)
}

func TestSecondFactor(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), ada, true)

	w = newWorld(t)
	b.open(w.authorize())
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Deny")
	b.see("The app")
	w.wantError("access_denied", 50074)
}

func TestConsent(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(bob, password)
	b.see("Allow access?")
	for _, part := range []string{appName, "registered by " + domain, api, "your name", "90 days", bob} {
		if !b.shows(part) {
			t.Errorf("the page does not say %s:\n%s", part, b.text())
		}
	}
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)

	// A user who has consented is not asked again, unless the app requests it.
	b.open(w.authorize())
	b.signIn(bob, password)
	b.see("The app")
	b.open(w.authorize("prompt", "consent"))
	b.signIn(bob, password)
	b.see("Allow access?")

	w = newWorld(t)
	b.open(w.authorize("scope", api+"/.default"))
	b.signIn(bob, password)
	b.see("Allow access?")
	if b.shows("90 days") {
		t.Errorf("an app that does not ask for it acts while nobody is there:\n%s", b.text())
	}
	b.press("Decline")
	b.see("The app")
	w.wantError("access_denied", 65004)
}

// TestConsentForEverybody consents as an administrator: nobody else is asked.
func TestConsentForEverybody(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.press("Accept for everybody of " + domain)
	b.press("Accept")
	b.see("The app")
	b.open(w.authorize())
	b.signIn(bob, password)
	b.see("The app")
	if got := w.answers(); len(got) == 2 {
		w.redeem(got[1], bob, false)
	} else {
		t.Errorf("answers %v", got)
	}
}

// TestCancel cancels at the first page, with empty fields.
func TestCancel(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.see("Sign in")
	b.press("Cancel")
	b.see("The app")
	w.wantError("access_denied", 65004)
}

func TestAnotherAccount(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Use another account")
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.press("Use another account")
	b.signIn(bob, password)
	b.see("Allow access?")
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)
}

func TestDevice(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	ask := func(code string) tokens {
		return post[tokens](w, "/common/oauth2/v2.0/token", url.Values{
			"client_id": {clientID}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code},
		})
	}
	b.open(w.url + "/common/oauth2/deviceauth")
	b.see("Enter the code")
	b.enter("user_code", "nope")
	b.press("Next")
	b.seeProblem("No device waits with this code")
	b.forgiveStatus(http.StatusBadRequest)

	code := b.openDevice(w)
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.press("Accept")
	b.see("You are signed in")
	w.check(ask(code), ada, true)

	code = b.openDevice(w)
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Is it you who signs in?")
	b.press("Continue")
	b.see("You are signed in")
	w.check(ask(code), ada, true)

	code = b.openDevice(w)
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Is it you who signs in?")
	b.press("Cancel")
	b.see("You are not signed in")
	if got := ask(code); got.Error != "authorization_declined" {
		t.Errorf("the device got %+v", got)
	}
}

// TestNothingForStrangers keeps mistakes that anybody can make on this side.
func TestNothingForStrangers(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	for _, change := range [][2]string{
		{"client_id", "c0ffee00-0000-4000-8000-00000000dead"},
		{"redirect_uri", w.app + "/elsewhere"},
		{"redirect_uri", "javascript:alert(1)"},
	} {
		b.open(w.authorize(change[0], change[1]))
		b.see("Signing in did not work")
		b.forgiveStatus(http.StatusBadRequest)
	}
	if got := w.answers(); len(got) > 0 {
		t.Errorf("somebody got %v", got)
	}
}

// TestCustomScheme ends at an app that the system starts.
func TestCustomScheme(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	chromium.tab = nil // the browser waits in it for an app, and takes no clicks
	b.open(w.authorize("redirect_uri", customScheme))
	b.signIn(bob, password)
	b.see("Allow access?")
	b.press("Accept")
	b.wentTo(customScheme + "?code=")
}

// TestAppMoves follows an app that leads on to a page at another site, which is
// the form's redirect to browsers.
func TestAppMoves(t *testing.T) {
	for _, mode := range []string{"query", "form_post"} {
		w, b := newWorld(t), openTab(t)
		b.open(w.authorize("redirect_uri", w.app+"/moved", "response_mode", mode))
		b.signIn(bob, password)
		b.see("Allow access?")
		b.press("Accept")
		b.see("Home")
		w.onlyAnswer()
	}
}

// TestBack goes back at each page. Browsers show pages from their cache; buttons there
// must work or do nothing.
func TestBack(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.signIn(bob, "wrong")
	b.seeProblem("wrong")
	b.forgiveStatus(http.StatusBadRequest)
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.back()
	b.back()
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.back()
	b.open(w.authorize())
	b.signIn(bob, password)
	b.see("Allow access?")
	b.press("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)
	b.back()
	b.do(chromedp.Reload())
	b.see("This sign-in is over")
	if got := w.answers(); len(got) != 1 {
		t.Errorf("going back sent the app %v", got)
	}
}

// TestDoubleClick presses each button twice. Browsers drop the answer to the
// first press, so the second one must do.
func TestDoubleClick(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	twice := func(button string) {
		t.Helper()
		at, answered := b.center(button), w.holdNext()
		b.do(chromedp.MouseClickXY(at[0], at[1]))
		select {
		case <-answered:
		case <-time.After(patience):
			t.Fatalf("%s: nothing was posted", button)
		}
		b.do(chromedp.MouseClickXY(at[0], at[1]))
	}
	b.open(w.authorize())
	b.see("Sign in")
	b.enter("username", ada)
	b.enter("password", password)
	twice("Sign in")
	b.see("Approve the sign-in")
	twice("Approve")
	b.see("Allow access?")
	twice("Accept")
	b.see("The app")
	w.redeem(w.onlyAnswer(), ada, true)
}

// TestTwoTabs signs in as two users at once.
func TestTwoTabs(t *testing.T) {
	w, first := newWorld(t), openTab(t)
	second := first.openBeside()
	first.open(w.authorize())
	second.open(w.authorize())
	first.signIn(ada, password)
	second.signIn(bob, password)
	first.see("Approve the sign-in")
	second.see("Allow access?")
	first.press("Approve")
	first.see("Allow access?")
	second.press("Accept")
	second.see("The app")
	w.redeem(w.onlyAnswer(), bob, false)
	first.press("Accept")
	first.see("The app")
	w.redeem(w.answers()[1], ada, true)
}

func TestCookiesOff(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.see("Sign in")
	call(b, network.ClearBrowserCookies, cdp.Empty{})
	b.signIn(bob, password)
	b.seeProblem("Allow cookies")
	b.forgiveStatus(http.StatusBadRequest)
}

// TestBothSchemes signs in over TLS, then over plain HTTP on the same host, which
// may neither read nor replace a cookie of TLS.
func TestBothSchemes(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	for i, base := range []string{elsewhere(w.tls), elsewhere(w.url), elsewhere(w.tls), w.tls, w.url} {
		b.open(w.authorizeAt(base, "prompt", "consent"))
		b.signIn(bob, password)
		b.see("Allow access?")
		b.press("Accept")
		b.see("The app")
		if got := w.answers(); len(got) != i+1 || !got[i].values.Has("code") {
			t.Fatalf("%s: the app got %v", base, got)
		}
	}
}

// TestKeyboard signs in without a mouse.
func TestKeyboard(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.see("Sign in")
	b.keys(ada, tabKey, password, enterKey)
	b.see("Approve the sign-in")
	b.keys(tabKey, enterKey)
	b.see("Allow access?")
	b.keys(tabKey, spaceKey, tabKey, enterKey)
	b.see("The app")
	w.redeem(w.onlyAnswer(), ada, true)

	// The administrator has consented for everybody.
	b.open(w.authorize("login_hint", bob))
	b.see("Sign in")
	b.keys("wrong", enterKey)
	b.seeProblem("wrong")
	b.forgiveStatus(http.StatusBadRequest)
	b.keys(password, tabKey, enterKey)
	b.see("The app")
	w.redeem(w.answers()[1], bob, false)

	b.openDevice(w)
	b.keys(bob, tabKey, password, enterKey)
	b.see("Is it you who signs in?")
	b.keys(tabKey, tabKey, spaceKey)
	b.see("You are not signed in")
}

func TestNoScripts(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(w.authorize("response_mode", "form_post", "response_type", "code id_token"))
	b.signIn(ada, password)
	b.see("Approve the sign-in")
	b.press("Approve")
	b.see("Allow access?")
	b.press("Accept")
	b.see("Back to the application")
	b.press("Continue")
	b.see("The app")
	w.redeem(w.onlyAnswer(), ada, true)
}

// TestSuggestions offers the names of users, and nothing else of them, to people
// on the same machine.
func TestSuggestions(t *testing.T) {
	w, b := newWorld(t), openTab(t)
	b.open(w.authorize())
	b.see("Sign in")
	names := eval[[]string](b, `[...document.getElementById("username").list.options].map(o => o.value)`)
	if !slices.Equal(names, []string{ada, bob, eve}) {
		t.Errorf("suggestions %v", names)
	}
	if page := eval[string](b, `document.documentElement.outerHTML`); strings.Contains(page, "horse") {
		t.Errorf("the page has a password:\n%s", page)
	}
	b.open(w.authorizeAt(elsewhere(w.url)))
	b.see("Sign in")
	if page := eval[string](b, `document.documentElement.outerHTML`); strings.Contains(page, domain) {
		t.Errorf("the page tells strangers who there is:\n%s", page)
	}
}

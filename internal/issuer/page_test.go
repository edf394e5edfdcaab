package issuer

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var pagePolicy = regexp.MustCompile(`^default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src data:; style-src 'nonce-[\w-]{22}'; form-action 'self'( http: https:| [\w.+-]+:)?(; script-src 'nonce-[\w-]{22}')?$`)

// checkPageHeaders checks what every page has, whatever is on it.
func checkPageHeaders(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Location": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%d: %s %q, want %q", w.Code, name, got, want)
		}
	}
	if policy := h.Get("Content-Security-Policy"); !pagePolicy.MatchString(policy) {
		t.Errorf("policy %q", policy)
	}
}

// checkRedirectHeaders checks what every redirect has.
func checkRedirectHeaders(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || len(h["Location"]) != 1 || w.Body.Len() > 0 {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
}

// TestErrorPageTrace reads what a user passes on: each id and the time on a line of its own.
func TestErrorPageTrace(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	body := newBrowser(t, a).do(http.MethodGet, "/common/oauth2/v2.0/authorize", nil).Body.String()
	lines := regexp.MustCompile(`<p class="soft">Trace ID: [0-9a-f-]{36}<br>Correlation ID: [0-9a-f-]{36}<br>Timestamp: [0-9: Z-]+<br></p>`)
	if !lines.MatchString(body) {
		t.Errorf("the page has %s", body)
	}
}

// markup breaks out of anything it is put into.
const markup = `"'></title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

// wantNoMarkup looks for markup that is not escaped, and for scripts that are not
// the page's.
func wantNoMarkup(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	for _, part := range []string{"<script>", "<img", "onerror=alert(1)>", `"'>`} {
		if strings.Contains(body, part) {
			t.Errorf("%q is on the page: %s", part, body)
		}
	}
}

// TestPagesEscape puts markup wherever external text can get onto a page, and visits
// all pages.
func TestPagesEscape(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	o.Tenants[0].Domains = append([]string{"contoso" + markup}, o.Tenants[0].Domains...)
	client := &o.Tenants[0].Clients[0]
	client.Name = markup
	user := &o.Tenants[0].Users[0]
	user.UserPrincipalName, user.Name, user.Administrator = userName+markup, markup, true
	a := newAuthority(t, o)
	b := newBrowser(t, a)
	seen := map[string]bool{}
	check := func(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		t.Helper()
		checkPageHeaders(t, w)
		wantNoMarkup(t, w)
		if title := regexp.MustCompile(`<h1>(.*)</h1>`).FindStringSubmatch(w.Body.String()); title != nil {
			seen[title[1]] = true
		}
		return w
	}
	enter := url.Values{"username": {userName + markup}, "password": {password}}
	w := check(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize", "state", markup, "login_hint", markup, "response_mode", "form_post", "nonce", markup), nil))
	w = check(b.press(w, "signin", url.Values{"username": {markup}, "password": {markup}}))
	if strings.Contains(w.Body.String(), "alert(1)&lt;/script&gt;&lt;img") != strings.Contains(w.Body.String(), "alert(1)") {
		t.Errorf("%s", w.Body)
	}
	w = check(b.press(w, "signin", enter))
	w = check(b.press(w, "approve", nil))
	w = check(b.press(w, "accept", url.Values{"everybody": {"1"}}))
	if got := fields(w.Body.String()); got.Get("state") != markup || got.Get("code") == "" {
		t.Errorf("the app gets %v", got)
	}
	if strings.Count(w.Body.String(), "<script") != 1 || !strings.Contains(w.Body.String(), `action="`+redirectURI+`"`) {
		t.Errorf("%s", w.Body)
	}

	answer := decode[deviceAnswer](t, post(a, base+"/common/oauth2/v2.0/devicecode", url.Values{"client_id": {clientID}, "scope": {api + "/.default"}}))
	check(b.do("GET", base+devicePath+"?user_code="+url.QueryEscape(markup), nil))
	check(b.do("POST", base+devicePath, url.Values{"user_code": {markup}}))
	w = check(b.do("POST", base+devicePath, url.Values{"user_code": {answer.UserCode}}))
	w = check(b.press(check(b.press(w, "signin", enter)), "approve", nil))
	check(b.press(w, "accept", nil))

	for _, target := range []string{
		authorizeURL("/common/oauth2/authorize", "client_id", markup),
		authorizeURL("/common/oauth2/authorize", "redirect_uri", markup),
		authorizeURL("/common/oauth2/authorize", "redirect_uri", "javascript:"+markup),
		base + "/" + url.PathEscape(strings.ReplaceAll(markup, "/", "")) + "/oauth2/authorize",
		authorizeURL("/common/oauth2/authorize") + "&" + url.QueryEscape(markup) + "=1&" + url.QueryEscape(markup) + "=2",
		base + "/common/oauth2/logout?post_logout_redirect_uri=" + url.QueryEscape(markup),
	} {
		check(b.do("GET", target, nil))
	}
	w = check(b.do("POST", base+"/common/oauth2/login", url.Values{"flow": {markup}, "do": {markup}}))
	if w.Code != 400 {
		t.Errorf("%d", w.Code)
	}
	for _, title := range []string{"Sign in", "Approve the sign-in", "Allow access?", "Is it you who signs in?", "Enter the code", "You are signed in", "Back to the application", "Signing in did not work", "You are signed out"} {
		if !seen[title] {
			t.Errorf("no page %q was seen: %v", title, seen)
		}
	}
}

// TestHeaderInjection sends line breaks in parameters that become headers.
func TestHeaderInjection(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	server := httptest.NewServer(a)
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	const breaks = "x\r\nSet-Cookie: stolen=1\r\nLocation: https://evil.example/\r\n\r\n<script>"
	for _, changes := range [][]string{
		{"state", breaks, "prompt", "none"},
		{"state", breaks, "prompt", "none", "response_mode", "fragment"},
		{"response_type", breaks, "state", breaks},
		{"response_mode", breaks},
		{"redirect_uri", redirectURI + breaks},
		{"scope", breaks},
	} {
		target := strings.Replace(authorizeURL("/common/oauth2/v2.0/authorize", changes...), base, server.URL, 1)
		request, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("client-request-id", "x y")
		resp, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Set-Cookie") != "" || len(resp.Header["Location"]) > 1 || strings.HasPrefix(resp.Header.Get("Location"), "https://evil") {
			t.Errorf("%q: %v", changes, resp.Header)
		}
	}
}

// TestLoginCSRF posts forms of a sign-in from other browsers.
func TestLoginCSRF(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, crowdOptions(c))
	ours := newBrowser(t, a)
	w := ours.do("GET", authorizeURL("/common/oauth2/authorize"), nil)
	form := fields(w.Body.String())
	form.Set("do", "signin")
	form.Set("username", userName)
	form.Set("password", password)

	without := newBrowser(t, a)
	wantErrorPage(t, without.do("POST", base+"/common/oauth2/login", form), 50089)
	another := newBrowser(t, a)
	another.do("GET", authorizeURL("/common/oauth2/authorize"), nil)
	wantErrorPage(t, another.do("POST", base+"/common/oauth2/login", form), 50089)
	empty := newBrowser(t, a)
	empty.cookies["x"] = &http.Cookie{Name: browserCookie(httptest.NewRequest("GET", base, nil)), Value: ""}
	wantErrorPage(t, empty.do("POST", base+"/common/oauth2/login", form), 50089)
	for _, flow := range []string{"", "x", strings.Repeat("x", 60<<10)} {
		wantErrorPage(t, ours.do("POST", base+"/common/oauth2/login", url.Values{"flow": {flow}, "do": {"accept"}}), 50089)
	}
	// Theirs did not disturb ours.
	if got := answered(t, ours.signIn(w)); !got.Has("code") {
		t.Errorf("%v", got)
	}

	for _, cookie := range ours.cookies {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Domain != "" || cookie.Path != "/" || cookie.Secure {
			t.Errorf("cookie %+v", cookie)
		}
	}
	secure := newBrowser(t, a)
	secure.do("GET", strings.Replace(authorizeURL("/common/oauth2/authorize"), base, baseTLS, 1), nil)
	cookie := secure.cookies["__Host-partnercenter-signin"]
	if cookie == nil || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("cookies over TLS: %v", secure.cookies)
	}

	// A planted cookie is not accepted as ours.
	planted := newBrowser(t, a)
	planted.cookies["x"] = &http.Cookie{Name: "partnercenter-signin", Value: "known"}
	planted.do("GET", authorizeURL("/common/oauth2/authorize"), nil)
	if got := planted.cookies["partnercenter-signin"]; got == nil || got.Value == "known" {
		t.Errorf("the planted cookie is used: %v", got)
	}
}

// TestStaleSteps posts the forms of a sign-in out of order.
func TestStaleSteps(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, crowdOptions(c))
	b := newBrowser(t, a)
	w := b.do("GET", authorizeURL("/common/oauth2/authorize", "nonce", "x"), nil)
	form := fields(w.Body.String())
	step := func(do string, more ...string) *httptest.ResponseRecorder {
		t.Helper()
		w := b.do("POST", base+"/common/oauth2/login", set(url.Values{"flow": form["flow"], "do": {do}}, more...))
		if w.Code == 200 || w.Code == 400 {
			checkPageHeaders(t, w)
		}
		return w
	}
	at := func(w *httptest.ResponseRecorder, title string) {
		t.Helper()
		if !strings.Contains(w.Body.String(), "<h1>"+title+"</h1>") {
			t.Fatalf("not at %q: %d, Location %q\n%s", title, w.Code, w.Header().Get("Location"), w.Body)
		}
	}
	for _, do := range []string{"approve", "accept", "deny", "decline", "", "finish", "accept\x00"} {
		at(step(do, "username", userName), "Sign in")
	}
	at(step("signin", "username", userName, "password", "wrong"), "Sign in")
	at(step("accept"), "Sign in")
	at(step("signin", "username", userName, "password", password), "Approve the sign-in")
	for _, do := range []string{"accept", "decline", ""} {
		at(step(do, "username", bobName, "password", password), "Approve the sign-in")
	}
	at(step("approve"), "Allow access?")
	for _, do := range []string{"approve", "deny"} {
		at(step(do, "username", bobName, "password", password), "Allow access?")
	}
	// Another name is another user, about whom nothing is known yet.
	at(step("signin", "username", bobName, "password", "wrong"), "Sign in")
	at(step("accept"), "Sign in")
	at(step("signin", "username", bobName, "password", password), "Allow access?")
	at(step("signin", "username", userName, "password", password), "Approve the sign-in")
	at(step("accept"), "Approve the sign-in")
	at(step("other"), "Sign in")
	at(step("approve"), "Sign in")
	at(step("signin", "username", userName, "password", password), "Approve the sign-in")
	at(step("approve"), "Allow access?")
	got := answered(t, step("accept"))
	if !got.Has("code") {
		t.Errorf("%v", got)
	}
	for _, do := range []string{"signin", "approve", "decline", ""} {
		wantErrorPage(t, step(do), 50089)
	}
	at(b.do("GET", base+"/common/oauth2/login?flow="+form.Get("flow"), nil), "This sign-in is over")
	// A second press of the last button gets the answer that the browser has dropped.
	if again := answered(t, step("accept")); again.Encode() != got.Encode() {
		t.Errorf("pressed twice: %v, then %v", got, again)
	}
	c.set(start.Add(doublePress))
	wantErrorPage(t, step("accept"), 50089)
	c.set(start)

	// At once: one finishes.
	w = b.press(b.do("GET", authorizeURL("/common/oauth2/authorize", "prompt", "consent"), nil), "signin", url.Values{"username": {bobName}, "password": {password}})
	accept := set(fields(w.Body.String()), "do", "accept")
	before := len(recordsOf(a, kindCode))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			r := httptest.NewRequest("POST", base+"/common/oauth2/login", strings.NewReader(accept.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, cookie := range b.cookies {
				r.AddCookie(cookie)
			}
			a.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	wg.Wait()
	if n := len(recordsOf(a, kindCode)) - before; n != 1 {
		t.Errorf("%d codes for one sign-in", n)
	}

	// A user who takes too long must start again.
	w = b.do("GET", authorizeURL("/common/oauth2/authorize"), nil)
	c.set(start.Add(signInLifetime))
	wantErrorPage(t, b.press(w, "signin", url.Values{"username": {userName}, "password": {password}}), 50089)
}

// TestDecline checks what the app is told when the user declines.
func TestDecline(t *testing.T) {
	a := newAuthority(t, crowdOptions(&clock{at: start}))
	for _, test := range []struct {
		steps []string
		kind  string
		code  string
	}{
		{[]string{"cancel"}, "access_denied", "AADSTS65004"},
		{[]string{"signin", "deny"}, "access_denied", "AADSTS50074"},
		{[]string{"signin", "approve", "decline"}, "access_denied", "AADSTS65004"},
	} {
		b := newBrowser(t, a)
		w := b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil)
		for _, step := range test.steps {
			w = b.press(w, step, url.Values{"username": {userName}, "password": {password}})
		}
		got := answered(t, w)
		if got.Get("error") != test.kind || !strings.HasPrefix(got.Get("error_description"), test.code+":") || got.Get("state") != "st&te" || got.Has("code") {
			t.Errorf("%v: %v", test.steps, got)
		}
	}
}

// TestPasswordRefusals signs in as users who may not, and guesses passwords.
func TestPasswordRefusals(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, crowdOptions(c))
	try := func(path, name, password string) *httptest.ResponseRecorder {
		t.Helper()
		b := newBrowser(t, a)
		w := b.press(b.do("GET", authorizeURL(path), nil), "signin", url.Values{"username": {name}, "password": {password}})
		checkPageHeaders(t, w)
		if len(password) > 1 && strings.Contains(w.Body.String(), `value="`+html.EscapeString(password)+`"`) {
			t.Errorf("the page repeats the password: %s", w.Body)
		}
		return w
	}
	const common, fabrikam = "/common/oauth2/authorize", "/fabrikam.onmicrosoft.com/oauth2/authorize"
	for _, test := range []struct{ path, name, password, code string }{
		{common, "nobody@contoso.onmicrosoft.com", password, "AADSTS50126"},
		{common, bobName, "x", "AADSTS50126"},
		{common, bobName, "", "AADSTS50126"},
		{common, "", "", "AADSTS50126"},
		{common, danName, "x", "AADSTS50126"}, // who guesses learns nothing
		{common, danName, password, "AADSTS50057"},
		{common, eveName, password, "AADSTS700016"}, // the app is not for her tenant
		{common, strings.Repeat("x", 60<<10), password, "AADSTS50126"},
		{common, bobName, strings.Repeat("x", 60<<10), "AADSTS50126"},
	} {
		if w := try(test.path, test.name, test.password); w.Code != 400 || !strings.Contains(w.Body.String(), test.code) {
			t.Errorf("%.60s: %d, want %s: %.2000s", test.name, w.Code, test.code, w.Body)
		}
	}
	b := newBrowser(t, a)
	w := b.press(b.do("GET", authorizeURL(fabrikam, "client_id", sharedClient), nil), "signin", url.Values{"username": {bobName}, "password": {password}})
	if w.Code != 400 || !strings.Contains(w.Body.String(), "AADSTS50020") {
		t.Errorf("a user of another tenant: %d %s", w.Code, w.Body)
	}

	guess := func(name string) {
		post(a, commonToken, url.Values{"grant_type": {grantTypePassword}, "client_id": {clientID}, "client_secret": {secret}, "username": {name}, "password": {"x"}})
	}
	for range maxWrongPasswords {
		try(common, bobName, "guess")
	}
	for i := range signInsKept + 1 { // made-up names have nobody's guesses forgotten
		guess(strconv.Itoa(i))
	}
	for _, name := range []string{bobName, strings.ToUpper(bobName), " " + bobName + " "} {
		if w := try(common, name, password); !strings.Contains(w.Body.String(), "AADSTS50053") {
			t.Errorf("after %d guesses, %q: %d %s", maxWrongPasswords, name, w.Code, w.Body)
		}
	}
	form := url.Values{"grant_type": {grantTypePassword}, "client_id": {clientID}, "client_secret": {secret}, "username": {bobName}, "password": {password}, "scope": {api + "/.default"}}
	wantRefusal(t, post(a, commonToken, form), 400, "invalid_grant", 50053)
	const nobody = "nobody@contoso.onmicrosoft.com"
	for range maxWrongPasswords {
		guess(nobody)
	}
	if w := try(common, nobody, password); !strings.Contains(w.Body.String(), "AADSTS50053") {
		t.Errorf("a name that nobody has is told from others: %s", w.Body)
	}
	if w := try(common, userName, password); w.Code != 200 {
		t.Errorf("another user is locked out too: %s", w.Body)
	}
	c.set(start.Add(lockout))
	if w := try(common, bobName, password); w.Code != 200 {
		t.Errorf("after a minute: %d %s", w.Code, w.Body)
	}
	for range maxWrongPasswords - 1 {
		try(common, bobName, "guess")
	}
	if w := try(common, bobName, password); w.Code != 200 {
		t.Errorf("after %d guesses: %s", maxWrongPasswords-1, w.Body)
	}
	c.set(start.Add(2 * time.Hour))
	wantRefusal(t, post(a, commonToken, set(form, "username", userName)), 400, "invalid_grant", 50076)
	wantRefusal(t, post(a, commonToken, set(form, "username", danName)), 400, "invalid_grant", 50057)
	wantRefusal(t, post(a, commonToken, set(form, "username", bobName)), 400, "invalid_grant", 65001)
}

// TestSuggestions checks that user names are shown only on the server's machine.
func TestSuggestions(t *testing.T) {
	o := signInOptions(&clock{at: start})
	o.Tenants[0].Users = append(o.Tenants[0].Users, User{UserPrincipalName: "nopassword@contoso.onmicrosoft.com", ObjectID: "o2"})
	o.Tenants[1].Users = []User{{UserPrincipalName: "stranger@other.example", ObjectID: "o3", Password: password}}
	a := newAuthority(t, o)
	page := func(change func(*http.Request)) string {
		r := httptest.NewRequest(http.MethodGet, authorizeURL("/common/oauth2/v2.0/authorize"), nil)
		r.RemoteAddr = "127.0.0.1:50000"
		change(r)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		return html.UnescapeString(w.Body.String())
	}
	for name, change := range map[string]func(*http.Request){
		"127.0.0.1": func(*http.Request) {},
		"localhost": func(r *http.Request) { r.Host = "localhost:8080" },
		"::1":       func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:50000", "[::1]:8080" },
	} {
		if got := page(change); strings.Count(got, "<option") != 1 || !strings.Contains(got, `<option value="`+userName+`">`) || strings.Contains(got, password) {
			t.Errorf("%s: the page offers other users than the tenant's with a password:\n%s", name, got)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"another machine":                    func(r *http.Request) { r.RemoteAddr = "192.0.2.1:50000" },
		"another name":                       func(r *http.Request) { r.Host = "partnercenter.example" },
		"a proxy":                            func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		"a proxy by the RFC":                 func(r *http.Request) { r.Header.Set("Forwarded", "for=192.0.2.1") },
		"a proxy that says the scheme alone": func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") },
		"no address":                         func(r *http.Request) { r.RemoteAddr = "pipe" },
	} {
		if got := page(change); strings.Contains(strings.ToLower(got), "contoso") {
			t.Errorf("%s: the page tells who there is:\n%s", name, got)
		}
	}
}

// TestPagePolicy checks what browsers let the pages do.
func TestPagePolicy(t *testing.T) {
	for address, want := range map[string]string{
		"":                             "form-action 'self'",
		"https://app.example/signin":   "form-action 'self' http: https:",
		"http://localhost:5000":        "form-action 'self' http: https:",
		"msal1234://auth":              "form-action 'self' msal1234:",
		"no scheme":                    "form-action 'self'",
		"https://a.example;script-src": "form-action 'self' http: https:",
	} {
		w := httptest.NewRecorder()
		if err := (&page{name: "message", action: address}).write(w); err != nil {
			t.Fatal(err)
		}
		policy := strings.Split(w.Header().Get("Content-Security-Policy"), "; ")
		if last := policy[len(policy)-1]; policy[0] != "default-src 'none'" || last != want {
			t.Errorf("%s: %q", address, policy)
		}
		for name, value := range map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
}

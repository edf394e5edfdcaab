package issuer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// labAuthority is an authority whose Ada can sign in with a password alone or,
// as her app is her API too, on behalf of.
func labAuthority(t testing.TB) *Authority {
	o := signInOptions(&clock{at: start})
	o.Tenants[0].Users[0].MFA = false
	o.Tenants[0].Clients[0].AdminConsent = true
	o.Tenants[1].Users = []User{{UserPrincipalName: "eve@other.example", ObjectID: "0b1ec700-0000-4000-8000-0000000000ee", Password: password}}
	o.Tenants[1].Clients[0].AdminConsent = true
	return newAuthority(t, o)
}

func add(t testing.TB, a *Authority, f Fault) ActiveFault {
	t.Helper()
	added, err := a.AddFault(f)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

const v2Token = base + "/" + tenantID + "/oauth2/v2.0/token"

func appForm() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {api + "/.default"}}
}

func passwordForm() url.Values {
	return url.Values{
		"grant_type": {"password"}, "client_id": {clientID}, "client_secret": {secret},
		"username": {userName}, "password": {password}, "scope": {api + "/.default openid offline_access"},
	}
}

// forms has a successful request of each grant type.
func forms(t testing.TB, a *Authority) map[string]url.Values {
	t.Helper()
	first := redeem(t, a, v2Token, passwordForm())
	mine := passwordForm()
	mine.Set("scope", clientID+"/.default")
	own := redeem(t, a, v2Token, mine)
	if first.RefreshToken == "" || own.AccessToken == "" {
		t.Fatalf("%+v %+v", first, own)
	}
	return map[string]url.Values{
		"app":      appForm(),
		"password": passwordForm(),
		"refresh":  {"grant_type": {"refresh_token"}, "client_id": {clientID}, "client_secret": {secret}, "refresh_token": {first.RefreshToken}},
		"obo": {
			"grant_type": {grantTypeOnBehalfOf}, "requested_token_use": {"on_behalf_of"}, "client_id": {clientID}, "client_secret": {secret},
			"assertion": {own.AccessToken}, "scope": {api + "/.default"},
		},
	}
}

// TestFaultAnswers strikes each grant type with each fault that gives an error.
func TestFaultAnswers(t *testing.T) {
	all := []string{"app", "password", "refresh", "obo"}
	silent := []string{"password", "refresh", "obo"}
	for kind, want := range map[FaultKind]struct {
		status     int
		error      string
		code       int
		suberror   string
		retryAfter string
		strikes    []string
	}{
		FaultThrottled:       {429, "temporarily_unavailable", 90055, "", "60", all},
		FaultUnavailable:     {503, "temporarily_unavailable", 90033, "", "", all},
		FaultTenantUnknown:   {400, "invalid_request", 90002, "", "", all},
		FaultAppUnknown:      {400, "unauthorized_client", 700016, "", "", all},
		FaultAppDisabled:     {400, "unauthorized_client", 7000112, "", "", all},
		FaultSecretWrong:     {401, "invalid_client", 7000215, "", "", all},
		FaultSecretExpired:   {401, "invalid_client", 7000222, "", "", all},
		FaultMFARequired:     {400, "invalid_grant", 50076, "basic_action", "", silent},
		FaultConsentMissing:  {400, "invalid_grant", 65001, "consent_required", "", silent},
		FaultRefreshRevoked:  {400, "invalid_grant", 50173, "bad_token", "", []string{"refresh"}},
		FaultRefreshTooOld:   {400, "invalid_grant", 700082, "bad_token", "", []string{"refresh"}},
		FaultAccountDisabled: {400, "invalid_grant", 50057, "", "", silent},
		FaultUserLocked:      {400, "invalid_grant", 50053, "", "", []string{"password"}},
		FaultLoopDetected:    {400, "invalid_grant", 50196, "", "", silent},
	} {
		t.Run(string(kind), func(t *testing.T) {
			a := labAuthority(t)
			forms := forms(t, a)
			fault := add(t, a, Fault{Kind: kind})
			for _, name := range all {
				w := post(a, v2Token, forms[name])
				if !slices.Contains(want.strikes, name) {
					if w.Code != http.StatusOK || w.Header().Get(faultHeader) != "" {
						t.Errorf("%s: %d %s", name, w.Code, w.Body)
					}
					continue
				}
				checkAnswer(t, a, w, want.status, want.error, want.code)
				f := decode[failureBody](t, w)
				if f.Suberror != want.suberror || w.Header().Get("Retry-After") != want.retryAfter || w.Header().Get(faultHeader) != fault.ID {
					t.Errorf("%s: suberror %q, headers %v", name, f.Suberror, w.Header())
				}
				if strings.ContainsAny(f.Description, "{}") {
					t.Errorf("%s: %s", name, f.Description)
				}
			}
			if got := a.Faults(); got[0].Struck != len(want.strikes) || got[0].Spent() {
				t.Errorf("struck %d times", got[0].Struck)
			}
			if !a.RemoveFault(fault.ID) || a.RemoveFault(fault.ID) || len(a.Faults()) != 0 {
				t.Errorf("left: %v", a.Faults())
			}
			// A fault has no lasting effect: a refused credential is valid again.
			for _, name := range all {
				if name == "refresh" && !slices.Contains(want.strikes, name) {
					continue // it was used above
				}
				checkAnswer(t, a, post(a, v2Token, forms[name]), 200, "", 0)
			}
		})
	}
}

// TestFaultsOfTokens gets tokens that are issued successfully and refused by the API.
func TestFaultsOfTokens(t *testing.T) {
	for _, test := range []struct {
		fault  Fault
		reason token.Reason
		claims string // in the token
	}{
		{Fault{Kind: FaultWrongAudience}, token.ReasonAudience, `"aud":"https://graph.microsoft.com"`},
		{Fault{Kind: FaultWrongAudience, Audience: "https://elsewhere.example"}, token.ReasonAudience, `"aud":"https://elsewhere.example"`},
		{Fault{Kind: FaultClockSkew}, token.ReasonNotYetValid, fmt.Sprintf(`"nbf":%d`, start.Add(5*time.Minute).Unix())},
		{Fault{Kind: FaultClockSkew, By: 2 * time.Hour}, token.ReasonNotYetValid, fmt.Sprintf(`"exp":%d`, start.Add(3*time.Hour).Unix())},
		{Fault{Kind: FaultClockSkew, By: -5 * time.Minute}, token.ReasonExpired, fmt.Sprintf(`"exp":%d`, start.Add(-5*time.Minute).Unix())},
	} {
		for _, version := range []string{"", "/v2.0"} {
			a := labAuthority(t)
			test.fault.Times = 2
			fault := add(t, a, test.fault)
			user, app := passwordForm(), appForm()
			for _, form := range []url.Values{user, app} {
				form.Set("resource", api)
				w := post(a, base+"/"+tenantID+"/oauth2"+version+"/token", form)
				got := decode[tokens](t, w)
				if w.Code != http.StatusOK || w.Header().Get(faultHeader) != fault.ID {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				_, err := a.Verify(got.AccessToken)
				refused, _ := errors.AsType[*token.VerifyError](err)
				if refused == nil || refused.Reason != test.reason {
					t.Errorf("%+v: %v", test.fault, err)
				}
				if claims := string(payload(t, got.AccessToken)); !strings.Contains(claims, test.claims) {
					t.Errorf("%+v: %s", test.fault, claims)
				}
				if test.fault.By == 0 && test.fault.Kind != FaultClockSkew {
					continue
				}
				if form.Get("grant_type") == "password" && !strings.Contains(string(payload(t, got.IDToken)), test.claims) {
					t.Errorf("the id token is of another time: %s", payload(t, got.IDToken))
				}
				date, err := http.ParseTime(w.Header().Get("Date"))
				if off := time.Until(date) - fault.By; err != nil || off.Abs() > time.Minute {
					t.Errorf("%+v: Date %q", test.fault, w.Header().Get("Date"))
				}
			}
			// Spent: the next token is good.
			checkAnswer(t, a, post(a, v2Token, appForm()), 200, "", 0)
			if got := a.Faults()[0]; got.Struck != 2 || !got.Spent() {
				t.Errorf("%+v", got)
			}
		}
	}
}

// payload returns the claims of a token as they are written.
func payload(t *testing.T, token string) []byte {
	t.Helper()
	_, rest, _ := strings.Cut(token, ".")
	claims, _, _ := strings.Cut(rest, ".")
	data, err := base64.RawURLEncoding.DecodeString(claims)
	if err != nil {
		t.Fatalf("%v in %q", err, token)
	}
	return data
}

// TestFaultOfMFA removes the second factor from tokens, but not from the sign-in.
func TestFaultOfMFA(t *testing.T) {
	a := newAuthority(t, signInOptions(&clock{at: start}))
	first := signedInTokens(t, a)
	add(t, a, Fault{Kind: FaultMFAClaimMissing, User: "ada@contoso.onmicrosoft.com", Times: 2})
	refresh := func(token string) tokens {
		t.Helper()
		return redeem(t, a, v2Token, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	second := refresh(first.RefreshToken)
	if claims, err := a.Verify(second.AccessToken); err != nil || claims.MFA {
		t.Errorf("%+v, %v", claims, err)
	}
	if claims, err := a.Verify(mint(t, a, MintRequest{Tenant: tenantID, ClientID: clientID, User: userName})); err != nil || claims.MFA {
		t.Errorf("minted: %+v, %v", claims, err)
	}
	if claims, err := a.Verify(refresh(second.RefreshToken).AccessToken); err != nil || !claims.MFA {
		t.Errorf("after the fault: %+v, %v", claims, err)
	}
}

// TestFaultInterruption is about the v1 endpoint's own word.
func TestFaultInterruption(t *testing.T) {
	a := labAuthority(t)
	add(t, a, Fault{Kind: FaultMFARequired})
	w := post(a, base+"/"+tenantID+"/oauth2/token", passwordForm())
	checkAnswer(t, a, w, 400, "interaction_required", 50076)
}

func TestFaultScope(t *testing.T) {
	eve := url.Values{"grant_type": {"password"}, "client_id": {otherClient}, "client_secret": {"other"}, "username": {"eve@other.example"}, "password": {password}, "scope": {api + "/.default"}}
	const ada, other, common = v2Token, base + "/" + otherTenant + "/oauth2/v2.0/token", base + "/common/oauth2/v2.0/token"
	for _, test := range []struct {
		fault  Fault
		target string
		form   url.Values
		struck bool
	}{
		{Fault{Kind: FaultThrottled, Tenant: "CONTOSO.onmicrosoft.com"}, ada, appForm(), true},
		{Fault{Kind: FaultThrottled, Tenant: strings.ToUpper(tenantID)}, base + "/contoso.onmicrosoft.com/oauth2/v2.0/token", appForm(), true},
		{Fault{Kind: FaultThrottled, Tenant: tenantID}, other, eve, false},
		{Fault{Kind: FaultThrottled, Tenant: tenantID}, common, passwordForm(), true},
		{Fault{Kind: FaultThrottled, Tenant: otherTenant}, common, passwordForm(), false},
		{Fault{Kind: FaultThrottled, ClientID: strings.ToUpper(clientID)}, ada, appForm(), true},
		{Fault{Kind: FaultThrottled, ClientID: clientID}, other, eve, false},
		{Fault{Kind: FaultAccountDisabled, User: strings.ToUpper(userName)}, ada, passwordForm(), true},
		{Fault{Kind: FaultAccountDisabled, User: userName}, other, eve, false},
		{Fault{Kind: FaultAccountDisabled, Tenant: tenantID, ClientID: clientID, User: userName}, common, passwordForm(), true},
		{Fault{Kind: FaultAccountDisabled, ClientID: otherClient, User: userName}, ada, passwordForm(), false},
		{Fault{Kind: FaultWrongAudience, User: userName}, ada, appForm(), false},
		{Fault{Kind: FaultWrongAudience, User: userName}, ada, passwordForm(), true},
		{Fault{Kind: FaultThrottled, Endpoint: "discovery"}, ada, appForm(), false},
		{Fault{Kind: FaultCertificateRevoked}, ada, appForm(), false},
	} {
		a := labAuthority(t)
		add(t, a, test.fault)
		w := post(a, test.target, test.form)
		if struck := w.Header().Get(faultHeader) != ""; struck != test.struck || a.Faults()[0].Struck != map[bool]int{true: 1}[struck] {
			t.Errorf("%+v at %s: struck %t: %d %s", test.fault, test.target, struck, w.Code, w.Body)
		}
		if !test.struck && w.Code != http.StatusOK {
			t.Errorf("%+v at %s: %d %s", test.fault, test.target, w.Code, w.Body)
		}
	}

	// HTTP Basic names the app too, and an assertion is one whatever it is worth.
	a := labAuthority(t)
	add(t, a, Fault{Kind: FaultSecretExpired, ClientID: clientID, Times: 1})
	add(t, a, Fault{Kind: FaultCertificateRevoked, ClientID: clientID, Times: 1})
	r := httptest.NewRequest("POST", v2Token, strings.NewReader("grant_type=client_credentials"))
	r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	checkAnswer(t, a, w, 401, "invalid_client", 7000222)
	w = post(a, v2Token, url.Values{"client_id": {clientID}, "client_assertion": {"x"}})
	checkAnswer(t, a, w, 401, "invalid_client", 7000214)
}

// TestFaultEndpoints strikes in other places than the token endpoint.
func TestFaultEndpoints(t *testing.T) {
	const discovery = base + "/" + tenantID + "/v2.0/.well-known/openid-configuration"
	a := labAuthority(t)
	fault := add(t, a, Fault{Kind: FaultTenantUnknown, Endpoint: "Discovery", Times: 1})
	w := get(a, discovery)
	if f := decode[failureBody](t, w); w.Code != 400 || f.Error != "invalid_tenant" || f.Codes[0] != 90002 || !strings.Contains(f.Description, tenantID) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w = get(a, discovery); w.Code != 200 {
		t.Errorf("once: %d", w.Code)
	}
	a.RemoveFault(fault.ID)

	add(t, a, Fault{Kind: FaultAppDisabled, Endpoint: "authorize", ClientID: clientID})
	w = get(a, authorizeURL("/common/oauth2/v2.0/authorize"))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "AADSTS7000112") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	add(t, a, Fault{Kind: FaultThrottled, Endpoint: "devicecode", RetryAfter: 7 * time.Second})
	w = post(a, base+"/common/oauth2/v2.0/devicecode", url.Values{"client_id": {clientID}, "scope": {api + "/.default"}})
	if w.Code != 429 || w.Header().Get("Retry-After") != "7" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := a.ClearFaults(); n != 2 {
		t.Errorf("cleared %d", n)
	}

	// Where a user enters a password.
	add(t, a, Fault{Kind: FaultUserLocked, User: userName, Times: 1})
	b := newBrowser(t, a)
	w = b.press(b.do("GET", authorizeURL("/common/oauth2/v2.0/authorize"), nil), "signin", url.Values{"username": {userName}, "password": {password}})
	if w.Code != 400 || !strings.Contains(w.Body.String(), "AADSTS50053") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if code := answered(t, b.signIn(w)).Get("code"); code == "" {
		t.Error("no sign-in after the fault")
	}
}

func TestFaultsThatAreNoAnswers(t *testing.T) {
	a := labAuthority(t)
	page := add(t, a, Fault{Kind: FaultHTML, Times: 1})
	w := post(a, v2Token, appForm())
	if w.Code != http.StatusBadGateway || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Header().Get(faultHeader) != page.ID {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	add(t, a, Fault{Kind: FaultHTML, Status: 200, Times: 1})
	if w = post(a, v2Token, appForm()); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "<!DOCTYPE html>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	add(t, a, Fault{Kind: FaultThrottled, Plain: true, Times: 1})
	if w = post(a, v2Token, appForm()); w.Code != 429 || w.Body.String() != "Too Many Requests" || w.Header().Get("Retry-After") != "60" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}

	// A timeout ends with the caller, with the fault, or by itself: always without
	// an answer.
	silent := func(ctx context.Context) (hungUp bool) {
		defer func() { hungUp = recover() == any(http.ErrAbortHandler) }()
		r := httptest.NewRequest("POST", v2Token, strings.NewReader(appForm().Encode())).WithContext(ctx)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		t.Errorf("an answer: %d %s", w.Code, w.Body)
		return false
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	long := add(t, a, Fault{Kind: FaultTimeout, For: 2 * time.Minute})
	if !silent(gone) {
		t.Error("the caller went away, and there was no hanging up")
	}
	done := make(chan bool)
	go func() { done <- silent(t.Context()) }()
	for a.Faults()[len(a.Faults())-1].Struck < 2 {
		runtime.Gosched()
	}
	a.RemoveFault(long.ID)
	if !<-done {
		t.Error("the fault went away, and there was no hanging up")
	}
	add(t, a, Fault{Kind: FaultTimeout, For: time.Millisecond, Times: 1})
	if !silent(t.Context()) {
		t.Error("the time was over, and there was no hanging up")
	}
	checkAnswer(t, a, post(a, v2Token, appForm()), 200, "", 0)
}

// TestFaultsLeaveBodies checks requests that a fault has examined but not struck.
func TestFaultsLeaveBodies(t *testing.T) {
	a := labAuthority(t)
	add(t, a, Fault{Kind: FaultThrottled, ClientID: otherClient})
	checkAnswer(t, a, post(a, v2Token, appForm()), 200, "", 0)
	form := appForm()
	form.Set("x", strings.Repeat("x", maxForm))
	checkAnswer(t, a, post(a, v2Token, form), 413, "invalid_request", codeMalformed.number)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("POST", v2Token, strings.NewReader("%zz&client_id="+otherClient)))
	if w.Code != 429 && w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAddFaultRefuses(t *testing.T) {
	a := labAuthority(t)
	for _, test := range []struct {
		fault Fault
		want  string
	}{
		{Fault{}, `there is no fault ""; use one of account_disabled, app_disabled`},
		{Fault{Kind: "Throttled"}, "use one of"},
		{Fault{Kind: FaultThrottled, Times: -1}, "use a positive number"},
		{Fault{Kind: FaultThrottled, User: userName}, "leave out the user"},
		{Fault{Kind: FaultThrottled, Tenant: "nowhere.example"}, "GET /users lists"},
		{Fault{Kind: FaultThrottled, ClientID: "nobody"}, "GET /apps lists"},
		{Fault{Kind: FaultMFARequired, User: "nobody@contoso.onmicrosoft.com"}, "GET /users lists"},
		{Fault{Kind: FaultMFARequired, Tenant: otherTenant, User: userName}, "leave out one of the two"},
		{Fault{Kind: FaultMFARequired, Endpoint: "token"}, "leave out the endpoint"},
		{Fault{Kind: FaultThrottled, Endpoint: "logout"}, "use one of token, authorize, devicecode, discovery"},
		{Fault{Kind: FaultSecretWrong, Endpoint: "authorize"}, "use one of token"},
		{Fault{Kind: FaultThrottled, Endpoint: "discovery", ClientID: clientID}, "leave out the app"},
		{Fault{Kind: FaultUnavailable, Plain: true}, "unavailable has no plain; leave it out"},
		{Fault{Kind: FaultHTML, RetryAfter: time.Second}, "html has no retryAfter"},
		{Fault{Kind: FaultThrottled, RetryAfter: -time.Second}, "whole seconds up to a day"},
		{Fault{Kind: FaultThrottled, RetryAfter: time.Millisecond}, "whole seconds up to a day"},
		{Fault{Kind: FaultHTML, Status: 302}, "use 200, or one from 400 to 599"},
		{Fault{Kind: FaultTimeout, For: time.Hour}, "use up to 2m0s"},
		{Fault{Kind: FaultClockSkew, By: 10 * 365 * 24 * time.Hour}, "up to a year"},
		{Fault{Kind: FaultTimeout, By: time.Hour}, "timeout has no by"},
		{Fault{Kind: FaultWrongAudience, Audience: strings.ToUpper(api) + "/"}, "name another one"},
	} {
		if _, err := a.AddFault(test.fault); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q in it", test.fault, err, test.want)
		}
	}
	for range maxFaults {
		add(t, a, Fault{Kind: FaultUnavailable})
	}
	if _, err := a.AddFault(Fault{Kind: FaultUnavailable}); err == nil || !strings.Contains(err.Error(), "remove some first") {
		t.Error(err)
	}
}

// TestFaultsConcurrently checks that a fault strikes exactly as often as it may.
func TestFaultsConcurrently(t *testing.T) {
	const requests, times = 40, 7
	a := labAuthority(t)
	add(t, a, Fault{Kind: FaultUnavailable, Times: times})
	add(t, a, Fault{Kind: FaultWrongAudience, Times: times})
	var (
		group              sync.WaitGroup
		mu                 sync.Mutex
		refused, misguided int
	)
	for range requests {
		group.Go(func() {
			w := post(a, v2Token, appForm())
			a.Faults()
			_, err := a.Verify(decode[tokens](t, w).AccessToken)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case w.Code == http.StatusServiceUnavailable:
				refused++
			case err != nil:
				misguided++
			}
		})
	}
	group.Wait()
	if refused != times || misguided != times {
		t.Errorf("%d were refused and %d got a wrong token, want %d of each", refused, misguided, times)
	}
}

// TestRevokeGrants ends some families of refresh tokens.
func TestRevokeGrants(t *testing.T) {
	c := &clock{at: start}
	a := newAuthority(t, signInOptions(c))
	kept := signedInTokens(t, a)
	c.set(start.Add(time.Minute))
	ended := signedInTokens(t, a)
	list := grantsOf(a)
	if len(list) != 2 || !list[0].SignedIn.After(list[1].SignedIn) || list[0].UserID != userID || !list[0].MFA {
		t.Fatalf("%+v", list)
	}
	for want := 1; want >= 0; want-- { // the second time there is nothing left to end
		n, err := a.RevokeGrants(t.Context(), "a test wanted it", func(g *Grant) bool { return g.ID == list[0].ID })
		if err != nil || n != want {
			t.Errorf("%d, %v", n, err)
		}
	}
	refresh := func(token string) tokens {
		return redeem(t, a, v2Token, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	if got := refresh(ended.RefreshToken); got.code() != codeGrantRevoked.number || !strings.Contains(got.Description, "a test wanted it") {
		t.Errorf("%+v", got)
	}
	if got := refresh(kept.RefreshToken); got.AccessToken == "" {
		t.Errorf("%+v", got)
	}
	if list := grantsOf(a); list[0].Revoked != "a test wanted it" || list[1].Revoked != "" {
		t.Errorf("%+v", list)
	}
	c.set(start.Add(RefreshLifetime + time.Hour))
	if list := grantsOf(a); len(list) != 0 {
		t.Errorf("expired: %+v", list)
	}
}

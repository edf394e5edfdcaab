package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

func consentOf(tenant, client string) issuer.Consent {
	return issuer.Consent{TenantID: tenant, ClientID: client, Resources: []string{"https://graph.microsoft.com"}}
}

type faultAnswer struct {
	ID, Fault, Tenant, ClientID, User, Endpoint, RetryAfter, For, By, Audience string
	Status, Times, Struck                                                      int
	Spent                                                                      bool
}

// TestIdentityFaults injects each fault, as a client of the authority sees it.
func TestIdentityFaults(t *testing.T) {
	r := newRunning(t)
	r.command(t, "PATCH", "/apps/"+r.app.ClientID, `{"adminConsent":true}`, 200, new(any))
	password := r.user(t, noMFA).Password
	refresh := r.signIn(t, r.userForm(noMFA, password)).RefreshToken
	for _, tt := range []struct {
		fault, options string
		status, code   int
		retryAfter     string
	}{
		{"mfa_required", `,"user":"` + noMFA + `"`, 400, 50076, ""},
		{"consent_missing", `,"tenant":"contosocsp.onmicrosoft.com"`, 400, 65001, ""},
		{"refresh_revoked", ``, 400, 50173, ""},
		{"refresh_too_old", ``, 400, 700082, ""},
		{"account_disabled", ``, 400, 50057, ""},
		{"loop_detected", ``, 400, 50196, ""},
		{"secret_expired", `,"clientId":"` + r.app.ClientID + `"`, 401, 7000222, ""},
		{"secret_wrong", ``, 401, 7000215, ""},
		{"app_disabled", ``, 400, 7000112, ""},
		{"app_unknown", ``, 400, 700016, ""},
		{"tenant_unknown", ``, 400, 90002, ""},
		{"throttled", ``, 429, 90055, "60"},
		{"throttled", `,"retryAfter":"90s"`, 429, 90055, "90"},
		{"unavailable", ``, 503, 90033, ""},
		{"unavailable", `,"retryAfter":"2m"`, 503, 90033, "120"},
		{"html", `,"status":200`, 200, 0, ""},
		{"html", ``, 502, 0, ""},
		{"throttled", `,"plain":true`, 429, 0, "60"},
	} {
		var f faultAnswer
		r.command(t, "POST", "/identity/faults", `{"fault":"`+tt.fault+`","times":1`+tt.options+`}`, 201, &f)
		if f.Fault != tt.fault || f.ID == "" || f.Struck != 0 || f.Times != 1 {
			t.Errorf("%+v", f)
		}
		got := r.signIn(t, r.refreshForm(refresh))
		if got.status != tt.status || got.code() != tt.code || got.header.Get("Retry-After") != tt.retryAfter || got.header.Get("X-Partnercenter-Fault") != f.ID {
			t.Errorf("%s%s: %+v", tt.fault, tt.options, got)
		}
		next := r.signIn(t, r.refreshForm(refresh))
		if next.RefreshToken == "" {
			t.Fatalf("%s has struck twice: %+v", tt.fault, next)
		}
		refresh = next.RefreshToken
	}
	var f faultAnswer
	r.command(t, "POST", "/identity/faults", `{"fault":"user_locked","times":1}`, 201, &f)
	if got := r.signIn(t, r.userForm(noMFA, password)); got.code() != 50053 {
		t.Errorf("%+v", got)
	}
	cert, key, _ := newCertificate(t)
	r.command(t, "POST", "/identity/faults", `{"fault":"certificate_revoked","times":1}`, 201, &f)
	if got := r.signIn(t, r.assertionForm(t, cert, key)); got.code() != 7000214 {
		t.Errorf("%+v", got)
	}
	var list struct{ Faults []faultAnswer }
	r.command(t, "GET", "/identity/faults", "", 200, &list)
	if len(list.Faults) != 20 || !list.Faults[0].Spent || list.Faults[0].Struck != 1 || list.Faults[0].User != noMFA || list.Faults[12].RetryAfter != "1m30s" || list.Faults[1].Tenant != r.partner {
		t.Errorf("%+v", list)
	}
	var n struct{ Removed int }
	r.command(t, "DELETE", "/identity/faults/"+f.ID, "", 200, &n)
	r.command(t, "DELETE", "/identity/faults", "", 200, &n)
	list.Faults = nil
	r.command(t, "GET", "/identity/faults", "", 200, &list)
	if n.Removed != 19 || len(list.Faults) != 0 {
		t.Errorf("%+v %+v", n, list)
	}
}

// TestIdentityFaultsOfTokens has the API refuse what the authority has issued.
func TestIdentityFaultsOfTokens(t *testing.T) {
	r := newRunning(t)
	r.command(t, "PATCH", "/apps/"+r.app.ClientID, `{"adminConsent":true}`, 200, new(any))
	for _, body := range []string{
		`{"fault":"wrong_audience"}`,
		`{"fault":"clock_skew","by":"5m"}`,
		`{"fault":"clock_skew","by":"-5m","clientId":"` + r.app.ClientID + `"}`,
	} {
		var f faultAnswer
		r.command(t, "POST", "/identity/faults", body, 201, &f)
		token := r.signIn(t, r.appForm(r.app.Secret)).AccessToken
		if resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil); resp.StatusCode != 401 {
			t.Errorf("%s: the API answers %s", body, resp.Status)
		}
		r.command(t, "DELETE", "/identity/faults/"+f.ID, "", 200, new(any))
		token = r.signIn(t, r.appForm(r.app.Secret)).AccessToken
		if resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil); resp.StatusCode != 200 {
			t.Errorf("after %s: the API answers %s", body, resp.Status)
		}
	}
	// The control plane's tokens are struck too.
	const agent = "admin.agent@contosocsp.onmicrosoft.com"
	r.command(t, "POST", "/identity/faults", `{"fault":"mfa_claim_missing","user":"`+agent+`","times":1}`, 201, new(any))
	for _, want := range []bool{false, true} {
		var minted struct{ AccessToken string }
		r.command(t, "POST", "/tokens", `{"user":"`+agent+`"}`, 200, &minted)
		resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, minted.AccessToken, nil)
		if (resp.StatusCode == 200) != want {
			t.Errorf("second factor %t: the API answers %s", want, resp.Status)
		}
	}
}

// TestKeyRollover replaces the signing key, with the old one revoked or kept.
func TestKeyRollover(t *testing.T) {
	r := newRunning(t)
	status := func(token string) int {
		return r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil).StatusCode
	}
	before := r.token(t)
	var rolled struct {
		Fault, Key string
		Revoked    []string
	}
	r.command(t, "POST", "/identity/faults", `{"fault":"key_rollover","keepKey":true}`, 201, &rolled)
	claims, err := r.authority.Verify(r.token(t))
	if err != nil || claims.KeyID != rolled.Key || len(rolled.Revoked) != 0 || status(before) != 200 {
		t.Errorf("kept: %+v, %+v, %v", rolled, claims, err)
	}
	between := r.token(t)
	r.command(t, "POST", "/identity/faults", `{"fault":"key_rollover"}`, 201, &rolled)
	if len(rolled.Revoked) != 2 || status(before) != 401 || status(between) != 401 || status(r.token(t)) != 200 {
		t.Errorf("revoked: %+v", rolled)
	}
	var keys struct {
		Keys []struct {
			ID      string
			Revoked *time.Time
		}
	}
	r.command(t, "GET", "/keys", "", 200, &keys)
	if len(keys.Keys) != 3 || keys.Keys[0].ID != rolled.Key || keys.Keys[0].Revoked != nil || keys.Keys[1].Revoked == nil {
		t.Errorf("%+v", keys)
	}
	var list struct{ Faults []faultAnswer }
	if r.command(t, "GET", "/identity/faults", "", 200, &list); len(list.Faults) != 0 {
		t.Errorf("what is over stands: %+v", list)
	}
}

// TestIdentityFaultTimeout leaves clients without an answer until they, the fault or
// the server go away; none waits for the whole time.
func TestIdentityFaultTimeout(t *testing.T) {
	r := newRunning(t)
	var f faultAnswer
	r.command(t, "POST", "/identity/faults", `{"fault":"timeout","for":"2m"}`, 201, &f)
	target := "/" + r.partner + "/oauth2/v2.0/token"
	waitForStrikes := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; {
			var list struct{ Faults []faultAnswer }
			r.command(t, "GET", "/identity/faults", "", 200, &list)
			if list.Faults[len(list.Faults)-1].Struck >= n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", list)
			}
		}
	}
	impatient, giveUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(impatient, http.MethodPost, "http://"+r.api+target, strings.NewReader(r.appForm(r.app.Secret).Encode()))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	gaveUp := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		gaveUp <- err
	}()
	waitForStrikes(1)
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("%v instead of silence", err)
	}
	// Both versions of HTTP hang up, and with compression asked for.
	secure := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca.Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer secure.CloseIdleConnections()
	errs := make(chan error, 2)
	ask := func(client *http.Client, base string) {
		resp, err := client.PostForm(base+target, r.appForm(r.app.Secret))
		if err == nil {
			resp.Body.Close()
		}
		errs <- err
	}
	go ask(&http.Client{}, "http://"+r.api)
	go ask(&http.Client{Transport: secure}, "https://"+r.tls)
	waitForStrikes(3)
	r.command(t, "DELETE", "/identity/faults/"+f.ID, "", 200, new(any))
	for range 2 {
		if err := <-errs; err == nil {
			t.Error("an answer in place of a broken connection")
		}
	}
	r.command(t, "POST", "/identity/faults", `{"fault":"timeout","for":"2m"}`, 201, &f)
	go ask(&http.Client{}, "http://"+r.api)
	waitForStrikes(1)
	stopped := time.Now()
	r.stop()
	err = <-r.done
	r.done <- err // for the cleanup
	if took := time.Since(stopped); err != nil || took > time.Minute {
		t.Errorf("the server took %v to stop: %v", took, err)
	}
	if err := <-errs; err == nil {
		t.Error("an answer in place of a broken connection")
	}
}

// TestIdentityFaultsConcurrently injects, strikes and removes faults concurrently.
func TestIdentityFaultsConcurrently(t *testing.T) {
	const times = 5
	r := newRunning(t)
	r.command(t, "POST", "/identity/faults", `{"fault":"unavailable","times":5}`, 201, new(any))
	var (
		group   sync.WaitGroup
		refused atomic.Int32
	)
	for range 20 {
		group.Go(func() {
			if r.signIn(t, r.appForm(r.app.Secret)).code() == 90033 {
				refused.Add(1)
			}
		})
		group.Go(func() {
			var f faultAnswer
			r.command(t, "POST", "/identity/faults", `{"fault":"mfa_required"}`, 201, &f)
			r.command(t, "PATCH", "/users/"+noMFA, `{"mfa":false}`, 200, new(any))
			r.command(t, "DELETE", "/identity/faults/"+f.ID, "", 200, new(any))
		})
	}
	group.Wait()
	if refused.Load() != times {
		t.Errorf("%d were refused, want %d", refused.Load(), times)
	}
}

// TestIdentityFaultsAreDocumented compares the tables of the documentation with the
// faults.
func TestIdentityFaultsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/control-plane.md")
	must(t, err)
	_, section, _ := strings.Cut(string(data), "## Faults of the sign-in")
	for _, kind := range append(issuer.FaultKinds(), "key_rollover") {
		if strings.Count(section, "\n| `"+kind+"` |") != 1 {
			t.Errorf("docs/control-plane.md has no row for %s: add one", kind)
		}
	}
}

func TestIdentityFaultsRefuse(t *testing.T) {
	r := newRunning(t)
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", "", ``, "does not say which fault; send {"},
		{"POST", "", `{"fault":"earthquake"}`, "use one of account_disabled, "},
		{"POST", "", `{"fault":"throttled","retryAfter":30}`, `member "retryAfter" of the body is unknown or of the wrong type`},
		{"POST", "", `{"fault":"throttled","retryAfter":"soon"}`, `retryAfter: "soon" is not a duration; write it like`},
		{"POST", "", `{"fault":"timeout","for":"1d"}`, "use up to 2m0s"},
		{"POST", "", `{"fault":"timeout","for":"-1s"}`, "use up to 2m0s"},
		{"POST", "", `{"fault":"throttled","times":-1}`, "use a positive number"},
		{"POST", "", `{"fault":"throttled","times":1.5}`, `member "times"`},
		{"POST", "", `{"fault":"throttled","user":"` + noMFA + `"}`, "leave out the user"},
		{"POST", "", `{"fault":"mfa_required","user":"eve@nowhere.example"}`, "GET /users lists"},
		{"POST", "", `{"fault":"mfa_required","clientid":"x"}`, `member "clientid" of the body is unknown`},
		{"POST", "", `{"fault":"throttled","keepKey":true}`, "throttled has no keepKey"},
		{"POST", "", `{"fault":"key_rollover","times":2}`, "send it alone, or with"},
		{"POST", "", `fault=throttled`, "the body is not JSON"},
		{"POST", "", `[]`, "the body is not a JSON object"},
		{"DELETE", "/f99", ``, "GET /identity/faults lists them"},
	} {
		status := 400
		if tt.method == "DELETE" {
			status = 404
		}
		var refused struct{ Error string }
		r.command(t, tt.method, "/identity/faults"+tt.path, tt.body, status, &refused)
		if !strings.Contains(refused.Error, tt.want) {
			t.Errorf("%s: %q, want %q", tt.body, refused.Error, tt.want)
		}
	}
	resp, err := http.PostForm("http://"+r.api+"/identity/faults", url.Values{}) //nolint:noctx // a test's
	must(t, err)
	if resp.Body.Close(); resp.StatusCode != 404 {
		t.Errorf("the API's listener answers %s", resp.Status)
	}
}

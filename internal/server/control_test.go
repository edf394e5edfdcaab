package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// command sends a call to the control plane and decodes its answer.
func (r *inFlight) command(t *testing.T, method, path, body string, status int, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.control+path, strings.NewReader(body))
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != status || resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("%s %s %s: %s %s", method, path, body, resp.Status, data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
}

// clockAnswer is what the control plane answers about the clock.
type clockAnswer struct {
	Now, SystemNow   time.Time
	Offset           string
	Frozen, Adjusted bool
	Was              *clockAnswer
}

func TestControlClock(t *testing.T) {
	r := newRunning(t)
	var c clockAnswer
	saved := func() bool {
		t.Helper()
		data, err := r.store.Setting(t.Context(), "clock")
		must(t, err)
		return data != nil
	}
	r.command(t, "GET", "/clock", "", 200, &c)
	if c.Adjusted || c.Frozen || c.Offset != "0s" || time.Since(c.Now).Abs() > time.Minute || saved() {
		t.Fatalf("at first: %+v", c)
	}
	token := r.token(t)
	status := func() int { return r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil).StatusCode }
	if got := status(); got != 200 {
		t.Fatal(got)
	}

	c = clockAnswer{}
	r.command(t, "POST", "/clock/advance", `{"by":"2d1h"}`, 200, &c)
	if !c.Adjusted || c.Offset != "2d1h" || c.Was == nil || c.Was.Adjusted || c.Now.Sub(c.Was.Now) < 49*time.Hour || !saved() {
		t.Errorf("advanced: %+v, was %+v", c, c.Was)
	}
	if got := status(); got != 401 {
		t.Errorf("a token of two days ago answers %d", got)
	}
	token = r.token(t)
	if got := status(); got != 200 {
		t.Errorf("a token of now answers %d", got)
	}

	c = clockAnswer{}
	r.command(t, "POST", "/clock/freeze", "", 200, &c)
	if !c.Frozen || !c.Adjusted {
		t.Errorf("frozen: %+v", c)
	}
	to := time.Date(2031, 7, 1, 8, 30, 0, 250_000_000, time.UTC)
	c = clockAnswer{}
	r.command(t, "PUT", "/clock", `{"now":"2031-07-01T10:30:00.25+02:00"}`, 200, &c)
	if !c.Frozen || !c.Now.Equal(to) || !r.clock.Now().Equal(to) || !c.Was.Frozen {
		t.Errorf("set while frozen: %+v", c)
	}
	var key struct{ Created time.Time }
	r.command(t, "POST", "/keys", "", 201, &key)
	if !key.Created.Equal(to) {
		t.Errorf("a key was made at %v", key.Created)
	}
	c = clockAnswer{}
	r.command(t, "POST", "/clock/resume", "", 200, &c)
	if c.Frozen || c.Now.Before(to) || c.Now.Sub(to) > time.Minute {
		t.Errorf("resumed: %+v", c)
	}
	c = clockAnswer{}
	r.command(t, "PUT", "/clock", `{"now":"9000-12-31"}`, 200, &c)
	if years, _, _ := strings.Cut(c.Offset, "y"); !strings.HasPrefix(years, "69") {
		t.Errorf("offset %s", c.Offset)
	}
	var refused struct{ Error string }
	r.command(t, "POST", "/clock/advance", `{"by":"291y"}`, 400, &refused)
	if now := r.clock.Now(); now.Year() != 9000 || !strings.Contains(refused.Error, "1980 to 9000") {
		t.Errorf("advanced past the end: %v, %s", now, refused.Error)
	}
	c = clockAnswer{}
	r.command(t, "DELETE", "/clock", "", 200, &c)
	if c.Adjusted || !c.Was.Adjusted || saved() {
		t.Errorf("reset: %+v", c)
	}
	r.command(t, "POST", "/keys", "", 201, &key)
	if keys, err := r.store.SigningKeys(t.Context()); err != nil || !keys[0].Created.Equal(key.Created) || !key.Created.After(to) {
		t.Errorf("the key made last, at %v, is not the newest: %v", key.Created, err)
	}
}

func TestControlClockRefuses(t *testing.T) {
	r := newRunning(t)
	for _, tt := range []struct{ method, path, body, want string }{
		{"PUT", "/clock", ``, "does not say what to set the clock to; send {\"now\""},
		{"PUT", "/clock", `{}`, "does not say what to set the clock to"},
		{"PUT", "/clock", `{"now":"tomorrow"}`, `"tomorrow" is not a time; write it like`},
		{"PUT", "/clock", `{"now":"0000-12-31T00:00:00Z"}`, "choose a time between them"},
		{"PUT", "/clock", `{"now":"9999-12-31T23:59:59-01:00"}`, "choose a time between them"},
		{"PUT", "/clock", `{"now":"0001-01-01"}`, "the clock shows the years 1980 to 9000"},
		{"PUT", "/clock", `{"now":"1600-01-01"}`, "the clock shows the years 1980 to 9000"},
		{"PUT", "/clock", `{"now":"9001-01-01"}`, "the clock shows the years 1980 to 9000"},
		{"POST", "/clock/advance", `{"by":"9000y"}`, "the clock shows the years 1980 to 9000"},
		{"PUT", "/clock", `{"now":1772355600}`, `member "now" of the body is unknown or of the wrong type; send {"now"`},
		{"PUT", "/clock", `{"to":"2026-03-01T09:30:00Z"}`, `member "to" of the body is unknown`},
		{"PUT", "/clock", `["2026-03-01T09:30:00Z"]`, "the body is not a JSON object"},
		{"PUT", "/clock", `{"now":`, "the body is not JSON"},
		{"PUT", "/clock", `{"now":"2026-03-01","now":"2026-03-02"}`, "the body is not JSON"},
		{"POST", "/clock/advance", `{}`, "does not say how far to advance"},
		{"POST", "/clock/advance", `{"by":"soon"}`, `"soon" is not a duration; write it like 15m, 36h, 7d, 1d12h, 3mo or 2y`},
		{"POST", "/clock/advance", `{"by":"-1h"}`, "forwards only; to go back, set it"},
		{"POST", "/clock/advance", `{"by":"300000d"}`, "set the clock instead"},
	} {
		var refused struct{ Error string }
		r.command(t, tt.method, tt.path, tt.body, 400, &refused)
		if !strings.Contains(refused.Error, tt.want) {
			t.Errorf("%s %s %s: %q, want %q", tt.method, tt.path, tt.body, refused.Error, tt.want)
		}
	}
	if s := r.clock.State(); s.Adjusted {
		t.Errorf("a refused call changed the clock: %+v", s)
	}
}

// TestClockChangeDropsKept uses up a request limit, caches an answer, and moves the
// clock by less than their durations.
func TestClockChangeDropsKept(t *testing.T) {
	r := newRunning(t)
	token := r.token(t)
	status := func() int {
		resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, token, nil)
		_, err := io.Copy(io.Discard, resp.Body)
		must(t, err)
		return resp.StatusCode
	}
	var c clockAnswer
	r.command(t, "POST", "/clock/freeze", "", 200, &c)
	for range 1000 {
		if got := status(); got != 200 {
			t.Fatal(got)
		}
	}
	if got := status(); got != 429 {
		t.Fatalf("request 1001 answers %d", got)
	}
	before := r.store.OrdersVersion(r.partner, seedCustomer)
	r.command(t, "POST", "/clock/advance", `{"by":"1s"}`, 200, &c)
	if got := status(); got != 200 {
		t.Errorf("after the clock was advanced: %d", got)
	}
	if r.store.OrdersVersion(r.partner, seedCustomer) == before {
		t.Error("kept answers outlive a change of the clock")
	}
}

// TestClockSurvivesRestart serves a database again.
func TestClockSurvivesRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	ctx := t.Context()
	to := time.Date(2031, 7, 1, 8, 30, 0, 0, time.UTC)
	open := func() (*store.Store, *clock.Clock) {
		t.Helper()
		clk := clock.New(nil)
		st, err := store.Open(ctx, path, &store.Options{Now: clk.Now})
		must(t, err)
		t.Cleanup(func() { st.Close() })
		must(t, control.RestoreClock(ctx, st, clk))
		return st, clk
	}
	st, clk := open()
	if clk.State().Adjusted {
		t.Error("a new database has a clock of its own")
	}
	clk.Freeze()
	must(t, clk.Set(to))
	must(t, st.PutSetting(ctx, "clock", clk.Save()))
	must(t, st.Close())

	st, clk = open()
	if s := clk.State(); !s.Now.Equal(to) || !s.Frozen {
		t.Errorf("after a restart: %+v", s)
	}
	must(t, st.PutSetting(ctx, "clock", []byte("noon")))
	must(t, st.Close())
	st, err := store.Open(ctx, path, nil)
	must(t, err)
	defer st.Close()
	if err := control.RestoreClock(ctx, st, clk); err == nil || !strings.Contains(err.Error(), "take another database") {
		t.Errorf("a clock that cannot be read: %v", err)
	}
}

func TestControlTokens(t *testing.T) {
	r := newRunning(t)
	const agent, other = "admin.agent@contosocsp.onmicrosoft.com", "sales.agent@fabrikamcloud.onmicrosoft.com"
	const nomfa = "nomfa.agent@contosocsp.onmicrosoft.com"
	type answer struct {
		AccessToken, TokenType, ExpiresOn, TenantID, ClientID, User string
		ExpiresIn                                                   int
		Roles                                                       []string
	}
	for _, tt := range []struct {
		body, user, tenant, version string
		roles                       string
		mfa                         bool
	}{
		{body: ``, tenant: r.partner, version: "1.0"},
		{body: `{"version":"2.0"}`, tenant: r.partner, version: "2.0"},
		{body: `{"user":"ADMIN.agent@contosocsp.onmicrosoft.com"}`, user: agent, tenant: r.partner, version: "1.0", roles: "admin_agent", mfa: true},
		{body: `{"user":"` + agent + `","mfa":false,"version":"2.0","clientId":"` + strings.ToUpper(r.app.ClientID) + `"}`, user: agent, tenant: r.partner, version: "2.0", roles: "admin_agent"},
		{body: `{"user":"` + nomfa + `"}`, user: nomfa, tenant: r.partner, version: "1.0", roles: "admin_agent"},
		{body: `{"user":"` + nomfa + `","mfa":true}`, user: nomfa, tenant: r.partner, version: "1.0", roles: "admin_agent", mfa: true},
		{body: `{"user":"` + other + `"}`, user: other, tenant: "9e47b0d8-3f1c-4625-a7d9-0c58e2f6b413", version: "1.0", roles: "sales_agent", mfa: true},
		{body: `{"tenant":"FabrikamCloud.onmicrosoft.com"}`, tenant: "9e47b0d8-3f1c-4625-a7d9-0c58e2f6b413", version: "1.0"},
	} {
		var a answer
		r.command(t, "POST", "/tokens", tt.body, 200, &a)
		claims, err := r.authority.Verify(a.AccessToken)
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		if claims.User != tt.user || claims.TenantID != tt.tenant || claims.Version != tt.version || claims.MFA != tt.mfa ||
			strings.Join(claims.Roles, " ") != tt.roles || claims.HasUser() != (tt.user != "") {
			t.Errorf("%s: claims %+v", tt.body, claims)
		}
		if a.TokenType != "Bearer" || a.ExpiresIn != 3600 || a.ExpiresOn != claims.Expires.Format(time.RFC3339) ||
			a.TenantID != tt.tenant || a.ClientID != claims.AppID || a.User != tt.user || strings.Join(a.Roles, " ") != tt.roles {
			t.Errorf("%s: answer %+v", tt.body, a)
		}
		if tt.tenant != r.partner {
			continue
		}
		if resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, a.AccessToken, nil); (resp.StatusCode == 200) != (tt.user == "" || tt.mfa) {
			t.Errorf("%s: the token answers %s", tt.body, resp.Status)
		}
	}
	for body, want := range map[string]string{
		`{"user":"eve@contosocsp.onmicrosoft.com"}`:             "send one of admin.agent@contosocsp.onmicrosoft.com, ",
		`{"user":"` + other + `","tenant":"` + r.partner + `"}`: "there is no user",
		`{"tenant":"nobody.example"}`:                           "send one of contosocsp.onmicrosoft.com, fabrikamcloud.onmicrosoft.com",
		`{"clientId":"x"}`:                                      "send one of " + r.app.ClientID,
		`{"version":"3.0"}`:                                     "send 1.0 or 2.0",
		`{"upn":"x"}`:                                           `member "upn" of the body is unknown`,
		`user=x`:                                                "the body is not JSON",
	} {
		var refused struct{ Error string }
		r.command(t, "POST", "/tokens", body, 400, &refused)
		if !strings.Contains(refused.Error, want) {
			t.Errorf("%s: %q, want %q", body, refused.Error, want)
		}
	}
	// Never on the API's listener, whoever calls.
	resp := r.get(t, http.DefaultClient, "http://"+r.api+"/tokens", r.token(t), nil)
	if resp.StatusCode != 404 {
		t.Errorf("the API's listener answers %s", resp.Status)
	}
}

package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// patient is an authority and an API with configurable faults.
type patient struct {
	server    *httptest.Server
	ca        string
	skew      time.Duration    // of its clock
	discovery http.HandlerFunc // nil: a good one
	token     http.HandlerFunc // nil: a good one
	claims    map[string]any   // what is different in the token
	api       http.HandlerFunc // nil: a good one
	env       map[string]string
}

func newPatient(t *testing.T) *patient {
	p := &patient{claims: map[string]any{}}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.StartTLS()
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	p.ca = filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, p.ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})))
	p.env = map[string]string{
		"PARTNERCENTER_BASE_URL": p.server.URL, "PARTNERCENTER_CA_FILE": p.ca,
		"PARTNERCENTER_TENANT_ID": stubTenant, "PARTNERCENTER_CLIENT_ID": stubClient, "PARTNERCENTER_CLIENT_SECRET": stubSecret,
	}
	return p
}

func (p *patient) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().Add(p.skew).UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	handler := p.api
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		if handler = p.discovery; handler == nil {
			base := p.server.URL + "/" + stubTenant
			fmt.Fprintf(w, `{"issuer":"%[1]s/v2.0","token_endpoint":"%[1]s/oauth2/v2.0/token","authorization_endpoint":"%[1]s/oauth2/v2.0/authorize"}`, base)
		}
	case strings.HasSuffix(r.URL.Path, "/token"):
		if handler = p.token; handler == nil {
			claims := map[string]any{"aud": "https://api.partnercenter.microsoft.com", "tid": stubTenant, "appid": stubClient, "idtyp": "app"}
			for name, value := range p.claims {
				claims[name] = value
			}
			fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, unsignedToken(claims))
		}
	case r.URL.Path == "/":
		return
	case handler == nil:
		fmt.Fprint(w, `{"totalCount":0,"items":[]}`)
	}
	if handler != nil {
		handler(w, r)
	}
}

// unsignedToken is a JSON Web Token for those who only read it.
func unsignedToken(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

// respondWith answers with a status and a body, which is HTML if it looks like it.
func respondWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if strings.HasPrefix(body, "<") {
			w.Header().Set("Content-Type", "text/html")
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// refuses answers as Microsoft's authority does.
func refuses(status, number int, code string) http.HandlerFunc {
	return respondWith(status, fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: No.","error_codes":[%[2]d]}`, code, number))
}

// hangs never answers. The server notices that the client is gone once the body
// was read; over TLS, the client can still read then.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// foundStep is a step as doctor prints it.
type foundStep struct{ Step, Status, Detail, Fix string }

// steps runs doctor and returns what it says of each step.
func (p *patient) steps(t *testing.T, args ...string) (map[string]foundStep, result) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	term, stdout, stderr := testTerminal(p.env)
	r := result{code: run(t.Context(), term, append([]string{"doctor", "-o", "json"}, args...))}
	r.stdout, r.stderr = stdout.String(), stderr.String()
	var answer struct {
		OK    bool
		Steps []foundStep
	}
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	if answer.OK != (r.code == terminal.ExitOK) {
		t.Errorf("ok is %v, but the exit code %d", answer.OK, r.code)
	}
	if len(answer.Steps) != 11 {
		t.Errorf("%d steps, want 11", len(answer.Steps))
	}
	steps := map[string]foundStep{}
	for _, s := range answer.Steps {
		steps[s.Step] = s
	}
	if strings.Contains(r.stdout+r.stderr, stubSecret) || strings.Contains(r.stdout+r.stderr, "eyJ") {
		t.Errorf("a secret is in the output: %+v", r)
	}
	return steps, r
}

func TestDoctor(t *testing.T) {
	for _, test := range []struct {
		name    string
		make    func(*patient)
		args    []string
		failed  string // step; empty for none
		detail  string
		fix     string
		skipped string // a step that builds on it
	}{
		{name: "healthy"},
		{
			name: "unknown cloud", make: func(p *patient) { p.env["PARTNERCENTER_CLOUD"] = "mars" },
			failed: "settings", detail: `"mars" is unknown`, fix: "partnercenter help environment", skipped: "authority",
		},
		{
			name: "plain HTTP abroad", args: []string{"--base-url", "http://pc.example"},
			failed: "settings", detail: "plain HTTP", skipped: "credentials",
		},
		{
			name: "no secret", make: func(p *patient) { delete(p.env, "PARTNERCENTER_CLIENT_SECRET") },
			failed: "credentials", detail: "the client secret is missing", fix: "PARTNERCENTER_CLIENT_SECRET", skipped: "token",
		},
		{
			name: "nobody signed in", args: []string{"--as", "user"},
			failed: "credentials", detail: "no user is signed in", fix: "partnercenter login", skipped: "token",
		},
		{
			name: "nothing listens", args: []string{"--authority", "https://127.0.0.1:1"},
			failed: "authority", detail: "connection: 127.0.0.1:1 refuses", fix: "Check --authority", skipped: "discovery",
		},
		{
			name: "untrusted", args: []string{"--timeout", "5s"}, make: func(p *patient) { delete(p.env, "PARTNERCENTER_CA_FILE") },
			failed: "authority", detail: "Acme Co, is not trusted", fix: "--ca-file", skipped: "token",
		},
		{
			name: "HTML", make: func(p *patient) { p.discovery = respondWith(200, "<html>Welcome to the guest network</html>") },
			failed: "discovery", detail: "not from a token authority (200 OK, text/html)", fix: "guest network",
		},
		{
			name: "redirect", make: func(p *patient) {
				p.discovery = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", "https://portal.example/login?x")
					w.WriteHeader(http.StatusFound)
				}
			},
			failed: "discovery", detail: "to portal.example", fix: "guest network",
		},
		{
			name: "unknown tenant", make: func(p *patient) { p.discovery = refuses(400, 90002, "invalid_tenant") },
			failed: "discovery", detail: "AADSTS90002", fix: "Check --tenant-id and --cloud",
		},
		{
			name: "authority down", make: func(p *patient) { p.discovery = respondWith(503, "") },
			failed: "discovery", detail: "503 Service Unavailable", fix: "Try again",
		},
		{
			name: "authority throttles", make: func(p *patient) { p.discovery = respondWith(429, "") },
			failed: "discovery", detail: "too many requests", fix: "Wait",
		},
		{
			name: "authority hangs", args: []string{"--timeout", "5s"}, make: func(p *patient) { p.discovery = hangs },
			failed: "authority", detail: "while waiting for the answer", fix: "HTTPS_PROXY", skipped: "token",
		},
		{
			name: "clock behind", make: func(p *patient) { p.skew = 5*time.Minute + 2*time.Second },
			failed: "clock", detail: "5 minutes behind", fix: "NTP",
		},
		{
			name: "clock ahead", make: func(p *patient) { p.skew = -time.Hour - time.Minute },
			failed: "clock", detail: "1 hour ahead", fix: "NTP",
		},
		{
			name: "wrong secret", make: func(p *patient) { p.token = refuses(401, 7000215, "invalid_client") },
			failed: "token", detail: "AADSTS7000215", fix: "Use its value, not its id", skipped: "claims",
		},
		{
			name: "expired secret", make: func(p *patient) { p.token = refuses(401, 7000222, "invalid_client") },
			failed: "token", detail: "AADSTS7000222", fix: "has expired: create a new one", skipped: "api call",
		},
		{
			name: "no consent", make: func(p *patient) { p.token = refuses(400, 65001, "invalid_grant") },
			failed: "token", detail: "AADSTS65001", fix: "consent",
		},
		{
			name: "MFA", make: func(p *patient) { p.token = refuses(400, 50076, "interaction_required") },
			failed: "token", detail: "AADSTS50076", fix: "multi-factor",
		},
		{
			name: "app of another tenant", make: func(p *patient) { p.token = refuses(400, 700016, "unauthorized_client") },
			failed: "token", detail: "AADSTS700016", fix: "--client-id",
		},
		{
			name: "redirect URI", make: func(p *patient) { p.token = refuses(400, 50011, "invalid_request") },
			failed: "token", detail: "AADSTS50011", fix: "add http://localhost",
		},
		{
			name: "token is HTML", make: func(p *patient) { p.token = respondWith(200, "<html>") },
			failed: "token", detail: "not in the way a token authority does", fix: "--authority",
		},
		{
			name: "too many tokens", make: func(p *patient) { p.token = respondWith(429, `{"error":"temporarily_unavailable"}`) },
			failed: "token", detail: "temporarily_unavailable", fix: "try again in a few minutes",
		},
		{
			name: "token service down", make: func(p *patient) { p.token = respondWith(502, "<html>") },
			failed: "token", detail: "502 to a request for a token, a problem of its own", fix: "Try again",
		},
		{
			name: "token hangs", args: []string{"--timeout", "5s"}, make: func(p *patient) { p.token = hangs },
			failed: "token", detail: "in time", fix: "--timeout",
		},
		{
			name: "another API's token", make: func(p *patient) { p.claims["aud"] = "https://graph.microsoft.com" },
			failed: "claims", detail: "for https://graph.microsoft.com, which is not Partner Center", fix: "--scope",
		},
		{
			name: "graph token of a user", make: func(p *patient) {
				p.claims["aud"], p.claims["idtyp"], p.claims["scp"] = "https://graph.windows.net/", "", "user_impersonation"
			},
			failed: "claims", detail: "not from users", fix: "--scope",
		},
		{
			name: "no second factor", make: func(p *patient) {
				p.claims["idtyp"], p.claims["scp"], p.claims["amr"] = "user", "user_impersonation", []string{"pwd"}
			},
			failed: "claims", detail: "without multi-factor", fix: "partnercenter login",
		},
		{
			name: "another tenant's token", make: func(p *patient) { p.claims["tid"] = "99999999-8888-7777-6666-555555555555" },
			failed: "claims", detail: "but the settings have " + stubTenant, fix: "--tenant-id",
		},
		{
			name: "API refuses the token", make: func(p *patient) { p.api = respondWith(401, `{"code":800001,"description":"No."}`) },
			failed: "api call", detail: "401 Unauthorized", fix: "registered in Partner Center", skipped: "request limit",
		},
		{
			name: "API forbids", make: func(p *patient) { p.api = respondWith(403, `{"code":"400","description":"No."}`) },
			failed: "api call", detail: "403 Forbidden", skipped: "request limit",
		},
		{
			name: "API is HTML", make: func(p *patient) { p.api = respondWith(200, "<html>") },
			failed: "api call", detail: "not the API's JSON", fix: "--base-url",
		},
		{
			name: "API hangs", args: []string{"--timeout", "5s"}, make: func(p *patient) { p.api = hangs },
			failed: "api call", detail: "in time",
		},
		{
			name: "throttled", make: func(p *patient) {
				p.api = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "30")
					respondWith(429, `{"statusCode":429,"message":"Rate limit is exceeded."}`)(w, nil)
				}
			},
			failed: "request limit", detail: "429", fix: "Wait 30s",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPatient(t)
			if test.make != nil {
				test.make(p)
			}
			steps, r := p.steps(t, test.args...)
			if test.failed == "" {
				if r.code != terminal.ExitOK || r.stderr != "" {
					t.Errorf("%+v", r)
				}
				for name, s := range steps {
					if s.Status != "ok" {
						t.Errorf("%s: %+v", name, s)
					}
				}
				return
			}
			s := steps[test.failed]
			if r.code != terminal.ExitError || s.Status != "failed" || !strings.Contains(s.Detail, test.detail) || !strings.Contains(s.Fix, test.fix) || s.Fix == "" {
				t.Errorf("exit code %d, %+v\n%s", r.code, s, r.stdout)
			}
			if test.skipped != "" && steps[test.skipped].Status != "skipped" {
				t.Errorf("%+v, want it skipped", steps[test.skipped])
			}
			if !strings.Contains(r.stderr, "of 11 steps failed: ") || !strings.Contains(r.stderr, test.failed) {
				t.Errorf("stderr %s", r.stderr)
			}
		})
	}
}

// TestDoctorConfiguration has the configuration file be wrong.
func TestDoctorConfiguration(t *testing.T) {
	p := newPatient(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	writeFile(t, config, "profiles:\n  p: {clientSecret: hush, tenantId: x}\n")
	p.env["PARTNERCENTER_CONFIG"] = config
	if steps, r := p.steps(t); r.code != terminal.ExitOK || !strings.Contains(steps["configuration"].Detail, config+", profiles: p") {
		t.Errorf("%+v", r)
	}
	if err := os.Chmod(config, 0o644); err != nil {
		t.Fatal(err)
	}
	steps, r := p.steps(t)
	if s := steps["configuration"]; r.code != terminal.ExitError || s.Status != "failed" || !strings.Contains(s.Detail, "run chmod 600") || strings.Contains(r.stdout, "hush") {
		t.Errorf("%+v", r)
	}
	// What others can read is not used, so nothing after it is tried.
	if s := steps["authority"]; s.Status != "skipped" {
		t.Errorf("%+v", s)
	}
	p.env["PARTNERCENTER_CONFIG"] = filepath.Join(t.TempDir(), "missing.yaml")
	if steps, _ := p.steps(t); steps["configuration"].Status != "failed" {
		t.Errorf("%+v", steps["configuration"])
	}
}

// TestDoctorForPeople looks at the lines of the text.
func TestDoctorForPeople(t *testing.T) {
	p := newPatient(t)
	p.token = refuses(401, 7000215, "invalid_client")
	p.env["HTTPS_PROXY"], p.env["http_proxy"] = "http://me:hush@proxy.example:8080", "me:hush@proxy.example"
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	term, stdout, stderr := testTerminal(p.env)
	code := run(t.Context(), term, []string{"doctor"})
	for _, want := range []string{
		"ok       configuration  ", "\nok       authority      ", "certificate by Acme Co", "\nfailed   token          signing in failed: AADSTS7000215: No.\n" + strings.Repeat(" ", 26) + "The secret is wrong.",
		"\nskipped  claims         there is no token\n", "HTTPS_PROXY=http://me:xxxxx@proxy.example:8080, http_proxy=(not shown)",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("want %q in\n%s", want, stdout)
		}
	}
	if code != terminal.ExitError || stderr.String() != "error: 1 of 11 steps failed: token\n" || strings.Contains(stdout.String(), "hush") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

// TestDoctorMeetsFaults runs doctor with each fault of our own authority.
func TestDoctorMeetsFaults(t *testing.T) {
	s := newSignInTest(t, "")
	for _, test := range []struct {
		fault  map[string]any
		failed string
		texts  []string
	}{
		{map[string]any{"fault": "throttled", "endpoint": "discovery"}, "discovery", []string{"AADSTS90055", "wait a few minutes"}},
		{map[string]any{"fault": "unavailable", "endpoint": "discovery"}, "discovery", []string{"AADSTS90033", "try again in a few minutes"}},
		{map[string]any{"fault": "html", "endpoint": "discovery"}, "discovery", []string{"502 Bad Gateway"}},
		{map[string]any{"fault": "html", "endpoint": "discovery", "status": 200}, "discovery", []string{"not from a token authority (200 OK, text/html"}},
		{map[string]any{"fault": "timeout", "endpoint": "discovery", "for": "30s"}, "authority", []string{"waiting for the answer"}},
		{map[string]any{"fault": "tenant_unknown", "endpoint": "discovery"}, "discovery", []string{"AADSTS90002", "--cloud"}},
		{map[string]any{"fault": "throttled"}, "token", []string{"AADSTS90055", "wait a few minutes"}},
		{map[string]any{"fault": "throttled", "plain": true}, "token", []string{"429", "Wait a few minutes"}},
		{map[string]any{"fault": "unavailable"}, "token", []string{"AADSTS90033"}},
		{map[string]any{"fault": "html"}, "token", []string{"502", "a problem of its own"}},
		{map[string]any{"fault": "html", "status": 200}, "token", []string{"not in the way a token authority does"}},
		{map[string]any{"fault": "timeout", "for": "30s"}, "token", []string{"in time"}},
		{map[string]any{"fault": "tenant_unknown"}, "token", []string{"AADSTS90002"}},
		{map[string]any{"fault": "app_unknown"}, "token", []string{"AADSTS700016", "--client-id"}},
		{map[string]any{"fault": "app_disabled"}, "token", []string{"AADSTS7000112", "administrator"}},
		{map[string]any{"fault": "secret_wrong"}, "token", []string{"AADSTS7000215", "not its id; in a form + is %2B"}},
		{map[string]any{"fault": "secret_expired"}, "token", []string{"AADSTS7000222", "create a new one"}},
		{map[string]any{"fault": "wrong_audience"}, "claims", []string{"for https://graph.microsoft.com", "--scope"}},
		{map[string]any{"fault": "clock_skew", "by": "10m"}, "api call", []string{"clocks of the authority and the API differ"}},
		{map[string]any{"fault": "clock_skew", "by": "-2h"}, "api call", []string{"clocks of the authority and the API differ"}},
	} {
		s.fault(test.fault)
		s.want(terminal.ExitError, append(test.texts, "of 11 steps failed: "+test.failed), "doctor", "--timeout", "5s", "--retries", "0")
	}
	s.control(http.MethodDelete, "/identity/faults", nil)

	// Of users, trouble comes with the next token.
	s.want(terminal.ExitOK, nil, "login")
	for fault, texts := range map[string][]string{
		"mfa_required":     {"AADSTS50076", "multi-factor"},
		"consent_missing":  {"AADSTS65001", "consent"},
		"refresh_revoked":  {"AADSTS50173", "sign in again"},
		"refresh_too_old":  {"AADSTS700082", "90 days"},
		"account_disabled": {"AADSTS50057", "enable"},
		"loop_detected":    {"AADSTS50196", "too often"},
	} {
		s.fault(map[string]any{"fault": fault})
		s.advance("2h")
		s.want(terminal.ExitError, append(texts, "failed   api call", "has ended"), "doctor")
		s.want(terminal.ExitAuth, append(texts, "partnercenter login"), "customers", "list")
	}
	s.control(http.MethodDelete, "/identity/faults", nil)
	// No refresh token was lost to any of it.
	s.advance("2h")
	s.want(terminal.ExitOK, nil, "customers", "list")
	s.control(http.MethodPost, "/identity/faults", map[string]any{"fault": "key_rollover"})
	s.want(terminal.ExitOK, nil, "customers", "list")
	s.fault(map[string]any{"fault": "mfa_claim_missing"})
	s.advance("2h")
	s.want(terminal.ExitAuth, []string{"without a second factor", "partnercenter login"}, "customers", "list")
	s.want(terminal.ExitError, []string{"failed   claims", "without multi-factor authentication"}, "doctor")
}
